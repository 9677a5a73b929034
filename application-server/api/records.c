#include "application-server/api/records.h"

#include "application-server/api/answer.h"
#include "application-server/api/taken.h"
#include "application-server/store_custody.h"
#include "application-server/store_keys.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <string.h>
#include <strings.h>

static const struct as_scope everything = {.role = AS_CITY};

void as_prepared_release(struct as_prepared *prepared)
{
	json_decref(prepared->record);
	json_decref(prepared->keys);
	*prepared = (struct as_prepared){0};
}

void as_answer_verdict(struct as_answer *answer, enum as_prepare_verdict verdict,
		       const struct record_problems *problems)
{
	ASSERT_CMP(verdict, !=, AS_PREPARED);
	if (verdict == AS_PROBLEMS)
		as_answer_problems(answer, problems);
	else if (verdict == AS_TAKEN)
		as_answer_problem(answer, 409, problems->items[0].field, "%s %s", problems->items[0].field,
				  problems->items[0].reason);
	else if (verdict == AS_FORBIDDEN)
		as_answer_forbidden(answer);
	else
		as_answer_failed(answer, ST_DATABASE);
}

/* Moves the secrets out of a record: they are written by their own statements. A new record has none that is null. */
static json_t *take_keys(const struct record_schema *schema, json_t *record, bool create)
{
	json_t *keys = json_object();
	for (size_t i = 0; i < schema->field_count; i++) {
		const char *name = schema->fields[i].name;
		json_t *value = json_object_get(record, name);
		if (!(schema->fields[i].flags & RECORD_SECRET) || !value)
			continue;
		if (!create || !json_is_null(value))
			json_object_set(keys, name, value);
		json_object_del(record, name);
	}
	return keys;
}

static const char *text_of(const json_t *record, const char *field)
{
	return json_string_value(json_object_get(record, field));
}

/* Whether a new device's DevEUI is free; what waits on a shelf is, for whoever showed its token. */
static enum as_prepare_verdict judge_dev_eui(const struct as_resolver *resolver, const char *dev_eui,
					     struct record_problems *problems)
{
	const struct as_asking asking = {resolver->store, resolver->scope, resolver->who, resolver->now};
	struct lw_eui64 eui;
	enum as_taken taken;
	char words[AS_TAKEN_WORDS];
	ASSERT(lw_eui64_parse(dev_eui, &eui));
	if (resolver->claims)
		return AS_PREPARED; /* it waited a moment ago, in this very call */
	if (as_eui_is_taken(&asking, &eui, &taken, NULL, words) != ST_OK)
		return AS_STORE_FAILED;
	if (taken == AS_FREE)
		return AS_PREPARED;
	record_problems_add(problems, "dev_eui", "%s", words);
	return AS_TAKEN;
}

/* Who must not write, and whether the identifier is taken; `owner` as resolved. */
static enum as_prepare_verdict judge(struct as_resolver *resolver, const struct as_prepared *prepared,
				     const json_t *stored, struct record_problems *problems)
{
	struct net_uuid owner;
	const struct record_schema *schema = record_schema(prepared->kind);
	bool owned = as_record_owner(prepared->kind, prepared->record, &owner);
	if (!as_scope_may_write(resolver->scope, prepared->kind, owned ? &owner : NULL))
		return AS_FORBIDDEN;
	if (stored)
		return AS_PREPARED;
	if (prepared->kind == RECORD_DEVICE)
		return judge_dev_eui(resolver, text_of(prepared->record, "dev_eui"), problems);
	json_t *other = NULL;
	bool by_eui = prepared->kind == RECORD_GATEWAY;
	enum status status = by_eui ? as_store_record_get(resolver->store, &everything, prepared->kind,
							  text_of(prepared->record, schema->identifier),
							  &other)
				    : ST_NOT_FOUND;
	json_decref(other);
	if (status == ST_OK) {
		record_problems_add(problems, schema->identifier, "is registered already");
		return AS_TAKEN;
	}
	return status == ST_NOT_FOUND ? AS_PREPARED : AS_STORE_FAILED;
}

/* An agency's own caller need not name the agency. */
static json_t *with_agency(const struct as_scope *scope, const struct record_schema *schema,
			   const json_t *sent)
{
	const struct record_field *field = record_field(schema, "agency");
	const struct net_uuid *own = as_scope_agency(scope);
	json_t *copy = json_copy((json_t *)sent);
	char text[AS_UUID_TEXT];
	if (own && field && !(field->flags & RECORD_SERVER) && json_is_object(copy) &&
	    !json_object_get(copy, "agency"))
		json_object_set_new(copy, "agency", json_string(as_uuid_format(text, own)));
	return copy;
}

