/* What a device of the load generator does with a downlink, and that its next uplink says so. */
#include "simulator/load_answer.h"
#include "simulator/load_session.h"
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define NUMBER 70000

static struct aes *aes;

/* A downlink of device `number`: commands in FOpts, or on port 0 as FRMPayload. */
static size_t downlink(uint32_t number, enum lw_ftype ftype, const char *commands_hex, bool on_port_0,
		       uint8_t phy[LW_PHY_PAYLOAD_MAX])
{
	struct sim_load_session session = sim_load_session(number);
	struct lw_frame frame = {.ftype = ftype, .dev_addr = session.dev_addr, .fcnt = 12};
	uint8_t bytes[64], ciphered[64];
	size_t length = 0;
	assert_true(hex_decode(bytes, sizeof bytes, &length, commands_hex, strlen(commands_hex)));
	if (on_port_0) {
		lw_cipher_frm_payload(aes, &session.nwk_s_key, LW_DOWN, session.dev_addr, 12, bytes, length,
				      ciphered);
		frame.has_fport = true;
		frame.frm_payload = ciphered;
		frame.frm_payload_length = (uint8_t)length;
	} else {
		memcpy(frame.fopts, bytes, length);
		frame.fctrl.fopts_length = (uint8_t)length & 0xf;
	}
	size_t size = lw_frame_encode(&frame, phy, LW_PHY_PAYLOAD_MAX);
	assert_true(size > 4);
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = session.dev_addr,
				     .fcnt = 12,
				     .msg = phy,
				     .length = (uint8_t)(size - 4)};
	lw_frame_set_mic(phy, size, lw_mic_1_0(aes, &session.nwk_s_key, &input));
	return size;
}

static const struct {
	const char *name;
	enum lw_ftype ftype;
	const char *down; /* commands */
	bool on_port_0;
	int answered;
	const char *up; /* FOpts of the next uplink */
	bool ack;
} rows[] = {
	{"nothing is asked", LW_UNCONFIRMED_DOWN, "", false, 0, "", false},
	{"confirmed", LW_CONFIRMED_DOWN, "", false, 0, "", true},
	{"DevStatusReq", LW_UNCONFIRMED_DOWN, "06", false, 1, "06ff0a", false},
	{"LinkADRReq twice", LW_UNCONFIRMED_DOWN, "033f0200710333ff0001", false, 2, "03070307", false},
	{"RXTimingSetupReq and DutyCycleReq", LW_UNCONFIRMED_DOWN, "08050400", false, 2, "0804", false},
	{"RXParamSetupReq", LW_UNCONFIRMED_DOWN, "0508d2ad84", false, 1, "0507", false},
	{"NewChannelReq, DlChannelReq, TxParamSetupReq on port 0", LW_CONFIRMED_DOWN,
	 "0703184f84500a01184f840900", true, 3, "07030a0309", true},
	{"an answer of the network's is no request", LW_UNCONFIRMED_DOWN, "021402", false, 0, "", false},
	{"more answers than fit", LW_UNCONFIRMED_DOWN, "060606060606", true, 5,
	 "06ff0a06ff0a06ff0a06ff0a06ff0a", false},
};

static void requests_are_answered_in_the_next_uplink(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t phy[LW_PHY_PAYLOAD_MAX], up[SIM_LOAD_PHY_MAX], expected[16];
		struct sim_load_answer answer = {.length = 0};
		struct lw_frame frame;
		uint32_t number;
		size_t expected_length = 0;
		t_row(rows[i].name);
		size_t length = downlink(NUMBER, rows[i].ftype, rows[i].down, rows[i].on_port_0, phy);
		t_true("ours", sim_load_downlink_device(phy, length, 0, NUMBER + 1, &number));
		t_uint("device", NUMBER, number);
		t_int("answered", rows[i].answered, sim_load_hear(aes, number, phy, length, &answer));
		length = sim_load_uplink(aes, NUMBER, 3, false, &answer, up);
		t_int("parsed", LW_OK, lw_frame_parse(&frame, up, length, LW_UP));
		assert_true(hex_decode(expected, sizeof expected, &expected_length, rows[i].up,
				       strlen(rows[i].up)));
		t_bytes("FOpts", expected, expected_length, frame.fopts, frame.fctrl.fopts_length);
		t_int("ACK", rows[i].ack, frame.fctrl.ack);
		struct sim_load_session session = sim_load_session(NUMBER);
		struct lw_mic_input input = {.direction = LW_UP,
					     .dev_addr = session.dev_addr,
					     .fcnt = 3,
					     .msg = frame.msg,
					     .length = frame.msg_length};
		t_true("MIC", lw_mic_equal(frame.mic, lw_mic_1_0(aes, &session.nwk_s_key, &input)));
	}
}

static void what_is_not_for_us(void **state)
{
	(void)state;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint32_t number;
	struct sim_load_answer answer = {.length = 0};
	size_t length = downlink(NUMBER, LW_CONFIRMED_DOWN, "06", false, phy);
	t_true("the device behind the last one", !sim_load_downlink_device(phy, length, 0, NUMBER, &number));
	t_true("the one before the first", !sim_load_downlink_device(phy, length, NUMBER + 1, 10, &number));
	t_true("no frame", !sim_load_downlink_device(phy, 5, 0, NUMBER + 1, &number));
	phy[length - 1] ^= 1;
	t_int("a wrong MIC", -1, sim_load_hear(aes, NUMBER, phy, length, &answer));
	t_true("nothing to answer", answer.length == 0 && !answer.ack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(requests_are_answered_in_the_next_uplink),
		t_test(what_is_not_for_us),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
