/* What lasts: journaling of sessions, rows to write beside the journal, sweeps of session rows, and the way back at a
 * start (DESIGN 3).
 *
 *	sweep   begins when session rows have fallen behind; queue and airtime rows are written again behind its start,
 *	        then dirty sessions are handed out in key order, a slice a turn; when the last slice is durable, every
 *	        journal row from before the start is folded.
 *	start   rows, then the journal's tail in order; the greater counter wins, a written FCntDown is spent.
 */
#include "network-server/network.h"

#include "common/base/check.h"
#include "network-server/adr/adr.h"
#include "network-server/airtime_rows.h"
#include "network-server/item_flow.h"
#include "network-server/item_rows.h"

#define SWEEP_PAUSE      (5 * US_PER_S)
#define SWEEP_SESSIONS   100000
#define SWEEP_ROWS       1000
#define REWRITE_ITEMS    256 /* a turn */
#define REWRITE_GATEWAYS 16  /* a turn; up to 5 KiB each */

const struct ns_profile *ns_profile_of(const struct ns *ns, const struct ns_device *device)
{
	const struct ns_profile *profile = &ns->profiles[device->profile];
	return profile->used ? profile : NULL;
}

struct ns_write *ns_write(struct ns *ns, enum ns_write_kind kind, const uint8_t *key, size_t key_length)
{
	ASSERT_CMP(ns->write_count, <, NS_WRITES_MAX);
	struct ns_write *write = &ns->writes[ns->write_count++];
	*write = (struct ns_write){.kind = kind, .key_length = (uint8_t)key_length};
	if (key_length)
		memcpy(write->key, key, key_length);
	return write;
}

size_t ns_session_row(const struct ns *ns, uint32_t slot, uint8_t bytes[NS_SESSION_BYTES])
{
	return ns_session_encode(&ns->sessions, ns_session_at(&ns->sessions, slot), ns->config.master, bytes);
}

bool ns_turn_is_full(const struct ns *ns)
{
	return ns_journal_turn_is_full(&ns->journal) || ns->write_count > NS_WRITES_MAX - NS_WRITES_RESERVE ||
	       ns_outbox_room(&ns->outbox) < NS_OUTBOX_RESERVE;
}

void ns_journal_put(struct ns *ns, enum ns_journal_kind kind, const uint8_t *head, size_t head_length,
		    const uint8_t *body, size_t body_length)
{
	ASSERT(ns_journal_add(&ns->journal, kind, head, head_length, body, body_length, NULL) == ST_OK);
}

void ns_journal_session(struct ns *ns, enum ns_journal_kind kind, uint32_t slot)
{
	uint8_t head[4], bytes[NS_SESSION_BYTES];
	struct wr wr = wr_init(head, sizeof head);
	wr_u32le(&wr, slot);
	size_t length = ns_session_row(ns, slot, bytes);
	ns_journal_put(ns, kind, head, sizeof head, bytes, length);
	ns_session_mark(&ns->sessions, slot);
}

uint32_t ns_new_tag(struct ns *ns)
{
	uint32_t tag;
	do
		tag = rng_u32(ns->rng);
	while (tag == 0);
	return tag;
}

void ns_journal_session_gone(struct ns *ns, uint32_t slot, uint32_t tag)
{
	uint8_t row[8];
	struct wr wr = wr_init(row, sizeof row);
	wr_u32le(&wr, slot);
	wr_u32le(&wr, tag);
	ns_journal_put(ns, NS_JOURNAL_SESSION, row, sizeof row, NULL, 0);
}

void ns_drop_session(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_session *session = ns_session_at(&ns->sessions, slot);
	uint16_t today = ns_day(now.wall);
	ns_foreign_released(&ns->foreign, session->dev_addr, today);
	uint8_t key[4];
	struct wr at = wr_init(key, sizeof key);
	wr_u32be(&at, session->dev_addr.value);
	struct ns_write *write = ns_write(ns, NS_WRITE_RELEASED, key, sizeof key);
	struct wr wr = wr_init(write->bytes, sizeof write->bytes);
	wr_u8(&wr, 1);
	wr_u16le(&wr, today);
	write->length = (uint8_t)wr_length(&wr);
	ns_journal_session_gone(ns, slot, session->tag);
	ns_session_remove(&ns->sessions, slot);
}

