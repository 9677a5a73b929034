/* An audit whose rows hang together: each has a hash over the row before it and everything that it says itself, made with a key, so
 * that only who has the key can write one. A row that was changed, taken out of the middle, or put in is seen at the first row whose hash
 * is not the one of its contents.
 *
 * Rows cut off at the end, and all of them written anew by who has the key, are seen by whoever noted the head elsewhere: the newest row's
 * number and hash, signed, so that a note proves itself. What is in the file now has to have that row.
 *
 *	hash = HMAC-SHA-256(key, hash before (32) | seq (8) | time (8) | { length (4) | text } of each text)      all little-endian
 *
 *	signed = "lamppost audit head 1" (21) | seq (8) | time (8) | hash (32)
 *
 * The hash before the first row is zeros. Pure. */
#ifndef LAMPPOST_CRYPTO_AUDIT_CHAIN_H
#define LAMPPOST_CRYPTO_AUDIT_CHAIN_H

#include "common/base/units.h"
#include "common/crypto/secret.h"

#define AUDIT_CHAIN_TEXTS 4
#define AUDIT_CHAIN_TEXT  512 /* bytes of one, at most (asserted) */

/* Fills the hash of a row. `texts`: who, what, subject, detail. */
void audit_chain_hash(uint8_t hash[SECRET_HASH], const uint8_t key[SECRET_HASH],
		      const uint8_t before[SECRET_HASH], uint64_t seq, struct wall time,
		      const char *const texts[AUDIT_CHAIN_TEXTS]);

struct audit_head {
	uint64_t seq;              /* of the newest row; 0: there was none */
	uint8_t hash[SECRET_HASH]; /* its hash */
	struct wall time;          /* when the head was signed */
	uint8_t signature[SECRET_SIGNATURE];
};
/* Fills the signature. */
void audit_head_sign(struct audit_head *head, const struct secret_signer *signer);
bool audit_head_is_good(const struct audit_head *head, const uint8_t public_key[SECRET_KEY]);

#endif
