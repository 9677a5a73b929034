/* city.sock: feeds the API's routes from HTTP, finds out who calls, and streams events (server-sent, `Last-Event-ID`
 * honoured). A stream has a position in the events table and nothing else: live or behind is the same code. */
#ifndef LAMPPOST_AS_EDGE_API_H
#define LAMPPOST_AS_EDGE_API_H

#include "application-server/agencies/callers.h"
#include "application-server/api/api.h"
#include "application-server/api/waiting.h"
#include "application-server/edge_mac.h"
#include "application-server/edge_ping.h"
#include "application-server/edge_remote.h"
#include "application-server/edge_why.h"
#include "application-server/store_events.h"
#include "common/io/http_server.h"

struct as_stream {
	io_http_exchange exchange; /* 0: free */
	struct as_view view;
	struct mono beat; /* when something was sent last */
	/* Of live frames (edge_frames.c). */
	uint64_t frames_lost; /* passed and not shown, not yet told */
	enum as_frames_live { AS_FRAMES_UNTOLD, AS_FRAMES_UP, AS_FRAMES_AWAY } frames_live;
};

struct as_edge_api {
	struct as_api *api; /* borrowed */
	struct as_callers callers;
	struct io_http_server *server;
	struct io_http_route *routes; /* owned */
	struct as_stream streams[AS_STREAMS_MAX];
	struct as_waiting waiting;
	struct as_edge_why why;
	struct as_edge_mac mac;
	struct as_edge_ping ping, join; /* what the bridge and the join server answer */
	struct as_edge_remote remote;
	io_http_exchange importer; /* waits for the import's answer; 0: nobody does */
	uint64_t gaps, streams_refused;
};

enum status as_edge_api_open(struct as_edge_api *edge, struct io_loop *loop, struct as_api *api,
			     const struct as_callers *callers, const struct as_config *config,
			     const char *run_dir) MUST_USE;
/* Other callers from now on. When they differ every stream is closed: its reader comes again, and is told apart anew. */
void as_edge_api_set_callers(struct as_edge_api *edge, const struct as_callers *callers);
void as_edge_api_close(struct as_edge_api *edge);
/* Before the commit of a turn of its own: a slice of the import that goes on, or the calls that waited for its end. */
void as_edge_api_step(struct as_edge_api *edge, struct now now);
/* After the commit: feeds the streams. Returns whether more waits for a later turn. */
bool as_edge_api_drain(struct as_edge_api *edge, struct now now);
size_t as_edge_api_streams(const struct as_edge_api *edge);

#endif
