/* What is said to a station: downlinks, pings, the time; and what it, or its silence, answers to a downlink.
 *
 * Which message carries a downlink:
 *
 *	class A, RX1 or RX2           dnmsg dC 0; RX2 of the same gateway a second later goes along where it is the next attempt
 *	class B                       dnmsg dC 1 at its GPS time
 *	class C at once               dnmsg dC 2
 *	class C at a GPS time         dnsched, the one message that has such a time for it (multicast that several gateways
 *	                              send in turn): it is told to the network server as sent without an answer */
#include "gateway-bridge/bridge_station_parts.h"

#include "common/base/check.h"
#include "common/lorawan/airtime.h"

#include <stdlib.h>
#include <string.h>

#define TICKS_AHEAD (20 * US_PER_S)
#define GPS_AHEAD   (300 * US_PER_S)
#define XTIME_LOW   ((INT64_C(1) << 48) - 1)

/* --- a downlink */

static bool sends_on(const struct lw_region *region, uint32_t freq_hz)
{
	for (uint8_t i = 0; i < region->freq_range_count; i++)
		if (freq_hz >= region->freq_ranges[i].min_hz && freq_hz <= region->freq_ranges[i].max_hz)
			return true;
	return false;
}

static bool rate_of(const struct gb_station *station, const struct gw_tx_attempt *attempt, uint8_t *dr)
{
	return sends_on(station->region, attempt->freq_hz) &&
	       lw_region_find_dr(station->region, LW_DOWN, &attempt->modulation, dr);
}

/* RX2 of the gateway that the first attempt is RX1 of, one second behind it. */
static const struct gw_tx_attempt *second_of(const struct gw_downlink *downlink)
{
	const struct gw_tx_attempt *first = &downlink->attempts[0], *second = &downlink->attempts[1];
	if (downlink->attempt_count < 2 || first->window != GW_RX1 || second->window != GW_RX2 ||
	    second->timing != GW_AT_TICKS || !lw_eui64_equal(&first->gateway, &second->gateway) ||
	    gw_ticks_since(second->ticks, first->ticks) != US_PER_S)
		return NULL;
	return second;
}

/* Our time, where somebody keeps it; else 0. */
static struct wall kept_time(struct now now)
{
	return now.wall_synchronised ? now.wall : (struct wall){0};
}

/* What of the station's own goes into the message: its time, and the context of the uplink that is answered. */
static enum gb_verdict fill_context(const struct gb_station *station, const struct gw_downlink *downlink,
				    struct gb_station_downlink *out)
{
	const struct gb_station_clock *clock = &station->clock;
	const struct gw_tx_attempt *first = &downlink->attempts[0];
	bool class_a = first->window == GW_RX1 || first->window == GW_RX2;
	out->rctx = clock->heard ? clock->newest.rctx : 0;
	if (first->timing == GW_AT_GPS_TIME)
		return class_a ? GB_STATION_CANNOT_SEND : GB_ACCEPTED;
	if (first->timing == GW_IMMEDIATELY)
		return first->window == GW_CLASS_C ? GB_ACCEPTED : GB_STATION_CANNOT_SEND;
	if (class_a) {
		const struct gb_station_context *answered = gb_station_clock_answered(clock, first->ticks,
										      &out->xtime);
		if (answered == NULL)
			return GB_STATION_CONTEXT_GONE;
		out->rctx = answered->rctx;
		return GB_ACCEPTED;
	}
	if (!clock->heard)
		return GB_STATION_CONTEXT_GONE;
	out->xtime = gb_station_xtime_near(clock->newest.xtime, first->ticks);
	return GB_ACCEPTED;
}

/* The end of the last window, by our clock. */
static struct mono end_of(const struct gb_gateway *gateway, struct now now,
			  const struct gw_downlink *downlink, const struct gw_tx_attempt *last)
{
	span_us ahead = 0, limit = TICKS_AHEAD;
	if (last->timing == GW_AT_TICKS) {
		ahead = mono_since(gb_gateway_time(gateway, now.mono, last->ticks), now.mono);
	} else if (last->timing == GW_AT_GPS_TIME) {
		ahead = last->gps_time_us - gps_us_from_wall(now.wall);
		limit = GPS_AHEAD;
	}
	ahead = ahead < 0 ? 0 : ahead > limit ? limit : ahead;
	return mono_add(now.mono, ahead + lw_airtime_us(&last->modulation, LW_DOWN, downlink->phy_length));
}

