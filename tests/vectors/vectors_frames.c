/* data_frames.json. A frame is read and compared, then built from what was expected and compared with the bytes. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/cipher.h"
#include "common/lorawan/fcnt.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"

#include <string.h>

struct session {
	bool is_1_1;
	bool has_nwk, has_f, has_s, has_enc, has_app;
	struct lw_key nwk, f, s, enc, app;
	uint32_t fcnt;
	uint16_t conf_fcnt;
	uint8_t tx_dr, tx_ch;
};

static bool optional_key(struct vector *vector, const char *member, struct lw_key *key)
{
	if (!v_has(vector, member))
		return false;
	*key = v_key(vector, member);
	return true;
}

static struct session read_session(struct vector *vector)
{
	struct session session = {.fcnt = (uint32_t)v_uint(vector, "fcnt32")};
	const char *version = v_text(vector, "lorawan");
	session.is_1_1 = strcmp(version, "1.1") == 0;
	if (!session.is_1_1 && strcmp(version, "1.0") != 0)
		v_fail(vector, "input.lorawan", "1.0 or 1.1", version);
	session.has_nwk = optional_key(vector, "nwk_skey", &session.nwk);
	session.has_f = optional_key(vector, "f_nwk_s_int_key", &session.f);
	session.has_s = optional_key(vector, "s_nwk_s_int_key", &session.s);
	session.has_enc = optional_key(vector, "nwk_s_enc_key", &session.enc);
	session.has_app = optional_key(vector, "app_skey", &session.app);
	if (v_has(vector, "conf_fcnt"))
		session.conf_fcnt = (uint16_t)v_uint(vector, "conf_fcnt");
	if (v_has(vector, "tx_dr"))
		session.tx_dr = (uint8_t)v_uint(vector, "tx_dr");
	if (v_has(vector, "tx_ch"))
		session.tx_ch = (uint8_t)v_uint(vector, "tx_ch");
	return session;
}

/* The key of FRMPayload, or NULL if the entry does not give it. */
static const struct lw_key *payload_key(const struct session *session, const struct lw_frame *frame)
{
	if (frame->has_fport && frame->fport > 0)
		return session->has_app ? &session->app : NULL;
	if (session->is_1_1)
		return session->has_enc ? &session->enc : NULL;
	return session->has_nwk ? &session->nwk : NULL;
}

static bool compute_mic(struct vector *vector, const struct session *session,
			const struct lw_mic_input *input, struct lw_mic *mic)
{
	if (!session->is_1_1) {
		if (session->has_nwk)
			*mic = lw_mic_1_0(vector->aes, &session->nwk, input);
		return session->has_nwk;
	}
	if (input->direction == LW_DOWN) {
		if (session->has_s)
			*mic = lw_mic_down_1_1(vector->aes, &session->s, input);
		return session->has_s;
	}
	if (session->has_s && session->has_f)
		*mic = lw_mic_up_1_1(vector->aes, &session->s, &session->f, input);
	return session->has_s && session->has_f;
}

static struct lw_mic_input mic_input(const struct session *session, enum lw_direction direction,
				     const struct lw_frame *frame, const uint8_t *msg, size_t length)
{
	return (struct lw_mic_input){.direction = direction,
				     .dev_addr = frame->dev_addr,
				     .fcnt = session->fcnt,
				     .ack = frame->fctrl.ack,
				     .conf_fcnt = session->conf_fcnt,
				     .tx_dr = session->tx_dr,
				     .tx_ch = session->tx_ch,
				     .msg = msg,
				     .length = (uint8_t)length};
}

static struct lw_fctrl check_fctrl(struct vector *vector, json_t *expect, struct lw_fctrl got,
				   enum lw_direction direction)
{
	struct lw_fctrl want = {0};
	want.adr = x_bool(vector, expect, "adr", got.adr);
	want.ack = x_bool(vector, expect, "ack", got.ack);
	want.fopts_length = (uint8_t)x_uint(vector, expect, "fopts_len", got.fopts_length);
	if (direction == LW_UP) {
		want.adr_ack_req = x_bool(vector, expect, "adr_ack_req", got.adr_ack_req);
		want.class_b = x_bool(vector, expect, "class_b", got.class_b);
	} else {
		want.f_pending = x_bool(vector, expect, "f_pending", got.f_pending);
	}
	return want;
}

