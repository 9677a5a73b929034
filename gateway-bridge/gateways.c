/* Gateways stand in a pool that never moves, so that the heap of deadlines may point at them; a hash table finds them by
 * EUI. Unknown ones are chained by when they were last heard, so that the one to forget is at hand. The list of known ones is
 * gateways_list.c's. */
#include "gateway-bridge/gateways_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct slot {
	struct lw_eui64 eui;
	uint32_t index;
};

struct gb_gateways *gb_gateways_new(struct rng *rng, struct decision_ring *decisions)
{
	struct gb_gateways *gateways = calloc(1, sizeof *gateways);
	ASSERT(gateways != NULL);
	gateways->pool = calloc(GB_GATEWAYS_POOL, sizeof *gateways->pool);
	ASSERT(gateways->pool != NULL);
	gateways->decisions = decisions;
	gateways->silent = GW_SILENT_US;
	gateways->first_free = NONE;
	gateways->oldest = gateways->newest = NONE;
	table_init(&gateways->by_eui, GB_GATEWAYS_POOL, sizeof(struct slot), sizeof(struct lw_eui64), rng);
	deadlines_init(&gateways->silences, GB_GATEWAYS_POOL);
	return gateways;
}

void gb_gateways_free(struct gb_gateways *gateways)
{
	if (gateways == NULL)
		return;
	free(gateways->pool);
	free(gateways->staged);
	table_release(&gateways->by_eui);
	deadlines_release(&gateways->silences);
	free(gateways);
}

/* --- the pool */

struct gb_gateway *gb_gateways_in(const struct gb_gateways *gateways, size_t index)
{
	ASSERT(gateways->pool != NULL && index < GB_GATEWAYS_POOL);
	return &gateways->pool[index];
}

uint32_t gb_gateways_index(const struct gb_gateways *gateways, const struct gb_gateway *gateway)
{
	return (uint32_t)(gateway - gateways->pool);
}

struct gb_gateway *gb_gateways_find(const struct gb_gateways *gateways, const struct lw_eui64 *eui)
{
	const struct slot *slot = table_get(&gateways->by_eui, eui);
	return slot ? gb_gateways_in(gateways, slot->index) : NULL;
}

struct gb_gateway *gb_gateways_make(struct gb_gateways *gateways, const struct lw_eui64 *eui)
{
	uint32_t index = gateways->first_free;
	bool fresh = index == NONE;
	if (fresh)
		index = gateways->used++;
	else
		gateways->first_free = gb_gateways_in(gateways, index)->newer;
	struct gb_gateway *gateway = gb_gateways_in(gateways, index);
	bool made;
	struct slot *slot = table_put(&gateways->by_eui, eui, &made);
	ASSERT(slot != NULL && made);
	slot->index = index;
	*gateway = (struct gb_gateway){.used = true, .eui = *eui, .older = NONE, .newer = NONE};
	return gateway;
}

void gb_gateways_discard(struct gb_gateways *gateways, struct gb_gateway *gateway)
{
	deadlines_cancel(&gateways->silences, &gateway->silence);
	table_remove(&gateways->by_eui, &gateway->eui);
	gateways->flapping -= gateway->flapping;
	if (gateways->decisions)
		decision_forget(gateways->decisions, gb_gateways_index(gateways, gateway));
	*gateway = (struct gb_gateway){.newer = gateways->first_free};
	gateways->first_free = gb_gateways_index(gateways, gateway);
}

/* --- the chain of unknown ones */

void gb_gateways_unchain(struct gb_gateways *gateways, struct gb_gateway *gateway)
{
	if (gateway->older != NONE)
		gb_gateways_in(gateways, gateway->older)->newer = gateway->newer;
	else
		gateways->oldest = gateway->newer;
	if (gateway->newer != NONE)
		gb_gateways_in(gateways, gateway->newer)->older = gateway->older;
	else
		gateways->newest = gateway->older;
	gateway->older = gateway->newer = NONE;
	gateways->unknown--;
}

static void chain(struct gb_gateways *gateways, struct gb_gateway *gateway)
{
	uint32_t index = gb_gateways_index(gateways, gateway);
	gateway->older = gateways->newest;
	if (gateways->newest != NONE)
		gb_gateways_in(gateways, gateways->newest)->newer = index;
	else
		gateways->oldest = index;
	gateways->newest = index;
	gateways->unknown++;
}

struct gb_gateway *gb_gateways_note(struct gb_gateways *gateways, struct mono now, const struct lw_eui64 *eui)
{
	struct gb_gateway *gateway = gb_gateways_find(gateways, eui);
	if (gateway)
		return gateway;
	if (gateways->unknown == GB_UNKNOWN_MAX) {
		struct gb_gateway *oldest = gb_gateways_in(gateways, gateways->oldest);
		span_us kept = oldest->datagrams < GB_PASSER_SAYS ? GB_PASSER_US : GB_FORGET_US;
		if (mono_since(now, oldest->heard) < kept)
			return NULL;
		gb_gateways_unchain(gateways, oldest);
		gb_gateways_discard(gateways, oldest);
	}
	gateway = gb_gateways_make(gateways, eui);
	chain(gateways, gateway);
	return gateway;
}

