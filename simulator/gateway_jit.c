/* The way down: the just-in-time queue, as the packet forwarder keeps it, and the transmissions that come out of it. */
#include "simulator/gateway_parts.h"

#include "simulator/plan.h"

#include "common/base/check.h"

#include <string.h>

/* --- the way down
 * ------------------------------------------------------------------------------------------- */

static int64_t txpk_airtime_us(const struct sim_txpk *txpk)
{
	const struct lw_modulation *modulation = &txpk->modulation;
	if (modulation->kind == LW_FSK)
		return sim_airtime_fsk_us(modulation->bit_rate_bps, txpk->length);
	return sim_airtime_us(modulation->spreading_factor, modulation->bandwidth_hz, txpk->length,
			      !txpk->no_crc);
}

/* The index at which a frame fits into the queue, or −1 where it would touch another. */
static int queue_place(const struct sim_gateway *gateway, int64_t start_us, int64_t end_us)
{
	size_t at = 0;
	if (gateway->queued == SIM_JIT_MAX)
		return -1;
	for (size_t i = 0; i < gateway->queued; i++) {
		const struct sim_transmission *other = &gateway->queue[i];
		if (start_us < other->end_us + SIM_JIT_GAP_US && other->start_us < end_us + SIM_JIT_GAP_US)
			return -1;
		if (other->start_us < start_us)
			at = i + 1;
	}
	/* What is being sent right now counts as well. */
	return sim_gateway_was_deaf(gateway, start_us - SIM_JIT_GAP_US, end_us) ? -1 : (int)at;
}

static int64_t first_free_us(const struct sim_gateway *gateway, int64_t from_us, int64_t airtime_us)
{
	for (size_t i = 0; i < gateway->queued; i++) {
		if (queue_place(gateway, from_us, from_us + airtime_us) >= 0)
			break;
		from_us = gateway->queue[i].end_us + SIM_JIT_GAP_US;
	}
	return from_us;
}

/* A time in the past by less than a second is plainly late. Anything further back looks far ahead to the
 * forwarder, which computes without a sign: TOO_EARLY, as seen on the wire. */
static enum sim_jit_verdict check_ticks(const struct sim_gateway *gateway, int64_t now_us,
					struct gw_ticks tmst)
{
	int32_t ahead = gw_ticks_since(tmst, sim_gateway_ticks(gateway, now_us));
	if (ahead > -US_PER_S && ahead <= SIM_JIT_LEAD_US)
		return SIM_JIT_TOO_LATE;
	if (ahead < 0 || ahead > SIM_JIT_ADVANCE_US)
		return SIM_JIT_TOO_EARLY;
	return SIM_JIT_OK;
}

static enum sim_jit_verdict start_of(const struct sim_gateway *gateway, int64_t now_us,
				     const struct sim_txpk *txpk, int64_t *start_us)
{
	struct gw_ticks tmst = txpk->tmst;
	if (txpk->timing == SIM_TIMING_NOW) {
		*start_us = first_free_us(gateway, now_us + SIM_JIT_IMMEDIATE_US, txpk_airtime_us(txpk));
		return SIM_JIT_OK;
	}
	if (txpk->timing == SIM_TIMING_GPS) {
		if (!gateway->config.gps)
			return SIM_JIT_GPS_UNLOCKED;
		struct wall at = wall_from_gps_us((int64_t)txpk->tmms * US_PER_MS);
		int64_t ahead_us = at.us - gateway->config.start.us - now_us;
		if (ahead_us > SIM_JIT_ADVANCE_US)
			return SIM_JIT_TOO_EARLY;
		tmst = sim_gateway_ticks(gateway, now_us + (ahead_us < -US_PER_S ? -US_PER_S + 1 : ahead_us));
	}
	enum sim_jit_verdict verdict = check_ticks(gateway, now_us, tmst);
	if (verdict == SIM_JIT_OK)
		*start_us = sim_gateway_time_of(gateway, now_us, tmst);
	return verdict;
}

