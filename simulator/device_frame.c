/* Bytes and keys of a device: the data frame that it sends, what it makes of a downlink, and the join-accept. */
#include "simulator/device_parts.h"

#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define HEADER_BYTES 7 /* DevAddr, FCtrl, FCnt: counted in the MACPayload that a rate carries */

/* --- up ----------------------------------------------------------------------------------------------------- */

/* FOpts have room for 15 bytes. Where the commands do not fit beside the reading, they go alone in a frame of FPort 0,
 * and the reading waits for the next. */
void sim_device_compose(struct sim_device *device, int64_t now_us, uint8_t dr, bool reading)
{
	size_t room = sim_plan_max_payload(device->config.plan, dr, device->uplink_dwell) - HEADER_BYTES;
	uint8_t payload[SIM_PAYLOAD_MAX];
	size_t length = 0;
	if (reading)
		length = sim_payload_make(device->config.payload, lw_eui64_number(&device->config.dev_eui),
					  device->readings, now_us, payload);
	size_t commands = sim_device_commands_length(device);
	bool alone = commands > LW_FOPTS_MAX || (reading && commands + 1 + length > room);
	device->frame_fopts_length = 0;
	device->frame_length = 0;
	device->frame_fport = -1;
	device->is_reading = reading && !alone;
	if (alone) {
		device->frame_fport = 0;
		device->frame_length = (uint8_t)sim_device_write_commands(device, device->frame_payload,
									  room - 1);
		device->soon = device->soon || reading;
	} else {
		device->frame_fopts_length = (uint8_t)sim_device_write_commands(device, device->frame_fopts,
										LW_FOPTS_MAX);
		if (reading) {
			device->frame_fport = device->config.fport;
			device->frame_length = (uint8_t)length;
			memcpy(device->frame_payload, payload, length);
			device->readings++;
		}
	}
	uint8_t every = device->config.confirmed_every;
	device->confirmed = device->is_reading && every != 0 && device->readings % every == 0;
	sim_device_windows_in_force(device);
	device->frame_fcnt = device->fcnt_up++;
	if (device->config.fcnt_16)
		device->fcnt_up &= 0xffff;
	device->frame_ack = device->ack;
	device->frame_conf_fcnt = device->ack_fcnt;
	device->ack = false;
	/* ADR_ACK_CNT grows with every new counter (4.3.1.1). Up to 1.0.3 a device that cannot go lower does not ask. */
	device->adr_count++;
	bool lowest = device->dr == sim_device_min_dr(device) && device->power_index == 0;
	device->frame_adr_ack_req = device->config.adr && device->adr_count > device->adr_limit &&
				    !(lowest && device->rules->quiet_at_lowest);
}

size_t sim_device_encode(struct sim_device *device, uint8_t *phy, size_t capacity)
{
	uint8_t payload[255];
	struct lw_frame frame = {
		.ftype = device->confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP,
		.dev_addr = device->dev_addr,
		.fctrl = {.adr = device->config.adr,
			  .adr_ack_req = device->frame_adr_ack_req,
			  .ack = device->frame_ack,
			  .fopts_length = device->frame_fopts_length},
		.fcnt = (uint16_t)device->frame_fcnt,
		.has_fport = device->frame_fport >= 0,
		.fport = (uint8_t)(device->frame_fport < 0 ? 0 : device->frame_fport),
		.frm_payload = payload,
		.frm_payload_length = device->frame_length,
	};
	const struct lw_key *key = device->frame_fport == 0 ? &device->keys.nwk_s_enc_key
							    : &device->keys.app_s_key;
	lw_cipher_frm_payload(device->aes, key, LW_UP, device->dev_addr, device->frame_fcnt,
			      device->frame_payload, device->frame_length, payload);
	memcpy(frame.fopts, device->frame_fopts, device->frame_fopts_length);
	if (device->rules_1_1)
		lw_cipher_fopts(device->aes, &device->keys.nwk_s_enc_key, LW_UP, device->dev_addr,
				device->frame_fcnt, LW_FOPTS_FCNT_UP, frame.fopts, device->frame_fopts_length,
				frame.fopts);
	size_t length = lw_frame_encode(&frame, phy, capacity);
	ASSERT_CMP(length, >=, LW_FRAME_MIN);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = device->dev_addr,
				     .fcnt = device->frame_fcnt,
				     .ack = device->frame_ack,
				     .conf_fcnt = device->frame_conf_fcnt,
				     .tx_dr = device->tx_dr,
				     .tx_ch = device->tx_channel,
				     .msg = phy,
				     .length = (uint8_t)(length - 4)};
	struct lw_mic mic = device->rules_1_1
				    ? lw_mic_up_1_1(device->aes, &device->keys.s_nwk_s_int_key,
						    &device->keys.f_nwk_s_int_key, &input)
				    : lw_mic_1_0(device->aes, &device->keys.f_nwk_s_int_key, &input);
	lw_frame_set_mic(phy, length, mic);
	return length;
}

