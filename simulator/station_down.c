#include "simulator/station_down.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const names[SIM_STATION_VERDICT_COUNT] = {
	"ok",          "not_json",  "unknown",       "missing",  "wrong_type", "out_of_range", "bad_hex",
	"half_window", "no_window", "bad_frequency", "bad_rate", "bad_uri",    "bad_length"};

const char *sim_station_verdict_name(enum sim_station_verdict verdict)
{
	return verdict < SIM_STATION_VERDICT_COUNT ? names[verdict] : "unknown";
}

void sim_station_config_default(struct sim_station_config *config)
{
	*config = (struct sim_station_config){
		.region = "EU868", .freq_min_hz = 863000000, .freq_max_hz = 870000000};
	for (uint8_t dr = 0; dr < SIM_STATION_RATES; dr++)
		config->rates[dr] = (struct sim_station_rate){dr < 6 ? (int8_t)(12 - dr)
								     : (int8_t)(dr == 6   ? 7
										: dr == 7 ? 0
											  : -1),
							      dr == 6 ? 250 : 125, false};
}

/* --- members: the first thing that is wrong stays --- */

struct reading {
	json_t *object;
	const struct sim_station_config *config;
	enum sim_station_verdict verdict;
};

static void fail(struct reading *of, enum sim_station_verdict verdict)
{
	if (of->verdict == SIM_STATION_OK)
		of->verdict = verdict;
}

/* Null counts as absent. */
static json_t *member(const struct reading *of, const char *name)
{
	json_t *value = json_object_get(of->object, name);
	return json_is_null(value) ? NULL : value;
}

static bool is_there(const struct reading *of, const char *name)
{
	return member(of, name) != NULL;
}

static int64_t integer(struct reading *of, const char *name, bool needed, int64_t min, int64_t max)
{
	json_t *value = member(of, name);
	if (!value) {
		if (needed)
			fail(of, SIM_STATION_MISSING);
		return 0;
	}
	if (!json_is_integer(value)) {
		fail(of, SIM_STATION_WRONG_TYPE);
		return 0;
	}
	if (json_integer_value(value) < min || json_integer_value(value) > max) {
		fail(of, SIM_STATION_OUT_OF_RANGE);
		return 0;
	}
	return (int64_t)json_integer_value(value);
}

static const char *text_of(struct reading *of, const char *name)
{
	json_t *value = member(of, name);
	if (!value)
		fail(of, SIM_STATION_MISSING);
	else if (!json_is_string(value))
		fail(of, SIM_STATION_WRONG_TYPE);
	return json_is_string(value) ? json_string_value(value) : "";
}

/* --- dnmsg --- */

static void read_pdu(struct reading *of, struct sim_station_dnmsg *dnmsg)
{
	size_t length = 0;
	const char *text = text_of(of, "pdu");
	if (of->verdict != SIM_STATION_OK)
		return;
	if (!hex_decode(dnmsg->phy, sizeof dnmsg->phy, &length, text, strlen(text)) || length == 0)
		fail(of, SIM_STATION_BAD_HEX);
	dnmsg->phy_length = (uint8_t)length;
}

static void read_window(struct reading *of, const char *dr_name, const char *freq_name,
			struct sim_station_window *window)
{
	if (is_there(of, dr_name) != is_there(of, freq_name))
		fail(of, SIM_STATION_HALF_WINDOW);
	if (of->verdict != SIM_STATION_OK || !is_there(of, dr_name))
		return;
	int64_t dr = integer(of, dr_name, true, 0, SIM_STATION_RATES - 1);
	int64_t freq_hz = integer(of, freq_name, true, 0, UINT32_MAX);
	if (of->verdict != SIM_STATION_OK)
		return;
	if (freq_hz < of->config->freq_min_hz || freq_hz > of->config->freq_max_hz)
		fail(of, SIM_STATION_BAD_FREQUENCY);
	else if (of->config->rates[dr].spreading_factor < 0)
		fail(of, SIM_STATION_BAD_RATE);
	*window = (struct sim_station_window){true, (uint8_t)dr, (uint32_t)freq_hz};
}

