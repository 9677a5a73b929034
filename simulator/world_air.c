/* Frames on their way: what each gateway and each listening device hears of them. */
#include "simulator/world_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

static void put_sent(struct sim_world *world, size_t gateway, const struct sim_transmission *transmission)
{
	void *sent = world->sent;
	if (!sim_world_grow(&sent, &world->sent_room, world->sent_count, sizeof *world->sent))
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

static double link_gain_db(const struct sim_world *world, size_t device, size_t gateway, uint64_t frame)
{
	return -world->loss_db[device * world->scenario->gateway_count + gateway] +
	       sim_radio_fading_db(&world->scenario->loss, world->scenario->seed, (uint32_t)device,
				   0x80000000u + (uint32_t)gateway, frame);
}

double sim_world_link_dbm(const struct sim_world *world, size_t device, size_t gateway, double power_dbm)
{
	return power_dbm - world->loss_db[device * world->scenario->gateway_count + gateway];
}

void sim_world_uplink_starts(struct sim_world *world, size_t device, const struct sim_uplink *uplink,
			     size_t entry)
{
	struct sim_air *air = calloc(1, sizeof *air);
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
	sim_world_schedule(world, uplink->end_us, SIM_EVENT_AIR_END, 0, air);
}

void sim_world_uplink_ends(struct sim_world *world, const struct sim_air *air)
{
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		enum sim_reception reception = sim_gateway_signal_ends(
			&world->gateways[g], world->now_us, air->id, air->uplink.phy, air->uplink.length);
		bool heard = reception == SIM_RECEIVED;
		if (world->stations[g] != NULL) {
			heard = sim_world_station_hears(world, g) && heard;
			sim_world_settle_station(world, g);
		} else {
			if (world->mqtts[g] != NULL)
				heard = sim_world_mqtt_hears(world, g) && heard;
			sim_world_settle_gateway(world, g);
		}
		if (heard && air->entry != SIZE_MAX)
			world->entries[air->entry].heard_by++;
	}
}

static bool near(int64_t a_us, int64_t b_us, int64_t error_us)
{
	return a_us - b_us <= error_us && b_us - a_us <= error_us;
}

/* A receiver locks onto a preamble that it hears, not onto a frame of another quarter of the city. */
static bool hears_preamble(const struct sim_world *world, size_t d, const struct sim_signal *signal,
			   size_t gateway, double power_dbm)
{
	const struct sim_device *device = &world->devices[d];
	int64_t error_us = device->config.rx_error_us;
	if (device->state != SIM_DEVICE_EXCHANGE || (!near(signal->start_us, device->rx1_us, error_us) &&
						     !near(signal->start_us, device->rx2_us, error_us)))
		return false;
	return power_dbm + link_gain_db(world, d, gateway, signal->id) >=
	       sim_radio_sensitivity_dbm(signal->spreading_factor, signal->bandwidth_hz);
}

void sim_world_downlink_starts(struct sim_world *world, size_t gateway,
			       const struct sim_transmission *transmission)
{
	const struct lw_modulation *modulation = &transmission->txpk.modulation;
	struct sim_air *air = calloc(1, sizeof *air);
	ASSERT(air != NULL);
	air->down = true;
	air->source = gateway;
	air->id = ++world->next_id;
	air->transmission = *transmission;
	put_sent(world, gateway, transmission);
	sim_world_mix(world, transmission->txpk.phy, transmission->txpk.length);
	struct sim_recent *recent = &world->recent[world->recent_next++ % SIM_RECENT_MAX];
	*recent = (struct sim_recent){
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
	for (size_t d = 0; d < world->scenario->device_count && air->listener_count < SIM_LISTENERS_MAX;
	     d++) {
		if (modulation->kind == LW_LORA &&
		    hears_preamble(world, d, &recent->signal, gateway, recent->power_dbm) &&
		    sim_device_listens(&world->devices[d], &downlink))
			air->listeners[air->listener_count++] = d;
	}
	sim_world_schedule(world, transmission->end_us, SIM_EVENT_AIR_END, 0, air);
	if (world->air_port.sent != NULL)
		world->air_port.sent(world->air_port.ctx, gateway, transmission, air->listeners,
				     air->listener_count);
}

/* Collects every recent downlink as this device hears it; returns the index of the wanted one. */
static size_t signals_at_device(const struct sim_world *world, size_t device, uint64_t wanted_id,
				struct sim_signal *signals, size_t *count)
{
	size_t wanted = 0;
	*count = 0;
	for (size_t i = 0; i < SIM_RECENT_MAX; i++) {
		const struct sim_recent *recent = &world->recent[i];
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

void sim_world_downlink_ends(struct sim_world *world, const struct sim_air *air)
{
	struct sim_signal signals[SIM_RECENT_MAX];
	size_t count;
	for (size_t i = 0; i < air->listener_count; i++) {
		size_t d = air->listeners[i];
		size_t wanted = signals_at_device(world, d, air->id, signals, &count);
		const struct sim_signal *signal = &signals[wanted];
		enum sim_reception reception = signal->id == air->id ? sim_radio_judge(signal, signals, count)
								     : SIM_TOO_WEAK;
		if (reception == SIM_RECEIVED) {
			double noise_dbm = sim_radio_noise_dbm(signal->bandwidth_hz);
			sim_device_receive(&world->devices[d], world->now_us,
					   sim_radio_reported_snr_cdb(signal->power_dbm - noise_dbm),
					   air->transmission.txpk.phy, air->transmission.txpk.length);
		} else {
			sim_device_lost(&world->devices[d], world->now_us);
		}
		if (world->air_port.heard != NULL)
			world->air_port.heard(world->air_port.ctx, d, &air->transmission, reception);
		sim_world_schedule_device(world, d);
	}
}
