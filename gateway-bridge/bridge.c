/* The life of the core, its outbox and its deadlines; see bridge_state.h for where the flows are. */
#include "gateway-bridge/bridge_state.h"
#include "gateway-bridge/stations.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gb_bridge *gb_bridge_new(const struct gb_options *options, struct rng *rng)
{
	struct gb_bridge *bridge = calloc(1, sizeof *bridge);
	ASSERT(bridge != NULL);
	bridge->options = *options;
	snprintf(bridge->name, sizeof bridge->name, "%s", options->name);
	bridge->options.name = bridge->name;
	bridge->rng = rng;
	bridge->json = gb_json_new();
	gb_decisions_init(&bridge->decisions);
	bridge->gateways = gb_gateways_new(rng, &bridge->decisions.ring);
	if (options->silent != 0)
		gb_gateways_set_silent(bridge->gateways, options->silent);
	gb_sources_init(&bridge->sources, rng);
	bridge->ring = gb_ring_new(options->ring_bytes, options->ring_age);
	gb_inflights_init(&bridge->inflights, rng);
	bridge->stations = gb_stations_new(rng);
	return bridge;
}

void gb_bridge_reconfigure(struct gb_bridge *bridge, const struct gb_options *options)
{
	bridge->options = *options;
	bridge->options.name = bridge->name;
	if (options->silent != 0)
		gb_gateways_set_silent(bridge->gateways, options->silent);
	gb_ring_limit(bridge->ring, options->ring_bytes, options->ring_age);
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
	gb_stations_free(bridge->stations);
	gb_mqtt_free(bridge->mqtt);
	gb_decisions_release(&bridge->decisions);
	free(bridge);
}

/* --- what goes out */

void gb_enter(struct gb_bridge *bridge, struct now now)
{
	bridge->now = now;
	if (bridge->began.us == 0)
		bridge->began = now.mono;
}

static void record(struct gb_bridge *bridge, enum gb_verdict verdict, const struct lw_eui64 *eui,
		   const struct gb_said *said)
{
	const struct gb_gateway *gateway = eui ? gb_gateways_find(bridge->gateways, eui) : NULL;
	uint32_t index = gateway ? gb_gateways_index(bridge->gateways, gateway) : GB_WHY_NOBODY;
	gb_decisions_add(&bridge->decisions, bridge->now, index, verdict, said);
}

struct gb_note *gb_judge_number(struct gb_bridge *bridge, enum gb_verdict verdict,
				const struct lw_eui64 *gateway, const struct gb_address *from, int64_t b)
{
	const struct gb_said said = {.a = gb_address_number(from), .b = decision_u32(b)};
	return gb_judge(bridge, verdict, gateway, from, &said);
}

