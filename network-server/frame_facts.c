#include "network-server/frame_facts.h"

#include "common/base/check.h"
#include "common/lorawan/frame.h"
#include "network-server/join_course.h"
#include "network-server/tx_result.h"
#include "network-server/uplink.h"
#include "network-server/why/explain.h"

#include <stdio.h>

/* --- verdicts ------------------------------------------------------------------------------------------------ */

/* Verdicts that are no problem; all others are. */
static const struct {
	enum ns_drop drop;
	enum net_frame_standing standing;
} standings[] = {
	{NS_ACCEPTED, NET_FRAME_GOOD},
	{NS_DROP_REPEATED, NET_FRAME_NOTE},
	{NS_DROP_COPY, NET_FRAME_NOTE},
	{NS_DROP_LATE_COPY, NET_FRAME_NOTE},
	{NS_DROP_PROPRIETARY, NET_FRAME_FOREIGN},
	{NS_DROP_DOWNLINK_FRAME, NET_FRAME_FOREIGN},
	{NS_DROP_FOREIGN_DEV_ADDR, NET_FRAME_FOREIGN},
	{NS_DROP_FOREIGN_JOIN_EUI, NET_FRAME_FOREIGN},
	{NS_DROP_FOREIGN_REJOIN, NET_FRAME_FOREIGN},
};

enum net_frame_standing ns_facts_standing(enum ns_drop drop)
{
	for (size_t i = 0; i < ARRAY_SIZE(standings); i++)
		if (standings[i].drop == drop)
			return standings[i].standing;
	return NET_FRAME_PROBLEM;
}

static void say(struct net_frame *frame, enum net_frame_standing standing, const char *verdict,
		const char *sentence, const char *next)
{
	frame->standing = standing;
	snprintf(frame->verdict, sizeof frame->verdict, "%s", verdict);
	snprintf(frame->sentence, sizeof frame->sentence, "%s", sentence);
	snprintf(frame->next, sizeof frame->next, "%s", next);
}

/* The rule's sentence with its numbers, as it was recorded a moment ago; a record that is gone leaves the name. */
static void say_verdict(const struct ns *ns, struct net_frame *frame, enum ns_drop drop)
{
	char sentence[DECISION_TEXT];
	const char *next = "";
	const struct lw_eui64 *gateway = &frame->receptions[0].gateway;
	if (!ns_why_sentence(ns, frame->phy, frame->phy_length, gateway, drop, sentence, &next))
		sentence[0] = 0;
	say(frame, ns_facts_standing(drop), ns_verdict(drop)->name, sentence, next);
}

/* A gateway's refusal: its numbers are those of the attempt. */
static void say_refusal(struct net_frame *frame, enum ns_drop cause)
{
	char sentence[DECISION_TEXT];
	struct decision decision = {
		.a = frame->tx.freq_hz,
		.b = decision_halves(frame->left / US_PER_MS, 0),
		.c = (uint16_t)((frame->attempt + 1) | frame->tx.window << 8),
		.verdict = (uint8_t)ns_rule_of_drop(cause),
		.table = NS_TABLE_DROP_DOWN,
	};
	struct decision_names names = {.device = ""};
	lw_eui64_format(names.gateway, &frame->tx.gateway);
	decision_say(sentence, &ns_book, &decision, &names);
	say(frame, NET_FRAME_PROBLEM, ns_verdict(cause)->name, sentence, ns_verdict(cause)->next);
}

/* Of a join, the row that `lamppost join list` shows says more. */
static void say_join(const struct ns *ns, struct net_frame *frame, enum ns_drop drop)
{
	enum net_join_verdict verdict;
	say_verdict(ns, frame, drop);
	if (!ns_course_end(drop, &verdict))
		return;
	const struct net_join_row *row = net_join_row(verdict);
	say(frame, frame->standing, ns_verdict(drop)->name, row->sentence, row->next);
}

/* --- uplinks ------------------------------------------------------------------------------------------------- */

/* Best SNR first; a full list loses its worst. */
static void add_reception(struct net_frame *frame, const struct net_reception *reception)
{
	uint8_t at = frame->reception_count;
	if (at == NET_RECEPTIONS_MAX)
		at--;
	else
		frame->reception_count++;
	if (at == NET_RECEPTIONS_MAX - 1 && frame->receptions[at].snr_cdb > reception->snr_cdb)
		return;
	for (; at > 0 && frame->receptions[at - 1].snr_cdb < reception->snr_cdb; at--)
		frame->receptions[at] = frame->receptions[at - 1];
	frame->receptions[at] = *reception;
}

