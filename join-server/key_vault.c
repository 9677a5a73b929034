#include "join-server/key_vault.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

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
	return secret_open(vault->master, context, sizeof context, sealed, JS_SEALED_ROOT_KEY, key->bytes);
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
	wr_copy(&wr, secret_master_bytes(vault->master), SECRET_KEY);
	wr_copy(&wr, dev_eui->bytes, sizeof dev_eui->bytes);
	wr_copy(&wr, key->bytes, sizeof key->bytes);
	secret_hash(hash, bytes, sizeof bytes);
	memcpy(mark, hash, JS_KEY_MARK);
	secret_wipe(bytes, sizeof bytes);
}
