#include "cli/seal.h"

#include "cli/input.h"
#include "cli/key_rules.h"
#include "cli/pins.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_kek.h"
#include "common/crypto/sealed_key.h"

#include <stdlib.h>
#include <string.h>

/* The one process that may read a key: a place in cli_pinned_names. */
enum reader { JOIN_SERVER, NETWORK_SERVER, APPLICATION_SERVER, READER_COUNT };
_Static_assert((size_t)READER_COUNT == CLI_PINNED_COUNT, "one pin for each reader");

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
	struct key_watch *watch; /* owned: every key is judged before it is sealed */
};

bool cli_is_key_field(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_fields); i++) {
		if (strcmp(key_fields[i].field, field) == 0)
			return true;
	}
	return false;
}

int cli_seal_make(const json_t *keys, struct cli_seal **seal)
{
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, "sealing", NULL, "the system has no randomness");
	struct cli_seal *made = calloc(1, sizeof *made);
	ASSERT(made != NULL);
	for (size_t i = 0; i < READER_COUNT; i++) {
		const char *text = json_string_value(json_object_get(keys, cli_pinned_names[i]));
		if (text && hex_decode_exact(made->public_keys[i], SECRET_KEY, text))
			continue;
		free(made);
		return cli_problem(CLI_FAILED, "public keys", "lamppost status",
				   "the server has none of the %s", cli_pinned_names[i]);
	}
	made->watch = key_watch_new(false);
	*seal = made;
	return CLI_DONE;
}

void cli_seal_allow_known(struct cli_seal *seal)
{
	key_watch_free(seal->watch);
	seal->watch = key_watch_new(true);
}

int cli_seal_open(struct cli_client *client, struct cli_seal **seal)
{
	json_t *keys = NULL;
	struct cli_seal *made = NULL;
	int exit_code = cli_call(client, "public keys", IO_HTTP_GET, "/api/v1/keys", NULL, &keys);
	if (exit_code == CLI_DONE)
		exit_code = cli_seal_make(keys, &made);
	if (exit_code == CLI_DONE)
		exit_code = cli_pins_check(cli_client_socket(client), keys);
	json_decref(keys);
	if (exit_code == CLI_DONE && cli_client_allows_known_keys(client))
		cli_seal_allow_known(made);
	if (exit_code == CLI_DONE)
		*seal = made;
	else
		cli_seal_free(made);
	return exit_code;
}

void cli_seal_free(struct cli_seal *seal)
{
	if (seal)
		key_watch_free(seal->watch);
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

static const char key_form[] = "expected 32 hex digits (16 bytes)";

static json_t *seal_parsed(const struct cli_seal *seal, const char *field, const struct lw_eui64 *dev_eui,
			   const struct lw_key *key, const char **reason)
{
	size_t row = 0;
	while (row < ARRAY_SIZE(key_fields) && strcmp(key_fields[row].field, field) != 0)
		row++;
	ASSERT(row < ARRAY_SIZE(key_fields));
	enum sealed_key_kind kind;
	ASSERT(sealed_key_kind_parse(field, &kind));
	const char *refusal = key_watch_refusal(seal->watch, field, dev_eui, key);
	if (refusal) {
		*reason = refusal;
		return NULL;
	}
	uint8_t sealed[SEALED_KEY_LENGTH];
	if (sealed_key_seal(sealed, seal->public_keys[key_fields[row].reader], kind, dev_eui->bytes,
			    key->bytes) != ST_OK) {
		*reason = "the server's public key is not usable";
		return NULL;
	}
	char encoded[BASE64_ROOM(SEALED_KEY_LENGTH)];
	base64_encode(encoded, sealed, sizeof sealed);
	return json_string(encoded);
}

json_t *cli_seal_key(const struct cli_seal *seal, const char *field, const struct lw_eui64 *dev_eui,
		     const char *text, const char **reason)
{
	struct lw_key key;
	if (!parse_key(&key, text)) {
		*reason = key_form;
		return NULL;
	}
	json_t *sealed = seal_parsed(seal, field, dev_eui, &key, reason);
	lw_key_wipe(&key);
	return sealed;
}

int cli_seal_kek(const struct cli_seal *seal, const char *label, uint32_t version, const uint8_t key[16],
		 json_t **sealed)
{
	uint8_t blob[SEALED_KEK_LENGTH];
	char encoded[BASE64_ROOM(SEALED_KEK_LENGTH)];
	if (sealed_kek_seal(blob, seal->public_keys[JOIN_SERVER], label, version, key) != ST_OK)
		return cli_problem(CLI_FAILED, label, "lamppost status",
				   "the join server's public key, or the label, is not usable");
	base64_encode(encoded, blob, sizeof blob);
	*sealed = json_string(encoded);
	return CLI_DONE;
}

int cli_seal_word(struct cli_client *client, struct cli_seal **seal, const char *field, const char *dev_eui,
		  const char *word, json_t **sealed)
{
	struct lw_eui64 eui;
	if (!dev_eui || !lw_eui64_parse(dev_eui, &eui))
		return cli_problem(CLI_REFUSED, "dev_eui", NULL,
				   "expected 16 hex digits: keys are sealed for one device");
	char *text = cli_input_text(field, word);
	if (!text)
		return CLI_REFUSED;
	struct lw_key key;
	bool parsed = parse_key(&key, text);
	explicit_bzero(text, strlen(text));
	free(text);
	if (!parsed)
		return cli_problem(CLI_REFUSED, field, NULL, "%s", key_form);
	int exit_code = *seal ? CLI_DONE : cli_seal_open(client, seal);
	if (exit_code == CLI_DONE) {
		const char *reason = "";
		*sealed = seal_parsed(*seal, field, &eui, &key, &reason);
		if (!*sealed)
			exit_code = cli_problem(CLI_REFUSED, field, NULL, "%s", reason);
	}
	lw_key_wipe(&key);
	return exit_code;
}
