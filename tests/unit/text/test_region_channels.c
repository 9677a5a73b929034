/* What the channels of every region become on the air - ChMaskCntl, CFList, NewChannelReq and DlChannelReq - judged by a
 * device that is written here from the region's file alone (tests/harness/region_sheet.h). */
#include "common/base/rng.h"
#include "common/lorawan/channel_plan.h"
#include "common/text/region_yaml.h"
#include "tests/harness/harness.h"
#include "tests/harness/region_sheet.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS 96

static const char *const ids[] = {"as923-1",   "as923-2",   "as923-3",   "as923-4",     "au915", "cn470-20a",
				  "cn470-20b", "cn470-26a", "cn470-26b", "cn470-rp001", "cn779", "eu433",
				  "eu868",     "in865",     "ism2400",   "kr920",       "ru864", "us915"};

/* A device's channels: where they are (0: none) and which it may use. */
struct device {
	long freq_hz[CHANNELS];
	long down_hz[CHANNELS];
	long min_dr[CHANNELS], max_dr[CHANNELS];
	bool on[CHANNELS];
};

static struct t_sheet sheet;
static struct lw_region region;
static struct rng rng;

static long cell(const char *row, const char *key)
{
	long value = 0;
	bool there = row && t_sheet_cell(row, key, &value);
	t_true(key, there);
	return value;
}

static long value(const char *section, const char *key)
{
	long number = 0;
	t_true(key, t_sheet_value(&sheet, section, key, &number));
	return number;
}

static bool next(size_t i)
{
	if (i == ARRAY_SIZE(ids))
		return false;
	t_row(ids[i]);
	t_sheet_open(&sheet, ids[i]);
	assert_true(region_load(&region, ids[i]));
	rng = rng_seeded(7 + i);
	return true;
}

static bool dynamic(void)
{
	return t_sheet_value_is(&sheet, "", "plan_type", "dynamic");
}

static void boot(struct device *device)
{
	const char *row;
	memset(device, 0, sizeof *device);
	for (size_t n = 0; (row = t_sheet_row_at(&sheet, "uplink_channels", n)) != NULL; n++) {
		long index = cell(row, "index");
		device->freq_hz[index] = cell(row, "frequency_hz");
		device->min_dr[index] = cell(row, "min_dr");
		device->max_dr[index] = cell(row, "max_dr");
		device->on[index] = true;
	}
}

static bool in_ranges(long freq_hz, const char *applies)
{
	const char *row;
	for (size_t i = 0; (row = t_sheet_row_at(&sheet, "frequency_ranges", i)) != NULL; i++) {
		long step = cell(row, "grid_step_hz");
		if ((t_sheet_has(row, applies) || t_sheet_has(row, "applies_to: \"uplink_downlink\"")) &&
		    freq_hz >= cell(row, "min_hz") && freq_hz <= cell(row, "max_hz") &&
		    (step == 0 || (freq_hz - cell(row, "grid_first_hz")) % step == 0))
			return true;
	}
	return false;
}

/* A frequency of the first range, on its grid. */
static long any_frequency(void)
{
	const char *row = t_sheet_row_at(&sheet, "frequency_ranges", 0);
	long grid = cell(row, "grid_step_hz"), low = cell(row, "min_hz");
	long step = grid > 0 ? grid : 100000, steps = (cell(row, "max_hz") - low) / step;
	return low + (long)rng_below(&rng, (uint32_t)steps + 1) * step;
}

static bool is_uplink_rate(long dr)
{
	char text[32];
	snprintf(text, sizeof text, "index: %ld", dr);
	const char *row = t_sheet_row(&sheet, "data_rates", (const char *const[]){text, NULL});
	return row && cell(row, "uplink");
}

