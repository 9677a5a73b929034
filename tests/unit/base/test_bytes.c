#include "tests/harness/harness.h"

#include "common/base/bytes.h"

#include <string.h>

static void reads_straight_down(void **state)
{
	(void)state;
	const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct rd rd = rd_init(bytes, sizeof bytes);
	t_uint("u8", 1, rd_u8(&rd));
	t_uint("u16le", 0x0302, rd_u16le(&rd));
	t_uint("u24be", 0x040506, rd_u24be(&rd));
	uint8_t reversed[4];
	rd_copy_reversed(&rd, reversed, sizeof reversed);
	t_bytes("reversed", (const uint8_t[]){10, 9, 8, 7}, 4, reversed, 4);
	t_uint("left", 2, rd_left(&rd));
	t_true("ok", rd_ok(&rd));
}

static void error_sticks_and_yields_zeros(void **state)
{
	(void)state;
	const uint8_t bytes[] = {1, 2, 3};
	struct rd rd = rd_init(bytes, sizeof bytes);
	t_uint("too long", 0, rd_u32le(&rd));
	t_uint("after the error", 0, rd_u8(&rd));
	t_uint("left", 0, rd_left(&rd));
	uint8_t copy[2] = {9, 9};
	rd_copy(&rd, copy, 2);
	t_bytes("copy is zeroed", (const uint8_t[]){0, 0}, 2, copy, 2);
	t_false("ok", rd_ok(&rd));
}

static void writer_never_leaves_its_buffer(void **state)
{
	(void)state;
	uint8_t bytes[6];
	memset(bytes, 0xee, sizeof bytes);
	struct wr wr = wr_init(bytes, 4);
	wr_u8(&wr, 1);
	wr_u16be(&wr, 0x0203);
	t_uint("room", 1, wr_room(&wr));
	wr_u16le(&wr, 0xffff);
	t_false("ok", wr_ok(&wr));
	t_uint("length after an error", 0, wr_length(&wr));
	t_bytes("bytes", (const uint8_t[]){1, 2, 3, 0xee, 0xee, 0xee}, 6, bytes, 6);
}

static void values_survive_both_ways(void **state)
{
	(void)state;
	uint8_t bytes[64];
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_u24le(&wr, 0xabcdef);
	wr_u32be(&wr, 0x89abcdef);
	wr_u64le(&wr, UINT64_C(0xfedcba9876543210));
	wr_u64be(&wr, UINT64_C(0xfedcba9876543210));
	wr_zeros(&wr, 3);
	struct rd rd = rd_init(bytes, wr_length(&wr));
	t_uint("u24le", 0xabcdef, rd_u24le(&rd));
	t_uint("u32be", 0x89abcdef, rd_u32be(&rd));
	t_uint("u64le", UINT64_C(0xfedcba9876543210), rd_u64le(&rd));
	t_uint("u64be", UINT64_C(0xfedcba9876543210), rd_u64be(&rd));
	t_uint("zeros", 0, rd_u24le(&rd));
	t_uint("left", 0, rd_left(&rd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(reads_straight_down),
		t_test(error_sticks_and_yields_zeros),
		t_test(writer_never_leaves_its_buffer),
		t_test(values_survive_both_ways),
	};
	return t_run(tests);
}
