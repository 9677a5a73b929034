/* The datagrams that a gateway sends in the Semtech UDP protocol, as the packet forwarder writes them: for whatever stands in a
 * gateway's place (the simulator, `lamppost capture replay`). Pure. The bridge, which reads them, uses nothing of it, so that
 * neither can hide the other's mistake.
 *
 *	byte 0   version, 1 or 2         3   identifier          12   JSON   PUSH_DATA; TX_ACK when something went wrong
 *	     1   token, two bytes        4   gateway's EUI
 */
#ifndef LAMPPOST_TEXT_SEMTECH_WRITE_H
#define LAMPPOST_TEXT_SEMTECH_WRITE_H

#include "common/base/units.h"
#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEMTECH_HEADER_SIZE 12

enum semtech_identifier {
	SEMTECH_PUSH_DATA,
	SEMTECH_PUSH_ACK,
	SEMTECH_PULL_DATA,
	SEMTECH_PULL_RESP,
	SEMTECH_PULL_ACK,
	SEMTECH_TX_ACK
};

/* One frame as the gateway heard it. */
struct semtech_rxpk {
	struct gw_ticks tmst; /* the counter at the end of the reception */
	bool has_gps;
	int64_t gps_us; /* microseconds since 1980-01-06 at the end of the reception, if has_gps */
	uint32_t freq_hz;
	uint8_t chan; /* IF channel */
	uint8_t rfch;
	uint8_t spreading_factor; /* 0: FSK */
	uint32_t bandwidth_hz;    /* LoRa */
	uint32_t bit_rate_bps;    /* FSK */
	int crc;                  /* 1 good, −1 bad, 0 none */
	int rssi_dbm;
	int snr_cdb;        /* LoRa; written with one decimal */
	const uint8_t *phy; /* borrowed */
	size_t length;
};

/* The status report of one interval. */
struct semtech_stat {
	struct wall time;
	double latitude_deg;
	double longitude_deg;
	int altitude_m;
	uint32_t received;      /* rxnb */
	uint32_t received_good; /* rxok */
	uint32_t forwarded;     /* rxfw */
	uint32_t ack_permille;  /* ackr */
	uint32_t downlinks;     /* dwnb */
	uint32_t transmissions; /* txnb */
};

/* Each writes one datagram into `out` and returns its length; 0 if `capacity` is too small. The token is as on the wire, first
 * byte high. `stat` may be NULL, `entries` may be none. */
size_t semtech_write_push_data(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			       const struct lw_eui64 *eui, const struct semtech_rxpk *entries, size_t count,
			       const struct semtech_stat *stat);
size_t semtech_write_pull_data(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			       const struct lw_eui64 *eui);
/* `cause` NULL: the frame is taken, and there is no body. With `warn` it is taken all the same, at `power_dbm`. */
size_t semtech_write_tx_ack(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			    const struct lw_eui64 *eui, const char *cause, bool warn, int power_dbm);

#endif
