#include "tests/harness/harness.h"

#include "common/base/decision_text.h"

#include <stdlib.h>
#include <string.h>

static const char *const colours[] = {"red", "green", NULL};

static const struct decision_rule rules[] = {
	{"fcnt_old", DECISION_AS_INFO, "Counter {fcnt:a} was used before; {expected:b} or more was expected.",
	 "Look for a second device.", NULL},
	{"radio", DECISION_AS_DEBUG,
	 "Heard at {freq_hz:a:hz}, {dr:c0:dr}, {rssi_dbm:bl:dbm}, {snr_db:bh:db}, by {gateway}.", "", NULL},
	{"every_way", DECISION_AS_WARN,
	 "{n:al:signed} {late_ms:ah:ms} {wait_s:b0:s or none} {rest:b1:days} {p:b2:percent} {x:b3:hex} "
	 "{colour:c0:word} {g:c1:count gateway}.",
	 "", colours},
	{"cause", DECISION_AS_INFO,
	 "{device} {item}: {air_us:a:us}, {length:bl:bytes}, because of {cause:c:rule}.", "", NULL},
	{"small", DECISION_AS_INFO, "{dr:a0l:dr} to {to:a0h:dr}.", "", NULL},
	{"eui", DECISION_AS_INFO, "{dev_eui:ab:eui} asked, {dev_nonce:c}.", "", NULL},
	{"address", DECISION_AS_INFO, "No session has {dev_addr:a:addr}; {frame}.", "", NULL},
};
static const struct decision_table tables[] = {{"test", rules, ARRAY_SIZE(rules)}};
static const struct decision_book book = {"network-server", tables, 1};

static const struct decision_names nobody = {.device = ""};
static const struct decision_names named = {.device = "0011223344556677",
					    .gateway = "8899aabbccddeeff",
					    .dev_addr = "01020304",
					    .item = "0190e3a1-0000-4000-8000-000000000001"};

static const struct {
	const char *name;
	struct decision decision;
	const struct decision_names *names;
	const char *sentence, *json;
} rows[] = {
	{"two counters",
	 {.verdict = 0, .a = 17, .b = 18},
	 &nobody,
	 "Counter 17 was used before; 18 or more was expected.",
	 "\"numbers\":{\"fcnt\":17,\"expected\":18}}"},
	{"radio, the gateway known",
	 {.verdict = 1, .a = 868100000, .b = 0xfd2bff8b, .c = 5},
	 &named,
	 "Heard at 868.1 MHz, DR5, -117 dBm, -7.25 dB, by gateway 8899aabbccddeeff.",
	 "\"numbers\":{\"freq_hz\":868100000,\"dr\":5,\"rssi_dbm\":-117,\"snr_db\":-7.25},"
	 "\"device\":\"0011223344556677\",\"gateway\":\"8899aabbccddeeff\",\"dev_addr\":\"01020304\","
	 "\"item\":\"0190e3a1-0000-4000-8000-000000000001\"}"},
	{"radio, an unknown SNR, the gateway gone",
	 {.verdict = 1, .a = 902300000, .b = 0x8000ffd3, .c = 0},
	 &nobody,
	 "Heard at 902.3 MHz, DR0, -45 dBm, unknown, by a gateway.",
	 "\"numbers\":{\"freq_hz\":902300000,\"dr\":0,\"rssi_dbm\":-45,\"snr_db\":null}}"},
	{"every way, something absent",
	 {.verdict = 2, .a = 0x007bfffd, .b = 0x8f0501ff, .c = 0x0101},
	 &nobody,
	 "-3 123 ms none 1 day 5 % 0x8f green 1 gateway.",
	 "\"numbers\":{\"n\":-3,\"late_ms\":123,\"wait_s\":null,\"rest\":1,\"p\":5,\"x\":\"0x8f\","
	 "\"colour\":\"green\",\"g\":1}}"},
	{"every way, words that are not there",
	 {.verdict = 2, .a = 0, .b = 0x00000005, .c = 0x0309},
	 &nobody,
	 "0 0 ms 5 s 0 days 0 % 0x00 9 3 gateways.",
	 "\"numbers\":{\"n\":0,\"late_ms\":0,\"wait_s\":5,\"rest\":0,\"p\":0,\"x\":\"0x00\",\"colour\":9,"
	 "\"g\":3}}"},
	{"another rule as the cause, an item by its digits",
	 {.verdict = 3, .a = 61696, .b = 1, .c = 0, .about = DECISION_ABOUT_ITEM, .ref = 0x0190e3a1},
	 &nobody,
	 "The device item 0190e3a1: 61.6 ms, 1 byte, because of fcnt old.",
	 "\"numbers\":{\"air_us\":61696,\"length\":1,\"cause\":\"fcnt_old\"},\"item\":\"0190e3a1\"}"},
	{"half bytes", {.verdict = 4, .a = 0x53}, &nobody, "DR3 to DR5.", "\"numbers\":{\"dr\":3,\"to\":5}}"},
	{"an EUI",
	 {.verdict = 5, .a = 0x0004a30b, .b = 0x1c0530, .c = 9},
	 &nobody,
	 "0004a30b001c0530 asked, 9.",
	 "\"numbers\":{\"dev_eui\":\"0004a30b001c0530\",\"dev_nonce\":9}}"},
	{"an address, and a frame",
	 {.verdict = 6, .a = 0x26012f4a, .about = DECISION_ABOUT_FRAME, .ref = 0x00c0ffee},
	 &nobody,
	 "No session has 26012f4a; frame 00c0ffee.",
	 "\"numbers\":{\"dev_addr\":\"26012f4a\"},\"dev_addr\":\"26012f4a\",\"frame\":\"00c0ffee\"}"},
};

