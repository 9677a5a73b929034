/* Class B's clock as a device keeps it: what a beacon says, and when ping slots are (TS001-1.0.4 sections 11 to 14). Written for the
 * device alone, like its plan of the region. Pure; GPS time has no leap seconds.
 *
 *	beacon period 128 s = 2.120 s reserved | 4,096 slots of 30 ms | 3 s guard */
#ifndef LAMPPOST_SIM_DEVICE_PING_H
#define LAMPPOST_SIM_DEVICE_PING_H

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

#define SIM_BEACON_PERIOD_S    128
#define SIM_BEACON_RESERVED_MS 2120
#define SIM_PING_SLOT_MS       30
#define SIM_PING_SLOTS         4096

/* The beginning of the beacon period that a GPS second lies in. */
uint32_t sim_beacon_start_s(uint32_t gps_s);

/* Slots in a beacon period at a periodicity of 0 to 7: 2^(7 - periodicity). */
uint16_t sim_ping_count(uint8_t periodicity);
/* Fills the first of `count` slots of the period that begins at `beacon_s`, for a device or a multicast address; the others follow
 * every 4,096 / count. False for a count that is no power of two from 1 to 128. */
bool sim_ping_offset(struct aes *aes, uint32_t beacon_s, struct lw_dev_addr dev_addr, uint16_t count,
		     uint16_t *offset);
/* When slot n of the 4,096 begins, milliseconds after the beacon. */
uint32_t sim_ping_slot_ms(uint16_t slot);
/* The first slot of the address that begins after that GPS time, milliseconds; −1 for a bad count. */
int64_t sim_ping_next_ms(struct aes *aes, int64_t after_gps_ms, struct lw_dev_addr dev_addr, uint16_t count);

struct sim_beacon {
	uint32_t time_s;     /* GPS */
	uint16_t common_crc; /* as it ought to be: of what stands before the gateway's part */
	uint16_t gw_crc;     /* of the gateway's part */
	bool common_crc_ok;  /* and is */
	bool gw_crc_ok;
	uint8_t info_desc; /* 0: coordinates of the gateway's first antenna */
	int32_t latitude;  /* 2^23 is 90 degrees */
	int32_t longitude; /* 2^23 is 180 degrees */
};
/* Reads a beacon with that many RFU bytes in front of the time (Param among them) and before the last CRC. False for another length.
 * A wrong CRC leaves the part's values as they were heard. */
bool sim_beacon_read(const uint8_t *bytes, size_t length, size_t rfu1_bytes, size_t rfu2_bytes,
		     struct sim_beacon *beacon);

#endif
