#include "common/crypto/vault_seal.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

#define VERSION     1
#define KIND_MASTER 0x11
#define KIND_OLD    0x20 /* a page without the nonces that were used */
#define KIND_PAGE   0x21
#define COUNT_AT    2

enum {
	HAS_APP_KEY = 1,
	HAS_NWK_KEY = 2,
	HAS_DEV_NONCE = 4,
	HAS_RJ_COUNT1 = 8,
	HAS_OF_BEFORE = 15,
	HAS_NET_ID = 16,
	HAS_NS_ID = 32,
	HAS_ALL = 63
};

enum status vault_master_seal(uint8_t sealed[VAULT_MASTER_SEALED], const uint8_t public_key[SECRET_KEY],
			      const struct secret_master *master)
{
	uint8_t plain[2 + SECRET_KEY];
	struct wr wr = wr_init(plain, sizeof plain);
	wr_u8(&wr, VERSION);
	wr_u8(&wr, KIND_MASTER);
	wr_copy(&wr, secret_master_bytes(master), SECRET_KEY);
	enum status status = secret_box_seal(public_key, plain, sizeof plain, sealed);
	secret_wipe(plain, sizeof plain);
	return status;
}

struct secret_master *vault_master_open(const struct secret_box *box, const uint8_t *sealed, size_t length)
{
	uint8_t plain[2 + SECRET_KEY];
	struct secret_master *master = NULL;
	if (length != VAULT_MASTER_SEALED || secret_box_open(box, sealed, length, plain) != ST_OK)
		return NULL;
	if (plain[0] == VERSION && plain[1] == KIND_MASTER)
		master = secret_master_from(plain + 2);
	secret_wipe(plain, sizeof plain);
	return master;
}

/* --- writing a page ---------------------------------------------------------------------------------------------- */

static void write_optional(struct wr *wr, bool there, const uint8_t *bytes, size_t length)
{
	static const uint8_t none[16];
	wr_copy(wr, there ? bytes : none, length);
}

static void write_record(struct wr *wr, const struct vault_record *record)
{
	unsigned there = (record->has_app_key ? HAS_APP_KEY : 0u) | (record->has_nwk_key ? HAS_NWK_KEY : 0u) |
			 (record->has_dev_nonce ? HAS_DEV_NONCE : 0u) |
			 (record->has_rj_count1 ? HAS_RJ_COUNT1 : 0u) |
			 (record->has_net_id ? HAS_NET_ID : 0u) | (record->has_ns_id ? HAS_NS_ID : 0u);
	wr_copy(wr, record->dev_eui, 8);
	wr_copy(wr, record->join_eui, 8);
	wr_copy(wr, record->version, 3);
	wr_u8(wr, (uint8_t)there);
	write_optional(wr, record->has_app_key, record->app_key, 16);
	write_optional(wr, record->has_nwk_key, record->nwk_key, 16);
	wr_u32le(wr, record->join_nonce);
	wr_u16le(wr, record->has_dev_nonce ? record->dev_nonce : 0);
	wr_u16le(wr, record->has_rj_count1 ? record->rj_count1 : 0);
	wr_u32le(wr, record->has_net_id ? record->net_id : 0);
	write_optional(wr, record->has_ns_id, record->ns_id, 8);
	wr_u64le(wr, record->uses);
	wr_u64le(wr, (uint64_t)record->used_at_us);
	wr_u16le(wr, (uint16_t)record->used_length);
	wr_copy(wr, record->used, record->used_length);
}

void vault_page_begin(struct vault_page *page)
{
	struct wr wr = wr_init(page->plain, sizeof page->plain);
	wr_u8(&wr, VERSION);
	wr_u8(&wr, KIND_PAGE);
	wr_u16le(&wr, 0);
	page->length = wr_length(&wr);
	page->count = page->at = page->read = 0;
	page->has_nonces = true;
}

bool vault_page_add(struct vault_page *page, const struct vault_record *record)
{
	ASSERT(record->used_length > 0 && record->used_length <= VAULT_USED_MAX);
	if (page->count == VAULT_PAGE_RECORDS)
		return false;
	struct wr wr = wr_init(page->plain + page->length, sizeof page->plain - page->length);
	write_record(&wr, record);
	if (!wr_ok(&wr)) {
		secret_wipe(page->plain + page->length, sizeof page->plain - page->length);
		return false;
	}
	page->length += wr_length(&wr);
	page->count++;
	struct wr count = wr_init(page->plain + COUNT_AT, 2);
	wr_u16le(&count, (uint16_t)page->count);
	return true;
}

