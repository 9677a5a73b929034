/* What goes wrong in a city, caused on the real four processes, and what `lamppost why` says of it: which process, which rule, with
 * the numbers of this very case. Gateways and devices are the test's own over real UDP. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include "common/base/hex.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/mic.h"

#include <stdio.h>
#include <string.h>

#define PROBE     "70b3d57ed0090001"
#define DISABLED  "70b3d57ed0090002"
#define JOINER    "70b3d57ed0090003"
#define JOIN_EUI  "70b3d57ed0000001"
#define NWK_S_KEY "44024241ed4ce9a68c6a8bc055233fd3"
#define APP_S_KEY "3ad77bb40d7a3660a89ecaf32466ef97"
#define APP_KEY   "8a1f6c02d94e4b7fa3b05c6de7182901"
#define ROOF      "aa555a0000000101"
#define CELLAR    "aa555a0000000102" /* registered, never heard */
#define STRANGER  "aa555a0000000199" /* not registered */

#define APART_S 7.0 /* from RX1 delay + 1 s on two receptions are two transmissions */
#define CEILING T_SLOW_CEILING

static struct t_network *network;
static struct t_gateway roof, stranger;
static struct t_device probe, disabled;

static struct t_device abp(uint32_t dev_addr)
{
	struct t_device device = {.dev_addr = {dev_addr}};
	assert_true(lw_key_parse(NWK_S_KEY, &device.nwk_s_key));
	assert_true(lw_key_parse(APP_S_KEY, &device.app_s_key));
	return device;
}

static void register_abp(const char *eui, const char *name, const char *dev_addr)
{
	t_cli_must(network, 0, "device", "add", eui, "--name", name, "--application", "trees", "--profile",
		   "probe", "--activation", "abp", "--dev-addr", dev_addr);
	t_cli_must(network, 0, "device", "keys", "set", eui, "--nwk-s-key", NWK_S_KEY, "--app-s-key",
		   APP_S_KEY);
}

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "trees", "--name", "Trees", "--agency",
		   "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4", "--codec", "cayenne-lpp");
	t_cli_must(network, 0, "gateway", "add", ROOF, "--name", "Roof", "--region", "us915");
	t_cli_must(network, 0, "gateway", "add", CELLAR, "--name", "Cellar", "--region", "us915");
	register_abp(PROBE, "Probe 1", "01019001");
	register_abp(DISABLED, "Probe 2", "01019002");
	t_cli_must(network, 0, "device", "add", JOINER, "--name", "Joiner", "--application", "trees",
		   "--profile", "probe", "--join-eui", JOIN_EUI);
	t_cli_must(network, 0, "device", "keys", "set", JOINER, "--app-key", APP_KEY);
	t_cli_must(network, 0, "device", "update", DISABLED, "--enabled", "false");
	t_network_replicated(network);
	probe = abp(0x01019001);
	disabled = abp(0x01019002);
}

static int open_world(void **state)
{
	t_setup(state);
	network = t_network_start("");
	furnish();
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101));
	return 0;
}

static int close_world(void **state)
{
	t_gateway_close(&roof);
	t_network_free(network);
	return t_teardown(state);
}

/* --- asking -------------------------------------------------------------------------------------------------------- */

struct asked {
	const char *kind, *id;
	const char *rule;     /* "network-server  fcnt_old" */
	const char *texts[4]; /* that stand between that line and the next decision */
};

/* Whether the answer has a decision of that rule with those texts. */
static bool says(void *ctx)
{
	const struct asked *asked = ctx;
	if (t_cli(network, "why", asked->kind, asked->id, "--limit", "200") != 0)
		return false;
	const char *at = t_cli_output(network);
	while ((at = strstr(at, asked->rule))) {
		const char *end = strstr(at, "\n20"); /* the next one begins with its year */
		size_t length = end ? (size_t)(end - at) : strlen(at);
		bool all = true;
		for (size_t i = 0; i < ARRAY_SIZE(asked->texts) && asked->texts[i] && all; i++) {
			const char *found = strstr(at, asked->texts[i]);
			all = found && found < at + length;
		}
		if (all)
			return true;
		at += strlen(asked->rule);
	}
	return false;
}

