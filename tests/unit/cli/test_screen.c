/* What reaches the terminal: cells of the width that was meant, whatever text is put into them. */
#include "tests/harness/harness.h"
#include "tests/harness/vt.h"

#include "cli/screen.h"
#include "cli/terminal.h"

#include <string.h>

static struct t_vt vt;

static const struct {
	const char *name, *text, *shown; /* in a cell of eight columns */
} hostile[] = {
	{"plain", "mic", "mic"},
	{"cut", "abcdefghij", "abcdefgh"},
	{"an escape", "a\033[2Jb", "a?[2Jb"},
	{"a title", "\033]0;x\007", "?]0;x?"},
	{"a C1 control",
	 "a\xc2\x9b"
	 "2Jb",
	 "a?2Jb"},
	{"a raw 0x9b",
	 "a\x9b"
	 "31m",
	 "a?31m"},
	{"new lines", "a\r\nb", "a??b"},
	{"a backspace and a delete", "a\b\x7f", "a??"},
	{"right to left override", "a\u202eb", "a?b"},
	{"an isolate", "a\u2066b\u2069", "a?b?"},
	{"zero width",
	 "a\u200bb\u200d\ufeff"
	 "c",
	 "abc"},
	{"a variation selector and a tag", "a\ufe0fb\U000e0041", "ab"},
	{"wide letters", "東京都庁", "東京都庁"},
	{"a wide letter that is half in", "abcdefg東", "abcdefg"},
	{"a mark on its letter", "e\u0301a", "e\u0301a"},
	{"a mark without a letter", "\u0301a", "a"},
	{"a tower of marks", "e\u0301\u0301\u0301\u0301\u0301x", "e\u0301\u0301x"},
	{"an overlong escape", "a\xc0\x9b[2J", "a??[2J"},
	{"an overlong C1 control",
	 "a\xe0\x82\x9b"
	 "b",
	 "a???b"},
	{"half a character", "a\xe6\x9d", "a?"},
	{"a picture", "a😀b", "a😀b"},
};

static void a_cell_has_its_width_whatever_is_in_it(void **state)
{
	(void)state;
	struct screen screen;
	screen_init(&screen);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		char line[64];
		size_t length;
		t_row(hostile[i].name);
		t_vt_init(&vt, 20, 3);
		screen_begin(&screen, 20, 3, true);
		screen_put(&screen, COLOUR_BAD, hostile[i].text, 8);
		screen_put(&screen, COLOUR_NONE, "|", 0);
		screen_line(&screen);
		screen_put(&screen, COLOUR_NONE, "next", 0);
		const char *bytes = screen_end(&screen, &length);
		t_vt_write(&vt, bytes, length);
		snprintf(line, sizeof line, "%.*s", (int)strlen(hostile[i].shown), t_vt_line(&vt, 0));
		t_str("shown", hostile[i].shown, line);
		t_str("the next cell is where it belongs", "|", vt.cells[0][8]);
		t_str("and the next line", "next", t_vt_line(&vt, 1));
		t_uint("nothing else", 0, vt.strange);
		t_uint("nothing outside", 0, vt.overrun);
	}
	screen_release(&screen);
}

static void nothing_is_written_outside(void **state)
{
	(void)state;
	struct screen screen;
	screen_init(&screen);
	for (unsigned columns = 1; columns < 30; columns++)
		for (unsigned rows = 1; rows < 6; rows++) {
			size_t length;
			t_vt_init(&vt, columns, rows);
			screen_begin(&screen, columns, rows, false);
			for (int i = 0; i < 8; i++) {
				screen_put(&screen, COLOUR_NONE, "東京 and more", 9);
				screen_put(&screen, COLOUR_GOOD, "and still more of it", 0);
				screen_line(&screen);
			}
			const char *bytes = screen_end(&screen, &length);
			t_vt_write(&vt, bytes, length);
			t_uint("outside", 0, vt.overrun + vt.strange);
			t_false("no colours", vt.coloured);
		}
	screen_release(&screen);
}

static void what_was_there_before_is_gone(void **state)
{
	(void)state;
	struct screen screen;
	size_t length;
	screen_init(&screen);
	t_vt_init(&vt, 20, 5);
	for (int i = 0; i < 2; i++) {
		screen_begin(&screen, 20, 5, false);
		for (int line = 0; line < (i == 0 ? 5 : 2); line++) {
			screen_put(&screen, COLOUR_NONE, i == 0 ? "a long line before" : "short", 0);
			screen_line(&screen);
		}
		const char *bytes = screen_end(&screen, &length);
		t_vt_write(&vt, bytes, length);
	}
	t_str("first", "short", t_vt_line(&vt, 0));
	t_str("second", "short", t_vt_line(&vt, 1));
	for (unsigned row = 2; row < 5; row++)
		t_str("empty", "", t_vt_line(&vt, row));
	screen_release(&screen);
}

static void keys_are_read_from_what_terminals_send(void **state)
{
	(void)state;
	static const struct {
		const char *name, *bytes;
		int key;
		size_t taken;
	} rows[] = {
		{"a letter", "q", 'q', 1},
		{"space", " ", ' ', 1},
		{"up", "\033[A", KEY_UP, 3},
		{"up of another mode", "\033OA", KEY_UP, 3},
		{"page down, more behind it", "\033[6~x", KEY_PAGE_DOWN, 4},
		{"home", "\033[1~", KEY_HOME, 4},
		{"escape", "\033", KEY_ESCAPE, 1},
		{"escape and a letter", "\033q", KEY_ESCAPE, 1},
		{"a key that nobody asked for", "\033[15;2~q", KEY_NONE, 7},
		{"a sequence that breaks off", "\033[12", KEY_NONE, 4},
		{"return", "\r", KEY_ENTER, 1},
		{"delete", "\x7f", KEY_BACKSPACE, 1},
		{"a byte of another alphabet", "\xc3\xa9", KEY_NONE, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int key = 4711;
		t_row(rows[i].name);
		t_uint("taken", rows[i].taken,
		       terminal_key_read((const uint8_t *)rows[i].bytes, strlen(rows[i].bytes), &key));
		t_int("key", rows[i].key, key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_cell_has_its_width_whatever_is_in_it),
		t_test(nothing_is_written_outside),
		t_test(what_was_there_before_is_gone),
		t_test(keys_are_read_from_what_terminals_send),
	};
	return t_run(tests);
}
