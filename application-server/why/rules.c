#include "application-server/why/rules.h"

#include "application-server/downlinks/intake.h"
#include "application-server/downlinks/queue.h"
#include "application-server/why/why.h"
#include "common/base/check.h"
#include "common/proto/join_report.h"
#include "common/text/cayenne_lpp.h"
#include "common/text/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name, level, sentence, next)                        \
	{                                                       \
		name, DECISION_AS_##level, sentence, next, NULL \
	}

static const struct decision_rule uplink_rules[AS_PAYLOAD_VERDICT_COUNT] = {
	[AS_PAYLOAD_STORED] = ROW(
		"payload_stored", DEBUG_GOOD,
		"Uplink {fcnt:a} was stored with its {length:bl:bytes} on port {port:c} as they "
		"are: the profile has no codec.",
		""),
	[AS_PAYLOAD_EMPTY] = ROW("payload_empty", DEBUG_GOOD,
				 "Uplink {fcnt:a} was stored; it carried nothing for the application.", ""),
	[AS_PAYLOAD_NO_SESSION_KEY] = ROW(
		"no_session_key", WARN,
		"The {length:bl:bytes} of uplink {fcnt:a} on port {port:c} were stored and delivered as "
		"ciphertext: there is no session key of the device here.",
		"Let the device join anew; for ABP set its key: lamppost device keys set EUI --app-s-key."),
	[AS_PAYLOAD_HELD] = ROW("payload_held_by_agency", DEBUG_GOOD,
				"The {length:bl:bytes} of uplink {fcnt:a} on port {port:c} were stored and "
				"delivered as they came: "
				"the agency alone has the key.",
				""),
};

static const struct decision_rule codec_rules[] = {
	[CODEC_DECODED] = ROW(
		"codec_decoded", DEBUG_GOOD,
		"Uplink {fcnt:a} was stored, its {length:bl:bytes} on port {port:c} read by the "
		"profile's codec: {values:bh:count value}.",
		""),
	[CODEC_NO_FIELDS] = ROW(
		"codec_no_fields", INFO,
		"Uplink {fcnt:a} was stored undecoded: the profile's codec has no field for port {port:c}, "
		"on "
		"which its {length:bl:bytes} came.",
		"Add fields with this fport to the profile's codec, or none if that port is of no use."),
	[CODEC_PAYLOAD_TOO_SHORT] = ROW(
		"codec_payload_too_short", WARN,
		"Uplink {fcnt:a} was stored undecoded: field number {field:bh} of the profile's codec lies "
		"beyond its {length:bl:bytes} on port {port:c}.",
		"Compare the codec's offsets with the maker's manual; the device may have another firmware."),
};

static const struct decision_rule lpp_rules[] = {
	[LPP_DECODED] = ROW(
		"lpp_decoded", DEBUG_GOOD,
		"Uplink {fcnt:a} was stored, its {length:bl:bytes} on port {port:c} read as Cayenne "
		"LPP: {values:bh:count value}.",
		""),
	[LPP_TRUNCATED] = ROW("lpp_truncated", WARN,
			      "Uplink {fcnt:a} was stored undecoded: the Cayenne LPP value at byte {at:bh} "
			      "does not fit into "
			      "its {length:bl:bytes} on port {port:c}.",
			      "The payload is not Cayenne LPP, or cut by the firmware: see whether the "
			      "profile's codec is the "
			      "device's."),
	[LPP_UNKNOWN_TYPE] = ROW(
		"lpp_unknown_type", WARN,
		"Uplink {fcnt:a} was stored undecoded: the value at byte {at:bh} of its {length:bl:bytes} on "
		"port {port:c} has a type that Cayenne LPP does not have.",
		"The payload is not Cayenne LPP: choose the profile's codec anew."),
	[LPP_TOO_LONG] = ROW(
		"lpp_too_long", WARN,
		"Uplink {fcnt:a} was stored undecoded: its {length:bl:bytes} on port {port:c} hold "
		"more Cayenne LPP values than any frame.",
		"The payload is not Cayenne LPP: choose the profile's codec anew."),
};

