#include "join-server/callers.h"

#include "common/base/check.h"
#include "join-server/peers.h"

static const char *const names[JS_CALL_COUNT] = {[JS_CALL_JOINS] = "joins",
						 [JS_CALL_PROVISIONING] = "provisioning",
						 [JS_CALL_APP_KEYS] = "app_keys",
						 [JS_CALL_VAULT] = "vault"};

const char *js_call_name(enum js_call call)
{
	ASSERT_CMP((unsigned)call, <, JS_CALL_COUNT);
	return names[call];
}

bool js_callers_init(struct js_callers *callers, const struct option_map *table, uint32_t own_uid,
		     bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity)
{
	return callers_init(&callers->table, names, JS_CALL_COUNT, table, own_uid, find_user, problem,
			    capacity);
}

bool js_callers_allow(const struct js_callers *callers, enum js_call call, uint32_t uid)
{
	return callers_allow(&callers->table, call, uid);
}

unsigned js_callers_rights(const struct js_callers *callers, uint32_t uid)
{
	unsigned rights = 0;
	if (js_callers_allow(callers, JS_CALL_JOINS, uid))
		rights |= JS_RIGHT_JOINS | JS_RIGHT_HOME;
	if (js_callers_allow(callers, JS_CALL_APP_KEYS, uid))
		rights |= JS_RIGHT_APP_KEYS;
	return rights;
}
