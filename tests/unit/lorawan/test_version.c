/* Each behaviour at every version, as the specifications have it; docs/versions.md against the table; and that each row is
 * asked for by somebody. Runs from the repository's root. */
#include "tests/harness/harness.h"

#include "common/lorawan/version.h"

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A letter a version, 1.0.0 to 1.0.4 and 1.1.0: y behaves so, - does not. */
static const struct {
	enum lw_behaviour behaviour;
	const char *versions;
} expected[] = {
	{LW_FCNT_GAP_LIMIT, "yyyy--"},    /* taken out with 1.0.4; not asked of 1.1 */
	{LW_ABP_RESTARTS, "yyyy--"},      /* 1.0.4 and 1.1 keep the counters for ever */
	{LW_FCNT_16_BITS, "yyyy--"},      /* 32 from 1.0.4 on */
	{LW_FCNT_DOWN_PAIR, "-----y"},    /* NFCntDown and AFCntDown */
	{LW_FOPTS_ENCRYPTED, "-----y"},   /* NwkSEncKey */
	{LW_MIC_HALVES, "-----y"},        /* cmacS and cmacF */
	{LW_NETWORK_KEYS, "-----y"},      /* three of them */
	{LW_CONFIRMED_RETRIES, "yyyy--"}, /* by the device's own policy */
	{LW_NB_TRANS_LIMIT, "----yy"},    /* from 1.0.4 on */
	{LW_LINK_ADR_BLOCK, "--yyyy"},    /* atomic from 1.0.2 on */
	{LW_LINK_ADR_ANS_ONCE, "-----y"}, /* one a request before */
	{LW_LINK_ADR_KEEP, "----yy"},     /* 15 keeps */
	{LW_DEV_NONCE_COUNTS, "----yy"},  /* random before */
	{LW_TWO_ROOT_KEYS, "-----y"},     /* NwkKey */
	{LW_OPT_NEG, "-----y"},           /* bit 7 of DLSettings */
	{LW_REJOINS, "-----y"},           /* types 0, 1, 2 */
	{LW_CFLIST_MASKS, "---yyy"},      /* CFListType 1 */
};

static void each_behaviour_at_its_borders(void **state)
{
	(void)state;
	t_row("every behaviour is asked for once");
	t_uint("rows", LW_BEHAVIOUR_COUNT, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct lw_behaviour_row *row = lw_behaviour_row(expected[i].behaviour);
		assert_non_null(row);
		t_row(row->name);
		t_uint("place", i, expected[i].behaviour);
		char got[LW_MAC_VERSION_COUNT + 1] = "";
		for (unsigned v = 0; v < LW_MAC_VERSION_COUNT; v++)
			got[v] = lw_behaves((enum lw_mac_version)v, expected[i].behaviour) ? 'y' : '-';
		t_str("versions", expected[i].versions, got);
	}
}

static void no_row_beyond_the_last(void **state)
{
	(void)state;
	assert_null(lw_behaviour_row(LW_BEHAVIOUR_COUNT));
}

static void a_device_of_1_1_without_opt_neg(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version of_device;
		bool keys_1_1;
		enum lw_mac_version used;
	} rows[] = {
		{"1.0.3 follows 1.0.3", LW_MAC_1_0_3, false, LW_MAC_1_0_3},
		{"1.1 with its keys follows 1.1", LW_MAC_1_1_0, true, LW_MAC_1_1_0},
		{"1.1 with OptNeg clear follows the last 1.0", LW_MAC_1_1_0, false, LW_MAC_1_0_4},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_str("version", lw_mac_version_name(rows[i].used),
		      lw_mac_version_name(lw_version_in_use(rows[i].of_device, rows[i].keys_1_1)));
	}
}

/* --- the document --- */

static void the_document_shows_the_table(void **state)
{
	(void)state;
	FILE *file = fopen("docs/versions.md", "re");
	assert_non_null(file);
	char line[1024], wanted[1024];
	unsigned shown = 0;
	while (fgets(line, sizeof line, file) && strncmp(line, "| behaviour |", 13) != 0)
		;
	assert_non_null(fgets(line, sizeof line, file));
	while (fgets(line, sizeof line, file) && line[0] == '|') {
		line[strcspn(line, "\n")] = '\0';
		const struct lw_behaviour_row *row = lw_behaviour_row((enum lw_behaviour)shown++);
		if (!row)
			break;
		t_row(row->name);
		snprintf(wanted, sizeof wanted, "| `%s` | %s | %s | %s | %s |", row->name,
			 lw_mac_version_name(row->since), lw_mac_version_name(row->until), row->meaning,
			 row->section);
		t_str("docs/versions.md", wanted, line);
	}
	fclose(file);
	t_row("as many rows as the table");
	t_uint("rows", LW_BEHAVIOUR_COUNT, shown);
}

/* --- users --- */

static unsigned users[LW_BEHAVIOUR_COUNT];

static bool names_it(const char *text, enum lw_behaviour behaviour)
{
	char constant[64] = "LW_";
	const char *name = lw_behaviour_row(behaviour)->name;
	for (size_t i = 0; name[i] && i + 4 < sizeof constant; i++)
		constant[i + 3] = (char)toupper((unsigned char)name[i]);
	size_t length = strlen(constant);
	for (const char *at = text; (at = strstr(at, constant)); at += length)
		if (!isalnum((unsigned char)at[length]) && at[length] != '_')
			return true;
	return false;
}

static int look_into(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)at;
	size_t length = strlen(path);
	if (kind != FTW_F || length < 2 || strcmp(path + length - 2, ".c") != 0 ||
	    strstr(path, "lorawan/version.c"))
		return 0;
	char *text = calloc(1, (size_t)stat->st_size + 1);
	FILE *file = fopen(path, "re");
	assert_non_null(text);
	assert_non_null(file);
	(void)!fread(text, 1, (size_t)stat->st_size, file);
	fclose(file);
	for (unsigned i = 0; i < LW_BEHAVIOUR_COUNT; i++)
		users[i] += names_it(text, (enum lw_behaviour)i);
	free(text);
	return 0;
}

static void each_row_has_a_user(void **state)
{
	(void)state;
	static const char *const folders[] = {"common", "network-server", "join-server", "application-server",
					      "cli"};
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_int_equal(nftw(folders[i], look_into, 16, FTW_PHYS), 0);
	for (unsigned i = 0; i < LW_BEHAVIOUR_COUNT; i++) {
		t_row(lw_behaviour_row((enum lw_behaviour)i)->name);
		t_true("asked for in a source", users[i] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_behaviour_at_its_borders),
		t_test(no_row_beyond_the_last),
		t_test(a_device_of_1_1_without_opt_neg),
		t_test(the_document_shows_the_table),
		t_test(each_row_has_a_user),
	};
	return t_run(tests);
}
