/* The list of known gateways: its parts are collected, and taken over as a whole with the last. */
#include "gateway-bridge/gateways_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

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
		gateway = gb_gateways_make(gateways, &row->eui);
		gateways->known++;
	} else if (!gateway->known) {
		gb_gateways_unchain(gateways, gateway);
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
		struct gb_gateway *gateway = gb_gateways_in(gateways, i);
		if (!gateway->known || gateway->mark == gateways->mark)
			continue;
		gateways->known--;
		gateways->online -= gateway->online;
		gb_gateways_discard(gateways, gateway);
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
		const struct gb_gateway *gateway = gb_gateways_in(gateways, (*at)++);
		if (gateway->known)
			part->gateways[part->count++] = gateway->row;
	}
	part->last = *at >= gateways->used;
	if (part->last)
		*at = done;
	return true;
}
