/* The real network server and a join server on join.sock that does everything wrong: answers twice, in the wrong order, under another's
 * TransactionID, with garbage, half of one, too late, or not at all. What must hold: a device that is answered well once gets one accept,
 * whatever came before; a late one gets none; nobody is asked for again under another TransactionID, nor once the answer is no; and the
 * joins beside them get theirs. This program is the join server, the bridge and the application server. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/crypto/aes.h"
#include "common/io/key_file.h"
#include "common/lorawan/join_frame.h"
#include "tests/harness/link_peer.h"
#include "tests/harness/process.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES     32
#define STAGGER   0.35 /* seconds between the devices */
#define HOLD_FROM 4.9  /* seconds after a join-request: the last call before it is given up */
#define HOLD_TO   5.95 /* the accept's second window has passed by then */

/* What the first call of a device gets; every further one gets a good answer, unless it says otherwise. */
enum fault {
	GOOD,
	TWICE,
	SWAPPED,
	TRANSACTION,
	SENDER,
	TYPE,
	GARBAGE,
	NO_HTTP,
	BROKEN,
	TOO_LONG,
	HALF,
	CLOSED,
	NOTIFIED,
	SILENT,
	LATE,
	REFUSED
};

static const struct row {
	const char *name;
	enum fault fault;
	unsigned accepts; /* that it is to get */
} rows[] = {
	{"answered when it is too late", LATE, 0},
	{"answered twice", TWICE, 1},
	{"behind one that was answered twice", GOOD, 1},
	{"its answer goes to another", SWAPPED, 1},
	{"the other's answer comes for it", SWAPPED, 1},
	{"under another TransactionID", TRANSACTION, 1},
	{"in the name of another join server", SENDER, 1},
	{"with the answer to a rejoin-request", TYPE, 1},
	{"with garbage", GARBAGE, 1},
	{"with what is no HTTP", NO_HTTP, 1},
	{"beside that", GOOD, 1},
	{"with a good body under 500", BROKEN, 1},
	{"with more than a message may have", TOO_LONG, 1},
	{"with half an answer, then hung up", HALF, 1},
	{"hung up at once", CLOSED, 1},
	{"beside that", GOOD, 1},
	{"with an ErrorNotif", NOTIFIED, 1},
	{"refused", REFUSED, 0},
	{"not at all, once", SILENT, 1},
	{"behind that", GOOD, 1},
};

/* What came of each. */
static struct device {
	double sent_at;
	unsigned asked, got;
	uint32_t transaction;
	bool renamed; /* asked for under another TransactionID */
} devices[ARRAY_SIZE(rows)];

static char dir[T_DIR_MAX], network_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48],
	join_sock[T_DIR_MAX + 32], config[T_DIR_MAX + 32];
static struct t_process *server;
static struct t_peer bridge, app;
static struct proto_message out, in;
static uint8_t kek[16];
static unsigned strange; /* accepts of nobody */

/* --- the join server ------------------------------------------------------------------------------------------- */

static struct line {
	int fd; /* 0: free */
	size_t used;
	char bytes[65536];
} lines[LINES];
static int listener;

/* An answer that is kept back. */
static struct {
	struct line *line;
	struct bi_message request;
} swapped, held;

static void open_listener(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", join_sock);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
		    listen(listener, 16) == 0);
}

static void hang_up(struct line *line)
{
	close(line->fd);
	line->fd = 0;
	if (swapped.line == line)
		swapped.line = NULL;
	if (held.line == line)
		held.line = NULL;
}

static void say(struct line *line, const char *bytes, size_t length)
{
	if (line->fd) /* it may be gone: that shows when it is read */
		(void)!send(line->fd, bytes, length, MSG_NOSIGNAL);
}

static void say_http(struct line *line, int code, const char *body, size_t length, size_t announced)
{
	static char text[65536];
	int head = snprintf(text, sizeof text,
			    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			    code, announced);
	memcpy(text + head, body, length);
	say(line, text, (size_t)head + length);
}

static size_t device_of(const struct bi_message *request)
{
	size_t i = (size_t)(lw_eui64_number(&request->join_req.dev_eui) - 0x1000);
	assert_true(i < ARRAY_SIZE(devices));
	return i;
}

