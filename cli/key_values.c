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

/* "1,823,000,000,010,100": digits in threes. */
static bool is_in_threes(const char *text)
{
	size_t first = strspn(text, "0123456789"), groups = 0;
	char sign = text[first];
	if (first < 1 || first > 3 || !(sign == ',' || sign == '.' || sign == ' ' || sign == '\''))
		return false;
	for (text += first; *text == sign; text += 4, groups++)
		if (strspn(text + 1, "0123456789") != 3)
			return false;
	return *text == '\0' && groups > 1;
}

/* "1.23457E+15", "7,04E+18", "1.2E15", "1.0": what becomes of digits in a cell that counts. */
static bool was_counted(const char *text)
{
	size_t digits = 0, points = 0;
	if (is_in_threes(text))
		return true;
	for (; isdigit((unsigned char)*text) || *text == '.' || *text == ','; text++) {
		digits += isdigit((unsigned char)*text) != 0;
		points += *text == '.' || *text == ',';
	}
	if (digits == 0)
		return false;
	bool e = *text == 'E' || *text == 'e';
	if (e && (text[1] == '+' || text[1] == '-'))
		return true;
	size_t power = e ? strspn(text + 1, "0123456789") : 0;
	return points == 1 && (*text == '\0' || (power > 0 && text[1 + power] == '\0'));
}

static bool is_between(char c)
{
	return c == ':' || c == '-' || c == '.' || c == '_' || c == ',' || c == '{' || c == '}' ||
	       is_blank(c);
}

/* The length of a blank or a dash that is none of ASCII's, as documents and web pages have them between digits; 0: it is none. */
static size_t is_wide_between(const char *at)
{
	static const char *const signs[] = {"\xc2\xa0",     "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
					    "\xe2\x80\xaf", "\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92",
					    "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x88\x92", "\xef\xbb\xbf"};
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (strncmp(at, signs[i], strlen(signs[i])) == 0)
			return strlen(signs[i]);
	return 0;
}

/* Drops what stands between digits, and each pair's "0x". */
static size_t squeeze(char *text)
{
	size_t used = 0, wide;
	for (const char *at = text; *at; at++) {
		if (is_between(*at))
			continue;
		if ((wide = is_wide_between(at)) > 0) {
			at += wide - 1;
			continue;
		}
		if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
			at++;
			continue;
		}
		text[used++] = (char)tolower((unsigned char)*at);
	}
	text[used] = '\0';
	return used;
}

void key_value_turn(char value[KEY_VALUE_MAX])
{
	size_t length = strlen(value);
	for (size_t i = 0; i + 1 < length / 2; i += 2)
		for (size_t j = 0; j < 2; j++) {
			char kept = value[i + j];
			value[i + j] = value[length - 2 - i + j];
			value[length - 2 - i + j] = kept;
		}
}

bool key_value_looks_turned(const char *eui)
{
	/* What the EUIs of LoRaWAN devices on the market begin with, as the IEEE has given it to their makers. */
	static const char *const makers[] = {"70b3d5", "a84041", "24e124", "a81758", "0018b2", "0004a3",
					     "647fda", "ac1f09", "2cf7f1", "58a0cb", "00137a", "0080e1",
					     "008000", "0016c0", "0025ca", "8cf957"};
	char turned[KEY_VALUE_MAX];
	bool begins = false, ends = false;
	snprintf(turned, sizeof turned, "%s", eui);
	key_value_turn(turned);
	for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
		begins |= strncmp(eui, makers[i], 6) == 0;
		ends |= strncmp(turned, makers[i], 6) == 0;
	}
	return ends && !begins;
}

const char *key_value_hex(const char *text, size_t digits, char out[KEY_VALUE_MAX])
{
	if (!key_value_plain(text, out))
		return "far too long";
	if (was_counted(out))
		return "a spreadsheet has made a number of it, and its digits are lost: have the column "
		       "exported as text";
	if (strncmp(out, "###", 3) == 0)
		return "the column was too narrow for the spreadsheet to show it: have it exported as text";
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
