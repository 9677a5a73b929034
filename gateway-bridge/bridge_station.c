/* The life of a station's connection: what it says is handed on, what ends it. Who may come in stands in bridge_station_admit.c,
 * what one says that is up in bridge_station_up.c, what is said to it in bridge_station_down.c. */
#include "gateway-bridge/bridge_station_parts.h"

#include <stdio.h>
#include <string.h>

void gb_bridge_serve_stations(struct gb_bridge *bridge, const struct gb_station_service *service)
{
	bridge->stations->regions = service->regions;
	bridge->stations->region_count = service->region_count;
}

struct gb_gateway *gb_station_gateway(const struct gb_bridge *bridge, const struct gb_station *station)
{
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &station->eui);
	return gateway && gateway->known ? gateway : NULL;
}

void gb_station_judge(struct gb_bridge *bridge, const struct gb_station *station, enum gb_verdict verdict,
		      int64_t b)
{
	bool named = station->path == GB_STATION_DATA;
	gb_judge_number(bridge, verdict, named ? &station->eui : NULL, &station->from, b);
}

/* --- the end */

/* What a rule that begins with ENDED has as its numbers. */
static struct gb_said age_of(const struct gb_station *station, struct now now, uint16_t c)
{
	return (struct gb_said){.a = gb_address_number(&station->from),
				.b = decision_u32(mono_since(now.mono, station->opened) / US_PER_S),
				.c = c,
				.own_c = true};
}

static enum gb_close close_of(enum gb_verdict verdict)
{
	switch (verdict) {
	case GB_STATION_ENDED: return GB_CLOSE_PEER;
	case GB_STATION_BROKE: return GB_CLOSE_LOST;
	case GB_STATION_NO_PONG: return GB_CLOSE_SILENT;
	case GB_STATION_SLOW_READER: return GB_CLOSE_SLOW;
	case GB_STATION_FLOODS: return GB_CLOSE_FLOOD;
	case GB_STATION_LONG_MESSAGE:
	case GB_STATION_NOT_WEBSOCKET: return GB_CLOSE_PROTOCOL;
	case GB_STATION_CHANGED:
	case GB_STATION_STOPPED: return GB_CLOSE_RESTART;
	default: return GB_CLOSE_REFUSED;
	}
}

void gb_station_let_go(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		       enum gb_verdict verdict)
{
	struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	gb_station_cut(bridge, now, station);
	if (station->stage == GB_STATION_IS_UP)
		bridge->stations->up--;
	/* One that was replaced is its gateway's no longer. */
	if (gateway && gateway->station == station->id) {
		gateway->station = 0;
		gb_health_closed(&gateway->health, now.mono, close_of(verdict));
		gb_gateways_left(bridge->gateways, gateway);
		gb_tell_presence(bridge, now, gateway, gb_verdict_name(verdict));
	}
	gb_stations_remove(bridge->stations, station);
}

void gb_station_close(struct gb_bridge *bridge, struct now now, struct gb_station *station, uint16_t code,
		      enum gb_verdict verdict)
{
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_CLOSE);
	const char *next = gb_verdict_row(verdict)->next;
	if (out) {
		out->code = code;
		snprintf(out->reason, sizeof out->reason, "%s%s%s", gb_verdict_name(verdict),
			 *next ? ": " : "", next);
	}
	gb_station_let_go(bridge, now, station, verdict);
}

void gb_station_end(struct gb_bridge *bridge, struct now now, struct gb_station *station, uint16_t code,
		    enum gb_verdict verdict, uint16_t c)
{
	const struct gb_said said = age_of(station, now, c);
	bool named = station->path == GB_STATION_DATA;
	gb_judge(bridge, verdict, named ? &station->eui : NULL, &station->from, &said);
	gb_station_close(bridge, now, station, code, verdict);
}

void gb_bridge_on_station_close(struct gb_bridge *bridge, struct now now, uint64_t id,
				enum gb_station_end end)
{
	static const enum gb_verdict verdicts[] = {
		[GB_STATION_LEFT] = GB_STATION_ENDED,
		[GB_STATION_LOST] = GB_STATION_BROKE,
		[GB_STATION_SLOW] = GB_STATION_SLOW_READER,
		[GB_STATION_TOO_LONG] = GB_STATION_LONG_MESSAGE,
		[GB_STATION_BAD_WEBSOCKET] = GB_STATION_NOT_WEBSOCKET,
		[GB_STATION_STOPPING] = GB_STATION_STOPPED,
	};
	struct gb_station *station = gb_stations_find(bridge->stations, id);
	gb_enter(bridge, now);
	if (station == NULL)
		return;
	/* A discovery that ends as it should is not worth a word. */
	if (station->path == GB_STATION_DATA || end > GB_STATION_LOST) {
		const struct gb_said said = age_of(station, now, 0);
		bool named = station->path == GB_STATION_DATA;
		gb_judge(bridge, verdicts[end], named ? &station->eui : NULL, &station->from, &said);
	}
	gb_station_let_go(bridge, now, station, verdicts[end]);
}

/* --- what it says */

