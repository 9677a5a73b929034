/* A gateway configured by `lamppost gateway config` finds the real bridge; one of another sub-band is told of, and no longer
 * when it is put right. And `lamppost frame` as people run it, through the real program. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOF "aa555a0000000101"

static struct t_network *network;

/* Whether the network server has the gateway with this plan; a join server is told of no gateway. */
static bool has_plan(void *ctx)
{
	char body[8192], wanted[64];
	snprintf(wanted, sizeof wanted, "\"plan\":\"%s\"", (const char *)ctx);
	return t_unix_get(t_network_admin(network, T_NETWORK_SERVER), "/gateways", body, sizeof body) ==
		       200 &&
	       strstr(body, wanted) != NULL;
}

static void plan_arrives(char *plan)
{
	t_true("the network server has it", t_wait_until(has_plan, plan, T_CEILING));
}

static int open_world(void **state)
{
	static char plan[] = "8-15,65";
	t_setup(state);
	network = t_network_start("network-server:\n  regions: [us915, eu868]\n  extra_channels:\n    eu868: "
				  "\"867.1 867.3/869.1 868.3@6\"\n  channel_plans:\n    us915: sub-band 3\n");
	t_cli_must(network, 0, "gateway", "add", ROOF, "--name", "Roof", "--region", "us915",
		   "--channel-plan", "8-15,65");
	plan_arrives(plan);
	return 0;
}

static int close_world(void **state)
{
	t_network_free(network);
	return t_teardown(state);
}

/* Reads the configuration as the packet forwarder would: where to, who it is, and its channels. */
static json_t *generated(const char *path)
{
	char port[16];
	snprintf(port, sizeof port, "%u", t_network_port(network));
	remove(path);
	t_cli_must(network, 0, "gateway", "config", ROOF, "--for", "lora_pkt_fwd", "--server", "127.0.0.1",
		   "--port", port, "--chip", "sx1301", "--output", path);
	return json_load_file(path, 0, NULL);
}

/* One frame of somebody else, heard on a frequency. */
static void hears(struct t_gateway *gateway, double mhz, unsigned number)
{
	char json[512], data[BASE64_ROOM(64)];
	uint8_t phy[64] = {0x40, 4, 3, 2, 1, 0, 0, 0},
		datagram[640] = {2, (uint8_t)number, (uint8_t)(number >> 8), 0};
	for (size_t i = 0; i < 4; i++)
		phy[8 + i] = (uint8_t)(number >> 8 * i);
	base64_encode(data, phy, 12);
	memcpy(datagram + 4, gateway->eui.bytes, 8);
	int length = snprintf(
		json, sizeof json,
		"{\"rxpk\":[{\"tmst\":%u,\"freq\":%.6f,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
		"\"codr\":\"4/5\",\"lsnr\":9.0,\"rssi\":-60,\"size\":12,\"data\":\"%s\"}]}",
		(unsigned)(t_seconds() * 1e6), mhz, data);
	memcpy(datagram + 12, json, (size_t)length);
	struct sim_down down;
	t_gateway_raw(gateway, datagram, 12 + (size_t)length);
	t_true("acknowledged", t_gateway_waits(gateway, SIM_DOWN_PUSH_ACK, &down, T_CEILING));
}

static bool health_says(void *ctx)
{
	char body[8192];
	return t_unix_get(t_network_admin(network, T_NETWORK_SERVER), "/healthz", body, sizeof body) == 200 &&
	       (strstr(body, "\"gateway_off_plan\"") != NULL) == *(const bool *)ctx;
}

static bool says(bool warning)
{
	return t_wait_until(health_says, &warning, T_CEILING);
}

/* Pulls until the bridge, which learns of gateways by itself, passes on what this one says. */
static bool is_online(void *ctx)
{
	struct t_gateway *gateway = ctx;
	char body[8192];
	uint8_t pull[12] = {2, 0, 1, 2};
	memcpy(pull + 4, gateway->eui.bytes, 8);
	t_gateway_raw(gateway, pull, sizeof pull);
	return t_unix_get(t_network_admin(network, T_NETWORK_SERVER), "/gateways", body, sizeof body) ==
		       200 &&
	       strstr(body, "\"online\":true") != NULL;
}

