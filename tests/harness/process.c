/* See process.h. A child is forked and executed with its output appended to a file, so that no pipe can fill
 * up and stall it. All children stand in one small table, which an exit handler empties. */
#include "tests/harness/process.h"

#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 32
#define PATH_ROOM 512

struct t_process {
	bool used;
	pid_t pid; /* 0 once it has ended */
	int code;
	char name[64];
	char log[PATH_ROOM];
};

static struct t_process processes[PROCESSES];

static _Noreturn void give_up(const char *what, const char *which)
{
	fprintf(stderr, "FAIL harness: %s %s: %s\n", what, which, strerror(errno));
	abort();
}

static void kill_all(void)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		if (processes[i].used && processes[i].pid > 0)
			kill(processes[i].pid, SIGKILL);
	}
}

double t_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void rest(long milliseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
}

bool t_wait_until(bool (*condition)(void *ctx), void *ctx, double ceiling)
{
	double end = t_seconds() + ceiling;
	while (!condition(ctx)) {
		if (t_seconds() > end)
			return condition(ctx);
		rest(5);
	}
	return true;
}

void t_program_path(char *path, size_t capacity, const char *program)
{
	char self[PATH_ROOM];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	if (length < 0)
		give_up("readlink", "/proc/self/exe");
	self[length] = 0;
	char *tests = strstr(self, "/tests/");
	if (tests == NULL)
		give_up("not in a build folder:", self);
	*tests = 0;
	int written = snprintf(path, capacity, "%s/bin/%s", self, program);
	ASSERT(written > 0 && (size_t)written < capacity);
}

/* Descriptor 3, for the process that this one becomes. */
static void hand_over(const struct t_process_options *options)
{
	char pid[32];
	if (options->listen_name == NULL)
		return;
	if (dup2(options->listen_fd, 3) < 0 || fcntl(3, F_SETFD, 0) < 0)
		_exit(126);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", options->listen_name, 1);
	setenv("LISTEN_PID", pid, 1);
}

static _Noreturn void become(const char *path, const struct t_process_options *options, const char *log)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int out = open(log[0] ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	if (options->dir && chdir(options->dir) != 0)
		_exit(126);
	for (size_t i = 0; i < ARRAY_SIZE(options->variables) && options->variables[i]; i++)
		putenv((char *)(uintptr_t)options->variables[i]);
	hand_over(options);
	char *arguments[T_ARGUMENTS + 2] = {(char *)(uintptr_t)path};
	for (size_t i = 0; i < T_ARGUMENTS && options->arguments[i]; i++)
		arguments[i + 1] = (char *)(uintptr_t)options->arguments[i];
	execv(path, arguments);
	_exit(127);
}

struct t_process *t_process_start(const struct t_process_options *options)
{
	static bool registered;
	if (!registered) {
		atexit(kill_all);
		registered = true;
	}
	char path[PATH_ROOM];
	if (strchr(options->program, '/'))
		snprintf(path, sizeof path, "%s", options->program);
	else
		t_program_path(path, sizeof path, options->program);
	if (access(path, X_OK) != 0)
		give_up("missing program", path);

	struct t_process *process = NULL;
	for (size_t i = 0; i < PROCESSES && process == NULL; i++) {
		if (!processes[i].used)
			process = &processes[i];
	}
	ASSERT(process != NULL);
	*process = (struct t_process){.used = true, .code = -1};
	const char *base = strrchr(path, '/') + 1;
	snprintf(process->name, sizeof process->name, "%s", options->name ? options->name : base);
	if (options->dir)
		snprintf(process->log, sizeof process->log, "%s/%s.log", options->dir, process->name);
	fflush(NULL);
	process->pid = fork();
	if (process->pid < 0)
		give_up("fork", path);
	if (process->pid == 0)
		become(path, options, process->log);
	return process;
}

int t_process_pid(const struct t_process *process)
{
	return (int)process->pid;
}

