/* What network-server and application-server say to each other over network.sock, as plain values (wire form:
 * lamppost.proto). Three conversations:
 *
 *   events        network → application  net_up_event, net_join_event, net_downlink_event, net_status_event, net_air_event; each is a journal
 * row and is repeated after a reconnect until net_event_stored covers its row desired state application →
 * network  net_state_begin, then records in order of version, then net_state_end; the network server answers
 * net_state_applied once they are durable downlinks     application → network  net_enqueue (metadata only);
 * at planning time network → application net_seal, answered with net_sealed within 20 ms
 *
 * Besides, network → application, best effort and no journal row: how join-requests fare (join_report.h), and the frames
 * that somebody follows (frame_messages.h), which the application server asks for.
 *
 * The network server never has a payload in clear (invariant 6): `frm_payload` is ciphertext wherever FPort >
 * 0. */
#ifndef LAMPPOST_PROTO_NETWORK_MESSAGES_H
#define LAMPPOST_PROTO_NETWORK_MESSAGES_H

#include "common/base/units.h"
#include "common/lorawan/types.h"
#include "common/proto/gateway_messages.h"

#define NET_RECEPTIONS_MAX     16 /* best SNR first; more are counted only */
#define NET_PAYLOAD_MAX        242
#define NET_KEK_LABEL_MAX      32
#define NET_WRAPPED_KEY_SIZE   24 /* RFC 3394 of 16 bytes */
#define NET_SESSION_KEY_ID_MAX 32
#define NET_SEALED_KEY_SIZE    74 /* common/crypto/sealed_key.h */
#define NET_TEXT_MAX           80

struct net_uuid {
	uint8_t bytes[16];
};

/* --- events, network → application -------------------------------------------------------------------------
 */

struct net_event_head {
	struct net_uuid id; /* stable: made of partition, epoch and journal row */
	uint64_t row;       /* what net_event_stored acknowledges; increasing */
	struct wall time;   /* of the event; for an uplink the end of its reception as well as it is known */
	struct lw_eui64 dev_eui;
};

struct net_reception {
	struct lw_eui64 gateway;
	int16_t rssi_dbm;
	bool has_snr;
	int16_t snr_cdb;
	uint32_t channel, rf_chain, board, antenna;
	struct gw_ticks ticks;
	bool has_gps_time;
	int64_t gps_time_us;
	bool has_fine_time;
	uint32_t fine_time_ns;
	struct wall arrival; /* at the bridge */
	enum gw_crc crc;
};

/* All zero names the session of an ABP device; every join makes a new random one. */
struct net_session_id {
	uint8_t bytes[16];
};

struct net_up_event {
	struct net_event_head head;
	struct net_session_id session;
	struct lw_dev_addr dev_addr;
	uint32_t fcnt_up;
	bool has_fport;
	uint8_t fport;
	bool confirmed, adr, ack, class_b, late;
	bool restarted; /* an ABP device began its counters again with this one, and was allowed to */
	uint8_t dr;
	uint32_t freq_hz;
	struct lw_modulation modulation;
	char region_id[GW_REGION_ID_MAX];
	uint8_t frm_payload[NET_PAYLOAD_MAX]; /* ciphertext under the AppSKey; empty for FPort 0 */
	uint8_t frm_payload_length;
	uint32_t next_fcnt_down; /* the counter that the next application downlink would take */
	uint8_t max_payload; /* longest FRMPayload that the next class A downlink holds at this data rate */
	uint32_t gateway_count; /* distinct gateways, may exceed reception_count */
	uint8_t reception_count;
	struct net_reception receptions[NET_RECEPTIONS_MAX];
	/* For accounts of loss and airtime. A network server of before says none of it (all 0). */
	uint32_t
		count; /* names the run of counters that `fcnt_up` is of: a join or a restart begins another; never 0 */
	uint32_t missed; /* counters of that run passed over right before this one; 0 of a late one */
	uint32_t airtime_us;
	struct wall seen; /* when the first copy came, by the server's clock alone */
};

/* What was on the air beside the uplinks that are events of their own. */
enum net_air_kind {
	NET_AIR_REPEAT,       /* an uplink again, under the same counter */
	NET_AIR_JOIN_REQUEST, /* of a join that was accepted */
	NET_AIR_JOIN_ACCEPT,
	NET_AIR_ITEM, /* a downlink with an agency's item */
	NET_AIR_MAC,  /* a downlink of the network's own: an acknowledgement, MAC commands */
	NET_AIR_KIND_COUNT
};

