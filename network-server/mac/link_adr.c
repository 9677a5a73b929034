/* LinkADRReq (§5.2): which channels, and, where device and profile let the network choose (ADR bit), data rate, power and
 * repeats. A run of requests is one block, all or nothing: from 1.0.2 on each request is answered, all alike, in 1.1 the
 * block once; both shapes are taken from every device. Up to 1.0.1 each request stands for itself, so there every one of them
 * has to make sense alone.
 *
 * With ADR off a device may take the mask and refuse the rest, which is all that is wanted then. */
#include "common/lorawan/airtime.h"
#include "network-server/why/record_mac.h"

#include <string.h>

#define KEEP 15 /* from 1.0.4 on */

/* The channels to enable: wanted, defined alike on both sides, and not refused before. */
static void choose_channels(const struct ns_mac_case *of, struct lw_channel_plan *target)
{
	struct lw_channel_mask mask = {0};
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++) {
		struct lw_channel own, wanted;
		if (lw_mask_get(&of->wanted->enabled, i) && lw_plan_channel(&of->plan, of->region, i, &own) &&
		    lw_plan_channel(of->wanted, of->region, i, &wanted) && own.freq_hz == wanted.freq_hz)
			lw_mask_set(&mask, i, true);
	}
	*target = of->plan;
	if (lw_mask_count(&mask) > 0 && ns_mac_hash(&mask, sizeof mask) != of->session->mac.refused_mask)
		target->enabled = mask;
}

/* Up to 1.0.1: banks of 16, those with channels first, so that no step leaves the device without. */
static size_t masks_one_by_one(const struct ns_mac_case *of, const struct lw_channel_plan *target,
			       struct lw_mask_command commands[LW_MASK_COMMANDS_MAX])
{
	size_t count = 0;
	for (int with_channels = 1; with_channels >= 0; with_channels--)
		for (uint8_t cntl = 0; cntl < LW_CH_MASK_CNTLS; cntl++) {
			const struct lw_mask_cntl *row = &of->region->mask_cntls[cntl];
			uint16_t bits = 0;
			for (unsigned i = 0; i < row->channel_count && i < 16; i++)
				if (lw_mask_get(&target->enabled, (uint8_t)(row->first_channel + i)))
					bits = (uint16_t)(bits | 1u << i);
			if (row->action == LW_MASK_16 && (bits != 0) == with_channels &&
			    count < LW_MASK_COMMANDS_MAX)
				commands[count++] = (struct lw_mask_command){cntl, bits};
		}
	return count;
}

static size_t masks_of(const struct ns_mac_case *of, const struct lw_channel_plan *target,
		       struct lw_mask_command commands[LW_MASK_COMMANDS_MAX])
{
	bool known = !(of->session->flags & NS_SESSION_SETTLE);
	size_t count = lw_plan_mask_commands(known ? &of->plan : NULL, target, of->region, commands);
	if (count > 1 && !ns_session_behaves(of->session, LW_LINK_ADR_BLOCK))
		count = masks_one_by_one(of, target, commands);
	return count;
}

/* Where the network does not choose: what the device has, in the words of its version. */
static struct ns_adr_settings as_it_is(const struct ns_session *session)
{
	struct ns_adr_settings settings = {KEEP, KEEP, session->nb_trans ? session->nb_trans : 1};
	if (ns_session_behaves(session, LW_LINK_ADR_KEEP))
		return settings;
	settings.dr = session->last_dr;
	settings.power = session->mac.tx_power;
	while (settings.power < LW_TX_POWERS - 2 && session->mac.refused_powers >> settings.power & 1)
		settings.power++;
	return settings;
}

