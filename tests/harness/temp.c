#include "tests/harness/temp.h"

#include "common/base/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATHS 16

static char folder[200];
static pid_t owner;

static void remove_folder(void)
{
	if (getpid() != owner) /* a forked child of a test */
		return;
	DIR *dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

const char *t_temp(const char *name)
{
	static char paths[PATHS][300];
	static unsigned turn;
	if (!folder[0]) {
		const char *base = getenv("TMPDIR");
		if (!base || strlen(base) > 60) /* a socket's path has 107 bytes at most */
			base = "/tmp";
		snprintf(folder, sizeof folder, "%s/lamppost-test-XXXXXX", base);
		ASSERT(mkdtemp(folder));
		owner = getpid();
		atexit(remove_folder);
	}
	char *path = paths[turn++ % PATHS];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}
