/* Timers and watched descriptors of the edges (declared in loop.h). */
#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/loop.h"

#include <stdlib.h>
#include <uv.h>

struct io_timer {
	uv_timer_t timer;
	struct io_loop *loop;
	void (*on_timer)(void *ctx, struct now now);
	void *ctx;
};

struct io_watch {
	uv_poll_t poll;
	struct io_loop *loop;
	void (*on_ready)(void *ctx, struct now now, bool readable, bool writable);
	void *ctx;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
	struct io_timer *timer = handle->data;
	io_loop_touch(timer->loop);
	timer->on_timer(timer->ctx, clock_now());
}

struct io_timer *io_timer_new(struct io_loop *loop, void (*callback)(void *ctx, struct now now), void *ctx)
{
	struct io_timer *timer = calloc(1, sizeof *timer);
	ASSERT(timer);
	*timer = (struct io_timer){.loop = loop, .on_timer = callback, .ctx = ctx};
	uv_timer_init(io_loop_uv(loop), &timer->timer);
	timer->timer.data = timer;
	return timer;
}

static uint64_t to_ms(span_us span)
{
	return span <= 0 ? 0 : ((uint64_t)span + 999) / 1000;
}

void io_timer_start(struct io_timer *timer, span_us delay, span_us repeat)
{
	uv_update_time(io_loop_uv(timer->loop));
	uv_timer_start(&timer->timer, on_timer, to_ms(delay), to_ms(repeat));
}

void io_timer_stop(struct io_timer *timer)
{
	uv_timer_stop(&timer->timer);
}

void io_timer_free(struct io_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->timer, on_closed);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct io_watch *watch = poll->data;
	io_loop_touch(watch->loop);
	watch->on_ready(watch->ctx, clock_now(), status < 0 || (events & UV_READABLE) != 0,
			status < 0 || (events & UV_WRITABLE) != 0);
}

struct io_watch *io_watch_new(struct io_loop *loop, int fd,
			      void (*callback)(void *ctx, struct now now, bool readable, bool writable),
			      void *ctx)
{
	struct io_watch *watch = calloc(1, sizeof *watch);
	ASSERT(watch);
	*watch = (struct io_watch){.loop = loop, .on_ready = callback, .ctx = ctx};
	ASSERT(uv_poll_init(io_loop_uv(loop), &watch->poll, fd) == 0);
	watch->poll.data = watch;
	return watch;
}

void io_watch_set(struct io_watch *watch, bool readable, bool writable)
{
	int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
	if (events)
		uv_poll_start(&watch->poll, events, on_poll);
	else
		uv_poll_stop(&watch->poll);
}

void io_watch_free(struct io_watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->poll, on_closed);
}
