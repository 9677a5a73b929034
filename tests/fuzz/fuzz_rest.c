/* Bodies of the REST API against the record schema: the first byte chooses the kind and the mode, the rest is the body.
 * What is accepted is normal: the same check accepts it again and changes nothing. */
#include "common/base/check.h"
#include "common/text/record_schema.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct record_schema *schema = record_schema((enum record_kind)(data[0] % RECORD_KIND_COUNT));
	enum record_mode mode = (enum record_mode)(data[0] / RECORD_KIND_COUNT % 3);
	json_t *body = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
				  NULL);
	json_t *normal = NULL, *again = NULL;
	struct record_problems problems;
	if (!body)
		return 0;
	enum status status = record_check(schema, mode, body, &normal, &problems);
	if (status == ST_OK) {
		ASSERT_CMP(problems.count, ==, 0);
		ASSERT_CMP(record_check(schema, mode, normal, &again, &problems), ==, ST_OK);
		ASSERT(json_equal(normal, again));
		for (size_t i = 0; i < schema->field_count; i++) {
			char text[300];
			record_value_to_text(&schema->fields[i],
					     json_object_get(normal, schema->fields[i].name), text,
					     sizeof text);
			ASSERT_CMP(strlen(text), <, sizeof text);
		}
	} else {
		ASSERT_CMP(status, ==, ST_INVALID);
		ASSERT_CMP(problems.count, >, 0);
		ASSERT_CMP(problems.count, <=, RECORD_PROBLEMS_MAX);
	}
	json_decref(again);
	json_decref(normal);
	json_decref(body);
	return 0;
}
