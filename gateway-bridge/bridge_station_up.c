/* What a station says: `version`, which is answered with its configuration, then frames, what it has sent, the time it wants. */
#include "gateway-bridge/bridge_station_parts.h"

#include "common/text/station_config.h"

#include <stdio.h>
#include <string.h>

/* --- version: it comes up */

/* The connection before is closed, and where they replace each other again and again it is told. */
static void replace_old(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			struct gb_gateway *gateway)
{
	struct gb_station *old = gateway->station ? gb_stations_find(bridge->stations, gateway->station)
						  : NULL;
	if (old == NULL)
		return;
	bool same_host = gb_address_same_host(&old->from, &station->from);
	bool flaps = gb_gateways_replaced(bridge->gateways, gateway, now.mono);
	gateway->station = 0;
	gb_health_closed(&gateway->health, now.mono, same_host ? GB_CLOSE_REPLACED : GB_CLOSE_TAKEN);
	gb_station_end(bridge, now, old, GB_CODE_NORMAL, GB_STATION_REPLACED, decision_u16(gateway->moves));
	if (flaps) {
		gb_station_judge(bridge, station, GB_STATION_ALTERNATES, gateway->moves);
		gb_tell_presence(bridge, now, gateway, "flapping");
	}
}

static void take_version(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			 struct gb_gateway *gateway, const struct gb_station_version *version)
{
	struct lw_channel_plan plan;
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out == NULL)
		return;
	bool known = station->region && station_region_name(station->region);
	enum station_chip chip = station->chip == GW_SX1302 ? STATION_SX1302 : STATION_SX1301;
	if (known && gb_station_plan(station, &plan))
		out->length = station_config_write(out->bytes, station->region, &plan, chip, now.wall,
						   problem);
	if (out->length == 0) {
		enum gb_verdict verdict = known ? GB_STATION_PLAN : GB_STATION_REGION;
		gb_stations_unpost(bridge->stations);
		gb_station_judge(bridge, station, verdict, 0);
		gb_station_close(bridge, now, station, GB_CODE_POLICY, verdict);
		return;
	}
	gb_health_out(&gateway->health, out->length);
	replace_old(bridge, now, station, gateway);
	const struct gb_peer peer = {.address = station->from};
	gb_gateways_heard(bridge->gateways, gateway, now.mono, &peer, GW_BASICS_STATION);
	gateway->station = station->id;
	gateway->has_ticks = false;
	gb_health_opened(&gateway->health, now.mono);
	gb_health_version(&gateway->health, version->station, version->model, version->firmware);
	gb_health_certificate(&gateway->health, station->presented.has_certificate
							? station->presented.certificate_until
							: (struct wall){0});
	station->version = *version;
	station->stage = GB_STATION_IS_UP;
	station->up = now.mono;
	bridge->stations->up++;
	gb_station_judge(bridge, station, GB_STATION_CONNECTED, lw_mask_count(&plan.enabled));
	gb_tell_presence(bridge, now, gateway, "connected");
	gb_stations_due(bridge->stations, station, now.mono); /* its first ping measures the way */
}

/* --- frames */

static void watch_clock(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			struct gb_gateway *gateway, struct gb_station_frame *frame, struct gb_rxpk *rxpk)
{
	span_us off;
	bool anew = !gateway->has_ticks;
	rxpk->ticks = gb_station_ticks(frame->xtime);
	switch (gb_station_clock_hear(&station->clock, now, frame->xtime, frame->rctx, &off)) {
	case GB_CLOCK_UNKNOWN:
		/* The moment that the network server gets is the likely one, so that its view of the clock stays. */
		gb_station_judge(bridge, station, GB_STATION_NO_XTIME, 0);
		if (gateway->has_ticks)
			rxpk->ticks = gw_ticks_add(gateway->ticks, mono_since(now.mono, gateway->ticks_at));
		return;
	case GB_CLOCK_BACK:
		gb_station_judge(bridge, station, GB_STATION_CLOCK_BACK, -off / US_PER_MS);
		anew = true;
		gateway->restarts++;
		break;
	case GB_CLOCK_JUMPED:
		gb_judge(bridge, GB_STATION_CLOCK_JUMPED, &station->eui, &station->from,
			 &(struct gb_said){.a = gb_address_number(&station->from),
					   .b = (uint32_t)(int32_t)(off / US_PER_MS)});
		anew = true;
		break;
	case GB_CLOCK_STEADY: break;
	}
	gateway->has_ticks = true;
	gateway->ticks = rxpk->ticks;
	gateway->ticks_at = now.mono;
	gateway->ticks_from = gateway->from;
	gb_health_counter(&gateway->health, now.mono, rxpk->ticks, anew);
}

