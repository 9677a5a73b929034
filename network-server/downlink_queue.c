#include "network-server/downlink_queue.h"

#include "common/base/check.h"

struct over {
	struct net_uuid item;
	uint64_t row;
};

void ns_queue_init(struct ns_queue *queue, uint32_t capacity, struct rng *rng)
{
	*queue = (struct ns_queue){.next_arrival = 1, .ring_capacity = capacity};
	ns_slab_init(&queue->items, capacity, sizeof(struct ns_item));
	deadlines_init(&queue->expiries, capacity);
	table_init(&queue->over, capacity, sizeof(struct over), sizeof(struct net_uuid), rng);
	queue->ring = calloc(capacity, sizeof *queue->ring);
	ASSERT(queue->ring);
}

void ns_queue_release(struct ns_queue *queue)
{
	ns_slab_release(&queue->items);
	deadlines_release(&queue->expiries);
	table_release(&queue->over);
	free(queue->ring);
	*queue = (struct ns_queue){0};
}

bool ns_uuid_equal(const struct net_uuid *a, const struct net_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct ns_item *ns_queue_at(const struct ns_queue *queue, uint32_t slot)
{
	return ns_slab_at(&queue->items, slot);
}

bool ns_item_has_expired(const struct ns_item *item, struct wall now)
{
	return item->enqueue.expires.us != 0 && item->enqueue.expires.us <= now.us;
}

static bool goes_before(const struct ns_item *a, const struct ns_item *b)
{
	if (a->enqueue.priority != b->enqueue.priority)
		return a->enqueue.priority > b->enqueue.priority;
	return a->arrival < b->arrival;
}

enum status ns_queue_add(struct ns_queue *queue, struct ns_device *device, uint32_t device_slot,
			 const struct net_enqueue *enqueue, uint64_t arrival, uint32_t *slot)
{
	if (ns_queue_find(queue, device, &enqueue->item) != NS_NO_SLOT)
		return ST_EXISTS;
	if (device->queued >= NS_QUEUE_DEVICE_MAX)
		return ST_FULL;
	uint32_t taken = ns_slab_take(&queue->items);
	if (taken == NS_NO_SLOT)
		return ST_NO_MEMORY;
	struct ns_item *item = ns_queue_at(queue, taken);
	*item = (struct ns_item){.enqueue = *enqueue, .device = device_slot};
	item->arrival = arrival != 0 ? arrival : queue->next_arrival;
	if (item->arrival >= queue->next_arrival)
		queue->next_arrival = item->arrival + 1;
	uint32_t *place = &device->queue;
	while (*place != NS_NO_SLOT && !goes_before(item, ns_queue_at(queue, *place)))
		place = &ns_queue_at(queue, *place)->next;
	item->next = *place;
	*place = taken;
	device->queued++;
	*slot = taken;
	return ST_OK;
}

uint32_t ns_queue_find(const struct ns_queue *queue, const struct ns_device *device,
		       const struct net_uuid *item)
{
	uint32_t slot = device->queue;
	while (slot != NS_NO_SLOT && !ns_uuid_equal(&ns_queue_at(queue, slot)->enqueue.item, item))
		slot = ns_queue_at(queue, slot)->next;
	return slot;
}

uint32_t ns_queue_in_flight(const struct ns_queue *queue, const struct ns_device *device)
{
	uint32_t slot = device->queue;
	while (slot != NS_NO_SLOT && ns_queue_at(queue, slot)->state == NS_ITEM_QUEUED)
		slot = ns_queue_at(queue, slot)->next;
	return slot;
}

void ns_queue_remove(struct ns_queue *queue, struct ns_device *device, uint32_t slot)
{
	uint32_t *place = &device->queue;
	while (*place != slot) {
		ASSERT(*place != NS_NO_SLOT);
		place = &ns_queue_at(queue, *place)->next;
	}
	struct ns_item *item = ns_queue_at(queue, slot);
	*place = item->next;
	device->queued--;
	deadlines_cancel(&queue->expiries, &item->expiry);
	ns_slab_give(&queue->items, slot);
}

void ns_queue_note_over(struct ns_queue *queue, const struct net_uuid *item, uint64_t row)
{
	bool made;
	if (queue->ring_count == queue->ring_capacity) {
		(void)table_remove(&queue->over, &queue->ring[queue->ring_start]);
		queue->ring_start = (queue->ring_start + 1) % queue->ring_capacity;
		queue->ring_count--;
	}
	struct over *over = table_put(&queue->over, item, &made);
	ASSERT(over);
	over->row = row;
	if (made) {
		queue->ring[(queue->ring_start + queue->ring_count) % queue->ring_capacity] = *item;
		queue->ring_count++;
	}
}

bool ns_queue_is_over(struct ns_queue *queue, const struct net_uuid *item, uint64_t stored)
{
	while (queue->ring_count > 0) { /* what it knows need not be remembered */
		const struct net_uuid *oldest = &queue->ring[queue->ring_start];
		const struct over *over = table_get(&queue->over, oldest);
		if (over && over->row >= stored)
			break;
		(void)table_remove(&queue->over, oldest);
		queue->ring_start = (queue->ring_start + 1) % queue->ring_capacity;
		queue->ring_count--;
	}
	const struct over *over = table_get(&queue->over, item);
	return over && over->row >= stored;
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
