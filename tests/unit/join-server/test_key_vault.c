/* Root keys at rest: what opens, and above all what does not. */
#include "tests/harness/harness.h"

#include "join-server/key_vault.h"

#include <string.h>

static struct secret_master *masters[2];
static struct secret_box *boxes[2];
static struct js_key_vault vault, foreign;
static const struct lw_eui64 device_a = {{1, 2, 3, 4, 5, 6, 7, 8}};
static const struct lw_eui64 device_b = {{1, 2, 3, 4, 5, 6, 7, 9}};
static const struct lw_key key_1 = {
	{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 9, 0xcf, 4, 0x3c}};
static const struct lw_key key_2 = {{1}};

static int open_vaults(void **state)
{
	(void)state;
	assert_int_equal(secret_init(), ST_OK);
	for (int i = 0; i < 2; i++) {
		masters[i] = secret_master_generate();
		boxes[i] = secret_box_generate();
	}
	vault = (struct js_key_vault){.master = masters[0], .box = boxes[0]};
	foreign = (struct js_key_vault){.master = masters[1], .box = boxes[1]};
	return t_setup(state);
}

static int close_vaults(void **state)
{
	for (int i = 0; i < 2; i++) {
		secret_master_free(masters[i]);
		secret_box_free(boxes[i]);
	}
	return t_teardown(state);
}

static bool holds_key(const uint8_t *bytes, size_t length, const struct lw_key *key)
{
	return memmem(bytes, length, key->bytes, sizeof key->bytes) != NULL;
}

static void a_sealed_key_opens_in_its_place_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const struct lw_eui64 *dev_eui;
		enum sealed_key_kind kind;
		bool other_master;
		int changed; /* byte that is changed, −1: none */
		enum status status;
	} rows[] = {
		{"in its place", &device_a, SEALED_APP_KEY, false, -1, ST_OK},
		{"for another device", &device_b, SEALED_APP_KEY, false, -1, ST_REFUSED},
		{"as another kind", &device_a, SEALED_NWK_KEY, false, -1, ST_REFUSED},
		{"under another master key", &device_a, SEALED_APP_KEY, true, -1, ST_REFUSED},
		{"with its last byte changed", &device_a, SEALED_APP_KEY, false, JS_SEALED_ROOT_KEY - 1,
		 ST_REFUSED},
		{"with its nonce changed", &device_a, SEALED_APP_KEY, false, 5, ST_REFUSED},
		{"of another version", &device_a, SEALED_APP_KEY, false, 0, ST_INVALID},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t sealed[JS_SEALED_ROOT_KEY];
		js_key_vault_seal(&vault, &device_a, SEALED_APP_KEY, &key_1, sealed);
		t_false("in clear", holds_key(sealed, sizeof sealed, &key_1));
		if (rows[i].changed >= 0)
			sealed[rows[i].changed] ^= 1;
		struct lw_key opened = {{0}};
		t_str("status", status_name(rows[i].status),
		      status_name(js_key_vault_open(rows[i].other_master ? &foreign : &vault, rows[i].dev_eui,
						    rows[i].kind, sealed, &opened)));
		t_int("opened", rows[i].status == ST_OK, memcmp(&opened, &key_1, sizeof opened) == 0);
	}
}

static void a_sealed_kek_opens_under_its_label_and_version_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name, *label;
		uint32_t version;
		bool other_master;
		enum status status;
	} rows[] = {
		{"in its place", "agency-parks", 2, false, ST_OK},
		{"as the version before", "agency-parks", 1, false, ST_REFUSED},
		{"as the version after", "agency-parks", 3, false, ST_REFUSED},
		{"as another agency's", "agency-green", 2, false, ST_REFUSED},
		{"under the beginning of its label", "agency-park", 2, false, ST_REFUSED},
		{"under another master key", "agency-parks", 2, true, ST_REFUSED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t sealed[JS_SEALED_ROOT_KEY], opened[16] = {0};
		js_key_vault_seal_kek(&vault, "agency-parks", 2, key_1.bytes, sealed);
		t_false("in clear", holds_key(sealed, sizeof sealed, &key_1));
		t_str("status", status_name(rows[i].status),
		      status_name(js_key_vault_open_kek(rows[i].other_master ? &foreign : &vault,
							rows[i].label, rows[i].version, sealed, opened)));
		t_int("opened", rows[i].status == ST_OK, memcmp(opened, key_1.bytes, sizeof opened) == 0);
	}
}

