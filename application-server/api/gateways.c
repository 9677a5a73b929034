/* What the gateway bridge hears, beside the registry's records: each gateway's state, and those that are not registered. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/time_text.h"

#include <string.h>

void as_add_live(struct as_api *api, struct now now, json_t *record)
{
	struct lw_eui64 eui;
	const struct as_live_gateway *row;
	char text[AS_TIME_TEXT];
	const char *name = json_string_value(json_object_get(record, "eui"));
	if (!api->live || !name || !lw_eui64_parse(name, &eui))
		return;
	const char *state = as_live_state_name(as_live_gateway(api->live, &eui, now, &row));
	json_object_set_new(record, "state", state ? json_string(state) : json_null());
	json_object_set_new(record, "last_seen",
			    row && row->heard ? json_string(as_time_format(text, row->last)) : json_null());
	json_object_set_new(record, "address", row && row->heard ? json_string(row->address) : json_null());
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
