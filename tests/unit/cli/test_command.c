/* The rows of all commands: that each is whole, that its examples and those of the documents are command lines that it takes,
 * and that help says what the rows say. */
#include "tests/harness/harness.h"

#include "cli/command.h"
#include "cli/problem.h"
#include "cli/value_word.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 40

/* Words of operands that a shell cannot complete; every other must have a kind. */
static const char *const free_words[] = {"FRAME", "SLUG",    "WORD", "HEX",  "UUID",   "ID",   "MIC",
					 "ADDR",  "ADDRESS", "N",    "KIND", "PREFIX", "PAGE", "CHANNEL"};

static bool is_free(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(free_words); i++)
		if (strcmp(free_words[i], word) == 0)
			return true;
	return false;
}

static bool is_line(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	bool stop = length > 0 && text[length - 1] == '.' && (length < 3 || text[length - 2] != '.');
	return length > 0 && !stop && !strchr(text, '\n');
}

static void every_row_is_whole(void **state)
{
	(void)state;
	size_t commands = 0;
	const struct cli_group *group;
	const struct cli_command *command;
	for (size_t g = 0; (group = cli_group_at(g)); g++) {
		t_row(group->name);
		t_true("summary is a line without a full stop", is_line(group->summary));
		t_true("has a command", cli_command_of(group->name, 0) != NULL);
		t_true("is found", cli_group_named(group->name) == group);
		for (size_t i = 0; (command = cli_command_of(group->name, i)); i++, commands++) {
			char title[CLI_NAME_MAX];
			struct cli_operand operand;
			struct cli_made_options made;
			size_t count;
			cli_command_title(command, title);
			t_row(title);
			t_true("summary is a line without a full stop", is_line(command->summary));
			t_true("runs", command->run != NULL);
			t_true("is found by its name",
			       cli_command_named(group->name, command->name) == command);
			t_true("has an example", command->hidden || command->examples);
			const char *at = command->operands;
			while (cli_operand_next(&at, &operand))
				if (!is_free(operand.word) &&
				    cli_operand_kind(group->name, operand.word) == CLI_VALUE_FREE)
					t_str("operand of a known kind (cli/value_word.c)", "", operand.word);
			const struct cli_option *options = cli_command_options(command, &made, &count);
			for (size_t o = 0; o < count; o++)
				if (!is_line(options[o].help))
					t_str("option's help is a line without a full stop", "",
					      options[o].name);
		}
	}
	t_true("there are many", commands > 30);
}

static void every_command_has_a_group(void **state)
{
	(void)state;
	t_uint("rows without one", 0, cli_commands_without_group());
}

/* --- command lines that people copy -------------------------------------------------------------------------------- */

/* Parts a line into words as a shell would, as far as quotes go; ends at a comment, a pipe or a redirection. `line` is
 * written to. */
static int split(char *line, char *words[WORDS_MAX])
{
	int count = 0;
	char *at = line;
	while (*at && count < WORDS_MAX) {
		at += strspn(at, " ");
		if (!*at || strchr("#|>&;", *at) || strcmp(at, "\\") == 0)
			break; /* what goes on in the next line is not looked at */
		char *to = at;
		words[count++] = to;
		while (*at && *at != ' ') {
			char quote = *at == '\'' || *at == '"' ? *at++ : '\0';
			while (*at && (quote ? *at != quote : *at != ' ' && *at != '\'' && *at != '"'))
				*to++ = *at++;
			at += quote && *at ? 1 : 0;
		}
		if (*at)
			at++;
		*to = '\0';
	}
	return count;
}

/* Whether the words (behind `lamppost`) are a command line that the rows take. */
static bool is_taken(int count, char **words)
{
	struct cli_made_options made;
	struct cli_arguments arguments;
	size_t option_count, least, most;
	const struct cli_group *group = count > 0 ? cli_group_named(words[0]) : NULL;
	if (!group)
		return count > 0 && (strcmp(words[0], "--version") == 0 || strcmp(words[0], "--help") == 0);
	const struct cli_command *command = count > 1 ? cli_command_named(words[0], words[1]) : NULL;
	int used = command ? 2 : 1;
	if (!command)
		command = cli_command_named(words[0], NULL);
	if (!command)
		return false;
	const struct cli_option *options = cli_command_options(command, &made, &option_count);
	cli_command_operands(command, &least, &most);
	for (int i = used; i < count; i++)
		if (strcmp(words[i], "-c") == 0)
			return true;
	return cli_arguments_parse(&arguments, words[0], options, option_count, most, count - used,
				   words + used) &&
	       arguments.operand_count >= least;
}

