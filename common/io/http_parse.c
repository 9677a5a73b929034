#include "common/io/http_parse.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdlib.h>
#include <string.h>

size_t http_head_length(const uint8_t *bytes, size_t length, size_t searched)
{
	size_t from = searched > 3 ? searched - 3 : 0;
	const uint8_t *end = length > from ? memmem(bytes + from, length - from, "\r\n\r\n", 4) : NULL;
	return end ? (size_t)(end - bytes) + 4 : 0;
}

static bool is_token(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_target(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\';
}

static bool is_value(uint8_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* Copies bytes of a class up to `stop`, which is consumed, as one text; NULL when another byte comes. */
static const char *take_text(struct rd *rd, struct wr *text, bool (*allowed)(uint8_t c), uint8_t stop)
{
	const char *start = (const char *)text->at;
	for (;;) {
		uint8_t c = rd_u8(rd);
		if (!rd_ok(rd) || (c != stop && !allowed(c))) {
			rd_fail(rd);
			return NULL;
		}
		wr_u8(text, c == stop ? 0 : c);
		if (c == stop)
			return start;
	}
}

static int parse_method(const char *name, struct http_head *head)
{
	if (strcmp(name, "HEAD") == 0) {
		head->head_only = true;
		head->method = IO_HTTP_GET;
		return 0;
	}
	for (int i = 0; i < IO_HTTP_METHOD_COUNT; i++) {
		if (strcmp(name, io_http_method_name((enum io_http_method)i)) == 0) {
			head->method = (enum io_http_method)i;
			return 0;
		}
	}
	return 501;
}

static int parse_request_line(struct rd *rd, struct wr *text, struct http_head *head)
{
	const char *method = take_text(rd, text, is_token, ' ');
	const char *target = take_text(rd, text, is_target, ' ');
	const char *version = take_text(rd, text, is_target, '\r');
	if (rd_u8(rd) != '\n' || !rd_ok(rd))
		return 400;
	if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8)
		return 400;
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return 505;
	head->old_version = strcmp(version, "HTTP/1.0") == 0;
	int refused = parse_method(method, head);
	if (refused)
		return refused;
	if (target[0] != '/')
		return 400;
	head->path = target;
	char *mark = strchr((char *)(uintptr_t)target, '?');
	head->query = mark ? mark + 1 : "";
	if (mark)
		*mark = 0;
	return 0;
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + 32);
}

/* Shortens a value by the blanks around it, in place. */
static const char *trim(char *value)
{
	value += strspn(value, " \t");
	size_t length = strlen(value);
	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	value[length] = 0;
	return value;
}

static int parse_headers(struct rd *rd, struct wr *text, struct http_head *head)
{
	while (rd_left(rd) > 2) {
		if (head->header_count == HTTP_HEADERS_MAX)
			return 431;
		char *name = (char *)(uintptr_t)take_text(rd, text, is_token, ':');
		char *value = (char *)(uintptr_t)take_text(rd, text, is_value, '\r');
		if (rd_u8(rd) != '\n' || !rd_ok(rd) || name[0] == 0)
			return 400;
		lower(name);
		head->headers[head->header_count++] = (struct http_header){name, trim(value)};
	}
	uint8_t carriage_return = rd_u8(rd);
	uint8_t line_feed = rd_u8(rd);
	return carriage_return == '\r' && line_feed == '\n' && rd_ok(rd) ? 0 : 400;
}

static size_t count_headers(const struct http_head *head, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < head->header_count; i++)
		count += strcmp(head->headers[i].name, name) == 0;
	return count;
}

const char *http_head_find(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (strcmp(head->headers[i].name, name) == 0)
			return head->headers[i].value;
	return NULL;
}

static bool parse_length(const char *text, uint64_t *length)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 18 || text[digits] != 0)
		return false;
	*length = strtoull(text, NULL, 10);
	return true;
}

/* Whether a comma-separated header names `option`. */
static bool has_option(const char *value, const char *option)
{
	size_t length = strlen(option);
	while (value && *value) {
		value += strspn(value, ", \t");
		size_t item = strcspn(value, ", \t");
		if (item == length && strncasecmp(value, option, length) == 0)
			return true;
		value += item;
	}
	return false;
}

/* How long the body is and whether the connection lives on: where request smuggling would begin. */
static int parse_framing(struct http_head *head)
{
	size_t hosts = count_headers(head, "host"), lengths = count_headers(head, "content-length");
	size_t codings = count_headers(head, "transfer-encoding");
	if (hosts > 1 || (hosts == 0 && !head->old_version))
		return 400;
	if (lengths > 1 || codings > 1 || (lengths && codings))
		return 400;
	if (lengths && !parse_length(http_head_find(head, "content-length"), &head->content_length))
		return 400;
	if (codings) {
		if (head->old_version ||
		    strcasecmp(http_head_find(head, "transfer-encoding"), "chunked") != 0)
			return head->old_version ? 400 : 501;
		head->chunked = true;
	}
	const char *connection = http_head_find(head, "connection");
	head->keep_alive = head->old_version ? has_option(connection, "keep-alive")
					     : !has_option(connection, "close");
	const char *expect = http_head_find(head, "expect");
	head->expects_continue = expect && !head->old_version && strcasecmp(expect, "100-continue") == 0;
	return 0;
}

