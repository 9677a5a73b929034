/* The flows of the bridge, each a list of steps: a datagram, a message of the network server, a deadline. */
#include "gateway-bridge/bridge.h"

#include "common/base/check.h"
#include "gateway-bridge/inflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A downlink is answered until a second after its time; a time further off than any queue takes is not believed. */
#define ANSWER_SPAN US_PER_S
#define TICKS_AHEAD (20 * US_PER_S)  /* RX2 lies 16 s behind its uplink at most */
#define GPS_AHEAD   (300 * US_PER_S) /* class B: two beacon periods */
/* `time` without tmms comes from gateways whose clock nobody vouches for. */
#define UTC_TOLERANCE (5 * US_PER_S)
#define GPS_FUTURE    (60 * US_PER_S)

struct gb_bridge {
	struct gb_options options;
	char name[64];
	struct rng *rng; /* borrowed */
	struct gb_json *json;
	struct gb_gateways *gateways;
	struct gb_sources sources; /* of datagrams for unknown gateways */
	struct gb_ring *ring;
	struct gb_inflights inflights;
	struct gb_counters counters;

	struct gb_datagram outbox[GB_OUTBOX_MAX];
	size_t outbox_first, outbox_count;
	struct gb_note notes[GB_NOTES_MAX];
	size_t notes_first, notes_count;

	enum { LINK_DOWN, LINK_GREETING, LINK_UP } link;
	bool hello_pending;
	uint64_t next_seq; /* of this link */
	bool list_changed;
};

struct gb_bridge *gb_bridge_new(const struct gb_options *options, struct rng *rng)
{
	struct gb_bridge *bridge = calloc(1, sizeof *bridge);
	ASSERT(bridge != NULL);
	bridge->options = *options;
	snprintf(bridge->name, sizeof bridge->name, "%s", options->name);
	bridge->options.name = bridge->name;
	bridge->rng = rng;
	bridge->json = gb_json_new();
	bridge->gateways = gb_gateways_new(rng);
	gb_sources_init(&bridge->sources, rng);
	bridge->ring = gb_ring_new(options->ring_bytes, options->ring_age);
	gb_inflights_init(&bridge->inflights, rng);
	return bridge;
}

void gb_bridge_free(struct gb_bridge *bridge)
{
	if (bridge == NULL)
		return;
	gb_json_free(bridge->json);
	gb_gateways_free(bridge->gateways);
	gb_sources_release(&bridge->sources);
	gb_ring_free(bridge->ring);
	gb_inflights_release(&bridge->inflights);
	free(bridge);
}

/* --- what goes out ---------------------------------------------------------------------------------------------- */

/* Counts a verdict and leaves a note about it. */
static void judge(struct gb_bridge *bridge, enum gb_verdict verdict, const struct lw_eui64 *gateway,
		  const struct gb_address *from)
{
	bridge->counters.verdicts[verdict]++;
	if (bridge->notes_count == GB_NOTES_MAX) {
		bridge->counters.notes_lost++;
		return;
	}
	struct gb_note *note = &bridge->notes[(bridge->notes_first + bridge->notes_count++) % GB_NOTES_MAX];
	*note = (struct gb_note){.verdict = verdict};
	if (gateway) {
		note->has_gateway = true;
		note->gateway = *gateway;
	}
	if (from)
		note->from = *from;
}

bool gb_bridge_take_note(struct gb_bridge *bridge, struct gb_note *note)
{
	if (bridge->notes_count == 0)
		return false;
	*note = bridge->notes[bridge->notes_first];
	bridge->notes_first = (bridge->notes_first + 1) % GB_NOTES_MAX;
	bridge->notes_count--;
	return true;
}

