/* Relay (TS011-1.0.0): what a relay forwards, and the wake-on-radio frame that wakes it. A relay is a device with a session
 * of its own; it carries other devices' frames as FRMPayload of FPort 226, ciphered with the network key of the session
 * (NwkSKey, or NwkSEncKey under 1.1), not with AppSKey. MAC commands of the relay are rows of mac_command.h, the keys are
 * in keys.h.
 *
 *	ForwardUplinkReq     metadata(3) | frequency(3) | PHYPayload
 *	                     metadata, little-endian: 3..0 data rate, 8..4 SNR + 20, 15..9 -(RSSI + 15), 17..16 WOR channel
 *	ForwardDownlinkReq   PHYPayload
 *	WOR, class A uplink  01 | DevAddr(4) | { data rate(1) | frequency(3) } ciphered | WFCnt(2) | MIC(4)
 *	                     A    01 | 00 00 | 00 | DevAddr(4) | WFCnt32(4) | WOR frequency(3) | WOR data rate(1)
 *	                     B0   49 | 0 x 4 | 00 | DevAddr(4) | WFCnt32(4) | 00 | 0e
 *	                     MIC  CMAC(WorSIntKey, B0 | DevAddr .. WFCnt)[0..3]
 *
 * Frequencies go in steps of the region, 100 Hz or 200 Hz (freq_step_hz). Structs borrow the payload they were read from,
 * and what they are built from. */
#ifndef LAMPPOST_LORAWAN_RELAY_H
#define LAMPPOST_LORAWAN_RELAY_H

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/crypto/aes.h"
#include "common/lorawan/mic.h"
#include "common/lorawan/types.h"

#include <stdint.h>

#define LW_RELAY_FPORT        226
#define LW_RELAY_METADATA     6  /* bytes that ForwardUplinkReq adds to a PHYPayload */
#define LW_RELAY_RXR_DELAY_S  18 /* a relayed device listens this long after its uplink */
#define LW_RELAY_SNR_MIN_DB   (-20)
#define LW_RELAY_SNR_MAX_DB   11
#define LW_RELAY_RSSI_MIN_DBM (-142)
#define LW_RELAY_RSSI_MAX_DBM (-15)
#define LW_RELAY_WOR_CHANNELS 2
#define LW_WOR_UPLINK         15 /* bytes */

/* In the order in which the rules are looked at. */
enum lw_relay_verdict {
	LW_RELAY_OK = 0,
	LW_RELAY_TRUNCATED,      /* no byte of a PHYPayload */
	LW_RELAY_BAD_LENGTH,     /* WOR: another length than that of its type */
	LW_RELAY_OTHER_TYPE,     /* WOR: not a class A uplink */
	LW_RELAY_BAD_MIC,        /* WOR */
	LW_RELAY_OUT_OF_RANGE,   /* building: a value that its bits cannot carry, or that is RFU */
	LW_RELAY_FREQUENCY_STEP, /* building: no multiple of the region's step */
	LW_RELAY_NO_ROOM,        /* building: the writer has not the room; it is as before */
	LW_RELAY_VERDICT_COUNT
};

/* "ok", "truncated", "bad_length", "other_type", "bad_mic", "field_out_of_range", "frequency_step", "no_room". */
const char *lw_relay_verdict_name(enum lw_relay_verdict verdict);

/* ForwardUplinkReq (§9.1): an uplink that the relay heard, and how. */
struct lw_forward_uplink {
	uint8_t data_rate;     /* 0..15: of the device's uplink, not of the relay's */
	int8_t snr_db;         /* -20..11; a relay clamps what it measured */
	int16_t rssi_dbm;      /* -142..-15; a relay clamps what it measured */
	uint8_t wor_channel;   /* 0 default, 1 second; 2 and 3 are RFU: read as they are, never built */
	uint32_t frequency_hz; /* of the device's uplink */
	const uint8_t *phy_payload;
	size_t phy_payload_length; /* at least 1 */
};

/* Reads the deciphered FRMPayload of FPort 226. RFU bits are not looked at. `forward` is untouched on a refusal. */
MUST_USE enum lw_relay_verdict lw_forward_uplink_read(const uint8_t *payload, size_t length,
						      uint32_t freq_step_hz,
						      struct lw_forward_uplink *forward);
/* Appends it. Values that do not fit are refused, not clamped. */
MUST_USE enum lw_relay_verdict lw_forward_uplink_write(const struct lw_forward_uplink *forward,
						       uint32_t freq_step_hz, struct wr *wr);

/* ForwardDownlinkReq (§9.2): the whole payload is the PHYPayload; refused when there is none. Fills what it borrows. */
MUST_USE enum lw_relay_verdict lw_forward_downlink_read(const uint8_t *payload, size_t length,
							const uint8_t **phy_payload,
							size_t *phy_payload_length);

/* Wake-on-radio of a class A uplink (§5.3.2): on which frequency and data rate the frame itself follows. */
struct lw_wor_uplink {
	struct lw_dev_addr dev_addr;
	uint32_t wfcnt32; /* the low 16 bits are on the air */
	uint8_t data_rate;
	uint32_t frequency_hz;
};

/* The channel on which the WOR frame itself is sent: part of the cipher. */
struct lw_wor_channel_used {
	uint32_t frequency_hz;
	uint8_t data_rate;
};

/* Appends the frame (LW_WOR_UPLINK bytes). Keys: lw_key_wor_s_int(), lw_key_wor_s_enc(). */
MUST_USE enum lw_relay_verdict lw_wor_uplink_build(struct aes *aes, const struct lw_key *wor_s_int_key,
						   const struct lw_key *wor_s_enc_key,
						   const struct lw_wor_uplink *uplink,
						   const struct lw_wor_channel_used *channel,
						   uint32_t freq_step_hz, struct wr *wr);
/* Fills the address and the 16 bits of WFCnt that are in clear, for finding the keys and the full counter. */
MUST_USE enum lw_relay_verdict lw_wor_uplink_address(const uint8_t *bytes, size_t length,
						     struct lw_dev_addr *dev_addr, uint16_t *wfcnt);
/* Checks the MIC under `wfcnt32` (whose low half must be the frame's) and deciphers. Untouched on a refusal. */
MUST_USE enum lw_relay_verdict lw_wor_uplink_read(struct aes *aes, const struct lw_key *wor_s_int_key,
						  const struct lw_key *wor_s_enc_key, const uint8_t *bytes,
						  size_t length, uint32_t wfcnt32,
						  const struct lw_wor_channel_used *channel,
						  uint32_t freq_step_hz, struct lw_wor_uplink *uplink);

#endif
