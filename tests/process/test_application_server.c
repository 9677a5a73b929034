/* The real application server between a scripted network server and a real broker. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/cipher.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- one reading, end to end -------------------------------------------------------------------------------- */

static bool has_sealed(struct t_network_script *network)
{
	return t_script_seen(network)->sealed_count >= 1;
}

static bool has_item(struct t_network_script *network)
{
	return t_script_seen(network)->enqueued >= 1;
}

static bool stored_three(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= 3;
}

static json_t *message_json(size_t index)
{
	json_t *json = json_loads(t_subscriber_payload(t_server.subscriber, index), 0, NULL);
	assert_non_null(json);
	return json;
}

static void from_registration_to_a_subscriber(void **state)
{
	static struct proto_message message;
	(void)state;
	t_server_open(0, true, "", "");
	const struct t_script_seen *seen = t_script_seen(t_server.network);
	t_uint("profile", 1, seen->profiles);
	t_uint("gateway", 1, seen->gateways);
	t_true("a full run for a network server that knows nothing", seen->full_runs >= 1);

	struct lw_key session_key = {{9, 9, 9}};
	message = (struct proto_message){.kind = PROTO_JOIN_EVENT};
	message.join_event = (struct net_join_event){
		.head = {.id = {{0xaa}}, .row = 1, .time = {1800000000000000}},
		.session = {{0x55}},
		.dev_addr = {0x01ffffff},
		.region_id = "eu868",
		.app_s_key_label = "application"};
	assert_true(lw_eui64_parse(T_OTAA_EUI, &message.join_event.head.dev_eui));
	assert_int_equal(AES_WRAP_OK, aes_wrap(t_server.kek, sizeof t_server.kek, session_key.bytes, 16,
					       message.join_event.app_s_key_wrapped));
	t_true("join sent", t_script_send(t_server.network, &message));
	message = (struct proto_message){.kind = PROTO_UP_EVENT};
	message.up_event = t_script_event(2, &session_key, T_OTAA_EUI, 0x01ffffff);
	message.up_event.session = (struct net_session_id){{0x55}};
	t_true("uplink sent", t_script_send(t_server.network, &message));
	t_true("the same again", t_script_send(t_server.network, &message));
	message.up_event = t_script_event(3, &t_server_app_s_key, "ffffffffffffff01", 0x01ffffff);
	t_true("of a device that nobody knows", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, stored_three, T_CEILING));
	t_true("delivered", t_subscriber_wait(t_server.subscriber, 2, T_CEILING));

	json_t *join = message_json(0), *up = message_json(1);
	const char *topic = t_subscriber_topic(t_server.subscriber, 1);
	t_true("topic of the join",
	       strstr(t_subscriber_topic(t_server.subscriber, 0), "/event/join") != NULL);
	t_true("topic", strncmp(topic, "application/", 12) == 0);
	t_str("rest of the topic", "/device/" T_OTAA_EUI "/event/up", topic + 12 + 36);
	t_str("address", "01ffffff", json_string_value(json_object_get(join, "devAddr")));
	t_str("data", "AAI=", json_string_value(json_object_get(up, "data")));
	t_true("decoded", json_number_value(json_object_get(json_object_get(up, "object"), "count")) == 2);
	const json_t *reception = json_array_get(json_object_get(up, "rxInfo"), 0);
	t_true("snr at 0 dB", json_is_real(json_object_get(reception, "snr")));
	t_true("the gateway's place", json_number_value(json_object_get(
					      json_object_get(reception, "location"), "latitude")) == 50.5);
	json_decref(join);
	json_decref(up);

	t_int("readings", 200, t_server_get("/api/v1/devices/" T_OTAA_EUI "/readings"));
	json_t *readings = json_loads(t_server.answer, 0, NULL);
	t_uint("one reading", 1, json_array_size(json_object_get(readings, "items")));
	json_decref(readings);

	t_int("downlink", 202,
	      t_server_post("/api/v1/devices/" T_OTAA_EUI "/downlinks", "{\"f_port\":7,\"data\":\"AQID\"}"));
	t_true("handed over", t_script_run(t_server.network, has_item, T_CEILING));
	t_uint("port", 7, seen->enqueue.fport);
	t_uint("length", 3, seen->enqueue.length);
	message = (struct proto_message){.kind = PROTO_SEAL};
	message.seal = (struct net_seal){.item = seen->enqueue.item,
					 .dev_eui = seen->enqueue.dev_eui,
					 .session = {{0x55}},
					 .dev_addr = {0x01ffffff},
					 .fcnt_down = 12};
	t_true("asked", t_script_send(t_server.network, &message));
	t_true("answered", t_script_run(t_server.network, has_sealed, T_CEILING));
	t_true("sealed", seen->sealed.ok);
	uint8_t plain[3] = {0};
	struct aes *aes = aes_new();
	if (t_uint("sealed length", 3, seen->sealed.frm_payload_length))
		lw_cipher_frm_payload(aes, &session_key, LW_DOWN, message.seal.dev_addr, 12,
				      seen->sealed.frm_payload, 3, plain);
	aes_free(aes);
	t_bytes("what the device reads", (const uint8_t[]){1, 2, 3}, 3, plain, 3);
	t_uint("no message more", 2, t_subscriber_count(t_server.subscriber));
	t_server_close();
}

