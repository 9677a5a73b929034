#include "tests/harness/harness.h"

#include "common/text/region_yaml.h"
#include "network-server/extra_channels.h"

#include <stdio.h>
#include <stdlib.h>

static void table_of_regions(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region, *value; /* NULL: not named */
		uint8_t count;
		uint32_t first_hz;
		const char *problem; /* NULL: good */
	} rows[] = {
		{"the usual of eu868", "eu868", NULL, 5, 867100000, NULL},
		{"none", "eu868", "", 0, 0, NULL},
		{"others, by blanks and commas", "eu868", " 867.1, 866.9625 869", 3, 867100000, NULL},
		{"one with its downlinks elsewhere", "eu868", "867.1/869.1 867.3", 2, 867100000, NULL},
		{"downlinks where the region has none", "eu868", "867.1/915.1", 0, 0,
		 "extra_channels.eu868: a downlink frequency that the region does not have"},
		{"two strokes", "eu868", "867.1/869.1/869.3", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
		{"a stroke and nothing", "eu868", "867.1/ 867.3", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
		{"a region without a usual", "us915", NULL, 0, 0, NULL},
		{"a region of fixed channels", "us915", "902.3", 0, 0,
		 "extra_channels.us915: the region's channels are fixed"},
		{"six", "eu868", "867.1 867.3 867.5 867.7 867.9 868.9", 0, 0,
		 "extra_channels.eu868: at most five frequencies"},
		{"no frequency of the region", "eu868", "915.1", 0, 0,
		 "extra_channels.eu868: a frequency that the region does not have"},
		{"in Hz", "eu868", "867100000", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
		{"between two sub-bands", "eu868", "867.1 868.65", 0, 0,
		 "extra_channels.eu868: a frequency between the region's sub-bands"},
		{"downlinks between two sub-bands", "eu868", "867.1/869.3", 0, 0,
		 "extra_channels.eu868: a frequency between the region's sub-bands"},
		{"between two sub-bands of another region", "ru864", "865.5", 0, 0,
		 "extra_channels.ru864: a frequency between the region's sub-bands"},
		{"beside the only sub-band", "as923-1", "924.5", 1, 924500000, NULL},
		{"a channel of the region's own", "eu868", "868.3", 0, 0,
		 "extra_channels.eu868: a frequency that another channel has"},
		{"one twice", "in865", "866.185 866.185", 0, 0,
		 "extra_channels.in865: a frequency that another channel has"},
		{"off the grid", "kr920", "922.8", 0, 0,
		 "extra_channels.kr920: a frequency that the region does not have"},
		{"words", "eu868", "867.1MHz", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
		{"two points", "eu868", "867.1.3", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
		{"finer than a hertz", "eu868", "867.1000001", 0, 0,
		 "extra_channels.eu868: expected frequencies in MHz with blanks between"},
	};
	struct lw_region *region = calloc(1, sizeof *region);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		assert_true(region_load(region, rows[i].region));
		static struct option_map table;
		table = (struct option_map){.count = rows[i].value ? 1 : 0};
		snprintf(table.entries[0].label, sizeof table.entries[0].label, "%s", rows[i].region);
		snprintf(table.entries[0].value, sizeof table.entries[0].value, "%s",
			 rows[i].value ? rows[i].value : "");
		struct ns_extra_channels extra;
		char problem[160] = "";
		bool good = ns_extra_channels_init(&extra, &table, region, problem, sizeof problem);
		t_str("problem", rows[i].problem ? rows[i].problem : "", problem);
		if (!good)
			continue;
		t_uint("count", rows[i].count, extra.count);
		t_uint("first", rows[i].first_hz, extra.freq_hz[0]);
		struct lw_channel_plan plan;
		lw_plan_init(&plan, region);
		unsigned before = lw_mask_count(&plan.enabled);
		ns_extra_channels_add(&extra, region, &plan);
		if (rows[i].value && strchr(rows[i].value, '/'))
			t_uint("RX1 of the first", 869100000, plan.rx1_freq_hz[3]);
		t_uint("enabled", before + rows[i].count, lw_mask_count(&plan.enabled));
	}
	free(region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(table_of_regions)};
	return t_run(tests);
}
