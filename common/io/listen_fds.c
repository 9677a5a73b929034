#include "common/io/listen_fds.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST   3 /* SD_LISTEN_FDS_START */
#define BACKLOG 4096

/* A number in a variable that is removed; −1: none. */
static long take_number(const char *variable)
{
	const char *text = getenv(variable);
	long number = text ? strtol(text, NULL, 10) : -1;
	unsetenv(variable);
	return number;
}

static void name_rows(struct io_listen_fds *fds, const char *names)
{
	for (size_t i = 0; names && i < fds->count; i++) {
		size_t length = strcspn(names, ":");
		snprintf(fds->rows[i].name, sizeof fds->rows[i].name, "%.*s", (int)length, names);
		names += length;
		names += *names == ':';
	}
}

void io_listen_fds_receive(struct io_listen_fds *fds)
{
	char names[IO_LISTEN_FDS_MAX * IO_LISTEN_NAME_MAX] = "";
	const char *given = getenv("LISTEN_FDNAMES");
	if (given)
		snprintf(names, sizeof names, "%s", given);
	unsetenv("LISTEN_FDNAMES");
	long count = take_number("LISTEN_FDS"), pid = take_number("LISTEN_PID");
	long parent = take_number(IO_LISTEN_PARENT);
	*fds = (struct io_listen_fds){0};
	if (count <= 0 || (pid != getpid() && parent != getppid()))
		return; /* meant for another process */
	fds->count = count < IO_LISTEN_FDS_MAX ? (size_t)count : IO_LISTEN_FDS_MAX;
	for (size_t i = 0; i < fds->count; i++) {
		int fd = FIRST + (int)i;
		fds->rows[i].fd = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
	}
	name_rows(fds, names);
}

/* Whether the socket is what the configuration asks for. */
static bool suits(int fd, int type, const struct io_address *wanted, struct io_address *bound)
{
	int is_type = 0;
	socklen_t length = sizeof is_type;
	struct sockaddr_storage name = {0};
	socklen_t name_length = sizeof name;
	*bound = (struct io_address){0};
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &is_type, &length) != 0 || is_type != type ||
	    getsockname(fd, (struct sockaddr *)&name, &name_length) != 0 ||
	    (name.ss_family != AF_INET && name.ss_family != AF_INET6))
		return false;
	*bound = io_address_from_sockaddr((struct sockaddr *)&name);
	return io_address_equal(wanted, bound);
}

int io_listen_fds_take(struct io_listen_fds *fds, const char *key, unsigned index, int type, const char *host,
		       uint16_t port)
{
	char name[IO_LISTEN_NAME_MAX], text[IO_ADDRESS_TEXT];
	struct io_address wanted, bound;
	snprintf(name, sizeof name, "%s.%u", key, index);
	if (port == 0 || io_address_parse(host, port, &wanted) != ST_OK)
		return 0;
	for (size_t i = 0; i < fds->count; i++) {
		int fd = fds->rows[i].fd;
		if (fd < 0 || strcmp(fds->rows[i].name, name) != 0)
			continue;
		if (suits(fd, type, &wanted, &bound)) {
			fds->rows[i].fd = -1;
			return fd;
		}
		LOG_WARN("listen_fd_unlike", "name=%s bound=%s reason=\"the configuration says otherwise\"",
			 name, io_address_format(text, &bound));
	}
	return 0;
}

void io_listen_fds_release(struct io_listen_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++) {
		if (fds->rows[i].fd < 0)
			continue;
		LOG_WARN("listen_fd_unused", "name=%s", fds->rows[i].name);
		close(fds->rows[i].fd);
	}
	fds->count = 0;
}

enum status io_listen_fd_open(int type, const char *host, uint16_t port, int *fd)
{
	struct io_address address;
	enum status status = io_address_parse(host, port, &address);
	if (status != ST_OK)
		return status;
	struct sockaddr_storage bound;
	socklen_t length = (socklen_t)io_address_to_sockaddr(&address, &bound);
	int on = 1, off = 0;
	int made = socket(address.family == 6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* TCP alone: a UDP port could be taken over by a second process. */
	bool ready = made >= 0 &&
		     (type == SOCK_DGRAM ||
		      setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0) &&
		     (address.family == 4 ||
		      setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
		     bind(made, (struct sockaddr *)&bound, length) == 0 &&
		     (type == SOCK_DGRAM || listen(made, BACKLOG) == 0);
	if (ready) {
		*fd = made;
		return ST_OK;
	}
	int error = errno;
	LOG_WARN("listen_fd", "host=\"%s\" port=%u reason=\"%s\"", host, port, strerror(error));
	if (made >= 0)
		close(made);
	return error == EADDRINUSE ? ST_EXISTS : ST_IO;
}
