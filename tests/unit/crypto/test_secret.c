#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/crypto/audit_chain.h"
#include "common/crypto/sealed_key.h"
#include "common/crypto/secret.h"

#include <string.h>

static const uint8_t master_bytes[SECRET_KEY] = {1, 2, 3};
static const uint8_t box_secret[SECRET_KEY] = {9, 8, 7};

static void hash_is_blake2b_of_256_bits(void **state)
{
	(void)state;
	uint8_t hash[SECRET_HASH], expected[SECRET_HASH];
	assert_true(hex_decode_exact(expected, sizeof expected,
				     "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"));
	secret_hash(hash, "", 0);
	t_bytes("empty", expected, sizeof expected, hash, sizeof hash);
}

static void sealed_values_open_in_their_place_alone(void **state)
{
	(void)state;
	struct secret_master *master = secret_master_from(master_bytes), *other = secret_master_generate();
	uint8_t plain[20] = "twenty bytes of key", sealed[20 + SECRET_SEAL_OVERHEAD],
		again[20 + SECRET_SEAL_OVERHEAD], opened[20];
	secret_seal(master, "row/1", 5, plain, sizeof plain, sealed);
	secret_seal(master, "row/1", 5, plain, sizeof plain, again);
	t_true("a nonce of its own each time", memcmp(sealed, again, sizeof sealed) != 0);
	t_int("opens", ST_OK, secret_open(master, "row/1", 5, sealed, sizeof sealed, opened));
	t_bytes("plain", plain, sizeof plain, opened, sizeof opened);
	t_int("another row", ST_REFUSED, secret_open(master, "row/2", 5, sealed, sizeof sealed, opened));
	t_int("another master", ST_REFUSED, secret_open(other, "row/1", 5, sealed, sizeof sealed, opened));
	t_int("too short", ST_INVALID,
	      secret_open(master, "row/1", 5, sealed, SECRET_SEAL_OVERHEAD - 1, opened));
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 0x40;
		t_int("changed byte", i == 0 ? ST_INVALID : ST_REFUSED,
		      secret_open(master, "row/1", 5, sealed, sizeof sealed, opened));
		sealed[i] ^= 0x40;
	}
	secret_master_free(master);
	secret_master_free(other);
	secret_master_free(NULL);
}

static void nothing_can_be_sealed_too(void **state)
{
	(void)state;
	struct secret_master *master = secret_master_generate();
	uint8_t sealed[SECRET_SEAL_OVERHEAD], opened[1] = {0x77};
	secret_seal(master, "x", 1, NULL, 0, sealed);
	t_int("opens", ST_OK, secret_open(master, "x", 1, sealed, sizeof sealed, opened));
	t_uint("untouched", 0x77, opened[0]);
	secret_master_free(master);
}

static void boxes_open_what_was_sealed_to_them(void **state)
{
	(void)state;
	struct secret_box *box = secret_box_generate(), *other = secret_box_generate();
	struct secret_box *again = secret_box_from(secret_box_secret(box));
	uint8_t plain[5] = "12345", sealed[5 + SECRET_BOX_OVERHEAD], opened[5];
	t_bytes("public half from the secret one", secret_box_public(box), SECRET_KEY,
		secret_box_public(again), SECRET_KEY);
	t_int("seal", ST_OK, secret_box_seal(secret_box_public(box), plain, sizeof plain, sealed));
	t_int("open", ST_OK, secret_box_open(again, sealed, sizeof sealed, opened));
	t_bytes("plain", plain, sizeof plain, opened, sizeof opened);
	t_int("another box", ST_REFUSED, secret_box_open(other, sealed, sizeof sealed, opened));
	t_int("too short", ST_INVALID, secret_box_open(box, sealed, SECRET_BOX_OVERHEAD - 1, opened));
	sealed[40] ^= 1;
	t_int("changed", ST_REFUSED, secret_box_open(box, sealed, sizeof sealed, opened));
	const uint8_t zero[SECRET_KEY] = {0};
	t_int("no public key", ST_INVALID, secret_box_seal(zero, plain, sizeof plain, sealed));
	secret_box_free(box);
	secret_box_free(other);
	secret_box_free(again);
}

static void fingerprints_are_stable_and_readable(void **state)
{
	(void)state;
	struct secret_box *box = secret_box_from(box_secret);
	char first[SECRET_FINGERPRINT_TEXT], second[SECRET_FINGERPRINT_TEXT];
	uint8_t changed[SECRET_KEY];
	secret_fingerprint(first, secret_box_public(box));
	t_uint("length", SECRET_FINGERPRINT_TEXT - 1, strlen(first));
	for (size_t i = 0; first[i]; i++)
		t_true("characters", i % 5 == 4
					     ? first[i] == '-'
					     : strchr("abcdefghijkmnpqrstuvwxyz23456789", first[i]) != NULL);
	secret_fingerprint(second, secret_box_public(box));
	t_str("the same key", first, second);
	memcpy(changed, secret_box_public(box), SECRET_KEY);
	changed[31] ^= 1;
	secret_fingerprint(second, changed);
	t_true("another key", strcmp(first, second) != 0);
	secret_box_free(box);
}

