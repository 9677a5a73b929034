/* Why a reception, a data frame or a join was not taken. Numbers, by group:
 *
 *	receptions    a frequency, bl RSSI, bh SNR, c0 length of the PHYPayload; kept of each gateway's last alone
 *	data frames   as each sentence says; `a` is the 32-bit counter wherever a session is known
 *	joins         c is the DevNonce, of a rejoin RJcount; b0 of a rejoin's own verdicts is its type */
#include "network-server/join_storm.h"
#include "network-server/why/book.h"

#include "common/text/region_yaml.h"

#define HEARD  " Heard on {freq_hz:a:hz} at {rssi_dbm:bl:dbm}, {snr_db:bh:db}, {length:c0:bytes}."
#define NONCE  " DevNonce, of a rejoin RJcount, {dev_nonce:c}."
#define REJOIN "The rejoin of type {type:b0} with RJcount {rj_count:c}"

static const char *const floors[] = {"its limit", "the floor of free disk space", NULL};
static const char *const faults[] = {"it is no join answer",
				     "its keys do not open or its accept is too short", NULL};
/* common/proto/join_report.h, enum net_join_verdict: what a join server's refusal can mean. */
static const char *const refusals[] = {"waiting",
				       "accept_sent",
				       "accepted",
				       "joined",
				       "accept_not_heard",
				       "no_uplink",
				       "unknown_dev_eui",
				       "dev_eui_reversed",
				       "euis_swapped",
				       "join_eui_differs",
				       "join_eui_reversed",
				       "foreign",
				       "not_otaa",
				       "the device is disabled",
				       "no_profile",
				       "wrong_region",
				       "data_rate",
				       "wrong_sub_band",
				       "the MIC is wrong, so the keys differ",
				       "it has no root key of the device",
				       "the DevNonce was used before",
				       "the DevNonce does not increase",
				       "the DevNonce is that of the last join",
				       "the device is not provisioned there",
				       "the JoinNonces are used up",
				       "a cause that is not known",
				       "join_server_not_reached",
				       "join_bad_answer",
				       "journal_full",
				       "no_address",
				       "sessions_full",
				       "busy",
				       "no_gateway",
				       "too_late",
				       "duty_cycle",
				       "gateway_refused",
				       "the device's session is another network's",
				       "its record of the device is of a version before 1.1",
				       "rejoin_not_allowed",
				       "rejoin_no_session",
				       "rejoin_mic",
				       "RJcount1 does not increase",
				       "another's join server says no",
				       "foreign_join_server_not_reached",
				       "foreign_join_bad_answer",
				       "foreign_join_server_busy",
				       "device_replaced",
				       NULL};

