#include "tests/harness/bridge_rig.h"

#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the scripted network server */

static void upstream_send(struct t_upstream *upstream)
{
	static uint8_t bytes[4 + PROTO_FRAME_MAX];
	size_t length;
	upstream->message.seq = ++upstream->seq;
	assert_int_equal(ST_OK, proto_pack(&upstream->message, bytes + 4, PROTO_FRAME_MAX, &length));
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(length >> 8 * i);
	ssize_t sent = send(upstream->link, bytes, length + 4, MSG_NOSIGNAL);
	if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
		return; /* to a bridge that has just ended: its end is read next */
	assert_int_equal((ssize_t)length + 4, sent);
}

struct gw_gateway *t_upstream_add(struct t_upstream *upstream, uint64_t eui)
{
	ASSERT_CMP(upstream->list_count, <, T_BRIDGE_GATEWAYS);
	struct gw_gateway *row = &upstream->list[upstream->list_count++];
	*row = (struct gw_gateway){
		.eui = lw_eui64_from_number(eui), .region_id = "eu868", .accept = GW_ACCEPT_UDP};
	upstream->list_version++;
	return row;
}

/* In parts of GW_LIST_PART_MAX. */
void t_upstream_give_list(struct t_upstream *upstream)
{
	size_t done = 0;
	do {
		struct gw_gateway_list *part = &upstream->message.gateway_list;
		size_t rest = upstream->list_count - done;
		upstream->message.kind = PROTO_GATEWAY_LIST;
		part->version = upstream->list_version;
		part->first = done == 0;
		part->last = rest <= GW_LIST_PART_MAX;
		part->count = (uint32_t)(part->last ? rest : GW_LIST_PART_MAX);
		memcpy(part->gateways, upstream->list + done, part->count * sizeof *part->gateways);
		done += part->count;
		upstream_send(upstream);
	} while (done < upstream->list_count);
}

void t_upstream_fill_order(struct t_upstream *upstream, uint64_t eui, uint64_t id)
{
	struct proto_message *message = &upstream->message;
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
}

void t_upstream_send_order(struct t_upstream *upstream)
{
	assert_true(upstream->link >= 0);
	upstream_send(upstream);
}

void t_upstream_order(struct t_upstream *upstream, uint64_t eui, uint64_t id)
{
	t_upstream_fill_order(upstream, eui, id);
	t_upstream_send_order(upstream);
}

void t_upstream_send(struct t_upstream *upstream, const struct gw_downlink *downlink)
{
	upstream->message.kind = PROTO_GATEWAY_DOWNLINK;
	upstream->message.gateway_downlink = *downlink;
	assert_true(upstream->link >= 0);
	upstream_send(upstream);
}

const char *t_upstream_presence(const struct t_upstream *upstream, uint64_t eui)
{
	const char *reason = "";
	unsigned kept = upstream->presences < T_BRIDGE_KEPT ? upstream->presences : T_BRIDGE_KEPT;
	for (unsigned i = upstream->presences - kept; i < upstream->presences; i++) {
		const struct gw_presence *presence = &upstream->presence[i % T_BRIDGE_KEPT];
		if (lw_eui64_number(&presence->gateway) == eui)
			reason = presence->reason;
	}
	return reason;
}

void t_upstream_listen(struct t_upstream *upstream)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", upstream->path);
	unlink(upstream->path);
	upstream->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(upstream->listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(upstream->listener, 4));
}

static void hang_up(struct t_upstream *upstream)
{
	if (upstream->link >= 0)
		close(upstream->link);
	upstream->link = -1;
	io_frames_release(&upstream->frames);
	io_frames_init(&upstream->frames);
}

void t_upstream_go_away(struct t_upstream *upstream)
{
	hang_up(upstream);
	if (upstream->listener >= 0)
		close(upstream->listener);
	upstream->listener = -1;
	unlink(upstream->path);
}

static void take(struct t_upstream *upstream, const uint8_t *bytes, size_t length)
{
	struct proto_message *message = &upstream->message;
	assert_int_equal(ST_OK, proto_unpack(message, bytes, length, &upstream->arena));
	uint64_t seq = message->seq;
	switch (message->kind) {
	case PROTO_HELLO:
		t_int("role", PROTO_GATEWAY_BRIDGE, message->hello.role);
		upstream->hellos++;
		return;
	case PROTO_GATEWAY_UPLINK:
		if (upstream->poison != 0 && message->gateway_uplink.ticks.us == upstream->poison) {
			message->kind = PROTO_BYE;
			message->bye = (struct proto_bye){"malformed message", seq};
			if (upstream->names_poison)
				upstream_send(upstream);
			upstream->hang_ups++;
			hang_up(upstream);
			return;
		}
		upstream->uplink[upstream->uplinks++ % T_BRIDGE_KEPT] = message->gateway_uplink;
		if (upstream->on_uplink)
			upstream->on_uplink(upstream->ctx, &message->gateway_uplink);
		break;
	case PROTO_GATEWAY_TX_ACK:
		upstream->tx_ack[upstream->tx_acks++ % T_BRIDGE_KEPT] = message->gateway_tx_ack;
		break;
	case PROTO_GATEWAY_STATS: upstream->stats++; break;
	case PROTO_GATEWAY_PRESENCE:
		upstream->presence[upstream->presences++ % T_BRIDGE_KEPT] = message->gateway_presence;
		upstream->online += message->gateway_presence.online;
		upstream->offline += !message->gateway_presence.online;
		break;
	default: fail_msg("unexpected %s", proto_kind_name(message->kind));
	}
	if (upstream->acknowledges) {
		message->kind = PROTO_ACK;
		message->ack.seq = seq;
		upstream_send(upstream);
	}
}

