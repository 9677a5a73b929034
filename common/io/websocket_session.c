#include "common/io/websocket_session.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/websocket_frame.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX   (64u * 1024)
#define SEND_BUFFER   (256u * 1024)
#define PING_INTERVAL (30 * US_PER_S)
#define PONG_TIMEOUT  (20 * US_PER_S)
#define CLOSE_TIMEOUT (2 * US_PER_S)
#define NO_CODE       1006 /* no close frame was seen */

struct ws_session *ws_session_new(const struct io_ws_options *options, const struct ws_owner *owner,
				  io_ws_id id, struct now now)
{
	struct ws_session *session = calloc(1, sizeof *session);
	if (!session)
		return NULL;
	session->options = *options;
	session->owner = *owner;
	session->id = id;
	session->ping_sent = now.mono;
	session->unanswered = MONO_NEVER;
	struct io_ws_options *filled = &session->options;
	filled->message_max = filled->message_max ? filled->message_max : MESSAGE_MAX;
	filled->send_buffer = filled->send_buffer ? filled->send_buffer : SEND_BUFFER;
	filled->pong_timeout = filled->pong_timeout ? filled->pong_timeout : PONG_TIMEOUT;
	filled->close_timeout = filled->close_timeout ? filled->close_timeout : CLOSE_TIMEOUT;
	if (filled->ping_interval == 0)
		filled->ping_interval = owner->mask_rng ? -1 : PING_INTERVAL;
	owner->stats->open++;
	owner->stats->begun++;
	return session;
}

void ws_session_free(struct ws_session *session)
{
	if (!session)
		return;
	session->owner.stats->open--;
	http_buffer_release(&session->message);
	free(session);
}

/* The first end is the one that is told. */
static void over(struct ws_session *session, enum io_ws_reason reason, uint16_t code, bool cut)
{
	if (session->state == WS_IS_OPEN) {
		session->reason = reason;
		session->code = code;
	}
	session->state = WS_IS_OVER;
	session->cut |= cut;
}

void ws_session_lost(struct ws_session *session)
{
	over(session, IO_WS_CONNECTION_LOST, NO_CODE, true);
}

void ws_session_tell(struct ws_session *session, struct now now)
{
	if (session->state != WS_IS_OVER || session->told)
		return;
	session->told = true;
	session->owner.stats->ended[session->reason]++;
	if (session->options.events.on_close)
		session->options.events.on_close(session->options.ctx, now, session->id, session->reason,
						 session->code);
}

/* --- out */

static bool write_frame(struct ws_session *session, enum ws_opcode opcode, const void *bytes, size_t length)
{
	uint8_t header[WS_HEADER_MAX], mask[4];
	struct wr wr = wr_init(header, sizeof header);
	struct http_buffer *out = session->owner.out;
	bool masks = session->owner.mask_rng != NULL;
	if (masks)
		rng_fill(session->owner.mask_rng, mask, sizeof mask);
	ws_header_write(&wr, opcode, true, masks ? mask : NULL, length);
	if (!http_buffer_add(out, header, wr_length(&wr)) || !http_buffer_add(out, bytes, length)) {
		over(session, IO_WS_NO_MEMORY, 1011, true);
		return false;
	}
	if (masks)
		ws_mask(out->bytes + out->used - length, length, mask, 0);
	return true;
}

static bool write_close(struct ws_session *session, uint16_t code, const char *text)
{
	uint8_t payload[WS_CONTROL_MAX];
	struct wr wr = wr_init(payload, sizeof payload);
	size_t length = text ? strlen(text) : 0;
	if (length > WS_CLOSE_TEXT_MAX)
		length = WS_CLOSE_TEXT_MAX;
	while (length > 0 && !ws_utf8_valid((const uint8_t *)text, length))
		length--;
	if (code != 1005)
		wr_u16be(&wr, code);
	wr_copy(&wr, (const uint8_t *)text, length);
	return write_frame(session, WS_CLOSE, payload, wr_length(&wr));
}

static bool has_room(struct ws_session *session, size_t length)
{
	size_t waits = session->owner.queued(session->owner.ctx);
	if (waits + length + WS_HEADER_MAX <= session->options.send_buffer)
		return true;
	over(session, IO_WS_SLOW_READER, 1008, true); /* a close frame would only wait behind the rest */
	return false;
}

