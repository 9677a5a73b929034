#include "tests/harness/harness.h"

#include "cli/arguments.h"

#include <string.h>

static const struct cli_option options[] = {
	{"name", "TEXT", "a value"},
	{"dry-run", NULL, "a switch"},
};

static const struct {
	const char *name;
	const char *words[6];
	bool ok;
	const char *value; /* of --name */
	bool dry_run, json, help;
	size_t operands;
} rows[] = {
	{"nothing", {NULL}, true, NULL, false, false, false, 0},
	{"value in the next word", {"--name", "x"}, true, "x", false, false, false, 0},
	{"value behind an equals sign", {"--name=a=b"}, true, "a=b", false, false, false, 0},
	{"a value may look like an option",
	 {"--name", "--dry-run"},
	 true,
	 "--dry-run",
	 false,
	 false,
	 false,
	 0},
	{"a switch and operands", {"one", "--dry-run", "two"}, true, NULL, true, false, false, 2},
	{"options of every command",
	 {"--json", "--help", "--socket", "/s"},
	 true,
	 NULL,
	 false,
	 true,
	 true,
	 0},
	{"two dashes end the options", {"--", "--name"}, true, NULL, false, false, false, 1},
	{"a lone dash is an operand", {"-"}, true, NULL, false, false, false, 1},
	{"unknown option", {"--nmae", "x"}, false, NULL, false, false, false, 0},
	{"value missing", {"--name"}, false, NULL, false, false, false, 0},
	{"a switch with a value", {"--dry-run=yes"}, false, NULL, false, false, false, 0},
	{"given twice", {"--name", "x", "--name", "y"}, false, NULL, false, false, false, 0},
	{"one operand too many", {"1", "2", "3"}, false, NULL, false, false, false, 0},
	{"short option", {"-x"}, false, NULL, false, false, false, 0},
};

static void words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char *argv[6];
		int argc = 0;
		while (argc < 6 && rows[i].words[argc]) {
			argv[argc] = (char *)(uintptr_t)rows[i].words[argc];
			argc++;
		}
		struct cli_arguments arguments;
		bool ok = cli_arguments_parse(&arguments, "test", options, ARRAY_SIZE(options), 2, argc,
					      argv);
		t_int("ok", rows[i].ok, ok);
		if (!ok)
			continue;
		t_str("value", rows[i].value, cli_argument(&arguments, "name"));
		t_int("switch", rows[i].dry_run, cli_argument(&arguments, "dry-run") != NULL);
		t_int("json", rows[i].json, arguments.json);
		t_int("help", rows[i].help, arguments.help);
		t_uint("operands", rows[i].operands, arguments.operand_count);
	}
}

/* A command that calls no API says so instead of passing over --socket. */
static void a_socket_where_none_is_used(void **state)
{
	(void)state;
	struct cli_arguments arguments;
	char *with[] = {(char *)(uintptr_t) "--socket", (char *)(uintptr_t) "/s"};
	t_true("read", cli_arguments_parse(&arguments, "test", options, ARRAY_SIZE(options), 0, 2, with));
	t_true("refused", !cli_arguments_without_socket(&arguments, "test"));
	t_true("read", cli_arguments_parse(&arguments, "test", options, ARRAY_SIZE(options), 0, 0, with));
	t_true("without it", cli_arguments_without_socket(&arguments, "test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(words), t_test(a_socket_where_none_is_used)};
	return t_run(tests);
}
