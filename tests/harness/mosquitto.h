/* A real Mosquitto broker on a port of 127.0.0.1, and a subscriber that collects what it delivers.
 *
 *	struct t_mosquitto *broker = t_mosquitto_start(dir, 0);
 *	struct t_subscriber *agency = t_subscribe(t_mosquitto_port(broker), "agency", "application/#");
 *	...
 *	t_true("delivered", t_subscriber_wait(agency, 37, T_CEILING));
 *	t_subscriber_free(agency);
 *	t_mosquitto_free(broker);
 *
 * The broker persists in `dir`, the subscriber has a persistent session at QoS 1: stopping and starting the broker
 * loses nothing that it had acknowledged. A missing mosquitto is a failed test. */
#ifndef LAMPPOST_TESTS_MOSQUITTO_H
#define LAMPPOST_TESTS_MOSQUITTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t_mosquitto;  /* opaque */
struct t_subscriber; /* opaque; has a thread of its own */

/* Starts it and waits until it accepts connections. `port` 0: a free one; configuration, log and persistence go to
 * `dir`, which outlives it. Aborts when it does not start. */
struct t_mosquitto *t_mosquitto_start(const char *dir, uint16_t port);
uint16_t t_mosquitto_port(const struct t_mosquitto *broker);
/* Orderly stop (saves its sessions), and start again on the same port. Each waits until it is done. */
void t_mosquitto_stop(struct t_mosquitto *broker);
void t_mosquitto_resume(struct t_mosquitto *broker);
/* It stands still, with its connections (SIGSTOP), and goes on. */
void t_mosquitto_freeze(struct t_mosquitto *broker, bool frozen);
void t_mosquitto_free(struct t_mosquitto *broker);

/* Connects, subscribes at QoS 1, waits for the SUBACK; comes back by itself when the broker does. `name` is its client
 * id. Aborts when it cannot. */
struct t_subscriber *t_subscribe(uint16_t port, const char *name, const char *filter);
/* Messages so far, in order of arrival, repeats included. */
size_t t_subscriber_count(struct t_subscriber *subscriber);
/* Waits until there are at least `count`. */
bool t_subscriber_wait(struct t_subscriber *subscriber, size_t count, double ceiling);
/* Lend the topic and the payload (NUL-terminated) of a message until the subscriber is freed. */
const char *t_subscriber_topic(struct t_subscriber *subscriber, size_t index);
const char *t_subscriber_payload(struct t_subscriber *subscriber, size_t index);
void t_subscriber_free(struct t_subscriber *subscriber);

/* Publishes one message at QoS 1 and waits for the PUBACK. */
bool t_publish(uint16_t port, const char *topic, const char *payload);

#endif
