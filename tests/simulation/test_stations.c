/* Gateways that are Basics Stations through a whole city (world/world.h): the simulated station against the bridge's core, with the real
 * cores and stores behind it. The judge holds at every step: every reading delivered once as it was made, no counter or nonce twice,
 * every command at its end. */
#include "tests/harness/harness.h"
#include "tests/simulation/world/world.h"

#include "common/base/check.h"

static struct world *city(uint64_t seed, unsigned gateways, unsigned stations, unsigned interval_s)
{
	struct world *world = world_new(seed);
	world_gateways(world, gateways);
	world_stations(world, stations);
	world_devices(world, 1, WORLD_OTAA_1_0_4);
	world_devices(world, 1, WORLD_OTAA_1_1);
	world_devices(world, 1, WORLD_ABP_1_0_3);
	world_interval(world, interval_s);
	world_begin(world);
	return world;
}

static void ends_well(struct world *world)
{
	world_settle(world);
	t_str("all that is promised", "", world_broken(world));
	world_free(world);
}

static void devices_join_and_are_answered(void **state)
{
	(void)state;
	t_row("one station: joins, readings, confirmations and commands");
	struct world *world = city(1, 1, 1, 120);
	world_commands(world, 6);
	world_run_hours(world, 2);
	struct world_totals totals = world_totals(world);
	t_true("joined", totals.joins >= 2);
	t_true("readings", totals.delivered >= 150);
	t_true("commands", totals.commands_received >= 10);
	t_true("the station sent them", world_station_sent(world, 0) >= totals.commands_received + 2);
	t_uint("one session", 1, world_station_sessions(world, 0));
	t_uint("nothing stale", 0, world_station_stale(world, 0));
	ends_well(world);
}

static void what_misses_rx1_goes_to_rx2(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned backhaul_ms;
		bool rx1, rx2;
	} rows[] = {{"a quick backhaul: RX1", 20, true, false}, {"a slow one: RX2", 550, false, true}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct world *world = world_new(7);
		world_gateways(world, 1);
		world_stations(world, 1);
		world_devices(world, 1,
			      WORLD_ABP_1_0_3); /* RX1 after a second; every second reading is confirmed */
		world_place(world, 0, 60, 5);
		world_interval(world, 60);
		world_begin(world);
		world_slow(world, 0, rows[i].backhaul_ms);
		world_run_hours(world, 1);
		uint64_t all = world_station_sent(world, 0), second = world_sent_at(world, 869525000);
		t_true("answers", all >= 20);
		t_int("in RX1", rows[i].rx1, all > second);
		t_int("in RX2", rows[i].rx2, second > 0);
		ends_well(world);
	}
}

static void a_reconnect_in_between_costs_no_session(void **state)
{
	(void)state;
	t_row("the backhaul is cut again and again, between uplink and answer too");
	struct world *world = city(2, 1, 1, 30);
	world_run_seconds(world, 300);
	for (unsigned i = 0; i < 12; i++) {
		world_cut(world, 0, 5 + i);
		world_run_seconds(world, 77.3 + i);
	}
	t_true("sessions", world_station_sessions(world, 0) >= 10);
	t_uint("nothing of an old session reached it", 0, world_station_stale(world, 0));
	ends_well(world);
}

static void the_bridge_and_the_station_restart(void **state)
{
	(void)state;
	t_row("the bridge dies, the station restarts: both come back");
	struct world *world = city(3, 1, 1, 60);
	world_run_seconds(world, 300);
	world_crash(world, WORLD_BRIDGE, WORLD_AFTER_COMMIT);
	world_run_seconds(world, 120);
	uint64_t sessions = world_station_sessions(world, 0);
	t_true("a new session", sessions >= 2);
	world_restart_gateway(world, 0);
	world_run_seconds(world, 120);
	t_true("and another", world_station_sessions(world, 0) > sessions);
	uint64_t delivered = world_totals(world).delivered;
	world_run_seconds(world, 600);
	t_true("readings go on", world_totals(world).delivered > delivered + 15);
	ends_well(world);
}

static void stations_and_forwarders_serve_together(void **state)
{
	(void)state;
	t_row("two stations and a packet forwarder, faults of all kinds");
	for (uint64_t seed = 10; seed < 13; seed++) {
		struct world *world = city(seed, 3, 2, 60);
		world_faults(world, 60);
		world_commands(world, 6);
		world_run_hours(world, 1);
		ends_well(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(devices_join_and_are_answered), t_test(what_misses_rx1_goes_to_rx2),
		t_test(a_reconnect_in_between_costs_no_session), t_test(the_bridge_and_the_station_restart),
		t_test(stations_and_forwarders_serve_together)};
	return t_run(tests);
}
