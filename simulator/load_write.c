#include "simulator/load_write.h"

#include <string.h>

void sim_load_put_text(struct wr *wr, const char *text)
{
	wr_copy(wr, (const uint8_t *)text, strlen(text));
}

void sim_load_put_number(struct wr *wr, uint32_t value)
{
	uint8_t digits[10];
	size_t at = sizeof digits;
	do {
		digits[--at] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	wr_copy(wr, digits + at, sizeof digits - at);
}
