/* What is known of each gateway: whether it is registered, on which link it is, its region, how long it needs from
 * PULL_RESP to TX_ACK, how its counter lies against our monotonic clock, and what it has sent (half duplex, airtime).
 *
 * A gateway's counter is never trusted as a clock (invariant 9): it is mapped onto our monotonic clock through the
 * fastest arrivals seen, so that a late copy can be placed in time. Unregistered gateways have no entry. */
#ifndef LAMPPOST_NETWORK_SERVER_GATEWAYS_H
#define LAMPPOST_NETWORK_SERVER_GATEWAYS_H

#include "common/lorawan/channel_plan.h"
#include "common/lorawan/duty_cycle.h"
#include "common/lorawan/region.h"
#include "common/proto/network_messages.h"
#include "network-server/adr/adr_load.h"
#include "network-server/off_plan.h"
#include "network-server/slab.h"

#define NS_LATENCIES 32
/* What is slower counts as this, so that RX2 at the latest is always in time: a gateway that was slow for a while must be
 * sent to again, or nothing would ever tell that it is fast now. */
#define NS_LATENCY_MOST US_PER_S
#define NS_BUSY         64
#define NS_SUB_BANDS    8
#define NS_BUSY_GUARD   (5 * US_PER_MS) /* between two transmissions of one gateway */
#define NS_LEAD_EXTRA   (60 * US_PER_MS)
#define NS_LEAD_UNKNOWN (300 * US_PER_MS)
/* Part of the time: by it storm is told from calm (join_load.c). A measure; what a gateway then sends is the next. */
#define NS_STORM_TX_PERMILLE 150
#define NS_STORM_BURST       (4 * US_PER_S)
/* In a storm a gateway sends so much of the time at most, in the mean; long answers NS_STORM_BURST at once (plan_policy.h). */
#define NS_STORM_LEAK_PERMILLE 110
/* No more of what a gateway has sent counts: as much as keeps out devices of every class (plan_policy.h). One that brought firmware to
 * a group all night would owe hours otherwise, in which it answered nobody. */
#define NS_STORM_OWED_MOST (30 * US_PER_S)

struct ns_busy {
	struct mono start, end;
	uint32_t freq_hz;
};

struct ns_gateway {
	struct net_gateway record;
	uint32_t run;                    /* of the state run that last named it */
	struct wall since;               /* registered here; 0: before the start */
	uint8_t region;                  /* index in the core's regions */
	struct lw_channel_mask channels; /* of its channel plan; fixed plans */
	uint64_t link;                   /* 0: none */
	bool online;
	/* From PULL_RESP to TX_ACK, the last NS_LATENCIES. */
	span_us latencies[NS_LATENCIES];
	uint8_t latency_count, latency_next;
	/* Counter `ticks` was at our `at`, as told by the fastest arrivals. */
	bool mapped;
	struct gw_ticks ticks;
	struct mono at;
	/* The line that an arrival broke: it may have been a frame that was kept somewhere, and no restart. */
	bool has_former;
	struct gw_ticks former_ticks;
	struct mono former_at;
	uint8_t misfits;                         /* arrivals in a row that were all more than a second late */
	struct mono misfit_at;                   /* the first of those that were late by about as much */
	span_us misfit_late;                     /* by how much */
	struct ns_busy busy[NS_BUSY];            /* transmissions that are planned or going on */
	struct lw_duty_cycle duty[NS_SUB_BANDS]; /* by the region's sub-band; monotonic line */
	uint8_t duty_ready;                      /* bit set: that sub-band was begun */
	/* What it has sent or is to send, leaking away at NS_STORM_LEAK_PERMILLE of the time (plan_policy.h); NS_STORM_OWED_MOST. */
	int64_t share_us;
	struct mono share_at;
	struct mono pays_next;       /* when a frame may go for NewChannelReq alone (join_short.h) */
	int64_t heard_join_s;        /* the second of the last join-request that it heard best */
	uint64_t airtime_total_us;   /* on the air since the start, as it was planned */
	struct ns_off_plan off_plan; /* frequencies that it should not hear */
	struct ns_adr_load load;     /* how busy the air around it is, for ADR */
	uint64_t uplinks, late_copies, downlinks, tx_refused; /* counters since the start */
	uint32_t foreign_run; /* other networks' frames since the last one of ours */
};

