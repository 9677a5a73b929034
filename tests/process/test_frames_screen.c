/* The screen of `lamppost frames` on a real terminal, with the real application server and a network server that the test
 * plays: keys, sizes, a server that goes and comes, and the terminal as it was, whatever ends the program. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"
#include "tests/harness/pty.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define GATEWAY "aa02030405060708"

static struct t_pty pty;
static uint64_t number;

static bool never(struct t_network_script *network)
{
	(void)network;
	return false;
}

/* One slice of everybody's time. */
static void turn(void)
{
	t_script_run(t_server.network, never, 0.02);
	t_pty_pump(&pty);
}

static bool shows(const char *text)
{
	double end = t_seconds() + T_CEILING;
	while (!t_vt_shows(&pty.vt, text) && !pty.over && t_seconds() < end)
		turn();
	return t_true(text, t_vt_shows(&pty.vt, text));
}

/* The server has asked for frames `times` times in all. */
static bool asks(unsigned times)
{
	double end = t_seconds() + T_CEILING;
	while (t_script_seen(t_server.network)->frames_wanted < times && t_seconds() < end)
		turn();
	return t_true("asks for frames", t_script_seen(t_server.network)->frames_wanted >= times);
}

static void send_frame(const char *verdict, enum net_frame_standing standing)
{
	static const uint8_t phy[] = {0x40, 4, 3, 2, 1, 0, 1, 0, 2, 0xaa, 1, 2, 3, 4};
	static struct proto_message message;
	memset(&message, 0, sizeof message);
	message.kind = PROTO_FRAME;
	number++;
	message.frame = (struct net_frame){.number = number,
					   .direction = LW_UP,
					   .time = {INT64_C(1760000000123456)},
					   .phy_length = sizeof phy,
					   .standing = standing,
					   .sentence = "A sentence of the server.",
					   .has_device = true,
					   .has_dev_addr = true,
					   .dev_addr = {T_ABP_ADDR},
					   .region_id = "eu868",
					   .freq_hz = 868100000,
					   .modulation = {LW_LORA, 7, 125000, 0, 0, "4/5"},
					   .gateway_count = 1,
					   .reception_count = 1};
	memcpy(message.frame.phy, phy, sizeof phy);
	snprintf(message.frame.verdict, sizeof message.frame.verdict, "%s", verdict);
	t_true("a device", lw_eui64_parse(T_ABP_EUI, &message.frame.dev_eui));
	t_true("a gateway", lw_eui64_parse(GATEWAY, &message.frame.receptions[0].gateway));
	t_true("sent", t_script_send(t_server.network, &message));
}

static void open_screen(const char *const *words, const char *variable)
{
	static char socket[T_DIR_MAX + 64];
	const char *arguments[12] = {"frames", "--follow"};
	for (size_t i = 0; words && words[i]; i++)
		arguments[2 + i] = words[i];
	snprintf(socket, sizeof socket, "LAMPPOST_SOCKET=%s", t_server.socket);
	unsigned asked = t_script_seen(t_server.network)->frames_wanted;
	t_pty_start(&pty, 110, 30, "lamppost", arguments, (const char *const[]){socket, variable, NULL});
	asks(asked + 1);
	shows("live");
}

static int ends(void)
{
	double end = t_seconds() + T_CEILING;
	while (!pty.over && t_seconds() < end)
		turn();
	t_true("ends", pty.over);
	return pty.code;
}

static int open_world(void **state)
{
	static bool opened;
	t_setup(state);
	if (!opened)
		t_server_open(0, false, "", "");
	opened = true;
	return 0;
}

