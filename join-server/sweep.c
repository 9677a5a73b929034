/* The sweep of join.h: rows of runs before the valid one go in slices, a slice a tick, so that no turn is long. */
#include "join-server/join.h"

#include "common/base/deadlines.h"

struct mono js_join_next_deadline(const struct js_join *join)
{
	return join->sweep_due;
}

enum status js_join_on_tick(struct js_join *join, struct now now)
{
	if (mono_since(join->sweep_due, now.mono) > 0)
		return ST_OK;
	const struct js_store *store = &join->options.store;
	bool done = false;
	join->counters.swept++;
	enum status status = store->sweep(store->ctx, join->state.valid_run, JS_SWEEP_SLICE, &join->sweep_at,
					  &done);
	if (status != ST_OK)
		return status;
	join->sweep_due = mono_add(now.mono, JS_SWEEP_INTERVAL_US);
	if (!done)
		return ST_OK;
	join->sweep_due = MONO_NEVER;
	join->sweep_at = 0;
	join->state.swept_run = join->state.valid_run;
	return store->save_state(store->ctx, &join->state);
}
