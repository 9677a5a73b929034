/* The state of the core, and what its flows share; inside the core alone:
 *
 *	bridge.c           life, outbox, notes, ring, deadlines
 *	bridge_datagram.c  what gateways say
 *	bridge_network.c   what the network server says
 *	bridge_reception.c a reception, of whatever protocol
 *	bridge_mqtt.c      what gateways say by MQTT; bridge_mqtt_down.c what is said to them
 *	bridge_station.c   stations: connections; _up.c what they say, _down.c what is said to them */
#ifndef LAMPPOST_BRIDGE_STATE_H
#define LAMPPOST_BRIDGE_STATE_H

#include "gateway-bridge/bridge.h"
#include "gateway-bridge/inflight.h"

struct gb_mqtt;
struct gb_stations;

struct gb_bridge {
	struct gb_options options;
	char name[64];
	struct rng *rng; /* borrowed */
	struct gb_json *json;
	struct gb_gateways *gateways;
	struct gb_sources sources; /* of datagrams for unknown gateways */
	struct gb_ring *ring;
	struct gb_inflights inflights;
	struct gb_stations *stations; /* owned */
	struct gb_mqtt *mqtt;         /* owned; NULL: no broker is served */
	struct gb_counters counters;
	struct gb_decisions decisions;
	struct now now;    /* of the event in hand */
	struct mono began; /* the first event */

	struct gb_datagram outbox[GB_OUTBOX_MAX];
	size_t outbox_first, outbox_count;
	struct gb_note notes[GB_NOTES_MAX];
	size_t notes_first, notes_count;

	enum { LINK_DOWN, LINK_GREETING, LINK_UP } link;
	bool hello_pending;
	uint64_t next_seq; /* of this link */
	bool bye;          /* the other side said why it ends */
	uint64_t bye_seq;  /* for which message of ours; 0: for none */
	bool list_changed;
};

/* Stations (bridge_station.h): those that may be concerned by another list are judged again; what is due; a downlink for a
 * gateway that is connected by one. */
void gb_stations_list_changed(struct gb_bridge *bridge, struct now now);
void gb_stations_tick(struct gb_bridge *bridge, struct now now);
enum gb_verdict gb_station_send(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
				struct gb_gateway *gateway);
/* One of a station was answered by nobody in its time. */
void gb_station_silence(struct gb_bridge *bridge, struct now now, const struct gb_inflight *sent);

/* Gateways that come by MQTT (bridge_mqtt.h): what is due and when; a downlink for one; how its address is told. */
void gb_mqtt_free(struct gb_mqtt *mqtt); /* NULL is allowed */
void gb_mqtt_tick(struct gb_bridge *bridge, struct now now);
struct mono gb_mqtt_deadline(const struct gb_bridge *bridge);
enum gb_verdict gb_mqtt_send(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
			     struct gb_gateway *gateway);
void gb_mqtt_address(const struct gb_bridge *bridge, const struct gb_gateway *gateway,
		     char text[GW_ADDRESS_MAX]);
/* When an attempt is on the air, by our clock. */
struct mono gb_time_on_air(const struct gb_gateway *gateway, struct now now,
			   const struct gw_tx_attempt *attempt);

/* Every event of the core begins with this. */
void gb_enter(struct gb_bridge *bridge, struct now now);
/* Counts a verdict, records it with its numbers and leaves a note about it, which it lends: NULL when there is no room. Gateway and
 * address may be NULL; `said` NULL: the address is the only number. */
struct gb_note *gb_judge(struct gb_bridge *bridge, enum gb_verdict verdict, const struct lw_eui64 *gateway,
			 const struct gb_address *from, const struct gb_said *said);
/* The same where `b` is the only number beside the address. */
struct gb_note *gb_judge_number(struct gb_bridge *bridge, enum gb_verdict verdict,
				const struct lw_eui64 *gateway, const struct gb_address *from, int64_t b);
/* Lends room for a datagram in the outbox, or NULL. */
struct gb_datagram *gb_post(struct gb_bridge *bridge, const struct gb_peer *to);
/* Puts a message into the ring, and counts what had to go for it. */
void gb_tell(struct gb_bridge *bridge, struct now now, const struct gb_report *what);
void gb_tell_presence(struct gb_bridge *bridge, struct now now, const struct gb_gateway *gateway,
		      const char *reason);
/* Counted in the gateway's health, too. */
void gb_tell_tx(struct gb_bridge *bridge, struct now now, const struct gw_tx_ack *ack);
/* A reception of a known gateway, of whatever protocol: what a gateway heard well enough to be read may still be nothing
 * that the network wants; and on to the network server, counted. */
enum gb_verdict gb_rxpk_policy(const struct gb_rxpk *rxpk);
void gb_forward(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		const struct gb_rxpk *rxpk);
/* Both, with the gateway's limit of frames and the watch on its counter; `is_counter`: the ticks are its own, not made up by us. */
void gb_take_reception(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		       const struct gb_rxpk *rxpk, bool is_counter);
/* Copies a word for people: printable ASCII, shortened. */
void gb_copy_cause(char out[GW_CAUSE_MAX], const char *cause);

#endif
