#include "tests/harness/device_stand.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define S INT64_C(1000000)

static void keep(void *ctx, const struct sim_record *record)
{
	struct t_stand *stand = ctx;
	stand->last[record->kind] = *record;
	stand->counts[record->kind]++;
}

struct sim_device_config t_stand_config(const char *region, enum lw_mac_version version,
					enum sim_activation activation)
{
	struct sim_device_config config = {.plan = sim_plan_find(region),
					   .mac_version = version,
					   .activation = activation,
					   .interval_us = 100 * S,
					   .payload = SIM_PAYLOAD_COUNTER,
					   .fport = 10,
					   .adr = true,
					   .dev_addr = {0x01000042}};
	config.dr = config.plan->usual_dr;
	return config;
}

void t_stand_set_up(struct t_stand *stand, struct aes *aes, const struct sim_device_config *config)
{
	memset(stand, 0, sizeof *stand);
	stand->aes = aes;
	sim_device_init(&stand->device, config, 0, aes, 7, (struct sim_sink){keep, stand});
}

bool t_stand_sends(struct t_stand *stand, int64_t until_us)
{
	while (sim_device_next_us(&stand->device) <= until_us) {
		stand->now_us = sim_device_next_us(&stand->device);
		if (sim_device_tick(&stand->device, stand->now_us, &stand->uplink))
			return true;
	}
	return false;
}

struct sim_downlink t_stand_in_window(const struct t_stand *stand, int window)
{
	uint8_t dr = window == 1 ? stand->device.rx1_dr : stand->device.window_rx2_dr;
	const struct sim_rate *rate = &stand->device.config.plan->rates[dr];
	int64_t start_us = window == 1 ? stand->device.rx1_us : stand->device.rx2_us;
	return (struct sim_downlink){.start_us = start_us,
				     .end_us = start_us + 50000,
				     .freq_hz = window == 1 ? stand->device.rx1_freq_hz
							    : stand->device.window_rx2_freq_hz,
				     .spreading_factor = rate->spreading_factor,
				     .bandwidth_hz = rate->bandwidth_hz,
				     .inverted = true};
}

enum sim_down_result t_stand_hears(struct t_stand *stand, int window, const uint8_t *phy, size_t length)
{
	struct sim_downlink downlink = t_stand_in_window(stand, window);
	ASSERT(sim_device_listens(&stand->device, &downlink));
	stand->now_us = downlink.end_us;
	return sim_device_receive(&stand->device, downlink.end_us, 500, phy, length);
}

enum sim_down_result t_stand_accept(struct t_stand *stand, const uint8_t body[12])
{
	const struct sim_device *device = &stand->device;
	bool two_roots = device->config.mac_version == LW_MAC_1_1_0;
	const struct lw_key *root = two_roots ? &device->config.nwk_key : &device->config.app_key;
	uint8_t phy[17] = {0x20};
	memcpy(phy + 1, body, 12);
	struct lw_mic mic = two_roots && (body[10] & 0x80) != 0
				    ? lw_mic_join_accept_1_1(stand->aes, &device->js_int_key, 0xff,
							     &device->config.join_eui,
							     (uint16_t)device->dev_nonce, phy, 13)
				    : lw_mic_join(stand->aes, root, phy, 13);
	memcpy(phy + 13, mic.bytes, 4);
	ASSERT(lw_join_accept_encrypt(stand->aes, root, phy, sizeof phy) == LW_OK);
	return t_stand_hears(stand, 1, phy, sizeof phy);
}

static size_t from_hex(const char *text, uint8_t *bytes, size_t capacity)
{
	size_t length = 0;
	if (text != NULL)
		ASSERT(hex_decode(bytes, capacity, &length, text, strlen(text)));
	return length;
}

size_t t_stand_downlink(const struct t_stand *stand, const struct t_down *down, uint8_t phy[255])
{
	const struct sim_device *device = &stand->device;
	uint8_t payload[255];
	struct lw_frame frame = {.ftype = down->confirmed ? LW_CONFIRMED_DOWN : LW_UNCONFIRMED_DOWN,
				 .dev_addr = device->dev_addr,
				 .fctrl = {.ack = down->ack, .f_pending = down->f_pending},
				 .fcnt = (uint16_t)down->fcnt,
				 .has_fport = down->fport >= 0,
				 .fport = (uint8_t)(down->fport < 0 ? 0 : down->fport),
				 .frm_payload = payload};
	frame.fctrl.fopts_length = (uint8_t)from_hex(down->fopts, frame.fopts, sizeof frame.fopts);
	frame.frm_payload_length = (uint8_t)from_hex(down->payload, payload, sizeof payload);
	const struct lw_key *key = down->fport > 0 ? &device->keys.app_s_key : &device->keys.nwk_s_enc_key;
	lw_cipher_frm_payload(stand->aes, key, LW_DOWN, frame.dev_addr, down->fcnt, payload,
			      frame.frm_payload_length, payload);
	if (device->rules_1_1)
		lw_cipher_fopts(stand->aes, &device->keys.nwk_s_enc_key, LW_DOWN, frame.dev_addr, down->fcnt,
				down->fport > 0 ? LW_FOPTS_AFCNT_DOWN : LW_FOPTS_NFCNT_DOWN, frame.fopts,
				frame.fctrl.fopts_length, frame.fopts);
	size_t length = lw_frame_encode(&frame, phy, 255);
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = frame.dev_addr,
				     .fcnt = down->fcnt,
				     .ack = down->ack,
				     .conf_fcnt = down->conf_fcnt,
				     .msg = phy,
				     .length = (uint8_t)(length - 4)};
	struct lw_mic mic = device->rules_1_1
				    ? lw_mic_down_1_1(stand->aes, &device->keys.s_nwk_s_int_key, &input)
				    : lw_mic_1_0(stand->aes, &device->keys.f_nwk_s_int_key, &input);
	lw_frame_set_mic(phy, length, mic);
	return length;
}

enum sim_down_result t_stand_answer(struct t_stand *stand, int window, const struct t_down *down)
{
	uint8_t phy[255];
	size_t length = t_stand_downlink(stand, down, phy);
	return t_stand_hears(stand, window, phy, length);
}
