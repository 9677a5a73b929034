/* The shapes of the big tables: an index that is as full as it gets still finds everything, and what was said of coming use
 * changes nothing but where memory comes from. */
#include "tests/harness/harness.h"

#include "network-server/slab.h"

static uint32_t hash_of(uint32_t key, bool crowded)
{
	return crowded ? key % 7 * UINT32_C(0x01000193) : ns_hash64(key, 5);
}

static bool finds(const struct ns_index *index, uint32_t key, bool crowded)
{
	uint32_t at = 0, slot;
	while ((slot = ns_index_next(index, hash_of(key, crowded), &at)) != NS_NO_SLOT)
		if (slot == key)
			return true;
	return false;
}

static void index_finds_what_it_holds(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t capacity, expected;
		bool crowded;
	} rows[] = {
		{"one", 1, 0, false},
		{"as full as the smallest gets", 10, 0, false},
		{"one more than that", 11, 0, false},
		{"as full as it gets", 40960, 0, false},
		{"one more", 40961, 0, false},
		{"few expected: small pages", 40960, 3, false},
		{"all expected: large pages", 655360, 655360, false},
		{"more expected than there is room for", 655360, NS_NO_SLOT, false},
		{"seven hashes for all", 700, 700, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ns_index index;
		uint32_t missing = 0, left = 0;
		bool crowded = rows[i].crowded;
		t_row(rows[i].name);
		ns_index_init(&index, rows[i].capacity);
		ns_index_expect(&index, rows[i].expected);
		t_true("nothing was added by that", index.count == 0 && !finds(&index, 0, crowded));
		t_true("never more than 5/8 full", rows[i].capacity <= (index.mask + 1) / 8 * 5);
		for (uint32_t key = 0; key < rows[i].capacity; key++) {
			ns_index_foresee(&index, hash_of(key, crowded));
			ns_index_add(&index, hash_of(key, crowded), key);
		}
		for (uint32_t key = 0; key < rows[i].capacity; key++)
			missing += !finds(&index, key, crowded);
		t_uint("none is missing", 0, missing);
		for (uint32_t key = 0; key < rows[i].capacity; key += 2)
			ns_index_remove(&index, hash_of(key, crowded), key);
		for (uint32_t key = 0; key < rows[i].capacity; key++)
			left += finds(&index, key, crowded) != (key % 2 == 1);
		t_uint("half of them are left, and none else", 0, left);
		ns_index_release(&index);
	}
}

static void slab_expects(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t expected;
	} rows[] = {{"nothing", 0}, {"some", 100}, {"all", 20000}, {"more than there are", NS_NO_SLOT}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ns_slab slab;
		uint64_t sum = 0;
		t_row(rows[i].name);
		ns_slab_init(&slab, 20000, 288);
		ns_slab_expect(&slab, rows[i].expected);
		t_uint("none is taken", 0, slab.count);
		t_true("a slot of one's choice", ns_slab_take_at(&slab, 19999));
		ns_slab_loaded(&slab);
		for (uint32_t slot; (slot = ns_slab_take(&slab)) != NS_NO_SLOT;)
			sum += *(uint8_t *)ns_slab_at(&slab, slot);
		t_uint("all can be had", 20000, slab.count);
		t_uint("each zeroed", 0, sum);
		ns_slab_release(&slab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(index_finds_what_it_holds),
		t_test(slab_expects),
	};
	return t_run(tests);
}
