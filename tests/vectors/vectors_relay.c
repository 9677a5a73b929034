/* relay.json: what a relay forwards, and the wake-on-radio frame. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/keys.h"
#include "common/lorawan/relay.h"

#define STEP_HZ 100

static bool expect_port_and_direction(struct vector *vector, enum lw_direction direction)
{
	if (v_has(vector, "fport") && v_uint(vector, "fport") != LW_RELAY_FPORT)
		v_fail(vector, "input.fport", "226", "another");
	if (v_direction(vector) == direction)
		return true;
	v_fail(vector, "input.direction", "that of the kind", "the other");
	return false;
}

static void forward_uplink_req(struct vector *vector)
{
	struct bytes payload = v_bytes(vector, "payload");
	struct lw_forward_uplink got = {0}, want;
	uint8_t built[BYTES_MAX];
	struct wr wr = wr_init(built, sizeof built);
	expect_port_and_direction(vector, LW_UP);
	enum lw_relay_verdict verdict = lw_forward_uplink_read(payload.at, payload.length, STEP_HZ, &got);
	if (verdict != LW_RELAY_OK)
		v_fail(vector, "payload", "what can be read", lw_relay_verdict_name(verdict));
	want.data_rate = (uint8_t)x_uint(vector, vector->expect, "data_rate", got.data_rate);
	want.snr_db = (int8_t)x_int(vector, vector->expect, "snr_db", got.snr_db);
	want.rssi_dbm = (int16_t)x_int(vector, vector->expect, "rssi_dbm", got.rssi_dbm);
	want.wor_channel = (uint8_t)x_uint(vector, vector->expect, "wor_channel", got.wor_channel);
	want.frequency_hz = (uint32_t)x_uint(vector, vector->expect, "frequency_hz", got.frequency_hz);
	struct bytes phy = x_bytes(vector, vector->expect, "phy", got.phy_payload, got.phy_payload_length);
	want.phy_payload = phy.at;
	want.phy_payload_length = phy.length;
	verdict = lw_forward_uplink_write(&want, STEP_HZ, &wr);
	if (verdict != LW_RELAY_OK)
		v_fail(vector, "payload built", "bytes", lw_relay_verdict_name(verdict));
	x_built(vector, "payload built", &payload, built, wr_length(&wr));
}

static void forward_downlink_req(struct vector *vector)
{
	struct bytes payload = v_bytes(vector, "payload");
	const uint8_t *phy = NULL;
	size_t length = 0;
	expect_port_and_direction(vector, LW_DOWN);
	enum lw_relay_verdict verdict = lw_forward_downlink_read(payload.at, payload.length, &phy, &length);
	if (verdict != LW_RELAY_OK)
		v_fail(vector, "payload", "what can be read", lw_relay_verdict_name(verdict));
	x_bytes(vector, vector->expect, "phy", phy, length);
}

static void forward_reject(struct vector *vector)
{
	struct bytes payload = v_bytes(vector, "payload");
	struct lw_forward_uplink uplink;
	const uint8_t *phy;
	size_t length;
	enum lw_relay_verdict verdict = v_direction(vector) == LW_UP
						? lw_forward_uplink_read(payload.at, payload.length, STEP_HZ,
									 &uplink)
						: lw_forward_downlink_read(payload.at, payload.length, &phy,
									   &length);
	x_reject(vector, lw_relay_verdict_name(verdict));
}

static void forward_encode_reject(struct vector *vector)
{
	static const uint8_t phy[] = {0x01, 0x02, 0x03};
	struct lw_forward_uplink forward = {.data_rate = 1,
					    .snr_db = 5,
					    .rssi_dbm = -64,
					    .wor_channel = 1,
					    .frequency_hz = 868100000,
					    .phy_payload = phy,
					    .phy_payload_length = sizeof phy};
	uint8_t built[BYTES_MAX];
	struct wr wr = wr_init(built, sizeof built);
	forward.wor_channel = (uint8_t)v_uint(vector, "wor_channel");
	json_t *rssi = json_object_get(vector->input, "rssi_dbm");
	if (json_is_integer(rssi))
		forward.rssi_dbm = (int16_t)json_integer_value(rssi);
	v_ignore(vector, "rssi_dbm");
	x_reject(vector, lw_relay_verdict_name(lw_forward_uplink_write(&forward, STEP_HZ, &wr)));
}

static void wor_uplink(struct vector *vector)
{
	struct lw_key root = v_key(vector, "root_wor_skey");
	struct lw_wor_uplink uplink = {.dev_addr = v_dev_addr(vector, "dev_addr"),
				       .wfcnt32 = (uint32_t)v_uint(vector, "wfcnt32"),
				       .data_rate = (uint8_t)v_uint(vector, "data_rate"),
				       .frequency_hz = (uint32_t)v_uint(vector, "frequency_hz")};
	struct lw_wor_channel_used channel = {.frequency_hz = (uint32_t)v_uint(vector, "wor_frequency_hz"),
					      .data_rate = (uint8_t)v_uint(vector, "wor_data_rate")};
	struct lw_key s_int = x_key(vector, vector->expect, "wor_s_int_key",
				    lw_key_wor_s_int(vector->aes, &root, uplink.dev_addr));
	struct lw_key s_enc = x_key(vector, vector->expect, "wor_s_enc_key",
				    lw_key_wor_s_enc(vector->aes, &root, uplink.dev_addr));
	uint8_t built[LW_WOR_UPLINK];
	struct wr wr = wr_init(built, sizeof built);
	enum lw_relay_verdict verdict = lw_wor_uplink_build(vector->aes, &s_int, &s_enc, &uplink, &channel,
							    STEP_HZ, &wr);
	if (verdict != LW_RELAY_OK)
		v_fail(vector, "frame", "bytes", lw_relay_verdict_name(verdict));
	x_bytes(vector, vector->expect, "frame", built, wr_length(&wr));
}

const struct vector_kind vectors_relay[] = {
	{"forward_uplink_req", forward_uplink_req},
	{"forward_downlink_req", forward_downlink_req},
	{"forward_reject", forward_reject},
	{"forward_encode_reject", forward_encode_reject},
	{"wor_uplink", wor_uplink},
	{NULL, NULL},
};
