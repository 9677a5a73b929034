/* libcurl's multi interface on our loop: curl says which sockets and which timeout it wants, the loop says when they are ready. A
 * call is given to curl at the end of the turn, after the commit; its callbacks come from later events. */
#include "common/io/http_client.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_LIMIT (1u << 20)
#define TIMEOUT      (10 * US_PER_S)

struct call {
	struct call *next;
	struct io_http_client *client;
	io_http_call_id id;
	CURL *easy;
	struct curl_slist *headers;    /* owned */
	struct curl_slist *connect_to; /* owned */
	uint8_t *answer;               /* owned, NUL behind it */
	size_t length;
	size_t limit;
	char reason[CURL_ERROR_SIZE];
	bool started; /* curl has it */
	bool too_long;
	bool cancelled; /* from inside a callback: curl may not lose a handle there */
	void (*on_begin)(void *ctx, struct now now, io_http_call_id call, int code);
	void (*on_data)(void *ctx, struct now now, io_http_call_id call, const uint8_t *bytes, size_t length);
	void (*on_done)(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer);
	void *ctx;
};

/* One socket of curl's. */
struct socket_watch {
	struct io_watch *watch;
	struct io_http_client *client;
	curl_socket_t fd;
};

struct io_http_client {
	struct io_loop *loop;
	struct io_flusher flusher;
	struct io_timer *timer;
	CURLM *multi;
	struct call *calls;
	size_t count;
	size_t max_calls;
	io_http_call_id last_id;
	int depth; /* how many of our functions stand inside curl or a callback */
	bool released;
};

static void drop(struct call *call)
{
	struct io_http_client *client = call->client;
	for (struct call **at = &client->calls; *at; at = &(*at)->next) {
		if (*at == call) {
			*at = call->next;
			break;
		}
	}
	if (call->started)
		curl_multi_remove_handle(client->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	free(call->answer);
	free(call);
	client->count--;
}

static void release(struct io_http_client *client)
{
	while (client->calls)
		drop(client->calls);
	curl_multi_cleanup(client->multi);
	io_timer_free(client->timer);
	curl_global_cleanup();
	free(client);
}

static enum status status_of(CURLcode code, const struct call *call)
{
	switch (code) {
	case CURLE_OK: return ST_OK;
	case CURLE_OPERATION_TIMEDOUT: return ST_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE: return ST_REFUSED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return ST_INVALID;
	case CURLE_OUT_OF_MEMORY: return ST_NO_MEMORY;
	case CURLE_WRITE_ERROR: return call->too_long ? ST_FULL : ST_UNAVAILABLE;
	default: return ST_UNAVAILABLE;
	}
}

static void finish(struct call *call, CURLcode code)
{
	long http_code = 0, sent = 0;
	char *content_type = NULL;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &http_code);
	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &content_type);
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	enum status status = status_of(code, call);
	static const uint8_t nothing[1] = {0};
	struct io_http_answer answer = {
		.status = status,
		.code = status == ST_OK ? (int)http_code : 0,
		.content_type = content_type ? content_type : "",
		.body = call->answer ? call->answer : nothing,
		.length = call->length,
		.reason = status == ST_OK   ? ""
			  : call->reason[0] ? call->reason
					    : curl_easy_strerror(code),
		.sent = sent > 0,
	};
	if (!call->cancelled && !call->client->released)
		call->on_done(call->ctx, clock_now(), call->id, &answer);
	drop(call);
}

/* Lets curl work, then tells what is done. Every way into curl goes through here. */
static void act(struct io_http_client *client, curl_socket_t fd, int events)
{
	int running, left;
	io_loop_touch(client->loop);
	client->depth++;
	curl_multi_socket_action(client->multi, fd, events, &running);
	for (CURLMsg *message; !client->released && (message = curl_multi_info_read(client->multi, &left));) {
		if (message->msg != CURLMSG_DONE)
			continue;
		struct call *call = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, message->data.result);
	}
	client->depth--;
	if (client->released && client->depth == 0)
		release(client);
}

static void on_ready(void *ctx, struct now now, bool readable, bool writable)
{
	struct socket_watch *watch = ctx;
	(void)now;
	act(watch->client, watch->fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct io_http_client *client = ctx;
	struct socket_watch *watch = socket_ctx;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			io_watch_free(watch->watch);
		free(watch);
		curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof *watch);
		ASSERT(watch);
		*watch = (struct socket_watch){.client = client, .fd = fd};
		watch->watch = io_watch_new(client->loop, fd, on_ready, watch);
		curl_multi_assign(client->multi, fd, watch);
	}
	io_watch_set(watch->watch, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
	return 0;
}

static void on_timer(void *ctx, struct now now)
{
	(void)now;
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct io_http_client *client = ctx;
	(void)multi;
	if (timeout_ms < 0)
		io_timer_stop(client->timer);
	else
		io_timer_start(client->timer, timeout_ms * US_PER_MS, 0);
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct call *call = ctx;
	size_t length = size * count;
	if (call->cancelled || call->client->released)
		return 0;
	if (call->on_data) {
		call->on_data(call->ctx, clock_now(), call->id, (const uint8_t *)bytes, length);
		return call->cancelled || call->client->released ? 0 : length;
	}
	if (call->length + length > call->limit) {
		call->too_long = true;
		return 0;
	}
	uint8_t *grown = realloc(call->answer, call->length + length + 1);
	if (!grown)
		return 0;
	call->answer = grown;
	memcpy(call->answer + call->length, bytes, length);
	call->length += length;
	call->answer[call->length] = 0;
	return length;
}

