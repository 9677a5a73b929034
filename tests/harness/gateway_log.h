/* What gateways told a bridge of each frame, out of a capture of their datagrams (udp_tap.h): rxpk of PUSH_DATA, txpk of PULL_RESP.
 * One log at a time. */
#ifndef LAMPPOST_TESTS_GATEWAY_LOG_H
#define LAMPPOST_TESTS_GATEWAY_LOG_H

#include "common/lorawan/types.h"

struct t_logged {
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
	bool down; /* a PULL_RESP */
	uint32_t freq_hz;
	int spreading_factor;
	uint32_t bandwidth_hz;
	int rssi_dbm; /* receptions */
	int snr_ddb;  /* tenths of a dB, as rxpk has them */
};

/* Reads the file; aborts when it is none. Returns how many it found. */
size_t t_gateway_log_read(const char *path, uint16_t port);
void t_gateway_log_release(void);
/* Lends the best reception, by SNR, of a frame with that frequency and spreading factor, or the order to send it so; NULL: not in
 * the log. A frame that was repeated may have others. */
const struct t_logged *t_gateway_log_best(const uint8_t *phy, size_t length, uint32_t freq_hz,
					  int spreading_factor);

#endif
