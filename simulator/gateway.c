#include "simulator/gateway_parts.h"

#include "common/base/check.h"

#include <math.h>
#include <string.h>

/* 20 dB under what any frame needs: neither heard nor disturbing. */
#define SIM_TOO_FAR_DBM (-157.0)

#define POLL_US 10000 /* the forwarder asks its concentrator this often and packs what it finds */

static bool sends_datagrams(const struct sim_gateway_config *config)
{
	return !config->is_station && !config->is_mqtt;
}

void sim_gateway_init(struct sim_gateway *gateway, const struct sim_gateway_config *config, uint64_t seed)
{
	*gateway = (struct sim_gateway){
		.config = *config,
		.rng = rng_seeded(seed),
		.ticks_base = config->first_ticks,
		.flush_us = SIM_NEVER,
		.stat_us = config->stat_us > 0 && sends_datagrams(config) ? config->stat_us : SIM_NEVER,
		.keepalive_us = sends_datagrams(config) ? 0 : SIM_NEVER,
	};
	for (size_t i = 0; i < ARRAY_SIZE(gateway->deaf); i++)
		gateway->deaf[i][1] = -1;
}

struct gw_ticks sim_gateway_ticks(const struct sim_gateway *gateway, int64_t now_us)
{
	double elapsed = (double)(now_us - gateway->ticks_base_us) * (1 + gateway->config.drift_ppm / 1e6);
	return gw_ticks_add((struct gw_ticks){gateway->ticks_base}, llround(elapsed));
}

int64_t sim_gateway_time_of(const struct sim_gateway *gateway, int64_t now_us, struct gw_ticks ticks)
{
	int32_t ahead = gw_ticks_since(ticks, sim_gateway_ticks(gateway, now_us));
	return now_us + llround((double)ahead / (1 + gateway->config.drift_ppm / 1e6));
}

void sim_gateway_restart(struct sim_gateway *gateway, int64_t now_us)
{
	gateway->ticks_base = 0;
	gateway->ticks_base_us = now_us;
	gateway->queued = 0;
	gateway->pending_count = 0;
	gateway->flush_us = SIM_NEVER;
	gateway->keepalive_us = sends_datagrams(&gateway->config) ? now_us : SIM_NEVER;
	memset(gateway->slots, 0, sizeof gateway->slots);
}

/* --- the receiver
 * ------------------------------------------------------------------------------------------- */

bool sim_gateway_was_deaf(const struct sim_gateway *gateway, int64_t from_us, int64_t to_us)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway->deaf); i++) {
		if (gateway->deaf[i][1] > from_us && gateway->deaf[i][0] < to_us)
			return true;
	}
	return false;
}

static bool cannot_hear(const struct sim_gateway *gateway, int64_t from_us, int64_t to_us)
{
	return !gateway->config.full_duplex && sim_gateway_was_deaf(gateway, from_us, to_us);
}

static bool channel_hears(const struct sim_gateway_channel *channel, const struct sim_signal *signal)
{
	return channel->bandwidth_hz == signal->bandwidth_hz &&
	       (channel->spreading_factor == 0 || channel->spreading_factor == signal->spreading_factor);
}

/* A channel beside the signal's own, near enough for the filter's skirt. */
static bool channel_is_beside(const struct sim_gateway_channel *channel, const struct sim_signal *signal)
{
	int64_t gap = (int64_t)channel->freq_hz - signal->freq_hz;
	gap = gap < 0 ? -gap : gap;
	return gap > 0 && gap <= 200000;
}

static struct sim_reception_slot *free_slot(struct sim_gateway *gateway)
{
	size_t count = gateway->config.demodulators ? gateway->config.demodulators : SIM_DEMODULATORS;
	for (size_t i = 0; i < count; i++) {
		if (gateway->slots[i].id == 0)
			return &gateway->slots[i];
	}
	return NULL;
}

