#include "tests/harness/harness.h"

#include "common/io/counter_history.h"

static const struct {
	const char *name;
	unsigned minutes; /* samples taken, one a minute; the value is ten times the minute */
	span_us span;
	uint64_t value;
	int64_t age_minutes;
} rows[] = {
	{"just begun", 0, COUNTER_RECENT, 0, 0},
	{"not five minutes yet: since the beginning", 3, COUNTER_RECENT, 0, 3},
	{"five minutes ago", 9, COUNTER_RECENT, 40, 5},
	{"an hour ago", 90, COUNTER_HOUR, 300, 60},
	{"longer than is kept: the oldest", 200, 500 * COUNTER_INTERVAL, 1400, 60},
};

static void what_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct counter_history history;
		span_us age = -1;
		t_row(rows[i].name);
		counter_history_init(&history, 2, (struct mono){7});
		struct mono now = {7};
		for (unsigned m = 1; m <= rows[i].minutes; m++) {
			now.us += COUNTER_INTERVAL;
			counter_history_take(&history, (const uint64_t[]){10 * m, 1}, now);
		}
		const uint64_t *before = counter_history_before(&history, now, rows[i].span, &age);
		t_uint("value", rows[i].value, before[0]);
		t_int("age", rows[i].age_minutes, age / COUNTER_INTERVAL);
		counter_history_release(&history);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(what_it_was)};
	return t_run(tests);
}
