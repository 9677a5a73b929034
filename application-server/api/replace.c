/* A device takes another's place: name, application, deployment, tags, position and, unless it has one of its own, the profile;
 * readings of the place are read on through both. What waits for the old one is moved or dropped, as the caller says: a
 * command is nothing to lose silently. The old one stays as it is, refused on the air, so that taking it back is one call. */
#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/downlinks/queue.h"
#include "application-server/identity/audit.h"
#include "application-server/store_items.h"
#include "application-server/store_keys.h"
#include "application-server/store_records.h"
#include "application-server/store_replacements.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

/* What a place is made of. */
static const char *const of_the_place[] = {
	"name", "application", "deployment",           "tags",
	"lat",  "lon",         "airtime_up_s_per_day", "airtime_down_s_per_day"};
/* What a new device has of the old one's unless it is said. */
static const char *const of_the_kind[] = {"profile", "activation", "join_eui", "home_net_id"};

/* --- telling -------------------------------------------------------------------------------------------------------- */

static void add_other(json_t *record, const char *field, const char *since, bool there,
		      const struct as_replacement *other)
{
	char eui[LW_EUI64_TEXT], time[AS_TIME_TEXT];
	lw_eui64_format(eui, &other->other);
	json_object_set_new(record, field, there ? json_string(eui) : json_null());
	if (there)
		json_object_set_new(record, since, json_string(as_time_format(time, other->at)));
}

void as_add_place(struct as_api *api, const struct as_call *call, json_t *record)
{
	struct lw_eui64 eui;
	struct as_replacement by = {.at = {0}}, former = {.at = {0}};
	ASSERT(lw_eui64_parse(text_of(record, "dev_eui"), &eui));
	bool replaced = as_store_replaced_by(api->app->store, &eui, &by) &&
			as_sees_device(api, call, &by.other);
	bool replaces = as_store_stands_for(api->app->store, &eui, &former) &&
			as_sees_device(api, call, &former.other);
	add_other(record, "replaced_by", "replaced_at", replaced, &by);
	add_other(record, "replaces", "in_place_since", replaces, &former);
}

/* --- the queue ------------------------------------------------------------------------------------------------------ */

struct moving {
	struct as_api *api;
	struct now now;
	const struct lw_eui64 *to;
	const struct as_device_info *device;
	enum status status;
	size_t moved, left;
};

static bool move_item(void *ctx, const struct as_item *item, uint64_t place)
{
	struct moving *moving = ctx;
	struct as_command command = {.item = {.fport = item->fport,
					      .confirmed = item->confirmed,
					      .priority = item->priority,
					      .expires = item->expires}};
	struct as_item made;
	enum as_enqueued verdict = AS_ENQUEUED_COUNT;
	(void)place;
	if (item->ended || item->flushing)
		return true;
	if (!item->encrypted && as_item_open(moving->api->app->keys, item, command.payload)) {
		command.length = item->length;
		moving->status = as_queue_add(moving->api->app, moving->now, moving->to, moving->device,
					      &command, &made, &verdict);
	}
	if (verdict == AS_ENQUEUED)
		moving->moved++;
	else
		moving->left++;
	secret_wipe(&command, sizeof command);
	return moving->status == ST_OK;
}

/* Ends what waits for the old device; with `move` the new one gets it first. */
static enum status settle_queue(struct as_api *api, const struct as_call *call, const struct lw_eui64 *from,
				const struct lw_eui64 *to, bool move, size_t *moved, size_t *dropped)
{
	struct as_device_info device;
	static const struct as_scope everything = {.role = AS_CITY};
	struct moving moving = {.api = api, .now = call->now, .to = to, .device = &device};
	enum status status = as_store_device_info(api->app->store, to, &device);
	if (status == ST_OK && move) {
		status = as_store_items_list(api->app->store, &everything, from,
					     1u << NET_ITEM_QUEUED | 1u << NET_ITEM_PLANNED, 0, move_item,
					     &moving);
		if (status == ST_OK)
			status = moving.status;
	}
	size_t flushed = 0;
	if (status == ST_OK)
		status = as_queue_flush(api->app, from, NULL, &flushed);
	*moved = moving.moved;
	*dropped = flushed > moving.moved ? flushed - moving.moved : 0;
	return status;
}

/* --- replacing ------------------------------------------------------------------------------------------------------ */

struct order {
	struct lw_eui64 old_eui, new_eui;
	bool moves, says_queue; /* what becomes of the queue */
	bool claims;            /* by owner token */
	struct as_proof proof;
};

/* Members beside those of a device's record. */
static bool is_ours(const char *name)
{
	return strcmp(name, "queue") == 0 || strcmp(name, "token_digest") == 0;
}

