/* What is ours (DESIGN 11): the configured NetIDs' and DevAddr prefixes, the JoinEUIs of registered devices and the
 * configured prefixes of JoinEUIs. Asked before any look-up but that of a join-request's DevEUI (strangers.h); foreign frames are counted per NetID, or in one sum past a bound, and nothing else is kept of them
 * (invariant 12). Also where our own new addresses come from. */
#ifndef LAMPPOST_NETWORK_SERVER_FOREIGN_H
#define LAMPPOST_NETWORK_SERVER_FOREIGN_H

#include "common/base/rng.h"
#include "common/base/table.h"
#include "common/base/units.h"
#include "common/lorawan/dev_addr.h"
#include "common/lorawan/eui_prefix.h"

#define NS_PREFIXES_MAX  32
#define NS_JOIN_EUIS_MAX 4096
#define NS_NET_IDS_MAX   256
#define NS_REUSE_DAYS    30

struct ns_foreign {
	struct lw_dev_addr_prefix prefixes[NS_PREFIXES_MAX];
	uint8_t prefix_count;
	struct lw_eui_prefix eui_prefixes[NS_PREFIXES_MAX]; /* of JoinEUIs */
	uint8_t eui_prefix_count;
	struct table join_euis; /* JoinEUI → number of devices */
	struct table net_ids;   /* type and NwkID → count */
	uint64_t other;         /* beyond the table, and addresses of no type */
	struct table released;  /* DevAddr → day; not to be used again for 30 days */
};

void ns_foreign_init(struct ns_foreign *foreign, const struct lw_dev_addr_prefix *prefixes, uint8_t count,
		     uint32_t released, struct rng *rng);
/* Other prefixes from now on. */
void ns_foreign_set_prefixes(struct ns_foreign *foreign, const struct lw_dev_addr_prefix *prefixes,
			     uint8_t count);
void ns_foreign_release(struct ns_foreign *foreign);

/* JoinEUIs that are ours beside those of registered devices. */
void ns_foreign_allow_join_euis(struct ns_foreign *foreign, const struct lw_eui_prefix *prefixes,
				uint8_t count);

bool ns_foreign_is_our_addr(const struct ns_foreign *foreign, struct lw_dev_addr dev_addr);
bool ns_foreign_is_our_join_eui(const struct ns_foreign *foreign, const struct lw_eui64 *join_eui);
/* Counts a foreign data frame under its NetID. */
void ns_foreign_count(struct ns_foreign *foreign, struct lw_dev_addr dev_addr);
/* A registered device has, or no longer has, this JoinEUI. False: no room for one more. */
bool ns_foreign_add_join_eui(struct ns_foreign *foreign, const struct lw_eui64 *join_eui);
void ns_foreign_remove_join_eui(struct ns_foreign *foreign, const struct lw_eui64 *join_eui);

/* Days since 1970. */
uint16_t ns_day(struct wall time);
/* Notes that an address was given up on that day. When the table is full the oldest days go first. */
void ns_foreign_released(struct ns_foreign *foreign, struct lw_dev_addr dev_addr, uint16_t day);
/* Draws an address from a random prefix. `taken` says whether a session has it. False: none found in 64 draws. */
bool ns_foreign_draw(const struct ns_foreign *foreign, struct rng *rng, uint16_t today,
		     bool (*taken)(const void *ctx, struct lw_dev_addr dev_addr), const void *ctx,
		     struct lw_dev_addr *dev_addr);

#endif