static struct bi_message good_answer(const struct bi_message *request)
{
	static const uint8_t key[16] = {5};
	struct bi_message answer = {.envelope = bi_answer_envelope(&request->envelope)};
	struct bi_join_ans *join = &answer.join_ans;
	join->phy_length = LW_JOIN_ACCEPT_LENGTH;
	join->phy_payload[0] = 0x20;
	join->phy_payload[1] = (uint8_t)device_of(request);
	join->nwk_s_key.length = join->app_s_key.length = BI_KEY_WRAPPED;
	snprintf(join->nwk_s_key.label, BI_LABEL_TEXT, "network");
	snprintf(join->app_s_key.label, BI_LABEL_TEXT, "application");
	assert_int_equal(AES_WRAP_OK, aes_wrap(kek, sizeof kek, key, sizeof key, join->nwk_s_key.key));
	return answer;
}

static void say_message(struct line *line, int code, const struct bi_message *message, size_t cut)
{
	char text[BI_WRITTEN_MAX];
	size_t length = bi_write(message, text, sizeof text);
	assert_true(length > 0);
	say_http(line, code, text, length / cut, length);
}

static void say_good(struct line *line, const struct bi_message *request)
{
	struct bi_message answer = good_answer(request);
	say_message(line, 200, &answer, 1);
}

static void say_swapped(struct line *line, const struct bi_message *request)
{
	if (!swapped.line) {
		swapped.line = line;
		swapped.request = *request;
		return;
	}
	say_good(swapped.line, request);
	say_good(swapped.line, &swapped.request);
	swapped.line = NULL;
}

static void say_wrong(struct line *line, const struct bi_message *request, enum fault fault)
{
	static const char filler[40000];
	struct bi_message answer = good_answer(request);
	switch (fault) {
	case TWICE:
		say_message(line, 200, &answer, 1);
		say_message(line, 200, &answer, 1);
		return;
	case SWAPPED: say_swapped(line, request); return;
	case TRANSACTION: answer.envelope.transaction_id++; break;
	case SENDER: snprintf(answer.envelope.sender_id, BI_ID_TEXT, "70b3d57ed0000099"); break;
	case TYPE: answer.envelope.type = BI_REJOIN_ANS; break;
	case NOTIFIED:
		answer.envelope.type = BI_ERROR_NOTIF;
		answer.envelope.result = BI_MALFORMED;
		break;
	case REFUSED: answer.envelope.result = BI_MIC_FAILED; break;
	case GARBAGE: say_http(line, 200, "<html>It works!</html>", 22, 22); return;
	case NO_HTTP: say(line, "SSH-2.0-OpenSSH_9.2\r\n\r\n", 23); return;
	case BROKEN: say_message(line, 500, &answer, 1); return;
	case TOO_LONG: say_http(line, 200, filler, sizeof filler, sizeof filler); return;
	case HALF:
		say_message(line, 200, &answer, 2);
		hang_up(line);
		return;
	case CLOSED: hang_up(line); return;
	case GOOD:
	case LATE:
	case SILENT: return;
	}
	say_message(line, 200, &answer, 1);
}

static void on_request(struct line *line, const struct bi_message *request)
{
	size_t i = device_of(request);
	enum fault fault = rows[i].fault;
	struct device *device = &devices[i];
	device->renamed |= device->asked > 0 && device->transaction != request->envelope.transaction_id;
	device->transaction = request->envelope.transaction_id;
	device->asked++;
	if (fault == LATE) {
		if (t_seconds() - device->sent_at < HOLD_FROM) {
			say_http(line, 503, "", 0, 0);
		} else {
			held.line = line;
			held.request = *request;
		}
	} else if (fault != GOOD && (device->asked == 1 || fault == REFUSED)) {
		say_wrong(line, request, fault);
	} else {
		say_good(line, request);
	}
}

