#include "network-server/verdict.h"

#include "common/base/check.h"

#define ROW(name, level, sentence)                \
	{                                         \
		name, LOG_LEVEL_##level, sentence \
	}

static const struct ns_verdict rows[NS_DROP_COUNT] = {
	[NS_ACCEPTED] = ROW("accepted", DEBUG, "The frame was accepted."),
	[NS_DROP_CRC] = ROW("crc", DEBUG, "The gateway says that the frame's CRC was bad."),
	[NS_DROP_MALFORMED] = ROW("malformed", DEBUG, "The bytes are not a LoRaWAN frame."),
	[NS_DROP_PROPRIETARY] = ROW("proprietary", DEBUG, "A proprietary frame; no flow takes it."),
	[NS_DROP_DOWNLINK_FRAME] = ROW("downlink_frame", DEBUG, "A gateway reported a downlink frame."),
	[NS_DROP_REJOIN] = ROW("rejoin", INFO, "A rejoin-request; devices that send it join anew instead."),
	[NS_DROP_UNKNOWN_GATEWAY] = ROW("unknown_gateway", DEBUG, "The gateway is not registered."),
	[NS_DROP_FOREIGN_DEV_ADDR] = ROW("foreign_dev_addr", DEBUG, "The address is another network's."),
	[NS_DROP_FOREIGN_JOIN_EUI] = ROW("foreign_join_eui", DEBUG, "The JoinEUI is not one of ours."),
	[NS_DROP_DEDUP_FULL] = ROW("dedup_full", WARN, "Too many frames in one deduplication window."),
	[NS_DROP_COPY] = ROW("copy", DEBUG, "One more copy of a frame in its window."),
	[NS_DROP_LATE_COPY] = ROW("late_copy", DEBUG, "A copy of a frame that came after its window."),
	[NS_DROP_UNKNOWN_DEV_ADDR] = ROW("unknown_dev_addr", DEBUG, "No session has this address."),
	[NS_DROP_REGION] = ROW("region", INFO, "The gateway's region is not that of the device's profile."),
	[NS_DROP_DATA_RATE] = ROW("data_rate", INFO, "The modulation is no data rate of the region."),
	[NS_DROP_MIC] = ROW("mic", INFO, "No session with this address has a key that fits the MIC."),
	[NS_DROP_FCNT_OLD] = ROW("fcnt_old", INFO, "The counter was used before: a replay or a late frame."),
	[NS_DROP_FCNT_GAP] = ROW("fcnt_gap", WARN, "The counter jumped further than MAX_FCNT_GAP."),
	[NS_DROP_FCNT_EXHAUSTED] = ROW("fcnt_exhausted", WARN, "The uplink counter is used up: re-join."),
	[NS_DROP_FCNT_RESET] = ROW("fcnt_reset", WARN,
				   "The device restarted its counters; that is not allowed."),
	[NS_DROP_DEVICE_DISABLED] = ROW("device_disabled", INFO, "The device is registered, not approved."),
	[NS_DROP_REPEATED] = ROW("repeated", DEBUG, "A repeat of the last frame: answered, not delivered."),
	[NS_DROP_REPEAT_LIMIT] = ROW("repeat_limit", INFO, "The frame was repeated more often than allowed."),
	[NS_DROP_LATE_REFUSED] = ROW("late_refused", INFO, "A late frame that the profile does not allow."),
	[NS_DROP_JOURNAL_FULL] = ROW("journal_full", ERROR,
				     "The journal is at its limit: nothing is accepted."),
	[NS_DROP_OUTBOX_FULL] = ROW("outbox_full", WARN, "More in one turn than the outbox holds."),
	[NS_DROP_JOIN_UNKNOWN_DEVICE] = ROW("join_unknown_device", INFO, "No device with this DevEUI."),
	[NS_DROP_JOIN_EUI_DIFFERS] = ROW("join_eui_differs", INFO,
					 "The device is registered with another JoinEUI."),
	[NS_DROP_JOIN_NOT_OTAA] = ROW("join_not_otaa", INFO, "The device is registered for ABP."),
	[NS_DROP_JOIN_REPEATED] = ROW("join_repeated", INFO, "The same join-request was sent once more."),
	[NS_DROP_JOIN_FULL] = ROW("join_full", WARN, "Too many joins are waiting for the join server."),
	[NS_DROP_JOIN_NO_ADDRESS] = ROW("join_no_address", ERROR,
					"No free address was found in the prefixes."),
	[NS_DROP_JOIN_TIMEOUT] = ROW("join_timeout", WARN, "The join server did not answer in time."),
	[NS_DROP_JOIN_REFUSED] = ROW("join_refused", INFO, "The join server refused the join."),
	[NS_DROP_JOIN_BAD_ANSWER] = ROW("join_bad_answer", WARN, "The join server's answer is not usable."),
	[NS_DROP_SESSIONS_FULL] = ROW("sessions_full", ERROR, "The table of sessions is full."),
	[NS_DROP_DOWNLINK_FULL] = ROW("downlink_full", WARN, "Too many downlinks are in flight."),
	[NS_DROP_NO_GATEWAY] = ROW("no_gateway", INFO, "No gateway can reach the device."),
	[NS_DROP_TOO_LATE] = ROW("too_late", INFO, "Every receive window had passed."),
	[NS_DROP_DUTY_CYCLE] = ROW("duty_cycle", INFO, "No gateway has airtime left in the sub-band."),
	[NS_DROP_FCNT_DOWN_EXHAUSTED] = ROW("fcnt_down_exhausted", WARN,
					    "The downlink counter is used up: re-join."),
	[NS_DROP_SEAL_TIMEOUT] = ROW("seal_timeout", WARN,
				     "The item was not sealed in 20 ms; it stays first."),
	[NS_DROP_SEAL_REFUSED] = ROW("seal_refused", INFO, "The application server would not seal the item."),
	[NS_DROP_ATTEMPTS_SPENT] = ROW("attempts_spent", INFO, "No attempt is left that can still be made."),
	[NS_DROP_UNKNOWN_TX_ACK] = ROW("unknown_tx_ack", DEBUG, "An answer to a downlink that is over."),
	[NS_DROP_MAC_UNKNOWN] = ROW("mac_unknown", INFO,
				    "A MAC command that is not known; the rest is skipped."),
	[NS_DROP_MAC_UNEXPECTED] = ROW("mac_unexpected", DEBUG,
				       "An answer to a MAC request that is not pending."),
	[NS_DROP_TIME_UNKNOWN] = ROW("time_unknown", INFO,
				     "No clock is good enough to answer DeviceTimeReq."),
	[NS_DROP_ITEM_UNKNOWN_DEVICE] = ROW("item_unknown_device", INFO,
					    "A downlink item for no device of ours."),
	[NS_DROP_ITEM_INVALID] = ROW("item_invalid", INFO,
				     "A downlink item with an impossible port or length."),
	[NS_DROP_ITEM_QUEUE_FULL] = ROW("item_queue_full", INFO, "The device's queue of downlinks is full."),
	[NS_DROP_STATE_OUT_OF_ORDER] = ROW("state_out_of_order", WARN,
					   "A record outside a run or out of order."),
	[NS_DROP_STATE_INVALID] = ROW("state_invalid", WARN, "A record with a value outside its range."),
	[NS_DROP_STATE_FULL] = ROW("state_full", ERROR, "No room for one more record of this kind."),
	[NS_DROP_STATE_KEY] = ROW("state_key", WARN, "A session key that our box key does not open."),
	[NS_DROP_CALLER] = ROW("caller", WARN, "A user that may not connect as what it says it is."),
	[NS_DROP_PROTOCOL] = ROW("protocol", WARN, "A message that its sender may not send now."),
};

const struct ns_verdict *ns_verdict(enum ns_drop drop)
{
	ASSERT((int)drop >= 0 && drop < NS_DROP_COUNT);
	ASSERT(rows[drop].name);
	return &rows[drop];
}
