/* Which column of a key file is what. Every manufacturer and every server names them in its own way; here they are rows:
 * spellings (compared without case, blanks and signs) and the field each is. Formats differ in what they do with a column
 * that nobody knows, and in a few habits that are told beside each. Pure. */
#ifndef LAMPPOST_CLI_KEY_COLUMNS_H
#define LAMPPOST_CLI_KEY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum key_format {
	KEY_AUTO,
	KEY_LAMPPOST,   /* our own CSV: an unknown column is refused */
	KEY_MAKER,      /* a manufacturer's list: any header that we can read; the rest is passed over */
	KEY_TTS,        /* The Things Stack: CSV with semicolons, or JSON */
	KEY_CHIRPSTACK, /* ChirpStack's API fields, CSV or JSON: the AppKey of a 1.0 device is its nwkKey */
	KEY_THINGPARK,  /* ThingPark: no header, CREATE_OTAA,... */
	KEY_FORMAT_COUNT
};
const char *key_format_name(enum key_format format); /* "auto", "lamppost", "maker"... */
bool key_format_parse(const char *text, enum key_format *format);

/* What a column can be: a field of a device's record, or one of these. */
enum key_field {
	KEY_NONE, /* nobody knows; passed over */
	KEY_DEV_EUI,
	KEY_JOIN_EUI,
	KEY_APP_KEY,
	KEY_NWK_KEY,
	KEY_NAME,
	KEY_ID, /* a name in want of another */
	KEY_SERIAL,
	KEY_QR, /* a TR005 code */
	KEY_OWNER_TOKEN,
	KEY_VERSION, /* of LoRaWAN, as MAC_V1_0_3 */
	KEY_DEV_ADDR,
	KEY_NWK_S_KEY,
	KEY_APP_S_KEY,
	KEY_RECORD, /* another field of the record, by its own name */
	KEY_FIELD_COUNT
};
const char *key_field_name(enum key_field field); /* "dev_eui"; of the record where it is one of its fields */
/* By its name, for --map; false: there is none. "dev_eui_lsb" is dev_eui with its last byte first: the suffix is not read here. */
bool key_field_parse(const char *text, enum key_field *field);

/* What a header's cell is. */
enum key_field key_column(const char *title);
/* What it says of the order of bytes, as in "DevEUI (LSB)" and "AppEUI, little endian". */
enum key_order { KEY_ORDER_NOT_SAID, KEY_FIRST_BYTE_FIRST, KEY_LAST_BYTE_FIRST };
enum key_order key_column_order(const char *title);
/* Whether two titles are the same but for case, blanks and signs. */
bool key_title_is(const char *title, const char *other);
/* Guesses the format by the header's cells. */
enum key_format key_format_guess(const char *const *titles, size_t count, char separator);

/* The length of a first line "sep=;" that a spreadsheet wrote, with its end; 0: there is none. */
size_t key_separator_line(const char *text, size_t length);
/* The sign that parts the cells: ; tab or , by what the first line has most of outside of quotes. */
char key_separator(const char *text, size_t length);

#endif