/* Accepts, greets, reads whatever has come. */
static void upstream_pump(struct t_upstream *upstream)
{
	if (upstream->link < 0 && upstream->listener >= 0) {
		upstream->link = accept4(upstream->listener, NULL, NULL, SOCK_CLOEXEC);
		if (upstream->link < 0)
			return;
		upstream->seq = 0;
		upstream->message.kind = PROTO_HELLO;
		upstream->message.hello = (struct proto_hello){
			.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR, .minor = PROTO_MINOR};
		upstream_send(upstream);
		t_upstream_give_list(upstream);
	}
	while (upstream->link >= 0) {
		size_t room;
		uint8_t *at = io_frames_room(&upstream->frames, 65536, &room);
		ssize_t got = recv(upstream->link, at, room, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			hang_up(upstream);
			return;
		}
		io_frames_added(&upstream->frames, (size_t)got);
		const uint8_t *message;
		size_t length;
		while (upstream->link >= 0 &&
		       io_frames_next(&upstream->frames, &message, &length) == IO_FRAME_MESSAGE)
			take(upstream, message, length);
	}
}

/* --- a gateway */

/* A host with a colon is IPv6, and speaks to ::1. */
static int socket_to(uint16_t port, const char *host)
{
	bool six = host && strchr(host, ':');
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in from4 = {.sin_family = AF_INET};
	struct sockaddr_in to4 = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6};
	struct sockaddr_in6 to6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *from = six ? (struct sockaddr *)&from6 : (struct sockaddr *)&from4;
	struct sockaddr *to = six ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4;
	socklen_t length = six ? sizeof to6 : sizeof to4;
	if (host) {
		void *address = six ? (void *)&from6.sin6_addr : (void *)&from4.sin_addr;
		assert_int_equal(1, inet_pton(six ? AF_INET6 : AF_INET, host, address));
		assert_int_equal(0, bind(fd, from, length));
	}
	assert_int_equal(0, connect(fd, to, length));
	return fd;
}

struct t_gateway *t_bridge_gateway(struct t_bridge *rig, uint64_t eui, uint8_t version, const char *host)
{
	struct t_gateway *gateway = calloc(1, sizeof *gateway);
	ASSERT(gateway != NULL && rig->gateway_count < T_BRIDGE_GATEWAYS);
	*gateway = (struct t_gateway){.eui = eui,
				      .version = version,
				      .up = socket_to(rig->port, host),
				      .down = socket_to(rig->port, host),
				      .token = 100};
	rig->gateways[rig->gateway_count++] = gateway;
	return gateway;
}

void t_gateway_move(struct t_bridge *rig, struct t_gateway *gateway, const char *host)
{
	close(gateway->up);
	close(gateway->down);
	gateway->up = socket_to(rig->port, host);
	gateway->down = socket_to(rig->port, host);
}

static void put(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t sent = send(fd, bytes, length, 0);
	if (sent < 0 && errno == ECONNREFUSED)
		sent = send(fd, bytes, length, 0);
	assert_true(sent == (ssize_t)length || errno == ECONNREFUSED);
}

void t_gateway_put(struct t_gateway *gateway, const uint8_t *bytes, size_t length)
{
	put(gateway->up, bytes, length);
}

void t_gateway_push(struct t_gateway *gateway, uint32_t tmst)
{
	uint8_t bytes[SIM_DATAGRAM_MAX];
	const uint8_t phy[] = {0x40, 1, 2, 3};
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	const struct semtech_rxpk rxpk = {.tmst = {tmst},
					  .freq_hz = 868100000,
					  .spreading_factor = 7,
					  .bandwidth_hz = 125000,
					  .crc = 1,
					  .rssi_dbm = -80,
					  .snr_cdb = 750,
					  .phy = phy,
					  .length = sizeof phy};
	size_t length = semtech_write_push_data(bytes, sizeof bytes, gateway->version, gateway->token++, &eui,
						&rxpk, 1, NULL);
	put(gateway->up, bytes, length);
}

void t_gateway_pull(struct t_gateway *gateway)
{
	uint8_t bytes[64];
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	size_t length = semtech_write_pull_data(bytes, sizeof bytes, gateway->version, gateway->token++,
						&eui);
	put(gateway->down, bytes, length);
}

void t_gateway_answer(struct t_gateway *gateway, enum sim_jit_verdict verdict)
{
	uint8_t bytes[256];
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	size_t length = sim_semtech_write_tx_ack(bytes, sizeof bytes, gateway->version, gateway->last.token,
						 &eui, verdict, false, 0);
	put(gateway->down, bytes, length);
}

