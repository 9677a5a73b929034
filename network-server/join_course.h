/* Tells how a join fares: every step of join_flow.c and of its accept that a person would ask about becomes a report
 * (common/proto/join_report.h), and every verdict that can end a join becomes one of the report's.
 *
 * What is kept between the steps is four small members of the device (struct ns_device): the number of its last attempt,
 * how that stands, how many accepts in a row were followed by a new request, and the second of the last report. Reports of
 * one device come at most once in NS_COURSE_PAUSE seconds, so that a stranger who sends with its identifiers cannot fill the
 * ring. No key enters a report (invariant 5). */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_COURSE_H
#define LAMPPOST_NETWORK_SERVER_JOIN_COURSE_H

#include "network-server/rejoin.h"

#define NS_COURSE_PAUSE 2 /* seconds; a device waits 6 for its accept before it asks again */

/* --- join_flow.c --- */
/* A request whose window has closed: fills join->report with who asked and how it was heard. Also tells of the attempt
 * before if its accept was sent and no uplink came since. */
void ns_course_begin(struct ns *ns, struct now now, struct ns_join *join, const struct ns_asked *asked,
		     const struct ns_frame *frame);
/* It ended there. `ns_course_end()` of the drop is what is reported, made more precise where the report tells more. */
void ns_course_refused(struct ns *ns, const struct ns_join *join, enum ns_drop drop);
/* The join server has not answered a call; reported once. */
void ns_course_waits(struct ns *ns, struct ns_join *join);
/* The join server said no. */
void ns_course_no(struct ns *ns, const struct ns_join *join, const struct bi_envelope *answer);
/* It said yes: the accept goes to downlink.c now. */
void ns_course_yes(struct ns *ns, const struct ns_join *join);

/* --- reception.c: one copy that goes no further: the bytes of an earlier join-request once more (NS_DROP_JOIN_REPEATED),
 * or no room (NS_DROP_DEDUP_FULL). --- */
void ns_course_stopped(struct ns *ns, struct now now, const struct ns_asked *asked,
		       const struct ns_copy *copy, enum ns_drop drop);

/* --- downlink.c, tx_ack.c: of a join's downlink alone; others are ignored. --- */
void ns_course_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink);
void ns_course_not_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop drop,
			const char *cause);
/* The gateway said that it sent it, or nothing. */
void ns_course_on_air(struct ns *ns, struct now now, const struct ns_downlink *downlink);

/* --- uplink.c: the first uplink under the session of the device's last join. --- */
void ns_course_joined(struct ns *ns, struct now now, uint32_t device);

/* What a verdict of the core means as the end of a join; false: it cannot end one. */
bool ns_course_end(enum ns_drop drop, enum net_join_verdict *verdict);
/* What the join server's refusal means: our own server names its verdict in the description, a foreign one only has the
 * result. */
enum net_join_verdict ns_course_refusal(enum bi_result result, const char *description);

#endif
