/* Fragmented data block transport (TS004-1.0.0 and 2.0.0): the commands, and the signature of a block (version 2). The
 * code that makes lost fragments good is in fragment_code.h. */
#ifndef LAMPPOST_LORAWAN_PACKAGES_FRAGMENTATION_H
#define LAMPPOST_LORAWAN_PACKAGES_FRAGMENTATION_H

#include "common/crypto/aes.h"
#include "common/lorawan/mic.h"
#include "common/lorawan/packages/package.h"

#define LW_FRAG_HEADER     3 /* bytes of DataFragment before its data: CID, N and index */
#define LW_FRAG_SESSIONS   4 /* frag_index 0..3 */
#define LW_FRAG_NUMBER_MAX 16383

enum lw_fragmentation_cid {
	LW_CID_FRAG_SESSION_STATUS = 0x01,
	LW_CID_FRAG_SESSION_SETUP = 0x02,
	LW_CID_FRAG_SESSION_DELETE = 0x03,
	LW_CID_FRAG_DATA_BLOCK_RECEIVED = 0x04, /* version 2 */
	LW_CID_DATA_FRAGMENT = 0x08
};

extern const struct lw_package lw_fragmentation;

/* MIC of a data block (TS004-2.0.0 §3.2): CMAC(DataBlockIntKey, 49 | SessionCnt(2) | FragIndex | Descriptor(4) | 0 x 4 |
 * length(4) | block)[0..3], with lw_key_data_block_int(). `length` is the block's without padding. */
struct lw_mic lw_data_block_mic(struct aes *aes, const struct lw_key *data_block_int_key,
				uint16_t session_cnt, uint8_t frag_index, const uint8_t descriptor[4],
				const uint8_t *block, uint32_t length);

#endif
