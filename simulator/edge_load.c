/* Every millisecond the uplinks that are due by then are built, and each goes into the open datagram of every gateway that hears it; the
 * datagrams leave in one sendmmsg. A datagram holds what one gateway heard in that millisecond, as forwarders pack it. Text that does not
 * change is copied, not printed: at 30,000 uplinks/s the generator must stay small beside what it measures. */
#include "simulator/edge_load.h"

#include "simulator/load_session.h"
#include "simulator/load_write.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/io/address.h"
#include "common/io/clock.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_US        INT64_C(1000)
#define KEEPALIVE_US   INT64_C(5000000)
#define GRACE_US       INT64_C(1000000)
#define LAG_US         INT64_C(50000) /* later than that, and the generator was the bottleneck */
#define DATAGRAM_BYTES 1400
#define RXPK_BYTES     280 /* room that one more entry needs */
#define SECONDS_MAX    3600
#define BATCH          64

struct gateway {
	struct lw_eui64 eui;
	int down; /* its own socket for PULL_DATA and downlinks, as forwarders have: it says whose a PULL_RESP is */
	size_t length; /* of the open datagram; 0: none */
	uint8_t datagram[DATAGRAM_BYTES];
};

struct load {
	const struct sim_load_options *options;
	struct aes *aes;
	int socket; /* of all PUSH_DATA */
	int epoll;  /* of the gateways' own */
	struct gateway *gateways;
	struct sim_load_ears ears;
	struct gateway **open; /* those with an open datagram */
	size_t open_count;
	uint32_t copies;
	uint16_t token;
	uint64_t uplinks, confirmed, entries, push_data, push_acks, pull_data, pull_acks, pull_resp,
		send_errors;
	uint64_t per_second[SECONDS_MAX];
	int64_t max_lag_us;
	struct mono start; /* uplink k was due k / rate after that */
};

/* --- datagrams ---------------------------------------------------------------------------------------------- */

static void put_header(struct wr *wr, uint16_t token, uint8_t identifier, const struct lw_eui64 *eui)
{
	wr_u8(wr, 2);
	wr_u16be(wr, token);
	wr_u8(wr, identifier);
	wr_copy(wr, eui->bytes, sizeof eui->bytes);
}

static void close_all(struct load *load)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	size_t at = 0;
	while (at < load->open_count) {
		unsigned count = 0;
		for (; count < BATCH && at + count < load->open_count; count++) {
			struct gateway *gateway = load->open[at + count];
			memcpy(gateway->datagram + gateway->length, "]}", 2);
			parts[count] = (struct iovec){gateway->datagram, gateway->length + 2};
			messages[count] = (struct mmsghdr){
				.msg_hdr = {.msg_iov = &parts[count], .msg_iovlen = 1}};
			gateway->length = 0;
		}
		int sent = sendmmsg(load->socket, messages, count, 0);
		unsigned good = sent > 0 ? (unsigned)sent : 0;
		load->push_data += good;
		load->send_errors += count - good;
		at += count;
	}
	load->open_count = 0;
}

static void add_entry(struct load *load, struct gateway *gateway, uint32_t copy, uint32_t tmst,
		      const char *common)
{
	if (gateway->length + RXPK_BYTES > DATAGRAM_BYTES)
		close_all(load);
	bool first = gateway->length == 0;
	struct wr wr = wr_init(gateway->datagram, DATAGRAM_BYTES - 2);
	if (first) {
		load->open[load->open_count++] = gateway;
		put_header(&wr, ++load->token, 0, &gateway->eui);
		sim_load_put_text(&wr, "{\"rxpk\":[");
	} else {
		wr.at += gateway->length;
		sim_load_put_text(&wr, ",");
	}
	sim_load_put_text(&wr, "{\"tmst\":");
	sim_load_put_number(&wr, tmst);
	sim_load_put_text(&wr, copy % 2 == 0 ? ",\"lsnr\":9.2,\"rssi\":-72" : ",\"lsnr\":-3.5,\"rssi\":-109");
	sim_load_put_text(&wr, common);
	ASSERT(wr_ok(&wr));
	gateway->length = wr_length(&wr);
	load->entries++;
}

