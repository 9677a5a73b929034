/* The desired state, in order of version, in the form in which it is replicated. Every insert, change and removal of a
 * profile, device or gateway takes the next value of one counter; a removal stays as a tombstone. At most
 * AS_TOMBSTONES_MAX tombstones are kept, give or take 1,024: a replica older than the oldest forgotten one needs
 * everything. */
#ifndef LAMPPOST_AS_STORE_DESIRED_H
#define LAMPPOST_AS_STORE_DESIRED_H

#include "application-server/store.h"
#include "common/text/record_schema.h"

#define AS_TOMBSTONES_MAX 10000

/* Root keys of a device as the join server gets them. */
struct as_root_keys {
	bool has_app_key, has_nwk_key;
	uint8_t app_key[NET_SEALED_KEY_SIZE];
	uint8_t nwk_key[NET_SEALED_KEY_SIZE];
};

/* One changed record. With `deleted` only version and identifier hold. */
struct as_desired {
	enum record_kind kind; /* RECORD_PROFILE, RECORD_DEVICE or RECORD_GATEWAY */
	uint64_t version;
	bool deleted;
	union {
		struct net_profile profile;
		struct net_device device;
		struct net_gateway gateway;
	};
	struct as_root_keys root_keys;         /* devices */
	enum lw_mac_version mac_version;       /* devices: of their profile */
	char app_kek_label[NET_KEK_LABEL_MAX]; /* devices: the KEK that their AppSKeys are wrapped under */
	bool has_home;                         /* devices: the city says which network has them join */
	struct lw_net_id home;
};

/* Fills up to `limit` records with a version above `after`, in order; `*count` says how many. */
enum status as_store_desired_after(struct as_store *store, uint64_t after, struct as_desired *records,
				   size_t limit, size_t *count) MUST_USE;
/* The greatest version of any device or its tombstone: what the join server has to reach. */
uint64_t as_store_desired_devices(const struct as_store *store);
/* Whether a replica that applied `version` of `city` can be brought up by changes alone. */
bool as_store_desired_continues(const struct as_store *store, const struct net_uuid *city, uint64_t version);

#endif
