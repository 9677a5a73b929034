#include "tests/harness/udp_tap.h"

#include "common/base/check.h"
#include "common/base/pcap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define COOKED_2    276
#define HEADERS     (20 + 20 + 8) /* cooked, IPv4, UDP */

struct client {
	struct sockaddr_in address;
	int socket; /* connected to the server */
};

struct t_udp_tap {
	uint16_t port, server_port;
	int socket;
	FILE *file;
	struct client clients[CLIENTS_MAX];
	size_t count;
	pthread_t thread;
	atomic_bool stops;
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_socket(struct sockaddr_in *address, bool connects)
{
	int opened = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof *address;
	ASSERT(opened >= 0);
	if (connects) {
		ASSERT(connect(opened, (const struct sockaddr *)address, length) == 0);
	} else {
		ASSERT(bind(opened, (const struct sockaddr *)address, length) == 0);
		ASSERT(getsockname(opened, (struct sockaddr *)address, &length) == 0);
	}
	return opened;
}

static void record(struct t_udp_tap *tap, uint16_t from, uint16_t to, const uint8_t *bytes, size_t length)
{
	uint8_t head[PCAP_RECORD_SIZE + HEADERS];
	struct wr wr = wr_init(head, sizeof head);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct wall time = {(int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000};
	pcap_write_record(&wr, time, (uint32_t)(HEADERS + length));
	wr_u16be(&wr, 0x0800);
	wr_zeros(&wr, 18);
	wr_u16be(&wr, 0x4500);
	wr_u16be(&wr, (uint16_t)(28 + length));
	wr_zeros(&wr, 4);
	wr_u16be(&wr, 0x4011);
	wr_u16be(&wr, 0);
	wr_u32be(&wr, INADDR_LOOPBACK);
	wr_u32be(&wr, INADDR_LOOPBACK);
	wr_u16be(&wr, from);
	wr_u16be(&wr, to);
	wr_u16be(&wr, (uint16_t)(8 + length));
	wr_u16be(&wr, 0);
	ASSERT(wr_ok(&wr));
	ASSERT(fwrite(head, 1, sizeof head, tap->file) == sizeof head);
	ASSERT(fwrite(bytes, 1, length, tap->file) == length && fflush(tap->file) == 0);
}

static struct client *client_of(struct t_udp_tap *tap, const struct sockaddr_in *address)
{
	for (size_t i = 0; i < tap->count; i++)
		if (tap->clients[i].address.sin_port == address->sin_port &&
		    tap->clients[i].address.sin_addr.s_addr == address->sin_addr.s_addr)
			return &tap->clients[i];
	ASSERT(tap->count < CLIENTS_MAX);
	struct sockaddr_in server = loopback(tap->server_port);
	tap->clients[tap->count] = (struct client){.address = *address, .socket = open_socket(&server, true)};
	return &tap->clients[tap->count++];
}

static void pass_up(struct t_udp_tap *tap)
{
	uint8_t bytes[65536] = {0};
	struct sockaddr_in from = {0};
	socklen_t size = sizeof from;
	ssize_t length = recvfrom(tap->socket, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
	if (length < 0)
		return;
	struct client *client = client_of(tap, &from);
	record(tap, ntohs(from.sin_port), tap->server_port, bytes, (size_t)length);
	(void)!send(client->socket, bytes, (size_t)length, 0); /* refused while the bridge starts again */
}

static void pass_down(struct t_udp_tap *tap, const struct client *client)
{
	uint8_t bytes[65536] = {0};
	ssize_t length = recv(client->socket, bytes, sizeof bytes, 0);
	if (length < 0)
		return;
	record(tap, tap->server_port, ntohs(client->address.sin_port), bytes, (size_t)length);
	(void)!sendto(tap->socket, bytes, (size_t)length, 0, (const struct sockaddr *)&client->address,
		      sizeof client->address);
}

static void *run(void *ctx)
{
	struct t_udp_tap *tap = ctx;
	while (!atomic_load(&tap->stops)) {
		struct pollfd fds[CLIENTS_MAX + 1] = {{.fd = tap->socket, .events = POLLIN}};
		size_t count = tap->count;
		for (size_t i = 0; i < count; i++)
			fds[i + 1] = (struct pollfd){.fd = tap->clients[i].socket, .events = POLLIN};
		if (poll(fds, (nfds_t)(count + 1), 20) <= 0)
			continue;
		for (size_t i = 0; i < count; i++)
			if (fds[i + 1].revents)
				pass_down(tap, &tap->clients[i]);
		if (fds[0].revents)
			pass_up(tap);
	}
	return NULL;
}

struct t_udp_tap *t_udp_tap_start(uint16_t server_port, const char *path)
{
	uint8_t header[PCAP_HEADER_SIZE];
	struct wr wr = wr_init(header, sizeof header);
	struct t_udp_tap *tap = calloc(1, sizeof *tap);
	struct sockaddr_in any = loopback(0);
	ASSERT(tap);
	tap->server_port = server_port;
	tap->socket = open_socket(&any, false);
	tap->port = ntohs(any.sin_port);
	tap->file = fopen(path, "wb");
	ASSERT(tap->file);
	pcap_write_header(&wr, COOKED_2);
	ASSERT(fwrite(header, 1, sizeof header, tap->file) == sizeof header);
	ASSERT(pthread_create(&tap->thread, NULL, run, tap) == 0);
	return tap;
}

uint16_t t_udp_tap_port(const struct t_udp_tap *tap)
{
	return tap->port;
}

void t_udp_tap_free(struct t_udp_tap *tap)
{
	atomic_store(&tap->stops, true);
	pthread_join(tap->thread, NULL);
	for (size_t i = 0; i < tap->count; i++)
		close(tap->clients[i].socket);
	close(tap->socket);
	fclose(tap->file);
	free(tap);
}
