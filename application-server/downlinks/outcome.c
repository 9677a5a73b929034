/* What the network server says of items and of devices: kept, and told to subscribers.
 *
 *	event of an item ──▶ move it (store) ──▶ SENT ─▶ txack    ACKNOWLEDGED ─▶ ack
 *	                                         FAILED ─▶ ack (false) if it was confirmed and on the air, else log
 *	                                         EXPIRED, REFUSED, STALE_COUNTER ─▶ log
 *	                                         QUEUED ─▶ log, if a gateway refused it or it does not fit now
 *
 * An event that was here before is told again all the same: what subscribers get goes by its id, and the crash may have come
 * between the two files. One that the item refuses (it has ended) is counted and told to nobody. */
#include "application-server/application.h"
#include "application-server/custody.h"
#include "application-server/store_device.h"
#include "application-server/store_items.h"
#include "application-server/store_ledger.h"
#include "common/base/check.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <string.h>

#define HELD "held_by_agency" /* our word for an item that cannot be sealed: the key is the agency's alone */

/* --- logs --------------------------------------------------------------------------------------------------- */

/* Lends the name that ChirpStack has for a gateway's refusal (the network server's verdict), or NULL: the cause is
 * another. */
static const char *gateway_status(const char *cause)
{
	static const struct {
		const char *ours, *theirs;
	} rows[] = {{"tx_too_late", "TOO_LATE"},
		    {"tx_too_early", "TOO_EARLY"},
		    {"tx_collision_packet", "COLLISION_PACKET"},
		    {"tx_collision_beacon", "COLLISION_BEACON"},
		    {"tx_freq", "TX_FREQ"},
		    {"tx_power", "TX_POWER"},
		    {"tx_gps_unlocked", "GPS_UNLOCKED"},
		    {"tx_queue_full", "QUEUE_FULL"},
		    {"tx_duty_cycle", "DUTY_CYCLE_OVERFLOW"},
		    {"duty_cycle", "DUTY_CYCLE_OVERFLOW"}, /* by our own account */
		    {"tx_other", "INTERNAL_ERROR"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].ours, cause) == 0)
			return rows[i].theirs;
	return NULL;
}

static void log_size(struct as_log *log, const struct net_downlink_event *event, const struct as_item *item)
{
	log->code = "DOWNLINK_PAYLOAD_SIZE";
	log->description = item->ended ? "item is longer than the data-rate allows"
				       : "item is longer than the data-rate allows now, and waits";
	as_log_add(log, "max_payload_size", "%u", event->max_payload);
	as_log_add(log, "item_size", "%u", item->length);
}

/* What the city cannot encrypt, and what its sender does. */
static const char *words_of(const char *cause)
{
	if (strcmp(cause, HELD) == 0)
		return "item came in clear, and since the device joined its agency alone has the AppSKey: "
		       "send it "
		       "encrypted (isEncrypted with fCntDown; lamppost downlink send --kek)";
	if (strcmp(cause, NET_NO_SESSION_KEY) == 0)
		return "item could not be encrypted, there is no session key of the device here: let it join "
		       "anew "
		       "(ABP: set app_s_key) and send it again; lamppost why device EUI";
	return "item was refused";
}

static void log_other(struct as_log *log, const struct net_downlink_event *event)
{
	const char *gateway = event->status == NET_ITEM_REFUSED ? NULL : gateway_status(event->cause);
	log->code = gateway ? "DOWNLINK_GATEWAY" : "UNKNOWN";
	log->description = gateway                             ? gateway
			   : event->status == NET_ITEM_REFUSED ? words_of(event->cause)
							       : "item was not sent";
	if (strcmp(event->cause, "flushed") == 0) {
		log->level = AS_LOG_INFO;
		log->description = "item was flushed";
	}
	as_log_add(log, "cause", "%s", event->cause);
}

