/* What a terminal is to show, made as bytes: lines of cells, cut and padded to columns. Pure; terminal.h brings them there.
 *
 *	screen_begin(&screen, columns, rows, colours);
 *	screen_put(&screen, COLOUR_BAD, "mic", 8);  screen_put(&screen, COLOUR_NONE, name, 20);  screen_line(&screen);
 *	bytes = screen_end(&screen, &length);
 *
 * Whatever text is put, the terminal gets what was meant: control characters of any encoding and controls of direction
 * become '?' (printable.h), characters that take no column and are no marks vanish, more than two marks on a letter
 * vanish, a wide letter that does not fit whole is left out, nothing is written past the last column or line. The picture
 * is drawn over the one before, line by line, without clearing first, so that it does not flicker. */
#ifndef LAMPPOST_CLI_SCREEN_H
#define LAMPPOST_CLI_SCREEN_H

#include "cli/colour.h"

#include <stddef.h>

#define SCREEN_COLUMNS_MAX 500
#define SCREEN_ROWS_MAX    300

struct screen {
	char *text; /* owned */
	size_t used, capacity;
	unsigned columns, rows;
	unsigned row, column; /* where the next cell begins */
	bool colours;
	bool reverse; /* cells that are put are shown in reverse */
};

void screen_init(struct screen *screen);
void screen_release(struct screen *screen);

/* Begins a picture of that size (cut to the largest; at least 1 by 1). */
void screen_begin(struct screen *screen, unsigned columns, unsigned rows, bool colours);
/* Puts a cell of exactly `width` columns, less at the end of the line; 0: as wide as the text. */
void screen_put(struct screen *screen, enum colour colour, const char *text, unsigned width);
/* Ends the line. */
void screen_line(struct screen *screen);
/* Ends lines until `row` is the next one. */
void screen_to_row(struct screen *screen, unsigned row);
/* Lines that are left, the present one with them; 0: none. */
unsigned screen_rows_left(const struct screen *screen);
/* Ends the picture; lends its bytes until the next one begins. */
const char *screen_end(struct screen *screen, size_t *length);

/* Fills `out` with text made safe as above, cut to `columns`. Returns the columns it takes. */
unsigned screen_text(char *out, size_t capacity, const char *text, unsigned columns);

#endif
