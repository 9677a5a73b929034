/* One entry of rxpk: read against a table of its members, then checked in the order in which a person would explain it. */
#include "gateway-bridge/semtech_fields.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "gateway-bridge/schema.h"

#include <math.h>
#include <string.h>

#define UINT32 0, 4294967295.0
#define INT32  -2147483648.0, 2147483647.0
#define UINT64 0, 9007199254740992.0 /* 2^53: microseconds beyond it are no time of ours */
#define RSSI   -1000, 1000
#define SNR    -300, 300

/* The one place that has rssi and lsnr: the entry itself, or one antenna of rsig. */
enum {
	RX_TMST,
	RX_FREQ,
	RX_MODU,
	RX_DATR,
	RX_DATA,
	RX_SIZE,
	RX_STAT,
	RX_CODR,
	RX_RSSI,
	RX_LSNR,
	RX_RSIG,
	RX_TMMS,
	RX_TIME,
	RX_FTIME,
	RX_CHAN,
	RX_RFCH,
	RX_BRD,
	RX_ANT,
	RX_FOFF,
	RX_RSSIS,
	RX_MID,
	RX_JVER,
	RX_AESK,
	RX_DELAYED,
	RX_HPW,
	RX_META,
	RX_ROWS
};
static const struct gb_member rx_rows[RX_ROWS] = {
	[RX_TMST] = {"tmst", GB_MEMBER_INTEGER, UINT32},
	[RX_FREQ] = {"freq", GB_MEMBER_REAL, 0, 0},
	[RX_MODU] = {"modu", GB_MEMBER_STRING, 0, 0},
	[RX_DATR] = {"datr", GB_MEMBER_RAW, 0, 0}, /* text or number, by modulation */
	[RX_DATA] = {"data", GB_MEMBER_STRING, 0, 0},
	[RX_SIZE] = {"size", GB_MEMBER_INTEGER, UINT32},
	[RX_STAT] = {"stat", GB_MEMBER_INTEGER, -1, 1},
	[RX_CODR] = {"codr", GB_MEMBER_STRING, 0, 0},
	[RX_RSSI] = {"rssi", GB_MEMBER_REAL, RSSI},
	[RX_LSNR] = {"lsnr", GB_MEMBER_REAL, SNR},
	[RX_RSIG] = {"rsig", GB_MEMBER_ARRAY, 0, 0},
	[RX_TMMS] = {"tmms", GB_MEMBER_INTEGER, UINT64},
	[RX_TIME] = {"time", GB_MEMBER_ANY, 0, 0},
	[RX_FTIME] = {"ftime", GB_MEMBER_ANY, 0, 0},
	[RX_CHAN] = {"chan", GB_MEMBER_INTEGER, UINT32},
	[RX_RFCH] = {"rfch", GB_MEMBER_INTEGER, UINT32},
	[RX_BRD] = {"brd", GB_MEMBER_INTEGER, UINT32},
	[RX_ANT] = {"ant", GB_MEMBER_INTEGER, UINT32},
	[RX_FOFF] = {"foff", GB_MEMBER_INTEGER, INT32},
	[RX_RSSIS] = {"rssis", GB_MEMBER_REAL, RSSI},
	[RX_MID] = {"mid", GB_MEMBER_INTEGER, UINT32},
	[RX_JVER] = {"jver", GB_MEMBER_INTEGER, UINT32},
	[RX_AESK] = {"aesk", GB_MEMBER_INTEGER, UINT32},
	[RX_DELAYED] = {"delayed", GB_MEMBER_BOOL, 0, 0},
	[RX_HPW] = {"hpw", GB_MEMBER_INTEGER, UINT32},
	[RX_META] = {"meta", GB_MEMBER_RAW, 0, 0},
};

