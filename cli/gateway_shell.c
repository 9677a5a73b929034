/* Two calls at once: a stream of what the shell says, and what is typed, one piece after the other so that none passes another.
 *
 *	standard input ──▶ typed ──POST shell/input, one at a time──▶ the application server ──▶ ... the station
 *	standard output ◀────────── the answer of POST shell ◀──────────────────────────────────────────┘
 *
 * While a piece is under way more is read up to INPUT_ROOM; then the input waits. In a terminal every key goes there but Ctrl-]. At
 * the end of a pipe a Ctrl-D goes, which ends most shells; not every station says that its shell has ended, so that PIPE_WAIT
 * without a word is the end too. */
#include "cli/gateway_shell.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/raw_terminal.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_ROOM    2000 /* the most that is taken at once */
#define LEAVE_KEY     0x1d /* Ctrl-] */
#define END_OF_INPUT  0x04 /* Ctrl-D */
#define PIPE_WAIT     (5 * US_PER_S)
#define FILE_EVERY    (10 * US_PER_MS)
#define INPUT_TIMEOUT (20 * US_PER_S)
#define PROBLEM_ROOM  4096

struct shell {
	const char *gateway, *socket;
	char target[CLI_TARGET_MAX];
	struct io_loop *loop;
	struct io_http_client *http;
	struct io_watch *input;
	struct io_timer *wait;  /* a pipe that has ended */
	struct io_timer *reads; /* of a file, in place of `input` */
	bool terminal, open, over, interrupted, input_ended, leaves;
	int exit_code;
	/* Typed and not yet sent. */
	uint8_t typed[INPUT_ROOM];
	size_t typed_length;
	bool under_way;
	/* The answer, where it is none of a shell. */
	int code;
	char problem[PROBLEM_ROOM];
	size_t problem_length;
};

static void on_interrupt(void *ctx, struct now now)
{
	struct shell *shell = ctx;
	(void)now;
	shell->interrupted = shell->over = true;
}

static void leave(struct shell *shell, int exit_code)
{
	shell->over = true;
	shell->exit_code = exit_code;
}

/* Says what went wrong with the terminal as it was, so that the lines stand where lines stand. */
static void refuse(struct shell *shell, int code, const char *text, size_t length)
{
	raw_terminal_give_back();
	json_t *problem = json_loadb(text, length, 0, NULL);
	leave(shell, cli_report_answer(shell->gateway, code, problem));
	json_decref(problem);
}

/* --- what is typed */

static void send_typed(struct shell *shell);

static void on_sent(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct shell *shell = ctx;
	(void)now, (void)id;
	shell->under_way = false;
	if (shell->over)
		return;
	if (answer->status != ST_OK) {
		raw_terminal_give_back();
		leave(shell, cli_not_reached(shell->gateway, shell->socket));
	} else if (answer->code >= 300) {
		refuse(shell, answer->code, (const char *)answer->body, answer->length);
	} else {
		send_typed(shell);
	}
}

static enum status call(struct shell *shell, const char *path, const void *body, size_t length,
			struct io_http_call *options)
{
	char url[CLI_TARGET_MAX + 64];
	snprintf(url, sizeof url, "http://lamppost%s%s", shell->target, path);
	options->method = IO_HTTP_POST;
	options->url = url;
	options->unix_path = shell->socket;
	options->content_type = "application/octet-stream";
	options->body = body;
	options->length = length;
	options->ctx = shell;
	return io_http_client_start(shell->http, options, NULL);
}

static void watch_input(struct shell *shell)
{
	if (shell->input)
		io_watch_set(shell->input, !shell->input_ended && shell->typed_length < INPUT_ROOM, false);
}

static void send_typed(struct shell *shell)
{
	struct io_http_call options = {.timeout = INPUT_TIMEOUT, .on_done = on_sent};
	if (!shell->under_way && shell->typed_length > 0) {
		if (call(shell, "/input", shell->typed, shell->typed_length, &options) != ST_OK) {
			leave(shell, CLI_FAILED);
			return;
		}
		shell->under_way = true;
		shell->typed_length = 0;
	} else if (!shell->under_way && shell->leaves) {
		leave(shell, CLI_DONE);
	}
	watch_input(shell);
}

