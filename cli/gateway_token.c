#include "cli/client.h"
#include "cli/credential_files.h"
#include "cli/gateway_certificate.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <stdio.h>

static int give_token(const struct cli_arguments *arguments, const json_t *answer)
{
	const char *folder = cli_argument(arguments, "output"), *token = cli_text_of(answer, "token");
	const struct credential credential = {.folder = folder,
					      .der = cli_argument(arguments, "der") != NULL,
					      .ca = cli_text_of(answer, "ca"),
					      .token = token,
					      .tc_uri = cli_argument(arguments, "tc-uri"),
					      .cups_uri = cli_argument(arguments, "cups-uri")};
	if (!*token) {
		puts("The station gets it when it asks for updates next, and every time until it has it.");
		return CLI_DONE;
	}
	if (folder)
		return credential_write(&credential);
	if (arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%s\n", token);
	}
	fprintf(stderr, "note: this is the only time that it is shown\n");
	return CLI_DONE;
}

static int token(const struct cli_arguments *arguments, bool rotate)
{
	json_t *answer = NULL;
	const char *folder = cli_argument(arguments, "output");
	int code = folder ? credential_check(folder) : CLI_DONE;
	if (code != CLI_DONE)
		return code;
	json_t *body = json_pack("{sb sb}", "rotate", (int)rotate, "cups",
				 cli_argument(arguments, "cups") != NULL);
	code = cli_gateway_call(arguments, IO_HTTP_POST, "/tokens", NULL, NULL, body, &answer);
	if (code == CLI_DONE)
		code = give_token(arguments, answer);
	json_decref(body);
	json_decref(answer);
	return code;
}

static int run_token_issue(const struct cli_arguments *arguments)
{
	return token(arguments, false);
}

static int run_token_rotate(const struct cli_arguments *arguments)
{
	return token(arguments, true);
}

static int run_token_revoke(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	bool older = cli_argument(arguments, "older") != NULL;
	int code = cli_gateway_call(arguments, IO_HTTP_DELETE, "/tokens", older ? "older" : NULL, "true",
				    NULL, &answer);
	if (code == CLI_DONE)
		puts(older ? "the older token is void" : "the gateway has no token any more");
	json_decref(answer);
	return code;
}

static int run_token(const struct cli_arguments *arguments)
{
	static const struct cli_verb verbs[] = {
		{"issue", run_token_issue}, {"rotate", run_token_rotate}, {"revoke", run_token_revoke}};
	return cli_verb_run(verbs, ARRAY_SIZE(verbs), arguments->operands[1], arguments);
}

static const struct cli_option token_options[] = {
	CLI_CREDENTIAL_OPTIONS,
	{"older", NULL, "revoke: the older of two alone"},
};

const struct cli_command cli_gateway_token_commands[] = {
	{.group = "gateway",
	 .name = "token",
	 .summary = "the token by which a gateway without a certificate proves who it is",
	 .description =
		 "issue shows a new token once, or writes the station's files. rotate gives another; the one "
		 "before stays good until rotate is called again, until revoke --older, or, with --cups, "
		 "until the station has the new one. Of tokens the server keeps hashes alone.",
	 .operands = "GATEWAY issue|rotate|revoke",
	 .options = token_options,
	 .option_count = ARRAY_SIZE(token_options),
	 .examples = "lamppost gateway token 0016c001ff10a235 issue --output roof-7\n"
		     "lamppost gateway token 0016c001ff10a235 rotate --cups\n"
		     "lamppost gateway token 0016c001ff10a235 revoke\n",
	 .exits = "4 it has a token already, or none\n",
	 .run = run_token},
};
const size_t cli_gateway_token_command_count = ARRAY_SIZE(cli_gateway_token_commands);
