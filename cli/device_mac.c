#include "cli/device_mac.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

/* A value as the network server wrote it: a number, a text, or nothing. */
static const char *value_of(const json_t *parameter, const char *member, char text[32])
{
	const json_t *value = json_object_get(parameter, member);
	if (json_is_string(value))
		return json_string_value(value);
	if (!json_is_integer(value))
		return "?";
	snprintf(text, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return text;
}

static enum colour colour_of(const char *state)
{
	if (strcmp(state, "agreed") == 0)
		return COLOUR_GOOD;
	return strcmp(state, "refused") == 0 ? COLOUR_BAD : COLOUR_NONE;
}

static void print_table(const json_t *answer)
{
	static const char *const titles[] = {"PARAMETER", "WANTED", "THE DEVICE HAS",
					     "STATE",     "TRIES",  "ASKED AFTER"};
	const json_t *parameter;
	struct table_text table;
	size_t i;
	printf("DevAddr %s, LoRaWAN %s, class %s", json_string_value(json_object_get(answer, "dev_addr")),
	       json_string_value(json_object_get(answer, "mac_version")),
	       json_string_value(json_object_get(answer, "class")));
	json_int_t ordered = json_integer_value(json_object_get(answer, "rejoin_ordered"));
	if (ordered > 0)
		printf("; a rejoin is ordered, %" JSON_INTEGER_FORMAT " requests left", ordered);
	printf("\n");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(json_object_get(answer, "parameters"), i, parameter)
	{
		char desired[32], confirmed[32], tries[32], again[48] = "", wait[32];
		const char *state = json_string_value(json_object_get(parameter, "state"));
		const char *name = json_string_value(json_object_get(parameter, "name"));
		bool asked = state && strcmp(state, "asked") == 0;
		bool due = state && strcmp(state, "due") == 0;
		if (json_integer_value(json_object_get(parameter, "next_in_uplinks")) > 0)
			snprintf(again, sizeof again, "%s uplinks",
				 value_of(parameter, "next_in_uplinks", wait));
		else if (asked || due)
			snprintf(again, sizeof again, "its next uplink");
		const char *cells[] = {name ? name : "?",
				       value_of(parameter, "desired", desired),
				       value_of(parameter, "confirmed", confirmed),
				       state ? state : "?",
				       asked ? value_of(parameter, "tries", tries) : "",
				       again};
		table_text_add(&table, cells);
		table_text_colour(&table, 3, colour_of(cells[3]));
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

int cli_device_mac(const struct cli_arguments *arguments)
{
	const char *eui = arguments->operands[0];
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	if (!cli_target_append(target, eui) || strlen(target) + sizeof "/mac" > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, eui, "lamppost device mac --help", "expected a DevEUI");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/mac");
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	int code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &answer);
	if (code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (code == CLI_DONE) {
		print_table(answer);
	}
	json_decref(answer);
	cli_client_free(client);
	return code;
}
