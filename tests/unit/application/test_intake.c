/* Commands by MQTT, message by message: every case of ChirpStack's command files, what we do otherwise on purpose, and what
 * is known again. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/downlinks/intake.h"
#include "application-server/downlinks/queue.h"
#include "application-server/store_items.h"
#include "application-server/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEV_EUI     "7c5a30fffe0209f1"
#define APPLICATION "6c8651f4-4333-4767-a7ad-57eab0d0fccc" /* in the files */
#define TAKEN_ID    "d8b35137-aa05-4c00-a4a2-7f45324ed5bb" /* in a queue already, of another device */

static struct t_city *city;
static struct as_intake intake;
static char application[AS_UUID_TEXT];

static void open_city(void)
{
	city = t_city_new();
	city->now.wall.us = INT64_C(1772323200) * US_PER_S; /* 2026-03-01 */
	t_city_furnish(city);
	t_int("device", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"" DEV_EUI
			  "\",\"name\":\"Valve 9\",\"application\":\"meters\",\"profile\":\"probe\"}"));
	t_int("id taken", 202,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices/0102030405060708/downlinks",
			  "{\"f_port\":1,\"data\":\"\",\"id\":\"" TAKEN_ID "\"}"));
	t_city_call(city, &t_city_admin, "GET", "/api/v1/applications/meters", NULL);
	snprintf(application, sizeof application, "%s", t_city_text(city, "id"));
	as_intake_init(&intake, &city->app);
}

static void close_city(void)
{
	as_intake_release(&intake);
	t_city_free(city);
}

/* The topic with the files' application replaced by ours. */
static void our_topic(char topic[200], const char *theirs)
{
	const char *at = strstr(theirs, APPLICATION);
	if (at)
		snprintf(topic, 200, "%.*s%s%s", (int)(at - theirs), theirs, application,
			 at + strlen(APPLICATION));
	else
		snprintf(topic, 200, "%s", theirs);
}

static enum as_intake_verdict take_as(const char *topic, const char *bytes, int mid, bool dup, bool retained)
{
	char ours[200];
	enum as_intake_verdict verdict;
	our_topic(ours, topic);
	const struct as_intake_message message = {ours, bytes, strlen(bytes), mid, dup, retained};
	assert_int_equal(ST_OK, as_intake_take(&intake, city->now, &message, &verdict));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	return verdict;
}

static enum as_intake_verdict take(const char *bytes)
{
	return take_as("application/" APPLICATION "/device/" DEV_EUI "/command/down", bytes, 1, false, false);
}

static bool keep(void *ctx, const struct as_item *item, uint64_t place)
{
	(void)place;
	*(struct as_item *)ctx = *item;
	return true;
}

/* The device's one item; false: none. */
static bool the_item(struct as_item *item)
{
	struct lw_eui64 eui;
	*item = (struct as_item){.fport = 0};
	assert_true(lw_eui64_parse(DEV_EUI, &eui));
	assert_int_equal(ST_OK, as_store_items_list(city->store, &t_city_admin, &eui, 0xff, 0, keep, item));
	return item->fport != 0;
}

static size_t items(void)
{
	t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" DEV_EUI "/downlinks?limit=1000", NULL);
	return json_array_size(json_object_get(t_city_answer(city), "items"));
}

static char last_body[2048];

/* The code of the last log event; "": none. What it says is in last_body. */
static void last_log(char code[40])
{
	struct as_event event;
	*code = '\0';
	for (uint64_t after = 0; as_store_event_next(city->store, after, &event) == ST_OK;
	     after = event.seq) {
		if (event.kind != AS_EVENT_LOG)
			continue;
		json_t *json = json_loads(event.body, 0, NULL);
		snprintf(last_body, sizeof last_body, "%s", event.body);
		snprintf(code, 40, "%s", json_string_value(json_object_get(json, "code")));
		json_decref(json);
	}
	as_store_release(city->store);
}

/* --- the files ------------------------------------------------------------------------------------------------ */

