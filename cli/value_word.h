/* What a word that stands for a value says about it: "FILE" in the help is a file to a shell that completes. */
#ifndef LAMPPOST_CLI_VALUE_WORD_H
#define LAMPPOST_CLI_VALUE_WORD_H

#include <stdbool.h>
#include <stddef.h>

enum cli_value_kind {
	CLI_VALUE_FREE, /* nothing that could be offered */
	CLI_VALUE_FILE,
	CLI_VALUE_DIR,
	CLI_VALUE_CHOICE, /* the word itself lists what it may be: "always|never|auto", "set" */
	/* What only the server knows. */
	CLI_VALUE_DEVICE,
	CLI_VALUE_GATEWAY,
	CLI_VALUE_AGENCY,
	CLI_VALUE_APPLICATION,
	CLI_VALUE_PROFILE,
	CLI_VALUE_DEPLOYMENT,
	CLI_VALUE_KIND_COUNT
};

/* The collection of the API that holds such values, and the member that names one ("devices", "dev_eui"); NULL where the
 * kind is none of a server's. */
const char *cli_value_collection(enum cli_value_kind kind);
const char *cli_value_member(enum cli_value_kind kind);
/* The name of a kind: "file", "device". */
const char *cli_value_kind_name(enum cli_value_kind kind);
/* The kind of a name; CLI_VALUE_FREE when there is none. */
enum cli_value_kind cli_value_kind_named(const char *name);

/* Takes the next operand of a row's `operands` ("EUI [FILE] ..."): fills its bare word. False behind the last. */
struct cli_operand {
	char word[64];
	bool optional;
	bool repeats;
};
bool cli_operand_next(const char **operands, struct cli_operand *operand);

/* The kind of an operand's word in a group (EUI is a gateway's in the group `gateway`), and of an option by its name and the word of its value (NULL: a switch). */
enum cli_value_kind cli_operand_kind(const char *group, const char *word);
enum cli_value_kind cli_option_kind(const char *name, const char *word);

/* Takes the next of a word's choices ("a|b"); false behind the last. */
bool cli_choice_next(const char **choices, char choice[64]);

#endif
