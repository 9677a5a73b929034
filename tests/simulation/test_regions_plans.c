/* Channel plans on top of a region, on the air: as many channels as devices keep, each with data rates and downlinks of its
 * own; each sub-band of the plans with fixed channels, with the fewest LinkADRReq; FSK; and the share of an hour that a
 * sub-band allows. Judged against the region's file (tests/harness/region_rig.h). */
#include "tests/harness/harness.h"
#include "tests/harness/region_rig.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE 60 /* exchanges until a wish has to be met */

static struct t_region world;

/* --- what the network adds --- */

/* The n-th word of a text as a channel; false past the end. Read here, not by the server's code. */
static bool word_at(const char *text, size_t n, struct sim_channel *channel)
{
	for (; n > 0; n--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	if (!*text)
		return false;
	char *at;
	*channel = (struct sim_channel){.max_dr = 5, .enabled = true};
	channel->freq_hz = (uint32_t)(strtod(text, &at) * 1e6 + 0.5);
	if (*at == '/')
		channel->down_freq_hz = (uint32_t)(strtod(at + 1, &at) * 1e6 + 0.5);
	if (*at == '@')
		channel->min_dr = channel->max_dr = (uint8_t)strtol(at + 1, &at, 10);
	if (*at == '-')
		channel->max_dr = (uint8_t)strtol(at + 1, &at, 10);
	return true;
}

static bool has_channels(const char *text)
{
	const struct sim_plan *plan = world.device.config.plan;
	struct sim_channel wanted;
	for (size_t i = 0; i + plan->default_channels < plan->channels; i++) {
		const struct sim_channel *got = &world.device.channels[plan->default_channels + i];
		if (!word_at(text, i, &wanted))
			wanted = (struct sim_channel){0};
		if (got->freq_hz != wanted.freq_hz || got->down_freq_hz != wanted.down_freq_hz ||
		    got->enabled != wanted.enabled ||
		    (got->freq_hz && (got->min_dr != wanted.min_dr || got->max_dr != wanted.max_dr)))
			return false;
	}
	return true;
}

static void waits_for(const char *text)
{
	for (unsigned i = 0; i < PATIENCE && !has_channels(text); i++)
		t_region_exchange(&world);
	t_true("the device has the network's channels", has_channels(text));
}

static const struct {
	const char *name; /* and the region's id */
	const char *first, *then;
	uint8_t dr; /* that the device is moved to in the end */
} rows[] = {
	{"eu868", "867.1 867.3 867.5 867.7 867.9 865.1 865.3 865.5 865.7 865.9 866.1 866.3 866.5",
	 "867.1/869.0@0-6 867.3@0-3 868.3@6 865.1@0-5 865.3/865.7@2-4", 6},
	{"eu868", "868.8@7", "868.8@7 867.1", 7},
	{"eu868", "", "867.1@0-6 867.5@0-6", 6},
	{"as923-1", "922.0 922.2 922.4 922.6 922.8 923.0 923.6 923.8 924.0 924.2 924.4 924.6 924.8 925.0",
	 "922.0/923.8@0-6 922.2@2-5", 6},
	{"as923-3", "917.0/917.4 917.2", "917.6@0-7", 7},
	{"in865", "865.2025 865.585 865.785 866.185 866.385/866.585@0-3", "", 5},
	{"kr920", "922.7 922.9 923.1 923.3", "922.7/923.1@1-4", 4},
	{"ru864", "864.1 864.3 864.5 864.7 864.9", "864.3@0-6 864.5/868.8 869.1@7", 6},
	{"eu433", "433.775 433.975 434.175 434.375 434.575", "433.775/434.375@0-6", 6},
};

/* Every channel that carries the rate is used, no other one. */
static void uses_them_all(uint8_t dr)
{
	bool used[SIM_CHANNELS_MAX] = {false};
	for (unsigned i = 0; i < 20 * SIM_CHANNELS_MAX / 8; i++) {
		t_region_exchange(&world);
		used[world.device.tx_channel] = true;
		t_true("an answer", world.heard[0] || world.heard[1]);
	}
	for (size_t i = 0; i < world.device.config.plan->channels; i++) {
		const struct sim_channel *channel = &world.device.channels[i];
		t_int("used",
		      channel->freq_hz && channel->enabled && dr >= channel->min_dr && dr <= channel->max_dr,
		      used[i]);
	}
}

static void moves_to(uint8_t dr)
{
	world.profile.adr_algorithm = NET_ADR_FIXED;
	world.profile.adr_fixed_dr = dr;
	t_region_profile(&world);
	for (unsigned i = 0; i < PATIENCE && world.device.dr != dr; i++)
		t_region_exchange(&world);
	t_uint("data rate", dr, world.device.dr);
}

static void channels_with_all_their_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_region_open(&world, rows[i].name, "", rows[i].first, 0);
		if (t_region_join(&world)) {
			waits_for(rows[i].first);
			moves_to(5);
			uses_them_all(5);
			t_region_extra(&world, rows[i].then);
			waits_for(rows[i].then);
			moves_to(rows[i].dr);
			uses_them_all(rows[i].dr);
			t_true("they stay", has_channels(rows[i].then));
		}
		t_region_close(&world);
	}
}

