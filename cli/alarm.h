/* `lamppost alarm list|ack|explain|channels|test`. */
#ifndef LAMPPOST_CLI_ALARM_H
#define LAMPPOST_CLI_ALARM_H

#include "cli/command.h"

extern const struct cli_command cli_alarm_commands[];
extern const size_t cli_alarm_command_count;

int cli_alarm_ack(const struct cli_arguments *arguments);     /* alarm_ack.c */
int cli_alarm_explain(const struct cli_arguments *arguments); /* alarm_explain.c */

#endif
