/* Join-requests that somebody recorded and sends again, on the real processes over real UDP: nothing answers them; the last join's bytes
 * are a late copy and nothing else, older ones are an alarm with a count. */
#include "tests/harness/harness.h"

#include "common/lorawan/join_frame.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include <stdio.h>
#include <string.h>

#define DEV_EUI  "70b3d57ed00a0001"
#define JOIN_EUI "70b3d57ed0000001"
#define APP_KEY  "5d1f6c02d94e4b7fa3b05c6de7182907"

#define REPORTS_APART_S 2.5 /* of one device, at least (join_course.h) */

static struct t_network *network;
static struct t_gateway roof;

static int open_world(void **state)
{
	t_setup(state);
	network = t_network_start("");
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.3");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915");
	t_cli_must(network, 0, "device", "add", DEV_EUI, "--name", "Probe 1", "--application", "soil",
		   "--profile", "probe", "--join-eui", JOIN_EUI);
	t_cli_must(network, 0, "device", "keys", "set", DEV_EUI, "--app-key", APP_KEY);
	t_network_replicated(network);
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101));
	return 0;
}

static int close_world(void **state)
{
	t_gateway_close(&roof);
	t_network_free(network);
	return t_teardown(state);
}

static struct t_air request(uint16_t dev_nonce)
{
	struct lw_join_request request = {.dev_nonce = dev_nonce};
	struct lw_key key;
	struct t_air air = {.end = t_seconds(), .length = LW_JOIN_REQUEST_LENGTH};
	assert_true(lw_eui64_parse(JOIN_EUI, &request.join_eui));
	assert_true(lw_eui64_parse(DEV_EUI, &request.dev_eui));
	assert_true(lw_key_parse(APP_KEY, &key));
	t_uint("length", air.length, lw_join_request_encode(&request, air.phy));
	struct aes *aes = aes_new();
	lw_frame_set_mic(air.phy, air.length, lw_mic_join(aes, &key, air.phy, air.length - 4));
	aes_free(aes);
	return air;
}

/* The bytes are on the air now, as they were recorded. */
static void is_sent_again(struct t_air *air)
{
	air->end = t_seconds();
	t_true("heard", t_gateway_hears(&roof, air));
}

static void joins(struct t_air *air)
{
	struct sim_txpk accept;
	is_sent_again(air);
	t_true("answered", t_gateway_expects(&roof, &accept));
}

/* --- what is told ------------------------------------------------------------------------------------------------ */

/* How many attempts ended so. */
static unsigned attempts(const char *verdict)
{
	if (t_cli(network, "join", "list", "--device", DEV_EUI, "--json") != 0)
		return 0;
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	const json_t *items = json_object_get(answer, "items");
	unsigned count = 0;
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *says = json_string_value(json_object_get(item, "problem"));
		count += says && strcmp(says, verdict) == 0;
	}
	json_decref(answer);
	return count;
}

struct wanted {
	const char *verdict;
	unsigned count;
};

static bool are_told(void *ctx)
{
	const struct wanted *wanted = ctx;
	return attempts(wanted->verdict) >= wanted->count;
}

static void is_told_as(struct t_air *air, const char *verdict)
{
	struct wanted wanted = {verdict, attempts(verdict) + 1};
	t_until(air->end + REPORTS_APART_S);
	is_sent_again(air);
	t_true(verdict, t_wait_until(are_told, &wanted, T_SLOW_CEILING));
}

static json_int_t alarm_value(void)
{
	if (t_cli(network, "alarm", "list", "--kind", "join_replayed", "--json") != 0)
		return -1;
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	const json_t *items = json_is_array(answer) ? answer : json_object_get(answer, "items");
	json_int_t value = json_integer_value(json_object_get(json_array_get(items, 0), "value"));
	json_decref(answer);
	return value;
}

static bool is_counted(void *ctx)
{
	return alarm_value() >= *(const json_int_t *)ctx;
}

static void recorded_requests(void **state)
{
	(void)state;
	struct sim_down down;
	json_int_t three = 3;
	struct t_air recorded[] = {request(71), request(19), request(4711), request(20)};
	struct t_air *last = &recorded[3];
	t_row("it joins, again and again");
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		if (i > 0)
			t_until(recorded[i - 1].end + REPORTS_APART_S);
		joins(&recorded[i]);
	}

	t_row("the last one's bytes, which the network server remembers");
	is_told_as(last, "dev_nonce_repeated");
	t_row("which it has forgotten, and the join server has not");
	t_true("killed", t_network_kill(network, T_NETWORK_SERVER));
	t_true("back", t_network_healthy(network));
	is_told_as(last, "dev_nonce_repeated");

	t_row("older ones");
	for (size_t i = 0; i < 3; i++) {
		recorded[i].end = i > 0 ? recorded[i - 1].end : last->end;
		is_told_as(&recorded[i], "dev_nonce_used");
	}
	t_true("are an alarm that counts them", t_wait_until(is_counted, &three, T_SLOW_CEILING));
	t_int("late copies are none of them", 3, alarm_value());
	t_true("nothing was sent", !t_gateway_waits(&roof, SIM_DOWN_PULL_RESP, &down, 0.2));
	t_row("what a person is told");
	t_cli_must(network, 0, "alarm", "list");
	t_true("the device and the count", strstr(t_cli_output(network), "Probe 1") != NULL &&
						   strstr(t_cli_output(network), "3 join-requests") != NULL);
	t_network_stop(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"recorded_requests", recorded_requests, open_world, close_world, NULL}};
	return t_run(tests);
}