static void passwords_verify(void **state)
{
	(void)state;
	char text[SECRET_PASSWORD_TEXT];
	t_int("hash", ST_OK, secret_password_hash(text, "correct horse"));
	t_true("argon2id", strncmp(text, "$argon2id$", 10) == 0);
	t_true("right", secret_password_verify(text, "correct horse"));
	t_false("wrong", secret_password_verify(text, "correct horsf"));
	t_false("no hash", secret_password_verify("plain", "plain"));
	t_false("empty", secret_password_verify("", ""));
}

static void randomness_and_comparison(void **state)
{
	(void)state;
	struct rng rng = secret_rng();
	uint8_t a[32] = {0}, b[32] = {0};
	rng_fill(&rng, a, sizeof a);
	secret_random(b, sizeof b);
	t_false("two draws", secret_equal(a, b, sizeof a));
	t_true("itself", secret_equal(a, a, sizeof a));
	t_true("below", rng_below(&rng, 7) < 7);
	secret_wipe(a, sizeof a);
	memset(b, 0, sizeof b);
	t_bytes("wiped", b, sizeof b, a, sizeof a);
}

/* A key sealed for one purpose is tried for another. */
static void sealed_keys_stay_with_kind_and_device(void **state)
{
	(void)state;
	struct secret_box *box = secret_box_from(box_secret), *other = secret_box_generate();
	const uint8_t dev_eui[8] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1}, key[16] = {0xaa, 0xbb};
	uint8_t sealed[SEALED_KEY_LENGTH];
	t_uint("length on the way", 74, SEALED_KEY_LENGTH);
	t_int("seal", ST_OK, sealed_key_seal(sealed, secret_box_public(box), SEALED_APP_KEY, dev_eui, key));
	struct {
		const char *name;
		const struct secret_box *box;
		size_t length;
		enum sealed_key_kind kind;
		uint8_t last_of_dev_eui;
		enum sealed_key_verdict verdict;
	} rows[] = {
		{"its own place", box, 74, SEALED_APP_KEY, 1, SEALED_KEY_OK},
		{"another kind", box, 74, SEALED_NWK_KEY, 1, SEALED_KEY_WRONG_KIND},
		{"another device", box, 74, SEALED_APP_KEY, 2, SEALED_KEY_WRONG_DEVICE},
		{"another process", other, 74, SEALED_APP_KEY, 1, SEALED_KEY_NOT_FOR_THIS_BOX},
		{"a plaintext key of 16 bytes", box, 16, SEALED_APP_KEY, 1, SEALED_KEY_BAD_LENGTH},
		{"a byte short", box, 73, SEALED_APP_KEY, 1, SEALED_KEY_BAD_LENGTH},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t eui[8], opened[16] = {0}, untouched[16] = {0};
		memcpy(eui, dev_eui, sizeof eui);
		eui[7] = rows[i].last_of_dev_eui;
		enum sealed_key_verdict verdict = sealed_key_open(rows[i].box, sealed, rows[i].length,
								  rows[i].kind, eui, opened);
		t_str("verdict", sealed_key_verdict_name(rows[i].verdict), sealed_key_verdict_name(verdict));
		t_bytes("key", rows[i].verdict == SEALED_KEY_OK ? key : untouched, 16, opened, 16);
	}
	t_row("another version");
	uint8_t plain[SEALED_KEY_PLAIN] = {2, SEALED_APP_KEY}, opened[16];
	t_int("seal", ST_OK, secret_box_seal(secret_box_public(box), plain, sizeof plain, sealed));
	t_str("verdict", "unsupported_version",
	      sealed_key_verdict_name(
		      sealed_key_open(box, sealed, sizeof sealed, SEALED_APP_KEY, dev_eui, opened)));
	secret_box_free(box);
	secret_box_free(other);
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (int i = SEALED_APP_KEY; i <= SEALED_APP_S_KEY; i++) {
		enum sealed_key_kind kind = SEALED_APP_KEY;
		const char *name = sealed_key_kind_name((enum sealed_key_kind)i);
		t_true(name, sealed_key_kind_parse(name, &kind));
		t_int(name, i, kind);
	}
	enum sealed_key_kind kind = SEALED_NWK_KEY;
	t_false("unknown name", sealed_key_kind_parse("app", &kind));
	t_str("no kind", "unknown", sealed_key_kind_name((enum sealed_key_kind)0));
}