/* Where we do otherwise than ChirpStack 4.19, and say so in docs/. */
static const struct {
	const char *name;
	enum as_intake_verdict verdict;
	const char *log;
} ours[] = {
	{"isEncrypted and fCntDown do not exist here: the data is encrypted again", AS_INTAKE_TAKEN, ""},
	{"object wins over data", AS_INTAKE_REFUSED, "DOWNLINK_CODEC"},
	{"object without a codec in the profile", AS_INTAKE_REFUSED, "DOWNLINK_CODEC"},
	{"empty object is an object", AS_INTAKE_REFUSED, "DOWNLINK_CODEC"},
	{"fPort above 255 is cut to 8 bits", AS_INTAKE_MALFORMED, "UNKNOWN"},
	{"longer than the data-rate allows", AS_INTAKE_REFUSED, "DOWNLINK_PAYLOAD_SIZE"},
	{"fPort written as a fraction", AS_INTAKE_TAKEN, ""},
	{"id null", AS_INTAKE_TAKEN, ""},
	{"data null", AS_INTAKE_TAKEN, ""},
	{"id still in a queue (ids are unique over all devices)", AS_INTAKE_REFUSED, "UNKNOWN"},
	{"topic with another application's id", AS_INTAKE_NO_DEVICE, ""},
};

static void expect(const json_t *row, enum as_intake_verdict *verdict, const char **log)
{
	const char *name = json_string_value(json_object_get(row, "case"));
	const char *theirs = json_string_value(json_object_get(row, "verdict"));
	*log = json_string_value(json_object_get(row, "log"));
	*verdict = strcmp(theirs, "accepted") == 0  ? AS_INTAKE_TAKEN
		   : strcmp(theirs, "ignored") == 0 ? AS_INTAKE_OTHER
						    : AS_INTAKE_MALFORMED;
	if (!*log)
		*log = *verdict == AS_INTAKE_MALFORMED ? "UNKNOWN" : "";
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (strcmp(ours[i].name, name) == 0) {
			*verdict = ours[i].verdict;
			*log = ours[i].log;
		}
	}
}

/* What lies in the queue against a command that ChirpStack takes for the same. */
static void check_equals(const json_t *equals)
{
	struct record_problems problems = {.count = 0};
	struct as_command *wanted = calloc(1, sizeof *wanted);
	uint8_t payload[NET_PAYLOAD_MAX];
	struct as_item item;
	assert_true(wanted && as_command_read(equals, AS_COMMAND_MQTT, city->now.wall, wanted, &problems));
	if (t_true("queued", the_item(&item)) &&
	    t_true("payload", as_item_open(&city->keys, &item, payload))) {
		t_bytes("data", wanted->payload, wanted->length, payload, item.length);
		t_uint("port", wanted->item.fport, item.fport);
		t_int("confirmed", wanted->item.confirmed, item.confirmed);
		t_int("expires", wanted->item.expires.us, item.expires.us);
	}
	free(wanted);
}

static void odd_and_wrong_commands(void **state)
{
	(void)state;
	json_t *file = json_load_file("tests/vectors/chirpstack-events/command_down_edge.json", 0, NULL),
	       *row;
	size_t index, differing = 0;
	assert_non_null(file);
	t_true("cases", json_array_size(file) >= 35);
	json_array_foreach(file, index, row)
	{
		enum as_intake_verdict verdict;
		const char *log, *text = json_string_value(json_object_get(row, "payloadText"));
		char code[40],
			*made = text ? NULL : json_dumps(json_object_get(row, "payload"), JSON_COMPACT);
		open_city();
		t_row(json_string_value(json_object_get(row, "case")));
		expect(row, &verdict, &log);
		t_str("verdict", as_intake_verdict_name(verdict),
		      as_intake_verdict_name(take_as(json_string_value(json_object_get(row, "topic")),
						     text ? text : made, 1, false, false)));
		last_log(code);
		t_str("log", log, code);
		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			differing += strcmp(ours[i].name, json_string_value(json_object_get(row, "case"))) ==
				     0;
		if (verdict == AS_INTAKE_TAKEN && json_object_get(row, "equals"))
			check_equals(json_object_get(row, "equals"));
		free(made);
		close_city();
	}
	t_row("every case of ours is in the file");
	t_uint("cases", ARRAY_SIZE(ours), differing);
	json_decref(file);
}

