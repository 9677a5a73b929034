/* The rules of Basics Station's flow (bridge_station.h). Numbers of a record: a is the station's address where the row says FROM. */
#include "gateway-bridge/verdict_rows.h"

#define RULE(verdict) [verdict - GB_STATION_VERDICTS]
#define ENDED         "The connection of {gateway} from " FROM " ended after {up_s:b:s}: "
#define NOT_SENT      "A downlink for {gateway} on {freq_hz:a:hz} was not sent: "
#define LINE          "Look at the line between here and the gateway, and at what else uses it."

const struct decision_rule gb_station_rules[GB_VERDICT_COUNT - GB_STATION_VERDICTS] = {
	RULE(GB_STATION_DISCOVERED) = ROW(
		"station_discovered", DEBUG_GOOD,
		"The station of {gateway} asked at " FROM " where to connect, and was told" TIMES ".", ""),
	RULE(GB_STATION_CONNECTED) = ROW("station_connected", INFO_GOOD,
					 "The station of {gateway} is connected from " FROM
					 " and was given its channels ({channels:b:count channel}).",
					 ""),
	RULE(GB_STATION_ENDED) = ROW("station_closed", INFO_GOING, ENDED "the station closed it.", ""),
	RULE(GB_STATION_BROKE) = ROW("station_lost", INFO, ENDED "it broke on the way.", LINE),
	RULE(GB_STATION_NO_PONG) = ROW(
		"station_no_pong", WARN,
		ENDED "it answered pings before, and left {pings:c:count ping} "
		      "unanswered: half open.",
		"Its network drops quiet connections, or the gateway was switched off. " LINE),
	RULE(GB_STATION_SLOW_READER) = ROW(
		"station_slow_reader", WARN,
		ENDED "it did not read what was sent to it, and more is not kept for one gateway.", LINE),
	RULE(GB_STATION_LONG_MESSAGE) = ROW(
		"station_long_message", WARN,
		ENDED "it sent a message longer than any that the protocol has.",
		"This is no station, or a broken one: look at what runs on the gateway."),
	RULE(GB_STATION_NOT_WEBSOCKET) = ROW(
		"station_not_websocket", WARN,
		ENDED "it sent bytes that are not WebSocket's, or broke off inside a message.",
		"This is no station, a broken one, or something on the way changes bytes."),
	RULE(GB_STATION_REPLACED) = ROW(
		"station_replaced", INFO_GOING,
		ENDED "the gateway has opened a new one, which takes its place; replacement number "
		      "{moves:c}.",
		""),
	RULE(GB_STATION_ALTERNATES) = ROW(
		"station_alternates", WARN,
		"Connections of {gateway} replace each other again and again, the last from " FROM
		", {moves:b:count time}: two gateways with one EUI, or one that drops its own connections.",
		"Look for a second gateway with this EUI and its credential; give each its own: lamppost "
		"gateway "
		"certificate EUI revoke, then issue."),
	RULE(GB_STATION_SETTLED) = ROW(
		"station_settled", INFO_GOOD,
		"The connection of {gateway} from " FROM " has not been replaced for a minute again.", ""),
	RULE(GB_STATION_FLOODS) = ROW(
		"station_floods", WARN, ENDED "{over:c} messages in a minute were over its limits.",
		"Somebody uses its credential, or its station has gone wild: look at the gateway, or "
		"revoke the credential. Raise gateway-bridge.rate_per_eui only if it is right."),
	RULE(GB_STATION_NO_VERSION) = ROW(
		"station_no_version", INFO, ENDED "it did not say what a station says first.",
		"Something that is no station connects there, or the line is too slow for it."),
	RULE(GB_STATION_OUT_OF_TURN) = ROW("station_out_of_turn", DEBUG,
					   "A message of {length:b:bytes} from " FROM
					   " came before `version`, or is a second one: not taken" TIMES ".",
					   ""),
	RULE(GB_STATION_REGION) = ROW(
		"station_region", WARN,
		"The station of {gateway} at " FROM
		" was refused: stations take the configuration of this gateway's region and then drop every "
		"downlink in it" TIMES ".",
		"Run a Semtech packet forwarder on that gateway, or correct its region: lamppost gateway "
		"update "
		"EUI --region REGION."),
	RULE(GB_STATION_PLAN) = ROW("station_plan", WARN,
				    "The station of {gateway} at " FROM
				    " was refused: the channels of its plan do not fit its receiver" TIMES
				    ".",
				    "See why: lamppost gateway config EUI --for station. Correct the plan: "
				    "lamppost gateway update EUI "
				    "--channel-plan LIST."),
	RULE(GB_STATION_NO_URL) = ROW("station_no_url", ERROR,
				      "The station of {gateway} at " FROM
				      " could not be told where to connect: station_url is not set, and the "
				      "name by which it called "
				      "us cannot be used" TIMES ".",
				      "Set gateway-bridge.station_url, as in wss://lns.example.org:3001."),
	RULE(GB_STATIONS_FULL) = ROW("stations_full", ERROR,
				     "A connection from " FROM
				     " was refused: {waiting:b} are open or being set up already" TIMES ".",
				     "Somebody opens connections and says nothing: see who, and block it."),
	RULE(GB_STATION_CHANGED) = ROW(
		"station_changed", INFO_GOING,
		ENDED "its record was changed; it connects again and is given its new channels.", ""),
	RULE(GB_STATION_STOPPED) = ROW("station_stopped", DEBUG, ENDED "the bridge ends.", ""),
	RULE(GB_STATION_CLOCK_BACK) = ROW(
		"station_clock_back", WARN,
		"The clock of {gateway} at " FROM
		" went back by {back_ms:b:ms} or began again: frames of before are not answered" TIMES ".",
		"Update its station. If it goes on, its concentrator restarts: look at its power."),
	RULE(GB_STATION_CLOCK_JUMPED) = ROW("station_clock_jumped", INFO,
					    "The clock of {gateway} at " FROM
					    " is {off_ms:b:signed} ms from where it must be: frames held "
					    "back, or a clock that was set" TIMES ".",
					    "Look at the gateway's line."),
	RULE(GB_STATION_NO_XTIME) = ROW(
		"station_no_xtime", INFO,
		"A frame came from {gateway} at " FROM
		" without the time of its reception: taken, and not answered by it" TIMES ".",
		STATION_IS_WRONG),
	RULE(GB_STATION_NO_TIME) = ROW("station_no_time", INFO,
				       "{gateway} at " FROM
				       " asked for the time, and was not told: this machine's clock is not "
				       "synchronised" TIMES ".",
				       "Run an NTP client on this machine."),
	RULE(GB_STATION_EVENT) = ROW("station_event", INFO_GOING,
				     "{gateway} at " FROM " reports an event, {length:b:bytes}" TIMES ".",
				     ""),
	RULE(GB_STATION_ERROR) = ROW("station_error", INFO,
				     "{gateway} at " FROM " reports an error, {length:b:bytes}" TIMES ".",
				     "See the log of the station itself."),
	RULE(GB_STATION_UNUSED) = ROW("station_unused", DEBUG,
				      "A message of {length:b:bytes} from " FROM
				      " is of a kind that nothing is done about" TIMES ".",
				      ""),
	RULE(GB_STATION_CONTEXT_GONE) = ROW(
		"station_context_gone", INFO,
		NOT_SENT "the frame that it answers was heard on an earlier connection, or too long "
			 "ago" TIMES ".",
		"Its line breaks often if this is frequent: see its connections."),
	RULE(GB_STATION_CANNOT_SEND) = ROW(
		"station_cannot_send", WARN,
		NOT_SENT "its station has no such frequency, data rate or time in its configuration" TIMES
			 ".",
		"See that the record of the gateway and the device's profile name one region."),
	RULE(GB_STATION_CUT) = ROW("station_cut", INFO,
				   NOT_SENT
				   "or nobody will know: the connection ended before the station said "
				   "so" TIMES ".",
				   ""),
	RULE(GB_NO_DNTXED) = ROW(
		"no_dntxed", INFO,
		"{gateway} did not say that it sent a downlink in {waited_ms:b:ms}, until 2.5 s after its "
		"time: not sent" TIMES ".",
		"A station drops what comes too late, collides or breaks its limits, and says nothing: "
		"see its round trip and its own log."),
	RULE(GB_DNTXED_UNASKED) = ROW("dntxed_unasked", DEBUG,
				      "{gateway} at " FROM
				      " says that it sent what nobody waits for: late, or repeated" TIMES ".",
				      ""),
	RULE(GB_STATION_REMOTE) = ROW("station_remote", WARN_GOING,
				      "An engineer ran a command on {gateway} at " FROM
				      ", or opened a shell: {length:b:bytes}" TIMES ".",
				      "Who it was stands in the audit: lamppost audit."),
};