static void compare(const struct device *device, const struct lw_channel_plan *plan)
{
	for (uint8_t i = 0; i < CHANNELS; i++) {
		struct lw_channel got = {0};
		bool has = lw_plan_channel(plan, &region, i, &got);
		t_int("defined", device->freq_hz[i] != 0, has);
		t_int("frequency", device->freq_hz[i], has ? got.freq_hz : 0);
		t_int("enabled", device->on[i], lw_mask_get(&plan->enabled, i));
		if (!has || device->freq_hz[i] == 0)
			continue;
		t_int("lowest rate", device->min_dr[i], got.min_dr);
		t_int("highest rate", device->max_dr[i], got.max_dr);
		uint32_t rx1_hz = 0;
		if (dynamic() && lw_plan_rx1_freq(plan, &region, i, &rx1_hz))
			t_int("RX1", device->down_hz[i] ? device->down_hz[i] : device->freq_hz[i], rx1_hz);
	}
}

/* --- masks --- */

/* One command on a copy of the channels that are on. False: the device refuses it. */
static bool mask_command(const struct device *device, bool on[CHANNELS], long cntl, unsigned mask)
{
	char text[32];
	snprintf(text, sizeof text, "value: %ld", cntl);
	const char *row = t_sheet_row(&sheet, "link_adr_ch_mask_cntl", (const char *const[]){text, NULL});
	if (!row || t_sheet_has(row, "action: \"rfu\""))
		return false;
	long first = cell(row, "first_channel"), count = cell(row, "channel_count");
	if (t_sheet_has(row, "action: \"mask16\"")) {
		for (long i = 0; i < 16; i++) {
			if (i >= count && mask >> i & 1)
				return false;
			if (i < count)
				on[first + i] = mask >> i & 1;
		}
	} else if (t_sheet_has(row, "action: \"all_defined_on\"")) {
		for (long i = 0; i < count; i++)
			on[i] = device->freq_hz[i] != 0;
	} else if (t_sheet_has(row, "action: \"all_on\"") || t_sheet_has(row, "action: \"all_off\"")) {
		for (long i = first; i < first + count; i++)
			on[i] = t_sheet_has(row, "action: \"all_on\"");
	} else {
		bool banks = t_sheet_has(row, "action: \"bank_mask\"");
		bool all = t_sheet_has(row, "action: \"all_125khz_on_mask_500khz\"");
		if (mask > 0xff)
			return false;
		for (long i = 0; i < 64; i++)
			on[i] = banks ? mask >> (i / 8) & 1 : all;
		for (long i = 0; i < 8; i++)
			on[64 + i] = mask >> i & 1;
	}
	return true;
}

/* A block is taken as a whole or not at all. */
static bool mask_block(struct device *device, const struct lw_mask_command *commands, size_t count)
{
	bool on[CHANNELS];
	unsigned enabled = 0;
	memcpy(on, device->on, sizeof on);
	for (size_t i = 0; i < count; i++)
		if (!mask_command(device, on, commands[i].cntl, commands[i].mask))
			return false;
	for (size_t i = 0; i < CHANNELS; i++) {
		if (on[i] && device->freq_hz[i] == 0)
			return false;
		enabled += on[i];
	}
	if (enabled == 0)
		return false;
	memcpy(device->on, on, sizeof on);
	return true;
}

/* Some channels beside the default ones, in the device and in the server's plan. */
static void add_channels(struct device *device, struct lw_channel_plan *plan)
{
	if (!dynamic())
		return;
	long first = value("cflist", "first_channel"), last = value("", "max_uplink_channels");
	for (long i = first; i < last; i += 2) {
		struct lw_new_channel channel = {.index = (uint8_t)i,
						 .freq_hz = (uint32_t)any_frequency(),
						 .min_dr = (uint8_t)value("cflist", "min_dr"),
						 .max_dr = (uint8_t)value("cflist", "max_dr")};
		device->freq_hz[i] = (long)channel.freq_hz;
		device->min_dr[i] = channel.min_dr;
		device->max_dr[i] = channel.max_dr;
		device->on[i] = true;
		t_uint("both bits", 3, lw_plan_apply_new_channel(plan, &region, &channel));
	}
}

