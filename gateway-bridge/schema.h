/* The members that an object may have, as rows: name, JSON type, range. An object is read into one token
 * index per row, checked, so that what follows picks values without asking again. */
#ifndef LAMPPOST_BRIDGE_SCHEMA_H
#define LAMPPOST_BRIDGE_SCHEMA_H

#include "gateway-bridge/json.h"
#include "gateway-bridge/verdicts.h"

#define GB_SCHEMA_MAX 48 /* rows of one object */

enum gb_member_type {
	GB_MEMBER_ANY,     /* whatever it is, and nothing named twice in it */
	GB_MEMBER_RAW,     /* not looked at: its own reader checks it */
	GB_MEMBER_INTEGER, /* written without fraction and exponent, within min..max */
	GB_MEMBER_REAL,    /* any number within min..max */
	GB_MEMBER_BOOL,
	GB_MEMBER_STRING,
	GB_MEMBER_OBJECT,
	GB_MEMBER_ARRAY
};

struct gb_member {
	const char *name;
	enum gb_member_type type;
	double min, max; /* INTEGER, REAL; both 0: the whole range of the type */
};

/* Fills `values[row]` with the value's token, or GB_JSON_NONE for absent and null. Members without a row are
 * ignored, but for a name that stands twice, at any depth. GB_ACCEPTED, GB_DUPLICATE_MEMBER, GB_WRONG_TYPE,
 * GB_OUT_OF_RANGE. */
enum gb_verdict gb_schema_read(struct gb_json *json, int object, const struct gb_member *rows, size_t count,
			       int *values);

/* A value that gb_schema_read() has checked; `none` when it is absent. */
int64_t gb_schema_integer(const struct gb_json *json, int value, int64_t none);
double gb_schema_real(const struct gb_json *json, int value, double none);

#endif
