/* An MQTT broker and its subscriber inside the world, in place of libmosquitto: what as_mqtt calls of it is defined here. Messages
 * are ordered; the broker acknowledges what its subscriber has got; when it goes away, what was on its way is gone.
 *
 *	mosquitto_publish ──turn's end──▶ subscriber (judge_delivered) ──PUBACK──▶ mosquitto_loop_read ──▶ on_publish */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LATENCY_MIN    200
#define LATENCY_SPREAD 20000
#define INBOX_MAX      4096

enum packet_kind { CONNACK, PUBACK };
struct packet {
	enum packet_kind kind;
	int mid;
};

struct mosquitto {
	struct machine *machine;
	void *ctx;
	int fd;
	uint64_t id; /* of the connection */
	bool lost;
	int last_mid;
	int64_t last_us[2]; /* to the broker, to the client */
	struct packet inbox[INBOX_MAX];
	size_t inbox_count;
	void (*on_connect)(struct mosquitto *client, void *ctx, int code);
	void (*on_disconnect)(struct mosquitto *client, void *ctx, int code);
	void (*on_publish)(struct mosquitto *client, void *ctx, int mid);
};

struct io_watch {
	struct machine *machine;
	void (*callback)(void *ctx, struct now now, bool readable, bool writable);
	void *ctx;
};

static int64_t arrival(struct mosquitto *client, int way)
{
	struct world *world = client->machine->world;
	int64_t at = world->now_us + LATENCY_MIN + rng_below(&world->rng, LATENCY_SPREAD);
	if (at <= client->last_us[way])
		at = client->last_us[way] + 1;
	client->last_us[way] = at;
	return at;
}

/* The connection of that number, if it is still there. */
static struct mosquitto *find(struct world *world, uint64_t id)
{
	struct mosquitto *client = world->mqtt_client;
	return client && client->id == id && !client->lost ? client : NULL;
}

static void wake(struct machine *machine)
{
	if (!machine->watch)
		return;
	machine->watch->callback(machine->watch->ctx, machine_now(machine), true, false);
	machine_settle(machine);
}

static void packet_arrives(struct world *world, const struct world_event *event)
{
	struct mosquitto *client = find(world, event->a);
	if (!client)
		return;
	ASSERT_CMP(client->inbox_count, <, INBOX_MAX);
	client->inbox[client->inbox_count++] = (struct packet){(enum packet_kind)(event->b >> 32),
							       (int)(uint32_t)event->b};
	wake(client->machine);
}

static void send_to_client(struct mosquitto *client, enum packet_kind kind, int mid)
{
	machine_put(client->machine, arrival(client, 1),
		    (struct world_event){.happen = packet_arrives,
					 .a = client->id,
					 .b = (uint64_t)kind << 32 | (uint32_t)mid});
}

static bool away(const struct world *world)
{
	return world->broker_away_until_us > world->now_us;
}

/* --- the broker's side --- */

static void message_at_broker(struct world *world, const struct world_event *event)
{
	if (away(world))
		return;
	const char *topic = (const char *)event->bytes;
	size_t skip = strlen(topic) + 1;
	judge_delivered(world, topic, event->bytes + skip, event->length - skip);
	struct mosquitto *client = find(world, event->a);
	if (client && client->machine->up)
		send_to_client(client, PUBACK, (int)event->b);
}

static void message_leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct world *world = machine->world;
	struct mosquitto *client = find(world, outgoing->a);
	if (!client)
		return;
	world_put(world, (struct world_event){.at_us = arrival(client, 0),
					      .happen = message_at_broker,
					      .a = outgoing->a,
					      .b = outgoing->b,
					      .bytes = outgoing->bytes,
					      .length = outgoing->length});
	outgoing->bytes = NULL;
}

void world_subscriber_away(struct world *world, double seconds)
{
	world->broker_away_until_us = world->now_us + (int64_t)(seconds * 1e6);
	world_fault_happened(world, WORLD_FAULT_SUBSCRIBER);
	struct mosquitto *client = world->mqtt_client;
	if (!client)
		return;
	client->lost = true;
	wake(client->machine);
}

/* --- of libmosquitto --- */

