/* What the documents name is there: functions, files, links, targets of make, configuration keys, metrics and warnings. What
 * is set off as a command line of `lamppost` is held against the commands' rows by tests/unit/cli/test_command.c. Runs from
 * the repository's root. */
#include "tests/harness/harness.h"

#include "application-server/config.h"
#include "common/base/options.h"
#include "common/text/config.h"
#include "gateway-bridge/config.h"
#include "join-server/config.h"
#include "network-server/config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MAX    4096
#define WORD_MAX     200
#define WARNINGS_MAX 64
#define WARNING_MAX  64

static const char *const documents[] = {
	"README.md",
	"CONTRIBUTING.md",
	"docs/a-sensor-does-not-join.md",
	"docs/agencies.md",
	"docs/alarms.md",
	"docs/captures.md",
	"docs/checklists.md",
	"docs/codecs.md",
	"docs/commands.md",
	"docs/complaints.md",
	"docs/contract.md",
	"docs/frame-tool.md",
	"docs/frames.md",
	"docs/gateways.md",
	"docs/operators.md",
	"docs/reading-the-source.md",
	"docs/versions.md",
	"application-server/README.md",
	"cli/README.md",
	"common/README.md",
	"gateway-bridge/README.md",
	"join-server/README.md",
	"migrations/README.md",
	"network-server/README.md",
	"packaging/README.md",
	"simulator/README.md",
	"tests/README.md",
};

static char *paths[PATHS_MAX];
static size_t path_count;
static char *source; /* all of it, one text behind the other */
static size_t source_length, source_room;

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);
	return length >= size && strcmp(text + length - size, end) == 0;
}

static bool is_source(const char *path)
{
	static const char *const ends[] = {".c", ".h", ".sh", ".proto", ".sql", ".yaml", "Makefile"};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends_with(path, ends[i]))
			return true;
	}
	return false;
}

static void keep_source(const char *path, size_t size)
{
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (source_room < source_length + size + 2) {
		source_room = source_room ? 2 * source_room : 1 << 20;
		char *more = realloc(source, source_room);
		assert_non_null(more);
		source = more;
	}
	source_length += fread(source + source_length, 1, size, file);
	source[source_length++] = '\n';
	source[source_length] = '\0';
	fclose(file);
}

static int visit(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)at;
	path += strncmp(path, "./", 2) == 0 ? 2 : 0;
	if (strncmp(path, "build", 5) == 0 || strncmp(path, ".git/", 5) == 0)
		return 0;
	assert_true(path_count < PATHS_MAX);
	paths[path_count++] = strdup(path);
	/* This file would make true whatever it says. */
	if (kind == FTW_F && is_source(path) && !ends_with(path, "test_documents.c"))
		keep_source(path, (size_t)stat->st_size);
	return 0;
}

static void look_around(void)
{
	if (path_count == 0)
		assert_int_equal(nftw(".", visit, 16, FTW_PHYS), 0);
}

/* A path from the root, beside the document, or the end of any path ("uplink.c"). */
static bool is_path(const char *document, const char *path)
{
	char beside[2 * WORD_MAX], end[WORD_MAX + 1];
	const char *slash = strrchr(document, '/');
	snprintf(beside, sizeof beside, "%.*s%s", slash ? (int)(slash - document + 1) : 0, document, path);
	if (access(path, F_OK) == 0 || access(beside, F_OK) == 0)
		return true;
	snprintf(end, sizeof end, "/%s", path);
	if (ends_with(end, "/"))
		end[strlen(end) - 1] = '\0';
	for (size_t i = 0; i < path_count; i++) {
		if (ends_with(paths[i], end))
			return true;
	}
	return false;
}

