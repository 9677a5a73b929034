/* Why a downlink, an item, a MAC command or a record was not taken. Numbers of the attempts that a gateway refused: a
 * frequency, bl how many ms before its start it was handed over, c0 which attempt, c1 the window. */
#include "network-server/why/book.h"

#define ATTEMPT                                                                                           \
	" Attempt {attempt:c0}, {window:c1:word} on {freq_hz:a:hz}; handed over {ahead_ms:bl:signed} ms " \
	"before its "                                                                                     \
	"start."
#define TX(name, level, said, next) \
	NS_RULE_WORDS(name, level, "{gateway} " said ATTEMPT, next, ns_word_windows)

static const char *const roles[] = {"gateway-bridge", "application-server", NULL};
static const char *const messages[] = {"a message that is malformed, or that this role may not send, kind",
				       "word of an event that was never sent, row",
				       "a message with a value outside its range, passed over, kind", NULL};

#define ROW(drop) [(drop)-NS_DROP_SECOND]

const struct decision_rule ns_drop_rules_down[NS_DROP_COUNT - NS_DROP_SECOND] = {
	ROW(NS_DROP_DOWNLINK_FULL) = NS_RULE(
		"downlink_full", WARN, "{downlinks:a:count downlink} are in flight, which is the most.", ""),
	ROW(NS_DROP_NO_GATEWAY) = NS_RULE(
		"no_gateway", INFO,
		"No gateway can send to the device: of {hearers:a0:count gateway} that heard it {offline:a1} "
		"are not "
		"connected; {too_long:a2:count window} cannot hold the {length:bl:bytes}.",
		"See whether the gateways are online: lamppost gateway list."),
	ROW(NS_DROP_TOO_LATE) = NS_RULE(
		"too_late", INFO,
		"Every receive window had passed: the last one starts in {left_ms:a:signed} ms, and a "
		"gateway needs "
		"{lead_ms:b:ms}.",
		"A slow backhaul: raise RxDelay (rx_delay_s), or see why the frame came so late."),
	ROW(NS_DROP_DUTY_CYCLE) = NS_RULE(
		"duty_cycle", INFO,
		"No gateway has airtime left: {gateway} has used {used_s:bl:s} of {limit_s:bh:s} in the hour "
		"around "
		"{freq_hz:a:hz}, and the frame needs {airtime_ms:c:ms}.",
		"Fewer confirmed uplinks and commands, or another gateway near the device."),
	ROW(NS_DROP_GATEWAYS_BUSY) = NS_RULE("gateways_busy", INFO,
					     "Every gateway that hears the device sends another frame then; "
					     "{gateway} at {freq_hz:a:hz}, for "
					     "{airtime_ms:c:ms}.",
					     "Often: a further gateway in the area."),
	ROW(NS_DROP_FCNT_DOWN_EXHAUSTED) = NS_RULE(
		"fcnt_down_exhausted", WARN, "The downlink counter is used up at {fcnt:a}.",
		"Make the device join again; an ABP device needs new keys."),
	ROW(NS_DROP_SEAL_TIMEOUT) = NS_RULE(
		"seal_timeout", WARN,
		"{item} was not encrypted in {limit_ms:c:ms}: its frame leaves without it under counter "
		"{fcnt:a}, the item "
		"stays first.",
		"Often: the application server is overloaded; see its commit time."),
	ROW(NS_DROP_SEAL_REFUSED) = NS_RULE(
		"seal_refused", INFO,
		"The application server would not encrypt {item} under counter {fcnt:a}.",
		"The item's own state tells the application server's word."),
	ROW(NS_DROP_ATTEMPTS_SPENT) = NS_RULE("attempts_spent", INFO,
					      "No attempt is left for {frame} after {attempts:a0:count "
					      "attempt}; the last one: {cause:c:rule}.",
					      ""),
	ROW(NS_DROP_UNKNOWN_TX_ACK) = NS_RULE(
		"unknown_tx_ack", DEBUG,
		"{gateway} answered for a downlink that is over, number {downlink:a:hex}.",
		"Often: it answers later than a second after its frame's end."),

	ROW(NS_DROP_TX_TOO_LATE) = TX(
		"tx_too_late", INFO_GOING, "got the frame too late.",
		"Now and then is no harm. Often: a slow backhaul; raise RxDelay (rx_delay_s)."),
	ROW(NS_DROP_TX_TOO_EARLY) = TX("tx_too_early", INFO, "got the frame earlier than it keeps frames.",
				       "Its clock jumped, or its forwarder is old."),
	ROW(NS_DROP_TX_COLLISION_PACKET) = TX("tx_collision_packet", INFO_GOING,
					      "sends another frame at that time.",
					      "Does another network server send through it?"),
	ROW(NS_DROP_TX_COLLISION_BEACON) = TX("tx_collision_beacon", INFO_GOING,
					      "sends a beacon at that time.", ""),
	ROW(NS_DROP_TX_FREQ) = TX(
		"tx_freq", WARN, "cannot send on that frequency.",
		"Correct tx_freq_min and tx_freq_max in its configuration: lamppost gateway config."),
	ROW(NS_DROP_TX_POWER) = TX("tx_power", WARN, "cannot send with that power.",
				   "Complete its table of powers (tx_lut): lamppost gateway config."),
	ROW(NS_DROP_TX_GPS_UNLOCKED) = TX("tx_gps_unlocked", INFO, "has no GPS time.",
					  "See its GPS antenna; class B needs it."),
	ROW(NS_DROP_TX_QUEUE_FULL) = TX("tx_queue_full", INFO_GOING, "has no room in its queue of frames.",
					""),
	ROW(NS_DROP_TX_DUTY_CYCLE) = TX("tx_duty_cycle", INFO, "says that it has no airtime left.",
					"Does another network server send through it?"),
	ROW(NS_DROP_TX_IGNORED) = TX("tx_ignored", WARN, "ignored the frame.", "See its own log."),
	ROW(NS_DROP_TX_NO_PATH) = TX(
		"tx_no_path", INFO, "could not be reached: the bridge knows no address of it.",
		"It went offline a moment ago, or sends no PULL_DATA (lamppost gateway show EUI)."),
	ROW(NS_DROP_TX_SILENT) = TX("tx_silent", INFO,
				    "did not say that it sent the frame, as it does with all that it sends.",
				    "Too late, a collision or its limits, or its connection broke (lamppost "
				    "why gateway EUI); see its own log."),
	ROW(NS_DROP_TX_OTHER) = TX("tx_other", WARN, "gave a cause that is not known.", "See its own log."),

	ROW(NS_DROP_MAC_UNKNOWN) = NS_RULE(
		"mac_unknown", INFO_GOING,
		"MAC command {cid:a0:hex} is not known or cut short; the rest of the {length:a1:bytes} is "
		"skipped.",
		"A command of the device's maker, or broken firmware; its data are not touched."),
	ROW(NS_DROP_MAC_UNEXPECTED) = NS_RULE(
		"mac_unexpected", DEBUG, "An answer or command {cid:a0:hex} that nothing waits for.", ""),
	ROW(NS_DROP_MAC_REPEATED) = NS_RULE(
		"mac_repeated", DEBUG,
		"An answer {cid:a0:hex} that the device repeats until it gets a downlink.", ""),
	ROW(NS_DROP_MAC_IN_CLASS_B) = NS_RULE(
		"mac_in_class_b", INFO_GOING,
		"Command {cid:a0:hex} would change the ping slots of a device that is in class B, and is not "
		"answered.",
		"The device has to leave class B first (TS001 §14.1): its firmware does not."),
	ROW(NS_DROP_MAC_TABLE_FULL) = NS_RULE(
		"mac_table_full", WARN,
		"What the device was told could not be kept: {sets:a:count set} of MAC parameters are in "
		"use, "
		"as many as there can be. It is asked again later.",
		"Devices differ more than any city's do: give devices of one kind one profile."),
	ROW(NS_DROP_TIME_UNKNOWN) = NS_RULE(
		"time_unknown", INFO,
		"A request for the time, {cid:a1:hex}, stays unanswered: none of {receptions:a0:count "
		"reception} has GPS time, or was stamped by a "
		"clock that is in step.",
		"Let NTP discipline the bridge's clock: lamppost doctor."),

	ROW(NS_DROP_ITEM_UNKNOWN_DEVICE) = NS_RULE("item_unknown_device", INFO,
						   "{item} is for {dev_eui:ab:eui}, no device of ours.",
						   "Register the device, or correct the DevEUI."),
	ROW(NS_DROP_ITEM_INVALID) = NS_RULE(
		"item_invalid", INFO,
		"{item} has an impossible port ({fport:a0}) or length ({length:a1:bytes}).",
		"FPort is 1 to 223, the payload not empty and at most 242 bytes."),
	ROW(NS_DROP_ITEM_QUEUE_FULL) = NS_RULE(
		"item_queue_full", INFO, "The device's queue is full with {queued:a0:count item}.",
		"Wait for its uplinks, or flush the queue: lamppost downlink flush."),
	ROW(NS_DROP_ITEMS_FULL) = NS_RULE(
		"items_full", ERROR,
		"The queues of all devices together are full with {queued:a:count item}.",
		"Let items expire: give them an expiry."),
	ROW(NS_DROP_ITEM_AGAIN) = NS_RULE("item_again", DEBUG,
					  "{item} is queued already, or has just been sent.", ""),
	ROW(NS_DROP_ITEM_TOO_LONG) = NS_RULE(
		"item_too_long", INFO,
		"{item} has {length:a0:bytes}; no data rate of the region takes more than {limit:a1}.",
		"Send it in parts."),
	ROW(NS_DROP_ITEM_TOO_LONG_NOW) = NS_RULE("item_too_long_now", INFO,
						 "{item} has {length:a0:bytes}; the windows of this uplink "
						 "hold {limit:a1}. It waits for a faster data rate.",
						 "Send it in parts, or let ADR raise the data rate."),
	ROW(NS_DROP_ITEM_STALE_COUNTER) = NS_RULE(
		"stale_counter", INFO,
		"{item} was encrypted under counter {fcnt:a}; the next one is {next_fcnt:b}.",
		"Encrypt it again under the next counter."),
	ROW(NS_DROP_ITEM_EXPIRED) = NS_RULE("expired", INFO,
					    "{item} expired {late_s:a:s} ago after {tries:c0:count attempt}.",
					    "The device sent no uplink in that time: give the item longer."),
	ROW(NS_DROP_ITEM_FLUSHED) = NS_RULE("flushed", DEBUG, "{item} was taken out of the queue.", ""),
	ROW(NS_DROP_ITEM_NOT_ACKNOWLEDGED) = NS_RULE(
		"not_acknowledged", INFO_GOING,
		"The uplink after {item} does not acknowledge it: try {tries:c0} of {limit:c1}, counter "
		"{fcnt:a}.",
		"It did not hear the frame: see its RX windows and the gateway that sent."),
	ROW(NS_DROP_ITEM_SESSION_ENDED) = NS_RULE(
		"session_ended", INFO_GOING, "The device began a new session while {item} was under way.",
		""),
	ROW(NS_DROP_ITEM_DEVICE_REMOVED) = NS_RULE("device_removed", DEBUG,
						   "The device of {item} is no longer registered.", ""),
	ROW(NS_DROP_ITEM_RESTARTED) = NS_RULE(
		"restarted", WARN,
		"The network server restarted; whether {item} was sent under counter {fcnt:a} is not known.",
		"A confirmed item is sent again by itself; see whether an unconfirmed one is to be sent "
		"again."),

	ROW(NS_DROP_ORDER_UNKNOWN_DEVICE) = NS_RULE(
		"order_unknown_device", INFO,
		"A rejoin was ordered of {dev_eui:ab:eui}, which has not reached the network server.",
		"Order it again in a few seconds; see lamppost status where it stays so."),
	ROW(NS_DROP_ORDER_NO_SESSION) = NS_RULE(
		"order_no_session", INFO,
		"A rejoin of type {type:a0} was ordered, and the device has no session: it cannot be told.",
		"Nothing: a device without a session joins by itself."),
	ROW(NS_DROP_ORDER_NOT_ALLOWED) = NS_RULE(
		"order_not_allowed", INFO,
		"A rejoin of type {type:a0} was ordered, and the device's profile does not answer rejoins of "
		"that type.",
		"To allow it: lamppost profile update SLUG --rejoin all (or keys, for type 2 alone)."),
	ROW(NS_DROP_ORDER_NOT_TAKEN) = NS_RULE(
		"order_not_taken", INFO,
		"A rejoin of type {type:a0} was ordered, and the device's session is one of 1.0, which has "
		"none.",
		"Make the device join anew: a session of 1.1 begins with a join of a device of 1.1."),
	ROW(NS_DROP_STATE_OUT_OF_ORDER) = NS_RULE(
		"state_out_of_order", WARN,
		"A record of version {version:a} outside a run, or after {last:b}.",
		"It is asked for again by itself."),
	ROW(NS_DROP_STATE_INVALID) = NS_RULE(
		"state_invalid", WARN, "The record of version {version:a} has a value outside its range.",
		"A region or profile that this server does not have: see network-server.regions."),
	ROW(NS_DROP_STATE_FULL) = NS_RULE("state_full", ERROR,
					  "There is no room for the record of version {version:a}.",
					  "More records of this kind than the server was started for."),
	ROW(NS_DROP_STATE_KEY) = NS_RULE(
		"state_key", WARN,
		"A session key in the record of version {version:a} does not open with our box key.",
		"Set the device's session keys again; they were sealed to another server's key."),
	ROW(NS_DROP_PROTOCOL) = NS_RULE_WORDS("protocol", WARN, "Refused: {what:c0:word} {number:a}.",
					      "Do all processes have the same version?", messages),
	ROW(NS_DROP_CALLER) = NS_RULE_WORDS("caller", WARN, "User {uid:a} may not connect as {role:c0:word}.",
					    "See network-server.callers in the configuration.", roles),
};
