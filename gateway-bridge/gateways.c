/* Gateways stand in a pool that never moves, so that the heap of deadlines may point at them; a hash table finds them by
 * EUI. Unknown ones are chained by when they were last heard, so that the one to forget is at hand. */
#include "gateway-bridge/gateways.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define POOL (GB_KNOWN_MAX + GB_UNKNOWN_MAX)
#define NONE UINT32_MAX

struct slot {
	struct lw_eui64 eui;
	uint32_t index;
};

struct gb_gateways {
	struct gb_gateway *pool;         /* owned: POOL */
	struct decision_ring *decisions; /* borrowed; NULL: none */
	uint32_t first_free;             /* chained by `newer` */
	uint32_t used;       /* entries of the pool that ever were in use: the rest is untouched memory */
	struct table by_eui; /* of struct slot */
	struct deadlines silences;
	uint32_t oldest, newest; /* of the unknown ones */
	uint64_t known, unknown, online, flapping;
	uint64_t version;          /* of the list */
	uint32_t mark;             /* of the list's last take-over */
	struct gw_gateway *staged; /* owned: parts that have come, grown as they come; NULL between lists */
	size_t staged_count, staged_room;
};

struct gb_gateways *gb_gateways_new(struct rng *rng, struct decision_ring *decisions)
{
	struct gb_gateways *gateways = calloc(1, sizeof *gateways);
	ASSERT(gateways != NULL);
	gateways->pool = calloc(POOL, sizeof *gateways->pool);
	ASSERT(gateways->pool != NULL);
	gateways->decisions = decisions;
	gateways->first_free = NONE;
	gateways->oldest = gateways->newest = NONE;
	table_init(&gateways->by_eui, POOL, sizeof(struct slot), sizeof(struct lw_eui64), rng);
	deadlines_init(&gateways->silences, POOL);
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

static struct gb_gateway *at_index(const struct gb_gateways *gateways, size_t index)
{
	ASSERT(gateways->pool != NULL && index < POOL);
	return &gateways->pool[index];
}

uint32_t gb_gateways_index(const struct gb_gateways *gateways, const struct gb_gateway *gateway)
{
	return (uint32_t)(gateway - gateways->pool);
}

struct gb_gateway *gb_gateways_find(const struct gb_gateways *gateways, const struct lw_eui64 *eui)
{
	const struct slot *slot = table_get(&gateways->by_eui, eui);
	return slot ? at_index(gateways, slot->index) : NULL;
}

static struct gb_gateway *make(struct gb_gateways *gateways, const struct lw_eui64 *eui)
{
	uint32_t index = gateways->first_free;
	bool fresh = index == NONE;
	if (fresh)
		index = gateways->used++;
	else
		gateways->first_free = at_index(gateways, index)->newer;
	struct gb_gateway *gateway = at_index(gateways, index);
	bool made;
	struct slot *slot = table_put(&gateways->by_eui, eui, &made);
	ASSERT(slot != NULL && made);
	slot->index = index;
	*gateway = (struct gb_gateway){.used = true, .eui = *eui, .older = NONE, .newer = NONE};
	return gateway;
}

static void discard(struct gb_gateways *gateways, struct gb_gateway *gateway)
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

static void unchain(struct gb_gateways *gateways, struct gb_gateway *gateway)
{
	if (gateway->older != NONE)
		at_index(gateways, gateway->older)->newer = gateway->newer;
	else
		gateways->oldest = gateway->newer;
	if (gateway->newer != NONE)
		at_index(gateways, gateway->newer)->older = gateway->older;
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
		at_index(gateways, gateways->newest)->newer = index;
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
		struct gb_gateway *oldest = at_index(gateways, gateways->oldest);
		span_us kept = oldest->datagrams < GB_PASSER_SAYS ? GB_PASSER_US : GB_FORGET_US;
		if (mono_since(now, oldest->heard) < kept)
			return NULL;
		unchain(gateways, oldest);
		discard(gateways, oldest);
	}
	gateway = make(gateways, eui);
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
		struct gb_gateway *gateway = at_index(gateways, (*at)++);
		if (gateway->used)
			return gateway;
	}
	return NULL;
}

uint64_t gb_gateways_flapping(const struct gb_gateways *gateways)
{
	return gateways->flapping;
}

/* --- the list */

static bool same_row(const struct gw_gateway *a, const struct gw_gateway *b)
{
	return strcmp(a->region_id, b->region_id) == 0 && a->accept == b->accept &&
	       strcmp(a->source_cidr, b->source_cidr) == 0 && a->token_count == b->token_count &&
	       memcmp(a->token_hashes, b->token_hashes, a->token_count * sizeof a->token_hashes[0]) == 0 &&
	       a->certificates_void_us == b->certificates_void_us && a->chip == b->chip &&
	       strcmp(a->channels, b->channels) == 0;
}

static void unstage(struct gb_gateways *gateways)
{
	free(gateways->staged);
	gateways->staged = NULL;
	gateways->staged_count = gateways->staged_room = 0;
}

