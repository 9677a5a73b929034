/* Alarms leave by e-mail and by webhooks over TLS: the real application server with its configuration, and receivers that the test
 * plays over real sockets. A mail server that offers no STARTTLS gets nothing, a wrong password is named, a receiver whose
 * certificate nobody vouches for is refused and named; what was refused is sent again once it is put right. */
#include "tests/harness/certificates.h"
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a receiver: one connection at a time ----------------------------------------------------------------------- */

struct receiver {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	SSL_CTX *context;
	bool offers_tls, takes_password; /* of the mail server */
	char taken[65536];               /* what came after the head of HTTP, or as a mail; the last */
	unsigned count, refused;
	bool password_in_clear;
};

static struct receiver mail = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct receiver hook = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(struct receiver *receiver, const char *text)
{
	pthread_mutex_lock(&receiver->lock);
	snprintf(receiver->taken, sizeof receiver->taken, "%s", text);
	receiver->count++;
	pthread_mutex_unlock(&receiver->lock);
}

static SSL *greet_tls(const struct receiver *receiver, int fd)
{
	SSL *tls = SSL_new(receiver->context);
	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1)
		return tls;
	SSL_free(tls);
	return NULL;
}

static bool read_line(SSL *tls, int fd, char *line, size_t capacity)
{
	size_t length = 0;
	for (char byte; length + 1 < capacity;) {
		ssize_t got = tls ? SSL_read(tls, &byte, 1) : read(fd, &byte, 1);
		if (got != 1)
			return false;
		line[length++] = byte;
		if (byte == '\n')
			break;
	}
	line[length] = '\0';
	return true;
}

static void answer(SSL *tls, int fd, const char *text)
{
	if (tls)
		(void)SSL_write(tls, text, (int)strlen(text));
	else
		(void)!write(fd, text, strlen(text));
}

static void take_data(SSL *tls, int fd)
{
	static char text[65536];
	char line[2000];
	size_t used = 0;
	answer(tls, fd, "354 go on\r\n");
	while (read_line(tls, fd, line, sizeof line) && strcmp(line, ".\r\n") != 0)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s", line);
	keep(&mail, text);
	answer(tls, fd, "250 taken\r\n");
}

static void refuse(SSL *tls, int fd, const char *text)
{
	pthread_mutex_lock(&mail.lock);
	mail.refused++;
	pthread_mutex_unlock(&mail.lock);
	answer(tls, fd, text);
}

/* One conversation of SMTP. */
static void talk_mail(int fd)
{
	char line[2000];
	SSL *tls = NULL;
	answer(NULL, fd, "220 mail.city.example\r\n");
	while (read_line(tls, fd, line, sizeof line)) {
		pthread_mutex_lock(&mail.lock);
		bool offers = mail.offers_tls, welcome = mail.takes_password;
		mail.password_in_clear = mail.password_in_clear || (!tls && strncmp(line, "AUTH", 4) == 0);
		pthread_mutex_unlock(&mail.lock);
		if (strncmp(line, "EHLO", 4) == 0) {
			answer(tls, fd,
			       tls      ? "250-m\r\n250 AUTH PLAIN\r\n"
			       : offers ? "250-m\r\n250 STARTTLS\r\n"
					: "250-m\r\n250 AUTH PLAIN\r\n");
			if (!offers && !tls)
				refuse(tls, fd, "");
		} else if (strncmp(line, "STARTTLS", 8) == 0) {
			answer(tls, fd, "220 go on\r\n");
			tls = greet_tls(&mail, fd);
			if (!tls)
				return;
		} else if (strncmp(line, "AUTH PLAIN", 10) == 0) {
			if (strcmp(line, "AUTH PLAIN\r\n") == 0) {
				answer(tls, fd, "334 \r\n");
				if (!read_line(tls, fd, line, sizeof line))
					break;
			}
			if (welcome)
				answer(tls, fd, "235 welcome\r\n");
			else
				refuse(tls, fd, "535 no\r\n");
		} else if (strncmp(line, "DATA", 4) == 0) {
			take_data(tls, fd);
		} else if (strncmp(line, "QUIT", 4) == 0) {
			answer(tls, fd, "221 bye\r\n");
			break;
		} else {
			answer(tls, fd, "250 well\r\n");
		}
	}
	SSL_free(tls);
}

