/* Secrets at rest and in transit: the only includer of libsodium.
 *
 * A master key seals what a process keeps in its own database; a box key pair lets others send it keys that
 * nobody on the way can open. Both live in locked, guarded, read-only memory that core dumps leave out. Every process
 * calls secret_init() first. No function here logs. */
#ifndef LAMPPOST_CRYPTO_SECRET_H
#define LAMPPOST_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/rng.h"
#include "common/base/status.h"

#define SECRET_KEY              32 /* master key, box public key, box secret key */
#define SECRET_HASH             32
#define SECRET_SEAL_OVERHEAD    41  /* version 1, nonce 24, tag 16 */
#define SECRET_BOX_OVERHEAD     48  /* ephemeral public key 32, tag 16 */
#define SECRET_PASSWORD_TEXT    128 /* Argon2id text with NUL */
#define SECRET_SIGNATURE        64  /* Ed25519 */
#define SECRET_FINGERPRINT_TEXT 40  /* eight groups of four characters, seven hyphens, NUL */

struct secret_master; /* opaque: 32 bytes in locked memory */
struct secret_box;    /* opaque: key pair in locked memory */
struct secret_signer; /* opaque: the same, to sign with */

/* Prepares libsodium; may be called again. ST_UNAVAILABLE if the system has no randomness. */
MUST_USE enum status secret_init(void);

/* The system's generator behind common/base/rng.h. */
struct rng secret_rng(void);
/* Fills with random bytes that may be used as a key. */
void secret_random(uint8_t *bytes, size_t length);
/* Overwrites so that the compiler cannot leave it out. */
void secret_wipe(void *bytes, size_t length);
/* Compares in constant time. */
bool secret_equal(const void *a, const void *b, size_t length);
/* BLAKE2b with 32 bytes of output, no key. */
void secret_hash(uint8_t hash[SECRET_HASH], const void *bytes, size_t length);
/* HMAC-SHA-256 (RFC 2104) with a key of any length. */
void secret_hmac_sha256(uint8_t mac[SECRET_HASH], const void *key, size_t key_length, const void *bytes,
			size_t length);

/* Give a master key: a new random one, or one read from a file (`bytes` stay the caller's to wipe). NULL if
 * memory cannot be had. */
struct secret_master *secret_master_generate(void);
struct secret_master *secret_master_from(const uint8_t bytes[SECRET_KEY]);
/* Lends the 32 bytes, for writing the key file; valid until freed. */
const uint8_t *secret_master_bytes(const struct secret_master *master);
/* Wipes and frees; NULL is fine. */
void secret_master_free(struct secret_master *master);

/* Seals `length` bytes into `length` + SECRET_SEAL_OVERHEAD (XChaCha20-Poly1305, random nonce). `context`
 * names the place the value belongs to, such as "root_key/70b3d57ed0000001"; it is authenticated and not
 * stored, so that a value moved to another row does not open. */
void secret_seal(const struct secret_master *master, const void *context, size_t context_length,
		 const uint8_t *plain, size_t length, uint8_t *sealed);
/* Opens into `length` − SECRET_SEAL_OVERHEAD bytes. ST_INVALID: too short or another version; ST_REFUSED:
 * another key, another context or changed bytes. `plain` is zeroed or untouched then. */
MUST_USE enum status secret_open(const struct secret_master *master, const void *context,
				 size_t context_length, const uint8_t *sealed, size_t length, uint8_t *plain);

/* Give a box key pair: a new one, or the one of a stored secret key. NULL if memory cannot be had. */
struct secret_box *secret_box_generate(void);
struct secret_box *secret_box_from(const uint8_t secret_key[SECRET_KEY]);
/* Lend the halves; valid until freed. */
const uint8_t *secret_box_public(const struct secret_box *box);
const uint8_t *secret_box_secret(const struct secret_box *box);
/* Wipes and frees; NULL is fine. */
void secret_box_free(struct secret_box *box);

/* Seals to a public key: `sealed` gets `length` + SECRET_BOX_OVERHEAD bytes. ST_INVALID: not a usable public
 * key. */
MUST_USE enum status secret_box_seal(const uint8_t public_key[SECRET_KEY], const uint8_t *plain,
				     size_t length, uint8_t *sealed);
/* Opens into `length` − SECRET_BOX_OVERHEAD bytes. ST_INVALID: too short; ST_REFUSED: not sealed to this box,
 * or changed. */
MUST_USE enum status secret_box_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
				     uint8_t *plain);

/* Gives the Ed25519 key pair (RFC 8032) of a seed, which stays the caller's to wipe. NULL if memory cannot be had. */
struct secret_signer *secret_signer_from(const uint8_t seed[SECRET_KEY]);
const uint8_t *secret_signer_public(const struct secret_signer *signer); /* lends; valid until freed */
void secret_sign(const struct secret_signer *signer, uint8_t signature[SECRET_SIGNATURE], const void *bytes,
		 size_t length);
bool secret_signature_is_good(const uint8_t public_key[SECRET_KEY], const uint8_t signature[SECRET_SIGNATURE],
			      const void *bytes, size_t length);
/* Wipes and frees; NULL is fine. */
void secret_signer_free(struct secret_signer *signer);

/* Fills what people compare by eye: "abcd-efgh-...", base32 of the first 20 bytes of the key's BLAKE2b. */
void secret_fingerprint(char text[SECRET_FINGERPRINT_TEXT], const uint8_t public_key[SECRET_KEY]);

/* Argon2id with 64 MiB: takes tens of milliseconds and is not for a busy loop. ST_NO_MEMORY if it cannot be
 * done. */
MUST_USE enum status secret_password_hash(char text[SECRET_PASSWORD_TEXT], const char *password);
/* Returns whether the password is the one; false for a text that is no hash. */
bool secret_password_verify(const char *text, const char *password);

/* How a key is made of a passphrase: Argon2id (RFC 9106) with a salt of its own and two costs, which are kept beside what the key
 * seals. */
#define SECRET_SALT              16
#define SECRET_DERIVE_PASSES     3
#define SECRET_DERIVE_MEMORY     (256u << 20) /* bytes: most of a second of one core */
#define SECRET_DERIVE_MEMORY_MIN (64u << 20)  /* what a stranger's parameters must ask for at least, and */
#define SECRET_DERIVE_MEMORY_MAX (1u << 30)   /* at most: so that a start cannot be made to eat the machine */
#define SECRET_DERIVE_PASSES_MAX 32
struct secret_derive {
	uint8_t salt[SECRET_SALT];
	uint32_t passes;
	uint32_t memory; /* bytes */
};
/* A random salt with the costs above. */
struct secret_derive secret_derive_new(void);
bool secret_derive_is_good(const struct secret_derive *derive);
/* Gives the master key of a passphrase. NULL: no memory for it. Takes most of a second. */
struct secret_master *secret_master_derive(const struct secret_derive *derive, const char *passphrase,
					   size_t length);

#endif