static void read_dev_eui(struct reading *of, struct sim_station_dnmsg *dnmsg)
{
	const char *text = text_of(of, "DevEui");
	char digits[17];
	if (of->verdict != SIM_STATION_OK)
		return;
	size_t at = 0;
	for (size_t i = 0; text[i] != 0 && at < 16; i++)
		if (i % 3 != 2)
			digits[at++] = text[i];
		else if (text[i] != '-')
			break;
	digits[at] = 0;
	if (strlen(text) != 23 || !hex_decode_exact(dnmsg->dev_eui.bytes, 8, digits))
		fail(of, SIM_STATION_BAD_HEX);
}

static void read_dnmsg(struct reading *of, struct sim_station_down *down)
{
	struct sim_station_dnmsg *dnmsg = &down->dnmsg;
	down->kind = SIM_STATION_DNMSG;
	read_dev_eui(of, dnmsg);
	dnmsg->device_class = (uint8_t)integer(of, "dC", true, 0, 2);
	dnmsg->diid = integer(of, "diid", true, INT64_MIN, INT64_MAX);
	read_pdu(of, dnmsg);
	dnmsg->rctx = integer(of, "rctx", false, INT64_MIN, INT64_MAX);
	dnmsg->xtime = integer(of, "xtime", dnmsg->device_class == 0, 0, INT64_MAX);
	dnmsg->rx_delay_s = (uint8_t)integer(of, "RxDelay", false, 0, 15);
	if (dnmsg->rx_delay_s == 0)
		dnmsg->rx_delay_s = 1;
	if (dnmsg->device_class == 1) {
		read_window(of, "DR", "Freq", &dnmsg->rx1);
		dnmsg->gps_time_us = integer(of, "gpstime", true, 1, INT64_MAX);
	} else {
		read_window(of, "RX1DR", "RX1Freq", &dnmsg->rx1);
		read_window(of, "RX2DR", "RX2Freq", &dnmsg->rx2);
	}
	bool has = dnmsg->device_class == 2 ? dnmsg->rx2.open : dnmsg->rx1.open || dnmsg->rx2.open;
	if (of->verdict == SIM_STATION_OK && !has)
		fail(of, SIM_STATION_NO_WINDOW);
}

