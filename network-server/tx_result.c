#include "network-server/tx_result.h"

#include "common/base/check.h"

/* The network between doubles datagrams: one copy of a PULL_RESP is taken and the other refused for the place that the first
 * one has, or for its own time. Certain is only what any copy would be told, and what never left the bridge. */
static const struct ns_tx_rule rows[GW_TX_RESULT_COUNT] = {
	[GW_TX_OK] = {true, false, NS_NEXT_NOTHING, NS_ACCEPTED},
	[GW_TX_TOO_LATE] = {false, false, NS_NEXT_LATER_WINDOW, NS_DROP_TX_TOO_LATE},
	[GW_TX_TOO_EARLY] = {false, false, NS_NEXT_SAME_LATER, NS_DROP_TX_TOO_EARLY},
	[GW_TX_COLLISION_PACKET] = {false, false, NS_NEXT_OTHER_TIME, NS_DROP_TX_COLLISION_PACKET},
	[GW_TX_COLLISION_BEACON] = {false, true, NS_NEXT_OTHER_TIME, NS_DROP_TX_COLLISION_BEACON},
	[GW_TX_FREQ] = {false, true, NS_NEXT_OTHER_FREQ, NS_DROP_TX_FREQ},
	[GW_TX_POWER] = {false, true, NS_NEXT_ANY, NS_DROP_TX_POWER},
	[GW_TX_GPS_UNLOCKED] = {false, true, NS_NEXT_OTHER_GATEWAY, NS_DROP_TX_GPS_UNLOCKED},
	[GW_TX_QUEUE_FULL] = {false, false, NS_NEXT_ANY, NS_DROP_TX_QUEUE_FULL},
	[GW_TX_DUTY_CYCLE] = {false, false, NS_NEXT_OTHER_BAND, NS_DROP_TX_DUTY_CYCLE},
	[GW_TX_IGNORED] = {false, false, NS_NEXT_ANY, NS_DROP_TX_IGNORED},
	[GW_TX_NO_PATH] = {false, true, NS_NEXT_OTHER_GATEWAY, NS_DROP_TX_NO_PATH},
	[GW_TX_NO_ANSWER] = {true, false, NS_NEXT_NOTHING, NS_ACCEPTED},
	[GW_TX_OTHER] = {false, false, NS_NEXT_ANY, NS_DROP_TX_OTHER},
};

static const struct ns_tx_rule silent = {false, false, NS_NEXT_OTHER_GATEWAY, NS_DROP_TX_SILENT};

const struct ns_tx_rule *ns_tx_rule_of(const struct gw_tx_ack *ack)
{
	return ack->result == GW_TX_NO_ANSWER && ack->cause[0] ? &silent : ns_tx_rule(ack->result);
}

const struct ns_tx_rule *ns_tx_rule(enum gw_tx_result result)
{
	ASSERT((int)result >= 0 && result < GW_TX_RESULT_COUNT);
	return &rows[result];
}
