/* The world's clock: the earliest of what the simulator, the servers' deadlines and the plumbing have to do happens next, then the
 * judge looks. */
#include "simulator/world_parts.h"
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MAX_US  (24 * 3600 * US_PER_S)
#define SETTLE_STEP_US (60 * US_PER_S)
#define LAST_US        (120 * US_PER_S) /* for what is still on its way */

struct world *world_of_now;

const char *world_process_name(enum world_process process)
{
	static const char *const names[] = {"gateway-bridge", "network-server", "join-server",
					    "application-server"};
	return names[process];
}

const char *world_fault_name(enum world_fault fault)
{
	static const char *const names[WORLD_FAULT_COUNT] = {
		[WORLD_FAULT_LOST] = "datagrams lost",
		[WORLD_FAULT_DOUBLED] = "datagrams doubled",
		[WORLD_FAULT_REORDERED] = "datagrams reordered",
		[WORLD_FAULT_LATE] = "datagrams seconds late",
		[WORLD_FAULT_CUT] = "backhauls cut",
		[WORLD_FAULT_CLOCK] = "jumps of the wall clock",
		[WORLD_FAULT_GATEWAY] = "gateways restarted",
		[WORLD_FAULT_STALL] = "processes that stood still",
		[WORLD_FAULT_REPLAY] = "recorded frames played again",
		[WORLD_FAULT_DEVICE] = "devices without power",
		[WORLD_FAULT_DEAF] = "devices that missed downlinks",
		[WORLD_FAULT_BLACKOUT] = "power cuts of all processes",
		[WORLD_FAULT_SUBSCRIBER] = "brokers gone away",
		[WORLD_FAULT_CRASH_BEFORE_COMMIT] = "crashes before the commit",
		[WORLD_FAULT_CRASH_IN_COMMIT] = "power cuts within the commit",
		[WORLD_FAULT_CRASH_AFTER_COMMIT] = "crashes after the commit",
		[WORLD_FAULT_CRASH_HALF_DRAINED] = "crashes half drained",
		[WORLD_FAULT_TORN] = "torn writes",
		[WORLD_FAULT_BRIDGE_CRASH] = "crashes of the gateway bridge",
		[WORLD_FAULT_NETWORK_CRASH] = "crashes of the network server",
		[WORLD_FAULT_JOIN_CRASH] = "crashes of the join server",
		[WORLD_FAULT_APPLICATION_CRASH] = "crashes of the application server"};
	return names[fault];
}

void world_break(struct world *world, const char *format, ...)
{
	if (world->broken)
		return;
	world->broken = true;
	int length = snprintf(world->why, sizeof world->why,
			      "seed %llu, %.6f s: ", (unsigned long long)world->seed,
			      (double)world->now_us / 1e6);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(world->why + length, sizeof world->why - (size_t)length, format, arguments);
	va_end(arguments);
	if (world->traced)
		world_trace_network(world);
}

