#include "tests/harness/harness.h"

#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

static const char *row_name = "";
static int row_failures;
static unsigned all_failures; /* of every test: never forgotten */

void t_row(const char *name)
{
	row_name = name;
}

static bool report(const char *file, const char *member, const char *expected, const char *got)
{
	fprintf(stderr, "FAIL %s: %s: %s: expected %s, got %s\n", file, row_name, member, expected, got);
	row_failures++;
	all_failures++;
	return false;
}

bool t_int_at(const char *file, const char *member, long long expected, long long got)
{
	if (expected == got)
		return true;
	char texts[2][32];
	snprintf(texts[0], sizeof texts[0], "%lld", expected);
	snprintf(texts[1], sizeof texts[1], "%lld", got);
	return report(file, member, texts[0], texts[1]);
}

bool t_uint_at(const char *file, const char *member, unsigned long long expected, unsigned long long got)
{
	if (expected == got)
		return true;
	char texts[2][32];
	snprintf(texts[0], sizeof texts[0], "%llu", expected);
	snprintf(texts[1], sizeof texts[1], "%llu", got);
	return report(file, member, texts[0], texts[1]);
}

bool t_str_at(const char *file, const char *member, const char *expected, const char *got)
{
	if (expected == got || (expected && got && strcmp(expected, got) == 0))
		return true;
	return report(file, member, expected ? expected : "(null)", got ? got : "(null)");
}

bool t_bytes_at(const char *file, const char *member, const uint8_t *expected, size_t expected_length,
		const uint8_t *got, size_t got_length)
{
	if (expected_length == got_length && (got_length == 0 || memcmp(expected, got, got_length) == 0))
		return true;
	char texts[2][1025];
	hex_encode(texts[0], expected, expected_length < 512 ? expected_length : 512);
	hex_encode(texts[1], got, got_length < 512 ? got_length : 512);
	return report(file, member, texts[0], texts[1]);
}

int t_setup(void **state)
{
	(void)state;
	row_name = "";
	row_failures = 0;
	return 0;
}

int t_teardown(void **state)
{
	(void)state;
	return row_failures > 0 ? -1 : 0;
}

int t_run_at(const char *file, const struct CMUnitTest *tests, size_t count)
{
	int failed = _cmocka_run_group_tests(file, tests, count, NULL, NULL);
	if (failed < 0 || (size_t)failed > count)
		failed = (int)count;
	/* A test that calls its own set-up for each row has forgotten the failures of the rows before. */
	if (failed == 0 && all_failures > 0)
		failed = 1;
	fflush(stderr);
	printf("%d passed, %d failed, 0 skipped\n", (int)count - failed, failed);
	return failed > 0;
}
