#include "application-server/events/event_json.h"

#include "application-server/events/json_out.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_uuid(struct json_out *out, const char *name, const struct net_uuid *uuid)
{
	char text[AS_UUID_TEXT];
	json_out_text(out, name, as_uuid_format(text, uuid));
}

static void put_time(struct json_out *out, const char *name, struct wall time)
{
	char text[AS_TIME_TEXT];
	json_out_text(out, name, as_time_format(text, time));
}

/* A duration: decimal seconds with 0, 3, 6 or 9 decimals. */
static void put_duration(struct json_out *out, const char *name, int64_t seconds, uint32_t ns)
{
	char text[40];
	if (ns == 0)
		snprintf(text, sizeof text, "%" PRId64 "s", seconds);
	else if (ns % 1000000 == 0)
		snprintf(text, sizeof text, "%" PRId64 ".%03us", seconds, ns / 1000000);
	else if (ns % 1000 == 0)
		snprintf(text, sizeof text, "%" PRId64 ".%06us", seconds, ns / 1000);
	else
		snprintf(text, sizeof text, "%" PRId64 ".%09us", seconds, ns);
	json_out_text(out, name, text);
}

/* --- deviceInfo --------------------------------------------------------------------------------------------- */

/* The application's tags, then the profile's, then the device's: the later wins. */
static void put_tags(struct json_out *out, const struct as_device_info *device)
{
	const char *const texts[] = {device->application_tags, device->profile_tags, device->device_tags};
	json_t *merged = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i], "{}") == 0)
			continue;
		json_t *tags = json_loads(texts[i], 0, NULL);
		if (!merged)
			merged = tags;
		else {
			json_object_update(merged, tags);
			json_decref(tags);
		}
	}
	const char *key;
	json_t *value;
	json_out_open(out, "tags", '{');
	json_object_foreach(merged, key, value)
	{
		json_out_tag(out, key, json_is_string(value) ? json_string_value(value) : "");
	}
	json_out_close(out, '}');
	json_decref(merged);
}

static void put_device_info(struct json_out *out, const struct lw_eui64 *dev_eui,
			    const struct as_device_info *device)
{
	static const struct as_device_info unknown = {
		.device_class = 'A', .application_tags = "{}", .profile_tags = "{}", .device_tags = "{}"};
	char eui[LW_EUI64_TEXT], class_name[] = "CLASS_A";
	lw_eui64_format(eui, dev_eui);
	if (!device)
		device = &unknown;
	class_name[sizeof class_name - 2] = device->device_class;
	json_out_open(out, "deviceInfo", '{');
	put_uuid(out, "tenantId", &device->agency);
	json_out_text(out, "tenantName", device->agency_name);
	put_uuid(out, "applicationId", &device->application);
	json_out_text(out, "applicationName", device->application_name);
	put_uuid(out, "deviceProfileId", &device->profile);
	json_out_text(out, "deviceProfileName", device->profile_name);
	json_out_text(out, "deviceName", device->name);
	json_out_text(out, "devEui", eui);
	json_out_text(out, "deviceClassEnabled", class_name);
	put_tags(out, device);
	json_out_close(out, '}');
}

/* --- radio -------------------------------------------------------------------------------------------------- */

static void put_unless_zero(struct json_out *out, const char *name, int64_t value)
{
	if (value)
		json_out_integer(out, name, value);
}

static void put_location(struct json_out *out, const struct as_place *place)
{
	json_out_open(out, "location", '{');
	if (place->lat != 0)
		json_out_float(out, "latitude", place->lat);
	if (place->lon != 0)
		json_out_float(out, "longitude", place->lon);
	if (place->altitude_m != 0)
		json_out_float(out, "altitude", place->altitude_m);
	json_out_close(out, '}');
}

static void put_reception(struct json_out *out, const struct net_reception *reception,
			  const struct as_place *place)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &reception->gateway);
	json_out_open(out, NULL, '{');
	json_out_text(out, "gatewayId", eui);
	if (reception->has_gps_time)
		put_time(out, "gwTime", wall_from_gps_us(reception->gps_time_us));
	put_time(out, "nsTime", reception->arrival);
	if (reception->has_gps_time) {
		int64_t seconds = reception->gps_time_us / US_PER_S;
		put_duration(out, "timeSinceGpsEpoch", seconds,
			     (uint32_t)(reception->gps_time_us % US_PER_S) * 1000);
		if (reception->has_fine_time)
			put_duration(out, "fineTimeSinceGpsEpoch", seconds, reception->fine_time_ns);
	}
	put_unless_zero(out, "rssi", reception->rssi_dbm);
	if (reception->has_snr)
		json_out_float(out, "snr", reception->snr_cdb / 100.0);
	put_unless_zero(out, "channel", reception->channel);
	put_unless_zero(out, "rfChain", reception->rf_chain);
	put_unless_zero(out, "board", reception->board);
	put_unless_zero(out, "antenna", reception->antenna);
	if (place->known)
		put_location(out, place);
	uint8_t context[4];
	struct wr wr = wr_init(context, sizeof context);
	wr_u32be(&wr, reception->ticks.us);
	json_out_base64(out, "context", context, sizeof context);
	if (reception->crc != GW_CRC_NONE)
		json_out_text(out, "crcStatus", reception->crc == GW_CRC_OK ? "CRC_OK" : "BAD_CRC");
	json_out_close(out, '}');
}

