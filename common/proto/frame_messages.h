/* Live radio frames for whoever follows (`lamppost frames`): application → network net_frames_wanted, network → application
 * net_frame. Best effort: no journal row, a bounded ring that overwrites its oldest, nothing kept when it has been told.
 * Nobody follows: nothing is made.
 *
 *	follower ──wanted (lease_s > 0, renewed)──▶ known until the lease ends, the link is lost, or wanted with lease_s 0
 *
 * A frame is told once, when its verdict is known, with all its receptions: after its deduplication window, a join-request
 * after the join server's word. A downlink is told at its hand-over to the bridge and once more at the gateway's word
 * (the same `downlink` and `attempt`). Copies of what is told before any window (foreign, malformed) are collected too.
 *
 * The bytes are those on the air, payload ciphered (invariant 6). Foreign frames are told live to the city's engineers and
 * kept nowhere (invariant 12). */
#ifndef LAMPPOST_PROTO_FRAME_MESSAGES_H
#define LAMPPOST_PROTO_FRAME_MESSAGES_H

#include "common/lorawan/dev_addr.h"
#include "common/proto/network_messages.h"

#define NET_FOLLOWERS_MAX    64 /* at once */
#define NET_FRAMES_LEASE_S   30
#define NET_VERDICT_NAME_MAX 32
#define NET_VERDICT_LIST_MAX 160 /* "mic,fcnt_old" */
#define NET_SENTENCE_MAX     640
#define NET_FRAME_PROBLEMS   "problems" /* stands for every verdict that is a problem */

enum net_frame_directions { NET_FRAMES_BOTH, NET_FRAMES_UP, NET_FRAMES_DOWN, NET_FRAMES_DIRECTION_COUNT };

/* What a follower wants to see; zeroed: everything of ours. All that is set has to hold. */
struct net_frame_filter {
	bool by_gateway;
	struct lw_eui64 gateway; /* among the receptions, or the one that sends */
	bool by_device;
	struct lw_eui64 dev_eui;
	bool by_dev_addr;
	struct lw_dev_addr_prefix dev_addr;
	char verdicts
		[NET_VERDICT_LIST_MAX]; /* names with commas between, or NET_FRAME_PROBLEMS among them; "": any */
	enum net_frame_directions directions;
	bool foreign; /* also frames of other networks */
};

/* application → network. */
struct net_frames_wanted {
	uint32_t follower; /* 0 .. NET_FOLLOWERS_MAX − 1; the application server's own number of it */
	uint32_t lease_s;  /* 0: it has gone */
	struct net_frame_filter filter;
};

/* How a verdict is to be taken. */
enum net_frame_standing {
	NET_FRAME_GOOD,    /* it went its way */
	NET_FRAME_NOTE,    /* nothing is wrong: a repeat, a late copy, a downlink that has been handed over */
	NET_FRAME_PROBLEM, /* it was not taken, or not sent */
	NET_FRAME_FOREIGN, /* another network's */
	NET_FRAME_STANDING_COUNT
};
const char *
net_frame_standing_name(enum net_frame_standing standing); /* "good", "note", "problem", "foreign" */

struct net_frame {
	uint64_t
		number; /* increasing by one over all that were to be told on this link: a gap is what was not */
	enum lw_direction direction;
	struct wall
		time; /* up: end of the reception as well as it is known; down: of the hand-over or the word */
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length; /* never 0 */
	enum net_frame_standing standing;
	char verdict[NET_VERDICT_NAME_MAX]; /* name of a row of the network server's table */
	char sentence[NET_SENTENCE_MAX];    /* which rule, with its numbers */
	char next[NET_SENTENCE_MAX];        /* what a person does next; "" when nothing is to be done */
	bool has_device;
	struct lw_eui64 dev_eui; /* registered; not claimed: a wrong MIC has none */
	bool has_dev_addr;
	struct lw_dev_addr dev_addr;
	bool has_fcnt;
	uint32_t fcnt; /* all 32 bits, where a session was found */
	char region_id[GW_REGION_ID_MAX];
	uint32_t freq_hz;
	struct lw_modulation modulation;
	bool has_dr;
	uint8_t dr;
	bool retransmission; /* the same bytes were on the air before */
	/* LW_UP: how it was heard. */
	uint32_t gateway_count; /* distinct, may exceed reception_count */
	uint8_t reception_count;
	struct net_reception receptions[NET_RECEPTIONS_MAX];
	/* LW_DOWN: how it is sent. `freq_hz` and `modulation` are the attempt's. */
	uint64_t downlink; /* the network server's number of it */
	uint8_t attempt;   /* 0: the first of them */
	struct gw_tx_attempt tx;
	span_us left;   /* until its window, when it was handed over */
	bool answered;  /* the gateway's word has come, or its time has passed */
	bool has_power; /* the gateway uses another power */
	int16_t power_dbm;
};

/* Whether a frame is to be shown. */
bool net_frame_matches(const struct net_frame_filter *filter, const struct net_frame *frame);
/* Whether every name in a list of verdicts has the form of one: lower case letters, digits, '_', at most
 * NET_VERDICT_NAME_MAX − 1 of them. */
bool net_verdict_list_is(const char *list);

#endif
