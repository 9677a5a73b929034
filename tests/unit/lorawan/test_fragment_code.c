/* The code of fragmented data blocks. The property: whatever is lost and in whatever order the rest comes, the block is
 * had exactly when the fragments received have full rank, which a plain elimination over their rows says independently. */
#include "tests/harness/harness.h"

#include "common/base/rng.h"
#include "common/lorawan/packages/fragment_code.h"

#include <stdlib.h>
#include <string.h>

#define M_MAX         70
#define FRAG_SIZE_MAX 12
#define SENT_MAX      (3 * M_MAX)
#define WORK_MAX      16384

/* Rank over GF(2) of rows of at most 128 bits, kept here in two words. */
struct rank {
	uint64_t basis[M_MAX][2]; /* by highest bit */
	unsigned rank;
};

static int highest_bit(const uint64_t row[2])
{
	for (int i = 127; i >= 0; i--) {
		if (row[i / 64] >> i % 64 & 1)
			return i;
	}
	return -1;
}

static bool rank_add(struct rank *rank, uint64_t low, uint64_t high)
{
	uint64_t row[2] = {low, high};
	for (int bit = highest_bit(row); bit >= 0; bit = highest_bit(row)) {
		if (!rank->basis[bit][0] && !rank->basis[bit][1]) {
			memcpy(rank->basis[bit], row, sizeof row);
			rank->rank++;
			return true;
		}
		row[0] ^= rank->basis[bit][0];
		row[1] ^= rank->basis[bit][1];
	}
	return false;
}

static bool rank_add_fragment(struct rank *rank, const struct lw_fragment_shape *shape, uint16_t n)
{
	uint64_t words[2] = {0, 0};
	struct lw_parity_row row;
	if (n <= shape->nb_frag) {
		words[(n - 1) / 64] |= UINT64_C(1) << (n - 1) % 64;
	} else {
		lw_parity_row(shape->version, (uint16_t)(n - shape->nb_frag), shape->nb_frag, &row);
		for (uint16_t i = 0; i < shape->nb_frag; i++) {
			if (lw_parity_row_has(&row, i))
				words[i / 64] |= UINT64_C(1) << i % 64;
		}
	}
	return rank_add(rank, words[0], words[1]);
}

static struct lw_fragment_shape any_shape(struct rng *rng)
{
	return (struct lw_fragment_shape){.version = (uint8_t)(1 + rng_below(rng, 2)),
					  .nb_frag = (uint16_t)(1 + rng_below(rng, M_MAX)),
					  .frag_size = (uint8_t)(1 + rng_below(rng, FRAG_SIZE_MAX))};
}

static void shuffle(struct rng *rng, uint16_t *numbers, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = rng_below(rng, (uint32_t)i);
		uint16_t swap = numbers[i - 1];
		numbers[i - 1] = numbers[j];
		numbers[j] = swap;
	}
}

static void add_encoded(struct lw_fragment_decoder *decoder, const uint8_t *block, uint16_t n,
			enum lw_fragment_verdict expected)
{
	uint8_t fragment[UINT8_MAX];
	assert_int_equal(lw_fragment_encode(&decoder->shape, block, n, fragment), LW_FRAGMENT_NEW);
	t_str("verdict", lw_fragment_verdict_name(expected),
	      lw_fragment_verdict_name(lw_fragment_add(decoder, n, fragment, decoder->shape.frag_size)));
}

