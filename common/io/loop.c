/* The loop over libuv. A turn ends in `prepare`, the last thing before the loop sleeps: by then every event
 * of the last poll and every due timer has run. libuv computes its sleep from its own idea of the time, which
 * is stale after a commit of some milliseconds: it is refreshed before the core timer is armed, or deadlines
 * come late by the commit's length. */
#include "common/io/loop.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

/* Where in a turn the loop stands; flushers run in PHASE_DRAIN alone. */
enum phase { PHASE_EVENTS, PHASE_COMMIT, PHASE_DRAIN, PHASE_FAILED };

#define SIGNALS 3
static const int signals[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

struct io_loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_idle_t idle; /* active: something happened after this turn's end, do not sleep */
	uv_timer_t deadline;
	uv_signal_t signals[SIGNALS];
	struct io_turn turn;
	struct io_flusher *flushers;
	struct io_loop_stats stats;
	enum phase phase;
	bool has_turn;
	bool touched;
	bool asked_to_stop; /* one signal came */
	bool stopping;
	int exit_code;
};

static void on_idle(uv_idle_t *idle)
{
	(void)idle;
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct io_loop *loop = prepare->data;
	if (loop->touched || loop->stopping)
		io_loop_end_turn(loop);
}

static void on_deadline(uv_timer_t *timer)
{
	struct io_loop *loop = timer->data;
	struct now now = clock_now();
	io_loop_touch(loop); /* also arms again when this came early by a fraction of a millisecond */
	if (loop->turn.on_tick && mono_since(loop->turn.next_deadline(loop->turn.ctx), now.mono) <= 0)
		loop->turn.on_tick(loop->turn.ctx, now);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct io_loop *loop = handle->data;
	io_loop_touch(loop);
	if (number == SIGHUP && loop->has_turn) {
		if (loop->turn.on_hangup)
			loop->turn.on_hangup(loop->turn.ctx, clock_now());
		return;
	}
	if (loop->asked_to_stop || !loop->has_turn)
		io_loop_stop(loop, 130);
	else if (loop->turn.on_stop)
		loop->turn.on_stop(loop->turn.ctx, clock_now());
	else
		io_loop_stop(loop, 0);
	loop->asked_to_stop = true;
}

struct io_loop *io_loop_new(const struct io_turn *turn)
{
	struct io_loop *loop = calloc(1, sizeof *loop);
	ASSERT(loop && uv_loop_init(&loop->uv) == 0);
	if (turn)
		loop->turn = *turn;
	loop->has_turn = turn != NULL;
	uv_prepare_init(&loop->uv, &loop->prepare);
	uv_idle_init(&loop->uv, &loop->idle);
	uv_timer_init(&loop->uv, &loop->deadline);
	loop->prepare.data = loop->idle.data = loop->deadline.data = loop;
	uv_prepare_start(&loop->prepare, on_prepare);
	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&loop->uv, &loop->signals[i]);
		loop->signals[i].data = loop;
	}
	loop->touched =
		true; /* what happened before the loop ran is committed and drained by its first turn */
	return loop;
}

void io_loop_free(struct io_loop *loop)
{
	if (!loop)
		return;
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->idle, NULL);
	uv_close((uv_handle_t *)&loop->deadline, NULL);
	for (int i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&loop->signals[i], NULL);
	int left = UV_EBUSY;
	for (int round = 0; round < 100 && left == UV_EBUSY; round++) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		left = uv_loop_close(&loop->uv);
	}
	ASSERT(left == 0 && loop->flushers == NULL); /* somebody did not release what it made on this loop */
	free(loop);
}