const struct decision_rule ns_drop_rules_up[NS_DROP_SECOND] = {
	[NS_ACCEPTED] = NS_RULE("accepted", DEBUG_GOOD, "{gateway} heard {frame}, which was passed on." HEARD,
				""),
	[NS_DROP_CRC] = NS_RULE(
		"crc", DEBUG, "{gateway} says that the CRC of a frame was bad." HEARD,
		"A few percent are usual. Where most are like this, look for interference, or at the "
		"antenna."),
	[NS_DROP_MALFORMED] = NS_RULE("malformed", DEBUG,
				      "What {gateway} heard is not a LoRaWAN frame." HEARD,
				      "Another technology on the channel: nothing is to be done."),
	[NS_DROP_PROPRIETARY] = NS_RULE("proprietary", DEBUG,
					"{gateway} heard a proprietary frame; no flow takes it." HEARD, ""),
	[NS_DROP_DOWNLINK_FRAME] = NS_RULE(
		"downlink_frame", DEBUG, "{gateway} reported a downlink frame, another gateway's." HEARD, ""),
	[NS_DROP_UNKNOWN_GATEWAY] = NS_RULE("unknown_gateway", DEBUG_PROBLEM,
					    "Gateway {eui:ab:eui}, which heard a frame, is not registered.",
					    "Register it if it is yours: lamppost gateway add."),
	[NS_DROP_FOREIGN_DEV_ADDR] = NS_RULE(
		"foreign_dev_addr", DEBUG,
		"The address is not of this network. Such frames are counted for each network, never "
		"recorded one by one.",
		"An ABP device of ours: give it an address of common.dev_addr_prefixes."),
	[NS_DROP_FOREIGN_JOIN_EUI] = NS_RULE(
		"foreign_join_eui", DEBUG,
		"The JoinEUI is not one of ours; such requests are counted, never recorded.", ""),
	[NS_DROP_FOREIGN_REJOIN] = NS_RULE(
		"foreign_rejoin", DEBUG,
		"A rejoin-request of type 0 or 2 names none of our devices; such requests are counted, never "
		"recorded.",
		""),
	[NS_DROP_DEDUP_FULL] = NS_RULE(
		"dedup_full", WARN, "Too many frames in one deduplication window: {frame} was dropped." HEARD,
		"A flood, or more traffic than one server is made for: see `lamppost status`."),
	[NS_DROP_COPY] = NS_RULE("copy", DEBUG,
				 "{gateway} heard one more copy of {frame} in its window." HEARD, ""),
	[NS_DROP_LATE_COPY] = NS_RULE(
		"late_copy", DEBUG, "{gateway} brought a copy of {frame} after its window." HEARD,
		"Often of one gateway: its backhaul is slower than the deduplication window."),

	[NS_DROP_UNKNOWN_DEV_ADDR] = NS_RULE("unknown_dev_addr", DEBUG_PROBLEM,
					     "No session has the address {dev_addr:a:addr}; {frame}, counter "
					     "{fcnt:bl} on air, was heard by "
					     "{gateway} at {snr_db:bh:db}.",
					     "A device of ours that lost its session: make it join again. An "
					     "ABP device: compare its address."),
	[NS_DROP_REGION] = NS_RULE_WORDS(
		"region", INFO,
		"{gateway} serves {gateway_region:c0:word}, yet the profile of the device is of "
		"{device_region:c1:word or none} (address {dev_addr:a:addr}).",
		"Give the device a profile of the gateway's region, or correct the gateway's region.",
		region_words),
	[NS_DROP_DATA_RATE] = NS_RULE_WORDS(
		"data_rate", INFO,
		"SF{sf:b0} in {bandwidth_khz:bh} kHz on {freq_hz:a:hz} is no data rate of an uplink in "
		"{region:c0:word}.",
		"The device is set to another region, or sends with a modulation of its own.", region_words),
	[NS_DROP_MIC] = NS_RULE("mic", INFO,
				"No key of the {sessions:bh:count session} with the address "
				"{dev_addr:a:addr} fits the MIC of {frame}, "
				"counter {fcnt:bl} on air.",
				"An OTAA device: make it join again. ABP: set its keys again. Otherwise a "
				"neighbour uses our address."),
	[NS_DROP_FCNT_OLD] = NS_RULE(
		"fcnt_old", INFO,
		"Counter {fcnt:a} was used before; {expected:b} or more was expected. A replay, or a frame "
		"that came "
		"late.",
		"Again and again: the device lost its memory, or two devices have the same keys."),
	[NS_DROP_FCNT_GAP] = NS_RULE(
		"fcnt_gap", WARN,
		"Counter {fcnt:a} is more than MAX_FCNT_GAP ({limit:c}) ahead of the expected {expected:b}.",
		"OTAA: make the device join again. ABP: set its counter (fcnt_up) to what it sends."),
	[NS_DROP_FCNT_EXHAUSTED] = NS_RULE(
		"fcnt_exhausted", WARN,
		"The uplink counter is used up at {fcnt:a}; {expected:b} was expected.",
		"Make the device join again; an ABP device needs new keys."),
	[NS_DROP_FCNT_RESET] = NS_RULE(
		"fcnt_reset", WARN,
		"The device began again at counter {fcnt:a} where {expected:b} was "
		"expected, which its profile or its mac_version does not "
		"allow.",
		"Better let it join (OTAA). Or say in its profile that it counts 16 bits "
		"(fcnt_16_bit), if it begins again after 65,535 alone; or that it may "
		"begin again (allow_fcnt_reset), which lets frames be replayed. Both need a "
		"mac_version of 1.0.3 or before: a device that begins again is none of 1.0.4."),
	[NS_DROP_DEVICE_DISABLED] = NS_RULE(
		"device_disabled", INFO,
		"The device is registered, not enabled; its counter or DevNonce is {number:a}.",
		"Have its review approved, or enable it: lamppost device update EUI --enabled true."),
	[NS_DROP_DEVICE_REPLACED] = NS_RULE(
		"device_replaced", INFO,
		"Another device stands in its place; its counter or DevNonce is {number:a}.",
		"Take it down. lamppost device show EUI names the other one; if this one is to go on: "
		"lamppost "
		"device replace EUI --undo."),
	[NS_DROP_REPEATED] = NS_RULE("repeated", DEBUG,
				     "Counter {fcnt:a} once more, the same bytes: answered ({answers:bl} of "
				     "{limit:bh} times), not delivered "
				     "again.",
				     ""),
	[NS_DROP_REPEAT_LIMIT] = NS_RULE(
		"repeat_limit", INFO,
		"Counter {fcnt:a} came again after {answers:bl} of {limit:bh} answers to its repeats.",
		"It does not hear its answers: see its RX windows, and whether its gateway really "
		"transmits."),
	[NS_DROP_LATE_REFUSED] = NS_RULE(
		"late_refused", INFO,
		"Counter {fcnt:a} came late, {age_s:b:s or none} old, by {gateway}; its profile takes "
		"{limit_s:c:s} from "
		"gateways that prove who they are.",
		"Raise late_uplink_s of the profile, or connect the gateway as a Basics Station, if late "
		"data are wanted."),
	[NS_DROP_JOURNAL_FULL] = NS_RULE_WORDS(
		"journal_full", ERROR,
		"The journal, {used_mb:a} MB of {limit_mb:b} MB, is at {floor:c0:word}: nothing is accepted.",
		"Is the application server running and storing events? Then make room on the disk.", floors),
	[NS_DROP_OUTBOX_FULL] = NS_RULE("outbox_full", WARN,
					"More came in one turn than the outbox holds: an event was dropped.",
					""),

	[NS_DROP_JOIN_UNKNOWN_DEVICE] = NS_RULE(
		"join_unknown_device", INFO,
		"No device is registered with the DevEUI {dev_eui:ab:eui}." NONCE,
		"Compare it with the label, digit by digit, and register the device: lamppost device add."),
	[NS_DROP_JOIN_EUI_DIFFERS] = NS_RULE(
		"join_eui_differs", INFO,
		"The device asks with JoinEUI {join_eui:ab:eui}; it is registered with another one." NONCE,
		"Register the JoinEUI that the device sends, or set the registered one in the device."),
	[NS_DROP_JOIN_NOT_OTAA] = NS_RULE(
		"join_not_otaa", INFO,
		"The device is registered for ABP, yet asks to join {join_eui:ab:eui}." NONCE,
		"Register it for OTAA with its AppKey, or set the device to ABP."),
	[NS_DROP_JOIN_REPEATED] = NS_RULE("join_repeated", INFO,
					  "The same join-request was sent once more, on {freq_hz:a:hz} at "
					  "{rssi_dbm:bl:dbm}, {snr_db:bh:db}." NONCE,
					  "The device has to draw a new DevNonce for each request."),
	[NS_DROP_JOIN_FULL] = NS_RULE(
		"join_full", WARN, "{joins:a:count join} wait for the join server, which is the most." NONCE,
		"See whether the join server answers: lamppost doctor."),
	[NS_DROP_JOIN_NO_ADDRESS] = NS_RULE(
		"join_no_address", ERROR,
		"No free address was found in the configured prefixes ({prefixes:a})." NONCE,
		"Add a prefix: common.dev_addr_prefixes."),
	[NS_DROP_JOIN_TIMEOUT] = NS_RULE(
		"join_timeout", WARN,
		"The join server did not answer in time; {late_ms:a:ms} past the last moment." NONCE,
		"See whether the join server runs and answers: lamppost doctor."),
	[NS_DROP_JOIN_REFUSED] = NS_RULE_WORDS(
		"join_refused", INFO, "The join server refused the join: {cause:a0:word}." NONCE,
		"lamppost why join EUI tells what to do; mostly the AppKey is to be set again.", refusals),
	[NS_DROP_JOIN_BAD_ANSWER] = NS_RULE_WORDS(
		"join_bad_answer", WARN, "The join server's answer is not usable: {fault:a0:word}." NONCE,
		"Do both servers have the same KEK? See kek-* in STATE/keys.", faults),
	[NS_DROP_SESSIONS_FULL] = NS_RULE("sessions_full", ERROR,
					  "All {capacity:a} places of the table of sessions are taken.", ""),
	[NS_DROP_JOIN_SERVER_BUSY] = NS_RULE(
		"join_server_busy", WARN,
		"{joins:a:count join} wait for the join server of this JoinEUI, another's, which is the most "
		"that "
		"may." NONCE,
		"Is that server slow? lamppost_network_join_server_* in the metrics. Raise in_flight under "
		"network-server.join_servers if not."),
	[NS_DROP_JOIN_SERVER_SHUNNED] = NS_RULE(
		"join_server_shunned", WARN,
		"The join server of this JoinEUI, another's, was not asked: its last {failures:a:count call} "
		"failed, "
		"and it is tried again only now and then." NONCE,
		"See the network server's log for why, and ask its operator."),
	[NS_DROP_JOIN_STORM] = NS_RULE_WORDS(
		"join_storm", DEBUG_PROBLEM,
		"In the join storm the request was not answered, and the join server not asked: "
		"{cause:a0:word}." NONCE,
		"Nothing: the device asks again after its back-off. lamppost status tells how the storm "
		"goes.",
		ns_storm_cause_names),
	[NS_DROP_JOIN_IN_FLIGHT] = NS_RULE(
		"join_in_flight", DEBUG_PROBLEM,
		"In the join storm the device asked again while an accept to it was on its way." NONCE,
		"A device that asks again before its second window has closed does not keep to the "
		"specification."),
	[NS_DROP_REJOIN_NET_ID] = NS_RULE(
		"rejoin_net_id", INFO,
		REJOIN " names the NetID {net_id:a:hex}, which is not ours: the device's session is another "
		       "network's.",
		"See that common.net_id is what it was when the device joined. A device that came from "
		"another "
		"network has to join here."),
	[NS_DROP_REJOIN_VERSION] = NS_RULE(
		"rejoin_not_1_1", INFO,
		REJOIN " is of a device whose profile says a version before 1.1, which has no rejoins.",
		"If the device is one of 1.1, give it a profile of 1.1 and its NwkKey."),
	[NS_DROP_REJOIN_NOT_ALLOWED] = NS_RULE(
		"rejoin_not_allowed", INFO,
		REJOIN " is not answered: the device's profile does not allow it.",
		"To allow it: lamppost profile update SLUG --rejoin all (or keys, for type 2 alone)."),
	[NS_DROP_REJOIN_NO_SESSION] = NS_RULE(
		"rejoin_no_session", INFO,
		REJOIN " is signed with a session's key, and the device has no session of 1.1 here.",
		"Make it join, or send a rejoin of type 1, which needs none."),
	[NS_DROP_REJOIN_MIC] = NS_RULE(
		"rejoin_mic", INFO, REJOIN " is signed with none of the keys of the device's sessions.",
		"A device that lost its session: make it join. Otherwise somebody sends in its name."),
	[NS_DROP_RJ_COUNT] = NS_RULE(
		"rj_count", INFO,
		REJOIN
		" was refused: RJcount0 {expected:a} or more was expected, and 65,535 is never taken. A "
		"replay, or a device that lost its counter.",
		"Let it go on: its session works, and a join begins the count anew."),
};
