/* Why the bridge did not do what a datagram, or an entry of one, asked for. Refusals by the world are
 * verdicts, never errors: each is one row of a table with its name, the level at which it is logged
 * (rate-limited, by the edge), the sentence with its numbers that people read, and what they do next
 * (common/base/decision_text.h). The core counts every verdict; /metrics shows the counters as
 * lamppost_bridge_verdicts_total{verdict="NAME"}; decisions.h keeps them by gateway. */
#ifndef LAMPPOST_BRIDGE_VERDICTS_H
#define LAMPPOST_BRIDGE_VERDICTS_H

#include "common/base/decision_text.h"

enum gb_verdict {
	GB_ACCEPTED,
	/* the header */
	GB_TRUNCATED,
	GB_BAD_VERSION,
	GB_BAD_IDENTIFIER,
	GB_WRONG_DIRECTION,
	GB_BAD_LENGTH,
	/* limits */
	GB_RATE_EUI,
	GB_RATE_FRAMES,
	GB_RATE_UNKNOWN,
	/* who it is */
	GB_UNKNOWN_GATEWAY,
	GB_UNKNOWN_LIST_FULL,
	GB_FOREIGN_SOURCE,
	GB_UDP_NOT_ALLOWED,
	/* the body as a whole */
	GB_NOT_JSON,
	GB_BAD_UTF8,
	GB_TOO_DEEP,
	GB_NOT_AN_OBJECT,
	GB_DUPLICATE_MEMBER,
	GB_RXPK_NOT_AN_ARRAY,
	GB_STAT_NOT_AN_OBJECT,
	/* one entry */
	GB_ENTRY_NOT_AN_OBJECT,
	GB_WRONG_TYPE,
	GB_OUT_OF_RANGE,
	GB_MISSING_MEMBER,
	GB_BAD_FREQUENCY,
	GB_BAD_MODULATION,
	GB_BAD_DATA_RATE,
	GB_BAD_CODING_RATE,
	GB_BAD_BASE64,
	GB_TOO_LONG,
	GB_SIZE_DIFFERS,
	/* accepted, and not forwarded by policy */
	GB_EMPTY_PAYLOAD,
	GB_CRC_BAD,
	GB_BEYOND_RADIO,
	/* TX_ACK */
	GB_TX_ACK_UNASKED,
	GB_TX_ACK_FOREIGN,
	/* what was seen of a gateway */
	GB_GATEWAY_MOVED,
	GB_GATEWAY_FLAPPING,
	GB_GATEWAY_SETTLED,
	GB_GATEWAY_RESTARTED,
	GB_TICKS_JUMPED,
	GB_GATEWAY_SILENT,
	/* downlinks */
	GB_NO_PATH,
	GB_TOO_MANY_IN_FLIGHT,
	GB_NO_TX_ACK,
	/* towards the network server */
	GB_RING_FULL,
	GB_RING_EXPIRED,
	GB_JOIN_TOO_OLD,
	GB_REPORT_REFUSED,
	GB_LIST_REFUSED,
	GB_MESSAGE_REFUSED,
	GB_OUTBOX_FULL,
	/* a message of a Basics Station */
	GB_UNKNOWN_MESSAGE,
	GB_BAD_EUI,
	GB_BAD_HEX,
	GB_BAD_FRAME,
	/* who it is, by what it presents (identity.h) */
	GB_CERTIFICATE_FOREIGN,
	GB_CERTIFICATE_VOID,
	GB_CERTIFICATE_EXPIRED,
	GB_TOKEN_WRONG,
	GB_CREDENTIAL_NOT_ALLOWED,
	GB_CREDENTIAL_MISSING,
	/* ChirpStack over MQTT: their rules are a table of their own (verdicts_mqtt.c) */
	GB_MQTT_TOPIC,
	GB_MQTT_JSON,
	GB_NOT_PROTOBUF,
	GB_ID_DIFFERS,
	GB_MQTT_UNUSED,
	GB_MQTT_NOT_ALLOWED,
	GB_OTHER_PROTOCOL,
	GB_MQTT_RETAINED,
	GB_MQTT_ONLINE,
	GB_MQTT_OFFLINE,
	GB_MQTT_PREFIX_MOVED,
	GB_MQTT_ALTERNATES,
	GB_MQTT_TWO_COUNTERS,
	GB_MQTT_SETTLED,
	GB_MQTT_NOT_SUBSCRIBED,
	GB_MQTT_BROKER_AWAY,
	GB_MQTT_BROKER_BACK,
	GB_CONTEXT_TOO_LONG,
	GB_CONTEXT_GONE,
	GB_MQTT_NO_PATH,
	GB_MQTT_NOT_TAKEN,
	GB_MQTT_ITEM_REFUSED,
	GB_MQTT_ACK_UNASKED,
	GB_MQTT_NO_ACK,
	/* Basics Station: the last, since their rules are a table of their own (verdicts_station.c) */
	GB_STATION_DISCOVERED,
	GB_STATION_CONNECTED,
	GB_STATION_ENDED,
	GB_STATION_BROKE,
	GB_STATION_NO_PONG,
	GB_STATION_SLOW_READER,
	GB_STATION_LONG_MESSAGE,
	GB_STATION_NOT_WEBSOCKET,
	GB_STATION_REPLACED,
	GB_STATION_ALTERNATES,
	GB_STATION_SETTLED,
	GB_STATION_FLOODS,
	GB_STATION_NO_VERSION,
	GB_STATION_OUT_OF_TURN,
	GB_STATION_REGION,
	GB_STATION_PLAN,
	GB_STATION_NO_URL,
	GB_STATIONS_FULL,
	GB_STATION_CHANGED,
	GB_STATION_STOPPED,
	GB_STATION_CLOCK_BACK,
	GB_STATION_CLOCK_JUMPED,
	GB_STATION_NO_XTIME,
	GB_STATION_NO_TIME,
	GB_STATION_EVENT,
	GB_STATION_ERROR,
	GB_STATION_UNUSED,
	GB_STATION_CONTEXT_GONE,
	GB_STATION_CANNOT_SEND,
	GB_STATION_CUT,
	GB_NO_DNTXED,
	GB_DNTXED_UNASKED,
	GB_STATION_REMOTE,
	GB_VERDICT_COUNT
};
#define GB_STATION_VERDICTS GB_STATION_DISCOVERED /* the first of that table */
#define GB_MQTT_VERDICTS    GB_MQTT_TOPIC
#define GB_MQTT_RULES       (GB_STATION_VERDICTS - GB_MQTT_VERDICTS)

