/* Who may come in, and discovery: a station asks where to connect, and is told, or why not. */
#include "gateway-bridge/bridge_station_parts.h"

#include "common/lorawan/extra_channels.h"
#include "common/lorawan/gateway_plan.h"
#include "common/text/station_config.h"

#include <stdio.h>
#include <string.h>

#define DISCOVERY_REFUSED_MAX 400 /* characters of the reason, for the station's log */

static unsigned status_of(enum gb_verdict verdict)
{
	switch (verdict) {
	case GB_UNKNOWN_GATEWAY: return 404;
	case GB_TOKEN_WRONG:
	case GB_CERTIFICATE_EXPIRED:
	case GB_CREDENTIAL_MISSING: return 401;
	case GB_RATE_UNKNOWN: return 429;
	case GB_STATIONS_FULL: return 503;
	default: return 403;
	}
}

enum gb_verdict gb_station_identity(const struct gb_bridge *bridge, struct now now,
				    const struct lw_eui64 *eui, const struct gb_presented *presented,
				    const struct gb_address *from)
{
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	return gb_identity_judge(gateway && gateway->known ? &gateway->row : NULL, presented, from, now.wall);
}

/* The numbers of a refusal, as the rules of identity and limits have them. */
static struct gb_said refusal_of(const struct gb_bridge *bridge, enum gb_verdict verdict,
				 const struct lw_eui64 *eui, const struct gb_address *from)
{
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	struct gb_said said = {.a = gb_address_number(from)};
	if (verdict == GB_STATIONS_FULL)
		said.b = decision_u32((int64_t)bridge->stations->count);
	else if (verdict == GB_RATE_UNKNOWN)
		said.b = bridge->options.unknown.per_second;
	else if (verdict == GB_FOREIGN_SOURCE && gateway && gateway->source.family == 4)
		said.b = decision_ref(gateway->source.bytes);
	return said;
}

/* What calls itself an unregistered gateway is listed, as with every protocol. */
static void note_unknown(struct gb_bridge *bridge, struct now now, const struct lw_eui64 *eui,
			 const struct gb_address *from)
{
	struct gb_gateway *gateway = gb_gateways_note(bridge->gateways, now.mono, eui);
	const struct gb_peer peer = {.address = *from};
	if (gateway && gb_gateways_heard(bridge->gateways, gateway, now.mono, &peer, GW_BASICS_STATION))
		gb_tell_presence(bridge, now, gateway, "unknown");
}

void gb_station_refuse(struct gb_bridge *bridge, struct now now, enum gb_verdict verdict,
		       const struct lw_eui64 *eui, const struct gb_address *from)
{
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	const struct gb_said said = refusal_of(bridge, verdict, eui, from);
	if (verdict == GB_UNKNOWN_GATEWAY)
		note_unknown(bridge, now, eui, from);
	if (gateway && gateway->known) {
		gateway->dropped++;
		if (verdict != GB_RATE_UNKNOWN && verdict != GB_STATIONS_FULL)
			gb_gateways_turned_away(gateway, now.mono, gb_verdict_name(verdict));
	}
	gb_judge(bridge, verdict, eui, from, &said);
}

unsigned gb_bridge_admit_station(struct gb_bridge *bridge, struct now now, const struct gb_station_open *open,
				 char reason[GB_STATION_REASON_MAX])
{
	const struct gb_stations *stations = bridge->stations;
	const struct lw_eui64 nobody = {{0}}, *eui = open->path == GB_STATION_DATA ? &open->eui : &nobody;
	enum gb_verdict verdict = GB_ACCEPTED;
	gb_enter(bridge, now);
	if (stations->region_count == 0 || stations->count == GB_STATIONS_MAX ||
	    stations->count - stations->up >= GB_STATION_SET_UP_MAX)
		verdict = GB_STATIONS_FULL;
	else if (!gb_sources_take(&bridge->sources, now.mono, &open->from, &bridge->options.unknown))
		verdict = GB_RATE_UNKNOWN;
	else if (open->path == GB_STATION_DATA)
		verdict = gb_station_identity(bridge, now, &open->eui, open->presented, &open->from);
	if (verdict == GB_ACCEPTED)
		return 0;
	const struct gb_said said = refusal_of(bridge, verdict, eui, &open->from);
	gb_verdict_say(verdict, eui == &nobody ? NULL : eui, &said, reason, GB_STATION_REASON_MAX);
	if (open->path == GB_STATION_DATA)
		gb_station_refuse(bridge, now, verdict, eui, &open->from);
	else
		gb_judge(bridge, verdict, NULL, &open->from, &said);
	return status_of(verdict);
}

static void take_row(struct gb_bridge *bridge, struct gb_station *station, const struct gw_gateway *row)
{
	station->region = gb_stations_region(bridge->stations, row->region_id);
	station->chip = row->chip;
	snprintf(station->region_id, sizeof station->region_id, "%s", row->region_id);
	snprintf(station->channels, sizeof station->channels, "%s", row->channels);
}

