/* Gateways and a device whose every step the test decides, over real UDP: what a scenario of the simulator cannot aim at.
 *
 *	struct t_gateway roof;
 *	t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101);
 *	struct t_device meter = {.dev_addr = {0x01018001}, .nwk_s_key = ..., .app_s_key = ...};
 *	struct t_air frame = t_device_sends(&meter, true, 10, "\1\2", 2);    a confirmed uplink that ends now
 *	t_gateway_hears(&roof, &frame);
 *	struct sim_txpk down;
 *	t_true("answered", t_gateway_expects(&roof, &down));               and takes it: TX_ACK without an error
 *
 * A gateway's counter is the test's monotonic clock in microseconds plus an offset of its own. Session rules are those of 1.0.x,
 * region US915, channel 8. */
#ifndef LAMPPOST_TESTS_RADIO_H
#define LAMPPOST_TESTS_RADIO_H

#include "common/crypto/aes.h"
#include "common/lorawan/frame.h"
#include "simulator/semtech_gateway.h"

struct t_gateway {
	int socket;
	struct lw_eui64 eui;
	uint32_t tmst_offset;
	uint16_t token;
	unsigned datagrams, push_acks;
	double pulled; /* t_seconds() of the last PULL_DATA */
};

/* Connects and pulls until the bridge acknowledges; false if it does not. */
bool t_gateway_open(struct t_gateway *gateway, uint16_t port, uint64_t eui);
void t_gateway_close(struct t_gateway *gateway);
/* Sends any bytes as a datagram. */
void t_gateway_raw(struct t_gateway *gateway, const void *bytes, size_t length);
/* Waits for one datagram of that kind and fills `down`; others are skipped, each PULL_RESP is taken with a TX_ACK. */
bool t_gateway_waits(struct t_gateway *gateway, enum sim_down_kind kind, struct sim_down *down,
		     double ceiling);
/* Waits for a PULL_RESP and takes it. */
bool t_gateway_expects(struct t_gateway *gateway, struct sim_txpk *txpk);

/* A frame on the air. */
struct t_air {
	double end; /* t_seconds() when its last symbol was over */
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
};

/* The gateway heard it and reports it now, however long ago that was; waits for the PUSH_ACK. */
bool t_gateway_hears(struct t_gateway *gateway, const struct t_air *air);
/* Waits until that moment (t_seconds()). */
void t_until(double moment);

struct t_device {
	struct lw_dev_addr dev_addr;
	struct lw_key nwk_s_key, app_s_key;
	uint32_t fcnt_up; /* next */
};

/* Makes the next uplink, which ends now. */
struct t_air t_device_sends(struct t_device *device, bool confirmed, uint8_t fport, const void *payload,
			    size_t length);
/* Reads a downlink for the device: false unless the MIC fits `fcnt` (of which 16 bits are on the air). */
bool t_device_reads(const struct t_device *device, const struct sim_txpk *txpk, struct lw_frame *frame);

#endif
