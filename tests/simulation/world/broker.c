/* An MQTT broker inside the world, in place of libmosquitto: what the application server calls of it is defined here. It has one
 * subscriber, who gets the events, and agencies that publish commands.
 *
 *	mosquitto_publish ──turn's end──▶ subscriber (judge_delivered) ──PUBACK──▶ mosquitto_loop_read ──▶ on_publish
 *	command ──▶ kept for the client until its PUBACK ──▶ mosquitto_loop_read ──▶ on_message ──▶ PUBACK, written after the commit
 *
 * Messages are ordered. When the broker goes away, what was on its way is gone; what it had kept for a client with a session
 * comes again, marked as a duplicate. */
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

/* A command that the broker keeps until it is acknowledged. */
struct world_kept {
	struct world_kept *next;
	int mid;
	bool sent; /* in this connection */
	bool dup;
	size_t length;
	uint8_t bytes[]; /* topic, NUL, payload */
};

enum packet_kind { CONNACK, PUBACK, SUBACK, MESSAGE };
struct packet {
	enum packet_kind kind;
	int mid;
};

struct mosquitto {
	struct mosquitto *next;
	struct machine *machine;
	void *ctx;
	int fd;
	uint64_t id; /* of the connection */
	bool clean, lost, subscribed;
	int last_mid;
	int64_t last_us[2]; /* to the broker, to the client */
	struct packet inbox[INBOX_MAX];
	size_t inbox_count;
	int unwritten[INBOX_MAX]; /* PUBACKs that wait to be written */
	size_t unwritten_count;
	struct io_watch *watch;
	void (*on_connect)(struct mosquitto *client, void *ctx, int code);
	void (*on_disconnect)(struct mosquitto *client, void *ctx, int code);
	void (*on_publish)(struct mosquitto *client, void *ctx, int mid);
	void (*on_message)(struct mosquitto *client, void *ctx, const struct mosquitto_message *message);
	void (*on_subscribe)(struct mosquitto *client, void *ctx, int mid, int count, const int *granted);
	void (*on_log)(struct mosquitto *client, void *ctx, int level, const char *text);
};

struct io_watch {
	struct machine *machine;
	struct mosquitto *client;
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
	struct mosquitto *client = world->mqtt_clients;
	while (client && client->id != id)
		client = client->next;
	return client && !client->lost ? client : NULL;
}

