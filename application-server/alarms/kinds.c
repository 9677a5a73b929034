#include "application-server/alarms/kinds.h"

#include <string.h>

#define SECOND    US_PER_S
#define MINUTE    (60 * US_PER_S)
#define GATHER    (75 * US_PER_S) /* before one gateway is told of: its backhaul may be down */
#define GATEWAY   AS_SUBJECT_GATEWAY, AS_SOURCE_GATEWAYS
#define NO_STEPS  .warning = AS_NEVER, .critical = AS_NEVER, .within = AS_ALARM_KINDS
#define YES_OR_NO .raise = 1, .clear = 0, NO_STEPS

const struct as_alarm_kind as_alarm_kinds[AS_ALARM_KINDS] = {
	[AS_ALARM_SILENT] =
		{"silent", "gateway silent", GATEWAY, AS_WARNING, "s", .raise = 1, .clear = 0,
		 .warning = AS_NEVER, .critical = AS_NEVER, .within = AS_ALARM_OFFLINE, .of_silence = true,
		 .hold_raise = 30 * SECOND, .hold_clear = 60 * SECOND, .delay = GATHER,
		 .sentence = "Gateway {name} has not been heard for {value}. {detail}",
		 .cause = "Power or backhaul at the site, or the gateway's packet forwarder has stopped.",
		 .next = "See whether its neighbours on the same line are heard; see who is hit; then power, "
			 "line and "
			 "antenna at the site.",
		 .commands = "lamppost gateway show {subject}\nlamppost gateway impact {subject}\n"
			     "lamppost why gateway {subject}"},
	[AS_ALARM_OFFLINE] =
		{"offline", "gateway offline", GATEWAY, AS_CRITICAL, "s", .raise = 1, .clear = 0, NO_STEPS,
		 .of_silence = true, .hold_raise = 60 * SECOND, .hold_clear = 60 * SECOND, .delay = GATHER,
		 .sentence = "Gateway {name} is offline: not heard for {value}. {detail}",
		 .cause =
			 "It did not come back by itself: no power, a broken line, a SIM that is used up, or "
			 "a "
			 "gateway that hangs.",
		 .next = "Call whoever holds the site or the line; see which devices only this gateway "
			 "hears; "
			 "send "
			 "somebody.",
		 .commands = "lamppost gateway impact {subject}\nlamppost gateway show {subject}"},
	[AS_ALARM_BACKHAUL_SILENT] =
		{"backhaul_silent", "backhaul down", AS_SUBJECT_BACKHAUL, AS_SOURCE_GROUPS, AS_CRITICAL,
		 "gateways", YES_OR_NO, .of_silence = true, .hold_raise = 0, .hold_clear = 60 * SECOND,
		 .delay = 60 * SECOND, .sentence = "Backhaul {name}: {detail}",
		 .cause = "Gateways of one line fell silent together: the line or its provider, rarely the "
			  "gateways.",
		 .next = "Ask the provider of the line; when it is back, see that every member returned.",
		 .commands = "lamppost alarm explain backhaul_silent\nlamppost gateway list"},
	[AS_ALARM_CITY_SILENT] =
		{"city_silent", "all gateways silent", AS_SUBJECT_CITY, AS_SOURCE_GROUPS, AS_CRITICAL,
		 "gateways", YES_OR_NO, .of_silence = true, .hold_raise = 0, .hold_clear = 60 * SECOND,
		 .delay = 60 * SECOND, .sentence = "All gateways fell silent: {detail}",
		 .cause = "The city's own uplink, its firewall, or this machine's network; gateways of "
			  "different lines "
			  "do not fail together.",
		 .next = "See that this machine reaches the internet and that the gateways' ports (1700/udp, "
			 "3001, "
			 "3002) are open to them.",
		 .commands = "lamppost doctor\nlamppost status"},
	[AS_ALARM_UNSTABLE] =
		{"unstable", "unstable backhaul", GATEWAY, AS_WARNING, "outages in 24 h", .raise = 6,
		 .clear = 2, NO_STEPS, .hold_raise = 0, .hold_clear = 30 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} goes away and comes back: {value}. {detail}",
		 .cause = "Weak mobile reception, a SIM near its limit, or a power supply that fails under "
			  "load.",
		 .next = "Look at the times of the outages: regular ones point to the provider or a timer, "
			 "others to "
			 "reception or power.",
		 .commands = "lamppost gateway show {subject}\nlamppost why gateway {subject}"},
	[AS_ALARM_ADDRESS_MOVES] =
		{"address_moves", "address flaps", GATEWAY, AS_WARNING, "moves in an hour", .raise = 6,
		 .clear = 1, NO_STEPS, .hold_raise = 0, .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} changes its address again and again: {value}. {detail}",
		 .cause = "A carrier's address translation, two uplinks that take turns, or two gateways "
			  "with "
			  "one EUI.",
		 .next = "See from where it comes; pin the source if it is fixed, or move the gateway to "
			 "certificates.",
		 .commands = "lamppost gateway show {subject}\nlamppost gateway change {subject} --source "
			     "CIDR"},
	[AS_ALARM_CLOCK_DRIFT] =
		{"clock_drift", "clock drifts", GATEWAY, AS_WARNING, "ppm", .raise = 30, .clear = 20,
		 NO_STEPS, .hold_raise = 10 * MINUTE, .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "The clock of gateway {name} drifts by {value}; {raise} is too much. {detail}",
		 .cause = "An oscillator that ages or overheats: downlinks leave at the wrong moment and off "
			  "frequency.",
		 .next = "See its temperature; if that is usual, plan to replace the gateway's radio board.",
		 .commands = "lamppost gateway show {subject}"},
	[AS_ALARM_DUTY_CYCLE] =
		{"duty_cycle", "duty cycle used up", GATEWAY, AS_WARNING, "%", .raise = 80, .clear = 60,
		 .warning = AS_NEVER, .critical = 98, .within = AS_ALARM_KINDS, .hold_raise = 60 * SECOND,
		 .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} has used {value} of its duty cycle. {detail}",
		 .cause = "Many downlinks: confirmed uplinks, joins again and again, or commands to many "
			  "devices.",
		 .next = "See who uses the air; spread the commands, or let devices send unconfirmed.",
		 .commands = "lamppost airtime gateways\nlamppost airtime devices\nlamppost gateway show "
			     "{subject}"},
	[AS_ALARM_CRC_ERRORS] =
		{"crc_errors", "many CRC errors", GATEWAY, AS_NOTICE, "%", .raise = 60, .clear = 40,
		 .warning = 90, .critical = AS_NEVER, .within = AS_ALARM_KINDS, .hold_raise = 30 * MINUTE,
		 .hold_clear = 30 * MINUTE, .delay = GATHER,
		 .sentence = "{value} of what gateway {name} receives is broken (CRC). {detail}",
		 .cause = "Interference on its channels, a loose antenna or cable, or a device that floods.",
		 .next = "Compare with its neighbours: if they hear well it is the antenna or the cable, "
			 "else "
			 "the band.",
		 .commands = "lamppost gateway show {subject}\nlamppost frames --gateway {subject}"},
	[AS_ALARM_DOWNLINKS_REJECTED] =
		{"downlinks_rejected", "downlinks refused", GATEWAY, AS_WARNING, "%", .raise = 20, .clear = 5,
		 .warning = AS_NEVER, .critical = 80, .within = AS_ALARM_KINDS, .hold_raise = 60 * SECOND,
		 .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} refused {value} of its downlinks within the hour. {detail}",
		 .cause = "By cause: too late (slow line), frequency or power (its configuration), "
			  "collisions "
			  "(busy).",
		 .next = "Look at the causes; make its configuration fit the plan, or give it a faster line.",
		 .commands = "lamppost why gateway {subject}\nlamppost gateway config {subject}"},
	[AS_ALARM_PLAN_MISMATCH] =
		{"plan_mismatch", "channel plan differs", GATEWAY, AS_WARNING, "", YES_OR_NO,
		 .hold_raise = 60 * SECOND, .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} does not use the channel plan of its record. {detail}",
		 .cause = "The gateway's configuration, or the record: region or sub-band differ.",
		 .next = "Write its configuration anew, or put the record right.",
		 .commands = "lamppost gateway config {subject}\nlamppost gateway show {subject}"},
	[AS_ALARM_DUPLICATE_EUI] =
		{"duplicate_eui", "two with one EUI", GATEWAY, AS_CRITICAL, "", YES_OR_NO,
		 .hold_raise = 30 * SECOND, .hold_clear = 60 * MINUTE, .delay = GATHER,
		 .sentence = "Two gateways seem to use the EUI of {name}. {detail}",
		 .cause = "A cloned memory card, an EUI typed twice, or somebody who pretends to be this "
			  "gateway.",
		 .next = "Find the second one by its address; give it its own EUI. If nobody knows it, take "
			 "certificates "
			 "for this gateway and refuse UDP.",
		 .commands = "lamppost gateway show {subject}\nlamppost gateway certificate {subject} "
			     "issue"},
	[AS_ALARM_UDP_OPEN] =
		{"udp_open", "UDP from anywhere", AS_SUBJECT_CITY, AS_SOURCE_GATEWAYS, AS_NOTICE, "gateways",
		 YES_OR_NO, .hold_raise = 60 * SECOND, .hold_clear = 60 * SECOND, .delay = GATHER,
		 .sentence = "{value} may come by UDP from any address: {detail}",
		 .cause = "UDP has no identity: whoever knows the EUI can pretend to be the gateway.",
		 .next = "Pin the source range of each, or move it to a certificate.",
		 .commands = "lamppost gateway change EUI --source CIDR\nlamppost gateway certificate EUI "
			     "issue"},
	[AS_ALARM_CERTIFICATE_EXPIRING] =
		{"certificate_expiring", "certificate ends soon", GATEWAY, AS_NOTICE, "days",
		 .below = true, .raise = 30, .clear = 31, .warning = 7, .critical = 1,
		 .within = AS_ALARM_CERTIFICATE_EXPIRED, .hold_raise = 60 * SECOND, .hold_clear = 0,
		 .delay = GATHER, .sentence = "The certificate of gateway {name} ends in {value}. {detail}",
		 .cause = "Nobody renewed it; gateways that ask CUPS get a new one by themselves.",
		 .next = "Renew it; if the gateway asks CUPS it fetches the new one at its next call.",
		 .commands = "lamppost gateway certificate {subject} renew"},
	[AS_ALARM_CERTIFICATE_EXPIRED] =
		{"certificate_expired", "certificate has ended", GATEWAY, AS_CRITICAL, "days", .below = true,
		 .raise = 0, .clear = 1, .warning = -AS_NEVER, .critical = -AS_NEVER,
		 .within = AS_ALARM_KINDS, .hold_raise = 0, .hold_clear = 0, .delay = GATHER,
		 .sentence = "The certificate of gateway {name} has ended. {detail}",
		 .cause = "It was not renewed in time: the bridge does not let the gateway in any more.",
		 .next = "Issue a new one and bring it to the gateway by hand, or let a token in meanwhile.",
		 .commands = "lamppost gateway certificate {subject} issue"},
	[AS_ALARM_SERVER_CERTIFICATE] =
		{"server_certificate", "server's certificate", AS_SUBJECT_CITY, AS_SOURCE_PROCESSES,
		 AS_NOTICE, "days", .below = true, .raise = 30, .clear = 31, .warning = 14, .critical = 3,
		 .within = AS_ALARM_KINDS, .hold_raise = 60 * SECOND, .hold_clear = 0, .delay = 60 * SECOND,
		 .sentence = "The certificate that gateways know this server by ends in {value}. {detail}",
		 .cause = "When it ends no station connects any more: all of them at once.",
		 .next = "Renew it now and restart nothing: the bridge takes it at a reload.",
		 .commands = "lamppost doctor"},
	[AS_ALARM_PERMISSION_ENDING] =
		{"permission_ending", "site permission ends", GATEWAY, AS_NOTICE, "days", .below = true,
		 .raise = 60, .clear = 61, .warning = 14, .critical = 0, .within = AS_ALARM_KINDS,
		 .hold_raise = 60 * SECOND, .hold_clear = 0, .delay = GATHER,
		 .sentence = "The permission for the site of gateway {name} ends in {value}. {detail}",
		 .cause = "The agreement with the owner of the site has an end date in the record.",
		 .next = "Ask the owner for a longer one, and write the new date into the record.",
		 .commands = "lamppost gateway show {subject}\nlamppost gateway change {subject} "
			     "--permission-until DATE"},
	[AS_ALARM_DATA_PLAN] =
		{"data_plan", "data plan used up", GATEWAY, AS_WARNING, "%", .raise = 80, .clear = 75,
		 .warning = AS_NEVER, .critical = 100, .within = AS_ALARM_KINDS, .hold_raise = 0,
		 .hold_clear = 0, .delay = GATHER,
		 .sentence = "Gateway {name} has used {value} of this month's data. {detail}",
		 .cause = "Much noise that it forwards, statistics that are sent too often, or a firmware "
			  "download.",
		 .next = "See what it sends; buy more data before it falls silent.",
		 .commands = "lamppost gateway show {subject}"},
	[AS_ALARM_TEMPERATURE] =
		{"temperature", "gateway too hot", GATEWAY, AS_WARNING, "°C", .raise = 75, .clear = 68,
		 .warning = AS_NEVER, .critical = 85, .within = AS_ALARM_KINDS, .hold_raise = 10 * MINUTE,
		 .hold_clear = 10 * MINUTE, .delay = GATHER,
		 .sentence = "Gateway {name} is at {value}. {detail}",
		 .cause = "Sun on the housing, a fan or vent that is blocked, or a power supply that fails.",
		 .next = "See whether it cools at night; give it shade or air, else replace it before it "
			 "fails.",
		 .commands = "lamppost gateway show {subject}"},
	[AS_ALARM_BRIDGE_UNHEARD] =
		{"bridge_unheard", "bridge not heard", AS_SUBJECT_CITY, AS_SOURCE_PROCESSES, AS_CRITICAL, "s",
		 .raise = 30, .clear = 0, NO_STEPS, .hold_raise = 0, .hold_clear = 10 * SECOND,
		 .delay = 30 * SECOND,
		 .sentence =
			 "The gateway bridge has not answered for {value}: no gateway is served. {detail}",
		 .cause = "The process has stopped, hangs, or does not start with its configuration.",
		 .next = "See why it does not run, and start it; its log says what it refused.",
		 .commands = "lamppost doctor\nsystemctl status lamppost-gateway-bridge"},
	[AS_ALARM_PROCESS_UNHEARD] =
		{"process_unheard", "process not heard", AS_SUBJECT_PROCESS, AS_SOURCE_PROCESSES, AS_CRITICAL,
		 "s", .raise = 30, .clear = 0, NO_STEPS, .hold_raise = 0, .hold_clear = 10 * SECOND,
		 .delay = 30 * SECOND,
		 .sentence = "The process {name} has not answered for {value}. {detail}",
		 .cause = "It has stopped, hangs, or does not start with its configuration.",
		 .next = "See why it does not run, and start it; its log says what it refused.",
		 .commands = "lamppost doctor\nsystemctl status lamppost-{subject}"},
	[AS_ALARM_JOURNAL_FILLING] =
		{"journal_filling", "journal fills", AS_SUBJECT_PROCESS, AS_SOURCE_PROCESSES, AS_WARNING, "%",
		 .raise = 80, .clear = 60, .warning = AS_NEVER, .critical = 95, .within = AS_ALARM_KINDS,
		 .hold_raise = 0, .hold_clear = 0, .delay = 0,
		 .sentence = "The journal of the {name} is {value} full; at its limit no uplink is accepted. "
			     "{detail}",
		 .cause = "The application server does not take events as fast as they come, or is away.",
		 .next = "See whether the application server runs and its disk has room; it drains by itself "
			 "then.",
		 .commands = "lamppost status\nlamppost doctor"},
	[AS_ALARM_DISK_FULL] =
		{"disk_full", "disk nearly full", AS_SUBJECT_CITY, AS_SOURCE_PROCESSES, AS_WARNING, "%",
		 .raise = 85, .clear = 80, .warning = AS_NEVER, .critical = 95, .within = AS_ALARM_KINDS,
		 .hold_raise = 60 * SECOND, .hold_clear = 60 * SECOND, .delay = 0,
		 .sentence = "The disk of the state directory is {value} full. {detail}",
		 .cause = "Readings that are kept for long, backups on the same disk, or logs.",
		 .next = "Move backups away, shorten how long readings are kept, or give the disk more room.",
		 .commands = "lamppost doctor"},
	[AS_ALARM_CHANNEL_FAILING] =
		{"channel_failing", "notifying fails", AS_SUBJECT_CHANNEL, AS_SOURCE_CHANNELS, AS_WARNING,
		 "s", .raise = 120, .clear = 0, .warning = AS_NEVER, .critical = AS_NEVER,
		 .within = AS_ALARM_KINDS, .hold_raise = 0, .hold_clear = 0, .delay = 0,
		 .sentence = "Alarms have not reached the channel {name} for {value}. {detail}",
		 .cause = "The receiver is away, refuses, or its address, password or certificate is wrong.",
		 .next = "Put it right and send a test; what is due is sent by itself then.",
		 .commands = "lamppost alarm test {subject}"},
	[AS_ALARM_JOIN_REPLAYED] =
		{"join_replayed", "join-requests replayed", AS_SUBJECT_DEVICE, AS_SOURCE_JOINS, AS_NOTICE,
		 "join-requests", .raise = 1, .clear = 0, .warning = 10, .critical = AS_NEVER,
		 .within = AS_ALARM_KINDS, .hold_raise = 0, .hold_clear = 0, .delay = GATHER,
		 .sentence = "{value} of device {name} were refused: their DevNonce was used, or is too low. "
			     "{detail}",
		 .cause = "The device lost its counter (a new battery, new firmware), or somebody sends "
			  "join-requests "
			  "that they recorded.",
		 .next = "If the device has just lost its memory, allow it one join, or give it a new AppKey "
			 "on both sides. "
			 "If it works as always, somebody replays: nothing was accepted; see by which "
			 "gateway it was heard.",
		 .commands = "lamppost join list --device {subject}\nlamppost device join-allow-once "
			     "{subject}"},
	[AS_ALARM_JOIN_STORM] =
		{"join_storm", "join storm", AS_SUBJECT_CITY, AS_SOURCE_PROCESSES, AS_NOTICE, "s", .raise = 1,
		 .clear = 0, .warning = 3600, .critical = AS_NEVER, .within = AS_ALARM_KINDS, .hold_raise = 0,
		 .hold_clear = 60 * SECOND, .delay = 30 * SECOND,
		 .sentence = "More devices ask to join than the gateways can answer, for {value}. {detail}",
		 .cause = "Power has come back to many devices at once, or they gave up their sessions since "
			  "nobody answered "
			  "them for long. Where the join server refuses most of them: keys that differ, or "
			  "forged requests.",
		 .next = "Nothing, mostly: they are answered in turn and ask again by themselves. Restart "
			 "neither servers nor "
			 "gateways: the count begins anew, and nobody joins meanwhile. If it goes on for an "
			 "hour, see by "
			 "which cause requests are refused.",
		 .commands = "lamppost status\nlamppost join list\nlamppost gateway list"},
	[AS_ALARM_JOIN_STORM_LEFT] =
		{"join_storm_left", "left by a join storm", AS_SUBJECT_CITY, AS_SOURCE_PROCESSES, AS_NOTICE,
		 "devices", .raise = 1, .clear = 0, .warning = 50, .critical = AS_NEVER,
		 .within = AS_ALARM_KINDS, .hold_raise = 15 * MINUTE, .hold_clear = 0, .delay = 30 * SECOND,
		 .sentence = "After a join storm {value} that asked in it are not there. {detail}",
		 .cause = "They have lost their power again, their key or record is wrong, or no gateway "
			  "near "
			  "them can send the "
			  "slow answers that they need.",
		 .next = "See what became of their requests: refusals of the join server first, then those "
			 "that are heard by one "
			 "gateway at its limit; whoever is not heard at all needs power.",
		 .commands = "lamppost join list\nlamppost status"},
};

