#include "tests/harness/harness.h"

#include "common/io/loop.h"
#include "common/io/offload.h"

#include <semaphore.h>
#include <stdlib.h>

#define CEILING (20 * US_PER_S)

/* The thread waits for `go`; the loop sees `done`; `gone` is posted by discard. */
struct job {
	sem_t go, gone;
	bool worked;
};

struct world {
	struct io_loop *loop;
	struct job *job;
	int done;
};

static void work(void *ctx)
{
	struct job *job = ctx;
	sem_wait(&job->go);
	job->worked = true;
}

static void discard(void *ctx)
{
	struct job *job = ctx;
	sem_post(&job->gone);
}

static void done(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	world->done++;
}

static bool is_done(void *ctx)
{
	return ((struct world *)ctx)->done > 0;
}

static void let_it_go(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	sem_post(&world->job->go);
}

static struct io_offload *begin(struct world *world, struct job *job)
{
	*world = (struct world){.loop = io_loop_new(NULL), .job = job};
	*job = (struct job){.worked = false};
	sem_init(&job->go, 0, 0);
	sem_init(&job->gone, 0, 0);
	return io_offload_start(
		world->loop,
		&(struct io_offload_options){
			.work = work, .done = done, .discard = discard, .job = job, .ctx = world});
}

/* The work ends only because the loop turns meanwhile. */
static void the_loop_goes_on(void **state)
{
	struct world world;
	struct job job;
	(void)state;
	t_true("started", begin(&world, &job) != NULL);
	struct io_timer *timer = io_timer_new(world.loop, let_it_go, &world);
	io_timer_start(timer, 1, 0);
	t_true("done", io_loop_run_until(world.loop, is_done, &world, CEILING));
	t_true("worked before", job.worked);
	io_timer_free(timer);
	io_loop_free(world.loop);
	t_int("once", 1, world.done);
	t_int("nothing is discarded", -1, sem_trywait(&job.gone));
}

static const struct {
	const char *name;
	bool worked_first;
} abandons[] = {{"before the work has ended", false}, {"after it", true}};

static void an_abandoned_job_is_discarded_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abandons); i++) {
		struct world world;
		struct job job;
		t_row(abandons[i].name);
		struct io_offload *offload = begin(&world, &job);
		if (abandons[i].worked_first)
			sem_post(&job.go);
		io_offload_abandon(offload);
		io_loop_free(world.loop); /* does not wait for the thread */
		if (!abandons[i].worked_first)
			sem_post(&job.go);
		t_int("discarded", 0, sem_wait(&job.gone));
		t_true("when it had worked", job.worked);
		t_int("once", -1, sem_trywait(&job.gone));
		t_int("the loop hears no more of it", 0, world.done);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_loop_goes_on),
		t_test(an_abandoned_job_is_discarded_once),
	};
	return t_run(tests);
}