static void wake(struct mosquitto *client)
{
	struct machine *machine = client->machine;
	struct io_watch *watch = client->watch;
	if (!watch)
		return;
	watch->callback(watch->ctx, machine_now(machine), true, false);
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
	wake(client);
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

/* What is kept for the client with a session goes to it, once in a connection. */
static void deliver_kept(struct world *world)
{
	struct mosquitto *client = world->mqtt_clients;
	while (client && (client->clean || client->lost || !client->subscribed))
		client = client->next;
	for (struct world_kept *kept = world->kept; client && kept; kept = kept->next) {
		if (kept->sent)
			continue;
		kept->sent = true;
		send_to_client(client, MESSAGE, kept->mid);
	}
}

bool world_broker_publish(struct world *world, const char *topic, const char *body)
{
	if (away(world))
		return false;
	size_t head = strlen(topic) + 1, length = head + strlen(body);
	struct world_kept *kept = calloc(1, sizeof *kept + length);
	ASSERT(kept);
	kept->mid = ++world->last_kept;
	kept->length = length;
	memcpy(kept->bytes, topic, head);
	memcpy(kept->bytes + head, body, length - head);
	struct world_kept **at = &world->kept;
	while (*at)
		at = &(*at)->next;
	*at = kept;
	deliver_kept(world);
	return true;
}

static void kept_is_acknowledged(struct world *world, int mid)
{
	for (struct world_kept **at = &world->kept; *at; at = &(*at)->next)
		if ((*at)->mid == mid) {
			struct world_kept *kept = *at;
			*at = kept->next;
			free(kept);
			return;
		}
}

/* A connection of the session has ended: what it did not acknowledge comes again. */
static void unsend_kept(struct world *world)
{
	for (struct world_kept *kept = world->kept; kept; kept = kept->next) {
		kept->dup |= kept->sent;
		kept->sent = false;
	}
}

void world_broker_release(struct world *world)
{
	while (world->kept)
		kept_is_acknowledged(world, world->kept->mid);
}

static void message_at_broker(struct world *world, const struct world_event *event)
{
	double leaves_s = world->broker_leaves_s;
	world->broker_leaves_s = 0;
	if (leaves_s > 0)
		world_subscriber_away(world, leaves_s);
	if (away(world))
		return;
	const char *topic = (const char *)event->bytes;
	size_t skip = strlen(topic) + 1;
	judge_delivered(world, topic, event->bytes + skip, event->length - skip);
	struct mosquitto *client = find(world, event->a);
	if (client && client->machine->up)
		send_to_client(client, PUBACK, (int)event->b);
}

static void puback_at_broker(struct world *world, const struct world_event *event)
{
	if (!away(world))
		kept_is_acknowledged(world, (int)event->b);
}

static void send_to_broker(struct world *world, struct outgoing *outgoing,
			   void (*happen)(struct world *world, const struct world_event *event))
{
	struct mosquitto *client = find(world, outgoing->a);
	if (!client)
		return;
	world_put(world, (struct world_event){.at_us = arrival(client, 0),
					      .happen = happen,
					      .a = outgoing->a,
					      .b = outgoing->b,
					      .bytes = outgoing->bytes,
					      .length = outgoing->length});
	outgoing->bytes = NULL;
}

static void message_leaves(struct machine *machine, struct outgoing *outgoing)
{
	send_to_broker(machine->world, outgoing, message_at_broker);
}

static void puback_leaves(struct machine *machine, struct outgoing *outgoing)
{
	send_to_broker(machine->world, outgoing, puback_at_broker);
}

void world_subscriber_away(struct world *world, double seconds)
{
	world->broker_away_until_us = world->now_us + (int64_t)(seconds * 1e6);
	world_fault_happened(world, WORLD_FAULT_SUBSCRIBER);
	struct mosquitto *client = world->mqtt_clients;
	while (client) {
		struct mosquitto *next = client->next;
		client->lost = true;
		wake(client);
		client = next;
	}
}

void world_subscriber_leaves(struct world *world, double seconds)
{
	world->broker_leaves_s = seconds;
}

/* --- of libmosquitto; the library names its parameters otherwise --- */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

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
	(void)id;
	struct world *world = world_of_now;
	struct mosquitto *client = calloc(1, sizeof *client);
	ASSERT(client);
	client->machine = &world->machines[WORLD_APPLICATION];
	client->ctx = ctx;
	client->clean = clean;
	client->id = ++world->last_mqtt;
	client->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	client->next = world->mqtt_clients;
	world->mqtt_clients = client;
	return client;
}

void mosquitto_destroy(struct mosquitto *client)
{
	struct world *world = client->machine->world;
	struct mosquitto **at = &world->mqtt_clients;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	if (!client->clean)
		unsend_kept(world);
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

/* A process of this world ends by dying: its broker is told by the socket, as of any that dies. */
int mosquitto_disconnect(struct mosquitto *client)
{
	(void)client;
	return MOSQ_ERR_NO_CONN;
}

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
	/* cppcheck-suppress memleak ; the queue owns it */
	return MOSQ_ERR_SUCCESS;
}

void mosquitto_message_callback_set(struct mosquitto *client,
				    void (*callback)(struct mosquitto *client, void *ctx,
						     const struct mosquitto_message *message))
{
	client->on_message = callback;
}

void mosquitto_subscribe_callback_set(struct mosquitto *client,
				      void (*callback)(struct mosquitto *client, void *ctx, int mid,
						       int count, const int *granted))
{
	client->on_subscribe = callback;
}

