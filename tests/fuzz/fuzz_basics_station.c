/* A text of a Basics Station at the bridge's codec: discovery, LNS and CUPS. Whatever is taken keeps the codec's promises. */
#include "common/base/check.h"
#include "common/text/region_yaml.h"
#include "gateway-bridge/cups.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gb_json *json;
	static struct lw_region region;
	const char *text = (const char *)data;
	if (!json) {
		json = gb_json_new();
		ASSERT(region_load(&region, "eu868"));
	}
	struct lw_eui64 router;
	(void)gb_station_discovery(json, text, size, &router);
	struct gb_cups_question question;
	if (gb_cups_question(json, text, size, &question) == GB_ACCEPTED)
		ASSERT_CMP(question.key_count, <=, GB_CUPS_KEYS_MAX);
	struct gb_station_message message;
	if (gb_station_parse(json, text, size, &region, &message) != GB_ACCEPTED)
		return 0;
	if (message.kind == GB_STATION_FRAME || message.kind == GB_STATION_OVERHEARD) {
		ASSERT_CMP(message.frame.phy_length, >, 0);
		ASSERT_CMP(message.frame.dr, <, LW_DATA_RATES);
		ASSERT(message.frame.xtime >= 0);
	}
	if (message.kind == GB_STATION_TIMESYNC)
		ASSERT(strlen(message.txtime) > 0);
	return 0;
}
