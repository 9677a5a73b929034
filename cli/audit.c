#include "cli/client.h"
#include "cli/gateway_certificate.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdio.h>

static void print_rows(const json_t *answer)
{
	static const char *const titles[] = {"AT", "WHO", "WHAT", "SUBJECT", "DETAIL"};
	struct table_text table;
	const json_t *item;
	size_t i;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		const char *const cells[] = {cli_text_of(item, "at"), cli_text_of(item, "who"),
					     cli_text_of(item, "what"), cli_text_of(item, "subject"),
					     cli_text_of(item, "detail")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, 0);
	table_text_release(&table);
}

static int run_list(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/audit";
	const char *subject = cli_argument(arguments, "subject"), *limit = cli_argument(arguments, "limit");
	unsigned long count;
	json_t *answer = NULL;
	if (limit && !cli_parse_count("--limit", limit, &count))
		return CLI_USAGE;
	if ((subject && !cli_target_append_query(target, "subject", subject)) ||
	    (limit && !cli_target_append_query(target, "limit", limit)))
		return cli_problem(CLI_USAGE, "audit", NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int code = cli_call(client, "audit", IO_HTTP_GET, target, NULL, &answer);
	cli_client_free(client);
	if (code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (code == CLI_DONE) {
		print_rows(answer);
	}
	json_decref(answer);
	return code;
}

static const struct cli_option options[] = {
	{"subject", "EUI", "only what was done to this gateway"},
	{"limit", "N", "at most so many, the newest; default 100"},
};

const struct cli_command cli_audit_commands[] = {
	{.group = "audit",
	 .name = "list",
	 .summary = "who did what to gateways: certificates, tokens, firmware, remote commands",
	 .description = "The newest first. For the city's engineers.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost audit list --subject 0016c001ff10a235\n",
	 .run = run_list},
};
const size_t cli_audit_command_count = ARRAY_SIZE(cli_audit_commands);
