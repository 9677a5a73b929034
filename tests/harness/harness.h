/* What every test file uses on top of cmocka: rows that say their name when they fail, and a last line with the sum.
 *
 *	static void counters(void **state)
 *	{
 *		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
 *			t_row(rows[i].name);
 *			t_int("full", rows[i].full, lw_fcnt_reconstruct(rows[i].next, rows[i].air));
 *		}
 *	}
 *	int main(void) { const struct CMUnitTest tests[] = {t_test(counters)}; return t_run(tests); }
 *
 * A row that fails prints `FAIL file: row: member: expected X, got Y`, the others of the table still run, and the test
 * fails at its end. cmocka's own assertions stop the test at once: for what makes the rest meaningless. */
#ifndef LAMPPOST_TESTS_HARNESS_H
#define LAMPPOST_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/check.h"

/* Names the row that the checks after it belong to; borrowed until the next row. */
void t_row(const char *name);
/* Each returns whether it held. */
#define t_int(member, expected, got) t_int_at(__FILE__, member, (long long)(expected), (long long)(got))
#define t_uint(member, expected, got) \
	t_uint_at(__FILE__, member, (unsigned long long)(expected), (unsigned long long)(got))
#define t_true(member, condition)    t_int_at(__FILE__, member, 1, (condition) ? 1 : 0)
#define t_false(member, condition)   t_int_at(__FILE__, member, 0, (condition) ? 1 : 0)
#define t_str(member, expected, got) t_str_at(__FILE__, member, expected, got)
/* t_bytes(member, expected, expected_length, got, got_length) */
#define t_bytes(member, ...) t_bytes_at(__FILE__, member, __VA_ARGS__)

bool t_int_at(const char *file, const char *member, long long expected, long long got);
bool t_uint_at(const char *file, const char *member, unsigned long long expected, unsigned long long got);
bool t_str_at(const char *file, const char *member, const char *expected, const char *got);
bool t_bytes_at(const char *file, const char *member, const uint8_t *expected, size_t expected_length,
		const uint8_t *got, size_t got_length);

#define t_test(function)                                       \
	{                                                      \
#function, function, t_setup, t_teardown, NULL \
	}
int t_setup(void **state);
int t_teardown(void **state);
/* Runs the tests, prints `N passed, N failed, N skipped` and returns the exit code. */
#define t_run(tests) t_run_at(__FILE__, tests, ARRAY_SIZE(tests))
int t_run_at(const char *file, const struct CMUnitTest *tests, size_t count);

#endif
