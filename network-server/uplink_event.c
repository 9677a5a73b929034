/* The row of an accepted uplink: what the counter needs at a restart (NS_UPLINK_HEAD bytes), then the event.
 *
 *	slot u32 | tag u32 | fcnt u32 | mic 4 | hash u64 | dr u8 | has_snr u8 | snr_cdb i16 | zeros
 */
#include "network-server/item_flow.h"
#include "network-server/uplink.h"

#include "common/base/check.h"
#include "common/lorawan/fcnt.h"
#include "network-server/adr/adr.h"

struct wall ns_frame_time(const struct ns_frame *frame)
{
	for (uint8_t i = 0; i < frame->copy_count; i++)
		if (frame->copies[i].has_gps_time)
			return wall_from_gps_us(frame->copies[i].gps_time_us);
	return frame->copies[0].wall;
}

struct wall ns_frame_seen(struct now now, const struct ns_frame *frame)
{
	return (struct wall){now.wall.us - mono_since(now.mono, frame->first)};
}

/* Best SNR first. */
static void add_receptions(struct net_up_event *event, const struct ns_frame *frame)
{
	uint8_t order[NS_COPIES_MAX];
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		uint8_t at = i;
		for (; at > 0 && frame->copies[order[at - 1]].snr_cdb < frame->copies[i].snr_cdb; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (uint8_t i = 0; i < frame->copy_count && i < NET_RECEPTIONS_MAX; i++)
		event->receptions[event->reception_count++] = ns_copy_reception(&frame->copies[order[i]]);
	event->gateway_count = frame->gateway_count;
}

/* Counters that the device has used since the one before and that nobody heard. A run of counters begins with 0 (§4.3.1.5); only
 * where an ABP device stands as it is heard for the first time nobody knows. */
static uint32_t missed_before(const struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	bool first = session->seen[0] == 0 && session->seen[1] == 0;
	if (uplink->late)
		return 0;
	/* Accepted all the same (restarts_are_allowed()): it was not there that the counter stood. */
	if (!uplink->reset &&
	    lw_fcnt_judge(session->fcnt_up, uplink->fcnt, ns_session_version(session)) == LW_FCNT_GAP)
		return 0;
	if (uplink->reset || uplink->fcnt < session->fcnt_up)
		return uplink->fcnt;
	return first && session->flags & NS_SESSION_ABP ? 0 : uplink->fcnt - session->fcnt_up;
}

/* A frame that a gateway without GPS time kept was on the air before the bridge had it. */
static struct wall time_of(struct now now, const struct ns_uplink *uplink)
{
	const struct ns_copy *copy = &uplink->frame->copies[0];
	struct wall time = ns_frame_time(uplink->frame);
	if (uplink->late && !copy->has_gps_time)
		time.us = copy->wall.us - (uplink->age - mono_since(now.mono, copy->arrival));
	return time;
}

static void fill(const struct ns *ns, struct now now, struct net_up_event *event,
		 const struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	const struct lw_frame *parsed = &uplink->parsed;
	event->head.time = time_of(now, uplink);
	event->head.dev_eui = session->dev_eui;
	event->session = session->id;
	event->dev_addr = session->dev_addr;
	event->fcnt_up = ns_session_fcnt(session, uplink->fcnt);
	event->restarted = uplink->reset;
	event->has_fport = parsed->has_fport;
	event->fport = parsed->fport;
	event->confirmed = parsed->ftype == LW_CONFIRMED_UP;
	event->adr = parsed->fctrl.adr;
	event->ack = parsed->fctrl.ack;
	event->class_b = parsed->fctrl.class_b;
	event->late = uplink->late;
	event->dr = uplink->heard.dr;
	event->freq_hz = uplink->heard.freq_hz;
	event->modulation = uplink->heard.modulation;
	memcpy(event->region_id, uplink->profile->record.region_id, sizeof event->region_id);
	if (parsed->has_fport && parsed->fport != 0 && parsed->frm_payload_length <= NET_PAYLOAD_MAX) {
		memcpy(event->frm_payload, parsed->frm_payload, parsed->frm_payload_length);
		event->frm_payload_length = parsed->frm_payload_length;
	}
	event->next_fcnt_down = ns_session_next_app_fcnt_down(session);
	event->max_payload = ns_session_max_payload(ns, session, uplink->heard.dr);
	event->count = session->tag;
	event->missed = missed_before(uplink);
	event->airtime_us = uplink->frame->airtime_us;
	event->seen = ns_frame_seen(now, uplink->frame);
	add_receptions(event, uplink->frame);
}

/* The best SNR of all gateways: ADR's sample of this transmission. */
/* NULL: no copy tells. */
static const struct ns_copy *loudest(const struct ns_frame *frame)
{
	const struct ns_copy *best = NULL;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		const struct ns_copy *copy = &frame->copies[i];
		if (copy->has_snr && (!best || copy->snr_cdb > best->snr_cdb))
			best = copy;
	}
	return best;
}