/* --- join-accept -------------------------------------------------------------------------------------------- */

enum sim_down_result sim_join_accept_open(struct aes *aes, const struct lw_key *root_key,
					  const struct lw_key *js_int_key, const struct lw_eui64 *join_eui,
					  uint16_t dev_nonce, const uint8_t *phy, size_t length,
					  struct lw_join_accept *accept)
{
	uint8_t plain[LW_JOIN_ACCEPT_MAX];
	struct lw_join_accept parsed;
	if (length != LW_JOIN_ACCEPT_LENGTH && length != LW_JOIN_ACCEPT_MAX)
		return SIM_DOWN_MALFORMED;
	memcpy(plain, phy, length);
	if (lw_join_accept_decrypt(aes, root_key, plain, length) != LW_OK ||
	    lw_join_accept_parse(&parsed, plain, length) != LW_OK)
		return SIM_DOWN_MALFORMED;
	bool form_1_1 = parsed.dl_settings.opt_neg && js_int_key != NULL;
	struct lw_mic mic = form_1_1 ? lw_mic_join_accept_1_1(aes, js_int_key, LW_JOIN_REQ_TYPE_JOIN,
							      join_eui, dev_nonce, plain, length - 4)
				     : lw_mic_join(aes, root_key, plain, length - 4);
	if (!lw_mic_equal(mic, parsed.mic))
		return SIM_DOWN_MIC;
	*accept = parsed;
	return SIM_DOWN_ACCEPTED;
}

static void start_session(struct sim_device *device, const struct lw_join_accept *accept)
{
	const struct lw_key *root = device->rules->two_root_keys ? &device->config.nwk_key
								 : &device->config.app_key;
	uint16_t dev_nonce = (uint16_t)device->dev_nonce;
	device->rules_1_1 = accept->dl_settings.opt_neg && device->rules->two_root_keys;
	if (device->rules_1_1)
		lw_session_keys_1_1(device->aes, &device->config.nwk_key, &device->config.app_key,
				    accept->join_nonce, &device->config.join_eui, dev_nonce, &device->keys);
	else
		lw_session_keys_1_0(device->aes, root, accept->join_nonce, accept->net_id, dev_nonce,
				    &device->keys);
	sim_device_enter_session(device, accept, true);
}

void sim_device_enter_session(struct sim_device *device, const struct lw_join_accept *accept, bool anew)
{
	device->joined = true;
	device->has_join_nonce = true;
	device->join_nonce = accept->join_nonce;
	device->join_attempts = 0;
	device->rj_count[0] = 0;
	device->net_id = accept->net_id;
	device->dev_addr = accept->dev_addr;
	device->fcnt_up = 0;
	device->seen_down[0] = device->seen_down[1] = false;
	device->fcnt_down[0] = device->fcnt_down[1] = 0;
	device->rekey = device->rules_1_1;
	device->ack = false;
	if (!anew)
		return;
	sim_device_boot_parameters(device);
	device->rx1_offset = accept->dl_settings.rx1_dr_offset;
	device->rx2_dr = accept->dl_settings.rx2_data_rate;
	device->rx_delay_s = accept->rx_delay ? accept->rx_delay : 1;
	sim_device_windows_in_force(device);
	if (accept->has_cflist)
		sim_device_apply_cflist(device, accept->cflist);
}

