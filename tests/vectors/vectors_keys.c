/* keys.json: derivations. Each goes one way only. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/keys.h"

static uint32_t nonce24(struct vector *vector)
{
	return (uint32_t)v_hex_number(vector, "join_nonce");
}

static uint16_t nonce16(struct vector *vector)
{
	return (uint16_t)v_hex_number(vector, "dev_nonce");
}

static void session_1_0(struct vector *vector)
{
	struct lw_key app_key = v_key(vector, "app_key");
	struct lw_session_keys keys;
	lw_session_keys_1_0(vector->aes, &app_key, nonce24(vector), v_net_id(vector, "net_id"),
			    nonce16(vector), &keys);
	struct lw_key nwk_s_key = x_key(vector, vector->expect, "nwk_skey", keys.f_nwk_s_int_key);
	struct bytes expected = {.length = sizeof nwk_s_key.bytes};
	for (size_t i = 0; i < expected.length; i++)
		expected.at[i] = nwk_s_key.bytes[i];
	x_built(vector, "nwk_skey as SNwkSIntKey", &expected, keys.s_nwk_s_int_key.bytes, expected.length);
	x_built(vector, "nwk_skey as NwkSEncKey", &expected, keys.nwk_s_enc_key.bytes, expected.length);
	x_key(vector, vector->expect, "app_skey", keys.app_s_key);
}

static void session_1_1(struct vector *vector)
{
	struct lw_key nwk_key = v_key(vector, "nwk_key"), app_key = v_key(vector, "app_key");
	struct lw_eui64 join_eui = v_eui(vector, "join_eui");
	struct lw_session_keys keys;
	lw_session_keys_1_1(vector->aes, &nwk_key, &app_key, nonce24(vector), &join_eui, nonce16(vector),
			    &keys);
	x_key(vector, vector->expect, "f_nwk_s_int_key", keys.f_nwk_s_int_key);
	x_key(vector, vector->expect, "s_nwk_s_int_key", keys.s_nwk_s_int_key);
	x_key(vector, vector->expect, "nwk_s_enc_key", keys.nwk_s_enc_key);
	x_key(vector, vector->expect, "app_skey", keys.app_s_key);
}

static void raw_block(struct vector *vector)
{
	struct lw_key nwk_key = v_key(vector, "nwk_key"), app_key = v_key(vector, "app_key");
	uint32_t join_nonce = nonce24(vector);
	struct lw_net_id net_id = v_net_id(vector, "net_id");
	uint16_t dev_nonce = nonce16(vector);
	static const struct {
		const char *member;
		uint8_t type;
		bool app;
	} rows[] = {
		{"type01_nwk_key", 1, false},
		{"type03_nwk_key", 3, false},
		{"type04_nwk_key", 4, false},
		{"type02_app_key", 2, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		x_key(vector, vector->expect, rows[i].member,
		      lw_key_1_0(vector->aes, rows[i].app ? &app_key : &nwk_key, rows[i].type, join_nonce,
				 net_id, dev_nonce));
}

static void join_server_keys(struct vector *vector)
{
	struct lw_key nwk_key = v_key(vector, "nwk_key");
	struct lw_eui64 dev_eui = v_eui(vector, "dev_eui");
	x_key(vector, vector->expect, "js_int_key", lw_key_js_int(vector->aes, &nwk_key, &dev_eui));
	x_key(vector, vector->expect, "js_enc_key", lw_key_js_enc(vector->aes, &nwk_key, &dev_eui));
}

static void mc_root_key_1_0(struct vector *vector)
{
	struct lw_key key = v_key(vector, "gen_app_key");
	x_key(vector, vector->expect, "mc_root_key", lw_key_mc_root_1_0(vector->aes, &key));
}

static void mc_root_key_1_1(struct vector *vector)
{
	struct lw_key key = v_key(vector, "app_key");
	x_key(vector, vector->expect, "mc_root_key", lw_key_mc_root_1_1(vector->aes, &key));
}

static void mc_ke_key(struct vector *vector)
{
	struct lw_key key = v_key(vector, "mc_root_key");
	x_key(vector, vector->expect, "mc_ke_key", lw_key_mc_ke(vector->aes, &key));
}

static void mc_key_encrypt(struct vector *vector)
{
	struct lw_key ke_key = v_key(vector, "mc_ke_key"), key = v_key(vector, "mc_key");
	x_key(vector, vector->expect, "mc_key_encrypted", lw_key_mc_encrypted(vector->aes, &ke_key, &key));
}

static void mc_app_skey(struct vector *vector)
{
	struct lw_key key = v_key(vector, "mc_key");
	x_key(vector, vector->expect, "mc_app_skey",
	      lw_key_mc_app_s(vector->aes, &key, v_dev_addr(vector, "mc_addr")));
}

static void mc_nwk_skey(struct vector *vector)
{
	struct lw_key key = v_key(vector, "mc_key");
	x_key(vector, vector->expect, "mc_nwk_skey",
	      lw_key_mc_nwk_s(vector->aes, &key, v_dev_addr(vector, "mc_addr")));
}

static void mc_chain(struct vector *vector)
{
	struct lw_key gen_app_key = v_key(vector, "gen_app_key"), mc_key = v_key(vector, "mc_key");
	struct lw_dev_addr mc_addr = v_dev_addr(vector, "mc_addr");
	struct lw_key root = lw_key_mc_root_1_0(vector->aes, &gen_app_key);
	struct lw_key ke = lw_key_mc_ke(vector->aes, &root);
	x_key(vector, vector->expect, "mc_root_key", root);
	x_key(vector, vector->expect, "mc_ke_key", ke);
	x_key(vector, vector->expect, "mc_key_encrypted", lw_key_mc_encrypted(vector->aes, &ke, &mc_key));
	x_key(vector, vector->expect, "mc_app_skey", lw_key_mc_app_s(vector->aes, &mc_key, mc_addr));
	x_key(vector, vector->expect, "mc_nwk_skey", lw_key_mc_nwk_s(vector->aes, &mc_key, mc_addr));
}

static void relay_root_key(struct vector *vector)
{
	struct lw_key key = v_key(vector, "network_key");
	x_key(vector, vector->expect, "root_wor_skey", lw_key_root_wor_s(vector->aes, &key));
}

static void wor_session(struct vector *vector, const struct lw_key *root)
{
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	x_key(vector, vector->expect, "wor_s_int_key", lw_key_wor_s_int(vector->aes, root, dev_addr));
	x_key(vector, vector->expect, "wor_s_enc_key", lw_key_wor_s_enc(vector->aes, root, dev_addr));
}

static void relay_session_keys(struct vector *vector)
{
	struct lw_key root = v_key(vector, "root_wor_skey");
	wor_session(vector, &root);
}

static void relay_chain(struct vector *vector)
{
	struct lw_key key = v_key(vector, "network_key");
	struct lw_key root = lw_key_root_wor_s(vector->aes, &key);
	x_key(vector, vector->expect, "root_wor_skey", root);
	wor_session(vector, &root);
}

const struct vector_kind vectors_keys[] = {
	{"session_1_0", session_1_0},
	{"session_1_1", session_1_1},
	{"raw_block_derivation", raw_block},
	{"join_server_keys", join_server_keys},
	{"mc_root_key_1_0", mc_root_key_1_0},
	{"mc_root_key_1_1", mc_root_key_1_1},
	{"mc_ke_key", mc_ke_key},
	{"mc_key_encrypt", mc_key_encrypt},
	{"mc_app_skey", mc_app_skey},
	{"mc_nwk_skey", mc_nwk_skey},
	{"mc_chain", mc_chain},
	{"relay_root_key", relay_root_key},
	{"relay_session_keys", relay_session_keys},
	{"relay_chain", relay_chain},
	{NULL, NULL},
};
