/* The `lamppost` command: one row a group of commands. */
#include "cli/downlink.h"
#include "cli/events.h"
#include "cli/init.h"
#include "cli/join.h"
#include "cli/problem.h"
#include "cli/records.h"
#include "cli/status.h"
#include "cli/up.h"
#include "common/base/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *help; /* one line, no full stop */
	int (*run)(int argc, char **argv);
} groups[] = {
	{"init", "make state directory, keys and configuration, once", cli_init},
	{"up", "run the whole network on this machine", cli_up},
	{"status", "which processes run, and how they are", cli_status},
	{"agency", "parts of the city that own sensors and their data", cli_records},
	{"application", "receivers of readings", cli_records},
	{"profile", "kinds of device: radio behaviour and codec", cli_records},
	{"deployment", "programmes that devices belong to", cli_records},
	{"device", "sensors: register one or many, set keys", cli_records},
	{"gateway", "the city's receivers", cli_records},
	{"join", "what became of join-requests: why a sensor does not join", cli_join},
	{"downlink", "commands to devices: send, list, flush", cli_downlink},
	{"events", "readings, joins and what becomes of commands, as they are delivered", cli_events},
};

static void print_help(FILE *out)
{
	fprintf(out, "lamppost: a city's own LoRaWAN network\n\nCommands (each has --help with examples):\n");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		fprintf(out, "  %-12s %s\n", groups[i].name, groups[i].help);
	fprintf(out,
		"\nExit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by a rule, 5 server not "
		"reached,\n"
		"6 timed out, 130 interrupted.\n"
		"Variables: LAMPPOST_SOCKET, LAMPPOST_RUN, LAMPPOST_STATE, LAMPPOST_CONFIG, NO_COLOR.\n");
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return CLI_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		if (argc > 2)
			return cli_problem(CLI_USAGE, argv[2], "lamppost --version", "not expected here");
		printf("lamppost %s\n", LAMPPOST_VERSION);
		return CLI_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(groups[i].name, argv[1]) == 0)
			return groups[i].run(argc - 1, argv + 1);
	}
	return cli_problem(CLI_USAGE, argv[1], "lamppost --help", "no such command");
}
