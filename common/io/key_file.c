#include "common/io/key_file.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
	const char *name;
	const char *advice;
};

static const struct row rows[KEY_FILE_VERDICT_COUNT] = {
	[KEY_FILE_OK] = {"ok", "nothing"},
	[KEY_FILE_MISSING] =
		{"missing", "restore it from a backup; without a database beside it, lamppost init makes it"},
	[KEY_FILE_EXISTS] = {"exists", "leave it alone"},
	[KEY_FILE_NOT_REGULAR] = {"not_regular", "put the file itself there, not a link or a folder"},
	[KEY_FILE_WRONG_OWNER] = {"wrong_owner", "chown it to the user that the process runs as"},
	[KEY_FILE_OPEN_TO_ALL] = {"open_to_all", "chmod 600 it"},
	[KEY_FILE_WRONG_SIZE] = {"wrong_size", "restore it from a backup"},
	[KEY_FILE_IO] = {"io", "check the folder and the disk"},
};

const char *key_file_verdict_name(enum key_file_verdict verdict)
{
	return (unsigned)verdict < KEY_FILE_VERDICT_COUNT ? rows[verdict].name : "unknown";
}

const char *key_file_verdict_advice(enum key_file_verdict verdict)
{
	return (unsigned)verdict < KEY_FILE_VERDICT_COUNT ? rows[verdict].advice : "";
}

static enum key_file_verdict open_failed(void)
{
	switch (errno) {
	case ENOENT: return KEY_FILE_MISSING;
	case EEXIST: return KEY_FILE_EXISTS;
	case ELOOP: return KEY_FILE_NOT_REGULAR;
	default: return KEY_FILE_IO;
	}
}

static enum key_file_verdict check(int fd, size_t size, bool credential)
{
	struct stat stat;
	if (fstat(fd, &stat) != 0)
		return KEY_FILE_IO;
	if (!S_ISREG(stat.st_mode))
		return KEY_FILE_NOT_REGULAR;
	if (stat.st_uid != geteuid() && !(credential && stat.st_uid == 0))
		return KEY_FILE_WRONG_OWNER;
	if (stat.st_mode & (credential ? S_IRWXO : S_IRWXG | S_IRWXO))
		return KEY_FILE_OPEN_TO_ALL;
	return stat.st_size == (off_t)size ? KEY_FILE_OK : KEY_FILE_WRONG_SIZE;
}

static enum key_file_verdict read_whole(const char *path, uint8_t *key, size_t size, bool credential)
{
	/* NONBLOCK, so that a named pipe in its place cannot hold the start up. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return open_failed();
	uint8_t bytes[64];
	ASSERT_CMP(size, <=, sizeof bytes);
	enum key_file_verdict verdict = check(fd, size, credential);
	if (verdict == KEY_FILE_OK && read(fd, bytes, size) != (ssize_t)size)
		verdict = KEY_FILE_IO;
	close(fd);
	if (verdict == KEY_FILE_OK)
		memcpy(key, bytes, size);
	explicit_bzero(bytes, sizeof bytes);
	return verdict;
}

enum key_file_verdict key_file_read(const char *path, uint8_t *key, size_t size)
{
	return read_whole(path, key, size, false);
}

enum key_file_verdict key_file_read_credential(const char *path, uint8_t *key, size_t size)
{
	return read_whole(path, key, size, true);
}

/* A new name is durable only when its folder is. */
static bool sync_folder_of(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) : 1;
	int printed = snprintf(folder, sizeof folder, "%.*s", length > 0 ? length : 1, slash ? path : ".");
	if (printed < 0 || (size_t)printed >= sizeof folder)
		return false;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

enum key_file_verdict key_file_create(const char *path, const uint8_t *bytes, size_t size, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return open_failed();
	/* The umask may have taken bits away; the mode is set on the file itself. */
	bool written = write(fd, bytes, size) == (ssize_t)size && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	written = close(fd) == 0 && written;
	if (written && sync_folder_of(path))
		return KEY_FILE_OK;
	int error = errno;
	unlink(path);
	errno = error;
	return KEY_FILE_IO;
}

enum key_file_verdict key_file_replace(const char *from, const char *to)
{
	return rename(from, to) == 0 && sync_folder_of(to) ? KEY_FILE_OK : KEY_FILE_IO;
}

bool key_file_exists(const char *path)
{
	struct stat stat;
	return lstat(path, &stat) == 0;
}

bool key_file_read_logged(const char *path, uint8_t *key, size_t size)
{
	enum key_file_verdict verdict = key_file_read(path, key, size);
	if (verdict == KEY_FILE_OK)
		return true;
	LOG_ERROR("key_file_refused", "file=%s reason=%s try=\"%s\"", path, key_file_verdict_name(verdict),
		  key_file_verdict_advice(verdict));
	return false;
}
