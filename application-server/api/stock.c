/* The shelf over REST: what waits to be claimed, put there by manufacturers, warehouses and the city (shelving.c). An agency has a
 * shelf of its own; the city's administrators see all. */
#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/api/shelving.h"
#include "application-server/identity/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool as_may_shelve(const struct as_call *call, struct as_answer *answer)
{
	bool may = call->scope->role == AS_MANAGER || call->scope->role == AS_CITY;
	if (!may)
		as_answer_forbidden(answer);
	return may;
}

/* --- list and remove ------------------------------------------------------------------------------------------------ */

void as_handle_stock_list(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *after = as_call_query(call, "after");
	char *end = NULL, cursor[24];
	int64_t from = after ? strtoll(after, &end, 10) : INT64_MIN, next = 0;
	unsigned limit;
	bool more;
	json_t *items;
	if (after && (end == after || *end)) {
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
		return;
	}
	if (!as_call_limit(call, answer, &limit))
		return;
	enum status status = as_store_stock_list(api->app->store, call->scope, from, limit, &items, &next,
						 &more);
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return;
	}
	snprintf(cursor, sizeof cursor, "%" PRId64, next);
	as_answer_json(answer, 200, json_pack("{so ss?}", "items", items, "next", more ? cursor : NULL));
}

static bool is_own(const struct as_call *call, const struct as_stock *stock)
{
	return as_scope_sees(call->scope, stock->has_holder ? &stock->holder : NULL);
}

void as_handle_stock_remove(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	struct as_stock stock;
	if (!as_may_shelve(call, answer))
		return;
	enum status status = lw_eui64_parse(call->id, &eui)
				     ? as_store_stock_get(api->app->store, &eui, &stock)
				     : ST_NOT_FOUND;
	if (status == ST_NOT_FOUND || (status == ST_OK && !is_own(call, &stock))) {
		as_answer_problem(answer, 404, NULL, "no such device on the shelf");
		return;
	}
	if (status == ST_OK)
		status = as_store_stock_remove(api->app->store, &eui);
	if (status == ST_OK)
		status = as_audit_write(api->app->store, call->now.wall, call->who ? call->who : "nobody",
					AS_AUDIT_STOCK_REMOVE, call->id, "");
	if (status == ST_OK)
		*answer = (struct as_answer){.status = 204};
	else
		as_answer_failed(answer, status);
}
