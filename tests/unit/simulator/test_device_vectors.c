/* The published vectors in a device's role, fed to the simulated device: frames that it builds and reads, joins and the keys that come
 * out of them, malformed frames. Each kind of each file has its row, with what is run and why the rest is not. */
#include "simulator/device_parts.h"

#include "common/base/bytes.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"

#include "tests/harness/device_stand.h"
#include "tests/harness/harness.h"
#include "tests/harness/vector_file.h"

#include <string.h>

#define S INT64_C(1000000)

static struct aes *aes;
static struct t_stand stand;

/* --- data frames --------------------------------------------------------------------------------------------- */

/* An ABP device with the entry's session; what is not given is zero. */
static void open_session(const json_t *input, uint32_t dev_addr, bool is_1_1)
{
	struct sim_device_config config = t_stand_config("eu868", is_1_1 ? LW_MAC_1_1_0 : LW_MAC_1_0_4,
							 SIM_ABP);
	struct lw_session_keys *keys = &config.session_keys;
	config.dev_addr.value = dev_addr;
	keys->f_nwk_s_int_key = t_key_member(input, is_1_1 ? "f_nwk_s_int_key" : "nwk_skey");
	keys->s_nwk_s_int_key = keys->nwk_s_enc_key = keys->f_nwk_s_int_key;
	if (is_1_1) {
		keys->s_nwk_s_int_key = t_key_member(input, "s_nwk_s_int_key");
		keys->nwk_s_enc_key = t_key_member(input, "nwk_s_enc_key");
	}
	keys->app_s_key = t_key_member(input, "app_skey");
	t_stand_set_up(&stand, aes, &config);
}

/* The device says what the entry has, and its bytes are those of the entry. */
static bool frame_up(const json_t *input, const json_t *expect)
{
	const json_t *fctrl = json_object_get(expect, "fctrl"), *fport = json_object_get(expect, "fport");
	struct sim_device *device = &stand.device;
	uint8_t phy[255], built[255];
	bool is_1_1 = t_text_is(input, "lorawan", "1.1");
	if (!t_true_member(expect, "mic_valid") || t_true_member(fctrl, "class_b"))
		return false;
	open_session(input, t_hex_number(expect, "dev_addr"), is_1_1);
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	device->confirmed = t_text_is(json_object_get(expect, "mhdr"), "mtype", "ConfirmedDataUp");
	device->config.adr = t_true_member(fctrl, "adr");
	device->frame_adr_ack_req = t_true_member(fctrl, "adr_ack_req");
	device->frame_ack = t_true_member(fctrl, "ack");
	device->frame_conf_fcnt = (uint16_t)t_int_member(input, "conf_fcnt");
	device->frame_fcnt = (uint32_t)t_int_member(input, "fcnt32");
	device->frame_fport = json_is_integer(fport) ? (int)json_integer_value(fport) : -1;
	device->frame_fopts_length = (uint8_t)t_hex_member(expect, "fopts", device->frame_fopts,
							   sizeof device->frame_fopts);
	device->frame_length = (uint8_t)t_hex_member(expect, "frm_payload", device->frame_payload,
						     sizeof device->frame_payload);
	if (!t_has_member(expect, "frm_payload")) {
		/* Without its key the payload goes in so that it comes out as it is. */
		device->frame_length = (uint8_t)t_hex_member(
			expect, "frm_payload_encrypted", device->frame_payload, sizeof device->frame_payload);
		lw_cipher_frm_payload(
			aes, device->frame_fport == 0 ? &device->keys.nwk_s_enc_key : &device->keys.app_s_key,
			LW_UP, device->dev_addr, device->frame_fcnt, device->frame_payload,
			device->frame_length, device->frame_payload);
	}
	device->tx_dr = (uint8_t)t_int_member(input, "tx_dr");
	device->tx_channel = (uint8_t)t_int_member(input, "tx_ch");
	t_bytes("phy", phy, length, built, sim_device_encode(device, built, sizeof built));
	return true;
}

