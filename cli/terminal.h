/* A terminal for a program that fills it: its own picture beside what was there before, keys one by one, its size, and
 * everything put back at the end, whatever end that is: a return, SIGINT and SIGTERM (through the loop), SIGTSTP and SIGCONT, a
 * crash. One at a time in a process, since signals have no owner. */
#ifndef LAMPPOST_CLI_TERMINAL_H
#define LAMPPOST_CLI_TERMINAL_H

#include "common/io/loop.h"

#include <stddef.h>
#include <stdint.h>

/* Keys that are no character; others are their character, 32 to 126. */
enum terminal_key {
	KEY_NONE, /* nothing that is understood */
	KEY_ENTER = 256,
	KEY_ESCAPE,
	KEY_BACKSPACE,
	KEY_UP,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END
};

/* Reads one key of what a terminal sent (at least a byte) and returns the bytes that it took. Pure. An escape that begins
 * nothing is the key of that name. */
size_t terminal_key_read(const uint8_t *bytes, size_t length, int *key);

struct terminal_hooks {
	void (*on_key)(void *ctx, int key);
	/* Another size, or it is shown again: everything has to be drawn anew. */
	void (*on_change)(void *ctx);
	void (*on_gone)(void *ctx); /* the terminal was closed */
	void *ctx;
};

struct terminal; /* opaque */

/* Takes standard input and output over. NULL: they are no terminal. `hooks` is copied. */
struct terminal *terminal_open(struct io_loop *loop, const struct terminal_hooks *hooks);
/* Puts everything back. NULL is allowed. */
void terminal_close(struct terminal *terminal);
void terminal_size(const struct terminal *terminal, unsigned *columns, unsigned *rows);
void terminal_write(struct terminal *terminal, const char *bytes, size_t length);
/* Whether standard input and output are a terminal that can be filled (TERM is not `dumb`). */
bool terminal_is_usable(void);

#endif
