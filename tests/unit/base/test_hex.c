#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/base/rng.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
	int length; /* −1: refused */
	uint8_t bytes[4];
} hex_rows[] = {
	{"nothing", "", 0, {0}},
	{"both cases", "aBCd", 2, {0xab, 0xcd}},
	{"an odd length", "abc", -1, {0}},
	{"a foreign character", "ag", -1, {0}},
	{"a foreign character first", "ga", -1, {0}},
	{"a blank", "a ", -1, {0}},
	{"a prefix", "0x", -1, {0}},
	{"just the room", "01020304", 4, {1, 2, 3, 4}},
	{"more than the room", "0102030405", -1, {0}},
};

static void hex_is_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hex_rows); i++) {
		uint8_t bytes[4];
		size_t length = 99;
		t_row(hex_rows[i].name);
		bool decoded = hex_decode(bytes, sizeof bytes, &length, hex_rows[i].text,
					  strlen(hex_rows[i].text));
		t_int("length", hex_rows[i].length, decoded ? (int)length : -1);
		if (decoded)
			t_bytes("bytes", hex_rows[i].bytes, length, bytes, length);
		else
			t_uint("length untouched", 99, length);
	}
	uint8_t exact[2];
	char text[5];
	t_row("exact");
	t_true("fits", hex_decode_exact(exact, 2, "0aFF"));
	t_false("longer", hex_decode_exact(exact, 2, "0aFF00"));
	t_false("shorter", hex_decode_exact(exact, 2, "0a"));
	hex_encode(text, (const uint8_t[]){0x0a, 0xff}, 2);
	t_str("encoded", "0aff", text);
}

static const struct {
	const char *name;
	const char *text;
	int length; /* −1: refused */
	const char *bytes;
} base64_rows[] = {
	{"nothing", "", 0, ""},
	{"RFC 4648: f", "Zg==", 1, "f"},
	{"RFC 4648: fo", "Zm8=", 2, "fo"},
	{"RFC 4648: foo", "Zm9v", 3, "foo"},
	{"RFC 4648: foobar", "Zm9vYmFy", 6, "foobar"},
	{"without padding", "Zg", 1, "f"},
	{"half of its padding", "Zg=", 1, "f"},
	{"the other alphabet", "-_-_", 3, "\xfb\xff\xbf"},
	{"the usual alphabet", "+/+/", 3, "\xfb\xff\xbf"},
	{"white space", "Zm9v\r\nYmFy ", 6, "foobar"},
	{"unused bits set", "Zh==", 1, "f"},
	{"one character over", "Zm9vY", -1, ""},
	{"padding in the middle", "Zg==Zg==", -1, ""},
	{"padding alone", "====", -1, ""},
	{"padding after a whole group", "Zm9v=", -1, ""},
	{"too much padding", "Zm8==", -1, ""},
	{"a foreign character", "Zm*v", -1, ""},
	{"more than the room", "Zm9vYmFyZm9v", -1, ""},
};

static void base64_is_read_as_gateways_write_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(base64_rows); i++) {
		uint8_t bytes[8];
		size_t length = 0;
		t_row(base64_rows[i].name);
		bool decoded = base64_decode(bytes, sizeof bytes, &length, base64_rows[i].text,
					     strlen(base64_rows[i].text));
		t_int("length", base64_rows[i].length, decoded ? (int)length : -1);
		if (decoded)
			t_bytes("bytes", (const uint8_t *)base64_rows[i].bytes, length, bytes, length);
	}
}

static void base64_survives_both_ways(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(5);
	for (size_t length = 0; length < 64; length++) {
		uint8_t bytes[64], back[64];
		char text[BASE64_ROOM(64)];
		rng_fill(&rng, bytes, length);
		size_t written = base64_encode(text, bytes, length);
		size_t back_length = 99;
		t_uint("written", BASE64_ROOM(length) - 1, written);
		t_true("decodes", base64_decode(back, length, &back_length, text, written));
		t_bytes("bytes", bytes, length, back, back_length);
		if (length > 0)
			t_false("no room", base64_decode(back, length - 1, &back_length, text, written));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(hex_is_strict),
		t_test(base64_is_read_as_gateways_write_it),
		t_test(base64_survives_both_ways),
	};
	return t_run(tests);
}
