/* A region's parameters as data (RP002), and the questions a server asks of them. `struct lw_region` is
 * filled once at start by the YAML loader (common/text/region_yaml.h) and never changes; it owns nothing and
 * may be copied.
 *
 * Invariants after a load: every index in range, channels and tables complete, RX2 and beacon rates defined.
 * Behaviour that differs in kind between regions is an enum here, interpreted in region.c and channel_plan.c
 * alone: nothing asks which region it is. Powers are hundredths of dBm EIRP, frequencies Hz. */
#ifndef LAMPPOST_LORAWAN_REGION_H
#define LAMPPOST_LORAWAN_REGION_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_REGION_NAME_MAX       32
#define LW_UPLINK_CHANNELS_MAX   96
#define LW_DOWNLINK_CHANNELS_MAX 64
#define LW_CHANNEL_GROUPS_MAX    16
#define LW_DATA_RATES            16 /* the index has four bits; 15 means "keep" and is never listed */
#define LW_TX_POWERS             16
#define LW_RX1_OFFSETS           8
#define LW_CH_MASK_CNTLS         8
#define LW_FREQ_RANGES_MAX       8
#define LW_SUB_BANDS_MAX         16
#define LW_JOIN_CHANNELS_MAX     16
#define LW_BEACON_FREQS_MAX      64
#define LW_WOR_CHANNELS_MAX      4
#define LW_DR_NONE               255
/* A gateway's report of a frequency may be off by this much through rounding. */
#define LW_FREQ_TOLERANCE_HZ 1000

enum lw_plan_type {
	LW_PLAN_DYNAMIC, /* devices know a few channels, the network adds others */
	LW_PLAN_FIXED    /* channels are enumerated, the network only masks */
};

enum lw_region_status {
	LW_REGION_ACTIVE,
	LW_REGION_LEGACY,
	LW_REGION_DEPRECATED,
	LW_REGION_NOT_LORA_ALLIANCE
};

/* Which channel RX1 uses. */
enum lw_rx1_rule {
	LW_RX1_SAME_FREQUENCY,
	LW_RX1_MODULO,    /* downlink channel = uplink channel mod `rx1_modulo` */
	LW_RX1_SAME_INDEX /* downlink channel has the uplink channel's index */
};

/* What a ChMaskCntl value of LinkADRReq does (RP002 per region). */
enum lw_mask_action {
	LW_MASK_RFU,            /* the device rejects the command */
	LW_MASK_16,             /* bit i controls channel first_channel + i */
	LW_MASK_ALL_DEFINED_ON, /* every channel that the device knows; ChMask ignored */
	LW_MASK_ALL_ON,
	LW_MASK_ALL_OFF,
	LW_MASK_125_ON_MASK_500,  /* channels 0..63 on, bits 0..7 control channels 64..71 */
	LW_MASK_125_OFF_MASK_500, /* channels 0..63 off, bits 0..7 control channels 64..71 */
	LW_MASK_BANKS             /* bit b controls channels 8b..8b+7 and channel 64 + b */
};

enum lw_hop_method {
	LW_HOP_FIXED,
	LW_HOP_HOPPING,
	LW_HOP_FIXED_BY_JOIN_CHANNEL,
	LW_HOP_HOPPING_BY_JOIN_CHANNEL
};

struct lw_channel {
	uint32_t freq_hz; /* 0: not defined */
	uint32_t bandwidth_hz;
	uint8_t min_dr;
	uint8_t max_dr;
};

struct lw_channel_group {
	uint8_t first_index;
	uint8_t count;
	uint32_t first_freq_hz;
	uint32_t step_hz;
	uint32_t bandwidth_hz;
	uint8_t min_dr;
	uint8_t max_dr;
};

struct lw_data_rate {
	bool defined;
	struct lw_modulation modulation; /* code_rate is "4/5" and the like; bit_rate_bps is FSK's */
	uint32_t grid_step_hz;           /* LR-FHSS */
	uint32_t bit_rate_bps;           /* indicative for LoRa and LR-FHSS */
};

