/* Which device stands in whose place. A place can change hands again and again: the chain from the one on the air back to the
 * first, at most AS_PLACE_MAX of them. A device is replaced by one other at most, and stands in the place of one at most; both
 * stay registered as long as the row is there, and a replaced one is refused on the air (net_device.replaced). */
#ifndef LAMPPOST_AS_STORE_REPLACEMENTS_H
#define LAMPPOST_AS_STORE_REPLACEMENTS_H

#include "application-server/store.h"

#define AS_PLACE_MAX 16

struct as_replacement {
	struct lw_eui64 other;
	struct wall at;
};

/* ST_EXISTS: one of the two has such a row already. Both get a new version for the network server. */
enum status as_store_replace(struct as_store *store, const struct lw_eui64 *old_eui,
			     const struct lw_eui64 *new_eui, struct wall now) MUST_USE;
/* ST_NOT_FOUND: it is not replaced; `new_eui` is filled with the one that was in its place. */
enum status as_store_unreplace(struct as_store *store, const struct lw_eui64 *old_eui,
			       struct lw_eui64 *new_eui) MUST_USE;
/* False: none. */
bool as_store_replaced_by(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_replacement *by);
bool as_store_stands_for(struct as_store *store, const struct lw_eui64 *dev_eui,
			 struct as_replacement *former);
/* Fills the device itself and those that stood in its place before, newest first. Returns how many, at least 1. */
size_t as_store_place(struct as_store *store, const struct lw_eui64 *dev_eui,
		      struct lw_eui64 place[AS_PLACE_MAX]);

#endif
