#include "tests/harness/harness.h"

#include "common/base/arena.h"

#include <string.h>

static void memory_is_lent_in_order_and_bounded(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 64);
	uint8_t *first = arena_alloc(&arena, 1);
	uint8_t *second = arena_alloc(&arena, 16);
	assert_non_null(first);
	assert_non_null(second);
	t_uint("aligned", 0, (uintptr_t)first % 16);
	t_uint("aligned", 0, (uintptr_t)second % 16);
	t_true("apart", second >= first + 16);
	t_true("too much", arena_alloc(&arena, 33) == NULL);
	t_true("what overflows", arena_alloc(&arena, SIZE_MAX) == NULL);
	t_true("a refusal takes nothing", arena_alloc(&arena, 32) == first + 32);
	t_true("full", arena_alloc(&arena, 1) == NULL);
	t_true("nothing of nothing", arena_alloc(&arena, 0) != NULL);
	arena_reset(&arena);
	t_true("all again", arena_alloc(&arena, 64) == first);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(memory_is_lent_in_order_and_bounded)};
	return t_run(tests);
}
