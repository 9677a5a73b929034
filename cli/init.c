/* Order matters for a crash in the middle: keys before the configuration, each durable by itself, and the second file of a
 * pair made from the first. Whatever was made is kept by the next call, which makes the rest. */
#include "cli/init.h"

#include "cli/arguments.h"
#include "cli/problem.h"
#include "cli/up_vault.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/io/key_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM (OPTION_PATH_MAX + 64)

enum kind { MASTER, BOX, BOX_PUBLIC, KEK };

/* `pair`: the file whose bytes this one shares (KEK) or is made from (BOX_PUBLIC). */
static const struct key_row {
	const char *name;
	enum kind kind;
	const char *pair;
} rows[] = {
	{"network-server.master", MASTER, NULL},
	{"join-server.master", MASTER, NULL},
	{"application-server.master", MASTER, NULL},
	{"network-server.box", BOX, NULL},
	{"network-server.box.pub", BOX_PUBLIC, "network-server.box"},
	{"join-server.box", BOX, NULL},
	{"join-server.box.pub", BOX_PUBLIC, "join-server.box"},
	{"application-server.box", BOX, NULL},
	{"application-server.box.pub", BOX_PUBLIC, "application-server.box"},
	{"kek-network.network-server", KEK, "kek-network.join-server"},
	{"kek-network.join-server", KEK, "kek-network.network-server"},
	{"kek-application.application-server", KEK, "kek-application.join-server"},
	{"kek-application.join-server", KEK, "kek-application.application-server"},
};

static const char *const databases[] = {"network.db", "join.db", "city.db", "readings.db"};

static void path_of(char path[PATH_ROOM], const struct cli_place *place, const char *folder, const char *name)
{
	snprintf(path, PATH_ROOM, "%s/%s%s", place->state, folder, name);
}

static size_t key_size(enum kind kind)
{
	return kind == KEK ? 16 : SECRET_KEY;
}

static int refuse_key(const char *path, enum key_file_verdict verdict)
{
	return cli_problem(CLI_FAILED, path, key_file_verdict_advice(verdict),
			   "the key file cannot be used: %s", key_file_verdict_name(verdict));
}

/* Makes a folder and those above it. */
static int make_folder(const char *path, mode_t mode)
{
	char part[PATH_ROOM];
	snprintf(part, sizeof part, "%s", path);
	for (char *slash = part + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return cli_problem(CLI_FAILED, part, NULL, "cannot make the folder: %s",
					   strerror(errno));
		*slash = '/';
	}
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return cli_problem(CLI_FAILED, path, NULL, "cannot make the folder: %s", strerror(errno));
	return CLI_DONE;
}

static const char *existing_database(const struct cli_place *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
		char path[PATH_ROOM];
		path_of(path, place, "", databases[i]);
		if (key_file_exists(path))
			return databases[i];
	}
	return NULL;
}

/* Fills the public half of a box key file, as text with a newline. */
static int public_text(const struct cli_place *place, const char *box_name, char text[2 * SECRET_KEY + 2])
{
	char path[PATH_ROOM];
	uint8_t secret[SECRET_KEY];
	path_of(path, place, "keys/", box_name);
	enum key_file_verdict verdict = key_file_read(path, secret, sizeof secret);
	if (verdict != KEY_FILE_OK)
		return refuse_key(path, verdict);
	struct secret_box *box = secret_box_from(secret);
	secret_wipe(secret, sizeof secret);
	if (!box)
		return cli_problem(CLI_FAILED, path, NULL, "no memory for the key");
	hex_encode(text, secret_box_public(box), SECRET_KEY);
	secret_box_free(box);
	text[2 * SECRET_KEY] = '\n';
	text[2 * SECRET_KEY + 1] = '\0';
	return CLI_DONE;
}

static int make_public(const struct cli_place *place, const struct key_row *row, const char *path)
{
	char text[2 * SECRET_KEY + 2];
	int code = public_text(place, row->pair, text);
	if (code != CLI_DONE)
		return code;
	enum key_file_verdict verdict = key_file_create(path, (const uint8_t *)text, 2 * SECRET_KEY + 1,
							0644);
	return verdict == KEY_FILE_OK ? CLI_DONE : refuse_key(path, verdict);
}

