/* GET .../why: who asks, about what, and what is known here; the edge asks the other processes and answers. An agency asks about
 * its own devices and gateways; what is not registered, and frames of others, are for the city's engineers alone. */
#include "application-server/why/why.h"

#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define SINCE_MAX (INT64_C(366) * 86400)

/* Reads `since` (seconds before now) and `limit`; false with an answer. */
static bool read_bounds(const struct as_call *call, struct as_why *why, struct as_answer *answer)
{
	const char *since = as_call_query(call, "since"), *limit = as_call_query(call, "limit");
	char *end = NULL;
	if (since) {
		int64_t seconds = strtoll(since, &end, 10);
		if (*since < '0' || *since > '9' || *end || seconds > SINCE_MAX) {
			as_answer_problem(answer, 422, "since",
					  "since must be seconds before now, at most 366 days");
			return false;
		}
		why->since.us = call->now.wall.us - seconds * US_PER_S;
	}
	why->limit = WHY_LIMIT;
	return !limit || as_call_limit(call, answer, &why->limit);
}

/* Begins a question about what stands in the path or the query; NULL with an answer. */
static struct as_why *begin(const struct as_call *call, enum why_kind kind, const char *text,
			    struct as_answer *answer)
{
	const char *expected = "";
	struct as_why *why = calloc(1, sizeof *why);
	ASSERT(why);
	why->scope = *call->scope;
	why->decisions = json_array();
	if (!why_subject_parse(&why->subject, kind, text ? text : "", &expected))
		as_answer_problem(answer, 422, kind == WHY_FRAME ? "frame" : NULL, "expected %s", expected);
	else if (read_bounds(call, why, answer))
		return why;
	as_why_free(why);
	return NULL;
}

/* Hands the question to the edge; or ends it, where the store failed. */
static void ask(struct as_why *why, enum status status, struct as_answer *answer)
{
	if (status == ST_OK) {
		*answer = (struct as_answer){.status = 200, .why = why};
		return;
	}
	as_why_free(why);
	as_answer_failed(answer, status);
}

/* The record of a device or gateway, by its EUI; NULL: none that this caller sees. A store that fails answers. */
static json_t *record_of(struct as_api *api, const struct as_call *call, enum record_kind kind,
			 const char *eui, enum status *status)
{
	json_t *record = NULL;
	*status = as_store_record_get(api->app->store, call->scope, kind, eui, &record);
	if (*status == ST_NOT_FOUND)
		*status = ST_OK;
	return record;
}

/* Devices may be named by their UUID or slug too: what the record says counts. */
static const char *eui_of(const struct as_call *call, const json_t *record, const char *member)
{
	const char *eui = json_string_value(json_object_get(record, member));
	return eui ? eui : call->id;
}

static void device_why(struct as_api *api, const struct as_call *call, enum why_kind kind,
		       struct as_answer *answer)
{
	enum status status;
	struct lw_eui64 dev_eui;
	json_t *record = record_of(api, call, RECORD_DEVICE, call->id, &status);
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return;
	}
	struct as_why *why = NULL;
	if (!record && !as_scope_sees_all(call->scope))
		as_answer_not_found(answer, record_schema(RECORD_DEVICE));
	else
		why = begin(call, kind, eui_of(call, record, "dev_eui"), answer);
	if (why) {
		bool parsed = lw_eui64_parse(why->subject.text, &dev_eui);
		ASSERT(parsed);
		(void)why_time_parse(json_string_value(json_object_get(record, "created_at")),
				     &why->registered);
		why->facts = as_why_device_facts(api, record, &dev_eui);
		status = as_why_add_joins(api, call->now, call->scope, &dev_eui, record != NULL,
					  why->decisions);
		if (status == ST_OK && record && kind == WHY_DEVICE) {
			status = as_why_add_items(api, call->scope, &dev_eui, why->decisions);
			as_why_add_kept(api, &dev_eui, why->decisions);
		}
		ask(why, status, answer);
	}
	json_decref(record);
}

/* GET /api/v1/devices/{eui}/why */
void as_handle_device_why(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	device_why(api, call, WHY_DEVICE, answer);
}

/* GET /api/v1/joins/{dev_eui}/why */
void as_handle_join_why(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	device_why(api, call, WHY_JOIN, answer);
}

