#include "gateway-bridge/bridge_cups.h"

#include "gateway-bridge/bridge_station_parts.h"

enum gb_verdict gb_bridge_admit_cups(struct gb_bridge *bridge, struct now now, const struct lw_eui64 *eui,
				     struct gb_presented *presented, const struct gb_address *from)
{
	const struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, eui);
	gb_enter(bridge, now);
	enum gb_verdict verdict = GB_RATE_UNKNOWN;
	if (gb_sources_take(&bridge->sources, now.mono, from, &bridge->options.unknown))
		verdict = gb_station_identity(bridge, now, eui, presented, from);
	if (verdict == GB_ACCEPTED && !(gateway->row.accept & GW_ACCEPT_CERTIFICATE))
		presented->has_certificate = false;
	if (verdict == GB_ACCEPTED)
		gb_judge(bridge, verdict, eui, from, NULL);
	else
		gb_station_refuse(bridge, now, verdict, eui, from);
	return verdict;
}

void gb_bridge_refuse_cups(struct gb_bridge *bridge, struct now now, enum gb_verdict verdict, size_t length,
			   const struct gb_address *from)
{
	gb_enter(bridge, now);
	gb_judge_number(bridge, verdict, NULL, from, (int64_t)length);
}
