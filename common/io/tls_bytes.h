/* Where a TLS connection reads and writes, and what its peer's certificate says: the parts of tls.c that know OpenSSL's lower
 * layers. For tls.c alone. */
#ifndef LAMPPOST_IO_TLS_BYTES_H
#define LAMPPOST_IO_TLS_BYTES_H

#include "common/io/http_buffer.h"
#include "common/io/tls_peer.h"

#include <openssl/bio.h>
#include <openssl/x509.h>

struct tls_bytes {
	const uint8_t *in; /* lent */
	size_t in_left;
	struct http_buffer out;
};

/* A BIO over `bytes`, which must outlive it; NULL: no memory. */
BIO *tls_bytes_bio(struct tls_bytes *bytes);
void tls_bytes_lend(struct tls_bytes *bytes, const uint8_t *in, size_t length);
/* Gives what was written; NULL: nothing. */
uint8_t *tls_bytes_take(struct tls_bytes *bytes, size_t *length);
void tls_bytes_release(struct tls_bytes *bytes);

/* `verified`: an X509_V_ code. A certificate that has expired since a ticket was made is judged so. */
void tls_peer_fill(struct io_tls_peer *peer, X509 *certificate, long verified, struct wall now);
/* The end of its time; 0: NULL, or none that can be read. */
struct wall tls_certificate_until(const X509 *certificate);

#endif
