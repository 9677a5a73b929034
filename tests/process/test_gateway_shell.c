/* A shell on a gateway's station, from `lamppost gateway shell` in a terminal or between pipes, through the application server and
 * the bridge, over TLS to a station that this test plays: who gets one, what of it stands in the audit, and every way in which it ends and
 * leaves its place free. And a command, with what came of it. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"
#include "tests/harness/pty.h"
#include "tests/harness/station_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EUI   "0016c00100001000"
#define SHELL "/api/v1/gateways/" EUI "/shell"

static struct t_stations at;
static struct t_wire *wire;
static struct t_pty pty;
static bool echoes; /* the station's shell says what it is told, behind "> " */
static bool tells;  /* it says when a shell starts and ends */
static unsigned started, stopped;
static char typed[8192]; /* by all shells */
static size_t typed_length;

/* --- the station */

static void say(const void *bytes, size_t length)
{
	uint8_t frame[1024] = {0}; /* the first byte names the session */
	memcpy(frame + 1, bytes, length);
	t_wire_frame(wire, &(struct t_wire_frame){.head = 0x82, .bytes = frame, .length = 1 + length});
}

static void tell(bool runs)
{
	if (tells)
		t_wire_text(wire, runs ? "{\"msgtype\":\"rmtsh\",\"rmtsh\":[{\"user\":\"x\",\"started\":true,"
					 "\"age\":0,\"pid\":7}]}"
				       : "{\"msgtype\":\"rmtsh\",\"rmtsh\":[{\"user\":null,\"started\":false,"
					 "\"age\":0,\"pid\":0}]}");
}

static void on_text(void *ctx, struct t_wire *from, const char *text, size_t length)
{
	(void)ctx, (void)from;
	if (memmem(text, length, "\"rmtsh\"", 7) == NULL)
		return;
	bool starts = memmem(text, length, "\"start\":0", 9) != NULL;
	started += starts;
	stopped += !starts;
	tell(starts);
	if (starts)
		say("roof$", 5);
}

static void on_binary(void *ctx, struct t_wire *from, const uint8_t *bytes, size_t length)
{
	(void)ctx, (void)from;
	if (length < 2 || bytes[0] != 0 || typed_length + length > sizeof typed)
		return;
	memcpy(typed + typed_length, bytes + 1, length - 1);
	typed_length += length - 1;
	if (echoes) {
		say("> ", 2);
		say(bytes + 1, length - 1);
	}
	if (memchr(bytes + 1, 4, length - 1))
		tell(false);
}

/* --- everybody's time */

static bool never(struct t_network_script *network)
{
	(void)network;
	return false;
}

static void turn(void)
{
	t_bridge_pump(at.rig);
	if (wire)
		t_wire_pump(wire);
	t_script_run(t_server.network, never, 0.01);
	if (pty.pid > 0)
		t_pty_pump(&pty);
}

static bool wait_for(bool (*condition)(const void *ctx), const void *ctx)
{
	double end = t_seconds() + T_CEILING;
	while (!condition(ctx) && t_seconds() < end)
		turn();
	return condition(ctx);
}

static bool is_at_least(const void *ctx)
{
	const unsigned *const *pair = ctx;
	return *pair[0] >= *pair[1];
}

static bool counted(const unsigned *counter, unsigned wanted)
{
	return wait_for(is_at_least, (const unsigned *const[]){counter, &wanted});
}

static bool is_typed(const void *ctx)
{
	return memmem(typed, typed_length, ctx, strlen(ctx)) != NULL;
}

static bool is_shown(const void *ctx)
{
	return t_vt_shows(&pty.vt, ctx);
}

static bool is_over(const void *ctx)
{
	(void)ctx;
	return pty.over;
}

static bool is_open(const void *ctx)
{
	(void)ctx;
	return t_wire_state(wire) == T_WIRE_OPEN;
}

static bool is_closed(const void *ctx)
{
	(void)ctx;
	return t_wire_state(wire) == T_WIRE_CLOSED;
}

