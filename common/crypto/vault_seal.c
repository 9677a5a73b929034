#include "common/crypto/vault_seal.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#define VERSION     1
#define KIND_MASTER 0x11
#define KIND_PAGE   0x20

enum { HAS_APP_KEY = 1, HAS_NWK_KEY = 2, HAS_DEV_NONCE = 4, HAS_RJ_COUNT1 = 8, HAS_ALL = 15 };

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

static void write_record(struct wr *wr, const struct vault_record *record)
{
	static const uint8_t none[16];
	unsigned there = (record->has_app_key ? HAS_APP_KEY : 0u) | (record->has_nwk_key ? HAS_NWK_KEY : 0u) |
			 (record->has_dev_nonce ? HAS_DEV_NONCE : 0u) |
			 (record->has_rj_count1 ? HAS_RJ_COUNT1 : 0u);
	wr_copy(wr, record->dev_eui, 8);
	wr_copy(wr, record->join_eui, 8);
	wr_copy(wr, record->version, 3);
	wr_u8(wr, (uint8_t)there);
	wr_copy(wr, record->has_app_key ? record->app_key : none, 16);
	wr_copy(wr, record->has_nwk_key ? record->nwk_key : none, 16);
	wr_u32le(wr, record->join_nonce);
	wr_u16le(wr, record->has_dev_nonce ? record->dev_nonce : 0);
	wr_u16le(wr, record->has_rj_count1 ? record->rj_count1 : 0);
}

size_t vault_page_seal(uint8_t sealed[VAULT_PAGE_SEALED], const uint8_t public_key[SECRET_KEY],
		       const struct vault_record *records, size_t count)
{
	uint8_t plain[VAULT_PAGE_PLAIN];
	ASSERT_CMP(count, <=, VAULT_PAGE_RECORDS);
	struct wr wr = wr_init(plain, sizeof plain);
	wr_u8(&wr, VERSION);
	wr_u8(&wr, KIND_PAGE);
	wr_u16le(&wr, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		write_record(&wr, &records[i]);
	size_t length = wr_length(&wr);
	ASSERT_CMP(length, ==, 4 + count * VAULT_RECORD);
	enum status status = secret_box_seal(public_key, plain, length, sealed);
	secret_wipe(plain, sizeof plain);
	return status == ST_OK ? length + SECRET_BOX_OVERHEAD : 0;
}

static bool read_record(struct rd *rd, struct vault_record *record)
{
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
	return there <= HAS_ALL;
}

static bool read_page(struct rd *rd, struct vault_record *records, size_t *count)
{
	if (rd_u8(rd) != VERSION || rd_u8(rd) != KIND_PAGE)
		return false;
	*count = rd_u16le(rd);
	if (*count > VAULT_PAGE_RECORDS)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!read_record(rd, &records[i]))
			return false;
	return rd_ok(rd) && rd_left(rd) == 0;
}

enum status vault_page_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
			    struct vault_record records[VAULT_PAGE_RECORDS], size_t *count)
{
	uint8_t plain[VAULT_PAGE_PLAIN];
	if (length < SECRET_BOX_OVERHEAD || length > VAULT_PAGE_SEALED)
		return ST_INVALID;
	if (secret_box_open(box, sealed, length, plain) != ST_OK)
		return ST_REFUSED;
	struct rd rd = rd_init(plain, length - SECRET_BOX_OVERHEAD);
	bool good = read_page(&rd, records, count);
	secret_wipe(plain, sizeof plain);
	return good ? ST_OK : ST_INVALID;
}
