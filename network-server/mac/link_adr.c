/* LinkADRReq (§5.3), here only to settle a device on the channels that are heard: in a fixed plan it may hop over 64 after
 * its join (a CFList of type 1 is not known to every device). Data rate stays what the uplink had, power is the highest.
 * A block is one atom; its answers may come once or once a request, all alike: the first decides. With ADR off a device
 * may take the mask alone, which is all that is wanted. */
#include "network-server/mac/mac.h"

void ns_mac_wanted_plan(const struct ns *ns, const struct ns_session *session, struct lw_channel_plan *plan)
{
	const struct lw_region *region = ns_region(ns, session->region);
	lw_plan_init(plan, region);
	if (region->plan_type != LW_PLAN_FIXED) {
		ns_extra_channels_add(&ns->config.extra[session->region], region, plan);
		return;
	}
	struct lw_channel_mask heard = {0};
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot)) {
			const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
			for (size_t i = 0; gateway->region == session->region && i < LW_MASK_WORDS; i++)
				heard.words[i] |= gateway->channels.words[i];
		}
	(void)lw_plan_limit(plan, region, &heard);
}

bool ns_mac_link_adr_req(struct ns *ns, struct ns_session *session, struct wr *wr)
{
	const struct lw_region *region = ns_region(ns, session->region);
	struct lw_channel_plan wanted;
	struct lw_mask_command masks[LW_MASK_COMMANDS_MAX];
	ns_mac_wanted_plan(ns, session, &wanted);
	size_t count = lw_plan_mask_commands(NULL, &wanted, region, masks);
	struct wr before = *wr;
	for (size_t i = 0; i < count; i++) {
		struct lw_mac_command command = {.direction = LW_DOWN, .cid = LW_CID_LINK_ADR};
		command.as.link_adr_req.data_rate = session->last_dr;
		command.as.link_adr_req.ch_mask = masks[i].mask;
		command.as.link_adr_req.ch_mask_cntl = masks[i].cntl;
		command.as.link_adr_req.nb_trans = session->nb_trans;
		if (lw_mac_write(wr, &command, region->freq_step_hz) != LW_MAC_WRITE_OK) {
			*wr = before; /* all of the block or nothing */
			return false;
		}
	}
	session->flags |= NS_SESSION_LINK_ADR_SENT;
	return count > 0;
}

void ns_mac_link_adr_ans(struct ns *ns, struct now now, struct ns_uplink *uplink,
			 const struct lw_mac_command *command)
{
	(void)now;
	struct ns_session *session = uplink->session;
	if (!(session->flags & NS_SESSION_LINK_ADR_SENT)) {
		ns_count(ns, NS_DROP_MAC_UNEXPECTED);
		return;
	}
	bool all = command->as.link_adr_ans.ch_mask_ack && command->as.link_adr_ans.data_rate_ack &&
		   command->as.link_adr_ans.power_ack;
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_LINK_ADR_SENT);
	if (all || (command->as.link_adr_ans.ch_mask_ack && !uplink->parsed.fctrl.adr)) {
		ns_mac_wanted_plan(ns, session, &session->plan);
		session->flags = (uint8_t)(session->flags & ~NS_SESSION_SETTLE);
		session->mac_tries = 0;
	}
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
}
