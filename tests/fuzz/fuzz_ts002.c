/* Input: the body of a TS002 message. What reads is written again to a message that reads the same; whatever comes, the
 * join server's core answers or says that it cannot, and the records parser as well. */
#include "common/base/check.h"
#include "tests/harness/join_world.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct t_join_world world;
	static bool open;
	if (!open)
		t_join_world_open(&world);
	open = true;
	struct bi_message message, again;
	struct bi_error error;
	bool read = bi_read((const char *)data, size, &message, &error);
	ASSERT(read == (error.fault == BI_FAULT_NONE));
	if (read && (message.envelope.type < BI_BODIES || bi_type_is_answer(message.envelope.type))) {
		char text[BI_WRITTEN_MAX];
		size_t length = bi_write(&message, text, sizeof text);
		ASSERT(length > 0 && bi_read(text, length, &again, &error));
		/* 1.0 has no name for two of the results. */
		again.envelope.result = message.envelope.result;
		ASSERT(memcmp(&message, &again, sizeof message) == 0);
	}
	char answer[BI_WRITTEN_MAX], problem[JS_PROBLEM_TEXT];
	struct js_outcome outcome;
	size_t length = js_join_on_message(&world.join, world.now, data, size, true, answer, &outcome);
	/* The refusal of a version goes out under it. */
	ASSERT(length == 0 || bi_read(answer, length, &again, &error) || error.fault == BI_FAULT_VERSION);
	(void)js_records_parse(data, size, &world.records, problem);
	return 0;
}
