#include "common/lorawan/types.h"

#include "common/base/hex.h"

#include <string.h>

static const char *const mac_version_names[LW_MAC_VERSION_COUNT] = {
	[LW_MAC_1_0_0] = "1.0.0", [LW_MAC_1_0_1] = "1.0.1", [LW_MAC_1_0_2] = "1.0.2",
	[LW_MAC_1_0_3] = "1.0.3", [LW_MAC_1_0_4] = "1.0.4", [LW_MAC_1_1_0] = "1.1.0",
};

bool lw_mac_version_parse(const char *text, enum lw_mac_version *version)
{
	if (strcmp(text, "1.0") == 0)
		text = "1.0.0";
	if (strcmp(text, "1.1") == 0)
		text = "1.1.0";
	for (unsigned i = 0; i < LW_MAC_VERSION_COUNT; i++) {
		if (strcmp(text, mac_version_names[i]) == 0) {
			*version = (enum lw_mac_version)i;
			return true;
		}
	}
	return false;
}

const char *lw_mac_version_name(enum lw_mac_version version)
{
	return (unsigned)version < LW_MAC_VERSION_COUNT ? mac_version_names[version] : "unknown";
}

static const char *const revision_names[LW_REGIONAL_REVISION_COUNT] = {
	[LW_RP001_1_0] = "rp001-1.0",       [LW_RP001_1_0_1] = "rp001-1.0.1",
	[LW_RP001_1_0_2A] = "rp001-1.0.2a", [LW_RP001_1_0_2B] = "rp001-1.0.2b",
	[LW_RP001_1_0_3A] = "rp001-1.0.3a", [LW_RP001_1_1A] = "rp001-1.1a",
	[LW_RP001_1_1B] = "rp001-1.1b",     [LW_RP002_1_0_0] = "rp002-1.0.0",
	[LW_RP002_1_0_1] = "rp002-1.0.1",   [LW_RP002_1_0_2] = "rp002-1.0.2",
	[LW_RP002_1_0_3] = "rp002-1.0.3",   [LW_RP002_1_0_4] = "rp002-1.0.4",
};

bool lw_regional_revision_parse(const char *text, enum lw_regional_revision *revision)
{
	for (unsigned i = 0; i < LW_REGIONAL_REVISION_COUNT; i++) {
		if (strcmp(text, revision_names[i]) == 0) {
			*revision = (enum lw_regional_revision)i;
			return true;
		}
	}
	return false;
}

const char *lw_regional_revision_name(enum lw_regional_revision revision)
{
	return (unsigned)revision < LW_REGIONAL_REVISION_COUNT ? revision_names[revision] : "unknown";
}

const char *lw_mac_version_short_name(enum lw_mac_version version)
{
	switch (version) {
	case LW_MAC_1_0_0: return "1.0";
	case LW_MAC_1_1_0: return "1.1";
	default: return lw_mac_version_name(version);
	}
}

bool lw_eui64_parse(const char *text, struct lw_eui64 *eui)
{
	struct lw_eui64 parsed = {0};
	if (!hex_decode_exact(parsed.bytes, sizeof parsed.bytes, text))
		return false;
	*eui = parsed;
	return true;
}

static uint32_t number_of(const uint8_t *bytes, size_t length)
{
	uint32_t value = 0;
	for (size_t i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

bool lw_dev_addr_parse(const char *text, struct lw_dev_addr *dev_addr)
{
	uint8_t bytes[4];
	if (!hex_decode_exact(bytes, sizeof bytes, text))
		return false;
	dev_addr->value = number_of(bytes, sizeof bytes);
	return true;
}

bool lw_net_id_parse(const char *text, struct lw_net_id *net_id)
{
	uint8_t bytes[3];
	if (!hex_decode_exact(bytes, sizeof bytes, text))
		return false;
	net_id->value = number_of(bytes, sizeof bytes);
	return true;
}

bool lw_key_parse(const char *text, struct lw_key *key)
{
	struct lw_key parsed = {0};
	bool ok = hex_decode_exact(parsed.bytes, sizeof parsed.bytes, text);
	if (ok)
		*key = parsed;
	lw_key_wipe(&parsed);
	return ok;
}

void lw_eui64_format(char text[LW_EUI64_TEXT], const struct lw_eui64 *eui)
{
	hex_encode(text, eui->bytes, sizeof eui->bytes);
}

void lw_dev_addr_format(char text[LW_DEV_ADDR_TEXT], struct lw_dev_addr dev_addr)
{
	const uint8_t bytes[4] = {(uint8_t)(dev_addr.value >> 24), (uint8_t)(dev_addr.value >> 16),
				  (uint8_t)(dev_addr.value >> 8), (uint8_t)dev_addr.value};
	hex_encode(text, bytes, sizeof bytes);
}

void lw_net_id_format(char text[LW_NET_ID_TEXT], struct lw_net_id net_id)
{
	const uint8_t bytes[3] = {(uint8_t)(net_id.value >> 16), (uint8_t)(net_id.value >> 8),
				  (uint8_t)net_id.value};
	hex_encode(text, bytes, sizeof bytes);
}

bool lw_eui64_equal(const struct lw_eui64 *a, const struct lw_eui64 *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

uint64_t lw_eui64_number(const struct lw_eui64 *eui)
{
	return (uint64_t)number_of(eui->bytes, 4) << 32 | number_of(eui->bytes + 4, 4);
}

struct lw_eui64 lw_eui64_from_number(uint64_t number)
{
	struct lw_eui64 eui;
	for (size_t i = 0; i < sizeof eui.bytes; i++)
		eui.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	return eui;
}

struct lw_eui64 lw_eui64_reverse(const struct lw_eui64 *eui)
{
	struct lw_eui64 reversed;
	for (size_t i = 0; i < sizeof reversed.bytes; i++)
		reversed.bytes[i] = eui->bytes[sizeof reversed.bytes - 1 - i];
	return reversed;
}

void lw_key_wipe(struct lw_key *key)
{
	explicit_bzero(key->bytes, sizeof key->bytes);
}
