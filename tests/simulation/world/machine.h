/* A server process inside the world, and what common/io is there. A machine runs the turn protocol of common/io/loop.h: events
 * change memory, the turn's end commits, drains and lets leave what was queued. A turn stays open for a fraction of a
 * millisecond, so that what comes meanwhile shares its commit.
 *
 *	event ──▶ machine_touch() ── 0.1 to 1.5 ms ──▶ machine_end_turn(): commit ─▶ drain ─▶ what was queued leaves, in order
 *	                                                      │            │           │
 *	                                  a planned crash: before, in,   after,    half of it
 *
 * The functions of common/io that edges call (links, HTTP calls, timers) are defined in machine_*.c in place of the real ones:
 * this program links them first. A crash closes what the process had open, as the kernel would: what had left still arrives. */
#ifndef LAMPPOST_TESTS_WORLD_MACHINE_H
#define LAMPPOST_TESTS_WORLD_MACHINE_H

#include "common/base/rng.h"
#include "common/io/http_client.h"
#include "common/io/link.h"
#include "tests/harness/fault_vfs.h"
#include "tests/simulation/world/world.h"

struct machine;

/* One thing that is to happen. */
struct world_event {
	int64_t at_us;
	uint64_t sequence;     /* of the queue: what was put first is first among those of one time */
	struct machine *owner; /* NULL: nobody's. It happens only while this incarnation lives */
	uint32_t incarnation;
	void (*happen)(struct world *world, const struct world_event *event);
	void *object;
	uint64_t a, b;
	uint8_t *bytes; /* owned */
	size_t length;
};
/* Takes `bytes`. */
void world_put(struct world *world, struct world_event event);

/* What a process queued in this turn, to leave at its end. */
struct outgoing {
	void (*leave)(struct machine *machine, struct outgoing *outgoing);
	void *object;
	uint64_t a, b;
	uint8_t *bytes; /* owned until it leaves, unless `leave` takes it */
	size_t length;
};

/* What a process is. `self` is its own struct, made by start. */
struct machine_kind {
	const char *name;
	bool (*start)(struct machine *machine);   /* false: it refused to start */
	void (*release)(struct machine *machine); /* as after exit: memory goes, nothing is said or written */
	enum status (*commit)(struct machine *machine, struct now now);
	void (*drain)(struct machine *machine, struct now now);
	struct mono (*next_deadline)(struct machine *machine);
	void (*on_tick)(struct machine *machine, struct now now);
	/* A call came: answer it with machine_reply(). NULL: it serves none. */
	void (*on_call)(struct machine *machine, struct now now, uint64_t call, enum io_http_method method,
			const char *url, const uint8_t *body, size_t length);
};

struct io_loop {
	struct machine *machine;
};

struct machine {
	struct world *world;
	enum world_process id;
	const struct machine_kind *kind;
	struct io_loop loop;
	void *self;
	bool up;
	bool dying; /* within one of its own callbacks: dies when that has returned */
	uint32_t incarnation;
	bool turn_open;
	int64_t deadline_us; /* of its core, INT64_MAX for none */
	int64_t stalled_us;  /* it stands still until then */
	bool crash_planned;
	enum world_moment crash_moment;
	struct rng rng; /* what secret_rng() is in production */
	struct io_timer *timers;
	struct io_link_client *clients; /* one at most */
	uint64_t last_timer;
	struct fault_disk *disk;
	struct outgoing *out; /* owned array */
	size_t out_count, out_room;
	uint64_t turns, ticks_in_place; /* ticks since time last moved */
	int64_t ticked_us;
};

/* --- for processes and for the plumbing */
struct now machine_now(const struct machine *machine);
/* Something happened: the turn ends soon. */
void machine_touch(struct machine *machine);
/* After each callback of the plumbing: touches it, or lets it die if it has to. */
void machine_settle(struct machine *machine);
void machine_queue(struct machine *machine, struct outgoing outgoing);
/* An event of this machine. */
void machine_put(struct machine *machine, int64_t at_us, struct world_event event);

/* --- for the world */
void machine_init(struct machine *machine, struct world *world, enum world_process id,
		  const struct machine_kind *kind);
void machine_release(struct machine *machine);
void machine_start(struct machine *machine);
void machine_die(struct machine *machine, enum world_moment moment);
/* Ticks if its deadline has come. */
void machine_tick(struct machine *machine);
/* When it has to be ticked; INT64_MAX for never. */
int64_t machine_next_us(const struct machine *machine);
/* Runs an event of this machine, or puts it off while the machine stands still. */
void machine_happen(struct machine *machine, struct world_event *event);

/* --- machine_link.c */
void machine_links_release(struct world *world);

/* --- machine_http.c */
/* Answers a call; the answer leaves with the turn. `body` is copied. */
void machine_reply(struct machine *machine, uint64_t call, int code, const void *body, size_t length);
/* Calls to it that are not answered break off. */
void machine_calls_break(struct machine *machine);
void machine_calls_release(struct world *world);

#endif
