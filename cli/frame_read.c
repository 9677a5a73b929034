/* A frame of the server's JSON as plain values (frame_stream.h). */
#include "cli/frame_stream.h"

#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* A number from 0 to `max`; 0 where there is none. */
static int64_t number_of(const json_t *object, const char *key, int64_t max)
{
	json_int_t value = json_integer_value(json_object_get(object, key));
	return value >= 0 && value <= max ? value : 0;
}

static bool take_number(const char **at, int digits, int *value)
{
	*value = 0;
	for (; digits > 0; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (**at - '0');
	}
	return true;
}

/* RFC 3339 in UTC, as the server writes it; up to six decimals count. */
static bool read_time(const char *text, struct wall *time)
{
	static const char parts[] = "--T::"; /* what stands behind year, month, day, hour, minute */
	static const int digits[] = {4, 2, 2, 2, 2, 2};
	int values[6];
	for (size_t i = 0; i < 6; i++)
		if (!take_number(&text, digits[i], &values[i]) || (i < 5 && *text++ != parts[i]))
			return false;
	struct tm tm = {.tm_year = values[0] - 1900,
			.tm_mon = values[1] - 1,
			.tm_mday = values[2],
			.tm_hour = values[3],
			.tm_min = values[4],
			.tm_sec = values[5]};
	int64_t us = 0, unit = 100000;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			us += (*text - '0') * unit;
	if (strcmp(text, "Z") != 0 && strcmp(text, "+00:00") != 0)
		return false;
	*time = (struct wall){(int64_t)timegm(&tm) * US_PER_S + us};
	return true;
}

static bool read_modulation(struct cli_frame *frame, const json_t *modulation)
{
	const json_t *lora = json_object_get(modulation, "lora");
	if (lora) {
		frame->spreading_factor = (uint8_t)number_of(lora, "spreadingFactor", 12);
		frame->bandwidth_hz = (uint32_t)number_of(lora, "bandwidth", UINT32_MAX);
		snprintf(frame->code_rate, sizeof frame->code_rate, "%s", text_of(lora, "codeRate"));
	}
	frame->bit_rate_bps = (uint32_t)number_of(json_object_get(modulation, "fsk"), "datarate", UINT32_MAX);
	return json_is_object(modulation);
}

static void read_reception(struct cli_reception *out, const json_t *in)
{
	const json_t *rssi = json_object_get(in, "rssi"), *snr = json_object_get(in, "snr");
	*out = (struct cli_reception){
		.has_rssi = json_is_integer(rssi),
		.rssi_dbm = (int)json_integer_value(rssi),
		.has_snr = json_is_number(snr),
		.snr_db = json_number_value(snr),
		.channel = (unsigned)number_of(in, "channel", UINT16_MAX),
		.rf_chain = (unsigned)number_of(in, "rfChain", UINT16_MAX),
		.board = (unsigned)number_of(in, "board", UINT16_MAX),
		.antenna = (unsigned)number_of(in, "antenna", UINT16_MAX),
	};
	snprintf(out->gateway, sizeof out->gateway, "%s", text_of(in, "gatewayId"));
	out->has_time = read_time(text_of(in, "nsTime"), &out->time);
}

bool cli_frame_read(struct cli_frame *frame, const json_t *json)
{
	const json_t *tx = json_object_get(json, "tx"), *rx = json_object_get(json, "rxInfo");
	const json_t *info = json_object_get(json, "txInfo");
	const char *phy = text_of(json, "phyPayload");
	size_t length, i;
	const json_t *reception;
	*frame = (struct cli_frame){
		.json = json,
		.number = (uint64_t)json_integer_value(json_object_get(json, "number")),
		.down = strcmp(text_of(json, "direction"), "down") == 0,
		.freq_hz = (uint32_t)number_of(info, "frequency", UINT32_MAX),
		.answered = json_is_true(json_object_get(tx, "answered")),
		.power_dbm = (int)json_integer_value(json_object_get(tx, "power")),
	};
	snprintf(frame->tx_gateway, sizeof frame->tx_gateway, "%s", text_of(tx, "gatewayId"));
	json_array_foreach(rx, i, reception)
	{
		if (frame->reception_count < CLI_FRAME_RECEPTIONS)
			read_reception(&frame->receptions[frame->reception_count++], reception);
	}
	if (!hex_decode(frame->phy, sizeof frame->phy, &length, phy, strlen(phy)) || length == 0)
		return false;
	frame->phy_length = (uint8_t)length;
	return read_modulation(frame, json_object_get(info, "modulation")) &&
	       read_time(text_of(json, "time"), &frame->time);
}
