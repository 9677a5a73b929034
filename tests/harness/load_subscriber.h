/* A subscriber that judges what a load generator's uplinks became: which of the expected ones arrived, how often, when, and whether the
 * bytes are those that the generator enciphered (simulator/load_session.h says what they must be).
 *
 *	struct t_load_subscriber *subscriber = t_load_subscribe(port, 1);
 *	t_load_expect(subscriber, &(struct t_load_span){.devices = 200, .count = 1000});
 *	... lamppost-sim load ...
 *	while (t_load_counts(subscriber).received < 1000) ...
 *	t_load_free(subscriber);
 *
 * It is part of what is measured beside: it looks for three members in the text and keeps no message. Opaque; has a thread of its own,
 * whose CPU time it tells. */
#ifndef LAMPPOST_TESTS_LOAD_SUBSCRIBER_H
#define LAMPPOST_TESTS_LOAD_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t_load_subscriber;

/* Uplink k (from 0) is of device first_device + k mod devices, with counter first_fcnt + k / devices. */
struct t_load_span {
	uint32_t devices, first_device, first_fcnt;
	size_t count;
};

struct t_load_counts {
	size_t received; /* distinct uplinks of the span, with the right bytes */
	size_t repeats;  /* of those */
	size_t wrong;    /* uplinks outside the span, of another's DevEUI, or with other bytes */
};

/* Connects to the broker on that port of 127.0.0.1 and subscribes to all uplinks at that QoS; aborts when it cannot. */
struct t_load_subscriber *t_load_subscribe(uint16_t port, int qos);
/* Forgets what was received and judges from now on by this span. */
void t_load_expect(struct t_load_subscriber *subscriber, const struct t_load_span *span);
struct t_load_counts t_load_counts(struct t_load_subscriber *subscriber);
/* When uplink k arrived first, microseconds of the monotonic clock; 0: not yet. */
int64_t t_load_arrival_us(struct t_load_subscriber *subscriber, size_t k);
/* CPU seconds of its thread so far. */
double t_load_cpu_s(const struct t_load_subscriber *subscriber);
void t_load_free(struct t_load_subscriber *subscriber);

#endif
