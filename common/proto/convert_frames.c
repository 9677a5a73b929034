/* Live frames and who wants them (frame_messages.h). */
#include "common/proto/convert.h"

enum status pack_frames_wanted(const struct proto_message *message, struct packing *to)
{
	const struct net_frames_wanted *in = &message->frames_wanted;
	const struct net_frame_filter *filter = &in->filter;
	ASSERT_CMP(in->follower, <, NET_FOLLOWERS_MAX);
	ASSERT(!filter->verdicts[0] || net_verdict_list_is(filter->verdicts));
	Lamppost__FrameFilter wanted = LAMPPOST__FRAME_FILTER__INIT;
	wanted.has_gateway = filter->by_gateway;
	wanted.gateway = lw_eui64_number(&filter->gateway);
	wanted.has_dev_eui = filter->by_device;
	wanted.dev_eui = lw_eui64_number(&filter->dev_eui);
	wanted.has_dev_addr = wanted.has_dev_addr_bits = filter->by_dev_addr;
	wanted.dev_addr = filter->dev_addr.value;
	wanted.dev_addr_bits = filter->dev_addr.bits;
	wanted.verdicts = filter->verdicts[0] ? convert_text(filter->verdicts) : NULL;
	wanted.directions = (uint32_t)filter->directions;
	wanted.foreign = filter->foreign;
	Lamppost__FramesWanted out = LAMPPOST__FRAMES_WANTED__INIT;
	out.follower = in->follower;
	out.lease_s = in->lease_s;
	out.filter = &wanted;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_FRAMES_WANTED, &out);
}

static bool filter_in(struct net_frame_filter *out, const Lamppost__FrameFilter *in)
{
	if (in->directions >= NET_FRAMES_DIRECTION_COUNT || in->has_dev_addr != in->has_dev_addr_bits ||
	    in->dev_addr_bits > 32)
		return false;
	*out = (struct net_frame_filter){
		.by_gateway = in->has_gateway,
		.gateway = lw_eui64_from_number(in->gateway),
		.by_device = in->has_dev_eui,
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.by_dev_addr = in->has_dev_addr,
		.dev_addr = {in->dev_addr, (uint8_t)in->dev_addr_bits},
		.directions = (enum net_frame_directions)in->directions,
		.foreign = in->foreign,
	};
	return convert_take_text(out->verdicts, sizeof out->verdicts, in->verdicts) &&
	       (!out->verdicts[0] || net_verdict_list_is(out->verdicts));
}

bool unpack_frames_wanted(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__FramesWanted *in = envelope->frames_wanted;
	if (in->follower >= NET_FOLLOWERS_MAX)
		return false;
	message->frames_wanted = (struct net_frames_wanted){.follower = in->follower, .lease_s = in->lease_s};
	return filter_in(&message->frames_wanted.filter, in->filter);
}

static void transmission_out(Lamppost__FrameTransmission *out, Lamppost__TxAttempt *attempt,
			     Lamppost__Modulation *modulation, const struct net_frame *in)
{
	convert_attempt_out(attempt, modulation, &in->tx);
	lamppost__frame_transmission__init(out);
	out->downlink = in->downlink;
	out->attempt = in->attempt;
	out->tx = attempt;
	out->left_us = in->left;
	out->answered = in->answered;
	out->has_power_dbm = in->has_power;
	out->power_dbm = in->power_dbm;
}

