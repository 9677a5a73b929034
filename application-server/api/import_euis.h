/* The devices that one import has named so far, in whatever spelling. All its place is there from the start, by the length of
 * the import's text, and is given back at one stroke: no turn pays for the rows of all turns before it. */
#ifndef LAMPPOST_AS_IMPORT_EUIS_H
#define LAMPPOST_AS_IMPORT_EUIS_H

#include "common/base/table.h"

struct as_import_euis {
	struct table table;
};

/* Room for every EUI that a text of `length` bytes can spell, AS_IMPORT_ROWS_MAX at most. */
void as_import_euis_init(struct as_import_euis *euis, size_t length, struct rng *rng);
void as_import_euis_release(struct as_import_euis *euis);
/* Notes a device; returns whether it had been noted before. What is no EUI (or NULL) is not noted. */
bool as_import_euis_again(struct as_import_euis *euis, const char *text);

#endif
