#include "cli/why.h"

#include "cli/join.h"
#include "cli/problem.h"
#include "cli/why_ask.h"
#include "cli/wrap.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 4

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* --- the answer for people ---------------------------------------------------------------------------------------------- */

/* "2026-11-21 18:00:00.123" */
static void print_time(const char *time)
{
	for (size_t i = 0; i < sizeof "2026-11-21T18:00:00.123" - 1 && time[i]; i++)
		putchar(time[i] == 'T' ? ' ' : time[i] >= ' ' && time[i] <= '~' ? time[i] : '?');
}

static void print_decision(const json_t *decision, size_t width)
{
	const char *next = text_of(decision, "next");
	print_time(text_of(decision, "time"));
	fputs("  ", stdout);
	printable_write(stdout, text_of(decision, "process"));
	fputs("  ", stdout);
	printable_write(stdout, text_of(decision, "verdict"));
	putchar('\n');
	wrap_labelled(stdout, "", text_of(decision, "sentence"), width, INDENT);
	if (*next)
		wrap_labelled(stdout, "  →", next, width, INDENT);
}

static void print_answer(const json_t *answer, bool direct, size_t width)
{
	const json_t *decisions = json_object_get(answer, "decisions"), *decision;
	json_int_t more = json_integer_value(json_object_get(answer, "more"));
	size_t index;
	if (direct)
		wrap_print(stdout,
			   "The application server is not reached: asked the processes themselves. Names, "
			   "joins of "
			   "before, downlinks and deliveries are missing here.",
			   width, 0, 0);
	wrap_print(stdout, text_of(answer, "summary"), width, 0, 0);
	if (*text_of(answer, "next"))
		wrap_labelled(stdout, "→", text_of(answer, "next"), width, 2);
	if (json_array_size(decisions) > 0)
		putchar('\n');
	json_array_foreach((json_t *)decisions, index, decision)
	{
		print_decision(decision, width);
	}
	if (more > 0)
		printf("\n%" JSON_INTEGER_FORMAT " older: --limit shows more.\n", more);
}

static void print_rules(const json_t *answer, size_t width)
{
	const json_t *rules = json_object_get(answer, "rules"), *rule, *process;
	const char *before = "";
	size_t index;
	json_array_foreach((json_t *)rules, index, rule)
	{
		if (strcmp(before, text_of(rule, "process")) != 0)
			printf("%s%s\n", *before ? "\n" : "", text_of(rule, "process"));
		before = text_of(rule, "process");
		fputs("  ", stdout);
		printable_write(stdout, text_of(rule, "verdict"));
		putchar('\n');
		wrap_labelled(stdout, "", text_of(rule, "sentence"), width, INDENT);
		if (*text_of(rule, "next"))
			wrap_labelled(stdout, "  →", text_of(rule, "next"), width, INDENT);
	}
	json_array_foreach((json_t *)json_object_get(answer, "unreachable"), index, process)
	{
		fprintf(stderr, "%s is not reached: its rules are missing.\n", json_string_value(process));
	}
}

/* --- the commands --------------------------------------------------------------------------------------------------------- */

static int run(const struct cli_arguments *arguments, enum why_kind kind)
{
	struct cli_why why = {.limit = WHY_LIMIT, .what = "why --rules"};
	bool rules = kind == WHY_RULES; /* has no bounds */
	const char *since = rules ? NULL : cli_argument(arguments, "since");
	const char *limit = rules ? NULL : cli_argument(arguments, "limit"), *expected = "";
	unsigned long number = WHY_LIMIT;
	if (kind == WHY_SERVER)
		why.what = "why server";
	else if (!rules)
		why.what = arguments->operands[0];
	if (!why_subject_parse(&why.subject, kind, rules ? "" : why.what, &expected))
		return cli_problem(CLI_USAGE, why.what, "lamppost why --help", "expected %s", expected);
	if (since && !cli_parse_span(since, &why.since_s))
		return cli_problem(CLI_USAGE, since, "--since 30m",
				   "expected a time such as 90s, 30m, 2h or 1d");
	if (limit && !cli_parse_count("--limit", limit, &number))
		return CLI_USAGE;
	if (number > WHY_LIMIT_MAX)
		return cli_problem(CLI_USAGE, "--limit", NULL, "expected 1 to %d", WHY_LIMIT_MAX);
	why.limit = (unsigned)number;
	json_t *answer = NULL;
	bool direct = false;
	int code = cli_why_ask(arguments, &why, &answer, &direct);
	if (code != CLI_DONE)
		return code;
	if (arguments->json) {
		json_object_set_new(answer, "direct", json_boolean(direct));
		json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else if (rules) {
		print_rules(answer, terminal_width());
	} else {
		print_answer(answer, direct, terminal_width());
	}
	json_decref(answer);
	return CLI_DONE;
}

static int run_device(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_DEVICE);
}

