/* Basics Stations at the real bridge: TLS with the city's certificates or a token, discovery, the data connection, frames and
 * downlinks up to a scripted network server's word, what is refused, and the end of the process. The station's side is written by
 * hand, as bytes of its own client. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"
#include "tests/harness/station_pki.h"
#include "tests/harness/station_wire.h"

#include "gateway-bridge/identity.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ROOF  UINT64_C(0xaa555a0000000301) /* certificate */
#define TOKEN UINT64_C(0xaa555a0000000302) /* token */
#define XTIME INT64_C(18577348462903296)   /* beyond 53 bits */
#define WIRES 4

static struct world {
	struct t_bridge *rig;
	struct t_pki pki;
	struct t_wire_tls *tls;
	char dir[T_DIR_MAX];
	uint16_t port;
	struct t_wire *wires[WIRES];
	uint8_t certificate[X509_DER_MAX];
	size_t certificate_length;
	unsigned wire, texts; /* of a condition */
} world;

static void pump(void)
{
	t_bridge_pump(world.rig);
	for (size_t i = 0; i < WIRES; i++)
		if (world.wires[i])
			t_wire_pump(world.wires[i]);
}

static void add_rows(void)
{
	struct t_upstream *upstream = world.rig->upstream;
	struct gb_presented token = {.has_token = false};
	struct gw_gateway *roof = t_upstream_add(upstream, ROOF);
	roof->accept = GW_ACCEPT_CERTIFICATE;
	snprintf(roof->channels, sizeof roof->channels, "867.1 867.3 867.5 867.7 867.9");
	struct gw_gateway *other = t_upstream_add(upstream, TOKEN);
	gb_presented_token(&token, "Bearer a-token-of-the-city");
	other->accept = GW_ACCEPT_TOKEN;
	other->token_count = 1;
	memcpy(other->token_hashes[0], token.token_hash, sizeof token.token_hash);
	t_upstream_give_list(upstream);
}

static int open_world_with(const char *settings)
{
	char text[1024];
	memset(&world, 0, sizeof world);
	t_temp_dir(world.dir);
	t_pki_make(&world.pki, world.dir);
	world.certificate_length = t_pki_gateway(&world.pki, ROOF, (int64_t)time(NULL) * US_PER_S,
						 world.certificate);
	world.tls = t_wire_tls_new(world.pki.ca);
	world.port = t_free_tcp_port();
	snprintf(text, sizeof text,
		 "  station_listen: [\"127.0.0.1:%u\"]\n  tls_certificate: \"%s\"\n  tls_key: \"%s\"\n  "
		 "tls_ca: "
		 "\"%s\"\n%s",
		 world.port, world.pki.server, world.pki.server_key, world.pki.ca, settings);
	world.rig = t_bridge_start(true, text);
	assert_true(t_bridge_has_list(world.rig));
	add_rows();
	assert_true(t_bridge_has_list(world.rig));
	return t_setup(NULL);
}

static int open_world(void **state)
{
	(void)state;
	return open_world_with("");
}

static int close_world(void **state)
{
	for (size_t i = 0; i < WIRES; i++)
		t_wire_free(world.wires[i]);
	t_bridge_stop(world.rig);
	t_wire_tls_free(world.tls);
	t_pki_free(&world.pki);
	t_temp_dir_remove(world.dir);
	return t_teardown(state);
}

/* --- a station */

enum credential { NOTHING, CERTIFICATE, GOOD_TOKEN, WRONG_TOKEN, CLEAR };

static void dial(unsigned wire, const char *path, enum credential credential)
{
	struct t_wire_options options = {.port = world.port, .path = path, .tls = world.tls};
	if (credential == CERTIFICATE) {
		options.certificate = world.certificate;
		options.certificate_length = world.certificate_length;
		options.key = world.pki.gateway_key_der;
		options.key_length = world.pki.gateway_key_length;
	}
	if (credential == GOOD_TOKEN || credential == WRONG_TOKEN)
		options.token = credential == GOOD_TOKEN ? "a-token-of-the-city" : "another-token";
	if (credential == CLEAR)
		options.tls = NULL;
	t_wire_free(world.wires[wire]);
	world.wires[wire] = t_wire_open(&options);
	assert_non_null(world.wires[wire]);
	world.wire = wire;
}

