/* A table for people: columns as wide as their cells, the last cut to the terminal's width, one header line. Cells come from
 * servers and devices, so control characters never reach the terminal. Widths are columns of the terminal: wide letters
 * count as two (text_width.h). */
#ifndef LAMPPOST_CLI_TABLE_H
#define LAMPPOST_CLI_TABLE_H

#include "cli/colour.h"
#include "cli/wrap.h"

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table_text {
	size_t columns;
	size_t rows;            /* the header is row 0 */
	char **cells;           /* owned: rows × columns texts */
	unsigned char *colours; /* owned: an enum colour of each cell */
	size_t capacity;        /* of both */
};

/* `titles` has `columns` texts. */
void table_text_init(struct table_text *table, size_t columns, const char *const *titles);
void table_text_release(struct table_text *table);
/* Adds a row; copies the texts. */
void table_text_add(struct table_text *table, const char *const *cells);
/* Colours a cell of the row that was added last. */
void table_text_colour(struct table_text *table, size_t column, enum colour colour);
/* Colours it by the word that stands in it (colour_of_word()). */
void table_text_colour_by_word(struct table_text *table, size_t column);
/* Prints; `width` 0: as wide as it is. */
void table_text_print(const struct table_text *table, FILE *out, size_t width);

#endif
