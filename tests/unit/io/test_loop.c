#include "tests/harness/harness.h"

#include "common/base/deadlines.h"
#include "common/io/clock.h"
#include "common/io/loop.h"
#include "common/io/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)

/* What happened, one letter each: t tick, c commit, d drain, f flush, h hangup, s stop. */
struct world {
	struct io_loop *loop;
	struct io_flusher flusher;
	char trace[256];
	struct mono deadline;
	enum status commit_says;
	int ticks, want;
	bool early;
	bool stop_on_tick;
	bool touch_in_drain;
	struct io_process *process;
	char line[64];
	int exit_code, exit_signal, lines;
};

static void note(struct world *world, char letter)
{
	size_t length = strlen(world->trace);
	if (length < sizeof world->trace - 1)
		world->trace[length] = letter;
}

static enum status commit(void *ctx)
{
	struct world *world = ctx;
	note(world, 'c');
	return world->commit_says;
}

static void drain(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	note(world, 'd');
	if (world->touch_in_drain)
		io_loop_touch(world->loop);
	world->touch_in_drain = false;
}

static void flush(void *ctx, struct now now)
{
	(void)now;
	note(ctx, 'f');
}

static struct mono next_deadline(void *ctx)
{
	return ((struct world *)ctx)->deadline;
}

static void on_tick(void *ctx, struct now now)
{
	struct world *world = ctx;
	note(world, 't');
	world->ticks++;
	world->early = world->early || mono_since(now.mono, world->deadline) < 0;
	world->deadline = world->ticks < world->want ? mono_add(now.mono, 2500) : MONO_NEVER;
	if (world->stop_on_tick)
		io_loop_stop(world->loop, 7);
}

static void on_hangup(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	note(world, 'h');
	raise(SIGTERM);
}

static void on_stop(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	note(world, 's');
	io_loop_stop(world->loop, 0);
}

static struct world *setup(void)
{
	struct world *world = calloc(1, sizeof *world);
	world->deadline = MONO_NEVER;
	world->loop = io_loop_new(
		&(struct io_turn){commit, drain, next_deadline, on_tick, on_hangup, on_stop, world});
	world->flusher = (struct io_flusher){.flush = flush, .ctx = world};
	io_loop_add_flusher(world->loop, &world->flusher);
	return world;
}

static void teardown(struct world *world)
{
	io_loop_remove_flusher(world->loop, &world->flusher);
	io_loop_free(world->loop);
	free(world);
}

static bool has_ticked(void *ctx)
{
	struct world *world = ctx;
	return world->ticks >= world->want;
}

static void the_outbox_is_drained_only_after_the_commit(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum status commit_says;
		const char *trace;
		int exit_code;
	} rows[] = {
		{"the commit returned", ST_OK, "cdftcdf", 7},
		{"the disk is full", ST_DATABASE, "c", 1},
		{"an I/O error", ST_IO, "c", 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world *world = setup();
		t_row(rows[i].name);
		world->commit_says = rows[i].commit_says;
		world->deadline = clock_mono();
		world->stop_on_tick = true;
		t_int("exit code", rows[i].exit_code, io_loop_run(world->loop));
		t_str("order", rows[i].trace, world->trace);
		teardown(world);
	}
}

static void a_change_while_draining_gets_a_turn_of_its_own(void **state)
{
	(void)state;
	struct world *world = setup();
	world->touch_in_drain = true;
	world->want = 1;
	world->deadline = mono_add(clock_mono(), 50000);
	assert_true(io_loop_run_until(world->loop, has_ticked, world, CEILING));
	t_str("order", "cdfcdft", world->trace);
	teardown(world);
}

static void deadlines_are_kept_and_never_early(void **state)
{
	(void)state;
	struct world *world = setup();
	world->want = 20;
	world->deadline = mono_add(clock_mono(), 1300);
	assert_true(io_loop_run_until(world->loop, has_ticked, world, CEILING));
	t_false("early", world->early);
	teardown(world);
}