static bool is_settled(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(world.wires[world.wire]) >= T_WIRE_OPEN;
}

static bool is_closed(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(world.wires[world.wire]) == T_WIRE_CLOSED;
}

static bool has_text(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_texts(world.wires[world.wire]) > world.texts;
}

static bool opens(unsigned wire, const char *path, enum credential credential)
{
	dial(wire, path, credential);
	return t_bridge_wait(world.rig, is_settled) && t_wire_state(world.wires[wire]) == T_WIRE_OPEN;
}

/* Says it and waits for the answer. */
static const char *ask(unsigned wire, const char *text)
{
	world.wire = wire;
	world.texts = t_wire_texts(world.wires[wire]);
	t_wire_text(world.wires[wire], text);
	t_true("answered", t_bridge_wait(world.rig, has_text));
	return t_wire_last(world.wires[wire]);
}

static bool comes_up(unsigned wire, const char *path, enum credential credential)
{
	return opens(wire, path, credential) &&
	       strstr(ask(wire,
			  "{\"msgtype\":\"version\",\"station\":\"2.0.6\",\"protocol\":2,\"model\":\"test\","
			  "\"features\":\"rmtsh\"}"),
		      "\"router_config\"") != NULL;
}

#define ROOF_PATH  "/gateway/aa555a0000000301"
#define TOKEN_PATH "/gateway/aa555a0000000302"

static bool uplink_came(void *ctx)
{
	const struct t_bridge *rig = ctx;
	pump();
	return rig->upstream->uplinks >= rig->wanted;
}

static bool ack_came(void *ctx)
{
	const struct t_bridge *rig = ctx;
	pump();
	return rig->upstream->tx_acks >= rig->wanted;
}

static bool send_uplink(unsigned wire)
{
	char text[512];
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":-2,\"FCtrl\":0,\"FCnt\":7,\"FOpts\":\"\","
		 "\"FPort\":1,"
		 "\"FRMPayload\":\"AB\",\"MIC\":1,\"DR\":5,\"Freq\":868100000,\"RefTime\":0.0,\"upinfo\":{"
		 "\"xtime\":%" PRId64
		 ",\"rctx\":3,\"rssi\":-50,\"snr\":7.25,\"gpstime\":0,\"fts\":-1,\"rxtime\":1.5}}",
		 XTIME);
	world.rig->wanted = world.rig->upstream->uplinks + 1;
	t_wire_text(world.wires[wire], text);
	return t_bridge_wait(world.rig, uplink_came);
}

static void order(uint64_t id)
{
	struct t_upstream *upstream = world.rig->upstream;
	const struct gw_uplink *heard = &upstream->uplink[(upstream->uplinks - 1) % T_BRIDGE_KEPT];
	t_upstream_fill_order(upstream, ROOF, id);
	struct gw_downlink *downlink = &upstream->message.gateway_downlink;
	downlink->attempt_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		downlink->attempts[i] = downlink->attempts[0];
		downlink->attempts[i].window = i ? GW_RX2 : GW_RX1;
		downlink->attempts[i].timing = GW_AT_TICKS;
		downlink->attempts[i].ticks = gw_ticks_add(heard->ticks, (5 + i) * US_PER_S);
	}
	t_upstream_send_order(upstream);
}