/* Every line of the head; an empty one ends it. */
static size_t on_head(char *bytes, size_t size, size_t count, void *ctx)
{
	struct call *call = ctx;
	size_t length = size * count;
	long code = 0;
	if (call->cancelled || call->client->released)
		return 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &code);
	if (length > 2 || code < 200 || bytes[0] != '\r')
		return length;
	call->on_begin(call->ctx, clock_now(), call->id, (int)code);
	return call->cancelled || call->client->released ? 0 : length;
}

static void flush(void *ctx, struct now now)
{
	struct io_http_client *client = ctx;
	(void)now;
	for (struct call *call = client->calls; call; call = call->next) {
		if (call->started)
			continue;
		call->started = true;
		/* curl asks for a timer at once and does its work there: no callback comes from here. */
		curl_multi_add_handle(client->multi, call->easy);
	}
}

struct io_http_client *io_http_client_new(struct io_loop *loop, const struct io_http_client_options *options)
{
	struct io_http_client *client = calloc(1, sizeof *client);
	ASSERT(client && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	client->loop = loop;
	client->max_calls = options && options->max_calls ? options->max_calls : 256;
	client->timer = io_timer_new(loop, on_timer, client);
	client->multi = curl_multi_init();
	ASSERT(client->multi);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)(options && options->max_connections ? options->max_connections : 8));
	client->flusher = (struct io_flusher){.flush = flush, .ctx = client};
	io_loop_add_flusher(loop, &client->flusher);
	return client;
}

void io_http_client_free(struct io_http_client *client)
{
	if (!client || client->released)
		return;
	client->released = true;
	io_loop_remove_flusher(client->loop, &client->flusher);
	if (client->depth == 0)
		release(client);
}

static void set_request(struct call *call, const struct io_http_call *from)
{
	CURL *easy = call->easy;
	char line[256];
	snprintf(line, sizeof line, "Content-Type: %s",
		 from->content_type ? from->content_type : "application/json");
	bool has_body = from->length > 0 || from->method == IO_HTTP_POST || from->method == IO_HTTP_PUT ||
			from->method == IO_HTTP_PATCH;
	if (has_body) {
		call->headers = curl_slist_append(call->headers, line);
		call->headers = curl_slist_append(call->headers, "Expect:"); /* would cost a round trip */
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)from->length);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, from->length > 0 ? from->body : "");
	}
	for (const char *const *header = from->headers; header && *header; header++)
		call->headers = curl_slist_append(call->headers, *header);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, io_http_method_name(from->method));
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_URL, from->url);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "lamppost/" LAMPPOST_VERSION);
	if (from->unix_path) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, from->unix_path);
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	}
	if (from->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, from->ca_file);
	if (from->cert_file) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, from->cert_file);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, from->key_file);
	}
	if (from->connect_to) { /* any host and port of the URL: this host, the same port */
		bool ipv6 = strchr(from->connect_to, ':') != NULL;
		snprintf(line, sizeof line, ipv6 ? "::[%s]:" : "::%s:", from->connect_to);
		call->connect_to = curl_slist_append(NULL, line);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
	}
}

enum status io_http_client_start(struct io_http_client *client, const struct io_http_call *from,
				 io_http_call_id *id)
{
	if (client->count >= client->max_calls)
		return ST_FULL;
	struct call *call = calloc(1, sizeof *call);
	ASSERT(call && from->on_done);
	call->easy = curl_easy_init();
	ASSERT(call->easy);
	call->client = client;
	call->on_begin = from->on_begin;
	call->on_data = from->on_data;
	call->on_done = from->on_done;
	call->ctx = from->ctx;
	call->limit = from->answer_limit ? from->answer_limit : ANSWER_LIMIT;
	set_request(call, from);
	span_us timeout = from->timeout ? from->timeout : TIMEOUT;
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS,
			 timeout > 0 ? (long)((timeout + 999) / US_PER_MS) : 0L);
	curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout > 0 && timeout < TIMEOUT ? (long)((timeout + 999) / US_PER_MS) : 10000L);
	curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->reason);
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	if (from->on_begin) {
		curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_head);
		curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	}
	call->id = ++client->last_id;
	struct call **at = &client->calls;
	while (*at)
		at = &(*at)->next;
	*at = call;
	client->count++;
	io_loop_touch(client->loop);
	if (id)
		*id = call->id;
	return ST_OK;
}

void io_http_client_cancel(struct io_http_client *client, io_http_call_id id)
{
	for (struct call *call = client->calls; call; call = call->next) {
		if (call->id != id)
			continue;
		call->cancelled = true;
		if (client->depth == 0)
			drop(call);
		else
			curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, 1L); /* ends soon, silently */
		return;
	}
}

size_t io_http_client_in_flight(const struct io_http_client *client)
{
	return client->count;
}
