/* Many short waits in the place of a long one: how long a step is decides how late the answer comes, and nothing else. */
#include "tests/harness/loop_wait.h"

#include "common/io/loop.h"
#include "tests/harness/process.h"

#define STEP (5 * US_PER_MS)

bool t_wait_on_loop(struct io_loop *loop, bool (*condition)(void *ctx), void *ctx, double ceiling)
{
	double end = t_seconds() + ceiling;
	while (!io_loop_run_until(loop, condition, ctx, STEP))
		if (t_seconds() > end)
			return condition(ctx);
	return true;
}
