/* Calls that wait until an import is over, in the order in which they came, as copies of what they asked. Bounded: what finds
 * no room is answered at once (503). */
#ifndef LAMPPOST_AS_WAITING_H
#define LAMPPOST_AS_WAITING_H

#include "application-server/api/api.h"

#define AS_WAITING_MAX   64
#define AS_WAITING_BYTES (128u << 20) /* of bodies: other imports may be among them */

struct as_waiting_call {
	struct as_waiting_call *next;
	uint64_t ticket; /* the edge's name for whoever waits */
	const struct as_route *route;
	struct as_scope scope;
	char *who, *collection, *id, *text; /* owned; NULL: none */
	size_t text_length;
};
void as_waiting_call_free(struct as_waiting_call *call); /* NULL is allowed */

struct as_waiting {
	struct as_waiting_call *first;
	size_t count, bytes;
};
/* Copies it; false: there is no room. */
bool as_waiting_add(struct as_waiting *waiting, uint64_t ticket, const struct as_route *route,
		    const struct as_call *call);
/* Gives the one that waits longest; NULL: none. */
struct as_waiting_call *as_waiting_take(struct as_waiting *waiting);
/* Whoever it was has gone. */
void as_waiting_forget(struct as_waiting *waiting, uint64_t ticket);
void as_waiting_release(struct as_waiting *waiting);

#endif
