/* Programs under test: real binaries in a state directory of their own, waited for by condition, never by
 * time.
 *
 *	char dir[T_DIR_MAX];
 *	t_temp_dir(dir);
 *	struct t_process *bridge = t_process_start(&(struct t_process_options){
 *		.program = "gateway-bridge", .arguments = {"-c", config}, .dir = dir});
 *	t_true("healthy", t_wait_until(is_healthy, dir, T_CEILING));
 *	...
 *	t_int("orderly stop", 0, t_process_stop(bridge));
 *	t_process_free(bridge);
 *	t_temp_dir_remove(dir);
 *
 * Invariants: no child outlives the test program (each asks the kernel for SIGKILL at the parent's death, and
 * what is left is killed at exit); a child whose log holds a sanitizer's report fails the row that frees it.
 */
#ifndef LAMPPOST_TESTS_PROCESS_H
#define LAMPPOST_TESTS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define T_DIR_MAX   64
#define T_CEILING   60.0 /* seconds: many times what a slow machine needs that does other things as well */
#define T_ARGUMENTS 24

struct t_process; /* opaque; at most 32 at a time */

struct t_process_options {
	const char *program;                /* a name in the build's bin folder, or a path with a slash */
	const char *arguments[T_ARGUMENTS]; /* without [0]; ends at the first NULL */
	const char *variables[8]; /* "NAME=value" added to the environment; ends at the first NULL */
	const char *dir;          /* its working directory, where NAME.log goes; NULL: / and no log */
	const char *name;         /* of the log; NULL: the program's */
	/* A listening socket that is handed over as LISTEN_FDS does; NULL: none. The caller keeps its own. */
	const char *listen_name;
	int listen_fd;
};

/* Starts it; standard output and error are appended to DIR/NAME.log. Aborts when the program is not there: a
 * missing tool is a failed test, never a skipped one. */
struct t_process *t_process_start(const struct t_process_options *options);
int t_process_pid(const struct t_process *process);
bool t_process_running(struct t_process *process);
void t_process_signal(struct t_process *process, int signal);
/* SIGTERM, then waits T_CEILING; returns the exit code, 128 + signal when one ended it, −1 (after SIGKILL)
 * when it did not stop in time. */
int t_process_stop(struct t_process *process);
/* Waits for an end that comes by itself; as t_process_stop. */
int t_process_wait(struct t_process *process);
/* SIGKILL, and waits. */
void t_process_kill(struct t_process *process);
/* Kills it if it still runs, fails the row when its log holds a sanitizer's report, and releases. */
void t_process_free(struct t_process *process);
/* The log so far, NUL-terminated, cut to `capacity`; "" without one. For a failing test's message, never to
 * judge by. */
const char *t_process_log(const struct t_process *process, char *text, size_t capacity);

/* Fills the path of a program of this build ("gateway-bridge" → ".../bin/gateway-bridge"). */
void t_program_path(char *path, size_t capacity, const char *program);

/* Asks until it holds or `ceiling` seconds have passed; returns what it said last. */
bool t_wait_until(bool (*condition)(void *ctx), void *ctx, double ceiling);
/* Seconds of the monotonic clock. */
double t_seconds(void);

/* Makes a directory under TMPDIR (short enough for Unix sockets), and removes one with all that is in it. */
void t_temp_dir(char dir[T_DIR_MAX]);
void t_temp_dir_remove(const char *dir);
/* Writes a file; aborts when that fails. */
void t_write_file(const char *path, const char *text);
bool t_file_exists(const char *path);

/* A port of 127.0.0.1 that was free a moment ago. */
uint16_t t_free_udp_port(void);
uint16_t t_free_tcp_port(void);

/* Asks over HTTP/1.1 on a Unix socket; fills `body`, NUL-terminated, cut to `capacity`. Returns the status
 * code, 0 when nobody answers. */
int t_unix_get(const char *socket_path, const char *target, char *body, size_t capacity);
/* The same with a JSON body to send. An answer that broke off is cut where it broke off. */
int t_unix_post(const char *socket_path, const char *target, const char *json, char *body, size_t capacity);
int t_unix_put(const char *socket_path, const char *target, const char *json, char *body, size_t capacity);
/* Whether "GET /healthz" on that admin socket (a `const char *`) answers 200: a condition for t_wait_until.
 */
bool t_is_healthy(void *admin_socket_path);
/* Reads one sample of /metrics: `name` with its labels as written ("x_total{verdict=\"y\"}"); −1 when there
 * is none. */
double t_metric(const char *admin_socket_path, const char *name);

#endif
