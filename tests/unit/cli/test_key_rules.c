/* Keys that are no secret, a row each; and a thousand that are one, which no rule may touch. */
#include "tests/harness/harness.h"

#include "cli/key_rules.h"
#include "common/crypto/secret.h"

#include <string.h>

static const struct lw_eui64 device = {{0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0x00, 0x00, 0x01}};

static const struct {
	const char *name, *key, *rule; /* NULL: it is taken */
	bool never;
} rows[] = {
	{"drawn by lot", "8a1f6c02d94e4b7fa3b05c6de7182930", NULL, false},
	{"zeros", "00000000000000000000000000000000", "zeros", true},
	{"an erased memory", "ffffffffffffffffffffffffffffffff", "one byte", false},
	{"FIPS 197's", "2b7e151628aed2a6abf7158809cf4f3c", "published", false},
	{"its last byte is another", "2b7e151628aed2a6abf7158809cf4f3d", NULL, false},
	{"Milesight's", "5572404c696e6b4c6f52613230313823", "published", false},
	{"RAK's", "2b84e0b09b68e5cb42176fe753dcee79", "published", false},
	{"a forum's", "b6b53f4a168a7a88bdf7ea135ce9cfca", "published", false},
	{"Heltec's", "88888888888888888888888888886601", "one byte", false},
	{"Heltec's for ABP", "15b1d0efa463dfbe3d11181e1ec7da85", "published", false},
	{"a number", "00000000000000000000000000000007", "one byte", false},
	{"a number of four bytes", "00000000000000000000000012345678", "one byte", false},
	{"eleven zeros and five others", "0000000000000000000000a1b2c3d4e5", NULL, false},
	{"counting up", "000102030405060708090a0b0c0d0e0f", "counting", false},
	{"counting from one", "0102030405060708090a0b0c0d0e0f10", "counting", false},
	{"counting in elevens", "00112233445566778899aabbccddeeff", "counting", false},
	{"counting down", "ffeeddccbbaa99887766554433221100", "counting", false},
	{"counting, but for its end", "00112233445566778899aabbccddee01", NULL, false},
	{"sixteen digits twice", "0123456789abcdef0123456789abcdef", "a half twice", false},
	{"its DevEUI twice", "70b3d57ed000000170b3d57ed0000001", "of its DevEUI", false},
	{"its DevEUI and zeros", "70b3d57ed00000010000000000000000", "of its DevEUI", false},
	{"a JoinEUI and its DevEUI", "70b3d57ed000000070b3d57ed0000001", "of its DevEUI", false},
	{"its DevEUI, last byte first", "010000d07ed5b370a1b2c3d4e5f60718", "of its DevEUI", false},
	{"another's DevEUI and something", "70b3d57ed0000002a1b2c3d4e5f60718", NULL, false},
	{"another's DevEUI twice", "70b3d57ed000000270b3d57ed0000002", "a half twice", false},
};

static void each_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_key key;
		t_row(rows[i].name);
		assert_true(lw_key_parse(rows[i].key, &key));
		const struct key_rule *rule = key_rule_broken(&key, &device);
		t_str("rule", rows[i].rule ? rows[i].rule : "none", rule ? rule->name : "none");
		t_int("never", rows[i].never, rule ? rule->never : false);
		t_true("the words tell no digit of it", !rule || !strstr(rule->words, rows[i].key));
		for (int allowed = 0; allowed < 2; allowed++) {
			struct key_watch *watch = key_watch_new(allowed);
			const char *why = key_watch_refusal(watch, "app_key", &device, &key);
			t_int(allowed ? "refused though allowed" : "refused",
			      rows[i].rule && (!allowed || rows[i].never), why != NULL);
			key_watch_free(watch);
		}
	}
	t_row("every rule has a row");
	for (size_t i = 0; i < key_rule_count; i++) {
		bool named = false;
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
			named |= rows[j].rule && strcmp(rows[j].rule, key_rules[i].name) == 0;
		t_true(key_rules[i].name, named);
	}
}

static void secrets_are_taken(void **state)
{
	(void)state;
	struct key_watch *watch = key_watch_new(false);
	for (int i = 0; i < 1000; i++) {
		struct lw_key key;
		struct lw_eui64 other = lw_eui64_from_number(UINT64_C(0x70b3d57ed0000000) + (unsigned)i);
		secret_random(key.bytes, sizeof key.bytes);
		t_true("taken", key_watch_refusal(watch, "app_key", &other, &key) == NULL);
	}
	key_watch_free(watch);
}

static void one_key_of_two_devices(void **state)
{
	(void)state;
	struct key_watch *watch = key_watch_new(false);
	struct lw_eui64 other = {{0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0x00, 0x00, 0x02}};
	struct lw_key key;
	secret_random(key.bytes, sizeof key.bytes);
	t_true("the first", key_watch_refusal(watch, "app_key", &device, &key) == NULL);
	t_true("the same device again", key_watch_refusal(watch, "app_key", &device, &key) == NULL);
	t_true("another key of it", key_watch_refusal(watch, "nwk_key", &device, &key) == NULL);
	const char *why = key_watch_refusal(watch, "app_key", &other, &key);
	t_true("another device", why && strstr(why, "70b3d57ed0000001"));
	why = key_watch_refusal(watch, "nwk_key", &other, &key);
	t_true("its other key", why != NULL);
	key_watch_free(watch);
	watch = key_watch_new(true);
	t_true("allowed", key_watch_refusal(watch, "app_key", &device, &key) == NULL &&
				  key_watch_refusal(watch, "app_key", &other, &key) == NULL);
	key_watch_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_is_known),
		t_test(secrets_are_taken),
		t_test(one_key_of_two_devices),
	};
	if (secret_init() != ST_OK)
		return 1;
	return t_run(tests);
}
