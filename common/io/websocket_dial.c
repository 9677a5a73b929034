#include "common/io/websocket_dial.h"

#include "common/io/http_parse.h"
#include "common/io/websocket_frame.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy(char *out, size_t capacity, const char *text, size_t length)
{
	if (length == 0 || length >= capacity)
		return false;
	memcpy(out, text, length);
	out[length] = 0;
	return true;
}

static bool clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

bool ws_url_parse(const char *text, struct ws_url *url)
{
	bool tls = strncmp(text, "wss://", 6) == 0;
	if (!clean(text) || (!tls && strncmp(text, "ws://", 5) != 0))
		return false;
	struct ws_url parsed = {.tls = tls, .port = tls ? 443 : 80, .path = "/"};
	const char *host = text + (tls ? 6 : 5);
	size_t authority = strcspn(host, "/?#");
	const char *end = host + authority, *port;
	if (host[0] == '[') {
		const char *bracket = memchr(host, ']', authority);
		if (!bracket ||
		    !copy(parsed.host, sizeof parsed.host, host + 1, (size_t)(bracket - host) - 1))
			return false;
		port = bracket + 1;
	} else {
		size_t name = strcspn(host, ":/?#");
		if (!copy(parsed.host, sizeof parsed.host, host, name))
			return false;
		port = host + name;
	}
	if (port < end) {
		char *after;
		unsigned long number = *port == ':' ? strtoul(port + 1, &after, 10) : 0;
		if (number == 0 || number > UINT16_MAX || after != end)
			return false;
		parsed.port = (uint16_t)number;
	}
	if (*end == '/' && !copy(parsed.path, sizeof parsed.path, end, strcspn(end, "#")))
		return false;
	if (*end && *end != '/')
		return false;
	*url = parsed;
	return true;
}

static bool add(struct http_buffer *out, const char *text)
{
	return http_buffer_add(out, text, strlen(text));
}

bool ws_request_write(struct http_buffer *out, const struct ws_url *url, const char *key,
		      const char *const *headers)
{
	char port[8];
	snprintf(port, sizeof port, ":%u", url->port);
	bool ipv6 = strchr(url->host, ':') != NULL;
	bool done = add(out, "GET ") && add(out, url->path) && add(out, " HTTP/1.1\r\nHost: ") &&
		    add(out, ipv6 ? "[" : "") && add(out, url->host) && add(out, ipv6 ? "]" : "") &&
		    add(out, port) &&
		    add(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			     "Sec-WebSocket-Key: ") &&
		    add(out, key) && add(out, "\r\n");
	for (; done && headers && *headers; headers++)
		done = !strpbrk(*headers, "\r\n") && strchr(*headers, ':') && add(out, *headers) &&
		       add(out, "\r\n");
	return done && add(out, "\r\n");
}

/* A header's value in the lines of `head`, without the blanks around it; NULL: none. */
static const char *find(const char *head, const char *name, size_t *length)
{
	size_t name_length = strlen(name);
	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
			continue;
		const char *value = line + name_length + 1;
		value += strspn(value, " \t");
		*length = strcspn(value, " \t\r\n");
		return value;
	}
	return NULL;
}

static bool is(const char *head, const char *name, const char *value, bool any_case)
{
	size_t length;
	const char *found = find(head, name, &length);
	return found && length == strlen(value) &&
	       (any_case ? strncasecmp(found, value, length) : strncmp(found, value, length)) == 0;
}

enum ws_answer ws_answer_read(const uint8_t *bytes, size_t length, const char *key, size_t *used, int *code)
{
	*code = 0;
	size_t head_length = length > 0 ? http_head_length(bytes, length, 0) : 0;
	if (head_length == 0 || head_length > WS_ANSWER_MAX)
		return length > WS_ANSWER_MAX ? WS_ANSWER_REFUSED : WS_ANSWER_MORE;
	char head[WS_ANSWER_MAX + 1], accept[WS_ACCEPT_ROOM];
	memcpy(head, bytes, head_length);
	head[head_length] = 0;
	*used = head_length;
	if (strncmp(head, "HTTP/1.1 ", 9) != 0)
		return WS_ANSWER_REFUSED;
	*code = (int)strtol(head + 9, NULL, 10);
	ws_accept_key(key, accept);
	bool open = *code == 101 && is(head, "Upgrade", "websocket", true) &&
		    is(head, "Sec-WebSocket-Accept", accept, false);
	return open ? WS_ANSWER_OPEN : WS_ANSWER_REFUSED;
}
