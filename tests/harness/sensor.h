/* A sensor of LoRaWAN 1.0.x or 1.1 whose every step the test decides, on the air of a t_gateway (radio.h): it joins, rejoins, sends,
 * reads what comes for it, with keys that it derives itself.
 *
 *	struct t_sensor meter = {.eui = "70b3d57ed00a0001", .join_eui = "70b3d57ed0000001", .app_key = "a1c7...", .nwk_key = NULL};
 *	t_true("joined", t_sensor_joins(&meter, &roof));
 *	struct t_air air = t_sensor_sends(&meter, true, 10, payload, 24);
 *	t_gateway_hears(&roof, &air);
 *	t_gateway_expects(&roof, &txpk);
 *	t_sensor_reads(&meter, &txpk, &down);
 *
 * Region US915, channel 8, DR3 up. Under 1.1 RekeyInd goes with every uplink until RekeyConf came. */
#ifndef LAMPPOST_TESTS_SENSOR_H
#define LAMPPOST_TESTS_SENSOR_H

#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"
#include "tests/harness/radio.h"

struct t_sensor {
	const char *eui, *join_eui, *app_key, *nwk_key; /* hex digits; nwk_key NULL: 1.0.x */
	uint16_t dev_nonce;                             /* of the last join-request */
	uint16_t rj_count;                              /* of the next rejoin-request of type 0 or 2 */
	/* the session */
	struct lw_dev_addr dev_addr;
	struct lw_net_id net_id;
	struct lw_session_keys keys;
	uint32_t fcnt_up; /* next */
	bool rekeyed;     /* 1.1: RekeyConf came */
};

/* A downlink as the sensor understood it. */
struct t_sensor_down {
	bool ack, has_fport;
	uint8_t fport;
	uint32_t fcnt; /* under 1.1 AFCntDown where fport is above 0, else NFCntDown */
	uint8_t payload[LW_PHY_PAYLOAD_MAX];
	uint8_t length;
};

/* Asks, as a device does again with another DevNonce while no accept comes; false after some tries, or when it cannot read it. */
bool t_sensor_joins(struct t_sensor *sensor, struct t_gateway *gateway);
/* A rejoin-request of type 2 (1.1): new keys. */
bool t_sensor_rejoins(struct t_sensor *sensor, struct t_gateway *gateway);
/* Makes the next uplink, which ends now. */
struct t_air t_sensor_sends(struct t_sensor *sensor, bool confirmed, uint8_t fport, const void *payload,
			    size_t length);
/* Reads a downlink: false unless it is for the sensor and its MIC fits. */
bool t_sensor_reads(struct t_sensor *sensor, const struct sim_txpk *txpk, struct t_sensor_down *down);

#endif
