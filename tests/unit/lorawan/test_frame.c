#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/frame.h"

#include <string.h>

static void verdicts_name_the_first_rule_broken(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *phy;
		enum lw_direction direction;
		enum lw_verdict verdict;
	} rows[] = {
		{"nothing", "", LW_UP, LW_TOO_SHORT},
		{"proprietary with a foreign major", "e3", LW_DOWN, LW_PROPRIETARY_FRAME},
		{"major before direction", "61", LW_UP, LW_UNSUPPORTED_MAJOR},
		{"direction before length", "60", LW_UP, LW_WRONG_DIRECTION},
		{"an uplink heard as a downlink", "40", LW_DOWN, LW_WRONG_DIRECTION},
		{"a join-request is no data frame", "00", LW_UP, LW_OTHER_TYPE},
		{"a join-accept is no data frame", "20", LW_DOWN, LW_OTHER_TYPE},
		{"eleven bytes", "4004030201000100aabbcc", LW_UP, LW_TOO_SHORT},
		{"twelve bytes", "4004030201000100aabbccdd", LW_UP, LW_OK},
		{"FOpts to the last byte before the MIC", "400403020101010002aabbccdd", LW_UP, LW_OK},
		{"FOpts into the MIC", "400403020102010002aabbccdd", LW_UP, LW_FOPTS_OVERRUN},
		{"FOpts and FPort 0", "40040302010101000200aabbccdd", LW_UP, LW_FOPTS_WITH_FPORT0},
		{"FPort 0 alone", "400403020100010000aabbccdd", LW_UP, LW_OK},
		{"RFU bits of MHDR are ignored", "5c04030201000100aabbccdd", LW_UP, LW_OK},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t phy[64];
		size_t length;
		struct lw_frame frame;
		assert_true(hex_decode(phy, sizeof phy, &length, rows[i].phy, strlen(rows[i].phy)));
		t_str("verdict", lw_verdict_name(rows[i].verdict),
		      lw_verdict_name(lw_frame_parse(&frame, phy, length, rows[i].direction)));
	}
}

static void lengths_up_to_255(void **state)
{
	(void)state;
	uint8_t phy[256] = {0x40, 4, 3, 2, 1, 0, 7, 0, 9};
	struct lw_frame frame;
	t_int("255", LW_OK, lw_frame_parse(&frame, phy, 255, LW_UP));
	t_uint("payload", 242, frame.frm_payload_length);
	t_uint("covered by the MIC", 251, frame.msg_length);
	t_int("256", LW_BAD_LENGTH, lw_frame_parse(&frame, phy, 256, LW_UP));
}

static void no_fport_is_not_an_empty_payload(void **state)
{
	(void)state;
	const uint8_t bare[] = {0x40, 4, 3, 2, 1, 0, 7, 0, 1, 2, 3, 4};
	const uint8_t empty[] = {0x40, 4, 3, 2, 1, 0, 7, 0, 5, 1, 2, 3, 4};
	struct lw_frame frame;
	assert_int_equal(lw_frame_parse(&frame, bare, sizeof bare, LW_UP), LW_OK);
	t_false("bare: has FPort", frame.has_fport);
	assert_int_equal(lw_frame_parse(&frame, empty, sizeof empty, LW_UP), LW_OK);
	t_true("empty: has FPort", frame.has_fport);
	t_uint("empty: FPort", 5, frame.fport);
	t_uint("empty: length", 0, frame.frm_payload_length);
}

static void refused_frame_leaves_the_struct_alone(void **state)
{
	(void)state;
	const uint8_t overrun[] = {0x40, 4, 3, 2, 1, 5, 7, 0, 1, 2, 3, 4};
	struct lw_frame frame = {.fcnt = 0x1234};
	assert_int_equal(lw_frame_parse(&frame, overrun, sizeof overrun, LW_UP), LW_FOPTS_OVERRUN);
	t_uint("fcnt", 0x1234, frame.fcnt);
}

/* What the parser would refuse is not built. */
static void frames_that_break_a_rule_are_not_built(void **state)
{
	(void)state;
	static const uint8_t payload[255];
	static const struct {
		const char *name;
		struct lw_frame frame;
		size_t capacity;
		size_t length;
	} rows[] = {
		{"a bare frame", {.ftype = LW_UNCONFIRMED_DOWN}, 255, 12},
		{"a payload without FPort",
		 {.ftype = LW_UNCONFIRMED_DOWN, .frm_payload = payload, .frm_payload_length = 1},
		 255,
		 0},
		{"FOpts and FPort 0",
		 {.ftype = LW_UNCONFIRMED_DOWN, .fctrl.fopts_length = 1, .has_fport = true},
		 255,
		 0},
		{"sixteen bytes of FOpts", {.ftype = LW_UNCONFIRMED_DOWN, .fctrl.fopts_length = 16}, 255, 0},
		{"a join-request", {.ftype = LW_JOIN_REQUEST}, 255, 0},
		{"the longest",
		 {.ftype = LW_CONFIRMED_DOWN,
		  .has_fport = true,
		  .fport = 1,
		  .frm_payload = payload,
		  .frm_payload_length = 242},
		 300,
		 255},
		{"one byte more than the longest",
		 {.ftype = LW_CONFIRMED_DOWN,
		  .has_fport = true,
		  .fport = 1,
		  .frm_payload = payload,
		  .frm_payload_length = 243},
		 300,
		 0},
		{"no room", {.ftype = LW_UNCONFIRMED_DOWN}, 11, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t phy[300];
		t_uint("length", rows[i].length, lw_frame_encode(&rows[i].frame, phy, rows[i].capacity));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(verdicts_name_the_first_rule_broken),    t_test(lengths_up_to_255),
		t_test(no_fport_is_not_an_empty_payload),       t_test(refused_frame_leaves_the_struct_alone),
		t_test(frames_that_break_a_rule_are_not_built),
	};
	return t_run(tests);
}