static void expect(const char *row, struct asked asked)
{
	t_row(row);
	if (!t_true("named with its numbers", t_wait_until(says, &asked, CEILING)))
		fprintf(stderr, "%s\n", t_cli_output(network));
}

static bool summary_has(const char *text)
{
	const char *output = t_cli_output(network), *end = strstr(output, "\n\n20");
	const char *found = strstr(output, text);
	bool has = found && (!end || found < end);
	if (!has)
		fprintf(stderr, "%s\n", output);
	return has;
}

/* --- causes ---------------------------------------------------------------------------------------------------------- */

/* What stands in its payload is not Cayenne LPP; then the second frame comes once more, when others have come. */
static void a_replayed_frame_and_a_wrong_codec(void **state)
{
	static const uint8_t payload[] = {0x01, 0xee, 0x05};
	(void)state;
	struct t_air first = t_device_sends(&probe, false, 5, payload, sizeof payload);
	t_true("heard", t_gateway_hears(&roof, &first));
	expect("the codec",
	       (struct asked){"device",
			      PROBE,
			      "application-server  lpp_unknown_type",
			      {"Uplink 0 was stored undecoded", "byte 0 of its 3 bytes on port 5",
			       "→ The payload is not Cayenne LPP"}});
	struct t_air second = t_device_sends(&probe, false, 5, payload, sizeof payload);
	t_true("heard", t_gateway_hears(&roof, &second));
	struct t_air third = t_device_sends(&probe, false, 5, payload, sizeof payload);
	t_true("heard", t_gateway_hears(&roof, &third));
	expect("the third is there",
	       (struct asked){
		       "device", PROBE, "application-server  lpp_unknown_type", {"Uplink 2 was stored"}});
	t_until(second.end + APART_S);
	second.end = t_seconds();
	t_true("the second again", t_gateway_hears(&roof, &second));
	expect("a replay", (struct asked){"device",
					  PROBE,
					  "network-server  fcnt_old",
					  {"Counter 1 was used before; 3 or more was expected"}});
	t_true("the summary has it",
	       summary_has("Device " PROBE " (Probe 1):") && summary_has("the network server: "));

	char mic[9], counted[] = "01019001:2";
	hex_encode(mic, second.phy + second.length - 4, 4);
	expect("by its MIC",
	       (struct asked){"frame", mic, "network-server  fcnt_old", {"Counter 1 was used"}});
	char phy[2 * LW_PHY_PAYLOAD_MAX + 1];
	hex_encode(phy, second.phy, second.length);
	expect("by its bytes",
	       (struct asked){"frame", phy, "network-server  fcnt_old", {"Counter 1 was used"}});
	expect("by address and counter",
	       (struct asked){"frame", counted, "network-server  uplink", {"Counter 2 was accepted"}});
}

static void a_disabled_device(void **state)
{
	(void)state;
	struct t_air air = t_device_sends(&disabled, false, 5, "x", 1);
	t_true("heard", t_gateway_hears(&roof, &air));
	expect("disabled",
	       (struct asked){"device", DISABLED, "network-server  device_disabled", {"DevNonce is 0"}});
	t_true("the summary says so first", summary_has("it is disabled: its frames are refused"));
	t_true("and what to do", summary_has("lamppost device update " DISABLED " --enabled true"));
}

/* The AppKey in the device ends in other digits. */
static void a_join_with_the_wrong_key(void **state)
{
	(void)state;
	struct lw_join_request request = {.dev_nonce = 4711};
	struct lw_key key;
	struct t_air air = {.end = t_seconds(), .length = LW_JOIN_REQUEST_LENGTH};
	assert_true(lw_eui64_parse(JOIN_EUI, &request.join_eui));
	assert_true(lw_eui64_parse(JOINER, &request.dev_eui));
	assert_true(lw_key_parse("8a1f6c02d94e4b7fa3b05c6de71829ff", &key));
	t_uint("length", air.length, lw_join_request_encode(&request, air.phy));
	struct aes *aes = aes_new();
	lw_frame_set_mic(air.phy, air.length, lw_mic_join(aes, &key, air.phy, air.length - 4));
	aes_free(aes);
	t_true("heard", t_gateway_hears(&roof, &air));
	expect("the join server", (struct asked){"join",
						 JOINER,
						 "join-server  mic_failed",
						 {"DevNonce 4711", "does not fit the registered root key",
						  "→ Set the key again"}});
	expect("the application server",
	       (struct asked){"join", JOINER, "application-server  wrong_key", {"→ Set the key again"}});
	expect("the device, too", (struct asked){"device", JOINER, "join-server  mic_failed", {"4711"}});
}

