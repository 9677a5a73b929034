/* Which item goes into a frame: the first of its device's list that can go now. One that the frame does not hold is
 * passed over, so that it blocks no other, and told; it keeps its place and goes when a data rate holds it. */
#include "common/base/check.h"
#include "network-server/downlink_plan.h"
#include "network-server/item_flow.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record_item.h"

#define FRAME_OVERHEAD 8 /* FHDR without FOpts, FPort */

uint8_t ns_session_max_payload(const struct ns *ns, const struct ns_session *session, uint8_t dr)
{
	const struct lw_region *region = ns_region(ns, session->region);
	struct ns_windows windows = {.rx2 = {session->rx2_freq_hz, session->rx2_dr},
				     .dwell = ns_mac_downlink_dwell(session, region),
				     .count = 1};
	windows.has_rx1 = ns_mac_rx1_dr(session, region, dr, &windows.rx1.dr);
	uint8_t room = ns_windows_max_payload(&windows, region);
	return room > FRAME_OVERHEAD ? (uint8_t)(room - FRAME_OVERHEAD) : 0;
}

/* An expired one is told at its deadline, or here if the wall clock was set. */
static void expire(struct ns *ns, struct now now, const struct ns_device *device)
{
	for (uint32_t slot = device->queue, next; slot != NS_NO_SLOT; slot = next) {
		const struct ns_item *item = ns_queue_at(&ns->queue, slot);
		next = item->next;
		if (item->state != NS_ITEM_QUEUED || !ns_item_has_expired(item, now.wall))
			continue;
		ns_record_item_expired(ns, now, item);
		(void)ns_item_apply(ns, now, slot, NS_ITEM_EXPIRE,
				    &(struct ns_item_told){.cause = NS_DROP_ITEM_EXPIRED});
	}
}

/* Whether it could go, had the frame room for it. An encrypted one waits for its counter. */
static bool may_go(const struct ns *ns, const struct ns_session *session, const struct ns_item *item,
		   uint32_t ahead)
{
	if (item->state != NS_ITEM_QUEUED)
		return false;
	if (!item->enqueue.encrypted)
		return ns->app_connected;
	uint32_t next = ns_session_next_app_fcnt_down(session);
	return item->enqueue.fcnt_down >= next && item->enqueue.fcnt_down - next <= ahead;
}

/* Whether the frame holds it. MAC answers come first, but not twice in a row against one item: then they make room. */
static bool fits(struct ns *ns, struct now now, uint32_t slot, uint8_t room, uint8_t answers)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (FRAME_OVERHEAD + item->enqueue.length > room) {
		if (item->held != NS_DROP_ITEM_TOO_LONG_NOW)
			ns_record_item_drop(
				ns, now, item, NS_DROP_ITEM_TOO_LONG_NOW,
				(struct ns_numbers){
					.a = decision_bytes(item->enqueue.length,
							    room > FRAME_OVERHEAD ? room - FRAME_OVERHEAD : 0,
							    0, 0)});
		ns_item_hold(ns, now, slot, NS_DROP_ITEM_TOO_LONG_NOW);
		return false;
	}
	if (FRAME_OVERHEAD + answers + item->enqueue.length <= room || item->crowded)
		return true;
	item->crowded = true;
	return false;
}

uint32_t ns_item_pick(struct ns *ns, struct now now, uint32_t device, const struct ns_session *session,
		      uint8_t room, uint8_t answers, bool *more)
{
	const struct ns_device *of = ns_device_at(&ns->sessions, device);
	*more = false;
	expire(ns, now, of);
	bool blocked = ns_queue_in_flight(&ns->queue, of) != NS_NO_SLOT;
	uint32_t picked = NS_NO_SLOT;
	for (uint32_t slot = of->queue; slot != NS_NO_SLOT; slot = ns_queue_at(&ns->queue, slot)->next) {
		const struct ns_item *item = ns_queue_at(&ns->queue, slot);
		bool open = !blocked && picked == NS_NO_SLOT;
		if (open && may_go(ns, session, item, 0) && fits(ns, now, slot, room, answers))
			picked = slot;
		else if (may_go(ns, session, item, open ? 0 : 1) &&
			 FRAME_OVERHEAD + item->enqueue.length <= room)
			*more = true;
	}
	return picked;
}
