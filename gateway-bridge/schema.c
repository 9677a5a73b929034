#include "gateway-bridge/schema.h"

#include "common/base/check.h"

#include <string.h>

#define NAME_ROOM   24 /* no row's name is longer */
#define UNKNOWN_FEW 64 /* unknown members that are compared among themselves; more are refused */

static size_t find_row(const char *name, const struct gb_member *rows, size_t count)
{
	size_t row = 0;
	while (row < count && strcmp(rows[row].name, name) != 0)
		row++;
	return row;
}

static bool in_range(double value, const struct gb_member *row)
{
	return (row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max);
}

static enum gb_verdict check_number(const struct gb_json *json, int value, const struct gb_member *row)
{
	if (gb_json_type(json, value) != GB_JSON_NUMBER)
		return GB_WRONG_TYPE;
	double real;
	if (!gb_json_real(json, value, &real))
		return GB_OUT_OF_RANGE;
	int64_t integer;
	if (row->type == GB_MEMBER_INTEGER && !gb_json_integer(json, value, &integer))
		return real < -9e18 || real > 9e18 ? GB_OUT_OF_RANGE : GB_WRONG_TYPE;
	return in_range(real, row) ? GB_ACCEPTED : GB_OUT_OF_RANGE;
}

static enum gb_verdict check_type(struct gb_json *json, int value, const struct gb_member *row)
{
	enum gb_json_type type = gb_json_type(json, value), wanted = GB_JSON_NULL;
	switch (row->type) {
	case GB_MEMBER_INTEGER:
	case GB_MEMBER_REAL: return check_number(json, value, row);
	case GB_MEMBER_RAW: return GB_ACCEPTED;
	case GB_MEMBER_ANY: return gb_json_has_duplicates(json, value) ? GB_DUPLICATE_MEMBER : GB_ACCEPTED;
	case GB_MEMBER_BOOL: wanted = GB_JSON_BOOL; break;
	case GB_MEMBER_STRING: wanted = GB_JSON_STRING; break;
	case GB_MEMBER_OBJECT: wanted = GB_JSON_OBJECT; break;
	case GB_MEMBER_ARRAY: wanted = GB_JSON_ARRAY; break;
	}
	return type == wanted ? GB_ACCEPTED : GB_WRONG_TYPE;
}

enum gb_verdict gb_schema_read(struct gb_json *json, int object, const struct gb_member *rows, size_t count,
			       int *values)
{
	ASSERT_CMP(count, <=, GB_SCHEMA_MAX);
	int unknown[UNKNOWN_FEW], unknowns = 0;
	uint64_t seen = 0;
	for (size_t i = 0; i < count; i++)
		values[i] = GB_JSON_NONE;
	for (int at = gb_json_first_member(json, object); at != GB_JSON_NONE;
	     at = gb_json_next_member(json, object, at)) {
		int value = at + 1;
		char name[NAME_ROOM];
		size_t row = gb_json_string(json, at, name, sizeof name) ? find_row(name, rows, count)
									 : count;
		if (row == count) {
			if (unknowns == UNKNOWN_FEW)
				return GB_OUT_OF_RANGE;
			unknown[unknowns++] = at;
			if (gb_json_has_duplicates(json, value))
				return GB_DUPLICATE_MEMBER;
			continue;
		}
		if (seen >> row & 1)
			return GB_DUPLICATE_MEMBER;
		seen |= UINT64_C(1) << row;
		if (gb_json_type(json, value) == GB_JSON_NULL)
			continue;
		enum gb_verdict verdict = check_type(json, value, &rows[row]);
		if (verdict != GB_ACCEPTED)
			return verdict;
		values[row] = value;
	}
	return gb_json_names_repeat(json, unknown, unknowns) ? GB_DUPLICATE_MEMBER : GB_ACCEPTED;
}

int64_t gb_schema_integer(const struct gb_json *json, int value, int64_t none)
{
	int64_t integer;
	return value != GB_JSON_NONE && gb_json_integer(json, value, &integer) ? integer : none;
}

double gb_schema_real(const struct gb_json *json, int value, double none)
{
	double real;
	return value != GB_JSON_NONE && gb_json_real(json, value, &real) ? real : none;
}
