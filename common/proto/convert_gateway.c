/* Messages between gateway-bridge and network-server. */
#include "common/proto/convert.h"

enum status pack_gateway_uplink(const struct proto_message *message, struct packing *to)
{
	const struct gw_uplink *in = &message->gateway_uplink;
	Lamppost__Modulation modulation;
	convert_modulation_out(&modulation, &in->modulation);
	Lamppost__GatewayUplink out = LAMPPOST__GATEWAY_UPLINK__INIT;
	out.gateway = lw_eui64_number(&in->gateway);
	out.phy = convert_bytes(in->phy, in->phy_length);
	out.freq_hz = in->freq_hz;
	out.modulation = &modulation;
	out.crc = (uint32_t)in->crc;
	out.rssi_dbm = in->rssi_dbm;
	out.has_snr_cdb = in->has_snr;
	out.snr_cdb = in->snr_cdb;
	out.ticks = in->ticks.us;
	out.has_gps_time_us = in->has_gps_time;
	out.gps_time_us = in->gps_time_us;
	out.has_fine_time_ns = in->has_fine_time;
	out.fine_time_ns = in->fine_time_ns;
	out.has_channel = in->channel != 0;
	out.channel = in->channel;
	out.has_rf_chain = in->rf_chain != 0;
	out.rf_chain = in->rf_chain;
	out.has_board = in->board != 0;
	out.board = in->board;
	out.has_antenna = in->antenna != 0;
	out.antenna = in->antenna;
	out.has_freq_offset_hz = in->freq_offset_hz != 0;
	out.freq_offset_hz = in->freq_offset_hz;
	out.age_us = in->age_us;
	out.arrival_us = in->arrival.us;
	out.wall_synchronised = in->wall_synchronised;
	out.protocol = (uint32_t)in->protocol;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_UPLINK, &out);
}

bool unpack_gateway_uplink(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayUplink *in = envelope->gateway_uplink;
	if (in->crc > GW_CRC_NONE || in->protocol >= GW_PROTOCOL_COUNT || in->age_us < 0 ||
	    !convert_fits_i16(in->rssi_dbm) || !convert_fits_i16(in->snr_cdb))
		return false;
	struct gw_uplink *out = &message->gateway_uplink;
	*out = (struct gw_uplink){
		.gateway = lw_eui64_from_number(in->gateway),
		.freq_hz = in->freq_hz,
		.crc = (enum gw_crc)in->crc,
		.rssi_dbm = (int16_t)in->rssi_dbm,
		.has_snr = in->has_snr_cdb,
		.snr_cdb = (int16_t)in->snr_cdb,
		.ticks = {in->ticks},
		.has_gps_time = in->has_gps_time_us,
		.gps_time_us = in->gps_time_us,
		.has_fine_time = in->has_fine_time_ns,
		.fine_time_ns = in->fine_time_ns,
		.channel = in->channel,
		.rf_chain = in->rf_chain,
		.board = in->board,
		.antenna = in->antenna,
		.freq_offset_hz = in->freq_offset_hz,
		.age_us = in->age_us,
		.arrival = {in->arrival_us},
		.wall_synchronised = in->wall_synchronised,
		.protocol = (enum gw_protocol)in->protocol,
	};
	size_t length;
	if (!convert_take(out->phy, sizeof out->phy, &length, &in->phy))
		return false;
	out->phy_length = (uint8_t)length;
	return convert_modulation_in(&out->modulation, in->modulation);
}

void convert_attempt_out(Lamppost__TxAttempt *out, Lamppost__Modulation *modulation,
			 const struct gw_tx_attempt *in)
{
	convert_modulation_out(modulation, &in->modulation);
	lamppost__tx_attempt__init(out);
	out->gateway = lw_eui64_number(&in->gateway);
	out->window = (uint32_t)in->window;
	out->timing = (uint32_t)in->timing;
	out->has_ticks = in->timing == GW_AT_TICKS;
	out->ticks = in->ticks.us;
	out->has_gps_time_us = in->timing == GW_AT_GPS_TIME;
	out->gps_time_us = in->gps_time_us;
	out->freq_hz = in->freq_hz;
	out->modulation = modulation;
	out->power_dbm = in->power_dbm;
	out->invert_polarity = in->invert_polarity;
	out->has_board = in->board != 0;
	out->board = in->board;
	out->has_antenna = in->antenna != 0;
	out->antenna = in->antenna;
}