/* The device has just sent, and hears the frame in RX1 at the fastest rate; it reads what the entry has. */
static bool frame_down(const json_t *input, const json_t *expect)
{
	const json_t *fctrl = json_object_get(expect, "fctrl"), *fport = json_object_get(expect, "fport");
	struct sim_device *device = &stand.device;
	const struct sim_record *record = &stand.last[SIM_RECORD_DOWNLINK];
	uint8_t phy[255], payload[255];
	bool is_1_1 = t_text_is(input, "lorawan", "1.1");
	open_session(input, t_hex_number(expect, "dev_addr"), is_1_1);
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	uint32_t fcnt = (uint32_t)t_int_member(input, "fcnt32");
	t_true("sends", t_stand_sends(&stand, S));
	device->frame_fcnt = (uint32_t)t_int_member(input, "conf_fcnt");
	device->has_link_check = device->soon = false;
	for (int c = 0; c < 2 && fcnt > 0; c++) {
		device->seen_down[c] = true;
		device->fcnt_down[c] = fcnt - 1;
	}
	t_str("result", "accepted", sim_down_result_name(t_stand_hears(&stand, 1, phy, length)));
	t_uint("fcnt", fcnt, record->fcnt);
	t_int("fport", json_is_integer(fport) ? json_integer_value(fport) : -1, record->fport);
	t_true("ack", record->acknowledged == t_true_member(fctrl, "ack"));
	t_true("confirmed",
	       record->confirmed == t_text_is(json_object_get(expect, "mhdr"), "mtype", "ConfirmedDataDown"));
	t_true("f_pending", device->soon == (record->confirmed || t_true_member(fctrl, "f_pending")));
	if (t_has_member(expect, "fopts_counter"))
		t_true("counter", record->app_counter == t_text_is(expect, "fopts_counter", "AFCntDown"));
	if (t_has_member(input, "app_skey") || record->fport <= 0) {
		size_t expected = t_hex_member(expect, "frm_payload", payload, sizeof payload);
		t_bytes("payload", payload, expected, record->payload, record->length);
	}
	return true;
}

static bool frame_mic_only(const json_t *input, const json_t *expect)
{
	if (!t_text_is(input, "direction", "down"))
		return false;
	return frame_down(input, expect);
}

/* A payload of the application up; down, the device reads it from a frame that carries the entry's bytes. */
static bool payload_crypt(const json_t *input, const json_t *expect)
{
	struct sim_device *device = &stand.device;
	uint8_t plain[255], cipher[255], built[255];
	open_session(input, t_hex_number(input, "dev_addr"), false);
	device->keys.app_s_key = t_key_member(input, "key");
	size_t length = t_hex_member(input, "plain", plain, sizeof plain);
	t_hex_member(expect, "cipher", cipher, sizeof cipher);
	if (t_text_is(input, "direction", "down")) {
		struct lw_frame frame = {.ftype = LW_UNCONFIRMED_DOWN,
					 .dev_addr = device->dev_addr,
					 .fcnt = (uint16_t)t_int_member(input, "fcnt32"),
					 .has_fport = true,
					 .fport = 1,
					 .frm_payload = cipher,
					 .frm_payload_length = (uint8_t)length};
		size_t total = lw_frame_encode(&frame, built, sizeof built);
		struct lw_mic_input signed_part = {.direction = LW_DOWN,
						   .dev_addr = device->dev_addr,
						   .fcnt = frame.fcnt,
						   .msg = built,
						   .length = (uint8_t)(total - 4)};
		lw_frame_set_mic(built, total, lw_mic_1_0(aes, &device->keys.f_nwk_s_int_key, &signed_part));
		t_true("sends", t_stand_sends(&stand, S));
		t_int("heard", SIM_DOWN_ACCEPTED, t_stand_hears(&stand, 1, built, total));
		t_bytes("plain", plain, length, stand.last[SIM_RECORD_DOWNLINK].payload,
			stand.last[SIM_RECORD_DOWNLINK].length);
		return true;
	}
	device->frame_fcnt = (uint32_t)t_int_member(input, "fcnt32");
	device->frame_fport = 1;
	device->frame_length = (uint8_t)length;
	memcpy(device->frame_payload, plain, length);
	size_t total = sim_device_encode(device, built, sizeof built);
	t_bytes("cipher", cipher, length, built + 9, total - 13);
	return true;
}

static bool fopts_crypt(const json_t *input, const json_t *expect)
{
	struct sim_device *device = &stand.device;
	uint8_t cipher[15], built[255];
	open_session(input, t_hex_number(input, "dev_addr"), true);
	device->keys.nwk_s_enc_key = t_key_member(input, "key");
	device->frame_fcnt = (uint32_t)t_int_member(input, "fcnt32");
	device->frame_fport = -1;
	device->frame_fopts_length = (uint8_t)t_hex_member(input, "plain", device->frame_fopts,
							   sizeof device->frame_fopts);
	size_t length = t_hex_member(expect, "cipher", cipher, sizeof cipher);
	size_t total = sim_device_encode(device, built, sizeof built);
	t_bytes("cipher", cipher, length, built + 8, total - 12);
	return true;
}

