/* A device's key on its way to the one process that may read it: sealed where it is typed (the command line),
 * relayed by whoever must, opened by the owner of the box key.
 *
 *	plain   version = 1 (1) | kind (1) | dev_eui (8) | key (16)                26 bytes
 *	sealed  crypto_box_seal of it: ephemeral public key (32) | tag (16) | ...  74 bytes
 *
 * Kind and device stand inside the seal, so that a key cannot be put in the place of another, nor given to
 * another device, by a party that cannot open it. */
#ifndef LAMPPOST_CRYPTO_SEALED_KEY_H
#define LAMPPOST_CRYPTO_SEALED_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/secret.h"

#define SEALED_KEY_VERSION 1
#define SEALED_KEY_PLAIN   26
#define SEALED_KEY_LENGTH  (SEALED_KEY_PLAIN + SECRET_BOX_OVERHEAD)

/* Wire values: never renumbered. */
enum sealed_key_kind {
	SEALED_APP_KEY = 1,
	SEALED_NWK_KEY = 2,
	SEALED_NWK_S_KEY = 3,
	SEALED_F_NWK_S_INT_KEY = 4,
	SEALED_S_NWK_S_INT_KEY = 5,
	SEALED_NWK_S_ENC_KEY = 6,
	SEALED_APP_S_KEY = 7
};

enum sealed_key_verdict {
	SEALED_KEY_OK = 0,
	SEALED_KEY_BAD_LENGTH,
	SEALED_KEY_NOT_FOR_THIS_BOX, /* sealed to another process, or changed on the way */
	SEALED_KEY_UNSUPPORTED_VERSION,
	SEALED_KEY_WRONG_KIND,
	SEALED_KEY_WRONG_DEVICE,
	SEALED_KEY_VERDICT_COUNT
};

/* "app_key", "nwk_key", "nwk_s_key", ...; "unknown" outside the enum. */
const char *sealed_key_kind_name(enum sealed_key_kind kind);
/* Parses the same names. */
bool sealed_key_kind_parse(const char *text, enum sealed_key_kind *kind);
/* "ok", "bad_length", "not_for_this_box", "unsupported_version", "wrong_kind", "wrong_device". */
const char *sealed_key_verdict_name(enum sealed_key_verdict verdict);

/* Seals a key to a process's public key. `dev_eui` is in display order. ST_INVALID: not a usable public key.
 */
MUST_USE enum status sealed_key_seal(uint8_t sealed[SEALED_KEY_LENGTH], const uint8_t public_key[SECRET_KEY],
				     enum sealed_key_kind kind, const uint8_t dev_eui[8],
				     const uint8_t key[16]);
/* Opens a key of the expected kind and device; `key` is untouched on a refusal. */
MUST_USE enum sealed_key_verdict sealed_key_open(const struct secret_box *box, const uint8_t *sealed,
						 size_t length, enum sealed_key_kind kind,
						 const uint8_t dev_eui[8], uint8_t key[16]);

#endif