/* One transmission. Downlinks are told when they are handed out, and taken `back` where the gateway's refusal is certain, as
 * the gateway's own account has it: after a crash what was under way stays counted. */
struct net_air_event {
	struct net_event_head head; /* time: by the server's clock; of a `back` that of what it takes back */
	enum net_air_kind kind;
	bool back;
	uint32_t airtime_us;
	uint32_t deaf_us;        /* downlinks: for so long the gateway heard nothing */
	struct lw_eui64 gateway; /* of downlinks */
};
#define NET_DEAF_EXTRA (5 * US_PER_MS) /* a half-duplex gateway needs it to turn round */

/* What a device asks with (TS001-1.1 §6.2). The numbers are on the wire: only add at the end. */
enum net_join_request {
	NET_REQUEST_JOIN,
	NET_REQUEST_REJOIN_0, /* a new session in time */
	NET_REQUEST_REJOIN_1, /* a new session after a lost state */
	NET_REQUEST_REJOIN_2, /* new keys, the radio parameters kept */
	NET_REQUESTS
};
const char *net_join_request_name(enum net_join_request request); /* "join", "rejoin_0"... */

struct net_join_event {
	struct net_event_head head;
	struct net_session_id session;
	enum net_join_request request;
	struct lw_eui64 join_eui;
	struct lw_dev_addr dev_addr;
	char region_id[GW_REGION_ID_MAX];
	/* KEK that the network server does not have; "": the join server gave no AppSKey, `session_key_id` is asked for it */
	char app_s_key_label[NET_KEK_LABEL_MAX];
	uint8_t app_s_key_wrapped[NET_WRAPPED_KEY_SIZE];
	uint8_t session_key_id[NET_SESSION_KEY_ID_MAX]; /* names the AppSKey at the join server */
	uint8_t session_key_id_length;                  /* 0: it gave none */
	/* The session that the device goes on with where it does not hear the accept, however many were made since. */
	bool has_in_use;
	struct net_session_id in_use;
};

enum net_item_status {
	NET_ITEM_QUEUED,
	NET_ITEM_PLANNED,
	NET_ITEM_SENT,
	NET_ITEM_ACKNOWLEDGED,
	NET_ITEM_FAILED,
	NET_ITEM_EXPIRED,
	NET_ITEM_REFUSED,
	NET_ITEM_STALE_COUNTER,
	NET_ITEM_STATUS_COUNT
};
const char *net_item_status_name(enum net_item_status status);

/* One change of an item's state. */
struct net_downlink_event {
	struct net_event_head head;
	struct net_uuid item;
	enum net_item_status status;
	uint32_t fcnt_down;      /* from NET_ITEM_PLANNED on; NET_ITEM_STALE_COUNTER: the next free one */
	struct lw_eui64 gateway; /* NET_ITEM_PLANNED, NET_ITEM_SENT */
	char cause
		[NET_TEXT_MAX]; /* named verdict of a refusal or failure; why a planned item is queued again; "" otherwise */
	uint8_t tries;          /* frames that carried the item so far; a confirmed one may need several */
	bool has_max_payload;   /* NET_ITEM_QUEUED, NET_ITEM_REFUSED: a data rate is known */
	uint8_t max_payload;    /* as in net_up_event; cause item_too_long: what the region takes at most */
	bool has_uplink;        /* NET_ITEM_ACKNOWLEDGED, and a failure that an uplink without ACK told */
	struct net_uuid uplink; /* id of that uplink's event */
	bool has_tx;            /* NET_ITEM_PLANNED, NET_ITEM_SENT: the attempt */
	uint32_t freq_hz;
	struct lw_modulation modulation;
	int16_t power_dbm; /* EIRP */
	enum gw_window window;
	span_us delay; /* from the uplink's end to the window; 0 without an uplink */
};

/* What a device answered to DevStatusReq (TS001 §5.5). */
struct net_status_event {
	struct net_event_head head;
	struct net_uuid uplink; /* id of the event of the uplink that carried it */
	uint8_t battery;        /* 0 external power, 1..254, 255 not measured */
	int16_t margin_db;      /* -32..31, of the last DevStatusReq */
};