/* Frames that ended before everything still on the air began cannot matter any more. */
static void forget_signals(struct sim_gateway *gateway, int64_t now_us)
{
	int64_t oldest = now_us;
	for (size_t i = 0; i < gateway->signal_count; i++) {
		if (gateway->signals[i].end_us > now_us && gateway->signals[i].start_us < oldest)
			oldest = gateway->signals[i].start_us;
	}
	size_t kept = 0;
	for (size_t i = 0; i < gateway->signal_count; i++) {
		if (gateway->signals[i].end_us >= oldest)
			gateway->signals[kept++] = gateway->signals[i];
	}
	gateway->signal_count = kept;
}

void sim_gateway_signal_starts(struct sim_gateway *gateway, const struct sim_signal *signal)
{
	if (gateway->off || (signal->spreading_factor != 0 && signal->power_dbm < SIM_TOO_FAR_DBM))
		return;
	forget_signals(gateway, signal->start_us);
	if (gateway->signal_count == SIM_SIGNALS_MAX) {
		gateway->counters.signals_dropped++;
		return;
	}
	gateway->signals[gateway->signal_count++] = *signal;
	if (signal->spreading_factor == 0 || cannot_hear(gateway, signal->start_us, signal->start_us + 1))
		return;
	double floor_dbm = sim_radio_sensitivity_dbm(signal->spreading_factor, signal->bandwidth_hz);
	for (uint8_t i = 0; i < gateway->config.channel_count; i++) {
		const struct sim_gateway_channel *channel = &gateway->config.channels[i];
		bool own = channel->freq_hz == signal->freq_hz;
		if (!channel_hears(channel, signal) || (!own && !channel_is_beside(channel, signal)))
			continue;
		double power_dbm = signal->power_dbm - (own ? 0 : SIM_GHOST_REJECTION_DB);
		struct sim_reception_slot *slot = power_dbm < floor_dbm ? NULL : free_slot(gateway);
		if (slot != NULL)
			*slot = (struct sim_reception_slot){signal->id, i, !own, power_dbm};
	}
}

bool sim_gateway_take_heard(struct sim_gateway *gateway, struct semtech_rxpk *out)
{
	if (gateway->pending_count == 0)
		return false;
	*out = gateway->pending[--gateway->pending_count];
	return true;
}

void sim_gateway_tune(struct sim_gateway *gateway, const struct sim_gateway_channel *channels, size_t count)
{
	ASSERT_CMP(count, <=, ARRAY_SIZE(gateway->config.channels));
	memcpy(gateway->config.channels, channels, count * sizeof *channels);
	gateway->config.channel_count = (uint8_t)count;
}

void sim_gateway_sends(struct sim_gateway *gateway, int64_t from_us, int64_t to_us)
{
	gateway->deaf[gateway->deaf_next][0] = from_us;
	gateway->deaf[gateway->deaf_next][1] = to_us;
	gateway->deaf_next = (gateway->deaf_next + 1) % ARRAY_SIZE(gateway->deaf);
	gateway->counters.sent++;
	gateway->interval.transmissions++;
}

static const struct sim_signal *find_signal(const struct sim_gateway *gateway, uint64_t id)
{
	for (size_t i = 0; i < gateway->signal_count; i++) {
		if (gateway->signals[i].id == id)
			return &gateway->signals[i];
	}
	return NULL;
}

static bool is_tuned(const struct sim_gateway *gateway, const struct sim_signal *signal)
{
	for (size_t i = 0; i < gateway->config.channel_count; i++) {
		const struct sim_gateway_channel *channel = &gateway->config.channels[i];
		if (channel->freq_hz == signal->freq_hz && channel_hears(channel, signal))
			return true;
	}
	return false;
}

static void push(struct sim_gateway *gateway, int64_t now_us);

