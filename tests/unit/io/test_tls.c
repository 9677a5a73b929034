/* TLS of the HTTP server with its clients' certificates, its limits of admission, and what an idle session costs. */
#include "tests/harness/certificates.h"
#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/io/http_client.h"
#include "common/io/websocket.h"
#include "common/io/websocket_client.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CEILING  (60 * US_PER_S)
#define SERIAL_S INT64_C(1760000000)
#define IDLE     200

struct world {
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_ws_client *client;
	struct io_http_client *http;
	char url[100];
	/* what the server saw */
	io_ws_id session;
	bool shown;
	struct io_tls_peer peer;
	int server_closed;
	size_t body_length;
	/* what the client saw */
	io_ws_id dialled;
	int opened, closed, messages, answered;
	bool resumed;
	enum io_ws_reason reason;
	enum status status;
	int code;
	int raw;
	uint64_t want;
};

static struct t_ca city, foreign, namesake;
static struct t_identity server_files, good, strange, expired, both, called_ours;
static struct world *standing;

static void make_certificates(void)
{
	t_ca_make(&namesake, "city"); /* whose file the city's own takes over */
	t_ca_make(&city, "city");
	t_ca_make(&foreign, "foreign");
	t_ca_issue(&city, X509_FOR_SERVER, "lns", SERIAL_S, 86400, "server", &server_files);
	t_ca_issue(&city, X509_FOR_CLIENT, "0016c001ff10a235", SERIAL_S, 86400, "good", &good);
	t_ca_issue(&foreign, X509_FOR_CLIENT, "0016c001ff10a235", SERIAL_S, 86400, "strange", &strange);
	t_ca_issue(&namesake, X509_FOR_CLIENT, "0016c001ff10a235", SERIAL_S, 86400, "called", &called_ours);
	t_ca_issue(&city, X509_FOR_CLIENT, "0016c001ff10a235", SERIAL_S, -60, "expired", &expired);
	t_ca_issue(&foreign, X509_FOR_CLIENT, "0016c001ff10a235", SERIAL_S, -60, "both", &both);
}

/* --- world */

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct world *world = ctx;
	(void)now;
	t_int("echoed", ST_OK, io_ws_send(world->server, id, text, bytes, length));
}

static void on_server_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	(void)now, (void)id, (void)reason, (void)code;
	((struct world *)ctx)->server_closed++;
}

static void look(struct world *world, const struct io_http_request *request)
{
	const struct io_tls_peer *peer = io_http_request_certificate(request);
	world->shown = peer != NULL;
	if (peer)
		world->peer = *peer;
}

static void on_socket(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	struct io_ws_options options = {.events = {.on_message = on_message, .on_close = on_server_close},
					.ctx = world};
	look(world, request);
	t_int("accepted", ST_OK, io_ws_accept(request, &options, &world->session));
}

static void on_update(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	look(world, request);
	io_http_request_body(request, &world->body_length);
	assert_int_equal(ST_OK, io_http_reply(world->server, io_http_request_exchange(request), 200,
					      "application/octet-stream", "\0\1\0\2", 4));
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/socket", on_socket},
	{IO_HTTP_POST, "/update-info", on_update},
};

static void on_open(void *ctx, struct now now, io_ws_id id)
{
	struct world *world = ctx;
	(void)now;
	world->opened++;
	world->resumed = io_ws_client_resumed(world->client, id);
}

static void on_echo(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	(void)now, (void)id, (void)text, (void)bytes, (void)length;
	((struct world *)ctx)->messages++;
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct world *world = ctx;
	(void)now, (void)id, (void)code;
	world->closed++;
	world->reason = reason;
}

static void teardown(struct world *world)
{
	io_ws_client_free(world->client);
	io_http_client_free(world->http);
	io_http_server_free(world->server);
	io_loop_free(world->loop);
	free(world);
	standing = NULL;
}

static struct world *setup(struct io_http_server_options options)
{
	if (standing)
		teardown(standing);
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	standing = world;
	world->loop = io_loop_new(NULL);
	options.host = "127.0.0.1";
	options.cert_file = server_files.cert;
	options.key_file = server_files.key;
	options.ca_file = city.file;
	assert_int_equal(ST_OK, io_http_server_open(world->loop, &options, &world->server));
	io_http_server_add(world->server, routes, ARRAY_SIZE(routes), world);
	world->client = io_ws_client_new(world->loop, NULL);
	world->http = io_http_client_new(world->loop, NULL);
	snprintf(world->url, sizeof world->url, "wss://127.0.0.1:%u/socket",
		 io_http_server_port(world->server));
	return world;
}

