#include "cli/alarm.h"

#include "cli/client.h"
#include "cli/join.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEST_PATIENCE 40 /* looks, half a second apart */

static const struct cli_option list_options[] = {
	{"all", NULL, "also what has cleared, newest first"},
	{"kind", "KIND", "one kind alone, such as silent"},
	{"subject", "NAME", "about this alone: an EUI, a backhaul, a process"},
	{"since", "TIME", "only what changed in the last 30m, 2h, 1d"},
	{"limit", "N", "at most so many (100)"},
};

static const struct cli_option ack_options[] = {
	{"kind", "KIND", "all open alarms of this kind"},
	{"group", "NAME", "all open alarms about this: a backhaul, an EUI, a process"},
	{"note", "TEXT", "why, or who does what"},
	{"for", "TIME", "only for so long (4h, 2d); without it until the alarm has cleared"},
	{"undo", NULL, "nobody does it any more: reminders come again"},
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* --- list ---------------------------------------------------------------------------------------------------- */

static bool make_target(char target[CLI_TARGET_MAX], const struct cli_arguments *arguments)
{
	static const char *const same[] = {"kind", "subject", "limit"};
	const char *since = cli_argument(arguments, "since");
	char number[24];
	long seconds;
	snprintf(target, CLI_TARGET_MAX, "/api/v1/alarms");
	bool fits = true;
	if (cli_argument(arguments, "all"))
		fits = cli_target_append_query(target, "state", "all");
	for (size_t i = 0; fits && i < ARRAY_SIZE(same); i++) {
		const char *value = cli_argument(arguments, same[i]);
		fits = !value || cli_target_append_query(target, same[i], value);
	}
	if (fits && since && cli_parse_span(since, &seconds)) {
		snprintf(number, sizeof number, "%ld", seconds);
		fits = cli_target_append_query(target, "since", number);
	}
	return fits;
}

static enum colour colour_of(const json_t *alarm)
{
	const char *severity = text_of(alarm, "severity");
	if (strcmp(text_of(alarm, "state"), "cleared") == 0)
		return COLOUR_GOOD;
	return strcmp(severity, "critical") == 0  ? COLOUR_BAD
	       : strcmp(severity, "warning") == 0 ? COLOUR_WARNING
						  : COLOUR_NONE;
}

static void print_table(const json_t *items)
{
	static const char *const titles[] = {"ID",          "SEVERITY", "KIND", "ABOUT",
					     "SINCE (UTC)", "STATE",    "WHAT"};
	struct table_text table;
	size_t i;
	const json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char id[24], since[24], state[64];
		const json_t *ack = json_object_get(item, "acknowledged");
		snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(item, "id")));
		snprintf(since, sizeof since, "%.16s", text_of(item, "since"));
		if (json_is_object(ack))
			snprintf(state, sizeof state, "taken on: %.40s", text_of(ack, "by"));
		else if (json_is_integer(json_object_get(item, "part_of")) &&
			 strcmp(text_of(item, "state"), "raised") == 0)
			snprintf(state, sizeof state, "part of %" JSON_INTEGER_FORMAT,
				 json_integer_value(json_object_get(item, "part_of")));
		else
			snprintf(state, sizeof state, "%s", text_of(item, "state"));
		const char *cells[] = {
			id,    text_of(item, "severity"), text_of(item, "kind"), text_of(item, "name"), since,
			state, text_of(item, "sentence")};
		table_text_add(&table, cells);
		table_text_colour(&table, 1, colour_of(item));
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static int run_list(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	long seconds;
	const char *since = cli_argument(arguments, "since");
	json_t *answer = NULL;
	if (since && !cli_parse_span(since, &seconds))
		return cli_problem(CLI_USAGE, since, "--since 30m",
				   "expected a time such as 90s, 30m, 2h or 1d");
	if (!make_target(target, arguments))
		return cli_problem(CLI_USAGE, "alarm list", NULL, "an option is too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, "alarms", IO_HTTP_GET, target, NULL, &answer);
	const json_t *items = json_object_get(answer, "items");
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE && json_array_size(items) == 0) {
		printf("No alarm%s.\n", cli_argument(arguments, "all") ? "" : " is open");
	} else if (exit_code == CLI_DONE) {
		print_table(items);
	}
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- channels ------------------------------------------------------------------------------------------------ */

static int run_channels(const struct cli_arguments *arguments)
{
	static const char *const titles[] = {"CHANNEL", "KIND", "TO",     "FROM SEVERITY",
					     "STATE",   "SENT", "PROBLEM"};
	json_t *answer = NULL;
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, "channels", IO_HTTP_GET, "/api/v1/alarms/channels", NULL, &answer);
	const json_t *items = json_object_get(answer, "items"), *item;
	size_t i;
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE && json_array_size(items) == 0) {
		printf("Nobody is told of alarms: no channel is configured.\n"
		       "See application-server.alarms.channels in the configuration.\n");
	} else if (exit_code == CLI_DONE) {
		struct table_text table;
		table_text_init(&table, ARRAY_SIZE(titles), titles);
		json_array_foreach(items, i, item)
		{
			char sent[24];
			snprintf(sent, sizeof sent, "%" JSON_INTEGER_FORMAT,
				 json_integer_value(json_object_get(item, "sent")));
			const char *cells[] = {text_of(item, "name"),   text_of(item, "type"),
					       text_of(item, "target"), text_of(item, "least"),
					       text_of(item, "state"),  sent,
					       text_of(item, "problem")};
			table_text_add(&table, cells);
			table_text_colour(&table, 4,
					  strcmp(cells[4], "failing") == 0 ? COLOUR_BAD : COLOUR_GOOD);
		}
		table_text_print(&table, stdout, terminal_width());
		table_text_release(&table);
	}
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- test ---------------------------------------------------------------------------------------------------- */

