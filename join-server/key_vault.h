/* Root keys and KEKs at rest: sealed under the vault key (vault.h; XChaCha20-Poly1305) with the place they belong to as
 * associated data, so that a sealed key moved to another device, kind or table does not open. In clear they stand only in
 * the struct of one join or one record, which is wiped at its end (invariant 5). */
#ifndef LAMPPOST_JOIN_SERVER_KEY_VAULT_H
#define LAMPPOST_JOIN_SERVER_KEY_VAULT_H

#include "common/base/status.h"
#include "common/crypto/sealed_key.h"
#include "common/crypto/secret.h"
#include "common/lorawan/types.h"
#include "join-server/nonces.h"

#define JS_SEALED_ROOT_KEY (16 + SECRET_SEAL_OVERHEAD)

struct js_key_vault {
	const struct secret_master
		*master; /* the vault key; borrowed for the vault's life, as are the others */
	const struct secret_box *box;
	const struct secret_master *mark; /* makes the marks; NULL: the vault key does */
	const struct secret_master
		*before; /* opens what is not sealed under the vault key yet; NULL: nothing is */
};

/* Seals for the database. `kind` is SEALED_APP_KEY or SEALED_NWK_KEY. */
void js_key_vault_seal(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       enum sealed_key_kind kind, const struct lw_key *key,
		       uint8_t sealed[JS_SEALED_ROOT_KEY]);
/* Opens what js_key_vault_seal() made for the same device and kind; else ST_REFUSED or ST_INVALID. */
enum status js_key_vault_open(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
			      enum sealed_key_kind kind, const uint8_t sealed[JS_SEALED_ROOT_KEY],
			      struct lw_key *key) MUST_USE;
/* Whether it opens under the vault key itself; what only `before` opens is to be sealed anew. */
bool js_key_vault_is_new(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
			 enum sealed_key_kind kind, const uint8_t sealed[JS_SEALED_ROOT_KEY]);
/* The same for a KEK of a label and version. */
void js_key_vault_seal_kek(const struct js_key_vault *vault, const char *label, uint32_t version,
			   const uint8_t key[16], uint8_t sealed[JS_SEALED_ROOT_KEY]);
enum status js_key_vault_open_kek(const struct js_key_vault *vault, const char *label, uint32_t version,
				  const uint8_t sealed[JS_SEALED_ROOT_KEY], uint8_t key[16]) MUST_USE;
/* Opens a key that came sealed to our box, and seals it for the database. */
enum sealed_key_verdict js_key_vault_take(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
					  enum sealed_key_kind kind, const uint8_t *transit, size_t length,
					  uint8_t sealed[JS_SEALED_ROOT_KEY]);
/* Tells two root keys of a device apart without revealing either: a hash of mark key, device and key. */
void js_key_vault_mark(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       const struct lw_key *key, uint8_t mark[JS_KEY_MARK]);
/* The same for the KEKs of a label. */
void js_key_vault_mark_kek(const struct js_key_vault *vault, const char *label, const uint8_t key[16],
			   uint8_t mark[JS_KEY_MARK]);

#endif
