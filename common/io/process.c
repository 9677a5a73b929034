#include "common/io/process.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define LINE_MAX_BYTES  4096
#define DESCRIPTORS_MAX 32
#define PARENT          "LAMPPOST_PARENT"

struct io_process {
	uv_process_t process;
	uv_pipe_t output;
	struct io_loop *loop;
	void (*on_line)(void *ctx, struct now now, const char *line);
	void (*on_exit)(void *ctx, struct now now, int exit_code, int signal);
	void *ctx;
	int handles; /* open ones; freed at 0 */
	bool running;
	bool forgotten;
	char line[LINE_MAX_BYTES];
	size_t line_used;
	char chunk[4096];
};

static void on_closed(uv_handle_t *handle)
{
	struct io_process *process = handle->data;
	if (--process->handles == 0)
		free(process);
}

static void on_exit_of_child(uv_process_t *handle, int64_t exit_code, int signal)
{
	struct io_process *process = handle->data;
	process->running = false;
	io_loop_touch(process->loop);
	if (process->on_exit && !process->forgotten)
		process->on_exit(process->ctx, clock_now(), (int)exit_code, signal);
}

static void end_line(struct io_process *process)
{
	process->line[process->line_used] = 0;
	process->line_used = 0;
	if (!process->forgotten)
		process->on_line(process->ctx, clock_now(), process->line);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct io_process *process = handle->data;
	(void)suggested;
	*buffer = uv_buf_init(process->chunk, sizeof process->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct io_process *process = stream->data;
	io_loop_touch(process->loop);
	for (ssize_t i = 0; i < count && !process->forgotten; i++) {
		if (buffer->base[i] == '\n') {
			end_line(process);
			continue;
		}
		if (process->line_used == LINE_MAX_BYTES - 1)
			end_line(process);
		process->line[process->line_used++] = buffer->base[i];
	}
	if (count >= 0)
		return;
	if (process->line_used > 0)
		end_line(process);
	uv_read_stop(stream);
}

/* Gives the environment with our parent's mark and the added variables; the array is owned, its texts are
 * borrowed. */
static char **environment_for(const char *const *added, char *mark)
{
	size_t own = 0, more = 0;
	while (environ[own])
		own++;
	while (added && added[more])
		more++;
	char **result = calloc(own + more + 2, sizeof *result);
	ASSERT(result);
	size_t used = 0;
	for (size_t i = 0; i < own; i++) {
		size_t name = strcspn(environ[i], "=") + 1;
		bool replaced = strncmp(environ[i], PARENT "=", sizeof PARENT) == 0;
		for (size_t j = 0; j < more && !replaced; j++)
			replaced = strncmp(environ[i], added[j], name) == 0;
		if (!replaced)
			result[used++] = environ[i];
	}
	for (size_t j = 0; j < more; j++)
		result[used++] = (char *)(uintptr_t)added[j];
	result[used++] = mark;
	return result;
}

enum status io_process_spawn(struct io_loop *loop, const struct io_process_options *options,
			     struct io_process **out)
{
	struct io_process *process = calloc(1, sizeof *process);
	ASSERT(process);
	process->loop = loop;
	process->on_line = options->on_line;
	process->on_exit = options->on_exit;
	process->ctx = options->ctx;
	process->process.data = process->output.data = process;
	process->handles = 1;
	if (options->on_line) {
		uv_pipe_init(io_loop_uv(loop), &process->output, 0);
		process->handles++;
	}
	char mark[64];
	snprintf(mark, sizeof mark, PARENT "=%d", getpid());
	char **environment = environment_for(options->variables, mark);
	uv_stdio_container_t stdio[3 + DESCRIPTORS_MAX] = {{.flags = UV_IGNORE},
							   {.flags = UV_INHERIT_FD, .data.fd = 1},
							   {.flags = UV_INHERIT_FD, .data.fd = 2}};
	ASSERT_CMP(options->descriptor_count, <=, DESCRIPTORS_MAX);
	for (size_t i = 0; i < options->descriptor_count; i++)
		stdio[3 + i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD,
						      .data.fd = options->descriptors[i]};
	int pair[2] = {-1, -1};
	if (options->on_line) {
		ASSERT(uv_pipe(pair, UV_NONBLOCK_PIPE, 0) == 0);
		stdio[1].data.fd = stdio[2].data.fd = pair[1];
	}
	uv_process_options_t spawn = {.exit_cb = on_exit_of_child,
				      .file = options->program,
				      .args = (char **)(uintptr_t)options->arguments,
				      .env = environment,
				      .flags = options->new_group ? UV_PROCESS_DETACHED : 0,
				      .stdio_count = 3 + (int)options->descriptor_count,
				      .stdio = stdio};
	int error = uv_spawn(io_loop_uv(loop), &process->process, &spawn);
	free(environment);
	if (options->on_line) {
		close(pair[1]);
		uv_pipe_open(&process->output, pair[0]);
		uv_read_start((uv_stream_t *)&process->output, on_alloc, on_output);
	}
	if (error != 0) {
		LOG_ERROR("spawn", "program=\"%s\" reason=\"%s\"", options->program, uv_strerror(error));
		io_process_free(process);
		return error == UV_ENOENT ? ST_NOT_FOUND : error == UV_EACCES ? ST_REFUSED : ST_IO;
	}
	process->running = true;
	*out = process;
	return ST_OK;
}

void io_process_signal(struct io_process *process, int signal)
{
	if (process->running)
		uv_process_kill(&process->process, signal);
}

int io_process_pid(const struct io_process *process)
{
	return process->running ? process->process.pid : 0;
}

void io_process_free(struct io_process *process)
{
	if (!process)
		return;
	process->forgotten = true;
	bool has_output = process->on_line != NULL;
	uv_close((uv_handle_t *)&process->process, on_closed);
	if (has_output)
		uv_close((uv_handle_t *)&process->output, on_closed);
}

static void die_with_parent(void)
{
	const char *parent = getenv(PARENT);
	if (!parent)
		return;
	long pid = strtol(parent, NULL, 10);
	unsetenv(PARENT); /* ours, not our children's */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != pid) /* it died before we asked */
		raise(SIGTERM);
}

void io_harden(void)
{
	umask(0007);
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* until the loop listens: it reads the file at its start anyway */
	die_with_parent();
}

bool io_find_user(const char *name, uint32_t *uid)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);
	if (*name && !*end && number < UINT32_MAX) {
		*uid = (uint32_t)number;
		return true;
	}
	struct passwd entry, *user = NULL;
	char buffer[4096];
	if (getpwnam_r(name, &entry, buffer, sizeof buffer, &user) != 0 || !user)
		return false;
	*uid = entry.pw_uid;
	return true;
}
