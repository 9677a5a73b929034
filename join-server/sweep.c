/* The sweeps of join.h: rows of runs before the valid one, and AppSKeys that have expired, go in slices, a slice a tick, so
 * that no turn is long. */
#include "join-server/join.h"

#include "common/base/deadlines.h"

struct mono js_join_next_deadline(const struct js_join *join)
{
	return join->sweep_due.us < join->sessions_due.us ? join->sweep_due : join->sessions_due;
}

static enum status sweep_devices(struct js_join *join, struct now now)
{
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

static enum status sweep_sessions(struct js_join *join, struct now now)
{
	const struct js_store *store = &join->options.store;
	const struct wall expired = {now.wall.us - join->options.session_span};
	bool done = false;
	enum status status = store->sweep_sessions(store->ctx, expired, JS_SWEEP_SLICE, &join->sessions_at,
						   &done);
	if (done)
		join->sessions_at = 0;
	join->sessions_due = mono_add(now.mono, done ? JS_SESSION_CYCLE_US : JS_SWEEP_INTERVAL_US);
	return status;
}

enum status js_join_on_tick(struct js_join *join, struct now now)
{
	enum status status = ST_OK;
	if (mono_since(join->sweep_due, now.mono) <= 0)
		status = sweep_devices(join, now);
	if (status == ST_OK && mono_since(join->sessions_due, now.mono) <= 0)
		status = sweep_sessions(join, now);
	return status;
}
