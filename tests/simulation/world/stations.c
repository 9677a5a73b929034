/* Gateways of the world that are Basics Stations: what is between the simulator's stations and the bridge's core (bridge_station.h),
 * which edge_station.c does with sockets. TCP and WebSocket are modelled: in order, nothing lost, broken when a side dies or the
 * backhaul is cut. Each station proves itself with a certificate that TLS has verified.
 *
 *	sim ──act──▶ world_station_act() ──▶ gb_bridge_on_station_*()
 *	sim ◀── sim_world_station_*() ◀── world_stations_empty() ◀── the core's outbox, at the end of the turn */
#include "gateway-bridge/bridge_station.h"
#include "simulator/world_parts.h"
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/text/region_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_US (3 * US_PER_S) /* until a connection over a backhaul that is cut is given up */

static struct lw_region *region_of_world(void)
{
	static struct lw_region region;
	if (region.id[0] == 0)
		ASSERT(region_load(&region, WORLD_REGION));
	return &region;
}

void world_bridge_serves_stations(struct gb_bridge *core)
{
	gb_bridge_serve_stations(
		core, &(struct gb_station_service){.regions = region_of_world(), .region_count = 1});
}

void world_stations(struct world *world, unsigned count)
{
	ASSERT(!world->begun && count <= WORLD_GATEWAYS_MAX);
	world->station_count = count;
}

/* --- up --- */

static bool is_cut(const struct world *world, size_t g)
{
	return world->cut_until_us[g] > world->now_us;
}

static void tell_closed(struct world *world, size_t g)
{
	world->sockets[g] = 0;
	sim_world_station_closed(world->sim, world->now_us, g);
}

static void given_up(struct world *world, const struct world_event *event)
{
	sim_world_station_closed(world->sim, world->now_us, (size_t)event->a);
}

/* "ws://bridge:3001/router-info", "ws://bridge:3001/gateway/EUI". */
static bool read_uri(const char *uri, struct gb_station_open *open)
{
	const char *path = strchr(uri + strlen("ws://"), '/');
	open->path = GB_STATION_DISCOVERY;
	open->host = "bridge:3001";
	if (path && strcmp(path, "/router-info") == 0)
		return true;
	const char *eui = path ? strstr(path, "/gateway/") : NULL;
	open->path = GB_STATION_DATA;
	return eui && lw_eui64_parse(eui + strlen("/gateway/"), &open->eui);
}

static void dial(struct world *world, size_t g, const char *uri)
{
	struct machine *bridge = &world->machines[WORLD_BRIDGE];
	struct gb_presented presented = {.has_certificate = true,
					 .certificate_eui = world->sim->gateways[g].config.eui,
					 .certificate_issued_us = WORLD_WALL_START - US_PER_S,
					 .certificate_until = {WORLD_WALL_START * 2}};
	struct gb_station_open open = {.tls = true, .presented = &presented};
	char reason[GB_STATION_REASON_MAX] = "";
	open.from.family = 4;
	open.from.bytes[0] = 10;
	open.from.bytes[3] = (uint8_t)(g + 1);
	if (!bridge->up || is_cut(world, g)) {
		world_put(world,
			  (struct world_event){.at_us = world->now_us + CUT_US, .happen = given_up, .a = g});
		return;
	}
	if (!read_uri(uri, &open)) {
		world_break(world, "a station was told to go to %s", uri);
		return;
	}
	unsigned status = gb_bridge_admit_station(world_bridge_core(bridge), machine_now(bridge), &open,
						  reason);
	if (status != 0) {
		world_trace(world, "station %zu: %u %s", g, status, reason);
		tell_closed(world, g);
	} else {
		world->sockets[g] = ++world->last_socket;
		gb_bridge_on_station_open(world_bridge_core(bridge), machine_now(bridge), world->sockets[g],
					  &open);
		sim_world_station_opened(world->sim, world->now_us, g);
	}
	world_bridge_settle(bridge);
}

static void hang_up(struct world *world, size_t g, enum gb_station_end end)
{
	struct machine *bridge = &world->machines[WORLD_BRIDGE];
	uint64_t id = world->sockets[g];
	world->sockets[g] = 0;
	if (id == 0 || !bridge->up)
		return;
	gb_bridge_on_station_close(world_bridge_core(bridge), machine_now(bridge), id, end);
	world_bridge_settle(bridge);
}

