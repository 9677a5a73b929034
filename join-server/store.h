/* What the join server keeps, as values and as functions to be called: the core knows nothing of SQL, tests bring a store
 * of their own. Changes are visible to later loads at once and durable when the turn's commit has returned; a failure
 * makes that commit fail. */
#ifndef LAMPPOST_JOIN_SERVER_STORE_H
#define LAMPPOST_JOIN_SERVER_STORE_H

#include "common/base/status.h"
#include "common/lorawan/types.h"
#include "join-server/key_vault.h"
#include "join-server/nonces.h"

#define JS_CITY_TEXT      37 /* a UUID and NUL */
#define JS_SESSION_KEY_ID 16
#define JS_SESSION_SLOTS  2

/* One device as the city wants it. */
struct js_device {
	struct lw_eui64 dev_eui;
	uint64_t version;
	uint64_t run; /* the full run it came in, or was confirmed by */
	bool enabled;
	struct lw_eui64 join_eui;
	enum lw_mac_version mac_version;
	bool has_app_key, has_nwk_key;
	uint8_t app_key[JS_SEALED_ROOT_KEY]; /* the one root key of 1.0.x */
	uint8_t nwk_key[JS_SEALED_ROOT_KEY]; /* 1.1 */
	char app_kek_label[BI_LABEL_TEXT];
	/* The network that has the device join; none said: ours, or any on this machine, and no other's. */
	bool has_home;
	struct lw_net_id home;
};

/* The AppSKey of a session, wrapped as the application server gets it. A device's last two are kept: an accept that is not
 * heard leaves the session before in use. */
struct js_session {
	struct lw_eui64 dev_eui;
	uint8_t slot; /* JoinNonce modulo JS_SESSION_SLOTS */
	uint8_t id[JS_SESSION_KEY_ID];
	struct wall time;
	char kek_label[BI_LABEL_TEXT];
	uint8_t app_s_key[BI_KEY_WRAPPED];
};

/* How far the city's records have been applied; see provisioning.h. */
struct js_state {
	char city[JS_CITY_TEXT]; /* "": none */
	uint64_t applied_version;
	uint64_t run;
	uint64_t valid_run;
	uint64_t swept_run;
};

struct js_store {
	void *ctx;
	/* ST_NOT_FOUND: none. */
	enum status (*load_device)(void *ctx, const struct lw_eui64 *dev_eui, struct js_device *device);
	enum status (*save_device)(void *ctx, const struct js_device *device);
	/* ST_OK as well when there was none. */
	enum status (*remove_device)(void *ctx, const struct lw_eui64 *dev_eui);
	/* ST_NOT_FOUND: nothing used yet. */
	enum status (*load_nonces)(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
				   struct js_nonces *nonces);
	enum status (*save_nonces)(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
				   const struct js_nonces *nonces);
	enum status (*load_state)(void *ctx, struct js_state *state);
	enum status (*save_state)(void *ctx, const struct js_state *state);
	/* Looks at `limit` devices from *at on (0: the first), removes those of a run before `valid_run`, and moves *at;
	 * `*done` says that there are no more. */
	enum status (*sweep)(void *ctx, uint64_t valid_run, int limit, uint64_t *at, bool *done);
	/* Takes the place of the one in its slot. */
	enum status (*save_session)(void *ctx, const struct js_session *session);
	/* Of a device, by its id; ST_NOT_FOUND. */
	enum status (*load_session)(void *ctx, const struct lw_eui64 *dev_eui,
				    const uint8_t id[JS_SESSION_KEY_ID], struct js_session *session);
	/* As sweep: sessions of devices from *at on whose time is before `expired`. */
	enum status (*sweep_sessions)(void *ctx, struct wall expired, int limit, uint64_t *at, bool *done);
};

#endif
