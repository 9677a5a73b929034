/* ForceRejoinReq (TS001-1.1 §5.13): a one-shot order, not a setting. It has no answer: what shows that the device has it is its
 * rejoin-request. Until that is heard it is sent again, with the pauses of every request, and after NS_REJOIN_ORDER_TRIES it is
 * given up, and said so.
 *
 *	              ns_mac_order_rejoin()          sent, order_left − 1
 *	no order ────────────────────────────▶ stands ◀──────────────────┐
 *	   ▲   ▲                                │  │  └───────────────────┘
 *	   │   └── ns_mac_rejoin_seen() ────────┘  │ order_left is 0, and an uplink comes that is none
 *	   └───────────── given up ────────────────┘
 */
#include "network-server/why/record_mac.h"

#include <string.h>

#define STANDS 0x8000 /* in ns_rare.order beside the 14 bits of the payload */

static uint16_t payload_of(const struct ns_rejoin_order *order, uint8_t own_dr)
{
	unsigned dr = order->data_rate == NS_REJOIN_ORDER_OWN_DR ? own_dr : order->data_rate;
	return (uint16_t)((unsigned)order->period << 11 | (unsigned)order->max_retries << 8 |
			  (unsigned)order->rejoin_type << 4 | dr);
}

static void fill(struct lw_mac_command *command, uint16_t order)
{
	command->as.force_rejoin_req.period = order >> 11 & 7;
	command->as.force_rejoin_req.max_retries = order >> 8 & 7;
	command->as.force_rejoin_req.rejoin_type = order >> 4 & 7;
	command->as.force_rejoin_req.data_rate = order & 15;
}

enum ns_mac_urgency ns_mac_force_rejoin_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	if (!(of->rare.order & STANDS) || of->rare.order_left == 0)
		return NS_MAC_NOTHING;
	fill(ns_mac_block_add(ask, LW_CID_FORCE_REJOIN), of->rare.order);
	return NS_MAC_SEND;
}

void ns_mac_force_rejoin_sent(struct ns *ns, struct ns_session *session)
{
	struct ns_rare rare = *ns_session_rare(&ns->sessions, session);
	if (rare.order_left > 0)
		rare.order_left--;
	(void)ns_session_set_rare(&ns->sessions, session, &rare);
}

/* What became of the order, in the words of a request. */
static void tell(struct ns *ns, struct now now, const struct ns_session *session, uint16_t order,
		 enum ns_mac_became became)
{
	struct ns_mac_block block = {0};
	fill(ns_mac_block_add(&block, LW_CID_FORCE_REJOIN), order);
	ns_record_mac(ns, now, session, NS_MAC_FORCE_REJOIN, became, &block, NULL);
	if (became == NS_MAC_WAS_TAKEN)
		ns->mac_counts[NS_MAC_FORCE_REJOIN].taken++;
	else
		ns->mac_counts[NS_MAC_FORCE_REJOIN].unanswered++;
}

static void clear(struct ns_rare *rare, struct ns_mac_state *mac)
{
	rare->order = 0;
	rare->order_left = 0;
	mac->tries[NS_MAC_FORCE_REJOIN] = mac->wait[NS_MAC_FORCE_REJOIN] = 0;
}

void ns_mac_force_rejoin_follow(struct ns_mac_case *of)
{
	if (!(of->rare.order & STANDS) || of->rare.order_left > 0)
		return;
	tell(of->ns, of->now, of->session, of->rare.order, NS_MAC_WAS_REFUSED);
	clear(&of->rare, &of->session->mac);
}

enum ns_order ns_mac_order_rejoin(struct ns *ns, struct now now, uint32_t slot,
				  const struct ns_rejoin_order *order)
{
	struct ns_session *session = ns_session_at(&ns->sessions, slot);
	const struct lw_mac_row *row = lw_mac_row_find(LW_DOWN, LW_CID_FORCE_REJOIN);
	if (!(session->flags & NS_SESSION_1_1) || !lw_mac_row_in_version(row, ns_session_version(session)))
		return NS_ORDER_NOT_OF_ITS_VERSION;
	if (order->period > 7 || order->max_retries > 7 || order->rejoin_type > 2 ||
	    (order->data_rate > 15 && order->data_rate != NS_REJOIN_ORDER_OWN_DR))
		return NS_ORDER_OUT_OF_RANGE;
	struct ns_rare rare = *ns_session_rare(&ns->sessions, session);
	clear(&rare, &session->mac);
	rare.order = (uint16_t)(STANDS | payload_of(order, session->last_dr));
	rare.order_left = NS_REJOIN_ORDER_TRIES;
	if (!ns_mac_keep_rare(ns, now, session, &rare))
		return NS_ORDER_TABLE_FULL;
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, slot);
	return NS_ORDER_TAKEN;
}

void ns_mac_rejoin_seen(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_session *session = ns_session_at(&ns->sessions, slot);
	struct ns_rare rare = *ns_session_rare(&ns->sessions, session);
	if (!(rare.order & STANDS))
		return;
	tell(ns, now, session, rare.order, NS_MAC_WAS_TAKEN);
	clear(&rare, &session->mac);
	(void)ns_mac_keep_rare(ns, now, session, &rare);
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, slot);
}

uint8_t ns_mac_rejoin_left(const struct ns *ns, uint32_t slot)
{
	const struct ns_rare *rare = ns_session_rare(&ns->sessions, ns_session_at(&ns->sessions, slot));
	return rare->order & STANDS ? rare->order_left : 0;
}
