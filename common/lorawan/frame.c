/* A data frame on the air, at least 12 bytes (TS001-1.0.4 §4):
 *
 *	MHDR | DevAddr(4) | FCtrl | FCnt(2) | FOpts(0..15) | [FPort | FRMPayload(n)] | MIC(4)
 *
 *	MHDR    FType(3) | RFU(3) | Major(2)
 *	FCtrl   up    ADR | ADRACKReq | ACK | ClassB   | FOptsLen(4)
 *	        down  ADR | RFU       | ACK | FPending | FOptsLen(4)
 *
 * FOptsLen above 0 together with FPort 0 is refused: commands would stand in two places, and the
 * specification leaves open which count. */
#include "common/lorawan/frame.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

static const struct ftype_row {
	const char *name;
	bool up;
	bool down;
	bool data;
} ftypes[] = {
	[LW_JOIN_REQUEST] = {"JoinRequest", .up = true},
	[LW_JOIN_ACCEPT] = {"JoinAccept", .down = true},
	[LW_UNCONFIRMED_UP] = {"UnconfirmedDataUp", .up = true, .data = true},
	[LW_UNCONFIRMED_DOWN] = {"UnconfirmedDataDown", .down = true, .data = true},
	[LW_CONFIRMED_UP] = {"ConfirmedDataUp", .up = true, .data = true},
	[LW_CONFIRMED_DOWN] = {"ConfirmedDataDown", .down = true, .data = true},
	[LW_REJOIN_REQUEST] = {"RejoinRequest", .up = true},
	[LW_PROPRIETARY] = {"Proprietary", .up = true, .down = true},
};

const char *lw_ftype_name(enum lw_ftype ftype)
{
	return (size_t)ftype < ARRAY_SIZE(ftypes) ? ftypes[ftype].name : "unknown";
}

bool lw_ftype_is_confirmed(enum lw_ftype ftype)
{
	return ftype == LW_CONFIRMED_UP || ftype == LW_CONFIRMED_DOWN;
}

enum lw_verdict lw_classify(const uint8_t *phy, size_t length, enum lw_direction direction,
			    enum lw_ftype *ftype)
{
	struct rd rd = rd_init(phy, length);
	uint8_t mhdr = rd_u8(&rd);
	if (!rd_ok(&rd))
		return LW_TOO_SHORT;
	enum lw_ftype found = (enum lw_ftype)(mhdr >> 5);
	if (found == LW_PROPRIETARY) {
		*ftype = found;
		return LW_PROPRIETARY_FRAME;
	}
	if ((mhdr & 3) != 0)
		return LW_UNSUPPORTED_MAJOR;
	if (!(direction == LW_UP ? ftypes[found].up : ftypes[found].down))
		return LW_WRONG_DIRECTION;
	*ftype = found;
	return LW_OK;
}

struct lw_fctrl lw_fctrl_decode(uint8_t byte, enum lw_direction direction)
{
	bool up = direction == LW_UP;
	return (struct lw_fctrl){
		.adr = byte & 0x80,
		.adr_ack_req = up && (byte & 0x40),
		.ack = byte & 0x20,
		.class_b = up && (byte & 0x10),
		.f_pending = !up && (byte & 0x10),
		.fopts_length = byte & 0x0f,
	};
}

uint8_t lw_fctrl_encode(const struct lw_fctrl *fctrl, enum lw_direction direction)
{
	bool up = direction == LW_UP;
	bool bit4 = up ? fctrl->class_b : fctrl->f_pending;
	return (uint8_t)((fctrl->adr ? 0x80 : 0) | (up && fctrl->adr_ack_req ? 0x40 : 0) |
			 (fctrl->ack ? 0x20 : 0) | (bit4 ? 0x10 : 0) | (fctrl->fopts_length & 0x0f));
}

enum lw_verdict lw_frame_parse(struct lw_frame *frame, const uint8_t *phy, size_t length,
			       enum lw_direction direction)
{
	struct lw_frame parsed = {.msg = phy};
	enum lw_verdict verdict = lw_classify(phy, length, direction, &parsed.ftype);
	if (verdict != LW_OK)
		return verdict;
	if (!ftypes[parsed.ftype].data)
		return LW_OTHER_TYPE;
	if (length < LW_FRAME_MIN)
		return LW_TOO_SHORT;
	if (length > LW_PHY_PAYLOAD_MAX)
		return LW_BAD_LENGTH;
	parsed.msg_length = (uint8_t)(length - sizeof parsed.mic.bytes);

	struct rd rd = rd_init(phy, parsed.msg_length);
	rd_u8(&rd);
	parsed.dev_addr.value = rd_u32le(&rd);
	parsed.fctrl = lw_fctrl_decode(rd_u8(&rd), direction);
	parsed.fcnt = rd_u16le(&rd);
	rd_copy(&rd, parsed.fopts, parsed.fctrl.fopts_length);
	if (!rd_ok(&rd))
		return LW_FOPTS_OVERRUN;
	if (rd_left(&rd) > 0) {
		parsed.has_fport = true;
		parsed.fport = rd_u8(&rd);
		parsed.frm_payload_length = (uint8_t)rd_left(&rd);
		parsed.frm_payload = rd_take(&rd, parsed.frm_payload_length);
	}
	if (parsed.has_fport && parsed.fport == 0 && parsed.fctrl.fopts_length > 0)
		return LW_FOPTS_WITH_FPORT0;
	struct rd mic = rd_init(phy + parsed.msg_length, sizeof parsed.mic.bytes);
	rd_copy(&mic, parsed.mic.bytes, sizeof parsed.mic.bytes);
	*frame = parsed;
	return LW_OK;
}

static bool encodable(const struct lw_frame *frame)
{
	if ((size_t)frame->ftype >= ARRAY_SIZE(ftypes) || !ftypes[frame->ftype].data)
		return false;
	if (frame->fctrl.fopts_length > LW_FOPTS_MAX)
		return false;
	if (!frame->has_fport)
		return frame->frm_payload_length == 0;
	return frame->fport != 0 || frame->fctrl.fopts_length == 0;
}

size_t lw_frame_encode(const struct lw_frame *frame, uint8_t *phy, size_t capacity)
{
	if (!encodable(frame))
		return 0;
	struct wr wr = wr_init(phy, capacity < LW_PHY_PAYLOAD_MAX ? capacity : LW_PHY_PAYLOAD_MAX);
	wr_u8(&wr, (uint8_t)(frame->ftype << 5));
	wr_u32le(&wr, frame->dev_addr.value);
	wr_u8(&wr, lw_fctrl_encode(&frame->fctrl, ftypes[frame->ftype].up ? LW_UP : LW_DOWN));
	wr_u16le(&wr, frame->fcnt);
	wr_copy(&wr, frame->fopts, frame->fctrl.fopts_length);
	if (frame->has_fport) {
		wr_u8(&wr, frame->fport);
		wr_copy(&wr, frame->frm_payload, frame->frm_payload_length);
	}
	wr_copy(&wr, frame->mic.bytes, sizeof frame->mic.bytes);
	return wr_length(&wr);
}

void lw_frame_set_mic(uint8_t *phy, size_t length, struct lw_mic mic)
{
	ASSERT_CMP(length, >=, sizeof mic.bytes);
	memcpy(phy + length - sizeof mic.bytes, mic.bytes, sizeof mic.bytes);
}
