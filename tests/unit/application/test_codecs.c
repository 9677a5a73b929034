/* A profile's codec, from the REST API to the event that subscribers get and the reading that is kept. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/uuid.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE "0102030405060708"

static struct t_city *city_with_codec(const char *codec)
{
	char body[512];
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	snprintf(body, sizeof body, "{\"codec\":%s}", codec);
	assert_int_equal(200, t_city_call(city, &t_city_admin, "PATCH", "/api/v1/profiles/probe", body));
	return city;
}

/* An uplink of the device, encrypted under a session key that the server has. */
static json_t *uplink(struct t_city *city, uint8_t fport, const char *payload)
{
	static uint32_t fcnt;
	const struct lw_key key = {.bytes = {7}};
	uint8_t sealed[AS_SEALED_SESSION_KEY], clear[64];
	size_t length = 0;
	struct net_up_event event = {.dev_addr = {0x01020304}, .has_fport = true, .fport = fport};
	event.fcnt_up = ++fcnt;
	event.head.row = fcnt;
	event.head.time = city->now.wall;
	event.head.id.bytes[15] = (uint8_t)fcnt;
	assert_true(lw_eui64_parse(DEVICE, &event.head.dev_eui));
	assert_true(hex_decode(clear, sizeof clear, &length, payload, strlen(payload)));
	as_keys_seal_session(&city->keys, &event.head.dev_eui, &event.session, &key, sealed);
	assert_int_equal(ST_OK, as_store_session_put(city->store, &event.head.dev_eui, &event.session, sealed,
						     NULL, city->now.wall));
	lw_cipher_frm_payload(city->keys.aes, &key, LW_UP, event.dev_addr, event.fcnt_up, clear, length,
			      event.frm_payload);
	event.frm_payload_length = (uint8_t)length;
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &event));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	json_t *json = json_loads(city->app.json, 0, NULL);
	assert_non_null(json);
	return json;
}

#define DECLARED                                                                                     \
	"{\"name\":\"probe\",\"fields\":[{\"fport\":2,\"offset\":0,\"width_bits\":16,\"scale\":0.1," \
	"\"property\":\"temperature\"}]}"

