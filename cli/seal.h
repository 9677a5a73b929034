/* Keys leave this program sealed to the one process that may read them (common/crypto/sealed_key.h). The public keys come
 * over the API and are checked against those pinned at first use (pins.h). */
#ifndef LAMPPOST_CLI_SEAL_H
#define LAMPPOST_CLI_SEAL_H

#include "cli/client.h"
#include "common/lorawan/types.h"

#include <jansson.h>

struct cli_seal; /* opaque: the public keys of the processes, checked against the pins */

/* Fetches and checks the public keys. CLI_DONE with `*seal` (the caller's), else an exit code, reported. */
int cli_seal_open(struct cli_client *client, struct cli_seal **seal);
/* The same from keys that are there already ({"join-server": hex, ...}, borrowed) and without pins. */
int cli_seal_make(const json_t *keys, struct cli_seal **seal);
void cli_seal_free(struct cli_seal *seal); /* NULL is allowed */
/* Takes keys that others know from now on (key_rules.h); what --allow-known-keys says at a command is known already. */
void cli_seal_allow_known(struct cli_seal *seal);

/* Whether a field of a device is a key ("app_key", "nwk_s_key", ...). */
bool cli_is_key_field(const char *field);

/* Seals `text` (32 hex digits, blanks and colons between pairs allowed) for the reader of `field`. Gives a new JSON string of
 * base64, or NULL with `reason` set to what is wrong, lent until the next key; the reason never repeats the key. One that is no
 * secret is refused (key_rules.h). */
json_t *cli_seal_key(const struct cli_seal *seal, const char *field, const struct lw_eui64 *dev_eui,
		     const char *text, const char **reason);

/* Seals an agency's KEK for the join server. CLI_DONE with `*sealed`, a new JSON string of base64; else an exit code, reported. */
int cli_seal_kek(const struct cli_seal *seal, const char *label, uint32_t version, const uint8_t key[16],
		 json_t **sealed);

/* The same for what a person typed at an option: the key itself, `@FILE` or `-`, and the device's EUI as text. The server
 * is asked for its public keys (once: `*seal` is NULL before) only when key and EUI read well. CLI_DONE with `*sealed`, a
 * new JSON string; else an exit code, reported. */
int cli_seal_word(struct cli_client *client, struct cli_seal **seal, const char *field, const char *dev_eui,
		  const char *word, json_t **sealed);

#endif