static enum lw_ftype check_mhdr(struct vector *vector, uint8_t mhdr, enum lw_ftype got)
{
	json_t *expect = x_part(vector, vector->expect, "mhdr");
	enum lw_ftype want = got;
	const char *text = json_string_value(json_object_get(expect, "mtype"));
	for (int i = 0; text && i < 8; i++) {
		if (strcmp(text, lw_ftype_name((enum lw_ftype)i)) == 0)
			want = (enum lw_ftype)i;
	}
	x_text(vector, expect, "mtype", lw_ftype_name(got));
	x_uint(vector, expect, "major", mhdr & 3);
	return want;
}

/* Fills FOpts of `want` as they go on the air. */
static void check_fopts(struct vector *vector, const struct session *session, enum lw_direction direction,
			const struct lw_frame *got, struct lw_frame *want)
{
	bool ciphered = session->is_1_1 && session->has_enc && got->fctrl.fopts_length > 0;
	enum lw_fopts_counter counter = lw_fopts_counter(direction, got->has_fport, got->fport);
	uint8_t plain[LW_FOPTS_MAX];
	memcpy(plain, got->fopts, sizeof plain);
	if (ciphered)
		lw_cipher_fopts(vector->aes, &session->enc, direction, got->dev_addr, session->fcnt, counter,
				got->fopts, got->fctrl.fopts_length, plain);
	struct bytes fopts = x_bytes(vector, vector->expect, "fopts", plain, got->fctrl.fopts_length);
	if (x_has(vector->expect, "fopts_encrypted_on_air"))
		x_bytes(vector, vector->expect, "fopts_encrypted_on_air", got->fopts,
			got->fctrl.fopts_length);
	if (x_has(vector->expect, "fopts_counter"))
		x_text(vector, vector->expect, "fopts_counter",
		       direction == LW_UP               ? "FCntUp"
		       : counter == LW_FOPTS_AFCNT_DOWN ? "AFCntDown"
							: "NFCntDown");
	if (fopts.length != want->fctrl.fopts_length)
		return;
	memcpy(want->fopts, fopts.at, fopts.length);
	if (ciphered)
		lw_cipher_fopts(vector->aes, &session->enc, direction, want->dev_addr, session->fcnt,
				lw_fopts_counter(direction, want->has_fport, want->fport), fopts.at,
				fopts.length, want->fopts);
}

/* Leaves in `on_air` what FRMPayload of the built frame is. */
static void check_payload(struct vector *vector, const struct session *session, enum lw_direction direction,
			  const struct lw_frame *got, const struct lw_frame *want, struct bytes *on_air)
{
	uint8_t plain[LW_PHY_PAYLOAD_MAX];
	const struct lw_key *key = payload_key(session, want);
	*on_air = x_bytes(vector, vector->expect, "frm_payload_encrypted", got->frm_payload,
			  got->frm_payload_length);
	if (!x_has(vector->expect, "frm_payload"))
		return;
	if (!key && got->frm_payload_length > 0)
		v_fail(vector, "frm_payload", "a key in the input", "none");
	if (key)
		lw_cipher_frm_payload(vector->aes, key, direction, got->dev_addr, session->fcnt,
				      got->frm_payload, got->frm_payload_length, plain);
	struct bytes payload = x_bytes(vector, vector->expect, "frm_payload", plain, got->frm_payload_length);
	if (key && payload.length <= LW_PHY_PAYLOAD_MAX) {
		lw_cipher_frm_payload(vector->aes, key, direction, want->dev_addr, session->fcnt, payload.at,
				      payload.length, on_air->at);
		on_air->length = payload.length;
	}
}

