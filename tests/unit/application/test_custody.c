/* Keys that an agency holds, in the core of the application server: who may make them, what the join server is told, what an uplink, a
 * reading and a command look like while the city has no key. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/custody.h"
#include "application-server/store_desired.h"
#include "application-server/store_events.h"
#include "application-server/store_items.h"
#include "application-server/store_private.h"
#include "application-server/uuid.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <string.h>

#define DEVICE "/api/v1/devices/0102030405060708"
#define KEK    "/api/v1/agencies/parks/kek"

static struct t_city *city;
static uint64_t event_row;
static const struct lw_key app_s_key = {
	{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01}};
static const uint8_t kek[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
				0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

static void furnished(void)
{
	city = t_city_new();
	t_city_furnish(city);
	event_row = 0;
}

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

static long long number(const char *member)
{
	return (long long)json_integer_value(json_object_get(t_city_answer(city), member));
}

static const char *kek_body(unsigned version)
{
	static char body[300];
	uint8_t sealed[SEALED_KEK_LENGTH];
	char text[BASE64_ROOM(SEALED_KEK_LENGTH)];
	assert_int_equal(ST_OK, sealed_kek_seal(sealed, secret_box_public(city->join_box), "agency-parks",
						version, kek));
	base64_encode(text, sealed, sizeof sealed);
	snprintf(body, sizeof body, "{\"version\":%u,\"sealed\":\"%s\"}", version, text);
	return body;
}

static void change_custody(const char *target, const char *to)
{
	char body[60];
	snprintf(body, sizeof body, "{\"key_custody\":%s}", to);
	t_int(to, 200, call("PATCH", target, body));
	t_true("says when", strstr(t_city_text(city, "note"), "next join") != NULL);
	while (as_store_custody_step(city->store))
		assert_int_equal(ST_OK, as_store_commit(city->store));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

/* The newest word of the desired state about the device. */
static struct as_desired desired(void)
{
	static struct as_desired records[64];
	struct as_desired last = {.version = 0};
	size_t count;
	assert_int_equal(ST_OK, as_store_desired_after(city->store, 0, records, ARRAY_SIZE(records), &count));
	for (size_t i = 0; i < count; i++)
		if (records[i].kind == RECORD_DEVICE)
			last = records[i];
	return last;
}

/* --- KEKs ------------------------------------------------------------------------------------------------------- */

static void an_agency_makes_its_kek_and_a_version_is_never_given_twice(void **state)
{
	(void)state;
	furnished();
	struct as_scope manager = t_city_scope(city, AS_MANAGER, "parks"),
			reader = t_city_scope(city, AS_READER, "parks");
	char first[300];
	t_int("before", 200, call("GET", KEK, NULL));
	t_str("state", "none", t_city_text(city, "state"));
	t_true("what to do", strstr(t_city_text(city, "next"), "lamppost agency kek new") != NULL);
	t_str("the label to seal for", "agency-parks", t_city_text(city, "label"));
	t_int("a reader", 403, t_city_call(city, &reader, "PUT", KEK, kek_body(1)));
	t_int("not the first", 409, call("PUT", KEK, kek_body(2)));
	t_int("no seal", 422, call("PUT", KEK, "{\"version\":1,\"sealed\":\"oKGio6SlpqeoqaqrrK2urw==\"}"));
	snprintf(first, sizeof first, "%s", kek_body(1));
	t_int("made", 200, t_city_call(city, &manager, "PUT", KEK, first));
	t_str("its way", "on_its_way", t_city_text(city, "state"));
	t_str("name in envelopes", "agency-parks", t_city_text(city, "kek_label"));
	t_int("the same again", 200, call("PUT", KEK, first));
	t_int("another for that version", 409, call("PUT", KEK, kek_body(1)));
	t_int("rotated", 200, call("PUT", KEK, kek_body(2)));
	t_str("name in envelopes", "agency-parks.2", t_city_text(city, "kek_label"));
	assert_int_equal(ST_OK,
			 as_store_kek_set_problem(city->store, "agency-parks", "a file has that label"));
	t_int("what the join server refused", 200, call("GET", KEK, NULL));
	t_str("says so", "refused", t_city_text(city, "state"));
	t_str("with its words", "a file has that label", t_city_text(city, "problem"));
	t_true("and the way out", strstr(t_city_text(city, "next"), "kek rotate") != NULL);
	t_int("given up", 204, call("DELETE", KEK, NULL));
	t_int("once", 404, call("DELETE", KEK, NULL));
	t_int("shown", 200, call("GET", KEK, NULL));
	t_str("retired", "retired", t_city_text(city, "state"));
	t_int("version", 2, number("version"));
	t_int("its version is not given again", 409, call("PUT", KEK, kek_body(1)));
	t_int("the next", 200, call("PUT", KEK, kek_body(3)));
	t_int("version", 3, number("version"));
	struct as_agency_kek stored;
	assert_int_equal(ST_OK, as_store_kek_next(city->store, "", &stored));
	t_true("stored as it came: not ours to open",
	       memmem(stored.sealed, sizeof stored.sealed, kek, sizeof kek) == NULL);
	t_city_free(city);
}

