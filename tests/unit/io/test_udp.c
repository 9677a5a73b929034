#include "tests/harness/harness.h"

#include "common/io/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)

struct world {
	struct io_loop *loop;
	struct io_udp *udp;
	struct io_address from;
	int count, want;
	size_t bytes;
	bool in_order;
	bool echo;
	enum status commit_says;
};

static void on_datagram(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			size_t length)
{
	struct world *world = ctx;
	uint32_t number = 0;
	(void)now;
	world->from = *from;
	if (length >= 4) {
		memcpy(&number, bytes, 4);
		world->in_order = world->in_order && number == (uint32_t)world->count;
	}
	world->count++;
	world->bytes += length;
	if (world->echo)
		assert_int_equal(ST_OK, io_udp_send(world->udp, from, bytes, length));
}

static enum status commit(void *ctx)
{
	return ((struct world *)ctx)->commit_says;
}

static bool has_all(void *ctx)
{
	struct world *world = ctx;
	return world->count >= world->want;
}

static struct world *setup(const char *host, size_t receive_buffer, size_t send_limit)
{
	struct world *world = calloc(1, sizeof *world);
	world->in_order = true;
	world->loop = io_loop_new(&(struct io_turn){.commit = commit, .ctx = world});
	assert_int_equal(ST_OK, io_udp_open(world->loop,
					    &(struct io_udp_options){.host = host,
								     .receive_buffer = receive_buffer,
								     .send_limit = send_limit,
								     .on_datagram = on_datagram,
								     .ctx = world},
					    &world->udp));
	return world;
}

static void teardown(struct world *world)
{
	io_udp_close(world->udp);
	io_loop_free(world->loop);
	free(world);
}

/* A plain IPv4 peer that is connected to the world's socket, with room for all it is sent. */
static int peer_of(struct world *world)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(io_udp_local(world->udp).port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(0, connect(fd, (struct sockaddr *)&to, sizeof to));
	return fd;
}

static void send_numbered(int fd, uint32_t first, uint32_t count, size_t length)
{
	static uint8_t bytes[65000];
	for (uint32_t i = first; i < first + count; i++) {
		memcpy(bytes, &i, 4);
		assert_int_equal((ssize_t)length, send(fd, bytes, length, 0));
	}
}

static void datagrams_come_and_go_in_batches(void **state)
{
	(void)state;
	struct world *world = setup("127.0.0.1", 0, 0);
	world->echo = true;
	int fd = peer_of(world);
	send_numbered(fd, 0, 500, 200);
	world->want = 500;
	t_true("all received", io_loop_run_until(world->loop, has_all, world, CEILING));
	io_loop_run_until(world->loop, has_all, world, 0);
	t_true("in order", world->in_order);
	char text[IO_ADDRESS_TEXT];
	t_str("sender", "127.0.0.1", io_address_format_host(text, &world->from));
	t_uint("counted", 500, io_udp_stats(world->udp)->received);
	uint8_t got[300];
	int echoed = 0;
	send_numbered(fd, 500, 1, 200); /* one more turn, so that the last echo has left */
	world->want = 501;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	while (recv(fd, got, sizeof got, MSG_DONTWAIT) == 200)
		echoed++;
	t_true("echoed", echoed >= 500);
	t_uint("sent as many", (unsigned)echoed, io_udp_stats(world->udp)->sent);
	close(fd);
	teardown(world);
}

static void the_receive_buffer_is_read_back(void **state)
{
	(void)state;
	struct world *world = setup("127.0.0.1", 0, 0);
	const struct io_udp_stats *stats = io_udp_stats(world->udp);
	t_uint("asked", IO_UDP_RECEIVE_BUFFER, stats->receive_buffer_asked);
	t_true("given, as the kernel says", stats->receive_buffer_given >= 100000);
	int fd = peer_of(world), size = IO_UDP_RECEIVE_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) == 0)
		t_uint("who may force it gets it all", IO_UDP_RECEIVE_BUFFER, stats->receive_buffer_given);
	close(fd);
	teardown(world);
}

