/* People who send commands to devices: through the API, with an id of their own, again and again until an answer comes; or through
 * their broker, with an id or without. */
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

/* Writes the command's JSON; the two ways in spell the port differently. */
static void write_body(const struct world *world, size_t number, char *body, size_t capacity)
{
	const struct world_command *command = &world->commands[number];
	uint8_t payload[WORLD_COMMAND_BYTES];
	char data[BASE64_ROOM(WORLD_COMMAND_BYTES)], id[AS_UUID_TEXT], dev_eui[LW_EUI64_TEXT];
	world_command_payload(number, payload);
	base64_encode(data, payload, sizeof payload);
	as_uuid_format(id, &command->id);
	lw_eui64_format(dev_eui, &world->scenario.devices[command->device].dev_eui);
	int length = command->way == COMMAND_CALL
			     ? snprintf(body, capacity, "{\"f_port\": %d", WORLD_COMMAND_PORT)
			     : snprintf(body, capacity, "{\"devEui\": \"%s\", \"fPort\": %d", dev_eui,
					WORLD_COMMAND_PORT);
	length += snprintf(body + length, capacity - (size_t)length, ", \"data\": \"%s\", \"confirmed\": %s",
			   data, command->confirmed ? "true" : "false");
	if (command->way != COMMAND_PUBLISH_NAMELESS)
		length += snprintf(body + length, capacity - (size_t)length, ", \"id\": \"%s\"", id);
	snprintf(body + length, capacity - (size_t)length, "}");
}

static void call_api(struct world *world, size_t number)
{
	struct machine *machine = &world->machines[WORLD_APPLICATION];
	char dev_eui[LW_EUI64_TEXT], body[256];
	if (!machine->up || machine->stalled_us > world->now_us)
		return;
	write_body(world, number, body, sizeof body);
	lw_eui64_format(dev_eui, &world->scenario.devices[world->commands[number].device].dev_eui);
	int status = world_api(world, "POST", "/api/v1/devices/{id}/downlinks", NULL, dev_eui, body);
	if (status == 200)
		status = 202; /* the same id again: its first fate */
	if (status != 202 && status != 409)
		world_break(world, "command %zu: %d %s", number, status, world->api_problem);
	machine_queue(machine, (struct outgoing){.leave = answer_leaves, .a = number, .b = (uint64_t)status});
}

/* The broker's word is enough: from there on it is the application server's to lose. */
static void publish(struct world *world, size_t number)
{
	char dev_eui[LW_EUI64_TEXT], body[256], topic[128];
	write_body(world, number, body, sizeof body);
	lw_eui64_format(dev_eui, &world->scenario.devices[world->commands[number].device].dev_eui);
	snprintf(topic, sizeof topic, "application/%s/device/%s/command/down", world->application, dev_eui);
	if (!world_broker_publish(world, topic, body))
		return;
	world->commands[number].state = COMMAND_ACCEPTED;
	world->commands[number].published = ++world->publications;
}

static void command_called(struct world *world, const struct world_event *event)
{
	size_t number = (size_t)event->a;
	const struct world_command *command = &world->commands[number];
	if (command->state == COMMAND_ACCEPTED || command->state == COMMAND_REFUSED)
		return;
	world_put(world, (struct world_event){.at_us = world->now_us + AGAIN_US,
					      .happen = command_called,
					      .a = number}); /* unless an answer comes before */
	if (command->way == COMMAND_CALL)
		call_api(world, number);
	else
		publish(world, number);
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
		.id = as_uuid_new(&world->people_rng),
		.device = device,
		.confirmed = confirmed,
		.way = (enum command_way)rng_below(&world->people_rng, COMMAND_WAYS)};
	world->commands[number].named = world->commands[number].way != COMMAND_PUBLISH_NAMELESS;
	world_put(world, (struct world_event){.at_us = world->now_us, .happen = command_called, .a = number});
}

int world_order_rejoin(struct world *world, unsigned device, const char *body)
{
	char dev_eui[LW_EUI64_TEXT];
	lw_eui64_format(dev_eui, &world->scenario.devices[device].dev_eui);
	return world_api(world, "POST", "/api/v1/devices/{id}/rejoin", NULL, dev_eui, body);
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