/* Lends room for a datagram, or NULL. */
static struct gb_datagram *post(struct gb_bridge *bridge, const struct gb_peer *to)
{
	if (bridge->outbox_count == GB_OUTBOX_MAX) {
		judge(bridge, GB_OUTBOX_FULL, NULL, &to->address);
		return NULL;
	}
	struct gb_datagram *datagram =
		&bridge->outbox[(bridge->outbox_first + bridge->outbox_count++) % GB_OUTBOX_MAX];
	datagram->to = *to;
	datagram->length = 0;
	return datagram;
}

bool gb_bridge_take_datagram(struct gb_bridge *bridge, struct gb_datagram *datagram)
{
	if (bridge->outbox_count == 0)
		return false;
	const struct gb_datagram *first = &bridge->outbox[bridge->outbox_first];
	datagram->to = first->to;
	datagram->length = first->length;
	memcpy(datagram->bytes, first->bytes, first->length);
	bridge->outbox_first = (bridge->outbox_first + 1) % GB_OUTBOX_MAX;
	bridge->outbox_count--;
	return true;
}

/* Puts a report into the ring, and counts what had to go for it. */
static void report(struct gb_bridge *bridge, struct now now, const struct gb_report *what)
{
	uint64_t before = gb_ring_stats(bridge->ring)->dropped_full;
	gb_ring_put(bridge->ring, now.mono, what);
	uint64_t dropped = gb_ring_stats(bridge->ring)->dropped_full - before;
	if (dropped > 0) {
		judge(bridge, GB_RING_FULL, NULL, NULL);
		bridge->counters.verdicts[GB_RING_FULL] += dropped - 1;
	}
}

static void report_presence(struct gb_bridge *bridge, struct now now, const struct gb_gateway *gateway,
			    const char *reason)
{
	struct gb_report what = {.kind = PROTO_GATEWAY_PRESENCE,
				 .presence = {.gateway = gateway->eui,
					      .online = gateway->online,
					      .known = gateway->known,
					      .protocol = gateway->protocol}};
	gb_address_format(what.presence.address, gateway->has_path ? &gateway->path.address : &gateway->from);
	snprintf(what.presence.reason, sizeof what.presence.reason, "%s", reason);
	report(bridge, now, &what);
}

static void report_tx(struct gb_bridge *bridge, struct now now, const struct gw_tx_ack *ack)
{
	bridge->counters.downlinks_done++;
	report(bridge, now, &(struct gb_report){.kind = PROTO_GATEWAY_TX_ACK, .tx_ack = *ack});
}

/* --- a datagram: PUSH_DATA -------------------------------------------------------------------------------------- */

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

static void forward_rxpk(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
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
	report(bridge, now, &what);
	bridge->counters.uplinks++;
	gateway->uplinks++;
}

/* What a gateway heard well enough to be read may still be nothing that the network wants. */
static enum gb_verdict rxpk_policy(const struct gb_rxpk *rxpk)
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
	switch (gb_gateway_ticks(gateway, now.mono, ticks)) {
	case GB_TICKS_RESTARTED:
		judge(bridge, GB_GATEWAY_RESTARTED, &gateway->eui, &gateway->from);
		report_presence(bridge, now, gateway, "restarted");
		break;
	case GB_TICKS_ODD: judge(bridge, GB_TICKS_JUMPED, &gateway->eui, &gateway->from); break;
	case GB_TICKS_FIRST:
	case GB_TICKS_STEADY: break;
	}
}