static void valid_commands(void **state)
{
	(void)state;
	json_t *file = json_load_file("tests/vectors/chirpstack-events/command_down.json", 0, NULL), *command;
	size_t index;
	assert_non_null(file);
	json_array_foreach(file, index, command)
	{
		char row[40], code[40], *bytes = json_dumps(command, JSON_COMPACT);
		bool object = json_is_object(json_object_get(command, "object"));
		bool no_port = json_object_get(command, "fPort") == NULL;
		open_city();
		snprintf(row, sizeof row, "command %zu", index);
		t_row(row);
		t_str("verdict",
		      no_port  ? "malformed"
		      : object ? "refused"
			       : "taken",
		      as_intake_verdict_name(take(bytes)));
		last_log(code);
		t_str("log", no_port ? "UNKNOWN" : object ? "DOWNLINK_CODEC" : "", code);
		if (!object)
			check_equals(command);
		const char *id = json_string_value(json_object_get(command, "id"));
		if (id && *id) {
			char target[200];
			snprintf(target, sizeof target, "/api/v1/devices/" DEV_EUI "/downlinks/%s", id);
			t_int("under its id", 200, t_city_call(city, &t_city_admin, "GET", target, NULL));
		}
		free(bytes);
		close_city();
	}
	json_decref(file);
}

/* The items of REST's file of the same shape; there they are encrypted too. */
static void encrypted_commands_keep_their_counter(void **state)
{
	(void)state;
	struct as_item item;
	open_city();
	t_int("taken", AS_INTAKE_TAKEN,
	      take("{\"devEui\":\"" DEV_EUI
		   "\",\"fPort\":5,\"data\":\"P2jd\",\"isEncrypted\":true,\"fCntDown\":13}"));
	t_true("queued", the_item(&item));
	t_true("encrypted", item.encrypted);
	t_uint("counter", 13, item.fcnt_given);
	close_city();
	open_city();
	t_row("without its counter");
	t_int("malformed", AS_INTAKE_MALFORMED,
	      take("{\"devEui\":\"" DEV_EUI "\",\"fPort\":5,\"data\":\"P2jd\",\"isEncrypted\":true}"));
	close_city();
}

/* --- known again ------------------------------------------------------------------------------------------------- */

#define PLAIN "{\"devEui\":\"" DEV_EUI "\",\"fPort\":10,\"data\":\"CgFk\"}"
#define WITH_ID                  \
	"{\"devEui\":\"" DEV_EUI \
	"\",\"fPort\":10,\"data\":\"CgFk\",\"id\":\"11111111-2222-4333-8444-555555555555\"}"
#define SAME_ID                  \
	"{\"devEui\":\"" DEV_EUI \
	"\",\"fPort\":10,\"data\":\"CgFl\",\"id\":\"11111111-2222-4333-8444-555555555555\"}"

static const struct {
	const char *name, *first, *second;
	int first_mid, second_mid, later_s;
	bool dup;
	enum as_intake_verdict verdict;
	size_t items;
} repeats[] = {
	{"delivered again at once", PLAIN, PLAIN, 4, 4, 0, true, AS_INTAKE_DUPLICATE, 1},
	{"delivered again under another message id", PLAIN, PLAIN, 4, 9, 59, true, AS_INTAKE_DUPLICATE, 1},
	{"delivered again under another message id, late", PLAIN, PLAIN, 4, 9, 61, true, AS_INTAKE_TAKEN, 2},
	{"delivered again after an hour away", PLAIN, PLAIN, 4, 4, 3600, true, AS_INTAKE_DUPLICATE, 1},
	{"the same command twice", PLAIN, PLAIN, 4, 5, 0, false, AS_INTAKE_TAKEN, 2},
	{"delivered again, but the first never came", WITH_ID, PLAIN, 4, 4, 0, true, AS_INTAKE_TAKEN, 2},
	{"by its id", WITH_ID, WITH_ID, 4, 5, 0, false, AS_INTAKE_REPEATED, 1},
	{"by its id, days later", WITH_ID, WITH_ID, 4, 5, 3 * 86400, true, AS_INTAKE_REPEATED, 1},
	{"another command of that id", WITH_ID, SAME_ID, 4, 5, 0, false, AS_INTAKE_REFUSED, 1},
};

