#include "simulator/station_down.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "simulator/station_read.h"

#include <stdio.h>
#include <string.h>

static const char *const names[SIM_STATION_VERDICT_COUNT] = {
	"ok",        "not_json",    "unknown",   "missing",       "wrong_type", "out_of_range",
	"bad_hex",   "half_window", "no_window", "bad_frequency", "bad_rate",   "bad_hwspec",
	"bad_radio", "bad_member",  "bad_uri",   "bad_length"};

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

/* --- dnmsg --- */

static void read_pdu(struct sim_read *of, struct sim_station_dnmsg *dnmsg)
{
	size_t length = 0;
	const char *text = sim_read_text(of, "pdu");
	if (of->verdict != SIM_STATION_OK)
		return;
	if (!hex_decode(dnmsg->phy, sizeof dnmsg->phy, &length, text, strlen(text)) || length == 0)
		sim_read_fail(of, SIM_STATION_BAD_HEX);
	dnmsg->phy_length = (uint8_t)length;
}

static void read_window(struct sim_read *of, const char *dr_name, const char *freq_name,
			struct sim_station_window *window)
{
	if (sim_read_has(of, dr_name) != sim_read_has(of, freq_name))
		sim_read_fail(of, SIM_STATION_HALF_WINDOW);
	if (of->verdict != SIM_STATION_OK || !sim_read_has(of, dr_name))
		return;
	int64_t dr = sim_read_int(of, dr_name, true, 0, SIM_STATION_RATES - 1);
	int64_t freq_hz = sim_read_int(of, freq_name, true, 0, UINT32_MAX);
	if (of->verdict != SIM_STATION_OK)
		return;
	if (freq_hz < of->config->freq_min_hz || freq_hz > of->config->freq_max_hz)
		sim_read_fail(of, SIM_STATION_BAD_FREQUENCY);
	else if (of->config->rates[dr].spreading_factor < 0)
		sim_read_fail(of, SIM_STATION_BAD_RATE);
	*window = (struct sim_station_window){true, (uint8_t)dr, (uint32_t)freq_hz};
}

/* What dnmsg and the entries of dnsched share. */
static void read_common(struct sim_read *of, struct sim_station_dnmsg *dnmsg)
{
	read_pdu(of, dnmsg);
	dnmsg->priority = (uint8_t)sim_read_int(of, "priority", false, 0, 255);
	dnmsg->rctx = sim_read_int(of, "rctx", false, INT64_MIN, INT64_MAX);
	dnmsg->add_crc = sim_read_has(of, "addcrc") && !json_is_false(sim_read_member(of, "addcrc")) &&
			 (!json_is_integer(sim_read_member(of, "addcrc")) ||
			  sim_read_int(of, "addcrc", false, 0, 1) != 0);
	sim_read_int(of, "preamble", false, 6, 65535);
}

static void read_dnmsg(struct sim_read *of, struct sim_station_down *down)
{
	struct sim_station_dnmsg *dnmsg = &down->dnmsg;
	down->kind = SIM_STATION_DNMSG;
	sim_read_eui(of, "DevEui", &dnmsg->dev_eui);
	dnmsg->device_class = (uint8_t)sim_read_int(of, "dC", true, 0, 2);
	dnmsg->diid = sim_read_int(of, sim_read_has(of, "diid") ? "diid" : "seqno", true, INT64_MIN,
				   INT64_MAX);
	read_common(of, dnmsg);
	dnmsg->xtime = sim_read_int(of, "xtime", dnmsg->device_class == 0, 0, INT64_MAX);
	dnmsg->rx_delay_s = (uint8_t)sim_read_int(of, "RxDelay", false, 0, 15);
	if (dnmsg->rx_delay_s == 0)
		dnmsg->rx_delay_s = 1;
	if (dnmsg->device_class == 1) {
		read_window(of, "DR", "Freq", &dnmsg->rx1);
		dnmsg->gps_time_us = sim_read_int(of, "gpstime", true, 1, INT64_MAX);
	} else {
		read_window(of, "RX1DR", "RX1Freq", &dnmsg->rx1);
		read_window(of, "RX2DR", "RX2Freq", &dnmsg->rx2);
	}
	bool has = dnmsg->device_class == 2 ? dnmsg->rx2.open : dnmsg->rx1.open || dnmsg->rx2.open;
	if (of->verdict == SIM_STATION_OK && !has)
		sim_read_fail(of, SIM_STATION_NO_WINDOW);
}

static void read_scheduled(struct sim_read *of, struct sim_station_dnmsg *dnmsg)
{
	dnmsg->scheduled = true;
	dnmsg->diid = sim_read_int(of, "diid", false, INT64_MIN, INT64_MAX);
	read_common(of, dnmsg);
	read_window(of, "DR", "Freq", &dnmsg->rx1);
	if (!dnmsg->rx1.open)
		sim_read_fail(of, SIM_STATION_NO_WINDOW);
	dnmsg->xtime = sim_read_int(of, "xtime", false, 0, INT64_MAX);
	dnmsg->gps_time_us = sim_read_int(of, "gpstime", false, 1, INT64_MAX);
	dnmsg->on_time_s = sim_read_number(of, "ontime");
	if (!sim_read_has(of, "gpstime") && !sim_read_has(of, "ontime") && !sim_read_has(of, "xtime"))
		sim_read_fail(of, SIM_STATION_MISSING);
}

