/* The real application server between a scripted network server and a real broker. */
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/network_script.h"
#include "tests/harness/process.h"

#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/cipher.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEV_EUI  "0102030405060708"
#define OTAA_EUI "0102030405060777"
#define DEV_ADDR 0x01020304
#define APP_KEY  "00112233445566778899aabbccddeeff"

static const struct lw_key app_s_key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

struct world {
	char dir[T_DIR_MAX], run[T_DIR_MAX + 8], socket[T_DIR_MAX + 32], admin[T_DIR_MAX + 64],
		config[T_DIR_MAX + 32];
	struct secret_box *box, *join_box;
	uint8_t kek[16];
	struct t_mosquitto *broker;
	struct t_subscriber *subscriber;
	struct t_process *server;
	struct t_network_script *network;
	char answer[65536];
};

static struct world world;

/* --- the world ---------------------------------------------------------------------------------------------- */

static void write_key(const char *name, const uint8_t *bytes, size_t size)
{
	char path[200];
	snprintf(path, sizeof path, "%s/keys/%s", world.dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(size, fwrite(bytes, 1, size, out));
	fclose(out);
	assert_int_equal(0, chmod(path, 0600));
}

static void write_public(const char *process, const struct secret_box *box)
{
	char path[200], text[2 * SECRET_KEY + 2];
	snprintf(path, sizeof path, "%s/keys/%s.box.pub", world.dir, process);
	hex_encode(text, secret_box_public(box), SECRET_KEY);
	t_write_file(path, text);
}

static void make_keys(void)
{
	uint8_t master[SECRET_KEY];
	char path[200];
	assert_int_equal(ST_OK, secret_init());
	snprintf(path, sizeof path, "%s/keys", world.dir);
	assert_int_equal(0, mkdir(path, 0700));
	world.box = secret_box_generate();
	world.join_box = secret_box_generate();
	secret_random(master, sizeof master);
	secret_random(world.kek, sizeof world.kek);
	write_key("application-server.master", master, sizeof master);
	write_key("application-server.box", secret_box_secret(world.box), SECRET_KEY);
	write_key("kek-application.application-server", world.kek, sizeof world.kek);
	write_public("application-server", world.box);
	write_public("join-server", world.join_box);
}

static void start_server(void)
{
	world.server = t_process_start(&(struct t_process_options){
		.program = "application-server", .arguments = {"-c", world.config}, .dir = world.dir});
	if (!t_wait_until(t_is_healthy, world.admin, T_CEILING)) {
		char log[4000];
		fprintf(stderr, "%s\n", t_process_log(world.server, log, sizeof log));
		fail_msg("the application server is not healthy");
	}
}

static void kill_server(void)
{
	t_process_kill(world.server);
	t_process_free(world.server);
}

static int post(const char *path, const char *body)
{
	return t_unix_post(world.socket, path, body, world.answer, sizeof world.answer);
}

static int get(const char *path)
{
	return t_unix_get(world.socket, path, world.answer, sizeof world.answer);
}

static const char *seal(char text[128], const struct secret_box *box, enum sealed_key_kind kind,
			const char *dev_eui, const struct lw_key *key)
{
	uint8_t sealed[SEALED_KEY_LENGTH];
	struct lw_eui64 eui;
	assert_true(lw_eui64_parse(dev_eui, &eui));
	assert_int_equal(ST_OK, sealed_key_seal(sealed, secret_box_public(box), kind, eui.bytes, key->bytes));
	base64_encode(text, sealed, sizeof sealed);
	return text;
}

static void must_post(const char *path, const char *body)
{
	if (!t_int(path, 201, post(path, body)))
		fprintf(stderr, "%s\n", world.answer);
}

static void register_all(void)
{
	char body[800], sealed[128];
	struct lw_key root;
	assert_true(lw_key_parse(APP_KEY, &root));
	must_post("/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"Parks\"}");
	must_post("/api/v1/applications", "{\"slug\":\"soil\",\"name\":\"Soil\",\"agency\":\"parks\"}");
	must_post("/api/v1/profiles",
		  "{\"slug\":\"probe\",\"name\":\"Probe\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\","
		  "\"codec\":{\"name\":"
		  "\"p\",\"fields\":[{\"fport\":2,\"offset\":0,\"width_bits\":16,\"property\":\"count\"}]}}");
	must_post("/api/v1/gateways", "{\"eui\":\"0102030405060709\",\"name\":\"Roof\",\"region\":\"eu868\","
				      "\"lat\":50.5,\"lon\":14.25}");
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"" DEV_EUI
		 "\",\"name\":\"Probe 1\",\"application\":\"soil\",\"profile\":\"probe\","
		 "\"activation\":\"abp\",\"dev_addr\":\"01020304\",\"app_s_key\":\"%s\"}",
		 seal(sealed, world.box, SEALED_APP_S_KEY, DEV_EUI, &app_s_key));
	must_post("/api/v1/devices", body);
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"" OTAA_EUI
		 "\",\"name\":\"Probe 2\",\"application\":\"soil\",\"profile\":\"probe\","
		 "\"join_eui\":\"0000000000000001\",\"app_key\":\"%s\"}",
		 seal(sealed, world.join_box, SEALED_APP_KEY, OTAA_EUI, &root));
	must_post("/api/v1/devices", body);
}

