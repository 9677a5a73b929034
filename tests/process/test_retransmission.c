/* A repeat is not a copy, on the real processes: gateways and a device whose every step is decided here, over real UDP. The seconds
 * that pass are those of the device's windows and of a slow backhaul; what is asserted are events, downlinks and counters. */
#include "tests/harness/harness.h"

#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include <stdio.h>
#include <string.h>

#define RX2_S     2.0 /* RxDelay 1 s */
#define DEV_EUI   "70b3d57ed0090001"
#define NWK_S_KEY "44024241ed4ce9a68c6a8bc055233fd3"
#define APP_S_KEY "3ad77bb40d7a3660a89ecaf32466ef97"

static struct t_network *network;
static struct t_subscriber *agency;
static struct t_gateway roof, tower;
static struct t_device device;

static void register_device(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "trees", "--name", "Trees", "--agency",
		   "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4", "--rx-delay-s", "1");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000102", "--name", "Tower", "--region", "us915");
	t_cli_must(network, 0, "device", "add", DEV_EUI, "--name", "Probe 1", "--application", "trees",
		   "--profile", "probe", "--activation", "abp", "--dev-addr", "01019001");
	t_cli_must(network, 0, "device", "keys", "set", DEV_EUI, "--nwk-s-key", NWK_S_KEY, "--app-s-key",
		   APP_S_KEY);
	t_network_replicated(network);
	device = (struct t_device){.dev_addr = {0x01019001}};
	assert_true(lw_key_parse(NWK_S_KEY, &device.nwk_s_key));
	assert_true(lw_key_parse(APP_S_KEY, &device.app_s_key));
}

static int open_world(void **state)
{
	t_setup(state);
	network = t_network_start("network-server:\n  rx_delay_s: 1\n");
	register_device();
	agency = t_network_subscribe(network);
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101));
	assert_true(t_gateway_open(&tower, t_network_port(network), 0xaa555a0000000102));
	return 0;
}

static int close_world(void **state)
{
	t_gateway_close(&roof);
	t_gateway_close(&tower);
	t_subscriber_free(agency);
	t_network_free(network);
	return t_teardown(state);
}

/* --- steps --------------------------------------------------------------------------------------------------- */

struct answer {
	struct sim_txpk txpk;
	struct lw_frame frame;
};

/* An ACK for the device at either gateway. */
static bool has_ack(void *ctx)
{
	struct answer *answer = ctx;
	struct t_gateway *const gateways[] = {&roof, &tower};
	for (size_t i = 0; i < 2; i++) {
		struct sim_down down;
		if (!t_gateway_waits(gateways[i], SIM_DOWN_PULL_RESP, &down, 0.005))
			continue;
		answer->txpk = down.txpk;
		if (t_device_reads(&device, &answer->txpk, &answer->frame) && answer->frame.fctrl.ack)
			return true;
	}
	return false;
}

static bool expect_ack(const char *name, struct answer *answer)
{
	t_row(name);
	return t_true("ACK", t_wait_until(has_ack, answer, T_CEILING));
}

/* Both gateways' clocks become known, so that a copy can be placed in time. */
static void warm_up(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct answer answer;
		struct t_air air = t_device_sends(&device, true, 1, "warm", 4);
		t_row("warm-up");
		t_true("heard by the roof", t_gateway_hears(&roof, &air));
		t_true("heard by the tower", t_gateway_hears(&tower, &air));
		expect_ack("warm-up", &answer);
		t_until(air.end + RX2_S);
	}
}

static void count_events(unsigned wanted[], size_t counters)
{
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		json_t *event = json_loads(t_subscriber_payload(agency, i), 0, NULL);
		json_int_t fcnt = json_integer_value(json_object_get(event, "fCnt"));
		if (fcnt >= 0 && (size_t)fcnt < counters)
			wanted[fcnt]++;
		json_decref(event);
	}
}

struct counter_wanted {
	json_int_t fcnt;
};

static bool has_event(void *ctx)
{
	const struct counter_wanted *wanted = ctx;
	unsigned events[64] = {0};
	count_events(events, 64);
	return events[wanted->fcnt] > 0;
}

/* One more confirmed frame, answered under exactly the next counter: nothing else was sent to the device before. When its event is
 * there, so is everything that came before it. */
static void next_frame_is_answered_under(uint16_t fcnt_down)
{
	struct answer answer;
	struct t_air air = t_device_sends(&device, true, 1, "next", 4);
	struct counter_wanted wanted = {device.fcnt_up - 1};
	t_row("the frame after it");
	t_true("heard", t_gateway_hears(&roof, &air));
	if (expect_ack("the frame after it", &answer))
		t_uint("FCntDown", fcnt_down, answer.frame.fcnt);
	t_true("its event", t_wait_until(has_event, &wanted, T_CEILING));
	t_until(air.end + RX2_S);
}

static void expect_one_event(uint32_t fcnt)
{
	unsigned events[64] = {0};
	count_events(events, 64);
	t_uint("events of the frame", 1, events[fcnt]);
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void lost_ack_is_given_again_under_another_counter(void **state)
{
	(void)state;
	struct answer first, second;
	warm_up();
	uint32_t fcnt = device.fcnt_up;
	struct t_air air = t_device_sends(&device, true, 10, "\x01\x02\x03", 3);
	t_row("first transmission");
	t_true("heard", t_gateway_hears(&roof, &air));
	if (!expect_ack("first transmission", &first))
		return;
	t_until(air.end + RX2_S + 3.2); /* the ACK was lost */
	air.end = t_seconds();
	t_row("the same bytes 3.2 s after RX2");
	t_true("heard by the same gateway", t_gateway_hears(&roof, &air));
	t_true("and by another", t_gateway_hears(&tower, &air));
	if (!expect_ack("the same bytes 3.2 s after RX2", &second))
		return;
	t_uint("the next FCntDown", first.frame.fcnt + 1u, second.frame.fcnt);
	t_true("other bytes", first.txpk.length != second.txpk.length ||
				      memcmp(first.txpk.phy, second.txpk.phy, first.txpk.length) != 0);
	t_until(air.end + RX2_S);
	next_frame_is_answered_under((uint16_t)(second.frame.fcnt + 1));
	expect_one_event(fcnt);
}

static void copy_four_seconds_late_is_nothing(void **state)
{
	(void)state;
	struct answer answer;
	warm_up();
	uint32_t fcnt = device.fcnt_up;
	struct t_air air = t_device_sends(&device, true, 10, "\x04\x05\x06", 3);
	t_row("transmission");
	t_true("heard by the roof", t_gateway_hears(&roof, &air));
	if (!expect_ack("transmission", &answer))
		return;
	t_until(air.end + 4);
	t_row("a copy 4 s late");
	t_true("reported by the tower", t_gateway_hears(&tower, &air));
	next_frame_is_answered_under((uint16_t)(answer.frame.fcnt + 1));
	expect_one_event(fcnt);
	t_true("counted", t_metric(t_network_admin(network, T_NETWORK_SERVER),
				   "lamppost_network_drops_total{reason=\"late_copy\"}") > 0);
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(lost_ack_is_given_again_under_another_counter),
		IN_WORLD(copy_four_seconds_late_is_nothing),
	};
	return t_run(tests);
}
