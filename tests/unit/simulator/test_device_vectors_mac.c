/* The published vectors of MAC commands and of class B, fed to the simulated device: what a command does to it and what it answers, the
 * answers that it can be brought to give, beacons and ping slots. Rows as in test_device_vectors.c. */
#include "simulator/device_parts.h"
#include "simulator/device_ping.h"

#include "common/base/hex.h"

#include "tests/harness/device_stand.h"
#include "tests/harness/harness.h"
#include "tests/harness/vector_file.h"

#include <string.h>

static struct aes *aes;
static struct t_stand stand;

static size_t from_hex(const char *text, uint8_t *bytes, size_t capacity)
{
	size_t length = 0;
	t_true("hex", hex_decode(bytes, capacity, &length, text, strlen(text)));
	return length;
}

/* --- downlink commands --------------------------------------------------------------------------------------- */

static unsigned long long field(const json_t *fields, const char *name)
{
	return (unsigned long long)t_int_member(fields, name);
}

/* What of the command has come true; `ans` is the answer's payload byte. */
static void link_adr_done(const json_t *fields, uint8_t ans)
{
	unsigned long long dr = field(fields, "data_rate"), power = field(fields, "tx_power");
	if (ans != 7) {
		t_uint("rate as before", 5, stand.device.dr);
		return;
	}
	t_uint("dr", dr == 15 ? 5 : dr, stand.device.dr);
	t_uint("power", power == 15 ? 0 : power, stand.device.power_index);
}

static void duty_cycle_done(const json_t *fields, uint8_t ans)
{
	(void)ans;
	t_uint("max_dcycle", field(fields, "max_dcycle"), stand.device.duty_exponent);
}

static void rx_param_done(const json_t *fields, uint8_t ans)
{
	unsigned long long freq_hz = field(fields, "frequency_hz"), dr = field(fields, "rx2_data_rate");
	bool freq_ok = freq_hz >= 863000000 && freq_hz <= 870000000, dr_ok = dr <= 6;
	t_uint("answer", 4u | (dr_ok ? 2u : 0) | (freq_ok ? 1u : 0), ans);
	t_uint("RX2 as before", 869525000, stand.device.rx2_freq_hz);
}

static void new_channel_done(const json_t *fields, uint8_t ans)
{
	unsigned long long freq_hz = field(fields, "frequency_hz"), index = field(fields, "ch_index");
	bool own = index >= 3, freq_ok = own && freq_hz >= 863000000 && freq_hz <= 870000000;
	bool dr_ok = own && field(fields, "min_dr") <= field(fields, "max_dr");
	t_uint("answer", (dr_ok ? 2u : 0) | (freq_ok ? 1u : 0), ans);
	if (freq_ok && dr_ok) {
		t_uint("frequency", freq_hz, stand.device.channels[index].freq_hz);
		t_uint("max_dr", field(fields, "max_dr"), stand.device.channels[index].max_dr);
		t_uint("min_dr", field(fields, "min_dr"), stand.device.channels[index].min_dr);
	}
}

static void rx_timing_done(const json_t *fields, uint8_t ans)
{
	unsigned long long delay = field(fields, "delay");
	(void)ans;
	t_uint("delay", delay == 0 ? 1 : delay, stand.device.rx_delay_s);
}

static void tx_param_done(const json_t *fields, uint8_t ans)
{
	(void)ans;
	t_true("uplink", stand.device.uplink_dwell == t_true_member(fields, "uplink_dwell_time"));
	t_true("downlink", stand.device.downlink_dwell == t_true_member(fields, "downlink_dwell_time"));
	t_int("EIRP, no more than the device has", 16, stand.device.max_eirp_dbm);
}

static void dl_channel_done(const json_t *fields, uint8_t ans)
{
	unsigned long long freq_hz = field(fields, "frequency_hz"), index = field(fields, "ch_index");
	bool freq_ok = freq_hz >= 863000000 && freq_hz <= 870000000;
	t_uint("answer", (index < 3 ? 2u : 0) | (freq_ok ? 1u : 0), ans);
	if (ans == 3)
		t_uint("frequency", freq_hz, stand.device.channels[index].down_freq_hz);
}

