#include "cli/seal.h"

#include "cli/input.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum reader { JOIN_SERVER, NETWORK_SERVER, APPLICATION_SERVER, READER_COUNT };

static const char *const reader_names[READER_COUNT] = {"join-server", "network-server", "application-server"};

static const struct {
	const char *field;
	enum reader reader;
} key_fields[] = {
	{"app_key", JOIN_SERVER},          {"nwk_key", JOIN_SERVER},
	{"nwk_s_key", NETWORK_SERVER},     {"s_nwk_s_int_key", NETWORK_SERVER},
	{"nwk_s_enc_key", NETWORK_SERVER}, {"app_s_key", APPLICATION_SERVER},
};

struct cli_seal {
	uint8_t public_keys[READER_COUNT][SECRET_KEY];
};

bool cli_is_key_field(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_fields); i++) {
		if (strcmp(key_fields[i].field, field) == 0)
			return true;
	}
	return false;
}

/* Fills the folder of the pins; false when neither variable names a home. */
static bool pins_folder(char *path, size_t capacity)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int used;
	if (config && *config)
		used = snprintf(path, capacity, "%s/lamppost", config);
	else if (home && *home)
		used = snprintf(path, capacity, "%s/.config/lamppost", home);
	else
		return false;
	return used > 0 && (size_t)used < capacity;
}

/* Makes the folders of a path, each 0700. */
static void make_folders(const char *path)
{
	char part[512];
	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700);
		*slash = '/';
	}
	(void)mkdir(part, 0700);
}

/* Writes the pins beside the old ones and renames. */
static bool pins_write(const char *folder, const json_t *pins)
{
	char path[600], temporary[640];
	snprintf(path, sizeof path, "%s/pins.json", folder);
	snprintf(temporary, sizeof temporary, "%s/pins.json.%ld", folder, (long)getpid());
	make_folders(folder);
	if (json_dump_file(pins, temporary, JSON_INDENT(2) | JSON_SORT_KEYS) != 0)
		return false;
	return rename(temporary, path) == 0;
}

/* Compares the server's public keys with the pinned ones, pins them at first use. */
static int check_pins(struct cli_client *client, const json_t *keys)
{
	char folder[512], path[600];
	if (!pins_folder(folder, sizeof folder))
		return cli_problem(CLI_FAILED, "pins of the server's keys", "set HOME or XDG_CONFIG_HOME",
				   "there is no place for them");
	snprintf(path, sizeof path, "%s/pins.json", folder);
	char resolved[4096];
	const char *server = realpath(cli_client_socket(client), resolved);
	if (!server)
		server = cli_client_socket(client);
	json_error_t error;
	json_t *pins = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!pins && access(path, F_OK) == 0)
		return cli_problem(CLI_FAILED, path, "mend or remove it", "cannot be read as JSON: %s",
				   error.text);
	if (!pins)
		pins = json_object();
	json_t *pinned = json_object_get(pins, server);
	int exit_code = CLI_DONE;
	for (size_t i = 0; pinned && i < READER_COUNT; i++) {
		const char *was = json_string_value(json_object_get(pinned, reader_names[i]));
		const char *is = json_string_value(json_object_get(keys, reader_names[i]));
		if (was && is && strcmp(was, is) != 0) {
			exit_code = cli_problem(
				CLI_REFUSED, reader_names[i],
				"compare with the fingerprint that `lamppost init` printed there; if "
				"the server was really made anew, take its entry out of pins.json",
				"its public key is not the one pinned in %s: somebody may want "
				"your keys",
				path);
			break;
		}
	}
	if (!pinned) {
		json_object_set(pins, server, (json_t *)(uintptr_t)keys);
		if (!pins_write(folder, pins))
			exit_code = cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s",
						strerror(errno));
	}
	json_decref(pins);
	return exit_code;
}

int cli_seal_open(struct cli_client *client, struct cli_seal **seal)
{
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, "sealing", NULL, "the system has no randomness");
	json_t *keys = NULL;
	int exit_code = cli_call(client, "public keys", IO_HTTP_GET, "/api/v1/keys", NULL, &keys);
	if (exit_code != CLI_DONE)
		return exit_code;
	struct cli_seal *made = calloc(1, sizeof *made);
	ASSERT(made != NULL);
	for (size_t i = 0; i < READER_COUNT && exit_code == CLI_DONE; i++) {
		const char *text = json_string_value(json_object_get(keys, reader_names[i]));
		if (!text || !hex_decode_exact(made->public_keys[i], SECRET_KEY, text))
			exit_code = cli_problem(CLI_FAILED, "public keys", "lamppost status",
						"the server has none of the %s", reader_names[i]);
	}
	if (exit_code == CLI_DONE)
		exit_code = check_pins(client, keys);
	json_decref(keys);
	if (exit_code == CLI_DONE)
		*seal = made;
	else
		free(made);
	return exit_code;
}

void cli_seal_free(struct cli_seal *seal)
{
	free(seal);
}

/* Reads 32 hex digits with blanks, colons or dashes between them. */
static bool parse_key(struct lw_key *key, const char *text)
{
	char digits[33];
	size_t used = 0;
	for (; *text; text++) {
		if (*text == ' ' || *text == ':' || *text == '-' || *text == '\n' || *text == '\r')
			continue;
		if (used == 32)
			return false;
		digits[used++] = *text;
	}
	digits[used] = '\0';
	bool ok = lw_key_parse(digits, key);
	explicit_bzero(digits, sizeof digits);
	return ok;
}

json_t *cli_seal_key(const struct cli_seal *seal, const char *field, const struct lw_eui64 *dev_eui,
		     const char *text, const char **reason)
{
	size_t row = 0;
	while (row < ARRAY_SIZE(key_fields) && strcmp(key_fields[row].field, field) != 0)
		row++;
	ASSERT(row < ARRAY_SIZE(key_fields));
	enum sealed_key_kind kind;
	ASSERT(sealed_key_kind_parse(field, &kind));
	struct lw_key key;
	if (!parse_key(&key, text)) {
		*reason = "expected 32 hex digits (16 bytes)";
		return NULL;
	}
	uint8_t sealed[SEALED_KEY_LENGTH];
	enum status status = sealed_key_seal(sealed, seal->public_keys[key_fields[row].reader], kind,
					     dev_eui->bytes, key.bytes);
	lw_key_wipe(&key);
	if (status != ST_OK) {
		*reason = "the server's public key is not usable";
		return NULL;
	}
	char encoded[BASE64_ROOM(SEALED_KEY_LENGTH)];
	base64_encode(encoded, sealed, sizeof sealed);
	return json_string(encoded);
}

json_t *cli_seal_word(const struct cli_seal *seal, const char *field, const char *dev_eui, const char *word)
{
	struct lw_eui64 eui;
	if (!dev_eui || !lw_eui64_parse(dev_eui, &eui)) {
		(void)cli_problem(CLI_REFUSED, "dev_eui", NULL,
				  "expected 16 hex digits: keys are sealed for one device");
		return NULL;
	}
	char *text = cli_input_text(field, word);
	if (!text)
		return NULL;
	const char *reason = "";
	json_t *sealed = cli_seal_key(seal, field, &eui, text, &reason);
	explicit_bzero(text, strlen(text));
	free(text);
	if (!sealed)
		(void)cli_problem(CLI_REFUSED, field, NULL, "%s", reason);
	return sealed;
}