static bool read_order(const struct as_call *call, const json_t *device, struct order *order,
		       struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	const char *queue = text_of(call->body, "queue"), *eui = text_of(call->body, "dev_eui");
	*order = (struct order){.claims = json_object_get(call->body, "token_digest") != NULL};
	ASSERT(lw_eui64_parse(text_of(device, "dev_eui"), &order->old_eui));
	if (!eui || !lw_eui64_parse(eui, &order->new_eui))
		record_problems_add(&problems, "dev_eui", "must be 16 hex digits: the new device's");
	else if (lw_eui64_equal(&order->old_eui, &order->new_eui))
		record_problems_add(&problems, "dev_eui",
				    "is the old device's: use device keys set for a new key");
	order->says_queue = queue != NULL;
	order->moves = queue && strcmp(queue, "move") == 0;
	if (json_object_get(call->body, "queue") && !order->moves && (!queue || strcmp(queue, "drop") != 0))
		record_problems_add(&problems, "queue", "must be move or drop");
	if (order->claims)
		as_proof_read(call->body, &order->proof, &problems);
	if (problems.count)
		as_answer_problems(answer, &problems);
	return problems.count == 0;
}

/* Whether the two may change places; false with an answer. Of a new device that is another agency's nothing is told here: to
 * this caller it is one that is registered already, as for everybody who adds it. */
static bool may_change_places(struct as_api *api, const struct as_call *call, const struct order *order,
			      struct as_answer *answer)
{
	struct as_replacement other;
	struct lw_eui64 place[AS_PLACE_MAX];
	struct as_store *store = api->app->store;
	char eui[LW_EUI64_TEXT];
	size_t waiting = as_store_items_waiting(store, &order->old_eui);
	if (as_store_replaced_by(store, &order->old_eui, &other)) {
		lw_eui64_format(eui, &other.other);
		as_answer_problem(answer, 409, NULL, "it is replaced already, by %s", eui);
	} else if (as_sees_device(api, call, &order->new_eui) &&
		   (as_store_replaced_by(store, &order->new_eui, &other) ||
		    as_store_stands_for(store, &order->new_eui, &other))) {
		lw_eui64_format(eui, &other.other);
		as_answer_problem(answer, 409, "dev_eui", "dev_eui shares a place with %s already", eui);
	} else if (as_store_place(store, &order->old_eui, place) == AS_PLACE_MAX)
		as_answer_problem(answer, 409, NULL,
				  "%d devices have stood in this place, which is as many as are followed: "
				  "remove the oldest",
				  AS_PLACE_MAX);
	else if (waiting > 0 && !order->says_queue)
		as_answer_problem(
			answer, 409, "queue",
			"%zu command%s for the old device: say whether the new one gets them (queue "
			"move) or nobody (queue drop)",
			waiting, waiting == 1 ? " waits" : "s wait");
	else
		return true;
	return false;
}

static void copy_fields(json_t *sent, const json_t *from, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(from, fields[i]);
		if (!json_object_get(sent, fields[i]) && value && !json_is_null(value))
			json_object_set(sent, fields[i], value);
	}
}

/* Gives what is to be written of the new device: what the caller says, then what the place says. */
static json_t *make_sent(const struct as_call *call, const json_t *old, const json_t *stored)
{
	json_t *sent = json_object(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)call->body, name, value)
	{
		if (!is_ours(name) && !(stored && (strcmp(name, "dev_eui") == 0)))
			json_object_set(sent, name, value);
	}
	copy_fields(sent, old, of_the_place, ARRAY_SIZE(of_the_place));
	if (!stored)
		copy_fields(sent, old, of_the_kind, ARRAY_SIZE(of_the_kind));
	else if (!json_object_get(sent,
				  "enabled")) /* an undone one was disabled; the old one is off the air */
		json_object_set_new(sent, "enabled", json_true());
	return sent;
}

/* Registers the new device, or changes the one that is there; false with an answer. */
static bool put_in_place(struct as_api *api, const struct as_call *call, const struct order *order,
			 const json_t *old, const struct as_stock *stock, struct as_answer *answer)
{
	struct as_resolver resolver = {.store = api->app->store,
				       .scope = call->scope,
				       .served = api->app->served,
				       .claims = stock != NULL,
				       .who = call->who,
				       .now = call->now.wall};
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared;
	json_t *stored = NULL;
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &order->new_eui);
	enum status status = as_store_record_get(api->app->store, call->scope, RECORD_DEVICE, eui, &stored);
	if (status != ST_OK && status != ST_NOT_FOUND) {
		as_answer_failed(answer, status);
		return false;
	}
	json_t *sent = make_sent(call, old, stored);
	if (stock)
		as_claim_fill(stock, sent);
	enum as_prepare_verdict verdict = as_prepare(api, &resolver, RECORD_DEVICE, sent, stored, &prepared,
						     &problems);
	if (verdict == AS_PREPARED)
		verdict = as_write_prepared(api, call->now, &prepared, &problems);
	if (verdict != AS_PREPARED)
		as_answer_verdict(answer, verdict, &problems);
	as_prepared_release(&prepared);
	json_decref(sent);
	json_decref(stored);
	return verdict == AS_PREPARED;
}

