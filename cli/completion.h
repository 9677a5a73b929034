/* `lamppost completion bash|zsh|fish`: a script for the shell, made from the rows of the commands. Names, options, choices and
 * files need nobody else; what only the server knows (EUIs, slugs) the script asks `lamppost __complete`, which waits less
 * than a second, says nothing when it fails, and ends with 0. */
#ifndef LAMPPOST_CLI_COMPLETION_H
#define LAMPPOST_CLI_COMPLETION_H

#include "cli/command.h"

extern const struct cli_command cli_completion_commands[];
extern const size_t cli_completion_command_count;

/* Prints the script of a shell. */
void cli_completion_bash(FILE *out);
void cli_completion_zsh(FILE *out);
void cli_completion_fish(FILE *out);

/* --- shared by the files of the shells. */

/* Prints text in single quotes, as all three shells read it. */
void cli_completion_quote(FILE *out, const char *text);
/* Calls for each command that a shell may complete, with its title and its options: those of the command first, then those of
 * every command. `kind` of an option: a name of cli_value_kind_name(), choices with `|` between, or NULL for a switch. */
struct cli_completion_option {
	const char *name, *help;
	const char *kind;
	char choices[256]; /* room that `kind` may lend */
};
size_t cli_completion_options(const struct cli_command *command,
			      struct cli_completion_option options[CLI_OPTIONS_MAX + 8]);
/* Fills what an operand is, in the same words; "" for nothing that could be offered. */
void cli_completion_operand(const char *group, const char *word, char text[64]);

#endif
