/* What was decided and is no drop: numbers as each sentence names them. */
#include "network-server/why/book.h"

const struct decision_rule ns_note_rules[NS_NOTE_COUNT] = {
	[NS_NOTE_UPLINK] = NS_RULE("uplink", DEBUG_GOOD,
				   "Counter {fcnt:a} was accepted at {dr:b2:dr}, heard by {gateways:b3:count "
				   "gateway}, best by {gateway} with "
				   "{snr_db:bl:db}, {rssi_dbm:c:dbm}.",
				   ""),
	[NS_NOTE_UPLINK_LATE] = NS_RULE("uplink_late", INFO_GOOD,
					"Counter {fcnt:a} came late by {gateway} and was taken as data "
					"alone, at {dr:b2:dr}, {snr_db:bl:db}, "
					"{rssi_dbm:c:dbm}; {gateways:b3:count gateway} heard it.",
					""),
	[NS_NOTE_UPLINK_TOO_LONG] = NS_RULE(
		"uplink_too_long", INFO,
		"Counter {fcnt:a} is longer than its data rate allows: {length:c0:count byte} of MACPayload, "
		"of {dr:b2:dr} "
		"the region takes {most:c1:count byte}; it was taken all the same.",
		"The device breaks its region's rules, and other gateways may lose such frames: a shorter "
		"payload, or a "
		"min_dr in its profile at which it fits; where it has moved to a slower rate by itself, more "
		"coverage."),
	[NS_NOTE_COUNTERS_RESTARTED] = NS_RULE(
		"counters_restarted", WARN,
		"The device began again at counter {fcnt:a} where {expected:b} was expected; its profile "
		"allows that.",
		"Such a device can be replayed to: better let it join (OTAA). Downlinks go on counting."),
	[NS_NOTE_JOIN_ASKED] = NS_RULE(
		"join_asked", DEBUG,
		"The join server was asked; DevNonce {dev_nonce:c}, heard by {gateways:a3:count gateway}, "
		"best by "
		"{gateway} with {snr_db:al:db} at {dr:a2:dr}. It would be {dev_addr:b:addr}.",
		""),
	[NS_NOTE_JOIN_ASKED_AGAIN] = NS_RULE(
		"join_asked_again", WARN,
		"The join server has not answered and was asked again; {left_ms:a:signed} ms are left. "
		"DevNonce, of a rejoin RJcount, "
		"{dev_nonce:c}.",
		"See whether the join server runs and answers: lamppost doctor."),
	[NS_NOTE_SESSION_JOINED] = NS_RULE("session_joined", INFO_GOING,
					   "The join server accepted DevNonce {dev_nonce:c}: the new session "
					   "{dev_addr:a:addr} waits for its first "
					   "uplink; RxDelay {rx_delay_s:b0:s}, RX2 at {rx2_dr:b1:dr}.",
					   ""),
	[NS_NOTE_REJOIN_ASKED] = NS_RULE(
		"rejoin_asked", DEBUG,
		"The join server was asked for a rejoin of type {type:a3h}; RJcount {rj_count:c}, heard by "
		"{gateways:a3l:count gateway}, best by {gateway} with {snr_db:al:db} at {dr:a2:dr}. It would "
		"be "
		"{dev_addr:b:addr}.",
		""),
	[NS_NOTE_SESSION_REJOINED] = NS_RULE(
		"session_rejoined", INFO_GOING,
		"The join server accepted a rejoin of type {type:b2} with RJcount {rj_count:c}: the new "
		"session "
		"{dev_addr:a:addr} waits for its first uplink, until when the one before goes on; RxDelay "
		"{rx_delay_s:b0:s}, RX2 at {rx2_dr:b1:dr}.",
		""),
	[NS_NOTE_REJOIN_ORDERED] = NS_RULE(
		"rejoin_ordered", INFO_GOING,
		"A rejoin of type {type:a0} was ordered, with at most {retries:a1:count repeat} and period "
		"{period:a2}, data "
		"rate {dr:a3:dr or none}: it goes with the answer to the device's next uplink.",
		"A class A device hears it after its next uplink: see lamppost why device EUI then."),
	[NS_NOTE_SESSION_ENTERED] = NS_RULE("session_entered", INFO_GOOD,
					    "The first uplink, counter {fcnt:b}, under the session "
					    "{dev_addr:a:addr}: the one before it is over.",
					    ""),
	[NS_NOTE_SESSION_ABP] = NS_RULE(
		"session_abp", INFO_GOOD,
		"An ABP session {dev_addr:a:addr} begins at counter {fcnt:b}, as the device's record says.",
		""),
	[NS_NOTE_DEVICE_CLASS_A] = NS_RULE(
		"device_class_a", INFO_GOOD,
		"With counter {fcnt:a} the device says that it works in class A; it was confirmed.", ""),
	[NS_NOTE_DEVICE_CLASS_C] = NS_RULE(
		"device_class_c", INFO_GOING,
		"With counter {fcnt:a} the device says that it works in class C, and was confirmed; class C "
		"is not served yet.",
		"Its downlinks wait for its uplinks, as in class A."),
	[NS_NOTE_PLANNED] = NS_RULE_WORDS(
		"downlink_planned", DEBUG,
		"{frame} goes to {gateway} for {window:c1:word} at {dr:c0l:dr} on {freq_hz:a:hz}, "
		"{left_ms:bh:ms} ahead: the "
		"best of {ways:b1:count way}, worth {worth_db:b0:signed} dB; attempt {attempt:c0h}.",
		"", ns_word_windows),
	[NS_NOTE_SENT] = NS_RULE(
		"downlink_sent", DEBUG_GOOD,
		"{gateway} took {frame}, downlink counter {fcnt:a:number or none}, and said so "
		"after {latency_ms:bl:ms}; "
		"{airtime_ms:bh:ms} on the air.",
		""),
	[NS_NOTE_SENT_SILENTLY] = NS_RULE("downlink_sent_silently", DEBUG,
					  "{gateway} said nothing of {frame}, downlink counter "
					  "{fcnt:a:number or none}, until {waited_ms:bl:ms} after its "
					  "start: counted as sent, {airtime_ms:bh:ms} on the air.",
					  "Always, and the device hears nothing: a forwarder of version 1, "
					  "or a gateway that does not transmit."),
	[NS_NOTE_HELD_FOR_GATEWAY] = NS_RULE(
		"downlink_held", DEBUG,
		"{frame} came too early for {gateway}: the same attempt again in {wait_ms:a:ms}.", ""),
	[NS_NOTE_OTHER_WINDOWS] = NS_RULE(
		"other_windows", INFO,
		"{unheard:c1:count uplink} with ADRACKReq answered in vain: the device's other windows are "
		"tried, RxDelay {rx_delay_s:b0:s}, RX2 at "
		"{rx2_dr:b1:dr} on {rx2_freq_hz:a:hz}.",
		"An ABP device that lost its power listens in the windows of its record again."),
	[NS_NOTE_OFF_PLAN] = NS_RULE(
		"gateway_off_plan", WARN,
		"{gateway} hears {freq_hz:a:hz}, which is not in its plan: {off:bl} of its "
		"{receptions:bh:count frame} in "
		"{minutes:c:count minute} were outside; its channel configuration differs.",
		"Write the gateway's configuration anew: lamppost gateway config EUI --for lora_pkt_fwd (or "
		"station, "
		"chirpstack); or correct its record: lamppost gateway update EUI --channel-plan 8-15,65."),
	[NS_NOTE_ON_PLAN] = NS_RULE("gateway_on_plan", INFO_GOOD,
				    "{gateway} no longer hears frequencies outside its plan: {off:bl} of its "
				    "{receptions:bh:count frame} in {minutes:c:count minute}.",
				    ""),
	[NS_NOTE_HEARS_OTHERS] = NS_RULE(
		"hears_others", DEBUG,
		"{gateway} works, and its last {receptions:a:count reception} were other networks' frames, "
		"of which no more is kept.",
		"If devices of ours should be near: see whether they send, and on the channels of its plan."),
};
