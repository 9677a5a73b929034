/* Commands as rows. What a person may type, the help of the program, of a group and of a command, the manual pages and what
 * a shell completes all come from the same rows, so a command is described once.
 *
 * To add one:
 *
 *  1. write `static int run_decode(const struct cli_arguments *arguments)` in a file of your own; it returns an enum
 *     cli_exit. Options are read with cli_argument(), operands from arguments->operands: their number has been checked
 *     against the row, and --help has been answered.
 *  2. in the same file, the row or rows (designated members; what is left out is NULL, 0 or false):
 *
 *	static const struct cli_option decode_options[] = {{"key", "KEY", "NwkSKey: the MIC is checked"}};
 *
 *	const struct cli_command cli_frame_commands[] = {
 *		{.group = "frame",
 *		 .name = "decode",
 *		 .summary = "every field of a frame, in the specification's words",
 *		 .description = "Whole sentences, as long as need be. A blank line parts paragraphs.",
 *		 .operands = "HEX [FILE]",
 *		 .options = decode_options,
 *		 .option_count = ARRAY_SIZE(decode_options),
 *		 .examples = "lamppost frame decode 40f17dbe4900020001954378762b11ff0d\n",
 *		 .run = run_decode},
 *	};
 *	const size_t cli_frame_command_count = ARRAY_SIZE(cli_frame_commands);
 *
 *  3. in a header of yours: `extern const struct cli_command cli_frame_commands[]; extern const size_t
 *     cli_frame_command_count;`
 *  4. in cli/commands.c: a row of `groups` if the group is new, and a row of `tables`.
 *
 * A group's command without a name is the group itself (`lamppost status`); it may stand beside named ones, which come
 * first. The words that stand for a value say what it is, so that a shell can complete it (cli/value_word.h): EUI is a
 * device's, GATEWAY a gateway's, FILE, DIR, AGENCY, APPLICATION, PROFILE, DEPLOYMENT; words in small letters with `|`
 * between are the choices themselves. An option that is called `agency`, `application`, `profile`, `deployment`, `device` or
 * `gateway` has such a value whatever its word is. */
#ifndef LAMPPOST_CLI_COMMAND_H
#define LAMPPOST_CLI_COMMAND_H

#include "cli/arguments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_NAME_MAX 64 /* "device watch", with its end */

struct cli_command;

/* Options that are made when they are asked for, as those of records are from their schema. */
struct cli_made_options {
	struct cli_option options[CLI_OPTIONS_MAX];
	char names[CLI_OPTIONS_MAX][48]; /* room for names that are made */
	/* What a value may be, for completion; NULL-terminated; NULL: what its word says. */
	const char *const *choices[CLI_OPTIONS_MAX];
	size_t count;
};

struct cli_command {
	const char *group;       /* the first word behind `lamppost` */
	const char *name;        /* the second; NULL: the group is the command */
	const char *summary;     /* one line, no full stop */
	const char *description; /* sentences for --help and the manual; NULL: the summary says it */
	/* "EUI [FILE]": in order, in brackets what may be left out, `...` behind the last if it may repeat; NULL: none. */
	const char *operands;
	const struct cli_option *options;
	size_t option_count;
	/* NULL, or fills `made` in place of `options`. */
	void (*make_options)(struct cli_made_options *made, const struct cli_command *command);
	const char *examples; /* whole command lines, each ended by a newline */
	const char *exits;    /* lines "CODE what it means here", where they mean more than usual; NULL */
	bool local;           /* speaks no API: has no --socket */
	bool hidden;          /* in no help, no manual, no completion */
	int (*run)(const struct cli_arguments *arguments);
};

struct cli_group {
	const char *name;
	const char *summary;     /* one line, no full stop */
	const char *description; /* sentences; NULL */
	bool hidden;
	int (*older)(int argc,
		     char **argv); /* a group without rows of commands: reads its words itself; NULL */
};

/* --- the tables (cli/commands.c) -------------------------------------------------------------------------------- */

/* Lends the group's row by its place, in the order of the help; NULL behind the last. */
const struct cli_group *cli_group_at(size_t place);
/* Lends a group by its name, or NULL. */
const struct cli_group *cli_group_named(const char *name);
/* Lends the place-th command of a group, hidden ones with them; NULL behind the last. */
const struct cli_command *cli_command_of(const char *group, size_t place);
/* How many rows name a group that is not there: 0, or somebody forgot a row. */
size_t cli_commands_without_group(void);
/* Lends a command; `name` NULL: the one that is the group itself. NULL when there is none. */
const struct cli_command *cli_command_named(const char *group, const char *name);

/* --- what the rows say --------------------------------------------------------------------------------------------- */

/* Fills "device watch", or "status". */
void cli_command_title(const struct cli_command *command, char title[CLI_NAME_MAX]);
/* Lends a command's options: those of its row, or those made in `made` (which must not move afterwards). */
const struct cli_option *cli_command_options(const struct cli_command *command, struct cli_made_options *made,
					     size_t *count);
/* Fills what an option's help says, with what its value may be; `choices` as in struct cli_made_options. */
void cli_option_help(const struct cli_option *option, const char *const *choices, char *text,
		     size_t capacity);
/* How many operands it needs, and takes at most. */
void cli_command_operands(const struct cli_command *command, size_t *least, size_t *most);

/* --- running -------------------------------------------------------------------------------------------------------- */

/* Runs what argv names (argv[0] is the program). Returns an enum cli_exit. */
int cli_command_line(int argc, char **argv);
/* Prints the help of a command. */
void cli_command_help(const struct cli_command *command, FILE *out);
/* Prints the help of a group: its commands and their examples. */
void cli_group_help(const struct cli_group *group, FILE *out);
/* Prints the help of the program: its groups. */
void cli_program_help(FILE *out);

#endif
