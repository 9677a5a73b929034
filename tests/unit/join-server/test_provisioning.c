/* Records from the city: what is applied, skipped, refused, what a full run removes, and bodies that change nothing. */
#include "tests/harness/harness.h"

#include "common/base/deadlines.h"
#include "common/base/hex.h"
#include "tests/harness/join_world.h"

#include <stdio.h>
#include <string.h>

#define OTHER_CITY "ffffffff-4b5a-6978-8796-a5b4c3d2e1f0"

static struct t_join_world world;

static int open_world(void **state)
{
	t_join_world_open(&world);
	return t_setup(state);
}

static int close_world(void **state)
{
	t_join_world_close(&world);
	return t_teardown(state);
}

/* Applies bodies as the application server sends them; a record is "version:dev_eui" or "-version:dev_eui" (deleted). */
static enum js_provisioning_verdict apply(const char *city, bool full, bool end, const char *records)
{
	struct js_records *run = &world.records;
	memset(run, 0, sizeof *run);
	snprintf(run->city, sizeof run->city, "%s", city);
	run->full = full;
	run->end = end;
	for (const char *at = records; *at;) {
		bool deleted = *at == '-';
		unsigned long version, number;
		int used;
		assert_int_equal(sscanf(at + deleted, "%lu:%lx%n", &version, &number, &used), 2);
		at += (size_t)used + deleted;
		at += strspn(at, " ");
		struct js_record *record = &run->records[run->count++];
		*record = t_join_record(&world, version, LW_MAC_1_0_4);
		record->app_key_length = record->nwk_key_length = 0;
		record->dev_eui = lw_eui64_from_number(number);
		record->deleted = deleted;
	}
	enum js_provisioning_verdict verdict = js_provisioning_apply(&world.join, world.now, run,
								     &world.applied);
	t_join_store_commit(&world.store);
	return verdict;
}

/* The devices that exist, in order of their numbers: "1 2 3". */
static const char *devices(char text[64])
{
	size_t used = 0;
	text[0] = '\0';
	for (uint64_t number = 1; number < 10; number++) {
		const struct js_device *device = t_join_store_device(&world.store, number);
		if (device && device->run >= world.join.state.valid_run)
			used += (size_t)snprintf(text + used, 64 - used, "%s%u", used ? " " : "",
						 (unsigned)number);
	}
	return text;
}

/* One life of a join server, step by step. */
struct step {
	const char *name;
	const char *city;
	bool full, end, crash;
	const char *records;
	enum js_provisioning_verdict verdict;
	uint64_t applied;     /* in the answer */
	const char *devices;  /* afterwards */
	const char *city_now; /* what GET state says afterwards */
	uint64_t version_now;
};

static const struct step steps[] = {
	{"an increment before any full run", T_CITY, 0, 0, 0, "1:1", JS_PROVISIONING_OTHER_CITY, 0, "", "",
	 0},
	{"a full run opens", T_CITY, 1, 0, 0, "1:1 2:2", JS_PROVISIONED, 2, "1 2", "", 0},
	{"and goes on", T_CITY, 0, 0, 0, "3:3", JS_PROVISIONED, 3, "1 2 3", "", 0},
	{"and ends", T_CITY, 0, 1, 0, "5:4", JS_PROVISIONED, 5, "1 2 3 4", T_CITY, 5},
	{"an increment", T_CITY, 0, 0, 0, "6:5", JS_PROVISIONED, 6, "1 2 3 4 5", T_CITY, 6},
	{"the same again", T_CITY, 0, 0, 0, "6:5", JS_PROVISIONED, 6, "1 2 3 4 5", T_CITY, 6},
	{"another record under the version that is applied", T_CITY, 0, 0, 0, "6:6", JS_PROVISIONED, 6,
	 "1 2 3 4 5", T_CITY, 6},
	{"an older one is known already", T_CITY, 0, 0, 0, "-4:5", JS_PROVISIONED, 6, "1 2 3 4 5", T_CITY, 6},
	{"a removal", T_CITY, 0, 0, 0, "-7:5", JS_PROVISIONED, 7, "1 2 3 4", T_CITY, 7},
	{"a removal of what is not there", T_CITY, 0, 0, 0, "-8:9", JS_PROVISIONED, 8, "1 2 3 4", T_CITY, 8},
	{"nothing", T_CITY, 0, 0, 0, "", JS_PROVISIONED, 8, "1 2 3 4", T_CITY, 8},
	{"another city's increment", OTHER_CITY, 0, 0, 0, "9:6", JS_PROVISIONING_OTHER_CITY, 0, "1 2 3 4",
	 T_CITY, 8},
	{"an end without a run", T_CITY, 0, 1, 0, "9:6", JS_PROVISIONED, 9, "1 2 3 4 6", T_CITY, 9},
	{"a full run of a restored city.db, versions behind ours", T_CITY, 1, 0, 0, "1:1", JS_PROVISIONED, 1,
	 "1 2 3 4 6", "", 0},
	{"interrupted by a crash", T_CITY, 0, 0, 1, "2:2", JS_PROVISIONING_OTHER_CITY, 0, "1 2 3 4 6", "", 0},
	{"begins again", T_CITY, 1, 0, 0, "1:1", JS_PROVISIONED, 1, "1 2 3 4 6", "", 0},
	{"and again from the start, by the city's choice", T_CITY, 1, 0, 0, "1:1 2:2", JS_PROVISIONED, 2,
	 "1 2 3 4 6", "", 0},
	{"and removes at its end what it did not name", T_CITY, 0, 1, 0, "3:7", JS_PROVISIONED, 3, "1 2 7",
	 T_CITY, 3},
	{"a full run in one body", OTHER_CITY, 1, 1, 0, "4:8", JS_PROVISIONED, 4, "8", OTHER_CITY, 4},
	{"survives a crash", OTHER_CITY, 0, 0, 1, "5:9", JS_PROVISIONED, 5, "8 9", OTHER_CITY, 5},
	{"an empty full run removes all", T_CITY, 1, 1, 0, "", JS_PROVISIONED, 0, "", T_CITY, 0},
};

