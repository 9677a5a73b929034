/* `lamppost frames` on the real processes with simulated radio: what passes is shown with its verdict, whatever became of it;
 * a server that dies is waited for; who does not read harms nobody. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEV_EUI   "70b3d57ed0090001"
#define NWK_S_KEY "44024241ed4ce9a68c6a8bc055233fd3"
#define APP_S_KEY "3ad77bb40d7a3660a89ecaf32466ef97"
#define TEXT_MAX  (4u << 20)

static struct t_network *network;
static struct t_gateway roof;
static struct t_device device;
static char *text; /* what a follower wrote */

static int open_world(void **state)
{
	t_setup(state);
	if (network)
		return 0; /* one world for all of them */
	network = t_network_start("");
	t_network_furnish(network);
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4", "--rx-delay-s", "1");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000109", "--name", "Hand", "--region", "us915");
	t_cli_must(network, 0, "device", "add", DEV_EUI, "--name", "Probe 1", "--application", "city-block",
		   "--profile", "probe", "--activation", "abp", "--dev-addr", "01019001");
	t_cli_must(network, 0, "device", "keys", "set", DEV_EUI, "--nwk-s-key", NWK_S_KEY, "--app-s-key",
		   APP_S_KEY);
	t_network_replicated(network);
	device = (struct t_device){.dev_addr = {0x01019001}};
	assert_true(lw_key_parse(NWK_S_KEY, &device.nwk_s_key));
	assert_true(lw_key_parse(APP_S_KEY, &device.app_s_key));
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000109));
	text = malloc(TEXT_MAX);
	assert_non_null(text);
	return 0;
}

static int close_world(void **state)
{
	free(text);
	t_gateway_close(&roof);
	t_network_free(network);
	return t_teardown(state);
}

/* --- followers ----------------------------------------------------------------------------------------------- */

static bool follows(void *count)
{
	return t_metric(t_network_admin(network, T_NETWORK_SERVER), "lamppost_network_frames_followers") ==
	       *(const double *)count;
}

static bool wait_followers(double count)
{
	return t_true("the network server knows", t_wait_until(follows, &count, T_SLOW_CEILING));
}

/* `words` end with NULL. */
static struct t_process *follow(const char *name, const char *const *words)
{
	char run[T_PATH_MAX + 32];
	snprintf(run, sizeof run, "LAMPPOST_RUN=%s/run", t_network_dir(network));
	struct t_process_options options = {.program = "lamppost",
					    .arguments = {"frames", "--follow"},
					    .variables = {run},
					    .dir = t_network_dir(network),
					    .name = name};
	for (size_t i = 0; words[i]; i++)
		options.arguments[i + 2] = words[i];
	return t_process_start(&options);
}

/* What is looked for among the lines of a follower. */
struct sought {
	struct t_process *follower;
	const char *type, *verdict, *direction;
	const char *dev_eui; /* NULL: any */
	size_t after;        /* lines before are not looked at */
	json_t *found;       /* of the caller */
};

