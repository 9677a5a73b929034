/* router_config, judged as station 2.0.6 judges it: what it does not know by name it warns about at the top level and refuses inside
 * a radio; a channel has to lie within the band that its radio filters out of the air.
 *
 *	        radio's centre
 *	 ◀── half the radio's band ──┼── half the radio's band ──▶
 *	                    [ channel ]        |if| + half the channel ≤ half the band
 *
 * The band of the radio depends on the channel: 925 kHz for 125 kHz channels, 1.0 MHz for 250 kHz, 1.1 MHz for 500 kHz. */
#include "simulator/station_read.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What 2.0.6 knows by name. */
static const char *const regions[] = {"EU863", "EU868", "US902",   "US915",  "AU915",
				      "KR920", "IL915", "AS923JP", "AS923-1"};
static const char *const radio_names[] = {"sx1301_conf", "SX1301_conf", "sx1302_conf", "SX1302_conf",
					  "radio_conf"};
static const char *const known_members[] = {
	"msgtype", "NetID", "JoinEui", "JoinEUI", "region", "hwspec", "freq_range", "DRs", "upchannels",
	"max_eirp", "MuxTime", "nocca", "nodc", "nodwell", "device_mode", "bcning",
	/* and those of the hardware */
	"sx1301_conf", "SX1301_conf", "sx1302_conf", "SX1302_conf", "radio_conf"};
/* Of a radio and of a channel, the station's own hardware keys included. */
static const char *const part_members[] = {"enable",
					   "freq",
					   "radio",
					   "if",
					   "bandwidth",
					   "spread_factor",
					   "datarate",
					   "type",
					   "rssi_offset",
					   "tx_enable",
					   "tx_notch_freq",
					   "antenna_gain",
					   "tx_gain_lut",
					   "rssi_tcomp",
					   "single_input_mode",
					   "freq_deviation",
					   "implicit_hdr",
					   "implicit_payload_length",
					   "implicit_crc_en",
					   "implicit_coderate"};
static const char *const unit_members[] = {
	"radio_", "chan_",       "clksrc",     "lorawan_public", "antenna_gain",   "device", "pps",
	"lbt_",   "tx_gain_lut", "board_type", "full_duplex",    "fine_timestamp", "debug"};

