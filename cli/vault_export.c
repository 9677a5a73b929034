/* Root keys on their way to another join server, or into a safe: sealed by the join server to a public key that somebody named, opened by
 * whoever has the secret half. The file's form is in common/crypto/vault_seal.h. */
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

/* 64 hex digits, as the .box.pub files and vault keypair write them. */
static int read_public(const char *path, char text[HEX_KEY + 1])
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
	int code = read_public(key, to);
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

/* --- open ------------------------------------------------------------------------------------------------------ */

static void print_key(bool there, const uint8_t key[16])
{
	char text[33] = "";
	if (there)
		hex_encode(text, key, 16);
	printf(",%s", text);
	explicit_bzero(text, sizeof text);
}

struct opening {
	const struct cli_arguments *arguments;
	struct secret_box *box;
	long long devices;
	bool ended;
};

/* A row for lamppost device import, or an object with the nonces as well. */
static void print_record(const struct opening *opening, const struct vault_record *record)
{
	char dev_eui[17], join_eui[17];
	const char *application = cli_argument(opening->arguments, "application"),
		   *profile = cli_argument(opening->arguments, "profile");
	hex_encode(dev_eui, record->dev_eui, 8);
	hex_encode(join_eui, record->join_eui, 8);
	if (opening->arguments->json) {
		char app[33] = "", nwk[33] = "";
		if (record->has_app_key)
			hex_encode(app, record->app_key, 16);
		if (record->has_nwk_key)
			hex_encode(nwk, record->nwk_key, 16);
		printf("{\"dev_eui\":\"%s\",\"join_eui\":\"%s\",\"mac_version\":\"%u.%u.%u\",\"app_key\":\"%"
		       "s\","
		       "\"nwk_key\":\"%s\",\"join_nonce\":%u,\"dev_nonce\":%d,\"rj_count1\":%d}\n",
		       dev_eui, join_eui, record->version[0], record->version[1], record->version[2], app,
		       nwk, record->join_nonce, record->has_dev_nonce ? record->dev_nonce : -1,
		       record->has_rj_count1 ? record->rj_count1 : -1);
		explicit_bzero(app, sizeof app);
		explicit_bzero(nwk, sizeof nwk);
		return;
	}
	printf("%s,%s,%s,%s,%s", dev_eui, dev_eui, application ? application : "", profile ? profile : "",
	       join_eui);
	print_key(record->has_app_key, record->app_key);
	print_key(record->has_nwk_key, record->nwk_key);
	printf("\n");
}

static int open_page(struct opening *opening, const char *text)
{
	struct vault_record records[VAULT_PAGE_RECORDS];
	uint8_t sealed[VAULT_PAGE_SEALED];
	size_t length = 0, count = 0;
	enum status status = base64_decode(sealed, sizeof sealed, &length, text, strlen(text))
				     ? vault_page_open(opening->box, sealed, length, records, &count)
				     : ST_INVALID;
	for (size_t i = 0; i < count && status == ST_OK; i++)
		print_record(opening, &records[i]);
	secret_wipe(records, sizeof records);
	opening->devices += (long long)count;
	if (status == ST_OK)
		return CLI_DONE;
	return cli_problem(CLI_REFUSED, "vault open",
			   "the secret key whose public half stands in its first line",
			   status == ST_REFUSED ? "it was sealed to another key, or changed"
						: "that is no page of an export");
}

static int open_line(struct opening *opening, char *line, long number)
{
	json_t *object = json_loads(line, 0, NULL);
	const char *sealed = json_string_value(json_object_get(object, "sealed"));
	int code = CLI_DONE;
	if (number == 1 && json_integer_value(json_object_get(object, "lamppost_vault_export")) != 1)
		code = cli_problem(CLI_REFUSED, "vault open", NULL, "that is no export of a vault");
	else if (sealed)
		code = open_page(opening, sealed);
	else if (json_is_true(json_object_get(object, "end")))
		opening->ended = json_integer_value(json_object_get(object, "devices")) == opening->devices;
	else if (number != 1)
		code = cli_problem(CLI_REFUSED, "vault open", NULL, "line %ld is no line of an export",
				   number);
	json_decref(object);
	return code;
}

static int open_lines(struct opening *opening, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	int code = CLI_DONE;
	if (!opening->arguments->json)
		printf("dev_eui,name,application,profile,join_eui,app_key,nwk_key\n");
	for (long number = 1; code == CLI_DONE && getline(&line, &room, in) > 0; number++)
		code = open_line(opening, line, number);
	free(line);
	if (code == CLI_DONE && !opening->ended)
		code = cli_problem(CLI_FAILED, "vault open", "export again",
				   "the export is not whole: its end is missing");
	return code;
}

static int run_open(const struct cli_arguments *arguments)
{
	const char *path = arguments->operands[0], *key = cli_argument(arguments, "key");
	uint8_t bytes[SECRET_KEY];
	struct opening opening = {.arguments = arguments};
	if (!key)
		return cli_problem(CLI_USAGE, "vault open", NULL, "--key SECRETKEYFILE is needed");
	if (isatty(STDOUT_FILENO) && !cli_argument(arguments, "show"))
		return cli_problem(CLI_REFUSED, "vault open", "--show, or | lamppost device import -",
				   "keys in clear would stand on this terminal");
	enum key_file_verdict verdict = key_file_read(key, bytes, sizeof bytes);
	if (verdict != KEY_FILE_OK)
		return cli_problem(CLI_REFUSED, key, key_file_verdict_advice(verdict),
				   "the secret key cannot be used: %s", key_file_verdict_name(verdict));
	opening.box = secret_init() == ST_OK ? secret_box_from(bytes) : NULL;
	secret_wipe(bytes, sizeof bytes);
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int code = !in ? cli_problem(CLI_NOT_FOUND, path, NULL, "cannot be read: %s", strerror(errno))
		   : !opening.box ? cli_problem(CLI_FAILED, key, NULL, "no memory for the key")
				  : open_lines(&opening, in);
	if (in && in != stdin)
		fclose(in);
	secret_box_free(opening.box);
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
static const struct cli_option open_options[] = {
	{"key", "FILE", "the secret key"},
	{"application", "APPLICATION", "for the column of that name"},
	{"profile", "PROFILE", "for the column of that name"},
	{"show", NULL, "on a terminal too"},
};

const struct cli_command cli_vault_export_commands[] = {
	{.group = "vault",
	 .name = "export",
	 .summary = "root keys, sealed to a public key and to nothing else",
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
	 .name = "open",
	 .summary = "an export, opened with the secret key: rows for lamppost device import",
	 .description =
		 "Checks every page and that the export is whole. It prints keys in clear: into a pipe, so "
		 "that no file holds them. --json has the nonces as well, which the next join server has to "
		 "go on from.",
	 .operands = "FILE",
	 .options = open_options,
	 .option_count = ARRAY_SIZE(open_options),
	 .examples = "lamppost vault open city.export --key move.key --application parks --profile meter "
		     "| lamppost device import -\n",
	 .exits = "1 the export is not whole\n4 it is sealed to another key, or was changed\n",
	 .local = true,
	 .run = run_open},
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
