/* A passphrase from a person or from a descriptor: never from arguments or the environment, which others can read. The caller's room
 * is wiped by the caller. */
#ifndef LAMPPOST_IO_PASSPHRASE_H
#define LAMPPOST_IO_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#define PASSPHRASE_MAX 512 /* bytes */
#define PASSPHRASE_MIN 12  /* of a new one; the caller checks */

/* Asks on the terminal of the process (/dev/tty), without echo. False: there is no terminal, or it was ended. A signal that ends or
 * stops the process finds the terminal as it was; whoever goes on after a stop is asked again. */
bool passphrase_ask(const char *prompt, char text[PASSPHRASE_MAX], size_t *length);
/* Reads up to the first newline or the end. False: nothing came, or too much. */
bool passphrase_read(int fd, char text[PASSPHRASE_MAX], size_t *length);

#endif