/* Largest payloads of a data rate; zeros: the rate may not be used. */
struct lw_max_payload {
	uint8_t m; /* MACPayload bytes: FHDR, FPort, FRMPayload */
	uint8_t n; /* FRMPayload bytes when FOpts is empty */
};

struct lw_freq_range {
	uint32_t min_hz;
	uint32_t max_hz;
	uint32_t grid_first_hz;
	uint32_t grid_step_hz; /* 0: any frequency */
	bool uplink;
	bool downlink;
};

struct lw_sub_band {
	uint32_t min_hz;
	uint32_t max_hz;
	uint16_t duty_cycle_permille; /* 1000: no limit */
	int16_t max_eirp_cdbm;
};

struct lw_tx_power {
	bool defined;
	int16_t offset_cdb; /* to the device's maximum EIRP, 0 or negative */
};

struct lw_mask_cntl {
	enum lw_mask_action action;
	uint8_t first_channel;
	uint8_t channel_count;
};

/* CN470: the channel of the join decides plan, windows and beacon. */
struct lw_join_channel {
	uint8_t index; /* 0..19 over the four plans */
	uint32_t freq_hz;
	uint32_t rx1_freq_hz;
	uint32_t rx2_freq_hz;
	uint8_t min_dr;
	uint8_t max_dr;
};

struct lw_rx_window {
	uint32_t freq_hz;
	uint8_t dr; /* downlink index */
};

struct lw_cflist_rule {
	uint8_t type; /* 0: frequencies, 1: channel masks */
	uint8_t first_channel;
	uint8_t channel_count;
	uint8_t min_dr;
	uint8_t max_dr;
	uint32_t freq_step_hz;
	uint8_t mask_count;
	uint8_t mask_bits;
};

struct lw_region_defaults {
	uint8_t receive_delay1_s;
	uint8_t receive_delay2_s;
	uint8_t join_accept_delay1_s;
	uint8_t join_accept_delay2_s;
	uint8_t rx1_dr_offset;
	uint32_t max_fcnt_gap; /* 1.0.0 to 1.0.3 and 1.1 only */
	uint16_t adr_ack_limit;
	uint16_t adr_ack_delay;
	uint8_t retransmit_timeout_min_s;
	uint8_t retransmit_timeout_max_s;
	uint8_t ping_slot_periodicity;
	uint8_t class_b_resp_timeout_s;
	uint8_t class_c_resp_timeout_s;
	uint8_t downlink_dwell_time;
};

struct lw_hop {
	enum lw_hop_method method;
	uint32_t freqs_hz[LW_BEACON_FREQS_MAX];
	uint8_t freq_count;
	uint8_t dr;
	uint8_t channels_per_join_channel;
	uint8_t first_join_channel;
};

struct lw_beacon_rule {
	struct lw_hop hop;
	struct lw_modulation modulation;
	uint16_t period_s;
	uint8_t preamble_symbols;
	bool inverted_polarity;
	uint8_t rfu1_bytes; /* layout in the order of these members */
	uint8_t param_bytes;
	uint8_t time_bytes;
	uint8_t crc1_bytes;
	uint8_t gw_specific_bytes;
	uint8_t rfu2_bytes;
	uint8_t crc2_bytes;
	uint8_t total_bytes;
};

struct lw_dwell_rule {
	uint16_t limit_ms; /* 0: none */
	bool uplink_default;
	bool downlink_default;
	bool set_by_tx_param_setup;
};

struct lw_lbt_rule {
	bool required;
	int16_t threshold_cdbm; /* 0: not stated */
	uint16_t carrier_sense_ms;
};

struct lw_wor_channel {
	uint8_t index;
	uint32_t freq_hz;
	uint32_t ack_freq_hz;
	uint8_t dr;
};

