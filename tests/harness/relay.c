#include "tests/harness/relay.h"

#include "common/base/check.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIRS     32
#define BYTES_MAX ((size_t)64 << 20)
#define CHUNK     65536
#define PATH_ROOM 108
#define WAKE_MS   50

struct t_relay {
	char path[PATH_ROOM], real_path[PATH_ROOM];
	int listener;
	int ends[PAIRS][2]; /* caller, server; −1: free */
	pthread_t thread;
	pthread_mutex_t lock;
	uint8_t *bytes, *lent;
	size_t length;
	atomic_bool stop;
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	ASSERT(strlen(path) < sizeof address.sun_path);
	memcpy(address.sun_path, path, strlen(path));
	return address;
}

static void take_caller(struct t_relay *relay)
{
	int caller = accept(relay->listener, NULL, NULL);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = address_of(relay->real_path);
	ASSERT(server >= 0);
	size_t free_pair = 0;
	while (free_pair < PAIRS && relay->ends[free_pair][0] >= 0)
		free_pair++;
	if (caller < 0 || free_pair == PAIRS ||
	    connect(server, (const struct sockaddr *)&address, sizeof address) != 0) {
		if (caller >= 0)
			close(caller);
		close(server);
		return;
	}
	relay->ends[free_pair][0] = caller;
	relay->ends[free_pair][1] = server;
}

static void keep(struct t_relay *relay, const uint8_t *bytes, size_t length)
{
	pthread_mutex_lock(&relay->lock);
	ASSERT_CMP(relay->length + length, <=, BYTES_MAX);
	memcpy(relay->bytes + relay->length, bytes, length);
	relay->length += length;
	pthread_mutex_unlock(&relay->lock);
}

/* False: one side has closed. */
static bool pass(struct t_relay *relay, int from, int to)
{
	uint8_t chunk[CHUNK];
	ssize_t length = recv(from, chunk, sizeof chunk, 0);
	if (length <= 0)
		return false;
	keep(relay, chunk, (size_t)length);
	for (ssize_t sent = 0, now; sent < length; sent += now) {
		now = send(to, chunk + sent, (size_t)(length - sent), MSG_NOSIGNAL);
		if (now <= 0)
			return false;
	}
	return true;
}

static void close_pair(struct t_relay *relay, size_t pair)
{
	for (size_t side = 0; side < 2; side++) {
		close(relay->ends[pair][side]);
		relay->ends[pair][side] = -1;
	}
}

static void *run(void *ctx)
{
	struct t_relay *relay = ctx;
	while (!atomic_load(&relay->stop)) {
		struct pollfd waits[1 + 2 * PAIRS] = {{.fd = relay->listener, .events = POLLIN}};
		for (size_t i = 0; i < PAIRS; i++) {
			for (size_t side = 0; side < 2; side++)
				waits[1 + 2 * i + side] = (struct pollfd){.fd = relay->ends[i][side],
									  .events = POLLIN};
		}
		if (poll(waits, 1 + 2 * PAIRS, WAKE_MS) <= 0)
			continue;
		for (size_t i = 0; i < PAIRS; i++) {
			for (size_t side = 0; side < 2 && relay->ends[i][0] >= 0; side++) {
				if (waits[1 + 2 * i + side].revents != 0 &&
				    !pass(relay, relay->ends[i][side], relay->ends[i][1 - side]))
					close_pair(relay, i);
			}
		}
		if (waits[0].revents != 0)
			take_caller(relay);
	}
	return NULL;
}

struct t_relay *t_relay_start(const char *socket_path)
{
	struct t_relay *relay = calloc(1, sizeof *relay);
	ASSERT(relay != NULL);
	relay->bytes = malloc(BYTES_MAX);
	relay->lent = malloc(BYTES_MAX);
	ASSERT(relay->bytes != NULL && relay->lent != NULL);
	snprintf(relay->path, PATH_ROOM, "%s", socket_path);
	snprintf(relay->real_path, PATH_ROOM, "%.90s.real", socket_path);
	ASSERT(rename(relay->path, relay->real_path) == 0);
	memset(relay->ends, 0xff, sizeof relay->ends);
	relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = address_of(relay->path);
	ASSERT(relay->listener >= 0);
	ASSERT(bind(relay->listener, (const struct sockaddr *)&address, sizeof address) == 0);
	ASSERT(listen(relay->listener, PAIRS) == 0);
	pthread_mutex_init(&relay->lock, NULL);
	ASSERT(pthread_create(&relay->thread, NULL, run, relay) == 0);
	return relay;
}

const uint8_t *t_relay_bytes(struct t_relay *relay, size_t *length)
{
	pthread_mutex_lock(&relay->lock);
	memcpy(relay->lent, relay->bytes, relay->length);
	*length = relay->length;
	pthread_mutex_unlock(&relay->lock);
	return relay->lent;
}

void t_relay_free(struct t_relay *relay)
{
	atomic_store(&relay->stop, true);
	pthread_join(relay->thread, NULL);
	for (size_t i = 0; i < PAIRS; i++) {
		if (relay->ends[i][0] >= 0)
			close_pair(relay, i);
	}
	close(relay->listener);
	(void)rename(relay->real_path, relay->path);
	pthread_mutex_destroy(&relay->lock);
	free(relay->bytes);
	free(relay->lent);
	free(relay);
}
