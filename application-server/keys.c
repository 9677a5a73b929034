#include "application-server/keys.h"

#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT_MAX 80

void as_keys_release(struct as_keys *keys)
{
	secret_master_free(keys->master);
	secret_box_free(keys->box);
	aes_free(keys->aes);
	secret_wipe(keys->kek, sizeof keys->kek);
	*keys = (struct as_keys){0};
}

/* "app_s_key/<dev_eui>/<session>" */
static size_t context_of(char context[CONTEXT_MAX], const struct lw_eui64 *dev_eui,
			 const struct net_session_id *session)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, dev_eui);
	int length = snprintf(context, CONTEXT_MAX, "app_s_key/%s/", eui);
	for (size_t i = 0; i < sizeof session->bytes; i++)
		length += snprintf(context + length, CONTEXT_MAX - (size_t)length, "%02x", session->bytes[i]);
	return (size_t)length;
}

void as_keys_seal_session(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
			  const struct net_session_id *session, const struct lw_key *key,
			  uint8_t sealed[AS_SEALED_SESSION_KEY])
{
	char context[CONTEXT_MAX];
	size_t length = context_of(context, dev_eui, session);
	secret_seal(keys->master, context, length, key->bytes, sizeof key->bytes, sealed);
}

bool as_keys_open_session(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
			  const struct net_session_id *session, const uint8_t sealed[AS_SEALED_SESSION_KEY],
			  struct lw_key *key)
{
	char context[CONTEXT_MAX];
	size_t length = context_of(context, dev_eui, session);
	return secret_open(keys->master, context, length, sealed, AS_SEALED_SESSION_KEY, key->bytes) == ST_OK;
}

bool as_keys_unwrap(const struct as_keys *keys, const char *label,
		    const uint8_t wrapped[NET_WRAPPED_KEY_SIZE], struct lw_key *key)
{
	return keys->has_kek && strcmp(label, AS_KEK_LABEL) == 0 &&
	       aes_unwrap(keys->kek, sizeof keys->kek, wrapped, NET_WRAPPED_KEY_SIZE, key->bytes) ==
		       AES_WRAP_OK;
}

const char *as_keys_open_app_s_key(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
				   const uint8_t sealed[NET_SEALED_KEY_SIZE], struct lw_key *key)
{
	switch (sealed_key_open(keys->box, sealed, NET_SEALED_KEY_SIZE, SEALED_APP_S_KEY, dev_eui->bytes,
				key->bytes)) {
	case SEALED_KEY_OK: return NULL;
	case SEALED_KEY_WRONG_KIND: return "is sealed as another kind of key";
	case SEALED_KEY_WRONG_DEVICE: return "is sealed for another device";
	case SEALED_KEY_UNSUPPORTED_VERSION: return "is sealed in a form that this version does not know";
	default: return "is not sealed to this application server (GET /api/v1/keys)";
	}
}
