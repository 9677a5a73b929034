/* The one scheme of all requests: what is due, what is in flight, who answered. */
#include "network-server/mac/mac.h"

#include "common/base/check.h"
#include "network-server/join_short.h"
#include "network-server/why/record_mac.h"

#include <string.h>

struct row {
	const char *name;
	uint8_t cid;
	bool unanswered; /* it has no answer: what follows from it shows whether it was taken */
	enum ns_mac_urgency (*ask)(const struct ns_mac_case *of, struct ns_mac_block *ask);
	enum ns_mac_said (*answer)(struct ns_mac_case *of, const struct ns_mac_block *asked,
				   const struct ns_mac_block *answers);
};

#define ROW(name, cid, function)                                                      \
	{                                                                             \
		name, cid, false, ns_mac_##function##_ask, ns_mac_##function##_answer \
	}

static const struct row rows[NS_MAC_KINDS] = {
	[NS_MAC_DUTY_CYCLE] = ROW("duty_cycle", LW_CID_DUTY_CYCLE, duty_cycle),
	[NS_MAC_TX_PARAM_SETUP] = ROW("tx_param_setup", LW_CID_TX_PARAM_SETUP, tx_param),
	[NS_MAC_RX_PARAM_SETUP] = ROW("rx_param_setup", LW_CID_RX_PARAM_SETUP, rx_param),
	[NS_MAC_NEW_CHANNEL] = ROW("new_channel", LW_CID_NEW_CHANNEL, new_channel),
	[NS_MAC_LINK_ADR] = ROW("link_adr", LW_CID_LINK_ADR, link_adr),
	[NS_MAC_RX_TIMING_SETUP] = ROW("rx_timing_setup", LW_CID_RX_TIMING_SETUP, rx_timing),
	[NS_MAC_DL_CHANNEL] = ROW("dl_channel", LW_CID_DL_CHANNEL, dl_channel),
	[NS_MAC_DEV_STATUS] = ROW("dev_status", LW_CID_DEV_STATUS, dev_status),
	[NS_MAC_ADR_PARAM_SETUP] = ROW("adr_param_setup", LW_CID_ADR_PARAM_SETUP, adr_param),
	[NS_MAC_FORCE_REJOIN] = {"force_rejoin", LW_CID_FORCE_REJOIN, true, ns_mac_force_rejoin_ask, NULL},
	[NS_MAC_REJOIN_PARAM_SETUP] = ROW("rejoin_param_setup", LW_CID_REJOIN_PARAM_SETUP, rejoin_param),
	[NS_MAC_BEACON_FREQ] = ROW("beacon_freq", LW_CID_BEACON_FREQ, beacon_freq),
	[NS_MAC_PING_SLOT_CHANNEL] = ROW("ping_slot_channel", LW_CID_PING_SLOT_CHANNEL, ping_slot_channel),
};

/* Their order in a frame. Dwell time comes before all that hangs on it: data rates, payload, RX1. Channels come before the
 * masks that name them. What is asked for its own sake comes last. */
static const enum ns_mac_kind order[NS_MAC_KINDS] = {
	NS_MAC_TX_PARAM_SETUP, NS_MAC_DUTY_CYCLE,      NS_MAC_RX_PARAM_SETUP, NS_MAC_NEW_CHANNEL,
	NS_MAC_LINK_ADR,       NS_MAC_RX_TIMING_SETUP, NS_MAC_BEACON_FREQ,    NS_MAC_PING_SLOT_CHANNEL,
	NS_MAC_DL_CHANNEL,     NS_MAC_ADR_PARAM_SETUP, NS_MAC_FORCE_REJOIN,   NS_MAC_REJOIN_PARAM_SETUP,
	NS_MAC_DEV_STATUS,
};

const char *ns_mac_kind_name(enum ns_mac_kind kind)
{
	return (unsigned)kind < NS_MAC_KINDS ? rows[kind].name : "unknown";
}

uint8_t ns_mac_cid(enum ns_mac_kind kind)
{
	return rows[kind].cid;
}

