/* The real join server over real TLS, called by network servers of others as libcurl speaks: certificates that are not good,
 * nobody's, of another NetID; replays; bodies and rates beyond the limits; answers that are posted. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/crypto/secret.h"
#include "common/io/http_server.h"
#include "common/io/key_file.h"
#include "tests/harness/foreign_join.h"
#include "tests/harness/ts002_peer.h"
#include "tests/harness/ts002_request.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THEIRS   "60000d"
#define DEV_EUI  "70b3d57ed1060001"
#define OURS     "70b3d57ed1060002"
#define JOIN_EUI "70b3d57ed1000001"
#define APP_KEY  "8a1f6c02d94e4b7fa3b05c6de7182901"

static char tls[T_DIR_MAX], url[64];
static struct t_foreign_join join;

/* --- two that are answered at URLs of their own: one takes answers, of the other nobody accepts connections ------------- */

static uint16_t taker_port, silent_port;

static struct io_http_server *taker;

/* The first two find it broken: that of is_served(), and an answer. */
static void on_answer(void *ctx, struct now now, const struct io_http_request *request)
{
	static unsigned count;
	(void)ctx;
	(void)now;
	enum status status = io_http_reply(taker, io_http_request_exchange(request), count++ < 2 ? 500 : 200,
					   NULL, "", 0);
	(void)status;
}

static const struct io_http_route taker_routes[] = {{IO_HTTP_POST, "/", on_answer}};

/* Serves until it is killed, or this program ends. */
static pid_t serve_taker(void)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	char ca[T_DIR_MAX + 32], certificate[T_DIR_MAX + 32], key[T_DIR_MAX + 32];
	snprintf(ca, sizeof ca, "%s/ca.crt", tls);
	snprintf(certificate, sizeof certificate, "%s/taker.b.crt", tls);
	snprintf(key, sizeof key, "%s/taker.b.key", tls);
	const struct io_http_server_options options = {.host = "127.0.0.1",
						       .port = taker_port,
						       .cert_file = certificate,
						       .key_file = key,
						       .ca_file = ca,
						       .client_certificates = IO_TLS_CLIENTS_REQUIRED};
	struct io_loop *loop = io_loop_new(NULL);
	if (io_http_server_open(loop, &options, &taker) != ST_OK)
		_exit(1);
	io_http_server_add(taker, taker_routes, ARRAY_SIZE(taker_routes), NULL);
	_exit(io_loop_run(loop));
}

/* Connections to it are made by the kernel, and nothing is ever said. */
static int listen_in_silence(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(silent_port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		    listen(fd, 64) == 0);
	return fd;
}

