#include "join-server/callers.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static const char *const names[JS_CALL_COUNT] = {
	[JS_CALL_JOINS] = "joins", [JS_CALL_PROVISIONING] = "provisioning"};

const char *js_call_name(enum js_call call)
{
	ASSERT_CMP((unsigned)call, <, JS_CALL_COUNT);
	return names[call];
}

static bool add(struct js_callers *callers, enum js_call call, uint32_t uid)
{
	if (callers->allowed[call].count == JS_CALLERS_MAX)
		return false;
	callers->allowed[call].uids[callers->allowed[call].count++] = uid;
	return true;
}

/* Reads users parted by blanks or commas. */
static bool add_users(struct js_callers *callers, enum js_call call, const char *users,
		      bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity)
{
	for (const char *at = users + strspn(users, " ,"); *at; at += strspn(at, " ,")) {
		size_t length = strcspn(at, " ,");
		char name[OPTION_PATH_MAX];
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		uint32_t uid;
		if (!find_user(name, &uid)) {
			snprintf(problem, capacity, "callers.%s: no user %s", names[call], name);
			return false;
		}
		if (!add(callers, call, uid)) {
			snprintf(problem, capacity, "callers.%s: at most %d users", names[call],
				 JS_CALLERS_MAX);
			return false;
		}
		at += length;
	}
	return true;
}

static bool find_call(const char *label, enum js_call *call)
{
	for (unsigned i = 0; i < JS_CALL_COUNT; i++) {
		if (strcmp(label, names[i]) == 0) {
			*call = (enum js_call)i;
			return true;
		}
	}
	return false;
}

bool js_callers_init(struct js_callers *callers, const struct option_map *table, uint32_t own_uid,
		     bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity)
{
	memset(callers, 0, sizeof *callers);
	bool named[JS_CALL_COUNT] = {false};
	for (size_t i = 0; i < table->count; i++) {
		enum js_call call;
		if (!find_call(table->entries[i].label, &call)) {
			snprintf(problem, capacity, "callers.%s: expected joins or provisioning",
				 table->entries[i].label);
			return false;
		}
		named[call] = true;
		if (!add_users(callers, call, table->entries[i].value, find_user, problem, capacity))
			return false;
	}
	for (unsigned i = 0; i < JS_CALL_COUNT; i++) {
		if (named[i])
			continue;
		add(callers, (enum js_call)i, 0);
		add(callers, (enum js_call)i, own_uid);
	}
	return true;
}

bool js_callers_allow(const struct js_callers *callers, enum js_call call, uint32_t uid)
{
	for (size_t i = 0; i < callers->allowed[call].count; i++)
		if (callers->allowed[call].uids[i] == uid)
			return true;
	return false;
}
