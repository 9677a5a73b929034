#include "application-server/frames/frame_json.h"

#include "application-server/events/event_json.h"
#include "application-server/events/event_parts.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

static void put_hex(struct json_out *out, const char *name, const uint8_t *bytes, size_t length)
{
	char text[2 * LW_PHY_PAYLOAD_MAX + 1];
	hex_encode(text, bytes, length);
	json_out_text(out, name, text);
}

static void put_eui(struct json_out *out, const char *name, const struct lw_eui64 *eui)
{
	char text[LW_EUI64_TEXT];
	lw_eui64_format(text, eui);
	json_out_text(out, name, text);
}

/* --- the bytes ----------------------------------------------------------------------------------------------- */

static void put_data(struct json_out *out, const struct net_frame *frame, const struct lw_frame *data,
		     enum lw_direction direction)
{
	char addr[LW_DEV_ADDR_TEXT];
	lw_dev_addr_format(addr, data->dev_addr);
	json_out_text(out, "devAddr", addr);
	json_out_open(out, "fCtrl", '{');
	json_out_bool(out, "adr", data->fctrl.adr);
	if (direction == LW_UP)
		json_out_bool(out, "adrAckReq", data->fctrl.adr_ack_req);
	json_out_bool(out, "ack", data->fctrl.ack);
	if (direction == LW_UP)
		json_out_bool(out, "classB", data->fctrl.class_b);
	else
		json_out_bool(out, "fPending", data->fctrl.f_pending);
	json_out_integer(out, "fOptsLen", data->fctrl.fopts_length);
	json_out_close(out, '}');
	json_out_integer(out, "fCnt", frame->has_fcnt ? frame->fcnt : data->fcnt);
	json_out_integer(out, "fCntBits", frame->has_fcnt ? 32 : 16);
	if (data->fctrl.fopts_length)
		put_hex(out, "fOpts", data->fopts, data->fctrl.fopts_length);
	if (data->has_fport) {
		json_out_integer(out, "fPort", data->fport);
		put_hex(out, "frmPayload", data->frm_payload, data->frm_payload_length);
	}
	put_hex(out, "mic", data->mic.bytes, sizeof data->mic.bytes);
}

static void put_join_request(struct json_out *out, const struct lw_join_request *request)
{
	json_out_open(out, "joinRequest", '{');
	put_eui(out, "joinEui", &request->join_eui);
	put_eui(out, "devEui", &request->dev_eui);
	json_out_integer(out, "devNonce", request->dev_nonce);
	json_out_close(out, '}');
	put_hex(out, "mic", request->mic.bytes, sizeof request->mic.bytes);
}

static void put_rejoin_request(struct json_out *out, const struct lw_rejoin_request *request)
{
	json_out_open(out, "rejoinRequest", '{');
	json_out_integer(out, "rejoinType", request->type);
	if (request->type == 1) {
		put_eui(out, "joinEui", &request->join_eui);
	} else {
		char net_id[LW_NET_ID_TEXT];
		lw_net_id_format(net_id, request->net_id);
		json_out_text(out, "netId", net_id);
	}
	put_eui(out, "devEui", &request->dev_eui);
	json_out_integer(out, "rjCount", request->rj_count);
	json_out_close(out, '}');
	put_hex(out, "mic", request->mic.bytes, sizeof request->mic.bytes);
}

/* A gateway may hear another's downlink: the type says which way it goes. */
static void put_bytes(struct json_out *out, const struct net_frame *frame)
{
	const uint8_t *phy = frame->phy;
	size_t length = frame->phy_length;
	enum lw_ftype ftype = (enum lw_ftype)(phy[0] >> 5);
	bool down = ftype == LW_JOIN_ACCEPT || ftype == LW_UNCONFIRMED_DOWN || ftype == LW_CONFIRMED_DOWN;
	struct lw_frame data;
	struct lw_join_request request;
	struct lw_rejoin_request rejoin;
	json_out_text(out, "fType", lw_ftype_name(ftype));
	json_out_integer(out, "major", phy[0] & 3);
	if (lw_frame_parse(&data, phy, length, down ? LW_DOWN : LW_UP) == LW_OK)
		put_data(out, frame, &data, down ? LW_DOWN : LW_UP);
	else if (lw_join_request_parse(&request, phy, length) == LW_OK)
		put_join_request(out, &request);
	else if (lw_rejoin_request_parse(&rejoin, phy, length) == LW_OK)
		put_rejoin_request(out, &rejoin);
	put_hex(out, "phyPayload", phy, length);
}