static void a_key_in_transit_is_taken_for_its_device_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool other_box;
		enum sealed_key_kind sealed_as, taken_as;
		const struct lw_eui64 *sealed_for;
		size_t length;
		enum sealed_key_verdict verdict;
	} rows[] = {
		{"ours", false, SEALED_APP_KEY, SEALED_APP_KEY, &device_a, SEALED_KEY_LENGTH, SEALED_KEY_OK},
		{"to another process", true, SEALED_APP_KEY, SEALED_APP_KEY, &device_a, SEALED_KEY_LENGTH,
		 SEALED_KEY_NOT_FOR_THIS_BOX},
		{"of another kind", false, SEALED_NWK_KEY, SEALED_APP_KEY, &device_a, SEALED_KEY_LENGTH,
		 SEALED_KEY_WRONG_KIND},
		{"of another device", false, SEALED_APP_KEY, SEALED_APP_KEY, &device_b, SEALED_KEY_LENGTH,
		 SEALED_KEY_WRONG_DEVICE},
		{"sixteen bytes, as a key in clear has", false, SEALED_APP_KEY, SEALED_APP_KEY, &device_a, 16,
		 SEALED_KEY_BAD_LENGTH},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t transit[SEALED_KEY_LENGTH], sealed[JS_SEALED_ROOT_KEY];
		assert_int_equal(sealed_key_seal(transit, secret_box_public(boxes[rows[i].other_box]),
						 rows[i].sealed_as, rows[i].sealed_for->bytes, key_1.bytes),
				 ST_OK);
		enum sealed_key_verdict verdict = js_key_vault_take(&vault, &device_a, rows[i].taken_as,
								    transit, rows[i].length, sealed);
		t_str("verdict", sealed_key_verdict_name(rows[i].verdict), sealed_key_verdict_name(verdict));
		struct lw_key opened;
		if (verdict == SEALED_KEY_OK) {
			t_int("opens at rest", ST_OK,
			      js_key_vault_open(&vault, &device_a, rows[i].taken_as, sealed, &opened));
			t_bytes("key", key_1.bytes, 16, opened.bytes, 16);
		}
	}
}

static void marks_tell_keys_and_devices_apart(void **state)
{
	(void)state;
	uint8_t mark[5][JS_KEY_MARK];
	js_key_vault_mark(&vault, &device_a, &key_1, mark[0]);
	js_key_vault_mark(&vault, &device_a, &key_1, mark[1]);
	js_key_vault_mark(&vault, &device_a, &key_2, mark[2]);
	js_key_vault_mark(&vault, &device_b, &key_1, mark[3]);
	js_key_vault_mark(&foreign, &device_a, &key_1, mark[4]);
	t_bytes("the same key", mark[0], JS_KEY_MARK, mark[1], JS_KEY_MARK);
	t_true("another key", memcmp(mark[0], mark[2], JS_KEY_MARK) != 0);
	t_true("another device", memcmp(mark[0], mark[3], JS_KEY_MARK) != 0);
	t_true("another master key: nobody can try keys against a stolen database",
	       memcmp(mark[0], mark[4], JS_KEY_MARK) != 0);
	t_true("not the key", memcmp(mark[0], key_1.bytes, JS_KEY_MARK) != 0);
}

int main(void)
{
#define WITH_VAULTS(f)                                 \
	{                                              \
#f, f, open_vaults, close_vaults, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_VAULTS(a_sealed_key_opens_in_its_place_alone),
		WITH_VAULTS(a_sealed_kek_opens_under_its_label_and_version_alone),
		WITH_VAULTS(a_key_in_transit_is_taken_for_its_device_alone),
		WITH_VAULTS(marks_tell_keys_and_devices_apart),
	};
	return t_run(tests);
}
