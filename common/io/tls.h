/* TLS as a filter of bytes (OpenSSL with buffers of our own), for common/io alone: what comes from the socket goes in, what must go to
 * the socket is taken out; the socket stays the event loop's. TLS 1.2 and 1.3, server and client.
 *
 * An idle connection holds no buffer: bytes that come in are lent for as long as they are read, and what is to go out is given away.
 * Sessions resume by ticket; the tickets' keys live as long as the context, so that a new CA or certificate asks everybody again. */
#ifndef LAMPPOST_IO_TLS_H
#define LAMPPOST_IO_TLS_H

#include "common/base/status.h"
#include "common/io/tls_peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct io_tls_context; /* certificate, key and CA of one side */
struct io_tls;         /* one connection */

struct io_tls_options {
	bool client;
	const char *cert_file; /* PEM chain; a client's may be NULL */
	const char *key_file;
	const char *ca_file; /* server: whose clients are good; client: whom to trust, NULL: the system's */
	enum io_tls_clients clients; /* server */
	bool tls_1_2_only;
};

/* ST_INVALID: unreadable, or certificate and key do not belong together; logged. */
enum status io_tls_context_new(const struct io_tls_options *options, struct io_tls_context **out) MUST_USE;
/* Connections made from it live on. NULL is allowed. */
void io_tls_context_free(struct io_tls_context *context);
/* Until when its own certificate is good; 0: it has none. */
struct wall io_tls_context_until(const struct io_tls_context *context);

/* `server_name`: a client's SNI and the name (or numeric address) in the server's certificate; NULL at a server. `context` of a
 * client must outlive it, for the tickets. NULL: no memory. */
struct io_tls *io_tls_new(struct io_tls_context *context, const char *server_name);
void io_tls_free(struct io_tls *tls); /* NULL is allowed */
/* Lends bytes of the socket until io_tls_read() has returned 0 or −1. */
void io_tls_feed(struct io_tls *tls, const uint8_t *bytes, size_t length);
/* Takes clear text: its length; 0: none now; −1: the connection is broken or ended. Also drives the handshake: a client begins with
 * it, without bytes. */
ssize_t io_tls_read(struct io_tls *tls, uint8_t *out, size_t capacity);
/* Takes in clear text, all of it. ST_UNAVAILABLE: not yet or no longer. */
enum status io_tls_write(struct io_tls *tls, const uint8_t *bytes, size_t length) MUST_USE;
/* Says goodbye; take what is to be sent. */
void io_tls_end(struct io_tls *tls);
/* Gives what must go to the socket, to be freed; NULL: nothing. */
uint8_t *io_tls_take(struct io_tls *tls, size_t *length);

bool io_tls_ready(const struct io_tls *tls);   /* the handshake is done */
bool io_tls_resumed(const struct io_tls *tls); /* with a ticket */
/* Whether the other side's certificate, or that there is none, broke the handshake. */
bool io_tls_certificate_refused(const struct io_tls *tls);
/* What broke it, for people; "" when nothing did. */
const char *io_tls_problem(const struct io_tls *tls);
/* Fills what a server's client showed, judged at `now`; false: it showed no certificate. */
bool io_tls_peer(const struct io_tls *tls, struct wall now, struct io_tls_peer *peer);

#endif
