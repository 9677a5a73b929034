/* Data frames: FHDR, FPort, FRMPayload, MIC. The MIC is judged first, since it proves the counter that the ciphers need. */
#include "cli/frame_decode.h"

#include "cli/frame_mac.h"
#include "cli/frame_mic.h"
#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct reading {
	struct cli_frame_report *report;
	const struct cli_frame_context *context; /* borrowed */
	struct aes *aes;
	enum lw_direction direction;
	const struct lw_frame *frame; /* NULL: it could not be parsed to its end */
	struct cli_frame_mic mic;
};

static void say_flag(struct cli_frame_report *report, const char *word, const char *member, bool on,
		     const char *meaning)
{
	cli_frame_say(report, 2, CLI_FRAME_NO_BYTES, 0, word, "%d%s%s", on, on ? " " : "", on ? meaning : "");
	cli_frame_set(report, member, json_boolean(on));
}

static void say_fctrl(struct reading *reading, uint8_t byte)
{
	struct cli_frame_report *report = reading->report;
	bool up = reading->direction == LW_UP;
	struct lw_fctrl fctrl = lw_fctrl_decode(byte, reading->direction);
	cli_frame_say(report, 1, 5, 1, "FCtrl", "%s", "");
	say_flag(report, "ADR", "adr", fctrl.adr,
		 up ? "the network may set data rate and power" : "the network can set the data rate");
	if (up)
		say_flag(report, "ADRACKReq", "adr_ack_req", fctrl.adr_ack_req,
			 "the device asks for any downlink, to know that it is heard");
	else
		cli_frame_say(report, 2, CLI_FRAME_NO_BYTES, 0, "RFU", "%d", byte >> 6 & 1);
	say_flag(report, "ACK", "ack", fctrl.ack, "acknowledges the last confirmed frame");
	if (up)
		say_flag(report, "ClassB", "class_b", fctrl.class_b, "the device has class B windows open");
	else
		say_flag(report, "FPending", "f_pending", fctrl.f_pending, "the network has more to send");
	cli_frame_say(report, 2, CLI_FRAME_NO_BYTES, 0, "FOptsLen", "%u", fctrl.fopts_length);
}

static void say_fcnt(struct reading *reading, uint16_t air)
{
	const struct cli_frame_mic *mic = &reading->mic;
	if (mic->fcnt == air)
		cli_frame_say(reading->report, 1, 6, 2, "FCnt", "%u", air);
	else
		cli_frame_say(reading->report, 1, 6, 2, "FCnt", "%u: with its upper half %" PRIu32, air,
			      mic->fcnt);
	cli_frame_set(reading->report, "fcnt", json_integer(reading->frame ? mic->fcnt : air));
}

/* The counter and the keys of 1.1 decide how FOpts were ciphered. */
static void say_fopts(struct reading *reading, const uint8_t *fopts, size_t length)
{
	struct cli_frame_report *report = reading->report;
	const struct cli_frame_context *context = reading->context;
	const struct lw_region *region = context->region;
	const struct lw_key *key = cli_frame_context_key(context, FRAME_NWK_S_ENC_KEY);
	uint8_t plain[LW_FOPTS_MAX];
	char text[CLI_FRAME_TEXT_MAX];
	if (length == 0) {
		cli_frame_say(report, 1, 8, 0, "FOpts", "none");
		cli_frame_set(report, "fopts", json_string(""));
		return;
	}
	memcpy(plain, fopts, length);
	if (reading->mic.is_1_1) {
		cli_frame_set_bytes(report->document, "fopts_encrypted", fopts, length);
		if (!key || !reading->frame) {
			cli_frame_say(report, 1, 8, length, "FOpts",
				      "ciphered with NwkSEncKey, which is not given (--nwk-s-enc-key)");
			return;
		}
		lw_cipher_fopts(reading->aes, key, reading->direction, reading->frame->dev_addr,
				reading->mic.fcnt,
				lw_fopts_counter(reading->direction, reading->frame->has_fport,
						 reading->frame->fport),
				fopts, length, plain);
		cli_frame_say(report, 1, 8, length, "FOpts", "deciphered: %s",
			      cli_frame_bytes_text(text, plain, length));
	} else {
		cli_frame_say(report, 1, 8, length, "FOpts", "%zu bytes of MAC commands%s", length,
			      context->says_1_0 || context->has_key[FRAME_NWK_S_KEY]
				      ? ""
				      : " if the session is of 1.0.x; in 1.1 they are ciphered");
	}
	cli_frame_set_bytes(report->document, "fopts", plain, length);
	cli_frame_set(report, "fopts_commands",
		      cli_frame_mac_explain(report, 2, 8, plain, length, reading->direction, region));
}