static void gateways(void **state)
{
	(void)state;
	assert_true(t_gateway_open(&stranger, t_network_port(network), 0xaa555a0000000199));
	struct t_air air = t_device_sends(&probe, false, 5, "x", 1);
	t_true("acknowledged", t_gateway_hears(&stranger, &air));
	expect("not registered", (struct asked){"gateway",
						STRANGER,
						"gateway-bridge  unknown_gateway",
						{STRANGER, "127.0.0.1", "→ If it is yours, register it"}});
	t_true("the summary", summary_has("it is not registered"));
	t_gateway_close(&stranger);

	expect("registered and never heard",
	       (struct asked){"gateway",
			      CELLAR,
			      "gateway-bridge  now_never_heard",
			      {CELLAR, "no datagram of it was taken", "→ Check its power"}});
	t_gateway_close(&roof);
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101)); /* it pulls */
	expect("one that is well", (struct asked){"gateway",
						  ROOF,
						  "gateway-bridge  now_online",
						  {"from 127.0.0.1", "frames forwarded"}});
	expect("since when", (struct asked){"gateway", ROOF, "gateway-bridge  accepted", {"127.0.0.1"}});
	t_gateway_raw(&roof, "\x02\x01\x02\x00\xaa\x55\x5a\x00\x00\x00\x01\x01{\"rxpk\":[{\"tmst\":1}]}",
		      36 - 3);
	expect("what was refused in a datagram, and where",
	       (struct asked){"gateway", ROOF, "gateway-bridge  missing_member", {"Entry 1 of a report"}});
}

static void a_downlink_that_is_too_long(void **state)
{
	char hex[2 * 250 + 1];
	(void)state;
	memset(hex, '1', sizeof hex - 1);
	hex[sizeof hex - 1] = '\0';
	t_cli_must(network, 4, "downlink", "send", PROBE, "--port", "10", "--hex", hex);
	expect("refused", (struct asked){"device",
					 PROBE,
					 "application-server  command_too_long",
					 {"250 bytes", "port 10", "242 bytes at most", "→ Split it"}});
}

static void one_downlink(void **state)
{
	(void)state;
	t_cli_must(network, 0, "downlink", "send", PROBE, "--port", "10", "--hex", "0a0164", "--id",
		   "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11");
	expect("it waits", (struct asked){"downlink",
					  "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11",
					  "application-server  queued",
					  {"port 10, 3 bytes"}});
	t_true("the summary", summary_has("it is queued"));
	t_cli_must(network, 3, "why", "downlink", "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c12");
}

/* The application server is away: the other processes are asked, and it is said. */
static void without_the_application_server(void **state)
{
	char socket[T_PATH_MAX];
	(void)state;
	snprintf(socket, sizeof socket, "%s/run/nobody.sock", t_network_dir(network));
	t_cli_must(network, 0, "why", "device", JOINER, "--socket", socket);
	t_true("said", strstr(t_cli_output(network), "The application server is not reached") != NULL);
	t_true("answered", strstr(t_cli_output(network), "join-server  mic_failed") != NULL);
	t_cli_must(network, 0, "why", "device", JOINER, "--socket", socket, "--json");
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	t_true("direct", json_is_true(json_object_get(answer, "direct")));
	t_true("decisions", json_array_size(json_object_get(answer, "decisions")) > 0);
	json_decref(answer);
	t_cli_must(network, 5, "why", "downlink", "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11", "--socket", socket);
	t_cli_must(network, 2, "why", "device", "70b3");
	t_cli_must(network, 2, "why");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_replayed_frame_and_a_wrong_codec", a_replayed_frame_and_a_wrong_codec, open_world,
		 t_teardown, NULL},
		t_test(a_disabled_device),
		t_test(a_join_with_the_wrong_key),
		t_test(gateways),
		t_test(a_downlink_that_is_too_long),
		t_test(one_downlink),
		{"without_the_application_server", without_the_application_server, t_setup, close_world,
		 NULL},
	};
	return t_run(tests);
}
