/* What the network server says: Hello, acknowledgements, the gateway list, downlinks. */
#include "gateway-bridge/bridge_state.h"
#include "gateway-bridge/contexts.h"

/* A downlink is answered until a second after its time; a time further off than any queue takes is not believed. */
#define ANSWER_SPAN US_PER_S
#define TICKS_AHEAD (20 * US_PER_S)  /* RX2 lies 16 s behind its uplink at most */
#define GPS_AHEAD   (300 * US_PER_S) /* class B: two beacon periods */

/* By what a gateway that is online was heard last. */
static const char *heard_by(const struct gb_gateway *gateway)
{
	if (gateway->station)
		return "connected";
	if (gateway->protocol == GW_CHIRPSTACK_MQTT)
		return "mqtt";
	return gateway->has_path ? "pull_data" : "push_data";
}

/* The other side must be a network server of our major version, and say so first. After that it learns which gateways
 * are there: what it was told before may have died with it. */
static enum status take_hello(struct gb_bridge *bridge, struct now now, const struct proto_hello *hello)
{
	if (bridge->link != LINK_GREETING || hello->role != PROTO_NETWORK_SERVER ||
	    hello->major != PROTO_MAJOR) {
		gb_judge_number(bridge, GB_MESSAGE_REFUSED, NULL, NULL, PROTO_HELLO);
		return ST_INVALID;
	}
	bridge->link = LINK_UP;
	size_t at = 0;
	struct gb_gateway *gateway;
	while ((gateway = gb_gateways_next(bridge->gateways, &at)) != NULL) {
		if (gateway->known && gateway->online)
			gb_tell_presence(bridge, now, gateway, heard_by(gateway));
	}
	return ST_OK;
}

struct mono gb_time_on_air(const struct gb_gateway *gateway, struct now now,
			   const struct gw_tx_attempt *attempt)
{
	span_us ahead = 0, limit = TICKS_AHEAD;
	switch (attempt->timing) {
	case GW_AT_TICKS:
		ahead = mono_since(gb_gateway_time(gateway, now.mono, attempt->ticks), now.mono);
		break;
	case GW_AT_GPS_TIME:
		ahead = attempt->gps_time_us - gps_us_from_wall(now.wall);
		limit = GPS_AHEAD;
		break;
	case GW_IMMEDIATELY: break;
	}
	return mono_add(now.mono, ahead < 0 ? 0 : ahead > limit ? limit : ahead);
}

static void judge_downlink(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
			   enum gb_verdict verdict)
{
	const size_t mic = 4;
	const struct gw_tx_attempt *attempt = &downlink->attempts[0];
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &attempt->gateway);
	bool pulled = gateway && gateway->path.address.family != 0;
	struct gb_said said = {.a = attempt->freq_hz};
	if (verdict == GB_NO_PATH)
		said.b = pulled ? decision_u32(mono_since(now.mono, gateway->pulled) / US_PER_S) : UINT32_MAX;
	else if (verdict == GB_MQTT_NO_PATH && gateway)
		said.b = decision_u32(mono_since(now.mono, gateway->heard) / US_PER_S);
	else if (verdict == GB_CONTEXT_GONE)
		said.b = GB_CONTEXTS_MAX;
	else if (verdict == GB_TOO_MANY_IN_FLIGHT)
		said.b = decision_u32((int64_t)bridge->inflights.count);
	else if (verdict == GB_OUTBOX_FULL)
		said.b = GB_OUTBOX_MAX;
	if (downlink->phy_length >= mic)
		said.mic = downlink->phy + downlink->phy_length - mic;
	gb_judge(bridge, verdict, &attempt->gateway, NULL, &said);
}

/* Nothing else can be sent by this gateway for that frame either. */
static bool is_no_way(enum gb_verdict verdict)
{
	return verdict == GB_NO_PATH || verdict == GB_STATION_CONTEXT_GONE ||
	       verdict == GB_STATION_CANNOT_SEND || verdict == GB_MQTT_NO_PATH || verdict == GB_CONTEXT_GONE;
}

static void refuse_downlink(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
			    enum gb_verdict verdict)
{
	judge_downlink(bridge, now, downlink, verdict);
	struct gw_tx_ack ack = {.id = downlink->id,
				.gateway = downlink->attempts[0].gateway,
				.result = is_no_way(verdict) ? GW_TX_NO_PATH : GW_TX_OTHER};
	gb_copy_cause(ack.cause, gb_verdict_name(verdict));
	gb_tell_tx(bridge, now, &ack);
}