static void arm(struct io_loop *loop)
{
	if (!loop->turn.next_deadline)
		return;
	struct mono due = loop->turn.next_deadline(loop->turn.ctx);
	if (due.us == MONO_NEVER.us) {
		uv_timer_stop(&loop->deadline);
		return;
	}
	uint64_t due_ms = due.us <= 0 ? 0 : ((uint64_t)due.us + 999) / 1000;
	uint64_t now_ms = uv_now(&loop->uv);
	uv_timer_start(&loop->deadline, on_deadline, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* Returns whether the turn is durable. */
static bool commit(struct io_loop *loop)
{
	if (!loop->turn.commit)
		return true;
	struct mono before = clock_mono();
	enum status status = loop->turn.commit(loop->turn.ctx);
	uint64_t took_us = (uint64_t)mono_since(clock_mono(), before);
	loop->stats.turns++;
	loop->stats.commit_us += took_us;
	loop->stats.last_commit_us = took_us;
	if (took_us > loop->stats.commit_max_us)
		loop->stats.commit_max_us = took_us;
	if (status == ST_OK)
		return true;
	LOG_ERROR("commit_failed", "status=%s consequence=\"nothing sent, process ends\"",
		  status_name(status));
	return false;
}

void io_loop_end_turn(struct io_loop *loop)
{
	ASSERT(loop->phase == PHASE_EVENTS);
	loop->touched = false;
	loop->phase = PHASE_COMMIT;
	bool durable = commit(loop);
	if (!durable) {
		loop->phase = PHASE_FAILED; /* for good: no flusher can run any more */
		loop->stopping = true;
		loop->exit_code = 1;
		uv_prepare_stop(&loop->prepare);
		uv_stop(&loop->uv);
		return;
	}
	/* The outbox is drained, and queued bytes leave, only here: after the commit has returned. */
	ASSERT(loop->phase == PHASE_COMMIT && durable);
	loop->phase = PHASE_DRAIN;
	struct now now = clock_now();
	if (loop->turn.drain)
		loop->turn.drain(loop->turn.ctx, now);
	for (struct io_flusher *flusher = loop->flushers, *next; flusher; flusher = next) {
		ASSERT(loop->phase == PHASE_DRAIN);
		next = flusher->next;
		flusher->flush(flusher->ctx, now);
	}
	loop->phase = PHASE_EVENTS;
	uv_update_time(&loop->uv);
	arm(loop);
	if (loop->stopping)
		uv_stop(&loop->uv);
	else if (loop->touched)
		uv_idle_start(&loop->idle, on_idle);
	else
		uv_idle_stop(&loop->idle);
}

bool io_loop_end_turn_early(struct io_loop *loop)
{
	if (loop->phase == PHASE_EVENTS)
		io_loop_end_turn(loop);
	loop->touched = true;
	return loop->phase == PHASE_EVENTS;
}

static void watch_signals(struct io_loop *loop)
{
	for (int i = 0; i < SIGNALS; i++)
		uv_signal_start(&loop->signals[i], on_signal, signals[i]);
}

static void leave_signals(struct io_loop *loop)
{
	for (int i = 0; i < SIGNALS; i++)
		uv_signal_stop(&loop->signals[i]);
}

int io_loop_run(struct io_loop *loop)
{
	watch_signals(loop);
	while (!loop->stopping || loop->phase == PHASE_EVENTS) {
		uv_run(&loop->uv, UV_RUN_DEFAULT);
		if (loop->stopping)
			break;
	}
	leave_signals(loop);
	return loop->exit_code;
}

static void on_ceiling(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void on_ceiling_closed(uv_handle_t *handle)
{
	free(handle);
}

bool io_loop_run_until(struct io_loop *loop, bool (*done)(void *ctx), void *ctx, span_us ceiling)
{
	bool late = false;
	uv_timer_t *timer = malloc(sizeof *timer);
	ASSERT(timer);
	uv_timer_init(&loop->uv, timer);
	timer->data = &late;
	uv_update_time(&loop->uv);
	uv_timer_start(timer, on_ceiling, (uint64_t)(ceiling / US_PER_MS), 0);
	if (loop->turn.on_stop)
		watch_signals(loop);
	bool answer = done(ctx);
	while (!answer && !late && !loop->stopping) {
		uv_run(&loop->uv, UV_RUN_ONCE);
		answer = done(ctx);
	}
	leave_signals(loop);
	uv_close((uv_handle_t *)timer, on_ceiling_closed);
	return answer;
}

void io_loop_stop(struct io_loop *loop, int exit_code)
{
	if (loop->stopping)
		return;
	loop->stopping = true;
	loop->exit_code = exit_code;
	uv_idle_start(&loop->idle, on_idle); /* the turn's end is reached without waiting for another event */
}

void io_loop_touch(struct io_loop *loop)
{
	loop->touched = true;
}

const struct io_loop_stats *io_loop_stats(const struct io_loop *loop)
{
	return &loop->stats;
}

const char *io_loop_library_version(void)
{
	return uv_version_string();
}

struct uv_loop_s *io_loop_uv(struct io_loop *loop)
{
	return &loop->uv;
}

void io_loop_add_flusher(struct io_loop *loop, struct io_flusher *flusher)
{
	struct io_flusher **at = &loop->flushers;
	while (*at)
		at = &(*at)->next;
	flusher->next = NULL;
	*at = flusher;
}

void io_loop_remove_flusher(struct io_loop *loop, struct io_flusher *flusher)
{
	for (struct io_flusher **at = &loop->flushers; *at; at = &(*at)->next) {
		if (*at == flusher) {
			*at = flusher->next;
			return;
		}
	}
}
