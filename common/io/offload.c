/* The thread and the loop each hold one end; whoever lets go last frees. What both look at is behind the mutex. */
#include "common/io/offload.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

struct io_offload {
	struct io_offload_options options;
	struct io_loop *loop;
	uv_async_t wake;
	pthread_mutex_t lock;
	bool abandoned, worked; /* under the lock */
	int ends;               /* under the lock: the thread's, the loop's */
};

static void let_go(struct io_offload *offload)
{
	pthread_mutex_lock(&offload->lock);
	bool last = --offload->ends == 0;
	pthread_mutex_unlock(&offload->lock);
	if (last) {
		pthread_mutex_destroy(&offload->lock);
		free(offload);
	}
}

static void *run(void *argument)
{
	struct io_offload *offload = argument;
	offload->options.work(offload->options.job);
	pthread_mutex_lock(&offload->lock);
	bool abandoned = offload->abandoned;
	offload->worked = true;
	if (!abandoned)
		uv_async_send(&offload->wake); /* not closed yet: that needs the lock */
	pthread_mutex_unlock(&offload->lock);
	if (abandoned)
		offload->options.discard(offload->options.job);
	let_go(offload);
	return NULL;
}

static void on_closed(uv_handle_t *handle)
{
	let_go(handle->data);
}

static void on_wake(uv_async_t *wake)
{
	struct io_offload *offload = wake->data;
	struct io_offload_options options = offload->options;
	io_loop_touch(offload->loop);
	uv_close((uv_handle_t *)wake, on_closed);
	options.done(options.ctx, clock_now());
}

struct io_offload *io_offload_start(struct io_loop *loop, const struct io_offload_options *options)
{
	struct io_offload *offload = calloc(1, sizeof *offload);
	pthread_attr_t attributes;
	pthread_t thread;
	ASSERT(offload);
	offload->options = *options;
	offload->loop = loop;
	offload->ends = 2;
	ASSERT(pthread_mutex_init(&offload->lock, NULL) == 0);
	ASSERT(uv_async_init(io_loop_uv(loop), &offload->wake, on_wake) == 0);
	offload->wake.data = offload;
	ASSERT(pthread_attr_init(&attributes) == 0);
	ASSERT(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
	int failed = pthread_create(&thread, &attributes, run, offload);
	pthread_attr_destroy(&attributes);
	if (!failed)
		return offload;
	offload->ends = 1;
	uv_close((uv_handle_t *)&offload->wake, on_closed);
	return NULL;
}

void io_offload_abandon(struct io_offload *offload)
{
	if (!offload)
		return;
	pthread_mutex_lock(&offload->lock);
	offload->abandoned = true;
	bool worked = offload->worked; /* then the thread leaves the job alone */
	pthread_mutex_unlock(&offload->lock);
	if (worked)
		offload->options.discard(offload->options.job);
	uv_close((uv_handle_t *)&offload->wake, on_closed);
}