/* --- sweeps --- */

static bool sweep_due(const struct ns *ns, struct now now)
{
	uint64_t unfolded = ns->journal.first_row - ns->journal.folded_row;
	/* What the journal held at the start is folded soon, whether or not anything of it is of a session. */
	bool due = ns->sessions.dirty_count > 0 || unfolded > SWEEP_ROWS ||
		   (ns->journal.folded_row <= 1 && ns->journal.bytes > 0);
	return ns->sessions.dirty_count >= SWEEP_SESSIONS || (now.mono.us >= ns->fold.next.us && due);
}

/* Rows without a table of their own are written again, a slice a turn. True when all are. */
static bool rewrite(struct ns *ns, struct now now)
{
	struct ns_fold *fold = &ns->fold;
	for (unsigned i = 0; i < REWRITE_ITEMS && fold->queue_cursor < ns->queue.items.high;
	     i++, fold->queue_cursor++)
		if (ns_slab_holds(&ns->queue.items, fold->queue_cursor))
			ns_item_rewrite(ns, ns_queue_at(&ns->queue, fold->queue_cursor));
	for (unsigned i = 0; i < REWRITE_GATEWAYS && fold->airtime_cursor < ns->gateways.slab.high;
	     i++, fold->airtime_cursor++)
		if (ns_slab_holds(&ns->gateways.slab, fold->airtime_cursor))
			ns_airtime_rewrite(ns, now, fold->airtime_cursor);
	return fold->queue_cursor >= ns->queue.items.high && fold->airtime_cursor >= ns->gateways.slab.high;
}

size_t ns_fold_slice(struct ns *ns, struct now now, uint32_t *slots, size_t max)
{
	struct ns_fold *fold = &ns->fold;
	if (!fold->active) {
		if (!sweep_due(ns, now))
			return 0;
		*fold = (struct ns_fold){.active = true, .first_row = ns->journal.first_row};
	}
	if (!rewrite(ns, now))
		return 0;
	uint32_t words = ns->sessions.slab.high / 64 + 1;
	size_t count = 0;
	while (fold->cursor < words) {
		uint64_t *word = &ns->sessions.dirty[fold->cursor];
		if (*word && count + 64 > max)
			return count;
		for (uint64_t bits = *word; bits; bits &= bits - 1)
			slots[count++] = fold->cursor * 64 + (uint32_t)__builtin_ctzll(bits);
		ns->sessions.dirty_count -= (uint32_t)__builtin_popcountll(*word);
		*word = 0;
		fold->cursor++;
	}
	fold->active = false;
	fold->next = mono_add(now.mono, SWEEP_PAUSE);
	ns->journal.folded_row = fold->first_row; /* durable with this very turn */
	return count;
}

void ns_turn_done(struct ns *ns)
{
	ns_journal_turn_done(&ns->journal);
	ns->write_count = 0;
}

/* --- start --- */

bool ns_load_session(struct ns *ns, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct ns_session session;
	if (!ns_session_decode(&ns->sessions, &session, ns->config.master, bytes, length))
		return false;
	bool taken = true;
	if (ns_region_is_there(ns, session.region))
		taken = ns_session_restore(&ns->sessions, slot, &session);
	else if (slot < ns->sessions.slab.capacity)
		ns_session_mark(&ns->sessions,
				slot); /* its region is configured no more: the next sweep removes the row */
	secret_wipe(&session, sizeof session);
	return taken;
}

