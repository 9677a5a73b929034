#include "application-server/api/alarms.h"

#include "application-server/alarms/alarm_json.h"
#include "application-server/api/answer.h"
#include "application-server/store_alarms.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOR_MAX (INT64_C(366) * 86400)

/* --- one alarm as JSON --------------------------------------------------------------------------------------- */

/* What the store has may be older than what is in memory: a raised alarm's number moves on. */
static json_t *current_json(const struct as_api *api, const struct as_alarm *stored)
{
	const struct as_alarm *live = api->alarms ? as_alarms_find(api->alarms,
								   (enum as_alarm_kind_id)stored->key.kind,
								   stored->key.subject)
						  : NULL;
	return as_alarm_json(live && live->id == stored->id ? live : stored);
}

/* --- lists --------------------------------------------------------------------------------------------------- */

static bool read_state(const struct as_call *call, struct as_answer *answer, struct as_alarm_query *query)
{
	const char *state = as_call_query(call, "state");
	query->raised = !state || strcmp(state, "raised") == 0 || strcmp(state, "all") == 0;
	query->cleared = state && (strcmp(state, "cleared") == 0 || strcmp(state, "all") == 0);
	if (!query->raised && !query->cleared)
		as_answer_problem(answer, 422, "state", "state must be raised, cleared or all");
	return query->raised || query->cleared;
}

static bool read_kind(const struct as_call *call, struct as_answer *answer, struct as_alarm_query *query)
{
	const char *name = as_call_query(call, "kind");
	enum as_alarm_kind_id kind;
	query->kind = -1;
	if (!name)
		return true;
	if (!as_alarm_kind_find(name, &kind)) {
		as_answer_problem(answer, 422, "kind", "no kind of alarm is called so");
		return false;
	}
	query->kind = (int)kind;
	return true;
}

/* `since`: seconds before now. */
static bool read_since(const struct as_call *call, struct as_answer *answer, struct as_alarm_query *query)
{
	const char *text = as_call_query(call, "since");
	char *end = NULL;
	if (!text)
		return true;
	int64_t seconds = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || seconds > FOR_MAX) {
		as_answer_problem(answer, 422, "since", "since must be seconds before now, at most 366 days");
		return false;
	}
	query->since.us = call->now.wall.us - seconds * US_PER_S;
	return true;
}

void as_handle_alarms(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_alarm_query query = {.subject = as_call_query(call, "subject")};
	uint64_t after;
	size_t count;
	if (!as_call_limit(call, answer, &query.limit) || !as_call_place(call, answer, &after) ||
	    !read_state(call, answer, &query) || !read_kind(call, answer, &query) ||
	    !read_since(call, answer, &query))
		return;
	query.before = (int64_t)after;
	struct as_alarm *alarms = calloc(query.limit, sizeof *alarms);
	ASSERT(alarms);
	enum status status = as_store_alarms_list(api->app->store, call->scope, &query, alarms, &count);
	if (status == ST_OK) {
		json_t *items = json_array();
		for (size_t i = 0; i < count; i++)
			json_array_append_new(items, current_json(api, &alarms[i]));
		as_answer_json(
			answer, 200,
			json_pack("{so so}", "items", items, "next",
				  count == query.limit ? json_integer(alarms[count - 1].id) : json_null()));
	} else {
		as_answer_failed(answer, status);
	}
	free(alarms);
}

void as_handle_alarm_kinds(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *items = json_array();
	(void)call;
	for (size_t i = 0; i < AS_ALARM_KINDS; i++)
		json_array_append_new(items, as_alarm_kind_json(api->alarms, &as_alarm_kinds[i]));
	as_answer_json(answer, 200, json_pack("{so}", "items", items));
}

/* --- one ----------------------------------------------------------------------------------------------------- */

