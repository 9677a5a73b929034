/* The shelf and what leaves it: who may put devices there, what opens one, how often one may try, what a claim and a release
 * leave behind. Tokens travel as hashes: these are made here as docs/contract.md says. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/api/claims.h"
#include "application-server/identity/audit.h"
#include "application-server/store_desired.h"
#include "application-server/store_private.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT    "70b3d57ed00000c1"
#define OTHER   "70b3d57ed00000c2"
#define JOIN    "70b3d57ed0000000"
#define APP_KEY "00112233445566778899aabbccddeeff"

static struct t_city *city;
static struct as_scope maker, water, reader;
static char body[1200];

static void begins(void)
{
	city = t_city_new();
	t_city_furnish(city);
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
					  "{\"slug\":\"maker\",\"name\":\"Maker\"}"));
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
					  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	maker = t_city_scope(city, AS_MANAGER, "maker");
	water = t_city_scope(city, AS_MANAGER, "parks");
	reader = t_city_scope(city, AS_READER, "parks");
}

static const char *digest(char text[65], const char *dev_eui, const char *token)
{
	char words[200];
	uint8_t hash[SECRET_HASH];
	snprintf(words, sizeof words, "lamppost-owner-token%s:%s", dev_eui, token);
	for (char *at = words + strlen("lamppost-owner-token"); *at != ':'; at++)
		*at = (char)(*at >= 'a' && *at <= 'f' ? *at - 'a' + 'A' : *at);
	secret_hash(hash, words, strlen(words));
	hex_encode(text, hash, sizeof hash);
	return text;
}

static int shelve(const struct as_scope *scope, const char *dev_eui, const char *token, bool dry_run)
{
	char hash[65], sealed[T_SEALED_TEXT];
	snprintf(body, sizeof body,
		 "{\"dry_run\":%s,\"devices\":[{\"dev_eui\":\"%s\",\"join_eui\":\"" JOIN
		 "\",\"token_digest\":\"%s\",\"app_key\":\"%s\",\"serial\":\"S1\",\"profile_id\":"
		 "\"AABB1122\"}]}",
		 dry_run ? "true" : "false", dev_eui, digest(hash, dev_eui, token),
		 t_seal(sealed, city->join_box, SEALED_APP_KEY, dev_eui, APP_KEY));
	(void)t_city_call(city, scope, "POST", "/api/v1/stock", body);
	return t_city_finish(city);
}

static int claim(const struct as_scope *scope, const char *dev_eui, const char *join_eui, const char *token)
{
	char hash[65];
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"%s\",\"join_eui\":\"%s\",\"token_digest\":\"%s\",\"name\":\"Bed\","
		 "\"application\":\"meters\",\"profile\":\"probe\"}",
		 dev_eui, join_eui, digest(hash, dev_eui, token));
	return t_city_call(city, scope, "POST", "/api/v1/devices/claim", body);
}

/* The desired state of a device as the other servers get it; false: none. */
static bool wanted(const char *dev_eui, struct as_desired *found)
{
	static struct as_desired records[64];
	struct lw_eui64 eui;
	size_t count = 0;
	bool is = false;
	assert_true(lw_eui64_parse(dev_eui, &eui));
	assert_int_equal(ST_OK, as_store_desired_after(city->store, 0, records, ARRAY_SIZE(records), &count));
	for (size_t i = 0; i < count; i++)
		if (records[i].kind == RECORD_DEVICE && !records[i].deleted &&
		    lw_eui64_equal(&records[i].device.dev_eui, &eui)) {
			*found = records[i];
			is = true;
		}
	return is;
}

