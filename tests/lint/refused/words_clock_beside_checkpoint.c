/* rule: words as: common/db/statements.c */
#include <time.h>
long bad(void);
long bad(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}
