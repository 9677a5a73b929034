/* What a stream of events shows: a caller's scope, filters, and a position in the events table. */
#ifndef LAMPPOST_AS_EVENTS_H
#define LAMPPOST_AS_EVENTS_H

#include "application-server/agencies/scope.h"
#include "application-server/store_events.h"
#include "application-server/store_joins.h"
#include "common/proto/frame_messages.h"

struct as_view {
	struct as_scope scope;
	bool by_application, by_device;
	struct net_uuid application;
	struct lw_eui64 dev_eui;
	uint64_t at; /* the last event looked at */
	bool joins;  /* reports of joins too */
	uint64_t joins_at;
	bool frames; /* live frames, and nothing else */
	struct net_frame_filter frame_filter;
};

/* Streams that may be open at once: in all, of one agency (whichever of its callers), of the city's administrators. So that nobody
 * who leaves streams open keeps the others from theirs. */
#define AS_STREAMS_MAX       64
#define AS_STREAMS_OF_AGENCY 16
#define AS_STREAMS_OF_CITY   32
/* How many the caller may have. */
unsigned as_stream_share(const struct as_scope *scope);

/* Whether the stream shows it: the scope first, then the filters. */
bool as_view_shows_join(const struct as_view *view, const struct as_attempt *attempt);
/* `owner`: the agency of the frame's device; NULL: of none, or none is known. */
bool as_view_shows_frame(const struct as_view *view, const struct net_frame *frame,
			 const struct net_uuid *owner);
bool as_view_shows(const struct as_view *view, const struct as_event *event);

#endif