struct lw_region {
	char id[LW_REGION_NAME_MAX]; /* "us915": the file's name */
	char common_name[LW_REGION_NAME_MAX];
	char plan_name[LW_REGION_NAME_MAX];
	char plan_variant[LW_REGION_NAME_MAX];
	char spec_revision[LW_REGION_NAME_MAX];
	enum lw_plan_type plan_type;
	enum lw_region_status status;
	uint32_t freq_step_hz; /* unit of every 3-octet frequency: 100, or 200 at 2.4 GHz */

	struct lw_freq_range freq_ranges[LW_FREQ_RANGES_MAX];
	uint8_t freq_range_count;

	uint8_t lora_sync_word;
	uint8_t lora_preamble_symbols;
	uint8_t fsk_sync_word[3];
	uint8_t fsk_preamble_bytes;

	bool has_new_channel_req; /* devices of this plan know these commands */
	bool has_dl_channel_req;
	bool has_tx_param_setup_req;

	uint8_t max_uplink_channels; /* size of the table a server keeps */
	uint8_t max_downlink_channels;
	struct lw_channel uplink_channels[LW_UPLINK_CHANNELS_MAX]; /* by index; default channels if dynamic */
	uint8_t uplink_channel_count;
	struct lw_channel downlink_channels[LW_DOWNLINK_CHANNELS_MAX]; /* by index; none if dynamic */
	uint8_t downlink_channel_count;
	struct lw_channel_group join_groups[LW_CHANNEL_GROUPS_MAX];
	uint8_t join_group_count;
	struct lw_join_channel join_channels[LW_JOIN_CHANNELS_MAX];
	uint8_t join_channel_count;

	enum lw_rx1_rule rx1_rule;
	uint8_t rx1_modulo;
	struct lw_data_rate data_rates[2][LW_DATA_RATES]; /* [enum lw_direction][index] */
	uint8_t adr_max_dr;
	int16_t default_max_eirp_cdbm; /* TXPower 0 */
	struct lw_tx_power tx_powers[LW_TX_POWERS];

	/* [behind a repeater][dwell time limit on][dr]; ask lw_region_max_payload(). */
	struct lw_max_payload max_payloads[2][2][LW_DATA_RATES];
	bool has_payload_table[2][2];
	uint8_t max_rx1_dr_offset;
	uint8_t rx1_drs[2][LW_DATA_RATES]
		       [LW_RX1_OFFSETS]; /* [downlink dwell][uplink dr][offset]; LW_DR_NONE */
	bool has_rx1_table[2];
	struct lw_rx_window rx2;
	struct lw_cflist_rule cflist;
	struct lw_mask_cntl mask_cntls[LW_CH_MASK_CNTLS];
	struct lw_region_defaults defaults;
	struct lw_beacon_rule beacon;
	struct lw_hop ping_slot;
	struct lw_dwell_rule dwell;
	struct lw_lbt_rule lbt;
	struct lw_sub_band sub_bands[LW_SUB_BANDS_MAX];
	uint8_t sub_band_count;
	struct lw_wor_channel wor_channels[LW_WOR_CHANNELS_MAX];
	uint8_t wor_channel_count;
};

const char *lw_plan_type_name(enum lw_plan_type type);
const char *lw_region_status_name(enum lw_region_status status);
const char *lw_rx1_rule_name(enum lw_rx1_rule rule);
const char *lw_mask_action_name(enum lw_mask_action action);
const char *lw_hop_method_name(enum lw_hop_method method);

/* --- data rates --- */

/* Lends the data rate of an index in a direction; NULL when the region does not define it. */
const struct lw_data_rate *lw_region_data_rate(const struct lw_region *region, enum lw_direction direction,
					       uint8_t dr);
/* Finds the index of what a gateway heard or may send. LoRa is matched by spreading factor and bandwidth, FSK
 * by bit rate, LR-FHSS by width and code rate ("4/6" is "2/3"). False when the region has no such rate. */
bool lw_region_find_dr(const struct lw_region *region, enum lw_direction direction,
		       const struct lw_modulation *modulation, uint8_t *dr);
