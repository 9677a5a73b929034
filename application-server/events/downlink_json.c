#include "application-server/events/downlink_json.h"

#include "application-server/events/event_parts.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>

static void put_item(struct json_out *out, const struct net_downlink_event *event)
{
	as_put_uuid(out, "queueItemId", &event->item);
}

bool as_ack_json(char *text, size_t capacity, const void *parts, const struct as_device_info *device,
		 size_t *length)
{
	const struct net_downlink_event *event = parts;
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	if (event->has_uplink)
		as_put_uuid(&out, "deduplicationId", &event->uplink);
	else
		json_out_text(&out, "deduplicationId", "");
	as_put_time(&out, "time", event->head.time);
	as_put_device_info(&out, &event->head.dev_eui, device);
	put_item(&out, event);
	json_out_bool(&out, "acknowledged", event->status == NET_ITEM_ACKNOWLEDGED);
	json_out_integer(&out, "fCntDown", event->fcnt_down);
	json_out_integer(&out, "tries", event->tries);
	as_put_uuid(&out, "eventId", &event->head.id);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}

/* --- txack -------------------------------------------------------------------------------------------------- */

static void put_timing(struct json_out *out, const struct net_downlink_event *event)
{
	json_out_open(out, "timing", '{');
	if (event->window == GW_CLASS_C) {
		json_out_open(out, "immediately", '{');
		json_out_close(out, '}');
	} else if (event->window != GW_CLASS_B) {
		json_out_open(out, "delay", '{');
		as_put_duration(out, "delay", event->delay / US_PER_S,
				(uint32_t)(event->delay % US_PER_S) * 1000);
		json_out_close(out, '}');
	}
	json_out_close(out, '}');
}

static const char *window_name(enum gw_window window)
{
	static const char *const names[] = {
		[GW_RX1] = "RX1", [GW_RX2] = "RX2", [GW_CLASS_B] = "CLASS_B", [GW_CLASS_C] = "CLASS_C"};
	return names[window];
}

static void put_tx(struct json_out *out, const struct net_downlink_event *event)
{
	json_out_open(out, "txInfo", '{');
	if (event->has_tx) {
		json_out_integer(out, "frequency", event->freq_hz);
		json_out_integer(out, "power", event->power_dbm);
		as_put_modulation(out, &event->modulation, true);
		put_timing(out, event);
	}
	json_out_close(out, '}');
}

bool as_txack_json(char *text, size_t capacity, const void *parts, const struct as_device_info *device,
		   size_t *length)
{
	const struct net_downlink_event *event = parts;
	char gateway[LW_EUI64_TEXT];
	struct json_out out = json_out_init(text, capacity);
	lw_eui64_format(gateway, &event->gateway);
	json_out_open(&out, NULL, '{');
	json_out_integer(&out, "downlinkId", (uint32_t)event->head.row);
	as_put_time(&out, "time", event->head.time);
	as_put_device_info(&out, &event->head.dev_eui, device);
	put_item(&out, event);
	json_out_integer(&out, "fCntDown", event->fcnt_down);
	json_out_text(&out, "gatewayId", gateway);
	put_tx(&out, event);
	json_out_integer(&out, "tries", event->tries);
	if (event->has_tx)
		json_out_text(&out, "window", window_name(event->window));
	as_put_uuid(&out, "eventId", &event->head.id);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}

/* --- status ------------------------------------------------------------------------------------------------- */

bool as_status_json(char *text, size_t capacity, const void *parts, const struct as_device_info *device,
		    size_t *length)
{
	const struct net_status_event *event = parts;
	bool measured = event->battery != 0 && event->battery != 255;
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	as_put_uuid(&out, "deduplicationId", &event->uplink);
	as_put_time(&out, "time", event->head.time);
	as_put_device_info(&out, &event->head.dev_eui, device);
	json_out_integer(&out, "margin", event->margin_db);
	json_out_bool(&out, "externalPowerSource", event->battery == 0);
	json_out_bool(&out, "batteryLevelUnavailable", event->battery == 255);
	json_out_single(&out, "batteryLevel", measured ? (float)event->battery / 254.0f * 100.0f : 0);
	as_put_uuid(&out, "eventId", &event->head.id);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}

/* --- log ---------------------------------------------------------------------------------------------------- */

void as_log_add(struct as_log *log, const char *name, const char *format, ...)
{
	ASSERT_CMP(log->context_count, <, AS_LOG_CONTEXT_MAX);
	struct as_log_context *context = &log->context[log->context_count++];
	va_list arguments;
	context->name = name;
	va_start(arguments, format);
	vsnprintf(context->value, sizeof context->value, format, arguments);
	va_end(arguments);
}

void as_log_add_item(struct as_log *log, const struct net_uuid *item)
{
	char id[AS_UUID_TEXT];
	as_log_add(log, "queue_item_id", "%s", as_uuid_format(id, item));
}

bool as_log_json(char *text, size_t capacity, const void *parts, const struct as_device_info *device,
		 size_t *length)
{
	static const char *const levels[] = {
		[AS_LOG_INFO] = "INFO", [AS_LOG_WARNING] = "WARNING", [AS_LOG_ERROR] = "ERROR"};
	const struct as_log *log = parts;
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	as_put_time(&out, "time", log->time);
	as_put_device_info(&out, &log->dev_eui, device);
	json_out_text(&out, "level", levels[log->level]);
	json_out_text(&out, "code", log->code);
	json_out_text(&out, "description", log->description);
	json_out_open(&out, "context", '{');
	for (size_t i = 0; i < log->context_count; i++)
		json_out_text(&out, log->context[i].name, log->context[i].value);
	json_out_close(&out, '}');
	as_put_uuid(&out, "eventId", &log->id);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}
