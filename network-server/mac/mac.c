#include "network-server/mac/mac.h"
#include "network-server/why/record_mac.h"

#include "common/base/check.h"

#include <string.h>

#define TRUST_FROM \
	8 /* counters after which the loss of a device that should have its CFList's channels is judged */
#define TRUST_TO 32 /* and after which it is believed */

/* What devices ask: answered again when they repeat the frame. */
static const struct {
	uint8_t cid;
	void (*handle)(struct ns *ns, struct now now, struct ns_uplink *uplink,
		       const struct lw_mac_command *command);
} asked[] = {
	{LW_CID_RESET, ns_mac_reset},
	{LW_CID_LINK_CHECK, ns_mac_link_check},
	{LW_CID_REKEY, ns_mac_rekey},
	{LW_CID_DEVICE_TIME, ns_mac_device_time},
	{LW_CID_DEVICE_MODE, ns_mac_device_mode},
	{LW_CID_PING_SLOT_INFO, ns_mac_ping_slot_info},
	{LW_CID_BEACON_TIMING, ns_mac_beacon_timing},
};

static bool handle_asked(struct ns *ns, struct now now, struct ns_uplink *uplink,
			 const struct lw_mac_command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (asked[i].cid == command->cid) {
			asked[i].handle(ns, now, uplink, command);
			return true;
		}
	return false;
}

static int kind_of(uint8_t cid)
{
	for (int i = 0; i < NS_MAC_KINDS; i++)
		if (ns_mac_cid((enum ns_mac_kind)i) == cid)
			return i;
	return -1;
}

/* Reads the commands: handles what the device asks, sorts its answers by kind. */
static void read_commands(struct ns *ns, struct now now, struct ns_uplink *uplink,
			  struct ns_mac_block answers[NS_MAC_KINDS])
{
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	lw_mac_reader_init(&reader, LW_UP, uplink->commands, uplink->commands_length,
			   uplink->region->freq_step_hz);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND) {
		const struct lw_mac_row *known = lw_mac_row_find(LW_UP, command.cid);
		if (known && known->repeat == LW_MAC_UNTIL_DOWNLINK)
			uplink->session->flags |= NS_SESSION_STICKY;
		int kind = kind_of(command.cid);
		if (kind >= 0 && answers[kind].count < NS_MAC_BLOCK)
			answers[kind].commands[answers[kind].count++] = command;
		else if (kind < 0 && !handle_asked(ns, now, uplink, &command))
			ns_record_mac_drop(ns, now, uplink->session, NS_DROP_MAC_UNEXPECTED, command.cid,
					   uplink->commands_length);
	}
	if (reader.stopped != LW_MAC_READ_END && reader.stopped != LW_MAC_READ_COMMAND)
		ns_record_mac_drop(ns, now, uplink->session, NS_DROP_MAC_UNKNOWN, reader.cid,
				   uplink->commands_length);
}

/* Its own back-off (§4.3.1.1): before it slows down it has gone to full power; at the lowest rate it enables its default
 * channels and sends each frame once. True: the session changed. */
static bool follow_back_off(struct ns_mac_case *of)
{
	struct ns_session *session = of->session;
	uint8_t dr = session->last_dr, before = of->uplink->previous_dr;
	struct ns_mac_block question;
	if (!(session->flags & NS_SESSION_ADR) || dr >= before || session->fcnt_up <= 1)
		return false;
	if (ns_mac_question(session, NS_MAC_LINK_ADR, of->region->freq_step_hz, &question) &&
	    question.commands[question.count - 1].as.link_adr_req.data_rate == dr)
		return false;
	session->mac.tx_power = 0;
	if (dr == 0 || !lw_plan_dr_usable(&of->plan, of->region, (uint8_t)(dr - 1))) {
		session->nb_trans = 1;
		if (of->region->plan_type == LW_PLAN_FIXED)
			session->flags |= NS_SESSION_SETTLE;
	}
	return true;
}

/* The answer to a LinkADRReq was lost: where the device has moved to the data rate that was asked for it has taken the block,
 * which is all or nothing. */
