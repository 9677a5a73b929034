/* A device's downlinks over REST: send, list, look at one, flush. What may be sent and what becomes of it is in downlinks/;
 * here it is checked who asks, and said in plain words what will happen. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/downlinks/queue.h"
#include "application-server/store_custody.h"
#include "application-server/store_items.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_STATES ((1u << NET_ITEM_STATUS_COUNT) - 1)

/* Finds the device that the call names; false with an answer. `to_write`: the caller must be allowed to change it. */
static bool find_device(struct as_api *api, const struct as_call *call, bool to_write,
			struct lw_eui64 *dev_eui, struct as_answer *answer)
{
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	struct net_uuid owner;
	if (!device)
		return false;
	bool owned = as_record_owner(RECORD_DEVICE, device, &owner);
	ASSERT(lw_eui64_parse(json_string_value(json_object_get(device, "dev_eui")), dev_eui));
	bool may = !to_write || as_scope_may_write(call->scope, RECORD_DEVICE, owned ? &owner : NULL);
	if (!may)
		as_answer_forbidden(answer);
	json_decref(device);
	return may;
}

/* --- one item as JSON ----------------------------------------------------------------------------------------- */

static json_t *time_json(struct wall time)
{
	char text[AS_TIME_TEXT];
	return time.us ? json_string(as_time_format(text, time)) : json_null();
}

static json_t *eui_json(bool has, const struct lw_eui64 *eui)
{
	char text[LW_EUI64_TEXT];
	lw_eui64_format(text, eui);
	return has ? json_string(text) : json_null();
}

static json_t *counter_json(bool has, uint32_t value)
{
	return has ? json_integer(value) : json_null();
}

/* The payload as long as it waits; null once it is gone. */
static json_t *data_json(struct as_api *api, const struct as_item *item)
{
	uint8_t payload[NET_PAYLOAD_MAX];
	char text[BASE64_ROOM(NET_PAYLOAD_MAX)];
	if (!as_item_open(api->app->keys, item, payload))
		return json_null();
	base64_encode(text, payload, item->length);
	json_t *data = json_string(text);
	secret_wipe(payload, sizeof payload);
	secret_wipe(text, sizeof text);
	return data;
}

static json_t *item_json(struct as_api *api, const struct as_item *item)
{
	char id[AS_UUID_TEXT];
	uint32_t fcnt = item->has_fcnt_down ? item->fcnt_down : item->fcnt_given;
	return json_pack("{ss so ss sb sb si si so sb si sb so si so ss so so so}", "id",
			 as_uuid_format(id, &item->item), "dev_eui", eui_json(true, &item->dev_eui), "status",
			 net_item_status_name(item->status), "ended", (int)item->ended, "flushing",
			 (int)(item->flushing && !item->ended), "f_port", item->fport, "length", item->length,
			 "data", data_json(api, item), "confirmed", (int)item->confirmed, "priority",
			 item->priority, "encrypted", (int)item->encrypted, "f_cnt_down",
			 counter_json(item->has_fcnt_down || item->encrypted, fcnt), "tries", item->tries,
			 "gateway", eui_json(item->has_gateway, &item->gateway), "cause", item->cause,
			 "expires_at", time_json(item->expires), "created_at", time_json(item->created),
			 "changed_at", time_json(item->changed));
}

/* --- send ------------------------------------------------------------------------------------------------------ */

/* The network spends counters in order: one that lies ahead waits for its turn. `next`: as the last uplink said. */
static void add_counter_note(struct as_api *api, const struct as_item *item, uint32_t next, json_t *notes)
{
	struct as_held held;
	char note[200];
	if (as_store_held_current(api->app->store, &item->dev_eui, &held) == ST_OK && !held.heard)
		next = 0;
	if (!item->encrypted || item->fcnt_given <= next)
		return;
	snprintf(
		note, sizeof note,
		"its counter, %" PRIu32 ", lies ahead: the device's next was %" PRIu32
		"; it waits until those between are spent, by commands before it or the network's own frames",
		item->fcnt_given, next);
	json_array_append_new(notes, json_string(note));
}