uint16_t *ns_mac_refused(struct ns_mac_state *mac, enum ns_mac_kind kind)
{
	switch (kind) {
	case NS_MAC_RX_PARAM_SETUP: return &mac->refused[0];
	case NS_MAC_NEW_CHANNEL: return &mac->refused[1];
	case NS_MAC_LINK_ADR: return &mac->refused[2];
	case NS_MAC_DL_CHANNEL: return &mac->refused[3];
	default: return NULL;
	}
}

uint16_t ns_mac_hash(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t hash = UINT32_C(0x811c9dc5);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT32_C(0x01000193);
	uint16_t folded = (uint16_t)(hash ^ hash >> 16);
	return folded ? folded : 1;
}

void ns_mac_case_init(struct ns_mac_case *of, struct ns *ns, struct ns_session *session,
		      const struct net_profile *profile)
{
	const struct ns_wanted *wanted = ns_wanted(ns, session->region);
	*of = (struct ns_mac_case){
		.ns = ns,
		.session = session,
		.profile = profile,
		.region = ns_region(ns, session->region),
		.plan = *ns_session_plan(&ns->sessions, session),
		.rare = *ns_session_rare(&ns->sessions, session),
		.wanted = &wanted->plan,
	};
	ns_wish(ns, profile, of->region, session->flags & NS_SESSION_ABP, &of->wish);
	struct ns_mac_state *mac = &session->mac;
	if (mac->channels_wish !=
	    wanted->hash) { /* other channels are wanted: what was refused says nothing */
		mac->channels_wish = wanted->hash;
		mac->refused_channels = mac->refused_dl_channels = 0;
		*ns_mac_refused(mac, NS_MAC_NEW_CHANNEL) = *ns_mac_refused(mac, NS_MAC_DL_CHANNEL) = 0;
	}
}

struct lw_mac_command *ns_mac_block_add(struct ns_mac_block *block, uint8_t cid)
{
	ASSERT_CMP(block->count, <, NS_MAC_BLOCK);
	struct lw_mac_command *command = &block->commands[block->count++];
	*command = (struct lw_mac_command){.direction = LW_DOWN, .cid = cid};
	return command;
}

/* Returns the length; 0: the block cannot be written. */
static size_t encode(const struct ns_mac_block *block, uint32_t freq_step_hz, uint8_t bytes[NS_QUESTION_MAX])
{
	struct wr wr = wr_init(bytes, NS_QUESTION_MAX);
	for (uint8_t i = 0; i < block->count; i++)
		if (lw_mac_write(&wr, &block->commands[i], freq_step_hz) != LW_MAC_WRITE_OK)
			return 0;
	return wr_length(&wr);
}

/* --- questions in flight --- */

bool ns_mac_question(const struct ns_session *session, enum ns_mac_kind kind, uint32_t freq_step_hz,
		     struct ns_mac_block *block)
{
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	block->count = 0;
	lw_mac_reader_init(&reader, LW_DOWN, session->mac.question, session->mac.question_length,
			   freq_step_hz);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		if (command.cid == rows[kind].cid && block->count < NS_MAC_BLOCK)
			block->commands[block->count++] = command;
	return block->count > 0;
}

/* Copies the question without one kind. */
static uint8_t without(const struct ns_mac_state *mac, enum ns_mac_kind kind, uint8_t kept[NS_QUESTION_MAX])
{
	struct wr wr = wr_init(kept, NS_QUESTION_MAX);
	struct rd rd = rd_init(mac->question, mac->question_length);
	while (rd_left(&rd) > 0) {
		uint8_t cid = rd_u8(&rd);
		const struct lw_mac_row *row = lw_mac_row_find(LW_DOWN, cid);
		const uint8_t *payload = row && row->length > 0 ? rd_take(&rd, row->length) : NULL;
		if (!row || !rd_ok(&rd))
			break;
		if (cid == rows[kind].cid)
			continue;
		wr_u8(&wr, cid);
		if (payload)
			wr_copy(&wr, payload, row->length);
	}
	return (uint8_t)wr_length(&wr);
}

static void forget(struct ns_mac_state *mac, enum ns_mac_kind kind)
{
	uint8_t kept[NS_QUESTION_MAX];
	uint8_t length = without(mac, kind, kept);
	memcpy(mac->question, kept, length);
	mac->question_length = length;
}

