#include "network-server/journal.h"

#include "common/base/check.h"
#include "common/base/mutant.h"

void ns_journal_init(struct ns_journal *journal, uint64_t limit, uint16_t partition, uint32_t epoch)
{
	*journal = (struct ns_journal){.limit = limit, .partition = partition, .epoch = epoch};
	journal->turn = malloc(NS_JOURNAL_TURN);
	ASSERT(journal->turn);
	journal->wr = wr_init(journal->turn, NS_JOURNAL_TURN);
	journal->first_row = journal->next_row = 1;
	journal->folded_row = 1;
}

void ns_journal_release(struct ns_journal *journal)
{
	free(journal->turn);
	*journal = (struct ns_journal){0};
}

bool ns_journal_open(const struct ns_journal *journal)
{
	return !journal->disk_low && journal->bytes + wr_length(&journal->wr) < journal->limit &&
	       !ns_journal_turn_is_full(journal);
}

bool ns_journal_turn_is_full(const struct ns_journal *journal)
{
	return wr_room(&journal->wr) <= NS_JOURNAL_RESERVE;
}

bool ns_journal_alarm(const struct ns_journal *journal)
{
	return journal->disk_low || journal->bytes >= journal->limit / 5 * 4;
}

uint64_t ns_journal_next(const struct ns_journal *journal)
{
	return journal->next_row;
}

/* A UUID of version 8 (our own layout): epoch | partition and version | row. */
struct net_uuid ns_journal_event_id(const struct ns_journal *journal, uint64_t row)
{
	struct net_uuid id = {{0}};
	struct wr wr = wr_init(id.bytes, sizeof id.bytes);
	wr_u32be(&wr, journal->epoch);
	wr_u16be(&wr, journal->partition);
	wr_u16be(&wr, 0x8000);
	wr_u64be(&wr, (row & UINT64_C(0x3fffffffffffffff)) | UINT64_C(0x8000000000000000));
	return id;
}

enum status ns_journal_add(struct ns_journal *journal, enum ns_journal_kind kind, const uint8_t *head,
			   size_t head_length, const uint8_t *body, size_t body_length, size_t *offset)
{
	size_t length = head_length + body_length;
	ASSERT_CMP(length, <=, NS_JOURNAL_ENTRY_MAX);
	if (wr_room(&journal->wr) < length + 3)
		return ST_FULL;
	wr_u8(&journal->wr, (uint8_t)kind);
	wr_u16le(&journal->wr, (uint16_t)length);
	if (head_length)
		wr_copy(&journal->wr, head, head_length);
	if (offset)
		*offset = wr_length(&journal->wr);
	if (body_length)
		wr_copy(&journal->wr, body, body_length);
	journal->next_row++;
	return ST_OK;
}

void ns_journal_is_event(struct ns_journal *journal)
{
	journal->turn_event_row = journal->event_row = journal->next_row - 1;
}

const uint8_t *ns_journal_turn(const struct ns_journal *journal, size_t *length)
{
	*length = wr_length(&journal->wr);
	return journal->turn;
}

void ns_journal_turn_done(struct ns_journal *journal)
{
	journal->bytes += wr_length(&journal->wr);
	journal->wr = wr_init(journal->turn, NS_JOURNAL_TURN);
	journal->first_row = journal->next_row;
	journal->turn_event_row = 0;
}

uint64_t ns_journal_deletable(const struct ns_journal *journal)
{
	uint64_t stored = journal->stored_row >= journal->event_row ? UINT64_MAX : journal->stored_row;
	uint64_t folded = journal->folded_row - 1;
#if MUTANT == MUTANT_ROW_DELETED_EARLY
	stored = UINT64_MAX;
#endif
	return stored < folded ? stored : folded;
}

void ns_journal_read(struct ns_journal_reader *reader, uint64_t first_row, const uint8_t *blob, size_t length)
{
	*reader = (struct ns_journal_reader){rd_init(blob, length), first_row};
}

bool ns_journal_entry(struct ns_journal_reader *reader, struct ns_journal_entry *entry)
{
	if (rd_left(&reader->rd) == 0)
		return false;
	uint8_t kind = rd_u8(&reader->rd);
	size_t length = rd_u16le(&reader->rd);
	const uint8_t *payload = rd_take(&reader->rd, length);
	if (!rd_ok(&reader->rd))
		return false;
	*entry = (struct ns_journal_entry){reader->row++, (enum ns_journal_kind)kind, payload, length};
	return true;
}

const uint8_t *ns_journal_event(const struct ns_journal_entry *entry, size_t *length)
{
	size_t head = entry->kind == NS_JOURNAL_UPLINK ? NS_UPLINK_HEAD : 0;
	if ((entry->kind != NS_JOURNAL_UPLINK && entry->kind != NS_JOURNAL_EVENT) || entry->length <= head)
		return NULL;
	*length = entry->length - head;
	return entry->payload + head;
}