bool convert_attempt_in(struct gw_tx_attempt *out, const Lamppost__TxAttempt *in)
{
	if (in->window > GW_CLASS_C || in->timing > GW_IMMEDIATELY || !convert_fits_i16(in->power_dbm) ||
	    (in->timing == GW_AT_TICKS && !in->has_ticks) ||
	    (in->timing == GW_AT_GPS_TIME && !in->has_gps_time_us))
		return false;
	*out = (struct gw_tx_attempt){
		.gateway = lw_eui64_from_number(in->gateway),
		.window = (enum gw_window)in->window,
		.timing = (enum gw_timing)in->timing,
		.ticks = {in->ticks},
		.gps_time_us = in->gps_time_us,
		.freq_hz = in->freq_hz,
		.power_dbm = (int16_t)in->power_dbm,
		.invert_polarity = in->invert_polarity,
		.board = in->board,
		.antenna = in->antenna,
	};
	return convert_modulation_in(&out->modulation, in->modulation);
}

enum status pack_gateway_downlink(const struct proto_message *message, struct packing *to)
{
	const struct gw_downlink *in = &message->gateway_downlink;
	ASSERT_CMP(in->attempt_count, >=, 1);
	ASSERT_CMP(in->attempt_count, <=, GW_ATTEMPTS_MAX);
	Lamppost__TxAttempt attempts[GW_ATTEMPTS_MAX];
	Lamppost__TxAttempt *pointers[GW_ATTEMPTS_MAX];
	Lamppost__Modulation modulations[GW_ATTEMPTS_MAX];
	for (size_t i = 0; i < in->attempt_count; i++) {
		convert_attempt_out(&attempts[i], &modulations[i], &in->attempts[i]);
		pointers[i] = &attempts[i];
	}
	Lamppost__GatewayDownlink out = LAMPPOST__GATEWAY_DOWNLINK__INIT;
	out.id = in->id;
	out.phy = convert_bytes(in->phy, in->phy_length);
	out.n_attempts = in->attempt_count;
	out.attempts = pointers;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_DOWNLINK, &out);
}

bool unpack_gateway_downlink(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayDownlink *in = envelope->gateway_downlink;
	if (in->n_attempts < 1 || in->n_attempts > GW_ATTEMPTS_MAX)
		return false;
	struct gw_downlink *out = &message->gateway_downlink;
	*out = (struct gw_downlink){.id = in->id, .attempt_count = (uint8_t)in->n_attempts};
	size_t length;
	if (!convert_take(out->phy, sizeof out->phy, &length, &in->phy) || length == 0)
		return false;
	out->phy_length = (uint8_t)length;
	for (size_t i = 0; i < in->n_attempts; i++) {
		if (!convert_attempt_in(&out->attempts[i], in->attempts[i]))
			return false;
	}
	return true;
}

enum status pack_gateway_tx_ack(const struct proto_message *message, struct packing *to)
{
	const struct gw_tx_ack *in = &message->gateway_tx_ack;
	Lamppost__GatewayTxAck out = LAMPPOST__GATEWAY_TX_ACK__INIT;
	out.id = in->id;
	out.attempt = in->attempt;
	out.gateway = lw_eui64_number(&in->gateway);
	out.result = (uint32_t)in->result;
	out.cause = in->cause[0] ? convert_text(in->cause) : NULL;
	out.has_power_dbm = in->has_power;
	out.power_dbm = in->power_dbm;
	out.has_latency_us = in->latency_us != 0;
	out.latency_us = in->latency_us;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_TX_ACK, &out);
}

bool unpack_gateway_tx_ack(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayTxAck *in = envelope->gateway_tx_ack;
	if (in->attempt >= GW_ATTEMPTS_MAX || in->result >= GW_TX_RESULT_COUNT ||
	    !convert_fits_i16(in->power_dbm) || in->latency_us < 0)
		return false;
	struct gw_tx_ack *out = &message->gateway_tx_ack;
	*out = (struct gw_tx_ack){
		.id = in->id,
		.attempt = (uint8_t)in->attempt,
		.gateway = lw_eui64_from_number(in->gateway),
		.result = (enum gw_tx_result)in->result,
		.has_power = in->has_power_dbm,
		.power_dbm = (int16_t)in->power_dbm,
		.latency_us = in->latency_us,
	};
	return convert_take_text(out->cause, sizeof out->cause, in->cause);
}

