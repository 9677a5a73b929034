/* One thread, two sockets: one that all PUSH_DATA leave by, one for PULL_DATA and what comes down. Every step it sends what is due
 * and takes what came; between steps it sleeps until something comes or a millisecond has passed. Latency counts from when a
 * request was due, so that a late generator is not hidden. */
#include "tests/harness/join_load.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/join_frame.h"
#include "simulator/load_write.h"
#include "simulator/semtech_gateway.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH        64
#define DATAGRAM     320
#define KEEPALIVE_S  5.0
#define COPIES_MAX   8
#define STEP_NS      500000
#define RX1_US       5000000u /* JOIN_ACCEPT_DELAY1; RX2 opens a second later */
#define RX2_US       6000000u
#define DEVICE_STEP  611953u /* a prime that divides no round number */
#define SENT_AT_ONCE 128
#define SOCKET_BYTES (16 << 20)
#define PUSH_ACK     1
#define PULL_RESP    3
#define TX_ACK       5
#define PULL_DATA    2
#define HEADER       12
#define FREQUENCIES  8
#define DATA_RATE_TEXT \
	",\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\",\"rfch\":0,\"chan\":"

struct join {
	double due; /* t_seconds() */
	uint32_t device;
	uint16_t dev_nonce;
	bool answered;
	float latency_ms;
	char data[BASE64_ROOM(LW_JOIN_REQUEST_LENGTH)];
};

/* A copy that was reported: the downlink for it names its tmst and the delay of its window. */
struct copy {
	uint32_t tmst, join, gateway;
};

struct t_join_load {
	struct t_join_load_options options;
	struct aes *aes;
	int up, down;
	double epoch;  /* the gateways' counters were 0 then */
	uint64_t next; /* number of the next join, over all runs */
	uint32_t last_tmst;
	uint16_t token;
	uint16_t *dev_nonces;  /* by device: the last one used */
	uint32_t *join_nonces; /* by device: the greatest one heard */
	/* Of the present run. */
	struct join *joins;
	struct copy *copies;
	uint32_t join_count, copy_count, copy_capacity, pushed, acknowledged;
	double *latency_ms;
	double last_accept;
};

struct lw_eui64 t_join_load_dev_eui(uint32_t device)
{
	return lw_eui64_from_number(UINT64_C(0x4c4a000000000000) + device);
}

struct lw_eui64 t_join_load_gateway(uint32_t gateway)
{
	return lw_eui64_from_number(UINT64_C(0x4c504a4700000000) + gateway);
}

struct lw_key t_join_load_app_key(uint32_t device)
{
	struct lw_key key = {"JoinLoad"};
	for (unsigned i = 0; i < 4; i++)
		key.bytes[15 - i] = (uint8_t)(device >> 8 * i);
	return key;
}