int http_head_parse(const uint8_t *bytes, size_t length, struct http_head *head)
{
	memset(head, 0, offsetof(struct http_head, text));
	head->path = head->query = "";
	if (length > HTTP_HEAD_MAX)
		return 431;
	struct rd rd = rd_init(bytes, length);
	struct wr text = wr_init((uint8_t *)head->text, sizeof head->text);
	int refused = parse_request_line(&rd, &text, head);
	if (!refused)
		refused = parse_headers(&rd, &text, head);
	if (!refused)
		refused = parse_framing(head);
	ASSERT(wr_ok(&text)); /* every text is shorter than what it was read from */
	return refused;
}

/* --- answers */

static int parse_status_line(struct rd *rd, struct wr *text)
{
	const char *version = take_text(rd, text, is_target, ' ');
	const char *code = take_text(rd, text, is_target, ' ');
	const char *reason = take_text(rd, text, is_value, '\r');
	if (rd_u8(rd) != '\n' || !rd_ok(rd) || !reason || strcmp(version, "HTTP/1.1") != 0)
		return 0;
	bool good = strlen(code) == 3 && strspn(code, "0123456789") == 3 && code[0] >= '2';
	return good ? (int)strtol(code, NULL, 10) : 0;
}

int http_answer_parse(const uint8_t *bytes, size_t length, struct http_head *head)
{
	memset(head, 0, offsetof(struct http_head, text));
	head->path = head->query = "";
	if (length > HTTP_HEAD_MAX)
		return 0;
	struct rd rd = rd_init(bytes, length);
	struct wr text = wr_init((uint8_t *)head->text, sizeof head->text);
	int code = parse_status_line(&rd, &text);
	if (code == 0 || parse_headers(&rd, &text, head) != 0)
		return 0;
	ASSERT(wr_ok(&text));
	bool no_body = code == 204 || code == 304;
	if (http_head_find(head, "transfer-encoding") || count_headers(head, "content-length") != !no_body ||
	    (!no_body && !parse_length(http_head_find(head, "content-length"), &head->content_length)))
		return 0;
	head->keep_alive = !has_option(http_head_find(head, "connection"), "close");
	return code;
}

/* --- chunks */

static void chunks_size(struct http_chunks *chunks, uint8_t c)
{
	int digit = hex_digit((char)c);
	if (digit >= 0 && chunks->digits < 8) {
		chunks->left = chunks->left * 16 + (unsigned)digit;
		chunks->digits++;
	} else if (chunks->digits == 0 || digit >= 0) {
		chunks->state = CHUNK_BAD;
	} else {
		chunks->state = c == '\r' ? CHUNK_SIZE_LF : c == ';' ? CHUNK_EXTENSION : CHUNK_BAD;
	}
}

static void chunks_step(struct http_chunks *chunks, uint8_t c)
{
	switch (chunks->state) {
	case CHUNK_SIZE: chunks_size(chunks, c); break;
	case CHUNK_EXTENSION:
		if (++chunks->overhead > HTTP_HEAD_MAX || !(is_value(c) || c == '\r'))
			chunks->state = CHUNK_BAD;
		else if (c == '\r')
			chunks->state = CHUNK_SIZE_LF;
		break;
	case CHUNK_SIZE_LF:
		chunks->digits = 0;
		chunks->line = 0;
		chunks->state = c != '\n' ? CHUNK_BAD : chunks->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		break;
	case CHUNK_DATA_CR: chunks->state = c == '\r' ? CHUNK_DATA_LF : CHUNK_BAD; break;
	case CHUNK_DATA_LF: chunks->state = c == '\n' ? CHUNK_SIZE : CHUNK_BAD; break;
	case CHUNK_TRAILER:
		if (c == '\r')
			chunks->state = CHUNK_TRAILER_LF;
		else if (!is_value(c) || ++chunks->overhead > HTTP_HEAD_MAX)
			chunks->state = CHUNK_BAD;
		else
			chunks->line++;
		break;
	case CHUNK_TRAILER_LF:
		chunks->state = c != '\n' ? CHUNK_BAD : chunks->line == 0 ? CHUNK_DONE : CHUNK_TRAILER;
		chunks->line = 0;
		break;
	case CHUNK_DATA:
	case CHUNK_DONE:
	case CHUNK_BAD: break;
	}
}

size_t http_chunks_read(struct http_chunks *chunks, const uint8_t *bytes, size_t length, const uint8_t **data,
			size_t *data_length)
{
	struct rd rd = rd_init(bytes, length);
	*data = bytes;
	*data_length = 0;
	while (rd_left(&rd) > 0 && chunks->state != CHUNK_DONE && chunks->state != CHUNK_BAD) {
		if (chunks->state != CHUNK_DATA) {
			chunks_step(chunks, rd_u8(&rd));
			continue;
		}
		size_t piece = chunks->left < rd_left(&rd) ? (size_t)chunks->left : rd_left(&rd);
		*data = rd_take(&rd, piece);
		*data_length = piece;
		chunks->left -= piece;
		if (chunks->left == 0)
			chunks->state = CHUNK_DATA_CR;
		break;
	}
	return length - rd_left(&rd);
}

bool http_decode(const char *text, size_t length, bool form, char *out, size_t capacity)
{
	struct rd rd = rd_init((const uint8_t *)text, length);
	struct wr wr = wr_init((uint8_t *)out, capacity);
	while (rd_left(&rd) > 0) {
		uint8_t c = rd_u8(&rd);
		if (c == '%') {
			int high = hex_digit((char)rd_u8(&rd)), low = hex_digit((char)rd_u8(&rd));
			if (!rd_ok(&rd) || high < 0 || low < 0 || (high == 0 && low == 0))
				return false;
			c = (uint8_t)(high * 16 + low);
		} else if (form && c == '+') {
			c = ' ';
		}
		wr_u8(&wr, c);
	}
	wr_u8(&wr, 0);
	return wr_ok(&wr);
}
