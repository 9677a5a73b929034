#include "tests/harness/harness.h"

#include "common/io/websocket_dial.h"
#include "common/io/websocket_frame.h"
#include "common/io/websocket_session.h"

#include <stdlib.h>
#include <string.h>

/* --- headers */

static void headers_are_read_and_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t length;
		bool server; /* the sender */
		enum ws_read read;
		enum io_ws_reason reason;
		enum ws_opcode opcode;
		uint64_t payload;
	} rows[] = {
		{"a masked text frame", {0x81, 0x85, 1, 2, 3, 4}, 6, false, WS_READ_WHOLE, 0, WS_TEXT, 5},
		{"a server's text frame", {0x81, 0x05}, 2, true, WS_READ_WHOLE, 0, WS_TEXT, 5},
		{"one byte", {0x81}, 1, false, WS_READ_MORE, 0, 0, 0},
		{"nothing", {0}, 0, false, WS_READ_MORE, 0, 0, 0},
		{"a mask of three bytes", {0x81, 0x85, 1, 2, 3}, 5, false, WS_READ_MORE, 0, 0, 0},
		{"half of a long length", {0x82, 0xfe, 0x01}, 3, false, WS_READ_MORE, 0, 0, 0},
		{"126 bytes", {0x82, 0xfe, 0, 126, 9, 9, 9, 9}, 8, false, WS_READ_WHOLE, 0, WS_BINARY, 126},
		{"125 bytes in two bytes of length",
		 {0x82, 0xfe, 0, 125, 9, 9, 9, 9},
		 8,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_BAD_LENGTH,
		 0,
		 0},
		{"65536 bytes",
		 {0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4},
		 14,
		 false,
		 WS_READ_WHOLE,
		 0,
		 WS_BINARY,
		 65536},
		{"65535 bytes in eight bytes of length",
		 {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4},
		 14,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_BAD_LENGTH,
		 0,
		 0},
		{"a length with its highest bit",
		 {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
		 14,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_BAD_LENGTH,
		 0,
		 0},
		{"a client's frame without mask",
		 {0x81, 0x05},
		 2,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_UNMASKED,
		 0,
		 0},
		{"a server's frame with one", {0x81, 0x85}, 2, true, WS_READ_REFUSED, IO_WS_UNMASKED, 0, 0},
		{"RSV1", {0xc1, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_RESERVED_BITS, 0, 0},
		{"RSV2", {0xa1, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_RESERVED_BITS, 0, 0},
		{"RSV3", {0x91, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_RESERVED_BITS, 0, 0},
		{"opcode 3", {0x83, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_BAD_OPCODE, 0, 0},
		{"opcode 7", {0x87, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_BAD_OPCODE, 0, 0},
		{"opcode 11", {0x8b, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_BAD_OPCODE, 0, 0},
		{"opcode 15", {0x8f, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_BAD_OPCODE, 0, 0},
		{"a ping of 125 bytes", {0x89, 0xfd, 1, 2, 3, 4}, 6, false, WS_READ_WHOLE, 0, WS_PING, 125},
		{"a ping of 126 bytes",
		 {0x89, 0xfe, 0, 126},
		 4,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_CONTROL_TOO_LONG,
		 0,
		 0},
		{"a ping without FIN", {0x09, 0x85}, 2, false, WS_READ_REFUSED, IO_WS_CONTROL_FRAGMENT, 0, 0},
		{"a close without FIN",
		 {0x08, 0x80},
		 2,
		 false,
		 WS_READ_REFUSED,
		 IO_WS_CONTROL_FRAGMENT,
		 0,
		 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct rd rd = rd_init(rows[i].bytes, rows[i].length);
		struct ws_header header = {0};
		enum io_ws_reason reason = 0;
		t_int("read", rows[i].read, ws_header_read(&rd, !rows[i].server, &header, &reason));
		t_str("reason", io_ws_reason_name(rows[i].reason), io_ws_reason_name(reason));
		t_int("opcode", rows[i].opcode, header.opcode);
		t_uint("payload", rows[i].payload, header.length);
		if (rows[i].read != WS_READ_WHOLE)
			continue;
		uint8_t again[WS_HEADER_MAX];
		struct wr wr = wr_init(again, sizeof again);
		ws_header_write(&wr, header.opcode, header.fin, header.masked ? header.mask : NULL,
				header.length);
		t_bytes("written again", rows[i].bytes, rows[i].length, again, wr_length(&wr));
	}
}

static void masks_are_undone_at_any_offset(void **state)
{
	(void)state;
	static const uint8_t mask[4] = {0x12, 0xfe, 0x00, 0x77};
	uint8_t clear[64], expected[64], got[64];
	for (size_t i = 0; i < sizeof clear; i++)
		clear[i] = (uint8_t)(i * 37 + 11);
	t_row("every offset and length up to 40");
	for (size_t at = 0; at < 9; at++) {
		for (size_t length = 0; length <= 40; length++) {
			for (size_t i = 0; i < length; i++)
				expected[i] = clear[i] ^ mask[(at + i) % 4];
			memcpy(got, clear, sizeof got);
			ws_mask(got, length, mask, at);
			assert_memory_equal(expected, got, length);
			assert_memory_equal(clear + length, got + length, sizeof got - length);
		}
	}
}

static void only_utf8_is_text(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		bool valid;
	} rows[] = {
		{"nothing", "", true},
		{"ASCII", "abc\x7f", true},
		{"two bytes", "\xc2\x80\xdf\xbf", true},
		{"three bytes", "\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true},
		{"four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
		{"a continuation alone", "a\x80", false},
		{"too long a form of a slash", "\xc0\xaf", false},
		{"too long a form of three", "\xe0\x9f\xbf", false},
		{"too long a form of four", "\xf0\x8f\xbf\xbf", false},
		{"a surrogate", "\xed\xa0\x80", false},
		{"past U+10FFFF", "\xf4\x90\x80\x80", false},
		{"0xf5", "\xf5\x80\x80\x80", false},
		{"broken off after one", "a\xe2", false},
		{"broken off after two", "a\xe2\x82", false},
		{"broken off after three", "\xf0\x90\x80", false},
		{"a letter in the middle", "\xe2\x41\xac", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("valid", rows[i].valid,
		      ws_utf8_valid((const uint8_t *)rows[i].text, strlen(rows[i].text)));
	}
	char accept[WS_ACCEPT_ROOM];
	ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept);
	t_row("the specification's example");
	t_str("accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accept);
	t_true("a key", ws_key_valid("dGhlIHNhbXBsZSBub25jZQ=="));
	t_false("a short key", ws_key_valid("dGhlIHNhbXBsZSBub25j"));
	t_false("no base64", ws_key_valid("!!!!IHNhbXBsZSBub25jZQ=="));
}

/* --- sessions: what comes in, what is told, what goes out */

struct side {
	struct ws_session *session;
	struct http_buffer in, out;
	struct io_ws_stats stats;
	struct rng rng;
	char seen[1024]; /* messages and ends, one after the other */
	size_t waits;
};

static void see(struct side *side, const char *format, ...)
{
	size_t used = strlen(side->seen);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(side->seen + used, sizeof side->seen - used, format, arguments);
	va_end(arguments);
}

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	(void)now;
	(void)id;
	assert_int_equal(0, bytes[length]);
	see(ctx, "%s(%zu)%.20s ", text ? "text" : "binary", length, text ? (const char *)bytes : "");
}

static void on_pong(void *ctx, struct now now, io_ws_id id, span_us round_trip)
{
	(void)now;
	(void)id;
	see(ctx, "pong(%lld) ", (long long)round_trip);
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	(void)now;
	(void)id;
	see(ctx, "%s(%u) ", io_ws_reason_name(reason), code);
}

static size_t queued(void *ctx)
{
	return ((struct side *)ctx)->waits + ((struct side *)ctx)->out.used;
}

static struct now at_s(double seconds)
{
	return (struct now){.mono = {(int64_t)((1000 + seconds) * 1e6)}};
}

static struct side *begin(struct io_ws_options options, bool client)
{
	struct side *side = calloc(1, sizeof *side);
	assert_non_null(side);
	side->rng = rng_seeded(7);
	options.events = (struct io_ws_events){
		.on_message = on_message, .on_pong = on_pong, .on_close = on_close};
	options.ctx = side;
	struct ws_owner owner = {.queued = queued,
				 .ctx = side,
				 .out = &side->out,
				 .stats = &side->stats,
				 .mask_rng = client ? &side->rng : NULL};
	side->session = ws_session_new(&options, &owner, 5, at_s(0));
	assert_non_null(side->session);
	return side;
}

static void end(struct side *side)
{
	ws_session_free(side->session);
	http_buffer_release(&side->in);
	http_buffer_release(&side->out);
	free(side);
}

static void feed(struct side *side, const void *bytes, size_t length, double seconds)
{
	assert_true(http_buffer_add(&side->in, bytes, length));
	ws_session_feed(side->session, &side->in, at_s(seconds));
	ws_session_tell(side->session, at_s(seconds));
}

/* A client's frame with the mask 0: what is seen is what is meant. */
#define M "\0\0\0\0"
#define ROW(name, bytes, seen, out)                                      \
	{                                                                \
		name, bytes, sizeof bytes - 1, seen, out, sizeof out - 1 \
	}

static void frames_become_messages_or_a_named_end(void **state)
{
	(void)state;
	static const struct {
		const char *name, *bytes;
		size_t length;
		const char *seen, *out;
		size_t out_length;
	} rows[] = {
		ROW("a text", "\x81\x82" M "hi", "text(2)hi ", ""),
		ROW("a masked text", "\x81\x82\x01\x02\x03\x04\x69\x6b", "text(2)hi ", ""),
		ROW("an empty one", "\x81\x80" M, "text(0) ", ""),
		ROW("bytes that are no text", "\x82\x81" M "\xff", "binary(1) ", ""),
		ROW("two in one read", "\x81\x81" M "a\x81\x81" M "b", "text(1)a text(1)b ", ""),
		ROW("three fragments", "\x01\x81" M "a\x00\x81" M "b\x80\x81" M "c", "text(3)abc ", ""),
		ROW("a ping between fragments", "\x01\x81" M "a\x89\x81" M "p\x80\x81" M "c", "text(2)ac ",
		    "\x8a\x01p"),
		ROW("a character across fragments", "\x01\x81" M "\xc3\x80\x81" M "\xa9", "text(2)\xc3\xa9 ",
		    ""),
		ROW("an empty last fragment", "\x02\x81" M "a\x80\x80" M, "binary(1) ", ""),
		ROW("a ping", "\x89\x82" M "no", "", "\x8a\x02no"),
		ROW("an unsolicited pong", "\x8a\x82" M "no", "", ""),
		ROW("a close", "\x88\x82" M "\x03\xe8", "peer_closed(1000) ", "\x88\x02\x03\xe8"),
		ROW("a close with a text", "\x88\x84" M "\x0f\xa0ok", "peer_closed(4000) ",
		    "\x88\x02\x0f\xa0"),
		ROW("a close without code", "\x88\x80" M, "peer_closed(1005) ", "\x88\x00"),
		ROW("nothing after the close", "\x88\x80" M "\x81\x81" M "a", "peer_closed(1005) ",
		    "\x88\x00"),
		ROW("a close of one byte", "\x88\x81" M "\x03", "bad_close(1002) ",
		    "\x88\x19\x03\xea"
		    "a malformed close frame"),
		ROW("a close with a code of nobody's", "\x88\x82" M "\x03\xed", "bad_close(1002) ",
		    "\x88\x19\x03\xea"
		    "a malformed close frame"),
		ROW("a close whose text is none", "\x88\x83" M "\x03\xe8\xff", "bad_utf8(1007) ",
		    "\x88\x18\x03\xef"
		    "text that is not UTF-8"),
		ROW("text that is none", "\x81\x82" M "a\xff", "bad_utf8(1007) ",
		    "\x88\x18\x03\xef"
		    "text that is not UTF-8"),
		ROW("a continuation of nothing", "\x80\x81" M "a", "bad_sequence(1002) ",
		    "\x88\x18\x03\xea"
		    "fragments out of order"),
		ROW("a message inside another", "\x01\x81" M "a\x81\x81" M "b", "bad_sequence(1002) ",
		    "\x88\x18\x03\xea"
		    "fragments out of order"),
		ROW("unmasked, after a good one",
		    "\x81\x81" M "a\x81\x01"
		    "b",
		    "text(1)a unmasked(1002) ",
		    "\x88\x2c\x03\xea"
		    "a frame whose mask bit is not its sender's"),
		ROW("too long, its header not all there", "\x82\xfe\x00\xc9", "", ""),
		ROW("too long, with its mask", "\x82\xfe\x00\xc9" M, "too_long(1009) ",
		    "\x88\x1a\x03\xf1"
		    "a message past the limit"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct side *side = begin((struct io_ws_options){.message_max = 200}, false);
		feed(side, rows[i].bytes, rows[i].length, 0);
		t_str("seen", rows[i].seen, side->seen);
		t_bytes("sent", (const uint8_t *)rows[i].out, rows[i].out_length, side->out.bytes,
			side->out.used);
		end(side);
		/* Byte by byte it is the same. */
		side = begin((struct io_ws_options){.message_max = 200}, false);
		for (size_t at = 0; at < rows[i].length; at++)
			feed(side, rows[i].bytes + at, 1, 0);
		t_str("seen byte by byte", rows[i].seen, side->seen);
		end(side);
	}
	t_row("fragments that are too long together");
	struct side *side = begin((struct io_ws_options){.message_max = 3}, false);
	feed(side, "\x01\x82" M "ab\x80\x82" M "cd", 16, 0);
	t_str("seen", "too_long(1009) ", side->seen);
	end(side);
}

static void both_sides_understand_each_other(void **state)
{
	(void)state;
	static uint8_t long_one[70000];
	memset(long_one, 'x', sizeof long_one);
	static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, sizeof long_one};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char expected[64];
		struct io_ws_options options = {.message_max = sizeof long_one};
		struct side *server = begin(options, false), *client = begin(options, true);
		t_row("a length");
		snprintf(expected, sizeof expected, "binary(%zu) ", lengths[i]);
		t_int("client sends", ST_OK, ws_session_send(client->session, false, long_one, lengths[i]));
		t_true("masked", (client->out.bytes[1] & 0x80) != 0);
		feed(server, client->out.bytes, client->out.used, 0);
		t_str("server has", expected, server->seen);
		t_int("server sends", ST_OK, ws_session_send(server->session, false, long_one, lengths[i]));
		feed(client, server->out.bytes, server->out.used, 0);
		t_str("client has", expected, client->seen);
		end(server);
		end(client);
	}
}

static void closing_waits_for_the_peer_but_not_for_ever(void **state)
{
	(void)state;
	struct side *side = begin((struct io_ws_options){.close_timeout = 2 * US_PER_S}, false);
	t_row("we close");
	ws_session_close(side->session, IO_WS_CLOSED_BY_US, 1001, "bye", at_s(1));
	t_bytes("sent",
		(const uint8_t *)"\x88\x05\x03\xe9"
				 "bye",
		7, side->out.bytes, side->out.used);
	t_int("no message leaves any more", ST_NOT_FOUND, ws_session_send(side->session, true, "a", 1));
	feed(side, "\x81\x81" M "a", 7, 1.5);
	t_str("and none is heard", "", side->seen);
	feed(side, "\x88\x82" M "\x03\xe9", 8, 2);
	t_str("told once the peer agreed", "closed_by_us(1001) ", side->seen);
	t_false("what is queued leaves first", side->session->cut);
	end(side);
	t_row("the peer never agrees");
	side = begin((struct io_ws_options){.close_timeout = 2 * US_PER_S}, false);
	ws_session_close(side->session, IO_WS_SERVER_STOPS, 1012, NULL, at_s(1));
	t_false("not yet", ws_session_sweep(side->session, at_s(2.9)));
	t_true("over", ws_session_sweep(side->session, at_s(3)));
	ws_session_tell(side->session, at_s(3));
	ws_session_tell(side->session, at_s(4));
	t_str("told once", "server_stops(1012) ", side->seen);
	t_true("cut", side->session->cut);
	end(side);
}

static void half_open_sessions_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool forgive, ponged_before, talks, pongs;
		const char *seen;
	} rows[] = {
		{"nothing comes back", false, false, false, false, "pong_missing(1006) "},
		{"the pong comes", false, false, false, true, "pong(5000000) "},
		{"it talks but never pongs", false, false, true, false, "text(1)a "},
		{"a station whose pongs are broken", true, false, false, false, ""},
		{"a station that has answered once", true, true, false, false,
		 "pong(1000000) pong_missing(1006) "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct side *side = begin((struct io_ws_options){.ping_interval = 30 * US_PER_S,
								 .pong_timeout = 20 * US_PER_S,
								 .forgive_pong = rows[i].forgive},
					  false);
		uint8_t number = 1;
		if (rows[i].ponged_before) {
			t_true("a ping is due", ws_session_sweep(side->session, at_s(30)));
			feed(side, "\x8a\x88" M "\0\0\0\0\0\0\0\x01", 14, 31);
			number++;
		}
		double begin_s = rows[i].ponged_before ? 30 : 0;
		side->out.used = 0;
		t_false("too early", ws_session_sweep(side->session, at_s(begin_s + 29.9)));
		t_true("a ping", ws_session_sweep(side->session, at_s(begin_s + 30)));
		uint8_t ping[] = {0x89, 8, 0, 0, 0, 0, 0, 0, 0, number};
		t_bytes("sent", ping, sizeof ping, side->out.bytes, side->out.used);
		uint8_t pong[14] = {0x8a, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number};
		if (rows[i].pongs)
			feed(side, pong, sizeof pong, begin_s + 35);
		if (rows[i].talks)
			feed(side, "\x81\x81" M "a", 7, begin_s + 35);
		ws_session_sweep(side->session, at_s(begin_s + 50));
		ws_session_sweep(side->session, at_s(begin_s + 50.1));
		ws_session_tell(side->session, at_s(begin_s + 50.1));
		t_str("seen", rows[i].seen, side->seen);
		end(side);
	}
}

static void a_slow_reader_is_cut(void **state)
{
	(void)state;
	struct side *side = begin((struct io_ws_options){.send_buffer = 100}, false);
	t_row("within");
	t_int("sent", ST_OK, ws_session_send(side->session, true, "0123456789", 10));
	side->waits = 80; /* in the kernel's queue */
	t_row("past the buffer");
	t_int("full", ST_FULL, ws_session_send(side->session, true, "0123456789", 10));
	t_int("and over", ST_NOT_FOUND, ws_session_send(side->session, true, "0", 1));
	t_str("not told from inside", "", side->seen);
	ws_session_tell(side->session, at_s(1));
	t_str("told", "slow_reader(1008) ", side->seen);
	t_true("cut", side->session->cut);
	t_uint("counted", 1, side->stats.ended[IO_WS_SLOW_READER]);
	end(side);
	t_row("pings of somebody who does not read");
	side = begin((struct io_ws_options){.send_buffer = 100}, false);
	for (int i = 0; i < 200; i++)
		feed(side, "\x89\x82" M "no", 8, 0);
	t_str("told", "slow_reader(1008) ", side->seen);
	end(side);
}

static void urls_and_answers_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		bool good, tls;
		const char *host;
		unsigned port;
		const char *path;
	} urls[] = {
		{"whole", "wss://lns.city.example:3001/router-info", true, true, "lns.city.example", 3001,
		 "/router-info"},
		{"no port, no path", "ws://10.0.0.1", true, false, "10.0.0.1", 80, "/"},
		{"wss without port", "wss://a/b?c=d#e", true, true, "a", 443, "/b?c=d"},
		{"IPv6", "ws://[2001:db8::1]:3001/x", true, false, "2001:db8::1", 3001, "/x"},
		{"another scheme", "http://a/", false, false, "", 0, ""},
		{"no host", "ws:///x", false, false, "", 0, ""},
		{"port 0", "ws://a:0/", false, false, "", 0, ""},
		{"a port too high", "ws://a:65536/", false, false, "", 0, ""},
		{"a port of letters", "ws://a:80x/", false, false, "", 0, ""},
		{"a line break", "ws://a/b\r\nX: y", false, false, "", 0, ""},
		{"a bracket alone", "ws://[::1/", false, false, "", 0, ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct ws_url url = {0};
		t_row(urls[i].name);
		t_int("good", urls[i].good, ws_url_parse(urls[i].text, &url));
		t_int("tls", urls[i].tls, url.tls);
		t_str("host", urls[i].host, url.host);
		t_uint("port", urls[i].port, url.port);
		t_str("path", urls[i].path, url.path);
	}
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	static const struct {
		const char *name, *text;
		enum ws_answer answer;
		int code;
	} answers[] = {
		{"an upgrade", "HTTP/1.1 101 S\r\nUpgrade: WebSocket\r\n" ACCEPT "\r\n", WS_ANSWER_OPEN, 101},
		{"half of it", "HTTP/1.1 101 S\r\nUpgrade: WebSocket\r\n" ACCEPT, WS_ANSWER_MORE, 0},
		{"without the accept", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", WS_ANSWER_REFUSED,
		 101},
		{"not found", "HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n", WS_ANSWER_REFUSED, 404},
		{"no HTTP", "SSH-2.0-x\r\n\r\n", WS_ANSWER_REFUSED, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		size_t used;
		int code;
		t_row(answers[i].name);
		t_int("answer", answers[i].answer,
		      ws_answer_read((const uint8_t *)answers[i].text, strlen(answers[i].text),
				     "dGhlIHNhbXBsZSBub25jZQ==", &used, &code));
		t_int("code", answers[i].code, code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(headers_are_read_and_refused),
		t_test(masks_are_undone_at_any_offset),
		t_test(only_utf8_is_text),
		t_test(frames_become_messages_or_a_named_end),
		t_test(both_sides_understand_each_other),
		t_test(closing_waits_for_the_peer_but_not_for_ever),
		t_test(half_open_sessions_are_found),
		t_test(a_slow_reader_is_cut),
		t_test(urls_and_answers_are_read),
	};
	return t_run(tests);
}
