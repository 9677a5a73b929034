/* Channel plans over the real regions. */
#include "tests/harness/harness.h"

#include "common/lorawan/channel_plan.h"
#include "common/text/region_yaml.h"

#include "common/base/hex.h"
#include "common/base/rng.h"

#include <string.h>

static struct lw_region load(const char *id)
{
	struct lw_region region;
	assert_true(region_load(&region, id));
	return region;
}

static struct lw_channel_mask mask_of(const char *text)
{
	struct lw_channel_mask mask;
	assert_true(lw_mask_parse(text, &mask));
	return mask;
}

static const struct {
	const char *name;
	const char *text;
	unsigned count; /* 0: refused */
} texts[] = {
	{"the usual second sub-band", "8-15,65", 9},
	{"one channel", "0", 1},
	{"the last channel", "95", 1},
	{"past the last", "96", 0},
	{"backwards", "15-8", 0},
	{"nothing", "", 0},
	{"a comma at the end", "1,", 0},
	{"a word", "all", 0},
	{"a blank", "1, 2", 0},
	{"a long number", "4294967296", 0},
	{"overlapping", "1-5,3-7", 7},
};

static void masks_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct lw_channel_mask mask = {{0}};
		t_row(texts[i].name);
		t_int("parses", texts[i].count > 0, lw_mask_parse(texts[i].text, &mask));
		t_uint("count", texts[i].count, lw_mask_count(&mask));
	}
}

/* From `device` (NULL: not known) to `wanted`. */
static const struct {
	const char *name;
	const char *region;
	const char *device;
	const char *wanted;
	struct lw_mask_command commands[4];
	size_t count;
} ways[] = {
	{"us915 to one sub-band: 7 with the 500 kHz mask, then the bank",
	 "us915",
	 "0-71",
	 "8-15,65",
	 {{7, 0x0002}, {0, 0xff00}},
	 2},
	{"us915 unknown to one sub-band", "us915", NULL, "8-15,65", {{7, 0x0002}, {0, 0xff00}}, 2},
	{"us915 nothing to change: one bank is said again", "us915", "8-15,65", "8-15,65", {{0, 0xff00}}, 1},
	{"us915 one channel fewer", "us915", "8-15,65", "8-14,65", {{0, 0x7f00}}, 1},
	{"us915 back to all", "us915", "8-15,65", "0-71", {{6, 0x00ff}}, 1},
	{"us915 all 125 kHz, no 500 kHz", "us915", NULL, "0-63", {{6, 0x0000}}, 1},
	{"us915 another sub-band is stated absolutely",
	 "us915",
	 "0-7,64",
	 "8-15,65",
	 {{7, 0x0002}, {0, 0xff00}},
	 2},
	{"us915 two sub-bands of one bank", "us915", NULL, "0-15,64-65", {{7, 0x0003}, {0, 0xffff}}, 2},
	{"us915 500 kHz alone", "us915", NULL, "64-71", {{7, 0x00ff}}, 1},
	{"au915 as us915", "au915", "0-71", "8-15,65", {{7, 0x0002}, {0, 0xff00}}, 2},
	{"eu868 always states the one bank", "eu868", "0-2", "0-2", {{0, 0x0007}}, 1},
	{"eu868 undefined channels are left off", "eu868", "0-2", "0-7", {{0, 0x0007}}, 1},
	{"cn470 all on", "cn470-rp001", "0-15", "0-95", {{6, 0x0000}}, 1},
	{"cn470 one bank", "cn470-rp001", "0-15", "80-95", {{0, 0}, {5, 0xffff}}, 2},
	{"cn470-20a one bank after all off", "cn470-20a", NULL, "0-7", {{7, 0}, {0, 0x00ff}}, 2},
	{"cn470-26a all on has another number", "cn470-26a", NULL, "0-47", {{3, 0}}, 1},
};

