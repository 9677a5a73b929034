/* One table finds a frame by the seeded hash of its bytes: `where` is a slot of `frames` while the window is open, of
 * `memory` afterwards. The memory of a closed window is small (who heard it with which counter, and when it was on the
 * air); when it is full the oldest goes, and what it would have told is then in doubt, that is a retransmission, which
 * the session's counter judges. */
#include "network-server/dedup.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/frame.h"

struct where {
	uint64_t key;
	uint32_t slot;
	bool open;
};

struct heard {
	uint64_t key;
	struct mono sent; /* the latest estimate of the end of the transmission */
	uint32_t airtime_us;
	uint32_t ring_at; /* its place in the ring */
	uint32_t first_s; /* when it was on the air first, seconds of the monotonic clock */
	uint8_t count;
	struct {
		uint32_t gateway; /* slot */
		struct gw_ticks ticks;
	} by[NS_HEARERS_MAX];
};

struct net_reception ns_copy_reception(const struct ns_copy *copy)
{
	return (struct net_reception){
		.gateway = copy->gateway,
		.rssi_dbm = copy->rssi_dbm,
		.has_snr = copy->has_snr,
		.snr_cdb = copy->snr_cdb,
		.channel = copy->channel,
		.rf_chain = copy->rf_chain,
		.board = copy->board,
		.antenna = copy->antenna,
		.ticks = copy->ticks,
		.has_gps_time = copy->has_gps_time,
		.gps_time_us = copy->gps_time_us,
		.has_fine_time = copy->has_fine_time,
		.fine_time_ns = copy->fine_time_ns,
		.arrival = copy->wall,
		.crc = copy->crc,
	};
}

void ns_dedup_init(struct ns_dedup *dedup, uint32_t open, uint32_t remembered, span_us window,
		   struct rng *rng)
{
	*dedup = (struct ns_dedup){.window = window, .seed = rng_u64(rng)};
	table_init(&dedup->by_key, (size_t)open + remembered, sizeof(struct where), sizeof(uint64_t), rng);
	ns_slab_init(&dedup->frames, open, sizeof(struct ns_frame));
	ns_index_init(&dedup->by_addr, open);
	ns_slab_init(&dedup->memory, remembered, sizeof(struct heard));
	dedup->ring = calloc(remembered, sizeof *dedup->ring);
	ASSERT(dedup->ring);
	deadlines_init(&dedup->deadlines, open);
}

void ns_dedup_release(struct ns_dedup *dedup)
{
	table_release(&dedup->by_key);
	ns_slab_release(&dedup->frames);
	ns_index_release(&dedup->by_addr);
	ns_slab_release(&dedup->memory);
	deadlines_release(&dedup->deadlines);
	free(dedup->ring);
	*dedup = (struct ns_dedup){0};
}

/* Bytes to 64 bits, seeded, so that nobody outside can aim at a collision. */
static uint64_t key_of(const struct ns_dedup *dedup, const uint8_t *phy, uint8_t length)
{
	uint64_t hash = dedup->seed ^ length;
	for (uint8_t i = 0; i < length; i++) {
		hash = (hash ^ phy[i]) * UINT64_C(0x9fb21c651e98df25);
		hash ^= hash >> 29;
	}
	return hash;
}

static bool note_hearer(struct heard *heard, const struct ns_copy *copy)
{
	for (uint8_t i = 0; i < heard->count; i++)
		if (heard->by[i].gateway == copy->gateway_slot) {
			heard->by[i].ticks = copy->ticks;
			return false;
		}
	if (heard->count < NS_HEARERS_MAX) {
		heard->by[heard->count].gateway = copy->gateway_slot;
		heard->by[heard->count].ticks = copy->ticks;
		heard->count++;
	}
	return true;
}

static bool is_retransmission(const struct heard *heard, const struct ns_copy *copy,
			      const struct ns_copy_facts *facts)
{
	span_us least = (span_us)heard->airtime_us + US_PER_S;
	for (uint8_t i = 0; i < heard->count; i++)
		if (heard->by[i].gateway == copy->gateway_slot)
			return gw_ticks_since(copy->ticks, heard->by[i].ticks) > least;
	if (!facts->placed)
		return true;
	return mono_since(copy->sent, heard->sent) > least;
}

/* Only a gateway's own counter is proof enough here; told once for each time that it was on the air. */
static bool is_once_again(struct heard *heard, const struct ns_copy *copy, const struct ns_copy_facts *facts)
{
	span_us least = (span_us)heard->airtime_us + US_PER_S;
	bool proved = false;
	for (uint8_t i = 0; i < heard->count; i++)
		proved |= heard->by[i].gateway == copy->gateway_slot &&
			  gw_ticks_since(copy->ticks, heard->by[i].ticks) > least;
	if (!facts->once || !proved || mono_since(copy->sent, heard->sent) <= least)
		return false;
	heard->sent = copy->sent;
	return true;
}

