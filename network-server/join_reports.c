#include "network-server/join_reports.h"

#include "common/base/check.h"

#include <stdlib.h>

void ns_join_reports_init(struct ns_join_reports *reports, struct rng *rng)
{
	*reports = (struct ns_join_reports){.prefix = rng_u32(rng)};
	reports->ring = calloc(NS_JOIN_REPORTS_MAX, sizeof *reports->ring);
	ASSERT(reports->ring);
}

void ns_join_reports_release(struct ns_join_reports *reports)
{
	free(reports->ring);
	*reports = (struct ns_join_reports){0};
}

uint32_t ns_join_reports_number(struct ns_join_reports *reports)
{
	if (++reports->last == 0)
		++reports->last;
	return reports->last;
}

static struct net_join_report *at(const struct ns_join_reports *reports, uint32_t index)
{
	return &reports->ring[(reports->start + index) % NS_JOIN_REPORTS_MAX];
}

struct net_join_report *ns_join_reports_add(struct ns_join_reports *reports, uint32_t number, bool stranger)
{
	ASSERT_CMP(number, !=, 0);
	uint64_t attempt = (uint64_t)reports->prefix << 32 | number;
	if (reports->count > 0 && at(reports, reports->count - 1)->attempt == attempt)
		return at(reports, reports->count - 1);
	if (stranger && reports->count >= NS_JOIN_REPORTS_MAX / 2) {
		reports->dropped++;
		return NULL;
	}
	if (reports->count == NS_JOIN_REPORTS_MAX) {
		ns_join_reports_take(reports);
		reports->dropped++;
	}
	struct net_join_report *report = at(reports, reports->count++);
	*report = (struct net_join_report){.attempt = attempt};
	reports->added++;
	return report;
}

const struct net_join_report *ns_join_reports_first(const struct ns_join_reports *reports)
{
	return reports->count > 0 ? at(reports, 0) : NULL;
}

void ns_join_reports_take(struct ns_join_reports *reports)
{
	ASSERT_CMP(reports->count, >, 0);
	reports->start = (reports->start + 1) % NS_JOIN_REPORTS_MAX;
	reports->count--;
}