/* The entry signs bytes; the device is given the payload that becomes those bytes. */
static bool mic_raw(const json_t *input, const json_t *expect)
{
	struct sim_device *device = &stand.device;
	uint8_t msg[64], mic[4], built[255];
	size_t length = t_hex_member(input, "msg", msg, sizeof msg);
	bool is_1_1 = t_text_is(input, "lorawan", "1.1");
	if (!t_text_is(input, "direction", "up"))
		return false;
	open_session(input, t_hex_number(input, "dev_addr"), is_1_1);
	device->config.adr = false;
	device->frame_fcnt = (uint32_t)t_int_member(input, "fcnt32");
	device->frame_fport = msg[8];
	device->frame_length = (uint8_t)(length - 9);
	device->frame_conf_fcnt = (uint16_t)t_int_member(input, "conf_fcnt");
	device->tx_dr = (uint8_t)t_int_member(input, "tx_dr");
	device->tx_channel = (uint8_t)t_int_member(input, "tx_ch");
	lw_cipher_frm_payload(aes, &device->keys.app_s_key, LW_UP, device->dev_addr, device->frame_fcnt,
			      msg + 9, length - 9, device->frame_payload);
	size_t total = sim_device_encode(device, built, sizeof built);
	t_bytes("msg", msg, length, built, total - 4);
	t_hex_member(expect, "mic", mic, sizeof mic);
	t_bytes("mic", mic, sizeof mic, built + total - 4, 4);
	return true;
}

static bool fctrl(const json_t *input, const json_t *expect)
{
	struct sim_device *device = &stand.device;
	uint8_t byte, built[255];
	t_hex_member(input, "byte", &byte, 1);
	open_session(input, 0x01020304, false);
	if (t_true_member(expect, "class_b"))
		return false;
	if (t_text_is(input, "direction", "up")) {
		device->config.adr = t_true_member(expect, "adr");
		device->frame_adr_ack_req = t_true_member(expect, "adr_ack_req");
		device->frame_ack = t_true_member(expect, "ack");
		device->frame_fport = -1;
		device->frame_fopts_length = (uint8_t)t_int_member(expect, "fopts_len");
		sim_device_encode(device, built, sizeof built);
		t_uint("byte", byte, built[5]);
		return true;
	}
	uint8_t frame[64] = {0x60, 4, 3, 2, 1, byte};
	size_t total = 8u + (byte & 15u) + 4;
	struct lw_mic_input signed_part = {.direction = LW_DOWN,
					   .dev_addr = device->dev_addr,
					   .msg = frame,
					   .length = (uint8_t)(total - 4)};
	lw_frame_set_mic(frame, total, lw_mic_1_0(aes, &device->keys.f_nwk_s_int_key, &signed_part));
	t_true("sends", t_stand_sends(&stand, S));
	t_int("heard", SIM_DOWN_ACCEPTED, t_stand_hears(&stand, 1, frame, total));
	t_true("ack", stand.last[SIM_RECORD_DOWNLINK].acknowledged == t_true_member(expect, "ack"));
	t_true("f_pending", device->soon == t_true_member(expect, "f_pending"));
	return true;
}

/* What lies at or above the next counter is the same for the device and for the network; what lies below the device refuses. */
static bool fcnt_reconstruct(const json_t *input, const json_t *expect)
{
	uint32_t next = (uint32_t)t_int_member(input, "next_expected_fcnt32"),
		 fcnt = (uint32_t)t_int_member(expect, "fcnt32");
	open_session(input, 0x01020304, false);
	t_true("sends", t_stand_sends(&stand, S));
	stand.device.seen_down[0] = next > 0;
	stand.device.fcnt_down[0] = next > 0 ? next - 1 : 0;
	struct t_down down = {.fcnt = fcnt, .fport = -1};
	enum sim_down_result result = t_stand_answer(&stand, 1, &down);
	if (fcnt >= next) {
		t_str("result", "accepted", sim_down_result_name(result));
		t_uint("counter", fcnt, stand.last[SIM_RECORD_DOWNLINK].fcnt);
	} else {
		t_true("refused", result == SIM_DOWN_REPEATED || result == SIM_DOWN_MIC);
	}
	return true;
}

