/* The simulated Basics Station: how it finds its server and comes back, what it says and how that is read by the bridge's parser (which
 * shares no code with it), what it does with each message of a server, and which downlinks it drops without a word. Every `down`
 * sample of tests/vectors/gateway-samples is said to a running station. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/text/region_yaml.h"
#include "gateway-bridge/basics_station.h"
#include "simulator/station.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define EUI     UINT64_C(0xb827ebfffe123456)
#define SAMPLES "tests/vectors/gateway-samples/basicstation.json"
#define CONFIG_HEAD                                                                            \
	"\"msgtype\":\"router_config\",\"NetID\":null,\"hwspec\":\"sx1301/1\",\"freq_range\":" \
	"[863000000,870000000],\"DRs\":[[12,125,0],[11,125,0],[10,125,0],[9,125,0],[8,125,0]," \
	"[7,125,0],[7,250,0],[0,0,0]]"
#define CONFIG_RADIOS                                                                                 \
	"\"sx1301_conf\":[{\"radio_0\":{\"enable\":true,\"freq\":867500000},\"radio_1\":{\"enable\":" \
	"true,\"freq\":868500000},\"chan_multiSF_0\":{\"enable\":true,\"radio\":1,\"if\":-400000},"   \
	"\"chan_multiSF_1\":{\"enable\":true,\"radio\":1,\"if\":-200000},\"chan_Lora_std\":{"         \
	"\"enable\":true,\"radio\":1,\"if\":-200000,\"bandwidth\":250000,\"spread_factor\":7}}]"
#define CONFIG_EU868 "{" CONFIG_HEAD ",\"region\":\"EU868\",\"nodc\":true,\"JoinEui\":null," CONFIG_RADIOS "}"

static struct sim_station station;
static struct sim_station_act act;

static void begin(bool gps)
{
	struct sim_station_options options = {.eui = lw_eui64_from_number(EUI),
					      .tc_uri = "ws://lns:3001",
					      .gps = gps,
					      .start = {INT64_C(1790000000000000)}};
	sim_station_init(&station, &options, 7);
}

static void say(int64_t now_us, const char *text)
{
	sim_station_receive(&station, now_us, text, strlen(text));
}

/* Takes what it does next; "" for nothing. */
static const char *next(enum sim_station_act_kind kind)
{
	act.text[0] = 0;
	return sim_station_take(&station, &act) && act.kind == kind ? act.text : "";
}

/* Through discovery to its version and a configuration. */
static void run(bool gps, const char *config)
{
	begin(gps);
	sim_station_tick(&station, 0);
	t_str("asks", "ws://lns:3001/router-info", next(SIM_STATION_OPEN));
	sim_station_opened(&station, 1000);
	t_str("says who it is", "{\"router\":\"b827:ebff:fe12:3456\"}", next(SIM_STATION_SAY));
	say(2000, "{\"router\":\"::1\",\"uri\":\"ws://lns:3001/gateway/1\"}");
	next(SIM_STATION_SHUT);
	t_str("goes where it is told", "ws://lns:3001/gateway/1", next(SIM_STATION_OPEN));
	sim_station_opened(&station, 3000);
	t_true("its version", strstr(next(SIM_STATION_SAY), "\"version\"") != NULL);
	say(4000, config);
}

/* --- connecting --- */

static void it_comes_back(void **state)
{
	(void)state;
	static const int64_t discovery_s[] = {0, 10, 20, 30, 40, 50, 60, 60};
	static const int64_t muxs_s[] = {1, 2, 4, 8, 16};
	int64_t now = 0;
	begin(false);
	t_row("discovery is tried again after 0, 10, 20 and up to 60 s");
	sim_station_tick(&station, 0);
	for (size_t i = 0; i < ARRAY_SIZE(discovery_s); i++) {
		t_str("asks", "ws://lns:3001/router-info", next(SIM_STATION_OPEN));
		sim_station_closed(&station, now);
		t_int("waits", discovery_s[i] * US_PER_S, sim_station_next_us(&station) - now);
		now = sim_station_next_us(&station);
		sim_station_tick(&station, now);
	}
	t_row("a lost session is tried again after 1, 2, 4, 8, 16 s, then discovery");
	run(false, CONFIG_EU868);
	t_str("state", "running", sim_station_state_name(station.state));
	now = 5000;
	sim_station_closed(&station, now);
	for (size_t i = 0; i < ARRAY_SIZE(muxs_s); i++) {
		t_int("waits", muxs_s[i] * US_PER_S, sim_station_next_us(&station) - now);
		now = sim_station_next_us(&station);
		sim_station_tick(&station, now);
		t_str("the same uri", "ws://lns:3001/gateway/1", next(SIM_STATION_OPEN));
		sim_station_closed(&station, now);
	}
	t_int("discovery at once", now, sim_station_next_us(&station));
	sim_station_tick(&station, now);
	t_str("asks", "ws://lns:3001/router-info", next(SIM_STATION_OPEN));
	t_row("an answer that does not come within 60 s ends the connection");
	sim_station_opened(&station, now);
	next(SIM_STATION_SAY);
	sim_station_tick(&station, now + SIM_STATION_SETUP_US);
	next(SIM_STATION_SHUT);
	t_int("closes", SIM_STATION_SHUT, act.kind);
	t_row("an error of discovery is counted, and closes");
	run(false, CONFIG_EU868);
	begin(false);
	sim_station_tick(&station, 0);
	sim_station_opened(&station, 0);
	say(1, "{\"router\":\"::1\",\"error\":\"not provisioned\"}");
	t_uint("refused", 1, station.counters.discovery_refused);
	t_str("state", "resting", sim_station_state_name(station.state));
}

