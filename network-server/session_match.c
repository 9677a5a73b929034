/* Which session a frame belongs to: a DevAddr is not unique, so the MIC is tried under every session of the address, with
 * each 32-bit counter that the 16 bits can mean (§4.3.1.5), and for 1.1 with each channel index that the device may have
 * meant (TxCh). */
#include "common/lorawan/fcnt.h"
#include "network-server/mac/mac.h"

#define ROUNDS_AHEAD   3 /* of 65,536 */
#define CONF_FCNT_BACK 4 /* counters before the last confirmed downlink's that an ACK may name */

/* Frequencies that only differ by rounding are one. */
static bool same_freq(uint32_t a, uint32_t b)
{
	return (a > b ? a - b : b - a) <= LW_FREQ_TOLERANCE_HZ;
}

/* The enabled channel heard by most; a strong device is heard on a neighbouring channel too (DESIGN 8). `skip` are copies
 * that a caller has tried. Returns the index of the copy, or −1. */
static int prefer_copy(const struct lw_channel_plan *plan, const struct lw_region *region,
		       const struct ns_frame *frame, uint32_t skip)
{
	int best = -1;
	unsigned best_score = 0;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		const struct ns_copy *copy = &frame->copies[i];
		uint8_t dr;
		if (skip >> i & 1 || !lw_region_uplink_dr(region, &copy->modulation, &dr))
			continue;
		int channel = lw_plan_find_channel(plan, region, copy->freq_hz, dr, 0);
		unsigned score = 1;
		if (channel >= 0)
			score += lw_mask_get(&plan->enabled, (uint8_t)channel) ? 2000 : 1000;
		for (uint8_t j = 0; j < frame->copy_count; j++)
			score += same_freq(copy->freq_hz, frame->copies[j].freq_hz) ? 10 : 0;
		if (best < 0 || score > best_score ||
		    (score == best_score && copy->snr_cdb > frame->copies[best].snr_cdb)) {
			best = i;
			best_score = score;
		}
	}
	return best;
}

static bool mic_1_1_fits(struct ns *ns, const struct ns_session *session, const struct lw_channel_plan *plan,
			 struct ns_uplink *uplink, struct lw_mic_input *input)
{
	int channel = uplink->heard.channel;
	while (channel >= 0) {
		input->tx_ch = (uint8_t)channel;
		struct lw_mic mic = lw_mic_up_1_1(ns->aes, &session->s_nwk_s_int_key,
						  &session->f_nwk_s_int_key, input);
		if (lw_mic_equal(mic, uplink->parsed.mic)) {
			uplink->heard.channel = channel;
			return true;
		}
		channel = channel >= LW_UPLINK_CHANNELS_MAX - 1
				  ? -1
				  : lw_plan_find_channel(plan, uplink->region, uplink->heard.freq_hz,
							 uplink->heard.dr, (uint8_t)(channel + 1));
	}
	return false;
}

/* A device that did not hear the answer repeats its uplink, with the ConfFCnt of the downlink before that answer. */
static bool mic_fits(struct ns *ns, const struct ns_session *session, const struct lw_channel_plan *plan,
		     struct ns_uplink *uplink, uint32_t fcnt)
{
	struct lw_mic_input input = {
		.direction = LW_UP,
		.dev_addr = session->dev_addr,
		.fcnt = ns_session_fcnt(session, fcnt),
		.ack = uplink->parsed.fctrl.ack,
		.conf_fcnt = (uint16_t)session->conf_fcnt_down,
		.tx_dr = uplink->heard.dr,
		.msg = uplink->parsed.msg,
		.length = uplink->parsed.msg_length,
	};
	uplink->acks = input.ack;
	if (!ns_session_behaves(session, LW_MIC_HALVES))
		return lw_mic_equal(lw_mic_1_0(ns->aes, &session->f_nwk_s_int_key, &input),
				    uplink->parsed.mic);
	for (unsigned back = 0; back <= (input.ack ? CONF_FCNT_BACK : 0); back++, input.conf_fcnt--)
		if (mic_1_1_fits(ns, session, plan, uplink, &input)) {
			uplink->acks = input.ack && back == 0;
			return true;
		}
	return false;
}

/* The nearest value first, then the one a round further, then the 16 bits alone: an ABP device may have begun again, which is
 * another question than whether it may. Where it may, a replay can have set the session back by several rounds. */
