/* CSV as RFC 4180 has it: UTF-8, a header in any order, quoted cells with doubled quotes, CRLF or LF. A reader over text in
 * memory; cells are copied out one record at a time. Pure. */
#ifndef LAMPPOST_CLI_CSV_H
#define LAMPPOST_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_CELLS_MAX  64
#define CSV_RECORD_MAX 65536 /* bytes of one record */

struct csv {
	const char *at; /* borrowed text */
	const char *end;
	unsigned next_line;
	char separator; /* ',' unless it is set behind csv_init() */
	/* The record that csv_next() read. */
	unsigned line; /* where it starts, from 1 */
	size_t count;
	const char *cells[CSV_CELLS_MAX]; /* into `text` */
	char text[CSV_RECORD_MAX];
	const char *problem; /* what is wrong with it; NULL when nothing is */
};

/* `text` is borrowed while reading; a byte order mark is skipped. */
void csv_init(struct csv *csv, const char *text, size_t length);
/* Reads the next record that is not empty; false at the end. A record with `problem` set has no cells; reading goes on
 * behind it. */
bool csv_next(struct csv *csv);

#endif
