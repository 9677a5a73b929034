#include "tests/harness/harness.h"

#include "common/base/decision.h"
#include "common/base/rng.h"

#include <stdlib.h>
#include <string.h>

#define AT(n) ((struct wall){INT64_C(1795284000000000) + (n)*1000})

/* What each subject was told, beside the ring: `a` counts the records of the subject, `b` is the subject. */
struct model {
	uint32_t told[800];
	uint32_t base[800]; /* told when it was forgotten last */
};

static void add(struct decision_ring *ring, struct model *model, uint32_t subject, uint32_t nth)
{
	struct decision decision = {.a = model->told[subject]++,
				    .b = subject,
				    .ref = nth * 2654435761u,
				    .about = DECISION_ABOUT_FRAME,
				    .other = DECISION_NO_OTHER};
	decision_add(ring, AT(nth), subject, &decision);
}

/* Walks a chain: newest first, without a hole, all the subject's own. Returns how many. */
static uint32_t walk(const struct decision_ring *ring, const struct model *model, uint32_t subject)
{
	uint32_t count = 0, expected = model->told[subject];
	const struct decision *record = decision_newest(ring, subject);
	for (; record; record = decision_older(ring, record), count++) {
		if (record->b != subject || record->a != expected - 1)
			t_uint("the next older one", expected - 1,
			       record->b == subject ? record->a : UINT32_MAX);
		expected = record->a;
	}
	return count;
}

static const struct load {
	const char *name;
	uint32_t records, subjects;
	unsigned skew; /* each round of the draw goes on with one in `skew`: 0 is even */
	uint32_t steps;
	unsigned forget; /* one in so many steps forgets a subject; 0: none */
	uint64_t seed;
} loads[] = {
	{"an even load on few subjects", 4096, 20, 0, 60000, 0, 1},
	{"an even load on as many subjects as fit", 896, 784, 0, 60000, 0, 2},
	{"a few talk nearly all the time", 2048, 700, 3, 90000, 0, 3},
	{"one talks and all others said one thing", 1024, 700, 60, 90000, 0, 4},
	{"subjects come and go", 1024, 300, 2, 90000, 7, 5},
	{"a ring whose size is no power of two", 1000, 200, 2, 50000, 11, 6},
};

static uint32_t draw(struct rng *rng, const struct load *load)
{
	if (load->skew && rng_u32(rng) % (load->skew + 1) != 0)
		return rng_u32(rng) % (1 + load->subjects / 100);
	return rng_u32(rng) % load->subjects;
}

/* The quota was never lower than `quota`. */
static uint32_t promised(const struct model *model, uint32_t subject, uint32_t quota)
{
	uint32_t told = model->told[subject] - model->base[subject];
	return told < quota ? told : quota;
}

static void promises_hold_under_every_load(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		t_row(loads[i].name);
		struct rng rng = rng_seeded(loads[i].seed);
		struct model *model = calloc(1, sizeof *model);
		struct decision_ring ring;
		decision_ring_init(&ring, loads[i].records, loads[i].subjects);
		uint32_t quota = DECISION_KEPT;
		for (uint32_t step = 0; step < loads[i].steps; step++) {
			uint32_t subject = draw(&rng, &loads[i]);
			if (loads[i].forget && rng_u32(&rng) % loads[i].forget == 0) {
				decision_forget(&ring, subject);
				model->base[subject] = model->told[subject];
				t_true("forgotten", !decision_newest(&ring, subject));
			} else {
				add(&ring, model, subject, step);
			}
			quota = decision_quota(&ring) < quota ? decision_quota(&ring) : quota;
			if (step % 997 != 0 && step + 1 != loads[i].steps)
				continue;
			for (uint32_t s = 0; s < loads[i].subjects; s++) {
				uint32_t least = promised(model, s, quota), kept = walk(&ring, model, s);
				uint32_t most = model->told[s] - model->base[s];
				if (kept < least || kept > most)
					t_uint("records of a subject", least, kept);
			}
			t_true("not everything is kept", ring.kept_count < ring.record_count);
		}
		decision_ring_release(&ring);
		free(model);
	}
}

/* DESIGN 8: what the network server has, 42 MB, promises 50 to each of 20,000 devices. */
static void fifty_are_promised_to_a_city(void **state)
{
	(void)state;
	struct decision_ring ring;
	decision_ring_init(&ring, 5u << 18, 20100);
	struct decision decision = {0};
	for (uint32_t round = 0; round < 60; round++)
		for (uint32_t subject = 0; subject < 20000; subject++) {
			decision.a = round;
			decision_add(&ring, AT(round), subject, &decision);
		}
	t_uint("the quota", 50, decision_quota(&ring));
	for (uint32_t i = 0; i < 3000000; i++) /* one of them floods the ring more than once round */
		decision_add(&ring, AT(60), 77, &decision);
	uint32_t least = UINT32_MAX;
	for (uint32_t subject = 0; subject < 20000; subject++) {
		uint32_t count = 0;
		const struct decision *record = decision_newest(&ring, subject);
		for (; record && count < 100; record = decision_older(&ring, record))
			count++;
		least = count < least ? count : least;
	}
	t_true("each still has its fifty", least >= 50);
	t_uint("fifty", 50, least);
	decision_ring_release(&ring);
}

/* The first ones are promised fifty each, then say no more; what they hold has to be given back. */
static void those_who_come_later_find_room(void **state)
{
	(void)state;
	struct decision_ring ring;
	struct model *model = calloc(1, sizeof *model);
	decision_ring_init(&ring, 1024, 896);
	for (uint32_t i = 0; i < 500; i++)
		add(&ring, model, i % 10, i);
	for (uint32_t i = 10; i < 800; i++)
		add(&ring, model, i, i);
	for (uint32_t i = 0; i < 800; i++)
		if (walk(&ring, model, i) == 0)
			t_uint("the newest of a subject", 1, 0);
	t_uint("the quota", 1, decision_quota(&ring));
	for (uint32_t i = 20; i < 800; i++)
		decision_forget(&ring, i);
	t_uint("the quota, once they have gone", 40, decision_quota(&ring));
	decision_ring_release(&ring);
	free(model);
}

