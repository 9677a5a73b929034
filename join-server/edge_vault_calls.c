#include "join-server/edge_vault_calls.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "join-server/edge_reply.h"
#include "join-server/edge_rotate.h"
#include "join-server/kek_orders.h"
#include "join-server/vault_import.h"
#include "join-server/vault_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *time_or_null(struct wall time)
{
	return time.us ? json_integer(time.us) : json_null();
}

static json_t *wrap_json(const struct js_vault *vault, const struct js_vault_wrap *wrap)
{
	char fingerprint[JS_VAULT_FINGERPRINT_TEXT];
	js_vault_fingerprint_text(fingerprint, wrap->fingerprint);
	json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:b}", "source",
				 js_vault_source_name(wrap->form.source), "fingerprint", fingerprint,
				 "since_us", (json_int_t)wrap->time.us, "opened_us",
				 time_or_null(wrap->opened), "in_use", wrap->id == vault->opened_by);
	if (wrap->form.source == JS_VAULT_PASSPHRASE) {
		json_object_set_new(json, "passes", json_integer(wrap->form.derive.passes));
		json_object_set_new(json, "memory", json_integer(wrap->form.derive.memory));
	}
	return json;
}

static json_t *status_json(const struct js_vault_calls *calls)
{
	const struct js_edge_vault *edge = calls->vault;
	const struct js_vault *vault = &edge->vault;
	char box[2 * SECRET_KEY + 1], head[2 * SECRET_HASH + 1], audit_key[2 * SECRET_KEY + 1];
	json_t *wraps = json_array();
	for (size_t i = 0; i < vault->rows.wrap_count; i++)
		json_array_append_new(wraps, wrap_json(vault, &vault->rows.wraps[i]));
	hex_encode(box, secret_box_public(calls->box), SECRET_KEY);
	hex_encode(audit_key, secret_signer_public(vault->signer), SECRET_KEY);
	hex_encode(head, edge->join->audit.head, SECRET_HASH);
	json_t *keks = js_keks_json(edge->join);
	json_t *json = json_pack("{s:s, s:s, s:o, s:I, s:o, s:b, s:s, s:o, s:{s:I, s:s, s:s}}", "configured",
				 js_vault_source_name(edge->master.source), "path", edge->master.path,
				 "master_keys", wraps, "made_us", (json_int_t)vault->rows.made.us,
				 "rotated_us", time_or_null(vault->rows.rotated), "resealing",
				 vault->rows.before, "box", box, "keks",
				 json_incref(json_object_get(keks, "keks")), "audit", "rows",
				 (json_int_t)edge->join->audit.seq, "head", head, "public_key", audit_key);
	json_decref(keks);
	return json;
}

static bool audit_read(struct js_vault_calls *calls, struct now now, const struct io_http_request *request,
		       enum js_audit_what what)
{
	char who[JS_AUDIT_WHO];
	struct js_join *join = calls->vault->join;
	js_order_who(who, (long)io_http_request_peer(request)->uid, NULL);
	enum status status = js_audit_read(&join->audit, &join->options.store, now.wall, who, what);
	if (status != ST_OK)
		js_reply_problem(calls->http, io_http_request_exchange(request),
				 status == ST_REFUSED ? 507 : 500, "Not done",
				 "no row could be written into the audit", NULL);
	return status == ST_OK;
}

static void on_status(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_vault_calls *calls = ctx;
	if (js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT) &&
	    audit_read(calls, now, request, JS_AUDIT_READ_STATUS))
		js_reply_json(calls->http, io_http_request_exchange(request), 200, NULL, status_json(calls));
}

static void on_audit(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_vault_calls *calls = ctx;
	const char *text = io_http_request_query(request, "after");
	if (!js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT))
		return;
	if (text && (strspn(text, "0123456789") != strlen(text) || strlen(text) > 12)) {
		js_reply_problem(calls->http, io_http_request_exchange(request), 422, "Malformed",
				 "after: expected the number of a row", "after");
		return;
	}
	uint64_t after = text ? strtoull(text, NULL, 10) : 0;
	if (audit_read(calls, now, request, JS_AUDIT_READ_AUDIT))
		js_reply_json(calls->http, io_http_request_exchange(request), 200, NULL,
			      js_audit_json(calls->vault->join, after));
}

/* Signed, to be noted elsewhere. The asking is in the audit before it. */
static void on_head(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_vault_calls *calls = ctx;
	const struct js_vault *vault = &calls->vault->vault;
	char hash[2 * SECRET_HASH + 1], signature[2 * SECRET_SIGNATURE + 1], key[2 * SECRET_KEY + 1];
	if (!js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT) ||
	    !audit_read(calls, now, request, JS_AUDIT_READ_AUDIT))
		return;
	struct audit_head head = js_audit_head(&calls->vault->join->audit, now.wall, vault->signer);
	hex_encode(hash, head.hash, sizeof head.hash);
	hex_encode(signature, head.signature, sizeof head.signature);
	hex_encode(key, secret_signer_public(vault->signer), SECRET_KEY);
	js_reply_json(calls->http, io_http_request_exchange(request), 200, NULL,
		      json_pack("{s:I, s:s, s:I, s:s, s:s}", "seq", (json_int_t)head.seq, "hash", hash,
				"time_us", (json_int_t)head.time.us, "signature", signature, "public_key",
				key));
}

/* --- rotation ------------------------------------------------------------------------------------------------ */

static json_t *rotated_json(const struct js_vault_calls *calls, bool waits)
{
	const struct js_vault_rows *rows = &calls->vault->vault.rows;
	return json_pack("{s:b, s:o}", "waits", waits, "master_key",
			 wrap_json(&calls->vault->vault, js_vault_newest(rows)));
}

