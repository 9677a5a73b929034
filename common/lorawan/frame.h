/* Data frames, bytes to struct and back (TS001-1.0.4 §4, TS001-1.1 §4). No keys: MIC in mic.h, ciphers in
 * cipher.h.
 *
 * Parsing copies nothing but FOpts and MIC: `frm_payload` and `msg` borrow the caller's PHYPayload and are
 * valid as long as it is. */
#ifndef LAMPPOST_LORAWAN_FRAME_H
#define LAMPPOST_LORAWAN_FRAME_H

#include "common/base/status.h"
#include "common/lorawan/mic.h"
#include "common/lorawan/types.h"
#include "common/lorawan/verdict.h"

#define LW_FRAME_MIN 12 /* bytes of a data frame with neither FOpts nor FPort */

/* FType of the MHDR (§4.2.1). */
enum lw_ftype {
	LW_JOIN_REQUEST = 0,
	LW_JOIN_ACCEPT = 1,
	LW_UNCONFIRMED_UP = 2,
	LW_UNCONFIRMED_DOWN = 3,
	LW_CONFIRMED_UP = 4,
	LW_CONFIRMED_DOWN = 5,
	LW_REJOIN_REQUEST = 6,
	LW_PROPRIETARY = 7
};

/* FCtrl (§4.3.1.1). `adr_ack_req` and `class_b` exist in uplinks, `f_pending` in downlinks. */
struct lw_fctrl {
	bool adr;
	bool adr_ack_req;
	bool ack;
	bool class_b;
	bool f_pending;
	uint8_t fopts_length; /* 0..15 */
};

struct lw_frame {
	enum lw_ftype ftype; /* one of the four data types */
	struct lw_dev_addr dev_addr;
	struct lw_fctrl fctrl;
	uint16_t fcnt;               /* the 16 bits on the air */
	uint8_t fopts[LW_FOPTS_MAX]; /* `fctrl.fopts_length` bytes, as on the air */
	bool has_fport;              /* without FPort there is no FRMPayload */
	uint8_t fport;               /* 0: FRMPayload is MAC commands */
	const uint8_t *frm_payload;  /* borrowed; as on the air (ciphered) */
	uint8_t frm_payload_length;  /* may be 0 with an FPort */
	struct lw_mic mic;
	const uint8_t *msg; /* borrowed: the bytes that the MIC covers; set by parsing only */
	uint8_t msg_length;
};

/* "JoinRequest", "UnconfirmedDataUp", ... as the specification spells them. */
const char *lw_ftype_name(enum lw_ftype ftype);
bool lw_ftype_is_confirmed(enum lw_ftype ftype);

/* Says what a PHYPayload is, by its MHDR alone: LW_TOO_SHORT, LW_PROPRIETARY_FRAME, LW_UNSUPPORTED_MAJOR or
 * LW_WRONG_DIRECTION, else LW_OK with `ftype` filled. `ftype` is filled for a proprietary frame as well. */
MUST_USE enum lw_verdict lw_classify(const uint8_t *phy, size_t length, enum lw_direction direction,
				     enum lw_ftype *ftype);

/* Parses a data frame. Borrows `phy` (see above). `frame` is untouched unless LW_OK. The MIC is not looked
 * at. */
MUST_USE enum lw_verdict lw_frame_parse(struct lw_frame *frame, const uint8_t *phy, size_t length,
					enum lw_direction direction);
/* Writes the frame with its MIC as given. Returns the length, or 0 if it does not fit into `capacity` or 255
 * bytes, or breaks a rule of the parser. The usual order: encode, compute the MIC over all but the last four
 * bytes, lw_frame_set_mic(). */
size_t lw_frame_encode(const struct lw_frame *frame, uint8_t *phy, size_t capacity);
/* Replaces the last four bytes of an encoded frame. */
void lw_frame_set_mic(uint8_t *phy, size_t length, struct lw_mic mic);

struct lw_fctrl lw_fctrl_decode(uint8_t byte, enum lw_direction direction);
uint8_t lw_fctrl_encode(const struct lw_fctrl *fctrl, enum lw_direction direction);

#endif
