#include "cli/allow_once.h"

#include "cli/device_status.h"
#include "cli/join.h"
#include "cli/problem.h"
#include "cli/vault.h"

#include <stdio.h>
#include <string.h>

#define PATH "/join-allow-once"

const struct cli_option cli_allow_once_options[CLI_ALLOW_ONCE_OPTIONS] = {
	{"for", "TIME", "how long the device has for it: 10m, 2h (1h; at most 24h)"},
	{"withdraw", NULL, "take it back"},
};

static bool make_target(char target[CLI_TARGET_MAX], const char *eui)
{
	snprintf(target, CLI_TARGET_MAX, "/api/v1/devices/");
	if (!cli_target_append(target, eui) || strlen(target) + sizeof PATH > CLI_TARGET_MAX)
		return false;
	memcpy(target + strlen(target), PATH, sizeof PATH);
	return true;
}

static void print_allowed(const json_t *answer)
{
	char span[CLI_SPAN_TEXT];
	printf("one join is allowed with a DevNonce that was used or is too low, for %s more\n",
	       cli_span_text(span, json_integer_value(json_object_get(answer, "left_s"))));
}

int cli_allow_once_run(const struct cli_arguments *arguments)
{
	const char *eui = arguments->operands[0], *span = cli_argument(arguments, "for");
	bool withdraw = cli_argument(arguments, "withdraw") != NULL;
	char target[CLI_TARGET_MAX];
	long seconds = 0;
	if (span && withdraw)
		return cli_problem(CLI_USAGE, "device join-allow-once", NULL,
				   "--for and --withdraw exclude each other");
	if (span && (!cli_parse_span(span, &seconds) || seconds == 0))
		return cli_problem(CLI_USAGE, span, "--for 1h", "expected a time such as 10m, 2h or 24h");
	if (!make_target(target, eui))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	json_t *body = withdraw ? NULL : json_object(), *answer = NULL;
	if (seconds)
		json_object_set_new(body, "for_s", json_integer(seconds));
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, withdraw ? IO_HTTP_DELETE : IO_HTTP_POST, target, body,
				 &answer);
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE && withdraw) {
		printf("taken back: its DevNonces are judged as ever\n");
	} else if (exit_code == CLI_DONE) {
		print_allowed(answer);
		printf("switch the device on now; lamppost device watch %s shows it join\n", eui);
	}
	json_decref(body);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

void cli_allow_once_tell(struct cli_client *client, const char *eui)
{
	char target[CLI_TARGET_MAX];
	json_t *answer = NULL;
	int code = 0;
	if (!make_target(target, eui))
		return;
	if (cli_call_raw(client, eui, IO_HTTP_GET, target, NULL, &answer, &code) == CLI_DONE && code == 200) {
		char time[CLI_VAULT_TIME];
		long long uses = (long long)json_integer_value(json_object_get(answer, "key_uses"));
		if (uses > 0)
			printf("the root key was used for %lld join%s, last %s\n", uses, uses == 1 ? "" : "s",
			       cli_vault_time(time, json_object_get(answer, "key_used_us")));
		if (json_is_true(json_object_get(answer, "allowed")))
			print_allowed(answer);
	}
	json_decref(answer);
}