const char *as_severity_name(enum as_severity severity)
{
	static const char *const names[] = {"notice", "warning", "critical"};
	return names[severity];
}

bool as_severity_parse(const char *text, enum as_severity *severity)
{
	for (int i = 0; i < AS_SEVERITIES; i++)
		if (strcmp(text, as_severity_name((enum as_severity)i)) == 0) {
			*severity = (enum as_severity)i;
			return true;
		}
	return false;
}

const char *as_subject_type_name(enum as_subject_type type)
{
	static const char *const names[] = {"city", "gateway", "backhaul", "process", "channel", "device"};
	return names[type];
}

bool as_alarm_kind_find(const char *name, enum as_alarm_kind_id *kind)
{
	for (int i = 0; i < AS_ALARM_KINDS; i++)
		if (strcmp(name, as_alarm_kinds[i].name) == 0) {
			*kind = (enum as_alarm_kind_id)i;
			return true;
		}
	return false;
}

bool as_alarm_is_bad(const struct as_alarm_kind *kind, int64_t value)
{
	return kind->below ? value <= kind->raise : value >= kind->raise;
}

bool as_alarm_is_good(const struct as_alarm_kind *kind, int64_t value)
{
	return kind->below ? value >= kind->clear : value <= kind->clear;
}

static bool reaches(const struct as_alarm_kind *kind, int64_t value, int64_t threshold)
{
	if (threshold == AS_NEVER || threshold == -AS_NEVER)
		return false;
	return kind->below ? value <= threshold : value >= threshold;
}

enum as_severity as_alarm_severity(const struct as_alarm_kind *kind, int64_t value)
{
	enum as_severity severity = kind->severity;
	if (severity < AS_WARNING && reaches(kind, value, kind->warning))
		severity = AS_WARNING;
	if (reaches(kind, value, kind->critical))
		severity = AS_CRITICAL;
	return severity;
}
