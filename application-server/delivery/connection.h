/* One client at an MQTT broker, kept up: events leave on one, commands come on another.
 *
 *	WAITING ──delay──▶ CONNECTING ──CONNACK──▶ UP ──lost──▶ WAITING (delay doubles, 100 ms to 5 s)
 *
 * libmosquitto without its thread: its socket is watched by our loop, through a duplicate of the descriptor, because the
 * library closes its own whenever it likes. Its callbacks run inside its read call; they take notes, and what follows from
 * them is done when the call has returned.
 *
 * `held`: the library acknowledges a message at QoS 1 before it hands it over. A held connection queues all that it has to say
 * and writes in as_connection_flush() alone, which is called after the commit: so no PUBACK leaves before what it is about
 * is durable, and what a crash leaves unacknowledged the broker delivers again. Opaque. */
#ifndef LAMPPOST_AS_CONNECTION_H
#define LAMPPOST_AS_CONNECTION_H

#include "common/base/units.h"
#include "common/io/loop.h"

struct mosquitto;
struct as_connection;

/* The broker, and who we are there. Copied. */
struct as_broker {
	const char *host; /* a name or an address */
	uint16_t port;
	const char *username; /* "": none */
	const char *password; /* "": none */
	const char *ca_file;  /* "": no TLS */
};

struct as_connection_hooks {
	/* Sets callbacks and options on a new client, whose user data is the connection; a code of the library. */
	int (*configure)(void *owner, struct mosquitto *client);
	void (*on_up)(void *owner, struct mosquitto *client); /* may be NULL */
	void (*on_lost)(void *owner);                         /* may be NULL */
	void (*on_tick)(void *owner);                         /* a few times a second; may be NULL */
	void *owner;
};

struct as_connection_options {
	const struct as_broker *broker;
	const char *id;    /* at the broker; copied */
	const char *label; /* in logs; a literal */
	bool clean;        /* no session is kept at the broker */
	bool held;         /* see above */
	struct as_connection_hooks hooks;
};

/* Copies the options and begins; ST_NO_MEMORY, ST_INVALID (no such CA file). */
enum status as_connection_open(struct io_loop *loop, const struct as_connection_options *options,
			       struct as_connection **out) MUST_USE;
/* Another broker, or another way to show who we are: begins anew there if anything differs, or `anyway`. Returns whether it
 * did. What was under way is lost() as when a connection breaks. Not from within a hook. */
bool as_connection_change(struct as_connection *connection, const struct as_broker *broker, bool anyway);
void as_connection_close(struct as_connection *connection); /* NULL is allowed */

/* Lends the client while the connection is up; NULL otherwise. */
struct mosquitto *as_connection_client(const struct as_connection *connection);
void *as_connection_owner(const struct as_connection *connection);
struct now as_connection_now(const struct as_connection *connection); /* of the read that goes on */
/* Gives it up after a failed call, and begins anew. */
void as_connection_lose(struct as_connection *connection, const char *reason);
/* Writes what waits, as far as the socket takes it; the rest when it is writable. For a held connection: after the commit. */
void as_connection_flush(struct as_connection *connection);

/* The library writes each message by itself. Corked, what is published meanwhile leaves as few full segments: fewer wake-ups of
 * the broker, and no waiting for its TCP acknowledgements (Nagle). */
void as_connection_cork(struct as_connection *connection, bool corked);

const char *as_connection_state(const struct as_connection *connection); /* "waiting", "connecting", "up" */
uint64_t as_connection_count(const struct as_connection *connection);    /* connections made so far */
uint64_t as_connection_failures(const struct as_connection *connection);

#endif
