/* An import's body, read a row at a time: {"dry_run": bool, "rows": [{...}, ...]}. The text of 200,000 rows takes
 * seconds and hundreds of megabytes as one JSON value; here only one row is a value at any time. Members of other names are passed
 * over. What is wrong with the text is found when the reading gets there. */
#ifndef LAMPPOST_AS_IMPORT_BODY_H
#define LAMPPOST_AS_IMPORT_BODY_H

#include "application-server/api/answer.h"

#define AS_IMPORT_ROWS_MAX 200000

struct as_import_body {
	const char *text; /* borrowed */
	const char *list; /* the member that has the rows; NULL: "rows" */
	size_t length, at;
	bool begun, in_rows, has_rows, has_dry_run;
	bool dry_run; /* as far as it was read: known from the start when it stands before the rows */
	size_t rows;  /* given so far */
};

enum as_import_part {
	AS_IMPORT_ROW,    /* `*row` is the caller's */
	AS_IMPORT_END,    /* there is nothing more */
	AS_IMPORT_REFUSED /* not JSON, or not of this form: the answer says why */
};
/* Reads on, to the next row. After END or REFUSED it is not called again. */
enum as_import_part as_import_body_next(struct as_import_body *body, json_t **row, struct as_answer *answer);

#endif
