/* A downlink item from the command to its end: what REST says, what the network server's events do to it, what subscribers
 * get, and what is left in the store. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/store_items.h"
#include "application-server/store_private.h"
#include "application-server/uuid.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <string.h>

#define DEVICE    "/api/v1/devices/0102030405060708"
#define DOWNLINKS DEVICE "/downlinks"
#define ID        "11111111-2222-4333-8444-555555555555"

static struct t_city *city;
static uint64_t event_row;

static void furnished(void)
{
	city = t_city_new();
	t_city_furnish(city);
	event_row = 0;
}

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

static struct net_uuid item_id(void)
{
	struct net_uuid id;
	assert_true(as_uuid_parse(ID, &id));
	return id;
}

static struct net_event_head head(void)
{
	struct net_event_head made = {.row = ++event_row, .time = {city->now.wall.us + (int64_t)event_row}};
	made.id.bytes[0] = (uint8_t)event_row;
	made.id.bytes[15] = 8;
	assert_true(lw_eui64_parse("0102030405060708", &made.dev_eui));
	return made;
}

static struct net_downlink_event change(enum net_item_status status, const char *cause, uint8_t tries)
{
	struct net_downlink_event event = {.head = head(),
					   .item = item_id(),
					   .status = status,
					   .fcnt_down = 40u + tries,
					   .gateway = {{1, 2, 3, 4, 5, 6, 7, 9}},
					   .tries = tries,
					   .has_tx = status == NET_ITEM_SENT,
					   .freq_hz = 868100000,
					   .modulation = {.kind = LW_LORA,
							  .spreading_factor = 9,
							  .bandwidth_hz = 125000,
							  .code_rate = "4/5"},
					   .power_dbm = 16,
					   .window = GW_RX1,
					   .delay = 5 * US_PER_S};
	snprintf(event.cause, sizeof event.cause, "%s", cause);
	return event;
}

static void deliver(const struct net_downlink_event *event)
{
	assert_int_equal(ST_OK, as_application_on_downlink(&city->app, city->now, event));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void send_one(bool confirmed)
{
	char body[200];
	snprintf(body, sizeof body, "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" ID "\",\"confirmed\":%s}",
		 confirmed ? "true" : "false");
	t_int("sent", 202, call("POST", DOWNLINKS, body));
}

/* The last event that subscribers get, as JSON; the caller releases it. `*kind` "": there is none after `after`. */
static json_t *last_event(uint64_t after, const char **kind)
{
	struct as_event event;
	json_t *json = NULL;
	*kind = "";
	while (as_store_event_next(city->store, after, &event) == ST_OK) {
		json_decref(json);
		json = json_loads(event.body, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		*kind = as_event_kind_name(event.kind);
		after = event.seq;
	}
	as_store_release(city->store);
	return json;
}

/* --- states --------------------------------------------------------------------------------------------------- */

static void an_item_that_has_ended_moves_no_more(void **state)
{
	(void)state;
	for (int from = 0; from < NET_ITEM_STATUS_COUNT; from++) {
		for (int to = 0; to < NET_ITEM_STATUS_COUNT; to++) {
			for (int confirmed = 0; confirmed < 2; confirmed++) {
				char row[80];
				struct as_item item = {.status = (enum net_item_status)from,
						       .confirmed = confirmed};
				item.ended = as_item_is_end(item.status, confirmed);
				bool wanted = !item.ended && (to != NET_ITEM_ACKNOWLEDGED || confirmed);
				snprintf(row, sizeof row, "%s to %s, %s", net_item_status_name(item.status),
					 net_item_status_name((enum net_item_status)to),
					 confirmed ? "confirmed" : "unconfirmed");
				t_row(row);
				t_int("may move", wanted, as_item_may_move(&item, (enum net_item_status)to));
			}
		}
	}
	t_row("ends");
	t_true("an unconfirmed one by being sent", as_item_is_end(NET_ITEM_SENT, false));
	t_false("a confirmed one not", as_item_is_end(NET_ITEM_SENT, true));
	t_false("planned", as_item_is_end(NET_ITEM_PLANNED, false));
	t_true("refused", as_item_is_end(NET_ITEM_REFUSED, true));
}

/* Courses as the network server tells them; each is told twice over, as after a reconnect. */
static const struct {
	const char *name;
	bool confirmed;
	struct {
		enum net_item_status status;
		const char *cause;
		uint8_t tries;
	} steps[8];
	size_t count;
	const char *status;
	bool ended;
	const char *kind; /* of the last event out */
	const char *code; /* of a log */
	size_t events;
} courses[] = {
	{"unconfirmed, sent at once",
	 false,
	 {{NET_ITEM_QUEUED, "", 0}, {NET_ITEM_PLANNED, "", 1}, {NET_ITEM_SENT, "", 1}},
	 3,
	 "sent",
	 true,
	 "txack",
	 "",
	 1},
	{"confirmed, acknowledged the second time",
	 true,
	 {{NET_ITEM_QUEUED, "", 0},
	  {NET_ITEM_PLANNED, "", 1},
	  {NET_ITEM_SENT, "", 1},
	  {NET_ITEM_QUEUED, "no_ack", 1},
	  {NET_ITEM_PLANNED, "", 2},
	  {NET_ITEM_SENT, "", 2},
	  {NET_ITEM_ACKNOWLEDGED, "", 2}},
	 7,
	 "acknowledged",
	 true,
	 "ack",
	 "",
	 3},
	{"confirmed, sent and not answered yet",
	 true,
	 {{NET_ITEM_QUEUED, "", 0}, {NET_ITEM_PLANNED, "", 1}, {NET_ITEM_SENT, "", 1}},
	 3,
	 "sent",
	 false,
	 "txack",
	 "",
	 1},
	{"confirmed, never answered",
	 true,
	 {{NET_ITEM_SENT, "", 1}, {NET_ITEM_FAILED, "no_ack", 1}},
	 2,
	 "failed",
	 true,
	 "ack",
	 "",
	 2},
	{"expired",
	 false,
	 {{NET_ITEM_QUEUED, "", 0}, {NET_ITEM_EXPIRED, "", 0}},
	 2,
	 "expired",
	 true,
	 "log",
	 "EXPIRED",
	 1},
	{"refused",
	 false,
	 {{NET_ITEM_REFUSED, "item_queue_full", 0}},
	 1,
	 "refused",
	 true,
	 "log",
	 "UNKNOWN",
	 1},
	{"a gateway was too late, another try",
	 false,
	 {{NET_ITEM_QUEUED, "", 0}, {NET_ITEM_PLANNED, "", 1}, {NET_ITEM_QUEUED, "tx_too_late", 1}},
	 3,
	 "queued",
	 false,
	 "log",
	 "DOWNLINK_GATEWAY",
	 1},
	{"a counter that has passed",
	 false,
	 {{NET_ITEM_STALE_COUNTER, "stale_counter", 0}},
	 1,
	 "stale_counter",
	 true,
	 "log",
	 "F_CNT_DOWN",
	 1},
	{"flushed",
	 true,
	 {{NET_ITEM_SENT, "", 1}, {NET_ITEM_FAILED, "flushed", 1}},
	 2,
	 "failed",
	 true,
	 "log",
	 "UNKNOWN",
	 2},
	{"an event of old behind the end",
	 false,
	 {{NET_ITEM_SENT, "", 1},
	  {NET_ITEM_QUEUED, "", 0},
	  {NET_ITEM_PLANNED, "", 1},
	  {NET_ITEM_SENT, "", 2}},
	 4,
	 "sent",
	 true,
	 "txack",
	 "",
	 1},
};

static void courses_of_items(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(courses); i++) {
		struct net_downlink_event events[8];
		const char *kind;
		furnished();
		t_row(courses[i].name);
		send_one(courses[i].confirmed);
		for (size_t s = 0; s < courses[i].count; s++)
			events[s] = change(courses[i].steps[s].status, courses[i].steps[s].cause,
					   courses[i].steps[s].tries);
		for (int round = 0; round < 2; round++)
			for (size_t s = 0; s < courses[i].count; s++)
				deliver(&events[s]);
		t_int("known", 200, call("GET", DOWNLINKS "/" ID, NULL));
		t_str("status", courses[i].status, t_city_text(city, "status"));
		t_int("ended", courses[i].ended, json_is_true(json_object_get(t_city_answer(city), "ended")));
		t_int("payload is kept while it waits", !courses[i].ended,
		      json_is_string(json_object_get(t_city_answer(city), "data")));
		t_uint("row is done with", courses[i].count, city->app.stored_row);
		t_uint("events out", courses[i].events, as_store_events_count(city->store));
		json_t *event = last_event(0, &kind);
		t_str("kind", courses[i].kind, kind);
		const char *code = json_string_value(json_object_get(event, "code"));
		t_str("code", courses[i].code, code ? code : "");
		if (!code)
			t_str("item", ID, json_string_value(json_object_get(event, "queueItemId")));
		else
			t_str("item", ID,
			      json_string_value(
				      json_object_get(json_object_get(event, "context"), "queue_item_id")));
		json_decref(event);
		t_city_free(city);
	}
}

