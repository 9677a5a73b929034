/* The client's own state, shared by its two halves:
 *
 *	mqtt_client.c    the connection: made, watched, given up
 *	mqtt_messages.c  subscriptions and messages, for owners that know nothing of the library */
#ifndef LAMPPOST_IO_MQTT_PARTS_H
#define LAMPPOST_IO_MQTT_PARTS_H

#include "common/io/mqtt_client.h"
#include "common/io/mqtt_connect.h"

enum io_mqtt_phase { IO_MQTT_WAITING, IO_MQTT_CONNECTING, IO_MQTT_UP };

struct io_mqtt {
	struct io_loop *loop;
	struct io_mqtt_hooks hooks;
	char host[256], username[128], password[256], ca_file[256], certificate_file[256], key_file[256];
	char id[64], will_topic[128], will_text[64];
	const char *label;
	uint16_t port;
	int will_qos;
	bool clean, held, tls, will_retain;
	enum io_mqtt_phase phase;
	struct mosquitto *client;           /* owned; NULL while waiting, and lent to `connecting` */
	struct io_mqtt_connect *connecting; /* the name is asked for; NULL: it is not */
	struct io_watch *watch;
	int fd; /* our duplicate of its socket; -1: none */
	struct io_timer *timer;
	struct now now;
	span_us delay, quiet;
	unsigned ticks;    /* in this phase */
	bool refused;      /* the broker said no to our CONNECT */
	bool disconnected; /* noted by a callback */
	uint64_t connections, failures, quiets;
	/* of owners with on_message; of this connection */
	struct mono heard; /* the last message; 0: none yet */
	unsigned asked, granted;
	unsigned pending; /* published, and not written (QoS 1: not acknowledged) */
};

/* Sets the callbacks of an owner with on_message on a new client. */
void io_mqtt_messages_configure(struct io_mqtt *mqtt);
/* The connection is gone: so is what it had. */
void io_mqtt_messages_forget(struct io_mqtt *mqtt);
/* Whether it spoke, and does no more. */
bool io_mqtt_is_quiet(const struct io_mqtt *mqtt, struct mono now);

#endif
