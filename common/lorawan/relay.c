#include "common/lorawan/relay.h"

#include "common/base/check.h"

#include <string.h>

#define WOR_TYPE_UPLINK 1
#define WOR_MIC         4
#define WOR_SIGNED      10 /* DevAddr, ciphered part, WFCnt */
#define WOR_CIPHERED    4
#define FREQ_CODE_MAX   0xffffff

const char *lw_relay_verdict_name(enum lw_relay_verdict verdict)
{
	static const char *const names[LW_RELAY_VERDICT_COUNT] = {
		[LW_RELAY_OK] = "ok",
		[LW_RELAY_TRUNCATED] = "truncated",
		[LW_RELAY_BAD_LENGTH] = "bad_length",
		[LW_RELAY_OTHER_TYPE] = "other_type",
		[LW_RELAY_BAD_MIC] = "bad_mic",
		[LW_RELAY_OUT_OF_RANGE] = "field_out_of_range",
		[LW_RELAY_FREQUENCY_STEP] = "frequency_step",
		[LW_RELAY_NO_ROOM] = "no_room",
	};
	return (unsigned)verdict < LW_RELAY_VERDICT_COUNT ? names[verdict] : "unknown";
}

enum lw_relay_verdict lw_forward_uplink_read(const uint8_t *payload, size_t length, uint32_t freq_step_hz,
					     struct lw_forward_uplink *forward)
{
	struct rd rd = rd_init(payload, length);
	uint32_t metadata = rd_u24le(&rd), frequency = rd_u24le(&rd);
	size_t left = rd_left(&rd);
	const uint8_t *phy_payload = rd_take(&rd, left);
	if (!rd_ok(&rd) || left == 0)
		return LW_RELAY_TRUNCATED;
	*forward = (struct lw_forward_uplink){
		.data_rate = metadata & 15,
		.snr_db = (int8_t)((int)(metadata >> 4 & 31) + LW_RELAY_SNR_MIN_DB),
		.rssi_dbm = (int16_t)(LW_RELAY_RSSI_MAX_DBM - (int)(metadata >> 9 & 127)),
		.wor_channel = metadata >> 16 & 3,
		.frequency_hz = frequency * freq_step_hz,
		.phy_payload = phy_payload,
		.phy_payload_length = left,
	};
	return LW_RELAY_OK;
}

static bool between(int value, int least, int most)
{
	return value >= least && value <= most;
}

static enum lw_relay_verdict frequency_verdict(uint32_t frequency_hz, uint32_t freq_step_hz)
{
	if (frequency_hz % freq_step_hz != 0)
		return LW_RELAY_FREQUENCY_STEP;
	return frequency_hz / freq_step_hz > FREQ_CODE_MAX ? LW_RELAY_OUT_OF_RANGE : LW_RELAY_OK;
}

enum lw_relay_verdict lw_forward_uplink_write(const struct lw_forward_uplink *forward, uint32_t freq_step_hz,
					      struct wr *wr)
{
	if (forward->phy_payload_length == 0)
		return LW_RELAY_TRUNCATED;
	if (!between(forward->data_rate, 0, 15) ||
	    !between(forward->snr_db, LW_RELAY_SNR_MIN_DB, LW_RELAY_SNR_MAX_DB) ||
	    !between(forward->rssi_dbm, LW_RELAY_RSSI_MIN_DBM, LW_RELAY_RSSI_MAX_DBM) ||
	    !between(forward->wor_channel, 0, LW_RELAY_WOR_CHANNELS - 1))
		return LW_RELAY_OUT_OF_RANGE;
	enum lw_relay_verdict verdict = frequency_verdict(forward->frequency_hz, freq_step_hz);
	if (verdict != LW_RELAY_OK)
		return verdict;
	if (!wr_ok(wr) || wr_room(wr) < LW_RELAY_METADATA + forward->phy_payload_length)
		return LW_RELAY_NO_ROOM;
	wr_u24le(wr, (uint32_t)forward->data_rate | (uint32_t)(forward->snr_db - LW_RELAY_SNR_MIN_DB) << 4 |
			     (uint32_t)(LW_RELAY_RSSI_MAX_DBM - forward->rssi_dbm) << 9 |
			     (uint32_t)forward->wor_channel << 16);
	wr_u24le(wr, forward->frequency_hz / freq_step_hz);
	wr_copy(wr, forward->phy_payload, forward->phy_payload_length);
	return LW_RELAY_OK;
}

