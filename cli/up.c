/* One loop watches the children: their ends, their health by their admin sockets, their deadlines.
 *
 *	              spawn()            /healthz 200
 *	WAITING ───────────▶ STARTING ───────────────▶ HEALTHY ◀──▶ UNHEALTHY
 *	   ▲                    │                         │             │
 *	   └────────────────────┴──────── on_exit() ──────┴─────────────┘
 *	          after the delay of restart.h
 *
 *	SIGHUP: passed on to all, each reads the configuration again
 *	stop: one at a time, SIGTERM, SIGKILL after its share of the 5 s ──▶ STOPPED
 *
 * A child asks the kernel to end it when the supervisor dies (common/io/process.h). */
#include "cli/up.h"

#include "cli/arguments.h"
#include "cli/init.h"
#include "cli/problem.h"
#include "cli/restart.h"
#include "cli/up_sockets.h"
#include "cli/up_vault.h"
#include "cli/up_words.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"
#include "common/io/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_BUSY_US     (25 * US_PER_MS) /* something starts or stops */
#define TICK_QUIET_US    (250 * US_PER_MS)
#define POLL_STARTING_US (50 * US_PER_MS)
#define POLL_RUNNING_US  (2 * US_PER_S)
#define POLL_TIMEOUT_US  (2 * US_PER_S)
#define STOP_ONE_US      (3 * US_PER_S)     /* an orderly stop's promise (docs/contract.md) */
#define STOP_ALL_US      (4500 * US_PER_MS) /* what is left is then killed, within the 5 s */
#define GIVE_UP_AFTER    5                  /* ends in a row before a process was healthy even once */
#define SECONDS(span)    ((double)(span) / (double)US_PER_S)
#define PATH_ROOM        4096

const char *const cli_process_names[CLI_PROCESS_COUNT] = {"join-server", "application-server",
							  "network-server", "gateway-bridge"};

enum child_state { WAITING, STARTING, HEALTHY, UNHEALTHY, STOPPED };
static const char *const state_names[] = {"waiting", "starting", "healthy", "unhealthy", "stopped"};

struct supervisor;

struct child {
	struct supervisor *supervisor;
	const char *name;
	char program[PATH_ROOM];
	char admin[PATH_ROOM];
	enum child_state state;
	struct io_process *process; /* NULL: not running */
	struct cli_restart restart;
	bool ever_healthy;
	struct mono started;
	struct mono start_due;
	struct mono poll_due;
	io_http_call_id call;  /* the health call under way, or 0 */
	struct mono stop_sent; /* while stopping */
	bool killed;
	bool reload_due; /* SIGHUP is to be passed on */
};

struct supervisor {
	struct io_loop *loop;
	struct io_http_client *http;
	struct io_timer *timer;
	struct cli_place place;
	struct cli_up_vault vault;
	struct cli_sockets sockets; /* the gateway bridge's, while it is away as well */
	char state_variable[OPTION_PATH_MAX + 32];
	char run_variable[OPTION_PATH_MAX + 32];
	struct child children[CLI_PROCESS_COUNT];
	bool json;      /* one JSON object a line instead of words */
	bool announced; /* that all are healthy */
	bool stopping;
	struct mono stop_began;
	size_t stop_at; /* how many have been told to stop */
	int exit_code;
};

/* --- words --------------------------------------------------------------------------------------------------- */

static void enter(struct child *child, enum child_state state, const char *detail)
{
	child->state = state;
	cli_up_say_entered(child->supervisor->json, child->name, state_names[state], detail);
}

/* --- stopping ------------------------------------------------------------------------------------------------ */

static struct child *to_stop(struct supervisor *supervisor, size_t place)
{
	/* bridge, network, application, join: no new frames, then what they caused drains towards the end. */
	return &supervisor->children[CLI_PROCESS_COUNT - 1 - place];
}

static void end_child(struct child *child, const char *detail)
{
	io_process_free(child->process);
	child->process = NULL;
	if (child->call)
		io_http_client_cancel(child->supervisor->http, child->call);
	child->call = 0;
	enter(child, STOPPED, detail);
}

/* Tells the next one that runs to stop; the loop ends when none is left. */
static void stop_next(struct supervisor *supervisor, struct mono now)
{
	while (supervisor->stop_at < CLI_PROCESS_COUNT) {
		struct child *child = to_stop(supervisor, supervisor->stop_at);
		if (child->process) {
			child->stop_sent = now;
			io_process_signal(child->process, SIGTERM);
			return;
		}
		if (child->state != STOPPED)
			enter(child, STOPPED, "was not running");
		supervisor->stop_at++;
	}
	io_loop_stop(supervisor->loop, supervisor->exit_code);
}

static void begin_stop(struct supervisor *supervisor, struct mono now, int exit_code)
{
	if (supervisor->stopping)
		return;
	supervisor->stopping = true;
	supervisor->stop_began = now;
	supervisor->exit_code = exit_code;
	io_timer_start(supervisor->timer, TICK_BUSY_US, TICK_BUSY_US);
	stop_next(supervisor, now);
}

