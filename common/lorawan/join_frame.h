/* Join-request, join-accept and rejoin-requests (TS001-1.0.4 §6.2, TS001-1.1 §6.2). Layouts, MHDR first:
 *
 *	join-request    00 | JoinEUI(8) | DevEUI(8) | DevNonce(2) | MIC(4) 23 join-accept     20 |
 * JoinNonce(3) | NetID(3) | DevAddr(4) | DLSettings | RxDelay | [CFList(16)] | MIC(4)  17, 33 everything after
 * the MHDR is encrypted, by an AES decryption rejoin type 0   c0 | 00 | NetID(3) | DevEUI(8) | RJcount0(2) |
 * MIC(4)                                    19 rejoin type 1   c0 | 01 | JoinEUI(8) | DevEUI(8) | RJcount1(2)
 * | MIC(4)                                  24 rejoin type 2   c0 | 02 | NetID(3) | DevEUI(8) | RJcount0(2) |
 * MIC(4)                                    19
 */
#ifndef LAMPPOST_LORAWAN_JOIN_FRAME_H
#define LAMPPOST_LORAWAN_JOIN_FRAME_H

#include "common/base/status.h"
#include "common/lorawan/mic.h"
#include "common/lorawan/types.h"
#include "common/lorawan/verdict.h"

#define LW_JOIN_REQUEST_LENGTH 23
#define LW_JOIN_ACCEPT_BODY    12 /* fields without CFList */
#define LW_JOIN_ACCEPT_LENGTH  17
#define LW_JOIN_ACCEPT_MAX     33
#define LW_CFLIST_LENGTH       16
#define LW_REJOIN_0_2_LENGTH   19
#define LW_REJOIN_1_LENGTH     24
#define LW_CFLIST_FREQUENCIES  5
#define LW_CFLIST_CH_MASKS     7
#define LW_JOIN_REQ_TYPE_JOIN  0xff /* JoinReqType of a join-request in the accept's MIC */

struct lw_join_request {
	struct lw_eui64 join_eui;
	struct lw_eui64 dev_eui;
	uint16_t dev_nonce;
	struct lw_mic mic;
};

/* DLSettings: OptNeg (1.1) | RX1DROffset(3) | RX2DataRate(4). */
struct lw_dl_settings {
	bool opt_neg;
	uint8_t rx1_dr_offset; /* 0..7 */
	uint8_t rx2_data_rate; /* 0..15 */
};

struct lw_join_accept {
	uint32_t join_nonce; /* 24 bits */
	struct lw_net_id net_id;
	struct lw_dev_addr dev_addr;
	struct lw_dl_settings dl_settings;
	uint8_t rx_delay; /* seconds, 0..15; 0 means 1 */
	bool has_cflist;
	uint8_t cflist[LW_CFLIST_LENGTH]; /* as on the air: lw_cflist_decode() */
	struct lw_mic mic;
};

struct lw_rejoin_request {
	uint8_t type;             /* 0, 1 or 2 */
	struct lw_net_id net_id;  /* types 0 and 2 */
	struct lw_eui64 join_eui; /* type 1 */
	struct lw_eui64 dev_eui;
	uint16_t rj_count; /* RJcount0 or RJcount1 */
	struct lw_mic mic;
};

/* CFList: type 0 has frequencies of additional channels (0: none), type 1 the masks of a fixed plan. */
struct lw_cflist {
	uint8_t type;
	uint32_t frequencies_hz[LW_CFLIST_FREQUENCIES];
	uint16_t ch_masks[LW_CFLIST_CH_MASKS];
};

/* Parse; the MIC is not looked at; the struct is untouched unless LW_OK. */
MUST_USE enum lw_verdict lw_join_request_parse(struct lw_join_request *request, const uint8_t *phy,
					       size_t length);
MUST_USE enum lw_verdict lw_rejoin_request_parse(struct lw_rejoin_request *request, const uint8_t *phy,
						 size_t length);
/* Parses a join-accept that is in clear: lw_join_accept_decrypt() first. */
MUST_USE enum lw_verdict lw_join_accept_parse(struct lw_join_accept *accept, const uint8_t *plain,
					      size_t length);

/* Write with the MIC as given. `phy` has room for the length returned; 0 if a field is out of its range. */
size_t lw_join_request_encode(const struct lw_join_request *request, uint8_t phy[LW_JOIN_REQUEST_LENGTH]);
size_t lw_rejoin_request_encode(const struct lw_rejoin_request *request, uint8_t phy[LW_REJOIN_1_LENGTH]);
/* Writes a join-accept in clear. */
size_t lw_join_accept_encode(const struct lw_join_accept *accept, uint8_t plain[LW_JOIN_ACCEPT_MAX]);

/* The 12 or 28 bytes between MHDR and MIC. LW_BAD_LENGTH otherwise. */
MUST_USE enum lw_verdict lw_join_accept_body_parse(struct lw_join_accept *accept, const uint8_t *body,
						   size_t length);
size_t lw_join_accept_body_encode(const struct lw_join_accept *accept,
				  uint8_t body[LW_JOIN_ACCEPT_BODY + LW_CFLIST_LENGTH]);

/* Encrypt and decrypt an encoded join-accept of 17 or 33 bytes in place. Key: AppKey (1.0.x), NwkKey (1.1,
 * answer to a join, OptNeg 0 too), JSEncKey (answer to a rejoin). Other lengths are LW_BAD_LENGTH, nothing
 * changed. */
MUST_USE enum lw_verdict lw_join_accept_encrypt(struct aes *aes, const struct lw_key *key, uint8_t *phy,
						size_t length);
MUST_USE enum lw_verdict lw_join_accept_decrypt(struct aes *aes, const struct lw_key *key, uint8_t *phy,
						size_t length);

struct lw_dl_settings lw_dl_settings_decode(uint8_t byte);
uint8_t lw_dl_settings_encode(const struct lw_dl_settings *dl_settings);

/* `frequency_step_hz` is the region's: 100, or 200 at 2.4 GHz. Decoding returns false, `cflist` untouched,
 * for a type other than 0 and 1; encoding for a frequency that is no multiple of the step or does not fit 24
 * bits. */
bool lw_cflist_decode(struct lw_cflist *cflist, const uint8_t bytes[LW_CFLIST_LENGTH],
		      uint32_t frequency_step_hz);
bool lw_cflist_encode(const struct lw_cflist *cflist, uint8_t bytes[LW_CFLIST_LENGTH],
		      uint32_t frequency_step_hz);

#endif
