/* `lamppost device watch EUI`: what is known of a device, then everything of it as it happens: how its join-requests fare,
 * its uplinks, its downlinks. For the person with ten sensors on a desk of which one does not join. */
#ifndef LAMPPOST_CLI_WATCH_H
#define LAMPPOST_CLI_WATCH_H

#include "cli/command.h"

#include <jansson.h>

#define CLI_EUI_TEXT 17

extern const struct cli_command cli_watch_commands[];
extern const size_t cli_watch_command_count;

/* Prints for people what is known of a device before anything comes: the line "known" of --json. */
void cli_watch_print_known(const json_t *known);
/* Prints one event of a stream for people: a line, or a few. `kind` as in the topics of MQTT, or "join_attempt". */
void cli_watch_print(const char *kind, const json_t *event);

/* Reads an EUI as labels print it: 16 hex digits of either case, with '-', ':' or blanks between. Fills it in lower case. */
bool cli_eui_read(const char *text, char eui[CLI_EUI_TEXT]);
/* Fills the EUI with its bytes in the other order. */
void cli_eui_reverse(const char eui[CLI_EUI_TEXT], char reversed[CLI_EUI_TEXT]);

#endif