static void any_mask_command(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		struct device device;
		struct lw_channel_plan plan;
		boot(&device);
		lw_plan_init(&plan, &region);
		add_channels(&device, &plan);
		unsigned taken = 0;
		for (unsigned n = 0; n < 2000; n++) {
			struct lw_mask_command command = {(uint8_t)rng_below(&rng, 8),
							  (uint16_t)rng_below(&rng, 0x10000)};
			if (n % 3 == 0)
				command.mask &= 0xff;
			bool expected = mask_block(&device, &command, 1);
			t_int("taken", expected,
			      lw_plan_apply_masks(&plan, &region, &command, 1) == LW_MASK_APPLIED);
			taken += expected;
			if (n % 50 == 0)
				compare(&device, &plan);
		}
		t_true("some are taken", taken > 50);
	}
}

/* What the server sends makes the device have the wanted channels, whether its own are known or not. */
static void wanted_masks(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		struct device device;
		struct lw_channel_plan plan, wanted;
		boot(&device);
		lw_plan_init(&plan, &region);
		add_channels(&device, &plan);
		for (unsigned n = 0; n < 400; n++) {
			bool on[CHANNELS] = {false};
			unsigned enabled = 0;
			wanted = plan;
			for (uint8_t k = 0; k < CHANNELS; k++) {
				on[k] = device.freq_hz[k] != 0 &&
					(n % 2 ? k / 8 % 8 == n % 8 || k == 64 + n % 8
					       : rng_below(&rng, 2) == 1);
				lw_mask_set(&wanted.enabled, k, on[k]);
				enabled += on[k];
			}
			if (enabled == 0)
				continue;
			struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
			size_t count = lw_plan_mask_commands(n % 3 ? &plan : NULL, &wanted, &region,
							     commands);
			t_true("the device takes them", mask_block(&device, commands, count));
			t_true("and has the wanted channels", memcmp(on, device.on, sizeof on) == 0);
			for (size_t k = 0; k < count; k++)
				t_true("ChMaskCntl 5 of 72 channels is not sent",
				       commands[k].cntl != 5 || region.uplink_channel_count != 72);
			plan = wanted;
		}
	}
}

/* --- CFList --- */

static bool take_cflist(struct device *device, const uint8_t cflist[LW_CFLIST_SIZE])
{
	if (cflist[15] != value("cflist", "type"))
		return false;
	if (cflist[15] == 1) {
		long bits = value("cflist", "mask_bits");
		for (long i = 0; i < 8 * 15; i++) {
			bool on = cflist[i / 8] >> (i % 8) & 1;
			if (i >= bits && on)
				return false;
			if (i < CHANNELS && device->freq_hz[i] != 0)
				device->on[i] = on;
			else if (on)
				return false;
		}
		return true;
	}
	for (long i = 0; i < 5; i++) {
		long freq_hz = (cflist[3 * i] | cflist[3 * i + 1] << 8 | (long)cflist[3 * i + 2] << 16) *
			       value("cflist", "frequency_step_hz");
		long index = value("cflist", "first_channel") + i;
		if (freq_hz == 0)
			continue;
		if (!in_ranges(freq_hz, "applies_to: \"uplink\""))
			return false;
		device->freq_hz[index] = freq_hz;
		device->min_dr[index] = value("cflist", "min_dr");
		device->max_dr[index] = value("cflist", "max_dr");
		device->on[index] = true;
	}
	return true;
}

