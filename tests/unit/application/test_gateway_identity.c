/* Certificates, tokens, deliveries by CUPS and firmware orders: the store and the decisions, over the API where it has one. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "application-server/identity/audit.h"
#include "application-server/identity/cups.h"
#include "application-server/identity/tokens.h"
#include "application-server/store_desired.h"
#include "application-server/store_packages.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EUI  "0016c001ff10a235"
#define PATH "/api/v1/gateways/" EUI
#define DAY  (86400 * US_PER_S)

static struct t_city *city;
static struct as_authority authority;
static struct as_packages *packages;
static char folder[64];
static const struct lw_eui64 eui = {{0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35}};

static void register_gateway(void)
{
	t_int("registered", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways",
			  "{\"eui\":\"" EUI "\",\"name\":\"roof\",\"region\":\"eu868\"}"));
}

static int open_city(void **state)
{
	const struct as_identity_config config = {
		.gateway_us = 90 * DAY, .server_us = 300 * DAY, .tc_uri = "wss://city:3001", .cups_uri = ""};
	int failed = t_setup(state);
	city = t_city_new();
	snprintf(folder, sizeof folder, "/tmp/lmp-fw-XXXXXX");
	assert_non_null(mkdtemp(folder));
	packages = as_packages_new(folder);
	assert_int_equal(ST_OK, as_authority_open(&authority, city->store, &city->keys, &city->rng, &config,
						  city->now.wall));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	city->api.authority = &authority;
	city->api.packages = packages;
	register_gateway();
	return failed;
}

static int close_city(void **state)
{
	char command[96];
	as_packages_free(packages);
	t_city_free(city);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(0, system(command)); /* NOLINT(cert-env33-c) */
	return t_teardown(state);
}

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

/* Issues one over the API; fills its DER and facts. */
static struct x509_facts issue(const char *more)
{
	char csr[X509_PEM_MAX];
	uint8_t der[X509_DER_MAX];
	struct x509_facts facts = {.common_name = ""};
	struct x509_key *key = x509_key_generate();
	assert_true(x509_request_write(key, "whatever the client writes", csr));
	json_t *body = json_pack("{ss}", "csr", csr), *rest = json_loads(more, 0, NULL);
	json_object_update(body, rest);
	char *text = json_dumps(body, 0);
	t_int("issued", 201, call("POST", PATH "/certificates", text));
	const char *pem = t_city_text(city, "certificate");
	size_t length = x509_pem_read(pem, strlen(pem), "CERTIFICATE", der, sizeof der);
	t_true("read", x509_read(der, length, &facts));
	t_true("of our CA", x509_signed_by(der, length, authority.certificate, authority.certificate_length));
	free(text);
	json_decref(body);
	json_decref(rest);
	x509_key_free(key);
	return facts;
}

static struct as_cups_question by_certificate(const struct x509_facts *facts)
{
	return (struct as_cups_question){.gateway = eui,
					 .by_certificate = true,
					 .certificate_issued = facts->issued,
					 .certificate_until = facts->until,
					 .station = {.tc_uri = "wss://city:3001"},
					 .tc_crc = 1,
					 .cups_crc = 2};
}

static struct as_cups_answer *decide(const struct as_cups_question *question, enum status expected)
{
	static struct as_cups_answer answer;
	t_str("decided", status_name(expected),
	      status_name(as_cups_decide(&authority, city->now.wall, question, &answer)));
	t_int("committed", ST_OK, as_store_commit(city->store));
	return &answer;
}

