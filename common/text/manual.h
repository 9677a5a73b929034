/* Pages of the manual, written in the macros of man(7) that both man-db and mandoc read. Each call is one piece of a page, top
 * down; text is escaped here, so that a row's help may hold anything.
 *
 *	manual_head(out, "gateway-bridge", 8, "terminates gateway protocols");
 *	manual_section(out, "OPTIONS");
 *	manual_item(out, "--version", "Prints the version, and ends.");
 *
 * The date is that of SOURCE_DATE_EPOCH, which packaging/manual.sh sets to that of the last change, so that a build can be
 * repeated. */
#ifndef LAMPPOST_TEXT_MANUAL_H
#define LAMPPOST_TEXT_MANUAL_H

#include "common/text/config.h"

#include <stdio.h>

/* Title line, NAME and what follows of the head. `summary`: one line, no full stop. */
void manual_head(FILE *out, const char *name, int section, const char *summary);
void manual_section(FILE *out, const char *title);
void manual_subsection(FILE *out, const char *title);
/* Sentences right behind a title; a blank line in `text` parts paragraphs. A full stop is added where there is none. */
void manual_text(FILE *out, const char *text);
/* The same as a paragraph of its own, behind others. */
void manual_paragraph(FILE *out, const char *text);
/* A term in bold and what it is, hanging. */
void manual_item(FILE *out, const char *term, const char *text);
/* Lines as they are, each indented. `text` ends each with a newline. */
void manual_lines(FILE *out, const char *text);
/* References: "lamppost(1)" and so on, parted by blanks. */
void manual_see_also(FILE *out, const char *pages);

/* A configuration section's keys, each with what it accepts, its default and whether a running process takes it over. */
void manual_options(FILE *out, const struct option *rows, size_t count);
/* The whole page NAME(8) of a process. */
void manual_program(FILE *out, const struct config_program *program);

#endif
