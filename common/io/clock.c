#include "common/io/clock.h"

#include <sys/timex.h>
#include <time.h>

struct mono clock_mono(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (struct mono){(int64_t)time.tv_sec * US_PER_S + time.tv_nsec / 1000};
}

/* adjtimex is a system call without a vDSO short cut, and its answer changes over minutes: it is kept for a
 * second. The one file-static state here, since it caches a property of the machine and not of a caller. */
static bool synchronised_at(struct mono mono)
{
	static _Thread_local struct mono asked;
	static _Thread_local bool answer, known;
	if (known && mono_since(mono, asked) < US_PER_S)
		return answer;
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);
	answer = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
	asked = mono;
	known = true;
	return answer;
}

struct now clock_now(void)
{
	struct timespec wall;
	struct mono mono = clock_mono();
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct now){
		.mono = mono,
		.wall = {(int64_t)wall.tv_sec * US_PER_S + wall.tv_nsec / 1000},
		.wall_synchronised = synchronised_at(mono),
	};
}
