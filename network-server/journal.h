/* The journal of the network server (DESIGN 3, 11): what must last, one blob a loop turn, append-only. This is its pure
 * half: the turn's blob, row numbers, how much is stored, what may be deleted. store_journal.c writes it.
 *
 *	blob   entry*          entry   kind u8 | length u16 | payload
 *
 * Every entry has a row number, increasing for ever: that of the blob's first plus its place. An entry may go when its
 * row lies below `folded` (its state stands in the session rows, or was written again further on) and, if it is an
 * event, the application server has said that it is stored.
 *
 * The byte limit is admission control: at the limit new uplinks are not accepted (invariant 7). */
#ifndef LAMPPOST_NETWORK_SERVER_JOURNAL_H
#define LAMPPOST_NETWORK_SERVER_JOURNAL_H

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/proto/network_messages.h"

#define NS_JOURNAL_TURN (8u << 20) /* bytes of one turn */
#define NS_JOURNAL_RESERVE \
	(1u << 20) /* of it kept for one more step and what a sweep writes again (network.h) */
#define NS_JOURNAL_ENTRY_MAX 8192

enum ns_journal_kind {
	NS_JOURNAL_UPLINK = 1,      /* counter, MIC, and the event */
	NS_JOURNAL_FCNT_DOWN = 2,   /* a downlink counter that is spent */
	NS_JOURNAL_MAC_REQUEST = 3, /* MAC state of a session, requests in flight included */
	NS_JOURNAL_SESSION = 4,     /* a whole session, keys sealed; or its removal */
	NS_JOURNAL_QUEUE = 5,       /* an item came, or went */
	NS_JOURNAL_AIRTIME = 6,     /* of a gateway */
	NS_JOURNAL_EVENT = 7        /* a join or downlink event */
};

struct ns_journal {
	uint8_t *turn; /* owned */
	struct wr wr;
	uint64_t first_row; /* of the turn */
	uint64_t next_row;
	uint64_t turn_event_row; /* the turn's last event, 0: none */
	uint64_t event_row;      /* the last event ever */
	uint64_t stored_row;     /* the application server has all events up to here */
	uint64_t folded_row;     /* rows below are folded */
	uint64_t bytes;          /* on disk, about */
	uint64_t limit;
	bool disk_low; /* free space under the floor */
	uint16_t partition;
	uint32_t epoch;
};

void ns_journal_init(struct ns_journal *journal, uint64_t limit, uint16_t partition, uint32_t epoch);
void ns_journal_release(struct ns_journal *journal);
/* Whether new uplinks may be accepted: under the limit, and with room in this turn. */
bool ns_journal_open(const struct ns_journal *journal);
/* Whether the turn has no room left but the reserve. */
bool ns_journal_turn_is_full(const struct ns_journal *journal);
bool ns_journal_alarm(const struct ns_journal *journal); /* at 80 % */
/* The row that the next entry will get, and the event id made of it. */
uint64_t ns_journal_next(const struct ns_journal *journal);
struct net_uuid ns_journal_event_id(const struct ns_journal *journal, uint64_t row);
/* Appends an entry of two parts (either may be empty). ST_FULL: no room in this turn. Fills `offset` of the second part
 * in the turn's blob (may be NULL). */
enum status ns_journal_add(struct ns_journal *journal, enum ns_journal_kind kind, const uint8_t *head,
			   size_t head_length, const uint8_t *body, size_t body_length,
			   size_t *offset) MUST_USE;
/* Says that the entry added last is an event. */
void ns_journal_is_event(struct ns_journal *journal);
/* The turn's blob; length 0: nothing to commit. */
const uint8_t *ns_journal_turn(const struct ns_journal *journal, size_t *length);
/* The turn is durable: the next one begins. */
void ns_journal_turn_done(struct ns_journal *journal);
/* Rows up to and with this one may be deleted. */
uint64_t ns_journal_deletable(const struct ns_journal *journal);

/* Walks a blob. */
struct ns_journal_entry {
	uint64_t row;
	enum ns_journal_kind kind;
	const uint8_t *payload; /* borrowed from the blob */
	size_t length;
};
struct ns_journal_reader {
	struct rd rd;
	uint64_t row;
};
void ns_journal_read(struct ns_journal_reader *reader, uint64_t first_row, const uint8_t *blob,
		     size_t length);
/* False at the end, or where the blob is malformed: then rd_ok() is false. */
bool ns_journal_entry(struct ns_journal_reader *reader, struct ns_journal_entry *entry);
/* The packed event of an entry, or NULL when it has none. */
const uint8_t *ns_journal_event(const struct ns_journal_entry *entry, size_t *length);

#define NS_UPLINK_HEAD 32 /* bytes before the event in NS_JOURNAL_UPLINK */

#endif
