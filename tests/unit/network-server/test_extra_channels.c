/* Channel plans of the network on top of its regions: what is taken, and with which word and reason the rest is refused. */
#include "tests/harness/harness.h"

#include "common/text/config.h"
#include "common/proto/gateway_messages.h"
#include "common/text/region_yaml.h"
#include "network-server/config.h"
#include "network-server/extra_channels.h"

#include "common/lorawan/gateway_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPELLING                                                                                           \
	"expected frequencies in MHz with blanks between, as in 867.1, 867.3/869.1 (downlinks elsewhere) " \
	"or 868.8@0-6 (data rates)"
#define NOT_HERE "a frequency that the region does not have"
#define GAP      "reaches out of the region's sub-bands, where nobody may send"
#define DOWN_GAP "downlinks reach out of the region's sub-bands, where nobody may send"
#define NO_RATE  "a data rate that the region's uplinks do not have"
#define SAME     "a frequency that another channel has at the same data rate"
#define OVERLAP  "overlaps another channel"
#define MANY     "more channels than devices of the region keep"

static const struct {
	const char *name, *region, *value; /* NULL: not named */
	uint8_t count;
	const char *problem; /* "word: reason"; NULL: good */
} rows[] = {
	{"the usual of eu868", "eu868", NULL, 5, NULL},
	{"none", "eu868", "", 0, NULL},
	{"others, by blanks and commas", "eu868", " 867.1, 866.9625 869", 3, NULL},
	{"one with its downlinks elsewhere", "eu868", "867.1/869.1 867.3", 2, NULL},
	{"one with all of a channel's parts", "eu868", "867.1/869.0@0-6", 1, NULL},
	{"one rate alone", "eu868", "867.1@7", 1, NULL},
	{"SF7 at 250 kHz beside the usual rates of a channel", "eu868", "868.3@6", 1, NULL},
	{"LR-FHSS", "eu868", "867.1@8-11", 1, NULL},
	{"as many as devices keep beside three", "eu868",
	 "863.1 863.3 863.5 863.7 863.9 864.1 864.3 864.5 864.7 865.1 865.3 865.5 865.7", 13, NULL},
	{"as many as devices keep beside two", "as923-1",
	 "922.0 922.2 922.4 922.6 922.8 923.0 923.6 923.8 924.0 924.2 924.4 924.6 924.8 925.0", 14, NULL},
	{"ru864", "ru864", "864.1 864.3 864.5 864.7 864.9", 5, NULL},
	{"at 2.4 GHz", "ism2400", "2405.0002", 1, NULL},
	{"a region without a usual", "us915", NULL, 0, NULL},
	{"beside the only sub-band", "as923-1", "924.5", 1, NULL},
	{"on the border of two bands that touch", "eu868", "865", 1, NULL},
	{"downlinks of 250 kHz with an edge between two sub-bands", "eu868", "867.1/869.1@0-6", 0,
	 "867.1/869.1@0-6: " DOWN_GAP},
	{"downlinks where the region has none", "eu868", "867.1/915.1", 0,
	 "867.1/915.1: a downlink frequency that the region does not have"},
	{"two strokes", "eu868", "867.1/869.1/869.3", 0, "867.1/869.1/869.3: " SPELLING},
	{"a stroke and nothing", "eu868", "867.1/ 867.3", 0, "867.1/: " SPELLING},
	{"an @ and nothing", "eu868", "867.3 867.1@", 0, "867.1@: " SPELLING},
	{"rates backwards", "eu868", "867.1@5-0", 0, "867.1@5-0: " SPELLING},
	{"a rate past the index", "eu868", "867.1@0-16", 0, "867.1@0-16: " SPELLING},
	{"rates before the downlinks", "eu868", "867.1@0-5/869.1", 0, "867.1@0-5/869.1: " SPELLING},
	{"words", "eu868", "867.1MHz", 0, "867.1MHz: " SPELLING},
	{"two points", "eu868", "867.1.3", 0, "867.1.3: " SPELLING},
	{"finer than a hertz", "eu868", "867.1000001", 0, "867.1000001: " SPELLING},
	{"in Hz", "eu868", "867100000", 0, "867100000: " SPELLING},
	{"finer than a step", "eu868", "867.10005", 0,
	 "867.10005: finer than the steps in which devices are told frequencies"},
	{"downlinks finer than a step", "eu868", "867.1/869.10005", 0,
	 "867.1/869.10005: finer than the steps in which devices are told frequencies"},
	{"finer than a step of 200 Hz", "ism2400", "2405.0001", 0,
	 "2405.0001: finer than the steps in which devices are told frequencies"},
	{"a region of fixed channels", "us915", "902.3", 0,
	 "902.3: the region's channels are fixed: channel_plans chooses among them"},
	{"one more than devices keep", "eu868",
	 "863.1 863.3 863.5 863.7 863.9 864.1 864.3 864.5 864.7 865.1 865.3 865.5 865.7 865.9", 0,
	 "865.9: " MANY},
	{"no frequency of the region", "eu868", "915.1", 0, "915.1: " NOT_HERE},
	{"off the grid", "kr920", "922.8", 0, "922.8: " NOT_HERE},
	{"between two sub-bands", "eu868", "867.1 868.65", 0, "868.65: " GAP},
	{"with an edge between two sub-bands", "eu868", "868.6", 0, "868.6: " GAP},
	{"wide, with an edge between two sub-bands", "eu868", "867.1@8-11 868.45@8-11", 0,
	 "868.45@8-11: " GAP},
	{"downlinks between two sub-bands", "eu868", "867.1/869.3", 0, "867.1/869.3: " DOWN_GAP},
	{"between two sub-bands of another region", "ru864", "865.5", 0, "865.5: " GAP},
	{"on the edge of the band", "eu868", "863", 0, "863: " GAP},
	{"the last of a list of centres", "kr920", "923.3", 1, NULL},
	{"between the sub-bands of a list of centres", "kr920", "922.1/922.0", 0,
	 "922.1/922.0: a downlink frequency that the region does not have"},
	{"above all sub-bands", "ru864", "869.5", 0, "869.5: " GAP},
	{"on the edge of a band of centres", "eu433", "434.665", 1, NULL},
	{"a rate that nobody has", "eu868", "867.1@0-12", 0, "867.1@0-12: " NO_RATE},
	{"a rate that is no uplink's in this region", "in865", "866.185@0-7", 0, "866.185@0-7: " NO_RATE},
	{"a channel of the region's own", "eu868", "868.3", 0, "868.3: " SAME},
	{"one twice", "in865", "866.185 866.185", 0, "866.185: " SAME},
	{"one twice at rates that meet", "eu868", "867.1@0-3 867.1@3-5", 0, "867.1@3-5: " SAME},
	{"one twice at other rates", "eu868", "867.1@0-3 867.1@4-5", 2, NULL},
	{"100 kHz beside one of the region's own", "eu868", "868.2", 0, "868.2: " OVERLAP},
	{"100 kHz beside another", "eu868", "867.1 867.2", 0, "867.2: " OVERLAP},
	{"125 kHz beside another", "eu868", "867.1 867.225", 2, NULL},
};

