/* A table for people: columns as wide as their cells, the last cut to the terminal's width, one header line. Cells come from
 * servers and devices, so control characters never reach the terminal. */
#ifndef LAMPPOST_CLI_TABLE_H
#define LAMPPOST_CLI_TABLE_H

#include "cli/wrap.h"

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table_text {
	size_t columns;
	size_t rows;     /* the header is row 0 */
	char **cells;    /* owned: rows × columns texts */
	size_t capacity; /* of `cells` */
};

/* `titles` has `columns` texts. */
void table_text_init(struct table_text *table, size_t columns, const char *const *titles);
void table_text_release(struct table_text *table);
/* Adds a row; copies the texts. */
void table_text_add(struct table_text *table, const char *const *cells);
/* Prints; `width` 0: as wide as it is. */
void table_text_print(const struct table_text *table, FILE *out, size_t width);

#endif