static bool has_state(struct t_network_script *network)
{
	return t_script_seen(network)->ends >= 1 && t_script_seen(network)->devices >= 2;
}

static unsigned qos = 1; /* of delivery, in the next world */

static void open_world(bool with_broker, const char *more_config)
{
	char text[1000], broker[100] = "{}";
	memset(&world, 0, sizeof world);
	t_temp_dir(world.dir);
	snprintf(world.run, sizeof world.run, "%s/run", world.dir);
	snprintf(world.socket, sizeof world.socket, "%s/city.sock", world.run);
	snprintf(world.admin, sizeof world.admin, "%s/application-server.admin.sock", world.run);
	snprintf(world.config, sizeof world.config, "%s/lamppost.yaml", world.dir);
	make_keys();
	assert_int_equal(0, mkdir(world.run, 0700));
	if (with_broker) {
		world.broker = t_mosquitto_start(world.dir, 0);
		world.subscriber = t_subscribe(t_mosquitto_port(world.broker), "agency", "#");
		snprintf(broker, sizeof broker, "{host: \"127.0.0.1\", port: %u, qos: %u}",
			 t_mosquitto_port(world.broker), qos);
	}
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s\"\napplication-server:\n  mqtt: %s\n%s",
		 world.dir, world.run, broker, more_config);
	t_write_file(world.config, text);
	world.network = t_script_open(world.run);
	start_server();
	register_all();
	if (!t_true("desired state", t_script_run(world.network, has_state, T_CEILING)))
		fail_msg("no desired state");
}

static void close_world(void)
{
	if (world.server) {
		t_int("orderly stop", 0, t_process_stop(world.server));
		t_process_free(world.server);
	}
	t_script_free(world.network);
	t_subscriber_free(world.subscriber);
	t_mosquitto_free(world.broker);
	secret_box_free(world.box);
	secret_box_free(world.join_box);
	t_temp_dir_remove(world.dir);
}

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
	json_t *json = json_loads(t_subscriber_payload(world.subscriber, index), 0, NULL);
	assert_non_null(json);
	return json;
}

