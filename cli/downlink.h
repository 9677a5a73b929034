/* `lamppost downlink send|list|flush`: commands to devices. What is sent has an id, the caller's or one drawn here, so that
 * sending it again after a lost answer never makes two commands of it. */
#ifndef LAMPPOST_CLI_DOWNLINK_H
#define LAMPPOST_CLI_DOWNLINK_H

#include "cli/client.h"
#include "cli/command.h"

extern const struct cli_command cli_downlink_commands[];
extern const size_t cli_downlink_command_count;

/* --- shared by downlink.c, downlink_send.c and downlink_file.c. */
#define CLI_ID_TEXT               37
#define CLI_DOWNLINK_SEND_OPTIONS 15
extern const struct cli_option cli_downlink_send_options[CLI_DOWNLINK_SEND_OPTIONS];

int cli_downlink_send(const struct cli_arguments *arguments);
/* A text member of an object; "" when there is none. */
const char *cli_downlink_text(const json_t *object, const char *name);
void cli_downlink_print_json(const json_t *value);
/* Seconds of "90s", "30m", "2h", "7d"; 0: none of these. */
long cli_downlink_seconds(const char *text);

/* Draws a UUID. */
void cli_downlink_id(char id[CLI_ID_TEXT]);
/* Fills the target of a device's downlinks, or of one (`id` NULL: none); false when it does not fit. */
bool cli_downlink_target(char target[CLI_TARGET_MAX], const char *eui, const char *id);
/* Sets the members of `body` that say when it expires: "90s", "30m", "2h", "7d" from now, or a time. False: neither. */
bool cli_downlink_expires(json_t *body, const char *text);
/* Follows an item until it ends or `seconds` have passed; fills `*item` (the caller's) with it as it is then. CLI_DONE: it was
 * sent, or acknowledged if it is confirmed; CLI_FAILED: it ended otherwise; CLI_TIMED_OUT. Reported but for CLI_DONE. */
int cli_downlink_wait(struct cli_client *client, const char *eui, const char *id, double seconds,
		      json_t **item);
/* A command in `body` whose `data` is in clear, encrypted here with --kek. Returns an enum cli_exit. */
int cli_downlink_send_held(struct cli_client *client, const struct cli_arguments *arguments, json_t *body,
			   double wait_s);
/* Print an item that was queued, with its notes; what became of it. */
void cli_downlink_print_sent(const json_t *item);
void cli_downlink_print_fate(const json_t *item);
/* Sends the lines of a CSV or JSON-lines file ("-": standard input). Each line that is refused is named; the others are sent. */
int cli_downlink_send_file(struct cli_client *client, const char *file, bool json);

#endif
