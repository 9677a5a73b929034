#include "common/crypto/secret.h"

#include "common/base/check.h"

#include <sodium.h>
#include <string.h>

#define SEAL_VERSION 1
#define NONCE        crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG          crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(1 + NONCE + TAG == SECRET_SEAL_OVERHEAD, "seal overhead");
_Static_assert(crypto_box_SEALBYTES == SECRET_BOX_OVERHEAD, "box overhead");
_Static_assert(crypto_pwhash_STRBYTES <= SECRET_PASSWORD_TEXT, "password text");
_Static_assert(crypto_box_PUBLICKEYBYTES == SECRET_KEY && crypto_box_SECRETKEYBYTES == SECRET_KEY,
	       "box keys");

struct secret_master {
	uint8_t key[SECRET_KEY];
};

struct secret_box {
	uint8_t public_key[SECRET_KEY];
	uint8_t secret_key[SECRET_KEY];
};

struct secret_signer {
	uint8_t public_key[SECRET_KEY];
	uint8_t secret_key[crypto_sign_ed25519_SECRETKEYBYTES];
};

_Static_assert(crypto_sign_ed25519_SEEDBYTES == SECRET_KEY &&
		       crypto_sign_ed25519_PUBLICKEYBYTES == SECRET_KEY &&
		       crypto_sign_ed25519_BYTES == SECRET_SIGNATURE,
	       "Ed25519");

/* From here on a stray write is a crash and not another key. */
static void make_read_only(void *key)
{
	ASSERT(sodium_mprotect_readonly(key) == 0);
}

enum status secret_init(void)
{
	return sodium_init() < 0 ? ST_UNAVAILABLE : ST_OK;
}

static void system_fill(struct rng *rng, uint8_t *bytes, size_t length)
{
	(void)rng;
	randombytes_buf(bytes, length);
}

struct rng secret_rng(void)
{
	return (struct rng){.fill = system_fill};
}

void secret_random(uint8_t *bytes, size_t length)
{
	randombytes_buf(bytes, length);
}

void secret_wipe(void *bytes, size_t length)
{
	sodium_memzero(bytes, length);
}

bool secret_equal(const void *a, const void *b, size_t length)
{
	return sodium_memcmp(a, b, length) == 0;
}

void secret_hash(uint8_t hash[SECRET_HASH], const void *bytes, size_t length)
{
	ASSERT(crypto_generichash(hash, SECRET_HASH, bytes, length, NULL, 0) == 0);
}

struct secret_master *secret_master_from(const uint8_t bytes[SECRET_KEY])
{
	struct secret_master *master = sodium_malloc(sizeof *master);
	if (master) {
		memcpy(master->key, bytes, SECRET_KEY);
		make_read_only(master);
	}
	return master;
}

void secret_hmac_sha256(uint8_t mac[SECRET_HASH], const void *key, size_t key_length, const void *bytes,
			size_t length)
{
	crypto_auth_hmacsha256_state state;
	_Static_assert(SECRET_HASH == crypto_auth_hmacsha256_BYTES, "32 bytes");
	crypto_auth_hmacsha256_init(&state, key, key_length);
	crypto_auth_hmacsha256_update(&state, bytes, length);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(&state, sizeof state);
}

struct secret_master *secret_master_generate(void)
{
	struct secret_master *master = sodium_malloc(sizeof *master);
	if (master) {
		randombytes_buf(master->key, SECRET_KEY);
		make_read_only(master);
	}
	return master;
}

const uint8_t *secret_master_bytes(const struct secret_master *master)
{
	return master->key;
}

void secret_master_free(struct secret_master *master)
{
	sodium_free(master);
}

/* Layout: version (1) | nonce (24) | ciphertext | tag (16). */
void secret_seal(const struct secret_master *master, const void *context, size_t context_length,
		 const uint8_t *plain, size_t length, uint8_t *sealed)
{
	sealed[0] = SEAL_VERSION;
	randombytes_buf(sealed + 1, NONCE);
	ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 1 + NONCE, NULL, plain, length, context,
							  context_length, NULL, sealed + 1,
							  master->key) == 0);
}

enum status secret_open(const struct secret_master *master, const void *context, size_t context_length,
			const uint8_t *sealed, size_t length, uint8_t *plain)
{
	if (length < SECRET_SEAL_OVERHEAD || sealed[0] != SEAL_VERSION)
		return ST_INVALID;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + 1 + NONCE,
						       length - 1 - NONCE, context, context_length,
						       sealed + 1, master->key) != 0)
		return ST_REFUSED;
	return ST_OK;
}

struct secret_box *secret_box_generate(void)
{
	struct secret_box *box = sodium_malloc(sizeof *box);
	if (box) {
		ASSERT(crypto_box_keypair(box->public_key, box->secret_key) == 0);
		make_read_only(box);
	}
	return box;
}

