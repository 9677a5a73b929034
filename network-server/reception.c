/* One reception of a gateway: is it a frame, is it ours, is it a copy. What passes waits in dedup.c for its window. */
#include "network-server/network.h"

#include "common/lorawan/airtime.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"
#include "network-server/join_course.h"
#include "network-server/rejoin.h"
#include "network-server/why/record.h"

/* A registered device's request goes on, whatever its JoinEUI or NetID: the flow tells it from the registered one. A rejoin of
 * type 0 or 2 that names none of our devices is another network's: many have the NetID 000000. */
static enum ns_drop screen_join(struct ns *ns, struct now now, const struct gw_uplink *uplink)
{
	struct ns_asked asked;
	if (!ns_asked_read(ns, uplink->phy, uplink->phy_length, &asked))
		return NS_DROP_MALFORMED;
	if (ns_device_find(&ns->sessions, &asked.request.dev_eui) != NS_NO_SLOT)
		return NS_ACCEPTED;
	if (ns_is_rejoin(asked.type) && asked.type != 1)
		return NS_DROP_FOREIGN_REJOIN;
	return ns_stranger_hear(ns, now, &asked, uplink);
}

/* Foreign frames end here, before any look-up but that of a DevEUI (invariant 12). Fills what is needed to find copies. */
static enum ns_drop screen(struct ns *ns, struct now now, const struct gw_uplink *uplink, span_us *rx_delay,
			   bool *join)
{
	enum lw_ftype ftype;
	if (uplink->crc == GW_CRC_BAD)
		return NS_DROP_CRC;
	enum lw_verdict verdict = lw_classify(uplink->phy, uplink->phy_length, LW_UP, &ftype);
	if (verdict == LW_PROPRIETARY_FRAME)
		return NS_DROP_PROPRIETARY;
	if (verdict == LW_WRONG_DIRECTION)
		return NS_DROP_DOWNLINK_FRAME;
	if (verdict != LW_OK)
		return NS_DROP_MALFORMED;
	*join = ftype == LW_JOIN_REQUEST || ftype == LW_REJOIN_REQUEST;
	if (*join) {
		*rx_delay = 5 * US_PER_S;
		return screen_join(ns, now, uplink);
	}
	struct lw_frame frame;
	if (lw_frame_parse(&frame, uplink->phy, uplink->phy_length, LW_UP) != LW_OK)
		return NS_DROP_MALFORMED;
	if (!ns_foreign_is_our_addr(&ns->foreign, frame.dev_addr)) {
		ns_foreign_count(&ns->foreign, frame.dev_addr);
		return NS_DROP_FOREIGN_DEV_ADDR;
	}
	/* The shortest delay of any session with this address: who it is shows after the window. */
	uint32_t at = 0, slot;
	*rx_delay = 15 * US_PER_S;
	while ((slot = ns_sessions_next(&ns->sessions, frame.dev_addr, &at)) != NS_NO_SLOT) {
		span_us delay = ns_session_at(&ns->sessions, slot)->rx_delay_s * US_PER_S;
		if (delay < *rx_delay)
			*rx_delay = delay;
	}
	return at == 0 && *rx_delay > 14 * US_PER_S ? NS_DROP_UNKNOWN_DEV_ADDR : NS_ACCEPTED;
}

static void copy_of(struct ns_copy *copy, const struct gw_uplink *uplink, uint32_t slot, uint64_t link,
		    struct now now)
{
	*copy = (struct ns_copy){
		.gateway = uplink->gateway,
		.gateway_slot = slot,
		.link = link,
		.freq_hz = uplink->freq_hz,
		.modulation = uplink->modulation,
		.crc = uplink->crc,
		.rssi_dbm = uplink->rssi_dbm,
		.snr_cdb = uplink->has_snr ? uplink->snr_cdb : INT16_MIN,
		.has_snr = uplink->has_snr,
		.ticks = uplink->ticks,
		.has_gps_time = uplink->has_gps_time,
		.has_fine_time = uplink->has_fine_time,
		.wall_synchronised = uplink->wall_synchronised,
		.proved = uplink->protocol >= GW_BASICS_STATION,
		.gps_time_us = uplink->gps_time_us,
		.fine_time_ns = uplink->fine_time_ns,
		.channel = uplink->channel,
		.rf_chain = uplink->rf_chain,
		.board = uplink->board,
		.antenna = uplink->antenna,
		.arrival = mono_add(now.mono, -uplink->age_us),
		.sent = mono_add(now.mono, -uplink->age_us),
		.wall = uplink->arrival,
	};
}