static struct as_desired desired(void)
{
	struct as_desired records[8];
	size_t count = 0;
	t_int("read", ST_OK, as_store_desired_after(city->store, 0, records, 8, &count));
	return count ? records[count - 1] : (struct as_desired){.version = 0};
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

static void a_certificate_names_the_gateway_and_nothing_that_was_asked(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	t_str("name", EUI, facts.common_name);
	t_int("issued", city->now.wall.us, facts.issued.us);
	t_int("for 90 days", (city->now.wall.us + 90 * DAY) / US_PER_S, facts.until.us / US_PER_S);
	facts = issue("{\"days\":7}");
	t_int("for 7 days", 7, (facts.until.us - city->now.wall.us) / DAY);
}

static void each_is_later_than_the_one_before(void **state)
{
	(void)state;
	struct x509_facts first = issue("{}"), same = issue("{\"renew\":true}");
	t_int("at the same moment", first.issued.us + 1, same.issued.us);
	city->now.wall.us -= 10 * DAY;
	struct x509_facts back = issue("{}");
	t_int("after the clock was set back", first.issued.us + 2, back.issued.us);
}

static void revoking_is_one_number_that_is_replicated(void **state)
{
	(void)state;
	struct x509_facts first = issue("{}"), second = issue("{}");
	char target[160], serial[33];
	uint64_t before = desired().version;
	hex_encode(serial, first.serial, 16);
	snprintf(target, sizeof target, PATH "/certificates?serial=%s", serial);
	t_int("the first", 200, call("DELETE", target, NULL));
	t_int("void", first.issued.us, desired().gateway.gateway.certificates_void_us);
	t_true("a new version", desired().version > before);
	t_int("once more", 409, call("DELETE", target, NULL));
	t_int("all", 200, call("DELETE", PATH "/certificates", NULL));
	t_int("void", second.issued.us, desired().gateway.gateway.certificates_void_us);
	t_int("none is left", 409, call("DELETE", PATH "/certificates", NULL));
	t_int("no such serial", 404,
	      call("DELETE", PATH "/certificates?serial=00000000000000000000000000000000", NULL));
	struct x509_facts third = issue("{}");
	t_true("a new one is later than what is void", third.issued.us > second.issued.us);
}

static void a_gateway_that_comes_back_does_not_get_its_old_certificates_back(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	t_int("removed", 204, call("DELETE", PATH, NULL));
	register_gateway();
	t_int("void", facts.issued.us, desired().gateway.gateway.certificates_void_us);
}

static void the_list_says_how_each_stands(void **state)
{
	(void)state;
	issue("{\"days\":1}");
	t_int("revoked", 200, call("DELETE", PATH "/certificates", NULL));
	issue("{\"days\":2}");
	issue("{\"days\":9}");
	city->now.wall.us += 3 * DAY;
	t_int("list", 200, call("GET", PATH "/certificates", NULL));
	const json_t *items = json_object_get(t_city_answer(city), "items");
	static const char *const states[] = {"valid", "expired", "revoked"};
	for (size_t i = 0; i < 3; i++)
		t_str("state", states[i],
		      json_string_value(json_object_get(json_array_get(items, i), "state")));
	struct wall until;
	t_true("alarms ask for the end", as_store_certificate_end(city->store, &eui, city->now.wall, &until));
	t_int("of the one that is valid longest", 6, (until.us - city->now.wall.us) / DAY);
	city->now.wall.us += 30 * DAY;
	t_false("none is valid", as_store_certificate_end(city->store, &eui, city->now.wall, &until));
}

static void requests_that_are_none(void **state)
{
	(void)state;
	t_int("no request", 422, call("POST", PATH "/certificates", "{}"));
	t_int("not PEM", 422, call("POST", PATH "/certificates", "{\"csr\":\"hello\"}"));
	t_int("days", 422, call("POST", PATH "/certificates", "{\"csr\":\"x\",\"days\":0}"));
	t_int("another gateway", 404,
	      call("POST", "/api/v1/gateways/0016c001ff10a236/certificates", "{\"cups\":true}"));
	struct as_scope reader = {.role = AS_READER};
	t_int("not an engineer", 404, t_city_call(city, &reader, "GET", PATH "/certificates", NULL));
	t_int("nor the audit", 403, t_city_call(city, &reader, "GET", "/api/v1/audit", NULL));
	t_int("the bridge's questions are the bridge's", 403, call("POST", PATH "/cups", "{}"));
}

/* --- tokens -------------------------------------------------------------------------------------------------------- */

static bool is_known(const char *token)
{
	uint8_t hash[32];
	struct as_desired record = desired();
	secret_hash(hash, token, strlen(token));
	for (size_t i = 0; i < record.gateway.gateway.token_count; i++)
		if (memcmp(hash, record.gateway.gateway.token_hashes[i], 32) == 0)
			return true;
	return false;
}

static void tokens_are_two_at_most(void **state)
{
	(void)state;
	char tokens[3][64];
	t_int("none to rotate", 409, call("POST", PATH "/tokens", "{\"rotate\":true}"));
	t_int("issued", 201, call("POST", PATH "/tokens", "{}"));
	snprintf(tokens[0], sizeof tokens[0], "%s", t_city_text(city, "token"));
	t_uint("long", 43, strlen(tokens[0]));
	t_true("replicated as a hash", is_known(tokens[0]));
	t_int("there is one", 409, call("POST", PATH "/tokens", "{}"));
	for (int i = 1; i < 3; i++) {
		t_int("rotated", 201, call("POST", PATH "/tokens", "{\"rotate\":true}"));
		snprintf(tokens[i], sizeof tokens[i], "%s", t_city_text(city, "token"));
	}
	t_false("the first is void", is_known(tokens[0]));
	t_true("the second counts", is_known(tokens[1]));
	t_true("and the third", is_known(tokens[2]));
	t_int("the older is revoked", 200, call("DELETE", PATH "/tokens?older=true", NULL));
	t_false("the second is void", is_known(tokens[1]));
	t_true("the third counts", is_known(tokens[2]));
	t_int("there is no older one", 409, call("DELETE", PATH "/tokens?older=true", NULL));
	t_int("all", 200, call("DELETE", PATH "/tokens", NULL));
	t_false("void", is_known(tokens[2]));
	t_int("no other", 409, call("DELETE", PATH "/tokens", NULL));
}

/* --- CUPS ---------------------------------------------------------------------------------------------------------- */

static void a_station_that_has_everything_is_told_nothing(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts);
	struct as_cups_answer *answer = decide(&question, ST_OK);
	t_str("tc URI", "", answer->tc_uri);
	t_str("CUPS URI", "", answer->cups_uri);
	t_uint("credentials", 0, answer->bundle_length);
	t_false("firmware", answer->has_firmware);
}

