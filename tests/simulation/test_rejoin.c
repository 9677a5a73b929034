/* Rejoins of 1.1 through a whole city (world/world.h): real cores, edges and stores of all servers, and a device that shares nothing
 * with them. The judge holds at every step: no counter, nonce or JoinNonce twice, every reading delivered once as it was made, every
 * command at its end. */
#include "tests/harness/harness.h"
#include "tests/simulation/world/world.h"

#include "common/base/check.h"

#include <stdio.h>

static struct world *city(uint64_t seed, unsigned interval_s)
{
	struct world *world = world_new(seed);
	world_gateways(world, 1);
	world_devices(world, 1, WORLD_OTAA_1_1);
	world_place(world, 0, 60, 5);
	world_interval(world, interval_s);
	world_begin(world);
	world_run_seconds(world, 1900);
	return world;
}

static void ends_well(struct world *world)
{
	world_settle(world);
	t_str("all that is promised", "", world_broken(world));
	world_free(world);
}

static const char *const types[] = {"type 0", "type 1", "type 2"};

/* A new address and new keys, and readings go on under them. */
static void each_type_renews_the_session(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type++) {
		t_row(types[type]);
		struct world *world = city(100 + type, 60);
		uint32_t before = world_device_addr(world, 0);
		t_true("joined", before != 0);
		world_rejoin(world, 0, type);
		world_run_seconds(world, 30);
		t_uint("sent", 1, world_rejoins(world, 0, type, false));
		t_uint("accepted", 1, world_rejoins(world, 0, type, true));
		t_true("another address", world_device_addr(world, 0) != before);
		uint64_t delivered = world_totals(world).delivered;
		world_run_seconds(world, 600);
		t_true("readings go on", world_totals(world).delivered >= delivered + 8);
		ends_well(world);
	}
}

/* The accept is lost: the old session goes on, and the next count is taken. */
static void a_lost_accept_costs_nothing(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type++) {
		t_row(types[type]);
		struct world *world = city(200 + type, 600);
		uint32_t before = world_device_addr(world, 0);
		world_run_seconds(world, 100); /* between two readings */
		world_deafen(world, 0, 1);
		world_rejoin(world, 0, type);
		world_run_seconds(world, 30);
		t_uint("sent", 1, world_rejoins(world, 0, type, false));
		t_uint("not heard", 0, world_rejoins(world, 0, type, true));
		uint64_t delivered = world_totals(world).delivered;
		world_run_seconds(world, 1300);
		t_true("the old session goes on", world_totals(world).delivered >= delivered + 2);
		t_uint("under its address", before, world_device_addr(world, 0));
		world_rejoin(world, 0, type);
		world_run_seconds(world, 30);
		t_uint("accepted", 1, world_rejoins(world, 0, type, true));
		world_run_seconds(world, 1300);
		ends_well(world);
	}
}

/* Servers die between request and accept, and between accept and first uplink. */
static void a_restart_in_between_costs_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum world_process process;
		enum world_moment moment;
		double after_s; /* the request */
	} rows[] = {
		{"network server, before it asks", WORLD_NETWORK, WORLD_BEFORE_COMMIT, 0.1},
		{"network server, having asked", WORLD_NETWORK, WORLD_AFTER_COMMIT, 0.2},
		{"network server, in the midst of a commit", WORLD_NETWORK, WORLD_IN_COMMIT, 0.25},
		{"network server, the accept under way", WORLD_NETWORK, WORLD_AFTER_COMMIT, 3},
		{"network server, before the first uplink", WORLD_NETWORK, WORLD_AFTER_COMMIT, 6.5},
		{"join server, before it is asked", WORLD_JOIN, WORLD_BEFORE_COMMIT, 0},
		{"join server, having decided", WORLD_JOIN, WORLD_AFTER_COMMIT, 0},
		{"application server, before it has the new key", WORLD_APPLICATION, WORLD_BEFORE_COMMIT,
		 0.2},
		{"application server, having the new key", WORLD_APPLICATION, WORLD_AFTER_COMMIT, 0.3},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct world *world = city(300 + i, 300);
		world_rejoin(world, 0, i % 3);
		if (rows[i].after_s > 0)
			world_run_seconds(world, rows[i].after_s);
		world_crash(world, rows[i].process, rows[i].moment);
		uint64_t delivered = world_totals(world).delivered;
		world_run_seconds(world, 1600);
		t_true("readings go on", world_totals(world).delivered >= delivered + 4);
		world_rejoin(world, 0, i % 3);
		world_run_seconds(world, 60);
		t_true("another rejoin is taken", world_rejoins(world, 0, i % 3, true) >= 1);
		ends_well(world);
	}
}

/* Commands that wait while the keys change arrive under the new ones. */
static void commands_cross_the_change_of_keys(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type++) {
		t_row(types[type]);
		struct world *world = city(400 + type, 300);
		for (unsigned i = 0; i < 3; i++)
			world_send_command(world, 0, i % 2 == 1);
		world_run_seconds(world, 2);
		world_rejoin(world, 0, type);
		world_run_seconds(world, 40);
		t_uint("accepted", 1, world_rejoins(world, 0, type, true));
		world_run_seconds(world, 2400);
		t_uint("commands", 3, world_totals(world).commands_received);
		ends_well(world);
	}
}

