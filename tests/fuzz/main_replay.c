/* Runs a fuzz target without a fuzzing compiler: every file of its corpus (tests/fuzz/corpus/<name>/), and from each a few hundred mutations
 * from a fixed seed, so that a run is the same everywhere. A crash or an assertion names nothing but its input: the number
 * printed by FUZZ_VERBOSE=1 tells which. Last line: `N passed, 0 failed, 0 skipped`. */
#include "common/base/check.h"
#include "common/base/rng.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX (1u << 20)
#define MUTATIONS 300

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* One change: a bit, a byte, a cut, a doubled or swapped stretch. Returns the new length. */
static size_t mutate(struct rng *rng, uint8_t *bytes, size_t length, size_t capacity)
{
	static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '\r', ' ', '"', '{', '%'};
	size_t at = length > 0 ? rng_below(rng, (uint32_t)length) : 0;
	if (length == 0)
		return 0;
	switch (rng_below(rng, 5)) {
	case 0: bytes[at] = (uint8_t)(bytes[at] ^ (1u << rng_below(rng, 8))); return length;
	case 1: bytes[at] = telling[rng_below(rng, sizeof telling)]; return length;
	case 2: return at;
	case 3: {
		size_t piece = rng_below(rng, (uint32_t)(length - at) + 1);
		if (length + piece > capacity)
			return length;
		memmove(bytes + at + piece, bytes + at, length - at);
		return length + piece;
	}
	default: {
		size_t other = rng_below(rng, (uint32_t)length);
		uint8_t byte = bytes[at];
		bytes[at] = bytes[other];
		bytes[other] = byte;
		return length;
	}
	}
}

static void run_one(const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length + 1); /* of exact size, so that the sanitizer sees one byte too far */
	ASSERT(exact);
	memcpy(exact, bytes, length);
	uint8_t *tight = realloc(exact, length > 0 ? length : 1);
	LLVMFuzzerTestOneInput(tight ? tight : exact, length);
	free(tight ? tight : exact);
}

static void run_file(const char *path, struct rng *rng, size_t *runs)
{
	uint8_t *original = malloc(INPUT_MAX), *changed = malloc(INPUT_MAX);
	FILE *file = fopen(path, "rb");
	ASSERT(original && changed && file);
	size_t length = fread(original, 1, INPUT_MAX, file);
	fclose(file);
	if (getenv("FUZZ_VERBOSE"))
		fprintf(stderr, "%s\n", path);
	run_one(original, length);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(changed, original, length);
		size_t changed_length = length;
		for (uint32_t step = 0; step <= rng_below(rng, 6); step++)
			changed_length = mutate(rng, changed, changed_length, INPUT_MAX);
		run_one(changed, changed_length);
	}
	*runs += 1 + MUTATIONS;
	free(original);
	free(changed);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	char folder[300];
	(void)argc;
	snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", slash ? slash + 1 : argv[0]);
	DIR *dir = opendir(folder);
	struct rng rng = rng_seeded(20240501);
	size_t files = 0, runs = 0;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[600];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		run_file(path, &rng, &runs);
		files++;
	}
	if (dir)
		closedir(dir);
	if (files == 0)
		fprintf(stderr, "FAIL %s: corpus: expected files, got none\n", folder);
	printf("%zu passed, %d failed, 0 skipped\n", runs, files == 0);
	return files == 0;
}