int mosquitto_lib_init(void)
{
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_lib_cleanup(void)
{
	return MOSQ_ERR_SUCCESS;
}

const char *mosquitto_strerror(int code)
{
	return code == MOSQ_ERR_SUCCESS ? "success" : "no connection";
}

const char *mosquitto_connack_string(int code)
{
	(void)code;
	return "accepted";
}

struct mosquitto *mosquitto_new(const char *id, bool clean, void *ctx)
{
	(void)id, (void)clean;
	struct world *world = world_of_now;
	struct mosquitto *client = calloc(1, sizeof *client);
	ASSERT(client && !world->mqtt_client);
	client->machine = &world->machines[WORLD_APPLICATION];
	client->ctx = ctx;
	client->id = ++world->last_mqtt;
	client->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	world->mqtt_client = client;
	return client;
}

void mosquitto_destroy(struct mosquitto *client)
{
	client->machine->world->mqtt_client = NULL;
	close(client->fd);
	free(client);
}

int mosquitto_connect_async(struct mosquitto *client, const char *host, int port, int keep_alive)
{
	(void)host, (void)port, (void)keep_alive;
	if (away(client->machine->world))
		return MOSQ_ERR_CONN_REFUSED;
	send_to_client(client, CONNACK, 0);
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_socket(struct mosquitto *client)
{
	return client->fd;
}

/* Only a connection that commands come on is held; the world has none. */
int mosquitto_threaded_set(struct mosquitto *client, bool threaded)
{
	(void)client, (void)threaded;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_int_option(struct mosquitto *client, enum mosq_opt_t option, int value)
{
	(void)client, (void)option, (void)value;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_username_pw_set(struct mosquitto *client, const char *name, const char *password)
{
	(void)client, (void)name, (void)password;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_tls_set(struct mosquitto *client, const char *ca_file, const char *ca_path,
		      const char *cert_file, const char *key_file,
		      int (*password)(char *bytes, int size, int write, void *ctx))
{
	(void)client, (void)ca_file, (void)ca_path, (void)cert_file, (void)key_file, (void)password;
	return MOSQ_ERR_SUCCESS;
}

void mosquitto_connect_callback_set(struct mosquitto *client,
				    void (*callback)(struct mosquitto *client, void *ctx, int code))
{
	client->on_connect = callback;
}

void mosquitto_disconnect_callback_set(struct mosquitto *client,
				       void (*callback)(struct mosquitto *client, void *ctx, int code))
{
	client->on_disconnect = callback;
}

void mosquitto_publish_callback_set(struct mosquitto *client,
				    void (*callback)(struct mosquitto *client, void *ctx, int mid))
{
	client->on_publish = callback;
}

int mosquitto_publish(struct mosquitto *client, int *mid, const char *topic, int length, const void *payload,
		      int qos, bool retain)
{
	(void)qos, (void)retain;
	if (client->lost)
		return MOSQ_ERR_NO_CONN;
	size_t head = strlen(topic) + 1, size = head + (size_t)length;
	uint8_t *copy = malloc(size);
	ASSERT(copy);
	memcpy(copy, topic, head);
	memcpy(copy + head, payload, (size_t)length);
	*mid = ++client->last_mid;
	machine_queue(client->machine, (struct outgoing){.leave = message_leaves,
							 .a = client->id,
							 .b = (uint64_t)*mid,
							 .bytes = copy,
							 .length = size});
	return MOSQ_ERR_SUCCESS;
}

bool mosquitto_want_write(struct mosquitto *client)
{
	(void)client;
	return false;
}

int mosquitto_loop_write(struct mosquitto *client, int packets)
{
	(void)packets;
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

int mosquitto_loop_misc(struct mosquitto *client)
{
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

int mosquitto_loop_read(struct mosquitto *client, int packets)
{
	(void)packets;
	for (size_t i = 0; i < client->inbox_count; i++) {
		const struct packet *packet = &client->inbox[i];
		if (packet->kind == CONNACK)
			client->on_connect(client, client->ctx, 0);
		else
			client->on_publish(client, client->ctx, packet->mid);
	}
	client->inbox_count = 0;
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

/* --- of common/io/loop.h --- */

struct io_watch *io_watch_new(struct io_loop *loop, int fd,
			      void (*callback)(void *ctx, struct now now, bool readable, bool writable),
			      void *ctx)
{
	(void)fd;
	struct io_watch *watch = calloc(1, sizeof *watch);
	ASSERT(watch && !loop->machine->watch);
	*watch = (struct io_watch){loop->machine, callback, ctx};
	loop->machine->watch = watch;
	return watch;
}

void io_watch_set(struct io_watch *watch, bool readable, bool writable)
{
	(void)watch, (void)readable, (void)writable;
}

void io_watch_free(struct io_watch *watch)
{
	if (!watch)
		return;
	watch->machine->watch = NULL;
	free(watch);
}
