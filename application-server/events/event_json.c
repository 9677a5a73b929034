#include "application-server/events/event_json.h"

#include "application-server/events/event_parts.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- radio -------------------------------------------------------------------------------------------------- */

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

void as_put_reception(struct json_out *out, const struct net_reception *reception,
		      const struct as_place *place)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &reception->gateway);
	json_out_open(out, NULL, '{');
	json_out_text(out, "gatewayId", eui);
	if (reception->has_gps_time)
		as_put_time(out, "gwTime", wall_from_gps_us(reception->gps_time_us));
	as_put_time(out, "nsTime", reception->arrival);
	if (reception->has_gps_time) {
		int64_t seconds = reception->gps_time_us / US_PER_S;
		as_put_duration(out, "timeSinceGpsEpoch", seconds,
				(uint32_t)(reception->gps_time_us % US_PER_S) * 1000);
		if (reception->has_fine_time)
			as_put_duration(out, "fineTimeSinceGpsEpoch", seconds, reception->fine_time_ns);
	}
	as_put_unless_zero(out, "rssi", reception->rssi_dbm);
	if (reception->has_snr)
		json_out_float(out, "snr", reception->snr_cdb / 100.0);
	as_put_unless_zero(out, "channel", reception->channel);
	as_put_unless_zero(out, "rfChain", reception->rf_chain);
	as_put_unless_zero(out, "board", reception->board);
	as_put_unless_zero(out, "antenna", reception->antenna);
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

static void put_tx_info(struct json_out *out, uint32_t freq_hz, const struct lw_modulation *modulation)
{
	json_out_open(out, "txInfo", '{');
	json_out_integer(out, "frequency", freq_hz);
	as_put_modulation(out, modulation, false);
	json_out_close(out, '}');
}

/* How the agency comes to the AppSKey: wrapped under its own KEK, or by its id at the join server. Nothing where neither is known
 * (a session by personalization, whose key the agency has anyway). */
static void put_join_server_context(struct json_out *out, const struct as_held *held)
{
	char id[2 * NET_SESSION_KEY_ID_MAX + 1];
	if (!held->has_key && held->session_key_id_length == 0)
		return;
	json_out_open(out, "joinServerContext", '{');
	if (held->has_key) {
		json_out_open(out, "appSKey", '{');
		json_out_text(out, "kekLabel", held->kek_label);
		json_out_base64(out, "aesKey", held->wrapped, sizeof held->wrapped);
		json_out_close(out, '}');
	} else {
		hex_encode(id, held->session_key_id, held->session_key_id_length);
		json_out_text(out, "sessionKeyId", id);
	}
	json_out_close(out, '}');
}

void as_held_json(char text[AS_HELD_TEXT], const struct as_held *held)
{
	char address[LW_DEV_ADDR_TEXT];
	size_t length;
	struct json_out out = json_out_init(text, AS_HELD_TEXT);
	lw_dev_addr_format(address, held->dev_addr);
	json_out_open(&out, NULL, '{');
	json_out_text(&out, "devAddr", address);
	put_join_server_context(&out, held);
	json_out_close(&out, '}');
	bool fits = json_out_done(&out, &length);
	ASSERT(fits);
}

/* --- events ------------------------------------------------------------------------------------------------- */

static void put_head(struct json_out *out, const struct net_event_head *head,
		     const struct as_device_info *device, struct lw_dev_addr dev_addr)
{
	char text[LW_DEV_ADDR_TEXT];
	as_put_uuid(out, "deduplicationId", &head->id);
	as_put_time(out, "time", head->time);
	as_put_device_info(out, &head->dev_eui, device);
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
	if (parts->codec_error && parts->codec_error[0])
		json_out_text(&out, "codecError", parts->codec_error);
	json_out_open(&out, "rxInfo", '[');
	for (uint8_t i = 0; i < event->reception_count; i++)
		as_put_reception(&out, &event->receptions[i], &parts->places[i]);
	json_out_close(&out, ']');
	put_tx_info(&out, event->freq_hz, &event->modulation);
	if (parts->held)
		put_join_server_context(&out, parts->held);
	json_out_text(&out, "regionConfigId", event->region_id);
	json_out_integer(&out, "gatewayCount", event->gateway_count);
	json_out_integer(&out, "nextFCntDown", event->next_fcnt_down);
	if (event->max_payload)
		json_out_integer(&out, "maxPayload", event->max_payload);
	json_out_bool(&out, "late", event->late);
	if (event->restarted)
		json_out_bool(&out, "fCntRestarted", true);
	if (parts->encrypted)
		json_out_bool(&out, "encrypted", true);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}

bool as_join_json(char *text, size_t capacity, const struct net_join_event *event,
		  const struct as_device_info *device, const struct as_held *held, size_t *length)
{
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	put_head(&out, &event->head, device, event->dev_addr);
	if (held)
		put_join_server_context(&out, held);
	json_out_text(&out, "regionConfigId", event->region_id);
	if (event->request != NET_REQUEST_JOIN)
		json_out_text(&out, "request", net_join_request_name(event->request));
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}
