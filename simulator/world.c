#include "simulator/world.h"

#include "simulator/event_queue.h"

#include "common/base/check.h"
#include "common/crypto/aes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LISTENERS_MAX 32
#define RECENT_MAX    64 /* downlinks that may still interfere */

/* A frame on its way through the air. */
struct air {
	bool down;
	size_t source; /* device or gateway */
	uint64_t id;
	size_t entry; /* the uplink's entry; SIZE_MAX: dropped */
	struct sim_uplink uplink;
	struct sim_transmission transmission;
	size_t listeners[LISTENERS_MAX]; /* devices that listen to the downlink */
	size_t listener_count;
};

struct packet {
	size_t gateway;
	enum sim_socket socket;
	size_t length;
	uint8_t bytes[];
};

struct recent {
	size_t gateway;
	double power_dbm;
	struct sim_signal signal;
};

struct sim_world {
	const struct sim_scenario *scenario;
	struct sim_port port;
	struct aes *aes;
	struct sim_device *devices;
	struct sim_gateway *gateways;
	double *loss_db; /* device × gateway: distance and shadow */
	struct sim_event_queue queue;
	int64_t now_us;
	uint64_t next_id;
	bool quiet;
	uint64_t digest;
	struct recent recent[RECENT_MAX];
	size_t recent_next;
	struct sim_entry *entries;
	size_t entry_count;
	size_t entry_room;
	uint64_t entries_dropped;
	struct sim_air_entry *sent;
	size_t sent_count;
	size_t sent_room;
	uint64_t repeated;
	uint64_t accepted;
};

/* --- what is kept ------------------------------------------------------------------------------------------- */

static void mix(struct sim_world *world, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		world->digest = (world->digest ^ at[i]) * UINT64_C(0x100000001b3);
}

/* Grows an array by doubling up to SIM_RECORDS_MAX elements; false when there is no more room. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
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
	mix(world, &record->at_us, sizeof record->at_us);
	mix(world, &record->device, sizeof record->device);
	mix(world, record->phy, record->phy_length);
	if (record->kind == SIM_RECORD_DOWNLINK) {
		world->repeated += record->result == SIM_DOWN_REPEATED;
		world->accepted += record->result == SIM_DOWN_ACCEPTED;
	}
	void *entries = world->entries;
	if (!grow(&entries, &world->entry_room, world->entry_count, sizeof *world->entries)) {
		world->entries_dropped++;
		return;
	}
	world->entries = entries;
	world->entries[world->entry_count++] = (struct sim_entry){.record = *record};
}

static void put_sent(struct sim_world *world, size_t gateway, const struct sim_transmission *transmission)
{
	void *sent = world->sent;
	if (!grow(&sent, &world->sent_room, world->sent_count, sizeof *world->sent))
		return;
	world->sent = sent;
	struct sim_air_entry *entry = &world->sent[world->sent_count++];
	*entry = (struct sim_air_entry){.at_us = transmission->start_us,
					.gateway = (uint16_t)gateway,
					.token = transmission->token,
					.freq_hz = transmission->txpk.freq_hz,
					.spreading_factor = transmission->txpk.modulation.spreading_factor,
					.length = (uint8_t)transmission->txpk.length};
	memcpy(entry->phy, transmission->txpk.phy, transmission->txpk.length);
}

/* --- scheduling --------------------------------------------------------------------------------------------- */

static void schedule(struct sim_world *world, int64_t at_us, enum sim_event_kind kind, size_t index,
		     void *owned)
{
	if (at_us == SIM_NEVER)
		return;
	sim_event_queue_put(&world->queue,
			    (struct sim_event){.at_us = at_us < world->now_us ? world->now_us : at_us,
					       .kind = kind,
					       .index = index,
					       .owned = owned});
}

static void schedule_device(struct sim_world *world, size_t device)
{
	schedule(world, sim_device_next_us(&world->devices[device]), SIM_EVENT_DEVICE, device, NULL);
}