static bool decided(void *ctx)
{
	struct world *world = ctx;
	return world->messages > 0 || world->closed > 0;
}

static bool opened_or_closed(void *ctx)
{
	struct world *world = ctx;
	return world->opened > 0 || world->closed > 0;
}

static bool closed(void *ctx)
{
	return ((struct world *)ctx)->closed > 0;
}

static void wait_for(struct world *world, bool (*done)(void *))
{
	assert_true(io_loop_run_until(world->loop, done, world, CEILING));
}

/* Dials and, when it opens, has one message go both ways: a refusal of TLS 1.3 comes after the client thinks it is in. */
static void dial(struct world *world, const struct t_identity *identity, bool tls_1_2, const char *ca_file)
{
	world->opened = world->closed = world->messages = 0;
	world->shown = false;
	struct io_ws_dial dial = {
		.url = world->url,
		.ca_file = ca_file ? ca_file : city.file,
		.cert_file = identity ? identity->cert : NULL,
		.key_file = identity ? identity->key : NULL,
		.tls_1_2_only = tls_1_2,
		.session = {.events = {.on_open = on_open, .on_message = on_echo, .on_close = on_close},
			    .ctx = world},
	};
	assert_int_equal(ST_OK, io_ws_client_dial(world->client, &dial, &world->dialled));
	wait_for(world, opened_or_closed);
	if (world->opened && !world->closed)
		t_int("sent", ST_OK, io_ws_client_send(world->client, world->dialled, true, "hello", 5));
	wait_for(world, decided);
}

static void hang_up(struct world *world)
{
	io_ws_client_close(world->client, world->dialled, 1000, NULL);
	wait_for(world, closed);
}

/* --- */

static void client_certificates_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum io_tls_clients mode;
		const struct t_identity *identity;
		bool opens, shown;
		enum io_tls_verdict verdict;
		unsigned refused;
	} rows[] = {
		{"none is asked for", IO_TLS_CLIENTS_NONE, &good, true, false, 0, 0},
		{"good, where it may be", IO_TLS_CLIENTS_OPTIONAL, &good, true, true, IO_TLS_PEER_GOOD, 0},
		{"none, where it may be", IO_TLS_CLIENTS_OPTIONAL, NULL, true, false, 0, 0},
		{"foreign, where it may be", IO_TLS_CLIENTS_OPTIONAL, &strange, true, true,
		 IO_TLS_PEER_FOREIGN, 0},
		{"of an authority with our name, where it may be", IO_TLS_CLIENTS_OPTIONAL, &called_ours,
		 true, true, IO_TLS_PEER_FOREIGN, 0},
		{"expired, where it may be", IO_TLS_CLIENTS_OPTIONAL, &expired, true, true,
		 IO_TLS_PEER_EXPIRED, 0},
		{"foreign and expired is foreign", IO_TLS_CLIENTS_OPTIONAL, &both, true, true,
		 IO_TLS_PEER_FOREIGN, 0},
		{"a server's, shown by a client", IO_TLS_CLIENTS_OPTIONAL, &server_files, true, true,
		 IO_TLS_PEER_BAD, 0},
		{"good, where it must be", IO_TLS_CLIENTS_REQUIRED, &good, true, true, IO_TLS_PEER_GOOD, 0},
		{"none, where it must be", IO_TLS_CLIENTS_REQUIRED, NULL, false, false, 0, 1},
		{"foreign, where it must be", IO_TLS_CLIENTS_REQUIRED, &strange, false, false, 0, 1},
		{"expired, where it must be", IO_TLS_CLIENTS_REQUIRED, &expired, false, false, 0, 1},
	};
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		bool tls_1_2 = i >= ARRAY_SIZE(rows);
		const __typeof__(rows[0]) *row = &rows[i % ARRAY_SIZE(rows)];
		char name[100];
		snprintf(name, sizeof name, "%s, TLS 1.%d", row->name, tls_1_2 ? 2 : 3);
		t_row(name);
		struct world *world = setup(
			(struct io_http_server_options){.client_certificates = row->mode});
		dial(world, row->identity, tls_1_2, NULL);
		t_int("answered", row->opens, world->messages);
		t_int("shown", row->shown, world->shown);
		const struct io_http_server_stats *stats = io_http_server_stats(world->server);
		t_uint("refused", row->refused, stats->certificates_refused);
		t_uint("failed", row->refused, stats->handshakes_failed);
		t_uint("none under way", 0, stats->handshaking);
		if (row->shown) {
			t_str("verdict", io_tls_verdict_name(row->verdict),
			      io_tls_verdict_name(world->peer.verdict));
			t_str("name", row->identity == &server_files ? "lns" : "0016c001ff10a235",
			      world->peer.common_name);
			uint8_t serial[X509_SERIAL_BYTES];
			x509_serial(serial, (struct wall){SERIAL_S * US_PER_S},
				    (const uint8_t[8]){8, 7, 6, 5, 4, 3, 2, 1});
			size_t zeros = 0; /* an integer has none in front */
			while (serial[zeros] == 0)
				zeros++;
			t_bytes("serial", serial + zeros, sizeof serial - zeros, world->peer.serial,
				world->peer.serial_length);
		}
		teardown(world);
	}
}