/* --- nothing lost, nothing out of order --------------------------------------------------------------------- */

/* Checks that the subscriber got 1 .. count in order; repeats of what was not acknowledged are allowed. */
static void check_series(uint64_t count)
{
	uint64_t next = 1;
	size_t messages = t_subscriber_count(t_server.subscriber);
	for (size_t i = 0; i < messages; i++) {
		json_t *json = message_json(i);
		uint64_t number = (uint64_t)json_integer_value(json_object_get(json, "fCnt")) + 1;
		json_decref(json);
		if (number == next)
			next++;
		else if (number > next) {
			t_uint("next in order", next, number);
			break;
		}
	}
	t_uint("all", count + 1, next);
}

static uint64_t distinct_wanted;

static bool has_last(void *ctx)
{
	(void)ctx;
	size_t messages = t_subscriber_count(t_server.subscriber);
	if (messages == 0)
		return false;
	json_t *json = message_json(messages - 1);
	bool last = (uint64_t)json_integer_value(json_object_get(json, "fCnt")) + 1 == distinct_wanted;
	json_decref(json);
	return last;
}

static void broker_and_server_gone_with_a_thousand_waiting(void **state)
{
	(void)state;
	t_server_open(0, true, "", "");
	t_mosquitto_stop(t_server.broker);
	t_script_series(t_server.network, 1000, &t_server_app_s_key, T_ABP_EUI, T_ABP_ADDR);
	t_true("all stored without a broker", t_script_run(t_server.network, t_script_all_stored, T_CEILING));
	t_server_kill();
	t_mosquitto_resume(t_server.broker);
	t_server_start();
	distinct_wanted = 1000;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(1000);
	t_uint("each once", 1000, t_subscriber_count(t_server.subscriber));
	t_server_close();
}

static bool nothing_waits(void *ctx)
{
	(void)ctx;
	return t_metric(t_server.admin, "lamppost_application_mqtt_backlog") == 0;
}

static void at_most_once_where_the_configuration_says_so(void **state)
{
	(void)state;
	t_server_open(0, true, ", qos: 0", "");
	t_script_series(t_server.network, 1500, &t_server_app_s_key, T_ABP_EUI, T_ABP_ADDR);
	t_true("all stored", t_script_run(t_server.network, t_script_all_stored, T_CEILING));
	distinct_wanted = 1500;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(1500);
	t_uint("each once", 1500, t_subscriber_count(t_server.subscriber));
	t_true("nothing waits", t_wait_until(nothing_waits, NULL, T_CEILING));
	t_server_close();
}

static uint64_t stop_at;

static bool reached(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= stop_at;
}

static void killed_ten_times_under_traffic(void **state)
{
	(void)state;
	t_server_open(0, true, "", "");
	srandom(7);
	t_script_series(t_server.network, 3000, &t_server_app_s_key, T_ABP_EUI, T_ABP_ADDR);
	for (int i = 1; i <= 10; i++) {
		stop_at = (uint64_t)(i * 250 + random() % 100);
		t_true("progress", t_script_run(t_server.network, reached, T_CEILING));
		t_server_kill();
		t_server_start();
	}
	t_true("all stored", t_script_run(t_server.network, t_script_all_stored, T_CEILING));
	distinct_wanted = 3000;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(3000);
	t_int("readings", 200, t_server_get("/api/v1/devices/" T_ABP_EUI "/readings?limit=1000"));
	json_t *page = json_loads(t_server.answer, 0, NULL);
	json_decref(page);
	t_server_close();
}

static void works_without_any_broker(void **state)
{
	(void)state;
	t_server_open(0, false, "", "");
	t_script_series(t_server.network, 20, &t_server_app_s_key, T_ABP_EUI, T_ABP_ADDR);
	t_true("stored", t_script_run(t_server.network, t_script_all_stored, T_CEILING));
	t_int("readings", 200, t_server_get("/api/v1/devices/" T_ABP_EUI "/readings"));
	json_t *page = json_loads(t_server.answer, 0, NULL);
	t_uint("all of them", 20, json_array_size(json_object_get(page, "items")));
	t_int("newest first", 19,
	      json_integer_value(json_object_get(json_array_get(json_object_get(page, "items"), 0), "fCnt")));
	json_decref(page);
	t_int("status", 200, t_server_get("/api/v1/status"));
	json_t *status = json_loads(t_server.answer, 0, NULL);
	t_str("mqtt", "off", json_string_value(json_object_get(json_object_get(status, "mqtt"), "state")));
	json_decref(status);
	t_server_close();
}

/* --- streams, as the command line reads them ---------------------------------------------------------------- */

#define KEPT 1000