/* RJcount0 begins anew with each session, RJcount1 never. */
static void many_rejoins_in_a_row(void **state)
{
	(void)state;
	struct world *world = city(500, 300);
	unsigned accepted = 0;
	for (unsigned i = 0; i < 12; i++) {
		world_rejoin(world, 0, i % 3);
		world_run_seconds(world, i % 2 ? 30 : 400);
	}
	for (unsigned type = 0; type <= 2; type++)
		accepted += world_rejoins(world, 0, type, true);
	t_uint("accepted", 12, accepted);
	ends_well(world);
}

/* From the API to the device's ForceRejoinReq, and back with new keys. */
static void the_city_orders_a_rejoin(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		unsigned type;
		bool crash;
	} rows[] = {
		{"type 2, as usual", "{}", 2, false},
		{"type 0", "{\"rejoin_type\": 0}", 0, false},
		{"type 2 at DR 3, with a retry", "{\"data_rate\": 3, \"max_retries\": 1}", 2, false},
		{"ordered, then the network server dies", "{}", 2, true},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct world *world = city(600 + i, 120);
		uint32_t before = world_device_addr(world, 0);
		t_int("status", 202, world_order_rejoin(world, 0, rows[i].body));
		world_run_seconds(world, 5);
		if (rows[i].crash)
			world_crash(world, WORLD_NETWORK, WORLD_AFTER_COMMIT);
		world_run_seconds(world, 600);
		t_uint("sent once", 1, world_rejoins(world, 0, rows[i].type, false));
		t_uint("accepted", 1, world_rejoins(world, 0, rows[i].type, true));
		t_true("another address", world_device_addr(world, 0) != before);
		ends_well(world);
	}
}

/* The accept of each try is lost but the last: the device keeps to what it was told (5.13). */
static void an_ordered_rejoin_is_tried_again(void **state)
{
	(void)state;
	struct world *world = city(700, 3000);
	t_int("status", 202, world_order_rejoin(world, 0, "{\"max_retries\": 2, \"period\": 1}"));
	while (world_rejoins(world, 0, 2, false) == 0)
		if (!world_run_seconds(world, 1))
			break;
	world_deafen(world, 0, 2);
	world_run_seconds(world, 30);
	t_uint("one try", 1, world_rejoins(world, 0, 2, false));
	world_run_seconds(world, 90);
	t_uint("two tries, 64 to 96 s apart", 2, world_rejoins(world, 0, 2, false));
	world_run_seconds(world, 110);
	t_uint("three", 3, world_rejoins(world, 0, 2, false));
	t_uint("the last is heard", 1, world_rejoins(world, 0, 2, true));
	world_run_seconds(world, 3000);
	t_uint("and none follows", 3, world_rejoins(world, 0, 2, false));
	ends_well(world);
}

/* More accepts than anybody keeps sessions for, none of them heard and no reading between: the session in use stays, with its
 * application key. */
static void a_session_outlives_all_accepts_that_are_not_heard(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type++) {
		t_row(types[type]);
		struct world *world = city(800 + type, 1000);
		uint32_t before = world_device_addr(world, 0);
		world_run_seconds(world, 100);
		for (unsigned i = 0; i < 8; i++) {
			world_deafen(world, 0, 1);
			world_rejoin(world, 0, type);
			world_run_seconds(world, 40);
		}
		t_uint("sent", 8, world_rejoins(world, 0, type, false));
		t_uint("heard", 0, world_rejoins(world, 0, type, true));
		uint64_t delivered = world_totals(world).delivered;
		world_deafen(world, 0, 0);
		world_run_seconds(world, 2500);
		t_uint("the same address", before, world_device_addr(world, 0));
		t_true("readings go on", world_totals(world).delivered >= delivered + 2);
		ends_well(world);
	}
}

/* The device has heard an accept and made no reading since: what it asks for next proves that session, and its further accepts are
 * lost. */
static void a_session_without_uplinks_outlives_them_too(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type += 2) {
		t_row(types[type]);
		struct world *world = city(820 + type, 1000);
		world_run_seconds(world, 100);
		world_rejoin(world, 0, type);
		world_run_seconds(world, 40);
		t_uint("heard", 1, world_rejoins(world, 0, type, true));
		uint32_t address = world_device_addr(world, 0);
		for (unsigned i = 0; i < 7; i++) {
			world_deafen(world, 0, 1);
			world_rejoin(world, 0, type);
			world_run_seconds(world, 40);
		}
		t_uint("sent", 8, world_rejoins(world, 0, type, false));
		t_uint("and no other", 1, world_rejoins(world, 0, type, true));
		uint64_t delivered = world_totals(world).delivered;
		world_run_seconds(world, 2500);
		t_uint("the same address", address, world_device_addr(world, 0));
		t_true("readings go on", world_totals(world).delivered >= delivered + 2);
		ends_well(world);
	}
}

