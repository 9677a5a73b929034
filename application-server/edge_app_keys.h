/* AppSKeys that did not come with the join: a join server may give a SessionKeyID and no envelope (TS002 §12), and is then asked: the
 * city's own over join.sock, others (application-server.join_servers) over HTTPS with the certificate or the headers of their row. Whose
 * the key is says the label in the answer, as at a join (custody.h).
 *
 *	held_sessions without a key ─▶ AppSKeyReq ─▶ AppSKeyAns with an envelope ─▶ as_custody_on_app_key(), kept in this turn
 *	        ▲                          │ no answer: the same again, 100 ms to 5 s later
 *	        │                          └ another answer: counted by its reason, logged, told by why; the next one
 *	        └── once an hour from the beginning, and no session for longer than a day
 *
 * Each join server has a lane of its own: one call at a time, oldest session first, its own pause and connections; one that is slow or
 * down holds up nobody else's keys. A session belongs to the lane of the longest block that holds its JoinEUI, else to ours. They answer
 * in the response: nothing listens for answers that come by themselves. */
#ifndef LAMPPOST_AS_EDGE_APP_KEYS_H
#define LAMPPOST_AS_EDGE_APP_KEYS_H

#include "application-server/application.h"
#include "application-server/store_custody.h"
#include "common/backend/join_server.h"
#include "common/io/http_client.h"
#include "common/io/http_identity.h"
#include "common/text/config.h"

struct as_edge_app_keys;

struct as_app_key_lane {
	struct as_edge_app_keys *edge;
	struct bi_join_server server;     /* of others; ours: without a name */
	struct io_http_identity identity; /* of others */
	struct io_http_client *client;
	struct io_timer *timer;
	bool calling;               /* a call is in flight */
	bool waits;                 /* for the next try, or for the next slice of the walk */
	struct as_held_place place; /* the session that was asked for last */
	struct wall began;          /* when the walk began at the beginning; 0: not yet */
	struct lw_eui64 dev_eui;    /* of the call in flight, or of the next try */
	struct as_held held;
	uint32_t transaction;
	span_us delay; /* of the next try */
	uint64_t calls;
};

struct as_edge_app_keys {
	struct as_application *app; /* borrowed */
	struct io_loop *loop;       /* borrowed */
	char socket[300];
	struct as_app_key_lane ours;
	uint8_t count;
	struct as_app_key_lane *lanes[OPTION_MAP_MAX]; /* owned */
	struct bi_join_server servers[OPTION_MAP_MAX]; /* as the lanes have them */
};

enum status as_edge_app_keys_open(struct as_edge_app_keys *edge, struct io_loop *loop,
				  struct as_application *app, const char *run_dir) MUST_USE;
void as_edge_app_keys_close(struct as_edge_app_keys *edge);
/* After the commit: starts the next call of each lane where one is due. */
void as_edge_app_keys_drain(struct as_edge_app_keys *edge, struct now now);

/* --- edge_app_key_servers.c: which join servers of others there are */
struct as_app_key_change {
	uint8_t count;
	struct as_app_key_lane *lanes[OPTION_MAP_MAX]; /* owned */
};
/* Reads rows and files. False with one line in `problem`, and nothing is held. */
bool as_edge_app_keys_prepare(const struct option_map *map, struct as_app_key_change *change,
			      char problem[CONFIG_ERROR_MAX]);
/* Puts it in force; or drops it. Either ends it. */
void as_edge_app_keys_take_over(struct as_edge_app_keys *edge, struct as_app_key_change *change);
void as_edge_app_keys_drop(struct as_app_key_change *change);

/* Between the two files. */
void as_app_key_lane_open(struct as_app_key_lane *lane, struct as_edge_app_keys *edge);
void as_app_key_lane_free(struct as_app_key_lane *lane);

#endif