static void join_and_answer(void **state)
{
	(void)state;
	t_row("discovery");
	assert_true(opens(0, "/router-info", CERTIFICATE));
	char expect[96];
	snprintf(expect, sizeof expect, "wss://127.0.0.1:%u" ROOF_PATH, world.port);
	t_true("where to connect", strstr(ask(0, "{\"router\":\"aa55:5a00::301\"}"), expect) != NULL);
	t_row("the data connection");
	assert_true(comes_up(1, ROOF_PATH, CERTIFICATE));
	t_true("its region", strstr(t_wire_last(world.wires[1]), "\"EU863\"") != NULL);
	t_row("a frame");
	assert_true(send_uplink(1));
	const struct gw_uplink *uplink = &world.rig->upstream->uplink[0];
	t_int("protocol", GW_BASICS_STATION, uplink->protocol);
	t_uint("ticks", (uint32_t)(uint64_t)XTIME, uplink->ticks.us);
	t_uint("PHYPayload", 14, uplink->phy_length);
	t_str("presence", "connected", t_upstream_presence(world.rig->upstream, ROOF));
	t_row("its answer");
	world.wire = 1;
	world.texts = t_wire_texts(world.wires[1]);
	order(77);
	assert_true(t_bridge_wait(world.rig, has_text));
	const char *dnmsg = t_wire_last(world.wires[1]);
	const char *diid = strstr(dnmsg, "\"diid\":");
	t_true("a dnmsg with both windows",
	       diid && strstr(dnmsg, "\"RX1Freq\"") != NULL && strstr(dnmsg, "\"RX2Freq\"") != NULL);
	char xtime[64];
	snprintf(xtime, sizeof xtime, "\"xtime\":%" PRId64, XTIME + 4 * US_PER_S);
	t_true("not a microsecond lost", strstr(dnmsg, xtime) != NULL);
	assert_non_null(diid);
	char text[256];
	world.rig->wanted = 1;
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"dntxed\",\"diid\":%lld,\"DR\":0,\"Freq\":869525000,\"DevEui\":"
		 "\"01-01-01-01-01-01-01-01\",\"rctx\":3,\"xtime\":%" PRId64 ",\"txtime\":1.5,\"gpstime\":0}",
		 strtoll(diid + 7, NULL, 10), XTIME + 6 * US_PER_S);
	t_wire_text(world.wires[1], text);
	assert_true(t_bridge_wait(world.rig, ack_came));
	const struct gw_tx_ack *ack = &world.rig->upstream->tx_ack[0];
	t_uint("id", 77, ack->id);
	t_int("result", GW_TX_OK, ack->result);
	t_uint("in RX2", 1, ack->attempt);
}

