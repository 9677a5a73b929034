/* Input: RFU1 and RFU2 of a layout, then a beacon. What was read builds a beacon that is right and reads the same. */
#include "common/base/check.h"
#include "common/lorawan/class_b.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lw_beacon beacon, second;
	uint8_t built[LW_BEACON_MAX];
	struct wr wr = wr_init(built, sizeof built);
	if (size < 2)
		return 0;
	struct lw_beacon_layout layout = {.rfu1_bytes = data[0] & 15, .rfu2_bytes = data[1] & 15};
	enum lw_beacon_verdict verdict = lw_beacon_parse(&layout, data + 2, size - 2, &beacon);
	ASSERT((verdict == LW_BEACON_BAD_LENGTH) == (size - 2 != lw_beacon_length(&layout)));
	if (verdict == LW_BEACON_BAD_LENGTH)
		return 0;
	ASSERT((verdict == LW_BEACON_OK) == (beacon.common_crc_ok && beacon.gw_crc_ok));
	lw_beacon_build(&layout, &beacon, &wr);
	ASSERT_CMP(lw_beacon_parse(&layout, built, wr_length(&wr), &second), ==, LW_BEACON_OK);
	ASSERT(second.prec == beacon.prec && second.time_s == beacon.time_s &&
	       second.info_desc == beacon.info_desc &&
	       memcmp(second.info, beacon.info, sizeof beacon.info) == 0);
	int32_t latitude, longitude;
	lw_beacon_info_position(&beacon, &latitude, &longitude);
	ASSERT(lw_beacon_latitude_raw(lw_beacon_latitude(latitude)) == latitude);
	ASSERT(lw_beacon_longitude_raw(lw_beacon_longitude(longitude)) == longitude);
	return 0;
}
