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
	const char *reference = cli_argument(arguments, "reference");
	unsigned long count, place;
	char behind[24];
	json_t *answer = NULL;
	if ((limit && !cli_parse_count("--limit", limit, &count)) ||
	    (reference && !cli_parse_count("--reference", reference, &place)))
		return CLI_USAGE;
	if (reference) { /* the newest that is older than the next one */
		snprintf(behind, sizeof behind, "%lu", place + 1);
		limit = "1";
		if (!cli_target_append_query(target, "after", behind))
			return CLI_USAGE;
	}
	if ((subject && !cli_target_append_query(target, "subject", subject)) ||
	    (limit && !cli_target_append_query(target, "limit", limit)))
		return cli_problem(CLI_USAGE, "audit", NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int code = cli_call(client, "audit", IO_HTTP_GET, target, NULL, &answer);
	cli_client_free(client);
	const json_t *first = json_array_get(json_object_get(answer, "items"), 0);
	if (code == CLI_DONE && reference &&
	    json_integer_value(json_object_get(first, "reference")) != (json_int_t)place) {
		code = cli_problem(CLI_NOT_FOUND, "audit", NULL, "%s: there is no such row", reference);
	} else if (code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (code == CLI_DONE) {
		print_rows(answer);
	}
	json_decref(answer);
	return code;
}

static const struct cli_option options[] = {
	{"subject", "EUI", "only what was done to this gateway or device"},
	{"limit", "N", "at most so many, the newest; default 100"},
	{"reference", "N", "the row that somebody was told of"},
};

const struct cli_command cli_audit_commands[] = {
	{.group = "audit",
	 .name = "list",
	 .summary = "who did what to gateways, devices on the shelf and keys, and who asked for what is "
		    "another's",
	 .description = "The newest first. For the city's engineers. An agency that asks for a DevEUI which "
			"is another's is told "
			"a reference: --reference shows that row, with who has it.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost audit list --subject 0016c001ff10a235\n"
		     "lamppost audit list --reference 4711\n",
	 .run = run_list},
};
const size_t cli_audit_command_count = ARRAY_SIZE(cli_audit_commands);
