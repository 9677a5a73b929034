/* The application server's keys: master key (seals session keys in city.db), box key pair (opens what was sealed to this
 * process), the KEK `application` that the join server wraps AppSKeys under. Keys in clear live on the stack of one call. */
#ifndef LAMPPOST_AS_KEYS_H
#define LAMPPOST_AS_KEYS_H

#include "application-server/store_keys.h"
#include "common/crypto/aes.h"
#include "common/crypto/secret.h"
#include "common/lorawan/types.h"
#include "common/proto/network_messages.h"

#define AS_KEK_LABEL "application"

struct as_keys {
	struct secret_master *master; /* owned */
	struct secret_box *box;       /* owned */
	struct aes *aes;              /* owned */
	bool has_kek;
	uint8_t kek[16];
	char public_keys[3][2 * SECRET_KEY + 1]; /* hex: join, network, application server; "" when unknown */
};

void as_keys_release(struct as_keys *keys); /* wipes; harmless on zeroes */

/* What a key is sealed for, so that it opens in no other row. */
void as_keys_seal_session(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
			  const struct net_session_id *session, const struct lw_key *key,
			  uint8_t sealed[AS_SEALED_SESSION_KEY]);
bool as_keys_open_session(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
			  const struct net_session_id *session, const uint8_t sealed[AS_SEALED_SESSION_KEY],
			  struct lw_key *key);
/* False: another KEK's label, or not wrapped under ours. */
bool as_keys_unwrap(const struct as_keys *keys, const char *label,
		    const uint8_t wrapped[NET_WRAPPED_KEY_SIZE], struct lw_key *key);
/* Opens an AppSKey that was sealed to this process; NULL, or why not, for people. */
const char *as_keys_open_app_s_key(const struct as_keys *keys, const struct lw_eui64 *dev_eui,
				   const uint8_t sealed[NET_SEALED_KEY_SIZE], struct lw_key *key);

#endif
