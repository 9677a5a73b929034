/* The ring, who follows, and what is held; frame_facts.c fills the messages. */
#include "network-server/frames.h"

#include "common/base/check.h"
#include "network-server/frame_facts.h"
#include "network-server/join_flow.h"

#include <stdlib.h>

void ns_frames_init(struct ns_frames *frames)
{
	*frames = (struct ns_frames){.next = MONO_NEVER};
	frames->ring = calloc(NS_FRAMES_MAX, sizeof *frames->ring);
	frames->held = calloc(NS_FRAMES_HELD_MAX, sizeof *frames->held);
	ASSERT(frames->ring && frames->held);
}

void ns_frames_release(struct ns_frames *frames)
{
	free(frames->ring);
	free(frames->held);
	*frames = (struct ns_frames){0};
}

/* --- followers ----------------------------------------------------------------------------------------------- */

static void forget(struct ns_frames *frames, struct ns_follower *follower)
{
	if (!follower->used)
		return;
	frames->foreign_count -= follower->filter.foreign;
	*follower = (struct ns_follower){.used = false};
	frames->follower_count--;
	if (frames->follower_count > 0)
		return;
	frames->count = frames->held_count = 0;
	frames->next = MONO_NEVER;
}

void ns_on_frames_wanted(struct ns *ns, struct now now, const struct net_frames_wanted *wanted)
{
	struct ns_frames *frames = &ns->frames;
	struct ns_follower *follower = &frames->followers[wanted->follower];
	if (wanted->lease_s == 0) {
		forget(frames, follower);
		return;
	}
	uint32_t lease_s = wanted->lease_s < NET_FRAMES_LEASE_S ? wanted->lease_s : NET_FRAMES_LEASE_S;
	frames->follower_count += !follower->used;
	frames->foreign_count -= follower->used && follower->filter.foreign;
	frames->foreign_count += wanted->filter.foreign;
	*follower = (struct ns_follower){
		.used = true, .until = mono_add(now.mono, lease_s * US_PER_S), .filter = wanted->filter};
}

void ns_frames_forsaken(struct ns_frames *frames)
{
	for (size_t i = 0; i < NET_FOLLOWERS_MAX; i++)
		forget(frames, &frames->followers[i]);
}

/* Also ends leases that have passed: without a frame nobody asks. */
static bool is_wanted(struct ns_frames *frames, struct mono now, const struct net_frame *frame)
{
	bool wanted = false;
	for (size_t i = 0; i < NET_FOLLOWERS_MAX && frames->follower_count > 0; i++) {
		struct ns_follower *follower = &frames->followers[i];
		if (follower->used && follower->until.us <= now.us)
			forget(frames, follower);
		wanted = wanted || (follower->used && net_frame_matches(&follower->filter, frame));
	}
	return wanted && frames->follower_count > 0;
}

/* --- the ring ------------------------------------------------------------------------------------------------ */

static struct net_frame *at(const struct ns_frames *frames, uint32_t index)
{
	return &frames->ring[(frames->start + index) % NS_FRAMES_MAX];
}

static void tell(struct ns *ns, struct now now, const struct net_frame *frame)
{
	struct ns_frames *frames = &ns->frames;
	if (!is_wanted(frames, now.mono, frame))
		return;
	if (frames->count == NS_FRAMES_MAX) {
		ns_frames_take(frames);
		frames->dropped++;
	}
	struct net_frame *place = at(frames, frames->count++);
	*place = *frame;
	place->number = ++frames->number;
	frames->told++;
}

const struct net_frame *ns_frames_first(const struct ns_frames *frames)
{
	return frames->count > 0 ? at(frames, 0) : NULL;
}

void ns_frames_take(struct ns_frames *frames)
{
	ASSERT_CMP(frames->count, >, 0);
	frames->start = (frames->start + 1) % NS_FRAMES_MAX;
	frames->count--;
}

/* --- what is held -------------------------------------------------------------------------------------------- */

static void release(struct ns_frames *frames, struct ns_held *held)
{
	*held = frames->held[--frames->held_count];
}

/* Without room it is told as it stands. */
static void hold(struct ns *ns, struct now now, const struct net_frame *frame, uint32_t transaction,
		 uint64_t hash, struct mono until)
{
	struct ns_frames *frames = &ns->frames;
	if (frames->held_count == NS_FRAMES_HELD_MAX) {
		tell(ns, now, frame);
		return;
	}
	struct ns_held *held = &frames->held[frames->held_count++];
	held->until = until;
	held->transaction = transaction;
	held->hash = hash;
	held->frame = *frame;
	if (until.us < frames->next.us)
		frames->next = until;
}

