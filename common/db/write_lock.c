/* While a query is not read to its end SQLite does not wait for the write lock by itself: somebody who waits with a lock of his own
 * could wait for ever. The checkpoint's thread lets go within 10 ms, though, whatever we read. */
#include "common/db/write_lock.h"

#include <stdint.h>
#include <time.h>

#define PAUSE_NS 200000

static int64_t clock_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int db_write_lock(sqlite3 *handle, int busy_ms)
{
	int64_t end = clock_ms() + busy_ms;
	int code;
	while ((code = sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL)) == SQLITE_BUSY &&
	       clock_ms() < end)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	return code;
}
