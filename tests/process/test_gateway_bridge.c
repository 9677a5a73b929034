/* The real gateway-bridge between real sockets: gateways of both protocol versions over loopback UDP, written by the
 * simulator's codec, and a scripted network server on network.sock. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "common/base/arena.h"
#include "common/io/frames.h"
#include "common/proto/envelope.h"
#include "simulator/semtech_gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define V2       UINT64_C(0xaa555a0000000202)
#define V1       UINT64_C(0xaa555a0000000101)
#define STRANGER UINT64_C(0x1122334455667788)
#define KEPT     256

/* --- a scripted network server */

struct network {
	char path[100];
	int listener, link; /* −1: none */
	struct io_frames frames;
	struct arena arena;
	struct proto_message message; /* scratch */
	uint64_t seq;
	bool acknowledges;
	unsigned hellos, stats, online, offline;
	unsigned uplinks, tx_acks;
	struct gw_uplink uplink[KEPT];
	struct gw_tx_ack tx_ack[KEPT];
	struct gw_presence presence; /* the last */
};

static void network_send(struct network *network)
{
	static uint8_t bytes[4 + PROTO_FRAME_MAX];
	size_t length;
	network->message.seq = ++network->seq;
	assert_int_equal(ST_OK, proto_pack(&network->message, bytes + 4, PROTO_FRAME_MAX, &length));
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(length >> 8 * i);
	assert_int_equal((ssize_t)length + 4, send(network->link, bytes, length + 4, MSG_NOSIGNAL));
}

static void network_give_list(struct network *network)
{
	network->message.kind = PROTO_GATEWAY_LIST;
	network->message.gateway_list.version = 1;
	network->message.gateway_list.first = network->message.gateway_list.last = true;
	network->message.gateway_list.count = 2;
	network->message.gateway_list.gateways[0] = (struct gw_gateway){
		.eui = lw_eui64_from_number(V2), .region_id = "eu868", .accept_udp = true};
	network->message.gateway_list.gateways[1] = (struct gw_gateway){
		.eui = lw_eui64_from_number(V1), .region_id = "eu868", .accept_udp = true};
	network_send(network);
}

static void network_listen(struct network *network)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", network->path);
	unlink(network->path);
	network->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(network->listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(network->listener, 4));
}

static void network_hang_up(struct network *network)
{
	if (network->link >= 0)
		close(network->link);
	network->link = -1;
	io_frames_release(&network->frames);
	io_frames_init(&network->frames);
}

static void network_go_away(struct network *network)
{
	network_hang_up(network);
	if (network->listener >= 0)
		close(network->listener);
	network->listener = -1;
	unlink(network->path);
}

static void network_take(struct network *network, const uint8_t *bytes, size_t length)
{
	struct proto_message *message = &network->message;
	assert_int_equal(ST_OK, proto_unpack(message, bytes, length, &network->arena));
	uint64_t seq = message->seq;
	switch (message->kind) {
	case PROTO_HELLO:
		t_int("role", PROTO_GATEWAY_BRIDGE, message->hello.role);
		network->hellos++;
		return;
	case PROTO_GATEWAY_UPLINK:
		network->uplink[network->uplinks++ % KEPT] = message->gateway_uplink;
		break;
	case PROTO_GATEWAY_TX_ACK:
		network->tx_ack[network->tx_acks++ % KEPT] = message->gateway_tx_ack;
		break;
	case PROTO_GATEWAY_STATS: network->stats++; break;
	case PROTO_GATEWAY_PRESENCE:
		network->presence = message->gateway_presence;
		network->online += message->gateway_presence.online;
		network->offline += !message->gateway_presence.online;
		break;
	default: fail_msg("unexpected %s", proto_kind_name(message->kind));
	}
	if (network->acknowledges) {
		message->kind = PROTO_ACK;
		message->ack.seq = seq;
		network_send(network);
	}
}