static void history_says_what_happened(void **state)
{
	(void)state;
	static const char *const wanted[] = {"queued", "queued", "planned", "sent", "acknowledged"};
	struct net_downlink_event event;
	furnished();
	send_one(true);
	event = change(NET_ITEM_QUEUED, "", 0);
	deliver(&event);
	event = change(NET_ITEM_PLANNED, "", 1);
	deliver(&event);
	event = change(NET_ITEM_SENT, "", 1);
	deliver(&event);
	event = change(NET_ITEM_ACKNOWLEDGED, "", 1);
	deliver(&event);
	call("GET", DOWNLINKS "/" ID, NULL);
	const json_t *history = json_object_get(t_city_answer(city), "history");
	t_uint("changes", ARRAY_SIZE(wanted), json_array_size(history));
	for (size_t i = 0; i < json_array_size(history) && i < ARRAY_SIZE(wanted); i++)
		t_str("change", wanted[i],
		      json_string_value(json_object_get(json_array_get(history, i), "status")));
	const json_t *sent = json_array_get(history, 3);
	t_str("gateway", "0102030405060709", json_string_value(json_object_get(sent, "gateway")));
	t_int("counter", 41, json_integer_value(json_object_get(sent, "f_cnt_down")));
	t_int("tries", 1, json_integer_value(json_object_get(sent, "tries")));
	t_str("the gateway stays with the item", "0102030405060709", t_city_text(city, "gateway"));
	t_city_free(city);
}

