/* The client's half of the WebSocket handshake as texts: URL, request, answer. Pure. For websocket_client.c alone. */
#ifndef LAMPPOST_IO_WEBSOCKET_DIAL_H
#define LAMPPOST_IO_WEBSOCKET_DIAL_H

#include "common/io/http_buffer.h"

#include <stdint.h>

#define WS_HOST_MAX   256
#define WS_PATH_MAX   1024
#define WS_ANSWER_MAX 16384 /* bytes of the answer's head */

struct ws_url {
	bool tls;
	char host[WS_HOST_MAX]; /* without brackets */
	uint16_t port;
	char path[WS_PATH_MAX]; /* with query; "/" when none */
};

/* "ws://host:port/path", "wss://[::1]:3001/". False: another form. */
bool ws_url_parse(const char *text, struct ws_url *url);
/* Adds the request to `out`; `key` is a Sec-WebSocket-Key; `headers` "Name: value" each, NULL-terminated, or NULL. False: a header
 * with a line break, or no memory. */
bool ws_request_write(struct http_buffer *out, const struct ws_url *url, const char *key,
		      const char *const *headers);

enum ws_answer { WS_ANSWER_MORE, WS_ANSWER_OPEN, WS_ANSWER_REFUSED };

/* Reads an answer's head; *used is its length; *code its HTTP status (0: no HTTP). WS_ANSWER_REFUSED also where a 101 does not
 * accept `key`. */
enum ws_answer ws_answer_read(const uint8_t *bytes, size_t length, const char *key, size_t *used, int *code);

#endif
