#include "cli/key_columns.h"

#include "common/base/check.h"
#include "common/text/record_schema.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const format_names[KEY_FORMAT_COUNT] = {
	[KEY_AUTO] = "auto", [KEY_LAMPPOST] = "lamppost",     [KEY_MAKER] = "maker",
	[KEY_TTS] = "tts",   [KEY_CHIRPSTACK] = "chirpstack", [KEY_THINGPARK] = "thingpark",
};

const char *key_format_name(enum key_format format)
{
	ASSERT_CMP((unsigned)format, <, KEY_FORMAT_COUNT);
	return format_names[format];
}

bool key_format_parse(const char *text, enum key_format *format)
{
	for (size_t i = 0; i < KEY_FORMAT_COUNT; i++) {
		if (strcmp(format_names[i], text) == 0) {
			*format = (enum key_format)i;
			return true;
		}
	}
	return false;
}

static const char *const field_names[KEY_FIELD_COUNT] = {
	[KEY_NONE] = "",
	[KEY_DEV_EUI] = "dev_eui",
	[KEY_JOIN_EUI] = "join_eui",
	[KEY_APP_KEY] = "app_key",
	[KEY_NWK_KEY] = "nwk_key",
	[KEY_NAME] = "name",
	[KEY_ID] = "id",
	[KEY_SERIAL] = "serial",
	[KEY_QR] = "qr",
	[KEY_OWNER_TOKEN] = "owner_token",
	[KEY_VERSION] = "lorawan_version",
	[KEY_DEV_ADDR] = "dev_addr",
	[KEY_NWK_S_KEY] = "nwk_s_key",
	[KEY_APP_S_KEY] = "app_s_key",
	[KEY_RECORD] = "",
};

const char *key_field_name(enum key_field field)
{
	ASSERT_CMP((unsigned)field, <, KEY_FIELD_COUNT);
	return field_names[field];
}

bool key_field_parse(const char *text, enum key_field *field)
{
	for (size_t i = 1; i < KEY_FIELD_COUNT; i++) {
		if (*field_names[i] && strcmp(field_names[i], text) == 0) {
			*field = (enum key_field)i;
			return true;
		}
	}
	const struct record_field *row = record_field(record_schema(RECORD_DEVICE), text);
	*field = KEY_RECORD;
	return row && !(row->flags & RECORD_SERVER);
}

/* Letters and digits alone, in small letters. */
static const struct {
	const char *title;
	enum key_field field;
} spellings[] = {
	{"deveui", KEY_DEV_EUI},
	{"deviceeui", KEY_DEV_EUI},
	{"enddeviceeui", KEY_DEV_EUI},
	{"eui", KEY_DEV_EUI},
	{"loradeveui", KEY_DEV_EUI},
	{"lorawandeveui", KEY_DEV_EUI},
	{"deveuihex", KEY_DEV_EUI},
	{"joineui", KEY_JOIN_EUI},
	{"appeui", KEY_JOIN_EUI},
	{"applicationeui", KEY_JOIN_EUI},
	{"loraappeui", KEY_JOIN_EUI},
	{"lorajoineui", KEY_JOIN_EUI},
	{"joineuiappeui", KEY_JOIN_EUI},
	{"appeuijoineui", KEY_JOIN_EUI},
	{"appkey", KEY_APP_KEY},
	{"applicationkey", KEY_APP_KEY},
	{"otaakey", KEY_APP_KEY},
	{"otaakeys", KEY_APP_KEY},
	{"loraappkey", KEY_APP_KEY},
	{"otaaappkey", KEY_APP_KEY},
	{"rootkey", KEY_APP_KEY},
	{"nwkkey", KEY_NWK_KEY},
	{"networkkey", KEY_NWK_KEY},
	{"loranwkkey", KEY_NWK_KEY},
	{"name", KEY_NAME},
	{"devicename", KEY_NAME},
	{"id", KEY_ID},
	{"deviceid", KEY_ID},
	{"sn", KEY_SERIAL},
	{"serial", KEY_SERIAL},
	{"serialnumber", KEY_SERIAL},
	{"serialno", KEY_SERIAL},
	{"devicesn", KEY_SERIAL},
	{"qr", KEY_QR},
	{"qrcode", KEY_QR},
	{"tr005", KEY_QR},
	{"onboardingtag", KEY_QR},
	{"ownertoken", KEY_OWNER_TOKEN},
	{"claimcode", KEY_OWNER_TOKEN},
	{"claimauthenticationcode", KEY_OWNER_TOKEN},
	{"cac", KEY_OWNER_TOKEN},
	{"lorawanversion", KEY_VERSION},
	{"macversion", KEY_VERSION},
	{"devaddr", KEY_DEV_ADDR},
	{"deviceaddress", KEY_DEV_ADDR},
	{"loradevaddr", KEY_DEV_ADDR},
	{"nwkskey", KEY_NWK_S_KEY},
	{"networksessionkey", KEY_NWK_S_KEY},
	{"fnwksintkey", KEY_NWK_S_KEY},
	{"loranwkskey", KEY_NWK_S_KEY},
	{"appskey", KEY_APP_S_KEY},
	{"applicationsessionkey", KEY_APP_S_KEY},
	{"loraappskey", KEY_APP_S_KEY},
};