/* Fills the stored alarm that the path names; false with an answer. */
static bool find_alarm(struct as_api *api, const struct as_call *call, struct as_answer *answer,
		       struct as_alarm *alarm)
{
	char *end = NULL;
	int64_t id = strtoll(call->id, &end, 10);
	enum status status = *call->id < '0' || *call->id > '9' || *end
				     ? ST_NOT_FOUND
				     : as_store_alarm_get(api->app->store, call->scope, id, alarm);
	if (status == ST_NOT_FOUND)
		as_answer_problem(answer, 404, NULL, "no such alarm");
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	return status == ST_OK;
}

/* When it came and went, the newest first. */
static json_t *history_json(const struct as_alarm_turn *turns, size_t count)
{
	json_t *history = json_array();
	for (size_t i = 0; i < count; i++) {
		char text[AS_TIME_TEXT];
		json_array_append_new(history, json_pack("{ss ss sI}", "what",
							 turns[i].change % 2 ? "raised" : "cleared", "at",
							 as_time_format(text, turns[i].at), "value",
							 (json_int_t)turns[i].value));
	}
	return history;
}

/* What is part of it now. */
static json_t *members_json(const struct as_api *api, const struct as_scope *scope, int64_t id)
{
	json_t *members = json_array();
	const struct as_alarm *alarm;
	for (size_t at = 0; api->alarms && (alarm = as_alarms_next(api->alarms, &at));)
		if (alarm->part_of == id && alarm->state == AS_RAISED &&
		    as_scope_sees(scope, alarm->has_agency ? &alarm->agency : NULL))
			json_array_append_new(members,
					      json_pack("{sI ss ss ss}", "id", (json_int_t)alarm->id, "kind",
							as_alarm_kind_of(alarm)->name, "subject",
							alarm->key.subject, "name", alarm->name));
	return members;
}

void as_handle_alarm(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_alarm alarm;
	struct as_alarm_turn turns[AS_ALARM_CHANGES_KEPT];
	size_t count;
	if (!find_alarm(api, call, answer, &alarm))
		return;
	enum status status = as_store_alarm_turns(api->app->store, alarm.id, turns, &count);
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return;
	}
	json_t *json = current_json(api, &alarm);
	json_object_set_new(json, "history", history_json(turns, count));
	json_object_set_new(json, "members", members_json(api, call->scope, alarm.id));
	as_answer_json(answer, 200, json);
}

/* --- taking on ----------------------------------------------------------------------------------------------- */

/* Lends the alarm in memory, raised, for the city's engineers; NULL with an answer. */
static struct as_alarm *raised_alarm(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_alarm stored;
	if (!find_alarm(api, call, answer, &stored))
		return NULL;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return NULL;
	}
	struct as_alarm *alarm = api->alarms ? as_alarms_by_id(api->alarms, stored.id) : NULL;
	if (!alarm || alarm->state != AS_RAISED) {
		as_answer_problem(answer, 409, NULL, "the alarm is over: there is nothing to take on");
		return NULL;
	}
	return alarm;
}

static void answer_kept(struct as_api *api, const struct as_call *call, struct as_answer *answer,
			struct as_alarm *alarm)
{
	enum status status = as_store_alarm_put(api->app->store, alarm, api->notify, call->now);
	alarm->dirty = false;
	if (status == ST_OK)
		as_answer_json(answer, 200, as_alarm_json(alarm));
	else
		as_answer_failed(answer, status);
}

static bool text_fits(const json_t *body, const char *key, size_t capacity, const char **text,
		      struct as_answer *answer)
{
	const json_t *value = json_object_get(body, key);
	*text = json_string_value(value);
	if (!value || (*text && strlen(*text) < capacity))
		return true;
	as_answer_problem(answer, 422, key, "%s must be a text of at most %zu bytes", key, capacity - 1);
	return false;
}