static void every_example_is_a_command_line(void **state)
{
	(void)state;
	const struct cli_group *group;
	const struct cli_command *command;
	for (size_t g = 0; (group = cli_group_at(g)); g++)
		for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
			char *copy = strdup(command->examples ? command->examples : ""), *rest = copy, *line;
			while ((line = strsep(&rest, "\n")) && *line) {
				char *words[WORDS_MAX], shown[300];
				snprintf(shown, sizeof shown, "%s", line);
				t_row(shown);
				char *pipe = strstr(line, "lamppost ");
				int count = pipe ? split(pipe, words) : 0;
				t_true("names its command", count > 1 && strcmp(words[1], group->name) == 0);
				t_true("is taken", count > 1 && is_taken(count - 1, words + 1));
			}
			t_true("ends with a newline", !command->examples || !line || !*line);
			free(copy);
		}
}

/* Lines of the documents that are set off as commands. */
static size_t check_document(const char *path)
{
	char text[600];
	size_t found = 0;
	bool fenced = false;
	FILE *file = fopen(path, "re");
	t_row(path);
	t_true("opens", file != NULL);
	while (file && fgets(text, sizeof text, file)) {
		char *words[WORDS_MAX], shown[640];
		text[strcspn(text, "\n")] = '\0';
		size_t length = strlen(text);
		while (length > 0 && text[length - 1] == '\\' &&
		       fgets(text + length - 1, (int)(sizeof text - length),
			     file)) { /* goes on in the next line */
			text[strcspn(text, "\n")] = '\0';
			length = strlen(text);
		}
		char *at = text + strspn(text, " \t");
		if (strncmp(at, "```", 3) == 0)
			fenced = !fenced;
		if (!fenced && at - text < 4 && at[-(at > text)] != '\t')
			continue;
		if (strncmp(at, "$ ", 2) == 0)
			at += 2;
		if (strncmp(at, "sudo ", 5) == 0)
			at += 5;
		if (strncmp(at, "build/bin/", 10) == 0)
			at += 10;
		if (strncmp(at, "lamppost ", 9) != 0)
			continue;
		char *comment = strstr(at, "  ");
		if (comment)
			*comment = '\0';
		snprintf(shown, sizeof shown, "%s: %s", path, at);
		t_row(shown);
		int count = split(at, words);
		t_true("is taken", count > 1 && is_taken(count - 1, words + 1));
		found++;
	}
	if (file)
		fclose(file);
	return found;
}

static void every_command_in_the_documents_is_taken(void **state)
{
	(void)state;
	static const char *const documents[] = {"README.md",          "docs/a-sensor-does-not-join.md",
						"docs/agencies.md",   "docs/captures.md",
						"docs/checklists.md", "docs/codecs.md",
						"docs/commands.md",   "docs/contract.md",
						"docs/frame-tool.md", "docs/frames.md",
						"docs/gateways.md",   "docs/operators.md"};
	size_t found = 0;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		found += check_document(documents[i]);
	t_true("there are some", found >= 10);
}

/* --- help ------------------------------------------------------------------------------------------------------------ */

static char help_text[8192];

static const char *help_of(const char *group, const char *name)
{
	char *made = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&made, &length);
	if (!group)
		cli_program_help(out);
	else if (!name)
		cli_group_help(cli_group_named(group), out);
	else
		cli_command_help(cli_command_named(group, *name ? name : NULL), out);
	fclose(out);
	snprintf(help_text, sizeof help_text, "%s", made);
	free(made);
	return help_text;
}

static void a_command_without_a_name_stands_in_its_group_by_its_option(void **state)
{
	(void)state;
	const char *help = help_of("why", NULL);
	t_true("its option", strstr(help, "\n  --rules "));
	t_true("what it does", strstr(help, " every rule of every process\n"));
}

static void help_of_one_command_is_as_it_was_written(void **state)
{
	(void)state;
	t_str("downlink flush",
	      "lamppost downlink flush EUI\n"
	      "  drop what waits\n"
	      "\n"
	      "Examples:\n"
	      "  lamppost downlink flush 70b3d57ed0000001\n"
	      "\n"
	      "Options:\n"
	      "  --id UUID                   only this one\n"
	      "  --socket PATH               the API's socket; default: LAMPPOST_SOCKET, or city.sock of the "
	      "run "
	      "directory\n"
	      "  --json                      one JSON document (JSON lines when following)\n"
	      "  --colour always|never|auto  colours; auto: on a terminal, unless NO_COLOR is set\n"
	      "  --help                      this text\n",
	      help_of("downlink", "flush"));
}