static void adr_param_done(const json_t *fields, uint8_t ans)
{
	(void)ans;
	t_uint("limit", 1ull << field(fields, "limit_exp"), stand.device.adr_limit);
	t_uint("delay", 1ull << field(fields, "delay_exp"), stand.device.adr_delay);
}

static void link_check_done(const json_t *fields, uint8_t ans)
{
	(void)ans;
	t_true("heard", stand.device.has_link_check);
	t_uint("margin", field(fields, "margin"), stand.device.link_margin_db);
	t_uint("gateways", field(fields, "gw_cnt"), stand.device.link_gateways);
}

static void device_time_done(const json_t *fields, uint8_t ans)
{
	(void)ans;
	t_true("heard", stand.device.has_time);
	t_int("offset",
	      (long long)(field(fields, "gps_seconds") * 1000000 +
			  field(fields, "fraction_256") * 1000000 / 256),
	      stand.device.gps_offset_us);
}

static void conf_done(const json_t *fields, uint8_t ans)
{
	(void)fields;
	(void)ans;
	t_false("Ind is over", stand.device.rekey);
}

static const struct request {
	const char *command;
	const char *region;
	enum sim_activation activation;
	uint8_t answer; /* CID; 0: none */
	bool either;    /* the device may answer or not: what it does is no part of these vectors */
	void (*done)(const json_t *fields, uint8_t ans);
} requests[] = {
	{"ResetConf", "eu868", SIM_ABP, 0, false, conf_done},
	{"LinkCheckAns", "eu868", SIM_OTAA, 0, false, link_check_done},
	{"LinkADRReq", "eu868", SIM_OTAA, 0x03, false, link_adr_done},
	{"DutyCycleReq", "eu868", SIM_OTAA, 0x04, false, duty_cycle_done},
	{"RXParamSetupReq", "eu868", SIM_OTAA, 0x05, false, rx_param_done},
	{"DevStatusReq", "eu868", SIM_OTAA, 0x06, false, NULL},
	{"NewChannelReq", "eu868", SIM_OTAA, 0x07, false, new_channel_done},
	{"RXTimingSetupReq", "eu868", SIM_OTAA, 0x08, false, rx_timing_done},
	{"TxParamSetupReq", "as923-1", SIM_OTAA, 0x09, false, tx_param_done},
	{"DlChannelReq", "eu868", SIM_OTAA, 0x0a, false, dl_channel_done},
	{"RekeyConf", "eu868", SIM_OTAA, 0, false, conf_done},
	{"ADRParamSetupReq", "eu868", SIM_OTAA, 0x0c, false, adr_param_done},
	{"DeviceTimeAns", "eu868", SIM_OTAA, 0, false, device_time_done},
	{"ForceRejoinReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"RejoinParamSetupReq", "eu868", SIM_OTAA, 0x0f, false, NULL},
	{"PingSlotInfoAns", "eu868", SIM_OTAA, 0, false, NULL},
	{"PingSlotChannelReq", "eu868", SIM_OTAA, 0x11, true, NULL},
	{"BeaconTimingAns", "eu868", SIM_OTAA, 0, false, NULL},
	{"BeaconFreqReq", "eu868", SIM_OTAA, 0x13, true, NULL},
	{"DeviceModeConf", "eu868", SIM_OTAA, 0, false, NULL},
	{"RelayConfReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"EndDeviceConfReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"FilterListReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"UpdateUplinkListReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"CtrlUplinkListReq", "eu868", SIM_OTAA, 0, false, NULL},
	{"ConfigureFwdLimitReq", "eu868", SIM_OTAA, 0, false, NULL},
};

static bool downlink(const json_t *input, const json_t *expect)
{
	const json_t *command = json_array_get(json_object_get(expect, "commands"), 0);
	const struct request *request = NULL;
	uint8_t down[64], up[64];
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (t_text_is(command, "command", requests[i].command))
			request = &requests[i];
	}
	if (!t_true("a row of the command", request != NULL))
		return false;
	struct sim_device_config config = t_stand_config(request->region, LW_MAC_1_1_0, request->activation);
	t_stand_set_up(&stand, aes, &config);
	stand.device.rekey = request->done == conf_done;
	size_t length = t_hex_member(input, "bytes", down, sizeof down);
	sim_device_apply_commands(&stand.device, 0, down, length);
	if (request->done == conf_done) {
		conf_done(NULL, 0);
		return true;
	}
	stand.device.rekey = false;
	length = sim_device_write_commands(&stand.device, up, sizeof up);
	if (request->answer == 0)
		t_uint("no answer", 0, length);
	else if (!request->either || length > 0)
		t_uint("answer", request->answer, length > 0 ? up[0] : 0);
	if (request->done != NULL)
		request->done(json_object_get(command, "fields"), length > 1 ? up[1] : 0);
	return true;
}