void t_gateway_answer_text(struct t_gateway *gateway, const char *body)
{
	uint8_t bytes[256];
	const struct lw_eui64 eui = lw_eui64_from_number(gateway->eui);
	size_t length = sim_semtech_write_tx_ack(bytes, sizeof bytes, gateway->version, gateway->last.token,
						 &eui, SIM_JIT_OK, false, 0);
	ASSERT(length >= 12 && strlen(body) < sizeof bytes - 12);
	memcpy(bytes + 12, body, strlen(body));
	put(gateway->down, bytes, 12 + strlen(body));
}

static void gateway_pump(struct t_gateway *gateway)
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

/* --- the rig */

void t_bridge_pump(struct t_bridge *rig)
{
	upstream_pump(rig->upstream);
	for (size_t i = 0; i < rig->gateway_count; i++)
		gateway_pump(rig->gateways[i]);
}

void t_bridge_run(struct t_bridge *rig)
{
	rig->process = t_process_start(&(struct t_process_options){.program = "gateway-bridge",
								   .arguments = {"-c", rig->config},
								   .dir = rig->dir,
								   .listen_name = rig->listen_name,
								   .listen_fd = rig->listen_fd});
	t_true("healthy", t_wait_until(t_is_healthy, rig->admin, T_CEILING));
}

static struct t_bridge *start(const char *listen, bool with_upstream, const char *settings,
			      const char *listen_name, int listen_fd)
{
	struct t_bridge *rig = calloc(1, sizeof *rig);
	struct t_upstream *upstream = calloc(1, sizeof *upstream);
	ASSERT(rig != NULL && upstream != NULL);
	rig->upstream = upstream;
	rig->listen_name = listen_name;
	rig->listen_fd = listen_fd;
	t_temp_dir(rig->dir);
	rig->port = t_free_udp_port();
	snprintf(rig->config, sizeof rig->config, "%s/lamppost.yaml", rig->dir);
	snprintf(rig->admin, sizeof rig->admin, "%s/gateway-bridge.admin.sock", rig->dir);
	snprintf(rig->list, sizeof rig->list, "%s/gateways.list", rig->dir);
	snprintf(upstream->path, sizeof upstream->path, "%s/network.sock", rig->dir);
	char text[2048];
	snprintf(text, sizeof text,
		 "common:\n  state_dir: %s\n  run_dir: %s\ngateway-bridge:\n  udp_listen:\n    - "
		 "\"%s:%u\"\n%s",
		 rig->dir, rig->dir, listen, rig->port, settings);
	t_write_file(rig->config, text);
	upstream->listener = upstream->link = -1;
	upstream->acknowledges = true;
	io_frames_init(&upstream->frames);
	arena_init(&upstream->arena, 1 << 20);
	t_upstream_add(upstream, T_BRIDGE_V2);
	t_upstream_add(upstream, T_BRIDGE_V1);
	if (with_upstream)
		t_upstream_listen(upstream);
	t_bridge_run(rig);
	return rig;
}

struct t_bridge *t_bridge_start(bool with_upstream, const char *settings)
{
	return start("127.0.0.1", with_upstream, settings, NULL, -1);
}

struct t_bridge *t_bridge_start_on(const char *listen, bool with_upstream, const char *settings)
{
	return start(listen, with_upstream, settings, NULL, -1);
}

struct t_bridge *t_bridge_start_handed(bool with_upstream, const char *settings, const char *listen_name,
				       int listen_fd)
{
	return start("127.0.0.1", with_upstream, settings, listen_name, listen_fd);
}

void t_bridge_stop(struct t_bridge *rig)
{
	t_int("orderly stop", 0, t_process_stop(rig->process));
	t_process_free(rig->process);
	t_upstream_go_away(rig->upstream);
	io_frames_release(&rig->upstream->frames);
	arena_release(&rig->upstream->arena);
	for (size_t i = 0; i < rig->gateway_count; i++) {
		close(rig->gateways[i]->up);
		close(rig->gateways[i]->down);
		free(rig->gateways[i]);
	}
	t_temp_dir_remove(rig->dir);
	free(rig->upstream);
	free(rig);
}

bool t_bridge_wait(struct t_bridge *rig, bool (*condition)(void *ctx))
{
	return t_wait_until(condition, rig, T_CEILING);
}

static bool list_is_kept(void *ctx)
{
	struct t_bridge *rig = ctx;
	t_bridge_pump(rig);
	return t_metric(rig->admin, "lamppost_bridge_gateways{state=\"known\"}") ==
		       (double)rig->upstream->list_count &&
	       t_file_exists(rig->list);
}

bool t_bridge_has_list(struct t_bridge *rig)
{
	return t_bridge_wait(rig, list_is_kept);
}

double t_bridge_verdict(const struct t_bridge *rig, const char *name)
{
	char metric[128];
	snprintf(metric, sizeof metric, "lamppost_bridge_verdicts_total{verdict=\"%s\"}", name);
	return t_metric(rig->admin, metric);
}