static bool is_one_of(const char *name, const char *const *names, size_t count, bool prefix)
{
	for (size_t i = 0; i < count; i++)
		if (prefix ? strncmp(name, names[i], strlen(names[i])) == 0 : strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void read_rates(struct sim_read *of, struct sim_station_config *config)
{
	json_t *rates = sim_read_member(of, "DRs"), *rate;
	size_t i;
	if (!rates || !json_is_array(rates) || json_array_size(rates) > SIM_STATION_RATES) {
		sim_read_fail(of, rates ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
		return;
	}
	for (i = 0; i < SIM_STATION_RATES; i++)
		config->rates[i].spreading_factor = -1;
	json_array_foreach(rates, i, rate)
	{
		json_int_t factor = json_integer_value(json_array_get(rate, 0));
		if (json_array_size(rate) != 3 || !json_is_integer(json_array_get(rate, 0)) ||
		    !json_is_integer(json_array_get(rate, 1)) || !json_is_integer(json_array_get(rate, 2))) {
			sim_read_fail(of, SIM_STATION_WRONG_TYPE);
			return;
		}
		if (factor != -1 && factor != 0 && (factor < 5 || factor > 12)) {
			sim_read_fail(of, SIM_STATION_BAD_RATE);
			return;
		}
		config->rates[i] = (struct sim_station_rate){
			(int8_t)factor, (uint16_t)json_integer_value(json_array_get(rate, 1)),
			json_integer_value(json_array_get(rate, 2)) != 0};
	}
}

/* --- radios and channels --- */

static bool enabled(const json_t *object)
{
	return json_is_true(json_object_get(object, "enable"));
}

static void check_members(struct sim_read *of, json_t *object, const char *const *names, size_t count,
			  bool prefix)
{
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value)
	{
		if (!is_one_of(name, names, count, prefix))
			sim_read_fail(of, SIM_STATION_BAD_MEMBER);
	}
}

/* Half of what a radio lets through around its centre, less half of a channel of that width. */
static int64_t reach_hz(uint32_t bandwidth_hz)
{
	return bandwidth_hz == 500000 ? 300000 : bandwidth_hz == 250000 ? 375000 : 400000;
}

/* Channel `i` of the unit, in the order of channels_hz. */
static void read_channel(struct sim_read *of, json_t *channel, size_t i, const int64_t centres[2],
			 struct sim_station_config *config)
{
	uint32_t bandwidth_hz = 125000;
	check_members(of, channel, part_members, ARRAY_SIZE(part_members), false);
	if (!enabled(channel))
		return;
	json_t *radio = json_object_get(channel, "radio"), *offset = json_object_get(channel, "if");
	if (i == 9 && (!radio || !offset))
		return; /* an FSK channel with `enable` alone is seen in the field */
	if (!json_is_integer(radio) || !json_is_integer(offset)) {
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
		return;
	}
	if (i == 8) {
		json_int_t width = json_integer_value(json_object_get(channel, "bandwidth")),
			   factor = json_integer_value(json_object_get(channel, "spread_factor"));
		if ((width != 125000 && width != 250000 && width != 500000) || factor < 5 || factor > 12)
			sim_read_fail(of, SIM_STATION_BAD_RADIO);
		config->std_bandwidth_hz = bandwidth_hz = (uint32_t)width;
		config->std_spreading_factor = (uint8_t)factor;
	}
	json_int_t which = json_integer_value(radio), if_hz = json_integer_value(offset);
	if (which < 0 || which > 1 || centres[which] == 0 || llabs(if_hz) > reach_hz(bandwidth_hz)) {
		sim_read_fail(of, SIM_STATION_BAD_RADIO);
		return;
	}
	config->channels_hz[i] = (uint32_t)(centres[which] + if_hz);
}

/* The first unit's radios and the channels that hang on them. */
static void read_radios(struct sim_read *of, json_t *unit, struct sim_station_config *config)
{
	int64_t centres[2];
	if (!json_is_object(unit)) {
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
		return;
	}
	check_members(of, unit, unit_members, ARRAY_SIZE(unit_members), true);
	for (int i = 0; i < 2; i++) {
		char name[24];
		snprintf(name, sizeof name, "radio_%d", i);
		json_t *radio = json_object_get(unit, name);
		check_members(of, radio, part_members, ARRAY_SIZE(part_members), false);
		centres[i] = enabled(radio) ? (int64_t)json_integer_value(json_object_get(radio, "freq")) : 0;
		if (centres[i] < 0 || centres[i] > UINT32_MAX)
			sim_read_fail(of, SIM_STATION_OUT_OF_RANGE);
	}
	for (size_t i = 0; i < SIM_STATION_CHANNELS; i++) {
		char name[32];
		snprintf(name, sizeof name, "chan_multiSF_%zu", i);
		read_channel(of,
			     json_object_get(unit, i < 8    ? name
						   : i == 8 ? "chan_Lora_std"
							    : "chan_FSK"),
			     i, centres, config);
	}
}

/* hwspec "sx1301/N" wants N units. */
static void read_hardware(struct sim_read *of, struct sim_station_config *config)
{
	json_t *radios = NULL;
	const char *hwspec = sim_read_text(of, "hwspec");
	snprintf(config->hwspec, sizeof config->hwspec, "%s", hwspec);
	for (size_t i = 0; i < ARRAY_SIZE(radio_names) && !radios; i++)
		radios = sim_read_member(of, radio_names[i]);
	if (!json_is_array(radios) || json_array_size(radios) == 0) {
		sim_read_fail(of, radios ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
		return;
	}
	unsigned long units = strncmp(hwspec, "sx1301/", 7) == 0 ? strtoul(hwspec + 7, NULL, 10) : 0;
	if (strlen(hwspec) > 31 || units == 0 || units != json_array_size(radios))
		sim_read_fail(of, SIM_STATION_BAD_HWSPEC);
	read_radios(of, json_array_get(radios, 0), config);
}

/* --- filters of what is forwarded --- */

static void read_net_ids(struct sim_read *of, struct sim_station_config *config)
{
	json_t *ids = sim_read_member(of, "NetID"), *id;
	size_t i;
	config->all_net_ids = !ids || json_array_size(ids) == 0;
	if (ids && !json_is_array(ids))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
	json_array_foreach(ids, i, id)
	{
		if (!json_is_integer(id) || json_integer_value(id) < 0)
			sim_read_fail(of, SIM_STATION_WRONG_TYPE);
		else
			config->net_ids[json_integer_value(id) % 128 / 32] |= 1u << (json_integer_value(id) %
										     32);
	}
}

static bool read_bound(const json_t *value, uint64_t *out)
{
	struct lw_eui64 eui;
	if (json_is_integer(value)) {
		*out = (uint64_t)json_integer_value(value);
		return true;
	}
	const char *text = json_string_value(value);
	char digits[17];
	size_t at = 0;
	for (size_t i = 0; text && text[i] && at < 16; i++)
		if (text[i] != '-')
			digits[at++] = text[i];
	digits[at] = 0;
	if (!text || !lw_eui64_parse(digits, &eui))
		return false;
	*out = lw_eui64_number(&eui);
	return true;
}

static void read_ranges(struct sim_read *of, struct sim_station_config *config)
{
	config->spelled_eui = json_object_get(of->object, "JoinEUI") != NULL;
	json_t *ranges = sim_read_member(of, config->spelled_eui ? "JoinEUI" : "JoinEui"), *range;
	size_t i;
	if (ranges && (!json_is_array(ranges) || json_array_size(ranges) > SIM_STATION_RANGES)) {
		sim_read_fail(of, SIM_STATION_OUT_OF_RANGE);
		return;
	}
	json_array_foreach(ranges, i, range)
	{
		if (json_array_size(range) != 2 ||
		    !read_bound(json_array_get(range, 0), &config->ranges[i].low) ||
		    !read_bound(json_array_get(range, 1), &config->ranges[i].high)) {
			sim_read_fail(of, SIM_STATION_WRONG_TYPE);
			return;
		}
		config->range_count++;
	}
}

static void read_range(struct sim_read *of, struct sim_station_config *config)
{
	json_t *range = sim_read_member(of, "freq_range");
	if (!range)
		return;
	json_int_t low = json_integer_value(json_array_get(range, 0)),
		   high = json_integer_value(json_array_get(range, 1));
	if (json_array_size(range) != 2 || low < 1 || high < low || high > UINT32_MAX) {
		sim_read_fail(of, SIM_STATION_OUT_OF_RANGE);
		return;
	}
	config->freq_min_hz = (uint32_t)low;
	config->freq_max_hz = (uint32_t)high;
}

void sim_read_config(struct sim_read *of, struct sim_station_down *down)
{
	struct sim_station_config *config = &down->config;
	const char *name;
	json_t *value;
	down->kind = SIM_STATION_ROUTER_CONFIG;
	sim_station_config_default(config);
	if (sim_read_has(of, "region"))
		snprintf(config->region, sizeof config->region, "%s", sim_read_text(of, "region"));
	config->region_known = is_one_of(config->region, regions, ARRAY_SIZE(regions), false);
	read_rates(of, config);
	read_range(of, config);
	read_net_ids(of, config);
	read_ranges(of, config);
	config->max_eirp_dbm = sim_read_number(of, "max_eirp");
	config->no_duty_cycle = sim_read_bool(of, "nodc");
	sim_read_bool(of, "nocca");
	sim_read_bool(of, "nodwell");
	json_object_foreach(of->object, name, value)
	{
		config->warnings += !is_one_of(name, known_members, ARRAY_SIZE(known_members), false);
	}
	read_hardware(of, config);
}
