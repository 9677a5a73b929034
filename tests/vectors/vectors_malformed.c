/* malformed.json: the kind is the verdict. A frame goes the way that a receiver takes it: classified, parsed, and its MIC
 * checked where the entry has keys. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

#include <string.h>

static enum lw_verdict judge_mic(struct vector *vector, enum lw_direction direction,
				 const struct lw_frame *frame)
{
	struct lw_mic_input input = {.direction = direction,
				     .dev_addr = frame->dev_addr,
				     .ack = frame->fctrl.ack,
				     .msg = frame->msg,
				     .length = frame->msg_length};
	if (v_has(vector, "nwk_skey")) {
		struct lw_key key = v_key(vector, "nwk_skey");
		input.fcnt = (uint32_t)v_uint(vector, "fcnt32");
		return lw_mic_equal(frame->mic, lw_mic_1_0(vector->aes, &key, &input)) ? LW_OK : LW_BAD_MIC;
	}
	if (!v_has(vector, "s_nwk_s_int_key"))
		return LW_OK;
	struct lw_key s = v_key(vector, "s_nwk_s_int_key"), f = v_key(vector, "f_nwk_s_int_key");
	const char *version = v_text(vector, "lorawan");
	if (strcmp(version, "1.1") != 0 || direction != LW_UP)
		v_fail(vector, "input.lorawan", "an uplink of 1.1", version);
	input.fcnt = (uint32_t)v_uint(vector, "fcnt32");
	input.conf_fcnt = (uint16_t)v_uint(vector, "conf_fcnt");
	input.tx_dr = (uint8_t)v_uint(vector, "tx_dr");
	input.tx_ch = (uint8_t)v_uint(vector, "tx_ch");
	return lw_mic_equal(frame->mic, lw_mic_up_1_1(vector->aes, &s, &f, &input)) ? LW_OK : LW_BAD_MIC;
}

static enum lw_verdict judge_join_mic(struct vector *vector, const struct bytes *phy, struct lw_mic mic)
{
	if (!v_has(vector, "key"))
		return LW_OK;
	struct lw_key key = v_key(vector, "key");
	return lw_mic_equal(mic, lw_mic_join(vector->aes, &key, phy->at, phy->length - 4)) ? LW_OK
											   : LW_BAD_MIC;
}

static enum lw_verdict judge(struct vector *vector, const struct bytes *phy, enum lw_direction direction,
			     struct lw_frame *frame)
{
	enum lw_ftype ftype;
	struct lw_join_request join;
	struct lw_rejoin_request rejoin;
	struct lw_join_accept accept;
	enum lw_verdict verdict = lw_classify(phy->at, phy->length, direction, &ftype);
	if (verdict != LW_OK)
		return verdict;
	switch (ftype) {
	case LW_JOIN_REQUEST:
		verdict = lw_join_request_parse(&join, phy->at, phy->length);
		return verdict == LW_OK ? judge_join_mic(vector, phy, join.mic) : verdict;
	case LW_REJOIN_REQUEST:
		verdict = lw_rejoin_request_parse(&rejoin, phy->at, phy->length);
		return verdict == LW_OK ? judge_join_mic(vector, phy, rejoin.mic) : verdict;
	case LW_JOIN_ACCEPT: return lw_join_accept_parse(&accept, phy->at, phy->length);
	default:
		verdict = lw_frame_parse(frame, phy->at, phy->length, direction);
		return verdict == LW_OK ? judge_mic(vector, direction, frame) : verdict;
	}
}

static void reject(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "phy");
	struct lw_frame frame;
	enum lw_verdict verdict = judge(vector, &phy, v_direction(vector), &frame);
	const char *got = lw_verdict_name(verdict);
	if (strcmp(got, vector->kind) != 0)
		v_fail(vector, "kind", vector->kind, got);
	x_reject(vector, got);
	/* Keys show that the MIC would have been right; a verdict before the MIC does not look at them. */
	if (verdict != LW_BAD_MIC) {
		v_ignore(vector, "nwk_skey");
		v_ignore(vector, "fcnt32");
	}
}

static void accept(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "phy");
	struct lw_frame frame = {0};
	enum lw_verdict verdict = judge(vector, &phy, v_direction(vector), &frame);
	x_bool(vector, vector->expect, "reject", verdict != LW_OK);
	x_null(vector, vector->expect, "fport", !frame.has_fport);
}

const struct vector_kind vectors_malformed[] = {
	{"too_short", reject},
	{"fopts_overrun", reject},
	{"unsupported_major", reject},
	{"fopts_with_fport0", reject},
	{"bad_length", reject},
	{"unknown_rejoin_type", reject},
	{"proprietary", reject},
	{"wrong_direction", reject},
	{"bad_mic", reject},
	{"accept", accept},
	{NULL, NULL},
};
