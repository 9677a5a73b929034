/* Where a class A answer can go: an ordered list of attempts (gateway, window, frequency, data rate, power), the best
 * first. What makes one better, in hundredths of dB:
 *
 *	link margin    as the uplink's SNR tells it, for the window's bandwidth, data rate and power; 10 dB are enough
 *	air time       −0.5 dB for 100 ms: what one frame takes no other can have
 *	window         +3 dB for RX1: when it fails there is still RX2
 *	load           −1 dB for 12 s that the gateway has sent within the hour, 3 dB at most, so that gateways that hear
 *	               equally well share the work
 *	time           −6 dB where less is left than the gateway usually needs
 *
 * A gateway that transmits then, or is to, or has no airtime left, is passed over; so is a window whose data rate does
 * not hold the frame. Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_PLAN_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_PLAN_H

#include "network-server/dedup.h"
#include "network-server/gateways.h"
#include "network-server/plan_policy.h"
#include "network-server/tx_result.h"

#define NS_HEARERS_KEPT 4

/* Which gateways heard the uplink, the best first, and what follows from it: all that planning needs. */
struct ns_windows {
	uint8_t region;
	enum ns_policy policy;           /* what attempts are chosen by */
	uint8_t unheard;                 /* accepts in a row that the device did not hear */
	enum ns_storm_class storm_class; /* of the device, where that is by price */
	uint32_t storm;                  /* that a join-request is counted in (join_storm.h); 0: none */
	bool dwell;                      /* the device's downlinks have a dwell time */
	bool has_rx1;
	struct lw_rx_window rx1, rx2;
	span_us rx1_delay; /* RX2 opens a second later */
	uint8_t count;
	struct ns_hearer {
		uint32_t gateway; /* slot */
		struct lw_eui64 eui;
		struct gw_ticks ticks;
		struct mono sent; /* the end of the uplink */
		bool has_snr;
		int16_t snr_cdb;
		uint32_t bandwidth_hz; /* of the uplink */
		int32_t margin_cdb;    /* above what the uplink's data rate needs; 0 where there is no SNR */
		int16_t rssi_dbm;
		uint32_t board, antenna;
	} by[NS_HEARERS_KEPT];
};

_Static_assert(2 * NS_HEARERS_KEPT <= GW_ATTEMPTS_MAX, "a plan holds RX1 and RX2 of every hearer");

struct ns_attempt {
	uint8_t hearer; /* index in the windows */
	enum gw_window window;
	bool spent; /* was sent, or is no use any more */
	int32_t score;
	struct mono start;
	uint32_t airtime_us;
	struct gw_tx_attempt tx;
};

/* Why the list is empty, with the numbers of that verdict's rule; of the gateway that was looked at last. */
struct ns_plan_why {
	uint32_t gateway;          /* slot, or NS_NO_SLOT */
	uint8_t offline, too_long; /* attempts that had no link, windows that do not hold the frame */
	uint8_t weak;              /* attempts that the device would hardly hear; in a storm */
	struct ns_numbers numbers;
};

struct ns_plan {
	uint8_t count;
	struct ns_attempt attempts[GW_ATTEMPTS_MAX];
	struct ns_plan_why why;
};

/* Keeps the best hearers of a frame; the rest of the windows is the caller's. */
void ns_windows_hearers(struct ns_windows *windows, const struct ns_frame *frame);
/* When the first window opens, by the best hearer's account. */
struct mono ns_windows_start(const struct ns_windows *windows);
/* Largest MACPayload that some window takes; 0 without a hearer. */
uint8_t ns_windows_max_payload(const struct ns_windows *windows, const struct lw_region *region);

/* Makes the list for a frame of `phy_length` bytes. NS_ACCEPTED, or why it is empty: too late, no airtime, no gateway. */
enum ns_drop ns_plan_make(struct ns_plan *plan, const struct ns_windows *windows,
			  const struct lw_region *region, const struct ns_gateways *gateways, struct mono now,
			  uint8_t phy_length);
/* Whether an attempt can be made as things stand: link, time, transmitter, airtime. */
bool ns_attempt_is_open(const struct ns_attempt *attempt, const struct ns_gateway *gateway,
			const struct lw_region *region, struct mono now);
/* After attempt `failed` ended as `next` says: the best of the rest in the time that is left, or −1. What the gateway's
 * answer rules out of its other attempts is ruled out for good. */
int ns_plan_next(struct ns_plan *plan, uint8_t failed, enum ns_tx_next next, const struct ns_windows *windows,
		 const struct lw_region *region, const struct ns_gateways *gateways, struct mono now);

#endif