static void table_of_regions(void **state)
{
	(void)state;
	struct lw_region *region = calloc(1, sizeof *region);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		assert_true(region_load(region, rows[i].region));
		static struct option_map table;
		table = (struct option_map){.count = rows[i].value ? 1 : 0};
		snprintf(table.entries[0].label, sizeof table.entries[0].label, "%s", rows[i].region);
		snprintf(table.entries[0].value, sizeof table.entries[0].value, "%s",
			 rows[i].value ? rows[i].value : "");
		struct lw_extra_channels extra;
		char problem[256] = "", expected[256] = "";
		bool good = ns_extra_channels_init(&extra, &table, region, problem, sizeof problem);
		if (rows[i].problem)
			snprintf(expected, sizeof expected, "extra_channels.%s: %s", rows[i].region,
				 rows[i].problem);
		t_str("problem", expected, problem);
		if (!good)
			continue;
		t_uint("count", rows[i].count, extra.count);
		struct lw_channel_plan plan;
		lw_plan_init(&plan, region);
		unsigned before = lw_mask_count(&plan.enabled);
		lw_extra_channels_add(&extra, region, &plan);
		t_uint("enabled", before + rows[i].count, lw_mask_count(&plan.enabled));
		char text[GW_CHANNELS_MAX];
		struct lw_extra_channels again;
		const char *word;
		size_t length;
		ns_extra_channels_format(text, sizeof text, &extra);
		t_int("what is written is read", LW_EXTRA_TAKEN,
		      lw_extra_channels_read(&again, region, text, &word, &length));
		t_uint("as many", extra.count, again.count);
		for (size_t k = 0; k < extra.count; k++)
			t_bytes("as they were", (const uint8_t *)&extra.at[k], sizeof extra.at[k],
				(const uint8_t *)&again.at[k], sizeof again.at[k]);
	}
	free(region);
}

