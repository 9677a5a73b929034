/* Devices of the load generator: ABP, LoRaWAN 1.0.3, us915, everything computed from the device's number n, so that the generator, the
 * import file and a checker agree without a table.
 *
 *	DevEUI   4c50000000000000 + n
 *	DevAddr  00000001 + n                (NetID 000000)
 *	NwkSKey  4e 6c 6f 61 64 00 00 00 | n as 8 bytes, big-endian
 *	AppSKey  41 6c 6f 61 64 00 00 00 | n as 8 bytes, big-endian
 *
 * Uplink k (from 0) is of device first + k mod N with counter first_fcnt + k / N; FPort 1, payload n and counter as two big-endian u32. */
#ifndef LAMPPOST_SIM_LOAD_SESSION_H
#define LAMPPOST_SIM_LOAD_SESSION_H

#include "simulator/load_answer.h"

#define SIM_LOAD_PHY_LENGTH 21 /* MHDR 1, FHDR 7, FPort 1, payload 8, MIC 4 */
#define SIM_LOAD_PHY_MAX    (SIM_LOAD_PHY_LENGTH + SIM_LOAD_ANSWERS_MAX)

struct sim_load_session {
	struct lw_eui64 dev_eui;
	struct lw_dev_addr dev_addr;
	struct lw_key nwk_s_key;
	struct lw_key app_s_key;
};

struct sim_load_session sim_load_session(uint32_t number);
/* Writes the uplink of device `number` with that counter and what it has to answer, ready for the air; returns its length. */
size_t sim_load_uplink(struct aes *aes, uint32_t number, uint32_t fcnt, bool confirmed,
		       const struct sim_load_answer *answer, uint8_t phy[SIM_LOAD_PHY_MAX]);
/* Whether that uplink is among the confirmed ones: so many of a thousand, spread over devices and counters. */
bool sim_load_is_confirmed(uint32_t number, uint32_t fcnt, uint32_t permille);
/* Channel of an uplink: 8 to 15, by number and counter. */
uint32_t sim_load_channel(uint32_t number, uint32_t fcnt);

#endif
