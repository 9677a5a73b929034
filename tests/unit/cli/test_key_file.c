/* Key files as manufacturers and other servers write them. Each row is a file; the rows that leave are compared field by field,
 * keys by opening what was sealed. */
#include "tests/harness/harness.h"

#include "cli/input.h"
#include "cli/key_file.h"
#include "cli/key_values.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#define KEY_1 "00112233445566778899aabbccddee01"
#define KEY_0 "00000000000000000000000000000000"
#define EUI   "70b3d57ed0000001"
#define JOIN  "70b3d57ed0000000"

static struct secret_box *box;
static struct cli_seal *seal;

static void begins(void)
{
	char hex[2 * SECRET_KEY + 1];
	assert_int_equal(ST_OK, secret_init());
	box = secret_box_generate();
	hex_encode(hex, secret_box_public(box), SECRET_KEY);
	json_t *keys = json_pack("{ss ss ss}", "join-server", hex, "network-server", hex,
				 "application-server", hex);
	assert_int_equal(0, cli_seal_make(keys, &seal));
	json_decref(keys);
}

static void ends(void)
{
	cli_seal_free(seal);
	secret_box_free(box);
}

/* Opens a sealed key of the row: 32 digits, "" where there is none. */
static const char *opened(const json_t *row, const char *field, char text[33])
{
	const char *sealed = json_string_value(json_object_get(row, field));
	const char *eui = json_string_value(json_object_get(row, "dev_eui"));
	uint8_t bytes[SEALED_KEY_LENGTH], key[16];
	struct lw_eui64 dev_eui;
	enum sealed_key_kind kind;
	size_t length;
	text[0] = '\0';
	if (!sealed)
		return text;
	assert_true(sealed_key_kind_parse(field, &kind));
	assert_true(base64_decode(bytes, sizeof bytes, &length, sealed, strlen(sealed)));
	assert_true(eui && lw_eui64_parse(eui, &dev_eui));
	if (sealed_key_open(box, bytes, length, kind, dev_eui.bytes, key) == SEALED_KEY_OK)
		hex_encode(text, key, sizeof key);
	else
		snprintf(text, 33, "does not open");
	return text;
}

static const char *text_of(const json_t *row, const char *field)
{
	const char *text = json_string_value(json_object_get(row, field));
	return text ? text : "";
}