/* Sends what the gateway has put out on its way, and looks when it wants to be called again. */
static void settle_gateway(struct sim_world *world, size_t gateway)
{
	static struct sim_datagram datagram;
	while (sim_gateway_take(&world->gateways[gateway], &datagram)) {
		struct packet *packet = malloc(sizeof *packet + datagram.length);
		ASSERT(packet != NULL);
		packet->gateway = gateway;
		packet->socket = datagram.socket;
		packet->length = datagram.length;
		memcpy(packet->bytes, datagram.bytes, datagram.length);
		schedule(world, datagram.due_us, SIM_EVENT_UP_DATAGRAM, gateway, packet);
	}
	schedule(world, sim_gateway_next_us(&world->gateways[gateway]), SIM_EVENT_GATEWAY, gateway, NULL);
}

/* --- the air ------------------------------------------------------------------------------------------------ */

static double link_gain_db(const struct sim_world *world, size_t device, size_t gateway, uint64_t frame)
{
	return -world->loss_db[device * world->scenario->gateway_count + gateway] +
	       sim_radio_fading_db(&world->scenario->loss, world->scenario->seed, (uint32_t)device,
				   0x80000000u + (uint32_t)gateway, frame);
}

static void uplink_starts(struct sim_world *world, size_t device, const struct sim_uplink *uplink,
			  size_t entry)
{
	struct air *air = calloc(1, sizeof *air);
	ASSERT(air != NULL);
	air->source = device;
	air->id = ++world->next_id;
	air->entry = entry;
	air->uplink = *uplink;
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		struct sim_signal signal = {.id = air->id,
					    .start_us = uplink->start_us,
					    .end_us = uplink->end_us,
					    .freq_hz = uplink->freq_hz,
					    .bandwidth_hz = uplink->bandwidth_hz,
					    .spreading_factor = uplink->spreading_factor,
					    .power_dbm = uplink->eirp_dbm +
							 link_gain_db(world, device, g, air->id)};
		sim_gateway_signal_starts(&world->gateways[g], &signal);
	}
	schedule(world, uplink->end_us, SIM_EVENT_AIR_END, 0, air);
}

static void uplink_ends(struct sim_world *world, const struct air *air)
{
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		enum sim_reception reception = sim_gateway_signal_ends(
			&world->gateways[g], world->now_us, air->id, air->uplink.phy, air->uplink.length);
		if (reception == SIM_RECEIVED && air->entry != SIZE_MAX)
			world->entries[air->entry].heard_by++;
		settle_gateway(world, g);
	}
}

static void downlink_starts(struct sim_world *world, size_t gateway,
			    const struct sim_transmission *transmission)
{
	const struct lw_modulation *modulation = &transmission->txpk.modulation;
	struct air *air = calloc(1, sizeof *air);
	ASSERT(air != NULL);
	air->down = true;
	air->source = gateway;
	air->id = ++world->next_id;
	air->transmission = *transmission;
	put_sent(world, gateway, transmission);
	mix(world, transmission->txpk.phy, transmission->txpk.length);
	struct recent *recent = &world->recent[world->recent_next++ % RECENT_MAX];
	*recent = (struct recent){
		.gateway = gateway,
		.power_dbm = transmission->power_dbm,
		.signal = {.id = air->id,
			   .start_us = transmission->start_us,
			   .end_us = transmission->end_us,
			   .freq_hz = transmission->txpk.freq_hz,
			   .bandwidth_hz = modulation->bandwidth_hz,
			   .spreading_factor = modulation->spreading_factor},
	};
	struct sim_downlink downlink = {.start_us = transmission->start_us,
					.end_us = transmission->end_us,
					.freq_hz = transmission->txpk.freq_hz,
					.spreading_factor = modulation->spreading_factor,
					.bandwidth_hz = modulation->bandwidth_hz,
					.inverted = transmission->txpk.inverted};
	for (size_t d = 0; d < world->scenario->device_count && air->listener_count < LISTENERS_MAX; d++) {
		if (modulation->kind == LW_LORA && sim_device_listens(&world->devices[d], &downlink))
			air->listeners[air->listener_count++] = d;
	}
	schedule(world, transmission->end_us, SIM_EVENT_AIR_END, 0, air);
}

