#include "application-server/agencies/callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct as_caller city = {.role = AS_CITY};

static bool parse_who(const char *text, struct as_caller *caller)
{
	char *end = NULL;
	caller->is_group = strncmp(text, "gid ", 4) == 0;
	if (!caller->is_group && strncmp(text, "uid ", 4) != 0)
		return false;
	unsigned long number = strtoul(text + 4, &end, 10);
	caller->number = (uint32_t)number;
	return end != text + 4 && *end == '\0' && number < UINT32_MAX;
}

static bool parse_what(const char *text, struct as_caller *caller)
{
	char role[16];
	size_t length = strcspn(text, " ");
	snprintf(role, sizeof role, "%.*s", (int)length, text);
	snprintf(caller->agency, sizeof caller->agency, "%s", text[length] ? text + length + 1 : "");
	if (!as_role_parse(role, &caller->role) || caller->role == AS_NOBODY)
		return false;
	return (caller->role == AS_CITY || caller->role == AS_BRIDGE) == (*caller->agency == '\0');
}

bool as_callers_init(struct as_callers *callers, const struct option_map *map, uint32_t own_uid, size_t *row)
{
	*callers = (struct as_callers){.own_uid = own_uid, .count = map->count};
	for (*row = 0; *row < map->count; (*row)++)
		if (!parse_who(map->entries[*row].label, &callers->rows[*row]) ||
		    !parse_what(map->entries[*row].value, &callers->rows[*row]))
			return false;
	return true;
}

static const struct as_caller *find(const struct as_callers *callers, bool is_group, uint32_t number)
{
	for (size_t i = 0; i < callers->count; i++)
		if (callers->rows[i].is_group == is_group && callers->rows[i].number == number)
			return &callers->rows[i];
	return NULL;
}

const struct as_caller *as_callers_find(const struct as_callers *callers, uint32_t uid, uint32_t gid)
{
	if (uid == 0 || uid == callers->own_uid)
		return &city;
	const struct as_caller *row = find(callers, false, uid);
	return row ? row : find(callers, true, gid);
}

bool as_callers_equal(const struct as_callers *a, const struct as_callers *b)
{
	if (a->own_uid != b->own_uid || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct as_caller *left = &a->rows[i], *right = &b->rows[i];
		if (left->is_group != right->is_group || left->number != right->number ||
		    left->role != right->role || strcmp(left->agency, right->agency) != 0)
			return false;
	}
	return true;
}