struct gb_note *gb_judge(struct gb_bridge *bridge, enum gb_verdict verdict, const struct lw_eui64 *gateway,
			 const struct gb_address *from, const struct gb_said *said)
{
	const struct gb_said address = {.a = gb_address_number(from)};
	bridge->counters.verdicts[verdict]++;
	record(bridge, verdict, gateway, said ? said : &address);
	if (bridge->notes_count == GB_NOTES_MAX) {
		bridge->counters.notes_lost++;
		return NULL;
	}
	struct gb_note *note = &bridge->notes[(bridge->notes_first + bridge->notes_count++) % GB_NOTES_MAX];
	*note = (struct gb_note){.verdict = verdict};
	if (gateway) {
		note->has_gateway = true;
		note->gateway = *gateway;
	}
	if (from)
		note->from = *from;
	return note;
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
struct gb_datagram *gb_post(struct gb_bridge *bridge, const struct gb_peer *to)
{
	if (bridge->outbox_count == GB_OUTBOX_MAX) {
		gb_judge_number(bridge, GB_OUTBOX_FULL, NULL, &to->address, GB_OUTBOX_MAX);
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
void gb_tell(struct gb_bridge *bridge, struct now now, const struct gb_report *what)
{
	uint64_t before = gb_ring_stats(bridge->ring)->dropped_full;
	gb_ring_put(bridge->ring, now.mono, what);
	uint64_t dropped = gb_ring_stats(bridge->ring)->dropped_full - before;
	if (dropped > 0) {
		gb_judge_number(bridge, GB_RING_FULL, NULL, NULL, (int64_t)dropped);
		bridge->counters.verdicts[GB_RING_FULL] += dropped - 1;
	}
}

void gb_tell_presence(struct gb_bridge *bridge, struct now now, const struct gb_gateway *gateway,
		      const char *reason)
{
	struct gb_report what = {.kind = PROTO_GATEWAY_PRESENCE,
				 .presence = {.gateway = gateway->eui,
					      .online = gateway->online,
					      .known = gateway->known,
					      .protocol = gateway->protocol}};
	if (gateway->protocol == GW_CHIRPSTACK_MQTT)
		gb_mqtt_address(bridge, gateway, what.presence.address);
	else
		gb_address_format(what.presence.address,
				  gateway->has_path ? &gateway->path.address : &gateway->from);
	snprintf(what.presence.reason, sizeof what.presence.reason, "%s", reason);
	gb_tell(bridge, now, &what);
}

void gb_tell_tx(struct gb_bridge *bridge, struct now now, const struct gw_tx_ack *ack)
{
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &ack->gateway);
	if (gateway)
		gb_health_result(&gateway->health, ack->result);
	bridge->counters.downlinks_done++;
	gb_tell(bridge, now, &(struct gb_report){.kind = PROTO_GATEWAY_TX_ACK, .tx_ack = *ack});
}

/* Copies a gateway's word for a cause: printable ASCII, shortened. */
void gb_copy_cause(char out[GW_CAUSE_MAX], const char *cause)
{
	size_t length = 0;
	for (; length < GW_CAUSE_MAX - 1 && cause[length]; length++) {
		char c = cause[length];
		out[length] = c >= ' ' && c <= '~' ? c : '?';
	}
	out[length] = 0;
}

/* --- the link */

void gb_bridge_on_link_open(struct gb_bridge *bridge, struct now now)
{
	gb_enter(bridge, now);
	bridge->link = LINK_GREETING;
	bridge->hello_pending = true;
	bridge->next_seq = 1;
	bridge->bye = false;
	gb_ring_rewind(bridge->ring);
}

static const struct lw_eui64 *gateway_of(const struct gb_report *report)
{
	switch (report->kind) {
	case PROTO_GATEWAY_UPLINK: return &report->uplink.gateway;
	case PROTO_GATEWAY_TX_ACK: return &report->tx_ack.gateway;
	case PROTO_GATEWAY_STATS: return &report->stats.gateway;
	default: return &report->presence.gateway;
	}
}

/* One that ends the link each time it is sent has to go, or nothing behind it would ever arrive. */
static void give_up(struct gb_bridge *bridge, const struct gb_report *gone, unsigned times)
{
	const size_t mic = 4;
	struct gb_said said = {.a = (uint32_t)gone->kind, .b = times};
	if (gone->kind == PROTO_GATEWAY_UPLINK && gone->uplink.phy_length >= mic)
		said.mic = gone->uplink.phy + gone->uplink.phy_length - mic;
	gb_judge(bridge, GB_REPORT_REFUSED, gateway_of(gone), NULL, &said);
}

void gb_bridge_on_link_close(struct gb_bridge *bridge, struct now now)
{
	gb_enter(bridge, now);
	bridge->link = LINK_DOWN;
	bridge->hello_pending = false;
	struct gb_report gone;
	if (!bridge->bye && gb_ring_fell(bridge->ring, &gone))
		give_up(bridge, &gone, GB_RING_FALLS);
	else if (bridge->bye && bridge->bye_seq != 0 && gb_ring_refused(bridge->ring, bridge->bye_seq, &gone))
		give_up(bridge, &gone, GB_RING_REFUSALS);
	gb_ring_rewind(bridge->ring);
}

bool gb_bridge_next_message(struct gb_bridge *bridge, struct now now, struct proto_message *message)
{
	gb_enter(bridge, now);
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
	uint64_t old = gb_ring_stats(bridge->ring)->dropped_joins - before;
	if (old > 0) {
		bridge->counters.verdicts[GB_JOIN_TOO_OLD] += old;
		record(bridge, GB_JOIN_TOO_OLD, NULL, &(struct gb_said){.b = decision_u32((int64_t)old)});
	}
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

/* --- deadlines */

static void answer_silence(struct gb_bridge *bridge, struct now now)
{
	struct gb_inflight sent;
	while (gb_inflights_pop(&bridge->inflights, now.mono, &sent)) {
		if (sent.connection != 0) {
			gb_station_silence(bridge, now, &sent);
			continue;
		}
		enum gb_verdict verdict = sent.items > 0 ? GB_MQTT_NO_ACK : GB_NO_TX_ACK;
		bridge->counters.verdicts[verdict]++;
		const struct gb_said said = {
			.b = decision_u32(mono_since(now.mono, sent.sent_at) / US_PER_MS)};
		record(bridge, verdict, &sent.gateway, &said);
		gb_tell_tx(bridge, now,
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
		gb_judge_number(bridge, GB_RING_EXPIRED, NULL, NULL, (int64_t)dropped);
		bridge->counters.verdicts[GB_RING_EXPIRED] += dropped - 1;
	}
}

void gb_bridge_on_tick(struct gb_bridge *bridge, struct now now)
{
	struct gb_gateway *gateway;
	gb_enter(bridge, now);
	answer_silence(bridge, now);
	gb_stations_tick(bridge, now);
	gb_mqtt_tick(bridge, now);
	while ((gateway = gb_gateways_pop_silent(bridge->gateways, now.mono)) != NULL) {
		gb_judge_number(bridge, GB_GATEWAY_SILENT, &gateway->eui, &gateway->from,
				gb_gateways_silent(bridge->gateways) / US_PER_S);
		if (gateway->protocol == GW_CHIRPSTACK_MQTT)
			gb_health_closed(&gateway->health, now.mono, GB_CLOSE_SILENT);
		gb_tell_presence(bridge, now, gateway, "silent");
	}
	expire_ring(bridge, now);
}

struct mono gb_bridge_next_deadline(const struct gb_bridge *bridge)
{
	const struct mono deadlines[] = {
		gb_inflights_deadline(&bridge->inflights), gb_gateways_deadline(bridge->gateways),
		gb_ring_deadline(bridge->ring), deadlines_next(&bridge->stations->deadlines),
		gb_mqtt_deadline(bridge)};
	struct mono next = deadlines[0];
	for (size_t i = 1; i < ARRAY_SIZE(deadlines); i++) {
		if (deadlines[i].us < next.us)
			next = deadlines[i];
	}
	return next;
}

/* --- questions */

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

const struct gb_decisions *gb_bridge_decisions(const struct gb_bridge *bridge)
{
	return &bridge->decisions;
}

struct mono gb_bridge_began(const struct gb_bridge *bridge)
{
	return bridge->began;
}
