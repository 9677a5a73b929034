#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *function, const char *condition)
{
	fprintf(stderr, "ASSERT %s:%d %s(): %s\n", file, line, function, condition);
	abort();
}

_Noreturn void check_failed_values(const char *file, int line, const char *function, const char *condition,
				   long long left, long long right)
{
	fprintf(stderr, "ASSERT %s:%d %s(): %s (left %lld, right %lld)\n", file, line, function, condition,
		left, right);
	abort();
}
