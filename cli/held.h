/* Payloads under a key that only the agency holds, opened and made on its own machine. The AppSKey comes with every event, reading and
 * session (`joinServerContext.appSKey`), wrapped under the KEK that its label names; ciphers are LoRaWAN's own (TS001 §4.3.3). Nothing
 * here asks a server. */
#ifndef LAMPPOST_CLI_HELD_H
#define LAMPPOST_CLI_HELD_H

#include "cli/kek_file.h"

#include <jansson.h>

#define CLI_HELD_WHY_MAX 200

enum cli_held {
	CLI_HELD_OPENED,
	CLI_HELD_IN_CLEAR, /* it is not encrypted, or has no payload */
	CLI_HELD_CLOSED    /* `why` says why it does not open */
};

/* Unwraps the AppSKey of what says `joinServerContext`; false with `why`. */
bool cli_held_key(const struct cli_keks *keks, const json_t *said, struct lw_key *app_s_key,
		  char why[CLI_HELD_WHY_MAX]);
/* Opens the payload of an uplink (event `up`, or a reading) in place: `data` becomes the plain bytes, `encrypted` false, and
 * `decrypted` is added. `dev_addr`, `fCnt` and `fPort` are its own. */
enum cli_held cli_held_open(const struct cli_keks *keks, json_t *uplink, char why[CLI_HELD_WHY_MAX]);
/* Encrypts a downlink's payload for a device whose session was asked for (GET .../session); false with `why`. `out` may be `in`. */
bool cli_held_encrypt(const struct cli_keks *keks, const json_t *session, uint32_t fcnt_down,
		      const uint8_t *in, size_t length, uint8_t *out, char why[CLI_HELD_WHY_MAX]);

#endif