static void from_registration_to_a_subscriber(void **state)
{
	static struct proto_message message;
	(void)state;
	open_world(true, "");
	const struct t_script_seen *seen = t_script_seen(world.network);
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
	assert_true(lw_eui64_parse(OTAA_EUI, &message.join_event.head.dev_eui));
	assert_int_equal(AES_WRAP_OK, aes_wrap(world.kek, sizeof world.kek, session_key.bytes, 16,
					       message.join_event.app_s_key_wrapped));
	t_true("join sent", t_script_send(world.network, &message));
	message = (struct proto_message){.kind = PROTO_UP_EVENT};
	message.up_event = t_script_event(2, &session_key, OTAA_EUI, 0x01ffffff);
	message.up_event.session = (struct net_session_id){{0x55}};
	t_true("uplink sent", t_script_send(world.network, &message));
	t_true("the same again", t_script_send(world.network, &message));
	message.up_event = t_script_event(3, &app_s_key, "ffffffffffffff01", 0x01ffffff);
	t_true("of a device that nobody knows", t_script_send(world.network, &message));
	t_true("stored", t_script_run(world.network, stored_three, T_CEILING));
	t_true("delivered", t_subscriber_wait(world.subscriber, 2, T_CEILING));

	json_t *join = message_json(0), *up = message_json(1);
	const char *topic = t_subscriber_topic(world.subscriber, 1);
	t_true("topic of the join", strstr(t_subscriber_topic(world.subscriber, 0), "/event/join") != NULL);
	t_true("topic", strncmp(topic, "application/", 12) == 0);
	t_str("rest of the topic", "/device/" OTAA_EUI "/event/up", topic + 12 + 36);
	t_str("address", "01ffffff", json_string_value(json_object_get(join, "devAddr")));
	t_str("data", "AAI=", json_string_value(json_object_get(up, "data")));
	t_true("decoded", json_number_value(json_object_get(json_object_get(up, "object"), "count")) == 2);
	const json_t *reception = json_array_get(json_object_get(up, "rxInfo"), 0);
	t_true("snr at 0 dB", json_is_real(json_object_get(reception, "snr")));
	t_true("the gateway's place", json_number_value(json_object_get(
					      json_object_get(reception, "location"), "latitude")) == 50.5);
	json_decref(join);
	json_decref(up);

	t_int("readings", 200, get("/api/v1/devices/" OTAA_EUI "/readings"));
	json_t *readings = json_loads(world.answer, 0, NULL);
	t_uint("one reading", 1, json_array_size(json_object_get(readings, "items")));
	json_decref(readings);

	t_int("downlink", 202,
	      post("/api/v1/devices/" OTAA_EUI "/downlinks", "{\"f_port\":7,\"data\":\"AQID\"}"));
	t_true("handed over", t_script_run(world.network, has_item, T_CEILING));
	t_uint("port", 7, seen->enqueue.fport);
	t_uint("length", 3, seen->enqueue.length);
	message = (struct proto_message){.kind = PROTO_SEAL};
	message.seal = (struct net_seal){.item = seen->enqueue.item,
					 .dev_eui = seen->enqueue.dev_eui,
					 .session = {{0x55}},
					 .dev_addr = {0x01ffffff},
					 .fcnt_down = 12};
	t_true("asked", t_script_send(world.network, &message));
	t_true("answered", t_script_run(world.network, has_sealed, T_CEILING));
	t_true("sealed", seen->sealed.ok);
	uint8_t plain[3] = {0};
	struct aes *aes = aes_new();
	if (t_uint("sealed length", 3, seen->sealed.frm_payload_length))
		lw_cipher_frm_payload(aes, &session_key, LW_DOWN, message.seal.dev_addr, 12,
				      seen->sealed.frm_payload, 3, plain);
	aes_free(aes);
	t_bytes("what the device reads", (const uint8_t[]){1, 2, 3}, 3, plain, 3);
	t_uint("no message more", 2, t_subscriber_count(world.subscriber));
	close_world();
}

/* --- nothing lost, nothing out of order --------------------------------------------------------------------- */

/* Checks that the subscriber got 1 .. count in order; repeats of what was not acknowledged are allowed. */
static void check_series(uint64_t count)
{
	uint64_t next = 1;
	size_t messages = t_subscriber_count(world.subscriber);
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
	size_t messages = t_subscriber_count(world.subscriber);
	if (messages == 0)
		return false;
	json_t *json = message_json(messages - 1);
	bool last = (uint64_t)json_integer_value(json_object_get(json, "fCnt")) + 1 == distinct_wanted;
	json_decref(json);
	return last;
}

static bool nothing_waits(void *ctx)
{
	(void)ctx;
	return t_metric(world.admin, "lamppost_application_mqtt_backlog") == 0;
}

static void broker_and_server_gone_with_a_thousand_waiting(void **state)
{
	(void)state;
	open_world(true, "");
	t_mosquitto_stop(world.broker);
	t_script_series(world.network, 1000, &app_s_key, DEV_EUI, DEV_ADDR);
	t_true("all stored without a broker", t_script_run(world.network, t_script_all_stored, T_CEILING));
	kill_server();
	t_mosquitto_resume(world.broker);
	start_server();
	distinct_wanted = 1000;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(1000);
	t_uint("each once", 1000, t_subscriber_count(world.subscriber));
	close_world();
}

static void at_most_once_where_the_configuration_says_so(void **state)
{
	(void)state;
	qos = 0;
	open_world(true, "");
	qos = 1;
	t_script_series(world.network, 1500, &app_s_key, DEV_EUI, DEV_ADDR);
	t_true("all stored", t_script_run(world.network, t_script_all_stored, T_CEILING));
	distinct_wanted = 1500;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(1500);
	t_uint("each once", 1500, t_subscriber_count(world.subscriber));
	t_true("nothing waits", t_wait_until(nothing_waits, NULL, T_CEILING));
	close_world();
}

static uint64_t stop_at;

static bool reached(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= stop_at;
}

