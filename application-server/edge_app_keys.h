/* AppSKeys that did not come with the join: a join server may give a SessionKeyID and no envelope (TS002 §12), and is then asked over
 * join.sock, one session after the other, oldest first. Whose the key is says the label in the answer, as at a join (custody.h).
 *
 *	held_sessions without a key ─▶ AppSKeyReq ─▶ AppSKeyAns with an envelope ─▶ as_custody_take_key(), kept in this turn
 *	        ▲                          │ no answer: the same again, 100 ms to 5 s later
 *	        │                          └ another answer: counted by its reason, logged, told by why; the next one
 *	        └── once an hour from the beginning, and no session for longer than a day
 *
 * Join servers of others are not asked: join.sock answers for the city's devices alone. */
#ifndef LAMPPOST_AS_EDGE_APP_KEYS_H
#define LAMPPOST_AS_EDGE_APP_KEYS_H

#include "application-server/application.h"
#include "application-server/store_custody.h"
#include "common/io/http_client.h"

struct as_edge_app_keys {
	struct as_application *app; /* borrowed */
	struct io_http_client *client;
	struct io_timer *timer;
	char socket[300];
	bool calling;               /* a call is in flight */
	bool waits;                 /* for the next try, or the next hour */
	struct as_held_place place; /* the session that was asked for last */
	struct wall began;          /* when the walk began at the beginning; 0: not yet */
	struct lw_eui64 dev_eui;    /* of the call in flight, or of the next try */
	struct as_held held;
	uint32_t transaction;
	span_us delay; /* of the next try */
};

enum status as_edge_app_keys_open(struct as_edge_app_keys *edge, struct io_loop *loop,
				  struct as_application *app, const char *run_dir) MUST_USE;
void as_edge_app_keys_close(struct as_edge_app_keys *edge);
/* After the commit: starts the next call where one is due. */
void as_edge_app_keys_drain(struct as_edge_app_keys *edge, struct now now);

#endif
