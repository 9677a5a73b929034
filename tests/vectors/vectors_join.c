/* join.json: frames of the join family, CFList, NetID and DevAddr. */
#include "tests/vectors/vectors.h"

#include "common/base/bytes.h"
#include "common/lorawan/dev_addr.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

#include <string.h>

#define MIC     4
#define STEP_HZ 100

static struct lw_mic check_mic(struct vector *vector, struct lw_mic got)
{
	struct lw_mic mic;
	struct bytes bytes = x_bytes(vector, vector->expect, "mic", got.bytes, sizeof got.bytes);
	memcpy(mic.bytes, bytes.at, sizeof mic.bytes);
	return mic;
}

/* Judges the MIC of `phy` with the input's key; where it is valid, replaces the MIC of `built` by a computed one. */
static void check_mic_valid(struct vector *vector, const struct bytes *phy, struct lw_mic got, uint8_t *built,
			    size_t built_length)
{
	struct lw_key key = v_key(vector, "key");
	struct lw_mic computed = lw_mic_join(vector->aes, &key, phy->at, phy->length - MIC);
	if (x_has(vector->expect, "mic_computed"))
		x_bytes(vector, vector->expect, "mic_computed", computed.bytes, sizeof computed.bytes);
	if (x_bool(vector, vector->expect, "mic_valid", lw_mic_equal(computed, got)) && built_length > MIC)
		lw_frame_set_mic(built, built_length,
				 lw_mic_join(vector->aes, &key, built, built_length - MIC));
}

static void join_request(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "phy");
	struct lw_join_request got, want;
	enum lw_verdict verdict = lw_join_request_parse(&got, phy.at, phy.length);
	if (verdict != LW_OK) {
		v_fail(vector, "phy", "a join-request", lw_verdict_name(verdict));
		return;
	}
	want.join_eui = x_eui(vector, vector->expect, "join_eui", got.join_eui);
	want.dev_eui = x_eui(vector, vector->expect, "dev_eui", got.dev_eui);
	want.dev_nonce = (uint16_t)x_hex_number(vector, vector->expect, "dev_nonce", got.dev_nonce);
	want.mic = check_mic(vector, got.mic);
	uint8_t built[LW_JOIN_REQUEST_LENGTH];
	size_t length = lw_join_request_encode(&want, built);
	if (v_has(vector, "key"))
		check_mic_valid(vector, &phy, got.mic, built, length);
	x_built(vector, "phy built", &phy, built, length);
}

static void rejoin_request(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "phy");
	struct lw_rejoin_request got, want = {0};
	enum lw_verdict verdict = lw_rejoin_request_parse(&got, phy.at, phy.length);
	if (verdict != LW_OK) {
		v_fail(vector, "phy", "a rejoin-request", lw_verdict_name(verdict));
		return;
	}
	want.type = (uint8_t)x_uint(vector, vector->expect, "rejoin_type", got.type);
	if (want.type == 1)
		want.join_eui = x_eui(vector, vector->expect, "join_eui", got.join_eui);
	else
		want.net_id = x_net_id(vector, vector->expect, "net_id", got.net_id);
	want.dev_eui = x_eui(vector, vector->expect, "dev_eui", got.dev_eui);
	want.rj_count = (uint16_t)x_uint(vector, vector->expect, "rj_count", got.rj_count);
	want.mic = check_mic(vector, got.mic);
	uint8_t built[LW_REJOIN_1_LENGTH];
	size_t length = lw_rejoin_request_encode(&want, built);
	v_ignore(vector, "key_role"); /* says in words which key `key` is */
	if (v_has(vector, "key"))
		check_mic_valid(vector, &phy, got.mic, built, length);
	x_built(vector, "phy built", &phy, built, length);
}

/* Fields of an accept but its MIC. */
static struct lw_join_accept check_body(struct vector *vector, const struct lw_join_accept *got)
{
	struct lw_join_accept want = {0};
	json_t *expect = vector->expect;
	want.join_nonce = (uint32_t)x_hex_number(vector, expect, "join_nonce", got->join_nonce);
	want.net_id = x_net_id(vector, expect, "net_id", got->net_id);
	want.dev_addr = x_dev_addr(vector, expect, "dev_addr", got->dev_addr);
	want.dl_settings.opt_neg = x_bool(vector, expect, "opt_neg", got->dl_settings.opt_neg);
	want.dl_settings.rx1_dr_offset = (uint8_t)x_uint(vector, expect, "rx1_dr_offset",
							 got->dl_settings.rx1_dr_offset);
	want.dl_settings.rx2_data_rate = (uint8_t)x_uint(vector, expect, "rx2_data_rate",
							 got->dl_settings.rx2_data_rate);
	want.rx_delay = (uint8_t)x_uint(vector, expect, "rx_delay", got->rx_delay);
	struct bytes cflist = x_bytes(vector, expect, "cflist", got->cflist,
				      got->has_cflist ? sizeof got->cflist : 0);
	want.has_cflist = cflist.length == sizeof want.cflist;
	if (want.has_cflist)
		memcpy(want.cflist, cflist.at, sizeof want.cflist);
	return want;
}

