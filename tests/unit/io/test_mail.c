/* E-mail against a server that the test plays, line by line, with real sockets and real TLS. */
#include "common/io/mail.h"
#include "common/base/options.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the server ---------------------------------------------------------------------------------------------- */

enum play { PLAIN, OFFERS_NONE, REFUSES_TLS, SPEAKS_TLS, REFUSES_RECIPIENT, REFUSES_LOGIN, HANGS_UP };

static struct {
	enum play play;
	int listener, fd;
	uint16_t port;
	SSL_CTX *context;
	SSL *tls;
	pthread_t thread;
	char said[65536]; /* all that the client said */
	size_t used;
	size_t clear; /* of it: before TLS */
} server;

static void answer(const char *text)
{
	if (server.tls)
		SSL_write(server.tls, text, (int)strlen(text));
	else
		(void)!write(server.fd, text, strlen(text));
}

/* Reads one line, with its end; false: the client has gone. */
static bool read_line(char line[1024])
{
	size_t length = 0;
	for (char byte; length + 1 < 1024;) {
		ssize_t got = server.tls ? SSL_read(server.tls, &byte, 1) : read(server.fd, &byte, 1);
		if (got != 1)
			return false;
		line[length++] = byte;
		if (server.used + 1 < sizeof server.said)
			server.said[server.used++] = byte;
		if (byte == '\n')
			break;
	}
	line[length] = '\0';
	return true;
}

static void play_data(void)
{
	char line[1024];
	answer("354 go on\r\n");
	while (read_line(line) && strcmp(line, ".\r\n") != 0)
		;
	answer("250 taken\r\n");
}

static void play_ehlo(void)
{
	if (server.tls || server.play == REFUSES_LOGIN)
		answer("250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n");
	else if (server.play == REFUSES_TLS || server.play == SPEAKS_TLS)
		answer("250-test\r\n250 STARTTLS\r\n");
	else
		answer("250-test\r\n250 8BITMIME\r\n");
}

static void *play(void *ctx)
{
	char line[1024];
	(void)ctx;
	server.fd = accept(server.listener, NULL, NULL);
	answer("220 test\r\n");
	if (server.play == HANGS_UP) {
		close(server.fd);
		return NULL;
	}
	while (read_line(line)) {
		if (strncmp(line, "EHLO", 4) == 0) {
			play_ehlo();
		} else if (strncmp(line, "STARTTLS", 8) == 0 && server.play == SPEAKS_TLS) {
			answer("220 go on\r\n");
			server.clear = server.used;
			SSL *tls = SSL_new(server.context);
			SSL_set_fd(tls, server.fd);
			server.tls = tls;
			if (SSL_accept(tls) != 1)
				break;
		} else if (strncmp(line, "STARTTLS", 8) == 0) {
			answer("454 not now\r\n");
		} else if (strncmp(line, "AUTH", 4) == 0) {
			if (strcmp(line, "AUTH PLAIN\r\n") == 0) {
				answer("334 \r\n");
				if (!read_line(line))
					break;
			}
			answer(server.play == REFUSES_LOGIN ? "535 no\r\n" : "235 welcome\r\n");
		} else if (strncmp(line, "RCPT", 4) == 0 && server.play == REFUSES_RECIPIENT) {
			answer("550 nobody of that name\r\n");
		} else if (strncmp(line, "DATA", 4) == 0) {
			play_data();
		} else if (strncmp(line, "QUIT", 4) == 0) {
			answer("221 bye\r\n");
			break;
		} else {
			answer("250 well\r\n");
		}
	}
	SSL_free(server.tls);
	close(server.fd);
	return NULL;
}

static char certificate[OPTION_PATH_MAX], other_certificate[OPTION_PATH_MAX];

static void make_certificate(const char *name, char path[OPTION_PATH_MAX], char key[OPTION_PATH_MAX])
{
	char command[4 * OPTION_PATH_MAX], file[64];
	snprintf(path, OPTION_PATH_MAX, "%s", t_temp(name));
	snprintf(file, sizeof file, "%s.key", name);
	snprintf(key, OPTION_PATH_MAX, "%s", t_temp(file));
	snprintf(command, sizeof command,
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s -out %s "
		 "-days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null",
		 key, path);
	assert_int_equal(0, system(command));
}

static void open_server(enum play how)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	char key[OPTION_PATH_MAX];
	memset(&server, 0, sizeof server);
	server.play = how;
	if (how == SPEAKS_TLS) {
		make_certificate("mail.pem", certificate, key);
		server.context = SSL_CTX_new(TLS_server_method());
		assert_int_equal(1,
				 SSL_CTX_use_certificate_file(server.context, certificate, SSL_FILETYPE_PEM));
		assert_int_equal(1, SSL_CTX_use_PrivateKey_file(server.context, key, SSL_FILETYPE_PEM));
		make_certificate("other.pem", other_certificate, key);
	}
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(server.listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(server.listener, 4));
	assert_int_equal(0, getsockname(server.listener, (struct sockaddr *)&address, &size));
	server.port = ntohs(address.sin_port);
	assert_int_equal(0, pthread_create(&server.thread, NULL, play, NULL));
}

static void close_server(void)
{
	pthread_join(server.thread, NULL);
	SSL_CTX_free(server.context);
	close(server.listener);
}

