#include "cli/colour.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the command line chose: of the whole process, as its streams are. */
static enum colour_when chosen = COLOUR_AUTO;

/* The sixteen colours that every terminal has, in whatever shade its owner reads best. */
static const char *const starts[COLOUR_COUNT] = {"",         "\033[32m", "\033[33m",
						 "\033[31m", "\033[2m",  "\033[1m"};

static const struct {
	const char *word;
	enum colour colour;
} words[] = {
	{"healthy", COLOUR_GOOD},
	{"ok", COLOUR_GOOD},
	{"good", COLOUR_GOOD},
	{"online", COLOUR_GOOD},
	{"up", COLOUR_GOOD},
	{"sent", COLOUR_GOOD},
	{"acknowledged", COLOUR_GOOD},
	{"accepted", COLOUR_GOOD},
	{"joined", COLOUR_GOOD},
	{"delivered", COLOUR_GOOD},
	{"connected", COLOUR_GOOD},
	{"queued", COLOUR_NONE},
	{"planned", COLOUR_NONE},
	{"silent", COLOUR_WARNING},
	{"never", COLOUR_WARNING},
	{"never_seen", COLOUR_WARNING},
	{"unstable", COLOUR_WARNING},
	{"never heard", COLOUR_WARNING},
	{"waiting", COLOUR_WARNING},
	{"starting", COLOUR_WARNING},
	{"expired", COLOUR_WARNING},
	{"unregistered", COLOUR_WARNING},
	{"stale_counter", COLOUR_WARNING},
	{"warning", COLOUR_WARNING},
	{"off plan", COLOUR_WARNING},
	{"unhealthy", COLOUR_BAD},
	{"failing", COLOUR_BAD},
	{"failed", COLOUR_BAD},
	{"refused", COLOUR_BAD},
	{"not reached", COLOUR_BAD},
	{"not running", COLOUR_BAD},
	{"not answering", COLOUR_BAD},
	{"offline", COLOUR_BAD},
	{"down", COLOUR_BAD},
	{"bad", COLOUR_BAD},
	{"disabled", COLOUR_DIM},
	{"off", COLOUR_DIM},
	{"?", COLOUR_DIM},
};

bool colour_when_read(const char *word, enum colour_when *when)
{
	static const char *const names[] = {"auto", "always", "never"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], word) != 0)
			continue;
		*when = (enum colour_when)i;
		return true;
	}
	return false;
}

bool colour_decide(enum colour_when when, bool terminal, const char *no_color, const char *term)
{
	if (when != COLOUR_AUTO)
		return when == COLOUR_ALWAYS;
	return terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

void colour_choose(enum colour_when when)
{
	chosen = when;
}

bool colour_is_on(FILE *out)
{
	int descriptor = fileno(out); /* −1 of a stream in memory */
	return colour_decide(chosen, descriptor >= 0 && isatty(descriptor), getenv("NO_COLOR"),
			     getenv("TERM"));
}

const char *colour_start(FILE *out, enum colour colour)
{
	return colour != COLOUR_NONE && colour_is_on(out) ? starts[colour] : "";
}

const char *colour_stop(FILE *out, enum colour colour)
{
	return colour != COLOUR_NONE && colour_is_on(out) ? "\033[0m" : "";
}

void colour_print(FILE *out, enum colour colour, const char *text)
{
	fputs(colour_start(out, colour), out);
	printable_write(out, text);
	fputs(colour_stop(out, colour), out);
}

enum colour colour_of_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].colour;
	return COLOUR_NONE;
}
