/* Key files of whoever: any bytes are rows or complaints, in every format and for the shelf; what leaves has sealed keys only. */
#include "cli/key_file.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/secret.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct cli_seal *make_seal(void)
{
	struct cli_seal *seal = NULL;
	char hex[2 * SECRET_KEY + 1];
	ASSERT(secret_init() == ST_OK);
	struct secret_box *box = secret_box_generate();
	hex_encode(hex, secret_box_public(box), SECRET_KEY);
	json_t *keys = json_pack("{ss ss ss}", "join-server", hex, "network-server", hex,
				 "application-server", hex);
	ASSERT(cli_seal_make(keys, &seal) == 0);
	json_decref(keys);
	secret_box_free(box);
	return seal;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct cli_seal *seal;
	static struct key_summary summary;
	const struct key_request requests[] = {
		{.file = "f"},
		{.file = "f", .map = "dev_eui=a,app_key=b,tags=c"},
		{.file = "f", .map = "dev_eui_lsb=DevEUI,join_eui_lsb=AppEUI", .format = KEY_MAKER},
		{.file = "f", .format = KEY_LAMPPOST},
		{.file = "f", .format = KEY_TTS, .join_eui = "70b3d57ed0000000"},
		{.file = "f", .format = KEY_CHIRPSTACK},
		{.file = "f", .format = KEY_THINGPARK, .shelf = true},
		{.file = "f", .format = KEY_MAKER, .shelf = true}};
	if (!seal) {
		seal = make_seal();
		ASSERT(freopen("/dev/null", "w", stderr)); /* complaints are many */
	}
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		json_t *rows = NULL;
		int code = key_rows_read(&requests[i], (const char *)bytes, length, seal, &rows, &summary);
		ASSERT((code == 0) == (rows != NULL));
		ASSERT_CMP(summary.column_count, <=, KEY_COLUMNS_MAX);
		json_decref(rows);
	}
	return 0;
}