/* Twice without a pause, then 1, 3, 7... uplinks. */
static uint8_t pause_after(uint8_t tries)
{
	if (tries < 3)
		return 0;
	unsigned wait = tries < 9 ? (1u << (tries - 2)) - 1 : NS_MAC_WAIT_MAX;
	return (uint8_t)(wait < NS_MAC_WAIT_MAX ? wait : NS_MAC_WAIT_MAX);
}

/* A question that the device has had more than one chance to answer is dead: without it another finds room. `fresh`: a bit a
 * kind that goes with this very frame. */
static uint8_t only_alive(struct ns_mac_state *mac, uint16_t fresh)
{
	for (int i = 0; i < NS_MAC_KINDS; i++)
		if (!(fresh >> i & 1) && mac->tries[i] > 1)
			forget(mac, (enum ns_mac_kind)i);
	return mac->question_length;
}

static void count_try(struct ns *ns, struct ns_mac_state *mac, enum ns_mac_kind kind)
{
	if (mac->tries[kind] < UINT8_MAX)
		mac->tries[kind]++;
	mac->wait[kind] = pause_after(mac->tries[kind]);
	mac->answered = (uint16_t)(mac->answered & ~(1u << kind));
	ns->mac_counts[kind].asked++;
}

/* False: no room beside what else is in flight. */
static bool keep_question(struct ns *ns, struct ns_mac_state *mac, enum ns_mac_kind kind, uint16_t fresh,
			  const uint8_t *bytes, size_t length)
{
	uint8_t before = mac->question_length;
	forget(mac, kind);
	if (mac->question_length < before)
		ns->mac_counts[kind].unanswered++;
	if (mac->question_length + length > NS_QUESTION_MAX &&
	    only_alive(mac, fresh) + length > NS_QUESTION_MAX)
		return false;
	memcpy(mac->question + mac->question_length, bytes, length);
	mac->question_length = (uint8_t)(mac->question_length + length);
	count_try(ns, mac, kind);
	return true;
}

/* --- what is due --- */

bool ns_mac_known_to(const struct ns_session *session, enum ns_mac_kind kind)
{
	return lw_mac_row_in_version(lw_mac_row_find(LW_DOWN, rows[kind].cid), ns_session_version(session));
}

static bool is_sticky(enum ns_mac_kind kind)
{
	const struct lw_mac_row *answer = lw_mac_row_find(LW_UP, rows[kind].cid);
	return answer && answer->repeat == LW_MAC_UNTIL_DOWNLINK;
}

static enum ns_mac_urgency ask(const struct ns_mac_case *of, enum ns_mac_kind kind,
			       struct ns_mac_block *block, uint8_t bytes[NS_QUESTION_MAX], size_t *length)
{
	block->count = 0;
	enum ns_mac_urgency urgency = rows[kind].ask(of, block);
	*length = urgency == NS_MAC_NOTHING ? 0 : encode(block, of->region->freq_step_hz, bytes);
	const uint16_t *refused = ns_mac_refused(&of->session->mac, kind);
	if (*length == 0 || (refused && ns_mac_hash(bytes, *length) == *refused))
		return NS_MAC_NOTHING;
	return urgency;
}

bool ns_mac_would_ask(const struct ns_mac_case *of, enum ns_mac_kind kind)
{
	struct ns_mac_block block;
	uint8_t bytes[NS_QUESTION_MAX];
	size_t length;
	return ask(of, kind, &block, bytes, &length) != NS_MAC_NOTHING;
}

bool ns_mac_decide(struct ns_mac_case *of, uint16_t heard)
{
	struct ns_mac_state *mac = &of->session->mac;
	bool must = false;
	mac->due = 0;
	for (int i = 0; i < NS_MAC_KINDS; i++) {
		enum ns_mac_kind kind = (enum ns_mac_kind)i;
		struct ns_mac_block block;
		uint8_t bytes[NS_QUESTION_MAX];
		size_t length;
		if (mac->wait[kind] > 0) {
			mac->wait[kind]--;
			continue;
		}
		/* While the device still repeats an answer, another request of its kind would confuse both. */
		if ((heard >> kind & 1) && is_sticky(kind))
			continue;
		enum ns_mac_urgency urgency = ask(of, kind, &block, bytes, &length);
		if (urgency == NS_MAC_NOTHING || !ns_mac_known_to(of->session, kind))
			continue;
		if (kind == NS_MAC_NEW_CHANNEL && urgency == NS_MAC_SEND && of->uplink &&
		    !ns_short_pays(of->ns, of->now, of->uplink->frame->copies[0].gateway_slot))
			urgency = NS_MAC_IF_A_FRAME_GOES;
		mac->due = (uint16_t)(mac->due | 1u << kind);
		must |= urgency == NS_MAC_SEND;
	}
	return must;
}

