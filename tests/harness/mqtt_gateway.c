#include "tests/harness/mqtt_gateway.h"

#include "common/base/check.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TOPIC_ROOM 128

struct t_mqtt_gateway {
	struct mosquitto *client;
	char prefix[48], id[17];
	pthread_mutex_t lock;
	bool ready;
	unsigned commands;
	struct sim_chirpstack_down last;
	char wrong[64];
};

static void topic_of(const struct t_mqtt_gateway *gateway, char topic[TOPIC_ROOM], const char *name)
{
	snprintf(topic, TOPIC_ROOM, "%s%sgateway/%s/%s", gateway->prefix, gateway->prefix[0] ? "/" : "",
		 gateway->id, name);
}

void t_mqtt_gateway_publish(struct t_mqtt_gateway *gateway, const char *topic, const uint8_t *bytes,
			    size_t length, bool retain)
{
	ASSERT_CMP(mosquitto_publish(gateway->client, NULL, topic, (int)length, bytes, 1, retain), ==,
		   MOSQ_ERR_SUCCESS);
}

static void say_state(struct t_mqtt_gateway *gateway, bool online)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	topic_of(gateway, topic, "state/conn");
	t_mqtt_gateway_publish(gateway, topic, bytes, sim_chirpstack_write_conn(bytes, gateway->id, online),
			       true);
}

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct t_mqtt_gateway *gateway = ctx;
	char topic[TOPIC_ROOM];
	if (code != 0)
		return;
	topic_of(gateway, topic, "command/+");
	mosquitto_subscribe(client, NULL, topic, 1);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct t_mqtt_gateway *gateway = ctx;
	(void)client, (void)mid, (void)count, (void)granted;
	say_state(gateway, true);
	pthread_mutex_lock(&gateway->lock);
	gateway->ready = true;
	pthread_mutex_unlock(&gateway->lock);
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *got)
{
	struct t_mqtt_gateway *gateway = ctx;
	(void)client;
	pthread_mutex_lock(&gateway->lock);
	const char *wrong = sim_chirpstack_read_down(got->payload, (size_t)got->payloadlen, &gateway->last);
	if (wrong)
		snprintf(gateway->wrong, sizeof gateway->wrong, "%s", wrong);
	gateway->commands++;
	pthread_mutex_unlock(&gateway->lock);
}

static bool is_ready(void *ctx)
{
	struct t_mqtt_gateway *gateway = ctx;
	pthread_mutex_lock(&gateway->lock);
	bool ready = gateway->ready;
	pthread_mutex_unlock(&gateway->lock);
	return ready;
}

