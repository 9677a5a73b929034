/* Numbers as subscribers read them: the shortest digits that read back, whichever way they are made. */
#include "tests/harness/harness.h"

#include "application-server/events/json_out.h"
#include "common/base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *written_double(double value)
{
	static char text[64];
	size_t length;
	struct json_out out = json_out_init(text, sizeof text);
	json_out_float(&out, NULL, value);
	assert_true(json_out_done(&out, &length));
	return text;
}

static const char *written_float(float value)
{
	static char text[64];
	size_t length;
	struct json_out out = json_out_init(text, sizeof text);
	json_out_single(&out, NULL, value);
	assert_true(json_out_done(&out, &length));
	return text;
}

/* As the C library prints it with ever more digits until it reads back. */
static const char *printed(double value, int from, int to, bool is_float)
{
	static char text[64];
	for (int digits = from; digits <= to; digits++) {
		snprintf(text, sizeof text - 4, "%.*g", digits, value);
		if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
			break;
	}
	if (!strpbrk(text, ".e"))
		snprintf(text + strlen(text), 4, ".0");
	return text;
}

static void doubles(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0, "0.0"},
		{-0.0, "-0.0"},
		{10, "10.0"},
		{27.2, "27.2"},
		{-0.1, "-0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{52.365512, "52.365512"},
		{4.05, "4.05"},
		{0.000001, "1e-06"},
		{0.0001, "0.0001"},
		{0.00012, "0.00012"},
		{0.0000999999, "9.99999e-05"},
		{999999999.999999, "999999999.999999"},
		{1e9, "1000000000.0"},
		{1e15, "1e+15"},
		{1e300, "1e+300"},
		{1.0 / 3, "0.3333333333333333"},
		{4294967.295, "4294967.295"},
		{NAN, "null"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].text);
		t_str("text", rows[i].text, written_double(rows[i].value));
	}
}

static void singles(void **state)
{
	(void)state;
	static const struct {
		float value;
		const char *text;
	} rows[] = {
		{0, "0.0"},        {-0.0F, "-0.0"},          {7.5F, "7.5"}, {-12.8F, "-12.8"},
		{0.01F, "0.01"},   {0.001F, "0.001"},        {0.1F, "0.1"}, {9999.99F, "9999.99"},
		{1e4F, "10000.0"}, {16777216, "16777216.0"}, {NAN, "null"}, {1.0F / 3, "0.33333334"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].text);
		t_str("text", rows[i].text, written_float(rows[i].value));
	}
}

static void all_the_others(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(11);
	t_row("random numbers of few and many digits");
	for (unsigned i = 0; i < 200000; i++) {
		double whole = (double)(int64_t)rng_u64(&rng), few = 0;
		switch (i % 4) {
		case 0: few = trunc(ldexp(whole, -40)) / 1e6; break;
		case 1: few = trunc(ldexp(whole, -20)) / 1e6; break;
		case 2: few = ldexp(whole, -63 - (int)(i % 40)); break;
		default: few = trunc(ldexp(whole, -50)) / 100;
		}
		if (!t_str("double", printed(few, 15, 17, false), written_double(few)) ||
		    !t_str("float", printed((double)(float)few, 6, 9, true), written_float((float)few)))
			break;
	}
}

static void integers(void **state)
{
	(void)state;
	static const int64_t rows[] = {0, 1, -1, 9, 10, -100, 4294967295, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32], expected[32];
		size_t length;
		snprintf(expected, sizeof expected, "%" PRId64, rows[i]);
		t_row(expected);
		struct json_out out = json_out_init(text, sizeof text);
		json_out_integer(&out, NULL, rows[i]);
		t_true("fits", json_out_done(&out, &length));
		t_str("text", expected, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(doubles), t_test(singles), t_test(all_the_others),
					   t_test(integers)};
	return t_run(tests);
}
