#include "network-server/mac/report.h"

#include "network-server/mac/mac.h"

#include <string.h>

struct page {
	FILE *out;
	const struct ns_mac_case *of;
	bool some;
};

static const char *state_of(const struct ns_mac_case *of, enum ns_mac_kind kind, bool agreed, bool refused)
{
	struct ns_mac_state *mac = &of->session->mac;
	const uint16_t *together = ns_mac_refused(mac, kind);
	if (agreed)
		return "agreed";
	if (!ns_mac_known_to(of->session, kind))
		return "not_known_to_version";
	if (refused || (together && *together != 0 && !ns_mac_would_ask(of, kind)))
		return "refused";
	return mac->tries[kind] > 0 && !(mac->answered >> kind & 1) ? "asked" : "due";
}

/* What stands before and behind the two values. `channel` −1: not of one channel. */
static void begin(struct page *page, enum ns_mac_kind kind, const char *name, int channel)
{
	fprintf(page->out, "%s{\"name\":\"", page->some ? "," : "");
	if (channel >= 0)
		fprintf(page->out, "channel_%d_", channel);
	fprintf(page->out, "%s\",\"command\":\"%s\",", name,
		lw_mac_row_find(LW_DOWN, ns_mac_cid(kind))->name);
	page->some = true;
}

static void end(struct page *page, enum ns_mac_kind kind, bool agreed, bool refused)
{
	const struct ns_mac_state *mac = &page->of->session->mac;
	const char *state = state_of(page->of, kind, agreed, refused);
	bool asked = strcmp(state, "asked") == 0, waits = asked || strcmp(state, "due") == 0;
	fprintf(page->out, ",\"state\":\"%s\",\"tries\":%u,\"next_in_uplinks\":%u}", state,
		asked ? mac->tries[kind] : 0u, waits ? mac->wait[kind] : 0u);
}

/* `confirmed` −1: not known. */
static void number(struct page *page, enum ns_mac_kind kind, const char *name, int channel, int64_t desired,
		   int64_t confirmed, bool refused)
{
	begin(page, kind, name, channel);
	fprintf(page->out, "\"desired\":%lld,\"confirmed\":", (long long)desired);
	if (confirmed < 0)
		fputs("null", page->out);
	else
		fprintf(page->out, "%lld", (long long)confirmed);
	end(page, kind, desired == confirmed, refused);
}

static void write_mask(FILE *out, const struct lw_channel_mask *mask)
{
	bool some = false;
	fputc('"', out);
	for (unsigned i = 0; i < LW_UPLINK_CHANNELS_MAX; i++) {
		unsigned last = i;
		if (!lw_mask_get(mask, (uint8_t)i))
			continue;
		while (last + 1 < LW_UPLINK_CHANNELS_MAX && lw_mask_get(mask, (uint8_t)(last + 1)))
			last++;
		fprintf(out, last > i ? "%s%u-%u" : "%s%u", some ? "," : "", i, last);
		some = true;
		i = last;
	}
	fputc('"', out);
}

static void windows(struct page *page)
{
	const struct ns_session *session = page->of->session;
	const struct ns_mac_state *mac = &session->mac;
	const struct ns_wish *wish = &page->of->wish;
	number(page, NS_MAC_RX_TIMING_SETUP, "rx_delay_s", -1, wish->rx_delay_s, session->rx_delay_s, false);
	number(page, NS_MAC_RX_PARAM_SETUP, "rx1_dr_offset", -1, wish->rx1_dr_offset, session->rx1_dr_offset,
	       mac->refused_offset == wish->rx1_dr_offset + 1);
	number(page, NS_MAC_RX_PARAM_SETUP, "rx2_dr", -1, wish->rx2_dr, session->rx2_dr,
	       mac->refused_rx2_dr == wish->rx2_dr + 1);
	number(page, NS_MAC_RX_PARAM_SETUP, "rx2_freq_hz", -1, wish->rx2_freq_hz, session->rx2_freq_hz,
	       mac->refused_rx2_freq == ns_mac_hash(&wish->rx2_freq_hz, sizeof wish->rx2_freq_hz));
}

