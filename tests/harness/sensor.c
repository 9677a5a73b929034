#include "tests/harness/sensor.h"

#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/process.h"

#include <string.h>

#define ACCEPT_S   7.0 /* a join's second window is over by then */
#define JOIN_TRIES 4
#define TX_DR      3 /* SF7, 125 kHz */
#define TX_CH      8
#define REKEY      0x0b

static struct aes *cipher(void)
{
	struct aes *aes = aes_new();
	ASSERT(aes);
	return aes;
}

static bool is_1_1(const struct t_sensor *sensor)
{
	return sensor->nwk_key != NULL;
}

/* AppKey under 1.0.x, NwkKey under 1.1. */
static struct lw_key root_of(const struct t_sensor *sensor)
{
	struct lw_key key;
	ASSERT(lw_key_parse(is_1_1(sensor) ? sensor->nwk_key : sensor->app_key, &key));
	return key;
}

static struct lw_eui64 eui_of(const char *text)
{
	struct lw_eui64 eui;
	ASSERT(lw_eui64_parse(text, &eui));
	return eui;
}

/* --- joining -------------------------------------------------------------------------------------------------- */

/* Opens an accept under `key`, and begins the session of it; `nonce` is the request's DevNonce or RJcount. */
static bool begins(struct t_sensor *sensor, const struct sim_txpk *txpk, const struct lw_key *key,
		   uint16_t nonce)
{
	uint8_t phy[LW_JOIN_ACCEPT_MAX];
	struct lw_join_accept accept;
	struct lw_key app_key, root = root_of(sensor);
	struct lw_eui64 join_eui = eui_of(sensor->join_eui);
	if (txpk->length > sizeof phy || txpk->phy[0] >> 5 != 1)
		return false;
	memcpy(phy, txpk->phy, txpk->length);
	struct aes *aes = cipher();
	bool is = lw_join_accept_decrypt(aes, key, phy, txpk->length) == LW_OK &&
		  lw_join_accept_parse(&accept, phy, txpk->length) == LW_OK &&
		  accept.dl_settings.opt_neg == is_1_1(sensor);
	if (is) {
		ASSERT(lw_key_parse(sensor->app_key, &app_key));
		sensor->dev_addr = accept.dev_addr;
		sensor->net_id = accept.net_id;
		sensor->fcnt_up = 0;
		sensor->rekeyed = false;
		if (is_1_1(sensor))
			lw_session_keys_1_1(aes, &root, &app_key, accept.join_nonce, &join_eui, nonce,
					    &sensor->keys);
		else
			lw_session_keys_1_0(aes, &app_key, accept.join_nonce, accept.net_id, nonce,
					    &sensor->keys);
	}
	aes_free(aes);
	return is;
}

/* Sends a request; true when an accept came by the end of its windows. */
static bool asks(struct t_gateway *gateway, const struct t_air *air, struct sim_txpk *txpk)
{
	struct sim_down down;
	if (!t_gateway_hears(gateway, air) || !t_gateway_waits(gateway, SIM_DOWN_PULL_RESP, &down, ACCEPT_S))
		return false;
	*txpk = down.txpk;
	return true;
}

bool t_sensor_joins(struct t_sensor *sensor, struct t_gateway *gateway)
{
	struct lw_key root = root_of(sensor);
	struct sim_txpk txpk;
	bool came = false;
	for (int try = 0; !came && try < JOIN_TRIES; try++) {
		struct lw_join_request request = {.dev_eui = eui_of(sensor->eui),
						  .join_eui = eui_of(sensor->join_eui),
						  .dev_nonce = ++sensor->dev_nonce};
		struct t_air air = {.length = LW_JOIN_REQUEST_LENGTH};
		struct aes *aes = cipher();
		ASSERT(lw_join_request_encode(&request, air.phy) == air.length);
		request.mic = lw_mic_join(aes, &root, air.phy, air.length - 4);
		ASSERT(lw_join_request_encode(&request, air.phy) == air.length);
		aes_free(aes);
		air.end = t_seconds();
		came = asks(gateway, &air, &txpk);
	}
	return came && begins(sensor, &txpk, &root, sensor->dev_nonce);
}

bool t_sensor_rejoins(struct t_sensor *sensor, struct t_gateway *gateway)
{
	struct lw_key root = root_of(sensor);
	struct lw_eui64 dev_eui = eui_of(sensor->eui);
	struct sim_txpk txpk;
	struct aes *aes = cipher();
	struct lw_key enc = lw_key_js_enc(aes, &root, &dev_eui);
	bool came = false;
	for (int try = 0; !came && try < JOIN_TRIES; try++) {
		struct lw_rejoin_request request = {.type = 2,
						    .net_id = sensor->net_id,
						    .dev_eui = dev_eui,
						    .rj_count = sensor->rj_count++};
		struct t_air air = {.length = LW_REJOIN_0_2_LENGTH};
		ASSERT(lw_rejoin_request_encode(&request, air.phy) == air.length);
		request.mic = lw_mic_join(aes, &sensor->keys.s_nwk_s_int_key, air.phy, air.length - 4);
		ASSERT(lw_rejoin_request_encode(&request, air.phy) == air.length);
		air.end = t_seconds();
		came = asks(gateway, &air, &txpk);
	}
	aes_free(aes);
	return came && begins(sensor, &txpk, &enc, (uint16_t)(sensor->rj_count - 1));
}

