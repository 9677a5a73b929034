/* `lamppost vault audit`: every row of the join server's audit, and whether the chain of them holds. */
#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <stdio.h>

static const char *word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static long long number(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

static void print_row(const json_t *row)
{
	char time[CLI_VAULT_TIME];
	printf("%6lld  %s  %-16s %s  %s%s%s%s\n", number(row, "seq"),
	       cli_vault_time(time, json_object_get(row, "time_us")), word(row, "what"), word(row, "who"),
	       word(row, "subject"), word(row, "detail")[0] ? ": " : "", word(row, "detail"),
	       json_is_true(json_object_get(row, "good")) ? "" : "   <-- CHANGED");
}

/* All pages; whether the chain holds, and where it does not. */
static int walk(const struct cli_arguments *arguments, struct cli_client *client, long long *bad,
		long long *last, json_t **newest)
{
	int code = CLI_DONE;
	for (bool more = true; more && code == CLI_DONE;) {
		char target[64];
		json_t *page = NULL, *row;
		size_t i;
		snprintf(target, sizeof target, "/vault/audit?after=%lld", *last);
		code = cli_call(client, "vault audit", IO_HTTP_GET, target, NULL, &page);
		json_t *rows = json_object_get(page, "rows");
		more = json_array_size(rows) > 0;
		json_array_foreach(rows, i, row)
		{
			*last = number(row, "seq");
			if (arguments->json) {
				json_dumpf(row, stdout, JSON_COMPACT);
				putchar('\n');
			} else
				print_row(row);
		}
		if (*bad == 0 && json_is_integer(json_object_get(page, "bad_seq")))
			*bad = number(page, "bad_seq");
		json_decref(*newest);
		*newest = page;
	}
	return code;
}

static int run_audit(const struct cli_arguments *arguments)
{
	int code;
	long long bad = 0, last = 0;
	json_t *newest = NULL;
	struct cli_client *client = cli_vault_client(arguments, &code);
	if (!client)
		return code;
	code = walk(arguments, client, &bad, &last, &newest);
	long long expected = number(newest, "seq");
	if (code == CLI_DONE && bad > 0)
		code = cli_problem(CLI_FAILED, "vault audit",
				   "compare with the log and with backups of join.db",
				   "row %lld is not as it was written, or a row before it is gone", bad);
	else if (code == CLI_DONE && last < expected)
		code = cli_problem(CLI_FAILED, "vault audit",
				   "compare with the log and with backups of join.db",
				   "rows behind %lld are gone", last);
	else if (code == CLI_DONE && !arguments->json)
		printf("the chain is whole: %lld rows, last hash %s\n", last, word(newest, "head"));
	json_decref(newest);
	cli_client_free(client);
	return code;
}

static const struct cli_option place_options[] = {
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

const struct cli_command cli_vault_audit_commands[] = {
	{.group = "vault",
	 .name = "audit",
	 .summary = "who exported, rotated and read; the chain is verified",
	 .description =
		 "Every row has a hash over itself and the row before it, made with a key of the vault: a "
		 "row "
		 "that "
		 "was changed or taken out is named. Note the last hash elsewhere to see rows cut off at the "
		 "end.",
	 .options = place_options,
	 .option_count = ARRAY_SIZE(place_options),
	 .examples = "lamppost vault audit\n",
	 .exits = "1 the chain is broken\n",
	 .local = true,
	 .run = run_audit},
};
const size_t cli_vault_audit_command_count = ARRAY_SIZE(cli_vault_audit_commands);
