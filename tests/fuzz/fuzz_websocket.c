/* WebSocket from anywhere: frames, as a server and as a client reads them, whole and byte by byte; a client's URL and the answer to its
 * request. The first byte chooses. */
#include "common/base/check.h"
#include "common/io/websocket_dial.h"
#include "common/io/websocket_frame.h"
#include "common/io/websocket_session.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct side {
	struct ws_session *session;
	struct http_buffer in, out;
	struct io_ws_stats stats;
	struct rng rng;
	uint64_t sum; /* of all that was heard, in order */
	int ends;
};

static void mix(struct side *side, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		side->sum = side->sum * 31 + at[i];
	side->sum = side->sum * 31 + length;
}

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct side *side = ctx;
	(void)now, (void)id;
	ASSERT(length <= MESSAGE_MAX && bytes[length] == 0 && side->ends == 0);
	ASSERT(!text || ws_utf8_valid(bytes, length));
	mix(side, bytes, length);
	if (length > 0 && bytes[0] == 'e') {
		enum status status = ws_session_send(side->session, text, bytes, length);
		ASSERT(status == ST_OK || status == ST_FULL);
	}
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct side *side = ctx;
	(void)now, (void)id;
	ASSERT(io_ws_reason_name(reason) != NULL && side->ends++ == 0);
	mix(side, &code, sizeof code);
}

static size_t queued(void *ctx)
{
	return ((struct side *)ctx)->out.used;
}

static void begin(struct side *side, bool client)
{
	*side = (struct side){.rng = rng_seeded(1)};
	struct io_ws_options options = {.events = {.on_message = on_message, .on_close = on_close},
					.ctx = side,
					.message_max = MESSAGE_MAX,
					.send_buffer = 4096};
	struct ws_owner owner = {.queued = queued,
				 .ctx = side,
				 .out = &side->out,
				 .stats = &side->stats,
				 .mask_rng = client ? &side->rng : NULL};
	side->session = ws_session_new(&options, &owner, 1, (struct now){.mono = {1}});
	ASSERT(side->session);
}

static void feed(struct side *side, const uint8_t *bytes, size_t length)
{
	struct now now = {.mono = {2}};
	ASSERT(http_buffer_add(&side->in, bytes, length));
	ws_session_feed(side->session, &side->in, now);
	ws_session_tell(side->session, now);
	ASSERT(side->in.used <= MESSAGE_MAX + WS_HEADER_MAX || side->session->state != WS_IS_OVER);
}

static void end(struct side *side)
{
	ws_session_free(side->session);
	http_buffer_release(&side->in);
	http_buffer_release(&side->out);
}

static void read_frames(const uint8_t *bytes, size_t length, bool client)
{
	struct side whole, pieces;
	begin(&whole, client);
	begin(&pieces, client);
	feed(&whole, bytes, length);
	for (size_t i = 0; i < length; i++)
		feed(&pieces, bytes + i, 1);
	/* Cut anywhere it is the same conversation. */
	ASSERT(whole.sum == pieces.sum && whole.ends == pieces.ends);
	ASSERT(whole.session->state == pieces.session->state);
	ASSERT(whole.out.used == pieces.out.used);
	end(&whole);
	end(&pieces);
}

static void read_texts(const uint8_t *bytes, size_t length)
{
	size_t used = 0;
	int code;
	enum ws_answer answer = ws_answer_read(bytes, length, "dGhlIHNhbXBsZSBub25jZQ==", &used, &code);
	ASSERT(answer == WS_ANSWER_MORE || used <= length);
	ASSERT(answer != WS_ANSWER_OPEN || code == 101);
	char *text = malloc(length + 1);
	ASSERT(text);
	memcpy(text, bytes, length);
	text[length] = 0;
	struct ws_url url;
	if (ws_url_parse(text, &url)) {
		struct http_buffer out = {0};
		ASSERT(url.host[0] && url.path[0] == '/' && url.port != 0);
		ASSERT(ws_request_write(&out, &url, "dGhlIHNhbXBsZSBub25jZQ==", NULL));
		http_buffer_release(&out);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (bytes[0] % 3 == 2)
		read_texts(bytes + 1, length - 1);
	else
		read_frames(bytes + 1, length - 1, bytes[0] % 3 == 1);
	return 0;
}
