/* Calls beside the loop (common/io/offload.h) inside the world: the work happens at once, after a while, and nobody waits for it.
 * The event owns the memory, so that it outlives the machine that has abandoned it. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/io/offload.h"

#include <stdlib.h>

#define ANSWER_MIN    100
#define ANSWER_SPREAD 5000

struct io_offload {
	struct io_offload_options options;
	struct machine *machine;
	bool abandoned;
};

static void work_ends(struct world *world, const struct world_event *event)
{
	struct io_offload *offload = event->object;
	(void)world;
	if (offload->abandoned)
		return;
	offload->options.work(offload->options.job);
	offload->options.done(offload->options.ctx, machine_now(offload->machine));
	machine_settle(offload->machine);
}

struct io_offload *io_offload_start(struct io_loop *loop, const struct io_offload_options *options)
{
	struct world *world = loop->machine->world;
	struct io_offload *offload = malloc(sizeof *offload);
	ASSERT(offload);
	*offload = (struct io_offload){.options = *options, .machine = loop->machine};
	world_put(world, (struct world_event){.at_us = world->now_us + ANSWER_MIN +
						       rng_below(&world->rng, ANSWER_SPREAD),
					      .happen = work_ends,
					      .object = offload,
					      .bytes = (uint8_t *)offload});
	return offload;
}

void io_offload_abandon(struct io_offload *offload)
{
	if (!offload)
		return;
	offload->abandoned = true;
	offload->options.discard(offload->options.job);
}
