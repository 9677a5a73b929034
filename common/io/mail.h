/* One e-mail at a time to an SMTP server (libcurl): in clear, with STARTTLS, or in TLS from the first byte; with user and password or
 * without. The conversation goes on a thread of its own (offload.h), since it may wait for name servers and slow relays for a
 * minute; the loop goes on meanwhile.
 *
 * With STARTTLS a server that does not offer it, or whose certificate is not accepted, gets no mail and no password: there is no
 * falling back to clear text. */
#ifndef LAMPPOST_IO_MAIL_H
#define LAMPPOST_IO_MAIL_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/io/loop.h"

#include <stddef.h>

#define IO_MAIL_RECIPIENTS 16
#define IO_MAIL_REASON     200

enum io_mail_security { IO_MAIL_STARTTLS, IO_MAIL_TLS, IO_MAIL_CLEAR };

struct io_mail_answer {
	/* ST_OK: the server took it for every recipient. ST_REFUSED: it, or its certificate, said no. ST_UNAVAILABLE,
	 * ST_TIMEOUT: try again. */
	enum status status;
	const char *reason; /* for people; "" */
};

struct io_mail {
	const char *host;
	uint16_t port;
	enum io_mail_security security;
	const char *ca_file;             /* "" or NULL: the system's */
	const char *username, *password; /* "" or NULL: none */
	const char *from;
	const char *const *to; /* addresses, NULL-terminated, IO_MAIL_RECIPIENTS at most */
	const char *text;      /* head and body, CR LF */
	size_t length;
	span_us timeout; /* of the whole conversation; 0: 60 s */
	void (*on_done)(void *ctx, struct now now, const struct io_mail_answer *answer);
	void *ctx;
};

struct io_mail_call;

/* Copies all of it; on_done comes exactly once, never from inside. NULL: no thread can be started. */
struct io_mail_call *io_mail_send(struct io_loop *loop, const struct io_mail *mail);
/* No on_done follows; NULL is allowed. */
void io_mail_abandon(struct io_mail_call *call);

#endif
