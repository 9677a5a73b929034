/* MAC commands (TS001 §5): one file for each command that is handled.
 *
 * What devices ask is answered at once (table in mac.c). What the network asks follows one scheme (table in request.c): per
 * session the values that the device confirmed (session.h) stand against the network's wish (wish.c: profile, region,
 * gateways, ADR), and each kind of request has two functions:
 *
 *	ask      writes the requests that lead from the one to the other; nothing where they agree, or where only what
 *	         was refused is left
 *	answer   takes what the device said, bit by bit: all or nothing is applied, what was refused is remembered
 *
 *	uplink ── ns_mac_handle() ──▶ answers find their question (session.mac.question, stored before it left) ──▶ answer()
 *	       └─ decide ──▶ mac.due ──▶ ns_mac_requests() as the frame is made: ask() ──▶ question, stored with the turn
 *
 * A lost request is asked again, the pause between growing from none to NS_MAC_WAIT_MAX uplinks, for each kind by itself: a
 * command that a device does not know holds up nothing else. What was refused is not asked again until the wish changes, what
 * ADR asked for not for NS_MAC_FORGIVE uplinks; a device that refuses one thing after the other is asked with the same growing
 * pauses, until it takes something. An answer that no question waits for changes nothing: a repeat
 * of a sticky one (§5: repeated until a downlink arrives; one is sent, even empty), or unexpected. */
#ifndef LAMPPOST_NETWORK_SERVER_MAC_MAC_H
#define LAMPPOST_NETWORK_SERVER_MAC_MAC_H

#include "common/lorawan/mac_command.h"
#include "network-server/adr/adr.h"
#include "network-server/uplink.h"

/* Uplinks, a power of two: a device that refused a data rate, power or mask of LinkADRReq is asked again, so that no refusal holds
 * for ever; its reason may have gone. */
#define NS_MAC_FORGIVE  512
#define NS_MAC_WAIT_MAX 63 /* uplinks between two requests that stay without answer */
#define NS_MAC_DEAF     4 /* answers to ADRACKReq in vain, after which an ABP device is taken to have restarted */
/* Uplinks in a row with an answer that a downlink would end: each of these is given one, then every so many. A device that is
 * out of reach, or repeats it whatever it hears, does not have the air of a downlink for each uplink. */
#define NS_MAC_STICKY       8
#define NS_MAC_STICKY_EVERY 16
#define NS_MAC_BLOCK        8 /* commands of one kind in a frame */

/* --- uplinks --- */

/* Where an uplink was heard on a channel that was only asked for, the device has taken it, whatever became of its answer. */
void ns_mac_observe(struct ns *ns, struct ns_uplink *uplink);
/* Reads and handles the commands of an uplink, then decides what has to be asked. Of a repeat only what the device asks is
 * answered again. */
void ns_mac_handle(struct ns *ns, struct now now, struct ns_uplink *uplink);
/* Adds an answer to the uplink's; one that does not fit is left out (the device asks again). */
void ns_mac_answer(struct ns *ns, struct ns_uplink *uplink, const struct lw_mac_command *command);
/* Channels with those that NewChannelReq in flight adds: what the device may be using. False: none is in flight. */
bool ns_mac_plan_asked(const struct ns *ns, const struct ns_session *session, struct lw_channel_plan *plan);
/* Whether RX1's data rate is certain; false while a change of the downlink dwell time is in flight that would change it. */
bool ns_mac_rx1_dr(const struct ns_session *session, const struct lw_region *region, uint8_t uplink_dr,
		   uint8_t *rx1_dr);
/* Whether the device takes downlinks of 400 ms at most. */
bool ns_mac_downlink_dwell(const struct ns_session *session, const struct lw_region *region);
bool ns_mac_uplink_dwell(const struct ns_session *session, const struct lw_region *region);

/* --- downlinks --- */

/* Adds the requests that are due and fit, and keeps them as the session's question. True: the session changed, and has to be
 * stored before the frame leaves. */
bool ns_mac_requests(struct ns *ns, struct now now, struct ns_session *session,
		     const struct ns_profile *profile, struct wr *wr);

