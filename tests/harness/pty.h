/* A program on a terminal of its own: what it draws is read by a small terminal (vt.h), keys are typed, and afterwards it can be
 * seen whether the terminal is as it was. */
#ifndef LAMPPOST_TESTS_PTY_H
#define LAMPPOST_TESTS_PTY_H

#include "tests/harness/vt.h"

#include <termios.h>

struct t_pty {
	int master, slave;
	int pid;
	bool over;
	int code; /* exit code, 128 + signal; once it is over */
	struct termios before;
	struct t_vt vt;
};

/* Starts a program of this build with the terminal as its own; both lists end with NULL. `variables` are "NAME=value". */
void t_pty_start(struct t_pty *pty, unsigned columns, unsigned rows, const char *program,
		 const char *const *arguments, const char *const *variables);
/* Reads what came, and notes an end. */
void t_pty_pump(struct t_pty *pty);
void t_pty_type(struct t_pty *pty, const char *keys);
void t_pty_resize(struct t_pty *pty, unsigned columns, unsigned rows);
/* Whether the terminal does what it did before the program began. */
bool t_pty_is_as_before(struct t_pty *pty);
bool t_pty_is_stopped(struct t_pty *pty); /* by a signal; waits for none */
void t_pty_close(struct t_pty *pty);      /* kills it if it still runs */

#endif
