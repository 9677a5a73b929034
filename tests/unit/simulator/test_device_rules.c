/* What differs from version to version: the device's table, and that the device goes by it. */
#include "simulator/device_parts.h"
#include "simulator/device_rules.h"

#include "common/base/hex.h"

#include "tests/harness/device_stand.h"
#include "tests/harness/harness.h"

#include <string.h>

#define S INT64_C(1000000)

static struct aes *aes;
static struct t_stand stand;

/* The downlink commands that a device of each version can read (section 5 of each text). */
static const struct {
	const char *name;
	enum lw_mac_version version;
	const char *cids;
} known[] = {
	{"1.0.0", LW_MAC_1_0_0, "0203040506070810111213"},
	{"1.0.1", LW_MAC_1_0_1, "0203040506070810111213"},
	{"1.0.2", LW_MAC_1_0_2, "02030405060708090a10111213"},
	{"1.0.3", LW_MAC_1_0_3, "02030405060708090a0d10111213"},
	{"1.0.4", LW_MAC_1_0_4, "02030405060708090a0d10111213"},
	{"1.1.0", LW_MAC_1_1_0, "0102030405060708090a0b0c0d0e0f1011121320"},
};

static void commands_by_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		uint8_t expected[64], got[256];
		size_t expected_length = 0, length = 0;
		t_row(known[i].name);
		t_true("hex", hex_decode(expected, sizeof expected, &expected_length, known[i].cids,
					 strlen(known[i].cids)));
		for (unsigned cid = 0; cid < 256; cid++) {
			if (sim_rules_knows(known[i].version, (uint8_t)cid))
				got[length++] = (uint8_t)cid;
		}
		t_bytes("commands", expected, expected_length, got, length);
	}
}

/* A command that came with a later version ends the reading: the device does not know how long it is. */
static const struct {
	const char *name;
	enum lw_mac_version version;
	const char *region, *down, *up;
} later[] = {
	{"DlChannelReq before 1.0.2", LW_MAC_1_0_1, "eu868", "060a01184f8406", "06e600"},
	{"DlChannelReq from 1.0.2 on", LW_MAC_1_0_2, "eu868", "060a01184f8406", "06e6000a0306e600"},
	{"TxParamSetupReq before 1.0.2", LW_MAC_1_0_1, "as923-1", "09050806", ""},
	{"TxParamSetupReq from 1.0.2 on, and it is known where it means nothing", LW_MAC_1_0_2, "eu868",
	 "090506", "06e600"},
	{"DeviceTimeAns before 1.0.3", LW_MAC_1_0_2, "eu868", "0d00000000 0006", ""},
	{"ADRParamSetupReq in 1.0.4", LW_MAC_1_0_4, "eu868", "0c5506", ""},
	{"ADRParamSetupReq in 1.1", LW_MAC_1_1_0, "eu868", "0c5506", "0c06e600"},
	{"RekeyConf in 1.0.4", LW_MAC_1_0_4, "eu868", "0b0106", ""},
};

static void feed(const char *hex, uint8_t *up, size_t *length)
{
	uint8_t down[64];
	char clean[128];
	size_t at = 0, down_length = 0;
	for (const char *c = hex; *c != '\0'; c++) {
		if (*c != ' ')
			clean[at++] = *c;
	}
	t_true("hex", hex_decode(down, sizeof down, &down_length, clean, at));
	sim_device_apply_commands(&stand.device, 0, down, down_length);
	*length = sim_device_write_commands(&stand.device, up, 64);
}

static void commands_of_later_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		struct sim_device_config config = t_stand_config(later[i].region, later[i].version, SIM_OTAA);
		uint8_t expected[64], up[64];
		size_t expected_length = 0, length = 0;
		t_stand_set_up(&stand, aes, &config);
		t_row(later[i].name);
		feed(later[i].down, up, &length);
		t_true("hex", hex_decode(expected, sizeof expected, &expected_length, later[i].up,
					 strlen(later[i].up)));
		t_bytes("answers", expected, expected_length, up, length);
	}
}

/* MAX_FCNT_GAP: 1.0.4 alone has none. The first downlink of a session is measured from 0. */
static const struct {
	const char *name;
	enum lw_mac_version version;
	int last; /* −1: none yet */
	uint32_t fcnt;
	enum sim_down_result result;
} gaps[] = {
	{"1.0.2, 16,383 above the last", LW_MAC_1_0_2, 7, 7 + 16383, SIM_DOWN_ACCEPTED},
	{"1.0.2, 16,384 above the last", LW_MAC_1_0_2, 7, 7 + 16384, SIM_DOWN_GAP},
	{"1.0.3, 16,384 as the first", LW_MAC_1_0_3, -1, 16384, SIM_DOWN_GAP},
	{"1.0.3, 16,383 as the first", LW_MAC_1_0_3, -1, 16383, SIM_DOWN_ACCEPTED},
	{"1.0.4, 40,000 above the last", LW_MAC_1_0_4, 7, 40007, SIM_DOWN_ACCEPTED},
	{"1.0.4, 65,535 above the last", LW_MAC_1_0_4, 7, 65542, SIM_DOWN_ACCEPTED},
	{"1.1, 16,384 above the last", LW_MAC_1_1_0, 7, 7 + 16384, SIM_DOWN_GAP},
	{"1.0.4, the last one again", LW_MAC_1_0_4, 7, 7, SIM_DOWN_REPEATED},
	{"1.0.4, one below the last", LW_MAC_1_0_4, 7, 6, SIM_DOWN_REPEATED},
	{"1.1, over the end of 16 bits", LW_MAC_1_1_0, 65535, 65536, SIM_DOWN_ACCEPTED},
};

static void gaps_by_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		struct sim_device_config config = t_stand_config("eu868", gaps[i].version, SIM_ABP);
		t_stand_set_up(&stand, aes, &config);
		t_row(gaps[i].name);
		t_true("sends", t_stand_sends(&stand, S));
		stand.device.seen_down[0] = gaps[i].last >= 0;
		stand.device.fcnt_down[0] = gaps[i].last >= 0 ? (uint32_t)gaps[i].last : 0;
		struct t_down down = {.fcnt = gaps[i].fcnt, .fport = -1};
		t_str("result", sim_down_result_name(gaps[i].result),
		      sim_down_result_name(t_stand_answer(&stand, 1, &down)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(commands_by_version),
		t_test(commands_of_later_versions),
		t_test(gaps_by_version),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