/* Accepts, greets, reads whatever has come. */
static void network_pump(struct network *network)
{
	if (network->link < 0 && network->listener >= 0) {
		network->link = accept4(network->listener, NULL, NULL, SOCK_CLOEXEC);
		if (network->link < 0)
			return;
		network->seq = 0;
		network->message.kind = PROTO_HELLO;
		network->message.hello = (struct proto_hello){
			.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR, .minor = PROTO_MINOR};
		network_send(network);
		network_give_list(network);
	}
	while (network->link >= 0) {
		size_t room;
		uint8_t *at = io_frames_room(&network->frames, 4096, &room);
		ssize_t got = recv(network->link, at, room, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			network_hang_up(network);
			return;
		}
		io_frames_added(&network->frames, (size_t)got);
		const uint8_t *message;
		size_t length;
		while (network->link >= 0 &&
		       io_frames_next(&network->frames, &message, &length) == IO_FRAME_MESSAGE)
			network_take(network, message, length);
	}
}

/* --- a gateway */

struct gateway {
	uint64_t eui;
	uint8_t version;
	int up, down; /* two sockets, as packet forwarders have */
	uint16_t token;
	unsigned push_acks, pull_acks, pull_resps;
	struct sim_down last; /* PULL_RESP */
};

struct world {
	char dir[T_DIR_MAX], config[128], admin[128], list[128];
	uint16_t port;
	struct t_process *bridge;
	struct network *network;
	struct gateway v2, v1, stranger;
	unsigned wanted; /* of the condition that is waited for */
};

static int socket_to(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(0, connect(fd, (struct sockaddr *)&to, sizeof to));
	return fd;
}

static struct gateway gateway_at(const struct world *world, uint64_t eui, uint8_t version)
{
	return (struct gateway){.eui = eui,
				.version = version,
				.up = socket_to(world->port),
				.down = socket_to(world->port),
				.token = 100};
}

static void gateway_stop(struct gateway *gateway)
{
	close(gateway->up);
	close(gateway->down);
}

/* A bridge that is just restarting refuses at the port: the datagram is lost, as on any network. */
static void put(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t sent = send(fd, bytes, length, 0);
	if (sent < 0 && errno == ECONNREFUSED)
		sent = send(fd, bytes, length, 0);
	assert_true(sent == (ssize_t)length || errno == ECONNREFUSED);
}

static void push(struct gateway *gateway, uint32_t tmst)
{
	uint8_t bytes[SIM_DATAGRAM_MAX];
	const uint8_t phy[] = {0x40, 1, 2, 3};
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	const struct sim_rxpk rxpk = {.tmst = {tmst},
				      .freq_hz = 868100000,
				      .spreading_factor = 7,
				      .bandwidth_hz = 125000,
				      .crc = 1,
				      .rssi_dbm = -80,
				      .snr_cdb = 750,
				      .phy = phy,
				      .length = sizeof phy};
	size_t length = sim_semtech_write_push_data(bytes, sizeof bytes, gateway->version, gateway->token++,
						    &eui, &rxpk, 1, NULL);
	put(gateway->up, bytes, length);
}

static void pull(struct gateway *gateway)
{
	uint8_t bytes[64];
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	size_t length = sim_semtech_write_pull_data(bytes, sizeof bytes, gateway->version, gateway->token++,
						    &eui);
	put(gateway->down, bytes, length);
}

static void answer(struct gateway *gateway, enum sim_jit_verdict verdict)
{
	uint8_t bytes[256];
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	size_t length = sim_semtech_write_tx_ack(bytes, sizeof bytes, gateway->version, gateway->last.token,
						 &eui, verdict, false, 0);
	put(gateway->down, bytes, length);
}

static void gateway_pump(struct gateway *gateway)
{
	uint8_t bytes[2048];
	const int sockets[] = {gateway->up, gateway->down};
	for (size_t i = 0; i < 2; i++) {
		ssize_t length;
		while ((length = recv(sockets[i], bytes, sizeof bytes, 0)) > 0) {
			struct sim_down down;
			assert_int_equal(SIM_DOWN_OK, sim_semtech_parse_down(bytes, (size_t)length, &down));
			t_uint("version", gateway->version, down.version);
			gateway->push_acks += down.kind == SIM_DOWN_PUSH_ACK;
			gateway->pull_acks += down.kind == SIM_DOWN_PULL_ACK;
			if (down.kind == SIM_DOWN_PULL_RESP) {
				t_int("on the socket that pulled", gateway->down, sockets[i]);
				gateway->pull_resps++;
				gateway->last = down;
			}
		}
	}
}

/* --- the world */

static void pump(struct world *world)
{
	network_pump(world->network);
	gateway_pump(&world->v2);
	gateway_pump(&world->v1);
	gateway_pump(&world->stranger);
}