static void masks_are_said_shortly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		t_row(ways[i].name);
		struct lw_region region = load(ways[i].region);
		struct lw_channel_plan device, wanted;
		lw_plan_init(&device, &region);
		if (ways[i].device)
			device.enabled = mask_of(ways[i].device);
		wanted = device;
		wanted.enabled = mask_of(ways[i].wanted);
		struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
		size_t count = lw_plan_mask_commands(ways[i].device ? &device : NULL, &wanted, &region,
						     commands);
		t_uint("count", ways[i].count, count);
		for (size_t j = 0; j < count && j < ways[i].count; j++) {
			t_uint("cntl", ways[i].commands[j].cntl, commands[j].cntl);
			t_uint("mask", ways[i].commands[j].mask, commands[j].mask);
		}
	}
}

static void every_way_arrives(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(3);
	for (size_t r = 0; r < region_source_count; r++) {
		struct lw_region region = load(region_sources[r].id);
		t_row(region.id);
		for (int round = 0; round < 200; round++) {
			struct lw_channel_plan device, wanted;
			lw_plan_init(&device, &region);
			wanted = device;
			for (uint8_t i = 0; i < region.uplink_channel_count; i++) {
				lw_mask_set(&device.enabled, i, rng_below(&rng, 3) > 0);
				lw_mask_set(&wanted.enabled, i, rng_below(&rng, 4) > 0);
			}
			lw_mask_set(&wanted.enabled, 0, true);
			bool known = round % 2;
			struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
			size_t count = lw_plan_mask_commands(known ? &device : NULL, &wanted, &region,
							     commands);
			t_true("count", count >= 1 && count <= 6);
			for (size_t i = 0; i < count; i++)
				t_true("never ChMaskCntl of banks of 8",
				       region.mask_cntls[commands[i].cntl].action != LW_MASK_BANKS);
			t_int("verdict", LW_MASK_APPLIED,
			      lw_plan_apply_masks(&device, &region, commands, count));
			t_true("arrived", lw_mask_equal(&device.enabled, &wanted.enabled));
		}
	}
}

static const struct {
	const char *name;
	const char *region;
	struct lw_mask_command commands[2];
	size_t count;
	enum lw_mask_verdict verdict;
	const char *enabled; /* after */
} blocks[] = {
	{"a mask", "eu868", {{0, 0x0005}}, 1, LW_MASK_APPLIED, "0,2"},
	{"an undefined channel", "eu868", {{0, 0x000f}}, 1, LW_MASK_UNDEFINED_CHANNEL, "0-2"},
	{"no channel left", "eu868", {{0, 0}}, 1, LW_MASK_NOTHING_ENABLED, "0-2"},
	{"all defined on, whatever the mask", "eu868", {{0, 1}, {6, 0}}, 2, LW_MASK_APPLIED, "0-2"},
	{"RFU", "eu868", {{1, 1}}, 1, LW_MASK_CNTL_RFU, "0-2"},
	{"the second is RFU: the first is not kept", "eu868", {{0, 1}, {5, 1}}, 2, LW_MASK_CNTL_RFU, "0-2"},
	{"masks accumulate", "us915", {{7, 0x0002}, {0, 0xff00}}, 2, LW_MASK_APPLIED, "8-15,65"},
	{"nothing between is no matter", "us915", {{7, 0}, {3, 1}}, 2, LW_MASK_APPLIED, "48"},
	{"banks of eight and their 500 kHz channel", "us915", {{5, 0x0002}}, 1, LW_MASK_APPLIED, "8-15,65"},
	{"RFU bits of banks", "us915", {{5, 0x0102}}, 1, LW_MASK_CNTL_RFU, "0-71"},
	{"bits past channel 71", "us915", {{4, 0x0100}}, 1, LW_MASK_CNTL_RFU, "0-71"},
	{"a ChMaskCntl past 7", "us915", {{8, 1}}, 1, LW_MASK_CNTL_RFU, "0-71"},
};

static void blocks_are_atoms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		t_row(blocks[i].name);
		struct lw_region region = load(blocks[i].region);
		struct lw_channel_plan plan;
		lw_plan_init(&plan, &region);
		t_int("verdict", blocks[i].verdict,
		      lw_plan_apply_masks(&plan, &region, blocks[i].commands, blocks[i].count));
		struct lw_channel_mask expected = mask_of(blocks[i].enabled);
		t_true("enabled", lw_mask_equal(&expected, &plan.enabled));
	}
}

