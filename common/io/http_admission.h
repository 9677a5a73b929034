/* Whom a server on the open network lets in (struct io_http_admission): rates and counts, of all and of each source. Pure.
 *
 * Of all: the connection waits in the kernel's backlog until there is room, so nobody is refused when a whole city's gateways
 * come back at once. Of one source: refused, before a byte is read, since who waits would make all others wait. */
#ifndef LAMPPOST_IO_HTTP_ADMISSION_H
#define LAMPPOST_IO_HTTP_ADMISSION_H

#include "common/base/table.h"
#include "common/io/http_server.h"

struct http_admission {
	struct io_http_admission limits;
	struct table sources; /* of struct http_source */
	unsigned handshaking;
	struct mono due; /* of the rate of all: when the next would be on time */
};

enum http_admitted { HTTP_ADMITTED, HTTP_SOURCE_FULL, HTTP_SOURCE_TOO_FAST };

/* `connections`: how many the server has at most. */
void http_admission_init(struct http_admission *admission, const struct io_http_admission *limits,
			 size_t connections, struct rng *rng);
void http_admission_release(struct http_admission *admission);
/* Whether a new handshake may begin at all; else *wait says when to ask again at the latest. */
bool http_admission_has_room(const struct http_admission *admission, struct mono now, span_us *wait);
/* Judges a new connection; when it is admitted, it counts, and a handshake begins. */
enum http_admitted http_admission_enter(struct http_admission *admission, struct mono now,
					const struct io_address *from);
void http_admission_handshake_ended(struct http_admission *admission);
void http_admission_leave(struct http_admission *admission, const struct io_address *from);
/* Forgets sources of which nothing is to be remembered. */
void http_admission_sweep(struct http_admission *admission, struct mono now);

#endif
