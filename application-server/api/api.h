/* The REST API of city.sock as a table of routes over plain values: a call comes in with its caller's scope, an answer
 * goes out. No sockets here; edge_api.c feeds it. Changes go into the store's turn, and an answer leaves after the commit.
 *
 * Errors are problem+json: {"type", "title", "status", "detail", "field"?, "errors"?, "read_to_line"?}. */
#ifndef LAMPPOST_AS_API_H
#define LAMPPOST_AS_API_H

#include "application-server/agencies/scope.h"
#include "application-server/alarms/notify.h"
#include "application-server/api/events.h"
#include "application-server/application.h"
#include "application-server/census.h"
#include "application-server/health/health.h"
#include "application-server/identity/authority.h"
#include "application-server/joins/joins.h"
#include "application-server/live/gateways.h"
#include "application-server/store_custody.h"

#include <jansson.h>

struct as_api {
	struct as_application *app; /* borrowed */
	struct as_joins *joins;     /* borrowed */
	struct rng *rng;            /* for new UUIDs; borrowed */
	/* Gives the members of GET /api/v1/status that the edges know; NULL: none. */
	json_t *(*status)(void *ctx);
	void *status_ctx;
	/* Passes an order on to the network server; false: it is not reached. NULL: nobody is. */
	bool (*force_rejoin)(void *ctx, const struct net_force_rejoin *order);
	void *force_rejoin_ctx;
	struct as_census *census;            /* borrowed; NULL: none is taken */
	const struct as_live_gateways *live; /* borrowed; NULL: nobody asks the bridge */
	const struct as_health *health;      /* likewise */
	struct as_alarms *alarms;            /* borrowed; NULL: none are judged */
	struct as_notify *notify;            /* borrowed, with `alarms` */
	/* Whether the join server has this KEK; NULL: it is not known. */
	bool (*kek_is_applied)(void *ctx, const struct as_agency_kek *kek);
	void *kek_ctx;
	struct as_authority *authority; /* borrowed: the gateways' CA; NULL: there is none */
	struct as_packages *packages;   /* borrowed: firmware; NULL: none */
	struct as_import *import;       /* the one that goes on (import.h), owned; NULL: none */
	/* Of the network server, as it says at each link (edge_why.c), for filters of frames; owned; NULL: not
	 * known. */
	json_t *network_rules;
	uint64_t calls, refused; /* counters */
};

struct as_call {
	const struct as_scope *scope;
	struct now now;
	const char *who;        /* "uid 1000", for the audit; NULL: nobody in particular */
	const char *collection; /* path parameters; NULL where the pattern has none */
	const char *id;
	const char *item;   /* {item}: beneath the record `id` */
	const json_t *body; /* NULL: none, or the route takes text */
	const char *text;   /* the same as it came; for routes that take text */
	size_t text_length;
	const char *last_event_id; /* the header; NULL: none */
	/* A query parameter's value, or NULL. */
	const char *(*query)(void *ctx, const char *name);
	void *query_ctx;
};

/* What a route wants of a gateway's station; edge_remote.c does it, and answers. */
struct as_remote_wish {
	enum as_remote_kind {
		AS_REMOTE_NONE,
		AS_REMOTE_RUN,   /* `body` */
		AS_REMOTE_SHELL, /* the answer is a stream of bytes */
		AS_REMOTE_INPUT, /* `octets` */
		AS_REMOTE_CLOSE,
		AS_REMOTE_LIST
	} kind;
	char eui[24], who[64], term[32];
};

struct as_answer {
	int status;
	json_t *body;    /* owned; NULL: none */
	uint8_t *octets; /* owned: bytes in place of a body; NULL: none */
	size_t octet_count;
	bool streams; /* the answer goes on: what `view` shows */
	bool later;   /* there is none yet: as_import_step() gives it */
	struct as_why
		*why; /* owned: what the other processes are to be asked before it is answered (why/why.h) */
	char asks_network[48]; /* path of the network server's admin socket that answers; "": none */
	char asks_bridge[48];  /* likewise of the bridge's, with POST; `body` goes along if there is one */
	struct as_remote_wish remote;
	bool asks_join; /* the join server answers `body` (api/allow_once.c) */
	struct as_view view;
};
void as_answer_release(struct as_answer *answer);

struct as_route {
	const char *method;  /* "GET" */
	const char *pattern; /* "/api/v1/{collection}/{id}" */
	void (*handle)(struct as_api *api, const struct as_call *call, struct as_answer *answer);
};
extern const struct as_route as_routes[];
extern const size_t as_route_count;

/* Whether its body is read from the text itself (an import's is large). */
bool as_route_takes_text(const struct as_route *route);
/* Whether it changes records. Such calls wait while an import goes on: what was checked must hold until it is written. */
bool as_route_changes_records(const struct as_route *route);

/* Runs a route's handler with an answer that is empty before; counts. Every call comes through here, streams too, and
 * nobody's gets 404 whatever the route. */
void as_api_call(struct as_api *api, const struct as_route *route, const struct as_call *call,
		 struct as_answer *answer);

#endif
