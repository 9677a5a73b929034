/* Server-sent events out of the bytes of a stream, in pieces of any size (HTML Living Standard, "Server-sent events"). Events
 * end with an empty line; comments keep a connection open and are skipped; an event longer than CLI_EVENT_MAX is skipped. */
#ifndef LAMPPOST_CLI_SSE_H
#define LAMPPOST_CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_EVENT_MAX (1u << 20)

struct cli_sse {
	/* Gets each event, its texts lent; false: no more are wanted. */
	bool (*on_event)(void *ctx, const char *id, const char *kind, const char *data);
	void *ctx;
	char *buffer; /* owned: what came after the last whole event */
	size_t used;
	bool ended; /* on_event said so */
};

void cli_sse_init(struct cli_sse *sse,
		  bool (*on_event)(void *ctx, const char *id, const char *kind, const char *data), void *ctx);
void cli_sse_release(struct cli_sse *sse);
/* Forgets half an event, for another connection. */
void cli_sse_begin(struct cli_sse *sse);
/* Takes a piece of the stream. */
void cli_sse_take(struct cli_sse *sse, const uint8_t *bytes, size_t length);

#endif
