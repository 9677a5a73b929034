/* Replays against a server that the test plays: what arrives, in which order, from how many sockets, and what is answered to a
 * downlink. Times are looked at as least times alone. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "cli/replay.h"
#include "cli/replay_gap.h"
#include "common/base/pcap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT  256
#define OLD   0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1
#define OTHER 0xaa, 0x55, 0x5a, 0, 0, 0, 2, 2

/* --- the server ------------------------------------------------------------------------------------------------ */

struct came {
	uint8_t bytes[512];
	size_t length;
	uint16_t from;
	double at;
};

static struct {
	int socket;
	uint16_t port;
	pthread_t thread;
	atomic_bool stops;
	bool answers;
	uint8_t ask_version; /* sends a PULL_RESP of that version after each PUSH_DATA; 0: none */
	struct came came[KEPT];
	atomic_size_t count;
} server;

static void answer(const struct came *came, const struct sockaddr_in *to)
{
	uint8_t ack[4] = {came->bytes[0], came->bytes[1], came->bytes[2], came->bytes[3] == 0 ? 1 : 4};
	uint8_t ask[6] = {server.ask_version, 0x7a, 0x7b, 3, '{', '}'};
	if (!server.answers || came->bytes[3] == 5)
		return;
	(void)!sendto(server.socket, ack, sizeof ack, 0, (const struct sockaddr *)to, sizeof *to);
	if (server.ask_version && came->bytes[3] == 0)
		(void)!sendto(server.socket, ask, sizeof ask, 0, (const struct sockaddr *)to, sizeof *to);
}

static void *serve(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&server.stops)) {
		struct pollfd wait = {.fd = server.socket, .events = POLLIN};
		struct sockaddr_in from = {0};
		socklen_t size = sizeof from;
		size_t at = atomic_load(&server.count);
		if (poll(&wait, 1, 10) <= 0 || at == KEPT)
			continue;
		struct came *came = &server.came[at];
		ssize_t length = recvfrom(server.socket, came->bytes, sizeof came->bytes, 0,
					  (struct sockaddr *)&from, &size);
		if (length < 4)
			continue;
		came->length = (size_t)length;
		came->from = ntohs(from.sin_port);
		came->at = t_seconds();
		atomic_store(&server.count, at + 1);
		answer(came, &from);
	}
	return NULL;
}

static void start_server(bool answers, uint8_t ask_version)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	server.socket = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(0, bind(server.socket, (struct sockaddr *)&address, size));
	assert_int_equal(0, getsockname(server.socket, (struct sockaddr *)&address, &size));
	server.port = ntohs(address.sin_port);
	server.answers = answers;
	server.ask_version = ask_version;
	atomic_store(&server.count, 0);
	atomic_store(&server.stops, false);
	assert_int_equal(0, pthread_create(&server.thread, NULL, serve, NULL));
}

static void stop_server(void)
{
	atomic_store(&server.stops, true);
	pthread_join(server.thread, NULL);
	close(server.socket);
}

/* --- captures --------------------------------------------------------------------------------------------------- */

struct line {
	int64_t ms;
	size_t length;
	uint8_t bytes[64];
};

static void write_capture(const char *path, uint32_t link, const struct line *lines, size_t count)
{
	uint8_t bytes[4096];
	struct wr wr = wr_init(bytes, sizeof bytes);
	pcap_write_header(&wr, link);
	for (size_t i = 0; i < count; i++) {
		size_t ip = link == 101 ? 28 : 0;
		pcap_write_record(&wr, (struct wall){INT64_C(1763748000000000) + lines[i].ms * 1000},
				  (uint32_t)(ip + lines[i].length));
		if (ip > 0) {
			const uint8_t head[28] = {
				0x45, 0,    0, (uint8_t)(28 + lines[i].length), [9] = 17, [20] = 0x27, 0x0f,
				0x06, 0xa4, 0, (uint8_t)(8 + lines[i].length)};
			wr_copy(&wr, head, sizeof head);
		}
		wr_copy(&wr, lines[i].bytes, lines[i].length);
	}
	assert_true(wr_ok(&wr));
	FILE *file = fopen(path, "wb");
	assert_true(file && fwrite(bytes, 1, wr_length(&wr), file) == wr_length(&wr));
	fclose(file);
}

static struct replay_result run(const char *path, struct replay_options *options)
{
	struct replay_result result;
	struct capture_file *file;
	options->server = (struct io_address){.family = 4, .bytes = {127, 0, 0, 1}, .port = server.port};
	options->port = 1700;
	if (options->loops == 0)
		options->loops = 1;
	assert_int_equal(0, capture_file_open(&file, path));
	replay_run(&result, file, options);
	capture_file_close(file);
	return result;
}

