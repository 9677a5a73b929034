/* Class B: beacons and ping slots (TS001-1.0.4 §10 to §15, layouts of beacons in RP002 per region).
 *
 *	|<------------------------- 128 s, starts at a multiple of 128 s of GPS time ------------------------->|
 *	| reserved 2.120 s |            4096 slots of 30 ms = 122.880 s                 |  guard 3.000 s       |
 *	  beacon                 offset     offset + period    offset + 2 period ...
 *
 * A device opens pingNb slots in each beacon period, pingPeriod = 4096 / pingNb slots apart. The first is drawn anew
 * in each period from the beacon's time and the device's (or multicast group's) address, so that two devices which
 * collide once do not collide for ever:
 *
 *	Rand   = AES(0 x 16, Time(4) | DevAddr(4) | 0 x 8), little-endian
 *	offset = (Rand[0] + 256 Rand[1]) mod pingPeriod
 *
 * Frequencies are the region's: lw_region_beacon_freq(), lw_region_ping_freq(). Times are GPS time (gps_time.h). Nothing
 * here owns memory. */
#ifndef LAMPPOST_LORAWAN_CLASS_B_H
#define LAMPPOST_LORAWAN_CLASS_B_H

#include "common/base/bytes.h"
#include "common/crypto/aes.h"
#include "common/lorawan/region.h"
#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stdint.h>

#define LW_BEACON_PERIOD_S      128
#define LW_BEACON_RESERVED_MS   2120
#define LW_BEACON_GUARD_MS      3000
#define LW_BEACON_DELAY_NS      1500 /* TBeaconDelay: the first symbol leaves this much after the period's start */
#define LW_BEACON_MAX           64 /* bytes; the layouts of RP002 have 17, 19 or 23 */
#define LW_PING_SLOT_MS         30
#define LW_PING_SLOTS           4096 /* in one beacon period */
#define LW_PING_PERIOD_MIN      32
#define LW_PING_PERIOD_MAX      4096
#define LW_PING_PERIODICITY_MAX 7
#define LW_BEACONLESS_S         7200 /* a device keeps class B this long without hearing a beacon */

/* --- beacons (§15) --- */

/* Where a region puts things:
 *
 *	RFU1 | Param | Time(4) | CRC1(2) | GwSpecific(7) | RFU2 | CRC2(2)
 *
 * Older texts count Param as the last octet of RFU1. */
struct lw_beacon_layout {
	uint8_t rfu1_bytes; /* without Param */
	uint8_t rfu2_bytes;
};

enum lw_beacon_info { /* InfoDesc: what the six octets of GwSpecific mean */
		      LW_BEACON_GPS_ANTENNA_1 = 0,
		      LW_BEACON_GPS_ANTENNA_2 = 1,
		      LW_BEACON_GPS_ANTENNA_3 = 2,
		      LW_BEACON_NET_ID =
			      3 /* NetID and the network's own number of the gateway (TS001-1.0.4) */
};

struct lw_beacon {
	uint8_t prec; /* 0..3: time of emission is right within 10^(prec - 6) s; other bits of Param are RFU */
	uint32_t time_s;     /* GPS seconds of the period's start, modulo 2^32 */
	uint8_t info_desc;   /* enum lw_beacon_info; 4..127 RFU, 128..255 network specific */
	uint8_t info[6];     /* as on the air */
	uint16_t common_crc; /* filled by parsing: what the octets call for; so gw_crc */
	uint16_t gw_crc;
	bool common_crc_ok;
	bool gw_crc_ok;
};

/* In the order of the rules. With a bad CRC of the gateway's part the common part still counts for a device. */
enum lw_beacon_verdict {
	LW_BEACON_OK = 0,
	LW_BEACON_BAD_LENGTH,
	LW_BEACON_BAD_COMMON_CRC,
	LW_BEACON_BAD_GW_CRC,
	LW_BEACON_VERDICT_COUNT
};

/* "ok", "bad_length", "bad_common_crc", "bad_gw_crc". */
const char *lw_beacon_verdict_name(enum lw_beacon_verdict verdict);

/* The layout of a region's rule. */
struct lw_beacon_layout lw_beacon_layout(const struct lw_beacon_rule *rule);
/* Bytes of a beacon of that layout. */
size_t lw_beacon_length(const struct lw_beacon_layout *layout);
/* Fills `beacon`, whose members stand for what was read even where a CRC does not fit; untouched with
 * LW_BEACON_BAD_LENGTH. RFU octets are not looked at, but count for the CRCs. */
