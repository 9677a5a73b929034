/* Payload ciphers (TS001-1.0.4 §4.3.3; FOpts: TS001-1.1 §4.3.1.6 with its erratum). A key stream of AES
 * blocks A_i is XORed, so that the same call encrypts and decrypts.
 *
 *	A_i  01 | 00 00 00 | c | dir | DevAddr(4) | FCnt(4) | 00 | i
 *	     c = 0 for FRMPayload; FOpts: 1 (FCntUp, NFCntDown) or 2 (AFCntDown), i = 1; before the erratum 0,
 *	     which is the key stream of FPort 0 under the same counter
 */
#ifndef LAMPPOST_LORAWAN_CIPHER_H
#define LAMPPOST_LORAWAN_CIPHER_H

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

/* The counter that numbers a 1.1 frame: FCntUp for uplinks; NFCntDown for downlinks with no FPort or FPort 0,
 * AFCntDown with FPort above 0. The value is byte 4 of the block. */
enum lw_fopts_counter {
	LW_FOPTS_BEFORE_ERRATUM =
		0, /* of every frame, for devices that were built before the erratum of 1.1 */
	LW_FOPTS_FCNT_UP = 1,
	LW_FOPTS_NFCNT_DOWN = 1,
	LW_FOPTS_AFCNT_DOWN = 2
};

/* Returns the counter that FOpts of a 1.1 frame go with. */
enum lw_fopts_counter lw_fopts_counter(enum lw_direction direction, bool has_fport, uint8_t fport);

/* Ciphers FRMPayload: AppSKey for FPort 1..255, NwkSKey (1.0) or NwkSEncKey (1.1) for FPort 0. At most 255
 * bytes; `in` and `out` may be the same memory. */
void lw_cipher_frm_payload(struct aes *aes, const struct lw_key *key, enum lw_direction direction,
			   struct lw_dev_addr dev_addr, uint32_t fcnt, const uint8_t *in, size_t length,
			   uint8_t *out);
/* Ciphers FOpts of a 1.1 session with NwkSEncKey. At most 15 bytes; `in` and `out` may be the same memory. */
void lw_cipher_fopts(struct aes *aes, const struct lw_key *nwk_s_enc_key, enum lw_direction direction,
		     struct lw_dev_addr dev_addr, uint32_t fcnt, enum lw_fopts_counter counter,
		     const uint8_t *in, size_t length, uint8_t *out);

#endif
