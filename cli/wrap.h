/* Sentences broken at the terminal's width, between words, each further line behind a hanging indent. A word that is wider
 * than a line stands alone and is not cut: it may be copied. Text is made printable here. */
#ifndef LAMPPOST_CLI_WRAP_H
#define LAMPPOST_CLI_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal on standard output; 0 when it is none, which means: do not break. Text for people that goes to a
 * file or a pipe is not broken, so that `grep` finds sentences whole. */
size_t terminal_width(void);
/* Lines of the terminal on standard output; 0 when it is none. */
size_t terminal_height(void);

/* Prints `text` and a newline. The first line begins at column `used` (what the caller has printed on it), the others behind
 * `indent` blanks. A newline in `text` ends a line, a blank line stays one. `width` 0: as wide as it is. */
void wrap_print(FILE *out, const char *text, size_t width, size_t used, size_t indent);
/* Prints `label` (made printable, padded to `indent` columns where it is shorter) and `text` behind it, hanging. A label as
 * wide as the indent or wider has a line of its own. */
void wrap_labelled(FILE *out, const char *label, const char *text, size_t width, size_t indent);

#endif
