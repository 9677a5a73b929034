/* Cursors over bytes with a sticky error: read or write straight down, ask once at the end.
 *
 *	struct rd rd = rd_init(bytes, length);
 *	frame->mhdr = rd_u8(&rd);
 *	frame->dev_addr = rd_u32le(&rd);
 *	if (!rd_ok(&rd) || rd_left(&rd) != 0)
 *		return ...;
 *
 * After an error a reader yields zeros and a writer writes nothing; neither ever leaves its buffer. No parser
 * indexes a buffer directly. */
#ifndef LAMPPOST_BASE_BYTES_H
#define LAMPPOST_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *at; /* borrowed from the caller's buffer */
	const uint8_t *end;
	bool failed;
};

struct wr {
	uint8_t *start; /* borrowed from the caller's buffer */
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

struct rd rd_init(const uint8_t *bytes, size_t length);
bool rd_ok(const struct rd *rd);
size_t rd_left(const struct rd *rd); /* 0 after an error */
void rd_fail(struct rd *rd);         /* makes the error stick */

uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16le(struct rd *rd);
uint32_t rd_u24le(struct rd *rd);
uint32_t rd_u32le(struct rd *rd);
uint64_t rd_u64le(struct rd *rd);
uint16_t rd_u16be(struct rd *rd);
uint32_t rd_u24be(struct rd *rd);
uint32_t rd_u32be(struct rd *rd);
uint64_t rd_u64be(struct rd *rd);
/* Copies `length` bytes to `out`; on an error `out` is zeroed. */
void rd_copy(struct rd *rd, uint8_t *out, size_t length);
/* Copies `length` bytes in reverse order (EUIs are reversed on air); on an error `out` is zeroed. */
void rd_copy_reversed(struct rd *rd, uint8_t *out, size_t length);
/* Lends the next `length` bytes, valid as long as the buffer is; NULL on an error. */
const uint8_t *rd_take(struct rd *rd, size_t length);

struct wr wr_init(uint8_t *bytes, size_t capacity);
bool wr_ok(const struct wr *wr);
size_t wr_length(const struct wr *wr); /* bytes written so far; 0 after an error */
size_t wr_room(const struct wr *wr);   /* bytes that still fit; 0 after an error */
void wr_fail(struct wr *wr);

void wr_u8(struct wr *wr, uint8_t value);
void wr_u16le(struct wr *wr, uint16_t value);
void wr_u24le(struct wr *wr, uint32_t value);
void wr_u32le(struct wr *wr, uint32_t value);
void wr_u64le(struct wr *wr, uint64_t value);
void wr_u16be(struct wr *wr, uint16_t value);
void wr_u24be(struct wr *wr, uint32_t value);
void wr_u32be(struct wr *wr, uint32_t value);
void wr_u64be(struct wr *wr, uint64_t value);
void wr_copy(struct wr *wr, const uint8_t *bytes, size_t length);
void wr_copy_reversed(struct wr *wr, const uint8_t *bytes, size_t length);
void wr_zeros(struct wr *wr, size_t length);

#endif
