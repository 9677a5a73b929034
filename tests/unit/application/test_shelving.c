/* What many devices at once on the shelf cost a turn, and what is there when it ends early; what an agency is told of a DevEUI that
 * another has. Single rows and claims are in test_claims.c, the way of a call over turns in test_import.c. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/api/import.h"
#include "application-server/api/shelving.h"
#include "application-server/identity/audit.h"
#include "application-server/store_imports.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS  (4 * AS_SHELVING_ROWS_TURN + 3)
#define FIRST 0x70b3d57ed0100000u
#define JOIN  "70b3d57ed0000000"

static struct t_city *city;
static struct as_scope maker, parks, water;

static void furnish(void)
{
	static const char *const agencies[] = {"maker", "water"};
	t_city_furnish(city);
	for (size_t i = 0; i < ARRAY_SIZE(agencies); i++) {
		char body[80];
		snprintf(body, sizeof body, "{\"slug\":\"%s\",\"name\":\"x\"}", agencies[i]);
		assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies", body));
	}
}

static void take_scopes(void)
{
	maker = t_city_scope(city, AS_MANAGER, "maker");
	parks = t_city_scope(city, AS_MANAGER, "parks");
	water = t_city_scope(city, AS_MANAGER, "water");
}

static const char *digest_of(char text[65], const char *dev_eui)
{
	char words[120];
	uint8_t hash[SECRET_HASH];
	snprintf(words, sizeof words, "lamppost-owner-token%s:TOKEN123", dev_eui);
	for (char *at = words + strlen("lamppost-owner-token"); *at != ':'; at++)
		*at = (char)(*at >= 'a' && *at <= 'f' ? *at - 'a' + 'A' : *at);
	secret_hash(hash, words, strlen(words));
	hex_encode(text, hash, sizeof hash);
	return text;
}

/* Rows from `first` on; row `bad` has no JoinEUI. The caller frees it. */
static char *rows_text(uint64_t first, unsigned count, unsigned bad, const char *before)
{
	size_t room = 100 + 400 * (size_t)count;
	char *text = malloc(room);
	ASSERT(text);
	size_t at = (size_t)snprintf(text, room, "{%s\"devices\":[", before);
	for (unsigned i = 0; i < count; i++) {
		char eui[17], hash[65], sealed[T_SEALED_TEXT];
		snprintf(eui, sizeof eui, "%016llx", (unsigned long long)first + i);
		at += (size_t)snprintf(
			text + at, room - at,
			"%s{\"line\":%u,\"dev_eui\":\"%s\",\"join_eui\":\"%s\",\"token_digest\":\"%s\","
			"\"app_key\":\"%s\"}",
			i ? "," : "", i + 2, eui, i == bad ? "x" : JOIN, digest_of(hash, eui),
			t_seal(sealed, city->join_box, SEALED_APP_KEY, eui,
			       "8a1f6c02d94e4b7fa3b05c6de7182930"));
	}
	snprintf(text + at, room - at, "]}");
	return text;
}

static void begin(const struct as_scope *scope, uint64_t first, unsigned count, unsigned bad,
		  const char *before)
{
	char *text = rows_text(first, count, bad, before);
	(void)t_city_call(city, scope, "POST", "/api/v1/stock", text);
	t_true("later", city->answer.later);
	free(text);
}

static unsigned shelved(const struct as_scope *scope)
{
	assert_int_equal(200, t_city_call(city, scope, "GET", "/api/v1/stock?limit=1000", NULL));
	return (unsigned)json_array_size(json_object_get(t_city_answer(city), "items"));
}

static bool any_slice(void)
{
	char *text = NULL;
	bool any = as_store_import_first(city->store, &text) == ST_OK;
	free(text);
	return any;
}

/* --- turns ----------------------------------------------------------------------------------------------------------- */

