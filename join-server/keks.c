#include "join-server/keks.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"
#include "common/crypto/sealed_kek.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_FIRST 32

void js_keks_init(struct js_keks *keks)
{
	*keks = (struct js_keks){.capacity = ROWS_FIRST};
	keks->rows = calloc(ROWS_FIRST, sizeof *keks->rows);
	ASSERT(keks->rows);
}

static void free_rows(struct js_kek *rows, size_t count)
{
	if (rows)
		secret_wipe(rows, count * sizeof *rows);
	free(rows);
}

void js_keks_release(struct js_keks *keks)
{
	free_rows(keks->rows, keks->capacity);
	*keks = (struct js_keks){0};
}

struct loading {
	struct js_keks *keks;
	const struct js_key_vault *vault;
	enum status status;
};

static void take(void *taker, const struct js_kek_row *row)
{
	struct loading *loading = taker;
	struct js_kek kek = {.version = row->version,
			     .from_file = !row->has_key,
			     .has_key = row->has_key,
			     .since = row->since,
			     .uses = row->uses,
			     .last_use = row->last_use};
	memcpy(kek.label, row->label, sizeof kek.label);
	kek.key.length = 16;
	if (row->has_key) {
		char name[SEALED_KEK_NAME];
		sealed_kek_name(name, row->label, row->version);
		snprintf(kek.key.label, sizeof kek.key.label, "%s", name);
		enum status status = js_key_vault_open_kek(loading->vault, row->label, row->version,
							   row->sealed, kek.key.bytes);
		if (status != ST_OK)
			loading->status = ST_REFUSED;
	}
	if (!js_keks_add(loading->keks, &kek))
		loading->status = ST_REFUSED;
	secret_wipe(&kek, sizeof kek);
}

enum status js_keks_load(struct js_keks *keks, const struct js_store *store, const struct js_key_vault *vault)
{
	struct loading loading = {keks, vault, ST_OK};
	enum status status = store->load_keks(store->ctx, take, &loading);
	return status == ST_OK ? loading.status : status;
}

/* Where rows of the label and version begin, or would. */
static size_t place_of(const struct js_keks *keks, const char *label, uint32_t version)
{
	size_t low = 0, high = keks->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct js_kek *row = &keks->rows[middle];
		int order = strcmp(row->label, label);
		if (order < 0 || (order == 0 && row->version < version))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct js_keks *keks, size_t place, const char *label)
{
	return place < keks->count && strcmp(keks->rows[place].label, label) == 0;
}

struct js_kek *js_keks_find(struct js_keks *keks, const char *label)
{
	struct js_kek *best = NULL;
	for (size_t i = place_of(keks, label, 0); is_at(keks, i, label); i++) {
		struct js_kek *row = &keks->rows[i];
		if (row->has_key && (!best || row->from_file || !best->from_file))
			best = row;
	}
	return best;
}

struct js_kek *js_keks_exact(struct js_keks *keks, const char *label, uint32_t version, bool from_file)
{
	for (size_t i = place_of(keks, label, version);
	     is_at(keks, i, label) && keks->rows[i].version == version; i++)
		if (keks->rows[i].from_file == from_file)
			return &keks->rows[i];
	return NULL;
}

/* "NAME.n" with n from 2 on and no zero before it. */
static bool split(const char *text, char label[LW_KEK_LABEL_MAX + 1], uint32_t *version)
{
	const char *dot = strrchr(text, '.');
	char *end;
	unsigned long number = dot && dot[1] >= '1' && dot[1] <= '9' ? strtoul(dot + 1, &end, 10) : 0;
	bool is_version = number >= 2 && number <= SEALED_KEK_VERSION_MAX && *end == '\0' && dot > text;
	*version = is_version ? (uint32_t)number : 1;
	snprintf(label, LW_KEK_LABEL_MAX + 1, "%.*s", is_version ? (int)(dot - text) : (int)strlen(text),
		 text);
	return is_version;
}

bool js_kek_is_of(const char *envelope_label, const char *label)
{
	char base[LW_KEK_LABEL_MAX + 1];
	uint32_t version;
	return strcmp(envelope_label, label) == 0 ||
	       (split(envelope_label, base, &version) && strcmp(base, label) == 0);
}

static void grow(struct js_keks *keks)
{
	ASSERT(keks->capacity > 0);
	struct js_kek *rows = calloc(2 * keks->capacity, sizeof *rows);
	ASSERT(rows);
	memcpy(rows, keks->rows, keks->count * sizeof *rows);
	free_rows(keks->rows, keks->capacity);
	keks->rows = rows;
	keks->capacity *= 2;
}

