/* What the network wants of a session, and what a device boots with. */
#include "network-server/mac/mac.h"

#include "common/base/mutant.h"

static uint8_t eirp_index(unsigned dbm)
{
	uint8_t index = 0;
	for (uint8_t i = 1; i < 16; i++)
		if ((unsigned)lw_max_eirp_dbm(i) <= dbm)
			index = i;
	return index;
}

static uint8_t tx_param(const struct lw_region *region, uint8_t uplink_dwell, uint8_t downlink_dwell,
			uint8_t dbm)
{
	bool up = uplink_dwell == NET_REGIONS_OWN ? region->dwell.uplink_default : uplink_dwell != 0;
	bool down = downlink_dwell == NET_REGIONS_OWN ? region->dwell.downlink_default : downlink_dwell != 0;
	unsigned most = dbm == NET_REGIONS_OWN ? (unsigned)region->default_max_eirp_cdbm / 100 : dbm;
	return (uint8_t)(NS_TX_PARAM_KNOWN | (unsigned)down << 5 | (unsigned)up << 4 | eirp_index(most));
}

uint8_t ns_boot_tx_param(const struct lw_region *region)
{
	return tx_param(region, NET_REGIONS_OWN, NET_REGIONS_OWN, NET_REGIONS_OWN);
}

static uint8_t or_else(uint8_t wanted, uint8_t otherwise)
{
	return wanted == NET_DEVICES_OWN ? otherwise : wanted;
}

/* ADR's parameters, rejoins and class B; what no device of the region could do is not wished. */
static void more_wishes(const struct net_profile *profile, const struct lw_region *region,
			struct ns_wish *wish)
{
	wish->adr_limit_exp = or_else(profile->adr_ack_limit_exp, NS_ADR_LIMIT_EXP);
	wish->adr_delay_exp = or_else(profile->adr_ack_delay_exp, NS_ADR_DELAY_EXP);
	wish->rejoin = profile->rejoin_time_exp != NET_DEVICES_OWN ||
		       profile->rejoin_count_exp != NET_DEVICES_OWN;
	wish->rejoin_time_exp = or_else(profile->rejoin_time_exp, 15); /* the longest: as good as never */
	wish->rejoin_count_exp = or_else(profile->rejoin_count_exp, 15);
	if (lw_region_freq_ok(region, LW_DOWN, profile->beacon_freq_hz))
		wish->beacon_freq_hz = profile->beacon_freq_hz;
	if (lw_region_freq_ok(region, LW_DOWN, profile->ping_slot_freq_hz))
		wish->ping_slot_freq_hz = profile->ping_slot_freq_hz;
	wish->ping_slot_dr = region->ping_slot.dr;
	if (profile->ping_slot_dr < LW_DATA_RATES &&
	    lw_region_data_rate(region, LW_DOWN, profile->ping_slot_dr))
		wish->ping_slot_dr = profile->ping_slot_dr;
}

void ns_wish(const struct ns *ns, const struct net_profile *profile, const struct lw_region *region, bool abp,
	     struct ns_wish *wish)
{
	*wish = (struct ns_wish){
		.rx_delay_s = ns->config.rx_delay_s,
		.rx1_dr_offset = region->defaults.rx1_dr_offset,
		.rx2_dr = region->rx2.dr,
		.rx2_freq_hz = region->rx2.freq_hz,
		.max_duty_cycle = profile->max_duty_cycle,
		.tx_param = tx_param(region, profile->uplink_dwell, profile->downlink_dwell,
				     profile->max_eirp_dbm),
	};
	more_wishes(profile, region, wish);
	if (abp)
		return;
	if (profile->rx_delay_s != 0)
		wish->rx_delay_s = profile->rx_delay_s;
	if (profile->rx1_dr_offset <= region->max_rx1_dr_offset)
		wish->rx1_dr_offset = profile->rx1_dr_offset;
	if (profile->rx2_dr < LW_DATA_RATES && lw_region_data_rate(region, LW_DOWN, profile->rx2_dr))
		wish->rx2_dr = profile->rx2_dr;
	if (lw_region_freq_ok(region, LW_DOWN, profile->rx2_freq_hz))
		wish->rx2_freq_hz = profile->rx2_freq_hz;
}

void ns_boot_windows(const struct net_profile *profile, const struct lw_region *region, bool abp,
		     struct ns_session *session)
{
	session->rx_delay_s = 1;
	session->rx1_dr_offset = region->defaults.rx1_dr_offset;
	session->rx2_dr = region->rx2.dr;
	session->rx2_freq_hz = region->rx2.freq_hz;
	if (!abp)
		return;
	if (profile->rx_delay_s != 0)
		session->rx_delay_s = profile->rx_delay_s;
	session->rx1_dr_offset = profile->rx1_dr_offset;
	if (profile->rx2_dr < LW_DATA_RATES)
		session->rx2_dr = profile->rx2_dr;
	if (profile->rx2_freq_hz != 0)
		session->rx2_freq_hz = profile->rx2_freq_hz;
}

