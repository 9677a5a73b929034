/* A claim in steps: who asks may register devices; neither device nor caller is locked; the token is the one; the record is
 * prepared as any other; it is written; the token is spent. A fault of the record (no such application) spends nothing. */
#include "application-server/api/claims.h"

#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/downlinks/item.h"
#include "application-server/identity/audit.h"
#include "application-server/store_records.h"
#include "application-server/store_replacements.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- what is shown ------------------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static void read_eui(const json_t *body, const char *field, struct lw_eui64 *eui,
		     struct record_problems *problems)
{
	const char *text = text_of(body, field);
	if (!text || !lw_eui64_parse(text, eui))
		record_problems_add(problems, field, "must be 16 hex digits");
}

bool as_digest_read(const json_t *body, uint8_t digest[SECRET_HASH], struct record_problems *problems)
{
	const char *text = text_of(body, "token_digest");
	bool ok = text && strlen(text) == 2 * SECRET_HASH && hex_decode_exact(digest, SECRET_HASH, text);
	if (!ok)
		record_problems_add(problems, "token_digest",
				    "must be the hash of the owner token, 64 hex digits");
	return ok;
}

void as_proof_read(const json_t *body, struct as_proof *proof, struct record_problems *problems)
{
	read_eui(body, "dev_eui", &proof->dev_eui, problems);
	read_eui(body, "join_eui", &proof->join_eui, problems);
	(void)as_digest_read(body, proof->digest, problems);
}

void as_token_keep(struct as_api *api, const uint8_t digest[SECRET_HASH], uint8_t kept[SECRET_HASH])
{
	as_keyed_hash(api->app->keys, kept, digest, SECRET_HASH);
}

/* --- tries -------------------------------------------------------------------------------------------------------- */

struct subjects {
	char device[48], caller[AS_AUDIT_WHO_MAX + 16];
};

static struct subjects subjects_of(const struct as_call *call, const struct lw_eui64 *dev_eui)
{
	struct subjects subjects;
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, dev_eui);
	snprintf(subjects.device, sizeof subjects.device, "device %s", eui);
	snprintf(subjects.caller, sizeof subjects.caller, "caller %s", call->who ? call->who : "nobody");
	return subjects;
}

/* True with an answer: no try is taken now. */
static bool is_locked(struct as_api *api, const struct as_call *call, const char *subject, const char *whose,
		      struct as_answer *answer)
{
	struct as_tries tries;
	enum status status = as_store_tries_get(api->app->store, subject, &tries);
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return true;
	}
	if (tries.until.us <= call->now.wall.us)
		return false;
	int64_t minutes = (tries.until.us - call->now.wall.us) / (60 * US_PER_S) + 1;
	as_answer_problem(answer, 429, NULL,
			  "too many wrong tries %s: the next one is taken in %" PRId64 " minute%s; see that "
			  "the label is read rightly, it says an owner token behind :O",
			  whose, minutes, minutes == 1 ? "" : "s");
	return true;
}

static enum status count_try(struct as_api *api, const struct as_call *call, const char *subject,
			     unsigned limit)
{
	struct as_tries tries;
	struct wall now = call->now.wall;
	enum status status = as_store_tries_get(api->app->store, subject, &tries);
	if (status != ST_OK)
		return status;
	if (tries.until.us || tries.failed == 0 || now.us - tries.since.us > AS_CLAIM_WINDOW ||
	    now.us < tries.since.us)
		tries = (struct as_tries){.since = now};
	if (++tries.failed >= limit)
		tries.until.us = now.us + AS_CLAIM_LOCK;
	status = as_store_tries_put(api->app->store, subject, &tries);
	return status == ST_OK && tries.until.us
		       ? as_audit_write(api->app->store, now, call->who ? call->who : "nobody",
					AS_AUDIT_CLAIM_LOCKED, subject,
					"wrong owner tokens; locked for an hour")
		       : status;
}

/* One answer whatever was wrong; what it was stands in the audit, which the city's engineers alone read. */
static void refuse(struct as_api *api, const struct as_call *call, const struct as_proof *proof,
		   const struct subjects *subjects, const char *why, struct as_answer *answer)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &proof->dev_eui);
	enum status status = as_audit_write(api->app->store, call->now.wall, call->who ? call->who : "nobody",
					    AS_AUDIT_CLAIM_REFUSED, eui, why);
	if (status == ST_OK)
		status = count_try(api, call, subjects->device, AS_CLAIM_TRIES_DEVICE);
	if (status == ST_OK)
		status = count_try(api, call, subjects->caller, AS_CLAIM_TRIES_CALLER);
	if (status == ST_OK)
		as_answer_problem(answer, 403, NULL,
				  "no device that waits to be claimed has this DevEUI, JoinEUI and owner "
				  "token");
	else
		as_answer_failed(answer, status);
}