static enum status tell_log(struct as_application *app, const struct net_downlink_event *event,
			    const struct as_item *item)
{
	struct as_log log = {.id = event->head.id,
			     .dev_eui = event->head.dev_eui,
			     .time = event->head.time,
			     .level = AS_LOG_ERROR};
	as_log_add_item(&log, &event->item);
	switch (event->status) {
	case NET_ITEM_EXPIRED:
		log.code = "EXPIRED";
		log.description = event->tries > 0 ? "item expired before it was acknowledged"
						   : "item expired before it could be sent";
		break;
	case NET_ITEM_STALE_COUNTER:
		log.code = "F_CNT_DOWN";
		log.description = "item was encrypted for a counter that has passed: encrypt it anew under "
				  "device_f_cnt_down and send it under a new id";
		as_log_add(&log, "device_f_cnt_down", "%u", event->fcnt_down);
		as_log_add(&log, "queue_item_f_cnt_down", "%u", item->fcnt_given);
		break;
	default:
		if (event->has_max_payload && event->max_payload < item->length)
			log_size(&log, event, item);
		else
			log_other(&log, event);
	}
	return as_application_tell(app, AS_EVENT_LOG, &event->head.id, &event->head.dev_eui, event->head.time,
				   as_log_json, &log);
}

/* --- items -------------------------------------------------------------------------------------------------- */

static bool is_worth_a_log(const struct net_downlink_event *event, const struct as_item *item)
{
	if (event->status != NET_ITEM_QUEUED)
		return event->status != NET_ITEM_PLANNED;
	return gateway_status(event->cause) || (event->has_max_payload && event->max_payload < item->length);
}

static enum status tell(struct as_application *app, const struct net_downlink_event *event,
			const struct as_item *item)
{
	const struct net_event_head *head = &event->head;
	bool unanswered = event->status == NET_ITEM_FAILED && item->confirmed && event->tries > 0 &&
			  strcmp(event->cause, "flushed") != 0;
	if (event->status == NET_ITEM_SENT)
		return as_application_tell(app, AS_EVENT_TXACK, &head->id, &head->dev_eui, head->time,
					   as_txack_json, event);
	if (event->status == NET_ITEM_ACKNOWLEDGED || unanswered)
		return as_application_tell(app, AS_EVENT_ACK, &head->id, &head->dev_eui, head->time,
					   as_ack_json, event);
	return is_worth_a_log(event, item) ? tell_log(app, event, item) : ST_OK;
}

enum status as_application_on_downlink(struct as_application *app, struct now now,
				       const struct net_downlink_event *event)
{
	struct as_application_counters *counters = &app->counters;
	bool counted = event->status != NET_ITEM_QUEUED && event->status != NET_ITEM_EXPIRED;
	bool is_stale = event->status == NET_ITEM_STALE_COUNTER; /* which says the next one */
	const struct as_change change = {.event = event->head.id,
					 .time = event->head.time,
					 .status = event->status,
					 .cause = event->cause,
					 .has_fcnt_down = counted && (event->tries > 0 || is_stale),
					 .fcnt_down = event->fcnt_down,
					 .has_gateway = event->status == NET_ITEM_PLANNED ||
							event->status == NET_ITEM_SENT,
					 .gateway = event->gateway,
					 .tries = event->tries};
	struct as_item item;
	enum as_move move;
	(void)now;
	counters->downlink_events++;
	enum status status = as_store_item_move(app->store, &event->item, &change, &move, &item);
	counters->moves_repeated += move == AS_MOVE_REPEATED;
	counters->moves_refused += move == AS_MOVE_REFUSED;
	counters->moves_unknown += move == AS_MOVE_UNKNOWN;
	if (status == ST_OK && (move == AS_MOVED || move == AS_MOVE_REPEATED))
		status = tell(app, event, &item);
	return as_application_finish(app, &event->head, status);
}

/* --- Seal --------------------------------------------------------------------------------------------------- */