/* city.db was committed, readings.db was not: the repeat must bring the event out. */
static void a_crash_between_the_files_loses_no_event(void **state)
{
	(void)state;
	struct net_downlink_event event;
	const char *kind;
	furnished();
	send_one(false);
	event = change(NET_ITEM_SENT, "", 1);
	deliver(&event);
	assert_int_equal(ST_OK, as_store_events_prune(city->store, 0, 1000));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	json_decref(last_event(0, &kind));
	t_str("gone", "", kind);
	deliver(&event);
	json_decref(last_event(0, &kind));
	t_str("told again", "txack", kind);
	t_city_free(city);
}

static void history_is_bounded(void **state)
{
	(void)state;
	furnished();
	send_one(true);
	for (int i = 0; i < 2 * AS_CHANGES_KEPT; i++) {
		struct net_downlink_event event = change(NET_ITEM_QUEUED, "no_ack", 1);
		event.head.id.bytes[1] = (uint8_t)(i >> 7);
		deliver(&event);
	}
	call("GET", DOWNLINKS "/" ID, NULL);
	t_uint("changes", AS_CHANGES_KEPT, json_array_size(json_object_get(t_city_answer(city), "history")));
	t_city_free(city);
}

/* --- REST ------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *body;
	int status;
	const char *field;
} sends[] = {
	{"base64", "{\"f_port\":5,\"data\":\"AQI=\"}", 202, ""},
	{"hex", "{\"f_port\":5,\"hex\":\"0102ff\"}", 202, ""},
	{"odd hex", "{\"f_port\":5,\"hex\":\"012\"}", 422, "hex"},
	{"nothing to send", "{\"f_port\":5}", 422, "data"},
	{"an empty payload", "{\"f_port\":5,\"data\":\"\"}", 202, ""},
	{"data in two forms", "{\"f_port\":5,\"data\":\"\",\"hex\":\"\"}", 422, "data"},
	{"an object, which declarative codecs do not write", "{\"f_port\":5,\"object\":{\"valve\":\"open\"}}",
	 422, "object"},
	{"ChirpStack's names", "{\"fPort\":5,\"data\":\"AQ==\",\"expiresAt\":\"2027-01-16T00:00:00Z\"}", 202,
	 ""},
	{"one name in both spellings", "{\"fPort\":5,\"f_port\":5,\"data\":\"\"}", 422, "f_port"},
	{"the highest priority", "{\"f_port\":5,\"data\":\"\",\"priority\":6}", 202, ""},
	{"a priority beyond", "{\"f_port\":5,\"data\":\"\",\"priority\":7}", 422, "priority"},
	{"a priority in words", "{\"f_port\":5,\"data\":\"\",\"priority\":\"high\"}", 422, "priority"},
	{"for two hours", "{\"f_port\":5,\"data\":\"\",\"ttl_s\":7200}", 202, ""},
	{"for no time", "{\"f_port\":5,\"data\":\"\",\"ttl_s\":0}", 422, "ttl_s"},
	{"until yesterday", "{\"f_port\":5,\"data\":\"\",\"expires_at\":\"2026-01-01T00:00:00Z\"}", 422,
	 "expires_at"},
	{"until no clock's time", "{\"f_port\":5,\"data\":\"\",\"expires_at\":\"2028-01-01T00:00:00\"}", 422,
	 "expires_at"},
	{"until twice", "{\"f_port\":5,\"data\":\"\",\"ttl_s\":1,\"expires_at\":\"2028-01-01T00:00:00Z\"}",
	 422, "ttl_s"},
	{"encrypted by the agency", "{\"f_port\":5,\"data\":\"AQ==\",\"encrypted\":true,\"f_cnt_down\":13}",
	 202, ""},
	{"encrypted under no counter", "{\"f_port\":5,\"data\":\"AQ==\",\"encrypted\":true}", 422,
	 "f_cnt_down"},
	{"a counter and nothing encrypted", "{\"f_port\":5,\"data\":\"AQ==\",\"f_cnt_down\":13}", 422,
	 "f_cnt_down"},
	{"a misspelt member", "{\"f_port\":5,\"data\":\"AQ==\",\"confirmd\":true}", 422, "confirmd"},
	{"an id that is none", "{\"f_port\":5,\"data\":\"AQ==\",\"id\":\"valve-1\"}", 422, "id"},
	{"a port of the network's own", "{\"f_port\":224,\"data\":\"\"}", 422, "f_port"},
	{"a port and a half", "{\"f_port\":5.5,\"data\":\"\"}", 422, "f_port"},
};

static void sends_and_their_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sends); i++) {
		furnished();
		t_row(sends[i].name);
		if (!t_int("status", sends[i].status, call("POST", DOWNLINKS, sends[i].body)))
			printf("%s\n", t_city_text(city, "detail"));
		t_str("field", sends[i].field, t_city_text(city, "field"));
		call("GET", DOWNLINKS, NULL);
		t_uint("kept", sends[i].status == 202,
		       json_array_size(json_object_get(t_city_answer(city), "items")));
		t_city_free(city);
	}
}

/* 222 bytes are EU868's longest. */
static void what_no_data_rate_carries_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t length;
		int status;
	} lengths[] = {{"the longest", 242, 202}, {"one byte more", 243, 422}, {"a lot more", 1000, 422}};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char body[2100] = "{\"f_port\":5,\"hex\":\"";
		size_t at = strlen(body);
		furnished();
		memset(body + at, '0', 2 * lengths[i].length);
		snprintf(body + at + 2 * lengths[i].length, 4, "\"}");
		t_row(lengths[i].name);
		t_int("status", lengths[i].status, call("POST", DOWNLINKS, body));
		t_city_free(city);
	}
}

