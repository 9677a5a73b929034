/* The rules of ChirpStack's MQTT flow (bridge_mqtt.h). Numbers of a record: a is the broker's address where the row says FROM. */
#include "gateway-bridge/verdict_rows.h"

#include <stddef.h>

#define RULE(verdict) [verdict - GB_MQTT_VERDICTS]
#define MESSAGE       "A message of {length:b:bytes} by the broker at " FROM " was refused: "
#define NOT_SENT      "A downlink for {gateway} on {freq_hz:a:hz} was not sent: "
#define MQTT_IS_WRONG "The gateway's MQTT forwarder writes what its interface does not have: update it."

/* What a gateway says of an item, by its number (chirpstack_down.c). */
static const char *const statuses[] = {
	"IGNORED", "OK",       "TOO_LATE",     "TOO_EARLY",  "COLLISION_PACKET", "COLLISION_BEACON",
	"TX_FREQ", "TX_POWER", "GPS_UNLOCKED", "QUEUE_FULL", "INTERNAL_ERROR",   "DUTY_CYCLE_OVERFLOW",
	NULL};

const struct decision_rule gb_mqtt_rules[GB_MQTT_RULES] = {
	RULE(GB_MQTT_TOPIC) = ROW(
		"mqtt_topic", DEBUG,
		"A message of {length:b:bytes} by the broker at " FROM
		" has a topic that names no gateway: not [prefix/]gateway/EUI/event/NAME with 16 lower-case "
		"digits" TIMES ".",
		"See what publishes there; narrow gateway-bridge.mqtt.topic_prefixes if it is not for us."),
	RULE(GB_MQTT_JSON) = ROW(
		"mqtt_json", WARN, MESSAGE "it is JSON, and this bridge reads protobuf alone" TIMES ".",
		"Set the marshaler of the gateway's forwarder to protobuf: json=false in ChirpStack MQTT "
		"Forwarder, marshaler=protobuf in ChirpStack Gateway Bridge."),
	RULE(GB_NOT_PROTOBUF) = ROW("not_protobuf", INFO,
				    MESSAGE "it is not the protobuf that its topic calls for" TIMES ".",
				    MQTT_IS_WRONG),
	RULE(GB_ID_DIFFERS) = ROW(
		"id_differs", WARN,
		MESSAGE "its topic is that of {gateway}, and its body names another gateway" TIMES ".",
		"Somebody publishes in another gateway's name: see which user of the broker may write to "
		"this topic. Or the gateway's forwarder has two identities: set it up anew."),
	RULE(GB_MQTT_UNUSED) = ROW("mqtt_unused", DEBUG,
				   "A message of {length:b:bytes} of {gateway} is of a kind that nothing is "
				   "done about" TIMES ".",
				   ""),
	RULE(GB_MQTT_NOT_ALLOWED) = ROW(
		"mqtt_not_allowed", WARN,
		"{gateway} is not registered for MQTT: its message by the broker at " FROM
		" was dropped" TIMES ".",
		"If it is to come by MQTT: lamppost gateway update EUI --accept-mqtt true. If not, see who "
		"publishes with its EUI."),
	RULE(GB_OTHER_PROTOCOL) = ROW("other_protocol", WARN,
				      "{gateway} is heard by two protocols at once, the second from " FROM
				      ": what came by the second was dropped" TIMES ".",
				      "Two gateways have this EUI, two forwarders run on one gateway, or "
				      "somebody uses its EUI. Let "
				      "its record accept one protocol alone: lamppost gateway update EUI."),
	RULE(GB_MQTT_RETAINED) = ROW(
		"mqtt_retained", WARN,
		"An event of {gateway} was dropped: the broker at " FROM
		" had kept it ({length:b:bytes}), from a time that nobody knows" TIMES ".",
		"Let the forwarder publish events without the retain flag; delete what the broker keeps: "
		"mosquitto_pub --retain --null-message --topic TOPIC."),
	RULE(GB_MQTT_ONLINE) = ROW("mqtt_online", INFO_GOOD,
				   "{gateway} is heard by MQTT, by the broker at " FROM ".", ""),
	RULE(GB_MQTT_OFFLINE) = ROW("mqtt_offline", WARN,
				    "The broker at " FROM
				    " says that {gateway} has left: its connection there has ended after "
				    "{up_s:b:s}.",
				    "Check its power and its network."),
	RULE(GB_MQTT_PREFIX_MOVED) = ROW(
		"mqtt_prefix_moved", INFO_GOING,
		"{gateway} is now heard under another topic prefix, by the broker at " FROM
		"; move number {moves:c}.",
		""),
	RULE(GB_MQTT_ALTERNATES) = ROW(
		"mqtt_alternates", WARN,
		"{gateway} is heard under two topic prefixes in turn, by the broker at " FROM
		", {moves:b:count move}: two gateways with one EUI, or a forger.",
		"Look for a second gateway with this EUI; give each its own. Name in "
		"gateway-bridge.mqtt.topic_prefixes those alone that are yours."),
	RULE(GB_MQTT_TWO_COUNTERS) = ROW(
		"mqtt_two_counters", WARN,
		"{gateway}, by the broker at " FROM ", counts to and fro between two counters "
		"({moves:b:count jump} back): two gateways with one EUI, or a forger.",
		"Look for a second gateway with this EUI; give each its own, and its own user at the broker. "
		"If there is one alone, it restarts again and again: check its power."),
	RULE(GB_MQTT_SETTLED) = ROW(
		"mqtt_settled", INFO_GOOD,
		"{gateway} has been heard under one topic prefix, by one counter, for a minute "
		"again, by the broker at " FROM ".",
		""),
	RULE(GB_MQTT_NOT_SUBSCRIBED) = ROW(
		"mqtt_not_subscribed", ERROR,
		"The MQTT broker at " FROM " refused {subscriptions:b:count subscription} of ours: gateways "
		"are not heard though it is reached" TIMES ".",
		"Let the user of gateway-bridge.mqtt.username read [prefix/]gateway/+/event/+ and "
		"[prefix/]gateway/+/state/+ at the broker, then restart the bridge."),
	RULE(GB_MQTT_BROKER_AWAY) = ROW(
		"mqtt_broker_away", ERROR,
		"The MQTT broker at " FROM " is not reached: {gateways:b:count gateway} cannot be heard or "
		"reached until it is.",
		"See that the broker runs and lets us in: gateway-bridge.mqtt, and the broker's log. The "
		"gateways themselves need nothing."),
	RULE(GB_MQTT_BROKER_BACK) = ROW("mqtt_broker_back", INFO_GOOD,
					"The MQTT broker at " FROM " is reached again after {away_s:b:s}.",
					""),
	RULE(GB_CONTEXT_TOO_LONG) = ROW("context_too_long", INFO,
					"A frame of {gateway} came with a context of more than "
					"{limit:b:bytes}: taken, and not answered "
					"by it" TIMES ".",
					MQTT_IS_WRONG),
	RULE(GB_CONTEXT_GONE) = ROW(
		"context_gone", WARN,
		NOT_SENT
		"the uplink that it answers is not among the last {kept:b} whose context is kept" TIMES ".",
		"The gateway has restarted since, or hears very much: see lamppost gateway show EUI."),
	RULE(GB_MQTT_NO_PATH) = ROW(
		"mqtt_no_path", WARN,
		NOT_SENT "it was last heard {heard_s:b:s or none} ago, of 90 s at most, or not since the "
			 "broker came back" TIMES ".",
		"Check the gateway's network; its statistics must come every 30 s (stats_interval)."),
	RULE(GB_MQTT_NOT_TAKEN) = ROW(
		"mqtt_not_taken", ERROR,
		"A downlink for {gateway} was not sent: the connection to the broker at " FROM
		" takes no more" TIMES ".",
		"The broker is too slow, or the line to it: see its log."),
	RULE(GB_MQTT_ITEM_REFUSED) =
		{"mqtt_item_refused", DECISION_AS_INFO,
		 "{gateway} refused attempt {attempt:a} of a downlink ({cause:b:word}) and took the next of "
		 "the "
		 "list" TIMES ".",
		 "See why its first window is not taken: its line is slow, or it sends too much.", statuses},
	RULE(GB_MQTT_ACK_UNASKED) = ROW(
		"mqtt_ack_unasked", DEBUG,
		"An acknowledgement of {gateway} is of a downlink ({id:b:hex}) that nobody waits for: late, "
		"repeated or forged" TIMES ".",
		""),
	RULE(GB_MQTT_NO_ACK) = ROW(
		"mqtt_no_ack", DEBUG,
		"{gateway} acknowledged no downlink in {waited_ms:b:ms}, until a second after "
		"the frame's time: counted as sent" TIMES ".",
		"See that the gateway may publish to its event/ack topic."),
};
