#include "join-server/vault_orders.h"

#include "common/base/hex.h"
#include "common/lorawan/version.h"
#include "common/text/json.h"
#include "join-server/kek_orders.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void read_who(const struct jr *root, long uid, char who[JS_AUDIT_WHO])
{
	struct jr at = jr_optional(root, "who");
	if (!js_order_who(who, uid, jr_is_there(&at) ? jr_string(&at, JS_ORDER_WHO) : NULL))
		jr_fail(&at, "expected at most %d printable characters without quotes", JS_ORDER_WHO);
}

static bool finish(struct jr_doc *doc, char problem[JS_VAULT_PROBLEM])
{
	bool good = !doc->failed;
	if (!good)
		snprintf(problem, JS_VAULT_PROBLEM, "%s", doc->error);
	jr_release(doc);
	return good;
}

/* --- rotation ------------------------------------------------------------------------------------------------ */

static void read_derive(const struct jr *root, struct secret_derive *derive)
{
	struct jr salt = jr_member(root, "salt"), passes = jr_member(root, "passes"),
		  memory = jr_member(root, "memory");
	if (jr_base64(&salt, derive->salt, sizeof derive->salt) != sizeof derive->salt)
		jr_fail(&salt, "expected %d bytes as base64", SECRET_SALT);
	derive->passes = (uint32_t)jr_int(&passes, 1, SECRET_DERIVE_PASSES_MAX);
	derive->memory = (uint32_t)jr_int(&memory, SECRET_DERIVE_MEMORY_MIN, SECRET_DERIVE_MEMORY_MAX);
}

bool js_rotate_parse(const uint8_t *body, size_t length, long uid, struct js_rotate_body *order,
		     char problem[JS_VAULT_PROBLEM])
{
	static const char *const sources[] = {"file", "credential", "passphrase", NULL};
	static const char *const members[] = {"to", "sealed", "salt", "passes", "memory", "who", NULL};
	struct jr_doc doc;
	*order = (struct js_rotate_body){.length = 0};
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		struct jr to = jr_member(&root, "to");
		order->form.source = (enum js_vault_source)jr_choice(&to, sources);
		if (order->form.source != JS_VAULT_FILE) {
			struct jr sealed = jr_member(&root, "sealed");
			order->length = jr_base64(&sealed, order->sealed, sizeof order->sealed);
		}
		if (order->form.source == JS_VAULT_PASSPHRASE)
			read_derive(&root, &order->form.derive);
		read_who(&root, uid, order->who);
		jr_only(&root, members);
	}
	return finish(&doc, problem);
}

/* --- export ---------------------------------------------------------------------------------------------------- */

bool js_export_parse(const uint8_t *body, size_t length, long uid, struct js_export_order *order,
		     char problem[JS_VAULT_PROBLEM])
{
	static const char *const members[] = {"to", "device", "after", "who", NULL};
	struct jr_doc doc;
	*order = (struct js_export_order){.one = false};
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		struct jr to = jr_member(&root, "to"), device = jr_optional(&root, "device"),
			  after = jr_optional(&root, "after");
		jr_hex(&to, order->to, sizeof order->to);
		order->one = jr_is_there(&device);
		order->follows = jr_is_there(&after);
		if (order->one && order->follows)
			jr_fail(&after, "expected it without device");
		if (order->one)
			jr_hex(&device, order->device.bytes, sizeof order->device.bytes);
		if (order->follows)
			jr_hex(&after, order->after.bytes, sizeof order->after.bytes);
		read_who(&root, uid, order->who);
		jr_only(&root, members);
	}
	return finish(&doc, problem);
}

static bool open_key(const struct js_join *join, const struct js_device *device, enum sealed_key_kind kind,
		     const uint8_t *sealed, uint8_t key[16])
{
	struct lw_key opened;
	if (js_key_vault_open(&join->options.vault, &device->dev_eui, kind, sealed, &opened) != ST_OK)
		return false;
	memcpy(key, opened.bytes, 16);
	lw_key_wipe(&opened);
	return true;
}

/* What the device's next join server has to know of its nonces: it must give a greater JoinNonce, and take no DevNonce again that was
 * used with the key that is exported; those of a key that it had before count as little as at its next join here. */
