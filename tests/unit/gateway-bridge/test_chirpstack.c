/* ChirpStack's codec: bytes written by hand, the simulated gateway's own writer and reader, and every way in which a body can be
 * wrong. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "gateway-bridge/chirpstack.h"
#include "simulator/chirpstack_gateway.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROOF UINT64_C(0x0016c001ff10a235)
#define ID   "0016c001ff10a235"

static struct arena scratch;
static const struct lw_eui64 roof = {{0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35}};

static void verdict_is(enum gb_verdict expected, enum gb_verdict got)
{
	t_str("verdict", gb_verdict_name(expected), gb_verdict_name(got));
	t_uint("scratch is given back", 0, scratch.used);
}

static size_t from_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t digits = 0, length = 0;
	char pair[3] = "";
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		pair[digits++ % 2] = *text;
		if (digits % 2)
			continue;
		unsigned value;
		assert_int_equal(1, sscanf(pair, "%2x", &value));
		assert_true(length < room);
		bytes[length++] = (uint8_t)value;
	}
	return length;
}

/* --- topics */

static void topics_name_gateway_and_kind(void **state)
{
	(void)state;
	static const struct {
		const char *name, *topic;
		enum gb_verdict verdict;
		const char *prefix;
		enum gb_chirpstack_kind kind;
	} rows[] = {
		{"an uplink", "gateway/" ID "/event/up", GB_ACCEPTED, "", GB_CHIRPSTACK_UP},
		{"with a region", "eu868/gateway/" ID "/event/up", GB_ACCEPTED, "eu868", GB_CHIRPSTACK_UP},
		{"with two levels", "city/eu868/gateway/" ID "/event/stats", GB_ACCEPTED, "city/eu868",
		 GB_CHIRPSTACK_STATS},
		{"a prefix that is called gateway", "gateway/gateway/" ID "/event/ack", GB_ACCEPTED,
		 "gateway", GB_CHIRPSTACK_ACK},
		{"the connection's state", "us915/gateway/" ID "/state/conn", GB_ACCEPTED, "us915",
		 GB_CHIRPSTACK_CONN},
		{"a kind that is not used", "gateway/" ID "/event/exec", GB_ACCEPTED, "",
		 GB_CHIRPSTACK_OTHER},
		{"a state that is not used", "gateway/" ID "/state/up", GB_ACCEPTED, "", GB_CHIRPSTACK_OTHER},
		{"an event that is a state's name", "gateway/" ID "/event/conn", GB_ACCEPTED, "",
		 GB_CHIRPSTACK_OTHER},
		{"a command, which is ours", "gateway/" ID "/command/down", GB_MQTT_TOPIC, "", 0},
		{"upper case", "gateway/0016C001FF10A235/event/up", GB_MQTT_TOPIC, "", 0},
		{"fifteen digits", "gateway/0016c001ff10a23/event/up", GB_MQTT_TOPIC, "", 0},
		{"seventeen digits", "gateway/0016c001ff10a2355/event/up", GB_MQTT_TOPIC, "", 0},
		{"no digits", "gateway//event/up", GB_MQTT_TOPIC, "", 0},
		{"a letter too many", "gateway/0016c001ff10a23g/event/up", GB_MQTT_TOPIC, "", 0},
		{"one level too few", "gateway/" ID "/event", GB_MQTT_TOPIC, "", 0},
		{"one level too many", "gateway/" ID "/event/up/more", GB_MQTT_TOPIC, "", 0},
		{"another word", "gateways/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"a word in front", "mygateway/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"a quote in the prefix", "eu\"868/gateway/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"a backslash in the prefix", "eu\\868/gateway/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"a terminal's escape in the prefix", "\033[2J/gateway/" ID "/event/up", GB_MQTT_TOPIC, "",
		 0},
		{"a space in the prefix", "eu 868/gateway/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"an umlaut in the prefix", "z\303\274rich/gateway/" ID "/event/up", GB_MQTT_TOPIC, "", 0},
		{"nothing", "", GB_MQTT_TOPIC, "", 0},
		{"a slash", "/", GB_MQTT_TOPIC, "", 0},
		{"a prefix of 39", "123456789012345678901234567890123456789/gateway/" ID "/event/up",
		 GB_ACCEPTED, "123456789012345678901234567890123456789", GB_CHIRPSTACK_UP},
		{"a prefix of 40", "1234567890123456789012345678901234567890/gateway/" ID "/event/up",
		 GB_MQTT_TOPIC, "", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_chirpstack_topic topic;
		t_row(rows[i].name);
		enum gb_verdict verdict = gb_chirpstack_topic(rows[i].topic, &topic);
		verdict_is(rows[i].verdict, verdict);
		if (verdict != GB_ACCEPTED)
			continue;
		t_str("prefix", rows[i].prefix, topic.prefix);
		t_uint("gateway", ROOF, lw_eui64_number(&topic.gateway));
		t_int("kind", rows[i].kind, topic.kind);
	}
	char topic[GB_CHIRPSTACK_TOPIC_MAX];
	gb_chirpstack_down_topic(topic, "eu868", &roof);
	t_str("command", "eu868/gateway/" ID "/command/down", topic);
	gb_chirpstack_down_topic(topic, "", &roof);
	t_str("command without prefix", "gateway/" ID "/command/down", topic);
}

/* --- bytes that were written by hand: key, length, value, one row a field */

static void bytes_by_hand_are_read(void **state)
{
	(void)state;
	uint8_t bytes[512];
	struct gb_chirpstack_uplink up;
	t_row("an uplink with all its fields");
	size_t length = from_hex("0a 04 40010203 "                                        /* phy_payload */
				 "22 12 08 a0cff89d03 12 0a 1a 08 08 c8d007 10 07 28 01 " /* tx_info */
				 "2a 60 0a 10 30303136633030316666313061323335 " /* rx_info: gateway_id */
				 "10 f8ac04 "                                    /* uplink_id 71288 */
				 "1a 0c 08 80b2a8d506 10 80cab5ee01 "            /* time: .5 s */
				 "22 0c 08 92fac1aa05 10 80cab5ee01 "            /* GPS time */
				 "2a 0b 08 92fac1aa05 10 95b6be74 "              /* fine time */
				 "30 b5ffffffffffffffff01 "                      /* rssi −75 */
				 "3d 0000f0c0 "                                  /* snr −7.5 */
				 "40 05 48 01 50 02 58 03 "                      /* channel .. antenna */
				 "6a 04 d1514c40 "                               /* context */
				 "80 01 02",                                     /* crc good */
				 bytes, sizeof bytes);
	enum gb_verdict verdict = gb_chirpstack_uplink(&scratch, bytes, length, &roof, &up);
	verdict_is(GB_ACCEPTED, verdict);
	if (verdict == GB_ACCEPTED) {
		t_bytes("payload", (const uint8_t[]){0x40, 1, 2, 3}, 4, up.rxpk.phy, up.rxpk.phy_length);
		t_uint("frequency", 868100000, up.rxpk.freq_hz);
		t_str("data rate", "SF7BW125", up.rxpk.data_rate);
		t_str("coding rate", "4/5", up.rxpk.modulation.code_rate);
		t_uint("uplink", 71288, up.uplink_id);
		t_int("rssi", -75, up.rxpk.rssi_dbm);
		t_int("snr", -750, up.rxpk.snr_cdb);
		t_int("GPS time", (INT64_C(1431338258) * 1000000) + 500000, up.rxpk.gps_time_us);
		t_int("UTC", (INT64_C(1789532416) * 1000000) + 500000, up.rxpk.utc.us);
		t_uint("fine time", 244292373, up.rxpk.fine_time_ns);
		t_uint("channel", 5, up.rxpk.channel);
		t_uint("rf chain", 1, up.rxpk.rf_chain);
		t_uint("board", 2, up.rxpk.board);
		t_uint("antenna", 3, up.rxpk.antenna);
		t_true("has ticks", up.has_ticks);
		t_uint("ticks", 0xd1514c40, up.rxpk.ticks.us);
		t_int("crc", GW_CRC_OK, up.rxpk.crc);
	}
	t_row("the connection's state");
	bool online = false;
	length = from_hex("10 01 1a 10 30303136633030316666313061323335", bytes, sizeof bytes);
	verdict_is(GB_ACCEPTED, gb_chirpstack_conn(&scratch, bytes, length, &roof, &online));
	t_true("online", online);
	length = from_hex("1a 10 30303136633030316666313061323335", bytes, sizeof bytes);
	verdict_is(GB_ACCEPTED, gb_chirpstack_conn(&scratch, bytes, length, &roof, &online));
	t_false("offline is a zero, which is not on the wire", online);
	t_row("an acknowledgement: RX1 too late, RX2 taken");
	struct gb_chirpstack_ack ack;
	length = from_hex("10 d2b5ff0f 2a 02 08 02 2a 02 08 01 32 10 30303136633030316666313061323335", bytes,
			  sizeof bytes);
	verdict_is(GB_ACCEPTED, gb_chirpstack_ack(&scratch, bytes, length, &roof, &ack));
	t_uint("id", 0x1ffdad2, ack.downlink_id);
	t_uint("items", 2, ack.count);
	t_uint("telling", 1, gb_chirpstack_telling(&ack));
	t_row("deprecated and unknown fields are skipped");
	length = from_hex("0a 08 0016c001ff10a235 10 01 1a 10 30303136633030316666313061323335 a206 02 0102",
			  bytes, sizeof bytes);
	verdict_is(GB_ACCEPTED, gb_chirpstack_conn(&scratch, bytes, length, &roof, &online));
	t_true("online", online);
}

/* --- uplinks as the simulated gateway writes them */

static struct sim_chirpstack_up usual(void)
{
	return (struct sim_chirpstack_up){.id = ID,
					  .phy = {0x40, 1, 2, 3},
					  .phy_length = 4,
					  .freq_hz = 868100000,
					  .modulation = {SIM_CHIRPSTACK_LORA, 125000, 9, .code_rate = 1},
					  .rssi_dbm = -101,
					  .snr_db = -3.25f,
					  .crc = 2,
					  .context = {1, 2, 3, 4},
					  .context_length = 4};
}

static enum gb_verdict take(const struct sim_chirpstack_up *up, struct gb_chirpstack_uplink *out)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	size_t length = sim_chirpstack_write_up(bytes, up);
	return gb_chirpstack_uplink(&scratch, bytes, length, &roof, out);
}

static void zeros_are_values(void **state)
{
	(void)state;
	struct gb_chirpstack_uplink out;
	struct sim_chirpstack_up up = usual();
	up.rssi_dbm = 0;
	up.snr_db = 0;
	t_row("rssi 0 and snr 0 are not on the wire");
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_true("has rssi", out.rxpk.has_rssi);
	t_int("rssi", 0, out.rxpk.rssi_dbm);
	t_true("has snr", out.rxpk.has_snr);
	t_int("snr", 0, out.rxpk.snr_cdb);
	t_row("no CRC status says that there was none");
	up.crc = 0;
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_int("crc", GW_CRC_NONE, out.rxpk.crc);
	up.crc = 1;
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_int("bad crc", GW_CRC_BAD, out.rxpk.crc);
	t_row("an SNR that is no number is none");
	up = usual();
	up.snr_db = NAN;
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_false("has snr", out.rxpk.has_snr);
	t_row("FSK has no SNR");
	up = usual();
	up.modulation = (struct sim_chirpstack_modulation){SIM_CHIRPSTACK_FSK, .bit_rate = 50000};
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_false("has snr", out.rxpk.has_snr);
	t_str("data rate", "FSK50000", out.rxpk.data_rate);
	t_row("LR-FHSS, its coding rate reduced");
	up.modulation = (struct sim_chirpstack_modulation){SIM_CHIRPSTACK_LR_FHSS, 137000, .code_rate = 6};
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_int("kind", LW_LR_FHSS, out.rxpk.modulation.kind);
	t_str("data rate", "M0CW137", out.rxpk.data_rate);
	t_str("coding rate", "1/3", out.rxpk.coding_rate);
	t_row("no payload is the policy's to judge");
	up = usual();
	up.phy_length = 0;
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_uint("length", 0, out.rxpk.phy_length);
	t_row("no times");
	t_false("GPS", out.rxpk.has_gps_time);
	t_false("UTC", out.rxpk.has_utc);
	t_false("fine", out.rxpk.has_fine_time);
	t_row("a clock of 2016 is no time");
	up.unix_time_us = INT64_C(1483228799) * 1000000;
	verdict_is(GB_ACCEPTED, take(&up, &out));
	t_false("UTC", out.rxpk.has_utc);
}

static void contexts_stay_as_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t length;
		bool has_ticks, too_long;
		uint32_t ticks;
	} rows[] = {
		{"none", 0, false, false, 0},
		{"one byte", 1, false, false, 0},
		{"a counter", 4, true, false, 0xa0a1a2a3},
		{"eight bytes of somebody's", 8, false, false, 0},
		{"rctx and xtime: the lower half of xtime", 16, true, false, 0xacadaeaf},
		{"as long as is kept", 64, false, false, 0},
		{"longer", 65, false, true, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_chirpstack_up up = usual();
		struct gb_chirpstack_uplink out;
		t_row(rows[i].name);
		up.context_length = rows[i].length;
		for (size_t b = 0; b < rows[i].length; b++)
			up.context[b] = (uint8_t)(0xa0 + b);
		verdict_is(GB_ACCEPTED, take(&up, &out));
		t_int("too long", rows[i].too_long, out.context_too_long);
		t_int("has ticks", rows[i].has_ticks, out.has_ticks);
		t_uint("ticks", rows[i].ticks, out.rxpk.ticks.us);
		if (!rows[i].too_long)
			t_bytes("context", up.context, up.context_length, out.context.bytes,
				out.context.length);
	}
}