static void full_rank_is_all_it_takes(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(42);
	unsigned decoded = 0, not_decoded = 0;
	for (int round = 0; round < 2000; round++) {
		struct lw_fragment_shape shape = any_shape(&rng);
		uint8_t block[M_MAX * FRAG_SIZE_MAX], got[M_MAX * FRAG_SIZE_MAX], work[WORK_MAX];
		uint16_t numbers[SENT_MAX];
		uint32_t loss_percent = rng_below(&rng, 70);
		size_t length = (size_t)shape.nb_frag * shape.frag_size, count = 0;
		struct lw_fragment_decoder decoder;
		struct rank rank = {.rank = 0};
		rng_fill(&rng, block, length);
		for (int n = 1; n <= 2 * shape.nb_frag + 5; n++) {
			if (rng_below(&rng, 100) >= loss_percent)
				numbers[count++] = (uint16_t)n;
		}
		if (round % 2)
			shuffle(&rng, numbers, count); /* else in the order of sending */
		assert_int_equal(
			lw_fragment_decoder_init(&decoder, &shape, shape.nb_frag, got, work, sizeof work),
			LW_FRAGMENT_NEW);
		for (size_t i = 0; i < count; i++) {
			bool brings = rank_add_fragment(&rank, &shape, numbers[i]);
			/* An uncoded fragment may take an equation's place: then it is new or not as the rank says. */
			add_encoded(&decoder, block, numbers[i],
				    brings ? LW_FRAGMENT_NEW : LW_FRAGMENT_REDUNDANT);
			t_uint("missing", shape.nb_frag - rank.rank, lw_fragment_missing(&decoder));
		}
		bool finished = lw_fragment_finish(&decoder);
		t_int("finished", rank.rank == shape.nb_frag, finished);
		if (finished) {
			decoded++;
			t_bytes("block", block, length, got, length);
			t_int("more is redundant", LW_FRAGMENT_REDUNDANT,
			      lw_fragment_add(&decoder, 1, got, shape.frag_size));
			t_true("again", lw_fragment_finish(&decoder));
		} else {
			not_decoded++;
		}
	}
	t_true("both happened", decoded > 200 && not_decoded > 200);
}

/* With room for k equations every k losses can be made good; what does not fit is said, and costs nothing else. */
static void bounded_memory_bounds_the_losses(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(7);
	struct lw_fragment_shape shape = {.version = 2, .nb_frag = 60, .frag_size = 4};
	for (uint16_t room = 0; room < 20; room++) {
		uint8_t block[240], got[240], work[WORK_MAX];
		struct lw_fragment_decoder decoder;
		size_t size = lw_fragment_work_size(&shape, room);
		rng_fill(&rng, block, sizeof block);
		t_int("too small", LW_FRAGMENT_NO_MEMORY,
		      lw_fragment_decoder_init(&decoder, &shape, room, got, work, size - 1));
		memset(work + size, 0xa5, sizeof work - size);
		t_int("room", LW_FRAGMENT_NEW,
		      lw_fragment_decoder_init(&decoder, &shape, room, got, work, size));
		for (uint16_t n = (uint16_t)(room + 1); n <= shape.nb_frag; n++)
			add_encoded(&decoder, block, n, LW_FRAGMENT_NEW);
		for (uint16_t n = (uint16_t)(shape.nb_frag + 1); lw_fragment_missing(&decoder) > 0; n++) {
			uint8_t fragment[4];
			assert_true(n < 200);
			assert_int_equal(lw_fragment_encode(&shape, block, n, fragment), LW_FRAGMENT_NEW);
			lw_fragment_add(&decoder, n, fragment, sizeof fragment);
		}
		t_false("never full", decoder.memory_was_full);
		t_true("finished", lw_fragment_finish(&decoder));
		t_bytes("block", block, sizeof block, got, sizeof got);
		for (size_t i = size; i < sizeof work; i++)
			t_true("nothing written past the work area", work[i] == 0xa5);
	}
	uint8_t block[240], got[240], work[WORK_MAX];
	struct lw_fragment_decoder decoder;
	t_row("three losses, room for two");
	rng_fill(&rng, block, sizeof block);
	t_int("room", LW_FRAGMENT_NEW, lw_fragment_decoder_init(&decoder, &shape, 2, got, work, sizeof work));
	for (uint16_t n = 4; n <= shape.nb_frag; n++)
		add_encoded(&decoder, block, n, LW_FRAGMENT_NEW);
	unsigned full = 0;
	for (uint16_t n = 61; n < 80; n++) {
		uint8_t fragment[4];
		assert_int_equal(lw_fragment_encode(&shape, block, n, fragment), LW_FRAGMENT_NEW);
		full += lw_fragment_add(&decoder, n, fragment, sizeof fragment) == LW_FRAGMENT_NO_MEMORY;
	}
	t_true("said so", full > 0 && decoder.memory_was_full);
	t_uint("missing", 1, lw_fragment_missing(&decoder));
	t_false("not finished", lw_fragment_finish(&decoder));
	for (uint16_t n = 1; n <= 3; n++) { /* one of them may follow from the equations */
		uint8_t fragment[4];
		assert_int_equal(lw_fragment_encode(&shape, block, n, fragment), LW_FRAGMENT_NEW);
		lw_fragment_add(&decoder, n, fragment, sizeof fragment);
	}
	t_true("uncoded ones help", lw_fragment_finish(&decoder));
	t_bytes("block", block, sizeof block, got, sizeof got);
}

