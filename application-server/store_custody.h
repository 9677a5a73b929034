/* Keys that the city does not have, in city.db: sessions whose AppSKey is wrapped for the agency alone, the agencies' KEKs as they
 * came (sealed to the join server, whose desired state they are), and applications whose custody changed.
 *
 * Invariants: nothing here opens with a key of this process. A label is never given twice, nor a version of one. Of a device
 * AS_SESSIONS_KEPT held sessions stay beside the one in use, as in store_keys.h. */
#ifndef LAMPPOST_AS_STORE_CUSTODY_H
#define LAMPPOST_AS_STORE_CUSTODY_H

#include "application-server/store.h"
#include "common/crypto/sealed_kek.h"

#define AS_KEK_NONE        "agency-without-key" /* no KEK has this label: nothing is wrapped under it */
#define AS_KEK_PROBLEM_MAX 200

/* --- sessions */
struct as_held {
	struct net_session_id session;
	struct lw_dev_addr dev_addr;
	struct lw_eui64 join_eui;
	char kek_label[NET_KEK_LABEL_MAX]; /* of the envelope; "" while there is none */
	bool has_key;
	uint8_t wrapped[NET_WRAPPED_KEY_SIZE];
	uint8_t session_key_id[NET_SESSION_KEY_ID_MAX];
	uint8_t session_key_id_length; /* 0: none */
	bool heard;                    /* an uplink came in it */
	struct wall created;
};

/* Stores a session, and forgets old ones. ST_NOT_FOUND: no such device. */
enum status as_store_held_put(struct as_store *store, const struct lw_eui64 *dev_eui,
			      const struct as_held *held, const struct net_session_id *in_use,
			      struct wall now) MUST_USE;
enum status as_store_held_get(struct as_store *store, const struct lw_eui64 *dev_eui,
			      const struct net_session_id *session, struct as_held *held) MUST_USE;
/* An uplink came in it, for the first time. */
enum status as_store_held_heard(struct as_store *store, const struct lw_eui64 *dev_eui,
				const struct net_session_id *session) MUST_USE;
/* Fills the session that the device is in as far as is known: the last that it was heard in, or the last that was made.
 * ST_NOT_FOUND: none, or one whose key the city has was made since. */
enum status as_store_held_current(struct as_store *store, const struct lw_eui64 *dev_eui,
				  struct as_held *held) MUST_USE;
/* A place in the order of time; of several made at once, in the order of devices. */
struct as_held_place {
	struct wall after;
	struct lw_eui64 dev_eui;
};
/* Fills the first session behind the place that has no key yet, but an id to ask for it. ST_NOT_FOUND: there is none. */
enum status as_store_held_to_fetch(struct as_store *store, const struct as_held_place *place,
				   struct lw_eui64 *dev_eui, struct as_held *held) MUST_USE;
/* The key came. */
enum status as_store_held_fetched(struct as_store *store, const struct lw_eui64 *dev_eui,
				  const struct as_held *held) MUST_USE;
/* Whether there is a session of the device whose key the city has. */
bool as_store_session_any(struct as_store *store, const struct lw_eui64 *dev_eui);
/* The highest counter that a waiting command of the agency's own encryption took; −1: none waits. */
int64_t as_store_held_last_counter(struct as_store *store, const struct lw_eui64 *dev_eui);

/* --- agencies' KEKs */
struct as_agency_kek {
	struct net_uuid agency;
	char label[SEALED_KEK_LABEL_MAX + 1];
	uint32_t version; /* of the newest, or of the last that was given up */
	bool given_up;    /* no KEK any more; label and version stay taken */
	uint8_t sealed[SEALED_KEK_LENGTH];
	struct wall made, changed;
	char problem[AS_KEK_PROBLEM_MAX]; /* why the join server does not take it; "" */
};

/* Filled by agency (ST_NOT_FOUND: it never had one), or the first whose label comes after `after` ("": the first of all). */
enum status as_store_kek_get(struct as_store *store, const struct net_uuid *agency,
			     struct as_agency_kek *kek) MUST_USE;
enum status as_store_kek_next(struct as_store *store, const char *after, struct as_agency_kek *kek) MUST_USE;
/* Stores a first or the next version, or (`given_up`) that there is none any more. ST_EXISTS: the label is another's. */
enum status as_store_kek_put(struct as_store *store, const struct as_agency_kek *kek) MUST_USE;
/* What the join server said to it. */
enum status as_store_kek_set_problem(struct as_store *store, const char *label, const char *problem) MUST_USE;
bool as_store_kek_label_is_taken(struct as_store *store, const char *label);
/* Changes whenever a KEK is stored or given up, in this process. */
uint64_t as_store_keks_version(const struct as_store *store);
/* Whether an application or a device of the agency says that it holds the keys. */
bool as_store_kek_is_wanted(struct as_store *store, const struct net_uuid *agency);

/* The AppSKey by personalization that the city has of a device which says, or whose application says, that the agency holds it, is
 * removed; of any other nothing is. */
enum status as_store_custody_forget(struct as_store *store, int64_t dev_eui) MUST_USE;

/* --- custody of applications: gives the next slice of the devices of those whose custody changed a version of the desired state,
 * and forgets the AppSKeys that the city is not to have any more. Returns whether some are left. A store that fails spoils the turn. */
bool as_store_custody_step(struct as_store *store);

#endif