/* Fills a message; GB_STATION_CANNOT_SEND: the codec has none for it. */
static enum gb_verdict write_message(struct gb_station_out *out, const struct gb_station_downlink *message,
				     bool scheduled)
{
	out->length = scheduled ? gb_station_dnsched(out->bytes, message)
				: gb_station_dnmsg(out->bytes, message);
	return out->length > 0 ? GB_ACCEPTED : GB_STATION_CANNOT_SEND;
}

static enum gb_verdict post_downlink(struct gb_bridge *bridge, struct now now, struct gb_station *station,
				     struct gb_gateway *gateway, const struct gw_downlink *downlink,
				     struct gb_station_downlink *message)
{
	bool scheduled = message->first->window == GW_CLASS_C && message->first->timing == GW_AT_GPS_TIME;
	const struct gb_inflight entry = {.id = downlink->id,
					  .gateway = gateway->eui,
					  .sent_to = station->from,
					  .sent_at = now.mono,
					  .connection = station->id,
					  .has_second = message->second != NULL,
					  .first_xtime = message->xtime,
					  .untold = scheduled};
	const struct gw_tx_attempt *last = message->second ? message->second : message->first;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out == NULL)
		return GB_OUTBOX_FULL;
	const struct gb_inflight *sent = gb_inflights_add(
		&bridge->inflights, bridge->rng, &entry,
		mono_add(end_of(gateway, now, downlink, last), GB_STATION_ANSWER_US));
	enum gb_verdict verdict = GB_TOO_MANY_IN_FLIGHT;
	if (sent) {
		message->diid = sent->diid;
		verdict = write_message(out, message, scheduled);
		if (verdict != GB_ACCEPTED)
			gb_inflights_remove(&bridge->inflights, sent);
	}
	if (verdict != GB_ACCEPTED) {
		gb_stations_unpost(bridge->stations);
		return verdict;
	}
	gb_health_out(&gateway->health, out->length);
	return GB_ACCEPTED;
}

enum gb_verdict gb_station_send(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
				struct gb_gateway *gateway)
{
	struct gb_station *station = gb_stations_find(bridge->stations, gateway->station);
	struct gb_station_downlink message = {.first = &downlink->attempts[0],
					      .second = second_of(downlink),
					      .mux_time = kept_time(now),
					      .phy = downlink->phy,
					      .phy_length = downlink->phy_length};
	if (station == NULL)
		return GB_NO_PATH;
	if (!rate_of(station, message.first, &message.first_dr))
		return GB_STATION_CANNOT_SEND;
	if (message.second && !rate_of(station, message.second, &message.second_dr))
		message.second = NULL;
	enum gb_verdict verdict = fill_context(station, downlink, &message);
	if (verdict == GB_ACCEPTED)
		verdict = post_downlink(bridge, now, station, gateway, downlink, &message);
	if (verdict == GB_ACCEPTED) {
		station->downlinks++;
		bridge->counters.downlinks++;
		gb_health_sent(&gateway->health);
	}
	return verdict;
}

/* --- what became of it */

static void tell(struct gb_bridge *bridge, struct now now, const struct gb_inflight *sent, uint8_t second,
		 enum gw_tx_result result, span_us latency, const char *cause)
{
	struct gw_tx_ack ack = {.id = sent->id,
				.attempt = (uint8_t)(sent->attempt + second),
				.gateway = sent->gateway,
				.result = result,
				.latency_us = latency};
	gb_copy_cause(ack.cause, cause);
	gb_tell_tx(bridge, now, &ack);
}

void gb_station_sent(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		     const struct gb_station_sent *said)
{
	const struct gb_inflight *sent = gb_inflights_of_station(&bridge->inflights, station->id, said->diid);
	if (sent == NULL) {
		gb_station_judge(bridge, station, GB_DNTXED_UNASKED, 0);
		return;
	}
	/* Of two windows the one whose start is nearer to the time that it names. */
	int64_t behind = (said->xtime & XTIME_LOW) - (sent->first_xtime & XTIME_LOW);
	bool second = sent->has_second && said->xtime != 0 && behind > US_PER_S / 2;
	span_us trip = station->round_trip_us > 0 ? station->round_trip_us : 0;
	struct gb_inflight answered = *sent;
	gb_inflights_remove(&bridge->inflights, sent);
	station->sent++;
	tell(bridge, now, &answered, second, GW_TX_OK, trip, "");
}

