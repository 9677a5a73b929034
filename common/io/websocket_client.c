#include "common/io/websocket_line.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/random.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS     1024
#define SWEEP_MS     200
#define OPEN_TIMEOUT (10 * US_PER_S)

/* --- the list of lines with something to write or to tell */

void ws_line_touch(struct ws_line *line)
{
	struct io_ws_client *client = line->client;
	io_loop_touch(client->loop);
	if (line->listed)
		return;
	line->listed = true;
	line->next_listed = client->listed;
	client->listed = line;
}

static void flush(void *ctx, struct now now)
{
	struct io_ws_client *client = ctx;
	(void)now;
	bool resume = false;
	for (struct ws_line *line; (line = client->listed);) {
		client->listed = line->next_listed;
		line->listed = false;
		ws_line_flush(line);
		resume |= line->resume;
	}
	if (resume)
		uv_timer_start(&client->resume, client->resume.timer_cb, 0, 0);
}

static void on_resume(uv_timer_t *timer)
{
	struct io_ws_client *client = timer->data;
	struct now now = clock_now();
	for (size_t i = 0; i < client->slots && !client->released; i++) {
		struct ws_line *line = client->lines[i];
		if (!line || !line->resume)
			continue;
		line->resume = false;
		io_loop_touch(client->loop);
		ws_line_resume(line, now);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct io_ws_client *client = timer->data;
	struct now now = clock_now();
	for (size_t i = 0; i < client->slots && !client->released; i++)
		if (client->lines[i])
			ws_line_sweep(client->lines[i], now);
}

/* --- life */

struct io_ws_client *io_ws_client_new(struct io_loop *loop, const struct io_ws_client_options *options)
{
	struct io_ws_client *client = calloc(1, sizeof *client);
	ASSERT(client);
	client->loop = loop;
	client->slots = options && options->max_sessions ? options->max_sessions : SESSIONS;
	ASSERT_CMP(client->slots, <=, WS_LINES_MAX);
	client->lines = calloc(client->slots, sizeof(struct ws_line *));
	ASSERT(client->lines);
	client->rng = options && options->seed ? rng_seeded(options->seed) : io_random_rng();
	uv_timer_init(io_loop_uv(loop), &client->sweep);
	uv_timer_init(io_loop_uv(loop), &client->resume);
	client->sweep.data = client->resume.data = client;
	client->resume.timer_cb = on_resume;
	client->handles = 2;
	uv_timer_start(&client->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	client->flusher = (struct io_flusher){.flush = flush, .ctx = client};
	io_loop_add_flusher(loop, &client->flusher);
	return client;
}

static void free_when_empty(struct io_ws_client *client)
{
	if (!client->released || client->handles > 0 || client->count > 0)
		return;
	ws_trust_release(client);
	free(client->lines);
	free(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct io_ws_client *client = handle->data;
	client->handles--;
	free_when_empty(client);
}

void io_ws_client_free(struct io_ws_client *client)
{
	if (!client)
		return;
	client->released = true;
	io_loop_remove_flusher(client->loop, &client->flusher);
	for (size_t i = 0; i < client->slots; i++)
		if (client->lines[i])
			ws_line_close(client->lines[i], false);
	uv_close((uv_handle_t *)&client->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&client->resume, on_handle_closed);
}

static void unlist(struct ws_line *line)
{
	struct ws_line **at = &line->client->listed;
	while (line->listed && *at != line)
		at = &(*at)->next_listed;
	if (line->listed)
		*at = line->next_listed;
}

static void free_line(struct ws_line *line)
{
	io_tls_free(line->tls);
	ws_trust_give_back(line->trust);
	ws_session_free(line->session);
	http_buffer_release(&line->request);
	http_buffer_release(&line->in);
	http_buffer_release(&line->out);
	free(line->server_name);
	free(line);
}

void ws_client_gone(struct ws_line *line)
{
	struct io_ws_client *client = line->client;
	unlist(line);
	client->lines[line->slot] = NULL;
	client->count--;
	free_line(line);
	free_when_empty(client);
}

/* --- dialling */

/* Fills what can be refused; false: it is. */
static bool prepare(struct ws_line *line, const struct io_ws_dial *dial)
{
	uint8_t key[16];
	if (!ws_url_parse(dial->url, &line->url))
		return false;
	rng_fill(&line->client->rng, key, sizeof key);
	base64_encode(line->key, key, sizeof key);
	if (!ws_request_write(&line->request, &line->url, line->key, dial->headers))
		return false;
	line->server_name = strdup(dial->server_name ? dial->server_name : line->url.host);
	ASSERT(line->server_name);
	if (line->url.tls)
		line->trust = ws_trust_take(line->client, dial, line->server_name);
	return !line->url.tls || line->trust;
}

enum status io_ws_client_dial(struct io_ws_client *client, const struct io_ws_dial *dial, io_ws_id *id)
{
	if (client->count == client->slots)
		return ST_FULL;
	struct ws_line *line = calloc(1, sizeof *line);
	if (!line)
		return ST_NO_MEMORY;
	line->client = client;
	line->options = dial->session;
	if (!prepare(line, dial)) {
		LOG_ERROR("websocket_dial",
			  "url=\"%s\" reason=\"malformed URL or header, or unreadable files\"", dial->url);
		free_line(line);
		return ST_INVALID;
	}
	while (client->lines[line->slot])
		line->slot++;
	client->lines[line->slot] = line;
	client->count++;
	line->id = ++client->last_id * WS_LINES_MAX + line->slot;
	line->due = mono_add(clock_mono(), dial->open_timeout ? dial->open_timeout : OPEN_TIMEOUT);
	uv_tcp_init(io_loop_uv(client->loop), &line->tcp);
	line->tcp.data = line;
	*id = line->id;
	ws_line_begin(line, dial->connect_to);
	return ST_OK;
}

/* --- sessions */

static struct ws_line *find(const struct io_ws_client *client, io_ws_id id)
{
	size_t slot = id % WS_LINES_MAX;
	if (id == 0 || slot >= client->slots || !client->lines[slot] || client->lines[slot]->id != id)
		return NULL;
	return client->lines[slot];
}

static struct ws_line *find_open(const struct io_ws_client *client, io_ws_id id)
{
	struct ws_line *line = find(client, id);
	return line && line->state == WS_LINE_OPEN && !line->closing ? line : NULL;
}

static void act(struct ws_line *line)
{
	line->resume |= line->session->state == WS_IS_OVER;
	ws_line_touch(line);
}

enum status io_ws_client_send(struct io_ws_client *client, io_ws_id id, bool text, const void *bytes,
			      size_t length)
{
	struct ws_line *line = find_open(client, id);
	if (!line)
		return ST_NOT_FOUND;
	enum status status = ws_session_send(line->session, text, bytes, length);
	act(line);
	return status;
}

void io_ws_client_close(struct io_ws_client *client, io_ws_id id, uint16_t code, const char *text)
{
	struct ws_line *line = find_open(client, id);
	if (!line) { /* one that is still on its way is dropped */
		io_ws_client_cut(client, id, false);
		return;
	}
	ws_session_close(line->session, IO_WS_CLOSED_BY_US, code, text, clock_now());
	act(line);
}

enum status io_ws_client_ping(struct io_ws_client *client, io_ws_id id)
{
	struct ws_line *line = find_open(client, id);
	if (!line)
		return ST_NOT_FOUND;
	enum status status = ws_session_ping(line->session, clock_now());
	act(line);
	return status;
}

size_t io_ws_client_queued(const struct io_ws_client *client, io_ws_id id)
{
	const struct ws_line *line = find_open(client, id);
	return line ? line->out.used + uv_stream_get_write_queue_size((const uv_stream_t *)&line->tcp) : 0;
}

void io_ws_client_cut(struct io_ws_client *client, io_ws_id id, bool reset)
{
	struct ws_line *line = find(client, id);
	if (!line || line->told)
		return;
	if (line->session)
		ws_session_lost(line->session);
	line->cut = true;
	line->reset = reset;
	line->resume = true; /* told and closed by an event of its own */
	ws_line_touch(line);
}

void io_ws_client_hold(struct io_ws_client *client, io_ws_id id, bool hold)
{
	struct ws_line *line = find(client, id);
	if (!line)
		return;
	line->held = hold;
	ws_line_read(line);
}

const char *io_ws_client_detail(const struct io_ws_client *client, io_ws_id id)
{
	const struct ws_line *line = find(client, id);
	return line ? line->detail : "";
}

bool io_ws_client_resumed(const struct io_ws_client *client, io_ws_id id)
{
	const struct ws_line *line = find(client, id);
	return line && line->tls && io_tls_resumed(line->tls);
}

size_t io_ws_client_sessions(const struct io_ws_client *client)
{
	size_t count = 0;
	for (size_t i = 0; i < client->slots; i++)
		count += client->lines[i] && !client->lines[i]->told;
	return count;
}
