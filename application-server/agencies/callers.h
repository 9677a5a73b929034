/* Who is at the other end of city.sock, as a scope: the configuration's table of users and groups over the peer's
 * credentials. Root and the service's own user are the city's administrators; whoever is not in the table is nobody. */
#ifndef LAMPPOST_AS_CALLERS_H
#define LAMPPOST_AS_CALLERS_H

#include "application-server/agencies/scope.h"
#include "common/base/options.h"

#define AS_CALLERS_FORM \
	"expected uid N: ROLE AGENCY, ROLE reader or manager, or city or bridge (without agency)"

struct as_caller {
	bool is_group;
	uint32_t number;
	enum as_role role;
	char agency[64]; /* slug or UUID; "" for the city */
};

struct as_callers {
	uint32_t own_uid;
	size_t count;
	struct as_caller rows[OPTION_MAP_MAX];
};

/* Reads rows such as "uid 1000" → "manager parks". False: `row` is the index of the one that is wrong. */
bool as_callers_init(struct as_callers *callers, const struct option_map *map, uint32_t own_uid, size_t *row);
/* Lends the row of a peer, a user's before a group's; NULL: nobody. */
const struct as_caller *as_callers_find(const struct as_callers *callers, uint32_t uid, uint32_t gid);
bool as_callers_equal(const struct as_callers *a, const struct as_callers *b);

#endif
