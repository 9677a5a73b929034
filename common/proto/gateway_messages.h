/* What gateway-bridge and network-server say to each other over network.sock, as plain values. The wire form
 * is protobuf (lamppost.proto); envelope.h packs and unpacks. Nothing here is borrowed: every struct owns its
 * bytes.
 *
 * Time crosses as an age, not as a clock: `age_us` is how long the bridge held the message before it was
 * written to the link, so that the receiver's own monotonic clock gives the arrival (now − age_us), wherever
 * the two processes run. */
#ifndef LAMPPOST_PROTO_GATEWAY_MESSAGES_H
#define LAMPPOST_PROTO_GATEWAY_MESSAGES_H

#include "common/base/units.h"
#include "common/lorawan/types.h"

#define GW_ATTEMPTS_MAX  8  /* attempts of one downlink */
#define GW_LIST_PART_MAX 50 /* gateways in one part of the list */
#define GW_CAUSE_MAX     40
/* Nothing heard of a gateway for so long: it is silent, unless the configuration says otherwise (common.gateway_silent). */
#define GW_SILENT_US     (90 * US_PER_S)
#define GW_ADDRESS_MAX   64 /* "203.0.113.7:41022" */
#define GW_REGION_ID_MAX 16 /* "cn470-rp001" */
#define GW_CIDR_MAX      64
#define GW_TOKENS_MAX    2   /* of one gateway: while one is replaced by another both count */
#define GW_TOKEN_HASH    32  /* bytes: BLAKE2b-256 of the token */
#define GW_CHANNELS_MAX  448 /* as many extra channels as a device keeps, written at full length */

/* rssi_dbm of a reception whose gateway did not say: below anything that can be heard. */
#define GW_RSSI_UNKNOWN (-200)

enum gw_crc { GW_CRC_OK, GW_CRC_BAD, GW_CRC_NONE };
enum gw_protocol {
	GW_SEMTECH_UDP_V1,
	GW_SEMTECH_UDP_V2,
	GW_BASICS_STATION,
	GW_CHIRPSTACK_MQTT,
	GW_PROTOCOL_COUNT
};
/* "semtech-udp-1", "semtech-udp-2", "basics-station", "chirpstack-mqtt"; asserts on a value outside the enum. */
const char *gw_protocol_name(enum gw_protocol protocol);

/* One reception of one frame by one gateway (bridge → network). */
struct gw_uplink {
	struct lw_eui64 gateway;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	uint32_t freq_hz; /* as the gateway reported it, never snapped to a channel */
	struct lw_modulation modulation;
	enum gw_crc crc;
	int16_t rssi_dbm;
	bool has_snr;
	int16_t snr_cdb;
	struct gw_ticks ticks; /* the gateway's counter at the end of the reception */
	bool has_gps_time;
	int64_t gps_time_us; /* end of the reception, microseconds since 1980-01-06 */
	bool has_fine_time;
	uint32_t fine_time_ns; /* since the last PPS */
	uint32_t channel;
	uint32_t rf_chain;
	uint32_t board;
	uint32_t antenna;
	int32_t freq_offset_hz;
	span_us age_us;         /* from arrival at the bridge to the link */
	struct wall arrival;    /* the bridge's wall clock at arrival */
	bool wall_synchronised; /* of that clock */
	enum gw_protocol protocol;
};

enum gw_window { GW_RX1, GW_RX2, GW_CLASS_B, GW_CLASS_C };
enum gw_timing { GW_AT_TICKS, GW_AT_GPS_TIME, GW_IMMEDIATELY };

/* One way to send a frame. */
struct gw_tx_attempt {
	struct lw_eui64 gateway;
	enum gw_window window;
	enum gw_timing timing;
	struct gw_ticks ticks; /* GW_AT_TICKS: start of the transmission */
	int64_t gps_time_us;   /* GW_AT_GPS_TIME */
	uint32_t freq_hz;
	struct lw_modulation modulation;
	int16_t power_dbm; /* EIRP */
	bool invert_polarity;
	uint32_t board;
	uint32_t antenna;
};

/* One frame to send (network → bridge): the best attempt first, never empty. A UDP gateway gets attempts[0];
 * the answer goes back as a gw_tx_ack, and the network server decides what to try next (a new gw_downlink,
 * same id). Where attempts[0] is RX1, attempts[1] may be RX2 of the same gateway: a Basics Station gets both in one
 * message, and the gw_tx_ack names the one that it sent. */
struct gw_downlink {
	uint64_t id; /* chosen by the network server, unique while in flight */
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	uint8_t attempt_count; /* 1 .. GW_ATTEMPTS_MAX */
	struct gw_tx_attempt attempts[GW_ATTEMPTS_MAX];
};

