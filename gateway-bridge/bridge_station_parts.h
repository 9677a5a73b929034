/* What bridge_station*.c share; inside the station flow of the core alone. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_STATION_PARTS_H
#define LAMPPOST_BRIDGE_BRIDGE_STATION_PARTS_H

#include "common/lorawan/channel_plan.h"
#include "gateway-bridge/bridge_state.h"
#include "gateway-bridge/stations.h"

/* RFC 6455 §7.4.1 */
#define GB_CODE_NORMAL  1000
#define GB_CODE_AWAY    1001
#define GB_CODE_POLICY  1008
#define GB_CODE_RESTART 1012

/* Lends the gateway of a data connection; NULL: it is not in the list any more. */
struct gb_gateway *gb_station_gateway(const struct gb_bridge *bridge, const struct gb_station *station);
/* Counts and records a verdict about a connection, `b` beside its address. */
void gb_station_judge(struct gb_bridge *bridge, const struct gb_station *station, enum gb_verdict verdict,
		      int64_t b);
/* Ends a connection with a close frame that says why: the verdict is recorded with its age (and `c`), presence is told, and what
 * waited for a dntxed is given up. The connection is gone. */
void gb_station_end(struct gb_bridge *bridge, struct now now, struct gb_station *station, uint16_t code,
		    enum gb_verdict verdict, uint16_t c);
/* Lets go of it without a word to the peer. */
void gb_station_let_go(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		       enum gb_verdict verdict);
/* The same without a verdict of its own, which was recorded before. */
void gb_station_close(struct gb_bridge *bridge, struct now now, struct gb_station *station, uint16_t code,
		      enum gb_verdict verdict);
/* Fills its channels; false: they are none of its region. */
bool gb_station_plan(const struct gb_station *station, struct lw_channel_plan *plan);

/* bridge_station_admit.c: who may come in, and discovery. */
enum gb_verdict gb_station_identity(const struct gb_bridge *bridge, struct now now,
				    const struct lw_eui64 *eui, const struct gb_presented *presented,
				    const struct gb_address *from);
/* Counts and records a refusal of somebody who calls itself `eui`, with the numbers of its rule. */
void gb_station_refuse(struct gb_bridge *bridge, struct now now, enum gb_verdict verdict,
		       const struct lw_eui64 *eui, const struct gb_address *from);
void gb_station_discover(struct gb_bridge *bridge, struct now now, struct gb_station *station,
			 const char *text, size_t length);

/* bridge_station_up.c: what a station that is up says, and the answer to its `version`. */
void gb_station_take(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		     struct gb_gateway *gateway, const char *text, size_t length);

/* bridge_station_down.c: one round of a connection that is up: ping, and the time where it has none. False: it ended. */
bool gb_station_round(struct gb_bridge *bridge, struct now now, struct gb_station *station);
/* What waited for a dntxed of this connection is told to the network server. */
void gb_station_cut(struct gb_bridge *bridge, struct now now, struct gb_station *station);
void gb_station_sent(struct gb_bridge *bridge, struct now now, struct gb_station *station,
		     const struct gb_station_sent *said);

#endif
