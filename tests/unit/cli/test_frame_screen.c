/* The screen of `lamppost frames`: every state at every size, keys, and names that want to be more than names. */
#include "tests/harness/harness.h"
#include "tests/harness/vt.h"

#include "cli/frame_screen.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>

static struct t_vt vt;
static struct frame_screen state;
static struct screen out;
static struct mono now;

static json_t *json_of(uint64_t number, const char *verdict, const char *standing, const char *name)
{
	return json_pack("{s:I s:s s:s s:s s:s s:s s:s s:s s:s s:s s:s s:{s:b s:b s:i} s:i s:i s:i s:s s:s "
			 "s:s s:s s:i s:{s:i "
			 "s:{s:{s:i s:i}}} s:i s:[{s:s s:i s:f s:i}]}",
			 "number", (json_int_t)number, "time", "2026-11-21T18:00:03.123456+00:00",
			 "direction", "up", "verdict", verdict, "standing", standing, "sentence",
			 "The counter 17 was used before.", "next", "Look for a device of the same key.",
			 "devEui", "0102030405060708", "deviceName", name, "fType", "ConfirmedDataUp",
			 "devAddr", "26010203", "fCtrl", "adr", 1, "ack", 0, "fOptsLen", 0, "fCnt", 17,
			 "fCntBits", 32, "fPort", 10, "frmPayload", "aabbcc", "mic", "deadbeef", "phyPayload",
			 "8003020126a01100aabbccdeadbeef", "region", "eu868", "dr", 5, "txInfo", "frequency",
			 868100000, "modulation", "lora", "bandwidth", 125000, "spreadingFactor", 7,
			 "gatewayCount", 3, "rxInfo", "gatewayId", "aa02030405060708", "rssi", -101, "snr",
			 -5.5, "channel", 3);
}

static void add(uint64_t number, const char *verdict, const char *standing, const char *name)
{
	struct cli_frame frame;
	json_t *json = json_of(number, verdict, standing, name);
	assert_non_null(json);
	t_true("a frame", cli_frame_read(&frame, json));
	frame_screen_add(&state, now, &frame);
	json_decref(json);
}

static void draw(unsigned columns, unsigned rows)
{
	size_t length;
	t_vt_init(&vt, columns, rows);
	screen_begin(&out, columns, rows, true);
	frame_screen_draw(&state, now, &out);
	const char *bytes = screen_end(&out, &length);
	t_vt_write(&vt, bytes, length);
	t_uint("strange", 0, vt.strange);
	t_uint("outside", 0, vt.overrun);
}

static void open_screen(void)
{
	now.us = 1000 * US_PER_S;
	frame_screen_init(&state, "");
	screen_init(&out);
}

static void close_screen(void)
{
	frame_screen_release(&state);
	screen_release(&out);
}

static void a_frame_has_a_line(void **state_)
{
	(void)state_;
	open_screen();
	add(1, "accepted", "good", "Probe");
	add(2, "fcnt_old", "problem", "Pump");
	draw(200, 24);
	static const char *const shown[] = {"TIME",
					    "VERDICT",
					    "18:00:03.123",
					    "up",
					    "conf",
					    "accepted",
					    "Probe",
					    "26010203",
					    "17",
					    "SF7/125",
					    "868.100",
					    "aa02030405060708 +2",
					    "-101",
					    "-5.5",
					    "fcnt_old",
					    "Pump",
					    "The counter 17 was used before.",
					    "live",
					    "total 2",
					    "accepted 1",
					    "fcnt_old 1",
					    "filter: none"};
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		t_row(shown[i]);
		t_true("shown", t_vt_shows(&vt, shown[i]));
	}
	t_row("order");
	t_true("the newest is the lowest", strstr(t_vt_line(&vt, 5), "Pump") != NULL);
	t_true("the sentence is of problems alone",
	       strstr(t_vt_line(&vt, 4), "The counter") == NULL && strstr(t_vt_line(&vt, 4), "Probe"));
	close_screen();
}

