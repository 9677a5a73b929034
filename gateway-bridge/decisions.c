#include "gateway-bridge/decisions.h"

#include <stdio.h>
#include <string.h>

void gb_decisions_init(struct gb_decisions *decisions)
{
	memset(decisions, 0, sizeof *decisions);
	decision_ring_init(&decisions->ring, GB_WHY_RECORDS, GB_WHY_NOBODY + 1);
}

void gb_decisions_release(struct gb_decisions *decisions)
{
	decision_ring_release(&decisions->ring);
}

uint32_t gb_address_number(const struct gb_address *address)
{
	return address && address->family == 4 ? decision_ref(address->bytes) : 0;
}

/* Whether it is to be recorded now; `*times`: how often it happened since the last record. */
static bool is_due(struct gb_decisions *decisions, struct now now, enum gb_verdict verdict, uint16_t *times)
{
	struct mono *last = &decisions->noted[verdict];
	uint32_t *skipped = &decisions->skipped[verdict];
	(*skipped)++;
	if (last->us != 0 && mono_since(now.mono, *last) < US_PER_S)
		return false;
	*times = decision_u16(*skipped);
	*last = now.mono;
	*skipped = 0;
	return true;
}

/* The record of the same verdict that this one is a further time of, or NULL. */
static const struct decision *same_second(const struct gb_decisions *decisions, struct now now,
					  uint32_t index, enum gb_verdict verdict)
{
	const struct decision *newest = decision_newest(&decisions->ring, index);
	struct decision same = {0};
	gb_verdict_record(verdict, &same);
	if (!newest || newest->verdict != same.verdict || newest->table != same.table)
		return NULL;
	span_us passed = now.wall.us - decision_time(newest).us;
	return passed >= 0 && passed < US_PER_S ? newest : NULL;
}

void gb_decisions_add(struct gb_decisions *decisions, struct now now, uint32_t index, enum gb_verdict verdict,
		      const struct gb_said *said)
{
	struct decision decision = {
		.a = said->a, .b = said->b, .c = said->own_c ? said->c : 1, .other = DECISION_NO_OTHER};
	gb_verdict_record(verdict, &decision);
	if (said->mic) {
		decision.about = DECISION_ABOUT_FRAME;
		decision.ref = decision_ref(said->mic);
	}
	if (index == GB_WHY_NOBODY) {
		if (is_due(decisions, now, verdict, &decision.c))
			decision_add(&decisions->ring, now.wall, index, &decision);
		return;
	}
	const struct decision *before = said->own_c ? NULL : same_second(decisions, now, index, verdict);
	if (!before) {
		decision_add(&decisions->ring, now.wall, index, &decision);
		return;
	}
	/* It keeps the time of its first, so that a flood without an end has a record a second. */
	struct wall first = decision_time(before);
	decision.c = decision_u16((int64_t)before->c + 1);
	decision.about = before->about;
	decision.ref = before->ref;
	decision_replace(&decisions->ring, first, index, &decision);
}

void gb_verdict_say(enum gb_verdict verdict, const struct lw_eui64 *gateway, const struct gb_said *said,
		    char *text, size_t capacity)
{
	struct decision decision = {
		.a = said->a, .b = said->b, .c = said->own_c ? said->c : 1, .other = DECISION_NO_OTHER};
	struct decision_names names = {.gateway = ""};
	char sentence[DECISION_TEXT];
	gb_verdict_record(verdict, &decision);
	if (gateway)
		lw_eui64_format(names.gateway, gateway);
	decision_say(sentence, &gb_rules, &decision, &names);
	const char *next = gb_verdict_row(verdict)->next;
	snprintf(text, capacity, "%s%s%s", sentence, *next ? " " : "", next);
}

/* --- how a gateway is now ------------------------------------------------------------------------------------------- */

static uint32_t seconds(struct now now, struct mono then)
{
	return decision_u32(mono_since(now.mono, then) / US_PER_S);
}

/* What is to and fro, of a gateway that flaps: its address, its connections, or what the broker brings. */
static enum gb_present flapping_of(const struct gb_gateway *gateway)
{
	switch (gateway->protocol) {
	case GW_BASICS_STATION: return GB_NOW_STATION_ALTERNATES;
	case GW_CHIRPSTACK_MQTT: return GB_NOW_MQTT_ALTERNATES;
	default: return GB_NOW_FLAPPING;
	}
}

