/* One client at an MQTT broker, kept up.
 *
 *	WAITING ──delay──▶ CONNECTING ──CONNACK──▶ UP ──lost──▶ WAITING (delay doubles, 100 ms to 5 s)
 *
 * libmosquitto without its thread: its socket is watched by our loop, through a duplicate of the descriptor, because the
 * library closes its own whenever it likes. Its callbacks run inside its read call; they take notes, and what follows from
 * them is done when the call has returned.
 *
 * `held`: the library acknowledges a message at QoS 1 before it hands it over. A held connection queues all that it has to say
 * and writes in io_mqtt_flush() alone, which is called after the commit: so no PUBACK leaves before what it is about
 * is durable, and what a crash leaves unacknowledged the broker delivers again.
 *
 * Two ways to use it. An owner that needs the library's own calls gets the client in configure() and on_up(), and keeps a row for it
 * in the include table. All others give `on_message`, and use io_mqtt_subscribe() and io_mqtt_publish().
 *
 * Dead connections are found twice. One that answers nothing: the library's keep-alive, within a minute. One that is alive and brings
 * nothing any more (a subscription that the broker forgot, a bridge between brokers that broke): `quiet`, judged by real messages
 * alone. It counts from the first message of a connection, so that a broker on which nobody speaks is not left again and again.
 * Opaque. */
#ifndef LAMPPOST_IO_MQTT_CLIENT_H
#define LAMPPOST_IO_MQTT_CLIENT_H

#include "common/base/units.h"
#include "common/io/address.h"
#include "common/io/loop.h"

#define IO_MQTT_PENDING_MAX 1024 /* messages that were published and have not left; one more is refused */

struct mosquitto;
struct io_mqtt;

/* The broker, and who we are there. Copied; NULL stands for "". */
struct io_mqtt_broker {
	const char *host; /* a name or an address */
	uint16_t port;
	const char *username;         /* "": none */
	const char *password;         /* "": none */
	const char *ca_file;          /* "": no TLS, or with `tls` the system's authorities */
	const char *certificate_file; /* of ours, with `key_file`; "": none */
	const char *key_file;
	bool tls;
};

struct io_mqtt_message {
	const char *topic;
	const uint8_t *bytes; /* borrowed during the call, as the topic is */
	size_t length;
	bool retained;
};

struct io_mqtt_hooks {
	/* Sets callbacks and options on a new client, whose user data is the connection; a code of the library. May be NULL. */
	int (*configure)(void *owner, struct mosquitto *client);
	void (*on_up)(void *owner, struct mosquitto *client); /* may be NULL */
	void (*on_lost)(void *owner);                         /* may be NULL */
	void (*on_tick)(void *owner);                         /* a few times a second; may be NULL */
	/* A message of a subscription; from inside the library's read: it may publish, not lose or change. May be NULL. */
	void (*on_message)(void *owner, struct now now, const struct io_mqtt_message *message);
	/* The broker said no to a subscription of io_mqtt_subscribe(); from inside its read, as on_message. May be NULL. */
	void (*on_refused)(void *owner, struct now now);
	void *owner;
};

/* What the broker says in our place when we are gone without a word. Copied. */
struct io_mqtt_will {
	const char *topic; /* NULL: no will */
	const char *text;
	int qos;
	bool retain;
};

struct io_mqtt_options {
	const struct io_mqtt_broker *broker;
	const char *id;    /* at the broker; copied */
	const char *label; /* in logs; a literal */
	bool clean;        /* no session is kept at the broker */
	bool held;         /* see above */
	span_us quiet;     /* a connection that spoke is given up after so long without a message; 0: never */
	struct io_mqtt_will will;
	struct io_mqtt_hooks hooks;
};

/* Copies the options and begins; ST_NO_MEMORY, ST_INVALID (a file that cannot be read). */
enum status io_mqtt_open(struct io_loop *loop, const struct io_mqtt_options *options,
			 struct io_mqtt **out) MUST_USE;
/* Another broker, or another way to show who we are: begins anew there if anything differs, or `anyway`. Returns whether it
 * did. What was under way is lost() as when a connection breaks. Not from within a hook. */
bool io_mqtt_change(struct io_mqtt *mqtt, const struct io_mqtt_broker *broker, bool anyway);
void io_mqtt_close(
	struct io_mqtt *mqtt); /* NULL is allowed; unless held with a DISCONNECT, so that no will is said */

/* Asks for a subscription, from on_up(). ST_UNAVAILABLE: not connected; ST_INVALID: no filter of MQTT. */
enum status io_mqtt_subscribe(struct io_mqtt *mqtt, const char *filter, int qos) MUST_USE;
/* Gives a message to the library. ST_UNAVAILABLE: not connected; ST_FULL: IO_MQTT_PENDING_MAX wait already; ST_INVALID: a topic or
 * length that MQTT does not have. Only for owners with `on_message`. */
enum status io_mqtt_publish(struct io_mqtt *mqtt, const char *topic, const uint8_t *bytes, size_t length,
			    int qos, bool retain) MUST_USE;
/* Whether every subscription of this connection was granted, and there is one. */
bool io_mqtt_is_subscribed(const struct io_mqtt *mqtt);

/* Lends the client while the connection is up; NULL otherwise. */
struct mosquitto *io_mqtt_client(const struct io_mqtt *mqtt);
/* Fills the broker's address; false when there is no connection. */
bool io_mqtt_peer(const struct io_mqtt *mqtt, struct io_address *address) MUST_USE;
void *io_mqtt_owner(const struct io_mqtt *mqtt);
struct now io_mqtt_now(const struct io_mqtt *mqtt); /* of the read that goes on */
/* Gives it up after a failed call, and begins anew. */
void io_mqtt_lose(struct io_mqtt *mqtt, const char *reason);
/* Writes what waits, as far as the socket takes it; the rest when it is writable. For a held connection: after the commit. */
void io_mqtt_flush(struct io_mqtt *mqtt);

/* The library writes each message by itself. Corked, what is published meanwhile leaves as few full segments: fewer wake-ups of
 * the broker, and no waiting for its TCP acknowledgements (Nagle). */
void io_mqtt_cork(struct io_mqtt *mqtt, bool corked);

const char *io_mqtt_state(const struct io_mqtt *mqtt); /* "waiting", "connecting", "up" */
uint64_t io_mqtt_count(const struct io_mqtt *mqtt);    /* connections made so far */
uint64_t io_mqtt_failures(const struct io_mqtt *mqtt);
uint64_t io_mqtt_quiets(const struct io_mqtt *mqtt); /* of these: given up for their quiet */

#endif
