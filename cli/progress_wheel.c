/* The wheel on a thread: it draws, and touches nothing else. */
#include "cli/progress.h"

#include "common/base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define TURN_NS 100000000L

struct progress_wheel {
	struct progress progress; /* the thread's alone until it has ended */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool ended; /* under the mutex */
};

static void *turn(void *ctx)
{
	struct progress_wheel *wheel = ctx;
	pthread_mutex_lock(&wheel->mutex);
	while (!wheel->ended) {
		struct timespec next;
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_nsec += TURN_NS;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&wheel->wake, &wheel->mutex, &next);
		if (!wheel->ended)
			progress_spin(&wheel->progress);
	}
	pthread_mutex_unlock(&wheel->mutex);
	return NULL;
}

struct progress_wheel *progress_wheel_start(const char *what)
{
	struct progress_wheel *wheel = calloc(1, sizeof *wheel);
	ASSERT(wheel != NULL);
	progress_start(&wheel->progress, what);
	pthread_mutex_init(&wheel->mutex, NULL);
	pthread_cond_init(&wheel->wake, NULL);
	/* Without a thread there is no wheel, and all else as usual. */
	if (wheel->progress.terminal && pthread_create(&wheel->thread, NULL, turn, wheel) == 0)
		return wheel;
	free(wheel);
	return NULL;
}

void progress_wheel_end(struct progress_wheel *wheel)
{
	if (!wheel)
		return;
	pthread_mutex_lock(&wheel->mutex);
	wheel->ended = true;
	pthread_cond_signal(&wheel->wake);
	pthread_mutex_unlock(&wheel->mutex);
	pthread_join(wheel->thread, NULL);
	progress_end(&wheel->progress);
	pthread_cond_destroy(&wheel->wake);
	pthread_mutex_destroy(&wheel->mutex);
	free(wheel);
}
