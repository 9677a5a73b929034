#include "common/proto/convert.h"

#include <string.h>

enum status convert_pack(struct packing *to, Lamppost__Envelope__BodyCase body_case, void *body)
{
	Lamppost__Envelope envelope = LAMPPOST__ENVELOPE__INIT;
	envelope.seq = to->seq;
	envelope.body_case = body_case;
	envelope.hello = body; /* every member of the union is a pointer to a generated message */
	size_t length = protobuf_c_message_get_packed_size(&envelope.base);
	if (length > to->capacity)
		return ST_FULL;
	to->length = protobuf_c_message_pack(&envelope.base, to->bytes);
	ASSERT_CMP(to->length, ==, length);
	return ST_OK;
}

ProtobufCBinaryData convert_bytes(const uint8_t *bytes, size_t length)
{
	return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)(uintptr_t)bytes};
}

char *convert_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

bool convert_take(uint8_t *out, size_t capacity, size_t *length, const ProtobufCBinaryData *in)
{
	if (in->len > capacity)
		return false;
	if (in->len > 0)
		memcpy(out, in->data, in->len);
	*length = in->len;
	return true;
}

bool convert_take_exact(uint8_t *out, size_t length, const ProtobufCBinaryData *in)
{
	if (in->len != length)
		return false;
	memcpy(out, in->data, length);
	return true;
}

bool convert_take_text(char *out, size_t capacity, const char *in)
{
	if (!in)
		in = "";
	size_t length = strlen(in);
	if (length >= capacity)
		return false;
	memcpy(out, in, length + 1);
	return true;
}

bool convert_fits_u8(uint32_t value)
{
	return value <= UINT8_MAX;
}

bool convert_fits_i16(int32_t value)
{
	return value >= INT16_MIN && value <= INT16_MAX;
}

void convert_modulation_out(Lamppost__Modulation *out, const struct lw_modulation *in)
{
	lamppost__modulation__init(out);
	out->kind = (uint32_t)in->kind;
	out->has_spreading_factor = in->spreading_factor != 0;
	out->spreading_factor = in->spreading_factor;
	out->has_bandwidth_hz = in->bandwidth_hz != 0;
	out->bandwidth_hz = in->bandwidth_hz;
	out->has_bit_rate_bps = in->bit_rate_bps != 0;
	out->bit_rate_bps = in->bit_rate_bps;
	out->has_freq_deviation_hz = in->freq_deviation_hz != 0;
	out->freq_deviation_hz = in->freq_deviation_hz;
	out->code_rate = in->code_rate[0] ? convert_text(in->code_rate) : NULL;
}

bool convert_modulation_in(struct lw_modulation *out, const Lamppost__Modulation *in)
{
	if (in->kind > LW_LR_FHSS || !convert_fits_u8(in->spreading_factor))
		return false;
	*out = (struct lw_modulation){
		.kind = (enum lw_modulation_kind)in->kind,
		.spreading_factor = (uint8_t)in->spreading_factor,
		.bandwidth_hz = in->bandwidth_hz,
		.bit_rate_bps = in->bit_rate_bps,
		.freq_deviation_hz = in->freq_deviation_hz,
	};
	return convert_take_text(out->code_rate, sizeof out->code_rate, in->code_rate);
}

void convert_gateway_out(Lamppost__Gateway *out, ProtobufCBinaryData tokens[GW_TOKENS_MAX],
			 const struct gw_gateway *in)
{
	lamppost__gateway__init(out);
	out->eui = lw_eui64_number(&in->eui);
	out->region_id = convert_text(in->region_id);
	out->accept_udp = (in->accept & GW_ACCEPT_UDP) != 0;
	out->has_accept = true;
	out->accept = in->accept;
	out->source_cidr = in->source_cidr[0] ? convert_text(in->source_cidr) : NULL;
	for (size_t i = 0; i < in->token_count; i++)
		tokens[i] = convert_bytes(in->token_hashes[i], sizeof in->token_hashes[i]);
	out->n_token_hash = in->token_count;
	out->token_hash = tokens;
	out->has_certificates_void_us = in->certificates_void_us != 0;
	out->certificates_void_us = in->certificates_void_us;
	out->has_chip = true;
	out->chip = (uint32_t)in->chip;
	out->channels = in->channels[0] ? convert_text(in->channels) : NULL;
}

bool convert_gateway_in(struct gw_gateway *out, const Lamppost__Gateway *in)
{
	if ((in->has_accept && !convert_fits_u8(in->accept)) || in->n_token_hash > GW_TOKENS_MAX ||
	    in->chip >= GW_CHIP_COUNT)
		return false;
	*out = (struct gw_gateway){
		.eui = lw_eui64_from_number(in->eui),
		.accept = (uint8_t)(in->has_accept   ? in->accept
				    : in->accept_udp ? GW_ACCEPT_UDP
						     : 0u),
		.token_count = (uint8_t)in->n_token_hash,
		.certificates_void_us = in->certificates_void_us,
		.chip = (enum gw_chip)in->chip,
	};
	for (size_t i = 0; i < in->n_token_hash; i++)
		if (!convert_take_exact(out->token_hashes[i], sizeof out->token_hashes[i],
					&in->token_hash[i]))
			return false;
	return convert_take_text(out->region_id, sizeof out->region_id, in->region_id) &&
	       convert_take_text(out->source_cidr, sizeof out->source_cidr, in->source_cidr) &&
	       convert_take_text(out->channels, sizeof out->channels, in->channels);
}