static char path[64];

static int open_path(void **state)
{
	t_setup(state);
	snprintf(path, sizeof path, "/tmp/lamppost-replay-%d.pcap", (int)getpid());
	return 0;
}

static int close_path(void **state)
{
	(void)unlink(path);
	return t_teardown(state);
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

static const struct line log_lines[] = {
	{0, 12, {2, 0, 1, 2, OLD}},
	{10, 14, {2, 0, 2, 0, OLD, '{', '}'}},
	{20, 14, {1, 0, 3, 0, OTHER, '{', '}'}},
	{30, 4, {2, 0, 9, 1}}, /* an acknowledgement to the server: none of a gateway's */
	{40, 12, {2, 0, 4, 5, OLD}},
};

static void datagrams_leave_as_they_were(void **state)
{
	(void)state;
	write_capture(path, 101, log_lines, ARRAY_SIZE(log_lines));
	start_server(true, 0);
	struct replay_options options = {.map_count = 1,
					 .maps = {{{{OTHER}}, {{0xbb, 0, 0, 0, 0, 0, 0, 7}}}}};
	struct replay_result result = run(path, &options);
	stop_server();
	static const size_t order[] = {0, 1, 2, 4};
	t_row("a datagram log, one gateway of it under another name");
	t_uint("datagrams", 4, atomic_load(&server.count));
	size_t at[4] = {0};
	for (size_t i = 0; i < 4; i++) { /* of each gateway in order; the two may change places */
		struct line wanted = log_lines[order[i]];
		if (order[i] == 2)
			memcpy(wanted.bytes + 4, (const uint8_t[]){0xbb, 0, 0, 0, 0, 0, 0, 7}, 8);
		while (at[i] < atomic_load(&server.count) &&
		       (server.came[at[i]].length != wanted.length ||
			memcmp(server.came[at[i]].bytes, wanted.bytes, wanted.length) != 0))
			at[i]++;
		t_true("the datagram came", at[i] < atomic_load(&server.count));
	}
	t_true("in order", at[0] < at[1] && at[1] < at[3]);
	t_true("each gateway has a socket", server.came[at[0]].from == server.came[at[1]].from &&
						    server.came[at[1]].from != server.came[at[2]].from &&
						    server.came[at[3]].from == server.came[at[0]].from);
	t_uint("gateways", 2, result.gateways);
	t_uint("PUSH_DATA", 2, result.push_data);
	t_uint("acknowledged", 2, result.push_acks);
	t_uint("PULL_DATA", 1, result.pull_data);
	t_uint("acknowledged", 1, result.pull_acks);
	t_uint("TX_ACK", 1, result.tx_ack);
	t_uint("skipped", 1, result.skipped);
	t_uint("of its own", 0, result.keep_alives);
	t_true("reached", result.reached);
}

#define TAP 0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 82, 82, 38, 0x34
static const struct line air[] = {
	{0, 27, {TAP, 0x40, 1, 0, 0, 1, 0, 1, 0, 1, 2, 3, 4}},
	{200, 27, {TAP, 0x60, 1, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4}}, /* a downlink */
	{300, 27, {TAP, 0x40, 1, 0, 0, 1, 0, 2, 0, 5, 6, 7, 8}},
};

static void frames_become_push_data(void **state)
{
	(void)state;
	static const char first[] =
		"{\"rxpk\":[{\"tmst\":0,\"chan\":0,\"rfch\":0,\"freq\":868.100000,\"stat\":1,\"modu\":"
		"\"LORA\","
		"\"datr\":\"SF7BW125\",\"codr\":\"4/5\",\"lsnr\":9.5,\"rssi\":-57,\"size\":12,"
		"\"data\":\"QAEAAAEAAQABAgME\"}]}";
	write_capture(path, 270, air, ARRAY_SIZE(air));
	start_server(true, 0);
	struct replay_options options = {.speed = 2, .has_gateway = true, .gateway = {{OLD}}};
	double start = t_seconds();
	struct replay_result result = run(path, &options);
	stop_server();
	t_row("LoRaTap at twice its speed");
	t_uint("datagrams", 3, atomic_load(&server.count));
	t_uint("PULL_DATA is first", 2, server.came[0].bytes[3]);
	t_bytes("the frame", (const uint8_t *)first, sizeof first - 1, server.came[1].bytes + 12,
		server.came[1].length - 12);
	t_true("the counter is the capture's time",
	       strstr((const char *)server.came[2].bytes + 12, "\"tmst\":300000,") != NULL);
	t_true("not before its time", server.came[2].at - start >= 0.149);
	t_uint("skipped", 1, result.skipped);
	t_uint("frames", 2, result.push_data);
}

static void downlink_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t version;
		unsigned refused;
	} rows[] = {{"version 2: TOO_LATE", 2, 2}, {"version 1 has no word for it", 1, 0}};
	write_capture(path, 270, air, ARRAY_SIZE(air));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start_server(true, rows[i].version);
		struct replay_options options = {
			.linger = US_PER_S / 4, .has_gateway = true, .gateway = {{OLD}}};
		struct replay_result result = run(path, &options);
		stop_server();
		static const char body[] = "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}";
		unsigned answers = 0;
		t_row(rows[i].name);
		for (size_t k = 0; k < atomic_load(&server.count); k++) {
			const struct came *came = &server.came[k];
			if (came->bytes[3] != 5)
				continue;
			answers++;
			t_bytes("head", (const uint8_t[]){2, 0x7a, 0x7b, 5, OLD}, 12, came->bytes, 12);
			t_bytes("body", (const uint8_t *)body, sizeof body - 1, came->bytes + 12,
				came->length - 12);
		}
		t_uint("asked", 2, result.pull_resps);
		t_uint("refused", rows[i].refused, result.refused);
		t_uint("answers", rows[i].refused, answers);
	}
}

