/* How gateways fare, at the command line: `lamppost gateway show`, `history`, `watch`, `impact`, `ping`. */
#ifndef LAMPPOST_CLI_GATEWAY_HEALTH_H
#define LAMPPOST_CLI_GATEWAY_HEALTH_H

#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>

extern const struct cli_command cli_gateway_health_commands[];
extern const size_t cli_gateway_health_command_count;

/* Prints what the bridge answered to a ping. */
void cli_gateway_print_ping(FILE *out, const char *eui, const json_t *answer);

/* --- gateway_show.c: one gateway on a screen */
int cli_gateway_show(const struct cli_arguments *arguments);
/* Prints a record as the API gives it, with its last outages (NULL: none are known); `width` 0: as wide as it is. */
void cli_gateway_print(FILE *out, const json_t *record, const json_t *outages, size_t width);

/* --- gateway_history.c: its series */
int cli_gateway_history(const struct cli_arguments *arguments);
/* Prints points as the API gives them. */
void cli_gateway_print_history(FILE *out, const json_t *points, size_t width);

/* --- gateway_list.c: all of them, the worst first */
#define CLI_GATEWAY_CELLS 6

struct cli_client;

/* The states by trouble, "" where nobody knows it; NULL-terminated. */
extern const char *const cli_gateway_states[];
/* Gives all gateways, the worst first; NULL: nobody answers. */
json_t *cli_gateways_ask(struct cli_client *client, const struct cli_arguments *arguments);
/* Sorts a list's items by trouble: state, then loss, then name. Pure. */
void cli_gateways_sort(json_t *items);
/* How many of a state. Pure. */
size_t cli_gateways_count(const json_t *items, const char *state);
/* "4 min", "2 h", "3 days" since an RFC 3339 time; "" for none. */
const char *cli_gateway_age(char text[32], const char *then, long long now_s);
/* Fills state, name, when it was seen, uplinks an hour, loss, the reason in words. */
void cli_gateway_cells(const json_t *item, char cells[CLI_GATEWAY_CELLS][256]);
void cli_gateways_print(const json_t *items);

/* --- gateway_watch.c */
int cli_gateway_watch(const struct cli_arguments *arguments);

#endif