void gb_station_silence(struct gb_bridge *bridge, struct now now, const struct gb_inflight *sent)
{
	if (sent->untold) {
		tell(bridge, now, sent, 0, GW_TX_NO_ANSWER, 0, "");
		return;
	}
	const struct gb_said said = {.b = decision_u32(mono_since(now.mono, sent->sent_at) / US_PER_MS)};
	gb_judge(bridge, GB_NO_DNTXED, &sent->gateway, NULL, &said);
	tell(bridge, now, sent, 0, GW_TX_NO_ANSWER, 0, gb_verdict_name(GB_NO_DNTXED));
}

void gb_station_cut(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	struct gb_inflight sent;
	if (station->downlinks == station->sent)
		return;
	while (gb_inflights_cut(&bridge->inflights, station->id, &sent)) {
		gb_judge(bridge, GB_STATION_CUT, &sent.gateway, &sent.sent_to, &(struct gb_said){0});
		tell(bridge, now, &sent, 0, GW_TX_NO_ANSWER, 0, gb_verdict_name(GB_STATION_CUT));
	}
}

/* --- pings and the time */

static void ping(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	if (gb_stations_post(bridge->stations, station, GB_STATION_PING) == NULL)
		return;
	const span_us every = bridge->options.station_ping ? bridge->options.station_ping
							   : GB_STATION_PING_US;
	const uint32_t spread = (uint32_t)(every / 5);
	station->ping_due = mono_add(now.mono, every - spread / 2 + rng_below(bridge->rng, spread + 1));
	station->owed = (uint8_t)(station->owed + (station->owed < UINT8_MAX));
}

/* A station without a PPS learns the time from us: one of its own moments, and what GPS time that was. */
static void push_time(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	int64_t xtime, gps_us;
	span_us way = station->round_trip_us > 0 ? station->round_trip_us / 2 : 0;
	station->push_due = mono_add(now.mono, GB_STATION_TIMESYNC_US);
	if (station->asks_time || !gb_station_clock_gps(&station->clock, way, &xtime, &gps_us))
		return;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out)
		out->length = gb_station_timesync(out->bytes, NULL, xtime, gps_us, kept_time(now));
}

bool gb_station_round(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	if (now.mono.us >= station->ping_due.us) {
		if (station->ever_ponged && station->owed >= GB_STATION_PONGS_OWED) {
			gb_station_end(bridge, now, station, GB_CODE_AWAY, GB_STATION_NO_PONG, station->owed);
			return false;
		}
		/* One whose pongs never come is there as long as its TCP connection is. */
		const struct gb_peer peer = {.address = station->from};
		if (gateway && !station->ever_ponged &&
		    gb_gateways_heard(bridge->gateways, gateway, now.mono, &peer, GW_BASICS_STATION))
			gb_tell_presence(bridge, now, gateway, "connected");
		ping(bridge, now, station);
		if (gateway && gb_gateways_settle(bridge->gateways, gateway, now.mono)) {
			gb_station_judge(bridge, station, GB_STATION_SETTLED, 0);
			gb_tell_presence(bridge, now, gateway, "settled");
		}
	}
	if (station->push_due.us == 0)
		station->push_due = mono_add(now.mono, GB_STATION_PING_US);
	else if (now.mono.us >= station->push_due.us)
		push_time(bridge, now, station);
	struct mono due = station->ping_due.us < station->push_due.us ? station->ping_due : station->push_due;
	/* A clock that is set meanwhile is seen at the next ping. */
	const span_us lasts = station->presented.certificate_until.us - now.wall.us;
	if (station->presented.has_certificate && lasts >= 0 && mono_since(due, now.mono) > lasts)
		due = mono_add(now.mono, lasts + 1);
	gb_stations_due(bridge->stations, station, due);
	return true;
}