static void infer_link_adr(const struct ns_mac_case *of, struct ns_mac_block *answers)
{
	struct ns_mac_block question;
	uint8_t dr = of->uplink->heard.dr;
	if (answers->count > 0 || dr <= of->uplink->previous_dr || of->session->fcnt_up <= 1 ||
	    !ns_mac_question(of->session, NS_MAC_LINK_ADR, of->region->freq_step_hz, &question) ||
	    question.commands[question.count - 1].as.link_adr_req.data_rate != dr)
		return;
	struct lw_mac_command *all = ns_mac_block_add(answers, LW_CID_LINK_ADR);
	all->direction = LW_UP;
	all->as.link_adr_ans.ch_mask_ack = all->as.link_adr_ans.data_rate_ack =
		all->as.link_adr_ans.power_ack = true;
}

static bool same_windows(const struct ns_session *a, const struct ns_session *b)
{
	return a->rx_delay_s == b->rx_delay_s && a->rx1_dr_offset == b->rx1_dr_offset &&
	       a->rx2_dr == b->rx2_dr && a->rx2_freq_hz == b->rx2_freq_hz;
}

/* An ABP device before 1.1 that lost its power says nothing of it, and listens in the windows it boots with again. Where it
 * does not hear what is sent in the one, the other is tried. True: the session changed. */
static bool try_other_windows(struct ns_mac_case *of)
{
	struct ns_session *session = of->session;
	struct ns_mac_state *mac = &session->mac;
	if (!of->uplink->parsed.fctrl.adr_ack_req) {
		mac->deaf = 0;
		return false;
	}
	mac->deaf = mac->deaf < UINT8_MAX ? (uint8_t)(mac->deaf + 1) : 1;
	if (!(session->flags & NS_SESSION_ABP) || session->flags & NS_SESSION_1_1 ||
	    mac->deaf % NS_MAC_DEAF != 0)
		return false;
	const struct ns_session before = *session;
	struct ns_session boot = *session;
	ns_boot_windows(of->profile, of->region, true, &boot);
	if (same_windows(session, &boot)) {
		session->rx_delay_s = of->wish.rx_delay_s;
		session->rx1_dr_offset = of->wish.rx1_dr_offset;
		session->rx2_dr = of->wish.rx2_dr;
		session->rx2_freq_hz = of->wish.rx2_freq_hz;
	} else {
		ns_boot_windows(of->profile, of->region, true, session);
	}
	if (same_windows(session, &before))
		return false;
	ns_record_note(of->ns, of->now, NS_NOTE_OTHER_WINDOWS, ns_of_device(of->ns, session->device),
		       (struct ns_numbers){session->rx2_freq_hz,
					   decision_bytes(session->rx_delay_s, session->rx2_dr, 0, 0),
					   (uint16_t)(mac->deaf << 8)});
	return true;
}

/* A CFList of masks that the device did not take: it hops over 64 channels, and most frames are heard by nobody. */
static void doubt_channels(struct ns_mac_case *of)
{
	struct ns_session *session = of->session;
	if (!(session->flags & NS_SESSION_TRUSTED) || session->fcnt_up < TRUST_FROM)
		return;
	unsigned heard = (unsigned)(__builtin_popcountll(session->seen[0]) +
				    __builtin_popcountll(session->seen[1]));
	int channel = of->uplink->heard.channel;
	bool elsewhere = channel >= 0 && !lw_mask_get(&of->plan.enabled, (uint8_t)channel);
	if (heard * 2 < session->fcnt_up || elsewhere)
		session->flags = (uint8_t)((session->flags & ~NS_SESSION_TRUSTED) | NS_SESSION_SETTLE);
	else if (session->fcnt_up >= TRUST_TO)
		session->flags = (uint8_t)(session->flags & ~NS_SESSION_TRUSTED);
}

