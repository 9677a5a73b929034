/* What a server says to a Basics Station (basics_station.h): where to connect, frames to send, the time. Pure.
 *
 * A station answers nothing to a frame that it cannot send, and drops everything before its configuration: what it would refuse
 * is refused here. Its configuration, router_config, is common/text/station_config.h. */
#ifndef LAMPPOST_BRIDGE_STATION_DOWN_H
#define LAMPPOST_BRIDGE_STATION_DOWN_H

#include "common/proto/gateway_messages.h"
#include "gateway-bridge/basics_station.h"

#define GB_STATION_MESSAGE_MAX 4096 /* no message to a station is longer; it reads 40 kB at most */

/* Writes the answer to /router-info; `uri` is "ws[s]://host:port/path" of at most GB_STATION_URI_MAX characters, or NULL with
 * `error` in its place. Returns the length; 0: not such a URI. */
size_t gb_station_discovery_answer(char text[GB_STATION_MESSAGE_MAX], const struct lw_eui64 *router,
				   const char *uri, const char *error);

/* One dnmsg. */
struct gb_station_downlink {
	int64_t diid;                      /* comes back with dntxed */
	const struct gw_tx_attempt *first; /* RX1, RX2, class B or class C of one gateway */
	const struct gw_tx_attempt
		*second; /* RX2 of the same frame and gateway, a second after `first`; NULL: none */
	uint8_t first_dr, second_dr; /* downlink indices */
	int64_t xtime;               /* class A: when `first` begins, in the station's time */
	int64_t rctx;
	struct wall mux_time; /* now, by our clock; 0: nobody keeps it, and it is not said */
	const uint8_t *phy;
	uint8_t phy_length;
};

/* Writes a dnmsg. Class A windows go out as RxDelay 1 after an uplink a second (RX2 alone: two) before `xtime`. Returns the
 * length; 0: class A without xtime, or nothing to send. */
size_t gb_station_dnmsg(char text[GB_STATION_MESSAGE_MAX], const struct gb_station_downlink *downlink);

/* Writes the answer to a timesync (`txtime` as it was written) with the GPS time, or with NULL the pair of xtime and GPS time
 * that gives a station without PPS the time. `mux_time` as in a dnmsg: a station's RefTime goes by the last one that it was told. */
size_t gb_station_timesync(char text[GB_STATION_MESSAGE_MAX], const char *txtime, int64_t xtime,
			   int64_t gps_time_us, struct wall mux_time);

/* One dnsched of one frame at a GPS time (first->timing is GW_AT_GPS_TIME; xtime is not looked at). A station sends it whatever
 * its class, and never says whether it did. */
size_t gb_station_dnsched(char text[GB_STATION_MESSAGE_MAX], const struct gb_station_downlink *downlink);

/* A command for the station's shell, `arguments` ending with NULL; a shell session's start or stop. 0: too long. */
size_t gb_station_runcmd(char text[GB_STATION_MESSAGE_MAX], const char *command,
			 const char *const *arguments);
size_t gb_station_rmtsh(char text[GB_STATION_MESSAGE_MAX], bool start, const char *user, const char *term);

/* xtime of a moment of the station's counter, nearest to one that was heard (its session stays). */
int64_t gb_station_xtime_near(int64_t heard, struct gw_ticks ticks);
struct gw_ticks gb_station_ticks(int64_t xtime);

#endif
