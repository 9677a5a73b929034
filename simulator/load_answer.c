#include "simulator/load_answer.h"

#include "simulator/load_session.h"
#include "simulator/semtech_gateway.h"

#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mac_command.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define FREQUENCY_STEP_HZ 100

/* What each request is answered with, as on the air behind its CID: everything is accepted. TS001 §5. */
static const struct {
	uint8_t cid, length, bytes[2];
} answers[] = {
	{LW_CID_LINK_ADR, 1, {7}},       {LW_CID_DUTY_CYCLE, 0, {0}},
	{LW_CID_RX_PARAM_SETUP, 1, {7}}, {LW_CID_DEV_STATUS, 2, {255, 10}}, /* battery unknown, 10 dB */
	{LW_CID_NEW_CHANNEL, 1, {3}},    {LW_CID_RX_TIMING_SETUP, 0, {0}},
	{LW_CID_TX_PARAM_SETUP, 0, {0}}, {LW_CID_DL_CHANNEL, 1, {3}},
};

bool sim_load_downlink_device(const uint8_t *phy, size_t length, uint32_t first, uint32_t count,
			      uint32_t *number)
{
	struct lw_frame frame;
	if (lw_frame_parse(&frame, phy, length, LW_DOWN) != LW_OK)
		return false;
	uint32_t of = frame.dev_addr.value - sim_load_session(0).dev_addr.value;
	if (of - first >= count)
		return false;
	*number = of;
	return true;
}

static int answer_commands(const uint8_t *bytes, size_t length, struct sim_load_answer *answer)
{
	struct lw_mac_reader reader;
	struct lw_mac_command request;
	int answered = 0;
	lw_mac_reader_init(&reader, LW_DOWN, bytes, length, FREQUENCY_STEP_HZ);
	while (lw_mac_read(&reader, &request) == LW_MAC_READ_COMMAND) {
		for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
			if (answers[i].cid != request.cid ||
			    answer->length + 1u + answers[i].length > SIM_LOAD_ANSWERS_MAX)
				continue;
			answer->bytes[answer->length] = request.cid;
			memcpy(answer->bytes + answer->length + 1, answers[i].bytes, answers[i].length);
			answer->length = (answer->length + 1u + answers[i].length) & 0x7f;
			answered++;
		}
	}
	return answered;
}

int sim_load_hear(struct aes *aes, uint32_t number, const uint8_t *phy, size_t length,
		  struct sim_load_answer *answer)
{
	struct sim_load_session session = sim_load_session(number);
	struct lw_frame frame;
	uint8_t commands[LW_PHY_PAYLOAD_MAX];
	if (lw_frame_parse(&frame, phy, length, LW_DOWN) != LW_OK)
		return -1;
	/* A run has fewer than 65,536 downlinks of a device: the counter on the air is the whole one. */
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = session.dev_addr,
				     .fcnt = frame.fcnt,
				     .msg = frame.msg,
				     .length = frame.msg_length};
	struct lw_mic mic = lw_mic_1_0(aes, &session.nwk_s_key, &input);
	if (!lw_mic_equal(mic, frame.mic))
		return -1;
	answer->ack |= lw_ftype_is_confirmed(frame.ftype);
	int answered = answer_commands(frame.fopts, frame.fctrl.fopts_length, answer);
	if (!frame.has_fport || frame.fport != 0)
		return answered;
	lw_cipher_frm_payload(aes, &session.nwk_s_key, LW_DOWN, session.dev_addr, frame.fcnt,
			      frame.frm_payload, frame.frm_payload_length, commands);
	return answered + answer_commands(commands, frame.frm_payload_length, answer);
}

void sim_load_take_pull_resp(struct sim_load_ears *ears, struct aes *aes, const uint8_t *bytes, size_t length)
{
	struct sim_down down;
	uint32_t number;
	int answered = -1;
	if (sim_semtech_parse_down(bytes, length, &down) == SIM_DOWN_OK && down.kind == SIM_DOWN_PULL_RESP &&
	    sim_load_downlink_device(down.txpk.phy, down.txpk.length, ears->first, ears->count, &number))
		answered = sim_load_hear(aes, number, down.txpk.phy, down.txpk.length,
					 &ears->answers[number - ears->first]);
	ears->downlinks += answered >= 0;
	ears->bad_downlinks += answered < 0;
	ears->mac_answers += answered > 0 ? (uint64_t)answered : 0;
}
