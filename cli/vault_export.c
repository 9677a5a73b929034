/* Root keys and nonces on their way to another join server, or into a safe: sealed by the join server to a public key that somebody named,
 * opened by whoever has the secret half (vault_open.c). */
#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/vault_seal.h"
#include "common/io/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEX_KEY (2 * SECRET_KEY)

/* --- keypair --------------------------------------------------------------------------------------------------- */

static int run_keypair(const struct cli_arguments *arguments)
{
	const char *path = arguments->operands[0];
	char public_path[4096], text[HEX_KEY + 2], fingerprint[SECRET_FINGERPRINT_TEXT];
	int length = snprintf(public_path, sizeof public_path, "%s.pub", path);
	struct secret_box *box = secret_init() == ST_OK ? secret_box_generate() : NULL;
	if (!box || length < 0 || (size_t)length >= sizeof public_path) {
		secret_box_free(box);
		return cli_problem(CLI_FAILED, path, NULL, "no key could be made");
	}
	hex_encode(text, secret_box_public(box), SECRET_KEY);
	secret_fingerprint(fingerprint, secret_box_public(box));
	text[HEX_KEY] = '\n';
	enum key_file_verdict verdict = key_file_create(path, secret_box_secret(box), SECRET_KEY, 0600);
	if (verdict == KEY_FILE_OK)
		verdict = key_file_create(public_path, (const uint8_t *)text, HEX_KEY + 1, 0644);
	secret_box_free(box);
	if (verdict != KEY_FILE_OK)
		return cli_problem(verdict == KEY_FILE_EXISTS ? CLI_REFUSED : CLI_FAILED, path, NULL,
				   "the key file cannot be made: %s", key_file_verdict_name(verdict));
	if (arguments->json)
		printf("{\"secret\":\"%s\",\"public\":\"%s\",\"fingerprint\":\"%s\"}\n", path, public_path,
		       fingerprint);
	else
		printf("secret key   %s  (keep it where the export is to be opened, and nowhere else)\n"
		       "public key   %s  (give it to lamppost vault export --to)\n"
		       "fingerprint  %s\n",
		       path, public_path, fingerprint);
	return CLI_DONE;
}

/* --- export ---------------------------------------------------------------------------------------------------- */

int cli_vault_public_key(const char *path, char text[CLI_VAULT_HEX_KEY])
{
	uint8_t key[SECRET_KEY];
	size_t length;
	char *file = cli_read_file(path, &length);
	if (!file)
		return cli_problem(CLI_NOT_FOUND, path, NULL, "cannot be read: %s", strerror(errno));
	size_t digits = strcspn(file, " \t\r\n");
	bool good = digits == HEX_KEY;
	snprintf(text, HEX_KEY + 1, "%.*s", HEX_KEY, file);
	free(file);
	return good && hex_decode_exact(key, sizeof key, text)
		       ? CLI_DONE
		       : cli_problem(CLI_REFUSED, path, "lamppost vault keypair NAME",
				     "expected a public key of 64 hex digits");
}