/* A sample for ADR, and where it was heard best. */
static void note_sample(struct ns_session *session, uint8_t dr, const struct ns_copy *best)
{
	ns_adr_note(&session->adr, dr, best->snr_cdb);
	session->adr.gateway = best->gateway_slot < UINT16_MAX ? (uint16_t)(best->gateway_slot + 1) : 0;
}

/* Up to 1.0.3 a device sends a confirmed frame that stays unacknowledged again at lower data rates (§18.4 of 1.0.3), and this may
 * be the first of them that anybody heard: it says nothing of what the device is set to. SLOWER_RUN in a row at one rate are no
 * retries: where much is lost, two or three readings in turn are first heard so. */
#define SLOWER_RUN 4
static bool is_slower_retry(const struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	uint8_t dr = uplink->heard.dr;
	bool slower = uplink->parsed.ftype == LW_CONFIRMED_UP &&
		      ns_session_behaves(session, LW_CONFIRMED_RETRIES) && session->fcnt_up > 0 &&
		      dr < session->last_dr;
	unsigned run = (session->adr.slower & 15) == dr + 1 ? (session->adr.slower >> 4) + 1u : 1;
	session->adr.slower = slower ? (uint8_t)((run << 4 & 0xf0) | (dr + 1u)) : 0;
	return slower && run < SLOWER_RUN;
}

enum ns_drop ns_uplink_deliver(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct ns_session *session = uplink->session;
	struct proto_message *message = ns_event(ns, PROTO_UP_EVENT);
	fill(ns, now, &message->up_event, uplink);
	uint8_t head[NS_UPLINK_HEAD];
	struct wr wr = wr_init(head, sizeof head);
	wr_u32le(&wr, uplink->slot);
	wr_u32le(&wr, session->tag);
	wr_u32le(&wr, uplink->fcnt);
	wr_copy(&wr, uplink->parsed.mic.bytes, 4);
	wr_u64le(&wr, uplink->hash);
	bool retry = !uplink->late && is_slower_retry(uplink);
	const struct ns_copy *best = uplink->late || retry ? NULL : loudest(uplink->frame);
	uint8_t dr = retry ? session->last_dr : uplink->heard.dr;
	wr_u8(&wr, dr);
	wr_u8(&wr, best != NULL);
	wr_u16le(&wr, best ? (uint16_t)best->snr_cdb : 0);
	wr_zeros(&wr, wr_room(&wr));
	if (ns_emit(ns, now, NS_JOURNAL_UPLINK, head, sizeof head, message, &message->up_event.head) != ST_OK)
		return NS_DROP_JOURNAL_FULL;
	uplink->event = message->up_event.head.id;
	uplink->previous_dr = session->last_dr;
	ns_session_note(session, uplink->fcnt);
	if (best)
		note_sample(session, dr, best);
	if (!uplink->late) {
		session->last_hash = uplink->hash;
		memcpy(session->last_mic, uplink->parsed.mic.bytes, 4);
		session->repeats = 0;
		session->last_dr = dr;
	}
	ns_session_mark(&ns->sessions, uplink->slot);
	return NS_ACCEPTED;
}
