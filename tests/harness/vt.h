/* A terminal that only knows what our screens may send, so that a test sees what a person would: lines of text, which cells
 * are marked, and whether anything came that is not among it (`strange`): an escape that a foreign name brought, for instance. */
#ifndef LAMPPOST_TESTS_VT_H
#define LAMPPOST_TESTS_VT_H

#include <stdbool.h>
#include <stddef.h>

#define T_VT_ROWS    120
#define T_VT_COLUMNS 520

struct t_vt {
	unsigned columns, rows;
	unsigned row, column;
	char cells[T_VT_ROWS][T_VT_COLUMNS][8]; /* UTF-8; "" behind a wide letter */
	bool marked[T_VT_ROWS];                 /* a cell of the line is shown in reverse */
	bool coloured;                          /* some colour was set */
	bool other_picture, cursor_hidden;
	bool reverse;
	unsigned pictures; /* begun */
	unsigned strange;  /* sequences and controls that are none of ours */
	unsigned overrun;  /* letters past the last column or line */
	char rest[64];     /* half a sequence, for the next piece */
	size_t rest_length;
	char text[T_VT_COLUMNS * 4]; /* of t_vt_line() */
};

void t_vt_init(struct t_vt *vt, unsigned columns, unsigned rows);
void t_vt_write(struct t_vt *vt, const char *bytes, size_t length);
/* Lends a line without the blanks at its end, until the next call. */
const char *t_vt_line(struct t_vt *vt, unsigned row);
/* Whether some line holds the text. */
bool t_vt_shows(struct t_vt *vt, const char *text);

#endif