static void parts_of_a_channel(void **state)
{
	(void)state;
	struct lw_region region;
	struct lw_extra_channels extra;
	struct lw_channel channel;
	struct lw_channel_plan plan;
	const char *word;
	size_t length;
	uint32_t rx1_hz;
	assert_true(region_load(&region, "eu868"));
	t_int("taken", LW_EXTRA_TAKEN,
	      lw_extra_channels_read(&extra, &region, "867.1 867.3/869.0@0-6,868.3@6", &word, &length));
	lw_plan_init(&plan, &region);
	lw_extra_channels_add(&extra, &region, &plan);
	t_row("as the region has it");
	assert_true(lw_plan_channel(&plan, &region, 3, &channel));
	t_uint("frequency", 867100000, channel.freq_hz);
	t_uint("lowest rate", 0, channel.min_dr);
	t_uint("highest rate", 5, channel.max_dr);
	t_true("RX1", lw_plan_rx1_freq(&plan, &region, 3, &rx1_hz) && rx1_hz == 867100000);
	t_row("downlinks elsewhere, and a rate more");
	assert_true(lw_plan_channel(&plan, &region, 4, &channel));
	t_uint("highest rate", 6, channel.max_dr);
	t_true("RX1", lw_plan_rx1_freq(&plan, &region, 4, &rx1_hz) && rx1_hz == 869000000);
	t_row("a rate of its own on a frequency of the region's");
	t_int("by rate", 5, lw_plan_find_channel(&plan, &region, 868300000, 6, 0));
	t_int("and the region's own", 1, lw_plan_find_channel(&plan, &region, 868300000, 5, 0));
}

static const struct {
	const char *name, *region, *value;
	const char *channels; /* as a list; NULL: refused */
} plans[] = {
	{"channels", "us915", "8-15,65", "8-15,65"},
	{"a sub-band", "us915", "sub-band 2", "8-15,65"},
	{"some sub-bands", "us915", "sub-bands 1,3-4", "0-7,16-31,64,66-67"},
	{"all sub-bands", "au915", "sub-bands 1-8", "0-71"},
	{"no wide channel", "au915", "0-7", "0-7"},
	{"neighbours become a range", "us915", "3,1,2", "1-3"},
	{"a plan without wide channels", "cn470-20a", "sub-bands 1,8", "0-7,56-63"},
	{"twelve sub-bands", "cn470-rp001", "sub-band 12", "88-95"},
	{"a ninth of eight", "us915", "sub-band 9", NULL},
	{"a seventh of six", "cn470-26a", "sub-band 7", NULL},
	{"a thirteenth", "cn470-rp001", "sub-band 13", NULL},
	{"the noughth", "us915", "sub-band 0", NULL},
	{"far too many", "us915", "sub-bands 1-95", NULL},
	{"a channel that the region does not have", "us915", "0-72", NULL},
	{"no number", "us915", "sub-band two", NULL},
	{"another word", "us915", "sub-bandits 2", NULL},
	{"nothing", "us915", "", NULL},
	{"a region that the network adds to", "eu868", "0-2", NULL},
};