/* What the sender should know beside the status: does it fit, and when does it leave. */
static void add_outlook(struct as_api *api, const struct as_item *item, const struct as_device_info *device,
			json_t *body)
{
	struct as_last_seen seen;
	char note[200];
	bool known = as_store_last_seen(api->app->store, &item->dev_eui, &seen) && seen.has_max_payload;
	bool fits = known && item->length <= seen.max_payload;
	json_t *notes = json_array();
	json_object_set_new(body, "max_payload", counter_json(known, seen.max_payload));
	json_object_set_new(body, "fits", known ? json_boolean(fits) : json_null());
	if (!known)
		snprintf(note, sizeof note, "how much fits is known after the device's next uplink");
	else if (fits)
		snprintf(note, sizeof note, "it fits at the device's data rate: %u of %u bytes", item->length,
			 seen.max_payload);
	else
		snprintf(note, sizeof note,
			 "it does not fit now: %u bytes, the device's data rate carries %u; it waits for a "
			 "better one",
			 item->length, seen.max_payload);
	json_array_append_new(notes, json_string(note));
	if (device->device_class != 'A') {
		snprintf(note, sizeof note,
			 "class %c is not supported yet: works as class A, leaves after the device's next "
			 "uplink",
			 device->device_class);
		json_array_append_new(notes, json_string(note));
	}
	add_counter_note(api, item, known ? seen.next_fcnt_down : 0, notes);
	json_object_set_new(body, "notes", notes);
}

static void answer_enqueued(struct as_api *api, const struct as_item *item,
			    const struct as_device_info *device, enum as_enqueued verdict, const char *why,
			    struct as_answer *answer)
{
	json_t *body;
	switch (verdict) {
	case AS_ENQUEUED:
	case AS_ENQUEUED_BEFORE:
		body = item_json(api, item);
		if (!item->ended)
			add_outlook(api, item, device, body);
		as_answer_json(answer, verdict == AS_ENQUEUED ? 202 : 200, body);
		return;
	case AS_TOO_LONG:
		as_answer_problem(answer, 422, "data", "%s: at most %u bytes in %s",
				  as_enqueued_reason(verdict), as_queue_longest(api->app, device->region),
				  device->region);
		return;
	case AS_NO_ENCODER:
		as_answer_problem(answer, 422, "object", "%s", as_enqueued_reason(verdict));
		return;
	case AS_NOT_ENCODED:
		as_answer_problem(answer, 422, "object", "%s: %s", as_enqueued_reason(verdict), why);
		return;
	case AS_KEY_IS_HELD: as_answer_problem(answer, 409, NULL, "%s", as_enqueued_reason(verdict)); return;
	case AS_DEVICE_QUOTA:
	case AS_AGENCY_QUOTA:
		as_answer_problem(answer, 429, NULL, "%s: %s", as_enqueued_reason(verdict), why);
		return;
	case AS_ID_TAKEN: as_answer_problem(answer, 409, "id", "%s", as_enqueued_reason(verdict)); return;
	case AS_DEVICE_FULL:
		as_answer_problem(answer, 409, NULL, "%s: %d", as_enqueued_reason(verdict), AS_ITEMS_MAX);
		return;
	default:
		as_answer_problem(answer, 409, NULL, "%s: %d", as_enqueued_reason(verdict),
				  AS_AGENCY_ITEMS_MAX);
	}
}

/* POST /api/v1/devices/{eui}/downlinks */
void as_handle_downlink(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	struct lw_eui64 dev_eui;
	if (!find_device(api, call, true, &dev_eui, answer) || !as_call_has_object(call, answer))
		return;
	struct as_command *command = calloc(1, sizeof *command);
	ASSERT(command);
	bool read = as_command_read(call->body, AS_COMMAND_REST, call->now.wall, command, &problems);
	if (read && command->item.expires.us && command->item.expires.us <= call->now.wall.us)
		record_problems_add(&problems, "expires_at", "has passed");
	if (problems.count) {
		as_answer_problems(answer, &problems);
	} else {
		struct as_device_info device;
		struct as_item item;
		enum as_enqueued verdict;
		enum status status = as_store_device_info(api->app->store, &dev_eui, &device);
		if (status == ST_OK)
			status = as_queue_add(api->app, call->now, &dev_eui, &device, command, &item,
					      &verdict);
		if (status == ST_OK)
			answer_enqueued(api, &item, &device, verdict, command->why, answer);
		else
			as_answer_failed(answer, status);
	}
	secret_wipe(command, sizeof *command);
	free(command);
}

/* --- list and one ------------------------------------------------------------------------------------------------ */

/* Reads `state`: a status, `waiting` or `ended`; false with an answer. */
static bool read_states(const struct as_call *call, unsigned *states, int *ended, struct as_answer *answer)
{
	const char *text = as_call_query(call, "state");
	*states = ALL_STATES;
	*ended = -1;
	if (!text || strcmp(text, "all") == 0)
		return true;
	if (strcmp(text, "waiting") == 0 || strcmp(text, "ended") == 0) {
		*ended = strcmp(text, "ended") == 0;
		return true;
	}
	for (int i = 0; i < NET_ITEM_STATUS_COUNT; i++) {
		*states = 1u << i;
		if (strcmp(net_item_status_name((enum net_item_status)i), text) == 0)
			return true;
	}
	as_answer_problem(answer, 422, "state",
			  "state must be all, waiting, ended, or one of queued, planned, sent, acknowledged, "
			  "failed, expired, refused, stale_counter");
	return false;
}

