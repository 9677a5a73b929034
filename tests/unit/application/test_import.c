/* Imports over several turns: how much a turn does, what is registered when it ends early, and who waits meanwhile. Verdicts on
 * single rows are in test_api.c. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/api/import.h"
#include "application-server/api/import_body.h"
#include "application-server/api/import_euis.h"
#include "application-server/api/waiting.h"
#include "application-server/store_imports.h"
#include "application-server/store_records.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS      (5 * AS_IMPORT_ROWS_TURN + 7)
#define FIRST_EUI 0x0102030405070000u
#define ROW_ROOM  160

static char *rows_text(unsigned rows, unsigned bad_row, const char *before)
{
	char *text = malloc(200 + (size_t)rows * ROW_ROOM);
	ASSERT(text);
	size_t at = (size_t)snprintf(text, 200, "{%s\"rows\":[", before);
	for (unsigned i = 0; i < rows; i++)
		at += (size_t)snprintf(
			text + at, ROW_ROOM,
			"%s{\"line\":%u,\"dev_eui\":\"%016llx\",\"name\":\"n\",\"application\":\"meters\","
			"\"profile\":\"%s\"}",
			i ? "," : "", i + 2, (unsigned long long)FIRST_EUI + i, i == bad_row ? "x" : "probe");
	snprintf(text + at, 8, "]}");
	return text;
}

static uint64_t registered(struct t_city *city)
{
	return as_store_version(city->store);
}

static void begin(struct t_city *city, unsigned rows, unsigned bad_row, const char *before)
{
	char *text = rows_text(rows, bad_row, before);
	t_int("an answer comes later", 0,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices/import", text));
	t_true("later", city->answer.later);
	free(text);
}

static uint64_t devices(struct t_city *city)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < ROWS; i++) {
		char eui[20];
		json_t *record = NULL;
		snprintf(eui, sizeof eui, "%016llx", (unsigned long long)FIRST_EUI + i);
		count += as_store_record_get(city->store, &t_city_admin, RECORD_DEVICE, eui, &record) ==
			 ST_OK;
		json_decref(record);
	}
	return count;
}

static bool any_slice(struct t_city *city)
{
	char *text = NULL;
	bool any = as_store_import_first(city->store, &text) == ST_OK;
	free(text);
	return any;
}

/* --- how much a turn does ----------------------------------------------------------------------------------- */

static void a_turn_never_checks_or_writes_more_than_its_share(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	uint64_t before = registered(city), written = before;
	unsigned turns = 0, writing = 0;
	begin(city, ROWS, ROWS, "");
	for (bool over = false; !over; turns++) {
		over = t_city_turn(city);
		uint64_t now = registered(city);
		/* A new device takes one version. */
		t_true("writes no more than its share", now - written <= AS_IMPORT_ROWS_TURN);
		writing += now != written;
		written = now;
	}
	t_int("status", 200, city->answer.status);
	t_uint("all are registered", ROWS, devices(city));
	t_uint("one version each", ROWS, written - before);
	t_uint("turns that write", (ROWS + AS_IMPORT_ROWS_TURN - 1) / AS_IMPORT_ROWS_TURN, writing);
	t_true("checking takes turns of its own", turns >= 2 * writing);
	t_true("nothing is left", !any_slice(city));
	t_city_free(city);
}

static void a_slice_holds_no_more_than_its_share(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	char *text = NULL;
	t_city_furnish(city);
	uint64_t before = registered(city);
	begin(city, ROWS, ROWS, "");
	t_true("goes on", !t_city_turn(city));
	t_int("a slice", ST_OK, as_store_import_first(city->store, &text));
	json_t *slice = json_loads(text ? text : "", 0, NULL);
	t_uint("rows that one turn checked", AS_IMPORT_ROWS_TURN, json_array_size(slice));
	t_uint("nothing is registered yet", before, registered(city));
	json_decref(slice);
	free(text);
	t_city_free(city);
}

/* --- ends --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *before;
	unsigned bad_row;
	int forsaken_after; /* turns; -1: never */
	int status;         /* 0: nobody is told */
	bool registers;
} ends[] = {
	{"all good", "", ROWS, -1, 200, true},
	{"the last row is bad", "", ROWS - 1, -1, 422, false},
	{"a bad row in the midst", "", AS_IMPORT_ROWS_TURN + 1, -1, 422, false},
	{"a dry run", "\"dry_run\":true,", ROWS, -1, 200, false},
	{"the client goes before the first slice", "", ROWS, 0, 0, false},
	{"the client goes while rows are checked", "", ROWS, 3, 0, false},
	{"the client goes when it is decided", "", ROWS, 7, 200, true},
};