static void a_station_is_sent_where_its_record_says(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts);
	snprintf(question.station.tc_uri, sizeof question.station.tc_uri, "wss://old:3001");
	t_str("the city's", "wss://city:3001", decide(&question, ST_OK)->tc_uri);
	t_int("its own", 200,
	      call("PATCH", PATH, "{\"tc_uri\":\"wss://own:3001\",\"cups_uri\":\"https://own:3002\"}"));
	t_str("its own", "wss://own:3001", decide(&question, ST_OK)->tc_uri);
	t_str("and CUPS", "https://own:3002", decide(&question, ST_OK)->cups_uri);
}

static void who_is_not_valid_here_is_refused(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts), token = question, other = question;
	other.gateway.bytes[7]++;
	token.by_certificate = false;
	decide(&other, ST_NOT_FOUND);
	decide(&token, ST_REFUSED); /* it has none */
	t_int("revoked", 200, call("DELETE", PATH "/certificates", NULL));
	decide(&question, ST_REFUSED);
	facts = issue("{}");
	question = by_certificate(&facts);
	decide(&question, ST_OK);
	t_int("not accepted", 200, call("PATCH", PATH, "{\"accept_certificate\":false}"));
	decide(&question, ST_REFUSED);
}

static void a_certificate_is_renewed_in_its_last_third_until_the_station_has_it(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}"), renewed;
	struct as_cups_question question = by_certificate(&facts);
	static struct as_cups_answer first;
	city->now.wall.us += 59 * DAY;
	t_uint("two thirds: not yet", 0, decide(&question, ST_OK)->bundle_length);
	city->now.wall.us += 2 * DAY;
	first = *decide(&question, ST_OK);
	t_true("offered", first.bundle_length > 0 && first.for_tc && first.for_cups);
	struct as_cups_answer *again = decide(&question, ST_OK);
	t_bytes("the same again", first.bundle, first.bundle_length, again->bundle, again->bundle_length);

	size_t trust = authority.certificate_length;
	size_t certificate = (size_t)(first.bundle[trust + 2] << 8 | first.bundle[trust + 3]) + 4;
	t_bytes("trust first", authority.certificate, trust, first.bundle, trust);
	t_true("a certificate", x509_read(first.bundle + trust, certificate, &renewed));
	t_str("of the gateway", EUI, renewed.common_name);
	t_true("signed", x509_signed_by(first.bundle + trust, certificate, authority.certificate, trust));
	struct x509_key *key = x509_key_from(first.bundle + trust + certificate,
					     first.bundle_length - trust - certificate);
	uint8_t point[X509_POINT_BYTES];
	assert_non_null(key);
	x509_key_point(key, point);
	t_bytes("with its key", renewed.point, sizeof point, point, sizeof point);
	x509_key_free(key);

	question.tc_crc = as_crc32(first.bundle, first.bundle_length);
	again = decide(&question, ST_OK);
	t_true("the rest is offered", again->for_cups && !again->for_tc && again->bundle_length > 0);
	question.cups_crc = question.tc_crc;
	question.certificate_issued = renewed.issued;
	question.certificate_until = renewed.until;
	t_uint("it has it", 0, decide(&question, ST_OK)->bundle_length);
	struct as_delivery_row row;
	t_int("forgotten", ST_NOT_FOUND, as_store_delivery_get(city->store, &eui, &row));
}

