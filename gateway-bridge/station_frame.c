/* Frames as stations tell them, member by member, put together again byte for byte. */
#include "gateway-bridge/station_fields.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "gateway-bridge/schema.h"

#include <math.h>
#include <string.h>

#define NO_PORT (-1) /* FPort of a frame without one */

enum { INFO_RCTX, INFO_XTIME, INFO_GPSTIME, INFO_FTS, INFO_RSSI, INFO_SNR, INFO_ROWS };
static const struct gb_member info_rows[INFO_ROWS] = {
	[INFO_RCTX] = {"rctx", GB_MEMBER_INTEGER, 0, 0},
	[INFO_XTIME] = {"xtime", GB_MEMBER_INTEGER, 0, 9223372036854774784.0},
	[INFO_GPSTIME] = {"gpstime", GB_MEMBER_INTEGER, 0, 9223372036854774784.0},
	[INFO_FTS] = {"fts", GB_MEMBER_INTEGER, -1, 999999999},
	[INFO_RSSI] = {"rssi", GB_MEMBER_REAL, -300, 100},
	[INFO_SNR] = {"snr", GB_MEMBER_REAL, -100, 100},
};

/* --- where and how it was heard --- */

static bool heard_in(const struct lw_region *region, int64_t freq_hz)
{
	for (uint8_t i = 0; i < region->freq_range_count; i++) {
		const struct lw_freq_range *range = &region->freq_ranges[i];
		if (freq_hz >= (int64_t)range->min_hz - LW_FREQ_TOLERANCE_HZ &&
		    freq_hz <= (int64_t)range->max_hz + LW_FREQ_TOLERANCE_HZ)
			return true;
	}
	return false;
}