static enum gb_present state_of(const struct gb_gateway *gateway, struct now now)
{
	if (!gateway->known)
		return GB_NOW_UNREGISTERED;
	if (!(gateway->row.accept & GW_ACCEPT_UDP) && gateway->datagrams == 0 && gateway->dropped > 0)
		return GB_NOW_OTHER_PROTOCOL;
	if (gateway->datagrams == 0)
		return GB_NOW_NEVER_HEARD;
	if (!gateway->online)
		return GB_NOW_SILENT;
	if (gateway->flapping)
		return flapping_of(gateway);
	if (gateway->station)
		return GB_NOW_STATION;
	if (gateway->protocol == GW_CHIRPSTACK_MQTT)
		return GB_NOW_MQTT;
	return gb_gateway_path(gateway, now.mono) ? GB_NOW_ONLINE : GB_NOW_NO_PATH;
}

static void fill_state(const struct gb_gateway *gateway, struct now now, struct mono began,
		       struct decision *decision)
{
	uint32_t ago = seconds(now, gateway->heard);
	decision->c = decision_u16(ago);
	switch (state_of(gateway, now)) {
	case GB_NOW_UNREGISTERED: decision->b = decision_u32((int64_t)gateway->datagrams); break;
	case GB_NOW_OTHER_PROTOCOL: decision->b = decision_u32((int64_t)gateway->dropped); break;
	case GB_NOW_NEVER_HEARD:
		decision->b = seconds(now, began);
		decision->c = decision_u16((int64_t)gateway->dropped);
		break;
	case GB_NOW_SILENT:
		decision->b = ago;
		decision->c = decision_u16(gateway->moves);
		break;
	case GB_NOW_FLAPPING:
	case GB_NOW_STATION_ALTERNATES:
	case GB_NOW_MQTT_ALTERNATES: decision->b = gateway->moves; break;
	default: decision->b = decision_u32((int64_t)gateway->uplinks); break;
	}
}

static enum gb_present fill_pulled(const struct gb_gateway *gateway, struct now now, struct mono began,
				   struct decision *decision)
{
	if (gateway->path.address.family == 0) {
		decision->b = seconds(now, began);
		return GB_NOW_NEVER_PULLED;
	}
	decision->a = gb_address_number(&gateway->path.address);
	decision->b = seconds(now, gateway->pulled);
	decision->c = decision_u16(gateway->moves);
	return GB_NOW_PULLED;
}

static enum gb_present fill_pushed(const struct gb_gateway *gateway, struct now now, struct mono began,
				   struct decision *decision)
{
	if (!gateway->has_pushed) {
		decision->b = seconds(now, began);
		return GB_NOW_NEVER_PUSHED;
	}
	decision->b = seconds(now, gateway->pushed);
	decision->c = decision_u16(gateway->restarts);
	return GB_NOW_PUSHED;
}

/* The last place tells the more telling of the two. */
static bool fill_lost(const struct gb_gateway *gateway, struct decision *decision)
{
	uint64_t frames = gateway->uplinks + gateway->crc_bad;
	if (gateway->dropped > 0) {
		decision->verdict = GB_NOW_DROPPED;
		decision->b = decision_u32((int64_t)gateway->dropped);
		return true;
	}
	decision->verdict = GB_NOW_CRC;
	decision->a = decision_u32((int64_t)gateway->crc_bad);
	decision->b = decision_u32((int64_t)gateway->uplinks);
	decision->c = (uint16_t)(frames ? 100 * gateway->crc_bad / frames : 0);
	return gateway->crc_bad > 0;
}

bool gb_present(const struct gb_gateway *gateway, struct now now, struct mono began, unsigned place,
		struct decision *decision)
{
	*decision = (struct decision){.a = gb_address_number(&gateway->from),
				      .other = DECISION_NO_OTHER,
				      .table = GB_TABLE_PRESENT};
	decision_stamp(decision, now.wall);
	bool heard = gateway->known && gateway->datagrams > 0;
	/* What comes by a connection neither pulls nor pushes. */
	bool connects = gateway->protocol == GW_BASICS_STATION || gateway->protocol == GW_CHIRPSTACK_MQTT;
	if (connects && place == 1)
		place = 3;
	else if (connects && place > 1)
		return false;
	switch (place) {
	case 0:
		decision->verdict = state_of(gateway, now);
		fill_state(gateway, now, began, decision);
		return true;
	case 1: decision->verdict = fill_pulled(gateway, now, began, decision); return heard;
	case 2: decision->verdict = fill_pushed(gateway, now, began, decision); return heard;
	case 3: return fill_lost(gateway, decision) && heard;
	default: return false;
	}
}
