#include "common/lorawan/cipher.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#define BLOCKS_MAX 16 /* 255 bytes */

/* XORs `in` with the key stream. All blocks go through the cipher in one call. */
static void xor_stream(struct aes *aes, const struct lw_key *key, uint8_t counter,
		       enum lw_direction direction, struct lw_dev_addr dev_addr, uint32_t fcnt,
		       const uint8_t *in, size_t length, uint8_t *out)
{
	uint8_t stream[BLOCKS_MAX * AES_BLOCK];
	size_t blocks = (length + AES_BLOCK - 1) / AES_BLOCK;
	ASSERT_CMP(length, <=, LW_PHY_PAYLOAD_MAX);
	if (blocks == 0)
		return;
	struct wr wr = wr_init(stream, sizeof stream);
	for (size_t i = 1; i <= blocks; i++) {
		wr_u8(&wr, 0x01);
		wr_zeros(&wr, 3);
		wr_u8(&wr, counter);
		wr_u8(&wr, (uint8_t)direction);
		wr_u32le(&wr, dev_addr.value);
		wr_u32le(&wr, fcnt);
		wr_u8(&wr, 0);
		wr_u8(&wr, (uint8_t)i);
	}
	ASSERT_CMP(wr_length(&wr), ==, blocks * AES_BLOCK);
	aes_encrypt(aes, key->bytes, stream, stream, blocks);
	for (size_t i = 0; i < length; i++)
		out[i] = in[i] ^ stream[i];
}

enum lw_fopts_counter lw_fopts_counter(enum lw_direction direction, bool has_fport, uint8_t fport)
{
	return direction == LW_DOWN && has_fport && fport > 0 ? LW_FOPTS_AFCNT_DOWN : LW_FOPTS_FCNT_UP;
}

void lw_cipher_frm_payload(struct aes *aes, const struct lw_key *key, enum lw_direction direction,
			   struct lw_dev_addr dev_addr, uint32_t fcnt, const uint8_t *in, size_t length,
			   uint8_t *out)
{
	xor_stream(aes, key, 0, direction, dev_addr, fcnt, in, length, out);
}

void lw_cipher_fopts(struct aes *aes, const struct lw_key *nwk_s_enc_key, enum lw_direction direction,
		     struct lw_dev_addr dev_addr, uint32_t fcnt, enum lw_fopts_counter counter,
		     const uint8_t *in, size_t length, uint8_t *out)
{
	ASSERT_CMP(length, <=, LW_FOPTS_MAX);
	xor_stream(aes, nwk_s_enc_key, (uint8_t)counter, direction, dev_addr, fcnt, in, length, out);
}
