#include "common/crypto/audit_chain.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

void audit_chain_hash(uint8_t hash[SECRET_HASH], const uint8_t key[SECRET_HASH],
		      const uint8_t before[SECRET_HASH], uint64_t seq, struct wall time,
		      const char *const texts[AUDIT_CHAIN_TEXTS])
{
	uint8_t bytes[SECRET_HASH + 16 + AUDIT_CHAIN_TEXTS * (4 + AUDIT_CHAIN_TEXT)];
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_copy(&wr, before, SECRET_HASH);
	wr_u64le(&wr, seq);
	wr_u64le(&wr, (uint64_t)time.us);
	for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
		size_t length = strlen(texts[i]);
		ASSERT_CMP(length, <=, AUDIT_CHAIN_TEXT);
		wr_u32le(&wr, (uint32_t)length);
		wr_copy(&wr, (const uint8_t *)texts[i], length);
	}
	ASSERT(wr_ok(&wr));
	secret_hmac_sha256(hash, key, SECRET_HASH, bytes, wr_length(&wr));
}

#define HEAD_LABEL  "lamppost audit head 1"
#define HEAD_LENGTH (sizeof HEAD_LABEL - 1 + 16 + SECRET_HASH)

static void head_bytes(const struct audit_head *head, uint8_t bytes[HEAD_LENGTH])
{
	struct wr wr = wr_init(bytes, HEAD_LENGTH);
	wr_copy(&wr, (const uint8_t *)HEAD_LABEL, sizeof HEAD_LABEL - 1);
	wr_u64le(&wr, head->seq);
	wr_u64le(&wr, (uint64_t)head->time.us);
	wr_copy(&wr, head->hash, SECRET_HASH);
	ASSERT(wr_ok(&wr));
}

void audit_head_sign(struct audit_head *head, const struct secret_signer *signer)
{
	uint8_t bytes[HEAD_LENGTH];
	head_bytes(head, bytes);
	secret_sign(signer, head->signature, bytes, sizeof bytes);
}

bool audit_head_is_good(const struct audit_head *head, const uint8_t public_key[SECRET_KEY])
{
	uint8_t bytes[HEAD_LENGTH];
	head_bytes(head, bytes);
	return secret_signature_is_good(public_key, head->signature, bytes, sizeof bytes);
}