static void hear(uint8_t max_payload)
{
	struct net_up_event up = {.head = head(),
				  .has_fport = true,
				  .fport = 2,
				  .max_payload = max_payload,
				  .region_id = "eu868",
				  .modulation = {.kind = LW_LORA, .code_rate = "4/5"}};
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &up));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void the_answer_says_whether_it_fits(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int heard; /* −1: never */
		int fits;  /* −1: not known */
	} rows[] = {{"of a silent device", -1, -1},
		    {"a network server that does not say", 0, -1},
		    {"room enough", 51, 1},
		    {"just enough", 3, 1},
		    {"too little", 2, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		furnished();
		t_row(rows[i].name);
		if (rows[i].heard >= 0)
			hear((uint8_t)rows[i].heard);
		send_one(false);
		const json_t *fits = json_object_get(t_city_answer(city), "fits");
		t_int("fits", rows[i].fits, json_is_null(fits) ? -1 : json_is_true(fits));
		t_uint("a sentence", 1, json_array_size(json_object_get(t_city_answer(city), "notes")));
		if (rows[i].fits >= 0)
			t_int("max_payload", rows[i].heard,
			      json_integer_value(json_object_get(t_city_answer(city), "max_payload")));
		t_city_free(city);
	}
	t_row("class C is not built yet");
	furnished();
	call("PATCH", "/api/v1/profiles/probe", "{\"class\":\"C\"}");
	send_one(false);
	t_uint("says so", 2, json_array_size(json_object_get(t_city_answer(city), "notes")));
	t_city_free(city);
}