static enum status fill_nonces(struct js_join *join, const struct js_device *device,
			       struct vault_record *record, uint8_t used[JS_NONCES_USED_MAX])
{
	struct js_nonces *nonces = &join->nonces;
	struct lw_key key;
	uint8_t mark[JS_KEY_MARK];
	bool two_keys = lw_behaves(device->mac_version, LW_TWO_ROOT_KEYS) && record->has_nwk_key;
	memcpy(key.bytes, two_keys ? record->nwk_key : record->app_key, sizeof key.bytes);
	js_key_vault_mark(&join->options.vault, &device->dev_eui, &key, mark);
	lw_key_wipe(&key);
	enum status status = join->options.store.load_nonces(join->options.store.ctx, &device->join_eui,
							     &device->dev_eui, nonces);
	if (status == ST_NOT_FOUND)
		js_nonces_init(nonces, mark);
	else if (status == ST_OK)
		js_nonces_rekey(nonces, mark);
	else
		return status;
	record->join_nonce = nonces->join_nonce;
	record->has_dev_nonce = nonces->has_counter;
	record->dev_nonce = nonces->counter;
	record->has_rj_count1 = nonces->has_rj_count1;
	record->rj_count1 = nonces->rj_count1;
	record->has_net_id = nonces->has_net_id;
	record->net_id = nonces->net_id.value;
	record->has_ns_id = nonces->has_ns_id;
	memcpy(record->ns_id, nonces->ns_id.bytes, sizeof record->ns_id);
	record->uses = nonces->uses;
	record->used_at_us = nonces->used_at.us;
	record->used_length = js_nonces_encode(nonces, used);
	record->used = used;
	return ST_OK;
}

