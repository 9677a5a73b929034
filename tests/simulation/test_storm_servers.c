/* A small join storm through a whole city (world/world.h) whose join server refuses, is slow or dies in the middle of it and comes
 * back, or whose network server dies. The judge holds at every step that no nonce and no counter comes twice. Beside it, every
 * second: what the network server says adds up, is true of the devices, and what the alarms make of it can be read; afterwards no
 * gateway's time is kept, and every device joins. */
#include "tests/harness/harness.h"
#include "tests/simulation/world/world.h"

#include "application-server/alarms/storm_facts.h"
#include "common/base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIGHTS    130
#define BEGIN_S   900 /* all have joined */
#define FAULT_S   30  /* after the power came back */
#define LASTS_S   60
#define WATCHED_S 240

static struct world *world;

static struct world *city(uint64_t seed)
{
	world = world_new(seed);
	world_gateways(world, 3);
	world_devices(world, LIGHTS, WORLD_OTAA_1_0_3);
	world_place(world, 0, 60, 5); /* and all keep to the specification */
	world_paced_joins(world);
	world_interval(world, 600);
	world_begin(world);
	world_run_seconds(world, BEGIN_S);
	return world;
}

static void power_comes_back(void)
{
	for (unsigned i = 0; i < LIGHTS; i++)
		world_power_cycle(world, i, 1 + i * 0.0871);
}

/* --- what the network server says --- */

static int64_t number(const json_t *storm, const char *member)
{
	return json_integer_value(json_object_get(storm, member));
}

/* Every second: the account, its words, and the devices themselves. */
static bool is_true(const char *name, unsigned second)
{
	char row[120];
	struct world_storm facts;
	world_storm(world, &facts);
	snprintf(row, sizeof row, "%s, second %u", name, second);
	t_row(row);
	json_t *health = json_loads(facts.health, 0, NULL);
	if (!t_true("JSON", health != NULL))
		return false;
	const json_t *storm = json_object_get(health, "join_storm");
	bool good = t_int("offered", number(storm, "offered"),
			  number(storm, "refused") + number(storm, "in_flight") + number(storm, "asking") +
				  number(storm, "answered") + number(storm, "failed")) &&
		    t_int("refused", number(storm, "refused"),
			  number(storm, "refused_no_time") + number(storm, "refused_no_airtime") +
				  number(storm, "refused_too_late") + number(storm, "refused_no_path") +
				  number(storm, "refused_too_weak")) &&
		    t_int("failed", number(storm, "failed"),
			  number(storm, "failed_no") + number(storm, "failed_silent") +
				  number(storm, "failed_not_sent") + number(storm, "failed_no_room")) &&
		    t_int("devices", facts.asked, number(storm, "devices")) &&
		    t_int("wait", facts.asked, number(storm, "joined") + number(storm, "waiting")) &&
		    /* A device has its session some time before its first uplink says so. */
		    t_true("who has no session waits", number(storm, "waiting") >= facts.without_session) &&
		    t_true("time is kept for nobody but those that are asked for",
			   (int64_t)facts.kept <= number(storm, "asking"));
	json_decref(health);
	return good;
}

static int64_t says(const char *member)
{
	struct world_storm facts;
	world_storm(world, &facts);
	json_t *health = json_loads(facts.health, 0, NULL);
	int64_t value = number(json_object_get(health, "join_storm"), member);
	json_decref(health);
	return value;
}

static bool is_storm(void)
{
	struct world_storm facts;
	world_storm(world, &facts);
	return strstr(facts.health, "\"state\":\"storm\"") != NULL;
}

/* The alarm's detail from what is said now. */
static const char *alarm_says(char detail[AS_ALARM_DETAIL])
{
	struct world_storm facts;
	struct as_storm storm;
	struct as_alarms alarms;
	struct rng rng = rng_seeded(1);
	const struct now now = {.mono = {US_PER_S}, .wall = {US_PER_S}};
	world_storm(world, &facts);
	json_t *health = json_loads(facts.health, 0, NULL);
	as_storm_read(health, &storm);
	json_decref(health);
	as_alarms_init(&alarms, &rng, 0);
	as_storm_observe(&alarms, &storm, false, now);
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOIN_STORM, "");
	snprintf(detail, AS_ALARM_DETAIL, "%s", alarm ? alarm->detail : "");
	as_alarms_release(&alarms);
	return detail;
}

/* --- what happens --- */

static void nothing(unsigned second)
{
	(void)second;
}

static void it_refuses(unsigned second)
{
	if (second == 0)
		world_join_refuses(world, LASTS_S);
}

