/* The Semtech UDP protocol ("GWMP"), versions 1 and 2: bytes to plain values and back. Pure.
 *
 *	byte 0   version, 1 or 2
 *	     1   token, two bytes, opaque
 *	     3   identifier
 *	     4   EUI of the gateway, 8 bytes, most significant first    PUSH_DATA, PULL_DATA, TX_ACK
 *	    12   JSON                                                   PUSH_DATA, TX_ACK; in PULL_RESP from
 *byte 4
 *
 * A datagram is taken apart in steps, so that it can be acknowledged and limited by its header before anybody
 *looks at its JSON: gb_header_parse(), then gb_push_open() and gb_push_next() entry by entry, or
 *gb_tx_ack_parse().
 *
 * Invariant: an entry of rxpk that is refused leaves its neighbours alone; whatever is refused has a verdict.
*/
#ifndef LAMPPOST_BRIDGE_SEMTECH_UDP_H
#define LAMPPOST_BRIDGE_SEMTECH_UDP_H

#include "common/lorawan/types.h"
#include "common/proto/gateway_messages.h"
#include "gateway-bridge/json.h"
#include "gateway-bridge/verdicts.h"

#define GB_HEADER_SIZE     12
#define GB_ACK_SIZE        4
#define GB_PULL_RESP_ROOM  768 /* no PULL_RESP is longer */
#define GB_CODING_RATE_MAX 32
#define GB_CAUSE_TEXT_MAX  64

enum gb_identifier { GB_PUSH_DATA, GB_PUSH_ACK, GB_PULL_DATA, GB_PULL_RESP, GB_PULL_ACK, GB_TX_ACK };
/* "PUSH_DATA"...; "unknown" for any other number. */
const char *gb_identifier_name(unsigned identifier);

struct gb_token {
	uint8_t bytes[2];
};

struct gb_header {
	uint8_t version; /* 1 or 2 */
	struct gb_token token;
	enum gb_identifier identifier; /* GB_PUSH_DATA, GB_PULL_DATA or GB_TX_ACK */
	struct lw_eui64 gateway;
};

/* Reads the header of a datagram that arrived at the server. GB_ACCEPTED, GB_TRUNCATED, GB_BAD_VERSION,
 * GB_BAD_IDENTIFIER, GB_WRONG_DIRECTION. */
enum gb_verdict gb_header_parse(const uint8_t *bytes, size_t length, struct gb_header *header);
/* Writes PUSH_ACK or PULL_ACK; returns GB_ACK_SIZE, or 0 for a TX_ACK, which is not acknowledged. */
size_t gb_ack_build(const struct gb_header *request, uint8_t bytes[GB_ACK_SIZE]);

/* --- PUSH_DATA */

/* One reception, checked. `has_` tells what the gateway sent; what it sent as null counts as absent. */
struct gb_rxpk {
	uint64_t freq_hz;                     /* llround(freq × 1e6), up to 10 GHz */
	struct lw_modulation modulation;      /* code_rate "" where the gateway's has no room in it */
	char data_rate[16];                   /* as sent: "SF7BW125", "M0CW137"; "FSK50000" */
	char coding_rate[GB_CODING_RATE_MAX]; /* as sent, LR-FHSS reduced; "" when none */
	struct gw_ticks ticks;
	bool has_rssi;
	int16_t rssi_dbm;
	bool has_snr;
	int16_t snr_cdb;
	enum gw_crc crc;
	bool has_gps_time; /* from tmms */
	int64_t gps_time_us;
	bool has_utc; /* from time, when it is one of 2017 or later */
	struct wall utc;
	bool has_fine_time;
	uint32_t fine_time_ns;
	uint32_t channel, rf_chain, board, antenna;
	int32_t freq_offset_hz;
	uint8_t phy_length;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
};

/* A PUSH_DATA's body while it is read. */
struct gb_push {
	struct gb_json *json; /* keeps a borrow until the last question */
	int rxpk;             /* token of the array, or GB_JSON_NONE */
	int entry;            /* the next one */
	int stat;             /* its token, or GB_JSON_NONE */
};

/* Reads the body (from byte 12) up to its entries. Anything but GB_ACCEPTED refuses the body as a whole. */
enum gb_verdict gb_push_open(struct gb_json *json, const uint8_t *body, size_t length, struct gb_push *push);
/* Reads the next entry: false at the end; `verdict` says whether `rxpk` was filled. */
bool gb_push_next(struct gb_push *push, struct gb_rxpk *rxpk, enum gb_verdict *verdict);
/* Reads stat, as far as its members make sense: false when there is none; `verdict` says whether `stats` was
 * filled (but for the gateway and the arrival). */
bool gb_push_stat(struct gb_push *push, struct gw_stats *stats, enum gb_verdict *verdict);

/* --- TX_ACK */

enum gb_tx_outcome { GB_TX_OK, GB_TX_WARNING, GB_TX_ERROR };

struct gb_tx_ack {
	enum gb_tx_outcome outcome;
	enum gw_tx_result result;      /* GW_TX_OK unless outcome is GB_TX_ERROR */
	char cause[GB_CAUSE_TEXT_MAX]; /* as sent; "" with GB_TX_OK */
	bool has_power;
	int16_t power_dbm; /* of a warning that names it */
};

/* Reads the body (from byte 12), which may be missing. */
enum gb_verdict gb_tx_ack_parse(struct gb_json *json, const uint8_t *body, size_t length,
				struct gb_tx_ack *ack);

/* --- PULL_RESP */

/* Writes one; `bytes` has GB_PULL_RESP_ROOM. Version 1 carries no token: pass zeros. GB_BEYOND_RADIO when the
 * attempt is LR-FHSS, which only goes up, or its numbers cannot be written. */
enum gb_verdict gb_pull_resp_build(uint8_t version, struct gb_token token,
				   const struct gw_tx_attempt *attempt, const uint8_t *phy, size_t phy_length,
				   uint8_t *bytes, size_t *length);

#endif
