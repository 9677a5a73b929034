#include "application-server/api/events.h"

#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/joins/joins.h"
#include "application-server/uuid.h"

#include <stdlib.h>
#include <string.h>

unsigned as_stream_share(const struct as_scope *scope)
{
	return as_scope_sees_all(scope) ? AS_STREAMS_OF_CITY : AS_STREAMS_OF_AGENCY;
}

bool as_view_shows(const struct as_view *view, const struct as_event *event)
{
	if (!as_scope_sees(&view->scope, event->has_owner ? &event->agency : NULL))
		return false;
	if (view->by_application &&
	    !(event->has_owner && as_uuid_equal(&view->application, &event->application)))
		return false;
	return !view->by_device || lw_eui64_equal(&view->dev_eui, &event->dev_eui);
}

bool as_view_shows_join(const struct as_view *view, const struct as_attempt *attempt)
{
	const struct net_join_report *report = &attempt->report;
	if (!view->joins || !as_scope_sees(&view->scope, attempt->has_owner ? &attempt->agency : NULL))
		return false;
	if (view->by_application &&
	    !(attempt->has_owner && as_uuid_equal(&view->application, &attempt->application)))
		return false;
	return !view->by_device || lw_eui64_equal(&view->dev_eui, &report->dev_eui) ||
	       (report->has_device && lw_eui64_equal(&view->dev_eui, &report->device));
}

/* Gives the record that a filter names, in the caller's scope; NULL with an answer when there is none to be seen. */
static json_t *filtered(struct as_api *api, const struct as_call *call, enum record_kind kind,
			const char *name, struct as_answer *answer)
{
	struct as_call named = *call;
	named.id = name;
	return as_get_or_answer(api, &named, kind, answer);
}

/* Where to begin: after the event that the client saw last, or with what comes. */
static bool find_position(struct as_api *api, const struct as_call *call, struct as_view *view,
			  struct as_answer *answer)
{
	const char *after = as_call_query(call, "after");
	const char *last = call->last_event_id ? call->last_event_id : after;
	const char *field = call->last_event_id ? "Last-Event-ID" : "after";
	uint64_t newest = as_store_events_last(api->app->store);
	char *end = NULL;
	view->at = last ? strtoull(last, &end, 10) : newest;
	if (!last || (*last >= '0' && *last <= '9' && *end == '\0' && view->at <= newest))
		return true;
	as_answer_problem(answer, 422, field, "%s must be an id of this stream", field);
	return false;
}

/* A device by its record; the city's engineers may watch one before it is registered. */
static bool find_device(struct as_api *api, const struct as_call *call, const char *name,
			struct as_view *view, struct as_answer *answer)
{
	view->by_device = true;
	if (view->joins && as_scope_sees_all(call->scope) && lw_eui64_parse(name, &view->dev_eui))
		return true;
	json_t *record = filtered(api, call, RECORD_DEVICE, name, answer);
	bool found = record &&
		     lw_eui64_parse(json_string_value(json_object_get(record, "dev_eui")), &view->dev_eui);
	json_decref(record);
	return found;
}

/* GET /api/v1/events. The answer is a view; the edge feeds the client what it shows. */
void as_handle_events(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *application = as_call_query(call, "application"), *device = as_call_query(call, "device");
	const char *joins = as_call_query(call, "joins");
	struct as_view view = {.scope = *call->scope,
			       .joins = api->joins && joins && strcmp(joins, "true") == 0,
			       .joins_at = api->joins ? api->joins->last : 0};
	bool found = true;
	if (application) {
		json_t *record = filtered(api, call, RECORD_APPLICATION, application, answer);
		found = record &&
			as_uuid_parse(json_string_value(json_object_get(record, "id")), &view.application);
		view.by_application = true;
		json_decref(record);
	}
	if (found && device)
		found = find_device(api, call, device, &view, answer);
	if (found && find_position(api, call, &view, answer))
		*answer = (struct as_answer){.status = 200, .streams = true, .view = view};
}
