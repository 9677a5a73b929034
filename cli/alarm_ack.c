/* Taking alarms on: by number, or all of a kind, or all about one subject. */
#include "cli/alarm.h"
#include "cli/client.h"
#include "cli/join.h"
#include "cli/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *make_body(const struct cli_arguments *arguments, long seconds)
{
	const char *note = cli_argument(arguments, "note"), *user = getenv("SUDO_USER");
	json_t *body = json_object();
	if (!user || !*user)
		user = getenv("USER");
	if (user && *user)
		json_object_set_new(body, "by", json_stringn(user, strnlen(user, 40)));
	if (note)
		json_object_set_new(body, "note", json_string(note));
	if (seconds)
		json_object_set_new(body, "for_s", json_integer(seconds));
	return body;
}

static int ack_one(struct cli_client *client, const struct cli_arguments *arguments, const char *id,
		   json_t *body)
{
	char target[CLI_TARGET_MAX];
	json_t *answer = NULL;
	bool undo = cli_argument(arguments, "undo") != NULL;
	snprintf(target, sizeof target, "/api/v1/alarms/");
	if (!cli_target_append(target, id) || strlen(target) + 5 >= sizeof target)
		return cli_problem(CLI_USAGE, id, NULL, "expected the number of an alarm");
	memcpy(target + strlen(target), "/ack", 5);
	int exit_code = cli_call(client, id, undo ? IO_HTTP_DELETE : IO_HTTP_POST, target, undo ? NULL : body,
				 &answer);
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		const char *sentence = json_string_value(json_object_get(answer, "sentence"));
		printf("%s %s: %s\n", undo ? "given back" : "taken on", id, sentence ? sentence : "");
	}
	json_decref(answer);
	return exit_code;
}

/* All open ones that the options name. */
static int ack_listed(struct cli_client *client, const struct cli_arguments *arguments, json_t *body)
{
	char target[CLI_TARGET_MAX] = "/api/v1/alarms?limit=1000";
	const char *kind = cli_argument(arguments, "kind"), *group = cli_argument(arguments, "group");
	json_t *answer = NULL;
	const json_t *item;
	size_t i;
	if ((kind && !cli_target_append_query(target, "kind", kind)) ||
	    (group && !cli_target_append_query(target, "subject", group)))
		return cli_problem(CLI_USAGE, "alarm ack", NULL, "an option is too long");
	int exit_code = cli_call(client, "alarms", IO_HTTP_GET, target, NULL, &answer);
	const json_t *items = json_object_get(answer, "items");
	if (exit_code == CLI_DONE && json_array_size(items) == 0)
		exit_code = cli_problem(CLI_NOT_FOUND, kind ? kind : group, "lamppost alarm list",
					"no such alarm is open");
	json_array_foreach(items, i, item)
	{
		char id[24];
		snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(item, "id")));
		if (exit_code == CLI_DONE)
			exit_code = ack_one(client, arguments, id, body);
	}
	json_decref(answer);
	return exit_code;
}

int cli_alarm_ack(const struct cli_arguments *arguments)
{
	const char *span = cli_argument(arguments, "for");
	bool listed = cli_argument(arguments, "kind") || cli_argument(arguments, "group");
	long seconds = 0;
	int exit_code = CLI_DONE;
	if (span && (!cli_parse_span(span, &seconds) || seconds == 0))
		return cli_problem(CLI_USAGE, span, "--for 4h", "expected a time such as 30m, 4h or 2d");
	if (listed == (arguments->operand_count > 0))
		return cli_problem(CLI_USAGE, "alarm ack", "lamppost alarm ack --help",
				   "expected numbers of alarms, or --kind, or --group");
	struct cli_client *client = cli_client_new(arguments);
	json_t *body = make_body(arguments, seconds);
	if (listed)
		exit_code = ack_listed(client, arguments, body);
	for (size_t i = 0; i < arguments->operand_count && exit_code == CLI_DONE; i++)
		exit_code = ack_one(client, arguments, arguments->operands[i], body);
	json_decref(body);
	cli_client_free(client);
	return exit_code;
}
