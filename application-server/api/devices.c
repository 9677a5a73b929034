/* What devices have beyond a collection: keys and readings; their downlinks are in downlinks.c. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/store_events.h"
#include "application-server/store_replacements.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
		struct as_resolver resolver = {
			.store = api->app->store, .scope = call->scope, .served = api->app->served};
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

/* Reads the device's readings and then those of the ones that stood in its place before it, each page going on where the last one
 * ended: a cursor is a reading, and says by itself whose it is. */
static enum status readings_of_place(struct as_api *api, const struct as_call *call,
				     const struct lw_eui64 *eui, bool alone, uint64_t before, unsigned limit,
				     json_t **items, uint64_t *next)
{
	struct lw_eui64 place[AS_PLACE_MAX];
	struct as_store *store = api->app->store;
	size_t count = alone ? 1 : as_store_place(store, eui, place), i = 0;
	char text[LW_EUI64_TEXT];
	enum status status = ST_OK;
	place[0] = *eui;
	*items = json_array();
	*next = 0;
	while (before && i + 1 < count && !as_store_reading_is_of(store, &place[i], before))
		i++;
	for (; i < count && status == ST_OK && *next == 0; i++, before = 0) {
		json_t *page = NULL, *item;
		size_t index, had = json_array_size(*items);
		if (had == limit) { /* the rest is another device's: it goes on from the last of this one */
			*next = as_store_has_readings(store, &place[i])
					? (uint64_t)json_integer_value(
						  json_object_get(json_array_get(*items, had - 1), "seq"))
					: 0;
			continue;
		}
		status = as_store_readings(store, call->scope, &place[i], before, limit - (unsigned)had,
					   &page, next);
		if (status != ST_OK)
			break;
		lw_eui64_format(text, &place[i]);
		json_array_foreach(page, index, item) json_object_set_new(item, "devEui", json_string(text));
		json_array_extend(*items, page);
		json_decref(page);
	}
	if (status != ST_OK)
		json_decref(*items);
	return status;
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
	bool alone = as_call_query(call, "alone") && strcmp(as_call_query(call, "alone"), "true") == 0;
	enum status status = readings_of_place(api, call, &eui, alone, before, limit, &items, &next);
	char cursor[24];
	snprintf(cursor, sizeof cursor, "%" PRIu64, next);
	if (status == ST_OK)
		as_answer_json(answer, 200,
			       json_pack("{so ss?}", "items", items, "next", next ? cursor : NULL));
	else
		as_answer_failed(answer, status);
}