static void frame(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "phy");
	enum lw_direction direction = v_direction(vector);
	struct session session = read_session(vector);
	struct lw_frame got, want = {0};
	enum lw_verdict verdict = lw_frame_parse(&got, phy.at, phy.length, direction);
	if (verdict != LW_OK) {
		v_fail(vector, "phy", "a frame", lw_verdict_name(verdict));
		return;
	}
	want.ftype = check_mhdr(vector, phy.at[0], got.ftype);
	want.dev_addr = x_dev_addr(vector, vector->expect, "dev_addr", got.dev_addr);
	want.fctrl = check_fctrl(vector, x_part(vector, vector->expect, "fctrl"), got.fctrl, direction);
	want.fcnt = (uint16_t)x_uint(vector, vector->expect, "fcnt16", got.fcnt);
	want.has_fport = !json_is_null(json_object_get(vector->expect, "fport"));
	if (want.has_fport)
		want.fport = (uint8_t)x_int(vector, vector->expect, "fport", got.has_fport ? got.fport : -1);
	else
		x_null(vector, vector->expect, "fport", !got.has_fport);
	check_fopts(vector, &session, direction, &got, &want);
	struct bytes payload;
	check_payload(vector, &session, direction, &got, &want, &payload);
	want.frm_payload = payload.at;
	want.frm_payload_length = (uint8_t)payload.length;
	struct bytes mic = x_bytes(vector, vector->expect, "mic", got.mic.bytes, sizeof got.mic.bytes);
	memcpy(want.mic.bytes, mic.at, sizeof want.mic.bytes);

	bool mic_valid = false, judged = x_has(vector->expect, "mic_valid");
	if (judged) {
		struct lw_mic_input input = mic_input(&session, direction, &got, got.msg, got.msg_length);
		struct lw_mic computed = {{0}};
		if (!compute_mic(vector, &session, &input, &computed))
			v_fail(vector, "mic_valid", "keys in the input", "none");
		mic_valid = x_bool(vector, vector->expect, "mic_valid", lw_mic_equal(computed, got.mic));
	}

	uint8_t built[LW_PHY_PAYLOAD_MAX];
	size_t length = lw_frame_encode(&want, built, sizeof built);
	if (mic_valid && length > 4) {
		struct lw_mic_input input = mic_input(&session, direction, &want, built, length - 4);
		struct lw_mic computed = {{0}};
		compute_mic(vector, &session, &input, &computed);
		lw_frame_set_mic(built, length, computed);
	}
	x_built(vector, "phy built", &phy, built, length);
}

/* Whatever keys an entry has, FRMPayload and FOpts stay as they are. */
static void mic_only(struct vector *vector)
{
	v_ignore(vector, "nwk_s_enc_key");
	v_ignore(vector, "app_skey");
	frame(vector);
}

static void payload_crypt(struct vector *vector)
{
	struct lw_key key = v_key(vector, "key");
	enum lw_direction direction = v_direction(vector);
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	uint32_t fcnt = (uint32_t)v_uint(vector, "fcnt32");
	struct bytes plain = v_bytes(vector, "plain");
	uint8_t out[LW_PHY_PAYLOAD_MAX];
	lw_cipher_frm_payload(vector->aes, &key, direction, dev_addr, fcnt, plain.at, plain.length, out);
	struct bytes cipher = x_bytes(vector, vector->expect, "cipher", out, plain.length);
	lw_cipher_frm_payload(vector->aes, &key, direction, dev_addr, fcnt, cipher.at, cipher.length, out);
	x_built(vector, "plain", &plain, out, cipher.length);
}

