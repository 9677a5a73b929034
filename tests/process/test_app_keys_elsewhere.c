/* Sessions whose AppSKey is to be fetched from join servers of others: the real application server asks each by its JoinEUI over real TLS,
 * with the certificate and the headers of its row, and opens what comes under the KEK of the row. One that never answers holds up
 * nobody else's, nor the city's own. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"
#include "tests/harness/ts002_peer.h"

#include "common/backend/ts002.h"
#include "common/base/check.h"
#include "common/crypto/aes.h"
#include "common/io/http_server.h"
#include "common/io/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEK "0123456789abcdef"

static const struct lw_key session_key = {{7, 7, 7}};
static char tls[T_DIR_MAX];
static uint64_t row;

/* What the scripted join server saw, in memory that both processes share. */
struct seen {
	unsigned asked, refused, nameless, strange, slow, low;
};
static struct seen *seen;

/* --- the join server of another, in a process of its own ---------------------------------------------------------- */

static struct io_http_server *server;

static void reply(const struct io_http_request *request, int code, const char *text)
{
	enum status status = io_http_reply(server, io_http_request_exchange(request), code, NULL, text,
					   strlen(text));
	(void)status;
}

static bool is_as_agreed(const struct io_http_request *request, const struct bi_message *message)
{
	const struct io_tls_peer *peer = io_http_request_certificate(request);
	const char *token = io_http_request_header(request, "authorization");
	seen->nameless += !peer || strcmp(peer->common_name, "as.a") != 0 || !token ||
			  strcmp(token, "Bearer 77") != 0;
	bool good = message->envelope.type == BI_APP_S_KEY_REQ &&
		    message->envelope.protocol == BI_PROTOCOL_1_1 &&
		    strcmp(message->envelope.sender_id, "as.city-a") == 0 &&
		    strcmp(message->envelope.receiver_id, "70b3d57ed1000001") == 0 &&
		    message->app_s_key_req.session_key_id.length == 8 &&
		    message->app_s_key_req.session_key_id.bytes[7] == 8;
	seen->strange += !good;
	seen->low += message->envelope.transaction_id < 1000;
	return good;
}

/* The first call is answered 503, the second with the key. */
static void on_request(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx, (void)now;
	struct bi_message message, answer = {0};
	struct bi_error error;
	char text[BI_WRITTEN_MAX];
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	ASSERT(bi_read((const char *)body, length, &message, &error));
	if (seen->asked++ == 0 || !is_as_agreed(request, &message)) {
		reply(request, 503, "");
		return;
	}
	answer.envelope = bi_answer_envelope(&message.envelope);
	answer.app_s_key_ans.dev_eui = message.app_s_key_req.dev_eui;
	answer.app_s_key_ans.session_key_id = message.app_s_key_req.session_key_id;
	answer.app_s_key_ans.app_s_key.length = BI_KEY_WRAPPED;
	snprintf(answer.app_s_key_ans.app_s_key.label, BI_LABEL_TEXT, "city-a-keys");
	ASSERT(aes_wrap((const uint8_t *)KEK, 16, session_key.bytes, 16,
			answer.app_s_key_ans.app_s_key.key) == AES_WRAP_OK);
	ASSERT(bi_write(&answer, text, sizeof text) > 0);
	reply(request, 200, text);
}

static void on_slow(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx, (void)now, (void)request; /* never answered */
	seen->slow++;
}

static const struct io_http_route routes[] = {{IO_HTTP_POST, "/keys", on_request},
					      {IO_HTTP_POST, "/slow", on_slow}};

