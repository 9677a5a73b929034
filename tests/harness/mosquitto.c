/* Broker: a child process under the harness's care. Subscriber: libmosquitto with its own thread; messages are kept in
 * an array of pointers under a mutex, so that what is lent stays where it is. */
#include "tests/harness/mosquitto.h"

#include "common/base/check.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct t_mosquitto {
	struct t_process *process;
	char program[64];
	char dir[T_DIR_MAX];
	char config[T_DIR_MAX + 32];
	uint16_t port;
};

static bool accepts(void *ctx)
{
	const uint16_t *port = ctx;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return ok;
}

static void find_program(char *path, size_t capacity)
{
	static const char *const places[] = {"/usr/sbin/mosquitto", "/usr/bin/mosquitto",
					     "/usr/local/sbin/mosquitto"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (access(places[i], X_OK) == 0) {
			snprintf(path, capacity, "%s", places[i]);
			return;
		}
	}
	fprintf(stderr, "mosquitto is not installed\n");
	ASSERT(!"mosquitto is installed");
}

void t_mosquitto_freeze(struct t_mosquitto *broker, bool frozen)
{
	t_process_signal(broker->process, frozen ? SIGSTOP : SIGCONT);
}

void t_mosquitto_resume(struct t_mosquitto *broker)
{
	ASSERT(!broker->process);
	broker->process = t_process_start(&(struct t_process_options){.program = broker->program,
								      .arguments = {"-c", broker->config},
								      .dir = broker->dir,
								      .name = "mosquitto"});
	if (!t_wait_until(accepts, &broker->port, T_CEILING)) {
		char log[4000];
		fprintf(stderr, "%s\n", t_process_log(broker->process, log, sizeof log));
		ASSERT(!"mosquitto accepts connections");
	}
}

struct t_mosquitto *t_mosquitto_start(const char *dir, uint16_t port)
{
	struct t_mosquitto *broker = calloc(1, sizeof *broker);
	ASSERT(broker);
	find_program(broker->program, sizeof broker->program);
	broker->port = port ? port : t_free_tcp_port();
	snprintf(broker->dir, sizeof broker->dir, "%s", dir);
	snprintf(broker->config, sizeof broker->config, "%s/mosquitto.conf", dir);
	char text[1024];
	snprintf(text, sizeof text,
		 "listener %u 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\n"
		 "max_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n%s",
		 broker->port, dir, geteuid() == 0 ? "user root\n" : "");
	t_write_file(broker->config, text);
	t_mosquitto_resume(broker);
	return broker;
}

uint16_t t_mosquitto_port(const struct t_mosquitto *broker)
{
	return broker->port;
}

void t_mosquitto_stop(struct t_mosquitto *broker)
{
	(void)t_process_stop(broker->process);
	t_process_free(broker->process);
	broker->process = NULL;
}

void t_mosquitto_free(struct t_mosquitto *broker)
{
	if (!broker)
		return;
	if (broker->process)
		t_mosquitto_stop(broker);
	free(broker);
}

/* --- subscriber --------------------------------------------------------------------------------------------- */

struct message {
	char *topic;
	char *payload;
};

struct t_subscriber {
	struct mosquitto *client;
	char *filter;
	pthread_mutex_t lock;
	bool subscribed;
	struct message *messages; /* grows; its strings stay */
	size_t count, capacity;
};

static void init_library(void)
{
	static bool done;
	if (!done)
		mosquitto_lib_init();
	done = true;
}

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct t_subscriber *subscriber = ctx;
	if (code == 0)
		mosquitto_subscribe(client, NULL, subscriber->filter, 1);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct t_subscriber *subscriber = ctx;
	(void)client, (void)mid, (void)count, (void)granted;
	pthread_mutex_lock(&subscriber->lock);
	subscriber->subscribed = true;
	pthread_mutex_unlock(&subscriber->lock);
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct t_subscriber *subscriber = ctx;
	(void)client;
	pthread_mutex_lock(&subscriber->lock);
	if (subscriber->count == subscriber->capacity) {
		subscriber->capacity = subscriber->capacity ? subscriber->capacity * 2 : 256;
		subscriber->messages = realloc(subscriber->messages,
					       subscriber->capacity * sizeof *subscriber->messages);
		ASSERT(subscriber->messages);
	}
	struct message *kept = &subscriber->messages[subscriber->count++];
	kept->topic = strdup(message->topic);
	kept->payload = strndup(message->payload ? message->payload : "", (size_t)message->payloadlen);
	ASSERT(kept->topic && kept->payload);
	pthread_mutex_unlock(&subscriber->lock);
}

