/* An accepted uplink is one row of the journal before anything about it leaves (invariant 1): the row is written in
 * deliver(), the outbox is drained after the commit. A repeat of the last frame goes through the same steps without
 * delivery: it gets a new answer under a new FCntDown, timed from its own copies (DESIGN 8). */
#include "network-server/uplink.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/fcnt.h"
#include "network-server/air_tell.h"
#include "network-server/item_flow.h"
#include "network-server/join_course.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record.h"
#include "network-server/why/record_uplink.h"

#define NB_TRANS_MAX    15 /* §5.2: four bits */
#define CONFIRMED_TRIES 8  /* §18.4 of 1.0.3 */

static enum ns_drop parse(struct ns_uplink *uplink, struct ns_frame *frame);
static enum ns_drop admit(struct ns *ns, const struct ns_uplink *uplink);
static enum ns_drop limit_repeats(struct ns_uplink *uplink);
static void promote(struct ns *ns, struct now now, struct ns_uplink *uplink);
static void restart(struct ns *ns, struct now now, struct ns_uplink *uplink);
static void decipher_commands(struct ns *ns, struct ns_uplink *uplink);
static void answer(struct ns *ns, struct now now, struct ns_uplink *uplink);

static enum ns_drop handle(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	enum ns_drop drop;
	if ((drop = ns_uplink_match(ns, uplink)) != NS_ACCEPTED)
		return drop;
	if ((drop = ns_uplink_judge_counter(ns, now, uplink)) != NS_ACCEPTED)
		return drop;
	if ((drop = admit(ns, uplink)) != NS_ACCEPTED)
		return drop;
	if (uplink->repeat && (drop = limit_repeats(uplink)) != NS_ACCEPTED)
		return drop;
	if (uplink->reset)
		restart(ns, now, uplink);
	if (uplink->session->flags & NS_SESSION_PENDING)
		promote(ns, now, uplink);
	ns_mac_observe(ns, uplink);
	if (!uplink->repeat) {
		if ((drop = ns_uplink_deliver(ns, now, uplink)) != NS_ACCEPTED)
			return drop;
		ns_record_uplink(ns, now, uplink, NS_ACCEPTED);
		ns_record_too_long(ns, now, uplink);
		if (uplink->late)
			return NS_ACCEPTED;
		/* §4.3.1.2: a new uplink tells whether a confirmed downlink arrived. */
		ns_items_uplink(ns, now, uplink->session->device, uplink->acks, &uplink->event);
	} else if (uplink->frame->retransmission) {
		/* Else it is what a bridge brings again after a restart of ours: it was on the air once. */
		ns_air_tell_uplink(ns, NET_AIR_REPEAT, &uplink->session->dev_eui,
				   ns_frame_seen(now, uplink->frame), uplink->frame->airtime_us);
	}
	decipher_commands(ns, uplink);
	ns_mac_handle(ns, now, uplink);
	answer(ns, now, uplink);
	return uplink->repeat ? NS_DROP_REPEATED : NS_ACCEPTED;
}

enum ns_drop ns_uplink_handle(struct ns *ns, struct now now, struct ns_frame *frame)
{
	struct ns_uplink uplink = {0};
	enum ns_drop drop = parse(&uplink, frame);
	if (drop == NS_ACCEPTED)
		drop = handle(ns, now, &uplink);
	if (drop == NS_ACCEPTED)
		ns->uplinks++;
	else
		ns_count(ns, drop);
	if (drop != NS_ACCEPTED)
		ns_record_uplink(ns, now, &uplink, drop);
	if (ns_frames_followed(&ns->frames))
		ns_frames_uplink(ns, now, &uplink, drop);
	return drop;
}

/* §4.1 to 4.3: the bytes. The hash leaves out the MIC, which TxDr and TxCh change in 1.1. */
static enum ns_drop parse(struct ns_uplink *uplink, struct ns_frame *frame)
{
	uplink->frame = frame;
	if (lw_frame_parse(&uplink->parsed, frame->phy, frame->phy_length, LW_UP) != LW_OK)
		return NS_DROP_MALFORMED;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (uint8_t i = 0; i < uplink->parsed.msg_length; i++)
		hash = (hash ^ uplink->parsed.msg[i]) * UINT64_C(0x100000001b3);
	uplink->hash = hash;
	return NS_ACCEPTED;
}

/* Everything that may refuse stands before the first change. */
static enum ns_drop admit(struct ns *ns, const struct ns_uplink *uplink)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, uplink->session->device);
	if (!(device->flags & NS_DEVICE_ENABLED))
		return device->flags & NS_DEVICE_REPLACED ? NS_DROP_DEVICE_REPLACED : NS_DROP_DEVICE_DISABLED;
	if (!ns_journal_open(&ns->journal))
		return NS_DROP_JOURNAL_FULL;
	return NS_ACCEPTED;
}

/* Answers that repeats of one counter get. While the network sets NbTrans a frame comes NbTrans times; a device that sets it itself
 * may send it 15 times, and one up to 1.0.3 a confirmed frame 8 times. From 1.0.4 on what comes beyond is to be dropped (§5.2); before,
 * one more is taken than should come. */
static uint8_t repeats_answered(const struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	if (uplink->parsed.ftype == LW_CONFIRMED_UP && ns_session_behaves(session, LW_CONFIRMED_RETRIES))
		return CONFIRMED_TRIES;
	if (!uplink->parsed.fctrl.adr || !uplink->profile->record.adr)
		return NB_TRANS_MAX;
	uint8_t nb_trans = session->nb_trans > 1 ? session->nb_trans : 1;
	return ns_session_behaves(session, LW_NB_TRANS_LIMIT) ? nb_trans - 1 : nb_trans;
}