/* Every state at sizes from the smallest to the largest, with names that want more. */
static void any_size_in_any_state(void **state_)
{
	(void)state_;
	static const char *const names[] = {"\033[2J\033[31mred",
					    "\u202egnp.exe",
					    "東京都水道局の計量器",
					    "a\u200b\u200b\u0301\u0301\u0301\u0301",
					    "\xc2\x9b"
					    "2J",
					    "\n\n\n\r",
					    "x\033]0;title\007",
					    ""};
	static const int keys[][4] = {{0},
				      {' '},
				      {KEY_ENTER},
				      {'f', 'x'},
				      {'v'},
				      {' ', KEY_UP, KEY_PAGE_UP},
				      {KEY_ENTER, KEY_PAGE_DOWN}};
	static const unsigned sizes[][2] = {{1, 1},   {2, 2},   {10, 3},  {20, 5},   {39, 9},
					    {40, 10}, {80, 24}, {81, 25}, {132, 43}, {300, 100}};
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		open_screen();
		for (uint64_t i = 0; i < 130; i++)
			add(i + 1, i % 3 ? "accepted" : "mic", i % 3 ? "good" : "problem",
			    names[i % ARRAY_SIZE(names)]);
		frame_screen_lost(&state, 12);
		for (size_t i = 0; i < ARRAY_SIZE(keys[k]) && keys[k][i]; i++)
			frame_screen_key(&state, keys[k][i]);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char row[40];
			snprintf(row, sizeof row, "keys %zu, %u by %u", k, sizes[i][0], sizes[i][1]);
			t_row(row);
			draw(sizes[i][0], sizes[i][1]);
		}
		frame_screen_link(&state, "the server closed the stream \033[2J");
		frame_screen_say(&state, "gateway: \033[2J not found");
		draw(80, 24);
		t_true("away", t_vt_shows(&vt, "AWAY"));
		close_screen();
	}
}

static void narrow_terminals_show_what_matters_most(void **state_)
{
	(void)state_;
	open_screen();
	add(1, "fcnt_old", "problem", "Pump");
	draw(40, 24);
	t_true("verdict", t_vt_shows(&vt, "fcnt_old"));
	t_true("device", t_vt_shows(&vt, "Pump"));
	t_false("no gateway", t_vt_shows(&vt, "aa02"));
	draw(80, 24);
	t_true("time", t_vt_shows(&vt, "18:00:03.123"));
	t_true("address", t_vt_shows(&vt, "26010203"));
	close_screen();
}

static void a_pause_holds_the_list_and_counts(void **state_)
{
	(void)state_;
	open_screen();
	add(1, "accepted", "good", "First");
	frame_screen_key(&state, ' ');
	for (uint64_t i = 2; i < 14; i++)
		add(i, "accepted", "good", "Later");
	draw(100, 24);
	t_true("said", t_vt_shows(&vt, "PAUSED, 12 passed"));
	t_true("counted", t_vt_shows(&vt, "total 13"));
	t_false("not in the list", t_vt_shows(&vt, "Later"));
	t_true("the newest is selected", vt.marked[4]);
	frame_screen_key(&state, ' ');
	add(14, "accepted", "good", "After");
	draw(100, 24);
	t_true("live", t_vt_shows(&vt, "live"));
	t_true("a note where it goes on", t_vt_shows(&vt, "12 frames passed while it was paused"));
	t_true("goes on", t_vt_shows(&vt, "After"));
	close_screen();
}

