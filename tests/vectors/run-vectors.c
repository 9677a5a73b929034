/* Runs test vectors: build/tests/run-vectors [--unverified] FILE... With the option entries that one source alone has are
 * run as well. Each file is an array of entries {name, kind, source, input, expect,
 * verified} (tests/vectors/README.md). An entry passes when all its checks hold and nothing of it was left unread. */
#include "tests/vectors/vectors.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static const struct vector_kind *const tables[] = {
	vectors_crypto, vectors_keys, vectors_frames,  vectors_join,  vectors_join_server, vectors_malformed,
	vectors_mac,    vectors_lpp,  vectors_class_b, vectors_relay, vectors_packages,    vectors_fragments,
};

struct sums {
	bool unverified; /* run those too */
	int passed;
	int failed;
	int skipped;
};

static const struct vector_kind *find_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct vector_kind *row = tables[i]; row->kind; row++) {
			if (strcmp(row->kind, kind) == 0)
				return row;
		}
	}
	return NULL;
}

static void run_entry(struct aes *aes, const char *file, json_t *entry, struct sums *sums)
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	const char *kind = json_string_value(json_object_get(entry, "kind"));
	json_t *verified = json_object_get(entry, "verified");
	struct vector vector = {.file = file, .name = name ? name : "(no name)", .kind = kind, .aes = aes};
	vector.input = json_deep_copy(json_object_get(entry, "input"));
	vector.expect = json_deep_copy(json_object_get(entry, "expect"));
	const struct vector_kind *row = kind ? find_kind(kind) : NULL;
	if (!name || !kind || !json_is_object(vector.input) || !json_is_object(vector.expect) ||
	    !json_is_boolean(verified)) {
		v_fail(&vector, "entry", "name, kind, input, expect, verified", "something else");
	} else if (json_is_false(verified) && !sums->unverified) {
		printf("SKIP %s: %s: not verified\n", file, name);
		sums->skipped++;
		goto out;
	} else if (row) {
		row->run(&vector);
		v_leftovers(&vector);
	} else {
		v_fail(&vector, "kind", kind, "a runner that does not know it");
	}
	if (vector.failures > 0)
		sums->failed++;
	else
		sums->passed++;
out:
	json_decref(vector.input);
	json_decref(vector.expect);
}

static void run_file(struct aes *aes, const char *path, struct sums *sums)
{
	json_error_t error;
	json_t *entries = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	if (json_array_size(entries) == 0) {
		printf("FAIL %s: line %d: file: expected an array of entries, got %s\n", file, error.line,
		       entries ? "something else" : error.text);
		sums->failed++;
	}
	size_t index;
	json_t *entry;
	json_array_foreach(entries, index, entry)
	{
		run_entry(aes, file, entry, sums);
	}
	json_decref(entries);
}

int main(int argc, char **argv)
{
	struct sums sums = {0};
	struct aes *aes = aes_new();
	if (!aes || argc < 2) {
		fputs("usage: run-vectors [--unverified] FILE...\n", stderr);
		aes_free(aes);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--unverified") == 0)
			sums.unverified = true;
		else
			run_file(aes, argv[i], &sums);
	}
	aes_free(aes);
	printf("%d passed, %d failed, %d skipped\n", sums.passed, sums.failed, sums.skipped);
	return sums.failed > 0;
}
