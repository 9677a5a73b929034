/* The public keys of a server, as this user saw them first. They come over the API, so whoever relays them could swap them:
 * they are pinned at first use in $XDG_CONFIG_HOME/lamppost/pins.json (or ~/.config/lamppost), one entry for each server's
 * socket, and a changed one refuses everything that would be sealed.
 *
 * Invariant: only a file that is absent, or has no entry of this server, is a first use. */
#ifndef LAMPPOST_CLI_PINS_H
#define LAMPPOST_CLI_PINS_H

#include <jansson.h>

#define CLI_PINNED_COUNT 3
extern const char *const cli_pinned_names[CLI_PINNED_COUNT]; /* processes, as GET /api/v1/keys names them */

/* Compares the keys that the server behind `socket` gave (hex, by process; all are there) with the pinned ones; pins them
 * at first use. CLI_DONE, CLI_REFUSED when one has changed, CLI_FAILED when the pins cannot be read or kept; reported. */
int cli_pins_check(const char *socket, const json_t *keys);

#endif
