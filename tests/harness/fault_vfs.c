#include "tests/harness/fault_vfs.h"

#include "common/base/check.h"
#include "common/base/rng.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DISKS      8
#define FILES      8
#define SECTOR     512
#define SHM_CHUNKS 16

struct image {
	uint8_t *bytes; /* owned */
	size_t length;
	size_t room;
};

/* A write (or, with bytes == NULL, a truncate to `offset`) that no sync has covered. */
struct unsynced {
	uint8_t *bytes; /* owned */
	size_t offset;
	size_t length;
};

struct file {
	struct fault_disk *disk;
	char name[256];
	bool exists;
	struct image durable; /* what a power cut leaves */
	struct image current; /* what a reader sees */
	struct unsynced *log; /* owned array */
	size_t log_count;
	size_t log_room;
	void *shm[SHM_CHUNKS];
};

struct handle {
	sqlite3_file base;
	struct file *file;
};

struct fault_disk {
	char name[32]; /* "": of all files without a folder */
	struct file files[FILES];
	uint64_t operations;
	uint64_t crash_at;
	uint64_t fail_at;
	int fail_code;
	bool crashed;
};

static struct fault_disk disks[DISKS];
static size_t disk_count;

static void image_resize(struct image *image, size_t length)
{
	if (length > image->room || !image->bytes) {
		image->room = length + image->room + SECTOR;
		image->bytes = realloc(image->bytes, image->room);
		ASSERT(image->bytes);
	}
	if (length > image->length)
		memset(image->bytes + image->length, 0, length - image->length);
	image->length = length;
}

static void image_write(struct image *image, size_t offset, const uint8_t *bytes, size_t length)
{
	if (offset + length > image->length)
		image_resize(image, offset + length);
	memcpy(image->bytes + offset, bytes, length);
}

static void log_clear(struct file *file)
{
	for (size_t i = 0; i < file->log_count; i++)
		free(file->log[i].bytes);
	file->log_count = 0;
}

static void log_add(struct file *file, const uint8_t *bytes, size_t offset, size_t length)
{
	if (file->log_count == file->log_room) {
		file->log_room = file->log_room * 2 + 16;
		file->log = realloc(file->log, file->log_room * sizeof *file->log);
		ASSERT(file->log);
	}
	struct unsynced *entry = &file->log[file->log_count++];
	*entry = (struct unsynced){.offset = offset, .length = length};
	if (bytes) {
		entry->bytes = malloc(length + 1);
		ASSERT(entry->bytes);
		memcpy(entry->bytes, bytes, length);
	}
}

static void apply(struct image *image, const struct unsynced *entry)
{
	if (entry->bytes)
		image_write(image, entry->offset, entry->bytes, entry->length);
	else
		image_resize(image, entry->offset);
}

static void image_copy(struct image *to, const struct image *from)
{
	image_resize(to, from->length);
	if (from->length > 0)
		memcpy(to->bytes, from->bytes, from->length);
}

static void shm_release(struct file *file)
{
	for (int i = 0; i < SHM_CHUNKS; i++) {
		free(file->shm[i]);
		file->shm[i] = NULL;
	}
}

static void file_forget(struct file *file)
{
	log_clear(file);
	free(file->log);
	shm_release(file);
	free(file->durable.bytes);
	free(file->current.bytes);
	*file = (struct file){0};
}

/* Counts an operation; gives SQLITE_OK, or why it fails. `*lost`: the power has gone at this very operation. */
static int operation(struct fault_disk *disk, int when_crashed, bool *lost)
{
	*lost = false;
	if (disk->crashed)
		return when_crashed;
	disk->operations++;
	if (disk->operations == disk->fail_at)
		return disk->fail_code;
	if (disk->operations == disk->crash_at) {
		disk->crashed = true;
		*lost = true;
		return when_crashed;
	}
	return SQLITE_OK;
}