enum status pack_frame(const struct proto_message *message, struct packing *to)
{
	const struct net_frame *in = &message->frame;
	ASSERT_CMP(in->phy_length, >, 0);
	ASSERT_CMP(in->reception_count, <=, NET_RECEPTIONS_MAX);
	Lamppost__Modulation modulation, tx_modulation;
	convert_modulation_out(&modulation, &in->modulation);
	Lamppost__Reception receptions[NET_RECEPTIONS_MAX];
	Lamppost__Reception *pointers[NET_RECEPTIONS_MAX];
	for (size_t i = 0; i < in->reception_count; i++) {
		convert_reception_out(&receptions[i], &in->receptions[i]);
		pointers[i] = &receptions[i];
	}
	Lamppost__TxAttempt attempt;
	Lamppost__FrameTransmission tx;
	Lamppost__Frame out = LAMPPOST__FRAME__INIT;
	out.number = in->number;
	out.time_us = in->time.us;
	out.phy = convert_bytes(in->phy, in->phy_length);
	out.standing = (uint32_t)in->standing;
	out.verdict = convert_text(in->verdict);
	out.sentence = convert_text(in->sentence);
	out.next = in->next[0] ? convert_text(in->next) : NULL;
	out.has_dev_eui = in->has_device;
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.has_dev_addr = in->has_dev_addr;
	out.dev_addr = in->dev_addr.value;
	out.has_fcnt = in->has_fcnt;
	out.fcnt = in->fcnt;
	out.region_id = convert_text(in->region_id);
	out.freq_hz = in->freq_hz;
	out.modulation = &modulation;
	out.has_dr = in->has_dr;
	out.dr = in->dr;
	out.retransmission = in->retransmission;
	out.gateway_count = in->gateway_count;
	out.n_receptions = in->reception_count;
	out.receptions = pointers;
	if (in->direction == LW_DOWN) {
		transmission_out(&tx, &attempt, &tx_modulation, in);
		out.tx = &tx;
	}
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_FRAME, &out);
}

static bool transmission_in(struct net_frame *out, const Lamppost__FrameTransmission *in)
{
	if (!convert_fits_u8(in->attempt) || !convert_fits_i16(in->power_dbm))
		return false;
	out->direction = LW_DOWN;
	out->downlink = in->downlink;
	out->attempt = (uint8_t)in->attempt;
	out->left = in->left_us;
	out->answered = in->answered;
	out->has_power = in->has_power_dbm;
	out->power_dbm = (int16_t)in->power_dbm;
	return convert_attempt_in(&out->tx, in->tx);
}

static bool texts_in(struct net_frame *out, const Lamppost__Frame *in)
{
	return convert_take_text(out->verdict, sizeof out->verdict, in->verdict) &&
	       convert_take_text(out->sentence, sizeof out->sentence, in->sentence) &&
	       convert_take_text(out->next, sizeof out->next, in->next) &&
	       convert_take_text(out->region_id, sizeof out->region_id, in->region_id);
}

bool unpack_frame(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Frame *in = envelope->frame;
	if (in->standing >= NET_FRAME_STANDING_COUNT || !convert_fits_u8(in->dr) ||
	    in->n_receptions > NET_RECEPTIONS_MAX)
		return false;
	struct net_frame *out = &message->frame;
	*out = (struct net_frame){
		.number = in->number,
		.direction = LW_UP,
		.time = {in->time_us},
		.standing = (enum net_frame_standing)in->standing,
		.has_device = in->has_dev_eui,
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.has_dev_addr = in->has_dev_addr,
		.dev_addr = {in->dev_addr},
		.has_fcnt = in->has_fcnt,
		.fcnt = in->fcnt,
		.freq_hz = in->freq_hz,
		.has_dr = in->has_dr,
		.dr = (uint8_t)in->dr,
		.retransmission = in->retransmission,
		.gateway_count = in->gateway_count,
		.reception_count = (uint8_t)in->n_receptions,
	};
	for (size_t i = 0; i < in->n_receptions; i++) {
		if (!convert_reception_in(&out->receptions[i], in->receptions[i]))
			return false;
	}
	size_t length;
	if (!convert_take(out->phy, sizeof out->phy, &length, &in->phy) || length == 0)
		return false;
	out->phy_length = (uint8_t)length;
	return texts_in(out, in) && convert_modulation_in(&out->modulation, in->modulation) &&
	       (!in->tx || transmission_in(out, in->tx));
}
