#include "tests/harness/harness.h"

#include "common/lorawan/frame.h"
#include "common/lorawan/join_answer.h"

#include <string.h>

#define STEP_HZ 100

static const struct lw_eui64 join_eui = {{0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1}};
static const struct lw_eui64 dev_eui = {{0x00, 0x04, 0xa3, 0x0b, 0, 0x1c, 5, 0x30}};
static struct aes *aes;

static struct lw_join_device device(enum lw_mac_version version)
{
	return (struct lw_join_device){.join_eui = join_eui,
				       .dev_eui = dev_eui,
				       .mac_version = version,
				       .app_key = {{0xa0, 1}},
				       .nwk_key = {{0xb0, 2}}};
}

static struct lw_join_parameters parameters(bool opt_neg)
{
	return (struct lw_join_parameters){.net_id = {0x600013},
					   .dev_addr = {0xe0027abc},
					   .dl_settings = {.opt_neg = opt_neg, .rx2_data_rate = 2},
					   .rx_delay = 5};
}

/* What the device would send. */
static size_t join_request(const struct lw_key *key, uint8_t phy[LW_JOIN_REQUEST_LENGTH])
{
	struct lw_join_request request = {.join_eui = join_eui, .dev_eui = dev_eui, .dev_nonce = 7};
	size_t length = lw_join_request_encode(&request, phy);
	lw_frame_set_mic(phy, length, lw_mic_join(aes, key, phy, length - 4));
	return length;
}

static size_t rejoin_request(uint8_t type, const struct lw_key *key, uint8_t phy[LW_REJOIN_1_LENGTH])
{
	struct lw_rejoin_request request = {
		.type = type, .net_id = {0x600013}, .join_eui = join_eui, .dev_eui = dev_eui, .rj_count = 9};
	size_t length = lw_rejoin_request_encode(&request, phy);
	lw_frame_set_mic(phy, length, lw_mic_join(aes, key, phy, length - 4));
	return length;
}

