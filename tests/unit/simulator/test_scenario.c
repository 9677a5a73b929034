/* Scenarios: what is read, and every refusal with its line. The scenarios and codecs that come with the simulator must load, and the codecs
 * must read the payloads of their kind. */
#include "simulator/load_session.h"
#include "simulator/scenario.h"

#include "common/crypto/aes.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"
#include "common/text/codec.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD              \
	"region: eu868\n" \
	"gateways:\n"     \
	"  - {eui: aa555a0000000101}\n"
#define DEVICE                                                                                         \
	"devices:\n"                                                                                   \
	"  - {name: a, count: 3, dev_eui: 10000000000000ff, activation: abp, mac_version: \"1.0.4\", " \
	"dev_addr: 010000ff, nwk_s_key: 000000000000000000000000000000fe, "                            \
	"app_s_key: 000000000000000000000000ffffffff, payload: air}\n"

static const struct {
	const char *name;
	const char *text;
	const char *error; /* NULL: it loads; else what the message must contain */
} rows[] = {
	{"the least", HEAD DEVICE, NULL},
	{"nothing", "", ""},
	{"another region", "region: mars\n", "s.yaml:1: "},
	{"no gateways", "region: eu868\n" DEVICE, "gateways"},
	{"an unknown key", HEAD DEVICE "weather: rain\n", "s.yaml:6: "},
	{"an unknown key of a gateway",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, height: 3}\n" DEVICE, "s.yaml:3: "},
	{"a short EUI", "region: eu868\ngateways:\n  - {eui: aa55}\n" DEVICE, "16 hex digits"},
	{"an unknown protocol",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: mqtt}\n" DEVICE, "s.yaml:3: "},
	{"a gateway by MQTT",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: chirpstack_mqtt, mqtt: {broker: "
	 "mqtts://b:8883, trust: ca}}\n" DEVICE,
	 NULL},
	{"a key of MQTT without its certificate",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: chirpstack_mqtt, mqtt: {key: "
	 "k}}\n" DEVICE,
	 "certificate and key"},
	{"MQTT for a packet forwarder",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, mqtt: {broker: mqtt://b:1}}\n" DEVICE,
	 "s.yaml:3: "},
	{"a station that asks CUPS",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: basics_station, home: roof, cups: "
	 "true, cups_every_s: 5}\n" DEVICE,
	 NULL},
	{"CUPS without a home",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: basics_station, cups: "
	 "true}\n" DEVICE,
	 "expected home"},
	{"a home beside tls",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, protocol: basics_station, home: roof, tls: "
	 "{token: "
	 "a}}\n" DEVICE,
	 "home or tls"},
	{"drift out of range",
	 "region: eu868\ngateways:\n  - {eui: aa555a0000000101, clock_drift_ppm: 500}\n" DEVICE,
	 "-100 to 100"},
	{"an exponent out of range", "path_loss: {exponent: 1}\n" HEAD DEVICE, "s.yaml:1: "},
	{"an unknown fading", "path_loss: {fading: slow}\n" HEAD DEVICE, "s.yaml:1: "},
	{"a fault without a target in the scenario",
	 HEAD DEVICE "faults:\n  - {at_s: 1, kind: device_off, target: b}\n", "s.yaml:7: "},
	{"a fault with a target", HEAD DEVICE "faults:\n  - {at_s: 1, kind: device_off, target: a-2}\n",
	 NULL},
	{"a fault of a gateway by EUI",
	 HEAD DEVICE "faults:\n  - {at_s: 1, kind: gateway_off, target: AA555A0000000101}\n", NULL},
	{"an unknown fault", HEAD DEVICE "faults:\n  - {at_s: 1, kind: flood, target: all}\n", "s.yaml:7: "},
	{"an expectation", HEAD DEVICE "expect:\n  - {what: joined, at_least: 3}\n", NULL},
	{"an unknown expectation", HEAD DEVICE "expect:\n  - {what: joy}\n", "s.yaml:7: "},
	{"a key twice", "region: eu868\nregion: eu868\n", "s.yaml:2: "},
	{"OTAA without a key",
	 HEAD "devices:\n  - {name: a, dev_eui: 1000000000000001, activation: otaa, mac_version: \"1.0.4\", "
	      "join_eui: 1000000000000001, "
	      "payload: air}\n",
	 "app_key"},
	{"1.1 without its NwkKey",
	 HEAD "devices:\n  - {name: a, dev_eui: 1000000000000001, activation: otaa, mac_version: \"1.1\", "
	      "join_eui: 1000000000000001, "
	      "app_key: 00000000000000000000000000000000, payload: air}\n",
	 "nwk_key"},
	{"an unknown version",
	 HEAD "devices:\n  - {name: a, dev_eui: 1000000000000001, activation: otaa, mac_version: \"2.0\", "
	      "payload: air}\n",
	 "s.yaml:5: "},
};

static void scenarios_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_scenario scenario;
		char error[SIM_SCENARIO_ERROR] = "";
		bool loads = sim_scenario_load(&scenario, "s.yaml", rows[i].text, strlen(rows[i].text),
					       error);
		t_row(rows[i].name);
		t_true("loads", loads == (rows[i].error == NULL));
		if (rows[i].error == NULL)
			t_str("error", "", error);
		else if (strstr(error, rows[i].error) == NULL)
			t_str("error contains", rows[i].error, error);
		if (loads)
			sim_scenario_release(&scenario);
	}
}

static void groups_count_up(void **state)
{
	(void)state;
	struct sim_scenario scenario;
	char error[SIM_SCENARIO_ERROR];
	static const char text[] = HEAD DEVICE;
	t_row("three devices of a group");
	t_true("loads", sim_scenario_load(&scenario, "s.yaml", text, strlen(text), error));
	t_uint("devices", 3, scenario.device_count);
	const struct sim_device_config *third = &scenario.devices[2];
	t_str("name", "a-3", third->name);
	t_bytes("dev_eui", (const uint8_t *)"\x10\0\0\0\0\0\1\1", 8, third->dev_eui.bytes, 8);
	t_uint("dev_addr", 0x01000101, third->dev_addr.value);
	t_bytes("a key carries", (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0", 16,
		third->session_keys.nwk_s_enc_key.bytes, 16);
	t_bytes("and wraps in its last four bytes", (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16,
		third->session_keys.app_s_key.bytes, 16);
	static const char keys[] = "[{\"name\": \"a-3\", \"dev_addr\": \"0100beef\", \"nwk_s_key\": "
				   "\"0123456789abcdef0123456789abcdef\"}]";
	t_row("keys from a devices file");
	t_true("loads", sim_scenario_load_devices(&scenario, keys, strlen(keys), error));
	t_uint("dev_addr", 0x0100beef, third->dev_addr.value);
	t_uint("key", 0x01, third->session_keys.s_nwk_s_int_key.bytes[0]);
	static const char unknown[] = "[{\"name\": \"z\"}]";
	t_false("an unknown name", sim_scenario_load_devices(&scenario, unknown, strlen(unknown), error));
	static const char wrong[] = "[{\"name\": \"a-3\", \"dev_addr\": \"01\"}]";
	t_false("a short address", sim_scenario_load_devices(&scenario, wrong, strlen(wrong), error));
	t_true("names the place", strstr(error, "/0/dev_addr") != NULL);
	sim_scenario_release(&scenario);
}

static size_t read_file(const char *path, char *text, size_t capacity)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t length = fread(text, 1, capacity, file);
	fclose(file);
	return length;
}

static void what_is_shipped_loads(void **state)
{
	(void)state;
	static char text[65536];
	static const char *const files[] = {"simulator/scenarios/demo.yaml",
					    "simulator/scenarios/demo-eu868.yaml",
					    "simulator/scenarios/gateways.yaml"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct sim_scenario scenario;
		char error[SIM_SCENARIO_ERROR] = "";
		size_t length = read_file(files[i], text, sizeof text);
		t_row(files[i]);
		bool loads = sim_scenario_load(&scenario, files[i], text, length, error);
		t_str("error", "", error);
		t_true("loads", loads);
		t_true("sensors", scenario.device_count >= 4);
		if (loads)
			sim_scenario_release(&scenario);
	}
	static const struct {
		enum sim_payload payload;
		const char *file;
		size_t readings;
	} codecs[] = {
		{SIM_PAYLOAD_AIR, "simulator/scenarios/codecs/air.yaml", 4},
		{SIM_PAYLOAD_CLIMATE, "simulator/scenarios/codecs/climate.yaml", 3},
		{SIM_PAYLOAD_WATER, "simulator/scenarios/codecs/water.yaml", 4},
		{SIM_PAYLOAD_PARKING, "simulator/scenarios/codecs/parking.yaml", 3},
		{SIM_PAYLOAD_PEOPLE, "simulator/scenarios/codecs/people.yaml", 3},
	};
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		static struct codec codec;
		static struct codec_readings readings;
		char error[CODEC_ERROR_MAX] = "";
		size_t length = read_file(codecs[i].file, text, sizeof text);
		t_row(codecs[i].file);
		codec_load(&codec, codecs[i].file, text, length, error);
		t_str("error", "", error);
		for (uint64_t number = 0; number < 500; number++) {
			uint8_t payload[SIM_PAYLOAD_MAX];
			size_t size = sim_payload_make(codecs[i].payload, 1 + number % 7, number,
						       (int64_t)number * 60000000, payload);
			t_int("verdict", CODEC_DECODED,
			      codec_decode(&codec, 10, payload, size, &readings, NULL));
			t_uint("readings", codecs[i].readings, readings.count);
			for (size_t r = 0; r < readings.count; r++)
				t_false(readings.items[r].property, readings.items[r].out_of_range);
			double battery = readings.items[readings.count - 1].value;
			t_true("battery of 3.3 to 3.6 V", battery >= 3.3 && battery <= 3.6);
		}
	}
}

/* The formulas that stand in load_session.h, since import files and checkers rely on them. */
static void load_sessions(void **state)
{
	(void)state;
	struct sim_load_session session = sim_load_session(1000000);
	struct aes *aes = aes_new();
	uint8_t phy[SIM_LOAD_PHY_MAX];
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &session.dev_eui);
	t_row("device 1,000,000");
	t_str("dev_eui", "4c500000000f4240", eui);
	t_uint("dev_addr", 1000001, session.dev_addr.value);
	t_bytes("nwk_s_key", (const uint8_t *)"Nload\0\0\0\0\0\0\0\0\x0f\x42\x40", 16,
		session.nwk_s_key.bytes, 16);
	size_t length = sim_load_uplink(aes, 1000000, 70000, false, &(struct sim_load_answer){.length = 0},
					phy);
	t_uint("length", SIM_LOAD_PHY_LENGTH, length);
	struct lw_frame frame;
	t_int("parsed", LW_OK, lw_frame_parse(&frame, phy, length, LW_UP));
	t_uint("fcnt", 70000 & 0xffff, frame.fcnt);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = session.dev_addr,
				     .fcnt = 70000,
				     .msg = frame.msg,
				     .length = frame.msg_length};
	t_true("MIC", lw_mic_equal(frame.mic, lw_mic_1_0(aes, &session.nwk_s_key, &input)));
	uint8_t payload[8];
	lw_cipher_frm_payload(aes, &session.app_s_key, LW_UP, session.dev_addr, 70000, frame.frm_payload, 8,
			      payload);
	t_bytes("payload", (const uint8_t *)"\x00\x0f\x42\x40\x00\x01\x11\x70", 8, payload, 8);
	aes_free(aes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(scenarios_are_read_strictly),
		t_test(groups_count_up),
		t_test(what_is_shipped_loads),
		t_test(load_sessions),
	};
	return t_run(tests);
}