struct t_mqtt_gateway *t_mqtt_gateway_start(uint16_t port, const char *prefix, uint64_t eui)
{
	struct t_mqtt_gateway *gateway = calloc(1, sizeof *gateway);
	uint8_t will[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	ASSERT(gateway != NULL);
	mosquitto_lib_init();
	pthread_mutex_init(&gateway->lock, NULL);
	snprintf(gateway->prefix, sizeof gateway->prefix, "%s", prefix);
	snprintf(gateway->id, sizeof gateway->id, "%016llx", (unsigned long long)eui);
	gateway->client = mosquitto_new(NULL, true, gateway);
	ASSERT(gateway->client != NULL);
	mosquitto_connect_callback_set(gateway->client, on_connect);
	mosquitto_subscribe_callback_set(gateway->client, on_subscribe);
	mosquitto_message_callback_set(gateway->client, on_message);
	mosquitto_reconnect_delay_set(gateway->client, 1, 1, false);
	topic_of(gateway, topic, "state/conn");
	size_t length = sim_chirpstack_write_conn(will, gateway->id, false);
	ASSERT_CMP(mosquitto_will_set(gateway->client, topic, (int)length, will, 1, true), ==,
		   MOSQ_ERR_SUCCESS);
	ASSERT_CMP(mosquitto_connect(gateway->client, "127.0.0.1", port, 30), ==, MOSQ_ERR_SUCCESS);
	ASSERT_CMP(mosquitto_loop_start(gateway->client), ==, MOSQ_ERR_SUCCESS);
	ASSERT(t_wait_until(is_ready, gateway, T_CEILING));
	return gateway;
}

void t_mqtt_gateway_break(struct t_mqtt_gateway *gateway)
{
	mosquitto_reconnect_delay_set(gateway->client, 3600, 3600, false);
	(void)shutdown(mosquitto_socket(gateway->client), SHUT_RDWR);
}

void t_mqtt_gateway_free(struct t_mqtt_gateway *gateway)
{
	if (!gateway)
		return;
	mosquitto_disconnect(gateway->client);
	mosquitto_loop_stop(gateway->client, true);
	mosquitto_destroy(gateway->client);
	pthread_mutex_destroy(&gateway->lock);
	free(gateway);
}

void t_mqtt_gateway_hears(struct t_mqtt_gateway *gateway, uint32_t ticks, uint32_t freq_hz,
			  uint8_t spreading_factor, const uint8_t *phy, size_t length)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	struct sim_chirpstack_up up = {
		.id = gateway->id,
		.phy_length = length,
		.freq_hz = freq_hz,
		.modulation = {SIM_CHIRPSTACK_LORA, 125000, spreading_factor, .code_rate = 1},
		.rssi_dbm = -70,
		.snr_db = 5.5f,
		.crc = 2,
		.context = {(uint8_t)(ticks >> 24), (uint8_t)(ticks >> 16), (uint8_t)(ticks >> 8),
			    (uint8_t)ticks},
		.context_length = 4};
	ASSERT_CMP(length, <=, sizeof up.phy);
	memcpy(up.phy, phy, length);
	topic_of(gateway, topic, "event/up");
	t_mqtt_gateway_publish(gateway, topic, bytes, sim_chirpstack_write_up(bytes, &up), false);
}

void t_mqtt_gateway_uplink(struct t_mqtt_gateway *gateway, uint32_t ticks)
{
	static const uint8_t phy[] = {0x40, 1, 2, 3, 4, 0, 5, 0, 7, 8, 9, 10};
	t_mqtt_gateway_hears(gateway, ticks, 868100000, 7, phy, sizeof phy);
}

void t_mqtt_gateway_stats(struct t_mqtt_gateway *gateway)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	topic_of(gateway, topic, "event/stats");
	t_mqtt_gateway_publish(gateway, topic, bytes,
			       sim_chirpstack_write_stats(bytes, gateway->id, 3, 2, 1, 0, 0, 0, NULL), false);
}

void t_mqtt_gateway_answer(struct t_mqtt_gateway *gateway, uint32_t downlink_id, const uint32_t *statuses,
			   size_t count)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	topic_of(gateway, topic, "event/ack");
	t_mqtt_gateway_publish(gateway, topic, bytes,
			       sim_chirpstack_write_ack(bytes, gateway->id, downlink_id, statuses, count),
			       false);
}

struct wanted {
	struct t_mqtt_gateway *gateway;
	unsigned commands;
};

static bool has_commands(void *ctx)
{
	const struct wanted *wanted = ctx;
	pthread_mutex_lock(&wanted->gateway->lock);
	bool enough = wanted->gateway->commands >= wanted->commands;
	pthread_mutex_unlock(&wanted->gateway->lock);
	return enough;
}

bool t_mqtt_gateway_wait(struct t_mqtt_gateway *gateway, unsigned commands)
{
	struct wanted wanted = {gateway, commands};
	bool had = t_wait_until(has_commands, &wanted, T_CEILING);
	t_str("a command that a gateway can carry out", "", gateway->wrong);
	return had;
}

struct sim_chirpstack_down t_mqtt_gateway_command(struct t_mqtt_gateway *gateway)
{
	pthread_mutex_lock(&gateway->lock);
	struct sim_chirpstack_down last = gateway->last;
	pthread_mutex_unlock(&gateway->lock);
	return last;
}