static int on_close(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *out, int length, sqlite3_int64 offset)
{
	const struct image *image = &((struct handle *)base)->file->current;
	size_t have = (size_t)offset < image->length ? image->length - (size_t)offset : 0;
	size_t piece = have < (size_t)length ? have : (size_t)length;
	memset(out, 0, (size_t)length);
	if (piece > 0)
		memcpy(out, image->bytes + offset, piece);
	return piece == (size_t)length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset)
{
	struct file *file = ((struct handle *)base)->file;
	bool lost;
	int code = operation(file->disk, SQLITE_IOERR_WRITE, &lost);
	if (code == SQLITE_OK || lost) { /* the last write before the dark may be on the disk, in part */
		log_add(file, bytes, (size_t)offset, (size_t)length);
		image_write(&file->current, (size_t)offset, bytes, (size_t)length);
	}
	return code;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 length)
{
	struct file *file = ((struct handle *)base)->file;
	bool lost;
	int code = operation(file->disk, SQLITE_IOERR_TRUNCATE, &lost);
	if (code == SQLITE_OK) {
		log_add(file, NULL, (size_t)length, 0);
		image_resize(&file->current, (size_t)length);
	}
	return code;
}

static int on_sync(sqlite3_file *base, int flags)
{
	struct file *file = ((struct handle *)base)->file;
	bool lost;
	(void)flags;
	int code = operation(file->disk, SQLITE_IOERR_FSYNC, &lost);
	if (code == SQLITE_OK) {
		for (size_t i = 0; i < file->log_count; i++)
			apply(&file->durable, &file->log[i]);
		log_clear(file);
	}
	return code;
}

static int on_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct handle *)base)->file->current.length;
	return SQLITE_OK;
}

static int on_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int on_check_lock(sqlite3_file *base, int *reserved)
{
	(void)base;
	*reserved = 0;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *base, int what, void *argument)
{
	(void)base;
	(void)what;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

/* As the system's own VFS promises: bytes outside a write are not harmed by it. */
static int on_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int on_shm_map(sqlite3_file *base, int chunk, int size, int extend, void volatile **out)
{
	struct file *file = ((struct handle *)base)->file;
	ASSERT(chunk < SHM_CHUNKS);
	if (!file->shm[chunk] && extend) {
		file->shm[chunk] = calloc(1, (size_t)size);
		ASSERT(file->shm[chunk]);
	}
	*out = file->shm[chunk];
	return SQLITE_OK;
}

static int on_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
	(void)base;
	(void)offset;
	(void)count;
	(void)flags;
	return SQLITE_OK;
}

