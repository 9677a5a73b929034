#include "tests/harness/harness.h"

#include "common/io/http_client.h"
#include "common/io/http_server.h"
#include "common/io/listen_fds.h"
#include "common/io/udp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)

static uint16_t port_of(int fd)
{
	struct sockaddr_in name;
	socklen_t length = sizeof name;
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&name, &length));
	return ntohs(name.sin_port);
}

static int open_any(int type)
{
	int fd = -1;
	assert_int_equal(ST_OK, io_listen_fd_open(type, "127.0.0.1", 0, &fd));
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	return fd;
}

/* --- who may have them */

static void only_the_process_meant_receives(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int pid, parent; /* 0: not there; 1: ours; 2: another's */
		size_t count;
	} rows[] = {
		{"nothing said", 0, 0, 0},           {"systemd's, for us", 1, 0, 1},
		{"systemd's, for another", 2, 0, 0}, {"our parent's", 0, 1, 1},
		{"another's child", 0, 2, 0},
	};
	/* The first descriptor that is handed over is 3, whatever stands there now is put back. */
	int kept = dup(3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char number[24];
		t_row(rows[i].name);
		int udp = open_any(SOCK_DGRAM);
		uint16_t port = port_of(udp);
		assert_int_equal(3, dup2(udp, 3));
		if (udp != 3)
			close(udp);
		setenv("LISTEN_FDS", "1", 1);
		setenv("LISTEN_FDNAMES", "udp_listen.0", 1);
		snprintf(number, sizeof number, "%d", (int)getpid() + (rows[i].pid == 2));
		if (rows[i].pid)
			setenv("LISTEN_PID", number, 1);
		snprintf(number, sizeof number, "%d", (int)getppid() + (rows[i].parent == 2));
		if (rows[i].parent)
			setenv(IO_LISTEN_PARENT, number, 1);
		struct io_listen_fds fds;
		io_listen_fds_receive(&fds);
		t_uint("received", rows[i].count, fds.count);
		t_true("no child of ours takes them for its own",
		       !getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && !getenv("LISTEN_FDNAMES") &&
			       !getenv(IO_LISTEN_PARENT));
		int expected = rows[i].count ? 3 : 0;
		t_int("another list", 0,
		      io_listen_fds_take(&fds, "station_listen", 0, SOCK_DGRAM, "127.0.0.1", port));
		t_int("another index", 0,
		      io_listen_fds_take(&fds, "udp_listen", 1, SOCK_DGRAM, "127.0.0.1", port));
		t_int("another type", 0,
		      io_listen_fds_take(&fds, "udp_listen", 0, SOCK_STREAM, "127.0.0.1", port));
		t_int("another port", 0,
		      io_listen_fds_take(&fds, "udp_listen", 0, SOCK_DGRAM, "127.0.0.1", port ^ 1));
		t_int("another host", 0,
		      io_listen_fds_take(&fds, "udp_listen", 0, SOCK_DGRAM, "127.0.0.2", port));
		t_int("the one", expected,
		      io_listen_fds_take(&fds, "udp_listen", 0, SOCK_DGRAM, "127.0.0.1", port));
		t_int("once", 0, io_listen_fds_take(&fds, "udp_listen", 0, SOCK_DGRAM, "127.0.0.1", port));
		if (expected)
			t_true("closed on exec", (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
		io_listen_fds_release(&fds);
		close(3);
	}
	if (kept >= 0) {
		dup2(kept, 3);
		close(kept);
	}
}

/* --- what waits in a socket while nobody serves it */

struct world {
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_http_client *client;
	int done;
	enum status status;
	int code;
	unsigned datagrams;
};

static void on_hello(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	assert_int_equal(ST_OK, io_http_reply(world->server, io_http_request_exchange(request), 200,
					      "text/plain", "hello", 5));
}

static const struct io_http_route routes[] = {{IO_HTTP_GET, "/hello", on_hello}};

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct world *world = ctx;
	(void)now, (void)call;
	world->done++;
	world->status = answer->status;
	world->code = answer->code;
}

static bool done(void *ctx)
{
	return ((struct world *)ctx)->done > 0;
}

static void serve(struct world *world, int fd)
{
	assert_int_equal(ST_OK,
			 io_http_server_open(world->loop, &(struct io_http_server_options){.listen_fd = fd},
					     &world->server));
	io_http_server_add(world->server, routes, ARRAY_SIZE(routes), world);
}

static void ask(struct world *world, uint16_t port)
{
	char url[64];
	snprintf(url, sizeof url, "http://127.0.0.1:%u/hello", port);
	world->done = 0;
	assert_int_equal(ST_OK,
			 io_http_client_start(
				 world->client,
				 &(struct io_http_call){.url = url, .on_done = on_done, .ctx = world}, NULL));
}

static void connections_of_the_gap_are_served(void **state)
{
	(void)state;
	struct world world = {.loop = io_loop_new(NULL)};
	world.client = io_http_client_new(world.loop, NULL);
	int fd = open_any(SOCK_STREAM);
	uint16_t port = port_of(fd);
	t_row("the first server");
	serve(&world, dup(fd));
	ask(&world, port);
	assert_true(io_loop_run_until(world.loop, done, &world, CEILING));
	t_int("code", 200, world.code);
	t_row("between two servers");
	io_http_server_stop_accepting(world.server);
	io_http_server_free(world.server);
	io_http_client_free(world.client);
	world.client = io_http_client_new(world.loop, NULL);
	ask(&world, port);
	t_false("nobody answers", io_loop_run_until(world.loop, done, &world, 100 * US_PER_MS));
	serve(&world, dup(fd));
	assert_true(io_loop_run_until(world.loop, done, &world, CEILING));
	t_str("nor was it refused", "ok", status_name(world.status));
	t_int("code", 200, world.code);
	io_http_server_free(world.server);
	io_http_client_free(world.client);
	io_loop_free(world.loop);
	close(fd);
}

static void on_datagram(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			size_t length)
{
	struct world *world = ctx;
	(void)now, (void)from, (void)bytes, (void)length;
	world->datagrams++;
}

static bool three_came(void *ctx)
{
	return ((struct world *)ctx)->datagrams == 3;
}

static void datagrams_of_the_gap_are_heard(void **state)
{
	(void)state;
	struct world world = {.loop = io_loop_new(NULL)};
	int fd = open_any(SOCK_DGRAM), sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port_of(fd))};
	assert_int_equal(0, connect(sender, (struct sockaddr *)&to, sizeof to));
	for (int i = 0; i < 3; i++)
		assert_int_equal(1, send(sender, "x", 1, 0));
	struct io_udp *udp;
	assert_int_equal(ST_OK,
			 io_udp_open(world.loop,
				     &(struct io_udp_options){
					     .listen_fd = dup(fd), .on_datagram = on_datagram, .ctx = &world},
				     &udp));
	t_true("all", io_loop_run_until(world.loop, three_came, &world, CEILING));
	struct io_address local = io_udp_local(udp);
	t_uint("its port", ntohs(to.sin_port), local.port);
	t_true("its buffer was asked for", io_udp_stats(udp)->receive_buffer_asked == IO_UDP_RECEIVE_BUFFER);
	io_udp_close(udp);
	io_loop_free(world.loop);
	close(sender);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(only_the_process_meant_receives),
		t_test(connections_of_the_gap_are_served),
		t_test(datagrams_of_the_gap_are_heard),
	};
	return t_run(tests);
}
