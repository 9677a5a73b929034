#include "gateway-bridge/semtech_fields.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

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

bool gb_modulation_kind_read(const struct gb_json *json, int modu, enum lw_modulation_kind *kind)
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

enum gb_verdict gb_data_rate_read(const struct gb_json *json, int datr, struct gb_rxpk *rxpk)
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
enum gb_verdict gb_coding_rate_read(const struct gb_json *json, int codr, struct gb_rxpk *rxpk)
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

/* Days from 1970-01-01 to a date of the Gregorian calendar, for years from 1970 on. */
static int64_t days_from_date(int year, int month, int day)
{
	static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t years = year - 1970,
		leap_days = (year - 1 - 1968) / 4 - (year - 1 - 1900) / 100 + (year - 1 - 1600) / 400;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return years * 365 + leap_days + before_month[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

bool gb_utc_read(const char *text, struct wall *utc)
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