/* application → network: every event up to and with `row` is stored. */
struct net_event_stored {
	uint64_t row;
};

/* --- desired state, application → network ------------------------------------------------------------------
 */

#define NET_REGIONS_MAX 512

/* network → application, right after both Hellos: what is wanted from there on. */
struct net_state_wanted {
	struct net_uuid city;     /* of the city.db that was applied; all zero at first */
	uint64_t applied_version; /* every record up to here is durable */
	/* Ids of the regions that it serves, with a blank between: records that name another cannot be taken. "": not said. */
	char regions[NET_REGIONS_MAX];
};

/* A run of records follows. `full`: what is not among them is to be removed (another city.db, or one older
 * than what was applied). */
struct net_state_begin {
	struct net_uuid city;
	bool full;
};

struct net_state_end {
	uint64_t version; /* all records up to here have been sent */
};

struct net_state_applied {
	uint64_t version;
};

enum net_activation { NET_OTAA, NET_ABP };
enum net_class { NET_CLASS_A, NET_CLASS_B, NET_CLASS_C };

/* What chooses data rate, power and repeats where the network may (network-server/adr/). The numbers are on the wire and in stored
 * rows: only add at the end. */
enum net_adr_algorithm { NET_ADR_USUAL, NET_ADR_FIXED, NET_ADR_STEADY, NET_ADR_ALGORITHMS };
const char *net_adr_algorithm_name(enum net_adr_algorithm algorithm); /* "usual" */
bool net_adr_algorithm_parse(const char *name, enum net_adr_algorithm *algorithm);

/* Ways in which devices of a profile leave the specification, as bits. */
enum net_quirk {
	NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST =
		1, /* reads ForceRejoinReq (TS001-1.1 §5.13) in the other byte order */
	NET_QUIRK_FOPTS_BEFORE_ERRATUM = 2, /* block A of FOpts has 0 in byte 4 (1.1 before its erratum) */
	NET_QUIRK_DUPLICATE_LINK_ADR_ANS =
		4, /* one LinkADRAns a request though its version has one a block */
	NET_QUIRKS = 7
};

/* Which rejoin-requests are answered (1.1). The numbers are on the wire and in stored rows: only add at the end. */
enum net_rejoin { NET_REJOIN_ALL, NET_REJOIN_KEYS /* type 2 alone */, NET_REJOIN_NONE, NET_REJOINS };
bool net_rejoin_parse(const char *name, enum net_rejoin *rejoin); /* "all", "keys", "none" */

struct net_profile {
	uint64_t version;
	struct net_uuid id;
	bool deleted;
	enum lw_mac_version mac_version;
	char region_id[GW_REGION_ID_MAX];
	enum net_class device_class;
	uint8_t rx_delay_s; /* 1..15 wanted; for ABP what the device boots with; 0 = the server's default */
	uint8_t rx1_dr_offset;
	uint8_t rx2_dr;       /* 255 = the region's */
	uint32_t rx2_freq_hz; /* 0 = the region's */
	bool adr;
	bool allow_fcnt_reset;  /* ABP up to 1.0.3 */
	uint32_t late_uplink_s; /* 0 = late uplinks are dropped */
	/* ADR and MAC commands; net_profile_defaults() fills what a city usually wants. */
	uint8_t adr_margin_db;          /* 0..30: kept above what a data rate needs */
	uint8_t min_dr;                 /* lowest data rate that ADR gives */
	uint8_t max_dr;                 /* highest; NET_REGIONS_OWN = the region's */
	uint8_t max_nb_trans;           /* 1..3 */
	uint16_t dev_status_interval_h; /* 0 = DevStatusReq is never sent */
	uint8_t max_duty_cycle;         /* 0..15: airtime at most 1/2^n; 0 = no limit */
	uint8_t uplink_dwell;           /* TxParamSetupReq: 0 no limit, 1 400 ms, NET_REGIONS_OWN */
	uint8_t downlink_dwell;
	uint8_t max_eirp_dbm;             /* 8..36, NET_REGIONS_OWN */
	uint8_t confirmed_downlink_tries; /* 1..8 frames before a confirmed item has failed */
	enum net_adr_algorithm adr_algorithm;
	uint8_t adr_fixed_dr; /* 0..14: of NET_ADR_FIXED */
	enum lw_regional_revision regional_revision;
	bool fcnt_16_bit;          /* counters have 16 bits (up to 1.0.3) */
	uint8_t quirks;            /* bits of enum net_quirk */
	uint8_t adr_ack_limit_exp; /* ADRParamSetupReq: 2^n uplinks, 0..15; NET_DEVICES_OWN = not asked */
	uint8_t adr_ack_delay_exp;
	enum net_rejoin rejoin;
	uint8_t rejoin_time_exp;    /* RejoinParamSetupReq: 2^(n+10) s, 0..15; NET_DEVICES_OWN = not asked */
	uint8_t rejoin_count_exp;   /* 2^(n+4) uplinks */
	uint32_t beacon_freq_hz;    /* BeaconFreqReq; 0 = the region's */
	uint32_t ping_slot_freq_hz; /* PingSlotChannelReq; 0 = the region's */
	uint8_t ping_slot_dr;       /* NET_REGIONS_OWN = the region's */
};
#define NET_REGIONS_OWN 255 /* the region's default */
#define NET_DEVICES_OWN 255 /* the device's default */