static void damage_is_noticed_where_it_contradicts(void **state)
{
	(void)state;
	struct lw_fragment_shape shape = {.version = 1, .nb_frag = 10, .frag_size = 3};
	uint8_t block[30] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, got[30], work[WORK_MAX], fragment[3];
	struct lw_fragment_decoder decoder;
	t_int("room", LW_FRAGMENT_NEW,
	      lw_fragment_decoder_init(&decoder, &shape, 10, got, work, sizeof work));
	for (uint16_t n = 1; n <= 10; n++)
		add_encoded(&decoder, block, n, LW_FRAGMENT_NEW);
	add_encoded(&decoder, block, 3, LW_FRAGMENT_REDUNDANT);
	add_encoded(&decoder, block, 15, LW_FRAGMENT_REDUNDANT);
	for (uint16_t n = 1; n <= 20; n++) {
		assert_int_equal(lw_fragment_encode(&shape, block, n, fragment), LW_FRAGMENT_NEW);
		fragment[1] ^= 0x40;
		t_int("changed", LW_FRAGMENT_CONTRADICTS,
		      lw_fragment_add(&decoder, n, fragment, sizeof fragment));
	}
	t_true("what was good stays", lw_fragment_finish(&decoder));
	t_bytes("block", block, sizeof block, got, sizeof got);
}

static void shapes_and_numbers_have_limits(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t version;
		size_t length;
		uint8_t frag_size;
		enum lw_fragment_verdict verdict;
	} rows[] = {
		{"one fragment", 1, 10, 10, LW_FRAGMENT_NEW},
		{"as many as there are numbers", 2, 16383, 1, LW_FRAGMENT_NEW},
		{"one more", 2, 16384, 1, LW_FRAGMENT_BAD_SHAPE},
		{"the largest fragments", 2, 16383 * 255, 255, LW_FRAGMENT_NEW},
		{"no byte", 1, 0, 10, LW_FRAGMENT_BAD_SHAPE},
		{"fragments of nothing", 1, 10, 0, LW_FRAGMENT_BAD_SHAPE},
		{"a part of a fragment", 1, 15, 10, LW_FRAGMENT_LENGTH_NOT_MULTIPLE},
		{"version 0", 0, 10, 10, LW_FRAGMENT_BAD_SHAPE},
		{"version 3", 3, 10, 10, LW_FRAGMENT_BAD_SHAPE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_fragment_shape shape = {.nb_frag = 99};
		t_row(rows[i].name);
		t_str("verdict", lw_fragment_verdict_name(rows[i].verdict),
		      lw_fragment_verdict_name(lw_fragment_shape_of(rows[i].version, rows[i].length,
								    rows[i].frag_size, &shape)));
		if (rows[i].verdict != LW_FRAGMENT_NEW)
			t_uint("untouched", 99, shape.nb_frag);
	}
	struct lw_fragment_shape shape = {.version = 1, .nb_frag = 2, .frag_size = 3}, none = {0};
	uint8_t block[6] = {0}, got[6], work[WORK_MAX];
	struct lw_fragment_decoder decoder;
	t_row("numbers");
	t_uint("no work for no shape", 0, lw_fragment_work_size(&none, 5));
	t_int("no shape", LW_FRAGMENT_BAD_SHAPE,
	      lw_fragment_decoder_init(&decoder, &none, 1, got, work, sizeof work));
	t_int("no fragment of none", LW_FRAGMENT_BAD_SHAPE, lw_fragment_encode(&none, block, 1, got));
	t_int("N 0", LW_FRAGMENT_BAD_NUMBER, lw_fragment_encode(&shape, block, 0, got));
	t_int("N 16384", LW_FRAGMENT_BAD_NUMBER, lw_fragment_encode(&shape, block, 16384, got));
	t_int("N 16383", LW_FRAGMENT_NEW, lw_fragment_encode(&shape, block, 16383, got));
	t_int("room", LW_FRAGMENT_NEW, lw_fragment_decoder_init(&decoder, &shape, 2, got, work, sizeof work));
	t_int("N 0", LW_FRAGMENT_BAD_NUMBER, lw_fragment_add(&decoder, 0, block, 3));
	t_int("N 16384", LW_FRAGMENT_BAD_NUMBER, lw_fragment_add(&decoder, 16384, block, 3));
	t_int("a longer fragment", LW_FRAGMENT_BAD_LENGTH, lw_fragment_add(&decoder, 1, block, 4));
	t_int("a shorter one", LW_FRAGMENT_BAD_LENGTH, lw_fragment_add(&decoder, 1, block, 2));
	t_uint("none of them counts", 0, decoder.received);
}