static void an_id_is_the_commands_identity(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		int status;
	} rows[] = {
		{"the same again", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" ID "\"}", 200},
		{"the same in hex", "{\"f_port\":7,\"hex\":\"010203\",\"id\":\"" ID "\",\"ttl_s\":60}", 200},
		{"another payload", "{\"f_port\":7,\"data\":\"AQIE\",\"id\":\"" ID "\"}", 409},
		{"another port", "{\"f_port\":8,\"data\":\"AQID\",\"id\":\"" ID "\"}", 409},
		{"confirmed now", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" ID "\",\"confirmed\":true}",
		 409},
		{"of more weight", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" ID "\",\"priority\":3}", 409},
	};
	for (int ended = 0; ended < 2; ended++) {
		furnished();
		send_one(false);
		if (ended) {
			struct net_downlink_event event = change(NET_ITEM_SENT, "", 1);
			deliver(&event);
		}
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			t_row(rows[i].name);
			t_int(ended ? "after its end" : "while it waits", rows[i].status,
			      call("POST", DOWNLINKS, rows[i].body));
			if (rows[i].status == 200)
				t_str("as it is now", ended ? "sent" : "queued", t_city_text(city, "status"));
		}
		call("GET", DOWNLINKS, NULL);
		t_uint("one item", 1, json_array_size(json_object_get(t_city_answer(city), "items")));
		t_city_free(city);
	}
}

