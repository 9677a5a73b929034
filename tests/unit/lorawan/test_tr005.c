/* The codes on devices' labels: rows serve both directions where a code is as we write it, hostile ones the reader alone. The
 * first is the example that TR005's implementers publish, with its checksum. */
#include "common/lorawan/tr005.h"
#include "tests/harness/harness.h"

#include <string.h>

#define FULL "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122"

static const struct {
	const char *name;
	const char *text;
	bool ours; /* exactly as we write it */
	const char *token, *serial, *own;
	uint16_t vendor, profile;
	bool checked;
} good[] = {
	{"the published example", FULL ":OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C", true, "AABBCCDDEEFF",
	 "YYWWNNNNNN", "FOOBAR", 0xaabb, 0x1122, true},
	{"nothing but what must be", FULL, false, "", "", "", 0xaabb, 0x1122, false},
	{"another order", FULL ":PFOOBAR:SYYWWNNNNNN:OAABBCCDDEEFF", false, "AABBCCDDEEFF", "YYWWNNNNNN",
	 "FOOBAR", 0xaabb, 0x1122, false},
	{"lower case, as a scanner's keyboard types it",
	 "lw:d0:1122334455667788:aabbccddeeff0011:aabb1122:oaabbccddeeff:syywwnnnnnn:pfoobar:caf2c", false,
	 "AABBCCDDEEFF", "YYWWNNNNNN", "FOOBAR", 0xaabb, 0x1122, true},
	{"white space around it and a line's end", "  " FULL ":SX1\r\n", false, "", "X1", "", 0xaabb, 0x1122,
	 false},
	{"a kind of a later edition is passed over", FULL ":V0102:OABCD", false, "ABCD", "", "", 0xaabb,
	 0x1122, false},
	{"every character of the alphanumeric mode", FULL ":P0AZ $%*+-./", false, "", "", "0AZ $%*+-./",
	 0xaabb, 0x1122, false},
	{"no vendor's number", "LW:D0:0000000000000000:AABBCCDDEEFF0011:00000000", false, "", "", "", 0, 0,
	 false},
};

static void codes_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct lw_tr005 code;
		char written[LW_TR005_TEXT];
		t_row(good[i].name);
		assert_int_equal(lw_tr005_parse(good[i].text, strlen(good[i].text), &code), LW_TR005_OK);
		t_uint("DevEUI", 0xaabbccddeeff0011, lw_eui64_number(&code.dev_eui));
		t_str("owner token", good[i].token, code.owner_token);
		t_str("serial", good[i].serial, code.serial);
		t_str("proprietary", good[i].own, code.proprietary);
		t_uint("vendor", good[i].vendor, code.vendor);
		t_uint("vendor profile", good[i].profile, code.vendor_profile);
		t_int("checked", good[i].checked, code.checked);
		assert_true(lw_tr005_build(&code, written));
		if (good[i].ours)
			t_str("written", good[i].text, written);
		struct lw_tr005 again;
		assert_int_equal(lw_tr005_parse(written, strlen(written), &again), LW_TR005_OK);
		assert_true(again.checked);
		assert_string_equal(again.owner_token, good[i].token);
	}
}