static bool counter_fits(struct ns *ns, const struct ns_session *session, const struct lw_channel_plan *plan,
			 struct ns_uplink *uplink)
{
	uint32_t near = lw_fcnt_reconstruct(session->fcnt_up, uplink->parsed.fcnt);
	uint32_t guesses[2 + ROUNDS_AHEAD] = {near};
	size_t count = 1;
	if (!(session->flags & NS_SESSION_FCNT_16)) {
		bool set_back = session->flags & NS_SESSION_ABP && uplink->profile->record.allow_fcnt_reset;
		uint32_t rounds = set_back ? ROUNDS_AHEAD : near < session->fcnt_up;
		for (uint32_t i = 1; i <= rounds && near <= UINT32_MAX - i * 0x10000; i++)
			guesses[count++] = near + i * 0x10000;
		if (session->flags & NS_SESSION_ABP && near != uplink->parsed.fcnt)
			guesses[count++] = uplink->parsed.fcnt;
	}
	for (size_t i = 0; i < count; i++)
		if (mic_fits(ns, session, plan, uplink, guesses[i])) {
			uplink->fcnt = guesses[i];
			return true;
		}
	return false;
}

/* With the channels of a plan. */
static bool fits_on(struct ns *ns, const struct ns_session *session, const struct lw_channel_plan *plan,
		    struct ns_uplink *uplink, enum ns_drop *why)
{
	const struct ns_frame *frame = uplink->frame;
	uint32_t skip = 0;
	for (int copy; (copy = prefer_copy(plan, uplink->region, frame, skip)) >= 0; skip |= 1u << copy) {
		const struct ns_copy *at = &frame->copies[copy];
		uplink->heard = (struct ns_heard){.freq_hz = at->freq_hz, .modulation = at->modulation};
		(void)lw_region_uplink_dr(uplink->region, &at->modulation, &uplink->heard.dr);
		uplink->heard.channel = lw_plan_find_channel(plan, uplink->region, at->freq_hz,
							     uplink->heard.dr, 0);
		if (counter_fits(ns, session, plan, uplink))
			return true;
		*why = NS_DROP_MIC;
		if (!ns_session_behaves(session, LW_MIC_HALVES)) /* the frequency is no part of a 1.0 MIC */
			return false;
	}
	if (skip == 0)
		*why = NS_DROP_DATA_RATE;
	return false;
}

/* The device may already use channels whose NewChannelAns has not arrived, or comes in this very frame. */
static bool fits(struct ns *ns, uint32_t slot, struct ns_uplink *uplink, enum ns_drop *why)
{
	struct ns_session *session = ns_session_at(&ns->sessions, slot);
	const struct ns_device *device = ns_device_at(&ns->sessions, session->device);
	uplink->profile = ns_profile_of(ns, device);
	const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways,
							  uplink->frame->copies[0].gateway_slot);
	if (!uplink->profile || gateway->region != ns_region_base(session->region)) {
		*why = NS_DROP_REGION;
		return false;
	}
	/* Another revision in the profile is meant for the sessions there are, too. */
	if (ns_region_base(uplink->profile->region) == ns_region_base(session->region))
		session->region = uplink->profile->region;
	uplink->region = ns_region(ns, session->region);
	ns_session_set_width(session, uplink->profile->record.fcnt_16_bit);
	bool found = fits_on(ns, session, ns_session_plan(&ns->sessions, session), uplink, why);
	struct lw_channel_plan asked;
	if ((!found || uplink->heard.channel < 0) && ns_mac_plan_asked(ns, session, &asked)) {
		struct ns_heard before = uplink->heard;
		if (fits_on(ns, session, &asked, uplink, why) && uplink->heard.channel >= 0)
			found = uplink->on_asked_channel = true;
		else
			uplink->heard = before;
	}
	if (found) {
		decision_prefetch_chain(&ns->decisions, session->device);
		uplink->slot = slot;
		uplink->session = session;
	}
	return found;
}

enum ns_drop ns_uplink_match(struct ns *ns, struct ns_uplink *uplink)
{
	enum ns_drop why = NS_DROP_UNKNOWN_DEV_ADDR;
	if (!ns_slab_holds(&ns->gateways.slab, uplink->frame->copies[0].gateway_slot))
		return NS_DROP_UNKNOWN_GATEWAY;
	uint32_t at = 0, slot;
	for (; (slot = ns_sessions_next(&ns->sessions, uplink->parsed.dev_addr, &at)) != NS_NO_SLOT;
	     uplink->candidates++) {
		uplink->candidate = ns_session_at(&ns->sessions, slot)->device;
		decision_prefetch(&ns->decisions, uplink->candidate, DECISION_ABOUT_FRAME,
				  decision_ref(uplink->parsed.mic.bytes));
		if (fits(ns, slot, uplink, &why))
			return NS_ACCEPTED;
	}
	return why;
}
