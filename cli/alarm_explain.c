/* What an alarm, or a kind of alarm, means and what to do about it. */
#include "cli/alarm.h"
#include "cli/client.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

#define HANGING 12

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void print_pair(const char *label, const char *text)
{
	char left[40], right[1024];
	if (!*text)
		return;
	snprintf(left, sizeof left, "%-*s", HANGING, label);
	snprintf(right, sizeof right, "%.*s", (int)strcspn(text, "\n"), text);
	printable_write(stdout, left);
	wrap_print(stdout, right, terminal_width(), HANGING, HANGING);
}

static void print_commands(const json_t *commands)
{
	size_t i;
	const json_t *command;
	json_array_foreach(commands, i, command)
	{
		print_pair(i ? "" : "commands", json_string_value(command));
	}
}

/* --- one alarm ----------------------------------------------------------------------------------------------- */

static void print_history(const json_t *history)
{
	size_t i;
	const json_t *turn;
	json_array_foreach(history, i, turn)
	{
		char line[120];
		if (i == 10)
			break;
		snprintf(line, sizeof line, "%.19s  %-8s  %" JSON_INTEGER_FORMAT, text_of(turn, "at"),
			 text_of(turn, "what"), json_integer_value(json_object_get(turn, "value")));
		print_pair(i ? "" : "history", line);
	}
}

static void print_members(const json_t *members)
{
	size_t i;
	const json_t *member;
	json_array_foreach(members, i, member)
	{
		char line[200];
		snprintf(line, sizeof line, "%s  %s  (alarm %" JSON_INTEGER_FORMAT ")",
			 text_of(member, "subject"), text_of(member, "name"),
			 json_integer_value(json_object_get(member, "id")));
		print_pair(i ? "" : "members", line);
	}
}

static void print_alarm(const json_t *alarm)
{
	char line[400];
	const json_t *ack = json_object_get(alarm, "acknowledged");
	print_pair("what", text_of(alarm, "sentence"));
	snprintf(line, sizeof line, "%s, %s (%s)", text_of(alarm, "severity"), text_of(alarm, "title"),
		 text_of(alarm, "kind"));
	print_pair("severity", line);
	snprintf(line, sizeof line, "%s since %.19s UTC, %" JSON_INTEGER_FORMAT " time(s), first %.19s UTC",
		 text_of(alarm, "state"), text_of(alarm, "since"),
		 json_integer_value(json_object_get(alarm, "times")), text_of(alarm, "first"));
	print_pair("state", line);
	if (json_is_object(ack)) {
		snprintf(line, sizeof line, "%s at %.19s UTC%s%s%s%.160s", text_of(ack, "by"),
			 text_of(ack, "at"), *text_of(ack, "until") ? ", until " : "", text_of(ack, "until"),
			 *text_of(ack, "note") ? ": " : "", text_of(ack, "note"));
		print_pair("taken on", line);
	}
	if (json_is_integer(json_object_get(alarm, "part_of"))) {
		snprintf(line, sizeof line, "alarm %" JSON_INTEGER_FORMAT ", which says it all",
			 json_integer_value(json_object_get(alarm, "part_of")));
		print_pair("part of", line);
	}
	print_members(json_object_get(alarm, "members"));
	print_pair("cause", text_of(alarm, "cause"));
	print_pair("next", text_of(alarm, "next"));
	print_commands(json_object_get(alarm, "commands"));
	print_history(json_object_get(alarm, "history"));
}

/* --- kinds --------------------------------------------------------------------------------------------------- */

static void print_threshold(const json_t *kind, const char *label, const char *key)
{
	char line[120];
	const json_t *value = json_object_get(kind, key);
	if (!json_is_integer(value))
		return;
	snprintf(line, sizeof line, "%s %" JSON_INTEGER_FORMAT " %s",
		 json_is_true(json_object_get(kind, "below")) == (strcmp(key, "clear") != 0) ? "at or below"
											     : "at or above",
		 json_integer_value(value), text_of(kind, "unit"));
	print_pair(label, line);
}

static void print_kind(const json_t *kind)
{
	char line[200];
	snprintf(line, sizeof line, "%s: %s, about a %s", text_of(kind, "kind"), text_of(kind, "title"),
		 text_of(kind, "subject_type"));
	print_pair("kind", line);
	print_pair("severity", text_of(kind, "severity"));
	print_pair("says", text_of(kind, "sentence"));
	print_threshold(kind, "raised", "raise");
	print_threshold(kind, "warning", "warning");
	print_threshold(kind, "critical", "critical");
	print_threshold(kind, "over", "clear");
	snprintf(line, sizeof line,
		 "raised after %" JSON_INTEGER_FORMAT " s, told %" JSON_INTEGER_FORMAT
		 " s later, over after %" JSON_INTEGER_FORMAT " s",
		 json_integer_value(json_object_get(kind, "raise_after_s")),
		 json_integer_value(json_object_get(kind, "tell_after_s")),
		 json_integer_value(json_object_get(kind, "clear_after_s")));
	print_pair("when", line);
	print_pair("cause", text_of(kind, "cause"));
	print_pair("next", text_of(kind, "next"));
	print_commands(json_object_get(kind, "commands"));
}

static void print_kinds(const json_t *items)
{
	static const char *const titles[] = {"KIND", "SEVERITY", "ABOUT", "TITLE"};
	struct table_text table;
	size_t i;
	const json_t *kind;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, kind)
	{
		const char *cells[] = {text_of(kind, "kind"), text_of(kind, "severity"),
				       text_of(kind, "subject_type"), text_of(kind, "title")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static int explain_kinds(struct cli_client *client, const struct cli_arguments *arguments)
{
	const char *name = arguments->operand_count ? arguments->operands[0] : NULL;
	json_t *answer = NULL;
	int exit_code = cli_call(client, "kinds", IO_HTTP_GET, "/api/v1/alarms/kinds", NULL, &answer);
	const json_t *items = json_object_get(answer, "items"), *kind, *found = NULL;
	size_t i;
	json_array_foreach(items, i, kind)
	{
		if (name && strcmp(text_of(kind, "kind"), name) == 0)
			found = kind;
	}
	if (exit_code == CLI_DONE && name && !found)
		exit_code = cli_problem(CLI_NOT_FOUND, name, "lamppost alarm explain",
					"no kind of alarm is called so");
	else if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(found ? found : answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE && found)
		print_kind(found);
	else if (exit_code == CLI_DONE)
		print_kinds(items);
	json_decref(answer);
	return exit_code;
}

int cli_alarm_explain(const struct cli_arguments *arguments)
{
	const char *word = arguments->operand_count ? arguments->operands[0] : "";
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	int exit_code;
	if (*word < '0' || *word > '9') {
		exit_code = explain_kinds(client, arguments);
	} else {
		char target[CLI_TARGET_MAX] = "/api/v1/alarms/";
		exit_code = cli_target_append(target, word)
				    ? cli_call(client, word, IO_HTTP_GET, target, NULL, &answer)
				    : cli_problem(CLI_USAGE, word, NULL, "expected the number of an alarm");
		if (exit_code == CLI_DONE && arguments->json) {
			json_dumpf(answer, stdout, JSON_COMPACT);
			putchar('\n');
		} else if (exit_code == CLI_DONE)
			print_alarm(answer);
		json_decref(answer);
	}
	cli_client_free(client);
	return exit_code;
}
