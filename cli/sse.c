#include "cli/sse.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

void cli_sse_init(struct cli_sse *sse,
		  bool (*on_event)(void *ctx, const char *id, const char *kind, const char *data), void *ctx)
{
	*sse = (struct cli_sse){.on_event = on_event, .ctx = ctx, .buffer = calloc(1, CLI_EVENT_MAX)};
	ASSERT(sse->buffer != NULL);
}

void cli_sse_release(struct cli_sse *sse)
{
	free(sse->buffer);
	*sse = (struct cli_sse){0};
}

void cli_sse_begin(struct cli_sse *sse)
{
	sse->used = 0;
	sse->buffer[0] = '\0';
	sse->ended = false;
}

/* Takes a line apart; false for comments and what has no value. */
static bool split(char *line, char **value)
{
	size_t length = strlen(line);
	if (length > 0 && line[length - 1] == '\r')
		line[--length] = '\0';
	*value = strchr(line, ':');
	if (!*value || *value == line)
		return false;
	*(*value)++ = '\0';
	if (**value == ' ')
		++*value;
	return true;
}

/* Hands over one event: lines "id: ", "event: ", "data: " (several data lines are joined by newlines). */
static void deliver(struct cli_sse *sse, char *block)
{
	const char *id = "", *kind = "message";
	char *data = NULL, *data_end = NULL;
	for (char *line = block, *next, *value; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!split(line, &value))
			continue;
		if (strcmp(line, "id") == 0) {
			id = value;
		} else if (strcmp(line, "event") == 0) {
			kind = value;
		} else if (strcmp(line, "data") == 0 && !data) {
			data = value;
			data_end = value + strlen(value);
		} else if (data_end && strcmp(line, "data") == 0) {
			size_t more = strlen(value);
			*data_end++ = '\n';
			memmove(data_end, value, more + 1);
			data_end += more;
		}
	}
	if (data && !sse->on_event(sse->ctx, id, kind, data))
		sse->ended = true;
}

void cli_sse_take(struct cli_sse *sse, const uint8_t *bytes, size_t length)
{
	if (length > CLI_EVENT_MAX - sse->used - 1) {
		sse->used = 0; /* an event longer than any that the server makes: skipped */
		return;
	}
	memcpy(sse->buffer + sse->used, bytes, length);
	sse->used += length;
	sse->buffer[sse->used] = '\0';
	char *at = sse->buffer;
	for (char *end = strstr(at, "\n\n"); end && !sse->ended; end = strstr(at, "\n\n")) {
		*end = '\0';
		deliver(sse, at);
		at = end + 2;
	}
	sse->used -= (size_t)(at - sse->buffer);
	memmove(sse->buffer, at, sse->used + 1);
}
