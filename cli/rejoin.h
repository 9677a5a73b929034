/* `lamppost device rejoin`. */
#ifndef LAMPPOST_CLI_REJOIN_H
#define LAMPPOST_CLI_REJOIN_H

#include "cli/command.h"

#define CLI_REJOIN_OPTIONS 4
extern const struct cli_option cli_rejoin_options[CLI_REJOIN_OPTIONS];
int cli_rejoin_run(const struct cli_arguments *arguments);

#endif