static void add_rxpk(struct sim_gateway *gateway, int64_t now_us, const struct sim_signal *signal,
		     const struct sim_reception_slot *slot, const uint8_t *phy, size_t length)
{
	if (gateway->pending_count == SIM_RXPK_MAX) {
		if (!sends_datagrams(&gateway->config))
			return;
		push(gateway, now_us);
	}
	size_t at = gateway->pending_count++;
	double noise_dbm = sim_radio_noise_dbm(signal->bandwidth_hz);
	memcpy(gateway->pending_phy[at], phy, length);
	gateway->pending[at] = (struct semtech_rxpk){
		.tmst = sim_gateway_ticks(gateway, signal->end_us),
		.has_gps = gateway->config.gps,
		.gps_us = gps_us_from_wall((struct wall){gateway->config.start.us + signal->end_us}),
		.freq_hz = gateway->config.channels[slot->channel].freq_hz,
		.chan = slot->channel,
		.rfch = slot->channel >= 4 ? 1 : 0,
		.spreading_factor = signal->spreading_factor,
		.bandwidth_hz = signal->bandwidth_hz,
		.crc = 1,
		.rssi_dbm = sim_radio_reported_rssi_dbm(slot->power_dbm, noise_dbm),
		.snr_cdb = sim_radio_reported_snr_cdb(slot->power_dbm - noise_dbm),
		.phy = gateway->pending_phy[at],
		.length = length,
	};
	if (gateway->flush_us == SIM_NEVER && sends_datagrams(&gateway->config))
		gateway->flush_us = now_us - now_us % POLL_US + POLL_US;
	gateway->interval.received++;
	gateway->interval.received_good++;
	gateway->interval.forwarded++;
	gateway->counters.heard++;
	gateway->counters.ghosts += slot->ghost;
}

enum sim_reception sim_gateway_signal_ends(struct sim_gateway *gateway, int64_t now_us, uint64_t id,
					   const uint8_t *phy, size_t length)
{
	const struct sim_signal *signal = find_signal(gateway, id);
	enum sim_reception result = gateway->off || signal != NULL ? SIM_DEAF : SIM_TOO_WEAK;
	if (signal != NULL && signal->spreading_factor != 0 &&
	    !cannot_hear(gateway, signal->start_us, signal->end_us)) {
		result = sim_radio_judge(signal, gateway->signals, gateway->signal_count);
		if (!is_tuned(gateway, signal))
			result = SIM_NOT_TUNED;
		enum sim_reception judged = result;
		if (result == SIM_RECEIVED)
			result = SIM_NO_DEMODULATOR;
		for (size_t i = 0; i < SIM_DEMODULATORS_MAX; i++) {
			struct sim_reception_slot *slot = &gateway->slots[i];
			if (slot->id != id || judged != SIM_RECEIVED)
				continue;
			add_rxpk(gateway, now_us, signal, slot, phy, length);
			if (!slot->ghost)
				result = SIM_RECEIVED;
		}
	}
	for (size_t i = 0; i < SIM_DEMODULATORS_MAX; i++) {
		if (gateway->slots[i].id == id)
			gateway->slots[i].id = 0;
	}
	gateway->counters.missed[result]++;
	return result;
}

/* --- the backhaul
 * ------------------------------------------------------------------------------------------- */

int64_t sim_gateway_backhaul_us(struct sim_gateway *gateway)
{
	if (gateway->backhaul_down || rng_below(&gateway->rng, 1000) < gateway->config.loss_permille) {
		gateway->counters.backhaul_lost++;
		return -1;
	}
	double share = ((double)rng_u32(&gateway->rng) + 0.5) / 4294967296.0;
	int64_t jitter_us = llround(-log(share) * (double)gateway->config.jitter_us);
	return gateway->config.backhaul_us + gateway->extra_backhaul_us + jitter_us;
}

struct sim_datagram *sim_gateway_put(struct sim_gateway *gateway, int64_t now_us, enum sim_socket socket)
{
	int64_t delay_us = sim_gateway_backhaul_us(gateway);
	if (delay_us < 0)
		return NULL;
	if (gateway->outbox_count == SIM_OUTBOX_MAX) {
		gateway->counters.outbox_dropped++;
		return NULL;
	}
	struct sim_datagram *datagram = &gateway->outbox[gateway->outbox_count++];
	datagram->due_us = now_us + delay_us;
	datagram->socket = socket;
	return datagram;
}

