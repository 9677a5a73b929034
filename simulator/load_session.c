#include "simulator/load_session.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"

#include <string.h>

static struct lw_key make_key(uint8_t kind, uint32_t number)
{
	static const uint8_t word[7] = {'l', 'o', 'a', 'd'};
	struct lw_key key = {{0}};
	struct wr wr = wr_init(key.bytes, sizeof key.bytes);
	wr_u8(&wr, kind);
	wr_copy(&wr, word, sizeof word);
	wr_u64be(&wr, number);
	return key;
}

struct sim_load_session sim_load_session(uint32_t number)
{
	return (struct sim_load_session){
		.dev_eui = lw_eui64_from_number(UINT64_C(0x4c50000000000000) + number),
		.dev_addr = {1 + number},
		.nwk_s_key = make_key('N', number),
		.app_s_key = make_key('A', number),
	};
}

uint32_t sim_load_channel(uint32_t number, uint32_t fcnt)
{
	return 8 + (number + fcnt) % 8;
}

bool sim_load_is_confirmed(uint32_t number, uint32_t fcnt, uint32_t permille)
{
	return (number * UINT64_C(7919) + fcnt * UINT64_C(104729)) % 1000 < permille;
}

size_t sim_load_uplink(struct aes *aes, uint32_t number, uint32_t fcnt, bool confirmed,
		       const struct sim_load_answer *answer, uint8_t phy[SIM_LOAD_PHY_MAX])
{
	struct sim_load_session session = sim_load_session(number);
	uint8_t payload[8];
	struct wr wr = wr_init(payload, sizeof payload);
	wr_u32be(&wr, number);
	wr_u32be(&wr, fcnt);
	lw_cipher_frm_payload(aes, &session.app_s_key, LW_UP, session.dev_addr, fcnt, payload, sizeof payload,
			      payload);
	struct lw_frame frame = {.ftype = confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP,
				 .dev_addr = session.dev_addr,
				 .fctrl = {.ack = answer->ack, .fopts_length = answer->length},
				 .fcnt = (uint16_t)fcnt,
				 .has_fport = true,
				 .fport = 1,
				 .frm_payload = payload,
				 .frm_payload_length = sizeof payload};
	memcpy(frame.fopts, answer->bytes, answer->length);
	size_t length = lw_frame_encode(&frame, phy, SIM_LOAD_PHY_MAX);
	ASSERT_CMP(length, ==, (size_t)SIM_LOAD_PHY_LENGTH + answer->length);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = session.dev_addr,
				     .fcnt = fcnt,
				     .msg = phy,
				     .length = (uint8_t)(length - 4)};
	lw_frame_set_mic(phy, length, lw_mic_1_0(aes, &session.nwk_s_key, &input));
	return length;
}
