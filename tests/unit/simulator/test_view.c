/* The demo's table: no line wraps, whatever the terminal's width. */
#include "tests/harness/harness.h"

#include "simulator/view.h"

static void columns_fit_the_terminal(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned columns;
		int reading;
		bool counter, radio;
	} rows[] = {
		{"no terminal", 0, 58, true, true},         {"a wide one", 200, 58, true, true},
		{"just everything", 131, 58, true, true},   {"without the radio", 130, 58, true, false},
		{"just the counter", 103, 58, true, false}, {"without the counter", 102, 58, false, false},
		{"the usual 80", 80, 44, false, false},     {"hopelessly narrow", 30, 20, false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct sim_view_layout layout = sim_view_layout(rows[i].columns);
		t_int("reading", rows[i].reading, layout.reading);
		t_int("counter", rows[i].counter, layout.counter);
		t_int("radio", rows[i].radio, layout.radio);
		int width = 36 + layout.reading + (layout.counter ? 9 : 0) + (layout.radio ? 28 : 0);
		if (rows[i].columns >= 56)
			t_true("fits", width <= (int)rows[i].columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(columns_fit_the_terminal)};
	return t_run(tests);
}
