/* Devices on the shelf: known with their sealed keys to the city, not yet anybody's on the air. Whoever made or bought them
 * put them there with an owner token; whoever shows that token claims one (api/claims.c). Of a token a keyed hash is kept.
 *
 *	         add                  claim                    release, with a new token
 *	nobody ──────▶ WAITING ─────────────────▶ CLAIMED ───────────────────────▶ WAITING
 *	         ◀────── remove     keys go with the device      keys come back from it
 *
 * A row that waits has its keys and its token's hash; a claimed one has neither. */
#ifndef LAMPPOST_AS_STORE_STOCK_H
#define LAMPPOST_AS_STORE_STOCK_H

#include "application-server/agencies/scope.h"
#include "application-server/store.h"
#include "common/crypto/secret.h"

#include <jansson.h>

#define AS_STOCK_SERIAL 65 /* with NUL */

struct as_stock {
	struct lw_eui64 dev_eui, join_eui;
	bool has_holder; /* false: the city's own shelf */
	struct net_uuid holder;
	bool waits;                 /* to be claimed */
	uint8_t token[SECRET_HASH]; /* keyed hash; only while it waits */
	bool has_app_key, has_nwk_key;
	uint8_t app_key[NET_SEALED_KEY_SIZE], nwk_key[NET_SEALED_KEY_SIZE]; /* sealed to the join server */
	uint16_t vendor, vendor_profile;
	char serial[AS_STOCK_SERIAL];
	struct wall changed;
};

/* Puts a device on the shelf, or writes over the row that is there. */
enum status as_store_stock_put(struct as_store *store, const struct as_stock *stock) MUST_USE;
/* ST_NOT_FOUND: not on any shelf. */
enum status as_store_stock_get(struct as_store *store, const struct lw_eui64 *dev_eui,
			       struct as_stock *stock) MUST_USE;
/* Wipes token and keys of the row: it was claimed. */
enum status as_store_stock_claimed(struct as_store *store, const struct lw_eui64 *dev_eui,
				   struct wall now) MUST_USE;
enum status as_store_stock_remove(struct as_store *store, const struct lw_eui64 *dev_eui) MUST_USE;
/* Fills a new array of the rows that the scope sees, without token and keys, in order of the EUI as a signed number, from
 * behind `*after`; `*more`: there are others behind the last. */
enum status as_store_stock_list(struct as_store *store, const struct as_scope *scope, int64_t from,
				unsigned limit, json_t **items, int64_t *next, bool *more) MUST_USE;
/* Fills the sealed root keys of a registered device. ST_NOT_FOUND: no such device. */
enum status as_store_device_root_keys(struct as_store *store, const struct lw_eui64 *dev_eui,
				      struct as_stock *stock) MUST_USE;

/* --- wrong tokens, by whom and for what: "device 70b3...", "caller uid 1000". At most AS_TRIES_MAX subjects are remembered. */
#define AS_TRIES_MAX 4096

struct as_tries {
	unsigned failed;
	struct wall since; /* of the first of them */
	struct wall until; /* no try is taken before; .us 0: tries are taken */
};
/* Zeroes when nothing is remembered. */
enum status as_store_tries_get(struct as_store *store, const char *subject, struct as_tries *tries) MUST_USE;
enum status as_store_tries_put(struct as_store *store, const char *subject,
			       const struct as_tries *tries) MUST_USE;
enum status as_store_tries_clear(struct as_store *store, const char *subject) MUST_USE;

#endif