static void bridge_start(struct world *world)
{
	world->bridge = t_process_start(&(struct t_process_options){
		.program = "gateway-bridge", .arguments = {"-c", world->config}, .dir = world->dir});
	t_true("healthy", t_wait_until(t_is_healthy, world->admin, T_CEILING));
}

static struct world *world_start(bool with_network, const char *settings)
{
	struct world *world = calloc(1, sizeof *world);
	struct network *network = calloc(1, sizeof *network);
	assert_true(world && network);
	world->network = network;
	t_temp_dir(world->dir);
	world->port = t_free_udp_port();
	snprintf(world->config, sizeof world->config, "%s/lamppost.yaml", world->dir);
	snprintf(world->admin, sizeof world->admin, "%s/gateway-bridge.admin.sock", world->dir);
	snprintf(world->list, sizeof world->list, "%s/gateways.list", world->dir);
	snprintf(network->path, sizeof network->path, "%s/network.sock", world->dir);
	char text[512];
	snprintf(text, sizeof text,
		 "common:\n  state_dir: %s\n  run_dir: %s\ngateway-bridge:\n  udp_listen:\n    - "
		 "\"127.0.0.1:%u\"\n%s",
		 world->dir, world->dir, world->port, settings);
	t_write_file(world->config, text);
	network->listener = network->link = -1;
	network->acknowledges = true;
	io_frames_init(&network->frames);
	arena_init(&network->arena, 1 << 20);
	if (with_network)
		network_listen(network);
	world->v2 = gateway_at(world, V2, 2);
	world->v1 = gateway_at(world, V1, 1);
	world->stranger = gateway_at(world, STRANGER, 2);
	bridge_start(world);
	return world;
}

static void world_stop(struct world *world)
{
	t_int("orderly stop", 0, t_process_stop(world->bridge));
	t_process_free(world->bridge);
	network_go_away(world->network);
	io_frames_release(&world->network->frames);
	arena_release(&world->network->arena);
	gateway_stop(&world->v2);
	gateway_stop(&world->v1);
	gateway_stop(&world->stranger);
	t_temp_dir_remove(world->dir);
	free(world->network);
	free(world);
}

/* Conditions: pump, then look. */
static bool list_is_kept(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return t_metric(world->admin, "lamppost_bridge_gateways{state=\"known\"}") == 2 &&
	       t_file_exists(world->list);
}

static bool uplinks_came(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return world->network->uplinks >= world->wanted;
}

static bool pulls_acknowledged(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return world->v2.pull_acks >= world->wanted && world->v1.pull_acks >= world->wanted;
}

static bool pushes_acknowledged(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return world->v2.push_acks >= world->wanted;
}

static bool pull_resps_came(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return world->v2.pull_resps + world->v1.pull_resps >= world->wanted;
}

static bool results_came(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return world->network->tx_acks >= world->wanted;
}

static bool wait(struct world *world, bool (*condition)(void *ctx), unsigned wanted)
{
	world->wanted = wanted;
	bool held = t_wait_until(condition, world, T_CEILING);
	return held;
}

static void order(struct world *world, uint64_t eui, uint64_t id)
{
	struct proto_message *message = &world->network->message;
	message->kind = PROTO_GATEWAY_DOWNLINK;
	message->gateway_downlink = (struct gw_downlink){
		.id = id, .phy = {0x60, 1, 2, 3}, .phy_length = 4, .attempt_count = 1};
	message->gateway_downlink.attempts[0] = (struct gw_tx_attempt){
		.gateway = lw_eui64_from_number(eui),
		.timing = GW_IMMEDIATELY,
		.freq_hz = 869525000,
		.modulation = {LW_LORA, 12, 125000, 0, 0, "4/5"},
		.power_dbm = 27,
		.invert_polarity = true};
	assert_true(world->network->link >= 0);
	network_send(world->network);
}

static void pull_both(struct world *world, unsigned acknowledged)
{
	pull(&world->v2);
	pull(&world->v1);
	t_true("PULL_ACK to both", wait(world, pulls_acknowledged, acknowledged));
}

