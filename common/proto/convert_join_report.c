/* How a join-request fares (join_report.h). */
#include "common/proto/convert.h"

enum status pack_join_report(const struct proto_message *message, struct packing *to)
{
	const struct net_join_report *in = &message->join_report;
	ASSERT(in->attempt != 0 && (unsigned)in->verdict < NET_JOIN_VERDICT_COUNT);
	Lamppost__Modulation modulation;
	Lamppost__JoinHeard heard = LAMPPOST__JOIN_HEARD__INIT;
	Lamppost__JoinTransmission tx = LAMPPOST__JOIN_TRANSMISSION__INIT;
	Lamppost__JoinReport out = LAMPPOST__JOIN_REPORT__INIT;
	out.attempt = in->attempt;
	out.verdict = (uint32_t)in->verdict;
	out.time_us = in->time.us;
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.join_eui = lw_eui64_number(&in->join_eui);
	out.dev_nonce = in->dev_nonce;
	out.has_request = in->request != NET_REQUEST_JOIN;
	out.request = (uint32_t)in->request;
	out.has_device = out.has_device_join_eui = in->has_device;
	out.device = lw_eui64_number(&in->device);
	out.device_join_eui = lw_eui64_number(&in->device_join_eui);
	if (in->has_heard) {
		convert_modulation_out(&modulation, &in->modulation);
		heard.freq_hz = in->freq_hz;
		heard.modulation = &modulation;
		heard.gateway_count = in->gateway_count;
		heard.gateway = lw_eui64_number(&in->gateway);
		heard.rssi_dbm = in->rssi_dbm;
		heard.has_snr_cdb = in->has_snr;
		heard.snr_cdb = in->snr_cdb;
		heard.region_id = convert_text(in->region_id);
		heard.times = in->times;
		heard.off_plan = in->off_plan;
		heard.channel = in->channel;
		heard.sub_band = in->sub_band;
		heard.plan = in->plan[0] ? convert_text(in->plan) : NULL;
		out.heard = &heard;
	}
	out.cause = in->cause[0] ? convert_text(in->cause) : NULL;
	out.has_unheard = in->unheard != 0;
	out.unheard = in->unheard;
	if (in->has_tx) {
		tx.gateway = lw_eui64_number(&in->tx_gateway);
		tx.window = (uint32_t)in->tx_window;
		tx.freq_hz = in->tx_freq_hz;
		tx.left_us = in->left;
		out.tx = &tx;
	}
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_JOIN_REPORT, &out);
}

static bool heard_in(struct net_join_report *out, const Lamppost__JoinHeard *in)
{
	if (!convert_fits_i16(in->rssi_dbm) || !convert_fits_i16(in->snr_cdb) ||
	    !convert_fits_u8(in->channel) || !convert_fits_u8(in->sub_band))
		return false;
	out->has_heard = true;
	out->freq_hz = in->freq_hz;
	out->gateway_count = in->gateway_count;
	out->gateway = lw_eui64_from_number(in->gateway);
	out->rssi_dbm = (int16_t)in->rssi_dbm;
	out->has_snr = in->has_snr_cdb;
	out->snr_cdb = (int16_t)in->snr_cdb;
	out->times = in->times;
	out->off_plan = in->off_plan;
	out->channel = (uint8_t)in->channel;
	out->sub_band = (uint8_t)in->sub_band;
	return convert_modulation_in(&out->modulation, in->modulation) &&
	       convert_take_text(out->region_id, sizeof out->region_id, in->region_id) &&
	       convert_take_text(out->plan, sizeof out->plan, in->plan);
}

static bool transmission_in(struct net_join_report *out, const Lamppost__JoinTransmission *in)
{
	if (in->window > GW_CLASS_C)
		return false;
	out->has_tx = true;
	out->tx_gateway = lw_eui64_from_number(in->gateway);
	out->tx_window = (enum gw_window)in->window;
	out->tx_freq_hz = in->freq_hz;
	out->left = in->left_us;
	return true;
}

bool unpack_join_report(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__JoinReport *in = envelope->join_report;
	if (in->attempt == 0 || in->verdict >= NET_JOIN_VERDICT_COUNT || in->dev_nonce > UINT16_MAX ||
	    in->unheard > UINT16_MAX || in->has_device != in->has_device_join_eui ||
	    in->request >= NET_REQUESTS)
		return false;
	struct net_join_report *out = &message->join_report;
	*out = (struct net_join_report){
		.attempt = in->attempt,
		.verdict = (enum net_join_verdict)in->verdict,
		.time = {in->time_us},
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.join_eui = lw_eui64_from_number(in->join_eui),
		.dev_nonce = (uint16_t)in->dev_nonce,
		.request = (enum net_join_request)in->request,
		.has_device = in->has_device,
		.device = lw_eui64_from_number(in->device),
		.device_join_eui = lw_eui64_from_number(in->device_join_eui),
		.unheard = (uint16_t)in->unheard,
	};
	return convert_take_text(out->cause, sizeof out->cause, in->cause) &&
	       (!in->heard || heard_in(out, in->heard)) && (!in->tx || transmission_in(out, in->tx));
}