static void take_push_data(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			   const uint8_t *body, size_t length)
{
	struct gb_push push;
	enum gb_verdict verdict = gb_push_open(bridge->json, body, length, &push);
	if (verdict != GB_ACCEPTED) {
		judge(bridge, verdict, &gateway->eui, &gateway->from);
		return;
	}
	struct gb_rxpk rxpk;
	while (gb_push_next(&push, &rxpk, &verdict)) {
		if (verdict == GB_ACCEPTED) {
			watch_ticks(bridge, now, gateway, rxpk.ticks);
			verdict = rxpk_policy(&rxpk);
		}
		if (verdict == GB_ACCEPTED)
			forward_rxpk(bridge, now, gateway, &rxpk);
		else
			judge(bridge, verdict, &gateway->eui, &gateway->from);
	}
	struct gb_report what = {.kind = PROTO_GATEWAY_STATS};
	if (gb_push_stat(&push, &what.stats, &verdict)) {
		if (verdict != GB_ACCEPTED) {
			judge(bridge, verdict, &gateway->eui, &gateway->from);
			return;
		}
		what.stats.gateway = gateway->eui;
		what.stats.arrival = now.wall;
		bridge->counters.stats++;
		report(bridge, now, &what);
	}
}

/* --- a datagram: PULL_DATA -------------------------------------------------------------------------------------- */

static void take_pull_data(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			   const struct gb_peer *from, bool came)
{
	struct gb_pull pull = gb_gateways_pulled(gateway, now.mono, from);
	if (pull.moved) {
		judge(bridge, GB_GATEWAY_MOVED, &gateway->eui, &from->address);
		report_presence(bridge, now, gateway, "moved");
	} else if (came || pull.first) {
		report_presence(bridge, now, gateway, "pull_data");
	}
	if (pull.began_to_flap)
		judge(bridge, GB_GATEWAY_FLAPPING, &gateway->eui, &from->address);
}

/* --- a datagram: TX_ACK ----------------------------------------------------------------------------------------- */

/* Copies a gateway's word for a cause: printable ASCII, shortened. */
static void copy_cause(char out[GW_CAUSE_MAX], const char *cause)
{
	size_t length = 0;
	for (; cause[length] && length < GW_CAUSE_MAX - 1; length++) {
		char c = cause[length];
		out[length] = c >= ' ' && c <= '~' ? c : '?';
	}
	out[length] = 0;
}

static void take_tx_ack(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			const struct gb_header *header, const struct gb_peer *from, const uint8_t *body,
			size_t length)
{
	const struct gb_inflight *sent = gb_inflights_find(&bridge->inflights, &gateway->eui, header->token);
	struct gb_tx_ack ack;
	enum gb_verdict verdict = gb_tx_ack_parse(bridge->json, body, length, &ack);
	if (verdict == GB_ACCEPTED && sent == NULL)
		verdict = GB_TX_ACK_UNASKED;
	/* Some gateways answer from the socket of their uplinks: another port, the same host. */
	if (verdict == GB_ACCEPTED && !gb_address_same_host(&sent->sent_to, &from->address) &&
	    !gb_address_same_host(&gateway->path.address, &from->address))
		verdict = GB_TX_ACK_FOREIGN;
	if (verdict != GB_ACCEPTED) {
		judge(bridge, verdict, &gateway->eui, &from->address);
		return;
	}
	struct gw_tx_ack result = {.id = sent->id,
				   .attempt = sent->attempt,
				   .gateway = sent->gateway,
				   .result = ack.result,
				   .has_power = ack.has_power,
				   .power_dbm = ack.power_dbm,
				   .latency_us = mono_since(now.mono, sent->sent_at)};
	if (ack.outcome == GB_TX_ERROR)
		copy_cause(result.cause, ack.cause);
	bridge->counters.latency_us_sum += (uint64_t)(result.latency_us > 0 ? result.latency_us : 0);
	bridge->counters.latency_count++;
	gb_inflights_remove(&bridge->inflights, sent);
	report_tx(bridge, now, &result);
}

/* --- a datagram ------------------------------------------------------------------------------------------------- */

/* Whether this gateway may say anything at all from there, and how much. Known ones have a limit each, all others one by
 * source, so that a forger outside a pinned range spends his own. */
