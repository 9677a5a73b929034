#include "common/lorawan/join_frame.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/lorawan/frame.h"

#include <string.h>

#define MIC        4
#define UINT24_MAX 0xffffffu

static struct lw_mic read_mic(struct rd *rd)
{
	struct lw_mic mic = {0};
	rd_copy(rd, mic.bytes, sizeof mic.bytes);
	return mic;
}

static struct lw_eui64 read_eui(struct rd *rd)
{
	struct lw_eui64 eui = {0};
	rd_copy_reversed(rd, eui.bytes, sizeof eui.bytes);
	return eui;
}

static void write_eui(struct wr *wr, const struct lw_eui64 *eui)
{
	wr_copy_reversed(wr, eui->bytes, sizeof eui->bytes);
}

/* Looks at the MHDR; what is left of `rd` starts behind it. */
static enum lw_verdict open_frame(struct rd *rd, const uint8_t *phy, size_t length,
				  enum lw_direction direction, enum lw_ftype expected)
{
	enum lw_ftype ftype;
	enum lw_verdict verdict = lw_classify(phy, length, direction, &ftype);
	if (verdict != LW_OK)
		return verdict;
	*rd = rd_init(phy, length);
	rd_u8(rd);
	return ftype == expected ? LW_OK : LW_OTHER_TYPE;
}

enum lw_verdict lw_join_request_parse(struct lw_join_request *request, const uint8_t *phy, size_t length)
{
	struct rd rd;
	enum lw_verdict verdict = open_frame(&rd, phy, length, LW_UP, LW_JOIN_REQUEST);
	if (verdict != LW_OK)
		return verdict;
	struct lw_join_request parsed;
	parsed.join_eui = read_eui(&rd);
	parsed.dev_eui = read_eui(&rd);
	parsed.dev_nonce = rd_u16le(&rd);
	parsed.mic = read_mic(&rd);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return LW_BAD_LENGTH;
	*request = parsed;
	return LW_OK;
}

size_t lw_join_request_encode(const struct lw_join_request *request, uint8_t phy[LW_JOIN_REQUEST_LENGTH])
{
	struct wr wr = wr_init(phy, LW_JOIN_REQUEST_LENGTH);
	wr_u8(&wr, LW_JOIN_REQUEST << 5);
	write_eui(&wr, &request->join_eui);
	write_eui(&wr, &request->dev_eui);
	wr_u16le(&wr, request->dev_nonce);
	wr_copy(&wr, request->mic.bytes, sizeof request->mic.bytes);
	return wr_length(&wr);
}

/* The type decides the layout, so it is looked at before the length. */
enum lw_verdict lw_rejoin_request_parse(struct lw_rejoin_request *request, const uint8_t *phy, size_t length)
{
	struct rd rd;
	enum lw_verdict verdict = open_frame(&rd, phy, length, LW_UP, LW_REJOIN_REQUEST);
	if (verdict != LW_OK)
		return verdict;
	struct lw_rejoin_request parsed = {.type = rd_u8(&rd)};
	if (parsed.type > 2)
		return LW_UNKNOWN_REJOIN_TYPE;
	if (parsed.type == 1)
		parsed.join_eui = read_eui(&rd);
	else
		parsed.net_id.value = rd_u24le(&rd);
	parsed.dev_eui = read_eui(&rd);
	parsed.rj_count = rd_u16le(&rd);
	parsed.mic = read_mic(&rd);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return LW_BAD_LENGTH;
	*request = parsed;
	return LW_OK;
}

size_t lw_rejoin_request_encode(const struct lw_rejoin_request *request, uint8_t phy[LW_REJOIN_1_LENGTH])
{
	if (request->type > 2 || request->net_id.value > UINT24_MAX)
		return 0;
	struct wr wr = wr_init(phy, LW_REJOIN_1_LENGTH);
	wr_u8(&wr, LW_REJOIN_REQUEST << 5);
	wr_u8(&wr, request->type);
	if (request->type == 1)
		write_eui(&wr, &request->join_eui);
	else
		wr_u24le(&wr, request->net_id.value);
	write_eui(&wr, &request->dev_eui);
	wr_u16le(&wr, request->rj_count);
	wr_copy(&wr, request->mic.bytes, sizeof request->mic.bytes);
	return wr_length(&wr);
}

enum lw_verdict lw_join_accept_body_parse(struct lw_join_accept *accept, const uint8_t *body, size_t length)
{
	struct rd rd = rd_init(body, length);
	struct lw_join_accept parsed = {.mic = accept->mic};
	parsed.join_nonce = rd_u24le(&rd);
	parsed.net_id.value = rd_u24le(&rd);
	parsed.dev_addr.value = rd_u32le(&rd);
	parsed.dl_settings = lw_dl_settings_decode(rd_u8(&rd));
	parsed.rx_delay = rd_u8(&rd) & 0x0f;
	parsed.has_cflist = rd_left(&rd) > 0;
	if (parsed.has_cflist)
		rd_copy(&rd, parsed.cflist, sizeof parsed.cflist);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return LW_BAD_LENGTH;
	*accept = parsed;
	return LW_OK;
}

size_t lw_join_accept_body_encode(const struct lw_join_accept *accept,
				  uint8_t body[LW_JOIN_ACCEPT_BODY + LW_CFLIST_LENGTH])
{
	if (accept->join_nonce > UINT24_MAX || accept->net_id.value > UINT24_MAX || accept->rx_delay > 15 ||
	    accept->dl_settings.rx1_dr_offset > 7 || accept->dl_settings.rx2_data_rate > 15)
		return 0;
	struct wr wr = wr_init(body, LW_JOIN_ACCEPT_BODY + LW_CFLIST_LENGTH);
	wr_u24le(&wr, accept->join_nonce);
	wr_u24le(&wr, accept->net_id.value);
	wr_u32le(&wr, accept->dev_addr.value);
	wr_u8(&wr, lw_dl_settings_encode(&accept->dl_settings));
	wr_u8(&wr, accept->rx_delay);
	if (accept->has_cflist)
		wr_copy(&wr, accept->cflist, sizeof accept->cflist);
	return wr_length(&wr);
}

