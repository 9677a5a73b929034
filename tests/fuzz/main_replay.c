/* Runs a fuzz target without a fuzzing compiler: every file of tests/fuzz/corpus/<name>/ (the program is fuzz_<name>; files
 * may be named instead), then a bounded number of mutations of each, the same ones every time. A target that asserts or
 * is caught by a sanitizer ends the program, and the missing sum is the failure. */
#include "common/base/check.h"
#include "common/base/rng.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX         65536
#define MUTATIONS_OF_EACH 400
#define MUTATIONS_IN_ALL  40000
#define EDITS_MAX         4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each run gets memory of its exact size, so that a sanitizer sees a read past the end. */
static void run_exact(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	ASSERT(copy);
	memcpy(copy, bytes, length);
	LLVMFuzzerTestOneInput(copy, length);
	free(copy);
}

static size_t edit(struct rng *rng, uint8_t *bytes, size_t length)
{
	uint32_t at = length ? rng_below(rng, (uint32_t)length) : 0;
	switch (rng_below(rng, 6)) {
	case 0: /* flip a bit */
		if (length)
			bytes[at] ^= (uint8_t)(1 << rng_below(rng, 8));
		return length;
	case 1: /* another byte */
		if (length)
			bytes[at] = (uint8_t)rng_u32(rng);
		return length;
	case 2: /* cut short */ return at;
	case 3: /* take a byte out */
		if (length) {
			memmove(bytes + at, bytes + at + 1, length - at - 1);
			length--;
		}
		return length;
	case 4: /* put a byte in */
		if (length < INPUT_MAX) {
			memmove(bytes + at + 1, bytes + at, length - at);
			bytes[at] = (uint8_t)rng_u32(rng);
			length++;
		}
		return length;
	default: /* make it longer */
		for (uint32_t more = rng_below(rng, 32); more > 0 && length < INPUT_MAX; more--)
			bytes[length++] = (uint8_t)rng_u32(rng);
		return length;
	}
}

static bool replay(const char *path, size_t mutations)
{
	static uint8_t seed[INPUT_MAX], bytes[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	if (!file) {
		printf("FAIL %s: file: open: expected a readable file, got none\n", path);
		return false;
	}
	size_t length = fread(seed, 1, sizeof seed, file);
	fclose(file);
	run_exact(seed, length);
	struct rng rng = rng_seeded(length);
	for (size_t i = 0; i < mutations; i++) {
		size_t mutated = length;
		memcpy(bytes, seed, length);
		for (uint32_t edits = 1 + rng_below(&rng, EDITS_MAX); edits > 0; edits--)
			mutated = edit(&rng, bytes, mutated);
		run_exact(bytes, mutated);
	}
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder, int *passed, int *failed)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_visible, alphasort);
	if (count <= 0) {
		printf("FAIL %s: corpus: files: expected at least one, got none\n", folder);
		(*failed)++;
		return;
	}
	size_t mutations = MUTATIONS_IN_ALL / (size_t)count;
	if (mutations > MUTATIONS_OF_EACH)
		mutations = MUTATIONS_OF_EACH;
	for (int i = 0; i < count; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (replay(path, mutations))
			(*passed)++;
		else
			(*failed)++;
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	int passed = 0, failed = 0;
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			if (replay(argv[i], MUTATIONS_OF_EACH))
				passed++;
			else
				failed++;
		}
	} else if (strncmp(name, "fuzz_", 5) == 0) {
		char folder[256];
		snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name + 5);
		replay_folder(folder, &passed, &failed);
	} else {
		printf("FAIL %s: program: name: expected fuzz_..., got another\n", name);
		failed++;
	}
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed > 0;
}
