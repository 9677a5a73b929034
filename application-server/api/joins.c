/* What became of join-requests. An agency sees the attempts of its own devices; what is not registered is for the city's
 * engineers alone (invariant 12). */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/joins/joins.h"
#include "application-server/store_records.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define SINCE_MAX (INT64_C(366) * 86400)

static json_t *items_of(struct as_joins *joins, struct now now, const struct as_attempt *attempts,
			const unsigned *counts, size_t count)
{
	json_t *items = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(items,
				      as_attempt_json(joins, now, &attempts[i], counts ? counts[i] : 0));
	return items;
}

static void answer_items(struct as_answer *answer, json_t *items)
{
	as_answer_json(answer, 200, json_pack("{so?}", "items", items));
}

/* Reads `since`: seconds before now; 0 where it is not given. False with an answer. */
static bool read_since(const struct as_call *call, struct as_answer *answer, struct wall *since)
{
	const char *text = as_call_query(call, "since");
	char *end = NULL;
	*since = (struct wall){0};
	if (!text)
		return true;
	int64_t seconds = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || seconds > SINCE_MAX) {
		as_answer_problem(answer, 422, "since", "since must be seconds before now, at most 366 days");
		return false;
	}
	since->us = call->now.wall.us - seconds * US_PER_S;
	return true;
}

/* GET /api/v1/joins */
void as_handle_joins(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *unknown = as_call_query(call, "unknown");
	unsigned limit;
	struct wall since;
	size_t count;
	if (!as_call_limit(call, answer, &limit) || !read_since(call, answer, &since))
		return;
	if (unknown && strcmp(unknown, "true") == 0) {
		if (as_scope_sees_all(call->scope))
			answer_items(answer, as_joins_strangers(api->joins, call->now, NULL, since, limit));
		else
			as_answer_problem(
				answer, 403, NULL,
				"devices that are not registered are shown to the city's engineers");
		return;
	}
	struct as_attempt *attempts = calloc(limit, sizeof *attempts);
	unsigned *counts = calloc(limit, sizeof *counts);
	ASSERT(attempts && counts);
	enum status status = as_store_attempts_last(api->app->store, call->scope, since, attempts, counts,
						    limit, &count);
	if (status == ST_OK)
		answer_items(answer, items_of(api->joins, call->now, attempts, counts, count));
	else
		as_answer_failed(answer, status);
	free(attempts);
	free(counts);
}

/* What was sent with a DevEUI that nobody registered; false: it is none, or not for this caller. */
static bool answer_stranger(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	if (!as_scope_sees_all(call->scope) || !lw_eui64_parse(call->id, &eui))
		return false;
	answer_items(answer,
		     as_joins_strangers(api->joins, call->now, &eui, (struct wall){0}, 2 * AS_STRANGERS_MAX));
	return true;
}

/* GET /api/v1/devices/{eui}/joins */
void as_handle_device_joins(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_attempt attempts[AS_ATTEMPTS_KEPT];
	struct lw_eui64 eui;
	size_t count;
	json_t *device = NULL;
	enum status status = as_store_record_get(api->app->store, call->scope, RECORD_DEVICE, call->id,
						 &device);
	if (status == ST_NOT_FOUND && answer_stranger(api, call, answer))
		return;
	if (status != ST_OK) {
		json_decref(as_get_or_answer(api, call, RECORD_DEVICE, answer));
		return;
	}
	bool parsed = lw_eui64_parse(json_string_value(json_object_get(device, "dev_eui")), &eui);
	json_decref(device);
	ASSERT(parsed);
	status = as_store_attempts(api->app->store, call->scope, &eui, attempts, AS_ATTEMPTS_KEPT, &count);
	if (status == ST_OK)
		answer_items(answer, items_of(api->joins, call->now, attempts, NULL, count));
	else
		as_answer_failed(answer, status);
}
