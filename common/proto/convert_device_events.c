/* Events about what was sent to a device and what it said of itself: the states of a downlink item, DevStatusAns, what was on
 * the air. */
#include "common/proto/convert.h"

enum status pack_downlink_event(const struct proto_message *message, struct packing *to)
{
	const struct net_downlink_event *in = &message->downlink_event;
	Lamppost__EventHead head;
	convert_head_out(&head, &in->head);
	Lamppost__Modulation modulation;
	Lamppost__ItemTransmission tx = LAMPPOST__ITEM_TRANSMISSION__INIT;
	Lamppost__DownlinkEvent out = LAMPPOST__DOWNLINK_EVENT__INIT;
	out.head = &head;
	out.item = convert_bytes(in->item.bytes, sizeof in->item.bytes);
	out.status = (uint32_t)in->status;
	out.fcnt_down = in->fcnt_down;
	out.gateway = lw_eui64_number(&in->gateway);
	out.has_gateway = out.gateway != 0;
	out.cause = in->cause[0] ? convert_text(in->cause) : NULL;
	out.has_tries = in->tries != 0;
	out.tries = in->tries;
	out.has_max_payload = in->has_max_payload;
	out.max_payload = in->max_payload;
	out.has_uplink = in->has_uplink;
	out.uplink = convert_bytes(in->uplink.bytes, sizeof in->uplink.bytes);
	if (in->has_tx) {
		convert_modulation_out(&modulation, &in->modulation);
		tx.freq_hz = in->freq_hz;
		tx.modulation = &modulation;
		tx.power_dbm = in->power_dbm;
		tx.window = (uint32_t)in->window;
		tx.delay_us = in->delay;
		out.tx = &tx;
	}
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_DOWNLINK_EVENT, &out);
}

static bool transmission_in(struct net_downlink_event *out, const Lamppost__ItemTransmission *in)
{
	if (!convert_fits_i16(in->power_dbm) || in->window > GW_CLASS_C)
		return false;
	out->has_tx = true;
	out->freq_hz = in->freq_hz;
	out->power_dbm = (int16_t)in->power_dbm;
	out->window = (enum gw_window)in->window;
	out->delay = in->delay_us;
	return convert_modulation_in(&out->modulation, in->modulation);
}

bool unpack_downlink_event(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__DownlinkEvent *in = envelope->downlink_event;
	if (in->status >= NET_ITEM_STATUS_COUNT || !convert_fits_u8(in->tries) ||
	    in->max_payload > NET_PAYLOAD_MAX)
		return false;
	struct net_downlink_event *out = &message->downlink_event;
	*out = (struct net_downlink_event){
		.status = (enum net_item_status)in->status,
		.fcnt_down = in->fcnt_down,
		.gateway = lw_eui64_from_number(in->gateway),
		.tries = (uint8_t)in->tries,
		.has_max_payload = in->has_max_payload,
		.max_payload = (uint8_t)in->max_payload,
		.has_uplink = in->has_uplink,
	};
	return convert_head_in(&out->head, in->head) &&
	       convert_take_exact(out->item.bytes, sizeof out->item.bytes, &in->item) &&
	       convert_take_text(out->cause, sizeof out->cause, in->cause) &&
	       (!in->has_uplink ||
		convert_take_exact(out->uplink.bytes, sizeof out->uplink.bytes, &in->uplink)) &&
	       (!in->tx || transmission_in(out, in->tx));
}

enum status pack_status_event(const struct proto_message *message, struct packing *to)
{
	const struct net_status_event *in = &message->status_event;
	ASSERT(in->margin_db >= -32 && in->margin_db <= 31);
	Lamppost__EventHead head;
	convert_head_out(&head, &in->head);
	Lamppost__StatusEvent out = LAMPPOST__STATUS_EVENT__INIT;
	out.head = &head;
	out.uplink = convert_bytes(in->uplink.bytes, sizeof in->uplink.bytes);
	out.battery = in->battery;
	out.margin_db = in->margin_db;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_STATUS_EVENT, &out);
}

bool unpack_status_event(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__StatusEvent *in = envelope->status_event;
	if (!convert_fits_u8(in->battery) || in->margin_db < -32 || in->margin_db > 31)
		return false;
	struct net_status_event *out = &message->status_event;
	*out = (struct net_status_event){.battery = (uint8_t)in->battery,
					 .margin_db = (int16_t)in->margin_db};
	return convert_head_in(&out->head, in->head) &&
	       convert_take_exact(out->uplink.bytes, sizeof out->uplink.bytes, &in->uplink);
}

enum status pack_air_event(const struct proto_message *message, struct packing *to)
{
	const struct net_air_event *in = &message->air_event;
	Lamppost__EventHead head;
	convert_head_out(&head, &in->head);
	Lamppost__AirEvent out = LAMPPOST__AIR_EVENT__INIT;
	out.head = &head;
	out.kind = (uint32_t)in->kind;
	out.back = in->back;
	out.airtime_us = in->airtime_us;
	out.has_deaf_us = in->deaf_us != 0;
	out.deaf_us = in->deaf_us;
	out.gateway = lw_eui64_number(&in->gateway);
	out.has_gateway = out.gateway != 0;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_AIR_EVENT, &out);
}

bool unpack_air_event(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__AirEvent *in = envelope->air_event;
	if (in->kind >= NET_AIR_KIND_COUNT)
		return false;
	struct net_air_event *out = &message->air_event;
	*out = (struct net_air_event){.kind = (enum net_air_kind)in->kind,
				      .back = in->back,
				      .airtime_us = in->airtime_us,
				      .deaf_us = in->deaf_us,
				      .gateway = lw_eui64_from_number(in->gateway)};
	return convert_head_in(&out->head, in->head);
}
