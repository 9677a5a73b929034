/* A reception of a gateway, of whatever protocol: its counter is watched, what nobody wants is judged, the rest goes on to the network
 * server. */
#include "gateway-bridge/bridge_state.h"

#include <string.h>

/* `time` without tmms comes from gateways whose clock nobody vouches for. */
#define UTC_TOLERANCE (5 * US_PER_S)
#define GPS_FUTURE    (60 * US_PER_S)

/* The end of the reception in GPS time, where the gateway knows it: tmms, else `time` if our clock agrees with it. */
static void fill_gps_time(struct gw_uplink *uplink, const struct gb_rxpk *rxpk, struct now now)
{
	span_us ahead;
	if (rxpk->has_gps_time) {
		ahead = rxpk->gps_time_us - gps_us_from_wall(now.wall);
		uplink->has_gps_time = wall_from_gps_us(rxpk->gps_time_us).us > 1483228800 * US_PER_S &&
				       (!now.wall_synchronised || ahead < GPS_FUTURE);
		uplink->gps_time_us = rxpk->gps_time_us;
	} else if (rxpk->has_utc) {
		ahead = rxpk->utc.us - now.wall.us;
		uplink->has_gps_time = !now.wall_synchronised ||
				       (ahead < UTC_TOLERANCE && ahead > -UTC_TOLERANCE);
		uplink->gps_time_us = gps_us_from_wall(rxpk->utc);
	}
	if (!uplink->has_gps_time)
		uplink->gps_time_us = 0;
}

void gb_forward(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		const struct gb_rxpk *rxpk)
{
	struct gb_report what = {.kind = PROTO_GATEWAY_UPLINK};
	struct gw_uplink *uplink = &what.uplink;
	*uplink = (struct gw_uplink){
		.gateway = gateway->eui,
		.phy_length = rxpk->phy_length,
		.freq_hz = (uint32_t)rxpk->freq_hz,
		.modulation = rxpk->modulation,
		.crc = rxpk->crc,
		.rssi_dbm = rxpk->has_rssi ? rxpk->rssi_dbm : GW_RSSI_UNKNOWN,
		.has_snr = rxpk->has_snr,
		.snr_cdb = rxpk->snr_cdb,
		.ticks = rxpk->ticks,
		.has_fine_time = rxpk->has_fine_time,
		.fine_time_ns = rxpk->fine_time_ns,
		.channel = rxpk->channel,
		.rf_chain = rxpk->rf_chain,
		.board = rxpk->board,
		.antenna = rxpk->antenna,
		.freq_offset_hz = rxpk->freq_offset_hz,
		.arrival = now.wall,
		.wall_synchronised = now.wall_synchronised,
		.protocol = gateway->protocol,
	};
	memcpy(uplink->phy, rxpk->phy, rxpk->phy_length);
	fill_gps_time(uplink, rxpk, now);
	gb_tell(bridge, now, &what);
	bridge->counters.uplinks++;
	gateway->uplinks++;
	gb_health_frame(&gateway->health, true, false);
}

enum gb_verdict gb_rxpk_policy(const struct gb_rxpk *rxpk)
{
	if (rxpk->crc == GW_CRC_BAD)
		return GB_CRC_BAD;
	if (rxpk->phy_length == 0)
		return GB_EMPTY_PAYLOAD;
	if (rxpk->freq_hz > UINT32_MAX)
		return GB_BEYOND_RADIO;
	return GB_ACCEPTED;
}

static void watch_ticks(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			struct gw_ticks ticks)
{
	struct gb_said said = {.a = gb_address_number(&gateway->from)};
	enum gb_ticks_verdict verdict = gb_gateway_ticks(gateway, now.mono, ticks);
	gb_health_counter(&gateway->health, now.mono, ticks, verdict != GB_TICKS_STEADY);
	switch (verdict) {
	case GB_TICKS_RESTARTED:
		said.b = (uint32_t)(ticks.us / US_PER_S);
		said.c = decision_u16(gateway->restarts);
		said.own_c = true;
		gb_judge(bridge, GB_GATEWAY_RESTARTED, &gateway->eui, &gateway->from, &said);
		gb_tell_presence(bridge, now, gateway, "restarted");
		break;
	case GB_TICKS_ODD:
		said.b = (uint32_t)(int32_t)(gateway->ticks_off / US_PER_MS);
		gb_judge(bridge, GB_TICKS_JUMPED, &gateway->eui, &gateway->from, &said);
		break;
	case GB_TICKS_FIRST:
	case GB_TICKS_STEADY: break;
	}
}

/* A frame that could be read and goes no further, with what it was. */
static void judge_rxpk(struct gb_bridge *bridge, enum gb_verdict verdict, struct gb_gateway *gateway,
		       const struct gb_rxpk *rxpk)
{
	const size_t mic = 4;
	struct gb_said said = {.a = decision_u32((int64_t)rxpk->freq_hz),
			       .b = decision_halves(rxpk->has_rssi ? rxpk->rssi_dbm : 0,
						    rxpk->has_snr ? rxpk->snr_cdb : INT16_MIN)};
	gateway->crc_bad += verdict == GB_CRC_BAD;
	gb_health_frame(&gateway->health, false, verdict == GB_CRC_BAD);
	if (verdict == GB_RATE_FRAMES)
		said.b = bridge->options.frames.per_second;
	if (rxpk->phy_length >= mic)
		said.mic = rxpk->phy + rxpk->phy_length - mic;
	gb_judge(bridge, verdict, &gateway->eui, &gateway->from, &said);
}

void gb_take_reception(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		       const struct gb_rxpk *rxpk, bool is_counter)
{
	if (is_counter)
		watch_ticks(bridge, now, gateway, rxpk->ticks);
	else
		(void)gb_gateway_ticks(gateway, now.mono, rxpk->ticks);
	enum gb_verdict verdict = gb_rxpk_policy(rxpk);
	if (verdict == GB_ACCEPTED && !gb_bucket_take(&gateway->frames, now.mono, &bridge->options.frames)) {
		verdict = GB_RATE_FRAMES;
		gateway->dropped++;
	}
	if (verdict == GB_ACCEPTED)
		gb_forward(bridge, now, gateway, rxpk);
	else
		judge_rxpk(bridge, verdict, gateway, rxpk);
}
