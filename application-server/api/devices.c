/* What devices have beyond a collection: keys and readings; their downlinks are in downlinks.c. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/store_events.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_key(const char *name)
{
	const struct record_field *field = record_field(record_schema(RECORD_DEVICE), name);
	return field && (field->flags & RECORD_SECRET);
}

void as_handle_keys_put(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *stored = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	const char *name;
	json_t *value;
	if (!stored)
		return;
	if (as_call_has_object(call, answer)) {
		struct as_resolver resolver = {api->app->store, call->scope, NULL, api->app->served};
		struct record_problems problems = {.count = 0};
		struct as_prepared prepared;
		enum as_prepare_verdict verdict = as_prepare(api, &resolver, RECORD_DEVICE, call->body,
							     stored, &prepared, &problems);
		json_object_foreach((json_t *)call->body, name, value)
		{
			if (verdict == AS_PREPARED && !is_key(name)) {
				record_problems_add(&problems, name, "is not a key");
				verdict = AS_PROBLEMS;
			}
		}
		if (verdict == AS_PREPARED)
			verdict = as_write_prepared(api, call->now, &prepared, &problems);
		if (verdict == AS_PREPARED)
			*answer = (struct as_answer){.status = 204};
		else
			as_answer_verdict(answer, verdict, &problems);
		as_prepared_release(&prepared);
	}
	json_decref(stored);
}

void as_handle_readings(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	unsigned limit;
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer), *items = NULL;
	if (!device)
		return;
	bool parsed = lw_eui64_parse(json_string_value(json_object_get(device, "dev_eui")), &eui);
	json_decref(device);
	ASSERT(parsed);
	uint64_t before, next = 0;
	if (!as_call_place(call, answer, &before) || !as_call_limit(call, answer, &limit))
		return;
	enum status status = as_store_readings(api->app->store, call->scope, &eui, before, limit, &items,
					       &next);
	char cursor[24];
	snprintf(cursor, sizeof cursor, "%" PRIu64, next);
	if (status == ST_OK)
		as_answer_json(answer, 200,
			       json_pack("{so ss?}", "items", items, "next", next ? cursor : NULL));
	else
		as_answer_failed(answer, status);
}
