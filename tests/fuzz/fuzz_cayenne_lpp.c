/* Cayenne LPP: what decodes is written and decodes to the same again, unless a value came twice; the input as JSON is
 * encoded or refused with a cause. */
#include "common/base/check.h"
#include "common/text/cayenne_lpp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void both_ways(const uint8_t *data, size_t size)
{
	struct lpp_values values, again;
	size_t at = 0, length = 0;
	char cause[LPP_CAUSE_MAX] = "";
	uint8_t written[1024];
	if (lpp_decode(&values, data, size, &at) != LPP_DECODED) {
		ASSERT_CMP(at, <, size);
		ASSERT_CMP(values.count, ==, 0);
		return;
	}
	json_t *object = lpp_json(&values);
	ASSERT(object != NULL);
	if (values.count > 0) {
		ASSERT(lpp_encode(object, written, sizeof written, &length, cause));
		ASSERT_CMP(length, <=, size);
		ASSERT_CMP(lpp_decode(&again, written, length, NULL), ==, LPP_DECODED);
		json_t *same = lpp_json(&again);
		ASSERT(json_equal(object, same));
		json_decref(same);
	}
	json_decref(object);
}

static void as_json(const uint8_t *data, size_t size)
{
	uint8_t written[64];
	size_t length = 0;
	char cause[LPP_CAUSE_MAX] = "";
	json_t *object = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
	if (object && !lpp_encode(object, written, sizeof written, &length, cause))
		ASSERT(cause[0] != '\0' && memchr(cause, 0, sizeof cause) != NULL);
	json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	both_ways(data, size);
	as_json(data, size);
	return 0;
}