static pid_t serve(uint16_t port)
{
	pid_t pid = fork();
	ASSERT(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	char ca[T_DIR_MAX + 32], certificate[T_DIR_MAX + 32], key[T_DIR_MAX + 32];
	snprintf(ca, sizeof ca, "%s/ca.crt", tls);
	snprintf(certificate, sizeof certificate, "%s/js.b.crt", tls);
	snprintf(key, sizeof key, "%s/js.b.key", tls);
	const struct io_http_server_options options = {.host = "127.0.0.1",
						       .port = port,
						       .cert_file = certificate,
						       .key_file = key,
						       .ca_file = ca,
						       .client_certificates = IO_TLS_CLIENTS_REQUIRED};
	struct io_loop *loop = io_loop_new(NULL);
	if (io_http_server_open(loop, &options, &server) != ST_OK)
		_exit(1);
	io_http_server_add(server, routes, ARRAY_SIZE(routes), NULL);
	_exit(io_loop_run(loop));
}

/* --- the city -------------------------------------------------------------------------------------------------------- */

static void write_closed(const char *name, const char *text)
{
	char path[T_DIR_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", tls, name);
	t_write_file(path, text);
	assert_int_equal(0, chmod(path, 0600));
}

static void open_city(uint16_t port)
{
	static char rows[2048];
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	t_tls_certificate(tls, "ca", "js.b");
	t_tls_certificate(tls, "ca", "as.a");
	write_closed("kek", KEK);
	write_closed("token", "Authorization: Bearer 77\n");
	snprintf(rows, sizeof rows,
		 "  join_servers:\n"
		 "    neighbour: {join_euis: [70b3d57ed1000000/40], url: \"https://127.0.0.1:%u/keys\", ca: "
		 "%s/ca.crt, certificate: %s/as.a.crt, key: %s/as.a.key, headers: %s/token, protocol: "
		 "\"1.1\", "
		 "as_id: as.city-a, kek: city-a-keys, kek_file: %s/kek, timeout_ms: 2000}\n"
		 "    slow: {join_euis: [70b3d57ed2000000/40], url: \"https://127.0.0.1:%u/slow\", ca: "
		 "%s/ca.crt, certificate: %s/as.a.crt, key: %s/as.a.key, timeout_ms: 5000}\n",
		 port, tls, tls, tls, tls, tls, port, tls, tls, tls);
	t_server_open(0, false, "", rows);
}

static bool is_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

static void joins(const char *dev_eui, const char *join_eui, uint8_t session)
{
	static struct proto_message message;
	row++;
	message = (struct proto_message){.kind = PROTO_JOIN_EVENT};
	message.join_event = (struct net_join_event){
		.head = {.id = {{0xaa, session}}, .row = row, .time = {1800000000000000}},
		.session = {{session}},
		.dev_addr = {0x01ffff00u + session},
		.region_id = "eu868",
		.session_key_id = {1, 2, 3, 4, 5, 6, 7, 8},
		.session_key_id_length = 8};
	assert_true(lw_eui64_parse(dev_eui, &message.join_event.head.dev_eui) &&
		    lw_eui64_parse(join_eui, &message.join_event.join_eui));
	t_true("join sent", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, is_stored, T_CEILING));
}

static bool an_uplink_is_in_clear(const char *dev_eui, uint8_t session)
{
	static struct proto_message message;
	char path[100];
	row++;
	message = (struct proto_message){.kind = PROTO_UP_EVENT};
	message.up_event = t_script_event(row, &session_key, dev_eui, 0x01ffff00u + session);
	message.up_event.session = (struct net_session_id){{session}};
	snprintf(path, sizeof path, "/api/v1/devices/%s/readings?limit=1", dev_eui);
	return t_script_send(t_server.network, &message) &&
	       t_script_run(t_server.network, is_stored, T_CEILING) && t_server_get(path) == 200 &&
	       strstr(t_server.answer, "count") != NULL;
}

static bool slow_is_asked(void *ctx)
{
	(void)ctx;
	return seen->slow > 0;
}

static void keys_are_fetched_from_the_join_server_of_the_join_eui(void **state)
{
	(void)state;
	bool in_clear = false;
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    /* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
		    -1, 0);
	assert_true(seen != MAP_FAILED);
	uint16_t port = t_free_tcp_port();
	open_city(port);
	pid_t pid = serve(port);
	/* The oldest session is the slow one's: whoever asked for one after the other would wait for it. */
	joins(T_OTAA_EUI, "70b3d57ed2000001", 1);
	t_true("the slow one is asked", t_wait_until(slow_is_asked, NULL, T_CEILING));
	joins(T_OTAA_EUI, "70b3d57ed1000001", 2);
	for (unsigned i = 0; i < 200 && !in_clear; i++) {
		in_clear = an_uplink_is_in_clear(T_OTAA_EUI, 2);
		usleep(20000);
	}
	t_true("uplinks are in clear once its key came", in_clear);
	t_uint("asked again after a 503, and not after the key", 2, seen->asked);
	t_uint("with our certificate and the line of its row", 0, seen->nameless);
	t_uint("as agreed", 0, seen->strange);
	t_uint("under a TransactionID that no earlier run had", 0, seen->low);
	t_uint("the slow one was asked once and is waited for", 1, seen->slow);
	t_true("counted", t_metric(t_server.admin, "lamppost_application_app_s_keys_fetched_total") == 1);
	t_server_close();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	t_temp_dir_remove(tls);
	munmap(seen, sizeof *seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(keys_are_fetched_from_the_join_server_of_the_join_eui)};
	return t_run(tests);
}
