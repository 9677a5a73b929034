/* The MQTT client on our loop with a real Mosquitto: TLS and who we are by certificate, messages, the bound on what waits, and a
 * connection that is alive and brings nothing any more. */
#include "tests/harness/certificates.h"
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include "common/io/mqtt_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct io_loop *loop;
	struct io_mqtt *mqtt;
	const char *filter;
	unsigned ups, messages;
	bool retained;
	char topic[64], text[64];
	uint64_t wanted;
};

static void on_up(void *owner, struct mosquitto *library)
{
	struct client *client = owner;
	(void)library;
	client->ups++;
	if (client->filter)
		assert_int_equal(ST_OK, io_mqtt_subscribe(client->mqtt, client->filter, 1));
}

static void on_message(void *owner, struct now now, const struct io_mqtt_message *message)
{
	struct client *client = owner;
	(void)now;
	client->messages++;
	client->retained = message->retained;
	snprintf(client->topic, sizeof client->topic, "%s", message->topic);
	snprintf(client->text, sizeof client->text, "%.*s", (int)message->length,
		 (const char *)message->bytes);
}

static enum status open_client(struct client *client, const struct io_mqtt_broker *broker, const char *filter,
			       span_us quiet)
{
	*client = (struct client){.loop = io_loop_new(NULL), .filter = filter};
	return io_mqtt_open(client->loop,
			    &(struct io_mqtt_options){
				    .broker = broker,
				    .id = "under-test",
				    .label = "mqtt",
				    .clean = true,
				    .quiet = quiet,
				    .will = {.topic = "under/test/will", .text = "gone", .qos = 1},
				    .hooks = {.on_up = on_up, .on_message = on_message, .owner = client}},
			    &client->mqtt);
}

static void close_client(struct client *client)
{
	io_mqtt_close(client->mqtt);
	io_loop_free(client->loop);
}

static bool is_subscribed(void *ctx)
{
	const struct client *client = ctx;
	return io_mqtt_is_subscribed(client->mqtt);
}

static bool has_messages(void *ctx)
{
	const struct client *client = ctx;
	return client->messages >= client->wanted;
}

static bool has_ups(void *ctx)
{
	const struct client *client = ctx;
	return client->ups >= client->wanted;
}

static bool has_failed(void *ctx)
{
	const struct client *client = ctx;
	return io_mqtt_failures(client->mqtt) >= client->wanted;
}

static bool run(struct client *client, bool (*until)(void *ctx), uint64_t wanted)
{
	client->wanted = wanted;
	return io_loop_run_until(client->loop, until, client, (span_us)(T_CEILING * 1e6));
}

/* --- tests */

static void messages_go_both_ways(void **state)
{
	(void)state;
	char dir[T_DIR_MAX];
	t_temp_dir(dir);
	struct t_mosquitto *mosquitto = t_mosquitto_start(dir, 0);
	const struct io_mqtt_broker broker = {.host = "127.0.0.1", .port = t_mosquitto_port(mosquitto)};
	struct t_subscriber *other = t_subscribe(broker.port, "other", "under/#");
	struct client client;
	t_row("before it is connected");
	assert_int_equal(ST_OK, open_client(&client, &broker, "to/+", 0));
	t_int("nothing is taken", ST_UNAVAILABLE,
	      io_mqtt_publish(client.mqtt, "under/test", (const uint8_t *)"x", 1, 0, false));
	t_true("subscribed", run(&client, is_subscribed, 1));
	t_row("out");
	t_int("taken", ST_OK,
	      io_mqtt_publish(client.mqtt, "under/test", (const uint8_t *)"hello", 5, 1, false));
	io_mqtt_flush(client.mqtt);
	t_row("in");
	t_true("published", t_publish(broker.port, "to/us", "good day"));
	t_true("came", run(&client, has_messages, 1));
	t_str("topic", "to/us", client.topic);
	t_str("text", "good day", client.text);
	t_false("not retained", client.retained);
	t_true("ours came", t_subscriber_wait(other, 1, T_CEILING));
	t_str("text", "hello", t_subscriber_payload(other, 0));
	t_row("an orderly end says no will");
	size_t before = t_subscriber_count(other);
	close_client(&client);
	t_true("published", t_publish(broker.port, "under/last", "last"));
	t_true("came", t_subscriber_wait(other, before + 1, T_CEILING));
	for (size_t i = 0; i < t_subscriber_count(other); i++)
		if (!t_true("no will", strcmp(t_subscriber_topic(other, i), "under/test/will") != 0))
			break;
	assert_int_equal(ST_OK, open_client(&client, &broker, "to/+", 0));
	t_true("subscribed", run(&client, is_subscribed, 1));
	t_row("what waits to leave is bounded");
	unsigned taken = 0;
	while (io_mqtt_publish(client.mqtt, "under/flood", (const uint8_t *)"x", 1, 1, false) == ST_OK)
		taken++;
	t_uint("as many", IO_MQTT_PENDING_MAX, taken);
	t_int("one more", ST_FULL,
	      io_mqtt_publish(client.mqtt, "under/flood", (const uint8_t *)"x", 1, 1, false));
	close_client(&client);
	t_subscriber_free(other);
	t_mosquitto_free(mosquitto);
	t_temp_dir_remove(dir);
}

