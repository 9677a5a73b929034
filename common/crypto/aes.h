/* AES-128 as LoRaWAN uses it: single blocks, CMAC (RFC 4493) and key wrap (RFC 3394). The only includer of
 * OpenSSL's ciphers.
 *
 * A `struct aes` holds the contexts, fetched once: rekeying one context costs a third of making a new one,
 * and one kept context for each session costs more than rekeying, in time and in memory. It holds the
 * schedule of the last key and belongs to one thread. After aes_new() only a bug can make the ciphers fail,
 * so nothing but unwrapping says no. */
#ifndef LAMPPOST_CRYPTO_AES_H
#define LAMPPOST_CRYPTO_AES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define AES_BLOCK         16
#define AES_KEY           16
#define AES_WRAP_OVERHEAD 8

struct aes; /* opaque */

/* In the order in which the rules are looked at. */
enum aes_wrap_verdict {
	AES_WRAP_OK = 0,
	AES_WRAP_BAD_KEK_LENGTH,    /* not 16, 24 or 32 bytes */
	AES_WRAP_NOT_MULTIPLE_OF_8, /* data not in units of 8 bytes */
	AES_WRAP_DATA_TOO_SHORT,    /* under 16 bytes to wrap, under 24 to unwrap */
	AES_WRAP_INTEGRITY,         /* another KEK, or changed bytes */
	AES_WRAP_VERDICT_COUNT
};

/* "ok", "bad_kek_length", "not_multiple_of_8", "data_too_short", "integrity_check". */
const char *aes_wrap_verdict_name(enum aes_wrap_verdict verdict);

/* Gives a context, or NULL if there is no memory or OpenSSL has no AES. */
struct aes *aes_new(void);
/* Wipes and frees; NULL is fine. */
void aes_free(struct aes *aes);
/* Puts a key of zeros in the place of the last one: for whoever has just used a key that nobody may find in its memory. */
void aes_forget(struct aes *aes);

/* Encrypts `blocks` blocks in ECB; `in` and `out` may be the same memory. */
void aes_encrypt(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *in, uint8_t *out, size_t blocks);
/* Decrypts `blocks` blocks in ECB; `in` and `out` may be the same memory. */
void aes_decrypt(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *in, uint8_t *out, size_t blocks);

/* CMAC over pieces: start, add any number of times, finish. `key` NULL takes the key of the CMAC before,
 * which costs half. aes_cmac() is the three in one. */
void aes_cmac_start(struct aes *aes, const uint8_t key[AES_KEY]);
void aes_cmac_add(struct aes *aes, const uint8_t *bytes, size_t length);
void aes_cmac_finish(struct aes *aes, uint8_t mac[AES_BLOCK]);
void aes_cmac(struct aes *aes, const uint8_t key[AES_KEY], const uint8_t *bytes, size_t length,
	      uint8_t mac[AES_BLOCK]);

/* Wraps `length` bytes into `length` + 8 (RFC 3394, default IV). `wrapped` is untouched on a refusal. */
MUST_USE enum aes_wrap_verdict aes_wrap(const uint8_t *kek, size_t kek_length, const uint8_t *data,
					size_t length, uint8_t *wrapped);
/* Unwraps `length` bytes into `length` − 8. Nothing is promised about `data` on a refusal but that it holds
 * no key. */
MUST_USE enum aes_wrap_verdict aes_unwrap(const uint8_t *kek, size_t kek_length, const uint8_t *wrapped,
					  size_t length, uint8_t *data);

#endif
