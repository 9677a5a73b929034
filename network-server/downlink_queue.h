/* The items that applications want sent, as the network server knows them: id, port, length, priority, expiry; never the
 * payload in clear (invariant 6). One list a device, higher priority first, then in order of arrival; an item whose
 * sending failed stays where it is. Each change is a row of the journal, written by the callers in downlink.c. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_QUEUE_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_QUEUE_H

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/proto/network_messages.h"
#include "network-server/slab.h"

#define NS_QUEUE_DEVICE_MAX 32
#define NS_ITEM_BYTES       320 /* room for a stored item */

struct ns_item {
	struct net_enqueue enqueue;
	uint32_t next; /* slot or NS_NO_SLOT */
};

struct ns_queue {
	struct ns_slab items;
};

void ns_queue_init(struct ns_queue *queue, uint32_t capacity);
void ns_queue_release(struct ns_queue *queue);
/* Inserts into the list that starts at *first. ST_FULL; ST_EXISTS: an item with that id is queued. */
enum status ns_queue_add(struct ns_queue *queue, uint32_t *first, uint8_t *count,
			 const struct net_enqueue *enqueue) MUST_USE;
/* Lends the first item that has not expired, or NULL. */
const struct net_enqueue *ns_queue_first(const struct ns_queue *queue, uint32_t first, struct wall now);
/* Lends an item, or NULL. */
const struct net_enqueue *ns_queue_find(const struct ns_queue *queue, uint32_t first,
					const struct net_uuid *item);
/* Takes out the first item that has expired; false when none has. */
bool ns_queue_take_expired(struct ns_queue *queue, uint32_t *first, uint8_t *count, struct wall now,
			   struct net_enqueue *enqueue);
/* Takes an item out. False: there is none. `enqueue` may be NULL. */
bool ns_queue_take(struct ns_queue *queue, uint32_t *first, uint8_t *count, const struct net_uuid *item,
		   struct net_enqueue *enqueue);

size_t ns_item_encode(const struct net_enqueue *enqueue, uint8_t bytes[NS_ITEM_BYTES]);
bool ns_item_decode(struct net_enqueue *enqueue, const uint8_t *bytes, size_t length);
/* Whether the fields can be: port, length, priority. */
bool ns_item_valid(const struct net_enqueue *enqueue);
bool ns_uuid_equal(const struct net_uuid *a, const struct net_uuid *b);

#endif