static bool replay_uplink(struct ns *ns, const struct ns_journal_entry *entry)
{
	struct rd rd = rd_init(entry->payload, entry->length);
	uint32_t slot = rd_u32le(&rd), tag = rd_u32le(&rd), fcnt = rd_u32le(&rd);
	uint8_t mic[4];
	rd_copy(&rd, mic, sizeof mic);
	uint64_t hash = rd_u64le(&rd);
	uint8_t dr = rd_u8(&rd);
	bool has_snr = rd_u8(&rd) != 0; /* 0 in rows of before */
	int16_t snr_cdb = (int16_t)rd_u16le(&rd);
	if (!rd_ok(&rd))
		return false;
	struct ns_session *session = ns_session_get(&ns->sessions, slot, tag);
	if (!session)
		return true; /* it has ended since */
	if (fcnt >= session->fcnt_up) {
		session->last_hash = hash;
		memcpy(session->last_mic, mic, sizeof mic);
		session->last_dr = dr;
		session->repeats = 0;
		if (has_snr)
			ns_adr_note(&session->adr, dr, snr_cdb);
	}
	ns_session_note(session, fcnt);
	ns_session_mark(&ns->sessions, slot);
	return true;
}

static bool replay_fcnt_down(struct ns *ns, const struct ns_journal_entry *entry)
{
	struct rd rd = rd_init(entry->payload, entry->length);
	uint32_t slot = rd_u32le(&rd), tag = rd_u32le(&rd);
	bool a_counter = rd_u8(&rd) != 0;
	uint32_t fcnt = rd_u32le(&rd);
	uint8_t repeats = rd_u8(&rd);
	if (!rd_ok(&rd))
		return false;
	struct ns_session *session = ns_session_get(&ns->sessions, slot, tag);
	if (!session)
		return true;
	uint32_t *next = a_counter ? &session->a_fcnt_down : &session->n_fcnt_down;
	if (fcnt >= *next)
		*next = fcnt + 1;
	session->repeats = repeats;
	ns_session_mark(&ns->sessions, slot);
	return true;
}

static bool replay_session(struct ns *ns, const struct ns_journal_entry *entry)
{
	struct rd rd = rd_init(entry->payload, entry->length);
	uint32_t slot = rd_u32le(&rd);
	if (!rd_ok(&rd))
		return false;
	if (rd_left(&rd) > 4) {
		size_t length = rd_left(&rd);
		const uint8_t *bytes = rd_take(&rd, length);
		struct ns_session session;
		if (!ns_session_decode(&ns->sessions, &session, ns->config.master, bytes, length))
			return false;
		bool known = ns_device_find(&ns->sessions, &session.dev_eui) != NS_NO_SLOT;
		secret_wipe(&session, sizeof session);
		return !known || ns_load_session(ns, slot, bytes, length);
	}
	uint32_t tag = rd_u32le(&rd);
	if (rd_ok(&rd) && ns_session_get(&ns->sessions, slot, tag))
		ns_session_remove(&ns->sessions, slot);
	return rd_ok(&rd);
}

bool ns_replay(struct ns *ns, struct now now, const struct ns_journal_entry *entry)
{
	struct ns_journal *journal = &ns->journal;
	size_t length;
	if (entry->row >= journal->next_row)
		journal->next_row = journal->first_row = entry->row + 1;
	if (ns_journal_event(entry, &length) && entry->row > journal->event_row)
		journal->event_row = entry->row;
	switch (entry->kind) {
	case NS_JOURNAL_UPLINK: return replay_uplink(ns, entry);
	case NS_JOURNAL_FCNT_DOWN: return replay_fcnt_down(ns, entry);
	case NS_JOURNAL_MAC_REQUEST:
	case NS_JOURNAL_SESSION: return replay_session(ns, entry);
	case NS_JOURNAL_QUEUE: return ns_item_replay(ns, entry);
	case NS_JOURNAL_AIRTIME: return ns_airtime_replay(ns, now, entry->payload, entry->length);
	case NS_JOURNAL_EVENT: return true;
	}
	return false;
}

void ns_loaded(struct ns *ns, struct now now)
{
	ns_slab_loaded(&ns->sessions.slab);
	ns->fold.next = now.mono;
	/* Sessions whose device has gone, or that two rows claimed, were left out by ns_session_restore(). */
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot))
			ns_gateways_at(&ns->gateways, slot)->link = 0;
	ns_items_loaded(ns, now);
}
