/* A doubly linked list of entries of their own size: an uplink is stored without the unused end of its payload. */
#include "gateway-bridge/ring.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *older, *newer;
	struct mono arrived;
	uint64_t seq; /* 0: not sent on this link */
	size_t size;
	enum proto_kind kind;
	uint8_t refusals, falls; /* ends of links that it was the reason of, as it seems */
	uint8_t bytes[];         /* the report's member; of an uplink see pack_uplink() */
};

struct gb_ring {
	struct entry *oldest, *newest;
	struct entry *next; /* the first that was not sent; NULL: none */
	uint64_t byte_limit;
	span_us age_limit;
	struct gb_ring_stats stats;
	uint64_t on_their_way; /* sent, not acknowledged */
	uint64_t window;       /* how many may be */
	bool fell;             /* the last link ended without a word, and nothing was acknowledged since */
};

struct gb_ring *gb_ring_new(uint64_t byte_limit, span_us age_limit)
{
	struct gb_ring *ring = calloc(1, sizeof *ring);
	ASSERT(ring != NULL);
	ring->byte_limit = byte_limit;
	ring->age_limit = age_limit;
	ring->window = UINT64_MAX;
	return ring;
}

static void forget(struct gb_ring *ring, struct entry *entry)
{
	ring->stats.entries--;
	ring->stats.bytes -= entry->size;
	free(entry);
}

static void drop_oldest(struct gb_ring *ring)
{
	struct entry *entry = ring->oldest, *newer = entry->newer;
	if (ring->next == entry)
		ring->next = newer;
	else
		ring->on_their_way--;
	ring->oldest = newer;
	if (newer)
		newer->older = NULL;
	else
		ring->newest = NULL;
	forget(ring, entry);
}

static void drop_next(struct gb_ring *ring)
{
	struct entry *entry = ring->next, *older = entry->older, *newer = entry->newer;
	if (older == NULL) {
		drop_oldest(ring);
		return;
	}
	ring->next = newer;
	older->newer = newer;
	if (newer)
		newer->older = older;
	else
		ring->newest = older;
	forget(ring, entry);
}

void gb_ring_free(struct gb_ring *ring)
{
	if (ring == NULL)
		return;
	while (ring->oldest)
		drop_oldest(ring);
	free(ring);
}

void gb_ring_limit(struct gb_ring *ring, uint64_t byte_limit, span_us age_limit)
{
	ring->byte_limit = byte_limit;
	ring->age_limit = age_limit;
	while (ring->oldest && ring->stats.bytes > byte_limit) {
		drop_oldest(ring);
		ring->stats.dropped_full++;
	}
}

const struct gb_ring_stats *gb_ring_stats(const struct gb_ring *ring)
{
	return &ring->stats;
}

/* --- an uplink: all behind the payload, the gateway before it, then as much of the payload as there is */

#define UPLINK_HEAD sizeof(struct lw_eui64)
#define UPLINK_REST (sizeof(struct gw_uplink) - offsetof(struct gw_uplink, phy_length))
_Static_assert(offsetof(struct gw_uplink, phy) == UPLINK_HEAD, "the gateway stands before the payload");
_Static_assert(offsetof(struct gw_uplink, phy_length) == UPLINK_HEAD + LW_PHY_PAYLOAD_MAX,
	       "its length behind it");

static size_t body_size(const struct gb_report *report)
{
	switch (report->kind) {
	case PROTO_GATEWAY_UPLINK: return UPLINK_HEAD + UPLINK_REST + report->uplink.phy_length;
	case PROTO_GATEWAY_TX_ACK: return sizeof report->tx_ack;
	case PROTO_GATEWAY_STATS: return sizeof report->stats;
	case PROTO_GATEWAY_PRESENCE: return sizeof report->presence;
	default: ASSERT(!"a report is one of four kinds"); return 0;
	}
}

static void pack(uint8_t *bytes, const struct gb_report *report)
{
	if (report->kind != PROTO_GATEWAY_UPLINK) {
		memcpy(bytes, &report->uplink, body_size(report));
		return;
	}
	const struct gw_uplink *uplink = &report->uplink;
	memcpy(bytes, &uplink->gateway, UPLINK_HEAD);
	memcpy(bytes + UPLINK_HEAD, (const uint8_t *)uplink + offsetof(struct gw_uplink, phy_length),
	       UPLINK_REST);
	memcpy(bytes + UPLINK_HEAD + UPLINK_REST, uplink->phy, uplink->phy_length);
}

