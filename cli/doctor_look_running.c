/* What runs: admin sockets, the other sockets, and what /proc tells of their processes. */
#include "cli/doctor_look.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define HELLO_BYTES 5 /* the length of a message, and the first byte of one */

/* --- asking a socket --------------------------------------------------------------------------------------------- */

static enum doctor_ask of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENOTSOCK: return DOCTOR_ASK_MISSING;
	case EACCES:
	case EPERM: return DOCTOR_ASK_DENIED;
	case ECONNREFUSED: return DOCTOR_ASK_REFUSED;
	default: return DOCTOR_ASK_SILENT;
	}
}

static enum doctor_ask converse(int fd, const char *request, char *answer, size_t capacity, size_t enough)
{
	size_t used = 0;
	struct mono end = mono_add(clock_mono(), PATIENCE_MS * US_PER_MS);
	if (request && send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return DOCTOR_ASK_SILENT;
	while (used < enough && used < capacity - 1) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		span_us left = mono_since(end, clock_mono());
		if (left <= 0 || poll(&readable, 1, (int)(left / US_PER_MS) + 1) <= 0)
			break;
		ssize_t got = recv(fd, answer + used, capacity - 1 - used, 0);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	answer[used] = '\0';
	return used > 0 ? DOCTOR_ASK_ANSWERED : DOCTOR_ASK_SILENT;
}

enum doctor_ask doctor_ask(const char *path, const char *request, char *answer, size_t capacity,
			   size_t enough)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	answer[0] = '\0';
	if (strlen(path) >= sizeof address.sun_path)
		return DOCTOR_ASK_MISSING;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return DOCTOR_ASK_SILENT;
	/* A full backlog says EAGAIN at once: somebody listens, and does not come to it. */
	enum doctor_ask asked = connect(fd, (struct sockaddr *)&address, sizeof address) == 0
					? converse(fd, request, answer, capacity, enough)
					: of_errno(errno);
	close(fd);
	return asked;
}

/* Who listens on a socket, answering or not; 0: not known. */
static int listener_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred who = {.pid = 0};
	socklen_t size = sizeof who;
	if (strlen(path) >= sizeof address.sun_path)
		return 0;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	bool known = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		     getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
	close(fd);
	return known ? (int)who.pid : 0;
}

enum doctor_ask doctor_get(const char *path, const char *target, char *body, size_t capacity, int *code)
{
	char request[256], *answer = malloc(DOCTOR_ANSWER_MAX);
	ASSERT(answer);
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: lamppost\r\nConnection: close\r\n\r\n",
		 target);
	enum doctor_ask asked = doctor_ask(path, request, answer, DOCTOR_ANSWER_MAX, DOCTOR_ANSWER_MAX);
	const char *end = asked == DOCTOR_ASK_ANSWERED ? strstr(answer, "\r\n\r\n") : NULL;
	*code = strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
	snprintf(body, capacity, "%s", end ? end + 4 : "");
	free(answer);
	return asked == DOCTOR_ASK_ANSWERED && *code == 0 ? DOCTOR_ASK_SILENT : asked;
}

/* --- /proc ------------------------------------------------------------------------------------------------------- */

static long long count_open(int pid)
{
	char path[64];
	long long count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *folder = opendir(path);
	if (!folder)
		return -1;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2; /* . and .. */
}

static void look_proc(struct doctor_process *process)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/limits", process->pid);
	process->files_limit = doctor_read_number(path, "Max open files", -1);
	process->core_limit = doctor_read_number(path, "Max core file size", -1);
	process->files_open = count_open(process->pid);
	snprintf(path, sizeof path, "/proc/%d/status", process->pid);
	long long uid = doctor_read_number(path, "Uid:", -1);
	process->owner_known = uid >= 0;
	process->uid = (uint32_t)uid;
}

/* --- processes --------------------------------------------------------------------------------------------------- */

static unsigned long long number_of(const json_t *health, const char *member)
{
	json_int_t number = json_integer_value(json_object_get(health, member));
	return number > 0 ? (unsigned long long)number : 0;
}