static bool is_subscribed(void *ctx)
{
	struct t_subscriber *subscriber = ctx;
	pthread_mutex_lock(&subscriber->lock);
	bool subscribed = subscriber->subscribed;
	pthread_mutex_unlock(&subscriber->lock);
	return subscribed;
}

struct t_subscriber *t_subscribe(uint16_t port, const char *name, const char *filter)
{
	init_library();
	struct t_subscriber *subscriber = calloc(1, sizeof *subscriber);
	ASSERT(subscriber);
	pthread_mutex_init(&subscriber->lock, NULL);
	subscriber->filter = strdup(filter);
	subscriber->client = mosquitto_new(name, false, subscriber);
	ASSERT(subscriber->filter && subscriber->client);
	mosquitto_connect_callback_set(subscriber->client, on_connect);
	mosquitto_subscribe_callback_set(subscriber->client, on_subscribe);
	mosquitto_message_callback_set(subscriber->client, on_message);
	mosquitto_reconnect_delay_set(subscriber->client, 1, 1, false);
	ASSERT_CMP(mosquitto_connect(subscriber->client, "127.0.0.1", port, 30), ==, MOSQ_ERR_SUCCESS);
	ASSERT_CMP(mosquitto_loop_start(subscriber->client), ==, MOSQ_ERR_SUCCESS);
	ASSERT(t_wait_until(is_subscribed, subscriber, T_CEILING));
	return subscriber;
}

size_t t_subscriber_count(struct t_subscriber *subscriber)
{
	pthread_mutex_lock(&subscriber->lock);
	size_t count = subscriber->count;
	pthread_mutex_unlock(&subscriber->lock);
	return count;
}

struct wanted {
	struct t_subscriber *subscriber;
	size_t count;
};

static bool has_enough(void *ctx)
{
	const struct wanted *wanted = ctx;
	return t_subscriber_count(wanted->subscriber) >= wanted->count;
}

bool t_subscriber_wait(struct t_subscriber *subscriber, size_t count, double ceiling)
{
	struct wanted wanted = {subscriber, count};
	return t_wait_until(has_enough, &wanted, ceiling);
}

static struct message message_at(struct t_subscriber *subscriber, size_t index)
{
	pthread_mutex_lock(&subscriber->lock);
	ASSERT_CMP(index, <, subscriber->count);
	struct message message = subscriber->messages[index];
	pthread_mutex_unlock(&subscriber->lock);
	return message;
}

const char *t_subscriber_topic(struct t_subscriber *subscriber, size_t index)
{
	return message_at(subscriber, index).topic;
}

const char *t_subscriber_payload(struct t_subscriber *subscriber, size_t index)
{
	return message_at(subscriber, index).payload;
}

void t_subscriber_free(struct t_subscriber *subscriber)
{
	if (!subscriber)
		return;
	mosquitto_disconnect(subscriber->client);
	mosquitto_loop_stop(subscriber->client, true);
	mosquitto_destroy(subscriber->client);
	for (size_t i = 0; i < subscriber->count; i++) {
		free(subscriber->messages[i].topic);
		free(subscriber->messages[i].payload);
	}
	free(subscriber->messages);
	free(subscriber->filter);
	pthread_mutex_destroy(&subscriber->lock);
	free(subscriber);
}

static void on_published(struct mosquitto *client, void *ctx, int mid)
{
	(void)client, (void)mid;
	*(bool *)ctx = true;
}

bool t_publish(uint16_t port, const char *topic, const char *payload)
{
	init_library();
	bool published = false;
	struct mosquitto *client = mosquitto_new(NULL, true, &published);
	ASSERT(client);
	mosquitto_publish_callback_set(client, on_published);
	int result = mosquitto_connect(client, "127.0.0.1", port, 30);
	if (result == MOSQ_ERR_SUCCESS)
		result = mosquitto_publish(client, NULL, topic, (int)strlen(payload), payload, 1, false);
	double end = t_seconds() + T_CEILING;
	while (result == MOSQ_ERR_SUCCESS && !published && t_seconds() < end)
		result = mosquitto_loop(client, 100, 1);
	mosquitto_disconnect(client);
	mosquitto_destroy(client);
	return published;
}