static int close_world(void **state)
{
	t_server_close();
	return t_teardown(state);
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void keys_do_what_they_say(void **state)
{
	(void)state;
	open_screen(NULL, NULL);
	t_true("another picture", pty.vt.other_picture && pty.vt.cursor_hidden);
	send_frame("accepted", NET_FRAME_GOOD);
	shows("accepted 1");
	shows("01020304");
	t_true("colours", pty.vt.coloured);
	t_pty_type(&pty, " ");
	shows("PAUSED, 0 passed");
	for (int i = 0; i < 3; i++)
		send_frame("mic", NET_FRAME_PROBLEM);
	shows("PAUSED, 3 passed");
	t_pty_type(&pty, "\r");
	shows("A sentence of the server.");
	shows("UnconfirmedDataUp");
	t_pty_type(&pty, "q");
	shows("PAUSED");
	t_pty_type(&pty, " ");
	shows("3 frames passed while it was paused");
	send_frame("fcnt_old", NET_FRAME_PROBLEM);
	shows("fcnt_old 1");
	t_pty_type(&pty, "v");
	shows("problems only");
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_true("as it was", t_pty_is_as_before(&pty));
	t_uint("nothing strange", 0, pty.vt.strange + pty.vt.overrun);
	t_pty_close(&pty);
}

static void a_filter_is_asked_for_and_may_be_refused(void **state)
{
	(void)state;
	open_screen((const char *[]){"--verdict", "mic", NULL}, "NO_COLOR=1");
	shows("filter: verdict=mic");
	t_str("asked for", "mic", t_script_seen(t_server.network)->wanted.filter.verdicts);
	unsigned asked = t_script_seen(t_server.network)->frames_wanted;
	t_pty_type(&pty, "f\x7f\x7f\x7fproblems direction=up\r");
	shows("filter: verdict=problems direction=up");
	asks(asked + 1);
	t_str("asked for", "problems", t_script_seen(t_server.network)->wanted.filter.verdicts);
	t_int("and", NET_FRAMES_UP, t_script_seen(t_server.network)->wanted.filter.directions);
	t_pty_type(&pty, "f gateway=aa020304050607ff\r");
	shows("gateway");
	shows("filter: verdict=problems direction=up");
	shows("live");
	t_pty_type(&pty, "f nonsense\r");
	shows("nonsense: expected name=value");
	send_frame("mic", NET_FRAME_PROBLEM);
	shows("mic 1");
	t_false("no colours", pty.vt.coloured);
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_pty_close(&pty);
}

static void it_fits_the_terminal_however_that_changes(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = {{60, 12}, {200, 50}, {20, 4}, {110, 30}};
	open_screen(NULL, NULL);
	send_frame("accepted", NET_FRAME_GOOD);
	shows("accepted");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char row[40];
		snprintf(row, sizeof row, "%u by %u", sizes[i][0], sizes[i][1]);
		t_row(row);
		t_pty_resize(&pty, sizes[i][0], sizes[i][1]);
		shows("accepted");
		t_uint("nothing outside", 0, pty.vt.strange + pty.vt.overrun);
	}
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_pty_close(&pty);
}

static void the_terminal_is_given_back_whatever_ends_it(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int signal, code;
	} rows[] = {
		{"interrupted", SIGINT, 130},
		{"asked to end", SIGTERM, 130},
		{"a crash", SIGSEGV, 128 + SIGSEGV},
		{"an assertion", SIGABRT, 128 + SIGABRT},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		open_screen(NULL, NULL);
		kill(pty.pid, rows[i].signal);
		t_int("code", rows[i].code, ends());
		t_true("as it was", t_pty_is_as_before(&pty));
		t_pty_close(&pty);
	}
	t_row("Ctrl-C typed");
	open_screen(NULL, NULL);
	t_pty_type(&pty, "\003");
	t_int("code", 130, ends());
	t_true("as it was", t_pty_is_as_before(&pty));
	t_pty_close(&pty);
}

static void a_stopped_program_lends_the_terminal_out(void **state)
{
	(void)state;
	open_screen(NULL, NULL);
	kill(pty.pid, SIGTSTP);
	double end = t_seconds() + T_CEILING;
	while (!t_pty_is_stopped(&pty) && t_seconds() < end)
		turn();
	t_true("stopped", t_pty_is_stopped(&pty));
	t_true("as it was", t_pty_is_as_before(&pty));
	kill(pty.pid, SIGCONT);
	while (!pty.vt.other_picture && t_seconds() < end)
		turn();
	send_frame("accepted", NET_FRAME_GOOD);
	shows("accepted");
	t_true("taken again", pty.vt.other_picture && pty.vt.cursor_hidden);
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_true("as it was", t_pty_is_as_before(&pty));
	t_pty_close(&pty);
}

static void a_server_that_goes_is_waited_for(void **state)
{
	(void)state;
	open_screen(NULL, NULL);
	t_server_kill();
	shows("AWAY");
	unsigned asked = t_script_seen(t_server.network)->frames_wanted;
	t_server_start();
	asks(asked + 1);
	shows("live");
	send_frame("accepted", NET_FRAME_GOOD);
	shows("accepted 1");
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_pty_close(&pty);
}

/* Hundreds of frames a second make no more pictures than ten. */
static void it_is_drawn_ten_times_a_second_at_most(void **state)
{
	(void)state;
	open_screen(NULL, NULL);
	unsigned before = pty.vt.pictures;
	double began = t_seconds();
	for (int i = 0; i < 1000; i++) {
		send_frame("accepted", NET_FRAME_GOOD);
		if (i % 20 == 0)
			turn();
	}
	shows("total 1000");
	unsigned pictures = pty.vt.pictures - before;
	t_true("few pictures", pictures <= (t_seconds() - began) * 10 + 3);
	t_pty_type(&pty, "q");
	t_int("q", 0, ends());
	t_pty_close(&pty);
}

int main(void)
{
#define IN_WORLD(f, close)                     \
	{                                      \
#f, f, open_world, close, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(keys_do_what_they_say, t_teardown),
		IN_WORLD(a_filter_is_asked_for_and_may_be_refused, t_teardown),
		IN_WORLD(it_fits_the_terminal_however_that_changes, t_teardown),
		IN_WORLD(the_terminal_is_given_back_whatever_ends_it, t_teardown),
		IN_WORLD(a_stopped_program_lends_the_terminal_out, t_teardown),
		IN_WORLD(a_server_that_goes_is_waited_for, t_teardown),
		IN_WORLD(it_is_drawn_ten_times_a_second_at_most, close_world),
	};
	return t_run(tests);
}
