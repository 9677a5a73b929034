#include "tests/harness/harness.h"

#include "common/base/deadlines.h"
#include "common/base/rng.h"

#define MANY 500

static void earliest_comes_first(void **state)
{
	(void)state;
	struct deadlines deadlines;
	struct deadline a = {0}, b = {0}, c = {0};
	deadlines_init(&deadlines, 2);
	t_int("none", INT64_MAX, deadlines_next(&deadlines).us);
	t_true("nothing to pop", deadlines_pop(&deadlines, MONO_NEVER) == NULL);
	t_int("a", ST_OK, deadlines_set(&deadlines, &a, (struct mono){20}));
	t_int("b", ST_OK, deadlines_set(&deadlines, &b, (struct mono){10}));
	t_int("full", ST_FULL, deadlines_set(&deadlines, &c, (struct mono){5}));
	t_int("moving needs no room", ST_OK, deadlines_set(&deadlines, &a, (struct mono){9}));
	t_int("next", 9, deadlines_next(&deadlines).us);
	t_true("not yet", deadlines_pop(&deadlines, (struct mono){8}) == NULL);
	t_true("a", deadlines_pop(&deadlines, (struct mono){9}) == &a);
	t_uint("a is not set", 0, a.slot);
	deadlines_cancel(&deadlines, &a);
	deadlines_cancel(&deadlines, &c);
	t_int("b is left", 10, deadlines_next(&deadlines).us);
	deadlines_cancel(&deadlines, &b);
	t_int("none", INT64_MAX, deadlines_next(&deadlines).us);
	deadlines_release(&deadlines);
}

/* Random sets, moves and cancels; a plain array says what must come. */
static void agrees_with_a_plain_search(void **state)
{
	(void)state;
	static struct deadline entries[MANY];
	static int64_t due[MANY]; /* −1: not set */
	struct rng rng = rng_seeded(11);
	struct deadlines deadlines;
	deadlines_init(&deadlines, MANY);
	for (size_t i = 0; i < MANY; i++)
		due[i] = -1;
	int64_t now = 0;
	for (int round = 0; round < 20000; round++) {
		size_t i = rng_below(&rng, MANY);
		switch (rng_below(&rng, 4)) {
		case 0:
		case 1:
			due[i] = now + rng_below(&rng, 1000);
			assert_int_equal(ST_OK,
					 deadlines_set(&deadlines, &entries[i], (struct mono){due[i]}));
			break;
		case 2:
			deadlines_cancel(&deadlines, &entries[i]);
			due[i] = -1;
			break;
		default: {
			now += rng_below(&rng, 20);
			int64_t earliest = INT64_MAX;
			for (size_t j = 0; j < MANY; j++)
				if (due[j] >= 0 && due[j] < earliest)
					earliest = due[j];
			assert_int_equal(earliest, deadlines_next(&deadlines).us);
			struct deadline *popped = deadlines_pop(&deadlines, (struct mono){now});
			assert_int_equal(earliest <= now, popped != NULL);
			if (popped) {
				assert_int_equal(earliest, due[popped - entries]);
				due[popped - entries] = -1;
			}
		}
		}
	}
	int64_t last = 0;
	for (struct deadline *popped; (popped = deadlines_pop(&deadlines, MONO_NEVER));) {
		assert_true(due[popped - entries] >= last);
		last = due[popped - entries];
		due[popped - entries] = -1;
	}
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(-1, due[i]);
	deadlines_release(&deadlines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(earliest_comes_first),
		t_test(agrees_with_a_plain_search),
	};
	return t_run(tests);
}
