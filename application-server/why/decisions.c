/* What the application server has in its files, as decisions in the common form: join-requests and the changes of downlinks. */
#include "application-server/joins/joins.h"
#include "application-server/store_joins.h"
#include "application-server/uuid.h"
#include "application-server/why/rules.h"
#include "application-server/why/why.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define PROCESS       "application-server"
#define ITEMS_OF_ONE  16 /* newest items of a device whose changes are told */
#define SENTENCE_MAX  400
#define STRANGERS_MAX 50

json_t *as_why_decision(struct wall time, const char *verdict, enum decision_kind kind, const char *sentence,
			const char *next, json_t *numbers)
{
	char text[WHY_TIME_TEXT];
	return json_pack("{ss ss ss ss ss ss so}", "time", why_time_format(text, time), "process", PROCESS,
			 "verdict", verdict, "kind", decision_kind_name(kind), "sentence", sentence, "next",
			 next, "numbers", numbers);
}

enum decision_kind as_why_join_kind(const struct net_join_row *row)
{
	return row->kind == NET_JOIN_GOOD      ? DECISION_GOOD
	       : row->kind == NET_JOIN_PROBLEM ? DECISION_PROBLEM
					       : DECISION_GOING;
}

/* --- joins ------------------------------------------------------------------------------------------------------ */

/* Strangers' joins are nobody's to mend here. */
static enum decision_kind kind_of_join(const char *name)
{
	enum net_join_verdict verdict;
	if (!name || !net_join_verdict_parse(name, &verdict))
		return DECISION_PROBLEM;
	return as_why_join_kind(net_join_row(verdict));
}

/* An attempt as the joins' list has it (docs/contract.md, ATTEMPT), in the form of a decision. */
static json_t *decision_of_attempt(const json_t *attempt)
{
	static const char *const numbers_of[] = {"dev_nonce", "requests",      "rssi",
						 "snr",       "frequency",     "channel",
						 "sub_band",  "gateway_count", "accepts_unheard"};
	json_t *numbers = json_object(), *problem = json_object_get(attempt, "problem");
	struct wall time = {0};
	for (size_t i = 0; i < ARRAY_SIZE(numbers_of); i++) {
		json_t *value = json_object_get(attempt, numbers_of[i]);
		if (json_is_number(value))
			json_object_set(numbers, numbers_of[i], value);
	}
	(void)why_time_parse(json_string_value(json_object_get(attempt, "updated")), &time);
	json_t *verdict = json_is_string(problem) ? problem : json_object_get(attempt, "verdict");
	json_t *decision = as_why_decision(time, json_string_value(verdict),
					   kind_of_join(json_string_value(verdict)),
					   json_string_value(json_object_get(attempt, "message")),
					   json_string_value(json_object_get(attempt, "next")), numbers);
	json_t *device = json_object_get(attempt, "device"), *gateway = json_object_get(attempt, "gateway");
	if (json_is_string(device))
		json_object_set(decision, "device", device);
	if (json_is_string(gateway))
		json_object_set(decision, "gateway", gateway);
	return decision;
}

enum status as_why_add_joins(struct as_api *api, struct now now, const struct as_scope *scope,
			     const struct lw_eui64 *dev_eui, bool registered, json_t *decisions)
{
	struct as_attempt attempts[AS_ATTEMPTS_KEPT];
	size_t count = 0;
	enum status status = ST_OK;
	if (registered)
		status = as_store_attempts(api->app->store, scope, dev_eui, attempts, AS_ATTEMPTS_KEPT,
					   &count);
	for (size_t i = 0; status == ST_OK && i < count; i++) {
		json_t *attempt = as_attempt_json(api->joins, now, &attempts[i], 0);
		json_array_append_new(decisions, decision_of_attempt(attempt));
		json_decref(attempt);
	}
	if (!registered && as_scope_sees_all(scope)) {
		json_t *strangers = as_joins_strangers(api->joins, now, dev_eui, (struct wall){0},
						       STRANGERS_MAX);
		const json_t *attempt;
		size_t index;
		json_array_foreach(strangers, index, attempt)
		{
			json_array_append_new(decisions, decision_of_attempt(attempt));
		}
		json_decref(strangers);
	}
	return status;
}

/* --- downlinks -------------------------------------------------------------------------------------------------- */