static void it_is_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct t_city *city = t_city_new();
		t_row(ends[i].name);
		t_city_furnish(city);
		uint64_t before = registered(city);
		begin(city, ROWS, ends[i].bad_row, ends[i].before);
		for (int turn = 0, over = 0; !over; turn++) {
			if (turn == ends[i].forsaken_after)
				as_import_forsake(&city->api);
			over = t_city_turn(city);
		}
		t_int("status", ends[i].status, city->answer.status);
		t_uint("devices", ends[i].registers ? ROWS : 0, devices(city));
		t_true("the version moves with devices alone",
		       (registered(city) != before) == ends[i].registers);
		t_true("nothing is left", !any_slice(city));
		t_true("it is over", !as_import_goes_on(&city->api));
		t_city_free(city);
	}
}

/* A dry run that is said behind the rows is one all the same. */
static void a_late_dry_run(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	t_int("status", 200,
	      t_city_import(city, &t_city_admin,
			    "{\"rows\":[{\"line\":2,\"dev_eui\":\"0102030405070000\",\"name\":\"n\","
			    "\"application\":"
			    "\"meters\",\"profile\":\"probe\"}],\"dry_run\":true}"));
	t_uint("devices", 0, devices(city));
	t_true("nothing is left", !any_slice(city));
	t_city_free(city);
}

/* --- a crash between any two turns ------------------------------------------------------------------------------ */

static void a_crash_after_any_turn(void **state)
{
	(void)state;
	unsigned none = 0, all = 0;
	char dir[T_DIR_MAX], path[2][T_DIR_MAX + 16];
	t_temp_dir(dir);
	snprintf(path[0], sizeof path[0], "%s/city.db", dir);
	snprintf(path[1], sizeof path[1], "%s/readings.db", dir);
	for (int crash = 0, reached = 1; reached; crash++) {
		struct t_city *city = t_city_new_at(path[0], path[1]);
		t_city_furnish(city);
		begin(city, ROWS, ROWS, "");
		reached = 1;
		for (int turn = 0; turn < crash && reached; turn++)
			reached = !t_city_turn(city);
		t_city_free(city); /* what was committed is in the files, nothing else */
		city = t_city_new_at(path[0], path[1]);
		t_int("resumes", ST_OK, as_import_resume(&city->api));
		while (as_import_goes_on(&city->api))
			t_city_turn(city);
		uint64_t found = devices(city);
		t_true("all or none", found == 0 || found == ROWS);
		none += found == 0;
		all += found == ROWS;
		t_true("nothing is left", !any_slice(city));
		t_int("another import can begin", 200, t_city_import(city, &t_city_admin, "{\"rows\":[]}"));
		t_city_free(city);
		t_temp_dir_remove(dir);
		t_temp_dir(dir);
		snprintf(path[0], sizeof path[0], "%s/city.db", dir);
		snprintf(path[1], sizeof path[1], "%s/readings.db", dir);
	}
	t_uint("before the decision", 6, none); /* after 0 to 5 turns of checking */
	t_true("after it", all >= 6);
	t_temp_dir_remove(dir);
}

/* --- who waits --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *method, *target, *body;
	int status; /* while an import goes on */
} meanwhile[] = {
	{"a record is read", "GET", "/api/v1/devices/0102030405060708", NULL, 200},
	{"a command is sent", "POST", "/api/v1/devices/0102030405060708/downlinks",
	 "{\"f_port\":5,\"data\":\"AQI=\"}", 202},
	{"a record is made", "POST", "/api/v1/agencies", "{\"slug\":\"x\",\"name\":\"X\"}", 503},
	{"a record is changed", "PATCH", "/api/v1/devices/0102030405060708", "{\"name\":\"x\"}", 503},
	{"a record is removed", "DELETE", "/api/v1/devices/0102030405060708", NULL, 503},
	{"keys are set", "PUT", "/api/v1/devices/0102030405060708/keys", "{}", 503},
	{"a device is taken off the shelf", "DELETE", "/api/v1/stock/0102030405060708", NULL, 503},
	{"devices go to the shelf", "POST", "/api/v1/stock", "{\"devices\":[]}", 503},
	{"a device is claimed", "POST", "/api/v1/devices/claim", "{}", 503},
	{"another import", "POST", "/api/v1/devices/import", "{\"rows\":[]}", 503},
};

