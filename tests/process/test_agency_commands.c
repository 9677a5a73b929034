/* Commands by MQTT for a device whose AppSKey its agency holds, at a real broker: in clear they are refused with words on the device's own
 * topic, encrypted they leave as they came, and one whose counter has passed comes back with the next. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "common/crypto/aes.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define IN_CLEAR   "b3BlbiBnYXRlIDE0"     /* "open gate 14" */
#define CIPHERTEXT "kdA6d2+uZ2FmZ1Xi/A==" /* as the agency's program made it */

static const uint8_t kek[16] = {0xa0, 0xa1, 0xa2, 0xa3}; /* the agency's: nobody here has it */
static const uint8_t ciphertext[] = {0x91, 0xd0, 0x3a, 0x77, 0x6f, 0xae, 0x67,
				     0x61, 0x66, 0x67, 0x55, 0xe2, 0xfc};
static char application[64];
static uint64_t row;

static const char *topic_of(const char *of, const char *what)
{
	static char topics[4][200];
	static unsigned used;
	char *topic = topics[used++ % 4];
	snprintf(topic, sizeof topics[0], "application/%s/device/" T_OTAA_EUI "/%s", of, what);
	return topic;
}

static void find_application(void)
{
	t_int("application", 200, t_server_get("/api/v1/applications/soil"));
	json_t *record = json_loads(t_server.answer, 0, NULL);
	const char *id = json_string_value(json_object_get(record, "id"));
	snprintf(application, sizeof application, "%s", id ? id : "");
	json_decref(record);
}

static bool commands_are_up(void *ctx)
{
	(void)ctx;
	if (t_server_get("/api/v1/status") != 200)
		return false;
	json_t *status = json_loads(t_server.answer, 0, NULL);
	const char *state = json_string_value(json_object_get(json_object_get(status, "commands"), "state"));
	bool up = state && strcmp(state, "up") == 0;
	json_decref(status);
	return up;
}

static bool all_rows_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

