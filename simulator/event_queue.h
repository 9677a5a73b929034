/* The events of the virtual world in the order of their time; those of the same time in the order in which they were put. */
#ifndef LAMPPOST_SIM_EVENT_QUEUE_H
#define LAMPPOST_SIM_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind {
	SIM_EVENT_DEVICE,        /* a device's deadline; stale if the device has moved it */
	SIM_EVENT_GATEWAY,       /* a gateway's, likewise */
	SIM_EVENT_AIR_END,       /* a frame ends; owns it */
	SIM_EVENT_UP_DATAGRAM,   /* leaves the backhaul towards the server; owns it */
	SIM_EVENT_DOWN_DATAGRAM, /* arrives at a gateway; owns it */
	SIM_EVENT_STATION,       /* a station's deadline; stale if it has moved it */
	SIM_EVENT_STATION_UP,    /* what a station does at its socket, behind its backhaul; owns it */
	SIM_EVENT_STATION_DOWN,  /* what happened at the socket arrives at the station; owns it */
	SIM_EVENT_MQTT,          /* a forwarder's statistics are due */
	SIM_EVENT_MQTT_UP,       /* what it publishes, behind its backhaul; owns it */
	SIM_EVENT_MQTT_DOWN,     /* a command arrives at it; owns it */
	SIM_EVENT_FAULT,
	SIM_EVENT_FAULT_END
};

struct sim_event {
	int64_t at_us;
	uint64_t sequence; /* the queue's */
	enum sim_event_kind kind;
	size_t index; /* device, gateway or fault */
	void *owned;  /* what the kind says it owns, else NULL; whoever takes the event frees it */
};

struct sim_event_queue {
	struct sim_event *heap; /* owned */
	size_t count;
	size_t room;
	uint64_t sequence;
};

/* Starts from zeroed memory; grows as needed and aborts without memory. */
void sim_event_queue_put(struct sim_event_queue *queue, struct sim_event event);
/* Takes the earliest event that is due at `until_us`; false when none is. */
bool sim_event_queue_take(struct sim_event_queue *queue, int64_t until_us, struct sim_event *event);
/* The time of the earliest; INT64_MAX for none. */
int64_t sim_event_queue_next_us(const struct sim_event_queue *queue);
void sim_event_queue_release(struct sim_event_queue *queue);

#endif
