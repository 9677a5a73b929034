#include "join-server/vault_import.h"

#include "common/base/check.h"
#include "common/lorawan/version.h"
#include "common/text/json.h"
#include "join-server/kek_orders.h"

#include <stdio.h>
#include <string.h>

const char *js_import_refusal_name(enum js_import_refusal refusal)
{
	static const char *const names[JS_IMPORT_REFUSAL_COUNT] = {
		[JS_IMPORT_TAKEN] = "taken",
		[JS_IMPORT_NO_KEY] = "no_key",
		[JS_IMPORT_MALFORMED] = "malformed",
		[JS_IMPORT_ANOTHER_KEY] = "another_key",
		[JS_IMPORT_OTHERS_NONCES] = "nonces_of_another_key",
	};
	return (unsigned)refusal < JS_IMPORT_REFUSAL_COUNT ? names[refusal] : "unknown";
}

bool js_import_parse(const uint8_t *body, size_t length, long uid, struct js_import_order *order,
		     char problem[JS_VAULT_PROBLEM])
{
	static const char *const members[] = {"sealed", "who", NULL};
	struct jr_doc doc;
	order->length = 0;
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		struct jr sealed = jr_member(&root, "sealed"), who = jr_optional(&root, "who");
		order->length = jr_base64(&sealed, order->sealed, sizeof order->sealed);
		if (!js_order_who(order->who, uid, jr_is_there(&who) ? jr_string(&who, JS_ORDER_WHO) : NULL))
			jr_fail(&who, "expected at most %d printable characters without quotes",
				JS_ORDER_WHO);
		jr_only(&root, members);
	}
	bool good = !doc.failed;
	if (!good)
		snprintf(problem, JS_VAULT_PROBLEM, "%s", doc.error);
	jr_release(&doc);
	return good;
}

/* --- one device ---------------------------------------------------------------------------------------------- */

/* A device of a page on its way. Holds a key: wiped at the end. */
struct arrival {
	struct lw_eui64 dev_eui, join_eui;
	enum lw_mac_version version; /* ours, where it is registered */
	struct js_device device;
	bool registered;
	struct lw_key key; /* what it joins with */
	uint8_t mark[JS_KEY_MARK];
	struct js_nonces nonces; /* the other join server's */
};

static bool read_version(const uint8_t parts[3], enum lw_mac_version *version)
{
	char text[16];
	snprintf(text, sizeof text, "%u.%u.%u", parts[0], parts[1], parts[2]);
	return lw_mac_version_parse(text, version);
}

static bool read_nonces(const struct vault_record *record, struct js_nonces *nonces)
{
	nonces->join_nonce = record->join_nonce;
	nonces->has_counter = record->has_dev_nonce;
	nonces->counter = record->dev_nonce;
	nonces->has_rj_count1 = record->has_rj_count1;
	nonces->rj_count1 = record->rj_count1;
	nonces->has_net_id = record->has_net_id;
	nonces->net_id.value = record->net_id;
	nonces->has_ns_id = record->has_ns_id;
	memcpy(nonces->ns_id.bytes, record->ns_id, sizeof record->ns_id);
	nonces->uses = record->uses <= INT64_MAX ? record->uses : INT64_MAX;
	nonces->used_at.us = record->used_at_us;
	return record->join_nonce <= JS_JOIN_NONCE_MAX && record->net_id <= 0xffffff &&
	       js_nonces_decode(nonces, record->used, record->used_length) == ST_OK;
}

/* The record's key that a device of the version joins with. */
static bool take_key(const struct vault_record *record, enum lw_mac_version version, struct lw_key *key)
{
	bool two = lw_behaves(version, LW_TWO_ROOT_KEYS);
	memcpy(key->bytes, two ? record->nwk_key : record->app_key, sizeof key->bytes);
	return two ? record->has_nwk_key : record->has_app_key;
}

