/* Unix sockets by path, for common/io alone: listening with mode 0660 in place of a stale socket, and peer
 * credentials. */
#ifndef LAMPPOST_IO_UNIX_SOCKET_H
#define LAMPPOST_IO_UNIX_SOCKET_H

#include "common/base/status.h"
#include "common/io/address.h"

/* Gives a bound socket that does not listen yet (uv_listen does). A stale socket at the path is replaced.
 * ST_EXISTS: somebody serves there, or it is no socket; ST_INVALID: the path is too long; ST_IO. Logged. */
enum status io_unix_bind(const char *path, int *out) MUST_USE;
/* Fills zeros (root!) never: on failure ids that no rule grants anything (UINT32_MAX). */
struct io_peer io_unix_peer(int fd);

#endif
