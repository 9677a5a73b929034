/* The agencies' KEKs at the join server: what city.db has of them (sealed, store_custody.h) is brought to join.sock's /keks. Asks what
 * is there, puts what is missing or older, forgets what was given up; again after every change, when the join server comes back, and
 * now and then (it may have been restored from a backup). What the join server refuses is kept as the KEK's problem, and not tried
 * again before the next version or the next start.
 *
 *	GET /keks ─▶ for each KEK by label:  PUT /keks/LABEL  or  DELETE /keks/LABEL  or nothing ─▶ done, until something changes
 *	     ▲                                                │ no answer
 *	     └──────────────────── back-off ──────────────────┘ */
#ifndef LAMPPOST_AS_EDGE_KEKS_H
#define LAMPPOST_AS_EDGE_KEKS_H

#include "application-server/store_custody.h"
#include "common/io/http_client.h"

#include <jansson.h>

struct as_edge_keks {
	struct as_store *store; /* borrowed */
	struct io_http_client *client;
	struct io_timer *timer;
	char socket[300];
	bool calling;  /* a call is in flight */
	bool walking;  /* `there` is known, the KEKs behind `at` are still to be looked at */
	bool reached;  /* the last call was answered */
	json_t *there; /* owned: label → version, as the join server said last; NULL: not known */
	char at[SEALED_KEK_LABEL_MAX + 1];
	struct as_agency_kek kek; /* of the call in flight */
	uint64_t version;         /* as_store_keks_version() at the beginning of the walk */
	span_us delay;            /* of the next try */
	uint64_t calls, failures, refused;
};

enum status as_edge_keks_open(struct as_edge_keks *edge, struct io_loop *loop, struct as_store *store,
			      const char *run_dir) MUST_USE;
void as_edge_keks_close(struct as_edge_keks *edge);
/* After the commit: starts the next call where one is due. */
void as_edge_keks_drain(struct as_edge_keks *edge);
/* Whether the join server has this version (struct as_api's kek_is_applied). */
bool as_edge_keks_is_applied(void *ctx, const struct as_agency_kek *kek);

#endif