/* A UDP gateway gets the first attempt; its answer goes back, and the network server decides what to try next. */
static void take_downlink(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink)
{
	const struct gw_tx_attempt *attempt = &downlink->attempts[0];
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &attempt->gateway);
	if (gateway && gateway->station) {
		enum gb_verdict refused = gb_station_send(bridge, now, downlink, gateway);
		if (refused != GB_ACCEPTED)
			refuse_downlink(bridge, now, downlink, refused);
		return;
	}
	if (gateway && gateway->protocol == GW_CHIRPSTACK_MQTT) {
		enum gb_verdict refused = gb_mqtt_send(bridge, now, downlink, gateway);
		if (refused != GB_ACCEPTED)
			refuse_downlink(bridge, now, downlink, refused);
		return;
	}
	const struct gb_peer *path = gateway ? gb_gateway_path(gateway, now.mono) : NULL;
	if (path == NULL) {
		refuse_downlink(bridge, now, downlink, GB_NO_PATH);
		return;
	}
	struct gb_inflight entry = {.id = downlink->id,
				    .attempt = 0,
				    .gateway = attempt->gateway,
				    .has_token = gateway->protocol != GW_SEMTECH_UDP_V1,
				    .sent_to = path->address,
				    .sent_at = now.mono};
	const struct gb_inflight *sent = gb_inflights_add(
		&bridge->inflights, bridge->rng, &entry,
		mono_add(gb_time_on_air(gateway, now, attempt), ANSWER_SPAN));
	if (sent == NULL) {
		refuse_downlink(bridge, now, downlink, GB_TOO_MANY_IN_FLIGHT);
		return;
	}
	struct gb_datagram *datagram = gb_post(bridge, path);
	enum gb_verdict verdict = GB_OUTBOX_FULL;
	if (datagram)
		verdict = gb_pull_resp_build(sent->has_token ? 2 : 1, sent->token, attempt, downlink->phy,
					     downlink->phy_length, datagram->bytes, &datagram->length);
	if (verdict != GB_ACCEPTED) {
		if (datagram)
			bridge->outbox_count--;
		gb_inflights_remove(&bridge->inflights, sent);
		refuse_downlink(bridge, now, downlink, verdict);
		return;
	}
	bridge->counters.downlinks++;
	gb_health_sent(&gateway->health);
	gb_health_out(&gateway->health, datagram->length);
}

static void take_list(struct gb_bridge *bridge, struct now now, const struct gw_gateway_list *part)
{
	switch (gb_gateways_list(bridge->gateways, part)) {
	case GB_LIST_CHANGED:
		bridge->list_changed = true;
		gb_stations_list_changed(bridge, now);
		break;
	case GB_LIST_BAD: gb_judge_number(bridge, GB_LIST_REFUSED, NULL, NULL, GB_KNOWN_MAX); break;
	case GB_LIST_MORE:
	case GB_LIST_SAME: break;
	}
}

enum gb_list_verdict gb_bridge_restore_list(struct gb_bridge *bridge, const struct gw_gateway_list *part)
{
	return gb_gateways_list(bridge->gateways, part);
}

bool gb_bridge_take_list_changed(struct gb_bridge *bridge)
{
	bool changed = bridge->list_changed;
	bridge->list_changed = false;
	return changed;
}

enum status gb_bridge_on_network_message(struct gb_bridge *bridge, struct now now,
					 const struct proto_message *message)
{
	gb_enter(bridge, now);
	if (message->kind == PROTO_HELLO)
		return take_hello(bridge, now, &message->hello);
	if (bridge->link != LINK_UP) {
		gb_judge_number(bridge, GB_MESSAGE_REFUSED, NULL, NULL, message->kind);
		return ST_INVALID;
	}
	switch (message->kind) {
	case PROTO_ACK: gb_ring_acknowledge(bridge->ring, message->ack.seq); break;
	case PROTO_GATEWAY_DOWNLINK: take_downlink(bridge, now, &message->gateway_downlink); break;
	case PROTO_GATEWAY_LIST: take_list(bridge, now, &message->gateway_list); break;
	case PROTO_BYE: /* it closes the link itself */
		bridge->bye = true;
		bridge->bye_seq = message->bye.seq;
		break;
	case PROTO_UNKNOWN: break; /* of a later minor version */
	default: gb_judge_number(bridge, GB_MESSAGE_REFUSED, NULL, NULL, message->kind); return ST_INVALID;
	}
	return ST_OK;
}
