/* The rules. Numbers of a record: a is the sender's address where the row says FROM; b as the row says; c counts how often it
 * happened in that second (TIMES) unless the row says otherwise. decisions.c fills them. */
#include "gateway-bridge/verdict_rows.h"

#include "common/base/check.h"

#define FRAME   "The frame on {freq_hz:a:hz} at {rssi_dbm:bl:dbm}, SNR {snr_db:bh:db}, "
#define BODY    "The body of {length:b:bytes} from " FROM " was refused: "
#define ENTRY   "Entry {entry:b} of a report from " FROM " was refused: "
#define STATION "A message of {length:b:bytes} from " FROM " was refused: "
#define FORWARDER_IS_WRONG \
	"The gateway's program writes what its protocol does not have: update or replace it."

static const struct decision_rule verdicts[GB_MQTT_VERDICTS] = {
	[GB_ACCEPTED] = ROW("accepted", DEBUG_GOOD,
			    "{gateway} is heard from " FROM " and its datagrams are taken.", ""),
	[GB_TRUNCATED] = ROW(
		"truncated", DEBUG,
		"A datagram of {length:b:bytes} from " FROM
		" is shorter than the header of its kind: not a gateway's, or cut on the way" TIMES ".",
		""),
	[GB_BAD_VERSION] = ROW("bad_version", DEBUG,
			       "A datagram of {length:b:bytes} from " FROM
			       " has a protocol version other than 1 and 2, and was not acknowledged" TIMES
			       ".",
			       "If a gateway is there, set its packet forwarder to protocol version 2."),
	[GB_BAD_IDENTIFIER] = ROW("bad_identifier", DEBUG,
				  "A datagram of {length:b:bytes} from " FROM
				  " has an identifier that the protocol does not have" TIMES ".",
				  ""),
	[GB_WRONG_DIRECTION] = ROW("wrong_direction", DEBUG,
				   "A datagram of {length:b:bytes} from " FROM
				   " is one that only servers send: reflected or looped" TIMES ".",
				   "Look for another server, or a loop in the network, at that address."),
	[GB_BAD_LENGTH] = ROW(
		"bad_length", DEBUG,
		"A datagram from " FROM " has {length:b:bytes}, which its kind cannot have" TIMES ".", ""),
	[GB_RATE_EUI] = ROW(
		"rate_eui", WARN,
		"{gateway} sends more than {limit:b} messages a second, from " FROM
		": the rest was dropped unread" TIMES ".",
		"Find what sends so much: two gateways with one EUI, or a forwarder gone wild. Raise "
		"gateway-bridge.rate_per_eui only if it is right."),
	[GB_RATE_FRAMES] = ROW(
		"rate_frames", WARN,
		"{gateway} reports more than {limit:b} frames a second, which no radio hears: the rest was "
		"dropped, such as one on {freq_hz:a:hz}" TIMES ".",
		"Look at the gateway: somebody may be making frames up. Raise gateway-bridge.rate_frames "
		"only if it is right."),
	[GB_RATE_UNKNOWN] = ROW(
		"rate_unknown", WARN,
		FROM " sends more than {limit:b} datagrams a second for gateways that are not registered, or "
		     "may not send from there: dropped" TIMES ".",
		"Register the gateways that are yours (lamppost gateway add), or block the address."),
	[GB_UNKNOWN_GATEWAY] = ROW("unknown_gateway", DEBUG_PROBLEM,
				   "{gateway} is not registered: what it says from " FROM
				   " is not forwarded" TIMES ".",
				   "If it is yours, register it: lamppost gateway add EUI."),
	[GB_UNKNOWN_LIST_FULL] = ROW(
		"unknown_list_full", WARN,
		"A gateway that is not registered sent from " FROM
		", and the list of such is full with {limit:b}" TIMES ".",
		"Somebody invents EUIs, or many gateways are not registered: see who sends from that "
		"address."),
	[GB_FOREIGN_SOURCE] = ROW(
		"foreign_source", WARN,
		"{gateway} is pinned to the range at {pinned:b:ip}, and " FROM
		" lies outside it: not let in" TIMES ".",
		"If the gateway has moved, change its source_cidr: lamppost gateway update EUI "
		"--source-cidr CIDR. If not, somebody uses its EUI."),
	[GB_UDP_NOT_ALLOWED] = ROW(
		"udp_not_allowed", WARN,
		"{gateway} is registered for another protocol than Semtech UDP: its datagram from " FROM
		" was dropped" TIMES ".",
		"Set the gateway to the protocol it is registered for."),
	[GB_NOT_JSON] = ROW("not_json", INFO, BODY "it is not JSON" TIMES ".", FORWARDER_IS_WRONG),
	[GB_BAD_UTF8] = ROW("bad_utf8", INFO, BODY "it is not UTF-8" TIMES ".", FORWARDER_IS_WRONG),
	[GB_TOO_DEEP] = ROW("too_deep", INFO, BODY "it is nested deeper than 8 levels" TIMES ".",
			    FORWARDER_IS_WRONG),
	[GB_NOT_AN_OBJECT] = ROW("not_an_object", INFO, BODY "it is no JSON object" TIMES ".",
				 FORWARDER_IS_WRONG),
	[GB_DUPLICATE_MEMBER] = ROW(
		"duplicate_member", INFO,
		BODY "a member stands there twice, so that it cannot be told which one counts" TIMES ".",
		FORWARDER_IS_WRONG),
	[GB_RXPK_NOT_AN_ARRAY] = ROW("rxpk_not_an_array", INFO,
				     BODY "rxpk must be an array, even for one packet" TIMES ".",
				     FORWARDER_IS_WRONG),
	[GB_STAT_NOT_AN_OBJECT] = ROW("stat_not_an_object", INFO, BODY "stat must be an object" TIMES ".",
				      FORWARDER_IS_WRONG),
	[GB_ENTRY_NOT_AN_OBJECT] = ROW("entry_not_an_object", INFO, ENTRY "it must be an object" TIMES ".",
				       FORWARDER_IS_WRONG),
	[GB_WRONG_TYPE] = ROW("wrong_type", INFO,
			      ENTRY "a member has another JSON type than the protocol gives it" TIMES ".",
			      FORWARDER_IS_WRONG),
	[GB_OUT_OF_RANGE] = ROW("out_of_range", INFO,
				ENTRY "a number lies outside what its member can hold" TIMES ".",
				FORWARDER_IS_WRONG),
	[GB_MISSING_MEMBER] = ROW("missing_member", INFO,
				  ENTRY "a member that it must have is missing" TIMES ".",
				  FORWARDER_IS_WRONG),
	[GB_BAD_FREQUENCY] = ROW("bad_frequency", INFO,
				 ENTRY "its frequency is none, or none of the region" TIMES ".",
				 FORWARDER_IS_WRONG),
	[GB_BAD_MODULATION] = ROW("bad_modulation", INFO, ENTRY "modu is not LORA, FSK or LR-FHSS" TIMES ".",
				  FORWARDER_IS_WRONG),
	[GB_BAD_DATA_RATE] = ROW("bad_data_rate", INFO,
				 ENTRY "its data rate is none of its modulation, or of the region" TIMES ".",
				 FORWARDER_IS_WRONG),
	[GB_BAD_CODING_RATE] = ROW("bad_coding_rate", INFO,
				   ENTRY "codr is longer than any coding rate" TIMES ".", FORWARDER_IS_WRONG),
	[GB_BAD_BASE64] = ROW("bad_base64", INFO, ENTRY "data is not base64" TIMES ".", FORWARDER_IS_WRONG),
	[GB_TOO_LONG] = ROW("too_long", INFO, ENTRY "the frame is longer than 255 bytes" TIMES ".",
			    FORWARDER_IS_WRONG),
	[GB_SIZE_DIFFERS] = ROW("size_differs", INFO, ENTRY "size and the length of data disagree" TIMES ".",
				FORWARDER_IS_WRONG),
	[GB_EMPTY_PAYLOAD] = ROW("empty_payload", DEBUG, FRAME "has no byte: heard, not forwarded" TIMES ".",
				 ""),
	[GB_CRC_BAD] = ROW("crc_bad", DEBUG, FRAME "failed its checksum: heard, not forwarded" TIMES ".",
			   "Some of these are normal: noise, and frames that met on the air. If most frames "
			   "fail, look at "
			   "the antenna and for interference."),
	[GB_BEYOND_RADIO] = ROW(
		"beyond_radio", INFO,
		"The frame has a frequency ({freq_hz:a:hz}) or a data rate that no LoRaWAN radio has: heard, "
		"not forwarded" TIMES ".",
		"Look at the gateway's channel configuration: lamppost gateway config EUI shows what it "
		"should be."),
	[GB_TX_ACK_UNASKED] = ROW("tx_ack_unasked", DEBUG,
				  "A TX_ACK from " FROM
				  " has a token ({token:b:hex}) that nobody waits for: late, repeated or "
				  "forged" TIMES ".",
				  ""),
	[GB_TX_ACK_FOREIGN] = ROW(
		"tx_ack_foreign", WARN,
		"A TX_ACK came from " FROM ", and the downlink went to {sent_to:b:ip}: not taken" TIMES ".",
		"Somebody answers in the gateway's place, or its network sends each way over another line: "
		"pin its source_cidr, or put both behind one address."),
	[GB_GATEWAY_MOVED] = ROW(
		"gateway_moved", INFO_GOING,
		"{gateway} now pulls from " FROM ", before that from {was:b:ip}; move number {moves:c}.", ""),
	[GB_GATEWAY_FLAPPING] = ROW(
		"gateway_flapping", WARN,
		"The address of {gateway} changes again and again, now from {was:b:ip} to " FROM
		", {moves:c:count move}: two gateways with one EUI, or a forger.",
		"Look for a second gateway with this EUI; give each its own. Pin the right one: lamppost "
		"gateway "
		"update EUI --source-cidr CIDR."),
	[GB_GATEWAY_SETTLED] = ROW(
		"gateway_settled", INFO_GOOD,
		"The address of {gateway} has stayed the same for a minute again: " FROM ".", ""),
	[GB_GATEWAY_RESTARTED] = ROW(
		"gateway_restarted", INFO_GOING,
		"The counter of {gateway} at " FROM
		" began again, it stands at {ticks_s:b:s}: it has restarted, {restarts:c:count time} since "
		"the bridge started.",
		""),
	[GB_TICKS_JUMPED] = ROW("ticks_jumped", INFO,
				"The counter of {gateway} at " FROM
				" is {off_ms:b:signed} ms from where its clock must be: frames held back, or "
				"two gateways with "
				"one EUI" TIMES ".",
				"Look at the gateway's backhaul; see whether another gateway has this EUI."),
	[GB_GATEWAY_SILENT] = ROW(
		"gateway_silent",
		WARN, "Nothing was heard from {gateway} for {silent_s:b:s}; it was last heard from " FROM ".",
		"Check its power and its network."),
	[GB_NO_PATH] = ROW("no_path", WARN,
			   "A downlink for {gateway} was not sent: its last PULL_DATA is {pulled_s:b:s or "
			   "none} old, of 90 s "
			   "at most, so there is no address to send it to" TIMES ".",
			   "Check the gateway's network; its forwarder must send PULL_DATA every few seconds "
			   "(keepalive_interval)."),
	[GB_TOO_MANY_IN_FLIGHT] = ROW(
		"too_many_in_flight",
		WARN,
		"A downlink for {gateway} was not sent: {waiting:b} wait for their TX_ACK already" TIMES ".",
		"Gateways that answer no downlink hold places: see which have no_tx_ack."),
	[GB_NO_TX_ACK] = ROW("no_tx_ack", DEBUG,
			     "{gateway} sent no TX_ACK in {waited_ms:b:ms}, until a second after the frame's "
			     "time: counted as "
			     "sent" TIMES ".",
			     "Protocol version 1 has no TX_ACK. Version 2: see that the way from the gateway "
			     "is not blocked."),
	[GB_RING_FULL] = ROW(
		"ring_full",
		WARN,
		"The ring towards the network server was full: {dropped:b:count message} went, the oldest "
		"first" TIMES ".",
		"See that the network server runs and keeps up: lamppost status."),
	[GB_RING_EXPIRED] = ROW(
		"ring_expired",
		WARN, "{dropped:b:count message} grew too old while the network server was away" TIMES ".",
		"See that the network server runs: lamppost status."),
	[GB_JOIN_TOO_OLD] = ROW(
		"join_too_old",
		INFO, "{dropped:b:count join-request} waited until their receive windows were over" TIMES ".",
		"See that the network server runs: lamppost status."),
	[GB_REPORT_REFUSED] = ROW("report_refused", ERROR,
				  "A message about {gateway} (kind {kind:a}) was given up: the link to the "
				  "network server ended on it "
				  "{ends:b:count time} in a row" TIMES ".",
				  "Run bridge and network server of one version; report it with both logs."),
	[GB_LIST_REFUSED] =
		ROW("list_refused", ERROR,
		    "The gateway list was refused: more than {limit:b} rows, or an address range that is "
		    "none" TIMES ".",
		    "Look at the gateways' source_cidr and their number; the list of before stays in use."),
	[GB_MESSAGE_REFUSED] =
		ROW("message_refused", ERROR,
		    "The network server sent a message (kind {kind:b}) that a bridge does not take" TIMES ".",
		    "Run bridge and network server of one version."),
	[GB_OUTBOX_FULL] = ROW(
		"outbox_full",
		ERROR, "A datagram was not sent: {waiting:b} wait to leave already" TIMES ".",
		"The machine is too slow for its gateways, or a flood comes in: see the rates in /metrics."),
	[GB_UNKNOWN_MESSAGE] = ROW("unknown_message", DEBUG,
				   STATION "its msgtype is none that stations send" TIMES ".", ""),
	[GB_BAD_EUI] = ROW("bad_eui", INFO,
			   STATION "an EUI or router id is written in no known form" TIMES ".",
			   STATION_IS_WRONG),
	[GB_BAD_HEX] = ROW("bad_hex", INFO,
			   STATION "bytes are not written in pairs of hexadecimal digits" TIMES ".",
			   STATION_IS_WRONG),
	[GB_BAD_FRAME] = ROW("bad_frame", INFO,
			     STATION "MHdr, FOpts or FPort do not fit a frame of its msgtype" TIMES ".",
			     STATION_IS_WRONG),
	[GB_CERTIFICATE_FOREIGN] = ROW(
		"certificate_foreign",
		WARN,
		"A connection from " FROM
		" calls itself {gateway} and presents a certificate that is not that gateway's: refused" TIMES
		".",
		"Somebody uses its EUI, or the files of two gateways were mixed up: lamppost gateway "
		"certificate EUI list."),
	[GB_CERTIFICATE_VOID] = ROW(
		"certificate_void",
		WARN, "{gateway} presents a certificate that was revoked, from " FROM ": refused" TIMES ".",
		"If the gateway is yours, give it a new one: lamppost gateway certificate EUI issue. "
		"If not, somebody has its old key."),
	[GB_CERTIFICATE_EXPIRED] = ROW("certificate_expired", WARN,
				       "{gateway} presents a certificate whose time is over, from " FROM
				       ": refused" TIMES ".",
				       "Give it a new one: lamppost gateway certificate EUI renew. See why "
				       "CUPS did not renew it in time."),
	[GB_TOKEN_WRONG] = ROW(
		"token_wrong",
		WARN, "{gateway} presents a token that is not its own, from " FROM ": refused" TIMES ".",
		"If the gateway is yours, give it a new one: lamppost gateway token EUI rotate. If not, "
		"somebody tries tokens from that address."),
	[GB_CREDENTIAL_NOT_ALLOWED] =
		ROW("credential_not_allowed", WARN,
		    "{gateway} calls from " FROM
		    " with a kind of credential that its record does not accept: refused" TIMES ".",
		    "See what its record accepts: lamppost gateway show EUI; change it with lamppost gateway "
		    "update "
		    "EUI --accept-certificate true, --accept-token true."),
	[GB_CREDENTIAL_MISSING] =
		ROW("credential_missing", WARN,
		    "A connection from " FROM
		    " calls itself {gateway} and presents neither certificate nor token: refused" TIMES ".",
		    "Give the gateway its credential: lamppost gateway certificate EUI issue, or "
		    "lamppost gateway token EUI issue."),
};

