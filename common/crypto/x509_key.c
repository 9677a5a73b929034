/* Keys on P-256 and what they sign. */
#include "common/crypto/x509_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

struct x509_sha512 {
	EVP_MD_CTX *context;
};

int x509_no_password(char *text, int capacity, int writing, void *ctx)
{
	(void)text, (void)capacity, (void)writing, (void)ctx;
	return -1;
}

bool x509_is_p256(const EVP_PKEY *pkey)
{
	char group[32];
	size_t length;
	return EVP_PKEY_is_a(pkey, "EC") &&
	       EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
					      &length) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

struct x509_key *x509_key_wrap(EVP_PKEY *pkey)
{
	struct x509_key *key = pkey ? malloc(sizeof *key) : NULL;
	if (!key) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	key->pkey = pkey;
	return key;
}

struct x509_key *x509_key_generate(void)
{
	return x509_key_wrap(EVP_EC_gen(SN_X9_62_prime256v1));
}

struct x509_key *x509_key_from(const uint8_t *der, size_t length)
{
	const unsigned char *at = der;
	EVP_PKEY *pkey = length <= X509_KEY_DER_MAX ? d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, (long)length)
						    : NULL;
	if (pkey && (at != der + length || !x509_is_p256(pkey))) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	ERR_clear_error();
	return x509_key_wrap(pkey);
}

struct x509_key *x509_key_from_point(const uint8_t point[X509_POINT_BYTES])
{
	uint8_t octets[1 + X509_POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
	char group[] = SN_X9_62_prime256v1;
	memcpy(octets + 1, point, X509_POINT_BYTES);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets),
		OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return x509_key_wrap(pkey);
}

struct x509_key *x509_key_from_pem(const char *pem, size_t length)
{
	BIO *bio = length <= X509_PEM_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, x509_no_password, NULL) : NULL;
	if (pkey && !x509_is_p256(pkey)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	BIO_free(bio);
	ERR_clear_error();
	return x509_key_wrap(pkey);
}

void x509_key_free(struct x509_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

/* SEC 1's form, whatever OpenSSL prefers. */
size_t x509_key_der(const struct x509_key *key, uint8_t der[X509_KEY_DER_MAX])
{
	unsigned char *bytes = NULL;
	int length = i2d_PrivateKey(key->pkey, &bytes);
	size_t used = 0;
	if (length > 0 && length <= X509_KEY_DER_MAX) {
		memcpy(der, bytes, (size_t)length);
		used = (size_t)length;
	}
	OPENSSL_clear_free(bytes, length > 0 ? (size_t)length : 0);
	ERR_clear_error();
	return used;
}

void x509_key_point(const struct x509_key *key, uint8_t point[X509_POINT_BYTES])
{
	uint8_t octets[1 + X509_POINT_BYTES] = {0};
	size_t length = 0;
	memset(point, 0, X509_POINT_BYTES);
	if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, octets,
					    sizeof octets, &length) == 1 &&
	    length == sizeof octets)
		memcpy(point, octets + 1, X509_POINT_BYTES);
	ERR_clear_error();
}

/* --- signatures ---------------------------------------------------------------------------------------------------- */

struct x509_sha512 *x509_sha512_new(void)
{
	struct x509_sha512 *sha = malloc(sizeof *sha);
	if (!sha)
		return NULL;
	sha->context = EVP_MD_CTX_new();
	if (sha->context && EVP_DigestInit_ex2(sha->context, EVP_sha512(), NULL) == 1)
		return sha;
	x509_sha512_free(sha);
	return NULL;
}

void x509_sha512_add(struct x509_sha512 *sha, const void *bytes, size_t length)
{
	(void)EVP_DigestUpdate(sha->context, bytes, length);
}

void x509_sha512_digest(struct x509_sha512 *sha, uint8_t digest[X509_SHA512_BYTES])
{
	(void)EVP_DigestFinal_ex(sha->context, digest, NULL);
}

void x509_sha512_free(struct x509_sha512 *sha)
{
	if (!sha)
		return;
	EVP_MD_CTX_free(sha->context);
	free(sha);
}

bool x509_verify(const struct x509_key *key, const uint8_t digest[X509_SHA512_BYTES],
		 const uint8_t *signature, size_t length)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
	bool good = context && EVP_PKEY_verify_init(context) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(context, EVP_sha512()) == 1 &&
		    EVP_PKEY_verify(context, signature, length, digest, X509_SHA512_BYTES) == 1;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return good;
}

size_t x509_sign(const struct x509_key *key, const uint8_t digest[X509_SHA512_BYTES],
		 uint8_t signature[X509_SIGNATURE_MAX])
{
	size_t length = X509_SIGNATURE_MAX;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
	bool done = context && EVP_PKEY_sign_init(context) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(context, EVP_sha512()) == 1 &&
		    EVP_PKEY_sign(context, signature, &length, digest, X509_SHA512_BYTES) == 1;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return done ? length : 0;
}
