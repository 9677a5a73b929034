/* The MIC of a data frame against the keys that are given (TS001-1.0.4 §4.4, TS001-1.1 §4.4), and with it the upper half of
 * its counter, which is not on the air: where nobody says it, the first 256 are tried. Pure. */
#ifndef LAMPPOST_CLI_FRAME_MIC_H
#define LAMPPOST_CLI_FRAME_MIC_H

#include "cli/frame_context.h"
#include "common/crypto/aes.h"
#include "common/lorawan/frame.h"

#define CLI_FRAME_WHY_MAX 400

enum cli_frame_mic_verdict {
	CLI_MIC_NOT_CHECKED, /* a key is missing, which `why` names */
	CLI_MIC_RIGHT,
	CLI_MIC_HALF_RIGHT, /* 1.1 uplink: the half of FNwkSIntKey; the other was not checked */
	CLI_MIC_WRONG
};

struct cli_frame_mic {
	enum cli_frame_mic_verdict verdict;
	bool is_1_1;
	uint32_t fcnt;     /* proved by the MIC, or said, or with an upper half of 0 */
	bool fcnt_guessed; /* neither proved nor said */
	bool tx_found;     /* TxDr and TxCh were found by trying */
	uint8_t tx_dr, tx_ch;
	char why[CLI_FRAME_WHY_MAX]; /* a sentence without a full stop */
};

void cli_frame_mic_judge(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
			 enum lw_direction direction, const struct cli_frame_context *context);

/* Computes the MIC that a frame should have: `frame->msg` over `frame->msg_length` bytes. False: a key or number is missing,
 * named in `why`. */
bool cli_frame_mic_compute(struct lw_mic *mic, struct aes *aes, const struct lw_frame *frame,
			   enum lw_direction direction, const struct cli_frame_context *context,
			   uint32_t fcnt, char why[CLI_FRAME_WHY_MAX]);

#endif