bool ns_mac_requests(struct ns *ns, struct now now, struct ns_session *session,
		     const struct ns_profile *profile, struct wr *wr)
{
	struct ns_mac_state *mac = &session->mac;
	struct ns_mac_case of;
	uint16_t sent = 0; /* bit a kind */
	if (mac->due == 0)
		return false;
	ns_mac_case_init(&of, ns, session, &profile->record);
	of.now = now;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		enum ns_mac_kind kind = order[i];
		struct ns_mac_block block;
		uint8_t bytes[NS_QUESTION_MAX];
		size_t length;
		if (!(mac->due >> kind & 1) || ask(&of, kind, &block, bytes, &length) == NS_MAC_NOTHING ||
		    length > wr_room(wr))
			continue;
		/* All in FOpts where it can be; a block that is longer goes alone, under FPort 0. */
		if (sent && wr_length(wr) + length > LW_FOPTS_MAX)
			continue;
		if (rows[kind].unanswered)
			count_try(ns, mac, kind);
		else if (!keep_question(ns, mac, kind, sent, bytes, length))
			continue;
		if (kind == NS_MAC_FORCE_REJOIN) {
			ns_mac_force_rejoin_sent(ns, session);
			if (profile->record.quirks & NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST)
				lw_mac_force_rejoin_turn(bytes);
		}
		ns_record_mac(ns, now, session, kind, NS_MAC_ASKED, &block, NULL);
		wr_copy(wr, bytes, length);
		mac->due = (uint16_t)(mac->due & ~(1u << kind));
		sent = (uint16_t)(sent | 1u << kind);
		/* A mask that names a channel which the device has yet to define would be refused. */
		if (kind == NS_MAC_NEW_CHANNEL)
			mac->due = (uint16_t)(mac->due & ~(1u << NS_MAC_LINK_ADR));
	}
	return sent != 0;
}

/* --- answers --- */

void ns_mac_resolve(struct ns_mac_case *of, enum ns_mac_kind kind, const struct ns_mac_block *answers)
{
	struct ns_mac_state *mac = &of->session->mac;
	struct ns_mac_block asked;
	uint8_t bytes[NS_QUESTION_MAX];
	if (!ns_mac_question(of->session, kind, of->region->freq_step_hz, &asked)) {
		bool again = mac->answered >> kind & 1;
		ns_record_mac_drop(of->ns, of->now, of->session,
				   again ? NS_DROP_MAC_REPEATED : NS_DROP_MAC_UNEXPECTED, rows[kind].cid,
				   of->uplink->commands_length);
		return;
	}
	enum ns_mac_said said = rows[kind].answer(of, &asked, answers);
	ns_record_mac(of->ns, of->now, of->session, kind,
		      said == NS_MAC_REFUSED ? NS_MAC_WAS_REFUSED : NS_MAC_WAS_TAKEN, &asked, answers);
	forget(mac, kind);
	size_t length = encode(&asked, of->region->freq_step_hz, bytes);
	uint16_t *refused = ns_mac_refused(mac, kind);
	if (refused)
		*refused = said == NS_MAC_REFUSED ? ns_mac_hash(bytes, length) : 0;
	mac->answered = (uint16_t)(mac->answered | 1u << kind);
	if (said == NS_MAC_REFUSED) {
		of->ns->mac_counts[kind].refused++;
		return; /* and the pause stands: who refuses one thing after the other is asked ever more seldom */
	}
	mac->tries[kind] = mac->wait[kind] = 0;
	of->ns->mac_counts[kind].taken++;
}