/* --- uplink commands ----------------------------------------------------------------------------------------- */

/* What makes the device say the bytes. */
static const struct cause {
	const char *up;
	const char *region;
	enum lw_mac_version version;
	const char *down;
	uint8_t every; /* LinkCheckReq */
	uint8_t time;  /* DeviceTimeReq */
	bool rekey;
	uint8_t battery; /* of DevStatusAns */
	int8_t margin_db;
} causes[] = {
	{"02", "eu868", LW_MAC_1_0_4, "", 1, 0, false, 0, 0},
	{"0300", "eu868", LW_MAC_1_0_4, "0388000101", 0, 0, false, 0, 0},
	{"0301", "eu868", LW_MAC_1_0_4, "0388070001", 0, 0, false, 0, 0},
	{"0304", "eu868", LW_MAC_1_0_4, "0350000001", 0, 0, false, 0, 0},
	{"04", "eu868", LW_MAC_1_0_4, "0405", 0, 0, false, 0, 0},
	{"0500", "eu868", LW_MAC_1_0_4, "057fa81242", 0, 0, false, 0, 0},
	{"0504", "eu868", LW_MAC_1_0_4, "050fa81242", 0, 0, false, 0, 0},
	{"0505", "eu868", LW_MAC_1_0_4, "050fd2ad84", 0, 0, false, 0, 0},
	{"060022", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 0, -30},
	{"06ff1e", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 255, 30},
	{"060a14", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 10, 20},
	{"067307", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 115, 7},
	{"06fe1f", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 254, 31},
	{"060120", "eu868", LW_MAC_1_0_4, "06", 0, 0, false, 1, -32},
	{"0700", "eu868", LW_MAC_1_0_4, "0700184f8450", 0, 0, false, 0, 0},
	{"0702", "eu868", LW_MAC_1_0_4, "0703a8124250", 0, 0, false, 0, 0},
	{"08", "eu868", LW_MAC_1_0_4, "0803", 0, 0, false, 0, 0},
	{"09", "as923-1", LW_MAC_1_0_4, "0905", 0, 0, false, 0, 0},
	{"0a00", "eu868", LW_MAC_1_0_4, "0a05a81242", 0, 0, false, 0, 0},
	{"0a03", "eu868", LW_MAC_1_0_4, "0a01184f84", 0, 0, false, 0, 0},
	{"0b01", "eu868", LW_MAC_1_1_0, "", 0, 0, true, 0, 0},
	{"0c", "eu868", LW_MAC_1_1_0, "0c55", 0, 0, false, 0, 0},
	{"0d", "eu868", LW_MAC_1_0_4, "", 0, 1, false, 0, 0},
	/* several */
	{"020305", "eu868", LW_MAC_1_0_4, "0380070001", 1, 0, false, 0, 0},
	{"06020a07010809", "as923-1", LW_MAC_1_0_4, "06070270b78c0508030905", 0, 0, false, 2, 10},
	{"030703070703", "eu868", LW_MAC_1_0_4, "035107000103510700010703184f8450", 0, 0, false, 0, 0},
	{"", "eu868", LW_MAC_1_0_4, "", 0, 0, false, 0, 0},
};

