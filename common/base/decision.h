/* Decision records: why a frame was dropped, a downlink planned so, a data rate kept (invariant 10). One is 32 bytes: a
 * verdict, whom it is about, and up to ten bytes of numbers. The sentence is made when somebody asks (decision_text.h).
 *
 *	struct decision_ring     the records of a process, in one mapping that the kernel fills as it is used
 *	  subject                whom a record is about: a dense number that the owner chooses (a device's slot, ...)
 *	  chain                  the records of one subject, newest first
 *
 * Promises, whatever else is recorded: the newest record of each subject stays until the subject is forgotten, and so do
 * its newest K, K = four fifths of the ring / subjects that have any, at most DECISION_KEPT (50: a ring of 42 MB promises that to
 * 20,000 subjects; it sinks when more come). What is older stays until the ring comes round, so that few subjects have long memories. A record
 * costs the same however many there are: no scan, no allocation (invariants 7 and 8). */
#ifndef LAMPPOST_BASE_DECISION_H
#define LAMPPOST_BASE_DECISION_H

#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECISION_RECORDS_MAX  ((UINT32_C(1) << 21) - 1) /* 64 MB */
#define DECISION_SUBJECTS_MAX (UINT32_C(1) << 22)
#define DECISION_KEPT         50
#define DECISION_NO_OTHER     UINT16_MAX

/* What `ref` of a record names. */
enum decision_about {
	DECISION_ABOUT_NOTHING,
	DECISION_ABOUT_FRAME, /* by its MIC, as decision_ref() reads the four bytes in the order on air */
	DECISION_ABOUT_ITEM   /* of a downlink queue, by the first four bytes of its UUID */
};

/* Whoever records fills what stands above the line; the ring fills the rest. Numbers are unsigned here; the rule's
 * sentence says how each is read (decision_text.h). */
struct decision {
	uint32_t ref;
	uint32_t a, b;
	uint16_t c;
	uint16_t other;  /* a gateway's number, as the owner numbers them; DECISION_NO_OTHER */
	uint8_t verdict; /* row of the table */
	uint8_t table : 4;
	uint8_t about : 4; /* enum decision_about */
	/* ---- */
	uint8_t generation; /* of the subject: raised when it is forgotten */
	uint8_t time_high;  /* 40 bits of milliseconds since 2020-01-01 */
	uint32_t time_low;
	uint64_t
		older : 21; /* number of a record; 0: none. True only while that one's `newer` names this one */
	uint64_t newer : 21;
	uint64_t subject : 22;
};
_Static_assert(sizeof(struct decision) == 32, "two to a cache line");

struct decision_ring {
	struct decision *records; /* owned mapping; number 0 is never used */
	uint64_t *subjects;       /* owned mapping */
	uint64_t *kept;           /* owned mapping: one bit a record that may not be overwritten */
	uint32_t *by_ref;         /* owned mapping: the newest record of a frame or item, by hash */
	size_t mapped[4];
	uint32_t record_count, subject_count;
	uint32_t ref_mask;
	uint32_t cursor;     /* the record to be written next, if it may be */
	uint32_t active;     /* subjects that have a record */
	uint32_t kept_count; /* bits set for records */
	uint32_t hand;       /* next subject to be trimmed while too many are kept */
	uint64_t added;      /* since the start: a metric */
};

/* Maps a ring of `records` (64 to DECISION_RECORDS_MAX) for subjects 0 to `subjects` − 1 (at most 7/8 of the records);
 * aborts if it cannot be had (start-up only). No page is touched before it is used. */
void decision_ring_init(struct decision_ring *ring, uint32_t records, uint32_t subjects);
void decision_ring_release(struct decision_ring *ring); /* harmless twice, and on a zeroed ring */

/* Appends to the chain of a subject; the record may be found by its `ref` from now on. */
void decision_add(struct decision_ring *ring, struct wall now, uint32_t whom,
		  const struct decision *decision);
/* What a record will touch lies anywhere in memory. Whoever knows early what it will be about says so, some hundred
 * nanoseconds before (a cipher's work), in two steps: then the record costs a fifth. Both are hints. */
static inline void decision_prefetch(const struct decision_ring *ring, uint32_t subject,
				     enum decision_about about, uint32_t ref);
static inline void decision_prefetch_chain(const struct decision_ring *ring, uint32_t subject);

/* For what is worth knowing of the last time only (a gateway's last reception): overwrites the subject's newest record in
 * its place. Such a record is not found by its `ref`. */
void decision_replace(struct decision_ring *ring, struct wall now, uint32_t whom,
		      const struct decision *decision);
/* Drops a subject's chain, so that whoever gets its number next does not inherit it. */
void decision_forget(struct decision_ring *ring, uint32_t whom);

/* Lends the newest record of a subject, or NULL; and the one before a record of a chain. Valid until the next change. */
const struct decision *decision_newest(const struct decision_ring *ring, uint32_t subject);
const struct decision *decision_older(const struct decision_ring *ring, const struct decision *decision);
/* Lends the newest record with this `ref`, or NULL: a table of the newest, a bucket each, so an older one may be missed. A record
 * of a chain that was forgotten is never lent; once a subject was forgotten 256 times, nor one that has 4,096 newer ones. */
const struct decision *decision_find(const struct decision_ring *ring, enum decision_about about,
				     uint32_t ref);
/* Returns how many of its newest records a subject is promised now. */
uint32_t decision_quota(const struct decision_ring *ring);

/* Says when, for a decision that is made at the moment of asking and stands in no ring. */
void decision_stamp(struct decision *record, struct wall now);
/* The place of the newest record with a `ref`; for this module alone. */
static inline uint32_t *decision_bucket(const struct decision_ring *ring, unsigned about, uint32_t ref)
{
	uint32_t hash = (ref ^ about << 28) * UINT32_C(0x9e3779b1);
	return &ring->by_ref[(hash ^ hash >> 15) & ring->ref_mask];
}

static inline void decision_prefetch(const struct decision_ring *ring, uint32_t subject,
				     enum decision_about about, uint32_t ref)
{
	__builtin_prefetch(&ring->subjects[subject], 1);
	__builtin_prefetch(decision_bucket(ring, about, ref), 1);
}

static inline void decision_prefetch_chain(const struct decision_ring *ring, uint32_t subject)
{
	__builtin_prefetch(&ring->records[ring->subjects[subject] & DECISION_RECORDS_MAX], 1);
}

/* When a record was made; whole milliseconds. */
struct wall decision_time(const struct decision *decision);

/* Four bytes in the order on air, as a `ref`: its eight digits are those of the bytes. */
static inline uint32_t decision_ref(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Two halves, or four bytes, in one number; the sentence names them `al` and `ah`, `a0` to `a3`, lowest first. Signed
 * values are passed as they are: they are cut to their width. */
static inline uint32_t decision_halves(int64_t low, int64_t high)
{
	return (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16;
}

static inline uint32_t decision_bytes(int64_t b0, int64_t b1, int64_t b2, int64_t b3)
{
	return (uint32_t)(uint8_t)b0 | (uint32_t)(uint8_t)b1 << 8 | (uint32_t)(uint8_t)b2 << 16 |
	       (uint32_t)(uint8_t)b3 << 24;
}

/* A number that may be too large for its field says the largest that fits, rather than something else. */
static inline uint32_t decision_u32(int64_t value)
{
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static inline uint16_t decision_u16(int64_t value)
{
	return value < 0 ? 0 : value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

#endif