/* Whether a span looks like the name of a file of ours: a known ending, or a folder's; no placeholder in it. */
static bool names_a_file(const char *word)
{
	static const char *const ends[] = {".c",   ".h",    ".md",  ".sh", ".yaml",
					   ".sql", ".json", ".txt", ".awk"};
	static const char *const others[] = {"X/test_Y.c", "lamppost.yaml", "global_conf.json", "vendor.json",
					     "FILE"};
	if (strpbrk(word, " <>*{}()$'\"=?,:~") || strstr(word, "...") || strstr(word, "NNNN") ||
	    word[0] == '/' || word[0] == '@' || word[0] == '.' || strncmp(word, "build/", 6) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (ends_with(word, others[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends_with(word, ends[i]) && strlen(word) > strlen(ends[i]))
			return true;
	}
	return false;
}

static bool in_source(const char *word)
{
	return strstr(source, word) != NULL;
}

/* "ns_uplink_handle()": defined or declared somewhere. */
static void check_function(const char *word)
{
	char call[WORD_MAX + 8];
	snprintf(call, sizeof call, "%.*s(", (int)strcspn(word, "("), word);
	t_true(word, in_source(call));
}

static bool is_key_of(const struct option *rows, size_t count, const char *section, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return true;
	}
	return false;
}

/* "network-server.journal_limit": false when the word is no key of a section of ours at all. */
static bool check_key(const char *word)
{
	static const char *const sections[] = {"common", "gateway-bridge", "network-server", "join-server",
					       "application-server"};
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		size_t length = strlen(sections[i]);
		const char *key = word + length + 1;
		if (strncmp(word, sections[i], length) != 0 || word[length] != '.' ||
		    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(key) ||
		    ends_with(key, ".sock"))
			continue;
		t_true(word, is_key_of(config_common_rows, config_common_row_count, sections[i], key) ||
				     is_key_of(gb_config_rows, gb_config_row_count, sections[i], key) ||
				     is_key_of(ns_option_rows, ns_option_row_count, sections[i], key) ||
				     is_key_of(js_config_rows, js_config_row_count, sections[i], key) ||
				     is_key_of(as_config_rows, as_config_row_count, sections[i], key));
		return true;
	}
	return false;
}

/* "make vectors": a target, or a program that has a source. */
static void check_make(const char *document, const char *line)
{
	char target[WORD_MAX], wanted[WORD_MAX + 4], test[WORD_MAX + 4];
	const char *at = line + strspn(line, " ");
	while (*at) {
		at += strspn(at, " ");
		size_t length = strcspn(at, " `");
		if (length == 0 || length >= sizeof target || *at == '#' || *at == '&')
			break;
		snprintf(target, sizeof target, "%.*s", (int)length, at);
		at += length;
		if (*target == '-' || strchr(target, '=') || strchr(target, '<'))
			continue;
		snprintf(wanted, sizeof wanted, "\n%s:", target);
		snprintf(test, sizeof test, "%s.c", strncmp(target, "build/", 6) == 0 ? target + 6 : target);
		t_true(target, strncmp(target, "build/bin/", 10) == 0 || in_source(wanted) ||
				       (strncmp(target, "build/", 6) == 0 && is_path(document, test)));
	}
}

static void check_metric(const char *word)
{
	char name[WORD_MAX];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "{ "), word);
	t_true(name, in_source(name));
}

/* What stands between backquotes. */
static void check_span(const char *document, const char *word)
{
	if (strncmp(word, "make ", 5) == 0)
		check_make(document, word + 5);
	else if (ends_with(word, "()") &&
		 strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(word) - 2)
		check_function(word);
	else if (strncmp(word, "lamppost_", 9) == 0)
		check_metric(word);
	else if (!check_key(word) && names_a_file(word))
		t_true(word, is_path(document, word));
}

/* "](docs/x.md#part)", of ours. */
static void check_links(const char *document, const char *line)
{
	for (const char *at = line; (at = strstr(at, "](")); at += 2) {
		char target[WORD_MAX];
		size_t length = strcspn(at + 2, "#)");
		if (length == 0 || length >= sizeof target || strncmp(at + 2, "http", 4) == 0)
			continue;
		snprintf(target, sizeof target, "%.*s", (int)length, at + 2);
		t_true(target, is_path(document, target));
	}
}

static void check_spans(const char *document, char *line)
{
	char *rest = line, *piece;
	for (bool inside = false; (piece = strsep(&rest, "`")); inside = !inside) {
		if (inside && rest && strlen(piece) < WORD_MAX)
			check_span(document, piece);
	}
}

static void what_the_documents_name_is_there(void **state)
{
	(void)state;
	static char line[4096];
	look_around();
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		FILE *file = fopen(documents[i], "re");
		t_row(documents[i]);
		t_true("opens", file != NULL);
		while (file && fgets(line, sizeof line, file)) {
			line[strcspn(line, "\n")] = '\0';
			check_links(documents[i], line);
			if (strncmp(line, "    make ", 9) == 0)
				check_make(documents[i], line + 9);
			else
				check_spans(documents[i], line);
		}
		if (file)
			fclose(file);
	}
}

