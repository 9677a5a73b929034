/* Root keys at rest: sealed under the join server's master key (XChaCha20-Poly1305) with the place they belong to as
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
	const struct secret_master *master; /* borrowed for the vault's life */
	const struct secret_box *box;       /* borrowed for the vault's life */
};

/* Seals for the database. `kind` is SEALED_APP_KEY or SEALED_NWK_KEY. */
void js_key_vault_seal(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       enum sealed_key_kind kind, const struct lw_key *key,
		       uint8_t sealed[JS_SEALED_ROOT_KEY]);
/* Opens what js_key_vault_seal() made for the same device and kind; else ST_REFUSED or ST_INVALID. */
enum status js_key_vault_open(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
			      enum sealed_key_kind kind, const uint8_t sealed[JS_SEALED_ROOT_KEY],
			      struct lw_key *key) MUST_USE;
/* Opens a key that came sealed to our box, and seals it for the database. */
enum sealed_key_verdict js_key_vault_take(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
					  enum sealed_key_kind kind, const uint8_t *transit, size_t length,
					  uint8_t sealed[JS_SEALED_ROOT_KEY]);
/* Tells two root keys of a device apart without revealing either: a hash of master key, device and key. */
void js_key_vault_mark(const struct js_key_vault *vault, const struct lw_eui64 *dev_eui,
		       const struct lw_key *key, uint8_t mark[JS_KEY_MARK]);

#endif