static void frames_of_one_device_are_kept_apart(void **state)
{
	(void)state;
	write_capture(path, 270, air, ARRAY_SIZE(air));
	start_server(true, 0);
	struct replay_options options = {
		.gap = US_PER_S / 5, .loops = 2, .has_gateway = true, .gateway = {{OLD}}};
	double start = t_seconds();
	struct replay_result result = run(path, &options);
	stop_server();
	t_row("as fast as may be, twice");
	t_uint("frames", 4, result.push_data);
	for (size_t i = 2; i < 5 && i < atomic_load(&server.count); i++)
		t_true("apart", server.came[i].at - start >= 0.199 * (double)(i - 1));
	t_true("the second round goes on behind the first",
	       strstr((const char *)server.came[3].bytes + 12, "\"tmst\":1300000,") != NULL);
}

static void rate_holds_for_a_gateway(void **state)
{
	(void)state;
	struct line many[50];
	for (size_t i = 0; i < 50; i++)
		many[i] = (struct line){0, 12, {2, 0, (uint8_t)i, 2, OLD}};
	write_capture(path, 101, many, 50);
	start_server(true, 0);
	struct replay_options options = {.rate = 100, .loops = 3};
	double start = t_seconds();
	struct replay_result result = run(path, &options);
	double took = t_seconds() - start;
	stop_server();
	t_row("150 datagrams at 100 a second after a burst of 100");
	t_uint("sent", 150, result.pull_data);
	t_true("not faster", took >= 0.48);
}

static void copies_are_not_kept_apart(void **state)
{
	(void)state;
	static const uint8_t first[] = {0x40, 1, 0, 0, 1, 0, 1, 0, 1, 2, 3, 4},
			     next[] = {0x40, 1, 0, 0, 1, 0, 2, 0, 1, 2, 3, 4};
	static const uint8_t join[23] = {0};
	struct replay_gap gap;
	struct capture_item item = {.kind = CAPTURE_FRAME_UP, .bytes = first, .length = sizeof first};
	replay_gap_init(&gap, 1000);
	t_row("the first frame of a device");
	t_int("at once", 0, replay_gap_allows(&gap, &item).us);
	replay_gap_sent(&gap, &item, (struct mono){5000});
	t_row("a copy");
	t_int("at once", 0, replay_gap_allows(&gap, &item).us);
	t_row("the next frame");
	item.bytes = next;
	t_int("later", 6000, replay_gap_allows(&gap, &item).us);
	t_row("a join-request is another's");
	item.bytes = join;
	item.length = sizeof join;
	t_int("at once", 0, replay_gap_allows(&gap, &item).us);
	replay_gap_release(&gap);
}

int main(void)
{
#define WITH_PATH(f)                               \
	{                                          \
#f, f, open_path, close_path, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_PATH(datagrams_leave_as_they_were), WITH_PATH(frames_become_push_data),
		WITH_PATH(downlink_is_refused),          WITH_PATH(frames_of_one_device_are_kept_apart),
		WITH_PATH(rate_holds_for_a_gateway),     t_test(copies_are_not_kept_apart),
	};
	return t_run(tests);
}