static void a_port_in_use_is_not_shared(void **state)
{
	(void)state;
	struct world *world = setup("127.0.0.1", 0, 0);
	struct io_udp *second = NULL;
	const struct io_udp_options options = {.host = "127.0.0.1",
					       .port = io_udp_local(world->udp).port,
					       .on_datagram = on_datagram,
					       .ctx = world};
	t_int("status", ST_IO, io_udp_open(world->loop, &options, &second));
	t_true("nothing given", second == NULL);
	teardown(world);
}

static void what_the_kernel_drops_is_counted(void **state)
{
	(void)state;
	struct world *world = setup("127.0.0.1", 8192, 0);
	int fd = peer_of(world);
	send_numbered(fd, 0, 200, 1000);
	world->want = 1;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	int first = world->count;
	t_true("some were lost", first < 200);
	send_numbered(fd, 200, 1, 1000); /* the next datagram tells of the loss */
	world->want = first + 1;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	t_uint("every one is counted", 201, (unsigned)world->count + io_udp_stats(world->udp)->kernel_drops);
	close(fd);
	teardown(world);
}

static void one_socket_hears_both_families(void **state)
{
	(void)state;
	struct world *world = setup("*", 0, 0);
	world->echo = true;
	int fd = peer_of(world);
	send_numbered(fd, 0, 1, 10);
	world->want = 1;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	t_int("an IPv4 sender is IPv4", 4, world->from.family);
	send_numbered(fd, 1, 1, 10);
	world->want = 2;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	uint8_t got[16];
	t_int("and is answered", 10, recv(fd, got, sizeof got, MSG_DONTWAIT));
	close(fd);
	teardown(world);
}

static void sending_is_bounded_and_counted(void **state)
{
	(void)state;
	struct world *world = setup("127.0.0.1", 0, 3);
	int fd = peer_of(world);
	send_numbered(fd, 0, 1, 10);
	world->want = 1;
	assert_true(io_loop_run_until(world->loop, has_all, world, CEILING));
	for (int i = 0; i < 3; i++)
		t_int("fits", ST_OK, io_udp_send(world->udp, &world->from, (const uint8_t *)"abc", 3));
	t_int("the fourth does not", ST_FULL,
	      io_udp_send(world->udp, &world->from, (const uint8_t *)"abc", 3));
	t_uint("counted", 1, io_udp_stats(world->udp)->send_dropped);
	world->commit_says = ST_DATABASE;
	t_int("a failed commit", 1, io_loop_run(world->loop));
	t_uint("sends nothing", 0, io_udp_stats(world->udp)->sent);
	close(fd);
	teardown(world);
}

static void addresses_are_values(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *shown;
		enum status status;
	} rows[] = {
		{"IPv4", "192.0.2.1:1700", "192.0.2.1:1700", ST_OK},
		{"IPv6", "[2001:db8::1]:80", "[2001:db8::1]:80", ST_OK},
		{"localhost", "localhost:1", "127.0.0.1:1", ST_OK},
		{"no port", "192.0.2.1", NULL, ST_INVALID},
		{"port too great", "192.0.2.1:65536", NULL, ST_INVALID},
		{"a signed port", "192.0.2.1:-1", NULL, ST_INVALID},
		{"a name", "example.org:80", NULL, ST_INVALID},
		{"IPv6 without brackets", "2001:db8::1:80", NULL, ST_INVALID},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct io_address address = {0};
		char text[IO_ADDRESS_TEXT];
		t_row(rows[i].name);
		t_int("status", rows[i].status, io_address_parse_pair(rows[i].text, &address));
		if (rows[i].shown)
			t_str("shown", rows[i].shown, io_address_format(text, &address));
	}
	struct io_address a, b;
	assert_int_equal(ST_OK, io_address_parse_pair("192.0.2.1:1", &a));
	assert_int_equal(ST_OK, io_address_parse_pair("192.0.2.1:2", &b));
	t_row("the port is not the host");
	t_true("same host", io_address_same_host(&a, &b));
	t_false("not equal", io_address_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(datagrams_come_and_go_in_batches),
		t_test(the_receive_buffer_is_read_back),
		t_test(what_the_kernel_drops_is_counted),
		t_test(one_socket_hears_both_families),
		t_test(a_port_in_use_is_not_shared),
		t_test(sending_is_bounded_and_counted),
		t_test(addresses_are_values),
	};
	return t_run(tests);
}