static size_t line_count(struct t_process *follower)
{
	size_t count = 0;
	for (const char *at = t_process_log(follower, text, TEXT_MAX); (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

static bool is(const json_t *json, const char *member, const char *wanted)
{
	const char *got = json_string_value(json_object_get(json, member));
	return !wanted || (got && strcmp(got, wanted) == 0);
}

static bool is_found(void *ctx)
{
	struct sought *sought = ctx;
	size_t number = 0;
	const char *line = t_process_log(sought->follower, text, TEXT_MAX);
	for (const char *end; !sought->found && (end = strchr(line, '\n')); line = end + 1) {
		if (number++ < sought->after)
			continue;
		json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
		if (json && is(json, "fType", sought->type) && is(json, "verdict", sought->verdict) &&
		    is(json, "direction", sought->direction) && is(json, "devEui", sought->dev_eui))
			sought->found = json_incref(json);
		json_decref(json);
	}
	return sought->found != NULL;
}

/* Gives the first frame of that kind, the caller's; NULL after failing. */
static json_t *expect_frame(struct t_process *follower, const char *type, const char *verdict,
			    const char *direction, const char *dev_eui, size_t after)
{
	struct sought sought = {follower, type, verdict, direction, dev_eui, after, NULL};
	char row[100];
	snprintf(row, sizeof row, "%s %s %s", direction, type, verdict);
	t_row(row);
	t_true("is shown", t_wait_until(is_found, &sought, T_SLOW_CEILING));
	return sought.found;
}

static void expect_shown(struct t_process *follower, const char *type, const char *verdict,
			 const char *direction, const char *dev_eui)
{
	json_decref(expect_frame(follower, type, verdict, direction, dev_eui, 0));
}

static void device_sends(bool right_key)
{
	if (!right_key)
		device.nwk_s_key.bytes[0] ^= 1;
	struct t_air air = t_device_sends(&device, false, 5, "hand", 4);
	if (!right_key)
		device.nwk_s_key.bytes[0] ^= 1;
	t_true("heard", t_gateway_hears(&roof, &air));
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void every_kind_of_frame_is_shown_with_its_verdict(void **state)
{
	(void)state;
	t_row("follow");
	struct t_process *follower = follow("all", (const char *[]){"--json", "--foreign", NULL});
	struct t_process *ours = follow("ours", (const char *[]){"--json", "--device", DEV_EUI, NULL});
	struct t_process *wrong = follow(
		"wrong", (const char *[]){"--plain", "--verdict", "mic", "--count", "1", NULL});
	wait_followers(3);
	struct t_process *simulator = t_network_simulate(network, "simulator/scenarios/demo.yaml", NULL);
	device_sends(true);
	device_sends(false);
	struct t_device stranger = device;
	stranger.dev_addr.value = 0x48000001;
	struct t_air air = t_device_sends(&stranger, false, 5, "far", 3);
	t_true("heard", t_gateway_hears(&roof, &air));

	json_t *accepted = expect_frame(follower, "UnconfirmedDataUp", "accepted", "up", DEV_EUI, 0);
	t_true("a name", is(accepted, "deviceName", "Probe 1"));
	t_true("an address", is(accepted, "devAddr", "01019001"));
	const char *phy = json_string_value(json_object_get(accepted, "phyPayload"));
	t_true("bytes", phy && strlen(phy) == 2 * (13 + 4));
	json_decref(accepted);
	json_t *wrong_key = expect_frame(follower, "UnconfirmedDataUp", "mic", "up", NULL, 0);
	t_true("nobody's", json_object_get(wrong_key, "devEui") == NULL);
	t_true("a problem", is(wrong_key, "standing", "problem"));
	json_decref(wrong_key);
	expect_shown(follower, "UnconfirmedDataUp", "foreign_dev_addr", "up", NULL);
	expect_shown(follower, "JoinRequest", "accepted", "up", "70b3d57ed0050001");
	expect_shown(follower, "JoinAccept", "sent", "down", "70b3d57ed0050001");
	expect_shown(follower, "JoinAccept", "tx_ok", "down", "70b3d57ed0050001");
	expect_shown(follower, "UnconfirmedDataUp", "accepted", "up", "70b3d57ed0050002"); /* joined */
	expect_shown(follower, "UnconfirmedDataDown", "tx_ok", "down", NULL);

	t_row("filters");
	t_int("one that was asked for, and the end", 0, t_process_wait(wrong));
	t_true("a line", strstr(t_process_log(wrong, text, TEXT_MAX), "  mic ") != NULL);
	t_uint("one line", 1, line_count(wrong));
	expect_shown(ours, "UnconfirmedDataUp", "accepted", "up", DEV_EUI);
	t_row("only of the device");
	for (char *line = (char *)(uintptr_t)t_process_log(ours, text, TEXT_MAX), *end;
	     (end = strchr(line, '\n')); line = end + 1) {
		json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
		t_true("its own", is(json, "devEui", DEV_EUI));
		json_decref(json);
	}
	t_process_signal(ours, SIGINT);
	t_int("interrupted", 130, t_process_wait(ours));
	wait_followers(1);
	t_process_stop(simulator);
	t_process_free(simulator);
	t_process_stop(follower);
	t_process_free(follower);
	t_process_free(ours);
	t_process_free(wrong);
	wait_followers(0);
}

static void a_server_that_dies_is_waited_for(void **state)
{
	(void)state;
	static const enum t_role roles[] = {T_NETWORK_SERVER, T_APPLICATION_SERVER};
	t_row("follow");
	struct t_process *follower = follow("patient", (const char *[]){"--json", NULL});
	wait_followers(1);
	device_sends(true);
	json_decref(expect_frame(follower, "UnconfirmedDataUp", "accepted", "up", DEV_EUI, 0));
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		t_row(t_role_name(roles[i]));
		t_true("killed", t_network_kill(network, roles[i]));
		t_true("all is well again", t_network_healthy(network));
		wait_followers(1);
		size_t before = line_count(follower);
		device_sends(true);
		json_decref(expect_frame(follower, "UnconfirmedDataUp", "accepted", "up", DEV_EUI, before));
	}
	t_process_stop(follower);
	t_process_free(follower);
}

static void what_cannot_be_followed_is_said_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *name, *option, *value;
		int code;
	} rows[] = {
		{"a device that is not registered", "--device", "70b3d57ed00900ff", 3},
		{"a prefix with bits behind it", "--dev-addr", "26010203/7", 4},
		{"a verdict that no rule has", "--verdict", "mic,mics", 2},
		{"a direction", "--direction", "sideways", 4},
		{"a socket that nobody has", "--socket", "/nonexistent.sock", 5},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("exit code", rows[i].code,
		      t_cli(network, "frames", "--follow", rows[i].option, rows[i].value));
	}
}

static bool refuses_a_verdict(void *ctx)
{
	char answer[1024], city[T_PATH_MAX];
	(void)ctx;
	snprintf(city, sizeof city, "%s/run/city.sock", t_network_dir(network));
	/* Nobody's gateway, so that it is an answer in any case, and no stream. */
	return t_unix_get(city, "/api/v1/frames?verdict=mic,mics&gateway=none", answer, sizeof answer) ==
		       422 &&
	       strstr(answer, "mics: no such verdict");
}

/* The application server asks for the rules at each link, so that the screen's filter is judged as the command line's. */
static void the_api_knows_the_rules(void **state)
{
	(void)state;
	t_row("a verdict that no rule has");
	t_true("is refused", t_wait_until(refuses_a_verdict, NULL, T_SLOW_CEILING));
}

static double delivered(void)
{
	return t_metric(t_network_admin(network, T_APPLICATION_SERVER), "lamppost_application_uplinks_total");
}

static double accepted(void)
{
	return t_metric(t_network_admin(network, T_NETWORK_SERVER), "lamppost_network_uplinks_total");
}

struct counted {
	double accepted, delivered; /* at the beginning */
	double least;
};

static bool all_delivered(void *ctx)
{
	const struct counted *from = ctx;
	double taken = accepted() - from->accepted;
	return taken >= from->least && taken == delivered() - from->delivered;
}

static bool is_told(void *follower)
{
	return strstr(t_process_log(follower, text, TEXT_MAX), "{\"lost\":") != NULL;
}

/* A follower that is stopped reads nothing. Deliveries go on, and it is told what it missed. As fast as the bridge lets one
 * gateway send. */
static void who_does_not_read_harms_nobody(void **state)
{
	(void)state;
	t_row("stopped");
	struct t_process *follower = follow("stopped", (const char *[]){"--json", NULL});
	wait_followers(1);
	device_sends(true);
	json_decref(expect_frame(follower, "UnconfirmedDataUp", "accepted", "up", DEV_EUI, 0));
	t_process_signal(follower, SIGSTOP);
	struct counted from = {accepted(), delivered(), 0};
	unsigned sent = 0;
	bool lost = false;
	while (!lost && sent < 10000) {
		double next = t_seconds();
		for (unsigned i = 0; i < 50; i++, sent++, next += 0.006) {
			device_sends(true);
			t_until(next);
		}
		lost = t_metric(t_network_admin(network, T_APPLICATION_SERVER),
				"lamppost_application_frames_lost_total") >= 1;
	}
	/* Windows of frames 6 ms apart, which no device sends, may close in another order: those are refused as old. */
	from.least = 0.9 * sent;
	t_true("it missed some", lost);
	t_true("all that were accepted are delivered", t_wait_until(all_delivered, &from, T_SLOW_CEILING));
	t_process_signal(follower, SIGCONT);
	t_true("it is told", t_wait_until(is_told, follower, T_SLOW_CEILING));
	size_t before = line_count(follower);
	device_sends(true);
	json_decref(expect_frame(follower, "UnconfirmedDataUp", "accepted", "up", DEV_EUI, before));
	t_process_stop(follower);
	t_process_free(follower);
}

int main(void)
{
#define IN_WORLD(f, close)                     \
	{                                      \
#f, f, open_world, close, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(every_kind_of_frame_is_shown_with_its_verdict, t_teardown),
		IN_WORLD(a_server_that_dies_is_waited_for, t_teardown),
		IN_WORLD(what_cannot_be_followed_is_said_at_once, t_teardown),
		IN_WORLD(the_api_knows_the_rules, t_teardown),
		IN_WORLD(who_does_not_read_harms_nobody, close_world),
	};
	return t_run(tests);
}
