/* A CSV file of devices becomes the rows of one import request: a header in any order, every cell checked by the record
 * schema's row of its column, keys sealed (seal.h). Every line that is wrong is named, and one is enough to refuse all. */
#ifndef LAMPPOST_CLI_IMPORT_ROWS_H
#define LAMPPOST_CLI_IMPORT_ROWS_H

#include "cli/seal.h"
#include "common/text/record_schema.h"

#include <jansson.h>

/* What is wrong with a file; the first 50 are printed as `FILE:LINE: FIELD: REASON` on standard error. */
struct cli_complaints {
	const char *file; /* borrowed */
	size_t count;
	json_int_t read_to; /* the line behind which nothing was looked at; 0: all was */
};
/* `field` may be "". */
void cli_complain(struct cli_complaints *complaints, unsigned line, const char *field, const char *reason);
/* Says how many there were, and that nothing was registered. Returns CLI_REFUSED. */
int cli_complaints_end(const struct cli_complaints *complaints);
/* The same of what the server refused: its reasons by line, or the one reason of all. Returns what to exit with. */
int cli_complaints_answer(const char *file, int code, const json_t *answer);

/* Reads the text of `file`, which names it in complaints. CLI_DONE with `*rows`, a new array of objects whose keys are sealed and that carry
 * their `line`; else an exit code, reported. An empty cell gives no member. */
int cli_import_read(const char *file, const char *text, size_t length, const struct record_schema *schema,
		    const struct cli_seal *seal, json_t **rows);

#endif
