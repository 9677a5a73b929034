/* LoRa Basics Station in the core of gateway-bridge: every WebSocket of a station from its opening to its end. Part of the
 * core (bridge.h): pure, `now` comes in, texts go out through an outbox that the edge empties after every event.
 *
 *	GET /router-info   on_open ──text {"router": id}──▶ on_text ──▶ answer with `uri`, or `error` and the reason
 *	GET /gateway/EUI   on_open (judged: or an HTTP status) ──version──▶ router_config, presence "connected"
 *	                   ──jreq, updf, ...──▶ the ring          ◀── dnmsg (take_downlink of bridge_network.c), timesync
 *	                   ──dntxed──▶ gw_tx_ack
 *	                   on_close, or a close of ours: presence, what waited for its dntxed is told
 *
 *	opened ──version──▶ up ──────────────────────────────────────────────────────▶ gone
 *	   │  no version within GB_STATION_SET_UP_US, a refusal          end, replaced, no pong, slow, refused ▲
 *	   └───────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Ids of connections are the edge's: never 0, never used twice. What is said about an id that the core has let go is ignored,
 * so that ends may cross.
 *
 * xtime is 64 bits wide, the network server's ticks are its lowest 32. A class A downlink is a whole number of seconds, 1 to
 * 16, behind an uplink: the connection remembers its last GB_STATION_CONTEXTS uplinks with xtime and rctx, and the one that
 * fits to the microsecond gives both. What was heard before a reconnect is remembered by nobody, so that a downlink of then is
 * refused (station_context_gone) and never sent at a time of the new session. Class C leaves at once and needs none.
 *
 * Invariants: one connection of a gateway at most is up, the newest; nothing but a discovery's answer, a close or a ping goes
 * to a station before its version was taken; a downlink is answered to the network server exactly once. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_STATION_H
#define LAMPPOST_BRIDGE_BRIDGE_STATION_H

#include "common/lorawan/region.h"
#include "gateway-bridge/bridge.h"
#include "gateway-bridge/identity.h"
#include "gateway-bridge/station_clock.h"
#include "gateway-bridge/station_down.h"

#define GB_STATION_SET_UP_MAX 4096  /* of them not up */
#define GB_STATIONS_MAX       20480 /* connections, whatever their state */
#define GB_STATION_OUTBOX_MAX 64
#define GB_STATION_TEXT_LIMIT 32768 /* of a message from a station; the edge refuses longer ones */
#define GB_STATION_REASON_MAX 124   /* of a close frame: 123 bytes and NUL */
#define GB_STATION_SET_UP_US  (60 * US_PER_S)
#define GB_STATION_PING_US \
	(30 * US_PER_S)          /* unless told otherwise; ± 10 %, so that stations do not answer in step */
#define GB_STATION_PONGS_OWED  2 /* pings in a row without any word that end a connection */
#define GB_STATION_TIMESYNC_US (120 * US_PER_S)
#define GB_STATION_FLOOD_US    (60 * US_PER_S)
#define GB_STATION_FLOOD       10000 /* messages over its limits in so long that end a connection */
#define GB_STATION_ANSWER_US \
	(2500 * US_PER_MS) /* behind the end of the last window: no dntxed comes any more */
#define GB_STATION_LEAVE_US    (10 * US_PER_S) /* for a discovery that was answered */
#define GB_STATION_COMMAND_MAX 2048            /* of runcmd, with its arguments */

enum gb_station_path { GB_STATION_DISCOVERY, GB_STATION_DATA };

/* A WebSocket that a peer asks for. All is borrowed during the call. */
struct gb_station_open {
	enum gb_station_path path;
	struct lw_eui64 eui; /* DATA: of the path */
	struct gb_address from;
	bool tls;
	const struct gb_presented *presented;
	const char *host; /* the Host header, as it came; NULL: none */
};

/* What the edge does next. */
enum gb_station_out_kind { GB_STATION_TEXT, GB_STATION_BINARY, GB_STATION_PING, GB_STATION_CLOSE };
struct gb_station_out {
	enum gb_station_out_kind kind;
	uint64_t id;
	uint16_t code;                      /* CLOSE */
	char reason[GB_STATION_REASON_MAX]; /* CLOSE: for people, and for the station's log */
	size_t length;                      /* TEXT, BINARY */
	char bytes[GB_STATION_MESSAGE_MAX]; /* TEXT is UTF-8 without NUL */
};

