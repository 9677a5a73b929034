/* KEKs on their way: what opens, and above all what does not. */
#include "tests/harness/harness.h"

#include "common/crypto/sealed_kek.h"

#include <string.h>

static const uint8_t kek[16] = {0xe1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static struct secret_box *ours, *other;

static int make_boxes(void **state)
{
	assert_int_equal(secret_init(), ST_OK);
	ours = secret_box_generate();
	other = secret_box_generate();
	return t_setup(state);
}

static int free_boxes(void **state)
{
	secret_box_free(ours);
	secret_box_free(other);
	return t_teardown(state);
}

static void a_kek_opens_for_its_label_and_version_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name, *label;
		uint32_t version;
		bool other_box;
		size_t length;
		int changed; /* a byte; -1: none */
		enum sealed_key_verdict verdict;
	} rows[] = {
		{"as it was sealed", "parks", 2, false, SEALED_KEK_LENGTH, -1, SEALED_KEY_OK},
		{"of another label", "park", 2, false, SEALED_KEK_LENGTH, -1, SEALED_KEY_WRONG_DEVICE},
		{"of another version", "parks", 3, false, SEALED_KEK_LENGTH, -1, SEALED_KEY_WRONG_DEVICE},
		{"to another process", "parks", 2, true, SEALED_KEK_LENGTH, -1, SEALED_KEY_NOT_FOR_THIS_BOX},
		{"one byte short", "parks", 2, false, SEALED_KEK_LENGTH - 1, -1, SEALED_KEY_BAD_LENGTH},
		{"sixteen bytes, as a KEK in clear has", "parks", 2, false, 16, -1, SEALED_KEY_BAD_LENGTH},
		{"a changed byte", "parks", 2, false, SEALED_KEK_LENGTH, 60, SEALED_KEY_NOT_FOR_THIS_BOX},
		{"a label that cannot be", "Parks", 2, false, SEALED_KEK_LENGTH, -1,
		 SEALED_KEY_NOT_FOR_THIS_BOX},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t sealed[SEALED_KEK_LENGTH], opened[16] = {0};
		assert_int_equal(sealed_kek_seal(sealed, secret_box_public(rows[i].other_box ? other : ours),
						 "parks", 2, kek),
				 ST_OK);
		t_true("not in clear", memmem(sealed, sizeof sealed, kek, sizeof kek) == NULL);
		if (rows[i].changed >= 0)
			sealed[rows[i].changed] ^= 1;
		enum sealed_key_verdict verdict = sealed_kek_open(ours, sealed, rows[i].length, rows[i].label,
								  rows[i].version, opened);
		t_str("verdict", sealed_key_verdict_name(rows[i].verdict), sealed_key_verdict_name(verdict));
		t_int("opened", verdict == SEALED_KEY_OK, memcmp(opened, kek, sizeof kek) == 0);
	}
}

static void a_device_key_is_no_kek(void **state)
{
	(void)state;
	uint8_t plain[SEALED_KEK_PLAIN] = {SEALED_KEY_VERSION, SEALED_APP_KEY, 1}, sealed[SEALED_KEK_LENGTH],
		opened[16];
	memcpy(plain + 6, "parks", 5);
	assert_int_equal(secret_box_seal(secret_box_public(ours), plain, sizeof plain, sealed), ST_OK);
	t_str("kind", "wrong_kind",
	      sealed_key_verdict_name(sealed_kek_open(ours, sealed, sizeof sealed, "parks", 1, opened)));
	plain[0] = 2;
	assert_int_equal(secret_box_seal(secret_box_public(ours), plain, sizeof plain, sealed), ST_OK);
	t_str("version", "unsupported_version",
	      sealed_key_verdict_name(sealed_kek_open(ours, sealed, sizeof sealed, "parks", 1, opened)));
}

static void labels_and_names(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		bool good;
	} rows[] = {{"parks", true},
		    {"0a0b0c", true},
		    {"a-b_c", true},
		    {"abcdefghijklmnopqrstuvwx", true},
		    {"abcdefghijklmnopqrstuvwxy", false},
		    {"", false},
		    {"parks.2", false},
		    {"Parks", false},
		    {"par ks", false},
		    {"../x", false}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].label);
		uint8_t sealed[SEALED_KEK_LENGTH];
		t_int("good", rows[i].good, sealed_kek_label_is_good(rows[i].label));
		t_int("sealed", rows[i].good ? ST_OK : ST_INVALID,
		      sealed_kek_seal(sealed, secret_box_public(ours), rows[i].label, 1, kek));
	}
	char name[SEALED_KEK_NAME];
	sealed_kek_name(name, "parks", 1);
	t_str("first", "parks", name);
	sealed_kek_name(name, "abcdefghijklmnopqrstuvwx", SEALED_KEK_VERSION_MAX);
	t_str("longest", "abcdefghijklmnopqrstuvwx.999999", name);
	uint8_t sealed[SEALED_KEK_LENGTH];
	t_int("no version", ST_INVALID, sealed_kek_seal(sealed, secret_box_public(ours), "parks", 0, kek));
	t_int("too great a version", ST_INVALID,
	      sealed_kek_seal(sealed, secret_box_public(ours), "parks", SEALED_KEK_VERSION_MAX + 1, kek));
}

int main(void)
{
#define WITH_BOXES(f)                               \
	{                                           \
#f, f, make_boxes, free_boxes, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_BOXES(a_kek_opens_for_its_label_and_version_alone),
		WITH_BOXES(a_device_key_is_no_kek),
		WITH_BOXES(labels_and_names),
	};
	return t_run(tests);
}
