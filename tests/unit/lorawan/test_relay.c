#include "tests/harness/harness.h"

#include "common/base/rng.h"
#include "common/lorawan/keys.h"
#include "common/lorawan/relay.h"

#include <string.h>

#define STEP_HZ 100

static const uint8_t phy[] = {0x40, 0xda, 0x1b, 0x01, 0x26, 0x00, 0x01, 0x00, 0x01, 0x02, 0x03, 0x04};

static struct lw_forward_uplink legal(void)
{
	return (struct lw_forward_uplink){.data_rate = 5,
					  .snr_db = 9,
					  .rssi_dbm = -110,
					  .wor_channel = 1,
					  .frequency_hz = 868100000,
					  .phy_payload = phy,
					  .phy_payload_length = sizeof phy};
}

static void metadata_are_as_published(void **state)
{
	(void)state;
	static const uint8_t expected[] = {0xd5, 0xbf, 0x01, 0x28, 0x76, 0x84};
	struct lw_forward_uplink forward = legal();
	uint8_t built[64];
	struct wr wr = wr_init(built, sizeof built);
	t_int("written", LW_RELAY_OK, lw_forward_uplink_write(&forward, STEP_HZ, &wr));
	t_bytes("metadata", expected, sizeof expected, built, sizeof expected);
	t_bytes("PHYPayload", phy, sizeof phy, built + LW_RELAY_METADATA, wr_length(&wr) - LW_RELAY_METADATA);
}

static void every_legal_value_survives(void **state)
{
	(void)state;
	for (int rssi = LW_RELAY_RSSI_MIN_DBM; rssi <= LW_RELAY_RSSI_MAX_DBM; rssi++) {
		for (int snr = LW_RELAY_SNR_MIN_DB; snr <= LW_RELAY_SNR_MAX_DB; snr++) {
			struct lw_forward_uplink forward = legal(), got;
			uint8_t built[64];
			struct wr wr = wr_init(built, sizeof built);
			forward.rssi_dbm = (int16_t)rssi;
			forward.snr_db = (int8_t)snr;
			forward.data_rate = (uint8_t)((unsigned)snr & 15);
			forward.wor_channel = (uint8_t)(rssi & 1);
			forward.frequency_hz = (uint32_t)(2400000000 + 200 * (rssi + 142));
			t_int("written", LW_RELAY_OK, lw_forward_uplink_write(&forward, 200, &wr));
			t_int("read", LW_RELAY_OK, lw_forward_uplink_read(built, wr_length(&wr), 200, &got));
			t_int("RSSI", rssi, got.rssi_dbm);
			t_int("SNR", snr, got.snr_db);
			t_int("data rate", forward.data_rate, got.data_rate);
			t_int("WOR channel", forward.wor_channel, got.wor_channel);
			t_uint("frequency", forward.frequency_hz, got.frequency_hz);
		}
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int data_rate, snr_db, rssi_dbm, wor_channel;
		uint32_t frequency_hz;
		size_t phy_length, room;
		enum lw_relay_verdict verdict;
	} rows[] = {
		{"everything fits", 15, 11, -15, 1, 868100000, sizeof phy, 18, LW_RELAY_OK},
		{"data rate 16", 16, 0, -60, 0, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"SNR 12 dB", 0, 12, -60, 0, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"SNR -21 dB", 0, -21, -60, 0, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"RSSI -14 dBm", 0, 0, -14, 0, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"RSSI -143 dBm", 0, 0, -143, 0, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"WOR channel 2", 0, 0, -60, 2, 868100000, sizeof phy, 64, LW_RELAY_OUT_OF_RANGE},
		{"between two steps", 0, 0, -60, 0, 868100050, sizeof phy, 64, LW_RELAY_FREQUENCY_STEP},
		{"more than 24 bits of steps", 0, 0, -60, 0, 1677721600, sizeof phy, 64,
		 LW_RELAY_OUT_OF_RANGE},
		{"nothing to forward", 0, 0, -60, 0, 868100000, 0, 64, LW_RELAY_TRUNCATED},
		{"one byte of room too few", 0, 0, -60, 0, 868100000, sizeof phy, 17, LW_RELAY_NO_ROOM},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_forward_uplink forward = legal();
		uint8_t built[64];
		struct wr wr = wr_init(built, rows[i].room);
		t_row(rows[i].name);
		forward.data_rate = (uint8_t)rows[i].data_rate;
		forward.snr_db = (int8_t)rows[i].snr_db;
		forward.rssi_dbm = (int16_t)rows[i].rssi_dbm;
		forward.wor_channel = (uint8_t)rows[i].wor_channel;
		forward.frequency_hz = rows[i].frequency_hz;
		forward.phy_payload_length = rows[i].phy_length;
		t_str("verdict", lw_relay_verdict_name(rows[i].verdict),
		      lw_relay_verdict_name(lw_forward_uplink_write(&forward, STEP_HZ, &wr)));
		t_uint("written", rows[i].verdict == LW_RELAY_OK ? 18 : 0, wr_length(&wr));
	}
}

static void short_payloads_are_truncated(void **state)
{
	(void)state;
	uint8_t payload[16] = {0};
	struct lw_forward_uplink forward = {.data_rate = 9};
	const uint8_t *inner = NULL;
	size_t length = 0;
	for (size_t cut = 0; cut <= LW_RELAY_METADATA; cut++)
		t_int("uplink", LW_RELAY_TRUNCATED, lw_forward_uplink_read(payload, cut, STEP_HZ, &forward));
	t_int("untouched", 9, forward.data_rate);
	t_int("one byte is a PHYPayload", LW_RELAY_OK,
	      lw_forward_uplink_read(payload, LW_RELAY_METADATA + 1, STEP_HZ, &forward));
	t_int("downlink", LW_RELAY_TRUNCATED, lw_forward_downlink_read(payload, 0, &inner, &length));
	t_int("downlink of one", LW_RELAY_OK, lw_forward_downlink_read(payload, 1, &inner, &length));
	t_true("lent", inner == payload && length == 1);
}