/* Whether it is registered here, and if it has a key that opens, with this one. */
static enum status find(const struct js_join *join, struct arrival *arrival)
{
	const struct js_store *store = &join->options.store;
	enum status status = store->load_device(store->ctx, &arrival->dev_eui, &arrival->device);
	arrival->registered = status == ST_OK && arrival->device.run >= join->state.valid_run;
	if (arrival->registered)
		arrival->version = arrival->device.mac_version;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static bool has_another_key(const struct js_join *join, const struct arrival *arrival)
{
	const struct js_device *device = &arrival->device;
	bool two = lw_behaves(device->mac_version, LW_TWO_ROOT_KEYS);
	struct lw_key own;
	if (!arrival->registered || !(two ? device->has_nwk_key : device->has_app_key) ||
	    js_key_vault_open(&join->options.vault, &device->dev_eui, two ? SEALED_NWK_KEY : SEALED_APP_KEY,
			      two ? device->nwk_key : device->app_key, &own) != ST_OK)
		return false;
	bool same = secret_equal(own.bytes, arrival->key.bytes, sizeof own.bytes);
	lw_key_wipe(&own);
	return !same;
}

/* What we have of its nonces, under the mark of the imported key. */
static enum status load(struct js_join *join, const struct arrival *arrival, enum js_import_refusal *refusal)
{
	struct js_nonces *own = &join->nonces;
	const struct js_store *store = &join->options.store;
	enum status status = store->load_nonces(store->ctx, &arrival->join_eui, &arrival->dev_eui, own);
	if (status == ST_NOT_FOUND) {
		js_nonces_init(own, arrival->mark);
		return ST_OK;
	}
	if (status == ST_OK && memcmp(own->key_mark, arrival->mark, JS_KEY_MARK) != 0) {
		if (!arrival->registered)
			*refusal = JS_IMPORT_OTHERS_NONCES;
		js_nonces_rekey(own, arrival->mark); /* as its next join would */
	}
	return status;
}

static enum status take(struct js_join *join, const struct vault_record *record, struct arrival *arrival,
			enum js_import_refusal *refusal, bool *changed)
{
	const struct js_store *store = &join->options.store;
	*refusal = JS_IMPORT_MALFORMED;
	*changed = false;
	memcpy(arrival->dev_eui.bytes, record->dev_eui, 8);
	memcpy(arrival->join_eui.bytes, record->join_eui, 8);
	if (!read_version(record->version, &arrival->version) || !read_nonces(record, &arrival->nonces))
		return ST_OK;
	enum status status = find(join, arrival);
	*refusal = take_key(record, arrival->version, &arrival->key) ? JS_IMPORT_TAKEN : JS_IMPORT_NO_KEY;
	if (status == ST_OK && *refusal == JS_IMPORT_TAKEN && has_another_key(join, arrival))
		*refusal = JS_IMPORT_ANOTHER_KEY;
	if (status != ST_OK || *refusal != JS_IMPORT_TAKEN)
		return status;
	js_key_vault_mark(&join->options.vault, &arrival->dev_eui, &arrival->key, arrival->mark);
	status = load(join, arrival, refusal);
	if (status != ST_OK || *refusal != JS_IMPORT_TAKEN)
		return status;
	*changed = js_nonces_merge(&join->nonces, &arrival->nonces);
	return *changed ? store->save_nonces(store->ctx, &arrival->join_eui, &arrival->dev_eui, &join->nonces)
			: ST_OK;
}

/* --- a page ------------------------------------------------------------------------------------------------------ */

static enum status take_all(struct js_join *join, struct vault_page *page, struct js_imported *imported)
{
	struct vault_record record;
	struct arrival arrival;
	enum status status = ST_OK;
	while (status == ST_OK && vault_page_next(page, &record)) {
		enum js_import_refusal refusal;
		bool changed;
		memset(&arrival, 0, sizeof arrival);
		status = take(join, &record, &arrival, &refusal, &changed);
		imported->devices++;
		if (refusal != JS_IMPORT_TAKEN) {
			imported->refused[imported->refused_count].dev_eui = arrival.dev_eui;
			imported->refused[imported->refused_count++].reason = refusal;
			continue;
		}
		imported->changed += changed;
		imported->known += !changed;
		imported->unregistered += !arrival.registered;
	}
	secret_wipe(&record, sizeof record);
	secret_wipe(&arrival, sizeof arrival);
	return status;
}

static enum status audit(struct js_join *join, struct now now, const struct js_import_order *order,
			 const struct js_imported *imported, bool whole)
{
	char subject[JS_AUDIT_SUBJECT], detail[JS_AUDIT_DETAIL];
	snprintf(subject, sizeof subject, "nonces of %zu devices", imported->devices);
	snprintf(detail, sizeof detail, "%zu changed, %zu known already, %zu refused%s", imported->changed,
		 imported->known, imported->refused_count, whole ? "" : ", and then the database failed");
	return js_audit_write(&join->audit, &join->options.store, now.wall, order->who, JS_AUDIT_IMPORT,
			      subject, detail);
}

enum js_import_result js_import(struct js_join *join, struct now now, const struct js_import_order *order,
				struct js_imported *imported)
{
	struct vault_page page;
	memset(imported, 0, sizeof *imported);
	if (join->audit.seq >= JS_AUDIT_ROWS_MAX)
		return JS_IMPORT_AUDIT_FULL;
	enum status opened = vault_page_open(join->options.vault.box, order->sealed, order->length, &page);
	if (opened != ST_OK)
		return opened == ST_REFUSED ? JS_IMPORT_NOT_FOR_US : JS_IMPORT_NO_PAGE;
	bool old = !page.has_nonces;
	enum status status = old ? ST_OK : take_all(join, &page, imported);
	vault_page_wipe(&page);
	if (old)
		return JS_IMPORT_OLD;
	/* What was taken before a failure stays, if the database can be written at all: it has its row then. */
	enum status written = audit(join, now, order, imported, status == ST_OK);
	return status == ST_OK && written == ST_OK ? JS_IMPORTED : JS_IMPORT_FAILED;
}

json_t *js_imported_json(const struct js_imported *imported)
{
	json_t *refused = json_array();
	for (size_t i = 0; i < imported->refused_count; i++) {
		char eui[LW_EUI64_TEXT];
		lw_eui64_format(eui, &imported->refused[i].dev_eui);
		json_array_append_new(refused,
				      json_pack("{s:s, s:s}", "dev_eui", eui, "reason",
						js_import_refusal_name(imported->refused[i].reason)));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "devices", (json_int_t)imported->devices, "changed",
			 (json_int_t)imported->changed, "known", (json_int_t)imported->known, "unregistered",
			 (json_int_t)imported->unregistered, "refused", refused);
}
