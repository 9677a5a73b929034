#include "tests/harness/harness.h"

#include "cli/text_width.h"
#include "cli/wrap.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *text;
	size_t columns;
} rows[] = {
	{"nothing", "", 0},
	{"plain letters", "lamppost", 8},
	{"a letter of two bytes", "Gr\xc3\xbcn", 4},
	{"a letter and the accent on it", "Cafe\xcc\x81", 4},
	{"ideographs are two wide", "\xe6\x9d\xb1\xe4\xba\xac", 4},
	{"half-width katakana are one wide", "\xef\xbd\xb1", 1},
	{"full-width latin is two wide", "\xef\xbc\xa1", 2},
	{"a syllable of Korean in parts", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2},
	{"Hebrew points stand on their letter", "\xd7\xa9\xd6\xb8", 1},
	{"a picture", "\xf0\x9f\x93\xa1", 2},
	{"a joiner takes nothing",
	 "a\xe2\x80\x8d"
	 "b",
	 2},
	{"an arrow", "\xe2\x86\x92", 1},
	{"a byte that is no UTF-8",
	 "a\xff"
	 "b",
	 3},
	{"a character cut short", "a\xe6\x9d", 3},
	{"a colour", "\033[31mred\033[0m", 3},
	{"a lone escape", "\033x", 2},
};

static void columns_of_a_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_uint("columns", rows[i].columns, text_width(rows[i].text));
		t_uint("of its bytes", rows[i].columns,
		       text_width_of_bytes(rows[i].text, strlen(rows[i].text)));
		t_uint("fits itself", strlen(rows[i].text),
		       text_width_fitting(rows[i].text, rows[i].columns));
	}
}

static void the_longest_beginning_that_fits(void **state)
{
	(void)state;
	t_uint("half an ideograph does not", 3, text_width_fitting("\xe6\x9d\xb1\xe4\xba\xac", 3));
	t_uint("the accent comes along", 6, text_width_fitting("Cafe\xcc\x81s", 4));
	t_uint("nothing", 0, text_width_fitting("abc", 0));
}

static const char *wrapped(const char *text, size_t width, size_t used, size_t indent)
{
	static char result[1024];
	char *made = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&made, &length);
	wrap_print(out, text, width, used, indent);
	fclose(out);
	snprintf(result, sizeof result, "%s", made);
	free(made);
	return result;
}

static void sentences_are_broken_between_words(void **state)
{
	(void)state;
	t_str("hanging", "the quick brown fox\n    jumps\n", wrapped("the quick brown fox jumps", 24, 4, 4));
	t_str("not a terminal", "the quick brown fox jumps\n", wrapped("the quick brown fox jumps", 0, 4, 4));
	t_str("a long word stays whole", "an\nextraordinarily-long-word\nthere\n",
	      wrapped("an extraordinarily-long-word there", 20, 0, 0));
	t_str("wide letters count twice",
	      "\xe6\x9d\xb1\xe6\x9d\xb1 "
	      "\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\n\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\n",
	      wrapped("\xe6\x9d\xb1\xe6\x9d\xb1 \xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1 "
		      "\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1",
		      16, 0, 0));
	t_str("paragraphs stay", "one\n\n  two\n", wrapped("one\n\ntwo", 40, 2, 2));
	t_str("control characters never reach the terminal", "a?[2Jb\n", wrapped("a\033[2Jb", 40, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(columns_of_a_text),
		t_test(the_longest_beginning_that_fits),
		t_test(sentences_are_broken_between_words),
	};
	return t_run(tests);
}
