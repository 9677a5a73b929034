#include "cli/frame_mic.h"

#include "common/base/hex.h"
#include "common/lorawan/fcnt.h"

#include <stdio.h>
#include <string.h>

#define UPPER_HALVES 256u
#define TX_DRS       16
#define TX_CHANNELS  96

static struct lw_mic_input input_of(const struct lw_frame *frame, enum lw_direction direction,
				    const struct cli_frame_context *context, uint32_t fcnt)
{
	return (struct lw_mic_input){.direction = direction,
				     .dev_addr = frame->dev_addr,
				     .fcnt = fcnt,
				     .ack = frame->fctrl.ack,
				     .conf_fcnt = context->conf_fcnt,
				     .tx_dr = context->tx_dr,
				     .tx_ch = context->tx_ch,
				     .msg = frame->msg,
				     .length = frame->msg_length};
}

bool cli_frame_mic_compute(struct lw_mic *mic, struct aes *aes, const struct lw_frame *frame,
			   enum lw_direction direction, const struct cli_frame_context *context,
			   uint32_t fcnt, char why[CLI_FRAME_WHY_MAX])
{
	struct lw_mic_input input = input_of(frame, direction, context, fcnt);
	const struct lw_key *s = cli_frame_context_key(context, FRAME_S_NWK_S_INT_KEY);
	const struct lw_key *f = cli_frame_context_key(context, FRAME_F_NWK_S_INT_KEY);
	const struct lw_key *nwk = cli_frame_context_key(context, FRAME_NWK_S_KEY);
	why[0] = '\0';
	if (!cli_frame_context_is_1_1(context)) {
		if (nwk)
			*mic = lw_mic_1_0(aes, nwk, &input);
		else
			snprintf(why, CLI_FRAME_WHY_MAX, "NwkSKey is not given (--nwk-s-key)");
		return nwk != NULL;
	}
	if (!s || (direction == LW_UP && !f))
		snprintf(why, CLI_FRAME_WHY_MAX, "%s is not given (%s)", s ? "FNwkSIntKey" : "SNwkSIntKey",
			 s ? "--f-nwk-s-int-key" : "--s-nwk-s-int-key");
	else if (frame->fctrl.ack && !context->has_conf_fcnt)
		snprintf(why, CLI_FRAME_WHY_MAX,
			 "ACK is set, and the FCnt that it acknowledges is not given (--conf-fcnt)");
	else if (direction == LW_UP && (!context->has_tx_dr || !context->has_tx_ch))
		snprintf(why, CLI_FRAME_WHY_MAX, "%s of the uplink is not given (%s)",
			 context->has_tx_dr ? "the channel" : "the data rate",
			 context->has_tx_dr ? "--tx-ch" : "--tx-dr");
	if (why[0])
		return false;
	*mic = direction == LW_UP ? lw_mic_up_1_1(aes, s, f, &input) : lw_mic_down_1_1(aes, s, &input);
	return true;
}

/* Whether the MIC is that of a counter; `*tx` says whether data rate and channel had to be found. */
typedef bool fits(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
		  enum lw_direction direction, const struct cli_frame_context *context, uint32_t fcnt);

static bool fits_all(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
		     enum lw_direction direction, const struct cli_frame_context *context, uint32_t fcnt)
{
	struct lw_mic computed;
	return cli_frame_mic_compute(&computed, aes, frame, direction, context, fcnt, mic->why) &&
	       lw_mic_equal(computed, frame->mic);
}

/* FNwkSIntKey alone makes the last two bytes of a 1.1 uplink's MIC: the first two of the 1.0 form. */
static bool fits_half(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
		      enum lw_direction direction, const struct cli_frame_context *context, uint32_t fcnt)
{
	(void)mic;
	struct lw_mic_input input = input_of(frame, direction, context, fcnt);
	struct lw_mic half = lw_mic_1_0(aes, &context->keys[FRAME_F_NWK_S_INT_KEY], &input);
	return memcmp(half.bytes, frame->mic.bytes + 2, 2) == 0;
}

/* Looks through the counters that may be meant. */
static bool find(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
		 enum lw_direction direction, const struct cli_frame_context *context, fits *fit)
{
	if (context->has_fcnt)
		return fit(mic, aes, frame, direction, context, mic->fcnt);
	for (uint32_t upper = 0; upper < UPPER_HALVES; upper++) {
		if (!fit(mic, aes, frame, direction, context, upper << 16 | frame->fcnt))
			continue;
		mic->fcnt = upper << 16 | frame->fcnt;
		mic->fcnt_guessed = false;
		return true;
	}
	return false;
}

