#include "tests/harness/mqtt_script.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8
#define ROOM    65536

enum packet { CONNECT = 1, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, PINGREQ = 12 };

struct client {
	int fd; /* -1: none */
	bool keeps_session, subscribed;
	uint8_t bytes[ROOM];
	size_t length;
};

struct t_mqtt_script {
	int listener;
	uint16_t port;
	struct client clients[CLIENTS];
	bool keeps_session, qos_1, refuses;
	unsigned pubacks;
	uint16_t last_mid;
};

struct t_mqtt_script *t_mqtt_script_open(void)
{
	struct t_mqtt_script *broker = calloc(1, sizeof *broker);
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	ASSERT(broker);
	for (int i = 0; i < CLIENTS; i++)
		broker->clients[i].fd = -1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(broker->listener >= 0);
	ASSERT_CMP(bind(broker->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	ASSERT_CMP(listen(broker->listener, CLIENTS), ==, 0);
	ASSERT_CMP(getsockname(broker->listener, (struct sockaddr *)&address, &size), ==, 0);
	broker->port = ntohs(address.sin_port);
	return broker;
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->length = 0;
	client->subscribed = false;
}

void t_mqtt_script_free(struct t_mqtt_script *broker)
{
	for (int i = 0; i < CLIENTS; i++)
		drop(&broker->clients[i]);
	close(broker->listener);
	free(broker);
}

static void say(struct client *client, const void *bytes, size_t length)
{
	if (client->fd >= 0 && send(client->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		drop(client);
}

/* Answers one packet whose body is read. */
static void answer(struct t_mqtt_script *broker, struct client *client, uint8_t first, struct rd *body)
{
	switch (first >> 4) {
	case CONNECT: {
		(void)rd_take(body, 7); /* name and level */
		client->keeps_session = !(rd_u8(body) & 2);
		const uint8_t connack[] = {0x20, 2, client->keeps_session, 0};
		say(client, connack, sizeof connack);
		break;
	}
	case SUBSCRIBE: {
		uint16_t mid = rd_u16be(body);
		(void)rd_take(body, rd_u16be(body));
		uint8_t qos = rd_u8(body);
		const uint8_t suback[] = {0x90, 3, (uint8_t)(mid >> 8), (uint8_t)mid,
					  broker->refuses ? 0x80 : qos};
		say(client, suback, sizeof suback);
		client->subscribed = !broker->refuses;
		broker->keeps_session = client->keeps_session;
		broker->qos_1 = qos == 1;
		break;
	}
	case PUBLISH: {
		(void)rd_take(body, rd_u16be(body));
		uint16_t mid = first >> 1 & 3 ? rd_u16be(body) : 0;
		const uint8_t puback[] = {0x40, 2, (uint8_t)(mid >> 8), (uint8_t)mid};
		if (mid)
			say(client, puback, sizeof puback);
		break;
	}
	case PUBACK:
		broker->last_mid = rd_u16be(body);
		broker->pubacks++;
		break;
	case PINGREQ: say(client, (const uint8_t[]){0xd0, 0}, 2); break;
	default: break;
	}
}

/* Takes one whole packet off the client's bytes; false: there is none. */
static bool take_packet(struct t_mqtt_script *broker, struct client *client)
{
	size_t length = 0, at = 1;
	for (unsigned shift = 0;; shift += 7) {
		if (at >= client->length)
			return false;
		length |= (size_t)(client->bytes[at] & 0x7f) << shift;
		if (!(client->bytes[at++] & 0x80))
			break;
	}
	ASSERT_CMP(at + length, <=, ROOM);
	if (at + length > client->length)
		return false;
	struct rd body = rd_init(client->bytes + at, length);
	answer(broker, client, client->bytes[0], &body);
	if (client->fd < 0)
		return false;
	client->length -= at + length;
	memmove(client->bytes, client->bytes + at + length, client->length);
	return true;
}

static void hear(struct t_mqtt_script *broker, struct client *client)
{
	ssize_t got = recv(client->fd, client->bytes + client->length, ROOM - client->length, 0);
	if (got <= 0) {
		drop(client);
		return;
	}
	client->length += (size_t)got;
	while (take_packet(broker, client))
		;
}

static void greet(struct t_mqtt_script *broker)
{
	int fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < CLIENTS; i++) {
		if (broker->clients[i].fd < 0) {
			broker->clients[i].fd = fd;
			return;
		}
	}
	close(fd);
}

static void play(struct t_mqtt_script *broker)
{
	struct pollfd fds[CLIENTS + 1] = {{.fd = broker->listener, .events = POLLIN}};
	for (int i = 0; i < CLIENTS; i++)
		fds[i + 1] = (struct pollfd){.fd = broker->clients[i].fd, .events = POLLIN};
	if (poll(fds, CLIENTS + 1, 20) <= 0)
		return;
	for (int i = 0; i < CLIENTS; i++)
		if (fds[i + 1].revents)
			hear(broker, &broker->clients[i]);
	if (fds[0].revents)
		greet(broker);
}

bool t_mqtt_script_run(struct t_mqtt_script *broker, bool (*condition)(struct t_mqtt_script *broker),
		       double ceiling)
{
	double end = t_seconds() + ceiling;
	while (!condition(broker) && t_seconds() < end)
		play(broker);
	return condition(broker);
}

void t_mqtt_script_refuse(struct t_mqtt_script *broker)
{
	broker->refuses = true;
}

static struct client *subscriber(struct t_mqtt_script *broker)
{
	for (int i = 0; i < CLIENTS; i++)
		if (broker->clients[i].fd >= 0 && broker->clients[i].subscribed)
			return &broker->clients[i];
	return NULL;
}

bool t_mqtt_script_subscribed(struct t_mqtt_script *broker)
{
	return subscriber(broker) != NULL;
}

bool t_mqtt_script_keeps_session(const struct t_mqtt_script *broker)
{
	return broker->keeps_session && broker->qos_1;
}

bool t_mqtt_script_deliver(struct t_mqtt_script *broker, const char *topic, const char *payload, uint16_t mid,
			   bool dup)
{
	uint8_t bytes[4096];
	struct client *client = subscriber(broker);
	size_t topic_length = strlen(topic), length = 4 + topic_length + strlen(payload);
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_u8(&wr, (uint8_t)(0x32 | dup << 3));
	for (size_t left = length; left;) {
		uint8_t low = left & 0x7f;
		left >>= 7;
		wr_u8(&wr, (uint8_t)(low | (left ? 0x80 : 0)));
	}
	wr_u16be(&wr, (uint16_t)topic_length);
	wr_copy(&wr, (const uint8_t *)topic, topic_length);
	wr_u16be(&wr, mid);
	wr_copy(&wr, (const uint8_t *)payload, strlen(payload));
	ASSERT(wr_ok(&wr));
	if (client)
		say(client, bytes, wr_length(&wr));
	return subscriber(broker) != NULL;
}

uint16_t t_mqtt_script_port(const struct t_mqtt_script *broker)
{
	return broker->port;
}

unsigned t_mqtt_script_pubacks(const struct t_mqtt_script *broker)
{
	return broker->pubacks;
}

uint16_t t_mqtt_script_last_mid(const struct t_mqtt_script *broker)
{
	return broker->last_mid;
}

void t_mqtt_script_cut(struct t_mqtt_script *broker)
{
	struct client *client = subscriber(broker);
	if (client)
		drop(client);
}