/* For so long the same bytes of a `once` frame are a copy. */
static bool is_over(const struct heard *heard, const struct ns_copy *copy)
{
	return copy->sent.us / US_PER_S - (int64_t)heard->first_s >= NS_ONCE_SPAN_S;
}

static void close_at(struct ns_dedup *dedup, struct ns_frame *frame, struct mono due)
{
	ASSERT(deadlines_set(&dedup->deadlines, &frame->deadline, due) == ST_OK);
}

/* The window may only shrink: each copy's own RX start less its gateway's lead bounds it. */
static void bound_window(struct ns_dedup *dedup, struct ns_frame *frame, const struct ns_copy *copy,
			 const struct ns_copy_facts *facts)
{
#if MUTANT == MUTANT_WINDOW_TOO_LONG
	(void)copy, (void)facts;
	close_at(dedup, frame, mono_add(frame->first, 8 * US_PER_S));
	return;
#endif
	struct mono latest = mono_add(copy->sent, facts->rx_delay - facts->lead);
	if (latest.us < frame->deadline.due.us)
		close_at(dedup, frame, latest);
}

static void add_copy(struct ns_frame *frame, const struct ns_copy *copy)
{
	bool known = false;
	uint8_t worst = 0;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		known |= frame->copies[i].gateway_slot == copy->gateway_slot;
		if (frame->copies[i].snr_cdb < frame->copies[worst].snr_cdb)
			worst = i;
	}
	if (!known)
		frame->gateway_count++;
	if (copy->sent.us < frame->sent.us)
		frame->sent = copy->sent;
	if (frame->copy_count < NS_COPIES_MAX)
		frame->copies[frame->copy_count++] = *copy;
	else if (copy->snr_cdb > frame->copies[worst].snr_cdb)
		frame->copies[worst] = *copy;
}

static uint32_t addr_hash(const struct ns_dedup *dedup, uint32_t dev_addr)
{
	return ns_hash64(dev_addr, dedup->seed);
}

static void file_under_addr(struct ns_dedup *dedup, struct ns_frame *frame, uint32_t slot)
{
	struct rd rd = rd_init(frame->phy, frame->phy_length);
	uint8_t type = (uint8_t)(rd_u8(&rd) >> 5);
	frame->dev_addr = rd_u32le(&rd);
	frame->has_dev_addr = rd_ok(&rd) && (type == LW_UNCONFIRMED_UP || type == LW_CONFIRMED_UP);
	frame->order = dedup->opened++;
	if (frame->has_dev_addr)
		ns_index_add(&dedup->by_addr, addr_hash(dedup, frame->dev_addr), slot);
}

/* The window under the same DevAddr that opened first; `frame` itself where there is no other. */
static struct ns_frame *first_of_its_addr(const struct ns_dedup *dedup, struct ns_frame *frame)
{
	struct ns_frame *first = frame;
	uint32_t hash = addr_hash(dedup, frame->dev_addr), slot;
	for (uint32_t at = 0; (slot = ns_index_next(&dedup->by_addr, hash, &at)) != NS_NO_SLOT;) {
		struct ns_frame *other = ns_slab_at(&dedup->frames, slot);
		if (other->dev_addr == frame->dev_addr && other->order < first->order)
			first = other;
	}
	return first;
}

static enum ns_dedup_verdict open_window(struct ns_dedup *dedup, struct where *where, const uint8_t *phy,
					 uint8_t length, const struct ns_copy *copy,
					 const struct ns_copy_facts *facts, bool again)
{
	uint32_t slot = ns_slab_take(&dedup->frames);
	if (slot == NS_NO_SLOT)
		return NS_DEDUP_FULL;
	struct ns_frame *frame = ns_slab_at(&dedup->frames, slot);
	frame->key = where->key;
	memcpy(frame->phy, phy, length);
	frame->phy_length = length;
	frame->retransmission = again;
	frame->first = copy->arrival;
	frame->sent = copy->sent;
	frame->airtime_us = facts->airtime_us;
	where->slot = slot;
	where->open = true;
	close_at(dedup, frame, mono_add(copy->arrival, dedup->window));
	bound_window(dedup, frame, copy, facts);
	add_copy(frame, copy);
	file_under_addr(dedup, frame, slot);
	return again ? NS_DEDUP_RETRANSMISSION : NS_DEDUP_FIRST;
}