/* The largest session there is, a tenth of it lost: the bounds of every index are reached, and it ends. */
static void the_largest_block_is_decoded(void **state)
{
	(void)state;
	struct lw_fragment_shape shape = {.version = 2, .nb_frag = 12000, .frag_size = 2};
	uint16_t losses = 30;
	size_t length = 24000, size = lw_fragment_work_size(&shape, losses);
	uint8_t *block = malloc(length), *got = malloc(length), *work = malloc(size);
	struct rng rng = rng_seeded(99);
	struct lw_fragment_decoder decoder;
	assert_true(block && got && work);
	rng_fill(&rng, block, length);
	t_int("room", LW_FRAGMENT_NEW, lw_fragment_decoder_init(&decoder, &shape, losses, got, work, size));
	for (uint16_t n = 1; n <= shape.nb_frag; n++) {
		if (n % 400 != 0)
			add_encoded(&decoder, block, n, LW_FRAGMENT_NEW);
	}
	t_uint("missing", losses, lw_fragment_missing(&decoder));
	for (uint16_t n = LW_FRAGMENTS_MAX; lw_fragment_missing(&decoder) > 0 && n > shape.nb_frag; n--) {
		uint8_t fragment[2];
		assert_int_equal(lw_fragment_encode(&shape, block, n, fragment), LW_FRAGMENT_NEW);
		lw_fragment_add(&decoder, n, fragment, sizeof fragment);
	}
	t_true("finished", lw_fragment_finish(&decoder));
	t_bytes("block", block, length, got, length);
	free(block);
	free(got);
	free(work);
}

static void version_2_draws_half_the_fragments(void **state)
{
	(void)state;
	for (uint16_t m = 1; m <= 200; m++) {
		for (uint16_t n = 1; n <= 20; n++) {
			struct lw_parity_row one, two;
			unsigned ones = 0, twos = 0;
			lw_parity_row(1, n, m, &one);
			lw_parity_row(2, n, m, &two);
			for (uint16_t i = 0; i < m + 16; i++) {
				ones += lw_parity_row_has(&one, i);
				twos += lw_parity_row_has(&two, i);
				t_false("past the end", i >= m && lw_parity_row_has(&two, i));
			}
			t_uint("version 2", m / 2u, twos);
			t_true("version 1", ones <= m / 2u && (ones > 0 || m == 1));
		}
	}
	struct lw_parity_row row;
	lw_parity_row(1, 1, 8, &row);
	t_false("an index that no row has", lw_parity_row_has(&row, LW_FRAGMENTS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(full_rank_is_all_it_takes),
		t_test(bounded_memory_bounds_the_losses),
		t_test(damage_is_noticed_where_it_contradicts),
		t_test(shapes_and_numbers_have_limits),
		t_test(the_largest_block_is_decoded),
		t_test(version_2_draws_half_the_fragments),
	};
	return t_run(tests);
}
