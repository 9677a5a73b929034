#include "simulator/world_parts.h"

#include "common/base/check.h"
#include "common/crypto/aes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct packet {
	size_t gateway;
	enum sim_socket socket;
	size_t length;
	uint8_t bytes[];
};

/* --- what is kept ------------------------------------------------------------------------------------------- */

void sim_world_mix(struct sim_world *world, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		world->digest = (world->digest ^ at[i]) * UINT64_C(0x100000001b3);
}

bool sim_world_grow(void **array, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return true;
	size_t wanted = *room ? *room * 2 : 1024;
	if (wanted > SIM_RECORDS_MAX)
		return false;
	void *bigger = realloc(*array, wanted * size);
	if (bigger == NULL)
		return false;
	*array = bigger;
	*room = wanted;
	return true;
}

static void put_record(void *ctx, const struct sim_record *record)
{
	struct sim_world *world = ctx;
	sim_world_mix(world, &record->at_us, sizeof record->at_us);
	sim_world_mix(world, &record->device, sizeof record->device);
	sim_world_mix(world, record->phy, record->phy_length);
	if (record->kind == SIM_RECORD_DOWNLINK) {
		world->repeated += record->result == SIM_DOWN_REPEATED;
		world->accepted += record->result == SIM_DOWN_ACCEPTED;
	}
	if (world->watcher.put != NULL) {
		world->watcher.put(world->watcher.ctx, record);
		return;
	}
	void *entries = world->entries;
	if (!sim_world_grow(&entries, &world->entry_room, world->entry_count, sizeof *world->entries)) {
		world->entries_dropped++;
		return;
	}
	world->entries = entries;
	world->entries[world->entry_count++] = (struct sim_entry){.record = *record};
}

/* --- scheduling --------------------------------------------------------------------------------------------- */

void sim_world_schedule(struct sim_world *world, int64_t at_us, enum sim_event_kind kind, size_t index,
			void *owned)
{
	if (at_us == SIM_NEVER) {
		free(owned);
		return;
	}
	sim_event_queue_put(&world->queue,
			    (struct sim_event){.at_us = at_us < world->now_us ? world->now_us : at_us,
					       .kind = kind,
					       .index = index,
					       .owned = owned});
}

void sim_world_schedule_device(struct sim_world *world, size_t device)
{
	sim_world_schedule(world, sim_device_next_us(&world->devices[device]), SIM_EVENT_DEVICE, device,
			   NULL);
}

/* Schedules a copy of a datagram; the queue owns it until it is handled. */
static void schedule_datagram(struct sim_world *world, int64_t at_us, enum sim_event_kind kind,
			      size_t gateway, enum sim_socket socket, const uint8_t *bytes, size_t length)
{
	struct packet *packet = malloc(sizeof *packet + length);
	ASSERT(packet != NULL);
	packet->gateway = gateway;
	packet->socket = socket;
	packet->length = length;
	memcpy(packet->bytes, bytes, length);
	sim_world_schedule(world, at_us, kind, gateway, packet);
}

void sim_world_settle_gateway(struct sim_world *world, size_t gateway)
{
	static struct sim_datagram datagram;
	while (sim_gateway_take(&world->gateways[gateway], &datagram)) {
		schedule_datagram(world, datagram.due_us, SIM_EVENT_UP_DATAGRAM, gateway, datagram.socket,
				  datagram.bytes, datagram.length);
	}
	sim_world_schedule(world, sim_gateway_next_us(&world->gateways[gateway]), SIM_EVENT_GATEWAY, gateway,
			   NULL);
}

/* --- faults ------------------------------------------------------------------------------------------------- */

static bool aims_at(const struct sim_fault *fault, const struct lw_eui64 *eui, const char *name)
{
	struct lw_eui64 target = {{0}};
	if (strcmp(fault->target, "all") == 0 || (name != NULL && strcmp(fault->target, name) == 0))
		return true;
	return lw_eui64_parse(fault->target, &target) && lw_eui64_equal(&target, eui);
}

static void fault_at_gateway(struct sim_world *world, const struct sim_fault *fault, size_t g, bool begins)
{
	struct sim_gateway *gateway = &world->gateways[g];
	bool breaks = begins &&
		      (fault->kind == SIM_FAULT_GATEWAY_OFF || fault->kind == SIM_FAULT_BACKHAUL_DOWN);
	bool restarts = fault->kind == SIM_FAULT_GATEWAY_RESTART ||
			(fault->kind == SIM_FAULT_GATEWAY_OFF && !begins);
	switch (fault->kind) {
	case SIM_FAULT_GATEWAY_OFF:
		gateway->off = begins;
		if (!begins)
			sim_gateway_restart(gateway, world->now_us);
		break;
	case SIM_FAULT_GATEWAY_RESTART: sim_gateway_restart(gateway, world->now_us); break;
	case SIM_FAULT_GATEWAY_MUTE: gateway->mute = begins; break;
	case SIM_FAULT_BACKHAUL_DOWN: gateway->backhaul_down = begins; break;
	case SIM_FAULT_BACKHAUL_DELAY:
		gateway->extra_backhaul_us = begins ? (int64_t)fault->value * US_PER_MS : 0;
		break;
	default: break;
	}
	if (world->mqtts[g] != NULL)
		sim_world_mqtt_fault(world, g);
	if (world->stations[g] != NULL)
		sim_world_station_fault(world, g, breaks, restarts);
	else
		sim_world_settle_gateway(world, g);
}