static void alive_and_dumb_is_dead(void **state)
{
	(void)state;
	char dir[T_DIR_MAX];
	t_temp_dir(dir);
	struct t_mosquitto *mosquitto = t_mosquitto_start(dir, 0);
	const struct io_mqtt_broker broker = {.host = "127.0.0.1", .port = t_mosquitto_port(mosquitto)};
	struct client client;
	assert_int_equal(ST_OK, open_client(&client, &broker, "to/+", 300 * US_PER_MS));
	t_true("subscribed", run(&client, is_subscribed, 1));
	t_row("one that never spoke is let be");
	client.wanted = 1;
	bool never = io_loop_run_until(client.loop, has_failed, &client, 1500 * US_PER_MS);
	t_false("not given up", never);
	t_row("one that spoke, and does no more");
	t_true("published", t_publish(broker.port, "to/us", "good day"));
	t_true("came", run(&client, has_messages, 1));
	t_true("made anew", run(&client, has_ups, 2));
	t_uint("for that", 1, io_mqtt_quiets(client.mqtt));
	t_true("subscribed again", run(&client, is_subscribed, 1));
	t_true("published", t_publish(broker.port, "to/us", "again"));
	t_true("came", run(&client, has_messages, 2));
	t_str("text", "again", client.text);
	close_client(&client);
	t_mosquitto_free(mosquitto);
	t_temp_dir_remove(dir);
}

/* A Mosquitto that takes TLS alone, with certificates of one CA. */
static struct t_process *secure_broker(const char *dir, uint16_t port, const struct t_identity *own,
				       const char *ca)
{
	char config[T_DIR_MAX + 32], text[2048];
	snprintf(config, sizeof config, "%s/mosquitto.conf", dir);
	snprintf(text, sizeof text,
		 "listener %u 127.0.0.1\nallow_anonymous true\nrequire_certificate true\n"
		 "use_identity_as_username true\ncafile %s\ncertfile %s\nkeyfile %s\n%s",
		 port, ca, own->cert, own->key, geteuid() == 0 ? "user root\n" : "");
	t_write_file(config, text);
	return t_process_start(&(struct t_process_options){.program = "/usr/sbin/mosquitto",
							   .arguments = {"-c", config},
							   .dir = dir,
							   .name = "mosquitto"});
}

static bool accepts(void *ctx)
{
	const uint16_t *port = ctx;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bool taken = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return taken;
}

static void brokers_and_clients_prove_who_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool other_ca, no_certificate, let_in;
	} rows[] = {
		{"both prove it", false, false, true},
		{"a broker of another authority", true, false, false},
		{"without a certificate of ours", false, true, false},
	};
	static struct t_ca city, other;
	static struct t_identity server, ours;
	char dir[T_DIR_MAX];
	t_temp_dir(dir);
	uint16_t port = t_free_tcp_port();
	t_ca_make(&city, "city");
	t_ca_make(&other, "other");
	t_ca_issue(&city, X509_FOR_SERVER, "localhost", 1790000000, 86400, "broker", &server);
	t_ca_issue(&city, X509_FOR_CLIENT, "bridge", 1790000000, 86400, "bridge", &ours);
	struct t_process *mosquitto = secure_broker(dir, port, &server, city.file);
	t_true("the broker runs", t_wait_until(accepts, &port, T_CEILING));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct io_mqtt_broker broker = {.host = "127.0.0.1",
						      .port = port,
						      .tls = true,
						      .ca_file = rows[i].other_ca ? other.file : city.file,
						      .certificate_file = rows[i].no_certificate ? ""
												 : ours.cert,
						      .key_file = rows[i].no_certificate ? "" : ours.key};
		struct client client;
		t_row(rows[i].name);
		assert_int_equal(ST_OK, open_client(&client, &broker, "to/+", 0));
		if (rows[i].let_in)
			t_true("let in", run(&client, is_subscribed, 1));
		else
			t_true("given up", run(&client, has_failed, 2));
		t_int("up", rows[i].let_in, client.ups > 0);
		close_client(&client);
	}
	t_row("a file that is not there");
	struct client client = {.loop = io_loop_new(NULL)};
	const struct io_mqtt_broker broker = {
		.host = "127.0.0.1", .port = port, .ca_file = "/nowhere/ca.crt"};
	t_int("refused", ST_INVALID,
	      io_mqtt_open(client.loop,
			   &(struct io_mqtt_options){.broker = &broker, .id = "x", .label = "mqtt"},
			   &client.mqtt));
	io_loop_free(client.loop);
	(void)t_process_stop(mosquitto);
	t_process_free(mosquitto);
	t_ca_free(&city);
	t_ca_free(&other);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(messages_go_both_ways),
		t_test(alive_and_dumb_is_dead),
		t_test(brokers_and_clients_prove_who_they_are),
	};
	return t_run(tests);
}