enum gw_tx_result {
	GW_TX_OK, /* accepted into the gateway's queue */
	GW_TX_TOO_LATE,
	GW_TX_TOO_EARLY,
	GW_TX_COLLISION_PACKET,
	GW_TX_COLLISION_BEACON,
	GW_TX_FREQ,
	GW_TX_POWER,
	GW_TX_GPS_UNLOCKED,
	GW_TX_QUEUE_FULL,
	GW_TX_DUTY_CYCLE,
	GW_TX_IGNORED,
	GW_TX_NO_PATH, /* the bridge has no address for this gateway: never sent */
	/* Handed over, and nothing came back in time. With an empty `cause` its protocol may have no word for it (UDP version 1,
	 * a station's dnsched): counted as sent. With one ("no_dntxed", "station_cut") a gateway that tells whatever it sends has
	 * not: not sent. */
	GW_TX_NO_ANSWER,
	GW_TX_OTHER, /* a cause we do not know, see `cause` */
	GW_TX_RESULT_COUNT
};
const char *gw_tx_result_name(enum gw_tx_result result);

/* What became of an attempt (bridge → network). */
struct gw_tx_ack {
	uint64_t id;
	uint8_t attempt; /* index in the gw_downlink: of the one that was sent, or that failed */
	struct lw_eui64 gateway;
	enum gw_tx_result result;
	char cause[GW_CAUSE_MAX]; /* as the gateway wrote it; "" with GW_TX_OK */
	bool has_power;
	int16_t power_dbm;  /* what the gateway will use instead (warning TX_POWER: the result is GW_TX_OK) */
	span_us latency_us; /* PULL_RESP to TX_ACK as the bridge measured it; 0 without an answer */
};

/* A gateway's own statistics (bridge → network); `has_` tells what it sent. */
struct gw_stats {
	struct lw_eui64 gateway;
	bool has_counts;
	uint32_t rx_received, rx_ok, rx_forwarded, tx_received, tx_emitted;
	bool has_ack_permille;
	uint32_t ack_permille;
	bool has_location;
	double latitude_deg, longitude_deg;
	int32_t altitude_m;
	bool has_temperature;
	int32_t temperature_cdeg; /* hundredths of a degree Celsius */
	struct wall arrival;
};

/* A gateway came, moved or went silent, as the bridge judges by its own monotonic clock (bridge → network).
 */
struct gw_presence {
	struct lw_eui64 gateway;
	bool online;
	bool known; /* in the gateway list; unknown ones are listed, get no downlink path and are not
		       forwarded */
	enum gw_protocol protocol;
	char address[GW_ADDRESS_MAX];
	char reason[GW_CAUSE_MAX]; /* "pull_data", "silent", "moved", "flapping", "settled", "restarted" */
};

/* By what a gateway may come. */
enum gw_accept {
	GW_ACCEPT_UDP = 1,         /* Semtech UDP: proves nothing but its address */
	GW_ACCEPT_TOKEN = 2,       /* Basics Station with one of its tokens */
	GW_ACCEPT_CERTIFICATE = 4, /* Basics Station with a client certificate of the city's CA */
	GW_ACCEPT_MQTT = 8 /* ChirpStack's MQTT topics: who may publish there is the broker's to judge */
};
enum gw_chip { GW_SX1301, GW_SX1302, GW_CHIP_COUNT }; /* what its receiver is, for router_config */

/* One row of the gateway list that a bridge keeps (network → bridge, in parts; the bridge swaps when `last`
 * arrived). */
struct gw_gateway {
	struct lw_eui64 eui;
	char region_id[GW_REGION_ID_MAX];
	uint8_t accept;                /* bits of enum gw_accept */
	char source_cidr[GW_CIDR_MAX]; /* "" = any; pins the address of a gateway */
	uint8_t token_count;
	uint8_t token_hashes[GW_TOKENS_MAX][GW_TOKEN_HASH];
	int64_t certificates_void_us; /* wall: client certificates issued at or before it are void; 0: none */
	enum gw_chip chip;
	/* What it is to hear, as the network server reads record and configuration: in a fixed plan the channels
	 * (lw_channels_parse()), in a dynamic one those beyond the region's own (lw_extra_channels_read()). */
	char channels[GW_CHANNELS_MAX];
};

struct gw_gateway_list {
	uint64_t version;
	bool first, last;
	uint32_t count;
	struct gw_gateway gateways[GW_LIST_PART_MAX];
};

#endif
