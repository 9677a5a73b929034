#include "network-server/item_rows.h"

#include "common/base/check.h"

enum { ITEM_BEFORE = 1, ITEM_OVER = 2, ITEM_STATE = 3, ITEM_CAME = 4 };
enum { FLUSHED = 1, SESSION_ENDED = 2 };

static void add(struct ns *ns, const struct wr *wr)
{
	ASSERT(wr_ok(wr));
	ns_journal_put(ns, NS_JOURNAL_QUEUE, wr->start, wr_length(wr), NULL, 0);
}

static void write_name(struct wr *wr, const struct net_enqueue *enqueue)
{
	wr_copy(wr, enqueue->dev_eui.bytes, 8);
	wr_copy(wr, enqueue->item.bytes, sizeof enqueue->item.bytes);
}

void ns_item_journal(struct ns *ns, const struct ns_item *item)
{
	uint8_t row[16 + NS_ITEM_BYTES], bytes[NS_ITEM_BYTES];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, ITEM_CAME);
	wr_u64le(&wr, item->arrival);
	wr_copy(&wr, bytes, ns_item_encode(&item->enqueue, bytes));
	add(ns, &wr);
}

void ns_item_journal_state(struct ns *ns, const struct ns_item *item)
{
	uint8_t row[64];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, ITEM_STATE);
	write_name(&wr, &item->enqueue);
	wr_u8(&wr, (uint8_t)item->state);
	wr_u8(&wr, item->tries);
	wr_u8(&wr, (uint8_t)((item->flushed ? FLUSHED : 0) | (item->session_ended ? SESSION_ENDED : 0)));
	wr_u32le(&wr, item->fcnt_down);
	wr_u32le(&wr, item->session_tag);
	wr_u64le(&wr, item->downlink);
	wr_copy(&wr, item->gateway.bytes, 8);
	add(ns, &wr);
}

void ns_item_journal_over(struct ns *ns, const struct ns_item *item)
{
	uint8_t row[32];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, ITEM_OVER);
	write_name(&wr, &item->enqueue);
	add(ns, &wr);
}

void ns_item_rewrite(struct ns *ns, const struct ns_item *item)
{
	ns_item_journal(ns, item);
	if (item->downlink != 0)
		ns_item_journal_state(ns, item);
}

/* Its name, the start of rows 2 and 3. Fills `device`: NS_NO_SLOT when that has gone. */
static bool read_name(const struct ns *ns, struct rd *rd, struct net_uuid *item, uint32_t *device)
{
	struct lw_eui64 dev_eui;
	rd_copy(rd, dev_eui.bytes, 8);
	rd_copy(rd, item->bytes, sizeof item->bytes);
	*device = rd_ok(rd) ? ns_device_find(&ns->sessions, &dev_eui) : NS_NO_SLOT;
	return rd_ok(rd);
}

static bool replay_came(struct ns *ns, struct rd *rd, uint64_t arrival)
{
	size_t left = rd_left(rd);
	const uint8_t *bytes = rd_take(rd, left);
	struct net_enqueue enqueue;
	if (!bytes || !ns_item_decode(&enqueue, bytes, left))
		return false;
	uint32_t device = ns_device_find(&ns->sessions, &enqueue.dev_eui), slot;
	if (device == NS_NO_SLOT)
		return true; /* it has gone */
	enum status status = ns_queue_add(&ns->queue, ns_device_at(&ns->sessions, device), device, &enqueue,
					  arrival, &slot);
	if (status == ST_OK)
		ns_queue_at(&ns->queue, slot)->state = NS_ITEM_QUEUED;
	return status == ST_OK || status == ST_EXISTS;
}

static bool replay_state(struct ns *ns, struct rd *rd)
{
	struct net_uuid name;
	uint32_t device;
	if (!read_name(ns, rd, &name, &device))
		return false;
	struct ns_item read = {.state = rd_u8(rd), .tries = rd_u8(rd)};
	uint8_t flags = rd_u8(rd);
	read.fcnt_down = rd_u32le(rd);
	read.session_tag = rd_u32le(rd);
	read.downlink = rd_u64le(rd);
	rd_copy(rd, read.gateway.bytes, 8);
	if (!rd_ok(rd) || read.state == NS_ITEM_NONE || ns_item_is_over(read.state))
		return false;
	uint32_t slot = device == NS_NO_SLOT
				? NS_NO_SLOT
				: ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, device), &name);
	if (slot == NS_NO_SLOT)
		return true;
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	item->state = read.state;
	item->tries = read.tries;
	item->flushed = flags & FLUSHED;
	item->session_ended = flags & SESSION_ENDED;
	item->fcnt_down = read.fcnt_down;
	item->session_tag = read.session_tag;
	item->downlink = read.downlink;
	item->gateway = read.gateway;
	return true;
}

static bool replay_over(struct ns *ns, struct rd *rd, uint64_t row)
{
	struct net_uuid name;
	uint32_t device;
	if (!read_name(ns, rd, &name, &device))
		return false;
	ns_queue_note_over(&ns->queue, &name, row);
	if (device == NS_NO_SLOT)
		return true;
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, device), &name);
	if (slot != NS_NO_SLOT)
		ns_queue_remove(&ns->queue, ns_device_at(&ns->sessions, device), slot);
	return true;
}

bool ns_item_replay(struct ns *ns, const struct ns_journal_entry *entry)
{
	struct rd rd = rd_init(entry->payload, entry->length);
	uint8_t kind = rd_u8(&rd);
	switch (kind) {
	case ITEM_BEFORE: return replay_came(ns, &rd, 0);
	case ITEM_OVER: return replay_over(ns, &rd, entry->row);
	case ITEM_STATE: return replay_state(ns, &rd);
	case ITEM_CAME: {
		uint64_t arrival = rd_u64le(&rd);
		return rd_ok(&rd) && replay_came(ns, &rd, arrival);
	}
	default: return false;
	}
}
