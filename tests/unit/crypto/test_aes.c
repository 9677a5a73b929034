#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/crypto/aes.h"

#include <string.h>

static const uint8_t key_a[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
				  0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
static const uint8_t key_b[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void blocks_in_place_and_apart_are_the_same(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	uint8_t plain[256], apart[256], in_place[256], back[256];
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = in_place[i] = (uint8_t)(i * 7);
	aes_encrypt(aes, key_a, plain, apart, 16);
	aes_encrypt(aes, key_a, in_place, in_place, 16);
	t_bytes("in place", apart, sizeof apart, in_place, sizeof in_place);
	for (size_t i = 0; i < 16; i++) {
		uint8_t block[16];
		aes_encrypt(aes, key_a, plain + 16 * i, block, 1);
		t_bytes("block alone", apart + 16 * i, 16, block, 16);
	}
	aes_decrypt(aes, key_a, apart, back, 16);
	t_bytes("decrypted", plain, sizeof plain, back, sizeof back);
	aes_free(aes);
}

static void keys_do_not_stick(void **state)
{
	(void)state;
	struct aes *aes = aes_new(), *fresh = aes_new();
	const uint8_t message[40] = {7};
	uint8_t first[16], again[16], expected[16];
	aes_cmac(aes, key_a, message, sizeof message, first);
	aes_cmac(aes, key_b, message, sizeof message, again);
	aes_cmac(fresh, key_b, message, sizeof message, expected);
	t_bytes("second key", expected, 16, again, 16);
	aes_cmac_start(aes, NULL);
	aes_cmac_add(aes, message, sizeof message);
	aes_cmac_finish(aes, again);
	t_bytes("same key again", expected, 16, again, 16);
	aes_cmac(aes, key_a, message, sizeof message, again);
	t_bytes("first key again", first, 16, again, 16);
	aes_free(aes);
	aes_free(fresh);
}

/* Every way of cutting a message of up to three blocks. */
static void cmac_of_pieces_is_that_of_the_whole(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	uint8_t message[48], whole[16], pieces[16];
	for (size_t i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)i;
	for (size_t length = 0; length <= sizeof message; length++) {
		aes_cmac(aes, key_a, message, length, whole);
		for (size_t cut = 0; cut <= length; cut++) {
			aes_cmac_start(aes, key_a);
			aes_cmac_add(aes, message, cut);
			aes_cmac_add(aes, message + cut, length - cut);
			aes_cmac_finish(aes, pieces);
			if (!t_bytes("pieces", whole, 16, pieces, 16))
				break;
		}
	}
	aes_free(aes);
}

static void wrapped_keys_open_with_their_kek_alone(void **state)
{
	(void)state;
	static const size_t kek_lengths[] = {16, 24, 32};
	uint8_t kek[32], key[16], wrapped[24], opened[16];
	for (size_t i = 0; i < sizeof kek; i++)
		kek[i] = (uint8_t)(0xf0 - i);
	memset(key, 0x5a, sizeof key);
	for (size_t k = 0; k < ARRAY_SIZE(kek_lengths); k++) {
		size_t length = kek_lengths[k];
		t_int("wrap", AES_WRAP_OK, aes_wrap(kek, length, key, sizeof key, wrapped));
		t_int("unwrap", AES_WRAP_OK, aes_unwrap(kek, length, wrapped, sizeof wrapped, opened));
		t_bytes("key", key, 16, opened, 16);
		for (size_t bit = 0; bit < 8 * sizeof wrapped; bit++) {
			wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(opened, 0x11, sizeof opened);
			t_int("changed bit", AES_WRAP_INTEGRITY,
			      aes_unwrap(kek, length, wrapped, sizeof wrapped, opened));
			t_true("no key left", memcmp(opened, key, sizeof key) != 0);
			wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		kek[3] ^= 1;
		t_int("another KEK", AES_WRAP_INTEGRITY,
		      aes_unwrap(kek, length, wrapped, sizeof wrapped, opened));
		kek[3] ^= 1;
	}
}

static void wrap_refusals_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool wrap;
		size_t kek_length, length;
		enum aes_wrap_verdict verdict;
	} rows[] = {
		{"a KEK of 15 bytes, before the data is looked at", true, 15, 3, AES_WRAP_BAD_KEK_LENGTH},
		{"a KEK of 33 bytes", false, 33, 24, AES_WRAP_BAD_KEK_LENGTH},
		{"an empty KEK", true, 0, 16, AES_WRAP_BAD_KEK_LENGTH},
		{"9 bytes to wrap: not in eights, before too short", true, 16, 9, AES_WRAP_NOT_MULTIPLE_OF_8},
		{"23 bytes to unwrap", false, 16, 23, AES_WRAP_NOT_MULTIPLE_OF_8},
		{"8 bytes to wrap", true, 16, 8, AES_WRAP_DATA_TOO_SHORT},
		{"nothing to wrap", true, 32, 0, AES_WRAP_DATA_TOO_SHORT},
		{"16 bytes to unwrap", false, 24, 16, AES_WRAP_DATA_TOO_SHORT},
		{"16 bytes to wrap", true, 24, 16, AES_WRAP_OK},
		{"24 bytes that are no wrap", false, 24, 24, AES_WRAP_INTEGRITY},
	};
	uint8_t kek[33] = {1}, data[64] = {2}, out[64];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		enum aes_wrap_verdict got = rows[i].wrap ? aes_wrap(kek, rows[i].kek_length, data,
								    rows[i].length, out)
							 : aes_unwrap(kek, rows[i].kek_length, data,
								      rows[i].length, out);
		t_str("verdict", aes_wrap_verdict_name(rows[i].verdict), aes_wrap_verdict_name(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(blocks_in_place_and_apart_are_the_same),
		t_test(keys_do_not_stick),
		t_test(cmac_of_pieces_is_that_of_the_whole),
		t_test(wrapped_keys_open_with_their_kek_alone),
		t_test(wrap_refusals_in_order),
	};
	return t_run(tests);
}
