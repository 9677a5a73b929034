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