static void cflist_of_a_dynamic_plan(void **state)
{
	(void)state;
	struct lw_region region = load("eu868");
	struct lw_channel_plan wanted, device;
	uint8_t cflist[LW_CFLIST_SIZE], expected[LW_CFLIST_SIZE];
	lw_plan_init(&wanted, &region);
	t_false("nothing to say", lw_cflist_build(&wanted, &region, cflist));
	for (uint8_t i = 0; i < 5; i++) {
		struct lw_new_channel channel = {(uint8_t)(3 + i), 867100000 + 200000U * i, 0, 5};
		t_uint("added", 3, lw_plan_apply_new_channel(&wanted, &region, &channel));
	}
	/* The five channels that every European network adds: 867.1 to 867.9 MHz. */
	assert_true(hex_decode_exact(expected, sizeof expected, "184f84e85684b85e84886684586e8400"));
	t_true("built", lw_cflist_build(&wanted, &region, cflist));
	t_bytes("cflist", expected, sizeof expected, cflist, sizeof cflist);
	lw_plan_init(&device, &region);
	t_true("applied", lw_cflist_apply(&device, &region, cflist));
	t_true("the device has what was wanted", memcmp(&device, &wanted, sizeof device) == 0);
	struct lw_new_channel channels[16];
	t_uint("no NewChannelReq is left", 0, lw_plan_new_channels(&device, &wanted, &region, channels, 16));

	t_uint("RX1 moved", 3, lw_plan_apply_dl_channel(&device, &region, 3, 869525000));
	t_true("applied anew", lw_cflist_apply(&device, &region, cflist));
	t_true("a channel of a CFList has the region's RX1", memcmp(&device, &wanted, sizeof device) == 0);

	cflist[15] = 1;
	t_false("another type", lw_cflist_apply(&device, &region, cflist));
	cflist[15] = 0;
	cflist[2] = 0x10;
	lw_plan_init(&device, &region);
	struct lw_channel_plan before = device;
	t_false("a frequency that is not legal", lw_cflist_apply(&device, &region, cflist));
	t_true("untouched", memcmp(&device, &before, sizeof device) == 0);

	/* A channel with other rates is left to NewChannelReq. */
	struct lw_new_channel fast = {3, 867100000, 6, 6};
	t_uint("changed", 3, lw_plan_apply_new_channel(&wanted, &region, &fast));
	t_true("built", lw_cflist_build(&wanted, &region, cflist));
	t_bytes("slot left out", (const uint8_t[]){0, 0, 0}, 3, cflist, 3);
	lw_plan_init(&device, &region);
	t_true("applied", lw_cflist_apply(&device, &region, cflist));
	t_uint("one left", 1, lw_plan_new_channels(&device, &wanted, &region, channels, 16));
	t_uint("index", 3, channels[0].index);
	t_uint("min", 6, channels[0].min_dr);
}

static void cflist_of_a_fixed_plan(void **state)
{
	(void)state;
	struct lw_region region = load("us915");
	struct lw_channel_plan wanted, device;
	uint8_t cflist[LW_CFLIST_SIZE], expected[LW_CFLIST_SIZE];
	lw_plan_init(&wanted, &region);
	t_false("all channels need no list", lw_cflist_build(&wanted, &region, cflist));
	struct lw_channel_mask mask = mask_of("8-15,65");
	t_true("limit", lw_plan_limit(&wanted, &region, &mask));
	assert_true(hex_decode_exact(expected, sizeof expected, "00ff0000000000000200000000000001"));
	t_true("built", lw_cflist_build(&wanted, &region, cflist));
	t_bytes("cflist", expected, sizeof expected, cflist, sizeof cflist);
	lw_plan_init(&device, &region);
	t_true("applied", lw_cflist_apply(&device, &region, cflist));
	t_true("same", lw_mask_equal(&device.enabled, &wanted.enabled));
	mask = mask_of("72");
	t_false("a channel that is not there", lw_plan_limit(&wanted, &region, &mask));
	t_true("DR0 is usable", lw_plan_dr_usable(&wanted, &region, 0));
	t_true("DR4 by channel 65", lw_plan_dr_usable(&wanted, &region, 4));
	mask = mask_of("8-15");
	t_true("without it", lw_plan_limit(&wanted, &region, &mask));
	t_false("DR4 is not", lw_plan_dr_usable(&wanted, &region, 4));
	t_int("channel", 9, lw_plan_find_channel(&wanted, &region, 904100000, 2, 0));
	t_int("not with a 500 kHz rate", -1, lw_plan_find_channel(&wanted, &region, 904100000, 4, 0));
	uint32_t rx1_hz = 0;
	t_true("RX1", lw_plan_rx1_freq(&wanted, &region, 65, &rx1_hz));
	t_uint("modulo 8", 923900000, rx1_hz);
	struct lw_new_channel channel = {10, 904000000, 0, 3};
	t_uint("NewChannelReq is not known", 0, lw_plan_apply_new_channel(&wanted, &region, &channel));
	t_uint("DlChannelReq neither", 0, lw_plan_apply_dl_channel(&wanted, &region, 10, 923300000));
}

