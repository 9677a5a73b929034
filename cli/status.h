/* `lamppost status`: one screen of the network's health, from the admin sockets of the processes and city.sock.
 *
 *	cli_status_ask() ──facts──▶ cli_status_judge() ──findings──▶ cli_status_print()
 *
 * Facts are one JSON document, which --json prints as it is:
 *
 *	{"state_dir", "run_dir",
 *	 "processes": [{"process", "status": "healthy", "failing", "not running", "not answering", "refused",
 *			"health": its /healthz or null, "counters": its /counters or null}],
 *	 "gateways": [rows of the bridge's /gateways that are not online], "names": {EUI: name},
 *	 "city": its /api/v1/status or null, "disk": {"free_bytes", "size_bytes"}}
 *
 * A finding is {"level": "warning" or "bad", "what", "next"}: something is wrong, and what a person does about it. */
#ifndef LAMPPOST_CLI_STATUS_H
#define LAMPPOST_CLI_STATUS_H

#include "cli/command.h"
#include "cli/place.h"

#include <jansson.h>

extern const struct cli_command cli_status_commands[];
extern const size_t cli_status_command_count;

/* Gives the facts, the caller's. Asks everybody at once and waits two seconds at most, for each of two rounds. */
json_t *cli_status_ask(const struct cli_place *place);
/* Gives the findings, the caller's: an array, empty when all is well. Pure. */
json_t *cli_status_judge(const json_t *facts);
/* Prints the screen: `width` 0: as wide as it is. `height` 0: all of it; else lists are cut so that it fits 24 lines or
 * more. Pure but for `out`. */
void cli_status_print(FILE *out, const json_t *facts, const json_t *findings, size_t width, size_t height);

/* --- shared by status_judge.c and status_print.c. */

/* The line about a join storm; none in calm (status_storm.c). */
struct cli_screen;
void cli_status_print_storm(struct cli_screen *screen, const json_t *facts);
/* The process of a name, or NULL. */
const json_t *cli_status_process(const json_t *facts, const char *name);
/* Whether it answers. */
bool cli_status_answers(const json_t *process);
/* The sum of a process's counters of that name, over its rows: in the last minutes, or in the last hour. `labels` NULL: all;
 * else only those whose label's value is one of the NULL-terminated names. */
long long cli_status_count(const json_t *process, const char *name, bool hour, const char *const *labels);
/* The value of the one label of a counter's row: `reason="mic"` is mic. */
void cli_status_label(const json_t *counter, char text[64]);
/* The sentence for a word under `warnings` of /healthz; the word itself where there is none. */
const char *cli_status_warning(const char *word);
/* How long, for people: "3 d 4 h", "12 min", "40 s". */
void cli_status_span(long long seconds, char text[32]);

#endif