static void transmission(struct page *page)
{
	const struct ns_mac_case *of = page->of;
	const struct ns_session *session = of->session;
	number(page, NS_MAC_DUTY_CYCLE, "max_duty_cycle", -1, of->wish.max_duty_cycle,
	       session->mac.max_duty_cycle, false);
	if (!of->region->has_tx_param_setup_req)
		return;
	uint8_t has = session->mac.tx_param ? session->mac.tx_param : ns_boot_tx_param(of->region);
	number(page, NS_MAC_TX_PARAM_SETUP, "uplink_dwell", -1, of->wish.tx_param >> 4 & 1, has >> 4 & 1,
	       false);
	number(page, NS_MAC_TX_PARAM_SETUP, "downlink_dwell", -1, of->wish.tx_param >> 5 & 1, has >> 5 & 1,
	       false);
	number(page, NS_MAC_TX_PARAM_SETUP, "max_eirp_dbm", -1, lw_max_eirp_dbm(of->wish.tx_param & 15),
	       lw_max_eirp_dbm(has & 15), false);
}

/* Where RX1 of a channel is: at its own frequency unless a plan says otherwise; 0: there is no such channel. */
static uint32_t rx1_of(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index)
{
	struct lw_channel channel;
	if (plan->rx1_freq_hz[index] != 0)
		return plan->rx1_freq_hz[index];
	return lw_plan_channel(plan, region, index, &channel) ? channel.freq_hz : 0;
}

/* Channels of the device's own, where it or the network has one. */
static void channels(struct page *page)
{
	const struct ns_mac_case *of = page->of;
	const struct ns_mac_state *mac = &of->session->mac;
	for (uint8_t i = 0; i < LW_PLAN_DYNAMIC_MAX && of->region->plan_type != LW_PLAN_FIXED; i++) {
		uint32_t wanted = of->wanted->freq_hz[i], has = of->plan.freq_hz[i];
		if (wanted != 0 || has != 0)
			number(page, NS_MAC_NEW_CHANNEL, "freq_hz", i, wanted, has,
			       mac->refused_channels >> i & 1);
		if (of->region->has_dl_channel_req &&
		    (of->wanted->rx1_freq_hz[i] != 0 || of->plan.rx1_freq_hz[i] != 0))
			number(page, NS_MAC_DL_CHANNEL, "rx1_freq_hz", i, rx1_of(of->wanted, of->region, i),
			       rx1_of(&of->plan, of->region, i), mac->refused_dl_channels >> i & 1);
	}
}

static void link_adr(struct page *page)
{
	const struct ns_mac_case *of = page->of;
	const struct ns_session *session = of->session;
	const struct lw_channel_mask *wanted = &of->wanted->enabled, *has = &of->plan.enabled;
	bool settled = !(session->flags & NS_SESSION_SETTLE);
	begin(page, NS_MAC_LINK_ADR, "channels", -1);
	fputs("\"desired\":", page->out);
	write_mask(page->out, wanted);
	fputs(",\"confirmed\":", page->out);
	if (settled)
		write_mask(page->out, has);
	else
		fputs("null", page->out);
	end(page, NS_MAC_LINK_ADR, settled && lw_mask_equal(wanted, has),
	    session->mac.refused_mask == ns_mac_hash(wanted, sizeof *wanted));
	struct ns_adr_decision decision = {
		.wanted = {session->last_dr, session->mac.tx_power, session->nb_trans}};
	(void)ns_mac_adr(of, &of->plan, &decision);
	number(page, NS_MAC_LINK_ADR, "data_rate", -1, decision.wanted.dr, session->last_dr,
	       session->mac.refused_drs >> decision.wanted.dr & 1);
	number(page, NS_MAC_LINK_ADR, "tx_power", -1, decision.wanted.power, session->mac.tx_power,
	       session->mac.refused_powers >> decision.wanted.power & 1);
	number(page, NS_MAC_LINK_ADR, "nb_trans", -1, decision.wanted.nb_trans, session->nb_trans, false);
}

/* What is known only once it was asked. */
static int64_t if_known(const struct ns_rare *rare, enum ns_rare_known bit, uint8_t value, int64_t otherwise)
{
	return rare->known & bit ? value : otherwise;
}