static enum sim_down_result read_accept(struct sim_device *device, int64_t now_us, const uint8_t *phy,
					size_t length, struct sim_record *record)
{
	bool is_1_1 = device->rules->two_root_keys;
	const struct sim_plan *plan = device->config.plan;
	struct lw_join_accept accept;
	enum sim_down_result result = sim_join_accept_open(
		device->aes, is_1_1 ? &device->config.nwk_key : &device->config.app_key,
		is_1_1 ? &device->js_int_key : NULL, &device->config.join_eui, (uint16_t)device->dev_nonce,
		phy, length, &accept);
	if (result != SIM_DOWN_ACCEPTED)
		return result;
	record->join_nonce = accept.join_nonce;
	record->dev_addr = accept.dev_addr;
	record->dev_nonce = (uint16_t)device->dev_nonce;
	record->join_req_type = LW_JOIN_REQ_TYPE_JOIN;
	if (device->has_join_nonce &&
	    (accept.join_nonce == device->join_nonce ||
	     (device->rules->join_nonce_rises && accept.join_nonce < device->join_nonce)))
		return SIM_DOWN_JOIN_NONCE;
	if (!sim_plan_has_rate(plan, accept.dl_settings.rx2_data_rate, false) ||
	    accept.dl_settings.rx1_dr_offset > plan->max_rx1_offset)
		return SIM_DOWN_PARAMETERS;
	start_session(device, &accept);
	sim_device_rejoin_begins(device, now_us);
	return SIM_DOWN_ACCEPTED;
}

/* --- data downlink ------------------------------------------------------------------------------------------ */

static bool mic_fits(struct sim_device *device, const struct lw_frame *frame, uint32_t fcnt)
{
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = device->dev_addr,
				     .fcnt = fcnt,
				     .ack = frame->fctrl.ack,
				     .conf_fcnt = (uint16_t)device->frame_fcnt,
				     .msg = frame->msg,
				     .length = frame->msg_length};
	struct lw_mic mic = device->rules_1_1
				    ? lw_mic_down_1_1(device->aes, &device->keys.s_nwk_s_int_key, &input)
				    : lw_mic_1_0(device->aes, &device->keys.f_nwk_s_int_key, &input);
	return lw_mic_equal(mic, frame->mic);
}

/* A device with counters of 16 bits goes round: what is less than half a round ahead is new. */
static enum sim_down_result find_counter_16(struct sim_device *device, const struct lw_frame *frame,
					    bool app_counter, uint32_t *fcnt)
{
	uint16_t last = (uint16_t)device->fcnt_down[app_counter];
	uint16_t ahead = (uint16_t)(frame->fcnt - last);
	if (!mic_fits(device, frame, frame->fcnt))
		return SIM_DOWN_MIC;
	*fcnt = frame->fcnt;
	if (device->seen_down[app_counter] && (ahead == 0 || ahead >= 0x8000))
		return SIM_DOWN_REPEATED;
	uint32_t limit = device->rules->max_fcnt_gap;
	return limit != 0 && ahead >= limit ? SIM_DOWN_GAP : SIM_DOWN_ACCEPTED;
}

/* The least counter above the last one with these low 16 bits; if that does not fit, whether the frame is one from before. */
static enum sim_down_result find_counter(struct sim_device *device, const struct lw_frame *frame,
					 bool app_counter, uint32_t *fcnt)
{
	if (device->config.fcnt_16)
		return find_counter_16(device, frame, app_counter, fcnt);
	bool seen = device->seen_down[app_counter];
	uint32_t last = device->fcnt_down[app_counter];
	uint32_t same_round = (last & 0xffff0000u) | frame->fcnt;
	uint32_t next = seen && same_round <= last ? same_round + 0x10000u : same_round;
	if (mic_fits(device, frame, next)) {
		*fcnt = next;
		uint32_t limit = device->rules->max_fcnt_gap;
		bool gap = limit != 0 && next - (seen ? last : 0) >= limit;
		return gap ? SIM_DOWN_GAP : SIM_DOWN_ACCEPTED;
	}
	if (next != same_round && mic_fits(device, frame, same_round)) {
		*fcnt = same_round;
		return SIM_DOWN_REPEATED;
	}
	return SIM_DOWN_MIC;
}