static const struct {
	const char *name;
	struct lw_new_channel channel;
	uint8_t answer;
} new_channels[] = {
	{"a legal one", {3, 867100000, 0, 5}, 3},
	{"a default one", {0, 867100000, 0, 5}, 0},
	{"past the table", {16, 867100000, 0, 5}, 0},
	{"outside the band", {3, 915000000, 0, 5}, 2},
	{"rates backwards", {3, 867100000, 5, 0}, 1},
	{"a rate that is not defined", {3, 867100000, 0, 12}, 1},
	{"removed", {3, 0, 0, 0}, 3},
};

static void new_and_downlink_channels(void **state)
{
	(void)state;
	struct lw_region region = load("eu868");
	for (size_t i = 0; i < ARRAY_SIZE(new_channels); i++) {
		t_row(new_channels[i].name);
		struct lw_channel_plan plan, before;
		lw_plan_init(&plan, &region);
		before = plan;
		t_uint("answer", new_channels[i].answer,
		       lw_plan_apply_new_channel(&plan, &region, &new_channels[i].channel));
		if (new_channels[i].answer != 3)
			t_true("untouched", memcmp(&plan, &before, sizeof plan) == 0);
	}
	t_row("DlChannelReq");
	struct lw_channel_plan plan;
	struct lw_channel channel;
	uint32_t rx1_hz = 0;
	lw_plan_init(&plan, &region);
	t_uint("a channel that is not there", LW_DL_CHANNEL_FREQ_OK,
	       lw_plan_apply_dl_channel(&plan, &region, 3, 867100000));
	t_uint("a frequency that is not legal", LW_DL_CHANNEL_EXISTS,
	       lw_plan_apply_dl_channel(&plan, &region, 0, 915000000));
	t_uint("both", 3, lw_plan_apply_dl_channel(&plan, &region, 0, 869525000));
	t_true("RX1", lw_plan_rx1_freq(&plan, &region, 0, &rx1_hz));
	t_uint("moved", 869525000, rx1_hz);
	t_true("the other channel", lw_plan_rx1_freq(&plan, &region, 1, &rx1_hz));
	t_uint("not", 868300000, rx1_hz);
	/* Two channels on one frequency: both are found. */
	struct lw_new_channel twin = {5, 868300000, 0, 5};
	t_uint("twin", 3, lw_plan_apply_new_channel(&plan, &region, &twin));
	t_int("first", 1, lw_plan_find_channel(&plan, &region, 868300400, 0, 0));
	t_int("second", 5, lw_plan_find_channel(&plan, &region, 868300400, 0, 2));
	t_int("no third", -1, lw_plan_find_channel(&plan, &region, 868300400, 0, 6));
	t_int("a rate out of range", -1, lw_plan_find_channel(&plan, &region, 868300000, 6, 0));
	t_true("defined", lw_plan_channel(&plan, &region, 5, &channel));
	t_uint("bandwidth", 125000, channel.bandwidth_hz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(masks_are_parsed),          t_test(masks_are_said_shortly),
		t_test(every_way_arrives),         t_test(blocks_are_atoms),
		t_test(cflist_of_a_dynamic_plan),  t_test(cflist_of_a_fixed_plan),
		t_test(new_and_downlink_channels),
	};
	return t_run(tests);
}