/* DevAddr to FOpts, as far as there are bytes: also of a frame that breaks a rule further on. */
static void say_fhdr(struct reading *reading)
{
	struct cli_frame_report *report = reading->report;
	if (report->length < LW_FRAME_MIN)
		return;
	struct rd rd = rd_init(report->phy, report->length - 4);
	(void)rd_u8(&rd);
	struct lw_dev_addr dev_addr = {rd_u32le(&rd)};
	uint8_t fctrl = rd_u8(&rd);
	uint16_t fcnt = rd_u16le(&rd);
	cli_frame_say(report, 0, CLI_FRAME_NO_BYTES, 0, "FHDR", "%s", "");
	cli_frame_say_dev_addr(report, 1, 1, dev_addr);
	say_fctrl(reading, fctrl);
	if (!reading->frame)
		reading->mic.fcnt = fcnt;
	say_fcnt(reading, fcnt);
	const uint8_t *fopts = rd_take(&rd, fctrl & 0x0f);
	if (rd_ok(&rd))
		say_fopts(reading, fopts, fctrl & 0x0f);
}

static const char *fport_meaning(unsigned fport)
{
	return fport == 0     ? "FRMPayload is MAC commands"
	       : fport <= 223 ? "an application's"
	       : fport == 224 ? "certification (TS009)"
	       : fport == 226 ? "a relay's forwarded frames (TS011)"
			      : "reserved, or of a standard package";
}

static const struct lw_key *payload_key(const struct reading *reading, const char **name, const char **option)
{
	enum cli_frame_key key = FRAME_APP_S_KEY;
	*name = "AppSKey";
	*option = "--app-s-key";
	if (reading->frame->fport == 0) {
		key = reading->mic.is_1_1 ? FRAME_NWK_S_ENC_KEY : FRAME_NWK_S_KEY;
		*name = reading->mic.is_1_1 ? "NwkSEncKey" : "NwkSKey";
		*option = reading->mic.is_1_1 ? "--nwk-s-enc-key" : "--nwk-s-key";
	}
	return cli_frame_context_key(reading->context, key);
}

/* What speaks against taking the deciphered bytes for what was meant. */
static const char *doubt(const struct reading *reading)
{
	if (reading->mic.verdict == CLI_MIC_WRONG)
		return ", which may be noise, since the MIC is wrong";
	if (reading->mic.fcnt_guessed)
		return ", with an FCnt below 65,536 taken for granted";
	return "";
}

