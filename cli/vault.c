#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/place.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/vault_seal.h"
#include "common/io/key_file.h"
#include "common/io/passphrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cli_client *cli_vault_client(const struct cli_arguments *arguments, int *code)
{
	char socket[OPTION_PATH_MAX + 16];
	struct cli_place place;
	struct cli_arguments to_join = *arguments;
	*code = cli_place_find(&place, "vault", cli_argument(arguments, "state"),
			       cli_argument(arguments, "config"));
	if (*code != CLI_DONE)
		return NULL;
	snprintf(socket, sizeof socket, "%s/join.sock", place.run);
	to_join.socket = socket;
	return cli_client_new(&to_join);
}

const char *cli_vault_time(char text[CLI_VAULT_TIME], const json_t *us)
{
	time_t seconds = (time_t)(json_integer_value(us) / US_PER_S);
	struct tm tm;
	if (!json_is_integer(us) || seconds == 0 || !gmtime_r(&seconds, &tm) ||
	    strftime(text, CLI_VAULT_TIME, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		snprintf(text, CLI_VAULT_TIME, "never");
	return text;
}

static const char *word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static long long number(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

/* --- status ---------------------------------------------------------------------------------------------------- */

static void print_keks(const json_t *keks)
{
	size_t i;
	json_t *kek;
	char last[CLI_VAULT_TIME], needed[CLI_VAULT_TIME];
	json_array_foreach(keks, i, kek)
	{
		printf("kek %-14s %s%s, %lld uses, last %s", word(kek, "kek_label"),
		       strcmp(word(kek, "from"), "file") == 0 ? "of a file" : "in the vault",
		       json_is_true(json_object_get(kek, "newest")) ? ", wraps new keys" : ", old",
		       number(kek, "uses"), cli_vault_time(last, json_object_get(kek, "last_use")));
		if (!json_is_true(json_object_get(kek, "newest")))
			printf(", needed until %s",
			       cli_vault_time(needed, json_object_get(kek, "needed_until")));
		printf("\n");
	}
}

static void print_status(const json_t *status)
{
	char time[CLI_VAULT_TIME], opened[CLI_VAULT_TIME];
	size_t i;
	json_t *key;
	json_t *keys = json_object_get(status, "master_keys");
	printf("source            %s %s\n", word(status, "configured"), word(status, "path"));
	json_array_foreach(keys, i, key)
	{
		printf("master key        %s, since %s, last start with it: %s%s\n", word(key, "source"),
		       cli_vault_time(time, json_object_get(key, "since_us")),
		       cli_vault_time(opened, json_object_get(key, "opened_us")),
		       json_array_size(keys) > 1 && json_is_true(json_object_get(key, "in_use"))
			       ? ", in use now"
			       : "");
		printf("                  fingerprint %s\n", word(key, "fingerprint"));
	}
	if (json_array_size(keys) > 1)
		printf("                  two keys open the vault until it starts with the newer one\n");
	printf("vault made        %s\n", cli_vault_time(time, json_object_get(status, "made_us")));
	printf("last rotation     %s\n", cli_vault_time(time, json_object_get(status, "rotated_us")));
	if (json_is_true(json_object_get(status, "resealing")))
		printf("root keys         being sealed anew: the old master key still opens some\n");
	const json_t *audit = json_object_get(status, "audit");
	printf("audit             %lld rows, last hash %.16s\n", number(audit, "rows"), word(audit, "head"));
	printf("audit's key       %s\n", word(audit, "public_key"));
	print_keks(json_object_get(status, "keks"));
}

static void print_json(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_COMPACT);
	putchar('\n');
}

static int run_status(const struct cli_arguments *arguments)
{
	int code;
	json_t *answer = NULL;
	struct cli_client *client = cli_vault_client(arguments, &code);
	if (!client)
		return code;
	code = cli_call(client, "vault", IO_HTTP_GET, "/vault", NULL, &answer);
	if (code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (code == CLI_DONE)
		print_status(answer);
	json_decref(answer);
	cli_client_free(client);
	return code;
}

/* --- rotate ---------------------------------------------------------------------------------------------------- */

/* A new passphrase: twice from the terminal, or once from a descriptor. */
static int ask_new(const struct cli_arguments *arguments, char text[PASSPHRASE_MAX], size_t *length)
{
	const char *fd = cli_argument(arguments, "passphrase-fd");
	char again[PASSPHRASE_MAX];
	size_t again_length = 0;
	if (fd && strspn(fd, "0123456789") != strlen(fd))
		return cli_problem(CLI_USAGE, "--passphrase-fd", NULL, "expected the number of a descriptor");
	bool got = fd ? passphrase_read((int)strtol(fd, NULL, 10), text, length)
		      : passphrase_ask("New passphrase of the vault: ", text, length);
	if (!got)
		return cli_problem(CLI_USAGE, "passphrase", "--passphrase-fd 0",
				   "there is no terminal to ask on, or nothing was said");
	if (*length < PASSPHRASE_MIN)
		return cli_problem(CLI_REFUSED, "passphrase", "five words at random",
				   "fewer than %d characters are no protection", PASSPHRASE_MIN);
	if (fd)
		return CLI_DONE;
	bool same = passphrase_ask("Once more: ", again, &again_length) && again_length == *length &&
		    memcmp(again, text, *length) == 0;
	explicit_bzero(again, sizeof again);
	return same ? CLI_DONE
		    : cli_problem(CLI_REFUSED, "passphrase", NULL,
				  "the two are not the same: nothing was done");
}

static int derive_key(const struct cli_arguments *arguments, json_t *body, struct secret_master **key)
{
	char text[PASSPHRASE_MAX], salt[BASE64_ROOM(SECRET_SALT)];
	size_t length = 0;
	int code = ask_new(arguments, text, &length);
	if (code == CLI_DONE) {
		struct secret_derive derive = secret_derive_new();
		*key = secret_master_derive(&derive, text, length);
		base64_encode(salt, derive.salt, sizeof derive.salt);
		json_object_set_new(body, "salt", json_string(salt));
		json_object_set_new(body, "passes", json_integer(derive.passes));
		json_object_set_new(body, "memory", json_integer(derive.memory));
		if (!*key)
			code = cli_problem(CLI_FAILED, "passphrase", NULL, "no memory: %u MiB are needed",
					   SECRET_DERIVE_MEMORY >> 20);
	}
	explicit_bzero(text, sizeof text);
	return code;
}

/* The key that systemd is to hand over: the file's, or a new one in a new file. */
static int read_key_file(const struct cli_arguments *arguments, struct secret_master **key)
{
	const char *path = cli_argument(arguments, "key");
	uint8_t bytes[SECRET_KEY];
	enum key_file_verdict verdict;
	if (!path)
		return cli_problem(CLI_USAGE, "vault rotate", "--key FILE",
				   "a credential needs the file that systemd is given; a new one is made");
	if (key_file_exists(path)) {
		verdict = key_file_read(path, bytes, sizeof bytes);
	} else {
		secret_random(bytes, sizeof bytes);
		verdict = key_file_create(path, bytes, sizeof bytes, 0600);
	}
	if (verdict == KEY_FILE_OK)
		*key = secret_master_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	return *key ? CLI_DONE
		    : cli_problem(CLI_FAILED, path, key_file_verdict_advice(verdict),
				  "the key file cannot be used: %s", key_file_verdict_name(verdict));
}

/* Seals it to the join server, which says its own public key: on this machine, over its own socket. */
static int seal_key(struct cli_client *client, const struct secret_master *key, json_t *body)
{
	json_t *status = NULL;
	uint8_t box[SECRET_KEY], sealed[VAULT_MASTER_SEALED];
	char text[BASE64_ROOM(VAULT_MASTER_SEALED)];
	int code = cli_call(client, "vault", IO_HTTP_GET, "/vault", NULL, &status);
	if (code == CLI_DONE && (!hex_decode_exact(box, sizeof box, word(status, "box")) ||
				 vault_master_seal(sealed, box, key) != ST_OK))
		code = cli_problem(CLI_FAILED, "vault", NULL, "the join server's public key is not usable");
	json_decref(status);
	if (code != CLI_DONE)
		return code;
	base64_encode(text, sealed, sizeof sealed);
	json_object_set_new(body, "sealed", json_string(text));
	return CLI_DONE;
}

static void say_next(const struct cli_arguments *arguments, const char *to)
{
	printf("Two master keys open the vault until the join server starts with the new one. Before "
	       "then:\n");
	if (strcmp(to, "credential") == 0) {
		const char *key = cli_argument(arguments, "key");
		printf("  systemd-creds encrypt --name=vault %s /etc/lamppost/vault.cred && shred -u %s\n"
		       "  in the unit:          LoadCredentialEncrypted=vault:/etc/lamppost/vault.cred\n"
		       "  in the configuration: join-server: {master_key: \"credential:vault\"}\n",
		       key, key);
	} else if (strcmp(to, "passphrase") == 0) {
		printf("  in the configuration: join-server: {master_key: passphrase}\n");
	} else {
		printf("  in the configuration: join-server: {master_key: \"\"} (the file in the state "
		       "directory)\n");
	}
	printf("  restart; then lamppost vault status has one master key, and the old one can be "
	       "destroyed\n");
}

/* Of a rotation whose answer got lost nobody here knows. */
static int send_rotation(struct cli_client *client, json_t *body, json_t **answer)
{
	int http = 0;
	int code = cli_call_raw(client, "vault rotate", IO_HTTP_POST, "/vault/rotate", body, answer, &http);
	if (code == CLI_FAILED || code == CLI_TIMED_OUT || code == CLI_INTERRUPTED)
		fprintf(stderr,
			"note: the key may have changed all the same: 'lamppost vault status' has the last "
			"rotation and each key's fingerprint; destroy no key and no passphrase before\n");
	return code == CLI_DONE && http > 299 ? cli_report_answer("vault rotate", http, *answer) : code;
}

static int rotate(const struct cli_arguments *arguments, struct cli_client *client, const char *to,
		  json_t *body)
{
	struct secret_master *key = NULL;
	json_t *answer = NULL;
	int code = CLI_DONE;
	if (strcmp(to, "passphrase") == 0)
		code = derive_key(arguments, body, &key);
	else if (strcmp(to, "credential") == 0)
		code = read_key_file(arguments, &key);
	if (code == CLI_DONE && key)
		code = seal_key(client, key, body);
	secret_master_free(key);
	if (code == CLI_DONE)
		code = send_rotation(client, body, &answer);
	if (code == CLI_DONE && arguments->json) {
		print_json(answer);
	} else if (code == CLI_DONE) {
		printf("new master key    %s, fingerprint %s\n", to,
		       word(json_object_get(answer, "master_key"), "fingerprint"));
		if (json_is_true(json_object_get(answer, "waits")))
			say_next(arguments, to);
		else
			printf("the old one opens nothing any more; back up the new one\n");
	}
	json_decref(answer);
	return code;
}

static int run_rotate(const struct cli_arguments *arguments)
{
	const char *to = cli_argument(arguments, "to") ? cli_argument(arguments, "to") : "file";
	int code;
	if (strcmp(to, "file") != 0 && strcmp(to, "credential") != 0 && strcmp(to, "passphrase") != 0)
		return cli_problem(CLI_USAGE, to, NULL, "expected file, credential or passphrase");
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, "vault", NULL, "the system has no randomness");
	struct cli_client *client = cli_vault_client(arguments, &code);
	if (!client)
		return code;
	json_t *body = json_pack("{s:s}", "to", to);
	code = rotate(arguments, client, to, body);
	json_decref(body);
	cli_client_free(client);
	return code;
}

#define PLACE_OPTIONS                                                                         \
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"}, \
	{                                                                                     \
		"config", "FILE", "the configuration (-c for short)"                          \
	}

static const struct cli_option place_options[] = {PLACE_OPTIONS};
static const struct cli_option rotate_options[] = {
	{"to", "file|credential|passphrase", "where the new master key comes from; default: file"},
	{"key", "FILE", "credential: 32 bytes for systemd to hand over; made if it is not there"},
	{"passphrase-fd", "N", "passphrase: read from this descriptor in place of the terminal"},
	PLACE_OPTIONS,
};

const struct cli_command cli_vault_commands[] = {
	{.group = "vault",
	 .name = "status",
	 .summary = "source of the master key, since when, KEKs and their uses, audit",
	 .description =
		 "Says where the join server's master key comes from, when it was changed last, which key "
		 "encryption keys there are and when each was used, and how long the audit is. "
		 "Never a key. Asking is noted in the audit.",
	 .options = place_options,
	 .option_count = ARRAY_SIZE(place_options),
	 .examples = "lamppost vault status\n",
	 .local = true,
	 .run = run_status},
	{.group = "vault",
	 .name = "rotate",
	 .summary = "another master key, while joins go on",
	 .description =
		 "The vault key is wrapped anew under a new master key: one row, whatever the number of "
		 "devices. A crash at any moment leaves a vault that opens with the old or the new key. To "
		 "another kind of source both keys open it until the join server has started with the new "
		 "one.",
	 .options = rotate_options,
	 .option_count = ARRAY_SIZE(rotate_options),
	 .examples = "lamppost vault rotate\n"
		     "lamppost vault rotate --to passphrase\n"
		     "lamppost vault rotate --to credential --key vault.key\n",
	 .exits = "4 the key file cannot be written, the passphrase is too short, or the audit is full\n",
	 .local = true,
	 .run = run_rotate},
};
const size_t cli_vault_command_count = ARRAY_SIZE(cli_vault_commands);
