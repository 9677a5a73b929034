/* RXTimingSetupReq (§5.7): an ABP device boots with a short RxDelay and is brought to what the network wants, 5 s by
 * default. The device uses the new value from its next uplink after the answer on; it repeats the answer until a downlink
 * comes, so the value asked for is taken at the first one. */
#include "network-server/mac/mac.h"

uint8_t ns_wanted_rx_delay(const struct ns *ns, const struct ns_profile *profile)
{
	bool abp_default = profile->record.rx_delay_s == 0;
	return abp_default ? ns->config.rx_delay_s : profile->record.rx_delay_s;
}

uint8_t ns_boot_rx_delay(const struct ns_profile *profile)
{
	return profile->record.rx_delay_s == 0 ? 1 : profile->record.rx_delay_s;
}

void ns_boot_windows(const struct ns_profile *profile, const struct lw_region *region,
		     struct ns_session *session)
{
	const struct net_profile *record = &profile->record;
	session->rx_delay_s = ns_boot_rx_delay(profile);
	session->rx1_dr_offset = record->rx1_dr_offset;
	session->rx2_dr = record->rx2_dr < 16 ? record->rx2_dr : region->rx2.dr;
	session->rx2_freq_hz = record->rx2_freq_hz ? record->rx2_freq_hz : region->rx2.freq_hz;
}

bool ns_mac_wants_rx_timing(const struct ns *ns, const struct ns_session *session,
			    const struct ns_profile *profile)
{
	uint8_t wanted = session->flags & NS_SESSION_ABP ? ns->config.rx_delay_s
							 : ns_wanted_rx_delay(ns, profile);
	return session->rx_delay_s < wanted;
}

bool ns_mac_rx_timing_req(struct ns *ns, struct ns_session *session, const struct ns_profile *profile,
			  struct wr *wr)
{
	uint8_t wanted = session->flags & NS_SESSION_ABP ? ns->config.rx_delay_s
							 : ns_wanted_rx_delay(ns, profile);
	struct lw_mac_command command = {.direction = LW_DOWN, .cid = LW_CID_RX_TIMING_SETUP};
	command.as.rx_timing_setup_req.delay = wanted;
	if (lw_mac_write(wr, &command, ns_region(ns, session->region)->freq_step_hz) != LW_MAC_WRITE_OK)
		return false;
	session->rx_delay_asked = wanted;
	session->flags |= NS_SESSION_RX_TIMING_SENT;
	return true;
}

void ns_mac_rx_timing_ans(struct ns *ns, struct now now, struct ns_uplink *uplink,
			  const struct lw_mac_command *command)
{
	(void)now;
	(void)command;
	struct ns_session *session = uplink->session;
	if (!(session->flags & NS_SESSION_RX_TIMING_SENT)) {
		ns_count(ns, NS_DROP_MAC_UNEXPECTED);
		return;
	}
	session->rx_delay_s = session->rx_delay_asked;
	session->mac_tries = 0;
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_RX_TIMING_SENT);
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
}