static void fopts_crypt(struct vector *vector)
{
	struct lw_key key = v_key(vector, "key");
	enum lw_direction direction = v_direction(vector);
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	uint32_t fcnt = (uint32_t)v_uint(vector, "fcnt32");
	const char *name = v_text(vector, "counter");
	enum lw_fopts_counter counter = LW_FOPTS_FCNT_UP;
	if (strcmp(name, "AFCntDown") == 0)
		counter = LW_FOPTS_AFCNT_DOWN;
	else if (strcmp(name, "NFCntDown") == 0)
		counter = LW_FOPTS_NFCNT_DOWN;
	else if (strcmp(name, "FCntUp") != 0)
		v_fail(vector, "input.counter", "FCntUp, NFCntDown or AFCntDown", name);
	struct bytes plain = v_bytes(vector, "plain");
	uint8_t out[LW_FOPTS_MAX];
	if (plain.length > sizeof out) {
		v_fail(vector, "input.plain", "at most 15 bytes", "more");
		return;
	}
	lw_cipher_fopts(vector->aes, &key, direction, dev_addr, fcnt, counter, plain.at, plain.length, out);
	struct bytes cipher = x_bytes(vector, vector->expect, "cipher", out, plain.length);
	if (cipher.length == plain.length)
		lw_cipher_fopts(vector->aes, &key, direction, dev_addr, fcnt, counter, cipher.at,
				cipher.length, out);
	x_built(vector, "plain", &plain, out, plain.length);
}

static void mic_raw(struct vector *vector)
{
	struct session session = read_session(vector);
	struct lw_frame header = {.dev_addr = v_dev_addr(vector, "dev_addr"), .fctrl.ack = true};
	enum lw_direction direction = v_direction(vector);
	struct bytes msg = v_bytes(vector, "msg");
	struct lw_mic_input input = mic_input(&session, direction, &header, msg.at, msg.length);
	struct lw_mic mic = {{0}};
	if (!compute_mic(vector, &session, &input, &mic))
		v_fail(vector, "mic", "keys in the input", "none");
	x_bytes(vector, vector->expect, "mic", mic.bytes, sizeof mic.bytes);
}

static void fctrl(struct vector *vector)
{
	enum lw_direction direction = v_direction(vector);
	struct bytes byte = v_bytes(vector, "byte");
	struct lw_fctrl want = check_fctrl(vector, vector->expect, lw_fctrl_decode(byte.at[0], direction),
					   direction);
	uint8_t built = lw_fctrl_encode(&want, direction);
	x_built(vector, "byte built", &byte, &built, 1);
}

/* There is no encoder of a header alone: the bytes between MHDR and MIC of a frame without FPort are it. */
static void fhdr_encode(struct vector *vector)
{
	enum lw_direction direction = v_direction(vector);
	struct lw_frame header = {
		.ftype = direction == LW_UP ? LW_UNCONFIRMED_UP : LW_UNCONFIRMED_DOWN,
		.dev_addr = v_dev_addr(vector, "dev_addr"),
		.fctrl = lw_fctrl_decode((uint8_t)v_hex_number(vector, "fctrl_flags"), direction),
		.fcnt = (uint16_t)v_uint(vector, "fcnt32")};
	struct bytes fopts = v_bytes(vector, "fopts");
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	header.fctrl.fopts_length = (uint8_t)fopts.length;
	memcpy(header.fopts, fopts.at, fopts.length < LW_FOPTS_MAX ? fopts.length : LW_FOPTS_MAX);
	size_t length = lw_frame_encode(&header, phy, sizeof phy);
	x_bytes(vector, vector->expect, "bytes", phy + 1, length > 5 ? length - 5 : 0);
}

static void fcnt_reconstruct(struct vector *vector)
{
	uint32_t next = (uint32_t)v_uint(vector, "next_expected_fcnt32");
	x_uint(vector, vector->expect, "fcnt32",
	       lw_fcnt_reconstruct(next, (uint16_t)v_uint(vector, "fcnt16")));
}

const struct vector_kind vectors_frames[] = {
	{"frame_1_0_up", frame},
	{"frame_1_0_down", frame},
	{"frame_1_1_up", frame},
	{"frame_1_1_down", frame},
	{"frame_multicast", frame},
	{"frame_header", frame},
	{"frame_1_1_mic_only", mic_only},
	{"payload_crypt", payload_crypt},
	{"fopts_crypt", fopts_crypt},
	{"mic_raw", mic_raw},
	{"fctrl", fctrl},
	{"fhdr_encode", fhdr_encode},
	{"fcnt_reconstruct", fcnt_reconstruct},
	{NULL, NULL},
};