static void read_dnsched(struct reading *of, struct sim_station_down *down)
{
	json_t *schedule = member(of, "schedule"), *entry;
	size_t i;
	down->kind = SIM_STATION_DNSCHED;
	if (!schedule || !json_is_array(schedule)) {
		fail(of, schedule ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
		return;
	}
	json_array_foreach(schedule, i, entry)
	{
		struct reading one = {entry, of->config, SIM_STATION_OK};
		struct sim_station_window window = {0};
		if (!json_is_object(entry)) {
			fail(of, SIM_STATION_WRONG_TYPE);
			return;
		}
		read_pdu(&one, &down->dnmsg);
		read_window(&one, "DR", "Freq", &window);
		if (!window.open)
			fail(&one, SIM_STATION_NO_WINDOW);
		if (!is_there(&one, "gpstime") && !is_there(&one, "ontime") && !is_there(&one, "xtime"))
			fail(&one, SIM_STATION_MISSING);
		fail(of, one.verdict);
	}
}

/* --- router_config --- */

static void read_rates(struct reading *of, struct sim_station_config *config)
{
	json_t *rates = member(of, "DRs"), *rate;
	size_t i;
	if (!rates || !json_is_array(rates) || json_array_size(rates) > SIM_STATION_RATES) {
		fail(of, rates ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
		return;
	}
	for (i = 0; i < SIM_STATION_RATES; i++)
		config->rates[i].spreading_factor = -1;
	json_array_foreach(rates, i, rate)
	{
		json_int_t factor = json_integer_value(json_array_get(rate, 0));
		if (json_array_size(rate) != 3 || !json_is_integer(json_array_get(rate, 0)) ||
		    !json_is_integer(json_array_get(rate, 1)) || !json_is_integer(json_array_get(rate, 2))) {
			fail(of, SIM_STATION_WRONG_TYPE);
			return;
		}
		if (factor != -1 && factor != 0 && (factor < 5 || factor > 12)) {
			fail(of, SIM_STATION_BAD_RATE);
			return;
		}
		config->rates[i] = (struct sim_station_rate){
			(int8_t)factor, (uint16_t)json_integer_value(json_array_get(rate, 1)),
			json_integer_value(json_array_get(rate, 2)) != 0};
	}
}

static bool enabled(const json_t *object)
{
	return json_is_true(json_object_get(object, "enable"));
}

/* The first unit's radios and the channels that hang on them. */
static void read_radios(struct reading *of, const json_t *unit, struct sim_station_config *config)
{
	int64_t centres[2];
	for (int i = 0; i < 2; i++) {
		char name[24];
		snprintf(name, sizeof name, "radio_%d", i);
		json_t *radio = json_object_get(unit, name);
		centres[i] = enabled(radio) ? (int64_t)json_integer_value(json_object_get(radio, "freq")) : 0;
	}
	for (int i = 0; i < SIM_STATION_CHANNELS; i++) {
		char name[32];
		snprintf(name, sizeof name, "chan_multiSF_%d", i);
		json_t *channel = json_object_get(unit, i < 8 ? name : i == 8 ? "chan_Lora_std" : "chan_FSK");
		if (!enabled(channel))
			continue;
		json_int_t radio = json_integer_value(json_object_get(channel, "radio"));
		if (radio < 0 || radio > 1 || centres[radio] == 0) {
			if (i < 9) /* an FSK channel with `enable` alone is seen in the field */
				fail(of, SIM_STATION_OUT_OF_RANGE);
			continue;
		}
		int64_t offset = (int64_t)json_integer_value(json_object_get(channel, "if"));
		config->channels_hz[i] = (uint32_t)(centres[radio] + offset);
	}
}

static void read_config(struct reading *of, struct sim_station_down *down)
{
	static const char *const radio_names[] = {"sx1301_conf", "SX1301_conf", "sx1302_conf", "SX1302_conf",
						  "radio_conf"};
	struct sim_station_config *config = &down->config;
	down->kind = SIM_STATION_ROUTER_CONFIG;
	sim_station_config_default(config);
	snprintf(config->hwspec, sizeof config->hwspec, "%s", text_of(of, "hwspec"));
	if (is_there(of, "region"))
		snprintf(config->region, sizeof config->region, "%s", text_of(of, "region"));
	read_rates(of, config);
	json_t *range = member(of, "freq_range");
	if (range) {
		json_int_t low = json_integer_value(json_array_get(range, 0)),
			   high = json_integer_value(json_array_get(range, 1));
		if (json_array_size(range) != 2 || low < 1 || high < low || high > UINT32_MAX)
			fail(of, SIM_STATION_OUT_OF_RANGE);
		config->freq_min_hz = (uint32_t)low;
		config->freq_max_hz = (uint32_t)high;
	}
	json_t *radios = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(radio_names) && !radios; i++)
		radios = member(of, radio_names[i]);
	if (!json_is_array(radios) || json_array_size(radios) == 0)
		fail(of, radios ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
	else
		read_radios(of, json_array_get(radios, 0), config);
}

/* --- all else --- */

static void read_timesync(struct reading *of, struct sim_station_down *down)
{
	down->kind = SIM_STATION_TIMESYNC;
	json_t *txtime = member(of, "txtime");
	if (txtime && !json_is_number(txtime))
		fail(of, SIM_STATION_WRONG_TYPE);
	down->txtime = json_number_value(txtime);
	down->gps_time_us = integer(of, "gpstime", true, 1, INT64_MAX);
	down->xtime = integer(of, "xtime", txtime == NULL, 0, INT64_MAX);
}

static void read_nothing(struct reading *of, struct sim_station_down *down)
{
	(void)of;
	down->kind = SIM_STATION_IGNORED;
}

static const struct {
	const char *msgtype;
	void (*read)(struct reading *of, struct sim_station_down *down);
} kinds[] = {
	{"dnmsg", read_dnmsg},       {"dnsched", read_dnsched}, {"router_config", read_config},
	{"timesync", read_timesync}, {"runcmd", read_nothing},  {"rmtsh", read_nothing},
	{"getxtime", read_nothing},  {"error", read_nothing},
};

enum sim_station_verdict sim_station_parse(const char *text, size_t length,
					   const struct sim_station_config *config,
					   struct sim_station_down *down)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	struct reading of = {object, config, json_is_object(object) ? SIM_STATION_OK : SIM_STATION_NOT_JSON};
	*down = (struct sim_station_down){0};
	const char *msgtype = of.verdict == SIM_STATION_OK ? text_of(&of, "msgtype") : "";
	size_t i = 0;
	while (of.verdict == SIM_STATION_OK && i < ARRAY_SIZE(kinds) &&
	       strcmp(msgtype, kinds[i].msgtype) != 0)
		i++;
	if (of.verdict == SIM_STATION_OK && i == ARRAY_SIZE(kinds))
		fail(&of, SIM_STATION_UNKNOWN);
	if (of.verdict == SIM_STATION_OK)
		kinds[i].read(&of, down);
	json_decref(object);
	return of.verdict;
}

/* "ws[s]://host:port/path", at most 127 characters. */
static bool uri_ok(const char *uri)
{
	const char *host = strncmp(uri, "ws://", 5) == 0    ? uri + 5
			   : strncmp(uri, "wss://", 6) == 0 ? uri + 6
							    : NULL;
	if (!host || strlen(uri) > SIM_STATION_URI_MAX)
		return false;
	const char *path = strchr(host, '/'), *port = strrchr(host, ':');
	return path && port && port > host && port < path - 1 &&
	       strspn(port + 1, "0123456789") == (size_t)(path - port - 1);
}

enum sim_station_verdict sim_station_discovered(const char *text, size_t length,
						char uri[SIM_STATION_URI_MAX + 1])
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	struct reading of = {object, NULL, json_is_object(object) ? SIM_STATION_OK : SIM_STATION_NOT_JSON};
	uri[0] = 0;
	if (of.verdict == SIM_STATION_OK && !is_there(&of, "error")) {
		const char *said = text_of(&of, "uri");
		if (of.verdict == SIM_STATION_OK && !uri_ok(said))
			fail(&of, SIM_STATION_BAD_URI);
		if (of.verdict == SIM_STATION_OK)
			snprintf(uri, SIM_STATION_URI_MAX + 1, "%s", said);
	}
	json_decref(object);
	return of.verdict;
}

