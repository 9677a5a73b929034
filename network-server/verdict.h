/* What the network server says when the world's frame, message or request is not taken: one enum, one rule each
 * (network-server/why/drop_rules_*.c: name, log level, sentence with its numbers, what a person does next). The counter of
 * a verdict is `ns->drops[verdict]`; the name is the label of its metric, the sentence is what `lamppost why` prints.
 * Nothing is dropped without one of these (invariants 7 and 10). What is decided and is no drop has rules of its own
 * (network-server/why/book.h). */
#ifndef LAMPPOST_NETWORK_SERVER_VERDICT_H
#define LAMPPOST_NETWORK_SERVER_VERDICT_H

#include "common/base/decision_text.h"

enum ns_drop {
	NS_ACCEPTED, /* not a drop: the frame went on */
	/* receptions */
	NS_DROP_CRC,
	NS_DROP_MALFORMED,
	NS_DROP_PROPRIETARY,
	NS_DROP_DOWNLINK_FRAME,
	NS_DROP_UNKNOWN_GATEWAY,
	NS_DROP_FOREIGN_DEV_ADDR,
	NS_DROP_FOREIGN_JOIN_EUI,
	NS_DROP_FOREIGN_REJOIN,
	NS_DROP_DEDUP_FULL,
	NS_DROP_COPY,
	NS_DROP_LATE_COPY,
	/* data frames */
	NS_DROP_UNKNOWN_DEV_ADDR,
	NS_DROP_REGION,
	NS_DROP_DATA_RATE,
	NS_DROP_MIC,
	NS_DROP_FCNT_OLD,
	NS_DROP_FCNT_GAP,
	NS_DROP_FCNT_EXHAUSTED,
	NS_DROP_FCNT_RESET,
	NS_DROP_DEVICE_DISABLED,
	NS_DROP_DEVICE_REPLACED,
	NS_DROP_REPEATED,
	NS_DROP_REPEAT_LIMIT,
	NS_DROP_LATE_REFUSED,
	NS_DROP_JOURNAL_FULL,
	NS_DROP_OUTBOX_FULL,
	/* joins */
	NS_DROP_JOIN_UNKNOWN_DEVICE,
	NS_DROP_JOIN_EUI_DIFFERS,
	NS_DROP_JOIN_NOT_OTAA,
	NS_DROP_JOIN_REPEATED,
	NS_DROP_JOIN_FULL,
	NS_DROP_JOIN_NO_ADDRESS,
	NS_DROP_JOIN_TIMEOUT,
	NS_DROP_JOIN_REFUSED,
	NS_DROP_JOIN_BAD_ANSWER,
	NS_DROP_SESSIONS_FULL,
	NS_DROP_JOIN_SERVER_BUSY,    /* another's: as many joins wait for it as may */
	NS_DROP_JOIN_SERVER_SHUNNED, /* another's: it has failed too often */
	NS_DROP_JOIN_STORM,          /* in a join storm no gateway could answer in time */
	NS_DROP_JOIN_IN_FLIGHT,      /* in a join storm: an answer to the device is on its way */
	/* rejoins */
	NS_DROP_REJOIN_NET_ID,
	NS_DROP_REJOIN_VERSION,
	NS_DROP_REJOIN_NOT_ALLOWED,
	NS_DROP_REJOIN_NO_SESSION,
	NS_DROP_REJOIN_MIC,
	NS_DROP_RJ_COUNT,
	/* downlinks */
	NS_DROP_DOWNLINK_FULL,
	NS_DROP_NO_GATEWAY,
	NS_DROP_TOO_LATE,
	NS_DROP_DUTY_CYCLE,
	NS_DROP_GATEWAYS_BUSY,
	NS_DROP_FCNT_DOWN_EXHAUSTED,
	NS_DROP_SEAL_TIMEOUT,
	NS_DROP_SEAL_REFUSED,
	NS_DROP_ATTEMPTS_SPENT,
	NS_DROP_UNKNOWN_TX_ACK,
	/* what gateways say of an attempt; also the cause in an item's events */
	NS_DROP_TX_TOO_LATE,
	NS_DROP_TX_TOO_EARLY,
	NS_DROP_TX_COLLISION_PACKET,
	NS_DROP_TX_COLLISION_BEACON,
	NS_DROP_TX_FREQ,
	NS_DROP_TX_POWER,
	NS_DROP_TX_GPS_UNLOCKED,
	NS_DROP_TX_QUEUE_FULL,
	NS_DROP_TX_DUTY_CYCLE,
	NS_DROP_TX_IGNORED,
	NS_DROP_TX_NO_PATH,
	NS_DROP_TX_SILENT,
	NS_DROP_TX_OTHER,
	/* MAC commands */
	NS_DROP_MAC_UNKNOWN,
	NS_DROP_MAC_UNEXPECTED,
	NS_DROP_MAC_REPEATED,
	NS_DROP_MAC_IN_CLASS_B,
	NS_DROP_MAC_TABLE_FULL,
	NS_DROP_TIME_UNKNOWN,
	/* messages of the application server */
	NS_DROP_ITEM_UNKNOWN_DEVICE,
	NS_DROP_ITEM_INVALID,
	NS_DROP_ITEM_QUEUE_FULL,
	NS_DROP_ITEMS_FULL,
	NS_DROP_ITEM_AGAIN,
	NS_DROP_ITEM_TOO_LONG,
	NS_DROP_ITEM_TOO_LONG_NOW,
	NS_DROP_ITEM_STALE_COUNTER,
	NS_DROP_ITEM_EXPIRED,
	NS_DROP_ITEM_FLUSHED,
	NS_DROP_ITEM_NOT_ACKNOWLEDGED,
	NS_DROP_ITEM_SESSION_ENDED,
	NS_DROP_ITEM_DEVICE_REMOVED,
	NS_DROP_ITEM_RESTARTED,
	NS_DROP_ORDER_UNKNOWN_DEVICE,
	NS_DROP_ORDER_NO_SESSION,
	NS_DROP_ORDER_NOT_ALLOWED,
	NS_DROP_ORDER_NOT_TAKEN,
	NS_DROP_STATE_OUT_OF_ORDER,
	NS_DROP_STATE_INVALID,
	NS_DROP_STATE_FULL,
	NS_DROP_STATE_KEY,
	NS_DROP_PROTOCOL,
	NS_DROP_CALLER,
	NS_DROP_COUNT
};

/* The numbers of a record; its rule says what they are. */
struct ns_numbers {
	uint32_t a, b;
	uint16_t c;
};

/* From here on the rules stand in the second table of drops. */
#define NS_DROP_SECOND NS_DROP_DOWNLINK_FULL

/* Lends the rule; asserts on a value outside the enum. */
const struct decision_rule *ns_verdict(enum ns_drop drop);

#endif
