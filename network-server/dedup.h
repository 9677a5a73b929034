/* Deduplication: copies of one transmission are collected, a repeat is told from a copy (DESIGN 8).
 *
 *	first copy ──▶ OPEN ──window closes──▶ ns_dedup_pop() ──▶ CLOSED (a short memory of who heard it, when)
 *	                 ▲ copies                                     │ same bytes again: ns_dedup_add() judges
 *	                 └────────────── retransmission ◀────────────┤
 *	                                                              └▶ late copy: nothing else
 *
 * The key is the PHYPayload; frequency is not part of it, since a strong device is heard on a neighbouring channel too.
 * The window closes at min(first copy + window, RX start − lead of the best gateway heard so far). Frames under one DevAddr are
 * popped in the order in which they were first heard, or the counter of the earlier would be taken for an old one: where
 * a slow gateway brings the later window's end forward, the earlier one closes with it.
 *
 * A repeat is not a copy: the same gateway with a counter more than air time + 1 s later is always a retransmission;
 * another gateway's copy is placed in time by that gateway's mapped clock; in doubt it is a retransmission. */
#ifndef LAMPPOST_NETWORK_SERVER_DEDUP_H
#define LAMPPOST_NETWORK_SERVER_DEDUP_H

#include "common/base/deadlines.h"
#include "common/base/table.h"
#include "common/proto/gateway_messages.h"
#include "common/proto/network_messages.h"
#include "network-server/slab.h"

#define NS_COPIES_MAX  16
#define NS_HEARERS_MAX 8
#define NS_ONCE_SPAN_S 600 /* as long as the join server takes the last join's bytes for a copy */

/* One reception of a frame. */
struct ns_copy {
	struct lw_eui64 gateway;
	uint32_t gateway_slot;
	uint64_t link;
	uint32_t freq_hz;
	struct lw_modulation modulation;
	enum gw_crc crc;
	int16_t rssi_dbm, snr_cdb;
	bool has_snr;
	struct gw_ticks ticks;
	bool has_gps_time, has_fine_time, wall_synchronised;
	bool proved; /* the gateway showed who it is: it came by Basics Station, or through a broker */
	int64_t gps_time_us;
	uint32_t fine_time_ns;
	uint32_t channel, rf_chain, board, antenna;
	struct mono arrival; /* at the bridge, on our clock */
	struct mono
		sent; /* the end of the transmission, as well as the gateway's mapped counter tells; else arrival */
	struct wall wall; /* at the bridge, its clock */
};

/* The same as it is told to the application server. */
struct net_reception ns_copy_reception(const struct ns_copy *copy);

/* A frame whose window has closed, or is open. */
struct ns_frame {
	struct deadline deadline; /* first member */
	uint64_t key;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	bool has_dev_addr; /* a data uplink */
	uint32_t dev_addr;
	uint64_t order;      /* of the windows' opening */
	bool retransmission; /* the same bytes were heard before, and this is not a copy of that */
	struct mono first;   /* arrival of the first copy */
	struct mono sent;    /* the end of the transmission, by the earliest account */
	uint32_t airtime_us;
	uint32_t gateway_count; /* distinct gateways, may exceed `copy_count` */
	uint8_t copy_count;
	struct ns_copy copies[NS_COPIES_MAX];
};

enum ns_dedup_verdict {
	NS_DEDUP_FIRST,          /* opened a window */
	NS_DEDUP_COPY,           /* joined an open window */
	NS_DEDUP_RETRANSMISSION, /* opened a window: the device sent the same bytes again */
	NS_DEDUP_LATE_COPY,      /* of a closed window: nothing else happens */
	NS_DEDUP_ONCE_AGAIN, /* a `once` frame that a gateway which heard it before heard again, later: no copy */
	NS_DEDUP_FULL        /* no room: dropped */
};

struct ns_dedup {
	span_us window;
	struct table by_key; /* u64 → where */
	struct ns_slab frames;
	struct ns_index by_addr; /* dev_addr → open windows of data uplinks */
	uint64_t opened;
	struct ns_slab memory; /* of closed windows, a ring by age */
	uint32_t *ring;        /* owned: slots of `memory`, oldest first */
	uint32_t ring_start, ring_count;
	struct deadlines deadlines;
	uint64_t seed;
};

/* `open` windows at once, `remembered` closed ones. */
void ns_dedup_init(struct ns_dedup *dedup, uint32_t open, uint32_t remembered, span_us window,
		   struct rng *rng);
void ns_dedup_release(struct ns_dedup *dedup);

/* What the core knows about a copy besides its bytes. */
struct ns_copy_facts {
	bool placed;      /* the gateway's counter is mapped: copy->sent is no guess */
	span_us rx_delay; /* from the end of the transmission to the first receive window */
	span_us lead;     /* of the gateway */
	uint32_t airtime_us;
	bool once; /* join-requests: the same bytes are no retransmission; after NS_ONCE_SPAN_S the join server judges them anew */
};

/* Takes one copy. `phy` is 1 .. 255 bytes. */
enum ns_dedup_verdict ns_dedup_add(struct ns_dedup *dedup, const uint8_t *phy, uint8_t length,
				   const struct ns_copy *copy, const struct ns_copy_facts *facts);
/* Copies the next frame whose window has closed into `frame`, and remembers it. False when there is none. */
bool ns_dedup_pop(struct ns_dedup *dedup, struct mono now, struct ns_frame *frame);
struct mono ns_dedup_next(const struct ns_dedup *dedup);
uint32_t ns_dedup_open_count(const struct ns_dedup *dedup);

#endif