/* Collects the child if it has ended. */
static bool collect(struct t_process *process, int flags)
{
	if (process->pid == 0)
		return true;
	int status;
	pid_t got;
	do {
		got = waitpid(process->pid, &status, flags);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	process->pid = 0;
	if (got > 0)
		process->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

static bool has_ended(void *ctx)
{
	return collect(ctx, WNOHANG);
}

bool t_process_running(struct t_process *process)
{
	return !collect(process, WNOHANG);
}

void t_process_signal(struct t_process *process, int signal)
{
	if (process->pid > 0)
		kill(process->pid, signal);
}

int t_process_wait(struct t_process *process)
{
	if (t_wait_until(has_ended, process, T_CEILING))
		return process->code;
	t_process_kill(process);
	return -1;
}

int t_process_stop(struct t_process *process)
{
	t_process_signal(process, SIGTERM);
	return t_process_wait(process);
}

void t_process_kill(struct t_process *process)
{
	t_process_signal(process, SIGKILL);
	collect(process, 0);
}

const char *t_process_log(const struct t_process *process, char *text, size_t capacity)
{
	text[0] = 0;
	FILE *file = process->log[0] ? fopen(process->log, "r") : NULL;
	if (file) {
		text[fread(text, 1, capacity - 1, file)] = 0;
		fclose(file);
	}
	return text;
}

/* Returns the first line of a sanitizer's report in the log, or NULL. */
static const char *find_report(const struct t_process *process, char *line, size_t capacity)
{
	static const char *const marks[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
					    "runtime error:", "WARNING: ThreadSanitizer"};
	FILE *file = process->log[0] ? fopen(process->log, "r") : NULL;
	if (file == NULL)
		return NULL;
	const char *found = NULL;
	while (found == NULL && fgets(line, (int)capacity, file)) {
		for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
			if (strstr(line, marks[i]))
				found = line;
		}
	}
	fclose(file);
	return found;
}

void t_process_free(struct t_process *process)
{
	if (process->pid > 0)
		t_process_kill(process);
	char line[1024];
	const char *report = find_report(process, line, sizeof line);
	if (report) {
		char member[128];
		snprintf(member, sizeof member, "log of %s", process->name);
		t_str(member, "no sanitizer's report", report);
	}
	process->used = false;
}

void t_temp_dir(char dir[T_DIR_MAX])
{
	const char *root = getenv("TMPDIR");
	if (root == NULL || strlen(root) > T_DIR_MAX - 16)
		root = "/tmp";
	snprintf(dir, T_DIR_MAX, "%s/lmp-XXXXXX", root);
	if (mkdtemp(dir) == NULL)
		give_up("mkdtemp", dir);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

void t_temp_dir_remove(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		give_up("remove", dir);
}

void t_write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		give_up("write", path);
}

bool t_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Below the ports that the kernel gives to clients, and from another place in each test program: so the port is still free when the
 * program under test, or its successor after a kill, binds it. */
static uint16_t free_port(int type)
{
	enum { FIRST = 10000, COUNT = 20000, A_PROGRAM = 61 };
	static unsigned turn;
	for (unsigned i = 0; i < COUNT; i++) {
		uint16_t port = (uint16_t)(FIRST + ((unsigned)getpid() * A_PROGRAM + turn++) % COUNT);
		int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
		const struct sockaddr_in address = {.sin_family = AF_INET,
						    .sin_port = htons(port),
						    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		bool is_free = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
		if (fd >= 0)
			close(fd);
		if (is_free)
			return port;
	}
	give_up("find", "a free port");
}

uint16_t t_free_udp_port(void)
{
	return free_port(SOCK_DGRAM);
}

uint16_t t_free_tcp_port(void)
{
	return free_port(SOCK_STREAM);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		give_up("too long a socket path", path);
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		give_up("socket", path);
	struct timeval limit = {.tv_sec = (time_t)T_CEILING};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends a whole request and reads until the other side closes; returns the status code. */
static int ask_unix(const char *socket_path, const char *request, size_t length, char *body, size_t capacity)
{
	body[0] = 0;
	int fd = connect_unix(socket_path);
	if (fd < 0)
		return 0;
	size_t room = 1 << 20, used = 0, sent = 0;
	char *answer = malloc(room + 1);
	ASSERT(answer != NULL);
	ssize_t put = 1, got;
	for (; sent < length && put > 0; sent += put > 0 ? (size_t)put : 0)
		put = send(fd, request + sent, length - sent, MSG_NOSIGNAL);
	/* An early refusal is read even if not all could be sent. */
	while (used < room && (got = read(fd, answer + used, room - used)) > 0)
		used += (size_t)got;
	close(fd);
	answer[used] = 0;
	int code = 0;
	const char *rest_of_it = strstr(answer, "\r\n\r\n");
	if (sscanf(answer, "HTTP/1.%*d %d", &code) == 1 && rest_of_it)
		snprintf(body, capacity, "%s", rest_of_it + 4);
	free(answer);
	return code;
}

int t_unix_get(const char *socket_path, const char *target, char *body, size_t capacity)
{
	char request[PATH_ROOM];
	int length = snprintf(request, sizeof request,
			      "GET %s HTTP/1.1\r\nHost: lamppost\r\nConnection: close\r\n\r\n", target);
	return ask_unix(socket_path, request, (size_t)length, body, capacity);
}

static int send_json(const char *method, const char *socket_path, const char *target, const char *json,
		     char *body, size_t capacity)
{
	size_t room = strlen(json) + PATH_ROOM;
	char *request = malloc(room);
	ASSERT(request != NULL);
	int length = snprintf(request, room,
			      "%s %s HTTP/1.1\r\nHost: lamppost\r\nConnection: close\r\nContent-Type: "
			      "application/json\r\nContent-Length: %zu\r\n\r\n%s",
			      method, target, strlen(json), json);
	int code = ask_unix(socket_path, request, (size_t)length, body, capacity);
	free(request);
	return code;
}

int t_unix_post(const char *socket_path, const char *target, const char *json, char *body, size_t capacity)
{
	return send_json("POST", socket_path, target, json, body, capacity);
}

int t_unix_put(const char *socket_path, const char *target, const char *json, char *body, size_t capacity)
{
	return send_json("PUT", socket_path, target, json, body, capacity);
}

bool t_is_healthy(void *admin_socket_path)
{
	char body[1024];
	return t_unix_get(admin_socket_path, "/healthz", body, sizeof body) == 200;
}

double t_metric(const char *admin_socket_path, const char *name)
{
	static char body[1 << 18];
	if (t_unix_get(admin_socket_path, "/metrics", body, sizeof body) != 200)
		return -1;
	size_t length = strlen(name);
	for (const char *line = body; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return strtod(line + length + 1, NULL);
	}
	return -1;
}
