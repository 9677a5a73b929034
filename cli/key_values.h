/* The cells of manufacturers' files as people and spreadsheets leave them: EUIs with dashes, keys in pairs, 0x before it, an
 * apostrophe or ="..." that keeps a spreadsheet from counting. What a spreadsheet has counted is refused in words: the digits
 * are gone, and a guess would be somebody else's device. Pure. */
#ifndef LAMPPOST_CLI_KEY_VALUES_H
#define LAMPPOST_CLI_KEY_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#define KEY_VALUE_MAX 256 /* bytes of a cell that is an identifier or a key */

/* Cleans a value of `digits` hex digits (16 an EUI, 32 a key, 8 an address) into `out`, NUL-terminated, in lower case. NULL, or
 * why it is none; the words never repeat the value. The caller wipes `out` where it was a key. */
const char *key_value_hex(const char *text, size_t digits, char out[KEY_VALUE_MAX]);
/* Turns a value round byte by byte, for one that is written with its last byte first. */
void key_value_turn(char value[KEY_VALUE_MAX]);
/* Whether an EUI (16 digits, cleaned) ends as devices' EUIs begin, and does not begin so: as one that is written with its last
 * byte first. */
bool key_value_looks_turned(const char *eui);
/* Takes off white space, an apostrophe before it and ="..." around it; false when it does not fit. */
bool key_value_plain(const char *text, char out[KEY_VALUE_MAX]);

#endif