static enum gb_verdict admit(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			     const struct gb_peer *from)
{
	enum gb_verdict verdict = GB_ACCEPTED;
	bool known = gateway && gateway->known;
	if (known && !gateway->row.accept_udp)
		verdict = GB_UDP_NOT_ALLOWED;
	else if (known && !gb_cidr_contains(&gateway->source, &from->address))
		verdict = GB_FOREIGN_SOURCE;
	if (known && verdict == GB_ACCEPTED)
		return gb_bucket_take(&gateway->bucket, now.mono, &bridge->options.per_eui) ? GB_ACCEPTED
											    : GB_RATE_EUI;
	if (!gb_sources_take(&bridge->sources, now.mono, &from->address, &bridge->options.unknown))
		return GB_RATE_UNKNOWN;
	return verdict;
}

static void acknowledge(struct gb_bridge *bridge, const struct gb_header *header, const struct gb_peer *from)
{
	uint8_t ack[GB_ACK_SIZE];
	size_t length = gb_ack_build(header, ack);
	if (length == 0)
		return;
	struct gb_datagram *datagram = post(bridge, from);
	if (datagram) {
		memcpy(datagram->bytes, ack, length);
		datagram->length = length;
	}
}

static void take_body(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      const struct gb_header *header, const struct gb_peer *from, const uint8_t *body,
		      size_t length, bool came)
{
	switch (header->identifier) {
	case GB_PUSH_DATA:
		bridge->counters.push_data++;
		if (came)
			report_presence(bridge, now, gateway, "push_data");
		take_push_data(bridge, now, gateway, body, length);
		break;
	case GB_PULL_DATA:
		bridge->counters.pull_data++;
		if (gateway->known)
			take_pull_data(bridge, now, gateway, from, came);
		break;
	case GB_TX_ACK:
		bridge->counters.tx_acks++;
		take_tx_ack(bridge, now, gateway, header, from, body, length);
		break;
	case GB_PUSH_ACK:
	case GB_PULL_RESP:
	case GB_PULL_ACK: break;
	}
}

void gb_bridge_on_datagram(struct gb_bridge *bridge, struct now now, const struct gb_peer *from,
			   const uint8_t *bytes, size_t length)
{
	struct gb_header header;
	bridge->counters.datagrams++;
	enum gb_verdict verdict = gb_header_parse(bytes, length, &header);
	if (verdict != GB_ACCEPTED) {
		judge(bridge, verdict, NULL, &from->address);
		return;
	}
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &header.gateway);
	verdict = admit(bridge, now, gateway, from);
	if (verdict != GB_ACCEPTED) {
		judge(bridge, verdict, &header.gateway, &from->address);
		return;
	}
	acknowledge(bridge, &header, from);

	if (gateway == NULL)
		gateway = gb_gateways_note(bridge->gateways, now.mono, &header.gateway);
	if (gateway == NULL) {
		judge(bridge, GB_UNKNOWN_LIST_FULL, &header.gateway, &from->address);
		return;
	}
	bool came = gb_gateways_heard(bridge->gateways, gateway, now.mono, from,
				      header.version == 1 ? GW_SEMTECH_UDP_V1 : GW_SEMTECH_UDP_V2);
	if (!gateway->known) {
		judge(bridge, GB_UNKNOWN_GATEWAY, &header.gateway, &from->address);
		if (came)
			report_presence(bridge, now, gateway, "unknown");
		if (!bridge->options.forward_unknown)
			return;
		came = false;
	}
	take_body(bridge, now, gateway, &header, from, bytes + GB_HEADER_SIZE, length - GB_HEADER_SIZE, came);
}

/* --- the network server ----------------------------------------------------------------------------------------- */

void gb_bridge_on_link_open(struct gb_bridge *bridge, struct now now)
{
	(void)now;
	bridge->link = LINK_GREETING;
	bridge->hello_pending = true;
	bridge->next_seq = 1;
	gb_ring_rewind(bridge->ring);
}

void gb_bridge_on_link_close(struct gb_bridge *bridge, struct now now)
{
	(void)now;
	bridge->link = LINK_DOWN;
	bridge->hello_pending = false;
	gb_ring_rewind(bridge->ring);
}

