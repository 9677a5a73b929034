#include "cli/problem.h"

#include "cli/colour.h"
#include "common/base/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void full_stop(const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || !strchr(".?!", text[length - 1]))
		fputc('.', stderr);
}

int cli_problem(enum cli_exit code, const char *what, const char *next, const char *why, ...)
{
	char text[2048];
	va_list arguments;
	va_start(arguments, why);
	vsnprintf(text, sizeof text, why, arguments);
	va_end(arguments);
	colour_print(stderr, COLOUR_BAD, "lamppost: ");
	printable_write(stderr, what);
	fputs(": ", stderr);
	printable_write(stderr, text);
	full_stop(text);
	if (next) {
		colour_print(stderr, COLOUR_DIM, " Try: ");
		printable_write(stderr, next);
		full_stop(next);
	}
	fputc('\n', stderr);
	return (int)code;
}
