/* What people hand to an option: text as it stands, `@FILE`, or `-` for standard input; and objects as JSON or YAML. */
#ifndef LAMPPOST_CLI_INPUT_H
#define LAMPPOST_CLI_INPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CLI_INPUT_MAX (256u << 20)

/* Reads a whole file ("-": standard input) of at most CLI_INPUT_MAX bytes; NUL-terminated, the caller frees. NULL with
 * errno set. */
char *cli_read_file(const char *path, size_t *length);
/* Gives the text that a word stands for, the caller frees; NULL after reporting about `what`. */
char *cli_input_text(const char *what, const char *word);
/* Gives the object that text holds, as JSON or else as YAML; NULL with one line in `error`. */
json_t *cli_parse_object(const char *name, const char *text, size_t length, char *error, size_t capacity);

/* From here on whatever jansson frees is wiped: the values of a key file are keys. Before the first value is made. */
void cli_json_wipes(void);

#endif