enum status ws_session_send(struct ws_session *session, bool text, const void *bytes, size_t length)
{
	if (session->state != WS_IS_OPEN)
		return ST_NOT_FOUND;
	if (!has_room(session, length))
		return ST_FULL;
	if (!write_frame(session, text ? WS_TEXT : WS_BINARY, bytes, length))
		return ST_NO_MEMORY;
	session->owner.stats->messages_out++;
	session->owner.stats->bytes_out += length;
	return ST_OK;
}

enum status ws_session_ping(struct ws_session *session, struct now now)
{
	if (session->state != WS_IS_OPEN)
		return ST_NOT_FOUND;
	uint8_t payload[8];
	struct wr wr = wr_init(payload, sizeof payload);
	wr_u64be(&wr, ++session->ping_number);
	if (!has_room(session, sizeof payload))
		return ST_FULL;
	if (!write_frame(session, WS_PING, payload, sizeof payload))
		return ST_NO_MEMORY;
	session->ping_sent = now.mono;
	session->ping_waits = true;
	if (mono_since(now.mono, session->unanswered) < 0)
		session->unanswered = now.mono;
	return ST_OK;
}

void ws_session_close(struct ws_session *session, enum io_ws_reason reason, uint16_t code, const char *text,
		      struct now now)
{
	if (session->state != WS_IS_OPEN)
		return;
	ASSERT(ws_close_code_valid(code));
	session->reason = reason;
	session->code = code;
	session->state = WS_IS_CLOSING;
	session->close_due = mono_add(now.mono, session->options.close_timeout);
	write_close(session, code, text);
}

/* --- in */

/* The peer broke the rules: it is told how, and not listened to any more. */
static void refuse(struct ws_session *session, enum io_ws_reason reason)
{
	uint16_t code = reason == IO_WS_TOO_LONG    ? 1009
			: reason == IO_WS_BAD_UTF8  ? 1007
			: reason == IO_WS_NO_MEMORY ? 1011
						    : 1002;
	if (session->state == WS_IS_OPEN)
		write_close(session, code, io_ws_reason_text(reason));
	over(session, reason, code, false);
}

static void take_close(struct ws_session *session, const uint8_t *bytes, size_t length)
{
	uint16_t code;
	enum io_ws_reason reason;
	if (!ws_close_read(bytes, length, &code, &reason)) {
		refuse(session, reason);
		return;
	}
	if (session->state == WS_IS_OPEN)
		write_close(session, code, NULL); /* §5.5.1: echoed */
	over(session, IO_WS_PEER_CLOSED, code, false);
}

static void take_pong(struct ws_session *session, const uint8_t *bytes, size_t length, struct now now)
{
	struct rd rd = rd_init(bytes, length);
	uint64_t number = rd_u64be(&rd);
	if (!rd_ok(&rd) || rd_left(&rd) != 0 || !session->ping_waits || number != session->ping_number)
		return; /* unsolicited (§5.5.3), or of a ping before the latest */
	session->ping_waits = false;
	session->ponged = true;
	if (session->state == WS_IS_OPEN && session->options.events.on_pong)
		session->options.events.on_pong(session->options.ctx, now, session->id,
						mono_since(now.mono, session->ping_sent));
}

static void take_control(struct ws_session *session, const struct ws_header *header, const uint8_t *bytes,
			 struct now now)
{
	size_t length = (size_t)header->length;
	if (header->opcode == WS_CLOSE)
		take_close(session, bytes, length);
	else if (header->opcode == WS_PONG)
		take_pong(session, bytes, length, now);
	else if (session->state == WS_IS_OPEN && has_room(session, length))
		write_frame(session, WS_PONG, bytes, length);
}

/* `bytes` has room for a NUL behind it; what stands there is put back. */
static void deliver(struct ws_session *session, bool text, uint8_t *bytes, size_t length, struct now now)
{
	if (text && !ws_utf8_valid(bytes, length)) {
		refuse(session, IO_WS_BAD_UTF8);
		return;
	}
	session->owner.stats->messages_in++;
	session->owner.stats->bytes_in += length;
	uint8_t behind = bytes[length];
	bytes[length] = 0;
	session->options.events.on_message(session->options.ctx, now, session->id, text, bytes, length);
	bytes[length] = behind;
}