/* Fills in BeaconTimingAns among the commands of a frame for RX2 that will be `phy_length` bytes long, where there is one. */
void ns_mac_beacon_timing_fill(const struct ns *ns, const struct ns_session *session,
			       const struct ns_downlink *downlink, uint8_t *commands, uint8_t length,
			       uint8_t phy_length);

/* --- orders --- */

/* What ForceRejoinReq (TS001-1.1 §5.13) says: the device is to make a rejoin-request now, and to repeat it until it is
 * answered. */
struct ns_rejoin_order {
	uint8_t period;      /* 0..7: a retry every 32 s × 2^n and up to 32 s more */
	uint8_t max_retries; /* 0..7 */
	uint8_t rejoin_type; /* 0 or 2; 1 asks for 0 */
	uint8_t data_rate;   /* of the rejoin-request; NS_REJOIN_ORDER_OWN_DR: the device's present one */
};
#define NS_REJOIN_ORDER_OWN_DR 255
#define NS_REJOIN_ORDER_TRIES  6 /* requests, each with the answer to an uplink, the pauses growing */

enum ns_order { NS_ORDER_TAKEN, NS_ORDER_NOT_OF_ITS_VERSION, NS_ORDER_OUT_OF_RANGE, NS_ORDER_TABLE_FULL };
/* Orders a device's rejoin: kept with the session (durable with the turn), sent with the answer to its next uplink, which it
 * makes go, and again until ns_mac_rejoin_seen(), another session, or NS_REJOIN_ORDER_TRIES. An order in force is replaced.
 * `slot` is the session's. */
enum ns_order ns_mac_order_rejoin(struct ns *ns, struct now now, uint32_t slot,
				  const struct ns_rejoin_order *order);
/* A rejoin-request of the device was heard under that session: an order that stands is done. */
void ns_mac_rejoin_seen(struct ns *ns, struct now now, uint32_t slot);
/* Requests that are still to be sent; 0: no order stands. */
uint8_t ns_mac_rejoin_left(const struct ns *ns, uint32_t slot);

/* --- the wish --- */

struct ns_wish {
	uint8_t rx_delay_s, rx1_dr_offset, rx2_dr;
	uint32_t rx2_freq_hz;
	uint8_t max_duty_cycle;
	uint8_t tx_param;                     /* as in TxParamSetupReq, and NS_TX_PARAM_KNOWN */
	uint8_t adr_limit_exp, adr_delay_exp; /* ADR_ACK_LIMIT and _DELAY = 2^n */
	bool rejoin;                          /* RejoinParamSetupReq is wanted */
	uint8_t rejoin_time_exp, rejoin_count_exp;
	uint32_t beacon_freq_hz, ping_slot_freq_hz; /* 0: the region's */
	uint8_t ping_slot_dr;
};
#define NS_ADR_LIMIT_EXP  6 /* what a device boots with: 64 and 32 uplinks */
#define NS_ADR_DELAY_EXP  5
#define NS_TX_PARAM_KNOWN 0x80 /* a session without it has what its region boots with */
uint8_t ns_boot_tx_param(const struct lw_region *region);
/* What the network wants of a session: OTAA, its profile's values; ABP, the server's and the region's, for there the
 * profile says what the device boots with. */
void ns_wish(const struct ns *ns, const struct net_profile *profile, const struct lw_region *region, bool abp,
	     struct ns_wish *wish);
/* Lends the channels that devices of a region should use: those of its gateways. Made anew when gateways have changed. */
const struct ns_wanted *ns_wanted(struct ns *ns, uint8_t region);
/* Sets the windows that a device boots with: ABP, what its profile says. */
void ns_boot_windows(const struct net_profile *profile, const struct lw_region *region, bool abp,
		     struct ns_session *session);
/* Sets all that a device boots with: windows, channels, power; nothing is in flight, nothing refused. */
void ns_mac_boot(struct ns *ns, const struct net_profile *profile, const struct lw_region *region, bool abp,
		 struct ns_session *session);

/* --- for the files of this folder --- */

struct ns_mac_case {
	struct ns *ns;
	uint32_t slot;
	struct ns_session *session;
	const struct net_profile *profile;
	const struct lw_region *region;
	struct ns_wish wish;
	struct lw_channel_plan plan;          /* confirmed */
	struct ns_rare rare;                  /* confirmed */
	const struct lw_channel_plan *wanted; /* ns_wanted() */
	struct now now;
	const struct ns_uplink *uplink; /* while one is handled; else NULL */
};

