#include "common/text/station_config.h"

#include "common/base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Stations that are not built for production obey these: the network server keeps the duty cycle and the dwell time itself, and
 * a station says nothing of a frame that it holds back. Listening before talking stays the station's. */
#define UNGUARDED                 \
	{                         \
		"nodc", "nodwell" \
	}

static const struct {
	const char *region, *name;
} names[] = {
	{"eu868", "EU863"}, {"us915", "US902"},     {"au915", "AU915"},
	{"kr920", "KR920"}, {"as923-1", "AS923-1"},
};

const char *station_region_name(const struct lw_region *region)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].region, region->id) == 0)
			return names[i].name;
	return NULL;
}

/* [spreading factor, kHz, downlinks only]; 0 is FSK, −1 not defined, as LR-FHSS has to be. */
static json_t *rates_of(const struct lw_region *region)
{
	json_t *rates = json_array();
	for (uint8_t dr = 0; dr < 16; dr++) {
		const struct lw_data_rate *up = lw_region_data_rate(region, LW_UP, dr);
		const struct lw_data_rate *down = lw_region_data_rate(region, LW_DOWN, dr);
		const struct lw_data_rate *rate = up ? up : down;
		int factor = -1, khz = 0;
		if (rate && rate->modulation.kind == LW_FSK)
			factor = 0;
		if (rate && rate->modulation.kind == LW_LORA) {
			factor = rate->modulation.spreading_factor;
			khz = (int)(rate->modulation.bandwidth_hz / 1000);
		}
		json_array_append_new(rates, json_pack("[i,i,i]", factor, khz, factor >= 0 && !up));
	}
	return rates;
}

static json_t *range_of(const struct lw_region *region)
{
	uint32_t low = UINT32_MAX, high = 0;
	for (uint8_t i = 0; i < region->freq_range_count; i++) {
		low = region->freq_ranges[i].min_hz < low ? region->freq_ranges[i].min_hz : low;
		high = region->freq_ranges[i].max_hz > high ? region->freq_ranges[i].max_hz : high;
	}
	return json_pack("[I,I]", (json_int_t)low, (json_int_t)high);
}

static json_t *channels_of(const struct lw_region *region, const struct lw_channel_plan *plan)
{
	json_t *channels = json_array();
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++) {
		struct lw_channel channel;
		if (lw_mask_get(&plan->enabled, i) && lw_plan_channel(plan, region, i, &channel))
			json_array_append_new(channels, json_pack("[I,i,i]", (json_int_t)channel.freq_hz,
								  channel.min_dr, channel.max_dr));
	}
	return channels;
}

static json_t *channel_of(const struct gateway_channel *channel)
{
	return json_pack("{s:b,s:i,s:i}", "enable", 1, "radio", channel->radio, "if", (int)channel->if_hz);
}

static json_t *unit_of(const struct gateway_radios *radios)
{
	json_t *unit = json_object();
	bool used[GATEWAY_RADIOS] = {true, false};
	for (size_t i = 0; i < GATEWAY_MULTI_SF; i++) {
		char name[24];
		snprintf(name, sizeof name, "chan_multiSF_%zu", i);
		bool is = i < radios->multi_count;
		if (is)
			used[radios->multi[i].radio] = true;
		json_object_set_new(unit, name,
				    is ? channel_of(&radios->multi[i]) : json_pack("{s:b}", "enable", 0));
	}
	json_t *service = radios->has_service ? channel_of(&radios->service)
					      : json_pack("{s:b}", "enable", 0);
	if (radios->has_service) {
		used[radios->service.radio] = true;
		json_object_set_new(service, "bandwidth", json_integer(radios->service.bandwidth_hz));
		json_object_set_new(service, "spread_factor", json_integer(radios->service.spreading_factor));
	}
	json_object_set_new(unit, "chan_Lora_std", service);
	if (radios->has_fsk)
		used[radios->fsk.radio] = true;
	json_object_set_new(unit, "chan_FSK",
			    radios->has_fsk ? channel_of(&radios->fsk) : json_pack("{s:b}", "enable", 0));
	for (size_t i = 0; i < GATEWAY_RADIOS; i++) {
		char name[24];
		snprintf(name, sizeof name, "radio_%zu", i);
		json_object_set_new(unit, name,
				    json_pack("{s:b,s:I}", "enable", used[i], "freq",
					      used[i] ? (json_int_t)radios->centre_hz[i] : 0));
	}
	return unit;
}

size_t station_config_write(char text[STATION_CONFIG_MAX], const struct lw_region *region,
			    const struct lw_channel_plan *plan, enum station_chip chip, struct wall now,
			    char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	static const char *const unguarded[] = UNGUARDED;
	struct gateway_radios radios;
	const char *name = station_region_name(region);
	if (!name) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX,
			 "Stations of release 2.0.6 know no region %s and drop every downlink in it",
			 region->id);
		return 0;
	}
	if (!gateway_radios_fit(&radios, region, plan, problem))
		return 0;
	json_t *config = json_pack("{s:s,s:n,s:n,s:s,s:s}", "msgtype", "router_config", "NetID", "JoinEui",
				   "region", name, "hwspec", "sx1301/1");
	ASSERT(config);
	json_object_set_new(config, "freq_range", range_of(region));
	json_object_set_new(config, "DRs", rates_of(region));
	json_object_set_new(config, "upchannels", channels_of(region, plan));
	for (size_t i = 0; i < ARRAY_SIZE(unguarded); i++)
		json_object_set_new(config, unguarded[i], json_true());
	json_object_set_new(config, "MuxTime", json_real((double)now.us / US_PER_S));
	json_object_set_new(config, chip == STATION_SX1302 ? "sx1302_conf" : "sx1301_conf",
			    json_pack("[o]", unit_of(&radios)));
	size_t length = json_dumpb(config, text, STATION_CONFIG_MAX, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(config);
	if (length > STATION_CONFIG_MAX) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX, "The configuration has %zu bytes, %d at most",
			 length, STATION_CONFIG_MAX);
		return 0;
	}
	return length;
}
