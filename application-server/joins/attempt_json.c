/* An attempt for people and programs: what the network server reported, how that stands by now, a sentence with its
 * numbers, and what to do next. */
#include "application-server/joins/joins.h"

#include "application-server/store_events.h"
#include "application-server/time_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 700

/* An accept that nothing followed for an hour; or that an uplink followed which the network server did not connect with it,
 * since it was started anew in between. */
static enum net_join_verdict verdict_now(struct as_joins *joins, struct now now,
					 const struct as_attempt *attempt)
{
	const struct net_join_report *report = &attempt->report;
	struct as_last_seen seen;
	if ((report->verdict != NET_JOIN_ACCEPTED && report->verdict != NET_JOIN_ACCEPT_SENT) ||
	    now.wall.us - attempt->updated.us < NET_SILENT_AFTER)
		return report->verdict;
	if (as_store_last_seen(joins->store, &report->device, &seen) && seen.time.us > report->time.us)
		return NET_JOIN_JOINED;
	return NET_JOIN_NO_UPLINK;
}

/* --- the sentence ------------------------------------------------------------------------------------------- */

struct message {
	char text[MESSAGE_MAX];
	size_t used;
};

static void say(struct message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct message *message, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(message->text + message->used, sizeof message->text - message->used, format,
				arguments);
	va_end(arguments);
	if (written > 0)
		message->used += (size_t)written;
	if (message->used >= sizeof message->text)
		message->used = sizeof message->text - 1;
}

/* The numbers behind "JoinReqFailed: dev_nonce_used: 1001, the last was 7". */
static const char *numbers_of(const char *cause)
{
	const char *last = strrchr(cause, ':');
	return last && last[1] == ' ' && last[2] >= '0' && last[2] <= '9' ? last + 2 : NULL;
}

static void say_euis(struct message *message, const struct net_join_report *report,
		     enum net_join_verdict verdict)
{
	char dev_eui[LW_EUI64_TEXT], join_eui[LW_EUI64_TEXT], device[LW_EUI64_TEXT],
		device_join[LW_EUI64_TEXT];
	lw_eui64_format(dev_eui, &report->dev_eui);
	lw_eui64_format(join_eui, &report->join_eui);
	lw_eui64_format(device, &report->device);
	lw_eui64_format(device_join, &report->device_join_eui);
	switch (verdict) {
	case NET_JOIN_JOIN_EUI_DIFFERS:
	case NET_JOIN_JOIN_EUI_REVERSED:
		say(message, " It sends %s, registered is %s.", join_eui, device_join);
		break;
	case NET_JOIN_DEV_EUI_REVERSED:
		say(message, " It sends %s, registered is %s.", dev_eui, device);
		break;
	case NET_JOIN_EUIS_SWAPPED:
		say(message, " It sends DevEUI %s and JoinEUI %s.", dev_eui, join_eui);
		break;
	case NET_JOIN_UNKNOWN_DEV_EUI:
	case NET_JOIN_FOREIGN: say(message, " It sends DevEUI %s, JoinEUI %s.", dev_eui, join_eui); break;
	default: break;
	}
}

/* What the request counts with (TS001-1.1 §6.2.4). */
static const char *nonce_name(const struct net_join_report *report)
{
	switch (report->request) {
	case NET_REQUEST_JOIN: return "DevNonce";
	case NET_REQUEST_REJOIN_1: return "RJcount1";
	default: return "RJcount0";
	}
}

static void say_numbers(struct message *message, const struct net_join_report *report,
			enum net_join_verdict verdict)
{
	const char *numbers = numbers_of(report->cause);
	switch (verdict) {
	case NET_JOIN_DEV_NONCE_USED:
	case NET_JOIN_DEV_NONCE_NOT_INCREASING:
	case NET_JOIN_DEV_NONCE_REPEATED:
	case NET_JOIN_RJ_COUNT:
		if (numbers)
			say(message, " %s %s.", nonce_name(report), numbers);
		else
			say(message, " %s %u.", nonce_name(report), report->dev_nonce);
		break;
	case NET_JOIN_WRONG_REGION:
	case NET_JOIN_DATA_RATE:
		say(message, " The gateway is set to %s, the device's profile to %s.", report->region_id,
		    report->cause[0] ? report->cause : "none");
		break;
	case NET_JOIN_GATEWAY_REFUSED:
	case NET_JOIN_SERVER_REFUSED:
		if (report->cause[0])
			say(message, " It said: %s.", report->cause);
		break;
	case NET_JOIN_ACCEPT_UNHEARD:
		if (report->unheard > 1)
			say(message, " So did the %u before it: %u accepts in a row.", report->unheard - 1u,
			    report->unheard);
		break;
	case NET_JOIN_WAITING:
	case NET_JOIN_ACCEPT_SENT:
	case NET_JOIN_ACCEPTED:
		if (report->unheard > 0)
			say(message, " Accepts before it that were not heard: %u.", report->unheard);
		break;
	default: break;
	}
}

static const char *window_name(enum gw_window window)
{
	return window == GW_RX1 ? "RX1" : window == GW_RX2 ? "RX2" : "another window";
}