static void what_is_on_its_way_is_sealed_and_ends_with_a_revocation(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts);
	static struct as_cups_answer offered;
	static struct as_delivery_row row;
	t_int("asked for", 201, call("POST", PATH "/certificates", "{\"cups\":true}"));
	offered = *decide(&question, ST_OK);
	t_true("offered at any time", offered.bundle_length > 0);
	t_int("stored", ST_OK, as_store_delivery_get(city->store, &eui, &row));
	const uint8_t *key = offered.bundle + offered.bundle_length - 121;
	t_true("not in clear", memmem(row.bundle, row.length, key, 32) == NULL);
	t_uint("offers", 1, row.offers);
	t_int("revoked", 200, call("DELETE", PATH "/certificates", NULL));
	facts = issue("{}");
	question = by_certificate(&facts);
	t_uint("void", 0, decide(&question, ST_OK)->bundle_length);
	t_int("gone", ST_NOT_FOUND, as_store_delivery_get(city->store, &eui, &row));
}

static void a_token_is_replaced_and_the_older_ends_when_the_station_has_the_newer(void **state)
{
	(void)state;
	struct as_cups_question question = {
		.gateway = eui, .station = {.tc_uri = "wss://city:3001"}, .tc_crc = 1, .cups_crc = 2};
	char first[64], line[160];
	t_int("issued", 201, call("POST", PATH "/tokens", "{}"));
	snprintf(first, sizeof first, "%s", t_city_text(city, "token"));
	t_int("rotated", 201, call("POST", PATH "/tokens", "{\"rotate\":true,\"cups\":true}"));
	t_str("not shown", "", t_city_text(city, "token"));
	static struct as_cups_answer offered;
	offered = *decide(&question, ST_OK);
	size_t trust = authority.certificate_length, rest = offered.bundle_length - trust - 4;
	static const uint8_t zeros[4];
	t_bytes("no certificate", zeros, 4, offered.bundle + trust, 4);
	snprintf(line, sizeof line, "%.*s", (int)rest, (const char *)offered.bundle + trust + 4);
	t_true("a header line",
	       strncmp(line, "Authorization: Bearer ", 22) == 0 && strcmp(line + rest - 2, "\r\n") == 0);
	line[rest - 2] = '\0';
	t_true("the first counts", is_known(first));
	t_true("so does the second", is_known(line + 22));
	question.tc_crc = question.cups_crc = as_crc32(offered.bundle, offered.bundle_length);
	t_uint("it has it", 0, decide(&question, ST_OK)->bundle_length);
	t_false("the first is void", is_known(first));
	t_true("the second counts", is_known(line + 22));
}

static void crc_of_the_check_string(void **state)
{
	(void)state;
	t_uint("CRC-32", 0xcbf43926, as_crc32((const uint8_t *)"123456789", 9));
}

/* --- firmware ------------------------------------------------------------------------------------------------------ */

static struct x509_key *vendor;
static uint32_t vendor_crc;

