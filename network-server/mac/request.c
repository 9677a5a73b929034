/* The one scheme of all requests: what is due, what is in flight, who answered. */
#include "network-server/mac/mac.h"

#include "common/base/check.h"
#include "network-server/why/record_mac.h"

#include <string.h>

struct row {
	const char *name;
	uint8_t cid;
	enum ns_mac_urgency (*ask)(const struct ns_mac_case *of, struct ns_mac_block *ask);
	enum ns_mac_said (*answer)(struct ns_mac_case *of, const struct ns_mac_block *asked,
				   const struct ns_mac_block *answers);
};

static const struct row rows[NS_MAC_KINDS] = {
	[NS_MAC_DUTY_CYCLE] = {"duty_cycle", LW_CID_DUTY_CYCLE, ns_mac_duty_cycle_ask,
			       ns_mac_duty_cycle_answer},
	[NS_MAC_TX_PARAM_SETUP] = {"tx_param_setup", LW_CID_TX_PARAM_SETUP, ns_mac_tx_param_ask,
				   ns_mac_tx_param_answer},
	[NS_MAC_RX_PARAM_SETUP] = {"rx_param_setup", LW_CID_RX_PARAM_SETUP, ns_mac_rx_param_ask,
				   ns_mac_rx_param_answer},
	[NS_MAC_NEW_CHANNEL] = {"new_channel", LW_CID_NEW_CHANNEL, ns_mac_new_channel_ask,
				ns_mac_new_channel_answer},
	[NS_MAC_LINK_ADR] = {"link_adr", LW_CID_LINK_ADR, ns_mac_link_adr_ask, ns_mac_link_adr_answer},
	[NS_MAC_RX_TIMING_SETUP] = {"rx_timing_setup", LW_CID_RX_TIMING_SETUP, ns_mac_rx_timing_ask,
				    ns_mac_rx_timing_answer},
	[NS_MAC_DL_CHANNEL] = {"dl_channel", LW_CID_DL_CHANNEL, ns_mac_dl_channel_ask,
			       ns_mac_dl_channel_answer},
	[NS_MAC_DEV_STATUS] = {"dev_status", LW_CID_DEV_STATUS, ns_mac_dev_status_ask,
			       ns_mac_dev_status_answer},
};

const char *ns_mac_kind_name(enum ns_mac_kind kind)
{
	return (unsigned)kind < NS_MAC_KINDS ? rows[kind].name : "unknown";
}

uint8_t ns_mac_cid(enum ns_mac_kind kind)
{
	return rows[kind].cid;
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
		.wanted = &wanted->plan,
	};
	ns_wish(ns, profile, of->region, session->flags & NS_SESSION_ABP, &of->wish);
	struct ns_mac_state *mac = &session->mac;
	if (mac->channels_wish !=
	    wanted->hash) { /* other channels are wanted: what was refused says nothing */
		mac->channels_wish = wanted->hash;
		mac->refused_channels = mac->refused_dl_channels = 0;
		mac->refused[NS_MAC_NEW_CHANNEL] = mac->refused[NS_MAC_DL_CHANNEL] = 0;
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

/* False: no room beside what else is in flight. */
static bool keep_question(struct ns *ns, struct ns_mac_state *mac, enum ns_mac_kind kind,
			  const uint8_t *bytes, size_t length)
{
	uint8_t kept[NS_QUESTION_MAX];
	uint8_t others = without(mac, kind, kept);
	if (others + length > NS_QUESTION_MAX)
		return false;
	if (others < mac->question_length)
		ns->mac_counts[kind].unanswered++;
	memcpy(mac->question, kept, others);
	memcpy(mac->question + others, bytes, length);
	mac->question_length = (uint8_t)(others + length);
	if (mac->tries[kind] < UINT8_MAX)
		mac->tries[kind]++;
	mac->wait[kind] = pause_after(mac->tries[kind]);
	mac->answered = (uint16_t)(mac->answered & ~(1u << kind));
	ns->mac_counts[kind].asked++;
	return true;
}

/* --- what is due --- */

static bool known_to(const struct ns_session *session, enum ns_mac_kind kind)
{
	return lw_mac_row_in_version(lw_mac_row_find(LW_DOWN, rows[kind].cid),
				     (enum lw_mac_version)session->mac_version);
}

static bool is_sticky(enum ns_mac_kind kind)
{
	return lw_mac_row_find(LW_UP, rows[kind].cid)->repeat == LW_MAC_UNTIL_DOWNLINK;
}

static enum ns_mac_urgency ask(const struct ns_mac_case *of, enum ns_mac_kind kind,
			       struct ns_mac_block *block, uint8_t bytes[NS_QUESTION_MAX], size_t *length)
{
	block->count = 0;
	enum ns_mac_urgency urgency = rows[kind].ask(of, block);
	*length = urgency == NS_MAC_NOTHING ? 0 : encode(block, of->region->freq_step_hz, bytes);
	if (*length == 0 || ns_mac_hash(bytes, *length) == of->session->mac.refused[kind])
		return NS_MAC_NOTHING;
	return urgency;
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
		if (urgency == NS_MAC_NOTHING || !known_to(of->session, kind))
			continue;
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
	bool sent = false;
	if (mac->due == 0)
		return false;
	ns_mac_case_init(&of, ns, session, &profile->record);
	for (int i = 0; i < NS_MAC_KINDS; i++) {
		enum ns_mac_kind kind = (enum ns_mac_kind)i;
		struct ns_mac_block block;
		uint8_t bytes[NS_QUESTION_MAX];
		size_t length;
		if (!(mac->due >> kind & 1) || ask(&of, kind, &block, bytes, &length) == NS_MAC_NOTHING ||
		    length > wr_room(wr))
			continue;
		/* All in FOpts where it can be; a block that is longer goes alone, under FPort 0. */
		if (sent && wr_length(wr) + length > LW_FOPTS_MAX)
			continue;
		if (!keep_question(ns, mac, kind, bytes, length))
			continue;
		ns_record_mac(ns, now, session, kind, NS_MAC_ASKED, &block, NULL);
		wr_copy(wr, bytes, length);
		mac->due = (uint16_t)(mac->due & ~(1u << kind));
		sent = true;
		/* A mask that names a channel which the device has yet to define would be refused. */
		if (kind == NS_MAC_NEW_CHANNEL)
			mac->due = (uint16_t)(mac->due & ~(1u << NS_MAC_LINK_ADR));
	}
	return sent;
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
	size_t length = encode(&asked, of->region->freq_step_hz, bytes);
	mac->refused[kind] = said == NS_MAC_REFUSED ? ns_mac_hash(bytes, length) : 0;
	forget(mac, kind);
	mac->tries[kind] = mac->wait[kind] = 0;
	mac->answered = (uint16_t)(mac->answered | 1u << kind);
	if (said == NS_MAC_REFUSED)
		of->ns->mac_counts[kind].refused++;
	else
		of->ns->mac_counts[kind].taken++;
}