/* The device joined, and its AppSKey came under the agency's label. */
static void joins(void)
{
	static const uint8_t app_s_key[16] = {9, 9, 9};
	static struct proto_message message;
	row++;
	memset(&message, 0, sizeof message);
	message.kind = PROTO_JOIN_EVENT;
	message.join_event = (struct net_join_event){
		.head = {.id = {{0xaa}}, .row = row, .time = {1800000000000000}},
		.session = {{0x55}},
		.join_eui = {{0, 0, 0, 0, 0, 0, 0, 1}},
		.dev_addr = {0x01ffffff},
		.region_id = "eu868",
		.app_s_key_label = "agency-parks"};
	assert_true(lw_eui64_parse(T_OTAA_EUI, &message.join_event.head.dev_eui));
	assert_int_equal(AES_WRAP_OK,
			 aes_wrap(kek, sizeof kek, app_s_key, 16, message.join_event.app_s_key_wrapped));
	t_true("join sent", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
}

static void publish(const char *of, const char *body)
{
	char text[400];
	snprintf(text, sizeof text, "{\"devEui\":\"" T_OTAA_EUI "\",\"fPort\":10,%s}", body);
	t_true("published", t_publish(t_mosquitto_port(t_server.broker), topic_of(of, "command/down"), text));
}

/* Waits for the nth message on a topic, and gives it. */
struct awaited {
	const char *topic;
	unsigned nth;
	json_t *message;
};

static bool is_there(void *ctx)
{
	struct awaited *awaited = ctx;
	unsigned seen = 0;
	for (size_t i = 0; i < t_subscriber_count(t_server.subscriber); i++) {
		if (strcmp(t_subscriber_topic(t_server.subscriber, i), awaited->topic) != 0 ||
		    ++seen < awaited->nth)
			continue;
		awaited->message = json_loads(t_subscriber_payload(t_server.subscriber, i), 0, NULL);
		return true;
	}
	return false;
}

static json_t *told(unsigned nth)
{
	struct awaited awaited = {.topic = topic_of(application, "event/log"), .nth = nth};
	t_true("told on the device's own topic", t_wait_until(is_there, &awaited, T_CEILING));
	return awaited.message;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Whether anything that any subscriber was given holds the words. */
static bool was_said(const char *words)
{
	for (size_t i = 0; i < t_subscriber_count(t_server.subscriber); i++)
		if (strstr(t_subscriber_topic(t_server.subscriber, i), "/event/") &&
		    strstr(t_subscriber_payload(t_server.subscriber, i), words))
			return true;
	return false;
}

static bool has_item(struct t_network_script *network)
{
	return t_script_seen(network)->item_count >= 1;
}

static void report_stale(const struct net_enqueue *item, uint32_t next)
{
	static struct proto_message message;
	row++;
	memset(&message, 0, sizeof message);
	message.kind = PROTO_DOWNLINK_EVENT;
	message.downlink_event = (struct net_downlink_event){
		.head = {.id = {{0x77}}, .row = row, .time = {1800000000000000}, .dev_eui = item->dev_eui},
		.item = item->item,
		.status = NET_ITEM_STALE_COUNTER,
		.cause = "stale_counter",
		.fcnt_down = next};
	t_true("reported", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
}

static void commands_for_a_held_device_come_encrypted_or_not_at_all(void **state)
{
	static const char *const in_clear[] = {
		"\"data\":\"" IN_CLEAR "\"", "\"data\":\"" IN_CLEAR "\",\"isEncrypted\":false",
		"\"data\":\"" IN_CLEAR "\",\"isEncrypted\":false,\"fCntDown\":4", "\"object\":{\"gate\":14}"};
	(void)state;
	row = 0;
	t_server_open(0, true, "", "");
	find_application();
	t_true("subscribed", t_wait_until(commands_are_up, NULL, T_CEILING));
	joins();
	unsigned logs = 0;
	for (size_t i = 0; i < ARRAY_SIZE(in_clear); i++) {
		t_row(in_clear[i]);
		publish(application, in_clear[i]);
		json_t *log = told(++logs);
		t_str("level", "ERROR", text_of(log, "level"));
		t_true("says what to do", strstr(text_of(log, "description"), "isEncrypted") != NULL &&
						  strstr(text_of(log, "description"), "--kek") != NULL);
		t_str("of the device", T_OTAA_EUI, text_of(json_object_get(log, "deviceInfo"), "devEui"));
		json_decref(log);
	}
	t_row("an encrypted one that does not say its counter");
	publish(application, "\"data\":\"" CIPHERTEXT "\",\"isEncrypted\":true");
	json_t *log = told(++logs);
	t_true("says so", strstr(text_of(log, "description"), "f_cnt_down") != NULL);
	json_decref(log);
	t_row("by another application's topic nothing is told, and nothing is taken");
	publish("00000000-0000-4000-8000-000000000000",
		"\"data\":\"" CIPHERTEXT "\",\"isEncrypted\":true,\"fCntDown\":0");
	t_row("a ciphertext");
	publish(application, "\"data\":\"" CIPHERTEXT "\",\"isEncrypted\":true,\"fCntDown\":3");
	t_true("handed over", t_script_run(t_server.network, has_item, T_CEILING));
	struct net_enqueue item = t_script_seen(t_server.network)->items[0];
	t_uint("it alone", 1, t_script_seen(t_server.network)->item_count);
	t_true("encrypted", item.encrypted);
	t_uint("under its counter", 3, item.fcnt_down);
	t_bytes("as it came", ciphertext, sizeof ciphertext, item.frm_payload, item.length);
	t_row("whose counter has passed");
	report_stale(&item, 7);
	log = told(++logs);
	t_str("code", "F_CNT_DOWN", text_of(log, "code"));
	t_str("the next", "7", text_of(json_object_get(log, "context"), "device_f_cnt_down"));
	t_str("its own", "3", text_of(json_object_get(log, "context"), "queue_item_f_cnt_down"));
	t_true("what to do", strstr(text_of(log, "description"), "under a new id") != NULL);
	json_decref(log);
	t_row("what was said to subscribers");
	t_false("holds a payload in clear", was_said(IN_CLEAR));
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(commands_for_a_held_device_come_encrypted_or_not_at_all)};
	return t_run(tests);
}