static void send_uplink(struct load *load, uint64_t k, int64_t at_us)
{
	const struct sim_load_options *options = load->options;
	uint32_t number = options->first_device + (uint32_t)(k % options->devices);
	uint32_t fcnt = options->first_fcnt + (uint32_t)(k / options->devices);
	uint32_t channel = sim_load_channel(number, fcnt);
	struct sim_load_answer *answer = &load->ears.answers[number - options->first_device];
	uint8_t phy[SIM_LOAD_PHY_MAX];
	char common[RXPK_BYTES];
	struct wr wr = wr_init((uint8_t *)common, sizeof common);
	bool confirmed = sim_load_is_confirmed(number, fcnt, options->confirmed_permille);
	load->confirmed += confirmed;
	size_t length = sim_load_uplink(load->aes, number, fcnt, confirmed, answer, phy);
	if (answer->length || answer->ack) /* else its page stays untouched */
		*answer = (struct sim_load_answer){.length = 0};
	sim_load_put_text(
		&wr,
		",\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\",\"rfch\":0,\"chan\":");
	sim_load_put_number(&wr, channel - 8);
	sim_load_put_text(&wr, ",\"freq\":90");
	sim_load_put_number(&wr, (39 + 2 * (channel - 8)) / 10);
	sim_load_put_text(&wr, ".");
	sim_load_put_number(&wr, (39 + 2 * (channel - 8)) % 10);
	sim_load_put_text(&wr, ",\"size\":");
	sim_load_put_number(&wr, (uint32_t)length);
	sim_load_put_text(&wr, ",\"data\":\"");
	char data[BASE64_ROOM(sizeof phy)];
	base64_encode(data, phy, length);
	sim_load_put_text(&wr, data);
	sim_load_put_text(&wr, "\"}");
	wr_u8(&wr, 0);
	ASSERT(wr_ok(&wr));
	for (uint32_t copy = 0; copy < load->copies; copy++) {
		struct gateway *gateway = &load->gateways[(number + copy) % options->gateways];
		add_entry(load, gateway, copy, (uint32_t)(at_us + copy), common);
	}
	load->uplinks++;
}

static void keep_alive(struct load *load)
{
	for (uint32_t i = 0; i < load->options->gateways; i++) {
		uint8_t datagram[12];
		struct wr wr = wr_init(datagram, sizeof datagram);
		put_header(&wr, ++load->token, 2, &load->gateways[i].eui);
		if (send(load->gateways[i].down, datagram, sizeof datagram, 0) == sizeof datagram)
			load->pull_data++;
	}
}

/* A downlink is accepted at once, and its device hears it. */
static void answer_downlink(struct load *load, const struct gateway *gateway, const uint8_t *bytes,
			    size_t length)
{
	uint8_t datagram[12];
	struct wr wr = wr_init(datagram, sizeof datagram);
	put_header(&wr, (uint16_t)(bytes[1] << 8 | bytes[2]), 5, &gateway->eui);
	(void)!send(gateway->down, datagram, sizeof datagram, 0);
	load->pull_resp++;
	sim_load_take_pull_resp(&load->ears, load->aes, bytes, length);
}

static void receive_down(struct load *load)
{
	struct epoll_event events[BATCH];
	uint8_t bytes[2048];
	int count = epoll_wait(load->epoll, events, BATCH, 0);
	for (int i = 0; i < count; i++) {
		const struct gateway *gateway = &load->gateways[events[i].data.u32];
		ssize_t length;
		while ((length = recv(gateway->down, bytes, sizeof bytes, MSG_DONTWAIT)) >= 4) {
			if (bytes[3] == 4)
				load->pull_acks++;
			else if (bytes[3] == 3)
				answer_downlink(load, gateway, bytes, (size_t)length);
		}
	}
}