/* Whether a message is within its gateway's limits; one that never keeps them loses its connection. */
static bool take_share(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		       struct gb_gateway *gateway)
{
	if (gb_bucket_take(&gateway->bucket, now.mono, &bridge->options.per_eui))
		return true;
	gateway->dropped++;
	gb_station_judge(bridge, station, GB_RATE_EUI, bridge->options.per_eui.per_second);
	if (station->flood == 0 || mono_since(now.mono, station->flood_from) > GB_STATION_FLOOD_US) {
		station->flood = 0;
		station->flood_from = now.mono;
	}
	if (++station->flood >= GB_STATION_FLOOD)
		gb_station_end(bridge, now, station, GB_CODE_POLICY, GB_STATION_FLOODS,
			       decision_u16(station->flood));
	return false;
}

void gb_bridge_on_station_text(struct gb_bridge *bridge, struct now now, uint64_t id, const char *text,
			       size_t length)
{
	struct gb_station *station = gb_stations_find(bridge->stations, id);
	gb_enter(bridge, now);
	if (station == NULL)
		return;
	station->texts++;
	station->owed = 0;
	if (station->path == GB_STATION_DISCOVERY) {
		gb_station_discover(bridge, now, station, text, length);
		return;
	}
	struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	if (gateway == NULL || !take_share(bridge, now, station, gateway))
		return;
	gb_health_in(&gateway->health, length);
	gb_station_take(bridge, now, station, gateway, text, length);
}

/* --- time */

/* A clock that nobody keeps may stand anywhere: by that no station is ended which is there already. */
static bool certificate_is_over(const struct gb_station *station, struct now now)
{
	return station->path == GB_STATION_DATA && station->presented.has_certificate &&
	       now.wall_synchronised && station->presented.certificate_until.us < now.wall.us;
}

/* The list has changed since this one was let in, or its certificate has ended. */
static bool judge_again(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	const struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	enum gb_verdict verdict = gb_station_identity(bridge, now, &station->eui, &station->presented,
						      &station->from);
	station->stale = false;
	if (verdict != GB_ACCEPTED || gateway == NULL) {
		gb_station_refuse(bridge, now, verdict, &station->eui, &station->from);
		gb_station_close(bridge, now, station, GB_CODE_POLICY, verdict);
		return false;
	}
	if (strcmp(gateway->row.region_id, station->region_id) != 0 ||
	    strcmp(gateway->row.channels, station->channels) != 0 || gateway->row.chip != station->chip) {
		gb_station_end(bridge, now, station, GB_CODE_RESTART, GB_STATION_CHANGED, 0);
		return false;
	}
	return true;
}

void gb_stations_list_changed(struct gb_bridge *bridge, struct now now)
{
	uint32_t at = 0;
	struct gb_station *station;
	while ((station = gb_stations_next(bridge->stations, &at)) != NULL) {
		if (station->path != GB_STATION_DATA)
			continue;
		station->stale = true;
		gb_stations_due(bridge->stations, station, now.mono);
	}
}

static void take_turn(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	if ((station->stale || certificate_is_over(station, now)) && !judge_again(bridge, now, station))
		return;
	if (station->stage == GB_STATION_IS_UP)
		(void)gb_station_round(bridge, now, station);
	else if (station->answered)
		gb_station_close(bridge, now, station, GB_CODE_NORMAL, GB_STATION_DISCOVERED);
	else if (mono_since(now.mono, station->opened) >= GB_STATION_SET_UP_US)
		gb_station_end(bridge, now, station, GB_CODE_POLICY, GB_STATION_NO_VERSION, 0);
	else
		gb_stations_due(bridge->stations, station, mono_add(station->opened, GB_STATION_SET_UP_US));
}

/* As many as the outbox has room for; the rest stays due. */
void gb_stations_tick(struct gb_bridge *bridge, struct now now)
{
	struct deadline *due;
	while (gb_stations_room(bridge->stations) >= 4 &&
	       (due = deadlines_pop(&bridge->stations->deadlines, now.mono)) != NULL)
		take_turn(bridge, now, (struct gb_station *)(void *)due);
}

/* --- questions */

bool gb_bridge_take_station(struct gb_bridge *bridge, struct gb_station_out *out)
{
	struct gb_stations *stations = bridge->stations;
	if (stations->outbox_count == 0)
		return false;
	const struct gb_station_out *first = &stations->outbox[stations->outbox_first];
	memcpy(out, first, offsetof(struct gb_station_out, bytes));
	memcpy(out->bytes, first->bytes, first->length);
	stations->outbox_first = (stations->outbox_first + 1) % GB_STATION_OUTBOX_MAX;
	stations->outbox_count--;
	return true;
}

bool gb_bridge_station_of(const struct gb_bridge *bridge, const struct lw_eui64 *eui,
			  struct gb_station_state *state)
{
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	const struct gb_station *station = gateway && gateway->station
						   ? gb_stations_find(bridge->stations, gateway->station)
						   : NULL;
	if (station == NULL)
		return false;
	*state = (struct gb_station_state){.id = station->id,
					   .version = &station->version,
					   .since = station->up,
					   .texts = station->texts,
					   .uplinks = station->uplinks,
					   .downlinks = station->downlinks,
					   .sent = station->sent,
					   .round_trip_us = station->round_trip_us,
					   .asks_time = station->asks_time};
	return true;
}

uint64_t gb_bridge_stations(const struct gb_bridge *bridge)
{
	return bridge->stations->count;
}

uint64_t gb_bridge_stations_up(const struct gb_bridge *bridge)
{
	return bridge->stations->up;
}