static void records_do_not_change_meanwhile(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	begin(city, ROWS, ROWS, "");
	t_true("goes on", !t_city_turn(city));
	for (size_t i = 0; i < ARRAY_SIZE(meanwhile); i++) {
		t_row(meanwhile[i].name);
		t_int("status", meanwhile[i].status,
		      t_city_call(city, &t_city_admin, meanwhile[i].method, meanwhile[i].target,
				  meanwhile[i].body));
	}
	while (!t_city_turn(city))
		;
	t_row("afterwards");
	t_int("a record is changed", 200,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/devices/0102030405060708",
			  "{\"name\":\"x\"}"));
	t_city_free(city);
}

static void calls_wait_in_their_order(void **state)
{
	(void)state;
	struct as_waiting waiting = {0};
	const struct as_call call = {
		.scope = &t_city_admin, .who = "uid 7", .id = "parks", .text = "{}", .text_length = 2};
	const struct as_call large = {.scope = &t_city_admin, .text = "", .text_length = AS_WAITING_BYTES};
	for (uint64_t ticket = 1; ticket <= AS_WAITING_MAX; ticket++)
		t_true("there is room", as_waiting_add(&waiting, ticket, &as_routes[0], &call));
	t_true("until there is none", !as_waiting_add(&waiting, 99, &as_routes[0], &call));
	as_waiting_forget(&waiting, 2);
	as_waiting_forget(&waiting, 2);
	t_true("a body that is too large for what is left",
	       !as_waiting_add(&waiting, 99, &as_routes[0], &large));
	struct as_waiting_call *first = as_waiting_take(&waiting), *second = as_waiting_take(&waiting);
	t_uint("first", 1, first->ticket);
	t_str("who asked, for the audit", "uid 7", first->who);
	t_str("its id", "parks", first->id);
	t_str("its body", "{}", first->text);
	t_true("no collection", first->collection == NULL);
	t_uint("the one behind has gone", 3, second->ticket);
	as_waiting_call_free(first);
	as_waiting_call_free(second);
	as_waiting_release(&waiting);
	t_uint("none", 0, waiting.count);
	t_uint("nothing", 0, waiting.bytes);
}

/* --- the body ------------------------------------------------------------------------------------------------------ */

#define R "{\"a\":1}"

static const struct {
	const char *name, *text;
	int rows;
	int status; /* 0: read to its end */
	const char *field_or_place;
} bodies[] = {
	{"no row", "{\"rows\":[]}", 0, 0, ""},
	{"two rows", " {\"rows\" : [ " R " ,\n" R " ] } ", 2, 0, ""},
	{"other members around", "{\"x\":{\"y\":[1,2]},\"rows\":[" R "],\"z\":\"\u00e9\",\"n\":-1.5}", 1, 0,
	 ""},
	{"numbers and texts as rows", "{\"rows\":[1,\"x\",true,null,12]}", 5, 0, ""},
	{"text of more than one byte a character", "{\"rows\":[\"\xc3\xa9\xe2\x82\xac\"," R "]}", 2, 0, ""},
	{"nothing", " ", 0, 400, "object"},
	{"an array", "[]", 0, 400, "object"},
	{"no rows", "{}", 0, 422, "rows"},
	{"rows that are an object", "{\"rows\":{}}", 0, 422, "rows"},
	{"rows twice", "{\"rows\":[],\"rows\":[]}", 0, 400, "line 1"},
	{"a dry run that is a number", "{\"dry_run\":1,\"rows\":[]}", 0, 422, "dry_run"},
	{"a dry run twice", "{\"dry_run\":true,\"dry_run\":true,\"rows\":[]}", 0, 400, "line 1"},
	{"the same member twice in a row", "{\"rows\":[{\"a\":1,\"a\":1}]}", 0, 400, "line 1"},
	{"a comma too many between rows", "{\"rows\":[" R ",," R "]}", 1, 400, "line 1"},
	{"a comma behind the last row", "{\"rows\":[" R ",]}", 1, 400, "line 1"},
	{"no comma between rows", "{\"rows\":[" R " " R "]}", 1, 400, "line 1"},
	{"no comma between members", "{\"rows\":[] \"x\":1}", 0, 400, "line 1"},
	{"no name", "{,\"rows\":[]}", 0, 400, "line 1"},
	{"no colon", "{\"rows\" []}", 0, 400, "line 1"},
	{"no end of the rows", "{\"rows\":[" R, 1, 400, "line 1"},
	{"no end of the object", "{\"rows\":[" R "]", 1, 400, "line 1"},
	{"something behind it", "{\"rows\":[]}\n\n x", 0, 400, "line 3, column 2"},
	{"a row that breaks on the third line", "{\"rows\":[\n" R ",\n{\"a\" 1}]}", 1, 400, "line 3, column"},
};

