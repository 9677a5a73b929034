#include "gateway-bridge/cups.h"

#include "gateway-bridge/schema.h"
#include "gateway-bridge/station_fields.h"

#include <string.h>

enum {
	CUPS_ROUTER,
	CUPS_URI,
	CUPS_TC_URI,
	CUPS_CRC,
	CUPS_TC_CRC,
	CUPS_STATION,
	CUPS_MODEL,
	CUPS_PACKAGE,
	CUPS_KEYS,
	CUPS_ROWS
};
static const struct gb_member rows[CUPS_ROWS] = {
	[CUPS_ROUTER] = {"router", GB_MEMBER_RAW, 0, 0},
	[CUPS_URI] = {"cupsUri", GB_MEMBER_STRING, 0, 0},
	[CUPS_TC_URI] = {"tcUri", GB_MEMBER_STRING, 0, 0},
	[CUPS_CRC] = {"cupsCredCrc", GB_MEMBER_INTEGER, 0, 4294967295.0},
	[CUPS_TC_CRC] = {"tcCredCrc", GB_MEMBER_INTEGER, 0, 4294967295.0},
	[CUPS_STATION] = {"station", GB_MEMBER_STRING, 0, 0},
	[CUPS_MODEL] = {"model", GB_MEMBER_STRING, 0, 0},
	[CUPS_PACKAGE] = {"package", GB_MEMBER_STRING, 0, 0},
	[CUPS_KEYS] = {"keys", GB_MEMBER_ARRAY, 0, 0},
};

static void read_cut(const struct gb_json *json, int value, char *text, size_t capacity)
{
	if (value != GB_JSON_NONE)
		(void)gb_json_string(json, value, text, capacity);
}

static bool read_whole(const struct gb_json *json, int value, char *text, size_t capacity)
{
	return value == GB_JSON_NONE || gb_json_string(json, value, text, capacity);
}

static enum gb_verdict read_keys(const struct gb_json *json, int keys, struct gb_cups_question *question)
{
	if (keys == GB_JSON_NONE)
		return GB_ACCEPTED;
	for (int at = gb_json_first(json, keys); at != GB_JSON_NONE; at = gb_json_next(json, keys, at)) {
		uint64_t crc;
		if (gb_json_type(json, at) != GB_JSON_NUMBER || !gb_json_natural(json, at, &crc))
			return GB_WRONG_TYPE;
		if (crc > UINT32_MAX || question->key_count == GB_CUPS_KEYS_MAX)
			return GB_OUT_OF_RANGE;
		question->keys[question->key_count++] = (uint32_t)crc;
	}
	return GB_ACCEPTED;
}

enum gb_verdict gb_cups_question(struct gb_json *json, const char *text, size_t length,
				 struct gb_cups_question *question)
{
	int values[CUPS_ROWS];
	enum gb_verdict verdict = gb_station_open(json, text, length);
	if (verdict == GB_ACCEPTED)
		verdict = gb_schema_read(json, 0, rows, CUPS_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (values[CUPS_ROUTER] == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	struct gb_cups_question read = {0};
	enum gb_json_type type = gb_json_type(json, values[CUPS_ROUTER]);
	if (type != GB_JSON_NUMBER && type != GB_JSON_STRING)
		return GB_WRONG_TYPE;
	if (!gb_station_identifier(json, values[CUPS_ROUTER], &read.router))
		return GB_BAD_EUI;
	if (!read_whole(json, values[CUPS_URI], read.cups_uri, sizeof read.cups_uri) ||
	    !read_whole(json, values[CUPS_TC_URI], read.tc_uri, sizeof read.tc_uri))
		return GB_TOO_LONG;
	read.cups_credentials_crc = (uint32_t)gb_schema_integer(json, values[CUPS_CRC], 0);
	read.tc_credentials_crc = (uint32_t)gb_schema_integer(json, values[CUPS_TC_CRC], 0);
	read_cut(json, values[CUPS_STATION], read.station, sizeof read.station);
	read_cut(json, values[CUPS_MODEL], read.model, sizeof read.model);
	read_cut(json, values[CUPS_PACKAGE], read.package, sizeof read.package);
	verdict = read_keys(json, values[CUPS_KEYS], &read);
	if (verdict == GB_ACCEPTED)
		*question = read;
	return verdict;
}

bool gb_cups_answer(struct wr *wr, const struct gb_cups_update *update)
{
	size_t cups_uri = update->cups_uri ? strlen(update->cups_uri) : 0;
	size_t tc_uri = update->tc_uri ? strlen(update->tc_uri) : 0;
	size_t signature = update->signature_length;
	if (cups_uri >= GB_CUPS_URI_MAX || tc_uri >= GB_CUPS_URI_MAX ||
	    update->cups_credentials_length > UINT16_MAX || update->tc_credentials_length > UINT16_MAX ||
	    (signature != 0 && (signature < 4 || signature > 128)) || update->firmware_length > UINT32_MAX)
		return false;
	wr_u8(wr, (uint8_t)cups_uri);
	wr_copy(wr, (const uint8_t *)update->cups_uri, cups_uri);
	wr_u8(wr, (uint8_t)tc_uri);
	wr_copy(wr, (const uint8_t *)update->tc_uri, tc_uri);
	wr_u16le(wr, (uint16_t)update->cups_credentials_length);
	wr_copy(wr, update->cups_credentials, update->cups_credentials_length);
	wr_u16le(wr, (uint16_t)update->tc_credentials_length);
	wr_copy(wr, update->tc_credentials, update->tc_credentials_length);
	wr_u32le(wr, signature ? (uint32_t)(signature + 4) : 0);
	if (signature) {
		wr_u32le(wr, update->key_crc);
		wr_copy(wr, update->signature, signature);
	}
	wr_u32le(wr, (uint32_t)update->firmware_length);
	if (update->firmware)
		wr_copy(wr, update->firmware, update->firmware_length);
	return wr_ok(wr);
}