size_t vault_page_seal(uint8_t sealed[VAULT_PAGE_SEALED], const uint8_t public_key[SECRET_KEY],
		       const struct vault_page *page)
{
	enum status status = secret_box_seal(public_key, page->plain, page->length, sealed);
	return status == ST_OK ? page->length + SECRET_BOX_OVERHEAD : 0;
}

/* --- reading one --------------------------------------------------------------------------------------------------- */

static bool read_record(struct rd *rd, struct vault_record *record, bool has_nonces)
{
	memset(record, 0, sizeof *record);
	rd_copy(rd, record->dev_eui, 8);
	rd_copy(rd, record->join_eui, 8);
	rd_copy(rd, record->version, 3);
	unsigned there = rd_u8(rd);
	record->has_app_key = there & HAS_APP_KEY;
	record->has_nwk_key = there & HAS_NWK_KEY;
	record->has_dev_nonce = there & HAS_DEV_NONCE;
	record->has_rj_count1 = there & HAS_RJ_COUNT1;
	rd_copy(rd, record->app_key, 16);
	rd_copy(rd, record->nwk_key, 16);
	record->join_nonce = rd_u32le(rd);
	record->dev_nonce = rd_u16le(rd);
	record->rj_count1 = rd_u16le(rd);
	if (!has_nonces)
		return rd_ok(rd) && there <= HAS_OF_BEFORE;
	record->has_net_id = there & HAS_NET_ID;
	record->has_ns_id = there & HAS_NS_ID;
	record->net_id = rd_u32le(rd);
	rd_copy(rd, record->ns_id, 8);
	record->uses = rd_u64le(rd);
	uint64_t used_at = rd_u64le(rd);
	record->used_at_us = used_at <= INT64_MAX ? (int64_t)used_at : -1;
	record->used_length = rd_u16le(rd);
	record->used = rd_take(rd, record->used_length);
	return rd_ok(rd) && there <= HAS_ALL && record->used_at_us >= 0 && record->used_length > 0 &&
	       record->used_length <= VAULT_USED_MAX;
}

bool vault_page_next(struct vault_page *page, struct vault_record *record)
{
	if (page->read == page->count)
		return false;
	struct rd rd = rd_init(page->plain + page->at, page->length - page->at);
	ASSERT(read_record(&rd, record, page->has_nonces)); /* it was looked at when the page was opened */
	page->at = page->length - rd_left(&rd);
	page->read++;
	return true;
}

static bool read_page(struct vault_page *page)
{
	struct rd rd = rd_init(page->plain, page->length);
	if (rd_u8(&rd) != VERSION)
		return false;
	uint8_t kind = rd_u8(&rd);
	size_t count = rd_u16le(&rd);
	if ((kind != KIND_OLD && kind != KIND_PAGE) || count > VAULT_PAGE_RECORDS)
		return false;
	page->has_nonces = kind == KIND_PAGE;
	page->count = count;
	page->read = 0;
	page->at = page->length - rd_left(&rd);
	struct vault_record record;
	bool good = true;
	for (size_t i = 0; i < count && good; i++)
		good = read_record(&rd, &record, page->has_nonces);
	secret_wipe(&record, sizeof record);
	return good && rd_ok(&rd) && rd_left(&rd) == 0;
}

enum status vault_page_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
			    struct vault_page *page)
{
	if (length < SECRET_BOX_OVERHEAD || length > VAULT_PAGE_SEALED)
		return ST_INVALID;
	page->length = length - SECRET_BOX_OVERHEAD;
	enum status status = secret_box_open(box, sealed, length, page->plain) == ST_OK ? ST_OK : ST_REFUSED;
	if (status == ST_OK && !read_page(page))
		status = ST_INVALID;
	if (status != ST_OK)
		vault_page_wipe(page);
	return status;
}

void vault_page_wipe(struct vault_page *page)
{
	secret_wipe(page, sizeof *page);
}