/* A downlink to each: version 2 answers, version 1 cannot. */
static void downlinks_work(struct world *world, uint64_t id)
{
	unsigned before = world->v2.pull_resps + world->v1.pull_resps;
	unsigned results = world->network->tx_acks;
	order(world, V2, id);
	t_true("PULL_RESP", wait(world, pull_resps_came, before + 1));
	t_uint("freq", 869525000, world->v2.last.txpk.freq_hz);
	answer(&world->v2, SIM_JIT_OK);
	t_true("result", wait(world, results_came, results + 1));
	t_uint("id", id, world->network->tx_ack[results % KEPT].id);
	t_str("ok", "ok", gw_tx_result_name(world->network->tx_ack[results % KEPT].result));
	t_true("latency measured", world->network->tx_ack[results % KEPT].latency_us > 0);
	order(world, V1, id + 1);
	t_true("PULL_RESP of version 1", wait(world, pull_resps_came, before + 2));
	t_true("result", wait(world, results_came, results + 2));
	t_uint("id", id + 1, world->network->tx_ack[(results + 1) % KEPT].id);
	t_str("silence", "no_answer", gw_tx_result_name(world->network->tx_ack[(results + 1) % KEPT].result));
}

/* --- tests */

static void frames_go_up_and_down(void **state)
{
	(void)state;
	struct world *world = world_start(true, "");
	t_row("the list is kept");
	t_true("list", wait(world, list_is_kept, 0));
	struct stat info;
	assert_int_equal(0, stat(world->list, &info));
	t_int("for the bridge alone", 0600, info.st_mode & 0777);
	t_row("uplinks of both versions");
	push(&world->v2, 1000);
	push(&world->v1, 2000);
	t_true("both came", wait(world, uplinks_came, 2));
	t_true("acknowledged", wait(world, pushes_acknowledged, 1));
	bool second = lw_eui64_number(&world->network->uplink[0].gateway) == V1;
	t_uint("counter", 1000, world->network->uplink[second ? 1 : 0].ticks.us);
	t_int("protocol", GW_SEMTECH_UDP_V1, world->network->uplink[second ? 0 : 1].protocol);
	t_row("downlinks");
	pull_both(world, 1);
	downlinks_work(world, 10);
	t_row("a gateway's refusal");
	unsigned results = world->network->tx_acks;
	order(world, V2, 20);
	t_true("PULL_RESP", wait(world, pull_resps_came, 3));
	answer(&world->v2, SIM_JIT_TX_FREQ);
	t_true("result", wait(world, results_came, results + 1));
	t_str("cause", "TX_FREQ", world->network->tx_ack[results].cause);
	t_row("a gateway that is not there");
	order(world, STRANGER, 21);
	t_true("result", wait(world, results_came, results + 2));
	t_str("no path", "no_path", gw_tx_result_name(world->network->tx_ack[results + 1].result));
	t_true("presence was told", world->network->online >= 2);
	world_stop(world);
}

static void a_restart_costs_no_more_than_the_next_pull(void **state)
{
	(void)state;
	struct world *world = world_start(true, "");
	t_true("list", wait(world, list_is_kept, 0));
	pull_both(world, 1);
	downlinks_work(world, 30);
	t_row("killed, and started while the network server is away: its list is enough");
	t_process_kill(world->bridge);
	t_process_free(world->bridge);
	network_go_away(world->network);
	bridge_start(world);
	t_uint("known from the file", 2, t_metric(world->admin, "lamppost_bridge_gateways{state=\"known\"}"));
	unsigned uplinks = world->network->uplinks;
	pull_both(world, 2);
	push(&world->v2, 5000);
	t_true("acknowledged", wait(world, pushes_acknowledged, 1));
	t_row("the network server comes back: nothing was lost, and both gateways can be reached");
	network_listen(world->network);
	t_true("the frame of meanwhile", wait(world, uplinks_came, uplinks + 1));
	downlinks_work(world, 40);
	world_stop(world);
}

static void frames_wait_for_the_network_server(void **state)
{
	(void)state;
	struct world *world = world_start(true, "");
	t_true("list", wait(world, list_is_kept, 0));
	t_row("unacknowledged when the link breaks, and more while it is down");
	world->network->acknowledges = false;
	push(&world->v2, 1);
	t_true("came", wait(world, uplinks_came, 1));
	network_go_away(world->network);
	for (uint32_t i = 2; i <= 50; i++)
		push(&world->v2, i);
	t_true("acknowledged to the gateway all the same", wait(world, pushes_acknowledged, 50));
	t_row("all of them come after the reconnect, in order, with their age");
	world->network->uplinks = 0;
	world->network->acknowledges = true;
	network_listen(world->network);
	t_true("came", wait(world, uplinks_came, 50));
	for (unsigned i = 0; i < 50; i++)
		t_uint("counter", i + 1, world->network->uplink[i].ticks.us);
	t_true("age", world->network->uplink[0].age_us > 0);
	t_true("the oldest is the oldest",
	       world->network->uplink[0].age_us >= world->network->uplink[49].age_us);
	t_uint("once each", 50, world->network->uplinks);
	world_stop(world);
}

