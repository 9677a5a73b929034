/* The script of fish: a line of `complete` for each word that may follow, with the condition under which it may. */
#include "cli/completion.h"
#include "cli/value_word.h"

#include <string.h>

static const char begin[] =
	"# fish completion of lamppost; made by `lamppost completion fish`.\n"
	"\n"
	"# Prints the words of the command on the line: its group, or its group and its name.\n"
	"function __lamppost_path\n"
	"\tset -l words (commandline -opc)[2..]\n"
	"\tif test (count $words) -ge 2; and contains -- \"$words[1] $words[2]\" $__lamppost_commands\n"
	"\t\techo \"$words[1] $words[2]\"\n"
	"\telse\n"
	"\t\techo \"$words[1]\"\n"
	"\tend\n"
	"end\n"
	"\n"
	"function __lamppost_is\n"
	"\ttest (__lamppost_path) = \"$argv[1]\"\n"
	"end\n"
	"\n"
	"# GROUP: nothing stands behind its name.\n"
	"function __lamppost_alone\n"
	"\tset -l words (commandline -opc)[2..]\n"
	"\ttest \"$words\" = \"$argv[1]\"\n"
	"end\n"
	"\n"
	"# KIND: values that the server knows.\n"
	"function __lamppost_values\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l socket\n"
	"\tif set -l place (contains -i -- --socket $words); and test (count $words) -gt $place\n"
	"\t\tset socket --socket $words[(math $place + 1)]\n"
	"\tend\n"
	"\t$words[1] __complete $socket -- $argv[1] (commandline -ct) 2>/dev/null\n"
	"end\n"
	"\n"
	"complete -c lamppost -f\n";

static void print_condition(FILE *out, const char *function, const char *title)
{
	fprintf(out, "complete -c lamppost -n \"%s '%s'\"", function, title);
}

static bool is_of_server(const char *kind)
{
	return cli_value_collection(cli_value_kind_named(kind)) != NULL;
}

/* Choices `a|b` as fish wants them, and the functions that ask the server. */
static void print_values(FILE *out, const char *kind)
{
	if (is_of_server(kind)) {
		fprintf(out, " -a '(__lamppost_values %s)'", kind);
		return;
	}
	char choice[64];
	fputs(" -a '", out);
	for (bool first = true; cli_choice_next(&kind, choice); first = false)
		fprintf(out, "%s%s", first ? "" : " ", choice);
	fputc('\'', out);
}

static bool is_path(const char *kind)
{
	return strcmp(kind, "file") == 0 || strcmp(kind, "dir") == 0;
}

static void print_option(FILE *out, const char *title, const struct cli_completion_option *option)
{
	print_condition(out, "__lamppost_is", title);
	fprintf(out, " -l %s", option->name);
	if (option->kind && is_path(option->kind))
		fputs(strcmp(option->kind, "dir") == 0
			      ? " -x -a '(__fish_complete_directories (commandline -ct))'"
			      : " -r -F",
		      out);
	else if (option->kind && strcmp(option->kind, "free") == 0)
		fputs(" -x", out);
	else if (option->kind) {
		fputs(" -x", out);
		print_values(out, option->kind);
	}
	fputs(" -d ", out);
	cli_completion_quote(out, option->help);
	fputc('\n', out);
}

static void print_command(const struct cli_command *command, FILE *out)
{
	struct cli_completion_option options[CLI_OPTIONS_MAX + 8];
	struct cli_operand operand;
	char title[CLI_NAME_MAX], kind[64];
	const char *at = command->operands;
	size_t count = cli_completion_options(command, options);
	cli_command_title(command, title);
	while (cli_operand_next(&at, &operand)) {
		cli_completion_operand(command->group, operand.word, kind);
		if (!*kind)
			continue;
		print_condition(out, "__lamppost_is", title);
		if (is_path(kind))
			fputs(" -F", out);
		else
			print_values(out, kind);
		fputc('\n', out);
	}
	for (size_t i = 0; i < count; i++)
		print_option(out, title, &options[i]);
}

static void print_name(FILE *out, const char *before, const char *name, const char *summary)
{
	print_condition(out, "__lamppost_alone", before);
	fprintf(out, " -a %s -d ", name);
	cli_completion_quote(out, summary);
	fputc('\n', out);
}

static void for_each(FILE *out, void (*print)(const struct cli_command *command, FILE *out))
{
	const struct cli_group *group;
	const struct cli_command *command;
	for (size_t g = 0; (group = cli_group_at(g)); g++)
		for (size_t i = 0; (command = cli_command_of(group->name, i)); i++)
			if (!command->hidden)
				print(command, out);
}

static void print_title(const struct cli_command *command, FILE *out)
{
	if (command->name)
		fprintf(out, " '%s %s'", command->group, command->name);
}

static void print_names(const struct cli_command *command, FILE *out)
{
	if (command->name)
		print_name(out, command->group, command->name, command->summary);
}

void cli_completion_fish(FILE *out)
{
	const struct cli_group *group;
	fputs(begin, out);
	fputs("set -g __lamppost_commands", out);
	for_each(out, print_title);
	fputs("\n", out);
	for (size_t g = 0; (group = cli_group_at(g)); g++)
		if (!group->hidden)
			print_name(out, "", group->name, group->summary);
	for_each(out, print_names);
	for_each(out, print_command);
}
