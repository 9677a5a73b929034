#include "cli/gateway_remote.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static int run(const struct cli_arguments *arguments)
{
	const char *gateway = arguments->operands[0];
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
	if (!cli_target_append(target, gateway) || strlen(target) + sizeof "/run" > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, gateway, NULL, "too long");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/run");
	json_t *words = json_array(), *answer = NULL;
	for (size_t i = 2; i < arguments->operand_count; i++)
		json_array_append_new(words, json_string(arguments->operands[i]));
	json_t *body = json_pack("{s:s,s:o}", "command", arguments->operands[1], "arguments", words);
	ASSERT(body);
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, gateway, IO_HTTP_POST, target, body, &answer);
	cli_client_free(client);
	if (exit_code == CLI_DONE && arguments->json)
		printf("{\"sent\":true}\n");
	else if (exit_code == CLI_DONE)
		printf("sent to the station of %s; it does not say what comes of it\n", gateway);
	json_decref(body);
	json_decref(answer);
	return exit_code;
}

const struct cli_command cli_gateway_remote_commands[] = {
	{.group = "gateway",
	 .name = "run",
	 .summary = "a command on a gateway's Basics Station",
	 .description =
		 "Has the station run a program with the words behind it as its arguments (runcmd). The "
		 "city's engineers alone; each use is written to the audit. Off unless "
		 "gateway-bridge.station_remote is true. A station says nothing of what comes of it.",
	 .operands = "GATEWAY WORD...",
	 .examples = "lamppost gateway run 0016c001ff10a235 reboot\n",
	 .run = run},
};
const size_t cli_gateway_remote_command_count = ARRAY_SIZE(cli_gateway_remote_commands);