static void data_frames(void **state)
{
	(void)state;
	static const struct t_vector_kind kinds[] = {
		{"frame_1_0_up", frame_up, 11, 0, NULL},
		{"frame_1_1_up", frame_up, 5, 0, NULL},
		{"frame_1_0_down", frame_down, 3, 0, NULL},
		{"frame_1_1_down", frame_down, 4, 0, NULL},
		{"frame_1_1_mic_only", frame_mic_only, 1, 0, NULL},
		{"frame_multicast", frame_down, 1, 0, NULL},
		{"frame_header", NULL, 0, 8, "without keys a device reads nothing"},
		{"payload_crypt", payload_crypt, 2, 0, NULL},
		{"fopts_crypt", fopts_crypt, 1, 0, NULL},
		{"mic_raw", mic_raw, 1, 1, "an uplink's type signed as a downlink: no frame is like that"},
		{"fctrl", fctrl, 4, 3, "the device has no class B"},
		{"fhdr_encode", NULL, 0, 4, "headers of a network or of class B"},
		{"fcnt_reconstruct", fcnt_reconstruct, 5, 0, NULL},
	};
	t_vector_file("data_frames.json", kinds, ARRAY_SIZE(kinds));
}

/* --- joins --------------------------------------------------------------------------------------------------- */

/* A device of that root key that has just asked to join with that DevNonce. */
static void ask(bool is_1_1, const struct lw_key *nwk_key, const struct lw_key *app_key,
		struct lw_eui64 join_eui, struct lw_eui64 dev_eui, uint16_t dev_nonce)
{
	struct sim_device_config config = t_stand_config("eu868", is_1_1 ? LW_MAC_1_1_0 : LW_MAC_1_0_4,
							 SIM_OTAA);
	config.join_eui = join_eui;
	config.dev_eui = dev_eui;
	config.app_key = *(is_1_1 ? app_key : nwk_key);
	config.nwk_key = *nwk_key;
	t_stand_set_up(&stand, aes, &config);
	/* The counter stands one before; DevNonce 0 is one after 65,535 here alone. */
	stand.device.dev_nonce = (uint32_t)dev_nonce - 1;
	t_true("sends", t_stand_sends(&stand, S));
}

static bool join_request(const json_t *input, const json_t *expect)
{
	struct lw_key key = t_key_member(input, "key");
	uint8_t phy[64], mic[4];
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	ask(false, &key, &key, t_eui_member(expect, "join_eui"), t_eui_member(expect, "dev_eui"),
	    (uint16_t)t_hex_number(expect, "dev_nonce"));
	/* Where the entry's own MIC is wrong, it has the right one beside it. */
	t_hex_member(expect, t_true_member(expect, "mic_valid") ? "mic" : "mic_computed", mic, sizeof mic);
	memcpy(phy + length - 4, mic, sizeof mic);
	t_bytes("phy", phy, length, stand.uplink.phy, stand.uplink.length);
	return true;
}

static bool join_request_parse(const json_t *input, const json_t *expect)
{
	struct lw_key key = {{0}};
	uint8_t phy[64];
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	ask(false, &key, &key, t_eui_member(expect, "join_eui"), t_eui_member(expect, "dev_eui"),
	    (uint16_t)t_hex_number(expect, "dev_nonce"));
	t_bytes("phy but for the MIC", phy, length - 4, stand.uplink.phy, stand.uplink.length - 4);
	return true;
}