static void a_claimed_device_brings_its_keys(void **state)
{
	(void)state;
	struct as_desired record;
	begins();
	t_int("tried first", 200, shelve(&maker, UNIT, "ABCD1234", true));
	t_int("nothing is there", 403, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_int("shelved", 200, shelve(&maker, UNIT, "ABCD1234", false));
	t_false("nobody lets it join yet", wanted(UNIT, &record));
	t_int("nobody registers it without its token", 409,
	      t_city_call(city, &water, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"" UNIT "\",\"name\":\"x\",\"application\":\"meters\",\"profile\":"
			  "\"probe\"}"));
	t_int("a reader claims nothing", 403, claim(&reader, UNIT, JOIN, "ABCD1234"));
	t_int("claimed", 201, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_str("its name", "Bed", t_city_text(city, "name"));
	assert_true(wanted(UNIT, &record));
	t_true("with its key", record.root_keys.has_app_key);
	t_true("of its JoinEUI", lw_eui64_number(&record.device.join_eui) == 0x70b3d57ed0000000);
	for (int i = 0; i < 2 * AS_CLAIM_TRIES_CALLER; i++)
		t_int("asked again, as after a lost answer", 409, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_int("a token is good once", 403, claim(&maker, UNIT, JOIN, "ABCD1234"));
	t_int("its file shelved again takes it from nobody", 200, shelve(&maker, UNIT, "ABCD1234", false));
	t_int("none put there", 0, json_integer_value(json_object_get(t_city_answer(city), "shelved")));
	t_int("one that left", 1, json_integer_value(json_object_get(t_city_answer(city), "claimed")));
	t_int("and its token opens nothing", 403, claim(&maker, UNIT, JOIN, "ABCD1234"));
	t_city_free(city);
}

static void a_release_asks_for_a_new_token(void **state)
{
	(void)state;
	struct as_desired record;
	char hash[65];
	begins();
	t_int("shelved", 200, shelve(&maker, UNIT, "ABCD1234", false));
	t_int("claimed", 201, claim(&water, UNIT, JOIN, "ABCD1234"));
	snprintf(body, sizeof body, "{\"token_digest\":\"%s\"}", digest(hash, UNIT, "NEW99999"));
	t_int("not by another agency", 404,
	      t_city_call(city, &maker, "POST", "/api/v1/devices/" UNIT "/release", body));
	t_int("without a token", 422,
	      t_city_call(city, &water, "POST", "/api/v1/devices/" UNIT "/release", "{}"));
	snprintf(body, sizeof body, "{\"token_digest\":\"%s\"}", digest(hash, UNIT, "NEW99999"));
	t_int("released", 200, t_city_call(city, &water, "POST", "/api/v1/devices/" UNIT "/release", body));
	t_str("for the new label", "AABB1122", t_city_text(city, "profile_id"));
	t_str("its serial number", "S1", t_city_text(city, "serial"));
	t_false("gone from the air", wanted(UNIT, &record));
	t_int("the old label opens nothing", 403, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_int("the new one does", 201, claim(&water, UNIT, JOIN, "NEW99999"));
	assert_true(wanted(UNIT, &record));
	t_true("with its key", record.root_keys.has_app_key);
	t_city_free(city);
}

static void wrong_tries_lock(void **state)
{
	(void)state;
	begins();
	t_int("shelved", 200, shelve(&maker, UNIT, "ABCD1234", false));
	for (int i = 0; i < AS_CLAIM_TRIES_DEVICE - 1; i++)
		t_int("wrong", 403, claim(&water, UNIT, i % 2 ? JOIN : "70b3d57ed0000009", "ABCD1235"));
	t_int("wrong once more", 403, claim(&water, UNIT, JOIN, "ABCD1235"));
	t_int("the right one, too late", 429, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_int("nor for the city", 429, claim(&t_city_admin, UNIT, JOIN, "ABCD1234"));
	city->now.wall.us += AS_CLAIM_LOCK - 1;
	t_int("a moment before the hour is over", 429, claim(&water, UNIT, JOIN, "ABCD1234"));
	city->now.wall.us += 1;
	t_int("an hour later", 201, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_row("one caller, many devices");
	for (int i = 0; i < AS_CLAIM_TRIES_CALLER - AS_CLAIM_TRIES_DEVICE;
	     i++) { /* a right one forgives none */
		char eui[17];
		snprintf(eui, sizeof eui, "70b3d57ed00001%02x", (unsigned)i);
		t_int("there is no such device, and that is not said", 403, claim(&water, eui, JOIN, "AAAA"));
	}
	t_int("locked for all", 429, claim(&water, "70b3d57ed00002ff", JOIN, "AAAA"));
	t_city_free(city);
}

/* One answer for the caller; for the engineers, what was wrong. */
static void a_refusal_is_in_the_audit(void **state)
{
	(void)state;
	static const struct {
		const char *name, *eui, *join, *token, *why;
	} rows[] = {
		{"a wrong token", UNIT, JOIN, "ABCD1235", "wrong token"},
		{"another JoinEUI", UNIT, "70b3d57ed0000009", "ABCD1234", "another JoinEUI"},
		{"a device that nobody knows", OTHER, JOIN, "ABCD1234", "on no shelf"},
	};
	struct as_audit_row audit;
	begins();
	city->who = "uid 7";
	t_int("shelved", 200, shelve(&maker, UNIT, "ABCD1234", false));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("refused", 403, claim(&water, rows[i].eui, rows[i].join, rows[i].token));
		t_str("in the same words",
		      "no device that waits to be claimed has this DevEUI, JoinEUI and owner token",
		      t_city_text(city, "detail"));
		assert_int_equal(ST_OK, as_audit_next(city->store, rows[i].eui, 0, &audit));
		t_str("what", "claim_refused", audit.what);
		t_str("who", "uid 7", audit.who);
		t_str("why", rows[i].why, audit.detail);
	}
	t_row("claimed by another");
	t_int("claimed", 201, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_int("too late", 403, claim(&maker, UNIT, JOIN, "ABCD1234"));
	assert_int_equal(ST_OK, as_audit_next(city->store, UNIT, 0, &audit));
	t_str("why", "claimed already", audit.detail);
	t_city_free(city);
}

static void shelves_are_their_holders(void **state)
{
	(void)state;
	begins();
	t_int("a reader puts nothing there", 403, shelve(&reader, UNIT, "ABCD1234", false));
	t_int("the maker's", 200, shelve(&maker, UNIT, "ABCD1234", false));
	t_int("another's hands off", 422, shelve(&water, UNIT, "HIJACKED", false));
	t_int("the city's", 200, shelve(&t_city_admin, OTHER, "EFGH1234", false));
	t_int("its own list", 200, t_city_call(city, &maker, "GET", "/api/v1/stock", NULL));
	t_int("has one", 1, json_array_size(json_object_get(t_city_answer(city), "items")));
	char *text = json_dumps(t_city_answer(city), 0);
	t_false("and no token", strstr(text, "token") || strstr(text, "key"));
	free(text);
	t_int("the others' list", 200, t_city_call(city, &water, "GET", "/api/v1/stock", NULL));
	t_int("is empty", 0, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("the city sees all, a page at a time", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/stock?limit=1", NULL));
	char next[100];
	snprintf(next, sizeof next, "/api/v1/stock?limit=1&after=%s", t_city_text(city, "next"));
	t_int("the next page", 200, t_city_call(city, &t_city_admin, "GET", next, NULL));
	t_str("is the other", OTHER,
	      json_string_value(json_object_get(
		      json_array_get(json_object_get(t_city_answer(city), "items"), 0), "dev_eui")));
	t_int("not taken down by others", 404,
	      t_city_call(city, &water, "DELETE", "/api/v1/stock/" UNIT, NULL));
	t_int("taken down", 204, t_city_call(city, &maker, "DELETE", "/api/v1/stock/" UNIT, NULL));
	t_int("and cannot be claimed", 403, claim(&water, UNIT, JOIN, "ABCD1234"));
	t_city_free(city);
}

static void what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *target, *body, *field;
	} rows[] = {
		{"no devices", "/api/v1/stock", "{\"devices\":[]}", NULL},
		{"a key in clear", "/api/v1/stock",
		 "{\"devices\":[{\"dev_eui\":\"" UNIT "\",\"join_eui\":\"" JOIN "\",\"app_key\":\"" APP_KEY
		 "\"}]}",
		 "app_key"},
		{"a token in clear", "/api/v1/stock",
		 "{\"devices\":[{\"dev_eui\":\"" UNIT "\",\"owner_token\":\"ABCD1234\"}]}", "owner_token"},
		{"a row that is no object", "/api/v1/stock", "{\"devices\":[7]}", "object"},
		{"a claim without a proof", "/api/v1/devices/claim", "{}", "token_digest"},
		{"a claim with a key", "/api/v1/devices/claim", "{\"app_key\":\"AA==\"}", "app_key"},
		{"a hash of 63 digits", "/api/v1/devices/claim",
		 "{\"dev_eui\":\"" UNIT "\",\"join_eui\":\"" JOIN
		 "\",\"token_digest\":\"000000000000000000000000000000000000000000000000000000000000000\"}",
		 "token_digest"},
	};
	begins();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		(void)t_city_call(city, &water, "POST", rows[i].target, rows[i].body);
		t_int("status", 422, t_city_finish(city));
		char *text = json_dumps(t_city_answer(city), 0);
		t_true("the field", !rows[i].field || strstr(text, rows[i].field));
		t_false("the key is not repeated", strstr(text, APP_KEY) || strstr(text, "ABCD1234"));
		free(text);
	}
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_claimed_device_brings_its_keys),
		t_test(a_release_asks_for_a_new_token),
		t_test(wrong_tries_lock),
		t_test(a_refusal_is_in_the_audit),
		t_test(shelves_are_their_holders),
		t_test(what_is_refused),
	};
	return t_run(tests);
}