static void lists_and_their_filters(void **state)
{
	(void)state;
	static const struct {
		const char *name, *query;
		int status;
		size_t count;
	} rows[] = {{"all", "", 200, 3},
		    {"all by name", "?state=all", 200, 3},
		    {"that wait", "?state=waiting", 200, 2},
		    {"that ended", "?state=ended", 200, 1},
		    {"by status", "?state=sent", 200, 1},
		    {"of no status", "?state=lost", 422, 0},
		    {"pages", "?limit=2", 200, 2},
		    {"a cursor that is none", "?after=x", 422, 0}};
	furnished();
	send_one(false);
	struct net_downlink_event event = change(NET_ITEM_SENT, "", 1);
	deliver(&event);
	for (int i = 0; i < 2; i++)
		call("POST", DOWNLINKS, "{\"f_port\":1,\"data\":\"\"}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char target[100];
		snprintf(target, sizeof target, DOWNLINKS "%s", rows[i].query);
		t_row(rows[i].name);
		t_int("status", rows[i].status, call("GET", target, NULL));
		t_uint("items", rows[i].count,
		       json_array_size(json_object_get(t_city_answer(city), "items")));
	}
	t_row("the second page");
	call("GET", DOWNLINKS "?limit=2", NULL);
	char target[100];
	snprintf(target, sizeof target, DOWNLINKS "?limit=2&after=%s", t_city_text(city, "next"));
	call("GET", target, NULL);
	const json_t *items = json_object_get(t_city_answer(city), "items");
	t_uint("the last", 1, json_array_size(items));
	t_str("is the oldest", ID, json_string_value(json_object_get(json_array_get(items, 0), "id")));
	t_str("no more", "", t_city_text(city, "next"));
	t_city_free(city);
}

static void agencies_see_their_own(void **state)
{
	(void)state;
	furnished();
	send_one(false);
	call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}");
	struct as_scope reader = t_city_scope(city, AS_READER, "parks"),
			manager = t_city_scope(city, AS_MANAGER, "parks"),
			foreign = t_city_scope(city, AS_MANAGER, "water");
	const struct {
		const char *name, *method, *target, *body;
		const struct as_scope *scope;
		int status;
	} rows[] = {
		{"a reader lists", "GET", DOWNLINKS, NULL, &reader, 200},
		{"a reader looks", "GET", DOWNLINKS "/" ID, NULL, &reader, 200},
		{"a reader must not send", "POST", DOWNLINKS, "{\"f_port\":1,\"data\":\"\"}", &reader, 403},
		{"a reader must not flush one", "DELETE", DOWNLINKS "/" ID, NULL, &reader, 403},
		{"a reader must not flush", "DELETE", DOWNLINKS, NULL, &reader, 403},
		{"another agency does not see", "GET", DOWNLINKS "/" ID, NULL, &foreign, 404},
		{"another agency does not list", "GET", DOWNLINKS, NULL, &foreign, 404},
		{"an id that is none", "GET", DOWNLINKS "/x", NULL, &manager, 404},
		{"an id of nobody", "GET", DOWNLINKS "/21111111-2222-4333-8444-555555555555", NULL, &manager,
		 404},
		{"a manager sends", "POST", DOWNLINKS, "{\"f_port\":1,\"data\":\"\"}", &manager, 202},
		{"a manager flushes", "DELETE", DOWNLINKS "/" ID, NULL, &manager, 202},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("status", rows[i].status,
		      t_city_call(city, rows[i].scope, rows[i].method, rows[i].target, rows[i].body));
	}
	t_row("another device's item");
	call("POST", "/api/v1/devices",
	     "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"meters\",\"profile\":"
	     "\"probe\"}");
	t_int("status", 404, call("GET", "/api/v1/devices/0102030405060709/downlinks/" ID, NULL));
	t_city_free(city);
}

