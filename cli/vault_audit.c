/* `lamppost vault audit`: every row of the join server's audit, whether the chain of them holds, and whether it is still the one that heads were
 * noted of. */
#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/problem.h"
#include "cli/vault_heads.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

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
static int walk(const struct cli_arguments *arguments, struct cli_client *client,
		struct cli_vault_heads *heads, long long *bad, long long *last, json_t **newest)
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
			cli_vault_heads_meet(heads, (uint64_t)*last, word(row, "hash"));
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

/* What is wrong with the rows themselves. */
static int judge(long long bad, long long last, long long expected)
{
	static const char advice[] = "compare with the log and with backups of join.db";
	if (bad > 0)
		return cli_problem(CLI_FAILED, "vault audit", advice,
				   "row %lld is not as it was written, or a row before it is gone", bad);
	if (last < expected)
		return cli_problem(CLI_FAILED, "vault audit", advice, "rows behind %lld are gone", last);
	return CLI_DONE;
}

static int list(const struct cli_arguments *arguments, struct cli_client *client,
		struct cli_vault_heads *heads)
{
	long long bad = 0, last = 0;
	json_t *newest = NULL;
	int code = walk(arguments, client, heads, &bad, &last, &newest);
	if (code == CLI_DONE)
		code = judge(bad, last, number(newest, "seq"));
	if (code == CLI_DONE)
		code = cli_vault_heads_end(heads);
	if (code == CLI_DONE && !arguments->json) {
		printf("the chain is whole: %lld rows, last hash %s\n", last, word(newest, "head"));
		if (heads->count > 0)
			printf("%zu noted head%s: each has its row\n", heads->count,
			       heads->count == 1 ? "" : "s");
	}
	json_decref(newest);
	return code;
}

/* The key that heads are signed with: the one that was noted, or else the join server's word for it. */
static int find_key(const struct cli_arguments *arguments, struct cli_client *client, uint8_t key[SECRET_KEY])
{
	const char *path = cli_argument(arguments, "public");
	char text[CLI_VAULT_HEX_KEY] = "";
	json_t *status = NULL;
	int code = path ? cli_vault_public_key(path, text)
			: cli_call(client, "vault", IO_HTTP_GET, "/vault", NULL, &status);
	if (status)
		snprintf(text, sizeof text, "%s", word(json_object_get(status, "audit"), "public_key"));
	json_decref(status);
	if (code == CLI_DONE && !hex_decode_exact(key, SECRET_KEY, text))
		code = cli_problem(CLI_FAILED, "vault audit", NULL, "the audit's key is not usable");
	return code;
}

static int verify(const struct cli_arguments *arguments, struct cli_client *client)
{
	const char *path = cli_argument(arguments, "verify");
	struct cli_vault_heads heads = {.count = 0};
	uint8_t key[SECRET_KEY];
	int code = path ? find_key(arguments, client, key) : CLI_DONE;
	if (path && code == CLI_DONE)
		code = cli_vault_heads_read(&heads, path, key);
	if (code == CLI_DONE)
		code = list(arguments, client, &heads);
	cli_vault_heads_release(&heads);
	return code;
}

static int show_head(const struct cli_arguments *arguments, struct cli_client *client)
{
	char time[CLI_VAULT_TIME];
	json_t *head = NULL;
	int code = cli_call(client, "vault audit", IO_HTTP_GET, "/vault/audit/head", NULL, &head);
	if (code == CLI_DONE && arguments->json) {
		json_dumpf(head, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (code == CLI_DONE) {
		printf("row        %lld\nhash       %s\ntime       %s\nsignature  %s\nkey        %s\n",
		       number(head, "seq"), word(head, "hash"),
		       cli_vault_time(time, json_object_get(head, "time_us")), word(head, "signature"),
		       word(head, "public_key"));
	}
	json_decref(head);
	return code;
}

static int run_audit(const struct cli_arguments *arguments)
{
	int code;
	bool head = arguments->operand_count > 0;
	if (head && strcmp(arguments->operands[0], "head") != 0)
		return cli_problem(CLI_USAGE, arguments->operands[0], NULL, "expected head, or nothing");
	if (cli_argument(arguments, "public") && (head || !cli_argument(arguments, "verify")))
		return cli_problem(CLI_USAGE, "--public", NULL, "expected with --verify");
	if (head && cli_argument(arguments, "verify"))
		return cli_problem(CLI_USAGE, "--verify", NULL, "expected without head");
	struct cli_client *client = cli_vault_client(arguments, &code);
	if (!client)
		return code;
	code = head ? show_head(arguments, client) : verify(arguments, client);
	cli_client_free(client);
	return code;
}

static const struct cli_option audit_options[] = {
	{"verify", "FILE", "heads that were noted, one a line: each has to have its row"},
	{"public", "FILE", "the audit's key as it was noted; default: what the join server says"},
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

const struct cli_command cli_vault_audit_commands[] = {
	{.group = "vault",
	 .name = "audit",
	 .summary = "who exported, rotated and read; the chain is verified",
	 .description = "Every row has a hash over itself and the row before it, made with a key of the "
			"vault: a row that "
			"was changed or taken out is named.\n\nRows cut off at the end, or all written anew "
			"by somebody who has "
			"the vault, are seen by heads that were noted elsewhere: `head` says the newest "
			"row's number and hash, "
			"signed. Note them where this machine cannot change them, and the audit's key of "
			"vault status beside "
			"them; --verify looks whether the audit still has each of these rows.",
	 .operands = "[head]",
	 .options = audit_options,
	 .option_count = ARRAY_SIZE(audit_options),
	 .examples = "lamppost vault audit\n"
		     "lamppost vault audit head --json >>/mnt/elsewhere/audit.heads\n"
		     "lamppost vault audit --verify /mnt/elsewhere/audit.heads --public "
		     "/mnt/elsewhere/audit.pub\n",
	 .exits = "1 the chain is broken, a head has no row or another one, or was not signed with the "
		  "audit's key\n",
	 .local = true,
	 .run = run_audit},
};
const size_t cli_vault_audit_command_count = ARRAY_SIZE(cli_vault_audit_commands);
