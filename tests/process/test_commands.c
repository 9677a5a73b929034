/* Commands by MQTT to the real application server: with a real broker, and with one that the test plays where the moment
 * matters. None is lost, none becomes two. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"
#include "tests/harness/mqtt_script.h"

#include "application-server/uuid.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char application[64];

static void find_application(void)
{
	t_int("application", 200, t_server_get("/api/v1/applications/soil"));
	json_t *record = json_loads(t_server.answer, 0, NULL);
	const char *id = json_string_value(json_object_get(record, "id"));
	snprintf(application, sizeof application, "%s", id ? id : "");
	json_decref(record);
}

static const char *topic_of(const char *dev_eui, const char *what)
{
	static char topic[200];
	snprintf(topic, sizeof topic, "application/%s/device/%s/%s", application, dev_eui, what);
	return topic;
}

static const char *command_of(const char *dev_eui, unsigned number)
{
	static char text[200];
	snprintf(text, sizeof text,
		 "{\"devEui\":\"%s\",\"fPort\":10,\"confirmed\":true,\"data\":\"%c%c%c%c\"}", dev_eui,
		 'A' + (char)(number / 676 % 26), 'A' + (char)(number / 26 % 26), 'A' + (char)(number % 26),
		 'A');
	return text;
}

/* --- one command, end to end ------------------------------------------------------------------------------------ */

