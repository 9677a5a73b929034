/* What the join server keeps, as values and as functions to be called: the core knows nothing of SQL, tests bring a store
 * of their own. Changes are visible to later loads at once and durable when the turn's commit has returned; a failure
 * makes that commit fail. */
#ifndef LAMPPOST_JOIN_SERVER_STORE_H
#define LAMPPOST_JOIN_SERVER_STORE_H

#include "common/base/status.h"
#include "common/lorawan/join_answer.h"
#include "common/lorawan/types.h"
#include "join-server/key_vault.h"
#include "join-server/nonces.h"
#include "join-server/vault.h"

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

/* A KEK by label and version (keks.h). */
struct js_kek_row {
	char label[LW_KEK_LABEL_MAX + 1];
	uint32_t version;
	bool has_key; /* else its key is in a file of the configuration */
	uint8_t sealed[JS_SEALED_ROOT_KEY];
	uint8_t mark[JS_KEY_MARK]; /* of a key that is saved: key_vault.h */
	struct wall since;
	uint64_t uses;
	struct wall last_use; /* 0: none */
};

/* The highest version that a label ever had, deleted ones too. */
struct js_kek_highest {
	uint32_t version; /* 0: none yet */
	bool has_mark;    /* else it was a file's */
	uint8_t mark[JS_KEY_MARK];
};

/* A row of the audit (audit.h). */
#define JS_AUDIT_WHO     96
#define JS_AUDIT_WHAT    24
#define JS_AUDIT_SUBJECT 64
#define JS_AUDIT_DETAIL  256
struct js_audit_row {
	uint64_t seq;
	struct wall time;
	char who[JS_AUDIT_WHO], what[JS_AUDIT_WHAT], subject[JS_AUDIT_SUBJECT], detail[JS_AUDIT_DETAIL];
	uint8_t hash[SECRET_HASH];
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
	/* Fills up to `limit` devices from *at on (0: the first), and moves *at; `*done`: there are no more. */
	enum status (*list_devices)(void *ctx, uint64_t *at, size_t limit, struct js_device *devices,
				    size_t *count, bool *done);

	/* The vault: all of its rows at once. ST_NOT_FOUND: there is none yet; `*used` says then whether the file has devices or nonces. */
	enum status (*load_vault)(void *ctx, struct js_vault_rows *rows, bool *used);
	enum status (*save_vault)(void *ctx, const struct js_vault_rows *rows);
	/* KEKs: each is given to `take`. */
	enum status (*load_keks)(void *ctx, void (*take)(void *taker, const struct js_kek_row *row),
				 void *taker);
	enum status (*save_kek)(void *ctx, const struct js_kek_row *row);
	/* Its uses alone, adding the row of a file's KEK if there is none. */
	enum status (*save_kek_use)(void *ctx, const struct js_kek_row *row);
	enum status (*remove_kek)(void *ctx, const char *label, uint32_t version);
	/* What save_kek and save_kek_use remembered of a label, whatever was removed since. */
	enum status (*load_kek_highest)(void *ctx, const char *label, struct js_kek_highest *highest);
	/* The audit. Rows after `after`, at most `limit`, in order. last_audit: ST_NOT_FOUND. */
	enum status (*put_audit)(void *ctx, const struct js_audit_row *row);
	enum status (*last_audit)(void *ctx, struct js_audit_row *row);
	enum status (*list_audit)(void *ctx, uint64_t after, size_t limit, struct js_audit_row *rows,
				  size_t *count);
};

#endif
