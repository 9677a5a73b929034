#include "network-server/adr/adr_load.h"

#include <string.h>

static int64_t slices_since(const struct ns_adr_load *load, struct mono now)
{
	int64_t passed = mono_since(now, load->slice) / NS_ADR_LOAD_SLICE;
	return passed < 0 ? 0 : passed > 100 ? 100 : passed;
}

static uint32_t aged(uint32_t before_us, uint32_t heard_us, int64_t slices)
{
	uint64_t kept = before_us;
	for (int64_t i = 0; i < slices; i++)
		kept = (kept * (NS_ADR_LOAD_KEEP - 1) + (i == 0 ? heard_us : 0)) / NS_ADR_LOAD_KEEP;
	return (uint32_t)kept;
}

void ns_adr_load_note(struct ns_adr_load *load, uint8_t dr, uint32_t airtime_us, struct mono now)
{
	if (dr >= LW_DATA_RATES)
		return;
	if (!load->begun)
		*load = (struct ns_adr_load){.begun = true, .slice = now};
	int64_t slices = slices_since(load, now);
	if (slices > 0) {
		for (int i = 0; i < LW_DATA_RATES; i++)
			load->before_us[i] = aged(load->before_us[i], load->heard_us[i], slices);
		memset(load->heard_us, 0, sizeof load->heard_us);
		load->slice = now;
	}
	uint32_t *heard = &load->heard_us[dr];
	*heard = UINT32_MAX - *heard < airtime_us ? UINT32_MAX : *heard + airtime_us;
}

void ns_adr_load_share(const struct ns_adr_load *load, unsigned channels, struct mono now,
		       uint16_t busy[LW_DATA_RATES])
{
	memset(busy, 0, LW_DATA_RATES * sizeof *busy);
	if (!load->begun || channels == 0)
		return;
	int64_t slices = slices_since(load, now);
	for (int i = 0; i < LW_DATA_RATES; i++) {
		uint64_t share = (uint64_t)aged(load->before_us[i], load->heard_us[i], slices) *
				 NS_ADR_LOAD_ALL / channels / (uint64_t)NS_ADR_LOAD_SLICE;
		busy[i] = (uint16_t)(share > NS_ADR_LOAD_ALL ? NS_ADR_LOAD_ALL : share);
	}
}
