/* The audit's chain and its signed head: what is not as it was written is seen, whichever part it is. */
#include "tests/harness/harness.h"

#include "common/crypto/audit_chain.h"

#include <string.h>

enum part { NOTHING, KEY, BEFORE, SEQ, TIME, WHO, WHAT, SUBJECT, DETAIL, MOVED };

struct entry {
	uint8_t key[SECRET_HASH], before[SECRET_HASH];
	uint64_t seq;
	struct wall time;
	const char *texts[AUDIT_CHAIN_TEXTS];
};

static const struct entry written = {.key = {1, 2, 3},
				     .before = {9, 8, 7},
				     .seq = 41,
				     .time = {1700000000000000},
				     .texts = {"ops", "export", "parks", "12 devices"}};

static void hash_of(uint8_t hash[SECRET_HASH], const struct entry *entry)
{
	audit_chain_hash(hash, entry->key, entry->before, entry->seq, entry->time, entry->texts);
}

static void a_row_that_is_not_as_it_was_written_has_another_hash(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum part part;
	} rows[] = {
		{"nothing is changed", NOTHING},
		{"another key", KEY},
		{"another row before it", BEFORE},
		{"another number", SEQ},
		{"another time", TIME},
		{"somebody else", WHO},
		{"another act", WHAT},
		{"another subject", SUBJECT},
		{"another detail", DETAIL},
		{"a letter that moved from one text into the next", MOVED},
	};
	uint8_t first[SECRET_HASH], now[SECRET_HASH];
	hash_of(first, &written);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct entry entry = written;
		switch (rows[i].part) {
		case NOTHING: break;
		case KEY: entry.key[31] ^= 1; break;
		case BEFORE: entry.before[31] ^= 1; break;
		case SEQ: entry.seq++; break;
		case TIME: entry.time.us++; break;
		case WHO: entry.texts[0] = "opt"; break;
		case WHAT: entry.texts[1] = "read"; break;
		case SUBJECT: entry.texts[2] = "park"; break;
		case DETAIL: entry.texts[3] = "13 devices"; break;
		case MOVED:
			entry.texts[0] = "opse";
			entry.texts[1] = "xport";
			break;
		}
		hash_of(now, &entry);
		t_true("the same hash", (memcmp(first, now, sizeof now) == 0) == (rows[i].part == NOTHING));
	}
}

static void a_head_is_good_as_it_was_signed_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t at; /* the byte that is changed; SIZE_MAX: none */
		bool another_key, good;
	} rows[] = {
		{"as it was signed", SIZE_MAX, false, true},
		{"another number", offsetof(struct audit_head, seq), false, false},
		{"the number's last byte", offsetof(struct audit_head, seq) + 7, false, false},
		{"another hash", offsetof(struct audit_head, hash), false, false},
		{"the hash's last byte", offsetof(struct audit_head, hash) + SECRET_HASH - 1, false, false},
		{"another time", offsetof(struct audit_head, time), false, false},
		{"the time's last byte", offsetof(struct audit_head, time) + 7, false, false},
		{"another signature", offsetof(struct audit_head, signature), false, false},
		{"signed by another join server", SIZE_MAX, true, false},
	};
	static const uint8_t seed[SECRET_KEY] = {5}, other_seed[SECRET_KEY] = {6};
	struct secret_signer *signer = secret_signer_from(seed), *other = secret_signer_from(other_seed);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct audit_head head = {.seq = 41, .hash = {1, 2, 3}, .time = {1700000000000000}};
		audit_head_sign(&head, rows[i].another_key ? other : signer);
		uint8_t *bytes = (uint8_t *)&head;
		if (rows[i].at != SIZE_MAX)
			bytes[rows[i].at] ^= 1;
		t_true("is judged", audit_head_is_good(&head, secret_signer_public(signer)) == rows[i].good);
	}
	secret_signer_free(signer);
	secret_signer_free(other);
}

static int start(void **state)
{
	assert_int_equal(secret_init(), ST_OK);
	return t_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_that_is_not_as_it_was_written_has_another_hash, start,
						t_teardown),
		cmocka_unit_test_setup_teardown(a_head_is_good_as_it_was_signed_alone, start, t_teardown),
	};
	return t_run(tests);
}
