/* A gateway of the world that comes by MQTT: what it publishes as the bridge's reader takes it, commands as the bridge's writer
 * makes them (the two share no code with the simulator), and what becomes of them on the air. */
#include "tests/harness/harness.h"

#include "gateway-bridge/chirpstack.h"
#include "simulator/world.h"

#include <stdio.h>
#include <string.h>

#define S  INT64_C(1000000)
#define ID UINT64_C(0x0016c001ff10a235)

static const char city[] =
	"region: eu868\narea_m: 100\ngateways:\n"
	"  - {eui: 0016c001ff10a235, x: 0, y: 0, protocol: chirpstack_mqtt, stat_s: 5, first_tmst: "
	"4294900000}\n"
	"devices:\n"
	"  - {name: probe, dev_eui: 70b3d57e00000001, activation: abp, mac_version: \"1.0.3\", dev_addr: "
	"26000001, "
	"nwk_s_key: 000102030405060708090a0b0c0d0e0f, app_s_key: 101112131415161718191a1b1c1d1e1f, "
	"payload: counter, x: 600, y: 0, dr: 5, adr: false, first_s: 1, interval_s: 10}\n";

static struct published {
	struct sim_world *world;
	struct arena scratch;
	const struct lw_eui64 *eui;
	unsigned ups, stats, acks, cuts;
	struct gb_chirpstack_uplink up;
	struct gb_chirpstack_stats stat;
	struct gb_chirpstack_ack ack;
} got;

static const struct lw_eui64 eui = {{0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35}};

static void publish(void *ctx, size_t gateway, const char *what, const uint8_t *bytes, size_t length)
{
	enum gb_verdict verdict = GB_MQTT_TOPIC;
	(void)ctx;
	t_uint("gateway", 0, gateway);
	if (strcmp(what, "event/up") == 0) {
		verdict = gb_chirpstack_uplink(&got.scratch, bytes, length, &eui, &got.up);
		got.ups++;
	} else if (strcmp(what, "event/stats") == 0) {
		verdict = gb_chirpstack_stats(&got.scratch, bytes, length, &eui, &got.stat);
		got.stats++;
	} else if (strcmp(what, "event/ack") == 0) {
		verdict = gb_chirpstack_ack(&got.scratch, bytes, length, &eui, &got.ack);
		got.acks++;
	}
	t_str(what, "accepted", gb_verdict_name(verdict));
}

static void cut(void *ctx, size_t gateway, bool cut_off)
{
	(void)ctx;
	(void)gateway;
	got.cuts += cut_off;
}

static void nowhere(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		    size_t length)
{
	(void)ctx, (void)now_us, (void)gateway, (void)socket, (void)bytes, (void)length;
	t_true("no datagram", false);
}

static struct sim_scenario scenario;

static struct sim_world *open_world(const char *more)
{
	char text[2000], error[SIM_SCENARIO_ERROR] = "";
	got = (struct published){0};
	arena_init(&got.scratch, GB_CHIRPSTACK_SCRATCH);
	snprintf(text, sizeof text, "%s%s", city, more);
	t_true("scenario", sim_scenario_load(&scenario, "test.yaml", text, strlen(text), error));
	t_str("error", "", error);
	struct sim_world *world = sim_world_new(&scenario, (struct wall){1700000000 * S},
						(struct sim_port){nowhere, NULL});
	sim_world_connect_mqtt(world, (struct sim_mqtt_port){publish, cut, NULL});
	sim_world_mqtt_connected(world, 0, 0, true);
	return world;
}

static void close_world(struct sim_world *world)
{
	sim_world_free(world);
	sim_scenario_release(&scenario);
	arena_release(&got.scratch);
}

static void what_it_says_is_what_the_bridge_reads(void **state)
{
	(void)state;
	struct sim_world *world = open_world("");
	sim_world_run(world, 4 * S);
	t_row("uplink");
	t_uint("one", 1, got.ups);
	t_uint("frame", 0x40, got.up.rxpk.phy[0]);
	t_true("its counter, that has wrapped", got.up.has_ticks && got.up.rxpk.ticks.us < 4294900000u);
	t_int("CRC", GW_CRC_OK, got.up.rxpk.crc);
	t_row("statistics");
	t_uint("not yet", 0, got.stats);
	sim_world_run(world, 6 * S);
	t_uint("every five seconds", 1, got.stats);
	t_uint("received", 1, got.stat.stats.rx_received);
	t_str("model", "simulated", got.stat.model);
	sim_world_run(world, 10500000);
	t_uint("of the interval alone", 0, got.stat.stats.rx_received);
	close_world(world);
}

