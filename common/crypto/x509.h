/* A city's own certificates (RFC 5280, ECDSA on P-256 with SHA-256): keys, requests, issuing, and signatures over firmware. With
 * aes.c and the TLS of common/io the only includer of OpenSSL; no clock is read here.
 *
 * What stations do with them decides the form:
 * - notBefore is 1970-01-01 in every certificate, since gateways boot without a clock and would refuse anything later; when
 *   a certificate was issued stands in its serial instead;
 * - a private key is written as SEC 1's ECPrivateKey, whose DER has 121 bytes: stations read a length above 127 as if two
 *   bytes of length followed, which PKCS #8 (138 bytes) does not survive;
 * - an address among a server's names stands there twice, as an address and as a name: mbedTLS 2.28 compares names alone.
 *
 * Private keys are wiped when they are freed. No function here logs. */
#ifndef LAMPPOST_CRYPTO_X509_H
#define LAMPPOST_CRYPTO_X509_H

#include "common/base/status.h"
#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X509_SERIAL_BYTES  16
#define X509_DER_MAX       2048 /* of a certificate: room for X509_HOSTS_MAX names */
#define X509_PEM_MAX       3072 /* the same as text with NUL, and of a request */
#define X509_KEY_DER_MAX   128  /* SEC 1: 121 in fact */
#define X509_KEY_PEM_MAX   320
#define X509_POINT_BYTES   64 /* a public key as stations keep it: X ‖ Y */
#define X509_HOSTS_MAX     8
#define X509_HOST_TEXT     254 /* with NUL */
#define X509_NAME_TEXT     65  /* a common name with NUL */
#define X509_SIGNATURE_MAX 80  /* DER of an ECDSA signature */
#define X509_SHA512_BYTES  64

struct x509_key; /* opaque: a pair, or a public half alone */

/* Give a key, freed by x509_key_free(). NULL: no memory, or not a P-256 key of that form. */
struct x509_key *x509_key_generate(void);
struct x509_key *x509_key_from(const uint8_t *der, size_t length);           /* SEC 1, a pair */
struct x509_key *x509_key_from_point(const uint8_t point[X509_POINT_BYTES]); /* public */
/* From PEM: PUBLIC KEY. */
struct x509_key *x509_key_from_pem(const char *pem, size_t length);
void x509_key_free(struct x509_key *key); /* wipes; NULL is fine */
/* Fills the pair in SEC 1; returns its length, 0 for a public half. The caller wipes. */
size_t x509_key_der(const struct x509_key *key, uint8_t der[X509_KEY_DER_MAX]);
void x509_key_point(const struct x509_key *key, uint8_t point[X509_POINT_BYTES]);

/* --- requests (PKCS #10, PEM) */
/* Fills a request for `common_name`, signed with the pair. False: no memory. */
bool x509_request_write(const struct x509_key *key, const char *common_name, char pem[X509_PEM_MAX]);
/* Gives the public key of a request whose signature proves that its sender has the private one; what else it asks for is
 * not looked at. NULL with a phrase for people in `*why`. */
struct x509_key *x509_request_read(const char *pem, size_t length, const char **why);

/* --- certificates (DER) */
enum x509_use { X509_FOR_CA, X509_FOR_CLIENT, X509_FOR_SERVER };

struct x509_wish {
	enum x509_use use;
	const char *common_name;
	uint8_t serial[X509_SERIAL_BYTES];
	struct wall until; /* in whole seconds */
	/* X509_FOR_SERVER: names and addresses; x509_host_ok() of each */
	char hosts[X509_HOSTS_MAX][X509_HOST_TEXT];
	size_t host_count;
};

/* A name of letters, digits, dots and hyphens, a "*." before it allowed, or an address without brackets. */
bool x509_host_ok(const char *host);
/* The serial of a certificate issued now. `random` is 8 bytes. */
void x509_serial(uint8_t serial[X509_SERIAL_BYTES], struct wall issued, const uint8_t random[8]);

/* Issues a certificate for the key `subject` (its public half counts), signed with `issuer`, whose own certificate is `ca`
 * (NULL: `subject` signs itself). Returns its length, 0: refused by OpenSSL. */
size_t x509_issue(const struct x509_wish *wish, const struct x509_key *subject, const struct x509_key *issuer,
		  const uint8_t *ca, size_t ca_length, uint8_t der[X509_DER_MAX]);

struct x509_facts {
	char common_name[X509_NAME_TEXT];
	uint8_t serial[X509_SERIAL_BYTES]; /* leading zeros put back */
	struct wall issued;                /* of the serial */
	struct wall until;
	uint8_t point[X509_POINT_BYTES];
};
/* False: no certificate, or not of the form above. */
bool x509_read(const uint8_t *der, size_t length, struct x509_facts *facts);
/* Whether `der` was signed by the key of `ca`. */
bool x509_signed_by(const uint8_t *der, size_t length, const uint8_t *ca, size_t ca_length);

/* --- text */
/* Writes PEM with the label ("CERTIFICATE", "EC PRIVATE KEY"); returns its length without NUL, 0: `capacity` is too small. */
size_t x509_pem_write(char *pem, size_t capacity, const char *label, const uint8_t *der, size_t length);
/* Fills the DER of the first block with that label; returns its length, 0: none, or longer than `capacity`. */
size_t x509_pem_read(const char *pem, size_t length, const char *label, uint8_t *der, size_t capacity);

/* --- signatures over firmware: ECDSA over the SHA-512 of it, DER */
struct x509_sha512;                        /* opaque */
struct x509_sha512 *x509_sha512_new(void); /* NULL: no memory */
void x509_sha512_add(struct x509_sha512 *sha, const void *bytes, size_t length);
void x509_sha512_digest(struct x509_sha512 *sha, uint8_t digest[X509_SHA512_BYTES]); /* ends it */
void x509_sha512_free(struct x509_sha512 *sha);
bool x509_verify(const struct x509_key *key, const uint8_t digest[X509_SHA512_BYTES],
		 const uint8_t *signature, size_t length);
/* Returns the signature's length, 0: a public half. */
size_t x509_sign(const struct x509_key *key, const uint8_t digest[X509_SHA512_BYTES],
		 uint8_t signature[X509_SIGNATURE_MAX]);

#endif
