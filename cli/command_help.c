/* The help of the program, of a group and of a command, as wide as the terminal. */
#include "cli/command.h"
#include "cli/wrap.h"

#include "common/base/check.h"

#include <string.h>

#define INDENT_OPTIONS 30
#define INDENT_GROUPS  15

void cli_option_help(const struct cli_option *option, const char *const *choices, char *text, size_t capacity)
{
	size_t used = (size_t)snprintf(text, capacity, "%s", option->help);
	for (size_t i = 0; choices && choices[i] && used < capacity; i++)
		used += (size_t)snprintf(text + used, capacity - used, "%s%s", i ? ", " : " (", choices[i]);
	if (choices && used < capacity)
		snprintf(text + used, capacity - used, ")");
}

/* Fills "--name VALUE" as a person types it. */
static void option_text(const struct cli_option *option, char *text, size_t capacity)
{
	bool behind = option->value && option->value[0] != '[';
	snprintf(text, capacity, "  --%s%s%s", option->name, behind ? " " : "",
		 option->value ? option->value : "");
}

/* `choices` has a row for each option, NULL where there are none; itself NULL: none has any. */
static void print_options(const struct cli_option *options, const char *const *const *choices, size_t count,
			  FILE *out)
{
	char left[80], help[400];
	for (size_t i = 0; i < count; i++) {
		option_text(&options[i], left, sizeof left);
		cli_option_help(&options[i], choices ? choices[i] : NULL, help, sizeof help);
		wrap_labelled(out, left, help, terminal_width(), INDENT_OPTIONS);
	}
}

/* Lines of text, each behind two blanks. */
static void print_lines(const char *text, FILE *out)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		fputs("  ", out);
		fwrite(text, 1, length, out);
		fputc('\n', out);
		text += length + (text[length] == '\n');
	}
}

static void usage_text(const struct cli_command *command, char *text, size_t capacity)
{
	char title[CLI_NAME_MAX];
	cli_command_title(command, title);
	snprintf(text, capacity, "%s%s%s", title, command->operands ? " " : "",
		 command->operands ? command->operands : "");
}

void cli_command_help(const struct cli_command *command, FILE *out)
{
	struct cli_made_options made;
	char usage[160];
	size_t count, common;
	const struct cli_option *options = cli_command_options(command, &made, &count);
	usage_text(command, usage, sizeof usage);
	fprintf(out, "lamppost %s\n  ", usage);
	wrap_print(out, command->summary, terminal_width(), 2, 2);
	if (command->description) {
		fputc('\n', out);
		wrap_print(out, command->description, terminal_width(), 0, 0);
	}
	if (command->examples) {
		fputs("\nExamples:\n", out);
		print_lines(command->examples, out);
	}
	fputs("\nOptions:\n", out);
	print_options(options, command->make_options ? made.choices : NULL, count, out);
	const struct cli_option *every = cli_common_options(!command->local, &common);
	print_options(every, NULL, common, out);
	if (command->exits) {
		fputs("\nExit codes here:\n", out);
		print_lines(command->exits, out);
	}
}

void cli_group_help(const struct cli_group *group, FILE *out)
{
	const struct cli_command *command;
	char usage[160], left[200];
	size_t indent = 0;
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		usage_text(command, usage, sizeof usage);
		size_t length = strlen(usage) - strlen(group->name) + 3;
		if (!command->hidden && length > indent && length < 40)
			indent = length;
	}
	fprintf(out, "lamppost %s: ", group->name);
	wrap_print(out, group->summary, terminal_width(), strlen(group->name) + 11, 0);
	if (group->description) {
		fputc('\n', out);
		wrap_print(out, group->description, terminal_width(), 0, 0);
	}
	fputs("\nCommands (each has --help):\n", out);
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		usage_text(command, usage, sizeof usage);
		/* One without a name is known by its option. */
		if (!command->name && command->option_count > 0)
			snprintf(left, sizeof left, "  --%s ", command->options[0].name);
		else
			snprintf(left, sizeof left, "  %s ",
				 usage + strlen(group->name) + (command->name ? 1 : 0));
		if (!command->hidden)
			wrap_labelled(out, left, command->summary, terminal_width(), indent + 2);
	}
	bool any = false;
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		if (command->hidden || !command->examples)
			continue;
		fputs(any ? "" : "\nExamples:\n", out);
		print_lines(command->examples, out);
		any = true;
	}
}

void cli_program_help(FILE *out)
{
	const struct cli_group *group;
	char left[80];
	fputs("lamppost: a city's own LoRaWAN network\n\nCommands (each has --help with examples):\n", out);
	for (size_t i = 0; (group = cli_group_at(i)); i++) {
		snprintf(left, sizeof left, "  %s ", group->name);
		if (!group->hidden)
			wrap_labelled(out, left, group->summary, terminal_width(), INDENT_GROUPS);
	}
	fputc('\n', out);
	wrap_print(out,
		   "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by a rule, 5 server not "
		   "reached, "
		   "6 timed out, 130 interrupted.",
		   terminal_width(), 0, 0);
	wrap_print(out,
		   "Variables: LAMPPOST_SOCKET, LAMPPOST_RUN, LAMPPOST_STATE, LAMPPOST_CONFIG, NO_COLOR.",
		   terminal_width(), 0, 0);
}
