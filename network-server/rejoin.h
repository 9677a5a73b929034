/* Rejoin-requests (TS001-1.1 §6.2.4): what of join_flow.c is different for them.
 *
 *	type  asked for                       MIC made with  counted by   the accept renews
 *	0     a session in time               SNwkSIntKey    RJcount0     keys, address, counters, radio parameters
 *	1     a session after a lost state    JSIntKey       RJcount1     the same
 *	2     new keys                        SNwkSIntKey    RJcount0     keys, address, counters
 *
 * Types 0 and 2 are proved here, by the keys of a session of the device; type 1 by the join server, which also keeps
 * RJcount1. RJcount0 belongs to its session and is durable before the join server is asked (invariant 3): a replay, or a copy
 * that a slow backhaul brings, is refused, and a new session counts from 0. 65,535 is never taken: a device stops there.
 *
 * The session that was used goes on until the first uplink under the new one, whose address and keys prove that the device
 * heard the accept. It should carry RekeyInd; where it does not it is taken all the same, since its MIC says as much and a
 * reading is worth more than the form.
 *
 * The accept comes 5 and 6 s after the request, on the channels and with the RX1DROffset and RX2 that the device uses: those
 * of its session where there is one, else the region's as for a join. */
#ifndef LAMPPOST_NETWORK_SERVER_REJOIN_H
#define LAMPPOST_NETWORK_SERVER_REJOIN_H

#include "network-server/join_flow.h"

/* What a join- or a rejoin-request says, in the words of a join-request. */
struct ns_asked {
	uint8_t type;            /* LW_JOIN_REQ_TYPE_JOIN, or 0, 1, 2 */
	struct lw_net_id net_id; /* types 0 and 2 */
	struct lw_join_request
		request; /* dev_nonce: RJcount; join_eui of types 0 and 2: the registered one, or zeroes */
};
/* False: neither. */
bool ns_asked_read(const struct ns *ns, const uint8_t *phy, size_t length, struct ns_asked *asked);
static inline bool ns_is_rejoin(uint8_t type)
{
	return type != LW_JOIN_REQ_TYPE_JOIN;
}
/* "join", "rejoin_0"... */
enum net_join_request ns_asked_kind(uint8_t type);

/* Whether it may be asked for: NetID, version, profile, MIC, RJcount0. Sets join->session of a device that has one. */
enum ns_drop ns_rejoin_admit(struct ns *ns, struct ns_join *join, const struct ns_profile *profile,
			     const struct ns_asked *asked, const struct ns_frame *frame);
/* Where there is a session that the device uses its windows take the place of the region's. */
void ns_rejoin_windows(const struct ns *ns, const struct ns_join *join, const struct ns_copy *copy,
		       struct ns_windows *windows);
/* The session that the device goes on with where it does not hear this accept: the one that its rejoin-request proved, else the one
 * of its last uplinks; NULL: none. Lent. */
const struct ns_session *ns_join_in_use(const struct ns *ns, const struct ns_join *join);
/* The place that the new session needs when no uplink came under two accepts: that of the older one, unless it is the one that the
 * device is in. */
void ns_join_make_room(struct ns *ns, struct now now, const struct ns_join *join);
/* Type 2: what the accept says is what the device has. */
void ns_rejoin_keep(struct ns *ns, struct ns_join *join);
/* RJcount0 is used up, durably with this turn; an order of a rejoin has been followed. */
void ns_rejoin_count(struct ns *ns, struct now now, const struct ns_join *join);
/* Type 2: the new session takes over what the network knows of the device's radio. False: the session is gone. */
bool ns_rejoin_inherit(struct ns *ns, const struct ns_join *join, struct ns_session *session);

#endif
