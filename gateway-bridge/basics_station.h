/* LoRa Basics Station's LNS protocol: the JSON texts of its WebSocket to plain values and back. Pure.
 *
 *	GET /router-info   {"router": id}       ──▶   {"router", "muxs", "uri"} or {"router", "error"}
 *	GET uri            version              ──▶   router_config
 *	                   jreq, updf, ...      ──▶
 *	                                         ◀──  dnmsg, timesync
 *	                   dntxed               ──▶
 *
 * Stations cut frames into members; here the PHYPayload is put together again, byte for byte, or the message is refused. xtime
 * has up to 63 bits and is kept as an integer throughout: through a double it would lose its last bits, and with them the
 * moment at which an answer has to leave.
 *
 * Invariant: a message that is refused has a verdict and leaves the connection as it is. */
#ifndef LAMPPOST_BRIDGE_BASICS_STATION_H
#define LAMPPOST_BRIDGE_BASICS_STATION_H

#include "common/lorawan/region.h"
#include "gateway-bridge/json.h"
#include "gateway-bridge/verdicts.h"

#define GB_STATION_TEXT_MAX 64 /* of version's texts; longer ones are cut */
#define GB_STATION_ID6_TEXT 20 /* "b827:ebff:fe12:3456" and NUL */
#define GB_STATION_URI_MAX  127

/* --- discovery --- */

/* Reads {"router": id}, the id in any form that stations write: integer, EUI or MAC with dashes (a MAC gets FFFE in its
 * middle), four hexadecimal groups with colons of which "::" may stand for zeros, "router-" before them.
 * GB_ACCEPTED, GB_NOT_JSON, GB_BAD_UTF8, GB_TOO_DEEP, GB_NOT_AN_OBJECT, GB_DUPLICATE_MEMBER, GB_MISSING_MEMBER, GB_WRONG_TYPE,
 * GB_BAD_EUI. */
enum gb_verdict gb_station_discovery(struct gb_json *json, const char *text, size_t length,
				     struct lw_eui64 *router);
void gb_station_id6(char text[GB_STATION_ID6_TEXT], const struct lw_eui64 *eui);

/* --- what a station says --- */

enum gb_station_kind {
	GB_STATION_VERSION,
	GB_STATION_FRAME,     /* jreq, rejoin, updf, propdf */
	GB_STATION_OVERHEARD, /* dndf, jacc: what another gateway sent; never forwarded */
	GB_STATION_SENT,      /* dntxed */
	GB_STATION_TIMESYNC,
	GB_STATION_EVENT_TOLD, /* event */
	GB_STATION_ERROR_TOLD, /* error */
	GB_STATION_SHELLS,     /* rmtsh: its shells as they are */
	GB_STATION_IGNORED /* getxtime, and frames in the optional form `pdu`: well formed, not acted upon */
};

struct gb_station_frame {
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	uint8_t dr;
	uint32_t freq_hz;
	struct lw_modulation modulation; /* the region's of `dr` */
	int64_t xtime; /* µs of the station's clock with its session above; 0: unknown, no class A answer */
	int64_t rctx;  /* opaque, goes back with the answer */
	bool has_gps_time;
	int64_t gps_time_us;
	bool has_fine_time;
	uint32_t fine_time_ns;
	int16_t rssi_dbm, snr_cdb;
};

struct gb_station_sent {
	int64_t diid; /* of the dnmsg */
	int64_t xtime;
	int64_t rctx;
	bool has_gps_time;
	int64_t gps_time_us;
};

struct gb_station_version {
	char station[GB_STATION_TEXT_MAX], firmware[GB_STATION_TEXT_MAX], package[GB_STATION_TEXT_MAX];
	char model[GB_STATION_TEXT_MAX];
	int64_t protocol;
	bool rmtsh, prod, gps; /* features */
};

struct gb_station_message {
	enum gb_station_kind kind;
	struct gb_station_frame frame;     /* FRAME, OVERHEARD */
	struct gb_station_sent sent;       /* SENT */
	struct gb_station_version version; /* VERSION */
	bool shell_runs;                   /* SHELLS: the first, which is ours */
	char txtime[32];                   /* TIMESYNC: as it was written, to be echoed */
};

/* Reads a text message of a station in a region. GB_ACCEPTED or why it is refused: beside those of discovery GB_UNKNOWN_MESSAGE,
 * GB_OUT_OF_RANGE, GB_BAD_HEX, GB_TOO_LONG, GB_BAD_FRAME (MHdr, FOptsLen or FPort do not fit the frame), GB_BAD_FREQUENCY,
 * GB_BAD_DATA_RATE. */
enum gb_verdict gb_station_parse(struct gb_json *json, const char *text, size_t length,
				 const struct lw_region *region, struct gb_station_message *message);

#endif