/* --- data ------------------------------------------------------------------------------------------------------- */

static struct lw_mic mic_of(struct aes *aes, const struct t_sensor *sensor, const struct lw_mic_input *input)
{
	const struct lw_session_keys *keys = &sensor->keys;
	if (!is_1_1(sensor))
		return lw_mic_1_0(aes, &keys->f_nwk_s_int_key, input);
	return input->direction == LW_UP
		       ? lw_mic_up_1_1(aes, &keys->s_nwk_s_int_key, &keys->f_nwk_s_int_key, input)
		       : lw_mic_down_1_1(aes, &keys->s_nwk_s_int_key, input);
}

struct t_air t_sensor_sends(struct t_sensor *sensor, bool confirmed, uint8_t fport, const void *payload,
			    size_t length)
{
	static const uint8_t rekey_ind[] = {REKEY, 1};
	struct t_air air = {.end = t_seconds()};
	struct aes *aes = cipher();
	uint8_t ciphered[LW_PHY_PAYLOAD_MAX];
	ASSERT(length <= sizeof ciphered);
	lw_cipher_frm_payload(aes, &sensor->keys.app_s_key, LW_UP, sensor->dev_addr, sensor->fcnt_up, payload,
			      length, ciphered);
	struct lw_frame frame = {.ftype = confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP,
				 .dev_addr = sensor->dev_addr,
				 .fcnt = (uint16_t)sensor->fcnt_up,
				 .has_fport = true,
				 .fport = fport,
				 .frm_payload = ciphered,
				 .frm_payload_length = (uint8_t)length};
	if (is_1_1(sensor) && !sensor->rekeyed) {
		frame.fctrl.fopts_length = sizeof rekey_ind;
		lw_cipher_fopts(aes, &sensor->keys.nwk_s_enc_key, LW_UP, sensor->dev_addr, sensor->fcnt_up,
				LW_FOPTS_FCNT_UP, rekey_ind, sizeof rekey_ind, frame.fopts);
	}
	air.length = lw_frame_encode(&frame, air.phy, sizeof air.phy);
	ASSERT(air.length > 0);
	const struct lw_mic_input input = {.direction = LW_UP,
					   .dev_addr = sensor->dev_addr,
					   .fcnt = sensor->fcnt_up,
					   .tx_dr = TX_DR,
					   .tx_ch = TX_CH,
					   .msg = air.phy,
					   .length = (uint8_t)(air.length - 4)};
	lw_frame_set_mic(air.phy, air.length, mic_of(aes, sensor, &input));
	sensor->fcnt_up++;
	aes_free(aes);
	return air;
}

/* Whether RekeyConf is the first of the frame's FOpts, where the server puts it. */
static bool has_rekey_conf(struct aes *aes, const struct t_sensor *sensor, const struct lw_frame *frame)
{
	uint8_t fopts[LW_FOPTS_MAX];
	size_t length = frame->fctrl.fopts_length;
	if (length == 0)
		return false;
	lw_cipher_fopts(aes, &sensor->keys.nwk_s_enc_key, LW_DOWN, sensor->dev_addr, frame->fcnt,
			lw_fopts_counter(LW_DOWN, frame->has_fport, frame->fport), frame->fopts, length,
			fopts);
	return fopts[0] == REKEY;
}

bool t_sensor_reads(struct t_sensor *sensor, const struct sim_txpk *txpk, struct t_sensor_down *down)
{
	struct lw_frame frame;
	if (lw_frame_parse(&frame, txpk->phy, txpk->length, LW_DOWN) != LW_OK ||
	    frame.dev_addr.value != sensor->dev_addr.value)
		return false;
	struct aes *aes = cipher();
	const struct lw_mic_input input = {.direction = LW_DOWN,
					   .dev_addr = sensor->dev_addr,
					   .fcnt = frame.fcnt,
					   .ack = frame.fctrl.ack,
					   .conf_fcnt = (uint16_t)(sensor->fcnt_up - 1),
					   .msg = frame.msg,
					   .length = frame.msg_length};
	bool fits = lw_mic_equal(frame.mic, mic_of(aes, sensor, &input));
	if (fits) {
		bool is_ours = frame.has_fport && frame.fport > 0;
		*down = (struct t_sensor_down){.ack = frame.fctrl.ack,
					       .has_fport = frame.has_fport,
					       .fport = frame.fport,
					       .fcnt = frame.fcnt,
					       .length = frame.frm_payload_length};
		sensor->rekeyed = sensor->rekeyed || (is_1_1(sensor) && has_rekey_conf(aes, sensor, &frame));
		lw_cipher_frm_payload(aes, is_ours ? &sensor->keys.app_s_key : &sensor->keys.nwk_s_enc_key,
				      LW_DOWN, sensor->dev_addr, frame.fcnt, frame.frm_payload,
				      frame.frm_payload_length, down->payload);
	}
	aes_free(aes);
	return fits;
}
