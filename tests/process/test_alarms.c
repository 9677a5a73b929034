/* Alarms end to end: the real application server; a network server's admin socket that the test plays, so that its journal fills
 * when the test wants; a receiver of webhooks that fails first; a real broker; the command line. */
#include "common/base/hex.h"
#include "common/crypto/secret.h"
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGES 64
#define SECRET   "a word that both know"

/* --- a server of HTTP, one request a connection ---------------------------------------------------------------- */

static struct receiver {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	int refuse; /* so many more are answered 500 */
	size_t count;
	char *bodies[MESSAGES], *heads[MESSAGES];
	int codes[MESSAGES];
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct admin {
	int listener;
	pthread_t thread;
	char path[200];
} admin;
static atomic_int journal_percent;

/* Reads a request; its head ends at the empty line. The length of all of it. */
static size_t read_request(int fd, char *text, size_t capacity)
{
	size_t used = 0, wanted = 0;
	while (used + 1 < capacity) {
		ssize_t got = read(fd, text + used, capacity - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
		text[used] = '\0';
		const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
		if (end)
			wanted = (size_t)(end + 4 - text) +
				 (length ? (size_t)strtoul(length + 16, NULL, 10) : 0);
		if (end && used >= wanted)
			break;
	}
	text[used] = '\0';
	return used;
}

static void *receive(void *ctx)
{
	static char text[65536];
	(void)ctx;
	for (int fd; (fd = accept(receiver.listener, NULL, NULL)) >= 0; close(fd)) {
		if (read_request(fd, text, sizeof text) == 0)
			continue;
		pthread_mutex_lock(&receiver.lock);
		int code = receiver.refuse > 0 ? 500 : 204;
		receiver.refuse -= receiver.refuse > 0;
		const char *body = strstr(text, "\r\n\r\n");
		if (receiver.count < MESSAGES && body) {
			receiver.codes[receiver.count] = code;
			receiver.heads[receiver.count] = strndup(text, (size_t)(body - text));
			receiver.bodies[receiver.count++] = strdup(body + 4);
		}
		pthread_mutex_unlock(&receiver.lock);
		dprintf(fd, "HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code);
	}
	return NULL;
}

static void *tell_health(void *ctx)
{
	char text[4096], body[200];
	(void)ctx;
	for (int fd; (fd = accept(admin.listener, NULL, NULL)) >= 0; close(fd)) {
		if (read_request(fd, text, sizeof text) == 0)
			continue;
		snprintf(body, sizeof body, "{\"status\":\"ok\",\"journal_bytes\":%d,\"journal_limit\":100}",
			 atomic_load(&journal_percent));
		dprintf(fd,
			"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
			"%zu\r\nConnection: close\r\n\r\n%s",
			strlen(body), body);
	}
	return NULL;
}

static void open_receiver(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	receiver.count = 0;
	receiver.refuse = 0;
	receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(receiver.listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(receiver.listener, 16));
	assert_int_equal(0, getsockname(receiver.listener, (struct sockaddr *)&address, &size));
	receiver.port = ntohs(address.sin_port);
	assert_int_equal(0, pthread_create(&receiver.thread, NULL, receive, NULL));
}

static void close_receiver(void)
{
	shutdown(receiver.listener, SHUT_RDWR);
	pthread_join(receiver.thread, NULL);
	close(receiver.listener);
	for (size_t i = 0; i < receiver.count; i++) {
		free(receiver.bodies[i]);
		free(receiver.heads[i]);
	}
}

static void open_admin(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/network-server.admin.sock", t_server.run);
	snprintf(admin.path, sizeof admin.path, "%s", address.sun_path);
	admin.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(admin.listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(admin.listener, 16));
	assert_int_equal(0, pthread_create(&admin.thread, NULL, tell_health, NULL));
}

static void close_admin(void)
{
	shutdown(admin.listener, SHUT_RDWR);
	pthread_join(admin.thread, NULL);
	close(admin.listener);
}

/* --- what was received --------------------------------------------------------------------------------------- */

/* The first message from `*from` on that was taken (or not) with this news of this kind; its place, or −1. */
struct wanted {
	size_t from;
	int code;
	const char *kind, *what;
	int found;
};

static bool has_news(const char *body, const char *kind, const char *what)
{
	json_t *json = json_loads(body, 0, NULL);
	const json_t *item;
	size_t i;
	bool found = false;
	json_array_foreach(json_object_get(json, "alarms"), i, item)
	{
		const char *its = json_string_value(json_object_get(item, "kind"));
		const char *news = json_string_value(json_object_get(item, "what"));
		found = found || (its && news && strcmp(its, kind) == 0 && strcmp(news, what) == 0);
	}
	json_decref(json);
	return found;
}

static bool has_come(void *ctx)
{
	struct wanted *wanted = ctx;
	pthread_mutex_lock(&receiver.lock);
	wanted->found = -1;
	for (size_t i = wanted->from; i < receiver.count && wanted->found < 0; i++)
		if (receiver.codes[i] == wanted->code &&
		    has_news(receiver.bodies[i], wanted->kind, wanted->what))
			wanted->found = (int)i;
	pthread_mutex_unlock(&receiver.lock);
	return wanted->found >= 0;
}

static int await(size_t from, int code, const char *kind, const char *what)
{
	struct wanted wanted = {.from = from, .code = code, .kind = kind, .what = what};
	t_true(what, t_wait_until(has_come, &wanted, T_CEILING));
	return wanted.found;
}

static void is_signed(int place)
{
	uint8_t mac[SECRET_HASH];
	char text[2 * SECRET_HASH + 1], header[128];
	if (place < 0)
		return;
	pthread_mutex_lock(&receiver.lock);
	secret_hmac_sha256(mac, SECRET, strlen(SECRET), receiver.bodies[place],
			   strlen(receiver.bodies[place]));
	hex_encode(text, mac, sizeof mac);
	snprintf(header, sizeof header, "X-Lamppost-Signature: sha256=%s", text);
	t_true("signed", strstr(receiver.heads[place], header) != NULL);
	pthread_mutex_unlock(&receiver.lock);
}

static bool same_message(int a, int b)
{
	pthread_mutex_lock(&receiver.lock);
	bool same = a >= 0 && b >= 0 && strcmp(receiver.bodies[a], receiver.bodies[b]) == 0;
	pthread_mutex_unlock(&receiver.lock);
	return same;
}

static bool on_bus(void *ctx)
{
	const char *topic = ctx;
	for (size_t i = 0; i < t_subscriber_count(t_server.subscriber); i++)
		if (strcmp(t_subscriber_topic(t_server.subscriber, i), topic) == 0)
			return true;
	return false;
}

static const char *last_on(const char *topic)
{
	const char *last = NULL;
	for (size_t i = 0; i < t_subscriber_count(t_server.subscriber); i++)
		if (strcmp(t_subscriber_topic(t_server.subscriber, i), topic) == 0)
			last = t_subscriber_payload(t_server.subscriber, i);
	return last;
}

static bool is_emptied(void *ctx)
{
	const char *last = last_on(ctx);
	return last && !*last;
}

#define JOURNAL_TOPIC "lamppost/alarm/network-server/journal_filling"

static void from_a_full_journal_to_the_people(void **state)
{
	(void)state;
	char config[800], secret[64] = "/tmp/lamppost-alarm-secret-XXXXXX", said[16384];
	int fd = mkstemp(secret);
	assert_true(fd >= 0);
	dprintf(fd, SECRET "\n");
	close(fd);
	atomic_store(&journal_percent, 10);
	open_receiver();
	snprintf(config, sizeof config,
		 "  alarms:\n    channels: {ops: \"webhook http://127.0.0.1:%u/hook\", bus: mqtt}\n"
		 "    secret_files: {ops: \"%s\"}\n    interval: 0s\n    delay: 0s\n",
		 receiver.port, secret);
	t_server_open(0, true, "", config);
	open_admin();

	t_row("a test goes to a channel");
	t_int("exit code", 0,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "test", "ops", NULL}));
	t_int("a channel that is not there", 3,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "test", "nobody", NULL}));
	t_int("over the broker", 0,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "test", "bus", NULL}));

	t_row("the journal fills, and the receiver refuses at first");
	pthread_mutex_lock(&receiver.lock);
	receiver.refuse = 1;
	pthread_mutex_unlock(&receiver.lock);
	atomic_store(&journal_percent, 90);
	int refused = await(0, 500, "journal_filling", "raised");
	int taken = await(0, 204, "journal_filling", "raised");
	t_true("the same message under the same id", same_message(refused, taken));
	is_signed(taken);
	t_true("on its topic", t_wait_until(on_bus, JOURNAL_TOPIC, T_CEILING));
	t_true("retained state", strstr(last_on(JOURNAL_TOPIC), "\"state\":\"raised\"") != NULL);

	t_row("the command line shows it");
	t_int("exit code", 0,
	      t_server_cli(said, sizeof said,
			   (const char *[]){"alarm", "list", "--kind", "journal_filling", "--json", NULL}));
	json_t *list = json_loads(said, 0, NULL);
	const json_t *item = json_array_get(json_object_get(list, "items"), 0);
	char id[24];
	snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
	t_str("state", "raised", json_string_value(json_object_get(item, "state")));
	t_str("subject", "network-server", json_string_value(json_object_get(item, "subject")));
	json_decref(list);
	t_int("explained", 0,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "explain", id, NULL}));
	t_true("with what to do", strstr(said, "lamppost status") != NULL);
	t_int("taken on", 0,
	      t_server_cli(said, sizeof said,
			   (const char *[]){"alarm", "ack", id, "--note", "on it", "--for", "4h", NULL}));
	t_int("what is not there", 3,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "ack", "999999", NULL}));
	t_int("half a word", 2, t_server_cli(said, sizeof said, (const char *[]){"alarm", "ack", NULL}));

	t_row("a kill repeats nothing");
	pthread_mutex_lock(&receiver.lock);
	size_t before = receiver.count;
	pthread_mutex_unlock(&receiver.lock);
	t_server_kill();
	t_server_start();
	atomic_store(&journal_percent, 10);
	int cleared = await(before, 204, "journal_filling", "cleared");
	is_signed(cleared);
	struct wanted again = {.from = before, .code = 204, .kind = "journal_filling", .what = "raised"};
	t_false("not raised again", has_come(&again));
	t_true("the topic is emptied", t_wait_until(is_emptied, JOURNAL_TOPIC, T_CEILING));

	t_row("its history stays");
	t_int("exit code", 0,
	      t_server_cli(said, sizeof said, (const char *[]){"alarm", "explain", id, "--json", NULL}));
	json_t *alarm = json_loads(said, 0, NULL);
	t_str("state", "cleared", json_string_value(json_object_get(alarm, "state")));
	t_int("history", 2, json_array_size(json_object_get(alarm, "history")));
	json_decref(alarm);
	close_admin();
	t_server_close();
	close_receiver();
	(void)remove(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(from_a_full_journal_to_the_people)};
	return t_run(tests);
}