static void on_input(void *ctx, struct now now, bool readable, bool writable)
{
	struct shell *shell = ctx;
	(void)now, (void)writable;
	if (!readable || shell->input_ended || shell->typed_length >= INPUT_ROOM)
		return;
	uint8_t *from = shell->typed + shell->typed_length;
	ssize_t got = read(STDIN_FILENO, from, INPUT_ROOM - shell->typed_length);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	const uint8_t *stop = got > 0 && shell->terminal ? memchr(from, LEAVE_KEY, (size_t)got) : NULL;
	if (stop) {
		shell->typed_length += (size_t)(stop - from);
		shell->input_ended = shell->leaves = true;
	} else if (got > 0) {
		shell->typed_length += (size_t)got;
	} else {
		from[0] = END_OF_INPUT;
		shell->typed_length++;
		shell->input_ended = true;
		shell->leaves = shell->terminal; /* it was closed */
		io_timer_start(shell->wait, PIPE_WAIT, 0);
	}
	send_typed(shell);
}

/* A pipe's end lies behind, and nothing has come for as long. */
static void on_wait(void *ctx, struct now now)
{
	(void)now;
	leave(ctx, CLI_DONE);
}

/* A file has no readiness to wait for. */
static void on_reads(void *ctx, struct now now)
{
	on_input(ctx, now, true, false);
}

/* --- what it says */

static void begin_typing(struct shell *shell)
{
	shell->terminal = raw_terminal_take();
	if (shell->terminal)
		fprintf(stderr, "a shell on %s; Ctrl-] leaves it\r\n", shell->gateway);
	struct stat stat;
	bool waits = isatty(STDIN_FILENO) ||
		     (fstat(STDIN_FILENO, &stat) == 0 && (S_ISFIFO(stat.st_mode) || S_ISSOCK(stat.st_mode)));
	if (waits) {
		shell->input = io_watch_new(shell->loop, STDIN_FILENO, on_input, shell);
		io_watch_set(shell->input, true, false);
	} else {
		io_timer_start(shell->reads, 1, FILE_EVERY);
	}
}

static void on_begin(void *ctx, struct now now, io_http_call_id id, int code)
{
	struct shell *shell = ctx;
	(void)now, (void)id;
	shell->code = code;
	shell->open = code == 200;
	if (shell->open)
		begin_typing(shell);
}

static bool put(const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) { /* a terminal is one file with its input */
			struct pollfd full = {.fd = STDOUT_FILENO, .events = POLLOUT};
			(void)poll(&full, 1, -1);
			continue;
		}
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

static void on_data(void *ctx, struct now now, io_http_call_id id, const uint8_t *bytes, size_t length)
{
	struct shell *shell = ctx;
	(void)now, (void)id;
	if (!shell->open) {
		size_t room = sizeof shell->problem - shell->problem_length;
		size_t more = length < room ? length : room;
		memcpy(shell->problem + shell->problem_length, bytes, more);
		shell->problem_length += more;
		return;
	}
	if (shell->input_ended && !shell->terminal)
		io_timer_start(shell->wait, PIPE_WAIT, 0);
	if (!put(bytes, length))
		leave(shell, CLI_DONE); /* nobody reads it any more */
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct shell *shell = ctx;
	(void)now, (void)id;
	if (shell->over)
		return;
	if (shell->open)
		leave(shell, CLI_DONE);
	else if (answer->status != ST_OK)
		leave(shell, cli_not_reached(shell->gateway, shell->socket));
	else
		refuse(shell, shell->code, shell->problem, shell->problem_length);
}

static bool is_over(void *ctx)
{
	const struct shell *shell = ctx;
	return shell->over;
}

/* --- the command */

/* Leaving closes the stream, by which the application server ends the shell. */
static int open_shell(const struct cli_arguments *arguments, const char *target, const char *socket)
{
	struct shell *shell = calloc(1, sizeof *shell);
	ASSERT(shell);
	const struct io_turn turn = {.on_stop = on_interrupt, .on_hangup = on_interrupt, .ctx = shell};
	const char *term = getenv("TERM");
	char query[64] = "";
	if (term && *term && strlen(term) < 32 &&
	    strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(term))
		snprintf(query, sizeof query, "?term=%s", term);
	shell->gateway = arguments->operands[0];
	shell->socket = socket;
	snprintf(shell->target, sizeof shell->target, "%s", target);
	shell->loop = io_loop_new(&turn);
	shell->http = io_http_client_new(shell->loop, NULL);
	shell->wait = io_timer_new(shell->loop, on_wait, shell);
	shell->reads = io_timer_new(shell->loop, on_reads, shell);
	struct io_http_call options = {
		.timeout = -1, .on_begin = on_begin, .on_data = on_data, .on_done = on_done};
	if (call(shell, query, NULL, 0, &options) == ST_OK)
		(void)io_loop_run_until(shell->loop, is_over, shell, INT64_MAX / 4);
	raw_terminal_give_back();
	int exit_code = shell->interrupted ? CLI_INTERRUPTED : shell->exit_code;
	if (shell->open && shell->terminal)
		fprintf(stderr, "\nthe shell on %s has ended\n", shell->gateway);
	if (shell->input)
		io_watch_free(shell->input);
	io_timer_free(shell->wait);
	io_timer_free(shell->reads);
	io_http_client_free(shell->http);
	io_loop_free(shell->loop);
	free(shell);
	return exit_code;
}

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));
	return text ? text : "";
}