static void reception_of(struct net_reception *reception, const struct gw_uplink *uplink)
{
	*reception = (struct net_reception){
		.gateway = uplink->gateway,
		.rssi_dbm = uplink->rssi_dbm,
		.has_snr = uplink->has_snr,
		.snr_cdb = uplink->has_snr ? uplink->snr_cdb : INT16_MIN,
		.channel = uplink->channel,
		.rf_chain = uplink->rf_chain,
		.board = uplink->board,
		.antenna = uplink->antenna,
		.ticks = uplink->ticks,
		.has_gps_time = uplink->has_gps_time,
		.gps_time_us = uplink->gps_time_us,
		.has_fine_time = uplink->has_fine_time,
		.fine_time_ns = uplink->fine_time_ns,
		.arrival = uplink->arrival,
		.crc = uplink->crc,
	};
}

static void receptions_of(struct net_frame *frame, const struct ns_frame *heard)
{
	for (uint8_t i = 0; i < heard->copy_count; i++) {
		const struct net_reception reception = ns_copy_reception(&heard->copies[i]);
		add_reception(frame, &reception);
	}
	frame->gateway_count = heard->gateway_count;
}

/* What the bytes themselves say of who it is from. */
static void read_bytes(const struct ns *ns, struct net_frame *frame)
{
	struct lw_frame data;
	struct ns_asked asked;
	if (lw_frame_parse(&data, frame->phy, frame->phy_length, LW_UP) == LW_OK) {
		frame->has_dev_addr = true;
		frame->dev_addr = data.dev_addr;
	} else if (ns_asked_read(ns, frame->phy, frame->phy_length, &asked) &&
		   ns_device_find(&ns->sessions, &asked.request.dev_eui) != NS_NO_SLOT) {
		frame->has_device = true;
		frame->dev_eui = asked.request.dev_eui;
	}
}

/* The region is that of the gateway, and the data rate that of its region. */
static void read_radio(const struct ns *ns, const struct lw_eui64 *gateway, struct net_frame *frame)
{
	uint32_t slot = ns_gateways_find(&ns->gateways, gateway);
	if (slot == NS_NO_SLOT)
		return;
	const struct lw_region *region = ns_region(ns, ns_gateways_at(&ns->gateways, slot)->region);
	snprintf(frame->region_id, sizeof frame->region_id, "%.15s", region->id);
	frame->has_dr = lw_region_uplink_dr(region, &frame->modulation, &frame->dr);
}

void ns_facts_stopped(const struct ns *ns, const struct gw_uplink *uplink, enum ns_drop drop,
		      struct net_frame *frame)
{
	struct net_reception reception;
	*frame = (struct net_frame){
		.direction = LW_UP,
		.time = uplink->has_gps_time ? wall_from_gps_us(uplink->gps_time_us) : uplink->arrival,
		.phy_length = uplink->phy_length,
		.freq_hz = uplink->freq_hz,
		.modulation = uplink->modulation,
		.gateway_count = 1,
	};
	memcpy(frame->phy, uplink->phy, uplink->phy_length);
	reception_of(&reception, uplink);
	add_reception(frame, &reception);
	read_bytes(ns, frame);
	read_radio(ns, &uplink->gateway, frame);
	say_join(ns, frame, drop);
}

void ns_facts_one_more(struct net_frame *frame, const struct gw_uplink *uplink)
{
	struct net_reception reception;
	bool known = false;
	for (uint8_t i = 0; i < frame->reception_count; i++)
		known = known || lw_eui64_equal(&frame->receptions[i].gateway, &uplink->gateway);
	reception_of(&reception, uplink);
	add_reception(frame, &reception);
	frame->gateway_count += !known;
}

static void heard_facts(const struct ns *ns, const struct ns_frame *heard, struct net_frame *frame)
{
	const struct ns_copy *best = ns_join_best_copy(heard);
	*frame = (struct net_frame){
		.direction = LW_UP,
		.time = ns_frame_time(heard),
		.phy_length = heard->phy_length,
		.freq_hz = best->freq_hz,
		.modulation = best->modulation,
		.retransmission = heard->retransmission,
	};
	memcpy(frame->phy, heard->phy, heard->phy_length);
	receptions_of(frame, heard);
	read_bytes(ns, frame);
	read_radio(ns, &best->gateway, frame);
}