bool lw_region_uplink_dr(const struct lw_region *region, const struct lw_modulation *modulation, uint8_t *dr);
/* Least SNR that a LoRa rate needs, hundredths of dB (SF7 −750 .. SF12 −2000). False for FSK and LR-FHSS. */
bool lw_snr_floor_cdb(const struct lw_modulation *modulation, int16_t *floor_cdb);
/* Largest payloads at `dr`; a plan without a table for `dwell` on uses that for off (zeros: not allowed). */
struct lw_max_payload lw_region_max_payload(const struct lw_region *region, uint8_t dr, bool dwell,
					    bool repeater);
/* Longest FRMPayload that a downlink of the region holds at any data rate. */
uint8_t lw_region_longest_downlink(const struct lw_region *region);

/* --- channels and frequencies --- */

/* Index of the region's own uplink channel (enumerated, or default) at a frequency within
 * LW_FREQ_TOLERANCE_HZ; −1 when there is none. Channels that the network added are in struct lw_channel_plan.
 */
int lw_region_uplink_channel(const struct lw_region *region, uint32_t freq_hz);
/* Whether MAC commands may name this frequency (NewChannelReq: LW_UP; the others LW_DOWN). 0 is not a
 * frequency. */
bool lw_region_freq_ok(const struct lw_region *region, enum lw_direction direction, uint32_t freq_hz);
/* Index of the narrowest sub-band that holds a frequency; −1 when none does. */
int lw_region_sub_band(const struct lw_region *region, uint32_t freq_hz);
/* Highest EIRP that a gateway may send with at a frequency: the sub-band's, else the region's. */
int16_t lw_region_max_eirp_cdbm(const struct lw_region *region, uint32_t freq_hz);
/* EIRP of a TXPower index for a device whose maximum is `max_eirp_cdbm`. False when the index is not defined.
 */
bool lw_region_tx_power_cdbm(const struct lw_region *region, uint8_t index, int16_t max_eirp_cdbm,
			     int16_t *eirp_cdbm);
/* A frequency as the three octets of MAC commands carry it. False when it is not a whole number of steps, or
 * too big. */
bool lw_region_freq_code(const struct lw_region *region, uint32_t freq_hz, uint32_t *code);
/* The reverse; `code` has 24 bits. */
uint32_t lw_region_freq_from_code(const struct lw_region *region, uint32_t code);

/* --- receive windows (TS001 §3.3, RP002 per region) --- */

/* RX1 frequency by the region's rule for an uplink on `channel` at `freq_hz`. False when the rule has no
 * channel. */
bool lw_region_rx1_freq(const struct lw_region *region, uint8_t channel, uint32_t freq_hz,
			uint32_t *rx1_freq_hz);
/* RX1 data rate for an uplink rate, offset and DownlinkDwellTime. False when undefined or not a downlink
 * rate. */
bool lw_region_rx1_dr(const struct lw_region *region, uint8_t uplink_dr, uint8_t offset, bool downlink_dwell,
		      uint8_t *rx1_dr);
/* Both windows of a join accept, from the frequency and rate of the join-request: offset and dwell are the
 * defaults, and the common join channel decides where a plan has them. False when no RX1 follows; `rx2` is
 * filled always. */
bool lw_region_join_windows(const struct lw_region *region, uint32_t freq_hz, uint8_t uplink_dr,
			    struct lw_rx_window *rx1, struct lw_rx_window *rx2);
/* The common join channel at a frequency, or NULL: plans other than CN470 have none. */
const struct lw_join_channel *lw_region_join_channel(const struct lw_region *region, uint32_t freq_hz);

/* --- class B (TS001 §12) --- */

/* Frequency of the beacon that starts at `beacon_time_s` (GPS seconds); `join_channel` matters only to CN470.
 */
uint32_t lw_region_beacon_freq(const struct lw_region *region, uint32_t beacon_time_s, uint8_t join_channel);
/* Default ping-slot frequency of an address (or multicast address) in that beacon period. */
uint32_t lw_region_ping_freq(const struct lw_region *region, struct lw_dev_addr dev_addr,
			     uint32_t beacon_time_s, uint8_t join_channel);

#endif
