#include "cli/key_values.h"

#include "common/base/hex.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool key_value_plain(const char *text, char out[KEY_VALUE_MAX])
{
	size_t length = strlen(text);
	while (length > 0 && is_blank(*text))
		text++, length--;
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	if (length >= 3 && text[0] == '=' && text[1] == '"' && text[length - 1] == '"') {
		text += 2;
		length -= 3;
	} else if (length > 0 && text[0] == '\'') {
		text++;
		length--;
	}
	if (length >= KEY_VALUE_MAX)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

/* "1.23457E+15", "7,04E+18", "1.0": what becomes of digits in a cell that counts. */
static bool was_counted(const char *text)
{
	size_t digits = 0, points = 0;
	for (; isdigit((unsigned char)*text) || *text == '.' || *text == ','; text++) {
		digits += isdigit((unsigned char)*text) != 0;
		points += *text == '.' || *text == ',';
	}
	if (digits == 0)
		return false;
	bool exponent = (*text == 'E' || *text == 'e') && (text[1] == '+' || text[1] == '-');
	return exponent || (*text == '\0' && points == 1);
}

static bool is_between(char c)
{
	return c == ':' || c == '-' || c == '.' || c == '_' || c == ',' || c == '{' || c == '}' ||
	       is_blank(c);
}

/* Drops what stands between digits, and each pair's "0x". */
static size_t squeeze(char *text)
{
	size_t used = 0;
	for (const char *at = text; *at; at++) {
		if (is_between(*at))
			continue;
		if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
			at++;
			continue;
		}
		text[used++] = (char)tolower((unsigned char)*at);
	}
	text[used] = '\0';
	return used;
}

const char *key_value_hex(const char *text, size_t digits, char out[KEY_VALUE_MAX])
{
	if (!key_value_plain(text, out))
		return "far too long";
	if (was_counted(out))
		return "a spreadsheet has made a number of it, and its digits are lost: have the column "
		       "exported as text";
	size_t length = squeeze(out);
	bool decimal = length > 0;
	for (size_t i = 0; i < length; i++) {
		if (hex_digit(out[i]) < 0)
			return digits == 32   ? "expected 32 hex digits (16 bytes)"
			       : digits == 16 ? "expected 16 hex digits (8 bytes)"
					      : "expected 8 hex digits (4 bytes)";
		decimal &= isdigit((unsigned char)out[i]) != 0;
	}
	if (length == digits)
		return NULL;
	if (length < digits && decimal && length + 6 >= digits)
		return "digits are missing at the front: a spreadsheet takes zeros away; have the column "
		       "exported as text";
	return digits == 32   ? "expected 32 hex digits (16 bytes)"
	       : digits == 16 ? "expected 16 hex digits (8 bytes)"
			      : "expected 8 hex digits (4 bytes)";
}