/* Takes one whole request out of what was read. */
static bool take_request(struct line *line)
{
	struct bi_message request;
	struct bi_error error;
	line->bytes[line->used] = '\0';
	const char *body = line->fd ? strstr(line->bytes, "\r\n\r\n") : NULL;
	const char *announced = body ? strstr(line->bytes, "Content-Length: ") : NULL;
	if (!announced || announced > body)
		return false;
	size_t length = strtoul(announced + 16, NULL, 10), before = (size_t)(body + 4 - line->bytes);
	if (line->used < before + length)
		return false;
	assert_true(bi_read(line->bytes + before, length, &request, &error));
	line->used -= before + length;
	memmove(line->bytes, line->bytes + before + length, line->used);
	on_request(line, &request);
	return true;
}

static void take_line(void)
{
	struct line *line = lines;
	while (line < lines + LINES && line->fd)
		line++;
	assert_true(line < lines + LINES);
	line->fd = accept(listener, NULL, NULL);
	line->used = 0;
	assert_true(line->fd >= 0);
}

static void read_line(struct line *line)
{
	ssize_t some = recv(line->fd, line->bytes + line->used, sizeof line->bytes - 1 - line->used, 0);
	if (some <= 0) {
		hang_up(line);
		return;
	}
	line->used += (size_t)some;
	while (take_request(line))
		;
}

/* --- the bridge -------------------------------------------------------------------------------------------------- */

static void note_downlink(const struct gw_downlink *downlink)
{
	size_t i = downlink->phy[1];
	if (downlink->phy_length != LW_JOIN_ACCEPT_LENGTH || downlink->phy[0] != 0x20 ||
	    i >= ARRAY_SIZE(devices))
		strange++;
	else
		devices[i].got++;
}

/* Serves everybody for a moment. */
static void serve(void)
{
	struct pollfd fds[LINES + 3] = {{.fd = listener, .events = POLLIN},
					{.fd = bridge.fd, .events = POLLIN},
					{.fd = app.fd, .events = POLLIN}};
	for (size_t i = 0; i < LINES; i++)
		fds[i + 3] = (struct pollfd){.fd = lines[i].fd ? lines[i].fd : -1, .events = POLLIN};
	(void)poll(fds, ARRAY_SIZE(fds), 10);
	if (fds[0].revents)
		take_line();
	if (fds[1].revents)
		while (t_peer_receive(&bridge, &in, 0.001))
			if (in.kind == PROTO_GATEWAY_DOWNLINK)
				note_downlink(&in.gateway_downlink);
	if (fds[2].revents)
		while (t_peer_receive(&app, &in, 0.001))
			;
	for (size_t i = 0; i < LINES; i++)
		if (fds[i + 3].revents && lines[i].fd == fds[i + 3].fd)
			read_line(&lines[i]);
	if (held.line && t_seconds() - devices[0].sent_at > HOLD_TO) {
		say_good(held.line, &held.request);
		held.line = NULL;
	}
}

static void join(size_t i)
{
	const struct lw_join_request request = {.join_eui = lw_eui64_from_number(0x70b3d57ed0000001),
						.dev_eui = lw_eui64_from_number(0x1000 + i),
						.dev_nonce = 1};
	memset(&out, 0, sizeof out);
	struct gw_uplink *uplink = &out.gateway_uplink;
	uplink->phy_length = (uint8_t)lw_join_request_encode(&request, uplink->phy);
	uplink->gateway = lw_eui64_from_number(0x6a00 + i);
	uplink->freq_hz = 868100000;
	uplink->modulation = (struct lw_modulation){
		.kind = LW_LORA, .spreading_factor = 7, .bandwidth_hz = 125000, .code_rate = "4/5"};
	uplink->ticks.us = (uint32_t)(int64_t)(t_seconds() * 1e6);
	uplink->rssi_dbm = -60;
	uplink->arrival.us = INT64_C(1800000000) * US_PER_S;
	devices[i].sent_at = t_seconds();
	assert_true(t_peer_send(&bridge, PROTO_GATEWAY_UPLINK, &out));
}

/* --- the city -------------------------------------------------------------------------------------------------------- */

