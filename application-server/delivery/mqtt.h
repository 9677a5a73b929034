/* Delivery to an MQTT broker: every event of a known device, in order; at QoS 1, the default, at least once.
 *
 * Judged by the receiver's word: the cursor moves on PUBACK, over what is acknowledged without a hole, and is stored.
 * After a broker's or an own restart delivery goes on from the cursor; what was sent and not acknowledged is sent again,
 * so a subscriber knows a repeat by `deduplicationId`. At most `in_flight` messages wait for their PUBACK; nothing else is
 * kept in memory, since the events table is the queue. At QoS 0 the socket's word stands for the broker's: faster, and what
 * was under way when the connection broke is lost. If the table's oldest events went before they were delivered, one
 * message on AS_MQTT_GAP_TOPIC says from where to where.
 *
 * A broker that is configured for the first time gets what comes from then on: weeks of old readings at once are nothing that a
 * subscriber expects. With `replay` it gets all that is kept. */
#ifndef LAMPPOST_AS_MQTT_H
#define LAMPPOST_AS_MQTT_H

#include "common/io/mqtt_client.h"
#include "application-server/store_events.h"
#include "common/io/loop.h"

#define AS_MQTT_GAP_TOPIC \
	"lamppost/event/gap" /* {"from": N, "to": N, "count": N}: of the events' own numbers */

struct as_mqtt_options {
	struct io_mqtt_broker broker;
	unsigned in_flight; /* 1 .. 65535 */
	int qos;            /* 0 or 1 */
	bool replay;        /* the first broker ever gets what is kept from before it */
};

struct as_mqtt_status {
	const char *state; /* "off", "waiting", "connecting", "up" */
	uint64_t cursor;   /* everything up to here is with the broker (QoS 0: was given to it) */
	uint64_t backlog;  /* events behind it */
	unsigned in_flight;
	uint64_t published, acknowledged, connections, failures, gaps;
};

struct as_mqtt;

/* Copies the options and starts; ST_NO_MEMORY, ST_INVALID (no such CA file). */
enum status as_mqtt_open(struct io_loop *loop, struct as_store *store, const struct as_mqtt_options *options,
			 struct as_mqtt **out) MUST_USE;
/* The configuration changed: connects anew if anything but `replay` differs, and goes on from the cursor. Returns whether it did. */
bool as_mqtt_change(struct as_mqtt *mqtt, const struct as_mqtt_options *options);
void as_mqtt_close(struct as_mqtt *mqtt); /* NULL is allowed */
/* Before the commit: stores the cursor if the turn writes anyway or a while has passed. */
enum status as_mqtt_before_commit(struct as_mqtt *mqtt) MUST_USE;
/* The same whether it is time or not: before an orderly end while running. */
enum status as_mqtt_save(struct as_mqtt *mqtt) MUST_USE;
/* After the commit: publishes what there is and fits. Returns whether more waits for a later turn. */
bool as_mqtt_drain(struct as_mqtt *mqtt);
struct as_mqtt_status as_mqtt_status(const struct as_mqtt *mqtt);

#endif
