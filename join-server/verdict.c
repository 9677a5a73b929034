/* Each row is a rule with its sentence (common/base/decision_text.h); beside it stands what TS002 is told. Numbers of a record:
 * a DevNonce and the last one (halves), b JoinNonce, c as the row says. */
#include "join-server/verdict.h"

#include "common/base/check.h"

#define ROW(name, level, sentence, next)                            \
	{                                                           \
		name, DECISION_AS_##level, sentence, next, requests \
	}
#define NONCE "{dev_nonce:al}"
/* "join with DevNonce 17" */
#define ASKED "{request:c:word} {dev_nonce:al}"
#define LAST  "{last_dev_nonce:ah}"

/* By enum js_request. */
static const char *const requests[] = {
	"join with DevNonce",
	"rejoin of type 0 with RJcount0",
	"rejoin of type 1 with RJcount1",
	"rejoin of type 2 with RJcount0",
	"HomeNSReq with TransactionID (low half)",
	"AppSKeyReq with TransactionID (low half)",
	("join that a person's `lamppost device join-allow-once` let pass, with a "
	 "DevNonce that was used or is too low,"),
	NULL};

static const struct decision_rule rules[JS_VERDICT_COUNT] = {
	[JS_ACCEPTED] = ROW("accepted", DEBUG_GOOD,
			    "The " ASKED " was accepted: JoinNonce {join_nonce:b} was given, and the "
			    "session keys derived.",
			    ""),
	[JS_ANSWERED] = ROW("answered", DEBUG, "The " ASKED " was answered.", ""),
	[JS_RETRIED] = ROW("retried", DEBUG,
			   "The network server asked again within 60 s about the " ASKED
			   " and got the same answer again.",
			   ""),
	[JS_NOT_A_REQUEST] = ROW(
		"not_a_request", DEBUG,
		"A message of {length:b:bytes} is an answer, and nothing here waits for one.", ""),
	[JS_UNREADABLE] = ROW(
		"unreadable", WARN,
		"A message of {length:b:bytes} is not one of TS002: neither sender nor transaction could "
		"be read.",
		"See which program posts to join.sock: the log has the caller."),
	[JS_MALFORMED] = ROW(
		"malformed", WARN,
		"A member of a message of {length:b:bytes} is missing, of the wrong type or out of range.",
		"The answer names the member; the network server that sent it speaks another TS002."),
	[JS_WRONG_PROTOCOL] = ROW(
		"wrong_protocol", WARN,
		"The ProtocolVersion of a message of {length:b:bytes} is neither 1.0 nor 1.1.",
		"Set the network server that sent it to TS002 1.0 or 1.1."),
	[JS_UNSUPPORTED_MESSAGE] = ROW(
		"unsupported_message", WARN,
		"A message of {length:b:bytes} asks for what this join server does not serve.",
		"It serves JoinReq, RejoinReq, AppSKeyReq and HomeNSReq: see which server sends others."),
	[JS_UNKNOWN_SENDER] = ROW(
		"unknown_sender", WARN,
		"The " ASKED " was refused: its SenderID is not a NetID that we "
		"know.",
		"Set common.net_id alike in both servers, or add a KEK for that network under "
		"join-server.keks."),
	[JS_UNKNOWN_RECEIVER] = ROW("unknown_receiver", WARN,
				    "The " ASKED " was refused: its ReceiverID is not the JoinEUI of "
				    "the device.",
				    "The network server that sent it addresses joins wrongly."),
	[JS_NOT_A_JOIN_REQUEST] = ROW("not_a_join_request", WARN,
				      "The PHYPayload of {length:b:bytes} is neither a join-request nor a "
				      "rejoin-request, or not the one that the message is for.",
				      "The network server that sent it speaks another TS002."),
	[JS_UNKNOWN_DEVICE] = ROW(
		"unknown_device", DEBUG_PROBLEM,
		"The " ASKED " was refused: no device of that DevEUI and JoinEUI is "
		"provisioned here.",
		"Wait a few seconds and let it try again. If it stays so, see lamppost status: the "
		"join server may be behind."),
	[JS_NO_KEY] = ROW("no_key", WARN,
			  "The " ASKED " was refused: the device is registered without the root key "
			  "that its version needs.",
			  "Set it: lamppost device keys set EUI --app-key (1.1: also --nwk-key)."),
	[JS_DISABLED] = ROW(
		"disabled", INFO, "The " ASKED " was refused: the device is disabled.",
		"Have its review approved, or enable it: lamppost device update EUI --enabled true."),
	[JS_MIC_FAILED] = ROW(
		"mic_failed", WARN,
		"The " ASKED " was refused: the MIC of {frame} does not fit the registered "
		"root key, so the device and the registry have different keys.",
		"Set the key again: lamppost device keys set EUI --app-key. For 1.1 the MIC is made with "
		"the NwkKey. Mind the byte order."),
	[JS_BAD_PARAMETERS] = ROW(
		"bad_parameters", WARN,
		"The " ASKED " was refused: the network server asks for what cannot "
		"be, such as OptNeg for a 1.0.x device.",
		"See that the profile's version is the same in both servers: lamppost status shows "
		"whether records are behind."),
	[JS_LATE_COPY] = ROW("late_copy", DEBUG,
			     "The bytes of the last accepted join or rejoin (nonce " NONCE
			     ") came once more, {age_s:c:s} after "
			     "it: a late copy, not answered again.",
			     ""),
	[JS_DEV_NONCE_USED] = ROW(
		"dev_nonce_used", WARN,
		"The join was refused: DevNonce " NONCE " has been used before (the last was " LAST
		", {used:c:count nonce} are used): a replay, or a device that lost its memory.",
		"Let it try on: after a reset a device soon draws a new one. To let it in now: lamppost "
		"device "
		"join-allow-once EUI. If it always uses the same, its firmware is at fault; a new AppKey "
		"begins the list anew."),
	[JS_DEV_NONCE_NOT_INCREASING] = ROW(
		"dev_nonce_not_increasing", WARN,
		"The join was refused: DevNonce " NONCE " is not greater than the last, " LAST
		", as it must be from 1.0.4 on: a replay, a device that lost its counter, or a profile with "
		"the "
		"wrong version.",
		"If the device draws its DevNonces at random, give it a profile of 1.0.3. If it lost its "
		"counter, allow it one join: lamppost device join-allow-once EUI. Or let it try until it is "
		"past the last one, or set a new AppKey on both sides."),
	[JS_JOIN_NONCE_EXHAUSTED] = ROW("join_nonce_exhausted", ERROR,
					"The " ASKED " was refused: JoinNonce {join_nonce:b} was the "
					"last of the 2^24 that a device has.",
					"Give the device another JoinEUI."),
	[JS_REJOIN_NOT_1_1] = ROW("rejoin_not_1_1", WARN,
				  "The " ASKED
				  " was refused: our record of the device is of a version before 1.1, "
				  "which has no rejoins.",
				  "If the device is one of 1.1, give it a profile of 1.1 and a NwkKey; its "
				  "next join follows it."),
	[JS_REJOIN_OTHER_NETWORK] = ROW(
		"rejoin_other_network", WARN,
		"The " ASKED " was refused: the network server that asks is not the one whose session the "
		"device has, and only that one can check its MIC.",
		"See which network server asks. The device joins there with a join-request or a rejoin of "
		"type 1."),
	[JS_RJ_COUNT_NOT_INCREASING] = ROW("rj_count_not_increasing", WARN,
					   "The " ASKED
					   " was refused: RJcount1 must be greater than the last, " LAST
					   ": a replay, or a device that lost its counter.",
					   "The device can join: a join-request has a counter of its own. If "
					   "it lost its memory, set a new NwkKey "
					   "on both sides, which begins both counters anew."),
	[JS_PEER_UNKNOWN] = ROW(
		"peer_unknown", WARN,
		"A message of {length:b:bytes} was refused: its certificate is good, yet none of "
		"join-server.peers "
		"has it.",
		"See who calls: the log has the certificate's name. If they are to be served, add them under "
		"join-server.peers."),
	[JS_PEER_SENDER] = ROW(
		"peer_wrong_sender", WARN,
		"A message of {length:b:bytes} was refused: its SenderID is none that this peer may speak "
		"for.",
		"Compare net_ids and as_ids of the peer under join-server.peers with what its server sends."),
	[JS_PEER_MESSAGE] = ROW("peer_not_allowed", WARN,
				"A message of {length:b:bytes} was refused: the peer may not ask for that.",
				"If it is to be allowed, add it to the peer's messages under "
				"join-server.peers; on this machine, "
				"to join-server.callers."),
	[JS_PEER_JOIN_EUI] = ROW("peer_wrong_join_eui", WARN,
				 "A message of {length:b:bytes} was refused: its ReceiverID is a JoinEUI "
				 "that the peer may not "
				 "address.",
				 "If the block of JoinEUIs is theirs, add it to the peer's join_euis under "
				 "join-server.peers."),
	[JS_HOME_ELSEWHERE] = ROW(
		"home_elsewhere", WARN,
		"The " ASKED " was refused: the device's home is another network than the one that asks.",
		"See the device's record (lamppost device update EUI --home-net-id NETID; an empty one "
		"takes it away). If all devices of its JoinEUI are theirs to serve, name the block under "
		"home_of of the peer, in "
		"join-server.peers."),
	[JS_UNKNOWN_SESSION] = ROW(
		"unknown_session", INFO,
		"An application server asked for the AppSKey of a session that is not kept: a newer one has "
		"taken its place, or it is too old.",
		"A device's last two sessions are kept, for join-server.session_key_days. Its next join "
		"makes a "
		"new one."),
	[JS_OTHER_APPLICATION] = ROW(
		"other_application", WARN,
		"An application server asked for an AppSKey that is wrapped for another one.",
		"See the kek of the peer under join-server.peers, and the app_kek_label of the device."),
	[JS_ERROR_NOTIFIED] = ROW("error_notified", WARN,
				  "The other side said that an answer of ours was of no use to it (a message "
				  "of {length:b:bytes}).",
				  "The log has its result code. See that both sides have the same KEK and "
				  "the same version of TS002."),
	[JS_NO_KEK] = ROW("no_kek", ERROR,
			  "The " ASKED " was refused: there is no key to wrap the session keys with, "
			  "and in clear they do not leave.",
			  "If its agency holds the device's keys: lamppost agency kek list says where its "
			  "KEK stands, and "
			  "what to do. Otherwise see that STATE/keys/kek-network.join-server and "
			  "kek-application.join-server are there (docs/contract.md)."),
	[JS_KEY_UNREADABLE] = ROW(
		"key_unreadable", ERROR,
		"The " ASKED " was refused: the stored root key does not open under "
		"the master key.",
		"See that STATE/keys/join-server.master is the one that join.db was written with; "
		"else set the device's key again."),
	[JS_STORE_FAILED] = ROW("store_failed", ERROR,
				"The " ASKED " failed: the database could not be read or written.",
				"See the disk and the join server's log: lamppost doctor."),
};