void world_trace(const struct world *world, const char *format, ...)
{
	if (!world->traced)
		return;
	va_list arguments;
	printf("%14.6f ", (double)world->now_us / 1e6);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void world_mix(struct world *world, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		world->digest = (world->digest ^ at[i]) * UINT64_C(0x100000001b3);
}

void world_fault_happened(struct world *world, enum world_fault fault)
{
	world->faults[fault]++;
	if (fault >= WORLD_FAULT_CUT)
		world_trace(world, "fault: %s", world_fault_name(fault));
}

/* --- the queue --- */

static bool before(const struct world_event *a, const struct world_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

void world_put(struct world *world, struct world_event event)
{
	if (event.at_us < world->now_us)
		event.at_us = world->now_us;
	if (event.sequence == 0)
		event.sequence = ++world->sequence;
	if (world->queued == world->queue_room) {
		world->queue_room = world->queue_room * 2 + 256;
		world->queue = realloc(world->queue, world->queue_room * sizeof *world->queue);
		ASSERT(world->queue);
	}
	size_t at = world->queued++;
	for (; at > 0 && before(&event, &world->queue[(at - 1) / 2]); at = (at - 1) / 2)
		world->queue[at] = world->queue[(at - 1) / 2];
	world->queue[at] = event;
}

static struct world_event take(struct world *world)
{
	struct world_event first = world->queue[0], last = world->queue[--world->queued];
	size_t at = 0;
	for (size_t child; (child = 2 * at + 1) < world->queued; at = child) {
		if (child + 1 < world->queued && before(&world->queue[child + 1], &world->queue[child]))
			child++;
		if (!before(&world->queue[child], &last))
			break;
		world->queue[at] = world->queue[child];
	}
	world->queue[at] = last;
	return first;
}

/* --- steps --- */

static struct machine *next_machine(struct world *world, int64_t *at_us)
{
	struct machine *next = NULL;
	*at_us = WORLD_NEVER;
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++) {
		int64_t due_us = machine_next_us(&world->machines[i]);
		if (due_us < *at_us) {
			*at_us = due_us;
			next = &world->machines[i];
		}
	}
	return next;
}

static void advance(struct world *world, int64_t at_us)
{
	if (at_us > world->now_us)
		world->now_us = at_us;
}

/* Does what comes next, if it comes until then. */
static bool step(struct world *world, int64_t until_us)
{
	int64_t machine_us;
	struct machine *machine = next_machine(world, &machine_us);
	int64_t queue_us = world->queued ? world->queue[0].at_us : WORLD_NEVER;
	int64_t sim_us = sim_world_next_us(world->sim);
	int64_t at_us = queue_us < machine_us ? queue_us : machine_us;
	if (sim_us < at_us)
		at_us = sim_us;
	if (at_us > until_us || world->broken)
		return false;
	advance(world, at_us);
	if (queue_us == at_us) {
		struct world_event event = take(world);
		if (event.owner)
			machine_happen(event.owner, &event);
		else
			event.happen(world, &event);
		free(event.bytes);
	} else if (machine_us == at_us) {
		machine_tick(machine);
	} else {
		sim_world_run(world->sim, world->now_us);
	}
	world->steps++;
	judge_step(world);
	return true;
}

static bool run_until(struct world *world, int64_t until_us)
{
	while (step(world, until_us))
		;
	if (!world->broken)
		advance(world, until_us);
	return !world->broken;
}

bool world_run_seconds(struct world *world, double seconds)
{
	return run_until(world, world->now_us + (int64_t)(seconds * 1e6));
}

bool world_run_hours(struct world *world, double hours)
{
	return world_run_seconds(world, hours * 3600);
}

bool world_run_days(struct world *world, double days)
{
	return world_run_seconds(world, days * 86400);
}

bool world_settle(struct world *world)
{
	char who[160] = "";
	int64_t from_us = world->now_us;
	world->healed = true;
	world->backhaul = (struct world_backhaul){0};
	memset(world->cut_until_us, 0, sizeof world->cut_until_us);
	world->broker_away_until_us = 0;
	world->broker_leaves_s = 0;
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++)
		world->machines[i].stalled_us = 0;
	for (unsigned i = 0; i < world->device_count; i++)
		world->sim->devices[i].miss_downlinks = 0;
	while (!judge_all_served(world, from_us, who, sizeof who)) {
		if (world->now_us - from_us > SETTLE_MAX_US)
			world_break(world, "a day after the faults ended: %s", who);
		if (!run_until(world, world->now_us + SETTLE_STEP_US))
			return false;
	}
	sim_world_quieten(world->sim);
	if (!run_until(world, world->now_us + LAST_US))
		return false;
	judge_end(world);
	return !world->broken;
}

/* --- life --- */

/* libsodium draws from the world's seed, so that sealed bytes are the same again. */
static void sodium_bytes(void *const bytes, const size_t length)
{
	struct rng any = rng_seeded(1);
	rng_fill(world_of_now ? &world_of_now->sodium_rng : &any, bytes, length);
}

static uint32_t sodium_number(void)
{
	uint32_t number;
	sodium_bytes(&number, sizeof number);
	return number;
}

static const char *sodium_name(void)
{
	return "world";
}