static struct gw_tx_attempt attempt_at(uint32_t freq_hz)
{
	struct gw_tx_attempt attempt = {.timing = GW_AT_TICKS, .freq_hz = freq_hz, .power_dbm = 14};
	attempt.modulation.kind = LW_LORA;
	attempt.modulation.spreading_factor = 7;
	attempt.modulation.bandwidth_hz = 125000;
	return attempt;
}

static const uint8_t phy[] = {0x60, 1, 0, 0, 0x26, 0, 0, 0, 1, 2, 3, 4};

static size_t command(uint8_t *bytes, const struct lw_eui64 *to, span_us rx1, span_us rx2)
{
	static struct gw_tx_attempt first, second;
	size_t length = 0;
	first = attempt_at(868100000);
	second = attempt_at(869525000);
	const struct gb_chirpstack_item items[] = {{&first, &got.up.context, rx1},
						   {&second, &got.up.context, rx2}};
	t_str("written", "accepted",
	      gb_verdict_name(gb_chirpstack_down(7, to, items, 2, phy, sizeof phy, bytes, &length)));
	return length;
}

static void commands_are_carried_out_or_refused_with_their_cause(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us rx1, rx2;
		uint32_t statuses[2];
		unsigned sent;
	} rows[] = {
		{"the first window", 3 * S, 4 * S, {1, 0}, 1},
		{"the first is past", S / 10, 4 * S, {2, 1}, 1},
		{"both are past", S / 10, S / 5, {2, 2}, 0},
	};
	uint8_t bytes[GB_CHIRPSTACK_DOWN_ROOM];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct sim_world *world = open_world("");
		size_t count;
		sim_world_run(world, 2 * S);
		size_t length = command(bytes, &eui, rows[i].rx1, rows[i].rx2);
		sim_world_mqtt_command(world, 2 * S, 0, bytes, length);
		sim_world_run(world, 9 * S);
		t_uint("acknowledged", 1, got.acks);
		t_uint("id", 7, got.ack.downlink_id);
		for (size_t k = 0; k < 2; k++)
			t_uint("status", rows[i].statuses[k], got.ack.statuses[k]);
		const struct sim_air_entry *sent = sim_world_air(world, &count);
		t_uint("on the air", rows[i].sent, count);
		if (count > 0)
			t_bytes("as it came", phy, sizeof phy, sent[0].phy, sent[0].length);
		close_world(world);
	}
	t_row("another gateway's");
	struct sim_world *world = open_world("");
	struct lw_eui64 other = eui;
	other.bytes[7]++;
	sim_world_run(world, 2 * S);
	sim_world_mqtt_command(world, 2 * S, 0, bytes, command(bytes, &other, 3 * S, 4 * S));
	sim_world_run(world, 9 * S);
	t_uint("nothing is said", 0, got.acks);
	t_uint("refused", 1, sim_world_mqtt(world, 0)->refused);
	t_str("because", "a command for another gateway", sim_world_mqtt(world, 0)->why);
	close_world(world);
}

static void what_is_said_without_a_connection_is_lost(void **state)
{
	(void)state;
	struct sim_world *world = open_world(
		"faults:\n  - {at_s: 0.5, kind: backhaul_down, target: 0016c001ff10a235, for_s: 3}\n");
	t_row("a backhaul that is down");
	sim_world_run(world, 3 * S);
	t_uint("cut", 1, got.cuts);
	t_uint("no uplink", 0, got.ups);
	t_uint("lost", 1, sim_world_mqtt(world, 0)->lost);
	t_row("it comes back");
	sim_world_run(world, 4 * S);
	sim_world_mqtt_connected(world, 4 * S, 0, true);
	sim_world_run(world, 13 * S);
	t_uint("the next uplink", 1, got.ups);
	close_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(what_it_says_is_what_the_bridge_reads),
					   t_test(commands_are_carried_out_or_refused_with_their_cause),
					   t_test(what_is_said_without_a_connection_is_lost)};
	return t_run(tests);
}
