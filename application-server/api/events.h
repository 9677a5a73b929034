/* What a stream of events shows: a caller's scope, filters, and a position in the events table. */
#ifndef LAMPPOST_AS_EVENTS_H
#define LAMPPOST_AS_EVENTS_H

#include "application-server/agencies/scope.h"
#include "application-server/store_events.h"
#include "application-server/store_joins.h"

struct as_view {
	struct as_scope scope;
	bool by_application, by_device;
	struct net_uuid application;
	struct lw_eui64 dev_eui;
	uint64_t at; /* the last event looked at */
	bool joins;  /* reports of joins too */
	uint64_t joins_at;
};

/* Whether the stream shows it: the scope first, then the filters. */
bool as_view_shows_join(const struct as_view *view, const struct as_attempt *attempt);
bool as_view_shows(const struct as_view *view, const struct as_event *event);

#endif
