#include "common/lorawan/mic.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

/* Fills B0, or B1 when data rate and channel are given; `conf_fcnt` is 0 where it does not count. */
static void block(uint8_t out[AES_BLOCK], const struct lw_mic_input *input, uint16_t conf_fcnt, uint8_t tx_dr,
		  uint8_t tx_ch)
{
	struct wr wr = wr_init(out, AES_BLOCK);
	wr_u8(&wr, 0x49);
	wr_u16le(&wr, conf_fcnt);
	wr_u8(&wr, tx_dr);
	wr_u8(&wr, tx_ch);
	wr_u8(&wr, (uint8_t)input->direction);
	wr_u32le(&wr, input->dev_addr.value);
	wr_u32le(&wr, input->fcnt);
	wr_u8(&wr, 0);
	wr_u8(&wr, input->length);
	ASSERT_CMP(wr_length(&wr), ==, AES_BLOCK);
}

static void cmac(struct aes *aes, const struct lw_key *key, const uint8_t *first, size_t first_length,
		 const uint8_t *msg, size_t length, uint8_t mac[AES_BLOCK])
{
	aes_cmac_start(aes, key->bytes);
	aes_cmac_add(aes, first, first_length);
	aes_cmac_add(aes, msg, length);
	aes_cmac_finish(aes, mac);
}

static struct lw_mic cut(const uint8_t mac[AES_BLOCK])
{
	struct lw_mic mic;
	memcpy(mic.bytes, mac, sizeof mic.bytes);
	return mic;
}

bool lw_mic_equal(struct lw_mic a, struct lw_mic b)
{
	uint8_t difference = 0;
	for (size_t i = 0; i < sizeof a.bytes; i++)
		difference |= (uint8_t)(a.bytes[i] ^ b.bytes[i]);
	return difference == 0;
}

struct lw_mic lw_mic_1_0(struct aes *aes, const struct lw_key *nwk_s_key, const struct lw_mic_input *input)
{
	uint8_t b0[AES_BLOCK], mac[AES_BLOCK];
	block(b0, input, 0, 0, 0);
	cmac(aes, nwk_s_key, b0, sizeof b0, input->msg, input->length, mac);
	return cut(mac);
}

struct lw_mic lw_mic_up_1_1(struct aes *aes, const struct lw_key *s_nwk_s_int_key,
			    const struct lw_key *f_nwk_s_int_key, const struct lw_mic_input *input)
{
	uint8_t b0[AES_BLOCK], b1[AES_BLOCK], mac_s[AES_BLOCK], mac_f[AES_BLOCK];
	ASSERT_CMP(input->direction, ==, LW_UP);
	block(b1, input, input->ack ? input->conf_fcnt : 0, input->tx_dr, input->tx_ch);
	cmac(aes, s_nwk_s_int_key, b1, sizeof b1, input->msg, input->length, mac_s);
	block(b0, input, 0, 0, 0);
	cmac(aes, f_nwk_s_int_key, b0, sizeof b0, input->msg, input->length, mac_f);
	return (struct lw_mic){{mac_s[0], mac_s[1], mac_f[0], mac_f[1]}};
}

struct lw_mic lw_mic_down_1_1(struct aes *aes, const struct lw_key *s_nwk_s_int_key,
			      const struct lw_mic_input *input)
{
	uint8_t b0[AES_BLOCK], mac[AES_BLOCK];
	ASSERT_CMP(input->direction, ==, LW_DOWN);
	block(b0, input, input->ack ? input->conf_fcnt : 0, 0, 0);
	cmac(aes, s_nwk_s_int_key, b0, sizeof b0, input->msg, input->length, mac);
	return cut(mac);
}

struct lw_mic lw_mic_join(struct aes *aes, const struct lw_key *key, const uint8_t *msg, size_t length)
{
	uint8_t mac[AES_BLOCK];
	aes_cmac(aes, key->bytes, msg, length, mac);
	return cut(mac);
}

struct lw_mic lw_mic_join_accept_1_1(struct aes *aes, const struct lw_key *js_int_key, uint8_t join_req_type,
				     const struct lw_eui64 *join_eui, uint16_t nonce, const uint8_t *msg,
				     size_t length)
{
	uint8_t first[11], mac[AES_BLOCK];
	struct wr wr = wr_init(first, sizeof first);
	wr_u8(&wr, join_req_type);
	wr_copy_reversed(&wr, join_eui->bytes, sizeof join_eui->bytes);
	wr_u16le(&wr, nonce);
	cmac(aes, js_int_key, first, wr_length(&wr), msg, length, mac);
	return cut(mac);
}
