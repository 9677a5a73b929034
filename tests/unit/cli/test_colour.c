#include "tests/harness/harness.h"

#include "cli/colour.h"
#include "cli/progress.h"
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum colour_when when;
	bool terminal;
	const char *no_color, *term;
	bool on;
} rows[] = {
	{"a terminal", COLOUR_AUTO, true, NULL, "xterm", true},
	{"a terminal that says nothing of itself", COLOUR_AUTO, true, NULL, NULL, true},
	{"a file", COLOUR_AUTO, false, NULL, "xterm", false},
	{"NO_COLOR", COLOUR_AUTO, true, "1", "xterm", false},
	{"NO_COLOR, but empty", COLOUR_AUTO, true, "", "xterm", true},
	{"a dumb terminal", COLOUR_AUTO, true, NULL, "dumb", false},
	{"always, to a file", COLOUR_ALWAYS, false, NULL, NULL, true},
	{"always, against NO_COLOR", COLOUR_ALWAYS, true, "1", "dumb", true},
	{"never, on a terminal", COLOUR_NEVER, true, NULL, "xterm", false},
};

static void when_there_are_colours(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("on", rows[i].on,
		      colour_decide(rows[i].when, rows[i].terminal, rows[i].no_color, rows[i].term));
	}
}

static void words_of_the_option(void **state)
{
	(void)state;
	enum colour_when when = COLOUR_AUTO;
	t_true("always", colour_when_read("always", &when) && when == COLOUR_ALWAYS);
	t_true("never", colour_when_read("never", &when) && when == COLOUR_NEVER);
	t_true("auto", colour_when_read("auto", &when) && when == COLOUR_AUTO);
	t_false("yes", colour_when_read("yes", &when));
}

static const char *print(enum colour_when when, size_t width)
{
	static char text[1024];
	char *made = NULL;
	size_t length = 0;
	struct table_text table;
	FILE *out = open_memstream(&made, &length);
	colour_choose(when);
	table_text_init(&table, 2, (const char *const[]){"GATEWAY", "STATE"});
	table_text_add(&table, (const char *const[]){"\xe6\x9d\xb1\xe4\xba\xac", "silent"});
	table_text_colour_by_word(&table, 1);
	table_text_add(&table, (const char *const[]){"roof", "nothing known"});
	table_text_colour_by_word(&table, 1);
	table_text_print(&table, out, width);
	table_text_release(&table);
	colour_choose(COLOUR_AUTO);
	fclose(out);
	snprintf(text, sizeof text, "%s", made);
	free(made);
	return text;
}

static void a_table_says_the_same_without_them(void **state)
{
	(void)state;
	t_str("never", "GATEWAY  STATE\n\xe6\x9d\xb1\xe4\xba\xac     silent\nroof     nothing known\n",
	      print(COLOUR_NEVER, 0));
	t_str("always",
	      "\033[2mGATEWAY\033[0m  \033[2mSTATE\033[0m\n\xe6\x9d\xb1\xe4\xba\xac     "
	      "\033[33msilent\033[0m\n"
	      "roof     nothing known\n",
	      print(COLOUR_ALWAYS, 0));
	t_str("cut: a colour is ended too",
	      "\033[2mGATEWAY\033[0m  \033[2mSTA\033[0m\n\xe6\x9d\xb1\xe4\xba\xac     \033[33msil\033[0m\n"
	      "roof     not\n",
	      print(COLOUR_ALWAYS, 12));
}

static const struct {
	const char *name;
	size_t done, total, columns;
	const char *text;
} drawings[] = {
	{"half of it", 5, 10, 0, "sending [###############...............] 5 of 10, 3 s"},
	{"more than was expected", 20, 10, 0, "sending [##############################] 20 of 10, 3 s"},
	{"an end that is not known", 5, 0, 80, "sending: 5, 3 s"},
	{"a narrow terminal has no bar", 5, 10, 40, "sending: 5 of 10, 3 s"},
	{"and is never wrapped", 5, 10, 12, "sending: 5 "},
	{"the wheel", SIZE_MAX, 0, 80, "/ sending, 3 s"},
};

static void what_lasts_is_drawn(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(drawings); i++) {
		char text[PROGRESS_TEXT_MAX];
		t_row(drawings[i].name);
		progress_text(text, "sending", drawings[i].done, drawings[i].total, 1, 3,
			      drawings[i].columns);
		t_str("line", drawings[i].text, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(when_there_are_colours),
		t_test(words_of_the_option),
		t_test(a_table_says_the_same_without_them),
		t_test(what_lasts_is_drawn),
	};
	return t_run(tests);
}
