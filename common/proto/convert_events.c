/* Events, network-server → application-server. */
#include "common/proto/convert.h"

enum up_flag {
	UP_CONFIRMED = 1,
	UP_ADR = 2,
	UP_ACK = 4,
	UP_CLASS_B = 8,
	UP_LATE = 16,
	UP_RESTARTED = 32,
	UP_FLAGS = 63
};

void convert_head_out(Lamppost__EventHead *out, const struct net_event_head *in)
{
	lamppost__event_head__init(out);
	out->id = convert_bytes(in->id.bytes, sizeof in->id.bytes);
	out->row = in->row;
	out->time_us = in->time.us;
	out->dev_eui = lw_eui64_number(&in->dev_eui);
}

bool convert_head_in(struct net_event_head *out, const Lamppost__EventHead *in)
{
	*out = (struct net_event_head){
		.row = in->row,
		.time = {in->time_us},
		.dev_eui = lw_eui64_from_number(in->dev_eui),
	};
	return convert_take_exact(out->id.bytes, sizeof out->id.bytes, &in->id);
}

void convert_reception_out(Lamppost__Reception *out, const struct net_reception *in)
{
	lamppost__reception__init(out);
	out->gateway = lw_eui64_number(&in->gateway);
	out->rssi_dbm = in->rssi_dbm;
	out->has_snr_cdb = in->has_snr;
	out->snr_cdb = in->snr_cdb;
	out->has_channel = in->channel != 0;
	out->channel = in->channel;
	out->has_rf_chain = in->rf_chain != 0;
	out->rf_chain = in->rf_chain;
	out->has_board = in->board != 0;
	out->board = in->board;
	out->has_antenna = in->antenna != 0;
	out->antenna = in->antenna;
	out->ticks = in->ticks.us;
	out->has_gps_time_us = in->has_gps_time;
	out->gps_time_us = in->gps_time_us;
	out->has_fine_time_ns = in->has_fine_time;
	out->fine_time_ns = in->fine_time_ns;
	out->arrival_us = in->arrival.us;
	out->crc = (uint32_t)in->crc;
}

bool convert_reception_in(struct net_reception *out, const Lamppost__Reception *in)
{
	if (in->crc > GW_CRC_NONE || !convert_fits_i16(in->rssi_dbm) || !convert_fits_i16(in->snr_cdb))
		return false;
	*out = (struct net_reception){
		.gateway = lw_eui64_from_number(in->gateway),
		.rssi_dbm = (int16_t)in->rssi_dbm,
		.has_snr = in->has_snr_cdb,
		.snr_cdb = (int16_t)in->snr_cdb,
		.channel = in->channel,
		.rf_chain = in->rf_chain,
		.board = in->board,
		.antenna = in->antenna,
		.ticks = {in->ticks},
		.has_gps_time = in->has_gps_time_us,
		.gps_time_us = in->gps_time_us,
		.has_fine_time = in->has_fine_time_ns,
		.fine_time_ns = in->fine_time_ns,
		.arrival = {in->arrival_us},
		.crc = (enum gw_crc)in->crc,
	};
	return true;
}

static uint32_t flags_of(const struct net_up_event *event)
{
	uint32_t flags = 0;
	flags |= event->confirmed ? UP_CONFIRMED : 0;
	flags |= event->adr ? UP_ADR : 0;
	flags |= event->ack ? UP_ACK : 0;
	flags |= event->class_b ? UP_CLASS_B : 0;
	flags |= event->late ? UP_LATE : 0;
	flags |= event->restarted ? UP_RESTARTED : 0;
	return flags;
}

enum status pack_up_event(const struct proto_message *message, struct packing *to)
{
	const struct net_up_event *in = &message->up_event;
	ASSERT_CMP(in->reception_count, <=, NET_RECEPTIONS_MAX);
	ASSERT_CMP(in->frm_payload_length, <=, NET_PAYLOAD_MAX);
	Lamppost__EventHead head;
	convert_head_out(&head, &in->head);
	Lamppost__Modulation modulation;
	convert_modulation_out(&modulation, &in->modulation);
	Lamppost__Reception receptions[NET_RECEPTIONS_MAX];
	Lamppost__Reception *pointers[NET_RECEPTIONS_MAX];
	for (size_t i = 0; i < in->reception_count; i++) {
		convert_reception_out(&receptions[i], &in->receptions[i]);
		pointers[i] = &receptions[i];
	}
	Lamppost__UpEvent out = LAMPPOST__UP_EVENT__INIT;
	out.head = &head;
	out.session = convert_bytes(in->session.bytes, sizeof in->session.bytes);
	out.dev_addr = in->dev_addr.value;
	out.fcnt_up = in->fcnt_up;
	out.has_fport = in->has_fport;
	out.fport = in->fport;
	out.flags = flags_of(in);
	out.dr = in->dr;
	out.freq_hz = in->freq_hz;
	out.modulation = &modulation;
	out.region_id = convert_text(in->region_id);
	out.frm_payload = convert_bytes(in->frm_payload, in->frm_payload_length);
	out.next_fcnt_down = in->next_fcnt_down;
	out.has_max_payload = in->max_payload != 0;
	out.max_payload = in->max_payload;
	out.gateway_count = in->gateway_count;
	out.n_receptions = in->reception_count;
	out.receptions = pointers;
	out.has_count = in->count != 0;
	out.count = in->count;
	out.has_missed = in->missed != 0;
	out.missed = in->missed;
	out.has_airtime_us = in->airtime_us != 0;
	out.airtime_us = in->airtime_us;
	out.has_seen_us = in->seen.us != 0;
	out.seen_us = in->seen.us;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_UP_EVENT, &out);
}

