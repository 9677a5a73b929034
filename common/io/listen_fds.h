/* Listening sockets that outlive a process: whoever starts it opened them and hands them over, so that between its end and the
 * next start no datagram or connection is refused; they wait in the kernel's buffers.
 *
 * The convention is systemd's (sd_listen_fds(3)): descriptors from 3 on, LISTEN_FDS how many, LISTEN_FDNAMES their names with
 * colons between, LISTEN_PID for whom. `lamppost up` hands over the same way, but cannot
 * know the pid before it starts the process: it names itself, as the parent, in LAMPPOST_LISTEN_PARENT.
 *
 * A socket's name is the configuration key that it serves, a dot and the item's index: "udp_listen.0", "udp_listen.1",
 * "station_listen.0". A socket that is not bound as the configuration says is not used. */
#ifndef LAMPPOST_IO_LISTEN_FDS_H
#define LAMPPOST_IO_LISTEN_FDS_H

#include "common/base/status.h"
#include "common/io/address.h"

#include <stdbool.h>
#include <sys/socket.h> /* SOCK_DGRAM, SOCK_STREAM */

#define IO_LISTEN_FDS_MAX  32
#define IO_LISTEN_NAME_MAX 64
#define IO_LISTEN_PARENT   "LAMPPOST_LISTEN_PARENT"

struct io_listen_fds {
	struct {
		char name[IO_LISTEN_NAME_MAX];
		int fd; /* close-on-exec; -1: taken */
	} rows[IO_LISTEN_FDS_MAX];
	size_t count;
};

/* Reads and removes the variables. No sockets handed over: an empty list. */
void io_listen_fds_receive(struct io_listen_fds *fds);
/* Gives the descriptor of `key`.`index` when it is one of `type` (SOCK_DGRAM, SOCK_STREAM) bound to `host` (as in
 * io_address_parse()) and `port`, else 0; one of another kind or address is logged and left. The caller owns it. */
int io_listen_fds_take(struct io_listen_fds *fds, const char *key, unsigned index, int type, const char *host,
		       uint16_t port);
/* Closes those that nobody took, each logged. */
void io_listen_fds_release(struct io_listen_fds *fds);

/* For who hands over: opens, binds and, for SOCK_STREAM, listens. ST_INVALID: no numeric host; ST_EXISTS (in
 * use), ST_IO: logged. */
enum status io_listen_fd_open(int type, const char *host, uint16_t port, int *fd) MUST_USE;

#endif
