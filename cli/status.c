/* The command itself: asks, judges, prints, and again. */
#include "cli/status.h"

#include "cli/colour.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/wrap.h"
#include "common/base/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGAIN_S 2

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

/* How it ends: nobody there; something wrong; well. */
static int exit_code_of(const json_t *facts, const json_t *findings)
{
	size_t i;
	const json_t *process;
	bool any = false;
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		any = any || cli_status_answers(process);
	}
	if (!any)
		return CLI_NOT_REACHED;
	return json_array_size(findings) ? CLI_FAILED : CLI_DONE;
}

static void stamp(json_t *facts)
{
	char text[32];
	time_t now = time(NULL);
	struct tm parts = {0};
	if (gmtime_r(&now, &parts) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
		json_object_set_new(facts, "time", json_string(text));
}

/* Whether the screen can be drawn over. */
static bool can_draw(void)
{
	const char *term = getenv("TERM");
	return terminal_width() > 0 && !(term && strcmp(term, "dumb") == 0);
}

static int show(const struct cli_place *place, bool json, bool again)
{
	/* Who watches has the screen of before to look at. */
	struct progress_wheel *wheel = again ? NULL : progress_wheel_start("asking the processes");
	json_t *facts = cli_status_ask(place), *findings = cli_status_judge(facts);
	progress_wheel_end(wheel);
	stamp(facts);
	int code = exit_code_of(facts, findings);
	if (json) {
		json_object_set(facts, "findings", findings);
		json_dumpf(facts, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		/* Drawn over what was there, and what is left of it cleared: nothing flickers. */
		fputs(again && can_draw() ? "\033[H" : "", stdout);
		cli_status_print(stdout, facts, findings, terminal_width(), terminal_height());
		fputs(again && can_draw() ? "\033[J" : "", stdout);
	}
	fflush(stdout);
	json_decref(findings);
	json_decref(facts);
	return code;
}

static const struct cli_option options[] = {
	{"watch", NULL, "again every two seconds, until Ctrl-C"},
	{"count", "N", "with --watch: end after N times"},
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

static int run(const struct cli_arguments *arguments)
{
	struct cli_place place;
	const char *count = cli_argument(arguments, "count");
	bool watch = cli_argument(arguments, "watch") != NULL;
	unsigned long left = 0;
	if (count && !watch)
		return cli_problem(CLI_USAGE, "--count", "lamppost status --watch --count 3",
				   "goes with --watch");
	if (count && !cli_parse_count("--count", count, &left))
		return CLI_USAGE;
	int code = cli_place_find_anyway(&place, "status", cli_argument(arguments, "state"),
					 cli_argument(arguments, "config"));
	if (code != CLI_DONE)
		return code;
	if (!watch)
		return show(&place, arguments->json, false);
	struct sigaction action = {.sa_handler = on_interrupt};
	(void)sigaction(SIGINT, &action, NULL);
	fputs(can_draw() && !arguments->json ? "\033[2J" : "", stdout);
	for (;;) {
		code = show(&place, arguments->json, true);
		if (interrupted)
			return CLI_INTERRUPTED;
		if (count && --left == 0)
			return code;
		(void)nanosleep(&(struct timespec){.tv_sec = AGAIN_S}, NULL);
		if (interrupted)
			return CLI_INTERRUPTED;
	}
}

const struct cli_command cli_status_commands[] = {
	{.group = "status",
	 .summary = "the network's health on one screen, and what to do about it",
	 .description = "Processes, gateways, devices, traffic, queues and disk, then what is wrong with "
			"what a person does "
			"next. A process that does not answer is waited for two seconds at most. Traffic is "
			"that of the last "
			"five minutes, what was refused that of the last hour.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost status\n"
		     "lamppost status --watch\n"
		     "lamppost status --json\n",
	 .exits = "0 all is well\n"
		  "1 something is wrong\n"
		  "5 no process was reached\n",
	 .local = true,
	 .run = run},
};
const size_t cli_status_command_count = ARRAY_SIZE(cli_status_commands);