#define CHECK_FORWARDER                                                                                      \
	"Check its power, its network, and the server address and port that it is set to: lamppost gateway " \
	"config EUI "                                                                                        \
	"shows what they should be."

/* {gateway} as it is now. a: the address of its last datagram, b and c as the row says. */
static const struct decision_rule present[GB_PRESENT_COUNT] = {
	[GB_NOW_UNREGISTERED] = ROW(
		"now_unregistered", INFO,
		"{gateway} is not registered: {datagrams:b:count datagram} of it came, the last {ago_s:c:s} "
		"ago from " FROM ".",
		"If it is yours, register it: lamppost gateway add EUI."),
	[GB_NOW_OTHER_PROTOCOL] = ROW(
		"now_other_protocol", INFO,
		"{gateway} is registered to come by another protocol or credential than it does: "
		"{dropped:b:count message} of it refused.",
		"Set the gateway to what it is registered for; the decisions below say by which rule."),
	[GB_NOW_NEVER_HEARD] = ROW(
		"now_never_heard", WARN,
		"{gateway} is registered, and no datagram of it was taken in the {up_s:b:s} since the bridge "
		"started; {dropped:c} were refused.",
		CHECK_FORWARDER),
	[GB_NOW_SILENT] = ROW("now_silent", WARN,
			      "{gateway} is silent: its last datagram came {ago_s:b:s} ago from " FROM
			      ", {moves:c:count move} since the bridge started.",
			      CHECK_FORWARDER),
	[GB_NOW_FLAPPING] = ROW(
		"now_flapping", WARN,
		"{gateway} is online, and its address changes again and again, now " FROM ": {moves:b:count "
		"move}, heard {ago_s:c:s} ago.",
		"Look for a second gateway with this EUI; give each its own. Pin the right one: lamppost "
		"gateway update EUI --source-cidr CIDR."),
	[GB_NOW_STATION_ALTERNATES] = ROW(
		"now_station_alternates", WARN,
		"{gateway} is connected from " FROM
		" ({ago_s:c:s} ago), and its connections replace each other again "
		"and again, {moves:b:count time}.",
		"Look for a second gateway with this EUI and its credential; give each its own."),
	[GB_NOW_MQTT_ALTERNATES] = ROW(
		"now_mqtt_alternates", WARN,
		"Two gateways seem to share {gateway}, heard {ago_s:c:s} ago by the broker at " FROM
		": {moves:b:count move}.",
		"Look for a second gateway with this EUI; give each its own, and its own user."),
	[GB_NOW_NO_PATH] = ROW(
		"now_no_path", WARN,
		"{gateway} is heard from " FROM
		" ({ago_s:c:s} ago, {uplinks:b:count frame} forwarded), and nothing "
		"can be sent to it: it has not pulled for 90 s.",
		"Its forwarder must send PULL_DATA every few seconds (keepalive_interval); a firewall may "
		"let only its uplinks through."),
	[GB_NOW_ONLINE] = ROW("now_online", DEBUG_GOOD,
			      "{gateway} is online: heard {ago_s:c:s} ago from " FROM
			      ", {uplinks:b:count frame} forwarded since the bridge started.",
			      ""),
	[GB_NOW_STATION] = ROW("now_station", DEBUG_GOOD,
			       "{gateway} is connected by its station from " FROM
			       ": heard {ago_s:c:s} ago, {uplinks:b:count frame} forwarded since the bridge "
			       "started.",
			       ""),
	[GB_NOW_MQTT] = ROW("now_mqtt", DEBUG_GOOD,
			    "{gateway} is online by MQTT: heard {ago_s:c:s} ago by the broker at " FROM
			    ", {uplinks:b:count frame} forwarded since the bridge started.",
			    ""),
	[GB_NOW_PULLED] = ROW("now_pulled", DEBUG_GOOD,
			      "The last PULL_DATA came {ago_s:b:s} ago from " FROM
			      "; {moves:c:count move} since the bridge "
			      "started.",
			      ""),
	[GB_NOW_NEVER_PULLED] = ROW(
		"now_never_pulled", INFO,
		"No PULL_DATA was taken in the {up_s:b:s} since the bridge started: nothing can be sent to "
		"{gateway}.",
		"Its forwarder must send PULL_DATA every few seconds (keepalive_interval); a firewall may "
		"let only its uplinks through."),
	[GB_NOW_PUSHED] = ROW("now_pushed", DEBUG_GOOD,
			      "The last PUSH_DATA came {ago_s:b:s} ago; {restarts:c:count restart} of "
			      "{gateway} since the bridge "
			      "started.",
			      ""),
	[GB_NOW_NEVER_PUSHED] = ROW(
		"now_never_pushed", INFO,
		"No PUSH_DATA was taken in the {up_s:b:s} since the bridge started: {gateway} has brought no "
		"frame and no statistics.",
		"A forwarder sends its statistics every 30 s at least: see whether its uplinks go to another "
		"server or port."),
	[GB_NOW_CRC] = ROW(
		"now_crc", INFO_GOING,
		"Of the frames that {gateway} heard since the bridge started, {bad:a} failed their checksum "
		"and "
		"{good:b} were forwarded ({bad_percent:c:percent} bad).",
		"Some bad ones are normal. If most fail, look at the antenna and for interference."),
	[GB_NOW_DROPPED] = ROW("now_dropped", WARN_GOING,
			       "{dropped:b:count datagram or frame} of {gateway} were refused since the "
			       "bridge started, by its "
			       "limits or for where they came from.",
			       "The decisions below say by which rule, and with what numbers."),
};