/* One antenna of rsig. What the bridge does not use is only asked to be a number. */
enum {
	SIG_ANT,
	SIG_CHAN,
	SIG_RSSIC,
	SIG_LSNR,
	SIG_FTIME,
	SIG_FOFF,
	SIG_ETIME,
	SIG_RSSIS,
	SIG_RSSISD,
	SIG_FDRI,
	SIG_FTSTAT,
	SIG_FTVER,
	SIG_FTDELTA,
	SIG_FT2D,
	SIG_RFBSB,
	SIG_RS2S1,
	SIG_ROWS
};
static const struct gb_member sig_rows[SIG_ROWS] = {
	[SIG_ANT] = {"ant", GB_MEMBER_INTEGER, UINT32},    [SIG_CHAN] = {"chan", GB_MEMBER_INTEGER, UINT32},
	[SIG_RSSIC] = {"rssic", GB_MEMBER_REAL, RSSI},     [SIG_LSNR] = {"lsnr", GB_MEMBER_REAL, SNR},
	[SIG_FTIME] = {"ftime", GB_MEMBER_ANY, 0, 0},      [SIG_FOFF] = {"foff", GB_MEMBER_INTEGER, INT32},
	[SIG_ETIME] = {"etime", GB_MEMBER_STRING, 0, 0},   [SIG_RSSIS] = {"rssis", GB_MEMBER_REAL, 0, 0},
	[SIG_RSSISD] = {"rssisd", GB_MEMBER_REAL, 0, 0},   [SIG_FDRI] = {"fdri", GB_MEMBER_REAL, 0, 0},
	[SIG_FTSTAT] = {"ftstat", GB_MEMBER_REAL, 0, 0},   [SIG_FTVER] = {"ftver", GB_MEMBER_REAL, 0, 0},
	[SIG_FTDELTA] = {"ftdelta", GB_MEMBER_REAL, 0, 0}, [SIG_FT2D] = {"ft2d", GB_MEMBER_REAL, 0, 0},
	[SIG_RFBSB] = {"rfbsb", GB_MEMBER_REAL, 0, 0},     [SIG_RS2S1] = {"rs2s1", GB_MEMBER_REAL, 0, 0},
};

static int16_t rounded(double value)
{
	return (int16_t)lround(value);
}

static void read_fine_time(const struct gb_json *json, int ftime, struct gb_rxpk *rxpk)
{
	int64_t ns;
	if (ftime == GB_JSON_NONE || gb_json_type(json, ftime) != GB_JSON_NUMBER ||
	    !gb_json_integer(json, ftime, &ns) || ns < 0 || ns > 999999999)
		return;
	rxpk->has_fine_time = true;
	rxpk->fine_time_ns = (uint32_t)ns;
}

/* Signal values of one place, from the entry or from an antenna. */
struct signal {
	int rssi, lsnr, chan, antenna, freq_offset, fine_time; /* tokens */
};

static void fill_signal(const struct gb_json *json, const struct signal *signal, struct gb_rxpk *rxpk)
{
	rxpk->has_rssi = signal->rssi != GB_JSON_NONE;
	rxpk->rssi_dbm = rounded(gb_schema_real(json, signal->rssi, 0));
	rxpk->has_snr = signal->lsnr != GB_JSON_NONE;
	rxpk->snr_cdb = rounded(gb_schema_real(json, signal->lsnr, 0) * 100);
	rxpk->channel = (uint32_t)gb_schema_integer(json, signal->chan, 0);
	rxpk->antenna = (uint32_t)gb_schema_integer(json, signal->antenna, 0);
	rxpk->freq_offset_hz = (int32_t)gb_schema_integer(json, signal->freq_offset, 0);
	read_fine_time(json, signal->fine_time, rxpk);
}

static int first_of(int value, int other)
{
	return value != GB_JSON_NONE ? value : other;
}

/* Where the entry has no rssi of its own: the antenna with the best SNR, of equals the one with the best
 * RSSI. */
static enum gb_verdict read_rsig(struct gb_json *json, int rsig, struct signal *best)
{
	double best_snr = -INFINITY, best_rssi = -INFINITY;
	bool found = false;
	for (int at = gb_json_first(json, rsig); at != GB_JSON_NONE; at = gb_json_next(json, rsig, at)) {
		if (gb_json_type(json, at) != GB_JSON_OBJECT)
			return GB_WRONG_TYPE;
		int values[SIG_ROWS];
		enum gb_verdict verdict = gb_schema_read(json, at, sig_rows, SIG_ROWS, values);
		if (verdict != GB_ACCEPTED)
			return verdict;
		double snr = gb_schema_real(json, values[SIG_LSNR], -1000);
		double rssi = gb_schema_real(json, values[SIG_RSSIC], -2000);
		if (found && (snr < best_snr || (snr == best_snr && rssi <= best_rssi)))
			continue;
		found = true;
		best_snr = snr;
		best_rssi = rssi;
		*best = (struct signal){values[SIG_RSSIC],
					values[SIG_LSNR],
					first_of(values[SIG_CHAN], best->chan),
					first_of(values[SIG_ANT], best->antenna),
					first_of(values[SIG_FOFF], best->freq_offset),
					first_of(values[SIG_FTIME], best->fine_time)};
	}
	return GB_ACCEPTED;
}