/* `*full`: there is no room for the device, which begins the next page. */
static enum status add(struct js_join *join, const struct js_device *device, struct vault_page *plain,
		       struct js_export_page *page, bool *full)
{
	struct vault_record record = {.used_length = 0};
	uint8_t used[JS_NONCES_USED_MAX];
	unsigned parts[3] = {0};
	memcpy(record.dev_eui, device->dev_eui.bytes, 8);
	memcpy(record.join_eui, device->join_eui.bytes, 8);
	sscanf(lw_mac_version_name(device->mac_version), "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
	for (size_t i = 0; i < 3; i++)
		record.version[i] = (uint8_t)parts[i];
	record.has_app_key = device->has_app_key &&
			     open_key(join, device, SEALED_APP_KEY, device->app_key, record.app_key);
	record.has_nwk_key = device->has_nwk_key &&
			     open_key(join, device, SEALED_NWK_KEY, device->nwk_key, record.nwk_key);
	enum status status = ST_OK;
	if (!record.has_app_key && !record.has_nwk_key) {
		page->unreadable++;
	} else {
		status = fill_nonces(join, device, &record, used);
		*full = status == ST_OK && !vault_page_add(plain, &record);
	}
	page->devices = plain->count;
	secret_wipe(&record, sizeof record);
	return status;
}

/* The devices of the page; those of runs that do not count any more are no devices. */
static enum status collect(struct js_join *join, const struct js_export_order *order,
			   struct vault_page *plain, struct js_export_page *page)
{
	const struct js_store *store = &join->options.store;
	struct js_device devices[VAULT_PAGE_RECORDS];
	size_t found = 1;
	bool done = true, full = false;
	enum status status;
	if (order->one) {
		status = store->load_device(store->ctx, &order->device, &devices[0]);
	} else {
		uint64_t at = order->follows ? (lw_eui64_number(&order->after) ^ UINT64_C(1) << 63) + 1 : 0;
		if (order->follows && at == 0)
			return ST_OK; /* behind the greatest of all EUIs */
		status = store->list_devices(store->ctx, &at, VAULT_PAGE_RECORDS, devices, &found, &done);
	}
	for (size_t i = 0; i < found && status == ST_OK && !full; i++) {
		if (devices[i].run >= join->state.valid_run)
			status = add(join, &devices[i], plain, page, &full);
		if (!full)
			page->last = devices[i].dev_eui;
	}
	page->more = !done || full;
	return status;
}

static enum js_export_result audit(struct js_join *join, struct now now, const struct js_export_order *order,
				   const struct js_export_page *page)
{
	char to[SECRET_FINGERPRINT_TEXT], subject[JS_AUDIT_SUBJECT], eui[LW_EUI64_TEXT],
		detail[JS_AUDIT_DETAIL];
	secret_fingerprint(to, order->to);
	lw_eui64_format(eui, order->one ? &order->device : &order->after);
	if (order->one)
		snprintf(subject, sizeof subject, "device %s", eui);
	else if (order->follows)
		snprintf(subject, sizeof subject, "all, behind %s", eui);
	else
		snprintf(subject, sizeof subject, "all, from the first");
	snprintf(detail, sizeof detail, "root keys and nonces of %zu devices, sealed to %s", page->devices,
		 to);
	enum status status = js_audit_write(&join->audit, &join->options.store, now.wall, order->who,
					    JS_AUDIT_EXPORT, subject, detail);
	return status == ST_OK ? JS_EXPORTED : status == ST_REFUSED ? JS_EXPORT_AUDIT_FULL : JS_EXPORT_FAILED;
}

enum js_export_result js_export(struct js_join *join, struct now now, const struct js_export_order *order,
				struct js_export_page *page)
{
	struct vault_page plain;
	memset(page, 0, sizeof *page);
	vault_page_begin(&plain);
	enum status status = collect(join, order, &plain, page);
	if (status == ST_OK && (!order->one || page->devices > 0))
		page->length = vault_page_seal(page->sealed, order->to, &plain);
	vault_page_wipe(&plain);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return JS_EXPORT_FAILED;
	if (status == ST_NOT_FOUND || (order->one && page->devices == 0))
		return JS_EXPORT_UNKNOWN;
	return page->length > 0 ? audit(join, now, order, page) : JS_EXPORT_BAD_KEY;
}

json_t *js_export_json(const struct js_export_order *order, const struct js_export_page *page)
{
	char text[BASE64_ROOM(VAULT_PAGE_SEALED)];
	char to[SECRET_FINGERPRINT_TEXT], last[LW_EUI64_TEXT];
	secret_fingerprint(to, order->to);
	lw_eui64_format(last, &page->last);
	base64_encode(text, page->sealed, page->length);
	return json_pack("{s:s, s:s, s:I, s:I, s:o}", "to", to, "sealed", text, "devices",
			 (json_int_t)page->devices, "unreadable", (json_int_t)page->unreadable, "next",
			 page->more ? json_string(last) : json_null());
}

/* --- the audit --------------------------------------------------------------------------------------------------- */

static json_t *row_json(const struct js_audit_row *row, bool good)
{
	char hash[2 * SECRET_HASH + 1];
	hex_encode(hash, row->hash, sizeof row->hash);
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:b}", "seq", (json_int_t)row->seq, "time_us",
			 (json_int_t)row->time.us, "who", row->who, "what", row->what, "subject",
			 row->subject, "detail", row->detail, "hash", hash, "good", good);
}

json_t *js_audit_json(const struct js_join *join, uint64_t after)
{
	struct js_audit_row rows[JS_AUDIT_PAGE + 1];
	const struct js_store *store = &join->options.store;
	uint8_t before[SECRET_HASH] = {0};
	size_t count, first = after > 0 ? 1 : 0;
	char head[2 * SECRET_HASH + 1];
	/* The row before the page is read with it: the page hangs on its hash. */
	if (store->list_audit(store->ctx, after > 0 ? after - 1 : 0, JS_AUDIT_PAGE + first, rows, &count) !=
	    ST_OK)
		return NULL;
	uint64_t seq = after;
	json_t *list = json_array(), *bad = NULL;
	if (first == 1 && count > 0 && rows[0].seq == after)
		memcpy(before, rows[0].hash, sizeof before);
	else
		first = 0;
	for (size_t i = first; i < count; i++) {
		bool good = rows[i].seq == seq + 1 && js_audit_is_good(&join->audit, &rows[i], before);
		if (!good && !bad)
			bad = json_integer((json_int_t)rows[i].seq);
		json_array_append_new(list, row_json(&rows[i], good));
		memcpy(before, rows[i].hash, sizeof before);
		seq = rows[i].seq;
	}
	hex_encode(head, join->audit.head, sizeof join->audit.head);
	return json_pack("{s:o, s:b, s:o, s:I, s:s}", "rows", list, "good", bad == NULL, "bad_seq",
			 bad ? bad : json_null(), "seq", (json_int_t)join->audit.seq, "head", head);
}