static void take_health(struct doctor_facts *facts, struct doctor_process *process, const json_t *health)
{
	size_t i;
	json_t *item;
	const char *version = json_string_value(json_object_get(health, "version"));
	const char *mqtt = json_string_value(json_object_get(health, "mqtt"));
	process->pid = (int)json_integer_value(json_object_get(health, "pid"));
	snprintf(process->version, sizeof process->version, "%s", version ? version : "");
	json_array_foreach(json_object_get(health, "warnings"), i, item)
	{
		if (json_is_string(item) && process->warning_count < DOCTOR_WARNINGS_MAX)
			snprintf(process->warnings[process->warning_count++], sizeof process->warnings[0],
				 "%s", json_string_value(item));
	}
	json_array_foreach(json_object_get(health, "restart_needed"), i, item)
	{
		size_t used = strlen(process->restart_needed);
		snprintf(process->restart_needed + used, sizeof process->restart_needed - used, "%s%s",
			 used ? ", " : "", json_is_string(item) ? json_string_value(item) : "?");
	}
	if (json_object_get(health, "receive_buffer_asked")) {
		facts->buffer_known = true;
		facts->buffer_asked = number_of(health, "receive_buffer_asked");
		facts->buffer_given = number_of(health, "receive_buffer_given");
		facts->kernel_drops = number_of(health, "kernel_drops");
	}
	if (mqtt && strcmp(process->name, "application-server") == 0)
		facts->broker = strcmp(mqtt, "up") == 0    ? DOCTOR_BROKER_UP
				: strcmp(mqtt, "off") == 0 ? DOCTOR_BROKER_NONE
							   : DOCTOR_BROKER_WAITING;
}

static void look_process(struct doctor_facts *facts, struct doctor_process *process)
{
	char path[2 * OPTION_PATH_MAX], body[8192];
	int code = 0;
	process->files_open = process->files_limit = process->core_limit = -1;
	snprintf(path, sizeof path, "%s/%s.admin.sock", facts->place.run, process->name);
	struct mono before = clock_mono();
	enum doctor_ask asked = doctor_get(path, "/healthz", body, sizeof body, &code);
	process->answer_ms = (int)(mono_since(clock_mono(), before) / US_PER_MS);
	process->socket = asked == DOCTOR_ASK_MISSING  ? DOCTOR_MISSING
			  : asked == DOCTOR_ASK_DENIED ? DOCTOR_DENIED
						       : DOCTOR_THERE;
	process->refuses = asked == DOCTOR_ASK_REFUSED;
	process->answers = asked == DOCTOR_ASK_ANSWERED;
	process->healthy = code == 200;
	json_t *health = json_loads(body, 0, NULL);
	if (process->answers && health)
		take_health(facts, process, health);
	json_decref(health);
	if (asked == DOCTOR_ASK_SILENT)
		process->pid = listener_of(path);
	if (process->pid > 0)
		look_proc(process);
}

/* --- sockets ----------------------------------------------------------------------------------------------------- */

static void look_socket(struct doctor_facts *facts, const char *name, const char *request)
{
	struct doctor_socket *socket = &facts->sockets[facts->socket_count++];
	struct stat seen;
	char answer[64];
	snprintf(socket->path, sizeof socket->path, "%s/%s", facts->place.run, name);
	if (lstat(socket->path, &seen) != 0) {
		socket->seen = errno == ENOENT || errno == ENOTDIR ? DOCTOR_MISSING : DOCTOR_DENIED;
		return;
	}
	socket->is_socket = S_ISSOCK(seen.st_mode);
	socket->mode = seen.st_mode & 07777;
	enum doctor_ask asked = doctor_ask(socket->path, request, answer, sizeof answer, HELLO_BYTES);
	socket->seen = asked == DOCTOR_ASK_DENIED ? DOCTOR_DENIED : DOCTOR_THERE;
	socket->refuses = asked == DOCTOR_ASK_REFUSED;
	socket->answers = asked == DOCTOR_ASK_ANSWERED;
}

void doctor_look_running(struct doctor_facts *facts)
{
	static const char get[] = "GET /healthz HTTP/1.1\r\nHost: lamppost\r\nConnection: close\r\n\r\n";
	facts->broker = DOCTOR_BROKER_UNKNOWN;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		look_process(facts, &facts->processes[i]);
	look_socket(facts, "network.sock", NULL); /* says Hello first */
	look_socket(facts, "join.sock", get);
	look_socket(facts, "city.sock", get);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		char name[64];
		snprintf(name, sizeof name, "%s.admin.sock", facts->processes[i].name);
		look_socket(facts, name, get);
	}
}