static void lose_id(struct sim_chirpstack_up *up)
{
	up->id = NULL;
}

static void other_id(struct sim_chirpstack_up *up)
{
	up->id = "0016c001ff10a236";
}

static void odd_id(struct sim_chirpstack_up *up)
{
	up->id = "roof";
}

static void upper_id(struct sim_chirpstack_up *up)
{
	up->id = "0016C001FF10A235";
}

static void no_frequency(struct sim_chirpstack_up *up)
{
	up->freq_hz = 0;
}

static void no_modulation(struct sim_chirpstack_up *up)
{
	up->modulation.kind = 0;
}

static void odd_modulation(struct sim_chirpstack_up *up)
{
	up->modulation.kind = SIM_CHIRPSTACK_LORA;
	up->modulation.bandwidth_hz = 0;
}

static void slow(struct sim_chirpstack_up *up)
{
	up->modulation.spreading_factor = 13;
}

static void fast(struct sim_chirpstack_up *up)
{
	up->modulation.spreading_factor = 4;
}

static void kilohertz(struct sim_chirpstack_up *up)
{
	up->modulation.bandwidth_hz = 125;
}

static void still(struct sim_chirpstack_up *up)
{
	up->modulation = (struct sim_chirpstack_modulation){SIM_CHIRPSTACK_FSK, .deviation_hz = 25000};
}

