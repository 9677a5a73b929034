#include "tests/harness/harness.h"

#include "common/base/table.h"

#include <string.h>

struct entry {
	uint8_t key[9]; /* longer than a word, so that the hash takes two steps */
	uint32_t value;
};

static void key_of(uint8_t key[9], uint32_t number)
{
	memset(key, 0, 9);
	memcpy(key + 5, &number, sizeof number);
}

static void entries_are_kept_until_the_limit(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(1);
	struct table table;
	uint8_t key[9];
	bool made;
	table_init(&table, 3, sizeof(struct entry), 9, &rng);
	for (uint32_t i = 0; i < 3; i++) {
		key_of(key, i);
		struct entry *entry = table_put(&table, key, &made);
		assert_non_null(entry);
		t_true("made", made);
		t_uint("zeroed", 0, entry->value);
		entry->value = 100 + i;
	}
	key_of(key, 9);
	t_true("full", table_put(&table, key, &made) == NULL);
	key_of(key, 1);
	struct entry *again = table_put(&table, key, &made);
	assert_non_null(again);
	t_false("there already", made);
	t_uint("its value", 101, again->value);
	t_true("removed", table_remove(&table, key));
	t_false("twice", table_remove(&table, key));
	t_true("gone", table_get(&table, key) == NULL);
	key_of(key, 9);
	t_true("room again", table_put(&table, key, &made) != NULL);
	t_uint("count", 3, table.count);
	table_release(&table);
}

/* Random puts and removes beside an array; backward shift must lose nothing, whatever the seed. */
static void agrees_with_a_plain_array(void **state)
{
	(void)state;
	enum { NUMBERS = 300, LIMIT = 200 };
	for (uint64_t seed = 0; seed < 5; seed++) {
		static uint32_t values[NUMBERS]; /* 0: not there */
		memset(values, 0, sizeof values);
		struct rng rng = rng_seeded(seed);
		struct table table;
		size_t count = 0;
		table_init(&table, LIMIT, sizeof(struct entry), 9, &rng);
		for (uint32_t round = 1; round < 20000; round++) {
			uint32_t number = rng_below(&rng, NUMBERS);
			uint8_t key[9];
			key_of(key, number);
			struct entry *entry = table_get(&table, key);
			assert_int_equal(values[number], entry ? entry->value : 0);
			if (rng_below(&rng, 2)) {
				assert_int_equal(values[number] != 0, table_remove(&table, key));
				count -= values[number] != 0;
				values[number] = 0;
				continue;
			}
			bool made;
			entry = table_put(&table, key, &made);
			assert_int_equal(values[number] == 0, made);
			assert_int_equal(values[number] == 0 && count == LIMIT, entry == NULL);
			if (!entry)
				continue;
			count += made;
			entry->value = values[number] = round;
		}
		assert_int_equal(count, table.count);
		size_t at = 0, walked = 0;
		for (struct entry *entry; (entry = table_next(&table, &at)); walked++) {
			uint32_t number;
			memcpy(&number, entry->key + 5, sizeof number);
			assert_int_equal(values[number], entry->value);
		}
		assert_int_equal(count, walked);
		table_release(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(entries_are_kept_until_the_limit),
		t_test(agrees_with_a_plain_array),
	};
	return t_run(tests);
}