static void unpack(struct gb_report *report, const struct entry *entry)
{
	report->kind = entry->kind;
	if (entry->kind != PROTO_GATEWAY_UPLINK) {
		memcpy(&report->uplink, entry->bytes, body_size(report));
		return;
	}
	struct gw_uplink *uplink = &report->uplink;
	memcpy(&uplink->gateway, entry->bytes, UPLINK_HEAD);
	memcpy((uint8_t *)uplink + offsetof(struct gw_uplink, phy_length), entry->bytes + UPLINK_HEAD,
	       UPLINK_REST);
	memcpy(uplink->phy, entry->bytes + UPLINK_HEAD + UPLINK_REST, uplink->phy_length);
}

/* MHDR: join-request is message type 0, rejoin-request 6 (TS001-1.1 §4.2.1). */
static bool is_join(const struct gb_report *report)
{
	if (report->kind != PROTO_GATEWAY_UPLINK || report->uplink.phy_length == 0)
		return false;
	unsigned type = report->uplink.phy[0] >> 5;
	return type == 0 || type == 6;
}

/* --- the list */

void gb_ring_put(struct gb_ring *ring, struct mono now, const struct gb_report *report)
{
	size_t body = body_size(report);
	struct entry *entry = malloc(sizeof *entry + body);
	size_t size = sizeof *entry + body;
	while (ring->oldest && (entry == NULL || ring->stats.bytes + size > ring->byte_limit)) {
		drop_oldest(ring);
		ring->stats.dropped_full++;
		if (entry == NULL)
			entry = malloc(size);
	}
	if (entry == NULL || size > ring->byte_limit) {
		free(entry);
		ring->stats.dropped_full++;
		return;
	}
	*entry = (struct entry){.older = ring->newest, .arrived = now, .size = size, .kind = report->kind};
	pack(entry->bytes, report);
	if (ring->newest)
		ring->newest->newer = entry;
	else
		ring->oldest = entry;
	ring->newest = entry;
	if (ring->next == NULL)
		ring->next = entry;
	ring->stats.entries++;
	ring->stats.bytes += size;
}

bool gb_ring_next(struct gb_ring *ring, struct mono now, struct gb_report *report)
{
	while (ring->next && ring->on_their_way < ring->window) {
		span_us age = mono_since(now, ring->next->arrived);
		unpack(report, ring->next);
		if (!is_join(report) || age <= GB_JOIN_LIFE_US) {
			if (report->kind == PROTO_GATEWAY_UPLINK)
				report->uplink.age_us = age > 0 ? age : 0;
			return true;
		}
		drop_next(ring);
		ring->stats.dropped_joins++;
	}
	return false;
}

void gb_ring_sent(struct gb_ring *ring, uint64_t seq)
{
	ASSERT(ring->next != NULL && seq != 0);
	ring->next->seq = seq;
	ring->next = ring->next->newer;
	ring->on_their_way++;
}

void gb_ring_acknowledge(struct gb_ring *ring, uint64_t seq)
{
	if (ring->on_their_way == 0 || ring->oldest->seq > seq)
		return;
	while (ring->on_their_way > 0 && ring->oldest->seq <= seq)
		drop_oldest(ring);
	ring->fell = false;
	ring->window = ring->window > UINT64_MAX / 2 ? UINT64_MAX : 2 * ring->window;
}

void gb_ring_rewind(struct gb_ring *ring)
{
	ring->next = ring->oldest;
	ring->on_their_way = 0;
}

/* Where the link has ended, so that nothing is on its way any more. */
static void let_go(struct gb_ring *ring, struct entry *entry, struct gb_report *gone)
{
	unpack(gone, entry);
	gb_ring_rewind(ring);
	ring->next = entry;
	drop_next(ring);
}

bool gb_ring_refused(struct gb_ring *ring, uint64_t seq, struct gb_report *gone)
{
	struct entry *entry = ring->oldest;
	while (entry && entry != ring->next && entry->seq != seq)
		entry = entry->newer;
	bool known = entry && entry != ring->next;
	bool too_often = known && ++entry->refusals >= GB_RING_REFUSALS;
	if (too_often)
		let_go(ring, entry, gone);
	gb_ring_rewind(ring);
	return too_often;
}

bool gb_ring_fell(struct gb_ring *ring, struct gb_report *gone)
{
	uint64_t count = ring->on_their_way;
	bool too_often = count == 1 && ++ring->oldest->falls >= GB_RING_FALLS;
	if (count > 0 && ring->fell)
		ring->window = count > 1 ? count / 2 : 1;
	ring->fell = ring->fell || count > 0;
	if (too_often)
		let_go(ring, ring->oldest, gone);
	gb_ring_rewind(ring);
	return too_often;
}

void gb_ring_expire(struct gb_ring *ring, struct mono now)
{
	while (ring->oldest && mono_since(now, ring->oldest->arrived) >= ring->age_limit) {
		drop_oldest(ring);
		ring->stats.dropped_old++;
	}
}

struct mono gb_ring_deadline(const struct gb_ring *ring)
{
	return ring->oldest ? mono_add(ring->oldest->arrived, ring->age_limit) : MONO_NEVER;
}