static void apply_fault(struct sim_world *world, const struct sim_fault *fault, bool begins)
{
	if (fault->kind == SIM_FAULT_DEVICE_OFF || fault->kind == SIM_FAULT_MISS_DOWNLINKS) {
		for (size_t d = 0; begins && d < world->scenario->device_count; d++) {
			struct sim_device *device = &world->devices[d];
			if (!aims_at(fault, &device->config.dev_eui, device->config.name))
				continue;
			if (fault->kind == SIM_FAULT_DEVICE_OFF)
				sim_device_power_cycle(device, world->now_us, fault->for_us);
			else
				device->miss_downlinks += fault->value;
			sim_world_schedule_device(world, d);
		}
		return;
	}
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		if (aims_at(fault, &world->gateways[g].config.eui, NULL))
			fault_at_gateway(world, fault, g, begins);
	}
}

/* --- events ------------------------------------------------------------------------------------------------- */

static void on_device(struct sim_world *world, size_t d)
{
	struct sim_device *device = &world->devices[d];
	struct sim_uplink uplink;
	if (sim_device_next_us(device) > world->now_us)
		return; /* it was moved meanwhile */
	if (world->quiet && device->state == SIM_DEVICE_IDLE)
		return;
	size_t before = world->entry_count;
	if (sim_device_tick(device, world->now_us, &uplink))
		sim_world_uplink_starts(world, d, &uplink,
					world->entry_count > before ? world->entry_count - 1 : SIZE_MAX);
	sim_world_schedule_device(world, d);
}

static void on_gateway(struct sim_world *world, size_t g)
{
	struct sim_transmission transmission;
	if (sim_gateway_next_us(&world->gateways[g]) > world->now_us)
		return;
	while (sim_gateway_transmit(&world->gateways[g], world->now_us, &transmission))
		sim_world_downlink_starts(world, g, &transmission);
	sim_gateway_tick(&world->gateways[g], world->now_us);
	sim_world_settle_gateway(world, g);
}

static void on_up_datagram(struct sim_world *world, const struct packet *packet)
{
	sim_world_mix(world, packet->bytes, packet->length);
	world->port.send(world->port.ctx, world->now_us, packet->gateway, packet->socket, packet->bytes,
			 packet->length);
}

static void handle(struct sim_world *world, const struct sim_event *event)
{
	const struct sim_air *air = event->owned;
	const struct packet *packet = event->owned;
	switch (event->kind) {
	case SIM_EVENT_DEVICE: on_device(world, event->index); break;
	case SIM_EVENT_GATEWAY: on_gateway(world, event->index); break;
	case SIM_EVENT_AIR_END:
		if (air->down)
			sim_world_downlink_ends(world, air);
		else
			sim_world_uplink_ends(world, air);
		break;
	case SIM_EVENT_UP_DATAGRAM: on_up_datagram(world, packet); break;
	case SIM_EVENT_DOWN_DATAGRAM:
		sim_gateway_receive(&world->gateways[packet->gateway], world->now_us, packet->bytes,
				    packet->length);
		sim_world_settle_gateway(world, packet->gateway);
		break;
	case SIM_EVENT_STATION: sim_world_on_station(world, event->index); break;
	case SIM_EVENT_STATION_UP: sim_world_on_station_up(world, event->index, event->owned); break;
	case SIM_EVENT_STATION_DOWN: sim_world_on_station_down(world, event->index, event->owned); break;
	case SIM_EVENT_MQTT: sim_world_on_mqtt(world, event->index); break;
	case SIM_EVENT_MQTT_UP: sim_world_on_mqtt_up(world, event->index, event->owned); break;
	case SIM_EVENT_MQTT_DOWN: sim_world_on_mqtt_down(world, event->index, event->owned); break;
	case SIM_EVENT_FAULT: apply_fault(world, &world->scenario->faults[event->index], true); break;
	case SIM_EVENT_FAULT_END: apply_fault(world, &world->scenario->faults[event->index], false); break;
	}
}

void sim_world_watch(struct sim_world *world, struct sim_sink watcher)
{
	world->watcher = watcher;
}

void sim_world_watch_air(struct sim_world *world, struct sim_air_port port)
{
	world->air_port = port;
}