static const struct decision_rule seal_rules[AS_SEAL_VERDICT_COUNT] = {
	[AS_SEALED] = ROW("sealed", DEBUG_GOOD, "{item} was encrypted under counter {fcnt_down:a}.", ""),
	[AS_SEAL_UNKNOWN_ITEM] = ROW(
		"seal_unknown_item", WARN,
		"Counter {fcnt_down:a} was spent without {item}: it is not known here any more.",
		"Send it again if it is still wanted."),
	[AS_SEAL_ITEM_ENDED] = ROW("seal_item_ended", INFO_GOING,
				   "Counter {fcnt_down:a} was spent without {item}: it had ended "
				   "here, and a command does "
				   "not reach its device twice.",
				   ""),
	[AS_SEAL_PAYLOAD_UNREADABLE] = ROW("seal_payload_unreadable", ERROR,
					   "Counter {fcnt_down:a} was spent without {item}: its "
					   "kept payload does not open under "
					   "this server's master key.",
					   "See that STATE/keys/application-server.master is the one that "
					   "city.db was written with; send "
					   "the downlink again."),
	[AS_SEAL_NO_SESSION_KEY] = ROW(
		"seal_no_session_key", WARN,
		"{item} could not be encrypted under counter {fcnt_down:a}: there is no session key "
		"of "
		"the device here.",
		"Let the device join anew; for ABP set its key: lamppost device keys set EUI --app-s-key."),
	[AS_SEAL_HELD] = ROW(
		"seal_held_by_agency", WARN,
		"{item} could not be encrypted under counter {fcnt_down:a}: the agency alone has the "
		"device's AppSKey since its last join.",
		"Send it encrypted, where the agency's KEK is: lamppost downlink send EUI --kek FILE."),
};

static const struct decision_rule command_rules[AS_ENQUEUED_COUNT] = {
	[AS_ENQUEUED] = ROW("command_queued", DEBUG, "{item} was taken: {length:a:bytes} for port {port:c}.",
			    ""),
	[AS_ENQUEUED_BEFORE] = ROW("command_known", DEBUG,
				   "{item} came again with the same {length:a:bytes} for port {port:c}: "
				   "it is known by its id and not sent twice.",
				   ""),
	[AS_ID_TAKEN] = ROW(
		"command_id_taken", WARN,
		"A downlink of {length:a:bytes} for port {port:c} was refused: its id, of {item}, is that "
		"of another one.",
		"Give every command an id of its own, or none."),
	[AS_DEVICE_FULL] = ROW(
		"command_device_full", WARN,
		"{item} of {length:a:bytes} for port {port:c} was refused: {limit:b} downlinks wait "
		"for "
		"the device already.",
		"See lamppost downlink list EUI, and why the device is not reached: lamppost why device EUI. "
		"lamppost downlink flush EUI drops them."),
	[AS_AGENCY_FULL] = ROW(
		"command_agency_full", WARN,
		"{item} of {length:a:bytes} for port {port:c} was refused: {limit:b} downlinks wait "
		"for "
		"the agency's devices already.",
		"Find what sends without end; lamppost downlink flush EUI drops what waits for a device."),
	[AS_DEVICE_QUOTA] = ROW("command_device_quota", WARN,
				"{item} for port {port:c} was refused: {used_ms:a:ms} of the device's "
				"downlink airtime of today, "
				"{quota_s:b:s}, are used or wait, and it does not fit into the rest.",
				"It frees at midnight UTC. lamppost airtime --device EUI shows what used it; "
				"lamppost device update "
				"EUI --airtime-down-s-per-day N raises it."),
	[AS_AGENCY_QUOTA] = ROW(
		"command_agency_quota", WARN,
		"{item} for port {port:c} was refused: {used_ms:a:ms} of the agency's downlink airtime of "
		"today, "
		"{quota_s:b:s}, are used or wait, and it does not fit into the rest.",
		"It frees at midnight UTC. lamppost airtime --agency AGENCY shows what used it; the city's "
		"administrators may raise it."),
	[AS_TOO_LONG] = ROW("command_too_long", WARN,
			    "{item} of {length:a:bytes} for port {port:c} was refused: the device's "
			    "region carries "
			    "{limit:b:bytes} at most, at its best data rate.",
			    "Split it into shorter ones."),
	[AS_NO_ENCODER] = ROW(
		"command_no_encoder", WARN,
		"A downlink for port {port:c} was refused: it is an object, and the profile's codec "
		"only decodes.",
		"Send data (base64) or hex, or give the profile a codec that encodes."),
	[AS_NOT_ENCODED] = ROW(
		"command_not_encoded", WARN,
		"A downlink for port {port:c} was refused: the profile's codec cannot write its "
		"object.",
		"The answer to the command, or the device's event/log, says which member is wrong."),
	[AS_KEY_IS_HELD] = ROW(
		"command_in_clear", WARN,
		"A downlink of {length:a:bytes} for port {port:c} was refused: it came in clear, and the "
		"city does not have the device's AppSKey: its agency holds it, or it has not come yet.",
		"Send it encrypted, where the agency's KEK is: lamppost downlink send EUI --kek FILE; by "
		"MQTT with isEncrypted and fCntDown."),
};