/* The numbers of a rule are the same wherever it is recorded. */
static struct ns_numbers numbers_of_heard(const struct ns *ns, const struct gw_uplink *uplink,
					  enum ns_drop drop)
{
	struct lw_frame frame;
	struct ns_asked asked;
	struct ns_numbers heard = ns_numbers_of_heard(uplink->freq_hz, uplink->rssi_dbm, uplink->has_snr,
						      uplink->snr_cdb, uplink->phy_length);
	if (drop == NS_DROP_UNKNOWN_DEV_ADDR &&
	    lw_frame_parse(&frame, uplink->phy, uplink->phy_length, LW_UP) == LW_OK)
		return (struct ns_numbers){
			.a = frame.dev_addr.value,
			.b = decision_halves(frame.fcnt, uplink->has_snr ? uplink->snr_cdb : INT16_MIN)};
	if ((drop == NS_DROP_JOIN_UNKNOWN_DEVICE || drop == NS_DROP_JOIN_REPEATED) &&
	    ns_asked_read(ns, uplink->phy, uplink->phy_length, &asked)) {
		if (drop == NS_DROP_JOIN_UNKNOWN_DEVICE)
			return ns_numbers_of_eui(&asked.request.dev_eui, asked.request.dev_nonce);
		heard.c = asked.request.dev_nonce;
	}
	return heard;
}

static enum ns_drop stop(struct ns *ns, struct now now, const struct gw_uplink *uplink,
			 const struct ns_copy *copy, bool join, enum ns_drop drop)
{
	struct ns_asked asked;
	if (!join || !ns_asked_read(ns, uplink->phy, uplink->phy_length, &asked))
		return drop;
	ns_course_stopped(ns, now, &asked, copy, drop);
	if (drop == NS_DROP_JOIN_REPEATED) {
		uint32_t device = ns_device_find(&ns->sessions, &asked.request.dev_eui);
		ns_record_rule(ns, now, drop,
			       ns_of_frame(ns, device, copy->gateway_slot, uplink->phy, uplink->phy_length),
			       numbers_of_heard(ns, uplink, drop));
	}
	return drop;
}

/* Whoever sent it and whatever becomes of it: it was on the air. */
static void note_load(struct ns *ns, struct now now, struct ns_gateway *gateway,
		      const struct gw_uplink *uplink)
{
	uint8_t dr;
	if (lw_region_uplink_dr(ns_region(ns, gateway->region), &uplink->modulation, &dr))
		ns_adr_load_note(&gateway->load, dr,
				 lw_airtime_us(&uplink->modulation, LW_UP, uplink->phy_length), now.mono);
}

/* `slot`: of the gateway. */
static enum ns_drop receive(struct ns *ns, struct now now, uint64_t link, const struct gw_uplink *uplink,
			    uint32_t slot)
{
	ns->receptions++;
	if (slot == NS_NO_SLOT)
		return NS_DROP_UNKNOWN_GATEWAY;
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	struct ns_copy copy;
	copy_of(&copy, uplink, slot, link, now);
	gateway->link = link;
	gateway->online = true;
	gateway->uplinks++;
	ns_off_plan_hear(ns, now, gateway, uplink);
	note_load(ns, now, gateway, uplink);
	bool join = false;
	struct ns_copy_facts facts = {.lead = ns_gateway_lead(gateway)};
	enum ns_drop drop = screen(ns, now, uplink, &facts.rx_delay, &join);
	if (uplink->crc != GW_CRC_BAD) {
		ns_gateway_map(gateway, uplink->ticks, copy.arrival);
		struct mono sent;
		facts.placed = ns_gateway_place(gateway, uplink->ticks, now.mono, &sent);
		if (facts.placed && sent.us < copy.sent.us)
			copy.sent = sent;
	}
	if (drop != NS_ACCEPTED)
		return drop;
	facts.once = join;
	facts.airtime_us = lw_airtime_us(&uplink->modulation, LW_UP, uplink->phy_length);
	switch (ns_dedup_add(&ns->dedup, uplink->phy, uplink->phy_length, &copy, &facts)) {
	case NS_DEDUP_FIRST:
	case NS_DEDUP_RETRANSMISSION: return NS_ACCEPTED;
	case NS_DEDUP_COPY: return NS_DROP_COPY;
	case NS_DEDUP_LATE_COPY: gateway->late_copies++; return NS_DROP_LATE_COPY;
	case NS_DEDUP_ONCE_AGAIN: return stop(ns, now, uplink, &copy, join, NS_DROP_JOIN_REPEATED);
	case NS_DEDUP_FULL: break;
	}
	return stop(ns, now, uplink, &copy, join, NS_DROP_DEDUP_FULL);
}

