/* The body of PUSH_DATA: the entries of rxpk, and stat. Each entry is read against a table of its members,
 * then checked in the order in which a person would explain it. */
#include "gateway-bridge/semtech_udp.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "gateway-bridge/schema.h"

#include <math.h>
#include <stdio.h>
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

/* --- the body
 * --------------------------------------------------------------------------------------------------- */

enum gb_verdict gb_push_open(struct gb_json *json, const uint8_t *body, size_t length, struct gb_push *push)
{
	enum { BODY_RXPK, BODY_STAT, BODY_ROWS };
	static const struct gb_member rows[BODY_ROWS] = {
		[BODY_RXPK] = {"rxpk", GB_MEMBER_RAW, 0, 0},
		[BODY_STAT] = {"stat", GB_MEMBER_RAW, 0, 0},
	};
	const char *text = (const char *)body;
	if (length > 0 && text[length - 1] == 0)
		length--;
	enum gb_verdict verdict = gb_json_parse(json, text, length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (gb_json_type(json, 0) != GB_JSON_OBJECT)
		return GB_NOT_AN_OBJECT;
	int values[BODY_ROWS];
	verdict = gb_schema_read(json, 0, rows, BODY_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	int rxpk = values[BODY_RXPK], stat = values[BODY_STAT];
	if (rxpk != GB_JSON_NONE && gb_json_type(json, rxpk) != GB_JSON_ARRAY)
		return GB_RXPK_NOT_AN_ARRAY;
	*push = (struct gb_push){
		.json = json,
		.rxpk = rxpk,
		.entry = rxpk == GB_JSON_NONE ? GB_JSON_NONE : gb_json_first(json, rxpk),
		.stat = stat,
	};
	return GB_ACCEPTED;
}

/* --- modulation and data rate
 * ----------------------------------------------------------------------------------- */

/* The bandwidths of LoRa as they are written; 2.4 GHz ones occur rounded in two ways. */
static const struct {
	unsigned khz;
	uint32_t hz;
} bandwidths[] = {{125, 125000}, {250, 250000}, {500, 500000}, {203, 203125},   {200, 203125},  {406, 406250},
		  {400, 406250}, {812, 812500}, {800, 812500}, {1625, 1625000}, {1600, 1625000}};

/* Reads decimal digits without a sign or a leading zero; false when there are none or more than 7. */
static bool read_digits(const char **at, unsigned *number)
{
	const char *text = *at;
	unsigned value = 0, digits = 0;
	if (*text == '0')
		return false;
	for (; *text >= '0' && *text <= '9'; text++, digits++) {
		if (digits == 7)
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	*at = text;
	*number = value;
	return digits > 0;
}

static bool read_lora_rate(const char *text, struct lw_modulation *modulation)
{
	unsigned spreading, khz;
	if (strncmp(text, "SF", 2) != 0)
		return false;
	text += 2;
	if (!read_digits(&text, &spreading) || spreading < 5 || spreading > 12 || strncmp(text, "BW", 2) != 0)
		return false;
	text += 2;
	if (!read_digits(&text, &khz) || *text != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(bandwidths); i++) {
		if (bandwidths[i].khz == khz) {
			modulation->spreading_factor = (uint8_t)spreading;
			modulation->bandwidth_hz = bandwidths[i].hz;
			return true;
		}
	}
	return false;
}

static bool read_lr_fhss_rate(const char *text, struct lw_modulation *modulation)
{
	unsigned khz;
	if (strncmp(text, "M0CW", 4) != 0)
		return false;
	text += 4;
	if (!read_digits(&text, &khz) || *text != 0 || khz > UINT32_MAX / 1000)
		return false;
	modulation->bandwidth_hz = khz * 1000;
	return true;
}

static enum gb_verdict read_fsk_rate(const struct gb_json *json, int datr, struct gb_rxpk *rxpk)
{
	int64_t rate;
	if (gb_json_type(json, datr) != GB_JSON_NUMBER)
		return GB_WRONG_TYPE;
	if (!gb_json_integer(json, datr, &rate) || rate < 1 || rate > UINT32_MAX)
		return GB_BAD_DATA_RATE;
	rxpk->modulation.bit_rate_bps = (uint32_t)rate;
	snprintf(rxpk->data_rate, sizeof rxpk->data_rate, "FSK%u", rxpk->modulation.bit_rate_bps);
	return GB_ACCEPTED;
}

static bool read_modulation_kind(const struct gb_json *json, int modu, enum lw_modulation_kind *kind)
{
	static const struct {
		const char *name;
		enum lw_modulation_kind kind;
	} kinds[] = {{"LORA", LW_LORA}, {"FSK", LW_FSK}, {"LR-FHSS", LW_LR_FHSS}, {"LRFHSS", LW_LR_FHSS}};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (gb_json_equals(json, modu, kinds[i].name)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static enum gb_verdict read_data_rate(const struct gb_json *json, int datr, struct gb_rxpk *rxpk)
{
	if (rxpk->modulation.kind == LW_FSK)
		return read_fsk_rate(json, datr, rxpk);
	if (gb_json_type(json, datr) != GB_JSON_STRING)
		return GB_WRONG_TYPE;
	if (!gb_json_string(json, datr, rxpk->data_rate, sizeof rxpk->data_rate))
		return GB_BAD_DATA_RATE;
	bool good = rxpk->modulation.kind == LW_LORA ? read_lora_rate(rxpk->data_rate, &rxpk->modulation)
						     : read_lr_fhss_rate(rxpk->data_rate, &rxpk->modulation);
	return good ? GB_ACCEPTED : GB_BAD_DATA_RATE;
}

/* LR-FHSS rates are written in eighths or sixths by some; the city's records have one form. */
static enum gb_verdict read_coding_rate(const struct gb_json *json, int codr, struct gb_rxpk *rxpk)
{
	static const char *const reduced[][2] = {{"2/6", "1/3"}, {"4/6", "2/3"}, {"4/8", "1/2"}};
	if (codr == GB_JSON_NONE || gb_json_equals(json, codr, "OFF"))
		return GB_ACCEPTED;
	char *text = rxpk->coding_rate;
	if (!gb_json_string(json, codr, text, sizeof rxpk->coding_rate))
		return GB_BAD_CODING_RATE;
	for (size_t i = 0; i < ARRAY_SIZE(reduced) && rxpk->modulation.kind == LW_LR_FHSS; i++) {
		if (strcmp(text, reduced[i][0]) == 0)
			memcpy(text, reduced[i][1], sizeof "1/3");
	}
	if (strlen(text) < sizeof rxpk->modulation.code_rate && strspn(text, "0123456789/LI") == strlen(text))
		memcpy(rxpk->modulation.code_rate, text, strlen(text) + 1);
	return GB_ACCEPTED;
}

/* --- signal and time
 * -------------------------------------------------------------------------------------------- */

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

/* Days from 1970-01-01 to a date of the Gregorian calendar, for years from 1970 on. */
static int64_t days_from_date(int year, int month, int day)
{
	static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t years = year - 1970,
		leap_days = (year - 1 - 1968) / 4 - (year - 1 - 1900) / 100 + (year - 1 - 1600) / 400;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return years * 365 + leap_days + before_month[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

/* ISO 8601 with Z or an offset, of 2017 or later (before, the leap seconds differ from ours). Anything else
 * counts as no time: gateways write all sorts of things there. */
static bool read_utc(const char *text, struct wall *utc)
{
	int year, month, day, hour, minute, second, used = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) !=
		    6 ||
	    used != 19)
		return false;
	if (year < 2017 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	text += used;
	int64_t fraction_us = 0;
	if (*text == '.') {
		int64_t unit = 100000;
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			fraction_us += (*text - '0') * unit;
	}
	int64_t offset_s = 0;
	if (*text == '+' || *text == '-') {
		int hours, minutes;
		int sign = *text == '-' ? -1 : 1;
		used = 0;
		if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 ||
		    text[6] != 0 || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
			return false;
		offset_s = sign * (hours * 3600 + minutes * 60);
	} else if (strcmp(text, "Z") != 0) {
		return false;
	}
	int64_t seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
			  offset_s;
	utc->us = seconds * US_PER_S + fraction_us;
	return true;
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
		rxpk->has_utc = read_utc(text, &rxpk->utc);
}

/* --- one entry
 * -------------------------------------------------------------------------------------------------- */

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

static enum gb_verdict read_entry(struct gb_json *json, int entry, struct gb_rxpk *out)
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
	if (!read_modulation_kind(json, values[RX_MODU], &rxpk.modulation.kind))
		return GB_BAD_MODULATION;
	verdict = read_data_rate(json, values[RX_DATR], &rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = read_coding_rate(json, values[RX_CODR], &rxpk);
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

bool gb_push_next(struct gb_push *push, struct gb_rxpk *rxpk, enum gb_verdict *verdict)
{
	if (push->entry == GB_JSON_NONE)
		return false;
	*verdict = read_entry(push->json, push->entry, rxpk);
	push->entry = gb_json_next(push->json, push->rxpk, push->entry);
	return true;
}

/* --- stat
 * ------------------------------------------------------------------------------------------------------- */

enum {
	STAT_RXNB,
	STAT_RXOK,
	STAT_RXFW,
	STAT_DWNB,
	STAT_TXNB,
	STAT_ACKR,
	STAT_LATI,
	STAT_LONG,
	STAT_ALTI,
	STAT_TEMP,
	STAT_ROWS
};
static const struct gb_member stat_rows[STAT_ROWS] = {
	[STAT_RXNB] = {"rxnb", GB_MEMBER_ANY, 0, 0}, [STAT_RXOK] = {"rxok", GB_MEMBER_ANY, 0, 0},
	[STAT_RXFW] = {"rxfw", GB_MEMBER_ANY, 0, 0}, [STAT_DWNB] = {"dwnb", GB_MEMBER_ANY, 0, 0},
	[STAT_TXNB] = {"txnb", GB_MEMBER_ANY, 0, 0}, [STAT_ACKR] = {"ackr", GB_MEMBER_ANY, 0, 0},
	[STAT_LATI] = {"lati", GB_MEMBER_ANY, 0, 0}, [STAT_LONG] = {"long", GB_MEMBER_ANY, 0, 0},
	[STAT_ALTI] = {"alti", GB_MEMBER_ANY, 0, 0}, [STAT_TEMP] = {"temp", GB_MEMBER_ANY, 0, 0},
};

/* A number within its bounds; any other content counts as absent. */
static bool read_stat(const struct gb_json *json, int value, double min, double max, double *out)
{
	double real;
	if (value == GB_JSON_NONE || gb_json_type(json, value) != GB_JSON_NUMBER ||
	    !gb_json_real(json, value, &real) || real < min || real > max)
		return false;
	*out = real;
	return true;
}

static void read_counts(const struct gb_json *json, const int *values, struct gw_stats *stats)
{
	uint32_t *const counts[] = {&stats->rx_received, &stats->rx_ok, &stats->rx_forwarded,
				    &stats->tx_received, &stats->tx_emitted};
	static const int rows[] = {STAT_RXNB, STAT_RXOK, STAT_RXFW, STAT_DWNB, STAT_TXNB};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		double count;
		if (read_stat(json, values[rows[i]], UINT32, &count)) {
			*counts[i] = (uint32_t)count;
			stats->has_counts = true;
		}
	}
}

/* 0/0 and the sample configuration's 10/20 mean that nobody entered a place. */
static void read_location(const struct gb_json *json, const int *values, struct gw_stats *stats)
{
	double latitude, longitude, altitude = 0;
	if (!read_stat(json, values[STAT_LATI], -90, 90, &latitude) ||
	    !read_stat(json, values[STAT_LONG], -180, 180, &longitude))
		return;
	if ((latitude == 0 && longitude == 0) || (latitude == 10 && longitude == 20))
		return;
	(void)read_stat(json, values[STAT_ALTI], -1000, 100000, &altitude);
	stats->has_location = true;
	stats->latitude_deg = latitude;
	stats->longitude_deg = longitude;
	stats->altitude_m = (int32_t)lround(altitude);
}

bool gb_push_stat(struct gb_push *push, struct gw_stats *out, enum gb_verdict *verdict)
{
	struct gb_json *json = push->json;
	if (push->stat == GB_JSON_NONE)
		return false;
	*verdict = GB_STAT_NOT_AN_OBJECT;
	if (gb_json_type(json, push->stat) != GB_JSON_OBJECT)
		return true;
	int values[STAT_ROWS];
	*verdict = gb_schema_read(json, push->stat, stat_rows, STAT_ROWS, values);
	if (*verdict != GB_ACCEPTED)
		return true;
	struct gw_stats stats = {.has_counts = false};
	double value;
	read_counts(json, values, &stats);
	read_location(json, values, &stats);
	stats.has_ack_permille = read_stat(json, values[STAT_ACKR], 0, 100, &value);
	if (stats.has_ack_permille)
		stats.ack_permille = (uint32_t)lround(value * 10);
	stats.has_temperature = read_stat(json, values[STAT_TEMP], -273.15, 1000, &value);
	if (stats.has_temperature)
		stats.temperature_cdeg = (int32_t)lround(value * 100);
	*out = stats;
	return true;
}
