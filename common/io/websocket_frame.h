/* WebSocket frames from bytes and to bytes (RFC 6455 §5), strictly. Pure: no socket, no clock.
 *
 *	 0               1               2 ...
 *	+-+-+-+-+-------+-+-------------+--------------------+------------+---------
 *	|F|R|R|R| opcode|M| length (7)  | length (0, 16, 64) | mask (0,32)| payload
 *	+-+-+-+-+-------+-+-------------+--------------------+------------+---------
 */
#ifndef LAMPPOST_IO_WEBSOCKET_FRAME_H
#define LAMPPOST_IO_WEBSOCKET_FRAME_H

#include "common/base/bytes.h"
#include "common/io/websocket.h"

enum ws_opcode {
	WS_CONTINUATION = 0x0,
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xa
};

#define WS_HEADER_MAX     14
#define WS_CONTROL_MAX    125
#define WS_CLOSE_TEXT_MAX 123
#define WS_ACCEPT_ROOM    29 /* of a Sec-WebSocket-Accept, NUL included */
#define WS_KEY_LENGTH     24 /* of a Sec-WebSocket-Key */

struct ws_header {
	enum ws_opcode opcode;
	bool fin;
	bool masked;
	uint8_t mask[4];
	uint64_t length; /* of the payload */
};

enum ws_read { WS_READ_WHOLE, WS_READ_MORE, WS_READ_REFUSED };

/* Reads a frame's header from `rd`; the payload is next. `masked` is what the role asks for: true where the sender is a client.
 * WS_READ_MORE: not all there, `rd` is to be begun again. WS_READ_REFUSED: `*reason` says what is wrong, as soon as it can be
 * known. */
enum ws_read ws_header_read(struct rd *rd, bool masked, struct ws_header *header, enum io_ws_reason *reason);
/* Writes a header of at most WS_HEADER_MAX bytes; `mask` is NULL for a server's. */
void ws_header_write(struct wr *wr, enum ws_opcode opcode, bool fin, const uint8_t mask[4], uint64_t length);
/* Masks or unmasks in place. `at` is the offset of `bytes` in the payload. */
void ws_mask(uint8_t *bytes, size_t length, const uint8_t mask[4], uint64_t at);

/* Whether it is UTF-8 (RFC 3629): shortest forms, no surrogates, at most U+10FFFF, nothing broken off. */
bool ws_utf8_valid(const uint8_t *bytes, size_t length);
/* Whether a close frame may carry the code (§7.4). */
bool ws_close_code_valid(uint16_t code);
/* Reads a close frame's payload: code (1005 when empty) and text. False: *reason. */
bool ws_close_read(const uint8_t *bytes, size_t length, uint16_t *code, enum io_ws_reason *reason);
/* The answer to a Sec-WebSocket-Key (§4.2.2). */
void ws_accept_key(const char *key, char accept[WS_ACCEPT_ROOM]);
/* Whether it is a Sec-WebSocket-Key: 16 bytes in base64. */
bool ws_key_valid(const char *key);

#endif
