/* What has newly happened goes to the part of the judge that knows about it. */
#include "tests/simulation/world/judge.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

void judge_new(struct world *world)
{
	struct judge *judge = calloc(1, sizeof *judge);
	ASSERT(judge);
	judge->devices = calloc(world->device_count, sizeof *judge->devices);
	judge->message = calloc(1, sizeof *judge->message);
	judge->aes = aes_new();
	ASSERT(judge->devices && judge->message && judge->aes);
	arena_init(&judge->arena, 1u << 20);
	world->judge = judge;
}

void judge_free(struct world *world)
{
	struct judge *judge = world->judge;
	if (!judge)
		return;
	for (unsigned i = 0; i < world->device_count; i++)
		free(judge->devices[i].frames);
	for (unsigned g = 0; g < WORLD_GATEWAYS_MAX; g++)
		for (unsigned b = 0; b < JUDGE_BANDS; b++)
			free(judge->air[g][b].sent);
	free(judge->devices);
	free(judge->counters.entries);
	free(judge->join_nonces.entries);
	free(judge->dev_nonces.entries);
	free(judge->items);
	free(judge->message);
	aes_free(judge->aes);
	arena_release(&judge->arena);
	free(judge);
}

/* --- the map --- */

static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct judge_entry *place_of(struct judge_map *map, uint64_t key)
{
	size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (map->room - 1);
	while (map->entries[at].key != 0 && map->entries[at].key != key)
		at = (at + 1) & (map->room - 1);
	return &map->entries[at];
}

static void grow(struct judge_map *map)
{
	struct judge_map bigger = {.room = map->room ? map->room * 2 : 1024, .count = map->count};
	bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
	ASSERT(bigger.entries);
	for (size_t i = 0; i < map->room; i++)
		if (map->entries[i].key != 0)
			*place_of(&bigger, map->entries[i].key) = map->entries[i];
	free(map->entries);
	*map = bigger;
}

bool judge_used_twice(struct judge_map *map, uint64_t key, const uint8_t *bytes, size_t length)
{
	uint64_t content = hash_of(bytes, length);
	if (map->count * 2 >= map->room)
		grow(map);
	struct judge_entry *entry = place_of(map, key + 1);
	if (entry->key != 0)
		return entry->content != content;
	*entry = (struct judge_entry){key + 1, content};
	map->count++;
	return false;
}

/* --- steps --- */

/* TRACE=1: what a person needs to follow a seed. */
static void trace_record(struct world *world, const struct sim_record *record)
{
	if (!world->traced)
		return;
	printf("%14.6f device %u %s %08x fcnt %u", (double)record->at_us / 1e6, record->device,
	       sim_record_kind_name(record->kind), record->dev_addr.value, record->fcnt);
	if (record->kind == SIM_RECORD_DOWNLINK)
		printf(" %s", sim_down_result_name(record->result));
	if (record->kind == SIM_RECORD_JOIN_REQUEST || record->kind == SIM_RECORD_JOINED)
		printf(" dev_nonce %u join_nonce %u", record->dev_nonce, record->join_nonce);
	printf(" attempt %u fport %d%s%s\n", record->attempt, record->fport,
	       record->confirmed ? " confirmed" : "", record->acknowledged ? " acknowledged" : "");
}

static void look_at_record(struct world *world, const struct sim_record *record)
{
	trace_record(world, record);
	switch (record->kind) {
	case SIM_RECORD_UPLINK: judge_uplink(world, record); break;
	case SIM_RECORD_OUTCOME: judge_outcome(world, record); break;
	case SIM_RECORD_DOWNLINK:
		judge_downlink_at_device(world, record);
		judge_command_received(world, record);
		break;
	case SIM_RECORD_JOINED: world->judge->totals.joins++; break;
	default: break;
	}
}

void judge_step(struct world *world)
{
	struct judge *judge = world->judge;
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(world->sim, &count, &dropped);
	while (judge->entries_seen < count)
		look_at_record(world, &entries[judge->entries_seen++].record);
	const struct sim_air_entry *air = sim_world_air(world->sim, &count);
	while (judge->air_seen < count)
		judge_on_air(world, &air[judge->air_seen++]);
	if (dropped > 0)
		world_break(world, "the world is too long for its records");
}

void judge_committed(struct world *world, const uint8_t *event, size_t length)
{
	struct judge *judge = world->judge;
	judge_step(world);
	if (proto_unpack(judge->message, event, length, &judge->arena) != ST_OK)
		world_break(world, "network server: an event that cannot be read");
	else if (judge->message->kind == PROTO_UP_EVENT)
		judge_up_event(world, &judge->message->up_event);
	else if (judge->message->kind == PROTO_JOIN_EVENT &&
		 judge->message->join_event.head.row > judge->join_row) {
		judge->join_row = judge->message->join_event.head.row;
		judge->totals.sessions++;
	} else if (judge->message->kind == PROTO_DOWNLINK_EVENT)
		judge_downlink_event(world, &judge->message->downlink_event);
}

bool judge_all_served(struct world *world, int64_t since_us, char *who, size_t capacity)
{
	for (unsigned i = 0; i < world->device_count; i++) {
		const struct judge_device *book = &world->judge->devices[i];
		const struct sim_device *device = sim_world_device(world->sim, i);
		if (book->served_us < since_us)
			snprintf(who, capacity, "no reading of device %u (%s) has come through", i,
				 device->joined ? "joined" : "not joined");
		else if (device->config.confirmed_every > 0 && book->acknowledged_us < since_us)
			snprintf(who, capacity, "no confirmed reading of device %u was acknowledged", i);
		else
			continue;
		return false;
	}
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++)
		if (!world->machines[i].up) {
			snprintf(who, capacity, "%s is down", world_process_name((enum world_process)i));
			return false;
		}
	return judge_items_ended(world, who, capacity);
}

void judge_end(struct world *world)
{
	judge_step(world);
	for (unsigned i = 0; i < world->device_count; i++) {
		const char *differs = world_mac_differs(world, i);
		if (differs)
			world_break(world, "device %u: it has another %s than it told the network", i,
				    differs);
	}
	const char *left = world_journal_left(world);
	if (left)
		world_break(world, "network server: at the end it has %s", left);
	judge_frames_end(world);
}

struct world_totals world_totals(const struct world *world)
{
	struct world_totals totals = world->judge ? world->judge->totals : (struct world_totals){0};
	totals.steps = world->steps;
	totals.commands = world->command_count;
	return totals;
}
