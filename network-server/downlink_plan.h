/* Where a class A answer can go: an ordered list of attempts (gateway, window, frequency, data rate, power), the best
 * first. Gateways by link margin, then RSSI; RX1 before RX2 unless RX1 can no longer be reached; a gateway that is
 * transmitting then, or has no airtime left, is passed over. Every attempt must hold the frame's length. Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_PLAN_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_PLAN_H

#include "network-server/dedup.h"
#include "network-server/gateways.h"

#define NS_HEARERS_KEPT 4

/* Which gateways heard the uplink, the best first, and what follows from it: all that planning needs. */
struct ns_windows {
	uint8_t region;
	bool has_rx1;
	struct lw_rx_window rx1, rx2;
	span_us rx1_delay; /* RX2 opens a second later */
	uint8_t count;
	struct ns_hearer {
		uint32_t gateway; /* slot */
		struct lw_eui64 eui;
		struct gw_ticks ticks;
		struct mono sent; /* the end of the uplink */
		int32_t margin_cdb;
		int16_t rssi_dbm;
		uint32_t board, antenna;
	} by[NS_HEARERS_KEPT];
};

struct ns_attempt {
	uint8_t hearer; /* index in the windows */
	enum gw_window window;
	bool spent; /* was sent, or is no use any more */
	struct mono start;
	uint32_t airtime_us;
	struct gw_tx_attempt tx;
};

struct ns_plan {
	uint8_t count;
	struct ns_attempt attempts[GW_ATTEMPTS_MAX];
};

/* Keeps the best hearers of a frame; `region` only for the windows' sake. */
void ns_windows_hearers(struct ns_windows *windows, const struct ns_frame *frame);
/* When the first window opens, by the best hearer's account. */
struct mono ns_windows_start(const struct ns_windows *windows);
/* Largest MACPayload that some window takes; 0 without a hearer. */
uint8_t ns_windows_max_payload(const struct ns_windows *windows, const struct lw_region *region);
/* Makes the list for a frame of `phy_length` bytes. False: `*why_not_duty` tells whether airtime was the only reason. */
bool ns_plan_make(struct ns_plan *plan, const struct ns_windows *windows, const struct lw_region *region,
		  const struct ns_gateways *gateways, struct mono now, uint8_t phy_length,
		  bool *why_not_duty);
/* Whether an attempt can still reach its gateway in time. */
bool ns_attempt_in_time(const struct ns_attempt *attempt, const struct ns_gateway *gateway, struct mono now);
/* After `failed` was refused with that result: the best of the rest in the time that is left, or −1. TX_FREQ, TX_POWER and
 * others: another gateway; a collision: another gateway's RX1, else RX2; TOO_LATE: RX2. */
int ns_plan_next(const struct ns_plan *plan, uint8_t failed, enum gw_tx_result result,
		 const struct ns_windows *windows, const struct ns_gateways *gateways, struct mono now);

#endif