static void kill_late_ones(struct supervisor *supervisor, struct mono now)
{
	bool all = mono_since(now, supervisor->stop_began) >= STOP_ALL_US;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		struct child *child = to_stop(supervisor, i);
		bool late = i == supervisor->stop_at && mono_since(now, child->stop_sent) >= STOP_ONE_US;
		if (child->process && !child->killed && (all || late)) {
			child->killed = true;
			io_process_signal(child->process, SIGKILL);
		}
	}
}

/* --- starting ------------------------------------------------------------------------------------------------ */

static void on_exit_of(void *ctx, struct now now, int exit_code, int signal_number)
{
	struct child *child = ctx;
	struct supervisor *supervisor = child->supervisor;
	char detail[160], end[40];
	cli_up_describe_end(end, sizeof end, exit_code, signal_number);
	if (supervisor->stopping) {
		end_child(child, child->killed ? "killed: it did not stop in time" : end);
		stop_next(supervisor, now.mono);
		return;
	}
	io_process_free(child->process);
	child->process = NULL;
	if (child->call)
		io_http_client_cancel(supervisor->http, child->call);
	child->call = 0;
	span_us delay = cli_restart_after_end(&child->restart, now.mono);
	bool refused = exit_code == CLI_USAGE || exit_code == CLI_REFUSED;
	if (!child->ever_healthy && (refused || child->restart.failures >= GIVE_UP_AFTER)) {
		snprintf(detail, sizeof detail, "%s; it cannot start, so everything stops", end);
		enter(child, STOPPED, detail);
		begin_stop(supervisor, now.mono, refused ? exit_code : CLI_FAILED);
		return;
	}
	child->start_due = mono_add(now.mono, delay);
	io_timer_start(supervisor->timer, 0, TICK_BUSY_US);
	snprintf(detail, sizeof detail, "%s; starts again %s", end, delay ? "in a moment" : "at once");
	if (delay)
		snprintf(detail, sizeof detail, "%s; starts again in %.1f s", end, SECONDS(delay));
	enter(child, WAITING, detail);
}

static void spawn(struct child *child, struct now now)
{
	struct supervisor *up = child->supervisor;
	const char *const arguments[] = {child->program, "-c", up->place.config, NULL};
	const char *variables[2 + CLI_SOCKET_VARIABLES + 1] = {up->state_variable, up->run_variable};
	struct io_process_options options = {.program = child->program,
					     .arguments = arguments,
					     .variables = variables,
					     .new_group = true,
					     .on_exit = on_exit_of,
					     .ctx = child};
	if (strcmp(child->name, "gateway-bridge") == 0)
		cli_sockets_hand_over(&up->sockets, up->place.config, &options, variables + 2);
	if (strcmp(child->name, "join-server") == 0)
		cli_up_vault_hand_over(&up->vault, &options, variables + 2);
	child->started = child->poll_due = now.mono;
	enum status spawned = io_process_spawn(up->loop, &options, &child->process);
	cli_up_vault_handed(&up->vault);
	if (spawned != ST_OK) {
		child->process = NULL;
		cli_problem(CLI_FAILED, child->program, "make all", "the program cannot be started");
		begin_stop(up, now.mono, CLI_FAILED);
		return;
	}
	char detail[40];
	snprintf(detail, sizeof detail, "pid %d", io_process_pid(child->process));
	enter(child, STARTING, detail);
}

/* --- health -------------------------------------------------------------------------------------------------- */

static void announce(struct supervisor *supervisor)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (supervisor->children[i].state != HEALTHY)
			return;
	io_timer_start(supervisor->timer, TICK_QUIET_US, TICK_QUIET_US);
	if (supervisor->announced)
		return;
	supervisor->announced = true;
	cli_up_say_healthy(supervisor->json, supervisor->place.run);
}

static void on_health(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct child *child = ctx;
	(void)call;
	child->call = 0;
	/* The socket may be served by a process of another supervisor's, or of nobody's. */
	bool healthy = answer->status == ST_OK && answer->code == 200 && child->process &&
		       cli_up_pid_of((const char *)answer->body, answer->length) ==
			       io_process_pid(child->process);
	child->poll_due = mono_add(now.mono, healthy ? POLL_RUNNING_US : POLL_STARTING_US);
	if (!child->process || child->supervisor->stopping)
		return;
	cli_restart_health(&child->restart, now.mono, healthy);
	if (healthy && child->state != HEALTHY) {
		char detail[64];
		snprintf(detail, sizeof detail, "after %.2f s",
			 SECONDS(mono_since(now.mono, child->started)));
		if (child->state == UNHEALTHY)
			snprintf(detail, sizeof detail, "it answers again");
		child->ever_healthy = true;
		enter(child, HEALTHY, detail);
		announce(child->supervisor);
	} else if (!healthy && child->state == HEALTHY) {
		child->poll_due = mono_add(now.mono, POLL_RUNNING_US / 4);
		enter(child, UNHEALTHY, answer->code ? "it says that it is failing" : "it does not answer");
	}
}