static void a_pause_can_be_walked_through(void **state_)
{
	(void)state_;
	open_screen();
	for (uint64_t i = 1; i <= 60; i++) {
		char name[16];
		snprintf(name, sizeof name, "Nr-%02u-", (unsigned)i);
		add(i, "accepted", "good", name);
	}
	draw(100, 15); /* ten lines of list */
	t_true("the last ten", t_vt_shows(&vt, "Nr-60-") && t_vt_shows(&vt, "Nr-51-"));
	t_false("not the eleventh", t_vt_shows(&vt, "Nr-50-"));
	frame_screen_key(&state, KEY_UP); /* pauses */
	for (int i = 0; i < 12; i++)
		frame_screen_key(&state, KEY_UP);
	draw(100, 15);
	t_true("twelve up", t_vt_shows(&vt, "Nr-48-"));
	t_true("the highest line is selected", vt.marked[4]);
	frame_screen_key(&state, KEY_PAGE_UP);
	draw(100, 15);
	t_true("a page up", t_vt_shows(&vt, "Nr-38-"));
	frame_screen_key(&state, KEY_HOME);
	draw(100, 15);
	t_true("the oldest", t_vt_shows(&vt, "Nr-01-") && vt.marked[4]);
	frame_screen_key(&state, KEY_END);
	draw(100, 15);
	t_true("the newest", t_vt_shows(&vt, "Nr-60-") && vt.marked[13]);
	close_screen();
}

static void enter_shows_everything_of_a_frame(void **state_)
{
	(void)state_;
	open_screen();
	add(1, "fcnt_old", "problem", "Pump");
	frame_screen_key(&state, KEY_ENTER);
	draw(100, 45);
	static const char *const shown[] = {"The counter 17 was used before.",
					    "Look for a device of the same key.",
					    "2026-11-21 18:00:03.123 UTC",
					    "0102030405060708",
					    "ConfirmedDataUp",
					    "ADR",
					    "17 (all 32 bits)",
					    "aabbcc",
					    "deadbeef",
					    "868.100 MHz, SF7/125, DR5, region eu868",
					    "aa02030405060708  RSSI -101 dBm, SNR -5.5 dB, channel 3",
					    "8003020126a01100aabbccdeadbeef"};
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		t_row(shown[i]);
		t_true("shown", t_vt_shows(&vt, shown[i]));
	}
	t_row("scroll");
	draw(100, 12);
	t_false("below", t_vt_shows(&vt, "8003020126"));
	for (int i = 0; i < 100; i++)
		frame_screen_key(&state, KEY_DOWN);
	draw(100, 12);
	t_true("the end", t_vt_shows(&vt, "8003020126"));
	frame_screen_key(&state, KEY_ESCAPE);
	draw(100, 12);
	t_true("back at the list", t_vt_shows(&vt, "Pump") && t_vt_shows(&vt, "PAUSED"));
	t_int("q ends only there", SCREEN_QUIT, frame_screen_key(&state, 'q'));
	close_screen();
}

static void v_shows_problems_alone(void **state_)
{
	(void)state_;
	open_screen();
	add(1, "accepted", "good", "Probe");
	add(2, "mic", "problem", "Pump");
	frame_screen_key(&state, 'v');
	draw(100, 24);
	t_true("a problem", t_vt_shows(&vt, "Pump"));
	t_false("no others", t_vt_shows(&vt, "Probe"));
	t_true("said", t_vt_shows(&vt, "problems only"));
	frame_screen_key(&state, 'v');
	draw(100, 24);
	t_true("all", t_vt_shows(&vt, "Probe"));
	close_screen();
}

static void type(const char *text)
{
	for (; *text; text++)
		t_int("wish", SCREEN_NOTHING, frame_screen_key(&state, *text));
}