enum status pack_gateway_stats(const struct proto_message *message, struct packing *to)
{
	const struct gw_stats *in = &message->gateway_stats;
	Lamppost__GatewayStats out = LAMPPOST__GATEWAY_STATS__INIT;
	out.gateway = lw_eui64_number(&in->gateway);
	out.arrival_us = in->arrival.us;
	out.has_rx_received = out.has_rx_ok = out.has_rx_forwarded = in->has_counts;
	out.has_tx_received = out.has_tx_emitted = in->has_counts;
	out.rx_received = in->rx_received;
	out.rx_ok = in->rx_ok;
	out.rx_forwarded = in->rx_forwarded;
	out.tx_received = in->tx_received;
	out.tx_emitted = in->tx_emitted;
	out.has_ack_permille = in->has_ack_permille;
	out.ack_permille = in->ack_permille;
	out.has_latitude_deg = out.has_longitude_deg = out.has_altitude_m = in->has_location;
	out.latitude_deg = in->latitude_deg;
	out.longitude_deg = in->longitude_deg;
	out.altitude_m = in->altitude_m;
	out.has_temperature_cdeg = in->has_temperature;
	out.temperature_cdeg = in->temperature_cdeg;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_STATS, &out);
}

bool unpack_gateway_stats(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayStats *in = envelope->gateway_stats;
	bool has_location = in->has_latitude_deg && in->has_longitude_deg;
	/* Written so that a NaN is refused. */
	if (has_location && !(in->latitude_deg >= -90 && in->latitude_deg <= 90 &&
			      in->longitude_deg >= -180 && in->longitude_deg <= 180))
		return false;
	message->gateway_stats = (struct gw_stats){
		.gateway = lw_eui64_from_number(in->gateway),
		.has_counts = in->has_rx_received && in->has_rx_ok && in->has_rx_forwarded &&
			      in->has_tx_received && in->has_tx_emitted,
		.rx_received = in->rx_received,
		.rx_ok = in->rx_ok,
		.rx_forwarded = in->rx_forwarded,
		.tx_received = in->tx_received,
		.tx_emitted = in->tx_emitted,
		.has_ack_permille = in->has_ack_permille,
		.ack_permille = in->ack_permille,
		.has_location = has_location,
		.latitude_deg = in->latitude_deg,
		.longitude_deg = in->longitude_deg,
		.altitude_m = in->altitude_m,
		.has_temperature = in->has_temperature_cdeg,
		.temperature_cdeg = in->temperature_cdeg,
		.arrival = {in->arrival_us},
	};
	return true;
}

enum status pack_gateway_presence(const struct proto_message *message, struct packing *to)
{
	const struct gw_presence *in = &message->gateway_presence;
	Lamppost__GatewayPresence out = LAMPPOST__GATEWAY_PRESENCE__INIT;
	out.gateway = lw_eui64_number(&in->gateway);
	out.online = in->online;
	out.known = in->known;
	out.protocol = (uint32_t)in->protocol;
	out.address = convert_text(in->address);
	out.reason = convert_text(in->reason);
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_PRESENCE, &out);
}

bool unpack_gateway_presence(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayPresence *in = envelope->gateway_presence;
	if (in->protocol >= GW_PROTOCOL_COUNT)
		return false;
	struct gw_presence *out = &message->gateway_presence;
	*out = (struct gw_presence){
		.gateway = lw_eui64_from_number(in->gateway),
		.online = in->online,
		.known = in->known,
		.protocol = (enum gw_protocol)in->protocol,
	};
	return convert_take_text(out->address, sizeof out->address, in->address) &&
	       convert_take_text(out->reason, sizeof out->reason, in->reason);
}

enum status pack_gateway_list(const struct proto_message *message, struct packing *to)
{
	const struct gw_gateway_list *in = &message->gateway_list;
	ASSERT_CMP(in->count, <=, GW_LIST_PART_MAX);
	Lamppost__Gateway gateways[GW_LIST_PART_MAX];
	Lamppost__Gateway *pointers[GW_LIST_PART_MAX];
	ProtobufCBinaryData tokens[GW_LIST_PART_MAX][GW_TOKENS_MAX];
	for (size_t i = 0; i < in->count; i++) {
		convert_gateway_out(&gateways[i], tokens[i], &in->gateways[i]);
		pointers[i] = &gateways[i];
	}
	Lamppost__GatewayList out = LAMPPOST__GATEWAY_LIST__INIT;
	out.version = in->version;
	out.first = in->first;
	out.last = in->last;
	out.n_gateways = in->count;
	out.gateways = pointers;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY_LIST, &out);
}

bool unpack_gateway_list(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayList *in = envelope->gateway_list;
	if (in->n_gateways > GW_LIST_PART_MAX)
		return false;
	struct gw_gateway_list *out = &message->gateway_list;
	*out = (struct gw_gateway_list){
		.version = in->version,
		.first = in->first,
		.last = in->last,
		.count = (uint32_t)in->n_gateways,
	};
	for (size_t i = 0; i < in->n_gateways; i++) {
		if (!convert_gateway_in(&out->gateways[i], in->gateways[i]))
			return false;
	}
	return true;
}
