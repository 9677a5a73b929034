/* Downlink items in city.db: what waits, what became of it, and its history. Bounded: AS_ITEMS_MAX wait for one device,
 * AS_AGENCY_ITEMS_MAX for one agency's; of those that ended AS_ITEMS_KEPT a device stay, for a week at most
 * (as_store_items_prune()); AS_CHANGES_KEPT changes an item. */
#ifndef LAMPPOST_AS_STORE_ITEMS_H
#define LAMPPOST_AS_STORE_ITEMS_H

#include "application-server/agencies/scope.h"
#include "application-server/downlinks/item.h"
#include "application-server/store.h"

#define AS_ITEMS_MAX        32 /* as many as the network server takes */
#define AS_AGENCY_ITEMS_MAX 100000
#define AS_ITEMS_KEPT       64
#define AS_CHANGES_KEPT     64

/* One change of an item: an event of the network server, or our own. */
struct as_change {
	struct net_uuid event; /* the same one twice changes nothing */
	struct wall time;
	enum net_item_status status;
	const char *cause; /* "": none; shorter than NET_TEXT_MAX */
	bool has_fcnt_down;
	uint32_t fcnt_down;
	bool has_gateway;
	struct lw_eui64 gateway;
	uint8_t tries;
};

enum as_move {
	AS_MOVED,
	AS_MOVE_REPEATED, /* that event was here before */
	AS_MOVE_REFUSED,  /* the item has ended, or may not go there */
	AS_MOVE_UNKNOWN   /* no such item (any more) */
};

/* Stores a new item with its first change, and lets go of the device's oldest ended ones. ST_EXISTS: there is an item with
 * that id; ST_NOT_FOUND: no such device. */
enum status as_store_item_put(struct as_store *store, const struct as_item *item, struct wall now) MUST_USE;
enum status as_store_item_get(struct as_store *store, const struct net_uuid *id,
			      struct as_item *item) MUST_USE;
/* Moves an item if it may; `item` is filled as it is afterwards, unless AS_MOVE_UNKNOWN. The payload of one that ends is
 * wiped. */
enum status as_store_item_move(struct as_store *store, const struct net_uuid *id,
			       const struct as_change *change, enum as_move *move,
			       struct as_item *item) MUST_USE;

/* Items of a device, or of an agency's devices, that have not ended. */
size_t as_store_items_waiting(struct as_store *store, const struct lw_eui64 *dev_eui);
size_t as_store_items_of_agency(struct as_store *store, const struct net_uuid *agency);

/* How long those will be on the air, about, in microseconds. */
int64_t as_store_items_airtime(struct as_store *store, int64_t dev_eui);
int64_t as_store_items_airtime_of_agency(struct as_store *store, const struct net_uuid *agency);

/* --- for the hand-over to the network server. Changes whenever there is something new to hand over, in this process. */
uint64_t as_store_items_version(const struct as_store *store);
/* Both fill up to `limit` items after `*after`, which moves on. */
/* Those that were not on the air yet as far as is known, in order of arrival. */
enum status as_store_items_queued(struct as_store *store, int64_t *after, struct as_item *items, size_t limit,
				  size_t *count) MUST_USE;
/* Those that are to be dropped, in the order in which that was asked for. */
enum status as_store_items_flushing(struct as_store *store, int64_t *after, struct as_item *items,
				    size_t limit, size_t *count) MUST_USE;
/* Marks an item, or all of a device's (`id` NULL), as to be dropped; `*count`: how many wait for that now. */
enum status as_store_items_flush(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_uuid *id, size_t *count) MUST_USE;

/* --- for readers. `states` has bit (1 << status) for each that is wanted. Newest first, below `before` (0: from the newest);
 * `each` gets every item with its place, and returns false to stop. */
enum status as_store_items_list(struct as_store *store, const struct as_scope *scope,
				const struct lw_eui64 *dev_eui, unsigned states, uint64_t before,
				bool (*each)(void *ctx, const struct as_item *item, uint64_t place),
				void *ctx) MUST_USE;
/* The item's changes, oldest first; texts are lent during the call. */
enum status as_store_item_history(struct as_store *store, const struct net_uuid *id,
				  void (*each)(void *ctx, const struct as_change *change),
				  void *ctx) MUST_USE;

/* Goes on through the items: removes those among the next `limit` that ended, or were sent and not heard of since, before
 * `before`. `*more`: it is not through yet; after that it begins anew. */
enum status as_store_items_prune(struct as_store *store, struct wall before, unsigned limit,
				 bool *more) MUST_USE;

#endif
