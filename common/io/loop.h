/* One event loop a process, and the turn protocol that every process keeps (DESIGN 3, "How 1 to 4 are met"):
 *
 *	events ──▶ the core changes memory and fills its outbox; sends only queue
 *	   │
 *	   ▼  before the loop sleeps, if anything happened: io_loop_end_turn()
 *	commit() ──ok──▶ drain() ──▶ queued bytes leave: links, datagrams, replies, calls ──▶ the core timer
 * is armed │ └─failed──▶ nothing leaves, the process ends with exit code 1
 *
 * Invariant: no byte leaves a process before the commit of the turn in which it was queued has returned
 * ST_OK. It holds by construction: io_link_*_send, io_udp_send, io_http_reply, io_http_client_start only
 * queue; the queues are flushed in io_loop_end_turn() alone, which asserts the order.
 *
 * A process makes one loop; a command line makes one without a turn (no commit, no drain). Opaque. */
#ifndef LAMPPOST_IO_LOOP_H
#define LAMPPOST_IO_LOOP_H

#include "common/base/status.h"
#include "common/base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct io_loop;
struct uv_loop_s;

/* What a process does at the end of a turn. Each pointer may be NULL. */
struct io_turn {
	/* Makes durable, in one transaction, all that the turn changed. Anything but ST_OK stops the process.
	 */
	enum status (*commit)(void *ctx);
	/* Hands the outbox to links, sockets, brokers. Called only after commit() returned ST_OK, every turn.
	 */
	void (*drain)(void *ctx, struct now now);
	/* The core's earliest deadline, MONO_NEVER when there is none; asked at the end of every turn. */
	struct mono (*next_deadline)(void *ctx);
	/* That deadline has passed. */
	void (*on_tick)(void *ctx, struct now now);
	/* SIGHUP. */
	void (*on_hangup)(void *ctx, struct now now);
	/* First SIGTERM or SIGINT: finish, then call io_loop_stop(). NULL: stops at the end of the turn. A
	 * second signal stops at once. */
	void (*on_stop)(void *ctx, struct now now);
	void *ctx;
};

/* Counters of the loop, for metrics. Times in microseconds. */
struct io_loop_stats {
	uint64_t turns;         /* turns that ended with a commit */
	uint64_t commit_us;     /* time spent in commit(), in all */
	uint64_t commit_max_us; /* the longest commit since the start */
	uint64_t last_commit_us;
};

/* `turn` is copied; NULL for none. Aborts if the machine cannot make a loop (start-up only). */
struct io_loop *io_loop_new(const struct io_turn *turn);
/* Everything that was made on the loop is released before. */
void io_loop_free(struct io_loop *loop);
/* Runs until io_loop_stop() or a failing commit; returns the exit code (1: the commit failed). Takes over
 * SIGTERM, SIGINT and SIGHUP while it runs. */
int io_loop_run(struct io_loop *loop) MUST_USE;
/* Runs turns until `done(ctx)` answers true or `ceiling` has passed; returns what `done` said last. For
 * programs that make one call after the other, and for tests. Takes over the signals as io_loop_run() does when the
 * turn has on_stop; io_loop_stop() ends this call and every later one at once. */
bool io_loop_run_until(struct io_loop *loop, bool (*done)(void *ctx), void *ctx, span_us ceiling);
/* The turn is still committed, drained and flushed; then io_loop_run() returns `exit_code`. The first call
 * counts. */
void io_loop_stop(struct io_loop *loop, int exit_code);
/* Says that something happened, so that this turn ends with a commit. Everything in common/io calls it by
 * itself before a callback; needed only by those who watch descriptors of their own. */
void io_loop_touch(struct io_loop *loop);
const struct io_loop_stats *io_loop_stats(const struct io_loop *loop);
/* The one function that commits, and drains only then. Called by the loop; public for tests of the order. */
void io_loop_end_turn(struct io_loop *loop);

/* The same from within an event of common/io/link, for a core whose turn is full. False: the commit failed now or before,
 * nothing more is to be handled. */
bool io_loop_end_turn_early(struct io_loop *loop) MUST_USE;

/* A timer of an edge that has no core deadline (a broker's keep-alive). Opaque. */
struct io_timer;
struct io_timer *io_timer_new(struct io_loop *loop, void (*callback)(void *ctx, struct now now), void *ctx);
/* Fires after `delay`, then every `repeat` (0: once). Starting again moves it. Granularity 1 ms. */
void io_timer_start(struct io_timer *timer, span_us delay, span_us repeat);
void io_timer_stop(struct io_timer *timer);
void io_timer_free(struct io_timer *timer); /* NULL is allowed */

/* Watches another library's descriptor (libmosquitto's socket). Opaque. */
struct io_watch;
struct io_watch *io_watch_new(struct io_loop *loop, int fd,
			      void (*callback)(void *ctx, struct now now, bool readable, bool writable),
			      void *ctx);
/* Both false: pauses. An error on the descriptor is reported as readable and writable. */
void io_watch_set(struct io_watch *watch, bool readable, bool writable);
void io_watch_free(struct io_watch *watch); /* does not close the descriptor; NULL is allowed */

/* For common/io alone: flushers run after drain(), in order of registration. */
struct io_flusher {
	void (*flush)(void *ctx, struct now now);
	void *ctx;
	struct io_flusher *next; /* the loop's */
};
void io_loop_add_flusher(struct io_loop *loop, struct io_flusher *flusher); /* keeps a borrow until removed */
void io_loop_remove_flusher(struct io_loop *loop, struct io_flusher *flusher);
struct uv_loop_s *io_loop_uv(struct io_loop *loop);

/* The version of the libuv that runs. */
const char *io_loop_library_version(void);

#endif
