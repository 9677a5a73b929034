/* A join brought a SessionKeyID and no key: the real application server asks a join server, which the test plays, until it answers. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/crypto/aes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 100

static const struct lw_key session_key = {{9, 9, 9}};
static uint64_t row;

/* Fills the answer to a request; the first is refused, so that there has to be a second. */
static void answer_to(const char *request, unsigned *asked, char *out, size_t capacity)
{
	char text[BI_WRITTEN_MAX] = "";
	struct bi_message message, answer = {.envelope = {.protocol = BI_PROTOCOL_1_0}};
	struct bi_error error;
	const char *body = strstr(request, "\r\n\r\n");
	bool is = body && bi_read(body + 4, strlen(body + 4), &message, &error) &&
		  message.envelope.type == BI_APP_S_KEY_REQ &&
		  message.app_s_key_req.session_key_id.length == 8 && (*asked)++ > 0;
	if (is) {
		answer.envelope = bi_answer_envelope(&message.envelope);
		answer.app_s_key_ans.dev_eui = message.app_s_key_req.dev_eui;
		answer.app_s_key_ans.session_key_id = message.app_s_key_req.session_key_id;
		answer.app_s_key_ans.app_s_key.length = BI_KEY_WRAPPED;
		snprintf(answer.app_s_key_ans.app_s_key.label, BI_LABEL_TEXT, "application");
		is = aes_wrap(t_server.kek, sizeof t_server.kek, session_key.bytes, 16,
			      answer.app_s_key_ans.app_s_key.key) == AES_WRAP_OK &&
		     bi_write(&answer, text, sizeof text) > 0;
	}
	snprintf(out, capacity, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 is ? "200 OK" : "503 Service Unavailable", strlen(text), text);
}

/* The join server, in a process of its own; ends with the test. */
static void serve(int listener)
{
	static char request[65536], answer[2 * BI_WRITTEN_MAX];
	unsigned asked = 0;
	for (;;) {
		int client = accept(listener, NULL, NULL);
		if (client < 0)
			_exit(1);
		size_t length = 0;
		ssize_t got;
		while (length < sizeof request - 1 &&
		       (got = read(client, request + length, sizeof request - 1 - length)) > 0) {
			length += (size_t)got;
			request[length] = '\0';
			const char *end = strstr(request, "\r\n\r\n");
			if (end && (end[4] || strncmp(request, "GET", 3) == 0))
				break;
		}
		answer_to(request, &asked, answer, sizeof answer);
		(void)!write(client, answer, strlen(answer));
		close(client);
	}
}

static pid_t play_join_server(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/join.sock", t_server.run);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(listener, (const struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(listener, 16));
	pid_t pid = fork();
	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

static bool is_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

static bool an_uplink_is_in_clear(void)
{
	static struct proto_message message;
	row++;
	message = (struct proto_message){.kind = PROTO_UP_EVENT};
	message.up_event = t_script_event(row, &session_key, T_OTAA_EUI, 0x01ffffff);
	message.up_event.session = (struct net_session_id){{0x55}};
	return t_script_send(t_server.network, &message) &&
	       t_script_run(t_server.network, is_stored, T_CEILING) &&
	       t_server_get("/api/v1/devices/" T_OTAA_EUI "/readings?limit=1") == 200 &&
	       strstr(t_server.answer, "count") != NULL;
}

static bool metrics_say(const char *row_end)
{
	static char text[1 << 17];
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s/application-server.admin.sock", t_server.run);
	return t_unix_get(path, "/metrics", text, sizeof text) == 200 && strstr(text, row_end) != NULL;
}

static void the_key_of_a_session_that_has_its_id_alone_is_fetched(void **state)
{
	static struct proto_message message;
	bool in_clear = false;
	(void)state;
	t_server_open(0, false, "", "");
	pid_t join_server = play_join_server();
	row = 1;
	message = (struct proto_message){.kind = PROTO_JOIN_EVENT};
	message.join_event = (struct net_join_event){
		.head = {.id = {{0xaa}}, .row = 1, .time = {1800000000000000}},
		.session = {{0x55}},
		.join_eui = {{0, 0, 0, 0, 0, 0, 0, 1}},
		.dev_addr = {0x01ffffff},
		.region_id = "eu868",
		.session_key_id = {1, 2, 3, 4, 5, 6, 7, 8},
		.session_key_id_length = 8};
	assert_true(lw_eui64_parse(T_OTAA_EUI, &message.join_event.head.dev_eui));
	t_true("join sent", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, is_stored, T_CEILING));
	for (unsigned i = 0; i < TRIES && !in_clear; i++) {
		in_clear = an_uplink_is_in_clear();
		usleep(20000);
	}
	t_true("uplinks are in clear once it was", in_clear);
	t_true("that it was refused first is counted",
	       metrics_say("app_s_key_refusals_total{reason=\"no_answer\"} 1\n"));
	t_true("by that reason alone", metrics_say("app_s_key_refusals_total{reason=\"unknown\"} 0\n"));
	t_true("and that it came", metrics_say("app_s_keys_fetched_total 1\n"));
	t_server_close();
	kill(join_server, SIGKILL);
	waitpid(join_server, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(the_key_of_a_session_that_has_its_id_alone_is_fetched)};
	return t_run(tests);
}