static const struct {
	const char *name, *text;
	size_t length; /* 0: of the text */
	enum key_format asked, told;
	const char *map;
	const char *join_eui, *app_key, *nwk_key, *device_name;
} good[] = {
	{"our own",
	 "dev_eui,name,application,profile,join_eui,app_key\n" EUI ",Bed 1,soil,probe," JOIN "," KEY_1 "\n",
	 0, KEY_AUTO, KEY_LAMPPOST, NULL, JOIN, KEY_1, "", "Bed 1"},
	{"a maker's with a serial number, as Milesight delivers",
	 "SN,DevEUI,AppEUI,AppKey,Model\n6136B1,70B3D57ED0000001,70B3D57ED0000000,"
	 "00112233445566778899AABBCCDDEE01,EM300\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", "6136B1"},
	{"pairs with blanks, all keys beside each other, as Dragino delivers",
	 "Serial Number\tDEVEUI\tAPPEUI\tAPPKEY\tDEVADDR\tNWKSKEY\tAPPSKEY\nLT1\t70 B3 D5 7E D0 00 00 01\t70 "
	 "B3 D5 7E D0 00 00 00\t00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE 01\t01 02 03 04\t" KEY_1
	 "\t" KEY_1 "\r\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", "LT1"},
	{"semicolons and dashes, as Elsys delivers",
	 "DevEui;AppEui;AppKey;SensorType\n70-b3-d5-7e-d0-00-00-01;70-b3-d5-7e-d0-00-00-00;" KEY_1 ";ERS\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
	{"a mark before it, quotes, and titles with brackets",
	 "\xef\xbb\xbf\"Device EUI (hex)\",\"Join EUI\",\"Application Key\"\n\"0x70b3d57ed0000001\",\"" JOIN
	 "\",\"=\"\"" KEY_1 "\"\"\"\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
	{"apostrophes that keep a spreadsheet from counting", "deveui;appkey\n'" EUI ";'" KEY_1 "\n", 0,
	 KEY_AUTO, KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"UTF-16 of a spreadsheet",
	 "\xff\xfe"
	 "D\0e\0v\0E\0U\0I\0\t\0N\0a\0m\0e\0\r\0\n\0"
	 "7\0"
	 "0\0b\0"
	 "3\0d\0"
	 "5\0"
	 "7\0e\0d\0"
	 "0\0"
	 "0\0"
	 "0\0"
	 "0\0"
	 "0\0"
	 "0\0"
	 "1\0\t\0\xc4\0\n\0",
	 66, KEY_AUTO, KEY_MAKER, NULL, "", "", "", "\xc3\x84"},
	{"Latin-1", "DevEUI;Name\n" EUI ";B\xe4um\n", 0, KEY_AUTO, KEY_MAKER, NULL, "", "", "",
	 "B\xc3\xa4um"},
	{"columns that a person names", "Unit;Code;Secret\nx;" EUI ";" KEY_1 "\n", 0, KEY_AUTO, KEY_MAKER,
	 "dev_eui=Code,app_key=secret", "", KEY_1, "", EUI},
	{"The Things Stack's CSV",
	 "id;dev_eui;join_eui;name;frequency_plan_id;lorawan_version;lorawan_phy_version;app_key;nwk_"
	 "key\nbed-1;" EUI ";" JOIN ";;EU_863_870_TTN;MAC_V1_0_3;PHY_V1_0_3_REV_A;" KEY_1 ";" KEY_1 "\n",
	 0, KEY_AUTO, KEY_TTS, NULL, JOIN, KEY_1, "", "bed-1"},
	{"The same of 1.1 has both keys",
	 "id;dev_eui;join_eui;frequency_plan_id;lorawan_version;app_key;nwk_key\nbed-1;" EUI ";" JOIN
	 ";EU;MAC_V1_1;" KEY_1 ";" KEY_1 "\n",
	 0, KEY_AUTO, KEY_TTS, NULL, JOIN, KEY_1, KEY_1, "bed-1"},
	{"1.1.0 in a maker's words is not 1.0",
	 "DevEUI;JoinEUI;LoRaWAN Version;AppKey;NwkKey\n" EUI ";" JOIN ";1.1.0;" KEY_1 ";" KEY_1 "\n", 0,
	 KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, KEY_1, EUI},
	{"1.0.3 in a maker's words",
	 "DevEUI;JoinEUI;MAC Version;AppKey;NwkKey\n" EUI ";" JOIN ";1.0.3;" KEY_1 ";" KEY_1 "\n", 0,
	 KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
	{"The Things Stack's JSON, one object behind the other",
	 "{\"ids\":{\"device_id\":\"bed-1\",\"dev_eui\":\"70B3D57ED0000001\",\"join_eui\":"
	 "\"70B3D57ED0000000\"},\n\"lorawan_version\":\"MAC_V1_0_2\",\"root_keys\":{\"app_key\":{\"key\":"
	 "\"" KEY_1 "\"}}}\n{\"ids\":{\"device_id\":\"b\",\"dev_eui\":\"70B3D57ED0000002\"}}",
	 0, KEY_AUTO, KEY_TTS, NULL, JOIN, KEY_1, "", "bed-1"},
	{"ChirpStack's CSV: the AppKey of 1.0 is its nwk_key",
	 "dev_eui,name,device_profile_id,join_eui,nwk_key,app_key\n" EUI ",Bed,1b," JOIN "," KEY_1 "," KEY_0
	 "\n",
	 0, KEY_AUTO, KEY_CHIRPSTACK, NULL, JOIN, KEY_1, "", "Bed"},
	{"ChirpStack's JSON in an array",
	 "[{\"devEui\":\"" EUI "\",\"name\":\"Bed\",\"joinEui\":\"" JOIN
	 "\",\"deviceProfileId\":\"x\",\"deviceKeys\":{\"nwkKey\":\"" KEY_1 "\"}}]",
	 0, KEY_AUTO, KEY_CHIRPSTACK, NULL, JOIN, KEY_1, "", "Bed"},
	{"ThingPark's lines",
	 "#CREATE_OTAA,devEUI\nCREATE_OTAA,70-B3-D5-7E-D0-00-00-01,,MODEL," JOIN "," KEY_1 "\n", 0,
	 KEY_THINGPARK, KEY_THINGPARK, NULL, JOIN, KEY_1, "", EUI},
	{"ThingPark's lines with a code",
	 "CREATE_OTAA,LW:D0:70B3D57ED0000000:70B3D57ED0000001:AABB1122:SX7,,,," KEY_1 "\n", 0, KEY_AUTO,
	 KEY_THINGPARK, NULL, JOIN, KEY_1, "", "X7"},
	{"a byte order mark, semicolons, CRLF, quotes, capitals",
	 "\xef\xbb\xbf\"DevEUI\";\"AppEUI\";\"AppKey\"\r\n\"70B3D57ED0000001\";\"70B3D57ED0000000\";"
	 "\"00112233445566778899AABBCCDDEE01\"\r\n\"70B3D57ED0000002\";\"70B3D57ED0000000\";"
	 "\"10112233445566778899AABBCCDDEE02\"\r\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
	{"a first line that names the separator, as Excel writes it",
	 "sep=;\r\nDevEUI;AppKey\r\n" EUI ";" KEY_1 "\r\n", 0, KEY_AUTO, KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"the same before columns of ours", "sep=,\ndev_eui,app_key\n" EUI "," KEY_1 "\n", 0, KEY_AUTO,
	 KEY_LAMPPOST, NULL, "", KEY_1, "", EUI},
	{"lines that a spreadsheet left empty", "DevEUI;AppKey\n;\n" EUI ";" KEY_1 "\n;\n ; \n", 0, KEY_AUTO,
	 KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"blanks and dashes of a web page",
	 "DevEUI;AppKey\n70\xe2\x80\x93"
	 "b3\xe2\x80\x93"
	 "d5\xe2\x80\x93"
	 "7e-d0-00-00-01;00112233\xc2\xa0"
	 "44556677\xc2\xa0"
	 "8899aabb\xe2\x80\x8b"
	 "ccddee01\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"0x before each byte", "DevEUI;AppKey\n0x70,0xB3,0xD5,0x7E,0xD0,0x00,0x00,0x01;0x" KEY_1 "\n", 0,
	 KEY_AUTO, KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"a title that says the last byte stands first",
	 "DevEUI (LSB);AppEUI LSB;AppKey MSB\n010000D07ED5B370;000000D07ED5B370;" KEY_1 "\n", 0, KEY_AUTO,
	 KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
	{"little endian, in words", "Device EUI - little endian;AppKey\n01-00-00-d0-7e-d5-b3-70;" KEY_1 "\n",
	 0, KEY_AUTO, KEY_MAKER, NULL, "", KEY_1, "", EUI},
	{"both orders beside each other",
	 "DevEUI MSB;DevEUI LSB;AppKey\n" EUI ";010000d07ed5b370;" KEY_1 "\n", 0, KEY_AUTO, KEY_MAKER, NULL,
	 "", KEY_1, "", EUI},
	{"a person says that the last byte stands first", "Unit;Key\n010000d07ed5b370;" KEY_1 "\n", 0,
	 KEY_AUTO, KEY_MAKER, "dev_eui_lsb=unit,app_key=Key", "", KEY_1, "", EUI},
	{"a column of codes", "qr,app_key\nLW:D0:70B3D57ED0000000:70B3D57ED0000001:AABB1122," KEY_1 "\n", 0,
	 KEY_MAKER, KEY_MAKER, NULL, JOIN, KEY_1, "", EUI},
};

static int read_file(const struct key_request *request, const char *text, size_t length, json_t **rows,
		     struct key_summary *summary)
{
	char *copy = malloc(length ? length : 1);
	memcpy(copy, text, length);
	int exit_code = key_rows_read(request, copy, length, seal, rows, summary);
	free(copy);
	return exit_code;
}

static void files_are_understood(void **state)
{
	(void)state;
	begins();
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct key_request request = {.file = "t", .format = good[i].asked, .map = good[i].map};
		struct key_summary summary;
		json_t *rows = NULL;
		char key[33];
		t_row(good[i].name);
		if (!t_int("exit", 0,
			   read_file(&request, good[i].text,
				     good[i].length ? good[i].length : strlen(good[i].text), &rows,
				     &summary)))
			continue;
		const json_t *row = json_array_get(rows, 0);
		t_str("format", key_format_name(good[i].told), key_format_name(summary.format));
		t_str("dev_eui", EUI, text_of(row, "dev_eui"));
		t_str("join_eui", good[i].join_eui, text_of(row, "join_eui"));
		t_str("app_key", good[i].app_key, opened(row, "app_key", key));
		t_str("nwk_key", good[i].nwk_key, opened(row, "nwk_key", key));
		t_str("name", good[i].device_name, text_of(row, "name"));
		char *all = json_dumps(rows, 0);
		t_true("no key in clear", !strstr(all, KEY_1));
		free(all);
		json_decref(rows);
	}
	ends();
}

static void a_session_alone_is_one_of_abp(void **state)
{
	(void)state;
	static const char text[] = "DevEUI;DevAddr;NwkSKey;AppSKey\n" EUI ";26011234;" KEY_1 ";" KEY_1 "\n";
	const struct key_request request = {.file = "t"};
	struct key_summary summary;
	json_t *rows = NULL;
	char key[33];
	begins();
	assert_int_equal(0, read_file(&request, text, strlen(text), &rows, &summary));
	const json_t *row = json_array_get(rows, 0);
	t_str("activation", "abp", text_of(row, "activation"));
	t_str("address", "26011234", text_of(row, "dev_addr"));
	t_str("network's key", KEY_1, opened(row, "nwk_s_key", key));
	t_str("application's key", KEY_1, opened(row, "app_s_key", key));
	json_decref(rows);
	ends();
}

static const struct {
	const char *name, *text;
	enum key_format format;
} bad[] = {
	{"nothing", "", KEY_AUTO},
	{"a misspelt column of our own", "dev_eui,nmae,application\n" EUI ",a,b\n", KEY_AUTO},
	{"no column of EUIs", "unit;secret\n1;2\n", KEY_AUTO},
	{"an EUI that a spreadsheet counted", "DevEUI;AppKey\n7.0B3D57E+15;" KEY_1 "\n", KEY_AUTO},
	{"a key that a spreadsheet counted", "DevEUI;AppKey\n" EUI ";1.12233E+30\n", KEY_AUTO},
	{"with a comma for its point", "DevEUI;AppKey\n" EUI ";1,12233E+30\n", KEY_AUTO},
	{"zeros are gone", "DevEUI;AppKey\n18230000000101;" KEY_1 "\n", KEY_AUTO},
	{"a short key", "DevEUI;AppKey\n" EUI ";0011223344556677\n", KEY_AUTO},
	{"a cell too few", "DevEUI;AppKey\n" EUI "\n", KEY_AUTO},
	{"no EUI in a row", "DevEUI;AppKey\n;" KEY_1 "\n", KEY_AUTO},
	{"a code with a wrong checksum", "qr\nLW:D0:70B3D57ED0000000:70B3D57ED0000001:AABB1122:C0000\n",
	 KEY_MAKER},
	{"JSON that breaks off", "{\"ids\":{\"dev_eui\":\"" EUI "\"", KEY_AUTO},
	{"JSON of numbers", "[1,2]", KEY_AUTO},
	{"a member twice", "{\"dev_eui\":\"" EUI "\",\"dev_eui\":\"" EUI "\"}", KEY_AUTO},
	{"an EUI with its last byte first, and nobody says so", "DevEUI;AppKey\n010000d07ed5b370;" KEY_1 "\n",
	 KEY_AUTO},
	{"a JoinEUI with its last byte first", "DevEUI;AppEUI;AppKey\n" EUI ";000000d07ed5b370;" KEY_1 "\n",
	 KEY_AUTO},
	{"an EUI with points in threes", "DevEUI;AppKey\n1.823.000.000.010.100;" KEY_1 "\n", KEY_AUTO},
	{"ThingPark's line for something else", "CREATE_ABP," EUI "\n", KEY_AUTO},
};

static void others_are_refused(void **state)
{
	(void)state;
	begins();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct key_request request = {.file = "t", .format = bad[i].format};
		struct key_summary summary;
		json_t *rows = NULL;
		t_row(bad[i].name);
		t_int("exit", 4, read_file(&request, bad[i].text, strlen(bad[i].text), &rows, &summary));
		t_true("no rows", rows == NULL);
	}
	ends();
}

static void the_words_say_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *why; /* NULL: taken */
		size_t digits;
	} rows[] = {
		{"counted", "1.23E+15", "a spreadsheet has made a number", 16},
		{"counted, small letters", "1.23e+15", "a spreadsheet has made a number", 16},
		{"counted, without a sign", "1.823E15", "a spreadsheet has made a number", 16},
		{"in threes", "1,823,000,000,010,100", "a spreadsheet has made a number", 16},
		{"in threes with blanks", "1 823 000 000 010 100", "a spreadsheet has made a number", 16},
		{"a column that was too narrow", "########", "too narrow", 16},
		{"pairs that begin as a number does", "24.E1.24.00.00.00.00.01", NULL, 16},
		{"pairs of digits alone", "18.23.00.00.00.01.01.00", NULL, 16},
		{"a MAC address", "70:b3:d5:7e:d0:00", "expected 16 hex digits", 16},
		{"zeros gone", "18230000000101", "digits are missing at the front", 16},
		{"hex that looks like a power", "123456781234567812345678123e0015", NULL, 32},
		{"all digits", "1823000000010100", NULL, 16},
		{"C's way", "{0x70,0xb3,0xd5,0x7e,0xd0,0x00,0x00,0x01}", NULL, 16},
		{"a letter O", "70b3d57ed00000O1", "expected 16 hex digits", 16},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[KEY_VALUE_MAX];
		const char *why = key_value_hex(rows[i].text, rows[i].digits, out);
		t_row(rows[i].name);
		if (rows[i].why)
			t_true("why", why && strstr(why, rows[i].why));
		else
			t_true("taken", why == NULL);
	}
}

static void tokens_go_to_the_shelf_as_hashes(void **state)
{
	(void)state;
	static const char text[] = "DevEUI;AppKey;Owner Token;SN\n" EUI ";" KEY_1 ";abcd1234;S1\n";
	const struct key_request request = {.file = "t", .shelf = true};
	struct key_summary summary;
	struct lw_eui64 eui;
	json_t *rows = NULL;
	char digest[65];
	begins();
	assert_int_equal(0, read_file(&request, text, strlen(text), &rows, &summary));
	assert_true(lw_eui64_parse(EUI, &eui));
	key_token_digest(&eui, "ABCD1234", digest);
	t_str("hash", digest, text_of(json_array_get(rows, 0), "token_digest"));
	char *all = json_dumps(rows, 0);
	t_true("no token in clear", !strstr(all, "bcd1234") && !strstr(all, "BCD1234"));
	free(all);
	json_decref(rows);
	static const char without[] = "DevEUI;AppKey\n" EUI ";" KEY_1 "\n";
	rows = NULL;
	t_int("without a token", 4, read_file(&request, without, strlen(without), &rows, &summary));
	ends();
}

/* One table of refusals for every way in. */
static void keys_that_are_no_secret_come_in_nowhere(void **state)
{
	(void)state;
#define PUBLISHED "2B7E151628AED2A6ABF7158809CF4F3C"
	static const struct {
		const char *name, *before, *behind; /* of the key */
		enum key_format format;
		bool shelf;
	} ways[] = {
		{"our own CSV", "dev_eui,name,application,profile,app_key\n" EUI ",a,b,c,", "\n", KEY_AUTO,
		 false},
		{"a maker's list", "DevEUI;AppKey\n" EUI ";", "\n", KEY_AUTO, false},
		{"The Things Stack's CSV", "id;dev_eui;frequency_plan_id;app_key\na;" EUI ";EU;", "\n",
		 KEY_AUTO, false},
		{"The Things Stack's JSON",
		 "{\"ids\":{\"dev_eui\":\"" EUI "\"},\"root_keys\":{\"app_key\":{\"key\":\"", "\"}}}",
		 KEY_AUTO, false},
		{"ChirpStack's CSV", "dev_eui,device_profile_id,nwk_key\n" EUI ",x,", "\n", KEY_AUTO, false},
		{"ChirpStack's JSON", "{\"devEui\":\"" EUI "\",\"deviceKeys\":{\"nwkKey\":\"", "\"}}",
		 KEY_AUTO, false},
		{"ThingPark's lines", "CREATE_OTAA," EUI ",,M,,", "\n", KEY_AUTO, false},
		{"codes", "qr;app_key\nLW:D0:70B3D57ED0000000:70B3D57ED0000001:AABB1122;", "\n", KEY_AUTO,
		 false},
		{"the shelf", "DevEUI;Owner Token;AppKey\n" EUI ";ABCD1234;", "\n", KEY_AUTO, true},
		{"a session's keys", "DevEUI;DevAddr;AppSKey;NwkSKey\n" EUI ";26011234;" KEY_1 ";", "\n",
		 KEY_AUTO, false},
	};
	begins();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct key_request request = {
			.file = "t", .format = ways[i].format, .shelf = ways[i].shelf};
		static const struct {
			const char *key;
			int strict, allowed;
		} keys[] = {{KEY_1, 0, 0}, {PUBLISHED, 4, 0}, {KEY_0, 4, 4}, {EUI EUI, 4, 0}};
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			for (int allowed = 0; allowed < 2; allowed++) {
				struct key_summary summary;
				char text[300], row[120];
				json_t *rows = NULL;
				snprintf(row, sizeof row, "%s, %.4s, %s", ways[i].name, keys[k].key,
					 allowed ? "allowed" : "not allowed");
				snprintf(text, sizeof text, "%s%s%s", ways[i].before, keys[k].key,
					 ways[i].behind);
				t_row(row);
				ends();
				begins();
				if (allowed)
					cli_seal_allow_known(seal);
				t_int("exit", allowed ? keys[k].allowed : keys[k].strict,
				      read_file(&request, text, strlen(text), &rows, &summary));
				json_decref(rows);
			}
	}
	t_row("a word that was typed");
	json_t *sealed = NULL;
	ends();
	begins();
	t_int("published", 4, cli_seal_word(NULL, &seal, "app_key", EUI, PUBLISHED, &sealed));
	t_int("zeros", 4, cli_seal_word(NULL, &seal, "app_key", EUI, KEY_0, &sealed));
	t_true("nothing is sealed", sealed == NULL);
	cli_seal_allow_known(seal);
	t_int("allowed", 0, cli_seal_word(NULL, &seal, "app_key", EUI, PUBLISHED, &sealed));
	json_decref(sealed);
	t_int("zeros never", 4, cli_seal_word(NULL, &seal, "nwk_key", EUI, KEY_0, &sealed));
	t_true("nor is anything sealed", sealed == NULL);
	ends();
}