struct secret_box *secret_box_from(const uint8_t secret_key[SECRET_KEY])
{
	struct secret_box *box = sodium_malloc(sizeof *box);
	if (box) {
		memcpy(box->secret_key, secret_key, SECRET_KEY);
		ASSERT(crypto_scalarmult_base(box->public_key, box->secret_key) == 0);
		make_read_only(box);
	}
	return box;
}

const uint8_t *secret_box_public(const struct secret_box *box)
{
	return box->public_key;
}

const uint8_t *secret_box_secret(const struct secret_box *box)
{
	return box->secret_key;
}

void secret_box_free(struct secret_box *box)
{
	sodium_free(box);
}

enum status secret_box_seal(const uint8_t public_key[SECRET_KEY], const uint8_t *plain, size_t length,
			    uint8_t *sealed)
{
	return crypto_box_seal(sealed, plain, length, public_key) == 0 ? ST_OK : ST_INVALID;
}

enum status secret_box_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
			    uint8_t *plain)
{
	if (length < SECRET_BOX_OVERHEAD)
		return ST_INVALID;
	if (crypto_box_seal_open(plain, sealed, length, box->public_key, box->secret_key) != 0)
		return ST_REFUSED;
	return ST_OK;
}

struct secret_signer *secret_signer_from(const uint8_t seed[SECRET_KEY])
{
	struct secret_signer *signer = sodium_malloc(sizeof *signer);
	if (signer) {
		ASSERT(crypto_sign_ed25519_seed_keypair(signer->public_key, signer->secret_key, seed) == 0);
		make_read_only(signer);
	}
	return signer;
}

const uint8_t *secret_signer_public(const struct secret_signer *signer)
{
	return signer->public_key;
}

void secret_sign(const struct secret_signer *signer, uint8_t signature[SECRET_SIGNATURE], const void *bytes,
		 size_t length)
{
	ASSERT(crypto_sign_ed25519_detached(signature, NULL, bytes, length, signer->secret_key) == 0);
}

bool secret_signature_is_good(const uint8_t public_key[SECRET_KEY], const uint8_t signature[SECRET_SIGNATURE],
			      const void *bytes, size_t length)
{
	return crypto_sign_ed25519_verify_detached(signature, bytes, length, public_key) == 0;
}

void secret_signer_free(struct secret_signer *signer)
{
	sodium_free(signer);
}

/* 20 bytes are 32 characters of five bits. The alphabet leaves out l, o, 0 and 1, which are misread. */
void secret_fingerprint(char text[SECRET_FINGERPRINT_TEXT], const uint8_t public_key[SECRET_KEY])
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t hash[SECRET_HASH];
	secret_hash(hash, public_key, SECRET_KEY);
	char *out = text;
	for (size_t digit = 0; digit < 32; digit++) {
		size_t bit = digit * 5;
		unsigned pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
		if (digit > 0 && digit % 4 == 0)
			*out++ = '-';
		*out++ = alphabet[pair >> (11 - bit % 8) & 31];
	}
	*out = '\0';
}

enum status secret_password_hash(char text[SECRET_PASSWORD_TEXT], const char *password)
{
	char hash[crypto_pwhash_STRBYTES];
	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return ST_NO_MEMORY;
	memset(text, 0, SECRET_PASSWORD_TEXT);
	memcpy(text, hash, sizeof hash);
	return ST_OK;
}

bool secret_password_verify(const char *text, const char *password)
{
	return strlen(text) < crypto_pwhash_STRBYTES &&
	       crypto_pwhash_str_verify(text, password, strlen(password)) == 0;
}

struct secret_derive secret_derive_new(void)
{
	struct secret_derive derive = {.passes = SECRET_DERIVE_PASSES, .memory = SECRET_DERIVE_MEMORY};
	_Static_assert(SECRET_SALT == crypto_pwhash_argon2id_SALTBYTES, "salt");
	randombytes_buf(derive.salt, sizeof derive.salt);
	return derive;
}

bool secret_derive_is_good(const struct secret_derive *derive)
{
	return derive->passes >= 1 && derive->passes <= SECRET_DERIVE_PASSES_MAX &&
	       derive->memory >= SECRET_DERIVE_MEMORY_MIN && derive->memory <= SECRET_DERIVE_MEMORY_MAX;
}

struct secret_master *secret_master_derive(const struct secret_derive *derive, const char *passphrase,
					   size_t length)
{
	struct secret_master *master = sodium_malloc(sizeof *master);
	if (!master)
		return NULL;
	if (crypto_pwhash_argon2id(master->key, SECRET_KEY, passphrase, length, derive->salt, derive->passes,
				   derive->memory, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
		sodium_free(master);
		return NULL;
	}
	make_read_only(master);
	return master;
}
