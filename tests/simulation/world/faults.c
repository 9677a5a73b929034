/* Faults that the seed draws, one after the other, and the verbs of those that have no file of their own. */
#include "simulator/world_parts.h"
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"

#include <math.h>
#include <string.h>

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

void world_blackout(struct world *world)
{
	world_fault_happened(world, WORLD_FAULT_BLACKOUT);
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++)
		world_crash(world, (enum world_process)i, WORLD_IN_COMMIT);
}

void world_power_cycle(struct world *world, unsigned device, double seconds)
{
	if (sim_world_device(world->sim, device)->config.activation != SIM_OTAA)
		return;
	sim_device_power_cycle(&world->sim->devices[device], world->now_us, (int64_t)(seconds * 1e6));
	sim_world_schedule_device(world->sim, device);
	world_fault_happened(world, WORLD_FAULT_DEVICE);
}

void world_rejoin(struct world *world, unsigned device, unsigned type)
{
	sim_device_order_rejoin(&world->sim->devices[device], world->now_us, (uint8_t)type);
	sim_world_schedule_device(world->sim, device);
}

/* Of its own, or because the city orders it; of any type that may be. */
static void somebody_rejoins(struct world *world, struct rng *rng)
{
	unsigned first = rng_below(rng, world->device_count);
	bool ordered = rng_below(rng, 3) == 0;
	unsigned type = rng_below(rng, 3);
	for (unsigned i = 0; i < world->device_count; i++) {
		unsigned device = (first + i) % world->device_count;
		if (world->profiles[device] != WORLD_OTAA_1_1)
			continue;
		if (!ordered)
			world_rejoin(world, device, type);
		else if (world->machines[WORLD_APPLICATION].up)
			(void)world_order_rejoin(world, device, type == 0 ? "{\"rejoin_type\": 0}" : "{}");
		return;
	}
}

unsigned world_rejoins(const struct world *world, unsigned device, unsigned type, bool accepted)
{
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(world->sim, &count, &dropped);
	unsigned found = 0;
	for (size_t i = 0; i < count; i++) {
		const struct sim_record *record = &entries[i].record;
		found += record->device == device && record->join_req_type == type &&
			 record->kind == (accepted ? SIM_RECORD_JOINED : SIM_RECORD_JOIN_REQUEST);
	}
	return found;
}

uint32_t world_device_addr(const struct world *world, unsigned device)
{
	const struct sim_device *at = sim_world_device(world->sim, device);
	return at->joined ? at->dev_addr.value : 0;
}

void world_deafen(struct world *world, unsigned device, unsigned downlinks)
{
	world->sim->devices[device].miss_downlinks = downlinks;
	world_fault_happened(world, WORLD_FAULT_DEAF);
}

/* The attacker stands where the device stands, and sends as loud. */
static void play_again(struct world *world, const struct sim_record *record)
{
	const struct sim_plan *plan = world->scenario.plan;
	const struct sim_rate *rate = &plan->rates[record->dr];
	struct sim_uplink uplink = {.start_us = world->now_us,
				    .freq_hz = record->freq_hz,
				    .spreading_factor = rate->spreading_factor,
				    .bandwidth_hz = rate->bandwidth_hz,
				    .eirp_dbm = plan->max_eirp_dbm,
				    .length = record->phy_length};
	uplink.end_us = world->now_us +
			sim_airtime_us(rate->spreading_factor, rate->bandwidth_hz, record->phy_length, true);
	memcpy(uplink.phy, record->phy, record->phy_length);
	sim_world_uplink_starts(world->sim, record->device, &uplink, SIZE_MAX);
	world_fault_happened(world, WORLD_FAULT_REPLAY);
}

void world_replay(struct world *world)
{
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(world->sim, &count, &dropped);
	for (int tries = 0; count > 0 && tries < 20; tries++) {
		const struct sim_record *record =
			&entries[rng_below(&world->fault_rng, (uint32_t)count)].record;
		if (record->kind != SIM_RECORD_UPLINK && record->kind != SIM_RECORD_JOIN_REQUEST)
			continue;
		play_again(world, record);
		return;
	}
}

bool world_replay_rejoin(struct world *world, unsigned device, unsigned type)
{
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(world->sim, &count, &dropped);
	while (count-- > 0) {
		const struct sim_record *record = &entries[count].record;
		if (record->kind != SIM_RECORD_JOIN_REQUEST || record->device != device ||
		    record->join_req_type != type)
			continue;
		play_again(world, record);
		return true;
	}
	return false;
}

void world_join_refuses(struct world *world, double seconds)
{
	world->join_refuses_until_us = world->now_us + (int64_t)(seconds * 1e6);
}

void world_join_slows(struct world *world, double seconds, unsigned milliseconds)
{
	world->join_slow_until_us = world->now_us + (int64_t)(seconds * 1e6);
	world->join_slow_us = (int64_t)milliseconds * US_PER_MS;
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
	unsigned device = rng_below(rng, world->device_count);
	switch (rng_below(rng, world->rejoins_too ? 28 : 24)) {
	case 0:
	case 1: world_cut(world, gateway, between(rng, 5, 300)); break;
	case 2: world_jump_clock(world, between(rng, -1, 1) * (rng_below(rng, 2) ? 10 : 200000)); break;
	case 3: world_restart_gateway(world, gateway); break;
	case 4:
	case 5: world_stall(world, process, between(rng, 0.05, 5)); break;
	case 6:
		(rng_below(rng, 2) ? world_subscriber_away : world_subscriber_leaves)(world,
										      between(rng, 1, 120));
		break;
	case 7:
	case 8: weather(world, rng); break;
	case 9:
	case 10:
	case 11:
	case 12: world_replay(world); break;
	case 13: world_power_cycle(world, device, between(rng, 1, 60)); break;
	case 14: world_deafen(world, device, 1 + rng_below(rng, 4)); break;
	case 15: world_blackout(world); break;
	case 24:
	case 25:
	case 26:
	case 27: somebody_rejoins(world, rng); break;
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

void world_rejoins_too(struct world *world)
{
	world->rejoins_too = true;
}

void world_faults(struct world *world, double an_hour)
{
	bool runs = world->faults_an_hour > 0;
	world->faults_an_hour = an_hour;
	if (world->begun && !runs)
		world_faults_begin(world);
}