/* A device chooses the MIC's form by OptNeg. */
static bool join_accept(const json_t *input, const json_t *expect)
{
	bool is_1_1 = t_text_is(input, "lorawan", "1.1");
	bool form_1_1 = t_has_member(input, "join_req_type");
	if (form_1_1 != t_true_member(expect, "opt_neg") ||
	    (form_1_1 && !t_text_is(input, "join_req_type", "ff")))
		return false;
	struct lw_key root = t_key_member(input, "encrypt_key"), mic_key = t_key_member(input, "mic_key");
	struct lw_eui64 join_eui = t_eui_member(input, "join_eui");
	const struct lw_key *js_int_key = form_1_1 || is_1_1 ? &mic_key : NULL;
	struct lw_join_accept accept;
	uint8_t phy[64], cflist[16];
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	uint16_t dev_nonce = form_1_1 ? (uint16_t)t_hex_number(input, "dev_nonce_or_rj_count") : 0;
	t_str("result", "accepted",
	      sim_down_result_name(sim_join_accept_open(aes, &root, js_int_key, &join_eui, dev_nonce, phy,
							length, &accept)));
	t_uint("join_nonce", t_hex_number(expect, "join_nonce"), accept.join_nonce);
	t_uint("net_id", t_hex_number(expect, "net_id"), accept.net_id.value);
	t_uint("dev_addr", t_hex_number(expect, "dev_addr"), accept.dev_addr.value);
	t_int("offset", t_int_member(expect, "rx1_dr_offset"), accept.dl_settings.rx1_dr_offset);
	t_int("rx2", t_int_member(expect, "rx2_data_rate"), accept.dl_settings.rx2_data_rate);
	t_int("delay", t_int_member(expect, "rx_delay"), accept.rx_delay);
	size_t listed = t_hex_member(expect, "cflist", cflist, sizeof cflist);
	t_bytes("cflist", cflist, listed, accept.cflist, accept.has_cflist ? 16 : 0);
	phy[length - 1] ^= 1;
	t_int("another last byte", SIM_DOWN_MIC,
	      sim_join_accept_open(aes, &root, js_int_key, &join_eui, dev_nonce, phy, length, &accept));
	return true;
}

static void write_u24(uint8_t *out, uint32_t value)
{
	struct wr wr = wr_init(out, 3);
	wr_u24le(&wr, value);
}

static bool dl_settings(const json_t *input, const json_t *expect)
{
	struct lw_key key = {{1}};
	uint8_t body[12] = {1};
	t_hex_member(input, "byte", &body[10], 1);
	ask(t_true_member(expect, "opt_neg"), &key, &key, (struct lw_eui64){{0}}, (struct lw_eui64){{0}}, 1);
	enum sim_down_result result = t_stand_accept(&stand, body);
	unsigned offset = (unsigned)t_int_member(expect, "rx1_dr_offset"),
		 dr = (unsigned)t_int_member(expect, "rx2_data_rate");
	if (offset > 5 || dr > 6) { /* eu868 and a LoRa device have no more */
		t_str("result", "parameters", sim_down_result_name(result));
		return true;
	}
	t_str("result", "accepted", sim_down_result_name(result));
	t_true("rules", stand.device.rules_1_1 == t_true_member(expect, "opt_neg"));
	t_true("sends", t_stand_sends(&stand, 100 * S));
	t_uint("offset", offset, (unsigned)(stand.device.tx_dr - stand.device.rx1_dr));
	t_uint("RX2", dr, stand.device.window_rx2_dr);
	return true;
}

static bool join_accept_body(const json_t *input, const json_t *expect)
{
	struct lw_key key = {{1}};
	uint8_t body[64];
	size_t length = t_hex_member(input, "bytes", body, sizeof body);
	if (length != 12)
		return false;
	ask(t_true_member(expect, "opt_neg"), &key, &key, (struct lw_eui64){{0}}, (struct lw_eui64){{0}}, 1);
	t_str("result", "accepted", sim_down_result_name(t_stand_accept(&stand, body)));
	t_uint("join_nonce", t_hex_number(expect, "join_nonce"), stand.device.join_nonce);
	t_uint("dev_addr", t_hex_number(expect, "dev_addr"), stand.device.dev_addr.value);
	t_uint("offset", (unsigned)t_int_member(expect, "rx1_dr_offset"), stand.device.rx1_offset);
	t_uint("RX2", (unsigned)t_int_member(expect, "rx2_data_rate"), stand.device.rx2_dr);
	unsigned delay = (unsigned)t_int_member(expect, "rx_delay");
	t_uint("delay", delay == 0 ? 1 : delay, stand.device.rx_delay_s);
	return true;
}