static const struct decision_rule intake_rules[AS_INTAKE_VERDICTS] = {
	[AS_INTAKE_TAKEN] = ROW("mqtt_taken", DEBUG,
				"A command of {length:a:bytes} came by MQTT and was taken.", ""),
	[AS_INTAKE_REPEATED] = ROW(
		"mqtt_repeated", DEBUG,
		"A command of {length:a:bytes} came by MQTT again: known by its id, not sent "
		"twice.",
		""),
	[AS_INTAKE_DUPLICATE] = ROW(
		"mqtt_duplicate", DEBUG,
		"The broker delivered a command of {length:a:bytes} again: not sent twice.", ""),
	[AS_INTAKE_OTHER] = ROW(
		"mqtt_other", DEBUG,
		"A message of {length:a:bytes} on the device's command topic is no down command.",
		"Publish to .../command/down."),
	[AS_INTAKE_RETAINED] = ROW(
		"mqtt_retained", WARN,
		"A retained command of {length:a:bytes} was not taken: it would come again with every start.",
		"Publish commands without the retain flag, and clear the retained one with an empty "
		"message."),
	[AS_INTAKE_NO_DEVICE] = ROW(
		"mqtt_no_device", INFO,
		"A command of {length:a:bytes} named the device under an application that it is "
		"not in.",
		"Use the application's UUID of the device's own events in the topic."),
	[AS_INTAKE_TOO_FAST] = ROW("mqtt_too_fast", WARN,
				   "A command of {length:a:bytes} was lost: the application sends more than "
				   "{limit:b} a second.",
				   "Send more slowly; see what sends without end."),
	[AS_INTAKE_MALFORMED] = ROW(
		"mqtt_malformed", WARN, "A command of {length:a:bytes} could not be read.",
		"The device's event/log says which member is wrong; docs/commands.md has the form."),
	[AS_INTAKE_REFUSED] = ROW(
		"mqtt_refused", WARN,
		"A command of {length:a:bytes} came by MQTT and was refused by the device's queue.",
		"The decision beside this one says by which rule."),
};

