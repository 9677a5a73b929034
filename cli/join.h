/* `lamppost join list`: what became of join-requests, of registered devices or, for the city's engineers, of what is not
 * registered. */
#ifndef LAMPPOST_CLI_JOIN_H
#define LAMPPOST_CLI_JOIN_H

#include "cli/command.h"

#include <jansson.h>
#include <stdbool.h>

extern const struct cli_command cli_join_commands[];
extern const size_t cli_join_command_count;

/* Reads "90s", "30m", "2h", "1d" (a bare number: seconds) as seconds; false: not such a time, or over 366 days. */
bool cli_parse_span(const char *text, long *seconds);

/* Prints one attempt as a watcher meets it: a line with its sentence, and beneath it what to do next. */
void cli_print_attempt(const json_t *attempt);

#endif