bool gb_bridge_next_message(struct gb_bridge *bridge, struct now now, struct proto_message *message)
{
	if (bridge->hello_pending) {
		message->kind = PROTO_HELLO;
		message->seq = bridge->next_seq;
		message->hello = (struct proto_hello){
			.role = PROTO_GATEWAY_BRIDGE, .major = PROTO_MAJOR, .minor = PROTO_MINOR};
		memcpy(message->hello.name, bridge->name, sizeof bridge->name);
		return true;
	}
	if (bridge->link != LINK_UP)
		return false;
	struct gb_report next;
	uint64_t before = gb_ring_stats(bridge->ring)->dropped_joins;
	bool any = gb_ring_next(bridge->ring, now.mono, &next);
	bridge->counters.verdicts[GB_JOIN_TOO_OLD] += gb_ring_stats(bridge->ring)->dropped_joins - before;
	if (!any)
		return false;
	message->kind = next.kind;
	message->seq = bridge->next_seq;
	switch (next.kind) {
	case PROTO_GATEWAY_UPLINK: message->gateway_uplink = next.uplink; break;
	case PROTO_GATEWAY_TX_ACK: message->gateway_tx_ack = next.tx_ack; break;
	case PROTO_GATEWAY_STATS: message->gateway_stats = next.stats; break;
	default: message->gateway_presence = next.presence; break;
	}
	return true;
}

void gb_bridge_message_sent(struct gb_bridge *bridge)
{
	if (bridge->hello_pending)
		bridge->hello_pending = false;
	else
		gb_ring_sent(bridge->ring, bridge->next_seq);
	bridge->next_seq++;
}

/* The other side must be a network server of our major version, and say so first. After that it learns which gateways
 * are there: what it was told before may have died with it. */
static enum status take_hello(struct gb_bridge *bridge, struct now now, const struct proto_hello *hello)
{
	if (bridge->link != LINK_GREETING || hello->role != PROTO_NETWORK_SERVER ||
	    hello->major != PROTO_MAJOR) {
		judge(bridge, GB_MESSAGE_REFUSED, NULL, NULL);
		return ST_INVALID;
	}
	bridge->link = LINK_UP;
	size_t at = 0;
	struct gb_gateway *gateway;
	while ((gateway = gb_gateways_next(bridge->gateways, &at)) != NULL) {
		if (gateway->known && gateway->online)
			report_presence(bridge, now, gateway, gateway->has_path ? "pull_data" : "push_data");
	}
	return ST_OK;
}

/* When the frame is on the air, by our clock. */
static struct mono time_on_air(const struct gb_gateway *gateway, struct now now,
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

static void refuse_downlink(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
			    enum gb_verdict verdict)
{
	judge(bridge, verdict, &downlink->attempts[0].gateway, NULL);
	struct gw_tx_ack ack = {.id = downlink->id,
				.gateway = downlink->attempts[0].gateway,
				.result = verdict == GB_NO_PATH ? GW_TX_NO_PATH : GW_TX_OTHER};
	copy_cause(ack.cause, gb_verdict_name(verdict));
	report_tx(bridge, now, &ack);
}

/* A UDP gateway gets the first attempt; its answer goes back, and the network server decides what to try next. */
static void take_downlink(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink)
{
	const struct gw_tx_attempt *attempt = &downlink->attempts[0];
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &attempt->gateway);
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
		mono_add(time_on_air(gateway, now, attempt), ANSWER_SPAN));
	if (sent == NULL) {
		refuse_downlink(bridge, now, downlink, GB_TOO_MANY_IN_FLIGHT);
		return;
	}
	struct gb_datagram *datagram = post(bridge, path);
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
}

