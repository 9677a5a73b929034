/* A capture that is being written: what stands in the file when the call returns, and what rotation leaves behind. */
#include "tests/harness/harness.h"

#include "cli/pcap_out.h"
#include "cli/problem.h"
#include "common/base/pcap.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NIGHT_US INT64_C(1795284000000000) /* 2026-11-21T18:00:00Z */
#define PACKET   (PCAP_RECORD_SIZE + LW_LORATAP_SIZE + 20)

static char dir[256];

static int open_dir(void **state)
{
	t_setup(state);
	snprintf(dir, sizeof dir, "/tmp/lamppost-pcap-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The names in the folder, in order, parted by blanks. */
static const char *names(void)
{
	static char text[512];
	struct dirent **entries;
	int count = scandir(dir, &entries, visible, alphasort);
	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return text;
}

static int close_dir(void **state)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, visible, alphasort);
	for (int i = 0; i < count; i++) {
		char path[600];
		snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
		remove(path);
		free(entries[i]);
	}
	free(entries);
	remove(dir);
	return t_teardown(state);
}

static size_t packets_of(const char *name)
{
	static uint8_t bytes[8192];
	char path[600];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return 9999;
	size_t length = fread(bytes, 1, sizeof bytes, file), at = 0, used, packets = 0;
	fclose(file);
	struct pcap_reader reader = pcap_reader_init();
	struct pcap_packet packet;
	enum pcap_verdict verdict;
	while ((verdict = pcap_read(&reader, bytes + at, length - at, &used, &packet)) <= PCAP_SKIPPED) {
		at += used;
		packets += verdict == PCAP_PACKET;
	}
	return at == length ? packets : 8888;
}

static bool write_one(struct cli_pcap *pcap, int64_t at_s)
{
	static const uint8_t phy[20] = {0x40};
	const struct lw_modulation modulation = {
		.kind = LW_LORA, .spreading_factor = 7, .bandwidth_hz = 125000};
	struct lw_loratap header = lw_loratap_make(868100000, &modulation, true, -80, true, 500);
	struct wall now = {NIGHT_US + at_s * US_PER_S};
	return cli_pcap_write(pcap, now, now, &header, phy, sizeof phy);
}

static void each_packet_is_in_the_file_at_once(void **state)
{
	(void)state;
	struct cli_pcap *pcap;
	char path[300];
	snprintf(path, sizeof path, "%s/a.pcap", dir);
	const struct cli_pcap_options options = {.path = path};
	assert_int_equal(CLI_DONE, cli_pcap_open(&pcap, &options));
	t_row("before the first packet: the header");
	t_uint("packets", 0, packets_of("a.pcap"));
	for (unsigned i = 1; i <= 3; i++) {
		t_true("written", write_one(pcap, i));
		t_uint("packets", i, packets_of("a.pcap"));
	}
	t_uint("files", 1, cli_pcap_files(pcap));
	cli_pcap_close(pcap);
}

static const struct {
	const char *name;
	const char *file;
	uint64_t rotate_bytes;
	int rotate_s;
	unsigned keep;
	int every_s, packets;
	const char *left;
	size_t in_last;
	const char *last;
} rotations[] = {
	{"by size: two packets fit", "n.pcap", PCAP_HEADER_SIZE + 2 * PACKET, 0, 0, 1, 5,
	 "n_00001_20261121180000.pcap n_00002_20261121180002.pcap n_00003_20261121180004.pcap", 1,
	 "n_00003_20261121180004.pcap"},
	{"by size: the last two are kept", "n.pcap", PCAP_HEADER_SIZE + 2 * PACKET, 0, 2, 1, 7,
	 "n_00003_20261121180004.pcap n_00004_20261121180006.pcap", 1, "n_00004_20261121180006.pcap"},
	{"smaller than one packet: one in each", "n.pcap", 10, 0, 1, 1, 3, "n_00003_20261121180002.pcap", 1,
	 "n_00003_20261121180002.pcap"},
	{"by time, from the first packet of each", "n.pcap", 0, 60, 0, 25, 4,
	 "n_00001_20261121180000.pcap n_00002_20261121180115.pcap", 1, "n_00002_20261121180115.pcap"},
	{"a name without an ending", "night", 0, 60, 0, 60, 2,
	 "night_00001_20261121180000 night_00002_20261121180100", 1, "night_00002_20261121180100"},
	{"nothing came: no file", "n.pcap", 0, 60, 3, 1, 0, "", 9999, "n.pcap"},
};