enum ns_mac_urgency ns_mac_link_adr_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	const struct ns_session *session = of->session;
	struct lw_channel_plan target;
	choose_channels(of, &target);
	struct ns_adr_decision decision;
	struct ns_adr_settings settings = as_it_is(session);
	bool changes = false;
	if (ns_mac_adr(of, &target, &decision)) {
		settings = decision.wanted;
		changes = settings.dr != session->last_dr || settings.power != session->mac.tx_power ||
			  settings.nb_trans != session->nb_trans;
	}
	if (!changes && !(session->flags & NS_SESSION_SETTLE) &&
	    lw_mask_equal(&target.enabled, &of->plan.enabled))
		return NS_MAC_NOTHING;
	struct lw_mask_command masks[LW_MASK_COMMANDS_MAX];
	size_t count = masks_of(of, &target, masks);
	for (size_t i = 0; i < count; i++) {
		struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_LINK_ADR);
		command->as.link_adr_req.data_rate = settings.dr;
		command->as.link_adr_req.tx_power = settings.power;
		command->as.link_adr_req.ch_mask = masks[i].mask;
		command->as.link_adr_req.ch_mask_cntl = masks[i].cntl;
		command->as.link_adr_req.nb_trans = settings.nb_trans;
	}
	return count > 0 ? NS_MAC_SEND : NS_MAC_NOTHING;
}

/* --- answers --- */

static enum lw_mask_verdict apply_masks(struct ns_mac_case *of, struct lw_channel_plan *plan,
					const struct ns_mac_block *asked)
{
	struct lw_mask_command masks[NS_MAC_BLOCK];
	for (uint8_t i = 0; i < asked->count; i++)
		masks[i] = (struct lw_mask_command){asked->commands[i].as.link_adr_req.ch_mask_cntl,
						    asked->commands[i].as.link_adr_req.ch_mask};
	return lw_plan_apply_masks(plan, of->region, masks, asked->count);
}

/* The device took the block; `rates`: data rate and power as well. */
static void take(struct ns_mac_case *of, const struct ns_mac_block *asked, bool rates)
{
	struct ns_session *session = of->session;
	const struct lw_mac_command *last = &asked->commands[asked->count - 1];
	(void)apply_masks(of, &of->plan, asked);
	session->flags = (uint8_t)(session->flags & ~(NS_SESSION_SETTLE | NS_SESSION_TRUSTED));
	if (!rates)
		return;
	uint8_t power = last->as.link_adr_req.tx_power, nb_trans = last->as.link_adr_req.nb_trans;
	/* The frame that brought the answer may have been a slower retry (uplink_event.c): the next is no step back. */
	if (last->as.link_adr_req.data_rate != KEEP)
		session->last_dr = last->as.link_adr_req.data_rate;
	bool changed = (power != KEEP && power != session->mac.tx_power) ||
		       (nb_trans != 0 && nb_trans != session->nb_trans);
	if (power != KEEP)
		session->mac.tx_power = power;
	if (nb_trans != 0)
		session->nb_trans = nb_trans;
	if (changed)
		ns_adr_clear(&session->adr);
}

/* A power that is too low for the device caps it, one that is too high is its floor. */
static void remember_power(struct ns_mac_state *mac, uint8_t power)
{
	if (power == KEEP)
		return;
	unsigned refused = power > mac->tx_power ? 0xffffu << power : (2u << power) - 1;
	mac->refused_powers = (uint16_t)(mac->refused_powers | refused);
}

/* Where the mask that was wanted is refused, and then that which the device is taken to have, the former is remembered: else
 * each would be asked for in turn for ever. */
static void remember(struct ns_mac_case *of, const struct ns_mac_block *asked,
		     const struct lw_mac_command *answer)
{
	struct ns_session *session = of->session;
	const struct lw_mac_command *last = &asked->commands[asked->count - 1];
	struct lw_channel_plan plan = of->plan;
	if (!answer->as.link_adr_ans.ch_mask_ack && apply_masks(of, &plan, asked) == LW_MASK_APPLIED &&
	    !(session->mac.refused_mask && lw_mask_equal(&plan.enabled, &of->plan.enabled)))
		session->mac.refused_mask = ns_mac_hash(&plan.enabled, sizeof plan.enabled);
	if (!(session->flags & NS_SESSION_ADR))
		return; /* the network had not the right to choose: it says nothing of what the device can */
	uint8_t dr = last->as.link_adr_req.data_rate;
	if (!answer->as.link_adr_ans.data_rate_ack && dr != KEEP && dr != session->last_dr)
		session->mac.refused_drs = (uint16_t)(session->mac.refused_drs | 1u << dr);
	if (!answer->as.link_adr_ans.power_ack)
		remember_power(&session->mac, last->as.link_adr_req.tx_power);
}