static bool has_item(struct t_network_script *network)
{
	return t_script_seen(network)->item_count >= 1;
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

static uint64_t row;

static void report(const struct net_enqueue *item, enum net_item_status status, uint8_t tries)
{
	static struct proto_message message;
	row++;
	memset(&message, 0, sizeof message);
	message.kind = PROTO_DOWNLINK_EVENT;
	message.downlink_event = (struct net_downlink_event){
		.head = {.id = {{0x77}}, .row = row, .time = {1800000000000000}, .dev_eui = item->dev_eui},
		.item = item->item,
		.status = status,
		.fcnt_down = 4,
		.tries = tries,
		.gateway = {{1, 2, 3, 4, 5, 6, 7, 9}}};
	message.downlink_event.head.id.bytes[15] = (uint8_t)row;
	t_true("reported", t_script_send(t_server.network, &message));
}

static bool all_rows_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

static json_t *message_with(const char *topic, size_t from)
{
	for (size_t i = from; i < t_subscriber_count(t_server.subscriber); i++)
		if (strcmp(t_subscriber_topic(t_server.subscriber, i), topic) == 0)
			return json_loads(t_subscriber_payload(t_server.subscriber, i), 0, NULL);
	return NULL;
}

static void from_a_command_to_its_acknowledgement(void **state)
{
	(void)state;
	row = 0;
	t_server_open(0, true, "", "");
	find_application();
	t_true("subscribed", t_wait_until(commands_are_up, NULL, T_CEILING));
	t_true("published", t_publish(t_mosquitto_port(t_server.broker), topic_of(T_ABP_EUI, "command/down"),
				      command_of(T_ABP_EUI, 1)));
	t_true("handed over", t_script_run(t_server.network, has_item, T_CEILING));
	struct net_enqueue item = t_script_seen(t_server.network)->items[0];
	t_uint("port", 10, item.fport);
	t_uint("length", 3, item.length);
	t_true("confirmed", item.confirmed);
	report(&item, NET_ITEM_QUEUED, 0);
	report(&item, NET_ITEM_PLANNED, 1);
	report(&item, NET_ITEM_SENT, 1);
	report(&item, NET_ITEM_ACKNOWLEDGED, 1);
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
	t_true("told", t_subscriber_wait(t_server.subscriber, 3, T_CEILING));
	char id[AS_UUID_TEXT];
	as_uuid_format(id, &item.item);
	json_t *sent = message_with(topic_of(T_ABP_EUI, "event/txack"), 0);
	t_str("txack", id, json_string_value(json_object_get(sent, "queueItemId")));
	json_decref(sent);
	json_t *acknowledged = message_with(topic_of(T_ABP_EUI, "event/ack"), 0);
	t_str("ack", id, json_string_value(json_object_get(acknowledged, "queueItemId")));
	t_true("acknowledged", json_is_true(json_object_get(acknowledged, "acknowledged")));
	json_decref(acknowledged);
	t_row("what is wrong is told, not lost without a word");
	t_true("published", t_publish(t_mosquitto_port(t_server.broker), topic_of(T_ABP_EUI, "command/down"),
				      "{\"devEui\":\"" T_ABP_EUI "\",\"fPort\":0}"));
	t_true("told", t_subscriber_wait(t_server.subscriber, 5, T_CEILING));
	json_t *log = message_with(topic_of(T_ABP_EUI, "event/log"), 0);
	t_str("code", "UNKNOWN", json_string_value(json_object_get(log, "code")));
	json_decref(log);
	t_server_close();
}

/* --- kept while nobody is there ----------------------------------------------------------------------------------- */

static bool has_three(struct t_network_script *network)
{
	return t_script_seen(network)->item_count >= 3;
}

static void commands_sent_while_the_server_is_away_come(void **state)
{
	(void)state;
	t_server_open(0, true, "", "");
	find_application();
	t_true("subscribed", t_wait_until(commands_are_up, NULL, T_CEILING));
	t_server_kill();
	for (unsigned i = 1; i <= 3; i++)
		t_true("published", t_publish(t_mosquitto_port(t_server.broker),
					      topic_of(T_ABP_EUI, "command/down"), command_of(T_ABP_EUI, i)));
	t_server_start();
	t_true("handed over", t_script_run(t_server.network, has_three, T_CEILING));
	t_uint("each once", 3, t_script_seen(t_server.network)->item_count);
	t_server_close();
}

/* --- the moment between ------------------------------------------------------------------------------------------- */

static size_t items_of(const char *dev_eui)
{
	char target[100];
	snprintf(target, sizeof target, "/api/v1/devices/%s/downlinks?limit=1000", dev_eui);
	t_int("list", 200, t_server_get(target));
	json_t *page = json_loads(t_server.answer, 0, NULL);
	size_t count = json_array_size(json_object_get(page, "items"));
	json_decref(page);
	return count;
}

static unsigned pubacks_wanted;

static bool acknowledged(struct t_mqtt_script *broker)
{
	return t_mqtt_script_pubacks(broker) >= pubacks_wanted;
}

static bool unsubscribed(struct t_mqtt_script *broker)
{
	return !t_mqtt_script_subscribed(broker);
}

/* While another holds city.db nothing can be made durable: so nothing may be acknowledged. */
static void no_command_is_acknowledged_before_it_is_durable(void **state)
{
	(void)state;
	char path[T_DIR_MAX + 16];
	sqlite3 *db = NULL;
	struct t_mqtt_script *broker = t_mqtt_script_open();
	t_server_open(t_mqtt_script_port(broker), false, "", "");
	find_application();
	t_true("subscribed", t_mqtt_script_run(broker, t_mqtt_script_subscribed, T_CEILING));
	t_true("a session that is kept, QoS 1", t_mqtt_script_keeps_session(broker));
	snprintf(path, sizeof path, "%s/city.db", t_server.dir);
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	t_true("delivered", t_mqtt_script_deliver(broker, topic_of(T_ABP_EUI, "command/down"),
						  command_of(T_ABP_EUI, 1), 7, false));
	pubacks_wanted = 1;
	t_false("no PUBACK while the store cannot commit", t_mqtt_script_run(broker, acknowledged, 0.5));
	t_server_kill();
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
	sqlite3_close(db);
	t_true("gone", t_mqtt_script_run(broker, unsubscribed, T_CEILING));
	t_row("killed before the commit: the broker delivers again, and it is there");
	t_server_start();
	t_uint("not there", 0, items_of(T_ABP_EUI));
	t_true("subscribed", t_mqtt_script_run(broker, t_mqtt_script_subscribed, T_CEILING));
	t_mqtt_script_deliver(broker, topic_of(T_ABP_EUI, "command/down"), command_of(T_ABP_EUI, 1), 7, true);
	t_true("acknowledged", t_mqtt_script_run(broker, acknowledged, T_CEILING));
	t_uint("under its id", 7, t_mqtt_script_last_mid(broker));
	t_uint("there, once", 1, items_of(T_ABP_EUI));
	t_row("killed behind the commit: the broker delivers again, and it stays one");
	t_server_kill();
	t_true("gone", t_mqtt_script_run(broker, unsubscribed, T_CEILING));
	t_server_start();
	t_true("subscribed", t_mqtt_script_run(broker, t_mqtt_script_subscribed, T_CEILING));
	t_mqtt_script_deliver(broker, topic_of(T_ABP_EUI, "command/down"), command_of(T_ABP_EUI, 1), 7, true);
	pubacks_wanted = 2;
	t_true("acknowledged", t_mqtt_script_run(broker, acknowledged, T_CEILING));
	t_uint("one", 1, items_of(T_ABP_EUI));
	t_row("cut, and delivered again on the next connection");
	t_mqtt_script_cut(broker);
	t_true("subscribed", t_mqtt_script_run(broker, t_mqtt_script_subscribed, T_CEILING));
	t_mqtt_script_deliver(broker, topic_of(T_ABP_EUI, "command/down"), command_of(T_ABP_EUI, 1), 7, true);
	pubacks_wanted = 3;
	t_true("acknowledged", t_mqtt_script_run(broker, acknowledged, T_CEILING));
	t_uint("one", 1, items_of(T_ABP_EUI));
	t_row("the same bytes as a new message are a new command");
	t_mqtt_script_deliver(broker, topic_of(T_ABP_EUI, "command/down"), command_of(T_ABP_EUI, 1), 8,
			      false);
	pubacks_wanted = 4;
	t_true("acknowledged", t_mqtt_script_run(broker, acknowledged, T_CEILING));
	t_uint("two", 2, items_of(T_ABP_EUI));
	t_server_close();
	t_mqtt_script_free(broker);
}

/* --- kill -9, again and again --------------------------------------------------------------------------------------- */

#define DEVICES  12
#define COMMANDS 300
#define KILLS    12

static const char *eui_of(unsigned device)
{
	static char eui[17];
	snprintf(eui, sizeof eui, "70b3d57ed00000%02x", device);
	return eui;
}

static bool has_all(struct t_network_script *network)
{
	return t_script_seen(network)->item_count >= COMMANDS;
}

/* Every command has other bytes: as many items as commands, and no payload twice. */
static void none_lost_none_doubled_under_kills(void **state)
{
	(void)state;
	t_server_open(0, true, "", "");
	find_application();
	for (unsigned i = 0; i < DEVICES; i++) {
		char body[300];
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"%s\",\"name\":\"n\",\"application\":\"soil\",\"profile\":\"probe\"}",
			 eui_of(i));
		t_int("device", 201, t_server_post("/api/v1/devices", body));
	}
	t_true("subscribed", t_wait_until(commands_are_up, NULL, T_CEILING));
	srandom(11);
	for (unsigned i = 0; i < COMMANDS; i++) {
		const char *eui = eui_of(i % DEVICES);
		char topic[200];
		snprintf(topic, sizeof topic, "%s", topic_of(eui, "command/down"));
		t_true("published", t_publish(t_mosquitto_port(t_server.broker), topic, command_of(eui, i)));
		if (i % (COMMANDS / KILLS) == (unsigned)random() % 3) {
			t_server_kill();
			t_server_start();
		}
	}
	t_true("all handed over", t_script_run(t_server.network, has_all, 2 * T_CEILING));
	json_t *payloads = json_object();
	size_t items = 0;
	for (unsigned i = 0; i < DEVICES; i++) {
		char target[100];
		size_t index;
		json_t *item;
		snprintf(target, sizeof target, "/api/v1/devices/%s/downlinks?limit=1000", eui_of(i));
		t_int("list", 200, t_server_get(target));
		json_t *page = json_loads(t_server.answer, 0, NULL);
		json_array_foreach(json_object_get(page, "items"), index, item)
		{
			items++;
			json_object_set_new(payloads, json_string_value(json_object_get(item, "data")),
					    json_true());
		}
		json_decref(page);
	}
	t_uint("none doubled", COMMANDS, items);
	t_uint("none lost", COMMANDS, json_object_size(payloads));
	json_decref(payloads);
	t_server_close();
}