bool unpack_up_event(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__UpEvent *in = envelope->up_event;
	if (in->n_receptions > NET_RECEPTIONS_MAX || in->flags > UP_FLAGS || !convert_fits_u8(in->dr) ||
	    !convert_fits_u8(in->fport) || in->max_payload > NET_PAYLOAD_MAX)
		return false;
	struct net_up_event *out = &message->up_event;
	*out = (struct net_up_event){
		.dev_addr = {in->dev_addr},
		.fcnt_up = in->fcnt_up,
		.has_fport = in->has_fport,
		.fport = (uint8_t)in->fport,
		.confirmed = in->flags & UP_CONFIRMED,
		.adr = in->flags & UP_ADR,
		.ack = in->flags & UP_ACK,
		.class_b = in->flags & UP_CLASS_B,
		.late = in->flags & UP_LATE,
		.restarted = in->flags & UP_RESTARTED,
		.dr = (uint8_t)in->dr,
		.freq_hz = in->freq_hz,
		.next_fcnt_down = in->next_fcnt_down,
		.max_payload = (uint8_t)in->max_payload,
		.gateway_count = in->gateway_count,
		.reception_count = (uint8_t)in->n_receptions,
		.count = in->count,
		.missed = in->missed,
		.airtime_us = in->airtime_us,
		.seen = {in->seen_us},
	};
	for (size_t i = 0; i < in->n_receptions; i++) {
		if (!convert_reception_in(&out->receptions[i], in->receptions[i]))
			return false;
	}
	size_t length;
	if (!convert_take(out->frm_payload, sizeof out->frm_payload, &length, &in->frm_payload))
		return false;
	out->frm_payload_length = (uint8_t)length;
	return convert_head_in(&out->head, in->head) &&
	       convert_take_exact(out->session.bytes, sizeof out->session.bytes, &in->session) &&
	       convert_modulation_in(&out->modulation, in->modulation) &&
	       convert_take_text(out->region_id, sizeof out->region_id, in->region_id);
}

static const char *const request_names[NET_REQUESTS] = {
	[NET_REQUEST_JOIN] = "join",
	[NET_REQUEST_REJOIN_0] = "rejoin_0",
	[NET_REQUEST_REJOIN_1] = "rejoin_1",
	[NET_REQUEST_REJOIN_2] = "rejoin_2",
};

const char *net_join_request_name(enum net_join_request request)
{
	return (unsigned)request < NET_REQUESTS ? request_names[request] : "unknown";
}

enum status pack_join_event(const struct proto_message *message, struct packing *to)
{
	const struct net_join_event *in = &message->join_event;
	Lamppost__EventHead head;
	convert_head_out(&head, &in->head);
	Lamppost__JoinEvent out = LAMPPOST__JOIN_EVENT__INIT;
	out.head = &head;
	out.session = convert_bytes(in->session.bytes, sizeof in->session.bytes);
	out.join_eui = lw_eui64_number(&in->join_eui);
	out.dev_addr = in->dev_addr.value;
	out.region_id = convert_text(in->region_id);
	out.app_s_key_label = convert_text(in->app_s_key_label);
	out.has_request = in->request != NET_REQUEST_JOIN;
	out.request = (uint32_t)in->request;
	out.app_s_key_wrapped = convert_bytes(in->app_s_key_wrapped, sizeof in->app_s_key_wrapped);
	out.has_in_use = in->has_in_use;
	out.in_use = convert_bytes(in->in_use.bytes, sizeof in->in_use.bytes);
	out.has_session_key_id = in->session_key_id_length > 0;
	out.session_key_id = convert_bytes(in->session_key_id, in->session_key_id_length);
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_JOIN_EVENT, &out);
}

bool unpack_join_event(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__JoinEvent *in = envelope->join_event;
	struct net_join_event *out = &message->join_event;
	if (in->request >= NET_REQUESTS)
		return false;
	*out = (struct net_join_event){
		.request = (enum net_join_request)in->request,
		.join_eui = lw_eui64_from_number(in->join_eui),
		.dev_addr = {in->dev_addr},
		.has_in_use = in->has_in_use,
	};
	if (in->has_in_use && !convert_take_exact(out->in_use.bytes, sizeof out->in_use.bytes, &in->in_use))
		return false;
	if (in->has_session_key_id) {
		if (in->session_key_id.len > sizeof out->session_key_id)
			return false;
		out->session_key_id_length = (uint8_t)in->session_key_id.len;
		if (!convert_take_exact(out->session_key_id, in->session_key_id.len, &in->session_key_id))
			return false;
	}
	return convert_head_in(&out->head, in->head) &&
	       convert_take_exact(out->session.bytes, sizeof out->session.bytes, &in->session) &&
	       convert_take_text(out->region_id, sizeof out->region_id, in->region_id) &&
	       convert_take_text(out->app_s_key_label, sizeof out->app_s_key_label, in->app_s_key_label) &&
	       convert_take_exact(out->app_s_key_wrapped, sizeof out->app_s_key_wrapped,
				  &in->app_s_key_wrapped);
}

enum status pack_event_stored(const struct proto_message *message, struct packing *to)
{
	Lamppost__EventStored out = LAMPPOST__EVENT_STORED__INIT;
	out.row = message->event_stored.row;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_EVENT_STORED, &out);
}

bool unpack_event_stored(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	message->event_stored = (struct net_event_stored){.row = envelope->event_stored->row};
	return true;
}
