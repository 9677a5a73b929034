/* The command line's words: options by table, operands by position. `--name value`, `--name=value`, `--` ends options.
 * Every command understands
 * --help, --json, --colour and, where it speaks the API, --socket. */
#ifndef LAMPPOST_CLI_ARGUMENTS_H
#define LAMPPOST_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#define CLI_OPERANDS_MAX 8
#define CLI_OPTIONS_MAX  48

struct cli_option {
	const char *name; /* without the dashes: "dry-run" */
	/* What stands for its value in the help ("FILE"); NULL: a switch; "[=TIME]": a switch that may have one, after `=`. */
	const char *value;
	const char *help; /* one line, no full stop */
};

struct cli_command;

struct cli_arguments {
	const struct cli_command *command; /* whose they are; NULL outside of cli_command_line() */
	const struct cli_option *options;  /* borrowed */
	size_t option_count;
	const char *values
		[CLI_OPTIONS_MAX]; /* by the option's row; "" for a switch that is on; NULL: not given */
	const char *operands[CLI_OPERANDS_MAX];
	size_t operand_count;
	bool help, json;
	const char *socket; /* NULL: not given */
};

/* Reads argv[0 .. argc − 1] (command words already taken off). False after printing what is wrong: exit CLI_USAGE.
 * `command` ("device add") stands in messages. */
bool cli_arguments_parse(struct cli_arguments *arguments, const char *command,
			 const struct cli_option *options, size_t option_count, size_t max_operands, int argc,
			 char **argv);
/* The value of an option by its name, NULL when not given; "" for a switch that is on. */
const char *cli_argument(const struct cli_arguments *arguments, const char *name);
/* The same where the command may have no such option: NULL then. */
const char *cli_argument_if_any(const struct cli_arguments *arguments, const char *name);
/* Reads the value of the option `name` ("--limit") as a number from 1. False after reporting: exit CLI_USAGE. */
bool cli_parse_count(const char *name, const char *text, unsigned long *count);
/* For commands that call no API (`init`, `up`, `status`): false after reporting a --socket: exit CLI_USAGE. */
bool cli_arguments_without_socket(const struct cli_arguments *arguments, const char *command);
/* Lends the options that every command has; `with_socket`: it speaks the API. */
const struct cli_option *cli_common_options(bool with_socket, size_t *count);

#endif
