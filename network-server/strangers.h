/* Join-requests of DevEUIs that are not registered. They end here, before deduplication and before anything that a
 * registered device needs: one look-up each in the registry (the DevEUI itself was not found; its mirror image, the JoinEUI
 * in its place), one in a small table. What is told of them is gathered: a first report NS_STRANGER_FIRST after the first
 * reception, then at most one in NS_STRANGER_AGAIN, with the number of requests since.
 *
 *	ours     the mirror image or the swapped EUIs of a registered device, or a JoinEUI of ours: somebody's mistake
 *	foreign  the rest: counted, and told to the city's engineers alone (invariant 12)
 *
 * Each sort has its own table and its own budget of reports a second: a flood of foreign requests hides nothing of ours.
 * A full table only counts. Nothing of this is ever logged or stored here. */
#ifndef LAMPPOST_NETWORK_SERVER_STRANGERS_H
#define LAMPPOST_NETWORK_SERVER_STRANGERS_H

#include "common/base/table.h"
#include "common/lorawan/join_frame.h"
#include "network-server/verdict.h"

#include "common/proto/gateway_messages.h"
#include "common/proto/join_report.h"

#define NS_STRANGERS_MAX    256 /* of each sort */
#define NS_STRANGER_FIRST   (300 * US_PER_MS)
#define NS_STRANGER_AGAIN   (10 * US_PER_S)
#define NS_STRANGER_REPORTS 20 /* a second, of each sort */

struct ns;

struct ns_strangers {
	struct ns_stranger_sort {
		struct table table;
		struct mono next; /* when some entry is due; MONO_NEVER */
		struct mono second;
		unsigned reports; /* in that second */
	} ours, foreign;
	uint64_t over; /* receptions that a full table only counted */
};

void ns_strangers_init(struct ns_strangers *strangers, struct rng *rng);
void ns_strangers_release(struct ns_strangers *strangers);
struct ns_asked; /* rejoin.h */

/* One reception of a request whose DevEUI is not registered. Returns the verdict to count: NS_DROP_JOIN_UNKNOWN_DEVICE or
 * NS_DROP_FOREIGN_JOIN_EUI. */
enum ns_drop ns_stranger_hear(struct ns *ns, struct now now, const struct ns_asked *asked,
			      const struct gw_uplink *uplink);
/* Reports what is due; from ns_on_tick(). */
void ns_strangers_tick(struct ns *ns, struct now now);
struct mono ns_strangers_next(const struct ns_strangers *strangers);

#endif