/* Why a connection ended that the core did not close. */
enum gb_station_end {
	GB_STATION_LEFT,          /* it closed, or its TCP connection ended */
	GB_STATION_LOST,          /* TCP gave it up: timed out, unreachable, reset */
	GB_STATION_SLOW,          /* it reads too slowly: what was to go to it found no room */
	GB_STATION_TOO_LONG,      /* a message longer than GB_STATION_TEXT_LIMIT */
	GB_STATION_BAD_WEBSOCKET, /* bytes that are no WebSocket, or cut in the middle */
	GB_STATION_STOPPING       /* we end */
};

/* What the core has to know to serve stations; without it each one is refused. */
struct gb_station_service {
	const struct lw_region *regions; /* every region that gateways may have; a borrow is kept */
	size_t region_count;
};
void gb_bridge_serve_stations(struct gb_bridge *bridge, const struct gb_station_service *service);

/* --- events */
/* Whether a request may become a connection. 0: yes; else the HTTP status that it gets (401, 403, 404, 429, 503), with a
 * sentence. */
unsigned gb_bridge_admit_station(struct gb_bridge *bridge, struct now now, const struct gb_station_open *open,
				 char reason[GB_STATION_REASON_MAX]);
/* It has become one, in the same event. */
void gb_bridge_on_station_open(struct gb_bridge *bridge, struct now now, uint64_t id,
			       const struct gb_station_open *open);
void gb_bridge_on_station_text(struct gb_bridge *bridge, struct now now, uint64_t id, const char *text,
			       size_t length);
/* It answered the last ping. */
void gb_bridge_on_station_pong(struct gb_bridge *bridge, struct now now, uint64_t id, span_us round_trip);
void gb_bridge_on_station_close(struct gb_bridge *bridge, struct now now, uint64_t id,
				enum gb_station_end end);

/* --- the outbox; the edge takes all after every event, as it does with datagrams */
bool gb_bridge_take_station(struct gb_bridge *bridge, struct gb_station_out *out);

/* --- what people ask for */
/* Sends a ping now, to the connection `*id`. False: this gateway has no station that is up. */
bool gb_bridge_station_ping(struct gb_bridge *bridge, struct now now, const struct lw_eui64 *eui,
			    uint64_t *id);
enum gb_station_remote {
	GB_REMOTE_DONE,
	GB_REMOTE_OFF,        /* station_remote is false */
	GB_REMOTE_NOT_HERE,   /* no station of this gateway is up */
	GB_REMOTE_NO_FEATURE, /* it has no remote shell */
	GB_REMOTE_TOO_LONG
};
/* runcmd: the station tells nothing of what came of it. `arguments` ends with NULL. */
enum gb_station_remote gb_bridge_station_run(struct gb_bridge *bridge, struct now now,
					     const struct lw_eui64 *eui, const char *command,
					     const char *const *arguments);
/* rmtsh: start and stop session 0, and bytes for it; `*id` is the connection that its output comes by, as binary messages whose
 * first byte is the session. */
enum gb_station_remote gb_bridge_station_shell(struct gb_bridge *bridge, struct now now,
					       const struct lw_eui64 *eui, bool start, const char *user,
					       const char *term, uint64_t *id);
/* Whether the station has said that the shell which was started on this connection runs no more. */
bool gb_bridge_station_shell_ended(const struct gb_bridge *bridge, uint64_t id);
enum gb_station_remote gb_bridge_station_shell_input(struct gb_bridge *bridge, struct now now,
						     const struct lw_eui64 *eui, const uint8_t *bytes,
						     size_t length);

/* --- questions */
/* What is told of a connection that is up. */
struct gb_station_state {
	uint64_t id;
	const struct gb_station_version *version; /* lent until the next event */
	struct mono since;
	uint64_t texts, uplinks, downlinks, sent; /* of this connection; sent: by dntxed */
	span_us round_trip_us;                    /* of the last ping; −1: it answered none yet */
	bool asks_time;                           /* it has a PPS */
};
bool gb_bridge_station_of(const struct gb_bridge *bridge, const struct lw_eui64 *eui,
			  struct gb_station_state *state);
uint64_t gb_bridge_stations(const struct gb_bridge *bridge);    /* connections */
uint64_t gb_bridge_stations_up(const struct gb_bridge *bridge); /* of them up */

#endif
