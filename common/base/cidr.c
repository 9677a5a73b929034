#include "common/base/cidr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Whether the first `bits` bits are equal. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool is_zero_below(const uint8_t *bytes, unsigned bits, unsigned all)
{
	for (unsigned bit = bits; bit < all; bit++) {
		if (bytes[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

bool cidr_parse(const char *text, struct cidr *cidr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct cidr read = {.family = 0};
	char host[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	if (text[0] == 0) {
		*cidr = read;
		return true;
	}
	if (length >= sizeof host)
		return false;
	memcpy(host, text, length);
	host[length] = 0;
	if (inet_pton(AF_INET, host, read.bytes) == 1)
		read.family = 4;
	else if (inet_pton(AF_INET6, host, read.bytes) == 1)
		read.family = 6;
	else
		return false;

	unsigned all = read.family == 4 ? 32 : 128;
	unsigned long prefix = all;
	if (text[length] == '/') {
		const char *digits = text + length + 1;
		char *end;
		if (digits[0] < '0' || digits[0] > '9')
			return false;
		prefix = strtoul(digits, &end, 10);
		if (*end != 0 || prefix > all)
			return false;
	}
	if (!is_zero_below(read.bytes, (unsigned)prefix, all))
		return false;
	if (read.family == 6 && prefix >= 96 && memcmp(read.bytes, mapped, sizeof mapped) == 0) {
		memmove(read.bytes, read.bytes + 12, 4);
		memset(read.bytes + 4, 0, 12);
		read.family = 4;
		prefix -= 96;
	}
	read.prefix = (uint8_t)prefix;
	*cidr = read;
	return true;
}

bool cidr_contains(const struct cidr *cidr, uint16_t family, const uint8_t bytes[16])
{
	if (cidr->family == 0)
		return true;
	return cidr->family == family && same_bits(cidr->bytes, bytes, cidr->prefix);
}
