#include "common/lorawan/bit_field.h"

#include "common/base/check.h"

#include <string.h>

uint32_t lw_bits_get(const uint8_t *payload, unsigned first_bit, unsigned bits)
{
	uint32_t value = 0;
	ASSERT_CMP(bits, <=, 32);
	for (unsigned i = 0; i < bits; i++) {
		unsigned bit = first_bit + i;
		value |= (uint32_t)(payload[bit / 8] >> bit % 8 & 1) << i;
	}
	return value;
}

void lw_bits_put(uint8_t *payload, unsigned first_bit, unsigned bits, uint32_t value)
{
	ASSERT_CMP(bits, <=, 32);
	for (unsigned i = 0; i < bits; i++) {
		unsigned bit = first_bit + i;
		payload[bit / 8] |= (uint8_t)((value >> i & 1) << bit % 8);
	}
}

int64_t lw_bits_signed(uint32_t value, unsigned bits)
{
	int64_t half = INT64_C(1) << (bits - 1);
	int64_t low = (int64_t)(value & (uint32_t)((INT64_C(1) << bits) - 1));
	return low >= half ? low - 2 * half : low;
}

uint32_t lw_member_get(const void *member, size_t size)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	switch (size) {
	case sizeof u8: memcpy(&u8, member, sizeof u8); return u8;
	case sizeof u16: memcpy(&u16, member, sizeof u16); return u16;
	case sizeof u32: memcpy(&u32, member, sizeof u32); return u32;
	default: ASSERT(!"a member of 1, 2 or 4 bytes"); return 0;
	}
}

void lw_member_put(void *member, size_t size, uint32_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	switch (size) {
	case sizeof u8: memcpy(member, &u8, sizeof u8); break;
	case sizeof u16: memcpy(member, &u16, sizeof u16); break;
	case sizeof value: memcpy(member, &value, sizeof value); break;
	default: ASSERT(!"a member of 1, 2 or 4 bytes");
	}
}