static void bodies_are_read_row_by_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct as_import_body body = {.text = bodies[i].text, .length = strlen(bodies[i].text)};
		struct as_answer answer = {0};
		enum as_import_part part;
		json_t *row = NULL;
		int rows = 0;
		t_row(bodies[i].name);
		while ((part = as_import_body_next(&body, &row, &answer)) == AS_IMPORT_ROW) {
			json_decref(row);
			rows++;
		}
		t_int("rows", bodies[i].rows, rows);
		t_int("status", bodies[i].status, answer.status);
		t_int("part", bodies[i].status ? AS_IMPORT_REFUSED : AS_IMPORT_END, part);
		const char *detail = json_string_value(json_object_get(answer.body, "detail"));
		t_true("says where",
		       !bodies[i].status || (detail && strstr(detail, bodies[i].field_or_place)));
		t_true("repeats nothing of it", !detail || !strstr(detail, "near"));
		as_answer_release(&answer);
	}
}

static void too_many_rows(void **state)
{
	(void)state;
	size_t length = 16 + 2 * (AS_IMPORT_ROWS_MAX + 1);
	char *text = malloc(length);
	ASSERT(text);
	size_t at = (size_t)snprintf(text, length, "{\"rows\":[1");
	for (size_t i = 0; i < AS_IMPORT_ROWS_MAX; i++) {
		text[at++] = ',';
		text[at++] = '1';
	}
	text[at++] = ']';
	text[at++] = '}';
	struct as_import_body body = {.text = text, .length = at};
	struct as_answer answer = {0};
	json_t *row = NULL;
	size_t rows = 0;
	while (as_import_body_next(&body, &row, &answer) == AS_IMPORT_ROW) {
		json_decref(row);
		rows++;
	}
	t_uint("rows", AS_IMPORT_ROWS_MAX, rows);
	t_int("status", 422, answer.status);
	as_answer_release(&answer);
	free(text);
}

/* The shortest text with so many: their digits and nothing else. */
static void every_eui_of_a_text_has_its_place(void **state)
{
	(void)state;
	static const size_t counts[] = {1, 2, 1000, AS_IMPORT_ROWS_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct rng rng = rng_seeded(7);
		struct as_import_euis euis;
		char text[17];
		unsigned again = 0;
		as_import_euis_init(&euis, 16 * counts[i], &rng);
		size_t slots = euis.table.slots;
		for (size_t n = 0; n < counts[i]; n++) {
			snprintf(text, sizeof text, "%016zx", n);
			again += as_import_euis_again(&euis, text);
		}
		t_uint("new ones", 0, again);
		t_true("known", as_import_euis_again(&euis, text));
		t_true("no EUI is none", !as_import_euis_again(&euis, "x") &&
						 !as_import_euis_again(&euis, "x") &&
						 !as_import_euis_again(&euis, NULL));
		t_uint("it did not grow", slots, euis.table.slots);
		as_import_euis_release(&euis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_turn_never_checks_or_writes_more_than_its_share),
		t_test(a_slice_holds_no_more_than_its_share),
		t_test(it_is_all_or_nothing),
		t_test(a_late_dry_run),
		t_test(every_eui_of_a_text_has_its_place),
		t_test(a_crash_after_any_turn),
		t_test(records_do_not_change_meanwhile),
		t_test(calls_wait_in_their_order),
		t_test(bodies_are_read_row_by_row),
		t_test(too_many_rows),
	};
	return t_run(tests);
}
