/* Child processes of `lamppost up`, and of servers that have runners. A child whose parent dies gets SIGTERM:
 * the parent names itself in LAMPPOST_PARENT, the child's io_harden() asks the kernel for it. */
#ifndef LAMPPOST_IO_PROCESS_H
#define LAMPPOST_IO_PROCESS_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/io/loop.h"

#include <stddef.h>
#include <stdint.h>

struct io_process;

struct io_process_options {
	const char *program;          /* a path; no search */
	const char *const *arguments; /* NULL-terminated, [0] included */
	const char *const
		*variables; /* "NAME=value" added to the own environment, NULL-terminated; NULL: none */
	/* Given to the child as 3, 4... (LISTEN_FDS, see listen_fds.h); at most 32; borrowed. */
	const int *descriptors;
	size_t descriptor_count;
	bool new_group; /* a process group of its own, so that a terminal's Ctrl-C reaches the parent alone */
	/* Each line of its standard output and error, without the newline, at most 4,095 bytes; NULL:
	 * inherited. */
	void (*on_line)(void *ctx, struct now now, const char *line);
	/* It ended: exit code, or the signal that killed it (else 0). Free it then or later. */
	void (*on_exit)(void *ctx, struct now now, int exit_code, int signal);
	void *ctx;
};

/* ST_NOT_FOUND: no such program; ST_REFUSED: not executable; ST_IO. */
enum status io_process_spawn(struct io_loop *loop, const struct io_process_options *options,
			     struct io_process **out) MUST_USE;
/* Harmless once it has ended. */
void io_process_signal(struct io_process *process, int signal);
/* 0 once it has ended. */
int io_process_pid(const struct io_process *process);
/* Forgets it; a child that still runs is not killed. No callback follows. NULL is allowed. */
void io_process_free(struct io_process *process);

/* Turns a user's name or number into a uid, for callers_init(). False: no such user. */
bool io_find_user(const char *name, uint32_t *uid);

/* Called first in every main(): umask 0007, no core dumps and no ptrace by others (PR_SET_DUMPABLE 0,
 * invariant 5), SIGPIPE ignored, SIGHUP ignored until the
 * loop takes it over, SIGTERM when the parent that spawned us dies. */
void io_harden(void);

#endif
