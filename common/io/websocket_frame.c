#include "common/io/websocket_frame.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <openssl/evp.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* §1.3 */

static bool opcode_known(uint8_t opcode)
{
	return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static bool refuse(enum io_ws_reason *reason, enum io_ws_reason why)
{
	*reason = why;
	return true;
}

/* What the first two bytes alone tell. */
static bool refused_early(uint8_t first, uint8_t second, bool masked, enum io_ws_reason *reason)
{
	if (first & 0x70)
		return refuse(reason, IO_WS_RESERVED_BITS);
	if (!opcode_known(first & 0x0f))
		return refuse(reason, IO_WS_BAD_OPCODE);
	if (((second & 0x80) != 0) != masked)
		return refuse(reason, IO_WS_UNMASKED);
	if ((first & 0x0f) < WS_CLOSE)
		return false;
	if (!(first & 0x80))
		return refuse(reason, IO_WS_CONTROL_FRAGMENT);
	return (second & 0x7f) > WS_CONTROL_MAX && refuse(reason, IO_WS_CONTROL_TOO_LONG);
}

enum ws_read ws_header_read(struct rd *rd, bool masked, struct ws_header *header, enum io_ws_reason *reason)
{
	uint8_t first = rd_u8(rd), second = rd_u8(rd);
	if (!rd_ok(rd))
		return WS_READ_MORE;
	if (refused_early(first, second, masked, reason))
		return WS_READ_REFUSED;
	uint64_t length = second & 0x7f, shortest = 0;
	if (length == 126) {
		length = rd_u16be(rd);
		shortest = 126;
	} else if (length == 127) {
		length = rd_u64be(rd);
		shortest = UINT64_C(1) << 16;
	}
	if (!rd_ok(rd))
		return WS_READ_MORE;
	if (length < shortest || length > INT64_MAX) {
		*reason = IO_WS_BAD_LENGTH;
		return WS_READ_REFUSED;
	}
	struct ws_header read = {.opcode = (enum ws_opcode)(first & 0x0f),
				 .fin = (first & 0x80) != 0,
				 .masked = masked,
				 .length = length};
	if (masked)
		rd_copy(rd, read.mask, sizeof read.mask);
	if (!rd_ok(rd))
		return WS_READ_MORE;
	*header = read;
	return WS_READ_WHOLE;
}

void ws_header_write(struct wr *wr, enum ws_opcode opcode, bool fin, const uint8_t mask[4], uint64_t length)
{
	uint8_t bit = mask ? 0x80 : 0;
	wr_u8(wr, (uint8_t)((fin ? 0x80u : 0u) | (unsigned)opcode));
	if (length < 126) {
		wr_u8(wr, (uint8_t)(bit | length));
	} else if (length <= UINT16_MAX) {
		wr_u8(wr, bit | 126);
		wr_u16be(wr, (uint16_t)length);
	} else {
		wr_u8(wr, bit | 127);
		wr_u64be(wr, length);
	}
	if (mask)
		wr_copy(wr, mask, 4);
}

/* Eight bytes at a time; memcpy keeps it free of alignment and of the machine's byte order. */
void ws_mask(uint8_t *bytes, size_t length, const uint8_t mask[4], uint64_t at)
{
	uint8_t turned[8];
	for (size_t i = 0; i < sizeof turned; i++)
		turned[i] = mask[(at + i) % 4];
	uint64_t word, key;
	memcpy(&key, turned, sizeof key);
	size_t done = 0;
	for (; length - done >= sizeof word; done += sizeof word) {
		memcpy(&word, bytes + done, sizeof word);
		word ^= key;
		memcpy(bytes + done, &word, sizeof word);
	}
	for (size_t i = 0; done < length; done++, i++)
		bytes[done] ^= turned[i];
}

bool ws_utf8_valid(const uint8_t *bytes, size_t length)
{
	/* {first byte from, to, second byte from, to, bytes}: RFC 3629 §4 */
	static const struct {
		uint8_t from, to, second_from, second_to, size;
	} rows[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	struct rd rd = rd_init(bytes, length);
	while (rd_left(&rd) > 0) {
		uint8_t first = rd_u8(&rd);
		if (first < 0x80)
			continue;
		size_t row = 0;
		while (row < ARRAY_SIZE(rows) && (first < rows[row].from || first > rows[row].to))
			row++;
		if (row == ARRAY_SIZE(rows))
			return false;
		uint8_t second = rd_u8(&rd);
		if (second < rows[row].second_from || second > rows[row].second_to)
			return false;
		for (size_t i = 2; i < rows[row].size; i++)
			if ((rd_u8(&rd) & 0xc0) != 0x80)
				return false;
	}
	return rd_ok(&rd);
}

bool ws_close_code_valid(uint16_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

bool ws_close_read(const uint8_t *bytes, size_t length, uint16_t *code, enum io_ws_reason *reason)
{
	if (length == 0) {
		*code = 1005;
		return true;
	}
	struct rd rd = rd_init(bytes, length);
	uint16_t given = rd_u16be(&rd);
	if (!rd_ok(&rd) || !ws_close_code_valid(given)) {
		*reason = IO_WS_BAD_CLOSE;
		return false;
	}
	size_t left = rd_left(&rd);
	if (!ws_utf8_valid(rd_take(&rd, left), left)) {
		*reason = IO_WS_BAD_UTF8;
		return false;
	}
	*code = given;
	return true;
}

void ws_accept_key(const char *key, char accept[WS_ACCEPT_ROOM])
{
	char text[WS_KEY_LENGTH + sizeof GUID];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	int used = snprintf(text, sizeof text, "%.*s" GUID, WS_KEY_LENGTH, key);
	ASSERT(EVP_Digest(text, (size_t)used, digest, &length, EVP_sha1(), NULL) == 1);
	ASSERT_CMP(length, ==, 20);
	base64_encode(accept, digest, length);
}

bool ws_key_valid(const char *key)
{
	uint8_t bytes[20];
	size_t length;
	return strlen(key) == WS_KEY_LENGTH &&
	       base64_decode(bytes, sizeof bytes, &length, key, WS_KEY_LENGTH) && length == 16;
}

/* --- the reasons' words */

static const struct {
	const char *name, *text;
} reasons[IO_WS_REASON_COUNT] = {
	[IO_WS_PEER_CLOSED] = {"peer_closed", "the peer closed"},
	[IO_WS_CONNECTION_LOST] = {"connection_lost", "the connection ended without a close frame"},
	[IO_WS_SLOW_READER] = {"slow_reader", "the peer read too slowly"},
	[IO_WS_PONG_MISSING] = {"pong_missing", "no answer to a ping: half-open"},
	[IO_WS_CLOSED_BY_US] = {"closed_by_us", "closed by this side"},
	[IO_WS_SERVER_STOPS] = {"server_stops", "the server stops"},
	[IO_WS_TOO_LONG] = {"too_long", "a message past the limit"},
	[IO_WS_UNMASKED] = {"unmasked", "a frame whose mask bit is not its sender's"},
	[IO_WS_BAD_OPCODE] = {"bad_opcode", "a reserved opcode"},
	[IO_WS_RESERVED_BITS] = {"reserved_bits", "reserved bits set"},
	[IO_WS_BAD_LENGTH] = {"bad_length", "a length that is not in its shortest form"},
	[IO_WS_CONTROL_TOO_LONG] = {"control_too_long", "a control frame of more than 125 bytes"},
	[IO_WS_CONTROL_FRAGMENT] = {"control_fragment", "a control frame in fragments"},
	[IO_WS_BAD_SEQUENCE] = {"bad_sequence", "fragments out of order"},
	[IO_WS_BAD_UTF8] = {"bad_utf8", "text that is not UTF-8"},
	[IO_WS_BAD_CLOSE] = {"bad_close", "a malformed close frame"},
	[IO_WS_NO_MEMORY] = {"no_memory", "no memory"},
	[IO_WS_NOT_REACHED] = {"not_reached", "the server was not reached"},
	[IO_WS_TLS_REFUSED] = {"tls_refused", "the TLS handshake failed"},
	[IO_WS_HANDSHAKE_FAILED] = {"handshake_failed", "the server did not upgrade"},
};

const char *io_ws_reason_name(enum io_ws_reason reason)
{
	return (unsigned)reason < IO_WS_REASON_COUNT ? reasons[reason].name : "unknown";
}

const char *io_ws_reason_text(enum io_ws_reason reason)
{
	return (unsigned)reason < IO_WS_REASON_COUNT ? reasons[reason].text : "unknown";
}