static void receive(struct load *load)
{
	static uint8_t buffers[BATCH][2048];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	for (;;) {
		for (size_t i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){buffers[i], sizeof buffers[i]};
			messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
		}
		int count = recvmmsg(load->socket, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++) {
			if (messages[i].msg_len < 4)
				continue;
			load->push_acks += buffers[i][3] == 1;
		}
		if (count < BATCH)
			return;
	}
}

/* --- the run ------------------------------------------------------------------------------------------------ */

static void run(struct load *load)
{
	const struct sim_load_options *options = load->options;
	struct mono start = load->start = clock_mono();
	int64_t length_us = (int64_t)(options->seconds * 1e6), keepalive_us = 0;
	uint64_t total = (uint64_t)(options->rate * options->seconds + 0.5);
	for (;;) {
		int64_t now_us = mono_since(clock_mono(), start);
		if (now_us >= keepalive_us) {
			keep_alive(load);
			keepalive_us += KEEPALIVE_US;
		}
		uint64_t due = (uint64_t)((double)now_us * options->rate / 1e6);
		due = due > total ? total : due;
		if (load->uplinks < due) {
			int64_t first_due_us = (int64_t)((double)load->uplinks * 1e6 / options->rate);
			int64_t lag_us = now_us - first_due_us;
			load->max_lag_us = lag_us > load->max_lag_us ? lag_us : load->max_lag_us;
		}
		for (uint64_t sent = 0; load->uplinks < due && sent < 256; sent++) {
			size_t second = (size_t)(now_us / 1000000);
			load->per_second[second < SECONDS_MAX ? second : SECONDS_MAX - 1]++;
			send_uplink(load, load->uplinks, now_us);
		}
		close_all(load);
		receive(load);
		receive_down(load);
		if (load->uplinks == total && now_us >= length_us)
			return;
		if (load->uplinks >= due) {
			struct timespec step = {.tv_nsec = STEP_US * 1000};
			(void)!ppoll(NULL, 0, &step, NULL);
		}
	}
}

static void wait_for_acks(struct load *load)
{
	struct mono start = clock_mono();
	while (load->push_acks < load->push_data && mono_since(clock_mono(), start) < GRACE_US) {
		struct pollfd wait = {.fd = load->socket, .events = POLLIN};
		(void)!poll(&wait, 1, 10);
		receive(load);
	}
}

static int report(const struct load *load)
{
	const struct sim_load_options *options = load->options;
	bool bottleneck = load->max_lag_us > LAG_US || load->send_errors > 0;
	uint64_t unanswered = load->push_data > load->push_acks ? load->push_data - load->push_acks : 0;
	json_t *root = json_object(), *seconds = json_array();
	json_object_set_new(root, "rate", json_real(options->rate));
	json_object_set_new(root, "seconds", json_real(options->seconds));
	json_object_set_new(root, "devices", json_integer(options->devices));
	json_object_set_new(root, "first_device", json_integer(options->first_device));
	json_object_set_new(root, "first_fcnt", json_integer(options->first_fcnt));
	json_object_set_new(root, "started_us", json_integer(load->start.us));
	json_object_set_new(root, "copies", json_integer(load->copies));
	json_object_set_new(root, "uplinks", json_integer((json_int_t)load->uplinks));
	json_object_set_new(root, "confirmed", json_integer((json_int_t)load->confirmed));
	json_object_set_new(root, "rxpk", json_integer((json_int_t)load->entries));
	json_object_set_new(root, "push_data", json_integer((json_int_t)load->push_data));
	json_object_set_new(root, "push_acks", json_integer((json_int_t)load->push_acks));
	json_object_set_new(root, "unanswered", json_integer((json_int_t)unanswered));
	json_object_set_new(root, "pull_acks", json_integer((json_int_t)load->pull_acks));
	json_object_set_new(root, "pull_resp", json_integer((json_int_t)load->pull_resp));
	json_object_set_new(root, "downlinks", json_integer((json_int_t)load->ears.downlinks));
	json_object_set_new(root, "bad_downlinks", json_integer((json_int_t)load->ears.bad_downlinks));
	json_object_set_new(root, "mac_answers", json_integer((json_int_t)load->ears.mac_answers));
	json_object_set_new(root, "send_errors", json_integer((json_int_t)load->send_errors));
	json_object_set_new(root, "max_lag_ms", json_real((double)load->max_lag_us / 1e3));
	json_object_set_new(root, "generator_was_bottleneck", json_boolean(bottleneck));
	for (size_t i = 0; i < SECONDS_MAX && (double)i < options->seconds; i++)
		json_array_append_new(seconds, json_integer((json_int_t)load->per_second[i]));
	json_object_set_new(root, "per_second", seconds);
	int failed = options->report_file != NULL &&
		     json_dump_file(root, options->report_file, JSON_INDENT(1)) != 0;
	json_decref(root);
	printf("sent %llu uplinks (%llu rxpk in %llu PUSH_DATA), %llu unanswered, lag at most %.1f ms%s\n",
	       (unsigned long long)load->uplinks, (unsigned long long)load->entries,
	       (unsigned long long)load->push_data, (unsigned long long)unanswered,
	       (double)load->max_lag_us / 1e3, bottleneck ? ": the generator was the bottleneck" : "");
	if (failed)
		fprintf(stderr, "lamppost-sim: %s: cannot be written\n", options->report_file);
	return failed || load->push_data == 0 ? 1 : 0;
}

