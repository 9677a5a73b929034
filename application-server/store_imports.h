/* An import on its way, in city.db: slices of checked rows, and the decision that all of them will be registered
 * (api/import.h). All of it is part of the turn's transaction. */
#ifndef LAMPPOST_AS_STORE_IMPORTS_H
#define LAMPPOST_AS_STORE_IMPORTS_H

#include "application-server/store.h"

/* Adds a slice behind those that are there. */
enum status as_store_import_add(struct as_store *store, const char *records) MUST_USE;
/* From now on the slices are to be registered. */
enum status as_store_import_decide(struct as_store *store, struct wall now) MUST_USE;
/* When that was said. ST_NOT_FOUND: it was not. */
enum status as_store_import_decided(struct as_store *store, struct wall *when) MUST_USE;
/* The first slice: `*records` is the caller's, to be freed. ST_NOT_FOUND: there is none. */
enum status as_store_import_first(struct as_store *store, char **records) MUST_USE;
/* Removes up to `count` slices from the front; `*more` says whether any is left. */
enum status as_store_import_shift(struct as_store *store, int count, bool *more) MUST_USE;
/* Takes the decision back: all slices are gone. */
enum status as_store_import_end(struct as_store *store) MUST_USE;

#endif