static bool cflist(const json_t *input, const json_t *expect)
{
	bool masks = t_int_member(expect, "type") == 1;
	struct sim_device_config config = t_stand_config(masks ? "us915" : "eu868", LW_MAC_1_0_4, SIM_OTAA);
	const json_t *values = json_object_get(expect, masks ? "ch_masks" : "frequencies_hz");
	uint8_t bytes[16];
	t_stand_set_up(&stand, aes, &config);
	t_uint("length", 16, t_hex_member(input, "bytes", bytes, sizeof bytes));
	sim_device_apply_cflist(&stand.device, bytes);
	bool any = false;
	for (size_t i = 0; i < 72; i++)
		any = any || (json_integer_value(json_array_get(values, i / 16)) >> (i % 16) & 1) != 0;
	for (size_t i = 0; masks && i < 72; i++) {
		bool on = (json_integer_value(json_array_get(values, i / 16)) >> (i % 16) & 1) != 0;
		t_true("mask", stand.device.channels[i].enabled == (on || !any));
	}
	for (size_t i = 0; !masks && i < 5; i++) {
		json_int_t freq_hz = json_integer_value(json_array_get(values, i));
		bool ours = freq_hz >= 863000000 && freq_hz <= 870000000;
		const struct sim_channel *channel = &stand.device.channels[3 + i];
		t_uint("frequency", ours ? (unsigned long long)freq_hz : 0, channel->freq_hz);
		t_true("on", channel->enabled == ours);
	}
	return true;
}

static void check_session(const json_t *keys, bool enveloped)
{
	static const char *const names[] = {"nwk_skey", "f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key",
					    "app_skey"};
	const struct lw_session_keys *got = &stand.device.keys;
	const struct lw_key *const mine[] = {&got->f_nwk_s_int_key, &got->f_nwk_s_int_key,
					     &got->s_nwk_s_int_key, &got->nwk_s_enc_key, &got->app_s_key};
	unsigned checked = 0;
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		const json_t *holder = enveloped ? json_object_get(keys, names[k]) : keys;
		uint8_t key[16];
		if (holder != NULL && t_hex_member(holder, enveloped ? "aes_key" : names[k], key, 16) == 16)
			checked += t_bytes(names[k], key, 16, mine[k]->bytes, 16);
	}
	t_true("keys", checked >= 2);
}

/* A device of 1.1 with a session that has sent so many rejoin-requests of the type sends the next. */
static void rejoin(struct lw_net_id net_id, uint8_t type, uint16_t count)
{
	uint8_t body[12] = {1};
	write_u24(body + 3, net_id.value);
	body[10] = 0x80;
	t_str("session", "accepted", sim_down_result_name(t_stand_accept(&stand, body)));
	stand.device.rj_count[type == 1] = count;
	sim_device_order_rejoin(&stand.device, stand.now_us, type);
	t_true("sends", t_stand_sends(&stand, stand.now_us + 100 * S));
}

/* The entry gives one key, which signs: where it gives none, its MIC is of nobody. */
static bool rejoin_request(const json_t *input, const json_t *expect)
{
	struct lw_key root = {{7}}, key = t_key_member(input, "key");
	uint8_t phy[LW_PHY_PAYLOAD_MAX], built[LW_PHY_PAYLOAD_MAX];
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	uint8_t type = (uint8_t)t_int_member(expect, "rejoin_type");
	ask(true, &root, &root, t_eui_member(expect, "join_eui"), t_eui_member(expect, "dev_eui"), 1);
	rejoin((struct lw_net_id){t_hex_number(expect, "net_id")}, type,
	       (uint16_t)t_int_member(expect, "rj_count"));
	stand.device.keys.s_nwk_s_int_key = stand.device.js_int_key = key;
	stand.device.rj_count[type == 1] = (uint32_t)t_int_member(expect, "rj_count");
	size_t made = sim_device_encode_rejoin(&stand.device, built);
	bool is_signed = t_has_member(input, "key");
	t_bytes("phy", phy, length - (is_signed ? 0 : 4), built, made - (is_signed ? 0 : 4));
	t_bytes("sent", phy, length - 4, stand.uplink.phy, stand.uplink.length - 4);
	return true;
}