static void what_comes_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(repeats); i++) {
		const char *topic = "application/" APPLICATION "/device/" DEV_EUI "/command/down";
		open_city();
		t_row(repeats[i].name);
		t_int("first", AS_INTAKE_TAKEN,
		      take_as(topic, repeats[i].first, repeats[i].first_mid, false, false));
		city->now.wall.us += repeats[i].later_s * US_PER_S;
		t_str("second", as_intake_verdict_name(repeats[i].verdict),
		      as_intake_verdict_name(take_as(topic, repeats[i].second, repeats[i].second_mid,
						     repeats[i].dup, false)));
		t_uint("items", repeats[i].items, items());
		close_city();
	}
}

static void a_retained_command_is_none(void **state)
{
	(void)state;
	open_city();
	t_int("retained", AS_INTAKE_RETAINED,
	      take_as("application/" APPLICATION "/device/" DEV_EUI "/command/down", PLAIN, 1, false, true));
	t_uint("items", 0, items());
	close_city();
}

/* --- topics and limits --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *topic;
	enum as_intake_verdict verdict;
} topics[] = {
	{"a device that is not registered",
	 "application/" APPLICATION "/device/7c5a30fffe0209f9/command/down", AS_INTAKE_NO_DEVICE},
	{"an application that is no UUID", "application/meters/device/" DEV_EUI "/command/down",
	 AS_INTAKE_NO_DEVICE},
	{"a DevEUI that is none", "application/" APPLICATION "/device/7c5a30fffe0209gg/command/down",
	 AS_INTAKE_NO_DEVICE},
	{"an event", "application/" APPLICATION "/device/" DEV_EUI "/event/down", AS_INTAKE_NO_DEVICE},
	{"no name", "application/" APPLICATION "/device/" DEV_EUI "/command/", AS_INTAKE_NO_DEVICE},
	{"another command", "application/" APPLICATION "/device/" DEV_EUI "/command/downs", AS_INTAKE_OTHER},
	{"a short topic", "application/", AS_INTAKE_NO_DEVICE},
	{"no topic", "", AS_INTAKE_NO_DEVICE},
};

static void topics_that_are_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		char code[40];
		open_city();
		t_row(topics[i].name);
		t_str("verdict", as_intake_verdict_name(topics[i].verdict),
		      as_intake_verdict_name(take_as(topics[i].topic, PLAIN, 1, false, false)));
		last_log(code);
		t_str("nobody is told", "", code);
		t_uint("items", 0, items());
		close_city();
	}
}

static void bodies_that_are_none(void **state)
{
	(void)state;
	static char longest[AS_INTAKE_BYTES_MAX + 2];
	static const struct {
		const char *name, *body;
	} bodies[] = {{"nothing", ""},       {"an array", "[]"},
		      {"a number", "7"},     {"half an object", "{\"devEui\":"},
		      {"too long", longest}, {"deep", "[[[[[[[[[[[[[[[["}};
	memset(longest, ' ', sizeof longest - 1);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		open_city();
		t_row(bodies[i].name);
		t_int("malformed", AS_INTAKE_MALFORMED, take(bodies[i].body));
		close_city();
	}
}

static uint64_t logs(void)
{
	uint64_t count = 0;
	struct as_event event;
	for (uint64_t after = 0; as_store_event_next(city->store, after, &event) == ST_OK; after = event.seq)
		count += event.kind == AS_EVENT_LOG;
	as_store_release(city->store);
	return count;
}

/* One application that sends without end: it is held to its rate, its logs too; another's command passes. */
static void one_application_does_not_take_all(void **state)
{
	(void)state;
	open_city();
	for (int i = 0; i < AS_INTAKE_BURST; i++)
		take("x");
	t_int("all of the burst", AS_INTAKE_BURST, (long long)intake.counts[AS_INTAKE_MALFORMED]);
	t_str("one more", "too_fast", as_intake_verdict_name(take("x")));
	t_true("few logs", logs() <= 20);
	t_int("another application", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/applications",
			  "{\"slug\":\"other\",\"name\":\"O\",\"agency\":\"parks\"}"));
	t_int("its device", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"7c5a30fffe0209f2\",\"name\":\"n\",\"application\":\"other\","
			  "\"profile\":\"probe\"}"));
	char topic[200];
	t_city_call(city, &t_city_admin, "GET", "/api/v1/applications/other", NULL);
	snprintf(topic, sizeof topic, "application/%s/device/7c5a30fffe0209f2/command/down",
		 t_city_text(city, "id"));
	t_str("its command", "taken",
	      as_intake_verdict_name(take_as(topic,
					     "{\"devEui\":\"7c5a30fffe0209f2\",\"fPort\":1,\"data\":\"\"}", 1,
					     false, false)));
	t_row("a second later");
	city->now.mono.us += US_PER_S;
	for (int i = 0; i < AS_INTAKE_RATE; i++)
		take("x");
	t_str("as many as a second allows", "too_fast", as_intake_verdict_name(take("x")));
	t_int("not more", AS_INTAKE_BURST + AS_INTAKE_RATE, (long long)intake.counts[AS_INTAKE_MALFORMED]);
	close_city();
}

