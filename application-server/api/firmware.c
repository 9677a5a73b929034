/* Firmware for stations: a key by name, an upload in pieces, and who is to get what. */
#include "application-server/api/answer.h"
#include "application-server/api/identity.h"
#include "application-server/identity/audit.h"
#include "application-server/identity/bundle.h"
#include "application-server/store_packages.h"
#include "application-server/time_text.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_city(const struct as_call *call, struct as_answer *answer)
{
	if (as_scope_sees_all(call->scope))
		return true;
	as_answer_forbidden(answer);
	return false;
}

/* Fills a text of the body, of 1 to 64 printable characters; false with an answer. */
static bool take_name(const struct as_call *call, struct as_answer *answer, const char *name,
		      char text[AS_FIRMWARE_TEXT])
{
	const char *value = json_string_value(json_object_get(call->body, name));
	bool good = value && value[0] && strlen(value) < AS_FIRMWARE_TEXT;
	for (const char *at = value; good && *at; at++)
		good = *at >= ' ' && *at < 127;
	if (good)
		snprintf(text, AS_FIRMWARE_TEXT, "%s", value);
	else
		as_answer_problem(answer, 422, name, "must be text of 1 to %d characters",
				  AS_FIRMWARE_TEXT - 1);
	return good;
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

void as_handle_firmware_key(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_firmware_key row = {.crc = 0};
	if (!is_city(call, answer) || !as_call_has_object(call, answer) ||
	    !take_name(call, answer, "name", row.name))
		return;
	const char *pem = json_string_value(json_object_get(call->body, "public_key"));
	struct x509_key *key = pem ? x509_key_from_pem(pem, strlen(pem)) : NULL;
	if (!key) {
		as_answer_problem(answer, 422, "public_key", "must be a public key on P-256 in PEM");
		return;
	}
	x509_key_point(key, row.point);
	x509_key_free(key);
	row.crc = as_crc32(row.point, sizeof row.point);
	snprintf(row.added_by, sizeof row.added_by, "%s", as_call_who(call));
	enum status status = as_store_firmware_key_put(api->app->store, &row, call->now.wall);
	if (status == ST_OK)
		status = as_audit_write(api->app->store, call->now.wall, as_call_who(call),
					AS_AUDIT_FIRMWARE_KEY, row.name, "");
	char point[2 * X509_POINT_BYTES + 1];
	hex_encode(point, row.point, sizeof row.point);
	if (status == ST_EXISTS)
		as_answer_problem(answer, 409, "name", "there is a key of that name");
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	else
		as_answer_json(answer, 201,
			       json_pack("{ss sI ss}", "name", row.name, "crc", (json_int_t)row.crc, "point",
					 point));
}

/* --- uploads ------------------------------------------------------------------------------------------------------- */

static bool take_signature(const struct as_call *call, struct as_answer *answer, struct as_firmware_row *row)
{
	const char *text = json_string_value(json_object_get(call->body, "signature"));
	size_t length = text ? strlen(text) / 2 : 0;
	if (length >= 8 && length <= sizeof row->signature &&
	    hex_decode_exact(row->signature, length, text)) {
		row->signature_length = length;
		return true;
	}
	as_answer_problem(answer, 422, "signature",
			  "must be an ECDSA signature in DER, as hexadecimal digits");
	return false;
}

void as_handle_firmware_begin(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_firmware_row row = {.id = 0}, known;
	struct as_firmware_key key;
	json_int_t size = json_integer_value(json_object_get(call->body, "size"));
	if (!is_city(call, answer) || !as_call_has_object(call, answer) ||
	    !take_name(call, answer, "model", row.model) ||
	    !take_name(call, answer, "version", row.version) || !take_name(call, answer, "key", row.key) ||
	    !take_signature(call, answer, &row))
		return;
	if (size < 1 || (uint64_t)size > AS_FIRMWARE_MAX) {
		as_answer_problem(answer, 422, "size", "must be 1 to %" PRIu64 " bytes", AS_FIRMWARE_MAX);
		return;
	}
	if (as_store_firmware_key_get(api->app->store, row.key, &key) != ST_OK) {
		as_answer_problem(answer, 422, "key", "no public key has that name");
		return;
	}
	if (as_store_firmware_find(api->app->store, row.model, row.version, &known) == ST_OK) {
		as_answer_problem(answer, 409, "version", "that version for that model is there already");
		return;
	}
	row.size = (uint64_t)size;
	snprintf(row.added_by, sizeof row.added_by, "%s", as_call_who(call));
	uint64_t upload = as_packages_begin(api->packages, &row, &key);
	if (upload == 0)
		as_answer_problem(answer, 503, NULL, "the package cannot be stored: see the server's log");
	else
		as_answer_json(answer, 201,
			       json_pack("{sI sI}", "upload", (json_int_t)upload, "piece",
					 (json_int_t)AS_FIRMWARE_PIECE));
}

static void finish(struct as_api *api, const struct as_call *call, struct as_answer *answer, uint64_t upload)
{
	struct as_firmware_row row;
	char subject[2 * AS_FIRMWARE_TEXT];
	enum status status = as_packages_finish(api->packages, upload, &row);
	if (status == ST_REFUSED) {
		as_answer_problem(answer, 422, "signature", "is not that key's over these bytes");
		return;
	}
	row.added = call->now.wall;
	if (status == ST_OK)
		status = as_store_firmware_put(api->app->store, &row);
	snprintf(subject, sizeof subject, "%s %s", row.model, row.version);
	if (status == ST_OK)
		status = as_audit_write(api->app->store, call->now.wall, as_call_who(call),
					AS_AUDIT_FIRMWARE_ADD, subject, row.key);
	if (status == ST_OK)
		as_answer_json(answer, 201, json_pack("{sI}", "id", (json_int_t)row.id));
	else
		as_answer_failed(answer, status);
}

/* {upload, offset, hex}: the next piece. The last one answers with the package's id. */
void as_handle_firmware_piece(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *hex = json_string_value(json_object_get(call->body, "hex"));
	json_int_t upload = json_integer_value(json_object_get(call->body, "upload"));
	json_int_t offset = json_integer_value(json_object_get(call->body, "offset"));
	size_t length = hex ? strlen(hex) / 2 : 0;
	uint64_t at, size;
	if (!is_city(call, answer) || !as_call_has_object(call, answer))
		return;
	uint8_t *bytes = length > 0 && length <= AS_FIRMWARE_PIECE ? malloc(length) : NULL;
	if (!bytes || !hex_decode_exact(bytes, length, hex)) {
		as_answer_problem(answer, 422, "hex", "must be 1 to %u bytes as hexadecimal digits",
				  AS_FIRMWARE_PIECE);
		free(bytes);
		return;
	}
	enum status status = as_packages_append(api->packages, (uint64_t)upload, (uint64_t)offset, bytes,
						length, &at, &size);
	free(bytes);
	if (status == ST_NOT_FOUND)
		as_answer_problem(answer, 404, "upload", "there is no such upload; begin again");
	else if (status == ST_CONFLICT)
		as_answer_problem(answer, 409, "offset", "the next piece begins at %" PRIu64, at);
	else if (status == ST_INVALID)
		as_answer_problem(answer, 422, "hex", "more bytes than the size that was said");
	else if (status != ST_OK)
		as_answer_problem(answer, 503, NULL, "the package cannot be stored: see the server's log");
	else if (at == size)
		finish(api, call, answer, (uint64_t)upload);
	else
		as_answer_json(answer, 200, json_pack("{sI}", "offset", (json_int_t)at));
}

/* --- what there is ------------------------------------------------------------------------------------------------- */

static json_t *order_json(struct as_api *api, const struct as_firmware_order *order)
{
	char eui[LW_EUI64_TEXT], changed[AS_TIME_TEXT];
	struct as_station_row station;
	lw_eui64_format(eui, &order->gateway);
	bool asked = as_store_station_get(api->app->store, &order->gateway, &station) == ST_OK;
	return json_pack("{ss ss ss sI ss ss ss?}", "gateway", eui, "state",
			 as_order_state_name(order->state), "reason", order->reason, "offers",
			 (json_int_t)order->offers, "changed", as_time_format(changed, order->changed),
			 "ordered_by", order->ordered_by, "reported", asked ? station.package : NULL);
}

static json_t *package_json(struct as_api *api, const struct as_firmware_row *row)
{
	char added[AS_TIME_TEXT], digest[2 * X509_SHA512_BYTES + 1];
	json_t *orders = json_array();
	struct as_firmware_order order;
	const struct lw_eui64 *after = NULL;
	struct lw_eui64 last;
	while (as_store_order_next(api->app->store, after, &order) == ST_OK) {
		if (order.firmware == row->id)
			json_array_append_new(orders, order_json(api, &order));
		last = order.gateway;
		after = &last;
	}
	hex_encode(digest, row->sha512, sizeof row->sha512);
	return json_pack("{sI ss ss sI ss ss ss ss so}", "id", (json_int_t)row->id, "model", row->model,
			 "version", row->version, "size", (json_int_t)row->size, "sha512", digest, "key",
			 row->key, "added", as_time_format(added, row->added), "added_by", row->added_by,
			 "gateways", orders);
}

void as_handle_firmware_list(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_firmware_row row = {.id = 0};
	if (!is_city(call, answer))
		return;
	json_t *items = json_array();
	while (as_store_firmware_next(api->app->store, row.id, &row) == ST_OK)
		json_array_append_new(items, package_json(api, &row));
	as_answer_json(answer, 200, json_pack("{so sn}", "items", items, "next"));
}

/* --- orders -------------------------------------------------------------------------------------------------------- */

static enum status order_one(struct as_api *api, const struct as_call *call, const struct lw_eui64 *gateway,
			     const struct as_firmware_row *row)
{
	struct as_firmware_order order = {.gateway = *gateway,
					  .firmware = row->id,
					  .ordered = call->now.wall,
					  .changed = call->now.wall};
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, gateway);
	snprintf(order.ordered_by, sizeof order.ordered_by, "%s", as_call_who(call));
	enum status status = as_store_order_put(api->app->store, &order);
	return status == ST_OK ? as_audit_write(api->app->store, call->now.wall, as_call_who(call),
						AS_AUDIT_FIRMWARE_ASSIGN, eui, row->version)
			       : status;
}