/* How a gateway is at the moment that somebody asks: the first that holds of each group. */
enum gb_present {
	/* how it is */
	GB_NOW_UNREGISTERED,
	GB_NOW_OTHER_PROTOCOL,
	GB_NOW_NEVER_HEARD,
	GB_NOW_SILENT,
	GB_NOW_FLAPPING,
	GB_NOW_STATION_ALTERNATES,
	GB_NOW_MQTT_ALTERNATES,
	GB_NOW_NO_PATH,
	GB_NOW_ONLINE,
	GB_NOW_STATION,
	GB_NOW_MQTT,
	/* its PULL_DATA, which opens the way for downlinks */
	GB_NOW_PULLED,
	GB_NOW_NEVER_PULLED,
	/* its PUSH_DATA, which brings frames */
	GB_NOW_PUSHED,
	GB_NOW_NEVER_PUSHED,
	/* what was lost of it since the bridge started */
	GB_NOW_CRC,
	GB_NOW_DROPPED,
	GB_PRESENT_COUNT
};

/* The tables, by the number that a record has. */
enum gb_table { GB_TABLE_VERDICTS, GB_TABLE_PRESENT, GB_TABLE_STATION, GB_TABLE_MQTT, GB_TABLE_COUNT };
extern const struct decision_book gb_rules;

/* For verdicts.c: the rules from GB_STATION_VERDICTS on. */
extern const struct decision_rule gb_station_rules[];
/* And those of MQTT, before them. */
extern const struct decision_rule gb_mqtt_rules[];

/* Names the rule of a verdict in a record. */
void gb_verdict_record(enum gb_verdict verdict, struct decision *decision);
/* Lends the row; asserts on a value outside the enum. */
const struct decision_rule *gb_verdict_row(enum gb_verdict verdict);
const char *gb_verdict_name(enum gb_verdict verdict);

#endif