static void runs_and_increments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *step = &steps[i];
		char text[64];
		t_row(step->name);
		if (step->crash)
			t_join_world_crash(&world);
		world.applied.applied_version = 0;
		t_int("verdict", step->verdict, apply(step->city, step->full, step->end, step->records));
		t_uint("applied", step->applied, world.applied.applied_version);
		t_str("devices", step->devices, devices(text));
		t_str("city", step->city_now, world.join.state.city);
		t_uint("version", step->version_now, world.join.state.applied_version);
		t_str("city, durable", step->city_now, world.store.committed.state.city);
	}
}

static void rows_of_older_runs_do_not_join_and_are_swept(void **state)
{
	(void)state;
	struct js_record record = t_join_record(&world, 1, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
	t_int("a full run without it", JS_PROVISIONED, apply(T_CITY, true, true, "2:1"));
	struct bi_message answer, request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 1);
	t_true("its row is still there", t_join_store_device(&world.store, T_DEV_EUI));
	t_int("and is none", JS_UNKNOWN_DEVICE, t_join_ask(&world, &request, &answer));
	t_true("the sweep is due", js_join_next_deadline(&world.join).us <= world.now.mono.us);
	t_join_world_crash(&world);
	t_true("after a crash as well", js_join_next_deadline(&world.join).us <= world.now.mono.us);
	t_int("swept", ST_OK, js_join_on_tick(&world.join, world.now));
	t_true("its row has gone", !t_join_store_device(&world.store, T_DEV_EUI));
	t_true("the other stays", t_join_store_device(&world.store, 1));
	t_int("no more to sweep", world.join.sessions_due.us, js_join_next_deadline(&world.join).us);
	t_join_store_commit(&world.store);
	t_join_world_crash(&world);
	t_int("nor after a restart", world.join.sessions_due.us, js_join_next_deadline(&world.join).us);
}

static void a_removed_device_keeps_its_nonces(void **state)
{
	(void)state;
	struct js_record record = t_join_record(&world, 1, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
	struct bi_message answer, request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 10, 1);
	t_int("joins", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	record.version = 2;
	record.deleted = true;
	t_join_provision(&world, &record);
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 11, 2);
	t_int("removed", JS_UNKNOWN_DEVICE, t_join_ask(&world, &request, &answer));
	record = t_join_record(&world, 3, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
	world.now.wall.us += 700 * US_PER_S;
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 10, 3);
	t_int("back: the old join is a replay", JS_DEV_NONCE_NOT_INCREASING,
	      t_join_ask(&world, &request, &answer));
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 11, 4);
	t_int("the next is a join", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	t_uint("with the next JoinNonce", 2, world.join.nonces.join_nonce);
}