static void write_first(FILE *out, const char *to)
{
	char made[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	fprintf(out, "{\"lamppost_vault_export\":1,\"to\":\"%s\",\"made\":\"%s\"}\n", to, made);
}

static int export_pages(struct cli_client *client, json_t *body, FILE *out, long long *devices,
			long long *unreadable)
{
	int code = CLI_DONE;
	long long pages = 0;
	for (bool more = true; more && code == CLI_DONE;) {
		json_t *page = NULL;
		code = cli_call(client, "vault export", IO_HTTP_POST, "/vault/export", body, &page);
		if (code == CLI_DONE) {
			long long count = json_integer_value(json_object_get(page, "devices"));
			const char *next = json_string_value(json_object_get(page, "next"));
			fprintf(out, "{\"page\":%lld,\"devices\":%lld,\"sealed\":\"%s\"}\n", ++pages, count,
				json_string_value(json_object_get(page, "sealed")));
			*devices += count;
			*unreadable += json_integer_value(json_object_get(page, "unreadable"));
			more = next != NULL;
			if (more)
				json_object_set_new(body, "after", json_string(next));
		}
		json_decref(page);
	}
	if (code == CLI_DONE)
		fprintf(out, "{\"end\":true,\"pages\":%lld,\"devices\":%lld}\n", pages, *devices);
	return code;
}

static int export_to(const struct cli_arguments *arguments, FILE *out, const char *to, const char *device)
{
	int code;
	long long devices = 0, unreadable = 0;
	struct cli_client *client = cli_vault_client(arguments, &code);
	if (!client)
		return code;
	json_t *body = json_pack("{s:s}", "to", to);
	if (device)
		json_object_set_new(body, "device", json_string(device));
	write_first(out, to);
	code = export_pages(client, body, out, &devices, &unreadable);
	if (code == CLI_DONE && (fflush(out) != 0 || ferror(out)))
		code = cli_problem(CLI_FAILED, "vault export", NULL, "cannot be written: %s",
				   strerror(errno));
	if (code == CLI_DONE)
		fprintf(stderr, "%lld devices exported%s\n", devices,
			unreadable ? "" : ", all that have a key");
	if (code == CLI_DONE && unreadable)
		fprintf(stderr, "%lld have no key that opens, and were left out\n", unreadable);
	json_decref(body);
	cli_client_free(client);
	return code;
}

static int run_export(const struct cli_arguments *arguments)
{
	const char *key = cli_argument(arguments, "to"), *device = cli_argument(arguments, "device"),
		   *path = cli_argument(arguments, "out");
	bool all = cli_argument(arguments, "all") != NULL;
	char to[HEX_KEY + 1];
	if (!key)
		return cli_problem(
			CLI_USAGE, "vault export", "lamppost vault keypair NAME",
			"--to PUBLICKEYFILE is needed: keys leave the vault sealed, or not at all");
	if (all == (device != NULL))
		return cli_problem(CLI_USAGE, "vault export", NULL, "expected --device EUI or --all");
	int code = cli_vault_public_key(key, to);
	if (code != CLI_DONE)
		return code;
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	FILE *out = fd >= 0 ? fdopen(fd, "w") : path ? NULL : stdout;
	if (!out)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be made: %s", strerror(errno));
	code = export_to(arguments, out, to, device);
	if (path) {
		fclose(out);
		if (code != CLI_DONE)
			unlink(path); /* half an export is none */
	}
	return code;
}

static const struct cli_option export_options[] = {
	{"to", "FILE",
	 "the public key it is sealed to: of lamppost vault keypair, or another's join-server.box.pub"},
	{"device", "EUI", "the root keys of one device"},
	{"all", NULL, "those of all"},
	{"out", "FILE", "a new file for it; default: standard output"},
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

const struct cli_command cli_vault_export_commands[] = {
	{.group = "vault",
	 .name = "export",
	 .summary = "root keys and nonces, sealed to a public key and to nothing else",
	 .description =
		 "For a move to another join server, or for a safe. The join server seals the keys itself; "
		 "neither this program nor anybody on the way can read them. Each page is noted in the "
		 "audit, with "
		 "who "
		 "asked and whom it is sealed to, before it leaves.",
	 .options = export_options,
	 .option_count = ARRAY_SIZE(export_options),
	 .examples = "lamppost vault export --to move.key.pub --all --out city.export\n"
		     "lamppost vault export --to move.key.pub --device 70b3d57ed0000001 > one.export\n",
	 .exits = "3 no such device, or it has no key\n",
	 .local = true,
	 .run = run_export},
	{.group = "vault",
	 .name = "keypair",
	 .summary = "a key pair to export to",
	 .description =
		 "Writes FILE, which opens what is sealed to FILE.pub. Made on the machine where the export "
		 "is to be opened.",
	 .operands = "FILE",
	 .examples = "lamppost vault keypair move.key\n",
	 .exits = "4 the file is there already\n",
	 .local = true,
	 .run = run_keypair},
};
const size_t cli_vault_export_command_count = ARRAY_SIZE(cli_vault_export_commands);
