/* Who asks, and what that lets them see: the one choke point of agency scoping. A caller is {role, agency}; every query
 * for a caller takes a scope, and its SQL carries the condition that as_scope_condition() gives for the kind. A zeroed
 * scope is nobody's: no scope, no rows.
 *
 * What a caller may not see answers as what does not exist (404). What it may see and not change answers 403. */
#ifndef LAMPPOST_AS_SCOPE_H
#define LAMPPOST_AS_SCOPE_H

#include "common/proto/network_messages.h"
#include "common/text/record_schema.h"

#include <stdbool.h>

enum as_role {
	AS_NOBODY = 0, /* sees nothing */
	AS_READER,     /* reads what its agency has */
	AS_MANAGER,    /* also registers and changes it */
	AS_CITY,       /* the city's administrators: everything of every agency */
	AS_BRIDGE,     /* a gateway bridge of another user: what it asks for stations, and nothing else */
	AS_ROLE_COUNT
};
const char *as_role_name(enum as_role role); /* "nobody", "reader", "manager", "city", "bridge" */
bool as_role_parse(const char *text, enum as_role *role);

struct as_scope {
	enum as_role role;
	struct net_uuid agency; /* of readers and managers */
	bool bridge;            /* may ask what a bridge asks: that role, root and the service's own user */
};

/* For tables with an `agency` column that are no kind of record (readings). */
#define AS_SCOPE_OF_AGENCY "(?1 OR agency = ?2)"
/* The condition that a query on the kind's table must carry. ?1 is as_scope_sees_all(), ?2 as_scope_agency(). */
const char *as_scope_condition(enum record_kind kind);
bool as_scope_sees_all(const struct as_scope *scope);
/* The agency whose rows are seen, or NULL (bound as SQL's null, which equals nothing). */
const struct net_uuid *as_scope_agency(const struct as_scope *scope);
/* Whether rows of this agency (NULL: of none, the city's own) are seen; for events and readings. */
bool as_scope_sees(const struct as_scope *scope, const struct net_uuid *agency);

/* Whether both are of one agency, or both the city's. Nobody's is like none. */
bool as_scope_same_owner(const struct as_scope *a, const struct as_scope *b);

/* Whether the caller may create, change or remove a record of that kind that it sees and that belongs to `owner`
 * (NULL: to the city). Agencies and gateways are the city's to change. */
bool as_scope_may_write(const struct as_scope *scope, enum record_kind kind, const struct net_uuid *owner);

#endif
