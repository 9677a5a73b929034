/* A key encryption key on its way to the join server: sealed where it was made (the agency's own machine), relayed by whoever
 * must, opened by the owner of the box key.
 *
 *	plain   version = 1 (1) | 0x10 (1) | KEK version (4, little-endian) | label, zeros behind it (32) | key (16)   54 bytes
 *	sealed  crypto_box_seal of it                                                                                 102 bytes
 *
 * Label and version stand inside the seal, so that nobody who cannot open it can put a KEK in the place of another's. */
#ifndef LAMPPOST_CRYPTO_SEALED_KEK_H
#define LAMPPOST_CRYPTO_SEALED_KEK_H

#include "common/crypto/sealed_key.h"

#define SEALED_KEK_KIND        0x10 /* beside enum sealed_key_kind */
#define SEALED_KEK_LABEL_MAX   24   /* characters; with ".version" at most 31, that fits a KEKLabel */
#define SEALED_KEK_VERSION_MAX 999999
#define SEALED_KEK_PLAIN       54
#define SEALED_KEK_LENGTH      (SEALED_KEK_PLAIN + SECRET_BOX_OVERHEAD)
#define SEALED_KEK_NAME        (SEALED_KEK_LABEL_MAX + 8) /* room for "LABEL.version" and NUL */

/* A label: 1 to 24 of a-z, 0-9, '-' and '_'. */
bool sealed_kek_label_is_good(const char *label);
/* What stands as KEKLabel in an envelope: "LABEL" of version 1, "LABEL.n" from 2 on. */
void sealed_kek_name(char name[SEALED_KEK_NAME], const char *label, uint32_t version);

/* Seals to the join server's public key. ST_INVALID: no usable public key, label or version. */
MUST_USE enum status sealed_kek_seal(uint8_t sealed[SEALED_KEK_LENGTH], const uint8_t public_key[SECRET_KEY],
				     const char *label, uint32_t version, const uint8_t key[16]);
/* Opens a KEK of the expected label and version; `key` is untouched on a refusal. SEALED_KEY_WRONG_DEVICE says that it is
 * another label's or version's. */
MUST_USE enum sealed_key_verdict sealed_kek_open(const struct secret_box *box, const uint8_t *sealed,
						 size_t length, const char *label, uint32_t version,
						 uint8_t key[16]);

#endif
