/* What a counter means once the MIC was right (§4.3.1.5; DESIGN 8: repeats, late frames). */
#include "common/lorawan/fcnt.h"

#include "common/base/mutant.h"
#include "network-server/uplink.h"

#define RESET_START \
	8 /* a counter this low after a restart is believed even inside the window of late frames */

static bool restarts_are_allowed(const struct ns_uplink *uplink)
{
	return uplink->profile->record.allow_fcnt_reset && uplink->session->flags & NS_SESSION_ABP &&
	       ns_session_behaves(uplink->session, LW_ABP_RESTARTS);
}

static bool may_reset(const struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	return restarts_are_allowed(uplink) && !uplink->parsed.fctrl.ack &&
	       (uplink->fcnt < RESET_START || session->fcnt_up - uplink->fcnt > NS_SEEN_BITS);
}

/* How long ago the frame was on the air: by its GPS time, else by the gateway's mapped counter. */
static bool age_of(struct ns *ns, struct now now, const struct ns_copy *copy, span_us *age)
{
	if (copy->has_gps_time && now.wall_synchronised) {
		*age = gps_us_from_wall(now.wall) - copy->gps_time_us;
		return true;
	}
	return ns_gateway_age(ns_gateways_at(&ns->gateways, copy->gateway_slot), copy->ticks, now.mono, age);
}

/* Buffered while a backhaul was down: data only where the profile allows it, from gateways that prove who they are, for a
 * counter not seen in the last 128. */
static enum ns_drop judge_late(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	uint32_t limit_s = uplink->profile->record.late_uplink_s;
	if (limit_s == 0 || ns_session_seen(uplink->session, uplink->fcnt))
		return NS_DROP_FCNT_OLD;
	const struct ns_copy *copy = &uplink->frame->copies[0];
	if (!age_of(ns, now, copy, &uplink->age)) {
		uplink->age = -1;
		return NS_DROP_LATE_REFUSED;
	}
	if (uplink->age > limit_s * US_PER_S || !copy->proved)
		return NS_DROP_LATE_REFUSED;
	uplink->late = true;
	return NS_ACCEPTED;
}

/* The MIC was made with the 16 bits alone, where the session is rounds further. */
static bool began_again(const struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
	return session->flags & NS_SESSION_ABP &&
	       (uplink->fcnt == 0 ||
		uplink->fcnt != lw_fcnt_reconstruct(session->fcnt_up, uplink->parsed.fcnt));
}

enum ns_drop ns_uplink_judge_counter(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	const struct ns_session *session = uplink->session;
#if MUTANT == MUTANT_REPLAY_ACCEPTED
	return NS_ACCEPTED;
#endif
	switch (lw_fcnt_judge(session->fcnt_up, uplink->fcnt, ns_session_version(session))) {
	case LW_FCNT_NEW: return NS_ACCEPTED;
	case LW_FCNT_REPEAT:
		if (uplink->hash == session->last_hash) {
			uplink->repeat = true;
			return NS_ACCEPTED;
		}
		break;
	case LW_FCNT_LATE: break;
	case LW_FCNT_GAP:
		/* Where counters may start again, a replay can have set ours back: the device that sends on from where it
		 * really is must not be shut out by that. */
		return restarts_are_allowed(uplink) ? NS_ACCEPTED : NS_DROP_FCNT_GAP;
	case LW_FCNT_EXHAUSTED: return NS_DROP_FCNT_EXHAUSTED;
	case LW_FCNT_VERDICT_COUNT: break;
	}
	if (may_reset(uplink)) {
		uplink->reset = true;
		return NS_ACCEPTED;
	}
	enum ns_drop drop = judge_late(ns, now, uplink);
	return drop == NS_DROP_FCNT_OLD && began_again(uplink) ? NS_DROP_FCNT_RESET : drop;
}
