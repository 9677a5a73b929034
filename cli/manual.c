#include "cli/manual.h"

#include "cli/problem.h"
#include "common/base/check.h"
#include "common/text/manual.h"

#include <string.h>

static const struct {
	const char *term, *text;
} exits[] = {
	{"0", "Done."},
	{"1", "Failed."},
	{"2", "Usage: the command line, or the configuration, is wrong."},
	{"3", "Not found."},
	{"4", "Refused by a rule: validation, rights, a conflict."},
	{"5", "The server was not reached."},
	{"6", "It took too long."},
	{"130", "Interrupted."},
};

static const struct {
	const char *term, *text;
} variables[] = {
	{"LAMPPOST_SOCKET", "The API's socket; otherwise city.sock of the run directory."},
	{"LAMPPOST_RUN", "Folder of the sockets; otherwise run_dir of the configuration, or STATE/run."},
	{"LAMPPOST_STATE",
	 "Folder of databases and keys; otherwise state_dir of the configuration, or ./var."},
	{"LAMPPOST_CONFIG", "The configuration; otherwise " CONFIG_DEFAULT_FILE ", or STATE/lamppost.yaml."},
	{"NO_COLOR",
	 "Where it is set and not empty, there are no colours, unless --colour always asks for them."},
};

static void print_option(FILE *out, const struct cli_option *option, const char *const *choices)
{
	char term[100], help[600];
	bool behind = option->value && option->value[0] != '[';
	snprintf(term, sizeof term, "--%s%s%s", option->name, behind ? " " : "",
		 option->value ? option->value : "");
	cli_option_help(option, choices, help, sizeof help);
	manual_item(out, term, help);
}

static void print_common(FILE *out)
{
	size_t count;
	const struct cli_option *options = cli_common_options(true, &count);
	for (size_t i = 0; i < count; i++)
		print_option(out, &options[i], NULL);
}

/* Fills "lamppost device show EUI [OPTION...]". */
static void usage(const struct cli_command *command, char *text, size_t capacity)
{
	char title[CLI_NAME_MAX];
	cli_command_title(command, title);
	snprintf(text, capacity, "lamppost %s%s%s [OPTION...]", title, command->operands ? " " : "",
		 command->operands ? command->operands : "");
}

static void print_command(FILE *out, const struct cli_command *command)
{
	struct cli_made_options made;
	char text[200];
	size_t count;
	const struct cli_option *options = cli_command_options(command, &made, &count);
	usage(command, text, sizeof text);
	manual_subsection(out, text);
	manual_text(out, command->summary);
	if (command->description)
		manual_paragraph(out, command->description);
	for (size_t i = 0; i < count; i++)
		print_option(out, &options[i], command->make_options ? made.choices[i] : NULL);
	if (command->exits) {
		manual_paragraph(out, "Exit codes here:");
		manual_lines(out, command->exits);
	}
	if (command->examples) {
		manual_paragraph(out, "Examples:");
		manual_lines(out, command->examples);
	}
}

static void print_group(FILE *out, const struct cli_group *group)
{
	const struct cli_command *command;
	char name[80], text[200];
	snprintf(name, sizeof name, "lamppost-%s", group->name);
	manual_head(out, name, 1, group->summary);
	manual_section(out, "SYNOPSIS");
	fputs(".nf\n", out);
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		usage(command, text, sizeof text);
		fprintf(out, command->hidden ? "" : "%s\n", text);
	}
	fputs(".fi\n", out);
	if (group->description) {
		manual_section(out, "DESCRIPTION");
		manual_text(out, group->description);
	}
	manual_section(out, "COMMANDS");
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++)
		if (!command->hidden)
			print_command(out, command);
	manual_section(out, "OPTIONS");
	manual_text(out,
		    "Beside their own, all commands understand these; --socket only those that speak to the "
		    "server.");
	print_common(out);
	manual_see_also(out, "lamppost(1)");
}

static void print_program(FILE *out)
{
	const struct cli_group *group;
	char term[80];
	manual_head(out, "lamppost", 1, "a city's own LoRaWAN network");
	manual_section(out, "SYNOPSIS");
	fputs(".B lamppost\n.I COMMAND\n[OPTION...]\n.br\n.B lamppost \\-\\-version\n", out);
	manual_section(out, "DESCRIPTION");
	manual_text(
		out,
		"Everything that an agency or an engineer types: it runs the network on one machine, keeps "
		"the "
		"records of devices and gateways, sends commands, and shows what is on the air and why. It "
		"speaks to the application server by a socket of this machine.\n\nAn error is told as "
		"\"lamppost: WHAT: WHY. Try: WHAT NEXT.\" With --json a command prints one JSON document, or "
		"a line of JSON for each event when it follows.");
	manual_section(out, "COMMANDS");
	for (size_t i = 0; (group = cli_group_at(i)); i++) {
		if (group->hidden)
			continue;
		snprintf(term, sizeof term, "lamppost-%s(1)", group->name);
		manual_item(out, term, group->summary);
	}
	manual_section(out, "OPTIONS");
	manual_text(out, "All commands understand these; --socket only those that speak to the server.");
	print_common(out);
	manual_section(out, "EXIT STATUS");
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		manual_item(out, exits[i].term, exits[i].text);
	manual_section(out, "ENVIRONMENT");
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		manual_item(out, variables[i].term, variables[i].text);
	manual_see_also(out, "lamppost.yaml(5) gateway-bridge(8) network-server(8) join-server(8) "
			     "application-server(8)");
}

/* The beginning of lamppost.yaml(5); the sections of the processes follow, printed by each. */
static void print_configuration(FILE *out)
{
	manual_head(out, "lamppost.yaml", 5, "configuration of a Lamppost network");
	manual_section(out, "DESCRIPTION");
	manual_text(out,
		    "One YAML file configures every process: a section each, and common, which all of them "
		    "read. Every "
		    "key has a default. An unknown key, or a value out of its range, refuses the start with "
		    "file, line, "
		    "value and what was expected.\n\nWhat wins: a default, then the file, then "
		    "LAMPPOST_STATE and "
		    "LAMPPOST_RUN. A key with a dot, as mqtt.host, is host in the map mqtt of its section.");
	manual_section(out, "common");
	manual_options(out, config_common_rows, config_common_row_count);
}

static int run_manual(const struct cli_arguments *arguments)
{
	const char *page = arguments->operands[0];
	const struct cli_group *group = strncmp(page, "lamppost-", 9) == 0 ? cli_group_named(page + 9) : NULL;
	if (strcmp(page, "list") == 0) {
		puts("lamppost");
		for (size_t i = 0; (group = cli_group_at(i)); i++)
			if (!group->hidden)
				printf("lamppost-%s\n", group->name);
	} else if (strcmp(page, "lamppost") == 0) {
		print_program(stdout);
	} else if (strcmp(page, "lamppost.yaml") == 0) {
		print_configuration(stdout);
	} else if (group) {
		print_group(stdout, group);
	} else {
		return cli_problem(CLI_NOT_FOUND, page, NULL, "no such page");
	}
	return CLI_DONE;
}

const struct cli_command cli_manual_commands[] = {
	{.group = "__manual",
	 .summary = "a page of the manual, as its source",
	 .operands = "PAGE",
	 .local = true,
	 .hidden = true,
	 .run = run_manual},
};
const size_t cli_manual_command_count = ARRAY_SIZE(cli_manual_commands);
