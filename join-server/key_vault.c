#include "join-server/key_vault.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/sealed_kek.h"

#include <string.h>

/* "join.db/root_key" | kind | DevEUI */
#define CONTEXT 25

static void make_context(uint8_t context[CONTEXT], const struct lw_eui64 *dev_eui, enum sealed_key_kind kind)
{
	struct wr wr = wr_init(context, CONTEXT);
	wr_copy(&wr, (const uint8_t *)"join.db/root_key", 16);
	wr_u8(&wr, (uint8_t)kind);
	wr_copy(&wr, dev_eui->bytes, sizeof dev_eui->bytes);
	ASSERT_CMP(wr_length(&wr), ==, CONTEXT);
}

void js_key_vault_seal(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       enum sealed_key_kind kind, const struct lw_key *key,
		       uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	uint8_t context[CONTEXT];
	make_context(context, dev_eui, kind);
	secret_seal(vault->master, context, sizeof context, key->bytes, sizeof key->bytes, sealed);
}

enum status js_key_vault_open(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
			      enum sealed_key_kind kind, const uint8_t sealed[JS_SEALED_ROOT_KEY],
			      struct lw_key *key)
{
	uint8_t context[CONTEXT];
	make_context(context, dev_eui, kind);
	enum status status = secret_open(vault->master, context, sizeof context, sealed, JS_SEALED_ROOT_KEY,
					 key->bytes);
	if (status == ST_REFUSED && vault->before)
		status = secret_open(vault->before, context, sizeof context, sealed, JS_SEALED_ROOT_KEY,
				     key->bytes);
	return status;
}

bool js_key_vault_is_new(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
			 enum sealed_key_kind kind, const uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	uint8_t context[CONTEXT];
	struct lw_key key;
	make_context(context, dev_eui, kind);
	bool opens = secret_open(vault->master, context, sizeof context, sealed, JS_SEALED_ROOT_KEY,
				 key.bytes) == ST_OK;
	lw_key_wipe(&key);
	return opens;
}

/* "join.db/keks" | version | label */
#define KEK_CONTEXT (12 + 4 + SEALED_KEK_LABEL_MAX)

static size_t make_kek_context(uint8_t context[KEK_CONTEXT], const char *label, uint32_t version)
{
	struct wr wr = wr_init(context, KEK_CONTEXT);
	wr_copy(&wr, (const uint8_t *)"join.db/keks", 12);
	wr_u32le(&wr, version);
	wr_copy(&wr, (const uint8_t *)label, strlen(label));
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

void js_key_vault_seal_kek(const struct js_key_vault *vault, const char *label, uint32_t version,
			   const uint8_t key[16], uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	uint8_t context[KEK_CONTEXT];
	size_t length = make_kek_context(context, label, version);
	secret_seal(vault->master, context, length, key, 16, sealed);
}

enum status js_key_vault_open_kek(const struct js_key_vault *vault, const char *label, uint32_t version,
				  const uint8_t sealed[JS_SEALED_ROOT_KEY], uint8_t key[16])
{
	uint8_t context[KEK_CONTEXT];
	size_t length = make_kek_context(context, label, version);
	return secret_open(vault->master, context, length, sealed, JS_SEALED_ROOT_KEY, key);
}

enum sealed_key_verdict js_key_vault_take(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
					  enum sealed_key_kind kind, const uint8_t *transit, size_t length,
					  uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	struct lw_key key;
	enum sealed_key_verdict verdict = sealed_key_open(vault->box, transit, length, kind, dev_eui->bytes,
							  key.bytes);
	if (verdict != SEALED_KEY_OK)
		return verdict;
	js_key_vault_seal(vault, dev_eui, kind, &key, sealed);
	lw_key_wipe(&key);
	return SEALED_KEY_OK;
}

void js_key_vault_mark(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       const struct lw_key *key, uint8_t mark[JS_KEY_MARK])
{
	uint8_t bytes[SECRET_KEY + 8 + 16];
	uint8_t hash[SECRET_HASH];
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_copy(&wr, secret_master_bytes(vault->mark ? vault->mark : vault->master), SECRET_KEY);
	wr_copy(&wr, dev_eui->bytes, sizeof dev_eui->bytes);
	wr_copy(&wr, key->bytes, sizeof key->bytes);
	secret_hash(hash, bytes, sizeof bytes);
	memcpy(mark, hash, JS_KEY_MARK);
	secret_wipe(bytes, sizeof bytes);
}

void js_key_vault_mark_kek(const struct js_key_vault *vault, const char *label, const uint8_t key[16],
			   uint8_t mark[JS_KEY_MARK])
{
	uint8_t bytes[SECRET_KEY + 16 + SEALED_KEK_LABEL_MAX];
	uint8_t hash[SECRET_HASH];
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_copy(&wr, secret_master_bytes(vault->mark ? vault->mark : vault->master), SECRET_KEY);
	wr_copy(&wr, key, 16);
	wr_copy(&wr, (const uint8_t *)label, strlen(label));
	ASSERT(wr_ok(&wr));
	secret_hash(hash, bytes, wr_length(&wr));
	memcpy(mark, hash, JS_KEY_MARK);
	secret_wipe(bytes, sizeof bytes);
}
