/* What a simulated gateway with ChirpStack's MQTT forwarder says and understands: the protobuf bodies, written and read by the field
 * numbers of that interface by hand. It shares neither schema nor library with the bridge, so that the two do not agree on one
 * mistake. Strict about commands: a command that a real gateway could not carry out is refused with the reason.
 *
 *	[prefix/]gateway/EUI/event/up, event/stats, event/ack, state/conn ──▶      ◀── command/down */
#ifndef LAMPPOST_SIM_CHIRPSTACK_GATEWAY_H
#define LAMPPOST_SIM_CHIRPSTACK_GATEWAY_H

#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CHIRPSTACK_PHY_MAX     255
#define SIM_CHIRPSTACK_CONTEXT_MAX 128
#define SIM_CHIRPSTACK_ITEMS_MAX   8
#define SIM_CHIRPSTACK_BODY_ROOM   1024

struct sim_chirpstack_modulation {
	enum { SIM_CHIRPSTACK_LORA = 3, SIM_CHIRPSTACK_FSK = 4, SIM_CHIRPSTACK_LR_FHSS = 5 } kind;
	uint32_t bandwidth_hz;     /* LoRa; LR-FHSS: occupied width */
	uint32_t spreading_factor; /* LoRa */
	uint32_t bit_rate;         /* FSK */
	uint32_t deviation_hz;     /* FSK */
	uint32_t code_rate;        /* the interface's number: 1 is 4/5 */
	bool inverted;             /* LoRa */
	uint32_t preamble;         /* LoRa, down */
	bool no_crc;               /* LoRa, down */
};

struct sim_chirpstack_up {
	const char *id; /* of the gateway in the body, 16 digits; NULL: left out */
	uint8_t phy[SIM_CHIRPSTACK_PHY_MAX];
	size_t phy_length;
	uint32_t freq_hz;
	struct sim_chirpstack_modulation modulation;
	int32_t rssi_dbm;
	float snr_db;
	uint32_t crc; /* 2: good */
	uint32_t uplink_id, channel, rf_chain, board, antenna;
	uint8_t context[SIM_CHIRPSTACK_CONTEXT_MAX];
	size_t context_length;
	int64_t gps_time_us; /* 0: left out, as the next two */
	int64_t unix_time_us;
	int64_t fine_time_ns;
};

struct sim_chirpstack_item {
	uint8_t phy[SIM_CHIRPSTACK_PHY_MAX];
	size_t phy_length;
	uint32_t freq_hz;
	int32_t power_dbm;
	struct sim_chirpstack_modulation modulation;
	uint32_t board, antenna;
	enum { SIM_CHIRPSTACK_NOW = 1, SIM_CHIRPSTACK_DELAY = 2, SIM_CHIRPSTACK_GPS = 3 } timing;
	int64_t time_us; /* the delay, or the GPS time */
	uint8_t context[SIM_CHIRPSTACK_CONTEXT_MAX];
	size_t context_length;
};

struct sim_chirpstack_down {
	uint32_t id;
	char gateway[17];
	size_t count;
	struct sim_chirpstack_item items[SIM_CHIRPSTACK_ITEMS_MAX];
};

/* Each returns the bytes written to `bytes`, which has SIM_CHIRPSTACK_BODY_ROOM. */
size_t sim_chirpstack_write_up(uint8_t *bytes, const struct sim_chirpstack_up *up);
/* `rx` and `tx` are those of an interval; a latitude of 0 leaves the place out, `model` NULL the metadata. */
size_t sim_chirpstack_write_stats(uint8_t *bytes, const char *id, uint32_t rx, uint32_t rx_ok, uint32_t tx,
				  double latitude, double longitude, double altitude, const char *model);
size_t sim_chirpstack_write_conn(uint8_t *bytes, const char *id, bool online);
size_t sim_chirpstack_write_ack(uint8_t *bytes, const char *id, uint32_t downlink_id,
				const uint32_t *statuses, size_t count);

/* Reads a command; NULL, or why a gateway cannot carry it out. */
const char *sim_chirpstack_read_down(const uint8_t *bytes, size_t length, struct sim_chirpstack_down *down);

#endif
