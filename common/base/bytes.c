#include "common/base/bytes.h"

#include <string.h>

struct rd rd_init(const uint8_t *bytes, size_t length)
{
	return (struct rd){.at = bytes, .end = length ? bytes + length : bytes};
}

bool rd_ok(const struct rd *rd)
{
	return !rd->failed;
}

size_t rd_left(const struct rd *rd)
{
	return rd->failed ? 0 : (size_t)(rd->end - rd->at);
}

void rd_fail(struct rd *rd)
{
	rd->failed = true;
}

const uint8_t *rd_take(struct rd *rd, size_t length)
{
	if (rd->failed || length > (size_t)(rd->end - rd->at)) {
		rd->failed = true;
		return NULL;
	}
	const uint8_t *taken = rd->at;
	rd->at += length;
	return taken;
}

static uint64_t read_le(struct rd *rd, size_t length)
{
	const uint8_t *bytes = rd_take(rd, length);
	uint64_t value = 0;
	for (size_t i = length; bytes && i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static uint64_t read_be(struct rd *rd, size_t length)
{
	const uint8_t *bytes = rd_take(rd, length);
	uint64_t value = 0;
	for (size_t i = 0; bytes && i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t rd_u8(struct rd *rd)
{
	return (uint8_t)read_le(rd, 1);
}

uint16_t rd_u16le(struct rd *rd)
{
	return (uint16_t)read_le(rd, 2);
}

uint32_t rd_u24le(struct rd *rd)
{
	return (uint32_t)read_le(rd, 3);
}

uint32_t rd_u32le(struct rd *rd)
{
	return (uint32_t)read_le(rd, 4);
}

uint64_t rd_u64le(struct rd *rd)
{
	return read_le(rd, 8);
}

uint16_t rd_u16be(struct rd *rd)
{
	return (uint16_t)read_be(rd, 2);
}

uint32_t rd_u24be(struct rd *rd)
{
	return (uint32_t)read_be(rd, 3);
}

uint32_t rd_u32be(struct rd *rd)
{
	return (uint32_t)read_be(rd, 4);
}

uint64_t rd_u64be(struct rd *rd)
{
	return read_be(rd, 8);
}

void rd_copy(struct rd *rd, uint8_t *out, size_t length)
{
	const uint8_t *bytes = rd_take(rd, length);
	if (bytes && length)
		memcpy(out, bytes, length);
	else if (length)
		memset(out, 0, length);
}

void rd_copy_reversed(struct rd *rd, uint8_t *out, size_t length)
{
	const uint8_t *bytes = rd_take(rd, length);
	for (size_t i = 0; i < length; i++)
		out[i] = bytes ? bytes[length - 1 - i] : 0;
}

struct wr wr_init(uint8_t *bytes, size_t capacity)
{
	return (struct wr){.start = bytes, .at = bytes, .end = capacity ? bytes + capacity : bytes};
}

bool wr_ok(const struct wr *wr)
{
	return !wr->failed;
}

size_t wr_length(const struct wr *wr)
{
	return wr->failed ? 0 : (size_t)(wr->at - wr->start);
}

size_t wr_room(const struct wr *wr)
{
	return wr->failed ? 0 : (size_t)(wr->end - wr->at);
}

void wr_fail(struct wr *wr)
{
	wr->failed = true;
}

/* Lends room for `length` bytes, or NULL with the error stuck. */
static uint8_t *reserve(struct wr *wr, size_t length)
{
	if (wr->failed || length > (size_t)(wr->end - wr->at)) {
		wr->failed = true;
		return NULL;
	}
	uint8_t *room = wr->at;
	wr->at += length;
	return room;
}

static void write_le(struct wr *wr, uint64_t value, size_t length)
{
	uint8_t *room = reserve(wr, length);
	for (size_t i = 0; room && i < length; i++)
		room[i] = (uint8_t)(value >> (8 * i));
}

static void write_be(struct wr *wr, uint64_t value, size_t length)
{
	uint8_t *room = reserve(wr, length);
	for (size_t i = 0; room && i < length; i++)
		room[length - 1 - i] = (uint8_t)(value >> (8 * i));
}

void wr_u8(struct wr *wr, uint8_t value)
{
	write_le(wr, value, 1);
}

void wr_u16le(struct wr *wr, uint16_t value)
{
	write_le(wr, value, 2);
}

void wr_u24le(struct wr *wr, uint32_t value)
{
	write_le(wr, value, 3);
}

void wr_u32le(struct wr *wr, uint32_t value)
{
	write_le(wr, value, 4);
}

void wr_u64le(struct wr *wr, uint64_t value)
{
	write_le(wr, value, 8);
}

void wr_u16be(struct wr *wr, uint16_t value)
{
	write_be(wr, value, 2);
}

void wr_u24be(struct wr *wr, uint32_t value)
{
	write_be(wr, value, 3);
}

void wr_u32be(struct wr *wr, uint32_t value)
{
	write_be(wr, value, 4);
}

void wr_u64be(struct wr *wr, uint64_t value)
{
	write_be(wr, value, 8);
}

void wr_copy(struct wr *wr, const uint8_t *bytes, size_t length)
{
	uint8_t *room = reserve(wr, length);
	if (room && length)
		memcpy(room, bytes, length);
}

void wr_copy_reversed(struct wr *wr, const uint8_t *bytes, size_t length)
{
	uint8_t *room = reserve(wr, length);
	for (size_t i = 0; room && i < length; i++)
		room[i] = bytes[length - 1 - i];
}

void wr_zeros(struct wr *wr, size_t length)
{
	uint8_t *room = reserve(wr, length);
	if (room && length)
		memset(room, 0, length);
}