/* Collects every recent downlink as this device hears it; returns the index of the wanted one. */
static size_t signals_at_device(const struct sim_world *world, size_t device, uint64_t wanted_id,
				struct sim_signal *signals, size_t *count)
{
	size_t wanted = 0;
	*count = 0;
	for (size_t i = 0; i < RECENT_MAX; i++) {
		const struct recent *recent = &world->recent[i];
		if (recent->signal.id == 0)
			continue;
		signals[*count] = recent->signal;
		signals[*count].power_dbm = recent->power_dbm +
					    link_gain_db(world, device, recent->gateway, recent->signal.id);
		if (recent->signal.id == wanted_id)
			wanted = *count;
		(*count)++;
	}
	return wanted;
}

static void downlink_ends(struct sim_world *world, const struct air *air)
{
	struct sim_signal signals[RECENT_MAX];
	size_t count;
	for (size_t i = 0; i < air->listener_count; i++) {
		size_t d = air->listeners[i];
		size_t wanted = signals_at_device(world, d, air->id, signals, &count);
		const struct sim_signal *signal = &signals[wanted];
		if (signal->id == air->id && sim_radio_judge(signal, signals, count) == SIM_RECEIVED) {
			double noise_dbm = sim_radio_noise_dbm(signal->bandwidth_hz);
			sim_device_receive(&world->devices[d], world->now_us,
					   sim_radio_reported_snr_cdb(signal->power_dbm - noise_dbm),
					   air->transmission.txpk.phy, air->transmission.txpk.length);
		} else {
			sim_device_lost(&world->devices[d], world->now_us);
		}
		schedule_device(world, d);
	}
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
	settle_gateway(world, g);
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
			schedule_device(world, d);
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
		uplink_starts(world, d, &uplink,
			      world->entry_count > before ? world->entry_count - 1 : SIZE_MAX);
	schedule_device(world, d);
}

static void on_gateway(struct sim_world *world, size_t g)
{
	struct sim_transmission transmission;
	if (sim_gateway_next_us(&world->gateways[g]) > world->now_us)
		return;
	while (sim_gateway_transmit(&world->gateways[g], world->now_us, &transmission))
		downlink_starts(world, g, &transmission);
	sim_gateway_tick(&world->gateways[g], world->now_us);
	settle_gateway(world, g);
}

static void on_up_datagram(struct sim_world *world, const struct packet *packet)
{
	mix(world, packet->bytes, packet->length);
	world->port.send(world->port.ctx, world->now_us, packet->gateway, packet->socket, packet->bytes,
			 packet->length);
}