static void the_label_of_an_agency_that_took_anothers_name_is_its_own(void **state)
{
	(void)state;
	furnished();
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	t_int("renamed", 200, call("PATCH", "/api/v1/agencies/parks", "{\"slug\":\"green\"}"));
	t_int("another", 201,
	      call("POST", "/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"Car parks\"}"));
	t_int("its label", 200, call("GET", KEK, NULL));
	t_true("is another", strcmp(t_city_text(city, "label"), "agency-parks") != 0);
	t_true("and fits", sealed_kek_label_is_good(t_city_text(city, "label")));
	t_city_free(city);
}

static void custody_needs_a_kek_and_is_told_to_the_join_server(void **state)
{
	(void)state;
	furnished();
	t_int("no KEK yet", 422,
	      call("PATCH", "/api/v1/applications/meters", "{\"key_custody\":\"agency\"}"));
	t_int("nor for a device", 422, call("PATCH", DEVICE, "{\"key_custody\":\"agency\"}"));
	t_str("the city's by default", "application", desired().app_kek_label);
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	change_custody("/api/v1/applications/meters", "\"agency\"");
	t_str("the application's word", "agency-parks", desired().app_kek_label);
	t_true("the network server is told", desired().device.private_keys);
	t_int("a KEK in use stays", 409, call("DELETE", KEK, NULL));
	change_custody(DEVICE, "\"city\"");
	t_str("the device's own word", "application", desired().app_kek_label);
	change_custody(DEVICE, "null");
	t_str("again its application's", "agency-parks", desired().app_kek_label);
	change_custody("/api/v1/applications/meters", "\"city\"");
	change_custody(DEVICE, "\"agency\"");
	t_int("one that a device alone is under stays too", 409, call("DELETE", KEK, NULL));
	change_custody(DEVICE, "null");
	t_str("back", "application", desired().app_kek_label);
	t_int("given up", 204, call("DELETE", KEK, NULL));
	t_city_free(city);
}

/* By a hand in the file, or one that was restored: never the city's key instead. */
static void without_a_kek_nothing_is_wrapped_for_the_city(void **state)
{
	(void)state;
	furnished();
	assert_int_equal(ST_OK, db_exec(city->store->city, "UPDATE applications SET key_custody = 'agency'"));
	t_str("a label that no KEK has", "agency-without-key", desired().app_kek_label);
	t_city_free(city);
}

/* More devices than one slice. */
static void custody_of_a_large_application_is_told_in_slices(void **state)
{
	(void)state;
	furnished();
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	for (unsigned i = 0; i < 600; i++) {
		char body[200];
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"%016x\",\"name\":\"M\",\"application\":\"meters\",\"profile\":"
			 "\"probe\"}",
			 0x1000 + i);
		assert_int_equal(201, call("POST", "/api/v1/devices", body));
	}
	t_int("changed", 200, call("PATCH", "/api/v1/applications/meters", "{\"key_custody\":\"agency\"}"));
	uint64_t before = as_store_version(city->store);
	unsigned turns = 0;
	for (; as_store_custody_step(city->store); turns++)
		assert_int_equal(ST_OK, as_store_commit(city->store));
	t_uint("turns", 3, turns);
	t_uint("each device once", 601, as_store_version(city->store) - before);
	t_city_free(city);
}

/* --- a device whose key the city does not have ------------------------------------------------------------------ */

static struct net_event_head head(void)
{
	struct net_event_head made = {.row = ++event_row, .time = {city->now.wall.us + (int64_t)event_row}};
	made.id.bytes[0] = (uint8_t)event_row;
	made.id.bytes[15] = 9;
	assert_true(lw_eui64_parse("0102030405060708", &made.dev_eui));
	return made;
}

static const struct lw_dev_addr address = {0x01020304};

static const struct net_session_id *in_use; /* what the joins say that the device is in; NULL: nothing */