static void narrow(struct sim_chirpstack_up *up)
{
	up->modulation = (struct sim_chirpstack_modulation){SIM_CHIRPSTACK_LR_FHSS, .code_rate = 6};
}

static void loud(struct sim_chirpstack_up *up)
{
	up->rssi_dbm = 1001;
}

static void quiet(struct sim_chirpstack_up *up)
{
	up->rssi_dbm = INT32_MIN;
}

static void clear(struct sim_chirpstack_up *up)
{
	up->snr_db = 301;
}

static void infinite(struct sim_chirpstack_up *up)
{
	up->snr_db = -INFINITY;
}

static void odd_crc(struct sim_chirpstack_up *up)
{
	up->crc = 3;
}

static void far_future(struct sim_chirpstack_up *up)
{
	up->gps_time_us = INT64_C(8589934592) * 1000000;
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*change)(struct sim_chirpstack_up *up);
		enum gb_verdict verdict;
	} rows[] = {
		{"no gateway id", lose_id, GB_MISSING_MEMBER},
		{"the id of another gateway", other_id, GB_ID_DIFFERS},
		{"an id that is none", odd_id, GB_ID_DIFFERS},
		{"its id in upper case", upper_id, GB_ACCEPTED},
		{"frequency 0", no_frequency, GB_BAD_FREQUENCY},
		{"no modulation", no_modulation, GB_MISSING_MEMBER},
		{"LoRa without a bandwidth", odd_modulation, GB_BAD_DATA_RATE},
		{"SF13", slow, GB_BAD_DATA_RATE},
		{"SF4", fast, GB_BAD_DATA_RATE},
		{"a bandwidth in kHz", kilohertz, GB_BAD_DATA_RATE},
		{"FSK of 0 bit/s", still, GB_BAD_DATA_RATE},
		{"LR-FHSS without a width", narrow, GB_BAD_DATA_RATE},
		{"rssi 1001", loud, GB_OUT_OF_RANGE},
		{"rssi −2^31", quiet, GB_OUT_OF_RANGE},
		{"snr 301", clear, GB_OUT_OF_RANGE},
		{"snr −∞", infinite, GB_OUT_OF_RANGE},
		{"a CRC status that there is not", odd_crc, GB_OUT_OF_RANGE},
		{"a GPS time of the year 2252", far_future, GB_OUT_OF_RANGE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_chirpstack_up up = usual();
		struct gb_chirpstack_uplink out = {.uplink_id = 4711};
		t_row(rows[i].name);
		rows[i].change(&up);
		enum gb_verdict verdict = take(&up, &out);
		verdict_is(rows[i].verdict, verdict);
		if (verdict != GB_ACCEPTED)
			t_uint("nothing was filled", 4711, out.uplink_id);
	}
}