static const struct as_item_row item_rows[NET_ITEM_STATUS_COUNT] = {
	[NET_ITEM_QUEUED] = {"The downlink waits in the network server's queue", "", DECISION_GOING},
	[NET_ITEM_PLANNED] = {"The downlink is in a frame that is planned", "", DECISION_GOING},
	[NET_ITEM_SENT] = {"The downlink was sent", "", DECISION_GOOD},
	[NET_ITEM_ACKNOWLEDGED] = {"The device acknowledged the downlink", "", DECISION_GOOD},
	[NET_ITEM_FAILED] =
		{"The downlink was given up",
		 "Look at the network server's decision of the same cause; when that is put right, send "
		 "it again.",
		 DECISION_PROBLEM},
	[NET_ITEM_EXPIRED] =
		{"The downlink's time passed before it was done",
		 "Give it a later expires_at, or see why the device was not reached before: a class A "
		 "device is reached after an uplink of its own alone.",
		 DECISION_PROBLEM},
	[NET_ITEM_REFUSED] = {"The network server refused the downlink",
			      "Put right what the cause names, and send it again.", DECISION_PROBLEM},
	[NET_ITEM_STALE_COUNTER] =
		{"The downlink was encrypted under a counter that is spent",
		 "Encrypt it anew under the counter that the event names, and send it again.",
		 DECISION_PROBLEM},
};

const struct as_item_row *as_item_row(enum net_item_status status)
{
	ASSERT_CMP((unsigned)status, <, NET_ITEM_STATUS_COUNT);
	ASSERT(item_rows[status].sentence);
	return &item_rows[status];
}

struct changes {
	const struct as_item *item;
	json_t *decisions;
};

static const char *next_of(const struct as_change *change)
{
	/* What is held back has its next step with the network server's decision; here it is said where to look. */
	if (change->status == NET_ITEM_QUEUED && *change->cause)
		return "It is tried again by itself; the network server's decision of that cause has the "
		       "numbers.";
	if (strcmp(change->cause, "flushed") == 0)
		return "";
	return as_item_row(change->status)->next;
}

static void add_change(void *ctx, const struct as_change *change)
{
	const struct changes *changes = ctx;
	const struct as_item *item = changes->item;
	char sentence[SENTENCE_MAX], uuid[AS_UUID_TEXT], eui[LW_EUI64_TEXT], counter[40] = "";
	json_t *numbers = json_pack("{si si si}", "f_port", item->fport, "length_bytes", item->length,
				    "tries", change->tries);
	if (change->has_fcnt_down) {
		json_object_set_new(numbers, "fcnt_down", json_integer(change->fcnt_down));
		snprintf(counter, sizeof counter, ", counter %u", change->fcnt_down);
	}
	lw_eui64_format(eui, &change->gateway);
	snprintf(sentence, sizeof sentence, "%s: port %u, %u bytes, frames that carried it %u%s%s%s%s%s.",
		 as_item_row(change->status)->sentence, item->fport, item->length, change->tries, counter,
		 change->has_gateway ? ", gateway " : "", change->has_gateway ? eui : "",
		 *change->cause ? ", cause " : "", change->cause);
	enum decision_kind kind = strcmp(change->cause, "flushed") == 0 ? DECISION_GOING
									: as_item_row(change->status)->kind;
	json_t *decision = as_why_decision(change->time, net_item_status_name(change->status), kind, sentence,
					   next_of(change), numbers);
	if (change->has_gateway)
		json_object_set_new(decision, "gateway", json_string(eui));
	lw_eui64_format(eui, &item->dev_eui);
	json_object_set_new(decision, "device", json_string(eui));
	json_object_set_new(decision, "item", json_string(as_uuid_format(uuid, &item->item)));
	json_array_append_new(changes->decisions, decision);
}

enum status as_why_add_item(struct as_api *api, const struct as_item *item, json_t *decisions)
{
	struct changes changes = {item, json_array()};
	enum status status = as_store_item_history(api->app->store, &item->item, add_change, &changes);
	/* The store tells them oldest first. */
	for (size_t i = json_array_size(changes.decisions); i > 0; i--)
		json_array_append(decisions, json_array_get(changes.decisions, i - 1));
	json_decref(changes.decisions);
	return status;
}

struct newest {
	struct as_item items[ITEMS_OF_ONE];
	size_t count;
};

static bool take_item(void *ctx, const struct as_item *item, uint64_t place)
{
	struct newest *newest = ctx;
	(void)place;
	newest->items[newest->count++] = *item;
	return newest->count < ITEMS_OF_ONE;
}

enum status as_why_add_items(struct as_api *api, const struct as_scope *scope, const struct lw_eui64 *dev_eui,
			     json_t *decisions)
{
	struct newest newest = {.count = 0};
	enum status status = as_store_items_list(api->app->store, scope, dev_eui, UINT32_MAX, 0, take_item,
						 &newest);
	for (size_t i = 0; status == ST_OK && i < newest.count; i++)
		status = as_why_add_item(api, &newest.items[i], decisions);
	return status;
}

/* --- what is in memory -------------------------------------------------------------------------------------------- */

void as_why_add_kept(struct as_api *api, const struct lw_eui64 *dev_eui, json_t *decisions)
{
	as_rules_list(&api->app->decisions, dev_eui, WHY_LIMIT_MAX, decisions);
}