/* RFC 8032, 7.1, test 1. */
static void signatures_are_ed25519(void **state)
{
	(void)state;
	static const char
		seed_hex[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		public_hex[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		signature_hex[] =
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
			"c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
	uint8_t seed[SECRET_KEY], public_key[SECRET_KEY], expected[SECRET_SIGNATURE],
		signature[SECRET_SIGNATURE];
	assert_true(hex_decode_exact(seed, sizeof seed, seed_hex));
	assert_true(hex_decode_exact(public_key, sizeof public_key, public_hex));
	assert_true(hex_decode_exact(expected, sizeof expected, signature_hex));
	struct secret_signer *signer = secret_signer_from(seed);
	t_bytes("public key", public_key, SECRET_KEY, secret_signer_public(signer), SECRET_KEY);
	secret_sign(signer, signature, "", 0);
	t_bytes("signature", expected, SECRET_SIGNATURE, signature, SECRET_SIGNATURE);
	t_true("good", secret_signature_is_good(public_key, signature, "", 0));
	t_false("of other bytes", secret_signature_is_good(public_key, signature, "x", 1));
	signature[40] ^= 1;
	t_false("changed", secret_signature_is_good(public_key, signature, "", 0));
	public_key[3] ^= 1;
	t_false("another key", secret_signature_is_good(public_key, expected, "", 0));
	secret_signer_free(signer);
}

static void a_head_is_signed_with_all_that_it_says(void **state)
{
	(void)state;
	struct secret_signer *signer = secret_signer_from((const uint8_t[SECRET_KEY]){1});
	const uint8_t *public_key = secret_signer_public(signer);
	struct audit_head head = {.seq = 7, .hash = {1, 2}, .time.us = 99}, changed;
	audit_head_sign(&head, signer);
	t_true("as it is", audit_head_is_good(&head, public_key));
	changed = head;
	changed.seq++;
	t_false("another row", audit_head_is_good(&changed, public_key));
	changed = head;
	changed.hash[31] ^= 1;
	t_false("another hash", audit_head_is_good(&changed, public_key));
	changed = head;
	changed.time.us++;
	t_false("another time", audit_head_is_good(&changed, public_key));
	secret_signer_free(signer);
}

/* They come out of a file that somebody else may have written. */
static void costs_of_a_passphrase_have_limits(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t passes, memory;
		bool good;
	} rows[] = {
		{"ours", SECRET_DERIVE_PASSES, SECRET_DERIVE_MEMORY, true},
		{"the least of both", 1, SECRET_DERIVE_MEMORY_MIN, true},
		{"the most of both", SECRET_DERIVE_PASSES_MAX, SECRET_DERIVE_MEMORY_MAX, true},
		{"no pass", 0, SECRET_DERIVE_MEMORY, false},
		{"more passes than a start may take", SECRET_DERIVE_PASSES_MAX + 1, SECRET_DERIVE_MEMORY,
		 false},
		{"all passes that there are", UINT32_MAX, SECRET_DERIVE_MEMORY, false},
		{"so little memory that guessing is cheap", SECRET_DERIVE_PASSES,
		 SECRET_DERIVE_MEMORY_MIN - 1, false},
		{"no memory", SECRET_DERIVE_PASSES, 0, false},
		{"more memory than a machine has to give", SECRET_DERIVE_PASSES, SECRET_DERIVE_MEMORY_MAX + 1,
		 false},
		{"all memory that there is", SECRET_DERIVE_PASSES, UINT32_MAX, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct secret_derive derive = {.passes = rows[i].passes, .memory = rows[i].memory};
		t_row(rows[i].name);
		t_int("good", rows[i].good, secret_derive_is_good(&derive));
	}
	const struct secret_derive made = secret_derive_new();
	t_true("what is made anew is within them", secret_derive_is_good(&made));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(hash_is_blake2b_of_256_bits),
		t_test(sealed_values_open_in_their_place_alone),
		t_test(nothing_can_be_sealed_too),
		t_test(boxes_open_what_was_sealed_to_them),
		t_test(fingerprints_are_stable_and_readable),
		t_test(passwords_verify),
		t_test(randomness_and_comparison),
		t_test(sealed_keys_stay_with_kind_and_device),
		t_test(kinds_have_names),
		t_test(signatures_are_ed25519),
		t_test(a_head_is_signed_with_all_that_it_says),
		t_test(costs_of_a_passphrase_have_limits),
	};
	if (secret_init() != ST_OK)
		return 1;
	return t_run(tests);
}
