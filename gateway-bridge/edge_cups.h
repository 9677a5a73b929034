/* CUPS' listener around bridge_cups.h: POST /update-info over TLS. The bridge authenticates by itself; what is to change the
 * application server says over city.sock, within 2 s, or nothing changes.
 *
 *	question ──judged──▶ 401, empty
 *	             └──▶ asking ──answer, error, 2 s──▶ 200: segments, empty ones where nothing is to change
 *	                                                   └── firmware: fetched in pieces as the station reads them
 *
 * At most GB_CUPS_ASKING stations are served at a time, GB_CUPS_STREAMS of them with firmware: what has no place gets empty
 * segments, and comes again. */
#ifndef LAMPPOST_BRIDGE_EDGE_CUPS_H
#define LAMPPOST_BRIDGE_EDGE_CUPS_H

#include "common/io/http_client.h"
#include "common/io/http_server.h"
#include "common/io/loop.h"
#include "common/text/config.h"
#include "gateway-bridge/bridge_cups.h"
#include "gateway-bridge/cups_ask.h"
#include "gateway-bridge/edge_tls.h"

#define GB_CUPS_ASKING  256
#define GB_CUPS_STREAMS 8

struct gb_cups_edge;

struct gb_cups_asking {
	struct gb_cups_edge *edge;
	io_http_exchange exchange; /* 0: free */
	io_http_call_id call;      /* of the application server; 0: none */
	struct lw_eui64 eui;
	/* firmware under way; size 0: none */
	int64_t firmware;
	uint64_t size, sent;
	struct mono moved; /* when something of it was taken last */
	size_t queued;     /* as it was then */
};

struct gb_cups_edge {
	struct io_loop *loop;           /* borrowed */
	struct gb_bridge *bridge;       /* borrowed */
	const struct gb_config *config; /* borrowed */
	struct gb_tls_files files;
	int handed_over;               /* a listening socket; 0: none */
	struct io_http_server *server; /* NULL: not listening (yet) */
	struct io_http_client *client;
	struct io_timer *look, *feed;
	struct gb_json *json;
	struct gb_cups_told *told; /* scratch */
	char socket[GB_TLS_PATH];
	struct gb_cups_asking askings[GB_CUPS_ASKING];
	bool said, refused;
	unsigned looks; /* since the address was refused */
	uint64_t asked, refusals,
		unanswered; /* counters: questions, 401s, of the rest those that got no answer in time */
	/* The process's: after every event, for notes of the core. */
	void (*after)(void *ctx, struct now now);
	void *ctx;
};

/* The caller has set `after`, `ctx` and `handed_over`. Listens from when certificate, key and CA are there; takes new ones over. */
void gb_cups_edge_open(struct gb_cups_edge *edge, struct io_loop *loop, struct gb_bridge *bridge,
		       const struct gb_config *config, const struct config_common *common);
void gb_cups_edge_release(struct gb_cups_edge *edge);

#endif