static void join(uint8_t session, const char *label, const uint8_t wrapping[16])
{
	struct net_join_event event = {
		.head = head(), .session = {{session}}, .dev_addr = address, .region_id = "eu868"};
	snprintf(event.app_s_key_label, sizeof event.app_s_key_label, "%s", label);
	if (in_use)
		event.has_in_use = true, event.in_use = *in_use;
	if (*label)
		assert_int_equal(AES_WRAP_OK,
				 aes_wrap(wrapping, 16, app_s_key.bytes, 16, event.app_s_key_wrapped));
	else
		event.session_key_id_length = 8, memcpy(event.session_key_id, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(ST_OK, as_application_on_join(&city->app, city->now, &event));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static const uint8_t plain[2] = {0x00, 0xd7};

static void uplink(uint8_t session, uint32_t fcnt, uint32_t next)
{
	struct net_up_event event = {.head = head(),
				     .session = {{session}},
				     .dev_addr = address,
				     .fcnt_up = fcnt,
				     .has_fport = true,
				     .fport = 2,
				     .region_id = "eu868",
				     .modulation = {.kind = LW_LORA,
						    .spreading_factor = 7,
						    .bandwidth_hz = 125000,
						    .code_rate = "4/5"},
				     .freq_hz = 868100000,
				     .frm_payload_length = 2,
				     .next_fcnt_down = next,
				     .max_payload = 51};
	lw_cipher_frm_payload(city->keys.aes, &app_s_key, LW_UP, address, fcnt, plain, 2, event.frm_payload);
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &event));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static json_t *last_event(void)
{
	struct as_event event;
	json_t *json = NULL;
	assert_int_equal(ST_OK,
			 as_store_event_next(city->store, as_store_events_last(city->store) - 1, &event));
	json = json_loads(event.body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	as_store_release(city->store);
	return json;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Opens what an event, a reading or a session says with the agency's KEK; false when it does not. */
static bool opens(const json_t *said, const char *label)
{
	const json_t *envelope = json_object_get(json_object_get(said, "joinServerContext"), "appSKey");
	const char *text = text_of(envelope, "aesKey");
	uint8_t wrapped[24], key[16];
	size_t length = 0;
	return strcmp(text_of(envelope, "kekLabel"), label) == 0 &&
	       base64_decode(wrapped, sizeof wrapped, &length, text, strlen(text)) && length == 24 &&
	       aes_unwrap(kek, 16, wrapped, 24, key) == AES_WRAP_OK && memcmp(key, app_s_key.bytes, 16) == 0;
}

static void held(void)
{
	furnished();
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	change_custody("/api/v1/applications/meters", "\"agency\"");
}

static void uplinks_pass_as_they_came_with_what_opens_them_for_the_agency(void **state)
{
	(void)state;
	held();
	join(1, "agency-parks", kek);
	json_t *event = last_event();
	t_true("the join has the wrapped key", opens(event, "agency-parks"));
	json_decref(event);
	uplink(1, 5, 3);
	event = last_event();
	t_true("so has every uplink", opens(event, "agency-parks"));
	t_true("said", json_is_true(json_object_get(event, "encrypted")));
	t_true("no codec is run", json_object_get(event, "object") == NULL);
	t_true("the payload is not the plain one", strcmp("ANc=", text_of(event, "data")) != 0);
	t_int("next counter", 3, json_integer_value(json_object_get(event, "nextFCntDown")));
	t_int("readings", 200, call("GET", DEVICE "/readings", NULL));
	const json_t *reading = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_str("the reading is the ciphertext", text_of(event, "data"), text_of(reading, "data"));
	t_true("and says so", json_is_true(json_object_get(reading, "encrypted")));
	t_true("with what opens it", opens(reading, "agency-parks"));
	t_str("and the address", "01020304", text_of(reading, "devAddr"));
	json_decref(event);
	t_uint("counted", 1, city->app.counters.held_uplinks);
	t_uint("not as a fault", 0, city->app.counters.no_session_key);
	t_city_free(city);
}

static void a_change_takes_effect_with_the_next_join_in_either_direction(void **state)
{
	(void)state;
	furnished();
	join(1, "application", city->keys.kek);
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	change_custody("/api/v1/applications/meters", "\"agency\"");
	uplink(1, 1, 44);
	json_t *event = last_event();
	t_str("before its next join in clear", "ANc=", text_of(event, "data"));
	json_decref(event);
	t_int("as are its commands", 202,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
	t_int("there is no held session", 409, call("GET", DEVICE "/session", NULL));
	join(2, "agency-parks", kek);
	t_int("there is", 200, call("GET", DEVICE "/session", NULL));
	t_int("its counter is not that of the one before", 0, number("nextFCntDown"));
	uplink(2, 0, 0);
	event = last_event();
	t_true("from then on the agency's", opens(event, "agency-parks"));
	json_decref(event);
	change_custody("/api/v1/applications/meters", "\"city\"");
	uplink(2, 1, 0);
	event = last_event();
	t_true("still the agency's", opens(event, "agency-parks"));
	json_decref(event);
	t_int("and not in clear", 409, call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
	join(3, "application", city->keys.kek);
	uplink(3, 0, 0);
	event = last_event();
	t_str("the city's again", "ANc=", text_of(event, "data"));
	t_true("decoded", json_object_get(event, "object") != NULL);
	json_decref(event);
	t_int("and its commands", 202, call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
	t_city_free(city);
}

static void a_command_comes_encrypted_or_not_at_all(void **state)
{
	(void)state;
	held();
	t_int("before the first join", 409,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
	join(1, "agency-parks", kek);
	t_int("in clear", 409, call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
	t_true("a sentence", strstr(t_city_text(city, "detail"), "isEncrypted") != NULL);
	t_int("an object", 409,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"object\":{\"temperature\":1}}"));
	t_int("a session not heard yet", 200, call("GET", DEVICE "/session", NULL));
	t_int("begins at", 0, number("nextFCntDown"));
	uplink(1, 0, 7);
	t_int("session", 200, call("GET", DEVICE "/session", NULL));
	t_int("its counter", 7, number("nextFCntDown"));
	t_true("its key", opens(t_city_answer(city), "agency-parks"));
	t_str("its address", "01020304", t_city_text(city, "devAddr"));
	t_int("encrypted", 202,
	      call("POST", DEVICE "/downlinks",
		   "{\"fPort\":2,\"data\":\"AQ==\",\"isEncrypted\":true,\"fCntDown\":7}"));
	t_uint("nothing to say about its counter", 1,
	       json_array_size(json_object_get(t_city_answer(city), "notes")));
	t_int("session", 200, call("GET", DEVICE "/session", NULL));
	t_int("behind what waits", 8, number("nextFCntDown"));
	t_int("one that lies ahead", 202,
	      call("POST", DEVICE "/downlinks",
		   "{\"fPort\":2,\"data\":\"AQ==\",\"isEncrypted\":true,\"fCntDown\":90}"));
	const json_t *notes = json_object_get(t_city_answer(city), "notes");
	t_true("is told to wait",
	       strstr(json_string_value(json_array_get(notes, 1)), "its counter, 90") != NULL);
	t_city_free(city);
}

#define IN_CLEAR  "11111111-2222-4333-8444-555555555555"
#define ENCRYPTED "11111111-2222-4333-8444-666666666666"

/* The network server asks for an item's ciphertext in a session; the word that refuses it, or "" with the ciphertext. */
static const char *seals(const char *id, uint8_t session, struct net_sealed *sealed)
{
	struct net_seal seal = {.session = {{session}}, .dev_addr = address, .fcnt_down = 0};
	assert_true(as_uuid_parse(id, &seal.item));
	assert_true(lw_eui64_parse("0102030405060708", &seal.dev_eui));
	as_application_on_seal(&city->app, city->now, &seal, sealed);
	t_int("it says so", sealed->cause[0] == '\0', sealed->ok);
	return sealed->cause;
}

/* The network server's word about an item. */
static void moves(const char *id, enum net_item_status status, const char *cause)
{
	struct net_downlink_event event = {.head = head(), .status = status};
	snprintf(event.cause, sizeof event.cause, "%s", cause);
	assert_true(as_uuid_parse(id, &event.item));
	assert_int_equal(ST_OK, as_application_on_downlink(&city->app, city->now, &event));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static const char *state_of(const char *id)
{
	char target[120];
	snprintf(target, sizeof target, DEVICE "/downlinks/%s", id);
	t_int("item", 200, call("GET", target, NULL));
	return t_city_text(city, "status");
}

/* An accept may not have been heard: the device is in the session that it was heard in. */
static void the_session_that_was_heard_counts_before_a_newer_one(void **state)
{
	(void)state;
	held();
	join(1, "agency-parks", kek);
	uplink(1, 0, 5);
	join(2, "agency-parks", kek);
	t_int("session", 200, call("GET", DEVICE "/session", NULL));
	t_true("heard", json_is_true(json_object_get(t_city_answer(city), "heard")));
	t_int("its counter", 5, number("nextFCntDown"));
	t_city_free(city);
}

/* It was taken in clear while the city had the key; meanwhile the device joined. */
static void what_waits_in_clear_is_not_sealed_for_a_held_session(void **state)
{
	struct net_sealed sealed;
	(void)state;
	furnished();
	join(1, "application", city->keys.kek);
	t_int("sent", 202,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" IN_CLEAR "\"}"));
	join(2, "agency-parks", kek);
	t_str("not sealed", "held_by_agency", seals(IN_CLEAR, 2, &sealed));
	for (size_t i = 0; i < sizeof sealed.frm_payload; i++)
		assert_int_equal(0, sealed.frm_payload[i]);
	moves(IN_CLEAR, NET_ITEM_REFUSED, "held_by_agency");
	t_str("it ended", "refused", state_of(IN_CLEAR));
	json_t *log = last_event();
	t_true("its sender is told what to do", strstr(text_of(log, "description"), "isEncrypted") != NULL);
	t_str("of which", IN_CLEAR, text_of(json_object_get(log, "context"), "queue_item_id"));
	json_decref(log);
	t_city_free(city);
}

/* While commands wait and uplinks are on their way. */
static void custody_changed_there_and_back_loses_nothing_and_shows_nothing(void **state)
{
	struct net_sealed sealed;
	(void)state;
	furnished();
	join(1, "application", city->keys.kek);
	uplink(1, 0, 0);
	t_int("a command in clear", 202,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" IN_CLEAR "\"}"));
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	t_row("there and back, and it did not join in between");
	change_custody("/api/v1/applications/meters", "\"agency\"");
	change_custody("/api/v1/applications/meters", "\"city\"");
	t_str("the command is sealed for the city's session", "", seals(IN_CLEAR, 1, &sealed));
	t_str("and waits", "queued", state_of(IN_CLEAR));
	t_row("there: it joins");
	change_custody("/api/v1/applications/meters", "\"agency\"");
	join(2, "agency-parks", kek);
	uplink(1, 1, 0); /* was on its way */
	json_t *event = last_event();
	t_str("what was the city's is in clear", "ANc=", text_of(event, "data"));
	json_decref(event);
	uplink(2, 0, 0);
	event = last_event();
	t_true("what is the agency's is not", opens(event, "agency-parks"));
	json_decref(event);
	t_str("an accept that was not heard: the city's session goes on", "", seals(IN_CLEAR, 1, &sealed));
	t_str("for the agency's it is not sealed", "held_by_agency", seals(IN_CLEAR, 2, &sealed));
	t_str("nor forgotten before the network server says so", "queued", state_of(IN_CLEAR));
	t_int("a command of the agency's", 202,
	      call("POST", DEVICE "/downlinks",
		   "{\"fPort\":7,\"data\":\"kdA6\",\"isEncrypted\":true,\"fCntDown\":0,\"id\":\"" ENCRYPTED
		   "\"}"));
	t_row("back: it joins");
	change_custody("/api/v1/applications/meters", "\"city\"");
	join(3, "application", city->keys.kek);
	uplink(2, 1, 0); /* was on its way */
	event = last_event();
	t_true("it is the agency's still", opens(event, "agency-parks"));
	t_true("not the plain one", strcmp("ANc=", text_of(event, "data")) != 0);
	json_decref(event);
	uplink(3, 0, 0);
	event = last_event();
	t_str("the city's again", "ANc=", text_of(event, "data"));
	json_decref(event);
	t_str("the agency's command waits as it came", "queued", state_of(ENCRYPTED));
	struct as_item item;
	struct net_uuid id;
	assert_true(as_uuid_parse(ENCRYPTED, &id));
	assert_int_equal(ST_OK, as_store_item_get(city->store, &id, &item));
	t_true("never to be sealed again", item.encrypted);
	moves(ENCRYPTED, NET_ITEM_STALE_COUNTER, "session_ended");
	event = last_event();
	t_str("until the network server ends it, which is told", "F_CNT_DOWN", text_of(event, "code"));
	json_decref(event);
	t_str("the one in clear goes to the city's session", "", seals(IN_CLEAR, 3, &sealed));
	t_int("readings", 200, call("GET", DEVICE "/readings", NULL));
	t_uint("every uplink is there", 5, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_city_free(city);
}

/* --- devices by personalization ----------------------------------------------------------------------------------- */

#define METER "/api/v1/devices/0102030405060799"

static const char *sealed_app_s_key(const char *dev_eui)
{
	static char text[T_SEALED_TEXT];
	return t_seal(text, city->keys.box, SEALED_APP_S_KEY, dev_eui, "00112233445566778899aabbccddeeff");
}

static void add_meter(void)
{
	char body[700];
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"0102030405060799\",\"name\":\"M\",\"application\":\"meters\",\"profile\":"
		 "\"probe\",\"activation\":\"abp\",\"dev_addr\":\"01020399\",\"app_s_key\":\"%s\"}",
		 sealed_app_s_key("0102030405060799"));
	t_int("registered", 201, call("POST", "/api/v1/devices", body));
}

/* Fills the oldest session whose key is to be asked for; false: there is none. */
static bool to_fetch(struct lw_eui64 *dev_eui, struct as_held *session)
{
	const struct as_held_place first = {.after = {0}};
	return as_store_held_to_fetch(city->store, &first, dev_eui, session) == ST_OK;
}

/* The join server's AppSKeyAns. */
static struct bi_message answer_of(const struct lw_eui64 *dev_eui, const char *label,
				   const uint8_t wrapping[16])
{
	struct bi_message answer = {
		.envelope = {.type = BI_APP_S_KEY_ANS, .protocol = BI_PROTOCOL_1_0, .result = BI_SUCCESS}};
	answer.app_s_key_ans.dev_eui = *dev_eui;
	answer.app_s_key_ans.app_s_key.length = BI_KEY_WRAPPED;
	snprintf(answer.app_s_key_ans.app_s_key.label, BI_LABEL_TEXT, "%s", label);
	assert_int_equal(AES_WRAP_OK,
			 aes_wrap(wrapping, 16, app_s_key.bytes, 16, answer.app_s_key_ans.app_s_key.key));
	return answer;
}

/* The join server answers for the oldest session without a key. */
static enum as_app_key_verdict fetched(const char *label, const uint8_t wrapping[16])
{
	struct as_held session;
	struct lw_eui64 dev_eui;
	assert_true(to_fetch(&dev_eui, &session));
	struct bi_message answer = answer_of(&dev_eui, label, wrapping);
	enum as_app_key_verdict verdict = as_custody_on_app_key(&city->app, city->now, &dev_eui, &session,
								&answer);
	assert_int_equal(ST_OK, as_store_commit(city->store));
	return verdict;
}

/* A command that was taken in clear while the city had the key of a device that never joins. */
static void a_command_in_clear_meets_a_key_that_is_forgotten(void **state)
{
	static const struct net_session_id abp = {{0}};
	struct net_seal seal = {.session = abp, .dev_addr = {0x01020399}};
	struct net_sealed sealed;
	(void)state;
	furnished();
	add_meter();
	assert_true(lw_eui64_parse("0102030405060799", &seal.dev_eui));
	assert_true(as_uuid_parse(IN_CLEAR, &seal.item));
	t_int("sent", 202,
	      call("POST", METER "/downlinks", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" IN_CLEAR "\"}"));
	t_int("no session to encrypt for", 409, call("GET", METER "/session", NULL));
	t_true("in clear, it says", strstr(t_city_text(city, "detail"), "in clear") != NULL);
	as_application_on_seal(&city->app, city->now, &seal, &sealed);
	t_true("the city seals it", sealed.ok);
	t_int("made", 200, call("PUT", KEK, kek_body(1)));
	t_int("the agency's from now on", 200, call("PATCH", METER, "{\"key_custody\":\"agency\"}"));
	as_application_on_seal(&city->app, city->now, &seal, &sealed);
	t_false("sealed", sealed.ok);
	t_str("why", "held_by_agency", sealed.cause);
	t_int("no session to encrypt for", 409, call("GET", METER "/session", NULL));
	t_true("what to do instead", strstr(t_city_text(city, "detail"), "--encrypted --counter") != NULL);
	t_city_free(city);
}

/* The join left the key to be asked for, or named our KEK and wrapped it under another one: whose it is nobody knows. */
static void a_session_whose_key_has_not_come_is_nobodys(void **state)
{
	struct net_sealed sealed;
	(void)state;
	furnished();
	join(1, "application", city->keys.kek);
	t_int("sent", 202,
	      call("POST", DEVICE "/downlinks", "{\"f_port\":7,\"data\":\"AQID\",\"id\":\"" IN_CLEAR "\"}"));
	join(9, "application", kek);
	t_int("our label is no agency's", 409, call("GET", DEVICE "/session", NULL));
	join(2, "", NULL);
	t_str("asked again when the key is there", "no_session_key", seals(IN_CLEAR, 2, &sealed));
	t_int("the key came", AS_APP_KEY_FETCHED, fetched("application", city->keys.kek));
	t_str("sealed", "", seals(IN_CLEAR, 2, &sealed));
	join(3, "", NULL);
	moves(IN_CLEAR, NET_ITEM_REFUSED, "no_session_key");
	json_t *log = last_event();
	t_true("it ended: what to do", strstr(text_of(log, "description"), "join anew") != NULL);
	json_decref(log);
	t_city_free(city);
}

static bool city_has_its_key(void)
{
	struct lw_eui64 dev_eui;
	assert_true(lw_eui64_parse("0102030405060799", &dev_eui));
	return as_store_session_any(city->store, &dev_eui);
}

/* The blob as it came, beside the session that was made of it. */
static bool city_has_its_blob(void)
{
	return db_query_i64(city->store->city, "SELECT count(*) FROM devices WHERE app_s_key IS NOT NULL",
			    -1) != 0;
}

static void the_city_is_not_given_a_key_that_it_is_not_to_have(void **state)
{
	static const struct {
		const char *name, *application, *device; /* key_custody */
		int status;
	} rows[] = {{"the device says so", "city", "\"agency\"", 422},
		    {"its application says so", "agency", "null", 422},
		    {"the city's by its own word", "agency", "\"city\"", 204},
		    {"the city's", "city", "null", 204}};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		char body[400];
		t_row(rows[r].name);
		furnished();
		t_int("made", 200, call("PUT", KEK, kek_body(1)));
		t_int("registered", 201,
		      call("POST", "/api/v1/devices",
			   "{\"dev_eui\":\"0102030405060799\",\"name\":\"M\",\"application\":\"meters\","
			   "\"profile\":\"probe\",\"activation\":\"abp\",\"dev_addr\":\"01020399\"}"));
		snprintf(body, sizeof body, "{\"key_custody\":\"%s\"}", rows[r].application);
		t_int("its application", 200, call("PATCH", "/api/v1/applications/meters", body));
		snprintf(body, sizeof body, "{\"key_custody\":%s}", rows[r].device);
		t_int("itself", 200, call("PATCH", METER, body));
		snprintf(body, sizeof body, "{\"app_s_key\":\"%s\"}", sealed_app_s_key("0102030405060799"));
		t_int("keys", rows[r].status, call("PUT", METER "/keys", body));
		t_int("the city has it", rows[r].status == 204, city_has_its_key());
		t_int("and the blob", rows[r].status == 204, city_has_its_blob());
		t_city_free(city);
	}
}

static void a_key_that_the_city_had_is_forgotten(void **state)
{
	static const struct {
		const char *name, *target, *body;
	} rows[] = {
		{"the device's own word", METER, "{\"key_custody\":\"agency\"}"},
		{"its application's", "/api/v1/applications/meters", "{\"key_custody\":\"agency\"}"},
		{"it is moved to an application of that custody", METER, "{\"application\":\"doors\"}"},
	};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		t_row(rows[r].name);
		furnished();
		t_int("made", 200, call("PUT", KEK, kek_body(1)));
		t_int("another application", 201,
		      call("POST", "/api/v1/applications",
			   "{\"slug\":\"doors\",\"name\":\"D\",\"agency\":\"parks\",\"key_custody\":"
			   "\"agency\"}"));
		add_meter();
		t_true("before", city_has_its_key());
		t_true("the blob", city_has_its_blob());
		t_int("changed", 200, call("PATCH", rows[r].target, rows[r].body));
		while (as_store_custody_step(city->store))
			assert_int_equal(ST_OK, as_store_commit(city->store));
		assert_int_equal(ST_OK, as_store_commit(city->store));
		t_false("after", city_has_its_key());
		t_false("the blob", city_has_its_blob());
		t_city_free(city);
	}
}

/* --- keys that are fetched later ----------------------------------------------------------------------------------- */

/* A join server that keeps the key until it is asked (TS002 AppSKeyReq). */
static void a_key_that_is_fetched_later_is_whose_its_kek_is(void **state)
{
	static const struct {
		const char *name, *label;
		bool is_city;
	} rows[] = {{"a foreign label passes through", "their-kek.3", false},
		    {"our own label", "application", true}};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct as_held session;
		struct lw_eui64 dev_eui;
		t_row(rows[r].name);
		furnished();
		join(1, "", NULL);
		json_t *event = last_event();
		t_str("the id, until the key is there", "0102030405060708",
		      text_of(json_object_get(event, "joinServerContext"), "sessionKeyId"));
		json_decref(event);
		t_int("taken", AS_APP_KEY_FETCHED,
		      fetched(rows[r].label, rows[r].is_city ? city->keys.kek : kek));
		t_false("something is left to fetch", to_fetch(&dev_eui, &session));
		uplink(1, 0, 0);
		event = last_event();
		t_int("in clear", rows[r].is_city, strcmp("ANc=", text_of(event, "data")) == 0);
		t_int("wrapped", !rows[r].is_city, opens(event, rows[r].label));
		json_decref(event);
		t_city_free(city);
	}
}

/* The device joined again, and that session is the agency's, before the key of the session before came. */
static void a_key_that_comes_after_a_newer_join_does_not_make_its_session_the_newest(void **state)
{
	static const struct {
		const char *name, *newer; /* label of the second join's key */
		bool is_held;             /* the second session */
	} rows[] = {{"the newer one is the agency's", "agency-parks", true},
		    {"the newer one is without a key too", "", true},
		    {"the newer one is the city's", "application", false}};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		t_row(rows[r].name);
		held();
		join(1, "", NULL);
		join(2, rows[r].newer, rows[r].is_held ? kek : city->keys.kek);
		t_int("the older one's came", AS_APP_KEY_FETCHED, fetched("application", city->keys.kek));
		t_int("the session", rows[r].is_held ? 200 : 409, call("GET", DEVICE "/session", NULL));
		t_int("a command in clear", rows[r].is_held ? 409 : 202,
		      call("POST", DEVICE "/downlinks", "{\"f_port\":2,\"data\":\"AQ==\"}"));
		uplink(1, 0, 0);
		json_t *event = last_event();
		t_str("the older session opens all the same", "ANc=", text_of(event, "data"));
		json_decref(event);
		t_city_free(city);
	}
}

static bool city_has(uint8_t session)
{
	struct lw_eui64 dev_eui;
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	assert_true(lw_eui64_parse("0102030405060708", &dev_eui));
	return as_store_session_get(city->store, &dev_eui, &(struct net_session_id){{session}}, sealed) ==
	       ST_OK;
}

/* Accepts that nobody hears, in a city whose joins leave the key to be asked for. */
static void fetched_keys_push_out_neither_the_session_in_use_nor_stay_for_ever(void **state)
{
	static const struct net_session_id first = {{1}};
	(void)state;
	furnished();
	join(1, "application", city->keys.kek);
	in_use = &first;
	unsigned kept = 0;
	for (uint8_t i = 2; i <= 20; i++) {
		join(i, "", NULL);
		t_int("taken", AS_APP_KEY_FETCHED, fetched("application", city->keys.kek));
	}
	in_use = NULL;
	t_true("the one in use is there", city_has(1));
	for (uint8_t i = 2; i <= 20; i++)
		kept += city_has(i);
	t_uint("and the latest", 5, kept);
	t_true("of them the last", city_has(20));
	t_city_free(city);
}

static void an_answer_without_a_key_is_counted_by_its_reason_and_told(void **state)
{
	static const struct {
		const char *name, *reason;
		enum bi_result result;
		uint8_t length; /* of the key: 0, BI_KEY_CLEAR, BI_KEY_WRAPPED */
		const char *label;
		bool of_another, is_silence;
		enum as_app_key_verdict verdict;
	} rows[] = {
		{"a session that is not kept", "unknown", BI_OTHER, 0, "", false, false, AS_APP_KEY_UNKNOWN},
		{"a device that is not known", "unknown", BI_UNKNOWN_DEV_EUI, 0, "", false, false,
		 AS_APP_KEY_UNKNOWN},
		{"we may not", "refused", BI_ACTIVATION_DISALLOWED, 0, "", false, false, AS_APP_KEY_REFUSED},
		{"a key in clear", "in_clear", BI_SUCCESS, BI_KEY_CLEAR, "", false, false,
		 AS_APP_KEY_IN_CLEAR},
		{"a wrapped key without a label", "in_clear", BI_SUCCESS, BI_KEY_WRAPPED, "", false, false,
		 AS_APP_KEY_IN_CLEAR},
		{"our label, another KEK", "other_kek", BI_SUCCESS, BI_KEY_WRAPPED, "application", false,
		 false, AS_APP_KEY_OTHER_KEK},
		{"a label longer than any", "no_message", BI_SUCCESS, BI_KEY_WRAPPED,
		 "a-label-of-more-than-thirty-one-c", false, false, AS_APP_KEY_NO_MESSAGE},
		{"for another device", "no_message", BI_SUCCESS, BI_KEY_WRAPPED, "their-kek", true, false,
		 AS_APP_KEY_NO_MESSAGE},
		{"no answer", "no_answer", BI_SUCCESS, 0, "", false, true, AS_APP_KEY_NO_ANSWER},
	};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct as_held session;
		struct lw_eui64 dev_eui;
		char verdict[40];
		t_row(rows[r].name);
		furnished();
		join(1, "", NULL);
		assert_true(to_fetch(&dev_eui, &session));
		struct bi_message answer = answer_of(&dev_eui, rows[r].label, kek);
		answer.envelope.result = rows[r].result;
		answer.app_s_key_ans.app_s_key.length = rows[r].length;
		answer.app_s_key_ans.dev_eui.bytes[0] ^= rows[r].of_another;
		if (rows[r].is_silence) {
			as_custody_on_no_app_key(&city->app, city->now, &dev_eui, 0, true);
			as_custody_on_no_app_key(&city->app, city->now, &dev_eui, 503, false);
		} else
			t_int("verdict", rows[r].verdict,
			      as_custody_on_app_key(&city->app, city->now, &dev_eui, &session, &answer));
		assert_int_equal(ST_OK, as_store_commit(city->store));
		t_str("reason", rows[r].reason, as_app_key_reason(rows[r].verdict));
		t_uint("counted", rows[r].is_silence ? 2 : 1, city->app.counters.app_keys[rows[r].verdict]);
		t_uint("nothing was fetched", 0, city->app.counters.app_keys[AS_APP_KEY_FETCHED]);
		t_true("it has none still", to_fetch(&dev_eui, &session) && !city_has(1));
		json_t *told = json_array();
		as_rules_list(&city->app.decisions, &dev_eui, 10, told);
		snprintf(verdict, sizeof verdict, "app_s_key_%s", rows[r].reason);
		t_uint("told once", 1, json_array_size(told));
		t_str("as", verdict, text_of(json_array_get(told, 0), "verdict"));
		t_true("with a next step", *text_of(json_array_get(told, 0), "next") != '\0');
		if (rows[r].verdict == AS_APP_KEY_UNKNOWN || rows[r].verdict == AS_APP_KEY_REFUSED)
			t_str("the result's name", bi_result_name(rows[r].result, BI_PROTOCOL_1_1),
			      text_of(json_object_get(json_array_get(told, 0), "numbers"), "result"));
		json_decref(told);
		t_city_free(city);
	}
}

static void sessions_are_forgotten_as_those_of_the_city_are(void **state)
{
	(void)state;
	static const struct net_session_id third = {{3}};
	held();
	for (uint8_t i = 1; i <= 20; in_use = i >= 3 ? &third : NULL, i++)
		join(i, "agency-parks", kek);
	in_use = NULL;
	struct lw_eui64 dev_eui;
	assert_true(lw_eui64_parse("0102030405060708", &dev_eui));
	for (uint8_t i = 1; i <= 20; i++) {
		struct as_held session;
		bool is = as_store_held_get(city->store, &dev_eui, &(struct net_session_id){{i}}, &session) ==
			  ST_OK;
		t_int("the latest, and the one in use", i > 16 || i == 3, is);
	}
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_agency_makes_its_kek_and_a_version_is_never_given_twice),
		t_test(the_label_of_an_agency_that_took_anothers_name_is_its_own),
		t_test(custody_needs_a_kek_and_is_told_to_the_join_server),
		t_test(without_a_kek_nothing_is_wrapped_for_the_city),
		t_test(custody_of_a_large_application_is_told_in_slices),
		t_test(uplinks_pass_as_they_came_with_what_opens_them_for_the_agency),
		t_test(a_change_takes_effect_with_the_next_join_in_either_direction),
		t_test(a_command_comes_encrypted_or_not_at_all),
		t_test(the_session_that_was_heard_counts_before_a_newer_one),
		t_test(what_waits_in_clear_is_not_sealed_for_a_held_session),
		t_test(custody_changed_there_and_back_loses_nothing_and_shows_nothing),
		t_test(a_command_in_clear_meets_a_key_that_is_forgotten),
		t_test(a_session_whose_key_has_not_come_is_nobodys),
		t_test(a_key_that_is_fetched_later_is_whose_its_kek_is),
		t_test(a_key_that_comes_after_a_newer_join_does_not_make_its_session_the_newest),
		t_test(fetched_keys_push_out_neither_the_session_in_use_nor_stay_for_ever),
		t_test(an_answer_without_a_key_is_counted_by_its_reason_and_told),
		t_test(the_city_is_not_given_a_key_that_it_is_not_to_have),
		t_test(a_key_that_the_city_had_is_forgotten),
		t_test(sessions_are_forgotten_as_those_of_the_city_are),
	};
	return t_run(tests);
}
