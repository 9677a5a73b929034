#include "cli/key_rules.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/secret.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF 8 /* bytes of a key that an EUI fills */

/* --- what they look like --------------------------------------------------------------------------------------------- */

static size_t times(const struct lw_key *key, uint8_t byte)
{
	size_t count = 0;
	for (size_t i = 0; i < sizeof key->bytes; i++)
		count += key->bytes[i] == byte;
	return count;
}

static bool is_zeros(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	(void)dev_eui;
	return times(key, 0) == sizeof key->bytes;
}

/* Sixteen bytes in thirty lines of other people's documents: each of these is found by a search for "AppKey". */
static bool is_published(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	static const uint8_t published[][16] = {
		/* FIPS 197 and Semtech's LoRaMac-node, and through it half the AT command manuals */
		{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
		 0x3c},
		/* what Milesight's devices leave the factory with */
		{0x55, 0x72, 0x40, 0x4c, 0x69, 0x6e, 0x6b, 0x4c, 0x6f, 0x52, 0x61, 0x32, 0x30, 0x31, 0x38,
		 0x23},
		/* RAKwireless's quick starts */
		{0x2b, 0x84, 0xe0, 0xb0, 0x9b, 0x68, 0xe5, 0xcb, 0x42, 0x17, 0x6f, 0xe7, 0x53, 0xdc, 0xee,
		 0x79},
		/* the worked example of The Things Network's forum and of many libraries' tests */
		{0xb6, 0xb5, 0x3f, 0x4a, 0x16, 0x8a, 0x7a, 0x88, 0xbd, 0xf7, 0xea, 0x13, 0x5c, 0xe9, 0xcf,
		 0xca},
		/* Heltec's examples, ABP */
		{0x15, 0xb1, 0xd0, 0xef, 0xa4, 0x63, 0xdf, 0xbe, 0x3d, 0x11, 0x18, 0x1e, 0x1e, 0xc7, 0xda,
		 0x85},
	};
	(void)dev_eui;
	for (size_t i = 0; i < ARRAY_SIZE(published); i++)
		if (memcmp(key->bytes, published[i], sizeof published[i]) == 0)
			return true;
	return false;
}

/* In either order of its bytes, in either half. */
static bool is_made_of_the_eui(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	uint8_t turned[HALF];
	for (size_t i = 0; i < HALF; i++)
		turned[i] = dev_eui->bytes[HALF - 1 - i];
	for (size_t at = 0; at < sizeof key->bytes; at += HALF)
		if (memcmp(key->bytes + at, dev_eui->bytes, HALF) == 0 ||
		    memcmp(key->bytes + at, turned, HALF) == 0)
			return true;
	return false;
}

/* FF..FF of an empty memory, 88..88 66 01 of an example, 00..00 07 of somebody who counts devices. */
static bool is_mostly_one_byte(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	(void)dev_eui;
	for (size_t i = 0; i < sizeof key->bytes; i++)
		if (times(key, key->bytes[i]) >= 12)
			return true;
	return false;
}

/* 00 01 02.., 00 11 22.., and both backwards. */
static bool counts(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	uint8_t step = (uint8_t)(key->bytes[1] - key->bytes[0]);
	(void)dev_eui;
	for (size_t i = 1; i < sizeof key->bytes; i++)
		if ((uint8_t)(key->bytes[i] - key->bytes[i - 1]) != step)
			return false;
	return true;
}

/* 01 23 45 67 89 AB CD EF twice, or a JoinEUI. */
static bool is_a_half_twice(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	(void)dev_eui;
	return memcmp(key->bytes, key->bytes + HALF, HALF) == 0;
}

#define INSTEAD "; have the device given a key of its own, or say --" KEY_ALLOW_OPTION

const struct key_rule key_rules[] = {
	{"zeros", is_zeros,
	 "is sixteen zero bytes, which is no key: the device has none, or the file does not tell it; ask its "
	 "maker",
	 true},
	{"published", is_published,
	 "stands in manuals and on the web, so that anybody can be this device" INSTEAD, false},
	{"of its DevEUI", is_made_of_the_eui,
	 "is made of its DevEUI, which every frame of a join tells" INSTEAD, false},
	{"one byte", is_mostly_one_byte,
	 "is one byte again and again, as an empty memory or an example has it" INSTEAD, false},
	{"counting", counts, "counts from byte to byte, as examples do" INSTEAD, false},
	{"a half twice", is_a_half_twice, "is eight bytes twice, as examples and EUIs are" INSTEAD, false},
};
const size_t key_rule_count = ARRAY_SIZE(key_rules);

const struct key_rule *key_rule_broken(const struct lw_key *key, const struct lw_eui64 *dev_eui)
{
	for (size_t i = 0; i < key_rule_count; i++)
		if (key_rules[i].is(key, dev_eui))
			return &key_rules[i];
	return NULL;
}

/* --- keys that devices share ----------------------------------------------------------------------------------------- */

struct key_watch {
	bool allow_known;
	uint8_t secret[SECRET_HASH];
	json_t *seen; /* a keyed hash → the first device that had it */
	char why[160];
};

struct key_watch *key_watch_new(bool allow_known)
{
	struct key_watch *watch = calloc(1, sizeof *watch);
	ASSERT(watch);
	watch->allow_known = allow_known;
	watch->seen = json_object();
	secret_random(watch->secret, sizeof watch->secret);
	return watch;
}

void key_watch_free(struct key_watch *watch)
{
	if (!watch)
		return;
	json_decref(watch->seen);
	secret_wipe(watch, sizeof *watch);
	free(watch);
}

/* The device that had this key in this field before; NULL: none had, and it is remembered. */
static const char *had_before(struct key_watch *watch, const char *field, const char *eui,
			      const struct lw_key *key)
{
	uint8_t words[SECRET_HASH + sizeof key->bytes + 32] = {0}, hash[SECRET_HASH];
	char text[2 * SECRET_HASH + 1];
	memcpy(words, watch->secret, SECRET_HASH);
	memcpy(words + SECRET_HASH, key->bytes, sizeof key->bytes);
	snprintf((char *)words + SECRET_HASH + sizeof key->bytes, 32, "%s", field);
	secret_hash(hash, words, sizeof words);
	secret_wipe(words, sizeof words);
	hex_encode(text, hash, sizeof hash);
	const char *first = json_string_value(json_object_get(watch->seen, text));
	if (!first)
		json_object_set_new(watch->seen, text, json_string(eui));
	return first && strcmp(first, eui) != 0 ? first : NULL;
}

const char *key_watch_refusal(struct key_watch *watch, const char *field, const struct lw_eui64 *dev_eui,
			      const struct lw_key *key)
{
	const struct key_rule *rule = key_rule_broken(key, dev_eui);
	char eui[LW_EUI64_TEXT];
	if (rule && (rule->never || !watch->allow_known))
		return rule->words;
	if (watch->allow_known)
		return NULL;
	lw_eui64_format(eui, dev_eui);
	const char *first = had_before(watch, field, eui, key);
	if (!first)
		return NULL;
	snprintf(watch->why, sizeof watch->why,
		 "is the key of %s too: whoever has one of them has both" INSTEAD, first);
	return watch->why;
}