static void opens(struct t_gateway *gateway, uint16_t port, uint64_t eui)
{
	t_true("acknowledged", t_gateway_open(gateway, port, eui));
	t_true("online", t_wait_until(is_online, gateway, T_CEILING));
}

static bool all_counted(void *ctx)
{
	(void)ctx;
	return t_metric(t_network_admin(network, T_NETWORK_SERVER),
			"lamppost_network_off_plan_receptions_total") == 24;
}

static void a_configured_gateway(void **state)
{
	(void)state;
	char path[T_PATH_MAX];
	struct t_gateway gateway;
	t_row("address, port and EUI of the generated file reach the bridge");
	snprintf(path, sizeof path, "%s/global_conf.json", t_network_dir(network));
	json_t *made = generated(path);
	assert_non_null(made);
	const json_t *conf = json_object_get(made, "gateway_conf"),
		     *chip = json_object_get(made, "SX1301_conf");
	t_str("address", "127.0.0.1", json_string_value(json_object_get(conf, "server_address")));
	uint64_t eui = strtoull(json_string_value(json_object_get(conf, "gateway_ID")), NULL, 16);
	uint16_t port = (uint16_t)json_integer_value(json_object_get(conf, "serv_port_up"));
	opens(&gateway, port, eui);
	long centre = (long)json_integer_value(json_object_get(json_object_get(chip, "radio_0"), "freq"));
	long offset = (long)json_integer_value(
		json_object_get(json_object_get(chip, "chan_multiSF_0"), "if"));
	for (unsigned i = 0; i < 12; i++)
		hears(&gateway, (double)(centre + offset) / 1e6, 1000 + i);
	t_true("no warning", says(false));
	char body[8192];
	t_int("known", 200,
	      t_unix_get(t_network_admin(network, T_NETWORK_SERVER), "/gateways", body, sizeof body));
	t_true("its plan", strstr(body, "\"plan\":\"8-15,65\",\"off_plan\":{\"raised\":false") != NULL);
	json_decref(made);
	t_gateway_close(&gateway);
}

static void another_sub_band(void **state)
{
	(void)state;
	char body[8192];
	struct t_gateway gateway;
	const char *admin = t_network_admin(network, T_NETWORK_SERVER);
	t_row("a gateway that hears the first sub-band");
	opens(&gateway, t_network_port(network), strtoull(ROOF, NULL, 16));
	for (unsigned i = 0; i < 24; i++)
		hears(&gateway, 902.3 + 0.2 * (i % 8), 2000 + i);
	t_true("a warning", says(true));
	t_unix_get(admin, "/healthz", body, sizeof body);
	t_true("with its cause",
	       strstr(body, "gateway " ROOF " hears 90") && strstr(body, "its plan is 8-15,65"));
	t_true("and the next step", strstr(body, "next: lamppost gateway config " ROOF) != NULL);
	t_true("metric", t_metric(admin, "lamppost_network_gateways_off_plan") == 1);
	t_true("receptions", t_wait_until(all_counted, NULL, T_CEILING));
	t_unix_get(admin, "/gateways", body, sizeof body);
	t_true("and in its row", strstr(body, "\"off_plan\":{\"raised\":true") != NULL);
	t_cli_must(network, 1, "status"); /* something is to be done */
	t_true("status shows it", strstr(t_cli_output(network), "gateway " ROOF " hears 90") != NULL);

	t_row("its record is put right");
	t_cli_must(network, 0, "gateway", "update", ROOF, "--channel-plan", "0-7,64");
	static char plan[] = "0-7,64";
	plan_arrives(plan);
	t_true("no warning", says(false));
	t_gateway_close(&gateway);
}

