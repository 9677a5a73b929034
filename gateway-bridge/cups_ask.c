#include "gateway-bridge/cups_ask.h"

#include "common/base/hex.h"
#include "common/crypto/secret.h"
#include "gateway-bridge/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRMWARE_MAX (64 << 20)

/* --- the question -------------------------------------------------------------------------------------------------- */

/* Fills text that stands in JSON as it is. */
static const char *plain(char out[GB_CUPS_URI_MAX], const char *text)
{
	size_t used = 0;
	for (; *text && used + 1 < GB_CUPS_URI_MAX; text++)
		out[used++] = *text < ' ' || *text > '~' || *text == '"' || *text == '\\' ? '_' : *text;
	out[used] = '\0';
	return out;
}

void gb_cups_ask_write(char text[GB_CUPS_ASK_TEXT], const struct gb_cups_question *question,
		       const struct gb_presented *presented)
{
	char station[GB_CUPS_URI_MAX], model[GB_CUPS_URI_MAX], package[GB_CUPS_URI_MAX];
	char tc[GB_CUPS_URI_MAX], cups[GB_CUPS_URI_MAX], keys[GB_CUPS_KEYS_MAX * 12 + 1] = "";
	size_t used = 0;
	for (size_t i = 0; i < question->key_count; i++)
		used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%" PRIu32, i ? "," : "",
					 question->keys[i]);
	snprintf(text, GB_CUPS_ASK_TEXT,
		 "{\"by\":\"%s\",\"issued_us\":%" PRId64 ",\"until_us\":%" PRId64
		 ",\"station\":\"%s\",\"model\":\"%s\",\"package\":\"%s\",\"tc_uri\":\"%s\",\"cups_uri\":\"%"
		 "s\","
		 "\"tc_crc\":%" PRIu32 ",\"cups_crc\":%" PRIu32 ",\"keys\":[%s]}",
		 presented->has_certificate ? "certificate" : "token", presented->certificate_issued_us,
		 presented->certificate_until.us, plain(station, question->station),
		 plain(model, question->model), plain(package, question->package),
		 plain(tc, question->tc_uri), plain(cups, question->cups_uri), question->tc_credentials_crc,
		 question->cups_credentials_crc, keys);
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

enum {
	CUPS_URI,
	TC_URI,
	CUPS_CREDENTIALS,
	TC_CREDENTIALS,
	FIRMWARE,
	FIRMWARE_SIZE,
	KEY_CRC,
	SIGNATURE,
	ROWS
};
static const struct gb_member rows[ROWS] = {
	[CUPS_URI] = {"cups_uri", GB_MEMBER_STRING, 0, 0},
	[TC_URI] = {"tc_uri", GB_MEMBER_STRING, 0, 0},
	[CUPS_CREDENTIALS] = {"cups_credentials", GB_MEMBER_STRING, 0, 0},
	[TC_CREDENTIALS] = {"tc_credentials", GB_MEMBER_STRING, 0, 0},
	[FIRMWARE] = {"firmware", GB_MEMBER_INTEGER, 1, 9007199254740992.0},
	[FIRMWARE_SIZE] = {"firmware_size", GB_MEMBER_INTEGER, 1, FIRMWARE_MAX},
	[KEY_CRC] = {"key_crc", GB_MEMBER_INTEGER, 0, 4294967295.0},
	[SIGNATURE] = {"signature", GB_MEMBER_STRING, 0, 0},
};

static bool take_text(const struct gb_json *json, int value, char text[GB_CUPS_URI_MAX])
{
	return value == GB_JSON_NONE || gb_json_string(json, value, text, GB_CUPS_URI_MAX);
}

static bool take_hex(const struct gb_json *json, int value, uint8_t *bytes, size_t capacity, size_t *length)
{
	if (value == GB_JSON_NONE)
		return true;
	char *text = malloc(2 * capacity + 1);
	bool good = text && gb_json_string(json, value, text, 2 * capacity + 1) &&
		    hex_decode(bytes, capacity, length, text, strlen(text));
	if (text)
		secret_wipe(text, 2 * capacity + 1);
	free(text);
	return good;
}

bool gb_cups_told_read(struct gb_json *json, const char *text, size_t length, struct gb_cups_told *told)
{
	int values[ROWS];
	memset(told, 0, sizeof *told);
	bool good = length <= GB_JSON_TEXT_MAX && gb_json_parse(json, text, length) == GB_ACCEPTED &&
		    gb_json_type(json, 0) == GB_JSON_OBJECT &&
		    gb_schema_read(json, 0, rows, ROWS, values) == GB_ACCEPTED &&
		    take_text(json, values[CUPS_URI], told->cups_uri) &&
		    take_text(json, values[TC_URI], told->tc_uri) &&
		    take_hex(json, values[CUPS_CREDENTIALS], told->cups_credentials,
			     sizeof told->cups_credentials, &told->cups_credentials_length) &&
		    take_hex(json, values[TC_CREDENTIALS], told->tc_credentials, sizeof told->tc_credentials,
			     &told->tc_credentials_length) &&
		    take_hex(json, values[SIGNATURE], told->signature, sizeof told->signature,
			     &told->signature_length);
	if (good) {
		told->firmware = gb_schema_integer(json, values[FIRMWARE], 0);
		told->firmware_size = (uint64_t)gb_schema_integer(json, values[FIRMWARE_SIZE], 0);
		told->key_crc = (uint32_t)gb_schema_integer(json, values[KEY_CRC], 0);
	}
	/* Firmware goes with its size and signature, or not at all. */
	if (good && told->firmware && (told->firmware_size == 0 || told->signature_length < 4))
		good = false;
	if (!good)
		secret_wipe(told, sizeof *told);
	return good;
}
