/* All region files load, are the ones compiled in, and say what the golden dumps say; anything changed in one
 * is refused with its line. Runs from the repository's root.
 *
 * With `--write` it writes the golden dumps instead: after a change of a region file that was meant; read the diff. */
#include "tests/harness/harness.h"

#include "common/text/region_yaml.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *length)
{
	FILE *in = fopen(path, "re");
	char *text = malloc(256 * 1024);
	*length = 0;
	if (in && text) {
		*length = fread(text, 1, 256 * 1024 - 1, in);
		text[*length] = '\0';
		fclose(in);
		return text;
	}
	fprintf(stderr, "cannot read %s\n", path);
	free(text);
	return NULL;
}

static size_t files_with(const char *path, const char *suffix)
{
	size_t files = 0;
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		files += strstr(entry->d_name, suffix) != NULL;
	closedir(folder);
	return files;
}

static void compiled_in_regions_are_the_files(void **state)
{
	(void)state;
	t_row("files");
	t_uint("count", files_with("common/lorawan/regions", ".yaml"), region_source_count);
	t_uint("as many golden dumps: none was lost", files_with("tests/vectors/regions", ".txt"),
	       region_source_count);
	for (size_t i = 0; i < region_source_count; i++) {
		const struct region_source *source = &region_sources[i];
		char path[256];
		size_t length;
		snprintf(path, sizeof path, "common/lorawan/regions/%s.yaml", source->id);
		t_row(source->id);
		char *text = read_file(path, &length);
		assert_non_null(text);
		t_uint("length", length, source->length);
		t_str("text", text, source->text);
		free(text);
	}
}

static void every_region_is_its_golden_dump(void **state)
{
	(void)state;
	for (size_t i = 0; i < region_source_count; i++) {
		char path[256];
		snprintf(path, sizeof path, "tests/vectors/regions/%s.txt", region_sources[i].id);
		t_row(region_sources[i].id);
		struct lw_region region;
		char error[REGION_ERROR_MAX] = "";
		t_true("loads", region_load_text(&region, region_sources[i].id, region_sources[i].text,
						 region_sources[i].length, error));
		t_str("error", "", error);
		t_str("id", region_sources[i].id, region.id);
		char *dump = NULL;
		size_t dump_length, golden_length;
		FILE *out = open_memstream(&dump, &dump_length);
		assert_non_null(out);
		region_dump(out, &region);
		fclose(out);
		char *golden = read_file(path, &golden_length);
		assert_non_null(golden);
		char *rest[2] = {NULL, NULL};
		char *expected = strtok_r(golden, "\n", &rest[0]);
		char *got = strtok_r(dump, "\n", &rest[1]);
		while (expected || got) {
			if (!t_str("line", expected, got))
				break;
			expected = strtok_r(NULL, "\n", &rest[0]);
			got = strtok_r(NULL, "\n", &rest[1]);
		}
		free(golden);
		free(dump);
	}
}

