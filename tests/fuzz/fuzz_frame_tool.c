/* Input: what somebody pastes behind `lamppost frame decode`, NUL-terminated. Whatever is read as a frame is explained with and
 * without keys; nothing reaches outside its input, and what is explained without a fault is built again to the same bytes. */
#include "cli/frame_build.h"
#include "cli/frame_decode.h"
#include "cli/frame_input.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void explain(const struct cli_frame_bytes *frame, struct aes *aes, bool keys, bool is_1_1)
{
	struct cli_frame_context context = {.says_1_1 = is_1_1, .says_1_0 = !is_1_1};
	for (int i = 0; keys && i < FRAME_KEY_COUNT; i++)
		context.has_key[i] = true;
	struct cli_frame_report *report = cli_frame_decode(frame->bytes, frame->length, &context, aes);
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	char problem[CLI_FRAME_PROBLEM_MAX] = "";
	size_t length;
	ASSERT(report->count > 0);
	/* Without keys the bytes are taken as they are; RFU bits of MHDR and FCtrl are not. */
	struct cli_frame_context again = {.says_1_1 = is_1_1, .says_1_0 = !is_1_1, .join_req_type = 0xff};
	unsigned ftype = frame->length ? frame->bytes[0] >> 5 : 8;
	bool data = ftype >= 2 && ftype <= 5;
	if (data && !keys && report->outcome == CLI_FRAME_READ && (frame->bytes[0] & 0x1c) == 0) {
		const json_t *fcnt = json_object_get(report->document, "fcnt");
		again.has_fcnt = true;
		again.fcnt = (uint32_t)json_integer_value(fcnt);
		if (json_object_get(report->document, "fopts"))
			json_object_del(report->document, "fopts_commands");
		ASSERT(cli_frame_build(report->document, &again, aes, phy, &length, problem));
		ASSERT_CMP(length, ==, frame->length);
		for (size_t i = 0; i < length; i++)
			ASSERT(phy[i] == frame->bytes[i] || (i == 5 && (phy[i] ^ frame->bytes[i]) == 0x40));
	}
	cli_frame_report_free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cli_frame_inputs inputs;
	const char *problem;
	char *text = strndup((const char *)data, size);
	struct aes *aes = aes_new();
	ASSERT(text && aes);
	if (cli_frame_input(&inputs, text, false, &problem))
		for (size_t i = 0; i < inputs.count; i++)
			for (int way = 0; way < 4; way++)
				explain(&inputs.frames[i], aes, way & 1, way >> 1);
	aes_free(aes);
	free(text);
	return 0;
}