static void few_subjects_have_long_memories(void **state)
{
	(void)state;
	struct decision_ring ring;
	struct model *model = calloc(1, sizeof *model);
	decision_ring_init(&ring, 1024, 700);
	for (uint32_t i = 0; i < 3000; i++)
		add(&ring, model, i % 2, i);
	t_true("500 of each are there", walk(&ring, model, 0) >= 500 && walk(&ring, model, 1) >= 500);
	decision_ring_release(&ring);
	free(model);
}

static void a_frame_is_found_by_its_mic(void **state)
{
	(void)state;
	struct decision_ring ring;
	decision_ring_init(&ring, 1024, 10);
	struct decision decision = {.ref = 0xa1b2c3d4, .about = DECISION_ABOUT_FRAME, .a = 1};
	decision_add(&ring, AT(1), 3, &decision);
	decision.a = 2;
	decision_add(&ring, AT(2), 4, &decision);
	decision.ref = 0x11111111;
	decision_add(&ring, AT(3), 3, &decision);
	const struct decision *found = decision_find(&ring, DECISION_ABOUT_FRAME, 0xa1b2c3d4);
	assert_non_null(found);
	t_uint("the newest", 2, found->a);
	t_uint("its subject", 4, found->subject);
	t_true("no item has that name", !decision_find(&ring, DECISION_ABOUT_ITEM, 0xa1b2c3d4));
	t_true("nor another frame", !decision_find(&ring, DECISION_ABOUT_FRAME, 0xa1b2c3d5));
	decision_forget(&ring, 4);
	t_true("not when its subject is gone", !decision_find(&ring, DECISION_ABOUT_FRAME, 0xa1b2c3d4));
	for (uint32_t i = 0; i < 2000; i++) {
		decision.ref = 0x22222222 + i % 9;
		decision_add(&ring, AT(4), 5, &decision);
	}
	t_true("silent subjects' frames stay", decision_find(&ring, DECISION_ABOUT_FRAME, 0x11111111));
	decision_ring_release(&ring);
}

/* A subject's number is given anew so often that its generation comes round, while a record of the first stays in the ring. */
static void a_forgotten_frame_is_never_found(void **state)
{
	(void)state;
	struct decision_ring ring;
	decision_ring_init(&ring, 1024, 10);
	struct decision decision = {.ref = 0xa1b2c3d4, .about = DECISION_ABOUT_FRAME};
	decision_add(&ring, AT(1), 3, &decision);
	struct decision other = {.ref = 0x11111111, .about = DECISION_ABOUT_FRAME};
	decision_add(&ring, AT(2), 3, &other);
	const struct decision unnamed = {.about = DECISION_ABOUT_NOTHING};
	for (unsigned i = 0; i < 512; i++) {
		decision_forget(&ring, 3);
		if (i % 2)
			decision_add(&ring, AT(3), 3, &unnamed);
		if (decision_find(&ring, DECISION_ABOUT_FRAME, 0xa1b2c3d4) ||
		    decision_find(&ring, DECISION_ABOUT_FRAME, 0x11111111))
			t_uint("found after so many", 0, i + 1);
	}
	for (unsigned i = 0; i < 40; i++) {
		other.ref = 0x22222222 + i;
		decision_add(&ring, AT(4), 3, &other);
	}
	t_true("its own are", decision_find(&ring, DECISION_ABOUT_FRAME, 0x22222222));
	decision_ring_release(&ring);
}

static void the_last_of_its_kind_is_replaced(void **state)
{
	(void)state;
	struct decision_ring ring;
	decision_ring_init(&ring, 64, 4);
	struct decision decision = {.ref = 7, .about = DECISION_ABOUT_FRAME};
	for (uint32_t i = 0; i < 500; i++) {
		decision.a = i;
		decision.verdict = (uint8_t)(i % 9);
		decision_replace(&ring, AT(i), 2, &decision);
	}
	const struct decision *newest = decision_newest(&ring, 2);
	assert_non_null(newest);
	t_uint("the last", 499, newest->a);
	t_uint("its verdict", 499 % 9, newest->verdict);
	t_true("alone", !decision_older(&ring, newest));
	t_int("its time", AT(499).us, decision_time(newest).us);
	t_uint("one record", 1, ring.added);
	t_true("not found by its frame", !decision_find(&ring, DECISION_ABOUT_FRAME, 7));
	decision_ring_release(&ring);
}

static void times_are_milliseconds(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t us, expected;
	} rows[] = {
		{"an evening of 2026", 1795284000123456, 1795284000123000},
		{"2050", 2524608000999999, 2524608000999000},
		{"a clock that was never set", 5, 1577836800000000},
	};
	struct decision_ring ring;
	decision_ring_init(&ring, 64, 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		decision_add(&ring, (struct wall){rows[i].us}, 0, &(struct decision){0});
		t_int("read", rows[i].expected, decision_time(decision_newest(&ring, 0)).us);
	}
	decision_ring_release(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(promises_hold_under_every_load),   t_test(fifty_are_promised_to_a_city),
		t_test(those_who_come_later_find_room),   t_test(few_subjects_have_long_memories),
		t_test(a_frame_is_found_by_its_mic),      t_test(a_forgotten_frame_is_never_found),
		t_test(the_last_of_its_kind_is_replaced), t_test(times_are_milliseconds),
	};
	return t_run(tests);
}