static bool all_bits(const struct lw_mac_command *answer)
{
	return answer->as.link_adr_ans.ch_mask_ack && answer->as.link_adr_ans.data_rate_ack &&
	       answer->as.link_adr_ans.power_ack;
}

/* Up to 1.0.1: each request has its own answer. */
static enum ns_mac_said answer_one_by_one(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers)
{
	enum ns_mac_said said = NS_MAC_TAKEN;
	bool settled = true;
	for (uint8_t i = 0; i < asked->count; i++) {
		struct ns_mac_block one = {.commands = {asked->commands[i]}, .count = 1};
		if (all_bits(&answers->commands[i])) {
			bool settle = of->session->flags & NS_SESSION_SETTLE;
			take(of, &one, true);
			if (settle)
				of->session->flags |= NS_SESSION_SETTLE;
			continue;
		}
		remember(of, &one, &answers->commands[i]);
		said = NS_MAC_REFUSED;
		settled = false;
	}
	if (settled)
		of->session->flags = (uint8_t)(of->session->flags & ~NS_SESSION_SETTLE);
	return said;
}

enum ns_mac_said ns_mac_link_adr_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers)
{
	if (!ns_session_behaves(of->session, LW_LINK_ADR_BLOCK) && asked->count > 1 &&
	    answers->count == asked->count)
		return answer_one_by_one(of, asked, answers);
	/* One answer for the block, or one a request: what any of them refuses is refused. Where the version has one, and the
	 * profile does not say that the device gives more, that is noted. */
	if (answers->count > 1 && ns_session_behaves(of->session, LW_LINK_ADR_ANS_ONCE) &&
	    !(of->profile->quirks & NET_QUIRK_DUPLICATE_LINK_ADR_ANS))
		ns_record_mac_drop(of->ns, of->now, of->session, NS_DROP_MAC_UNEXPECTED, LW_CID_LINK_ADR,
				   of->uplink->commands_length);
	struct lw_mac_command said = answers->commands[0];
	for (uint8_t i = 1; i < answers->count; i++) {
		const struct lw_mac_command *also = &answers->commands[i];
		said.as.link_adr_ans.ch_mask_ack &= also->as.link_adr_ans.ch_mask_ack;
		said.as.link_adr_ans.data_rate_ack &= also->as.link_adr_ans.data_rate_ack;
		said.as.link_adr_ans.power_ack &= also->as.link_adr_ans.power_ack;
	}
	if (all_bits(&said)) {
		take(of, asked, true);
		return NS_MAC_TAKEN;
	}
	if (said.as.link_adr_ans.ch_mask_ack && !(of->session->flags & NS_SESSION_ADR)) {
		take(of, asked, false);
		return NS_MAC_TAKEN;
	}
	remember(of, asked, &said);
	return NS_MAC_REFUSED;
}

/* --- what ADR is given --- */

/* Least SNR of a data rate as a signal would show it in the bandwidth of another: twice as wide is 3 dB more noise. */
static int16_t need_of(const struct lw_modulation *modulation, uint32_t bandwidth_hz)
{
	int16_t need_cdb;
	if (bandwidth_hz == 0 || !lw_snr_floor_cdb(modulation, &need_cdb))
		return NS_ADR_NO_NEED;
	for (uint32_t wide = modulation->bandwidth_hz; wide > bandwidth_hz; wide /= 2)
		need_cdb = (int16_t)(need_cdb + 300);
	for (uint32_t wide = bandwidth_hz; wide > modulation->bandwidth_hz && modulation->bandwidth_hz;
	     wide /= 2)
		need_cdb = (int16_t)(need_cdb - 300);
	return need_cdb;
}