static void rotate(struct js_vault_calls *calls, struct now now, io_http_exchange exchange,
		   const struct js_rotate_body *body)
{
	struct js_rotate_order order = {.form = body->form};
	char file[JS_MASTER_PATH];
	memcpy(order.who, body->who, sizeof order.who);
	if (calls->vault->master.source == JS_VAULT_FILE)
		snprintf(file, sizeof file, "%s", calls->vault->master.path);
	else
		snprintf(file, sizeof file, "%s/keys/join-server.master", calls->common->state_dir);
	enum js_rotate_result result = JS_ROTATE_NOT_FOR_US;
	if (body->form.source != JS_VAULT_FILE)
		order.key = vault_master_open(calls->box, body->sealed, body->length);
	if (order.key || body->form.source == JS_VAULT_FILE)
		result = js_rotate(calls->vault, now, &order, file);
	secret_master_free(order.key);
	if (js_rotate_code(result) == 200)
		js_reply_json(calls->http, exchange, 200, NULL,
			      rotated_json(calls, result == JS_ROTATED_WAITS));
	else
		js_reply_problem(calls->http, exchange, js_rotate_code(result), "Not rotated",
				 js_rotate_reason(result), NULL);
}

static void on_rotate(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_vault_calls *calls = ctx;
	struct js_rotate_body body;
	char problem[JS_VAULT_PROBLEM];
	size_t length;
	if (!js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT))
		return;
	const uint8_t *bytes = io_http_request_body(request, &length);
	if (js_rotate_parse(bytes, length, (long)io_http_request_peer(request)->uid, &body, problem))
		rotate(calls, now, io_http_request_exchange(request), &body);
	else
		js_reply_problem(calls->http, io_http_request_exchange(request), 422, "Malformed", problem,
				 NULL);
}

/* --- export ---------------------------------------------------------------------------------------------------- */

static void on_export(void *ctx, struct now now, const struct io_http_request *request)
{
	static const struct {
		int code;
		const char *reason;
	} refusals[] = {
		[JS_EXPORT_UNKNOWN] = {404, "there is no such device here, or it has no key that opens"},
		[JS_EXPORT_BAD_KEY] = {422, "to: that is no usable public key"},
		[JS_EXPORT_AUDIT_FULL] = {507, "the audit is full, and nothing leaves without its row"},
		[JS_EXPORT_FAILED] = {500, "the database could not be read or written"},
	};
	struct js_vault_calls *calls = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct js_export_order order;
	struct js_export_page page;
	char problem[JS_VAULT_PROBLEM];
	size_t length;
	if (!js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT))
		return;
	const uint8_t *body = io_http_request_body(request, &length);
	if (!js_export_parse(body, length, (long)io_http_request_peer(request)->uid, &order, problem)) {
		js_reply_problem(calls->http, exchange, 422, "Malformed", problem, NULL);
		return;
	}
	enum js_export_result result = js_export(calls->vault->join, now, &order, &page);
	if (result != JS_EXPORTED) {
		js_reply_problem(calls->http, exchange, refusals[result].code, "Not exported",
				 refusals[result].reason, NULL);
		return;
	}
	calls->vault->counters.exports++;
	calls->vault->counters.devices_exported += page.devices;
	js_reply_json(calls->http, exchange, 200, NULL, js_export_json(&order, &page));
}

/* --- import ---------------------------------------------------------------------------------------------------- */

static void on_import(void *ctx, struct now now, const struct io_http_request *request)
{
	static const struct {
		int code;
		const char *reason;
	} refusals[JS_IMPORT_RESULT_COUNT] = {
		[JS_IMPORT_NOT_FOR_US] = {422, "the page is not sealed to this join server, or was changed"},
		[JS_IMPORT_NO_PAGE] = {422, "that is no page of an export"},
		[JS_IMPORT_OLD] = {422, "the page is of a release whose exports do not say which DevNonces "
					"were used: export again"},
		[JS_IMPORT_AUDIT_FULL] = {507, "the audit is full, and nothing is done without its row"},
		[JS_IMPORT_FAILED] = {500, "the database could not be read or written; import again"},
	};
	struct js_vault_calls *calls = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct js_import_order order;
	struct js_imported imported;
	char problem[JS_VAULT_PROBLEM];
	size_t length;
	if (!js_reply_allowed(calls->http, calls->callers, request, JS_CALL_VAULT))
		return;
	const uint8_t *body = io_http_request_body(request, &length);
	if (!js_import_parse(body, length, (long)io_http_request_peer(request)->uid, &order, problem)) {
		js_reply_problem(calls->http, exchange, 422, "Malformed", problem, NULL);
		return;
	}
	enum js_import_result result = js_import(calls->vault->join, now, &order, &imported);
	if (result != JS_IMPORTED) {
		js_reply_problem(calls->http, exchange, refusals[result].code, "Not imported",
				 refusals[result].reason, NULL);
		return;
	}
	calls->vault->counters.devices_imported += imported.devices - imported.refused_count;
	js_reply_json(calls->http, exchange, 200, NULL, js_imported_json(&imported));
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/vault", on_status},         {IO_HTTP_POST, "/vault/rotate", on_rotate},
	{IO_HTTP_POST, "/vault/export", on_export}, {IO_HTTP_POST, "/vault/import", on_import},
	{IO_HTTP_GET, "/vault/audit", on_audit},    {IO_HTTP_GET, "/vault/audit/head", on_head},
};

void js_vault_calls_open(struct js_vault_calls *calls)
{
	io_http_server_add(calls->http, routes, ARRAY_SIZE(routes), calls);
}
