/* Older regional parameters over the real sheets: each row of the table changes what it says, at the revisions that it names and at
 * no other, and docs/versions.md shows the rows. Values from RP001 and RP002 as the sheets' notes have them. */
#include "tests/harness/harness.h"

#include "common/lorawan/channel_plan.h"
#include "common/lorawan/revision.h"
#include "common/text/region_yaml.h"

#include <stdio.h>
#include <string.h>

static struct lw_region region;

static void load(const char *id, enum lw_regional_revision revision)
{
	assert_true(region_load(&region, id));
	lw_region_revise(&region, revision);
}

static void payloads(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum lw_regional_revision revision;
		uint8_t dr, m;
		bool dwell;
	} rows[] = {
		{"as923 DR2 before RP002-1.0.1", "as923-1", LW_RP002_1_0_0, 2, 59, false},
		{"as923 DR2 from it on", "as923-1", LW_RP002_1_0_1, 2, 123, false},
		{"as923 DR2 under a dwell limit is as it was", "as923-1", LW_RP002_1_0_0, 2, 19, true},
		{"us915 DR2 of LoRaWAN 1.0", "us915", LW_RP001_1_0, 2, 137, false},
		{"us915 DR2 of 1.0.1", "us915", LW_RP001_1_0_1, 2, 134, false},
		{"us915 DR2 after it", "us915", LW_RP001_1_0_2A, 2, 133, false},
		{"us915 DR5 before LR-FHSS", "us915", LW_RP002_1_0_1, 5, 0, false},
		{"us915 DR5 with it", "us915", LW_RP002_1_0_2, 5, 58, false},
		{"kr920 DR0 of 1.0.2A", "kr920", LW_RP001_1_0_2A, 0, 73, false},
		{"kr920 DR1 of 1.0.2A", "kr920", LW_RP001_1_0_2A, 1, 159, false},
		{"kr920 DR0 of 1.0.2B", "kr920", LW_RP001_1_0_2B, 0, 59, false},
		{"au915 DR0 of 1.0.2A is SF10", "au915", LW_RP001_1_0_2A, 0, 19, false},
		{"au915 DR0 of 1.0.2B is SF12", "au915", LW_RP001_1_0_2B, 0, 59, false},
		{"au915 of 1.1A knows no dwell limit", "au915", LW_RP001_1_1A, 2, 59, true},
		{"au915 of 1.1B does", "au915", LW_RP001_1_1B, 2, 19, true},
		{"au915 of 1.0.3A does", "au915", LW_RP001_1_0_3A, 2, 19, true},
		{"cn470 DR0 of RP002-1.0.0", "cn470-20a", LW_RP002_1_0_0, 0, 59, false},
		{"cn470 DR0 since has no room", "cn470-20a", LW_RP002_1_0_1, 0, 0, false},
		{"cn470 DR3 of RP002-1.0.1", "cn470-26b", LW_RP002_1_0_1, 3, 172, false},
		{"cn470 DR3 of RP002-1.0.2", "cn470-26b", LW_RP002_1_0_2, 3, 192, false},
		{"eu868 is what it was", "eu868", LW_RP001_1_0, 0, 59, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		load(rows[i].region, rows[i].revision);
		struct lw_max_payload got = lw_region_max_payload(&region, rows[i].dr, rows[i].dwell, false);
		t_uint("m", rows[i].m, got.m);
		t_uint("n", rows[i].m ? rows[i].m - 8 : 0, got.n);
	}
}

static void powers(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum lw_regional_revision revision;
		uint8_t highest; /* index */
		int16_t cdbm[3]; /* of indexes 0, 1 and the highest, of a device with the region's EIRP */
	} rows[] = {
		{"us915 of 1.0.2B ends at 10", "us915", LW_RP001_1_0_2B, 10, {3000, 2800, 1000}},
		{"us915 of 1.0.3A ends at 14", "us915", LW_RP001_1_0_3A, 14, {3000, 2800, 200}},
		{"au915 of 1.0.2B ends at 10", "au915", LW_RP001_1_0_2B, 10, {3000, 2800, 1000}},
		{"as923 of 1.0.2A ends at 5", "as923-1", LW_RP001_1_0_2A, 5, {1600, 1400, 600}},
		{"as923 of 1.0.2B ends at 7", "as923-1", LW_RP001_1_0_2B, 7, {1600, 1400, 200}},
		{"eu868 of 1.0.2A: 14 dBm ERP, then 2", "eu868", LW_RP001_1_0_2A, 5, {1615, 1615, 415}},
		{"kr920 of 1.0.2A: 14 dBm, then 0", "kr920", LW_RP001_1_0_2A, 6, {1400, 1400, 0}},
		{"eu433 of 1.0.2A: steps of 3 dB", "eu433", LW_RP001_1_0_2A, 5, {1215, 915, -285}},
		{"cn779 of 1.0.2A: likewise", "cn779", LW_RP001_1_0_2A, 5, {1215, 915, -285}},
		{"cn470 of 1.0.2A: 17, 16 and 2 dBm", "cn470-rp001", LW_RP001_1_0_2A, 7, {1915, 1815, 415}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		load(rows[i].region, rows[i].revision);
		int16_t most = region.default_max_eirp_cdbm;
		if (strcmp(rows[i].region, "eu868") == 0)
			most = 1615;
		uint8_t asked[3] = {0, 1, rows[i].highest};
		for (size_t k = 0; k < 3; k++) {
			int16_t got = INT16_MIN;
			t_true("defined", lw_region_tx_power_cdbm(&region, asked[k], most, &got));
			t_int("power", rows[i].cdbm[k], got);
		}
		int16_t none;
		t_false("the next one is",
			lw_region_tx_power_cdbm(&region, rows[i].highest + 1, most, &none));
	}
}