const struct gb_gateway *gb_gateways_at(const struct gb_gateways *gateways, uint32_t index)
{
	return index < gateways->used && gateways->pool[index].used ? &gateways->pool[index] : NULL;
}

uint64_t gb_gateways_known(const struct gb_gateways *gateways)
{
	return gateways->known;
}

uint64_t gb_gateways_unknown(const struct gb_gateways *gateways)
{
	return gateways->unknown;
}

uint64_t gb_gateways_online(const struct gb_gateways *gateways)
{
	return gateways->online;
}

struct gb_gateway *gb_gateways_next(const struct gb_gateways *gateways, size_t *at)
{
	while (*at < gateways->used) {
		struct gb_gateway *gateway = gb_gateways_in(gateways, (*at)++);
		if (gateway->used)
			return gateway;
	}
	return NULL;
}

uint64_t gb_gateways_flapping(const struct gb_gateways *gateways)
{
	return gateways->flapping;
}

/* --- what is heard */

bool gb_gateways_heard(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now,
		       const struct gb_peer *from, enum gw_protocol protocol)
{
	bool came = !gateway->online;
	gateway->heard = now;
	gateway->from = from->address;
	gateway->protocol = protocol;
	gateway->online = true;
	gateway->datagrams++;
	if (!gateway->known) {
		gb_gateways_unchain(gateways, gateway);
		chain(gateways, gateway);
	} else if (came) {
		gateways->online++;
	}
	/* The deadline is not moved with every datagram: when it comes, it looks how long the silence is. */
	if (gateway->silence.slot == 0) {
		enum status status = deadlines_set(&gateways->silences, &gateway->silence,
						   mono_add(now, gateways->silent));
		ASSERT_CMP(status, ==, ST_OK);
	}
	return came;
}

struct gb_pull gb_gateways_pulled(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now,
				  const struct gb_peer *from)
{
	gateways->flapping -= gateway->flapping;
	struct gb_pull pull = gb_gateway_pulled(gateway, now, from);
	gateways->flapping += gateway->flapping;
	return pull;
}

void gb_gateways_left(struct gb_gateways *gateways, struct gb_gateway *gateway)
{
	if (gateway->known)
		gateways->online -= gateway->online;
	gateway->online = false;
	gateways->flapping -= gateway->flapping; /* as one that fell silent */
	gateway->flapping = false;
	deadlines_cancel(&gateways->silences, &gateway->silence);
}

bool gb_gateways_replaced(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now)
{
	bool flapped = gateway->flapping;
	gateways->flapping -= flapped;
	gateway->flapping = gb_gateway_moved(gateway, now);
	gateways->flapping += gateway->flapping;
	return gateway->flapping && !flapped;
}

bool gb_gateways_settle(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now)
{
	if (!gateway->flapping ||
	    mono_since(now, gateway->moved[(gateway->moves - 1) % GB_FLAP_MOVES]) <= GB_FLAP_US)
		return false;
	gateway->flapping = false;
	gateways->flapping--;
	return true;
}

struct gb_gateway *gb_gateways_pop_silent(struct gb_gateways *gateways, struct mono now)
{
	struct deadline *due;
	while ((due = deadlines_pop(&gateways->silences, now)) != NULL) {
		struct gb_gateway *gateway =
			(struct gb_gateway *)(void *)((uint8_t *)due - offsetof(struct gb_gateway, silence));
		struct mono end = mono_add(gateway->heard, gateways->silent);
		if (end.us > now.us) {
			enum status status = deadlines_set(&gateways->silences, &gateway->silence, end);
			ASSERT_CMP(status, ==, ST_OK);
			continue;
		}
		gateway->online = false;
		gateway->has_path = gateway->has_path && mono_since(now, gateway->pulled) < GB_PATH_US;
		gateways->flapping -= gateway->flapping;
		gateway->flapping = false;
		if (gateway->known) {
			gateways->online--;
			return gateway;
		}
	}
	return NULL;
}

span_us gb_gateways_silent(const struct gb_gateways *gateways)
{
	return gateways->silent;
}

void gb_gateways_set_silent(struct gb_gateways *gateways, span_us silent)
{
	if (silent == gateways->silent)
		return;
	gateways->silent = silent;
	for (size_t i = 0; i < gateways->used; i++) {
		struct gb_gateway *gateway = &gateways->pool[i];
		if (gateway->silence.slot == 0)
			continue;
		enum status status = deadlines_set(&gateways->silences, &gateway->silence,
						   mono_add(gateway->heard, silent));
		ASSERT_CMP(status, ==, ST_OK);
	}
}

struct mono gb_gateways_deadline(const struct gb_gateways *gateways)
{
	return deadlines_next(&gateways->silences);
}