enum lw_relay_verdict lw_forward_downlink_read(const uint8_t *payload, size_t length,
					       const uint8_t **phy_payload, size_t *phy_payload_length)
{
	if (length == 0)
		return LW_RELAY_TRUNCATED;
	*phy_payload = payload;
	*phy_payload_length = length;
	return LW_RELAY_OK;
}

/* One key stream block over four bytes: the same call ciphers and deciphers. */
static void wor_cipher(struct aes *aes, const struct lw_key *wor_s_enc_key, struct lw_dev_addr dev_addr,
		       uint32_t wfcnt32, const struct lw_wor_channel_used *channel, uint32_t freq_step_hz,
		       uint8_t part[WOR_CIPHERED])
{
	uint8_t block[AES_BLOCK], stream[AES_BLOCK];
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, 0x01);
	wr_zeros(&wr, 2);
	wr_u8(&wr, LW_UP);
	wr_u32le(&wr, dev_addr.value);
	wr_u32le(&wr, wfcnt32);
	wr_u24le(&wr, channel->frequency_hz / freq_step_hz);
	wr_u8(&wr, channel->data_rate);
	ASSERT_CMP(wr_length(&wr), ==, AES_BLOCK);
	aes_encrypt(aes, wor_s_enc_key->bytes, block, stream, 1);
	for (size_t i = 0; i < WOR_CIPHERED; i++)
		part[i] ^= stream[i];
}

static struct lw_mic wor_mic(struct aes *aes, const struct lw_key *wor_s_int_key, struct lw_dev_addr dev_addr,
			     uint32_t wfcnt32, const uint8_t signed_part[WOR_SIGNED])
{
	uint8_t block[AES_BLOCK], mac[AES_BLOCK];
	struct lw_mic mic;
	struct wr wr = wr_init(block, sizeof block);
	wr_u8(&wr, 0x49);
	wr_zeros(&wr, 4);
	wr_u8(&wr, LW_UP);
	wr_u32le(&wr, dev_addr.value);
	wr_u32le(&wr, wfcnt32);
	wr_u8(&wr, 0);
	wr_u8(&wr, LW_WOR_UPLINK - 1);
	ASSERT_CMP(wr_length(&wr), ==, AES_BLOCK);
	aes_cmac_start(aes, wor_s_int_key->bytes);
	aes_cmac_add(aes, block, sizeof block);
	aes_cmac_add(aes, signed_part, WOR_SIGNED);
	aes_cmac_finish(aes, mac);
	memcpy(mic.bytes, mac, sizeof mic.bytes);
	return mic;
}

