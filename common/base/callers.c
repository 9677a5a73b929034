#include "common/base/callers.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static bool add(struct callers *callers, size_t kind, uint32_t uid)
{
	if (callers->allowed[kind].count == CALLERS_MAX)
		return false;
	callers->allowed[kind].uids[callers->allowed[kind].count++] = uid;
	return true;
}

/* Reads users parted by blanks or commas. */
static bool add_users(struct callers *callers, size_t kind, const char *users,
		      bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity)
{
	for (const char *at = users + strspn(users, " ,"); *at; at += strspn(at, " ,")) {
		size_t length = strcspn(at, " ,");
		char name[OPTION_PATH_MAX];
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		uint32_t uid;
		if (!find_user(name, &uid)) {
			snprintf(problem, capacity, "callers.%s: no user %s", callers->names[kind], name);
			return false;
		}
		if (!add(callers, kind, uid)) {
			snprintf(problem, capacity, "callers.%s: at most %d users", callers->names[kind],
				 CALLERS_MAX);
			return false;
		}
		at += length;
	}
	return true;
}

static bool find_kind(const struct callers *callers, const char *label, size_t *kind)
{
	for (*kind = 0; *kind < callers->kinds; (*kind)++)
		if (strcmp(label, callers->names[*kind]) == 0)
			return true;
	return false;
}

static void say_expected(const struct callers *callers, const char *label, char *problem, size_t capacity)
{
	size_t used = (size_t)snprintf(problem, capacity, "callers.%s: expected", label);
	for (size_t i = 0; i < callers->kinds && used < capacity; i++)
		used += (size_t)snprintf(problem + used, capacity - used, "%s %s", i ? " or" : "",
					 callers->names[i]);
}

bool callers_init(struct callers *callers, const char *const *names, size_t kinds,
		  const struct option_map *table, uint32_t own_uid,
		  bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity)
{
	ASSERT_CMP(kinds, <=, CALLERS_KINDS);
	*callers = (struct callers){.names = names, .kinds = kinds};
	bool named[CALLERS_KINDS] = {false};
	for (size_t i = 0; i < table->count; i++) {
		size_t kind;
		if (!find_kind(callers, table->entries[i].label, &kind)) {
			say_expected(callers, table->entries[i].label, problem, capacity);
			return false;
		}
		named[kind] = true;
		if (!add_users(callers, kind, table->entries[i].value, find_user, problem, capacity))
			return false;
	}
	for (size_t i = 0; i < kinds; i++) {
		if (named[i])
			continue;
		add(callers, i, 0);
		add(callers, i, own_uid);
	}
	return true;
}

bool callers_allow(const struct callers *callers, size_t kind, uint32_t uid)
{
	ASSERT_CMP(kind, <, callers->kinds);
	for (size_t i = 0; i < callers->allowed[kind].count; i++)
		if (callers->allowed[kind].uids[i] == uid)
			return true;
	return false;
}