static void take_list(struct gb_bridge *bridge, const struct gw_gateway_list *part)
{
	switch (gb_gateways_list(bridge->gateways, part)) {
	case GB_LIST_CHANGED: bridge->list_changed = true; break;
	case GB_LIST_BAD: judge(bridge, GB_LIST_REFUSED, NULL, NULL); break;
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
	if (message->kind == PROTO_HELLO)
		return take_hello(bridge, now, &message->hello);
	if (bridge->link != LINK_UP) {
		judge(bridge, GB_MESSAGE_REFUSED, NULL, NULL);
		return ST_INVALID;
	}
	switch (message->kind) {
	case PROTO_ACK: gb_ring_acknowledge(bridge->ring, message->ack.seq); break;
	case PROTO_GATEWAY_DOWNLINK: take_downlink(bridge, now, &message->gateway_downlink); break;
	case PROTO_GATEWAY_LIST: take_list(bridge, &message->gateway_list); break;
	case PROTO_BYE:            /* it closes the link itself */
	case PROTO_UNKNOWN: break; /* of a later minor version */
	default: judge(bridge, GB_MESSAGE_REFUSED, NULL, NULL); return ST_INVALID;
	}
	return ST_OK;
}

/* --- deadlines -------------------------------------------------------------------------------------------------- */

static void answer_silence(struct gb_bridge *bridge, struct now now)
{
	struct gb_inflight sent;
	while (gb_inflights_pop(&bridge->inflights, now.mono, &sent)) {
		bridge->counters.verdicts[GB_NO_TX_ACK]++;
		report_tx(bridge, now,
			  &(struct gw_tx_ack){.id = sent.id,
					      .attempt = sent.attempt,
					      .gateway = sent.gateway,
					      .result = GW_TX_NO_ANSWER});
	}
}

static void expire_ring(struct gb_bridge *bridge, struct now now)
{
	uint64_t before = gb_ring_stats(bridge->ring)->dropped_old;
	gb_ring_expire(bridge->ring, now.mono);
	uint64_t dropped = gb_ring_stats(bridge->ring)->dropped_old - before;
	if (dropped > 0) {
		judge(bridge, GB_RING_EXPIRED, NULL, NULL);
		bridge->counters.verdicts[GB_RING_EXPIRED] += dropped - 1;
	}
}

void gb_bridge_on_tick(struct gb_bridge *bridge, struct now now)
{
	struct gb_gateway *gateway;
	answer_silence(bridge, now);
	while ((gateway = gb_gateways_pop_silent(bridge->gateways, now.mono)) != NULL) {
		judge(bridge, GB_GATEWAY_SILENT, &gateway->eui, &gateway->from);
		report_presence(bridge, now, gateway, "silent");
	}
	expire_ring(bridge, now);
}

struct mono gb_bridge_next_deadline(const struct gb_bridge *bridge)
{
	const struct mono deadlines[] = {gb_inflights_deadline(&bridge->inflights),
					 gb_gateways_deadline(bridge->gateways),
					 gb_ring_deadline(bridge->ring)};
	struct mono next = deadlines[0];
	for (size_t i = 1; i < ARRAY_SIZE(deadlines); i++) {
		if (deadlines[i].us < next.us)
			next = deadlines[i];
	}
	return next;
}

/* --- questions -------------------------------------------------------------------------------------------------- */

bool gb_bridge_linked(const struct gb_bridge *bridge)
{
	return bridge->link == LINK_UP;
}

const struct gb_gateways *gb_bridge_gateways(const struct gb_bridge *bridge)
{
	return bridge->gateways;
}

const struct gb_counters *gb_bridge_counters(const struct gb_bridge *bridge)
{
	return &bridge->counters;
}

const struct gb_ring_stats *gb_bridge_ring(const struct gb_bridge *bridge)
{
	return gb_ring_stats(bridge->ring);
}

uint64_t gb_bridge_in_flight(const struct gb_bridge *bridge)
{
	return bridge->inflights.count;
}