static void a_ticket_spares_the_handshake_until_the_files_change(void **state)
{
	(void)state;
	struct world *world = setup(
		(struct io_http_server_options){.client_certificates = IO_TLS_CLIENTS_OPTIONAL});
	for (int version = 0; version < 2; version++) {
		const struct io_http_server_stats *stats = io_http_server_stats(world->server);
		uint64_t resumed = stats->resumed;
		t_row(version ? "TLS 1.2" : "TLS 1.3");
		dial(world, &good, version, NULL);
		t_false("the first is whole", world->resumed);
		hang_up(world);
		dial(world, &good, version, NULL);
		t_true("the second resumes", world->resumed);
		t_true("and is known by its certificate", world->shown);
		t_str("verdict", "good", io_tls_verdict_name(world->peer.verdict));
		hang_up(world);
		t_uint("counted", resumed + 1, stats->resumed);
		dial(world, &good, version, NULL);
		io_ws_id before = world->session;
		t_int("files read again", ST_OK, io_http_server_reload_tls(world->server));
		t_int("the session stays", ST_OK, io_ws_send(world->server, before, true, "a", 1));
		hang_up(world);
		dial(world, &good, version, NULL);
		t_false("nobody resumes what another key sealed", world->resumed);
		t_int("but is let in", 1, world->messages);
		hang_up(world);
	}
	teardown(world);
}

static void copy_file(const char *from, const char *to)
{
	char bytes[X509_PEM_MAX];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	assert_true(in && out);
	size_t length = fread(bytes, 1, sizeof bytes, in);
	assert_int_equal(length, fwrite(bytes, 1, length, out));
	fclose(in);
	fclose(out);
}

static void files_are_read_again_or_the_old_ones_stay(void **state)
{
	(void)state;
	struct world *world = setup(
		(struct io_http_server_options){.client_certificates = IO_TLS_CLIENTS_OPTIONAL});
	char kept[T_PEM_PATH];
	snprintf(kept, sizeof kept, "%s", t_temp("kept.pem"));
	copy_file(city.file, kept);
	t_row("another authority");
	copy_file(foreign.file, city.file);
	t_int("read", ST_OK, io_http_server_reload_tls(world->server));
	copy_file(kept, city.file); /* whom the client trusts */
	dial(world, &good, false, NULL);
	t_str("ours is foreign now", "foreign", io_tls_verdict_name(world->peer.verdict));
	dial(world, &strange, false, NULL);
	t_str("theirs is good", "good", io_tls_verdict_name(world->peer.verdict));
	t_row("a file that is none");
	copy_file(good.key, city.file);
	t_int("refused", ST_INVALID, io_http_server_reload_tls(world->server));
	copy_file(kept, city.file);
	dial(world, &strange, false, NULL);
	t_str("the old ones stay", "good", io_tls_verdict_name(world->peer.verdict));
	teardown(world);
}

static bool failed(void *ctx)
{
	struct world *world = ctx;
	return io_http_server_stats(world->server)->handshakes_failed >= world->want;
}