static bool stage(struct gb_gateways *gateways, const struct gw_gateway_list *part)
{
	size_t wanted = gateways->staged_count + part->count;
	if (part->count > GW_LIST_PART_MAX || wanted > GB_KNOWN_MAX)
		return false;
	if (gateways->staged == NULL || wanted > gateways->staged_room) {
		size_t room = 2 * wanted + GW_LIST_PART_MAX;
		struct gw_gateway *grown = realloc(gateways->staged, room * sizeof *grown);
		if (grown == NULL)
			return false;
		gateways->staged = grown;
		gateways->staged_room = room;
	}
	for (size_t i = 0; i < part->count; i++) {
		struct cidr cidr;
		if (!cidr_parse(part->gateways[i].source_cidr, &cidr))
			return false;
		gateways->staged[gateways->staged_count++] = part->gateways[i];
	}
	return true;
}

/* A gateway that is outside the range it is now pinned to, or may no longer speak UDP, loses its path at once. */
static bool adopt(struct gb_gateways *gateways, const struct gw_gateway *row)
{
	struct gb_gateway *gateway = gb_gateways_find(gateways, &row->eui);
	bool changed = true;
	if (gateway == NULL) {
		gateway = make(gateways, &row->eui);
		gateways->known++;
	} else if (!gateway->known) {
		unchain(gateways, gateway);
		gateways->known++;
		gateways->online += gateway->online;
	} else {
		changed = !same_row(&gateway->row, row);
	}
	gateway->known = true;
	gateway->row = *row;
	gateway->mark = gateways->mark;
	bool parsed = cidr_parse(row->source_cidr, &gateway->source);
	ASSERT(parsed);
	if (!(row->accept & GW_ACCEPT_UDP) || !gb_cidr_contains(&gateway->source, &gateway->path.address))
		gateway->has_path = false;
	return changed;
}

static bool drop_unmarked(struct gb_gateways *gateways)
{
	bool changed = false;
	for (size_t i = 0; i < gateways->used; i++) {
		struct gb_gateway *gateway = at_index(gateways, i);
		if (!gateway->known || gateway->mark == gateways->mark)
			continue;
		gateways->known--;
		gateways->online -= gateway->online;
		discard(gateways, gateway);
		changed = true;
	}
	return changed;
}

enum gb_list_verdict gb_gateways_list(struct gb_gateways *gateways, const struct gw_gateway_list *part)
{
	if (part->first)
		unstage(gateways);
	else if (gateways->staged == NULL)
		return GB_LIST_BAD;
	if (!stage(gateways, part)) {
		unstage(gateways);
		return GB_LIST_BAD;
	}
	if (!part->last)
		return GB_LIST_MORE;

	/* The pool has room: unknown ones have a share of their own, and rows that stay are found again. What goes must
	 * go first, though, or two full lists in a row would not fit. */
	gateways->mark++;
	for (size_t i = 0; i < gateways->staged_count; i++) {
		struct gb_gateway *gateway = gb_gateways_find(gateways, &gateways->staged[i].eui);
		if (gateway && gateway->known)
			gateway->mark = gateways->mark;
	}
	bool changed = drop_unmarked(gateways);
	for (size_t i = 0; i < gateways->staged_count; i++)
		changed |= adopt(gateways, &gateways->staged[i]);
	changed |= gateways->version != part->version;
	gateways->version = part->version;
	unstage(gateways);
	return changed ? GB_LIST_CHANGED : GB_LIST_SAME;
}

uint64_t gb_gateways_list_version(const struct gb_gateways *gateways)
{
	return gateways->version;
}

bool gb_gateways_list_part(const struct gb_gateways *gateways, size_t *at, struct gw_gateway_list *part)
{
	const size_t done = SIZE_MAX;
	if (*at == done)
		return false;
	part->version = gateways->version;
	part->first = *at == 0;
	part->count = 0;
	while (*at < gateways->used && part->count < GW_LIST_PART_MAX) {
		const struct gb_gateway *gateway = at_index(gateways, (*at)++);
		if (gateway->known)
			part->gateways[part->count++] = gateway->row;
	}
	part->last = *at >= gateways->used;
	if (part->last)
		*at = done;
	return true;
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
		unchain(gateways, gateway);
		chain(gateways, gateway);
	} else if (came) {
		gateways->online++;
	}
	/* The deadline is not moved with every datagram: when it comes, it looks how long the silence is. */
	if (gateway->silence.slot == 0) {
		enum status status = deadlines_set(&gateways->silences, &gateway->silence,
						   mono_add(now, GB_SILENT_US));
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

struct gb_gateway *gb_gateways_pop_silent(struct gb_gateways *gateways, struct mono now)
{
	struct deadline *due;
	while ((due = deadlines_pop(&gateways->silences, now)) != NULL) {
		struct gb_gateway *gateway =
			(struct gb_gateway *)(void *)((uint8_t *)due - offsetof(struct gb_gateway, silence));
		struct mono end = mono_add(gateway->heard, GB_SILENT_US);
		if (end.us > now.us) {
			enum status status = deadlines_set(&gateways->silences, &gateway->silence, end);
			ASSERT_CMP(status, ==, ST_OK);
			continue;
		}
		gateway->online = false;
		gateway->has_path = false;
		gateways->flapping -= gateway->flapping;
		gateway->flapping = false;
		if (gateway->known) {
			gateways->online--;
			return gateway;
		}
	}
	return NULL;
}

struct mono gb_gateways_deadline(const struct gb_gateways *gateways)
{
	return deadlines_next(&gateways->silences);
}