struct ns_gateways {
	struct ns_slab slab;
	struct ns_index by_eui;
	uint64_t seed;
	uint64_t version; /* of the list; raised by each change */
};

void ns_gateways_init(struct ns_gateways *gateways, uint32_t capacity, uint64_t seed);
void ns_gateways_release(struct ns_gateways *gateways);
/* Returns the slot, or NS_NO_SLOT. */
uint32_t ns_gateways_find(const struct ns_gateways *gateways, const struct lw_eui64 *eui);
struct ns_gateway *ns_gateways_at(const struct ns_gateways *gateways, uint32_t slot);
/* Inserts or replaces the record of a gateway; NS_NO_SLOT when full. Measurements stay. */
uint32_t ns_gateways_put(struct ns_gateways *gateways, const struct net_gateway *record, uint8_t region,
			 const struct lw_channel_mask *channels);
void ns_gateways_remove(struct ns_gateways *gateways, uint32_t slot);

/* Notes how long PULL_RESP to TX_ACK took. */
void ns_gateway_latency(struct ns_gateway *gateway, span_us latency);
/* Returns how long before a transmission's start the frame should leave here: 95th percentile + 60 ms, or 300 ms. */
span_us ns_gateway_lead(const struct ns_gateway *gateway);

/* Whether that was measured. */
bool ns_gateway_lead_is_known(const struct ns_gateway *gateway);

/* Learns from an arrival. */
void ns_gateway_map(struct ns_gateway *gateway, struct gw_ticks ticks, struct mono arrival);
/* Places a counter value on our clock, the gateway's usual delay included. False: not mapped, or too long ago. */
bool ns_gateway_place(const struct ns_gateway *gateway, struct gw_ticks ticks, struct mono now,
		      struct mono *at);

/* How long ago a counter value was, as to a frame that its gateway may have kept: by the line there is and by the one that such
 * frames broke, the longer of both. False: not known. The counter has 32 bits: ages beyond 35 minutes cannot be told. */
bool ns_gateway_age(const struct ns_gateway *gateway, struct gw_ticks ticks, struct mono now, span_us *age);

/* Whether the gateway's transmitter is taken in a span (half duplex). */
bool ns_gateway_is_busy(const struct ns_gateway *gateway, struct mono start, span_us length);
/* Whether it sends on that frequency in a span, for as long: two such frames at one data rate drown each other. */
bool ns_gateway_sends_like(const struct ns_gateway *gateway, uint32_t freq_hz, struct mono start,
			   span_us length);
/* Whether duty-cycle rules leave room. */
bool ns_gateway_duty_fits(const struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			  struct mono now, struct mono start, uint32_t airtime_us);
/* The same within a part of the sub-band's hour. */
bool ns_gateway_duty_fits_in(const struct ns_gateway *gateway, const struct lw_region *region,
			     uint32_t freq_hz, struct mono now, struct mono start, uint32_t airtime_us,
			     uint8_t percent);
/* Notes a transmission that was asked for: busy, and airtime spent. */
void ns_gateway_transmits(struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			  struct mono now, struct mono start, uint32_t airtime_us);
/* Airtime of the hour before `now` and what is planned in the next seconds, all sub-bands together. */
uint64_t ns_gateway_airtime_us(const struct ns_gateway *gateway, struct mono now);
/* How many transmissions are planned or going on. */
unsigned ns_gateway_pending(const struct ns_gateway *gateway, struct mono now);
/* What it has sent or is to send beyond NS_STORM_LEAK_PERMILLE of the time: 0 for one that rests. */
span_us ns_gateway_share(const struct ns_gateway *gateway, struct mono now);
/* What a sub-band's hour allows; UINT32_MAX where there is no limit. */
uint32_t ns_gateway_duty_budget(const struct lw_region *region, uint32_t freq_hz);
/* What is left of a sub-band's hour at `start`; UINT32_MAX where there is no limit. */
uint32_t ns_gateway_duty_left(const struct ns_gateway *gateway, const struct lw_region *region,
			      uint32_t freq_hz, struct mono start);
/* The transmitter is free after all. */
void ns_gateway_is_free(struct ns_gateway *gateway, struct mono start);
/* Takes it back: the gateway refused, for certain. */
void ns_gateway_refused(struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us);

#endif
