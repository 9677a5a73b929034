/* From words to a command's row, and from the row to its run(). */
#include "cli/command.h"

#include "cli/problem.h"
#include "cli/value_word.h"
#include "common/base/check.h"

#include <string.h>

void cli_command_title(const struct cli_command *command, char title[CLI_NAME_MAX])
{
	snprintf(title, CLI_NAME_MAX, "%s%s%s", command->group, command->name ? " " : "",
		 command->name ? command->name : "");
}

const struct cli_option *cli_command_options(const struct cli_command *command, struct cli_made_options *made,
					     size_t *count)
{
	if (!command->make_options) {
		*count = command->option_count;
		return command->options;
	}
	made->count = 0;
	command->make_options(made, command);
	*count = made->count;
	return made->options;
}

void cli_command_operands(const struct cli_command *command, size_t *least, size_t *most)
{
	const char *at = command->operands;
	struct cli_operand operand;
	*least = *most = 0;
	while (cli_operand_next(&at, &operand)) {
		*least += operand.optional ? 0 : 1;
		*most = operand.repeats ? CLI_OPERANDS_MAX : *most + 1;
	}
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `-c FILE` is `--config FILE` where a command has that option. */
static void short_config(const struct cli_option *options, size_t count, int argc, char **argv)
{
	static char name[] = "--config";
	bool has = false;
	for (size_t i = 0; i < count; i++)
		has = has || strcmp(options[i].name, name + 2) == 0;
	for (int i = 0; has && i < argc; i++)
		if (strcmp(argv[i], "-c") == 0)
			argv[i] = name;
}

/* Runs a command; argv is what stands behind its name. */
static int run(const struct cli_command *command, int argc, char **argv)
{
	struct cli_made_options made;
	struct cli_arguments arguments;
	char title[CLI_NAME_MAX], next[CLI_NAME_MAX + 24];
	size_t count, least, most;
	const struct cli_option *options = cli_command_options(command, &made, &count);
	cli_command_title(command, title);
	cli_command_operands(command, &least, &most);
	short_config(options, count, argc, argv);
	if (!cli_arguments_parse(&arguments, title, options, count, most, argc, argv))
		return CLI_USAGE;
	arguments.command = command;
	if (arguments.help) {
		cli_command_help(command, stdout);
		return CLI_DONE;
	}
	if (command->local && !cli_arguments_without_socket(&arguments, title))
		return CLI_USAGE;
	snprintf(next, sizeof next, "lamppost %s --help", title);
	if (arguments.operand_count < least)
		return cli_problem(CLI_USAGE, title, next, "expected %s", command->operands);
	return command->run(&arguments);
}

static int run_group(const struct cli_group *group, int argc, char **argv)
{
	const struct cli_command *itself = cli_command_named(group->name, NULL);
	const struct cli_command *command = argc > 0 ? cli_command_named(group->name, argv[0]) : NULL;
	if (command)
		return run(command, argc - 1, argv + 1);
	if (itself && cli_command_of(group->name, 1) == NULL)
		return run(itself, argc, argv);
	if (argc > 0 && is_help(argv[0])) {
		cli_group_help(group, stdout);
		return CLI_DONE;
	}
	if (itself)
		return run(itself, argc, argv);
	if (argc == 0) {
		cli_group_help(group, stderr);
		return CLI_USAGE;
	}
	char next[CLI_NAME_MAX + 24];
	snprintf(next, sizeof next, "lamppost %s --help", group->name);
	return cli_problem(CLI_USAGE, argv[0], next, "no such command of `lamppost %s`", group->name);
}

int cli_command_line(int argc, char **argv)
{
	if (argc < 2) {
		cli_program_help(stderr);
		return CLI_USAGE;
	}
	if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		cli_program_help(stdout);
		return CLI_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		if (argc > 2)
			return cli_problem(CLI_USAGE, argv[2], "lamppost --version", "not expected here");
		printf("lamppost %s\n", LAMPPOST_VERSION);
		return CLI_DONE;
	}
	const struct cli_group *group = cli_group_named(argv[1]);
	if (!group)
		return cli_problem(CLI_USAGE, argv[1], "lamppost --help", "no such command");
	return run_group(group, argc - 2, argv + 2);
}
