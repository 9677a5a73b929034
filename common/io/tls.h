/* TLS as a filter of bytes (OpenSSL over memory buffers), for common/io alone: what comes from the socket goes in, what must go to the
 * socket is taken out; the socket stays the event loop's. TLS 1.2 and later. */
#ifndef LAMPPOST_IO_TLS_H
#define LAMPPOST_IO_TLS_H

#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct io_tls_context; /* certificate and key of a server */
struct io_tls;         /* one connection */

/* ST_INVALID: unreadable, or certificate and key do not belong together; logged. */
enum status io_tls_context_new(const char *cert_file, const char *key_file,
			       struct io_tls_context **out) MUST_USE;
void io_tls_context_free(struct io_tls_context *context);

struct io_tls *io_tls_new(struct io_tls_context *context); /* NULL: no memory */
void io_tls_free(struct io_tls *tls);
/* Feeds bytes of the socket. ST_NO_MEMORY. */
enum status io_tls_feed(struct io_tls *tls, const uint8_t *bytes, size_t length) MUST_USE;
/* Takes clear text: its length; 0: none now; −1: the connection is broken or ended. Also drives the handshake. */
ssize_t io_tls_read(struct io_tls *tls, uint8_t *out, size_t capacity);
/* Takes in clear text, all of it. ST_UNAVAILABLE: not yet or no longer. */
enum status io_tls_write(struct io_tls *tls, const uint8_t *bytes, size_t length) MUST_USE;
/* Says goodbye; take what is to be sent. */
void io_tls_end(struct io_tls *tls);
/* How much must go to the socket, and taking it. */
size_t io_tls_pending(struct io_tls *tls);
size_t io_tls_take(struct io_tls *tls, uint8_t *out, size_t capacity);

#endif