static void a_client_checks_the_server(void **state)
{
	(void)state;
	struct world *world = setup((struct io_http_server_options){0});
	t_row("not our authority");
	dial(world, NULL, false, foreign.file);
	t_str("reason", "tls_refused", io_ws_reason_name(world->reason));
	t_int("opened", 0, world->opened);
	t_row("no TLS at all");
	snprintf(world->url, sizeof world->url, "ws://127.0.0.1:%u/socket",
		 io_http_server_port(world->server));
	dial(world, NULL, false, NULL);
	t_str("reason", "handshake_failed", io_ws_reason_name(world->reason));
	world->want = 2; /* the client knows before the server does */
	wait_for(world, failed);
	t_row("another name");
	snprintf(world->url, sizeof world->url, "wss://lns.city.example:%u/socket",
		 io_http_server_port(world->server));
	struct io_ws_dial dial = {
		.url = world->url,
		.connect_to = "127.0.0.1",
		.ca_file = city.file,
		.session = {.events = {.on_open = on_open, .on_message = on_echo, .on_close = on_close},
			    .ctx = world},
	};
	world->closed = world->opened = 0;
	assert_int_equal(ST_OK, io_ws_client_dial(world->client, &dial, &world->dialled));
	wait_for(world, closed);
	t_str("reason", "tls_refused", io_ws_reason_name(world->reason));
	t_row("the same, expected under the name it has");
	dial.server_name = "localhost";
	world->closed = world->opened = 0;
	assert_int_equal(ST_OK, io_ws_client_dial(world->client, &dial, &world->dialled));
	wait_for(world, opened_or_closed);
	t_int("opened", 1, world->opened);
	teardown(world);
}

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct world *world = ctx;
	(void)now, (void)call;
	world->answered++;
	world->status = answer->status;
	world->code = answer->code;
	world->body_length = answer->length == 4 ? world->body_length : 0;
}

static bool answered(void *ctx)
{
	return ((struct world *)ctx)->answered > 0;
}

static void a_post_shows_its_certificate(void **state)
{
	(void)state;
	struct world *world = setup(
		(struct io_http_server_options){.client_certificates = IO_TLS_CLIENTS_REQUIRED});
	const struct {
		const char *name;
		const struct t_identity *identity;
		enum status status;
	} rows[] = {{"good", &good, ST_OK}, {"foreign", &strange, ST_UNAVAILABLE}};
	char url[100];
	snprintf(url, sizeof url, "https://cups.city.example:%u/update-info",
		 io_http_server_port(world->server));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		world->answered = 0;
		world->shown = false;
		struct io_http_call call = {.method = IO_HTTP_POST,
					    .url = url,
					    .connect_to = "127.0.0.1",
					    .body = "\0\xff\n\0",
					    .length = 4,
					    .ca_file = city.file,
					    .cert_file = rows[i].identity->cert,
					    .key_file = rows[i].identity->key,
					    .on_done = on_done,
					    .ctx = world};
		assert_int_equal(ST_OK, io_http_client_start(world->http, &call, NULL));
		wait_for(world, answered);
		t_str("the name is checked", "refused", status_name(world->status));
		snprintf(url, sizeof url, "https://localhost:%u/update-info",
			 io_http_server_port(world->server));
		world->answered = 0;
		assert_int_equal(ST_OK, io_http_client_start(world->http, &call, NULL));
		wait_for(world, answered);
		t_str("status", status_name(rows[i].status), status_name(world->status));
		t_int("shown", rows[i].status == ST_OK, world->shown);
		snprintf(url, sizeof url, "https://cups.city.example:%u/update-info",
			 io_http_server_port(world->server));
	}
	teardown(world);
}

/* --- limits */