void mosquitto_log_callback_set(struct mosquitto *client,
				void (*callback)(struct mosquitto *client, void *ctx, int level,
						 const char *text))
{
	client->on_log = callback;
}

static void subscribe_leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct mosquitto *client = find(machine->world, outgoing->a);
	if (!client)
		return;
	client->subscribed = true;
	send_to_client(client, SUBACK, (int)outgoing->b);
	deliver_kept(machine->world);
}

int mosquitto_subscribe(struct mosquitto *client, int *mid, const char *filter, int qos)
{
	(void)filter, (void)qos;
	if (client->lost)
		return MOSQ_ERR_NO_CONN;
	int number = ++client->last_mid;
	if (mid)
		*mid = number;
	machine_queue(client->machine,
		      (struct outgoing){.leave = subscribe_leaves, .a = client->id, .b = (uint64_t)number});
	return MOSQ_ERR_SUCCESS;
}

/* PUBACKs wait until they are written: with the turn's end, as all that leaves a process. */
bool mosquitto_want_write(struct mosquitto *client)
{
	return client->unwritten_count > 0;
}

int mosquitto_loop_write(struct mosquitto *client, int packets)
{
	(void)packets;
	for (size_t i = 0; i < client->unwritten_count; i++)
		machine_queue(client->machine, (struct outgoing){.leave = puback_leaves,
								 .a = client->id,
								 .b = (uint64_t)client->unwritten[i]});
	client->unwritten_count = 0;
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

int mosquitto_loop_misc(struct mosquitto *client)
{
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

static void hand_over(struct mosquitto *client, int mid)
{
	const struct world_kept *kept = client->machine->world->kept;
	while (kept && kept->mid != mid)
		kept = kept->next;
	if (!kept || client->unwritten_count == INBOX_MAX)
		return;
	char *topic = (char *)kept->bytes, line[64];
	size_t head = strlen(topic) + 1;
	uint8_t *payload = malloc(kept->length - head + 1);
	ASSERT(payload);
	memcpy(payload, kept->bytes + head, kept->length - head);
	struct mosquitto_message message = {.mid = mid,
					    .topic = topic,
					    .payload = payload,
					    .payloadlen = (int)(kept->length - head),
					    .qos = 1};
	snprintf(line, sizeof line, "Client world received PUBLISH (d%d, q1, r0, m%d, ...", kept->dup, mid);
	client->unwritten[client->unwritten_count++] = mid;
	client->on_log(client, client->ctx, MOSQ_LOG_DEBUG, line);
	client->on_message(client, client->ctx, &message);
	free(payload);
}

static void handle(struct mosquitto *client, const struct packet *packet)
{
	static const int granted[] = {1};
	switch (packet->kind) {
	case CONNACK: client->on_connect(client, client->ctx, 0); break;
	case PUBACK: client->on_publish(client, client->ctx, packet->mid); break;
	case SUBACK: client->on_subscribe(client, client->ctx, packet->mid, 1, granted); break;
	case MESSAGE: hand_over(client, packet->mid); break;
	}
}

int mosquitto_loop_read(struct mosquitto *client, int packets)
{
	(void)packets;
	size_t count = client->inbox_count;
	client->inbox_count = 0;
	for (size_t i = 0; i < count; i++)
		handle(client, &client->inbox[i]);
	return client->lost ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* --- of common/io/loop.h --- */

struct io_watch *io_watch_new(struct io_loop *loop, int fd,
			      void (*callback)(void *ctx, struct now now, bool readable, bool writable),
			      void *ctx)
{
	(void)fd;
	struct io_watch *watch = calloc(1, sizeof *watch);
	struct mosquitto *client = loop->machine->world->mqtt_clients;
	while (client && client->ctx != ctx)
		client = client->next;
	ASSERT(watch && client && !client->watch);
	*watch = (struct io_watch){loop->machine, client, callback, ctx};
	client->watch = watch;
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
	watch->client->watch = NULL;
	free(watch);
}
