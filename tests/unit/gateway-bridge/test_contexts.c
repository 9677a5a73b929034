/* Contexts by counter: what is found, what is not, and that they are bounded. */
#include "tests/harness/harness.h"

#include "gateway-bridge/contexts.h"

static struct gb_chirpstack_context named(uint32_t number)
{
	return (struct gb_chirpstack_context){.length = 4,
					      .bytes = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
							(uint8_t)(number >> 8), (uint8_t)number}};
}

static uint32_t number_of(const struct gb_chirpstack_context *context)
{
	return (uint32_t)context->bytes[0] << 24 | (uint32_t)context->bytes[1] << 16 |
	       (uint32_t)context->bytes[2] << 8 | context->bytes[3];
}

static void a_whole_number_of_seconds_behind(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t uplink, downlink;
		int64_t later_ms, delay_us; /* 0: not found */
	} rows[] = {
		{"RX1 after one second", 1000, 1001000, 100, 1000000},
		{"RX2 of the longest delay", 1000, 16001000, 100, 16000000},
		{"seventeen seconds", 1000, 17001000, 100, 0},
		{"at the uplink itself", 1000, 1000, 100, 0},
		{"before it", 5000000, 4000000, 100, 0},
		{"a microsecond off", 1000, 1001001, 100, 0},
		{"over the counter's wrap", UINT32_MAX - 999999, 4000000, 100, 5000000},
		{"an uplink of too long ago", 1000, 5001000, 20000, 0},
		{"just not too long ago", 1000, 5001000, 19999, 5000000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_contexts contexts = {.slots = NULL};
		struct mono now = {1000 * US_PER_S};
		struct gb_chirpstack_context context = named(7);
		span_us delay = 0;
		t_row(rows[i].name);
		gb_contexts_put(&contexts, now, (struct gw_ticks){rows[i].uplink}, &context);
		const struct gb_chirpstack_context *found = gb_contexts_find(
			&contexts, mono_add(now, rows[i].later_ms * US_PER_MS),
			(struct gw_ticks){rows[i].downlink}, &delay);
		t_int("found", rows[i].delay_us != 0, found != NULL);
		t_int("delay", rows[i].delay_us, delay);
		if (found)
			t_uint("context", 7, number_of(found));
		gb_contexts_clear(&contexts);
	}
	struct gb_contexts none = {.slots = NULL};
	span_us delay;
	t_row("none was kept");
	t_true("not found",
	       gb_contexts_find(&none, (struct mono){5}, (struct gw_ticks){1000000}, &delay) == NULL);
}

static void the_newest_that_fits_counts(void **state)
{
	(void)state;
	struct gb_contexts contexts = {.slots = NULL};
	struct mono now = {1000 * US_PER_S};
	for (uint32_t i = 0; i < 3; i++) {
		struct gb_chirpstack_context context = named(i);
		gb_contexts_put(&contexts, mono_add(now, i * US_PER_S), (struct gw_ticks){i * 1000000},
				&context);
	}
	span_us delay;
	const struct gb_chirpstack_context *found = gb_contexts_find(&contexts, mono_add(now, 3 * US_PER_S),
								     (struct gw_ticks){5000000}, &delay);
	assert_non_null(found);
	t_uint("context", 2, number_of(found));
	t_int("delay", 3000000, delay);
	gb_contexts_clear(&contexts);
}

/* Every microsecond an uplink of its own: however many, those that may still be answered are kept, up to the limit. */
static void they_grow_and_are_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t uplinks;
		int64_t every_us;
		size_t room;
		uint32_t oldest; /* that is still found */
	} rows[] = {
		{"a slow gateway keeps the first size", 100, 5 * US_PER_S, GB_CONTEXTS_FIRST, 96},
		{"ten a second", 400, 100000, 256, 200},
		{"a flood", 5000, 100, GB_CONTEXTS_MAX, 5000 - GB_CONTEXTS_MAX},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_contexts contexts = {.slots = NULL};
		struct mono now = {1000 * US_PER_S};
		t_row(rows[i].name);
		for (uint32_t n = 0; n < rows[i].uplinks; n++) {
			struct gb_chirpstack_context context = named(n);
			now = mono_add(now, rows[i].every_us);
			/* The low digits name the uplink, so that one downlink fits one uplink alone. */
			gb_contexts_put(&contexts, now, (struct gw_ticks){n}, &context);
		}
		t_uint("room", rows[i].room, contexts.room);
		span_us delay;
		for (uint32_t n = 0; n < rows[i].uplinks; n++) {
			const struct gb_chirpstack_context *found = gb_contexts_find(
				&contexts, now, (struct gw_ticks){n + 1000000}, &delay);
			if (!t_int("found", n >= rows[i].oldest, found != NULL) ||
			    (found && !t_uint("context", n, number_of(found))))
				break;
		}
		gb_contexts_clear(&contexts);
	}
}

