/* The items that applications want sent, as the network server knows them: id, port, length, priority, expiry; never the
 * payload in clear (invariant 6). One list a device, higher priority first, then in order of arrival; an item stays in
 * its place until it is over, whatever becomes of its frames. States are changed by item_flow.c alone.
 *
 * The ids of items that are over are remembered until the application server has stored what became of them, so that an
 * enqueue that crossed that event is not sent a second time. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_QUEUE_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_QUEUE_H

#include "common/base/deadlines.h"
#include "common/base/table.h"
#include "network-server/item_state.h"
#include "network-server/session.h"
#include "network-server/verdict.h"

#define NS_QUEUE_DEVICE_MAX 32
#define NS_ITEM_BYTES       320 /* room for a stored item */

struct ns_item {
	struct deadline expiry; /* first member; set while it may expire */
	struct net_enqueue enqueue;
	uint64_t arrival; /* order of arrival among all items */
	uint32_t device;  /* slot */
	uint32_t next;    /* slot or NS_NO_SLOT */
	enum ns_item_state state;
	uint8_t tries;      /* frames that carried it, or may have */
	bool flushed;       /* while in a frame */
	bool session_ended; /* the same */
	bool crowded;       /* did not fit beside MAC answers: goes before them next time */
	enum ns_drop held;  /* what it was held back by, as it was told last; NS_ACCEPTED: nothing */
	/* From PLANNED on: the frame that carries it. */
	uint32_t session_tag;
	uint32_t fcnt_down;
	uint64_t downlink; /* id */
	struct lw_eui64 gateway;
};

struct ns_queue {
	struct ns_slab items;
	struct deadlines expiries;
	uint64_t next_arrival;
	struct table over;     /* item id → row of the journal where it ended */
	struct net_uuid *ring; /* owned: ids in `over`, the oldest first */
	uint32_t ring_start, ring_count, ring_capacity;
};

void ns_queue_init(struct ns_queue *queue, uint32_t capacity, struct rng *rng);
void ns_queue_release(struct ns_queue *queue);
/* Inserts into the device's list, its state NONE; `arrival` 0: it comes now. Fills `slot`. ST_FULL: the device has
 * NS_QUEUE_DEVICE_MAX; ST_NO_MEMORY: no room for any device; ST_EXISTS: an item with that id is there. */
enum status ns_queue_add(struct ns_queue *queue, struct ns_device *device, uint32_t device_slot,
			 const struct net_enqueue *enqueue, uint64_t arrival, uint32_t *slot) MUST_USE;
/* Lends the item of a slot in use; stays where it is until it is removed. */
struct ns_item *ns_queue_at(const struct ns_queue *queue, uint32_t slot);
/* Returns the slot of a device's item, or NS_NO_SLOT. */
uint32_t ns_queue_find(const struct ns_queue *queue, const struct ns_device *device,
		       const struct net_uuid *item);
/* Returns the slot of the device's item that is in a frame or waits for its ACK, or NS_NO_SLOT: there is at most one. */
uint32_t ns_queue_in_flight(const struct ns_queue *queue, const struct ns_device *device);
void ns_queue_remove(struct ns_queue *queue, struct ns_device *device, uint32_t slot);
bool ns_item_has_expired(const struct ns_item *item, struct wall now);

/* Remembers that an item is over since `row`; the oldest is forgotten when there is no room. */
void ns_queue_note_over(struct ns_queue *queue, const struct net_uuid *item, uint64_t row);
/* Whether it is over and the application server, which has stored events up to `stored`, may not know yet. */
bool ns_queue_is_over(struct ns_queue *queue, const struct net_uuid *item, uint64_t stored);

size_t ns_item_encode(const struct net_enqueue *enqueue, uint8_t bytes[NS_ITEM_BYTES]);
bool ns_item_decode(struct net_enqueue *enqueue, const uint8_t *bytes, size_t length);
/* Whether the fields can be: port, length, priority. */
bool ns_item_valid(const struct net_enqueue *enqueue);
bool ns_uuid_equal(const struct net_uuid *a, const struct net_uuid *b);

#endif