static json_t *line_json(const char **text)
{
	size_t length = strcspn(*text, "\n");
	json_t *line = json_loadb(*text, length, 0, NULL);
	*text += length + ((*text)[length] == '\n');
	return line;
}

static bool old_ones_are_gone(void *ctx)
{
	(void)ctx;
	return t_metric(t_server.admin, "lamppost_application_events_kept") == KEPT;
}

static long long member(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

/* A reader of the stream and the broker, both behind what is kept, are told what they missed, and then go on in order. */
static void consumers_behind_retention_are_told_of_the_gap(void **state)
{
	static char text[64 * 1024];
	(void)state;
	t_server_open(0, true, "", "  events_kept: 1000\n");
	t_mosquitto_stop(t_server.broker);
	t_script_series(t_server.network, 2500, &t_server_app_s_key, T_ABP_EUI, T_ABP_ADDR);
	t_true("all stored", t_script_run(t_server.network, t_script_all_stored, T_CEILING));
	t_true("the oldest are pruned", t_wait_until(old_ones_are_gone, NULL, T_CEILING));

	t_row("a stream that goes on after event 7");
	t_int("exit code", 0,
	      t_server_cli(text, sizeof text,
			   (const char *const[]){"events", "--follow", "--json", "--after", "7", "--count",
						 "3", NULL}));
	const char *at = text;
	json_t *gap = line_json(&at), *first = line_json(&at), *second = line_json(&at);
	const json_t *what = json_object_get(gap, "event");
	t_str("kind", "gap", json_string_value(json_object_get(gap, "kind")));
	t_int("from", 8, member(what, "from"));
	t_int("to", 1500, member(what, "to"));
	t_int("count", 1493, member(what, "count"));
	t_str("goes on with", "1501", json_string_value(json_object_get(first, "id")));
	t_int("its uplink", 1500, member(json_object_get(first, "event"), "fCnt"));
	t_str("and", "1502", json_string_value(json_object_get(second, "id")));
	json_decref(gap);
	json_decref(first);
	json_decref(second);

	t_row("a stream that goes on after event 2450 misses nothing");
	t_int("exit code", 0,
	      t_server_cli(text, sizeof text,
			   (const char *const[]){"events", "--follow", "--json", "--after", "2450", "--count",
						 "50", NULL}));
	at = text;
	for (int i = 0; i < 50; i++) {
		json_t *line = line_json(&at);
		if (!t_int("in order", 2450 + i, member(json_object_get(line, "event"), "fCnt")))
			i = 50;
		json_decref(line);
	}

	t_row("a stream that goes on after what is not yet is refused");
	t_int("exit code", 4,
	      t_server_cli(text, sizeof text,
			   (const char *const[]){"events", "--follow", "--after", "2501", NULL}));

	t_row("the broker");
	t_mosquitto_resume(t_server.broker);
	t_true("delivered", t_subscriber_wait(t_server.subscriber, 1 + KEPT, T_CEILING));
	t_str("topic", "lamppost/event/gap", t_subscriber_topic(t_server.subscriber, 0));
	gap = message_json(0);
	t_int("from", 1, member(gap, "from"));
	t_int("to", 1500, member(gap, "to"));
	t_int("count", 1500, member(gap, "count"));
	json_decref(gap);
	for (size_t i = 1; i <= KEPT; i++) {
		json_t *event = message_json(i);
		if (!t_int("in order", 1499 + (long long)i, member(event, "fCnt")))
			i = KEPT;
		json_decref(event);
	}
	t_row("readings are kept by age, not by the number of events");
	t_int("readings", 200, t_server_get("/api/v1/devices/" T_ABP_EUI "/readings?limit=1&after=2"));
	json_t *page = json_loads(t_server.answer, 0, NULL);
	t_int("the first", 0, member(json_array_get(json_object_get(page, "items"), 0), "fCnt"));
	json_decref(page);
	t_server_close();
}

/* People read slugs. */
static void tables_show_slugs(void **state)
{
	static char text[16 * 1024];
	(void)state;
	t_server_open(0, false, "", "");
	t_int("list", 0, t_server_cli(text, sizeof text, (const char *const[]){"device", "list", NULL}));
	t_true("application", strstr(text, " soil ") != NULL);
	t_true("profile", strstr(text, " probe ") != NULL);
	t_int("show", 0,
	      t_server_cli(text, sizeof text, (const char *const[]){"device", "show", T_ABP_EUI, NULL}));
	t_true("agency", strstr(text, "parks") != NULL);
	t_true("deployment", strstr(text, "unassigned") != NULL);
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(from_registration_to_a_subscriber),
		t_test(broker_and_server_gone_with_a_thousand_waiting),
		t_test(at_most_once_where_the_configuration_says_so),
		t_test(killed_ten_times_under_traffic),
		t_test(works_without_any_broker),
		t_test(consumers_behind_retention_are_told_of_the_gap),
		t_test(tables_show_slugs),
	};
	return t_run(tests);
}