static void judge_frame(struct gb_bridge *bridge, struct gb_station *station, enum gb_verdict verdict,
			const struct gb_rxpk *rxpk)
{
	const size_t mic = 4;
	struct gb_said said = {.a = decision_u32((int64_t)rxpk->freq_hz),
			       .b = verdict == GB_RATE_FRAMES
					    ? bridge->options.frames.per_second
					    : decision_halves(rxpk->rssi_dbm, rxpk->snr_cdb)};
	if (rxpk->phy_length >= mic)
		said.mic = rxpk->phy + rxpk->phy_length - mic;
	gb_judge(bridge, verdict, &station->eui, &station->from, &said);
}

static void take_frame(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		       struct gb_gateway *gateway, struct gb_station_frame *frame)
{
	struct gb_rxpk rxpk = {.freq_hz = frame->freq_hz,
			       .modulation = frame->modulation,
			       .has_rssi = true,
			       .rssi_dbm = frame->rssi_dbm,
			       .has_snr = true,
			       .snr_cdb = frame->snr_cdb,
			       .crc = GW_CRC_OK,
			       .has_gps_time = frame->has_gps_time,
			       .gps_time_us = frame->gps_time_us,
			       .has_fine_time = frame->has_fine_time,
			       .fine_time_ns = frame->fine_time_ns,
			       .phy_length = frame->phy_length};
	memcpy(rxpk.phy, frame->phy, frame->phy_length);
	watch_clock(bridge, now, station, gateway, frame, &rxpk);
	enum gb_verdict verdict = gb_rxpk_policy(&rxpk);
	if (verdict == GB_ACCEPTED && !gb_bucket_take(&gateway->frames, now.mono, &bridge->options.frames)) {
		verdict = GB_RATE_FRAMES;
		gateway->dropped++;
	}
	if (verdict != GB_ACCEPTED) {
		gb_health_frame(&gateway->health, false, false);
		judge_frame(bridge, station, verdict, &rxpk);
		return;
	}
	station->uplinks++;
	gb_forward(bridge, now, gateway, &rxpk);
}

/* --- the time */

static void answer_time(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			struct gb_gateway *gateway, const char *txtime)
{
	station->asks_time = true;
	if (!now.wall_synchronised) {
		gb_station_judge(bridge, station, GB_STATION_NO_TIME, 0);
		return;
	}
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out == NULL)
		return;
	out->length = gb_station_timesync(out->bytes, txtime, 0, gps_us_from_wall(now.wall), now.wall);
	gb_health_out(&gateway->health, out->length);
}

/* --- a message */

static void take_message(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			 struct gb_gateway *gateway, struct gb_station_message *message, size_t length)
{
	switch (message->kind) {
	case GB_STATION_FRAME: take_frame(bridge, now, station, gateway, &message->frame); return;
	case GB_STATION_SENT: gb_station_sent(bridge, now, station, &message->sent); return;
	case GB_STATION_TIMESYNC: answer_time(bridge, now, station, gateway, message->txtime); return;
	case GB_STATION_EVENT_TOLD:
		gb_station_judge(bridge, station, GB_STATION_EVENT, (int64_t)length);
		return;
	case GB_STATION_ERROR_TOLD:
		gb_station_judge(bridge, station, GB_STATION_ERROR, (int64_t)length);
		return;
	case GB_STATION_SHELLS:
		/* What it says of a shell of before is no end of one that it has not started yet. */
		station->shell_ended = station->shell_runs && !message->shell_runs;
		station->shell_runs = message->shell_runs;
		return;
	case GB_STATION_OVERHEARD:
	case GB_STATION_IGNORED:
	case GB_STATION_VERSION:
		gb_station_judge(bridge, station, GB_STATION_UNUSED, (int64_t)length);
		return;
	}
}

/* A message has one entry where the rule counts them. */
static bool is_of_entry(enum gb_verdict verdict)
{
	return verdict >= GB_ENTRY_NOT_AN_OBJECT && verdict <= GB_SIZE_DIFFERS;
}

void gb_station_take(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		     struct gb_gateway *gateway, const char *text, size_t length)
{
	struct gb_station_message message;
	static const struct lw_region
		none; /* of a gateway whose region is not ours: its frames are refused */
	enum gb_verdict verdict = gb_station_parse(bridge->json, text, length,
						   station->region ? station->region : &none, &message);
	bool up = station->stage == GB_STATION_IS_UP;
	if (up) {
		const struct gb_peer peer = {.address = station->from};
		if (gb_gateways_heard(bridge->gateways, gateway, now.mono, &peer, GW_BASICS_STATION))
			gb_tell_presence(bridge, now, gateway, "connected");
	}
	if (verdict != GB_ACCEPTED)
		gb_station_judge(bridge, station, verdict, is_of_entry(verdict) ? 1 : (int64_t)length);
	else if (up == (message.kind == GB_STATION_VERSION))
		gb_station_judge(bridge, station, GB_STATION_OUT_OF_TURN, (int64_t)length);
	else if (!up)
		take_version(bridge, now, station, gateway, &message.version);
	else
		take_message(bridge, now, station, gateway, &message, length);
}
