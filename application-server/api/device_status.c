/* How a device fares: when it was heard, its battery, what it lost, how long it was on the air; of one with its history, and as a list
 * that finds the bad ones among many. Last seen is by the server's clock. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/device_status.h"
#include "application-server/store_device.h"
#include "application-server/store_ledger.h"
#include "application-server/store_records.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_MAX    400
#define DAYS        7
#define LOOKUPS_MAX 1000 /* accounts that one page looks at: a few milliseconds with the records */
#define HISTORY     100

/* --- loss and airtime ------------------------------------------------------------------------------------------- */

struct sum {
	unsigned days;
	int64_t expected, received, up_us, down_us, deaf_us, ups, downs, joins;
};

static void add(struct sum *sum, const struct as_day_account *day)
{
	sum->expected += day->expected;
	sum->received += day->received;
	sum->up_us += day->up_us;
	sum->down_us += day->down_us;
	sum->deaf_us += day->deaf_us;
	sum->ups += day->ups;
	sum->downs += day->downs;
	sum->joins += day->joins;
}

/* Percent with one decimal; null where nothing was expected. */
static json_t *percent_json(int64_t part, int64_t whole)
{
	if (whole <= 0)
		return json_null();
	int64_t tenths = (part * 2000 + whole) / (2 * whole);
	return json_real((double)tenths / 10);
}

static int64_t lost_of(const struct sum *sum)
{
	return sum->expected - sum->received;
}

static json_t *loss_json(const struct sum *sum)
{
	return json_pack("{si sI sI sI so}", "days", (int)sum->days, "expected", (json_int_t)sum->expected,
			 "received", (json_int_t)sum->received, "lost", (json_int_t)lost_of(sum), "percent",
			 percent_json(lost_of(sum), sum->expected));
}

static json_t *ms_json(int64_t us)
{
	return json_integer((us + 500) / 1000);
}

static json_t *air_json(const struct sum *sum)
{
	return json_pack("{so so so sI sI sI}", "uplink_ms", ms_json(sum->up_us), "downlink_ms",
			 ms_json(sum->down_us), "deaf_ms", ms_json(sum->deaf_us), "uplinks",
			 (json_int_t)sum->ups, "downlinks", (json_int_t)sum->downs, "joins",
			 (json_int_t)sum->joins);
}

/* A day of another agency, before the device changed hands, is not the caller's to see. */
static bool day_of(struct as_api *api, const struct as_call *call, int64_t eui, uint32_t day,
		   struct as_day_account *account)
{
	as_store_day(api->app->store, eui, day, account);
	return (account->expected || account->ups || account->downs) &&
	       as_scope_sees(call->scope, &account->agency);
}

static struct sum sum_of(struct as_api *api, const struct as_call *call, int64_t eui, unsigned days)
{
	struct sum sum = {.days = days};
	uint32_t today = as_day_of(call->now.wall);
	for (uint32_t back = 0; back < days && back < today; back++) {
		struct as_day_account account;
		if (day_of(api, call, eui, today - back, &account))
			add(&sum, &account);
	}
	return sum;
}

/* --- battery and last seen ----------------------------------------------------------------------------------------- */

static json_t *time_json(struct wall time)
{
	char text[AS_TIME_TEXT];
	return json_string(as_time_format(text, time));
}

/* As ChirpStack has it: 1 to 254 are parts of 254; 0 is external power, 255 could not be measured. */
static void add_battery(json_t *to, uint8_t battery, int16_t margin_db, const char *when, struct wall time)
{
	bool measured = battery != 0 && battery != 255;
	json_object_set_new(to, "battery_percent",
			    measured ? json_integer(battery * 100 / 254) : json_null());
	json_object_set_new(to, "external_power", battery == 255 ? json_null() : json_boolean(battery == 0));
	json_object_set_new(to, "margin_db", json_integer(margin_db));
	json_object_set_new(to, when, time_json(time));
}

static bool eui_of(const json_t *record, struct lw_eui64 *eui)
{
	const char *text = json_string_value(json_object_get(record, "dev_eui"));
	return text && lw_eui64_parse(text, eui);
}

