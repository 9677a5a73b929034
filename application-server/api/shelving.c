#include "application-server/api/shelving.h"

#include "application-server/api/claims.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

/* --- a row ----------------------------------------------------------------------------------------------------------- */

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

/* Fills what a row says by itself: not whose shelf it is for, nor what is kept of its token. */
static void read_row(const json_t *row, struct as_stock *stock, struct as_proof *proof,
		     struct record_problems *problems)
{
	*stock = (struct as_stock){.waits = true};
	*proof = (struct as_proof){.digest = {0}};
	known_members(row, problems);
	as_proof_read(row, proof, problems);
	read_serial(row, stock, problems);
	read_profile(row, stock, problems);
	stock->has_app_key = read_key(row, "app_key", stock->app_key, problems);
	stock->has_nwk_key = read_key(row, "nwk_key", stock->nwk_key, problems);
	if (!stock->has_app_key && !stock->has_nwk_key && problems->count == 0)
		record_problems_add(problems, "app_key", "is missing: without it nobody could let it join");
	stock->dev_eui = proof->dev_eui;
	stock->join_eui = proof->join_eui;
}

/* Whose shelf it goes on: the caller's; what stands on a shelf already stays there when the city writes it anew. */
static json_t *holder_of(const struct as_scope *scope, const struct as_stock *before)
{
	const struct net_uuid *own = as_scope_agency(scope);
	char text[AS_UUID_TEXT];
	if (!own && before->has_holder)
		own = &before->holder;
	return own ? json_string(as_uuid_format(text, own)) : json_null();
}

/* The digest opens a device, so no file has it, not even for the time of this call. */
static json_t *with_kept_token(struct as_api *api, const json_t *row, const uint8_t digest[SECRET_HASH])
{
	uint8_t kept[SECRET_HASH];
	char text[2 * SECRET_HASH + 1];
	json_t *copy = json_copy((json_t *)(uintptr_t)row);
	as_token_keep(api, digest, kept);
	hex_encode(text, kept, sizeof kept);
	json_object_set_new(copy, "token_digest", json_string(text));
	json_object_del(copy, "line");
	return copy;
}

enum status as_shelving_check(struct as_api *api, const struct as_asking *asking, const json_t *row,
			      json_t **kept, bool *left, struct record_problems *problems)
{
	struct as_stock stock, before;
	struct as_proof proof;
	enum as_taken taken;
	char words[AS_TAKEN_WORDS];
	read_row(row, &stock, &proof, problems);
	if (problems->count)
		return ST_OK;
	enum status status = as_eui_is_taken(asking, &stock.dev_eui, &taken, &before, words);
	if (status != ST_OK)
		return status;
	/* Also where the caller sees who claimed it: the city, and an agency that claims from its own shelf. */
	*left = taken == AS_TAKEN_LEFT || (taken == AS_TAKEN_SEEN && before.changed.us && !before.waits);
	if (!*left && (taken == AS_TAKEN_SEEN || taken == AS_TAKEN_ELSEWHERE))
		record_problems_add(problems, "dev_eui", "%s", words);
	else if (!*left)
		*kept = json_pack("{so so}", "shelf", with_kept_token(api, row, proof.digest), "holder",
				  holder_of(asking->scope, &before));
	return ST_OK;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

bool as_shelving_is_kept(const json_t *kept)
{
	return json_is_object(json_object_get(kept, "shelf"));
}

enum status as_shelving_write(struct as_api *api, struct wall now, const json_t *kept)
{
	struct record_problems problems = {.count = 0};
	struct as_stock stock, device;
	struct as_proof proof;
	const char *holder = json_string_value(json_object_get(kept, "holder"));
	read_row(json_object_get(kept, "shelf"), &stock, &proof, &problems);
	stock.has_holder = holder && as_uuid_parse(holder, &stock.holder);
	stock.changed = now;
	memcpy(stock.token, proof.digest, sizeof stock.token); /* what is kept of it */
	enum status status = as_store_device_root_keys(api->app->store, &stock.dev_eui, &device);
	if (status == ST_NOT_FOUND && problems.count == 0)
		return as_store_stock_put(api->app->store, &stock);
	/* Nothing could change since it was checked, unless somebody exchanged files between two runs. */
	LOG_ERROR("shelved_device_refused", "dev_eui=%s", text_of(json_object_get(kept, "shelf"), "dev_eui"));
	return status == ST_NOT_FOUND ? ST_OK : status;
}
