#include "cli/rejoin.h"

#include "cli/client.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

const struct cli_option cli_rejoin_options[CLI_REJOIN_OPTIONS] = {
	{"type", "N", "2: new keys and address (as usual); 0: radio parameters begin anew as well"},
	{"dr", "N", "data rate of the rejoin-request; without it the device's present one"},
	{"period", "N", "0 to 7: 32 s times 2^N between its tries, and up to 32 s more (0)"},
	{"retries", "N", "0 to 7: so often again when no answer is heard (7)"},
};

/* Option and member of the call, in that order. */
static const char *const members[CLI_REJOIN_OPTIONS] = {"rejoin_type", "data_rate", "period", "max_retries"};

static int read_body(const struct cli_arguments *arguments, json_t *body)
{
	for (size_t i = 0; i < CLI_REJOIN_OPTIONS; i++) {
		const char *text = cli_argument(arguments, cli_rejoin_options[i].name);
		char option[16];
		size_t value;
		snprintf(option, sizeof option, "--%s", cli_rejoin_options[i].name);
		if (text && strcmp(text, "0") == 0)
			value = 0;
		else if (text && !cli_parse_count(option, text, &value))
			return CLI_USAGE;
		if (text)
			json_object_set_new(body, members[i], json_integer((json_int_t)value));
	}
	return CLI_DONE;
}

int cli_rejoin_run(const struct cli_arguments *arguments)
{
	const char *eui = arguments->operands[0];
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	if (!cli_target_append(target, eui) || strlen(target) + sizeof "/rejoin" > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/rejoin");
	json_t *body = json_object(), *answer = NULL;
	int exit_code = read_body(arguments, body);
	if (exit_code == CLI_DONE) {
		struct cli_client *client = cli_client_new(arguments);
		exit_code = cli_call(client, eui, IO_HTTP_POST, target, body, &answer);
		cli_client_free(client);
	}
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		printf("ordered: %s\n"
		       "lamppost why device %s tells what becomes of it\n",
		       json_string_value(json_object_get(answer, "note")), eui);
	}
	json_decref(body);
	json_decref(answer);
	return exit_code;
}