static const struct decision_rule airtime_rules[AS_AIRTIME_VERDICT_COUNT] = {
	[AS_AIRTIME_DEVICE_BEYOND] = ROW("airtime_device_beyond", WARN,
					 "The device used {used_s:a:s} of uplink airtime today, its quota is "
					 "{quota_s:b:s}; it is heard all "
					 "the same.",
					 "See how often it sends and at which data rate: lamppost device "
					 "status EUI. A device that never lets "
					 "go of a slow data rate has ADR switched off."),
	[AS_AIRTIME_AGENCY_BEYOND] = ROW("airtime_agency_beyond", WARN,
					 "With this device the agency's devices used {used_s:a:s} of uplink "
					 "airtime today, their quota is "
					 "{quota_s:b:s}; they are heard all the same.",
					 "lamppost airtime --agency AGENCY shows which devices use most."),
};

/* In the order of enum bi_result, in the spelling of TS002 1.1. */
static const char *const result_words[] = {"Success",
					   "MICFailed",
					   "JoinReqFailed",
					   "NoRoamingAgreement",
					   "DevRoamingDisallowed",
					   "RoamingActDisallowed",
					   "ActivationDisallowed",
					   "UnknownDevEUI",
					   "UnknownDevAddr",
					   "UnknownSender",
					   "UnkownReceiver",
					   "Deferred",
					   "XmitFailed",
					   "InvalidFPort",
					   "InvalidProtocolVersion",
					   "StaleDeviceProfile",
					   "MalformedMessage",
					   "FrameSizeError",
					   "Other",
					   "NoAction",
					   "FrameReplayed",
					   NULL};

#define APP_KEY "app_s_key_"
static const struct decision_rule app_key_rules[AS_APP_KEY_VERDICT_COUNT] = {
	[AS_APP_KEY_FETCHED] = ROW(APP_KEY "fetched", DEBUG_GOOD,
				   "The AppSKey that a join had left out came from the join server.", ""),
	[AS_APP_KEY_UNKNOWN] =
		{APP_KEY "unknown", DECISION_AS_WARN,
		 "The join server does not have the AppSKey of a session of the device ({result:a:word}): it "
		 "does not know the device, or does not keep the session any more.",
		 "Let the device join anew: a join server keeps the keys of its last sessions, ours of two. "
		 "If "
		 "that does not help see whether it knows the device: lamppost join list.",
		 result_words},
	[AS_APP_KEY_REFUSED] = {APP_KEY "refused", DECISION_AS_WARN,
				"The join server refused the AppSKey of a session of the device: "
				"{result:a:word}.",
				"Ask who runs the join server whether this city's application server may "
				"have the key; join-server.peers is where ours says so. The device's next "
				"join is asked for anew.",
				result_words},
	[AS_APP_KEY_IN_CLEAR] = ROW(
		APP_KEY "in_clear", WARN,
		"The join server gave an AppSKey of the device in clear, or under no label: it was not kept.",
		"Have who runs the join server wrap it under a KEK, this city's or the agency's."),
	[AS_APP_KEY_OTHER_KEK] = ROW(
		APP_KEY "other_kek", WARN,
		"The AppSKey of a session of the device came under this city's label, and this city's KEK "
		"does not open it: it was not kept.",
		"See that STATE/keys/kek-application.join-server and kek-application.application-server "
		"hold the same; then let the device join anew."),
	[AS_APP_KEY_NO_MESSAGE] = ROW(
		APP_KEY "no_message", WARN,
		"The join server's answer about the AppSKey of a session of the device could not be used: "
		"it was no AppSKeyAns, or one for another device.",
		"See the join server's log: lamppost doctor says whether it is well."),
	[AS_APP_KEY_NO_ANSWER] = ROW(
		APP_KEY "no_answer", WARN,
		"The join server did not answer when it was asked for the AppSKey of a session of the "
		"device (HTTP {http:a:number or none}); it is asked again, every five seconds at last.",
		"See that the join server runs: lamppost status. Until it answers the device's payloads "
		"are stored as ciphertext."),
};

const char *as_app_key_reason(enum as_app_key_verdict verdict)
{
	return app_key_rules[verdict].name + strlen(APP_KEY);
}