static void *serve_mail(void *ctx)
{
	(void)ctx;
	for (int fd; (fd = accept(mail.listener, NULL, NULL)) >= 0; close(fd))
		talk_mail(fd);
	return NULL;
}

static void talk_https(SSL *tls)
{
	static char body[65536];
	char line[2000];
	size_t length = 0, used = 0;
	while (read_line(tls, SSL_get_fd(tls), line, sizeof line) && strcmp(line, "\r\n") != 0)
		if (strncasecmp(line, "content-length:", 15) == 0)
			length = strtoul(line + 15, NULL, 10);
	while (used < length && used + 1 < sizeof body) {
		int got = SSL_read(tls, body + used, (int)(length - used));
		if (got <= 0)
			return;
		used += (size_t)got;
	}
	body[used] = '\0';
	keep(&hook, body);
	answer(tls, SSL_get_fd(tls), "HTTP/1.1 204 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	(void)SSL_shutdown(tls);
}

static void *serve_hook(void *ctx)
{
	(void)ctx;
	for (int fd; (fd = accept(hook.listener, NULL, NULL)) >= 0; close(fd)) {
		SSL *tls = greet_tls(&hook, fd);
		if (tls) {
			talk_https(tls);
		} else {
			pthread_mutex_lock(&hook.lock);
			hook.refused++;
			pthread_mutex_unlock(&hook.lock);
		}
		SSL_free(tls);
	}
	return NULL;
}

static void open_receiver(struct receiver *receiver, void *(*serve)(void *ctx),
			  const struct t_identity *identity)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	receiver->context = SSL_CTX_new(TLS_server_method());
	assert_int_equal(1, SSL_CTX_use_certificate_chain_file(receiver->context, identity->cert));
	assert_int_equal(1, SSL_CTX_use_PrivateKey_file(receiver->context, identity->key, SSL_FILETYPE_PEM));
	receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(receiver->listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(receiver->listener, 16));
	assert_int_equal(0, getsockname(receiver->listener, (struct sockaddr *)&address, &size));
	receiver->port = ntohs(address.sin_port);
	assert_int_equal(0, pthread_create(&receiver->thread, NULL, serve, NULL));
}

static void close_receiver(struct receiver *receiver)
{
	shutdown(receiver->listener, SHUT_RDWR);
	pthread_join(receiver->thread, NULL);
	close(receiver->listener);
	SSL_CTX_free(receiver->context);
}

/* --- what is waited for ----------------------------------------------------------------------------------------- */

static void set_mail(bool offers_tls, bool takes_password)
{
	pthread_mutex_lock(&mail.lock);
	mail.offers_tls = offers_tls;
	mail.takes_password = takes_password;
	mail.refused = 0;
	pthread_mutex_unlock(&mail.lock);
}

static bool was_taken(void *ctx)
{
	struct receiver *receiver = ctx;
	pthread_mutex_lock(&receiver->lock);
	bool taken = receiver->count > 0;
	pthread_mutex_unlock(&receiver->lock);
	return taken;
}

struct named {
	const char *channel, *problem; /* a part of what is said of it */
};

/* Whether `lamppost alarm channels` says it of the channel. */
static bool is_named(void *ctx)
{
	const struct named *named = ctx;
	size_t i;
	const json_t *channel;
	bool is = false;
	assert_int_equal(200, t_server_get("/api/v1/alarms/channels"));
	json_t *list = json_loads(t_server.answer, 0, NULL);
	json_array_foreach(json_object_get(list, "items"), i, channel)
	{
		const char *name = json_string_value(json_object_get(channel, "name"));
		char *text = json_dumps(channel, 0);
		is = is || (name && text && strcmp(name, named->channel) == 0 &&
			    strstr(text, named->problem) != NULL);
		free(text);
	}
	json_decref(list);
	return is;
}

static void ask_for_test(const char *channel)
{
	char path[200];
	snprintf(path, sizeof path, "/api/v1/alarms/channels/%s/test", channel);
	t_int("asked", 202, t_server_post(path, ""));
}

