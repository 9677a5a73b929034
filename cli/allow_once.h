/* `lamppost device join-allow-once`, and what `device show` says of it. */
#ifndef LAMPPOST_CLI_ALLOW_ONCE_H
#define LAMPPOST_CLI_ALLOW_ONCE_H

#include "cli/client.h"
#include "cli/command.h"

#define CLI_ALLOW_ONCE_OPTIONS 2
extern const struct cli_option cli_allow_once_options[CLI_ALLOW_ONCE_OPTIONS];
int cli_allow_once_run(const struct cli_arguments *arguments);
/* Prints how often the device's root key was used, and a line if one join of it is allowed now; if the join server is away, nothing. */
void cli_allow_once_tell(struct cli_client *client, const char *eui);

#endif