#define S64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *name;
	const char *text;
	enum lw_tr005_verdict verdict;
} bad[] = {
	{"nothing", "", LW_TR005_NO_CODE},
	{"white space alone", " \r\n", LW_TR005_NO_CODE},
	{"a web address", "https://www.example.com/?sn=1", LW_TR005_NO_CODE},
	{"an EUI alone", "AABBCCDDEEFF0011", LW_TR005_NO_CODE},
	{"the draft's form", "URN:DEV:LW:1122334455667788AABBCCDDEEFF0011", LW_TR005_NO_CODE},
	{"another schema", "LW:D1:1122334455667788:AABBCCDDEEFF0011:AABB1122", LW_TR005_SCHEMA},
	{"no schema", "LW:", LW_TR005_SCHEMA},
	{"cut behind the schema", "LW:D0:", LW_TR005_FIELDS},
	{"cut behind the JoinEUI", "LW:D0:1122334455667788", LW_TR005_FIELDS},
	{"cut behind the DevEUI", "LW:D0:1122334455667788:AABBCCDDEEFF0011", LW_TR005_FIELDS},
	{"a JoinEUI of 15 digits", "LW:D0:112233445566778:AABBCCDDEEFF0011:AABB1122", LW_TR005_JOIN_EUI},
	{"an empty JoinEUI", "LW:D0::AABBCCDDEEFF0011:AABB1122", LW_TR005_JOIN_EUI},
	{"a DevEUI of 17 digits", "LW:D0:1122334455667788:AABBCCDDEEFF00112:AABB1122", LW_TR005_DEV_EUI},
	{"a DevEUI with a letter O for a zero", "LW:D0:1122334455667788:AABBCCDDEEFFOO11:AABB1122",
	 LW_TR005_DEV_EUI},
	{"a profile of 4 digits", "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB", LW_TR005_PROFILE},
	{"a digit changed",
	 "LW:D0:1122334455667788:AABBCCDDEEFF0012:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:"
	 "PFOOBAR:CAF2C",
	 LW_TR005_CHECKSUM},
	{"the token changed", FULL ":OAABBCCDDEEFE:SYYWWNNNNNN:PFOOBAR:CAF2C", LW_TR005_CHECKSUM},
	{"a checksum of 3 digits", FULL ":CAF2", LW_TR005_CHECKSUM_FORM},
	{"a checksum that is no number", FULL ":CAF2G", LW_TR005_CHECKSUM_FORM},
	{"two tokens", FULL ":OABCD:OABCE", LW_TR005_TWICE},
	{"a token of 3 characters", FULL ":OABC", LW_TR005_TOKEN_LENGTH},
	{"a token of 65 characters", FULL ":O" S64 "X", LW_TR005_TOKEN_LENGTH},
	{"a serial number of 65 characters", FULL ":S" S64 "X", LW_TR005_VALUE_LENGTH},
	{"a kind without a value", FULL ":S", LW_TR005_EMPTY},
	{"two colons", FULL "::OABCD", LW_TR005_EMPTY},
	{"a colon at the end", FULL ":", LW_TR005_EMPTY},
	{"an underscore", FULL ":SA_1", LW_TR005_CHARACTER},
	{"a letter of another alphabet", FULL ":S\xc3\x84", LW_TR005_CHARACTER},
	{"too long", FULL ":P" S64 S64 S64 S64 S64 S64 S64 S64, LW_TR005_TOO_LONG},
};

static void others_are_refused_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct lw_tr005 code = {.serial = "untouched"};
		t_row(bad[i].name);
		t_str("verdict", lw_tr005_reason(bad[i].verdict),
		      lw_tr005_reason(lw_tr005_parse(bad[i].text, strlen(bad[i].text), &code)));
		t_str("out-parameter", "untouched", code.serial);
	}
	struct lw_tr005 code;
	assert_int_equal(lw_tr005_parse(FULL ":SA\0B", sizeof FULL ":SA\0B" - 1, &code), LW_TR005_CHARACTER);
}

static void what_no_label_may_say_is_not_written(void **state)
{
	(void)state;
	char text[LW_TR005_TEXT];
	struct lw_tr005 code = {.owner_token = "abcd"};
	assert_false(lw_tr005_build(&code, text));
	code = (struct lw_tr005){.serial = "A:B"};
	assert_false(lw_tr005_build(&code, text));
	code = (struct lw_tr005){.owner_token = "ABC"};
	assert_false(lw_tr005_build(&code, text));
	memset(code.proprietary, 'X', sizeof code.proprietary);
	assert_false(lw_tr005_build(&code, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(codes_are_read),
		t_test(others_are_refused_in_words),
		t_test(what_no_label_may_say_is_not_written),
	};
	return t_run(tests);
}