static void handle(struct sim_world *world, const struct sim_event *event)
{
	const struct air *air = event->owned;
	const struct packet *packet = event->owned;
	switch (event->kind) {
	case SIM_EVENT_DEVICE: on_device(world, event->index); break;
	case SIM_EVENT_GATEWAY: on_gateway(world, event->index); break;
	case SIM_EVENT_AIR_END:
		if (air->down)
			downlink_ends(world, air);
		else
			uplink_ends(world, air);
		break;
	case SIM_EVENT_UP_DATAGRAM: on_up_datagram(world, packet); break;
	case SIM_EVENT_DOWN_DATAGRAM:
		sim_gateway_receive(&world->gateways[packet->gateway], world->now_us, packet->bytes,
				    packet->length);
		settle_gateway(world, packet->gateway);
		break;
	case SIM_EVENT_FAULT: apply_fault(world, &world->scenario->faults[event->index], true); break;
	case SIM_EVENT_FAULT_END: apply_fault(world, &world->scenario->faults[event->index], false); break;
	}
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
	struct packet *packet = malloc(sizeof *packet + length);
	ASSERT(packet != NULL);
	packet->gateway = gateway;
	packet->socket = SIM_SOCKET_DOWN;
	packet->length = length;
	memcpy(packet->bytes, bytes, length);
	schedule(world, now_us + delay_us, SIM_EVENT_DOWN_DATAGRAM, gateway, packet);
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
		settle_gateway(world, g);
	}
	for (size_t d = 0; d < scenario->device_count; d++) {
		sim_device_init(&world->devices[d], &scenario->devices[d], (uint32_t)d, world->aes,
				scenario->seed, (struct sim_sink){put_record, world});
		schedule_device(world, d);
	}
	for (size_t f = 0; f < scenario->fault_count; f++) {
		schedule(world, scenario->faults[f].at_us, SIM_EVENT_FAULT, f, NULL);
		if (scenario->faults[f].for_us > 0)
			schedule(world, scenario->faults[f].at_us + scenario->faults[f].for_us,
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
	free(world->loss_db);
	free(world->entries);
	free(world->sent);
	free(world);
}

/* --- queries ------------------------------------------------------------------------------------------------ */

uint64_t sim_world_digest(const struct sim_world *world)
{
	return world->digest;
}

static int64_t count_entries(const struct sim_world *world, enum sim_measure measure)
{
	int64_t count = 0;
	for (size_t i = 0; i < world->entry_count; i++) {
		const struct sim_record *record = &world->entries[i].record;
		bool reading = record->kind == SIM_RECORD_UPLINK && record->reading;
		bool over = record->kind == SIM_RECORD_OUTCOME && record->confirmed;
		switch (measure) {
		case SIM_MEASURE_READINGS: count += reading && record->attempt == 1; break;
		case SIM_MEASURE_CONFIRMED: count += over; break;
		case SIM_MEASURE_ACKNOWLEDGED: count += over && record->acknowledged; break;
		default: break;
		}
	}
	return count;
}

/* A reading counts once, however many of its transmissions were heard: the repeats of a frame follow it before the
 * device's next one, so the last counter seen for a device is enough. */
static int64_t count_heard(const struct sim_world *world)
{
	int64_t count = 0;
	int64_t *last = malloc((world->scenario->device_count + 1) * sizeof *last);
	ASSERT(last != NULL);
	for (size_t d = 0; d < world->scenario->device_count; d++)
		last[d] = -1;
	for (size_t i = 0; i < world->entry_count; i++) {
		const struct sim_record *record = &world->entries[i].record;
		if (record->kind == SIM_RECORD_JOINED)
			last[record->device] = -1;
		if (record->kind != SIM_RECORD_UPLINK || !record->reading ||
		    world->entries[i].heard_by == 0 || last[record->device] == (int64_t)record->fcnt)
			continue;
		last[record->device] = record->fcnt;
		count++;
	}
	free(last);
	return count;
}

int64_t sim_world_measure(const struct sim_world *world, enum sim_measure measure)
{
	int64_t count = 0;
	switch (measure) {
	case SIM_MEASURE_JOINED:
		for (size_t d = 0; d < world->scenario->device_count; d++)
			count += world->devices[d].joined;
		return count;
	case SIM_MEASURE_HEARD: return count_heard(world);
	case SIM_MEASURE_DOWNLINKS: return (int64_t)world->accepted;
	case SIM_MEASURE_REPEATED: return (int64_t)world->repeated;
	case SIM_MEASURE_UNANSWERED:
		for (size_t g = 0; g < world->scenario->gateway_count; g++)
			count += (int64_t)(world->gateways[g].counters.push_data -
					   world->gateways[g].counters.push_acks);
		return count;
	default: return count_entries(world, measure);
	}
}

bool sim_world_expectations_hold(const struct sim_world *world, char *why, size_t capacity)
{
	for (size_t i = 0; i < world->scenario->expectation_count; i++) {
		const struct sim_expectation *wanted = &world->scenario->expectations[i];
		int64_t got = sim_world_measure(world, wanted->what);
		if (got >= wanted->at_least && got <= wanted->at_most)
			continue;
		snprintf(why, capacity, "%s: expected %lld to %lld, got %lld", sim_measure_name(wanted->what),
			 (long long)wanted->at_least, (long long)wanted->at_most, (long long)got);
		return false;
	}
	return true;
}

const struct sim_scenario *sim_world_scenario(const struct sim_world *world)
{
	return world->scenario;
}

const struct sim_device *sim_world_device(const struct sim_world *world, size_t index)
{
	return &world->devices[index];
}

const struct sim_gateway *sim_world_gateway(const struct sim_world *world, size_t index)
{
	return &world->gateways[index];
}

const struct sim_entry *sim_world_entries(const struct sim_world *world, size_t *count, uint64_t *dropped)
{
	*count = world->entry_count;
	*dropped = world->entries_dropped;
	return world->entries;
}

const struct sim_air_entry *sim_world_air(const struct sim_world *world, size_t *count)
{
	*count = world->sent_count;
	return world->sent;
}