static void prepare_libraries(void)
{
	static randombytes_implementation implementation = {
		.implementation_name = sodium_name, .random = sodium_number, .buf = sodium_bytes};
	static bool done;
	if (!done) {
		randombytes_set_implementation(&implementation);
		ASSERT(secret_init() == ST_OK);
		log_init("world", getenv("LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
		fault_vfs_reset();
	}
	done = true;
}

struct world *world_new(uint64_t seed)
{
	ASSERT(!world_of_now);
	struct world *world = calloc(1, sizeof *world);
	ASSERT(world);
	world->seed = seed;
	world->rng = rng_seeded(seed * 5 + 1);
	world->fault_rng = rng_seeded(seed * 5 + 2);
	world->people_rng = rng_seeded(seed * 5 + 3);
	world->sodium_rng = rng_seeded(seed * 5 + 4);
	world->digest = UINT64_C(0xcbf29ce484222325);
	world->interval_s = 300;
	world->traced = getenv("TRACE") != NULL;
	world->gateway_count = 1;
	world_of_now = world;
	prepare_libraries();
	return world;
}

void world_devices(struct world *world, unsigned count, enum world_profile profile)
{
	ASSERT_CMP(world->device_count + count, <=, WORLD_DEVICES_MAX);
	while (count-- > 0)
		world->profiles[world->device_count++] = profile;
}

void world_gateways(struct world *world, unsigned count)
{
	ASSERT(count > 0 && count <= WORLD_GATEWAYS_MAX);
	world->gateway_count = count;
}

void world_interval(struct world *world, unsigned seconds)
{
	world->interval_s = seconds;
}

void world_paced_joins(struct world *world)
{
	world->paced_joins = true;
}

void world_place(struct world *world, unsigned device, unsigned metres, unsigned dr)
{
	ASSERT(!world->begun && world->placed_count < ARRAY_SIZE(world->placed));
	world->placed[world->placed_count].device = device;
	world->placed[world->placed_count].metres = metres;
	world->placed[world->placed_count++].dr = dr;
}

unsigned world_device_dr(const struct world *world, unsigned device)
{
	return sim_world_device(world->sim, device)->dr;
}

unsigned world_device_power(const struct world *world, unsigned device)
{
	return sim_world_device(world->sim, device)->power_index;
}

void world_begin(struct world *world)
{
	static const struct machine_kind *const kinds[WORLD_PROCESS_COUNT] = {
		[WORLD_BRIDGE] = &world_bridge,
		[WORLD_NETWORK] = &world_network,
		[WORLD_JOIN] = &world_join,
		[WORLD_APPLICATION] = &world_application};
	ASSERT(!world->begun && world->device_count > 0);
	world->begun = true;
	fault_vfs_reset();
	world_keys_make(world);
	world_scenario_make(world);
	world->sim = sim_world_new(&world->scenario, (struct wall){WORLD_WALL_START},
				   (struct sim_port){world_from_gateway, world});
	ASSERT(world->sim);
	sim_world_connect_stations(world->sim, (struct sim_station_port){world_station_act, world});
	judge_new(world);
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++)
		machine_init(&world->machines[i], world, (enum world_process)i, kinds[i]);
	for (int i = 0; i < WORLD_PROCESS_COUNT && !world->broken; i++)
		machine_start(&world->machines[i]);
	if (!world->broken)
		world_register(world);
	world_faults_begin(world);
	world_people_begin(world);
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (int i = 0; world->begun && i < WORLD_PROCESS_COUNT; i++)
		machine_release(&world->machines[i]);
	for (size_t i = 0; i < world->queued; i++)
		free(world->queue[i].bytes);
	free(world->queue);
	machine_links_release(world);
	machine_calls_release(world);
	judge_free(world);
	sim_world_free(world->sim);
	if (world->begun)
		sim_scenario_release(&world->scenario);
	world_keys_release(world);
	world_broker_release(world);
	free(world->commands);
	free(world->list);
	free(world);
	world_of_now = NULL;
}

const char *world_broken(const struct world *world)
{
	return world->why;
}

uint64_t world_digest(const struct world *world)
{
	return world->digest ^ (world->sim ? sim_world_digest(world->sim) : 0);
}

uint64_t world_count(const struct world *world, enum world_fault fault)
{
	return world->faults[fault];
}