void ns_frames_tick(struct ns *ns, struct now now)
{
	struct ns_frames *frames = &ns->frames;
	if (frames->next.us > now.mono.us)
		return;
	for (uint32_t i = 0; i < frames->held_count;) {
		struct ns_held *held = &frames->held[i];
		if (held->until.us > now.mono.us) {
			i++;
			continue;
		}
		const struct net_frame frame = held->frame;
		release(frames, held);
		tell(ns, now, &frame);
	}
	frames->next = MONO_NEVER;
	for (uint32_t i = 0; i < frames->held_count; i++)
		if (frames->held[i].until.us < frames->next.us)
			frames->next = frames->held[i].until;
}

static struct ns_held *find_bytes(struct ns_frames *frames, uint64_t hash, const struct gw_uplink *uplink)
{
	for (uint32_t i = 0; i < frames->held_count; i++) {
		struct ns_held *held = &frames->held[i];
		if (held->transaction == 0 && held->hash == hash &&
		    held->frame.phy_length == uplink->phy_length &&
		    memcmp(held->frame.phy, uplink->phy, uplink->phy_length) == 0)
			return held;
	}
	return NULL;
}

static struct ns_held *find_transaction(struct ns_frames *frames, uint32_t transaction)
{
	for (uint32_t i = 0; i < frames->held_count; i++)
		if (frames->held[i].transaction == transaction)
			return &frames->held[i];
	return NULL;
}

/* --- what the flows say -------------------------------------------------------------------------------------- */

void ns_frames_stopped(struct ns *ns, struct now now, const struct gw_uplink *uplink, enum ns_drop drop)
{
	if (drop == NS_DROP_COPY || drop == NS_DROP_CRC || uplink->phy_length == 0)
		return; /* of a frame that is told by its window; of bytes that nobody sent */
	if (ns_facts_standing(drop) == NET_FRAME_FOREIGN && ns->frames.foreign_count == 0)
		return; /* a city hears many of them: they must not take the place of joins that are held */
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)drop;
	for (uint8_t i = 0; i < uplink->phy_length; i++)
		hash = (hash ^ uplink->phy[i]) * UINT64_C(0x100000001b3);
	struct ns_held *held = find_bytes(&ns->frames, hash, uplink);
	if (held) {
		ns_facts_one_more(&held->frame, uplink);
		return;
	}
	struct net_frame frame;
	ns_facts_stopped(ns, uplink, drop, &frame);
	hold(ns, now, &frame, 0, hash, mono_add(now.mono, ns->config.dedup_window));
}

void ns_frames_uplink(struct ns *ns, struct now now, const struct ns_uplink *uplink, enum ns_drop drop)
{
	struct net_frame frame;
	ns_facts_uplink(ns, uplink, drop, &frame);
	tell(ns, now, &frame);
}

void ns_frames_join(struct ns *ns, struct now now, const struct ns_frame *heard, const struct ns_join *join,
		    enum ns_drop drop)
{
	struct net_frame frame;
	ns_facts_join(ns, heard, drop, &frame);
	if (drop == NS_ACCEPTED)
		hold(ns, now, &frame, join->transaction, 0, mono_add(join->give_up, US_PER_S));
	else
		tell(ns, now, &frame);
}

void ns_frames_joined(struct ns *ns, struct now now, const struct ns_join *join, enum ns_drop drop,
		      const struct bi_envelope *answer)
{
	struct ns_held *held = find_transaction(&ns->frames, join->transaction);
	if (!held)
		return; /* asked before anybody followed, or told already */
	struct net_frame frame = held->frame;
	release(&ns->frames, held);
	ns_facts_joined(ns, drop, answer, &frame);
	tell(ns, now, &frame);
}

void ns_frames_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	struct net_frame frame;
	if (!ns_facts_downlink(ns, now, downlink, &frame))
		return;
	ns_facts_sent(&frame);
	tell(ns, now, &frame);
}

void ns_frames_answered(struct ns *ns, struct now now, const struct ns_downlink *downlink,
			enum gw_tx_result result, const struct ns_tx_rule *rule, const int16_t *power_dbm)
{
	struct net_frame frame;
	if (!ns_facts_downlink(ns, now, downlink, &frame))
		return;
	ns_facts_answered(&frame, result, rule, power_dbm);
	tell(ns, now, &frame);
}