static void requests_are_read_or_refused(void **state)
{
	(void)state;
	struct lw_join_device v10 = device(LW_MAC_1_0_4), v11 = device(LW_MAC_1_1_0);
	struct lw_join_device other_join_eui = v10, other_dev_eui = v10, other_1_1 = v11;
	struct lw_key js_int = lw_key_js_int(aes, &v11.nwk_key, &dev_eui);
	other_join_eui.join_eui.bytes[7]++;
	other_1_1.join_eui.bytes[7]++;
	other_dev_eui.dev_eui.bytes[7]++;
	struct {
		const char *name;
		const struct lw_join_device *device;
		int rejoin_type; /* -1: join-request */
		const struct lw_key *key;
		enum lw_join_result result;
	} rows[] = {
		{"1.0.4 with AppKey", &v10, -1, &v10.app_key, LW_JOIN_SUCCESS},
		{"1.0.4 with another key", &v10, -1, &v10.nwk_key, LW_JOIN_MIC_FAILED},
		{"1.1 with NwkKey", &v11, -1, &v11.nwk_key, LW_JOIN_SUCCESS},
		{"1.1 with AppKey", &v11, -1, &v11.app_key, LW_JOIN_MIC_FAILED},
		{"nobody", NULL, -1, &v10.app_key, LW_JOIN_UNKNOWN_DEV_EUI},
		{"another device's frame", &other_dev_eui, -1, &v10.app_key, LW_JOIN_UNKNOWN_DEV_EUI},
		{"another JoinEUI", &other_join_eui, -1, &v10.app_key, LW_JOIN_UNKNOWN_DEV_EUI},
		{"rejoin 1 with JSIntKey", &v11, 1, &js_int, LW_JOIN_SUCCESS},
		{"rejoin 1 with another JoinEUI", &other_1_1, 1, &js_int, LW_JOIN_UNKNOWN_DEV_EUI},
		{"rejoin 1 with another key", &v11, 1, &v11.nwk_key, LW_JOIN_MIC_FAILED},
		{"rejoin 0, whose MIC is not ours to check", &v11, 0, &v11.app_key, LW_JOIN_SUCCESS},
		{"rejoin of a 1.0.4 device", &v10, 0, &v10.app_key, LW_JOIN_MALFORMED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t phy[LW_REJOIN_1_LENGTH];
		struct lw_join_attempt attempt = {.nonce = 0x5555};
		size_t length = rows[i].rejoin_type < 0
					? join_request(rows[i].key, phy)
					: rejoin_request((uint8_t)rows[i].rejoin_type, rows[i].key, phy);
		t_str("result", lw_join_result_name(rows[i].result),
		      lw_join_result_name(lw_join_read(aes, rows[i].device, phy, length, &attempt)));
		if (rows[i].result != LW_JOIN_SUCCESS) {
			t_uint("untouched", 0x5555, attempt.nonce);
			continue;
		}
		t_uint("type", rows[i].rejoin_type < 0 ? 0xff : rows[i].rejoin_type, attempt.join_req_type);
		t_uint("nonce", rows[i].rejoin_type < 0 ? 7 : 9, attempt.nonce);
		t_true("join_eui", lw_eui64_equal(&attempt.join_eui, &join_eui));
		t_int("a byte short", LW_JOIN_MALFORMED,
		      lw_join_read(aes, rows[i].device, phy, length - 1, &attempt));
	}
	const uint8_t data[12] = {0x40};
	struct lw_join_attempt attempt;
	t_int("a data frame", LW_JOIN_MALFORMED, lw_join_read(aes, &v10, data, sizeof data, &attempt));
	t_int("nothing", LW_JOIN_MALFORMED, lw_join_read(aes, &v10, data, 0, &attempt));
}

/* The table of the header: a device opens the answer with the keys it says. */
static void answers_open_with_the_keys_of_their_form(void **state)
{
	(void)state;
	struct {
		const char *name;
		enum lw_mac_version version;
		uint8_t type;
		bool opt_neg;
		enum lw_join_result result;
	} rows[] = {
		{"join of 1.0.4", LW_MAC_1_0_4, 0xff, false, LW_JOIN_SUCCESS},
		{"join of 1.0.4 with OptNeg", LW_MAC_1_0_4, 0xff, true, LW_JOIN_BAD_PARAMETERS},
		{"join of 1.1 on a 1.0 network", LW_MAC_1_1_0, 0xff, false, LW_JOIN_SUCCESS},
		{"join of 1.1", LW_MAC_1_1_0, 0xff, true, LW_JOIN_SUCCESS},
		{"rejoin without OptNeg", LW_MAC_1_1_0, 0, false, LW_JOIN_BAD_PARAMETERS},
		{"rejoin 0", LW_MAC_1_1_0, 0, true, LW_JOIN_SUCCESS},
		{"rejoin 1", LW_MAC_1_1_0, 1, true, LW_JOIN_SUCCESS},
		{"rejoin 2", LW_MAC_1_1_0, 2, true, LW_JOIN_SUCCESS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct lw_join_device dev = device(rows[i].version);
		struct lw_join_attempt attempt = {
			.join_req_type = rows[i].type, .join_eui = join_eui, .dev_eui = dev_eui, .nonce = 7};
		struct lw_join_parameters wanted = parameters(rows[i].opt_neg);
		struct lw_join_answer answer = {.phy_length = 99};
		t_str("result", lw_join_result_name(rows[i].result),
		      lw_join_result_name(lw_join_answer(aes, &dev, &attempt, &wanted, 0x010203, &answer)));
		if (rows[i].result != LW_JOIN_SUCCESS) {
			t_uint("untouched", 99, answer.phy_length);
			continue;
		}
		struct lw_key root = rows[i].version == LW_MAC_1_1_0 ? dev.nwk_key : dev.app_key;
		struct lw_key js_enc = lw_key_js_enc(aes, &dev.nwk_key, &dev_eui);
		struct lw_key js_int = lw_key_js_int(aes, &dev.nwk_key, &dev_eui);
		uint8_t plain[LW_JOIN_ACCEPT_MAX];
		struct lw_join_accept accept;
		memcpy(plain, answer.phy, answer.phy_length);
		assert_int_equal(lw_join_accept_decrypt(aes, rows[i].type == 0xff ? &root : &js_enc, plain,
							answer.phy_length),
				 LW_OK);
		assert_int_equal(lw_join_accept_parse(&accept, plain, answer.phy_length), LW_OK);
		struct lw_mic mic = rows[i].opt_neg
					    ? lw_mic_join_accept_1_1(aes, &js_int, rows[i].type, &join_eui, 7,
								     plain, answer.phy_length - 4u)
					    : lw_mic_join(aes, &root, plain, answer.phy_length - 4u);
		t_true("MIC", lw_mic_equal(mic, accept.mic));
		t_uint("join_nonce", 0x010203, accept.join_nonce);
		t_uint("dev_addr", 0xe0027abc, accept.dev_addr.value);
		t_uint("rx_delay", 5, accept.rx_delay);
		t_int("is_1_1", rows[i].opt_neg, answer.is_1_1);
		t_int("network keys are one", !rows[i].opt_neg,
		      memcmp(&answer.keys.f_nwk_s_int_key, &answer.keys.s_nwk_s_int_key, 16) == 0 &&
			      memcmp(&answer.keys.f_nwk_s_int_key, &answer.keys.nwk_s_enc_key, 16) == 0);
	}
}

static void parameters_out_of_range_are_refused(void **state)
{
	(void)state;
	struct lw_join_device dev = device(LW_MAC_1_0_4);
	struct lw_join_attempt attempt = {.join_req_type = 0xff, .join_eui = join_eui, .dev_eui = dev_eui};
	struct lw_join_answer answer;
	struct lw_join_parameters wanted = parameters(false);
	t_int("the last JoinNonce", LW_JOIN_SUCCESS,
	      lw_join_answer(aes, &dev, &attempt, &wanted, 0xffffff, &answer));
	t_int("one more", LW_JOIN_NONCE_EXHAUSTED,
	      lw_join_answer(aes, &dev, &attempt, &wanted, 0x1000000, &answer));
	wanted.rx_delay = 16;
	t_int("RxDelay 16", LW_JOIN_BAD_PARAMETERS, lw_join_answer(aes, &dev, &attempt, &wanted, 1, &answer));
	wanted = parameters(false);
	wanted.dl_settings.rx1_dr_offset = 8;
	t_int("RX1DROffset 8", LW_JOIN_BAD_PARAMETERS,
	      lw_join_answer(aes, &dev, &attempt, &wanted, 1, &answer));
	wanted = parameters(false);
	wanted.net_id.value = 0x1000000;
	t_int("NetID of 25 bits", LW_JOIN_BAD_PARAMETERS,
	      lw_join_answer(aes, &dev, &attempt, &wanted, 1, &answer));
}

static void envelopes_open_with_their_label_and_kek_alone(void **state)
{
	(void)state;
	struct lw_kek kek = {.label = "network", .bytes = {1, 2, 3}, .length = 16}, other = kek,
		      renamed = kek;
	struct lw_key key = {{0x42}}, opened = {{0}};
	struct lw_key_envelope wrapped, clear;
	other.bytes[0]++;
	renamed.label[0] = 'N';
	t_int("wrap", AES_WRAP_OK, lw_key_wrap(&kek, &key, &wrapped));
	t_uint("wrapped", 24, wrapped.length);
	t_int("another KEK", AES_WRAP_INTEGRITY, lw_key_unwrap(&other, &wrapped, &opened));
	t_int("another label", AES_WRAP_INTEGRITY, lw_key_unwrap(&renamed, &wrapped, &opened));
	t_int("no KEK", AES_WRAP_INTEGRITY, lw_key_unwrap(NULL, &wrapped, &opened));
	t_uint("untouched", 0, opened.bytes[0]);
	t_int("its own", AES_WRAP_OK, lw_key_unwrap(&kek, &wrapped, &opened));
	t_bytes("key", key.bytes, 16, opened.bytes, 16);
	wrapped.length = 16;
	t_int("a label over 16 bytes", AES_WRAP_DATA_TOO_SHORT, lw_key_unwrap(&kek, &wrapped, &opened));

	t_int("in clear", AES_WRAP_OK, lw_key_wrap(NULL, &key, &clear));
	t_uint("length in clear", 16, clear.length);
	t_str("label", "", clear.kek_label);
	t_int("opens", AES_WRAP_OK, lw_key_unwrap(NULL, &clear, &opened));
	kek.length = 15;
	t_int("a KEK of 15 bytes", AES_WRAP_BAD_KEK_LENGTH, lw_key_wrap(&kek, &key, &clear));
}

static void rejoins_of_other_types_are_refused(void **state)
{
	(void)state;
	uint8_t phy[LW_REJOIN_1_LENGTH] = {0xc0};
	struct lw_rejoin_request request;
	for (int type = 0; type < 256; type++) {
		phy[1] = (uint8_t)type;
		enum lw_verdict short_one = lw_rejoin_request_parse(&request, phy, LW_REJOIN_0_2_LENGTH);
		enum lw_verdict long_one = lw_rejoin_request_parse(&request, phy, LW_REJOIN_1_LENGTH);
		enum lw_verdict unknown = LW_UNKNOWN_REJOIN_TYPE;
		t_int("19 bytes", type > 2 ? unknown : type == 1 ? LW_BAD_LENGTH : LW_OK, short_one);
		t_int("24 bytes", type > 2 ? unknown : type == 1 ? LW_OK : LW_BAD_LENGTH, long_one);
	}
	t_int("no type", LW_BAD_LENGTH, lw_rejoin_request_parse(&request, phy, 1));
	request.type = 3;
	t_uint("type 3 is not built", 0, lw_rejoin_request_encode(&request, phy));
}

static void cflists_are_refused_when_they_do_not_fit(void **state)
{
	(void)state;
	struct lw_cflist list = {.type = 0, .frequencies_hz = {867100000, 867300050}};
	uint8_t bytes[LW_CFLIST_LENGTH] = {[15] = 2};
	t_false("type 2", lw_cflist_decode(&list, bytes, STEP_HZ));
	t_uint("untouched", 867100000, list.frequencies_hz[0]);
	t_false("between two steps", lw_cflist_encode(&list, bytes, STEP_HZ));
	list.frequencies_hz[1] = 1677721600;
	t_false("over 24 bits", lw_cflist_encode(&list, bytes, STEP_HZ));
	t_true("unless the step is 200 Hz", lw_cflist_encode(&list, bytes, 200));
	list.type = 2;
	t_false("type 2 to write", lw_cflist_encode(&list, bytes, STEP_HZ));
}

static void accepts_of_other_lengths_are_not_ciphered(void **state)
{
	(void)state;
	struct lw_key key = {{1}};
	uint8_t phy[34] = {0x20}, before[34];
	memcpy(before, phy, sizeof phy);
	for (size_t length = 0; length <= sizeof phy; length++) {
		bool fits = length == 17 || length == 33;
		t_int("encrypt", fits ? LW_OK : LW_BAD_LENGTH,
		      lw_join_accept_encrypt(aes, &key, phy, length));
		t_int("decrypt", fits ? LW_OK : LW_BAD_LENGTH,
		      lw_join_accept_decrypt(aes, &key, phy, length));
		t_bytes("as before", before, sizeof before, phy, sizeof phy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(requests_are_read_or_refused),
		t_test(answers_open_with_the_keys_of_their_form),
		t_test(parameters_out_of_range_are_refused),
		t_test(envelopes_open_with_their_label_and_kek_alone),
		t_test(rejoins_of_other_types_are_refused),
		t_test(cflists_are_refused_when_they_do_not_fit),
		t_test(accepts_of_other_lengths_are_not_ciphered),
	};
	aes = aes_new();
	if (!aes)
		return 1;
	int failed = t_run(tests);
	aes_free(aes);
	return failed;
}