static void rare_ones(struct page *page)
{
	const struct ns_mac_case *of = page->of;
	const struct ns_rare *rare = &of->rare;
	const struct ns_wish *wish = &of->wish;
	number(page, NS_MAC_ADR_PARAM_SETUP, "adr_ack_limit_exp", -1, wish->adr_limit_exp,
	       if_known(rare, NS_RARE_ADR_PARAM, rare->adr_limit_exp, NS_ADR_LIMIT_EXP), false);
	number(page, NS_MAC_ADR_PARAM_SETUP, "adr_ack_delay_exp", -1, wish->adr_delay_exp,
	       if_known(rare, NS_RARE_ADR_PARAM, rare->adr_delay_exp, NS_ADR_DELAY_EXP), false);
	if (wish->rejoin) {
		number(page, NS_MAC_REJOIN_PARAM_SETUP, "rejoin_time_exp", -1, wish->rejoin_time_exp,
		       if_known(rare, NS_RARE_REJOIN_TIME, rare->rejoin_time_exp, -1),
		       rare->refused_time_exp == wish->rejoin_time_exp + 1);
		number(page, NS_MAC_REJOIN_PARAM_SETUP, "rejoin_count_exp", -1, wish->rejoin_count_exp,
		       if_known(rare, NS_RARE_REJOIN_COUNT, rare->rejoin_count_exp, -1), false);
	}
	number(page, NS_MAC_BEACON_FREQ, "beacon_freq_hz", -1, wish->beacon_freq_hz, rare->beacon_freq_hz,
	       rare->refused_beacon_freq == ns_mac_hash(&wish->beacon_freq_hz, sizeof wish->beacon_freq_hz));
	number(page, NS_MAC_PING_SLOT_CHANNEL, "ping_slot_freq_hz", -1, wish->ping_slot_freq_hz,
	       rare->ping_slot_freq_hz,
	       rare->refused_ping_freq ==
		       ns_mac_hash(&wish->ping_slot_freq_hz, sizeof wish->ping_slot_freq_hz));
	number(page, NS_MAC_PING_SLOT_CHANNEL, "ping_slot_dr", -1, wish->ping_slot_dr,
	       if_known(rare, NS_RARE_PING_SLOT_DR, rare->ping_slot_dr, of->region->ping_slot.dr),
	       rare->refused_ping_dr == wish->ping_slot_dr + 1);
}

static void write_report(struct ns *ns, struct ns_session *session, const struct net_profile *profile,
			 FILE *out)
{
	struct ns_mac_case of;
	char eui[LW_EUI64_TEXT], addr[LW_DEV_ADDR_TEXT];
	ns_mac_case_init(&of, ns, session, profile);
	struct page page = {.out = out, .of = &of};
	lw_eui64_format(eui, &session->dev_eui);
	lw_dev_addr_format(addr, session->dev_addr);
	fprintf(out,
		"{\"dev_eui\":\"%s\",\"dev_addr\":\"%s\",\"mac_version\":\"%s\",\"class\":\"%c\",\"sticky\":%"
		"s,"
		"\"rejoin_ordered\":%u,\"parameters\":[",
		eui, addr, lw_mac_version_name(ns_session_version(session)),
		of.rare.device_mode == 2 ? 'C' : 'A', session->flags & NS_SESSION_STICKY ? "true" : "false",
		of.rare.order_left);
	windows(&page);
	link_adr(&page);
	channels(&page);
	transmission(&page);
	rare_ones(&page);
	fputs("]}", out);
}

bool ns_mac_report(struct ns *ns, const struct lw_eui64 *dev_eui, FILE *out)
{
	uint32_t slot = ns_device_find(&ns->sessions, dev_eui);
	if (slot == NS_NO_SLOT)
		return false;
	const struct ns_device *device = ns_device_at(&ns->sessions, slot);
	const struct ns_profile *profile = ns_profile_of(ns, device);
	if (device->session == NS_NO_SLOT || !profile)
		return false;
	/* Looking forgets what a change of the network's channels makes forgotten: not in the session itself. */
	struct ns_session copy = *ns_session_at(&ns->sessions, device->session);
	write_report(ns, &copy, &profile->record, out);
	secret_wipe(&copy, sizeof copy);
	return true;
}
