/* Who may do what on one of our sockets, by the user at the other end as the kernel knew it: a table of the configuration
 * from what is done ("joins", "bridges") to users. What it does not name is for root and the user that the process runs
 * as. Pure. */
#ifndef LAMPPOST_BASE_CALLERS_H
#define LAMPPOST_BASE_CALLERS_H

#include "common/base/options.h"

#include <stdbool.h>
#include <stdint.h>

#define CALLERS_KINDS 4
#define CALLERS_MAX   16

struct callers {
	const char *const *names; /* borrowed for ever: what may be done */
	size_t kinds;
	struct {
		size_t count;
		uint32_t uids[CALLERS_MAX];
	} allowed[CALLERS_KINDS];
};

/* Fills from the configuration's table; `names` has `kinds` entries, at most CALLERS_KINDS. `find_user` turns a name or
 * number into a uid. False with a phrase that names the entry in `problem`. */
bool callers_init(struct callers *callers, const char *const *names, size_t kinds,
		  const struct option_map *table, uint32_t own_uid,
		  bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity);
bool callers_allow(const struct callers *callers, size_t kind, uint32_t uid);

#endif