/* Random bytes, or those of the other half of a pair that is there already. */
static int make_secret(const struct cli_place *place, const struct key_row *row, const char *path)
{
	uint8_t bytes[SECRET_KEY];
	size_t size = key_size(row->kind);
	secret_random(bytes, sizeof bytes);
	if (row->kind == KEK) {
		char pair[PATH_ROOM];
		path_of(pair, place, "keys/", row->pair);
		enum key_file_verdict verdict = key_file_read(pair, bytes, size);
		if (verdict != KEY_FILE_OK && verdict != KEY_FILE_MISSING)
			return refuse_key(pair, verdict);
	}
	enum key_file_verdict verdict = key_file_create(path, bytes, size, 0600);
	secret_wipe(bytes, sizeof bytes);
	return verdict == KEY_FILE_OK ? CLI_DONE : refuse_key(path, verdict);
}

/* A vault that no file opens has no master key file; and once there is one, the box key may stand in it alone. */
static bool is_not_wanted(const struct key_row *row, enum cli_vault_source source, bool has_vault)
{
	if (source == CLI_VAULT_FILE)
		return false;
	return strcmp(row->name, "join-server.master") == 0 ||
	       (has_vault && strcmp(row->name, "join-server.box") == 0);
}

static int make_keys(const struct cli_place *place, struct cli_init_result *result)
{
	const char *database = existing_database(place);
	enum cli_vault_source source = cli_vault_source_of(place->config);
	char vault[PATH_ROOM];
	path_of(vault, place, "", "join.db");
	bool has_vault = key_file_exists(vault);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[PATH_ROOM];
		path_of(path, place, "keys/", rows[i].name);
		if (key_file_exists(path) || is_not_wanted(&rows[i], source, has_vault))
			continue;
		/* A public half can always be made again from its secret. */
		if (database && rows[i].kind != BOX_PUBLIC)
			return cli_problem(CLI_REFUSED, path, "restore the keys from a backup",
					   "the key is missing, and there is a %s that it belongs to",
					   database);
		int code = rows[i].kind == BOX_PUBLIC ? make_public(place, &rows[i], path)
						      : make_secret(place, &rows[i], path);
		if (code != CLI_DONE)
			return code;
		result->made++;
	}
	return CLI_DONE;
}

static const char config_text[] =
	"# Lamppost: one section for each process. Every key has a default;\n"
	"# `<process> -c THIS --print-config` shows all of them with what they mean.\n"
	"\n"
	"common:\n"
	"  # Databases and keys, and the Unix sockets.\n"
	"  state_dir: \"%s\"\n"
	"  run_dir: \"%s\"\n"
	"  # error, warn, info or debug.\n"
	"  log_level: info\n"
	"  # 000000 and 000001 are for private networks; another is given by the LoRa Alliance.\n"
	"  net_id: \"000000\"\n"
	"  # Blocks that device addresses are drawn from.\n"
	"  dev_addr_prefixes: [\"00000000/7\"]\n"
	"\n"
	"# gateway-bridge:       where gateways send to (udp_listen), limits\n"
	"# network-server:       regions, deduplication window, delays\n"
	"# join-server:          keys by label for other networks, who may call\n"
	"# application-server:   MQTT broker, API, who administers\n";

/* YAML in double quotes: a path may hold a quote or a backslash. */
static void quote_path(char out[2 * PATH_ROOM], const char *path)
{
	size_t used = 0;
	for (; *path && used + 2 < 2 * PATH_ROOM - 1; path++) {
		if (*path == '"' || *path == '\\')
			out[used++] = '\\';
		out[used++] = *path;
	}
	out[used] = '\0';
}

/* The file may be read from another working directory, so its paths are absolute. */
static void absolute(char out[2 * PATH_ROOM], const char *path)
{
	char real[4096];
	if (!realpath(path, real) || strlen(real) >= PATH_ROOM)
		snprintf(real, sizeof real, "%s", path);
	quote_path(out, real);
}

