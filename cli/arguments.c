#include "cli/arguments.h"

#include "cli/colour.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one that not every command understands comes first. */
static const struct cli_option every_command[] = {
	{"socket", "PATH", "the API's socket; default: LAMPPOST_SOCKET, or city.sock of the run directory"},
	{"json", NULL, "one JSON document (JSON lines when following)"},
	{"colour", "always|never|auto", "colours; auto: on a terminal, unless NO_COLOR is set"},
	{"help", NULL, "this text"},
};

/* Finds the row of `--word` or `--word=value`; `value` is set behind the equals sign or to NULL. */
static const struct cli_option *find(const struct cli_option *options, size_t count, const char *word,
				     const char **value)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	*value = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < count; i++) {
		if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0)
			return &options[i];
	}
	return NULL;
}

static bool refuse(const char *command, const char *word, const char *why)
{
	char next[160];
	snprintf(next, sizeof next, "lamppost %s --help", command);
	cli_problem(CLI_USAGE, word, next, "%s", why);
	return false;
}

/* Takes one option at argv[*at]; moves *at past a value in the next word. */
static bool take_option(struct cli_arguments *arguments, const char *command, int argc, char **argv, int *at)
{
	const char *word = argv[*at];
	const char *value;
	bool common = false;
	const struct cli_option *option = find(arguments->options, arguments->option_count, word + 2, &value);
	if (!option) {
		option = find(every_command, ARRAY_SIZE(every_command), word + 2, &value);
		common = true;
	}
	if (!option)
		return refuse(command, word, "no such option");
	bool optional = option->value && option->value[0] == '[';
	if (option->value && !value && !optional) {
		if (*at + 1 >= argc)
			return refuse(command, word, "needs a value");
		value = argv[++*at];
	} else if (!option->value && value) {
		return refuse(command, word, "takes no value");
	}
	if (!common) {
		const char **place = &arguments->values[option - arguments->options];
		if (*place)
			return refuse(command, word, "given twice");
		*place = value ? value : "";
	} else if (strcmp(option->name, "json") == 0) {
		arguments->json = true;
	} else if (strcmp(option->name, "socket") == 0) {
		arguments->socket = value;
	} else if (strcmp(option->name, "colour") == 0) {
		enum colour_when when;
		if (!colour_when_read(value, &when))
			return refuse(command, word, "expected always, never or auto");
		colour_choose(when);
	} else {
		arguments->help = true;
	}
	return true;
}

bool cli_arguments_parse(struct cli_arguments *arguments, const char *command,
			 const struct cli_option *options, size_t option_count, size_t max_operands, int argc,
			 char **argv)
{
	ASSERT_CMP(option_count, <=, CLI_OPTIONS_MAX);
	ASSERT_CMP(max_operands, <=, CLI_OPERANDS_MAX);
	*arguments = (struct cli_arguments){.options = options, .option_count = option_count};
	bool options_end = false;
	for (int at = 0; at < argc; at++) {
		const char *word = argv[at];
		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
		} else if (!options_end && strcmp(word, "-h") == 0) {
			arguments->help = true;
		} else if (!options_end && strncmp(word, "--", 2) == 0) {
			if (!take_option(arguments, command, argc, argv, &at))
				return false;
		} else if (!options_end && word[0] == '-' && word[1] != '\0') {
			return refuse(command, word, "options are long: two dashes");
		} else if (arguments->operand_count == max_operands) {
			return refuse(command, word, "one word too many");
		} else {
			arguments->operands[arguments->operand_count++] = word;
		}
	}
	return true;
}

const char *cli_argument(const struct cli_arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->option_count; i++) {
		if (strcmp(arguments->options[i].name, name) == 0)
			return arguments->values[i];
	}
	check_failed(__FILE__, __LINE__, __func__, name);
}

const char *cli_argument_if_any(const struct cli_arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->option_count; i++)
		if (strcmp(arguments->options[i].name, name) == 0)
			return arguments->values[i];
	return NULL;
}

bool cli_arguments_without_socket(const struct cli_arguments *arguments, const char *command)
{
	return !arguments->socket || refuse(command, "--socket",
					    "this command calls no API: --state and --config (or "
					    "LAMPPOST_RUN) say where the processes are");
}

bool cli_parse_count(const char *name, const char *text, unsigned long *count)
{
	char *end = NULL;
	errno = 0;
	unsigned long read = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	if (!end || *end || errno || read == 0) {
		(void)cli_problem(CLI_USAGE, name, NULL, "%s: expected a number from 1", text);
		return false;
	}
	*count = read;
	return true;
}

const struct cli_option *cli_common_options(bool with_socket, size_t *count)
{
	size_t skipped = with_socket ? 0 : 1;
	*count = ARRAY_SIZE(every_command) - skipped;
	return every_command + skipped;
}
