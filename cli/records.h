/* `lamppost agency|application|profile|deployment|device|gateway add|list|show|update|remove`: one set of commands for
 * every kind of record; options, columns and help come from the rows of common/text/record_schema.h. */
#ifndef LAMPPOST_CLI_RECORDS_H
#define LAMPPOST_CLI_RECORDS_H

#include "common/text/record_schema.h"

/* One command of a group: `lamppost GROUP NAME ...`. */
struct cli_verb {
	const char *name;
	const char *operands; /* for the help */
	const char *help;     /* one line, no full stop */
	/* `argv` is what stands behind the verb. Returns an enum cli_exit. */
	int (*run)(const struct record_schema *schema, int argc, char **argv);
};

/* Runs the command of a group; argv[0] is the name of the kind. Returns an enum cli_exit. */
int cli_records(int argc, char **argv);

/* Prints what a verb does and an example, before its options. */
void cli_verb_help(const struct record_schema *schema, const char *verb);

#endif
