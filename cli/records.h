/* `lamppost agency|application|profile|deployment|device|gateway add|list|show|update|remove`: one set of commands for
 * every kind of record; options, columns and help come from the rows of common/text/record_schema.h. */
#ifndef LAMPPOST_CLI_RECORDS_H
#define LAMPPOST_CLI_RECORDS_H

#include "cli/command.h"
#include "common/text/record_schema.h"

extern const struct cli_command cli_record_commands[];
extern const size_t cli_record_command_count;

/* Runs `list` of the kind that the command's group names. */
int cli_record_list(const struct cli_arguments *arguments);

#endif
