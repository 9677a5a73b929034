/* `lamppost frame`'s inside: every frame of the vectors is explained as the vectors say, and what was explained builds the same
 * bytes again; every MAC command by name and fields; what is wrong is named with its place. */
#include "tests/harness/harness.h"

#include "cli/frame_build.h"
#include "cli/frame_decode.h"
#include "cli/frame_input.h"
#include "cli/frame_mac.h"
#include "common/base/hex.h"
#include "common/text/mac_words.h"
#include "common/text/mac_words_rows.h"
#include "common/text/region_yaml.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_KINDS \
	"frame_1_0_up frame_1_0_down frame_1_1_up frame_1_1_down frame_multicast frame_1_1_mic_only"

static struct aes *aes;

static json_t *load(const char *path)
{
	json_error_t error;
	json_t *entries = json_load_file(path, 0, &error);
	if (!entries)
		fail_msg("%s: %s", path, error.text);
	return entries;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static void copy(json_t *to, const char *to_name, const json_t *from, const char *from_name)
{
	json_t *value = json_object_get(from, from_name);
	if (value && !json_is_null(value))
		json_object_set(to, to_name, value);
}

/* Explains, and builds from what was said with the same keys. Gives the document, the caller's. */
static json_t *there_and_back(const char *hex, const json_t *known, enum cli_frame_outcome *outcome)
{
	struct cli_frame_context context = {.region = NULL};
	char problem[CLI_FRAME_PROBLEM_MAX] = "";
	uint8_t phy[256], built[256];
	size_t length, built_length = 0;
	assert_true(hex_decode(phy, sizeof phy, &length, hex, strlen(hex)));
	t_true("known", cli_frame_context_read(&context, known, problem));
	struct cli_frame_report *report = cli_frame_decode(phy, length, &context, aes);
	json_t *document = json_incref(report->document);
	*outcome = report->outcome;
	cli_frame_report_free(report);
	json_t *all = json_copy(document);
	json_object_update(all, (json_t *)(uintptr_t)known);
	if (json_object_get(document, "fcnt"))
		json_object_set(all, "fcnt", json_object_get(document, "fcnt"));
	if (!t_true("what was said is understood", cli_frame_context_read(&context, all, problem)) ||
	    !t_true("built", cli_frame_build(document, &context, aes, built, &built_length, problem)))
		t_str("problem", "", problem);
	t_bytes("the same bytes", phy, length, built, built_length);
	json_decref(all);
	return document;
}

static void data_frames(void **state)
{
	(void)state;
	size_t index, seen = 0;
	json_t *entries = load("tests/vectors/data_frames.json"), *entry;
	json_array_foreach(entries, index, entry)
	{
		const json_t *input = json_object_get(entry, "input"),
			     *expect = json_object_get(entry, "expect");
		if (!strstr(FRAME_KINDS, text_of(entry, "kind")) ||
		    !json_is_true(json_object_get(entry, "verified")))
			continue;
		t_row(text_of(entry, "name"));
		json_t *known = json_object();
		copy(known, "mac_version", input, "lorawan");
		copy(known, "fcnt", input, "fcnt32");
		copy(known, "nwk_s_key", input, "nwk_skey");
		copy(known, "app_s_key", input, "app_skey");
		static const char *const same[] = {"f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key",
						   "conf_fcnt",       "tx_dr",           "tx_ch"};
		for (size_t i = 0; i < ARRAY_SIZE(same); i++)
			copy(known, same[i], input, same[i]);
		enum cli_frame_outcome outcome;
		json_t *document = there_and_back(text_of(input, "phy"), known, &outcome);
		t_str("type", text_of(json_object_get(expect, "mhdr"), "mtype"), text_of(document, "type"));
		t_str("dev_addr", text_of(expect, "dev_addr"), text_of(document, "dev_addr"));
		if (json_object_get(expect, "frm_payload") && json_object_get(input, "app_skey"))
			t_str("payload", text_of(expect, "frm_payload"), text_of(document, "frm_payload"));
		if (json_object_get(expect, "fopts") && !strstr(text_of(entry, "kind"), "mic_only"))
			t_str("fopts", text_of(expect, "fopts"), text_of(document, "fopts"));
		t_true("mic", json_is_true(json_object_get(expect, "mic_valid")) ==
				      json_is_true(json_object_get(document, "mic_valid")));
		json_decref(document);
		json_decref(known);
		seen++;
	}
	t_true("many of them", seen > 20);
	json_decref(entries);
}

/* Keys of a join by the roles that the vectors give them. */
static json_t *join_keys(const json_t *entry)
{
	const char *kind = text_of(entry, "kind"),
		   *role = text_of(json_object_get(entry, "input"), "key_role");
	const json_t *input = json_object_get(entry, "input");
	json_t *known = json_object();
	if (strcmp(kind, "join_request") == 0)
		copy(known, "app_key", input, "key");
	else if (strcmp(role, "JSIntKey") == 0)
		copy(known, "js_int_key", input, "key");
	else if (strcmp(role, "SNwkSIntKey") == 0)
		copy(known, "s_nwk_s_int_key", input, "key");
	else if (strcmp(kind, "join_accept_1_0") == 0)
		copy(known, "app_key", input, "encrypt_key");
	else if (strcmp(kind, "join_accept_1_1") == 0) {
		copy(known, strcmp(text_of(input, "join_req_type"), "ff") != 0 ? "js_enc_key" : "nwk_key",
		     input, "encrypt_key");
		copy(known, "js_int_key", input, "mic_key");
		copy(known, "join_eui", input, "join_eui");
		json_object_set_new(known, "dev_nonce",
				    json_integer(strtol(text_of(input, "dev_nonce_or_rj_count"), NULL, 16)));
		if (strcmp(text_of(input, "join_req_type"), "ff") != 0)
			json_object_set_new(known, "join_req_type",
					    json_integer(strtol(text_of(input, "join_req_type"), NULL, 16)));
	}
	return known;
}

static void joins(void **state)
{
	(void)state;
	size_t index, seen = 0;
	json_t *entries = load("tests/vectors/join.json"), *entry;
	json_array_foreach(entries, index, entry)
	{
		const char *kind = text_of(entry, "kind");
		const json_t *input = json_object_get(entry, "input"),
			     *expect = json_object_get(entry, "expect");
		const char *phy = *text_of(input, "phy") ? text_of(input, "phy") : text_of(expect, "phy");
		bool request = strcmp(kind, "join_request") == 0 || strncmp(kind, "rejoin_", 7) == 0;
		if ((!request && strncmp(kind, "join_accept_1", 13) != 0) || !*phy ||
		    !json_is_true(json_object_get(entry, "verified")))
			continue;
		/* Where the MIC is wrong on purpose, building would put it right. */
		if (json_object_get(expect, "mic_computed"))
			continue;
		t_row(text_of(entry, "name"));
		json_t *known = join_keys(entry);
		enum cli_frame_outcome outcome;
		json_t *document = there_and_back(phy, known, &outcome);
		static const char *const texts[] = {"join_eui", "dev_eui", "net_id", "dev_addr"};
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
			if (json_object_get(expect, texts[i]))
				t_str(texts[i], text_of(expect, texts[i]), text_of(document, texts[i]));
		static const char *const values[] = {"rj_count",      "rejoin_type",   "opt_neg",
						     "rx1_dr_offset", "rx2_data_rate", "rx_delay"};
		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			if (json_object_get(expect, values[i]))
				t_true(values[i], json_equal(json_object_get(expect, values[i]),
							     json_object_get(document, values[i])));
		if (json_object_get(expect, "mic_valid") || !request)
			t_true("mic", json_is_true(json_object_get(document, "mic_valid")));
		json_decref(document);
		json_decref(known);
		seen++;
	}
	t_true("many of them", seen > 12);
	json_decref(entries);
}

static bool is_2_4_ghz(const json_t *commands)
{
	size_t i;
	const json_t *command;
	json_array_foreach(commands, i, command)
	{
		if (json_integer_value(json_object_get(command, "frequency_hz")) > 1677721500)
			return true;
	}
	return false;
}

static void mac_commands(void **state)
{
	(void)state;
	static struct lw_region ism2400;
	assert_true(region_load(&ism2400, "ism2400"));
	size_t index, at, seen = 0;
	json_t *entries = load("tests/vectors/mac_commands.json"), *entry, *command;
	json_array_foreach(entries, index, entry)
	{
		const char *kind = text_of(entry, "kind");
		const json_t *input = json_object_get(entry, "input");
		enum lw_direction direction = strcmp(text_of(input, "direction"), "up") == 0 ? LW_UP
											     : LW_DOWN;
		uint8_t bytes[256], built[256];
		size_t length, built_length = 0;
		char problem[CLI_FRAME_PROBLEM_MAX] = "";
		t_row(text_of(entry, "name"));
		if (strcmp(kind, "encode_reject") == 0) {
			json_t *one = json_copy(json_object_get(input, "fields"));
			json_object_set(one, "command", json_object_get(input, "command"));
			json_t *list = json_pack("[o]", one);
			if (*text_of(input, "command"))
				t_false("built", cli_frame_mac_build(list, direction, 0, built, sizeof built,
								     &built_length, problem));
			json_decref(list);
			continue;
		}
		bool whole = strcmp(kind, "uplink") == 0 || strcmp(kind, "downlink") == 0 ||
			     strcmp(kind, "sequence") == 0;
		if (!whole || !json_is_true(json_object_get(entry, "verified")))
			continue;
		const char *hex = text_of(input, "bytes");
		assert_true(hex_decode(bytes, sizeof bytes, &length, hex, strlen(hex)));
		json_t *wanted = json_array();
		json_array_foreach(json_object_get(json_object_get(entry, "expect"), "commands"), at, command)
		{
			json_t *one = json_copy(json_object_get(command, "fields"));
			json_object_set(one, "command", json_object_get(command, "command"));
			json_array_append_new(wanted, one);
		}
		struct cli_frame_report *report = cli_frame_report_new(bytes, length);
		/* A frequency that steps of 100 Hz do not reach is one of 2.4 GHz. */
		const struct lw_region *region = is_2_4_ghz(wanted) ? &ism2400 : NULL;
		json_t *got = cli_frame_mac_explain(report, 0, 0, bytes, length, direction, region);
		t_true("explained", json_equal(wanted, got));
		t_true("built", cli_frame_mac_build(got, direction, region ? region->freq_step_hz : 0, built,
						    sizeof built, &built_length, problem));
		if (strcmp(text_of(entry, "name"), "seq 020a0f") == 0)
			built[2] |= 0x0c; /* RFU bits are not said, and not built */
		t_bytes("the same bytes", bytes, length, built, built_length);
		json_decref(got);
		json_decref(wanted);
		cli_frame_report_free(report);
		seen++;
	}
	t_true("many of them", seen > 80);
	json_decref(entries);
}

/* Every command and field of the library has its words, and no row of words is for nothing. */
static void words_for_all(void **state)
{
	(void)state;
	size_t count, words, used = 0;
	const struct lw_mac_row *rows = lw_mac_rows(&count);
	static struct lw_region region;
	assert_true(region_load(&region, "us915"));
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].name);
		t_true("purpose", mac_words_command(&rows[i]) != NULL);
		for (size_t j = 0; j < rows[i].field_count; j++)
			if (!t_true(rows[i].fields[j].name,
				    mac_words_field(&rows[i], &rows[i].fields[j]) != NULL))
				continue;
	}
	const struct mac_field_words *fields = mac_words_fields(&words);
	for (size_t k = 0; k < words; k++) {
		bool met = false;
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < rows[i].field_count; j++)
				met = met || mac_words_field(&rows[i], &rows[i].fields[j]) == &fields[k];
		t_row(fields[k].field);
		t_true("met", met);
		used += met;
	}
	t_uint("all", words, used);
}