enum sim_jit_verdict sim_gateway_schedule(struct sim_gateway *gateway, int64_t now_us,
					  const struct sim_txpk *txpk, uint16_t token, int *power_dbm)
{
	int64_t start_us;
	*power_dbm = txpk->has_power ? txpk->power_dbm : gateway->config.max_power_dbm;
	if (txpk->freq_hz < gateway->config.tx_min_hz || txpk->freq_hz > gateway->config.tx_max_hz)
		return SIM_JIT_TX_FREQ;
	bool too_strong = *power_dbm > gateway->config.max_power_dbm;
	if (too_strong && gateway->config.power_is_error)
		return SIM_JIT_TX_POWER;
	if (too_strong)
		*power_dbm = gateway->config.max_power_dbm;
	enum sim_jit_verdict verdict = start_of(gateway, now_us, txpk, &start_us);
	if (verdict != SIM_JIT_OK)
		return verdict;
	int64_t end_us = start_us + txpk_airtime_us(txpk);
	int place = queue_place(gateway, start_us, end_us);
	if (place < 0)
		return SIM_JIT_COLLISION_PACKET;
	memmove(&gateway->queue[place + 1], &gateway->queue[place],
		(gateway->queued - (size_t)place) * sizeof gateway->queue[0]);
	gateway->queue[place] = (struct sim_transmission){.start_us = start_us,
							  .end_us = end_us,
							  .txpk = *txpk,
							  .power_dbm = *power_dbm,
							  .token = token};
	gateway->queued++;
	return SIM_JIT_OK;
}

static void acknowledge(struct sim_gateway *gateway, int64_t now_us, uint16_t token,
			enum sim_jit_verdict verdict, bool warn, int power_dbm)
{
	if (gateway->config.version < 2)
		return;
	struct sim_datagram *datagram = sim_gateway_put(gateway, now_us, SIM_SOCKET_DOWN);
	if (datagram != NULL)
		datagram->length = sim_semtech_write_tx_ack(datagram->bytes, sizeof datagram->bytes,
							    gateway->config.version, token,
							    &gateway->config.eui, verdict, warn, power_dbm);
}

void sim_gateway_receive(struct sim_gateway *gateway, int64_t now_us, const uint8_t *bytes, size_t length)
{
	struct sim_down down;
	if (gateway->off)
		return;
	enum sim_down_verdict parsed = sim_semtech_parse_down(bytes, length, &down);
	if (parsed == SIM_DOWN_OK && down.version != gateway->config.version)
		parsed = SIM_DOWN_BAD_VERSION;
	gateway->counters.bad_datagrams[parsed]++;
	if (parsed != SIM_DOWN_OK)
		return; /* the forwarder keeps silent about what it cannot read */
	if (down.kind == SIM_DOWN_PUSH_ACK) {
		gateway->counters.push_acks++;
	} else if (down.kind == SIM_DOWN_PULL_ACK) {
		gateway->counters.pull_acks++;
	} else {
		int power_dbm;
		enum sim_jit_verdict verdict = sim_gateway_schedule(gateway, now_us, &down.txpk, down.token,
								    &power_dbm);
		bool lowered = verdict == SIM_JIT_OK && down.txpk.has_power &&
			       power_dbm < down.txpk.power_dbm;
		gateway->counters.pull_resp++;
		gateway->counters.refused[verdict]++;
		gateway->interval.downlinks++;
		acknowledge(gateway, now_us, down.token, lowered ? SIM_JIT_TX_POWER : verdict, lowered,
			    power_dbm);
	}
}

bool sim_gateway_transmit(struct sim_gateway *gateway, int64_t now_us, struct sim_transmission *out)
{
	if (gateway->queued == 0 || gateway->queue[0].start_us > now_us)
		return false;
	*out = gateway->queue[0];
	gateway->queued--;
	memmove(gateway->queue, gateway->queue + 1, gateway->queued * sizeof gateway->queue[0]);
	if (gateway->mute || gateway->off)
		return sim_gateway_transmit(gateway, now_us, out);
	sim_gateway_sends(gateway, out->start_us, out->end_us);
	return true;
}
