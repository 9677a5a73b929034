#include "application-server/identity/audit.h"

#include "application-server/api/answer.h"
#include "application-server/api/identity.h"
#include "application-server/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void as_handle_audit(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_audit_row row;
	unsigned limit;
	uint64_t place;
	char next[24] = "";
	if (!as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return;
	}
	if (!as_call_limit(call, answer, &limit) || !as_call_place(call, answer, &place))
		return;
	json_t *items = json_array();
	while (as_audit_next(api->app->store, as_call_query(call, "subject"), place, &row) == ST_OK) {
		char at[AS_TIME_TEXT];
		if (json_array_size(items) == limit) {
			snprintf(next, sizeof next, "%" PRIu64, place);
			break;
		}
		json_array_append_new(items,
				      json_pack("{sI ss ss ss ss ss}", "reference", (json_int_t)row.seq, "at",
						as_time_format(at, row.at), "who", row.who, "what", row.what,
						"subject", row.subject, "detail", row.detail));
		place = row.seq;
	}
	as_answer_json(answer, 200, json_pack("{so ss?}", "items", items, "next", next[0] ? next : NULL));
}