static long long number_of(const json_t *channel, const char *key)
{
	return (long long)json_integer_value(json_object_get(channel, key));
}

/* Lends the channel of that name in an answer, or NULL. */
static const json_t *find_channel(const json_t *answer, const char *name)
{
	size_t i;
	const json_t *item;
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		if (strcmp(text_of(item, "name"), name) == 0)
			return item;
	}
	return NULL;
}

/* Looks until the channel has sent, or failed, once more than before. */
static int await_word(struct cli_client *client, const char *name, const json_t *before)
{
	const struct timespec pause = {.tv_nsec = 500000000};
	for (int i = 0; i < TEST_PATIENCE; i++) {
		json_t *answer = NULL;
		nanosleep(&pause, NULL);
		int exit_code = cli_call(client, name, IO_HTTP_GET, "/api/v1/alarms/channels", NULL, &answer);
		const json_t *channel = find_channel(answer, name);
		if (exit_code != CLI_DONE || !channel) {
			json_decref(answer);
			return exit_code != CLI_DONE ? exit_code : CLI_NOT_FOUND;
		}
		if (number_of(channel, "sent") > number_of(before, "sent")) {
			printf("%s took the test.\n", name);
			json_decref(answer);
			return CLI_DONE;
		}
		if (number_of(channel, "failed") > number_of(before, "failed")) {
			exit_code = cli_problem(CLI_FAILED, name,
						"put it right and send it again; alarms "
						"that are due are tried again by "
						"themselves",
						"the test was not taken: %s", text_of(channel, "problem"));
			json_decref(answer);
			return exit_code;
		}
		json_decref(answer);
	}
	return cli_problem(CLI_TIMED_OUT, name, "lamppost alarm channels", "no word from it within 20 s");
}

static int run_test(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	const char *name = arguments->operands[0];
	json_t *before = NULL;
	snprintf(target, sizeof target, "/api/v1/alarms/channels/");
	if (!cli_target_append(target, name) || strlen(target) + 6 >= sizeof target)
		return cli_problem(CLI_USAGE, name, NULL, "the name is too long");
	memcpy(target + strlen(target), "/test", 6);
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, name, IO_HTTP_POST, target, NULL, &before);
	if (exit_code == CLI_DONE)
		exit_code = await_word(client, name, before);
	json_decref(before);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_alarm_commands[] = {
	{.group = "alarm",
	 .name = "list",
	 .summary = "what is wrong now: alarms with their severity, since when, who has taken them on",
	 .description =
		 "An alarm clears by itself when its cause is over. Gateways that fall silent together "
		 "are parts of one alarm of their backhaul.",
	 .options = list_options,
	 .option_count = ARRAY_SIZE(list_options),
	 .examples = "lamppost alarm list\n"
		     "lamppost alarm list --all --since 1d\n"
		     "lamppost alarm list --kind silent --json\n",
	 .run = run_list},
	{.group = "alarm",
	 .name = "ack",
	 .summary = "take alarms on: nobody is told of them again until they clear and come back",
	 .description = "An alarm that gets worse is told all the same: a certificate with thirty days left "
			"that was "
			"taken on is told again a week before its end.",
	 .operands = "[ID...]",
	 .options = ack_options,
	 .option_count = ARRAY_SIZE(ack_options),
	 .examples = "lamppost alarm ack 17 --note 'provider called, ticket 4711' --for 4h\n"
		     "lamppost alarm ack --kind udp_open\n"
		     "lamppost alarm ack --group 'fibre north'\n",
	 .run = cli_alarm_ack},
	{.group = "alarm",
	 .name = "explain",
	 .summary = "what an alarm means: its numbers, its history, its cause, what to do",
	 .description = "By the number of an alarm, or by a kind of alarm. Without either: all kinds.",
	 .operands = "[ID]",
	 .examples = "lamppost alarm explain 17\n"
		     "lamppost alarm explain backhaul_silent\n",
	 .run = cli_alarm_explain},
	{.group = "alarm",
	 .name = "channels",
	 .summary = "who is told of alarms, and whether it works",
	 .examples = "lamppost alarm channels\n",
	 .run = run_channels},
	{.group = "alarm",
	 .name = "test",
	 .summary = "send a test to a channel, and wait for what becomes of it",
	 .operands = "CHANNEL",
	 .examples = "lamppost alarm test duty\n",
	 .run = run_test},
};
const size_t cli_alarm_command_count = ARRAY_SIZE(cli_alarm_commands);