/* Invariant 12: of other networks' frames a gateway's number is kept, which says that it hears. */
static void record_foreign(struct ns *ns, struct now now, uint32_t gateway)
{
	uint32_t *run = &ns_gateways_at(&ns->gateways, gateway)->foreign_run;
	*run += *run < UINT32_MAX;
	ns_record_last(ns, now, NS_TABLE_NOTE, NS_NOTE_HEARS_OTHERS, NS_GATEWAY_FOREIGN,
		       ns_of_gateway(ns, gateway), (struct ns_numbers){.a = *run});
}

/* The last of each gateway, whatever became of it. */
static void record_heard(struct ns *ns, struct now now, uint32_t gateway, const struct gw_uplink *uplink,
			 enum ns_drop drop)
{
	if (gateway == NS_NO_SLOT)
		return;
	if (drop == NS_DROP_FOREIGN_DEV_ADDR || drop == NS_DROP_FOREIGN_JOIN_EUI ||
	    drop == NS_DROP_FOREIGN_REJOIN) {
		record_foreign(ns, now, gateway);
		return;
	}
	struct ns_whom whom = ns_of_frame(ns, NS_NO_SLOT, gateway, uplink->phy, uplink->phy_length);
	if (drop == NS_DROP_CRC || drop == NS_DROP_MALFORMED)
		whom.about = DECISION_ABOUT_NOTHING; /* its last bytes are no MIC */
	else
		ns_gateways_at(&ns->gateways, gateway)->foreign_run = 0;
	uint16_t rule = ns_rule_of_drop(drop);
	ns_record_last(ns, now, (enum ns_table)(rule >> 8), rule & UINT8_MAX, NS_GATEWAY_HEARD, whom,
		       numbers_of_heard(ns, uplink, drop));
}

/* What no window will tell of again: an address without a session, once for all copies; no room; a gateway of nobody's. */
static void record_lost(struct ns *ns, struct now now, uint32_t gateway, const struct gw_uplink *uplink,
			enum ns_drop drop)
{
	struct ns_whom whom = ns_of_frame(ns, NS_NO_SLOT, gateway, uplink->phy, uplink->phy_length);
	const struct decision *last = decision_newest(&ns->decisions, whom.subject);
	if (drop == NS_DROP_UNKNOWN_DEV_ADDR || drop == NS_DROP_DEDUP_FULL) {
		if (drop == NS_DROP_DEDUP_FULL || !last || last->ref != whom.ref)
			ns_record_rule(ns, now, drop, whom, numbers_of_heard(ns, uplink, drop));
	} else if (drop == NS_DROP_UNKNOWN_GATEWAY) {
		struct ns_numbers numbers = ns_numbers_of_eui(&uplink->gateway, 0);
		whom.about = DECISION_ABOUT_NOTHING;
		if (!last || last->a != numbers.a || last->b != numbers.b)
			ns_record_rule(ns, now, drop, whom, numbers);
	}
}

void ns_on_uplink(struct ns *ns, struct now now, uint64_t link, uint64_t seq, const struct gw_uplink *uplink)
{
	ns_on_seq(ns, now, link, seq);
	uint32_t gateway = ns_gateways_find(&ns->gateways, &uplink->gateway);
	enum ns_drop drop = receive(ns, now, link, uplink, gateway);
	record_heard(ns, now, gateway, uplink, drop);
	if (drop == NS_ACCEPTED)
		return;
	ns_count(ns, drop);
	record_lost(ns, now, gateway, uplink, drop);
	if (ns_frames_followed(&ns->frames))
		ns_frames_stopped(ns, now, uplink, drop);
}