static enum as_prepare_verdict check_sent(struct as_resolver *resolver, const struct record_schema *schema,
					  const json_t *sent, const json_t *stored, json_t **record,
					  struct record_problems *problems)
{
	json_t *whole = stored ? json_incref((json_t *)sent) : with_agency(resolver->scope, schema, sent);
	json_t *normal = NULL;
	enum status status = whole ? record_check(schema, stored ? RECORD_CHANGE : RECORD_CREATE, whole,
						  &normal, problems)
				   : ST_NO_MEMORY;
	json_decref(whole);
	if (status == ST_INVALID)
		return AS_PROBLEMS;
	if (status == ST_OK && stored) {
		*record = json_copy((json_t *)stored);
		if (!*record || json_object_update(*record, normal) != 0)
			status = ST_NO_MEMORY;
		json_decref(normal);
	} else
		*record = normal;
	return status == ST_OK ? AS_PREPARED : AS_STORE_FAILED;
}

json_t *as_device_changes(const json_t *sent, const json_t *stored, struct record_problems *problems)
{
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	json_t *changes = json_copy((json_t *)sent);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const char *given = json_string_value(json_object_get(sent, field->name));
		const char *is = json_string_value(json_object_get(stored, field->name));
		if (!(field->flags & RECORD_FIXED))
			continue;
		if (given && is && strcasecmp(given, is) != 0)
			record_problems_add(problems, field->name, "is %s and may not change", is);
		json_object_del(changes, field->name);
	}
	return changes;
}

/* The join server and running sessions go by a device's own record: these two do not change under it. */
static void check_used_profile(struct as_store *store, const json_t *stored, const json_t *record,
			       struct record_problems *problems)
{
	static const char *const lasting[] = {"mac_version", "region"};
	struct net_uuid id;
	for (size_t i = 0; i < ARRAY_SIZE(lasting); i++) {
		if (strcmp(text_of(stored, lasting[i]), text_of(record, lasting[i])) != 0 &&
		    as_uuid_parse(text_of(stored, "id"), &id) && as_store_profile_is_used(store, &id))
			record_problems_add(problems, lasting[i],
					    "is %s and may not change while devices have this profile: give "
					    "them another one",
					    text_of(stored, lasting[i]));
	}
}

enum as_prepare_verdict as_prepare(struct as_api *api, struct as_resolver *resolver, enum record_kind kind,
				   const json_t *sent, const json_t *stored, struct as_prepared *prepared,
				   struct record_problems *problems)
{
	const struct record_schema *schema = record_schema(kind);
	*prepared = (struct as_prepared){.kind = kind, .create = !stored};
	enum as_prepare_verdict verdict = check_sent(resolver, schema, sent, stored, &prepared->record,
						     problems);
	if (verdict != AS_PREPARED)
		return verdict;
	if (stored && kind == RECORD_DEVICE)
		as_check_keys(text_of(stored, "activation"), sent, problems);
	if (as_resolve(resolver, kind, prepared->record, problems) != ST_OK)
		return AS_STORE_FAILED;
	if (stored && kind == RECORD_DEPLOYMENT && strcmp(text_of(stored, "slug"), AS_UNASSIGNED) == 0 &&
	    strcmp(text_of(prepared->record, "slug"), AS_UNASSIGNED) != 0)
		record_problems_add(problems, "slug", "the agency's default deployment keeps its name");
	if (stored && kind == RECORD_PROFILE)
		check_used_profile(resolver->store, stored, prepared->record, problems);
	if (problems->count)
		return AS_PROBLEMS;
	if (prepared->create && record_field(schema, "id")) {
		struct net_uuid id = as_uuid_new(api->rng);
		char text[AS_UUID_TEXT];
		json_object_set_new(prepared->record, "id", json_string(as_uuid_format(text, &id)));
	}
	if (kind == RECORD_DEVICE)
		prepared->keys = take_keys(schema, prepared->record, prepared->create);
	return judge(resolver, prepared, stored, problems);
}

/* --- writing ------------------------------------------------------------------------------------------------ */