bool as_sees_device(struct as_api *api, const struct as_call *call, const struct lw_eui64 *dev_eui)
{
	char eui[LW_EUI64_TEXT];
	json_t *device = NULL;
	lw_eui64_format(eui, dev_eui);
	enum status status = as_store_record_get(api->app->store, call->scope, RECORD_DEVICE, eui, &device);
	json_decref(device);
	return status == ST_OK;
}

bool as_claim_check(struct as_api *api, const struct as_call *call, const struct as_proof *proof,
		    struct as_stock *stock, struct as_answer *answer)
{
	struct subjects subjects = subjects_of(call, &proof->dev_eui);
	uint8_t kept[SECRET_HASH];
	if (call->scope->role != AS_MANAGER && call->scope->role != AS_CITY) {
		as_answer_forbidden(answer);
		return false;
	}
	if (is_locked(api, call, subjects.caller, "of yours", answer) ||
	    is_locked(api, call, subjects.device, "for this device", answer))
		return false;
	*stock = (struct as_stock){.waits = false};
	enum status status = as_store_stock_get(api->app->store, &proof->dev_eui, stock);
	if (status != ST_OK && status != ST_NOT_FOUND) {
		as_answer_failed(answer, status);
		return false;
	}
	as_token_keep(api, proof->digest, kept);
	if (as_sees_device(api, call, &proof->dev_eui)) {
		as_answer_problem(answer, 409, "dev_eui",
				  "dev_eui is registered for you already; an owner token is good once");
		return false;
	}
	bool same = secret_equal(kept, stock->token, sizeof kept); /* compared whatever else is wrong */
	const char *wrong = status == ST_NOT_FOUND                                ? "on no shelf"
			    : !stock->waits                                       ? "claimed already"
			    : !lw_eui64_equal(&stock->join_eui, &proof->join_eui) ? "another JoinEUI"
			    : !same                                               ? "wrong token"
										  : NULL;
	if (wrong)
		refuse(api, call, proof, &subjects, wrong, answer);
	return !wrong;
}

static void fill_key(json_t *sent, const char *field, bool has, const uint8_t key[NET_SEALED_KEY_SIZE])
{
	char text[BASE64_ROOM(NET_SEALED_KEY_SIZE)];
	if (!has)
		return;
	base64_encode(text, key, NET_SEALED_KEY_SIZE);
	json_object_set_new(sent, field, json_string(text));
}

void as_claim_fill(const struct as_stock *stock, json_t *sent)
{
	char join_eui[LW_EUI64_TEXT];
	lw_eui64_format(join_eui, &stock->join_eui);
	json_object_set_new(sent, "join_eui", json_string(join_eui));
	fill_key(sent, "app_key", stock->has_app_key, stock->app_key);
	fill_key(sent, "nwk_key", stock->has_nwk_key, stock->nwk_key);
}

enum status as_claim_spend(struct as_api *api, const struct as_call *call, const struct as_stock *stock,
			   const char *detail)
{
	struct as_store *store = api->app->store;
	struct subjects subjects = subjects_of(call, &stock->dev_eui);
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &stock->dev_eui);
	enum status status = as_store_stock_claimed(store, &stock->dev_eui, call->now.wall);
	if (status == ST_OK)
		status = as_store_tries_clear(store, subjects.device);
	return status == ST_OK ? as_audit_write(store, call->now.wall, call->who ? call->who : "nobody",
						AS_AUDIT_CLAIM, eui, detail)
			       : status;
}

/* --- claim ---------------------------------------------------------------------------------------------------------- */

/* Keys come from the shelf alone. */
static void no_keys(const json_t *body, struct record_problems *problems)
{
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	for (size_t i = 0; i < schema->field_count; i++)
		if ((schema->fields[i].flags & RECORD_SECRET) &&
		    json_object_get(body, schema->fields[i].name))
			record_problems_add(problems, schema->fields[i].name,
					    "is known already: a claimed device keeps its keys");
}

static void register_claimed(struct as_api *api, const struct as_call *call, const struct as_stock *stock,
			     struct as_answer *answer)
{
	struct as_resolver resolver = {
		.store = api->app->store, .scope = call->scope, .served = api->app->served, .claims = true};
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared;
	json_t *sent = json_copy((json_t *)(uintptr_t)call->body);
	json_object_del(sent, "token_digest");
	as_claim_fill(stock, sent);
	enum as_prepare_verdict verdict = as_prepare(api, &resolver, RECORD_DEVICE, sent, NULL, &prepared,
						     &problems);
	if (verdict == AS_PREPARED)
		verdict = as_write_prepared(api, call->now, &prepared, &problems);
	if (verdict == AS_PREPARED && as_claim_spend(api, call, stock, "") != ST_OK) {
		as_store_abandon(api->app->store); /* never registered with a token that is still good */
		verdict = AS_STORE_FAILED;
	}
	if (verdict == AS_PREPARED) {
		struct as_call made = *call;
		made.id = text_of(prepared.record, "dev_eui");
		json_t *record = as_get_or_answer(api, &made, RECORD_DEVICE, answer);
		if (record)
			as_answer_json(answer, 201, record);
	} else
		as_answer_verdict(answer, verdict, &problems);
	as_prepared_release(&prepared);
	json_decref(sent);
}