static void a_turn_does_its_share_and_no_more(void **state)
{
	(void)state;
	char *slice = NULL, hash[65];
	city = t_city_new();
	furnish();
	take_scopes();
	begin(&maker, FIRST, ROWS, ROWS, "");
	t_true("goes on", !t_city_turn(city));
	t_int("a slice", ST_OK, as_store_import_first(city->store, &slice));
	t_true("no token's hash in a file", !strstr(slice, digest_of(hash, "70b3d57ed0100000")));
	json_t *rows = json_loads(slice ? slice : "", 0, NULL);
	t_uint("rows of a turn", AS_SHELVING_ROWS_TURN, json_array_size(rows));
	json_decref(rows);
	free(slice);
	t_uint("nothing is there yet", 0, shelved(&maker));
	unsigned before = 0, writing = 0;
	for (bool over = false; !over;) {
		over = t_city_turn(city);
		if (over) {
			t_int("status", 200, city->answer.status);
			t_int("shelved", ROWS,
			      json_integer_value(json_object_get(t_city_answer(city), "shelved")));
		}
		unsigned now = shelved(&maker);
		t_true("writes no more than its share", now - before <= AS_SHELVING_ROWS_TURN);
		writing += now != before;
		before = now;
	}
	t_uint("all are there", ROWS, before);
	t_uint("turns that write", (ROWS + AS_SHELVING_ROWS_TURN - 1) / AS_SHELVING_ROWS_TURN, writing);
	t_true("nothing is left over", !any_slice());
	t_city_free(city);
}

