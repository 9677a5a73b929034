/* Region files: whatever loads must answer every question without leaving its tables. */
#include "common/base/check.h"
#include "common/lorawan/channel_plan.h"
#include "common/text/region_yaml.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct lw_region *region)
{
	struct lw_rx_window rx1, rx2;
	struct lw_channel_plan plan;
	struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
	uint8_t cflist[LW_CFLIST_SIZE];
	lw_plan_init(&plan, region);
	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i;
		uint32_t hz = 0;
		(void)lw_region_rx1_freq(region, byte, 868100000, &hz);
		(void)lw_plan_rx1_freq(&plan, region, byte, &hz);
		(void)lw_region_rx1_dr(region, byte, byte & 7, i % 2, &byte);
		(void)lw_region_beacon_freq(region, 128 * i, (uint8_t)i);
		(void)lw_region_ping_freq(region, (struct lw_dev_addr){i * 7919}, 128 * i, (uint8_t)i);
		(void)lw_region_max_payload(region, (uint8_t)i, i % 2, i % 3 == 0);
	}
	for (size_t i = 0; i < region->uplink_channel_count; i++)
		(void)lw_region_join_windows(region, region->uplink_channels[i].freq_hz, 0, &rx1, &rx2);
	(void)lw_cflist_build(&plan, region, cflist);
	size_t count = lw_plan_mask_commands(NULL, &plan, region, commands);
	ASSERT_CMP(count, <=, LW_MASK_COMMANDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lw_region region;
	char error[REGION_ERROR_MAX] = "";
	if (region_load_text(&region, "fuzz.yaml", (const char *)data, size, error))
		ask(&region);
	else
		ASSERT(strncmp(error, "fuzz.yaml:", 10) == 0);
	return 0;
}