static void answer_new(struct as_api *api, const struct as_call *call, const struct lw_eui64 *dev_eui,
		       size_t moved, size_t dropped, struct as_answer *answer)
{
	struct as_call made = *call;
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, dev_eui);
	made.id = eui;
	json_t *record = as_get_or_answer(api, &made, RECORD_DEVICE, answer);
	if (!record)
		return;
	as_add_place(api, call, record);
	as_answer_json(answer, 200,
		       json_pack("{so sI sI}", "device", record, "commands_moved", (json_int_t)moved,
				 "commands_dropped", (json_int_t)dropped));
}

static enum status note(struct as_api *api, const struct as_call *call, enum as_audit_what what,
			const struct lw_eui64 *old_eui, const struct lw_eui64 *new_eui)
{
	char from[LW_EUI64_TEXT], to[LW_EUI64_TEXT], detail[40];
	lw_eui64_format(from, old_eui);
	lw_eui64_format(to, new_eui);
	snprintf(detail, sizeof detail, "by %s", to);
	return as_audit_write(api->app->store, call->now.wall, call->who ? call->who : "nobody", what, from,
			      detail);
}

static void replace(struct as_api *api, const struct as_call *call, const json_t *old,
		    const struct order *order, struct as_answer *answer)
{
	struct as_store *store = api->app->store;
	struct as_stock stock;
	size_t moved = 0, dropped = 0;
	if (!may_change_places(api, call, order, answer) ||
	    (order->claims && !as_claim_check(api, call, &order->proof, &stock, answer)) ||
	    !put_in_place(api, call, order, old, order->claims ? &stock : NULL, answer))
		return;
	enum status status = order->claims ? as_claim_spend(api, call, &stock, "in another's place") : ST_OK;
	if (status == ST_OK)
		status = settle_queue(api, call, &order->old_eui, &order->new_eui, order->moves, &moved,
				      &dropped);
	if (status == ST_OK)
		status = as_store_replace(store, &order->old_eui, &order->new_eui, call->now.wall);
	if (status == ST_OK)
		status = note(api, call, AS_AUDIT_REPLACE, &order->old_eui, &order->new_eui);
	if (status == ST_OK)
		answer_new(api, call, &order->new_eui, moved, dropped, answer);
	else {
		as_store_abandon(store);
		as_answer_failed(answer, status);
	}
}

void as_handle_replace(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct order order;
	json_t *old = as_own_device(api, call, answer);
	if (!old)
		return;
	if (as_call_has_object(call, answer) && read_order(call, old, &order, answer))
		replace(api, call, old, &order, answer);
	json_decref(old);
}

/* The one that stood in its place is told apart from it again, and does not go on: two in one place would be two stories. */
static enum status take_back(struct as_api *api, const struct as_call *call, const struct lw_eui64 *old_eui,
			     struct lw_eui64 *new_eui)
{
	static const struct as_scope everything = {.role = AS_CITY};
	struct as_store *store = api->app->store;
	json_t *other = NULL;
	char eui[LW_EUI64_TEXT];
	size_t dropped;
	enum status status = as_store_unreplace(store, old_eui, new_eui);
	if (status != ST_OK)
		return status;
	lw_eui64_format(eui, new_eui);
	status = as_store_record_get(store, &everything, RECORD_DEVICE, eui, &other);
	if (status == ST_OK) {
		json_object_set_new(other, "enabled", json_false());
		status = as_store_record_update(store, RECORD_DEVICE, other);
	}
	json_decref(other);
	if (status == ST_OK)
		status = as_queue_flush(api->app, new_eui, NULL, &dropped);
	return status == ST_OK ? note(api, call, AS_AUDIT_REPLACE_UNDO, old_eui, new_eui) : status;
}

void as_handle_replace_undo(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 old_eui, new_eui;
	struct as_replacement by;
	json_t *old = as_own_device(api, call, answer);
	if (!old)
		return;
	ASSERT(lw_eui64_parse(text_of(old, "dev_eui"), &old_eui));
	json_decref(old);
	if (as_store_replaced_by(api->app->store, &old_eui, &by) && !as_sees_device(api, call, &by.other)) {
		as_answer_problem(
			answer, 409, NULL,
			"the device in its place is another agency's now: ask the city's engineers");
		return;
	}
	enum status status = take_back(api, call, &old_eui, &new_eui);
	if (status == ST_OK)
		answer_new(api, call, &old_eui, 0, 0, answer);
	else if (status == ST_NOT_FOUND)
		as_answer_problem(answer, 409, NULL, "nothing stands in this device's place");
	else {
		as_store_abandon(api->app->store);
		as_answer_failed(answer, status);
	}
}