bool sim_gateway_take(struct sim_gateway *gateway, struct sim_datagram *out)
{
	if (gateway->outbox_count == 0)
		return false;
	*out = gateway->outbox[0];
	gateway->outbox_count--;
	memmove(gateway->outbox, gateway->outbox + 1, gateway->outbox_count * sizeof gateway->outbox[0]);
	return true;
}

static void push_with(struct sim_gateway *gateway, int64_t now_us, const struct semtech_stat *stat)
{
	struct sim_datagram *datagram = sim_gateway_put(gateway, now_us, SIM_SOCKET_UP);
	gateway->counters.push_data++;
	if (datagram != NULL)
		datagram->length = semtech_write_push_data(
			datagram->bytes, sizeof datagram->bytes, gateway->config.version, ++gateway->token,
			&gateway->config.eui, gateway->pending, gateway->pending_count, stat);
	gateway->pending_count = 0;
	gateway->flush_us = SIM_NEVER;
}

static void push(struct sim_gateway *gateway, int64_t now_us)
{
	push_with(gateway, now_us, NULL);
}

/* 111,320 m a degree of latitude. */
void sim_gateway_place(const struct sim_gateway *gateway, double *latitude_deg, double *longitude_deg)
{
	*latitude_deg = 40.71 + gateway->config.y_m / 111320.0;
	*longitude_deg = -74.0 + gateway->config.x_m / 84386.0;
}

static void report(struct sim_gateway *gateway, int64_t now_us)
{
	uint64_t pushed = gateway->counters.push_data - gateway->pushed_at_stat;
	uint64_t acked = gateway->counters.push_acks - gateway->acked_at_stat;
	struct semtech_stat stat = gateway->interval;
	stat.time.us = gateway->config.start.us + now_us;
	stat.ack_permille = pushed ? (uint32_t)(1000 * (acked > pushed ? pushed : acked) / pushed) : 0;
	sim_gateway_place(gateway, &stat.latitude_deg, &stat.longitude_deg);
	stat.altitude_m = SIM_GATEWAY_ALTITUDE_M;
	gateway->pushed_at_stat = gateway->counters.push_data;
	gateway->acked_at_stat = gateway->counters.push_acks;
	gateway->interval = (struct semtech_stat){0};
	push_with(gateway, now_us, &stat);
	gateway->stat_us = now_us + gateway->config.stat_us;
}

static void keep_alive(struct sim_gateway *gateway, int64_t now_us)
{
	struct sim_datagram *datagram = sim_gateway_put(gateway, now_us, SIM_SOCKET_DOWN);
	gateway->counters.pull_data++;
	if (datagram != NULL)
		datagram->length = semtech_write_pull_data(datagram->bytes, sizeof datagram->bytes,
							   gateway->config.version, ++gateway->token,
							   &gateway->config.eui);
	gateway->keepalive_us = now_us + gateway->config.keepalive_us;
}

int64_t sim_gateway_next_us(const struct sim_gateway *gateway)
{
	int64_t next = gateway->queued ? gateway->queue[0].start_us : SIM_NEVER;
	if (gateway->flush_us < next)
		next = gateway->flush_us;
	if (gateway->keepalive_us < next)
		next = gateway->keepalive_us;
	return gateway->stat_us < next ? gateway->stat_us : next;
}

void sim_gateway_tick(struct sim_gateway *gateway, int64_t now_us)
{
	if (gateway->off) {
		/* Looks again when it may be back; nothing is kept meanwhile. */
		gateway->queued = 0;
		gateway->pending_count = 0;
		gateway->flush_us = SIM_NEVER;
		if (gateway->keepalive_us <= now_us)
			gateway->keepalive_us = now_us + gateway->config.keepalive_us;
		if (gateway->stat_us <= now_us)
			gateway->stat_us = now_us + gateway->config.stat_us;
		return;
	}
	if (gateway->flush_us <= now_us)
		push(gateway, now_us);
	if (gateway->keepalive_us <= now_us)
		keep_alive(gateway, now_us);
	if (gateway->stat_us <= now_us)
		report(gateway, now_us);
}