/* POST /api/v1/firmware/{id}/orders {gateway: EUI} or {all_of_model: true}: {ordered: N} */
void as_handle_firmware_order(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_firmware_row row;
	struct as_identity known;
	struct lw_eui64 gateway, last;
	const struct lw_eui64 *after = NULL;
	const char *one = json_string_value(json_object_get(call->body, "gateway"));
	enum status status = ST_OK;
	json_int_t ordered = 0;
	if (!is_city(call, answer) || !as_call_has_object(call, answer))
		return;
	if (as_store_firmware_get(api->app->store, strtoll(call->id, NULL, 10), &row) != ST_OK) {
		as_answer_problem(answer, 404, NULL, "there is no such firmware");
		return;
	}
	if (one && (!lw_eui64_parse(one, &gateway) ||
		    as_store_identity_get(api->app->store, &gateway, &known) != ST_OK)) {
		as_answer_problem(answer, 404, "gateway", "no gateway has that EUI");
		return;
	}
	if (one) {
		status = order_one(api, call, &gateway, &row);
		ordered = 1;
	} else if (!json_is_true(json_object_get(call->body, "all_of_model"))) {
		as_answer_problem(answer, 422, "gateway", "say a gateway's EUI, or all_of_model");
		return;
	}
	while (!one && status == ST_OK &&
	       as_store_station_of_model(api->app->store, row.model, after, &gateway) == ST_OK) {
		status = order_one(api, call, &gateway, &row);
		last = gateway;
		after = &last;
		ordered++;
	}
	if (status == ST_OK)
		as_answer_json(answer, 201, json_pack("{sI}", "ordered", ordered));
	else
		as_answer_failed(answer, status);
}