/* GET /api/v1/gateways/{eui}/why */
void as_handle_gateway_why(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	enum status status;
	json_t *record = record_of(api, call, RECORD_GATEWAY, call->id, &status);
	struct as_why *why = NULL;
	if (status != ST_OK)
		as_answer_failed(answer, status);
	else if (!record && !as_scope_sees_all(call->scope))
		as_answer_not_found(answer, record_schema(RECORD_GATEWAY));
	else
		why = begin(call, WHY_GATEWAY, eui_of(call, record, "eui"), answer);
	if (why) {
		(void)why_time_parse(json_string_value(json_object_get(record, "created_at")),
				     &why->registered);
		why->facts = as_why_gateway_facts(record);
		ask(why, ST_OK, answer);
	}
	json_decref(record);
}

/* GET /api/v1/downlinks/{id}/why */
void as_handle_downlink_why(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct net_uuid id;
	struct as_item item;
	enum status status = as_uuid_parse(call->id, &id) ? as_store_item_get(api->app->store, &id, &item)
							  : ST_NOT_FOUND;
	if (status == ST_OK && !as_scope_sees(call->scope, &item.agency))
		status = ST_NOT_FOUND;
	if (status == ST_NOT_FOUND) {
		as_answer_problem(answer, 404, NULL, "no such downlink");
		return;
	}
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return;
	}
	struct as_why *why = begin(call, WHY_DOWNLINK, call->id, answer);
	if (!why)
		return;
	lw_eui64_format(why->subject.device, &item.dev_eui);
	json_t *record = record_of(api, call, RECORD_DEVICE, why->subject.device, &status);
	why->facts = as_why_item_facts(&item, json_string_value(json_object_get(record, "name")));
	json_decref(record);
	if (status == ST_OK)
		status = as_why_add_item(api, &item, why->decisions);
	ask(why, status, answer);
}

/* An event's frame is known to the network server by address and counter. False with an answer. */
static bool find_event(struct as_api *api, const struct as_call *call, struct as_why *why,
		       struct as_answer *answer)
{
	struct net_uuid id;
	struct as_event event;
	bool parsed = as_uuid_parse(why->subject.text, &id);
	ASSERT(parsed);
	enum status status = as_store_event_find(api->app->store, &id, &event);
	if (status != ST_OK && status != ST_NOT_FOUND) {
		as_answer_failed(answer, status);
		return false;
	}
	if (status == ST_NOT_FOUND || !as_scope_sees(call->scope, event.has_owner ? &event.agency : NULL)) {
		as_answer_problem(answer, 404, "frame", "no such event, or it is no longer kept");
		return false;
	}
	json_t *body = json_loads(event.body, 0, NULL);
	const char *address = json_string_value(json_object_get(body, "devAddr"));
	const json_t *fcnt = json_object_get(body, "fCnt");
	char device[LW_EUI64_TEXT], time[WHY_TIME_TEXT], text[WHY_TEXT_MAX];
	memcpy(text, why->subject.text, sizeof text);
	lw_eui64_format(device, &event.dev_eui);
	why->facts = json_pack("{ss ss ss ss}", "event", text, "event_kind", as_event_kind_name(event.kind),
			       "device", device, "event_time", why_time_format(time, event.time));
	bool counted = address && strlen(address) == LW_DEV_ADDR_TEXT - 1 && json_is_integer(fcnt);
	if (counted) {
		why->subject = (struct why_subject){.kind = WHY_COUNTED,
						    .fcnt = (uint32_t)json_integer_value(fcnt)};
		memcpy(why->subject.text, address, LW_DEV_ADDR_TEXT);
	} else
		as_answer_problem(answer, 422, "frame", "an event of kind %s is of no single uplink",
				  as_event_kind_name(event.kind));
	json_decref(body);
	return counted;
}

/* GET /api/v1/frames/why?frame= */
void as_handle_frame_why(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_why *why = begin(call, WHY_FRAME, as_call_query(call, "frame"), answer);
	if (!why)
		return;
	if (why->subject.kind != WHY_EVENT || find_event(api, call, why, answer))
		ask(why, ST_OK, answer);
	else
		as_why_free(why);
}

/* GET /api/v1/why/rules */
void as_handle_why_rules(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_why *why = begin(call, WHY_RULES, NULL, answer);
	(void)api;
	if (why)
		ask(why, ST_OK, answer);
}

/* GET /api/v1/why/server */
void as_handle_why_server(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	(void)api;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL, "what names no device is shown to the city's engineers");
		return;
	}
	struct as_why *why = begin(call, WHY_SERVER, NULL, answer);
	if (why)
		ask(why, ST_OK, answer);
}
