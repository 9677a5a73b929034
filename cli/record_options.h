/* Options of a command made from the rows of a record's schema: `--dev-eui EUI` for the field dev_eui. */
#ifndef LAMPPOST_CLI_RECORD_OPTIONS_H
#define LAMPPOST_CLI_RECORD_OPTIONS_H

#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/command.h"
#include "common/text/record_schema.h"

struct record_options {
	struct cli_option options[CLI_OPTIONS_MAX];
	const struct record_field *fields[CLI_OPTIONS_MAX];
	char names[CLI_OPTIONS_MAX][48];
	size_t count;
};

/* Makes options of the fields that a client may set; `change` leaves out what is fixed. `made` must not move afterwards. */
void record_options_make(struct record_options *made, const struct record_schema *schema, bool change);

/* Fills an object from the given options. Keys are sealed for the device that `dev_eui` names. Returns an enum cli_exit,
 * reported. */
int record_options_collect(json_t *object, struct cli_client *client, const struct record_options *made,
			   const struct cli_arguments *arguments, const char *dev_eui);

/* The options of a kind's `add` and `update`: its fields, and for devices what concerns their keys and labels. */
void record_make_add_options(struct cli_made_options *made, const struct cli_command *command);
void record_make_update_options(struct cli_made_options *made, const struct cli_command *command);

#endif
