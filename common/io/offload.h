/* One call that may block for seconds (a library that asks a name server by itself) on a thread of its own, so that the loop
 * goes on. The thread touches the job and nothing else of the process.
 *
 *	io_offload_start(job) ──▶ work(job), on the thread ──▶ done(ctx), on the loop: the job is the caller's again
 *	         └──io_offload_abandon()──▶ ... work(job) ends ──▶ discard(job), on the thread; the loop hears no more of it
 *
 * Whoever abandons does not wait: a process can end while a name server still thinks. */
#ifndef LAMPPOST_IO_OFFLOAD_H
#define LAMPPOST_IO_OFFLOAD_H

#include "common/io/loop.h"

struct io_offload; /* opaque */

struct io_offload_options {
	void (*work)(void *job);
	void (*done)(void *ctx, struct now now); /* never from inside io_offload_start() */
	void (*discard)(void *job);              /* frees a job that nobody waits for any more */
	void *job;                               /* taken until done() or discard() */
	void *ctx;                               /* done's */
};

/* NULL: no thread can be started; the job stays the caller's. Gone by itself with done(). */
struct io_offload *io_offload_start(struct io_loop *loop, const struct io_offload_options *options);
/* No done() follows; NULL is allowed. */
void io_offload_abandon(struct io_offload *offload);

#endif