static void it_is_all_or_none(void **state)
{
	(void)state;
	static const struct {
		const char *name, *before;
		unsigned bad;
		int status;
		unsigned there;
	} rows[] = {
		{"all good", "", ROWS, 200, ROWS},
		{"the last one is bad", "", ROWS - 1, 422, 0},
		{"the first one is bad", "", 0, 422, 0},
		{"a dry run", "\"dry_run\":true,", ROWS, 200, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_audit_row audit;
		t_row(rows[i].name);
		city = t_city_new();
		city->who = "uid 7";
		furnish();
		take_scopes();
		begin(&maker, FIRST, ROWS, rows[i].bad, rows[i].before);
		t_int("status", rows[i].status, t_city_finish(city));
		t_uint("there", rows[i].there, shelved(&maker));
		t_true("nothing is left over", !any_slice());
		enum status said = as_audit_next(city->store, "70b3d57ed0100000", 0, &audit);
		t_int("audit", rows[i].there ? ST_OK : ST_NOT_FOUND, said);
		if (said == ST_OK) {
			t_str("what", "stock_add", audit.what);
			t_str("who", "uid 7", audit.who);
			t_str("how many", "67 devices", audit.detail);
		}
		t_city_free(city);
	}
}

/* A thousand errors are told, and what stands behind them makes no work and no rows of the audit, which are kept for ever. */
static void errors_without_number_end_it(void **state)
{
	(void)state;
	struct as_audit_row audit;
	char eui[17];
	unsigned count = 1000 + 2 * AS_SHELVING_ROWS_TURN;
	city = t_city_new();
	furnish();
	take_scopes();
	begin(&maker, FIRST, count, count, "");
	t_int("the maker's", 200, t_city_finish(city));
	begin(&water, FIRST, count, count, "");
	t_int("another's", 422, t_city_finish(city));
	const json_t *errors = json_object_get(t_city_answer(city), "errors");
	t_uint("errors", 1000, json_array_size(errors));
	t_int("says that it is not all", 1001,
	      json_integer_value(json_object_get(t_city_answer(city), "read_to_line")));
	for (unsigned i = 999; i <= 1000; i++) {
		t_row(i == 999 ? "the last that was looked at" : "the one behind it");
		snprintf(eui, sizeof eui, "%016llx", (unsigned long long)FIRST + i);
		t_int("audit", i == 999 ? ST_OK : ST_NOT_FOUND, as_audit_next(city->store, eui, 0, &audit));
	}
	t_city_free(city);
}

static void what_was_not_looked_at_is_said(void **state)
{
	(void)state;
	city = t_city_new();
	furnish();
	take_scopes();
	t_row("as many errors as are enough, and nothing behind them");
	begin(&maker, FIRST, 1000, 1000, "");
	t_int("the maker's", 200, t_city_finish(city));
	begin(&water, FIRST, 1000, 1000, "");
	t_int("another's", 422, t_city_finish(city));
	t_true("all was looked at", !json_object_get(t_city_answer(city), "read_to_line"));
	t_row("rows that name no line");
	char text[16 + 2 * 1500] = "{\"devices\":[7";
	for (size_t i = 1, used = strlen(text); i < 1500; i++, used += 2)
		memcpy(text + used, ",7", 3);
	memcpy(text + strlen(text), "]}", 3);
	(void)t_city_call(city, &maker, "POST", "/api/v1/stock", text);
	t_int("refused", 422, t_city_finish(city));
	t_int("the place of the last", 1000,
	      json_integer_value(json_object_get(t_city_answer(city), "read_to_line")));
	t_city_free(city);
}

static void the_same_device_in_another_spelling(void **state)
{
	(void)state;
	city = t_city_new();
	furnish();
	take_scopes();
	char *text = rows_text(FIRST, 2, 2, ""), *second;
	second = strstr(text, "70b3d57ed0100001");
	assert_non_null(second);
	memcpy(second, "70B3D57ED0100000", 16);
	(void)t_city_call(city, &maker, "POST", "/api/v1/stock", text);
	free(text);
	t_int("status", 422, t_city_finish(city));
	const json_t *error = json_array_get(json_object_get(t_city_answer(city), "errors"), 0);
	t_int("line", 3, json_integer_value(json_object_get(error, "line")));
	t_str("reason", "stands in this call twice", json_string_value(json_object_get(error, "reason")));
	t_uint("there", 0, shelved(&maker));
	t_city_free(city);
}

static void a_crash_after_any_turn_and_the_same_again(void **state)
{
	(void)state;
	unsigned none = 0, all = 0;
	for (int crash = 0, reached = 1; reached; crash++) {
		char dir[T_DIR_MAX], city_path[T_DIR_MAX + 16], readings_path[T_DIR_MAX + 16];
		t_temp_dir(dir);
		snprintf(city_path, sizeof city_path, "%s/city.db", dir);
		snprintf(readings_path, sizeof readings_path, "%s/readings.db", dir);
		city = t_city_new_at(city_path, readings_path);
		furnish();
		take_scopes();
		begin(&maker, FIRST, ROWS, ROWS, "");
		for (int turn = 0; turn < crash && reached; turn++)
			reached = !t_city_turn(city);
		t_city_free(city); /* what was committed is in the files, nothing else */
		city = t_city_new_at(city_path, readings_path);
		take_scopes();
		t_int("resumes", ST_OK, as_import_resume(&city->api));
		while (as_import_goes_on(&city->api))
			t_city_turn(city);
		unsigned found = shelved(&maker);
		t_true("all or none", found == 0 || found == ROWS);
		none += found == 0;
		all += found == ROWS;
		begin(&maker, FIRST, ROWS, ROWS, "");
		t_int("the same again", 200, t_city_finish(city));
		t_uint("is the whole", ROWS, shelved(&maker));
		t_city_free(city);
		t_temp_dir_remove(dir);
	}
	t_uint("before the decision", 5, none); /* after 0 to 4 turns of checking */
	t_true("after it", all >= 5);
}

/* --- what is told ---------------------------------------------------------------------------------------------------- */

#define OF_PARKS "0102030405060708" /* registered by parks */
#define ON_SHELF "70b3d57ed0100000" /* on the maker's shelf */
#define OF_CITY  "70b3d57ed0200000" /* on the city's shelf */
#define NOBODYS  "70b3d57ed0300000"

static void place_them(void)
{
	city = t_city_new();
	city->who = "uid 7";
	furnish();
	take_scopes();
	begin(&maker, 0x70b3d57ed0100000u, 1, 1, "");
	assert_int_equal(200, t_city_finish(city));
	begin(&t_city_admin, 0x70b3d57ed0200000u, 1, 1, "");
	assert_int_equal(200, t_city_finish(city));
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/applications",
					  "{\"slug\":\"pipes\",\"name\":\"Pipes\",\"agency\":\"water\"}"));
}