void as_handle_claim(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	struct as_proof proof;
	struct as_stock stock;
	if (!as_call_has_object(call, answer))
		return;
	as_proof_read(call->body, &proof, &problems);
	no_keys(call->body, &problems);
	if (problems.count)
		as_answer_problems(answer, &problems);
	else if (as_claim_check(api, call, &proof, &stock, answer))
		register_claimed(api, call, &stock, answer);
}

/* --- release -------------------------------------------------------------------------------------------------------- */

json_t *as_own_device(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct net_uuid owner;
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	if (!device)
		return NULL;
	bool owned = as_record_owner(RECORD_DEVICE, device, &owner);
	if (as_scope_may_write(call->scope, RECORD_DEVICE, owned ? &owner : NULL))
		return device;
	as_answer_forbidden(answer);
	json_decref(device);
	return NULL;
}

/* Puts it back on the shelf that it came from, else on its agency's own. */
static enum status shelve(struct as_api *api, const struct as_call *call, const json_t *device,
			  const struct lw_eui64 *eui, const uint8_t digest[SECRET_HASH],
			  struct as_stock *stock)
{
	struct as_store *store = api->app->store;
	struct as_stock before;
	enum status status = as_store_stock_get(store, eui, &before);
	if (status == ST_OK) {
		stock->has_holder = before.has_holder;
		stock->holder = before.holder;
		stock->vendor = before.vendor;
		stock->vendor_profile = before.vendor_profile;
		snprintf(stock->serial, sizeof stock->serial, "%s", before.serial);
	} else if (status != ST_NOT_FOUND)
		return status;
	as_token_keep(api, digest, stock->token);
	stock->changed = call->now.wall;
	status = as_store_stock_put(store, stock);
	if (status == ST_OK)
		status = as_store_record_remove(store, RECORD_DEVICE, device);
	return status == ST_OK ? as_audit_write(store, call->now.wall, call->who ? call->who : "nobody",
						AS_AUDIT_RELEASE, text_of(device, "dev_eui"), "")
			       : status;
}

static void release(struct as_api *api, const struct as_call *call, const json_t *device,
		    const uint8_t digest[SECRET_HASH], struct as_answer *answer)
{
	struct lw_eui64 eui;
	struct as_stock stock;
	struct as_replacement other;
	char profile[9], join_eui[LW_EUI64_TEXT];
	ASSERT(lw_eui64_parse(text_of(device, "dev_eui"), &eui));
	enum status status = as_store_device_root_keys(api->app->store, &eui, &stock);
	if (status != ST_OK) {
		as_answer_failed(answer, status);
		return;
	}
	if (!stock.has_app_key && !stock.has_nwk_key) {
		as_answer_problem(answer, 409, NULL,
				  "the device has no root key: whoever claims it could not let it join");
		return;
	}
	if (as_store_replaced_by(api->app->store, &eui, &other) ||
	    as_store_stands_for(api->app->store, &eui, &other)) {
		as_answer_problem(answer, 409, NULL,
				  "another device and this one share a place: undo the replacement first");
		return;
	}
	status = shelve(api, call, device, &eui, digest, &stock);
	if (status != ST_OK) {
		as_store_abandon(api->app->store); /* never on the shelf and registered */
		as_answer_failed(answer, status);
		return;
	}
	lw_eui64_format(join_eui, &stock.join_eui);
	snprintf(profile, sizeof profile, "%04X%04X", stock.vendor, stock.vendor_profile);
	as_answer_json(answer, 200,
		       json_pack("{ss ss ss ss}", "dev_eui", text_of(device, "dev_eui"), "join_eui", join_eui,
				 "profile_id", profile, "serial", stock.serial));
}

void as_handle_release(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	uint8_t digest[SECRET_HASH];
	json_t *device = as_own_device(api, call, answer);
	if (!device)
		return;
	if (as_call_has_object(call, answer)) {
		if (!as_digest_read(call->body, digest, &problems))
			as_answer_problems(answer, &problems);
		else
			release(api, call, device, digest, answer);
	}
	json_decref(device);
}