enum lw_beacon_verdict lw_beacon_parse(const struct lw_beacon_layout *layout, const uint8_t *bytes,
				       size_t length, struct lw_beacon *beacon);
/* Appends a beacon with RFU octets zero and both CRCs computed; the CRC members are not looked at. The writer fails if
 * it has not the room. */
void lw_beacon_build(const struct lw_beacon_layout *layout, const struct lw_beacon *beacon, struct wr *wr);
/* CRC of beacons: polynomial 0x1021, initial value 0, no reflection; sent low byte first. */
uint16_t lw_beacon_crc(const uint8_t *bytes, size_t length);

/* Coordinates of GPS antennas are 24-bit two's complement: degrees x 2^23 / 90 (latitude) or / 180 (longitude). They are
 * counted here in millionths of a degree; raw values are rounded to the nearest, and +90 and +180 degrees to the largest
 * there is. The degrees are within -90..90 and -180..180. */
int32_t lw_beacon_latitude_raw(int32_t microdegrees);
int32_t lw_beacon_longitude_raw(int32_t microdegrees);
int32_t lw_beacon_latitude(int32_t raw);
int32_t lw_beacon_longitude(int32_t raw);
/* Read and write the two halves of `info`: raw latitude and longitude (signed), or NetID and gateway's number. */
void lw_beacon_info_position(const struct lw_beacon *beacon, int32_t *latitude_raw, int32_t *longitude_raw);
void lw_beacon_set_position(struct lw_beacon *beacon, enum lw_beacon_info antenna, int32_t latitude_raw,
			    int32_t longitude_raw);
void lw_beacon_info_gateway(const struct lw_beacon *beacon, struct lw_net_id *net_id, uint32_t *gateway);
void lw_beacon_set_gateway(struct lw_beacon *beacon, struct lw_net_id net_id, uint32_t gateway);

/* Returns the start of the beacon period that a GPS time lies in; 0 or more in, a multiple of 128 out. */
int64_t lw_beacon_start(int64_t gps_s);

/* --- ping slots (§13) --- */

enum lw_ping_verdict { LW_PING_OK = 0, LW_PING_BAD_PERIOD, LW_PING_VERDICT_COUNT };

/* "ok", "bad_ping_period". */
const char *lw_ping_verdict_name(enum lw_ping_verdict verdict);

/* From PingSlotInfoReq's periodicity (0..7, only its low three bits count): slots in a beacon period (128 .. 1), slots
 * from one to the next (32 .. 4096), seconds from one to the next (1 .. 128; 0.96 s at periodicity 0, strictly). */
uint16_t lw_ping_nb(uint8_t periodicity);
uint16_t lw_ping_period(uint8_t periodicity);
uint8_t lw_ping_seconds(uint8_t periodicity);
/* Powers of two from 32 to 4096 are legal. */
bool lw_ping_period_ok(uint32_t ping_period);

/* Fills the first slot of the beacon period that starts at `beacon_time_s`: 0 .. ping_period - 1. `dev_addr` may be a
 * multicast address. Untouched on a refusal. */
MUST_USE enum lw_ping_verdict lw_ping_offset(struct aes *aes, uint32_t beacon_time_s,
					     struct lw_dev_addr dev_addr, uint32_t ping_period,
					     uint16_t *offset);

struct lw_ping_slot {
	int64_t beacon_s; /* GPS seconds of the period's start: what lw_region_ping_freq() asks for (modulo 2^32) */
	uint16_t slot;  /* 0..4095 within it */
	int64_t gps_ms; /* GPS time at which the slot starts */
};

/* Walks the slots of one address in time order, one AES block a beacon period. Members are its own. */
struct lw_ping_iterator {
	struct lw_dev_addr dev_addr;
	uint16_t ping_period;
	int64_t after_gps_ms; /* the slot given last, or what the walk began with */
	int64_t beacon_s;     /* of `offset`; -1: none computed yet */
	uint16_t offset;
};

/* Begins so that the first slot given is the first that starts strictly after `after_gps_ms` (0 or more). */
MUST_USE enum lw_ping_verdict lw_ping_iterator_init(struct lw_ping_iterator *iterator,
						    struct lw_dev_addr dev_addr, uint32_t ping_period,
						    int64_t after_gps_ms);
/* Fills the next slot; there always is one. */
void lw_ping_iterator_next(struct lw_ping_iterator *iterator, struct aes *aes, struct lw_ping_slot *slot);

#endif