/* 202 was said: the order is kept until the network server has it durably. */
static void an_order_outlives_the_network_server(void **state)
{
	(void)state;
	static const char *const moments[WORLD_MOMENT_COUNT] = {"before a commit", "in a commit",
								"after a commit", "half drained"};
	for (unsigned moment = 0; moment < WORLD_MOMENT_COUNT; moment++) {
		t_row(moments[moment]);
		struct world *world = city(900 + moment, 120);
		world_crash(world, WORLD_NETWORK, (enum world_moment)moment);
		t_int("status", 202, world_order_rejoin(world, 0, "{}"));
		world_run_seconds(world, 600);
		t_uint("sent once", 1, world_rejoins(world, 0, 2, false));
		t_uint("accepted", 1, world_rejoins(world, 0, 2, true));
		ends_well(world);
	}
}

/* RejoinParamSetupReq from a profile's fields: type 0, by the uplinks made or by the time gone. */
static void rejoins_come_by_themselves(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		unsigned interval_s, seconds, least, most;
	} rows[] = {
		{"after 16 uplinks", "{\"rejoin_count_exp\": 0, \"rejoin_time_exp\": 15}", 30, 3000, 5, 8},
		{"after 1,024 s", "{\"rejoin_count_exp\": 15, \"rejoin_time_exp\": 0}", 300, 6000, 5, 7},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct world *world = city(920 + i, rows[i].interval_s);
		uint32_t before = world_device_addr(world, 0);
		world_profile(world, WORLD_OTAA_1_1, rows[i].body);
		world_run_seconds(world, rows[i].seconds);
		unsigned made = world_rejoins(world, 0, 0, false);
		t_true("made", made >= rows[i].least);
		t_true("and no more", made <= rows[i].most);
		t_uint("each accepted", made, world_rejoins(world, 0, 0, true));
		t_true("another address", world_device_addr(world, 0) != before);
		ends_well(world);
	}
}

/* Somebody recorded each rejoin-request and plays it again: after its accept, after the first uplink, after another rejoin and after a
 * restart. */
static void a_replayed_rejoin_changes_nothing(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 2; type++) {
		t_row(types[type]);
		struct world *world = city(940 + type, 100);
		world_rejoin(world, 0, type);
		world_run_seconds(world, 20);
		uint32_t address = world_device_addr(world, 0);
		unsigned joins = (unsigned)world_totals(world).joins;
		uint64_t sessions = world_totals(world).sessions;
		for (unsigned i = 0; i < 6; i++) {
			t_true("played again", world_replay_rejoin(world, 0, type));
			world_run_seconds(world, 90);
			if (i == 3)
				world_crash(world, WORLD_NETWORK, WORLD_AFTER_COMMIT);
			if (i == 4)
				world_crash(world, WORLD_JOIN, WORLD_AFTER_COMMIT);
		}
		t_uint("no join", joins, (unsigned)world_totals(world).joins);
		t_uint("the same address", address, world_device_addr(world, 0));
		t_uint("no session", sessions, world_totals(world).sessions);
		ends_well(world);
	}
}

/* Worlds that a seed draws (test_world.c), in which devices of 1.1 rejoin as well. */
static void worlds_with_rejoins_keep_what_is_promised(void **state)
{
	(void)state;
	static const unsigned long seeds[] = {1, 2, 4, 5, 66, 311};
	for (unsigned i = 0; i < ARRAY_SIZE(seeds); i++) {
		char name[32];
		snprintf(name, sizeof name, "seed %lu", seeds[i]);
		t_row(name);
		struct world *world = world_new(seeds[i]);
		world_gateways(world, 1 + (unsigned)(seeds[i] % 3));
		world_devices(world, 2, WORLD_OTAA_1_0_3);
		world_devices(world, 1, WORLD_OTAA_1_0_4);
		world_devices(world, 1, WORLD_OTAA_1_1);
		world_devices(world, 1, WORLD_ABP_1_0_3);
		world_interval(world, 60);
		world_faults(world, 90);
		world_rejoins_too(world);
		world_commands(world, 6);
		world_begin(world);
		world_run_hours(world, 1);
		t_true("rejoins", world_rejoins(world, 3, 0, false) + world_rejoins(world, 3, 1, false) +
						  world_rejoins(world, 3, 2, false) >
					  0);
		ends_well(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_type_renews_the_session),
		t_test(a_lost_accept_costs_nothing),
		t_test(a_restart_in_between_costs_nothing),
		t_test(commands_cross_the_change_of_keys),
		t_test(many_rejoins_in_a_row),
		t_test(the_city_orders_a_rejoin),
		t_test(an_ordered_rejoin_is_tried_again),
		t_test(a_session_outlives_all_accepts_that_are_not_heard),
		t_test(a_session_without_uplinks_outlives_them_too),
		t_test(an_order_outlives_the_network_server),
		t_test(rejoins_come_by_themselves),
		t_test(a_replayed_rejoin_changes_nothing),
		t_test(worlds_with_rejoins_keep_what_is_promised),
	};
	return t_run(tests);
}
