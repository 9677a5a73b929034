/* Foreign text made safe for a terminal and for one line of a log: control characters (C0, DEL, and C1 in their UTF-8
 * form, which some terminals obey), controls of direction (which show a name as another) and of lines, and bytes that are
 * not UTF-8 become '?'. Everything else stays, so the text of any
 * language is shown. */
#ifndef LAMPPOST_BASE_PRINTABLE_H
#define LAMPPOST_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PRINTABLE_CHARACTER_MAX 4

/* Takes one character of NUL-terminated `*text`, not at its end, and moves `*text` behind it. Fills `character` with its
 * bytes or '?', without a NUL, and returns how many they are. */
size_t printable_take(char character[PRINTABLE_CHARACTER_MAX], const char **text);

/* Fills `out` with `text` made printable and a NUL, cut at a whole character when `capacity` is too small. It is never
 * longer than `text`. Returns the length without NUL. `capacity` is at least 1. */
size_t printable_copy(char *out, size_t capacity, const char *text);

/* Writes `text` made printable. */
void printable_write(FILE *out, const char *text);

/* Whether `text` holds no control character (C0, DEL, C1 in UTF-8), as names and configured texts must not. */
bool printable_is(const char *text);

#endif