/* --- what the network chooses of --- */

static bool may_use(unsigned first, unsigned last, unsigned wide)
{
	for (unsigned i = 0; i < 72; i++)
		if (world.device.channels[i].enabled != ((i >= first && i <= last) || i == wide))
			return false;
	return true;
}

static void moves_to_sub_band(unsigned sub_band, unsigned most)
{
	world.link_adrs = 0;
	for (unsigned i = 0; i < PATIENCE && !may_use(8 * sub_band - 8, 8 * sub_band - 1, 63 + sub_band); i++)
		t_region_exchange(&world);
	t_true("its channels and no others", may_use(8 * sub_band - 8, 8 * sub_band - 1, 63 + sub_band));
	t_uint("LinkADRReq", most, world.link_adrs);
	for (unsigned i = 0; i < 12; i++) {
		t_region_exchange(&world);
		t_true("an answer", world.heard[0] || world.heard[1]);
	}
}

/* By the gateway's record, by the configuration, and as the CFList of a join. */
static void each_sub_band(void **state)
{
	(void)state;
	static const char *const ids[] = {"us915", "au915"};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		for (unsigned sub_band = 1; sub_band <= 8; sub_band++) {
			char name[32];
			unsigned other = sub_band % 8 + 1;
			t_row(ids[i]);
			snprintf(name, sizeof name, "sub-band %u", sub_band);
			t_region_open(&world, ids[i], name, "", 0);
			if (t_region_join(&world)) {
				t_true("the join-accept's mask",
				       may_use(8 * sub_band - 8, 8 * sub_band - 1, 63 + sub_band));
				moves_to_sub_band(sub_band, world.link_adrs);
				snprintf(name, sizeof name, "sub-band %u", other);
				t_region_gateway(&world, name);
				moves_to_sub_band(other, 2);
				t_region_gateway(&world, "");
				t_region_plan(&world, "sub-bands 1-8");
				for (unsigned k = 0; k < PATIENCE && !may_use(0, 71, 71); k++)
					t_region_exchange(&world);
				t_true("all channels", may_use(0, 71, 71));
				t_uint("one LinkADRReq", 1, world.link_adrs);
				snprintf(name, sizeof name, "sub-band %u", sub_band);
				t_region_plan(&world, name);
				moves_to_sub_band(sub_band, 2);
			}
			t_region_close(&world);
		}
}

/* --- shares of an hour --- */

/* A device that knows no duty cycle keeps the gateway answering: the sub-band of RX1 is used as far as it allows, then that
 * of RX2, then nothing; t_region_exchange() holds every downlink against its hour. */
static void sub_bands_are_not_overdrawn(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t dr;
		uint32_t freqs_hz[2]; /* of sub-bands that get full; 0: none */
		long permille[2];
	} limited[] = {
		{"eu868", 0, {868100000, 869525000}, {10, 100}},
		{"as923-1", 2, {923200000, 0}, {10, 0}},
		{"ru864", 0, {869100000, 0}, {10, 0}},
		{"eu433", 0, {433175000, 0}, {100, 0}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(limited); i++) {
		t_row(limited[i].name);
		t_region_open(&world, limited[i].name, "", "", 0);
		for (size_t k = 0; k < SIM_BANDS_MAX; k++)
			world.plan.bands[k].duty_permille = 1000;
		world.device.config.interval_us = 4 * US_PER_S;
		world.device.config.dr = world.device.dr = limited[i].dr;
		world.profile.adr = false;
		t_region_profile(&world);
		int64_t most[2] = {0};
		unsigned unanswered = 0;
		if (t_region_join(&world))
			for (unsigned n = 0; n < 700; n++) {
				t_region_exchange(&world);
				unanswered += !world.heard[0] && !world.heard[1];
				for (size_t k = 0; k < 2; k++) {
					int64_t used = limited[i].freqs_hz[k] == 0
							       ? 0
							       : t_region_airtime(&world,
										  limited[i].freqs_hz[k],
										  world.rig.now.mono.us);
					most[k] = used > most[k] ? used : most[k];
				}
			}
		t_true("some go without an answer", unanswered > 0);
		for (size_t k = 0; k < 2; k++)
			t_true("most of the hour's share is used",
			       most[k] * 10 >= limited[i].permille[k] * 3600 * 1000 * 8);
		t_region_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(channels_with_all_their_parts), t_test(each_sub_band),
					   t_test(sub_bands_are_not_overdrawn)};
	return t_run(tests);
}
