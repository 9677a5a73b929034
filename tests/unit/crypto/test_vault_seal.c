/* Pages of an export: what is written is read, of this release and of the one before; a page of which a byte is missing or too many is
 * none; whatever stands in a page, reading stays within it. */
#include "tests/harness/harness.h"

#include "common/base/bytes.h"
#include "common/crypto/vault_seal.h"

#include <string.h>

static struct secret_box *box;
static struct vault_page page, again;
static uint8_t sealed[VAULT_PAGE_SEALED], used[VAULT_USED_MAX];

static int open_box(void **state)
{
	assert_int_equal(secret_init(), ST_OK);
	box = secret_box_generate();
	return t_setup(state);
}

static int close_box(void **state)
{
	secret_box_free(box);
	return t_teardown(state);
}

static struct vault_record record_of(uint8_t number, size_t used_length)
{
	struct vault_record record = {.dev_eui = {0x70, number},
				      .join_eui = {0x80, number},
				      .version = {1, 0, 4},
				      .has_app_key = number & 1,
				      .has_nwk_key = true,
				      .has_dev_nonce = number & 2,
				      .has_rj_count1 = number & 4,
				      .has_net_id = number & 8,
				      .has_ns_id = number & 16,
				      .app_key = {0xa0},
				      .nwk_key = {0xb0, number},
				      .join_nonce = 0x1000u + number,
				      .dev_nonce = number & 2 ? 0xfff0 : 0,
				      .rj_count1 = number & 4 ? 0xfff1 : 0,
				      .net_id = number & 8 ? 0x600001 : 0,
				      .ns_id = {number & 16 ? 7 : 0},
				      .uses = UINT64_C(1) << 40,
				      .used_at_us = INT64_C(1700000000000000) + number,
				      .used = used,
				      .used_length = used_length};
	if (!record.has_app_key)
		memset(record.app_key, 0, sizeof record.app_key);
	return record;
}

static void same(const struct vault_record *expected, const struct vault_record *got)
{
	t_bytes("dev_eui", expected->dev_eui, 8, got->dev_eui, 8);
	t_bytes("join_eui", expected->join_eui, 8, got->join_eui, 8);
	t_bytes("version", expected->version, 3, got->version, 3);
	t_int("has_app_key", expected->has_app_key, got->has_app_key);
	t_int("has_dev_nonce", expected->has_dev_nonce, got->has_dev_nonce);
	t_int("has_rj_count1", expected->has_rj_count1, got->has_rj_count1);
	t_int("has_net_id", expected->has_net_id, got->has_net_id);
	t_int("has_ns_id", expected->has_ns_id, got->has_ns_id);
	t_bytes("app_key", expected->app_key, 16, got->app_key, 16);
	t_bytes("nwk_key", expected->nwk_key, 16, got->nwk_key, 16);
	t_uint("join_nonce", expected->join_nonce, got->join_nonce);
	t_uint("dev_nonce", expected->dev_nonce, got->dev_nonce);
	t_uint("rj_count1", expected->rj_count1, got->rj_count1);
	t_uint("net_id", expected->net_id, got->net_id);
	t_bytes("ns_id", expected->ns_id, 8, got->ns_id, 8);
	t_uint("uses", expected->uses, got->uses);
	t_int("used_at", expected->used_at_us, got->used_at_us);
	t_bytes("used", expected->used, expected->used_length, got->used, got->used_length);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	static const size_t lengths[] = {1, 3, 8193, 21};
	struct vault_record got;
	memset(used, 0x5a, sizeof used);
	vault_page_begin(&page);
	for (uint8_t i = 0; i < 32; i++) {
		struct vault_record record = record_of(i, lengths[i % 4]);
		if (i >= 8)
			record.used_length = i;
		assert_true(vault_page_add(&page, &record));
	}
	size_t length = vault_page_seal(sealed, secret_box_public(box), &page);
	t_uint("length", page.length + SECRET_BOX_OVERHEAD, length);
	assert_int_equal(ST_OK, vault_page_open(box, sealed, length, &again));
	t_true("it says which nonces were used", again.has_nonces);
	for (uint8_t i = 0; i < 32; i++) {
		struct vault_record record = record_of(i, i >= 8 ? i : lengths[i % 4]);
		assert_true(vault_page_next(&again, &got));
		same(&record, &got);
	}
	t_false("no more", vault_page_next(&again, &got));
}

