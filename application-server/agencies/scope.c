#include "application-server/agencies/scope.h"

#include "application-server/uuid.h"
#include "common/base/check.h"

#include <string.h>

struct rule {
	const char *condition;
	bool manager_writes; /* of its own agency */
};

static const struct rule rules[RECORD_KIND_COUNT] = {
	[RECORD_AGENCY] = {"(?1 OR id = ?2)", false},
	[RECORD_APPLICATION] = {AS_SCOPE_OF_AGENCY, true},
	/* A profile of no agency is the city's, for every agency to use. */
	[RECORD_PROFILE] = {"(?1 OR agency = ?2 OR (agency IS NULL AND ?2 IS NOT NULL))", true},
	[RECORD_DEPLOYMENT] = {AS_SCOPE_OF_AGENCY, true},
	[RECORD_DEVICE] = {AS_SCOPE_OF_AGENCY, true},
	[RECORD_GATEWAY] = {AS_SCOPE_OF_AGENCY, false},
};

static const char *const role_names[AS_ROLE_COUNT] = {
	[AS_NOBODY] = "nobody", [AS_READER] = "reader", [AS_MANAGER] = "manager",
	[AS_CITY] = "city",     [AS_BRIDGE] = "bridge",
};

const char *as_role_name(enum as_role role)
{
	return (unsigned)role < AS_ROLE_COUNT ? role_names[role] : "nobody";
}

bool as_role_parse(const char *text, enum as_role *role)
{
	for (int i = 0; i < AS_ROLE_COUNT; i++) {
		if (strcmp(role_names[i], text) == 0) {
			*role = (enum as_role)i;
			return true;
		}
	}
	return false;
}

const char *as_scope_condition(enum record_kind kind)
{
	ASSERT_CMP((unsigned)kind, <, RECORD_KIND_COUNT);
	return rules[kind].condition;
}

bool as_scope_sees_all(const struct as_scope *scope)
{
	return scope->role == AS_CITY;
}

const struct net_uuid *as_scope_agency(const struct as_scope *scope)
{
	return scope->role == AS_READER || scope->role == AS_MANAGER ? &scope->agency : NULL;
}

bool as_scope_sees(const struct as_scope *scope, const struct net_uuid *agency)
{
	if (as_scope_sees_all(scope))
		return true;
	const struct net_uuid *own = as_scope_agency(scope);
	return own && agency && as_uuid_equal(own, agency);
}

bool as_scope_same_owner(const struct as_scope *a, const struct as_scope *b)
{
	return as_scope_sees_all(a) ? as_scope_sees_all(b)
				    : !as_scope_sees_all(b) && as_scope_sees(a, as_scope_agency(b));
}

bool as_scope_may_write(const struct as_scope *scope, enum record_kind kind, const struct net_uuid *owner)
{
	if (scope->role == AS_CITY)
		return true;
	return scope->role == AS_MANAGER && rules[kind].manager_writes && as_scope_sees(scope, owner);
}