static void poll_health(struct child *child)
{
	const struct io_http_call call = {.method = IO_HTTP_GET,
					  .url = "http://lamppost/healthz",
					  .unix_path = child->admin,
					  .timeout = POLL_TIMEOUT_US,
					  .on_done = on_health,
					  .ctx = child};
	if (io_http_client_start(child->supervisor->http, &call, &child->call) != ST_OK)
		child->call = 0;
}

/* --- the loop ------------------------------------------------------------------------------------------------ */

static void on_timer(void *ctx, struct now now)
{
	struct supervisor *supervisor = ctx;
	if (supervisor->stopping) {
		kill_late_ones(supervisor, now.mono);
		return;
	}
	cli_up_vault_take(&supervisor->vault);
	for (size_t i = 0; i < CLI_PROCESS_COUNT && !supervisor->stopping; i++) {
		struct child *child = &supervisor->children[i];
		if (child->reload_due && child->process && child->state != STARTING) {
			child->reload_due = false;
			io_process_signal(child->process, SIGHUP);
		}
		if (child->state == WAITING && mono_since(now.mono, child->start_due) >= 0)
			spawn(child, now);
		else if (child->process && !child->call && mono_since(now.mono, child->poll_due) >= 0)
			poll_health(child);
	}
}

/* Each reads its own section again, with the next tick; one that starts, as soon as it listens. */
static void on_hangup(void *ctx, struct now now)
{
	struct supervisor *supervisor = ctx;
	(void)now;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		supervisor->children[i].reload_due = true;
}

static void on_stop(void *ctx, struct now now)
{
	begin_stop(ctx, now.mono, CLI_DONE);
}

static bool find_programs(struct supervisor *supervisor)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		struct child *child = &supervisor->children[i];
		child->supervisor = supervisor;
		child->name = cli_process_names[i];
		snprintf(child->admin, sizeof child->admin, "%s/%s.admin.sock", supervisor->place.run,
			 child->name);
		if (!cli_up_find_program(child->program, sizeof child->program, child->name))
			return false;
	}
	return true;
}

static int supervise(struct supervisor *supervisor)
{
	snprintf(supervisor->state_variable, sizeof supervisor->state_variable, "LAMPPOST_STATE=%s",
		 supervisor->place.state);
	snprintf(supervisor->run_variable, sizeof supervisor->run_variable, "LAMPPOST_RUN=%s",
		 supervisor->place.run);
	if (!find_programs(supervisor))
		return CLI_NOT_FOUND;
	io_harden();
	cli_sockets_init(&supervisor->sockets);
	const struct io_turn turn = {.on_hangup = on_hangup, .on_stop = on_stop, .ctx = supervisor};
	supervisor->loop = io_loop_new(&turn);
	supervisor->http = io_http_client_new(supervisor->loop, NULL);
	supervisor->timer = io_timer_new(supervisor->loop, on_timer, supervisor);
	io_timer_start(supervisor->timer, 0, TICK_BUSY_US);
	int code = io_loop_run(supervisor->loop);
	/* A second signal ends the loop at once: nobody is left behind. */
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		struct child *child = &supervisor->children[i];
		if (child->process)
			io_process_signal(child->process, SIGKILL);
		io_process_free(child->process);
	}
	io_timer_free(supervisor->timer);
	io_http_client_free(supervisor->http);
	io_loop_free(supervisor->loop);
	cli_sockets_release(&supervisor->sockets);
	cli_up_vault_release(&supervisor->vault);
	return code;
}

static const struct cli_option options[] = {
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE",
	 "the configuration (-c for short); default: LAMPPOST_CONFIG, or DIR/lamppost.yaml"},
	{"passphrase-fd", "N", "the vault's passphrase, where one is wanted: from this descriptor"},
};

static int run(const struct cli_arguments *arguments)
{
	static struct supervisor supervisor;
	struct cli_init_result made;
	int code = cli_place_find(&supervisor.place, "up", cli_argument(arguments, "state"),
				  cli_argument(arguments, "config"));
	if (code == CLI_DONE)
		code = cli_init_state(&supervisor.place, &made);
	if (code == CLI_DONE)
		code = cli_place_claim(&supervisor.place);
	if (code == CLI_DONE)
		code = cli_up_vault_ask(&supervisor.vault, &supervisor.place,
					cli_argument(arguments, "passphrase-fd"));
	if (code != CLI_DONE)
		return code;
	log_init("lamppost", LOG_LEVEL_WARN);
	supervisor.json = arguments->json;
	if (made.made)
		cli_up_say_made(supervisor.json, supervisor.place.state, made.fingerprint);
	return supervise(&supervisor);
}

const struct cli_command cli_up_commands[] = {
	{.group = "up",
	 .summary = "run the whole network on this machine",
	 .description =
		 "Runs every process until Ctrl-C, and starts again what ends; makes the state at the "
		 "first start. Where the vault is opened by a passphrase, it is asked once, at the start. "
		 "SIGHUP makes all of them read the configuration again.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost up\n"
		     "lamppost up --state /var/lib/lamppost\n"
		     "lamppost up -c lamppost.yaml\n",
	 .local = true,
	 .run = run},
};
const size_t cli_up_command_count = ARRAY_SIZE(cli_up_commands);