static int run_gateway(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_GATEWAY);
}

static int run_join(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_JOIN);
}

static int run_downlink(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_DOWNLINK);
}

static int run_frame(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_FRAME);
}

static int run_server(const struct cli_arguments *arguments)
{
	return run(arguments, WHY_SERVER);
}

static int run_rules(const struct cli_arguments *arguments)
{
	if (!cli_argument(arguments, "rules"))
		return cli_problem(CLI_USAGE, "why", "lamppost why device EUI",
				   "expected device, gateway, join, downlink, frame or server, or --rules");
	return run(arguments, WHY_RULES);
}

static const struct cli_option options[] = {
	{"since", "TIME", "only what was decided in the last 30m, 2h, 1d"},
	{"limit", "N", "at most so many decisions (50)"},
};

static const struct cli_option rules_options[] = {
	{"rules", NULL, "every rule of every process: its name, its sentence, and the next step"},
};

#define DESCRIPTION                                                                                         \
	" The summary comes first, then each decision, newest first: when, which process, which rule, its " \
	"sentence with the numbers that decided, and behind an arrow what to do next.\n\nThe processes "    \
	"answer "                                                                                           \
	"from memory; a process that is away is named, and the rest is answered. When the application "     \
	"server "                                                                                           \
	"is away itself, root and the service's user still get an answer from the other processes."

const struct cli_command cli_why_commands[] = {
	{.group = "why",
	 .name = "device",
	 .summary = "why a sensor is silent, refused or misread",
	 .description =
		 "What was decided about a device: its frames, joins, commands and readings." DESCRIPTION,
	 .operands = "EUI",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples =
		 "lamppost why device 70b3d57ed0000001\nlamppost why device 70b3d57ed0000001 --since 2h\n",
	 .run = run_device},
	{.group = "why",
	 .name = "gateway",
	 .summary = "why a gateway is silent, or its datagrams are refused",
	 .description = "What was decided about a gateway: how the bridge hears it now, and what was refused "
			"of it." DESCRIPTION,
	 .operands = "GATEWAY",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost why gateway 0016c001ff10a235\n",
	 .run = run_gateway},
	{.group = "why",
	 .name = "join",
	 .summary = "why a sensor does not join",
	 .description =
		 "What was decided about the join-requests of a device, registered or not." DESCRIPTION,
	 .operands = "EUI",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost why join 70b3d57ed0000001\n",
	 .run = run_join},
	{.group = "why",
	 .name = "downlink",
	 .summary = "why a command does not reach its device",
	 .description = "What was decided about one downlink, by the id that it was given when it was "
			"sent." DESCRIPTION,
	 .operands = "ID",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost why downlink 0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11\n",
	 .run = run_downlink},
	{.group = "why",
	 .name = "frame",
	 .summary = "what became of one frame",
	 .description =
		 "What was decided about one frame. It is named by its MIC (the last 8 hex digits of the "
		 "PHYPayload; a newer frame may hide an older one, which is found by MIC@DEVADDR or "
		 "MIC@DEVEUI), "
		 "by the whole PHYPayload in hex, by DEVADDR:FCNT, or by the id of its event." DESCRIPTION,
	 .operands = "FRAME",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost why frame 2b11ff0d\nlamppost why frame 40f17dbe4900020001954378762b11ff0d\n"
		     "lamppost why frame 2b11ff0d@49be7df1\nlamppost why frame 49be7df1:2\n",
	 .run = run_frame},
	{.group = "why",
	 .name = "server",
	 .summary = "what was refused that names no device and no gateway",
	 .description = "What was decided about messages, callers, records and datagrams that name no "
			"registered device or "
			"gateway; for the city's engineers." DESCRIPTION,
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost why server --since 1h\n",
	 .run = run_server},
	{.group = "why",
	 .summary = "every rule of every process",
	 .description = "With --rules: all that can be decided, a row a rule, as the sentences that answers "
			"are made of; "
			"their numbers stand in braces.",
	 .options = rules_options,
	 .option_count = ARRAY_SIZE(rules_options),
	 .examples = "lamppost why --rules\n",
	 .run = run_rules},
};
const size_t cli_why_command_count = ARRAY_SIZE(cli_why_commands);