static void keys_that_do_not_open_are_named(void **state)
{
	(void)state;
	struct js_record good = t_join_record(&world, 1, LW_MAC_1_1_0), record;
	static const struct {
		const char *name;
		int app_byte, nwk_byte; /* changed, −1: none */
		bool swap, truncate;
		const char *reason; /* NULL: none refused */
		bool has_app_key, has_nwk_key;
	} rows[] = {
		{"both good", -1, -1, false, false, NULL, true, true},
		{"the AppKey changed on the way", 60, -1, false, false, "key_not_for_us", false, true},
		{"the NwkKey changed on the way", -1, 0, false, false, "key_not_for_us", true, false},
		{"both: named once", 1, 1, false, false, "key_not_for_us", false, false},
		{"each in the place of the other", -1, -1, true, false, "key_wrong_kind", false, false},
		{"sixteen bytes in clear", -1, -1, false, true, "key_bad_length", false, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		record = good;
		record.version = i + 1;
		if (rows[i].app_byte >= 0)
			record.app_key[rows[i].app_byte] ^= 1;
		if (rows[i].nwk_byte >= 0)
			record.nwk_key[rows[i].nwk_byte] ^= 1;
		if (rows[i].swap) {
			memcpy(record.app_key, good.nwk_key, sizeof record.app_key);
			memcpy(record.nwk_key, good.app_key, sizeof record.nwk_key);
		}
		if (rows[i].truncate)
			record.app_key_length = 16;
		t_join_provision(&world, &record);
		t_uint("refused", rows[i].reason != NULL, world.applied.refused_count);
		if (rows[i].reason)
			t_str("reason", rows[i].reason, world.applied.refused[0].reason);
		const struct js_device *device = t_join_store_device(&world.store, T_DEV_EUI);
		assert_non_null(device);
		t_int("has_app_key", rows[i].has_app_key, device->has_app_key);
		t_int("has_nwk_key", rows[i].has_nwk_key, device->has_nwk_key);
	}
}

static void a_store_that_breaks_is_said(void **state)
{
	(void)state;
	world.store.fails = true;
	t_int("verdict", JS_PROVISIONING_FAILED, apply(T_CITY, true, true, "1:1"));
}

/* --- JSON ---------------------------------------------------------------------------------------------------- */

#define BODY(records) "{\"city\":\"" T_CITY "\",\"full\":true,\"records\":[" records "]}"
#define RECORD(more)                                                                          \
	"{\"version\":1,\"dev_eui\":\"0102030405060708\",\"deleted\":false,\"enabled\":true," \
	"\"join_eui\":\"0807060504030201\",\"mac_version\":\"1.0.4\"" more "}"

static void good_bodies_are_read(void **state)
{
	(void)state;
	char problem[JS_PROBLEM_TEXT] = "";
	struct js_records *run = &world.records;
	static const char two[] = BODY(RECORD(",\"app_key\":\"AQID\",\"nwk_key\":null,\"app_kek_label\":"
					      "\"parks\"") ",{\"version\":2,\"dev_eui\":\"0102030405060709\","
							   "\"deleted\":true}");
	const char *text = two;
	assert_true(js_records_parse((const uint8_t *)text, strlen(text), run, problem));
	t_str("city", T_CITY, run->city);
	t_true("full", run->full);
	t_false("end", run->end);
	t_uint("count", 2, run->count);
	t_uint("version", 1, run->records[0].version);
	t_uint("dev_eui", T_DEV_EUI, lw_eui64_number(&run->records[0].dev_eui));
	t_uint("join_eui", T_JOIN_EUI, lw_eui64_number(&run->records[0].join_eui));
	t_int("mac_version", LW_MAC_1_0_4, run->records[0].mac_version);
	t_bytes("app_key", (const uint8_t[]){1, 2, 3}, 3, run->records[0].app_key,
		run->records[0].app_key_length);
	t_uint("no nwk_key", 0, run->records[0].nwk_key_length);
	t_str("label", "parks", run->records[0].app_kek_label);
	t_true("deleted", run->records[1].deleted);
	text = "{\"city\":\"" T_CITY "\",\"records\":[" RECORD("") "],\"end\":true}";
	assert_true(js_records_parse((const uint8_t *)text, strlen(text), run, problem));
	t_false("full", run->full);
	t_true("end", run->end);
	t_str("the label by default", "application", run->records[0].app_kek_label);
}

static void bad_bodies_name_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *place;
	} rows[] = {
		{"no JSON", "hello", ""},
		{"no city", "{\"records\":[]}", "city"},
		{"an empty city", "{\"city\":\"\",\"records\":[]}", "city"},
		{"a city that is no UUID",
		 "{\"city\":\"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fX\",\"records\":[]}", "city"},
		{"no records", "{\"city\":\"" T_CITY "\"}", "records"},
		{"records that are no list", "{\"city\":\"" T_CITY "\",\"records\":{}}", "records"},
		{"a number as full", "{\"city\":\"" T_CITY "\",\"full\":1,\"records\":[]}", "full"},
		{"a record that is a number", BODY("7"), "records/0"},
		{"no version", BODY("{\"dev_eui\":\"0102030405060708\",\"deleted\":true}"), "version"},
		{"version 0", BODY("{\"version\":0,\"dev_eui\":\"0102030405060708\",\"deleted\":true}"),
		 "version"},
		{"a short DevEUI", BODY("{\"version\":1,\"dev_eui\":\"01020304050607\",\"deleted\":true}"),
		 "dev_eui"},
		{"no enabled", BODY("{\"version\":1,\"dev_eui\":\"0102030405060708\"}"), "enabled"},
		{"MAC version 2.0",
		 BODY("{\"version\":1,\"dev_eui\":\"0102030405060708\",\"enabled\":true,\"join_eui\":"
		      "\"0102030405060708\","
		      "\"mac_version\":\"2.0\"}"),
		 "mac_version"},
		{"a key that is no base64", BODY(RECORD(",\"app_key\":\"***\"")), "app_key"},
		{"a key in hexadecimal digits, too long",
		 BODY(RECORD(",\"app_key\":\""
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"")),
		 "app_key"},
		{"a label too long", BODY(RECORD(",\"app_kek_label\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"")),
		 "app_kek_label"},
		{"the same version twice", BODY(RECORD("") "," RECORD("")), "records/1"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char problem[JS_PROBLEM_TEXT] = "";
		t_false("read", js_records_parse((const uint8_t *)rows[i].text, strlen(rows[i].text),
						 &world.records, problem));
		t_true("says why", problem[0] != '\0');
		if (!strstr(problem, rows[i].place))
			t_str("place", rows[i].place, problem);
	}
}

static void at_most_500_records(void **state)
{
	(void)state;
	static char text[64 * 600];
	for (int count = JS_RECORDS_MAX; count <= JS_RECORDS_MAX + 1; count++) {
		size_t used = (size_t)snprintf(text, sizeof text, "{\"city\":\"" T_CITY "\",\"records\":[");
		for (int i = 1; i <= count; i++)
			used += (size_t)snprintf(text + used, sizeof text - used,
						 "%s{\"version\":%d,\"dev_eui\":\"%016x\",\"deleted\":true}",
						 i > 1 ? "," : "", i, (unsigned)i);
		used += (size_t)snprintf(text + used, sizeof text - used, "]}");
		char problem[JS_PROBLEM_TEXT];
		t_int(count == JS_RECORDS_MAX ? "500" : "501", count == JS_RECORDS_MAX,
		      js_records_parse((const uint8_t *)text, used, &world.records, problem));
	}
}

static void answers_are_json(void **state)
{
	(void)state;
	world.applied.applied_version = 7;
	world.applied.refused_count = 1;
	world.applied.refused[0].dev_eui = lw_eui64_from_number(T_DEV_EUI);
	world.applied.refused[0].reason = "key_not_for_us";
	json_t *answer = js_applied_json(&world.applied);
	char *text = json_dumps(answer, JSON_COMPACT);
	t_str("applied",
	      "{\"applied_version\":7,\"refused\":[{\"dev_eui\":\"0102030405060708\",\"reason\":\"key_not_"
	      "for_us\"}]}",
	      text);
	free(text);
	json_decref(answer);
	answer = js_provisioning_state(&world.join);
	text = json_dumps(answer, JSON_COMPACT);
	t_str("state", "{\"city\":\"\",\"applied_version\":0}", text);
	free(text);
	json_decref(answer);
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(runs_and_increments),
		IN_WORLD(rows_of_older_runs_do_not_join_and_are_swept),
		IN_WORLD(a_removed_device_keeps_its_nonces),
		IN_WORLD(keys_that_do_not_open_are_named),
		IN_WORLD(a_store_that_breaks_is_said),
		IN_WORLD(good_bodies_are_read),
		IN_WORLD(bad_bodies_name_the_place),
		IN_WORLD(at_most_500_records),
		IN_WORLD(answers_are_json),
	};
	return t_run(tests);
}
