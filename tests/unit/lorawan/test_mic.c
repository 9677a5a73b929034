#include "tests/harness/harness.h"

#include "common/lorawan/cipher.h"
#include "common/lorawan/mic.h"

#include <string.h>

static const struct lw_key key_f = {{1}}, key_s = {{2}};
static const uint8_t msg[] = {0x40, 4, 3, 2, 1, 0x20, 7, 0, 1, 0xaa};

static struct lw_mic_input up(void)
{
	return (struct lw_mic_input){.direction = LW_UP,
				     .dev_addr = {0x01020304},
				     .fcnt = 0x10007,
				     .ack = true,
				     .conf_fcnt = 9,
				     .tx_dr = 3,
				     .tx_ch = 4,
				     .msg = msg,
				     .length = sizeof msg};
}

/* Which halves of a 1.1 uplink's MIC a value moves. */
static void halves_depend_on_what_they_should(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	struct lw_mic_input base = up();
	struct lw_mic mic = lw_mic_up_1_1(aes, &key_s, &key_f, &base);
	struct {
		const char *name;
		struct lw_mic_input input;
		bool s_moves, f_moves;
	} rows[] = {
		{"the same", up(), false, false},
		{"another channel", up(), true, false},
		{"another data rate", up(), true, false},
		{"another acknowledged counter", up(), true, false},
		{"without ACK that counter is 0", up(), true, false},
		{"the upper half of the counter", up(), true, true},
		{"another address", up(), true, true},
	};
	rows[1].input.tx_ch = 5;
	rows[2].input.tx_dr = 0;
	rows[3].input.conf_fcnt = 10;
	rows[4].input.ack = false;
	rows[5].input.fcnt = 7;
	rows[6].input.dev_addr.value++;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct lw_mic got = lw_mic_up_1_1(aes, &key_s, &key_f, &rows[i].input);
		t_int("cmacS half moves", rows[i].s_moves, memcmp(got.bytes, mic.bytes, 2) != 0);
		t_int("cmacF half moves", rows[i].f_moves, memcmp(got.bytes + 2, mic.bytes + 2, 2) != 0);
	}
	aes_free(aes);
}

static void conf_fcnt_counts_in_1_1_downlinks_with_ack_alone(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	struct lw_mic_input input = up(), other = up();
	input.direction = other.direction = LW_DOWN;
	other.conf_fcnt = 10;
	t_false("1.1, ACK",
		lw_mic_equal(lw_mic_down_1_1(aes, &key_s, &input), lw_mic_down_1_1(aes, &key_s, &other)));
	t_true("1.0", lw_mic_equal(lw_mic_1_0(aes, &key_s, &input), lw_mic_1_0(aes, &key_s, &other)));
	input.ack = other.ack = false;
	t_true("1.1, no ACK",
	       lw_mic_equal(lw_mic_down_1_1(aes, &key_s, &input), lw_mic_down_1_1(aes, &key_s, &other)));
	t_true("1.1 without ACK is 1.0 under one key",
	       lw_mic_equal(lw_mic_down_1_1(aes, &key_s, &input), lw_mic_1_0(aes, &key_s, &input)));
	aes_free(aes);
}

static void equal_looks_at_every_byte(void **state)
{
	(void)state;
	struct lw_mic a = {{1, 2, 3, 4}};
	t_true("itself", lw_mic_equal(a, a));
	for (size_t i = 0; i < 4; i++) {
		struct lw_mic b = a;
		b.bytes[i] ^= 0x80;
		t_false("changed byte", lw_mic_equal(a, b));
	}
}

static void ciphers_undo_themselves_at_every_length(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	uint8_t plain[255], bytes[255];
	struct lw_dev_addr dev_addr = {0x26012345};
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)i;
	for (size_t length = 0; length <= sizeof plain; length++) {
		memcpy(bytes, plain, sizeof bytes);
		lw_cipher_frm_payload(aes, &key_s, LW_DOWN, dev_addr, 5, bytes, length, bytes);
		t_true("ciphered", length < 4 || memcmp(bytes, plain, length) != 0);
		t_bytes("behind it", plain + length, sizeof plain - length, bytes + length,
			sizeof bytes - length);
		lw_cipher_frm_payload(aes, &key_s, LW_DOWN, dev_addr, 5, bytes, length, bytes);
		t_bytes("plain again", plain, sizeof plain, bytes, sizeof bytes);
	}
	aes_free(aes);
}

/* FOpts and an FPort 0 payload of one frame must not share a key stream: the reason for the erratum. */
static void fopts_have_a_stream_of_their_own(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	const uint8_t zeros[15] = {0};
	uint8_t streams[3][15];
	struct lw_dev_addr dev_addr = {1};
	lw_cipher_frm_payload(aes, &key_s, LW_DOWN, dev_addr, 5, zeros, 15, streams[0]);
	lw_cipher_fopts(aes, &key_s, LW_DOWN, dev_addr, 5, LW_FOPTS_NFCNT_DOWN, zeros, 15, streams[1]);
	lw_cipher_fopts(aes, &key_s, LW_DOWN, dev_addr, 5, LW_FOPTS_AFCNT_DOWN, zeros, 15, streams[2]);
	t_true("payload, NFCntDown", memcmp(streams[0], streams[1], 15) != 0);
	t_true("payload, AFCntDown", memcmp(streams[0], streams[2], 15) != 0);
	t_true("NFCntDown, AFCntDown", memcmp(streams[1], streams[2], 15) != 0);
	t_int("uplink", LW_FOPTS_FCNT_UP, lw_fopts_counter(LW_UP, true, 3));
	t_int("downlink without FPort", LW_FOPTS_NFCNT_DOWN, lw_fopts_counter(LW_DOWN, false, 0));
	t_int("downlink on FPort 0", LW_FOPTS_NFCNT_DOWN, lw_fopts_counter(LW_DOWN, true, 0));
	t_int("downlink on FPort 3", LW_FOPTS_AFCNT_DOWN, lw_fopts_counter(LW_DOWN, true, 3));
	aes_free(aes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(halves_depend_on_what_they_should),
		t_test(conf_fcnt_counts_in_1_1_downlinks_with_ack_alone),
		t_test(equal_looks_at_every_byte),
		t_test(ciphers_undo_themselves_at_every_length),
		t_test(fopts_have_a_stream_of_their_own),
	};
	return t_run(tests);
}