static void refusals(void **state)
{
	(void)state;
	t_row("a plan that no gateway can hear");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000109", "--name", "All", "--region", "us915",
		   "--channel-plan", "0-15,64-65");
	t_cli_must(network, 4, "gateway", "config", "aa555a0000000109", "--for", "chirpstack", "--server",
		   "127.0.0.1");
	t_true("why", strstr(t_cli_output(network), "16 channels of 125 kHz") != NULL);
	t_row("what is missing");
	t_cli_must(network, 2, "gateway", "config", ROOF, "--for", "lora_pkt_fwd");
	t_cli_must(network, 2, "gateway", "config", ROOF, "--server", "127.0.0.1");
	t_cli_must(network, 2, "gateway", "config", ROOF, "--for", "station", "--server", "a\"b");
	t_cli_must(network, 3, "gateway", "config", "aa555a00000001ff", "--for", "station", "--server",
		   "127.0.0.1");
}

/* A dynamic region: the gateway hears the network's extra channels as well, as its configuration names them. */
static void extra_channels(void **state)
{
	(void)state;
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/eu.json", t_network_dir(network));
	t_row("extra channels of the configuration");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000110", "--name", "Harbour", "--region",
		   "eu868");
	t_cli_must(network, 0, "gateway", "config", "aa555a0000000110", "--for", "lora_pkt_fwd", "--server",
		   "192.0.2.1", "--output", path);
	t_cli_must(network, 4, "gateway", "config", "aa555a0000000110", "--for", "lora_pkt_fwd", "--server",
		   "192.0.2.1", "--output", path);
	t_true("nothing is overwritten", strstr(t_cli_output(network), "is there already") != NULL);
	json_t *made = json_load_file(path, 0, NULL);
	const json_t *chip = json_object_get(made, "SX130x_conf");
	unsigned on = 0;
	for (int i = 0; i < 8; i++) {
		char name[24];
		snprintf(name, sizeof name, "chan_multiSF_%d", i);
		on += json_is_true(json_object_get(json_object_get(chip, name), "enable"));
	}
	t_uint("three of the region and two of the network", 5, on);
	const json_t *service = json_object_get(chip, "chan_Lora_std");
	t_true("and one at 250 kHz", json_is_true(json_object_get(service, "enable")));
	t_int("bandwidth", 250000, json_integer_value(json_object_get(service, "bandwidth")));
	json_decref(made);

	snprintf(path, sizeof path, "%s/us.json", t_network_dir(network));
	t_row("a gateway whose record names no channels hears the network's plan");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000111", "--name", "Pier", "--region", "us915");
	t_cli_must(network, 0, "gateway", "config", "aa555a0000000111", "--for", "lora_pkt_fwd", "--server",
		   "192.0.2.1", "--output", path);
	made = json_load_file(path, 0, NULL);
	chip = json_object_get(made, "SX130x_conf");
	long radio = (long)json_integer_value(json_object_get(
		json_object_get(chip, json_integer_value(json_object_get(
					      json_object_get(chip, "chan_Lora_std"), "radio"))
					      ? "radio_1"
					      : "radio_0"),
		"freq"));
	t_int("its 500 kHz channel", 906200000,
	      radio + json_integer_value(json_object_get(json_object_get(chip, "chan_Lora_std"), "if")));
	json_decref(made);

	t_row("and one whose record names sub-bands those");
	t_cli_must(network, 0, "gateway", "update", "aa555a0000000111", "--channel-plan", "sub-band 1");
	t_cli_must(network, 4, "gateway", "update", "aa555a0000000111", "--channel-plan", "sub-band 9");
	t_true("says what it expects", strstr(t_cli_output(network), "sub-bands 1-2") != NULL);
}

#define NWK_S_KEY "44024241ed4ce9a68c6a8bc055233fd3"
#define APP_S_KEY "ec925802ae430ca77fd3dd73cb2cc588"
#define FRAME     "40f17dbe4900020001954378762b11ff0d"

