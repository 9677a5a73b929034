/* Input: a PHYPayload of the join family. What parses is built again to the same bytes, RFU bits aside. */
#include "common/base/check.h"
#include "common/lorawan/join_frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const uint8_t *phy, size_t length, const uint8_t *built, size_t built_length)
{
	ASSERT_CMP(built_length, ==, length);
	ASSERT_CMP(built[0], ==, (phy[0] & 0xe3));
	ASSERT(memcmp(built + 1, phy + 1, length - 1) == 0);
}

static void accept(const uint8_t *plain, size_t length)
{
	struct lw_join_accept accept;
	struct lw_cflist cflist;
	uint8_t built[LW_JOIN_ACCEPT_MAX] = {0}, list[LW_CFLIST_LENGTH], copy[LW_JOIN_ACCEPT_MAX];
	if (lw_join_accept_parse(&accept, plain, length) != LW_OK)
		return;
	memcpy(copy, plain, length);
	copy[12] &= 0x0f; /* RxDelay's RFU bits */
	same(copy, length, built, lw_join_accept_encode(&accept, built));
	if (accept.has_cflist && lw_cflist_decode(&cflist, accept.cflist, 100)) {
		ASSERT(lw_cflist_encode(&cflist, list, 100));
		ASSERT(memcmp(list, accept.cflist, 14) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lw_join_request join;
	struct lw_rejoin_request rejoin;
	uint8_t built[LW_JOIN_ACCEPT_MAX] = {0};
	if (lw_join_request_parse(&join, data, size) == LW_OK)
		same(data, size, built, lw_join_request_encode(&join, built));
	if (lw_rejoin_request_parse(&rejoin, data, size) == LW_OK)
		same(data, size, built, lw_rejoin_request_encode(&rejoin, built));
	accept(data, size);
	return 0;
}