static int open_socket(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int bytes = SOCKET_BYTES;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ASSERT(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	return fd;
}

struct t_join_load *t_join_load_new(const struct t_join_load_options *options)
{
	struct t_join_load *load = calloc(1, sizeof *load);
	ASSERT(load && options->copies <= COPIES_MAX && options->copies <= options->gateways);
	load->options = *options;
	load->aes = aes_new();
	load->dev_nonces = calloc(options->devices, sizeof *load->dev_nonces);
	load->join_nonces = calloc(options->devices, sizeof *load->join_nonces);
	ASSERT(load->aes && load->dev_nonces && load->join_nonces);
	load->up = open_socket(options->port);
	load->down = open_socket(options->port);
	load->epoch = t_seconds();
	return load;
}

void t_join_load_free(struct t_join_load *load)
{
	close(load->up);
	close(load->down);
	aes_free(load->aes);
	free(load->dev_nonces);
	free(load->join_nonces);
	free(load->joins);
	free(load->copies);
	free(load->latency_ms);
	free(load);
}

/* --- datagrams --------------------------------------------------------------------------------------------------- */

static void put_header(struct wr *wr, uint16_t token, uint8_t identifier, uint32_t gateway)
{
	struct lw_eui64 eui = t_join_load_gateway(gateway);
	wr_u8(wr, 2);
	wr_u16be(wr, token);
	wr_u8(wr, identifier);
	wr_copy(wr, eui.bytes, sizeof eui.bytes);
}

static void send_header(struct t_join_load *load, uint16_t token, uint8_t identifier, uint32_t gateway)
{
	uint8_t bytes[HEADER];
	struct wr wr = wr_init(bytes, sizeof bytes);
	put_header(&wr, token, identifier, gateway);
	(void)!send(load->down, bytes, sizeof bytes, 0);
}

void t_join_load_keep_alive(struct t_join_load *load)
{
	for (uint32_t i = 0; i < load->options.gateways; i++)
		send_header(load, ++load->token, PULL_DATA, i);
}

static size_t write_push(struct t_join_load *load, const struct join *join, const struct copy *copy,
			 unsigned place, uint8_t bytes[DATAGRAM])
{
	struct wr wr = wr_init(bytes, DATAGRAM);
	uint32_t channel = join->device % FREQUENCIES, tenths = 39 + 2 * channel;
	put_header(&wr, ++load->token, 0, copy->gateway);
	sim_load_put_text(&wr, "{\"rxpk\":[{\"tmst\":");
	sim_load_put_number(&wr, copy->tmst);
	sim_load_put_text(&wr, place == 0 ? ",\"lsnr\":9.2,\"rssi\":-72" : ",\"lsnr\":-3.5,\"rssi\":-109");
	sim_load_put_text(&wr, DATA_RATE_TEXT);
	sim_load_put_number(&wr, channel);
	sim_load_put_text(&wr, ",\"freq\":90");
	sim_load_put_number(&wr, tenths / 10);
	sim_load_put_text(&wr, ".");
	sim_load_put_number(&wr, tenths % 10);
	sim_load_put_text(&wr, ",\"size\":23,\"data\":\"");
	sim_load_put_text(&wr, join->data);
	sim_load_put_text(&wr, "\"}]}");
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

/* Another gateway for each copy, by chance. */
static uint32_t gateway_of(const struct t_join_load *load, const struct join *join, unsigned place)
{
	uint64_t mixed = ((uint64_t)join->device << 16 | join->dev_nonce) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((mixed >> 32) + place * (load->options.gateways / load->options.copies)) %
	       load->options.gateways;
}

static void send_some(struct t_join_load *load, uint32_t first, uint32_t count)
{
	static uint8_t bytes[SENT_AT_ONCE * COPIES_MAX][DATAGRAM];
	static struct mmsghdr messages[SENT_AT_ONCE * COPIES_MAX];
	static struct iovec parts[SENT_AT_ONCE * COPIES_MAX];
	unsigned made = 0, sent = 0;
	uint32_t tmst = (uint32_t)((t_seconds() - load->epoch) * 1e6);
	for (uint32_t i = first; i < first + count; i++) {
		for (unsigned place = 0; place < load->options.copies; place++) {
			load->last_tmst = tmst > load->last_tmst ? tmst : load->last_tmst + 1;
			struct copy *copy = &load->copies[load->copy_count++];
			*copy = (struct copy){load->last_tmst, i, gateway_of(load, &load->joins[i], place)};
			size_t length = write_push(load, &load->joins[i], copy, place, bytes[made]);
			parts[made] = (struct iovec){bytes[made], length};
			messages[made] = (struct mmsghdr){
				.msg_hdr = {.msg_iov = &parts[made], .msg_iovlen = 1}};
			made++;
		}
	}
	while (sent < made) {
		int now = sendmmsg(load->up, messages + sent, made - sent, 0);
		sent += now > 0 ? (unsigned)now : 0;
	}
	load->pushed += made;
}

/* --- what comes down --------------------------------------------------------------------------------------------- */

static const struct copy *find_copy(const struct t_join_load *load, uint32_t tmst)
{
	uint32_t low = 0, high = load->copy_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (load->copies[middle].tmst < tmst)
			low = middle + 1;
		else
			high = middle;
	}
	return low < load->copy_count && load->copies[low].tmst == tmst ? &load->copies[low] : NULL;
}

/* Whether the device would take it; fills its JoinNonce. */
static bool device_takes(struct t_join_load *load, uint32_t device, const struct sim_txpk *txpk,
			 uint32_t *join_nonce)
{
	struct lw_key key = t_join_load_app_key(device);
	struct lw_join_accept accept;
	uint8_t phy[LW_JOIN_ACCEPT_MAX];
	if (txpk->length > sizeof phy)
		return false;
	memcpy(phy, txpk->phy, txpk->length);
	if (lw_join_accept_decrypt(load->aes, &key, phy, txpk->length) != LW_OK ||
	    lw_join_accept_parse(&accept, phy, txpk->length) != LW_OK)
		return false;
	*join_nonce = accept.join_nonce;
	return lw_mic_equal(lw_mic_join(load->aes, &key, phy, txpk->length - 4), accept.mic);
}

/* The copy that an accept answers: in RX1 or RX2 of its request, and its device takes it (an RX2 may fall on the tmst of RX1 of
 * another request). NULL: none. */
static const struct copy *find_answered(struct t_join_load *load, const struct sim_txpk *txpk,
					uint32_t *join_nonce)
{
	static const uint32_t delays[] = {RX1_US, RX2_US};
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		const struct copy *copy = find_copy(load, txpk->tmst.us - delays[i]);
		if (copy && device_takes(load, load->joins[copy->join].device, txpk, join_nonce))
			return copy;
	}
	return NULL;
}