/* Lends the word for the network server; "" when it is sealed. */
static const char *seal_cause(enum as_seal_verdict verdict)
{
	static const char *const causes[AS_SEAL_VERDICT_COUNT] = {
		[AS_SEALED] = "",
		[AS_SEAL_UNKNOWN_ITEM] = "unknown_item",
		[AS_SEAL_ITEM_ENDED] = "item_ended",
		[AS_SEAL_PAYLOAD_UNREADABLE] = "payload_unreadable",
		[AS_SEAL_NO_SESSION_KEY] = NET_NO_SESSION_KEY,
		[AS_SEAL_HELD] = HELD};
	return causes[verdict];
}

static enum as_seal_verdict seal(struct as_application *app, const struct net_seal *seal,
				 struct net_sealed *sealed, uint8_t payload[NET_PAYLOAD_MAX])
{
	struct as_item item;
	struct lw_key key;
	if (as_store_item_get(app->store, &seal->item, &item) != ST_OK ||
	    !lw_eui64_equal(&item.dev_eui, &seal->dev_eui))
		return AS_SEAL_UNKNOWN_ITEM;
	if (item.ended)
		return AS_SEAL_ITEM_ENDED;
	if (!as_item_open(app->keys, &item, payload))
		return AS_SEAL_PAYLOAD_UNREADABLE;
	if (!as_application_session_key(app, &seal->dev_eui, &seal->session, &key))
		return as_custody_holds(app, &seal->dev_eui, &seal->session) ? AS_SEAL_HELD
									     : AS_SEAL_NO_SESSION_KEY;
	lw_cipher_frm_payload(app->keys->aes, &key, LW_DOWN, seal->dev_addr, seal->fcnt_down, payload,
			      item.length, sealed->frm_payload);
	lw_key_wipe(&key);
	sealed->frm_payload_length = item.length;
	return AS_SEALED;
}

/* An item that has ended here is never sealed again: a network server whose network.db was restored may still have it
 * queued, and a command must not reach its device twice. */
void as_application_on_seal(struct as_application *app, struct now now, const struct net_seal *asked,
			    struct net_sealed *sealed)
{
	uint8_t payload[NET_PAYLOAD_MAX];
	*sealed = (struct net_sealed){.item = asked->item, .fcnt_down = asked->fcnt_down};
	app->counters.seals++;
	enum as_seal_verdict verdict = seal(app, asked, sealed, payload);
	secret_wipe(payload, sizeof payload);
	sealed->ok = verdict == AS_SEALED;
	app->counters.seals_refused += !sealed->ok;
	snprintf(sealed->cause, sizeof sealed->cause, "%s", seal_cause(verdict));
	const struct decision said = {.table = AS_TABLE_SEAL, .verdict = verdict, .a = asked->fcnt_down};
	as_rules_add(&app->decisions, now.wall, &asked->dev_eui, &asked->item, &said);
}

/* --- what a device says of itself ----------------------------------------------------------------------------- */

/* The history has what was told, once: the event's id is unique. */
static enum status keep_said(struct as_application *app, const struct net_status_event *event)
{
	struct as_said said = {
		.time = event->head.time, .battery = event->battery, .margin_db = event->margin_db};
	said.has_agency = as_store_device_agency(app->store, &event->head.dev_eui, &said.agency) == ST_OK;
	return as_store_said_put(app->store, (int64_t)lw_eui64_number(&event->head.dev_eui), &said);
}

enum status as_application_on_status(struct as_application *app, struct now now,
				     const struct net_status_event *event)
{
	const struct as_device_status said = {event->head.time, event->battery, event->margin_db};
	(void)now;
	app->counters.status_events++;
	enum status status = as_store_device_status_put(app->store, &event->head.dev_eui, &said);
	if (status == ST_NOT_FOUND) {
		app->counters.unknown_devices++;
		status = ST_OK;
	}
	if (status == ST_OK)
		status = as_application_tell(app, AS_EVENT_STATUS, &event->head.id, &event->head.dev_eui,
					     event->head.time, as_status_json, event);
	if (status == ST_OK)
		status = keep_said(app, event);
	return as_application_finish(app, &event->head, status);
}
