/* How many columns of a terminal a text takes: two for the wide letters of East Asia and for most pictures, none for marks
 * that stand on the letter before, one for the rest. Pure: it asks no locale, so a table is the same wherever it is printed,
 * and a process that runs under LANG=C counts right too. Text is UTF-8 that has been made printable (common/base/printable.h);
 * a byte that is none counts as one. A sequence that sets a colour (ESC [ ... m) counts as nothing. */
#ifndef LAMPPOST_CLI_TEXT_WIDTH_H
#define LAMPPOST_CLI_TEXT_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/* Columns of one character: 0, 1 or 2. */
unsigned text_width_of(uint32_t code);
/* Takes one character (or one colour sequence) of `*text`, not at its end, and moves `*text` behind it. Returns its columns. */
unsigned text_width_take(const char **text);
/* Columns of a whole text. */
size_t text_width(const char *text);
/* The same of its first `length` bytes. */
size_t text_width_of_bytes(const char *text, size_t length);
/* Bytes of the longest beginning of `text` that fits `columns`; marks that belong to its last letter are in it. */
size_t text_width_fitting(const char *text, size_t columns);

#endif
