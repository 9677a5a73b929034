/* What `lamppost frame` says of frames that are wrong, of MICs it cannot check to the end, of what people paste; and what
 * it refuses to build. */
#include "tests/harness/harness.h"

#include "cli/frame_build.h"
#include "cli/frame_decode.h"
#include "cli/frame_input.h"
#include "cli/frame_mac.h"
#include "common/base/hex.h"

#include <stdlib.h>
#include <string.h>

static struct aes *aes;

static struct cli_frame_report *decode(const char *hex, const char *known)
{
	struct cli_frame_context context = {.region = NULL};
	char problem[CLI_FRAME_PROBLEM_MAX] = "";
	uint8_t phy[256];
	size_t length = 0;
	json_t *object = json_loads(known, 0, NULL);
	assert_non_null(object);
	assert_true(*hex == '\0' || hex_decode(phy, sizeof phy, &length, hex, strlen(hex)));
	if (!cli_frame_context_read(&context, object, problem))
		t_str("known", "", problem);
	json_decref(object);
	return cli_frame_decode(phy, length, &context, aes);
}

static const char *member(const struct cli_frame_report *report, const char *name)
{
	const char *text = json_string_value(json_object_get(report->document, name));
	return text ? text : "";
}

/* --- malformed: the rule and the byte ----------------------------------------------------------------------------- */

static const struct {
	const char *name, *hex, *verdict, *says;
} wrong[] = {
	{"nothing", "", "too_short", "there is not even an MHDR"},
	{"an MHDR alone", "40", "too_short", "it ends after byte 0; a data frame has 12 bytes at least"},
	{"eleven bytes", "4004030201000000010203", "too_short", "it ends after byte 10"},
	{"Major 1", "4104030201000000aabbccdd", "unsupported_major", "Major is 1 in byte 0"},
	{"FOptsLen of 3, one byte there", "400403020103000002aabbccdd", "fopts_overrun",
	 "FOptsLen in byte 5 is 3, and between FHDR and MIC there are 1 bytes"},
	{"commands in two places", "40040302010100000200aabbccdd", "fopts_with_fport0",
	 "FPort in byte 9 is 0 while FOptsLen is 1"},
	{"join-request of 22 bytes", "00040302010403020105040302050403022d106a990e", "bad_length",
	 "it has 22 bytes; a join-request has 23"},
	{"join-accept of 18 bytes", "207abeea06b02920f11c02d0348fcf181500", "bad_length",
	 "a join-accept has 17, or 33"},
	{"rejoin type 3", "c003020108070605040302010201aabbccddeeff", "unknown_rejoin_type",
	 "the rejoin type in byte 1 is 3"},
	{"rejoin type 1 of 19 bytes", "c00102010807060504030201020111da47bd", "bad_length",
	 "a rejoin-request has 19, or 24"},
};

static void rules_and_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		t_row(wrong[i].name);
		struct cli_frame_report *report = decode(wrong[i].hex, "{}");
		t_int("outcome", CLI_FRAME_MALFORMED, report->outcome);
		t_str("verdict", wrong[i].verdict, member(report, "verdict"));
		if (!strstr(member(report, "problem"), wrong[i].says))
			t_str("says", wrong[i].says, member(report, "problem"));
		cli_frame_report_free(report);
	}
}

/* Any byte changed, any length: it says something, and stays within its lines. */
static void nothing_breaks_it(void **state)
{
	(void)state;
	t_row("every kind with every length");
	for (unsigned ftype = 0; ftype < 8; ftype++)
		for (size_t length = 1; length <= 256; length++) {
			struct cli_frame_context context = {.region = NULL};
			uint8_t phy[256];
			memset(phy, (int)(ftype * 37 + length), sizeof phy);
			phy[0] = (uint8_t)(ftype << 5);
			for (int i = 0; i < FRAME_KEY_COUNT; i++)
				context.has_key[i] = (length >> i & 1) != 0;
			context.says_1_1 = length % 2;
			context.has_fcnt = true;
			struct cli_frame_report *report = cli_frame_decode(phy, length, &context, aes);
			t_true("said", report->count > 1);
			cli_frame_report_free(report);
		}
}

/* --- the MIC -------------------------------------------------------------------------------------------------------- */

#define UP_1_0  "40f17dbe4900020001954378762b11ff0d"
#define NWK_1_0 "\"nwk_s_key\": \"44024241ed4ce9a68c6a8bc055233fd3\""
#define APP_1_0 "\"app_s_key\": \"ec925802ae430ca77fd3dd73cb2cc588\""
#define MULTICAST                                                                                            \
	"60ffb66dfe101000c9d4701669e019596c9dfe4de897d16bc0e4650dc84e180db1ccd6a2769a4634b82e53cef3b1a36d7a" \
	"038376c2"