static void take_accept(struct t_join_load *load, struct t_join_run *run, const uint8_t *bytes, size_t length)
{
	struct sim_down down;
	uint32_t join_nonce = 0;
	double now = t_seconds();
	if (sim_semtech_parse_down(bytes, length, &down) != SIM_DOWN_OK ||
	    down.txpk.timing != SIM_TIMING_TICKS) {
		run->wrong++;
		return;
	}
	const struct copy *copy = find_answered(load, &down.txpk, &join_nonce);
	if (!copy) {
		run->wrong++;
		return;
	}
	struct join *join = &load->joins[copy->join];
	send_header(load, down.token, TX_ACK, copy->gateway);
	if (join->answered && join_nonce == load->join_nonces[join->device]) {
		run->again++;
		return;
	}
	if (join_nonce <= load->join_nonces[join->device])
		run->repeated++;
	load->join_nonces[join->device] = join_nonce;
	join->answered = true;
	join->latency_ms = (float)((now - join->due) * 1e3);
	load->last_accept = now;
	run->answered++;
}

static void receive(struct t_join_load *load, struct t_join_run *run, int fd)
{
	static uint8_t bytes[BATCH][1024];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int count;
	do {
		for (size_t i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){bytes[i], sizeof bytes[i]};
			messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
		}
		count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++) {
			if (messages[i].msg_len >= 4 && bytes[i][3] == PULL_RESP)
				take_accept(load, run, bytes[i], messages[i].msg_len);
			load->acknowledged += messages[i].msg_len >= 4 && bytes[i][3] == PUSH_ACK;
		}
	} while (count == BATCH);
}

/* --- a run ------------------------------------------------------------------------------------------------------- */

