/* Colours by what they mean, never by what they are: good, warning, bad, dim. A word says the same without its colour, so
 * nothing is lost where there is none.
 *
 * They are on where a stream is a terminal, NO_COLOR is not set (or empty) and TERM is not `dumb`; --colour always and
 * --colour never decide otherwise. */
#ifndef LAMPPOST_CLI_COLOUR_H
#define LAMPPOST_CLI_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARNING, COLOUR_BAD, COLOUR_DIM, COLOUR_STRONG, COLOUR_COUNT };
enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Reads "always", "never", "auto"; false: none of these. */
bool colour_when_read(const char *word, enum colour_when *when);
/* The rule itself. `no_color` and `term` are the variables, NULL where not set. Pure. */
bool colour_decide(enum colour_when when, bool terminal, const char *no_color, const char *term);

/* Says what --colour said, once, before anything is printed. */
void colour_choose(enum colour_when when);
/* Whether `out` gets colours. */
bool colour_is_on(FILE *out);

/* What begins a colour and what ends it on `out`: "" where there are none, so that callers just print them. */
const char *colour_start(FILE *out, enum colour colour);
const char *colour_stop(FILE *out, enum colour colour);
/* Prints text, made printable, in a colour. */
void colour_print(FILE *out, enum colour colour, const char *text);

/* The colour of a word that a server or a table uses for a state or a verdict: "online", "failed", "silent"; COLOUR_NONE for
 * one that is not known. */
enum colour colour_of_word(const char *word);

#endif