struct accept_keys {
	bool form_1_1;
	struct lw_key encrypt, mic;
	uint8_t join_req_type;
	struct lw_eui64 join_eui;
	uint16_t nonce;
};

static struct lw_mic accept_mic(struct vector *vector, const struct accept_keys *keys, const uint8_t *plain,
				size_t length)
{
	if (keys->form_1_1)
		return lw_mic_join_accept_1_1(vector->aes, &keys->mic, keys->join_req_type, &keys->join_eui,
					      keys->nonce, plain, length - MIC);
	return lw_mic_join(vector->aes, &keys->mic, plain, length - MIC);
}

static void join_accept(struct vector *vector, struct accept_keys keys)
{
	struct bytes phy = v_bytes(vector, "phy"), plain = phy;
	keys.encrypt = v_key(vector, "encrypt_key");
	keys.mic = v_key(vector, "mic_key");
	v_ignore(vector, "lorawan"); /* the kind says it */
	struct lw_join_accept got;
	enum lw_verdict verdict = lw_join_accept_decrypt(vector->aes, &keys.encrypt, plain.at, plain.length);
	if (verdict == LW_OK)
		verdict = lw_join_accept_parse(&got, plain.at, plain.length);
	if (verdict != LW_OK) {
		v_fail(vector, "phy", "a join-accept", lw_verdict_name(verdict));
		return;
	}
	struct bytes phy_plain = x_bytes(vector, vector->expect, "phy_plain", plain.at, plain.length);
	struct lw_join_accept want = check_body(vector, &got);
	want.mic = check_mic(vector, got.mic);
	bool valid = x_bool(vector, vector->expect, "mic_valid",
			    lw_mic_equal(got.mic, accept_mic(vector, &keys, plain.at, plain.length)));

	uint8_t built[LW_JOIN_ACCEPT_MAX];
	size_t length = lw_join_accept_encode(&want, built);
	if (valid && length > MIC)
		lw_frame_set_mic(built, length, accept_mic(vector, &keys, built, length));
	x_built(vector, "phy_plain built", &phy_plain, built, length);
	if (lw_join_accept_encrypt(vector->aes, &keys.encrypt, built, length) != LW_OK)
		v_fail(vector, "phy built", "an accept to encrypt", "a refusal");
	x_built(vector, "phy built", &phy, built, length);
	x_bytes(vector, vector->expect, "phy", built, length);
}

static void join_accept_1_0(struct vector *vector)
{
	join_accept(vector, (struct accept_keys){.form_1_1 = false});
}

static void join_accept_1_1(struct vector *vector)
{
	struct accept_keys keys = {.form_1_1 = true};
	keys.join_req_type = (uint8_t)v_hex_number(vector, "join_req_type");
	keys.join_eui = v_eui(vector, "join_eui");
	keys.nonce = (uint16_t)v_hex_number(vector, "dev_nonce_or_rj_count");
	join_accept(vector, keys);
}

static void join_accept_body(struct vector *vector)
{
	struct bytes bytes = v_bytes(vector, "bytes");
	struct lw_join_accept got = {0};
	if (lw_join_accept_body_parse(&got, bytes.at, bytes.length) != LW_OK)
		v_fail(vector, "bytes", "a body", "bad_length");
	struct lw_join_accept want = check_body(vector, &got);
	uint8_t built[LW_JOIN_ACCEPT_BODY + LW_CFLIST_LENGTH];
	x_built(vector, "bytes built", &bytes, built, lw_join_accept_body_encode(&want, built));
}

static void cflist(struct vector *vector)
{
	struct bytes bytes = v_bytes(vector, "bytes");
	struct lw_cflist got = {0}, want = {0};
	if (bytes.length != LW_CFLIST_LENGTH || !lw_cflist_decode(&got, bytes.at, STEP_HZ)) {
		v_fail(vector, "bytes", "a CFList", "none");
		return;
	}
	want.type = (uint8_t)x_uint(vector, vector->expect, "type", got.type);
	bool masks = want.type == 1;
	json_t *numbers = x_part(vector, vector->expect, masks ? "ch_masks" : "frequencies_hz");
	json_t *list = json_object();
	size_t count = masks ? LW_CFLIST_CH_MASKS : LW_CFLIST_FREQUENCIES;
	for (size_t i = 0; i < count && json_array_size(numbers) > 0; i++) {
		json_object_set(list, "number", json_array_get(numbers, 0));
		json_array_remove(numbers, 0);
		if (masks)
			want.ch_masks[i] = (uint16_t)x_uint(vector, list, "number", got.ch_masks[i]);
		else
			want.frequencies_hz[i] = (uint32_t)x_uint(vector, list, "number",
								  got.frequencies_hz[i]);
	}
	json_decref(list);
	uint8_t built[LW_CFLIST_LENGTH];
	if (!lw_cflist_encode(&want, built, STEP_HZ))
		v_fail(vector, "bytes built", "a CFList", "a refusal");
	x_built(vector, "bytes built", &bytes, built, sizeof built);
}