void gb_bridge_on_station_pong(struct gb_bridge *bridge, struct now now, uint64_t id, span_us round_trip)
{
	struct gb_station *station = gb_stations_find(bridge->stations, id);
	gb_enter(bridge, now);
	if (station == NULL || station->stage != GB_STATION_IS_UP)
		return;
	struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	const struct gb_peer peer = {.address = station->from};
	station->ever_ponged = true;
	station->owed = 0;
	station->round_trip_us = round_trip;
	if (gateway == NULL)
		return;
	gb_health_trip(&gateway->health, round_trip);
	if (gb_gateways_heard(bridge->gateways, gateway, now.mono, &peer, GW_BASICS_STATION))
		gb_tell_presence(bridge, now, gateway, "connected");
}

/* --- what people ask for */

static struct gb_station *up_of(const struct gb_bridge *bridge, const struct lw_eui64 *eui)
{
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	return gateway && gateway->station ? gb_stations_find(bridge->stations, gateway->station) : NULL;
}

bool gb_bridge_station_ping(struct gb_bridge *bridge, struct now now, const struct lw_eui64 *eui,
			    uint64_t *id)
{
	struct gb_station *station = up_of(bridge, eui);
	gb_enter(bridge, now);
	if (station == NULL || gb_stations_post(bridge->stations, station, GB_STATION_PING) == NULL)
		return false;
	*id = station->id;
	return true;
}

static enum gb_station_remote post_remote(struct gb_bridge *bridge, struct gb_station *station,
					  struct gb_station_out *out)
{
	if (out == NULL)
		return GB_REMOTE_TOO_LONG;
	if (out->length == 0) {
		gb_stations_unpost(bridge->stations);
		return GB_REMOTE_TOO_LONG;
	}
	gb_station_judge(bridge, station, GB_STATION_REMOTE, (int64_t)out->length);
	return GB_REMOTE_DONE;
}

enum gb_station_remote gb_bridge_station_run(struct gb_bridge *bridge, struct now now,
					     const struct lw_eui64 *eui, const char *command,
					     const char *const *arguments)
{
	struct gb_station *station = up_of(bridge, eui);
	gb_enter(bridge, now);
	if (!bridge->options.station_remote)
		return GB_REMOTE_OFF;
	if (station == NULL)
		return GB_REMOTE_NOT_HERE;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out)
		out->length = gb_station_runcmd(out->bytes, command, arguments);
	return post_remote(bridge, station, out);
}

enum gb_station_remote gb_bridge_station_shell(struct gb_bridge *bridge, struct now now,
					       const struct lw_eui64 *eui, bool start, const char *user,
					       const char *term, uint64_t *id)
{
	struct gb_station *station = up_of(bridge, eui);
	gb_enter(bridge, now);
	if (!bridge->options.station_remote)
		return GB_REMOTE_OFF;
	if (station == NULL)
		return GB_REMOTE_NOT_HERE;
	if (!station->version.rmtsh)
		return GB_REMOTE_NO_FEATURE;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out)
		out->length = gb_station_rmtsh(out->bytes, start, user, term);
	*id = station->id;
	station->shell_runs = station->shell_ended = false;
	return post_remote(bridge, station, out);
}

bool gb_bridge_station_shell_ended(const struct gb_bridge *bridge, uint64_t id)
{
	const struct gb_station *station = gb_stations_find(bridge->stations, id);
	return station && station->shell_ended;
}

/* Every key press is not worth a record: who opened the shell is. */
enum gb_station_remote gb_bridge_station_shell_input(struct gb_bridge *bridge, struct now now,
						     const struct lw_eui64 *eui, const uint8_t *bytes,
						     size_t length)
{
	struct gb_station *station = up_of(bridge, eui);
	gb_enter(bridge, now);
	if (!bridge->options.station_remote)
		return GB_REMOTE_OFF;
	if (station == NULL)
		return GB_REMOTE_NOT_HERE;
	if (length >= GB_STATION_MESSAGE_MAX)
		return GB_REMOTE_TOO_LONG;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_BINARY);
	if (out == NULL)
		return GB_REMOTE_TOO_LONG;
	out->bytes[0] = 0; /* the session */
	memcpy(out->bytes + 1, bytes, length);
	out->length = 1 + length;
	return GB_REMOTE_DONE;
}
