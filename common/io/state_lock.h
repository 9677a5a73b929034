/* One process a state. Two network servers on one database would each count from their own memory, and one of them would use a
 * downlink counter again (invariant 2); two supervisors would fight over the sockets. A lock of the kernel's (flock) goes with
 * its holder, however that ends, so that nothing stale is left behind; the file stays. */
#ifndef LAMPPOST_IO_STATE_LOCK_H
#define LAMPPOST_IO_STATE_LOCK_H

#include "common/base/status.h"

/* Fills the descriptor that holds the lock: it is kept open until the process ends, and no child inherits it.
 * ST_EXISTS: another process holds it; ST_INVALID: the path is too long; ST_IO. */
enum status io_lock_take(const char *dir, const char *name, int *fd) MUST_USE;

/* The same for a server before it opens its database, with the reason in the log. */
enum status io_state_lock(const char *state_dir, const char *process) MUST_USE;

#endif
