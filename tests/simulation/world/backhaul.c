/* What is between a gateway and the bridge: datagrams are lost, doubled, held back for a moment (so that others pass them) or for
 * seconds, and while a backhaul is cut nothing passes. All drawn from the seed. */
#include "simulator/world_parts.h"
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MAX_US (30 * (uint32_t)US_PER_S)

static bool drawn(struct world *world, unsigned permille)
{
	return permille > 0 && rng_below(&world->fault_rng, 1000) < permille;
}

/* How much later a datagram comes; −1: never. */
static int64_t fate_us(struct world *world, size_t gateway)
{
	if (world->cut_until_us[gateway] > world->now_us)
		return -1;
	if (drawn(world, world->backhaul.lost)) {
		world_fault_happened(world, WORLD_FAULT_LOST);
		return -1;
	}
	if (drawn(world, world->backhaul.late)) {
		world_fault_happened(world, WORLD_FAULT_LATE);
		return US_PER_S + rng_below(&world->fault_rng, LATE_MAX_US);
	}
	if (drawn(world, world->backhaul.reordered)) {
		world_fault_happened(world, WORLD_FAULT_REORDERED);
		return rng_below(&world->fault_rng, (uint32_t)US_PER_S);
	}
	return 0;
}

static unsigned copies(struct world *world)
{
	if (!drawn(world, world->backhaul.doubled))
		return 1;
	world_fault_happened(world, WORLD_FAULT_DOUBLED);
	return 2;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length + 1);
	ASSERT(copy);
	memcpy(copy, bytes, length);
	return copy;
}

/* --- up --- */

static void at_bridge(struct world *world, const struct world_event *event)
{
	struct machine *bridge = &world->machines[WORLD_BRIDGE];
	if (!bridge->up)
		return;
	world_bridge_datagram(bridge, (size_t)event->a, (enum sim_socket)event->b, event->bytes,
			      event->length);
	machine_settle(bridge);
}

void world_from_gateway(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket,
			const uint8_t *bytes, size_t length)
{
	struct world *world = ctx;
	for (unsigned n = copies(world); n > 0; n--) {
		int64_t later_us = fate_us(world, gateway);
		if (later_us >= 0)
			world_put(world, (struct world_event){.at_us = now_us + later_us,
							      .happen = at_bridge,
							      .a = gateway,
							      .b = socket,
							      .bytes = copy_of(bytes, length),
							      .length = length});
	}
}

/* --- down --- */

static void at_backhaul(struct world *world, const struct world_event *event)
{
	sim_world_deliver(world->sim, world->now_us, (size_t)event->a, event->bytes, event->length);
}

void world_to_gateway(struct world *world, size_t gateway, const uint8_t *bytes, size_t length)
{
	for (unsigned n = copies(world); n > 0; n--) {
		int64_t later_us = fate_us(world, gateway);
		if (later_us >= 0)
			world_put(world, (struct world_event){.at_us = world->now_us + later_us,
							      .happen = at_backhaul,
							      .a = gateway,
							      .bytes = copy_of(bytes, length),
							      .length = length});
	}
}

/* --- verbs --- */

void world_backhaul(struct world *world, struct world_backhaul backhaul)
{
	world->backhaul = backhaul;
}

void world_cut(struct world *world, unsigned gateway, double seconds)
{
	ASSERT_CMP(gateway, <, world->gateway_count);
	world->cut_until_us[gateway] = world->now_us + (int64_t)(seconds * 1e6);
	world_station_cut(world, gateway);
	world_fault_happened(world, WORLD_FAULT_CUT);
}

void world_restart_gateway(struct world *world, unsigned gateway)
{
	ASSERT_CMP(gateway, <, world->gateway_count);
	sim_gateway_restart(&world->sim->gateways[gateway], world->now_us);
	if (sim_world_station(world->sim, gateway) != NULL)
		world_station_restart(world, gateway);
	else
		sim_world_settle_gateway(world->sim, gateway);
	world_fault_happened(world, WORLD_FAULT_GATEWAY);
}