static void register_all(void)
{
	uint64_t version = 1;
	memset(&out, 0, sizeof out);
	out.state_begin = (struct net_state_begin){.city = {{7}}, .full = true};
	t_peer_send(&app, PROTO_STATE_BEGIN, &out);
	out.profile = (struct net_profile){.version = version,
					   .id = {{1}},
					   .mac_version = LW_MAC_1_0_4,
					   .region_id = "eu868",
					   .rx_delay_s = 1,
					   .rx2_dr = 255};
	net_profile_defaults(&out.profile);
	t_peer_send(&app, PROTO_PROFILE, &out);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		version++;
		out.gateway = (struct net_gateway){.version = version,
						   .gateway = {.eui = lw_eui64_from_number(0x6a00 + i),
							       .region_id = "eu868",
							       .accept = GW_ACCEPT_UDP}};
		t_peer_send(&app, PROTO_GATEWAY, &out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		version++;
		memset(&out, 0, sizeof out);
		out.device = (struct net_device){.version = version,
						 .dev_eui = lw_eui64_from_number(0x1000 + i),
						 .join_eui = lw_eui64_from_number(0x70b3d57ed0000001),
						 .enabled = true,
						 .profile = {{1}},
						 .activation = NET_OTAA};
		t_peer_send(&app, PROTO_DEVICE, &out);
	}
	out.state_end = (struct net_state_end){version};
	t_peer_send(&app, PROTO_STATE_END, &out);
	t_true("applied", t_peer_expect(&app, PROTO_STATE_APPLIED, &in));
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		memset(&out, 0, sizeof out);
		out.gateway_presence = (struct gw_presence){
			.gateway = lw_eui64_from_number(0x6a00 + i), .online = true, .known = true};
		t_peer_send(&bridge, PROTO_GATEWAY_PRESENCE, &out);
	}
}

static void start(void)
{
	char kek_file[T_DIR_MAX + 48];
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(network_sock, sizeof network_sock, "%s/run/network.sock", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/network-server.admin.sock", dir);
	snprintf(join_sock, sizeof join_sock, "%s/run/join.sock", dir);
	snprintf(kek_file, sizeof kek_file, "%s/keys/kek-network.network-server", dir);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	assert_int_equal(key_file_read(kek_file, kek, sizeof kek), KEY_FILE_OK);
	server = t_process_start(&(struct t_process_options){
		.program = "network-server", .arguments = {"-c", config}, .dir = dir});
	assert_true(t_wait_until(t_is_healthy, admin_sock, 3 * T_CEILING));
	open_listener();
	assert_true(t_peer_greet(&app, network_sock, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	assert_true(t_peer_greet(&bridge, network_sock, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR));
	register_all();
}

static bool are_done(void)
{
	if (t_seconds() - devices[0].sent_at < HOLD_TO + 0.3)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].got < rows[i].accepts || devices[i].asked == 0)
			return false;
	return true;
}

static void a_join_server_that_does_everything_wrong(void **state)
{
	(void)state;
	start();
	double begin = t_seconds();
	size_t sent = 0;
	while (!are_done() && t_seconds() - begin < T_CEILING) {
		/* Those that are swapped leave together. */
		while (sent < ARRAY_SIZE(devices) &&
		       (t_seconds() - begin > STAGGER * (double)sent ||
			(sent > 0 && rows[sent].fault == SWAPPED && rows[sent - 1].fault == SWAPPED)))
			join(sent++);
		serve();
	}
	for (double until = t_seconds() + 0.3; t_seconds() < until;)
		serve(); /* what is too much comes behind */
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		t_row(rows[i].name);
		t_uint("accepts", rows[i].accepts, devices[i].got);
		t_true("under one TransactionID", !devices[i].renamed);
		if (rows[i].fault == REFUSED)
			t_uint("calls", 1, devices[i].asked);
		else if (rows[i].fault != GOOD)
			t_true("asked again", rows[i].fault == TWICE || devices[i].asked > 1);
	}
	t_row("the network server");
	t_uint("accepts of nobody", 0, strange);
	t_true("counts what failed", t_metric(admin_sock, "lamppost_network_join_failures_total") >= 10);
	t_true("counts who was answered too late",
	       t_metric(admin_sock, "lamppost_network_drops_total{reason=\"join_timeout\"}") >= 1);
	t_true("goes on", t_process_running(server) && t_is_healthy(admin_sock));
	t_peer_close(&app);
	t_peer_close(&bridge);
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_join_server_that_does_everything_wrong)};
	return t_run(tests);
}
