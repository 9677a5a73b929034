#include "common/base/hex.h"

#include <string.h>

void hex_encode(char *text, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * length] = '\0';
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(uint8_t *bytes, size_t capacity, size_t *length, const char *text, size_t text_length)
{
	if (text_length % 2 != 0 || text_length / 2 > capacity)
		return false;
	for (size_t i = 0; i < text_length / 2; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*length = text_length / 2;
	return true;
}

bool hex_decode_exact(uint8_t *bytes, size_t length, const char *text)
{
	size_t decoded;
	size_t text_length = strlen(text);
	return text_length == 2 * length && hex_decode(bytes, length, &decoded, text, text_length);
}

size_t base64_encode(char *text, const uint8_t *bytes, size_t length)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = text;
	for (size_t i = 0; i < length; i += 3) {
		size_t have = length - i;
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (have > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (have > 2)
			group |= bytes[i + 2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = have > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = have > 2 ? alphabet[group & 63] : '=';
	}
	*out = '\0';
	return (size_t)(out - text);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

bool base64_decode(uint8_t *bytes, size_t capacity, size_t *length, const char *text, size_t text_length)
{
	size_t used = 0, characters = 0, padding = 0;
	uint32_t group = 0;
	for (size_t i = 0; i < text_length; i++) {
		char c = text[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		int value = base64_value(c);
		if (value < 0 || padding > 0)
			return false;
		group = group << 6 | (uint32_t)value;
		characters++;
		/* Every second, third and fourth character of a group completes a byte. */
		if (characters % 4 != 1) {
			if (used == capacity)
				return false;
			unsigned spare = (unsigned)(6 - 2 * ((characters + 3) % 4));
			bytes[used++] = (uint8_t)(group >> spare);
		}
	}
	size_t remainder = characters % 4;
	if (remainder == 1)
		return false;
	if (padding > 0 && (remainder == 0 || padding > 4 - remainder))
		return false;
	*length = used;
	return true;
}
