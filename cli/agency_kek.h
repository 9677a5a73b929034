/* `lamppost agency kek` and `lamppost decrypt`: keys that only an agency holds (docs/agencies.md). */
#ifndef LAMPPOST_CLI_AGENCY_KEK_H
#define LAMPPOST_CLI_AGENCY_KEK_H

#include "cli/command.h"

extern const struct cli_command cli_agency_kek_commands[];
extern const size_t cli_agency_kek_command_count;
extern const struct cli_command cli_decrypt_commands[];
extern const size_t cli_decrypt_command_count;

#endif
