/* What engineers ask of a gateway through RUN/gateway-bridge.admin.sock; the application server passes it on for its own callers, and
 * writes the audit:
 *
 *	POST /gateways/{eui}/ping          {"how": "websocket_ping", "round_trip_ms": 41.2, "waited_ms": 41}
 *	                                   one by UDP or MQTT cannot be asked: {"how": "next_datagram", "round_trip_ms": null,
 *	                                   "waited_ms": 3120} when it says something by itself; 504 after GB_PING_WAIT, or GB_HEAR_WAIT
 *	POST /gateways/{eui}/run           {"command": "reboot", "arguments": ["-f"]} → 202; a station says nothing of what came of it
 *	POST /gateways/{eui}/shell?user=&term=   200 and a stream: what the shell says, as it comes; ends with the shell or
 *	                                   the station's connection. One a gateway; its place is free, and the station told,
 *	                                   within GB_SHELL_LOOK of the asker's leaving
 *	POST /gateways/{eui}/shell/input   bytes for it → 202
 *	DELETE /gateways/{eui}/shell       ends it → 202
 *
 * run and shell are 403 unless gateway-bridge.station_remote is true. */
#ifndef LAMPPOST_BRIDGE_EDGE_REMOTE_H
#define LAMPPOST_BRIDGE_EDGE_REMOTE_H

#include "common/io/http_server.h"
#include "common/io/loop.h"
#include "gateway-bridge/bridge_station.h"

#define GB_PINGS_MAX  64
#define GB_SHELLS_MAX 16
#define GB_SHELL_LOOK (500 * US_PER_MS)
#define GB_PING_WAIT  (7 * US_PER_S) /* of a station */
#define GB_HEAR_WAIT \
	(12 * US_PER_S) /* of one that cannot be asked: longer than the usual keepalive of 10 s */

struct gb_remote {
	struct gb_bridge *bridge;      /* borrowed */
	struct io_http_server *server; /* borrowed: the admin socket's */
	struct io_timer *timer;        /* whether a ping waits too long, and a shell's asker is still there */
	struct gb_json *json;
	struct gb_remote_ping {
		io_http_exchange exchange; /* 0: free */
		struct lw_eui64 eui;
		uint64_t connection; /* 0: of a UDP gateway */
		uint64_t datagrams;  /* that had come of it */
		struct mono since;
	} pings[GB_PINGS_MAX];
	size_t ping_count;
	struct gb_remote_shell {
		io_http_exchange exchange; /* 0: free */
		struct lw_eui64 eui;
		uint64_t connection;
		char user[32];
	} shells[GB_SHELLS_MAX];
	/* The process's: what the core made is to leave. */
	void (*after)(void *ctx, struct now now);
	void *ctx;
};

/* Adds its routes. The caller has set `after` and `ctx`. */
void gb_remote_open(struct gb_remote *remote, struct io_loop *loop, struct gb_bridge *bridge,
		    struct io_http_server *server);
void gb_remote_release(struct gb_remote *remote);

/* What happened that somebody may wait for. */
void gb_remote_pong(struct gb_remote *remote, struct now now, uint64_t connection, span_us round_trip);
void gb_remote_binary(struct gb_remote *remote, struct now now, uint64_t connection, const uint8_t *bytes,
		      size_t length);
void gb_remote_closed(struct gb_remote *remote, struct now now, uint64_t connection);
/* A station said something: a shell that it calls ended is over. Cheap where nobody has one. */
void gb_remote_text(struct gb_remote *remote, struct now now, uint64_t connection);
/* A datagram came: cheap where nobody waits. */
void gb_remote_heard(struct gb_remote *remote, struct now now);

#endif
