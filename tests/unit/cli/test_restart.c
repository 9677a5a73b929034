/* When `lamppost up` starts a process again. */
#include "tests/harness/harness.h"

#include "cli/restart.h"

static void delays_grow_and_a_minute_of_health_forgives(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t healthy_s; /* health before this end; 0: it was never healthy */
		int64_t delay_ms;
	} rows[] = {
		{"the first end", 5, 0},   {"the second", 5, 500},
		{"the third", 5, 1000},    {"the fourth, never healthy", 0, 2000},
		{"the fifth", 5, 4000},    {"the sixth", 5, 8000},
		{"the seventh", 5, 16000}, {"the eighth: at most half a minute", 5, 30000},
		{"the ninth", 59, 30000},  {"after a minute of health", 60, 0},
		{"and again", 5, 500},     {"after a day", 86400, 0},
	};
	struct cli_restart restart = {0};
	struct mono now = {1000 * US_PER_S};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (rows[i].healthy_s) {
			cli_restart_health(&restart, now, true);
			now.us += rows[i].healthy_s * US_PER_S / 2;
			cli_restart_health(&restart, now, true);
			now.us += rows[i].healthy_s * US_PER_S - rows[i].healthy_s * US_PER_S / 2;
		} else {
			now.us += 300 * US_PER_S;
		}
		t_int("delay_ms", rows[i].delay_ms, cli_restart_after_end(&restart, now) / US_PER_MS);
	}
	t_row("a minute that was interrupted");
	cli_restart_health(&restart, now, true);
	now.us += 50 * US_PER_S;
	cli_restart_health(&restart, now, false);
	cli_restart_health(&restart, now, true);
	now.us += 50 * US_PER_S;
	t_int("delay_ms", 500, cli_restart_after_end(&restart, now) / US_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(delays_grow_and_a_minute_of_health_forgives)};
	return t_run(tests);
}
