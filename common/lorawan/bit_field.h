/* Fields of commands as bits of a payload: the payload is a little-endian string of bits, bit 0 the lowest bit of the first
 * byte, so that a nibble, a 16-bit mask and a 24-bit frequency are read the same way. Members of structs are read and
 * written by their size (1, 2 or 4 bytes), so that rows of a table may describe them. Used by the tables of MAC commands
 * and of application packages. */
#ifndef LAMPPOST_LORAWAN_BIT_FIELD_H
#define LAMPPOST_LORAWAN_BIT_FIELD_H

#include <stddef.h>
#include <stdint.h>

/* Returns `bits` (at most 32) bits from `first_bit` on; the payload must hold them. */
uint32_t lw_bits_get(const uint8_t *payload, unsigned first_bit, unsigned bits);
/* Sets those bits, which must be 0 before, to the low bits of `value`. */
void lw_bits_put(uint8_t *payload, unsigned first_bit, unsigned bits, uint32_t value);
/* Returns the low `bits` of `value` as a two's complement number. */
int64_t lw_bits_signed(uint32_t value, unsigned bits);

/* Read and write an unsigned or two's complement member of 1, 2 or 4 bytes. */
uint32_t lw_member_get(const void *member, size_t size);
void lw_member_put(void *member, size_t size, uint32_t value);

#endif
