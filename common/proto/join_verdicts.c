/* One row a verdict: its name in answers and tables, what happened, and what the person in front of the sensor does next.
 * Numbers stand in the report, beside the row. */
#include "common/proto/join_report.h"

#include "common/base/check.h"

#include <string.h>

#define ROW(VERDICT, name, KIND, sentence, next) \
	[NET_JOIN_##VERDICT] = {name, NET_JOIN_##KIND, sentence, next}

static const struct net_join_row rows[NET_JOIN_VERDICT_COUNT] = {
	ROW(WAITING, "waiting", GOING, "The request was heard; the join server has not answered yet.", ""),
	ROW(ACCEPT_SENT, "accept_sent", GOING, "The join-accept went to a gateway.", ""),
	ROW(ACCEPTED, "accepted", GOING,
	    "The gateway sent the join-accept; no uplink under the new session yet.", ""),
	ROW(JOINED, "joined", GOOD, "The device joined, and its first uplink was heard.", ""),
	ROW(ACCEPT_UNHEARD, "accept_not_heard", PROBLEM,
	    "The join-accept was sent, yet the device asked again: it did not hear it.",
	    "Check the device's region, sub-band and RX windows (join-accept after 5 and 6 s), its antenna "
	    "and its "
	    "distance: very near a gateway its receiver is deafened. If it always was another gateway that "
	    "answered, see whether that one really transmits."),
	ROW(NO_UPLINK, "no_uplink", PROBLEM,
	    "The join-accept was sent over an hour ago, and no uplink came since.",
	    "Make the device send something. If it says that it has joined, its uplinks go where no gateway "
	    "listens: "
	    "check its sub-band and data rate. If not, it did not hear the accept."),
	ROW(UNKNOWN_DEV_EUI, "unknown_dev_eui", PROBLEM, "No device is registered with this DevEUI.",
	    "Compare it with the label, digit by digit, and register the device: lamppost device add."),
	ROW(DEV_EUI_REVERSED, "dev_eui_reversed", PROBLEM,
	    "The DevEUI is the byte-reversed form of a registered one.",
	    "Register the device with the DevEUI that it sends, or set the registered one in the device with "
	    "its "
	    "bytes in the other order (labels and firmware often differ in this)."),
	ROW(EUIS_SWAPPED, "euis_swapped", PROBLEM,
	    "DevEUI and JoinEUI have changed places: the device is registered the other way round.",
	    "Set the two in the device, or in the registry, the other way round."),
	ROW(JOIN_EUI_DIFFERS, "join_eui_differs", PROBLEM, "The device is registered with another JoinEUI.",
	    "Register the JoinEUI that the device sends (remove the device and add it anew), or set the "
	    "registered "
	    "one in the device."),
	ROW(JOIN_EUI_REVERSED, "join_eui_reversed", PROBLEM,
	    "The JoinEUI is the byte-reversed form of the registered one.",
	    "Register the JoinEUI that the device sends (remove the device and add it anew), or set it in "
	    "the device "
	    "with its bytes in the other order."),
	ROW(FOREIGN, "foreign", STRANGERS, "Neither the DevEUI nor the JoinEUI is known here.",
	    "If it is yours, register it. If not, it is a neighbour's: nothing is to be done."),
	ROW(NOT_OTAA, "not_otaa", PROBLEM, "The device is registered for ABP, yet it asks to join.",
	    "Register it for OTAA with its AppKey, or set the device to ABP."),
	ROW(DEVICE_DISABLED, "device_disabled", PROBLEM, "The device is registered and not enabled.",
	    "Have its review approved, or enable it: lamppost device update EUI --enabled true."),
	ROW(NO_PROFILE, "no_profile", PROBLEM,
	    "The device's profile has not reached the network server, or its region is "
	    "not one of this server's.",
	    "Check the profile's region against network-server.regions; lamppost status shows whether "
	    "records are "
	    "behind."),
	ROW(WRONG_REGION, "wrong_region", PROBLEM,
	    "The gateway that heard it serves another region than the device's profile.",
	    "Give the device a profile of the gateway's region, or correct the gateway's region."),
	ROW(DATA_RATE, "data_rate", PROBLEM, "The modulation of the request is no data rate of the region.",
	    "The device is set to another region: correct its firmware's region."),
	ROW(WRONG_SUB_BAND, "wrong_sub_band", PROBLEM,
	    "The device sent on a channel that is not in the gateways' channel plan.",
	    "Set the device to the sub-band of the plan. If the device is right, the gateway's own "
	    "configuration and "
	    "its registered channel plan differ: correct the wrong one."),
	ROW(WRONG_KEY, "wrong_key", PROBLEM,
	    "The MIC does not fit: the device and the registry have different keys.",
	    "Set the key again: lamppost device keys set EUI --app-key. For 1.0.x devices it is the AppKey; "
	    "for 1.1 "
	    "the MIC is made with the NwkKey. Mind the byte order."),
	ROW(NO_KEY, "no_key", PROBLEM,
	    "The device is registered without the root key that its version needs.",
	    "Set it: lamppost device keys set EUI --app-key (1.1: also --nwk-key)."),
	ROW(DEV_NONCE_USED, "dev_nonce_used", PROBLEM,
	    "The DevNonce was used before: the device lost its memory, or draws few different ones.",
	    "Let it try on: after a reset a device soon draws a new one. To let it in now: lamppost device "
	    "join-allow-once EUI. If it always uses the same, its firmware is at fault; a new AppKey begins "
	    "the list anew."),
	ROW(DEV_NONCE_NOT_INCREASING, "dev_nonce_not_increasing", PROBLEM,
	    "The DevNonce must increase from 1.0.4 on, and did not: the device lost its counter, or its "
	    "version is "
	    "registered wrongly.",
	    "If the device draws its DevNonces at random, give it a profile of 1.0.3. If it lost its "
	    "counter, allow it one join: lamppost device join-allow-once EUI. Or let it try until it is past "
	    "the last one, or set a new AppKey on both sides."),
	ROW(DEV_NONCE_REPEATED, "dev_nonce_repeated", PROBLEM,
	    "The device sent the very same join-request again: its DevNonce does not change.",
	    "Its firmware has to change the DevNonce with every try; update it, or turn the device off and "
	    "on."),
	ROW(NOT_PROVISIONED, "not_provisioned", PROBLEM,
	    "The device is registered, but the join server does not know it yet.",
	    "Wait a few seconds and let it try again. If it stays so, see lamppost status: the join server "
	    "may be "
	    "behind, or another join server may have this JoinEUI."),
	ROW(JOIN_NONCE_EXHAUSTED, "join_nonce_exhausted", PROBLEM,
	    "All JoinNonces of the device are used up.", "Give the device another JoinEUI."),
	ROW(SERVER_REFUSED, "join_server_refused", PROBLEM,
	    "The join server refused the join for a reason of its own.",
	    "See the cause, and the join server's log."),
	ROW(SERVER_AWAY, "join_server_not_reached", PROBLEM,
	    "The join server did not answer before the device's receive window.",
	    "See lamppost status: the join server has to run. The device will try again."),
	ROW(BAD_ANSWER, "join_bad_answer", PROBLEM, "The join server's answer could not be used.",
	    "Check that both servers have the same KEK files (docs/contract.md), and the network server's "
	    "log."),
	ROW(JOURNAL_FULL, "journal_full", PROBLEM,
	    "The network server's journal is at its limit, or its disk nearly full: nothing is accepted.",
	    "Free space on the disk, and see that the application server runs: it empties the journal."),
	ROW(NO_ADDRESS, "no_address", PROBLEM, "No free DevAddr was found in the network's prefixes.",
	    "Add a prefix to common.dev_addr_prefixes."),
	ROW(SESSIONS_FULL, "sessions_full", PROBLEM, "The network server's table of sessions is full.",
	    "Raise network-server.max_devices."),
	ROW(BUSY, "busy", PROBLEM, "More joins at once than the network server takes.",
	    "Nothing: the device will try again. If it lasts, something joins without end: see lamppost join "
	    "list."),
	ROW(NO_GATEWAY, "no_gateway", PROBLEM,
	    "The accept could not be sent: no gateway that heard the request can transmit then.",
	    "See that the gateway is online and has a way back (PULL_DATA); while it sends another frame it "
	    "cannot "
	    "send this one."),
	ROW(TOO_LATE, "too_late", PROBLEM, "The accept could not be sent: every receive window had passed.",
	    "The way from gateway to server is too slow, or a gateway's clock jumps: see the gateway's "
	    "latency."),
	ROW(DUTY_CYCLE, "duty_cycle", PROBLEM,
	    "The accept could not be sent: no gateway has airtime left in the sub-band.",
	    "Wait: airtime comes back by itself. Another gateway in range helps; so does fewer confirmed "
	    "uplinks."),
	ROW(GATEWAY_REFUSED, "gateway_refused", PROBLEM, "The accept was not sent: the gateway refused it.",
	    "See the cause. TX_FREQ or TX_POWER: the gateway's own configuration does not allow this "
	    "region's "
	    "downlinks. TOO_LATE: its backhaul is slow."),
	ROW(REJOIN_NET_ID, "rejoin_net_id", PROBLEM,
	    "The rejoin belongs to a session of another network than this one.",
	    "See that common.net_id is what it was when the device joined. A device that came from another "
	    "network has "
	    "to join here."),
	ROW(REJOIN_VERSION, "rejoin_not_1_1", PROBLEM,
	    "The device sent a rejoin, and its profile says a version before 1.1, which has none.",
	    "If the device is one of 1.1, give it a profile of 1.1 and its NwkKey."),
	ROW(REJOIN_NOT_ALLOWED, "rejoin_not_allowed", PROBLEM,
	    "The device's profile does not allow rejoins of this type. Its session goes on.",
	    "To allow them: lamppost profile update SLUG --rejoin all (or keys, for type 2 alone)."),
	ROW(REJOIN_NO_SESSION, "rejoin_no_session", PROBLEM,
	    "The rejoin is signed with a session's key, and the device has no session of 1.1 here.",
	    "Make the device join, or send a rejoin of type 1, which needs none."),
	ROW(REJOIN_MIC, "rejoin_mic", PROBLEM,
	    "The rejoin is signed with none of the keys of the device's sessions.",
	    "A device that lost its session: make it join. Otherwise somebody sends in its name."),
	ROW(RJ_COUNT, "rj_count", PROBLEM,
	    "The rejoin's count does not increase: a replay, or a device that lost its counter. Its session "
	    "goes on.",
	    "Nothing, where it happens once. Else make the device join, which begins the count anew."),
	ROW(FOREIGN_REFUSED, "foreign_join_server_refused", PROBLEM,
	    "The join server of this JoinEUI, another's, refused the join.",
	    "The cause has its words. MICFailed: the key there is another than the device's. UnknownDevEUI: "
	    "the device "
	    "is not registered there. UnknownSender, ActivationDisallowed: this network is not allowed the "
	    "device "
	    "there. Ask its operator."),
	ROW(FOREIGN_AWAY, "foreign_join_server_not_reached", PROBLEM,
	    "The join server of this JoinEUI, another's, did not answer before the device's receive window.",
	    "See the cause, and the network server's log. Check url, certificate and ca under "
	    "network-server.join_servers; if they are right, ask its operator. The device will try again."),
	ROW(FOREIGN_BAD_ANSWER, "foreign_join_bad_answer", PROBLEM,
	    "The answer of the join server of this JoinEUI, another's, could not be used.",
	    "Check that both sides have the same KEK under the same label (kek, kek_file under "
	    "network-server.join_servers), and that it wraps the AppSKey: one in clear is not taken."),
	ROW(FOREIGN_BUSY, "foreign_join_server_busy", PROBLEM,
	    "As many joins as may wait already for the join server of this JoinEUI, another's.",
	    "Nothing: the device will try again. If it lasts, that server is slow: ask its operator, or "
	    "raise in_flight "
	    "under network-server.join_servers."),
	ROW(DEVICE_REPLACED, "device_replaced", PROBLEM, "Another device stands in this one's place.",
	    "Take it down: lamppost device show EUI names the other one. If this one is to go on: lamppost "
	    "device replace EUI --undo."),
	ROW(STORM, "join_storm", GOING,
	    "More devices ask to join than the gateways can answer: this request was not answered; the "
	    "device asks again by itself (lamppost status tells how the storm goes).",
	    ""),
};

const struct net_join_row *net_join_row(enum net_join_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, NET_JOIN_VERDICT_COUNT);
	ASSERT(rows[verdict].name);
	return &rows[verdict];
}

bool net_join_verdict_parse(const char *name, enum net_join_verdict *verdict)
{
	for (unsigned i = 0; i < NET_JOIN_VERDICT_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*verdict = (enum net_join_verdict)i;
			return true;
		}
	}
	return false;
}