static void dl_settings(struct vector *vector)
{
	struct bytes byte = v_bytes(vector, "byte");
	struct lw_dl_settings got = lw_dl_settings_decode(byte.at[0]), want;
	want.opt_neg = x_bool(vector, vector->expect, "opt_neg", got.opt_neg);
	want.rx1_dr_offset = (uint8_t)x_uint(vector, vector->expect, "rx1_dr_offset", got.rx1_dr_offset);
	want.rx2_data_rate = (uint8_t)x_uint(vector, vector->expect, "rx2_data_rate", got.rx2_data_rate);
	uint8_t built = lw_dl_settings_encode(&want);
	x_built(vector, "byte built", &byte, &built, 1);
}

static void net_id(struct vector *vector)
{
	struct lw_net_id id = v_net_id(vector, "net_id");
	struct lw_dev_addr_prefix prefix = lw_net_id_prefix(id);
	uint8_t wire[4];
	struct wr wr = wr_init(wire, sizeof wire);
	wr_u24le(&wr, id.value);
	unsigned type = (unsigned)x_uint(vector, vector->expect, "type", lw_net_id_type(id));
	x_bytes(vector, vector->expect, "wire", wire, wr_length(&wr));
	x_hex_number(vector, vector->expect, "dev_addr_prefix", prefix.value);
	x_uint(vector, vector->expect, "prefix_bits", prefix.bits);
	x_uint(vector, vector->expect, "nwk_id_bits", lw_nwk_id_bits(type & 7));
}

static void dev_addr_build(struct vector *vector)
{
	struct lw_dev_addr dev_addr = {0};
	struct lw_net_id id = v_net_id(vector, "net_id");
	uint32_t nwk_addr = (uint32_t)v_hex_number(vector, "nwk_addr"), split_addr, nwk_id;
	unsigned type;
	if (!lw_dev_addr_build(id, nwk_addr, &dev_addr))
		v_fail(vector, "dev_addr", "an address", "a refusal");
	struct lw_dev_addr want = x_dev_addr(vector, vector->expect, "dev_addr", dev_addr);
	if (!lw_dev_addr_split(want, &type, &nwk_id, &split_addr) || split_addr != nwk_addr ||
	    type != lw_net_id_type(id) || !lw_dev_addr_in(want, lw_net_id_prefix(id)))
		v_fail(vector, "dev_addr read", "the NetID's type and NwkAddr", "others");
}

static void dev_addr_parse(struct vector *vector)
{
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	uint32_t nwk_id = 0, nwk_addr = 0;
	unsigned type = 0;
	uint8_t wire[4];
	struct wr wr = wr_init(wire, sizeof wire);
	wr_u32le(&wr, dev_addr.value);
	if (!lw_dev_addr_split(dev_addr, &type, &nwk_id, &nwk_addr))
		v_fail(vector, "type", "an address of some type", "none");
	type = (unsigned)x_uint(vector, vector->expect, "type", type);
	nwk_id = (uint32_t)x_hex_number(vector, vector->expect, "nwk_id", nwk_id);
	x_bytes(vector, vector->expect, "wire", wire, wr_length(&wr));
	struct lw_dev_addr built = {0};
	if (!lw_dev_addr_build((struct lw_net_id){(uint32_t)type << 21 | nwk_id}, nwk_addr, &built) ||
	    built.value != dev_addr.value)
		v_fail(vector, "dev_addr built", "the same address", "another");
}

const struct vector_kind vectors_join[] = {
	{"join_request", join_request},
	{"join_request_parse", join_request},
	{"rejoin_request_type0", rejoin_request},
	{"rejoin_request_type1", rejoin_request},
	{"rejoin_request_type2", rejoin_request},
	{"join_accept_1_0", join_accept_1_0},
	{"join_accept_1_1", join_accept_1_1},
	{"join_accept_body", join_accept_body},
	{"cflist_type0", cflist},
	{"cflist_type1", cflist},
	{"dl_settings", dl_settings},
	{"net_id", net_id},
	{"dev_addr_build", dev_addr_build},
	{"dev_addr_parse", dev_addr_parse},
	{NULL, NULL},
};