/* The next letter or digit, small; '\0' at the end. Bytes beyond ASCII count as letters. */
static char next_letter(const char **at)
{
	while (**at && !isalnum((unsigned char)**at) && (unsigned char)**at < 0x80)
		(*at)++;
	return **at ? (char)tolower((unsigned char)*(*at)++) : '\0';
}

bool key_title_is(const char *title, const char *other)
{
	char a, b;
	do {
		a = next_letter(&title);
		b = next_letter(&other);
	} while (a == b && a);
	return a == b;
}

/* "DevEUI (hex)": the title ends where a bracket begins. */
static void without_bracket(const char *title, char out[64])
{
	size_t length = strcspn(title, "([");
	length = length < 63 ? length : 63;
	memcpy(out, title, length);
	out[length] = '\0';
}

/* Words that tell an order of bytes. */
static const struct {
	const char *word;
	enum key_order order;
} orders[] = {
	{"lsb first", KEY_LAST_BYTE_FIRST},     {"msb first", KEY_FIRST_BYTE_FIRST},
	{"little endian", KEY_LAST_BYTE_FIRST}, {"big endian", KEY_FIRST_BYTE_FIRST},
	{"little-endian", KEY_LAST_BYTE_FIRST}, {"big-endian", KEY_FIRST_BYTE_FIRST},
	{"lsbf", KEY_LAST_BYTE_FIRST},          {"msbf", KEY_FIRST_BYTE_FIRST},
	{"lsb", KEY_LAST_BYTE_FIRST},           {"msb", KEY_FIRST_BYTE_FIRST},
	{"reversed", KEY_LAST_BYTE_FIRST},
};

/* Where such a word stands by itself; NULL: nowhere. */
static const char *order_in(const char *title, size_t *row)
{
	for (*row = 0; *row < ARRAY_SIZE(orders); (*row)++) {
		size_t length = strlen(orders[*row].word);
		for (const char *at = title; *at; at++)
			if (strncasecmp(at, orders[*row].word, length) == 0 &&
			    (at == title || !isalnum((unsigned char)at[-1])) &&
			    !isalnum((unsigned char)at[length]))
				return at;
	}
	return NULL;
}

enum key_order key_column_order(const char *title)
{
	size_t row;
	return order_in(title, &row) ? orders[row].order : KEY_ORDER_NOT_SAID;
}

static void without_order(char *title)
{
	size_t row;
	const char *at = order_in(title, &row);
	if (at)
		memset(title + (at - title), ' ', strlen(orders[row].word));
}

enum key_field key_column(const char *title)
{
	char plain[64];
	enum key_field field;
	without_bracket(title, plain);
	without_order(plain);
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (key_title_is(plain, spellings[i].title))
			return spellings[i].field;
	return key_field_parse(title, &field) && field == KEY_RECORD ? KEY_RECORD : KEY_NONE;
}

static bool has(const char *const *titles, size_t count, const char *title)
{
	for (size_t i = 0; i < count; i++)
		if (key_title_is(titles[i], title))
			return true;
	return false;
}

/* Every column is one of ours, or one that nobody knows: then a misspelt one is to be named, not passed over. */
static bool is_ours(const char *const *titles, size_t count, char separator)
{
	enum key_field field;
	bool eui = false;
	for (size_t i = 0; i < count; i++) {
		bool exact = key_field_parse(titles[i], &field);
		const struct record_field *row = record_field(record_schema(RECORD_DEVICE), titles[i]);
		if (!row && (exact || key_column(titles[i]) != KEY_NONE))
			return false;
		eui |= row && strcmp(titles[i], "dev_eui") == 0;
	}
	return eui && separator == ',';
}

enum key_format key_format_guess(const char *const *titles, size_t count, char separator)
{
	if (count > 0 && (strcmp(titles[0], "CREATE_OTAA") == 0 || strcmp(titles[0], "CREATE_ABP") == 0))
		return KEY_THINGPARK;
	if (has(titles, count, "frequency_plan_id") || has(titles, count, "lorawan_phy_version"))
		return KEY_TTS;
	if (has(titles, count, "device_profile_id") || has(titles, count, "device_profile_name"))
		return KEY_CHIRPSTACK;
	return is_ours(titles, count, separator) ? KEY_LAMPPOST : KEY_MAKER;
}

size_t key_separator_line(const char *text, size_t length)
{
	size_t end = 5;
	if (length < 5 || strncasecmp(text, "sep=", 4) != 0 || !strchr(",;\t", text[4]))
		return 0;
	while (end < length && (text[end] == '\r' || text[end] == '\n') && text[end - 1] != '\n')
		end++;
	return text[end - 1] == '\n' || end == length ? end : 0;
}

char key_separator(const char *text, size_t length)
{
	if (key_separator_line(text, length) > 0)
		return text[4];
	static const char signs[] = {',', ';', '\t'};
	size_t counts[sizeof signs] = {0}, best = 0;
	bool quoted = false, began = false;
	for (size_t i = 0; i < length; i++) {
		if (!quoted && (text[i] == '\n' || text[i] == '\r')) {
			if (began)
				break;
			continue;
		}
		began = true;
		if (text[i] == '"')
			quoted = !quoted;
		for (size_t j = 0; !quoted && j < sizeof signs; j++)
			counts[j] += text[i] == signs[j];
	}
	for (size_t j = 1; j < sizeof signs; j++)
		if (counts[j] > counts[best])
			best = j;
	return signs[best];
}
