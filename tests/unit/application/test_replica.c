#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/agencies/callers.h"
#include "application-server/replication/replica.h"

#include <stdio.h>
#include <string.h>

static char said[400];

/* Runs the replica until it has nothing to say; `said` becomes "begin full profile device end". */
static void run(struct as_replica *replica, struct as_store *store)
{
	const struct as_desired *record = NULL;
	said[0] = '\0';
	for (int i = 0; i < 100; i++) {
		bool full = replica->full;
		enum as_replica_step step = as_replica_next(replica, store, &record);
		const char *word = step == AS_STEP_BEGIN    ? full ? "begin-full " : "begin "
				   : step == AS_STEP_RECORD ? record->deleted ? "tombstone " : "record "
				   : step == AS_STEP_END    ? "end "
							    : NULL;
		if (!word)
			break;
		size_t used = strlen(said);
		snprintf(said + used, sizeof said - used, "%s", word);
	}
}

static void what_a_replica_is_told(void **state)
{
	(void)state;
	static struct as_replica replica;
	static const struct net_uuid nobody = {{0}};
	struct t_city *city = t_city_new();
	t_city_furnish(city); /* profile 1, device 2 */
	const struct net_uuid own = *as_store_city(city->store);
	replica = (struct as_replica){.state = AS_REPLICA_AWAY};

	t_row("away");
	run(&replica, city->store);
	t_str("said", "", said);
	t_row("knows nothing");
	as_replica_wanted(&replica, city->store, &nobody, 0);
	run(&replica, city->store);
	t_str("said", "begin-full record record end ", said);
	t_row("up to date");
	run(&replica, city->store);
	t_str("said", "", said);
	t_row("a change");
	t_city_call(city, &t_city_admin, "PATCH", "/api/v1/profiles/probe", "{\"adr\":false}");
	run(&replica, city->store);
	t_str("said", "begin record end ", said);
	t_row("a removal");
	t_city_call(city, &t_city_admin, "DELETE", "/api/v1/devices/0102030405060708", NULL);
	run(&replica, city->store);
	t_str("said", "begin tombstone end ", said);
	t_row("back with an older version");
	as_replica_lost(&replica);
	as_replica_wanted(&replica, city->store, &own, 2);
	run(&replica, city->store);
	t_str("said", "begin record tombstone end ", said);
	t_row("back with a version from the future");
	as_replica_wanted(&replica, city->store, &own, 99);
	run(&replica, city->store);
	t_str("said", "begin-full record end ", said);
	t_row("of another city");
	as_replica_wanted(&replica, city->store, &(struct net_uuid){{7}}, 4);
	run(&replica, city->store);
	t_str("said", "begin-full record end ", said);
	t_row("lost in the middle of a run");
	const struct as_desired *record = NULL;
	as_replica_wanted(&replica, city->store, &nobody, 0);
	t_int("begins", AS_STEP_BEGIN, as_replica_next(&replica, city->store, &record));
	as_replica_lost(&replica);
	run(&replica, city->store);
	t_str("said", "", said);
	as_replica_wanted(&replica, city->store, &nobody, 0);
	run(&replica, city->store);
	t_str("from the beginning", "begin-full record end ", said);
	t_city_free(city);
}

static const struct {
	const char *name, *who, *what;
	bool accepted;
} rows[] = {
	{"a user as manager", "uid 1000", "manager parks", true},
	{"a group as reader", "gid 50", "reader water", true},
	{"a user as administrator", "uid 7", "city", true},
	{"a manager without an agency", "uid 1000", "manager", false},
	{"an administrator of an agency", "uid 1000", "city parks", false},
	{"an unknown role", "uid 1000", "boss parks", false},
	{"nobody", "uid 1000", "nobody parks", false},
	{"neither user nor group", "pid 1", "city", false},
	{"no number", "uid x", "city", false},
	{"rubbish behind the number", "uid 1x", "city", false},
};

static void rows_of_callers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct option_map map;
		struct as_callers callers;
		size_t row;
		t_row(rows[i].name);
		map.count = 1;
		snprintf(map.entries[0].label, sizeof map.entries[0].label, "%s", rows[i].who);
		snprintf(map.entries[0].value, sizeof map.entries[0].value, "%s", rows[i].what);
		t_int("accepted", rows[i].accepted, as_callers_init(&callers, &map, 500, &row));
	}
}

static void who_calls(void **state)
{
	(void)state;
	static struct option_map map = {2, {{"uid 1000", "manager parks"}, {"gid 50", "reader water"}}};
	struct as_callers callers;
	size_t row;
	assert_true(as_callers_init(&callers, &map, 500, &row));
	t_int("root", AS_CITY, as_callers_find(&callers, 0, 50)->role);
	t_int("own user", AS_CITY, as_callers_find(&callers, 500, 50)->role);
	t_str("a user before its group", "parks", as_callers_find(&callers, 1000, 50)->agency);
	t_str("a group", "water", as_callers_find(&callers, 1001, 50)->agency);
	t_true("nobody", as_callers_find(&callers, 1001, 51) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(what_a_replica_is_told), t_test(rows_of_callers),
					   t_test(who_calls)};
	return t_run(tests);
}
