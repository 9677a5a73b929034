/* Listens in the place of a Unix socket, passes everything on in both directions, and keeps a copy: what a process says to another.
 *
 *	struct t_relay *relay = t_relay_start(".../run/join.sock");      the real socket is renamed; callers have to connect anew
 *	...
 *	size_t length;
 *	const uint8_t *said = t_relay_bytes(relay, &length);
 *	t_relay_free(relay);                                           puts the real socket back */
#ifndef LAMPPOST_TESTS_RELAY_H
#define LAMPPOST_TESTS_RELAY_H

#include <stddef.h>
#include <stdint.h>

struct t_relay; /* opaque; has a thread of its own */

struct t_relay *t_relay_start(const char *socket_path);
/* Lends a copy of both directions of all connections so far, until the next call. */
const uint8_t *t_relay_bytes(struct t_relay *relay, size_t *length);
void t_relay_free(struct t_relay *relay);

#endif
