/* The simulated station at CUPS: its question as the bridge's reader takes it, answers as the bridge's writer makes them (the two share no
 * code), and what of an answer it takes over. */
#include "tests/harness/harness.h"

#include "common/crypto/x509.h"
#include "gateway-bridge/cups.h"
#include "simulator/station_cups.h"

#include <stdio.h>
#include <string.h>

#define EUI UINT64_C(0xb827ebfffe123456)

static struct sim_cups cups;
static uint8_t credentials[2048], other[2048], body[16384];

/* DER-like: a sequence of so many bytes. */
static size_t der(uint8_t *out, size_t inside, uint8_t fill)
{
	out[0] = 0x30;
	out[1] = inside > 127 ? 0x82 : (uint8_t)inside;
	size_t head = 2;
	if (inside > 127) {
		out[2] = (uint8_t)(inside >> 8);
		out[3] = (uint8_t)inside;
		head = 4;
	}
	memset(out + head, fill, inside);
	return head + inside;
}

static size_t mutual(uint8_t *out, uint8_t fill)
{
	size_t length = der(out, 400, fill);
	length += der(out + length, 380, fill);
	return length + der(out + length, 119, fill);
}

static size_t token(uint8_t *out)
{
	static const char header[] = "Authorization: Bearer abc\r\n";
	size_t length = der(out, 400, 1);
	memset(out + length, 0, 4);
	memcpy(out + length + 4, header, sizeof header - 1);
	return length + 4 + sizeof header - 1;
}

static void begin(void)
{
	struct lw_eui64 eui = lw_eui64_from_number(EUI);
	cups = (struct sim_cups){0};
	snprintf(cups.cups[SIM_CUPS_REG].uri, 64, "https://cups:3002");
	snprintf(cups.cups[SIM_CUPS_BAK].uri, 64, "https://old:3002");
	snprintf(cups.cups[SIM_CUPS_BOOT].uri, 64, "https://boot:3002");
	cups.cups[SIM_CUPS_REG].length = mutual(cups.cups[SIM_CUPS_REG].bytes, 9);
	sim_cups_init(&cups, &eui);
}

static enum sim_cups_result answer(const struct gb_cups_update *update)
{
	struct wr wr = wr_init(body, sizeof body);
	ASSERT(gb_cups_answer(&wr, update));
	return sim_cups_answered(&cups, 1000, 200, body, wr_length(&wr));
}

static void is_result(const char *member, enum sim_cups_result expected, enum sim_cups_result got)
{
	t_str(member, sim_cups_result_name(expected), sim_cups_result_name(got));
}

static void the_bridge_reads_its_question(void **state)
{
	(void)state;
	struct gb_json *json = gb_json_new();
	struct gb_cups_question question = {0};
	char text[1024];
	t_row("with a key and nothing of the LNS");
	begin();
	cups.key_count = 1;
	memset(cups.keys[0], 7, 64);
	size_t length = sim_cups_question(&cups, text, sizeof text);
	t_str("verdict", "accepted", gb_verdict_name(gb_cups_question(json, text, length, &question)));
	t_uint("router", EUI, lw_eui64_number(&question.router));
	t_str("cupsUri", "https://cups:3002", question.cups_uri);
	t_str("tcUri", "", question.tc_uri);
	t_uint("cupsCredCrc", sim_cups_crc(cups.cups[0].bytes, cups.cups[0].length),
	       question.cups_credentials_crc);
	t_uint("tcCredCrc", 0, question.tc_credentials_crc);
	t_uint("keys", 1, question.key_count);
	t_uint("key", sim_cups_crc(cups.keys[0], 64), question.keys[0]);
	t_row("the CRC is zlib's");
	t_uint("of 123456789", 0xcbf43926, sim_cups_crc((const uint8_t *)"123456789", 9));
	gb_json_free(json);
}

static void answers_are_taken_over(void **state)
{
	(void)state;
	size_t length = mutual(credentials, 1), with_token = token(other);
	t_row("nothing to change");
	begin();
	is_result("result", SIM_CUPS_UNCHANGED, answer(&(struct gb_cups_update){0}));
	t_int("again in a day", 1000 + SIM_CUPS_RESYNC_US, cups.next_us);
	t_row("an LNS and its credentials");
	begin();
	is_result("result", SIM_CUPS_CHANGED,
		  answer(&(struct gb_cups_update){.tc_uri = "wss://lns:3001",
						  .tc_credentials = credentials,
						  .tc_credentials_length = length}));
	t_str("uri", "wss://lns:3001", cups.tc[SIM_CUPS_REG].uri);
	t_bytes("credentials", credentials, length, cups.tc[SIM_CUPS_REG].bytes,
		cups.tc[SIM_CUPS_REG].length);
	t_row("a rotation keeps the old ones as backup");
	is_result("result", SIM_CUPS_CHANGED,
		  answer(&(struct gb_cups_update){.tc_credentials = other,
						  .tc_credentials_length = with_token}));
	t_bytes("backup", credentials, length, cups.tc[SIM_CUPS_BAK].bytes, cups.tc[SIM_CUPS_BAK].length);
	t_bytes("regular", other, with_token, cups.tc[SIM_CUPS_REG].bytes, cups.tc[SIM_CUPS_REG].length);
	t_str("its uri stays", "wss://lns:3001", cups.tc[SIM_CUPS_REG].uri);
	t_row("its own credentials");
	is_result("result", SIM_CUPS_CHANGED,
		  answer(&(struct gb_cups_update){.cups_credentials = credentials,
						  .cups_credentials_length = length}));
	t_bytes("regular", credentials, length, cups.cups[SIM_CUPS_REG].bytes,
		cups.cups[SIM_CUPS_REG].length);
}

