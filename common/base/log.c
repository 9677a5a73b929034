#include "common/base/log.h"

#include "common/base/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *log_component = "lamppost";
static enum log_level log_threshold = LOG_LEVEL_INFO;

bool log_level_parse(const char *text, enum log_level *level)
{
	for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_init(const char *component, enum log_level threshold)
{
	log_component = component;
	log_threshold = threshold;
}

void log_set_threshold(enum log_level threshold)
{
	log_threshold = threshold;
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	if (level > log_threshold)
		return;
	char line[1024];
	int used = snprintf(line, sizeof line, "%s %s %s", level_names[level], log_component, event);
	if (used < 0 || (size_t)used >= sizeof line - 2)
		return;
	if (format[0] != '\0') {
		line[used++] = ' ';
		va_list arguments;
		va_start(arguments, format);
		int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
		va_end(arguments);
		if (more > 0)
			used += more;
	}
	if ((size_t)used > sizeof line - 2)
		used = (int)sizeof line - 2;
	line[used++] = '\n';
	/* One write, so that lines of several processes on one descriptor never mix; a full disk loses the line only. */
	ssize_t written = write(STDERR_FILENO, line, (size_t)used);
	(void)written;
}

const char *log_quote(char *out, unsigned long capacity, const char *text)
{
	unsigned long used = 0;
	if (capacity < 3) {
		if (capacity)
			out[0] = '\0';
		return out;
	}
	out[used++] = '"';
	while (*text) {
		char character[PRINTABLE_CHARACTER_MAX];
		size_t length = printable_take(character, &text);
		bool escape = character[0] == '"' || character[0] == '\\';
		if (used + length + (escape ? 1 : 0) + 2 > capacity)
			break;
		if (escape)
			out[used++] = '\\';
		memcpy(out + used, character, length);
		used += length;
	}
	out[used++] = '"';
	out[used] = '\0';
	return out;
}