static void each_connection_is_a_session(void **state)
{
	(void)state;
	t_row("xtime's session differs after a reconnect, and old xtimes are stale");
	run(false, CONFIG_EU868);
	int64_t before = sim_station_xtime(&station, 10 * US_PER_S);
	t_true("a session", before >> 48 != 0);
	sim_station_closed(&station, 5000);
	sim_station_tick(&station, sim_station_next_us(&station));
	sim_station_opened(&station, 2 * US_PER_S);
	say(2 * US_PER_S, CONFIG_EU868);
	t_true("another", sim_station_xtime(&station, 10 * US_PER_S) >> 48 != before >> 48);
	char text[300];
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"dnmsg\",\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":0,\"diid\":1,\"pdu\":"
		 "\"60\","
		 "\"RX1DR\":5,\"RX1Freq\":868100000,\"xtime\":%lld}",
		 (long long)before);
	say(3 * US_PER_S, text);
	t_uint("stale", 1, station.counters.dropped[SIM_STATION_DROP_STALE]);
}

/* --- what it says --- */

static struct gb_json *json;
static struct lw_region eu868;

static void frames_are_cut_as_the_bridge_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *name, *phy;
		uint32_t freq_hz;
		uint8_t spreading_factor;
		bool forwarded;
	} rows[] = {
		{"join-request", "000807060504030201181716151413121100013e9afd0102", 868100000, 7, false},
		{"join-request of 23 bytes", "0008070605040302011817161514131211013e9afd0102", 868100000, 7,
		 true},
		{"data with FOpts, FPort and payload", "4004030201820700020a0b0105060708090a0b0c", 868300000,
		 12, true},
		{"data without FPort", "400403020100070005060708", 868100000, 9, true},
		{"FPort 0 and no payload", "40040302010007000005060708", 868100000, 9, true},
		{"confirmed, highest bits set", "80fffffffe80ffff01aa85f6f7f8", 868100000, 10, true},
		{"proprietary", "e0112233", 868100000, 7, true},
		{"a downlink overheard", "600403020100070005060708", 868100000, 7, false},
		{"FOpts longer than the frame", "40040302010f070005060708", 868100000, 7, false},
		{"a channel that it does not have", "400403020100070005060708", 868700000, 7, false},
		{"a rate that it does not have", "400403020100070005060708", 868100000, 6, false},
	};
	run(false, CONFIG_EU868);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_station_message message = {0};
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		size_t length = 0;
		t_row(rows[i].name);
		ASSERT(hex_decode(phy, sizeof phy, &length, rows[i].phy, strlen(rows[i].phy)));
		struct sim_station_heard heard = {.end_us = 9 * US_PER_S,
						  .freq_hz = rows[i].freq_hz,
						  .spreading_factor = rows[i].spreading_factor,
						  .bandwidth_hz = 125000,
						  .rssi_dbm = -101,
						  .snr_cdb = -775,
						  .phy = phy,
						  .length = length};
		bool went = sim_station_hear(&station, 9 * US_PER_S, &heard);
		const char *text = next(SIM_STATION_SAY);
		t_int("forwarded", rows[i].forwarded, went);
		t_int("a text", rows[i].forwarded, text[0] != 0);
		if (!rows[i].forwarded || text[0] == 0)
			continue;
		t_str("read by the bridge", "accepted",
		      gb_verdict_name(gb_station_parse(json, text, strlen(text), &eu868, &message)));
		t_bytes("frame", phy, length, message.frame.phy, message.frame.phy_length);
		t_int("xtime", sim_station_xtime(&station, 9 * US_PER_S), message.frame.xtime);
		t_uint("frequency", rows[i].freq_hz, message.frame.freq_hz);
		t_uint("rate", 12u - rows[i].spreading_factor, message.frame.dr);
		t_int("rssi", -101, message.frame.rssi_dbm);
		t_int("snr", -775, message.frame.snr_cdb);
	}
}