/* --- CUPS --- */

enum sim_station_verdict sim_cups_parse(const uint8_t *body, size_t length, struct sim_cups_answer *answer)
{
	struct rd rd = rd_init(body, length);
	struct sim_cups_answer read = {0};
	read.cups_uri_length = rd_u8(&rd);
	read.cups_uri = rd_take(&rd, read.cups_uri_length);
	read.tc_uri_length = rd_u8(&rd);
	read.tc_uri = rd_take(&rd, read.tc_uri_length);
	read.cups_credentials_length = rd_u16le(&rd);
	read.cups_credentials = rd_take(&rd, read.cups_credentials_length);
	read.tc_credentials_length = rd_u16le(&rd);
	read.tc_credentials = rd_take(&rd, read.tc_credentials_length);
	size_t signature = rd_u32le(&rd);
	if (signature != 0) {
		if (signature < 8 || signature > 132)
			return SIM_STATION_BAD_LENGTH;
		read.key_crc = rd_u32le(&rd);
		read.signature_length = signature - 4;
		read.signature = rd_take(&rd, read.signature_length);
	}
	read.update_length = rd_u32le(&rd);
	read.update = rd_take(&rd, read.update_length);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return SIM_STATION_BAD_LENGTH;
	*answer = read;
	return SIM_STATION_OK;
}
