#include "cli/vault_heads.h"

#include "cli/problem.h"
#include "cli/vault.h"
#include "common/base/hex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_head(const char *line, struct audit_head *head)
{
	json_t *object = json_loads(line, 0, NULL);
	const json_t *seq = json_object_get(object, "seq"), *time = json_object_get(object, "time_us");
	const char *hash = json_string_value(json_object_get(object, "hash")),
		   *signature = json_string_value(json_object_get(object, "signature"));
	bool good = json_is_integer(seq) && json_integer_value(seq) >= 0 && json_is_integer(time) && hash &&
		    signature && hex_decode_exact(head->hash, sizeof head->hash, hash) &&
		    hex_decode_exact(head->signature, sizeof head->signature, signature);
	head->seq = (uint64_t)json_integer_value(seq);
	head->time.us = json_integer_value(time);
	json_decref(object);
	return good;
}

static struct cli_vault_head *add(struct cli_vault_heads *heads)
{
	if (heads->count == heads->room) {
		size_t room = heads->room ? 2 * heads->room : 64;
		struct cli_vault_head *more = realloc(heads->heads, room * sizeof *more);
		if (!more)
			return NULL;
		heads->heads = more;
		heads->room = room;
	}
	struct cli_vault_head *head = &heads->heads[heads->count++];
	*head = (struct cli_vault_head){.line = 0};
	return head;
}

static int read_lines(struct cli_vault_heads *heads, FILE *in, const char *path,
		      const uint8_t public_key[SECRET_KEY])
{
	char *line = NULL;
	size_t room = 0;
	int code = CLI_DONE;
	for (long number = 1; code == CLI_DONE && getline(&line, &room, in) > 0; number++) {
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		struct cli_vault_head *head = add(heads);
		if (!head)
			code = cli_problem(CLI_FAILED, path, NULL, "no memory");
		else if (!read_head(line, &head->head))
			code = cli_problem(CLI_REFUSED, path, "lamppost vault audit head --json",
					   "line %ld is no head of an audit", number);
		else if (!audit_head_is_good(&head->head, public_key))
			code = cli_problem(CLI_FAILED, path,
					   "--public FILE, the audit's key as it was noted from vault status",
					   "line %ld was not signed with this audit's key: it was changed or "
					   "forged, or the vault is another one",
					   number);
		else
			head->line = number;
	}
	free(line);
	return code;
}

static int by_seq(const void *a, const void *b)
{
	const struct cli_vault_head *left = a, *right = b;
	return (left->head.seq > right->head.seq) - (left->head.seq < right->head.seq);
}

int cli_vault_heads_read(struct cli_vault_heads *heads, const char *path,
			 const uint8_t public_key[SECRET_KEY])
{
	*heads = (struct cli_vault_heads){.count = 0};
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, path, NULL, "the system has no randomness");
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!in)
		return cli_problem(CLI_NOT_FOUND, path, NULL, "cannot be read: %s", strerror(errno));
	int code = read_lines(heads, in, path, public_key);
	if (in != stdin)
		fclose(in);
	if (code == CLI_DONE && heads->count == 0)
		code = cli_problem(CLI_REFUSED, path, "lamppost vault audit head --json",
				   "no head stands there");
	if (heads->count > 0)
		qsort(heads->heads, heads->count, sizeof *heads->heads, by_seq);
	return code;
}

void cli_vault_heads_meet(struct cli_vault_heads *heads, uint64_t seq, const char *hash)
{
	uint8_t bytes[SECRET_HASH];
	size_t low = 0, high = heads->count;
	bool good = hex_decode_exact(bytes, sizeof bytes, hash);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (heads->heads[middle].head.seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < heads->count && heads->heads[low].head.seq == seq; low++) {
		heads->heads[low].met = true;
		heads->heads[low].same = good &&
					 secret_equal(heads->heads[low].head.hash, bytes, sizeof bytes);
	}
}

int cli_vault_heads_end(const struct cli_vault_heads *heads)
{
	static const uint8_t none[SECRET_HASH];
	static const char advice[] = "compare with the log and with backups of join.db";
	for (size_t i = 0; i < heads->count; i++) {
		const struct cli_vault_head *head = &heads->heads[i];
		char time[CLI_VAULT_TIME];
		json_t *us = json_integer(head->head.time.us);
		cli_vault_time(time, us);
		json_decref(us);
		/* Of an audit that had no row. */
		if (head->head.seq == 0 && secret_equal(head->head.hash, none, sizeof none))
			continue;
		if (!head->met)
			return cli_problem(CLI_FAILED, "vault audit", advice,
					   "row %" PRIu64
					   " was there at %s (line %ld), and is not: rows were cut off",
					   head->head.seq, time, head->line);
		if (!head->same)
			return cli_problem(CLI_FAILED, "vault audit", advice,
					   "row %" PRIu64
					   " is not the one that was there at %s (line %ld): the audit "
					   "was written anew",
					   head->head.seq, time, head->line);
	}
	return CLI_DONE;
}

void cli_vault_heads_release(struct cli_vault_heads *heads)
{
	free(heads->heads);
	*heads = (struct cli_vault_heads){.count = 0};
}