static void say_accept(struct message *message, const struct net_join_report *report)
{
	char gateway[LW_EUI64_TEXT];
	if (!report->has_tx)
		return;
	lw_eui64_format(gateway, &report->tx_gateway);
	say(message, " Accept: gateway %s, %s, %.6g MHz.", gateway, window_name(report->tx_window),
	    report->tx_freq_hz / 1e6);
}

/* A plan of one block of eight is a sub-band: "8-15,65" is the second. */
static unsigned sub_band_of(const char *plan)
{
	unsigned first = 0, last = 0;
	if (sscanf(plan, "%u-%u", &first, &last) != 2 || last != first + 7 || first % 8 != 0 || first > 63)
		return 0;
	return first / 8 + 1;
}

static void say_channel(struct message *message, const struct net_join_report *report)
{
	unsigned planned = sub_band_of(report->plan);
	if (!report->off_plan)
		return;
	say(message, " It sent on %.6g MHz", report->freq_hz / 1e6);
	if (report->sub_band)
		say(message, " (channel %u, sub-band %u)", report->channel, report->sub_band);
	say(message, "; the gateway's plan is %s", report->plan);
	if (planned)
		say(message, " (sub-band %u)", planned);
	say(message, ".");
}

/* --- JSON --------------------------------------------------------------------------------------------------- */

static json_t *eui_or_null(bool present, const struct lw_eui64 *eui)
{
	char text[LW_EUI64_TEXT];
	lw_eui64_format(text, eui);
	return present ? json_string(text) : json_null();
}

static json_t *data_rate(const struct lw_modulation *modulation)
{
	if (modulation->kind == LW_LORA)
		return json_sprintf("SF%uBW%u", modulation->spreading_factor,
				    (unsigned)(modulation->bandwidth_hz / 1000));
	return modulation->kind == LW_FSK ? json_string("FSK") : json_string("LR-FHSS");
}

static void add_heard(json_t *body, const struct net_join_report *report)
{
	if (!report->has_heard)
		return;
	json_object_set_new(body, "frequency", json_integer(report->freq_hz));
	json_object_set_new(body, "data_rate", data_rate(&report->modulation));
	json_object_set_new(body, "gateway_count", json_integer(report->gateway_count));
	json_object_set_new(body, "gateway", eui_or_null(true, &report->gateway));
	json_object_set_new(body, "rssi", json_integer(report->rssi_dbm));
	json_object_set_new(body, "snr", report->has_snr ? json_real(report->snr_cdb / 100.0) : json_null());
	json_object_set_new(body, "region", json_string(report->region_id));
	json_object_set_new(body, "requests", json_integer(report->times));
	if (report->plan[0]) {
		json_object_set_new(body, "channel_plan", json_string(report->plan));
		json_object_set_new(body, "off_plan", json_boolean(report->off_plan));
		json_object_set_new(body, "channel",
				    report->sub_band ? json_integer(report->channel) : json_null());
		json_object_set_new(body, "sub_band",
				    report->sub_band ? json_integer(report->sub_band) : json_null());
	}
}

static json_t *accept_of(const struct net_join_report *report)
{
	if (!report->has_tx)
		return json_null();
	return json_pack("{so ss sI sI}", "gateway", eui_or_null(true, &report->tx_gateway), "window",
			 window_name(report->tx_window), "frequency", (json_int_t)report->tx_freq_hz,
			 "left_ms", (json_int_t)(report->left / US_PER_MS));
}

json_t *as_attempt_json(struct as_joins *joins, struct now now, const struct as_attempt *attempt,
			unsigned attempts)
{
	const struct net_join_report *report = &attempt->report;
	enum net_join_verdict verdict = verdict_now(joins, now, attempt);
	const struct net_join_row *row = net_join_row(verdict),
				  *sub_band = net_join_row(NET_JOIN_WRONG_SUB_BAND);
	const char *problem = row->kind == NET_JOIN_PROBLEM || row->kind == NET_JOIN_STRANGERS ? row->name
			      : report->off_plan ? sub_band->name
						 : NULL;
	const char *next = problem == sub_band->name ? sub_band->next : row->next;
	struct message message = {.used = 0};
	say(&message, "%s", row->sentence);
	say_euis(&message, report, verdict);
	say_numbers(&message, report, verdict);
	say_accept(&message, report);
	say_channel(&message, report);
	char time[AS_TIME_TEXT], updated[AS_TIME_TEXT], number[20];
	snprintf(number, sizeof number, "%016" PRIx64, report->attempt);
	json_t *body = json_pack(
		"{ss ss ss so so sI ss so so ss ss? ss ss ss sI so}", "attempt", number, "time",
		as_time_format(time, report->time), "updated", as_time_format(updated, attempt->updated),
		"dev_eui", eui_or_null(true, &report->dev_eui), "join_eui",
		eui_or_null(true, &report->join_eui), "dev_nonce", (json_int_t)report->dev_nonce, "request",
		net_join_request_name(report->request), "device",
		eui_or_null(report->has_device, &report->device), "device_join_eui",
		eui_or_null(report->has_device, &report->device_join_eui), "verdict", row->name, "problem",
		problem, "message", message.text, "next", next, "cause", report->cause, "accepts_unheard",
		(json_int_t)report->unheard, "accept", accept_of(report));
	if (body)
		add_heard(body, report);
	if (body && attempts)
		json_object_set_new(body, "attempts", json_integer(attempts));
	return body;
}