static void take_data(struct ws_session *session, const struct ws_header *header, uint8_t *bytes,
		      struct now now)
{
	size_t length = (size_t)header->length;
	if (session->state != WS_IS_OPEN)
		return; /* ours is said; what the peer still says is nobody's */
	if (!session->assembling && header->fin) {
		deliver(session, header->opcode == WS_TEXT, bytes, length, now);
		return;
	}
	if (!session->assembling)
		session->text = header->opcode == WS_TEXT;
	session->assembling = !header->fin;
	struct http_buffer *message = &session->message;
	static const uint8_t nul[1] = {0};
	if (!http_buffer_add(message, bytes, length) || !http_buffer_add(message, nul, 1)) {
		refuse(session, IO_WS_NO_MEMORY);
		return;
	}
	message->used--;
	if (session->assembling)
		return;
	struct http_buffer whole = *message; /* so that nothing of it is left, whatever the event does */
	*message = (struct http_buffer){0};
	deliver(session, session->text, whole.bytes, whole.used, now);
	http_buffer_release(&whole);
}

/* What can be refused before the payload is there. */
static bool acceptable(struct ws_session *session, const struct ws_header *header)
{
	if (header->opcode >= WS_CLOSE)
		return true;
	if ((header->opcode == WS_CONTINUATION) != session->assembling)
		refuse(session, IO_WS_BAD_SEQUENCE);
	else if (header->length > session->options.message_max - session->message.used)
		refuse(session, IO_WS_TOO_LONG);
	return session->state != WS_IS_OVER;
}

/* Returns how many bytes the frame at the front of `bytes` had; 0: not all there, or refused. */
static size_t take_frame(struct ws_session *session, uint8_t *bytes, size_t length, struct now now)
{
	struct rd rd = rd_init(bytes, length);
	struct ws_header header;
	enum io_ws_reason reason;
	enum ws_read read = ws_header_read(&rd, !session->owner.mask_rng, &header, &reason);
	if (read == WS_READ_REFUSED)
		refuse(session, reason);
	if (read != WS_READ_WHOLE || !acceptable(session, &header) || rd_left(&rd) < header.length)
		return 0;
	size_t head = length - rd_left(&rd);
	uint8_t *payload = bytes + head;
	if (header.masked)
		ws_mask(payload, (size_t)header.length, header.mask, 0);
	if (header.opcode >= WS_CLOSE)
		take_control(session, &header, payload, now);
	else
		take_data(session, &header, payload, now);
	return head + (size_t)header.length;
}

void ws_session_feed(struct ws_session *session, struct http_buffer *in, struct now now)
{
	static const uint8_t nul[1] = {0};
	session->unanswered = MONO_NEVER;
	if (!http_buffer_add(in, nul, 1)) { /* room behind the last message */
		refuse(session, IO_WS_NO_MEMORY);
		return;
	}
	in->used--;
	size_t done = 0, taken = 1;
	while (session->state != WS_IS_OVER && done < in->used && taken > 0) {
		taken = take_frame(session, in->bytes + done, in->used - done, now);
		done += taken;
	}
	http_buffer_drop(in, session->state == WS_IS_OVER ? in->used : done);
	if (in->used == 0)
		http_buffer_release(in); /* an idle session keeps no buffer */
}

/* --- time */

bool ws_session_sweep(struct ws_session *session, struct now now)
{
	const struct io_ws_options *options = &session->options;
	if (session->state == WS_IS_CLOSING && mono_since(now.mono, session->close_due) >= 0)
		over(session, session->reason, session->code, true);
	if (session->state != WS_IS_OPEN || options->ping_interval < 0)
		return session->state == WS_IS_OVER;
	bool judged = session->ponged || !options->forgive_pong;
	if (judged && mono_since(session->unanswered, now.mono) < 0) {
		if (mono_since(now.mono, session->unanswered) > options->pong_timeout)
			over(session, IO_WS_PONG_MISSING, NO_CODE, true);
		return session->state == WS_IS_OVER;
	}
	if (mono_since(now.mono, session->ping_sent) < options->ping_interval)
		return false;
	enum status status = ws_session_ping(session, now);
	return status == ST_OK || session->state == WS_IS_OVER;
}