static void a_key_of_two_devices_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		int exit;
	} rows[] = {
		{"two devices", "DevEUI;AppKey\n" EUI ";" KEY_1 "\n70b3d57ed0000002;" KEY_1 "\n", 4},
		{"two devices of ours",
		 "dev_eui,app_key\n" EUI "," KEY_1 "\n70b3d57ed0000002,00112233445566778899AABBCCDDEE01\n",
		 4},
		{"the two keys of a device", "DevEUI;AppKey;NwkKey\n" EUI ";" KEY_1 ";" KEY_1 "\n", 0},
		{"two keys",
		 "DevEUI;AppKey\n" EUI ";" KEY_1 "\n70b3d57ed0000002;10112233445566778899aabbccddee01\n", 0},
	};
	const struct key_request request = {.file = "t"};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int allowed = 0; allowed < 2; allowed++) {
			struct key_summary summary;
			json_t *made = NULL;
			begins();
			t_row(rows[i].name);
			if (allowed)
				cli_seal_allow_known(seal);
			t_int("exit", allowed ? 0 : rows[i].exit,
			      read_file(&request, rows[i].text, strlen(rows[i].text), &made, &summary));
			json_decref(made);
			ends();
		}
}

/* How often `word` stands in the memory that was allocated, freed or not. */
static size_t left_in_memory(const char *word)
{
	unsigned long from = 0, to = 0;
	size_t found = 0;
	char line[300];
	FILE *maps = fopen("/proc/self/maps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) &&
	       !(strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &from, &to) == 2))
		from = to = 0;
	fclose(maps);
	FILE *memory = fopen("/proc/self/mem", "r");
	int zeros = open("/dev/zero", O_RDWR | O_CLOEXEC); /* a copy on the heap would find itself */
	assert_true(memory && zeros >= 0);
	char *copy = mmap(NULL, to - from + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, zeros, 0);
	close(zeros);
	assert_true(copy != MAP_FAILED);
	(void)setvbuf(memory, NULL, _IONBF, 0);
	assert_int_equal(0, fseeko(memory, (off_t)from, SEEK_SET));
	size_t length = fread(copy, 1, to - from, memory);
	for (size_t at = 0; at + strlen(word) <= length; at++)
		found += memcmp(copy + at, word, strlen(word)) == 0;
	fclose(memory);
	munmap(copy, to - from + 1);
	return found;
}

