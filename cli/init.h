/* `lamppost init`: makes the state directory, every key (docs/contract.md, Files), and a configuration to start from. Once:
 * called again it finds everything and changes nothing. A key that is missing beside an existing database is never made
 * anew, since what it sealed would be lost: that refuses, whoever calls. */
#ifndef LAMPPOST_CLI_INIT_H
#define LAMPPOST_CLI_INIT_H

#include "cli/command.h"
#include "cli/place.h"
#include "common/crypto/secret.h"

struct cli_init_result {
	int made;                                  /* files made now */
	char fingerprint[SECRET_FINGERPRINT_TEXT]; /* of the join server's box key */
};

/* Does it. CLI_DONE, or another exit code after saying why. */
int cli_init_state(const struct cli_place *place, struct cli_init_result *result);

extern const struct cli_command cli_init_commands[];
extern const size_t cli_init_command_count;

#endif