/* --- the network server comes and goes -------------------------------------------------------------------------------- */

static unsigned enqueues_wanted, flushes_wanted;

static bool has_enqueues(struct t_network_script *network)
{
	return t_script_seen(network)->enqueued >= enqueues_wanted;
}

static bool has_flushes(struct t_network_script *network)
{
	return t_script_seen(network)->flushed >= flushes_wanted;
}

/* What waits is handed over on every connection, what was on the air is not, what is to be dropped is asked for again. */
static void what_is_handed_over_after_a_restart(void **state)
{
	(void)state;
	row = 0;
	t_server_open(0, false, "", "");
	for (unsigned i = 0; i < 4; i++)
		t_int("sent", 202,
		      t_server_post("/api/v1/devices/" T_ABP_EUI "/downlinks",
				    "{\"f_port\":5,\"data\":\"AQ==\",\"confirmed\":true,\"priority\":3,\"ttl_"
				    "s\":600}"));
	enqueues_wanted = 4;
	t_true("handed over", t_script_run(t_server.network, has_enqueues, T_CEILING));
	const struct t_script_seen *seen = t_script_seen(t_server.network);
	t_uint("priority", 3, seen->enqueue.priority);
	t_true("expiry", seen->enqueue.expires.us > 0);
	report(&seen->items[1], NET_ITEM_PLANNED, 1);
	report(&seen->items[2], NET_ITEM_SENT, 1);
	report(&seen->items[3], NET_ITEM_FAILED, 1);
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
	char target[120], id[AS_UUID_TEXT], text[200];
	as_uuid_format(id, &seen->items[0].item);
	snprintf(target, sizeof target, "/api/v1/devices/" T_ABP_EUI "/downlinks/%s", id);
	t_int("flush", 0,
	      t_server_cli(text, sizeof text,
			   (const char *const[]){"downlink", "flush", T_ABP_EUI, "--id", id, NULL}));
	flushes_wanted = 1;
	t_true("asked for", t_script_run(t_server.network, has_flushes, T_CEILING));
	t_bytes("that one", seen->items[0].item.bytes, 16, seen->flush.item.bytes, 16);
	t_server_kill();
	t_server_start();
	enqueues_wanted = 6;
	flushes_wanted = 2;
	t_true("those that wait", t_script_run(t_server.network, has_enqueues, T_CEILING));
	t_true("and what is to be dropped", t_script_run(t_server.network, has_flushes, T_CEILING));
	t_uint("no item more", 4, seen->item_count);
	t_uint("not what was on the air", 6, seen->enqueued);
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(from_a_command_to_its_acknowledgement),
		t_test(commands_sent_while_the_server_is_away_come),
		t_test(no_command_is_acknowledged_before_it_is_durable),
		t_test(none_lost_none_doubled_under_kills),
		t_test(what_is_handed_over_after_a_restart),
	};
	return t_run(tests);
}