void as_handle_alarm_ack(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *note = NULL, *by = NULL;
	const json_t *span = json_object_get(call->body, "for_s");
	struct wall until = {0};
	if (call->body && (!as_call_has_object(call, answer) ||
			   !text_fits(call->body, "note", AS_ALARM_NOTE, &note, answer) ||
			   !text_fits(call->body, "by", AS_ALARM_WHO, &by, answer)))
		return;
	json_int_t seconds = json_integer_value(span);
	if (span && (!json_is_integer(span) || seconds < 1 || seconds > FOR_MAX)) {
		as_answer_problem(answer, 422, "for_s", "for_s must be 1 second to 366 days");
		return;
	}
	struct as_alarm *alarm = raised_alarm(api, call, answer);
	if (!alarm)
		return;
	if (span)
		until.us = call->now.wall.us + seconds * US_PER_S;
	char who[AS_ALARM_WHO + 40];
	snprintf(who, sizeof who, "%s%s%s%s", by ? by : "", by && call->who ? " (" : "",
		 call->who ? call->who : "", by && call->who ? ")" : "");
	as_alarm_acknowledge(alarm, who, note, until, call->now.wall);
	answer_kept(api, call, answer, alarm);
}

void as_handle_alarm_unack(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_alarm *alarm = raised_alarm(api, call, answer);
	if (!alarm)
		return;
	alarm->acknowledged = false;
	answer_kept(api, call, answer, alarm);
}

/* --- channels ------------------------------------------------------------------------------------------------ */

/* Addresses of webhooks often are the secret: no more than the host is shown. */
static json_t *target_json(const struct as_channel_rules *rules)
{
	const char *host = rules->type == AS_CHANNEL_WEBHOOK ? strstr(rules->target, "://") : NULL;
	if (!host)
		return json_string(rules->target);
	host += 3;
	const char *at = memchr(host, '@', strcspn(host, "/?"));
	host = at ? at + 1 : host;
	return json_stringn(host, strcspn(host, "/?"));
}

static json_t *channel_json(const struct as_channel *channel, struct now now)
{
	const char *state = channel->failing   ? "failing"
			    : channel->sending ? "sending"
			    : channel->quiet   ? "quiet"
					       : "ready";
	return json_pack(
		"{ss ss so ss ss sI sI sI ss}", "name", channel->rules.name, "type",
		as_channel_type_name(channel->rules.type), "target", target_json(&channel->rules), "least",
		as_severity_name(channel->rules.least), "state", state, "sent", (json_int_t)channel->sent,
		"failed", (json_int_t)channel->failed, "failing_s",
		(json_int_t)(channel->failing ? mono_since(now.mono, channel->failing_since) / US_PER_S : 0),
		"problem", channel->problem);
}

static json_t *channels_json(const struct as_api *api, struct now now)
{
	json_t *items = json_array();
	for (size_t i = 0; api->notify && i < api->notify->count; i++)
		json_array_append_new(items, channel_json(&api->notify->channels[i], now));
	return items;
}

void as_handle_alarm_channels(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (!as_scope_sees_all(call->scope))
		as_answer_forbidden(answer);
	else
		as_answer_json(answer, 200, json_pack("{so}", "items", channels_json(api, call->now)));
}

void as_handle_alarm_test(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	int place = api->notify ? as_notify_find(api->notify, call->id) : -1;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return;
	}
	if (place < 0) {
		as_answer_problem(answer, 404, NULL, "no channel is called so");
		return;
	}
	api->notify->channels[place].testing = true;
	api->notify->channels[place].retry_at = call->now.mono; /* what waits goes first, now */
	as_answer_json(answer, 202, channel_json(&api->notify->channels[place], call->now));
}

json_t *as_alarms_summary_json(const struct as_api *api)
{
	struct as_alarm_counts counts = as_alarms_count(api->alarms);
	unsigned failing = 0;
	for (size_t i = 0; i < api->notify->count; i++)
		failing += api->notify->channels[i].failing;
	return json_pack("{si si si si si si}", "critical", (int)counts.open[AS_CRITICAL], "warning",
			 (int)counts.open[AS_WARNING], "notice", (int)counts.open[AS_NOTICE], "acknowledged",
			 (int)counts.acknowledged, "channels", (int)api->notify->count, "channels_failing",
			 (int)failing);
}
