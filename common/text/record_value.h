/* One value of a record against its field (record_schema.h): type, bounds, form. */
#ifndef LAMPPOST_TEXT_RECORD_VALUE_H
#define LAMPPOST_TEXT_RECORD_VALUE_H

#include "common/text/record_schema.h"

struct record_reason {
	char text[200]; /* "must be 1 to 15"; never repeats a value that may be a key */
};

/* Fills `*normal` (the caller owns it) with the value's normal form: hexadecimal digits in lower case, whole numbers as
 * integers. False with `reason`, `*normal` untouched. On success `*normal` stays NULL only if memory ran out. */
bool record_value_check(const struct record_field *field, const json_t *value, json_t **normal,
			struct record_reason *reason);

#endif