static void it_is_a_second_slow(unsigned second)
{
	if (second == 0)
		world_join_slows(world, LASTS_S, 700);
}

static void it_is_slower_than_anybody_waits(unsigned second)
{
	if (second == 0)
		world_join_slows(world, LASTS_S, 8000);
}

static void it_stands_still(unsigned second)
{
	if (second == 0)
		world_stall(world, WORLD_JOIN, LASTS_S);
}

static void it_dies_once(unsigned second)
{
	if (second == 0)
		world_crash(world, WORLD_JOIN, WORLD_IN_COMMIT);
}

static void it_dies_again_and_again(unsigned second)
{
	world_crash(world, WORLD_JOIN, (enum world_moment)(second % WORLD_MOMENT_COUNT));
}

static void both_die(unsigned second)
{
	if (second == 0)
		world_crash(world, WORLD_JOIN, WORLD_AFTER_COMMIT);
	if (second == 1)
		world_crash(world, WORLD_NETWORK, WORLD_IN_COMMIT);
}

static void the_network_server_dies(unsigned second)
{
	if (second == 0)
		world_crash(world, WORLD_NETWORK, WORLD_HALF_DRAINED);
}

static const struct row {
	const char *name;
	void (*happens)(unsigned second);
	bool forgets;       /* the network server's account begins anew */
	const char *most;   /* what most of the requests come to while it lasts; NULL: nobody says */
	const char *detail; /* of the alarm, at its end; NULL: nothing stands out */
} rows[] = {
	{"all is well", nothing, false, NULL, NULL},
	{"it refuses", it_refuses, false, "failed_no", "The join server refused"},
	{"it takes 0.7 s", it_is_a_second_slow, false, NULL, NULL},
	{"it takes 8 s", it_is_slower_than_anybody_waits, false, "failed_silent", "unanswered"},
	{"it stands still", it_stands_still, false, "failed_silent", "unanswered"},
	{"it dies once", it_dies_once, false, NULL, NULL},
	{"it dies again and again", it_dies_again_and_again, false, NULL, NULL},
	{"both die", both_die, true, NULL, NULL},
	{"the network server dies", the_network_server_dies, true, NULL, NULL},
};

/* SHOW=1: for whoever follows a row. */
static void show(const char *name, const char *detail)
{
	struct world_storm facts;
	world_storm(world, &facts);
	printf("%s\n%s\n%s\n", name, facts.health, detail);
}

static void storm_with(const struct row *row, uint64_t seed)
{
	char detail[AS_ALARM_DETAIL] = "";
	city(seed);
	uint64_t joins = world_totals(world).joins;
	bool good = true, said = false;
	power_comes_back();
	for (unsigned second = 0; second < FAULT_S && good; second++)
		good = world_run_seconds(world, 1) && is_true(row->name, second);
	t_row(row->name);
	t_true("a storm", is_storm());
	int64_t asked = says("offered"), before = row->most ? says(row->most) : 0;
	for (unsigned second = 0; second < LASTS_S && good; second++) {
		row->happens(second);
		good = world_run_seconds(world, 1) && is_true(row->name, FAULT_S + second);
		said = said || (row->detail && strstr(alarm_says(detail), row->detail));
	}
	t_row(row->name);
	if (getenv("SHOW"))
		show(row->name, detail);
	if (row->most)
		t_true("requests were asked for in vain",
		       says("offered") > asked && says(row->most) > before + 10);
	if (row->detail && !t_true("the alarm says so", said))
		fprintf(stderr, "%s\n", detail);
	for (unsigned second = 0; second < WATCHED_S && good; second++)
		good = world_run_seconds(world, 1) && is_true(row->name, FAULT_S + LASTS_S + second);
	t_row(row->name);
	if (!row->forgets)
		t_true("answers were sent", says("answered") > 0);
	t_true("devices joined since", world_totals(world).joins >= joins + LIGHTS / 3);
	world_settle(world);
	t_str("all that is promised", "", world_broken(world));
	struct world_storm facts;
	world_storm(world, &facts);
	t_uint("no time is kept", 0, facts.kept);
	t_uint("nothing is planned", 0, facts.planned);
	t_uint("every device has its session", 0, facts.without_session);
	t_int("and nobody waits", 0, says("waiting"));
	t_true("it is calm", !is_storm());
	t_true("everybody joined again", world_totals(world).joins >= joins + LIGHTS);
	world_free(world);
}

static void join_servers_that_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		storm_with(&rows[i], 700 + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(join_servers_that_fail)};
	return t_run(tests);
}