void world_station_act(void *ctx, int64_t now_us, size_t g, const struct sim_station_act *act)
{
	struct world *world = ctx;
	struct machine *bridge = &world->machines[WORLD_BRIDGE];
	(void)now_us;
	switch (act->kind) {
	case SIM_STATION_OPEN:
		hang_up(world, g, GB_STATION_LEFT);
		dial(world, g, act->text);
		break;
	case SIM_STATION_SAY:
		if (world->sockets[g] == 0 || !bridge->up || is_cut(world, g))
			break;
		gb_bridge_on_station_text(world_bridge_core(bridge), machine_now(bridge), world->sockets[g],
					  act->text, act->length);
		world_bridge_settle(bridge);
		break;
	case SIM_STATION_SHUT: hang_up(world, g, GB_STATION_LEFT); break;
	case SIM_STATION_CUT: hang_up(world, g, GB_STATION_LOST); break;
	}
}

/* --- down --- */

static size_t gateway_of(const struct world *world, uint64_t id)
{
	size_t g = 0;
	while (g < world->gateway_count && world->sockets[g] != id)
		g++;
	return g;
}

static void pong(struct world *world, const struct world_event *event)
{
	struct machine *bridge = &world->machines[WORLD_BRIDGE];
	size_t g = gateway_of(world, event->a);
	if (g == world->gateway_count || !bridge->up || is_cut(world, g))
		return;
	gb_bridge_on_station_pong(world_bridge_core(bridge), machine_now(bridge), event->a, 40 * US_PER_MS);
	world_bridge_settle(bridge);
}

static void leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct world *world = machine->world;
	size_t g = gateway_of(world, outgoing->a);
	if (outgoing->b == GB_STATION_PING)
		machine_put(machine, world->now_us + 40 * US_PER_MS,
			    (struct world_event){.happen = pong, .a = outgoing->a});
	if (g == world->gateway_count || is_cut(world, g))
		return;
	if (outgoing->b == GB_STATION_TEXT)
		sim_world_station_text(world->sim, world->now_us, g, (const char *)outgoing->bytes,
				       outgoing->length);
	else if (outgoing->b == GB_STATION_CLOSE)
		tell_closed(world, g);
}

void world_stations_empty(struct machine *machine)
{
	static struct gb_station_out out;
	while (gb_bridge_take_station(world_bridge_core(machine), &out)) {
		uint8_t *copy = malloc(out.length + 1);
		ASSERT(copy);
		memcpy(copy, out.bytes, out.length);
		if (out.kind == GB_STATION_CLOSE)
			world_trace(machine->world, "bridge closes a station: %u %s", out.code, out.reason);
		machine_queue(machine, (struct outgoing){.leave = leaves,
							 .a = out.id,
							 .b = (uint64_t)out.kind,
							 .bytes = copy,
							 .length = out.length});
	}
}

/* --- faults --- */

void world_stations_lose_bridge(struct world *world)
{
	for (size_t g = 0; g < world->gateway_count; g++)
		if (world->sockets[g] != 0)
			tell_closed(world, g);
}

void world_station_cut(struct world *world, size_t g)
{
	if (sim_world_station(world->sim, g) != NULL)
		sim_world_station_fault(world->sim, g, true, false);
}

void world_station_restart(struct world *world, size_t g)
{
	sim_world_station_fault(world->sim, g, false, true);
}

uint64_t world_station_sessions(const struct world *world, unsigned gateway)
{
	return sim_world_station(world->sim, gateway)->counters.sessions;
}

uint64_t world_station_sent(const struct world *world, unsigned gateway)
{
	return sim_world_station(world->sim, gateway)->counters.sent;
}

uint64_t world_station_stale(const struct world *world, unsigned gateway)
{
	return sim_world_station(world->sim, gateway)->counters.dropped[SIM_STATION_DROP_STALE];
}

uint64_t world_sent_at(const struct world *world, uint32_t freq_hz)
{
	size_t count;
	uint64_t sent = 0;
	const struct sim_air_entry *air = sim_world_air(world->sim, &count);
	for (size_t i = 0; i < count; i++)
		sent += air[i].freq_hz == freq_hz;
	return sent;
}

void world_slow(struct world *world, unsigned gateway, unsigned milliseconds)
{
	world->sim->gateways[gateway].config.backhaul_us = (int64_t)milliseconds * US_PER_MS;
}
