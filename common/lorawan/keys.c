#include "common/lorawan/keys.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

#define TYPE_NWK_S_KEY       0x01 /* FNwkSIntKey in 1.1 */
#define TYPE_APP_S_KEY       0x02
#define TYPE_S_NWK_S_INT_KEY 0x03
#define TYPE_NWK_S_ENC_KEY   0x04
#define TYPE_JS_ENC_KEY      0x05
#define TYPE_JS_INT_KEY      0x06

/* Pads the block with zeros and encrypts it. */
static struct lw_key derive(struct aes *aes, const struct lw_key *root, struct wr *wr,
			    uint8_t block[AES_BLOCK])
{
	struct lw_key key = {0};
	wr_zeros(wr, wr_room(wr));
	ASSERT_CMP(wr_length(wr), ==, AES_BLOCK);
	aes_encrypt(aes, root->bytes, block, key.bytes, 1);
	return key;
}

static struct lw_key derive_type(struct aes *aes, const struct lw_key *root, uint8_t type)
{
	uint8_t block[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, type);
	return derive(aes, root, &wr, block);
}

static struct lw_key derive_addr(struct aes *aes, const struct lw_key *root, uint8_t type,
				 struct lw_dev_addr addr)
{
	uint8_t block[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, type);
	wr_u32le(&wr, addr.value);
	return derive(aes, root, &wr, block);
}

static struct lw_key derive_dev_eui(struct aes *aes, const struct lw_key *root, uint8_t type,
				    const struct lw_eui64 *dev_eui)
{
	uint8_t block[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, type);
	wr_copy_reversed(&wr, dev_eui->bytes, sizeof dev_eui->bytes);
	return derive(aes, root, &wr, block);
}

static struct lw_key derive_1_1(struct aes *aes, const struct lw_key *root, uint8_t type, uint32_t join_nonce,
				const struct lw_eui64 *join_eui, uint16_t dev_nonce)
{
	uint8_t block[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, type);
	wr_u24le(&wr, join_nonce);
	wr_copy_reversed(&wr, join_eui->bytes, sizeof join_eui->bytes);
	wr_u16le(&wr, dev_nonce);
	return derive(aes, root, &wr, block);
}

void lw_session_keys_wipe(struct lw_session_keys *keys)
{
	explicit_bzero(keys, sizeof *keys);
}

struct lw_key lw_key_1_0(struct aes *aes, const struct lw_key *root_key, uint8_t type, uint32_t join_nonce,
			 struct lw_net_id net_id, uint16_t dev_nonce)
{
	uint8_t block[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, type);
	wr_u24le(&wr, join_nonce);
	wr_u24le(&wr, net_id.value);
	wr_u16le(&wr, dev_nonce);
	return derive(aes, root_key, &wr, block);
}

void lw_session_keys_1_0(struct aes *aes, const struct lw_key *root_key, uint32_t join_nonce,
			 struct lw_net_id net_id, uint16_t dev_nonce, struct lw_session_keys *keys)
{
	keys->f_nwk_s_int_key = lw_key_1_0(aes, root_key, TYPE_NWK_S_KEY, join_nonce, net_id, dev_nonce);
	keys->s_nwk_s_int_key = keys->f_nwk_s_int_key;
	keys->nwk_s_enc_key = keys->f_nwk_s_int_key;
	keys->app_s_key = lw_key_1_0(aes, root_key, TYPE_APP_S_KEY, join_nonce, net_id, dev_nonce);
}

void lw_session_keys_1_1(struct aes *aes, const struct lw_key *nwk_key, const struct lw_key *app_key,
			 uint32_t join_nonce, const struct lw_eui64 *join_eui, uint16_t dev_nonce,
			 struct lw_session_keys *keys)
{
	keys->f_nwk_s_int_key = derive_1_1(aes, nwk_key, TYPE_NWK_S_KEY, join_nonce, join_eui, dev_nonce);
	keys->s_nwk_s_int_key = derive_1_1(aes, nwk_key, TYPE_S_NWK_S_INT_KEY, join_nonce, join_eui,
					   dev_nonce);
	keys->nwk_s_enc_key = derive_1_1(aes, nwk_key, TYPE_NWK_S_ENC_KEY, join_nonce, join_eui, dev_nonce);
	keys->app_s_key = derive_1_1(aes, app_key, TYPE_APP_S_KEY, join_nonce, join_eui, dev_nonce);
}

struct lw_key lw_key_js_int(struct aes *aes, const struct lw_key *nwk_key, const struct lw_eui64 *dev_eui)
{
	return derive_dev_eui(aes, nwk_key, TYPE_JS_INT_KEY, dev_eui);
}

struct lw_key lw_key_js_enc(struct aes *aes, const struct lw_key *nwk_key, const struct lw_eui64 *dev_eui)
{
	return derive_dev_eui(aes, nwk_key, TYPE_JS_ENC_KEY, dev_eui);
}

struct lw_key lw_key_mc_root_1_0(struct aes *aes, const struct lw_key *gen_app_key)
{
	return derive_type(aes, gen_app_key, 0x00);
}

struct lw_key lw_key_mc_root_1_1(struct aes *aes, const struct lw_key *app_key)
{
	return derive_type(aes, app_key, 0x20);
}

struct lw_key lw_key_mc_ke(struct aes *aes, const struct lw_key *mc_root_key)
{
	return derive_type(aes, mc_root_key, 0x00);
}

struct lw_key lw_key_mc_encrypted(struct aes *aes, const struct lw_key *mc_ke_key,
				  const struct lw_key *mc_key)
{
	struct lw_key encrypted = {0};
	aes_decrypt(aes, mc_ke_key->bytes, mc_key->bytes, encrypted.bytes, 1);
	return encrypted;
}

struct lw_key lw_key_mc_app_s(struct aes *aes, const struct lw_key *mc_key, struct lw_dev_addr mc_addr)
{
	return derive_addr(aes, mc_key, 0x01, mc_addr);
}

struct lw_key lw_key_mc_nwk_s(struct aes *aes, const struct lw_key *mc_key, struct lw_dev_addr mc_addr)
{
	return derive_addr(aes, mc_key, 0x02, mc_addr);
}

struct lw_key lw_key_data_block_int(struct aes *aes, const struct lw_key *gen_app_key_or_app_key)
{
	return derive_type(aes, gen_app_key_or_app_key, 0x30);
}

struct lw_key lw_key_root_wor_s(struct aes *aes, const struct lw_key *network_key)
{
	return derive_type(aes, network_key, 0x01);
}

struct lw_key lw_key_wor_s_int(struct aes *aes, const struct lw_key *root_wor_s_key,
			       struct lw_dev_addr dev_addr)
{
	return derive_addr(aes, root_wor_s_key, 0x01, dev_addr);
}

struct lw_key lw_key_wor_s_enc(struct aes *aes, const struct lw_key *root_wor_s_key,
			       struct lw_dev_addr dev_addr)
{
	return derive_addr(aes, root_wor_s_key, 0x02, dev_addr);
}
