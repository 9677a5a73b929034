/* What people type and paste at `lamppost join` and `device watch`. */
#include "tests/harness/harness.h"

#include "cli/join.h"
#include "cli/watch.h"

static void spans(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long seconds; /* −1: refused */
	} rows[] = {
		{"90", 90},    {"90s", 90},        {"30m", 1800}, {"2h", 7200},
		{"1d", 86400}, {"366d", 31622400}, {"367d", -1},  {"0", 0},
		{"", -1},      {"h", -1},          {"2 h", -1},   {"2hh", -1},
		{"-1", -1},    {"1.5h", -1},       {"soon", -1},  {"99999999999999999999s", -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long seconds = -1;
		t_row(rows[i].text);
		t_int("read", rows[i].seconds >= 0, cli_parse_span(rows[i].text, &seconds));
		t_int("seconds", rows[i].seconds, seconds);
	}
}

static void euis_as_labels_print_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *eui; /* NULL: refused */
	} rows[] = {
		{"70b3d57ed0000001", "70b3d57ed0000001"},
		{"70B3D57ED0000001", "70b3d57ed0000001"},
		{"70-B3-D5-7E-D0-00-00-01", "70b3d57ed0000001"},
		{"70:b3:d5:7e:d0:00:00:01", "70b3d57ed0000001"},
		{"70B3 D57E D000 0001", "70b3d57ed0000001"},
		{"70b3d57ed000000", NULL},
		{"70b3d57ed00000011", NULL},
		{"70b3d57ed000000g", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char eui[CLI_EUI_TEXT], reversed[CLI_EUI_TEXT];
		t_row(rows[i].text);
		bool read = cli_eui_read(rows[i].text, eui);
		t_int("read", rows[i].eui != NULL, read);
		if (!read || !rows[i].eui)
			continue;
		t_str("EUI", rows[i].eui, eui);
		cli_eui_reverse(eui, reversed);
		t_str("mirror image", "010000d07ed5b370", reversed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(spans), t_test(euis_as_labels_print_them)};
	return t_run(tests);
}
