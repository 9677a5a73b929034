/* An asynchronous HTTP client: Unix sockets, TLS, kept connections, bounded in calls, time and bytes. A call
 * is named by an id; its callback comes exactly once, never from inside io_http_client_start(). Calls leave
 * after the turn's commit. */
#ifndef LAMPPOST_IO_HTTP_CLIENT_H
#define LAMPPOST_IO_HTTP_CLIENT_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/io/http.h"
#include "common/io/loop.h"

#include <stddef.h>
#include <stdint.h>

struct io_http_client;
typedef uint64_t io_http_call_id; /* 0: none */

struct io_http_answer {
	/* ST_OK: an answer came, whatever its code. ST_UNAVAILABLE: not reached, or broke off. ST_TIMEOUT.
	 * ST_FULL: the answer was longer than the limit. ST_REFUSED: the peer's certificate was not accepted.
	 * ST_INVALID: malformed URL or answer. */
	enum status status;
	int code;                 /* HTTP status; 0 without an answer */
	const char *content_type; /* "" when none */
	const uint8_t *body;      /* NUL stands behind it; empty where on_data took it */
	size_t length;
	const char *reason; /* for people: what went wrong; "" */
	bool sent; /* the request may have left: without an answer it may have taken effect; false: it cannot */
};

struct io_http_call {
	enum io_http_method method;
	const char *url;            /* "http://lamppost/join" with unix_path; else http(s)://host/... */
	const char *unix_path;      /* NULL: TCP */
	const char *const *headers; /* "Name: value" each; NULL-terminated; NULL: none */
	const void *body;           /* copied */
	size_t length;
	const char *content_type; /* of the body; NULL: application/json */
	span_us timeout;          /* whole call; 0: 10 s; negative: none (streams) */
	size_t answer_limit;      /* bytes; 0: 1 MiB; not applied with on_data */
	const char *ca_file;      /* whom to trust (PEM); NULL: the system's */
	const char *cert_file;    /* the caller's own certificate and key (PEM); NULL: none */
	const char *key_file;
	const char *
		connect_to; /* a numeric host that is dialled instead of the URL's, whose name is still asked for and
				 * checked; NULL: the URL's */
	/* The answer's head is there, with its code; its body or end follows. May be NULL. */
	void (*on_begin)(void *ctx, struct now now, io_http_call_id call, int code);
	/* Pieces of the body as they come (server-sent events, downloads), lent; NULL: collected. */
	void (*on_data)(void *ctx, struct now now, io_http_call_id call, const uint8_t *bytes, size_t length);
	void (*on_done)(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer);
	void *ctx;
};

struct io_http_client_options {
	size_t max_calls;       /* 0: 256 */
	size_t max_connections; /* to one host; 0: 8 */
};

/* `options` may be NULL. */
struct io_http_client *io_http_client_new(struct io_loop *loop, const struct io_http_client_options *options);
/* Unfinished calls are dropped without their callback. NULL is allowed. */
void io_http_client_free(struct io_http_client *client);
/* Copies all it needs. ST_FULL: too many calls. */
enum status io_http_client_start(struct io_http_client *client, const struct io_http_call *from,
				 io_http_call_id *id) MUST_USE;
/* No callback follows. Harmless for an id that is done. */
void io_http_client_cancel(struct io_http_client *client, io_http_call_id id);
size_t io_http_client_in_flight(const struct io_http_client *client);

#endif