static void a_full_page_takes_no_more_and_is_whole(void **state)
{
	(void)state;
	struct vault_record record = record_of(1, VAULT_USED_MAX), got;
	size_t count = 0;
	vault_page_begin(&page);
	while (vault_page_add(&page, &record))
		count++;
	t_uint("of the longest", 3, count);
	record = record_of(2, 1);
	t_true("a short one has room yet", vault_page_add(&page, &record));
	size_t length = vault_page_seal(sealed, secret_box_public(box), &page);
	assert_int_equal(ST_OK, vault_page_open(box, sealed, length, &again));
	for (count = 0; vault_page_next(&again, &got); count++)
		;
	t_uint("read", 4, count);
	vault_page_begin(&page);
	for (count = 0; vault_page_add(&page, &record); count++)
		;
	t_uint("of the shortest", VAULT_PAGE_RECORDS, count);
}

static size_t seal_plain(size_t length)
{
	page.length = length;
	return vault_page_seal(sealed, secret_box_public(box), &page);
}

static void a_page_that_is_cut_or_changed_is_none(void **state)
{
	(void)state;
	struct vault_record record = record_of(31, 5);
	vault_page_begin(&page);
	assert_true(vault_page_add(&page, &record) && vault_page_add(&page, &record));
	const struct vault_page whole = page;
	for (size_t length = 0; length < whole.length; length++) {
		page = whole;
		if (vault_page_open(box, sealed, seal_plain(length), &again) != ST_INVALID)
			t_uint("opened with so many bytes", whole.length, length);
	}
	page = whole;
	page.plain[whole.length] = 0;
	t_int("a byte too many", ST_INVALID,
	      vault_page_open(box, sealed, seal_plain(whole.length + 1), &again));
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"another version", 0, 2},
		{"another kind", 1, 0x11},
		{"more records than there are", 2, 3},
		{"fewer", 2, 1},
		{"too many", 3, 1},
		{"an unknown thing is there", 4 + 19, 0x40},
		{"no used DevNonces", 4 + 88, 0},
		{"a time before all times", 4 + 87, 0x80},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		page = whole;
		page.plain[rows[i].at] = rows[i].value;
		t_int("opened", ST_INVALID, vault_page_open(box, sealed, seal_plain(whole.length), &again));
	}
	t_row("the seal");
	page = whole;
	size_t length = seal_plain(whole.length);
	sealed[length / 2] ^= 1;
	t_int("changed", ST_REFUSED, vault_page_open(box, sealed, length, &again));
	t_true("nothing is left of it", again.length == 0 && again.plain[10] == 0);
	t_int("too short to be sealed", ST_INVALID, vault_page_open(box, sealed, 20, &again));
}

/* Exports that stand in a safe. */
static void a_page_of_the_release_before_is_read(void **state)
{
	(void)state;
	struct vault_record got;
	struct wr wr = wr_init(page.plain, sizeof page.plain);
	wr_u8(&wr, 1);
	wr_u8(&wr, 0x20);
	wr_u16le(&wr, 2);
	for (uint8_t i = 0; i < 2; i++) {
		const struct vault_record record = record_of(3, 1);
		wr_copy(&wr, record.dev_eui, 8);
		wr_copy(&wr, record.join_eui, 8);
		wr_copy(&wr, record.version, 3);
		wr_u8(&wr, 1 | 2 | 4);
		wr_copy(&wr, record.app_key, 16);
		wr_copy(&wr, record.nwk_key, 16);
		wr_u32le(&wr, 99);
		wr_u16le(&wr, 77);
		wr_u16le(&wr, 0);
	}
	assert_int_equal(ST_OK, vault_page_open(box, sealed, seal_plain(wr_length(&wr)), &again));
	t_false("it does not say which nonces were used", again.has_nonces);
	assert_true(vault_page_next(&again, &got) && vault_page_next(&again, &got));
	t_uint("join_nonce", 99, got.join_nonce);
	t_uint("dev_nonce", 77, got.dev_nonce);
	t_uint("nothing of the others", 0, got.used_length);
	t_false("no more", vault_page_next(&again, &got));
}

int main(void)
{
#define WITH_BOX(f)                              \
	{                                        \
#f, f, open_box, close_box, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_BOX(what_is_written_is_read),
		WITH_BOX(a_full_page_takes_no_more_and_is_whole),
		WITH_BOX(a_page_that_is_cut_or_changed_is_none),
		WITH_BOX(a_page_of_the_release_before_is_read),
	};
	return t_run(tests);
}