static const struct decision_table tables[AS_TABLE_COUNT] = {
	[AS_TABLE_UPLINK] = {"uplink", uplink_rules, ARRAY_SIZE(uplink_rules)},
	[AS_TABLE_CODEC] = {"codec", codec_rules, ARRAY_SIZE(codec_rules)},
	[AS_TABLE_LPP] = {"cayenne_lpp", lpp_rules, ARRAY_SIZE(lpp_rules)},
	[AS_TABLE_SEAL] = {"seal", seal_rules, ARRAY_SIZE(seal_rules)},
	[AS_TABLE_COMMAND] = {"command", command_rules, ARRAY_SIZE(command_rules)},
	[AS_TABLE_AIRTIME] = {"airtime", airtime_rules, ARRAY_SIZE(airtime_rules)},
	[AS_TABLE_APP_KEY] = {"app_s_key", app_key_rules, ARRAY_SIZE(app_key_rules)},
	[AS_TABLE_INTAKE] = {"mqtt", intake_rules, ARRAY_SIZE(intake_rules)},
};
const struct decision_book as_rules = {"application-server", tables, ARRAY_SIZE(tables)};

/* --- recording and reading --------------------------------------------------------------------------------------- */

void as_rules_add(struct decision_euis *decisions, struct wall now, const struct lw_eui64 *dev_eui,
		  const struct net_uuid *item, const struct decision *said)
{
	struct decision decision = *said;
	decision.other = DECISION_NO_OTHER;
	decision.about = item ? DECISION_ABOUT_ITEM : DECISION_ABOUT_NOTHING;
	decision.ref = item ? decision_ref(item->bytes) : 0;
	decision_euis_add(decisions, now, dev_eui->bytes, &decision);
}

static json_t *json_of(void (*write)(FILE *out, const void *ctx), const void *ctx)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	write(out, ctx);
	json_t *json = fclose(out) == 0 ? json_loadb(text, length, 0, NULL) : NULL;
	free(text);
	return json;
}

struct told {
	const struct decision *decision;
	struct decision_names names;
};

static void write_decision(FILE *out, const void *ctx)
{
	const struct told *told = ctx;
	decision_json(out, &as_rules, told->decision, &told->names);
}

void as_rules_list(const struct decision_euis *decisions, const struct lw_eui64 *dev_eui, size_t limit,
		   json_t *list)
{
	struct told told = {.decision = decision_euis_newest(decisions, dev_eui->bytes)};
	lw_eui64_format(told.names.device, dev_eui);
	for (size_t i = 0; told.decision && i < limit; i++) {
		json_t *json = json_of(write_decision, &told);
		if (json)
			json_array_append_new(list, json);
		told.decision = decision_older(&decisions->ring, told.decision);
	}
}

static void write_rules(FILE *out, const void *ctx)
{
	(void)ctx;
	decision_rules_json(out, &as_rules);
}

static void add_rule(json_t *list, const char *table, const char *verdict, enum decision_kind kind,
		     const char *sentence, const char *next)
{
	json_array_append_new(list, json_pack("{ss ss ss ss ss ss}", "process", as_rules.process, "table",
					      table, "verdict", verdict, "kind", decision_kind_name(kind),
					      "sentence", sentence, "next", next));
}

json_t *as_rules_json(void)
{
	json_t *all = json_of(write_rules, NULL), *list = json_object_get(all, "rules");
	for (int i = 0; list && i < NET_JOIN_VERDICT_COUNT; i++) {
		const struct net_join_row *row = net_join_row((enum net_join_verdict)i);
		add_rule(list, "join", row->name, as_why_join_kind(row), row->sentence, row->next);
	}
	for (int i = 0; list && i < NET_ITEM_STATUS_COUNT; i++) {
		const struct as_item_row *row = as_item_row((enum net_item_status)i);
		add_rule(list, "downlink", net_item_status_name((enum net_item_status)i), row->kind,
			 row->sentence, row->next);
	}
	return all;
}