static void on_shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int on_shm_unmap(sqlite3_file *base, int remove)
{
	(void)remove;
	shm_release(((struct handle *)base)->file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_lock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static struct fault_disk *disk_of(const char *name)
{
	const char *slash = strchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : 0;
	for (size_t i = 0; i < disk_count; i++)
		if (strlen(disks[i].name) == length && strncmp(disks[i].name, name, length) == 0)
			return &disks[i];
	ASSERT(disk_count < DISKS && length < sizeof disks[0].name);
	struct fault_disk *disk = &disks[disk_count++];
	memcpy(disk->name, name, length);
	return disk;
}

static struct file *find(struct fault_disk *disk, const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (disk->files[i].exists && strcmp(disk->files[i].name, name) == 0)
			return &disk->files[i];
	return NULL;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *flags_out)
{
	struct handle *handle = (struct handle *)base;
	(void)vfs;
	handle->base.pMethods = NULL;
	const char *known = name ? name : "temporary";
	struct fault_disk *disk = disk_of(known);
	struct file *file = find(disk, known);
	if (!file && (flags & SQLITE_OPEN_CREATE) && !disk->crashed) {
		for (int i = 0; i < FILES && !file; i++)
			if (!disk->files[i].exists)
				file = &disk->files[i];
		ASSERT(file && strlen(known) < sizeof file->name);
		*file = (struct file){.disk = disk, .exists = true};
		snprintf(file->name, sizeof file->name, "%s", known);
	}
	if (!file)
		return SQLITE_CANTOPEN;
	handle->file = file;
	handle->base.pMethods = &methods;
	if (flags_out)
		*flags_out = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct fault_disk *disk = disk_of(name);
	struct file *file = find(disk, name);
	(void)vfs;
	(void)sync_folder;
	if (disk->crashed)
		return SQLITE_IOERR_DELETE;
	if (file)
		file_forget(file);
	return file ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	(void)flags;
	*out = find(disk_of(name), name) != NULL;
	return SQLITE_OK;
}

static int on_full_name(sqlite3_vfs *vfs, const char *name, int capacity, char *out)
{
	(void)vfs;
	sqlite3_snprintf(capacity, out, "%s", name);
	return SQLITE_OK;
}

void fault_vfs_reset(void)
{
	static sqlite3_vfs vfs;
	if (!vfs.zName) {
		vfs = *sqlite3_vfs_find(NULL); /* randomness, sleep and time stay the system's */
		vfs.iVersion = 1;
		vfs.szOsFile = sizeof(struct handle);
		vfs.pNext = NULL;
		vfs.zName = FAULT_VFS;
		vfs.xOpen = on_open;
		vfs.xDelete = on_delete;
		vfs.xAccess = on_access;
		vfs.xFullPathname = on_full_name;
		ASSERT(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
	}
	for (size_t i = 0; i < disk_count; i++)
		for (int j = 0; j < FILES; j++)
			file_forget(&disks[i].files[j]);
	memset(disks, 0, sizeof disks);
	disk_count = 1;
}

struct fault_disk *fault_vfs_disk(const char *name)
{
	char path[40];
	snprintf(path, sizeof path, "%s/", name);
	return disk_of(path);
}

uint64_t fault_disk_operations(const struct fault_disk *disk)
{
	return disk->operations;
}

void fault_disk_crash_at(struct fault_disk *disk, uint64_t at)
{
	disk->crash_at = at;
}

void fault_disk_power_off(struct fault_disk *disk)
{
	disk->crashed = true;
}

bool fault_disk_is_off(const struct fault_disk *disk)
{
	return disk->crashed;
}

/* What of one unsynced entry reached the disk; counts what did and what did not. */
static void keep_some(struct image *durable, const struct unsynced *entry, struct rng *rng, unsigned *kept,
		      unsigned *lost)
{
	size_t pieces = entry->bytes ? (entry->length + SECTOR - 1) / SECTOR : 1;
	for (size_t i = 0; i < pieces; i++) {
		size_t at = i * SECTOR;
		size_t piece = entry->length - at < SECTOR ? entry->length - at : SECTOR;
		if (!rng_below(rng, 2)) {
			++*lost;
			continue;
		}
		++*kept;
		if (entry->bytes)
			image_write(durable, entry->offset + at, entry->bytes + at, piece);
		else
			image_resize(durable, entry->offset);
	}
}

/* The power is back; files are as on the disk. */
static void restart(struct fault_disk *disk)
{
	for (int i = 0; i < FILES; i++) {
		struct file *file = &disk->files[i];
		log_clear(file);
		shm_release(file);
		if (file->exists)
			image_copy(&file->current, &file->durable);
	}
	disk->crashed = false;
	disk->crash_at = disk->fail_at = disk->operations = 0;
}

bool fault_disk_power_on(struct fault_disk *disk, uint64_t seed)
{
	struct rng rng = rng_seeded(seed);
	unsigned kept = 0, lost = 0;
	for (int i = 0; i < FILES && seed != 0; i++)
		for (size_t j = 0; j < disk->files[i].log_count; j++)
			keep_some(&disk->files[i].durable, &disk->files[i].log[j], &rng, &kept, &lost);
	restart(disk);
	return kept > 0 && lost > 0;
}

void fault_disk_restart(struct fault_disk *disk)
{
	for (int i = 0; i < FILES; i++)
		for (size_t j = 0; j < disk->files[i].log_count; j++)
			apply(&disk->files[i].durable, &disk->files[i].log[j]);
	restart(disk);
}

/* --- the disk of files without a folder */

uint64_t fault_vfs_operations(void)
{
	return fault_disk_operations(&disks[0]);
}

void fault_vfs_crash_at(uint64_t at)
{
	fault_disk_crash_at(&disks[0], at);
}

void fault_vfs_fail_at(uint64_t at, int code)
{
	disks[0].fail_at = at;
	disks[0].fail_code = code;
}

void fault_vfs_power_on(uint64_t seed)
{
	fault_disk_power_on(&disks[0], seed);
}