/* One bad entry drops the message. */
static void read_dnsched(struct sim_read *of, struct sim_station_down *down)
{
	json_t *schedule = sim_read_member(of, "schedule"), *entry;
	size_t i;
	down->kind = SIM_STATION_DNSCHED;
	if (!schedule || !json_is_array(schedule)) {
		sim_read_fail(of, schedule ? SIM_STATION_WRONG_TYPE : SIM_STATION_MISSING);
		return;
	}
	if (json_array_size(schedule) > SIM_STATION_SCHEDULE)
		sim_read_fail(of, SIM_STATION_OUT_OF_RANGE);
	json_array_foreach(schedule, i, entry)
	{
		struct sim_read one = {entry, of->config, of->verdict};
		if (!json_is_object(entry))
			sim_read_fail(&one, SIM_STATION_WRONG_TYPE);
		if (one.verdict == SIM_STATION_OK)
			read_scheduled(&one, &down->schedule[i]);
		sim_read_fail(of, one.verdict);
	}
	down->scheduled = (uint8_t)(of->verdict == SIM_STATION_OK ? json_array_size(schedule) : 0);
}

/* --- all else --- */

static void read_timesync(struct sim_read *of, struct sim_station_down *down)
{
	down->kind = SIM_STATION_TIMESYNC;
	json_t *txtime = sim_read_member(of, "txtime");
	if (txtime && !json_is_number(txtime))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
	down->txtime = json_number_value(txtime);
	down->gps_time_us = sim_read_int(of, "gpstime", true, 1, INT64_MAX);
	down->xtime = sim_read_int(of, "xtime", txtime == NULL, 0, INT64_MAX);
}

static void read_into(struct sim_read *of, const char *name, struct sim_station_down *down)
{
	snprintf(down->command, sizeof down->command, "%s", sim_read_text(of, name));
}

static void read_runcmd(struct sim_read *of, struct sim_station_down *down)
{
	json_t *arguments = sim_read_member(of, "arguments");
	down->kind = SIM_STATION_RUNCMD;
	read_into(of, "command", down);
	if (arguments && !json_is_array(arguments))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
}

static void read_rmtsh(struct sim_read *of, struct sim_station_down *down)
{
	down->kind = SIM_STATION_RMTSH;
	read_into(of, "user", down);
}

static void read_getxtime(struct sim_read *of, struct sim_station_down *down)
{
	(void)of;
	down->kind = SIM_STATION_GETXTIME;
}

static void read_error(struct sim_read *of, struct sim_station_down *down)
{
	down->kind = SIM_STATION_ERROR;
	read_into(of, "error", down);
}

static const struct {
	const char *msgtype;
	void (*read)(struct sim_read *of, struct sim_station_down *down);
} kinds[] = {
	{"dnmsg", read_dnmsg},       {"dnsched", read_dnsched}, {"router_config", sim_read_config},
	{"timesync", read_timesync}, {"runcmd", read_runcmd},   {"rmtsh", read_rmtsh},
	{"getxtime", read_getxtime}, {"error", read_error},
};

enum sim_station_verdict sim_station_parse(const char *text, size_t length,
					   const struct sim_station_config *config,
					   struct sim_station_down *down)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	struct sim_read of = {object, config, json_is_object(object) ? SIM_STATION_OK : SIM_STATION_NOT_JSON};
	*down = (struct sim_station_down){0};
	const char *msgtype = of.verdict == SIM_STATION_OK ? sim_read_text(&of, "msgtype") : "";
	size_t i = 0;
	while (of.verdict == SIM_STATION_OK && i < ARRAY_SIZE(kinds) &&
	       strcmp(msgtype, kinds[i].msgtype) != 0)
		i++;
	if (of.verdict == SIM_STATION_OK && i == ARRAY_SIZE(kinds))
		sim_read_fail(&of, SIM_STATION_UNKNOWN);
	if (of.verdict == SIM_STATION_OK)
		kinds[i].read(&of, down);
	if (of.verdict == SIM_STATION_OK)
		down->mux_time_s = sim_read_number(&of, "MuxTime");
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
	struct sim_read of = {object, NULL, json_is_object(object) ? SIM_STATION_OK : SIM_STATION_NOT_JSON};
	uri[0] = 0;
	if (of.verdict == SIM_STATION_OK && !sim_read_has(&of, "error")) {
		const char *said = sim_read_text(&of, "uri");
		if (of.verdict == SIM_STATION_OK && !uri_ok(said))
			sim_read_fail(&of, SIM_STATION_BAD_URI);
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