static void add_key(void)
{
	uint8_t point[X509_POINT_BYTES];
	struct as_firmware_key row = {.name = "vendor", .added_by = "test"};
	vendor = x509_key_generate();
	x509_key_point(vendor, row.point);
	memcpy(point, row.point, sizeof point);
	row.crc = vendor_crc = as_crc32(point, sizeof point);
	t_int("key", ST_OK, as_store_firmware_key_put(city->store, &row, city->now.wall));
	t_int("once", ST_EXISTS, as_store_firmware_key_put(city->store, &row, city->now.wall));
}

/* Uploads "firmware" in two pieces; returns the status of the last. */
static int upload(const char *version, bool forged)
{
	uint8_t digest[X509_SHA512_BYTES], signature[X509_SIGNATURE_MAX];
	char text[2 * X509_SIGNATURE_MAX + 1], body[600];
	struct x509_sha512 *sha = x509_sha512_new();
	x509_sha512_add(sha, forged ? "firmwarf" : "firmware", 8);
	x509_sha512_digest(sha, digest);
	x509_sha512_free(sha);
	hex_encode(text, signature, x509_sign(vendor, digest, signature));
	snprintf(body, sizeof body,
		 "{\"model\":\"corecell\",\"version\":\"%s\",\"key\":\"vendor\",\"size\":8,\"signature\":\"%"
		 "s\"}",
		 version, text);
	int code = call("POST", "/api/v1/firmware", body);
	if (code != 201)
		return code;
	long long number = json_integer_value(json_object_get(t_city_answer(city), "upload"));
	snprintf(body, sizeof body, "{\"upload\":%lld,\"offset\":0,\"hex\":\"6669726d\"}", number);
	t_int("first piece", 200, call("POST", "/api/v1/firmware/pieces", body));
	t_int("twice", 409, call("POST", "/api/v1/firmware/pieces", body));
	snprintf(body, sizeof body, "{\"upload\":%lld,\"offset\":4,\"hex\":\"77617265aa\"}", number);
	t_int("too much", 422, call("POST", "/api/v1/firmware/pieces", body));
	snprintf(body, sizeof body, "{\"upload\":%lld,\"offset\":4,\"hex\":\"77617265\"}", number);
	return call("POST", "/api/v1/firmware/pieces", body);
}

static const char *order_state(void)
{
	struct as_firmware_order order;
	return as_store_order_get(city->store, &eui, &order) == ST_OK ? as_order_state_name(order.state)
								      : "none";
}

static void firmware_goes_to_the_model_that_has_the_key(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts);
	snprintf(question.station.model, sizeof question.station.model, "corecell");
	snprintf(question.station.package, sizeof question.station.package, "1.0");
	add_key();
	t_int("forged", 422, upload("2.0", true));
	t_int("signed", 201, upload("2.0", false));
	t_int("twice", 409, upload("2.0", false));
	decide(&question, ST_OK); /* its model is known from now on */
	t_int("ordered", 201, call("POST", "/api/v1/firmware/1/orders", "{\"all_of_model\":true}"));
	t_int("for one", 1, json_integer_value(json_object_get(t_city_answer(city), "ordered")));
	t_false("without the key", decide(&question, ST_OK)->has_firmware);
	t_str("state", "refused", order_state());
	question.keys[question.key_count++] = vendor_crc;
	snprintf(question.station.model, sizeof question.station.model, "other");
	t_false("another model", decide(&question, ST_OK)->has_firmware);
	snprintf(question.station.model, sizeof question.station.model, "corecell");
	struct as_cups_answer *answer = decide(&question, ST_OK);
	t_true("offered", answer->has_firmware);
	t_uint("size", 8, answer->firmware.size);
	t_uint("key", vendor_crc, answer->key_crc);
	t_str("state", "offered", order_state());
	snprintf(question.station.package, sizeof question.station.package, "2.0");
	t_false("it has it", decide(&question, ST_OK)->has_firmware);
	t_str("state", "done", order_state());
	x509_key_free(vendor);
}

