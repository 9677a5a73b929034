/* Join servers of others (TS002): which JoinEUIs they serve, and how each fares. Joins of other JoinEUIs go to the city's own
 * join server, on join.sock, and never wait for one of these. What the configuration says of each: common/backend/join_server.h.
 *
 * Each has a place, which stays its own while the configuration names it, over reloads too (join_reload.h). Each has its own limit of
 * joins that wait, and a breaker:
 *
 *	            NS_BREAKER_FAILURES calls in a row failed
 *	CLOSED ────────────────────────────────────────────▶ OPEN: no join is given to it
 *	  ▲  ▲                                                │ its pause has passed
 *	  │  └───────────── a call was answered ───── PROBING ◀┘ one join at a time
 *	  │                                               └─ that failed ──▶ OPEN, the pause twice as long
 *
 * Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_SERVERS_H
#define LAMPPOST_NETWORK_SERVER_JOIN_SERVERS_H

#include "common/backend/join_server.h"

#define NS_JOIN_SERVERS_MAX OPTION_MAP_MAX
#define NS_JOIN_SERVER_PLACES \
	(2 * NS_JOIN_SERVERS_MAX)               /* those that a reload took out leave while others come */
#define NS_JOIN_SERVER_OURS BI_JOIN_SERVER_NONE /* the place of the city's own */
#define NS_JOIN_CAUSE       40

#define NS_BREAKER_FAILURES 5
#define NS_BREAKER_PAUSE    (5 * US_PER_S)
#define NS_BREAKER_LONGEST  (60 * US_PER_S)

enum ns_breaker { NS_BREAKER_CLOSED, NS_BREAKER_OPEN, NS_BREAKER_PROBING };

struct ns_join_server_state {
	enum ns_breaker breaker;
	uint32_t failures; /* in a row */
	span_us pause;
	struct mono until;  /* OPEN */
	uint32_t in_flight; /* joins that wait */
	/* Since the start. */
	uint64_t joins, calls, answers, accepted, refused, unusable, failed, busy, shunned;
};

/* What becomes of a join that it is to get now. */
enum ns_join_admission { NS_JOIN_ADMITTED, NS_JOIN_BUSY, NS_JOIN_SHUNNED };
enum ns_join_admission ns_join_server_admit(const struct bi_join_server *server,
					    const struct ns_join_server_state *state, struct mono now);
/* A join begins to wait for it, which was admitted; and waits no longer. */
void ns_join_server_began(struct ns_join_server_state *state, struct mono now);
void ns_join_server_ended(struct ns_join_server_state *state);
/* One call of it was answered, in whatever way that could be read; or failed. */
void ns_join_server_answered(struct ns_join_server_state *state);
void ns_join_server_failed(struct ns_join_server_state *state, struct mono now);
/* Whether a join that waits may ask again. */
bool ns_join_server_may_repeat(const struct ns_join_server_state *state);

#endif