int64_t sim_world_next_us(const struct sim_world *world)
{
	return sim_event_queue_next_us(&world->queue);
}

void sim_world_run(struct sim_world *world, int64_t until_us)
{
	struct sim_event event;
	while (sim_event_queue_take(&world->queue, until_us, &event)) {
		world->now_us = event.at_us;
		handle(world, &event);
		free(event.owned);
	}
	if (until_us > world->now_us && until_us != SIM_NEVER)
		world->now_us = until_us;
}

void sim_world_deliver(struct sim_world *world, int64_t now_us, size_t gateway, const uint8_t *bytes,
		       size_t length)
{
	int64_t delay_us = sim_gateway_backhaul_us(&world->gateways[gateway]);
	if (delay_us < 0)
		return;
	schedule_datagram(world, now_us + delay_us, SIM_EVENT_DOWN_DATAGRAM, gateway, SIM_SOCKET_DOWN, bytes,
			  length);
}

void sim_world_quieten(struct sim_world *world)
{
	world->quiet = true;
}

bool sim_world_is_quiet(const struct sim_world *world)
{
	for (size_t d = 0; d < world->scenario->device_count; d++) {
		if (world->devices[d].state == SIM_DEVICE_EXCHANGE ||
		    world->devices[d].state == SIM_DEVICE_WAITING)
			return false;
	}
	return true;
}

/* --- life --------------------------------------------------------------------------------------------------- */

static void compute_losses(struct sim_world *world)
{
	const struct sim_scenario *scenario = world->scenario;
	for (size_t d = 0; d < scenario->device_count; d++) {
		for (size_t g = 0; g < scenario->gateway_count; g++) {
			double distance_m = hypot(scenario->devices[d].x_m - scenario->gateways[g].config.x_m,
						  scenario->devices[d].y_m -
							  scenario->gateways[g].config.y_m);
			world->loss_db[d * scenario->gateway_count + g] =
				sim_radio_path_loss_db(&scenario->loss, scenario->plan->fixed ? 904e6 : 868e6,
						       distance_m) +
				sim_radio_shadowing_db(&scenario->loss, scenario->seed, (uint32_t)d,
						       0x80000000u + (uint32_t)g);
		}
	}
}

struct sim_world *sim_world_new(const struct sim_scenario *scenario, struct wall start, struct sim_port port)
{
	struct sim_world *world = calloc(1, sizeof *world);
	if (world == NULL)
		return NULL;
	world->scenario = scenario;
	world->port = port;
	world->digest = UINT64_C(0xcbf29ce484222325);
	world->aes = aes_new();
	world->devices = calloc(scenario->device_count + 1, sizeof *world->devices);
	world->gateways = calloc(scenario->gateway_count + 1, sizeof *world->gateways);
	world->loss_db = calloc(scenario->device_count * scenario->gateway_count + 1, sizeof *world->loss_db);
	if (world->aes == NULL || world->devices == NULL || world->gateways == NULL ||
	    world->loss_db == NULL) {
		sim_world_free(world);
		return NULL;
	}
	compute_losses(world);
	for (size_t g = 0; g < scenario->gateway_count; g++) {
		struct sim_gateway_config config = scenario->gateways[g].config;
		config.start = start;
		sim_gateway_init(&world->gateways[g], &config, scenario->seed * 31 + g);
		sim_world_settle_gateway(world, g);
	}
	if (!sim_world_stations_init(world, start) || !sim_world_mqtts_init(world)) {
		sim_world_free(world);
		return NULL;
	}
	for (size_t d = 0; d < scenario->device_count; d++) {
		sim_device_init(&world->devices[d], &scenario->devices[d], (uint32_t)d, world->aes,
				scenario->seed, (struct sim_sink){put_record, world});
		sim_world_schedule_device(world, d);
	}
	for (size_t f = 0; f < scenario->fault_count; f++) {
		sim_world_schedule(world, scenario->faults[f].at_us, SIM_EVENT_FAULT, f, NULL);
		if (scenario->faults[f].for_us > 0)
			sim_world_schedule(world, scenario->faults[f].at_us + scenario->faults[f].for_us,
					   SIM_EVENT_FAULT_END, f, NULL);
	}
	return world;
}

void sim_world_free(struct sim_world *world)
{
	struct sim_event event;
	if (world == NULL)
		return;
	while (sim_event_queue_take(&world->queue, SIM_NEVER, &event))
		free(event.owned);
	sim_event_queue_release(&world->queue);
	aes_free(world->aes);
	if (world->devices != NULL)
		explicit_bzero(world->devices, world->scenario->device_count * sizeof *world->devices);
	free(world->devices);
	free(world->gateways);
	sim_world_stations_free(world);
	sim_world_mqtts_free(world);
	free(world->loss_db);
	free(world->entries);
	free(world->sent);
	free(world);
}