static void accept_frame(struct sim_device *device, int64_t now_us, struct lw_frame *frame, uint32_t fcnt,
			 bool app_counter, const uint8_t *payload)
{
	uint8_t fopts[LW_FOPTS_MAX];
	device->seen_down[app_counter] = true;
	device->fcnt_down[app_counter] = fcnt;
	device->adr_count = 0;
	sim_device_answers_heard(device);
	memcpy(fopts, frame->fopts, frame->fctrl.fopts_length);
	if (device->rules_1_1)
		lw_cipher_fopts(device->aes, &device->keys.nwk_s_enc_key, LW_DOWN, device->dev_addr, fcnt,
				app_counter ? LW_FOPTS_AFCNT_DOWN : LW_FOPTS_NFCNT_DOWN, frame->fopts,
				frame->fctrl.fopts_length, fopts);
	sim_device_apply_commands(device, now_us, fopts, frame->fctrl.fopts_length);
	if (frame->has_fport && frame->fport == 0)
		sim_device_apply_commands(device, now_us, payload, frame->frm_payload_length);
	if (frame->ftype == LW_CONFIRMED_DOWN) {
		device->ack = true;
		device->ack_fcnt = (uint16_t)fcnt;
	}
	if (frame->ftype == LW_CONFIRMED_DOWN || frame->fctrl.f_pending)
		device->soon = true;
}

enum sim_down_result sim_device_read_downlink(struct sim_device *device, int64_t now_us, const uint8_t *phy,
					      size_t length, struct sim_record *record)
{
	enum lw_ftype ftype;
	struct lw_frame frame;
	uint32_t fcnt = 0;
	if (lw_classify(phy, length, LW_DOWN, &ftype) != LW_OK)
		return SIM_DOWN_MALFORMED;
	if (device->joining)
		return ftype == LW_JOIN_ACCEPT ? read_accept(device, now_us, phy, length, record)
					       : SIM_DOWN_NOT_OURS;
	if (device->rejoining)
		return ftype == LW_JOIN_ACCEPT
			       ? sim_device_read_rejoin_accept(device, now_us, phy, length, record)
			       : SIM_DOWN_NOT_OURS;
	if (ftype == LW_JOIN_ACCEPT)
		return SIM_DOWN_NOT_OURS;
	if (lw_frame_parse(&frame, phy, length, LW_DOWN) != LW_OK)
		return SIM_DOWN_MALFORMED;
	if (frame.dev_addr.value != device->dev_addr.value)
		return SIM_DOWN_NOT_OURS;
	bool app_counter = device->rules_1_1 && frame.has_fport && frame.fport > 0;
	enum sim_down_result result = find_counter(device, &frame, app_counter, &fcnt);
	if (result == SIM_DOWN_MIC)
		return result;
	const struct lw_key *key = frame.has_fport && frame.fport > 0 ? &device->keys.app_s_key
								      : &device->keys.nwk_s_enc_key;
	lw_cipher_frm_payload(device->aes, key, LW_DOWN, device->dev_addr, fcnt, frame.frm_payload,
			      frame.frm_payload_length, record->payload);
	record->fcnt = fcnt;
	record->app_counter = app_counter;
	record->acknowledged = frame.fctrl.ack;
	record->unasked_ack = frame.fctrl.ack && !device->confirmed;
	record->confirmed = frame.ftype == LW_CONFIRMED_DOWN;
	record->fport = frame.has_fport ? frame.fport : -1;
	record->length = frame.frm_payload_length;
	if (result == SIM_DOWN_ACCEPTED)
		accept_frame(device, now_us, &frame, fcnt, app_counter, record->payload);
	return result;
}