struct page {
	struct as_api *api;
	json_t *items;
	unsigned limit;
	int ended; /* −1: either */
	uint64_t last, next;
};

static bool add_item(void *ctx, const struct as_item *item, uint64_t place)
{
	struct page *page = ctx;
	if (page->ended >= 0 && item->ended != (page->ended == 1))
		return true;
	if (json_array_size(page->items) == page->limit) {
		page->next = page->last;
		return false;
	}
	json_array_append_new(page->items, item_json(page->api, item));
	page->last = place;
	return true;
}

/* GET /api/v1/devices/{eui}/downlinks?state=&limit=&after= : newest first. */
void as_handle_downlinks(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct page page = {.api = api};
	struct lw_eui64 dev_eui;
	unsigned states;
	uint64_t before;
	if (!find_device(api, call, false, &dev_eui, answer) || !as_call_limit(call, answer, &page.limit) ||
	    !as_call_place(call, answer, &before) || !read_states(call, &states, &page.ended, answer))
		return;
	page.items = json_array();
	enum status status = as_store_items_list(api->app->store, call->scope, &dev_eui, states, before,
						 add_item, &page);
	char cursor[24];
	snprintf(cursor, sizeof cursor, "%" PRIu64, page.next);
	if (status == ST_OK) {
		as_answer_json(answer, 200,
			       json_pack("{so ss?}", "items", page.items, "next", page.next ? cursor : NULL));
	} else {
		json_decref(page.items);
		as_answer_failed(answer, status);
	}
}

static void add_change(void *ctx, const struct as_change *change)
{
	json_array_append_new(
		ctx, json_pack("{so ss ss so so si}", "time", time_json(change->time), "status",
			       net_item_status_name(change->status), "cause", change->cause, "f_cnt_down",
			       counter_json(change->has_fcnt_down, change->fcnt_down), "gateway",
			       eui_json(change->has_gateway, &change->gateway), "tries", change->tries));
}

/* Finds the item that the call names among those of its device; false with an answer. */
static bool find_item(struct as_api *api, const struct as_call *call, const struct lw_eui64 *dev_eui,
		      struct as_item *item, struct as_answer *answer)
{
	struct net_uuid id;
	enum status status = call->item && as_uuid_parse(call->item, &id)
				     ? as_store_item_get(api->app->store, &id, item)
				     : ST_NOT_FOUND;
	if (status == ST_OK && lw_eui64_equal(&item->dev_eui, dev_eui) &&
	    as_scope_sees(call->scope, &item->agency))
		return true;
	if (status == ST_OK || status == ST_NOT_FOUND)
		as_answer_problem(answer, 404, NULL, "no such downlink");
	else
		as_answer_failed(answer, status);
	return false;
}

/* GET /api/v1/devices/{eui}/downlinks/{item} : with its history. */
void as_handle_downlink_get(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 dev_eui;
	struct as_item item;
	if (!find_device(api, call, false, &dev_eui, answer) ||
	    !find_item(api, call, &dev_eui, &item, answer))
		return;
	json_t *body = item_json(api, &item), *history = json_array();
	enum status status = as_store_item_history(api->app->store, &item.item, add_change, history);
	json_object_set_new(body, "history", history);
	if (status == ST_OK) {
		as_answer_json(answer, 200, body);
	} else {
		json_decref(body);
		as_answer_failed(answer, status);
	}
}

/* --- flush ------------------------------------------------------------------------------------------------------- */

static void flush(struct as_api *api, const struct lw_eui64 *dev_eui, const struct net_uuid *id,
		  struct as_answer *answer)
{
	size_t count = 0;
	enum status status = as_queue_flush(api->app, dev_eui, id, &count);
	if (status == ST_OK)
		as_answer_json(answer, 202, json_pack("{sI}", "flushing", (json_int_t)count));
	else
		as_answer_failed(answer, status);
}

/* DELETE /api/v1/devices/{eui}/downlinks : all that wait. */
void as_handle_downlinks_flush(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 dev_eui;
	if (find_device(api, call, true, &dev_eui, answer))
		flush(api, &dev_eui, NULL, answer);
}

/* DELETE /api/v1/devices/{eui}/downlinks/{item} */
void as_handle_downlink_flush(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 dev_eui;
	struct as_item item;
	if (!find_device(api, call, true, &dev_eui, answer) || !find_item(api, call, &dev_eui, &item, answer))
		return;
	if (item.ended)
		as_answer_problem(answer, 409, NULL, "it has ended: %s", net_item_status_name(item.status));
	else
		flush(api, &dev_eui, &item.item, answer);
}
