/* Input: a PHYPayload, taken as an uplink and as a downlink. What parses is built again to the same bytes, RFU bits
 * aside, and never reaches outside its input. */
#include "common/base/check.h"
#include "common/lorawan/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_way(const uint8_t *phy, size_t length, enum lw_direction direction)
{
	struct lw_frame frame;
	uint8_t built[LW_PHY_PAYLOAD_MAX];
	if (lw_frame_parse(&frame, phy, length, direction) != LW_OK)
		return;
	ASSERT_CMP(length, <=, LW_PHY_PAYLOAD_MAX);
	ASSERT_CMP(frame.msg_length + 4u, ==, length);
	if (frame.frm_payload_length > 0)
		ASSERT(frame.frm_payload > phy &&
		       frame.frm_payload + frame.frm_payload_length == phy + frame.msg_length);
	ASSERT(frame.has_fport || frame.frm_payload_length == 0);
	ASSERT_CMP(lw_frame_encode(&frame, built, sizeof built), ==, length);
	for (size_t i = 0; i < length; i++) {
		uint8_t rfu = i == 0 ? 0x1c : i == 5 && direction == LW_DOWN ? 0x40 : 0;
		ASSERT_CMP(built[i], ==, (phy[i] & (uint8_t)~rfu));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one_way(data, size, LW_UP);
	one_way(data, size, LW_DOWN);
	return 0;
}