void as_add_last_seen(struct as_api *api, const struct as_call *call, json_t *record)
{
	struct lw_eui64 eui;
	struct as_last_seen seen;
	struct as_device_status said;
	struct as_day_account last;
	if (!eui_of(record, &eui))
		return;
	bool has_reading = as_store_last_seen(api->app->store, &eui, &seen);
	bool heard = as_store_heard_last(api->app->store, (int64_t)lw_eui64_number(&eui), call->now.wall,
					 &last);
	/* When it was another agency's: not this one's to see. */
	if (heard && !as_scope_sees(call->scope, &last.agency))
		has_reading = heard = false;
	if (has_reading && seen.has_max_payload)
		json_object_set_new(record, "max_payload", json_integer(seen.max_payload));
	if (heard) {
		json_object_set_new(record, "last_seen", time_json(last.seen));
		json_object_set_new(record, "gateway_count", json_integer(last.gateways));
		json_object_set_new(record, "dr", json_integer(last.dr));
	} else if (has_reading) { /* of before there was a ledger */
		json_object_set_new(record, "last_seen", time_json(seen.time));
	}
	if (as_store_device_status(api->app->store, &eui, &said))
		add_battery(record, said.battery, said.margin_db, "status_at", said.time);
}

/* Seconds since it was heard, or, never heard, since it was registered. */
static int64_t silent_s(const json_t *record, struct wall now)
{
	struct wall since = now;
	const char *seen = json_string_value(json_object_get(record, "last_seen"));
	const char *created = json_string_value(json_object_get(record, "created_at"));
	if (!as_time_parse(seen ? seen : created ? created : "", &since) || since.us > now.us)
		return 0;
	return (now.us - since.us) / US_PER_S;
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

/* Reads a number in a range; false with an answer. */
static bool number_of(const struct as_call *call, const char *name, long min, long max, long *number,
		      struct as_answer *answer)
{
	const char *text = as_call_query(call, name);
	char *end = NULL;
	long value = text ? strtol(text, &end, 10) : 0;
	if (!text)
		return true;
	if (end == text || *end || value < min || value > max) {
		as_answer_problem(answer, 422, name, "%s must be %ld to %ld", name, min, max);
		return false;
	}
	*number = value;
	return true;
}

struct history {
	const struct as_call *call;
	json_t *list;
};

static void add_said(void *ctx, const struct as_said *said)
{
	struct history *history = ctx;
	json_t *item = json_object();
	if (!as_scope_sees(history->call->scope, said->has_agency ? &said->agency : NULL)) {
		json_decref(item);
		return;
	}
	add_battery(item, said->battery, said->margin_db, "time", said->time);
	json_array_append_new(history->list, item);
}

/* The days of a sum, which is filled with them. */
static json_t *days_json(struct as_api *api, const struct as_call *call, int64_t eui, struct sum *chosen)
{
	json_t *list = json_array();
	uint32_t today = as_day_of(call->now.wall);
	for (uint32_t back = 0; back < chosen->days && back < today; back++) {
		struct as_day_account account;
		char text[AS_TIME_TEXT];
		if (!day_of(api, call, eui, today - back, &account))
			continue;
		struct sum sum = {.days = 1};
		add(&sum, &account);
		add(chosen, &account);
		json_t *day = loss_json(&sum);
		json_object_del(day, "days");
		as_time_format(text, (struct wall){(int64_t)(today - back) * 86400 * US_PER_S});
		text[10] = '\0';
		json_object_set_new(day, "day", json_string(text));
		json_t *air = air_json(&sum);
		json_object_update(day, air);
		json_decref(air);
		json_array_append_new(list, day);
	}
	return list;
}

static json_t *member(const json_t *record, const char *name)
{
	json_t *value = json_object_get(record, name);
	return value ? json_incref(value) : json_null();
}

/* GET /api/v1/devices/{eui}/status?days= : days of the table and of the chosen span, 7 without one. */
void as_handle_device_status(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	static const char *const members[] = {
		"dev_eui",         "name",           "last_seen", "gateway_count", "dr",
		"battery_percent", "external_power", "margin_db", "status_at",     "agency_slug"};
	struct lw_eui64 eui;
	long days = DAYS;
	if (!number_of(call, "days", 1, DAYS_MAX, &days, answer))
		return;
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	if (!device)
		return;
	ASSERT(eui_of(device, &eui));
	int64_t key = (int64_t)lw_eui64_number(&eui);
	struct history history = {call, json_array()};
	as_add_last_seen(api, call, device);
	enum status status = as_store_said_list(api->app->store, key, HISTORY, add_said, &history);
	json_t *body = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_set_new(body, members[i], member(device, members[i]));
	json_object_set_new(body, "silent_s", json_integer(silent_s(device, call->now.wall)));
	struct sum today = sum_of(api, call, key, 1), week = sum_of(api, call, key, 7),
		   month = sum_of(api, call, key, 30), chosen = {.days = (unsigned)days};
	json_t *list = days_json(api, call, key, &chosen);
	json_object_set_new(body, "loss",
			    json_pack("{so so so so}", "today", loss_json(&today), "7_days", loss_json(&week),
				      "30_days", loss_json(&month), "chosen", loss_json(&chosen)));
	json_object_set_new(body, "airtime_today", air_json(&today));
	json_object_set_new(body, "days", list);
	json_object_set_new(body, "history", history.list);
	json_decref(device);
	if (status == ST_OK) {
		as_answer_json(answer, 200, body);
	} else {
		json_decref(body);
		as_answer_failed(answer, status);
	}
}

/* --- many ---------------------------------------------------------------------------------------------------------- */

struct filters {
	long silent_s, battery_below, loss_above, days; /* −1: not asked */
};

bool as_asks_for_status(const struct as_call *call)
{
	return as_call_query(call, "status") || as_call_query(call, "silent_s") ||
	       as_call_query(call, "battery_below") || as_call_query(call, "loss_above") ||
	       as_call_query(call, "days");
}

/* Puts the sums into the record; false: a filter leaves it out. What is not known passes no filter. */
static bool fits(struct as_api *api, const struct as_call *call, const struct filters *filters,
		 json_t *record)
{
	struct lw_eui64 eui;
	as_add_last_seen(api, call, record);
	const json_t *battery = json_object_get(record, "battery_percent");
	int64_t silence = silent_s(record, call->now.wall);
	json_object_set_new(record, "silent_s", json_integer(silence));
	if ((filters->silent_s >= 0 && silence <= filters->silent_s) ||
	    (filters->battery_below >= 0 &&
	     (!json_is_integer(battery) || json_integer_value(battery) >= filters->battery_below)) ||
	    !eui_of(record, &eui))
		return false;
	struct sum sum = sum_of(api, call, (int64_t)lw_eui64_number(&eui), (unsigned)filters->days);
	json_object_set_new(record, "loss", loss_json(&sum));
	json_object_set_new(record, "airtime", air_json(&sum));
	return filters->loss_above < 0 ||
	       (sum.expected > 0 && lost_of(&sum) * 100 > filters->loss_above * sum.expected);
}

/* GET /api/v1/devices?status=true&days=&silent_s=&battery_below=&loss_above= : a page may hold fewer than `limit`, even none, and
 * have a next one. */
void as_list_status(struct as_api *api, const struct as_call *call, const struct as_list_query *asked,
		    struct as_answer *answer)
{
	struct filters filters = {-1, -1, -1, DAYS};
	struct as_list_query query = *asked;
	char next[AS_CURSOR_TEXT] = "";
	json_t *items = NULL, *found = json_array(), *item;
	size_t i;
	if (!number_of(call, "silent_s", 0, 366L * 86400, &filters.silent_s, answer) ||
	    !number_of(call, "battery_below", 0, 101, &filters.battery_below, answer) ||
	    !number_of(call, "loss_above", 0, 100, &filters.loss_above, answer) ||
	    !number_of(call, "days", 1, DAYS_MAX, &filters.days, answer)) {
		json_decref(found);
		return;
	}
	unsigned most = LOOKUPS_MAX / ((unsigned)filters.days + 4) + 1;
	if (query.limit > most)
		query.limit = most;
	enum status status = as_store_record_list(api->app->store, call->scope, RECORD_DEVICE, &query, &items,
						  next);
	json_array_foreach(items, i, item)
	{
		if (fits(api, call, &filters, item))
			json_array_append(found, item);
	}
	json_decref(items);
	if (status == ST_OK) {
		as_answer_json(answer, 200,
			       json_pack("{so ss?}", "items", found, "next", *next ? next : NULL));
		return;
	}
	json_decref(found);
	if (status == ST_INVALID)
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
	else
		as_answer_failed(answer, status);
}