static enum ns_drop limit_repeats(struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	uplink->repeat_limit = repeats_answered(uplink);
	if (session->repeats >= uplink->repeat_limit)
		return NS_DROP_REPEAT_LIMIT;
	session->repeats++;
	return NS_ACCEPTED;
}

/* §6.2: the first uplink under the new keys; the session before is over. */
static void promote(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct ns_device *device = ns_device_at(&ns->sessions, uplink->session->device);
	ns_downlink_cancel(ns, uplink->session->device);
#if MUTANT == MUTANT_KEY_OF_OLD_SESSION
	if (device->session != NS_NO_SLOT)
		uplink->session->s_nwk_s_int_key =
			ns_session_at(&ns->sessions, device->session)->s_nwk_s_int_key;
#endif
	uint32_t of = uplink->session->device;
	if (device->session != NS_NO_SLOT)
		ns_drop_session(ns, now, device->session);
	if (device->elder != NS_NO_SLOT && device->elder != uplink->slot)
		ns_drop_session(ns, now, device->elder);
	ns_session_promote(&ns->sessions, uplink->slot);
	ns_items_session_ended(ns, now, of);
	ns_course_joined(ns, now, uplink->session->device);
	ns_record_note(ns, now, NS_NOTE_SESSION_ENTERED, ns_of_device(ns, of),
		       (struct ns_numbers){.a = uplink->session->dev_addr.value, .b = uplink->fcnt});
	ns_journal_session(ns, NS_JOURNAL_SESSION, uplink->slot);
}

/* An ABP device up to 1.0.3 that lost its memory: it is as it boots, nothing of what was asked, refused or learnt for ADR holds, and
 * no answer is owed. FCntDown goes on: a counter is never used twice (invariant 2). Under
 * another tag, so that rows of before, whose counters are greater, say nothing of it. */
static void restart(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	ns_record_note(ns, now, NS_NOTE_COUNTERS_RESTARTED, ns_of_device(ns, session->device),
		       (struct ns_numbers){.a = uplink->fcnt, .b = session->fcnt_up});
	ns->counter_restarts++;
	session->tag = ns_new_tag(ns);
	session->fcnt_up = uplink->fcnt;
	session->last_hash = 0;
	session->repeats = 0;
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_STICKY);
	memset(session->seen, 0, sizeof session->seen);
	ns_mac_boot(ns, &uplink->profile->record, uplink->region, session->flags & NS_SESSION_ABP, session);
	ns_journal_session(ns, NS_JOURNAL_SESSION, uplink->slot);
}

/* §4.3.1.6, §5: commands are in FOpts (ciphered in 1.1) or alone in FPort 0 (always ciphered). */
static void decipher_commands(struct ns *ns, struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	const struct lw_frame *parsed = &uplink->parsed;
	uint32_t fcnt = ns_session_fcnt(session, uplink->fcnt);
	if (parsed->has_fport && parsed->fport == 0) {
		uplink->commands_length = parsed->frm_payload_length;
		lw_cipher_frm_payload(ns->aes, &session->nwk_s_enc_key, LW_UP, session->dev_addr, fcnt,
				      parsed->frm_payload, parsed->frm_payload_length, uplink->commands);
		return;
	}
	uplink->commands_length = parsed->fctrl.fopts_length;
	bool before = uplink->profile->record.quirks & NET_QUIRK_FOPTS_BEFORE_ERRATUM;
	if (ns_session_behaves(session, LW_FOPTS_ENCRYPTED))
		lw_cipher_fopts(ns->aes, &session->nwk_s_enc_key, LW_UP, session->dev_addr, fcnt,
				before ? LW_FOPTS_BEFORE_ERRATUM : LW_FOPTS_FCNT_UP, parsed->fopts,
				parsed->fctrl.fopts_length, uplink->commands);
	else
		memcpy(uplink->commands, parsed->fopts, parsed->fctrl.fopts_length);
}

/* §3.3: the windows that this uplink opens, and what has to go into them. */
static void answer(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	struct ns_windows windows = {
		.region = session->region,
		.dwell = ns_mac_downlink_dwell(session, uplink->region),
		.rx2 = {session->rx2_freq_hz, session->rx2_dr},
		.rx1_delay = session->rx_delay_s * US_PER_S,
	};
	if (uplink->heard.channel >= 0 && uplink->answer.beacon_from_gps_us == 0)
		windows.has_rx1 = lw_plan_rx1_freq(ns_session_plan(&ns->sessions, session), uplink->region,
						   (uint8_t)uplink->heard.channel, &windows.rx1.freq_hz) &&
				  ns_mac_rx1_dr(session, uplink->region, uplink->heard.dr, &windows.rx1.dr);
	ns_windows_hearers(&windows, uplink->frame);
	struct ns_answer *said = &uplink->answer;
	said->ack = uplink->parsed.ftype == LW_CONFIRMED_UP;
	said->fcnt_up = uplink->fcnt;
	said->must |= said->ack || uplink->parsed.fctrl.adr_ack_req || said->answers_length > 0 ||
		      (session->flags & NS_SESSION_STICKY);
	if (uplink->repeat)
		ns->repeats_answered++;
	ns_downlink_open(ns, now, uplink->slot, &windows, said);
}