/* The answer to a rejoin: ciphered with JSEncKey, signed over type and count; the keys it ends with. */
static bool rejoined(const json_t *input, const json_t *expect, const uint8_t *request)
{
	struct lw_key nwk_key = t_key_member(input, "nwk_key"), app_key = t_key_member(input, "app_key");
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	struct lw_rejoin_request asked;
	t_int("request", LW_OK,
	      lw_rejoin_request_parse(&asked, request, t_hex_member(input, "request_phy", phy, sizeof phy)));
	struct lw_eui64 join_eui = asked.type == 1 ? asked.join_eui : t_eui_member(input, "join_eui");
	ask(true, &nwk_key, &app_key, join_eui, asked.dev_eui, 1);
	rejoin((struct lw_net_id){t_hex_number(input, "net_id")}, asked.type, asked.rj_count);
	t_bytes("request", request, stand.uplink.length - 4, stand.uplink.phy, stand.uplink.length - 4);
	size_t length = t_hex_member(expect, "phy", phy, sizeof phy);
	t_str("accept", "accepted", sim_down_result_name(t_stand_hears(&stand, 1, phy, length)));
	t_uint("dev_addr", t_hex_number(input, "dev_addr"), stand.device.dev_addr.value);
	check_session(json_object_get(expect, "keys"), t_has_member(expect, "result"));
	return true;
}

/* The whole join: the request that the device makes, the accept that it gets, the keys that it ends with. */
static bool join(const json_t *input, const json_t *expect)
{
	bool is_1_1 = t_text_is(input, "mac_version", "1.1");
	struct lw_key nwk_key = t_key_member(input, "nwk_key"), app_key = t_key_member(input, "app_key");
	struct lw_join_request request;
	uint8_t phy[64];
	size_t length = t_hex_member(input, "request_phy", phy, sizeof phy);
	if (t_has_member(input, "keks"))
		return false;
	if (phy[0] != 0x00)
		return rejoined(input, expect, phy);
	t_int("request", LW_OK, lw_join_request_parse(&request, phy, length));
	ask(is_1_1, &nwk_key, &app_key, request.join_eui, request.dev_eui, request.dev_nonce);
	t_bytes("request", phy, length, stand.uplink.phy, stand.uplink.length);
	length = t_hex_member(expect, "phy", phy, sizeof phy);
	t_str("accept", "accepted", sim_down_result_name(t_stand_hears(&stand, 1, phy, length)));
	t_uint("dev_addr", t_hex_number(input, "dev_addr"), stand.device.dev_addr.value);
	check_session(json_object_get(expect, "keys"), t_has_member(expect, "result"));
	return true;
}