/* A device is registered again by another agency: what the first one sent it is nobody else's. */
static void a_device_registered_anew_leaves_its_downlinks_behind(void **state)
{
	(void)state;
	furnished();
	send_one(false);
	t_int("agency", 201, call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}"));
	struct as_scope foreign = t_city_scope(city, AS_MANAGER, "water");
	t_int("application", 201,
	      call("POST", "/api/v1/applications",
		   "{\"slug\":\"pumps\",\"name\":\"P\",\"agency\":\"water\"}"));
	t_int("removed", 204, call("DELETE", "/api/v1/devices/0102030405060708", NULL));
	t_int("registered", 201,
	      call("POST", "/api/v1/devices",
		   "{\"dev_eui\":\"0102030405060708\",\"name\":\"n\",\"application\":\"pumps\",\"profile\":"
		   "\"probe\"}"));
	t_int("its new agency lists", 200, t_city_call(city, &foreign, "GET", DOWNLINKS, NULL));
	t_uint("none of them", 0, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("nor sees one", 404, t_city_call(city, &foreign, "GET", DOWNLINKS "/" ID, NULL));
	t_int("they went with the registration", 404, call("GET", DOWNLINKS "/" ID, NULL));
	t_city_free(city);
}

static void flushing_waits_for_the_network_server(void **state)
{
	(void)state;
	struct as_item items[8];
	int64_t at = 0;
	size_t count = 0;
	furnished();
	send_one(false);
	for (int i = 0; i < 2; i++)
		call("POST", DOWNLINKS, "{\"f_port\":1,\"data\":\"\"}");
	uint64_t version = as_store_items_version(city->store);
	t_int("one", 202, call("DELETE", DOWNLINKS "/" ID, NULL));
	t_int("is asked for", 1, json_integer_value(json_object_get(t_city_answer(city), "flushing")));
	t_true("the hand-over is told", as_store_items_version(city->store) != version);
	t_int("all", 202, call("DELETE", DOWNLINKS, NULL));
	t_int("are asked for", 3, json_integer_value(json_object_get(t_city_answer(city), "flushing")));
	assert_int_equal(ST_OK, as_store_items_flushing(city->store, &at, items, 8, &count));
	t_uint("handed over", 3, count);
	struct net_uuid id = item_id();
	t_bytes("the first asked for first", id.bytes, 16, items[0].item.bytes, 16);
	assert_int_equal(ST_OK, as_store_items_flushing(city->store, &at, items, 8, &count));
	t_uint("once", 0, count);
	call("GET", DOWNLINKS "/" ID, NULL);
	t_true("said", json_is_true(json_object_get(t_city_answer(city), "flushing")));
	struct net_downlink_event event = change(NET_ITEM_FAILED, "flushed", 0);
	deliver(&event);
	t_int("one that has ended", 409, call("DELETE", DOWNLINKS "/" ID, NULL));
	at = 0;
	assert_int_equal(ST_OK, as_store_items_flushing(city->store, &at, items, 8, &count));
	t_uint("on a new connection", 2, count);
	t_city_free(city);
}

/* --- payloads ------------------------------------------------------------------------------------------------------ */

static bool store_holds(const char *hex)
{
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM downlinks WHERE instr(hex(payload), upper('%s')) > 0",
		 hex);
	return db_query_i64(city->store->city, sql, -1) != 0;
}

static void payloads_are_sealed_and_go(void **state)
{
	(void)state;
	const char *secret = "f00dfacecafebeef0123";
	char body[200];
	furnished();
	snprintf(body, sizeof body, "{\"f_port\":7,\"hex\":\"%s\",\"id\":\"" ID "\"}", secret);
	call("POST", DOWNLINKS, body);
	t_false("not in clear", store_holds(secret));
	t_true("there",
	       db_query_i64(city->store->city, "SELECT max(length(payload)) FROM downlinks", 0) > 10);
	struct net_downlink_event event = change(NET_ITEM_SENT, "", 1);
	deliver(&event);
	t_int("gone", 0,
	      (long long)db_query_i64(city->store->city, "SELECT max(length(payload)) FROM downlinks", -1));
	t_city_free(city);
}

