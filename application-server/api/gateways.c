/* What the gateway bridge hears, beside the registry's records: each gateway's state, and those that are not registered. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/gateway_json.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

void as_add_live(struct as_api *api, struct now now, json_t *record, bool whole)
{
	static const char *const names[] = {"state",   "reason",       "since",
					    "says",    "next_step",    "last_seen",
					    "address", "uplinks_hour", "loss_percent"};
	struct lw_eui64 eui;
	const char *name = json_string_value(json_object_get(record, "eui"));
	if (!api->health || !name || !lw_eui64_parse(name, &eui))
		return;
	const struct as_gateway_health *row = as_health_find(api->health, &eui);
	for (size_t i = 0; i < ARRAY_SIZE(names) && !row; i++)
		json_object_set_new(record, names[i], json_null());
	if (!row)
		return;
	as_gateway_add_state(record, row, now.wall);
	/* A state that nobody knows is none. */
	if (row->state == AS_GATEWAY_UNKNOWN)
		json_object_set_new(record, "state", json_null());
	if (whole)
		json_object_set_new(record, "health", as_gateway_health_json(row, record, now.wall));
}

/* Where somebody else's gateway stands is nobody's business but the city's engineers' (invariant 12). */
void as_handle_unregistered(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	unsigned limit;
	const struct as_live_gateway *row;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL,
				  "gateways that are not registered are shown to the city's engineers");
		return;
	}
	if (!as_call_limit(call, answer, &limit))
		return;
	if (!api->live || !as_live_is_fresh(api->live, call->now)) {
		as_answer_problem(answer, 503, NULL, "the gateway bridge does not answer");
		return;
	}
	json_t *items = json_array();
	for (size_t at = 0; json_array_size(items) < limit && (row = table_next(&api->live->table, &at));) {
		char eui[LW_EUI64_TEXT], heard[AS_TIME_TEXT];
		if (row->registered || !row->heard || row->round != api->live->round)
			continue;
		lw_eui64_format(eui, &row->eui);
		json_array_append_new(items, json_pack("{ss ss ss sI}", "eui", eui, "address", row->address,
						       "last_seen", as_time_format(heard, row->last),
						       "datagrams", (json_int_t)row->datagrams));
	}
	as_answer_json(answer, 200, json_pack("{so sn}", "items", items, "next"));
}