static void frames(void **state)
{
	(void)state;
	char keys[T_PATH_MAX], document[T_PATH_MAX], word[T_PATH_MAX + 1];
	snprintf(keys, sizeof keys, "%s/keys.yaml", t_network_dir(network));
	t_write_file(keys, "nwk_s_key: \"" NWK_S_KEY "\"\napp_s_key: \"" APP_S_KEY "\"\n");
	t_row("explained with keys from a file");
	t_cli_must(network, 0, "frame", "decode", FRAME, "--keys", keys);
	t_true("payload", strstr(t_cli_output(network), "74657374 \"test\"") != NULL);
	t_true("MIC", strstr(t_cli_output(network), "2b11ff0d: right") != NULL);
	t_true("no key",
	       !strstr(t_cli_output(network), NWK_S_KEY) && !strstr(t_cli_output(network), APP_S_KEY));

	t_row("there and back through the programs");
	t_cli_must(network, 0, "frame", "decode", "--json", FRAME, "--keys", keys);
	t_true("no key",
	       !strstr(t_cli_output(network), NWK_S_KEY) && !strstr(t_cli_output(network), APP_S_KEY));
	snprintf(document, sizeof document, "%s/frame.json", t_network_dir(network));
	t_write_file(document, t_cli_output(network));
	snprintf(word, sizeof word, "@%s", document);
	t_cli_must(network, 0, "frame", "build", "--object", word, "--keys", keys);
	t_str("the same", FRAME "\n", t_cli_output(network));
	t_cli_must(network, 0, "frame", "build", "--type", "UnconfirmedDataUp", "--dev-addr", "49be7df1",
		   "--fcnt", "2", "--fport", "1", "--frm-payload", "74657374", "--nwk-s-key", NWK_S_KEY,
		   "--app-s-key", APP_S_KEY);
	t_str("by options", FRAME "\n", t_cli_output(network));

	t_row("a frame a line, with comments");
	char program[T_PATH_MAX], command[4 * T_PATH_MAX], answer[4096] = "";
	t_program_path(program, sizeof program, "lamppost");
	snprintf(command, sizeof command,
		 "printf '# two\\n" FRAME
		 "\\n\\nQPF9vkkAAgABlUN4disR/w0=\\n' | %s frame decode --json --keys %s -",
		 program, keys);
	FILE *out = popen(command, "r");
	assert_non_null(out);
	size_t length = fread(answer, 1, sizeof answer - 1, out);
	answer[length] = '\0';
	t_int("exit code", 0, pclose(out));
	char *second = strchr(answer, '\n');
	t_true("two documents",
	       second && strstr(answer, "\"mic_valid\":true") && strstr(second, "\"mic_valid\":true"));

	t_row("what is wrong");
	t_cli_must(network, 4, "frame", "decode", "40f17dbe4900020001954378762b11ff0e", "--keys", keys);
	t_true("MIC", strstr(t_cli_output(network), "WRONG") != NULL);
	t_cli_must(network, 2, "frame", "decode", "not a frame");
	t_cli_must(network, 2, "frame", "decode", FRAME, "--nwk-s-key", "1234");
	t_true("no part of a key is said", !strstr(t_cli_output(network), "1234"));
	t_cli_must(network, 4, "frame", "build", "--type", "UnconfirmedDataUp", "--dev-addr", "49be7df1",
		   "--fcnt", "2", "--fport", "0", "--fopts", "02", "--nwk-s-key", NWK_S_KEY);
	t_true("why", strstr(t_cli_output(network), "not in both") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_configured_gateway, open_world, close_world),
		cmocka_unit_test_setup_teardown(another_sub_band, open_world, close_world),
		cmocka_unit_test_setup_teardown(refusals, open_world, close_world),
		cmocka_unit_test_setup_teardown(extra_channels, open_world, close_world),
		cmocka_unit_test_setup_teardown(frames, open_world, close_world),
	};
	return t_run(tests);
}