static void keep_session_key(const char *hex)
{
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	struct lw_key key;
	struct lw_eui64 eui;
	const struct net_session_id session = {{3}};
	assert_true(lw_key_parse(hex, &key) && lw_eui64_parse("0102030405060708", &eui));
	as_keys_seal_session(&city->keys, &eui, &session, &key, sealed);
	assert_int_equal(ST_OK,
			 as_store_session_put(city->store, &eui, &session, sealed, NULL, city->now.wall));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

/* A network.db that was restored asks again for what was sent long ago. */
static void what_has_ended_is_never_sealed_again(void **state)
{
	(void)state;
	struct net_seal seal = {.session = {{3}}, .fcnt_down = 9};
	struct net_sealed sealed;
	furnished();
	keep_session_key("000102030405060708090a0b0c0d0e0f");
	send_one(false);
	seal.item = item_id();
	assert_true(lw_eui64_parse("0102030405060708", &seal.dev_eui));
	as_application_on_seal(&city->app, city->now, &seal, &sealed);
	t_true("while it waits", sealed.ok && sealed.frm_payload_length == 3);
	struct net_downlink_event event = change(NET_ITEM_SENT, "", 1);
	deliver(&event);
	as_application_on_seal(&city->app, city->now, &seal, &sealed);
	t_false("after its end", sealed.ok);
	t_str("cause", "item_ended", sealed.cause);
	seal.dev_eui.bytes[0] ^= 1;
	as_application_on_seal(&city->app, city->now, &seal, &sealed);
	t_str("another device's", "unknown_item", sealed.cause);
	t_city_free(city);
}

/* --- what a device says of itself ------------------------------------------------------------------------------------ */

static void battery_and_margin_are_shown(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t battery;
		int percent;  /* −1: null */
		int external; /* −1: null */
	} rows[] = {{"external power", 0, -1, 1},
		    {"empty", 1, 0, 0},
		    {"nearly full", 237, 93, 0},
		    {"full", 254, 100, 0},
		    {"not measured", 255, -1, -1}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct net_status_event event;
		const char *kind;
		furnished();
		event = (struct net_status_event){head(), {{5}}, rows[i].battery, -7};
		t_row(rows[i].name);
		for (int round = 0; round < 2; round++)
			assert_int_equal(ST_OK, as_application_on_status(&city->app, city->now, &event));
		struct net_status_event older = event;
		older.head.id.bytes[3] = 1;
		older.head.time.us--;
		older.margin_db = 30;
		assert_int_equal(ST_OK, as_application_on_status(&city->app, city->now, &older));
		t_int("device", 200, call("GET", DEVICE, NULL));
		const json_t *percent = json_object_get(t_city_answer(city), "battery_percent");
		const json_t *external = json_object_get(t_city_answer(city), "external_power");
		t_int("percent", rows[i].percent, json_is_null(percent) ? -1 : json_integer_value(percent));
		t_int("external", rows[i].external, json_is_null(external) ? -1 : json_is_true(external));
		t_int("margin, the newer", -7,
		      json_integer_value(json_object_get(t_city_answer(city), "margin_db")));
		json_decref(last_event(0, &kind));
		t_str("told", "status", kind);
		t_uint("each once", 2, as_store_events_count(city->store));
		t_city_free(city);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_item_that_has_ended_moves_no_more),
		t_test(courses_of_items),
		t_test(history_says_what_happened),
		t_test(a_crash_between_the_files_loses_no_event),
		t_test(history_is_bounded),
		t_test(sends_and_their_refusals),
		t_test(what_no_data_rate_carries_is_refused),
		t_test(the_answer_says_whether_it_fits),
		t_test(an_id_is_the_commands_identity),
		t_test(lists_and_their_filters),
		t_test(agencies_see_their_own),
		t_test(a_device_registered_anew_leaves_its_downlinks_behind),
		t_test(flushing_waits_for_the_network_server),
		t_test(payloads_are_sealed_and_go),
		t_test(what_has_ended_is_never_sealed_again),
		t_test(battery_and_margin_are_shown),
	};
	return t_run(tests);
}
