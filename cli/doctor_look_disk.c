/* The disk below the state directory. */
#include "cli/doctor_look.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FLUSHES 9

/* Numbers of statfs(2). */
static const struct {
	unsigned long magic;
	const char *name;
	bool network;
} kinds[] = {
	{0xef53, "ext4", false},      {0x58465342, "xfs", false},     {0x9123683e, "btrfs", false},
	{0x2fc12fc1, "zfs", false},   {0xf2f52010, "f2fs", false},    {0x01021994, "tmpfs", false},
	{0x858458f6, "ramfs", false}, {0x794c7630, "overlay", false}, {0x65735546, "fuse", false},
	{0x6969, "nfs", true},        {0xff534d42, "cifs", true},     {0xfe534d42, "smb2", true},
	{0x517b, "smb", true},        {0x00c36400, "ceph", true},     {0x01021997, "9p", true},
	{0x5346414f, "afs", true},    {0x0bd00bd0, "lustre", true},   {0x7461636f, "ocfs2", true},
	{0x01161970, "gfs2", true},
};

static void name_kind(struct doctor_facts *facts, unsigned long magic)
{
	snprintf(facts->disk_type, sizeof facts->disk_type, "type %lx", magic);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].magic != magic)
			continue;
		snprintf(facts->disk_type, sizeof facts->disk_type, "%s", kinds[i].name);
		facts->network_disk = kinds[i].network;
	}
}

static int compare(const void *a, const void *b)
{
	long long left = *(const long long *)a, right = *(const long long *)b;
	return left < right ? -1 : left > right;
}

/* A page written and flushed a few times, as a commit does. */
static void measure_flush(struct doctor_facts *facts)
{
	char path[OPTION_PATH_MAX + 32], page[4096] = "";
	long long times[FLUSHES];
	bool good = true;
	snprintf(path, sizeof path, "%s/.doctor-XXXXXX", facts->place.state);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return;
	for (int i = 0; i < FLUSHES && good; i++) {
		struct mono before = clock_mono();
		good = pwrite(fd, page, sizeof page, (off_t)i * (off_t)sizeof page) == sizeof page &&
		       fdatasync(fd) == 0;
		times[i] = mono_since(clock_mono(), before);
	}
	close(fd);
	unlink(path);
	if (!good)
		return;
	qsort(times, FLUSHES, sizeof *times, compare);
	facts->flush_known = true;
	facts->flush_us = times[FLUSHES / 2];
	facts->flush_max_us = times[FLUSHES - 1];
}

void doctor_look_disk(struct doctor_facts *facts)
{
	struct statvfs disk;
	struct statfs kind;
	char path[OPTION_PATH_MAX];
	/* A state directory that is not there yet will be on the disk of what is above it. */
	snprintf(path, sizeof path, "%s", facts->place.state);
	while (access(path, F_OK) != 0 && strchr(path, '/') && path[1])
		path[strrchr(path, '/') == path ? 1 : strrchr(path, '/') - path] = '\0';
	if (statvfs(path, &disk) != 0 || statfs(path, &kind) != 0)
		return;
	facts->disk_known = true;
	facts->disk_free = (unsigned long long)disk.f_bavail * disk.f_frsize;
	facts->disk_size = (unsigned long long)disk.f_blocks * disk.f_frsize;
	facts->inodes = disk.f_files;
	facts->inodes_free = disk.f_favail;
	facts->read_only = disk.f_flag & ST_RDONLY;
	name_kind(facts, (unsigned long)kind.f_type & 0xffffffffUL);
	if (!facts->network_disk && !facts->read_only)
		measure_flush(facts);
}