/* Runs the command line while the others go on; its output in `said`. */
static char said[20000];
static int lamppost(const char *words)
{
	char program[4096], command[5000];
	size_t used = 0;
	t_program_path(program, sizeof program, "lamppost");
	char *before = strstr(words, "| ");
	snprintf(command, sizeof command, "export LAMPPOST_SOCKET='%s'; %.*s %s %s 2>&1%s", t_server.socket,
		 before ? (int)(before - words + 1) : 0, words, program, before ? before + 2 : words,
		 before ? "" : " </dev/null");
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_int_equal(0, fcntl(fileno(pipe), F_SETFL, O_NONBLOCK));
	for (;;) {
		ssize_t got = read(fileno(pipe), said + used, sizeof said - 1 - used);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		used += got > 0 ? (size_t)got : 0;
		turn();
	}
	said[used] = 0;
	int end = pclose(pipe);
	return WIFEXITED(end) ? WEXITSTATUS(end) : -1;
}

/* --- the audit */

static bool has_audit(const void *ctx)
{
	assert_int_equal(200, t_server_get("/api/v1/audit?limit=100"));
	return strstr(t_server.answer, ctx) != NULL;
}

/* --- the world */

static void comes_up(void)
{
	t_wire_free(wire);
	wire = t_stations_dial_with(&at, T_STATION_FIRST, true,
				    &(struct t_wire_options){.on_text = on_text, .on_binary = on_binary});
	assert_true(wait_for(is_open, NULL));
	t_wire_text(wire,
		    "{\"msgtype\":\"version\",\"station\":\"2.0.6\",\"protocol\":2,\"features\":\"rmtsh\"}");
	double end = t_seconds() + T_CEILING;
	while (t_wire_texts(wire) == 0 && t_seconds() < end)
		turn();
	assert_true(t_wire_texts(wire) > 0); /* router_config */
}

static void open_world(const char *settings, const char *idle)
{
	char own[T_DIR_MAX + 64];
	started = stopped = 0;
	typed_length = 0;
	echoes = tells = true;
	t_stations_open(&at, 1, T_STATION_FIRST, settings);
	t_server_open(0, false, "", idle);
	snprintf(own, sizeof own, "%s/gateway-bridge.admin.sock", t_server.run);
	assert_int_equal(0, symlink(at.rig->admin, own));
	t_int("registered", 201,
	      t_server_post("/api/v1/gateways",
			    "{\"eui\":\"" EUI "\",\"name\":\"roof\",\"region\":\"eu868\"}"));
	comes_up();
}

static void close_world(void)
{
	t_wire_free(wire);
	wire = NULL;
	t_server_close();
	t_stations_close(&at);
}

static void start_in_terminal(void)
{
	char socket[T_DIR_MAX + 64];
	snprintf(socket, sizeof socket, "LAMPPOST_SOCKET=%s", t_server.socket);
	t_pty_start(&pty, 80, 24, "lamppost", (const char *const[]){"gateway", "shell", EUI, NULL},
		    (const char *const[]){socket, "TERM=xterm", NULL});
}

static void end_of_terminal(int code)
{
	assert_true(wait_for(is_over, NULL));
	t_int("exit", code, pty.code);
	t_true("the terminal is as it was", t_pty_is_as_before(&pty));
	t_pty_close(&pty);
	memset(&pty, 0, sizeof pty);
}

/* --- tests */

