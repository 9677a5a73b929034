/* The broker. The application server is connected to it or is not, and says so; where that one does not run, the broker is
 * asked directly, with the configured name and password: a CONNECT of MQTT 3.1.1, and what comes back. */
#include "cli/doctor_look.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 2000

/* A socket that is connected, or −1 with the reason in the facts. */
static int connect_to(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	char port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int fd = -1;
	snprintf(port, sizeof port, "%u", settings->mqtt_port);
	int error = getaddrinfo(settings->mqtt_host, port, &hints, &found);
	snprintf(facts->broker_answer, sizeof facts->broker_answer, "%s", error ? gai_strerror(error) : "");
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
		int result = 0;
		socklen_t size = sizeof result;
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct pollfd writable = {.fd = fd, .events = POLLOUT};
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno == EINPROGRESS)
			result = poll(&writable, 1, PATIENCE_MS) == 1 &&
						 getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) == 0
					 ? result
					 : ETIMEDOUT;
		else if (fd >= 0)
			result = errno;
		if (fd >= 0 && result != 0) {
			snprintf(facts->broker_answer, sizeof facts->broker_answer, "%s", strerror(result));
			close(fd);
			fd = -1;
		}
	}
	if (found)
		freeaddrinfo(found);
	return fd;
}

static void put_text(struct wr *wr, const char *text)
{
	wr_u16be(wr, (uint16_t)strlen(text));
	wr_copy(wr, (const uint8_t *)text, strlen(text));
}

/* CONNECT (MQTT 3.1.1 §3.1): clean session, a client id of its own. Returns the length. */
static size_t make_connect(uint8_t *bytes, size_t capacity, const char *name, const char *password)
{
	struct wr wr = wr_init(bytes, capacity);
	size_t body = 10 + 2 + strlen("lamppost-doctor") + (*name ? 2 + strlen(name) : 0) +
		      (*name && *password ? 2 + strlen(password) : 0);
	wr_u8(&wr, 0x10);
	if (body > 127)
		wr_u8(&wr, (uint8_t)(0x80 | (body & 0x7f)));
	wr_u8(&wr, (uint8_t)(body > 127 ? body >> 7 : body));
	put_text(&wr, "MQTT");
	wr_u8(&wr, 4);
	wr_u8(&wr, (uint8_t)(2 | (*name ? 0x80 : 0) | (*name && *password ? 0x40 : 0)));
	wr_u16be(&wr, 10); /* keep-alive, seconds */
	put_text(&wr, "lamppost-doctor");
	if (*name)
		put_text(&wr, name);
	if (*name && *password)
		put_text(&wr, password);
	return wr_ok(&wr) ? wr_length(&wr) : 0;
}

/* CONNACK (§3.2) and what its code says. */
static void ask_mqtt(struct doctor_facts *facts, const struct doctor_settings *settings, int fd)
{
	static const char *const codes[] = {
		"accepted",           "protocol refused",          "client id refused",
		"server unavailable", "bad user name or password", "not authorised"};
	static const uint8_t disconnect[] = {0xe0, 0};
	uint8_t bytes[1024], answer[4];
	char password[256] = "";
	if (*settings->mqtt_password_file &&
	    !doctor_read_line(settings->mqtt_password_file, password, sizeof password)) {
		facts->broker = DOCTOR_BROKER_LISTENS; /* we may not say who we are */
		return;
	}
	size_t length = make_connect(bytes, sizeof bytes, settings->mqtt_username, password);
	explicit_bzero(password, sizeof password);
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	bool answered = length > 0 && send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length &&
			poll(&readable, 1, PATIENCE_MS) == 1 && recv(fd, answer, 4, 0) == 4 &&
			answer[0] == 0x20 && answer[1] == 2;
	explicit_bzero(bytes, sizeof bytes);
	facts->broker = !answered        ? DOCTOR_BROKER_SILENT
			: answer[3] == 0 ? DOCTOR_BROKER_ACCEPTS
					 : DOCTOR_BROKER_REFUSES;
	if (answered)
		snprintf(facts->broker_answer, sizeof facts->broker_answer, "%s",
			 answer[3] < ARRAY_SIZE(codes) ? codes[answer[3]] : "another reason");
	(void)!send(fd, disconnect, sizeof disconnect, MSG_NOSIGNAL);
}

static void read_backlog(struct doctor_facts *facts)
{
	static const char name[] = "\nlamppost_application_mqtt_backlog ";
	char path[2 * OPTION_PATH_MAX], *body = malloc(DOCTOR_ANSWER_MAX);
	int code;
	ASSERT(body);
	snprintf(path, sizeof path, "%s/application-server.admin.sock", facts->place.run);
	if (doctor_get(path, "/metrics", body, DOCTOR_ANSWER_MAX, &code) == DOCTOR_ASK_ANSWERED) {
		const char *at = strstr(body, name);
		facts->backlog_known = at != NULL;
		facts->broker_backlog = at ? strtoull(at + sizeof name - 1, NULL, 10) : 0;
	}
	free(body);
}

void doctor_look_broker(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	bool known = false;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		known |= settings->known[i] && strcmp(facts->processes[i].name, "application-server") == 0;
	if (known && *settings->mqtt_host)
		snprintf(facts->broker_address, sizeof facts->broker_address, "%s:%u", settings->mqtt_host,
			 settings->mqtt_port);
	if (facts->broker == DOCTOR_BROKER_UP || facts->broker == DOCTOR_BROKER_WAITING)
		read_backlog(facts);
	if (facts->broker != DOCTOR_BROKER_UNKNOWN || !known)
		return;
	if (!*settings->mqtt_host) {
		facts->broker = DOCTOR_BROKER_NONE;
		return;
	}
	int fd = connect_to(facts, settings);
	facts->broker = fd < 0 ? DOCTOR_BROKER_AWAY : DOCTOR_BROKER_LISTENS;
	if (fd >= 0 && !*settings->mqtt_ca_file)
		ask_mqtt(facts, settings, fd);
	if (fd >= 0)
		close(fd);
}
