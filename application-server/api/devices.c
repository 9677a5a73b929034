/* What devices have beyond a collection: keys, readings, downlinks. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/store_events.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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
		struct as_resolver resolver = {api->app->store, call->scope, NULL};
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
	const char *after = as_call_query(call, "after");
	char *end = NULL;
	uint64_t before = after ? strtoull(after, &end, 10) : 0, next = 0;
	if (after && (*end != '\0' || before == 0)) {
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
		return;
	}
	if (!as_call_limit(call, answer, &limit))
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

/* --- downlinks ---------------------------------------------------------------------------------------------- */

/* Reads {"f_port", "data", "confirmed", "id"}; every problem is named. */
static void read_item(const json_t *body, struct as_item *item, bool *has_id,
		      struct record_problems *problems)
{
	static const char *const known[] = {"f_port", "data", "confirmed", "id"};
	const json_t *port = json_object_get(body, "f_port"), *data = json_object_get(body, "data");
	const json_t *confirmed = json_object_get(body, "confirmed"), *id = json_object_get(body, "id");
	double number = json_number_value(port);
	const char *name;
	json_t *value;
	size_t length = 0;
	json_object_foreach((json_t *)body, name, value)
	{
		size_t i = 0;
		while (i < ARRAY_SIZE(known) && strcmp(known[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(known))
			record_problems_add(problems, name, "is not a field of a downlink");
	}
	if (!json_is_number(port) || !(number >= 1 && number <= 223) || number != (double)(int)number)
		record_problems_add(problems, "f_port", "must be 1 to 223");
	else
		item->fport = (uint8_t)number;
	if (!json_is_string(data) || !base64_decode(item->payload, sizeof item->payload, &length,
						    json_string_value(data), json_string_length(data)))
		record_problems_add(problems, "data", "must be base64 of at most %d bytes", NET_PAYLOAD_MAX);
	item->length = (uint8_t)length;
	if (confirmed && !json_is_boolean(confirmed))
		record_problems_add(problems, "confirmed", "must be true or false");
	item->confirmed = json_is_true(confirmed);
	*has_id = id && !json_is_null(id);
	if (*has_id && !(json_is_string(id) && as_uuid_parse(json_string_value(id), &item->item)))
		record_problems_add(problems, "id", "must be a UUID");
}

static void accept_item(struct as_answer *answer, const struct as_item *item)
{
	char id[AS_UUID_TEXT];
	as_answer_json(answer, 202,
		       json_pack("{ss ss}", "id", as_uuid_format(id, &item->item), "status",
				 net_item_status_name(item->status)));
}

/* A repeated id is the same command again: its first fate is the answer. */
static bool answer_repeat(struct as_api *api, const struct as_item *item, struct as_answer *answer)
{
	struct as_item known;
	enum status status = as_store_item_get(api->app->store, &item->item, &known);
	if (status == ST_NOT_FOUND)
		return false;
	if (status != ST_OK)
		as_answer_failed(answer, status);
	else if (!lw_eui64_equal(&known.dev_eui, &item->dev_eui))
		as_answer_problem(answer, 409, "id", "id is taken");
	else
		accept_item(answer, &known);
	return true;
}

static void enqueue(struct as_api *api, const struct as_call *call, struct as_item *item, bool has_id,
		    struct as_answer *answer)
{
	if (has_id && answer_repeat(api, item, answer))
		return;
	if (!has_id)
		item->item = as_uuid_new(api->rng);
	if (as_store_items_waiting(api->app->store, &item->dev_eui) >= AS_ITEMS_MAX) {
		as_answer_problem(answer, 409, NULL, "queue_full: %d downlinks wait for this device",
				  AS_ITEMS_MAX);
		return;
	}
	enum status status = as_store_item_put(api->app->store, item, call->now.wall);
	if (status == ST_OK)
		accept_item(answer, item);
	else
		as_answer_failed(answer, status);
}

void as_handle_downlink(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	struct record_problems problems = {.count = 0};
	struct as_item item = {.status = NET_ITEM_QUEUED};
	struct net_uuid owner;
	bool has_id;
	if (!device)
		return;
	bool owned = as_record_owner(RECORD_DEVICE, device, &owner);
	ASSERT(lw_eui64_parse(json_string_value(json_object_get(device, "dev_eui")), &item.dev_eui));
	if (!as_scope_may_write(call->scope, RECORD_DEVICE, owned ? &owner : NULL))
		as_answer_forbidden(answer);
	else if (as_call_has_object(call, answer)) {
		read_item(call->body, &item, &has_id, &problems);
		if (problems.count)
			as_answer_problems(answer, &problems);
		else
			enqueue(api, call, &item, has_id, answer);
	}
	json_decref(device);
}
