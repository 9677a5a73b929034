#include "common/lorawan/eui_prefix.h"

#include <string.h>

bool lw_eui_prefix_parse(const char *text, struct lw_eui_prefix *prefix)
{
	char digits[LW_EUI64_TEXT];
	struct lw_eui64 eui;
	unsigned bits = 0;
	size_t length = strnlen(text, LW_EUI64_TEXT);
	if (length < LW_EUI64_TEXT || text[LW_EUI64_TEXT - 1] != '/')
		return false;
	memcpy(digits, text, LW_EUI64_TEXT - 1);
	digits[LW_EUI64_TEXT - 1] = 0;
	const char *at = text + LW_EUI64_TEXT;
	for (; *at >= '0' && *at <= '9' && bits <= 64; at++)
		bits = bits * 10 + (unsigned)(*at - '0');
	if (*at || bits < 1 || bits > 64 || !lw_eui64_parse(digits, &eui))
		return false;
	uint64_t value = lw_eui64_number(&eui);
	if (bits < 64 && value << bits != 0)
		return false;
	*prefix = (struct lw_eui_prefix){value, (uint8_t)bits};
	return true;
}

bool lw_eui_prefix_has(const struct lw_eui_prefix *prefix, const struct lw_eui64 *eui)
{
	return (lw_eui64_number(eui) ^ prefix->value) >> (64 - prefix->bits) == 0;
}