static bool uplink(const json_t *input, const json_t *expect)
{
	const struct cause *cause = NULL;
	uint8_t down[64], expected[64], up[64];
	(void)expect;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (t_text_is(input, "bytes", causes[i].up))
			cause = &causes[i];
	}
	if (cause == NULL)
		return false;
	struct sim_device_config config = t_stand_config(cause->region, cause->version, SIM_OTAA);
	config.link_check_every = cause->every;
	config.device_time_every = cause->time;
	t_stand_set_up(&stand, aes, &config);
	stand.device.rekey = cause->rekey;
	stand.device.battery = cause->battery;
	stand.device.margin_db = cause->margin_db;
	size_t length = from_hex(cause->down, down, sizeof down);
	sim_device_apply_commands(&stand.device, 0, down, length);
	length = t_hex_member(input, "bytes", expected, sizeof expected);
	size_t got = sim_device_write_commands(&stand.device, up, sizeof up);
	t_bytes("says", expected, length, up, got);
	return true;
}

static bool sequence(const json_t *input, const json_t *expect)
{
	uint8_t down[64], up[64];
	if (t_text_is(input, "direction", "up"))
		return uplink(input, expect);
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_OTAA);
	t_stand_set_up(&stand, aes, &config);
	size_t length = t_hex_member(input, "bytes", down, sizeof down);
	sim_device_apply_commands(&stand.device, 0, down, length);
	length = sim_device_write_commands(&stand.device, up, sizeof up);
	/* DevStatusReq, and two LinkADRReq that are one block: its second ChMaskCntl means nothing here. */
	static const uint8_t answers[] = {0x06, 230, 0, 0x03, 0x06, 0x03, 0x06};
	t_bytes("answers", answers, sizeof answers, up, length);
	return true;
}

static bool sequence_stop(const json_t *input, const json_t *expect)
{
	uint8_t down[64], up[64];
	if (!t_text_is(input, "direction", "down"))
		return false;
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_OTAA);
	t_stand_set_up(&stand, aes, &config);
	size_t length = t_hex_member(input, "bytes", down, sizeof down);
	t_uint("nothing before the stop", 0, json_array_size(json_object_get(expect, "commands")));
	sim_device_apply_commands(&stand.device, 0, down, length);
	t_false("a command cut short is none", stand.device.has_link_check);
	t_uint("no answer", 0, sim_device_write_commands(&stand.device, up, sizeof up));
	return true;
}

static void mac_commands(void **state)
{
	(void)state;
	static const struct t_vector_kind kinds[] = {
		{"downlink", downlink, 46, 0, NULL},
		{"uplink", uplink, 23, 23,
		 "of class B, a relay, a rejoin or another minor version: the device does not say it"},
		{"sequence", sequence, 5, 1, "an answer with reserved bits set"},
		{"sequence_stop", sequence_stop, 1, 3, "uplinks that end in what is no command"},
		{"encode_reject", NULL, 0, 14, "fields that do not fit: an encoder's affair"},
	};
	t_vector_file("mac_commands.json", kinds, ARRAY_SIZE(kinds));
}

/* --- class B ------------------------------------------------------------------------------------------------- */

static bool beacon(const json_t *input, const json_t *expect)
{
	uint8_t bytes[64];
	size_t length = t_hex_member(input, "beacon", bytes, sizeof bytes);
	struct sim_beacon got = {0};
	t_true("read", sim_beacon_read(bytes, length, (size_t)t_int_member(input, "rfu1_bytes"),
				       (size_t)t_int_member(input, "rfu2_bytes"), &got));
	t_int("time", t_int_member(expect, "time"), got.time_s);
	t_uint("common_crc", t_hex_number(expect, "common_crc"), got.common_crc);
	t_true("common_crc_ok", got.common_crc_ok == t_true_member(expect, "common_crc_ok"));
	t_uint("gw_crc", t_hex_number(expect, "gw_crc"), got.gw_crc);
	t_true("gw_crc_ok", got.gw_crc_ok == t_true_member(expect, "gw_crc_ok"));
	t_int("info_desc", t_int_member(expect, "info_desc"), got.info_desc);
	t_int("latitude", t_int_member(expect, "lat_raw"), got.latitude);
	t_int("longitude", t_int_member(expect, "lng_raw"), got.longitude);
	t_false("a byte less", sim_beacon_read(bytes, length - 1, (size_t)t_int_member(input, "rfu1_bytes"),
					       (size_t)t_int_member(input, "rfu2_bytes"), &got));
	return true;
}