static void a_terminal(void **state)
{
	(void)state;
	open_world("  station_remote: true\n", "");
	t_row("keys go there, Ctrl-C with them, and what it says is shown");
	start_in_terminal();
	assert_true(wait_for(is_shown, "roof$"));
	t_pty_type(&pty, "uptime");
	t_true("typed", wait_for(is_typed, "uptime"));
	t_pty_type(&pty, "\003");
	t_true("Ctrl-C", wait_for(is_typed, "\003"));
	t_true("it answers", wait_for(is_shown, ">"));
	t_true("and stands in the audit", wait_for(has_audit, "\"detail\":\"opened\""));
	t_row("one alone");
	t_int("refused", 4, lamppost("gateway shell " EUI));
	t_true("whose it is", strstr(said, "has a shell there") != NULL);
	t_true("in the audit", wait_for(has_audit, "refused: uid "));
	t_int("listed", 0, lamppost("gateway shell --list"));
	t_true("its gateway", strstr(said, EUI) != NULL);
	t_row("Ctrl-] leaves");
	t_pty_type(&pty, "\035");
	end_of_terminal(0);
	t_true("the station is told", counted(&stopped, 1));
	t_true("in the audit", wait_for(has_audit, "s: whoever opened it left"));
	t_row("a shell that is ended by itself");
	start_in_terminal();
	assert_true(counted(&started, 2));
	assert_true(wait_for(is_shown, "roof$"));
	t_pty_type(&pty, "\004");
	end_of_terminal(0);
	t_true("in the audit", wait_for(has_audit, "s: the station ended it, or left"));
	t_row("a signal puts the terminal back");
	start_in_terminal();
	assert_true(wait_for(is_shown, "roof$"));
	kill(pty.pid, SIGTERM);
	end_of_terminal(130);
	t_row("somebody closes it");
	start_in_terminal();
	assert_true(wait_for(is_shown, "roof$"));
	t_int("closed", 0, lamppost("gateway shell " EUI " --close"));
	t_true("said", wait_for(is_shown, "the shell was closed"));
	end_of_terminal(0);
	t_row("the station goes");
	start_in_terminal();
	assert_true(wait_for(is_shown, "roof$"));
	t_wire_reset(wire);
	end_of_terminal(0);
	close_world();
}

static void pipes(void **state)
{
	(void)state;
	open_world("  station_remote: true\n", "");
	t_row("what comes in is typed, what it says comes out");
	t_int("done", 0, lamppost("echo uptime | gateway shell " EUI));
	t_true("typed, and its end", is_typed("uptime\n\004"));
	t_true("said", strstr(said, "> ") && strstr(said, "uptime"));
	t_row("much, in order");
	typed_length = 0;
	echoes = false;
	t_int("done", 0, lamppost("seq 1000 | gateway shell " EUI));
	t_uint("all of it", 3893 + 1, typed_length);
	t_true("in order", is_typed("\n998\n999\n1000\n\004"));
	t_row("a client that is killed frees the place");
	start_in_terminal();
	unsigned before = stopped;
	assert_true(wait_for(is_shown, "roof$"));
	kill(pty.pid, SIGKILL);
	t_true("the station is told", counted(&stopped, before + 1));
	assert_true(wait_for(is_over, NULL));
	t_pty_close(&pty);
	memset(&pty, 0, sizeof pty);
	t_row("an application server that is killed frees it as well");
	start_in_terminal();
	before = stopped;
	assert_true(wait_for(is_shown, "roof$"));
	t_server_kill();
	t_true("the station is told", counted(&stopped, before + 1));
	assert_true(wait_for(is_over, NULL));
	t_pty_close(&pty);
	memset(&pty, 0, sizeof pty);
	t_server_start();
	close_world();
}

static void nothing_is_said(void **state)
{
	(void)state;
	open_world("  station_remote: true\n", "  gateway_shell_idle: 1s\n");
	t_row("an idle shell is closed");
	start_in_terminal();
	t_true("said", wait_for(is_shown, "nothing was said for 1 s"));
	end_of_terminal(0);
	t_true("the station is told", counted(&stopped, 1));
	t_true("in the audit", wait_for(has_audit, "s: nothing was said for 1 s"));
	close_world();
}

static void off_by_default(void **state)
{
	(void)state;
	open_world("", "");
	t_row("a shell");
	t_int("refused", 4, lamppost("gateway shell " EUI));
	t_true("why", strstr(said, "station_remote") != NULL);
	t_true("in the audit", wait_for(has_audit, "refused: Commands on stations are off"));
	t_uint("nothing reached the station", 0, started);
	t_row("a command");
	t_int("refused", 4, lamppost("gateway run " EUI " reboot"));
	t_true("in the audit", wait_for(has_audit, "\"what\":\"remote_command\""));
	t_true("with its outcome", strstr(t_server.answer, "refused: Commands on stations are off") != NULL);
	t_row("no station");
	t_wire_reset(wire);
	assert_true(wait_for(is_closed, NULL));
	t_int("still refused", 4, lamppost("gateway shell " EUI));
	t_row("typing without a shell");
	t_int("refused", 409, t_server_post(SHELL "/input", "x"));
	close_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_terminal),
		t_test(pipes),
		t_test(nothing_is_said),
		t_test(off_by_default),
	};
	return t_run(tests);
}
