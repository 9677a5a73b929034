/* Reports of joins on their way to the application server (common/proto/join_report.h): a bounded ring that the edge
 * empties while the application server is there. When it is full the oldest report goes, counted; reports about what is
 * not registered only enter while half of it is free, so that strangers never push ours out (invariant 7). */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_REPORTS_H
#define LAMPPOST_NETWORK_SERVER_JOIN_REPORTS_H

#include "common/base/rng.h"
#include "common/proto/join_report.h"

#define NS_JOIN_REPORTS_MAX 4096

struct ns_join_reports {
	struct net_join_report *ring; /* owned */
	uint32_t start, count;
	uint32_t
		prefix; /* of attempt numbers: drawn at the start, so that none is met again after a restart */
	uint32_t last;  /* the last attempt's number in this run */
	uint64_t added, dropped;
};

void ns_join_reports_init(struct ns_join_reports *reports, struct rng *rng);
void ns_join_reports_release(struct ns_join_reports *reports);
/* The number of a new attempt; never 0. */
uint32_t ns_join_reports_number(struct ns_join_reports *reports);
/* Lends the report of an attempt to fill: the newest one in the ring if it is of this attempt and has not left, else a new
 * one, zeroed but for `attempt`. NULL: dropped, counted (only where `stranger`). */
struct net_join_report *ns_join_reports_add(struct ns_join_reports *reports, uint32_t number, bool stranger);
/* Lends the oldest, NULL when there is none; valid until the next change. */
const struct net_join_report *ns_join_reports_first(const struct ns_join_reports *reports);
void ns_join_reports_take(struct ns_join_reports *reports);

#endif