static void payloads_become_objects(void **state)
{
	(void)state;
	static const struct {
		const char *name, *codec;
		uint8_t fport;
		const char *payload, *object, *error;
	} rows[] = {
		{"Cayenne LPP", "\"cayenne-lpp\"", 1, "03670110056700ff",
		 "\"object\":{\"temperatureSensor\":{\"3\":27.2,\"5\":25.5}}", NULL},
		{"Cayenne LPP on any port", "\"cayenne-lpp\"", 99, "018e01",
		 "\"object\":{\"switch\":{\"1\":1.0}}", NULL},
		{"Cayenne LPP that breaks off", "\"cayenne-lpp\"", 1, "036701100567", NULL,
		 "cayenne-lpp: truncated: the value at byte 4 of 6"},
		{"a type that Cayenne LPP has not", "\"cayenne-lpp\"", 1, "0363", NULL,
		 "cayenne-lpp: unknown_type: the value at byte 0 of 2"},
		{"declared", DECLARED, 2, "0110", "\"object\":{\"temperature\":27.2}", NULL},
		{"declared, too short", DECLARED, 2, "01", NULL,
		 "probe: payload_too_short: temperature lies beyond its 1 bytes"},
		{"declared for another port", DECLARED, 2 + 1, "0110", NULL,
		 "probe: no_fields_for_port: port 3"},
		{"nothing to read is no error", DECLARED, 2, "", NULL, NULL},
		{"no codec", "null", 1, "0110", NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct t_city *city = city_with_codec(rows[i].codec);
		json_t *json = uplink(city, rows[i].fport, rows[i].payload);
		t_true("object", rows[i].object ? strstr(city->app.json, rows[i].object) != NULL
						: json_object_get(json, "object") == NULL);
		const char *error = json_string_value(json_object_get(json, "codecError"));
		t_str("error", rows[i].error ? rows[i].error : "", error ? error : "");
		t_uint("counted", rows[i].error != NULL, city->app.counters.codec_errors);
		t_true("the payload is kept", json_object_get(json, "data") != NULL);
		t_int("readings", 200,
		      t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" DEVICE "/readings", NULL));
		const json_t *reading = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
		t_true("a reading", reading != NULL);
		char *text = json_dumps(reading, JSON_COMPACT | JSON_REAL_PRECISION(15));
		t_true("as exact", !rows[i].object || strstr(text, "27.2") || strstr(text, "\"1\":1"));
		t_true("no long tail", strstr(text, "9999") == NULL && strstr(text, "0000001") == NULL);
		free(text);
		json_decref(json);
		t_city_free(city);
	}
}

static void the_name_comes_back(void **state)
{
	(void)state;
	struct t_city *city = city_with_codec("\"cayenne-lpp\"");
	t_int("GET", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/profiles/probe", NULL));
	t_str("codec", "cayenne-lpp", t_city_text(city, "codec"));
	t_row("another one");
	t_int("PATCH", 422,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/profiles/probe", "{\"codec\":\"lpp\"}"));
	t_row("a change is seen by the next uplink");
	json_decref(uplink(city, 1, "018e01"));
	t_true("decoded", strstr(city->app.json, "\"switch\"") != NULL);
	t_int("PATCH", 200,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/profiles/probe",
			  "{\"codec\":" DECLARED "}"));
	json_decref(uplink(city, 2, "0110"));
	t_true("decoded", strstr(city->app.json, "\"temperature\":27.2") != NULL);
	t_city_free(city);
}

static void objects_become_payloads(void **state)
{
	(void)state;
	static const struct {
		const char *name, *codec, *object, *payload, *cause;
		enum as_codec_result result;
	} rows[] = {
		{"Cayenne LPP", "\"cayenne-lpp\"", "{\"digitalOutput\":{\"1\":1}}", "010101", "",
		 AS_CODEC_DONE},
		{"what it cannot hold", "\"cayenne-lpp\"", "{\"digitalOutput\":{\"1\":256}}", "",
		 "cayenne-lpp: digitalOutput.1: not a value that this type holds", AS_CODEC_FAILED},
		{"a declarative one only reads", DECLARED, "{\"temperature\":1}", "", "", AS_CODEC_NONE},
		{"none", "null", "{\"temperature\":1}", "", "", AS_CODEC_NONE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct t_city *city = city_with_codec(rows[i].codec);
		struct net_uuid profile;
		uint8_t payload[64];
		size_t length = 0;
		char cause[AS_CODEC_CAUSE_MAX] = "", hex[2 * sizeof payload + 1] = "";
		assert_true(as_uuid_parse(t_city_text(city, "id"), &profile));
		json_t *object = json_loads(rows[i].object, 0, NULL);
		t_int("result", rows[i].result,
		      as_codecs_encode(&city->app.codecs, city->store, &profile, object, payload,
				       sizeof payload, &length, cause));
		hex_encode(hex, payload, length);
		t_str("payload", rows[i].payload, hex);
		t_str("cause", rows[i].cause, cause);
		json_decref(object);
		t_city_free(city);
	}
}

static void downlinks_take_objects(void **state)
{
	(void)state;
	static const struct {
		const char *name, *codec, *body;
		int code;
		const char *said; /* in the answer */
	} rows[] = {
		{"Cayenne LPP", "\"cayenne-lpp\"", "{\"f_port\":2,\"object\":{\"digitalOutput\":{\"1\":1}}}",
		 202, "\"length\":3"},
		{"what it cannot hold", "\"cayenne-lpp\"",
		 "{\"f_port\":2,\"object\":{\"digitalOutput\":{\"1\":256}}}", 422,
		 "cannot write it: cayenne-lpp: digitalOutput.1: not a value that this type holds"},
		{"a codec that only reads", DECLARED, "{\"f_port\":2,\"object\":{\"temperature\":1}}", 422,
		 "only decodes"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct t_city *city = city_with_codec(rows[i].codec);
		t_int("POST", rows[i].code,
		      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices/" DEVICE "/downlinks",
				  rows[i].body));
		char *text = json_dumps(t_city_answer(city), JSON_COMPACT);
		if (!t_true("said", strstr(text, rows[i].said) != NULL))
			printf("%s\n", text);
		free(text);
		t_city_free(city);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(payloads_become_objects),
		t_test(the_name_comes_back),
		t_test(objects_become_payloads),
		t_test(downlinks_take_objects),
	};
	return t_run(tests);
}