/* Without an answer both receive windows are listened into, RX1 at about the uplink's data rate. */
static uint32_t listen_us(const struct ns_mac_case *of, const struct lw_modulation *modulation)
{
	const struct lw_data_rate *rx2 = lw_region_data_rate(of->region, LW_DOWN, of->session->rx2_dr);
	uint32_t symbols = lw_symbol_us(modulation->spreading_factor, modulation->bandwidth_hz);
	if (rx2)
		symbols += lw_symbol_us(rx2->modulation.spreading_factor, rx2->modulation.bandwidth_hz);
	return NS_ADR_LISTEN * symbols;
}

static void limits_of(const struct ns_mac_case *of, const struct lw_channel_plan *channels,
		      struct ns_adr_limits *limits)
{
	const struct ns_session *session = of->session;
	const struct lw_region *region = of->region;
	const struct lw_data_rate *now = lw_region_data_rate(region, LW_UP, session->last_dr);
	uint8_t max_dr = of->profile->max_dr < LW_DATA_RATES ? of->profile->max_dr : region->adr_max_dr;
	bool dwell = ns_mac_uplink_dwell(session, region);
	bool fixed = of->profile->adr_algorithm == NET_ADR_FIXED;
	*limits = (struct ns_adr_limits){.max_nb_trans = of->profile->max_nb_trans,
					 .margin_db = of->profile->adr_margin_db,
					 .fixed_dr = of->profile->adr_fixed_dr};
	for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++) {
		const struct lw_data_rate *rate = lw_region_data_rate(region, LW_UP, dr);
		limits->need_cdb[dr] = rate && now ? need_of(&rate->modulation, now->modulation.bandwidth_hz)
						   : NS_ADR_NO_NEED;
		if (limits->need_cdb[dr] != NS_ADR_NO_NEED) {
			limits->airtime_us[dr] = lw_airtime_us(&rate->modulation, LW_UP, NS_ADR_FRAME);
			limits->listen_us[dr] = listen_us(of, &rate->modulation);
		}
		bool chosen = fixed ? rate && dr == limits->fixed_dr
				    : limits->need_cdb[dr] != NS_ADR_NO_NEED && dr >= of->profile->min_dr &&
					      dr <= max_dr;
		if (chosen && !(session->mac.refused_drs >> dr & 1) &&
		    lw_plan_dr_usable(channels, region, dr) &&
		    lw_region_max_payload(region, dr, dwell, false).m > 0)
			limits->drs = (uint16_t)(limits->drs | 1u << dr);
	}
	for (uint8_t power = 0; power < LW_TX_POWERS - 1; power++)
		if (region->tx_powers[power].defined && !(session->mac.refused_powers >> power & 1))
			limits->powers = (uint16_t)(limits->powers | 1u << power);
}

/* How busy the air is where the device was heard best: there its frames live or die. */
static void busy_of(const struct ns_mac_case *of, const struct lw_channel_plan *channels,
		    uint16_t busy[LW_DATA_RATES])
{
	const struct ns_gateways *gateways = &of->ns->gateways;
	uint16_t gateway = of->session->adr.gateway;
	if (gateway > 0 && ns_slab_holds(&gateways->slab, gateway - 1u))
		ns_adr_load_share(&ns_gateways_at(gateways, gateway - 1u)->load,
				  lw_mask_count(&channels->enabled), of->now.mono, busy);
}

bool ns_mac_adr(const struct ns_mac_case *of, const struct lw_channel_plan *channels,
		struct ns_adr_decision *decision)
{
	const struct ns_session *session = of->session;
	if (!of->profile->adr || !(session->flags & NS_SESSION_ADR))
		return false;
	struct ns_adr_input input = {
		.history = &session->adr,
		.span = ns_adr_span(session),
		.now = {session->last_dr, session->mac.tx_power, session->nb_trans},
	};
	limits_of(of, channels, &input.limits);
	busy_of(of, channels, input.busy);
	*decision = ns_adr_decide(of->profile->adr_algorithm, &input);
	if (of->uplink)
		ns_record_adr(of->ns, of->now, of->session, &input, decision);
	return true;
}