static void expect_problem(const char *channel, const char *problem)
{
	struct named named = {channel, problem};
	if (!t_true(problem, t_wait_until(is_named, &named, T_CEILING)))
		fprintf(stderr, "%s\n", t_server.answer);
}

/* --- the flows -------------------------------------------------------------------------------------------------- */

static void mail_needs_starttls_and_its_password(void)
{
	t_row("a mail server without STARTTLS gets neither mail nor password");
	ask_for_test("duty");
	expect_problem("duty", "STARTTLS");
	t_uint("mails", 0, mail.count);
	t_false("no password", mail.password_in_clear);
	t_row("one that refuses the password is named");
	set_mail(true, false);
	ask_for_test("duty");
	expect_problem("duty", "535");
	t_uint("mails", 0, mail.count);
	t_row("put right, the same message leaves");
	set_mail(true, true);
	ask_for_test("duty");
	t_true("taken", t_wait_until(was_taken, &mail, T_CEILING));
	pthread_mutex_lock(&mail.lock);
	t_true("from", strstr(mail.taken, "From: ") && strstr(mail.taken, "lamppost@city.example"));
	t_true("to", strstr(mail.taken, "oncall@city.example") != NULL);
	t_true("an id of its own", strstr(mail.taken, "Message-ID: ") != NULL);
	t_false("never in clear", mail.password_in_clear);
	pthread_mutex_unlock(&mail.lock);
}

static void webhooks_go_to_whom_an_authority_vouches_for(void)
{
	t_row("a receiver of another authority is refused, and that is named");
	ask_for_test("ops");
	expect_problem("ops", "ertificate");
	t_uint("nothing came", 0, hook.count);
}

static void by_mail_and_by_webhook(void **state)
{
	(void)state;
	char config[1200], password[T_PEM_PATH], trusted[T_PEM_PATH];
	struct t_ca own, other;
	struct t_identity mail_identity, hook_identity;
	(void)signal(SIGPIPE, SIG_IGN);
	t_ca_make(&own, "city");
	t_ca_make(&other, "other");
	t_ca_issue(&own, X509_FOR_SERVER, "localhost", 1, 86400, "mail", &mail_identity);
	t_ca_issue(&other, X509_FOR_SERVER, "localhost", 2, 86400, "hook", &hook_identity);
	snprintf(password, sizeof password, "%s", t_temp("smtp.password"));
	snprintf(trusted, sizeof trusted, "%s", t_temp("trusted.pem"));
	t_write_file(password, "a secret word\n");
	open_receiver(&mail, serve_mail, &mail_identity);
	open_receiver(&hook, serve_hook, &hook_identity);
	set_mail(false, true);
	char copy[8192];
	snprintf(copy, sizeof copy, "cp %s %s", own.file, trusted);
	assert_int_equal(0, system(copy));
	snprintf(config, sizeof config,
		 "  alarms:\n    channels: {duty: \"mail oncall@city.example\", ops: \"webhook "
		 "https://127.0.0.1:%u/hook\"}\n    interval: 0s\n    delay: 0s\n    ca_file: \"%s\"\n"
		 "    smtp: {host: 127.0.0.1, port: %u, username: lamppost, password_file: \"%s\", from: "
		 "lamppost@city.example}\n",
		 hook.port, trusted, mail.port, password);
	t_server_open(0, false, "", config);
	mail_needs_starttls_and_its_password();
	webhooks_go_to_whom_an_authority_vouches_for();
	t_row("the receiver's authority is trusted as well: what waited is sent");
	snprintf(copy, sizeof copy, "cat %s >> %s", other.file, trusted);
	assert_int_equal(0, system(copy));
	ask_for_test("ops");
	t_true("taken", t_wait_until(was_taken, &hook, T_CEILING));
	pthread_mutex_lock(&hook.lock);
	t_true("a test", strstr(hook.taken, "\"test\":true") != NULL);
	pthread_mutex_unlock(&hook.lock);
	t_server_close();
	close_receiver(&mail);
	close_receiver(&hook);
	t_ca_free(&own);
	t_ca_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(by_mail_and_by_webhook)};
	return t_run(tests);
}
