#include "application-server/uuid.h"

#include "common/base/hex.h"

#include <string.h>

static const uint8_t groups[] = {4, 2, 2, 2, 6}; /* bytes between hyphens */

bool as_uuid_parse(const char *text, struct net_uuid *uuid)
{
	if (strlen(text) != AS_UUID_TEXT - 1)
		return false;
	struct net_uuid parsed;
	size_t at = 0, bytes = 0;
	for (size_t i = 0; i < sizeof groups; i++) {
		size_t length = 0;
		if (i && text[at++] != '-')
			return false;
		if (!hex_decode(parsed.bytes + bytes, groups[i], &length, text + at, 2u * groups[i]))
			return false;
		at += 2u * groups[i];
		bytes += groups[i];
	}
	*uuid = parsed;
	return true;
}

const char *as_uuid_format(char text[AS_UUID_TEXT], const struct net_uuid *uuid)
{
	size_t at = 0, bytes = 0;
	for (size_t i = 0; i < sizeof groups; i++) {
		if (i)
			text[at++] = '-';
		hex_encode(text + at, uuid->bytes + bytes, groups[i]);
		at += 2u * groups[i];
		bytes += groups[i];
	}
	return text;
}

struct net_uuid as_uuid_new(struct rng *rng)
{
	struct net_uuid uuid;
	rng_fill(rng, uuid.bytes, sizeof uuid.bytes);
	uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
	return uuid;
}

bool as_uuid_equal(const struct net_uuid *a, const struct net_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
