/* The shelf over REST: what waits to be claimed, put there by manufacturers, warehouses and the city, many at once and all or
 * none. An agency has a shelf of its own; the city's administrators see all. */
#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/identity/audit.h"
#include "application-server/store_records.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 512 /* devices in one call */

static const struct as_scope everything = {.role = AS_CITY};

static bool may_shelve(const struct as_call *call, struct as_answer *answer)
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
	if (!may_shelve(call, answer))
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

/* --- add -------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static bool read_key(const json_t *row, const char *field, uint8_t key[NET_SEALED_KEY_SIZE],
		     struct record_problems *problems)
{
	const char *text = text_of(row, field);
	size_t length = 0;
	if (!*text)
		return false;
	if (base64_decode(key, NET_SEALED_KEY_SIZE, &length, text, strlen(text)) &&
	    length == NET_SEALED_KEY_SIZE)
		return true;
	record_problems_add(problems, field, "must be a sealed key: keys in clear are refused");
	return false;
}

static void read_serial(const json_t *row, struct as_stock *stock, struct record_problems *problems)
{
	const char *text = text_of(row, "serial");
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			length = sizeof stock->serial;
	if (length >= sizeof stock->serial)
		record_problems_add(problems, "serial", "must be at most %d characters, no control ones",
				    AS_STOCK_SERIAL - 1);
	else
		snprintf(stock->serial, sizeof stock->serial, "%s", text);
}

static void read_profile(const json_t *row, struct as_stock *stock, struct record_problems *problems)
{
	const char *text = text_of(row, "profile_id");
	uint8_t bytes[4] = {0};
	if (*text && (strlen(text) != 8 || !hex_decode_exact(bytes, sizeof bytes, text)))
		record_problems_add(problems, "profile_id", "must be 8 hex digits");
	stock->vendor = (uint16_t)(bytes[0] << 8 | bytes[1]);
	stock->vendor_profile = (uint16_t)(bytes[2] << 8 | bytes[3]);
}

static void known_members(const json_t *row, struct record_problems *problems)
{
	static const char *const known[] = {"line",    "dev_eui", "join_eui", "token_digest",
					    "app_key", "nwk_key", "serial",   "profile_id"};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)row, name, value)
	{
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found |= strcmp(known[i], name) == 0;
		if (!found)
			record_problems_add(problems, name, "is not known here");
	}
}

/* Whether it may go on the caller's shelf. */
static enum status check_place(struct as_api *api, const struct as_call *call, const struct as_stock *stock,
			       struct record_problems *problems)
{
	struct as_stock before;
	json_t *device = NULL;
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &stock->dev_eui);
	enum status status = as_store_record_get(api->app->store, &everything, RECORD_DEVICE, eui, &device);
	json_decref(device);
	if (status == ST_OK)
		record_problems_add(problems, "dev_eui", "is registered already");
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	status = as_store_stock_get(api->app->store, &stock->dev_eui, &before);
	if (status == ST_OK && !is_own(call, &before))
		record_problems_add(problems, "dev_eui", "stands on another shelf");
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status read_row(struct as_api *api, const struct as_call *call, const json_t *row,
			    struct as_stock *stock, struct record_problems *problems)
{
	struct as_proof proof = {.digest = {0}};
	*stock = (struct as_stock){.changed = call->now.wall};
	known_members(row, problems);
	as_proof_read(row, &proof, problems);
	read_serial(row, stock, problems);
	read_profile(row, stock, problems);
	stock->has_app_key = read_key(row, "app_key", stock->app_key, problems);
	stock->has_nwk_key = read_key(row, "nwk_key", stock->nwk_key, problems);
	if (!stock->has_app_key && !stock->has_nwk_key && problems->count == 0)
		record_problems_add(problems, "app_key", "is missing: without it nobody could let it join");
	stock->dev_eui = proof.dev_eui;
	stock->join_eui = proof.join_eui;
	as_token_keep(api, proof.digest, stock->token);
	const struct net_uuid *own = as_scope_agency(call->scope);
	stock->has_holder = own != NULL;
	if (own)
		stock->holder = *own;
	return problems->count ? ST_OK : check_place(api, call, stock, problems);
}

/* Checks every row, or writes every row. */
static enum status each_row(struct as_api *api, const struct as_call *call, const json_t *rows, bool write,
			    json_t *errors)
{
	json_t *row, *seen = json_object();
	size_t index;
	enum status status = ST_OK;
	json_array_foreach((json_t *)(uintptr_t)rows, index, row)
	{
		struct record_problems problems = {.count = 0};
		struct as_stock stock;
		json_int_t line = json_integer_value(json_object_get(row, "line"));
		status = read_row(api, call, row, &stock, &problems);
		if (status == ST_OK && json_object_get(seen, text_of(row, "dev_eui")))
			record_problems_add(&problems, "dev_eui", "stands in this call twice");
		json_object_set_new(seen, text_of(row, "dev_eui"), json_true());
		for (size_t i = 0; i < problems.count && i < RECORD_PROBLEMS_MAX; i++)
			json_array_append_new(errors, json_pack("{sI ss ss}", "line",
								line ? line : (json_int_t)index + 1, "field",
								problems.items[i].field, "reason",
								problems.items[i].reason));
		if (status == ST_OK && write && problems.count == 0)
			status = as_store_stock_put(api->app->store, &stock);
		if (status != ST_OK)
			break;
	}
	json_decref(seen);
	return status;
}

static enum status write_rows(struct as_api *api, const struct as_call *call, const json_t *rows,
			      json_t *errors)
{
	char detail[64];
	snprintf(detail, sizeof detail, "%zu devices", json_array_size(rows));
	enum status status = each_row(api, call, rows, true, errors);
	return status == ST_OK ? as_audit_write(api->app->store, call->now.wall,
						call->who ? call->who : "nobody", AS_AUDIT_STOCK_ADD,
						text_of(json_array_get(rows, 0), "dev_eui"), detail)
			       : status;
}

void as_handle_stock_add(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (!may_shelve(call, answer) || !as_call_has_object(call, answer))
		return;
	const json_t *rows = json_object_get(call->body, "devices");
	bool dry_run = json_is_true(json_object_get(call->body, "dry_run"));
	size_t count = json_array_size(rows);
	if (count == 0 || count > AT_ONCE) {
		as_answer_problem(answer, 422, "devices", "devices must be an array of 1 to %d", AT_ONCE);
		return;
	}
	json_t *errors = json_array();
	enum status status = each_row(api, call, rows, false, errors);
	bool good = json_array_size(errors) == 0;
	if (status == ST_OK && good && !dry_run) {
		status = write_rows(api, call, rows, errors);
		if (status != ST_OK)
			as_store_abandon(api->app->store); /* all or none */
	}
	if (status != ST_OK)
		as_answer_failed(answer, status);
	else if (good)
		as_answer_json(answer, 200,
			       json_pack("{sI sb}", "shelved", (json_int_t)count, "dry_run", (int)dry_run));
	else {
		as_answer_problem(answer, 422, NULL, "nothing was put on the shelf");
		json_object_set(answer->body, "errors", errors);
	}
	json_decref(errors);
}
