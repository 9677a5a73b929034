/* Lines of the status screen, put together from pieces with their colours. A piece that does not fit the width any more begins the
 * next line, behind the indent; a line that is still too long is cut. */
#ifndef LAMPPOST_CLI_STATUS_SCREEN_H
#define LAMPPOST_CLI_STATUS_SCREEN_H

#include "cli/colour.h"

#include <stddef.h>
#include <stdio.h>

#define CLI_SCREEN_INDENT 11

struct cli_screen {
	FILE *out;
	size_t width; /* 0: as wide as it is */
	char line[1024];
	size_t used;
	size_t lines; /* printed so far */
};

/* A new line; `label` is padded to the indent, NULL: none. */
void cli_screen_begin(struct cli_screen *screen, const char *label);
/* Adds a piece, made printable. */
void cli_screen_put(struct cli_screen *screen, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints the line. */
void cli_screen_end(struct cli_screen *screen);

#endif
