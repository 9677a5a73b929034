#include "cli/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Server texts may hold anything: a terminal gets printable characters only. */
static void print_safely(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		fputc(c < 0x20 || c == 0x7f ? ' ' : c, stderr);
	}
}

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
	fputs("lamppost: ", stderr);
	print_safely(what);
	fputs(": ", stderr);
	print_safely(text);
	full_stop(text);
	if (next) {
		fputs(" Try: ", stderr);
		print_safely(next);
		full_stop(next);
	}
	fputc('\n', stderr);
	return (int)code;
}