/* --- the client ---------------------------------------------------------------------------------------------- */

static struct io_loop *loop;
static enum status status;
static char reason[IO_MAIL_REASON];
static unsigned answers;

static void on_done(void *ctx, struct now now, const struct io_mail_answer *answer_given)
{
	(void)ctx;
	(void)now;
	answers++;
	status = answer_given->status;
	snprintf(reason, sizeof reason, "%s", answer_given->reason);
	io_loop_stop(loop, 0);
}

static const char text[] = "Subject: test\r\n\r\nOne.\r\n.\r\n.two\r\nThe end.\r\n";

static void send_mail(enum io_mail_security security, const char *ca_file, const char *password)
{
	static const char *const to[] = {"ann@city.example", "bob@city.example", NULL};
	const struct io_mail mail = {.host = "127.0.0.1",
				     .port = server.port,
				     .security = security,
				     .ca_file = ca_file,
				     .username = password ? "city" : "",
				     .password = password,
				     .from = "lamppost@city.example",
				     .to = to,
				     .text = text,
				     .length = sizeof text - 1,
				     .timeout = 30 * US_PER_S,
				     .on_done = on_done};
	loop = io_loop_new(NULL);
	answers = 0;
	assert_non_null(io_mail_send(loop, &mail));
	assert_int_equal(0, io_loop_run(loop));
	io_loop_free(loop);
	close_server();
	server.said[server.used] = '\0';
}

static void mail_in_clear(void **state)
{
	(void)state;
	open_server(PLAIN);
	send_mail(IO_MAIL_CLEAR, "", NULL);
	t_row("a relay on this machine");
	t_int("status", ST_OK, status);
	t_int("one answer", 1, answers);
	static const char *const parts[] = {
		"MAIL FROM:<lamppost@city.example>",
		"RCPT TO:<ann@city.example>\r\n",
		"RCPT TO:<bob@city.example>\r\n",
		"Subject: test\r\n\r\nOne.\r\n..\r\n..two\r\nThe end.\r\n.\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		t_row(parts[i]);
		t_true("was said", strstr(server.said, parts[i]) != NULL);
	}
}

static void mail_in_tls(void **state)
{
	(void)state;
	t_row("a server with STARTTLS whose certificate we trust");
	open_server(SPEAKS_TLS);
	send_mail(IO_MAIL_STARTTLS, certificate, "secret word");
	t_int("status", ST_OK, status);
	t_str("reason", "", reason);
	t_true("TLS was spoken", server.clear > 0);
	t_true("mail and password behind it", strstr(server.said + server.clear, "AUTH PLAIN") &&
						      strstr(server.said + server.clear, "The end."));
	char clear[2000];
	snprintf(clear, sizeof clear, "%.*s", (int)server.clear, server.said);
	t_true("neither before it", !strstr(clear, "AUTH") && !strstr(clear, "MAIL"));
}

static void mail_that_is_not_taken(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum play play;
		enum io_mail_security security;
		bool other_authority, with_password;
		enum status status;
		const char *not_said;
	} rows[] = {
		{"a server without STARTTLS gets neither mail nor password", OFFERS_NONE, IO_MAIL_STARTTLS,
		 false, true, ST_REFUSED, "MAIL"},
		{"a server that refuses STARTTLS gets neither", REFUSES_TLS, IO_MAIL_STARTTLS, false, true,
		 ST_REFUSED, "AUTH"},
		{"a server whose certificate is not signed by ours gets neither", SPEAKS_TLS,
		 IO_MAIL_STARTTLS, true, true, ST_REFUSED, "AUTH"},
		{"an address that it does not know", REFUSES_RECIPIENT, IO_MAIL_CLEAR, false, false,
		 ST_REFUSED, "DATA"},
		{"a password that is wrong", REFUSES_LOGIN, IO_MAIL_CLEAR, false, true, ST_REFUSED, "MAIL"},
		{"a server that hangs up", HANGS_UP, IO_MAIL_CLEAR, false, false, ST_UNAVAILABLE, "MAIL"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		open_server(rows[i].play);
		send_mail(rows[i].security, rows[i].other_authority ? other_certificate : "",
			  rows[i].with_password ? "secret word" : NULL);
		t_int("status", rows[i].status, status);
		t_true("says why", reason[0] != '\0');
		t_true("not said", !strstr(server.said, rows[i].not_said));
		t_true("no password in the reason", !strstr(reason, "secret"));
	}
}

static void nobody_there(void **state)
{
	(void)state;
	static const char *const to[] = {"ann@city.example", NULL};
	const struct io_mail mail = {.host = "127.0.0.1",
				     .port = t_free_tcp_port(),
				     .security = IO_MAIL_CLEAR,
				     .from = "lamppost@city.example",
				     .to = to,
				     .text = text,
				     .length = sizeof text - 1,
				     .on_done = on_done};
	loop = io_loop_new(NULL);
	assert_non_null(io_mail_send(loop, &mail));
	assert_int_equal(0, io_loop_run(loop));
	io_loop_free(loop);
	t_row("nobody listens");
	t_int("status", ST_UNAVAILABLE, status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(mail_in_clear), t_test(mail_in_tls),
					   t_test(mail_that_is_not_taken), t_test(nobody_there)};
	return t_run(tests);
}