static int open_socket(const char *bridge)
{
	struct io_address address;
	struct sockaddr_storage to;
	int buffer = 8 << 20;
	if (io_address_parse_pair(bridge, &address) != ST_OK) {
		fprintf(stderr, "lamppost-sim: --bridge %s: expected HOST:PORT, numeric\n", bridge);
		return -1;
	}
	socklen_t length = (socklen_t)io_address_to_sockaddr(&address, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	}
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, length) != 0) {
		fprintf(stderr, "lamppost-sim: %s: %s\n", bridge, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool open_down(struct load *load)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)!setrlimit(RLIMIT_NOFILE, &limit);
	}
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; load->epoll >= 0 && i < load->options->gateways; i++) {
		struct gateway *gateway = &load->gateways[i];
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
		gateway->down = open_socket(load->options->bridge);
		if (gateway->down < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, gateway->down, &event) != 0)
			return false;
	}
	return load->epoll >= 0;
}

static void close_sockets(struct load *load)
{
	for (uint32_t i = 0; i < load->options->gateways; i++)
		if (load->gateways[i].down >= 0)
			close(load->gateways[i].down);
	if (load->epoll >= 0)
		close(load->epoll);
	if (load->socket >= 0)
		close(load->socket);
}

int sim_edge_load(const struct sim_load_options *options)
{
	struct load *load = calloc(1, sizeof *load);
	ASSERT(load != NULL);
	load->options = options;
	load->copies = options->copies ? options->copies : 3;
	if (load->copies > options->gateways)
		load->copies = options->gateways;
	load->gateways = calloc(options->gateways, sizeof *load->gateways);
	load->open = calloc(options->gateways, sizeof(struct gateway *));
	load->aes = aes_new();
	load->ears = (struct sim_load_ears){.first = options->first_device, .count = options->devices};
	load->ears.answers = calloc(options->devices, sizeof *load->ears.answers);
	ASSERT(load->gateways != NULL && load->open != NULL && load->aes != NULL &&
	       load->ears.answers != NULL);
	for (uint32_t i = 0; i < options->gateways; i++) {
		load->gateways[i].eui = lw_eui64_from_number(UINT64_C(0x4c50475700000000) + i);
		load->gateways[i].down = -1;
	}
	load->epoll = -1;
	load->socket = open_socket(options->bridge);
	int exit_code = 1;
	if (load->socket >= 0 && open_down(load)) {
		run(load);
		wait_for_acks(load);
		exit_code = report(load);
	}
	close_sockets(load);
	aes_free(load->aes);
	free(load->ears.answers);
	free(load->open);
	free(load->gateways);
	free(load);
	return exit_code;
}
