#include "network-server/downlink_queue.h"

#include "common/base/check.h"

void ns_queue_init(struct ns_queue *queue, uint32_t capacity)
{
	ns_slab_init(&queue->items, capacity, sizeof(struct ns_item));
}

void ns_queue_release(struct ns_queue *queue)
{
	ns_slab_release(&queue->items);
}

bool ns_uuid_equal(const struct net_uuid *a, const struct net_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct ns_item *at(const struct ns_queue *queue, uint32_t slot)
{
	return ns_slab_at(&queue->items, slot);
}

static bool expired(const struct net_enqueue *enqueue, struct wall now)
{
	return enqueue->expires.us != 0 && enqueue->expires.us <= now.us;
}

enum status ns_queue_add(struct ns_queue *queue, uint32_t *first, uint8_t *count,
			 const struct net_enqueue *enqueue)
{
	if (ns_queue_find(queue, *first, &enqueue->item))
		return ST_EXISTS;
	if (*count >= NS_QUEUE_DEVICE_MAX)
		return ST_FULL;
	uint32_t slot = ns_slab_take(&queue->items);
	if (slot == NS_NO_SLOT)
		return ST_FULL;
	uint32_t *place = first;
	while (*place != NS_NO_SLOT && at(queue, *place)->enqueue.priority >= enqueue->priority)
		place = &at(queue, *place)->next;
	*at(queue, slot) = (struct ns_item){*enqueue, *place};
	*place = slot;
	(*count)++;
	return ST_OK;
}

const struct net_enqueue *ns_queue_first(const struct ns_queue *queue, uint32_t first, struct wall now)
{
	for (uint32_t slot = first; slot != NS_NO_SLOT; slot = at(queue, slot)->next)
		if (!expired(&at(queue, slot)->enqueue, now))
			return &at(queue, slot)->enqueue;
	return NULL;
}

const struct net_enqueue *ns_queue_find(const struct ns_queue *queue, uint32_t first,
					const struct net_uuid *item)
{
	for (uint32_t slot = first; slot != NS_NO_SLOT; slot = at(queue, slot)->next)
		if (ns_uuid_equal(&at(queue, slot)->enqueue.item, item))
			return &at(queue, slot)->enqueue;
	return NULL;
}

static void take(struct ns_queue *queue, uint32_t *place, uint8_t *count, struct net_enqueue *enqueue)
{
	uint32_t slot = *place;
	if (enqueue)
		*enqueue = at(queue, slot)->enqueue;
	*place = at(queue, slot)->next;
	ns_slab_give(&queue->items, slot);
	(*count)--;
}

bool ns_queue_take_expired(struct ns_queue *queue, uint32_t *first, uint8_t *count, struct wall now,
			   struct net_enqueue *enqueue)
{
	for (uint32_t *place = first; *place != NS_NO_SLOT; place = &at(queue, *place)->next)
		if (expired(&at(queue, *place)->enqueue, now)) {
			take(queue, place, count, enqueue);
			return true;
		}
	return false;
}

bool ns_queue_take(struct ns_queue *queue, uint32_t *first, uint8_t *count, const struct net_uuid *item,
		   struct net_enqueue *enqueue)
{
	for (uint32_t *place = first; *place != NS_NO_SLOT; place = &at(queue, *place)->next)
		if (ns_uuid_equal(&at(queue, *place)->enqueue.item, item)) {
			take(queue, place, count, enqueue);
			return true;
		}
	return false;
}

size_t ns_item_encode(const struct net_enqueue *enqueue, uint8_t bytes[NS_ITEM_BYTES])
{
	struct wr wr = wr_init(bytes, NS_ITEM_BYTES);
	wr_copy(&wr, enqueue->item.bytes, sizeof enqueue->item.bytes);
	wr_copy(&wr, enqueue->dev_eui.bytes, 8);
	wr_u8(&wr, enqueue->fport);
	wr_u8(&wr, enqueue->length);
	wr_u8(&wr, (uint8_t)(enqueue->confirmed | enqueue->encrypted << 1));
	wr_u8(&wr, enqueue->priority);
	wr_u64le(&wr, (uint64_t)enqueue->expires.us);
	wr_u32le(&wr, enqueue->fcnt_down);
	if (enqueue->encrypted)
		wr_copy(&wr, enqueue->frm_payload, enqueue->length);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

bool ns_item_decode(struct net_enqueue *enqueue, const uint8_t *bytes, size_t length)
{
	struct net_enqueue read = {0};
	struct rd rd = rd_init(bytes, length);
	rd_copy(&rd, read.item.bytes, sizeof read.item.bytes);
	rd_copy(&rd, read.dev_eui.bytes, 8);
	read.fport = rd_u8(&rd);
	read.length = rd_u8(&rd);
	uint8_t flags = rd_u8(&rd);
	read.confirmed = flags & 1;
	read.encrypted = flags >> 1 & 1;
	read.priority = rd_u8(&rd);
	read.expires.us = (int64_t)rd_u64le(&rd);
	read.fcnt_down = rd_u32le(&rd);
	if (read.length > NET_PAYLOAD_MAX)
		return false;
	if (read.encrypted)
		rd_copy(&rd, read.frm_payload, read.length);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return false;
	*enqueue = read;
	return true;
}

bool ns_item_valid(const struct net_enqueue *enqueue)
{
	return enqueue->fport >= 1 && enqueue->fport <= 225 && enqueue->length <= NET_PAYLOAD_MAX &&
	       enqueue->priority <= 6;
}