static enum gb_verdict read_signal(struct gb_json *json, const int *values, struct gb_rxpk *rxpk)
{
	struct signal own = {values[RX_RSSI], values[RX_LSNR], values[RX_CHAN],
			     values[RX_ANT],  values[RX_FOFF], values[RX_FTIME]};
	struct signal antenna = own;
	if (values[RX_RSIG] != GB_JSON_NONE) {
		enum gb_verdict verdict = read_rsig(json, values[RX_RSIG], &antenna);
		if (verdict != GB_ACCEPTED)
			return verdict;
	}
	fill_signal(json, own.rssi != GB_JSON_NONE ? &own : &antenna, rxpk);
	return GB_ACCEPTED;
}

static void read_time(const struct gb_json *json, const int *values, struct gb_rxpk *rxpk)
{
	int64_t tmms = gb_schema_integer(json, values[RX_TMMS], -1);
	if (tmms > 0) {
		rxpk->has_gps_time = true;
		rxpk->gps_time_us = tmms * 1000;
	}
	char text[40];
	int time = values[RX_TIME];
	if (time != GB_JSON_NONE && gb_json_type(json, time) == GB_JSON_STRING &&
	    gb_json_string(json, time, text, sizeof text))
		rxpk->has_utc = gb_utc_read(text, &rxpk->utc);
}

static enum gb_verdict read_payload(const struct gb_json *json, const int *values, struct gb_rxpk *rxpk)
{
	char text[1024];
	uint8_t bytes[sizeof text];
	size_t length;
	if (!gb_json_string(json, values[RX_DATA], text, sizeof text))
		return strlen(text) + 1 == sizeof text ? GB_TOO_LONG : GB_BAD_BASE64;
	if (!base64_decode(bytes, sizeof bytes, &length, text, strlen(text)))
		return GB_BAD_BASE64;
	if (length > LW_PHY_PAYLOAD_MAX)
		return GB_TOO_LONG;
	if (gb_schema_integer(json, values[RX_SIZE], (int64_t)length) != (int64_t)length)
		return GB_SIZE_DIFFERS;
	rxpk->phy_length = (uint8_t)length;
	memcpy(rxpk->phy, bytes, length);
	return GB_ACCEPTED;
}

enum gb_verdict gb_rxpk_read(struct gb_json *json, int entry, struct gb_rxpk *out)
{
	static const int required[] = {RX_TMST, RX_FREQ, RX_MODU, RX_DATR, RX_DATA};
	static const enum gw_crc crcs[] = {GW_CRC_BAD, GW_CRC_NONE, GW_CRC_OK};
	if (gb_json_type(json, entry) != GB_JSON_OBJECT)
		return GB_ENTRY_NOT_AN_OBJECT;
	int values[RX_ROWS];
	enum gb_verdict verdict = gb_schema_read(json, entry, rx_rows, RX_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		if (values[required[i]] == GB_JSON_NONE)
			return GB_MISSING_MEMBER;
	}
	if (values[RX_META] != GB_JSON_NONE && gb_json_has_duplicates(json, values[RX_META]))
		return GB_DUPLICATE_MEMBER;

	struct gb_rxpk rxpk = {.ticks = {(uint32_t)gb_schema_integer(json, values[RX_TMST], 0)},
			       .crc = crcs[gb_schema_integer(json, values[RX_STAT], 0) + 1],
			       .rf_chain = (uint32_t)gb_schema_integer(json, values[RX_RFCH], 0),
			       .board = (uint32_t)gb_schema_integer(json, values[RX_BRD], 0)};
	double freq = gb_schema_real(json, values[RX_FREQ], 0);
	if (!(freq > 0 && freq <= 10000) || llround(freq * 1e6) < 1)
		return GB_BAD_FREQUENCY;
	rxpk.freq_hz = (uint64_t)llround(freq * 1e6);
	if (!gb_modulation_kind_read(json, values[RX_MODU], &rxpk.modulation.kind))
		return GB_BAD_MODULATION;
	verdict = gb_data_rate_read(json, values[RX_DATR], &rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = gb_coding_rate_read(json, values[RX_CODR], &rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = read_signal(json, values, &rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = read_payload(json, values, &rxpk);
	if (verdict != GB_ACCEPTED)
		return verdict;
	read_time(json, values, &rxpk);
	*out = rxpk;
	return GB_ACCEPTED;
}