static bool ring_is_empty(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	return t_metric(world->admin, "lamppost_bridge_ring_entries") == 0;
}

static void garbage_is_counted(void **state)
{
	(void)state;
	struct world *world = world_start(true, "");
	t_true("list", wait(world, list_is_kept, 0));
	static const struct {
		const char *name, *verdict;
		uint8_t bytes[32];
		size_t length;
	} rows[] = {
		{"one byte", "truncated", {2}, 1},
		{"version 7", "bad_version", {7, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 12},
		{"identifier 200", "bad_identifier", {2, 0, 0, 200, 1, 2, 3, 4, 5, 6, 7, 8}, 12},
		{"a reflected PULL_ACK", "wrong_direction", {2, 0, 0, 4}, 4},
		{"a body that is no JSON",
		 "not_json",
		 {2, 0, 0, 0, 0xaa, 0x55, 0x5a, 0, 0, 0, 2, 2, '{', 0xff},
		 14},
		{"a stranger", "unknown_gateway", {2, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, '{', '}'}, 14},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put(world->stranger.up, rows[i].bytes, rows[i].length);
	put(world->stranger.up, rows[0].bytes, 0);
	push(&world->v2, 77);
	t_true("a good frame behind it comes through", wait(world, uplinks_came, 1));
	t_uint("and it alone", 1, world->network->uplinks);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char metric[128];
		snprintf(metric, sizeof metric, "lamppost_bridge_verdicts_total{verdict=\"%s\"}",
			 rows[i].verdict);
		t_true("counted", t_metric(world->admin, metric) >= 1);
	}
	t_row("acknowledged entries leave the ring");
	t_true("empty", wait(world, ring_is_empty, 0));
	t_true("alive", t_process_running(world->bridge));
	world_stop(world);
}

static void a_flood_does_not_disturb_a_neighbour(void **state)
{
	(void)state;
	struct world *world = world_start(true, "  rate_per_eui: 5\n");
	t_true("list", wait(world, list_is_kept, 0));
	for (unsigned i = 0; i < 500; i++)
		pull(&world->v2);
	push(&world->v1, 12);
	t_true("the neighbour's frame comes", wait(world, uplinks_came, 1));
	t_true("the flood was counted",
	       t_metric(world->admin, "lamppost_bridge_verdicts_total{verdict=\"rate_eui\"}") > 100);
	pump(world);
	t_true("and not answered", world->v2.pull_acks < 400);
	world_stop(world);
}

static void a_bad_configuration_refuses_the_start(void **state)
{
	(void)state;
	static const struct {
		const char *name, *settings;
		int code;
	} rows[] = {
		{"an unknown key", "gateway-bridge:\n  ring_second: 60\n", 2},
		{"a bad value", "gateway-bridge:\n  ring_seconds: 9999\n", 2},
		{"a listen address without a port", "gateway-bridge:\n  udp_listen: [\"127.0.0.1\"]\n", 2},
		{"good", "gateway-bridge:\n  udp_listen: [\"127.0.0.1:1700\", \"[::1]:1700\"]\n", 0},
	};
	char dir[T_DIR_MAX], config[128];
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_write_file(config, rows[i].settings);
		struct t_process *bridge = t_process_start(
			&(struct t_process_options){.program = "gateway-bridge",
						    .arguments = {"-c", config, "--check-config"},
						    .dir = dir});
		t_int("exit code", rows[i].code, t_process_wait(bridge));
		t_process_free(bridge);
	}
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(frames_go_up_and_down),
		t_test(a_restart_costs_no_more_than_the_next_pull),
		t_test(frames_wait_for_the_network_server),
		t_test(garbage_is_counted),
		t_test(a_flood_does_not_disturb_a_neighbour),
		t_test(a_bad_configuration_refuses_the_start),
	};
	return t_run(tests);
}