static void who_may_not_come_in(void **state)
{
	(void)state;
	static const struct {
		const char *name, *path;
		enum credential credential;
		unsigned status;
		const char *verdict; /* NULL: none of the core's */
	} rows[] = {
		{"a certificate", ROOF_PATH, CERTIFICATE, 101, NULL},
		{"a token", TOKEN_PATH, GOOD_TOKEN, 101, NULL},
		{"nothing", ROOF_PATH, NOTHING, 401, "credential_missing"},
		{"a token that is wrong", TOKEN_PATH, WRONG_TOKEN, 401, "token_wrong"},
		{"a token where a certificate must be", ROOF_PATH, GOOD_TOKEN, 403, "credential_not_allowed"},
		{"another gateway's certificate", TOKEN_PATH, CERTIFICATE, 403, "certificate_foreign"},
		{"a stranger", "/gateway/1122334455667788", CERTIFICATE, 404, "unknown_gateway"},
		{"no EUI", "/gateway/here", CERTIFICATE, 404, NULL},
		{"no such path", "/", CERTIFICATE, 404, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		dial(0, rows[i].path, rows[i].credential);
		t_true("answered", t_bridge_wait(world.rig, is_settled));
		t_uint("status", rows[i].status, t_wire_http_status(world.wires[0]));
		if (rows[i].verdict)
			t_true("counted", t_bridge_verdict(world.rig, rows[i].verdict) >= 1);
	}
	t_row("clear text at the TLS port");
	dial(0, ROOF_PATH, CLEAR);
	t_true("closed", t_bridge_wait(world.rig, is_closed));
	t_row("its EUI over UDP");
	struct t_gateway *forger = t_bridge_gateway(world.rig, ROOF, T_BRIDGE_V2 & 1 ? 1 : 2, NULL);
	t_gateway_pull(forger);
	t_gateway_push(forger, 1000);
	assert_true(comes_up(1, ROOF_PATH, CERTIFICATE));
	assert_true(send_uplink(1));
	t_true("counted", t_bridge_verdict(world.rig, "udp_not_allowed") >= 2);
	t_uint("never acknowledged", 0, forger->push_acks + forger->pull_acks);
	t_uint("nor forwarded", 1, world.rig->upstream->uplinks);
}

static void a_new_connection_replaces_the_old(void **state)
{
	(void)state;
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	assert_true(comes_up(1, ROOF_PATH, CERTIFICATE));
	world.wire = 0;
	assert_true(t_bridge_wait(world.rig, is_closed));
	t_uint("the old one is closed", 1000, t_wire_close_code(world.wires[0]));
	t_true("with the reason", strstr(t_wire_close_text(world.wires[0]), "station_replaced") != NULL);
	t_true("the new one works", send_uplink(1));
}

static bool is_gone(void *ctx)
{
	const struct t_bridge *rig = ctx;
	pump();
	return strcmp(t_upstream_presence(rig->upstream, ROOF), "station_closed") == 0 ||
	       strcmp(t_upstream_presence(rig->upstream, ROOF), "station_lost") == 0;
}

static void a_reset_is_told_at_once(void **state)
{
	(void)state;
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	t_wire_reset(world.wires[0]);
	t_true("presence", t_bridge_wait(world.rig, is_gone));
}

static bool is_up_again(void *ctx)
{
	(void)ctx;
	pump();
	if (t_wire_state(world.wires[1]) == T_WIRE_CLOSED)
		dial(1, ROOF_PATH, CERTIFICATE);
	return t_wire_state(world.wires[1]) == T_WIRE_OPEN;
}

static void a_restart_says_goodbye(void **state)
{
	(void)state;
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	t_process_signal(world.rig->process, SIGTERM);
	assert_true(t_bridge_wait(world.rig, is_closed));
	t_uint("a close frame", 1012, t_wire_close_code(world.wires[0]));
	t_int("an orderly end", 0, t_process_wait(world.rig->process));
	t_process_free(world.rig->process);
	dial(1, ROOF_PATH, CERTIFICATE);
	t_bridge_run(world.rig);
	t_true("the kept list lets it in", t_bridge_wait(world.rig, is_up_again));
}

/* A question whose answer comes while the station is served, or never ends. */
static struct {
	int fd;
	size_t length;
	char got[4096];
	const char *wanted;
	struct t_gateway *speaks; /* meanwhile; NULL: nobody */
} asking;

static void ask_admin(const char *target)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char request[256];
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", world.rig->admin);
	int length = snprintf(request, sizeof request,
			      "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", target);
	asking.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	asking.length = 0;
	assert_int_equal(0, connect(asking.fd, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(length, send(asking.fd, request, (size_t)length, MSG_NOSIGNAL));
}

static bool admin_says(void *ctx)
{
	(void)ctx;
	pump();
	if (asking.speaks)
		t_gateway_pull(asking.speaks);
	ssize_t got = recv(asking.fd, asking.got + asking.length, sizeof asking.got - 1 - asking.length,
			   MSG_DONTWAIT);
	asking.length += got > 0 ? (size_t)got : 0;
	asking.got[asking.length] = 0;
	return strstr(asking.got, asking.wanted) != NULL;
}

static bool answers(const char *wanted)
{
	asking.wanted = wanted;
	return t_bridge_wait(world.rig, admin_says);
}

static void an_engineer_pings(void **state)
{
	(void)state;
	t_row("a station");
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	ask_admin("/gateways/aa555a0000000301/ping");
	t_true("answered", answers("\"how\":\"websocket_ping\""));
	t_true("with a round trip", strstr(asking.got, "\"round_trip_ms\":null") == NULL);
	close(asking.fd);
	t_row("a UDP gateway, which says something");
	asking.speaks = t_bridge_gateway(world.rig, T_BRIDGE_V2, 2, NULL);
	ask_admin("/gateways/aa555a0000000202/ping");
	t_true("answered", answers("\"how\":\"next_datagram\""));
	close(asking.fd);
	asking.speaks = NULL;
	t_row("one that says nothing");
	ask_admin("/gateways/aa555a0000000101/ping");
	t_true("answered", answers("504"));
	close(asking.fd);
}

static void an_engineer_asks(void **state)
{
	(void)state;
	char body[1024];
	(void)open_world_with("  station_remote: true\n");
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	t_row("a command");
	world.wire = 0;
	world.texts = t_wire_texts(world.wires[0]);
	t_int("sent", 202,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000301/run",
			  "{\"command\":\"date\",\"arguments\":[\"-u\"]}", body, sizeof body));
	assert_true(t_bridge_wait(world.rig, has_text));
	t_str("as the station gets it",
	      "{\"msgtype\":\"runcmd\",\"command\":\"date\",\"arguments\":[\"-u\"]}",
	      t_wire_last(world.wires[0]));
	t_int("no command", 422,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000301/run", "{}", body, sizeof body));
	t_int("no gateway", 404,
	      t_unix_post(world.rig->admin, "/gateways/1122334455667788/run", "{\"command\":\"date\"}", body,
			  sizeof body));
	t_int("no station", 409,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000302/run", "{\"command\":\"date\"}", body,
			  sizeof body));
	t_row("a shell");
	world.texts = t_wire_texts(world.wires[0]);
	ask_admin("/gateways/aa555a0000000301/shell?user=ann");
	assert_true(t_bridge_wait(world.rig, has_text));
	t_str("started", "{\"msgtype\":\"rmtsh\",\"user\":\"ann\",\"term\":\"xterm\",\"start\":0}",
	      t_wire_last(world.wires[0]));
	t_int("one alone", 409,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000301/shell", "", body, sizeof body));
	t_wire_frame(world.wires[0],
		     &(struct t_wire_frame){.head = 0x82, .bytes = "\0uptime 3 days", .length = 14});
	t_true("what it says", answers("uptime 3 days"));
	t_int("input", 202,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000301/shell/input", "exit\n", body,
			  sizeof body));
	close(asking.fd);
	t_row("off by default");
	(void)close_world(state);
	(void)open_world(state);
	assert_true(comes_up(0, ROOF_PATH, CERTIFICATE));
	t_int("refused", 403,
	      t_unix_post(world.rig->admin, "/gateways/aa555a0000000301/run", "{\"command\":\"date\"}", body,
			  sizeof body));
	(void)close_world(state);
}

static void plain_on_loopback(void **state)
{
	(void)state;
	(void)open_world_with("  station_tls: false\n");
	assert_true(opens(0, "/router-info", CLEAR));
	t_true("a token is looked at still",
	       strstr(ask(0, "{\"router\":\"aa55:5a00::302\"}"), "\"error\"") != NULL);
	t_true("comes", opens(1, TOKEN_PATH, CLEAR) == false);
	t_uint("status", 401, t_wire_http_status(world.wires[1]));
	(void)close_world(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"join_and_answer", join_and_answer, open_world, close_world, NULL},
		{"who_may_not_come_in", who_may_not_come_in, open_world, close_world, NULL},
		{"a_new_connection_replaces_the_old", a_new_connection_replaces_the_old, open_world,
		 close_world, NULL},
		{"a_reset_is_told_at_once", a_reset_is_told_at_once, open_world, close_world, NULL},
		{"a_restart_says_goodbye", a_restart_says_goodbye, open_world, close_world, NULL},
		{"an_engineer_pings", an_engineer_pings, open_world, close_world, NULL},
		{"an_engineer_asks", an_engineer_asks, NULL, NULL, NULL},
		{"plain_on_loopback", plain_on_loopback, NULL, NULL, NULL},
	};
	return t_run(tests);
}
