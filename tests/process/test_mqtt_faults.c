/* Gateways by MQTT when something is not as it should be: payloads of any length, a gateway that floods, a broker that stands still, a
 * downlink whose uplink is long gone. Real bridge, real Mosquitto; each ends in a named cause, and the neighbours notice nothing. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/mqtt_gateway.h"
#include "tests/harness/temp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOF  UINT64_C(0x0016c001ff10a235)
#define TOWER UINT64_C(0x0016c001ff10a236)
#define FLOOD 20000
#define TURN  500
#define UP    "eu868/gateway/0016c001ff10a235/event/up"

static char broker_dir[T_DIR_MAX];
static struct t_mosquitto *broker;
static struct t_bridge *rig;
static struct t_mqtt_gateway *roof, *tower;

static bool both_online(void *ctx)
{
	(void)ctx;
	t_bridge_pump(rig);
	return strcmp(t_upstream_presence(rig->upstream, ROOF), "mqtt") == 0 &&
	       strcmp(t_upstream_presence(rig->upstream, TOWER), "mqtt") == 0;
}

static int open_world(void **state)
{
	char text[100];
	t_setup(state);
	t_temp_dir(broker_dir);
	broker = t_mosquitto_start(broker_dir, 0);
	snprintf(text, sizeof text, "  mqtt.url: \"mqtt://127.0.0.1:%u\"\n", t_mosquitto_port(broker));
	rig = t_bridge_start(false, text);
	t_upstream_add(rig->upstream, ROOF)->accept = GW_ACCEPT_MQTT;
	t_upstream_add(rig->upstream, TOWER)->accept = GW_ACCEPT_MQTT;
	t_upstream_listen(rig->upstream);
	assert_true(t_bridge_has_list(rig));
	roof = t_mqtt_gateway_start(t_mosquitto_port(broker), "eu868", ROOF);
	tower = t_mqtt_gateway_start(t_mosquitto_port(broker), "eu868", TOWER);
	assert_true(t_wait_until(both_online, NULL, T_CEILING));
	return 0;
}

static int close_world(void **state)
{
	t_mqtt_gateway_free(roof);
	t_mqtt_gateway_free(tower);
	t_bridge_stop(rig);
	t_mosquitto_free(broker);
	t_temp_dir_remove(broker_dir);
	return t_teardown(state);
}

struct named {
	const char *name;
	double count;
};

static bool is_named(void *ctx)
{
	const struct named *named = ctx;
	t_bridge_pump(rig);
	return t_bridge_verdict(rig, named->name) >= named->count;
}

static bool verdict(const char *name, double count)
{
	struct named named = {name, count};
	return t_wait_until(is_named, &named, T_CEILING);
}

static bool uplinks_came(void *ctx)
{
	t_bridge_pump(rig);
	return rig->upstream->uplinks >= *(const unsigned *)ctx;
}

static bool uplinks(unsigned wanted)
{
	return t_wait_until(uplinks_came, &wanted, T_CEILING);
}

static bool acks_came(void *ctx)
{
	t_bridge_pump(rig);
	return rig->upstream->tx_acks >= *(const unsigned *)ctx;
}

static bool acks(unsigned wanted)
{
	return t_wait_until(acks_came, &wanted, T_CEILING);
}

static const struct gw_tx_ack *last_ack(void)
{
	return &rig->upstream->tx_ack[(rig->upstream->tx_acks - 1) % T_BRIDGE_KEPT];
}

/* Most memory that the bridge ever had, in MB. */
static long peak_mb(void)
{
	char path[64], line[200];
	long kb = -1;
	snprintf(path, sizeof path, "/proc/%d/status", t_process_pid(rig->process));
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	fclose(file);
	return kb / 1024;
}

/* RX1 behind an uplink with these ticks. */
static void order(uint64_t eui, uint64_t id, uint32_t ticks)
{
	struct gw_downlink downlink = {
		.id = id, .phy = {0x60, 1, 2, 3, 4}, .phy_length = 5, .attempt_count = 1};
	downlink.attempts[0] = (struct gw_tx_attempt){.gateway = lw_eui64_from_number(eui),
						      .window = GW_RX1,
						      .timing = GW_AT_TICKS,
						      .ticks = {ticks + 5000000},
						      .freq_hz = 868100000,
						      .modulation = {LW_LORA, 7, 125000, .code_rate = "4/5"},
						      .power_dbm = 14,
						      .invert_polarity = true};
	t_upstream_send(rig->upstream, &downlink);
}

/* --- tests */