static enum status make_default_deployment(struct as_api *api, struct now now, const json_t *agency)
{
	struct net_uuid id = as_uuid_new(api->rng);
	char text[AS_UUID_TEXT];
	json_t *record = json_pack("{ss ss ss sO ss ss ss ss}", "id", as_uuid_format(text, &id), "slug",
				   AS_UNASSIGNED, "name", "Unassigned", "agency",
				   json_object_get(agency, "id"), "summary", "", "purpose", "", "contact", "",
				   "data_class", "sensitive");
	if (!record)
		return ST_NO_MEMORY;
	enum status status = as_store_record_insert(api->app->store, RECORD_DEPLOYMENT, record, now.wall);
	json_decref(record);
	return status;
}

static enum as_prepare_verdict write_keys(struct as_api *api, struct now now,
					  const struct as_prepared *prepared,
					  struct record_problems *problems)
{
	static const struct net_session_id abp = {{0}};
	const char *dev_eui = text_of(prepared->record, "dev_eui"), *name;
	struct lw_eui64 eui;
	json_t *value;
	ASSERT(lw_eui64_parse(dev_eui, &eui));
	/* The AppSKey first: it is the only one that can be refused here. */
	const json_t *app_s_key = json_object_get(prepared->keys, "app_s_key");
	enum status status = ST_OK;
	if (json_is_string(app_s_key)) {
		uint8_t blob[NET_SEALED_KEY_SIZE];
		size_t length = 0;
		const char *text = json_string_value(app_s_key);
		ASSERT(base64_decode(blob, sizeof blob, &length, text, strlen(text)));
		const char *refusal = as_application_take_abp_key(api->app, now, &eui, blob, &status);
		if (refusal) {
			record_problems_add(problems, "app_s_key", "%s", refusal);
			return AS_PROBLEMS;
		}
	} else if (app_s_key)
		status = as_store_session_remove(api->app->store, &eui, &abp);
	json_object_foreach(prepared->keys, name, value)
	{
		if (status == ST_OK)
			status = as_store_device_set_key(api->app->store, dev_eui, name, value);
	}
	return status == ST_OK ? AS_PREPARED : AS_STORE_FAILED;
}

/* Whether the AppSKey opens, before anything is written. */
bool as_prepared_opens(struct as_api *api, const struct as_prepared *prepared,
		       struct record_problems *problems)
{
	const json_t *sealed = json_object_get(prepared->keys, "app_s_key");
	struct lw_eui64 eui;
	struct lw_key key;
	uint8_t blob[NET_SEALED_KEY_SIZE];
	size_t length = 0;
	if (!json_is_string(sealed))
		return true;
	const char *text = json_string_value(sealed);
	ASSERT(lw_eui64_parse(text_of(prepared->record, "dev_eui"), &eui));
	ASSERT(base64_decode(blob, sizeof blob, &length, text, strlen(text)));
	const char *refusal = as_keys_open_app_s_key(api->app->keys, &eui, blob, &key);
	lw_key_wipe(&key);
	if (refusal)
		record_problems_add(problems, "app_s_key", "%s", refusal);
	return !refusal;
}

/* It may be the agency's to hold from now on, by its own word or by another application's. */
static enum status forget_what_is_held(struct as_store *store, const json_t *device)
{
	struct lw_eui64 eui;
	ASSERT(lw_eui64_parse(text_of(device, "dev_eui"), &eui));
	return as_store_custody_forget(store, (int64_t)lw_eui64_number(&eui));
}

enum as_prepare_verdict as_write_prepared(struct as_api *api, struct now now,
					  const struct as_prepared *prepared,
					  struct record_problems *problems)
{
	struct as_store *store = api->app->store;
	if (!as_prepared_opens(api, prepared, problems))
		return AS_PROBLEMS;
	enum status status = prepared->create
				     ? as_store_record_insert(store, prepared->kind, prepared->record,
							      now.wall)
				     : as_store_record_update(store, prepared->kind, prepared->record);
	if (status == ST_EXISTS) {
		record_problems_add(problems, "slug", "is taken");
		return AS_TAKEN;
	}
	if (status == ST_OK && prepared->create && prepared->kind == RECORD_AGENCY)
		status = make_default_deployment(api, now, prepared->record);
	if (status == ST_OK && !prepared->create && prepared->kind == RECORD_DEVICE)
		status = forget_what_is_held(store, prepared->record);
	if (status != ST_OK)
		return AS_STORE_FAILED;
	if (prepared->kind == RECORD_PROFILE)
		as_codecs_clear(&api->app->codecs);
	return prepared->keys ? write_keys(api, now, prepared, problems) : AS_PREPARED;
}