/* A flood is over: its place goes, what may still be answered stays. */
static void they_shrink(void **state)
{
	(void)state;
	struct gb_contexts contexts = {.slots = NULL};
	struct mono now = {1000 * US_PER_S};
	span_us delay;
	uint32_t n = 0;
	for (; n < 2000; n++) {
		struct gb_chirpstack_context context = named(n);
		now = mono_add(now, 1000);
		gb_contexts_put(&contexts, now, (struct gw_ticks){n}, &context);
	}
	t_uint("room of a flood", GB_CONTEXTS_MAX, contexts.room);
	for (; n < 2040; n++) {
		struct gb_chirpstack_context context = named(n);
		now = mono_add(now, 5 * US_PER_S);
		gb_contexts_put(&contexts, now, (struct gw_ticks){n}, &context);
		for (uint32_t i = 0; i < 4; i++) {
			const struct gb_chirpstack_context *found = gb_contexts_find(
				&contexts, now, (struct gw_ticks){n - i + 1000000}, &delay);
			if (n - i >= 2000 && t_true("kept", found != NULL))
				t_uint("context", n - i, number_of(found));
		}
	}
	t_true("a slow gateway's again", contexts.room <= 2 * GB_CONTEXTS_FIRST);
	gb_contexts_clear(&contexts);
}

/* Where a place gives half of its room back, a quarter of it may still be answered, and an eighth would be too little to keep. */
static void all_that_may_be_answered_survive_the_shrinking(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t every_us;
	} rows[] = {
		{"a quarter of the place and no more", 160000}, /* 125 of 128 live */
		{"more than an eighth of it", 250000},          /* 80 of 128 */
		{"less than an eighth", 500000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_contexts contexts = {.slots = NULL};
		struct mono now = {1000 * US_PER_S};
		uint32_t n = 0, live = (uint32_t)((GB_CONTEXT_LIFE_US - 1) / rows[i].every_us);
		size_t room = 0;
		bool shrank = false;
		t_row(rows[i].name);
		for (; n < 2000; n++) {
			struct gb_chirpstack_context context = named(n);
			now = mono_add(now, 1000);
			gb_contexts_put(&contexts, now, (struct gw_ticks){n}, &context);
		}
		room = contexts.room;
		for (uint32_t first = n; n < first + 600; n++) {
			struct gb_chirpstack_context context = named(n);
			span_us delay;
			now = mono_add(now, rows[i].every_us);
			gb_contexts_put(&contexts, now, (struct gw_ticks){n}, &context);
			shrank |= contexts.room < room;
			for (uint32_t back = 0; back <= live && n - back >= first; back++) {
				const struct gb_chirpstack_context *found = gb_contexts_find(
					&contexts, now, (struct gw_ticks){n - back + 1000000}, &delay);
				if (!found || number_of(found) != n - back) {
					t_uint("is kept", n - back, found ? number_of(found) : 0);
					back = live;
				}
			}
		}
		t_true("it gave room back", shrank);
		gb_contexts_clear(&contexts);
	}
}

static void counters_are_made_up_once(void **state)
{
	(void)state;
	struct gb_contexts contexts = {.slots = NULL};
	struct gb_chirpstack_context context = named(1);
	uint32_t before = 0;
	for (uint32_t i = 0; i < 100; i++) {
		struct gw_ticks ticks = gb_contexts_make_ticks(&contexts, (struct mono){5000000 + i / 50});
		gb_contexts_put(&contexts, (struct mono){5000000 + i / 50}, ticks, &context);
		if (i > 0 && !t_uint("another each time", before + 1, ticks.us))
			break;
		before = ticks.us;
	}
	t_uint("our time again", 9000000, gb_contexts_make_ticks(&contexts, (struct mono){9000000}).us);
	gb_contexts_clear(&contexts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_whole_number_of_seconds_behind),
		t_test(the_newest_that_fits_counts),
		t_test(they_grow_and_are_bounded),
		t_test(they_shrink),
		t_test(all_that_may_be_answered_survive_the_shrinking),
		t_test(counters_are_made_up_once),
	};
	return t_run(tests);
}