static void rates_and_rx1(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum lw_regional_revision revision;
		uint8_t dr, offset;
		bool dwell;
		int rx1; /* −1: none */
	} rows[] = {
		{"as923 of RP001 stops at DR5", "as923-1", LW_RP001_1_1B, 5, 6, false, 5},
		{"as923 of RP001, DR7", "as923-1", LW_RP001_1_1B, 7, 0, false, 5},
		{"as923 of RP002 goes to DR6", "as923-1", LW_RP002_1_0_0, 5, 6, false, 6},
		{"as923 of RP001 under a dwell limit", "as923-1", LW_RP001_1_1B, 6, 7, true, 5},
		{"in865 of RP001 stops at DR5", "in865", LW_RP001_1_1B, 7, 0, false, 5},
		{"in865 of RP002 goes to DR7", "in865", LW_RP002_1_0_0, 7, 0, false, 7},
		{"au915 of 1.0.2A, SF10", "au915", LW_RP001_1_0_2A, 0, 0, false, 10},
		{"au915 of 1.0.2A, 500 kHz", "au915", LW_RP001_1_0_2A, 4, 3, false, 11},
		{"au915 of 1.0.2A has no offset 4", "au915", LW_RP001_1_0_2A, 0, 4, false, -1},
		{"au915 of 1.0.2A has no DR6", "au915", LW_RP001_1_0_2A, 6, 0, false, -1},
		{"au915 of 1.0.2B, SF12", "au915", LW_RP001_1_0_2B, 0, 0, false, 8},
		{"au915 of 1.0.2B, 500 kHz", "au915", LW_RP001_1_0_2B, 6, 0, false, 13},
		{"cn470-rp001 of 1.0.2A has no offset 4", "cn470-rp001", LW_RP001_1_0_2A, 5, 4, false, -1},
		{"cn470-rp001 of 1.0.2B has", "cn470-rp001", LW_RP001_1_0_2B, 5, 4, false, 1},
		{"cn470 of RP002-1.0.0 goes down to DR0", "cn470-20b", LW_RP002_1_0_0, 2, 5, false, 0},
		{"cn470 since stops at DR1", "cn470-20b", LW_RP002_1_0_1, 2, 5, false, 1},
		{"us915's LR-FHSS", "us915", LW_RP002_1_0_1, 5, 0, false, -1},
		{"eu868's LR-FHSS", "eu868", LW_RP002_1_0_1, 8, 0, false, -1},
		{"eu868's LR-FHSS once it is there", "eu868", LW_RP002_1_0_2, 8, 0, false, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		load(rows[i].region, rows[i].revision);
		uint8_t dr;
		bool there = lw_region_rx1_dr(&region, rows[i].dr, rows[i].offset, rows[i].dwell, &dr);
		t_int("RX1", rows[i].rx1, there ? dr : -1);
	}
}

static void channels_name_rates_that_are_there(void **state)
{
	(void)state;
	static const char *const ids[] = {"eu868", "us915", "au915", "as923-1",     "in865",     "kr920",
					  "eu433", "cn779", "ru864", "cn470-rp001", "cn470-20a", "cn470-26b"};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		for (int revision = 0; revision < LW_REGIONAL_REVISION_COUNT; revision++) {
			load(ids[i], (enum lw_regional_revision)revision);
			char name[64];
			snprintf(name, sizeof name, "%s of %s", ids[i],
				 lw_regional_revision_name((enum lw_regional_revision)revision));
			t_row(name);
			bool defined = lw_region_data_rate(&region, LW_UP, region.adr_max_dr) != NULL;
			for (unsigned c = 0; c < region.uplink_channel_count; c++)
				for (uint8_t dr = region.uplink_channels[c].min_dr;
				     dr <= region.uplink_channels[c].max_dr; dr++)
					defined = defined && lw_region_data_rate(&region, LW_UP, dr);
			t_true("every rate of every channel", defined);
			t_true("RX2's rate", lw_region_data_rate(&region, LW_DOWN, region.rx2.dr) != NULL);
		}
}