struct js_kek *js_keks_add(struct js_keks *keks, const struct js_kek *kek)
{
	struct js_kek *row = js_keks_exact(keks, kek->label, kek->version, kek->from_file);
	if (row) {
		*row = *kek;
		return row;
	}
	if (keks->count >= (kek->from_file ? 2 : 1) * (size_t)JS_KEKS_ROWS_MAX)
		return NULL;
	if (keks->count == keks->capacity)
		grow(keks);
	size_t place = place_of(keks, kek->label, kek->version);
	memmove(&keks->rows[place + 1], &keks->rows[place], (keks->count - place) * sizeof *keks->rows);
	keks->rows[place] = *kek;
	keks->count++;
	return &keks->rows[place];
}

void js_keks_remove(struct js_keks *keks, const char *label, uint32_t version)
{
	struct js_kek *row = js_keks_exact(keks, label, version, false);
	if (!row)
		return;
	size_t place = (size_t)(row - keks->rows);
	memmove(row, row + 1, (keks->count - place - 1) * sizeof *row);
	keks->count--;
	secret_wipe(&keks->rows[keks->count], sizeof *row);
}

/* Files that are not named any more: out of the table, where they would be in the way; their uses stay in the store. */
static void drop_unnamed(struct js_keks *keks)
{
	size_t kept = 0;
	for (size_t i = 0; i < keks->count; i++)
		if (keks->rows[i].has_key || keks->rows[i].changed)
			keks->rows[kept++] = keks->rows[i];
	secret_wipe(&keks->rows[kept], (keks->count - kept) * sizeof *keks->rows);
	keks->count = kept;
}

static bool clashes(struct js_keks *keks, const struct lw_kek *file)
{
	char label[LW_KEK_LABEL_MAX + 1];
	uint32_t version;
	split(file->label, label, &version);
	return js_keks_exact(keks, label, version, false) != NULL;
}

const struct lw_kek *js_keks_clash(struct js_keks *keks, const struct lw_kek *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (clashes(keks, &files[i]))
			return &files[i];
	return NULL;
}

void js_keks_set_files(struct js_keks *keks, const struct lw_kek *files, size_t count, struct wall now)
{
	for (size_t i = 0; i < keks->count; i++) {
		if (!keks->rows[i].from_file)
			continue;
		keks->rows[i].has_key = false;
		secret_wipe(&keks->rows[i].key, sizeof keks->rows[i].key);
	}
	keks->files_ignored = 0;
	for (size_t i = 0; i < count; i++) {
		struct js_kek kek = {.from_file = true, .since = now};
		if (clashes(keks, &files[i])) {
			LOG_ERROR("kek_file_ignored", "label=%s reason=\"that version came over join.sock\"",
				  files[i].label);
			keks->files_ignored++;
			continue;
		}
		split(files[i].label, kek.label, &kek.version);
		const struct js_kek *known = js_keks_exact(keks, kek.label, kek.version, true);
		if (known)
			kek = *known;
		kek.has_key = true;
		kek.key = files[i];
		if (!js_keks_add(keks, &kek)) {
			drop_unnamed(keks);
			ASSERT(js_keks_add(keks, &kek)); /* files are few beside the room of all others */
		}
		secret_wipe(&kek, sizeof kek);
	}
}

void js_keks_use(struct js_keks *keks, struct js_kek *kek, struct wall now)
{
	kek->uses++;
	kek->last_use = now;
	kek->changed = keks->changed = true;
}

enum status js_keks_flush(struct js_keks *keks, const struct js_store *store)
{
	if (!keks->changed)
		return ST_OK;
	for (size_t i = 0; i < keks->count; i++) {
		const struct js_kek *kek = &keks->rows[i];
		if (!kek->changed)
			continue;
		struct js_kek_row row = {.version = kek->version,
					 .since = kek->since,
					 .uses = kek->uses,
					 .last_use = kek->last_use};
		memcpy(row.label, kek->label, sizeof row.label);
		enum status status = store->save_kek_use(store->ctx, &row);
		if (status != ST_OK)
			return status;
		keks->rows[i].changed = false;
	}
	keks->changed = false;
	return ST_OK;
}

size_t js_keks_versions(const struct js_keks *keks, const char *label)
{
	size_t count = 0;
	for (size_t i = place_of(keks, label, 0); is_at(keks, i, label); i++)
		count += !keks->rows[i].from_file;
	return count;
}

size_t js_keks_labels(const struct js_keks *keks)
{
	size_t count = 0;
	const char *last = "";
	for (size_t i = 0; i < keks->count; i++) {
		if (keks->rows[i].from_file || strcmp(keks->rows[i].label, last) == 0)
			continue;
		last = keks->rows[i].label;
		count++;
	}
	return count;
}
