/* What a record must satisfy beyond its own fields before it is stored: references that exist for the caller, owners that
 * agree, regions and codecs that load. */
#ifndef LAMPPOST_AS_RESOLVE_H
#define LAMPPOST_AS_RESOLVE_H

#include "application-server/api/api.h"
#include "common/text/record_schema.h"

#define AS_UNASSIGNED "unassigned" /* slug of every agency's default deployment */

struct as_resolver {
	struct as_store *store;
	const struct as_scope *scope;
	json_t *cache; /* records by "kind/reference", for long imports; NULL: none */
	const char
		*served; /* regions that the network server serves, blanks between; "" or NULL: not known */
	bool claims;     /* the owner token of the device was shown: it may be registered off the shelf */
	const char *who; /* as_call.who, and when: for the audit where a DevEUI is another's (taken.h) */
	struct wall now;
};

/* Turns the references of a normal record into UUIDs, fills `agency` and the default deployment of devices, and adds a
 * problem for each rule that does not hold. ST_OK also with problems. */
enum status as_resolve(struct as_resolver *resolver, enum record_kind kind, json_t *record,
		       struct record_problems *problems) MUST_USE;
/* The agency that a resolved or stored record belongs to; false: to the city. */
bool as_record_owner(enum record_kind kind, const json_t *record, struct net_uuid *owner);
/* Adds a problem for each key that does not belong to a device of this activation. */
void as_check_keys(const char *activation, const json_t *fields, struct record_problems *problems);

#endif