static void bodies_that_are_none_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *hex;
		enum gb_verdict up, stats, ack, conn;
	} rows[] = {
		{"nothing", "", GB_MISSING_MEMBER, GB_MISSING_MEMBER, GB_MISSING_MEMBER, GB_MISSING_MEMBER},
		{"JSON", "7b 22 70 68 79 22 3a 31 7d", GB_MQTT_JSON, GB_MQTT_JSON, GB_MQTT_JSON,
		 GB_MQTT_JSON},
		{"text", "68 65 6c 6c 6f", GB_NOT_PROTOBUF, GB_NOT_PROTOBUF, GB_NOT_PROTOBUF,
		 GB_NOT_PROTOBUF},
		{"a length that lies", "0a ff 01 02", GB_NOT_PROTOBUF, GB_NOT_PROTOBUF, GB_NOT_PROTOBUF,
		 GB_NOT_PROTOBUF},
		{"an endless varint", "28 ffffffffffffffffffffff", GB_NOT_PROTOBUF, GB_NOT_PROTOBUF,
		 GB_NOT_PROTOBUF, GB_NOT_PROTOBUF},
		{"a number where a message belongs", "28 07", GB_NOT_PROTOBUF, GB_MISSING_MEMBER,
		 GB_NOT_PROTOBUF, GB_MISSING_MEMBER},
		{"payload as a number", "08 07", GB_NOT_PROTOBUF, GB_MISSING_MEMBER, GB_MISSING_MEMBER,
		 GB_MISSING_MEMBER},
		{"field number 0", "00 01", GB_NOT_PROTOBUF, GB_NOT_PROTOBUF, GB_NOT_PROTOBUF,
		 GB_NOT_PROTOBUF},
		{"tx info alone", "22 00", GB_MISSING_MEMBER, GB_MISSING_MEMBER, GB_MISSING_MEMBER,
		 GB_MISSING_MEMBER},
		{"state 2", "10 02 1a 10 30303136633030316666313061323335", GB_MISSING_MEMBER,
		 GB_NOT_PROTOBUF, GB_MISSING_MEMBER, GB_OUT_OF_RANGE},
		{"an acknowledgement of nothing", "32 10 30303136633030316666313061323335", GB_MISSING_MEMBER,
		 GB_NOT_PROTOBUF, GB_MISSING_MEMBER, GB_MISSING_MEMBER},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[64];
		struct gb_chirpstack_uplink up;
		struct gb_chirpstack_stats stats;
		struct gb_chirpstack_ack ack;
		bool online;
		size_t length = from_hex(rows[i].hex, bytes, sizeof bytes);
		t_row(rows[i].name);
		verdict_is(rows[i].up, gb_chirpstack_uplink(&scratch, bytes, length, &roof, &up));
		verdict_is(rows[i].stats, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
		verdict_is(rows[i].ack, gb_chirpstack_ack(&scratch, bytes, length, &roof, &ack));
		verdict_is(rows[i].conn, gb_chirpstack_conn(&scratch, bytes, length, &roof, &online));
	}
	static uint8_t huge[GB_CHIRPSTACK_BODY_MAX + 1];
	struct gb_chirpstack_uplink up;
	t_row("longer than any body");
	verdict_is(GB_TOO_LONG, gb_chirpstack_uplink(&scratch, huge, sizeof huge, &roof, &up));
	t_row("a payload of 256 bytes");
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM], longer[SIM_CHIRPSTACK_BODY_ROOM + 256];
	struct sim_chirpstack_up without = usual();
	without.phy_length = 0;
	size_t length = sim_chirpstack_write_up(bytes, &without);
	static const uint8_t head[] = {0x0a, 0x80, 0x02};
	memcpy(longer, head, sizeof head);
	memset(longer + sizeof head, 7, 256);
	memcpy(longer + sizeof head + 256, bytes, length);
	verdict_is(GB_TOO_LONG,
		   gb_chirpstack_uplink(&scratch, longer, sizeof head + 256 + length, &roof, &up));
	t_row("acknowledgements of nine items");
	uint32_t statuses[9] = {0};
	struct gb_chirpstack_ack ack;
	length = sim_chirpstack_write_ack(bytes, ID, 1, statuses, 9);
	verdict_is(GB_OUT_OF_RANGE, gb_chirpstack_ack(&scratch, bytes, length, &roof, &ack));
	t_row("more than the scratch memory takes");
	for (size_t i = 0; i + 2 <= GB_CHIRPSTACK_BODY_MAX; i += 2) {
		huge[i] = 0x2a; /* an empty item each */
		huge[i + 1] = 0;
	}
	enum gb_verdict verdict = gb_chirpstack_ack(&scratch, huge, GB_CHIRPSTACK_BODY_MAX, &roof, &ack);
	t_true("refused", verdict == GB_NOT_PROTOBUF || verdict == GB_MISSING_MEMBER);
	t_uint("scratch is given back", 0, scratch.used);
}