/* What was refused is asked again now and then (NS_MAC_FORGIVE). True: the session changed. */
static bool forgive(struct ns_session *session)
{
	struct ns_mac_state *mac = &session->mac;
	uint16_t *question = ns_mac_refused(mac, NS_MAC_LINK_ADR);
	uint32_t passed = 1; /* counters since the frame before */
	if (!mac->refused_drs && !mac->refused_powers && !mac->refused_mask && !*question)
		return false;
	while (passed < NS_SEEN_BITS && !(session->seen[passed / 64] >> (passed % 64) & 1))
		passed++;
	if (((session->fcnt_up - 1) & (NS_MAC_FORGIVE - 1)) >= passed)
		return false;
	mac->refused_drs = mac->refused_powers = mac->refused_mask = *question = 0;
	return true;
}

/* How long a device has repeated an answer; beyond NS_MAC_STICKY it is not owed a downlink each time. */
static void bound_sticky(struct ns_session *session)
{
	struct ns_mac_state *mac = &session->mac;
	if (!(session->flags & NS_SESSION_STICKY)) {
		mac->sticky = 0;
		return;
	}
	mac->sticky = mac->sticky < UINT8_MAX ? (uint8_t)(mac->sticky + 1) : NS_MAC_STICKY_EVERY;
	if (mac->sticky > NS_MAC_STICKY && mac->sticky % NS_MAC_STICKY_EVERY != 0)
		session->flags = (uint8_t)(session->flags & ~NS_SESSION_STICKY);
}

void ns_mac_handle(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	struct ns_mac_block answers[NS_MAC_KINDS] = {0};
	struct ns_mac_case of;
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_STICKY);
	read_commands(ns, now, uplink, answers);
	if (uplink->repeat)
		return;
	bound_sticky(session);
	session->flags = (uint8_t)((session->flags & ~NS_SESSION_ADR) |
				   (uplink->parsed.fctrl.adr ? NS_SESSION_ADR : 0));
	ns_mac_case_init(&of, ns, session, &uplink->profile->record);
	of.slot = uplink->slot;
	of.uplink = uplink;
	of.now = now;
	bool changed = follow_back_off(&of);
	changed |= try_other_windows(&of);
	changed |= forgive(session);
	infer_link_adr(&of, &answers[NS_MAC_LINK_ADR]);
	uint16_t heard = 0;
	for (int kind = 0; kind < NS_MAC_KINDS; kind++)
		if (answers[kind].count > 0) {
			heard = (uint16_t)(heard | 1u << kind);
			ns_mac_resolve(&of, (enum ns_mac_kind)kind, &answers[kind]);
			changed = true;
		}
	ns_mac_force_rejoin_follow(&of);
	changed |= memcmp(&of.rare, ns_session_rare(&ns->sessions, session), sizeof of.rare) != 0;
	if (changed) {
		(void)ns_session_set_plan(&ns->sessions, session, &of.plan);
		if (!ns_mac_keep_rare(ns, now, session, &of.rare))
			for (int kind = 0; kind < NS_MAC_KINDS; kind++)
				if (heard >> kind & 1)
					session->mac.wait[kind] = NS_MAC_WAIT_MAX;
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
	}
	doubt_channels(&of);
	uplink->answer.must |= ns_mac_decide(&of, heard);
}

bool ns_mac_keep_rare(struct ns *ns, struct now now, struct ns_session *session, const struct ns_rare *rare)
{
	if (ns_session_set_rare(&ns->sessions, session, rare))
		return true;
	ns_record_drop(ns, now, NS_DROP_MAC_TABLE_FULL, ns_of_device(ns, session->device),
		       (struct ns_numbers){.a = ns->sessions.rares.count});
	return false;
}

void ns_mac_answer(struct ns *ns, struct ns_uplink *uplink, const struct lw_mac_command *command)
{
	(void)ns;
	struct ns_answer *answer = &uplink->answer;
	struct wr wr = wr_init(answer->answers + answer->answers_length,
			       NS_ANSWERS_MAX - answer->answers_length);
	if (lw_mac_write(&wr, command, uplink->region->freq_step_hz) == LW_MAC_WRITE_OK)
		answer->answers_length = (uint8_t)(answer->answers_length + wr_length(&wr));
}