static const struct decision_table tables[GB_TABLE_COUNT] = {
	[GB_TABLE_VERDICTS] = {"bridge", verdicts, GB_MQTT_VERDICTS},
	[GB_TABLE_PRESENT] = {"present", present, GB_PRESENT_COUNT},
	[GB_TABLE_STATION] = {"station", gb_station_rules, GB_VERDICT_COUNT - GB_STATION_VERDICTS},
	[GB_TABLE_MQTT] = {"mqtt", gb_mqtt_rules, GB_MQTT_RULES},
};
const struct decision_book gb_rules = {"gateway-bridge", tables, GB_TABLE_COUNT};

void gb_verdict_record(enum gb_verdict verdict, struct decision *decision)
{
	ASSERT_CMP(verdict, <, GB_VERDICT_COUNT);
	enum gb_verdict first = 0;
	decision->table = GB_TABLE_VERDICTS;
	if (verdict >= GB_STATION_VERDICTS) {
		decision->table = GB_TABLE_STATION;
		first = GB_STATION_VERDICTS;
	} else if (verdict >= GB_MQTT_VERDICTS) {
		decision->table = GB_TABLE_MQTT;
		first = GB_MQTT_VERDICTS;
	}
	decision->verdict = (uint8_t)(verdict - first);
}

const struct decision_rule *gb_verdict_row(enum gb_verdict verdict)
{
	struct decision at = {0};
	gb_verdict_record(verdict, &at);
	return &tables[at.table].rules[at.verdict];
}

const char *gb_verdict_name(enum gb_verdict verdict)
{
	return gb_verdict_row(verdict)->name;
}