static void raise_hangup(void *ctx, struct now now)
{
	(void)ctx;
	(void)now;
	raise(SIGHUP);
}

static void signals_reach_the_process_in_order(void **state)
{
	(void)state;
	struct world *world = setup();
	/* Nothing is raised before the loop listens: the hangup comes from a deadline's turn. */
	struct io_timer *timer = io_timer_new(world->loop, raise_hangup, NULL);
	io_timer_start(timer, 0, 0);
	t_int("exit code", 0, io_loop_run(world->loop));
	t_true("hangup, then stop, then a last turn",
	       strstr(world->trace, "h") < strstr(world->trace, "s") && strstr(world->trace, "scdf") != NULL);
	io_timer_free(timer);
	teardown(world);
}

static void on_line(void *ctx, struct now now, const char *line)
{
	struct world *world = ctx;
	(void)now;
	if (world->lines++ == 0)
		snprintf(world->line, sizeof world->line, "%s", line);
}

static void on_exit_of(void *ctx, struct now now, int exit_code, int number)
{
	struct world *world = ctx;
	(void)now;
	world->exit_code = exit_code;
	world->exit_signal = number;
	world->ticks++;
}

static struct io_process *spawn(struct world *world, const char *script, enum status expected)
{
	const char *const arguments[] = {"sh", "-c", script, NULL};
	const char *const variables[] = {"LAMPPOST_TEST=given", NULL};
	struct io_process *process = NULL;
	t_int("spawn", expected,
	      io_process_spawn(world->loop,
			       &(struct io_process_options){.program = script ? "/bin/sh" : "/nowhere/at/all",
							    .arguments = arguments,
							    .variables = variables,
							    .on_line = on_line,
							    .on_exit = on_exit_of,
							    .ctx = world},
			       &process));
	return process;
}

static bool has_line_and_ended(void *ctx)
{
	struct world *world = ctx;
	return world->lines >= 1 && world->ticks >= 1;
}

static bool has_line(void *ctx)
{
	return ((struct world *)ctx)->lines >= 1;
}

static void children_are_heard_and_ended(void **state)
{
	(void)state;
	struct world *world = setup();
	world->want = 1;
	struct io_process *process = spawn(world, "echo $LAMPPOST_TEST $LAMPPOST_PARENT; exit 3", ST_OK);
	assert_true(io_loop_run_until(world->loop, has_line_and_ended, world, CEILING));
	char expected[64];
	snprintf(expected, sizeof expected, "given %d", getpid());
	t_str("its line", expected, world->line);
	t_int("exit code", 3, world->exit_code);
	t_int("no process any more", 0, io_process_pid(process));
	io_process_free(process);
	world->ticks = world->lines = 0;
	process = spawn(world, "echo ready; exec sleep 1000", ST_OK);
	assert_true(io_loop_run_until(world->loop, has_line, world, CEILING));
	io_process_signal(process, SIGKILL);
	assert_true(io_loop_run_until(world->loop, has_ticked, world, CEILING));
	t_int("signal", SIGKILL, world->exit_signal);
	io_process_free(process);
	t_true("no program: nothing given", spawn(world, NULL, ST_NOT_FOUND) == NULL);
	teardown(world);
}

static void the_clock_goes_forward(void **state)
{
	(void)state;
	struct now a = clock_now(), b = clock_now();
	t_true("monotonic", mono_since(b.mono, a.mono) >= 0);
	t_true("this century", a.wall.us > INT64_C(1600000000) * US_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_outbox_is_drained_only_after_the_commit),
		t_test(a_change_while_draining_gets_a_turn_of_its_own),
		t_test(deadlines_are_kept_and_never_early),
		t_test(signals_reach_the_process_in_order),
		t_test(children_are_heard_and_ended),
		t_test(the_clock_goes_forward),
	};
	return t_run(tests);
}
