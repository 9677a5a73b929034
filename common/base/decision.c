/* A ring whose writer steps over the records that are promised to somebody, by a bit each.
 *
 *	subjects   newest, oldest kept, how many are kept, generation: 8 bytes each
 *	records    ... | x3 | y9 | x4 | z1 | ...     each names the older and the newer one of its subject
 *
 * A new record is kept; the subject's oldest kept ones give their bit back while there are more than the quota, so that
 * this is paid by whoever records. The quota sinks when more subjects come; those that are silent are trimmed by a hand
 * that goes round some of them with each record while more than four fifths of the ring are kept. So kept records never
 * pass the greater of four fifths and one for each subject by more than a sixteenth of the subjects, and there is always a
 * free one not far away: words of bits are skipped.
 *
 * Nothing is unlinked when a record is overwritten. A link to an older record is true as long as that one's link points
 * back: whatever took its place was written later than the record that asks, and its newer one later still, in another
 * place. */
#include "common/base/decision.h"

#include "common/base/check.h"

#include <string.h>
#include <sys/mman.h>

#define EPOCH_US (INT64_C(1577836800) * US_PER_S) /* 2020-01-01 */
#define LINKS    4096                             /* that decision_find() follows, where it has to */
#define HAND     32                               /* subjects that the hand passes with each record */

/* One word for each subject. */
struct subject {
	uint64_t newest : 21;    /* the lowest bits: decision_prefetch_chain(). 0: none */
	uint64_t oldest : 21;    /* of the kept ones */
	uint64_t kept : 7;       /* at most DECISION_KEPT + 1 */
	uint64_t came_round : 1; /* the generation has: an old record may have the same one */
	uint64_t generation : 8;
};
_Static_assert(sizeof(struct subject) == sizeof(uint64_t), "one word a subject");

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    /* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
			    -1, 0);
	ASSERT(memory != MAP_FAILED);
	(void)madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

static void keep(struct decision_ring *ring, uint32_t number)
{
	ring->kept[number >> 6] |= UINT64_C(1) << (number & 63);
}

/* The words of the bits: number 0 and what lies behind the last record are never free. */
static uint32_t words_of(uint32_t records)
{
	return records / 64 + 1;
}

void decision_ring_init(struct decision_ring *ring, uint32_t records, uint32_t subjects)
{
	ASSERT(records >= 64 && records <= DECISION_RECORDS_MAX);
	ASSERT(subjects > 0 && subjects <= DECISION_SUBJECTS_MAX && subjects <= records / 8 * 7);
	uint32_t buckets = 64;
	while (buckets < records / 4)
		buckets *= 2;
	*ring = (struct decision_ring){
		.record_count = records,
		.subject_count = subjects,
		.ref_mask = buckets - 1,
		.cursor = 1,
		.mapped = {((size_t)records + 1) * sizeof(struct decision),
			   (size_t)subjects * sizeof(struct subject),
			   (size_t)words_of(records) * sizeof(uint64_t), (size_t)buckets * sizeof(uint32_t)},
	};
	ring->records = map(ring->mapped[0]);
	ring->subjects = map(ring->mapped[1]);
	ring->kept = map(ring->mapped[2]);
	ring->by_ref = map(ring->mapped[3]);
	keep(ring, 0);
	for (uint32_t number = records + 1; number < words_of(records) * 64; number++)
		keep(ring, number);
}

void decision_ring_release(struct decision_ring *ring)
{
	if (!ring->records)
		return;
	munmap(ring->records, ring->mapped[0]);
	munmap(ring->subjects, ring->mapped[1]);
	munmap(ring->kept, ring->mapped[2]);
	munmap(ring->by_ref, ring->mapped[3]);
	*ring = (struct decision_ring){0};
}

static struct subject *subject_at(const struct decision_ring *ring, uint32_t subject)
{
	ASSERT_CMP(subject, <, ring->subject_count);
	return (struct subject *)(void *)&ring->subjects[subject];
}

static uint32_t number_of(const struct decision_ring *ring, const struct decision *decision)
{
	return (uint32_t)(decision - ring->records);
}

/* How many records may be kept before silent subjects are trimmed. */
static uint32_t keeps(const struct decision_ring *ring)
{
	return ring->record_count / 5 * 4;
}

uint32_t decision_quota(const struct decision_ring *ring)
{
	uint32_t quota = ring->active == 0 ? DECISION_KEPT : keeps(ring) / ring->active;
	return quota > DECISION_KEPT ? DECISION_KEPT : quota == 0 ? 1 : quota;
}

/* Gives the bits of the oldest kept records back until `quota` are left. Kept ones are never overwritten, so their links
 * to newer ones are true. */
static void trim(struct decision_ring *ring, struct subject *subject, uint32_t quota)
{
	while (subject->kept > quota) {
		uint32_t oldest = subject->oldest;
		ring->kept[oldest >> 6] &= ~(UINT64_C(1) << (oldest & 63));
		subject->oldest = ring->records[oldest].newer;
		subject->kept--;
		ring->kept_count--;
	}
}