/* --- how it was on the air ----------------------------------------------------------------------------------- */

static void put_radio(struct json_out *out, const struct net_frame *frame)
{
	static const struct as_place nowhere = {.known = false};
	json_out_text(out, "region", frame->region_id);
	if (frame->has_dr)
		json_out_integer(out, "dr", frame->dr);
	json_out_open(out, "txInfo", '{');
	json_out_integer(out, "frequency", frame->freq_hz);
	as_put_modulation(out, &frame->modulation, frame->direction == LW_DOWN);
	json_out_close(out, '}');
	if (frame->direction == LW_DOWN)
		return;
	json_out_bool(out, "retransmission", frame->retransmission);
	json_out_integer(out, "gatewayCount", frame->gateway_count);
	json_out_open(out, "rxInfo", '[');
	for (uint8_t i = 0; i < frame->reception_count; i++)
		as_put_reception(out, &frame->receptions[i], &nowhere);
	json_out_close(out, ']');
}

static void put_transmission(struct json_out *out, const struct net_frame *frame)
{
	static const char *const windows[] = {"RX1", "RX2", "PING_SLOT", "CLASS_C"};
	static const char *const timings[] = {"ticks", "gps", "immediately"};
	uint8_t id[8];
	struct wr wr = wr_init(id, sizeof id);
	wr_u64be(&wr, frame->downlink);
	json_out_open(out, "tx", '{');
	put_hex(out, "downlinkId", id, sizeof id);
	json_out_integer(out, "attempt", frame->attempt + 1);
	put_eui(out, "gatewayId", &frame->tx.gateway);
	json_out_text(out, "window", windows[frame->tx.window]);
	json_out_text(out, "timing", timings[frame->tx.timing]);
	if (frame->tx.timing == GW_AT_TICKS)
		json_out_integer(out, "ticks", frame->tx.ticks.us);
	if (frame->tx.timing == GW_AT_GPS_TIME)
		as_put_time(out, "gpsTime", wall_from_gps_us(frame->tx.gps_time_us));
	json_out_integer(out, "power", frame->tx.power_dbm);
	json_out_integer(out, "board", frame->tx.board);
	json_out_integer(out, "antenna", frame->tx.antenna);
	json_out_integer(out, "leftMs", frame->left / US_PER_MS);
	json_out_bool(out, "answered", frame->answered);
	if (frame->has_power)
		json_out_integer(out, "usedPower", frame->power_dbm);
	json_out_close(out, '}');
}

bool as_frame_json(char *text, size_t capacity, const struct net_frame *frame,
		   const struct as_device_info *device, size_t *length)
{
	struct json_out out = json_out_init(text, capacity);
	json_out_open(&out, NULL, '{');
	json_out_integer(&out, "number", (int64_t)frame->number);
	as_put_time(&out, "time", frame->time);
	json_out_text(&out, "direction", frame->direction == LW_UP ? "up" : "down");
	json_out_text(&out, "verdict", frame->verdict);
	json_out_text(&out, "standing", net_frame_standing_name(frame->standing));
	json_out_text(&out, "sentence", frame->sentence);
	json_out_text(&out, "next", frame->next);
	if (frame->has_device)
		put_eui(&out, "devEui", &frame->dev_eui);
	if (device) {
		json_out_text(&out, "deviceName", device->name);
		json_out_text(&out, "applicationName", device->application_name);
		json_out_text(&out, "tenantName", device->agency_name);
	}
	put_bytes(&out, frame);
	put_radio(&out, frame);
	if (frame->direction == LW_DOWN)
		put_transmission(&out, frame);
	json_out_close(&out, '}');
	return json_out_done(&out, length);
}
