/* Events and cursors in readings.db. Each event gets the next `seq`; a consumer (the MQTT broker, an SSE
 * reader) has a position, and everything above it is what it has not seen. Events are kept up to a count; a consumer
 * whose position lies before the oldest one kept has a gap, which it is told. */
#ifndef LAMPPOST_AS_STORE_EVENTS_H
#define LAMPPOST_AS_STORE_EVENTS_H

#include "application-server/agencies/scope.h"
#include "application-server/store_readings.h"

#include <jansson.h>

/* Numbers are stored: new kinds come at the end. */
enum as_event_kind {
	AS_EVENT_UP,
	AS_EVENT_JOIN,
	AS_EVENT_ACK,
	AS_EVENT_TXACK,
	AS_EVENT_STATUS,
	AS_EVENT_LOG,
	AS_EVENT_KIND_COUNT
};
const char *as_event_kind_name(enum as_event_kind kind); /* "up", "join"...: the topic's and SSE's word */

struct as_event {
	uint64_t seq; /* filled by as_store_event_put() */
	struct net_uuid id;
	enum as_event_kind kind;
	struct lw_eui64 dev_eui;
	bool has_owner; /* false: the device was not known */
	struct net_uuid agency, application;
	struct wall time;
	const char *body; /* JSON text; borrowed by put, lent by next until the call after it */
};

/* Stores an event, and its reading where there is one. ST_EXISTS: it is there already; nothing was done. */
enum status as_store_event_put(struct as_store *store, struct as_event *event,
			       const struct as_reading *reading) MUST_USE;
/* Whether this turn writes to readings.db already. */
bool as_store_is_writing_events(const struct as_store *store);
/* The last event's seq; 0: there was none yet. */
uint64_t as_store_events_last(const struct as_store *store);
/* The oldest event kept; last + 1 when there is none. */
uint64_t as_store_events_first(struct as_store *store);
/* Fills the event after `seq`; ST_NOT_FOUND: there is none. */
enum status as_store_event_next(struct as_store *store, uint64_t seq, struct as_event *event) MUST_USE;
/* Fills the event of that id; ST_NOT_FOUND: none that is kept. */
enum status as_store_event_find(struct as_store *store, const struct net_uuid *id,
				struct as_event *event) MUST_USE;
/* Events kept now. */
uint64_t as_store_events_count(const struct as_store *store);
/* Removes the oldest events above the count `keep`, at most `limit` of them. */
enum status as_store_events_prune(struct as_store *store, uint64_t keep, unsigned limit) MUST_USE;

/* --- cursors. 0: none stored. */
uint64_t as_store_cursor_get(struct as_store *store, const char *name);
/* Whether it was ever set, be it to 0. */
bool as_store_cursor_known(struct as_store *store, const char *name);
enum status as_store_cursor_set(struct as_store *store, const char *name, uint64_t seq) MUST_USE;

#endif
