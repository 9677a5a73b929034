/* Contexts are fetched and initialised once in aes_new(): fetching an algorithm by name costs more than the
 * block it is for. Padding is off, so that ECB works on whole blocks and keeps nothing back. */
#include "common/crypto/aes.h"

#include "common/base/check.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdlib.h>

struct aes {
	EVP_CIPHER *ecb;
	EVP_CIPHER_CTX *encrypt;
	EVP_CIPHER_CTX *decrypt;
	EVP_MAC *mac;
	EVP_MAC_CTX *cmac;
};

static const uint8_t zero_key[AES_KEY];

static bool prepare(struct aes *aes)
{
	char cipher[] = "AES-128-CBC";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
				     OSSL_PARAM_construct_end()};
	aes->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	aes->mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	aes->encrypt = EVP_CIPHER_CTX_new();
	aes->decrypt = EVP_CIPHER_CTX_new();
	aes->cmac = aes->mac ? EVP_MAC_CTX_new(aes->mac) : NULL;
	return aes->ecb && aes->encrypt && aes->decrypt && aes->cmac &&
	       EVP_EncryptInit_ex2(aes->encrypt, aes->ecb, zero_key, NULL, NULL) &&
	       EVP_DecryptInit_ex2(aes->decrypt, aes->ecb, zero_key, NULL, NULL) &&
	       EVP_CIPHER_CTX_set_padding(aes->encrypt, 0) && EVP_CIPHER_CTX_set_padding(aes->decrypt, 0) &&
	       EVP_MAC_init(aes->cmac, zero_key, AES_KEY, params);
}

struct aes *aes_new(void)
{
	struct aes *aes = calloc(1, sizeof *aes);
	if (aes && !prepare(aes)) {
		aes_free(aes);
		aes = NULL;
	}
	return aes;
}

void aes_free(struct aes *aes)
{
	if (!aes)
		return;
	EVP_CIPHER_CTX_free(aes->encrypt);
	EVP_CIPHER_CTX_free(aes->decrypt);
	EVP_MAC_CTX_free(aes->cmac);
	EVP_CIPHER_free(aes->ecb);
	EVP_MAC_free(aes->mac);
	free(aes);
}

void aes_forget(struct aes *aes)
{
	static const uint8_t nothing[AES_BLOCK];
	uint8_t spent[AES_BLOCK];
	aes_encrypt(aes, zero_key, nothing, spent, 1);
	aes_decrypt(aes, zero_key, nothing, spent, 1);
	aes_cmac(aes, zero_key, nothing, sizeof nothing, spent);
}

void aes_encrypt(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *in, uint8_t *out, size_t blocks)
{
	int written = 0;
	ASSERT_CMP(blocks, <, 1 << 16);
	ASSERT(EVP_EncryptInit_ex2(aes->encrypt, NULL, key, NULL, NULL));
	ASSERT(EVP_EncryptUpdate(aes->encrypt, out, &written, in, (int)(blocks * AES_BLOCK)));
	ASSERT_CMP(written, ==, (int)(blocks * AES_BLOCK));
}

void aes_decrypt(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *in, uint8_t *out, size_t blocks)
{
	int written = 0;
	ASSERT_CMP(blocks, <, 1 << 16);
	ASSERT(EVP_DecryptInit_ex2(aes->decrypt, NULL, key, NULL, NULL));
	ASSERT(EVP_DecryptUpdate(aes->decrypt, out, &written, in, (int)(blocks * AES_BLOCK)));
	ASSERT_CMP(written, ==, (int)(blocks * AES_BLOCK));
}

void aes_cmac_start(struct aes *aes, const uint8_t key[AES_KEY])
{
	ASSERT(EVP_MAC_init(aes->cmac, key, key ? AES_KEY : 0, NULL));
}

void aes_cmac_add(struct aes *aes, const uint8_t *bytes, size_t length)
{
	if (length)
		ASSERT(EVP_MAC_update(aes->cmac, bytes, length));
}