/* DELETE /api/v1/gateways/{id}/firmware */
void as_handle_firmware_cancel(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	char eui[LW_EUI64_TEXT];
	if (!as_identity_gateway(api, call, answer, &gateway))
		return;
	lw_eui64_format(eui, &gateway);
	enum status status = as_store_order_remove(api->app->store, &gateway);
	if (status == ST_OK)
		status = as_audit_write(api->app->store, call->now.wall, as_call_who(call),
					AS_AUDIT_FIRMWARE_CANCEL, eui, "");
	if (status == ST_OK)
		as_answer_json(answer, 200, json_object());
	else if (status == ST_NOT_FOUND)
		as_answer_problem(answer, 404, NULL, "it is to get no firmware");
	else
		as_answer_failed(answer, status);
}

/* --- the bridge ---------------------------------------------------------------------------------------------------- */

void as_handle_firmware_bytes(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_firmware_row row;
	const char *offset = as_call_query(call, "offset");
	if (!as_identity_bridge(call, answer))
		return;
	uint8_t *bytes = malloc(AS_FIRMWARE_PIECE);
	size_t length = 0;
	enum status status = bytes ? as_store_firmware_get(api->app->store, strtoll(call->id, NULL, 10), &row)
				   : ST_NO_MEMORY;
	if (status == ST_OK)
		status = as_packages_read(api->packages, &row, offset ? strtoull(offset, NULL, 10) : 0, bytes,
					  &length);
	if (status == ST_OK) {
		answer->status = 200;
		answer->octets = bytes;
		answer->octet_count = length;
		return;
	}
	free(bytes);
	as_answer_problem(answer, status == ST_NOT_FOUND ? 404 : 503, NULL, "the package cannot be read");
}