static const struct {
	const char *name, *region, *bytes;
	enum lw_direction direction;
	const char *field, *text;
} meanings[] = {
	{"data rate of a region", "eu868", "0350ff0001", LW_DOWN, "DataRate", "5 SF7, 125 kHz"},
	{"a data rate that the region has not", "us915", "0350ff0001", LW_DOWN, "DataRate",
	 "5 LR-FHSS, 1523 kHz, 1/3"},
	{"power", "eu868", "0352ff0001", LW_DOWN, "TXPower",
	 "2 4 dB below the device's highest EIRP: 12.00 dBm EIRP by default"},
	{"mask of a dynamic region", "eu868", "035007a001", LW_DOWN, "ChMask",
	 "0xa007 of channels 0 to 15 on: 0-2, 13, 15"},
	{"mask of 500 kHz channels", "us915", "0350020071", LW_DOWN, "ChMask",
	 "0x0002 channels 0 to 63 off, of 64 to 71 on: 65"},
	{"sub-band by mask", "us915", "035000ff01", LW_DOWN, "ChMask", "0xff00 of channels 0 to 15 on: 8-15"},
	{"which channels a mask is for", "us915", "035000ff11", LW_DOWN, "ChMaskCntl",
	 "1 ChMask is for channels 16 to 31"},
	{"keeps", "eu868", "03ffff0001", LW_DOWN, "TXPower", "15 keeps what it has (1.0.4)"},
	{"frequency", "eu868", "0703184f8450", LW_DOWN, "Frequency", "867.1 MHz"},
	{"channel removed", "eu868", "070300000050", LW_DOWN, "Frequency", "the channel is removed"},
	{"no region, no words of one", NULL, "0350ff0001", LW_DOWN, "DataRate", "5"},
	{"refused", "eu868", "0306", LW_UP, "ChannelMaskACK", "0 refused"},
	{"battery", "eu868", "067f3b", LW_UP, "Battery", "127 50 % of full"},
	{"margin below", "eu868", "06ff3b", LW_UP, "RadioStatus", "-5 dB above what is needed"},
	{"EIRP", "as923-1", "093d", LW_DOWN, "MaxEIRP", "13 30 dBm"},
};

static void words_of_values(void **state)
{
	(void)state;
	static struct lw_region region;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		uint8_t bytes[32];
		size_t length;
		t_row(meanings[i].name);
		assert_true(hex_decode(bytes, sizeof bytes, &length, meanings[i].bytes,
				       strlen(meanings[i].bytes)));
		if (meanings[i].region)
			assert_true(region_load(&region, meanings[i].region));
		struct cli_frame_report *report = cli_frame_report_new(bytes, length);
		json_decref(cli_frame_mac_explain(report, 0, 0, bytes, length, meanings[i].direction,
						  meanings[i].region ? &region : NULL));
		const char *text = NULL;
		for (size_t line = 0; line < report->count; line++)
			if (strcmp(report->lines[line].name, meanings[i].field) == 0)
				text = report->lines[line].text;
		t_str("text", meanings[i].text, text ? text : "no such line");
		cli_frame_report_free(report);
	}
}

int main(void)
{
	aes = aes_new();
	const struct CMUnitTest tests[] = {t_test(data_frames), t_test(joins), t_test(mac_commands),
					   t_test(words_for_all), t_test(words_of_values)};
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
