#include "common/crypto/sealed_key.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

static const char *const kind_names[] = {
	[SEALED_APP_KEY] = "app_key",
	[SEALED_NWK_KEY] = "nwk_key",
	[SEALED_NWK_S_KEY] = "nwk_s_key",
	[SEALED_F_NWK_S_INT_KEY] = "f_nwk_s_int_key",
	[SEALED_S_NWK_S_INT_KEY] = "s_nwk_s_int_key",
	[SEALED_NWK_S_ENC_KEY] = "nwk_s_enc_key",
	[SEALED_APP_S_KEY] = "app_s_key",
};

const char *sealed_key_kind_name(enum sealed_key_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kind_names) && kind_names[kind] ? kind_names[kind] : "unknown";
}

bool sealed_key_kind_parse(const char *text, enum sealed_key_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (kind_names[i] && strcmp(text, kind_names[i]) == 0) {
			*kind = (enum sealed_key_kind)i;
			return true;
		}
	}
	return false;
}

const char *sealed_key_verdict_name(enum sealed_key_verdict verdict)
{
	static const char *const names[SEALED_KEY_VERDICT_COUNT] = {
		[SEALED_KEY_OK] = "ok",
		[SEALED_KEY_BAD_LENGTH] = "bad_length",
		[SEALED_KEY_NOT_FOR_THIS_BOX] = "not_for_this_box",
		[SEALED_KEY_UNSUPPORTED_VERSION] = "unsupported_version",
		[SEALED_KEY_WRONG_KIND] = "wrong_kind",
		[SEALED_KEY_WRONG_DEVICE] = "wrong_device",
	};
	return (unsigned)verdict < SEALED_KEY_VERDICT_COUNT ? names[verdict] : "unknown";
}

enum status sealed_key_seal(uint8_t sealed[SEALED_KEY_LENGTH], const uint8_t public_key[SECRET_KEY],
			    enum sealed_key_kind kind, const uint8_t dev_eui[8], const uint8_t key[16])
{
	uint8_t plain[SEALED_KEY_PLAIN];
	struct wr wr = wr_init(plain, sizeof plain);
	wr_u8(&wr, SEALED_KEY_VERSION);
	wr_u8(&wr, (uint8_t)kind);
	wr_copy(&wr, dev_eui, 8);
	wr_copy(&wr, key, 16);
	ASSERT_CMP(wr_length(&wr), ==, SEALED_KEY_PLAIN);
	enum status status = secret_box_seal(public_key, plain, sizeof plain, sealed);
	secret_wipe(plain, sizeof plain);
	return status;
}

static enum sealed_key_verdict judge(const uint8_t plain[SEALED_KEY_PLAIN], enum sealed_key_kind kind,
				     const uint8_t dev_eui[8], uint8_t key[16])
{
	struct rd rd = rd_init(plain, SEALED_KEY_PLAIN);
	if (rd_u8(&rd) != SEALED_KEY_VERSION)
		return SEALED_KEY_UNSUPPORTED_VERSION;
	if (rd_u8(&rd) != (uint8_t)kind)
		return SEALED_KEY_WRONG_KIND;
	if (memcmp(rd_take(&rd, 8), dev_eui, 8) != 0)
		return SEALED_KEY_WRONG_DEVICE;
	rd_copy(&rd, key, 16);
	return SEALED_KEY_OK;
}

enum sealed_key_verdict sealed_key_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
					enum sealed_key_kind kind, const uint8_t dev_eui[8], uint8_t key[16])
{
	uint8_t plain[SEALED_KEY_PLAIN];
	if (length != SEALED_KEY_LENGTH)
		return SEALED_KEY_BAD_LENGTH;
	if (secret_box_open(box, sealed, length, plain) != ST_OK)
		return SEALED_KEY_NOT_FOR_THIS_BOX;
	enum sealed_key_verdict verdict = judge(plain, kind, dev_eui, key);
	secret_wipe(plain, sizeof plain);
	return verdict;
}
