/* Faults that the seed draws, one after the other, and the verbs of those that have no file of their own. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"

#include <math.h>

int64_t world_next_us(struct world *world, struct rng *rng, double an_hour)
{
	double u = ((double)rng_below(rng, 1000000) + 1) / 1000001.0;
	return world->now_us + (int64_t)(-log(u) * 3600e6 / an_hour);
}

static double between(struct rng *rng, double from, double to)
{
	return from + (to - from) * rng_below(rng, 1000001) / 1e6;
}

void world_crash(struct world *world, enum world_process process, enum world_moment moment)
{
	struct machine *machine = &world->machines[process];
	if (!machine->up)
		return;
	machine->crash_planned = true;
	machine->crash_moment = moment;
	machine_touch(machine);
}

void world_jump_clock(struct world *world, double seconds)
{
	world->clock_jump_us += (int64_t)(seconds * 1e6);
	world_fault_happened(world, WORLD_FAULT_CLOCK);
}

void world_stall(struct world *world, enum world_process process, double seconds)
{
	struct machine *machine = &world->machines[process];
	if (!machine->up)
		return;
	machine->stalled_us = world->now_us + (int64_t)(seconds * 1e6);
	world_fault_happened(world, WORLD_FAULT_STALL);
}

static void weather(struct world *world, struct rng *rng)
{
	struct world_backhaul backhaul = {0};
	if (rng_below(rng, 3) > 0) {
		backhaul.lost = rng_below(rng, 200);
		backhaul.doubled = rng_below(rng, 200);
		backhaul.reordered = rng_below(rng, 200);
		backhaul.late = rng_below(rng, 100);
	}
	world_backhaul(world, backhaul);
}

static void draw_fault(struct world *world)
{
	struct rng *rng = &world->fault_rng;
	enum world_process process = (enum world_process)rng_below(rng, WORLD_PROCESS_COUNT);
	unsigned gateway = rng_below(rng, world->gateway_count);
	switch (rng_below(rng, 16)) {
	case 0:
	case 1: world_cut(world, gateway, between(rng, 5, 300)); break;
	case 2: world_jump_clock(world, between(rng, -1, 1) * (rng_below(rng, 2) ? 10 : 200000)); break;
	case 3: world_restart_gateway(world, gateway); break;
	case 4:
	case 5: world_stall(world, process, between(rng, 0.05, 5)); break;
	case 6: world_subscriber_away(world, between(rng, 1, 120)); break;
	case 7:
	case 8: weather(world, rng); break;
	default: world_crash(world, process, (enum world_moment)rng_below(rng, WORLD_MOMENT_COUNT)); break;
	}
}

static void fault_comes(struct world *world, const struct world_event *event)
{
	(void)event;
	if (world->healed)
		return;
	draw_fault(world);
	world_faults_begin(world);
}

void world_faults_begin(struct world *world)
{
	if (world->faults_an_hour > 0)
		world_put(world, (struct world_event){.at_us = world_next_us(world, &world->fault_rng,
									     world->faults_an_hour),
						      .happen = fault_comes});
}

void world_faults(struct world *world, double an_hour)
{
	bool runs = world->faults_an_hour > 0;
	world->faults_an_hour = an_hour;
	if (world->begun && !runs)
		world_faults_begin(world);
}