#define UP_1_1 "400403020180010001a6946426157612366a"
#define F_1_1  "\"f_nwk_s_int_key\": \"02020202020202020202020202020203\""
#define S_1_1  "\"s_nwk_s_int_key\": \"02020202020202020202020202020202\""

static const struct {
	const char *name, *hex, *known;
	int valid; /* 1, 0, −1: not said */
	const char *says;
	long fcnt; /* −1: any */
} mics[] = {
	{"right", UP_1_0, "{" NWK_1_0 "}", 1, "right", 2},
	{"no key", UP_1_0, "{}", -1, "NwkSKey is not given", 2},
	{"wrong counter said", UP_1_0, "{" NWK_1_0 ", \"fcnt\": 65538}", 0, "at FCnt 65538", 65538},
	{"a counter near by is enough", UP_1_0, "{" NWK_1_0 ", \"fcnt\": 7}", 1, "right", 2},
	{"keys exchanged", UP_1_0,
	 "{\"app_s_key\": \"44024241ed4ce9a68c6a8bc055233fd3\", \"nwk_s_key\": "
	 "\"ec925802ae430ca77fd3dd73cb2cc588\"}",
	 0, "NwkSKey and AppSKey are exchanged", 2},
	{"a counter above 65,535 is found", MULTICAST,
	 "{\"nwk_s_key\": \"cb6ba9ab7698d6f8a79d47e73626765f\"}", 1, "right", 65552},
	{"1.1: half of it", UP_1_1, "{" F_1_1 "}", -1, "the half of FNwkSIntKey is right", 1},
	{"1.1: data rate and channel are found", UP_1_1, "{" F_1_1 ", " S_1_1 "}", 1, "found by trying", 1},
	{"1.1: another key", UP_1_1, "{" S_1_1 ", \"f_nwk_s_int_key\": \"02020202020202020202020202020202\"}",
	 0, "its last two bytes are not those of FNwkSIntKey", 1},
};

static void judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mics); i++) {
		t_row(mics[i].name);
		struct cli_frame_report *report = decode(mics[i].hex, mics[i].known);
		const json_t *valid = json_object_get(report->document, "mic_valid");
		const struct cli_frame_line *last = &report->lines[report->count - 1];
		t_int("valid", mics[i].valid, json_is_true(valid) ? 1 : json_is_false(valid) ? 0 : -1);
		t_int("outcome", mics[i].valid == 0 ? CLI_FRAME_BAD_MIC : CLI_FRAME_READ, report->outcome);
		t_str("last line", "MIC", last->name);
		if (!strstr(last->text, mics[i].says))
			t_str("says", mics[i].says, last->text);
		t_int("fcnt", mics[i].fcnt, json_integer_value(json_object_get(report->document, "fcnt")));
		cli_frame_report_free(report);
	}
}

/* What is said never holds a key, whatever is asked. */
static void keys_stay_inside(void **state)
{
	(void)state;
	t_row("report and document");
	struct cli_frame_report *report = decode(UP_1_0, "{" NWK_1_0 ", " APP_1_0 "}");
	char *document = json_dumps(report->document, 0), *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	cli_frame_report_print(report, out);
	fclose(out);
	t_true("document", !strstr(document, "44024241") && !strstr(document, "ec925802"));
	t_true("lines", !strstr(text, "44024241") && !strstr(text, "ec925802"));
	t_true("the payload is text", strstr(text, "74657374 \"test\"") != NULL);
	free(document);
	free(text);
	cli_frame_report_free(report);
}

/* A payload with control characters does not reach the terminal as they are. */
static void payloads_are_printable(void **state)
{
	(void)state;
	char text[CLI_FRAME_TEXT_MAX];
	t_row("escape sequence");
	t_str("hex alone", "1b5b324a", cli_frame_bytes_text(text, (const uint8_t *)"\x1b[2J", 4));
	t_row("text");
	t_str("both", "6f6b \"ok\"", cli_frame_bytes_text(text, (const uint8_t *)"ok", 2));
	t_row("a NUL");
	t_str("hex alone", "6f006b", cli_frame_bytes_text(text, (const uint8_t *)"o\0k", 3));
}