/* Commands of one kind, in their order. */
struct ns_mac_block {
	struct lw_mac_command commands[NS_MAC_BLOCK];
	uint8_t count;
};

enum ns_mac_said { NS_MAC_TAKEN, NS_MAC_REFUSED };
enum ns_mac_urgency { NS_MAC_NOTHING, NS_MAC_IF_A_FRAME_GOES, NS_MAC_SEND };

void ns_mac_case_init(struct ns_mac_case *of, struct ns *ns, struct ns_session *session,
		      const struct net_profile *profile);
/* Adds a zeroed downlink command to fill. */
struct lw_mac_command *ns_mac_block_add(struct ns_mac_block *block, uint8_t cid);
/* A hash of 16 bits, never 0. */
uint16_t ns_mac_hash(const void *bytes, size_t length);
/* Fills the question of a kind; false: none is in flight. */
bool ns_mac_question(const struct ns_session *session, enum ns_mac_kind kind, uint32_t freq_step_hz,
		     struct ns_mac_block *block);
uint8_t ns_mac_cid(enum ns_mac_kind kind);
/* Answers of an uplink, by kind: resolved against their questions. */
void ns_mac_resolve(struct ns_mac_case *of, enum ns_mac_kind kind, const struct ns_mac_block *answers);
/* Whether the session's version has that request. */
bool ns_mac_known_to(const struct ns_session *session, enum ns_mac_kind kind);
/* Whether something is left to ask of that kind; false: all agrees, or was refused. */
bool ns_mac_would_ask(const struct ns_mac_case *of, enum ns_mac_kind kind);
/* Which kinds are due now; `heard` are those that this uplink answered. True: a frame has to go. */
bool ns_mac_decide(struct ns_mac_case *of, uint16_t heard);

/* Answers to what devices ask. */
void ns_mac_link_check(struct ns *ns, struct now now, struct ns_uplink *uplink,
		       const struct lw_mac_command *command);
void ns_mac_device_time(struct ns *ns, struct now now, struct ns_uplink *uplink,
			const struct lw_mac_command *command);
void ns_mac_rekey(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command);
void ns_mac_reset(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command);

void ns_mac_device_mode(struct ns *ns, struct now now, struct ns_uplink *uplink,
			const struct lw_mac_command *command);
void ns_mac_ping_slot_info(struct ns *ns, struct now now, struct ns_uplink *uplink,
			   const struct lw_mac_command *command);
void ns_mac_beacon_timing(struct ns *ns, struct now now, struct ns_uplink *uplink,
			  const struct lw_mac_command *command);
/* GPS time of the end of an uplink: a gateway's own, else the bridge's clock less half the way; false: neither is known. */
bool ns_mac_end_of_uplink(const struct ns *ns, const struct ns_frame *frame, int64_t *gps_us);
/* Keeps what a session was told; where there is no room it stays as it was, and that is counted. */
bool ns_mac_keep_rare(struct ns *ns, struct now now, struct ns_session *session, const struct ns_rare *rare);

/* Requests. */
enum ns_mac_urgency ns_mac_duty_cycle_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_duty_cycle_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_tx_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_tx_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_rx_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_rx_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_new_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_new_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					   const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_link_adr_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_link_adr_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_rx_timing_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_rx_timing_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					 const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_dl_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_dl_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_dev_status_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_dev_status_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_adr_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_adr_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					 const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_rejoin_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_rejoin_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					    const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_beacon_freq_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_beacon_freq_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					   const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_ping_slot_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
enum ns_mac_said ns_mac_ping_slot_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
						 const struct ns_mac_block *answers);
enum ns_mac_urgency ns_mac_force_rejoin_ask(const struct ns_mac_case *of, struct ns_mac_block *ask);
void ns_mac_force_rejoin_sent(struct ns *ns, struct ns_session *session);
/* The device has had all requests of an order, and an uplink has come that is none: it is given up. */
void ns_mac_force_rejoin_follow(struct ns_mac_case *of);

/* What ADR makes of the session now. False: the device or its profile does not let the network choose. */
bool ns_mac_adr(const struct ns_mac_case *of, const struct lw_channel_plan *channels,
		struct ns_adr_decision *decision);

#endif
