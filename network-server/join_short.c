#include "network-server/join_short.h"

bool ns_short_accept(const struct ns *ns, const struct ns_join *join)
{
	const struct lw_region *region = ns_region(ns, join->region);
	return ns->storm.on && !ns->config.first_come && join->type == LW_JOIN_REQ_TYPE_JOIN &&
	       region->plan_type == LW_PLAN_DYNAMIC && join->windows.has_rx1 &&
	       ns_gateway_duty_budget(region, join->windows.rx1.freq_hz) < UINT32_MAX;
}

bool ns_short_pays(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_storm *storm = &ns->storm;
	if (storm->storms == 0 || ns->config.first_come)
		return true;
	if (storm->on || !ns_slab_holds(&ns->gateways.slab, slot))
		return false;
	if (mono_since(now.mono, storm->until) > NS_SHORT_DEBT)
		return true;
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	if (now.mono.us < gateway->pays_next.us)
		return false;
	gateway->pays_next = mono_add(now.mono, NS_SHORT_PAUSE);
	return true;
}
