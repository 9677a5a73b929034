/* An audit whose rows hang together: each has a hash over the row before it and everything that it says itself, made with a key, so
 * that only who has the key can write one. A row that was changed, taken out of the middle, or put in is seen at the first row whose hash
 * is not the one of its contents. Rows cut off at the end are seen by who noted the last hash elsewhere (a log, a printed page).
 *
 *	hash = HMAC-SHA-256(key, hash before (32) | seq (8) | time (8) | { length (4) | text } of each text)      all little-endian
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

#endif