/* --- statistics, acknowledgements */

static void statistics_are_read(void **state)
{
	(void)state;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	struct gb_chirpstack_stats stats;
	size_t length = sim_chirpstack_write_stats(bytes, ID, 12, 10, 3, 40.7128, -74.006, 33.4,
						   "rak_5146_with_a_very_long_name_of_its_own");
	verdict_is(GB_ACCEPTED, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
	t_uint("gateway", ROOF, lw_eui64_number(&stats.stats.gateway));
	t_uint("received", 12, stats.stats.rx_received);
	t_uint("good", 10, stats.stats.rx_ok);
	t_uint("orders", 3, stats.stats.tx_received);
	t_uint("sent", 3, stats.stats.tx_emitted);
	t_true("place", stats.stats.has_location);
	t_true("latitude", fabs(stats.stats.latitude_deg - 40.7128) < 1e-9);
	t_true("longitude", fabs(stats.stats.longitude_deg + 74.006) < 1e-9);
	t_int("altitude", 33, stats.stats.altitude_m);
	t_str("model, cut", "rak_5146_with_a_very_long_name_", stats.model);
	t_row("all zeros");
	length = sim_chirpstack_write_stats(bytes, ID, 0, 0, 0, 0, 0, 0, NULL);
	verdict_is(GB_ACCEPTED, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
	t_true("counts", stats.stats.has_counts);
	t_false("place", stats.stats.has_location);
	t_row("a place that is none");
	length = sim_chirpstack_write_stats(bytes, ID, 0, 0, 0, 91, 0, 0, NULL);
	verdict_is(GB_ACCEPTED, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
	t_false("place", stats.stats.has_location);
	length = sim_chirpstack_write_stats(bytes, ID, 0, 0, 0, NAN, 10, 0, NULL);
	verdict_is(GB_ACCEPTED, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
	t_false("place", stats.stats.has_location);
	t_row("of another gateway");
	length = sim_chirpstack_write_stats(bytes, "ffffffffffffffff", 0, 0, 0, 0, 0, 0, NULL);
	verdict_is(GB_ID_DIFFERS, gb_chirpstack_stats(&scratch, bytes, length, &roof, &stats));
}

static void statuses_have_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *result;
	} rows[] = {{"IGNORED", "ignored"},
		    {"OK", "ok"},
		    {"TOO_LATE", "too_late"},
		    {"TOO_EARLY", "too_early"},
		    {"COLLISION_PACKET", "collision_packet"},
		    {"COLLISION_BEACON", "collision_beacon"},
		    {"TX_FREQ", "tx_freq"},
		    {"TX_POWER", "tx_power"},
		    {"GPS_UNLOCKED", "gps_unlocked"},
		    {"QUEUE_FULL", "queue_full"},
		    {"INTERNAL_ERROR", "other"},
		    {"DUTY_CYCLE_OVERFLOW", "duty_cycle"},
		    {"STATUS_12", "other"}};
	char text[GW_CAUSE_MAX];
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		gb_chirpstack_status_text(i, text);
		t_str("name", rows[i].name, text);
		t_str("result", rows[i].result, gw_tx_result_name(gb_chirpstack_result(i)));
	}
	gb_chirpstack_status_text(UINT32_MAX, text);
	t_str("a negative one", "STATUS_4294967295", text);
	static const struct {
		const char *name;
		struct gb_chirpstack_ack ack;
		size_t telling;
	} lists[] = {{"the first was taken", {.count = 2, .statuses = {1, 0}}, 0},
		     {"the second was taken", {.count = 2, .statuses = {2, 1}}, 1},
		     {"both were refused", {.count = 2, .statuses = {2, 6}}, 1},
		     {"the second was not tried", {.count = 2, .statuses = {10, 0}}, 0},
		     {"none was tried", {.count = 3, .statuses = {0, 0, 0}}, 0},
		     {"two say that they were", {.count = 2, .statuses = {1, 1}}, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		t_row(lists[i].name);
		t_uint("telling", lists[i].telling, gb_chirpstack_telling(&lists[i].ack));
	}
}

/* --- downlinks, read by the simulated gateway */

static const struct gb_chirpstack_context context = {4, {0xde, 0xad, 0xbe, 0xef}};

static struct gw_tx_attempt rx1(void)
{
	return (struct gw_tx_attempt){.gateway = roof,
				      .window = GW_RX1,
				      .timing = GW_AT_TICKS,
				      .freq_hz = 868100000,
				      .modulation = {LW_LORA, 7, 125000, .code_rate = "4/5"},
				      .power_dbm = 16,
				      .invert_polarity = true};
}

static void downlinks_are_lists(void **state)
{
	(void)state;
	uint8_t bytes[GB_CHIRPSTACK_DOWN_ROOM], phy[255];
	memset(phy, 0xab, sizeof phy);
	struct gw_tx_attempt first = rx1(), second = rx1();
	second.window = GW_RX2;
	second.freq_hz = 869525000;
	second.modulation.spreading_factor = 12;
	second.power_dbm = -3;
	second.antenna = 1;
	second.board = 2;
	const struct gb_chirpstack_item items[] = {{&first, &context, 5 * US_PER_S},
						   {&second, &context, 6 * US_PER_S}};
	size_t length;
	t_row("RX1 and RX2");
	verdict_is(GB_ACCEPTED,
		   gb_chirpstack_down(0xfedc1234, &roof, items, 2, phy, sizeof phy, bytes, &length));
	struct sim_chirpstack_down down;
	const char *wrong = sim_chirpstack_read_down(bytes, length, &down);
	t_str("taken", "", wrong ? wrong : "");
	t_uint("id", 0xfedc1234, down.id);
	t_str("gateway", ID, down.gateway);
	t_uint("items", 2, down.count);
	t_bytes("payload", phy, sizeof phy, down.items[1].phy, down.items[1].phy_length);
	t_uint("frequency", 868100000, down.items[0].freq_hz);
	t_uint("frequency of RX2", 869525000, down.items[1].freq_hz);
	t_int("power", 16, down.items[0].power_dbm);
	t_int("power below zero", -3, down.items[1].power_dbm);
	t_uint("spreading factor", 12, down.items[1].modulation.spreading_factor);
	t_uint("bandwidth", 125000, down.items[1].modulation.bandwidth_hz);
	t_uint("coding rate", 1, down.items[1].modulation.code_rate);
	t_true("polarity", down.items[0].modulation.inverted);
	t_true("no CRC", down.items[0].modulation.no_crc);
	t_uint("preamble", 8, down.items[0].modulation.preamble);
	t_int("timing", SIM_CHIRPSTACK_DELAY, down.items[0].timing);
	t_int("delay", 5000000, down.items[0].time_us);
	t_int("delay of RX2", 6000000, down.items[1].time_us);
	t_bytes("context", context.bytes, context.length, down.items[0].context,
		down.items[0].context_length);
	t_uint("board", 2, down.items[1].board);
	t_uint("antenna", 1, down.items[1].antenna);

	t_row("class C: at once, without a context");
	first.timing = GW_IMMEDIATELY;
	const struct gb_chirpstack_item now = {&first, NULL, 0};
	verdict_is(GB_ACCEPTED, gb_chirpstack_down(1, &roof, &now, 1, phy, 20, bytes, &length));
	wrong = sim_chirpstack_read_down(bytes, length, &down);
	t_str("taken", "", wrong ? wrong : "");
	t_int("timing", SIM_CHIRPSTACK_NOW, down.items[0].timing);

	t_row("class B: at a GPS time, FSK");
	first.timing = GW_AT_GPS_TIME;
	first.gps_time_us = INT64_C(1430289682123456);
	first.modulation = (struct lw_modulation){
		.kind = LW_FSK, .bit_rate_bps = 50000, .freq_deviation_hz = 25000};
	verdict_is(GB_ACCEPTED, gb_chirpstack_down(1, &roof, &now, 1, phy, 20, bytes, &length));
	wrong = sim_chirpstack_read_down(bytes, length, &down);
	t_str("taken", "", wrong ? wrong : "");
	t_int("timing", SIM_CHIRPSTACK_GPS, down.items[0].timing);
	t_int("time", INT64_C(1430289682123456), down.items[0].time_us);
	t_uint("bit rate", 50000, down.items[0].modulation.bit_rate);
	t_uint("deviation", 25000, down.items[0].modulation.deviation_hz);

	t_row("LR-FHSS only goes up");
	first.modulation.kind = LW_LR_FHSS;
	verdict_is(GB_BEYOND_RADIO, gb_chirpstack_down(1, &roof, &now, 1, phy, 20, bytes, &length));

	t_row("the longest list");
	struct gb_chirpstack_item most[GB_CHIRPSTACK_ITEMS_MAX];
	struct gb_chirpstack_context full = {.length = GB_CHIRPSTACK_CONTEXT_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(most); i++)
		most[i] = (struct gb_chirpstack_item){&second, &full, 16 * US_PER_S};
	verdict_is(GB_ACCEPTED, gb_chirpstack_down(UINT32_MAX, &roof, most, ARRAY_SIZE(most), phy, sizeof phy,
						   bytes, &length));
	wrong = sim_chirpstack_read_down(bytes, length, &down);
	t_str("taken", "", wrong ? wrong : "");
	t_uint("items", GB_CHIRPSTACK_ITEMS_MAX, down.count);
}

/* The bytes of a downlink, by hand. */
static void a_downlink_by_hand(void **state)
{
	(void)state;
	uint8_t bytes[GB_CHIRPSTACK_DOWN_ROOM], expected[128];
	struct gw_tx_attempt attempt = rx1();
	const struct gb_chirpstack_item item = {&attempt, &context, US_PER_S};
	const uint8_t phy[] = {0x60, 1, 2};
	size_t length;
	verdict_is(GB_ACCEPTED, gb_chirpstack_down(300, &roof, &item, 1, phy, sizeof phy, bytes, &length));
	size_t wanted = from_hex("18 ac02 "                   /* downlink_id */
				 "2a 2f 0a 03 600102 "        /* item: payload */
				 "1a 28 08 a0cff89d03 10 10 " /* tx info: frequency, power */
				 "1a 10 1a 0e 08 c8d007 10 07 20 01 28 01 30 08 38 01 " /* LoRa */
				 "32 06 12 04 0a 02 08 01 "                             /* delay of 1 s */
				 "3a 04 deadbeef "                                      /* context */
				 "3a 10 30303136633030316666313061323335",
				 expected, sizeof expected);
	t_bytes("bytes", expected, wanted, bytes, length);
}

static int begin(void **state)
{
	(void)state;
	arena_init(&scratch, GB_CHIRPSTACK_SCRATCH);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(topics_name_gateway_and_kind),
		t_test(bytes_by_hand_are_read),
		t_test(zeros_are_values),
		t_test(contexts_stay_as_they_are),
		t_test(what_cannot_be_is_refused),
		t_test(bodies_that_are_none_are_refused),
		t_test(statistics_are_read),
		t_test(statuses_have_names),
		t_test(downlinks_are_lists),
		t_test(a_downlink_by_hand),
	};
	begin(NULL);
	int code = t_run(tests);
	arena_release(&scratch);
	return code;
}
