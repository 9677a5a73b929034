#include "cli/held.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD_MAX 255

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

bool cli_held_key(const struct cli_keks *keks, const json_t *said, struct lw_key *app_s_key,
		  char why[CLI_HELD_WHY_MAX])
{
	const json_t *context = json_object_get(said, "joinServerContext");
	const json_t *envelope = json_object_get(context, "appSKey");
	const char *label = text_of(envelope, "kekLabel"), *text = text_of(envelope, "aesKey");
	const uint8_t *kek = cli_keks_find(keks, label);
	uint8_t wrapped[AES_KEY + AES_WRAP_OVERHEAD];
	size_t length = 0;
	if (!envelope)
		snprintf(why, CLI_HELD_WHY_MAX, "%s",
			 json_object_get(context, "sessionKeyId")
				 ? "its key is known by an id alone: the join server has not given it yet; "
				   "lamppost why device EUI says why"
				 : "it came without a wrapped key: let the device join anew (by "
				   "personalization "
				   "its AppSKey is with whoever gave it to the device)");
	else if (!kek)
		snprintf(why, CLI_HELD_WHY_MAX,
			 "it is wrapped under %.40s, which is not in the file of KEKs: take the file that "
			 "kek new or "
			 "kek rotate wrote for that one",
			 label);
	else if (!base64_decode(wrapped, sizeof wrapped, &length, text, strlen(text)) ||
		 length != sizeof wrapped ||
		 aes_unwrap(kek, 16, wrapped, sizeof wrapped, app_s_key->bytes) != AES_WRAP_OK)
		snprintf(why, CLI_HELD_WHY_MAX,
			 "its key does not open with the KEK %.40s of the file: somebody made another of "
			 "that name; ask the city for the audit (kek_new, kek_rotate)",
			 label);
	else
		return true;
	return false;
}

/* Reads the address that the cipher needs; false with `why`. */
static bool read_address(const json_t *said, struct lw_dev_addr *dev_addr, char why[CLI_HELD_WHY_MAX])
{
	if (lw_dev_addr_parse(text_of(said, "devAddr"), dev_addr))
		return true;
	snprintf(why, CLI_HELD_WHY_MAX, "it says no devAddr");
	return false;
}

static void set_base64(json_t *object, const char *name, const uint8_t *bytes, size_t length)
{
	char text[BASE64_ROOM(PAYLOAD_MAX)];
	base64_encode(text, bytes, length);
	json_object_set_new(object, name, json_string(text));
	secret_wipe(text, sizeof text);
}

/* One call's cipher. */
static void cipher(const struct lw_key *key, enum lw_direction direction, struct lw_dev_addr dev_addr,
		   uint32_t fcnt, const uint8_t *in, size_t length, uint8_t *out)
{
	struct aes *aes = aes_new();
	ASSERT(aes);
	lw_cipher_frm_payload(aes, key, direction, dev_addr, fcnt, in, length, out);
	aes_free(aes);
}

enum cli_held cli_held_open(const struct cli_keks *keks, json_t *uplink, char why[CLI_HELD_WHY_MAX])
{
	uint8_t payload[PAYLOAD_MAX];
	struct lw_dev_addr dev_addr;
	struct lw_key key;
	size_t length = 0;
	const char *data = text_of(uplink, "data");
	const json_t *counter = json_object_get(uplink, "fCnt");
	bool encrypted = json_is_true(json_object_get(uplink, "encrypted")) ||
			 (json_object_get(uplink, "joinServerContext") &&
			  !json_is_true(json_object_get(uplink, "decrypted")));
	if (!encrypted || !*data)
		return CLI_HELD_IN_CLEAR;
	if (!read_address(uplink, &dev_addr, why) || !cli_held_key(keks, uplink, &key, why))
		return CLI_HELD_CLOSED;
	if (!json_is_integer(counter) ||
	    !base64_decode(payload, sizeof payload, &length, data, strlen(data))) {
		snprintf(why, CLI_HELD_WHY_MAX, "it has no counter or no payload that reads");
		lw_key_wipe(&key);
		return CLI_HELD_CLOSED;
	}
	cipher(&key, LW_UP, dev_addr, (uint32_t)json_integer_value(counter), payload, length, payload);
	lw_key_wipe(&key);
	set_base64(uplink, "data", payload, length);
	json_object_set_new(uplink, "encrypted", json_false());
	json_object_set_new(uplink, "decrypted", json_true());
	secret_wipe(payload, sizeof payload);
	return CLI_HELD_OPENED;
}

bool cli_held_encrypt(const struct cli_keks *keks, const json_t *session, uint32_t fcnt_down,
		      const uint8_t *in, size_t length, uint8_t *out, char why[CLI_HELD_WHY_MAX])
{
	struct lw_dev_addr dev_addr;
	struct lw_key key;
	if (length > PAYLOAD_MAX) {
		snprintf(why, CLI_HELD_WHY_MAX, "it is longer than any frame");
		return false;
	}
	if (!read_address(session, &dev_addr, why) || !cli_held_key(keks, session, &key, why))
		return false;
	cipher(&key, LW_DOWN, dev_addr, fcnt_down, in, length, out);
	lw_key_wipe(&key);
	return true;
}