static int open_join(void **state)
{
	static char section[4096];
	char fingerprint[100], kek[T_DIR_MAX + 32];
	uint16_t port = t_free_tcp_port();
	taker_port = t_free_tcp_port();
	silent_port = t_free_tcp_port();
	assert_true(secret_init() == ST_OK);
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	t_tls_authority(tls, "other-ca");
	static const char *const names[] = {"js.a",   "ns.b",     "ns.c",    "as.b",
					    "slow.b", "silent.b", "taker.b", "stranger"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		t_tls_certificate(tls, "ca", names[i]);
	t_tls_certificate(tls, "other-ca", "ns.b-forged");
	t_tls_fingerprint(tls, "ns.c", fingerprint);
	snprintf(kek, sizeof kek, "%s/city-b.kek", tls);
	t_write_file(kek, "0123456789abcdef");
	assert_int_equal(0, chmod(kek, 0600));
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
	snprintf(section, sizeof section,
		 "  listen: 127.0.0.1:%u\n  certificate: %s/js.a.crt\n  key: %s/js.a.key\n  ca: %s/ca.crt\n"
		 "  keks: {city-b: %s}\n"
		 "  peers:\n"
		 "    city-b: {certificate: ns.b, net_ids: [" THEIRS "], messages: [joins, home], join_euis: "
		 "[70b3d57ed1000000/40], kek: city-b}\n"
		 "    city-c: {fingerprint: \"%s\", net_ids: [\"000024\"], messages: [joins, home], "
		 "join_euis: any, kek: "
		 "city-b}\n"
		 "    as-b: {certificate: as.b, as_ids: [as.b], messages: [app_keys], join_euis: any, kek: "
		 "application}\n"
		 "    slow-b: {certificate: slow.b, net_ids: [" THEIRS
		 "], messages: [home], join_euis: any, rate: 3}\n"
		 "    silent-b: {certificate: silent.b, net_ids: [" THEIRS
		 "], messages: [home], join_euis: any, rate: 1000, url: \"https://127.0.0.1:%u/\"}\n"
		 "    taker-b: {certificate: taker.b, net_ids: [" THEIRS
		 "], messages: [home], join_euis: any, url: \"https://127.0.0.1:%u/\"}\n",
		 port, tls, tls, tls, kek, fingerprint, silent_port, taker_port);
	t_foreign_join_start(&join, "000000", section);
	t_foreign_join_add(&join, DEV_EUI, JOIN_EUI, APP_KEY, THEIRS);
	t_foreign_join_add(&join, OURS, JOIN_EUI, APP_KEY, NULL);
	return t_setup(state);
}

static int close_join(void **state)
{
	t_foreign_join_stop(&join);
	t_temp_dir_remove(tls);
	return t_teardown(state);
}

static void write_request(char text[BI_WRITTEN_MAX], enum bi_type type, const char *sender,
			  const char *dev_eui, uint16_t nonce, uint32_t transaction)
{
	t_ts002_write(text, &(struct t_ts002_request){.type = type,
						      .protocol = transaction % 2 ? BI_PROTOCOL_1_1
										  : BI_PROTOCOL_1_0,
						      .sender = sender,
						      .join_eui = JOIN_EUI,
						      .dev_eui = dev_eui,
						      .transaction = transaction,
						      .app_key = APP_KEY,
						      .dev_nonce = nonce});
}

static const struct {
	const char *name, *certificate;
	enum bi_type type;
	const char *sender, *dev_eui;
	uint16_t nonce;
	int code;
	enum bi_result result;
	const char *description;
} rows[] = {
	{"no certificate", NULL, BI_JOIN_REQ, THEIRS, DEV_EUI, 1, 0, BI_OTHER, NULL},
	{"a certificate of another authority, with the right name", "ns.b-forged", BI_JOIN_REQ, THEIRS,
	 DEV_EUI, 1, 0, BI_OTHER, NULL},
	{"a good certificate that is nobody's", "stranger", BI_JOIN_REQ, THEIRS, DEV_EUI, 1, 200,
	 BI_UNKNOWN_SENDER, "peer_unknown"},
	{"another's NetID", "ns.b", BI_JOIN_REQ, "000024", DEV_EUI, 1, 200, BI_UNKNOWN_SENDER,
	 "peer_wrong_sender"},
	{"a device whose home is another network", "ns.c", BI_JOIN_REQ, "000024", DEV_EUI, 1, 200,
	 BI_ACTIVATION_DISALLOWED, "home_elsewhere"},
	{"a device of the city's own", "ns.b", BI_JOIN_REQ, THEIRS, OURS, 1, 200, BI_ACTIVATION_DISALLOWED,
	 "home_elsewhere"},
	{"a network server asks for an AppSKey", "ns.b", BI_APP_S_KEY_REQ, THEIRS, DEV_EUI, 1, 200,
	 BI_UNKNOWN_SENDER, "peer_wrong_sender"},
	{"an application server has a device join", "as.b", BI_JOIN_REQ, THEIRS, DEV_EUI, 1, 200,
	 BI_UNKNOWN_SENDER, "peer_wrong_sender"},
	{"an application server asks about a session of nobody", "as.b", BI_APP_S_KEY_REQ, "as.b", DEV_EUI, 1,
	 200, BI_OTHER, "unknown_session"},
	{"who is home", "ns.c", BI_HOME_NS_REQ, "000024", DEV_EUI, 1, 200, BI_SUCCESS, ""},
	{"a join", "ns.b", BI_JOIN_REQ, THEIRS, DEV_EUI, 7, 200, BI_SUCCESS, ""},
	{"its frame once more, in another transaction", "ns.b", BI_JOIN_REQ, THEIRS, DEV_EUI, 7, 200,
	 BI_FRAME_REPLAYED, "late_copy"},
	{"an older frame", "ns.b", BI_JOIN_REQ, THEIRS, DEV_EUI, 3, 200, BI_JOIN_REQ_FAILED,
	 "dev_nonce_not_increasing: 3, the last was 7"},
};

static void each_caller_gets_what_it_was_granted(void **state)
{
	(void)state;
	char text[BI_WRITTEN_MAX], body[BI_WRITTEN_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bi_message answer = {0};
		struct bi_error error;
		t_row(rows[i].name);
		write_request(text, rows[i].type, rows[i].sender, rows[i].dev_eui, rows[i].nonce,
			      (uint32_t)(2 * i + 1));
		t_int("code", rows[i].code,
		      t_tls_post(tls, "ca", rows[i].certificate, url, text, body, sizeof body));
		if (rows[i].code != 200)
			continue;
		t_true("an answer", bi_read(body, strlen(body), &answer, &error));
		t_str("result", bi_result_name(rows[i].result, BI_PROTOCOL_1_1),
		      bi_result_name(answer.envelope.result, BI_PROTOCOL_1_1));
		t_str("description", rows[i].description, answer.envelope.description);
		t_int("in the version of who asked", BI_PROTOCOL_1_1, answer.envelope.protocol);
		if (rows[i].type == BI_JOIN_REQ && rows[i].result == BI_SUCCESS) {
			t_str("label", "city-b", answer.join_ans.nwk_s_key.label);
			t_uint("wrapped", BI_KEY_WRAPPED, answer.join_ans.nwk_s_key.length);
		}
	}
	t_row("counters");
	t_int("none, and another authority's", 2,
	      (int)t_metric(join.admin_sock,
			    "lamppost_join_peer_connections_refused_total{reason=\"certificate\"}"));
	t_int("strangers", 1, (int)t_metric(join.admin_sock, "lamppost_join_peer_strangers_total"));
	t_int("refused as such", 1,
	      (int)t_metric(join.admin_sock, "lamppost_join_messages_total{verdict=\"peer_unknown\"}"));
	t_int("wrong senders", 3,
	      (int)t_metric(join.admin_sock, "lamppost_join_messages_total{verdict=\"peer_wrong_sender\"}"));
}

static void a_replay_gets_the_same_answer_and_burns_nothing(void **state)
{
	(void)state;
	char text[BI_WRITTEN_MAX], first[BI_WRITTEN_MAX], again[BI_WRITTEN_MAX];
	write_request(text, BI_JOIN_REQ, THEIRS, DEV_EUI, 100, 4000);
	t_int("code", 200, t_tls_post(tls, "ca", "ns.b", url, text, first, sizeof first));
	t_true("joined", strstr(first, "\"Success\""));
	t_int("code", 200, t_tls_post(tls, "ca", "ns.b", url, text, again, sizeof again));
	t_str("the same answer", first, again);
	t_row("by another peer");
	t_int("code", 200, t_tls_post(tls, "ca", "ns.c", url, text, again, sizeof again));
	t_true("refused", strstr(again, "UnknownSender") && !strstr(again, "NwkSKey"));
}

static void limits_hold(void **state)
{
	(void)state;
	static char text[BI_BODY_MAX + 1024], body[BI_WRITTEN_MAX];
	memset(text, ' ', sizeof text - 1);
	t_int("a body beyond the limit", 413, t_tls_post(tls, "ca", "ns.b", url, text, body, sizeof body));
	t_int("no message", 400, t_tls_post(tls, "ca", "ns.b", url, "{}", body, sizeof body));
	write_request(text, BI_HOME_NS_REQ, THEIRS, DEV_EUI, 0, 5000);
	unsigned limited = 0;
	for (unsigned i = 0; i < 40; i++)
		limited += t_tls_post(tls, "ca", "slow.b", url, text, body, sizeof body) == 429;
	t_true("a peer is held to its rate", limited > 0);
	t_int("another is not", 200, t_tls_post(tls, "ca", "ns.b", url, text, body, sizeof body));
	t_int("counted", (int)limited, (int)t_metric(join.admin_sock, "lamppost_join_peer_limited_total"));
}

static uint16_t port_of(const char *text)
{
	return (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
}

static bool are_refused(void *ctx)
{
	(void)ctx;
	return t_metric(join.admin_sock,
			"lamppost_join_peer_connections_refused_total{reason=\"address\"}") >= 68;
}

static bool have_left(void *ctx)
{
	(void)ctx;
	return t_metric(join.admin_sock,
			"lamppost_join_peer_connections_refused_total{reason=\"handshake\"}") >= 32;
}

static void one_address_does_not_take_every_connection(void **state)
{
	(void)state;
	char text[BI_WRITTEN_MAX], body[BI_WRITTEN_MAX];
	int idle[100];
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = t_idle_from("127.0.0.2", port_of(url));
	t_true("it has 32 of 64", t_wait_until(are_refused, NULL, T_CEILING));
	write_request(text, BI_HOME_NS_REQ, THEIRS, DEV_EUI, 0, 7000);
	t_int("another is served", 200, t_tls_post(tls, "ca", "ns.b", url, text, body, sizeof body));
	t_int("all had room", 0,
	      (int)t_metric(join.admin_sock,
			    "lamppost_join_peer_connections_refused_total{reason=\"full\"}"));
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		close(idle[i]);
	t_true("those that left within the handshake are counted", t_wait_until(have_left, NULL, T_CEILING));
}

static bool is_served(void *ctx)
{
	char there[64], body[64];
	(void)ctx;
	snprintf(there, sizeof there, "https://127.0.0.1:%u/", taker_port);
	return t_tls_post(tls, "ca", "stranger", there, "{}", body, sizeof body) == 500;
}

static bool is_taken(void *ctx)
{
	(void)ctx;
	return t_metric(join.admin_sock, "lamppost_join_peer_answers_total") >= 1;
}

static bool are_given_up(void *ctx)
{
	unsigned *count = ctx;
	return t_metric(join.admin_sock, "lamppost_join_peer_answers_lost_total") >= *count;
}

static void one_that_takes_no_answers_holds_up_nobody(void **state)
{
	(void)state;
	char text[BI_WRITTEN_MAX], body[BI_WRITTEN_MAX];
	int silent = listen_in_silence(), code = 200;
	pid_t pid = serve_taker();
	unsigned waiting = 0;
	assert_true(t_wait_until(is_served, NULL, T_CEILING));
	double began = t_seconds();
	write_request(text, BI_HOME_NS_REQ, THEIRS, DEV_EUI, 0, 6000);
	while (waiting < 200 && code == 200) {
		code = t_tls_post(tls, "ca", "silent.b", url, text, body, sizeof body);
		if (code == 200)
			t_str("it is answered later", "", body);
		waiting += code == 200;
	}
	/* Later than that its first answers have been given up already. */
	t_true("more are not taken in while its answers wait", code == 503 || t_seconds() - began > 3);
	t_row("another that is answered later");
	t_int("code", 200, t_tls_post(tls, "ca", "taker.b", url, text, body, sizeof body));
	t_str("it is answered later", "", body);
	t_true("its answer arrives", t_wait_until(is_taken, NULL, T_CEILING));
	t_row("one that is answered at once");
	t_int("code", 200, t_tls_post(tls, "ca", "ns.b", url, text, body, sizeof body));
	t_true("answered", strstr(body, "\"Success\""));
	t_row("counters");
	t_true("the answer was tried again",
	       t_metric(join.admin_sock, "lamppost_join_peer_answer_failures_total") >= 1);
	t_int("counted for the peer", 1,
	      (int)t_metric(join.admin_sock, "lamppost_join_peer_answers_by_peer_total{peer=\"taker-b\"}"));
	/* What was not taken in is a message too; a slow machine may not come to that. */
	t_uint("and for the other", waiting + (code != 200 ? 1u : 0u),
	       (uint64_t)t_metric(join.admin_sock,
				  "lamppost_join_peer_messages_by_peer_total{peer=\"silent-b\"}"));
	t_true("what is not taken is given up", t_wait_until(are_given_up, &waiting, T_CEILING));
	t_int("and its place is free again", 200,
	      t_tls_post(tls, "ca", "silent.b", url, text, body, sizeof body));
	close(silent);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
#define IN_JOIN(f)                                 \
	{                                          \
#f, f, open_join, close_join, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_JOIN(each_caller_gets_what_it_was_granted),
		IN_JOIN(a_replay_gets_the_same_answer_and_burns_nothing),
		IN_JOIN(limits_hold),
		IN_JOIN(one_address_does_not_take_every_connection),
		IN_JOIN(one_that_takes_no_answers_holds_up_nobody),
	};
	return t_run(tests);
}