void aes_cmac_finish(struct aes *aes, uint8_t mac[AES_BLOCK])
{
	size_t written = 0;
	ASSERT(EVP_MAC_final(aes->cmac, mac, &written, AES_BLOCK));
	ASSERT_CMP(written, ==, AES_BLOCK);
}

void aes_cmac(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *bytes, size_t length,
	      uint8_t mac[AES_BLOCK])
{
	aes_cmac_start(aes, key);
	aes_cmac_add(aes, bytes, length);
	aes_cmac_finish(aes, mac);
}

const char *aes_wrap_verdict_name(enum aes_wrap_verdict verdict)
{
	static const char *const names[AES_WRAP_VERDICT_COUNT] = {
		[AES_WRAP_OK] = "ok",
		[AES_WRAP_BAD_KEK_LENGTH] = "bad_kek_length",
		[AES_WRAP_NOT_MULTIPLE_OF_8] = "not_multiple_of_8",
		[AES_WRAP_DATA_TOO_SHORT] = "data_too_short",
		[AES_WRAP_INTEGRITY] = "integrity_check",
	};
	return (unsigned)verdict < AES_WRAP_VERDICT_COUNT ? names[verdict] : "unknown";
}

static const EVP_CIPHER *wrap_cipher(size_t kek_length)
{
	switch (kek_length) {
	case 16: return EVP_aes_128_wrap();
	case 24: return EVP_aes_192_wrap();
	case 32: return EVP_aes_256_wrap();
	default: return NULL;
	}
}

/* Returns whether `written_expected` bytes came out. Wrapping is rare (a join, a replicated session), so its
 * context is made anew; only an integrity check, or no memory, makes it fail. */
static bool wrap_run(const EVP_CIPHER *cipher, const uint8_t *kek, const uint8_t *in, size_t length,
		     uint8_t *out, bool encrypt, size_t written_expected)
{
	int written = 0;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	ASSERT(context);
	EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = EVP_CipherInit_ex2(context, cipher, kek, NULL, encrypt, NULL) &&
		  EVP_CipherUpdate(context, out, &written, in, (int)length) > 0 &&
		  (size_t)written == written_expected;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return ok;
}

enum aes_wrap_verdict aes_wrap(const uint8_t *kek, size_t kek_length, const uint8_t *data, size_t length,
			       uint8_t *wrapped)
{
	const EVP_CIPHER *cipher = wrap_cipher(kek_length);
	if (!cipher)
		return AES_WRAP_BAD_KEK_LENGTH;
	if (length % 8 != 0)
		return AES_WRAP_NOT_MULTIPLE_OF_8;
	if (length < 16)
		return AES_WRAP_DATA_TOO_SHORT;
	ASSERT_CMP(length, <, 1 << 16);
	ASSERT(wrap_run(cipher, kek, data, length, wrapped, true, length + AES_WRAP_OVERHEAD));
	return AES_WRAP_OK;
}

enum aes_wrap_verdict aes_unwrap(const uint8_t *kek, size_t kek_length, const uint8_t *wrapped, size_t length,
				 uint8_t *data)
{
	const EVP_CIPHER *cipher = wrap_cipher(kek_length);
	if (!cipher)
		return AES_WRAP_BAD_KEK_LENGTH;
	if (length % 8 != 0)
		return AES_WRAP_NOT_MULTIPLE_OF_8;
	if (length < 24)
		return AES_WRAP_DATA_TOO_SHORT;
	ASSERT_CMP(length, <, 1 << 16);
	if (wrap_run(cipher, kek, wrapped, length, data, false, length - AES_WRAP_OVERHEAD))
		return AES_WRAP_OK;
	OPENSSL_cleanse(data, length - AES_WRAP_OVERHEAD);
	return AES_WRAP_INTEGRITY;
}
