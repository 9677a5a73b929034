/* Message integrity codes (TS001-1.0.4 §4.4, §6.2.2; TS001-1.1 §4.4, §6.2). Four bytes of an AES-CMAC.
 *
 *	B0  49 | ConfFCnt(2) | 00 00       | dir | DevAddr(4) | FCnt(4) | 00 | len(msg)
 *	B1  49 | ConfFCnt(2) | TxDr | TxCh | 00  | DevAddr(4) | FCnt(4) | 00 | len(msg)
 *
 *	1.0 up, down   CMAC(NwkSKey, B0 | msg)[0..3]
 *	1.1 down       CMAC(SNwkSIntKey, B0 | msg)[0..3]            ConfFCnt: FCntUp acknowledged, if ACK is
 * set 1.1 up         CMAC(SNwkSIntKey, B1 | msg)[0..1] | CMAC(FNwkSIntKey, B0 | msg)[0..1]
 *
 * ConfFCnt is 0 in every B0 but that of a 1.1 downlink. */
#ifndef LAMPPOST_LORAWAN_MIC_H
#define LAMPPOST_LORAWAN_MIC_H

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

struct lw_mic {
	uint8_t bytes[4];
};

/* What a data frame's MIC depends on besides the keys. `msg` is borrowed during the call. */
struct lw_mic_input {
	enum lw_direction direction;
	struct lw_dev_addr dev_addr;
	uint32_t fcnt;      /* all 32 bits */
	bool ack;           /* FCtrl's ACK: without it conf_fcnt does not count */
	uint16_t conf_fcnt; /* 1.1: low half of the counter of the frame acknowledged */
	uint8_t tx_dr;      /* 1.1 uplinks: data rate index */
	uint8_t tx_ch;      /* 1.1 uplinks: channel index of the device's own table */
	const uint8_t *msg; /* MHDR to the byte before the MIC */
	uint8_t length;
};

/* Compares in constant time. */
bool lw_mic_equal(struct lw_mic a, struct lw_mic b);

/* MIC of a data frame under 1.0 rules, both directions; multicast too. */
struct lw_mic lw_mic_1_0(struct aes *aes, const struct lw_key *nwk_s_key, const struct lw_mic_input *input);
/* MIC of an uplink under 1.1 rules. */
struct lw_mic lw_mic_up_1_1(struct aes *aes, const struct lw_key *s_nwk_s_int_key,
			    const struct lw_key *f_nwk_s_int_key, const struct lw_mic_input *input);
/* MIC of a downlink under 1.1 rules. */
struct lw_mic lw_mic_down_1_1(struct aes *aes, const struct lw_key *s_nwk_s_int_key,
			      const struct lw_mic_input *input);

/* MIC of a join-request (root key), a rejoin-request (type 0, 2: SNwkSIntKey, type 1: JSIntKey), and the 1.0
 * form of a join-accept (root key): CMAC over the bytes alone. */
struct lw_mic lw_mic_join(struct aes *aes, const struct lw_key *key, const uint8_t *msg, size_t length);
/* The 1.1 form of a join-accept: CMAC(JSIntKey, JoinReqType | JoinEUI | DevNonce or RJcount | msg).
 * `join_req_type` is 0xff for a join, or the rejoin's type. */
struct lw_mic lw_mic_join_accept_1_1(struct aes *aes, const struct lw_key *js_int_key, uint8_t join_req_type,
				     const struct lw_eui64 *join_eui, uint16_t nonce, const uint8_t *msg,
				     size_t length);

#endif