static void say_payload(struct reading *reading)
{
	struct cli_frame_report *report = reading->report;
	const struct lw_frame *frame = reading->frame;
	const char *name, *option;
	char text[CLI_FRAME_TEXT_MAX];
	uint8_t plain[LW_PHY_PAYLOAD_MAX];
	size_t length = frame->frm_payload_length;
	int offset = 9 + frame->fctrl.fopts_length;
	if (!frame->has_fport) {
		cli_frame_say(report, 0, offset - 1, 0, "FPort", "none, and no FRMPayload");
		cli_frame_set(report, "fport", json_null());
		return;
	}
	cli_frame_say(report, 0, offset - 1, 1, "FPort", "%u: %s", frame->fport, fport_meaning(frame->fport));
	cli_frame_set(report, "fport", json_integer(frame->fport));
	cli_frame_set_bytes(report->document, "frm_payload_encrypted", frame->frm_payload, length);
	const struct lw_key *key = payload_key(reading, &name, &option);
	if (length == 0) {
		cli_frame_say(report, 0, offset, 0, "FRMPayload", "empty");
		cli_frame_set(report, "frm_payload", json_string(""));
		return;
	}
	if (!key) {
		cli_frame_say(report, 0, offset, length, "FRMPayload",
			      "%zu bytes, ciphered with %s, which is not given (%s)", length, name, option);
		return;
	}
	lw_cipher_frm_payload(reading->aes, key, reading->direction, frame->dev_addr, reading->mic.fcnt,
			      frame->frm_payload, length, plain);
	cli_frame_say(report, 0, offset, length, "FRMPayload", "%zu bytes, deciphered with %s%s", length,
		      name, doubt(reading));
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "in clear", "%s",
		      cli_frame_bytes_text(text, plain, length));
	cli_frame_set_bytes(report->document, "frm_payload", plain, length);
	if (frame->fport == 0)
		cli_frame_set(report, "commands",
			      cli_frame_mac_explain(report, 1, offset, plain, length, reading->direction,
						    reading->context->region));
}

static void say_mic(struct reading *reading)
{
	struct cli_frame_report *report = reading->report;
	const struct cli_frame_mic *mic = &reading->mic;
	const struct lw_frame *frame = reading->frame;
	char text[9];
	hex_encode(text, frame->mic.bytes, sizeof frame->mic.bytes);
	cli_frame_set(report, "mic", json_string(text));
	cli_frame_set(report, "mac_version", json_string(mic->is_1_1 ? "1.1" : "1.0"));
	cli_frame_set(report, "mic_valid",
		      mic->verdict == CLI_MIC_RIGHT   ? json_true()
		      : mic->verdict == CLI_MIC_WRONG ? json_false()
						      : json_null());
	static const char *const verdicts[] = {
		[CLI_MIC_NOT_CHECKED] = "not checked",
		[CLI_MIC_RIGHT] = "right",
		[CLI_MIC_HALF_RIGHT] = "half checked",
		[CLI_MIC_WRONG] = "WRONG",
	};
	cli_frame_say(report, 0, frame->msg_length, 4, "MIC", "%s: %s%s%s", text, verdicts[mic->verdict],
		      mic->why[0] ? ": " : "", mic->why);
	if (mic->tx_found) {
		cli_frame_set(report, "tx_dr", json_integer(mic->tx_dr));
		cli_frame_set(report, "tx_ch", json_integer(mic->tx_ch));
	}
	if (mic->verdict == CLI_MIC_WRONG)
		cli_frame_fail(report, CLI_FRAME_BAD_MIC, lw_verdict_name(LW_BAD_MIC), frame->msg_length,
			       "%s", mic->why);
}

void cli_frame_decode_data(struct cli_frame_report *report, const struct cli_frame_context *context,
			   struct aes *aes)
{
	struct lw_frame frame;
	unsigned ftype = report->phy[0] >> 5;
	struct reading reading = {.report = report, .context = context, .aes = aes};
	reading.direction = ftype == LW_UNCONFIRMED_UP || ftype == LW_CONFIRMED_UP ? LW_UP : LW_DOWN;
	enum lw_verdict verdict = lw_frame_parse(&frame, report->phy, report->length, reading.direction);
	if (verdict == LW_OK) {
		reading.frame = &frame;
		cli_frame_mic_judge(&reading.mic, aes, &frame, reading.direction, context);
	}
	say_fhdr(&reading);
	if (verdict != LW_OK) {
		cli_frame_broken(report, verdict);
		return;
	}
	say_payload(&reading);
	say_mic(&reading);
}