/* --- what people paste ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
	bool base64;
	size_t count; /* 0: refused */
	const char *first;
} pasted[] = {
	{"hex", "40F17dbe", false, 1, "40f17dbe"},
	{"hex with what stands between", "0x40 f1:7d-be", false, 1, "40f17dbe"},
	{"base64", "QPF9vkkAAgABlUN4disR/w0=", false, 1, UP_1_0},
	{"base64 that looks like hex", "AAAA", true, 1, "000000"},
	{"a gateway's rxpk", "{\"rxpk\":[{\"data\":\"QPF9\"},{\"data\":\"QPF8\"}],\"stat\":{}}", false, 2,
	 "40f17d"},
	{"one entry of it", "{\"tmst\":1,\"data\":\"QPF9\"}", false, 1, "40f17d"},
	{"a downlink", "{\"txpk\":{\"imme\":true,\"data\":\"YAECAw==\"}}", false, 1, "60010203"},
	{"what frame decode prints", "{\"phy_payload\":\"40f17d\",\"type\":\"x\"}", false, 1, "40f17d"},
	{"a whole datagram", "02010200aa555a00000001017b2264617461223a2251504639227d", false, 1, "40f17d"},
	{"a word", "hello!", false, 0, NULL},
	{"an odd number of digits", "40f", false, 0, NULL},
	{"JSON without a frame", "{\"a\":1}", false, 0, NULL},
	{"half an object", "{\"data\":", false, 0, NULL},
};

static void inputs(void **state)
{
	(void)state;
	static struct cli_frame_inputs read;
	for (size_t i = 0; i < ARRAY_SIZE(pasted); i++) {
		const char *problem = "";
		char hex[2 * CLI_FRAME_BYTES_MAX + 1];
		t_row(pasted[i].name);
		bool good = cli_frame_input(&read, pasted[i].text, pasted[i].base64, &problem);
		if (!t_int("read", pasted[i].count > 0, good) || !good)
			continue;
		t_uint("frames", pasted[i].count, read.count);
		hex_encode(hex, read.frames[0].bytes, read.frames[0].length);
		t_str("first", pasted[i].first, hex);
	}
	char *long_text = malloc(700001);
	memset(long_text, 'a', 700000);
	long_text[700000] = '\0';
	const char *problem;
	t_row("much too long");
	t_false("read", cli_frame_input(&read, long_text, false, &problem));
	free(long_text);
}

/* --- what is not built ---------------------------------------------------------------------------------------------- */

#define HEAD "\"type\": \"UnconfirmedDataUp\", \"dev_addr\": \"01020304\", \"fcnt\": 1, "
#define KEYS                                                                   \
	"\"nwk_s_key\": \"01010101010101010101010101010101\", \"app_s_key\": " \
	"\"02020202020202020202020202020202\""

static const struct {
	const char *name, *object, *says;
} refused[] = {
	{"a join-accept that was not deciphered", "{\"type\": \"JoinAccept\", \"mic_valid\": null}",
	 "it was not deciphered"},
	{"no type", "{" KEYS "}", "type is missing"},
	{"an unknown type", "{\"type\": \"Uplink\", " KEYS "}", "no such frame"},
	{"an unknown field", "{" HEAD "\"fprot\": 1, " KEYS "}", "fprot: no such field of a frame"},
	{"a field of another frame", "{" HEAD "\"join_nonce\": 1, " KEYS "}",
	 "join_nonce: a frame of type UnconfirmedDataUp has none"},
	{"FPending in an uplink", "{" HEAD "\"f_pending\": true, " KEYS "}",
	 "f_pending: a frame of type UnconfirmedDataUp has none"},
	{"no DevAddr", "{\"type\": \"UnconfirmedDataUp\", \"fcnt\": 1, " KEYS "}",
	 "dev_addr: expected 8 hex digits"},
	{"no counter", "{\"type\": \"UnconfirmedDataUp\", \"dev_addr\": \"01020304\", " KEYS "}",
	 "fcnt is missing"},
	{"payload without FPort", "{" HEAD "\"frm_payload\": \"01\", " KEYS "}", "has an FPort"},
	{"FOpts and FPort 0", "{" HEAD "\"fport\": 0, \"fopts\": \"02\", " KEYS "}", "not in both"},
	{"16 bytes of FOpts", "{" HEAD "\"fopts\": \"02020202020202020202020202020202\", " KEYS "}",
	 "fopts: expected at most 15 bytes"},
	{"a downlink's command in an uplink",
	 "{" HEAD "\"mac\": [{\"command\": \"DevStatusReq\"}], " KEYS "}",
	 "DevStatusReq is not sent in this direction"},
	{"a field out of range",
	 "{" HEAD "\"mac\": [{\"command\": \"DevStatusAns\", \"battery\": 1, \"margin\": 60}], " KEYS "}",
	 "a field does not fit its bits"},
	{"a field missing", "{" HEAD "\"mac\": [{\"command\": \"DevStatusAns\", \"battery\": 1}], " KEYS "}",
	 "margin: missing"},
	{"a field that it has not",
	 "{" HEAD "\"mac\": [{\"command\": \"LinkCheckReq\", \"x\": 1}], " KEYS "}",
	 "no field x; it has none"},
	{"bytes and other commands",
	 "{" HEAD "\"fopts\": \"02\", \"fopts_commands\": [{\"command\": \"DeviceTimeReq\"}], " KEYS "}",
	 "say different things"},
	{"no key for the payload", "{" HEAD "\"fport\": 1, \"frm_payload\": \"01\", \"mic\": \"00000000\"}",
	 "AppSKey, which is not given"},
	{"no key for the MIC", "{" HEAD "\"fport\": 1}", "no MIC: NwkSKey is not given"},
	{"too long", "{" HEAD "\"fport\": 1, \"frm_payload_encrypted\": \"%s\", " KEYS "}",
	 "longer than 255 bytes"},
	{"RFU bits", "{" HEAD "\"rfu\": 1, " KEYS "}", "has 0 there"},
	{"join-request without a nonce",
	 "{\"type\": \"JoinRequest\", \"join_eui\": \"0102030405060708\", \"dev_eui\": \"0102030405060708\"}",
	 "dev_nonce is missing"},
	{"rejoin with both",
	 "{\"type\": \"RejoinRequest\", \"rejoin_type\": 0, \"rj_count\": 1, \"join_eui\": "
	 "\"0102030405060708\", "
	 "\"dev_eui\": \"0102030405060708\"}",
	 "type 0 has a NetID in its place"},
	{"accept without a key",
	 "{\"type\": \"JoinAccept\", \"join_nonce\": 1, \"net_id\": \"000000\", \"dev_addr\": \"01020304\"}",
	 "is encrypted with AppKey"},
	{"1.1 accept without the request",
	 "{\"type\": \"JoinAccept\", \"join_nonce\": 1, \"net_id\": \"000000\", \"dev_addr\": \"01020304\", "
	 "\"opt_neg\": true, "
	 "\"nwk_key\": \"01010101010101010101010101010101\"}",
	 "needs NwkKey and DevEUI"},
};

