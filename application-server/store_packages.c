#include "application-server/store_packages.h"

#include "common/base/hex.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 640

struct as_packages {
	char folder[512];
	uint64_t last; /* number of the upload that was begun last */
	/* the one under way; fd −1: none */
	int fd;
	uint64_t at;
	struct as_firmware_row row;
	uint8_t point[X509_POINT_BYTES];
	struct x509_sha512 *sha;
};

struct as_packages *as_packages_new(const char *state_dir)
{
	struct as_packages *packages = calloc(1, sizeof *packages);
	if (!packages)
		return NULL;
	snprintf(packages->folder, sizeof packages->folder, "%s/firmware", state_dir);
	packages->fd = -1;
	return packages;
}

static void give_up(struct as_packages *packages)
{
	if (packages->fd >= 0)
		close(packages->fd);
	packages->fd = -1;
	x509_sha512_free(packages->sha);
	packages->sha = NULL;
}

void as_packages_free(struct as_packages *packages)
{
	if (!packages)
		return;
	give_up(packages);
	free(packages);
}

static void upload_path(const struct as_packages *packages, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/upload", packages->folder);
}

static void package_path(const struct as_packages *packages, const struct as_firmware_row *row,
			 char path[PATH_ROOM])
{
	char digits[33];
	hex_encode(digits, row->sha512, 16);
	snprintf(path, PATH_ROOM, "%s/%s.bin", packages->folder, digits);
}

uint64_t as_packages_begin(struct as_packages *packages, const struct as_firmware_row *row,
			   const struct as_firmware_key *key)
{
	char path[PATH_ROOM];
	give_up(packages);
	upload_path(packages, path);
	if (mkdir(packages->folder, 0700) != 0 && errno != EEXIST)
		goto failed;
	packages->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (packages->fd < 0)
		goto failed;
	packages->sha = x509_sha512_new();
	if (!packages->sha)
		goto failed;
	packages->at = 0;
	packages->row = *row;
	memcpy(packages->point, key->point, sizeof packages->point);
	return ++packages->last;
failed:
	LOG_ERROR("firmware_upload_failed", "path=%s reason=\"%s\"", path, strerror(errno));
	give_up(packages);
	return 0;
}

enum status as_packages_append(struct as_packages *packages, uint64_t upload, uint64_t offset,
			       const uint8_t *bytes, size_t length, uint64_t *at, uint64_t *size)
{
	*at = packages->at;
	*size = packages->row.size;
	if (packages->fd < 0 || upload != packages->last)
		return ST_NOT_FOUND;
	if (offset != packages->at)
		return ST_CONFLICT;
	if (length > packages->row.size - packages->at)
		return ST_INVALID;
	for (size_t done = 0; done < length;) {
		ssize_t count = write(packages->fd, bytes + done, length - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			LOG_ERROR("firmware_upload_failed", "reason=\"%s\"", strerror(errno));
			give_up(packages);
			return ST_IO;
		}
		done += (size_t)count;
	}
	x509_sha512_add(packages->sha, bytes, length);
	packages->at += length;
	*at = packages->at;
	/* Piece by piece, so that no sync waits for 64 MiB. */
	return fdatasync(packages->fd) == 0 ? ST_OK : ST_IO;
}

static bool is_signed(struct as_packages *packages, struct as_firmware_row *row)
{
	struct x509_key *key = x509_key_from_point(packages->point);
	x509_sha512_digest(packages->sha, row->sha512);
	bool good = key && x509_verify(key, row->sha512, row->signature, row->signature_length);
	x509_key_free(key);
	return good;
}

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

enum status as_packages_finish(struct as_packages *packages, uint64_t upload, struct as_firmware_row *row)
{
	char from[PATH_ROOM], to[PATH_ROOM];
	if (packages->fd < 0 || upload != packages->last)
		return ST_NOT_FOUND;
	*row = packages->row;
	bool good = is_signed(packages, row);
	bool synced = fsync(packages->fd) == 0;
	give_up(packages);
	upload_path(packages, from);
	package_path(packages, row, to);
	if (!good) {
		unlink(from);
		return ST_REFUSED;
	}
	return synced && rename(from, to) == 0 && sync_folder(packages->folder) ? ST_OK : ST_IO;
}

enum status as_packages_read(const struct as_packages *packages, const struct as_firmware_row *row,
			     uint64_t offset, uint8_t *bytes, size_t *length)
{
	char path[PATH_ROOM];
	package_path(packages, row, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
	ssize_t count = pread(fd, bytes, AS_FIRMWARE_PIECE, (off_t)offset);
	close(fd);
	if (count < 0)
		return ST_IO;
	*length = (size_t)count;
	return ST_OK;
}