static const struct {
	const char *ours, *theirs;
} code_rates[] = {
	{"4/5", "CR_4_5"},      {"4/6", "CR_4_6"},      {"4/7", "CR_4_7"},      {"4/8", "CR_4_8"},
	{"4/5LI", "CR_LI_4_5"}, {"4/6LI", "CR_LI_4_6"}, {"4/8LI", "CR_LI_4_8"}, {"1/3", "CR_2_6"},
	{"2/6", "CR_2_6"},      {"2/3", "CR_4_6"},      {"1/2", "CR_4_8"},      {"5/6", "CR_5_6"},
	{"3/8", "CR_3_8"},      {"1/4", "CR_1_4"},      {"1/6", "CR_1_6"},
};

static void put_code_rate(struct json_out *out, const char *code_rate)
{
	for (size_t i = 0; i < ARRAY_SIZE(code_rates); i++)
		if (strcmp(code_rates[i].ours, code_rate) == 0)
			json_out_text(out, "codeRate", code_rates[i].theirs);
}

static void put_tx_info(struct json_out *out, uint32_t freq_hz, const struct lw_modulation *modulation)
{
	json_out_open(out, "txInfo", '{');
	json_out_integer(out, "frequency", freq_hz);
	json_out_open(out, "modulation", '{');
	switch (modulation->kind) {
	case LW_LORA:
		json_out_open(out, "lora", '{');
		json_out_integer(out, "bandwidth", modulation->bandwidth_hz);
		json_out_integer(out, "spreadingFactor", modulation->spreading_factor);
		put_code_rate(out, modulation->code_rate);
		break;
	case LW_FSK:
		json_out_open(out, "fsk", '{');
		put_unless_zero(out, "frequencyDeviation", modulation->freq_deviation_hz);
		json_out_integer(out, "datarate", modulation->bit_rate_bps);
		break;
	case LW_LR_FHSS:
		json_out_open(out, "lrFhss", '{');
		json_out_integer(out, "operatingChannelWidth", modulation->bandwidth_hz);
		put_code_rate(out, modulation->code_rate);
		break;
	}
	json_out_close(out, '}');
	json_out_close(out, '}');
	json_out_close(out, '}');
}

/* --- events ------------------------------------------------------------------------------------------------- */

static void put_head(struct json_out *out, const struct net_event_head *head,
		     const struct as_device_info *device, struct lw_dev_addr dev_addr)
{
	char text[LW_DEV_ADDR_TEXT];
	put_uuid(out, "deduplicationId", &head->id);
	put_time(out, "time", head->time);
	put_device_info(out, &head->dev_eui, device);
	lw_dev_addr_format(text, dev_addr);
	json_out_text(out, "devAddr", text);
}

bool as_up_json(char *text, size_t capacity, const struct as_up_parts *parts, size_t *length)
{
	const struct net_up_event *event = parts->event;
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	put_head(&out, &event->head, parts->device, event->dev_addr);
	json_out_bool(&out, "adr", event->adr);
	json_out_integer(&out, "dr", event->dr);
	json_out_integer(&out, "fCnt", event->fcnt_up);
	json_out_integer(&out, "fPort", event->has_fport ? event->fport : 0);
	json_out_bool(&out, "confirmed", event->confirmed);
	json_out_base64(&out, "data", parts->data, parts->data_length);
	if (parts->object)
		json_out_floats(&out, "object", parts->object);
	json_out_open(&out, "rxInfo", '[');
	for (uint8_t i = 0; i < event->reception_count; i++)
		put_reception(&out, &event->receptions[i], &parts->places[i]);
	json_out_close(&out, ']');
	put_tx_info(&out, event->freq_hz, &event->modulation);
	json_out_text(&out, "regionConfigId", event->region_id);
	json_out_integer(&out, "gatewayCount", event->gateway_count);
	json_out_integer(&out, "nextFCntDown", event->next_fcnt_down);
	json_out_bool(&out, "late", event->late);
	if (parts->encrypted)
		json_out_bool(&out, "encrypted", true);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}

bool as_join_json(char *text, size_t capacity, const struct net_join_event *event,
		  const struct as_device_info *device, size_t *length)
{
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	put_head(&out, &event->head, device, event->dev_addr);
	json_out_text(&out, "regionConfigId", event->region_id);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}
