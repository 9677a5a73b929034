/* Certificates and calls of TS002 over real TLS, for tests of both ends: made by the openssl command, called by libcurl alone, so
 * that neither side is judged by our own code. */
#ifndef LAMPPOST_TESTS_TS002_PEER_H
#define LAMPPOST_TESTS_TS002_PEER_H

#include <stddef.h>
#include <stdint.h>

/* Makes DIR/NAME.crt and .key, an authority of its own. */
void t_tls_authority(const char *dir, const char *name);
/* Makes DIR/NAME.crt and .key for 127.0.0.1, with that common name, issued by an authority in DIR. */
void t_tls_certificate(const char *dir, const char *authority, const char *name);
/* Fills the SHA-256 of DIR/NAME.crt as openssl prints it: with colons. */
void t_tls_fingerprint(const char *dir, const char *name, char text[100]);

/* Posts a body; `name` NULL: without a certificate. Returns the status code, 0 when TLS refused or nobody answered. */
int t_tls_post(const char *dir, const char *authority, const char *name, const char *url, const char *body,
	       char *answer, size_t capacity);

/* A connection to this machine's port from an address of its own (127.0.0.2), on which nothing is said. Aborts without one. */
int t_idle_from(const char *from, uint16_t port);

#endif