/* One way of asking for a DevEUI; fills the words of the answer, without the reference. */
static int ask(const char *way, const struct as_scope *scope, const char *application, const char *eui,
	       char words[300])
{
	char body[500];
	if (strcmp(way, "add") == 0) {
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"%s\",\"name\":\"x\",\"application\":\"%s\",\"profile\":\"probe\"}",
			 eui, application);
		(void)t_city_call(city, scope, "POST", "/api/v1/devices", body);
	} else if (strcmp(way, "import") == 0) {
		snprintf(body, sizeof body,
			 "{\"dry_run\":true,\"rows\":[{\"line\":1,\"dev_eui\":\"%s\",\"name\":\"x\","
			 "\"application\":\"%s\",\"profile\":\"probe\"}]}",
			 eui, application);
		(void)t_city_import(city, scope, body);
	} else {
		begin(scope, strtoull(eui, NULL, 16), 1, 1, "\"dry_run\":true,");
		(void)t_city_finish(city);
	}
	int status = city->answer.status;
	char *text = json_dumps(t_city_answer(city), 0), *at;
	for (at = text; at && (at = strstr(at, "reference ")); at += 10)
		for (char *digit = at + 10; *digit >= '0' && *digit <= '9'; digit++)
			*digit = '#';
	snprintf(words, 300, "%s", text ? text : "");
	free(text);
	while ((at = strstr(words, eui))) /* the one asked for is no news */
		memcpy(at, "----------------", 16);
	return status;
}

/* Whether somebody else has registered it or holds it is the same answer, to the byte; and so is what the audit gets. */
static void others_devices_are_one_answer(void **state)
{
	(void)state;
	static const char *const ways[] = {"add", "import", "shelve"};
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		char registered[300], on_shelf[300], of_city[300], free_one[300];
		t_row(ways[i]);
		place_them();
		int status = ask(ways[i], &water, "pipes", OF_PARKS, registered);
		t_true("refused", status == 409 || status == 422);
		t_int("status on a shelf", status, ask(ways[i], &water, "pipes", ON_SHELF, on_shelf));
		t_int("status on the city's", status, ask(ways[i], &water, "pipes", OF_CITY, of_city));
		t_str("on another's shelf", registered, on_shelf);
		t_str("on the city's shelf", registered, of_city);
		t_true("what to do next", strstr(registered, "reference #") && strstr(registered, "claim"));
		t_true("no owner", !strstr(registered, "parks") && !strstr(on_shelf, "maker"));
		status = ask(ways[i], &water, "pipes", NOBODYS, free_one);
		t_true("a free one", status == 200 || status == 201);
		t_city_free(city);
	}
}

static void ones_own_are_told_plainly(void **state)
{
	(void)state;
	static const struct {
		const char *name, *way, *eui, *words;
		const struct as_scope *scope;
		const char *application;
		int status;
	} rows[] = {
		{"its own device", "add", OF_PARKS, "is registered already", &parks, "meters", 409},
		{"its own device, to the shelf", "shelve", OF_PARKS, "is registered already", &parks, "",
		 422},
		{"on its own shelf", "add", ON_SHELF, "waits to be claimed", &maker, "meters", 409},
		{"on its own shelf, once more", "shelve", ON_SHELF, "shelved", &maker, "", 200},
		{"the city sees all", "add", OF_PARKS, "is registered already", &t_city_admin, "meters", 409},
		{"and all shelves", "add", ON_SHELF, "waits to be claimed", &t_city_admin, "meters", 409},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char words[300];
		t_row(rows[i].name);
		place_them();
		if (rows[i].scope == &maker && strcmp(rows[i].way, "add") == 0)
			assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/applications",
							  "{\"slug\":\"tests\",\"name\":\"T\",\"agency\":"
							  "\"maker\"}"));
		const char *application = rows[i].scope == &maker ? "tests" : rows[i].application;
		t_int("status", rows[i].status,
		      ask(rows[i].way, rows[i].scope, application, rows[i].eui, words));
		t_true(words, strstr(words, rows[i].words) != NULL);
		t_true("no reference", !strstr(words, "reference"));
		t_city_free(city);
	}
}

