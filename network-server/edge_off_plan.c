/* Where a gateway that hears frequencies outside its plan shows: a line of the log when it begins and when it ends, a warning
 * with cause and next step in /healthz, and its row of GET /gateways. */
#include "network-server/edge_process.h"

#include "common/base/log.h"
#include "common/io/clock.h"

#include <inttypes.h>

#define SHOWN_MAX 3 /* sentences in /healthz; GET /gateways has all */

void ns_edge_log_off_plan(struct ns_edge *edge, struct now now)
{
	struct ns *ns = &edge->ns;
	if (edge->off_plan_logged == ns->off_plan_changes)
		return;
	edge->off_plan_logged = ns->off_plan_changes;
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
		struct ns_off_plan *off_plan = &gateway->off_plan;
		char eui[LW_EUI64_TEXT], text[NS_OFF_PLAN_TEXT];
		if (off_plan->raised == off_plan->logged)
			continue;
		off_plan->logged = off_plan->raised;
		lw_eui64_format(eui, &gateway->record.gateway.eui);
		if (off_plan->raised)
			LOG_WARN("gateway_off_plan", "gateway=%s why=\"%s\"", eui,
				 ns_off_plan_say(text, ns, gateway, now.mono));
		else
			LOG_INFO("gateway_on_plan",
				 "gateway=%s why=\"it no longer hears frequencies outside its plan\"", eui);
	}
}

void ns_edge_off_plan_health(const struct ns_edge *edge, char *warnings, size_t warnings_capacity,
			     char *members, size_t members_capacity)
{
	const struct ns *ns = &edge->ns;
	size_t used = strlen(warnings), written = 0;
	unsigned shown = 0;
	char text[NS_OFF_PLAN_TEXT];
	members[0] = '\0';
	if (ns->off_plan_raised == 0)
		return;
	snprintf(warnings + used, warnings_capacity - used, "%s\"gateway_off_plan\"", used ? "," : "");
	struct now now = clock_now();
	written += (size_t)snprintf(members, members_capacity,
				    ",\"gateways_off_plan\":%" PRIu64 ",\"off_plan\":[", ns->off_plan_raised);
	for (uint32_t slot = 0; slot < ns->gateways.slab.high && shown < SHOWN_MAX; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
		if (gateway->off_plan.raised)
			written += (size_t)snprintf(members + written, members_capacity - written, "%s\"%s\"",
						    shown++ ? "," : "",
						    ns_off_plan_say(text, ns, gateway, now.mono));
	}
	snprintf(members + written, members_capacity - written, "]");
}

void ns_edge_write_off_plan(FILE *out, const struct ns *ns, const struct ns_gateway *gateway, struct now now)
{
	char text[NS_OFF_PLAN_TEXT];
	const struct ns_off_plan *off_plan = &gateway->off_plan;
	struct ns_off_plan_sum sum = ns_off_plan_sum(off_plan, now.mono);
	fprintf(out,
		"\"plan\":\"%s\",\"off_plan\":{\"raised\":%s,\"receptions\":%" PRIu32 ",\"of\":%" PRIu32
		",\"minutes\":%u,",
		ns_off_plan_plan(text, ns, gateway), off_plan->raised ? "true" : "false", sum.off, sum.all,
		sum.minutes);
	fprintf(out, "\"why\":\"%s\",\"frequencies\":[",
		off_plan->raised ? ns_off_plan_say(text, ns, gateway, now.mono) : "");
	for (size_t i = 0, written = 0; i < NS_OFF_PLAN_FREQS; i++)
		if (off_plan->freqs[i].freq_hz != 0)
			fprintf(out, "%s{\"hz\":%" PRIu32 ",\"inside\":%s,\"receptions\":%" PRIu32 "}",
				written++ ? "," : "", off_plan->freqs[i].freq_hz,
				off_plan->freqs[i].inside ? "true" : "false",
				off_plan->freqs[i].heard.now + off_plan->freqs[i].heard.before);
	fputs("]}", out);
}