static int make_config(const struct cli_place *place, struct cli_init_result *result)
{
	if (place->config_given || key_file_exists(place->config))
		return CLI_DONE;
	char state[2 * PATH_ROOM], run[2 * PATH_ROOM], text[8192];
	absolute(state, place->state);
	absolute(run, place->run);
	int length = snprintf(text, sizeof text, config_text, state, run);
	ASSERT(length > 0 && (size_t)length < sizeof text);
	enum key_file_verdict verdict = key_file_create(place->config, (const uint8_t *)text, (size_t)length,
							0640);
	if (verdict != KEY_FILE_OK)
		return cli_problem(CLI_FAILED, place->config, NULL, "cannot write the configuration: %s",
				   key_file_verdict_name(verdict));
	result->made++;
	return CLI_DONE;
}

/* The public half alone: the secret one stands in the vault. */
static int read_public(const struct cli_place *place, const char *name, char text[2 * SECRET_KEY + 2])
{
	char path[PATH_ROOM];
	uint8_t key[SECRET_KEY];
	path_of(path, place, "keys/", name);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, 2 * SECRET_KEY, file) : 0;
	text[length] = '\0';
	if (file)
		fclose(file);
	return hex_decode_exact(key, sizeof key, text) ? CLI_DONE : refuse_key(path, KEY_FILE_MISSING);
}

static int show_fingerprint(const struct cli_place *place, struct cli_init_result *result)
{
	char text[2 * SECRET_KEY + 2];
	uint8_t public_key[SECRET_KEY];
	char path[PATH_ROOM];
	path_of(path, place, "keys/", "join-server.box");
	int code = key_file_exists(path) ? public_text(place, "join-server.box", text)
					 : read_public(place, "join-server.box.pub", text);
	if (code != CLI_DONE)
		return code;
	text[2 * SECRET_KEY] = '\0';
	bool decoded = hex_decode_exact(public_key, sizeof public_key, text);
	ASSERT(decoded);
	secret_fingerprint(result->fingerprint, public_key);
	return CLI_DONE;
}

int cli_init_state(const struct cli_place *place, struct cli_init_result *result)
{
	memset(result, 0, sizeof *result);
	char keys[PATH_ROOM];
	path_of(keys, place, "keys", "");
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, "init", NULL, "the system gives no randomness");
	int code = make_folder(place->state, 0750);
	if (code == CLI_DONE)
		code = make_folder(keys, 0750);
	if (code == CLI_DONE)
		code = make_folder(place->run, 0750);
	if (code == CLI_DONE)
		code = make_keys(place, result);
	if (code == CLI_DONE)
		code = make_config(place, result);
	return code == CLI_DONE ? show_fingerprint(place, result) : code;
}

static const struct cli_option options[] = {
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "a configuration that is there already (-c for short): none is written then"},
};

static int run(const struct cli_arguments *arguments)
{
	struct cli_place place;
	struct cli_init_result result;
	int code = cli_place_find(&place, "init", cli_argument(arguments, "state"),
				  cli_argument(arguments, "config"));
	if (code == CLI_DONE)
		code = cli_init_state(&place, &result);
	if (code != CLI_DONE)
		return code;
	if (arguments->json) {
		json_t *answer = json_pack("{s:s, s:s, s:i, s:s}", "state_dir", place.state, "config",
					   place.config, "made", result.made, "join_server_fingerprint",
					   result.fingerprint);
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(answer);
		return CLI_DONE;
	}
	printf("state directory  %s%s\n", place.state, result.made ? "" : "  (everything was there)");
	printf("configuration    %s\n", place.config);
	printf("join server key  %s\n", result.fingerprint);
	return CLI_DONE;
}

const struct cli_command cli_init_commands[] = {
	{.group = "init",
	 .summary = "make state directory, keys and configuration, once",
	 .description = "Makes the state directory, the keys, and a configuration to start from. Called "
			"again it changes nothing. It prints the fingerprint of the join server's key, by "
			"which others know it.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost init\n"
		     "lamppost init --state /var/lib/lamppost\n",
	 .local = true,
	 .run = run},
};
const size_t cli_init_command_count = ARRAY_SIZE(cli_init_commands);