static void killed_ten_times_under_traffic(void **state)
{
	(void)state;
	open_world(true, "");
	srandom(7);
	t_script_series(world.network, 3000, &app_s_key, DEV_EUI, DEV_ADDR);
	for (int i = 1; i <= 10; i++) {
		stop_at = (uint64_t)(i * 250 + random() % 100);
		t_true("progress", t_script_run(world.network, reached, T_CEILING));
		kill_server();
		start_server();
	}
	t_true("all stored", t_script_run(world.network, t_script_all_stored, T_CEILING));
	distinct_wanted = 3000;
	t_true("delivered", t_wait_until(has_last, NULL, 2 * T_CEILING));
	check_series(3000);
	t_int("readings", 200, get("/api/v1/devices/" DEV_EUI "/readings?limit=1000"));
	json_t *page = json_loads(world.answer, 0, NULL);
	json_decref(page);
	close_world();
}

static void works_without_any_broker(void **state)
{
	(void)state;
	open_world(false, "");
	t_script_series(world.network, 20, &app_s_key, DEV_EUI, DEV_ADDR);
	t_true("stored", t_script_run(world.network, t_script_all_stored, T_CEILING));
	t_int("readings", 200, get("/api/v1/devices/" DEV_EUI "/readings"));
	json_t *page = json_loads(world.answer, 0, NULL);
	t_uint("all of them", 20, json_array_size(json_object_get(page, "items")));
	t_int("newest first", 19,
	      json_integer_value(json_object_get(json_array_get(json_object_get(page, "items"), 0), "fCnt")));
	json_decref(page);
	t_int("status", 200, get("/api/v1/status"));
	json_t *status = json_loads(world.answer, 0, NULL);
	t_str("mqtt", "off", json_string_value(json_object_get(json_object_get(status, "mqtt"), "state")));
	json_decref(status);
	close_world();
}

/* --- streams, as the command line reads them ---------------------------------------------------------------- */

#define KEPT 1000

/* Runs `lamppost` on the API; fills what it printed, and returns its exit code. */
static int lamppost(char *text, size_t capacity, const char *const *arguments)
{
	char socket[T_DIR_MAX + 64];
	struct t_process_options options = {.program = "lamppost", .dir = world.dir, .name = "cli"};
	char log[T_DIR_MAX + 16];
	snprintf(socket, sizeof socket, "LAMPPOST_SOCKET=%s", world.socket);
	options.variables[0] = socket;
	for (size_t i = 0; arguments[i]; i++)
		options.arguments[i] = arguments[i];
	snprintf(log, sizeof log, "%s/cli.log", world.dir);
	(void)remove(log);
	struct t_process *cli = t_process_start(&options);
	int code = t_process_wait(cli);
	t_process_log(cli, text, capacity);
	t_process_free(cli);
	return code;
}

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
	return t_metric(world.admin, "lamppost_application_events_kept") == KEPT;
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
	open_world(true, "  events_kept: 1000\n");
	t_mosquitto_stop(world.broker);
	t_script_series(world.network, 2500, &app_s_key, DEV_EUI, DEV_ADDR);
	t_true("all stored", t_script_run(world.network, t_script_all_stored, T_CEILING));
	t_true("the oldest are pruned", t_wait_until(old_ones_are_gone, NULL, T_CEILING));

	t_row("a stream that goes on after event 7");
	t_int("exit code", 0,
	      lamppost(text, sizeof text,
		       (const char *const[]){"events", "--follow", "--json", "--after", "7", "--count", "3",
					     NULL}));
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
	      lamppost(text, sizeof text,
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
	      lamppost(text, sizeof text,
		       (const char *const[]){"events", "--follow", "--after", "2501", NULL}));

	t_row("the broker");
	t_mosquitto_resume(world.broker);
	t_true("delivered", t_subscriber_wait(world.subscriber, 1 + KEPT, T_CEILING));
	t_str("topic", "lamppost/event/gap", t_subscriber_topic(world.subscriber, 0));
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
	t_int("readings", 200, get("/api/v1/devices/" DEV_EUI "/readings?limit=1&after=2"));
	json_t *page = json_loads(world.answer, 0, NULL);
	t_int("the first", 0, member(json_array_get(json_object_get(page, "items"), 0), "fCnt"));
	json_decref(page);
	close_world();
}

/* People read slugs. */
static void tables_show_slugs(void **state)
{
	static char text[16 * 1024];
	(void)state;
	open_world(false, "");
	t_int("list", 0, lamppost(text, sizeof text, (const char *const[]){"device", "list", NULL}));
	t_true("application", strstr(text, " soil ") != NULL);
	t_true("profile", strstr(text, " probe ") != NULL);
	t_int("show", 0, lamppost(text, sizeof text, (const char *const[]){"device", "show", DEV_EUI, NULL}));
	t_true("agency", strstr(text, "parks") != NULL);
	t_true("deployment", strstr(text, "unassigned") != NULL);
	close_world();
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