void ns_facts_uplink(const struct ns *ns, const struct ns_uplink *uplink, enum ns_drop drop,
		     struct net_frame *frame)
{
	heard_facts(ns, uplink->frame, frame);
	if (uplink->session) {
		frame->has_device = true;
		frame->dev_eui = uplink->session->dev_eui;
		frame->has_fcnt = true;
		frame->fcnt = uplink->fcnt;
		frame->freq_hz = uplink->heard.freq_hz;
		frame->modulation = uplink->heard.modulation;
		frame->has_dr = true;
		frame->dr = uplink->heard.dr;
	}
	say_verdict(ns, frame, drop);
}

void ns_facts_join(const struct ns *ns, const struct ns_frame *heard, enum ns_drop drop,
		   struct net_frame *frame)
{
	heard_facts(ns, heard, frame);
	if (drop == NS_ACCEPTED)
		say(frame, NET_FRAME_NOTE, "join_waiting",
		    "The join server has been asked and has not answered yet.", "");
	else
		say_join(ns, frame, drop);
}

void ns_facts_joined(const struct ns *ns, enum ns_drop drop, const struct bi_envelope *answer,
		     struct net_frame *frame)
{
	if (drop == NS_ACCEPTED) {
		say(frame, NET_FRAME_GOOD, ns_verdict(NS_ACCEPTED)->name,
		    "The join server accepted the device; its join-accept is planned.", "");
	} else if (answer) {
		const struct net_join_row *row = net_join_row(
			ns_course_refusal(answer->result, answer->description));
		say(frame, NET_FRAME_PROBLEM, ns_verdict(drop)->name, row->sentence, row->next);
	} else {
		say_join(ns, frame, drop);
	}
}

/* --- downlinks ----------------------------------------------------------------------------------------------- */

static const char *window_name(enum gw_window window)
{
	static const char *const names[] = {"RX1", "RX2", "a ping slot", "class C"};
	return names[window];
}

bool ns_facts_downlink(const struct ns *ns, struct now now, const struct ns_downlink *downlink,
		       struct net_frame *frame)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	struct lw_frame data;
	if (downlink->phy_length == 0)
		return false;
	*frame = (struct net_frame){
		.direction = LW_DOWN,
		.time = now.wall,
		.phy_length = downlink->phy_length,
		.freq_hz = attempt->tx.freq_hz,
		.modulation = attempt->tx.modulation,
		.downlink = downlink->id,
		.attempt = downlink->attempt,
		.tx = attempt->tx,
		.left = mono_since(attempt->start, now.mono),
	};
	memcpy(frame->phy, downlink->phy, downlink->phy_length);
	snprintf(frame->region_id, sizeof frame->region_id, "%.15s", region->id);
	if (attempt->window == GW_RX1 || attempt->window == GW_RX2) {
		frame->has_dr = true;
		frame->dr = attempt->window == GW_RX1 ? downlink->windows.rx1.dr : downlink->windows.rx2.dr;
	}
	if (ns_slab_holds(&ns->sessions.devices, downlink->device)) {
		frame->has_device = true;
		frame->dev_eui = ns_device_at(&ns->sessions, downlink->device)->dev_eui;
	}
	if (lw_frame_parse(&data, frame->phy, frame->phy_length, LW_DOWN) == LW_OK) {
		frame->has_dev_addr = true;
		frame->dev_addr = data.dev_addr;
		frame->has_fcnt = true;
		frame->fcnt = downlink->fcnt_down;
	}
	return true;
}

void ns_facts_sent(struct net_frame *frame)
{
	char sentence[NET_SENTENCE_MAX];
	snprintf(sentence, sizeof sentence,
		 "Handed to its gateway's bridge for %s, %lld ms before it begins.",
		 window_name(frame->tx.window), (long long)(frame->left / US_PER_MS));
	say(frame, NET_FRAME_NOTE, "sent", sentence, "");
}

void ns_facts_answered(struct net_frame *frame, enum gw_tx_result result, const struct ns_tx_rule *rule,
		       const int16_t *power_dbm)
{
	frame->answered = true;
	if (rule->sent && result == GW_TX_NO_ANSWER)
		say(frame, NET_FRAME_NOTE, "tx_no_answer",
		    "The gateway did not say what became of it; it counts as sent.", "");
	else if (rule->sent)
		say(frame, NET_FRAME_GOOD, "tx_ok", "The gateway has taken it and sends it at its time.", "");
	else
		say_refusal(frame, rule->cause);
	if (!power_dbm)
		return;
	frame->has_power = true;
	frame->power_dbm = *power_dbm;
}