static void records_become_sentences_and_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char text[DECISION_TEXT], *json = NULL;
		size_t length = decision_say(text, &book, &rows[i].decision, rows[i].names), json_length = 0;
		t_str("sentence", rows[i].sentence, text);
		t_uint("its length", strlen(text), length);
		FILE *out = open_memstream(&json, &json_length);
		assert_non_null(out);
		decision_json(out, &book, &rows[i].decision, rows[i].names);
		fclose(out);
		const char *numbers = strstr(json, "\"numbers\"");
		t_str("json", rows[i].json, numbers ? numbers : json);
		free(json);
	}
}

static void the_head_of_the_json(void **state)
{
	(void)state;
	struct decision_ring ring;
	decision_ring_init(&ring, 64, 2);
	decision_add(&ring, (struct wall){1795284000123000}, 1, &(struct decision){.a = 1, .b = 2});
	char *json = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&json, &length);
	assert_non_null(out);
	decision_json(out, &book, decision_newest(&ring, 1), &nobody);
	fclose(out);
	t_str("whole",
	      "{\"time\":\"2026-11-21T18:00:00.123Z\",\"process\":\"network-server\",\"verdict\":\"fcnt_"
	      "old\","
	      "\"level\":\"info\",\"kind\":\"problem\",\"sentence\":\"Counter 1 was used before; 2 or more "
	      "was expected.\","
	      "\"next\":\"Look for a second device.\",\"numbers\":{\"fcnt\":1,\"expected\":2}}",
	      json);
	free(json);
	decision_ring_release(&ring);
}

static void faults_in_tables_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct decision_rule rule;
		const char *fault;
	} faulty[] = {
		{"good", {"x", DECISION_AS_INFO, "A {n:a} {m:b:ms}.", "Do it.", NULL}, NULL},
		{"to be done about what is good",
		 {"x", DECISION_AS_DEBUG_GOOD, "A.", "Do it.", NULL},
		 "x: no kind, or something to do about what is good"},
		{"no row", {0}, "a row: no name"},
		{"a capital", {"X", DECISION_AS_INFO, "A.", "", NULL}, "X: no name"},
		{"no such field", {"x", DECISION_AS_INFO, "A {n:d}.", "", NULL}, "placeholder"},
		{"no such half", {"x", DECISION_AS_INFO, "A {n:cl}.", "", NULL}, "placeholder"},
		{"no such byte", {"x", DECISION_AS_INFO, "A {n:c2}.", "", NULL}, "placeholder"},
		{"half a byte of no byte", {"x", DECISION_AS_INFO, "A {n:all}.", "", NULL}, "placeholder"},
		{"half of c's first byte", {"x", DECISION_AS_INFO, "A {n:c0l}.", "", NULL}, NULL},
		{"64 bits of no EUI", {"x", DECISION_AS_INFO, "A {n:ab}.", "", NULL}, "placeholder"},
		{"an EUI of 32 bits", {"x", DECISION_AS_INFO, "A {n:a:eui}.", "", NULL}, "placeholder"},
		{"no such way", {"x", DECISION_AS_INFO, "A {n:a:furlongs}.", "", NULL}, "placeholder"},
		{"no such reference", {"x", DECISION_AS_INFO, "A {nobody}.", "", NULL}, "placeholder"},
		{"an open brace", {"x", DECISION_AS_INFO, "A {n:a.", "", NULL}, "placeholder"},
		{"no words", {"x", DECISION_AS_INFO, "A {n:a:word}.", "", NULL}, "without words"},
		{"one name twice", {"x", DECISION_AS_INFO, "A {n:a} {n:b}.", "", NULL}, "two numbers"},
		{"no full stop", {"x", DECISION_AS_INFO, "A {n:a}", "", NULL}, "as a sentence does"},
		{"a quote", {"x", DECISION_AS_INFO, "A \"b\".", "", NULL}, "plain"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(faulty); i++) {
		t_row(faulty[i].name);
		const struct decision_table table = {"t", &faulty[i].rule, 1};
		const struct decision_book one = {"p", &table, 1};
		char fault[200] = "";
		t_int("held", faulty[i].fault == NULL, decision_check(&one, fault, sizeof fault));
		t_true(fault, !faulty[i].fault || strstr(fault, faulty[i].fault) != NULL);
	}
	static const struct decision_rule twice[] = {{"x", DECISION_AS_INFO, "A.", "", NULL},
						     {"x", DECISION_AS_INFO, "B.", "", NULL}};
	const struct decision_table table = {"t", twice, 2};
	char fault[200];
	t_row("two rows of one name");
	t_false("held", decision_check(&(struct decision_book){"p", &table, 1}, fault, sizeof fault));
	t_row("the rules above");
	t_true(fault, decision_check(&book, fault, sizeof fault));
}

/* A sample has a number where the sentence names one, so that whoever shows rules can show each. */
static void samples_fill_every_number(void **state)
{
	(void)state;
	struct decision sample;
	char text[DECISION_TEXT];
	decision_sample(&book, 0, 1, &sample);
	decision_say(text, &book, &sample, &named);
	t_str("radio", "Heard at 868.1 MHz, DR1, -102 dBm, -7.28 dB, by gateway 8899aabbccddeeff.", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(records_become_sentences_and_json),
		t_test(the_head_of_the_json),
		t_test(faults_in_tables_are_found),
		t_test(samples_fill_every_number),
	};
	return t_run(tests);
}