static void make_join(struct t_join_load *load, struct join *join)
{
	uint8_t phy[LW_JOIN_REQUEST_LENGTH];
	join->device = (uint32_t)(load->next++ * DEVICE_STEP % load->options.devices);
	join->dev_nonce = ++load->dev_nonces[join->device];
	struct lw_join_request request = {.join_eui = lw_eui64_from_number(T_JOIN_LOAD_EUI),
					  .dev_eui = t_join_load_dev_eui(join->device),
					  .dev_nonce = join->dev_nonce};
	struct lw_key key = t_join_load_app_key(join->device);
	lw_join_request_encode(&request, phy);
	struct lw_mic mic = lw_mic_join(load->aes, &key, phy, sizeof phy - sizeof mic.bytes);
	memcpy(phy + sizeof phy - sizeof mic.bytes, mic.bytes, sizeof mic.bytes);
	base64_encode(join->data, phy, sizeof phy);
}

static void prepare(struct t_join_load *load, uint32_t count)
{
	free(load->joins);
	free(load->copies);
	free(load->latency_ms);
	load->join_count = count;
	load->copy_capacity = count * load->options.copies;
	load->joins = calloc(count, sizeof *load->joins);
	load->copies = calloc(load->copy_capacity, sizeof *load->copies);
	load->latency_ms = calloc(count, sizeof *load->latency_ms);
	ASSERT(load->joins && load->copies && load->latency_ms);
	load->copy_count = load->pushed = load->acknowledged = 0;
	for (uint32_t i = 0; i < count; i++)
		make_join(load, &load->joins[i]);
}

static double thread_cpu_s(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void wait_a_step(const struct t_join_load *load)
{
	struct pollfd wait = {.fd = load->down, .events = POLLIN};
	const struct timespec step = {.tv_nsec = STEP_NS};
	(void)!ppoll(&wait, 1, &step, NULL);
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void collect(struct t_join_load *load, struct t_join_run *run, double start)
{
	size_t count = 0;
	for (uint32_t i = 0; i < load->join_count; i++)
		if (load->joins[i].answered)
			load->latency_ms[count++] = (double)load->joins[i].latency_ms;
	qsort(load->latency_ms, count, sizeof *load->latency_ms, by_double);
	run->latency_ms = load->latency_ms;
	run->unacknowledged = load->pushed - load->acknowledged;
	run->took_s = load->last_accept - start;
}

/* Sends what is due by now. Returns how many have been sent. */
static uint32_t send_due(struct t_join_load *load, struct t_join_run *run, double start, uint32_t sent)
{
	double now = t_seconds();
	uint32_t due = (uint32_t)((now - start) * run->rate) + 1;
	due = due > load->join_count ? load->join_count : due;
	if (sent < due && (now - load->joins[sent].due) * 1e3 > run->lag_ms)
		run->lag_ms = (now - load->joins[sent].due) * 1e3;
	uint32_t count = due - sent < SENT_AT_ONCE ? due - sent : SENT_AT_ONCE;
	if (count > 0)
		send_some(load, sent, count);
	return sent + count;
}

void t_join_load_run(struct t_join_load *load, double rate, double seconds, double quiet_s,
		     struct t_join_run *run)
{
	*run = (struct t_join_run){.rate = rate, .seconds = seconds};
	prepare(load, (uint32_t)(rate * seconds));
	double cpu = thread_cpu_s(), start = t_seconds(), alive = 0;
	for (uint32_t i = 0; i < load->join_count; i++)
		load->joins[i].due = start + i / rate;
	load->last_accept = start;
	for (double quiet = start; run->sent < load->join_count ||
				   (run->answered < load->join_count && t_seconds() - quiet < quiet_s);) {
		if (t_seconds() >= alive) {
			t_join_load_keep_alive(load);
			alive = t_seconds() + KEEPALIVE_S;
		}
		run->sent = send_due(load, run, start, run->sent);
		receive(load, run, load->up);
		receive(load, run, load->down);
		quiet = run->sent < load->join_count || load->last_accept > quiet ? t_seconds() : quiet;
		if (run->sent == load->join_count || load->joins[run->sent].due > t_seconds())
			wait_a_step(load);
	}
	run->cpu_s = thread_cpu_s() - cpu;
	collect(load, run, start);
}