/* Sets the fields from `adr_margin_db` on as a record that says nothing of them would have them. */
void net_profile_defaults(struct net_profile *profile);

struct net_device {
	uint64_t version;
	struct lw_eui64 dev_eui;
	bool deleted;
	bool enabled; /* false: registered but refused (its review is not approved) */
	struct lw_eui64 join_eui;
	struct net_uuid profile;
	enum net_activation activation;
	bool replaced;     /* not enabled, since another device stands in its place */
	bool private_keys; /* AppSKey is held by the agency alone */
	/* ABP and imported sessions; keys sealed to the network server's box key. 1.0.x uses nwk_s_key alone.
	 */
	struct lw_dev_addr dev_addr;
	bool has_nwk_s_key, has_s_nwk_s_int_key, has_nwk_s_enc_key;
	uint8_t nwk_s_key[NET_SEALED_KEY_SIZE]; /* 1.1: FNwkSIntKey */
	uint8_t s_nwk_s_int_key[NET_SEALED_KEY_SIZE];
	uint8_t nwk_s_enc_key[NET_SEALED_KEY_SIZE];
	uint32_t fcnt_up, fcnt_down; /* next expected; start values of an import */
};

struct net_gateway {
	uint64_t version;
	bool deleted;
	struct gw_gateway gateway;
	char channel_plan[32]; /* "" = the region's default; US915: "8-15,65" */
};

/* --- downlinks ---------------------------------------------------------------------------------------------
 */

struct net_enqueue {
	struct net_uuid item;
	struct lw_eui64 dev_eui;
	uint8_t fport; /* 1..223 and package ports */
	uint8_t length;
	bool confirmed;
	uint8_t priority;    /* 0 lowest .. 6 */
	struct wall expires; /* .us 0: never */
	bool encrypted;      /* by the agency, under `fcnt_down` */
	uint32_t fcnt_down;
	uint8_t frm_payload[NET_PAYLOAD_MAX]; /* only when `encrypted` */
};

/* application → network: drop the items of a device (none named: all). */
struct net_flush {
	struct lw_eui64 dev_eui;
	bool one;
	struct net_uuid item;
};

/* application → network: the device is to make a rejoin-request (ForceRejoinReq, TS001-1.1 §5.13). Not acknowledged: what becomes of
 * it is told by `why` and by the join's reports. */
struct net_force_rejoin {
	struct lw_eui64 dev_eui;
	uint8_t rejoin_type; /* 0 or 2 */
	uint8_t period;      /* 0..7: 32 s × 2^n between its tries */
	uint8_t max_retries; /* 0..7 */
	bool has_data_rate;
	uint8_t data_rate; /* 0..15 of the request; without one that of the device's last uplink */
};

struct net_seal {
	struct net_uuid item;
	struct lw_eui64 dev_eui;
	struct net_session_id session;
	struct lw_dev_addr dev_addr;
	uint32_t fcnt_down;
};

/* A cause of its own: the application server has no key of that session (yet). */
#define NET_NO_SESSION_KEY "no_session_key"

struct net_sealed {
	struct net_uuid item;
	uint32_t fcnt_down;
	bool ok;
	char cause[NET_TEXT_MAX]; /* "" when ok */
	uint8_t frm_payload[NET_PAYLOAD_MAX];
	uint8_t frm_payload_length;
};

#endif