/* Tries data rates and channels for the half of SNwkSIntKey. */
static bool find_tx(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
		    const struct cli_frame_context *context)
{
	struct cli_frame_context tried = *context;
	tried.has_tx_dr = tried.has_tx_ch = true;
	for (unsigned at = 0; at < TX_DRS * TX_CHANNELS && !mic->tx_found; at++) {
		tried.tx_dr = (uint8_t)(at % TX_DRS);
		tried.tx_ch = (uint8_t)(at / TX_DRS);
		if ((context->has_tx_dr && context->tx_dr != tried.tx_dr) ||
		    (context->has_tx_ch && context->tx_ch != tried.tx_ch))
			continue;
		mic->tx_found = fits_all(mic, aes, frame, LW_UP, &tried, mic->fcnt);
	}
	mic->tx_dr = tried.tx_dr;
	mic->tx_ch = tried.tx_ch;
	cli_frame_context_wipe(&tried);
	return mic->tx_found;
}

/* A 1.1 uplink for which not everything is given: by halves. */
static void judge_halves(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
			 const struct cli_frame_context *context)
{
	char missing[CLI_FRAME_WHY_MAX / 2];
	snprintf(missing, sizeof missing, "%.*s", (int)sizeof missing - 1, mic->why);
	if (!find(mic, aes, frame, LW_UP, context, fits_half)) {
		mic->verdict = CLI_MIC_WRONG;
		snprintf(mic->why, sizeof mic->why, "its last two bytes are not those of FNwkSIntKey");
		return;
	}
	mic->verdict = CLI_MIC_HALF_RIGHT;
	bool can_try = context->has_key[FRAME_S_NWK_S_INT_KEY] &&
		       (!frame->fctrl.ack || context->has_conf_fcnt);
	if (can_try && find_tx(mic, aes, frame, context)) {
		mic->verdict = CLI_MIC_RIGHT;
		snprintf(mic->why, sizeof mic->why, "right for TxDr %u and TxCh %u, found by trying",
			 mic->tx_dr, mic->tx_ch);
	} else if (can_try) {
		mic->verdict = CLI_MIC_WRONG;
		snprintf(mic->why, sizeof mic->why,
			 "the half of FNwkSIntKey is right, that of SNwkSIntKey fits no TxDr and TxCh");
	} else {
		snprintf(mic->why, sizeof mic->why,
			 "the half of FNwkSIntKey is right; the other is not checked: %s", missing);
	}
}

/* Says what a wrong MIC may come from. */
static void explain_wrong(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
			  enum lw_direction direction, const struct cli_frame_context *context)
{
	struct cli_frame_context swapped = *context;
	struct cli_frame_mic other = *mic;
	struct lw_mic computed;
	char text[9] = "";
	if (!mic->is_1_1 && context->has_key[FRAME_APP_S_KEY]) {
		swapped.keys[FRAME_NWK_S_KEY] = context->keys[FRAME_APP_S_KEY];
		if (find(&other, aes, frame, direction, &swapped, fits_all)) {
			snprintf(mic->why, sizeof mic->why,
				 "it fits the key that was given as AppSKey: NwkSKey and AppSKey are "
				 "exchanged");
			cli_frame_context_wipe(&swapped);
			return;
		}
	}
	cli_frame_context_wipe(&swapped);
	if (cli_frame_mic_compute(&computed, aes, frame, direction, context, mic->fcnt, mic->why))
		hex_encode(text, computed.bytes, sizeof computed.bytes);
	if (context->has_fcnt)
		snprintf(mic->why, sizeof mic->why,
			 "these keys give %s at FCnt %u: another key, another FCnt or changed bytes", text,
			 mic->fcnt);
	else
		snprintf(mic->why, sizeof mic->why,
			 "these keys give %s at FCnt %u, and no FCnt with an upper half below %u fits: "
			 "another key, a "
			 "higher FCnt (--fcnt) or changed bytes",
			 text, mic->fcnt, UPPER_HALVES);
}

void cli_frame_mic_judge(struct cli_frame_mic *mic, struct aes *aes, const struct lw_frame *frame,
			 enum lw_direction direction, const struct cli_frame_context *context)
{
	struct lw_mic computed;
	*mic = (struct cli_frame_mic){.is_1_1 = cli_frame_context_is_1_1(context), .fcnt_guessed = true};
	mic->fcnt = frame->fcnt;
	if (context->has_fcnt) {
		mic->fcnt = (context->fcnt & 0xffff) == frame->fcnt
				    ? context->fcnt
				    : lw_fcnt_reconstruct(context->fcnt, frame->fcnt);
		mic->fcnt_guessed = false;
	}
	if (!cli_frame_mic_compute(&computed, aes, frame, direction, context, mic->fcnt, mic->why)) {
		if (mic->is_1_1 && direction == LW_UP && context->has_key[FRAME_F_NWK_S_INT_KEY])
			judge_halves(mic, aes, frame, context);
		return;
	}
	if (find(mic, aes, frame, direction, context, fits_all)) {
		mic->verdict = CLI_MIC_RIGHT;
		return;
	}
	mic->verdict = CLI_MIC_WRONG;
	explain_wrong(mic, aes, frame, direction, context);
}
