#include "common/lorawan/dev_addr.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <string.h>

static const struct type_row {
	uint8_t nwk_id_bits;
	uint8_t nwk_addr_bits;
} types[8] = {{6, 25}, {6, 24}, {9, 20}, {11, 17}, {12, 15}, {13, 13}, {15, 10}, {17, 7}};

unsigned lw_net_id_type(struct lw_net_id net_id)
{
	return net_id.value >> 21 & 7;
}

unsigned lw_nwk_id_bits(unsigned type)
{
	ASSERT_CMP(type, <, ARRAY_SIZE(types));
	return types[type].nwk_id_bits;
}

unsigned lw_nwk_addr_bits(unsigned type)
{
	ASSERT_CMP(type, <, ARRAY_SIZE(types));
	return types[type].nwk_addr_bits;
}

static uint32_t low_bits(uint32_t value, unsigned bits)
{
	return value & ((UINT32_C(1) << bits) - 1);
}

/* The first `bits` bits set; 0 to 32. */
static uint32_t high_mask(unsigned bits)
{
	return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

/* `type` ones and a zero are all ones of type + 1 bits less the lowest. */
struct lw_dev_addr_prefix lw_net_id_prefix(struct lw_net_id net_id)
{
	unsigned type = lw_net_id_type(net_id);
	uint32_t nwk_id = low_bits(net_id.value, types[type].nwk_id_bits);
	return (struct lw_dev_addr_prefix){
		.value = high_mask(type) | nwk_id << types[type].nwk_addr_bits,
		.bits = (uint8_t)(32 - types[type].nwk_addr_bits),
	};
}

bool lw_dev_addr_build(struct lw_net_id net_id, uint32_t nwk_addr, struct lw_dev_addr *dev_addr)
{
	struct lw_dev_addr_prefix prefix = lw_net_id_prefix(net_id);
	if (nwk_addr & high_mask(prefix.bits))
		return false;
	dev_addr->value = prefix.value | nwk_addr;
	return true;
}

bool lw_dev_addr_split(struct lw_dev_addr dev_addr, unsigned *type, uint32_t *nwk_id, uint32_t *nwk_addr)
{
	unsigned ones = 0;
	while (ones < 8 && dev_addr.value & UINT32_C(0x80000000) >> ones)
		ones++;
	if (ones == 8)
		return false;
	*type = ones;
	*nwk_id = low_bits(dev_addr.value >> types[ones].nwk_addr_bits, types[ones].nwk_id_bits);
	*nwk_addr = low_bits(dev_addr.value, types[ones].nwk_addr_bits);
	return true;
}

bool lw_dev_addr_in(struct lw_dev_addr dev_addr, struct lw_dev_addr_prefix prefix)
{
	return ((dev_addr.value ^ prefix.value) & high_mask(prefix.bits)) == 0;
}

bool lw_dev_addr_prefix_parse(const char *text, struct lw_dev_addr_prefix *prefix)
{
	char digits[LW_DEV_ADDR_TEXT] = "";
	struct lw_dev_addr dev_addr;
	size_t length = strlen(text);
	if (length < 10 || length > 11 || text[8] != '/')
		return false;
	memcpy(digits, text, 8);
	if (!lw_dev_addr_parse(digits, &dev_addr))
		return false;
	unsigned bits = 0;
	for (const char *at = text + 9; *at; at++) {
		if (*at < '0' || *at > '9')
			return false;
		bits = bits * 10 + (unsigned)(*at - '0');
	}
	if (bits > 32 || (length == 11 && text[9] == '0') || dev_addr.value & ~high_mask(bits))
		return false;
	*prefix = (struct lw_dev_addr_prefix){.value = dev_addr.value, .bits = (uint8_t)bits};
	return true;
}

void lw_dev_addr_prefix_format(char text[LW_DEV_ADDR_PREFIX_TEXT], struct lw_dev_addr_prefix prefix)
{
	ASSERT_CMP(prefix.bits, <=, 32);
	lw_dev_addr_format(text, (struct lw_dev_addr){prefix.value});
	char *at = text + 8;
	*at++ = '/';
	if (prefix.bits >= 10)
		*at++ = (char)('0' + prefix.bits / 10);
	*at++ = (char)('0' + prefix.bits % 10);
	*at = '\0';
}