static void commands_and_lists(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum lw_regional_revision revision;
		bool exists, differs, cflist, banks, tx_param;
	} rows[] = {
		{"us915 of 1.0.2B", "us915", LW_RP001_1_0_2B, true, true, false, false, false},
		{"us915 of 1.0.3A", "us915", LW_RP001_1_0_3A, true, true, true, true, false},
		{"us915 of the sheet", "us915", LW_RP002_1_0_4, true, false, true, true, false},
		{"au915 of 1.0.2B", "au915", LW_RP001_1_0_2B, true, true, false, false, false},
		{"au915 of 1.0.3A", "au915", LW_RP001_1_0_3A, true, true, true, true, true},
		{"au915 of 1.1A", "au915", LW_RP001_1_1A, true, true, true, true, false},
		{"au915 of 1.1B", "au915", LW_RP001_1_1B, true, true, true, true, true},
		{"cn470-rp001 of 1.0.2B", "cn470-rp001", LW_RP001_1_0_2B, true, true, false, false, false},
		{"cn470-rp001 of 1.0.3A", "cn470-rp001", LW_RP001_1_0_3A, true, false, true, false, false},
		{"as923-2 before it was", "as923-2", LW_RP002_1_0_0, false, true, true, false, true},
		{"as923-2", "as923-2", LW_RP002_1_0_1, true, false, true, false, true},
		{"as923-4 before it was", "as923-4", LW_RP002_1_0_2, false, false, true, false, true},
		{"ru864 before it was", "ru864", LW_RP001_1_0_2B, false, false, true, false, false},
		{"ru864", "ru864", LW_RP001_1_0_3A, true, false, true, false, false},
		{"cn470-26a before it was", "cn470-26a", LW_RP001_1_1B, false, false, true, false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		assert_true(region_load(&region, rows[i].region));
		t_true("exists", lw_region_exists_in(&region, rows[i].revision) == rows[i].exists);
		t_true("differs", lw_region_differs_in(&region, rows[i].revision) == rows[i].differs);
		lw_region_revise(&region, rows[i].revision);
		struct lw_channel_plan wanted;
		lw_plan_init(&wanted, &region);
		uint8_t list[LW_CFLIST_SIZE];
		if (region.plan_type == LW_PLAN_FIXED) {
			lw_mask_set(&wanted.enabled, 0, false);
			t_true("a CFList", lw_cflist_build(&wanted, &region, list) == rows[i].cflist);
		}
		t_true("ChMaskCntl 5", (region.mask_cntls[5].action == LW_MASK_BANKS) == rows[i].banks);
		t_true("TxParamSetupReq", region.has_tx_param_setup_req == rows[i].tx_param);
	}
}

static void the_newest_is_the_sheet(void **state)
{
	(void)state;
	size_t count;
	const struct lw_revision_row *rows = lw_revision_rows(&count);
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].meaning);
		t_true("over before the newest", rows[i].until < LW_RP002_1_0_4);
		t_true("in order", rows[i].since <= rows[i].until);
	}
}

static void the_document_shows_the_rows(void **state)
{
	(void)state;
	size_t count, shown = 0;
	const struct lw_revision_row *rows = lw_revision_rows(&count);
	FILE *file = fopen("docs/versions.md", "re");
	assert_non_null(file);
	char line[512], wanted[512];
	while (fgets(line, sizeof line, file) && strncmp(line, "| plan |", 8) != 0)
		;
	assert_non_null(fgets(line, sizeof line, file));
	while (fgets(line, sizeof line, file) && line[0] == '|' && shown < count) {
		const struct lw_revision_row *row = &rows[shown++];
		line[strcspn(line, "\n")] = '\0';
		t_row(row->meaning);
		size_t length = strlen(row->plan);
		bool several = !region_load(&region, row->plan);
		snprintf(wanted, sizeof wanted, "| `%.*s%s` | %s | %s | %s |", (int)length, row->plan,
			 several ? "…" : "", lw_regional_revision_name(row->since),
			 lw_regional_revision_name(row->until), row->meaning);
		t_str("docs/versions.md", wanted, line);
	}
	t_row("as many rows as the table");
	t_uint("rows", count, shown);
	t_true("and no more", line[0] != '|');
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(payloads),
		t_test(powers),
		t_test(rates_and_rx1),
		t_test(channels_name_rates_that_are_there),
		t_test(commands_and_lists),
		t_test(the_newest_is_the_sheet),
		t_test(the_document_shows_the_rows),
	};
	return t_run(tests);
}
