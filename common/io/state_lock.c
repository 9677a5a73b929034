#include "common/io/state_lock.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_ROOM 4096

enum status io_lock_take(const char *dir, const char *name, int *fd)
{
	char path[PATH_ROOM];
	int length = snprintf(path, sizeof path, "%s/%s.lock", dir, name);
	if (length < 0 || (size_t)length >= sizeof path)
		return ST_INVALID;
	int taken = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (taken < 0)
		return ST_IO;
	if (flock(taken, LOCK_EX | LOCK_NB) == 0) {
		*fd = taken;
		return ST_OK;
	}
	int reason = errno;
	close(taken);
	errno = reason;
	return reason == EWOULDBLOCK ? ST_EXISTS : ST_IO;
}

enum status io_state_lock(const char *state_dir, const char *process)
{
	int held; /* by the process, until it ends */
	enum status status = io_lock_take(state_dir, process, &held);
	if (status == ST_EXISTS)
		LOG_ERROR("state_in_use", "state_dir=\"%s\" reason=\"another %s runs on it\"", state_dir,
			  process);
	else if (status != ST_OK)
		LOG_ERROR("state_lock", "state_dir=\"%s\" reason=\"%s\"", state_dir, strerror(errno));
	return status;
}
