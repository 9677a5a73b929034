#include "tests/harness/needles.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 1024
#define PAGE      4096u
#define PIECE     (1024u * PAGE)
#define OVERLAP   ((size_t)(2 * T_NEEDLE_MAX + 8))

/* --- what is looked for --------------------------------------------------------------------------------------- */

static void add_form(struct t_needle *needle, const void *bytes, size_t length)
{
	ASSERT(needle->form_count < T_NEEDLE_FORMS);
	struct t_needle_form *form = &needle->forms[needle->form_count++];
	ASSERT(length <= sizeof form->bytes);
	memcpy(form->bytes, bytes, length);
	form->length = length;
}

/* In a longer base64 text the bytes begin at one of three alignments; the characters that they share with their neighbours are left out. */
static void add_base64(struct t_needle *needle, const uint8_t *bytes, size_t length)
{
	for (size_t before = 0; before < 3; before++) {
		uint8_t whole[T_NEEDLE_MAX + 2] = {0};
		char text[BASE64_ROOM(sizeof whole)];
		memcpy(whole + before, bytes, length);
		base64_encode(text, whole, before + length);
		size_t first = before == 0 ? 0 : before + 1, last = (before + length) * 8 / 6;
		add_form(needle, text + first, last - first);
	}
}

void t_needle_add(struct t_needles *needles, const char *name, const uint8_t *bytes, size_t length)
{
	ASSERT(needles->count < T_NEEDLES && length >= 8 && length <= T_NEEDLE_MAX);
	struct t_needle *needle = &needles->needles[needles->count++];
	uint8_t reversed[T_NEEDLE_MAX];
	char hex[2 * T_NEEDLE_MAX + 1];
	*needle = (struct t_needle){.name = name};
	for (size_t i = 0; i < length; i++)
		reversed[i] = bytes[length - 1 - i];
	add_form(needle, bytes, length);
	add_form(needle, reversed, length);
	hex_encode(hex, bytes, length);
	add_form(needle, hex, 2 * length);
	for (char *at = hex; *at; at++)
		*at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
	add_form(needle, hex, 2 * length);
	add_base64(needle, bytes, length);
}

unsigned t_needle_found(const struct t_needles *needles, const char *name)
{
	for (size_t i = 0; i < needles->count; i++)
		if (strcmp(needles->needles[i].name, name) == 0)
			return needles->needles[i].found;
	ASSERT(!"a needle of that name");
	return 0;
}

/* --- where ------------------------------------------------------------------------------------------------------ */

static void begin(struct t_needles *needles)
{
	for (size_t i = 0; i < needles->count; i++)
		needles->needles[i].found = 0;
}

static unsigned total(const struct t_needles *needles)
{
	unsigned found = 0;
	for (size_t i = 0; i < needles->count; i++)
		found += needles->needles[i].found;
	return found;
}

static void look(struct t_needles *needles, const char *where, const void *bytes, size_t length)
{
	needles->searched += length;
	for (size_t n = 0; n < needles->count; n++) {
		struct t_needle *needle = &needles->needles[n];
		for (size_t f = 0; f < needle->form_count; f++) {
			const struct t_needle_form *form = &needle->forms[f];
			if (memmem(bytes, length, form->bytes, form->length) == NULL)
				continue;
			needle->found++;
			if (!needles->silent)
				fprintf(stderr, "%s holds %s in form %zu\n", where, needle->name, f);
		}
	}
}

unsigned t_needles_in_bytes(struct t_needles *needles, const char *where, const void *bytes, size_t length)
{
	begin(needles);
	look(needles, where, bytes, length);
	return total(needles);
}

static void look_into_file(struct t_needles *needles, const char *path)
{
	struct stat info;
	FILE *file = fopen(path, "r");
	if (file == NULL) /* it went meanwhile */
		return;
	ASSERT(fstat(fileno(file), &info) == 0);
	uint8_t *bytes = malloc((size_t)info.st_size + 1);
	ASSERT(bytes);
	size_t length = fread(bytes, 1, (size_t)info.st_size, file);
	fclose(file);
	look(needles, path, bytes, length);
	free(bytes);
}

static void look_into_folder(struct t_needles *needles, const char *folder, const char *except)
{
	DIR *dir = opendir(folder);
	ASSERT(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[PATH_ROOM];
		struct stat info;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		bool skipped = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			       (except && strcmp(entry->d_name, except) == 0);
		if (skipped || lstat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			look_into_folder(needles, path, except);
		else if (S_ISREG(info.st_mode))
			look_into_file(needles, path);
	}
	closedir(dir);
}

unsigned t_needles_in_file(struct t_needles *needles, const char *path)
{
	begin(needles);
	look_into_file(needles, path);
	return total(needles);
}

unsigned t_needles_in_folder(struct t_needles *needles, const char *folder, const char *except)
{
	begin(needles);
	look_into_folder(needles, folder, except);
	return total(needles);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

struct memory {
	const char *name;
	int mem, pagemap;
	uint8_t *piece; /* OVERLAP bytes of what came before, then PIECE */
	size_t kept;
};

static bool is_present(const struct memory *memory, uint64_t address)
{
	uint64_t entry = 0;
	return pread(memory->pagemap, &entry, sizeof entry, (off_t)(address / PAGE * sizeof entry)) ==
		       (ssize_t)sizeof entry &&
	       (entry >> 62) != 0; /* in memory, or swapped */
}

/* Looks at a run of pages that are there, and keeps its end in front of what may follow. */
static void look_at_run(struct t_needles *needles, struct memory *memory, uint64_t from, size_t length)
{
	ssize_t got = pread(memory->mem, memory->piece + memory->kept, length, (off_t)from);
	if (got <= 0)
		return;
	size_t whole = memory->kept + (size_t)got;
	look(needles, memory->name, memory->piece, whole);
	memory->kept = whole < OVERLAP ? whole : OVERLAP;
	memmove(memory->piece, memory->piece + whole - memory->kept, memory->kept);
}

static void look_at_mapping(struct t_needles *needles, struct memory *memory, uint64_t from, uint64_t to)
{
	uint64_t run = 0; /* pages before `at` that are there and were not looked at */
	memory->kept = 0;
	for (uint64_t at = from; at <= to; at += PAGE) {
		bool there = at < to && is_present(memory, at);
		if (run > 0 && (!there || run * PAGE == PIECE)) {
			look_at_run(needles, memory, at - run * PAGE, (size_t)(run * PAGE));
			run = 0;
		}
		if (there)
			run++;
		else
			memory->kept = 0;
	}
}

/* A sanitizer's shadow is terabytes of address space, none of it the program's. */
static bool is_the_programs(uint64_t from, uint64_t to, const char *rights)
{
	return rights[0] == 'r' && rights[1] == 'w' && to - from < (UINT64_C(4) << 30);
}

unsigned t_needles_in_process(struct t_needles *needles, const char *name, int pid)
{
	char path[64], line[512], rights[8];
	uint64_t from, to;
	begin(needles);
	struct memory memory = {.name = name, .piece = malloc(OVERLAP + PIECE)};
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	memory.mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
	memory.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "re");
	ASSERT(memory.piece && maps && memory.mem >= 0 && memory.pagemap >= 0);
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, rights) == 3 &&
		    is_the_programs(from, to, rights))
			look_at_mapping(needles, &memory, from, to);
	fclose(maps);
	close(memory.mem);
	close(memory.pagemap);
	free(memory.piece);
	return total(needles);
}
