#include "gateway-bridge/station_fields.h"

#include "common/base/hex.h"
#include "gateway-bridge/schema.h"

#include <stdio.h>
#include <string.h>

#define GROUPS 4 /* of id6 */

enum gb_verdict gb_station_open(struct gb_json *json, const char *text, size_t length)
{
	if (length > GB_JSON_TEXT_MAX)
		return GB_TOO_LONG;
	enum gb_verdict verdict = gb_json_parse(json, text, length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	return gb_json_type(json, 0) == GB_JSON_OBJECT ? GB_ACCEPTED : GB_NOT_AN_OBJECT;
}

bool gb_station_dashed(const char *text, struct lw_eui64 *eui)
{
	uint8_t bytes[8];
	size_t length = strlen(text);
	if (length != 6 * 3 - 1 && length != 8 * 3 - 1)
		return false;
	for (size_t i = 0; i <= length; i += 3) {
		int high = hex_digit(text[i]), low = high < 0 ? -1 : hex_digit(text[i + 1]);
		if (low < 0 || (text[i + 2] != '-' && text[i + 2] != 0))
			return false;
		bytes[i / 3] = (uint8_t)(high << 4 | low);
	}
	if (length == 6 * 3 - 1) {
		memmove(bytes + 5, bytes + 3, 3);
		bytes[3] = 0xff;
		bytes[4] = 0xfe;
	}
	memcpy(eui->bytes, bytes, sizeof bytes);
	return true;
}

/* Reads groups up to the end or "::". Returns their number; −1 when they are malformed. */
static int read_groups(const char **at, uint16_t groups[GROUPS])
{
	int count = 0;
	while (**at != 0 && **at != ':') {
		unsigned value = 0;
		int digits = 0, digit;
		for (; (digit = hex_digit(**at)) >= 0; (*at)++, digits++)
			value = value << 4 | (unsigned)digit;
		if (digits == 0 || digits > 4 || count == GROUPS)
			return -1;
		groups[count++] = (uint16_t)value;
		if (**at == 0)
			return count;
		if ((*at)[0] != ':')
			return -1;
		if ((*at)[1] == ':')
			return count;
		if ((*at)[1] == 0)
			return -1;
		(*at)++;
	}
	return count;
}

static bool read_id6(const char *text, struct lw_eui64 *eui)
{
	uint16_t head[GROUPS], tail[GROUPS], groups[GROUPS] = {0};
	int before = read_groups(&text, head), after = 0;
	if (before < 0)
		return false;
	if (text[0] == ':') {
		if (text[1] != ':')
			return false;
		text += 2;
		after = read_groups(&text, tail);
		if (after < 0 || *text != 0 || before + after >= GROUPS)
			return false;
	} else if (before != GROUPS) {
		return false;
	}
	for (int i = 0; i < before; i++)
		groups[i] = head[i];
	for (int i = 0; i < after; i++)
		groups[GROUPS - after + i] = tail[i];
	for (size_t i = 0; i < GROUPS; i++) {
		eui->bytes[2 * i] = (uint8_t)(groups[i] >> 8);
		eui->bytes[2 * i + 1] = (uint8_t)groups[i];
	}
	return true;
}

bool gb_station_identifier(const struct gb_json *json, int value, struct lw_eui64 *eui)
{
	char text[48];
	uint64_t number;
	if (gb_json_type(json, value) == GB_JSON_NUMBER) {
		if (!gb_json_natural(json, value, &number))
			return false;
		*eui = lw_eui64_from_number(number);
		return true;
	}
	if (gb_json_type(json, value) != GB_JSON_STRING || !gb_json_string(json, value, text, sizeof text))
		return false;
	const char *id = strncmp(text, "router-", 7) == 0 ? text + 7 : text;
	return gb_station_dashed(id, eui) || read_id6(id, eui);
}

void gb_station_id6(char text[GB_STATION_ID6_TEXT], const struct lw_eui64 *eui)
{
	const uint8_t *b = eui->bytes;
	snprintf(text, GB_STATION_ID6_TEXT, "%x:%x:%x:%x", b[0] << 8 | b[1], b[2] << 8 | b[3],
		 b[4] << 8 | b[5], b[6] << 8 | b[7]);
}

enum gb_verdict gb_station_discovery(struct gb_json *json, const char *text, size_t length,
				     struct lw_eui64 *router)
{
	static const struct gb_member rows[] = {{"router", GB_MEMBER_RAW, 0, 0}};
	int value;
	enum gb_verdict verdict = gb_station_open(json, text, length);
	if (verdict == GB_ACCEPTED)
		verdict = gb_schema_read(json, 0, rows, 1, &value);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (value == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	enum gb_json_type type = gb_json_type(json, value);
	if (type != GB_JSON_NUMBER && type != GB_JSON_STRING)
		return GB_WRONG_TYPE;
	return gb_station_identifier(json, value, router) ? GB_ACCEPTED : GB_BAD_EUI;
}