static void help_names_everything(void **state)
{
	(void)state;
	const struct cli_group *group;
	const struct cli_command *command;
	char wanted[120];
	for (size_t g = 0; (group = cli_group_at(g)); g++) {
		t_row(group->name);
		snprintf(wanted, sizeof wanted, "\n  %s ", group->name);
		t_int("in the program's help", !group->hidden, strstr(help_of(NULL, NULL), wanted) != NULL);
		for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
			struct cli_made_options made;
			char title[CLI_NAME_MAX];
			size_t count;
			cli_command_title(command, title);
			t_row(title);
			snprintf(wanted, sizeof wanted, "\n  %s%s", command->name ? command->name : "",
				 command->name ? " " : "");
			t_true("in its group's help",
			       command->hidden || strstr(help_of(group->name, NULL), wanted) != NULL);
			const char *text = help_of(group->name, command->name ? command->name : "");
			const struct cli_option *options = cli_command_options(command, &made, &count);
			for (size_t o = 0; o < count; o++) {
				snprintf(wanted, sizeof wanted, "\n  --%s", options[o].name);
				t_true(options[o].name, strstr(text, wanted) != NULL);
			}
			t_int("--socket where an API is spoken", !command->local,
			      strstr(text, "\n  --socket ") != NULL);
		}
	}
}

/* --- words that are wrong ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *words[6];
	int code;
} wrong[] = {
	{"nothing", {"lamppost"}, CLI_USAGE},
	{"no such group", {"lamppost", "frobnicate"}, CLI_USAGE},
	{"a group alone", {"lamppost", "downlink"}, CLI_USAGE},
	{"no such command", {"lamppost", "downlink", "drop"}, CLI_USAGE},
	{"an operand is missing", {"lamppost", "device", "show"}, CLI_USAGE},
	{"one too many", {"lamppost", "device", "show", "a", "b"}, CLI_USAGE},
	{"no such option", {"lamppost", "device", "show", "a", "--frob"}, CLI_USAGE},
	{"--socket where no API is spoken", {"lamppost", "status", "--socket", "/s"}, CLI_USAGE},
	{"help", {"lamppost", "--help"}, CLI_DONE},
	{"help of a group", {"lamppost", "downlink", "--help"}, CLI_DONE},
	{"help of a command", {"lamppost", "downlink", "send", "-h"}, CLI_DONE},
	{"help before an operand is missed", {"lamppost", "device", "show", "--help"}, CLI_DONE},
	{"help of a group that is a command", {"lamppost", "status", "--help"}, CLI_DONE},
};

static void words_that_are_wrong_are_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *words[7] = {NULL};
		int count = 0;
		for (; count < 6 && wrong[i].words[count]; count++)
			words[count] = (char *)(uintptr_t)wrong[i].words[count];
		t_row(wrong[i].name);
		t_int("exit code", wrong[i].code, cli_command_line(count, words));
	}
}

static const struct {
	const char *name, *operands;
	size_t least, most;
} counts[] = {
	{"none", NULL, 0, 0},
	{"one", "EUI", 1, 1},
	{"one and perhaps another", "EUI [FILE]", 1, 2},
	{"a word and one", "set EUI", 2, 2},
	{"one or more", "FILE...", 1, CLI_OPERANDS_MAX},
	{"any number", "[FILE...]", 0, CLI_OPERANDS_MAX},
};

static void operands_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		size_t least, most;
		t_row(counts[i].name);
		cli_command_operands(&(struct cli_command){.operands = counts[i].operands}, &least, &most);
		t_uint("least", counts[i].least, least);
		t_uint("most", counts[i].most, most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_row_is_whole),
		t_test(every_command_has_a_group),
		t_test(every_example_is_a_command_line),
		t_test(every_command_in_the_documents_is_taken),
		t_test(a_command_without_a_name_stands_in_its_group_by_its_option),
		t_test(help_of_one_command_is_as_it_was_written),
		t_test(help_names_everything),
		t_test(words_that_are_wrong_are_usage),
		t_test(operands_are_counted),
	};
	return t_run(tests);
}