static void a_filter_is_typed(void **state_)
{
	(void)state_;
	open_screen();
	type("fverdict=mix");
	frame_screen_key(&state, KEY_BACKSPACE);
	type("c q v");
	draw(100, 24);
	t_true("in sight", t_vt_shows(&vt, "verdict=mic q v_"));
	t_int("wanted", SCREEN_FILTER, frame_screen_key(&state, KEY_ENTER));
	t_str("as typed", "verdict=mic q v", state.edit);
	frame_screen_filtered(&state);
	type("fxyz");
	frame_screen_key(&state, KEY_ESCAPE);
	draw(100, 24);
	t_true("the one before", t_vt_shows(&vt, "filter: verdict=mic q v"));
	for (int i = 0; i < 3 * FRAME_SCREEN_EDIT; i++)
		frame_screen_key(&state, i == 0 ? 'f' : 'x');
	draw(30, 24);
	close_screen();
}

static void filters_are_read(void **state_)
{
	(void)state_;
	static const struct {
		const char *name, *text, *again, *why;
	} rows[] = {
		{"none", "", "", NULL},
		{"blanks", "   ", "", NULL},
		{"one", "verdict=mic", "verdict=mic", NULL},
		{"all, in any order",
		 " direction=up  foreign=yes verdict=mic,problems dev_addr=26000000/7 device=D gateway=G ",
		 "gateway=G device=D dev_addr=26000000/7 verdict=mic,problems direction=up foreign=yes",
		 NULL},
		{"foreign no", "foreign=no", "", NULL},
		{"no name", "mic", NULL, "mic: expected name=value"},
		{"another name", "colour=red", NULL, "colour: expected gateway"},
		{"no value", "verdict=", NULL, "verdict: expected a value"},
		{"foreign perhaps", "foreign=perhaps", NULL, "perhaps: expected yes or no"},
		{"an escape", "\033[2J=x", NULL, "?[2J: expected"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame_filter filter;
		char why[FRAME_SCREEN_EDIT] = "", again[FRAME_SCREEN_EDIT];
		t_row(rows[i].name);
		bool read = frame_filter_read(&filter, rows[i].text, why);
		t_int("read", rows[i].again != NULL, read);
		if (read) {
			frame_filter_text(again, &filter.filters);
			t_str("means", rows[i].again, again);
		} else {
			t_true(why, rows[i].why && strncmp(why, rows[i].why, strlen(rows[i].why)) == 0);
		}
	}
}

static void the_rate_is_that_of_two_seconds(void **state_)
{
	(void)state_;
	open_screen();
	for (int i = 0; i < 150; i++, now.us += 20 * US_PER_MS)
		add((uint64_t)i + 1, "accepted", "good", "Probe");
	unsigned rate = frame_screen_rate(&state, now);
	t_true("50 a second", rate > 450 && rate < 550);
	draw(100, 24);
	now.us += US_PER_S;
	t_true("falls", frame_screen_rate(&state, now) < 300);
	now.us += 5 * US_PER_S;
	t_uint("to nothing", 0, frame_screen_rate(&state, now));
	close_screen();
}

static void the_list_is_bounded(void **state_)
{
	(void)state_;
	open_screen();
	for (uint64_t i = 0; i < FRAME_SCREEN_ROWS + 50; i++)
		add(i + 1, "accepted", "good", "Probe");
	t_uint("rows", FRAME_SCREEN_ROWS, frame_screen_shown(&state));
	t_uint("the newest", FRAME_SCREEN_ROWS + 50, frame_screen_at(&state, 0)->number);
	t_uint("the oldest", 51, frame_screen_at(&state, FRAME_SCREEN_ROWS - 1)->number);
	t_true("none behind it", frame_screen_at(&state, FRAME_SCREEN_ROWS) == NULL);
	close_screen();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_frame_has_a_line),
		t_test(any_size_in_any_state),
		t_test(narrow_terminals_show_what_matters_most),
		t_test(a_pause_holds_the_list_and_counts),
		t_test(a_pause_can_be_walked_through),
		t_test(enter_shows_everything_of_a_frame),
		t_test(v_shows_problems_alone),
		t_test(a_filter_is_typed),
		t_test(filters_are_read),
		t_test(the_rate_is_that_of_two_seconds),
		t_test(the_list_is_bounded),
	};
	return t_run(tests);
}
