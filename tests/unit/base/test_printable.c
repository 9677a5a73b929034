#include "tests/harness/harness.h"

#include "common/base/printable.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
	const char *shown;
} rows[] = {
	{"nothing", "", ""},
	{"letters of many languages stay", "Zürich, 東京 😀", "Zürich, 東京 😀"},
	{"an escape sequence loses its escape", "a\033[2Jb", "a?[2Jb"},
	{"a new line, a tab and a delete", "a\nb\tc\x7f", "a?b?c?"},
	{"a C1 control is one question mark",
	 "a\xc2\x9b"
	 "2Jb",
	 "a?2Jb"},
	{"the first and the last C1 control", "\xc2\x80\xc2\x9f", "??"},
	{"the no-break space right above them stays", "\xc2\xa0", "\xc2\xa0"},
	{"a byte 0x9b alone is no UTF-8",
	 "a\x9b"
	 "b",
	 "a?b"},
	{"a character that breaks off", "\xe6\x9d", "?"},
	{"a character cut short by a letter",
	 "\xe6\x9d"
	 "a",
	 "?a"},
	{"a control character inside a character", "\xe6\033[2J", "??[2J"},
	{"an overlong C1 control",
	 "a\xe0\x82\x9b"
	 "b",
	 "a???b"},
	{"half of a pair", "\xed\xa0\x80", "???"},
	{"past the last code point", "\xf4\x90\x80\x80", "????"},
	{"controls of direction", "a\u202eb\u2066c\u200f\u061c", "a?b?c??"},
	{"line and paragraph separators", "a\u2028b\u2029", "a?b?"},
	{"joiners, which scripts need, stay", "a\u200db", "a\u200db"},
	{"bytes that begin nothing", "\xc0\x8a\xff", "???"},
};

static void controls_become_question_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[64], *written = NULL;
		size_t length = 0;
		t_row(rows[i].name);
		t_uint("length", strlen(rows[i].shown), printable_copy(out, sizeof out, rows[i].text));
		t_str("copied", rows[i].shown, out);
		FILE *file = open_memstream(&written, &length);
		t_true("stream", file != NULL);
		printable_write(file, rows[i].text);
		fclose(file);
		t_str("written", rows[i].shown, written);
		free(written);
	}
}

static void a_copy_is_cut_at_a_whole_character(void **state)
{
	(void)state;
	char out[8];
	for (size_t capacity = 1; capacity <= 5; capacity++) {
		memset(out, 'x', sizeof out);
		size_t length = printable_copy(out, capacity, "a東b");
		t_uint("length", capacity == 1 ? 0 : capacity < 5 ? 1 : 4, length);
		t_uint("ended", 0, (unsigned char)out[length]);
		t_uint("nothing behind", 'x', (unsigned char)out[capacity]);
	}
}

static void control_characters_are_found(void **state)
{
	(void)state;
	t_true("plain", printable_is("Zürich 東京"));
	t_false("escape", printable_is("a\033b"));
	t_false("new line", printable_is("a\n"));
	t_false("delete", printable_is("\x7f"));
	t_false("the C1 form of ESC [", printable_is("a\xc2\x9b"
						     "31m"));
	t_false("the last of C1", printable_is("\xc2\x9f"));
	t_true("behind C1", printable_is("\xc2\xa0\xc3\x9b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(controls_become_question_marks),
		t_test(a_copy_is_cut_at_a_whole_character),
		t_test(control_characters_are_found),
	};
	return t_run(tests);
}