static void joins(void **state)
{
	(void)state;
	static const struct t_vector_kind kinds[] = {
		{"join_request", join_request, 5, 0, NULL},
		{"join_request_parse", join_request_parse, 2, 0, NULL},
		{"join_accept_1_0", join_accept, 5, 0, NULL},
		{"join_accept_1_1", join_accept, 2, 2,
		 "an answer to a rejoin without the keys that its keys come from, or a form that does not go "
		 "with OptNeg"},
		{"join_accept_body", join_accept_body, 2, 0, NULL},
		{"cflist_type0", cflist, 2, 0, NULL},
		{"cflist_type1", cflist, 3, 0, NULL},
		{"dl_settings", dl_settings, 4, 0, NULL},
		{"otaa_flow", join, 2, 0, NULL},
		{"join_server", join, 4, 0, NULL},
		{"join_server_error", NULL, 0, 1, "a join server's look-up"},
		{"rejoin_request_type0", rejoin_request, 2, 0, NULL},
		{"rejoin_request_type1", rejoin_request, 2, 0, NULL},
		{"rejoin_request_type2", rejoin_request, 2, 0, NULL},
		{"net_id", NULL, 0, 5, "addresses are the network's to give"},
		{"dev_addr_build", NULL, 0, 9, "addresses are the network's to give"},
		{"dev_addr_parse", NULL, 0, 5, "addresses are the network's to give"},
	};
	t_vector_file("join.json", kinds, ARRAY_SIZE(kinds));
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

static bool session_keys(const json_t *input, const json_t *expect)
{
	bool is_1_1 = t_has_member(input, "join_eui");
	struct lw_key app_key = t_key_member(input, "app_key"), nwk_key = t_key_member(input, "nwk_key");
	uint8_t body[12] = {0};
	/* A 1.1 device on a network of 1.0 makes the 1.0 session from its NwkKey. */
	bool device_1_1 = t_has_member(input, "nwk_key");
	ask(device_1_1, device_1_1 ? &nwk_key : &app_key, &app_key, t_eui_member(input, "join_eui"),
	    (struct lw_eui64){{0}}, (uint16_t)t_hex_number(input, "dev_nonce"));
	write_u24(body, t_hex_number(input, "join_nonce"));
	write_u24(body + 3, t_hex_number(input, "net_id"));
	body[10] = is_1_1 ? 0x80 : 0;
	t_str("accept", "accepted", sim_down_result_name(t_stand_accept(&stand, body)));
	check_session(expect, false);
	return true;
}

static bool join_server_keys(const json_t *input, const json_t *expect)
{
	struct lw_key key = t_key_member(input, "nwk_key");
	uint8_t js_int_key[16];
	ask(true, &key, &key, (struct lw_eui64){{0}}, t_eui_member(input, "dev_eui"), 1);
	t_hex_member(expect, "js_int_key", js_int_key, sizeof js_int_key);
	t_bytes("js_int_key", js_int_key, 16, stand.device.js_int_key.bytes, 16);
	return true;
}

static void keys(void **state)
{
	(void)state;
	static const char multicast[] = "the device is in no multicast group",
			  relay[] = "the device is no relay and has none", server[] = "between servers";
	static const struct t_vector_kind kinds[] = {
		{"session_1_0", session_keys, 5, 0, NULL},
		{"session_1_1", session_keys, 3, 0, NULL},
		{"join_server_keys", join_server_keys, 3, 0, NULL},
		{"raw_block_derivation", NULL, 0, 1, "blocks that LoRaWAN 1.0 has no use for"},
		{"mc_root_key_1_0", NULL, 0, 1, multicast},
		{"mc_root_key_1_1", NULL, 0, 1, multicast},
		{"mc_ke_key", NULL, 0, 1, multicast},
		{"mc_key_encrypt", NULL, 0, 1, multicast},
		{"mc_app_skey", NULL, 0, 1, multicast},
		{"mc_nwk_skey", NULL, 0, 1, multicast},
		{"mc_chain", NULL, 0, 1, multicast},
		{"relay_root_key", NULL, 0, 2, relay},
		{"relay_session_keys", NULL, 0, 1, relay},
		{"relay_chain", NULL, 0, 1, relay},
		{"data_block_int_key", NULL, 0, 0, NULL},
		{"key_wrap", NULL, 0, 5, server},
		{"key_envelope", NULL, 0, 1, server},
		{"key_wrap_reject", NULL, 0, 5, server},
	};
	t_vector_file("keys.json", kinds, ARRAY_SIZE(kinds));
}

/* --- malformed ----------------------------------------------------------------------------------------------- */

/* A device that has a session and has just sent refuses it; one that asked to join as well. */
static bool malformed(const json_t *input, const json_t *expect)
{
	uint8_t phy[255];
	size_t length = t_hex_member(input, "phy", phy, sizeof phy);
	if (!t_text_is(input, "direction", "down") || !t_true_member(expect, "reject"))
		return false;
	open_session(input,
		     length >= 5 ? (uint32_t)phy[4] << 24 | (uint32_t)phy[3] << 16 | (uint32_t)phy[2] << 8 |
					   phy[1]
				 : 0,
		     false);
	t_true("sends", t_stand_sends(&stand, S));
	enum sim_down_result result = t_stand_hears(&stand, 1, phy, length);
	t_true("refused", result == SIM_DOWN_MALFORMED || result == SIM_DOWN_NOT_OURS);
	struct lw_key key = {{0}};
	ask(false, &key, &key, (struct lw_eui64){{0}}, (struct lw_eui64){{0}}, 1);
	result = t_stand_hears(&stand, 1, phy, length);
	t_true("refused while it joins", result == SIM_DOWN_MALFORMED || result == SIM_DOWN_NOT_OURS);
	return true;
}

static void malformed_frames(void **state)
{
	(void)state;
	static const char uplink[] = "an uplink";
	static const struct t_vector_kind kinds[] = {
		{"fopts_overrun", malformed, 1, 2, uplink},
		{"unsupported_major", malformed, 1, 1, uplink},
		{"bad_length", malformed, 2, 7, uplink},
		{"too_short", malformed, 0, 6, uplink},
		{"fopts_with_fport0", malformed, 0, 1, uplink},
		{"unknown_rejoin_type", malformed, 0, 1, uplink},
		{"proprietary", malformed, 0, 2, uplink},
		{"wrong_direction", malformed, 0, 2, uplink},
		{"bad_mic", malformed, 0, 7, uplink},
		{"accept", malformed, 0, 4, "an uplink, or a frame without keys"},
	};
	t_vector_file("malformed.json", kinds, ARRAY_SIZE(kinds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(data_frames),
		t_test(joins),
		t_test(keys),
		t_test(malformed_frames),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