static void no_key_is_left_in_memory(void **state)
{
	(void)state;
	char key[33], text[200];
	const struct key_request request = {.file = "t"};
	struct key_summary summary;
	json_t *rows = NULL;
	begins();
	for (int i = 0; i < 32; i++)
		key[i] = "0123456789abcdef"[(i * 7 + 3 + i / 16) % 16];
	key[32] = '\0';
	snprintf(text, sizeof text, "[{\"dev_eui\":\"" EUI "\",\"app_key\":\"%s\"}]", key);
	t_int("read", 0, key_rows_read(&request, text, strlen(text), seal, &rows, &summary));
	t_true("sealed", json_object_get(json_array_get(rows, 0), "app_key") != NULL);
#ifndef __SANITIZE_ADDRESS__ /* whose allocator keeps no heap of this kind */
	char *there = strdup("a word that is on the heap");
	t_true("the search finds what is there", there && left_in_memory("word that is on the heap") > 0);
	free(there);
#endif
	t_int("copies of its end: what frees writes over a beginning", 0,
	      (long long)left_in_memory(key + 18));
	json_decref(rows);
	ends();
}

int main(void)
{
	cli_json_wipes();
	const struct CMUnitTest tests[] = {
		t_test(files_are_understood),
		t_test(a_session_alone_is_one_of_abp),
		t_test(others_are_refused),
		t_test(the_words_say_what_to_do),
		t_test(tokens_go_to_the_shelf_as_hashes),
		t_test(keys_that_are_no_secret_come_in_nowhere),
		t_test(a_key_of_two_devices_is_named),
		t_test(no_key_is_left_in_memory),
	};
	return t_run(tests);
}