/* Forgets the memory in `slot`: its place in the ring is left empty and skipped later. */
static void forget(struct ns_dedup *dedup, uint32_t slot)
{
	const struct heard *heard = ns_slab_at(&dedup->memory, slot);
	dedup->ring[heard->ring_at] = NS_NO_SLOT;
	ns_slab_give(&dedup->memory, slot);
}

enum ns_dedup_verdict ns_dedup_add(struct ns_dedup *dedup, const uint8_t *phy, uint8_t length,
				   const struct ns_copy *copy, const struct ns_copy_facts *facts)
{
	ASSERT(length > 0);
	uint64_t key = key_of(dedup, phy, length);
	bool made;
	struct where *where = table_put(&dedup->by_key, &key, &made);
	if (!where)
		return NS_DEDUP_FULL;
	if (made) {
		enum ns_dedup_verdict verdict = open_window(dedup, where, phy, length, copy, facts, false);
		if (verdict == NS_DEDUP_FULL)
			table_remove(&dedup->by_key, &key);
		return verdict;
	}
	if (where->open) {
		struct ns_frame *frame = ns_slab_at(&dedup->frames, where->slot);
		add_copy(frame, copy);
		bound_window(dedup, frame, copy, facts);
		return NS_DEDUP_COPY;
	}
	struct heard *heard = ns_slab_at(&dedup->memory, where->slot);
	if (facts->once ? !is_over(heard, copy) : !is_retransmission(heard, copy, facts)) {
		bool again = is_once_again(heard, copy, facts);
		note_hearer(heard, copy);
		return again ? NS_DEDUP_ONCE_AGAIN : NS_DEDUP_LATE_COPY;
	}
	uint32_t remembered = where->slot;
	enum ns_dedup_verdict verdict = open_window(dedup, where, phy, length, copy, facts, !facts->once);
	if (verdict != NS_DEDUP_FULL)
		forget(dedup, remembered);
	return verdict;
}

static void drop_oldest(struct ns_dedup *dedup)
{
	uint32_t slot = dedup->ring[dedup->ring_start];
	dedup->ring_start = (dedup->ring_start + 1) % dedup->memory.capacity;
	dedup->ring_count--;
	if (slot == NS_NO_SLOT)
		return;
	struct heard *heard = ns_slab_at(&dedup->memory, slot);
	table_remove(&dedup->by_key, &heard->key);
	ns_slab_give(&dedup->memory, slot);
}

static void remember(struct ns_dedup *dedup, const struct ns_frame *frame)
{
	while (dedup->ring_count == dedup->memory.capacity || dedup->memory.count == dedup->memory.capacity)
		drop_oldest(dedup);
	uint32_t slot = ns_slab_take(&dedup->memory);
	struct heard *heard = ns_slab_at(&dedup->memory, slot);
	heard->key = frame->key;
	heard->sent = frame->sent;
	heard->airtime_us = frame->airtime_us;
	heard->first_s = (uint32_t)(frame->sent.us / US_PER_S);
	for (uint8_t i = 0; i < frame->copy_count; i++)
		note_hearer(heard, &frame->copies[i]);
	heard->ring_at = (dedup->ring_start + dedup->ring_count) % dedup->memory.capacity;
	dedup->ring[heard->ring_at] = slot;
	dedup->ring_count++;
	struct where *where = table_get(&dedup->by_key, &frame->key);
	ASSERT(where);
	where->slot = slot;
	where->open = false;
}

bool ns_dedup_pop(struct ns_dedup *dedup, struct mono now, struct ns_frame *frame)
{
	struct ns_frame *closed = (struct ns_frame *)(void *)deadlines_pop(&dedup->deadlines, now);
	if (!closed)
		return false;
	struct ns_frame *first = closed->has_dev_addr ? first_of_its_addr(dedup, closed) : closed;
	if (first != closed) { /* whose turn comes when those before it are gone: its deadline has passed */
		close_at(dedup, closed, closed->deadline.due);
		deadlines_cancel(&dedup->deadlines, &first->deadline);
		closed = first;
	}
	*frame = *closed;
	frame->deadline = (struct deadline){0};
	struct where *where = table_get(&dedup->by_key, &frame->key);
	ASSERT(where && where->open);
	if (frame->has_dev_addr)
		ns_index_remove(&dedup->by_addr, addr_hash(dedup, frame->dev_addr), where->slot);
	ns_slab_give(&dedup->frames, where->slot);
	remember(dedup, frame);
	return true;
}

struct mono ns_dedup_next(const struct ns_dedup *dedup)
{
	return deadlines_next(&dedup->deadlines);
}

uint32_t ns_dedup_open_count(const struct ns_dedup *dedup)
{
	return dedup->frames.count;
}