static void not_built(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct cli_frame_context context = {.region = NULL};
		char problem[CLI_FRAME_PROBLEM_MAX] = "", text[1200], longest[2 * 250 + 1];
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		size_t length;
		t_row(refused[i].name);
		memset(longest, '0', sizeof longest);
		longest[sizeof longest - 1] = '\0';
		const char *hole = strstr(refused[i].object, "%s");
		snprintf(text, sizeof text, "%.*s%s%s",
			 (int)(hole ? hole - refused[i].object : (long)strlen(refused[i].object)),
			 refused[i].object, hole ? longest : "", hole ? hole + 2 : "");
		json_t *object = json_loads(text, 0, NULL);
		assert_non_null(object);
		t_true("known", cli_frame_context_read(&context, object, problem));
		json_t *fields = json_deep_copy(object);
		t_false("built", cli_frame_build(fields, &context, aes, phy, &length, problem));
		if (!strstr(problem, refused[i].says))
			t_str("says", refused[i].says, problem);
		json_decref(fields);
		json_decref(object);
	}
}

/* Commands as text, as --mac takes them. */
static void commands_as_text(void **state)
{
	(void)state;
	char problem[CLI_FRAME_PROBLEM_MAX];
	uint8_t bytes[15];
	size_t length;
	t_row("two commands");
	json_t *list = cli_frame_mac_parse(
		"LinkADRReq data_rate=5 tx_power=1 ch_mask=0x00ff ch_mask_cntl=0 nb_trans=1; DevStatusReq",
		problem);
	assert_non_null(list);
	t_true("built", cli_frame_mac_build(list, LW_DOWN, 0, bytes, sizeof bytes, &length, problem));
	t_bytes("bytes", (const uint8_t *)"\x03\x51\xff\x00\x01\x06", 6, bytes, length);
	json_decref(list);
	t_row("a negative number");
	list = cli_frame_mac_parse("DevStatusAns battery=255 margin=-5", problem);
	assert_non_null(list);
	t_true("built", cli_frame_mac_build(list, LW_UP, 0, bytes, sizeof bytes, &length, problem));
	t_bytes("bytes", (const uint8_t *)"\x06\xff\x3b", 3, bytes, length);
	json_decref(list);
	static const char *const bad[] = {"=5", "LinkADRReq data_rate", "LinkADRReq =5", "data_rate=5",
					  "LinkADRReq command=x"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		t_row(bad[i]);
		t_true("refused", cli_frame_mac_parse(bad[i], problem) == NULL);
	}
}

int main(void)
{
	aes = aes_new();
	const struct CMUnitTest tests[] = {
		t_test(rules_and_bytes),  t_test(nothing_breaks_it),      t_test(judged),
		t_test(keys_stay_inside), t_test(payloads_are_printable), t_test(inputs),
		t_test(not_built),        t_test(commands_as_text)};
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