static int connect_raw(const struct world *world)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(io_http_server_port(world->server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	return fd;
}

static bool raw_closed(void *ctx)
{
	struct world *world = ctx;
	char byte;
	return recv(world->raw, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool accepted(void *ctx)
{
	struct world *world = ctx;
	return io_http_server_stats(world->server)->accepted >= world->want;
}

static bool has_waited(void *ctx)
{
	return io_http_server_stats(((struct world *)ctx)->server)->waited > 0;
}

static bool none_is_left(void *ctx)
{
	return io_http_server_stats(((struct world *)ctx)->server)->connections == 0;
}

static void a_flood_of_handshakes_is_held(void **state)
{
	(void)state;
	struct world *world = setup((struct io_http_server_options){
		.admission = {.handshakes_at_once = 2, .handshake_timeout = 1500000}});
	const struct io_http_server_stats *stats = io_http_server_stats(world->server);
	t_row("two that say nothing, and a third");
	int silent[3];
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = connect_raw(world);
	wait_for(world, has_waited);
	t_uint("under way", 2, stats->handshaking);
	t_uint("accepted", 2, stats->accepted);
	t_uint("one waits", 1, stats->waited);
	t_row("they are cut, and who waited comes in");
	world->want = 3;
	wait_for(world, accepted);
	t_uint("slow ones", 2, stats->handshakes_slow);
	close(silent[2]);
	dial(world, NULL, false, NULL);
	t_int("served", 1, world->messages);
	close(silent[0]);
	close(silent[1]);
	teardown(world);
	t_row("of one source: connections");
	world = setup((struct io_http_server_options){.admission = {.source_connections = 1}});
	stats = io_http_server_stats(world->server);
	dial(world, NULL, false, NULL);
	t_int("the first is served", 1, world->messages);
	world->raw = connect_raw(world);
	wait_for(world, raw_closed);
	close(world->raw);
	t_uint("the second is refused", 1, stats->source_connections);
	hang_up(world);
	wait_for(world, none_is_left);
	dial(world, NULL, false, NULL);
	t_int("then it is served again", 1, world->messages);
	teardown(world);
	t_row("of one source: a rate");
	world = setup((struct io_http_server_options){.admission = {.source_handshakes_per_s = 1}});
	stats = io_http_server_stats(world->server);
	for (int i = 0; i < 5; i++) {
		int fd = connect_raw(world);
		world->want = (uint64_t)i + 1;
		wait_for(world, accepted);
		close(fd);
	}
	t_uint("four in a burst, the fifth is refused", 1, stats->source_rate);
	teardown(world);
}

/* --- memory */

static bool all_open(void *ctx)
{
	struct world *world = ctx;
	return world->opened == IDLE;
}

static bool server_has_all(void *ctx)
{
	struct world *world = ctx;
	return io_ws_stats(world->server)->open == IDLE;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Another process with all the clients, so that this one's heap is the server's alone. */
static pid_t start_clients(const struct world *server)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	struct world world = {.loop = io_loop_new(NULL)};
	world.client = io_ws_client_new(world.loop, NULL);
	for (int i = 0; i < IDLE; i++) {
		struct io_ws_dial dial = {
			.url = server->url,
			.ca_file = city.file,
			.cert_file = good.cert,
			.key_file = good.key,
			.open_timeout = CEILING,
			.tls_1_2_only = i % 2 == 0,
			.session = {
				.events = {.on_open = on_open, .on_message = on_echo, .on_close = on_close},
				.ctx = &world}};
		if (io_ws_client_dial(world.client, &dial, &world.dialled) != ST_OK)
			_exit(1);
	}
	if (!io_loop_run_until(world.loop, all_open, &world, CEILING))
		_exit(2);
	io_loop_run_until(world.loop, never, &world, CEILING); /* until it is killed */
	_exit(0);
}

static void an_idle_session_costs_little(void **state)
{
	(void)state;
	struct world *world = setup((struct io_http_server_options){
		.client_certificates = IO_TLS_CLIENTS_OPTIONAL, .max_connections = IDLE + 10});
	dial(world, &good, false, NULL); /* what is made once */
	hang_up(world);
	size_t before = mallinfo2().uordblks;
	pid_t clients = start_clients(world);
	wait_for(world, server_has_all);
	io_loop_run_until(world->loop, never, world, 100 * US_PER_MS);
	size_t each = (mallinfo2().uordblks - before) / IDLE;
	t_row("TLS session, certificate, WebSocket, connection");
	printf("an idle session takes %zu bytes of heap\n", each);
	t_true("below 40 kB", each < 40000);
	kill(clients, SIGKILL);
	int status;
	assert_int_equal(clients, waitpid(clients, &status, 0));
	teardown(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(client_certificates_are_judged),
		t_test(a_ticket_spares_the_handshake_until_the_files_change),
		t_test(files_are_read_again_or_the_old_ones_stay),
		t_test(a_client_checks_the_server),
		t_test(a_post_shows_its_certificate),
		t_test(a_flood_of_handshakes_is_held),
		t_test(an_idle_session_costs_little),
	};
	signal(SIGPIPE, SIG_IGN); /* as io_harden() does; libcurl writes into connections that we refused */
	make_certificates();
	int code = t_run(tests);
	t_ca_free(&city);
	t_ca_free(&foreign);
	t_ca_free(&namesake);
	return code;
}
