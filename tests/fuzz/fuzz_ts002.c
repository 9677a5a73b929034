/* Input: the body of a TS002 message. What reads is written again to a message that reads the same; whatever comes, the
 * join server's core answers or says that it cannot, whoever asks: this machine, a peer, a certificate that is nobody's; and
 * its answer fits. The records parser reads it as well. */
#include "common/base/check.h"
#include "tests/harness/join_world.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A server on another machine that may do everything. */
static const struct js_peer world_peer = {.name = "b",
					  .rights = JS_RIGHT_ALL,
					  .net_ids = {{0x000013}, {0x60000d}},
					  .net_id_count = 2,
					  .as_ids = {"as.b"},
					  .as_id_count = 1,
					  .any_join_eui = true,
					  .kek = "60000d",
					  .rate = 1};

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
	const struct js_peer *peers[] = {&t_join_here, &world_peer, NULL};
	char answer[BI_WRITTEN_MAX], problem[JS_PROBLEM_TEXT];
	struct js_outcome outcome;
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		size_t length = js_join_on_message(&world.join, world.now, data, size, peers[i], answer,
						   &outcome);
		/* The refusal of a version goes out under it. */
		bool good = length > 0 && bi_read(answer, length, &again, &error);
		ASSERT(length == 0 || good || error.fault == BI_FAULT_VERSION);
		/* Who is nobody gets nothing, and an answer fits its request. */
		ASSERT(peers[i] || !good || again.envelope.result == BI_UNKNOWN_SENDER);
		if (good && read)
			ASSERT(bi_answer_match(&message.envelope, &again.envelope) == BI_MATCH_OK);
	}
	(void)js_records_parse(data, size, &world.records, problem);
	return 0;
}
