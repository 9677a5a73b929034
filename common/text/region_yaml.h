/* Regions from YAML (format: common/lorawan/regions/README.md) into struct lw_region. Strict: every key is
 * read, an unknown or missing one and every value out of range is refused with file and line. The files of
 * common/lorawan/regions are compiled in, so a running program needs no path. */
#ifndef LAMPPOST_TEXT_REGION_YAML_H
#define LAMPPOST_TEXT_REGION_YAML_H

#include "common/lorawan/region.h"

#include <stdio.h>

#define REGION_ERROR_MAX 1024

struct region_source {
	const char *id;   /* "us915" */
	const char *text; /* the file */
	size_t length;
};

extern const struct region_source region_sources[]; /* by id, in order */
extern const size_t region_source_count;
/* Their names in the same order, then "another region" and NULL: words of decision records. */
extern const char *const region_words[];

/* Fills `region` from text. False with one line in `error`, `region` unspecified. */
bool region_load_text(struct lw_region *region, const char *file, const char *text, size_t length,
		      char error[REGION_ERROR_MAX]);
/* Fills `region` from the compiled-in file of that id. False when there is none. */
bool region_load(struct lw_region *region, const char *id);
/* Writes every member, one fact a line, for people and for the golden dumps of the tests. */
void region_dump(FILE *out, const struct lw_region *region);

#endif
