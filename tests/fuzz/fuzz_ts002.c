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
	enum bi_type type = message.envelope.type;
	if (read && (type < BI_BODIES || bi_type_is_answer(type) || type == BI_ERROR_NOTIF)) {
		char text[BI_WRITTEN_MAX];
		size_t length = bi_write(&message, text, sizeof text);
		ASSERT(length > 0 && bi_read(text, length, &again, &error));
		/* 1.0 has no name for two of the results, and no member for network servers. */
		again.envelope.result = message.envelope.result;
		if (message.envelope.protocol == BI_PROTOCOL_1_0) {
			again.envelope.has_sender_ns_id = message.envelope.has_sender_ns_id;
			again.envelope.has_receiver_ns_id = message.envelope.has_receiver_ns_id;
			again.envelope.sender_ns_id = message.envelope.sender_ns_id;
			again.envelope.receiver_ns_id = message.envelope.receiver_ns_id;
		}
		ASSERT(memcmp(&message, &again, sizeof message) == 0);
	}
	char answer[BI_WRITTEN_MAX], problem[JS_PROBLEM_TEXT];
	struct js_outcome outcome;
	size_t length = js_join_on_message(&world.join, world.now, data, size, &t_join_here, answer,
					   &outcome);
	/* The refusal of a version goes out under it. */
	ASSERT(length == 0 || bi_read(answer, length, &again, &error) || error.fault == BI_FAULT_VERSION);
	(void)js_records_parse(data, size, &world.records, problem);
	return 0;
}
