/* What an event or a downlink needs of city.db: session keys (sealed; the store never sees them in clear), and a device as its
 * agency knows it. */
#ifndef LAMPPOST_AS_STORE_KEYS_H
#define LAMPPOST_AS_STORE_KEYS_H

#include "application-server/store.h"
#include "common/crypto/secret.h"

#define AS_SEALED_SESSION_KEY (16 + SECRET_SEAL_OVERHEAD)
#define AS_SESSIONS_KEPT \
	4 /* of one OTAA device beside the one in use: accepts that it may or may not have heard */
#define AS_NAME_MAX 101
#define AS_TAGS_MAX 12288 /* JSON text of one record's tags */

/* --- sessions. ST_NOT_FOUND from store: no such device. Forgets all but the latest AS_SESSIONS_KEPT and `in_use` (NULL: none). */
enum status as_store_session_put(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_session_id *session,
				 const uint8_t key[AS_SEALED_SESSION_KEY],
				 const struct net_session_id *in_use, struct wall now) MUST_USE;
/* Forgets them so without a new one (the new one is held, store_custody.h). */
enum status as_store_sessions_prune(struct as_store *store, const struct lw_eui64 *dev_eui,
				    const struct net_session_id *in_use) MUST_USE;
/* The key of a session that was held without one (store_custody.h) came, and is the city's: the session stands here from now on, at the
 * place in time that its join had, so that it is not taken for newer than a later join. Nothing when it was forgotten meanwhile. Nothing
 * else is forgotten: what is in use is not known here. */
enum status as_store_session_take_place(struct as_store *store, const struct lw_eui64 *dev_eui,
					const struct net_session_id *session,
					const uint8_t key[AS_SEALED_SESSION_KEY]) MUST_USE;
enum status as_store_session_get(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_session_id *session,
				 uint8_t key[AS_SEALED_SESSION_KEY]) MUST_USE;
enum status as_store_session_remove(struct as_store *store, const struct lw_eui64 *dev_eui,
				    const struct net_session_id *session) MUST_USE;

/* --- devices */
enum as_quota_kind {
	AS_QUOTA_DEVICE_UP,
	AS_QUOTA_DEVICE_DOWN,
	AS_QUOTA_AGENCY_UP,
	AS_QUOTA_AGENCY_DOWN,
	AS_QUOTAS
};

struct as_device_info {
	struct net_uuid agency, application, profile;
	char name[AS_NAME_MAX], agency_name[AS_NAME_MAX], application_name[AS_NAME_MAX],
		profile_name[AS_NAME_MAX];
	char device_class; /* 'A', 'B', 'C' */
	char region[16];   /* of its profile */
	bool has_codec;
	bool agency_holds;          /* from the next join on its AppSKey is the agency's alone */
	int64_t quota_s[AS_QUOTAS]; /* of airtime a day (quota.h); −1: none */
	/* JSON text, lent until the next call */
	const char *application_tags, *profile_tags, *device_tags;
};
/* ST_NOT_FOUND: not registered. */
enum status as_store_device_info(struct as_store *store, const struct lw_eui64 *dev_eui,
				 struct as_device_info *info) MUST_USE;
/* Lends the profile's codec as JSON text until the next call; ST_NOT_FOUND: no such profile, or it has none. */
enum status as_store_codec(struct as_store *store, const struct net_uuid *profile,
			   const char **text) MUST_USE;
/* Whether any device has this profile. */
bool as_store_profile_is_used(struct as_store *store, const struct net_uuid *profile);
/* Where a gateway stands by its record. */
struct as_gateway_place {
	bool known;  /* registered, with a place */
	bool by_gps; /* its own GPS receiver's word counts, where it has one */
	double lat, lon, altitude_m;
};
struct as_gateway_place as_store_gateway_place(struct as_store *store, const struct lw_eui64 *eui);

#endif