static void filters_hold(void **state)
{
	(void)state;
	static const struct {
		const char *name, *members, *phy;
		bool forwarded;
		const char *spelling;
	} rows[] = {
		{"JoinEUI in its range",
		 "\"JoinEui\":[[\"01-02-03-04-05-06-07-00\",\"01-02-03-04-05-06-07-08\"]]",
		 "0008070605040302011817161514131211013e9afd0102", true, "\"JoinEui\""},
		{"JoinEUI beyond it", "\"JoinEui\":[[1,2]]", "0008070605040302011817161514131211013e9afd0102",
		 false, NULL},
		{"the spelling is the configuration's", "\"JoinEUI\":null",
		 "0008070605040302011817161514131211013e9afd0102", true, "\"JoinEUI\""},
		{"NetID of the address", "\"NetID\":[19]", "4000000026000700010506070809", true, NULL},
		{"another NetID", "\"NetID\":[18]", "4000000026000700010506070809", false, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char config[2000];
		uint8_t phy[32];
		size_t length = 0;
		t_row(rows[i].name);
		snprintf(
			config, sizeof config, "{%s,\"region\":\"EU868\",%s," CONFIG_RADIOS "}",
			strstr(rows[i].members, "NetID")
				? "\"msgtype\":\"router_config\",\"hwspec\":\"sx1301/1\",\"DRs\":[[12,125,0]]"
				: CONFIG_HEAD,
			rows[i].members);
		run(false, config);
		ASSERT(hex_decode(phy, sizeof phy, &length, rows[i].phy, strlen(rows[i].phy)));
		struct sim_station_heard heard = {.freq_hz = 868100000,
						  .spreading_factor = 12,
						  .bandwidth_hz = 125000,
						  .phy = phy,
						  .length = length};
		t_int("forwarded", rows[i].forwarded, sim_station_hear(&station, 9 * US_PER_S, &heard));
		const char *text = next(SIM_STATION_SAY);
		if (rows[i].spelling)
			t_true("spelling", strstr(text, rows[i].spelling) != NULL);
	}
}

/* --- what it is told --- */

static void configurations_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name, *config, *state;
		bool downlinks;
		unsigned warnings;
	} rows[] = {
		{"a good one", CONFIG_EU868, "running", true, 0},
		{"a region that 2.0.6 does not know",
		 "{" CONFIG_HEAD ",\"region\":\"IN865\"," CONFIG_RADIOS "}", "running", false, 0},
		{"members that it only warns about",
		 "{" CONFIG_HEAD ",\"region\":\"EU868\",\"regionid\":1,\"protocol\":1," CONFIG_RADIOS "}",
		 "running", true, 2},
		{"no hwspec", "{\"msgtype\":\"router_config\",\"DRs\":[[12,125,0]]," CONFIG_RADIOS "}",
		 "resting", false, 0},
		{"no radios", "{" CONFIG_HEAD ",\"region\":\"EU868\"}", "resting", false, 0},
		{"more units than radios",
		 "{\"msgtype\":\"router_config\",\"hwspec\":\"sx1301/2\",\"DRs\":[[12,125,0]]," CONFIG_RADIOS
		 "}",
		 "resting", false, 0},
		{"a channel beyond its radio's band",
		 "{" CONFIG_HEAD ",\"sx1301_conf\":[{\"radio_0\":{\"enable\":true,\"freq\":867500000},"
		 "\"chan_multiSF_0\":{\"enable\":true,\"radio\":0,\"if\":400001}}]}",
		 "resting", false, 0},
		{"a channel on a radio that is off",
		 "{" CONFIG_HEAD ",\"sx1301_conf\":[{\"radio_0\":{\"enable\":true,\"freq\":867500000},"
		 "\"chan_multiSF_0\":{\"enable\":true,\"radio\":1,\"if\":0}}]}",
		 "resting", false, 0},
		{"a member of a channel that nobody knows",
		 "{" CONFIG_HEAD ",\"sx1301_conf\":[{\"radio_0\":{\"enable\":true,\"freq\":867500000},"
		 "\"chan_multiSF_0\":{\"enable\":true,\"radio\":0,\"if\":0,\"colour\":1}}]}",
		 "resting", false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		run(false, rows[i].config);
		t_str("state", rows[i].state, sim_station_state_name(station.state));
		t_uint("warnings", rows[i].warnings, station.counters.warnings);
		say(5000, "{\"msgtype\":\"dnmsg\",\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":2,\"diid\":1,"
			  "\"pdu\":\"60\",\"RX2DR\":0,\"RX2Freq\":869525000}");
		t_int("takes downlinks", rows[i].downlinks, station.job_count == 1);
	}
}