static const struct lw_key root = {
	{0x45, 0x76, 0x85, 0x6b, 0xef, 0xa0, 0x83, 0x23, 0x47, 0x56, 0x0c, 0xb1, 0x20, 0xa0, 0x1f, 0x43}};
static const struct lw_wor_channel_used channel = {.frequency_hz = 865100000, .data_rate = 3};

static void wake_on_radio_is_as_computed_elsewhere(void **state)
{
	(void)state;
	static const uint8_t expected[] = {0x01, 0xda, 0x1b, 0x01, 0x26, 0x64, 0x98, 0xb4,
					   0x00, 0x00, 0x00, 0xa0, 0xe3, 0xc3, 0x49};
	struct aes *aes = aes_new();
	struct lw_wor_uplink uplink = {
		.dev_addr = {0x26011bda}, .wfcnt32 = 0, .data_rate = 3, .frequency_hz = 868100000};
	struct lw_key s_int = lw_key_wor_s_int(aes, &root, uplink.dev_addr);
	struct lw_key s_enc = lw_key_wor_s_enc(aes, &root, uplink.dev_addr);
	uint8_t built[LW_WOR_UPLINK];
	struct wr wr = wr_init(built, sizeof built);
	t_int("built", LW_RELAY_OK,
	      lw_wor_uplink_build(aes, &s_int, &s_enc, &uplink, &channel, STEP_HZ, &wr));
	t_bytes("frame", expected, sizeof expected, built, wr_length(&wr));
	t_int("no room left", LW_RELAY_NO_ROOM,
	      lw_wor_uplink_build(aes, &s_int, &s_enc, &uplink, &channel, STEP_HZ, &wr));
	aes_free(aes);
}

static void wake_on_radio_goes_there_and_back(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	struct rng rng = rng_seeded(4);
	for (int round = 0; round < 100; round++) {
		struct lw_wor_uplink uplink = {.dev_addr = {rng_u32(&rng)},
					       .wfcnt32 = rng_u32(&rng),
					       .data_rate = (uint8_t)rng_below(&rng, 16),
					       .frequency_hz = 100 * rng_below(&rng, 1 << 24)},
				     got = {0};
		struct lw_key s_int = lw_key_wor_s_int(aes, &root, uplink.dev_addr);
		struct lw_key s_enc = lw_key_wor_s_enc(aes, &root, uplink.dev_addr);
		struct lw_dev_addr dev_addr;
		uint16_t wfcnt;
		uint8_t built[LW_WOR_UPLINK + 1] = {0};
		struct wr wr = wr_init(built, LW_WOR_UPLINK);
		assert_int_equal(lw_wor_uplink_build(aes, &s_int, &s_enc, &uplink, &channel, STEP_HZ, &wr),
				 LW_RELAY_OK);
		t_int("address", LW_RELAY_OK, lw_wor_uplink_address(built, LW_WOR_UPLINK, &dev_addr, &wfcnt));
		t_uint("DevAddr", uplink.dev_addr.value, dev_addr.value);
		t_uint("WFCnt", uplink.wfcnt32 & 0xffff, wfcnt);
		t_int("read", LW_RELAY_OK,
		      lw_wor_uplink_read(aes, &s_int, &s_enc, built, LW_WOR_UPLINK, uplink.wfcnt32, &channel,
					 STEP_HZ, &got));
		t_uint("data rate", uplink.data_rate, got.data_rate);
		t_uint("frequency", uplink.frequency_hz, got.frequency_hz);
		for (size_t cut = 1; cut <= sizeof built; cut++) {
			if (cut != LW_WOR_UPLINK)
				t_int("another length", LW_RELAY_BAD_LENGTH,
				      lw_wor_uplink_address(built, cut, &dev_addr, &wfcnt));
		}
		t_int("nothing", LW_RELAY_TRUNCATED, lw_wor_uplink_address(built, 0, &dev_addr, &wfcnt));
		t_int("another high half of the counter", LW_RELAY_BAD_MIC,
		      lw_wor_uplink_read(aes, &s_int, &s_enc, built, LW_WOR_UPLINK, uplink.wfcnt32 ^ 0x10000,
					 &channel, STEP_HZ, &got));
		unsigned bit = 8 + rng_below(&rng, 8 * (LW_WOR_UPLINK - 1));
		built[bit / 8] ^= (uint8_t)(1 << bit % 8);
		t_int("a bit changed", LW_RELAY_BAD_MIC,
		      lw_wor_uplink_read(aes, &s_int, &s_enc, built, LW_WOR_UPLINK, uplink.wfcnt32, &channel,
					 STEP_HZ, &got));
		built[0] = 0;
		t_int("a join-request's wake-up", LW_RELAY_OTHER_TYPE,
		      lw_wor_uplink_address(built, LW_WOR_UPLINK, &dev_addr, &wfcnt));
	}
	aes_free(aes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(metadata_are_as_published),
		t_test(every_legal_value_survives),
		t_test(what_does_not_fit_is_refused),
		t_test(short_payloads_are_truncated),
		t_test(wake_on_radio_is_as_computed_elsewhere),
		t_test(wake_on_radio_goes_there_and_back),
	};
	return t_run(tests);
}