static void plans_of_fixed_channels(void **state)
{
	(void)state;
	struct lw_region *region = calloc(1, sizeof *region);
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		t_row(plans[i].name);
		assert_true(region_load(region, plans[i].region));
		struct lw_channel_mask channels = {.words = {7}};
		char text[64], problem[OPTION_EXPECT_MAX];
		bool good = lw_channels_parse(region, plans[i].value, &channels);
		t_int("taken", plans[i].channels != NULL, good);
		t_int("by the configuration's row as well", good,
		      ns_channel_plan_check(plans[i].region, plans[i].value, problem));
		if (good)
			t_str("channels", plans[i].channels,
			      lw_channels_format(text, sizeof text, &channels));
		else
			t_uint("untouched", 7, channels.words[0]);
	}
	t_row("a gateway whose record names no channels");
	struct lw_channel_mask network = {.words = {0xff}}, channels;
	char text[8];
	assert_true(region_load(region, "us915"));
	t_true("hears the usual ones", lw_gateway_mask(region, "", NULL, &channels));
	t_uint("eight and a wide one", 9, lw_mask_count(&channels));
	t_true("or those of the network", lw_gateway_mask(region, "", &network, &channels));
	t_str("that is", "0-7", lw_channels_format(text, sizeof text, &channels));
	t_true("but its record counts", lw_gateway_mask(region, "sub-band 8", &network, &channels));
	t_str("cut to what fits", "56-63,7", lw_channels_format(text, sizeof text, &channels));
	free(region);
}

/* With file, line, key and value. */
static void configuration(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *problem;
	} files[] = {
		{"both kinds",
		 "network-server:\n  regions: [eu868, us915]\n  extra_channels: {eu868: 867.1@0-6}\n"
		 "  channel_plans: {us915: sub-bands 2-3}\n",
		 ""},
		{"a frequency in a gap", "network-server:\n  extra_channels:\n    eu868: 867.1 868.65\n",
		 "f.yaml:3: network-server.extra_channels.eu868: 867.1 868.65: 868.65: " GAP},
		{"the other key", "network-server:\n  extra_channels:\n    us915: 8-15\n",
		 "f.yaml:3: network-server.extra_channels.us915: 8-15: 8-15: the region's channels are "
		 "fixed: "
		 "channel_plans chooses among them"},
		{"a dynamic region", "network-server:\n  channel_plans:\n    eu868: 0-2\n",
		 "f.yaml:3: network-server.channel_plans.eu868: 0-2: the network adds to the region's "
		 "channels: extra_channels names them"},
		{"a sub-band too many", "network-server:\n\n  channel_plans: {us915: sub-band 9}\n",
		 "f.yaml:3: network-server.channel_plans.us915: sub-band 9: expected channels that the "
		 "region "
		 "has, as in 8-15,65, or sub-bands, as in sub-bands 1-2"},
		{"no region", "network-server:\n  extra_channels: {eu999: 867.1}\n",
		 "f.yaml:2: network-server.extra_channels.eu999: 867.1: there is no region eu999"},
	};
	static struct ns_options options;
	const struct config_program program = {"network-server",    "Tested.", ns_option_rows,
					       ns_option_row_count, &options,  sizeof options};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char error[CONFIG_ERROR_MAX] = "";
		t_row(files[i].name);
		struct config_common common = {0};
		(void)config_read_text(&program, &common, "f.yaml", files[i].text, strlen(files[i].text),
				       error);
		t_str("problem", files[i].problem, error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(table_of_regions), t_test(parts_of_a_channel),
					   t_test(plans_of_fixed_channels), t_test(configuration)};
	return t_run(tests);
}