static void rotation(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rotations); i++) {
		struct cli_pcap *pcap;
		char path[300];
		snprintf(path, sizeof path, "%s/%s", dir, rotations[i].file);
		const struct cli_pcap_options options = {.path = path,
							 .rotate_bytes = rotations[i].rotate_bytes,
							 .rotate_us = rotations[i].rotate_s * US_PER_S,
							 .keep = rotations[i].keep};
		t_row(rotations[i].name);
		assert_int_equal(CLI_DONE, cli_pcap_open(&pcap, &options));
		for (int packet = 0; packet < rotations[i].packets; packet++)
			t_true("written", write_one(pcap, (int64_t)packet * rotations[i].every_s));
		cli_pcap_close(pcap);
		t_str("files", rotations[i].left, names());
		t_uint("in the last", rotations[i].in_last, packets_of(rotations[i].last));
		(void)close_dir(state);
		(void)open_dir(state);
	}
}

static const struct {
	const char *name;
	struct cli_pcap_options options;
	int code;
} refused[] = {
	{"a pipe is not rotated", {.path = "-", .rotate_bytes = 1000000}, CLI_USAGE},
	{"keep without rotation", {.path = "/tmp/x.pcap", .keep = 3}, CLI_USAGE},
	{"a folder that is not there", {.path = "/nowhere/x.pcap"}, CLI_FAILED},
};

static void what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct cli_pcap *pcap = NULL;
		t_row(refused[i].name);
		t_int("code", refused[i].code, cli_pcap_open(&pcap, &refused[i].options));
		t_true("nothing is open", pcap == NULL);
	}
}

static void a_disk_that_refuses_ends_it(void **state)
{
	(void)state;
	struct cli_pcap *pcap = NULL;
	const struct cli_pcap_options options = {.path = "/dev/full"};
	t_row("no space left");
	t_int("code", CLI_FAILED, cli_pcap_open(&pcap, &options));
}

/* Wireshark is closed: nothing went wrong, and there is nothing more to do. */
static void reader_that_goes_ends_it_well(void **state)
{
	(void)state;
	int ends[2] = {-1, -1}, saved = dup(STDOUT_FILENO);
	struct cli_pcap *pcap = NULL;
	const struct cli_pcap_options options = {.path = "-"};
	fflush(stdout);
	assert_true(saved >= 0);
	assert_int_equal(0, pipe(ends));
	assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
	close(ends[1]);
	int code = cli_pcap_open(&pcap, &options);
	bool first = pcap && write_one(pcap, 0);
	uint8_t bytes[256];
	ssize_t length = read(ends[0], bytes, sizeof bytes);
	close(ends[0]);
	bool second = pcap && write_one(pcap, 1);
	int end = pcap ? cli_pcap_code(pcap) : -1;
	cli_pcap_close(pcap);
	pcap = NULL;
	int late = cli_pcap_open(&pcap, &options); /* it was closed before the header */
	bool third = pcap && write_one(pcap, 2);
	cli_pcap_close(pcap);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	clearerr(stdout);
	t_row("a pipe whose reader goes");
	t_int("opened", CLI_DONE, code);
	t_true("the first packet is written", first);
	t_int("header and packet came at once", PCAP_HEADER_SIZE + PACKET, length);
	t_false("the second is not", second);
	t_int("code", CLI_DONE, end);
	t_int("opened without a reader", CLI_DONE, late);
	t_false("no packet then", third);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(each_packet_is_in_the_file_at_once),
		IN_DIR(rotation),
		t_test(what_is_refused),
		t_test(a_disk_that_refuses_ends_it),
		t_test(reader_that_goes_ends_it_well),
	};
	return t_run(tests);
}
