#include "join-server/kek_orders.h"

#include "common/base/check.h"
#include "common/text/json.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *reason;
} results[JS_KEK_RESULT_COUNT] = {
	[JS_KEK_DONE] = {200, ""},
	[JS_KEK_BAD_LABEL] = {422, "a label is 1 to 24 of a-z, 0-9, '-' and '_'"},
	[JS_KEK_BAD_SEAL] = {422, "the sealed key does not open for this label and version: seal it to this "
				  "join server's key"},
	[JS_KEK_IS_FILE] = {409,
			    "the configuration names a file for this label (join-server.keks), which wins"},
	[JS_KEK_OLD_VERSION] = {409, "there is or was a newer version of this label: take a higher number"},
	[JS_KEK_OTHER_KEY] = {409, "this version is or was there with another key: take the next number"},
	[JS_KEK_TOO_MANY] = {409, "too many labels, or versions of this label: delete old ones first"},
	[JS_KEK_UNKNOWN] = {404, "there is no such KEK"},
	[JS_KEK_NEEDED] = {409, "envelopes made with it may still be asked for: see needed_until, or insist "
				"with force=true"},
	[JS_KEK_AUDIT_FULL] = {507, "the audit is full, and nothing is done without its row"},
	[JS_KEK_FAILED] = {500, "the database could not be read or written"},
};

int js_kek_code(enum js_kek_result result)
{
	ASSERT_CMP((unsigned)result, <, JS_KEK_RESULT_COUNT);
	return results[result].code;
}

const char *js_kek_reason(enum js_kek_result result)
{
	ASSERT_CMP((unsigned)result, <, JS_KEK_RESULT_COUNT);
	return results[result].reason;
}

bool js_order_who(char who[JS_AUDIT_WHO], long uid, const char *person)
{
	size_t length = person ? strlen(person) : 0;
	if (length > JS_ORDER_WHO)
		return false;
	for (size_t i = 0; i < length; i++)
		if (person[i] < 0x20 || person[i] > 0x7e || person[i] == '"' || person[i] == '\\')
			return false;
	if (length > 0)
		snprintf(who, JS_AUDIT_WHO, "uid %ld for %s", uid, person);
	else
		snprintf(who, JS_AUDIT_WHO, "uid %ld", uid);
	return true;
}

bool js_kek_order_parse(const uint8_t *body, size_t length, long uid, struct js_kek_order *order,
			char problem[JS_KEK_PROBLEM])
{
	static const char *const members[] = {"version", "sealed", "who", NULL};
	struct jr_doc doc;
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		struct jr version = jr_member(&root, "version");
		order->version = (uint32_t)jr_int(&version, 1, SEALED_KEK_VERSION_MAX);
		struct jr sealed = jr_member(&root, "sealed");
		order->length = jr_base64(&sealed, order->sealed, sizeof order->sealed);
		struct jr who = jr_optional(&root, "who");
		if (!js_order_who(order->who, uid, jr_is_there(&who) ? jr_string(&who, JS_ORDER_WHO) : NULL))
			jr_fail(&who, "expected at most %d printable characters without quotes",
				JS_ORDER_WHO);
		jr_only(&root, members);
	}
	bool good = !doc.failed;
	if (!good)
		snprintf(problem, JS_KEK_PROBLEM, "%s", doc.error);
	jr_release(&doc);
	return good;
}

static enum js_kek_result of_status(enum status status)
{
	return status == ST_OK ? JS_KEK_DONE : status == ST_REFUSED ? JS_KEK_AUDIT_FULL : JS_KEK_FAILED;
}

static bool is_in_file(struct js_keks *keks, const char *label)
{
	const struct js_kek *kek = js_keks_find(keks, label);
	return kek && kek->from_file;
}

/* Whether a version may come that is not there: above all that ever were, or the last of them again with its own key. */
static enum js_kek_result check_highest(struct js_join *join, const struct js_kek_order *order,
					const uint8_t key[16])
{
	const struct js_store *store = &join->options.store;
	struct js_kek_highest highest;
	uint8_t mark[JS_KEY_MARK];
	if (store->load_kek_highest(store->ctx, order->label, &highest) != ST_OK)
		return JS_KEK_FAILED;
	if (order->version != highest.version)
		return order->version > highest.version ? JS_KEK_DONE : JS_KEK_OLD_VERSION;
	js_key_vault_mark_kek(&join->options.vault, order->label, key, mark);
	return highest.has_mark && secret_equal(mark, highest.mark, sizeof mark) ? JS_KEK_DONE
										 : JS_KEK_OTHER_KEY;
}

/* Whether the order may add its version. JS_KEK_DONE with `*same`: it is there already, the same key. */
static enum js_kek_result check_version(struct js_join *join, const struct js_kek_order *order,
					const uint8_t key[16], bool *same)
{
	struct js_keks *keks = &join->keks;
	const struct js_kek *there = js_keks_exact(keks, order->label, order->version, false);
	size_t versions = js_keks_versions(keks, order->label);
	*same = there && secret_equal(there->key.bytes, key, 16);
	if (there)
		return *same ? JS_KEK_DONE : JS_KEK_OTHER_KEY;
	enum js_kek_result result = check_highest(join, order, key);
	if (result != JS_KEK_DONE)
		return result;
	bool full = versions == JS_KEK_VERSIONS_MAX || keks->count >= JS_KEKS_ROWS_MAX ||
		    (versions == 0 && js_keks_labels(keks) == JS_KEK_LABELS_MAX);
	return full ? JS_KEK_TOO_MANY : JS_KEK_DONE;
}