/* The table of warnings in the engineers' page and the one of `lamppost status` are the same, and a process can say each. */
static size_t warnings_of(const char *path, const char *begin, const char *before,
			  char names[WARNINGS_MAX][WARNING_MAX])
{
	static char line[4096];
	size_t count = 0;
	bool inside = false;
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		const char *at = strstr(line, before);
		size_t length = at ? strspn(at + strlen(before), "abcdefghijklmnopqrstuvwxyz_") : 0;
		inside = inside || strstr(line, begin);
		if (inside && (strcmp(line, "};\n") == 0 || strcmp(line, "\n") == 0))
			break;
		if (inside && count < WARNINGS_MAX && length > 0 && length < WARNING_MAX)
			snprintf(names[count++], WARNING_MAX, "%.*s", (int)length, at + strlen(before));
	}
	fclose(file);
	return count;
}

static bool is_among(const char *name, char names[WARNINGS_MAX][WARNING_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void every_warning_is_explained(void **state)
{
	(void)state;
	static char documented[WARNINGS_MAX][WARNING_MAX], judged[WARNINGS_MAX][WARNING_MAX];
	char quoted[WARNING_MAX + 4];
	look_around();
	size_t documents_have = warnings_of("docs/operators.md", "| process | warning |", " | `", documented);
	size_t status_has = warnings_of("cli/status_judge.c", "} warnings[] = {", "{\"", judged);
	t_true("there are some", documents_have >= 7);
	for (size_t i = 0; i < documents_have; i++) {
		t_row(documented[i]);
		snprintf(quoted, sizeof quoted, "\"%.60s", documented[i]);
		t_true("said by a process", in_source(quoted));
		t_true("known to lamppost status", is_among(documented[i], judged, status_has));
	}
	for (size_t i = 0; i < status_has; i++) {
		t_row(judged[i]);
		t_true("in docs/operators.md", is_among(judged[i], documented, documents_have));
	}
}

/* A test, or a row of a table by its name. */
static bool has_test(const char *file, const char *name)
{
	char test[WORD_MAX + 4], row[WORD_MAX + 4];
	bool found = false;
	snprintf(test, sizeof test, "(%s)", name);
	snprintf(row, sizeof row, "\"%s\"", name);
	FILE *in = fopen(file, "re");
	static char line[4096];
	while (in && !found && fgets(line, sizeof line, in))
		found = strstr(line, test) || strstr(line, row);
	if (in)
		fclose(in);
	return found;
}

/* What proves it: behind a test's file stand the names of tests or rows in it. A complaint has a row, by its number. */
static void every_complaint_has_its_row_and_its_tests_exist(void **state)
{
	(void)state;
	enum { COMPLAINTS = 45, UNPROVED = 5 }; /* the latter are not built, and say so */
	static char line[4096];
	unsigned next = 1, tests = 0, without = 0;
	FILE *file = fopen("docs/complaints.md", "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		char number[16], program[WORD_MAX] = "";
		unsigned of_row = 0;
		snprintf(number, sizeof number, "| %u |", next);
		if (strncmp(line, number, strlen(number)) != 0)
			continue;
		t_row(number);
		next++;
		char *rest = line, *piece;
		for (bool inside = false; (piece = strsep(&rest, "`")); inside = !inside) {
			if (!inside || !rest || strlen(piece) >= WORD_MAX)
				continue;
			if (strncmp(piece, "tests/", 6) == 0 && ends_with(piece, ".c"))
				snprintf(program, sizeof program, "%s", piece);
			else if (*program) {
				t_true(piece, has_test(program, piece));
				of_row++;
			}
		}
		without += of_row == 0;
		tests += of_row;
	}
	fclose(file);
	t_row("all of them");
	t_uint("complaints", COMPLAINTS, next - 1);
	t_true("tests", tests > COMPLAINTS);
	t_true("few without a test", without <= UNPROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_the_documents_name_is_there),
		t_test(every_warning_is_explained),
		t_test(every_complaint_has_its_row_and_its_tests_exist),
	};
	int code = t_run(tests);
	for (size_t i = 0; i < path_count; i++)
		free(paths[i]);
	free(source);
	return code;
}
