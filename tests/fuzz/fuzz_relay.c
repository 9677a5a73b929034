/* Input: FRMPayload of FPort 226 as an uplink and as a downlink, and a wake-on-radio frame. */
#include "common/base/check.h"
#include "common/lorawan/relay.h"

#include <string.h>

#define STEP_HZ 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void forwarded(const uint8_t *data, size_t size)
{
	struct lw_forward_uplink uplink;
	uint8_t built[LW_RELAY_METADATA + LW_PHY_PAYLOAD_MAX];
	struct wr wr = wr_init(built, sizeof built);
	const uint8_t *phy_payload;
	size_t length;
	ASSERT((lw_forward_downlink_read(data, size, &phy_payload, &length) == LW_RELAY_OK) == (size > 0));
	if (lw_forward_uplink_read(data, size, STEP_HZ, &uplink) != LW_RELAY_OK) {
		ASSERT_CMP(size, <=, LW_RELAY_METADATA);
		return;
	}
	ASSERT(uplink.phy_payload_length > 0 && uplink.phy_payload == data + LW_RELAY_METADATA);
	enum lw_relay_verdict verdict = lw_forward_uplink_write(&uplink, STEP_HZ, &wr);
	if (uplink.wor_channel >= LW_RELAY_WOR_CHANNELS)
		ASSERT_CMP(verdict, ==, LW_RELAY_OUT_OF_RANGE);
	else if (uplink.phy_payload_length > LW_PHY_PAYLOAD_MAX)
		ASSERT_CMP(verdict, ==, LW_RELAY_NO_ROOM);
	else /* the first bytes apart from RFU bits, and the rest as it was */
		ASSERT(verdict == LW_RELAY_OK && wr_length(&wr) == size && memcmp(built, data, 2) == 0 &&
		       memcmp(built + 3, data + 3, size - 3) == 0);
}

static void woken(const uint8_t *data, size_t size)
{
	static const struct lw_key key = {{0}};
	static const struct lw_wor_channel_used channel = {.frequency_hz = 865100000, .data_rate = 3};
	static struct aes *aes; /* kept: making one costs more than all the rest */
	struct lw_dev_addr dev_addr;
	struct lw_wor_uplink uplink;
	uint16_t wfcnt;
	if (!aes)
		ASSERT((aes = aes_new()) != NULL);
	enum lw_relay_verdict verdict = lw_wor_uplink_address(data, size, &dev_addr, &wfcnt);
	ASSERT((verdict == LW_RELAY_OK) == (size == LW_WOR_UPLINK && data[0] == 1));
	if (verdict == LW_RELAY_OK)
		verdict = lw_wor_uplink_read(aes, &key, &key, data, size, wfcnt, &channel, STEP_HZ, &uplink);
	if (verdict == LW_RELAY_OK)
		ASSERT(uplink.dev_addr.value == dev_addr.value && uplink.data_rate < 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	forwarded(data, size);
	woken(data, size);
	return 0;
}
