/* The core of gateway-bridge: terminates Semtech UDP, Basics Station (bridge_station.h) and ChirpStack's
 * MQTT topics (bridge_mqtt.h), keeps who is where, and speaks
 * network.sock's messages on the other side. Pure: `now` comes in, messages go out; no clock, no socket, no randomness but the generator's.
 *
 *	datagram ──▶ on_datagram ──▶ ack at once ──▶ take_datagram ──▶ gateway
 *	                │ entries of rxpk, stat, TX_ACK
 *	                ▼
 *	             the ring ──▶ next_message, message_sent ──▶ network server
 *	PULL_RESP ◀── on_network_message ◀── downlink, gateway list, ack
 *
 * Order in on_datagram, each step with a verdict: header, who it is, rate limit, acknowledge, then the JSON.
 *
 * Invariants: a datagram is acknowledged by its header alone; nothing of an unknown gateway is forwarded (unless
 * forward_unknown) and nothing is sent to it but acknowledgements; every drop is counted by its verdict. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_H
#define LAMPPOST_BRIDGE_BRIDGE_H

#include "common/proto/envelope.h"
#include "gateway-bridge/decisions.h"
#include "gateway-bridge/gateways.h"
#include "gateway-bridge/ring.h"
#include "gateway-bridge/semtech_udp.h"
#include "gateway-bridge/verdicts.h"

#define GB_OUTBOX_MAX      64 /* datagrams; the edge empties it after every event */
#define GB_NOTES_MAX       64
#define GB_STATION_URL_MAX 104 /* with "/gateway/EUI" behind it a station takes 127 characters */

struct gb_options {
	const char *name; /* of the instance, in the Hello; borrowed during gb_bridge_new() */
	bool forward_unknown;
	span_us ring_age;
	uint64_t ring_bytes;
	struct gb_limit per_eui; /* 200 a second, burst 400 */
	struct gb_limit frames;  /* entries of rxpk that a gateway may have forwarded */
	struct gb_limit unknown; /* 2,000 a second by source */
	char station_url
		[GB_STATION_URL_MAX]; /* where stations are to connect, "wss://host:port"; "": as they called us */
	bool station_remote;          /* whether engineers may run commands on stations */
	span_us silent;               /* nothing of a gateway for so long; 0: GW_SILENT_US */
	span_us station_ping;         /* between two pings; 0: GB_STATION_PING_US */
};

struct gb_datagram {
	struct gb_peer to;
	size_t length;
	uint8_t bytes[GB_PULL_RESP_ROOM];
};

/* Something a person may want to know, for the log: what and about whom. */
struct gb_note {
	enum gb_verdict verdict;
	bool has_gateway;
	struct lw_eui64 gateway;
	struct gb_address from; /* family 0: nobody */
	struct gb_address was;  /* of a gateway that moved: where it was before */
};

struct gb_counters {
	uint64_t datagrams, push_data, pull_data, tx_acks;
	uint64_t uplinks; /* entries of rxpk that were forwarded */
	uint64_t stats;
	uint64_t downlinks;                     /* PULL_RESPs sent */
	uint64_t downlinks_done;                /* answered, or silent past their time */
	uint64_t latency_us_sum, latency_count; /* PULL_RESP to TX_ACK */
	uint64_t verdicts[GB_VERDICT_COUNT];
	uint64_t notes_lost;
};

struct gb_bridge; /* opaque */

/* Keeps a borrow of `rng` until freed. */
struct gb_bridge *gb_bridge_new(const struct gb_options *options, struct rng *rng);
/* The configuration changed: all but the name is taken over. */
void gb_bridge_reconfigure(struct gb_bridge *bridge, const struct gb_options *options);
void gb_bridge_free(struct gb_bridge *bridge); /* NULL is allowed */

/* --- events */
/* `bytes` are borrowed during the call. */
void gb_bridge_on_datagram(struct gb_bridge *bridge, struct now now, const struct gb_peer *from,
			   const uint8_t *bytes, size_t length);
/* The link to the network server opened: a Hello goes first; the ring follows when the other side has said its own. */
void gb_bridge_on_link_open(struct gb_bridge *bridge, struct now now);
void gb_bridge_on_link_close(struct gb_bridge *bridge, struct now now);
/* ST_OK; ST_INVALID: the link is to be closed, the peer does not speak our protocol. */
enum status gb_bridge_on_network_message(struct gb_bridge *bridge, struct now now,
					 const struct proto_message *message) MUST_USE;
void gb_bridge_on_tick(struct gb_bridge *bridge, struct now now);
struct mono gb_bridge_next_deadline(const struct gb_bridge *bridge);
/* A part of the list that was kept from before: as from the network server, but not new. */
enum gb_list_verdict gb_bridge_restore_list(struct gb_bridge *bridge, const struct gw_gateway_list *part);

/* --- the outbox */
bool gb_bridge_take_datagram(struct gb_bridge *bridge, struct gb_datagram *datagram);
/* Fills the next message for the network server, aged to `now`; false when there is none, or no link. The same one
 * comes again until gb_bridge_message_sent(). */
bool gb_bridge_next_message(struct gb_bridge *bridge, struct now now, struct proto_message *message);
void gb_bridge_message_sent(struct gb_bridge *bridge);
/* Whether the gateway list has changed since this was last asked: keep it (gb_gateways_list_part). */
bool gb_bridge_take_list_changed(struct gb_bridge *bridge);
bool gb_bridge_take_note(struct gb_bridge *bridge, struct gb_note *note);

/* --- questions */
bool gb_bridge_linked(const struct gb_bridge *bridge); /* both Hellos were said */
const struct gb_gateways *gb_bridge_gateways(const struct gb_bridge *bridge);
const struct gb_counters *gb_bridge_counters(const struct gb_bridge *bridge);
const struct gb_ring_stats *gb_bridge_ring(const struct gb_bridge *bridge);
uint64_t gb_bridge_in_flight(const struct gb_bridge *bridge);
const struct gb_decisions *gb_bridge_decisions(const struct gb_bridge *bridge);
struct mono gb_bridge_began(const struct gb_bridge *bridge); /* when its first event came */

#endif