static void firmware_that_is_never_installed_is_not_sent_for_ever(void **state)
{
	(void)state;
	struct x509_facts facts = issue("{}");
	struct as_cups_question question = by_certificate(&facts);
	snprintf(question.station.model, sizeof question.station.model, "corecell");
	add_key();
	question.keys[question.key_count++] = vendor_crc;
	t_int("signed", 201, upload("2.0", false));
	t_int("ordered", 201, call("POST", "/api/v1/firmware/1/orders", "{\"gateway\":\"" EUI "\"}"));
	unsigned offers = 0;
	for (int i = 0; i < 20; i++)
		offers += decide(&question, ST_OK)->has_firmware;
	t_uint("offers", 5, offers);
	t_str("state", "refused", order_state());
	t_int("cancelled", 200, call("DELETE", PATH "/firmware", NULL));
	t_int("once", 404, call("DELETE", PATH "/firmware", NULL));
	x509_key_free(vendor);
}

/* --- the CA and the audit ------------------------------------------------------------------------------------------ */

static void the_ca_is_made_once_and_opens_under_its_master_key_alone(void **state)
{
	(void)state;
	struct as_authority again;
	const struct as_identity_config config = {.gateway_us = DAY, .server_us = DAY};
	t_int("again", ST_OK,
	      as_authority_open(&again, city->store, &city->keys, &city->rng, &config, city->now.wall));
	t_bytes("the same", authority.certificate, authority.certificate_length, again.certificate,
		again.certificate_length);
	struct as_keys other = city->keys;
	other.master = secret_master_generate();
	t_int("another master key", ST_REFUSED,
	      as_authority_open(&again, city->store, &other, &city->rng, &config, city->now.wall));
	secret_master_free(other.master);
}

static void every_deed_is_in_the_audit(void **state)
{
	(void)state;
	static const char *const expected[] = {"token_revoke",      "token_rotate",
					       "token_issue",       "certificate_revoke",
					       "certificate_renew", "certificate_issue"};
	issue("{}");
	issue("{\"renew\":true}");
	t_int("revoked", 200, call("DELETE", PATH "/certificates", NULL));
	t_int("token", 201, call("POST", PATH "/tokens", "{}"));
	t_int("rotated", 201, call("POST", PATH "/tokens", "{\"rotate\":true}"));
	t_int("revoked", 200, call("DELETE", PATH "/tokens", NULL));
	t_int("audit", 200, call("GET", "/api/v1/audit?subject=" EUI "&limit=4", NULL));
	char next[64];
	snprintf(next, sizeof next, "/api/v1/audit?subject=" EUI "&after=%s", t_city_text(city, "next"));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (i == 4)
			t_int("the rest", 200, call("GET", next, NULL));
		const json_t *row = json_array_get(json_object_get(t_city_answer(city), "items"), i % 4);
		t_str("what", expected[i], json_string_value(json_object_get(row, "what")));
		t_str("subject", EUI, json_string_value(json_object_get(row, "subject")));
	}
	t_int("all", 200, call("GET", "/api/v1/audit", NULL));
	t_int("with the CA's own", 7,
	      (long long)json_array_size(json_object_get(t_city_answer(city), "items")));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_city, close_city)
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_names_the_gateway_and_nothing_that_was_asked),
		TEST(each_is_later_than_the_one_before),
		TEST(revoking_is_one_number_that_is_replicated),
		TEST(a_gateway_that_comes_back_does_not_get_its_old_certificates_back),
		TEST(the_list_says_how_each_stands),
		TEST(requests_that_are_none),
		TEST(tokens_are_two_at_most),
		TEST(a_station_that_has_everything_is_told_nothing),
		TEST(a_station_is_sent_where_its_record_says),
		TEST(who_is_not_valid_here_is_refused),
		TEST(a_certificate_is_renewed_in_its_last_third_until_the_station_has_it),
		TEST(what_is_on_its_way_is_sealed_and_ends_with_a_revocation),
		TEST(a_token_is_replaced_and_the_older_ends_when_the_station_has_the_newer),
		TEST(crc_of_the_check_string),
		TEST(firmware_goes_to_the_model_that_has_the_key),
		TEST(firmware_that_is_never_installed_is_not_sent_for_ever),
		TEST(the_ca_is_made_once_and_opens_under_its_master_key_alone),
		TEST(every_deed_is_in_the_audit),
	};
	if (secret_init() != ST_OK)
		return 1;
	return t_run(tests);
}