static int list(const struct cli_arguments *arguments, struct cli_client *client)
{
	json_t *answer = NULL;
	const json_t *item;
	size_t i;
	int exit_code = cli_call(client, "shells", IO_HTTP_GET, "/api/v1/gateways/shells", NULL, &answer);
	if (exit_code != CLI_DONE)
		return exit_code;
	const json_t *items = json_object_get(answer, "items");
	if (arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (json_array_size(items) == 0) {
		puts("nobody has a shell on a gateway");
	} else {
		static const char *const titles[] = {"GATEWAY", "WHO", "SINCE", "SILENT FOR"};
		struct table_text table;
		table_text_init(&table, ARRAY_SIZE(titles), titles);
		json_array_foreach(items, i, item)
		{
			char idle[32];
			snprintf(idle, sizeof idle, "%lld s",
				 (long long)json_integer_value(json_object_get(item, "idle_s")));
			const char *const cells[] = {text_of(item, "eui"), text_of(item, "who"),
						     text_of(item, "since"), idle};
			table_text_add(&table, cells);
		}
		table_text_print(&table, stdout, 0);
		table_text_release(&table);
	}
	json_decref(answer);
	return CLI_DONE;
}

static int run(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/", socket[CLI_SOCKET_MAX];
	bool lists = cli_argument(arguments, "list") != NULL,
	     closes = cli_argument(arguments, "close") != NULL;
	const char *gateway = arguments->operand_count > 0 ? arguments->operands[0] : NULL;
	if (lists ? closes || gateway : !gateway)
		return cli_problem(CLI_USAGE, "gateway shell", "lamppost gateway shell --help",
				   "either a gateway or --list is needed");
	if (gateway &&
	    (!cli_target_append(target, gateway) || strlen(target) + sizeof "/shell" > CLI_TARGET_MAX))
		return cli_problem(CLI_USAGE, gateway, NULL, "too long");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/shell");
	if (!lists && !closes) {
		int refused = cli_socket_find(socket, arguments);
		return refused ? refused : open_shell(arguments, target, socket);
	}
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = lists ? list(arguments, client)
			      : cli_call(client, gateway, IO_HTTP_DELETE, target, NULL, NULL);
	if (closes && exit_code == CLI_DONE && arguments->json)
		puts("{\"closed\":true}");
	else if (closes && exit_code == CLI_DONE)
		printf("no shell is open on %s now\n", gateway);
	cli_client_free(client);
	return exit_code;
}

static const struct cli_option options[] = {{"list", NULL, "the shells that are open: whose, since when"},
					    {"close", NULL, "end the shell there, whoever opened it"}};

const struct cli_command cli_gateway_shell_commands[] = {
	{.group = "gateway",
	 .name = "shell",
	 .summary = "a shell on a gateway's Basics Station",
	 .description =
		 "Opens a shell on the station (rmtsh), of the user that the station runs as. In a terminal "
		 "every key goes there, Ctrl-C with them; Ctrl-] leaves. Between pipes what comes in is "
		 "typed, and what the shell says comes out.\n\n"
		 "The city's engineers alone, one shell a gateway; its opening, its end and every refusal "
		 "are rows of the audit, what is typed is not. Off unless gateway-bridge.station_remote is "
		 "true, and only where the station has the feature rmtsh. A shell without a word from either "
		 "side is closed after application-server.gateway_shell_idle.",
	 .operands = "[GATEWAY]",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost gateway shell 0016c001ff10a235\n"
		     "echo uptime | lamppost gateway shell 0016c001ff10a235\n"
		     "lamppost gateway shell --list\n"
		     "lamppost gateway shell 0016c001ff10a235 --close\n",
	 .run = run},
};
const size_t cli_gateway_shell_command_count = ARRAY_SIZE(cli_gateway_shell_commands);