static void cflists(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++)
		for (unsigned n = 0; n < 40; n++) {
			struct device device;
			struct lw_channel_plan wanted, follows;
			uint8_t cflist[LW_CFLIST_SIZE];
			boot(&device);
			lw_plan_init(&wanted, &region);
			lw_plan_init(&follows, &region);
			for (uint8_t k = 0; !dynamic() && k < region.uplink_channel_count; k++)
				lw_mask_set(&wanted.enabled, k,
					    k / 8u == n % (region.uplink_channel_count / 8u) ||
						    k == 64 + n % 8);
			for (unsigned k = 0; dynamic() && k < 1 + n % 5; k++) {
				struct lw_new_channel channel = {
					.index = (uint8_t)(value("cflist", "first_channel") + k),
					.freq_hz = (uint32_t)any_frequency(),
					.min_dr = (uint8_t)value("cflist", "min_dr"),
					.max_dr = (uint8_t)value("cflist", "max_dr")};
				t_uint("both bits", 3, lw_plan_apply_new_channel(&wanted, &region, &channel));
			}
			t_true("there is one", lw_cflist_build(&wanted, &region, cflist));
			t_true("the device takes it", take_cflist(&device, cflist));
			compare(&device, &wanted);
			t_true("the server follows", lw_cflist_apply(&follows, &region, cflist));
			compare(&device, &follows);
		}
}

/* --- NewChannelReq, DlChannelReq --- */

static unsigned new_channel(struct device *device, const struct lw_new_channel *channel)
{
	long first = value("cflist", "first_channel"), most = value("", "max_uplink_channels");
	if (!value("mac_commands", "new_channel_req") || channel->index < first || channel->index >= most)
		return 0;
	bool removes = channel->freq_hz == 0, rates = channel->min_dr <= channel->max_dr;
	for (long dr = channel->min_dr; dr <= channel->max_dr; dr++)
		rates = rates && is_uplink_rate(dr);
	unsigned answer = (removes || in_ranges(channel->freq_hz, "applies_to: \"uplink\"") ? 1u : 0u) |
			  (removes || rates ? 2u : 0u);
	if (answer != 3)
		return answer;
	device->freq_hz[channel->index] = channel->freq_hz;
	device->down_hz[channel->index] = 0;
	device->min_dr[channel->index] = channel->min_dr;
	device->max_dr[channel->index] = channel->max_dr;
	device->on[channel->index] = !removes;
	return 3;
}

static unsigned dl_channel(struct device *device, unsigned index, long freq_hz)
{
	if (!value("mac_commands", "dl_channel_req"))
		return 0;
	unsigned answer = (in_ranges(freq_hz, "applies_to: \"downlink\"") ? 1u : 0u) |
			  (index < CHANNELS && device->freq_hz[index] != 0 ? 2u : 0u);
	if (answer == 3)
		device->down_hz[index] = freq_hz;
	return answer;
}

static void channels_are_added_and_moved(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		struct device device;
		struct lw_channel_plan plan;
		unsigned added = 0, moved = 0;
		boot(&device);
		lw_plan_init(&plan, &region);
		for (unsigned n = 0; n < 600; n++) {
			long freq_hz = any_frequency();
			if (n % 7 == 0)
				freq_hz = 0;
			else if (n % 11 == 0)
				freq_hz += 25000000;
			struct lw_new_channel channel = {.index = (uint8_t)rng_below(&rng, 18),
							 .freq_hz = (uint32_t)freq_hz,
							 .min_dr = (uint8_t)rng_below(&rng, 8),
							 .max_dr = (uint8_t)rng_below(&rng, 16)};
			unsigned expected = new_channel(&device, &channel);
			t_uint("NewChannelAns", expected,
			       lw_plan_apply_new_channel(&plan, &region, &channel));
			added += expected == 3;
			unsigned index = rng_below(&rng, 17);
			freq_hz = any_frequency() + (n % 5 == 0 ? 25000000 : 0);
			expected = dl_channel(&device, index, freq_hz);
			t_uint("DlChannelAns", expected,
			       lw_plan_apply_dl_channel(&plan, &region, (uint8_t)index, (uint32_t)freq_hz));
			moved += expected == 3;
			if (n % 20 == 0)
				compare(&device, &plan);
		}
		t_int("some are added", value("mac_commands", "new_channel_req"), added > 20);
		t_int("some are moved", value("mac_commands", "dl_channel_req"), moved > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(any_mask_command), t_test(wanted_masks), t_test(cflists),
					   t_test(channels_are_added_and_moved)};
	return t_run(tests);
}