void ns_mac_boot(struct ns *ns, const struct net_profile *profile, const struct lw_region *region, bool abp,
		 struct ns_session *session)
{
	struct lw_channel_plan plan;
	uint32_t status_hour = session->mac.status_hour;
	ns_boot_windows(profile, region, abp, session);
	session->nb_trans = 1;
	session->mac = (struct ns_mac_state){.status_hour = status_hour,
					     .tx_param = ns_boot_tx_param(region)};
	session->rare = 0;
	ns_adr_clear(&session->adr);
	lw_plan_init(&plan, region);
	(void)ns_session_set_plan(&ns->sessions, session, &plan);
	session->flags = (uint8_t)(session->flags & ~(NS_SESSION_SETTLE | NS_SESSION_TRUSTED));
	if (region->plan_type == LW_PLAN_FIXED)
		session->flags |= NS_SESSION_SETTLE;
}

static uint16_t hash_plan(const struct lw_channel_plan *plan)
{
	uint16_t parts[3] = {ns_mac_hash(plan->freq_hz, sizeof plan->freq_hz),
			     ns_mac_hash(plan->rx1_freq_hz, sizeof plan->rx1_freq_hz),
			     ns_mac_hash(plan->dr_range, sizeof plan->dr_range)};
	return ns_mac_hash(parts, sizeof parts);
}

/* What the network adds; or, where channels are fixed, those of its plan that some gateway hears. */
static void make_wanted(const struct ns *ns, uint8_t index, struct lw_channel_plan *plan)
{
	const struct lw_region *region = ns_region(ns, index);
	lw_plan_init(plan, region);
	if (region->plan_type != LW_PLAN_FIXED) {
		lw_extra_channels_add(&ns->config.extra[index], region, plan);
		return;
	}
	struct lw_channel_mask heard = {0};
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot)) {
			const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
			for (size_t i = 0; gateway->region == index && i < LW_MASK_WORDS; i++)
				heard.words[i] |= gateway->channels.words[i];
		}
	const struct lw_channel_mask *own = &ns->config.channel_plans[index];
	struct lw_channel_mask both = heard;
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		both.words[i] &= own->words[i];
	if (lw_mask_count(own) > 0)
		(void)lw_plan_limit(plan, region, lw_mask_count(&both) > 0 ? &both : own);
	else
		(void)lw_plan_limit(plan, region, &heard);
}

const struct ns_wanted *ns_wanted(struct ns *ns, uint8_t region)
{
	region = ns_region_base(region);
	struct ns_wanted *wanted = &ns->wanted[region];
	if (wanted->version != ns->gateways.version + 1) {
		make_wanted(ns, region, &wanted->plan);
		wanted->hash = hash_plan(&wanted->plan);
		wanted->version = ns->gateways.version + 1;
	}
	return wanted;
}

bool ns_mac_downlink_dwell(const struct ns_session *session, const struct lw_region *region)
{
#if MUTANT == MUTANT_DWELL_IGNORED
	if (session)
		return false;
#endif
	if (!region->has_tx_param_setup_req || !(session->mac.tx_param & NS_TX_PARAM_KNOWN))
		return region->dwell.downlink_default;
	return session->mac.tx_param >> 5 & 1;
}

bool ns_mac_uplink_dwell(const struct ns_session *session, const struct lw_region *region)
{
	if (!region->has_tx_param_setup_req || !(session->mac.tx_param & NS_TX_PARAM_KNOWN))
		return region->dwell.uplink_default;
	return session->mac.tx_param >> 4 & 1;
}

/* §5.9: until the answer is here the device may use the one dwell time or the other. */
bool ns_mac_rx1_dr(const struct ns_session *session, const struct lw_region *region, uint8_t uplink_dr,
		   uint8_t *rx1_dr)
{
	bool dwell = ns_mac_downlink_dwell(session, region);
	uint8_t dr, other;
	if (!lw_region_rx1_dr(region, uplink_dr, session->rx1_dr_offset, dwell, &dr))
		return false;
	struct ns_mac_block asked;
	if (ns_mac_question(session, NS_MAC_TX_PARAM_SETUP, region->freq_step_hz, &asked) &&
	    asked.commands[0].as.tx_param_setup_req.downlink_dwell_time != dwell &&
	    (!lw_region_rx1_dr(region, uplink_dr, session->rx1_dr_offset, !dwell, &other) || other != dr))
		return false;
	*rx1_dr = dr;
	return true;
}
