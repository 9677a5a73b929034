#include "join-server/callers.h"

#include "common/base/check.h"

static const char *const names[JS_CALL_COUNT] = {
	[JS_CALL_JOINS] = "joins", [JS_CALL_PROVISIONING] = "provisioning"};

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