static void nothing_of_a_bad_answer_is_taken_over(void **state)
{
	(void)state;
	size_t length = mutual(credentials, 1);
	const struct {
		const char *name;
		struct gb_cups_update update;
		enum sim_cups_result result;
	} rows[] = {
		{"credentials cut",
		 {.tc_uri = "wss://lns:3001",
		  .tc_credentials = credentials,
		  .tc_credentials_length = length - 1},
		 SIM_CUPS_BAD_CREDENTIALS},
		{"credentials with a byte more",
		 {.tc_uri = "wss://lns:3001",
		  .tc_credentials = credentials,
		  .tc_credentials_length = length + 1},
		 SIM_CUPS_BAD_CREDENTIALS},
		{"a URI of another scheme", {.tc_uri = "https://lns:3001"}, SIM_CUPS_BAD_URI},
		{"firmware without a signature",
		 {.tc_uri = "wss://lns:3001", .firmware = credentials, .firmware_length = 100},
		 SIM_CUPS_UNSIGNED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		cups.key_count = 1;
		is_result("result", rows[i].result, answer(&rows[i].update));
		t_str("uri", "", cups.tc[SIM_CUPS_REG].uri);
		t_uint("credentials", 0, cups.tc[SIM_CUPS_REG].length);
		t_str("firmware", "", cups.package);
		t_int("again in a minute", 1000 + SIM_CUPS_RETRY_US, cups.next_us);
	}
	t_row("an answer with bytes left over");
	begin();
	memset(body, 0, 18);
	is_result("result", SIM_CUPS_MALFORMED, sim_cups_answered(&cups, 0, 200, body, 18));
}

static void firmware_is_verified(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool known, damaged;
		enum sim_cups_result result;
	} rows[] = {
		{"signed by a key that it keeps", true, false, SIM_CUPS_CHANGED},
		{"signed by another", false, false, SIM_CUPS_UNSIGNED},
		{"changed after it was signed", true, true, SIM_CUPS_UNSIGNED},
	};
	struct x509_key *key = x509_key_generate(), *stranger = x509_key_generate();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t firmware[3000], digest[X509_SHA512_BYTES], signature[X509_SIGNATURE_MAX];
		t_row(rows[i].name);
		begin();
		cups.key_count = 1;
		x509_key_point(rows[i].known ? key : stranger, cups.keys[0]);
		memset(firmware, 0x55, sizeof firmware);
		struct x509_sha512 *sha = x509_sha512_new();
		x509_sha512_add(sha, firmware, sizeof firmware);
		x509_sha512_digest(sha, digest);
		x509_sha512_free(sha);
		size_t length = x509_sign(key, digest, signature);
		uint8_t point[64];
		x509_key_point(key, point);
		firmware[17] = (uint8_t)(firmware[17] ^ rows[i].damaged);
		is_result("result", rows[i].result,
			  answer(&(struct gb_cups_update){.key_crc = sim_cups_crc(point, 64),
							  .signature = signature,
							  .signature_length = length,
							  .firmware = firmware,
							  .firmware_length = sizeof firmware}));
		t_uint("installed", rows[i].result == SIM_CUPS_CHANGED, cups.counters.firmwares);
	}
	x509_key_free(key);
	x509_key_free(stranger);
}

static void refusals_turn_to_the_next_set(void **state)
{
	(void)state;
	begin();
	t_row("regular, backup, boot, and around");
	static const enum sim_cups_which order[] = {SIM_CUPS_BAK, SIM_CUPS_BOOT, SIM_CUPS_REG};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		is_result("result", SIM_CUPS_REFUSED, sim_cups_answered(&cups, 1000, 401, NULL, 0));
		t_str("next", sim_cups_which_name(order[i]), sim_cups_which_name(cups.which));
		t_int("in a minute", 1000 + SIM_CUPS_RETRY_US, cups.next_us);
	}
	t_row("a set that is not there is passed over");
	cups.cups[SIM_CUPS_BAK].uri[0] = 0;
	is_result("result", SIM_CUPS_UNREACHED, sim_cups_answered(&cups, 1000, 0, NULL, 0));
	t_str("next", "-boot", sim_cups_which_name(cups.which));
	t_row("the set that served becomes the regular one");
	is_result("result", SIM_CUPS_UNCHANGED, answer(&(struct gb_cups_update){0}));
	t_str("uri", "https://boot:3002", cups.cups[SIM_CUPS_REG].uri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_bridge_reads_its_question), t_test(answers_are_taken_over),
		t_test(nothing_of_a_bad_answer_is_taken_over), t_test(firmware_is_verified),
		t_test(refusals_turn_to_the_next_set)};
	return t_run(tests);
}