static const struct decision_table tables[] = {{"join", rules, JS_VERDICT_COUNT}};
const struct decision_book js_rules = {"join-server", tables, 1};

static const enum bi_result results[JS_VERDICT_COUNT] = {
	[JS_ACCEPTED] = BI_SUCCESS,
	[JS_ANSWERED] = BI_SUCCESS,
	[JS_RETRIED] = BI_SUCCESS,
	[JS_NOT_A_REQUEST] = BI_NO_ACTION,
	[JS_UNREADABLE] = BI_MALFORMED,
	[JS_MALFORMED] = BI_MALFORMED,
	[JS_WRONG_PROTOCOL] = BI_INVALID_PROTOCOL_VERSION,
	[JS_UNSUPPORTED_MESSAGE] = BI_OTHER,
	[JS_UNKNOWN_SENDER] = BI_UNKNOWN_SENDER,
	[JS_UNKNOWN_RECEIVER] = BI_UNKNOWN_RECEIVER,
	[JS_NOT_A_JOIN_REQUEST] = BI_MALFORMED,
	[JS_UNKNOWN_DEVICE] = BI_UNKNOWN_DEV_EUI,
	[JS_NO_KEY] = BI_UNKNOWN_DEV_EUI,
	[JS_DISABLED] = BI_ACTIVATION_DISALLOWED,
	[JS_MIC_FAILED] = BI_MIC_FAILED,
	[JS_BAD_PARAMETERS] = BI_JOIN_REQ_FAILED,
	[JS_LATE_COPY] = BI_FRAME_REPLAYED,
	[JS_DEV_NONCE_USED] = BI_JOIN_REQ_FAILED,
	[JS_DEV_NONCE_NOT_INCREASING] = BI_JOIN_REQ_FAILED,
	[JS_JOIN_NONCE_EXHAUSTED] = BI_JOIN_REQ_FAILED,
	[JS_REJOIN_NOT_1_1] = BI_JOIN_REQ_FAILED,
	[JS_REJOIN_OTHER_NETWORK] = BI_ACTIVATION_DISALLOWED,
	[JS_RJ_COUNT_NOT_INCREASING] = BI_JOIN_REQ_FAILED,
	[JS_PEER_UNKNOWN] = BI_UNKNOWN_SENDER,
	[JS_PEER_SENDER] = BI_UNKNOWN_SENDER,
	[JS_PEER_MESSAGE] = BI_ACTIVATION_DISALLOWED,
	[JS_PEER_JOIN_EUI] = BI_UNKNOWN_RECEIVER,
	[JS_HOME_ELSEWHERE] = BI_ACTIVATION_DISALLOWED,
	[JS_UNKNOWN_SESSION] = BI_OTHER,
	[JS_OTHER_APPLICATION] = BI_ACTIVATION_DISALLOWED,
	[JS_ERROR_NOTIFIED] = BI_NO_ACTION,
	[JS_NO_KEK] = BI_JOIN_REQ_FAILED,
	[JS_KEY_UNREADABLE] = BI_JOIN_REQ_FAILED,
	[JS_STORE_FAILED] = BI_OTHER,
};

const char *js_verdict_name(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rules[verdict].name;
}

enum bi_result js_verdict_result(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return results[verdict];
}

enum log_level js_verdict_level(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rules[verdict].level;
}