static enum gb_verdict read_radio(const struct gb_station_reading *of, enum lw_direction direction)
{
	struct gb_station_frame *frame = &of->message->frame;
	if (!GB_STATION_HAS_ALL(of, UP_DR, UP_FREQ, UP_UPINFO))
		return GB_MISSING_MEMBER;
	int64_t freq_hz = gb_station_number(of, UP_FREQ), dr = gb_station_number(of, UP_DR);
	if (!heard_in(of->region, freq_hz))
		return GB_BAD_FREQUENCY;
	const struct lw_data_rate *rate = dr < LW_DATA_RATES
						  ? lw_region_data_rate(of->region, direction, (uint8_t)dr)
						  : NULL;
	if (!rate)
		return GB_BAD_DATA_RATE;
	frame->freq_hz = (uint32_t)freq_hz;
	frame->dr = (uint8_t)dr;
	frame->modulation = rate->modulation;
	int values[INFO_ROWS];
	enum gb_verdict verdict = gb_schema_read(of->json, of->values[UP_UPINFO], info_rows, INFO_ROWS,
						 values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (values[INFO_XTIME] == GB_JSON_NONE || values[INFO_RSSI] == GB_JSON_NONE ||
	    values[INFO_SNR] == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	frame->xtime = gb_schema_integer(of->json, values[INFO_XTIME], 0);
	frame->rctx = gb_schema_integer(of->json, values[INFO_RCTX], 0);
	frame->gps_time_us = gb_schema_integer(of->json, values[INFO_GPSTIME], 0);
	frame->has_gps_time = frame->gps_time_us > 0;
	int64_t fine = gb_schema_integer(of->json, values[INFO_FTS], -1);
	frame->has_fine_time = fine >= 0;
	frame->fine_time_ns = fine >= 0 ? (uint32_t)fine : 0;
	frame->rssi_dbm = (int16_t)lround(gb_schema_real(of->json, values[INFO_RSSI], 0));
	frame->snr_cdb = (int16_t)lround(gb_schema_real(of->json, values[INFO_SNR], 0) * 100);
	return GB_ACCEPTED;
}

/* --- frames --- */

/* Reads hexadecimal digits; absent counts as malformed only where the caller asked for the member. */
static enum gb_verdict read_hex(const struct gb_station_reading *of, int row, uint8_t *bytes, size_t *length)
{
	char text[2 * LW_PHY_PAYLOAD_MAX + 1];
	if (!gb_json_string(of->json, of->values[row], text, sizeof text))
		return strlen(text) + 1 == sizeof text ? GB_TOO_LONG : GB_BAD_HEX;
	return hex_decode(bytes, LW_PHY_PAYLOAD_MAX, length, text, strlen(text)) ? GB_ACCEPTED : GB_BAD_HEX;
}

static enum gb_verdict end_frame(const struct gb_station_reading *of, const struct wr *wr,
				 enum lw_direction direction)
{
	if (!wr_ok(wr))
		return GB_TOO_LONG;
	of->message->frame.phy_length = (uint8_t)wr_length(wr);
	return read_radio(of, direction);
}

static bool read_eui(const struct gb_station_reading *of, int row, int other, struct lw_eui64 *eui)
{
	char text[32];
	int value = of->values[row] != GB_JSON_NONE ? of->values[row] : of->values[other];
	return gb_json_type(of->json, value) == GB_JSON_STRING &&
	       gb_json_string(of->json, value, text, sizeof text) && strlen(text) == 23 &&
	       gb_station_dashed(text, eui);
}

static void put_eui(struct wr *wr, const struct lw_eui64 *eui)
{
	wr_u64le(wr, lw_eui64_number(eui));
}

static bool is_of(const struct gb_station_reading *of, uint8_t ftype, uint8_t other)
{
	uint8_t mhdr = (uint8_t)gb_station_number(of, UP_MHDR);
	return mhdr >> 5 == ftype || mhdr >> 5 == other;
}

static enum gb_verdict read_join(const struct gb_station_reading *of, uint8_t ftype)
{
	struct lw_eui64 join_eui, dev_eui;
	if (!GB_STATION_HAS_ALL(of, UP_MHDR, UP_DEV_NONCE, UP_MIC) ||
	    (of->values[UP_JOIN_EUI] == GB_JSON_NONE && of->values[UP_JOIN_EUI_UPPER] == GB_JSON_NONE) ||
	    (of->values[UP_DEV_EUI] == GB_JSON_NONE && of->values[UP_DEV_EUI_UPPER] == GB_JSON_NONE))
		return GB_MISSING_MEMBER;
	if (!is_of(of, ftype, ftype))
		return GB_BAD_FRAME;
	if (!read_eui(of, UP_JOIN_EUI, UP_JOIN_EUI_UPPER, &join_eui) ||
	    !read_eui(of, UP_DEV_EUI, UP_DEV_EUI_UPPER, &dev_eui))
		return GB_BAD_EUI;
	struct wr wr = wr_init(of->message->frame.phy, LW_PHY_PAYLOAD_MAX);
	wr_u8(&wr, (uint8_t)gb_station_number(of, UP_MHDR));
	put_eui(&wr, &join_eui);
	put_eui(&wr, &dev_eui);
	wr_u16le(&wr, (uint16_t)gb_station_number(of, UP_DEV_NONCE));
	wr_u32le(&wr, (uint32_t)gb_station_number(of, UP_MIC));
	return end_frame(of, &wr, LW_UP);
}

enum gb_verdict gb_station_jreq(const struct gb_station_reading *of)
{
	return read_join(of, 0);
}

enum gb_verdict gb_station_rejoin(const struct gb_station_reading *of)
{
	return read_join(of, 6);
}

static enum gb_verdict read_data(const struct gb_station_reading *of, uint8_t ftype, uint8_t other,
				 enum lw_direction direction)
{
	uint8_t fopts[LW_PHY_PAYLOAD_MAX], payload[LW_PHY_PAYLOAD_MAX];
	size_t fopts_length = 0, payload_length = 0;
	if (!GB_STATION_HAS_ALL(of, UP_MHDR, UP_DEV_ADDR, UP_FCTRL, UP_FCNT, UP_FOPTS, UP_FPORT,
				UP_FRM_PAYLOAD, UP_MIC))
		return GB_MISSING_MEMBER;
	enum gb_verdict verdict = read_hex(of, UP_FOPTS, fopts, &fopts_length);
	if (verdict == GB_ACCEPTED)
		verdict = read_hex(of, UP_FRM_PAYLOAD, payload, &payload_length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	int64_t fport = gb_station_number(of, UP_FPORT);
	uint8_t fctrl = (uint8_t)gb_station_number(of, UP_FCTRL);
	if (!is_of(of, ftype, other) || (fctrl & 15u) != fopts_length ||
	    (fport == NO_PORT && payload_length > 0))
		return GB_BAD_FRAME;
	struct wr wr = wr_init(of->message->frame.phy, LW_PHY_PAYLOAD_MAX);
	wr_u8(&wr, (uint8_t)gb_station_number(of, UP_MHDR));
	wr_u32le(&wr, (uint32_t)gb_station_number(of, UP_DEV_ADDR));
	wr_u8(&wr, fctrl);
	wr_u16le(&wr, (uint16_t)gb_station_number(of, UP_FCNT));
	wr_copy(&wr, fopts, fopts_length);
	if (fport != NO_PORT)
		wr_u8(&wr, (uint8_t)fport);
	wr_copy(&wr, payload, payload_length);
	wr_u32le(&wr, (uint32_t)gb_station_number(of, UP_MIC));
	return end_frame(of, &wr, direction);
}

/* The whole PHYPayload stands in one member. */
static enum gb_verdict read_whole(const struct gb_station_reading *of, int row, int ftype,
				  enum lw_direction direction)
{
	size_t length = 0;
	struct gb_station_frame *frame = &of->message->frame;
	if (of->values[row] == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	enum gb_verdict verdict = read_hex(of, row, frame->phy, &length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (length == 0 || (ftype >= 0 && frame->phy[0] >> 5 != ftype))
		return GB_BAD_FRAME;
	frame->phy_length = (uint8_t)length;
	return read_radio(of, direction);
}

enum gb_verdict gb_station_updf(const struct gb_station_reading *of)
{
	if (of->values[UP_PDU] != GB_JSON_NONE) {
		of->message->kind = GB_STATION_IGNORED;
		return read_whole(of, UP_PDU, -1, LW_UP);
	}
	return read_data(of, 2, 4, LW_UP);
}

enum gb_verdict gb_station_dndf(const struct gb_station_reading *of)
{
	return read_data(of, 3, 5, LW_DOWN);
}

enum gb_verdict gb_station_propdf(const struct gb_station_reading *of)
{
	return read_whole(of, UP_FRM_PAYLOAD, 7, LW_UP);
}

enum gb_verdict gb_station_jacc(const struct gb_station_reading *of)
{
	return read_whole(of, UP_FRM_PAYLOAD, 1, LW_DOWN);
}
