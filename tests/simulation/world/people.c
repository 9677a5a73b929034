/* People who send commands to devices: through the API, with an id of their own, again and again until an answer comes. */
#include "tests/simulation/world/world_parts.h"

#include "application-server/uuid.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_US (3 * US_PER_S)

/* The payload is the command's number, so that the device's own view tells which one it got. */
void world_command_payload(size_t number, uint8_t payload[WORLD_COMMAND_BYTES])
{
	struct wr wr = wr_init(payload, WORLD_COMMAND_BYTES);
	wr_u8(&wr, 0xc0);
	wr_u32be(&wr, (uint32_t)number);
}

static void command_called(struct world *world, const struct world_event *event);

static void answer_leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct world_command *command = &machine->world->commands[outgoing->a];
	command->state = outgoing->b == 202 ? COMMAND_ACCEPTED : COMMAND_REFUSED;
}

static void command_called(struct world *world, const struct world_event *event)
{
	size_t number = (size_t)event->a;
	struct world_command *command = &world->commands[number];
	struct machine *machine = &world->machines[WORLD_APPLICATION];
	if (command->state == COMMAND_ACCEPTED || command->state == COMMAND_REFUSED)
		return;
	world_put(world, (struct world_event){.at_us = world->now_us + AGAIN_US,
					      .happen = command_called,
					      .a = number}); /* unless an answer comes before */
	if (!machine->up || machine->stalled_us > world->now_us)
		return;
	uint8_t payload[WORLD_COMMAND_BYTES];
	char data[BASE64_ROOM(WORLD_COMMAND_BYTES)], id[AS_UUID_TEXT], dev_eui[LW_EUI64_TEXT], body[256];
	world_command_payload(number, payload);
	base64_encode(data, payload, sizeof payload);
	lw_eui64_format(dev_eui, &world->scenario.devices[command->device].dev_eui);
	snprintf(body, sizeof body, "{\"f_port\": %d, \"data\": \"%s\", \"confirmed\": %s, \"id\": \"%s\"}",
		 WORLD_COMMAND_PORT, data, command->confirmed ? "true" : "false",
		 as_uuid_format(id, &command->id));
	int status = world_api(world, "POST", "/api/v1/devices/{id}/downlinks", NULL, dev_eui, body);
	if (status == 200)
		status = 202; /* the same id again: its first fate */
	if (status != 202 && status != 409)
		world_break(world, "command %zu: %d %s", number, status, world->api_problem);
	machine_queue(machine, (struct outgoing){.leave = answer_leaves, .a = number, .b = (uint64_t)status});
}

void world_send_command(struct world *world, unsigned device, bool confirmed)
{
	ASSERT_CMP(device, <, world->device_count);
	if (world->command_count == world->command_room) {
		world->command_room = world->command_room * 2 + 64;
		world->commands = realloc(world->commands, world->command_room * sizeof *world->commands);
		ASSERT(world->commands);
	}
	size_t number = world->command_count++;
	world->commands[number] = (struct world_command){
		.id = as_uuid_new(&world->people_rng), .device = device, .confirmed = confirmed};
	world_put(world, (struct world_event){.at_us = world->now_us, .happen = command_called, .a = number});
}

static void command_comes(struct world *world, const struct world_event *event)
{
	(void)event;
	if (world->healed)
		return;
	unsigned device = rng_below(&world->people_rng, world->device_count);
	world_send_command(world, device, rng_below(&world->people_rng, 2) == 0);
	world_people_begin(world);
}

void world_people_begin(struct world *world)
{
	if (world->commands_an_hour > 0)
		world_put(world, (struct world_event){.at_us = world_next_us(world, &world->people_rng,
									     world->commands_an_hour *
										     world->device_count),
						      .happen = command_comes});
}

void world_commands(struct world *world, double an_hour)
{
	bool runs = world->commands_an_hour > 0;
	world->commands_an_hour = an_hour;
	if (world->begun && !runs)
		world_people_begin(world);
}