void gb_bridge_on_station_open(struct gb_bridge *bridge, struct now now, uint64_t id,
			       const struct gb_station_open *open)
{
	gb_enter(bridge, now);
	struct gb_station *station = gb_stations_add(bridge->stations, id);
	if (station == NULL)
		return; /* admitted in this very event: there is room */
	station->path = open->path;
	station->eui = open->eui;
	station->from = open->from;
	station->tls = open->tls;
	station->presented = *open->presented;
	station->opened = now.mono;
	if (open->host && strlen(open->host) < sizeof station->host)
		snprintf(station->host, sizeof station->host, "%s", open->host);
	const struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	if (open->path == GB_STATION_DATA && gateway)
		take_row(bridge, station, &gateway->row);
	gb_stations_due(bridge->stations, station, mono_add(now.mono, GB_STATION_SET_UP_US));
}

/* --- discovery */

/* By the Host header, where nothing better is configured: a name or an address and a port, and nothing that could lead
 * elsewhere. */
static bool host_is_plain(const char *host)
{
	const char *colon = strrchr(host, ':');
	size_t name = colon ? (size_t)(colon - host) : 0;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	if (name == 0 || digits == 0 || digits > 5 || colon[1 + digits] != 0)
		return false;
	if (host[0] == '[')
		return host[name - 1] == ']' && strspn(host + 1, "0123456789abcdefABCDEF:.") == name - 2;
	return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == name;
}

static bool uri_of(const struct gb_bridge *bridge, const struct gb_station *station,
		   char uri[GB_STATION_URI_MAX + 1])
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &station->eui);
	int length;
	if (bridge->options.station_url[0])
		length = snprintf(uri, GB_STATION_URI_MAX + 1, "%s/gateway/%s", bridge->options.station_url,
				  eui);
	else if (host_is_plain(station->host))
		length = snprintf(uri, GB_STATION_URI_MAX + 1, "%s://%s/gateway/%s",
				  station->tls ? "wss" : "ws", station->host, eui);
	else
		return false;
	return length > 0 && length <= GB_STATION_URI_MAX;
}

bool gb_station_plan(const struct gb_station *station, struct lw_channel_plan *plan)
{
	const struct lw_region *region = station->region;
	struct lw_channel_mask mask;
	struct lw_extra_channels extra;
	const char *word;
	size_t length;
	if (region == NULL)
		return false;
	lw_plan_init(plan, region);
	if (region->plan_type == LW_PLAN_FIXED)
		return lw_gateway_mask(region, station->channels, NULL, &mask) &&
		       lw_plan_limit(plan, region, &mask);
	if (lw_extra_channels_read(&extra, region, station->channels, &word, &length) != LW_EXTRA_TAKEN)
		return false;
	lw_extra_channels_add(&extra, region, plan);
	return true;
}

/* Whether a station of this gateway can be given a configuration that it will work with. */
static enum gb_verdict judge_region(const struct gb_station *station)
{
	struct lw_channel_plan plan;
	struct gateway_radios radios;
	char text[GATEWAY_RADIO_PROBLEM_MAX];
	if (station->region == NULL || station_region_name(station->region) == NULL)
		return GB_STATION_REGION;
	if (!gb_station_plan(station, &plan) || !gateway_radios_fit(&radios, station->region, &plan, text))
		return GB_STATION_PLAN;
	return GB_ACCEPTED;
}

static void answer_discovery(struct gb_bridge *bridge, struct now now, struct gb_station *station)
{
	char uri[GB_STATION_URI_MAX + 1], error[DISCOVERY_REFUSED_MAX];
	enum gb_verdict verdict = gb_station_identity(bridge, now, &station->eui, &station->presented,
						      &station->from);
	const struct gb_gateway *gateway = gb_station_gateway(bridge, station);
	if (verdict == GB_ACCEPTED && gateway) {
		take_row(bridge, station, &gateway->row);
		verdict = judge_region(station);
	}
	if (verdict == GB_ACCEPTED && !uri_of(bridge, station, uri))
		verdict = GB_STATION_NO_URL;
	struct gb_station_out *out = gb_stations_post(bridge->stations, station, GB_STATION_TEXT);
	if (out && verdict == GB_ACCEPTED) {
		out->length = gb_station_discovery_answer(out->bytes, &station->eui, uri, NULL);
		gb_judge(bridge, GB_STATION_DISCOVERED, &station->eui, &station->from, NULL);
	} else if (out) {
		const struct gb_said said = refusal_of(bridge, verdict, &station->eui, &station->from);
		gb_verdict_say(verdict, &station->eui, &said, error, sizeof error);
		out->length = gb_station_discovery_answer(out->bytes, &station->eui, NULL, error);
		gb_station_refuse(bridge, now, verdict, &station->eui, &station->from);
	}
	if (out && out->length == 0)
		gb_stations_unpost(bridge->stations);
	station->answered = true;
	gb_stations_due(bridge->stations, station, mono_add(now.mono, GB_STATION_LEAVE_US));
}

void gb_station_discover(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			 const char *text, size_t length)
{
	if (station->answered) {
		gb_station_judge(bridge, station, GB_STATION_OUT_OF_TURN, (int64_t)length);
		return;
	}
	enum gb_verdict verdict = gb_station_discovery(bridge->json, text, length, &station->eui);
	if (verdict != GB_ACCEPTED) {
		gb_station_judge(bridge, station, verdict, (int64_t)length);
		gb_station_close(bridge, now, station, GB_CODE_POLICY, verdict);
		return;
	}
	answer_discovery(bridge, now, station);
}
