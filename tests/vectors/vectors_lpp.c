/* cayenne_lpp.json. The data names types by the specification's words, the codec by ChirpStack's; types are compared by
 * their numbers, and the names are in the codec's own tests. */
#include "tests/vectors/vectors.h"

#include "common/base/check.h"
#include "common/text/cayenne_lpp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double value_of(const struct lpp_value *value, uint8_t part)
{
	return (double)value->numbers[part] / value->type->parts[part].divisor;
}

static void check_number(struct vector *vector, const char *member, const json_t *expected, double got)
{
	char wanted[40], have[40];
	if (json_is_number(expected) && json_number_value(expected) == got)
		return;
	snprintf(wanted, sizeof wanted, "%.17g", json_number_value(expected));
	snprintf(have, sizeof have, "%.17g", got);
	v_fail(vector, member, wanted, have);
}

static void check_value(struct vector *vector, json_t *expected, const struct lpp_value *value)
{
	x_uint(vector, expected, "channel", value->channel);
	x_uint(vector, expected, "type", value->type->type);
	json_object_del(expected, "name");
	json_t *number = json_object_get(expected, "value");
	if (json_is_object(number)) {
		if (json_object_size(number) != value->type->part_count)
			v_fail(vector, "value", "its parts", "another number of them");
		for (uint8_t i = 0; i < value->type->part_count; i++)
			check_number(vector, value->type->parts[i].name,
				     json_object_get(number, value->type->parts[i].name), value_of(value, i));
	} else {
		check_number(vector, "value", number, value_of(value, 0));
	}
	json_object_del(expected, "value");
	if (json_object_size(expected) > 0)
		v_fail(vector, "values", "what the runner reads", "more members");
}

/* The same values, as JSON, make the same bytes, where types come in order: a type's channels stand together. */
static void check_written(struct vector *vector, const struct bytes *payload, const struct lpp_values *values)
{
	uint8_t written[BYTES_MAX];
	size_t length = 0;
	char cause[LPP_CAUSE_MAX] = "";
	json_t *object = lpp_json(values);
	struct lpp_values again;
	if (!lpp_encode(object, written, sizeof written, &length, cause))
		v_fail(vector, "encode", "bytes", cause);
	else if (length != payload->length)
		v_fail_bytes(vector, "encode", payload, written, length);
	else if (lpp_decode(&again, written, length, NULL) != LPP_DECODED || again.count != values->count)
		v_fail(vector, "encode", "what decodes again", "something else");
	json_decref(object);
}

static void run_decode(struct vector *vector)
{
	struct bytes payload = v_bytes(vector, "payload");
	struct lpp_values values;
	enum lpp_verdict verdict = lpp_decode(&values, payload.at, payload.length, NULL);
	json_t *list = x_part(vector, vector->expect, "values");
	if (verdict != LPP_DECODED || json_array_size(list) != values.count) {
		v_fail(vector, "values", "as many as in the data", lpp_verdict_name(verdict));
		return;
	}
	size_t index;
	json_t *expected;
	json_array_foreach(list, index, expected)
	{
		check_value(vector, expected, &values.items[index]);
	}
	json_array_clear(list);
	check_written(vector, &payload, &values);
}

static void run_reject(struct vector *vector)
{
	struct bytes payload = v_bytes(vector, "payload");
	struct lpp_values values;
	x_reject(vector, lpp_verdict_name(lpp_decode(&values, payload.at, payload.length, NULL)));
}

static void run_downlink(struct vector *vector)
{
	uint8_t written[BYTES_MAX];
	size_t length = 0;
	char channel[8], cause[LPP_CAUSE_MAX] = "";
	snprintf(channel, sizeof channel, "%u", (unsigned)v_uint(vector, "channel"));
	json_t *object = json_pack("{s:{s:O}}", "value", channel, json_object_get(vector->input, "value"));
	v_ignore(vector, "value");
	if (!lpp_encode(object, written, sizeof written, &length, cause))
		v_fail(vector, "payload", "bytes", cause);
	x_bytes(vector, vector->expect, "payload", written, length);
	json_decref(object);
}

const struct vector_kind vectors_lpp[] = {
	{"lpp_decode", run_decode},
	{"lpp_reject", run_reject},
	{"lpp_downlink", run_downlink},
	{NULL, NULL},
};