static void turn_hand(struct decision_ring *ring)
{
	uint32_t quota = decision_quota(ring);
	for (unsigned i = 0; i < HAND; i++) {
		trim(ring, subject_at(ring, ring->hand), quota);
		ring->hand = ring->hand + 1 < ring->subject_count ? ring->hand + 1 : 0;
	}
}

/* Returns the next record that may be overwritten. */
static uint32_t next_free(struct decision_ring *ring)
{
	uint32_t words = words_of(ring->record_count), word = ring->cursor >> 6;
	uint64_t free = ~ring->kept[word] & ~UINT64_C(0) << (ring->cursor & 63);
	for (uint32_t steps = 0; free == 0; steps++) {
		ASSERT_CMP(steps, <=, words);
		word = word + 1 < words ? word + 1 : 0;
		free = ~ring->kept[word];
	}
	uint32_t number = word * 64 + (uint32_t)__builtin_ctzll(free);
	ring->cursor = number < ring->record_count ? number + 1 : 1;
	__builtin_prefetch(&ring->records[ring->cursor], 1);
	return number;
}

void decision_stamp(struct decision *record, struct wall now)
{
	int64_t ms = (now.us - EPOCH_US) / 1000;
	uint64_t time = ms < 0 ? 0 : (uint64_t)ms;
	record->time_low = (uint32_t)time;
	record->time_high = (uint8_t)(time >> 32);
}

void decision_add(struct decision_ring *ring, struct wall now, uint32_t whom, const struct decision *decision)
{
	struct subject *subject = subject_at(ring, whom);
	uint32_t number = next_free(ring);
	struct decision *record = &ring->records[number];
	*record = *decision;
	decision_stamp(record, now);
	record->subject = whom & (DECISION_SUBJECTS_MAX - 1);
	record->generation = (uint8_t)subject->generation;
	record->older = subject->newest;
	record->newer = 0;
	if (subject->newest != 0)
		ring->records[subject->newest].newer = number & DECISION_RECORDS_MAX;
	else
		ring->active++;
	subject->newest = number & DECISION_RECORDS_MAX;
	if (subject->kept == 0)
		subject->oldest = subject->newest;
	subject->kept++;
	keep(ring, number);
	ring->kept_count++;
	ring->added++;
	if (record->about != DECISION_ABOUT_NOTHING)
		*decision_bucket(ring, record->about, record->ref) = number;
	trim(ring, subject, decision_quota(ring));
	if (ring->kept_count > keeps(ring))
		turn_hand(ring);
}

void decision_replace(struct decision_ring *ring, struct wall now, uint32_t whom,
		      const struct decision *decision)
{
	uint32_t newest = subject_at(ring, whom)->newest;
	if (newest == 0) {
		struct decision first = *decision;
		first.about = DECISION_ABOUT_NOTHING; /* so that no bucket points to it */
		decision_add(ring, now, whom, &first);
		newest = subject_at(ring, whom)->newest;
	}
	struct decision *record = &ring->records[newest];
	record->ref = decision->ref;
	record->a = decision->a;
	record->b = decision->b;
	record->c = decision->c;
	record->other = decision->other;
	record->verdict = decision->verdict;
	record->table = decision->table;
	record->about = decision->about;
	decision_stamp(record, now);
}

void decision_forget(struct decision_ring *ring, uint32_t whom)
{
	struct subject *subject = subject_at(ring, whom);
	if (subject->newest != 0)
		ring->active--;
	trim(ring, subject, 0);
	subject->newest = subject->oldest = 0;
	subject->generation = (subject->generation + 1u) & UINT8_MAX;
	if (subject->generation == 0)
		subject->came_round = 1;
}

const struct decision *decision_newest(const struct decision_ring *ring, uint32_t subject)
{
	uint32_t newest = subject_at(ring, subject)->newest;
	return newest == 0 ? NULL : &ring->records[newest];
}

const struct decision *decision_older(const struct decision_ring *ring, const struct decision *decision)
{
	const struct decision *older = &ring->records[decision->older];
	return decision->older != 0 && older->newer == number_of(ring, decision) ? older : NULL;
}

/* Whether its newer ones lead to the subject's newest record: the last of a chain that was forgotten has no newer one and is not
 * the newest. Exact for those that it says yes to. */
static bool is_in_chain(const struct decision_ring *ring, const struct subject *subject,
			const struct decision *record)
{
	for (unsigned steps = 0; steps < LINKS; steps++) {
		uint32_t number = number_of(ring, record);
		if (number == subject->newest)
			return true;
		if (record->newer == 0 || ring->records[record->newer].older != number)
			return false;
		record = &ring->records[record->newer];
	}
	return false;
}

const struct decision *decision_find(const struct decision_ring *ring, enum decision_about about,
				     uint32_t ref)
{
	uint32_t number = *decision_bucket(ring, about, ref);
	const struct decision *record = &ring->records[number];
	if (number == 0 || record->about != about || record->ref != ref)
		return NULL;
	const struct subject *subject = subject_at(ring, record->subject);
	if (record->generation != subject->generation)
		return NULL;
	return !subject->came_round || is_in_chain(ring, subject, record) ? record : NULL;
}

struct wall decision_time(const struct decision *decision)
{
	int64_t ms = (int64_t)decision->time_high << 32 | decision->time_low;
	return (struct wall){EPOCH_US + ms * 1000};
}