static bool accept_length(size_t length)
{
	return length == LW_JOIN_ACCEPT_LENGTH || length == LW_JOIN_ACCEPT_MAX;
}

enum lw_verdict lw_join_accept_parse(struct lw_join_accept *accept, const uint8_t *plain, size_t length)
{
	struct rd rd;
	enum lw_verdict verdict = open_frame(&rd, plain, length, LW_DOWN, LW_JOIN_ACCEPT);
	if (verdict != LW_OK)
		return verdict;
	if (!accept_length(length))
		return LW_BAD_LENGTH;
	struct lw_join_accept parsed = {0};
	size_t body_length = length - 1 - MIC;
	verdict = lw_join_accept_body_parse(&parsed, rd_take(&rd, body_length), body_length);
	if (verdict != LW_OK)
		return verdict;
	parsed.mic = read_mic(&rd);
	*accept = parsed;
	return LW_OK;
}

size_t lw_join_accept_encode(const struct lw_join_accept *accept, uint8_t plain[LW_JOIN_ACCEPT_MAX])
{
	uint8_t body[LW_JOIN_ACCEPT_BODY + LW_CFLIST_LENGTH];
	size_t body_length = lw_join_accept_body_encode(accept, body);
	if (body_length == 0)
		return 0;
	struct wr wr = wr_init(plain, LW_JOIN_ACCEPT_MAX);
	wr_u8(&wr, LW_JOIN_ACCEPT << 5);
	wr_copy(&wr, body, body_length);
	wr_copy(&wr, accept->mic.bytes, sizeof accept->mic.bytes);
	return wr_length(&wr);
}

/* One or two blocks behind the MHDR. The server decrypts where the device encrypts, so that the device needs
 * the forward cipher alone. */
enum lw_verdict lw_join_accept_encrypt(struct aes *aes, const struct lw_key *key, uint8_t *phy, size_t length)
{
	if (!accept_length(length))
		return LW_BAD_LENGTH;
	aes_decrypt(aes, key->bytes, phy + 1, phy + 1, (length - 1) / AES_BLOCK);
	return LW_OK;
}

enum lw_verdict lw_join_accept_decrypt(struct aes *aes, const struct lw_key *key, uint8_t *phy, size_t length)
{
	if (!accept_length(length))
		return LW_BAD_LENGTH;
	aes_encrypt(aes, key->bytes, phy + 1, phy + 1, (length - 1) / AES_BLOCK);
	return LW_OK;
}

struct lw_dl_settings lw_dl_settings_decode(uint8_t byte)
{
	return (struct lw_dl_settings){
		.opt_neg = byte & 0x80,
		.rx1_dr_offset = byte >> 4 & 7,
		.rx2_data_rate = byte & 15,
	};
}

uint8_t lw_dl_settings_encode(const struct lw_dl_settings *dl_settings)
{
	return (uint8_t)((dl_settings->opt_neg ? 0x80 : 0) | (dl_settings->rx1_dr_offset & 7) << 4 |
			 (dl_settings->rx2_data_rate & 15));
}

/* Byte 15 is the type. Type 0 has five 24-bit frequencies before it, type 1 seven masks and an RFU byte. */
bool lw_cflist_decode(struct lw_cflist *cflist, const uint8_t bytes[LW_CFLIST_LENGTH],
		      uint32_t frequency_step_hz)
{
	struct rd rd = rd_init(bytes, LW_CFLIST_LENGTH);
	struct lw_cflist decoded = {.type = bytes[LW_CFLIST_LENGTH - 1]};
	if (decoded.type > 1)
		return false;
	for (size_t i = 0; decoded.type == 0 && i < LW_CFLIST_FREQUENCIES; i++)
		decoded.frequencies_hz[i] = rd_u24le(&rd) * frequency_step_hz;
	for (size_t i = 0; decoded.type == 1 && i < LW_CFLIST_CH_MASKS; i++)
		decoded.ch_masks[i] = rd_u16le(&rd);
	*cflist = decoded;
	return true;
}

bool lw_cflist_encode(const struct lw_cflist *cflist, uint8_t bytes[LW_CFLIST_LENGTH],
		      uint32_t frequency_step_hz)
{
	uint8_t encoded[LW_CFLIST_LENGTH];
	struct wr wr = wr_init(encoded, sizeof encoded);
	if (cflist->type > 1)
		return false;
	for (size_t i = 0; cflist->type == 0 && i < LW_CFLIST_FREQUENCIES; i++) {
		uint32_t frequency_hz = cflist->frequencies_hz[i];
		if (frequency_hz % frequency_step_hz != 0 || frequency_hz / frequency_step_hz > UINT24_MAX)
			return false;
		wr_u24le(&wr, frequency_hz / frequency_step_hz);
	}
	for (size_t i = 0; cflist->type == 1 && i < LW_CFLIST_CH_MASKS; i++)
		wr_u16le(&wr, cflist->ch_masks[i]);
	wr_zeros(&wr, wr_room(&wr) - 1);
	wr_u8(&wr, cflist->type);
	ASSERT_CMP(wr_length(&wr), ==, LW_CFLIST_LENGTH);
	memcpy(bytes, encoded, sizeof encoded);
	return true;
}
