#include "common/io/unix_socket.h"

#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum status remove_stale(const struct sockaddr_un *address)
{
	struct stat stat;
	if (lstat(address->sun_path, &stat) != 0)
		return ST_OK;
	if (!S_ISSOCK(stat.st_mode)) {
		LOG_ERROR("unix_bind", "path=\"%s\" reason=\"is there and is no socket\"", address->sun_path);
		return ST_EXISTS;
	}
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return ST_IO;
	int error = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
	close(probe);
	if (error != ECONNREFUSED) {
		LOG_ERROR("unix_bind", "path=\"%s\" reason=\"another process serves it\"", address->sun_path);
		return ST_EXISTS;
	}
	return unlink(address->sun_path) == 0 || errno == ENOENT ? ST_OK : ST_IO;
}

enum status io_unix_bind(const char *path, int *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof address.sun_path) {
		LOG_ERROR("unix_bind", "path=\"%s\" reason=\"a socket's path has 1 to 107 bytes\"", path);
		return ST_INVALID;
	}
	memcpy(address.sun_path, path, length);
	enum status status = remove_stale(&address);
	if (status != ST_OK)
		return status;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the socket becomes the file's at bind, less the umask: it is never wider than 0660, not
	 * for an instant. */
	if (fd < 0 || fchmod(fd, 0660) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(path, 0660) != 0) {
		LOG_ERROR("unix_bind", "path=\"%s\" reason=\"%s\"", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ST_IO;
	}
	*out = fd;
	return ST_OK;
}

struct io_peer io_unix_peer(int fd)
{
	struct ucred credentials;
	socklen_t length = sizeof credentials;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
		return (struct io_peer){UINT32_MAX, UINT32_MAX, 0};
	return (struct io_peer){credentials.uid, credentials.gid, (uint32_t)credentials.pid};
}