static void payloads_of_any_length(void **state)
{
	(void)state;
	static const size_t lengths[] = {0, 1, 32768, 32769, 65535, 1 << 20};
	uint8_t *bytes = malloc(lengths[5]);
	assert_non_null(bytes);
	memset(bytes, 0x0a, lengths[5]);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		t_mqtt_gateway_publish(roof, UP, bytes, lengths[i], false);
	free(bytes);
	t_mqtt_gateway_uplink(roof, 1000);
	t_true("a good one behind them comes", uplinks(1));
	t_true("the long ones are named", verdict("too_long", 3));
	t_true("and take no room", peak_mb() < 64);
}

static void count_tower(void *ctx, const struct gw_uplink *uplink)
{
	*(unsigned *)ctx += lw_eui64_number(&uplink->gateway) == TOWER;
}

static bool tower_is_heard(void *ctx)
{
	t_bridge_pump(rig);
	return *(const unsigned *)ctx == FLOOD / TURN;
}

static void a_gateway_that_floods(void **state)
{
	(void)state;
	unsigned heard = 0;
	rig->upstream->on_uplink = count_tower;
	rig->upstream->ctx = &heard;
	for (unsigned i = 0; i < FLOOD; i++) {
		t_mqtt_gateway_uplink(roof, i * 1000);
		if (i % TURN == 0)
			t_mqtt_gateway_uplink(tower, i * 1000);
	}
	t_true("each of its neighbour's frames comes", t_wait_until(tower_is_heard, &heard, T_CEILING));
	t_true("its limit is named", verdict("rate_eui", 1000));
}

static void a_downlink_whose_uplink_has_gone(void **state)
{
	(void)state;
	t_mqtt_gateway_uplink(roof, 1000000);
	t_true("heard", uplinks(1));
	t_row("half a second beside it");
	order(ROOF, 1, 1500000);
	t_true("answered", acks(1));
	t_str("named", "context_gone", last_ack()->cause);
	t_row("more than sixteen seconds behind it");
	order(ROOF, 2, 21000000);
	t_true("answered", acks(2));
	t_str("named", "context_gone", last_ack()->cause);
	t_row("the bridge was started anew, and knows no uplink of before");
	t_process_kill(rig->process);
	t_process_free(rig->process);
	rig->upstream->presences = 0;
	memset(rig->upstream->presence, 0, sizeof rig->upstream->presence);
	t_bridge_run(rig);
	t_true("there", t_wait_until(both_online, NULL, T_CEILING));
	order(ROOF, 3, 1000000);
	t_true("answered", acks(3));
	t_str("named", "context_gone", last_ack()->cause);
	t_str("the network server may try another", "no_path", gw_tx_result_name(last_ack()->result));
}

static void a_broker_that_stands_still(void **state)
{
	(void)state;
	t_mqtt_gateway_uplink(roof, 1000000);
	t_true("heard", uplinks(1));
	t_mosquitto_freeze(broker, true);
	for (unsigned i = 0; i < 40; i++)
		order(ROOF, 100 + i, 1000000);
	t_row("each is answered once");
	t_true("all", acks(40));
	t_str("how", "no_answer", gw_tx_result_name(last_ack()->result));
	t_true("its other doors are open", t_is_healthy(rig->admin));
	t_mosquitto_freeze(broker, false);
	t_row("it goes on");
	t_mqtt_gateway_uplink(roof, 9000000);
	t_true("heard", uplinks(2));
	t_true("what waited comes late", t_mqtt_gateway_wait(roof, 40));
	order(ROOF, 200, 9000000);
	t_true("the next command", t_mqtt_gateway_wait(roof, 41));
	t_uint("no second answer", 40, rig->upstream->tx_acks);
}

static void *speaks(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		t_mqtt_gateway_stats(roof);
		(void)nanosleep(&(struct timespec){.tv_nsec = 100000000L}, NULL);
	}
	return NULL;
}

/* It cannot be asked: what it says next is the answer. */
static void a_ping_is_answered_by_what_it_says(void **state)
{
	(void)state;
	char body[512];
	pthread_t thread;
	atomic_bool stop = false;
	assert_int_equal(0, pthread_create(&thread, NULL, speaks, &stop));
	int code = t_unix_post(rig->admin, "/gateways/0016c001ff10a235/ping", "{}", body, sizeof body);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	t_int("answered", 200, code);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(payloads_of_any_length),           in_world(a_gateway_that_floods),
		in_world(a_downlink_whose_uplink_has_gone), in_world(a_ping_is_answered_by_what_it_says),
		in_world(a_broker_that_stands_still),
	};
	return t_run(tests);
}
