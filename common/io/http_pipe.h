/* Many HTTP/1.1 calls over one connection to a Unix socket, one behind the other (RFC 9112 §9.3.2): all calls of a turn leave
 * in one write, and a server that answers at once handles all of them in one turn with one commit. For a peer on this machine
 * that is called thousands of times a second (join.sock); http_client.h is for all others, since here one slow answer holds up
 * those behind it.
 *
 * Calls are answered in the order in which they were made, each exactly once, never from inside io_http_pipe_call(). They leave
 * after the turn's commit (loop.h). When the connection breaks, cannot be made, or not one whole answer comes for `timeout`
 * while calls wait, all calls that are under way fail, and the next one dials again: whoever may repeat a call does so. A server
 * that is slow and goes on answering is waited for, since asking it again would only make it slower: how long a call may take
 * is for `max_calls` to bound. */
#ifndef LAMPPOST_IO_HTTP_PIPE_H
#define LAMPPOST_IO_HTTP_PIPE_H

#include "common/io/http_client.h"

struct io_http_pipe; /* opaque */

struct io_http_pipe_options {
	const char *unix_path; /* copied */
	const char *target;    /* of every call, as "/"; copied, at most 63 characters */
	size_t max_calls;      /* under way; 0: 256 */
	size_t answer_limit;   /* bytes of one body; 0: 64 KiB */
	span_us timeout;       /* of silence; 0: 10 s */
	/* The answer to a call, by the caller's own mark of it; its body is lent. As io_http_call.on_done. */
	void (*on_done)(void *ctx, struct now now, uint64_t mark, const struct io_http_answer *answer);
	void *ctx;
};

/* Dials at the first call. ST_INVALID: no path of 1 to 107 bytes. */
enum status io_http_pipe_open(struct io_loop *loop, const struct io_http_pipe_options *options,
			      struct io_http_pipe **out) MUST_USE;
/* Calls under way are dropped without their callback. NULL is allowed. Not from inside on_done. */
void io_http_pipe_free(struct io_http_pipe *pipe);
/* POSTs a JSON body, which is copied. ST_FULL: too many calls. */
enum status io_http_pipe_call(struct io_http_pipe *pipe, uint64_t mark, const void *body,
			      size_t length) MUST_USE;
/* What was answered belongs to another call, and so would all that follows: every call that is under way fails soon, and the next
 * one dials again. From inside on_done as well. */
void io_http_pipe_give_up(struct io_http_pipe *pipe);
size_t io_http_pipe_in_flight(const struct io_http_pipe *pipe);

#endif