enum lw_relay_verdict lw_wor_uplink_build(struct aes *aes, const struct lw_key *wor_s_int_key,
					  const struct lw_key *wor_s_enc_key,
					  const struct lw_wor_uplink *uplink,
					  const struct lw_wor_channel_used *channel, uint32_t freq_step_hz,
					  struct wr *wr)
{
	if (uplink->data_rate > 15 || channel->data_rate > 15)
		return LW_RELAY_OUT_OF_RANGE;
	enum lw_relay_verdict verdict = frequency_verdict(uplink->frequency_hz, freq_step_hz);
	if (verdict == LW_RELAY_OK)
		verdict = frequency_verdict(channel->frequency_hz, freq_step_hz);
	if (verdict != LW_RELAY_OK)
		return verdict;
	if (!wr_ok(wr) || wr_room(wr) < LW_WOR_UPLINK)
		return LW_RELAY_NO_ROOM;
	uint8_t part[WOR_CIPHERED], signed_part[WOR_SIGNED];
	struct wr cipher = wr_init(part, sizeof part);
	wr_u8(&cipher, uplink->data_rate);
	wr_u24le(&cipher, uplink->frequency_hz / freq_step_hz);
	wor_cipher(aes, wor_s_enc_key, uplink->dev_addr, uplink->wfcnt32, channel, freq_step_hz, part);
	struct wr body = wr_init(signed_part, sizeof signed_part);
	wr_u32le(&body, uplink->dev_addr.value);
	wr_copy(&body, part, sizeof part);
	wr_u16le(&body, (uint16_t)uplink->wfcnt32);
	struct lw_mic mic = wor_mic(aes, wor_s_int_key, uplink->dev_addr, uplink->wfcnt32, signed_part);
	wr_u8(wr, WOR_TYPE_UPLINK);
	wr_copy(wr, signed_part, sizeof signed_part);
	wr_copy(wr, mic.bytes, sizeof mic.bytes);
	return LW_RELAY_OK;
}

enum lw_relay_verdict lw_wor_uplink_address(const uint8_t *bytes, size_t length, struct lw_dev_addr *dev_addr,
					    uint16_t *wfcnt)
{
	struct rd rd = rd_init(bytes, length);
	if (length == 0)
		return LW_RELAY_TRUNCATED;
	if (rd_u8(&rd) != WOR_TYPE_UPLINK)
		return LW_RELAY_OTHER_TYPE;
	struct lw_dev_addr address = {rd_u32le(&rd)};
	rd_take(&rd, WOR_CIPHERED);
	uint16_t counter = rd_u16le(&rd);
	rd_take(&rd, WOR_MIC);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return LW_RELAY_BAD_LENGTH;
	*dev_addr = address;
	*wfcnt = counter;
	return LW_RELAY_OK;
}

enum lw_relay_verdict lw_wor_uplink_read(struct aes *aes, const struct lw_key *wor_s_int_key,
					 const struct lw_key *wor_s_enc_key, const uint8_t *bytes,
					 size_t length, uint32_t wfcnt32,
					 const struct lw_wor_channel_used *channel, uint32_t freq_step_hz,
					 struct lw_wor_uplink *uplink)
{
	struct lw_dev_addr dev_addr;
	struct lw_mic mic = {{0}};
	uint16_t wfcnt;
	uint8_t part[WOR_CIPHERED], signed_part[WOR_SIGNED];
	enum lw_relay_verdict verdict = lw_wor_uplink_address(bytes, length, &dev_addr, &wfcnt);
	if (verdict != LW_RELAY_OK)
		return verdict;
	struct rd rd = rd_init(bytes, length);
	rd_u8(&rd);
	rd_copy(&rd, signed_part, sizeof signed_part);
	rd_copy(&rd, mic.bytes, sizeof mic.bytes);
	if ((uint16_t)wfcnt32 != wfcnt ||
	    !lw_mic_equal(mic, wor_mic(aes, wor_s_int_key, dev_addr, wfcnt32, signed_part)))
		return LW_RELAY_BAD_MIC;
	rd = rd_init(signed_part, sizeof signed_part);
	rd_u32le(&rd);
	rd_copy(&rd, part, sizeof part);
	wor_cipher(aes, wor_s_enc_key, dev_addr, wfcnt32, channel, freq_step_hz, part);
	rd = rd_init(part, sizeof part);
	*uplink = (struct lw_wor_uplink){
		.dev_addr = dev_addr, .wfcnt32 = wfcnt32, .data_rate = rd_u8(&rd) & 15};
	uplink->frequency_hz = rd_u24le(&rd) * freq_step_hz;
	return LW_RELAY_OK;
}