/* Says every sample for a station's ears to one that runs. */
static void samples_are_taken_or_refused_by_name(void **state)
{
	(void)state;
	json_t *samples = json_load_file(SAMPLES, 0, NULL), *sample;
	size_t i;
	unsigned valid = 0, refused = 0;
	json_array_foreach(samples, i, sample)
	{
		const char *text = json_string_value(json_object_get(sample, "text"));
		if (strcmp(json_string_value(json_object_get(sample, "kind")), "down") != 0)
			continue;
		bool good = json_is_true(json_object_get(sample, "valid"));
		t_row(json_string_value(json_object_get(sample, "name")));
		run(false, CONFIG_EU868);
		bool is_config = strstr(text, "router_config") != NULL;
		uint64_t before = station.counters.refused[SIM_STATION_OK];
		say(5000, text);
		t_uint("taken", good, station.counters.refused[SIM_STATION_OK] - before);
		t_str("the connection", !good && is_config ? "resting" : "running",
		      sim_station_state_name(station.state));
		valid += good;
		refused += !good;
	}
	t_row("samples");
	t_uint("valid", 13, valid);
	t_uint("refused", 8, refused);
	json_decref(samples);
}

static void commands_do_nothing_unless_allowed(void **state)
{
	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		t_row(allowed ? "allowed" : "not allowed");
		run(false, CONFIG_EU868);
		station.options.allows_commands = allowed != 0;
		say(5000, "{\"msgtype\":\"runcmd\",\"command\":\"sleep\",\"arguments\":[\"1\"]}");
		say(5000, "{\"msgtype\":\"rmtsh\",\"user\":\"root\",\"term\":\"vt100\",\"start\":0}");
		t_uint("refused", allowed ? 0 : 2, station.counters.commands_refused);
		t_uint("run", allowed ? 2 : 0, station.counters.commands_run);
	}
}

static void the_time_comes_both_ways(void **state)
{
	(void)state;
	char text[200];
	t_row("a question that is answered: half of the way there and back");
	run(true, CONFIG_EU868);
	sim_station_tick(&station, 10 * US_PER_S);
	t_str("asks", "{\"msgtype\":\"timesync\",\"txtime\":10000000}", next(SIM_STATION_SAY));
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"timesync\",\"txtime\":10000000,\"gpstime\":1400000000000000}");
	say(10 * US_PER_S + 40000, text);
	t_true("knows it", station.has_gps_offset);
	t_int("GPS time", 1400000000000000, 10 * US_PER_S + 20000 + station.gps_offset_us);
	t_row("a pushed pair of this session");
	run(false, CONFIG_EU868);
	snprintf(text, sizeof text, "{\"msgtype\":\"timesync\",\"xtime\":%lld,\"gpstime\":1400000000000000}",
		 (long long)sim_station_xtime(&station, 7 * US_PER_S));
	say(8 * US_PER_S, text);
	t_int("GPS time", 1400000000000000, 7 * US_PER_S + station.gps_offset_us);
	t_row("a pushed pair of another session is not believed");
	run(false, CONFIG_EU868);
	say(8 * US_PER_S, "{\"msgtype\":\"timesync\",\"xtime\":7000000,\"gpstime\":1400000000000000}");
	t_false("knows it", station.has_gps_offset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(it_comes_back),
					   t_test(each_connection_is_a_session),
					   t_test(frames_are_cut_as_the_bridge_reads_them),
					   t_test(filters_hold),
					   t_test(configurations_are_judged),
					   t_test(samples_are_taken_or_refused_by_name),
					   t_test(commands_do_nothing_unless_allowed),
					   t_test(the_time_comes_both_ways)};
	json = gb_json_new();
	ASSERT(json != NULL && region_load(&eu868, "eu868"));
	int code = t_run(tests);
	gb_json_free(json);
	return code;
}