static enum js_kek_result keep(struct js_join *join, struct now now, const struct js_kek_order *order,
			       const uint8_t key[16])
{
	const struct js_store *store = &join->options.store;
	char name[SEALED_KEK_NAME];
	sealed_kek_name(name, order->label, order->version);
	enum status status = js_audit_write(&join->audit, store, now.wall, order->who, JS_AUDIT_KEK_PUT, name,
					    "");
	if (status != ST_OK)
		return of_status(status);
	struct js_kek_row row = {.version = order->version, .has_key = true, .since = now.wall};
	memcpy(row.label, order->label, sizeof row.label);
	js_key_vault_seal_kek(&join->options.vault, order->label, order->version, key, row.sealed);
	js_key_vault_mark_kek(&join->options.vault, order->label, key, row.mark);
	if (store->save_kek(store->ctx, &row) != ST_OK)
		return JS_KEK_FAILED;
	struct js_kek kek = {.version = order->version, .has_key = true, .since = now.wall};
	memcpy(kek.label, order->label, sizeof kek.label);
	snprintf(kek.key.label, sizeof kek.key.label, "%s", name);
	kek.key.length = 16;
	memcpy(kek.key.bytes, key, 16);
	bool added = js_keks_add(&join->keks, &kek) != NULL;
	secret_wipe(&kek, sizeof kek);
	return added ? JS_KEK_DONE : JS_KEK_TOO_MANY;
}

enum js_kek_result js_kek_put(struct js_join *join, struct now now, const struct js_kek_order *order)
{
	uint8_t key[16];
	bool same = false;
	if (!sealed_kek_label_is_good(order->label))
		return JS_KEK_BAD_LABEL;
	if (is_in_file(&join->keks, order->label))
		return JS_KEK_IS_FILE;
	if (sealed_kek_open(join->options.vault.box, order->sealed, order->length, order->label,
			    order->version, key) != SEALED_KEY_OK)
		return JS_KEK_BAD_SEAL;
	enum js_kek_result result = check_version(join, order, key, &same);
	if (result == JS_KEK_DONE && !same)
		result = keep(join, now, order, key);
	secret_wipe(key, sizeof key);
	return result;
}

/* When the last envelope made with it expires; 0: none was made, or all have expired. */
static int64_t needed_until(const struct js_join *join, const struct js_kek *kek)
{
	return kek->last_use.us ? kek->last_use.us + join->options.session_span : 0;
}

static bool is_meant(const struct js_kek *kek, const struct js_kek_order *order)
{
	return !kek->from_file && strcmp(kek->label, order->label) == 0 &&
	       (order->version == 0 || kek->version == order->version);
}

static enum js_kek_result check_delete(struct js_join *join, struct now now, const struct js_kek_order *order)
{
	size_t found = 0;
	for (size_t i = 0; i < join->keks.count; i++) {
		const struct js_kek *kek = &join->keks.rows[i];
		if (!is_meant(kek, order))
			continue;
		found++;
		if (!order->force && needed_until(join, kek) > now.wall.us)
			return JS_KEK_NEEDED;
	}
	if (found > 0)
		return JS_KEK_DONE;
	return is_in_file(&join->keks, order->label) ? JS_KEK_IS_FILE : JS_KEK_UNKNOWN;
}

enum js_kek_result js_kek_delete(struct js_join *join, struct now now, const struct js_kek_order *order)
{
	const struct js_store *store = &join->options.store;
	enum js_kek_result result = check_delete(join, now, order);
	/* What the turn has counted is written first: a row that goes must not come back with its uses. */
	if (result == JS_KEK_DONE)
		result = of_status(js_keks_flush(&join->keks, store));
	if (result != JS_KEK_DONE)
		return result;
	char name[LW_KEK_LABEL_MAX + 16];
	snprintf(name, sizeof name, order->version ? "%s.%u" : "%s", order->label, order->version);
	result = of_status(js_audit_write(&join->audit, store, now.wall, order->who, JS_AUDIT_KEK_DELETE,
					  name, order->force ? "force" : ""));
	for (size_t i = join->keks.count; result == JS_KEK_DONE && i-- > 0;) {
		const struct js_kek *kek = &join->keks.rows[i];
		if (!is_meant(kek, order))
			continue;
		result = of_status(store->remove_kek(store->ctx, kek->label, kek->version));
		if (result == JS_KEK_DONE)
			js_keks_remove(&join->keks, order->label, kek->version);
	}
	return result;
}

json_t *js_kek_put_json(const struct js_kek_order *order)
{
	char name[SEALED_KEK_NAME];
	sealed_kek_name(name, order->label, order->version);
	return json_pack("{s:s, s:I, s:s}", "label", order->label, "version", (json_int_t)order->version,
			 "kek_label", name);
}

static json_t *time_or_null(int64_t us)
{
	return us ? json_integer(us) : json_null();
}

json_t *js_keks_json(const struct js_join *join)
{
	json_t *list = json_array();
	/* The table is looked up and not changed. */
	struct js_keks keks = join->keks;
	for (size_t i = 0; i < keks.count; i++) {
		const struct js_kek *kek = &keks.rows[i];
		if (!kek->has_key)
			continue;
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:s, s:s, s:b, s:I, s:I, s:o, s:o}", "label",
						kek->label, "version", (json_int_t)kek->version, "kek_label",
						kek->key.label, "from", kek->from_file ? "file" : "vault",
						"newest", js_keks_find(&keks, kek->label) == kek, "since",
						(json_int_t)kek->since.us, "uses", (json_int_t)kek->uses,
						"last_use", time_or_null(kek->last_use.us), "needed_until",
						time_or_null(needed_until(join, kek))));
	}
	return json_pack("{s:o}", "keks", list);
}