/* The engineers find who has it; the same question is the same row. */
static void the_reference_is_a_row_of_the_audit(void **state)
{
	(void)state;
	static const struct {
		const char *eui, *detail;
	} rows[] = {{OF_PARKS, "registered by parks"},
		    {ON_SHELF, "on the shelf of maker"},
		    {OF_CITY, "on the shelf of the city"}};
	place_them();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_audit_row first, again;
		char words[300], reference[40];
		t_row(rows[i].eui);
		(void)ask("add", &water, "pipes", rows[i].eui, words);
		assert_int_equal(ST_OK, as_audit_next(city->store, rows[i].eui, 0, &first));
		t_str("what", "dev_eui_taken", first.what);
		t_str("who", "uid 7", first.who);
		t_str("whose", rows[i].detail, first.detail);
		for (int times = 0; times < 3; times++)
			(void)ask(times ? "import" : "add", &water, "pipes", rows[i].eui, words);
		assert_int_equal(ST_OK, as_audit_next(city->store, rows[i].eui, 0, &again));
		t_uint("asked again", first.seq, again.seq);
		city->who = "uid 8";
		(void)t_city_call(city, &water, "POST", "/api/v1/devices",
				  "{\"dev_eui\":\"" OF_PARKS
				  "\",\"name\":\"x\",\"application\":\"pipes\",\"profile\":\"probe\"}");
		char *text = json_dumps(t_city_answer(city), 0);
		assert_int_equal(ST_OK, as_audit_next(city->store, OF_PARKS, 0, &again));
		snprintf(reference, sizeof reference, "reference %llu", (unsigned long long)again.seq);
		t_true("the number that was told", strstr(text, reference) != NULL);
		t_str("another asks", "uid 8", again.who);
		free(text);
		city->who = "uid 7";
	}
	t_city_free(city);
}

/* The file of a delivery comes again when some of it was claimed: by somebody else, by the holder itself, or seen by all. */
static void what_left_the_shelf_stays_with_its_owner(void **state)
{
	(void)state;
	static const struct {
		const char *name, *application;
		const struct as_scope *holder, *claims;
	} rows[] = {
		{"an agency's, claimed by another", "meters", &maker, &parks},
		{"an agency's, claimed by itself", "meters", &parks, &parks},
		{"the city's, claimed by an agency", "meters", &t_city_admin, &parks},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char body[400], hash[65];
		t_row(rows[i].name);
		city = t_city_new();
		furnish();
		take_scopes();
		begin(rows[i].holder, FIRST, 3, 3, "");
		t_int("shelved", 200, t_city_finish(city));
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"70b3d57ed0100001\",\"join_eui\":\"" JOIN
			 "\",\"token_digest\":\"%s\",\"name\":\"x\",\"application\":\"%s\",\"profile\":"
			 "\"probe\"}",
			 digest_of(hash, "70b3d57ed0100001"), rows[i].application);
		t_int("claimed", 201,
		      t_city_call(city, rows[i].claims, "POST", "/api/v1/devices/claim", body));
		begin(rows[i].holder, FIRST, 3, 3, "");
		t_int("again", 200, t_city_finish(city));
		t_int("left", 1, json_integer_value(json_object_get(t_city_answer(city), "claimed")));
		t_int("the others", 2, json_integer_value(json_object_get(t_city_answer(city), "shelved")));
		t_int("its owner has it", 200,
		      t_city_call(city, rows[i].claims, "GET", "/api/v1/devices/70b3d57ed0100001", NULL));
		t_city_free(city);
	}
}

static void the_city_leaves_a_shelf_its_holder(void **state)
{
	(void)state;
	place_them();
	begin(&t_city_admin, 0x70b3d57ed0100000u, 1, 1, "");
	t_int("written anew by the city", 200, t_city_finish(city));
	t_uint("still the maker's", 1, shelved(&maker));
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_turn_does_its_share_and_no_more),
		t_test(it_is_all_or_none),
		t_test(errors_without_number_end_it),
		t_test(what_was_not_looked_at_is_said),
		t_test(the_same_device_in_another_spelling),
		t_test(a_crash_after_any_turn_and_the_same_again),
		t_test(others_devices_are_one_answer),
		t_test(ones_own_are_told_plainly),
		t_test(the_reference_is_a_row_of_the_audit),
		t_test(what_left_the_shelf_stays_with_its_owner),
		t_test(the_city_leaves_a_shelf_its_holder),
	};
	return t_run(tests);
}