static void an_object_that_the_codec_cannot_write_is_told(void **state)
{
	(void)state;
	char code[40];
	open_city();
	t_int("codec", 200,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/profiles/probe",
			  "{\"codec\":\"cayenne-lpp\"}"));
	t_int("refused", AS_INTAKE_REFUSED,
	      take("{\"devEui\":\"" DEV_EUI "\",\"fPort\":2,\"object\":{\"digitalOutput\":{\"1\":256}}}"));
	last_log(code);
	t_str("log", "DOWNLINK_CODEC", code);
	t_true("and why", strstr(last_body, "digitalOutput.1: not a value that this type holds") != NULL);
	t_int("one that it can write", AS_INTAKE_TAKEN,
	      take("{\"devEui\":\"" DEV_EUI "\",\"fPort\":2,\"object\":{\"digitalOutput\":{\"1\":1}}}"));
	t_uint("items", 1, items());
	close_city();
}

static void numbers_in_text_are_decimal(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		enum as_intake_verdict verdict;
	} rows[] = {
		{"20", AS_INTAKE_TAKEN},      {"2e1", AS_INTAKE_TAKEN},     {"0x14", AS_INTAKE_MALFORMED},
		{" 20", AS_INTAKE_MALFORMED}, {"nan", AS_INTAKE_MALFORMED}, {"", AS_INTAKE_MALFORMED},
		{"20 ", AS_INTAKE_MALFORMED}, {"-1", AS_INTAKE_MALFORMED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char body[120];
		open_city();
		t_row(rows[i].number);
		snprintf(body, sizeof body, "{\"devEui\":\"" DEV_EUI "\",\"fPort\":\"%s\",\"data\":\"\"}",
			 rows[i].number);
		t_str("verdict", as_intake_verdict_name(rows[i].verdict), as_intake_verdict_name(take(body)));
		close_city();
	}
}

static void a_full_queue_is_told(void **state)
{
	(void)state;
	char code[40];
	open_city();
	for (int i = 0; i < AS_ITEMS_MAX; i++)
		t_int("taken", AS_INTAKE_TAKEN, take(PLAIN));
	last_log(code);
	t_str("no log so far", "", code);
	t_int("refused", AS_INTAKE_REFUSED, take(PLAIN));
	last_log(code);
	t_str("log", "UNKNOWN", code);
	t_uint("items", AS_ITEMS_MAX, items());
	close_city();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(odd_and_wrong_commands),
		t_test(valid_commands),
		t_test(encrypted_commands_keep_their_counter),
		t_test(what_comes_again),
		t_test(a_retained_command_is_none),
		t_test(topics_that_are_none),
		t_test(bodies_that_are_none),
		t_test(one_application_does_not_take_all),
		t_test(an_object_that_the_codec_cannot_write_is_told),
		t_test(numbers_in_text_are_decimal),
		t_test(a_full_queue_is_told),
	};
	return t_run(tests);
}
