/* Commands, from the agency's call to the device. */
#include "tests/simulation/world/judge.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

struct judge_item *judge_item(struct world *world, size_t number)
{
	struct judge *judge = world->judge;
	if (number >= judge->item_room) {
		size_t room = 2 * number + 64;
		judge->items = realloc(judge->items, room * sizeof *judge->items);
		ASSERT(judge->items);
		memset(judge->items + judge->item_room, 0, (room - judge->item_room) * sizeof *judge->items);
		judge->item_room = room;
	}
	return &judge->items[number];
}

static int find(const struct world *world, const struct net_uuid *id)
{
	for (size_t i = 0; i < world->command_count; i++)
		if (world->commands[i].named && memcmp(&world->commands[i].id, id, sizeof *id) == 0)
			return (int)i;
	return -1;
}

/* An item that the application server has named: of the oldest command of that device that has no name yet. */
static int find_nameless(struct world *world, const struct net_downlink_event *event)
{
	int device = judge_device_of(world, &event->head.dev_eui), oldest = -1;
	for (size_t i = 0; i < world->command_count; i++) {
		const struct world_command *command = &world->commands[i];
		if (!command->named && command->state == COMMAND_ACCEPTED && (int)command->device == device &&
		    (oldest < 0 || command->published < world->commands[oldest].published))
			oldest = (int)i;
	}
	if (oldest >= 0) {
		world->commands[oldest].named = true;
		world->commands[oldest].id = event->item;
	}
	return oldest;
}

/* The device says itself which command it got. */
void judge_command_received(struct world *world, const struct sim_record *record)
{
	if (record->result != SIM_DOWN_ACCEPTED || record->fport != WORLD_COMMAND_PORT)
		return;
	struct rd rd = rd_init(record->payload, record->length);
	uint8_t mark = rd_u8(&rd);
	uint32_t number = rd_u32be(&rd);
	if (!rd_ok(&rd) || rd_left(&rd) > 0 || mark != 0xc0 || number >= world->command_count ||
	    world->commands[number].device != record->device) {
		world_break(world, "device %u: a command that nobody sent to it", record->device);
		return;
	}
	struct judge_item *item = judge_item(world, number);
	world_trace(world, "device %u: got command %u", record->device, number);
	world->judge->totals.commands_received += item->received++ == 0;
	if (item->received > 1 && !world->commands[number].confirmed && !item->taken_back)
		world_break(world, "device %u: got command %u, which is unconfirmed, a second time",
			    record->device, number);
	world_mix(world, &number, sizeof number);
}

void judge_downlink_event(struct world *world, const struct net_downlink_event *event)
{
	int number = find(world, &event->item);
	if (number < 0)
		number = find_nameless(world, event);
	if (number < 0) {
		world_break(world, "device %d: an event of an item that nobody sent, or that was taken twice",
			    judge_device_of(world, &event->head.dev_eui));
		return;
	}
	struct judge_item *item = judge_item(world, (size_t)number);
	if (event->status == NET_ITEM_ACKNOWLEDGED && item->received == 0)
		world_break(world, "command %d is acknowledged, and the device has not got it", number);
	world_trace(world, "command %d: %s %s", number, net_item_status_name(event->status), event->cause);
	item->taken_back |= event->status == NET_ITEM_QUEUED && item->planned;
	item->planned |= event->status == NET_ITEM_PLANNED;
	item->acknowledged |= event->status == NET_ITEM_ACKNOWLEDGED;
}

/* A confirmed one that was sent still waits for its acknowledgement. */
static bool is_end(enum net_item_status status, bool confirmed)
{
	return status != NET_ITEM_QUEUED && status != NET_ITEM_PLANNED &&
	       !(status == NET_ITEM_SENT && confirmed);
}

bool judge_items_ended(struct world *world, char *who, size_t capacity)
{
	for (size_t i = 0; i < world->command_count; i++) {
		const struct world_command *command = &world->commands[i];
		struct judge_item *item = judge_item(world, i);
		enum net_item_status status;
		if (item->ended || command->state == COMMAND_REFUSED)
			continue;
		if (command->state != COMMAND_ACCEPTED || !command->named ||
		    !world_item_status(world, &command->id, &status)) {
			snprintf(who, capacity, "command %zu of device %u was not accepted", i,
				 command->device);
			return false;
		}
		if (!is_end(status, command->confirmed)) {
			snprintf(who, capacity, "command %zu of device %u is still %s", i, command->device,
				 net_item_status_name(status));
			return false;
		}
		item->ended = true;
	}
	return true;
}
