/* Bytes from network.sock: whatever they are, unpacking refuses or yields a message that packs again. */
#include "common/base/check.h"
#include "common/proto/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct arena scratch;
	static struct proto_message message;
	static uint8_t again[PROTO_FRAME_MAX];
	if (!scratch.memory)
		arena_init(&scratch, 256 * 1024);
	if (length > PROTO_FRAME_MAX || proto_unpack(&message, bytes, length, &scratch) != ST_OK)
		return 0;
	size_t packed;
	if (message.kind != PROTO_UNKNOWN) {
		ASSERT(proto_pack(&message, again, sizeof again, &packed) == ST_OK);
		enum proto_kind kind = message.kind;
		ASSERT(proto_unpack(&message, again, packed, &scratch) == ST_OK);
		ASSERT_CMP(kind, ==, message.kind);
	}
	return 0;
}
