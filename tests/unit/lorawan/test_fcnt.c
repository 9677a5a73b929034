#include "tests/harness/harness.h"

#include "common/lorawan/fcnt.h"

static void nearest_to_the_next(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t next;
		uint16_t air;
		uint32_t fcnt;
	} rows[] = {
		{"the first of a session", 0, 0, 0},
		{"ahead by the most", 0, 0x7fff, 0x7fff},
		{"below 0 goes up, not around", 0, 0xffff, 0xffff},
		{"below 0 goes up from 5 as well", 5, 0xfff0, 0xfff0},
		{"exactly down to 0", 0x8000, 0, 0},
		{"a repeat", 100, 99, 99},
		{"a late frame is not the next round", 70000, 4000, 69536},
		{"over a round", 65535, 1, 65537},
		{"the last of the round before", 65536, 65535, 65535},
		{"half a round ahead is behind", 0x20000, 0x8000, 0x18000},
		{"one less than half a round ahead", 0x20000, 0x7fff, 0x27fff},
		{"near the end", 0xffffffff, 0xffff, 0xffffffff},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_uint("fcnt", rows[i].fcnt, lw_fcnt_reconstruct(rows[i].next, rows[i].air));
	}
}

static void judged_by_version(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t next, fcnt;
		enum lw_mac_version version;
		enum lw_fcnt_verdict verdict;
	} rows[] = {
		{"0 as the first", 0, 0, LW_MAC_1_0_3, LW_FCNT_NEW},
		{"expected", 10, 10, LW_MAC_1_0_4, LW_FCNT_NEW},
		{"the frame before", 10, 9, LW_MAC_1_0_4, LW_FCNT_REPEAT},
		{"two before", 10, 8, LW_MAC_1_0_4, LW_FCNT_LATE},
		{"the widest gap of 1.0.3", 10, 16394, LW_MAC_1_0_3, LW_FCNT_NEW},
		{"wider than 1.0.3 allows", 10, 16395, LW_MAC_1_0_3, LW_FCNT_GAP},
		{"1.0.4 has no such rule", 10, 16395, LW_MAC_1_0_4, LW_FCNT_NEW},
		{"nor is it kept for 1.1", 10, 100000, LW_MAC_1_1_0, LW_FCNT_NEW},
		{"the very last value", 0xfffffffe, 0xffffffff, LW_MAC_1_0_4, LW_FCNT_EXHAUSTED},
		{"the last but one", 0xfffffffe, 0xfffffffe, LW_MAC_1_0_4, LW_FCNT_NEW},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_str("verdict", lw_fcnt_verdict_name(rows[i].verdict),
		      lw_fcnt_verdict_name(lw_fcnt_judge(rows[i].next, rows[i].fcnt, rows[i].version)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(nearest_to_the_next), t_test(judged_by_version)};
	return t_run(tests);
}
