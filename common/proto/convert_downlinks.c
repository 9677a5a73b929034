/* Downlink items: enqueue and flush, application-server → network-server; seal and sealed at planning time. */
#include "common/proto/convert.h"

enum status pack_enqueue(const struct proto_message *message, struct packing *to)
{
	const struct net_enqueue *in = &message->enqueue;
	ASSERT_CMP(in->length, <=, NET_PAYLOAD_MAX);
	Lamppost__Enqueue out = LAMPPOST__ENQUEUE__INIT;
	out.item = convert_bytes(in->item.bytes, sizeof in->item.bytes);
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.fport = in->fport;
	out.length = in->length;
	out.confirmed = in->confirmed;
	out.priority = in->priority;
	out.has_expires_us = in->expires.us != 0;
	out.expires_us = in->expires.us;
	out.has_fcnt_down = out.has_frm_payload = in->encrypted;
	out.fcnt_down = in->fcnt_down;
	out.frm_payload = convert_bytes(in->frm_payload, in->length);
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_ENQUEUE, &out);
}

bool unpack_enqueue(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Enqueue *in = envelope->enqueue;
	if (in->fport < 1 || in->fport > 255 || in->length > NET_PAYLOAD_MAX || in->priority > 6 ||
	    in->has_fcnt_down != in->has_frm_payload)
		return false;
	struct net_enqueue *out = &message->enqueue;
	*out = (struct net_enqueue){
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.fport = (uint8_t)in->fport,
		.length = (uint8_t)in->length,
		.confirmed = in->confirmed,
		.priority = (uint8_t)in->priority,
		.expires = {in->expires_us},
		.encrypted = in->has_frm_payload,
		.fcnt_down = in->fcnt_down,
	};
	return convert_take_exact(out->item.bytes, sizeof out->item.bytes, &in->item) &&
	       (!in->has_frm_payload || in->length == 0 ||
		convert_take_exact(out->frm_payload, in->length, &in->frm_payload));
}

enum status pack_flush(const struct proto_message *message, struct packing *to)
{
	const struct net_flush *in = &message->flush;
	Lamppost__Flush out = LAMPPOST__FLUSH__INIT;
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.has_item = in->one;
	out.item = convert_bytes(in->item.bytes, sizeof in->item.bytes);
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_FLUSH, &out);
}

bool unpack_flush(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Flush *in = envelope->flush;
	struct net_flush *out = &message->flush;
	*out = (struct net_flush){.dev_eui = lw_eui64_from_number(in->dev_eui), .one = in->has_item};
	return !in->has_item || convert_take_exact(out->item.bytes, sizeof out->item.bytes, &in->item);
}

enum status pack_force_rejoin(const struct proto_message *message, struct packing *to)
{
	const struct net_force_rejoin *in = &message->force_rejoin;
	Lamppost__ForceRejoin out = LAMPPOST__FORCE_REJOIN__INIT;
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.rejoin_type = in->rejoin_type;
	out.period = in->period;
	out.max_retries = in->max_retries;
	out.has_data_rate = in->has_data_rate;
	out.data_rate = in->data_rate;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_FORCE_REJOIN, &out);
}

bool unpack_force_rejoin(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__ForceRejoin *in = envelope->force_rejoin;
	if ((in->rejoin_type != 0 && in->rejoin_type != 2) || in->period > 7 || in->max_retries > 7 ||
	    in->data_rate > 15)
		return false;
	message->force_rejoin = (struct net_force_rejoin){
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.rejoin_type = (uint8_t)in->rejoin_type,
		.period = (uint8_t)in->period,
		.max_retries = (uint8_t)in->max_retries,
		.has_data_rate = in->has_data_rate,
		.data_rate = (uint8_t)in->data_rate,
	};
	return true;
}

enum status pack_seal(const struct proto_message *message, struct packing *to)
{
	const struct net_seal *in = &message->seal;
	Lamppost__Seal out = LAMPPOST__SEAL__INIT;
	out.item = convert_bytes(in->item.bytes, sizeof in->item.bytes);
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.session = convert_bytes(in->session.bytes, sizeof in->session.bytes);
	out.dev_addr = in->dev_addr.value;
	out.fcnt_down = in->fcnt_down;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_SEAL, &out);
}

bool unpack_seal(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Seal *in = envelope->seal;
	struct net_seal *out = &message->seal;
	*out = (struct net_seal){
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.dev_addr = {in->dev_addr},
		.fcnt_down = in->fcnt_down,
	};
	return convert_take_exact(out->item.bytes, sizeof out->item.bytes, &in->item) &&
	       convert_take_exact(out->session.bytes, sizeof out->session.bytes, &in->session);
}

enum status pack_sealed(const struct proto_message *message, struct packing *to)
{
	const struct net_sealed *in = &message->sealed;
	ASSERT_CMP(in->frm_payload_length, <=, NET_PAYLOAD_MAX);
	Lamppost__Sealed out = LAMPPOST__SEALED__INIT;
	out.item = convert_bytes(in->item.bytes, sizeof in->item.bytes);
	out.fcnt_down = in->fcnt_down;
	out.has_frm_payload = in->ok;
	out.frm_payload = convert_bytes(in->frm_payload, in->frm_payload_length);
	out.cause = in->cause[0] ? convert_text(in->cause) : NULL;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_SEALED, &out);
}

bool unpack_sealed(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Sealed *in = envelope->sealed;
	struct net_sealed *out = &message->sealed;
	*out = (struct net_sealed){.fcnt_down = in->fcnt_down, .ok = in->has_frm_payload};
	size_t length = 0;
	if (in->has_frm_payload &&
	    !convert_take(out->frm_payload, sizeof out->frm_payload, &length, &in->frm_payload))
		return false;
	out->frm_payload_length = (uint8_t)length;
	return convert_take_exact(out->item.bytes, sizeof out->item.bytes, &in->item) &&
	       convert_take_text(out->cause, sizeof out->cause, in->cause);
}