/* Replaces the first `from` of us915 by `to` and loads. */
static const struct {
	const char *name;
	const char *from;
	const char *to;
	const char *error; /* its beginning */
} changes[] = {
	{"an unknown key at the top", "adr_max_dr: 3", "adr_max_dr: 3\nadr_min_dr: 0",
	 "us915.yaml:135: adr_min_dr: unknown key"},
	{"an unknown key in a row", "{index: 0, offset_db: 0}", "{index: 0, offset_db: 0, x: 1}",
	 "us915.yaml:137: tx_power[0].x: unknown key"},
	{"a missing key", "adr_max_dr: 3\n", "", "us915.yaml:2: key adr_max_dr is missing"},
	{"a number out of range", "adr_max_dr: 3", "adr_max_dr: 15",
	 "us915.yaml:134: adr_max_dr: 15: expected 0 to 14"},
	{"a rate that is not for uplinks", "adr_max_dr: 3", "adr_max_dr: 9",
	 "us915.yaml:134: adr_max_dr: 9: not an uplink data rate"},
	{"a key twice", "adr_max_dr: 3", "adr_max_dr: 3\nadr_max_dr: 3",
	 "us915.yaml:135: adr_max_dr: stands twice, first in line 134"},
	{"a channel that is not its group's", "{index: 1, frequency_hz: 902500000",
	 "{index: 1, frequency_hz: 902600000", "us915.yaml:27: uplink_channel_groups[0]: channel 1"},
	{"a gap in the channels", "{index: 1, frequency_hz", "{index: 2, frequency_hz",
	 "us915.yaml:31: uplink_channels[1].index: 2: expected 1 to 1"},
	{"a quoted number", "adr_max_dr: 3", "adr_max_dr: \"3\"",
	 "us915.yaml:134: adr_max_dr: 3: expected 0 to 14"},
	{"a null", "adr_max_dr: 3", "adr_max_dr: ~", "us915.yaml:134: adr_max_dr: expected a value"},
	{"an alias", "adr_max_dr: 3", "adr_max_dr: &x 3", "us915.yaml:134: anchors"},
	{"an unknown action", "action: \"bank_mask\"", "action: \"banks\"",
	 "us915.yaml:206: link_adr_ch_mask_cntl[5].action: banks: expected one of"},
	{"a downlink rate that is none", "downlink_dr: [10, 9, 8, 8]", "downlink_dr: [10, 9, 8, 0]",
	 "us915.yaml:181: rx1_dr_table[0].downlink_dr[3]: 0: not a downlink data rate"},
	{"a row that is too short", "downlink_dr: [10, 9, 8, 8]", "downlink_dr: [10, 9, 8]",
	 "us915.yaml:181: rx1_dr_table[0].downlink_dr: expected 4 data rates"},
	{"an N that is not M - 8", "m: 19, n: 11", "m: 19, n: 12",
	 "us915.yaml:153: max_payload_sizes[0].n: 12"},
	{"a beacon whose parts are not its total", "total_bytes: 23", "total_bytes: 24",
	 "us915.yaml:241: beacon.total_bytes: 24: expected 23 to 23"},
	{"a second document", "adr_max_dr: 3", "adr_max_dr: 3\n---\nx: 1",
	 "us915.yaml:135: a second document"},
	{"broken YAML", "adr_max_dr: 3", "adr_max_dr: [3", "us915.yaml:135:"},
};

static void changed_files_are_refused_with_their_line(void **state)
{
	(void)state;
	size_t length;
	char *text = read_file("common/lorawan/regions/us915.yaml", &length);
	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		t_row(changes[i].name);
		char *at = strstr(text, changes[i].from);
		assert_non_null(at);
		char *changed = malloc(length + 256);
		assert_non_null(changed);
		int changed_length = snprintf(changed, length + 256, "%.*s%s%s", (int)(at - text), text,
					      changes[i].to, at + strlen(changes[i].from));
		struct lw_region region;
		char error[REGION_ERROR_MAX] = "";
		t_false("loads",
			region_load_text(&region, "us915.yaml", changed, (size_t)changed_length, error));
		error[strlen(changes[i].error)] = '\0';
		t_str("error", changes[i].error, error);
		free(changed);
	}
	free(text);
}

static void regions_load_by_id(void **state)
{
	(void)state;
	struct lw_region region;
	t_true("there", region_load(&region, "eu868"));
	t_str("id", "eu868", region.id);
	t_false("not there", region_load(&region, "eu869"));
}

static int write_golden_dumps(void)
{
	for (size_t i = 0; i < region_source_count; i++) {
		struct lw_region region;
		char path[256];
		snprintf(path, sizeof path, "tests/vectors/regions/%s.txt", region_sources[i].id);
		FILE *out = fopen(path, "we");
		if (!out || !region_load(&region, region_sources[i].id))
			return 1;
		region_dump(out, &region);
		fclose(out);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return write_golden_dumps();
	const struct CMUnitTest tests[] = {
		t_test(compiled_in_regions_are_the_files),
		t_test(every_region_is_its_golden_dump),
		t_test(changed_files_are_refused_with_their_line),
		t_test(regions_load_by_id),
	};
	return t_run(tests);
}