static bool beacon_coordinate(const json_t *input, const json_t *expect)
{
	uint8_t bytes[17] = {0};
	struct sim_beacon got = {0};
	bool latitude = t_text_is(input, "axis", "lat");
	t_uint("wire", 3, t_hex_member(expect, "wire", bytes + (latitude ? 9 : 12), 3));
	t_true("read", sim_beacon_read(bytes, sizeof bytes, 2, 0, &got));
	t_int("raw", t_int_member(expect, "raw"), latitude ? got.latitude : got.longitude);
	return true;
}

static bool beacon_start(const json_t *input, const json_t *expect)
{
	t_int("start", t_int_member(expect, "beacon_start"),
	      sim_beacon_start_s((uint32_t)t_int_member(input, "gps_seconds")));
	return true;
}

static void class_b(void **state)
{
	(void)state;
	static const struct t_vector_kind kinds[] = {
		{"beacon", beacon, 4, 0, NULL},
		{"beacon_coordinate", beacon_coordinate, 3, 0, NULL},
		{"beacon_start", beacon_start, 4, 0, NULL},
		{"gps_time", NULL, 0, 3, "the device has GPS time and no calendar"},
	};
	t_vector_file("class_b.json", kinds, ARRAY_SIZE(kinds));
}

static struct lw_dev_addr address(const json_t *input)
{
	return (struct lw_dev_addr){t_hex_number(input, "dev_addr")};
}

static bool ping_offset(const json_t *input, const json_t *expect)
{
	unsigned period = (unsigned)t_int_member(input, "ping_period");
	uint16_t offset = 0, count = 0;
	if (period > 0)
		count = (uint16_t)(4096 / period);
	bool found = sim_ping_offset(aes, (uint32_t)t_int_member(input, "beacon_time"), address(input), count,
				     &offset);
	t_true("found", found == !t_true_member(expect, "reject"));
	t_int("offset", t_int_member(expect, "ping_offset"), offset);
	return true;
}

static bool next_ping_slot(const json_t *input, const json_t *expect)
{
	t_int("slot", t_int_member(expect, "slot_gps_ms"),
	      sim_ping_next_ms(aes, t_int_member(input, "after_gps_ms"), address(input),
			       (uint16_t)t_int_member(input, "ping_nb")));
	return true;
}

static bool ping_slots_list(const json_t *input, const json_t *expect)
{
	uint16_t count = (uint16_t)t_int_member(input, "ping_nb"), offset = 0;
	const json_t *slots = json_object_get(expect, "slots"),
		     *offsets = json_object_get(expect, "offsets_ms");
	t_true("found", sim_ping_offset(aes, (uint32_t)t_int_member(input, "beacon_time"), address(input),
					count, &offset));
	t_uint("slots", json_array_size(slots), count);
	for (unsigned n = 0; n < count; n++) {
		uint16_t slot = (uint16_t)(offset + n * (SIM_PING_SLOTS / count));
		t_int("slot", json_integer_value(json_array_get(slots, n)), slot);
		t_int("at", json_integer_value(json_array_get(offsets, n)), sim_ping_slot_ms(slot));
	}
	return true;
}

static bool periodicity(const json_t *input, const json_t *expect)
{
	uint16_t count = sim_ping_count((uint8_t)t_int_member(input, "periodicity"));
	t_int("ping_nb", t_int_member(expect, "ping_nb"), count);
	t_int("slots", t_int_member(expect, "ping_period_slots"), SIM_PING_SLOTS / count);
	t_int("seconds", t_int_member(expect, "seconds"), SIM_BEACON_PERIOD_S / count);
	return true;
}

static void ping(void **state)
{
	(void)state;
	static const struct t_vector_kind kinds[] = {
		{"ping_offset", ping_offset, 11, 0, NULL},
		{"ping_offset_reject", ping_offset, 2, 0, NULL},
		{"next_ping_slot", next_ping_slot, 7, 0, NULL},
		{"ping_slots_list", ping_slots_list, 1, 0, NULL},
		{"periodicity", periodicity, 2, 0, NULL},
	};
	t_vector_file("ping.json", kinds, ARRAY_SIZE(kinds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(mac_commands),
		t_test(class_b),
		t_test(ping),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
